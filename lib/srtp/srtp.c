/* SRTP packets, see srtp.h. Layer: srtp. libsrtp2 does the protocol; here stands what it leaves out or does only in part: the
 * end of a key's life and of the packet index, MKIs that are not ours, indices that another session used. */
#include "srtp/srtp.h"

#include "base/crypto.h"
#include "srtp/priv.h"

enum {
    RTP_HEADER = 12,
    RTCP_HEADER = 8,
    RTCP_INDEX = 4, /* E bit and index, RFC 3711 3.4 */
    PACKET_MAX = 65535,
    OUTSIDE_LINES =
        12, /* GnuTLS 3.7 has its key schedule in them, behind the handle; a guess that may be wrong */
};

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

/* With thousands of sessions, a packet waits for memory longer than for its cipher. libsrtp2 finds its way from pointer to
 * pointer; what lies in our block is fetched meanwhile. */
static inline void fetch(const struct ssi_srtp *s, bool rtcp)
{
    const uint8_t *room = ssi_srtp_room(s) + (rtcp ? ssi_srtp_room_len(s) / 2 : 0);

    __builtin_prefetch(&s->few[0], 1);
    __builtin_prefetch(&s->few[0].rtcp_seen, 1);
    __builtin_prefetch(&s->first, 1);
    __builtin_prefetch(s->ctx);
    for (size_t i = 0; i < ssi_srtp_room_len(s) / 2; i += SSI_SRTP_LINE)
        __builtin_prefetch(room + i, 1);
    for (uint32_t i = 0; s->outside[rtcp] && i < OUTSIDE_LINES; i++)
        __builtin_prefetch((const uint8_t *)s->outside[rtcp] + (size_t)i * SSI_SRTP_LINE);
}

void ssi_srtp_fetch_head(const struct ssi_srtp *s)
{
    __builtin_prefetch(s, 1);
    __builtin_prefetch(&s->few[0], 1);
    __builtin_prefetch(&s->few[0].rtcp_seen, 1);
}

void ssi_srtp_fetch(const struct ssi_srtp *s)
{
    fetch(s, false);
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
    return (size_t)s->rtp_tag_len + s->mki_len;
}

static size_t rtcp_trailer(const struct ssi_srtp *s)
{
    return (size_t)s->rtcp_tag_len + s->mki_len + RTCP_INDEX;
}

/* The key that a packet was made with: its MKI stands before the tag (RFC 3711 3.1), with AEAD last (RFC 7714 8.2, 9.1).
 * NULL: it is none of ours. The packet is longer than the trailer. */
static struct ssi_srtp_live_key *key_of(struct ssi_srtp *s, const uint8_t *packet, size_t len,
                                        size_t tag_len)
{
    const uint8_t *mki = packet + len - s->mki_len - (s->suite->aead ? 0 : tag_len);

    if (s->mki_len == 0)
        return &s->keys[0];
    for (uint32_t i = 0; i < s->n_keys; i++)
        if (memcmp(mki, s->keys[i].mki, s->mki_len) == 0)
            return &s->keys[i];
    return NULL;
}

/* What must hold before libsrtp2 sees an RTP packet with its likely roll-over counter; *ret_src is NULL for a new SSRC, and set
 * with SECSIP_E_SRTP_REPLAY too. */
static secsip_result admit_rtp(struct ssi_srtp *s, const uint8_t *packet,
                               const struct ssi_srtp_live_key *key,
                               struct ssi_srtp_source **ret_src, uint32_t *ret_roc)
{
    struct ssi_srtp_source *src = ssi_srtp_find_source(s, be32(packet + 8));
    uint64_t roc = src ? ssi_srtp_guess_roc(src, be16(packet + 2)) : 0;

    if (key->rtp_left == 0)
        return SECSIP_E_SRTP_KEY_EXPIRED;
    secsip_result r = src ? 0 : ssi_srtp_make_room(s);
    if (r < 0)
        return r;
    /* RFC 3711 3.3.1: no packet index past 2^48 - 1; libsrtp2 would begin again at 0, and use a key stream twice. */
    if (roc > UINT32_MAX)
        return SECSIP_E_SRTP_KEY_EXPIRED;
    *ret_src = src;
    *ret_roc = (uint32_t)roc;
    if (src && ssi_srtp_taken(roc << 16 | be16(packet + 2), src->floor, src->taken))
        return s->direction == SSI_SRTP_SEND ? SECSIP_E_SRTP_REUSE : SECSIP_E_SRTP_REPLAY;
    if (src && src->horizon > 0 && (roc << 16 | be16(packet + 2)) + 1 >= src->horizon)
        return SECSIP_E_STATE;
    if (src && src->pending)
        (void)srtp_set_stream_roc(ssi_srtp_ctx(s, src), src->ssrc, (uint32_t)roc);
    return 0;
}

static void count_failure(struct ssi_srtp *s, struct ssi_srtp_source *src, secsip_result r)
{
    if (r == SECSIP_E_SRTP_AUTH)
        s->failures.auth_failed++;
    else if (r == SECSIP_E_SRTP_REPLAY)
        s->failures.replayed++;
    else if (r == SECSIP_E_SRTP_SHORT)
        s->failures.too_short++;
    else if (r == SECSIP_E_SRTP_KEY_EXPIRED)
        s->failures.key_expired++;
    else
        s->failures.refused++;
    if (src && r == SECSIP_E_SRTP_AUTH)
        src->auth_failed++;
    if (src && r == SECSIP_E_SRTP_REPLAY)
        src->replayed++;
}

/* A failed protect leaves nothing behind that could be sent by mistake. */
static secsip_result refuse_to_send(struct ssi_srtp *s, uint8_t *packet, size_t len, size_t cap,
                                    secsip_result r)
{
    size_t touched = len + SSI_SRTP_TRAILER_MAX;

    ssi_wipe(packet, touched < cap ? touched : cap);
    count_failure(s, NULL, r);
    return r;
}

static secsip_result protect_rtp(struct ssi_srtp *s, uint8_t *packet, size_t *len, size_t cap)
{
    struct ssi_srtp_source *src;
    uint32_t roc;

    fetch(s, false);
    if (s->direction != SSI_SRTP_SEND)
        return SECSIP_E_STATE;
    if (*len > PACKET_MAX || rtp_header_len(packet, *len) == 0)
        return SECSIP_E_RTP_SYNTAX;
    if (cap < *len || cap - *len < rtp_trailer(s))
        return SECSIP_E_LIMIT;
    struct ssi_srtp_live_key *key = &s->keys[s->use];
    secsip_result r = admit_rtp(s, packet, key, &src, &roc);
    if (r < 0)
        return r;
    int n = (int)*len;
    uint32_t ssrc = be32(packet + 8);
    uint16_t seq = be16(packet + 2);
    srtp_t ctx = src ? ssi_srtp_ctx(s, src) : ssi_srtp_ctx_for_new(s);
    r = result_of(s, srtp_protect_mki(ctx, packet, &n, s->mki_len > 0, s->use));
    if (r < 0)
        return r;
    src = src ? src : ssi_srtp_add_source(s, ssrc);
    ssi_srtp_advance_source(s, src, roc, seq);
    src->rtp_ok++;
    ssi_srtp_spend(key, &key->rtp_left);
    s->rtp_ok++;
    *len = (size_t)n;
    return 0;
}

secsip_result ssi_srtp_protect_rtp(struct ssi_srtp *s, uint8_t *packet, size_t *len, size_t cap)
{
    secsip_result r = protect_rtp(s, packet, len, cap);

    return r < 0 ? refuse_to_send(s, packet, *len, cap, r) : 0;
}

/* The index stands last with AEAD (RFC 7714 9.1) but for the MKI, before MKI and tag otherwise. */
static uint32_t rtcp_index(const struct ssi_srtp *s, const uint8_t *packet, size_t len)
{
    return be32(packet + len - RTCP_INDEX - s->mki_len - (s->suite->aead ? 0 : s->rtcp_tag_len));
}

#define E_BIT 0x80000000U

static secsip_result protect_rtcp(struct ssi_srtp *s, uint8_t *packet, size_t *len, size_t cap)
{
    fetch(s, true);
    if (s->direction != SSI_SRTP_SEND)
        return SECSIP_E_STATE;
    if (*len < RTCP_HEADER || *len > PACKET_MAX || *len % 4 != 0 || packet[0] >> 6 != 2)
        return SECSIP_E_RTP_SYNTAX;
    if (cap < *len || cap - *len < rtcp_trailer(s))
        return SECSIP_E_LIMIT;
    struct ssi_srtp_live_key *key = &s->keys[s->use];
    if (key->rtcp_left == 0)
        return SECSIP_E_SRTP_KEY_EXPIRED;
    uint32_t ssrc = be32(packet + 4);
    struct ssi_srtp_source *src = ssi_srtp_find_source(s, ssrc);
    if (src && src->rtcp_horizon > 0 && src->rtcp_index + 1 >= src->rtcp_horizon)
        return SECSIP_E_STATE;
    secsip_result r = src ? 0 : ssi_srtp_make_room(s);
    if (r < 0)
        return r;
    int n = (int)*len;
    srtp_t ctx = src ? ssi_srtp_ctx(s, src) : ssi_srtp_ctx_for_new(s);
    r = result_of(s, srtp_protect_rtcp_mki(ctx, packet, &n, s->mki_len > 0, s->use));
    if (r < 0)
        return r;
    src = src ? src : ssi_srtp_add_source(s, ssrc);
    uint32_t index = rtcp_index(s, packet, (size_t)n) & ~E_BIT;
    /* libsrtp2 counts; that it never counts back, nor over what this key did before, is seen to here. */
    if (index <= src->rtcp_index || index < src->rtcp_floor)
        return SECSIP_E_SRTP_REUSE;
    ssi_srtp_advance_rtcp(src, index);
    src->rtcp_ok++;
    ssi_srtp_spend(key, &key->rtcp_left);
    s->rtcp_ok++;
    *len = (size_t)n;
    return 0;
}

secsip_result ssi_srtp_protect_rtcp(struct ssi_srtp *s, uint8_t *packet, size_t *len, size_t cap)
{
    secsip_result r = protect_rtcp(s, packet, len, cap);

    return r < 0 ? refuse_to_send(s, packet, *len, cap, r) : 0;
}

secsip_result ssi_srtp_try_rtp(struct ssi_srtp *s, srtp_t ctx, uint8_t *packet, size_t *len)
{
    int n = (int)*len;
    secsip_result r = result_of(s, srtp_unprotect_mki(ctx, packet, &n, s->mki_len > 0));

    if (r == 0)
        *len = (size_t)n;
    return r;
}

/* The likely roll-over counter first, unless admit_rtp has refused that as `r` says, then the others that may be tried. */
static secsip_result open_rtp(struct ssi_srtp *s, struct ssi_srtp_source *src, uint8_t *packet,
                              size_t *len, uint32_t *roc, secsip_result r)
{
    uint8_t copy[SSI_SRTP_PROBE_MAX];
    bool probe = ssi_srtp_may_probe(s, src) && *len <= sizeof copy;
    srtp_t ctx = src ? ssi_srtp_ctx(s, src) : ssi_srtp_ctx_for_new(s);

    if (probe)
        memcpy(copy, packet, *len);
    if (r == 0)
        r = ssi_srtp_try_rtp(s, ctx, packet, len);
    /* Behind a roll-over that was missed, packets look forged, or older than the replay list. */
    if (probe && (r == SECSIP_E_SRTP_AUTH || r == SECSIP_E_SRTP_REPLAY) &&
        ssi_srtp_probe(s, src, packet, len, copy, roc) == 0)
        r = 0;
    return r;
}

/* *ret_src, for the count of failures, is the source if it is known. */
static secsip_result unprotect_rtp(struct ssi_srtp *s, uint8_t *packet, size_t *len,
                                   struct ssi_srtp_source **ret_src)
{
    struct ssi_srtp_source *src = NULL;
    uint32_t roc = 0;

    fetch(s, false);
    if (s->direction != SSI_SRTP_RECEIVE)
        return SECSIP_E_STATE;
    if (*len < RTP_HEADER + rtp_trailer(s))
        return SECSIP_E_SRTP_SHORT;
    if (*len > PACKET_MAX || rtp_header_len(packet, *len - rtp_trailer(s)) == 0)
        return SECSIP_E_RTP_SYNTAX;
    struct ssi_srtp_live_key *key = key_of(s, packet, *len, s->rtp_tag_len);
    if (!key)
        return SECSIP_E_SRTP_MKI;
    uint32_t ssrc = be32(packet + 8);
    uint16_t seq = be16(packet + 2);
    secsip_result r = admit_rtp(s, packet, key, &src, &roc);
    if (r == 0 || r == SECSIP_E_SRTP_REPLAY)
        r = open_rtp(s, src, packet, len, &roc, r);
    if (r < 0) {
        src = ssi_srtp_find_source(s, ssrc);
        if (src && (r == SECSIP_E_SRTP_AUTH || r == SECSIP_E_SRTP_REPLAY) &&
            src->failed < UINT8_MAX)
            src->failed++;
        *ret_src = src;
        ssi_wipe(packet + RTP_HEADER, *len - RTP_HEADER);
        return r;
    }
    src = ssi_srtp_find_source(s, ssrc);
    src = src ? src : ssi_srtp_add_source(s, ssrc);
    ssi_srtp_advance_source(s, src, roc, seq);
    src->rtp_ok++;
    ssi_srtp_spend(key, &key->rtp_left);
    s->rtp_ok++;
    return 0;
}

secsip_result ssi_srtp_unprotect_rtp(struct ssi_srtp *s, uint8_t *packet, size_t *len)
{
    struct ssi_srtp_source *src = NULL;
    secsip_result r = unprotect_rtp(s, packet, len, &src);

    if (r < 0)
        count_failure(s, src, r);
    return r;
}

/* What must hold before libsrtp2 sees an SRTCP packet that is long enough. */
static secsip_result admit_rtcp(struct ssi_srtp *s, const uint8_t *packet, size_t len,
                                const struct ssi_srtp_live_key *key,
                                const struct ssi_srtp_source *src)
{
    uint32_t index = rtcp_index(s, packet, len);

    if (!key)
        return SECSIP_E_SRTP_MKI;
    /* E bit, RFC 3711 3.4: encrypted or not as it was negotiated. libsrtp2 lets it pass in its AEAD path. */
    if (!(index & E_BIT) != s->clear_rtcp)
        return SECSIP_E_SRTP_AUTH;
    if (key->rtcp_left == 0)
        return SECSIP_E_SRTP_KEY_EXPIRED;
    if (src && ssi_srtp_taken(index & ~E_BIT, src->rtcp_floor, src->rtcp_taken))
        return SECSIP_E_SRTP_REPLAY;
    return src ? 0 : ssi_srtp_make_room(s);
}

static secsip_result unprotect_rtcp(struct ssi_srtp *s, uint8_t *packet, size_t *len,
                                    struct ssi_srtp_source **ret_src)
{
    fetch(s, true);
    if (s->direction != SSI_SRTP_RECEIVE)
        return SECSIP_E_STATE;
    if (*len < RTCP_HEADER + rtcp_trailer(s))
        return SECSIP_E_SRTP_SHORT;
    if (*len > PACKET_MAX || packet[0] >> 6 != 2)
        return SECSIP_E_RTP_SYNTAX;
    uint32_t ssrc = be32(packet + 4), index = rtcp_index(s, packet, *len) & ~E_BIT;
    struct ssi_srtp_live_key *key = key_of(s, packet, *len, s->rtcp_tag_len);
    struct ssi_srtp_source *src = *ret_src = ssi_srtp_find_source(s, ssrc);
    secsip_result r = admit_rtcp(s, packet, *len, key, src);
    if (r < 0)
        return r;
    int n = (int)*len;
    srtp_t ctx = s->rtcp_ctx ? s->rtcp_ctx : src ? ssi_srtp_ctx(s, src) : ssi_srtp_ctx_for_new(s);
    r = result_of(s, srtp_unprotect_rtcp_mki(ctx, packet, &n, s->mki_len > 0));
    if (r < 0) {
        ssi_wipe(packet + RTCP_HEADER, *len - RTCP_HEADER);
        return r;
    }
    src = src ? src : ssi_srtp_add_source(s, ssrc);
    ssi_srtp_advance_rtcp(src, index);
    src->rtcp_ok++;
    ssi_srtp_spend(key, &key->rtcp_left);
    s->rtcp_ok++;
    *len = (size_t)n;
    return 0;
}

secsip_result ssi_srtp_unprotect_rtcp(struct ssi_srtp *s, uint8_t *packet, size_t *len)
{
    struct ssi_srtp_source *src = NULL;
    secsip_result r = unprotect_rtcp(s, packet, len, &src);

    if (r < 0)
        count_failure(s, src, r);
    return r;
}
