/* How SRTP sessions are made, what keys they hold and how long these live; see srtp.h. Layer: srtp. A session owns its
 * sessions of libsrtp2 and copies of its master keys. Counted here, because libsrtp2 leaves it out or does it only in part:
 * the life of each key for SRTP and SRTCP, the number of SSRCs. */
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "srtp/line.h"
#include "srtp/srtp.h"

enum {
    JOIN_ROC_MAX = 64,
    WINDOW_DEFAULT = 128,
    WINDOW_MIN = 64, /* RFC 3711 3.3.2 */
    WINDOW_MAX = 32768,
    WINDOW_LIBRARY = 32767, /* the most that libsrtp2 takes, and rounds up to 32768 */
    SOFT_PART = 8,          /* a new key is due when this part of a life is left, */
    SOFT_MAX = 1 << 20,     /* or so many packets */
    EXTENSION_MAX = 255,
};

#define SRTP_LIFETIME_MAX ((uint64_t)1 << 48)
/* 2^31 (RFC 3711 9.2), but libsrtp2 starts with index 1, and there is no index 2^31. */
#define SRTCP_LIFETIME_MAX (((uint64_t)1 << 31) - 1)

/* ---- Configurations */

static bool form_valid(const struct ssi_srtp_config *c, const struct ssi_srtp_suite_info *suite)
{
    /* Neither encrypted nor authenticated is clear RTP. AEAD cannot leave out one half of itself, but for the encryption of
     * SRTCP (RFC 7714 9.3). */
    if (c->insecure_unencrypted_rtp && c->insecure_unauthenticated_rtp)
        return false;
    return !suite->aead || (!c->insecure_unencrypted_rtp && !c->insecure_unauthenticated_rtp);
}

static bool extensions_valid(const struct ssi_srtp_config *c)
{
    for (size_t i = 0; i < c->n_encrypted_extensions; i++)
        if (c->encrypted_extensions[i] == 0)
            return false;
    return c->n_encrypted_extensions <= EXTENSION_MAX &&
           (c->n_encrypted_extensions == 0 || !c->insecure_unencrypted_rtp);
}

/* Several keys are told apart by MKIs of one length (RFC 3711 3.1, RFC 4568 6.1), and each is a key of its own. */
static bool more_keys_valid(const struct ssi_srtp_config *c, size_t key_len)
{
    if (c->n_more > 0 && c->mki_len == 0)
        return false;
    for (size_t i = 0; i < c->n_more; i++) {
        const struct ssi_srtp_more_key *k = &c->more[i];
        if (k->key.len != key_len || k->mki_len != c->mki_len ||
            memcmp(k->mki, c->mki, c->mki_len) == 0 || ssi_key_eq(&k->key, &c->key))
            return false;
        for (size_t j = 0; j < i; j++)
            if (memcmp(k->mki, c->more[j].mki, c->mki_len) == 0 ||
                ssi_key_eq(&k->key, &c->more[j].key))
                return false;
    }
    return c->n_more < SSI_SRTP_KEYS_MAX;
}

static bool config_valid(const struct ssi_srtp_config *c, const struct ssi_srtp_suite_info *suite)
{
    return c->key.len == suite->key_len && c->mki_len <= sizeof c->mki &&
           c->join_roc <= JOIN_ROC_MAX && c->max_ssrcs <= SSI_SRTP_SSRC_MAX &&
           (c->direction == SSI_SRTP_SEND || c->direction == SSI_SRTP_RECEIVE) &&
           (c->replay_window == 0 ||
            (c->replay_window >= WINDOW_MIN && c->replay_window <= WINDOW_MAX)) &&
           form_valid(c, suite) && extensions_valid(c) && more_keys_valid(c, suite->key_len);
}

/* ---- Making */

static uint64_t soft_limit(const struct ssi_srtp_config *c, uint64_t lifetime)
{
    uint64_t soft = lifetime / SOFT_PART;

    if (c->soft_limit > 0)
        return c->soft_limit;
    return soft < SOFT_MAX ? soft : SOFT_MAX;
}

static void fill_key(struct ssi_srtp *s, const struct ssi_srtp_config *c, uint32_t i,
                     const struct ssi_key *key, const uint8_t *mki, uint64_t lifetime)
{
    struct ssi_srtp_live_key *k = &s->keys[i];

    if (lifetime == 0 || lifetime > SRTP_LIFETIME_MAX)
        lifetime = SRTP_LIFETIME_MAX;
    k->rtp_left = lifetime;
    k->rtcp_left = lifetime < SRTCP_LIFETIME_MAX ? lifetime : SRTCP_LIFETIME_MAX;
    k->rtp_soft = soft_limit(c, k->rtp_left);
    k->rtcp_soft = soft_limit(c, k->rtcp_left);
    k->key = *key;
    memcpy(k->mki, mki, s->mki_len);
}

/* The block of a session, laid out: itself, room for ciphers, further keys, MKIs, extensions. */
static struct ssi_srtp *allocate(const struct ssi_srtp_config *c,
                                 const struct ssi_srtp_suite_info *suite)
{
    size_t n_keys = 1 + c->n_more;
    size_t room = c->stock ? 0 : ssi_srtp_engine_room(suite);
    size_t room_at = ssi_srtp_room_at(suite);
    size_t keys_at = room_at + room;
    size_t extensions_at = keys_at + (n_keys > 1 ? n_keys * sizeof(struct ssi_srtp_live_key) : 0);
    size_t mkis_at = extensions_at + c->n_encrypted_extensions * sizeof(int);
    size_t size = mkis_at + n_keys * c->mki_len;

    size = (size + SSI_SRTP_LINE - 1) / SSI_SRTP_LINE * SSI_SRTP_LINE;
    struct ssi_srtp *s = aligned_alloc(SSI_SRTP_LINE, size);
    if (!s)
        return NULL;
    memset(s, 0, size);
    s->size = (uint32_t)size;
    s->suite = suite;
    s->room_units = (uint8_t)(room / SSI_SRTP_ROOM_UNIT);
    s->n_keys = (uint8_t)n_keys;
    s->keys = n_keys == 1 ? &s->first : (struct ssi_srtp_live_key *)((uint8_t *)s + keys_at);
    s->extensions = (int *)((uint8_t *)s + extensions_at);
    for (size_t i = 0; i < n_keys; i++)
        s->keys[i].mki = (uint8_t *)s + mkis_at + i * c->mki_len;
    return s;
}

static void fill(struct ssi_srtp *s, const struct ssi_srtp_config *c,
                 const struct ssi_srtp_suite_info *suite)
{
    s->direction = c->direction;
    s->mki_len = (uint8_t)c->mki_len;
    s->sources = s->few;
    s->cap_sources = SSI_SRTP_SSRC_FEW;
    s->max_sources = c->max_ssrcs ? c->max_ssrcs : SSI_SRTP_SSRC_DEFAULT;
    s->stock = c->stock;
    s->join_roc = (uint8_t)c->join_roc;
    s->clear_rtp = c->insecure_unencrypted_rtp;
    s->clear_rtcp = c->insecure_unencrypted_rtcp;
    s->no_auth_rtp = c->insecure_unauthenticated_rtp;
    s->rtp_tag_len = s->no_auth_rtp ? 0 : suite->rtp_tag_len;
    s->rtcp_tag_len = suite->rtcp_tag_len;
    s->window = c->replay_window == 0               ? WINDOW_DEFAULT
                : c->replay_window > WINDOW_LIBRARY ? WINDOW_LIBRARY
                                                    : c->replay_window;
    s->n_extensions = (uint32_t)c->n_encrypted_extensions;
    for (uint32_t i = 0; i < s->n_extensions; i++)
        s->extensions[i] = c->encrypted_extensions[i];
    fill_key(s, c, 0, &c->key, c->mki, c->lifetime);
    for (uint32_t i = 1; i < s->n_keys; i++)
        fill_key(s, c, i, &c->more[i - 1].key, c->more[i - 1].mki, c->more[i - 1].lifetime);
}

struct ssi_srtp_form ssi_srtp_form_of(const struct ssi_srtp *s)
{
    return (struct ssi_srtp_form){s->suite, s->clear_rtp, s->clear_rtcp, s->no_auth_rtp};
}

/* libsrtp2 before 2.6 looks for the MKI of an SRTCP packet where it would stand with the tag of RTP. Where the two tags have
 * different lengths SRTCP goes through a session of the suite with the long tag: its keys and packets are the same. */
static bool needs_rtcp_ctx(const struct ssi_srtp *s)
{
    return s->direction == SSI_SRTP_RECEIVE && s->mki_len > 0 && s->rtp_tag_len != s->rtcp_tag_len;
}

static secsip_result open_library(struct ssi_srtp *s)
{
    struct ssi_srtp_keyed_policy k;
    struct ssi_srtp_form form = ssi_srtp_form_of(s);
    srtp_ssrc_type_t any = s->direction == SSI_SRTP_SEND ? ssrc_any_outbound : ssrc_any_inbound;

    ssi_srtp_fill_policy(s, &k, any, 0);
    struct ssi_srtp_room room = {.at = ssi_srtp_room(s), .len = ssi_srtp_room_len(s)};
    secsip_result r = ssi_srtp_engine_create(form, &s->stock, &k.policy, &room, &s->ctx);
    memcpy(s->outside, room.outside, sizeof s->outside);
    if (r < 0 || !needs_rtcp_ctx(s))
        return r;
    form =
        (struct ssi_srtp_form){.suite = ssi_srtp_suite_long(s->suite), .clear_rtcp = s->clear_rtcp};
    bool stock = s->stock;
    ssi_srtp_fill_policy(s, &k, any, 0);
    return ssi_srtp_engine_create(form, &stock, &k.policy, NULL, &s->rtcp_ctx);
}

secsip_result ssi_srtp_new(const struct ssi_srtp_config *config, struct ssi_srtp **ret)
{
    const struct ssi_srtp_suite_info *suite = ssi_srtp_suite_info(config->suite);

    if (!suite)
        return SECSIP_E_SRTP_SUITE;
    if (!config_valid(config, suite))
        return SECSIP_E_INVALID;
    struct ssi_srtp *s = allocate(config, suite);
    if (!s)
        return SECSIP_E_NOMEM;
    fill(s, config, suite);
    secsip_result r = open_library(s);
    if (r < 0) {
        ssi_srtp_free(s);
        return r;
    }
    *ret = s;
    return 0;
}

secsip_result ssi_srtp_has(enum ssi_srtp_suite suite)
{
    struct ssi_srtp_config c = {.direction = SSI_SRTP_RECEIVE, .suite = suite};
    struct ssi_srtp *s = NULL;

    c.key.len = (uint8_t)ssi_srtp_key_len(suite);
    secsip_result r = ssi_srtp_new(&c, &s);
    ssi_srtp_free(s);
    return r;
}

void ssi_srtp_free(struct ssi_srtp *s)
{
    if (!s)
        return;
    if (s->line && s->line->refs > 1)
        ssi_srtp_line_retire(s);
    ssi_srtp_line_drop(s->line);
    if (s->ctx)
        srtp_dealloc(s->ctx);
    if (s->rtcp_ctx)
        srtp_dealloc(s->rtcp_ctx);
    for (uint32_t i = 0; i < s->n_more; i++)
        srtp_dealloc(s->more[i]);
    free(s->more);
    free(s->index);
    if (s->sources != s->few)
        free(s->sources);
    ssi_wipe(s, s->size);
    free(s);
}

void ssi_srtp_fill_policy(struct ssi_srtp *s, struct ssi_srtp_keyed_policy *k,
                          srtp_ssrc_type_t type, uint32_t ssrc)
{
    for (uint32_t i = 0; i < s->n_keys; i++) {
        k->master[i] = (srtp_master_key_t){s->keys[i].key.bytes, s->keys[i].mki, s->mki_len};
        k->masters[i] = &k->master[i];
    }
    k->policy = (srtp_policy_t){
        .ssrc = {type, ssrc},
        .keys = k->masters,
        .num_master_keys = s->n_keys,
        .window_size = s->window,
        .allow_repeat_tx = 0,
        .enc_xtn_hdr = s->n_extensions ? s->extensions : NULL,
        .enc_xtn_hdr_count = (int)s->n_extensions,
    };
}

/* ---- Keys */

secsip_result ssi_srtp_use_key(struct ssi_srtp *s, const uint8_t *mki, size_t mki_len)
{
    if (s->direction != SSI_SRTP_SEND)
        return SECSIP_E_STATE;
    for (uint8_t i = 0; i < s->n_keys && mki_len == s->mki_len && mki_len > 0; i++) {
        if (memcmp(s->keys[i].mki, mki, mki_len) == 0) {
            s->use = i;
            return 0;
        }
    }
    return SECSIP_E_NOT_FOUND;
}

static uint32_t life_of(const struct ssi_srtp_live_key *k)
{
    return (k->rtp_left <= k->rtp_soft ? SSI_SRTP_DUE_RTP : 0U) |
           (k->rtcp_left <= k->rtcp_soft ? SSI_SRTP_DUE_RTCP : 0U) |
           (k->rtp_left == 0 ? SSI_SRTP_ENDED_RTP : 0U) |
           (k->rtcp_left == 0 ? SSI_SRTP_ENDED_RTCP : 0U);
}

uint32_t ssi_srtp_life(const struct ssi_srtp *s)
{
    uint32_t life = 0;

    if (s->direction == SSI_SRTP_SEND)
        return life_of(&s->keys[s->use]);
    for (uint32_t i = 0; i < s->n_keys; i++)
        life |= life_of(&s->keys[i]);
    return life;
}

bool ssi_srtp_same_key(const struct ssi_srtp *a, const struct ssi_srtp *b)
{
    if (a->suite != b->suite || a->direction != b->direction || a->n_keys != b->n_keys)
        return false;
    for (uint32_t i = 0; i < a->n_keys; i++)
        if (!ssi_key_eq(&a->keys[i].key, &b->keys[i].key))
            return false;
    return true;
}

bool ssi_srtp_shares_key(const struct ssi_srtp *a, const struct ssi_srtp *b)
{
    for (uint32_t i = 0; i < a->n_keys; i++)
        for (uint32_t j = 0; j < b->n_keys; j++)
            if (ssi_key_eq(&a->keys[i].key, &b->keys[j].key))
                return true;
    return false;
}

secsip_result ssi_srtp_replace_ciphers(void)
{
    return ssi_srtp_engine_replace();
}

/* ---- What can be asked */

bool ssi_srtp_is_stock(const struct ssi_srtp *s)
{
    return s->stock;
}

enum ssi_srtp_direction ssi_srtp_direction_of(const struct ssi_srtp *s)
{
    return s->direction;
}

struct ssi_srtp_stats ssi_srtp_stats(const struct ssi_srtp *s)
{
    return (struct ssi_srtp_stats){
        .rtp_ok = s->rtp_ok,
        .rtcp_ok = s->rtcp_ok,
        .auth_failed = s->failures.auth_failed,
        .replayed = s->failures.replayed,
        .too_short = s->failures.too_short,
        .refused = s->failures.refused,
        .key_expired = s->failures.key_expired,
        .resynced = s->failures.resynced,
        .rtp_left = s->keys[s->use].rtp_left,
        .rtcp_left = s->keys[s->use].rtcp_left,
        .n_ssrcs = s->n_sources,
    };
}

secsip_result ssi_srtp_source_stats(const struct ssi_srtp *s, uint32_t n,
                                    struct ssi_srtp_source_stats *ret)
{
    if (n >= s->n_sources)
        return SECSIP_E_NOT_FOUND;
    const struct ssi_srtp_source *src = &s->sources[n];
    *ret = (struct ssi_srtp_source_stats){
        .ssrc = src->ssrc,
        .roc = src->roc,
        .seq = src->seq,
        .rtcp_index = src->rtcp_index,
        .next_index = ssi_srtp_next_index(src),
        .rtp_ok = src->rtp_ok,
        .rtcp_ok = src->rtcp_ok,
        .auth_failed = src->auth_failed,
        .replayed = src->replayed,
        .found = (enum ssi_srtp_found)src->found,
        .found_instead = src->found_instead,
    };
    return 0;
}
