/* Trust on first use: what is remembered and when, what a changed key is, and that nothing turns what is insecure into what is
 * known. The store in a file: tests/api/test_known_keys.c. */
#include "test.h"

#include <stdio.h>

#include "tls_pair.h"

enum {
    MAX_KEYS = 20
};

static struct {
    char domains[MAX_KEYS][64];
    char pins[MAX_KEYS][64];
    size_t n;
    int n_stored;
    int32_t lookup_error, store_error;
} memory;

static int32_t look_up(const char *domain, uint32_t index, char *pin, size_t cap, void *user_data)
{
    assert_ptr_equal(user_data, &memory);
    if (memory.lookup_error)
        return memory.lookup_error;
    for (size_t i = 0; i < memory.n; i++)
        if (strcmp(memory.domains[i], domain) == 0 && index-- == 0) {
            snprintf(pin, cap, "%s", memory.pins[i]);
            return 0;
        }
    return SECSIP_E_NOT_FOUND;
}

static void remember(const char *domain, const char *pin)
{
    assert_true(memory.n < MAX_KEYS);
    snprintf(memory.domains[memory.n], sizeof memory.domains[0], "%s", domain);
    snprintf(memory.pins[memory.n++], sizeof memory.pins[0], "%s", pin);
}

static int32_t store(const char *domain, const char *pin, void *user_data)
{
    assert_ptr_equal(user_data, &memory);
    memory.n_stored++;
    if (memory.store_error)
        return memory.store_error;
    remember(domain, pin);
    return 0;
}

static const secsip_tls_known_keys keys = {
    .size = sizeof keys, .lookup = look_up, .store = store, .user_data = &memory};

enum {
    BESIDE = SECSIP_TLS_KNOWN_KEYS_BESIDE_CHAIN,
    INSTEAD = SECSIP_TLS_KNOWN_KEYS_INSECURE_INSTEAD_OF_CHAIN,
    FIRST = SECSIP_TLS_INSECURE_FIRST_USE,
    KNOWN = SECSIP_TLS_ALLOW_KNOWN_KEY,
};

/* What came of one handshake. */
struct outcome {
    secsip_result result;
    uint32_t relaxed, verified, resumed;
    char check[32], expected[128], found[256], text[512];
};

static struct outcome meet_as(secsip_tls_profile *cp, enum lab_cert server)
{
    secsip_tls_profile *sp = lab_profile(server);
    struct outcome o = {0};
    struct tls_pair p;

    tls_pair_open(&p, cp, sp, "example.test", LAB_NOW);
    tls_pair_pump(&p);
    const struct ssi_tls_failure *f = ssi_tls_session_failure(p.client);
    o.result = f->result;
    if (f->result < 0) {
        snprintf(o.check, sizeof o.check, "%s", f->check);
        snprintf(o.expected, sizeof o.expected, "%s", f->expected);
        snprintf(o.found, sizeof o.found, "%s", f->found);
        snprintf(o.text, sizeof o.text, "%s", f->text);
        print_message("%s\n", f->text);
    } else {
        assert_int_equal(ssi_tls_session_state(p.client), SSI_TLS_OPEN);
        o.relaxed = ssi_tls_session_info(p.client)->relaxed;
        o.verified = ssi_tls_session_info(p.client)->verified;
        /* Who was met for the first time has proved no name. */
        assert_int_equal(ssi_tls_session_peer_is(p.client, "example.test"),
                         (o.relaxed & SSI_TLS_INSECURE_OPTIONS) == 0);
    }
    tls_pair_close(&p);
    secsip_tls_profile_unref(sp);
    return o;
}

static secsip_tls_profile *profile_of(uint32_t mode, uint32_t options)
{
    secsip_tls_profile *cp = lab_profile(LAB_N);

    assert_int_equal(secsip_tls_profile_set_known_keys(cp, mode, &keys), 0);
    assert_int_equal(secsip_tls_profile_set_options(cp, options), 0);
    assert_int_equal(secsip_tls_profile_set_resumption(cp, SECSIP_TLS_RESUME_OFF), 0);
    return cp;
}

static struct outcome meet(uint32_t mode, uint32_t options, enum lab_cert server)
{
    secsip_tls_profile *cp = profile_of(mode, options);
    struct outcome o = meet_as(cp, server);

    secsip_tls_profile_unref(cp);
    return o;
}

static void forget_all(void)
{
    memset(&memory, 0, sizeof memory);
}

static void the_first_key_is_remembered_and_the_second_must_be_the_same(void **state)
{
    (void)state;
    static const struct {
        uint32_t mode;
        enum lab_cert server, other;
        uint32_t first, later;
    } rows[] = {
        {BESIDE, LAB_SERVER, LAB_URIONLY, 0, 0},
        {INSTEAD, LAB_SERVER, LAB_URIONLY, 0, 0},
        {INSTEAD, LAB_SERVER, LAB_SELFSIGNED, 0, 0},
        {INSTEAD, LAB_FROM_OTHERCA, LAB_SELFSIGNED, FIRST, KNOWN},
        {INSTEAD, LAB_SELFSIGNED, LAB_SERVER, FIRST, KNOWN},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char other[64];
        forget_all();
        meet(rows[i].mode, 0, rows[i].other); /* to learn its pin */
        assert_int_equal(memory.n_stored, 1);
        strcpy(other, memory.pins[0]);
        forget_all();
        struct outcome o = meet(rows[i].mode, 0, rows[i].server);
        assert_int_equal(o.result, 0);
        assert_int_equal(o.relaxed, rows[i].first);
        assert_int_equal(o.verified, rows[i].first == 0);
        assert_int_equal(memory.n_stored, 1);
        assert_string_equal(memory.domains[0], "example.test");
        o = meet(rows[i].mode, 0, rows[i].server);
        assert_int_equal(o.result, 0);
        assert_int_equal(o.relaxed, rows[i].later);
        assert_int_equal(memory.n_stored, 1);
        /* Another key is an error that names both, and no option forgives it. */
        for (int k = 0; k < 2; k++) {
            o = meet(rows[i].mode, k ? SECSIP_TLS_INSECURE_ANY : 0, rows[i].other);
            assert_int_equal(o.result, SECSIP_E_TLS_CERT_KEY);
            assert_string_equal(o.check, "known key");
            assert_string_equal(o.expected, memory.pins[0]);
            assert_string_equal(o.found, other);
            assert_non_null(strstr(o.text, memory.pins[0]));
            assert_non_null(strstr(o.text, other));
        }
        assert_int_equal(memory.n_stored, 1);
        /* The application may know several keys of a domain. */
        remember("example.test", other);
        assert_int_equal(meet(rows[i].mode, 0, rows[i].other).result, 0);
        assert_int_equal(meet(rows[i].mode, 0, rows[i].server).result, 0);
    }
}

static void only_what_passes_the_other_checks_is_remembered(void **state)
{
    (void)state;
    static const struct {
        uint32_t mode, options;
        enum lab_cert server;
        secsip_result result;
        int stored;
    } rows[] = {
        {BESIDE, 0, LAB_FROM_OTHERCA, SECSIP_E_TLS_CERT_UNTRUSTED, 0},
        {BESIDE, 0, LAB_SELFSIGNED, SECSIP_E_TLS_CERT_SELF_SIGNED, 0},
        {BESIDE, 0, LAB_WRONGNAME, SECSIP_E_TLS_CERT_NAME, 0},
        {INSTEAD, 0, LAB_WRONGNAME, SECSIP_E_TLS_CERT_NAME, 0},
        {INSTEAD, 0, LAB_EXPIRED, SECSIP_E_TLS_CERT_EXPIRED, 0},
        {INSTEAD, 0, LAB_CLIENTONLY, SECSIP_E_TLS_CERT_PURPOSE, 0},
        {INSTEAD, 0, LAB_WEAKRSA, SECSIP_E_TLS_CERT_WEAK, 0},
        {INSTEAD, 0, LAB_WILDCARD, SECSIP_E_TLS_CERT_NAME, 0},
        {INSTEAD, SECSIP_TLS_ALLOW_WILDCARD, LAB_WILDCARD, 0, 1},
        {BESIDE, SECSIP_TLS_ALLOW_EXPIRED, LAB_EXPIRED, 0, 1},
        /* It would count as known from then on. */
        {BESIDE, SECSIP_TLS_INSECURE_ANY, LAB_FROM_OTHERCA, 0, 0},
        {BESIDE, SECSIP_TLS_INSECURE_SELF_SIGNED, LAB_SELFSIGNED, 0, 0},
        {INSTEAD, SECSIP_TLS_INSECURE_ANY, LAB_WRONGNAME, 0, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        forget_all();
        print_message("row %zu\n", i);
        assert_int_equal(meet(rows[i].mode, rows[i].options, rows[i].server).result,
                         rows[i].result);
        assert_int_equal(memory.n_stored, rows[i].stored);
    }
}

static int32_t say_yes(const secsip_tls_question *q, void *user_data)
{
    *(uint32_t *)user_data = q->first_use << 31 | q->failed;
    return 0;
}

static void an_insecure_decision_is_not_remembered(void **state)
{
    (void)state;
    secsip_tls_profile *cp = profile_of(BESIDE, 0), *again = profile_of(BESIDE, 0);
    uint32_t asked = 0;

    forget_all();
    assert_int_equal(secsip_tls_profile_set_insecure_decision(cp, say_yes, &asked), 0);
    assert_int_equal(meet_as(cp, LAB_FROM_OTHERCA).relaxed, SECSIP_TLS_INSECURE_DECISION);
    assert_int_equal(asked, 1U << 31 | SECSIP_TLS_CHECK_TRUST);
    assert_int_equal(memory.n_stored, 0);
    assert_int_equal(meet_as(cp, LAB_SERVER).relaxed, 0);
    assert_int_equal(asked, 1U << 31);
    assert_int_equal(memory.n_stored, 1);
    /* It is told of a changed key, and may accept it. */
    assert_int_equal(meet_as(cp, LAB_URIONLY).relaxed, SECSIP_TLS_INSECURE_DECISION);
    assert_int_equal(asked, SECSIP_TLS_CHECK_KNOWN_KEY);
    assert_int_equal(meet_as(again, LAB_URIONLY).result, SECSIP_E_TLS_CERT_KEY);
    secsip_tls_profile_unref(cp);
    secsip_tls_profile_unref(again);
}

static void a_store_that_fails_refuses(void **state)
{
    (void)state;
    forget_all();
    memory.lookup_error = SECSIP_E_FILE;
    struct outcome o = meet(BESIDE, SECSIP_TLS_INSECURE_ANY, LAB_SERVER);
    assert_int_equal(o.result, SECSIP_E_TLS_CERT_KEY);
    assert_string_equal(o.check, "known key");
    assert_non_null(strstr(o.text, "store"));
    assert_int_equal(memory.n_stored, 0);
    forget_all();
    memory.store_error = SECSIP_E_TIMEOUT;
    o = meet(BESIDE, 0, LAB_SERVER);
    assert_int_equal(o.result, SECSIP_E_TLS_CERT_KEY);
    assert_non_null(strstr(o.text, "store"));
    /* Somebody else met the same domain at the same time, and another key. */
    forget_all();
    memory.store_error = SECSIP_E_TLS_CERT_KEY;
    o = meet(BESIDE, 0, LAB_SERVER);
    assert_int_equal(o.result, SECSIP_E_TLS_CERT_KEY);
}

static void a_key_is_remembered_only_when_the_handshake_has_proved_it(void **state)
{
    (void)state;
    secsip_tls_profile *cp = profile_of(INSTEAD, 0), *sp = lab_profile(LAB_SELFSIGNED);
    struct tls_pair p;

    forget_all();
    assert_int_equal(ssi_tls_profile_set_version(cp, SECSIP_TLS_VERSION_1_2), 0);
    tls_pair_open(&p, cp, sp, "example.test", LAB_NOW);
    /* The server's certificate has come and is judged: the client's next flight is out. */
    tls_pair_carry(p.client, p.server, 0);
    tls_pair_carry(p.server, p.client, 0);
    assert_true(ssi_tls_session_output(p.client)->len > 0);
    assert_int_equal(ssi_tls_session_state(p.client), SSI_TLS_HANDSHAKE);
    assert_int_equal(memory.n_stored, 0);
    tls_pair_pump(&p);
    assert_int_equal(ssi_tls_session_state(p.client), SSI_TLS_OPEN);
    assert_int_equal(memory.n_stored, 1);
    tls_pair_close(&p);
    secsip_tls_profile_unref(cp);
    secsip_tls_profile_unref(sp);
}

static void a_resumed_session_needs_its_key_still(void **state)
{
    (void)state;
    static const uint32_t versions[] = {SECSIP_TLS_VERSION_1_2, SECSIP_TLS_VERSION_1_3};

    for (int i = 0; i < 2; i++) {
        secsip_tls_profile *cp = lab_profile(LAB_N), *sp = lab_profile(LAB_SERVER);
        forget_all();
        assert_int_equal(secsip_tls_profile_set_known_keys(cp, BESIDE, &keys), 0);
        assert_int_equal(secsip_tls_profile_set_resumption(cp, SECSIP_TLS_RESUME_ALL), 0);
        assert_int_equal(secsip_tls_profile_set_resumption(sp, SECSIP_TLS_RESUME_ALL), 0);
        assert_int_equal(ssi_tls_profile_set_version(cp, versions[i]), 0);
        for (int k = 0; k < 3; k++) {
            struct tls_pair p;
            char byte;
            if (k == 2)
                strcpy(memory.pins[0], "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
            tls_pair_open(&p, cp, sp, "example.test", LAB_NOW);
            tls_pair_pump(&p);
            if (k < 2)
                assert_int_equal(ssi_tls_session_read(p.client, &byte, 1), 0);
            if (k < 2)
                assert_int_equal(ssi_tls_session_info(p.client)->resumed, k);
            else
                assert_int_equal(ssi_tls_session_failure(p.client)->result, SECSIP_E_TLS_CERT_KEY);
            tls_pair_close(&p);
        }
        secsip_tls_profile_unref(cp);
        secsip_tls_profile_unref(sp);
    }
}

static void servers_ask_no_store(void **state)
{
    (void)state;
    secsip_tls_profile *sp = lab_profile(LAB_SERVER), *cp = lab_profile(LAB_CLIENT_OTHERCA);
    struct tls_pair p;

    forget_all();
    memory.lookup_error = SECSIP_E_FILE;
    assert_int_equal(secsip_tls_profile_set_known_keys(sp, INSTEAD, &keys), 0);
    assert_int_equal(secsip_tls_profile_set_client_cert(sp, SECSIP_TLS_CLIENT_CERT_REQUIRE), 0);
    tls_pair_open(&p, cp, sp, "example.test", LAB_NOW);
    tls_pair_pump(&p);
    assert_int_equal(ssi_tls_session_failure(p.server)->result, SECSIP_E_TLS_CERT_UNTRUSTED);
    tls_pair_close(&p);
    secsip_tls_profile_unref(cp);
    secsip_tls_profile_unref(sp);
}

static void the_setter_says_what_is_wrong(void **state)
{
    (void)state;
    secsip_tls_profile *p = lab_profile(LAB_N);
    secsip_tls_known_keys half = keys, old = keys;

    half.store = NULL;
    old.size = offsetof(secsip_tls_known_keys, store);
    assert_int_equal(secsip_tls_profile_set_known_keys(p, BESIDE, NULL), SECSIP_E_INVALID);
    assert_int_equal(secsip_tls_profile_set_known_keys(p, BESIDE, &half), SECSIP_E_INVALID);
    assert_int_equal(secsip_tls_profile_set_known_keys(p, BESIDE, &old), SECSIP_E_ABI);
    assert_int_equal(secsip_tls_profile_set_known_keys(p, 3, &keys), SECSIP_E_INVALID);
    assert_int_equal(secsip_tls_profile_set_known_keys(p, SECSIP_TLS_KNOWN_KEYS_OFF, NULL), 0);
    secsip_tls_profile_unref(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_key_is_remembered_and_the_second_must_be_the_same),
        cmocka_unit_test(only_what_passes_the_other_checks_is_remembered),
        cmocka_unit_test(an_insecure_decision_is_not_remembered),
        cmocka_unit_test(a_store_that_fails_refuses),
        cmocka_unit_test(a_key_is_remembered_only_when_the_handshake_has_proved_it),
        cmocka_unit_test(a_resumed_session_needs_its_key_still),
        cmocka_unit_test(servers_ask_no_store),
        cmocka_unit_test(the_setter_says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, lab_set_up, lab_tear_down);
}
