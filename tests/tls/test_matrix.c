/* Every certificate of the laboratory against every relaxation that matters, both roles, TLS 1.2 and 1.3: the expected
 * verdict and the check that must be named (FIELD: baresip#1122, #1236, OpenSIPS#3064, pjproject#3113, #2328). */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "tls_pair.h"

enum {
    WILD = SECSIP_TLS_ALLOW_WILDCARD,
    CN = SECSIP_TLS_ALLOW_CN,
    EXPIRED = SECSIP_TLS_ALLOW_EXPIRED,
    SELF = SECSIP_TLS_INSECURE_SELF_SIGNED,
    ANY = SECSIP_TLS_INSECURE_ANY,
    ALL_BUT_ANY = WILD | CN | EXPIRED | SELF,
};

struct row {
    enum lab_cert cert;
    const char *domain;
    uint32_t options;
    secsip_result result; /* 0: accepted */
    const char *check;
    uint32_t relaxed; /* when accepted */
};

#define E(x) SECSIP_E_TLS_CERT_##x

static const struct row as_client[] = {
    {LAB_SERVER, "example.test", 0, 0, NULL, 0},
    {LAB_SERVER, "EXAMPLE.test.", 0, 0, NULL, 0},
    {LAB_SERVER, "127.0.0.1", 0, 0, NULL, 0},
    {LAB_SERVER, "127.0.0.2", 0, E(NAME), "name", 0},
    {LAB_SERVER, "::1", 0, E(NAME), "name", 0},
    {LAB_SERVER, "sub.example.test", ALL_BUT_ANY, E(NAME), "name", 0},
    {LAB_SERVER, "ample.test", ALL_BUT_ANY, E(NAME), "name", 0},
    {LAB_SERVER, "test", ALL_BUT_ANY, E(NAME), "name", 0},
    {LAB_SERVER, "example.test", ALL_BUT_ANY | ANY, 0, NULL, 0},
    {LAB_URIONLY, "example.test", 0, 0, NULL, 0},
    {LAB_URIONLY, "host7.provider.test", 0, E(NAME), "name", 0},
    {LAB_URIONLY, "host7.provider.test", CN, 0, NULL, CN},
    {LAB_DNSONLY, "example.test", 0, 0, NULL, 0},
    {LAB_IPONLY, "127.0.0.1", 0, 0, NULL, 0},
    {LAB_IPONLY, "[127.0.0.1]", 0, 0, NULL, 0},
    {LAB_IPONLY, "example.test", 0, E(NAME), "name", 0},
    {LAB_WRONGNAME, "example.test", 0, E(NAME), "name", 0},
    {LAB_WRONGNAME, "example.test", ALL_BUT_ANY, E(NAME), "name", 0},
    {LAB_WRONGNAME, "example.test", ANY, 0, NULL, ANY},
    {LAB_DNS_BESIDE_SIP, "example.test", 0, E(NAME), "name", 0},
    {LAB_DNS_BESIDE_SIP, "wrong.test", 0, 0, NULL, 0},
    {LAB_CNTRAP, "example.test", 0, E(NAME), "name", 0},
    {LAB_CNTRAP, "example.test", WILD | EXPIRED | SELF, E(NAME), "name", 0},
    {LAB_CNTRAP, "example.test", CN, 0, NULL, CN},
    {LAB_CNONLY, "example.test", 0, 0, NULL, 0},
    {LAB_WILDCARD, "example.test", 0, E(NAME), "name", 0},
    {LAB_WILDCARD, "example.test", CN | EXPIRED | SELF, E(NAME), "name", 0},
    {LAB_WILDCARD, "example.test", WILD, 0, NULL, WILD},
    {LAB_WILDCARD, "a.example.test", WILD, E(NAME), "name", 0},
    {LAB_WILDCARD, "test", WILD, E(NAME), "name", 0},
    {LAB_USERURI, "example.test", ALL_BUT_ANY, E(NAME), "name", 0},
    {LAB_NULNAME, "example.test", ALL_BUT_ANY, E(NAME), "name", 0},
    {LAB_FROM_OTHERCA, "example.test", 0, E(UNTRUSTED), "trust", 0},
    {LAB_FROM_OTHERCA, "example.test", ALL_BUT_ANY, E(UNTRUSTED), "trust", 0},
    {LAB_FROM_OTHERCA, "example.test", ANY, 0, NULL, ANY},
    {LAB_SELFSIGNED, "example.test", 0, E(SELF_SIGNED), "self-signed", 0},
    {LAB_SELFSIGNED, "example.test", WILD | CN | EXPIRED, E(SELF_SIGNED), "self-signed", 0},
    {LAB_SELFSIGNED, "example.test", SELF, 0, NULL, SELF},
    {LAB_SELFSIGNED, "other.test", SELF, E(NAME), "name", 0},
    {LAB_SELFSIGNED, "other.test", SELF | ANY, 0, NULL, SELF | ANY},
    {LAB_EXPIRED, "example.test", 0, E(EXPIRED), "expiry", 0},
    {LAB_EXPIRED, "example.test", WILD | CN | SELF, E(EXPIRED), "expiry", 0},
    {LAB_EXPIRED, "example.test", EXPIRED, 0, NULL, EXPIRED},
    {LAB_EXPIRED, "other.test", EXPIRED, E(NAME), "name", 0},
    {LAB_NOTYET, "example.test", ALL_BUT_ANY, E(NOT_YET_VALID), "activation", 0},
    {LAB_NOTYET, "example.test", ANY, 0, NULL, ANY},
    {LAB_SIPDOMAIN, "example.test", 0, 0, NULL, 0},
    {LAB_ANYEKU, "example.test", 0, 0, NULL, 0},
    {LAB_NOEKU, "example.test", 0, 0, NULL, 0},
    {LAB_CLIENTONLY, "example.test", ALL_BUT_ANY, E(PURPOSE), "purpose", 0},
    {LAB_CLIENTONLY, "example.test", ANY, 0, NULL, ANY},
    {LAB_SERVERONLY, "example.test", 0, 0, NULL, 0},
    {LAB_RSA, "example.test", 0, 0, NULL, 0},
    {LAB_WEAKRSA, "example.test", ALL_BUT_ANY, E(WEAK), "strength", 0},
    {LAB_WEAKRSA, "example.test", ANY, 0, NULL, ANY},
    {LAB_VIA_INTERMEDIATE, "example.test", 0, 0, NULL, 0},
};

static const struct row as_server[] = {
    {LAB_ALICE, NULL, 0, 0, NULL, 0},
    {LAB_PROXY, NULL, 0, 0, NULL, 0},
    {LAB_SERVER, NULL, 0, 0, NULL, 0},
    {LAB_SIPDOMAIN, NULL, 0, 0, NULL, 0},
    {LAB_CLIENTONLY, NULL, 0, 0, NULL, 0},
    {LAB_SERVERONLY, NULL, ALL_BUT_ANY, E(PURPOSE), "purpose", 0},
    {LAB_CLIENT_OTHERCA, NULL, ALL_BUT_ANY, E(UNTRUSTED), "trust", 0},
    {LAB_CLIENT_OTHERCA, NULL, ANY, 0, NULL, ANY},
    {LAB_CLIENT_EXPIRED, NULL, 0, E(EXPIRED), "expiry", 0},
    {LAB_CLIENT_EXPIRED, NULL, EXPIRED, 0, NULL, EXPIRED},
    {LAB_SELFSIGNED, NULL, 0, E(SELF_SIGNED), "self-signed", 0},
    {LAB_SELFSIGNED, NULL, SELF, 0, NULL, SELF},
    {LAB_NOTYET, NULL, 0, E(NOT_YET_VALID), "activation", 0},
    {LAB_WEAKRSA, NULL, 0, E(WEAK), "strength", 0},
    {LAB_N, NULL, 0, E(MISSING), "certificate", 0},
    {LAB_N, NULL, ANY, E(MISSING), "certificate", 0},
};

/* Every certificate: what refuses it for example.test, and the options that forgive that. */
struct kind {
    enum lab_cert cert;
    secsip_result result; /* 0: good without any option */
    const char *check;
    uint32_t forgiving;
};

static const struct kind servers[] = {
    {LAB_SERVER, 0, NULL, 0},
    {LAB_URIONLY, 0, NULL, 0},
    {LAB_DNSONLY, 0, NULL, 0},
    {LAB_IPONLY, E(NAME), "name", ANY},
    {LAB_WRONGNAME, E(NAME), "name", ANY},
    {LAB_DNS_BESIDE_SIP, E(NAME), "name", ANY},
    {LAB_CNTRAP, E(NAME), "name", CN | ANY},
    {LAB_CNONLY, 0, NULL, 0},
    {LAB_WILDCARD, E(NAME), "name", WILD | ANY},
    {LAB_USERURI, E(NAME), "name", ANY},
    {LAB_NULNAME, E(NAME), "name", ANY},
    {LAB_FROM_OTHERCA, E(UNTRUSTED), "trust", ANY},
    {LAB_BY_LEAF, E(UNTRUSTED), "trust", ANY},
    {LAB_SELFSIGNED, E(SELF_SIGNED), "self-signed", SELF | ANY},
    {LAB_EXPIRED, E(EXPIRED), "expiry", EXPIRED | ANY},
    {LAB_NOTYET, E(NOT_YET_VALID), "activation", ANY},
    {LAB_SIPDOMAIN, 0, NULL, 0},
    {LAB_ANYEKU, 0, NULL, 0},
    {LAB_NOEKU, 0, NULL, 0},
    {LAB_CLIENTONLY, E(PURPOSE), "purpose", ANY},
    {LAB_SERVERONLY, 0, NULL, 0},
    {LAB_RSA, 0, NULL, 0},
    {LAB_WEAKRSA, E(WEAK), "strength", ANY},
    {LAB_VIA_INTERMEDIATE, 0, NULL, 0},
    {LAB_REVOKED, E(REVOKED), "revocation", ANY},
    {LAB_MUSTSTAPLE, E(STATUS), "stapling", ANY},
    {LAB_IDN, E(NAME), "name", ANY},
    {LAB_ALICE, E(PURPOSE), "purpose", ANY},
    {LAB_PROXY, E(PURPOSE), "purpose", ANY},
};

static const struct kind clients[] = {
    {LAB_ALICE, 0, NULL, 0},
    {LAB_PROXY, 0, NULL, 0},
    {LAB_SERVER, 0, NULL, 0},
    {LAB_WRONGNAME, 0, NULL, 0}, /* a server asks for no name */
    {LAB_SIPDOMAIN, 0, NULL, 0},
    {LAB_ANYEKU, 0, NULL, 0},
    {LAB_NOEKU, 0, NULL, 0},
    {LAB_CLIENTONLY, 0, NULL, 0},
    {LAB_RSA, 0, NULL, 0},
    {LAB_VIA_INTERMEDIATE, 0, NULL, 0},
    {LAB_SERVERONLY, E(PURPOSE), "purpose", ANY},
    {LAB_CLIENT_OTHERCA, E(UNTRUSTED), "trust", ANY},
    {LAB_BY_LEAF, E(UNTRUSTED), "trust", ANY},
    {LAB_CLIENT_EXPIRED, E(EXPIRED), "expiry", EXPIRED | ANY},
    {LAB_SELFSIGNED, E(SELF_SIGNED), "self-signed", SELF | ANY},
    {LAB_NOTYET, E(NOT_YET_VALID), "activation", ANY},
    {LAB_WEAKRSA, E(WEAK), "strength", ANY},
    {LAB_REVOKED, E(REVOKED), "revocation", ANY},
    {LAB_N, E(MISSING), "certificate", 0},
};

static void expect(const struct row *row, struct ssi_tls_session *judge,
                   struct ssi_tls_session *other)
{
    const struct ssi_tls_failure *f = ssi_tls_session_failure(judge);
    const secsip_tls_info *info = ssi_tls_session_info(judge);
    char byte;

    print_message("%s for %s, options 0x%x: %s\n", lab_name(row->cert),
                  row->domain ? row->domain : "client", (unsigned)row->options, f->text);
    if (row->result == 0) {
        assert_int_equal(ssi_tls_session_state(judge), SSI_TLS_OPEN);
        assert_int_equal(f->result, 0);
        assert_int_equal(info->relaxed, row->relaxed);
        assert_int_equal(info->verified, row->relaxed == 0);
        return;
    }
    assert_int_equal(ssi_tls_session_state(judge), SSI_TLS_FAILED);
    assert_int_equal(f->result, row->result);
    assert_string_equal(f->check, row->check);
    assert_true(f->text[0] != 0);
    assert_int_equal(info->verified, 0);
    assert_int_equal(ssi_tls_session_write(judge, "x", 1), SECSIP_E_STATE);
    /* The refused side is told by an alert, at the latest when it reads. */
    if (ssi_tls_session_state(other) == SSI_TLS_OPEN)
        assert_true(ssi_tls_session_read(other, &byte, 1) < 0);
    assert_int_equal(ssi_tls_session_state(other), SSI_TLS_FAILED);
    assert_int_equal(ssi_tls_session_failure(other)->result, SECSIP_E_TLS_ALERT);
}

static void add_crl(secsip_tls_profile *p)
{
    char *crl = lab_crl(LAB_CA, LAB_UNTIL);

    assert_int_equal(secsip_tls_profile_add_crl_pem(p, crl, strlen(crl)), 0);
    free(crl);
}

static void judge_server(const struct row *row, uint32_t versions)
{
    secsip_tls_profile *cp = lab_profile(LAB_N), *sp = lab_profile(row->cert);
    struct tls_pair pair;

    add_crl(cp);
    assert_int_equal(secsip_tls_profile_set_options(cp, row->options), 0);
    assert_int_equal(ssi_tls_profile_set_version(cp, versions), 0);
    tls_pair_open(&pair, cp, sp, row->domain, LAB_NOW);
    tls_pair_pump(&pair);
    expect(row, pair.client, pair.server);
    tls_pair_close(&pair);
    secsip_tls_profile_unref(cp);
    secsip_tls_profile_unref(sp);
}

static void judge_client(const struct row *row, uint32_t versions)
{
    secsip_tls_profile *cp = lab_profile(row->cert), *sp = lab_profile(LAB_SERVER);
    struct tls_pair pair;

    add_crl(sp);
    assert_int_equal(secsip_tls_profile_set_options(sp, row->options), 0);
    assert_int_equal(secsip_tls_profile_set_client_cert(sp, SECSIP_TLS_CLIENT_CERT_REQUIRE), 0);
    assert_int_equal(ssi_tls_profile_set_version(cp, versions), 0);
    tls_pair_open(&pair, cp, sp, "example.test", LAB_NOW);
    tls_pair_pump(&pair);
    expect(row, pair.server, pair.client);
    tls_pair_close(&pair);
    secsip_tls_profile_unref(cp);
    secsip_tls_profile_unref(sp);
}

static void clients_judge_servers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof as_client / sizeof *as_client; i++) {
        judge_server(&as_client[i], SECSIP_TLS_VERSION_1_2);
        judge_server(&as_client[i], SECSIP_TLS_VERSION_1_3);
    }
}

static void servers_judge_clients(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof as_server / sizeof *as_server; i++) {
        judge_client(&as_server[i], SECSIP_TLS_VERSION_1_2);
        judge_client(&as_server[i], SECSIP_TLS_VERSION_1_3);
    }
}

static void every_option_forgives_what_it_names_and_nothing_else(void **state)
{
    (void)state;
    static const uint32_t options[] = {0, WILD, CN, EXPIRED, SELF, ANY};
    const size_t n_servers = sizeof servers / sizeof *servers;
    const size_t n = n_servers + sizeof clients / sizeof *clients;

    for (size_t i = 0; i < n * 6; i++) {
        bool serves = i / 6 < n_servers;
        const struct kind *k = serves ? &servers[i / 6] : &clients[i / 6 - n_servers];
        uint32_t option = options[i % 6];
        bool saved = k->result != 0 && (k->forgiving & option);
        const struct row row = {k->cert,  serves ? "example.test" : NULL,
                                option,   saved ? 0 : k->result,
                                k->check, saved ? option : 0};
        for (int v = 0; v < 2; v++)
            (serves ? judge_server : judge_client)(&row, v ? SECSIP_TLS_VERSION_1_3
                                                           : SECSIP_TLS_VERSION_1_2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_judge_servers),
        cmocka_unit_test(servers_judge_clients),
        cmocka_unit_test(every_option_forgives_what_it_names_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, lab_set_up, lab_tear_down);
}
