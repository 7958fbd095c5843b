/* The searches of sip/bytes.h, with vector instructions and without, against the plainest way to say the same. */
#include "test.h"

#include <stdlib.h>

#include "seed.h"
#include "sip/bytes.h"
#include "sip/read.h"

/* The same header again, as a processor without SSE2 sees it. */
#undef SSI_SIP_BYTES_H
#undef __SSE2__
#define ssi_sip_find_control  plain_find_control
#define ssi_sip_has_bad_label plain_has_bad_label
#define ssi_sip_same          plain_same
#define ssi_sip_find_colon_16 plain_find_colon_16
#define ssi_sip_skip_names_16 plain_skip_names_16
#include "sip/bytes.h"
#undef ssi_sip_find_control
#undef ssi_sip_has_bad_label
#undef ssi_sip_same
#undef ssi_sip_find_colon_16
#undef ssi_sip_skip_names_16

static const char *first_control(const char *p, const char *end)
{
    while (p < end && (unsigned char)*p >= 0x20)
        p++;
    return p;
}

static bool bad_label(const char *p, size_t len)
{
    for (size_t i = 0; i + 1 < len; i++)
        if (memcmp(p + i, "..", 2) == 0 || memcmp(p + i, ".-", 2) == 0 ||
            memcmp(p + i, "-.", 2) == 0)
            return true;
    return false;
}

static void control_bytes_are_found_where_they_are(void **state)
{
    (void)state;
    uint64_t seed = test_seed();

    for (int round = 0; round < 20000; round++) {
        size_t len = test_below(&seed, 70);
        char *exact = malloc(len ? len : 1); /* so that a sanitizer sees the first byte too many */
        for (size_t i = 0; i < len; i++)
            exact[i] = (char)(test_below(&seed, 30) ? 0x20 + test_below(&seed, 224)
                                                    : test_below(&seed, 0x20));
        assert_ptr_equal(ssi_sip_find_control(exact, exact + len),
                         first_control(exact, exact + len));
        assert_ptr_equal(plain_find_control(exact, exact + len), first_control(exact, exact + len));
        free(exact);
    }
}

static void bad_labels_are_found_at_every_place(void **state)
{
    (void)state;
    uint64_t seed = test_seed();

    for (int round = 0; round < 20000; round++) {
        size_t len = test_below(&seed, 70);
        char *exact = malloc(len ? len : 1);
        for (size_t i = 0; i < len; i++)
            exact[i] = test_below(&seed, 12) ? 'a' : ".-"[test_below(&seed, 2)];
        assert_int_equal(ssi_sip_has_bad_label(exact, exact + len), bad_label(exact, len));
        assert_int_equal(plain_has_bad_label(exact, exact + len), bad_label(exact, len));
        free(exact);
    }
}

static void short_texts_are_compared_to_their_last_byte(void **state)
{
    (void)state;
    uint64_t seed = test_seed();

    for (size_t len = 0; len < 40; len++) {
        char *a = malloc(len ? len : 1), *b = malloc(len ? len : 1);
        for (size_t i = 0; i < len; i++)
            a[i] = b[i] = (char)test_below(&seed, 256);
        assert_true(ssi_sip_same(a, b, len));
        for (size_t i = 0; i < len; i++) {
            b[i] ^= 0x20;
            assert_false(ssi_sip_same(a, b, len));
            b[i] ^= 0x20;
        }
        free(a);
        free(b);
    }
}

static void a_colon_is_found_among_sixteen_bytes(void **state)
{
    (void)state;
    for (size_t len = 0; len < 40; len++)
        for (size_t at = 0; at <= len; at++) {
            char *exact = malloc(len ? len : 1);
            memset(exact, 'x', len);
            if (at < len)
                exact[at] = ':';
            const char *expected = at < len && at < 16 ? exact + at : NULL;
            assert_ptr_equal(ssi_sip_find_colon_16(exact, exact + len), expected);
            assert_ptr_equal(plain_find_colon_16(exact, exact + len), expected);
            free(exact);
        }
}

/* The bytes that are skipped sixteen at a time are of every class that is looked for in this way. */
static void every_wide_class_has_the_bytes_of_names(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char sixteen[16];
        memset(sixteen, c, sizeof sixteen);
        bool skipped = ssi_sip_skip_names_16(sixteen, sixteen + 16) == sixteen + 16;
        assert_true(plain_skip_names_16(sixteen, sixteen + 16) == sixteen);
        if (skipped)
            for (unsigned mask = 1; mask < 0x10000; mask <<= 1)
                assert_true((mask & SSI_CH_NARROW) || ssi_sip_is((char)c, mask));
    }
}

static void a_run_ends_where_the_class_or_the_value_ends(void **state)
{
    (void)state;
    uint64_t seed = test_seed();

    for (int round = 0; round < 200000; round++) {
        size_t readable = test_below(&seed, 70), len = test_below(&seed, (uint32_t)readable + 1);
        unsigned mask = 1U << test_below(&seed, 16), rare = 2 + (unsigned)test_below(&seed, 30);
        char *exact = malloc(readable ? readable : 1);
        for (size_t i = 0; i < readable; i++)
            exact[i] = test_below(&seed, rare) ? "aZ09.-"[test_below(&seed, 6)]
                                               : (char)test_below(&seed, 256);
        size_t expected = 0;
        while (expected < len && ssi_sip_is(exact[expected], mask))
            expected++;
        assert_ptr_equal(ssi_sip_skip(exact, exact + len, exact + readable, mask),
                         exact + expected);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_bytes_are_found_where_they_are),
        cmocka_unit_test(bad_labels_are_found_at_every_place),
        cmocka_unit_test(short_texts_are_compared_to_their_last_byte),
        cmocka_unit_test(a_colon_is_found_among_sixteen_bytes),
        cmocka_unit_test(every_wide_class_has_the_bytes_of_names),
        cmocka_unit_test(a_run_ends_where_the_class_or_the_value_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
