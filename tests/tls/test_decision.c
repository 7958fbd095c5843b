/* The application's say about a peer: what it is shown, that it can only tighten, and what it can do as an insecure one. */
#include "test.h"

#include <stdlib.h>

#include "ocsp.h"
#include "oom.h"
#include "tls_pair.h"

/* A copy of the last question, and the answer to the next. */
static struct {
    int n_asked;
    int32_t answer;
    char domain[64], names[256], subject[64], issuer[64], pin[64], check[32], text[512];
    int64_t from, until;
    size_t n_certs, der_len;
    uint32_t failed, relaxed, peer_is_client, first_use;
    secsip_result result;
} seen;

static int32_t decide(const secsip_tls_question *q, void *user_data)
{
    assert_ptr_equal(user_data, &seen);
    assert_int_equal(q->size, sizeof *q);
    int n_asked = seen.n_asked + 1;
    int32_t answer = seen.answer;
    memset(&seen, 0, sizeof seen);
    seen.n_asked = n_asked;
    seen.answer = answer;
    strcpy(seen.domain, q->domain);
    for (size_t i = 0; i < q->n_names; i++) {
        strcat(seen.names, q->names[i]);
        strcat(seen.names, " ");
    }
    seen.n_certs = q->n_certificates;
    const secsip_tls_certificate *leaf = q->certificates[0];
    strcpy(seen.subject, leaf->subject);
    strcpy(seen.issuer, leaf->issuer);
    strcpy(seen.pin, leaf->pin);
    seen.der_len = leaf->der_len;
    seen.from = leaf->valid_from;
    seen.until = leaf->valid_until;
    seen.failed = q->failed;
    seen.relaxed = q->relaxed;
    seen.peer_is_client = q->peer_is_client;
    seen.result = q->error->result;
    strcpy(seen.check, q->error->check);
    strcpy(seen.text, q->error->text);
    return answer;
}

/* Runs a handshake and leaves both ends for the caller to look at. */
static void shake(struct tls_pair *p, secsip_tls_profile *cp, secsip_tls_profile *sp,
                  const char *domain)
{
    tls_pair_open(p, cp, sp, domain, LAB_NOW);
    tls_pair_pump(p);
}

static secsip_tls_profile *asking(enum lab_cert identity, bool insecure)
{
    secsip_tls_profile *p = lab_profile(identity);

    assert_int_equal(insecure ? secsip_tls_profile_set_insecure_decision(p, decide, &seen)
                              : secsip_tls_profile_set_decision(p, decide, &seen),
                     0);
    memset(&seen, 0, sizeof seen);
    return p;
}

static void it_is_shown_the_chain_the_names_and_the_checks(void **state)
{
    (void)state;
    secsip_tls_profile *cp = asking(LAB_N, false), *sp = lab_profile(LAB_SERVER),
                       *via = lab_profile(LAB_VIA_INTERMEDIATE);
    struct tls_pair p;
    char pin[65];

    shake(&p, cp, sp, "Example.test");
    assert_int_equal(ssi_tls_session_state(p.client), SSI_TLS_OPEN);
    assert_int_equal(ssi_tls_session_info(p.client)->verified, 1);
    assert_int_equal(seen.n_asked, 1);
    assert_string_equal(seen.domain, "example.test");
    assert_string_equal(seen.names,
                        "DNS:example.test URI:sip:example.test IP:127.0.0.1 CN:example.test ");
    assert_string_equal(seen.subject, "CN=example.test");
    assert_string_equal(seen.issuer, "CN=lab CA");
    assert_int_equal(seen.from, LAB_FROM);
    assert_int_equal(seen.until, LAB_UNTIL);
    assert_int_equal(seen.n_certs, 1);
    assert_true(seen.der_len > 200);
    assert_int_equal(seen.failed, 0);
    assert_int_equal(seen.result, 0);
    assert_int_equal(seen.peer_is_client, 0);
    /* The pin is one that add_pin takes. */
    lab_pin(LAB_SERVER, pin);
    secsip_tls_profile *pinned = lab_profile(LAB_N);
    assert_int_equal(secsip_tls_profile_add_pin(pinned, seen.pin), 0);
    tls_pair_close(&p);
    shake(&p, pinned, sp, "example.test");
    assert_int_equal(ssi_tls_session_state(p.client), SSI_TLS_OPEN);
    tls_pair_close(&p);
    shake(&p, cp, via, "example.test");
    assert_int_equal(seen.n_certs, 2);
    assert_string_equal(seen.issuer, "CN=lab intermediate CA");
    tls_pair_close(&p);
    secsip_tls_profile_unref(pinned);
    secsip_tls_profile_unref(via);
    secsip_tls_profile_unref(sp);
    secsip_tls_profile_unref(cp);
}

static void it_only_tightens_unless_it_is_insecure(void **state)
{
    (void)state;
    static const struct {
        enum lab_cert server;
        const char *domain;
        uint32_t options;
        uint32_t failed;
        secsip_result without; /* the verdict of the checks */
        const char *check;
    } rows[] = {
        {LAB_SERVER, "example.test", 0, 0, 0, ""},
        {LAB_WRONGNAME, "example.test", 0, SECSIP_TLS_CHECK_NAME, SECSIP_E_TLS_CERT_NAME, "name"},
        {LAB_FROM_OTHERCA, "other.test", 0, SECSIP_TLS_CHECK_TRUST | SECSIP_TLS_CHECK_NAME,
         SECSIP_E_TLS_CERT_UNTRUSTED, "trust"},
        {LAB_FROM_OTHERCA, "other.test", SECSIP_TLS_INSECURE_ANY, 0, 0, ""},
        {LAB_SELFSIGNED, "other.test", 0, SECSIP_TLS_CHECK_SELF_SIGNED | SECSIP_TLS_CHECK_NAME,
         SECSIP_E_TLS_CERT_SELF_SIGNED, "self-signed"},
        {LAB_EXPIRED, "x.test", 0, SECSIP_TLS_CHECK_EXPIRY | SECSIP_TLS_CHECK_NAME,
         SECSIP_E_TLS_CERT_EXPIRED, "expiry"},
        {LAB_NOTYET, "example.test", 0, SECSIP_TLS_CHECK_ACTIVATION,
         SECSIP_E_TLS_CERT_NOT_YET_VALID, "activation"},
        {LAB_CLIENTONLY, "example.test", 0, SECSIP_TLS_CHECK_PURPOSE, SECSIP_E_TLS_CERT_PURPOSE,
         "purpose"},
        {LAB_WEAKRSA, "example.test", 0, SECSIP_TLS_CHECK_STRENGTH, SECSIP_E_TLS_CERT_WEAK,
         "strength"},
        {LAB_MUSTSTAPLE, "example.test", 0, SECSIP_TLS_CHECK_STAPLING, SECSIP_E_TLS_CERT_STATUS,
         "stapling"},
    };
    struct tls_pair p;

    for (size_t i = 0; i < 4 * (sizeof rows / sizeof *rows); i++) {
        size_t k = i / 4;
        bool insecure = i & 1, yes = i & 2;
        secsip_tls_profile *cp = asking(LAB_N, insecure), *sp = lab_profile(rows[k].server);
        secsip_result expected = rows[k].without;
        if (insecure && yes)
            expected = 0;
        else if (!yes && expected == 0)
            expected = SECSIP_E_TLS_CERT_REFUSED;
        assert_int_equal(secsip_tls_profile_set_options(cp, rows[k].options), 0);
        seen.answer = yes ? 0 : SECSIP_E_PERMISSION;
        print_message("row %zu, %s, says %s\n", k, insecure ? "insecure" : "tightening",
                      yes ? "yes" : "no");
        shake(&p, cp, sp, rows[k].domain);
        assert_int_equal(seen.n_asked, 1);
        assert_int_equal(seen.failed, rows[k].failed);
        assert_int_equal(seen.result, rows[k].without);
        assert_string_equal(seen.check, rows[k].check);
        assert_int_equal(ssi_tls_session_failure(p.client)->result, expected);
        if (expected == 0) {
            uint32_t relaxed = rows[k].failed ? SECSIP_TLS_INSECURE_DECISION : rows[k].options;
            assert_int_equal(ssi_tls_session_state(p.client), SSI_TLS_OPEN);
            assert_int_equal(ssi_tls_session_info(p.client)->relaxed, relaxed);
            assert_int_equal(ssi_tls_session_info(p.client)->verified, relaxed == 0);
            assert_int_equal(ssi_tls_session_peer_is(p.client, "example.test"), relaxed == 0);
        } else {
            char byte;
            assert_int_equal(ssi_tls_session_state(p.client), SSI_TLS_FAILED);
            assert_true(ssi_tls_session_read(p.server, &byte, 1) < 0); /* it is told by an alert */
        }
        if (expected == SECSIP_E_TLS_CERT_REFUSED)
            assert_string_equal(ssi_tls_session_failure(p.client)->check, "decision");
        tls_pair_close(&p);
        secsip_tls_profile_unref(cp);
        secsip_tls_profile_unref(sp);
    }
}

static void servers_ask_about_their_clients(void **state)
{
    (void)state;
    secsip_tls_profile *sp = asking(LAB_SERVER, false), *alice = lab_profile(LAB_ALICE),
                       *nobody = lab_profile(LAB_N);
    struct tls_pair p;

    assert_int_equal(secsip_tls_profile_set_client_cert(sp, SECSIP_TLS_CLIENT_CERT_REQUEST), 0);
    shake(&p, alice, sp, "example.test");
    assert_int_equal(seen.n_asked, 1);
    assert_int_equal(seen.peer_is_client, 1);
    assert_string_equal(seen.domain, "");
    assert_string_equal(seen.names, "URI:sip:alice@example.test CN:alice ");
    tls_pair_close(&p);
    /* Who shows nothing gives nothing to decide about. */
    shake(&p, nobody, sp, "example.test");
    assert_int_equal(ssi_tls_session_state(p.server), SSI_TLS_OPEN);
    assert_int_equal(seen.n_asked, 1);
    tls_pair_close(&p);
    secsip_tls_profile_unref(nobody);
    secsip_tls_profile_unref(alice);
    secsip_tls_profile_unref(sp);
}

static int32_t resume(secsip_tls_profile *cp, secsip_tls_profile *sp)
{
    struct tls_pair p;
    char byte;

    shake(&p, cp, sp, "example.test");
    ssi_tls_session_read(p.client, &byte, 1); /* tickets come behind the handshake */
    int32_t r = ssi_tls_session_failure(p.client)->result;
    if (ssi_tls_session_state(p.client) == SSI_TLS_OPEN)
        r = (int32_t)ssi_tls_session_info(p.client)->resumed;
    tls_pair_close(&p);
    return r;
}

static void it_is_asked_again_when_a_session_is_resumed(void **state)
{
    (void)state;
    static const uint32_t versions[] = {SECSIP_TLS_VERSION_1_2, SECSIP_TLS_VERSION_1_3};
    static const enum lab_cert servers[] = {LAB_SERVER, LAB_MUSTSTAPLE};

    for (int i = 0; i < 4; i++) {
        secsip_tls_profile *cp = asking(LAB_N, false), *sp = lab_profile(servers[i / 2]);
        size_t len;
        uint8_t *der =
            lab_ocsp(servers[i / 2], LAB_CA, LAB_OCSP_GOOD, "20250601", "20250701", &len);
        assert_int_equal(secsip_tls_profile_set_ocsp(sp, der, len), 0);
        free(der);
        assert_int_equal(ssi_tls_profile_set_version(cp, versions[i % 2]), 0);
        assert_int_equal(secsip_tls_profile_set_resumption(cp, SECSIP_TLS_RESUME_ALL), 0);
        assert_int_equal(secsip_tls_profile_set_resumption(sp, SECSIP_TLS_RESUME_ALL), 0);
        assert_int_equal(resume(cp, sp), 0);
        assert_int_equal(resume(cp, sp), 1);
        assert_int_equal(resume(cp, sp), 1);
        assert_int_equal(seen.n_asked, 3);
        assert_string_equal(seen.domain, "example.test");
        seen.answer = SECSIP_E_PERMISSION;
        assert_int_equal(resume(cp, sp), SECSIP_E_TLS_CERT_REFUSED);
        secsip_tls_profile_unref(cp);
        secsip_tls_profile_unref(sp);
    }
}

static void a_renewed_profile_asks_as_its_replacement_does(void **state)
{
    (void)state;
    secsip_tls_profile *cp = asking(LAB_N, true), *sp = lab_profile(LAB_WRONGNAME);
    secsip_tls_profile *next = asking(LAB_N, false), *silent = lab_profile(LAB_N);
    struct tls_pair p;

    shake(&p, cp, sp, "example.test");
    assert_int_equal(ssi_tls_session_state(p.client), SSI_TLS_OPEN);
    tls_pair_close(&p);
    assert_int_equal(secsip_tls_profile_set_decision(cp, decide, &seen), SECSIP_E_STATE);
    assert_int_equal(secsip_tls_profile_replace(cp, next), 0);
    for (int i = 0; i < 2; i++) {
        seen.n_asked = 0;
        shake(&p, cp, sp, "example.test");
        assert_int_equal(ssi_tls_session_failure(p.client)->result, SECSIP_E_TLS_CERT_NAME);
        assert_int_equal(seen.n_asked, 1 - i);
        tls_pair_close(&p);
        if (i == 0)
            assert_int_equal(secsip_tls_profile_replace(cp, silent), 0);
    }
    secsip_tls_profile_unref(silent);
    secsip_tls_profile_unref(next);
    secsip_tls_profile_unref(cp);
    secsip_tls_profile_unref(sp);
}

static void try_without_memory(void *arg)
{
    secsip_tls_profile *const *profiles = arg;
    struct ssi_tls_config config = {
        .profile = profiles[0], .domain = "example.test", .wall_s = LAB_NOW};
    struct ssi_tls_session *client = NULL, *server = NULL;

    if (ssi_tls_session_new(&config, &client) < 0)
        return;
    config = (struct ssi_tls_config){.profile = profiles[1], .server = true, .wall_s = LAB_NOW};
    if (ssi_tls_session_new(&config, &server) == 0) {
        ssi_tls_session_start(client);
        for (int i = 0; i < 4; i++) {
            struct ssi_tls_session *from = i % 2 ? server : client, *to = i % 2 ? client : server;
            struct ssi_buf *out = ssi_tls_session_output(from);
            ssi_tls_session_input(to, ssi_buf_slice(out).p, out->len);
            ssi_buf_consume(out, out->len);
        }
        assert_true(ssi_tls_session_state(client) != SSI_TLS_OPEN); /* the answer is no */
    }
    ssi_tls_session_free(client);
    ssi_tls_session_free(server);
}

static void without_memory_nobody_is_accepted(void **state)
{
    (void)state;
    secsip_tls_profile *profiles[2] = {asking(LAB_N, false), lab_profile(LAB_SERVER)};

    seen.answer = SECSIP_E_PERMISSION;
    assert_true(test_oom_each(try_without_memory, profiles) > 5);
    secsip_tls_profile_unref(profiles[0]);
    secsip_tls_profile_unref(profiles[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_shown_the_chain_the_names_and_the_checks),
        cmocka_unit_test(it_only_tightens_unless_it_is_insecure),
        cmocka_unit_test(servers_ask_about_their_clients),
        cmocka_unit_test(it_is_asked_again_when_a_session_is_resumed),
        cmocka_unit_test(a_renewed_profile_asks_as_its_replacement_does),
        cmocka_unit_test(without_memory_nobody_is_accepted),
    };
    return cmocka_run_group_tests(tests, lab_set_up, lab_tear_down);
}
