/* Every row of the tables in doc/tls.md happens here, and nothing happens that is not in them: one event each, with the check,
 * what was expected and found, the certificate with its names and dates, and the peer's address. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include <gnutls/gnutls.h>

#include "ocsp.h"
#include "phone.h"
#include "tls/profile.h"

enum {
    MAX_EVENTS = 8
};

/* What one stack was told. */
struct told {
    int n;
    secsip_result result;
    int32_t incoming;
    char check[32], expected[256], found[256], text[1024], peer[80], certificate[512];
};

static void on_tls_failure(const secsip_error *e, int32_t incoming, void *arg)
{
    struct told *t = arg;

    if (t->n++ > 0)
        return;
    t->result = e->result;
    t->incoming = incoming;
    snprintf(t->check, sizeof t->check, "%s", e->check);
    snprintf(t->expected, sizeof t->expected, "%s", e->expected);
    snprintf(t->found, sizeof t->found, "%s", e->found);
    snprintf(t->text, sizeof t->text, "%s", e->text);
    snprintf(t->peer, sizeof t->peer, "%s", e->peer);
    snprintf(t->certificate, sizeof t->certificate, "%s", e->certificate);
}

/* ---- What a scenario does to a profile before it is used. */
typedef void prepare_fn(secsip_tls_profile *p);

static void pin_another(secsip_tls_profile *p)
{
    assert_int_equal(
        secsip_tls_profile_add_pin(p, "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), 0);
}

static int32_t know_another(const char *domain, uint32_t index, char *pin, size_t cap,
                            void *user_data)
{
    (void)user_data;
    assert_string_equal(domain, "example.test");
    if (index > 0)
        return SECSIP_E_NOT_FOUND;
    snprintf(pin, cap, "sha256//BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA=");
    return 0;
}

static int32_t store_nothing(const char *domain, const char *pin, void *user_data)
{
    (void)domain, (void)pin, (void)user_data;
    return SECSIP_E_IO;
}

static void know_another_key(secsip_tls_profile *p)
{
    const secsip_tls_known_keys keys = {
        .size = sizeof keys, .lookup = know_another, .store = store_nothing};
    assert_int_equal(
        secsip_tls_profile_set_known_keys(p, SECSIP_TLS_KNOWN_KEYS_BESIDE_CHAIN, &keys), 0);
}

static int32_t know_nothing(const char *domain, uint32_t index, char *pin, size_t cap,
                            void *user_data)
{
    (void)domain, (void)index, (void)pin, (void)cap, (void)user_data;
    return SECSIP_E_NOT_FOUND;
}

static void remember_nothing(secsip_tls_profile *p)
{
    const secsip_tls_known_keys keys = {
        .size = sizeof keys, .lookup = know_nothing, .store = store_nothing};
    assert_int_equal(
        secsip_tls_profile_set_known_keys(p, SECSIP_TLS_KNOWN_KEYS_BESIDE_CHAIN, &keys), 0);
}

static void add_crl(secsip_tls_profile *p, uint32_t until)
{
    char *crl = lab_crl(LAB_CA, until);

    assert_int_equal(secsip_tls_profile_add_crl_pem(p, crl, strlen(crl)), 0);
    free(crl);
}

static void add_fresh_crl(secsip_tls_profile *p)
{
    add_crl(p, LAB_UNTIL);
}

static void add_stale_crl(secsip_tls_profile *p)
{
    add_crl(p, LAB_NOW - 1);
}

static void staple_revoked(secsip_tls_profile *p)
{
    size_t len;
    uint8_t *der = lab_ocsp(LAB_SERVER, LAB_CA, LAB_OCSP_REVOKED, "20250601", "20250701", &len);

    assert_int_equal(secsip_tls_profile_set_ocsp(p, der, len), 0);
    free(der);
}

static void require_client(secsip_tls_profile *p)
{
    assert_int_equal(secsip_tls_profile_set_client_cert(p, SECSIP_TLS_CLIENT_CERT_REQUIRE), 0);
}

static int32_t say_no(const secsip_tls_question *q, void *user_data)
{
    (void)q, (void)user_data;
    return SECSIP_E_PERMISSION;
}

static void refuse_all(secsip_tls_profile *p)
{
    assert_int_equal(secsip_tls_profile_set_decision(p, say_no, NULL), 0);
}

static void require_and_refuse(secsip_tls_profile *p)
{
    require_client(p);
    refuse_all(p);
}

/* Our own setters refuse such a certificate. */
static void show_too_many_names(secsip_tls_profile *p)
{
    const char *chain = lab_chain(LAB_MANYNAMES), *key = lab_key(LAB_MANYNAMES);
    gnutls_datum_t chain_pem = {(unsigned char *)(uintptr_t)chain, (unsigned)strlen(chain)};
    gnutls_datum_t key_pem = {(unsigned char *)(uintptr_t)key, (unsigned)strlen(key)};

    gnutls_certificate_free_keys(p->identity->cred);
    assert_true(gnutls_certificate_set_x509_key_mem(p->identity->cred, &chain_pem, &key_pem,
                                                    GNUTLS_X509_FMT_PEM) >= 0);
}

static void only_12(secsip_tls_profile *p)
{
    assert_int_equal(ssi_tls_profile_set_version(p, SECSIP_TLS_VERSION_1_2), 0);
}

static void only_13(secsip_tls_profile *p)
{
    assert_int_equal(ssi_tls_profile_set_version(p, SECSIP_TLS_VERSION_1_3), 0);
}

/* ---- The scenarios. */
enum judge {
    CLIENT,
    SERVER,
};

struct scenario {
    const char *check, *result;
    enum judge judge;
    enum lab_cert server, client; /* LAB_N: none */
    prepare_fn *prepare_client, *prepare_server;
    bool about_cert; /* the event describes one */
    /* No client of ours, but the hello of one with this priority, or these bytes. */
    const char *hello, *bytes;
    size_t n_bytes; /* 0: up to the NUL */
};

static const struct scenario scenarios[] = {
    {.check = "encoding",
     .result = "TLS_CERT_UNTRUSTED",
     .judge = CLIENT,
     .server = LAB_SERVER,
     .client = LAB_N,
     .prepare_server = show_too_many_names},
    {.check = "certificate",
     .result = "TLS_CERT_MISSING",
     .judge = SERVER,
     .server = LAB_SERVER,
     .client = LAB_N,
     .prepare_server = require_client},
    {.check = "pin",
     .result = "TLS_CERT_PIN",
     .judge = CLIENT,
     .server = LAB_SERVER,
     .client = LAB_N,
     .prepare_client = pin_another,
     .about_cert = true},
    {.check = "known key",
     .result = "TLS_CERT_KEY",
     .judge = CLIENT,
     .server = LAB_SERVER,
     .client = LAB_N,
     .prepare_client = know_another_key,
     .about_cert = true},
    {.check = "known key",
     .result = "TLS_CERT_KEY",
     .judge = CLIENT,
     .server = LAB_SERVER,
     .client = LAB_N,
     .prepare_client = remember_nothing},
    {.check = "revocation",
     .result = "TLS_CERT_REVOKED",
     .judge = CLIENT,
     .server = LAB_REVOKED,
     .client = LAB_N,
     .prepare_client = add_fresh_crl,
     .about_cert = true},
    {.check = "revocation",
     .result = "TLS_CERT_REVOKED",
     .judge = CLIENT,
     .server = LAB_SERVER,
     .client = LAB_N,
     .prepare_server = staple_revoked,
     .about_cert = true},
    {.check = "revocation list",
     .result = "TLS_CERT_STATUS",
     .judge = CLIENT,
     .server = LAB_SERVER,
     .client = LAB_N,
     .prepare_client = add_stale_crl,
     .about_cert = true},
    {.check = "stapling",
     .result = "TLS_CERT_STATUS",
     .judge = CLIENT,
     .server = LAB_MUSTSTAPLE,
     .client = LAB_N,
     .about_cert = true},
    {.check = "trust",
     .result = "TLS_CERT_UNTRUSTED",
     .judge = CLIENT,
     .server = LAB_FROM_OTHERCA,
     .client = LAB_N,
     .about_cert = true},
    {.check = "trust",
     .result = "TLS_CERT_UNTRUSTED",
     .judge = CLIENT,
     .server = LAB_BY_LEAF,
     .client = LAB_N,
     .about_cert = true},
    {.check = "trust",
     .result = "TLS_CERT_UNTRUSTED",
     .judge = SERVER,
     .server = LAB_SERVER,
     .client = LAB_CLIENT_OTHERCA,
     .prepare_server = require_client,
     .about_cert = true},
    {.check = "self-signed",
     .result = "TLS_CERT_SELF_SIGNED",
     .judge = CLIENT,
     .server = LAB_SELFSIGNED,
     .client = LAB_N,
     .about_cert = true},
    {.check = "strength",
     .result = "TLS_CERT_WEAK",
     .judge = CLIENT,
     .server = LAB_WEAKRSA,
     .client = LAB_N,
     .about_cert = true},
    {.check = "activation",
     .result = "TLS_CERT_NOT_YET_VALID",
     .judge = CLIENT,
     .server = LAB_NOTYET,
     .client = LAB_N,
     .about_cert = true},
    {.check = "expiry",
     .result = "TLS_CERT_EXPIRED",
     .judge = CLIENT,
     .server = LAB_EXPIRED,
     .client = LAB_N,
     .about_cert = true},
    {.check = "expiry",
     .result = "TLS_CERT_EXPIRED",
     .judge = SERVER,
     .server = LAB_SERVER,
     .client = LAB_CLIENT_EXPIRED,
     .prepare_server = require_client,
     .about_cert = true},
    {.check = "purpose",
     .result = "TLS_CERT_PURPOSE",
     .judge = CLIENT,
     .server = LAB_CLIENTONLY,
     .client = LAB_N,
     .about_cert = true},
    {.check = "purpose",
     .result = "TLS_CERT_PURPOSE",
     .judge = SERVER,
     .server = LAB_SERVER,
     .client = LAB_SERVERONLY,
     .prepare_server = require_client,
     .about_cert = true},
    {.check = "name",
     .result = "TLS_CERT_NAME",
     .judge = CLIENT,
     .server = LAB_WRONGNAME,
     .client = LAB_N,
     .about_cert = true},
    {.check = "decision",
     .result = "TLS_CERT_REFUSED",
     .judge = CLIENT,
     .server = LAB_SERVER,
     .client = LAB_N,
     .prepare_client = refuse_all,
     .about_cert = true},
    {.check = "decision",
     .result = "TLS_CERT_REFUSED",
     .judge = SERVER,
     .server = LAB_SERVER,
     .client = LAB_ALICE,
     .prepare_server = require_and_refuse,
     .about_cert = true},
    {.check = "version",
     .result = "TLS_HANDSHAKE",
     .judge = SERVER,
     .server = LAB_SERVER,
     .client = LAB_N,
     .hello = "NORMAL:-VERS-ALL:+VERS-TLS1.1"},
    {.check = "cipher",
     .result = "TLS_HANDSHAKE",
     .judge = SERVER,
     .server = LAB_SERVER,
     .client = LAB_N,
     .prepare_client = only_12,
     .prepare_server = only_13},
    {.check = "cipher",
     .result = "TLS_HANDSHAKE",
     .judge = SERVER,
     .server = LAB_SERVER,
     .client = LAB_N,
     .hello = "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-CBC"},
    {.check = "group",
     .result = "TLS_HANDSHAKE",
     .judge = SERVER,
     .server = LAB_SERVER,
     .client = LAB_N,
     .hello = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-FFDHE2048"},
    {.check = "renegotiation",
     .result = "TLS_HANDSHAKE",
     .judge = SERVER,
     .server = LAB_SERVER,
     .client = LAB_N,
     .hello = "NORMAL:-VERS-ALL:+VERS-TLS1.2:%DISABLE_SAFE_RENEGOTIATION"},
    {.check = "handshake",
     .result = "TLS_HANDSHAKE",
     .judge = SERVER,
     .server = LAB_SERVER,
     .client = LAB_N,
     .bytes = "\x16\x03\x01\x00\x04\x14\x00\x00\x00", /* Finished, before anything */
     .n_bytes = 9},
    {.check = "record",
     .result = "TLS_RECORD",
     .judge = SERVER,
     .server = LAB_SERVER,
     .client = LAB_N,
     .bytes = "OPTIONS sip:example.test SIP/2.0\r\n\r\n"},
    {.check = "alert",
     .result = "TLS_ALERT",
     .judge = SERVER,
     .server = LAB_FROM_OTHERCA,
     .client = LAB_N},
    {.check = "alert",
     .result = "TLS_ALERT",
     .judge = CLIENT,
     .server = LAB_SERVER,
     .client = LAB_N,
     .prepare_server = require_client},
    {.check = "connection",
     .result = "TLS_TRUNCATED",
     .judge = SERVER,
     .server = LAB_SERVER,
     .client = LAB_N,
     .bytes = "\x16\x03"},
};

/* ---- Making them happen. */
struct stage {
    struct simnet *net;
    struct simnet_host *server, *client;
    secsip_tls_profile *server_profile, *client_profile;
    struct told at_server, at_client;
    secsip_account *account;
    struct told by_account;
    int32_t reg_state;
};

static void on_registration(secsip_account *a, const secsip_registration_event *e, void *arg)
{
    struct stage *s = arg;

    (void)a;
    s->reg_state = e->state;
    if (e->state == SECSIP_REGISTRATION_FAILED && e->error)
        on_tls_failure(e->error, 0, &s->by_account);
}

static bool is_over(void *arg)
{
    const struct stage *s = arg;
    return s->reg_state == SECSIP_REGISTRATION_FAILED;
}

static void open_stage(struct stage *s, const struct scenario *row)
{
    secsip_stack_config config = {.size = sizeof config, .tls_failure = on_tls_failure};

    memset(s, 0, sizeof *s);
    s->net = simnet_new(LAB_NOW);
    simnet_name(s->net, "example.test", "10.0.0.9");
    config.user_data = &s->at_server;
    s->server = simnet_host_new(s->net, "10.0.0.9", &config);
    config.user_data = &s->at_client;
    s->client = simnet_host_new(s->net, "10.0.0.1", &config);
    s->server_profile = lab_profile(row->server);
    s->client_profile = lab_profile(row->client);
    if (row->prepare_server)
        row->prepare_server(s->server_profile);
    if (row->prepare_client)
        row->prepare_client(s->client_profile);
    assert_int_equal(
        secsip_stack_listen(simnet_stack(s->server), "tls:10.0.0.9:5061", s->server_profile, NULL),
        0);
}

static void close_stage(struct stage *s)
{
    secsip_account_unref(s->account);
    simnet_host_free(s->client);
    simnet_host_free(s->server);
    secsip_tls_profile_unref(s->client_profile);
    secsip_tls_profile_unref(s->server_profile);
    simnet_free(s->net);
}

static void register_once(struct stage *s)
{
    static const secsip_account_callbacks callbacks = {.size = sizeof callbacks,
                                                       .on_registration = on_registration};
    const secsip_account_config config = {.size = sizeof config,
                                          .aor = "sip:alice@example.test",
                                          .password = "alicepw",
                                          .profile = s->client_profile};

    assert_int_equal(
        secsip_account_new(simnet_stack(s->client), &config, &callbacks, s, &s->account), 0);
    assert_int_equal(secsip_account_register(s->account), 0);
    assert_true(simnet_run(s->net, 20000000, is_over, s));
    simnet_run(s->net, 500000, NULL, NULL); /* the other side hears it, nobody tries again */
}

/* The first flight of a client that is not ours. */
struct hello {
    uint8_t data[4096];
    size_t len;
};

static ssize_t take_hello(gnutls_transport_ptr_t arg, const void *data, size_t len)
{
    struct hello *h = arg;

    assert_true(h->len + len <= sizeof h->data);
    memcpy(h->data + h->len, data, len);
    h->len += len;
    return (ssize_t)len;
}

static ssize_t give_nothing(gnutls_transport_ptr_t arg, void *data, size_t len)
{
    (void)arg, (void)data, (void)len;
    return -1;
}

static void make_hello(struct hello *h, const char *priority)
{
    gnutls_certificate_credentials_t cred;
    gnutls_session_t tls;

    h->len = 0;
    assert_int_equal(gnutls_init(&tls, GNUTLS_CLIENT | GNUTLS_NONBLOCK), 0);
    assert_int_equal(gnutls_certificate_allocate_credentials(&cred), 0);
    assert_int_equal(gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, cred), 0);
    assert_int_equal(gnutls_priority_set_direct(tls, priority, NULL), 0);
    gnutls_transport_set_ptr(tls, h);
    gnutls_transport_set_push_function(tls, take_hello);
    gnutls_transport_set_pull_function(tls, give_nothing);
    gnutls_handshake(tls);
    assert_true(h->len > 50);
    gnutls_deinit(tls);
    gnutls_certificate_free_credentials(cred);
}

static void send_raw(struct stage *s, const struct scenario *row)
{
    struct sim_end *raw = simnet_raw_open(s->net, "10.0.0.1:40000", "10.0.0.9:5061");
    struct hello h;

    assert_non_null(raw);
    if (row->hello) {
        make_hello(&h, row->hello);
    } else {
        h.len = row->n_bytes ? row->n_bytes : strlen(row->bytes);
        memcpy(h.data, row->bytes, h.len);
    }
    simnet_raw_send(raw, h.data, h.len);
    simnet_run(s->net, 500000, NULL, NULL);
    simnet_raw_close(raw);
    simnet_run(s->net, 500000, NULL, NULL);
}

static void expect(const struct scenario *row, const struct told *t)
{
    char result[64];

    print_message("%s: %s\n    expected \"%s\", found \"%s\"\n    certificate: %s\n", t->check,
                  t->text, t->expected, t->found, t->certificate);
    snprintf(result, sizeof result, "SECSIP_E_%s", row->result);
    assert_int_equal(t->n, 1);
    assert_string_equal(t->check, row->check);
    assert_string_equal(secsip_result_name(t->result), result);
    assert_memory_equal(t->peer, row->judge == CLIENT ? "10.0.0.9:5061" : "10.0.0.1:", 9);
    assert_non_null(strstr(t->text, t->peer));
    assert_true(strlen(t->text) > strlen(t->peer) + 20);
    assert_true(t->found[0] != 0);
    assert_int_equal(t->certificate[0] != 0, row->about_cert);
    assert_true(t->expected[0] != 0);
    if (!row->about_cert)
        return;
    assert_non_null(
        strstr(t->certificate, row->server == LAB_WRONGNAME ? "wrong.test" : "example.test"));
    assert_non_null(strstr(t->certificate, "valid from 20"));
    assert_non_null(strstr(t->certificate, " to 20"));
    assert_non_null(strstr(t->certificate, "sha256//"));
    assert_non_null(strstr(t->certificate, "issued by CN="));
}

static void run(const struct scenario *row)
{
    struct stage s;

    open_stage(&s, row);
    if (row->hello || row->bytes)
        send_raw(&s, row);
    else
        register_once(&s);
    expect(row, row->judge == CLIENT ? &s.at_client : &s.at_server);
    assert_int_equal((row->judge == CLIENT ? s.at_client : s.at_server).incoming,
                     row->judge == SERVER);
    /* Who asked for the connection is told the same. */
    if (row->judge == CLIENT)
        expect(row, &s.by_account);
    close_stage(&s);
}

/* ---- The tables of doc/tls.md. */
static bool is_listed(const char *doc, const struct scenario *row)
{
    char cell[128];

    snprintf(cell, sizeof cell, "\n| `%s` | `%s` |", row->check, row->result);
    return strstr(doc, cell) != NULL;
}

static bool has_scenario(const char *row)
{
    char cell[128];

    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        snprintf(cell, sizeof cell, "| `%s` | `%s` |", scenarios[i].check, scenarios[i].result);
        if (strncmp(row, cell, strlen(cell)) == 0)
            return true;
    }
    return false;
}

static char *read_doc(void)
{
    enum {
        MAX = 100000
    };
    FILE *f = fopen(TEST_SOURCE "/doc/tls.md", "re");
    char *text = calloc(1, MAX);

    assert_non_null(f);
    assert_non_null(text);
    assert_true(fread(text, 1, MAX - 1, f) > 1000);
    fclose(f);
    return text;
}

static void the_tables_and_the_scenarios_are_the_same(void **state)
{
    (void)state;
    char *doc = read_doc();
    int n = 0;

    for (const char *row = doc; (row = strstr(row, "\n| `")); row++, n++)
        if (!has_scenario(row + 1))
            fail_msg("no scenario for this row of doc/tls.md: %.60s", row + 1);
    assert_true(n > 20);
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
        if (!is_listed(doc, &scenarios[i]))
            fail_msg("doc/tls.md does not list %s, %s", scenarios[i].check, scenarios[i].result);
    free(doc);
}

static void every_failure_is_one_event_that_says_what_to_mend(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
        run(&scenarios[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tables_and_the_scenarios_are_the_same),
        cmocka_unit_test(every_failure_is_one_event_that_says_what_to_mend),
    };
    return cmocka_run_group_tests(tests, lab_set_up, lab_tear_down);
}
