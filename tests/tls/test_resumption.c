/* What ends a session's right to be resumed: lists and pins that came in between, time, the keys of tickets, and servers that do
 * not bind their sessions. The rest of resumption: test_profile.c. */
#include "test.h"

#include <stdlib.h>
#include <time.h>

#include <gnutls/gnutls.h>

#include "base/buf.h"
#include "foreign.h"
#include "tls_pair.h"

/* How far GnuTLS's clock goes ahead. It reads another one too, which cannot be set; the two must not be a week apart. */
static time_t ahead;

static time_t give_time(time_t *t)
{
    time_t now = time(NULL) + ahead;

    if (t)
        *t = now;
    return now;
}

enum {
    KEY_NAME = 16, /* what a ticket begins with: which key it is under (RFC 5077 4) */
};

/* The first bytes of the ticket that a ClientHello offers; false: it offers none. RFC 8446 4.1.2, 4.2.11. */
static bool offered_ticket(const uint8_t *hello, size_t len, uint8_t name[KEY_NAME])
{
    size_t at = 5 + 4 + 2 + 32; /* record, message, version, random */

    at += 1 + (size_t)hello[at];
    at += 2 + ((size_t)hello[at] << 8 | hello[at + 1]);
    at += 1 + (size_t)hello[at];
    at += 2;
    while (at + 4 <= len) {
        size_t type = (size_t)hello[at] << 8 | hello[at + 1];
        if (type == 41) {
            memcpy(name, hello + at + 8, KEY_NAME);
            return true;
        }
        at += 4 + ((size_t)hello[at + 2] << 8 | hello[at + 3]);
    }
    return false;
}

/* One connection. 1: resumed, 0: not, negative: the client's failure. name: of the ticket it offered, zeroed for none. */
static int32_t live(secsip_tls_profile *cp, secsip_tls_profile *sp, uint8_t name[KEY_NAME])
{
    struct tls_pair p;
    char byte;

    tls_pair_open(&p, cp, sp, "example.test", LAB_NOW);
    struct ssi_buf *out = ssi_tls_session_output(p.client);
    memset(name, 0, KEY_NAME);
    offered_ticket((const uint8_t *)ssi_buf_slice(out).p, out->len, name);
    tls_pair_pump(&p);
    int32_t r = ssi_tls_session_failure(p.client)->result;
    if (ssi_tls_session_state(p.client) == SSI_TLS_OPEN) {
        assert_int_equal(ssi_tls_session_read(p.client, &byte, 1), 0);
        assert_int_equal(ssi_tls_session_info(p.client)->verified, 1);
        r = (int32_t)ssi_tls_session_info(p.client)->resumed;
    }
    tls_pair_close(&p);
    return r;
}

static secsip_tls_profile *resuming(enum lab_cert identity, uint32_t versions)
{
    secsip_tls_profile *p = lab_profile(identity);

    assert_int_equal(secsip_tls_profile_set_resumption(p, SECSIP_TLS_RESUME_ALL), 0);
    assert_int_equal(ssi_tls_profile_set_version(p, versions), 0);
    return p;
}

static void list_the_server(secsip_tls_profile *p)
{
    char *crl = lab_crl(LAB_CA, LAB_UNTIL);

    assert_int_equal(secsip_tls_profile_add_crl_pem(p, crl, strlen(crl)), 0);
    free(crl);
}

static void pin_another(secsip_tls_profile *p)
{
    char pin[65];

    lab_pin(LAB_RSA, pin);
    assert_int_equal(secsip_tls_profile_add_pin(p, pin), 0);
}

static void trust_nobody(secsip_tls_profile *p)
{
    assert_int_equal(secsip_tls_profile_set_options(p, SECSIP_TLS_ALLOW_CN), 0);
}

static void what_came_in_between_counts(void **state)
{
    (void)state;
    static const struct {
        void (*change)(secsip_tls_profile *p);
        secsip_result result;
    } rows[] = {
        {list_the_server, SECSIP_E_TLS_CERT_REVOKED},
        {pin_another, SECSIP_E_TLS_CERT_PIN},
        {trust_nobody, 0}, /* nothing against it, and no session of the old rules all the same */
    };
    uint8_t name[KEY_NAME];

    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        uint32_t version = i % 2 ? SECSIP_TLS_VERSION_1_2 : SECSIP_TLS_VERSION_1_3;
        secsip_tls_profile *cp = resuming(LAB_N, version), *sp = resuming(LAB_REVOKED, version);
        secsip_tls_profile *next = lab_profile(LAB_N);
        assert_int_equal(live(cp, sp, name), 0);
        assert_int_equal(live(cp, sp, name), 1);
        rows[i / 2].change(next);
        assert_int_equal(secsip_tls_profile_replace(cp, next), 0);
        assert_int_equal(live(cp, sp, name), rows[i / 2].result);
        secsip_tls_profile_unref(next);
        secsip_tls_profile_unref(cp);
        secsip_tls_profile_unref(sp);
    }
}

/* A server chooses when it sends its ticket: one that comes behind the new rules is of a session under the old ones, and so is
 * a session that was begun with a ticket before they came. */
static void what_was_accepted_under_old_rules_is_not_resumed_under_new_ones(void **state)
{
    (void)state;
    uint8_t name[KEY_NAME];
    struct tls_pair p;

    for (int begun = 0; begun < 2; begun++) {
        secsip_tls_profile *cp = resuming(LAB_N, SECSIP_TLS_VERSION_1_3),
                           *sp = resuming(LAB_SERVER, SECSIP_TLS_VERSION_1_3), *next;
        char byte;
        const char *other = lab_chain(LAB_OTHERCA);
        assert_int_equal(secsip_tls_profile_new(&next), 0);
        assert_int_equal(secsip_tls_profile_add_trust_pem(next, other, strlen(other)), 0);
        if (begun)
            assert_int_equal(live(cp, sp, name), 0);
        tls_pair_open(&p, cp, sp, "example.test", LAB_NOW);
        if (!begun) {
            tls_pair_carry(p.client, p.server, 0);
            tls_pair_carry(p.server, p.client, 0);
            assert_int_equal(ssi_tls_session_state(p.client), SSI_TLS_OPEN);
        }
        assert_int_equal(secsip_tls_profile_replace(cp, next), 0);
        tls_pair_pump(&p);
        if (begun)
            assert_int_equal(ssi_tls_session_failure(p.client)->result,
                             SECSIP_E_TLS_CERT_UNTRUSTED);
        else
            assert_int_equal(ssi_tls_session_read(p.client, &byte, 1), 0);
        tls_pair_close(&p);
        assert_int_equal(live(cp, sp, name), SECSIP_E_TLS_CERT_UNTRUSTED);
        secsip_tls_profile_unref(next);
        secsip_tls_profile_unref(sp);
        secsip_tls_profile_unref(cp);
    }
}

static void a_servers_rules_count_for_clients_that_come_back(void **state)
{
    (void)state;
    uint8_t name[KEY_NAME], key[64] = {1};

    for (int i = 0; i < 2; i++) {
        uint32_t version = i % 2 ? SECSIP_TLS_VERSION_1_2 : SECSIP_TLS_VERSION_1_3;
        secsip_tls_profile *cp = resuming(LAB_REVOKED, version),
                           *sp = resuming(LAB_SERVER, version);
        secsip_tls_profile *next = resuming(LAB_SERVER, version);
        struct tls_pair p;
        assert_int_equal(secsip_tls_profile_set_client_cert(sp, SECSIP_TLS_CLIENT_CERT_REQUIRE), 0);
        assert_int_equal(secsip_tls_profile_set_ticket_key(sp, key, sizeof key), 0);
        assert_int_equal(live(cp, sp, name), 0);
        assert_int_equal(live(cp, sp, name), 1);
        /* The client is revoked, and the same ticket key goes on, as on a node that has been restarted. */
        assert_int_equal(secsip_tls_profile_set_client_cert(next, SECSIP_TLS_CLIENT_CERT_REQUIRE),
                         0);
        assert_int_equal(secsip_tls_profile_set_ticket_key(next, key, sizeof key), 0);
        list_the_server(next);
        assert_int_equal(secsip_tls_profile_replace(sp, next), 0);
        tls_pair_open(&p, cp, sp, "example.test", LAB_NOW);
        tls_pair_pump(&p);
        assert_int_equal(ssi_tls_session_failure(p.server)->result, SECSIP_E_TLS_CERT_REVOKED);
        tls_pair_close(&p);
        secsip_tls_profile_unref(next);
        secsip_tls_profile_unref(cp);
        secsip_tls_profile_unref(sp);
    }
}

static void tickets_end_and_their_keys_change_with_time(void **state)
{
    (void)state;
    secsip_tls_profile *cp = resuming(LAB_N, SECSIP_TLS_VERSION_1_3),
                       *sp = resuming(LAB_SERVER, SECSIP_TLS_VERSION_1_3);
    uint8_t first[KEY_NAME], later[KEY_NAME];

    ahead = 0;
    assert_int_equal(live(cp, sp, first), 0);
    assert_int_equal(live(cp, sp, first), 1);
    ahead += 3600;
    assert_int_equal(live(cp, sp, later), 1);
    ahead += 5 * 3600; /* a ticket lives for 4 hours */
    assert_int_equal(live(cp, sp, later), 0);
    /* Within two days there are several keys, whatever the hour at which they change. What was resumed ends as well, four
     * hours after its full handshake. */
    int n_changed = 0, n_full = 0;
    assert_int_equal(live(cp, sp, first), 1);
    for (int hour = 0; hour < 48; hour += 2) {
        ahead += 2 * 3600;
        n_full += live(cp, sp, later) == 0;
        n_changed += memcmp(first, later, KEY_NAME) != 0;
        memcpy(first, later, KEY_NAME);
    }
    print_message("%d keys and %d full handshakes in 48 hours\n", n_changed + 1, n_full);
    assert_in_range(n_changed, 3, 5);
    assert_in_range(n_full, 7, 9);
    secsip_tls_profile_unref(cp);
    secsip_tls_profile_unref(sp);
}

static void ticket_keys_are_set_while_nodes_run(void **state)
{
    (void)state;
    secsip_tls_profile *cp = resuming(LAB_N, SECSIP_TLS_VERSION_1_3), *node[2];
    uint8_t name[KEY_NAME], before[KEY_NAME], key[64] = {0};

    for (int i = 0; i < 2; i++) {
        node[i] = resuming(LAB_SERVER, SECSIP_TLS_VERSION_1_3);
        assert_int_equal(secsip_tls_profile_set_ticket_key(node[i], key, sizeof key), 0);
    }
    for (int round = 0; round < 3; round++) {
        assert_int_equal(live(cp, node[0], name), 0);
        assert_int_equal(live(cp, node[1], name), 1);
        assert_int_equal(live(cp, node[0], name), 1);
        if (round > 0)
            assert_memory_not_equal(name, before, KEY_NAME);
        memcpy(before, name, KEY_NAME);
        key[0]++;
        for (int i = 0; i < 2; i++)
            assert_int_equal(secsip_tls_profile_set_ticket_key(node[i], key, sizeof key), 0);
    }
    assert_int_equal(secsip_tls_profile_set_ticket_key(node[0], key, 10), SECSIP_E_INVALID);
    for (int i = 0; i < 2; i++)
        secsip_tls_profile_unref(node[i]);
    secsip_tls_profile_unref(cp);
}

/* At a server that is not ours. 1: resumed. */
static int32_t visit(secsip_tls_profile *cp, const gnutls_datum_t *ticket_key, const char *priority)
{
    struct ssi_tls_config config = {.profile = cp, .domain = "example.test", .wall_s = LAB_NOW};
    struct foreign f;

    foreign_open(&f, &config, GNUTLS_SERVER, priority);
    foreign_show_server(&f);
    assert_int_equal(gnutls_session_ticket_enable_server(f.tls, ticket_key), 0);
    assert_int_equal(foreign_handshake(&f), 0);
    assert_int_equal(ssi_tls_session_state(f.ours), SSI_TLS_OPEN);
    int32_t resumed = (int32_t)ssi_tls_session_info(f.ours)->resumed;
    foreign_end(&f);
    return resumed;
}

/* RFC 7627 5.3: without the extended master secret somebody between may have made both ends agree on one. */
static void tls12_sessions_are_resumed_only_where_they_are_bound(void **state)
{
    (void)state;
    static const struct {
        const char *priority;
        int32_t resumed;
    } rows[] = {{"NORMAL:-VERS-ALL:+VERS-TLS1.2", 1},
                {"NORMAL:-VERS-ALL:+VERS-TLS1.2:%NO_SESSION_HASH", 0}};
    gnutls_datum_t ticket_key;

    assert_int_equal(gnutls_session_ticket_key_generate(&ticket_key), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        secsip_tls_profile *cp = resuming(LAB_N, 0);
        assert_int_equal(visit(cp, &ticket_key, rows[i].priority), 0);
        assert_int_equal(visit(cp, &ticket_key, rows[i].priority), rows[i].resumed);
        secsip_tls_profile_unref(cp);
    }
    gnutls_free(ticket_key.data);
}

static int set_up(void **state)
{
    (void)state;
    lab_open();
    gnutls_global_set_time_function(give_time);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    gnutls_global_set_time_function(time);
    lab_close();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_came_in_between_counts),
        cmocka_unit_test(what_was_accepted_under_old_rules_is_not_resumed_under_new_ones),
        cmocka_unit_test(a_servers_rules_count_for_clients_that_come_back),
        cmocka_unit_test(tickets_end_and_their_keys_change_with_time),
        cmocka_unit_test(ticket_keys_are_set_while_nodes_run),
        cmocka_unit_test(tls12_sessions_are_resumed_only_where_they_are_bound),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
