/* libsrtp2's process-wide state, see engine.h. Layer: srtp.
 *
 * The library is initialised once, at the first session, and never shut down: others in the process may use it. For the
 * same reason its event handler is left alone and its own ciphers stay in place: ours are added under private ids
 * (ciphers.h). The registry of libsrtp2 keeps the tables for ever: libsecsip is linked with -z nodelete. */
#include "srtp/engine.h"

#include <pthread.h>

#include "srtp/ciphers.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool tried;    /* initialised and registered once */
static bool ours;     /* the registration worked */
static srtp_t anchor; /* see keep_anchor */

static void fill_policy(const struct ssi_srtp_suite_info *suite, bool private, uint8_t tag_len,
                        srtp_crypto_policy_t *p)
{
    p->cipher_type = private ? SSI_SRTP_PRIVATE(suite->cipher) : suite->cipher;
    p->cipher_key_len = suite->key_len;
    p->auth_type = suite->aead ? SRTP_NULL_AUTH
                   : private   ? SSI_SRTP_PRIVATE(SRTP_HMAC_SHA1)
                               : SRTP_HMAC_SHA1;
    p->auth_key_len = suite->aead ? 0 : 20; /* RFC 3711 8.2: n_a is 160 bits */
    p->auth_tag_len = tag_len;
    p->sec_serv = sec_serv_conf_and_auth;
}

static srtp_err_status_t create(const struct ssi_srtp_suite_info *suite, bool private,
                                srtp_policy_t *policy, srtp_t *ret)
{
    fill_policy(suite, private, suite->rtp_tag_len, &policy->rtp);
    fill_policy(suite, private, suite->rtcp_tag_len, &policy->rtcp);
    return srtp_create(ret, policy);
}

/* Key derivation stays with libsrtp2's own AES. Where that is NSS, its library is loaded with the first session and unloaded
 * with the last: one stock session that lives as long as the process makes a new session 80 times cheaper. Failing to make
 * it costs speed only. */
static void keep_anchor(void)
{
    uint8_t key[30] = {0};
    srtp_policy_t policy = {.ssrc = {ssrc_any_outbound, 0}, .key = key};

    if (create(ssi_srtp_suite_info(SSI_SRTP_AES_CM_128_HMAC_SHA1_80), false, &policy, &anchor) !=
        srtp_err_status_ok)
        anchor = NULL;
}

static bool register_ours(void)
{
    static const srtp_cipher_type_t *const ciphers[] = {
        &ssi_srtp_ctr_128, &ssi_srtp_ctr_192, &ssi_srtp_ctr_256,
        &ssi_srtp_gcm_128, &ssi_srtp_gcm_256,
    };

    for (size_t i = 0; i < sizeof ciphers / sizeof ciphers[0]; i++)
        if (srtp_replace_cipher_type(ciphers[i], ciphers[i]->id) != srtp_err_status_ok)
            return false;
    return srtp_replace_auth_type(&ssi_srtp_hmac_sha1, ssi_srtp_hmac_sha1.id) == srtp_err_status_ok;
}

/* Whether our types may be used. Registration comes after srtp_init, which fails where unknown ids are present already.
 * srtp_init's own result is of no use: an error when somebody else has called it, which suits us; what is truly wrong shows
 * when a session is made. With `again`, after somebody called srtp_shutdown, the same is done once more. */
static bool make_ready(bool again)
{
    pthread_mutex_lock(&lock);
    if (!tried || again) {
        tried = true;
        (void)srtp_init();
        ours = register_ours();
        if (!anchor)
            keep_anchor();
    }
    bool usable = ours;
    pthread_mutex_unlock(&lock);
    return usable;
}

secsip_result ssi_srtp_engine_create(const struct ssi_srtp_suite_info *suite, bool *stock,
                                     srtp_policy_t *policy, srtp_t *ret)
{
    bool private = make_ready(false) && !*stock;
    srtp_err_status_t status = create(suite, private, policy, ret);

    if (status != srtp_err_status_ok && status != srtp_err_status_alloc_fail) {
        private = make_ready(true) && !*stock;
        status = create(suite, private, policy, ret);
    }
    if (private && status != srtp_err_status_ok && status != srtp_err_status_alloc_fail) {
        private = false; /* the packets are the same, made more slowly */
        status = create(suite, private, policy, ret);
    }
    if (status != srtp_err_status_ok)
        return status == srtp_err_status_alloc_fail ? SECSIP_E_NOMEM : SECSIP_E_SRTP_LIBRARY;
    *stock = !private;
    return 0;
}
