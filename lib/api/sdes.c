/* The public door to lib/sdes: sessions. Layer: api. A session owns its keys and the text of the MKI it gave out last; they
 * are wiped when it is freed. Lists of lines are in lib/api/sdes_lines.c. */
#include "secsip/sdes.h"

#include <stdlib.h>

#include "api/abi.h"
#include "api/sdes.h"
#include "api/sdp.h"
#include "base/crypto.h"
#include "base/export.h"

struct secsip_sdes_session {
    struct ssi_sdes_session s;
    char mki[SSI_SDES_MKI_TEXT];
};

/* ---- keys, for this file and sdes_lines.c */
void ssi_api_mki_text(const struct ssi_sdes_key *key, char out[SSI_SDES_MKI_TEXT])
{
    out[0] = 0;
    if (key->mki_len > 0)
        ssi_sdes_mki_text(key->mki, key->mki_len, out);
}

secsip_result ssi_api_give_key(const struct ssi_sdes_key *key, const char *mki,
                               secsip_sdes_key *ret)
{
    const secsip_sdes_key out = {
        .size = sizeof out,
        .mki = mki,
        .lifetime = key->lifetime,
        .mki_len = key->mki_len,
        .n_bytes = key->key.len,
    };

    return ssi_abi_give(ret, &out, sizeof out);
}

secsip_result ssi_api_give_secret(const struct ssi_sdes_key *key, void *out, size_t cap,
                                  size_t *ret_len)
{
    if (key->key.len > cap)
        return SECSIP_E_LIMIT;
    memcpy(out, key->key.bytes, key->key.len);
    *ret_len = key->key.len;
    return 0;
}

/* ---- sessions */
static secsip_result take_suites(const char *text, struct ssi_sdes_config *ret)
{
    if (!text) {
        ret->n_suites = SSI_SUITE_DEFAULT_COUNT;
        memcpy(ret->suites, ssi_suite_default, SSI_SUITE_DEFAULT_COUNT * sizeof *ssi_suite_default);
        return 0;
    }
    return ssi_suite_list(ssi_slice_str(text), ret->allow, ret->suites, SSI_SUITE_COUNT,
                          &ret->n_suites)
               ? 0
               : SECSIP_E_SDES_SUITE;
}

static bool config_valid(const secsip_sdes_config *c)
{
    uint32_t forms = ssi_sdes_allowed_by(c->options) & ~(uint32_t)SSI_SDES_NULL_CIPHER;
    const uint32_t nothing_left =
        SECSIP_SDES_FORM_UNENCRYPTED_SRTP | SECSIP_SDES_FORM_UNAUTHENTICATED_SRTP;

    return c->policy <= SECSIP_SDES_OFF && c->style <= SECSIP_SDES_STYLE_SAVP &&
           (c->options & ~(uint32_t)SSI_SDES_ALL_OPTIONS) == 0 && (c->offer_forms & ~forms) == 0 &&
           (c->offer_forms & nothing_left) != nothing_left && c->lifetime <= UINT64_C(1) << 48 &&
           c->mki_len <= SSI_SDES_MKI_MAX && c->max_keys <= SSI_SDES_KEYS_MAX;
}

static secsip_result take_config(const secsip_sdes_config *config, struct ssi_sdes_config *ret)
{
    secsip_sdes_config c = {.size = sizeof c};

    if (config) {
        secsip_result r = ssi_abi_take(&c, sizeof c, config, offsetof(secsip_sdes_config, style));
        if (r < 0)
            return r;
    }
    if (!config_valid(&c))
        return SECSIP_E_INVALID;
    *ret = (struct ssi_sdes_config){
        .policy = (enum ssi_sdes_policy)c.policy,
        .lifetime = c.lifetime,
        .mki_len = c.mki_len,
        .max_keys = c.max_keys,
        .style = (enum ssi_sdes_style)c.style,
        .forms = c.offer_forms,
    };
    ssi_sdes_take_options(c.options, ret);
    return take_suites(c.suites, ret);
}

SECSIP_EXPORT secsip_result secsip_sdes_session_new(const secsip_sdes_config *config,
                                                    secsip_sdes_session **ret_session)
{
    struct ssi_sdes_config c;

    if (!ret_session)
        return SECSIP_E_INVALID;
    secsip_result r = take_config(config, &c);
    if (r < 0)
        return r;
    secsip_sdes_session *session = calloc(1, sizeof *session);
    if (!session)
        return SECSIP_E_NOMEM;
    ssi_sdes_session_init(&session->s, &c);
    *ret_session = session;
    return 0;
}

SECSIP_EXPORT secsip_result secsip_sdes_session_join(secsip_sdes_session *session,
                                                     secsip_sdes_session *other)
{
    if (!session || !other || session == other)
        return SECSIP_E_INVALID;
    if (session->s.book)
        return SECSIP_E_STATE;
    return ssi_sdes_session_join(&session->s, &other->s);
}

SECSIP_EXPORT void secsip_sdes_session_free(secsip_sdes_session *session)
{
    if (!session)
        return;
    ssi_sdes_session_wipe(&session->s);
    free(session);
}

SECSIP_EXPORT secsip_result secsip_sdes_session_copy(const secsip_sdes_session *session,
                                                     secsip_sdes_session **ret_copy)
{
    if (!session || !ret_copy)
        return SECSIP_E_INVALID;
    secsip_sdes_session *copy = calloc(1, sizeof *copy);
    if (!copy)
        return SECSIP_E_NOMEM;
    ssi_sdes_session_copy(&copy->s, &session->s);
    *ret_copy = copy;
    return 0;
}

SECSIP_EXPORT const char *secsip_sdes_session_get_profile(const secsip_sdes_session *session)
{
    return session ? ssi_sdes_offer_profile(&session->s) : "";
}

SECSIP_EXPORT const char *secsip_sdes_session_get_offer_profile(const secsip_sdes_session *session,
                                                                uint32_t n)
{
    return session ? ssi_sdes_offer_profile_of(&session->s, n) : NULL;
}

SECSIP_EXPORT secsip_result secsip_sdes_session_put_offer(secsip_sdes_session *session,
                                                          secsip_sdp_builder *builder)
{
    if (!session || !builder)
        return SECSIP_E_INVALID;
    return ssi_sdes_put_offer(&session->s, &builder->text);
}

SECSIP_EXPORT secsip_result secsip_sdes_session_adopt_offer(secsip_sdes_session *session,
                                                            const secsip_sdp *offer, uint32_t media)
{
    if (!session || !offer)
        return SECSIP_E_INVALID;
    return ssi_sdes_adopt_offer(&session->s, offer->sdp, media);
}

SECSIP_EXPORT secsip_result secsip_sdes_session_take_answer(secsip_sdes_session *session,
                                                            const secsip_sdp *answer,
                                                            uint32_t media, const char **ret_why)
{
    const struct ssi_sdes_agreed *agreed;

    if (!session || !answer)
        return SECSIP_E_INVALID;
    return ssi_sdes_take_answer(&session->s, answer->sdp, media, &agreed, ret_why);
}

static bool is_of_kind(const struct ssi_sdp *sdp, uint32_t media, const void *arg)
{
    const char *kind = arg;

    return !kind || ssi_slice_eq(sdp->media[media].kind, ssi_slice_str(kind));
}

SECSIP_EXPORT secsip_result secsip_sdes_session_choose_media(secsip_sdes_session *session,
                                                             const secsip_sdp *offer,
                                                             const char *kind, uint32_t *ret_media,
                                                             const char **ret_profile,
                                                             const char **ret_why)
{
    if (!session || !offer || !ret_media || !ret_profile)
        return SECSIP_E_INVALID;
    ssi_sdes_confirm(&session->s);
    return ssi_sdes_choose_media(&session->s, offer->sdp, is_of_kind, kind, ret_media, ret_profile,
                                 ret_why);
}

SECSIP_EXPORT secsip_result secsip_sdes_session_answer(secsip_sdes_session *session,
                                                       const secsip_sdp *offer, uint32_t media,
                                                       secsip_sdp_builder *builder,
                                                       const char **ret_why)
{
    const struct ssi_sdes_agreed *agreed;
    const char *profile;

    if (!session || !offer || !builder)
        return SECSIP_E_INVALID;
    return ssi_sdes_answer(&session->s, offer->sdp, media, &builder->text, &profile, &agreed,
                           ret_why);
}

SECSIP_EXPORT secsip_result secsip_sdes_session_rollback(secsip_sdes_session *session)
{
    if (!session)
        return SECSIP_E_INVALID;
    ssi_sdes_rollback(&session->s);
    return 0;
}

SECSIP_EXPORT secsip_result secsip_sdes_session_settle(secsip_sdes_session *session)
{
    if (!session)
        return SECSIP_E_INVALID;
    ssi_sdes_settle(&session->s);
    return 0;
}

SECSIP_EXPORT secsip_result secsip_sdes_session_begin(secsip_sdes_session *session)
{
    return session ? ssi_sdes_begin(&session->s) : SECSIP_E_INVALID;
}

SECSIP_EXPORT secsip_result secsip_sdes_session_revert(secsip_sdes_session *session)
{
    return session ? ssi_sdes_revert(&session->s) : SECSIP_E_INVALID;
}

SECSIP_EXPORT secsip_result secsip_sdes_session_rekey(secsip_sdes_session *session)
{
    if (!session)
        return SECSIP_E_INVALID;
    ssi_sdes_rekey(&session->s);
    return 0;
}

SECSIP_EXPORT secsip_result secsip_sdes_session_get_agreement(const secsip_sdes_session *session,
                                                              secsip_sdes_agreement *ret_agreement)
{
    if (!session || !ret_agreement || !session->s.has_agreed)
        return SECSIP_E_NOT_FOUND;
    const struct ssi_sdes_agreed *a = &session->s.agreed;
    const struct ssi_suite_info *info = ssi_suite_info(a->suite);
    const secsip_sdes_agreement out = {
        .size = sizeof out,
        .suite = info ? info->name : "",
        .profile = a->profile,
        .secure = info ? 1 : 0,
        .tag = a->tag,
        .n_rx_keys = info ? 1 + a->n_rx_more : 0,
        .wsh = a->wsh,
        .quirks = a->quirks,
        .forms = a->forms |
                 (info && info->null_cipher ? SSI_SDES_UNENCRYPTED_SRTP | SSI_SDES_UNENCRYPTED_SRTCP
                                            : 0U),
        .line = a->line,
    };
    return ssi_abi_give(ret_agreement, &out, sizeof out);
}

static const struct ssi_sdes_key *find_key(const secsip_sdes_session *session, uint32_t direction,
                                           uint32_t n)
{
    if (!session || !session->s.has_agreed || session->s.agreed.suite == SSI_SUITE_NONE)
        return NULL;
    const struct ssi_sdes_agreed *a = &session->s.agreed;
    if (n == 0)
        return direction == SECSIP_SDES_KEY_TX   ? &a->tx
               : direction == SECSIP_SDES_KEY_RX ? &a->rx
                                                 : NULL;
    return direction == SECSIP_SDES_KEY_RX && n <= a->n_rx_more ? &a->rx_more[n - 1] : NULL;
}

SECSIP_EXPORT secsip_result secsip_sdes_session_get_key(secsip_sdes_session *session,
                                                        uint32_t direction, uint32_t n,
                                                        secsip_sdes_key *ret_key)
{
    const struct ssi_sdes_key *key = find_key(session, direction, n);

    if (!key || !ret_key)
        return SECSIP_E_NOT_FOUND;
    ssi_api_mki_text(key, session->mki);
    return ssi_api_give_key(key, session->mki, ret_key);
}

SECSIP_EXPORT secsip_result secsip_sdes_session_get_secret(const secsip_sdes_session *session,
                                                           uint32_t direction, uint32_t n,
                                                           void *out, size_t cap, size_t *ret_len)
{
    const struct ssi_sdes_key *key = find_key(session, direction, n);

    return key && out && ret_len ? ssi_api_give_secret(key, out, cap, ret_len) : SECSIP_E_NOT_FOUND;
}
