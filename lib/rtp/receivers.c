/* Receiving sessions of a stream, see receivers.h. Layer: rtp. */
#include "rtp/receivers.h"

#include <string.h>

#include "rtp/wire.h"

enum {
    DATAGRAM_MAX = 2048, /* that is tried with more than one key */
    CANDIDATES_MAX = 2 * SSI_RTP_FORKS_MAX,
};

static void free_receiver(struct ssi_rtp_receiver *r)
{
    ssi_srtp_free(r->now);
    ssi_srtp_free(r->before);
    *r = (struct ssi_rtp_receiver){0};
}

void ssi_rtp_receivers_free(struct ssi_rtp_receivers *r)
{
    for (uint32_t i = 0; i < r->n; i++)
        free_receiver(&r->all[i]);
    r->n = 0;
    ssi_srtp_line_drop(r->line);
    r->line = NULL;
}

struct ssi_rtp_receiver *ssi_rtp_receivers_find(struct ssi_rtp_receivers *r, uint32_t fork)
{
    for (uint32_t i = 0; i < r->n; i++)
        if (r->all[i].fork == fork)
            return &r->all[i];
    return NULL;
}

static bool same_key(const struct ssi_srtp *a, const struct ssi_srtp *b)
{
    return a == b || ssi_srtp_same_key(a, b);
}

static bool shares_key(const struct ssi_srtp *a, const struct ssi_srtp *b)
{
    return a && ssi_srtp_shares_key(a, b);
}

/* From the second fork on, keys are remembered beyond the forks that had them. */
static secsip_result join(struct ssi_rtp_receivers *r, struct ssi_srtp *rx)
{
    if (r->n == SSI_RTP_FORKS_MAX)
        return SECSIP_E_LIMIT;
    if (r->forgot)
        return SECSIP_E_NOMEM;
    secsip_result result = !r->line && r->n > 0 ? ssi_srtp_hold_line(r->all[0].now, &r->line) : 0;
    return result == 0 && r->line ? ssi_srtp_join(rx, r->line) : result;
}

secsip_result ssi_rtp_receivers_prepare(struct ssi_rtp_receivers *r, uint32_t fork,
                                        struct ssi_srtp *rx)
{
    const struct ssi_rtp_receiver *mine = ssi_rtp_receivers_find(r, fork);

    /* Two sessions with one key are two replay lists: a packet would pass once with each. */
    for (uint32_t i = 0; i < r->n; i++)
        if (&r->all[i] != mine &&
            (shares_key(r->all[i].now, rx) || shares_key(r->all[i].before, rx)))
            return SECSIP_E_SRTP_REUSE;
    if (!mine)
        return join(r, rx);
    return same_key(mine->now, rx) ? 0 : ssi_srtp_continue(rx, mine->now);
}

bool ssi_rtp_receivers_adopt(struct ssi_rtp_receivers *r, uint32_t fork, struct ssi_srtp *rx,
                             uint64_t until_us)
{
    struct ssi_rtp_receiver *mine = ssi_rtp_receivers_find(r, fork);

    if (!mine) {
        r->all[r->n++] = (struct ssi_rtp_receiver){.fork = fork, .now = rx};
        return false;
    }
    if (same_key(mine->now, rx)) {
        if (mine->now != rx)
            ssi_srtp_free(rx);
        return mine->before != NULL;
    }
    ssi_srtp_free(mine->before);
    mine->before = mine->now;
    mine->before_until_us = until_us;
    mine->now = rx;
    return true;
}

static void remove_at(struct ssi_rtp_receivers *r, uint32_t i)
{
    if (!r->line && ssi_srtp_hold_line(r->all[i].now, &r->line) < 0)
        r->forgot = true;
    free_receiver(&r->all[i]);
    r->all[i] = r->all[--r->n];
    r->all[r->n] = (struct ssi_rtp_receiver){0};
}

void ssi_rtp_receivers_drop(struct ssi_rtp_receivers *r, uint32_t fork)
{
    for (uint32_t i = r->n; i-- > 0;)
        if (r->all[i].fork == fork)
            remove_at(r, i);
}

void ssi_rtp_receivers_keep(struct ssi_rtp_receivers *r, uint32_t fork)
{
    for (uint32_t i = r->n; i-- > 0;)
        if (r->all[i].fork != fork)
            remove_at(r, i);
}

uint64_t ssi_rtp_receivers_expire(struct ssi_rtp_receivers *r, uint64_t now_us)
{
    uint64_t next = UINT64_MAX;

    for (uint32_t i = 0; i < r->n; i++) {
        struct ssi_rtp_receiver *mine = &r->all[i];
        if (!mine->before)
            continue;
        if (mine->before_until_us <= now_us) {
            ssi_srtp_free(mine->before);
            mine->before = NULL;
        } else if (mine->before_until_us < next) {
            next = mine->before_until_us;
        }
    }
    return next;
}

struct candidate {
    struct ssi_srtp *session;
    uint32_t fork;
};

/* In the order in which they are tried: sessions that know the SSRC first, and of one fork the newer key first. */
static uint32_t list_candidates(const struct ssi_rtp_receivers *r, uint32_t ssrc,
                                struct candidate out[CANDIDATES_MAX])
{
    uint32_t n = 0;

    for (int known = 1; known >= 0; known--) {
        for (uint32_t i = 0; i < r->n; i++) {
            const struct ssi_rtp_receiver *one = &r->all[i];
            if (ssi_srtp_knows(one->now, ssrc) == (bool)known)
                out[n++] = (struct candidate){one->now, one->fork};
            if (one->before && ssi_srtp_knows(one->before, ssrc) == (bool)known)
                out[n++] = (struct candidate){one->before, one->fork};
        }
    }
    return n;
}

static secsip_result open_with(struct ssi_srtp *session, bool rtcp, uint8_t *packet, size_t *len)
{
    return rtcp ? ssi_srtp_unprotect_rtcp(session, packet, len)
                : ssi_srtp_unprotect_rtp(session, packet, len);
}

secsip_result ssi_rtp_receivers_open(struct ssi_rtp_receivers *r, bool rtcp, uint8_t *packet,
                                     size_t *len, uint32_t *ret_fork, bool *ret_before)
{
    struct candidate candidates[CANDIDATES_MAX];
    uint8_t copy[DATAGRAM_MAX];
    size_t at = rtcp ? 4 : 8;
    uint32_t n = list_candidates(r, *len >= at + 4 ? get_be32(packet + at) : 0, candidates);
    secsip_result first = SECSIP_E_SRTP_AUTH;

    if (n > 1 && *len > sizeof copy)
        n = 1;
    if (n > 1)
        memcpy(copy, packet, *len);
    for (uint32_t i = 0; i < n; i++) {
        if (i > 0)
            memcpy(packet, copy, *len);
        secsip_result result = open_with(candidates[i].session, rtcp, packet, len);
        if (result == 0) {
            *ret_fork = candidates[i].fork;
            *ret_before = ssi_rtp_receivers_find(r, *ret_fork)->before == candidates[i].session;
            return 0;
        }
        if (i == 0)
            first = result;
    }
    return first;
}
