/* A script of packets and re-keys between two media streams on virtual time, over a network that loses, repeats, damages,
 * delays and reorders as the input says. The receiver may have forks, of which the speaker is one. What must hold whatever
 * the script: nothing is heard that was not said, nothing is heard twice, every packet that arrives is counted once, and a
 * packet that comes whole, for the first time and soon, under a key that both ends have, is heard.
 *
 * Byte 0: suites and how the keys change. Then operations of two bytes: what, and how. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rtp/stream.h"

enum {
    UNDER_WAY = 32,
    PACKET = 600,
    OPERATIONS = 600,
    FRAME_MS = 20,
    SPEAKER = 3, /* the number of its fork */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct packet {
    size_t len;
    bool rtcp, damaged, heard;
    uint32_t key; /* the sender's when it left */
    uint8_t bytes[PACKET];
};

struct world {
    struct ssi_timers timers;
    struct ssi_rtp_stream *speaker, *listener;
    uint8_t how;
    uint32_t tx_key, rx_key; /* how often each end changed */
    struct packet ring[UNDER_WAY];
    uint32_t n_sent;
    uint64_t n_heard,
        n_whole; /* frames given out, and whole ones that were put in for the first time */
    uint64_t n_in;
};

static void must(bool good)
{
    if (!good)
        abort();
}

static void keep(void *arg, bool rtcp, const uint8_t *packet, size_t len)
{
    struct world *w = arg;
    struct packet *p = &w->ring[w->n_sent++ % UNDER_WAY];

    must(len <= sizeof p->bytes);
    *p = (struct packet){.len = len, .rtcp = rtcp, .key = w->tx_key};
    memcpy(p->bytes, packet, len);
}

static void say(void *arg, int16_t *samples, size_t n)
{
    (void)arg;
    for (size_t i = 0; i < n; i++)
        samples[i] = 876; /* as PCMA has it: it comes out as it went in */
}

static void hear(void *arg, const int16_t *samples, size_t n, uint32_t timestamp)
{
    struct world *w = arg;

    (void)timestamp;
    must(n == (size_t)FRAME_MS * 8);
    for (size_t i = 0; i < n; i++)
        must(samples[i] == samples[0] && samples[0] >= 800 && samples[0] <= 1000);
    w->n_heard++;
}

static void ignore(void *arg, bool rtcp, const uint8_t *packet, size_t len)
{
    (void)arg;
    (void)rtcp;
    (void)packet;
    (void)len;
}

static struct ssi_srtp *session(const struct world *w, bool send, uint32_t key)
{
    struct ssi_srtp_config c = {
        .direction = send ? SSI_SRTP_SEND : SSI_SRTP_RECEIVE,
        .join_roc = send ? 0 : 1, /* as in calls */
        /* The suite may change with the key. */
        .suite = (enum ssi_srtp_suite)(1 + (w->how + (w->how & 0x40 ? key : 0)) %
                                               SSI_SRTP_AEAD_AES_256_GCM),
    };
    struct ssi_srtp *s = NULL;

    c.key.len = (uint8_t)ssi_srtp_key_len(c.suite);
    memset(c.key.bytes, 0x21, c.key.len);
    memcpy(c.key.bytes, &key, sizeof key);
    must(ssi_srtp_new(&c, &s) == 0);
    return s;
}

enum {
    OTHER_WAY = 1 << 30, /* keys of the other direction, and of phones that never speak */
    OTHER_PHONE = 1 << 29,
};

static void new_tx(struct world *w)
{
    must(ssi_rtp_stream_set_srtp(w->speaker, session(w, true, w->tx_key),
                                 session(w, false, OTHER_WAY + w->tx_key)) == 0);
}

static void new_rx(struct world *w)
{
    must(ssi_rtp_stream_set_fork(w->listener, SPEAKER, session(w, true, OTHER_WAY + w->rx_key),
                                 session(w, false, w->rx_key)) == 0);
}

static void open_world(struct world *w, uint8_t how)
{
    static const struct ssi_rtp_ops speaking = {keep, hear, say, NULL},
                                    listening = {ignore, hear, NULL, NULL};
    struct ssi_rtp_config c = {
        .secure = true, .codec = SSI_RTP_PCMA, .payload_type = 8, .send = true, .receive = true};

    memset(w, 0, sizeof *w);
    w->how = how;
    ssi_timers_init(&w->timers, 0);
    must(ssi_rtp_stream_new(&c, &w->timers, &speaking, w, &w->speaker) == 0);
    must(ssi_rtp_stream_new(&c, &w->timers, &listening, w, &w->listener) == 0);
    new_tx(w);
    new_rx(w);
    for (uint32_t i = 0; how & 0x80 && i < 3; i++)
        must(ssi_rtp_stream_set_fork(w->listener, 10 + i, session(w, true, OTHER_WAY + w->rx_key),
                                     session(w, false, OTHER_PHONE + i)) == 0);
    must(ssi_rtp_stream_start(w->speaker) == 0);
}

/* Puts a packet that left in, whole or with bits turned. */
static void deliver(struct world *w, uint32_t back, uint8_t damage)
{
    uint8_t bytes[PACKET];

    if (back >= w->n_sent || back >= UNDER_WAY)
        return;
    struct packet *p = &w->ring[(w->n_sent - 1 - back) % UNDER_WAY];
    uint64_t heard = w->n_heard;
    const struct ssi_rtp_stats *s = ssi_rtp_stream_stats(w->listener);
    uint64_t rx = s->rx;
    memcpy(bytes, p->bytes, p->len);
    if (damage)
        bytes[damage % p->len] ^= damage;
    ssi_rtp_stream_input(w->listener, p->rtcp, bytes, p->len);
    w->n_in++;
    if (damage || p->heard)
        must(s->rx == rx && w->n_heard == heard);
    else if (!p->rtcp && p->key == w->rx_key && back < 16)
        must(s->rx == rx + 1);
    if (s->rx > rx)
        p->heard = true;
    must(s->rx + s->rtcp_rx + s->auth_failed + s->replayed + s->clear_dropped + s->malformed +
             s->unheard ==
         w->n_in);
    must(w->n_heard <= s->rx && s->unheard == 0);
}

static void step(struct world *w, uint8_t what, uint8_t how)
{
    switch (what % 8) {
    case 0: /* time, in which packets leave */
    case 1:
        ssi_timers_advance(&w->timers, w->timers.now_us + SSI_MS(how), 200);
        break;
    case 2:
        ssi_timers_advance(&w->timers, w->timers.now_us + SSI_MS(FRAME_MS), 200);
        deliver(w, 0, 0);
        break;
    case 3:
    case 4:
        deliver(w, how % UNDER_WAY, 0);
        break;
    case 5:
        deliver(w, what / 8, how);
        break;
    case 6: /* the speaker changes its key; at most one ahead of the listener */
        if (w->tx_key == w->rx_key) {
            w->tx_key++;
            new_tx(w);
        }
        break;
    default: /* the listener learns of it, sometimes before the speaker uses it */
        if (w->rx_key == w->tx_key && how & 1)
            w->tx_key++;
        else if (w->rx_key == w->tx_key)
            break;
        w->rx_key = w->tx_key;
        new_rx(w);
        new_tx(w);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;

    if (size == 0)
        return 0;
    open_world(&w, data[0]);
    for (size_t at = 1, n = 0; size - at >= 2 && n < OPERATIONS; at += 2, n++)
        step(&w, data[at], data[at + 1]);
    ssi_rtp_stream_free(w.speaker);
    ssi_rtp_stream_free(w.listener);
    return 0;
}
