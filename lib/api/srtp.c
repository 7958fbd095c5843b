/* The exported names of SRTP sessions: arguments are checked and structures of callers read here, the work is done in
 * lib/srtp and lib/sdes. Layer: api. A secsip_srtp is an ssi_srtp: the public type is never defined. */
#include "secsip/srtp.h"

#include "api/abi.h"
#include "base/crypto.h"
#include "base/export.h"
#include "sdes/sdes.h"
#include "srtp/srtp.h"

_Static_assert((int)SECSIP_SRTP_SEND == SSI_SRTP_SEND &&
                   (int)SECSIP_SRTP_RECEIVE == SSI_SRTP_RECEIVE,
               "directions are the same numbers");
_Static_assert((int)SECSIP_SRTP_TRAILER_MAX == SSI_SRTP_TRAILER_MAX, "one trailer");

_Static_assert((int)SECSIP_SRTP_DUE_RTP == SSI_SRTP_DUE_RTP &&
                   (int)SECSIP_SRTP_ENDED_RTCP == SSI_SRTP_ENDED_RTCP,
               "one way to tell a key's life");

enum {
    WINDOW_MAX = 32768,
    CONFIG_LEAST = offsetof(secsip_srtp_config, max_ssrcs),
    OPTIONS = SECSIP_SRTP_STOCK_CIPHERS | SECSIP_SRTP_INSECURE_UNENCRYPTED_RTP |
              SECSIP_SRTP_INSECURE_UNENCRYPTED_RTCP | SECSIP_SRTP_INSECURE_UNAUTHENTICATED_RTP |
              SECSIP_SRTP_INSECURE_NULL_CIPHER,
};

static struct ssi_srtp *inside(secsip_srtp *srtp)
{
    return (struct ssi_srtp *)srtp;
}

static const struct ssi_srtp *inside_const(const secsip_srtp *srtp)
{
    return (const struct ssi_srtp *)srtp;
}

static bool options_known(uint32_t options)
{
    return (options & ~(uint32_t)OPTIONS) == 0;
}

static void apply_options(struct ssi_srtp_config *c, uint32_t options)
{
    c->stock = options & SECSIP_SRTP_STOCK_CIPHERS;
    c->insecure_unencrypted_rtp = options & SECSIP_SRTP_INSECURE_UNENCRYPTED_RTP;
    c->insecure_unencrypted_rtcp = options & SECSIP_SRTP_INSECURE_UNENCRYPTED_RTCP;
    c->insecure_unauthenticated_rtp = options & SECSIP_SRTP_INSECURE_UNAUTHENTICATED_RTP;
}

/* Wipes the keys of the configuration. */
static secsip_result make(struct ssi_srtp_config *config, struct ssi_srtp_more_key more[],
                          secsip_srtp **ret_srtp)
{
    struct ssi_srtp *s;

    config->more = more;
    secsip_result r = ssi_srtp_new(config, &s);
    ssi_wipe(more, config->n_more * sizeof *more);
    ssi_wipe(config, sizeof *config);
    if (r < 0)
        return r;
    *ret_srtp = (secsip_srtp *)s;
    return 0;
}

static bool take_key(const uint8_t *key, size_t key_len, const uint8_t *mki, size_t mki_len,
                     struct ssi_key *ret_key, uint8_t ret_mki[SSI_SRTP_MKI_MAX])
{
    if (!key || key_len > sizeof ret_key->bytes || mki_len > SSI_SRTP_MKI_MAX ||
        (mki_len > 0 && !mki))
        return false;
    memcpy(ret_key->bytes, key, key_len);
    ret_key->len = (uint8_t)key_len;
    if (mki_len > 0)
        memcpy(ret_mki, mki, mki_len);
    return true;
}

static secsip_result take_more_keys(const secsip_srtp_config *config,
                                    struct ssi_srtp_more_key more[SSI_SRTP_KEYS_MAX])
{
    const char *at = (const char *)config->more_keys;

    if (config->n_more_keys >= SSI_SRTP_KEYS_MAX || (config->n_more_keys > 0 && !at))
        return SECSIP_E_INVALID;
    for (size_t i = 0; i < config->n_more_keys; i++) {
        secsip_srtp_key k;
        secsip_result r = ssi_abi_take(&k, sizeof k, at, sizeof k);
        if (r < 0)
            return r;
        if (!take_key(k.key, k.key_len, k.mki, k.mki_len, &more[i].key, more[i].mki))
            return SECSIP_E_INVALID;
        more[i].mki_len = k.mki_len;
        more[i].lifetime = k.lifetime;
        at += config->more_keys->size; /* one size for all */
    }
    return 0;
}

/* The NULL suites are AES_CM_128 without its encryption. */
static enum ssi_srtp_suite suite_of_line(enum ssi_suite suite)
{
    return suite == SSI_SUITE_NULL_HMAC_SHA1_80 ? SSI_SRTP_AES_CM_128_HMAC_SHA1_80
           : suite == SSI_SUITE_NULL_HMAC_SHA1_32
               ? SSI_SRTP_AES_CM_128_HMAC_SHA1_32
               : ssi_srtp_suite_of(ssi_slice_str(ssi_suite_info(suite)->name));
}

/* By name: those two only where both forms say that nothing is encrypted. */
static enum ssi_srtp_suite suite_of(struct ssi_slice name, uint32_t options)
{
    const uint32_t both =
        SECSIP_SRTP_INSECURE_UNENCRYPTED_RTP | SECSIP_SRTP_INSECURE_UNENCRYPTED_RTCP;
    const struct ssi_suite_info *info = ssi_suite_info(ssi_suite_of(name));

    return info && info->null_cipher && (options & both) == both ? suite_of_line(ssi_suite_of(name))
                                                                 : ssi_srtp_suite_of(name);
}

SECSIP_EXPORT secsip_result secsip_srtp_new(const secsip_srtp_config *config,
                                            secsip_srtp **ret_srtp)
{
    struct ssi_srtp_more_key more[SSI_SRTP_KEYS_MAX] = {0};
    secsip_srtp_config given;

    if (!config || !ret_srtp)
        return SECSIP_E_INVALID;
    secsip_result r = ssi_abi_take(&given, sizeof given, config, CONFIG_LEAST);
    if (r < 0)
        return r;
    struct ssi_srtp_config c = {
        .direction = (enum ssi_srtp_direction)given.direction,
        .lifetime = given.lifetime,
        .mki_len = given.mki_len,
        .replay_window = given.replay_window,
        .join_roc = given.join_roc,
        .max_ssrcs = given.max_ssrcs,
        .n_more = given.n_more_keys,
        .soft_limit = given.soft_limit,
        .encrypted_extensions = given.encrypted_extensions,
        .n_encrypted_extensions = given.n_encrypted_extensions,
    };
    apply_options(&c, given.options);
    if (!given.suite || !options_known(given.options) ||
        (given.n_encrypted_extensions > 0 && !given.encrypted_extensions) ||
        !take_key(given.key, given.key_len, given.mki, given.mki_len, &c.key, c.mki))
        return SECSIP_E_INVALID;
    c.suite = suite_of(ssi_slice_str(given.suite), given.options);
    r = take_more_keys(&given, more);
    if (r == 0)
        return make(&c, more, ret_srtp);
    ssi_wipe(more, sizeof more);
    ssi_wipe(&c, sizeof c);
    return r;
}

/* Everything that the line says; its forms are among those that were allowed. */
static secsip_result config_of_line(const struct ssi_sdes_line *line, int32_t direction, bool stock,
                                    struct ssi_srtp_config *ret,
                                    struct ssi_srtp_more_key more[SSI_SRTP_KEYS_MAX])
{
    const struct ssi_sdes_key *key = &line->keys[0];

    if (line->usable < 0)
        return line->usable;
    bool null_cipher = ssi_suite_info(line->suite)->null_cipher;
    *ret = (struct ssi_srtp_config){
        .direction = (enum ssi_srtp_direction)direction,
        .suite = suite_of_line(line->suite),
        .key = key->key,
        .mki_len = key->mki_len,
        .lifetime = key->lifetime,
        .replay_window =
            line->wsh < WINDOW_MAX ? line->wsh : WINDOW_MAX, /* WSH is a hint, RFC 4568 6.3.7 */
        .n_more = line->n_keys - 1,
        .stock = stock,
        .insecure_unencrypted_rtp = null_cipher || (line->forms & SSI_SDES_UNENCRYPTED_SRTP),
        .insecure_unencrypted_rtcp = null_cipher || (line->forms & SSI_SDES_UNENCRYPTED_SRTCP),
        .insecure_unauthenticated_rtp = line->forms & SSI_SDES_UNAUTHENTICATED_SRTP,
    };
    memcpy(ret->mki, key->mki, key->mki_len);
    for (size_t i = 0; i < ret->n_more; i++) {
        key = &line->keys[1 + i];
        more[i].key = key->key;
        more[i].mki_len = key->mki_len;
        more[i].lifetime = key->lifetime;
        memcpy(more[i].mki, key->mki, key->mki_len);
    }
    return 0;
}

static uint32_t allowed_forms(uint32_t options)
{
    return (options & SECSIP_SRTP_INSECURE_UNENCRYPTED_RTP ? SSI_SDES_UNENCRYPTED_SRTP : 0U) |
           (options & SECSIP_SRTP_INSECURE_UNENCRYPTED_RTCP ? SSI_SDES_UNENCRYPTED_SRTCP : 0U) |
           (options & SECSIP_SRTP_INSECURE_UNAUTHENTICATED_RTP ? SSI_SDES_UNAUTHENTICATED_SRTP
                                                               : 0U) |
           (options & SECSIP_SRTP_INSECURE_NULL_CIPHER ? SSI_SDES_NULL_CIPHER : 0U);
}

SECSIP_EXPORT secsip_result secsip_srtp_new_from_crypto(const char *crypto, size_t len,
                                                        int32_t direction, uint32_t options,
                                                        secsip_srtp **ret_srtp)
{
    static const struct ssi_slice prefix = {"a=crypto:", 9};
    struct ssi_srtp_more_key more[SSI_SRTP_KEYS_MAX] = {0};
    struct ssi_srtp_config c = {0};
    struct ssi_sdes_line line;

    if (!crypto || !ret_srtp || !options_known(options))
        return SECSIP_E_INVALID;
    struct ssi_slice value = ssi_slice_of(crypto, len);
    if (value.len >= prefix.len && ssi_slice_eq(ssi_slice_of(value.p, prefix.len), prefix))
        value = ssi_slice_from(value, prefix.len);
    (void)ssi_sdes_parse_allowing(value, allowed_forms(options), &line);
    secsip_result r =
        config_of_line(&line, direction, options & SECSIP_SRTP_STOCK_CIPHERS, &c, more);
    ssi_sdes_line_wipe(&line);
    return r < 0 ? r : make(&c, more, ret_srtp);
}

SECSIP_EXPORT void secsip_srtp_free(secsip_srtp *srtp)
{
    ssi_srtp_free(inside(srtp));
}

SECSIP_EXPORT secsip_result secsip_srtp_protect_rtp(secsip_srtp *srtp, uint8_t *packet, size_t *len,
                                                    size_t cap)
{
    return srtp && packet && len ? ssi_srtp_protect_rtp(inside(srtp), packet, len, cap)
                                 : SECSIP_E_INVALID;
}

SECSIP_EXPORT secsip_result secsip_srtp_protect_rtcp(secsip_srtp *srtp, uint8_t *packet,
                                                     size_t *len, size_t cap)
{
    return srtp && packet && len ? ssi_srtp_protect_rtcp(inside(srtp), packet, len, cap)
                                 : SECSIP_E_INVALID;
}

SECSIP_EXPORT secsip_result secsip_srtp_unprotect_rtp(secsip_srtp *srtp, uint8_t *packet,
                                                      size_t *len)
{
    return srtp && packet && len ? ssi_srtp_unprotect_rtp(inside(srtp), packet, len)
                                 : SECSIP_E_INVALID;
}

SECSIP_EXPORT secsip_result secsip_srtp_unprotect_rtcp(secsip_srtp *srtp, uint8_t *packet,
                                                       size_t *len)
{
    return srtp && packet && len ? ssi_srtp_unprotect_rtcp(inside(srtp), packet, len)
                                 : SECSIP_E_INVALID;
}

SECSIP_EXPORT int32_t secsip_srtp_is_rtcp(const uint8_t *packet, size_t len)
{
    return packet && ssi_srtp_is_rtcp(packet, len);
}

static bool kind_known(int32_t kind)
{
    return kind == SECSIP_SRTP_RTP || kind == SECSIP_SRTP_RTCP || kind == SECSIP_SRTP_EITHER;
}

static bool is_rtcp(int32_t kind, const uint8_t *packet, size_t len)
{
    return kind == SECSIP_SRTP_RTCP ||
           (kind == SECSIP_SRTP_EITHER && ssi_srtp_is_rtcp(packet, len));
}

SECSIP_EXPORT secsip_result secsip_srtp_protect_copy(secsip_srtp *srtp, int32_t kind,
                                                     const uint8_t *in, size_t len, uint8_t *out,
                                                     size_t cap, size_t *ret_len)
{
    if (!srtp || !in || !out || !ret_len || !kind_known(kind))
        return SECSIP_E_INVALID;
    if (len > cap)
        return SECSIP_E_LIMIT;
    bool rtcp = is_rtcp(kind, in, len);
    memcpy(out, in, len);
    secsip_result r = rtcp ? ssi_srtp_protect_rtcp(inside(srtp), out, &len, cap)
                           : ssi_srtp_protect_rtp(inside(srtp), out, &len, cap);
    if (r == 0)
        *ret_len = len;
    return r;
}

SECSIP_EXPORT secsip_result secsip_srtp_unprotect_copy(secsip_srtp *srtp, int32_t kind,
                                                       const uint8_t *in, size_t len, uint8_t *out,
                                                       size_t cap, size_t *ret_len)
{
    if (!srtp || !in || !out || !ret_len || !kind_known(kind))
        return SECSIP_E_INVALID;
    if (len > cap)
        return SECSIP_E_LIMIT;
    bool rtcp = is_rtcp(kind, in, len);
    memcpy(out, in, len);
    secsip_result r = rtcp ? ssi_srtp_unprotect_rtcp(inside(srtp), out, &len)
                           : ssi_srtp_unprotect_rtp(inside(srtp), out, &len);
    if (r == 0)
        *ret_len = len;
    return r;
}

SECSIP_EXPORT secsip_result secsip_srtp_use_key(secsip_srtp *srtp, const uint8_t *mki,
                                                size_t mki_len)
{
    return srtp && mki ? ssi_srtp_use_key(inside(srtp), mki, mki_len) : SECSIP_E_INVALID;
}

SECSIP_EXPORT uint32_t secsip_srtp_get_life(const secsip_srtp *srtp)
{
    return srtp ? ssi_srtp_life(inside_const(srtp)) : 0;
}

SECSIP_EXPORT secsip_result secsip_srtp_continue(secsip_srtp *srtp, secsip_srtp *old)
{
    return srtp && old ? ssi_srtp_continue(inside(srtp), inside(old)) : SECSIP_E_INVALID;
}

SECSIP_EXPORT secsip_result secsip_srtp_set_roc(secsip_srtp *srtp, uint32_t ssrc, uint32_t roc)
{
    return srtp ? ssi_srtp_set_roc(inside(srtp), ssrc, roc) : SECSIP_E_INVALID;
}

SECSIP_EXPORT secsip_result secsip_srtp_get_roc(const secsip_srtp *srtp, uint32_t ssrc,
                                                uint32_t *ret_roc)
{
    uint16_t seq;

    return srtp && ret_roc ? ssi_srtp_get_index(inside_const(srtp), ssrc, ret_roc, &seq)
                           : SECSIP_E_INVALID;
}

SECSIP_EXPORT secsip_result secsip_srtp_get_stats(const secsip_srtp *srtp,
                                                  secsip_srtp_stats *ret_stats)
{
    if (!srtp || !ret_stats)
        return SECSIP_E_INVALID;
    struct ssi_srtp_stats s = ssi_srtp_stats(inside_const(srtp));
    secsip_srtp_stats stats = {
        .size = sizeof stats,
        .rtp_ok = s.rtp_ok,
        .rtcp_ok = s.rtcp_ok,
        .auth_failed = s.auth_failed,
        .replayed = s.replayed,
        .too_short = s.too_short,
        .refused = s.refused,
        .resynced = s.resynced,
        .rtp_left = s.rtp_left,
        .rtcp_left = s.rtcp_left,
        .key_expired = s.key_expired,
        .n_ssrcs = s.n_ssrcs,
    };
    return ssi_abi_give(ret_stats, &stats, sizeof stats);
}

_Static_assert((int)SECSIP_SRTP_FOUND_JOINED == (int)SSI_SRTP_FOUND_JOINED &&
                   (int)SECSIP_SRTP_FOUND_MISSED == (int)SSI_SRTP_FOUND_MISSED,
               "one list of what can be found");

SECSIP_EXPORT secsip_result secsip_srtp_get_ssrc_stats(const secsip_srtp *srtp, uint32_t n,
                                                       secsip_srtp_ssrc_stats *ret_stats)
{
    struct ssi_srtp_source_stats s;

    if (!srtp || !ret_stats)
        return SECSIP_E_INVALID;
    secsip_result r = ssi_srtp_source_stats(inside_const(srtp), n, &s);
    if (r < 0)
        return r;
    secsip_srtp_ssrc_stats stats = {
        .size = sizeof stats,
        .ssrc = s.ssrc,
        .roc = s.roc,
        .seq = s.seq,
        .rtcp_index = s.rtcp_index,
        .rtp_ok = s.rtp_ok,
        .rtcp_ok = s.rtcp_ok,
        .auth_failed = s.auth_failed,
        .replayed = s.replayed,
        .next_index = s.next_index,
        .found = (uint32_t)s.found,
        .found_instead = s.found_instead,
    };
    return ssi_abi_give(ret_stats, &stats, sizeof stats);
}
