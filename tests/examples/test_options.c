/* What the command lines of the example programs share. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "options.h"

static void numbers_are_whole_and_in_range(void **state)
{
    uint64_t v = 7;

    (void)state;
    assert_true(options_number("0", 10, &v));
    assert_int_equal(v, 0);
    assert_true(options_number("65535", 65535, &v));
    assert_int_equal(v, 65535);
    assert_true(options_number("18446744073709551615", UINT64_MAX, &v));
    assert_false(options_number("18446744073709551616", UINT64_MAX, &v));
    assert_false(options_number("65536", 65535, &v));
    assert_false(options_number("", 10, &v));
    assert_false(options_number("-1", 10, &v));
    assert_false(options_number("1x", 10, &v));
    assert_false(options_number("9", 5, &v));
}

static void seconds_may_have_a_fraction(void **state)
{
    uint32_t ms = 0;

    (void)state;
    assert_true(options_seconds("2.5", &ms));
    assert_int_equal(ms, 2500);
    assert_true(options_seconds("8", &ms));
    assert_int_equal(ms, 8000);
    assert_true(options_seconds("0.0009", &ms));
    assert_int_equal(ms, 0);
    assert_true(options_seconds("86400", &ms));
    assert_false(options_seconds("86401", &ms));
    assert_false(options_seconds("99999999999999", &ms));
    assert_false(options_seconds(".", &ms));
    assert_false(options_seconds("1.2.3", &ms));
    assert_false(options_seconds("1s", &ms));
}

static void the_password_comes_from_a_file_or_the_environment(void **state)
{
    char path[] = "/tmp/secsip-password-XXXXXX";
    const char *why;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "from file\r\nsecond line\n", 23), 23);
    close(fd);
    setenv("SECSIP_PASSWORD", "from environment", 1);
    char *password = options_password(path, &why);
    assert_string_equal(password, "from file");
    options_wipe(password);
    password = options_password(NULL, &why);
    assert_string_equal(password, "from environment");
    options_wipe(password);
    unsetenv("SECSIP_PASSWORD");
    assert_null(options_password(NULL, &why));
    assert_null(why);
    unlink(path);
    assert_null(options_password(path, &why));
    assert_non_null(why);
    options_wipe(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_whole_and_in_range),
        cmocka_unit_test(seconds_may_have_a_fraction),
        cmocka_unit_test(the_password_comes_from_a_file_or_the_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
