/* libsrtp2's process-wide state, see engine.h. Layer: srtp.
 *
 * The library is initialised once, at the first session, and never shut down: others in the process may use it. For the
 * same reason its event handler is left alone and its own ciphers stay in place: ours are added under private ids
 * (ciphers.h). The registry of libsrtp2 keeps the tables for ever: libsecsip is linked with -z nodelete. */
#include "srtp/engine.h"

#include <pthread.h>
#include <string.h>

#include "srtp/ciphers.h"
#include "srtp/derive.h"

enum {
    TRIES_MAX = 3
};

/* What the last preparation came to. */
struct usable {
    bool ours;      /* our types are registered */
    bool stock_192; /* see stock_192_works */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int tries; /* to initialise and register */
static struct usable usable;
static srtp_t anchor; /* see keep_anchor */

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
    uint8_t salt_len = form.suite->aead ? 12 : 14;
    struct ssi_srtp_handover handover = {
        .masters = policy->keys,
        .key_len = (uint8_t)(form.suite->key_len - salt_len),
        .salt_len = salt_len,
        .extensions = policy->enc_xtn_hdr_count > 0,
        .no_auth_rtp = form.no_auth_rtp,
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

/* What one packet of SRTP and one of SRTCP end with, in each suite with another cipher: a master key of the bytes 1 to 46, SSRC 0,
 * index 0 and 1, eight zeros behind the header. The full tag, or the last bytes of it. */
enum {
    PROBE = 10
};

static const struct probe {
    enum ssi_srtp_suite suite;
    uint8_t rtp[PROBE], rtcp[PROBE];
} probes[] = {
    {SSI_SRTP_AES_CM_128_HMAC_SHA1_80,
     {0x07, 0x3e, 0x1c, 0x9c, 0xfe, 0x47, 0x2d, 0x3c, 0x2e, 0x4f},
     {0x07, 0x7a, 0xe5, 0xa7, 0xf6, 0xce, 0xed, 0x29, 0x6d, 0xaa}},
    {SSI_SRTP_AES_192_CM_HMAC_SHA1_80,
     {0x4b, 0x1c, 0x9a, 0xc9, 0x04, 0x13, 0x01, 0x4f, 0xd8, 0x9c},
     {0x8c, 0x8f, 0x78, 0x73, 0x12, 0x1f, 0xc7, 0xd3, 0x08, 0x85}},
    {SSI_SRTP_AES_256_CM_HMAC_SHA1_80,
     {0x33, 0xab, 0xec, 0x06, 0x32, 0x10, 0x72, 0xb2, 0x2d, 0xd9},
     {0x1e, 0x39, 0xc5, 0xc9, 0xde, 0xab, 0xaa, 0x36, 0xaa, 0x96}},
    {SSI_SRTP_AEAD_AES_128_GCM,
     {0x0d, 0xe1, 0x00, 0xf6, 0xea, 0xf6, 0x6c, 0xca, 0x99, 0xa3},
     {0x3e, 0xb0, 0x86, 0x7f, 0x50, 0xb2, 0xd4, 0x2e, 0x8e, 0xbd}},
    {SSI_SRTP_AEAD_AES_256_GCM,
     {0x87, 0x47, 0x48, 0xc4, 0xd5, 0x15, 0x8a, 0xa5, 0x99, 0xea},
     {0x4e, 0x24, 0x45, 0x12, 0xfa, 0xa6, 0xac, 0x4f, 0x34, 0xcb}},
};

static bool probe_right(const struct probe *probe, bool private)
{
    struct ssi_srtp_form form = {.suite = ssi_srtp_suite_info(probe->suite)};
    uint8_t key[46], rtp[20 + SRTP_MAX_TRAILER_LEN] = {0x80};
    uint8_t rtcp[16 + SRTP_MAX_TRAILER_LEN + 4] = {0x80, 201, 0, 3};
    srtp_master_key_t master = {.key = key}, *masters = &master;
    srtp_policy_t policy = {.ssrc = {ssrc_any_outbound, 0}, .keys = &masters, .num_master_keys = 1};
    int rtp_len = 20, rtcp_len = 16;
    srtp_t ctx;

    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(i + 1);
    if (apply(form, private, &policy, NULL, CREATE, &ctx) != srtp_err_status_ok)
        return false;
    bool right = srtp_protect(ctx, rtp, &rtp_len) == srtp_err_status_ok &&
                 srtp_protect_rtcp(ctx, rtcp, &rtcp_len) == srtp_err_status_ok &&
                 memcmp(rtp + rtp_len - PROBE, probe->rtp, PROBE) == 0;
    /* The index stands last with AEAD (RFC 7714 9.1). */
    right = right &&
            memcmp(rtcp + rtcp_len - PROBE - (form.suite->aead ? 4 : 0), probe->rtcp, PROBE) == 0;
    srtp_dealloc(ctx);
    return right;
}

/* Whether libsrtp2's own AES-192 is the one of RFC 6188 (cisco/libsrtp#763: not before 2.8). */
static bool stock_192_works(void)
{
    return probe_right(&probes[1], false);
}

/* Whether this libsrtp2 makes our ciphers in the order that derive.h relies on. */
static bool ours_work(void)
{
    for (size_t i = 0; i < sizeof probes / sizeof probes[0]; i++)
        if (!probe_right(&probes[i], true))
            return false;
    return true;
}

/* libsrtp2 derives keys with its own AES, even those that nobody wants (derive.h). Where that is NSS, its library is loaded with
 * the first session and unloaded with the last: one stock session that lives as long as the process makes a new session 80
 * times cheaper. Failing to make it costs speed only. */
static void keep_anchor(void)
{
    uint8_t key[30] = {0};
    srtp_policy_t policy = {.ssrc = {ssrc_any_outbound, 0}, .key = key};
    struct ssi_srtp_form form = {.suite = ssi_srtp_suite_info(SSI_SRTP_AES_CM_128_HMAC_SHA1_80)};

    if (apply(form, false, &policy, NULL, CREATE, &anchor) != srtp_err_status_ok)
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
 * when a session is made. With `again`, after somebody called srtp_shutdown, the same is done once more; and where ours do not
 * work, because memory was short, a few times with the sessions to come. */
static struct usable make_ready(bool again)
{
    pthread_mutex_lock(&lock);
    if (again || (!usable.ours && tries < TRIES_MAX)) {
        tries++;
        (void)srtp_init();
        if (!anchor)
            keep_anchor();
        usable.ours = register_ours() && ours_work();
        usable.stock_192 = stock_192_works();
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
