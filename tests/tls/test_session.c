/* Sessions on memory buffers: data, cuts, closes, limits, alerts, what a hostile peer may try. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "foreign.h"
#include "seed.h"
#include "tls_pair.h"

static secsip_tls_profile *client_profile, *server_profile;

static void open_pair(struct tls_pair *p)
{
    tls_pair_open(p, client_profile, server_profile, "example.test", LAB_NOW);
    tls_pair_pump(p);
    assert_int_equal(ssi_tls_session_state(p->client), SSI_TLS_OPEN);
    assert_int_equal(ssi_tls_session_state(p->server), SSI_TLS_OPEN);
}

/* Reads everything there is and compares it with what was sent. */
static void expect_data(struct ssi_tls_session *s, const uint8_t *data, size_t len)
{
    uint8_t got[5000];
    size_t at = 0;
    int32_t n;

    while ((n = ssi_tls_session_read(s, got, sizeof got)) > 0) {
        assert_true(at + (size_t)n <= len);
        assert_memory_equal(got, data + at, (size_t)n);
        at += (size_t)n;
    }
    assert_int_equal(n, 0);
    assert_int_equal(at, len);
}

static void data_passes_both_ways_whatever_the_cuts(void **state)
{
    (void)state;
    static uint8_t data[100000];
    uint64_t seed = test_seed();
    struct tls_pair p;

    open_pair(&p);
    assert_string_equal(ssi_tls_session_info(p.client)->version, "TLS1.3");
    assert_string_equal(ssi_tls_session_info(p.client)->cipher, "AES-256-GCM");
    assert_string_equal(ssi_tls_session_info(p.client)->peer, "example.test");
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)test_random(&seed);
    for (int round = 0; round < 60; round++) {
        size_t len = 1 + test_below(&seed, round < 50 ? 3000 : sizeof data);
        struct ssi_tls_session *from = round % 2 ? p.client : p.server,
                               *to = round % 2 ? p.server : p.client;
        size_t first = test_below(&seed, (uint32_t)len);
        assert_int_equal(ssi_tls_session_write(from, data, first), 0);
        assert_int_equal(ssi_tls_session_write(from, data + first, len - first), 0);
        tls_pair_carry(from, to, 1 + test_below(&seed, 4000));
        expect_data(to, data, len);
    }
    tls_pair_close(&p);
}

static void handshakes_survive_every_cut(void **state)
{
    (void)state;
    struct tls_pair p;

    for (size_t chunk = 1; chunk < 1500; chunk += chunk < 40 ? 1 : 97) {
        tls_pair_open(&p, client_profile, server_profile, "example.test", LAB_NOW);
        p.chunk = chunk;
        tls_pair_pump(&p);
        assert_int_equal(ssi_tls_session_state(p.client), SSI_TLS_OPEN);
        assert_int_equal(ssi_tls_session_state(p.server), SSI_TLS_OPEN);
        tls_pair_close(&p);
    }
}

static void data_right_behind_the_handshake_is_kept(void **state)
{
    (void)state;
    struct tls_pair p;

    /* The client's Finished and its first request arrive in one piece. */
    tls_pair_open(&p, client_profile, server_profile, "example.test", LAB_NOW);
    tls_pair_carry(p.client, p.server, 0);
    tls_pair_carry(p.server, p.client, 0);
    assert_int_equal(ssi_tls_session_state(p.client), SSI_TLS_OPEN);
    assert_int_equal(ssi_tls_session_write(p.client, "OPTIONS", 7), 0);
    tls_pair_carry(p.client, p.server, 0);
    assert_int_equal(ssi_tls_session_state(p.server), SSI_TLS_OPEN);
    expect_data(p.server, (const uint8_t *)"OPTIONS", 7);
    tls_pair_close(&p);
}

static void garbage_ends_the_session_with_an_alert(void **state)
{
    (void)state;
    static const char clear[] =
        "OPTIONS sip:example.test SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1\r\n\r\n";
    uint64_t seed = test_seed();
    struct tls_pair p;

    tls_pair_open(&p, client_profile, server_profile, "example.test", LAB_NOW);
    assert_int_equal(ssi_tls_session_input(p.server, clear, sizeof clear - 1), SSI_TLS_FAILED);
    assert_true(ssi_tls_session_failure(p.server)->result < 0);
    print_message("%s\n", ssi_tls_session_failure(p.server)->text);
    assert_true(ssi_tls_session_output(p.server)->len > 0);
    assert_int_equal(ssi_tls_session_input(p.client, clear, sizeof clear - 1), SSI_TLS_FAILED);
    tls_pair_close(&p);
    for (int round = 0; round < 300; round++) {
        uint8_t noise[600];
        size_t len = 1 + test_below(&seed, sizeof noise);
        for (size_t i = 0; i < len; i++)
            noise[i] = (uint8_t)test_random(&seed);
        if (round % 2)
            memcpy(noise, "\x16\x03\x01\x00\x80", 5);
        tls_pair_open(&p, client_profile, server_profile, "example.test", LAB_NOW);
        assert_true(ssi_tls_session_input(p.server, noise, len) != SSI_TLS_OPEN);
        assert_true(ssi_tls_session_input(p.client, noise, len) != SSI_TLS_OPEN);
        tls_pair_close(&p);
    }
}

static void a_changed_record_is_refused(void **state)
{
    (void)state;
    struct tls_pair p;
    char got[100];

    open_pair(&p);
    assert_int_equal(ssi_tls_session_write(p.client, "hello", 5), 0);
    struct ssi_buf *out = ssi_tls_session_output(p.client);
    out->data[out->off + out->len - 1] ^= 1;
    tls_pair_carry(p.client, p.server, 0);
    assert_int_equal(ssi_tls_session_read(p.server, got, sizeof got), SECSIP_E_TLS_RECORD);
    assert_int_equal(ssi_tls_session_state(p.server), SSI_TLS_FAILED);
    assert_string_equal(ssi_tls_session_failure(p.server)->check, "record");
    tls_pair_carry(p.server, p.client, 0);
    assert_int_equal(ssi_tls_session_read(p.client, got, sizeof got), SECSIP_E_TLS_ALERT);
    tls_pair_close(&p);
}

static void close_notify_is_told_from_truncation(void **state)
{
    (void)state;
    struct tls_pair p;
    char got[100];

    open_pair(&p);
    assert_int_equal(ssi_tls_session_write(p.client, "last words", 10), 0);
    ssi_tls_session_close(p.client);
    ssi_tls_session_close(p.client);
    assert_int_equal(ssi_tls_session_write(p.client, "x", 1), SECSIP_E_STATE);
    tls_pair_carry(p.client, p.server, 0);
    assert_int_equal(ssi_tls_session_read(p.server, got, sizeof got), 10);
    assert_int_equal(ssi_tls_session_state(p.server),
                     SSI_TLS_OPEN); /* an end of the stream here would be a truncation */
    assert_int_equal(ssi_tls_session_read(p.server, got, sizeof got), 0);
    assert_int_equal(ssi_tls_session_state(p.server), SSI_TLS_CLOSED_BY_PEER);
    /* The other direction still works (RFC 8446 6.1). */
    assert_int_equal(ssi_tls_session_write(p.server, "bye", 3), 0);
    tls_pair_carry(p.server, p.client, 0);
    assert_int_equal(ssi_tls_session_read(p.client, got, sizeof got), 3);
    tls_pair_close(&p);
}

static void unsent_bytes_have_a_limit(void **state)
{
    (void)state;
    struct ssi_tls_config config = {.profile = client_profile,
                                    .domain = "example.test",
                                    .wall_s = LAB_NOW,
                                    .max_output = 10000};
    static uint8_t data[20000];
    struct tls_pair p;

    tls_pair_open(&p, client_profile, server_profile, "example.test", LAB_NOW);
    ssi_tls_session_free(p.client);
    assert_int_equal(ssi_tls_session_new(&config, &p.client), 0);
    ssi_tls_session_start(p.client);
    tls_pair_pump(&p);
    assert_int_equal(ssi_tls_session_write(p.client, data, 10001), SECSIP_E_LIMIT);
    assert_int_equal(ssi_tls_session_output(p.client)->len, 0);
    assert_int_equal(ssi_tls_session_write(p.client, data, 9000), 0);
    assert_int_equal(ssi_tls_session_write(p.client, data, 1000), SECSIP_E_LIMIT);
    tls_pair_carry(p.client, p.server, 0);
    expect_data(p.server, data, 9000);
    assert_int_equal(ssi_tls_session_write(p.client, data, 1000), 0);
    tls_pair_close(&p);
}

static void unread_bytes_have_a_limit(void **state)
{
    (void)state;
    static uint8_t data[60000];
    struct tls_pair p;
    int32_t r = 0;

    open_pair(&p);
    for (int i = 0; i < 10 && r >= 0; i++) {
        assert_int_equal(ssi_tls_session_write(p.client, data, sizeof data), 0);
        struct ssi_buf *out = ssi_tls_session_output(p.client);
        r = ssi_tls_session_input(p.server, ssi_buf_slice(out).p, out->len);
        ssi_buf_consume(out, out->len);
    }
    assert_int_equal(r, SECSIP_E_LIMIT);
    tls_pair_close(&p);
}

static void servers_know_whom_a_client_may_speak_for(void **state)
{
    (void)state;
    static const struct {
        enum lab_cert cert;
        bool is_domain;
        uint32_t verified;
        const char *peer;
    } rows[] = {{LAB_PROXY, true, 1, "example.test"},
                {LAB_ALICE, false, 1, "sip:alice@example.test"},
                {LAB_N, false, 0, ""}};
    secsip_tls_profile *sp = lab_profile(LAB_SERVER);

    assert_int_equal(secsip_tls_profile_set_client_cert(sp, SECSIP_TLS_CLIENT_CERT_REQUEST), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        secsip_tls_profile *cp = lab_profile(rows[i].cert);
        struct tls_pair p;
        tls_pair_open(&p, cp, sp, "example.test", LAB_NOW);
        tls_pair_pump(&p);
        assert_int_equal(ssi_tls_session_state(p.server), SSI_TLS_OPEN);
        assert_int_equal(ssi_tls_session_info(p.server)->verified, rows[i].verified);
        assert_string_equal(ssi_tls_session_info(p.server)->peer, rows[i].peer);
        assert_int_equal(ssi_tls_session_peer_is(p.server, "Example.test"), rows[i].is_domain);
        assert_false(ssi_tls_session_peer_is(p.server, "wrong.test"));
        assert_true(ssi_tls_session_peer_is(p.client, "example.test"));
        assert_true(ssi_tls_session_peer_is(p.client, "127.0.0.1"));
        tls_pair_close(&p);
        secsip_tls_profile_unref(cp);
    }
    secsip_tls_profile_unref(sp);
}

static void no_name_is_vouched_for_when_any_certificate_is_accepted(void **state)
{
    (void)state;
    secsip_tls_profile *cp = lab_profile(LAB_N), *sp = lab_profile(LAB_FROM_OTHERCA);
    struct tls_pair p;

    assert_int_equal(secsip_tls_profile_set_options(cp, SECSIP_TLS_INSECURE_ANY), 0);
    tls_pair_open(&p, cp, sp, "example.test", LAB_NOW);
    tls_pair_pump(&p);
    assert_int_equal(ssi_tls_session_state(p.client), SSI_TLS_OPEN);
    assert_false(ssi_tls_session_peer_is(p.client, "example.test"));
    tls_pair_close(&p);
    secsip_tls_profile_unref(cp);
    secsip_tls_profile_unref(sp);
}

static char keylog_text[4000];

static void note_keylog(const char *line, size_t len, void *user_data)
{
    size_t at = strlen(keylog_text);
    assert_ptr_equal(user_data, keylog_text);
    assert_int_equal(strlen(line), len);
    snprintf(keylog_text + at, sizeof keylog_text - at, "%s\n", line);
}

static void key_log_lines_come_on_demand(void **state)
{
    (void)state;
    static const uint32_t versions[] = {SECSIP_TLS_VERSION_1_2, SECSIP_TLS_VERSION_1_3};
    static const char *const labels[] = {"CLIENT_RANDOM ", "CLIENT_TRAFFIC_SECRET_0 "};

    for (int i = 0; i < 2; i++) {
        secsip_tls_profile *cp = lab_profile(LAB_N);
        struct tls_pair p;
        keylog_text[0] = 0;
        assert_int_equal(secsip_tls_profile_set_keylog(cp, note_keylog, keylog_text), 0);
        assert_int_equal(ssi_tls_profile_set_version(cp, versions[i]), 0);
        tls_pair_open(&p, cp, server_profile, "example.test", LAB_NOW);
        tls_pair_pump(&p);
        assert_non_null(strstr(keylog_text, labels[i]));
        /* LABEL, 32 bytes of client random, a secret of at least 32 bytes. */
        assert_true(strcspn(strstr(keylog_text, labels[i]), "\n") >=
                    strlen(labels[i]) + 64 + 1 + 64);
        tls_pair_close(&p);
        secsip_tls_profile_unref(cp);
    }
}

static void versions_that_do_not_meet_fail_on_both_sides(void **state)
{
    (void)state;
    secsip_tls_profile *cp = lab_profile(LAB_N), *sp = lab_profile(LAB_SERVER);
    struct tls_pair p;

    assert_int_equal(ssi_tls_profile_set_version(cp, SECSIP_TLS_VERSION_1_2), 0);
    assert_int_equal(ssi_tls_profile_set_version(sp, SECSIP_TLS_VERSION_1_3), 0);
    tls_pair_open(&p, cp, sp, "example.test", LAB_NOW);
    tls_pair_pump(&p);
    assert_int_equal(ssi_tls_session_state(p.server), SSI_TLS_FAILED);
    assert_int_equal(ssi_tls_session_failure(p.server)->result, SECSIP_E_TLS_HANDSHAKE);
    assert_string_equal(ssi_tls_session_failure(p.server)->check, "cipher");
    assert_int_equal(ssi_tls_session_failure(p.client)->result, SECSIP_E_TLS_ALERT);
    tls_pair_close(&p);
    secsip_tls_profile_unref(cp);
    secsip_tls_profile_unref(sp);
}

static const gnutls_datum_t *foreign_protocol; /* ALPN, or none */

static int meet_foreign(struct foreign *f)
{
    if (foreign_protocol)
        assert_int_equal(gnutls_alpn_set_protocols(f->tls, foreign_protocol, 1, 0), 0);
    return foreign_handshake(f);
}

/* A foreign client at our server. */
static int foreign_visits(struct foreign *f, const char *priority)
{
    struct ssi_tls_config config = {.profile = server_profile, .server = true, .wall_s = LAB_NOW};

    foreign_open(f, &config, GNUTLS_CLIENT, priority);
    return meet_foreign(f);
}

/* Our client at a foreign server. */
static int foreign_serves(struct foreign *f, const char *priority)
{
    struct ssi_tls_config config = {
        .profile = client_profile, .domain = "example.test", .wall_s = LAB_NOW};

    foreign_open(f, &config, GNUTLS_SERVER, priority);
    foreign_show_server(f);
    return meet_foreign(f);
}

static void old_tls_and_weak_ciphers_are_refused(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "NORMAL:-VERS-ALL:+VERS-TLS1.1", "NORMAL:-VERS-ALL:+VERS-TLS1.0",
        "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC:+AES-256-CBC",
        "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA",
        "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+DHE-RSA"};
    struct foreign f;

    assert_int_equal(foreign_visits(&f, "NORMAL:-VERS-ALL:+VERS-TLS1.2"), 0);
    assert_int_equal(ssi_tls_session_state(f.ours), SSI_TLS_OPEN);
    foreign_end(&f);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_true(foreign_visits(&f, refused[i]) < 0);
        assert_int_equal(ssi_tls_session_state(f.ours), SSI_TLS_FAILED);
        assert_int_equal(ssi_tls_session_failure(f.ours)->result, SECSIP_E_TLS_HANDSHAKE);
        print_message("%s\n", ssi_tls_session_failure(f.ours)->text);
        foreign_end(&f);
    }
}

static void servers_of_other_groups_and_versions_are_reached(void **state)
{
    (void)state;
    static const char *const good[] = {
        "NORMAL:-GROUP-ALL:+GROUP-SECP256R1", /* a second hello is needed */
        "NORMAL:-GROUP-ALL:+GROUP-SECP521R1", "NORMAL:-VERS-ALL:+VERS-TLS1.2",
        "NORMAL:-CIPHER-ALL:+CHACHA20-POLY1305", "NORMAL:-CIPHER-ALL:+AES-128-GCM"};
    static const char *const bad[] = {"NORMAL:-VERS-ALL:+VERS-TLS1.1",
                                      "NORMAL:-GROUP-ALL:+GROUP-FFDHE2048",
                                      "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-CBC"};
    struct foreign f;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(foreign_serves(&f, good[i]), 0);
        assert_int_equal(ssi_tls_session_state(f.ours), SSI_TLS_OPEN);
        assert_int_equal(ssi_tls_session_info(f.ours)->verified, 1);
        foreign_end(&f);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_true(foreign_serves(&f, bad[i]) < 0);
        foreign_end(&f);
    }
}

/* RFC 7301: "sip/2" is offered, and chosen by who knows it; nobody has to. */
static void alpn_is_offered_and_never_required(void **state)
{
    (void)state;
    static const char *const theirs[] = {NULL, "sip/2", "h2"};
    static const char *const priorities[] = {"NORMAL:-VERS-ALL:+VERS-TLS1.2", "NORMAL"};
    struct foreign f;

    for (int i = 0; i < 12; i++) {
        const char *name = theirs[i / 4];
        gnutls_datum_t protocol = {(unsigned char *)(uintptr_t)(name ? name : ""),
                                   name ? (unsigned)strlen(name) : 0},
                       chosen = {NULL, 0};
        foreign_protocol = name ? &protocol : NULL;
        assert_int_equal(i & 1 ? foreign_serves(&f, priorities[i / 2 % 2])
                               : foreign_visits(&f, priorities[i / 2 % 2]),
                         0);
        assert_int_equal(ssi_tls_session_state(f.ours), SSI_TLS_OPEN);
        bool agreed = gnutls_alpn_get_selected_protocol(f.tls, &chosen) >= 0;
        assert_int_equal(agreed, i / 4 == 1);
        foreign_end(&f);
    }
    foreign_protocol = NULL;
}

static void renegotiation_is_refused(void **state)
{
    (void)state;
    struct foreign f;
    char byte;

    assert_int_equal(foreign_visits(&f, "NORMAL:-VERS-ALL:+VERS-TLS1.2"), 0);
    gnutls_handshake(f.tls);
    assert_true(ssi_tls_session_read(f.ours, &byte, 1) < 0);
    assert_int_equal(ssi_tls_session_state(f.ours), SSI_TLS_FAILED);
    assert_string_equal(ssi_tls_session_failure(f.ours)->check, "renegotiation");
    foreign_end(&f);
}

static void profiles_say_what_is_wrong_with_their_input(void **state)
{
    (void)state;
    const char *chain = lab_chain(LAB_SERVER), *wrong_key = lab_key(LAB_ALICE);
    struct ssi_tls_config config = {.server = true, .wall_s = LAB_NOW};
    struct ssi_tls_session *s;
    secsip_tls_profile *p;

    assert_int_equal(secsip_tls_profile_new(&p), 0);
    assert_int_equal(secsip_tls_profile_error(p)->result, 0);
    assert_int_equal(secsip_tls_profile_add_trust_file(p, "/nonexistent/ca.pem"), SECSIP_E_FILE);
    assert_non_null(strstr(secsip_tls_profile_error(p)->text, "/nonexistent/ca.pem"));
    assert_int_equal(secsip_tls_profile_add_trust_file(p, "/dev/null"), SECSIP_E_TLS_CREDENTIALS);
    assert_int_equal(secsip_tls_profile_add_trust_pem(p, "nonsense", 8), SECSIP_E_TLS_CREDENTIALS);
    assert_int_equal(
        secsip_tls_profile_set_identity_pem(p, chain, strlen(chain), wrong_key, strlen(wrong_key)),
        SECSIP_E_TLS_CREDENTIALS);
    assert_non_null(strstr(secsip_tls_profile_error(p)->text, "key is not the certificate's"));
    assert_int_equal(secsip_tls_profile_set_options(p, 1U << 30), SECSIP_E_INVALID);
    assert_int_equal(secsip_tls_profile_set_client_cert(p, 3), SECSIP_E_INVALID);
    config.profile = p;
    assert_int_equal(ssi_tls_session_new(&config, &s), SECSIP_E_TLS_CREDENTIALS);
    secsip_tls_profile_unref(p);
    assert_int_equal(secsip_tls_profile_set_options(client_profile, 0), SECSIP_E_STATE);
    config = (struct ssi_tls_config){.profile = client_profile, .domain = "exam ple.test"};
    assert_int_equal(ssi_tls_session_new(&config, &s), SECSIP_E_INVALID);
    config.domain = NULL;
    assert_int_equal(ssi_tls_session_new(&config, &s), SECSIP_E_INVALID);
}

static int set_up(void **state)
{
    (void)state;
    lab_open();
    client_profile = lab_profile(LAB_N);
    server_profile = lab_profile(LAB_SERVER);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    secsip_tls_profile_unref(client_profile);
    secsip_tls_profile_unref(server_profile);
    lab_close();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_passes_both_ways_whatever_the_cuts),
        cmocka_unit_test(handshakes_survive_every_cut),
        cmocka_unit_test(data_right_behind_the_handshake_is_kept),
        cmocka_unit_test(garbage_ends_the_session_with_an_alert),
        cmocka_unit_test(a_changed_record_is_refused),
        cmocka_unit_test(close_notify_is_told_from_truncation),
        cmocka_unit_test(unsent_bytes_have_a_limit),
        cmocka_unit_test(unread_bytes_have_a_limit),
        cmocka_unit_test(servers_know_whom_a_client_may_speak_for),
        cmocka_unit_test(no_name_is_vouched_for_when_any_certificate_is_accepted),
        cmocka_unit_test(key_log_lines_come_on_demand),
        cmocka_unit_test(versions_that_do_not_meet_fail_on_both_sides),
        cmocka_unit_test(old_tls_and_weak_ciphers_are_refused),
        cmocka_unit_test(servers_of_other_groups_and_versions_are_reached),
        cmocka_unit_test(alpn_is_offered_and_never_required),
        cmocka_unit_test(renegotiation_is_refused),
        cmocka_unit_test(profiles_say_what_is_wrong_with_their_input),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
