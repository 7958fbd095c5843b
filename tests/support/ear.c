#include "ear.h"

#include "test.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"

static struct ssi_srtp *receiver(const char *key)
{
    struct ssi_srtp_config c = {.direction = SSI_SRTP_RECEIVE,
                                .suite = SSI_SRTP_AES_CM_128_HMAC_SHA1_80};
    struct ssi_srtp *s = NULL;
    size_t len = 0;

    assert_true(ssi_base64_get(ssi_slice_str(key), c.key.bytes, sizeof c.key.bytes, &len));
    c.key.len = (uint8_t)len;
    assert_int_equal(ssi_srtp_new(&c, &s), 0);
    return s;
}

void ear_learn_key(struct ear *e)
{
    const char *at = strstr(e->p->offer, "inline:");

    assert_non_null(at);
    char key[64];
    snprintf(key, sizeof key, "%.40s", at + 7);
    if (!strcmp(key, e->key))
        return;
    ssi_srtp_free(e->rx_before);
    memcpy(e->key_before, e->key, sizeof e->key);
    e->rx_before = e->rx;
    memcpy(e->key, key, sizeof key);
    e->rx = receiver(key);
}

static bool opens(struct ssi_srtp *rx, const uint8_t *data, size_t len)
{
    uint8_t copy[2048];

    if (!rx || len > sizeof copy)
        return false;
    memcpy(copy, data, len);
    return ssi_srtp_unprotect_rtp(rx, copy, &len) == 0;
}

static bool hear(const secsip_engine_address *from, const secsip_engine_address *to, uint8_t *data,
                 size_t len, void *arg)
{
    struct ear *e = arg;

    if (to->port != 5000 || len < 100) /* RTCP */
        return true;
    uint16_t seq = (uint16_t)(data[2] << 8 | data[3]);
    e->gaps += e->heard && seq != (uint16_t)(e->last_seq + 1);
    e->last_seq = seq;
    e->heard = true;
    e->from = from->ip[3];
    if (opens(e->rx, data, len))
        e->now++;
    else if (opens(e->rx_before, data, len))
        e->before++;
    else
        e->unknown++;
    return true;
}

void ear_open(struct ear *e, struct lab *l, const struct peer *p)
{
    *e = (struct ear){.l = l, .p = p};
    ear_learn_key(e);
    simnet_tap(l->net, hear, NULL, e);
}

void ear_listen_ms(struct ear *e, uint64_t ms)
{
    e->now = e->before = e->unknown = 0;
    simnet_run(e->l->net, ms * 1000, NULL, NULL);
}

void ear_close(struct ear *e)
{
    ssi_srtp_free(e->rx);
    ssi_srtp_free(e->rx_before);
    simnet_tap(e->l->net, NULL, NULL, NULL);
}
