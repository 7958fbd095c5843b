/* Where trust comes from: the system, a file, a folder, memory; and names beyond ASCII, with wildcards, as addresses. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "folder.h"
#include "forge.h"
#include "tls_pair.h"
#include "tls/profile.h"

static char folder[] = "/tmp/secsip-trust-XXXXXX";

static const char *write_file(const char *name, const char *text)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    return path;
}

static secsip_tls_profile *bare(void)
{
    secsip_tls_profile *p;

    assert_int_equal(secsip_tls_profile_new(&p), 0);
    return p;
}

/* The client's verdict on a server. */
static secsip_result meet(secsip_tls_profile *cp, enum lab_cert server, const char *domain)
{
    secsip_tls_profile *sp = lab_profile(server);
    struct tls_pair p;

    tls_pair_open(&p, cp, sp, domain, LAB_NOW);
    tls_pair_pump(&p);
    secsip_result r = ssi_tls_session_failure(p.client)->result;
    if (r == 0)
        assert_int_equal(ssi_tls_session_info(p.client)->verified, 1);
    tls_pair_close(&p);
    secsip_tls_profile_unref(sp);
    return r;
}

static void add_ca(secsip_tls_profile *p, enum lab_cert ca)
{
    assert_int_equal(secsip_tls_profile_add_trust_pem(p, lab_chain(ca), strlen(lab_chain(ca))), 0);
}

static void memory_and_files_add_up(void **state)
{
    (void)state;
    secsip_tls_profile *p = bare();

    add_ca(p, LAB_CA);
    assert_int_equal(
        secsip_tls_profile_add_trust_file(p, write_file("other.pem", lab_chain(LAB_OTHERCA))), 0);
    assert_int_equal(meet(p, LAB_SERVER, "example.test"), 0);
    assert_int_equal(meet(p, LAB_FROM_OTHERCA, "example.test"), 0);
    assert_int_equal(meet(p, LAB_SELFSIGNED, "example.test"), SECSIP_E_TLS_CERT_SELF_SIGNED);
    secsip_tls_profile_unref(p);
    p = bare();
    assert_int_equal(secsip_tls_profile_add_trust_file(p, write_file("ca.pem", lab_chain(LAB_CA))),
                     0);
    assert_int_equal(meet(p, LAB_SERVER, "example.test"), 0);
    assert_int_equal(meet(p, LAB_FROM_OTHERCA, "example.test"), SECSIP_E_TLS_CERT_UNTRUSTED);
    secsip_tls_profile_unref(p);
    /* A self-signed certificate that is itself trusted is no stranger. */
    p = bare();
    add_ca(p, LAB_SELFSIGNED);
    assert_int_equal(meet(p, LAB_SELFSIGNED, "example.test"), 0);
    assert_int_equal(meet(p, LAB_SERVER, "example.test"), SECSIP_E_TLS_CERT_UNTRUSTED);
    secsip_tls_profile_unref(p);
}

static void a_folder_is_read_as_a_whole(void **state)
{
    (void)state;
    secsip_tls_profile *p = bare();
    char path[128];

    write_file("ca.pem", lab_chain(LAB_CA));
    write_file("other.pem", lab_chain(LAB_OTHERCA));
    write_file("twice.pem", lab_chain(LAB_CA));
    write_file("README", "no certificate\n");
    snprintf(path, sizeof path, "%s/below", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    write_file("below/self.pem", lab_chain(LAB_SELFSIGNED));
    assert_int_equal(secsip_tls_profile_add_trust_directory(p, folder), 0);
    assert_int_equal(meet(p, LAB_SERVER, "example.test"), 0);
    assert_int_equal(meet(p, LAB_FROM_OTHERCA, "example.test"), 0);
    assert_int_equal(meet(p, LAB_SELFSIGNED, "example.test"), SECSIP_E_TLS_CERT_SELF_SIGNED);
    assert_int_equal(secsip_tls_profile_add_trust_directory(p, folder), SECSIP_E_STATE);
    secsip_tls_profile_unref(p);
    /* What holds no authority is an error that says so. */
    p = bare();
    snprintf(path, sizeof path, "%s/empty", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(secsip_tls_profile_add_trust_directory(p, path), SECSIP_E_TLS_CREDENTIALS);
    assert_non_null(strstr(secsip_tls_profile_error(p)->text, path));
    assert_int_equal(secsip_tls_profile_add_trust_directory(p, "/nonexistent"), SECSIP_E_FILE);
    assert_non_null(strstr(secsip_tls_profile_error(p)->text, "No such file"));
    assert_int_equal(secsip_tls_profile_add_trust_directory(p, write_file("x", "x")),
                     SECSIP_E_FILE);
    assert_int_equal(secsip_tls_profile_add_trust_directory(p, NULL), SECSIP_E_INVALID);
    secsip_tls_profile_unref(p);
}

/* The first authority of the system's list that is valid for a while, in DER. */
static bool system_authority(gnutls_datum_t *ret, uint64_t *ret_when)
{
    gnutls_x509_trust_list_t list;
    gnutls_x509_trust_list_iter_t iter = NULL;
    gnutls_x509_crt_t crt;
    bool found = false;

    assert_int_equal(gnutls_x509_trust_list_init(&list, 0), 0);
    if (gnutls_x509_trust_list_add_system_trust(list, 0, 0) > 0 &&
        gnutls_x509_trust_list_iter_get_ca(list, &iter, &crt) >= 0) {
        *ret_when = (uint64_t)gnutls_x509_crt_get_activation_time(crt) + 86400;
        found = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, ret) >= 0;
        gnutls_x509_crt_deinit(crt);
        gnutls_x509_trust_list_iter_deinit(iter);
    }
    gnutls_x509_trust_list_deinit(list, 1);
    return found;
}

static uint32_t failed, n_asked;

static int32_t note(const secsip_tls_question *q, void *user_data)
{
    (void)user_data;
    failed = q->failed;
    n_asked++;
    return 0;
}

static void the_systems_list_is_the_default(void **state)
{
    (void)state;
    secsip_tls_profile *p = bare();
    struct ssi_tls_trust trust = {0};
    struct ssi_tls_policy policy = {.decide = note};
    struct ssi_tls_check check = {.trust = &trust, .policy = &policy, .domain = "example.test"};
    struct ssi_tls_verdict v;
    gnutls_datum_t der;

    /* The lab's authority is not in it. */
    assert_int_equal(meet(p, LAB_SERVER, "example.test"), SECSIP_E_TLS_CERT_UNTRUSTED);
    secsip_tls_profile_unref(p);
    if (!system_authority(&der, &check.wall_s)) {
        print_message("SKIPPED: the system has no list of authorities (ca-certificates)\n");
        return;
    }
    /* One of its own is trusted; that it names nobody of ours is another check's matter. */
    assert_int_equal(gnutls_x509_trust_list_init(&trust.list, 0), 0);
    for (int i = 0; i < 2; i++) {
        ssi_tls_names_init(&v.names);
        assert_true(ssi_tls_verify(&check, &der, 1, &v) < 0);
        assert_int_equal((failed & SECSIP_TLS_CHECK_SELF_SIGNED) == 0, i);
        assert_true(failed & SECSIP_TLS_CHECK_NAME);
        ssi_tls_names_free(&v.names);
        if (i == 0)
            assert_true(gnutls_x509_trust_list_add_system_trust(trust.list, 0, 0) > 0);
    }
    assert_int_equal(n_asked, 2);
    gnutls_x509_trust_list_deinit(trust.list, 1);
    gnutls_free(der.data);
}

static void names_beyond_ascii_are_compared_as_a_labels(void **state)
{
    (void)state;
    static const struct {
        const char *domain;
        secsip_result result;
    } rows[] = {
        {"xn--bcher-kva.test", 0},
        {"XN--BCHER-KVA.test", 0},
        {"b\xc3\xbc"
         "cher.test",
         0},
        {"B\xc3\x9c"
         "CHER.test.",
         0},
        {"bucher.test", SECSIP_E_TLS_CERT_NAME},
        {"xn--bucher-kva.test", SECSIP_E_TLS_CERT_NAME},
        {"example.test", SECSIP_E_TLS_CERT_NAME},
    };
    struct ssi_tls_config config = {.domain = "b\xfc"
                                              "cher.test", /* Latin-1 is no name at all */
                                    .wall_s = LAB_NOW};
    struct ssi_tls_session *s;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        secsip_tls_profile *p = lab_profile(LAB_N);
        print_message("%s\n", rows[i].domain);
        assert_int_equal(meet(p, LAB_IDN, rows[i].domain), rows[i].result);
        secsip_tls_profile_unref(p);
    }
    config.profile = lab_profile(LAB_N);
    assert_int_equal(ssi_tls_session_new(&config, &s), SECSIP_E_INVALID);
    secsip_tls_profile_unref(config.profile);
}

/* Names one after the other, held against a domain: RFC 5922 7.2, RFC 6125 6.4.3. */
static void wildcards_and_addresses_match_as_written(void **state)
{
    (void)state;
    static const struct {
        enum ssi_tls_name_kind kind;
        const char *name, *domain;
        bool match;
        uint32_t needs;
    } rows[] = {
        {SSI_TLS_NAME_DNS, "*.example.test", "sip.example.test", true, SECSIP_TLS_ALLOW_WILDCARD},
        {SSI_TLS_NAME_DNS, "*.example.test", "example.test", false, 0},
        {SSI_TLS_NAME_DNS, "*.example.test", "a.b.example.test", false, 0},
        {SSI_TLS_NAME_DNS, "s*.example.test", "sip.example.test", false, 0},
        {SSI_TLS_NAME_DNS, "*ip.example.test", "sip.example.test", false, 0},
        {SSI_TLS_NAME_DNS, "sip.*.test", "sip.example.test", false, 0},
        {SSI_TLS_NAME_DNS, "*", "test", false, 0},
        {SSI_TLS_NAME_DNS, "*.", "test", false, 0},
        {SSI_TLS_NAME_DNS, "**.example.test", "sip.example.test", false, 0},
        {SSI_TLS_NAME_SIP, "*.example.test", "sip.example.test", false, 0}, /* never in a URI */
        {SSI_TLS_NAME_CN, "*.example.test", "sip.example.test", false, 0},
        {SSI_TLS_NAME_DNS, "*.0.2.1", "192.0.2.1", false, 0},
        {SSI_TLS_NAME_IP, "192.0.2.1", "192.0.2.1", true, 0},
        {SSI_TLS_NAME_IP, "192.0.2.1", "192.0.2.10", false, 0},
        {SSI_TLS_NAME_IP, "2001:db8::1", "2001:0DB8:0:0::1", true, 0},
        {SSI_TLS_NAME_IP, "2001:db8::1", "2001:db8::2", false, 0},
        {SSI_TLS_NAME_DNS, "192.0.2.1", "192.0.2.1", false, 0}, /* an address is no dNSName */
        {SSI_TLS_NAME_CN, "192.0.2.1", "192.0.2.1", false, 0},
        {SSI_TLS_NAME_SIP, "192.0.2.1", "192.0.2.1", true, 0},
        {SSI_TLS_NAME_USER, "sip:alice@example.test", "example.test", false, 0},
        {SSI_TLS_NAME_OTHER, "example.test", "example.test", false, 0},
        {SSI_TLS_NAME_DNS, "example.test.", "example.test", true, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ssi_tls_names names;
        uint32_t needs = 0;
        ssi_tls_names_init(&names);
        ssi_tls_names_add(&names, rows[i].kind, ssi_slice_str(rows[i].name));
        print_message("%s for %s\n", rows[i].name, rows[i].domain);
        assert_int_equal(ssi_tls_names_match(&names, rows[i].domain, &needs), rows[i].match);
        if (rows[i].match)
            assert_int_equal(needs, rows[i].needs);
        ssi_tls_names_free(&names);
    }
}

/* GnuTLS looks at its clock whatever it is told to leave out: what that says must not matter. */
static time_t wrong_time;

static time_t wrong_clock(time_t *t)
{
    if (t)
        *t = wrong_time;
    return wrong_time;
}

/* A chain of two, in DER. */
static size_t read_chain(enum lab_cert which, gnutls_datum_t der[2])
{
    const char *text = lab_chain(which);
    gnutls_datum_t pem = {(unsigned char *)(uintptr_t)text, (unsigned)strlen(text)};
    gnutls_x509_crt_t *crts;
    unsigned n;

    assert_true(gnutls_x509_crt_list_import2(&crts, &n, &pem, GNUTLS_X509_FMT_PEM, 0) >= 0);
    assert_in_range(n, 1, 2);
    for (unsigned i = 0; i < n; i++) {
        assert_true(gnutls_x509_crt_export2(crts[i], GNUTLS_X509_FMT_DER, &der[i]) >= 0);
        gnutls_x509_crt_deinit(crts[i]);
    }
    gnutls_free(crts);
    return n;
}

static void verification_knows_only_the_time_it_is_given(void **state)
{
    (void)state;
    static const struct {
        enum lab_cert cert;
        uint64_t wall_s;
        secsip_result result;
        uint64_t until;
    } rows[] = {
        {LAB_SERVER, LAB_NOW, 0, LAB_UNTIL},
        {LAB_SERVER, LAB_UNTIL, 0, LAB_UNTIL},
        {LAB_SERVER, LAB_UNTIL + 1ULL, SECSIP_E_TLS_CERT_EXPIRED, 0},
        {LAB_SERVER, LAB_FROM, 0, LAB_UNTIL},
        {LAB_SERVER, LAB_FROM - 1ULL, SECSIP_E_TLS_CERT_NOT_YET_VALID, 0},
        {LAB_SERVER, 0, SECSIP_E_TLS_CERT_NOT_YET_VALID, 0},
        {LAB_SERVER, 3999999999U, SECSIP_E_TLS_CERT_EXPIRED, 0},
        {LAB_SERVER, 1ULL << 40, SECSIP_E_TLS_CERT_STATUS, 0}, /* the list is out of date as well */
        {LAB_EXPIRED, LAB_NOW - 1, 0, LAB_NOW - 1},
        {LAB_EXPIRED, LAB_NOW, SECSIP_E_TLS_CERT_EXPIRED, 0},
        {LAB_NOTYET, LAB_NOW + 1, 0, LAB_UNTIL},
        {LAB_NOTYET, LAB_NOW, SECSIP_E_TLS_CERT_NOT_YET_VALID, 0},
        {LAB_VIA_INTERMEDIATE, LAB_NOW, 0, LAB_UNTIL},
        {LAB_REVOKED, LAB_NOW, SECSIP_E_TLS_CERT_REVOKED, 0},
        {LAB_MUSTSTAPLE, LAB_NOW, SECSIP_E_TLS_CERT_STATUS, 0},
    };
    secsip_tls_profile *p = lab_profile(LAB_N);
    char *crl = lab_crl(LAB_CA, 4000000000U);

    assert_int_equal(secsip_tls_profile_add_crl_pem(p, crl, strlen(crl)), 0);
    free(crl);
    gnutls_global_set_time_function(wrong_clock);
    for (size_t k = 0; k < 2 * sizeof rows / sizeof *rows; k++) {
        size_t i = k / 2;
        struct ssi_tls_check check = {
            .trust = &p->trust, .domain = "example.test", .wall_s = rows[i].wall_s};
        gnutls_datum_t der[2];
        struct ssi_tls_verdict v;
        size_t n = read_chain(rows[i].cert, der);
        wrong_time = k % 2 ? 1 : 4000000000; /* 1970 and 2096 */
        ssi_tls_names_init(&v.names);
        assert_int_equal(ssi_tls_verify(&check, der, n, &v), rows[i].result);
        if (rows[i].result == 0)
            assert_int_equal(v.good_until, rows[i].until);
        ssi_tls_names_free(&v.names);
        while (n-- > 0)
            gnutls_free(der[n].data);
    }
    gnutls_global_set_time_function(time);
    secsip_tls_profile_unref(p);
}

/* What is judged is who signed, not who has the name of the signer: an authority that is trusted but not pinned makes one
 * below it with the name of the pinned one. */
static void an_authority_of_the_same_name_is_another_one(void **state)
{
    (void)state;
    static const struct {
        bool pinned, with_real; /* the real authority is pinned; it is sent along */
        uint32_t until;         /* of the authority that signed */
        uint32_t options;
        secsip_result result;
    } rows[] = {
        {false, false, LAB_UNTIL, 0, 0},
        {false, true, LAB_UNTIL, 0, 0},
        {true, false, LAB_UNTIL, 0, SECSIP_E_TLS_CERT_PIN},
        {true, true, LAB_UNTIL, 0, SECSIP_E_TLS_CERT_PIN},
        {true, true, LAB_UNTIL, SECSIP_TLS_INSECURE_ANY, SECSIP_E_TLS_CERT_PIN},
        {false, false, LAB_NOW - 1, 0, SECSIP_E_TLS_CERT_EXPIRED},
        {false, true, LAB_NOW - 1, 0, SECSIP_E_TLS_CERT_EXPIRED},
    };
    gnutls_x509_crt_t other = forge_read_cert(LAB_OTHERCA), real = forge_read_cert(LAB_CA);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        secsip_tls_profile *p = lab_profile(LAB_N);
        gnutls_x509_crt_t same_name = forge_cert(&(struct forge){.cn = "lab CA",
                                                                 .key = LAB_ALICE,
                                                                 .signer_key = LAB_OTHERCA,
                                                                 .signer = other,
                                                                 .authority = true,
                                                                 .until = rows[i].until});
        gnutls_x509_crt_t leaf = forge_cert(&(struct forge){.cn = "example.test",
                                                            .key = LAB_SERVER,
                                                            .signer_key = LAB_ALICE,
                                                            .signer = same_name,
                                                            .until = LAB_UNTIL});
        gnutls_x509_crt_t chain[] = {leaf, same_name, real};
        struct ssi_tls_check check = {
            .trust = &p->trust,
            .domain = "example.test",
            .options = rows[i].options,
            .wall_s = LAB_NOW,
        };
        size_t n = rows[i].with_real ? 3 : 2;
        gnutls_datum_t der[3];
        struct ssi_tls_verdict v;
        char pin[65];
        add_ca(p, LAB_OTHERCA);
        lab_pin(LAB_CA, pin);
        if (rows[i].pinned)
            assert_int_equal(secsip_tls_profile_add_pin(p, pin), 0);
        for (size_t k = 0; k < n; k++)
            assert_int_equal(gnutls_x509_crt_export2(chain[k], GNUTLS_X509_FMT_DER, &der[k]), 0);
        ssi_tls_names_init(&v.names);
        print_message("row %zu\n", i);
        assert_int_equal(ssi_tls_verify(&check, der, n, &v), rows[i].result);
        ssi_tls_names_free(&v.names);
        while (n-- > 0)
            gnutls_free(der[n].data);
        gnutls_x509_crt_deinit(leaf);
        gnutls_x509_crt_deinit(same_name);
        secsip_tls_profile_unref(p);
    }
    gnutls_x509_crt_deinit(real);
    gnutls_x509_crt_deinit(other);
}

/* An authority that was renewed with its key stands twice in the list, once out of date. */
static void a_renewed_authority_counts_beside_its_old_certificate(void **state)
{
    (void)state;

    for (int first = 0; first < 2; first++) {
        secsip_tls_profile *p = bare();
        gnutls_x509_crt_t old = forge_cert(&(struct forge){.cn = "lab CA",
                                                           .key = LAB_CA,
                                                           .signer_key = LAB_CA,
                                                           .authority = true,
                                                           .until = LAB_NOW - 1});
        gnutls_datum_t pem;
        assert_int_equal(gnutls_x509_crt_export2(old, GNUTLS_X509_FMT_PEM, &pem), 0);
        if (first)
            add_ca(p, LAB_CA);
        assert_int_equal(secsip_tls_profile_add_trust_pem(p, (const char *)pem.data, pem.size), 0);
        if (!first)
            add_ca(p, LAB_CA);
        print_message("the new one is %s\n", first ? "first" : "second");
        assert_int_equal(meet(p, LAB_SERVER, "example.test"), 0);
        gnutls_free(pem.data);
        gnutls_x509_crt_deinit(old);
        secsip_tls_profile_unref(p);
    }
}

/* RFC 5922 7.1: the host of a sip URI without a user is the identity. */
static void the_host_of_a_uri_counts_and_nothing_else_of_it(void **state)
{
    (void)state;
    static const struct {
        const char *uri, *domain;
        secsip_result result;
    } rows[] = {
        {"sip:sip.test", "sip.test", 0},
        {"SIP:sip.test", "sip.test", 0},
        {"sip:sip.test:5061", "sip.test", 0},
        {"sip:sip.test;transport=tls", "sip.test", 0},
        {"sip:sip.test:5061;transport=tls", "sip.test", 0},
        {"sip:[2001:db8::1]", "2001:db8::1", 0},
        {"sip:[2001:db8::1]:5061", "2001:db8::1", 0},
        {"sip:192.0.2.1:5061", "192.0.2.1", 0},
        {"sip:[2001:db8::1", "2001:db8::1", SECSIP_E_TLS_CERT_NAME},
        {"sip::5061", "sip.test", SECSIP_E_TLS_CERT_NAME},
        {"sip:", "sip.test", SECSIP_E_TLS_CERT_NAME},
        {"sip:5061:sip.test", "sip.test", SECSIP_E_TLS_CERT_NAME},
        {"sips:sip.test", "sip.test", SECSIP_E_TLS_CERT_NAME},
        {"sip:a@sip.test:5061", "sip.test", SECSIP_E_TLS_CERT_NAME},
    };
    secsip_tls_profile *p = lab_profile(LAB_N);
    gnutls_x509_crt_t ca = forge_read_cert(LAB_CA);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ssi_tls_check check = {
            .trust = &p->trust, .domain = rows[i].domain, .wall_s = LAB_NOW};
        gnutls_x509_crt_t crt = forge_cert(&(struct forge){.cn = "x",
                                                           .key = LAB_SERVER,
                                                           .signer_key = LAB_CA,
                                                           .signer = ca,
                                                           .until = LAB_UNTIL,
                                                           .uri = rows[i].uri});
        struct ssi_tls_verdict v;
        gnutls_datum_t der;
        assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der), 0);
        ssi_tls_names_init(&v.names);
        print_message("%s for %s\n", rows[i].uri, rows[i].domain);
        assert_int_equal(ssi_tls_verify(&check, &der, 1, &v), rows[i].result);
        ssi_tls_names_free(&v.names);
        gnutls_free(der.data);
        gnutls_x509_crt_deinit(crt);
    }
    gnutls_x509_crt_deinit(ca);
    secsip_tls_profile_unref(p);
}

static int set_up(void **state)
{
    (void)state;
    lab_open();
    test_folder_make(folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lab_close();
    return test_folder_remove(folder);
}

/* One name has one form: tickets, known keys and certificates are found by it. */
static void a_domain_has_one_form(void **state)
{
    (void)state;
    static const struct {
        const char *domain, *normal; /* NULL: it is none */
    } rows[] = {
        {"Example.TEST", "example.test"},
        {"example.test.", "example.test"},
        {"b\xc3\xbc"
         "cher.test",
         "xn--bcher-kva.test"},
        {"192.0.2.1", "192.0.2.1"},
        {"2001:db8::1", "2001:db8::1"},
        {"[2001:db8::1]", "2001:db8::1"},
        {"[2001:DB8:0::1]", "2001:db8::1"},
        {"2001:0db8:0:0:0:0:0:1", "2001:db8::1"},
        {"[::ffff:192.0.2.1]", "::ffff:192.0.2.1"},
        {"exam ple", NULL},
        {"b\xc3", NULL},
        {"", NULL},
    };
    char normal[SSI_TLS_DOMAIN_SIZE];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        print_message("%s\n", rows[i].domain);
        assert_int_equal(ssi_tls_domain_normal(rows[i].domain, normal),
                         rows[i].normal ? 0 : SECSIP_E_INVALID);
        if (rows[i].normal)
            assert_string_equal(normal, rows[i].normal);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_and_files_add_up),
        cmocka_unit_test(a_folder_is_read_as_a_whole),
        cmocka_unit_test(the_systems_list_is_the_default),
        cmocka_unit_test(verification_knows_only_the_time_it_is_given),
        cmocka_unit_test(an_authority_of_the_same_name_is_another_one),
        cmocka_unit_test(a_renewed_authority_counts_beside_its_old_certificate),
        cmocka_unit_test(a_domain_has_one_form),
        cmocka_unit_test(the_host_of_a_uri_counts_and_nothing_else_of_it),
        cmocka_unit_test(names_beyond_ascii_are_compared_as_a_labels),
        cmocka_unit_test(wildcards_and_addresses_match_as_written),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
