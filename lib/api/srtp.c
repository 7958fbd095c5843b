/* The exported names of SRTP sessions: arguments are checked and structures of callers read here, the work is done in
 * lib/srtp and lib/sdes. Layer: api. A secsip_srtp is an ssi_srtp: the public type is never defined. */
#include "secsip/srtp.h"

#include "base/crypto.h"
#include "base/export.h"
#include "sdes/sdes.h"
#include "srtp/srtp.h"

_Static_assert((int)SECSIP_SRTP_SEND == SSI_SRTP_SEND &&
                   (int)SECSIP_SRTP_RECEIVE == SSI_SRTP_RECEIVE,
               "directions are the same numbers");
_Static_assert((int)SECSIP_SRTP_TRAILER_MAX == SSI_SRTP_TRAILER_MAX, "one trailer");

enum {
    WINDOW_MAX = 32767
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
    return (options & ~(uint32_t)SECSIP_SRTP_STOCK_CIPHERS) == 0;
}

static secsip_result make(struct ssi_srtp_config *config, secsip_srtp **ret_srtp)
{
    struct ssi_srtp *s;
    secsip_result r = ssi_srtp_new(config, &s);

    ssi_wipe(config, sizeof *config);
    if (r < 0)
        return r;
    *ret_srtp = (secsip_srtp *)s;
    return 0;
}

SECSIP_EXPORT secsip_result secsip_srtp_new(const secsip_srtp_config *config,
                                            secsip_srtp **ret_srtp)
{
    if (!config || !ret_srtp)
        return SECSIP_E_INVALID;
    if (config->size != sizeof *config)
        return SECSIP_E_ABI;
    struct ssi_srtp_config c = {
        .direction = (enum ssi_srtp_direction)config->direction,
        .lifetime = config->lifetime,
        .mki_len = config->mki_len,
        .replay_window = config->replay_window,
        .join_roc = config->join_roc,
        .stock = config->options & SECSIP_SRTP_STOCK_CIPHERS,
    };
    if (!config->suite || !config->key || config->key_len > sizeof c.key.bytes ||
        config->mki_len > sizeof c.mki || (config->mki_len > 0 && !config->mki) ||
        !options_known(config->options))
        return SECSIP_E_INVALID;
    c.suite = ssi_srtp_suite_of(ssi_slice_str(config->suite));
    memcpy(c.key.bytes, config->key, config->key_len);
    c.key.len = (uint8_t)config->key_len;
    if (config->mki_len > 0)
        memcpy(c.mki, config->mki, config->mki_len);
    return make(&c, ret_srtp);
}

static secsip_result config_of_line(const struct ssi_sdes_line *line, int32_t direction,
                                    uint32_t options, struct ssi_srtp_config *ret)
{
    const struct ssi_sdes_key *key = &line->keys[0];

    if (line->usable < 0)
        return line->usable;
    if (line->n_keys != 1 && direction == SECSIP_SRTP_RECEIVE)
        return SECSIP_E_UNSUPPORTED;
    *ret = (struct ssi_srtp_config){
        .direction = (enum ssi_srtp_direction)direction,
        .suite = ssi_srtp_suite_of(ssi_slice_str(ssi_suite_info(line->suite)->name)),
        .key = key->key,
        .mki_len = key->mki_len,
        .lifetime = key->lifetime,
        .replay_window =
            line->wsh < WINDOW_MAX ? line->wsh : WINDOW_MAX, /* WSH is a hint, RFC 4568 6.3.7 */
        .stock = options & SECSIP_SRTP_STOCK_CIPHERS,
    };
    memcpy(ret->mki, key->mki, key->mki_len);
    return 0;
}

SECSIP_EXPORT secsip_result secsip_srtp_new_from_crypto(const char *crypto, size_t len,
                                                        int32_t direction, uint32_t options,
                                                        secsip_srtp **ret_srtp)
{
    static const struct ssi_slice prefix = {"a=crypto:", 9};
    struct ssi_srtp_config c = {0};
    struct ssi_sdes_line line;

    if (!crypto || !ret_srtp || !options_known(options))
        return SECSIP_E_INVALID;
    struct ssi_slice value = ssi_slice_of(crypto, len);
    if (value.len >= prefix.len && ssi_slice_eq(ssi_slice_of(value.p, prefix.len), prefix))
        value = ssi_slice_from(value, prefix.len);
    (void)ssi_sdes_parse(value, &line);
    secsip_result r = config_of_line(&line, direction, options, &c);
    ssi_sdes_line_wipe(&line);
    return r < 0 ? r : make(&c, ret_srtp);
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
    if (ret_stats->size != sizeof *ret_stats)
        return SECSIP_E_ABI;
    struct ssi_srtp_stats s = ssi_srtp_stats(inside_const(srtp));
    *ret_stats = (secsip_srtp_stats){
        .size = sizeof *ret_stats,
        .rtp_ok = s.rtp_ok,
        .rtcp_ok = s.rtcp_ok,
        .auth_failed = s.auth_failed,
        .replayed = s.replayed,
        .too_short = s.too_short,
        .refused = s.refused,
        .resynced = s.resynced,
        .rtp_left = s.rtp_left,
        .rtcp_left = s.rtcp_left,
    };
    return 0;
}
