/* Our ciphers for the whole process, where a program asks for them: others' packets and ours are what they were. */
#include "common.h"
#include "suites.h"

#include <srtp2/srtp.h>

static srtp_t theirs(bool gcm, bool send, int tag)
{
    static uint8_t key[46];
    srtp_policy_t p = {
        .ssrc = {send ? ssrc_any_outbound : ssrc_any_inbound, 0}, .key = key, .window_size = 128};
    srtp_t s = NULL;

    memset(key, 0x5a, sizeof key);
    if (gcm && tag == 8) {
        srtp_crypto_policy_set_aes_gcm_128_8_auth(&p.rtp);
        srtp_crypto_policy_set_aes_gcm_128_8_auth(&p.rtcp);
    } else if (gcm) {
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&p.rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&p.rtcp);
    } else {
        srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&p.rtp);
        srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&p.rtcp);
    }
    assert_int_equal(srtp_create(&s, &p), srtp_err_status_ok);
    return s;
}

static void packets_are_the_same_before_and_after(void **state)
{
    static const struct {
        bool gcm;
        int tag;
    } kinds[] = {{false, 10}, {true, 16}, {true, 8}};
    struct ssi_srtp *ours[SSI_SRTP_AEAD_AES_256_GCM + 1];
    srtp_t before[3];
    uint8_t p[CAP], q[CAP];

    (void)state;
    assert_int_equal(srtp_init(), srtp_err_status_ok);
    for (int i = 0; i < 3; i++)
        before[i] = theirs(kinds[i].gcm, true, kinds[i].tag);
    for (int k = 1; k <= SSI_SRTP_AEAD_AES_256_GCM; k = next_suite(k)) {
        struct ssi_srtp_config c = config_of((enum ssi_srtp_suite)k, SSI_SRTP_SEND, 1);
        ours[k] = session(&c);
    }
    assert_int_equal(ssi_srtp_replace_ciphers(), 0);
    assert_int_equal(ssi_srtp_replace_ciphers(), 0); /* again is no harm */
    for (int i = 0; i < 3; i++) {
        srtp_t after = theirs(kinds[i].gcm, true, kinds[i].tag);
        for (uint32_t seq = 0; seq < 300; seq++) {
            int n = (int)clear_rtp(p, seq, 7, seq), m = n;
            memcpy(q, p, (size_t)n);
            assert_int_equal(srtp_protect(before[i], p, &n), srtp_err_status_ok);
            assert_int_equal(srtp_protect(after, q, &m), srtp_err_status_ok);
            assert_int_equal(n, m);
            assert_memory_equal(p, q, (size_t)n);
        }
        srtp_dealloc(before[i]);
        srtp_dealloc(after);
    }
    for (int k = 1; k <= SSI_SRTP_AEAD_AES_256_GCM; k = next_suite(k)) {
        struct ssi_srtp_config c = config_of((enum ssi_srtp_suite)k, SSI_SRTP_SEND, 1);
        struct ssi_srtp *after = session(&c);
        assert_int_equal(ssi_srtp_is_stock(after), BUILT_STOCK);
        for (uint32_t seq = 0; seq < 100; seq++) {
            size_t n = protected_rtp(ours[k], p, seq, 7), m = protected_rtp(after, q, seq, 7);
            assert_int_equal(n, m);
            assert_memory_equal(p, q, n);
            n = protected_rtcp(ours[k], p, 7);
            m = protected_rtcp(after, q, 7);
            assert_memory_equal(p, q, n);
        }
        ssi_srtp_free(ours[k]);
        ssi_srtp_free(after);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_are_the_same_before_and_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
