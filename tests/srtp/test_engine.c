/* What others in the process may do to libsrtp2: initialise it first, initialise it again, shut it down, use its own ciphers,
 * make sessions in other threads. */
#include "test.h"

#include "suites.h"

#include <pthread.h>
#include <stdlib.h>

#include <srtp2/srtp.h>

#include "srtp/srtp.h"

static struct ssi_srtp *session(enum ssi_srtp_suite suite, enum ssi_srtp_direction direction)
{
    struct ssi_srtp_config c = {.direction = direction, .suite = suite};
    struct ssi_srtp *s = NULL;

    c.key.len = (uint8_t)ssi_srtp_key_len(suite);
    memset(c.key.bytes, 0x5a, c.key.len);
    return ssi_srtp_new(&c, &s) == 0 ? s : NULL;
}

static bool passes(struct ssi_srtp *tx, struct ssi_srtp *rx, uint16_t seq)
{
    uint8_t p[256] = {0x80, 0}, clear[256];
    size_t len = 172;

    p[2] = (uint8_t)(seq >> 8);
    p[3] = (uint8_t)seq;
    memcpy(clear, p, len);
    return ssi_srtp_protect_rtp(tx, p, &len, sizeof p) == 0 &&
           ssi_srtp_unprotect_rtp(rx, p, &len) == 0 && len == 172 && memcmp(p, clear, len) == 0;
}

static void somebody_else_initialises_libsrtp2_before_us_and_after(void **state)
{
    (void)state;
    assert_int_equal(srtp_init(), srtp_err_status_ok);
    struct ssi_srtp *tx = session(SSI_SRTP_AES_CM_128_HMAC_SHA1_80, SSI_SRTP_SEND);
    struct ssi_srtp *rx = session(SSI_SRTP_AES_CM_128_HMAC_SHA1_80, SSI_SRTP_RECEIVE);
    assert_non_null(tx);
    assert_non_null(rx);
    assert_int_equal(ssi_srtp_is_stock(tx), BUILT_STOCK);
    assert_true(passes(tx, rx, 1));
    (void)srtp_init();
    assert_true(passes(tx, rx, 2));
    ssi_srtp_free(tx);
    ssi_srtp_free(rx);
}

/* A user of libsrtp2 beside us gets the types he named, and his packets are the same as ours. */
static void other_users_of_libsrtp2_keep_its_own_ciphers(void **state)
{
    uint8_t key[30];
    srtp_policy_t policy = {.ssrc = {ssrc_any_inbound, 0}, .key = key, .window_size = 128};
    srtp_t theirs;
    uint8_t p[256] = {0x80, 0, 0, 9};
    size_t len = 172;

    (void)state;
    memset(key, 0x5a, sizeof key);
    srtp_crypto_policy_set_rtp_default(&policy.rtp);
    srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
    assert_int_equal(srtp_create(&theirs, &policy), srtp_err_status_ok);
    struct ssi_srtp *tx = session(SSI_SRTP_AES_CM_128_HMAC_SHA1_80, SSI_SRTP_SEND);
    assert_non_null(tx);
    assert_int_equal(ssi_srtp_protect_rtp(tx, p, &len, sizeof p), 0);
    int n = (int)len;
    assert_int_equal(srtp_unprotect(theirs, p, &n), srtp_err_status_ok);
    assert_int_equal(n, 172);
    srtp_dealloc(theirs);
    ssi_srtp_free(tx);
}

static void a_shutdown_by_somebody_else_stops_neither_old_nor_new_sessions(void **state)
{
    (void)state;
    for (int suite = 1; suite <= SSI_SRTP_AEAD_AES_256_GCM; suite = next_suite(suite)) {
        for (int again = 0; again < 2; again++) {
            enum ssi_srtp_suite s = (enum ssi_srtp_suite)suite;
            struct ssi_srtp *tx = session(s, SSI_SRTP_SEND), *rx = session(s, SSI_SRTP_RECEIVE);
            assert_non_null(tx);
            assert_non_null(rx);
            assert_true(passes(tx, rx, 1));
            assert_int_equal(srtp_shutdown(), srtp_err_status_ok);
            assert_true(passes(tx, rx, 2));
            if (again)
                assert_int_equal(srtp_init(), srtp_err_status_ok);
            struct ssi_srtp *tx2 = session(s, SSI_SRTP_SEND), *rx2 = session(s, SSI_SRTP_RECEIVE);
            assert_non_null(tx2);
            assert_non_null(rx2);
            assert_int_equal(ssi_srtp_is_stock(tx2), BUILT_STOCK);
            assert_true(passes(tx2, rx2, 1));
            assert_true(passes(tx, rx, 3));
            ssi_srtp_free(tx);
            ssi_srtp_free(rx);
            ssi_srtp_free(tx2);
            ssi_srtp_free(rx2);
        }
    }
}

static void *make_and_use(void *arg)
{
    int *bad = arg;

    for (int round = 0; round < 40; round++) {
        enum ssi_srtp_suite s = (enum ssi_srtp_suite)next_suite(round % SSI_SRTP_AEAD_AES_256_GCM);
        struct ssi_srtp *tx = session(s, SSI_SRTP_SEND), *rx = session(s, SSI_SRTP_RECEIVE);
        if (!tx || !rx)
            *bad += 1;
        else
            for (uint16_t seq = 0; seq < 50; seq++)
                *bad += !passes(tx, rx, seq);
        ssi_srtp_free(tx);
        ssi_srtp_free(rx);
    }
    return NULL;
}

static void threads_make_and_use_sessions_of_their_own(void **state)
{
    pthread_t threads[4];
    int bad[4] = {0};

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_and_use, &bad[i]), 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(bad[i], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(somebody_else_initialises_libsrtp2_before_us_and_after),
        cmocka_unit_test(other_users_of_libsrtp2_keep_its_own_ciphers),
        cmocka_unit_test(a_shutdown_by_somebody_else_stops_neither_old_nor_new_sessions),
        cmocka_unit_test(threads_make_and_use_sessions_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
