/* libsrtp2's process-wide state, see engine.h. Layer: srtp.
 *
 * The library is initialised once, at the first session, and never shut down: others in the process may use it. For
 * the same reason its event handler is left alone. */
#include "srtp/engine.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool ready;

static secsip_result make_ready(void)
{
    secsip_result r = 0;

    pthread_mutex_lock(&lock);
    if (!ready) {
        /* bad_param: somebody else has initialised it, which suits us. */
        srtp_err_status_t status = srtp_init();
        ready = status == srtp_err_status_ok || status == srtp_err_status_bad_param;
        r = ready ? 0 : SECSIP_E_SRTP_LIBRARY;
    }
    pthread_mutex_unlock(&lock);
    return r;
}

static void fill_policy(const struct ssi_srtp_suite_info *suite, uint8_t tag_len,
                        srtp_crypto_policy_t *p)
{
    p->cipher_type = suite->cipher;
    p->cipher_key_len = suite->key_len;
    p->auth_type = suite->aead ? SRTP_NULL_AUTH : SRTP_HMAC_SHA1;
    p->auth_key_len = suite->aead ? 0 : 20; /* RFC 3711 8.2: n_a is 160 bits */
    p->auth_tag_len = tag_len;
    p->sec_serv = sec_serv_conf_and_auth;
}

secsip_result ssi_srtp_engine_create(const struct ssi_srtp_suite_info *suite, bool stock,
                                     srtp_policy_t *policy, srtp_t *ret)
{
    secsip_result r = make_ready();

    (void)stock;
    if (r < 0)
        return r;
    fill_policy(suite, suite->rtp_tag_len, &policy->rtp);
    fill_policy(suite, suite->rtcp_tag_len, &policy->rtcp);
    srtp_err_status_t status = srtp_create(ret, policy);
    if (status == srtp_err_status_ok)
        return 0;
    return status == srtp_err_status_alloc_fail ? SECSIP_E_NOMEM : SECSIP_E_SRTP_LIBRARY;
}
