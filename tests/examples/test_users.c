/* The users file of secsip-registrar. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oom.h"
#include "users.h"

static char path[] = "/tmp/secsip-users-XXXXXX";

static void write_file(const char *text, size_t len, unsigned mode)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void names_end_at_the_first_colon(void **state)
{
    (void)state;
    static const char text[] = "# who is who\r\nbob:a:b \r\n\nalice:secret\ncarol:x";
    struct users u;
    char why[256];

    write_file(text, sizeof text - 1, 0600);
    assert_true(users_read(path, &u, why, sizeof why));
    assert_int_equal(u.n, 3);
    assert_string_equal(users_password(&u, "alice"), "secret");
    assert_string_equal(users_password(&u, "bob"), "a:b ");
    assert_string_equal(users_password(&u, "carol"), "x");
    assert_null(users_password(&u, "Alice"));
    assert_null(users_password(&u, "bo"));
    assert_null(users_password(&u, ""));
    users_free(&u);
    assert_null(users_password(&u, "alice"));
}

static void a_line_that_is_no_user_refuses_the_file(void **state)
{
    (void)state;
    char long_line[USERS_LINE + 10] = "a:";
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"alice:secret\nbob\n", "line 2: not \"name:password\""},
        {"alice:\n", "line 1: not \"name:password\""},
        {":secret\n", "line 1: not \"name:password\""},
        {"a:b\nc:d\na:e\n", "user a stands twice"},
    };
    struct users u;
    char why[256];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_file(cases[i].text, strlen(cases[i].text), 0600);
        assert_false(users_read(path, &u, why, sizeof why));
        if (!strstr(why, cases[i].why))
            fail_msg("\"%s\" does not say \"%s\"", why, cases[i].why);
    }
    memset(long_line + 2, 'x', USERS_LINE);
    write_file(long_line, USERS_LINE, 0600);
    assert_false(users_read(path, &u, why, sizeof why));
    assert_non_null(strstr(why, "line 1: too long"));
    assert_false(users_read("/nonexistent/users", &u, why, sizeof why));
    assert_non_null(strstr(why, "No such file"));
}

static void others_who_may_read_it_are_seen(void **state)
{
    (void)state;
    write_file("a:b\n", 4, 0600);
    assert_false(users_is_exposed(path));
    write_file("a:b\n", 4, 0640);
    assert_true(users_is_exposed(path));
    write_file("a:b\n", 4, 0604);
    assert_true(users_is_exposed(path));
}

static void read_once(void *arg)
{
    struct users u;
    char why[256];

    (void)arg;
    if (users_read(path, &u, why, sizeof why))
        users_free(&u);
    else
        assert_true(test_oom_has_failed());
}

static void failing_allocations_leave_nothing_behind(void **state)
{
    (void)state;
    write_file("a:b\nc:d\n", 8, 0600);
    assert_true(test_oom_each(read_once, NULL) >= 4);
}

static int make_path(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_end_at_the_first_colon),
        cmocka_unit_test(a_line_that_is_no_user_refuses_the_file),
        cmocka_unit_test(others_who_may_read_it_are_seen),
        cmocka_unit_test(failing_allocations_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
