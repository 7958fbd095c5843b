/* The searches of sip/bytes.h, with vector instructions and without, against the plainest way to say the same. */
#include "test.h"

#include <stdlib.h>

#include "seed.h"
#include "sip/bytes.h"

/* The same header again, as a processor without SSE2 sees it. */
#undef SSI_SIP_BYTES_H
#undef __SSE2__
#define ssi_sip_find_control  plain_find_control
#define ssi_sip_has_bad_label plain_has_bad_label
#include "sip/bytes.h"
#undef ssi_sip_find_control
#undef ssi_sip_has_bad_label

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_bytes_are_found_where_they_are),
        cmocka_unit_test(bad_labels_are_found_at_every_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
