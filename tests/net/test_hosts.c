/* A file like /etc/hosts: what counts in it, what does not, and how much of it is read. */
#include "test.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "folder.h"
#include "net/hosts.h"
#include "oom.h"

static char folder[] = "/tmp/secsip-hosts-XXXXXX";
static char path[64];

static const char text[] = "# this machine\n"
                           "127.0.0.1\tlocalhost here\n"
                           "::1 localhost ip6-localhost\r\n"
                           "\n"
                           "192.0.2.1   Sip.Example.TEST  sip # example.org\n"
                           "192.0.2.2 sip.example.test\n"
                           "2001:db8::7 six.test\n"
                           "#192.0.2.3 commented.test\n"
                           "300.0.2.4 wrong.test\n"
                           "fe80::1%eth0 scoped.test\n"
                           "nonsense.test\n"
                           "192.0.2.5 last.test";

static void write_text(const char *what, size_t n_filler)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    for (size_t i = 0; i < n_filler; i++)
        fprintf(f, "0.0.0.0 advertisement%zu.tracker.example.test\n", i);
    assert_true(fputs(what, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void names_are_found_as_they_stand(void **state)
{
    static const struct {
        const char *name;
        enum ssi_rr_type type;
        int32_t n;
        bool known;
        uint8_t last;
    } rows[] = {
        {"localhost", SSI_RR_A, 1, true, 1},
        {"localhost", SSI_RR_AAAA, 1, true, 1},
        {"here", SSI_RR_A, 1, true, 1},
        {"here", SSI_RR_AAAA, 0, true, 0},
        {"sip.example.test", SSI_RR_A, 2, true, 2},
        {"SIP.example.test.", SSI_RR_A, 2, true, 2},
        {"sip", SSI_RR_A, 1, true, 1},
        {"example.org", SSI_RR_A, 0, false, 0},
        {"example.test", SSI_RR_A, 0, false, 0},
        {"six.test", SSI_RR_AAAA, 1, true, 7},
        {"six.test", SSI_RR_A, 0, true, 0},
        {"commented.test", SSI_RR_A, 0, false, 0},
        {"wrong.test", SSI_RR_A, 0, false, 0},
        {"scoped.test", SSI_RR_AAAA, 0, false, 0},
        {"nonsense.test", SSI_RR_A, 0, false, 0},
        {"192.0.2.1", SSI_RR_A, 0, false, 0},
        {"last.test", SSI_RR_A, 1, true, 5},
        {"", SSI_RR_A, 0, false, 0},
    };
    struct ssi_rr rrs[4];
    bool known;

    (void)state;
    write_text(text, 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        print_message("%s\n", rows[i].name);
        int32_t n = ssi_hosts_find(path, rows[i].type, rows[i].name, rrs, 4, &known);
        assert_int_equal(n, rows[i].n);
        assert_int_equal(known, rows[i].known);
        if (n > 0) {
            assert_int_equal(rrs[n - 1].type, rows[i].type);
            assert_int_equal(rrs[n - 1].ttl_s, 60);
            assert_int_equal(rrs[n - 1].addr.ip[rows[i].type == SSI_RR_A ? 3 : 15], rows[i].last);
        }
    }
    /* No more than there is room for, and nothing from what is no file. */
    assert_int_equal(ssi_hosts_find(path, SSI_RR_A, "sip.example.test", rrs, 1, &known), 1);
    assert_int_equal(ssi_hosts_find("/nonexistent", SSI_RR_A, "localhost", rrs, 4, &known), 0);
    assert_false(known);
    assert_int_equal(ssi_hosts_find(folder, SSI_RR_A, "localhost", rrs, 4, &known), 0);
    assert_false(known);
}

/* 5 MB of names, as blockers have them: a bounded part is read, and what stands in front counts. */
static void a_large_file_is_read_in_part(void **state)
{
    struct timespec before, after;
    struct ssi_rr rrs[4];
    bool known;

    (void)state;
    write_text(text, 100000);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    for (int i = 0; i < 10; i++)
        assert_int_equal(ssi_hosts_find(path, SSI_RR_A, "sip.example.test", rrs, 4, &known), 0);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    print_message(
        "%ld us\n",
        ((after.tv_sec - before.tv_sec) * 1000000L + (after.tv_nsec - before.tv_nsec) / 1000) / 10);
    assert_false(known);
    assert_int_equal(
        ssi_hosts_find(path, SSI_RR_A, "advertisement7.tracker.example.test", rrs, 4, &known), 1);
}

static void find_short_of_memory(void *arg)
{
    struct ssi_rr rrs[4];
    bool known;

    (void)arg;
    int32_t n = ssi_hosts_find(path, SSI_RR_A, "sip.example.test", rrs, 4, &known);
    assert_int_equal(n, test_oom_has_failed() ? SECSIP_E_NOMEM : 2);
}

static void want_of_memory_is_no_answer(void **state)
{
    (void)state;
    write_text(text, 0);
    assert_true(test_oom_each(find_short_of_memory, NULL) > 1);
}

static int set_up(void **state)
{
    (void)state;
    test_folder_make(folder);
    snprintf(path, sizeof path, "%s/hosts", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return test_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_as_they_stand),
        cmocka_unit_test(a_large_file_is_read_in_part),
        cmocka_unit_test(want_of_memory_is_no_answer),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
