/* Known keys in a file: what it looks like, who may write it, several programs at once, and one that dies in the middle. */
#include "test.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "api/known_keys.h"
#include "folder.h"
#include "phone.h"
#include "tls_pair.h"

static char folder[] = "/tmp/secsip-known-XXXXXX";
static char path[64];

static void write_file(const char *text, mode_t mode)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void read_file(char *out, size_t cap)
{
    FILE *f = fopen(path, "re");

    assert_non_null(f);
    out[fread(out, 1, cap - 1, f)] = 0;
    fclose(f);
}

static int n_files(void)
{
    DIR *d = opendir(folder);
    int n = 0;

    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d));)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

#define PIN_A "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define PIN_B "sha256//BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA="

static secsip_result meet(enum lab_cert server, uint32_t *ret_relaxed)
{
    secsip_tls_profile *cp = lab_profile(LAB_N), *sp = lab_profile(server);
    struct tls_pair p;

    assert_int_equal(secsip_tls_profile_set_known_keys_file(
                         cp, SECSIP_TLS_KNOWN_KEYS_INSECURE_INSTEAD_OF_CHAIN, path),
                     0);
    tls_pair_open(&p, cp, sp, "example.test", LAB_NOW);
    tls_pair_pump(&p);
    secsip_result r = ssi_tls_session_failure(p.client)->result;
    if (r < 0)
        print_message("%s\n", ssi_tls_session_failure(p.client)->text);
    *ret_relaxed = ssi_tls_session_info(p.client)->relaxed;
    tls_pair_close(&p);
    secsip_tls_profile_unref(cp);
    secsip_tls_profile_unref(sp);
    return r;
}

static void a_peer_is_met_known_changed_and_forgotten(void **state)
{
    (void)state;
    char text[512], before[512];
    uint32_t relaxed;
    struct stat st;

    unlink(path);
    assert_int_equal(meet(LAB_SELFSIGNED, &relaxed), 0);
    assert_int_equal(relaxed, SECSIP_TLS_INSECURE_FIRST_USE);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    read_file(before, sizeof before);
    assert_memory_equal(before, "example.test sha256//", 21);
    assert_int_equal(strlen(before), 13 + 8 + 44 + 1);
    assert_int_equal(meet(LAB_SELFSIGNED, &relaxed), 0);
    assert_int_equal(relaxed, SECSIP_TLS_ALLOW_KNOWN_KEY);
    assert_int_equal(meet(LAB_SERVER, &relaxed), SECSIP_E_TLS_CERT_KEY);
    read_file(text, sizeof text);
    assert_string_equal(text, before);
    assert_int_equal(secsip_tls_known_keys_forget(path, "Example.TEST."), 0);
    assert_int_equal(secsip_tls_known_keys_forget(path, "example.test"), SECSIP_E_NOT_FOUND);
    assert_int_equal(meet(LAB_SERVER, &relaxed), 0);
    assert_int_equal(relaxed, 0);
    assert_int_equal(n_files(), 2); /* the file and its lock, nothing half written */
}

static void what_else_is_in_the_file_stays(void **state)
{
    (void)state;
    static const char other[] = "# our servers\r\n\n  OTHER.test\t" PIN_A "  since Monday\n"
                                "example.test " PIN_A "\nexample.test " PIN_B " # the backup";
    secsip_tls_known_keys keys;
    char text[512], pin[64];
    struct stat st;

    write_file(other, 0640);
    assert_int_equal(ssi_known_keys_open(path, &keys), 0);
    assert_int_equal(keys.lookup("example.test", 0, pin, sizeof pin, keys.user_data), 0);
    assert_string_equal(pin, PIN_A);
    assert_int_equal(keys.lookup("example.test", 1, pin, sizeof pin, keys.user_data), 0);
    assert_string_equal(pin, PIN_B);
    assert_int_equal(keys.lookup("example.test", 2, pin, sizeof pin, keys.user_data),
                     SECSIP_E_NOT_FOUND);
    assert_int_equal(keys.lookup("other.test", 0, pin, sizeof pin, keys.user_data), 0);
    assert_int_equal(keys.store("example.test", PIN_B, keys.user_data), 0); /* known already */
    assert_int_equal(keys.store("other.test", PIN_B, keys.user_data), SECSIP_E_TLS_CERT_KEY);
    read_file(text, sizeof text);
    assert_string_equal(text, other);
    assert_int_equal(keys.store("third.test", PIN_B, keys.user_data), 0);
    read_file(text, sizeof text);
    assert_memory_equal(text, other, sizeof other - 1);
    assert_string_equal(text + sizeof other - 1, "\nthird.test " PIN_B "\n");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(ssi_known_keys_forget(path, "example.test"), 0);
    read_file(text, sizeof text);
    assert_string_equal(text, "# our servers\r\n\n  OTHER.test\t" PIN_A
                              "  since Monday\nthird.test " PIN_B "\n");
    ssi_known_keys_close(keys.user_data);
}

static void a_file_that_proves_nothing_is_refused(void **state)
{
    (void)state;
    static const char second_damaged[] =
        "other.test " PIN_A "\nexample.test sha256//AAAAAAAAAAAAAA";
    static const char *const damaged[] = {"example.test\n", "example.test sha256//AAAA\n",
                                          "example.test sha1//xx\n", second_damaged,
                                          "\x7f\x45\x4c\x46 binary"};
    secsip_tls_profile *p = lab_profile(LAB_N);
    secsip_tls_known_keys keys;
    char pin[64];

    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        write_file(damaged[i], 0600);
        assert_int_equal(secsip_tls_profile_set_known_keys_file(p, 1, path), SECSIP_E_FILE);
        assert_non_null(strstr(secsip_tls_profile_error(p)->text, path));
        assert_int_equal(secsip_tls_known_keys_forget(path, "example.test"), SECSIP_E_FILE);
    }
    write_file("", 0602); /* everybody may write it */
    assert_int_equal(secsip_tls_profile_set_known_keys_file(p, 1, path), SECSIP_E_FILE);
    assert_int_equal(secsip_tls_profile_set_known_keys_file(p, 1, folder), SECSIP_E_FILE);
    assert_int_equal(secsip_tls_profile_set_known_keys_file(p, 1, "/nonexistent/keys"),
                     SECSIP_E_FILE);
    assert_int_equal(secsip_tls_profile_set_known_keys_file(p, 1, ""), SECSIP_E_INVALID);
    assert_int_equal(secsip_tls_known_keys_forget(path, "exam ple"), SECSIP_E_INVALID);
    write_file("", 0600);
    for (uint32_t mode = 0; mode < 3; mode++) /* the last one stands */
        assert_int_equal(secsip_tls_profile_set_known_keys_file(p, mode, path), 0);
    assert_int_equal(secsip_tls_profile_set_known_keys_file(p, 3, path), SECSIP_E_INVALID);
    assert_int_equal(secsip_tls_profile_set_known_keys_file(p, 0, path), 0);
    /* One that is damaged later refuses as well. */
    write_file("", 0600);
    assert_int_equal(ssi_known_keys_open(path, &keys), 0);
    write_file("example.test", 0600);
    assert_int_equal(keys.lookup("example.test", 0, pin, sizeof pin, keys.user_data),
                     SECSIP_E_FILE);
    assert_int_equal(keys.store("example.test", PIN_A, keys.user_data), SECSIP_E_FILE);
    ssi_known_keys_close(keys.user_data);
    secsip_tls_profile_unref(p);
}

enum {
    PROGRAMS = 4,
    DOMAINS = 25
};

/* One of several programs: domains of its own, and one that all of them meet with another key. Exits with 0, or 99. */
static void be_a_program(int number)
{
    secsip_tls_known_keys keys;
    char domain[32], pin[64];

    if (ssi_known_keys_open(path, &keys) < 0)
        _exit(99);
    for (int i = 0; i < DOMAINS; i++) {
        snprintf(domain, sizeof domain, "d%d-%d.test", number, i);
        if (keys.store(domain, PIN_A, keys.user_data) != 0)
            _exit(99);
        snprintf(domain, sizeof domain, "common-%d.test", i);
        snprintf(pin, sizeof pin, "sha256//%c%s", 'A' + number, PIN_A + 9);
        int32_t r = keys.store(domain, pin, keys.user_data);
        if (r != 0 && r != SECSIP_E_TLS_CERT_KEY)
            _exit(99);
    }
    ssi_known_keys_close(keys.user_data);
    _exit(0);
}

static void programs_share_a_file(void **state)
{
    (void)state;
    pid_t children[PROGRAMS];
    secsip_tls_known_keys keys;
    char domain[32], pin[64];
    int status;

    write_file("", 0600);
    for (int i = 0; i < PROGRAMS; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0)
            be_a_program(i);
    }
    for (int i = 0; i < PROGRAMS; i++) {
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    /* Each has its own, and of those that all met one has won. */
    assert_int_equal(ssi_known_keys_open(path, &keys), 0);
    for (int i = 0; i < PROGRAMS * DOMAINS; i++) {
        snprintf(domain, sizeof domain, "d%d-%d.test", i / DOMAINS, i % DOMAINS);
        assert_int_equal(keys.lookup(domain, 0, pin, sizeof pin, keys.user_data), 0);
        snprintf(domain, sizeof domain, "common-%d.test", i % DOMAINS);
        assert_int_equal(keys.lookup(domain, 0, pin, sizeof pin, keys.user_data), 0);
        assert_int_equal(keys.lookup(domain, 1, pin, sizeof pin, keys.user_data),
                         SECSIP_E_NOT_FOUND);
    }
    ssi_known_keys_close(keys.user_data);
    assert_int_equal(n_files(), 2);
}

static void a_lock_ends_with_who_holds_it(void **state)
{
    (void)state;
    char lock[80];
    int status;

    write_file("example.test " PIN_A "\nother.test " PIN_A "\n", 0600);
    snprintf(lock, sizeof lock, "%s.lock", path);
    int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(secsip_tls_known_keys_forget(path, "example.test"), SECSIP_E_TIMEOUT);
    close(fd);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        fd = open(lock, O_RDWR | O_CLOEXEC);
        if (fd >= 0 && flock(fd, LOCK_EX) == 0)
            kill(getpid(), SIGKILL);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(secsip_tls_known_keys_forget(path, "example.test"), 0);
}

/* The lock, as another program would have it. */
static int hold_lock(void)
{
    char lock[80];

    snprintf(lock, sizeof lock, "%s.lock", path);
    int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    return fd;
}

static void expect_file(const char *expected)
{
    char text[512];

    read_file(text, sizeof text);
    assert_string_equal(text, expected);
}

static void expect_known(const secsip_tls_known_keys *keys, const char *domain, const char *pin)
{
    char known[64];

    assert_int_equal(keys->lookup(domain, 0, known, sizeof known, keys->user_data), 0);
    assert_string_equal(known, pin);
    assert_int_equal(keys->lookup(domain, 1, known, sizeof known, keys->user_data),
                     SECSIP_E_NOT_FOUND);
}

static void a_key_waits_for_the_lock_and_nobody_else_does(void **state)
{
    (void)state;
    secsip_tls_known_keys keys;
    struct timespec before, after;

    write_file("", 0600);
    assert_int_equal(ssi_known_keys_open(path, &keys), 0);
    int lock = hold_lock();
    clock_gettime(CLOCK_MONOTONIC, &before);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(keys.store("a.test", PIN_A, keys.user_data), 0);
        assert_int_equal(keys.store("b.test", PIN_B, keys.user_data), 0);
        ssi_known_keys_tend(keys.user_data);
    }
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_true(after.tv_sec - before.tv_sec <
                5); /* thirty times: each could have waited a second */
    expect_file("");
    /* Known to this program, and no other key is. */
    expect_known(&keys, "a.test", PIN_A);
    assert_int_equal(keys.store("a.test", PIN_B, keys.user_data), SECSIP_E_TLS_CERT_KEY);
    /* Who has the lock knows b.test by another key: that one counts. */
    write_file("b.test " PIN_A, 0600);
    expect_known(&keys, "b.test", PIN_A);
    close(lock);
    ssi_known_keys_tend(keys.user_data);
    expect_file("b.test " PIN_A "\na.test " PIN_A "\n");
    assert_int_equal(keys.store("b.test", PIN_B, keys.user_data), SECSIP_E_TLS_CERT_KEY);
    expect_file("b.test " PIN_A "\na.test " PIN_A "\n");
    ssi_known_keys_close(keys.user_data);
}

static void what_waits_is_written_in_the_end(void **state)
{
    (void)state;
    secsip_tls_known_keys keys;
    char domain[32], pin[64];

    /* By the next handshake, or with the profile. */
    for (int close_first = 0; close_first < 2; close_first++) {
        write_file("", 0600);
        assert_int_equal(ssi_known_keys_open(path, &keys), 0);
        int lock = hold_lock();
        assert_int_equal(keys.store("a.test", PIN_A, keys.user_data), 0);
        close(lock);
        if (!close_first)
            assert_int_equal(keys.lookup("c.test", 0, pin, sizeof pin, keys.user_data),
                             SECSIP_E_NOT_FOUND);
        else
            ssi_known_keys_close(keys.user_data);
        expect_file("a.test " PIN_A "\n");
        if (!close_first)
            ssi_known_keys_close(keys.user_data);
    }
    /* What waits is bounded, and too much is an error: nobody is known without being remembered. */
    write_file("", 0600);
    assert_int_equal(ssi_known_keys_open(path, &keys), 0);
    int lock = hold_lock();
    for (int i = 0; i <= 256; i++) {
        snprintf(domain, sizeof domain, "d%d.test", i);
        assert_int_equal(keys.store(domain, PIN_A, keys.user_data), i < 256 ? 0 : SECSIP_E_LIMIT);
    }
    close(lock);
    ssi_known_keys_close(keys.user_data);
    assert_int_equal(ssi_known_keys_open(path, &keys), 0);
    expect_known(&keys, "d255.test", PIN_A);
    assert_int_equal(keys.lookup("d256.test", 0, pin, sizeof pin, keys.user_data),
                     SECSIP_E_NOT_FOUND);
    ssi_known_keys_close(keys.user_data);
}

static bool registered(void *arg)
{
    const struct lab *l = arg;
    return l->alice.reg_state == SECSIP_REGISTRATION_REGISTERED;
}

static void a_connection_that_stands_brings_it_to_the_file(void **state)
{
    (void)state;
    static struct lab l;
    char text[512];

    write_file("", 0600);
    lab_start(&l, LAB_SERVER);
    secsip_tls_profile *p = lab_profile(LAB_N);
    assert_int_equal(
        secsip_tls_profile_set_known_keys_file(p, SECSIP_TLS_KNOWN_KEYS_BESIDE_CHAIN, path), 0);
    lab_phone(&l, &l.alice, "alice", &(secsip_account_config){.profile = p});
    secsip_tls_profile_unref(p);
    int lock = hold_lock();
    assert_int_equal(secsip_account_register(l.alice.account), 0);
    assert_true(simnet_run(l.net, 5000000, registered, &l));
    expect_file("");
    close(lock);
    simnet_run(l.net, 130000000, NULL, NULL);
    read_file(text, sizeof text);
    assert_memory_equal(text, "example.test sha256//", 21);
    secsip_stack_shutdown(simnet_stack(l.alice.host), 2000);
    simnet_run(l.net, 3000000, NULL, NULL);
    lab_stop(&l);
}

static int set_up(void **state)
{
    (void)state;
    lab_open();
    test_folder_make(folder);
    snprintf(path, sizeof path, "%s/keys", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lab_close();
    return test_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_is_met_known_changed_and_forgotten),
        cmocka_unit_test(what_else_is_in_the_file_stays),
        cmocka_unit_test(a_file_that_proves_nothing_is_refused),
        cmocka_unit_test(programs_share_a_file),
        cmocka_unit_test(a_lock_ends_with_who_holds_it),
        cmocka_unit_test(a_key_waits_for_the_lock_and_nobody_else_does),
        cmocka_unit_test(what_waits_is_written_in_the_end),
        cmocka_unit_test(a_connection_that_stands_brings_it_to_the_file),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
