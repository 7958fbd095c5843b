/* What a profile can do beyond one certificate and one list of authorities: resumption, pins, revocation lists, several
 * identities, encrypted keys, PKCS#12, renewal while running (FIELD: freeswitch#2287, #775; asterisk#858; pjproject#4535;
 * baresip#401; OpenSIPS#1651). */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "ocsp.h"
#include "oom.h"
#include "tls_pair.h"

static void set_client_options(secsip_tls_profile *p, uint32_t versions, uint32_t resumption)
{
    assert_int_equal(ssi_tls_profile_set_version(p, versions), 0);
    assert_int_equal(secsip_tls_profile_set_resumption(p, resumption), 0);
}

/* A whole life: handshake, a word each way, close. Returns 1 when it was resumed, 0 when not, or the client's failure. */
static int32_t live_at(secsip_tls_profile *cp, secsip_tls_profile *sp, const char *domain,
                       uint64_t client_wall_s, uint64_t server_wall_s)
{
    struct tls_pair p;
    char got[10];
    int32_t r;

    tls_pair_open_at(&p, cp, sp, domain, client_wall_s, server_wall_s);
    tls_pair_pump(&p);
    if (ssi_tls_session_state(p.client) != SSI_TLS_OPEN) {
        r = ssi_tls_session_failure(p.client)->result;
        print_message("%s\n", ssi_tls_session_failure(p.client)->text);
    } else if (ssi_tls_session_state(p.server) != SSI_TLS_OPEN) {
        r = ssi_tls_session_failure(p.server)->result;
        print_message("%s\n", ssi_tls_session_failure(p.server)->text);
    } else {
        assert_int_equal(ssi_tls_session_write(p.client, "hello", 5), 0);
        assert_int_equal(ssi_tls_session_write(p.server, "world", 5), 0);
        tls_pair_pump(&p);
        assert_int_equal(ssi_tls_session_read(p.server, got, sizeof got), 5);
        assert_int_equal(ssi_tls_session_read(p.client, got, sizeof got), 5);
        assert_int_equal(ssi_tls_session_info(p.client)->verified, 1);
        assert_string_equal(ssi_tls_session_info(p.client)->peer, domain);
        assert_true(ssi_tls_session_peer_is(p.client, domain));
        r = (int32_t)ssi_tls_session_info(p.client)->resumed;
        assert_int_equal(ssi_tls_session_info(p.server)->resumed, r);
    }
    tls_pair_close(&p);
    return r;
}

static int32_t live(secsip_tls_profile *cp, secsip_tls_profile *sp, const char *domain,
                    uint64_t wall_s)
{
    return live_at(cp, sp, domain, wall_s, wall_s);
}

static void sessions_are_resumed_as_the_profiles_allow(void **state)
{
    (void)state;
    static const struct {
        uint32_t versions;
        uint32_t client, server;
        int32_t resumed;
    } rows[] = {
        {SECSIP_TLS_VERSION_1_3, SECSIP_TLS_RESUME_TLS13, SECSIP_TLS_RESUME_TLS13, 1},
        {SECSIP_TLS_VERSION_1_2, SECSIP_TLS_RESUME_TLS13, SECSIP_TLS_RESUME_TLS13, 0},
        {SECSIP_TLS_VERSION_1_2, SECSIP_TLS_RESUME_ALL, SECSIP_TLS_RESUME_TLS13, 0},
        {SECSIP_TLS_VERSION_1_2, SECSIP_TLS_RESUME_TLS13, SECSIP_TLS_RESUME_ALL, 0},
        {SECSIP_TLS_VERSION_1_2, SECSIP_TLS_RESUME_ALL, SECSIP_TLS_RESUME_ALL, 1},
        {SECSIP_TLS_VERSION_1_3, SECSIP_TLS_RESUME_ALL, SECSIP_TLS_RESUME_ALL, 1},
        {SECSIP_TLS_VERSION_1_3, SECSIP_TLS_RESUME_OFF, SECSIP_TLS_RESUME_ALL, 0},
        {SECSIP_TLS_VERSION_1_3, SECSIP_TLS_RESUME_ALL, SECSIP_TLS_RESUME_OFF, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        secsip_tls_profile *cp = lab_profile(LAB_N), *sp = lab_profile(LAB_SERVER);
        print_message("row %zu\n", i);
        set_client_options(cp, rows[i].versions, rows[i].client);
        assert_int_equal(secsip_tls_profile_set_resumption(sp, rows[i].server), 0);
        assert_int_equal(live(cp, sp, "example.test", LAB_NOW), 0);
        assert_int_equal(live(cp, sp, "example.test", LAB_NOW), rows[i].resumed);
        assert_int_equal(live(cp, sp, "example.test", LAB_NOW), rows[i].resumed);
        /* A ticket belongs to the domain it was verified for. */
        assert_int_equal(live(cp, sp, "127.0.0.1", LAB_NOW), 0);
        secsip_tls_profile_unref(cp);
        secsip_tls_profile_unref(sp);
    }
}

static void resumption_keeps_no_verdict(void **state)
{
    (void)state;
    static const uint32_t versions[] = {SECSIP_TLS_VERSION_1_2, SECSIP_TLS_VERSION_1_3};

    for (int i = 0; i < 2; i++) {
        /* The certificate expires between two connections. */
        secsip_tls_profile *cp = lab_profile(LAB_N), *sp = lab_profile(LAB_EXPIRED);
        set_client_options(cp, versions[i], SECSIP_TLS_RESUME_ALL);
        assert_int_equal(secsip_tls_profile_set_resumption(sp, SECSIP_TLS_RESUME_ALL), 0);
        assert_int_equal(live(cp, sp, "example.test", LAB_NOW - 100), 0);
        assert_int_equal(live(cp, sp, "example.test", LAB_NOW - 100), 1);
        assert_int_equal(live(cp, sp, "example.test", LAB_NOW), SECSIP_E_TLS_CERT_EXPIRED);
        secsip_tls_profile_unref(cp);
        secsip_tls_profile_unref(sp);
        /* The same for a client's, judged by the server. */
        cp = lab_profile(LAB_CLIENT_EXPIRED);
        sp = lab_profile(LAB_SERVER);
        set_client_options(cp, versions[i], SECSIP_TLS_RESUME_ALL);
        assert_int_equal(secsip_tls_profile_set_resumption(sp, SECSIP_TLS_RESUME_ALL), 0);
        assert_int_equal(secsip_tls_profile_set_client_cert(sp, SECSIP_TLS_CLIENT_CERT_REQUIRE), 0);
        assert_int_equal(live(cp, sp, "example.test", LAB_NOW - 100), 0);
        assert_int_equal(live(cp, sp, "example.test", LAB_NOW - 100), 1);
        assert_true(live(cp, sp, "example.test", LAB_NOW) < 0);
        secsip_tls_profile_unref(cp);
        secsip_tls_profile_unref(sp);
    }
}

static void nodes_that_share_a_ticket_key_resume_each_others_sessions(void **state)
{
    (void)state;
    secsip_tls_profile *cp = lab_profile(LAB_N), *node[3];
    uint8_t key[64];

    for (int i = 0; i < 3; i++) {
        node[i] = lab_profile(LAB_SERVER);
        memset(key, i < 2 ? 7 : 8, sizeof key);
        assert_int_equal(secsip_tls_profile_set_ticket_key(node[i], key, 63), SECSIP_E_INVALID);
        assert_int_equal(secsip_tls_profile_set_ticket_key(node[i], key, 64), 0);
    }
    assert_int_equal(live(cp, node[0], "example.test", LAB_NOW), 0);
    assert_int_equal(live(cp, node[1], "example.test", LAB_NOW), 1);
    assert_int_equal(live(cp, node[2], "example.test", LAB_NOW), 0);
    for (int i = 0; i < 3; i++)
        secsip_tls_profile_unref(node[i]);
    secsip_tls_profile_unref(cp);
}

static void pinned_keys_are_demanded_on_top(void **state)
{
    (void)state;
    static const struct {
        enum lab_cert pins[2];
        enum lab_cert server;
        uint32_t options;
        secsip_result result;
    } rows[] = {
        {{LAB_SERVER, LAB_N}, LAB_SERVER, 0, 0},
        {{LAB_RSA, LAB_SERVER}, LAB_SERVER, 0, 0},
        {{LAB_CA, LAB_N}, LAB_SERVER, 0, 0}, /* the issuer's key */
        {{LAB_INTERMEDIATE, LAB_N}, LAB_VIA_INTERMEDIATE, 0, 0},
        {{LAB_RSA, LAB_N}, LAB_SERVER, 0, SECSIP_E_TLS_CERT_PIN},
        {{LAB_RSA, LAB_N}, LAB_SERVER, SECSIP_TLS_INSECURE_ANY, SECSIP_E_TLS_CERT_PIN},
        {{LAB_WRONGNAME, LAB_N},
         LAB_WRONGNAME,
         0,
         SECSIP_E_TLS_CERT_NAME}, /* a pin replaces no other check */
        {{LAB_FROM_OTHERCA, LAB_N}, LAB_FROM_OTHERCA, 0, SECSIP_E_TLS_CERT_UNTRUSTED},
    };
    static const char *const bad[] = {"", "sha256//", "sha256//AAAA", "zz",
                                      "sha1//2jmj7l5rSw0yVb/vlWAYkK/YBwk="};
    char pin[65];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        secsip_tls_profile *cp = lab_profile(LAB_N), *sp = lab_profile(rows[i].server);
        for (int k = 0; k < 2 && rows[i].pins[k] != LAB_N; k++) {
            lab_pin(rows[i].pins[k], pin);
            assert_int_equal(secsip_tls_profile_add_pin(cp, pin), 0);
        }
        assert_int_equal(secsip_tls_profile_set_options(cp, rows[i].options), 0);
        assert_int_equal(live(cp, sp, "example.test", LAB_NOW), rows[i].result);
        secsip_tls_profile_unref(cp);
        secsip_tls_profile_unref(sp);
    }
    secsip_tls_profile *p = lab_profile(LAB_N);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(secsip_tls_profile_add_pin(p, bad[i]), SECSIP_E_INVALID);
    for (int i = 0; i < 16; i++)
        assert_int_equal(
            secsip_tls_profile_add_pin(p, "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
            0);
    assert_int_equal(secsip_tls_profile_add_pin(p, pin), SECSIP_E_LIMIT);
    secsip_tls_profile_unref(p);
}

static void add_crl(secsip_tls_profile *p, enum lab_cert authority, uint32_t until,
                    secsip_result expected)
{
    char *crl = lab_crl(authority, until);
    secsip_result r = secsip_tls_profile_add_crl_pem(p, crl, strlen(crl));

    print_message("%s\n", secsip_tls_profile_error(p)->text);
    assert_int_equal(r, expected);
    free(crl);
}

static void revoked_certificates_and_stale_lists_are_refused(void **state)
{
    (void)state;
    secsip_tls_profile *cp = lab_profile(LAB_N), *stale = lab_profile(LAB_N), *empty;
    secsip_tls_profile *good = lab_profile(LAB_SERVER), *revoked = lab_profile(LAB_REVOKED);

    add_crl(cp, LAB_OTHERCA, LAB_UNTIL, SECSIP_E_TLS_CREDENTIALS);
    assert_int_equal(secsip_tls_profile_add_crl_pem(cp, "nonsense", 8), SECSIP_E_TLS_CREDENTIALS);
    assert_int_equal(live(cp, revoked, "example.test", LAB_NOW), 0); /* no list, no verdict */
    secsip_tls_profile_unref(cp);
    cp = lab_profile(LAB_N);
    add_crl(cp, LAB_CA, LAB_UNTIL, 0);
    assert_int_equal(live(cp, good, "example.test", LAB_NOW), 0);
    assert_int_equal(live(cp, revoked, "example.test", LAB_NOW), SECSIP_E_TLS_CERT_REVOKED);
    add_crl(stale, LAB_CA, LAB_NOW - 1, 0);
    assert_int_equal(live(stale, good, "example.test", LAB_NOW - 1), 0);
    assert_int_equal(live(stale, good, "example.test", LAB_NOW), SECSIP_E_TLS_CERT_STATUS);
    secsip_tls_profile *fresh = lab_profile(LAB_N);
    add_crl(fresh, LAB_CA, LAB_NOW - 1, 0);
    add_crl(fresh, LAB_CA, LAB_UNTIL, 0);
    assert_int_equal(live(fresh, good, "example.test", LAB_NOW), 0);
    assert_int_equal(live(fresh, revoked, "example.test", LAB_NOW), SECSIP_E_TLS_CERT_REVOKED);
    secsip_tls_profile_unref(fresh);
    assert_int_equal(secsip_tls_profile_new(&empty), 0);
    add_crl(empty, LAB_CA, LAB_UNTIL, SECSIP_E_STATE);
    secsip_tls_profile_unref(cp);
    secsip_tls_profile_unref(stale);
    secsip_tls_profile_unref(empty);
    secsip_tls_profile_unref(good);
    secsip_tls_profile_unref(revoked);
}

static void stapled_answers_are_sent_and_checked(void **state)
{
    (void)state;
    static const struct {
        enum lab_cert server, about, signer;
        enum lab_ocsp_status status;
        const char *from, *until;
        secsip_result result;
    } rows[] = {
        {LAB_SERVER, LAB_SERVER, LAB_CA, LAB_OCSP_GOOD, "20250601", "20250701", 0},
        {LAB_SERVER, LAB_SERVER, LAB_CA, LAB_OCSP_REVOKED, "20250601", "20250701",
         SECSIP_E_TLS_CERT_REVOKED},
        {LAB_SERVER, LAB_SERVER, LAB_CA, LAB_OCSP_UNKNOWN, "20250601", "20250701",
         SECSIP_E_TLS_CERT_STATUS},
        {LAB_SERVER, LAB_SERVER, LAB_CA, LAB_OCSP_GOOD, "20250601", "20250614",
         SECSIP_E_TLS_CERT_STATUS},
        {LAB_SERVER, LAB_SERVER, LAB_CA, LAB_OCSP_GOOD, "20250617", "20250701",
         SECSIP_E_TLS_CERT_STATUS},
        {LAB_SERVER, LAB_SERVER, LAB_OTHERCA, LAB_OCSP_GOOD, "20250601", "20250701",
         SECSIP_E_TLS_CERT_STATUS},
        {LAB_SERVER, LAB_SERVER, LAB_OTHERCA, LAB_OCSP_REVOKED, "20250601", "20250701",
         SECSIP_E_TLS_CERT_STATUS},
        {LAB_MUSTSTAPLE, LAB_MUSTSTAPLE, LAB_CA, LAB_OCSP_GOOD, "20250601", "20250701", 0},
        {LAB_MUSTSTAPLE, LAB_MUSTSTAPLE, LAB_CA, LAB_OCSP_GOOD, "20250601", "20250614",
         SECSIP_E_TLS_CERT_STATUS},
        /* It names no next update: good for a week, for who checks it and for who sends it. */
        {LAB_MUSTSTAPLE, LAB_MUSTSTAPLE, LAB_CA, LAB_OCSP_GOOD, "20250609", NULL, 0},
        {LAB_MUSTSTAPLE, LAB_MUSTSTAPLE, LAB_CA, LAB_OCSP_GOOD, "20250608", NULL,
         SECSIP_E_TLS_CERT_STATUS},
        {LAB_SERVER, LAB_SERVER, LAB_CA, LAB_OCSP_GOOD, "20250608", NULL, SECSIP_E_TLS_CERT_STATUS},
        {LAB_MUSTSTAPLE, LAB_N, LAB_CA, LAB_OCSP_GOOD, "", "",
         SECSIP_E_TLS_CERT_STATUS}, /* none at all */
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        secsip_tls_profile *cp = lab_profile(LAB_N), *sp = lab_profile(rows[i].server);
        if (rows[i].about != LAB_N) {
            size_t len;
            uint8_t *der = lab_ocsp(rows[i].about, rows[i].signer, rows[i].status, rows[i].from,
                                    rows[i].until, &len);
            assert_int_equal(secsip_tls_profile_set_ocsp(cp, der, len), SECSIP_E_STATE);
            assert_int_equal(secsip_tls_profile_set_ocsp(sp, der, len), 0);
            free(der);
        }
        print_message("row %zu\n", i);
        /* A server does not staple what it knows to be out of date: this one's clock is slow. */
        assert_int_equal(live_at(cp, sp, "example.test", LAB_NOW, LAB_NOW - 5 * 86400),
                         rows[i].result);
        /* A resumed session brings no answer; the one that came with the first still counts. */
        if (rows[i].result == 0) {
            assert_int_equal(live(cp, sp, "example.test", LAB_NOW), 1);
            assert_int_equal(live(cp, sp, "example.test", LAB_NOW + 30 * 86400),
                             rows[i].server == LAB_MUSTSTAPLE ? SECSIP_E_TLS_CERT_STATUS : 0);
        }
        secsip_tls_profile_unref(cp);
        secsip_tls_profile_unref(sp);
    }
    secsip_tls_profile *sp = lab_profile(LAB_SERVER);
    size_t len;
    uint8_t *der = lab_ocsp(LAB_RSA, LAB_CA, LAB_OCSP_GOOD, "20250601", "20250701", &len);
    assert_int_equal(secsip_tls_profile_set_ocsp(sp, der, len), SECSIP_E_TLS_CREDENTIALS);
    assert_int_equal(secsip_tls_profile_set_ocsp(sp, der, len / 2), SECSIP_E_TLS_CREDENTIALS);
    free(der);
    /* One without next update is kept back after a week. */
    secsip_tls_profile *cp = lab_profile(LAB_N);
    der = lab_ocsp(LAB_SERVER, LAB_CA, LAB_OCSP_GOOD, "20250603", NULL, &len);
    assert_int_equal(secsip_tls_profile_set_ocsp(sp, der, len), 0);
    assert_int_equal(live_at(cp, sp, "example.test", LAB_NOW, LAB_NOW - 5 * 86400), 0);
    free(der);
    secsip_tls_profile_unref(cp);
    secsip_tls_profile_unref(sp);
}

static void add_identity(secsip_tls_profile *p, enum lab_cert which)
{
    assert_int_equal(secsip_tls_profile_add_identity_pem(p, lab_chain(which),
                                                         strlen(lab_chain(which)), lab_key(which),
                                                         strlen(lab_key(which))),
                     0);
}

static void the_name_asked_for_chooses_the_certificate(void **state)
{
    (void)state;
    secsip_tls_profile *sp = lab_profile(LAB_WRONGNAME), *cp = lab_profile(LAB_N),
                       *none = lab_profile(LAB_N);

    assert_int_equal(secsip_tls_profile_add_identity_pem(
                         none, lab_chain(LAB_SERVER), strlen(lab_chain(LAB_SERVER)),
                         lab_key(LAB_SERVER), strlen(lab_key(LAB_SERVER))),
                     SECSIP_E_STATE);
    assert_int_equal(live(cp, sp, "example.test", LAB_NOW), SECSIP_E_TLS_CERT_NAME);
    secsip_tls_profile_unref(sp);
    sp = lab_profile(LAB_WRONGNAME);
    add_identity(sp, LAB_URIONLY); /* known by its sip URI alone */
    assert_int_equal(live(cp, sp, "example.test", LAB_NOW), 0);
    assert_int_equal(live(cp, sp, "wrong.test", LAB_NOW), 0);
    /* No name, or an unknown one: the first. */
    assert_int_equal(live(cp, sp, "127.0.0.1", LAB_NOW), SECSIP_E_TLS_CERT_NAME);
    secsip_tls_profile_unref(sp);
    secsip_tls_profile_unref(cp);
    secsip_tls_profile_unref(none);
}

static const char *password;

static int32_t give_password(const char *what, char *out, size_t cap, void *user_data)
{
    assert_non_null(what);
    assert_ptr_equal(user_data, &password);
    if (!password)
        return SECSIP_E_CANCELLED;
    snprintf(out, cap, "%s", password);
    return 0;
}

static void encrypted_keys_ask_for_their_password(void **state)
{
    (void)state;
    secsip_tls_profile *sp = lab_profile(LAB_N), *cp = lab_profile(LAB_N);
    char *key = lab_encrypted_key(LAB_SERVER, "open sesame");
    const char *chain = lab_chain(LAB_SERVER);

    assert_int_equal(
        secsip_tls_profile_set_identity_pem(sp, chain, strlen(chain), key, strlen(key)),
        SECSIP_E_TLS_CREDENTIALS);
    assert_non_null(strstr(secsip_tls_profile_error(sp)->text, "password"));
    assert_int_equal(secsip_tls_profile_set_password(sp, give_password, &password), 0);
    password = NULL;
    assert_int_equal(
        secsip_tls_profile_set_identity_pem(sp, chain, strlen(chain), key, strlen(key)),
        SECSIP_E_TLS_CREDENTIALS);
    password = "open barley";
    assert_int_equal(
        secsip_tls_profile_set_identity_pem(sp, chain, strlen(chain), key, strlen(key)),
        SECSIP_E_TLS_CREDENTIALS);
    password = "open sesame";
    assert_int_equal(
        secsip_tls_profile_set_identity_pem(sp, chain, strlen(chain), key, strlen(key)), 0);
    assert_int_equal(live(cp, sp, "example.test", LAB_NOW), 0);
    free(key);
    secsip_tls_profile_unref(sp);
    secsip_tls_profile_unref(cp);
}

static void pkcs12_gives_an_identity(void **state)
{
    (void)state;
    secsip_tls_profile *sp = lab_profile(LAB_N), *cp = lab_profile(LAB_N);
    size_t len;
    uint8_t *p12 = lab_pkcs12(LAB_SERVER, "open sesame", &len);

    assert_int_equal(secsip_tls_profile_set_identity_pkcs12(sp, p12, len, "wrong"),
                     SECSIP_E_TLS_CREDENTIALS);
    assert_non_null(strstr(secsip_tls_profile_error(sp)->text, "password"));
    assert_int_equal(secsip_tls_profile_set_identity_pkcs12(sp, p12, len, NULL),
                     SECSIP_E_TLS_CREDENTIALS);
    assert_int_equal(secsip_tls_profile_set_identity_pkcs12(sp, p12, len / 2, "open sesame"),
                     SECSIP_E_TLS_CREDENTIALS);
    assert_int_equal(secsip_tls_profile_set_password(sp, give_password, &password), 0);
    password = "open sesame";
    assert_int_equal(secsip_tls_profile_set_identity_pkcs12(sp, p12, len, NULL), 0);
    assert_int_equal(live(cp, sp, "example.test", LAB_NOW), 0);
    free(p12);
    secsip_tls_profile_unref(sp);
    secsip_tls_profile_unref(cp);
}

static void a_profile_is_renewed_while_it_runs(void **state)
{
    (void)state;
    secsip_tls_profile *sp = lab_profile(LAB_SERVER), *cp = lab_profile(LAB_N);
    secsip_tls_profile *next = lab_profile(LAB_WRONGNAME), *empty = lab_profile(LAB_N);
    struct tls_pair p;
    char got[10];

    tls_pair_open(&p, cp, sp, "example.test", LAB_NOW);
    tls_pair_pump(&p);
    assert_int_equal(live(cp, sp, "example.test", LAB_NOW), 0);
    assert_int_equal(secsip_tls_profile_replace(sp, sp), SECSIP_E_INVALID);
    assert_int_equal(secsip_tls_profile_replace(sp, cp), SECSIP_E_STATE);
    assert_int_equal(secsip_tls_profile_replace(sp, empty), SECSIP_E_TLS_CREDENTIALS);
    assert_int_equal(secsip_tls_profile_replace(sp, next), 0);
    secsip_tls_profile_unref(next);
    /* New handshakes get the new certificate, and no ticket of the old one helps. */
    assert_int_equal(live(cp, sp, "example.test", LAB_NOW), SECSIP_E_TLS_CERT_NAME);
    assert_int_equal(live(cp, sp, "wrong.test", LAB_NOW), 0);
    /* The connection that stood goes on. */
    assert_int_equal(ssi_tls_session_write(p.client, "hello", 5), 0);
    tls_pair_pump(&p);
    assert_int_equal(ssi_tls_session_read(p.server, got, sizeof got), 5);
    tls_pair_close(&p);
    /* A client's authorities. */
    secsip_tls_profile *other, *both = lab_profile(LAB_SERVER);
    assert_int_equal(secsip_tls_profile_new(&other), 0);
    assert_int_equal(secsip_tls_profile_add_trust_pem(other, lab_chain(LAB_OTHERCA),
                                                      strlen(lab_chain(LAB_OTHERCA))),
                     0);
    assert_int_equal(live(cp, both, "example.test", LAB_NOW), 0);
    assert_int_equal(secsip_tls_profile_replace(cp, other), 0);
    assert_int_equal(live(cp, both, "example.test", LAB_NOW), SECSIP_E_TLS_CERT_UNTRUSTED);
    secsip_tls_profile_unref(other);
    secsip_tls_profile_unref(both);
    secsip_tls_profile_unref(empty);
    secsip_tls_profile_unref(sp);
    secsip_tls_profile_unref(cp);
}

static void tls13_can_be_required(void **state)
{
    (void)state;
    secsip_tls_profile *sp = lab_profile(LAB_SERVER), *cp = lab_profile(LAB_N),
                       *old = lab_profile(LAB_N);

    assert_int_equal(secsip_tls_profile_require_tls13(sp, 1), 0);
    assert_int_equal(ssi_tls_profile_set_version(old, SECSIP_TLS_VERSION_1_2), 0);
    assert_int_equal(live(cp, sp, "example.test", LAB_NOW), 0);
    assert_true(live(old, sp, "example.test", LAB_NOW) < 0);
    secsip_tls_profile_unref(sp);
    secsip_tls_profile_unref(cp);
    secsip_tls_profile_unref(old);
}

/* One connection with every allocation of ours that may fail. */
static void try_without_memory(void *arg)
{
    secsip_tls_profile *const *profiles = arg;
    struct ssi_tls_config config = {
        .profile = profiles[0], .domain = "example.test", .wall_s = LAB_NOW};
    struct ssi_tls_session *client = NULL, *server = NULL;
    char got[10];

    if (ssi_tls_session_new(&config, &client) < 0)
        goto end;
    config = (struct ssi_tls_config){.profile = profiles[1], .server = true, .wall_s = LAB_NOW};
    if (ssi_tls_session_new(&config, &server) < 0)
        goto end;
    ssi_tls_session_start(client);
    for (int i = 0; i < 6; i++) {
        struct ssi_tls_session *from = i % 2 ? server : client, *to = i % 2 ? client : server;
        struct ssi_buf *out = ssi_tls_session_output(from);
        ssi_tls_session_input(to, ssi_buf_slice(out).p, out->len);
        ssi_buf_consume(out, out->len);
    }
    if (ssi_tls_session_state(client) == SSI_TLS_OPEN &&
        ssi_tls_session_write(client, "hello", 5) == 0) {
        struct ssi_buf *out = ssi_tls_session_output(client);
        ssi_tls_session_input(server, ssi_buf_slice(out).p, out->len);
        ssi_tls_session_read(server, got, sizeof got);
        ssi_tls_session_read(client, got, sizeof got);
    }
    if (!test_oom_has_failed())
        assert_int_equal(ssi_tls_session_state(client), SSI_TLS_OPEN);
end:
    ssi_tls_session_free(client);
    ssi_tls_session_free(server);
}

static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    secsip_tls_profile *profiles[2] = {lab_profile(LAB_N), lab_profile(LAB_SERVER)};

    assert_true(test_oom_each(try_without_memory, profiles) > 5);
    secsip_tls_profile_unref(profiles[0]);
    secsip_tls_profile_unref(profiles[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_are_resumed_as_the_profiles_allow),
        cmocka_unit_test(resumption_keeps_no_verdict),
        cmocka_unit_test(nodes_that_share_a_ticket_key_resume_each_others_sessions),
        cmocka_unit_test(pinned_keys_are_demanded_on_top),
        cmocka_unit_test(revoked_certificates_and_stale_lists_are_refused),
        cmocka_unit_test(stapled_answers_are_sent_and_checked),
        cmocka_unit_test(the_name_asked_for_chooses_the_certificate),
        cmocka_unit_test(encrypted_keys_ask_for_their_password),
        cmocka_unit_test(pkcs12_gives_an_identity),
        cmocka_unit_test(a_profile_is_renewed_while_it_runs),
        cmocka_unit_test(tls13_can_be_required),
        cmocka_unit_test(memory_may_run_out_anywhere),
    };
    return cmocka_run_group_tests(tests, lab_set_up, lab_tear_down);
}
