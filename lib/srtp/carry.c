/* The state of a session as bytes, for who takes over a conversation (see ssi_srtp_export). Layer: srtp. The bytes hold the
 * master keys: the buffer is a secret one.
 *
 *     "secsip-srtp" version(1) direction(1) suite(1) flags(1)
 *     window(4) join_roc(4) max_ssrcs(4)
 *     n_extensions(1) ids, mki_len(1) n_keys(1) use(1)
 *     n_keys times: key_len(1) key mki rtp_left(8) rtcp_left(8) rtp_soft(8) rtcp_soft(8)
 *     n_sources(4), each: ssrc(4) counter(1) index(8) floor(8) taken(8) rtcp_index(4) rtcp_floor(4) rtcp_taken(8)
 *     the keys of before (line.c)
 *     SHA-256 of all before it(32)
 *
 * Numbers are in network order. What is written of a source is what the next owner starts from: for a sender all indices up to
 * the promised ones count as taken. */
#include <string.h>

#include <nettle/sha2.h>

#include "base/crypto.h"
#include "base/cursor.h"
#include "srtp/carry.h"
#include "srtp/line.h"

enum {
    VERSION = 2,
    FLAG_CLEAR_RTP = 1 << 0,
    FLAG_CLEAR_RTCP = 1 << 1,
    FLAG_NO_AUTH_RTP = 1 << 2,
    FLAG_STOCK = 1 << 3,
    FLAG_CLOSED =
        1
        << 4, /* a sender that may still be sending elsewhere: no SSRCs but those that are known */
    FLAGS_KNOWN = FLAG_CLOSED * 2 - 1,
    STATE_MAX = 16 << 20,
    RTCP_WINDOW = 128, /* of libsrtp2, which counts its next index from the start of it */
};

/* What is known of the roll-over counter of an SSRC. */
enum counter {
    UNKNOWN, /* only its RTCP was seen */
    STARTED,
    TOLD, /* by ssi_srtp_set_roc */
};

#define RTCP_INDEX_MAX 0x7fffffffU
#define RTP_INDEX_MAX  (((uint64_t)1 << 48) - 1)

static const struct ssi_slice magic = {"secsip-srtp", 11};

/* ---- Writing */

void ssi_srtp_put(struct ssi_buf *b, uint64_t v, size_t bytes)
{
    uint8_t p[8];

    for (size_t i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> (8 * (bytes - 1 - i)));
    ssi_buf_put(b, p, bytes);
}

static uint64_t index_of(const struct ssi_srtp_source *src)
{
    return (uint64_t)src->roc << 16 | src->seq;
}

static void put_keys(struct ssi_buf *b, const struct ssi_srtp *s, uint64_t spent)
{
    ssi_srtp_put(b, s->mki_len, 1);
    ssi_srtp_put(b, s->n_keys, 1);
    ssi_srtp_put(b, s->use, 1);
    for (uint32_t i = 0; i < s->n_keys; i++) {
        const struct ssi_srtp_live_key *k = &s->keys[i];
        bool used_up = k->rtp_left <= spent || k->rtcp_left <= spent;
        ssi_srtp_put(b, k->key.len, 1);
        ssi_buf_put(b, k->key.bytes, k->key.len);
        ssi_buf_put(b, k->mki, s->mki_len);
        ssi_srtp_put(b, used_up ? 0 : k->rtp_left - spent, 8);
        ssi_srtp_put(b, used_up ? 0 : k->rtcp_left - spent, 8);
        ssi_srtp_put(b, k->rtp_soft, 8);
        ssi_srtp_put(b, k->rtcp_soft, 8);
    }
}

static void put_sender(struct ssi_buf *b, const struct ssi_srtp_source *src, uint32_t promised)
{
    uint64_t rtcp_index = (uint64_t)src->rtcp_index + promised;

    ssi_srtp_put(b, ssi_srtp_next_index(src) + (src->started ? promised : 0), 8);
    ssi_srtp_put(b, UINT64_MAX, 8);
    ssi_srtp_put(b, rtcp_index < RTCP_INDEX_MAX ? rtcp_index : RTCP_INDEX_MAX, 4);
    ssi_srtp_put(b, 0, 4);
    ssi_srtp_put(b, 0, 8);
}

static void put_receiver(struct ssi_buf *b, const struct ssi_srtp *s,
                         const struct ssi_srtp_source *src)
{
    struct ssi_srtp_mark m = ssi_srtp_mark_of(s, src);

    ssi_srtp_put(b, m.floor, 8);
    ssi_srtp_put(b, m.taken, 8);
    ssi_srtp_put(b, src->rtcp_index, 4);
    ssi_srtp_put(b, m.rtcp_floor, 4);
    ssi_srtp_put(b, m.rtcp_taken, 8);
}

static void put_sources(struct ssi_buf *b, const struct ssi_srtp *s, uint32_t promised)
{
    ssi_srtp_put(b, s->n_sources, 4);
    for (uint32_t i = 0; i < s->n_sources; i++) {
        const struct ssi_srtp_source *src = &s->sources[i];
        ssi_srtp_put(b, src->ssrc, 4);
        ssi_srtp_put(b, src->started ? STARTED : src->pending ? TOLD : UNKNOWN, 1);
        ssi_srtp_put(b, index_of(src), 8);
        if (s->direction == SSI_SRTP_SEND)
            put_sender(b, src, promised);
        else
            put_receiver(b, s, src);
    }
}

static void digest(const void *p, size_t n, uint8_t out[SHA256_DIGEST_SIZE])
{
    struct sha256_ctx c;

    sha256_init(&c);
    sha256_update(&c, n, p);
    sha256_digest(&c, SHA256_DIGEST_SIZE, out);
    ssi_wipe(&c, sizeof c);
}

/* From here on the exporter keeps to what it promised. */
static void promise(struct ssi_srtp *s, uint32_t promised)
{
    for (uint32_t i = 0; i < s->n_sources; i++) {
        struct ssi_srtp_source *src = &s->sources[i];
        src->horizon = 1 + ssi_srtp_next_index(src) + (src->started ? promised : 0);
        src->rtcp_horizon = src->rtcp_index + 1 + promised;
    }
    s->closed = true; /* another SSRC would be nobody's promise */
    ssi_srtp_line_promise(s, promised);
    if (promised > 0)
        return;
    for (uint32_t i = 0; i < s->n_keys; i++)
        s->keys[i].rtp_left = s->keys[i].rtcp_left = 0;
}

secsip_result ssi_srtp_export(struct ssi_srtp *s, uint32_t promised, struct ssi_buf *b)
{
    uint8_t sum[SHA256_DIGEST_SIZE];
    bool sender = s->direction == SSI_SRTP_SEND;

    if (promised > SSI_SRTP_PROMISE_MAX || (promised > 0 && !sender))
        return SECSIP_E_INVALID;
    if (!s->ctx)
        return SECSIP_E_STATE;
    ssi_buf_init_secret(b, STATE_MAX);
    ssi_buf_put_slice(b, magic);
    ssi_srtp_put(b, VERSION, 1);
    ssi_srtp_put(b, s->direction, 1);
    ssi_srtp_put(b, ssi_srtp_suite_of(ssi_slice_str(s->suite->name)), 1);
    ssi_srtp_put(b,
                 (s->clear_rtp ? FLAG_CLEAR_RTP : 0U) | (s->clear_rtcp ? FLAG_CLEAR_RTCP : 0U) |
                     (s->no_auth_rtp ? FLAG_NO_AUTH_RTP : 0U) | (s->stock ? FLAG_STOCK : 0U) |
                     (promised > 0 ? FLAG_CLOSED : 0U),
                 1);
    ssi_srtp_put(b, s->window, 4);
    ssi_srtp_put(b, s->join_roc, 4);
    ssi_srtp_put(b, s->max_sources, 4);
    ssi_srtp_put(b, s->n_extensions, 1);
    for (uint32_t i = 0; i < s->n_extensions; i++)
        ssi_srtp_put(b, (uint64_t)s->extensions[i], 1);
    put_keys(b, s, (uint64_t)promised * s->n_sources);
    put_sources(b, s, promised);
    ssi_srtp_line_write(s, promised > 0, (uint64_t)promised * s->n_sources, b);
    struct ssi_slice body = ssi_buf_slice(b);
    digest(body.p, body.len, sum);
    ssi_buf_put(b, sum, sizeof sum);
    secsip_result r = b->failed;
    if (r < 0)
        ssi_buf_free(b);
    else if (sender)
        promise(s, promised);
    return r;
}

/* ---- Reading */

struct state {
    struct ssi_srtp_config config;
    struct ssi_srtp_more_key more[SSI_SRTP_KEYS_MAX];
    struct {
        uint64_t rtp_left, rtcp_left, rtp_soft, rtcp_soft;
    } lives[SSI_SRTP_KEYS_MAX];
    uint8_t extensions[UINT8_MAX];
    uint8_t use;
    bool closed;
    uint32_t n_sources;
    struct ssi_cursor sources;
};

bool ssi_srtp_get(struct ssi_cursor *c, size_t bytes, uint64_t *ret)
{
    uint8_t b;

    *ret = 0;
    for (size_t i = 0; i < bytes; i++) {
        if (!ssi_cursor_take_u8(c, &b))
            return false;
        *ret = *ret << 8 | b;
    }
    return true;
}

static bool get_u32(struct ssi_cursor *c, uint32_t *ret)
{
    return ssi_cursor_take_be32(c, ret);
}

static bool get_head(struct ssi_cursor *c, struct state *t)
{
    uint8_t direction, suite, flags, n_extensions;
    struct ssi_slice ids;
    struct ssi_srtp_config *g = &t->config;

    if (!ssi_cursor_take_u8(c, &direction) || !ssi_cursor_take_u8(c, &suite) ||
        !ssi_cursor_take_u8(c, &flags) || flags > FLAGS_KNOWN || !get_u32(c, &g->replay_window) ||
        !get_u32(c, &g->join_roc) || !get_u32(c, &g->max_ssrcs) ||
        !ssi_cursor_take_u8(c, &n_extensions) || !ssi_cursor_take_bytes(c, n_extensions, &ids))
        return false;
    g->direction = (enum ssi_srtp_direction)direction;
    g->suite = (enum ssi_srtp_suite)suite;
    g->insecure_unencrypted_rtp = flags & FLAG_CLEAR_RTP;
    g->insecure_unencrypted_rtcp = flags & FLAG_CLEAR_RTCP;
    g->insecure_unauthenticated_rtp = flags & FLAG_NO_AUTH_RTP;
    g->stock = flags & FLAG_STOCK;
    t->closed = flags & FLAG_CLOSED;
    memcpy(t->extensions, ids.p, n_extensions);
    g->encrypted_extensions = t->extensions;
    g->n_encrypted_extensions = n_extensions;
    return true;
}

static bool get_key(struct ssi_cursor *c, size_t mki_len, struct ssi_key *key, uint8_t *ret_mki)
{
    struct ssi_slice bytes, mki;
    uint8_t len;

    if (!ssi_cursor_take_u8(c, &len) || len > sizeof key->bytes ||
        !ssi_cursor_take_bytes(c, len, &bytes) || !ssi_cursor_take_bytes(c, mki_len, &mki))
        return false;
    memcpy(key->bytes, bytes.p, len);
    key->len = len;
    memcpy(ret_mki, mki.p, mki_len);
    return true;
}

static bool get_keys(struct ssi_cursor *c, struct state *t)
{
    struct ssi_srtp_config *g = &t->config;
    uint8_t mki_len, n_keys;

    if (!ssi_cursor_take_u8(c, &mki_len) || mki_len > SSI_SRTP_MKI_MAX ||
        !ssi_cursor_take_u8(c, &n_keys) || n_keys == 0 || n_keys > SSI_SRTP_KEYS_MAX ||
        !ssi_cursor_take_u8(c, &t->use) || t->use >= n_keys)
        return false;
    g->mki_len = mki_len;
    g->n_more = n_keys - 1U;
    g->more = t->more;
    for (uint32_t i = 0; i < n_keys; i++) {
        if (!get_key(c, mki_len, i ? &t->more[i - 1].key : &g->key,
                     i ? t->more[i - 1].mki : g->mki))
            return false;
        if (i > 0)
            t->more[i - 1].mki_len = mki_len;
        if (!ssi_srtp_get(c, 8, &t->lives[i].rtp_left) ||
            !ssi_srtp_get(c, 8, &t->lives[i].rtcp_left) ||
            !ssi_srtp_get(c, 8, &t->lives[i].rtp_soft) ||
            !ssi_srtp_get(c, 8, &t->lives[i].rtcp_soft))
            return false;
    }
    return true;
}

static bool checked(struct ssi_slice bytes)
{
    uint8_t sum[SHA256_DIGEST_SIZE];

    if (bytes.len < magic.len + sizeof sum)
        return false;
    digest(bytes.p, bytes.len - sizeof sum, sum);
    return ssi_equal_ct(sum, bytes.p + bytes.len - sizeof sum, sizeof sum);
}

/* ---- Setting up */

/* libsrtp2 has no call to set the SRTCP index of a sender, but it keeps the index when an SSRC gets new keys: the SSRC is made
 * without any protection, shown a packet of the right index, which never came from anywhere, and then given its keys. */
static secsip_result set_rtcp_index(struct ssi_srtp *s, srtp_t ctx, uint32_t ssrc, uint32_t last)
{
    uint32_t shown = last < RTCP_INDEX_MAX - RTCP_WINDOW ? last + RTCP_WINDOW - 1 : RTCP_INDEX_MAX;
    uint8_t packet[12] = {0x80, 201, 0, 1};
    struct ssi_srtp_keyed_policy k;
    int len = sizeof packet;

    ssi_srtp_fill_policy(s, &k, ssrc_specific, ssrc);
    k.policy.enc_xtn_hdr_count = 0;
    srtp_crypto_policy_set_null_cipher_hmac_null(&k.policy.rtp);
    srtp_crypto_policy_set_null_cipher_hmac_null(&k.policy.rtcp);
    if (srtp_add_stream(ctx, &k.policy) != srtp_err_status_ok)
        return SECSIP_E_SRTP_LIBRARY;
    for (int i = 0; i < 4; i++) {
        packet[4 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
        packet[8 + i] = (uint8_t)(shown >> (24 - 8 * i));
    }
    /* With an MKI libsrtp2 would look for one here too, and find none; without keys it needs none. */
    if (srtp_unprotect_rtcp_mki(ctx, packet, &len, 0) != srtp_err_status_ok)
        return SECSIP_E_SRTP_LIBRARY;
    ssi_srtp_fill_policy(s, &k, ssrc_specific, ssrc);
    return ssi_srtp_engine_update(ctx, ssi_srtp_form_of(s), s->stock, &k.policy, NULL);
}

secsip_result ssi_srtp_add_at(struct ssi_srtp *s, uint32_t ssrc, uint32_t rtcp_index,
                              struct ssi_srtp_source **ret)
{
    if (s->direction == SSI_SRTP_RECEIVE || rtcp_index == 0)
        return ssi_srtp_add_prepared(s, ssrc, ret);
    secsip_result r = ssi_srtp_make_room(s);
    if (r == 0)
        r = set_rtcp_index(s, ssi_srtp_ctx_for_new(s), ssrc, rtcp_index);
    if (r < 0)
        return r;
    *ret = ssi_srtp_add_source(s, ssrc);
    (*ret)->pending = (*ret)->prepared = true;
    return 0;
}

static secsip_result take_source(struct ssi_srtp *s, struct ssi_cursor *c)
{
    uint64_t index, floor, taken, rtcp_taken;
    uint32_t ssrc, rtcp_index, rtcp_floor;
    struct ssi_srtp_source *src;
    uint8_t counter;

    if (!get_u32(c, &ssrc) || !ssi_cursor_take_u8(c, &counter) || counter > TOLD ||
        !ssi_srtp_get(c, 8, &index) || !ssi_srtp_get(c, 8, &floor) || !ssi_srtp_get(c, 8, &taken) ||
        !get_u32(c, &rtcp_index) || !get_u32(c, &rtcp_floor) || !ssi_srtp_get(c, 8, &rtcp_taken) ||
        index > RTP_INDEX_MAX || rtcp_index > RTCP_INDEX_MAX || ssi_srtp_find_source(s, ssrc))
        return SECSIP_E_SRTP_STATE;
    secsip_result r = ssi_srtp_add_at(s, ssrc, rtcp_index, &src);
    if (r < 0)
        return r;
    src->roc = (uint32_t)(index >> 16);
    src->seq = (uint16_t)index;
    src->started = counter == STARTED;
    src->pending = counter != UNKNOWN;
    src->floor = floor;
    src->taken = taken;
    src->rtcp_index = rtcp_index;
    src->rtcp_floor = rtcp_floor;
    src->rtcp_taken = rtcp_taken;
    if (s->direction == SSI_SRTP_RECEIVE && floor > 0)
        src->hint = floor - 1;
    return 0;
}

static secsip_result build(const struct state *t, struct ssi_srtp **ret)
{
    struct ssi_cursor c = t->sources;
    struct ssi_srtp *s;
    secsip_result r = ssi_srtp_new(&t->config, &s);

    if (r < 0)
        return r;
    s->use = t->use;
    for (uint32_t i = 0; i < s->n_keys; i++) {
        bool used_up = t->lives[i].rtp_left == 0 || t->lives[i].rtcp_left == 0;
        s->keys[i].rtp_left = used_up ? 0 : t->lives[i].rtp_left;
        s->keys[i].rtcp_left = used_up ? 0 : t->lives[i].rtcp_left;
        s->keys[i].rtp_soft = t->lives[i].rtp_soft;
        s->keys[i].rtcp_soft = t->lives[i].rtcp_soft;
    }
    for (uint32_t i = 0; i < t->n_sources && r == 0; i++)
        r = take_source(s, &c);
    if (r == 0)
        r = ssi_srtp_line_read(s, &c);
    if (r == 0 && !ssi_cursor_at_end(&c))
        r = SECSIP_E_SRTP_STATE;
    if (r < 0) {
        ssi_srtp_free(s);
        return r;
    }
    s->closed = t->closed;
    *ret = s;
    return 0;
}

secsip_result ssi_srtp_import(struct ssi_slice bytes, struct ssi_srtp **ret)
{
    struct ssi_cursor c;
    struct state t = {0};
    uint8_t version;
    secsip_result r = SECSIP_E_SRTP_STATE;

    if (!checked(bytes))
        return SECSIP_E_SRTP_STATE;
    c = ssi_cursor_of(ssi_slice_of(bytes.p, bytes.len - SHA256_DIGEST_SIZE));
    if (!ssi_cursor_take_lit(&c, magic) || !ssi_cursor_take_u8(&c, &version))
        return SECSIP_E_SRTP_STATE;
    if (version != VERSION)
        return SECSIP_E_UNSUPPORTED;
    if (get_head(&c, &t) && get_keys(&c, &t) && get_u32(&c, &t.n_sources)) {
        t.sources = c;
        r = build(&t, ret);
    }
    ssi_wipe(&t, sizeof t);
    return r;
}
