/* Memory: every allocation of ours made to fail, and no key left behind on the heap. */
#include "test.h"

#include "suites.h"

#include <stdio.h>
#include <stdlib.h>

#include "oom.h"
#include "reference.h"
#include "srtp/srtp.h"

static bool out_of_memory_or_done(secsip_result r)
{
    return r == 0 || (r == SECSIP_E_NOMEM && test_oom_has_failed());
}

static size_t clear_rtp(uint8_t *p, uint8_t seq, uint8_t ssrc)
{
    memset(p, 0, 112);
    p[0] = 0x80;
    p[3] = seq;
    p[11] = ssrc;
    return 112;
}

static void use(struct ssi_srtp *tx, struct ssi_srtp *rx)
{
    assert_true(out_of_memory_or_done(ssi_srtp_set_roc(tx, 9, 0)));
    for (uint8_t ssrc = 1; ssrc <= 4; ssrc++) {
        uint8_t p[512];
        size_t len = clear_rtp(p, 1, ssrc);
        secsip_result r = ssi_srtp_protect_rtp(tx, p, &len, sizeof p);
        assert_true(out_of_memory_or_done(r));
        if (r == 0)
            assert_true(out_of_memory_or_done(ssi_srtp_unprotect_rtp(rx, p, &len)));
        memset(p, 0, 8);
        p[0] = 0x80;
        p[1] = 201;
        p[3] = 1;
        p[7] = ssrc;
        len = 8;
        r = ssi_srtp_protect_rtcp(tx, p, &len, sizeof p);
        assert_true(out_of_memory_or_done(r));
        if (r == 0)
            assert_true(out_of_memory_or_done(ssi_srtp_unprotect_rtcp(rx, p, &len)));
    }
}

static void make_and_use(void *arg)
{
    const enum ssi_srtp_suite *suite = arg;
    struct ssi_srtp_config c = {.direction = SSI_SRTP_SEND, .suite = *suite};
    struct ssi_srtp *tx = NULL, *rx = NULL;

    c.key.len = (uint8_t)ssi_srtp_key_len(*suite);
    memset(c.key.bytes, 0x33, c.key.len);
    assert_true(out_of_memory_or_done(ssi_srtp_new(&c, &tx)));
    c.direction = SSI_SRTP_RECEIVE;
    assert_true(out_of_memory_or_done(ssi_srtp_new(&c, &rx)));
    if (tx && rx)
        use(tx, rx);
    ssi_srtp_free(tx);
    ssi_srtp_free(rx);
}

static void each_failing_allocation_is_an_error_and_no_leak(void **state)
{
    (void)state;
    for (enum ssi_srtp_suite suite = SSI_SRTP_AES_CM_128_HMAC_SHA1_80;
         suite <= SSI_SRTP_AEAD_AES_256_GCM; suite = next_suite(suite))
        assert_true(test_oom_each(make_and_use, &suite) > 5);
}

static void no_packet_but_the_first_allocates(void **state)
{
    (void)state;
    if (BUILT_STOCK) /* those of NSS do, and */
        skip();
    for (enum ssi_srtp_suite suite = SSI_SRTP_AES_CM_128_HMAC_SHA1_80;
         suite <= SSI_SRTP_AEAD_AES_256_GCM; suite = next_suite(suite)) {
        struct ssi_srtp_config c = {.direction = SSI_SRTP_SEND, .suite = suite};
        struct ssi_srtp *tx = NULL, *rx = NULL;
        c.key.len = (uint8_t)ssi_srtp_key_len(suite);
        assert_int_equal(ssi_srtp_new(&c, &tx), 0);
        c.direction = SSI_SRTP_RECEIVE;
        assert_int_equal(ssi_srtp_new(&c, &rx), 0);
        for (uint8_t seq = 0; seq < 200; seq++) {
            uint8_t p[512];
            size_t len = clear_rtp(p, seq, 1);
            if (seq == 1)
                test_oom_count_start();
            assert_int_equal(ssi_srtp_protect_rtp(tx, p, &len, sizeof p), 0);
            assert_int_equal(ssi_srtp_unprotect_rtp(rx, p, &len), 0);
        }
        assert_int_equal(test_oom_count(), 0);
        ssi_srtp_free(tx);
        ssi_srtp_free(rx);
    }
}

/* ---- Keys left behind */

/* Where `bytes`, all of them complemented, are on the heap. Only the heap of the C library is looked at: a sanitizer has its
 * own, and keeps what was freed. */
static unsigned find_on_heap(const uint8_t *complement, size_t n)
{
    FILE *f = fopen("/proc/self/maps", "r");
    char line[512];
    unsigned hits = 0;

    if (!f)
        return 0;
    setvbuf(f, NULL, _IONBF, 0);
    while (fgets(line, sizeof line, f)) {
        char *end;
        if (!strstr(line, "[heap]"))
            continue;
        const uint8_t *p = (const uint8_t *)(uintptr_t)strtoull(line, &end, 16);
        const uint8_t *last = (const uint8_t *)(uintptr_t)strtoull(end + 1, NULL, 16) - n;
        for (; p <= last; p++) {
            size_t i = 0;
            while (i < n && (p[i] ^ complement[i]) == 0xff)
                i++;
            hits += i == n;
        }
    }
    fclose(f);
    return hits;
}

static void complement(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)~p[i];
}

static void a_freed_session_leaves_no_key_on_the_heap(void **state)
{
    static const struct {
        size_t key_len;
        bool aead;
    } parts[] = {{0, false},  {16, false}, {16, false}, {24, false}, {24, false},
                 {32, false}, {32, false}, {16, true},  {32, true}};

    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip();
#endif
    if (BUILT_STOCK) /* they leave copies of their keys behind */
        skip();
    for (int suite = 1; suite <= SSI_SRTP_AEAD_AES_256_GCM; suite = next_suite(suite)) {
        /* Everything that is looked for lies on the stack only, the other way round. */
        struct ssi_srtp_config c = {.direction = SSI_SRTP_SEND,
                                    .suite = (enum ssi_srtp_suite)suite};
        struct ssi_srtp *tx = NULL;
        uint8_t p[256];
        size_t len = clear_rtp(p, 1, 1), rtcp_len = 8;
        c.key.len = (uint8_t)ssi_srtp_key_len(c.suite);
        for (uint8_t i = 0; i < c.key.len; i++)
            c.key.bytes[i] = (uint8_t)((i * 29 + suite * 83) ^ 0xa5);
        struct reference r =
            reference_of(c.key.bytes, parts[suite].key_len, parts[suite].aead, 10, 10);
        assert_int_equal(ssi_srtp_new(&c, &tx), 0);
        assert_int_equal(ssi_srtp_protect_rtp(tx, p, &len, sizeof p), 0);
        memset(p, 0, 8);
        p[0] = 0x80;
        p[1] = 201;
        p[3] = 1;
        assert_int_equal(ssi_srtp_protect_rtcp(tx, p, &rtcp_len, sizeof p), 0);
        complement(c.key.bytes, sizeof c.key.bytes);
        complement((uint8_t *)&r.rtp, sizeof r.rtp);
        complement((uint8_t *)&r.rtcp, sizeof r.rtcp);
        assert_true(find_on_heap(c.key.bytes, c.key.len) > 0); /* the search finds what is there */
        ssi_srtp_free(tx);
        assert_int_equal(find_on_heap(c.key.bytes, 16), 0);
        assert_int_equal(find_on_heap(c.key.bytes + parts[suite].key_len, 12), 0);
        assert_int_equal(find_on_heap(r.rtp.key, 16), 0);
        assert_int_equal(find_on_heap(r.rtp.salt, 12), 0);
        assert_int_equal(find_on_heap(r.rtcp.key, 16), 0);
        assert_int_equal(find_on_heap(r.rtcp.salt, 12), 0);
        assert_int_equal(find_on_heap(r.rtp.auth, 20), 0);
        assert_int_equal(find_on_heap(r.rtcp.auth, 20), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_failing_allocation_is_an_error_and_no_leak),
        cmocka_unit_test(no_packet_but_the_first_allocates),
        cmocka_unit_test(a_freed_session_leaves_no_key_on_the_heap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
