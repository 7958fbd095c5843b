/* Packets there and back between our sessions and libre's, for every suite that both know: RTP over a roll-over, RTCP, forms,
 * and what each refuses. Built where libre is installed (Debian: libre-dev). */
#include "common.h"

#include <re.h>

#include "seed.h"

/* With a 32-bit suite libre gives SRTCP the short tag as well, which RFC 3711 5.2 and RFC 4568 6.2.2 leave at 80 bits: its
 * SRTCP is compared with the suite of the long tag, whose keys are the same. */
static const struct {
    enum ssi_srtp_suite ours;
    enum srtp_suite theirs, theirs_rtcp;
} suites[] = {
    {SSI_SRTP_AES_CM_128_HMAC_SHA1_80, SRTP_AES_CM_128_HMAC_SHA1_80, SRTP_AES_CM_128_HMAC_SHA1_80},
    {SSI_SRTP_AES_CM_128_HMAC_SHA1_32, SRTP_AES_CM_128_HMAC_SHA1_32, SRTP_AES_CM_128_HMAC_SHA1_80},
    {SSI_SRTP_AES_256_CM_HMAC_SHA1_80, SRTP_AES_256_CM_HMAC_SHA1_80, SRTP_AES_256_CM_HMAC_SHA1_80},
    {SSI_SRTP_AES_256_CM_HMAC_SHA1_32, SRTP_AES_256_CM_HMAC_SHA1_32, SRTP_AES_256_CM_HMAC_SHA1_80},
    {SSI_SRTP_AEAD_AES_128_GCM, SRTP_AES_128_GCM, SRTP_AES_128_GCM},
    {SSI_SRTP_AEAD_AES_256_GCM, SRTP_AES_256_GCM, SRTP_AES_256_GCM},
};

enum {
    N_SUITES = sizeof suites / sizeof suites[0]
};

static struct srtp *libre(enum srtp_suite suite, const struct ssi_srtp_config *c, int flags)
{
    struct srtp *s = NULL;

    assert_int_equal(srtp_alloc(&s, suite, c->key.bytes, c->key.len, flags), 0);
    return s;
}

typedef int libre_fn(struct srtp *, struct mbuf *);

static int with_libre(libre_fn *fn, struct srtp *s, uint8_t *p, size_t *len)
{
    struct mbuf mb = {.buf = p, .size = CAP, .pos = 0, .end = *len};
    int r = fn(s, &mb);

    *len = mb.end;
    return r;
}

/* With CSRCs and a header extension as chance will have it. */
static size_t random_rtp(uint64_t *seed, uint8_t *p, uint32_t seq, uint32_t ssrc)
{
    size_t n = clear_rtp(p, seq, ssrc, 0);
    uint32_t csrcs = test_below(seed, 4) ? 0 : test_below(seed, 16);
    uint32_t words = test_below(seed, 4) ? 0 : 1 + test_below(seed, 6);
    uint32_t payload = test_below(seed, 1400);

    p[0] |= (uint8_t)(csrcs | (words ? 0x10 : 0));
    p[1] = (uint8_t)test_below(seed, 128);
    for (uint32_t i = 0; i < 4 * csrcs; i++)
        p[n++] = (uint8_t)test_random(seed);
    if (words) {
        put32(p + n, 0xbede0000U | words);
        n += 4;
        memset(p + n, 0, (size_t)4 * words);
        n += (size_t)4 * words;
    }
    for (uint32_t i = 0; i < payload; i++)
        p[n++] = (uint8_t)test_random(seed);
    return n;
}

static void rtp_of_each_is_the_others_too(void **state)
{
    uint64_t seed = test_seed();

    (void)state;
    for (size_t k = 0; k < N_SUITES; k++) {
        struct ssi_srtp_config c = config_of(suites[k].ours, SSI_SRTP_SEND, 3);
        struct ssi_srtp *tx = session(&c);
        struct srtp *their_tx = libre(suites[k].theirs, &c, 0),
                    *their_rx = libre(suites[k].theirs, &c, 0);
        c.direction = SSI_SRTP_RECEIVE;
        struct ssi_srtp *rx = session(&c);
        for (uint32_t i = 0; i < 600; i++) {
            uint8_t clear[CAP], p[CAP], q[CAP];
            uint32_t ssrc = 1 + i % 2;
            size_t len = random_rtp(&seed, clear, 65400 + i, ssrc), n = len, m = len;
            memcpy(p, clear, len);
            memcpy(q, clear, len);
            assert_int_equal(ssi_srtp_protect_rtp(tx, p, &n, CAP), 0);
            assert_int_equal(with_libre(srtp_encrypt, their_tx, q, &m), 0);
            assert_int_equal(n, m);
            assert_memory_equal(p, q, n);
            assert_int_equal(with_libre(srtp_decrypt, their_rx, p, &n), 0);
            assert_int_equal(n, len);
            assert_memory_equal(p, clear, len);
            assert_int_equal(ssi_srtp_unprotect_rtp(rx, q, &m), 0);
            assert_int_equal(m, len);
            assert_memory_equal(q, clear, len);
        }
        ssi_srtp_free(tx);
        ssi_srtp_free(rx);
        mem_deref(their_tx);
        mem_deref(their_rx);
    }
}

static void check_rtcp(size_t k, bool clear_form)
{
    struct ssi_srtp_config c = config_of(suites[k].ours, SSI_SRTP_SEND, 3);
    int flags = clear_form ? SRTP_UNENCRYPTED_SRTCP : 0;

    c.insecure_unencrypted_rtcp = clear_form;
    struct ssi_srtp *tx = session(&c);
    struct srtp *their_tx = libre(suites[k].theirs_rtcp, &c, flags),
                *their_rx = libre(suites[k].theirs_rtcp, &c, flags);
    c.direction = SSI_SRTP_RECEIVE;
    struct ssi_srtp *rx = session(&c);
    for (uint32_t i = 0; i < 200; i++) {
        uint8_t clear[CAP], p[CAP], q[CAP];
        size_t len = clear_rtcp(clear, 1 + i % 2, i), n = len, m = len;
        memcpy(p, clear, len);
        memcpy(q, clear, len);
        assert_int_equal(ssi_srtp_protect_rtcp(tx, p, &n, CAP), 0);
        assert_int_equal(with_libre(srtcp_encrypt, their_tx, q, &m), 0);
        assert_int_equal(n, m); /* the first index is 1 here and 0 or 1 there: bytes may differ */
        assert_int_equal(with_libre(srtcp_decrypt, their_rx, p, &n), 0);
        assert_int_equal(n, len);
        assert_memory_equal(p, clear, len);
        assert_int_equal(ssi_srtp_unprotect_rtcp(rx, q, &m), 0);
        assert_int_equal(m, len);
        assert_memory_equal(q, clear, len);
    }
    ssi_srtp_free(tx);
    ssi_srtp_free(rx);
    mem_deref(their_tx);
    mem_deref(their_rx);
}

static void rtcp_of_each_is_the_others_too(void **state)
{
    (void)state;
    for (size_t k = 0; k < N_SUITES; k++)
        check_rtcp(k, false);
}

static void unencrypted_rtcp_of_each_is_the_others_too(void **state)
{
    (void)state;
    for (size_t k = 0; k < N_SUITES; k++)
        if (suites[k].ours <
            SSI_SRTP_AEAD_AES_128_GCM) /* there libre writes no tag: RFC 7714 9.3 */
            check_rtcp(k, true);
}

static void what_one_refuses_the_other_refuses(void **state)
{
    uint64_t seed = test_seed();

    (void)state;
    for (size_t k = 0; k < N_SUITES; k++) {
        struct ssi_srtp_config c = config_of(suites[k].ours, SSI_SRTP_SEND, 3);
        struct ssi_srtp *tx = session(&c);
        struct srtp *their_rx = libre(suites[k].theirs, &c, 0);
        c.direction = SSI_SRTP_RECEIVE;
        struct ssi_srtp *rx = session(&c);
        for (uint32_t i = 0; i < 300; i++) {
            uint8_t p[CAP], q[CAP];
            size_t len = protected_rtp(tx, p, i, 1), n = len;
            p[test_below(&seed, (uint32_t)len)] ^= (uint8_t)(1 << test_below(&seed, 8));
            memcpy(q, p, len);
            assert_true(ssi_srtp_unprotect_rtp(rx, p, &len) < 0);
            assert_int_not_equal(with_libre(srtp_decrypt, their_rx, q, &n), 0);
        }
        ssi_srtp_free(tx);
        ssi_srtp_free(rx);
        mem_deref(their_rx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rtp_of_each_is_the_others_too),
        cmocka_unit_test(rtcp_of_each_is_the_others_too),
        cmocka_unit_test(unencrypted_rtcp_of_each_is_the_others_too),
        cmocka_unit_test(what_one_refuses_the_other_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
