/* SRTP sessions, see srtp.h. Layer: srtp. libsrtp2 does the protocol; counted here, because libsrtp2 leaves it out or does
 * it only in part: the life of the key for SRTP and SRTCP, the number of SSRCs, the end of the packet index. A session
 * owns its libsrtp2 session and a copy of its master key. */
#include "srtp/srtp.h"

#include <stdlib.h>

#include "base/crypto.h"
#include "srtp/priv.h"

enum {
    RTP_HEADER = 12,
    RTCP_HEADER = 8,
    RTCP_INDEX = 4, /* E bit and index, RFC 3711 3.4 */
    PACKET_MAX = 65535,
    JOIN_ROC_MAX = 64,
    WINDOW_DEFAULT = 128,
    WINDOW_MIN = 64,    /* RFC 3711 3.3.2 */
    WINDOW_MAX = 32767, /* libsrtp2's limit */
};

#define SRTP_LIFETIME_MAX ((uint64_t)1 << 48)
/* 2^31 (RFC 3711 9.2), but libsrtp2 starts with index 1, and there is no index 2^31. */
#define SRTCP_LIFETIME_MAX (((uint64_t)1 << 31) - 1)

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static bool config_valid(const struct ssi_srtp_config *c, const struct ssi_srtp_suite_info *suite)
{
    return c->key.len == suite->key_len && c->mki_len <= sizeof c->mki &&
           c->join_roc <= JOIN_ROC_MAX &&
           (c->direction == SSI_SRTP_SEND || c->direction == SSI_SRTP_RECEIVE) &&
           (c->replay_window == 0 ||
            (c->replay_window >= WINDOW_MIN && c->replay_window <= WINDOW_MAX));
}

secsip_result ssi_srtp_new(const struct ssi_srtp_config *config, struct ssi_srtp **ret)
{
    const struct ssi_srtp_suite_info *suite = ssi_srtp_suite_info(config->suite);
    if (!suite)
        return SECSIP_E_SRTP_SUITE;
    if (!config_valid(config, suite))
        return SECSIP_E_INVALID;
    struct ssi_srtp *s = calloc(1, sizeof *s + config->mki_len);
    if (!s)
        return SECSIP_E_NOMEM;
    s->suite = suite;
    s->direction = config->direction;
    s->key = config->key;
    s->mki_len = (uint8_t)config->mki_len;
    s->sources = s->few;
    s->stock = config->stock;
    s->join_roc = config->join_roc;
    uint64_t lifetime = config->lifetime;
    if (lifetime == 0 || lifetime > SRTP_LIFETIME_MAX)
        lifetime = SRTP_LIFETIME_MAX;
    s->stats.rtp_left = lifetime;
    s->stats.rtcp_left = lifetime < SRTCP_LIFETIME_MAX ? lifetime : SRTCP_LIFETIME_MAX;

    memcpy(s->mki, config->mki, config->mki_len);
    s->window = config->replay_window ? config->replay_window : WINDOW_DEFAULT;
    struct ssi_srtp_keyed_policy k;
    ssi_srtp_fill_policy(
        s, &k, config->direction == SSI_SRTP_SEND ? ssrc_any_outbound : ssrc_any_inbound, 0);
    secsip_result r = ssi_srtp_engine_create(suite, &s->stock, &k.policy, &s->ctx);
    if (r < 0) {
        ssi_srtp_free(s);
        return r;
    }
    *ret = s;
    return 0;
}

void ssi_srtp_free(struct ssi_srtp *s)
{
    if (!s)
        return;
    if (s->ctx)
        srtp_dealloc(s->ctx);
    if (s->sources != s->few)
        free(s->sources);
    ssi_wipe(s, sizeof *s);
    free(s);
}

static secsip_result result_of(const struct ssi_srtp *s, srtp_err_status_t status)
{
    switch (status) {
    case srtp_err_status_ok:
        return 0;
    case srtp_err_status_auth_fail:
        return SECSIP_E_SRTP_AUTH;
    case srtp_err_status_replay_fail:
    case srtp_err_status_replay_old:
    case srtp_err_status_pkt_idx_old:
        return s->direction == SSI_SRTP_SEND ? SECSIP_E_SRTP_REUSE : SECSIP_E_SRTP_REPLAY;
    case srtp_err_status_key_expired:
    case srtp_err_status_pkt_idx_adv:
        return SECSIP_E_SRTP_KEY_EXPIRED;
    case srtp_err_status_bad_mki:
        return SECSIP_E_SRTP_MKI;
    case srtp_err_status_alloc_fail:
        return SECSIP_E_NOMEM;
    default:
        return SECSIP_E_SRTP_LIBRARY;
    }
}

/* Length of the RTP header with CSRCs and extension (RFC 3550 5.1), or 0 when the packet is not RTP or ends before the
 * header does. */
static size_t rtp_header_len(const uint8_t *p, size_t len)
{
    if (len < RTP_HEADER || p[0] >> 6 != 2)
        return 0;
    size_t n = RTP_HEADER + 4 * (size_t)(p[0] & 0x0f);
    if (p[0] & 0x10) {
        if (len < n + 4)
            return 0;
        n += 4 + 4 * (size_t)be16(p + n + 2);
    }
    return n <= len ? n : 0;
}

/* What protection adds: tag and MKI, and the index of SRTCP. */
static size_t rtp_trailer(const struct ssi_srtp *s)
{
    return (size_t)s->suite->rtp_tag_len + s->mki_len;
}

static size_t rtcp_trailer(const struct ssi_srtp *s)
{
    return (size_t)s->suite->rtcp_tag_len + s->mki_len + RTCP_INDEX;
}

/* What must hold before libsrtp2 sees an RTP packet; *ret_src is NULL for a new SSRC. */
static secsip_result admit_rtp(struct ssi_srtp *s, const uint8_t *packet,
                               struct ssi_srtp_source **ret_src, uint32_t *ret_roc)
{
    struct ssi_srtp_source *src = ssi_srtp_find_source(s, be32(packet + 8));
    uint64_t roc = src ? ssi_srtp_guess_roc(src, be16(packet + 2)) : 0;

    if (s->stats.rtp_left == 0)
        return SECSIP_E_SRTP_KEY_EXPIRED;
    secsip_result r = src ? 0 : ssi_srtp_make_room(s);
    if (r < 0)
        return r;
    /* RFC 3711 3.3.1: no packet index past 2^48 - 1; libsrtp2 would begin again at 0, and use a key stream twice. */
    if (roc > UINT32_MAX)
        return SECSIP_E_SRTP_KEY_EXPIRED;
    if (src && (roc << 16 | be16(packet + 2)) < src->floor)
        return SECSIP_E_SRTP_REUSE;
    if (src && src->pending)
        (void)srtp_set_stream_roc(s->ctx, src->ssrc, (uint32_t)roc);
    *ret_src = src;
    *ret_roc = (uint32_t)roc;
    return 0;
}

static void count_failure(struct ssi_srtp *s, secsip_result r)
{
    if (r == SECSIP_E_SRTP_AUTH)
        s->stats.auth_failed++;
    else if (r == SECSIP_E_SRTP_REPLAY)
        s->stats.replayed++;
    else if (r == SECSIP_E_SRTP_SHORT)
        s->stats.too_short++;
    else
        s->stats.refused++;
}

/* A failed protect leaves nothing behind that could be sent by mistake. */
static secsip_result refuse_to_send(struct ssi_srtp *s, uint8_t *packet, size_t len, size_t cap,
                                    secsip_result r)
{
    size_t touched = len + SSI_SRTP_TRAILER_MAX;

    ssi_wipe(packet, touched < cap ? touched : cap);
    count_failure(s, r);
    return r;
}

static secsip_result protect_rtp(struct ssi_srtp *s, uint8_t *packet, size_t *len, size_t cap)
{
    struct ssi_srtp_source *src;

    if (s->direction != SSI_SRTP_SEND)
        return SECSIP_E_STATE;
    if (*len > PACKET_MAX || rtp_header_len(packet, *len) == 0)
        return SECSIP_E_RTP_SYNTAX;
    if (cap < *len || cap - *len < rtp_trailer(s))
        return SECSIP_E_LIMIT;
    uint32_t roc;
    secsip_result r = admit_rtp(s, packet, &src, &roc);
    if (r < 0)
        return r;
    int n = (int)*len;
    uint32_t ssrc = be32(packet + 8);
    uint16_t seq = be16(packet + 2);
    r = result_of(s, srtp_protect_mki(s->ctx, packet, &n, s->mki_len > 0, 0));
    if (r < 0)
        return r;
    ssi_srtp_advance_source(src ? src : ssi_srtp_add_source(s, ssrc), roc, seq);
    s->stats.rtp_left--;
    s->stats.rtp_ok++;
    *len = (size_t)n;
    return 0;
}

secsip_result ssi_srtp_protect_rtp(struct ssi_srtp *s, uint8_t *packet, size_t *len, size_t cap)
{
    secsip_result r = protect_rtp(s, packet, len, cap);

    return r < 0 ? refuse_to_send(s, packet, *len, cap, r) : 0;
}

static secsip_result protect_rtcp(struct ssi_srtp *s, uint8_t *packet, size_t *len, size_t cap)
{
    if (s->direction != SSI_SRTP_SEND)
        return SECSIP_E_STATE;
    if (*len < RTCP_HEADER || *len > PACKET_MAX || *len % 4 != 0 || packet[0] >> 6 != 2)
        return SECSIP_E_RTP_SYNTAX;
    if (cap < *len || cap - *len < rtcp_trailer(s))
        return SECSIP_E_LIMIT;
    if (s->stats.rtcp_left == 0)
        return SECSIP_E_SRTP_KEY_EXPIRED;
    uint32_t ssrc = be32(packet + 4);
    struct ssi_srtp_source *src = ssi_srtp_find_source(s, ssrc);
    secsip_result r = src ? 0 : ssi_srtp_make_room(s);
    if (r < 0)
        return r;
    int n = (int)*len;
    r = result_of(s, srtp_protect_rtcp_mki(s->ctx, packet, &n, s->mki_len > 0, 0));
    if (r < 0)
        return r;
    if (!src)
        ssi_srtp_add_source(s, ssrc);
    s->stats.rtcp_left--;
    s->stats.rtcp_ok++;
    *len = (size_t)n;
    return 0;
}

secsip_result ssi_srtp_protect_rtcp(struct ssi_srtp *s, uint8_t *packet, size_t *len, size_t cap)
{
    secsip_result r = protect_rtcp(s, packet, len, cap);

    return r < 0 ? refuse_to_send(s, packet, *len, cap, r) : 0;
}

secsip_result ssi_srtp_try_rtp(struct ssi_srtp *s, uint8_t *packet, size_t *len)
{
    int n = (int)*len;
    secsip_result r = result_of(s, srtp_unprotect_mki(s->ctx, packet, &n, s->mki_len > 0));

    if (r == 0)
        *len = (size_t)n;
    return r;
}

/* The likely roll-over counter first, then the others that may be tried. */
static secsip_result open_rtp(struct ssi_srtp *s, struct ssi_srtp_source *src, uint8_t *packet,
                              size_t *len, uint32_t *roc)
{
    uint8_t copy[SSI_SRTP_PROBE_MAX];
    bool probe = ssi_srtp_may_probe(s, src) && *len <= sizeof copy;

    if (probe)
        memcpy(copy, packet, *len);
    secsip_result r = ssi_srtp_try_rtp(s, packet, len);
    /* Behind a roll-over that was missed, packets look forged, or older than the replay list. */
    if (probe && (r == SECSIP_E_SRTP_AUTH || r == SECSIP_E_SRTP_REPLAY) &&
        ssi_srtp_probe(s, src, packet, len, copy, roc) == 0)
        r = 0;
    return r;
}

static secsip_result unprotect_rtp(struct ssi_srtp *s, uint8_t *packet, size_t *len)
{
    struct ssi_srtp_source *src;
    uint32_t roc;

    if (s->direction != SSI_SRTP_RECEIVE)
        return SECSIP_E_STATE;
    if (*len < RTP_HEADER + rtp_trailer(s))
        return SECSIP_E_SRTP_SHORT;
    if (*len > PACKET_MAX || rtp_header_len(packet, *len - rtp_trailer(s)) == 0)
        return SECSIP_E_RTP_SYNTAX;
    secsip_result r = admit_rtp(s, packet, &src, &roc);
    if (r < 0)
        return r;
    uint32_t ssrc = be32(packet + 8);
    uint16_t seq = be16(packet + 2);
    r = open_rtp(s, src, packet, len, &roc);
    if (r < 0) {
        if (src && (r == SECSIP_E_SRTP_AUTH || r == SECSIP_E_SRTP_REPLAY) &&
            src->failed < UINT8_MAX)
            src->failed++;
        ssi_wipe(packet + RTP_HEADER, *len - RTP_HEADER);
        return r;
    }
    src = ssi_srtp_find_source(s, ssrc);
    ssi_srtp_advance_source(src ? src : ssi_srtp_add_source(s, ssrc), roc, seq);
    s->stats.rtp_left--;
    s->stats.rtp_ok++;
    return 0;
}

secsip_result ssi_srtp_unprotect_rtp(struct ssi_srtp *s, uint8_t *packet, size_t *len)
{
    secsip_result r = unprotect_rtp(s, packet, len);

    if (r < 0)
        count_failure(s, r);
    return r;
}

static secsip_result unprotect_rtcp(struct ssi_srtp *s, uint8_t *packet, size_t *len)
{
    size_t trailer = rtcp_trailer(s);

    if (s->direction != SSI_SRTP_RECEIVE)
        return SECSIP_E_STATE;
    if (*len < RTCP_HEADER + trailer)
        return SECSIP_E_SRTP_SHORT;
    if (*len > PACKET_MAX || packet[0] >> 6 != 2)
        return SECSIP_E_RTP_SYNTAX;
    /* E bit, RFC 3711 3.4: UNENCRYPTED_SRTCP is not negotiated here. libsrtp2 lets it pass in its AEAD path. The index stands
     * last with AEAD (RFC 7714 9.1), before MKI and tag otherwise. */
    size_t index_at =
        *len - RTCP_INDEX - s->mki_len - (s->suite->aead ? 0 : s->suite->rtcp_tag_len);
    if (!(packet[index_at] & 0x80))
        return SECSIP_E_SRTP_AUTH;
    if (s->stats.rtcp_left == 0)
        return SECSIP_E_SRTP_KEY_EXPIRED;
    uint32_t ssrc = be32(packet + 4);
    struct ssi_srtp_source *src = ssi_srtp_find_source(s, ssrc);
    secsip_result r = src ? 0 : ssi_srtp_make_room(s);
    if (r < 0)
        return r;
    int n = (int)*len;
    r = result_of(s, srtp_unprotect_rtcp_mki(s->ctx, packet, &n, s->mki_len > 0));
    if (r < 0) {
        ssi_wipe(packet + RTCP_HEADER, *len - RTCP_HEADER);
        return r;
    }
    if (!src)
        ssi_srtp_add_source(s, ssrc);
    s->stats.rtcp_left--;
    s->stats.rtcp_ok++;
    *len = (size_t)n;
    return 0;
}

secsip_result ssi_srtp_unprotect_rtcp(struct ssi_srtp *s, uint8_t *packet, size_t *len)
{
    secsip_result r = unprotect_rtcp(s, packet, len);

    if (r < 0)
        count_failure(s, r);
    return r;
}

bool ssi_srtp_same_key(const struct ssi_srtp *a, const struct ssi_srtp *b)
{
    return a->suite == b->suite && a->direction == b->direction && ssi_key_eq(&a->key, &b->key);
}

bool ssi_srtp_is_stock(const struct ssi_srtp *s)
{
    return s->stock;
}

enum ssi_srtp_direction ssi_srtp_direction_of(const struct ssi_srtp *s)
{
    return s->direction;
}

const struct ssi_srtp_stats *ssi_srtp_stats(const struct ssi_srtp *s)
{
    return &s->stats;
}
