/* Finding a roll-over counter that was lost, see priv.h. Layer: srtp. Owns nothing.
 *
 * Three cases of the field, each with few attempts, so that forged packets cost little: a peer that begins with 0 again when
 * it re-keys (RFC 3711 3.3.1 wants it kept); a sender that rolled over while nothing reached us (a long hold); and, where
 * config.join_roc allows it, a stream that is joined in the middle. Authentication alone decides which one is right. */
#include <string.h>

#include "srtp/priv.h"

enum {
    FAILED_FIRST = 3, /* packets that fail before a roll-over is looked for that we did not see */
    MISSED_MAX = 4,   /* such roll-overs */
};

bool ssi_srtp_may_probe(const struct ssi_srtp *s, const struct ssi_srtp_source *src)
{
    if (!src)
        return s->join_roc > 0;
    return src->started && (src->pending || src->failed >= FAILED_FIRST);
}

/* The i-th candidate beside `likely`, which was tried; false when there are no more. */
static bool candidate(const struct ssi_srtp *s, const struct ssi_srtp_source *src, bool joining,
                      uint64_t likely, uint32_t i, uint32_t *ret)
{
    uint64_t roc = joining ? 1 + i : src->pending ? 0 : likely + 1 + i;
    uint32_t n = joining ? s->join_roc : src->pending ? likely > 0 : MISSED_MAX;

    *ret = (uint32_t)roc;
    return i < n && roc <= UINT32_MAX;
}

static secsip_result try_candidates(struct ssi_srtp *s, const struct ssi_srtp_source *src,
                                    bool joining, uint8_t *packet, size_t *len, const uint8_t *copy,
                                    uint32_t *ret_roc)
{
    uint64_t likely = ssi_srtp_guess_roc(src, (uint16_t)(copy[2] << 8 | copy[3]));
    uint32_t roc;

    for (uint32_t i = 0; candidate(s, src, joining, likely, i, &roc); i++) {
        memcpy(packet, copy, *len);
        (void)srtp_set_stream_roc(ssi_srtp_ctx(s, src), src->ssrc, roc);
        if (ssi_srtp_try_rtp(s, ssi_srtp_ctx(s, src), packet, len) == 0) {
            s->failures.resynced++;
            *ret_roc = roc;
            return 0;
        }
    }
    (void)srtp_set_stream_roc(ssi_srtp_ctx(s, src), src->ssrc,
                              0); /* 0 takes the last attempt back */
    return SECSIP_E_SRTP_AUTH;
}

secsip_result ssi_srtp_probe(struct ssi_srtp *s, struct ssi_srtp_source *src, uint8_t *packet,
                             size_t *len, const uint8_t *copy, uint32_t *ret_roc)
{
    bool joining = !src;
    uint32_t ssrc =
        (uint32_t)copy[8] << 24 | (uint32_t)copy[9] << 16 | (uint32_t)copy[10] << 8 | copy[11];

    if (joining) {
        secsip_result r = ssi_srtp_add_prepared(s, ssrc, &src);
        if (r < 0)
            return r;
    }
    secsip_result r = try_candidates(s, src, joining, packet, len, copy, ret_roc);
    if (r < 0 && joining) {
        /* Nothing is kept of what was not authentic. libsrtp2 wants network order here; later versions may not. */
        uint32_t on_the_wire;
        memcpy(&on_the_wire, copy + 8, sizeof on_the_wire);
        srtp_t ctx = ssi_srtp_ctx(s, src);
        if (srtp_remove_stream(ctx, on_the_wire) != srtp_err_status_ok)
            (void)srtp_remove_stream(ctx, ssrc);
        ssi_srtp_remove_last(s);
    }
    return r;
}
