/* A profile that is renewed in the middle of a handshake: who has been judged by the old rules only is judged again. And what a
 * renewal takes from the replacement, and what stays. */
#include "test.h"

#include <stdio.h>

#include "tls_pair.h"

static int n_stored;

static int32_t look_up(const char *domain, uint32_t index, char *pin, size_t cap, void *user_data)
{
    const char *known = user_data;

    (void)domain;
    if (!known || index > 0)
        return SECSIP_E_NOT_FOUND;
    snprintf(pin, cap, "%s", known);
    return 0;
}

static int32_t store(const char *domain, const char *pin, void *user_data)
{
    (void)domain, (void)pin, (void)user_data;
    n_stored++;
    return 0;
}

/* known: the one key of every domain; NULL: none yet. */
static void remember_keys(secsip_tls_profile *p, const char *known)
{
    const secsip_tls_known_keys keys = {.size = sizeof keys,
                                        .lookup = look_up,
                                        .store = store,
                                        .user_data = (void *)(uintptr_t)known};

    assert_int_equal(
        secsip_tls_profile_set_known_keys(p, SECSIP_TLS_KNOWN_KEYS_BESIDE_CHAIN, &keys), 0);
}

static void trust_others_only(secsip_tls_profile **p)
{
    const char *pem = lab_chain(LAB_OTHERCA);

    secsip_tls_profile_unref(*p);
    assert_int_equal(secsip_tls_profile_new(p), 0);
    assert_int_equal(secsip_tls_profile_add_trust_pem(*p, pem, strlen(pem)), 0);
}

/* Hands over all of what `from` has to say but the end of the last record. */
static void carry_most(struct ssi_tls_session *from, struct ssi_tls_session *to)
{
    struct ssi_buf *out = ssi_tls_session_output(from);
    size_t n = out->len - 20;

    assert_int_equal(ssi_tls_session_input(to, ssi_buf_slice(out).p, n), SSI_TLS_HANDSHAKE);
    ssi_buf_consume(out, n);
}

/* The server's flight has come, but for its last bytes in TLS 1.3: its certificate is accepted, the handshake is not through. */
static void go_to_the_middle(struct tls_pair *p, secsip_tls_profile *cp, secsip_tls_profile *sp,
                             uint32_t version)
{
    assert_int_equal(ssi_tls_profile_set_version(cp, version), 0);
    tls_pair_open(p, cp, sp, "example.test", LAB_NOW);
    tls_pair_carry(p->client, p->server, 0);
    if (version == SECSIP_TLS_VERSION_1_3)
        carry_most(p->server, p->client);
    else
        tls_pair_carry(p->server, p->client, 0);
    assert_int_equal(ssi_tls_session_state(p->client), SSI_TLS_HANDSHAKE);
}

static void a_server_is_judged_by_the_rules_at_the_end(void **state)
{
    (void)state;
    enum {
        FORGETS,
        KNOWS_ANOTHER,
        REMEMBERS_TOO,
        TRUSTS_OTHERS,
        N
    };
    static const struct {
        bool remembers;
        secsip_result result;
        int stored;
    } rows[N] = {
        [FORGETS] = {true, 0, 0},
        [KNOWS_ANOTHER] = {true, SECSIP_E_TLS_CERT_KEY, 0},
        [REMEMBERS_TOO] = {false, 0, 1},
        [TRUSTS_OTHERS] = {false, SECSIP_E_TLS_CERT_UNTRUSTED, 0},
    };

    for (int i = 0; i < 2 * N; i++) {
        secsip_tls_profile *cp = lab_profile(LAB_N), *sp = lab_profile(LAB_SERVER),
                           *next = lab_profile(LAB_N);
        struct tls_pair p;
        int k = i / 2;
        print_message("row %d, TLS 1.%d\n", k, 2 + i % 2);
        n_stored = 0;
        if (rows[k].remembers)
            remember_keys(cp, NULL);
        if (k == KNOWS_ANOTHER)
            remember_keys(next, "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        if (k == REMEMBERS_TOO)
            remember_keys(next, NULL);
        if (k == TRUSTS_OTHERS)
            trust_others_only(&next);
        go_to_the_middle(&p, cp, sp, i % 2 ? SECSIP_TLS_VERSION_1_3 : SECSIP_TLS_VERSION_1_2);
        assert_int_equal(secsip_tls_profile_replace(cp, next), 0);
        secsip_tls_profile_unref(next);
        tls_pair_pump(&p);
        assert_int_equal(ssi_tls_session_failure(p.client)->result, rows[k].result);
        assert_int_equal(ssi_tls_session_state(p.client),
                         rows[k].result < 0 ? SSI_TLS_FAILED : SSI_TLS_OPEN);
        assert_int_equal(n_stored, rows[k].stored);
        tls_pair_close(&p);
        secsip_tls_profile_unref(cp);
        secsip_tls_profile_unref(sp);
    }
}

static void a_client_is_judged_by_the_rules_at_the_end(void **state)
{
    (void)state;
    secsip_tls_profile *cp = lab_profile(LAB_ALICE), *sp = lab_profile(LAB_SERVER), *next = NULL;
    const char *chain = lab_chain(LAB_SERVER), *key = lab_key(LAB_SERVER);
    struct tls_pair p;

    trust_others_only(&next);
    assert_int_equal(
        secsip_tls_profile_set_identity_pem(next, chain, strlen(chain), key, strlen(key)), 0);
    assert_int_equal(secsip_tls_profile_set_client_cert(sp, SECSIP_TLS_CLIENT_CERT_REQUEST), 0);
    tls_pair_open(&p, cp, sp, "example.test", LAB_NOW);
    tls_pair_carry(p.client, p.server, 0);
    tls_pair_carry(p.server, p.client, 0);
    carry_most(p.client, p.server);
    assert_int_equal(secsip_tls_profile_replace(sp, next), 0);
    secsip_tls_profile_unref(next);
    tls_pair_pump(&p);
    assert_int_equal(ssi_tls_session_failure(p.server)->result, SECSIP_E_TLS_CERT_UNTRUSTED);
    tls_pair_close(&p);
    secsip_tls_profile_unref(cp);
    secsip_tls_profile_unref(sp);
}

static struct {
    secsip_tls_profile *profile;
    int n;
} renewer;

static int32_t renew(const secsip_tls_question *question, void *user_data)
{
    secsip_tls_profile *next = lab_profile(LAB_N);

    (void)question, (void)user_data;
    assert_int_equal(secsip_tls_profile_replace(renewer.profile, next), SECSIP_E_BUSY);
    assert_string_equal(secsip_tls_profile_error(renewer.profile)->found, "in the middle of it");
    secsip_tls_profile_unref(next);
    renewer.n++;
    return 0;
}

static void not_while_a_peer_is_being_judged(void **state)
{
    (void)state;
    secsip_tls_profile *cp = lab_profile(LAB_N), *sp = lab_profile(LAB_SERVER),
                       *next = lab_profile(LAB_N);
    struct tls_pair p;

    renewer.profile = cp;
    assert_int_equal(secsip_tls_profile_set_decision(cp, renew, NULL), 0);
    tls_pair_open(&p, cp, sp, "example.test", LAB_NOW);
    tls_pair_pump(&p);
    assert_int_equal(ssi_tls_session_state(p.client), SSI_TLS_OPEN);
    assert_int_equal(renewer.n, 1);
    assert_int_equal(secsip_tls_profile_replace(cp, next), 0);
    secsip_tls_profile_unref(next);
    tls_pair_close(&p);
    secsip_tls_profile_unref(cp);
    secsip_tls_profile_unref(sp);
}

/* How a client fares at a server: the server's result, 0 when both are through. *ret_from: From is bound to its certificate. */
static secsip_result meet(enum lab_cert client, uint32_t version, secsip_tls_profile *sp,
                          bool *ret_from)
{
    secsip_tls_profile *cp = lab_profile(client);
    struct tls_pair p;

    assert_int_equal(ssi_tls_profile_set_version(cp, version), 0);
    tls_pair_open(&p, cp, sp, "example.test", LAB_NOW);
    tls_pair_pump(&p);
    secsip_result r = ssi_tls_session_failure(p.server)->result;
    *ret_from = ssi_tls_session_binds_from(p.server);
    tls_pair_close(&p);
    secsip_tls_profile_unref(cp);
    return r;
}

/* Whether a second connection of one client is resumed. */
static bool resumes(secsip_tls_profile *sp)
{
    secsip_tls_profile *cp = lab_profile(LAB_ALICE);
    struct tls_pair p;
    bool resumed = false;
    char byte;

    for (int i = 0; i < 2; i++) {
        tls_pair_open(&p, cp, sp, "example.test", LAB_NOW);
        tls_pair_pump(&p);
        assert_int_equal(ssi_tls_session_state(p.server), SSI_TLS_OPEN);
        assert_int_equal(ssi_tls_session_read(p.client, &byte, 1), 0);
        resumed = ssi_tls_session_info(p.client)->resumed;
        tls_pair_close(&p);
    }
    secsip_tls_profile_unref(cp);
    return resumed;
}

/* A new certificate opens no door: what the replacement does not say stays. */
static void what_is_not_said_stays(void **state)
{
    (void)state;
    secsip_tls_profile *sp = lab_profile(LAB_SERVER), *next = lab_profile(LAB_NOEKU);
    bool from;

    assert_int_equal(secsip_tls_profile_set_client_cert(sp, SECSIP_TLS_CLIENT_CERT_REQUIRE), 0);
    assert_int_equal(secsip_tls_profile_set_from(sp, SECSIP_TLS_FROM_CERTIFIED), 0);
    assert_int_equal(secsip_tls_profile_set_resumption(sp, SECSIP_TLS_RESUME_OFF), 0);
    assert_int_equal(secsip_tls_profile_require_tls13(sp, 1), 0);
    for (int i = 0; i < 2; i++) {
        if (i == 1)
            assert_int_equal(secsip_tls_profile_replace(sp, next), 0);
        assert_int_equal(meet(LAB_N, SECSIP_TLS_VERSION_1_3, sp, &from), SECSIP_E_TLS_CERT_MISSING);
        assert_true(meet(LAB_ALICE, SECSIP_TLS_VERSION_1_2, sp, &from) < 0);
        assert_int_equal(meet(LAB_ALICE, SECSIP_TLS_VERSION_1_3, sp, &from), 0);
        assert_true(from);
        assert_false(resumes(sp));
    }
    secsip_tls_profile_unref(next);
    secsip_tls_profile_unref(sp);
}

static int n_lines;

static void count_line(const char *line, size_t len, void *user_data)
{
    (void)line, (void)len, (void)user_data;
    n_lines++;
}

static void what_is_said_is_taken(void **state)
{
    (void)state;
    secsip_tls_profile *sp = lab_profile(LAB_SERVER), *next = lab_profile(LAB_NOEKU),
                       *cp = lab_profile(LAB_N);
    struct tls_pair p;
    char got[5];
    bool from;

    assert_int_equal(meet(LAB_N, SECSIP_TLS_VERSION_1_2, sp, &from), 0);
    assert_true(resumes(sp));
    tls_pair_open(&p, cp, sp, "example.test", LAB_NOW);
    tls_pair_pump(&p);
    assert_int_equal(secsip_tls_profile_set_client_cert(next, SECSIP_TLS_CLIENT_CERT_REQUIRE), 0);
    assert_int_equal(secsip_tls_profile_set_from(next, SECSIP_TLS_FROM_CERTIFIED), 0);
    assert_int_equal(secsip_tls_profile_set_resumption(next, SECSIP_TLS_RESUME_OFF), 0);
    assert_int_equal(secsip_tls_profile_require_tls13(next, 1), 0);
    assert_int_equal(secsip_tls_profile_set_keylog(next, count_line, NULL), 0);
    assert_int_equal(secsip_tls_profile_replace(sp, next), 0);
    secsip_tls_profile_unref(next);
    assert_int_equal(n_lines, 0);
    assert_int_equal(meet(LAB_N, SECSIP_TLS_VERSION_1_3, sp, &from), SECSIP_E_TLS_CERT_MISSING);
    assert_true(meet(LAB_ALICE, SECSIP_TLS_VERSION_1_2, sp, &from) < 0);
    assert_int_equal(meet(LAB_ALICE, SECSIP_TLS_VERSION_1_3, sp, &from), 0);
    assert_true(from);
    assert_false(resumes(sp));
    assert_true(n_lines > 0);
    /* The connection that stood has its own. */
    assert_int_equal(ssi_tls_session_write(p.client, "hello", 5), 0);
    tls_pair_pump(&p);
    assert_int_equal(ssi_tls_session_read(p.server, got, sizeof got), 5);
    tls_pair_close(&p);
    secsip_tls_profile_unref(cp);
    secsip_tls_profile_unref(sp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_is_judged_by_the_rules_at_the_end),
        cmocka_unit_test(a_client_is_judged_by_the_rules_at_the_end),
        cmocka_unit_test(not_while_a_peer_is_being_judged),
        cmocka_unit_test(what_is_not_said_stays),
        cmocka_unit_test(what_is_said_is_taken),
    };
    return cmocka_run_group_tests(tests, lab_set_up, lab_tear_down);
}
