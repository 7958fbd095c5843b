/* libsrtp2's process-wide state, see engine.h. Layer: srtp.
 *
 * The library is initialised once, at the first session, and never shut down: others in the process may use it. For the
 * same reason its event handler is left alone and its own ciphers stay in place: ours are added under private ids
 * (ciphers.h). The registry of libsrtp2 keeps the tables for ever: libsecsip is linked with -z nodelete. */
#include "srtp/engine.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "srtp/ciphers.h"
#include "srtp/derive.h"

/* What the last preparation came to. */
struct usable {
    bool ours;      /* our types are registered */
    bool stock_192; /* see stock_192_works */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool tried; /* initialised and registered once */
static struct usable usable;
static srtp_t anchor;         /* see keep_anchor */
static atomic_bool right_192; /* usable.stock_192, read without the lock */

static void fill_policy(const struct ssi_srtp_suite_info *suite, bool private, uint8_t tag_len,
                        bool clear, bool no_auth, srtp_crypto_policy_t *p)
{
    bool hashed = !suite->aead && !no_auth;

    p->cipher_type = private ? SSI_SRTP_PRIVATE(suite->cipher) : suite->cipher;
    p->cipher_key_len = suite->key_len;
    p->auth_type = !hashed   ? SRTP_NULL_AUTH
                   : private ? SSI_SRTP_PRIVATE(SRTP_HMAC_SHA1)
                             : SRTP_HMAC_SHA1;
    p->auth_key_len = hashed ? 20 : 0; /* RFC 3711 8.2: n_a is 160 bits */
    p->auth_tag_len = no_auth ? 0 : tag_len;
    p->sec_serv = clear ? sec_serv_auth : no_auth ? sec_serv_conf : sec_serv_conf_and_auth;
}

enum action {
    CREATE, /* a new session into *ret */
    ADD,    /* one SSRC more for *ret */
    UPDATE, /* new keys for *ret */
};

static srtp_err_status_t apply(struct ssi_srtp_form form, bool private, srtp_policy_t *policy,
                               struct ssi_srtp_room *room, enum action action, srtp_t *ret)
{
    struct ssi_srtp_handover handover = {
        .masters = form.suite->cipher == SRTP_AES_ICM_192 && !right_192 ? policy->keys : NULL,
        .extensions = policy->enc_xtn_hdr_count > 0,
        .room = room ? room->at : NULL,
        .room_len = room ? room->len : 0,
    };

    fill_policy(form.suite, private, form.suite->rtp_tag_len, form.clear_rtp, form.no_auth_rtp,
                &policy->rtp);
    fill_policy(form.suite, private, form.suite->rtcp_tag_len, form.clear_rtcp, false,
                &policy->rtcp);
    ssi_srtp_hand_over(private ? &handover : NULL);
    srtp_err_status_t status = action == CREATE ? srtp_create(ret, policy)
                               : action == ADD  ? srtp_add_stream(*ret, policy)
                                                : srtp_update(*ret, policy);
    ssi_srtp_hand_over(NULL);
    if (room)
        memcpy(room->outside, handover.outside, sizeof room->outside);
    return status;
}

/* A session of the whole suite that is of no use but for trying. */
static srtp_err_status_t create_plain(enum ssi_srtp_suite suite, srtp_policy_t *policy, srtp_t *ret)
{
    struct ssi_srtp_form form = {.suite = ssi_srtp_suite_info(suite)};

    return apply(form, false, policy, NULL, CREATE, ret);
}

/* Whether libsrtp2's own AES-192 is the one of RFC 6188 (derive.h): a packet of the master key of its section 7.4. */
static bool stock_192_works(void)
{
    static const uint8_t want[10] = {0xcc, 0xea, 0x70, 0xe8, 0x5d, 0xe5, 0x8f, 0xaf, 0x82, 0x90};
    uint8_t key[38] = {0x73, 0xed, 0xc6, 0x6c, 0x4f, 0xa1, 0x57, 0x76, 0xfb, 0x57, 0xf9, 0x50, 0x5c,
                       0x17, 0x13, 0x65, 0x50, 0xff, 0xda, 0x71, 0xf3, 0xe8, 0xe5, 0xf1, 0xc8, 0x52,
                       0x2f, 0x3a, 0xcd, 0x4c, 0xe8, 0x6d, 0x5a, 0xdd, 0x78, 0xed, 0xbb, 0x11};
    uint8_t packet[12 + sizeof want] = {0x80};
    srtp_policy_t policy = {.ssrc = {ssrc_any_outbound, 0}, .key = key};
    srtp_t ctx;
    int len = 12;

    if (create_plain(SSI_SRTP_AES_192_CM_HMAC_SHA1_80, &policy, &ctx) != srtp_err_status_ok)
        return false;
    bool right = srtp_protect(ctx, packet, &len) == srtp_err_status_ok &&
                 memcmp(packet + 12, want, sizeof want) == 0;
    srtp_dealloc(ctx);
    return right;
}

/* Key derivation stays with libsrtp2's own AES. Where that is NSS, its library is loaded with the first session and unloaded
 * with the last: one stock session that lives as long as the process makes a new session 80 times cheaper. Failing to make
 * it costs speed only. */
static void keep_anchor(void)
{
    uint8_t key[30] = {0};
    srtp_policy_t policy = {.ssrc = {ssrc_any_outbound, 0}, .key = key};

    if (create_plain(SSI_SRTP_AES_CM_128_HMAC_SHA1_80, &policy, &anchor) != srtp_err_status_ok)
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

/* Registration comes after srtp_init, which fails where unknown ids are present already.
 * srtp_init's own result is of no use: an error when somebody else has called it, which suits us; what is truly wrong shows
 * when a session is made. With `again`, after somebody called srtp_shutdown, the same is done once more. */
static struct usable make_ready(bool again)
{
    pthread_mutex_lock(&lock);
    if (!tried || again) {
        tried = true;
        (void)srtp_init();
        usable.ours = register_ours();
        if (!anchor)
            keep_anchor();
        right_192 = usable.stock_192 = stock_192_works();
    }
    struct usable now = usable;
    pthread_mutex_unlock(&lock);
    return now;
}

secsip_result ssi_srtp_engine_replace(void)
{
    static const srtp_cipher_type_t *const ciphers[] = {
        &ssi_srtp_own_ctr_128, &ssi_srtp_own_ctr_192, &ssi_srtp_own_ctr_256};
    bool good = make_ready(false).ours;

    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < sizeof ciphers / sizeof ciphers[0] && good; i++)
        good = srtp_replace_cipher_type(ciphers[i], ciphers[i]->id) == srtp_err_status_ok;
    good = good &&
           srtp_replace_auth_type(&ssi_srtp_own_hmac_sha1, SRTP_HMAC_SHA1) == srtp_err_status_ok;
    pthread_mutex_unlock(&lock);
    return good ? 0 : SECSIP_E_SRTP_LIBRARY;
}

/* With our ciphers where wanted and usable, else with stock; *ret_private says which. */
static srtp_err_status_t try_create(struct ssi_srtp_form form, bool want_private, struct usable can,
                                    srtp_policy_t *policy, struct ssi_srtp_room *room, srtp_t *ret,
                                    bool *ret_private)
{
    *ret_private = want_private && can.ours;
    if (!*ret_private && form.suite->cipher == SRTP_AES_ICM_192 && !can.stock_192)
        return srtp_err_status_no_such_op;
    return apply(form, *ret_private, policy, room, CREATE, ret);
}

/* Whether another try may do better. */
static bool hopeful(srtp_err_status_t status)
{
    return status != srtp_err_status_ok && status != srtp_err_status_alloc_fail;
}

static secsip_result result_of(srtp_err_status_t status)
{
    switch (status) {
    case srtp_err_status_ok:
        return 0;
    case srtp_err_status_alloc_fail:
        return SECSIP_E_NOMEM;
    case srtp_err_status_no_such_op:
        return SECSIP_E_SRTP_SUITE;
    default:
        return SECSIP_E_SRTP_LIBRARY;
    }
}

secsip_result ssi_srtp_engine_create(struct ssi_srtp_form form, bool *stock, srtp_policy_t *policy,
                                     struct ssi_srtp_room *room, srtp_t *ret)
{
    bool private;
    struct usable can = make_ready(false);

#ifdef SECSIP_STOCK_CIPHERS
    *stock = true;
#endif
    srtp_err_status_t status = try_create(form, !*stock, can, policy, room, ret, &private);

    if (hopeful(status)) {
        can = make_ready(true);
        status = try_create(form, !*stock, can, policy, room, ret, &private);
    }
    if (private && hopeful(status)) /* the packets are the same, made more slowly */
        status = try_create(form, false, can, policy, room, ret, &private);
    if (status == srtp_err_status_ok)
        *stock = !private;
    return result_of(status);
}

static secsip_result change(srtp_t ctx, struct ssi_srtp_form form, bool stock,
                            srtp_policy_t *policy, struct ssi_srtp_room *room, enum action action)
{
    srtp_err_status_t status = apply(form, !stock, policy, room, action, &ctx);

    if (hopeful(status)) {
        (void)make_ready(true);
        status = apply(form, !stock, policy, room, action, &ctx);
    }
    return result_of(status);
}

secsip_result ssi_srtp_engine_add(srtp_t ctx, struct ssi_srtp_form form, bool stock,
                                  srtp_policy_t *policy)
{
    return change(ctx, form, stock, policy, NULL, ADD);
}

secsip_result ssi_srtp_engine_update(srtp_t ctx, struct ssi_srtp_form form, bool stock,
                                     srtp_policy_t *policy, struct ssi_srtp_room *room)
{
    return change(ctx, form, stock, policy, room, UPDATE);
}

size_t ssi_srtp_engine_room(const struct ssi_srtp_suite_info *suite)
{
    return 2 * (suite->aead ? ssi_srtp_gcm_room()
                            : ssi_srtp_ctr_room(suite->cipher) + ssi_srtp_hmac_room());
}
