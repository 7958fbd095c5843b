/* Finding a roll-over counter that was lost, see priv.h. Layer: srtp. Owns nothing.
 *
 * The cases of the field, each with few attempts, so that forged packets cost little: a peer that begins with 0 again when it
 * re-keys (RFC 3711 3.3.1 wants it kept); a key that comes back to a sender who goes on where that key stood; a sender that
 * rolled over while nothing reached us (a long hold); and, where config.join_roc allows it, a stream that is joined in the
 * middle. Authentication decides which one is right; an index that was used before under the key is not tried. */
#include <string.h>

#include "srtp/priv.h"

enum {
    FAILED_FIRST = 3, /* packets that fail before a roll-over is looked for that we did not see */
    MISSED_MAX = 4,   /* such roll-overs */
    JOIN_MAX = 64,    /* config.join_roc */
    CANDIDATES_MAX = JOIN_MAX + MISSED_MAX + 2,
};

/* Nothing was said of its roll-over counter: it is new, or only its RTCP was heard. */
static bool joins(const struct ssi_srtp_source *src)
{
    return !src || (!src->started && !src->pending);
}

bool ssi_srtp_may_probe(const struct ssi_srtp *s, const struct ssi_srtp_source *src)
{
    if (joins(src))
        return s->join_roc > 0;
    return (src->started && src->pending) || src->hint > 0 || src->failed >= FAILED_FIRST;
}

struct candidates {
    const struct ssi_srtp_source *src;
    uint16_t seq;
    uint64_t likely; /* was tried */
    uint32_t n, all[CANDIDATES_MAX];
    uint8_t as[CANDIDATES_MAX]; /* enum ssi_srtp_found */
};

static void propose(struct candidates *c, uint64_t roc, enum ssi_srtp_found as)
{
    if (roc != c->likely && roc <= UINT32_MAX &&
        !ssi_srtp_taken(roc << 16 | c->seq, c->src->floor, c->src->taken)) {
        c->as[c->n] = (uint8_t)as;
        c->all[c->n++] = (uint32_t)roc;
    }
}

static void list_candidates(const struct ssi_srtp *s, bool joining, struct candidates *c)
{
    const struct ssi_srtp_source *src = c->src;

    for (uint32_t i = 1; joining && i <= s->join_roc; i++)
        propose(c, i, SSI_SRTP_FOUND_JOINED);
    if (joining)
        return;
    if (src->hint > 0) {
        struct ssi_srtp_source there = {
            .started = true, .roc = (uint32_t)(src->hint >> 16), .seq = (uint16_t)src->hint};
        propose(c, ssi_srtp_guess_roc(&there, c->seq), SSI_SRTP_FOUND_RETURN);
    }
    if (src->started && src->pending)
        propose(c, 0, SSI_SRTP_FOUND_RESET);
    for (uint32_t i = 1; src->failed >= FAILED_FIRST && i <= MISSED_MAX; i++)
        propose(c, c->likely + i, SSI_SRTP_FOUND_MISSED);
}

static secsip_result try_candidates(struct ssi_srtp *s, struct ssi_srtp_source *src, bool joining,
                                    uint8_t *packet, size_t *len, const uint8_t *copy,
                                    uint32_t *ret_roc)
{
    struct candidates c = {.src = src, .seq = (uint16_t)(copy[2] << 8 | copy[3])};
    srtp_t ctx = ssi_srtp_ctx(s, src);
    secsip_result r = SECSIP_E_SRTP_AUTH;

    c.likely = ssi_srtp_guess_roc(src, c.seq);
    list_candidates(s, joining, &c);
    for (uint32_t i = 0; i < c.n && r < 0; i++) {
        memcpy(packet, copy, *len);
        (void)srtp_set_stream_roc(ctx, src->ssrc, c.all[i]);
        if (ssi_srtp_try_rtp(s, ctx, packet, len) < 0)
            continue;
        s->failures.resynced++;
        src->found = c.as[i];
        src->found_instead = (uint32_t)c.likely;
        *ret_roc = c.all[i];
        r = 0;
    }
    /* 0 takes the last attempt back; and after a success libsrtp2 may not have let go of the counter. */
    (void)srtp_set_stream_roc(ctx, src->ssrc, 0);
    return r;
}

secsip_result ssi_srtp_probe(struct ssi_srtp *s, struct ssi_srtp_source *src, uint8_t *packet,
                             size_t *len, const uint8_t *copy, uint32_t *ret_roc)
{
    bool joining = joins(src), added = !src;
    uint32_t ssrc =
        (uint32_t)copy[8] << 24 | (uint32_t)copy[9] << 16 | (uint32_t)copy[10] << 8 | copy[11];

    if (added) {
        secsip_result r = ssi_srtp_add_prepared(s, ssrc, &src);
        if (r < 0)
            return r;
    }
    secsip_result r = try_candidates(s, src, joining, packet, len, copy, ret_roc);
    if (r < 0 && added) { /* nothing is kept of what was not authentic */
        ssi_srtp_forget_stream(s, src);
        ssi_srtp_remove_last(s);
    }
    return r;
}
