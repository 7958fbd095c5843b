/* Whether a certificate is revoked: who may say so, and for how long. More of it: tests/tls/test_profile.c. */
#include "test.h"

#include <stdlib.h>

#include "forge.h"
#include "ocsp.h"
#include "tls/profile.h"
#include "tls_pair.h"

/* The client's verdict, or 1 where an earlier session was resumed. */
static int32_t meet(secsip_tls_profile *cp, secsip_tls_profile *sp, uint64_t wall_s)
{
    struct tls_pair p;
    char byte;

    tls_pair_open(&p, cp, sp, "example.test", wall_s);
    tls_pair_pump(&p);
    int32_t r = ssi_tls_session_failure(p.client)->result;
    if (r < 0) {
        print_message("%s\n", ssi_tls_session_failure(p.client)->text);
    } else {
        assert_int_equal(ssi_tls_session_info(p.client)->verified, 1);
        r = (int32_t)ssi_tls_session_info(p.client)->resumed;
        assert_int_equal(ssi_tls_session_read(p.client, &byte, 1), 0);
    }
    tls_pair_close(&p);
    return r;
}

/* Who answers for an authority is certified for that himself, for a time: that of the session, not the clock's. */
static void a_responders_certificate_is_held_against_the_time_that_was_given(void **state)
{
    (void)state;
    enum {
        SOON = LAB_NOW + 86400,
    };
    static const struct {
        uint32_t from, until;
        const char *purpose;
        int32_t now, again, later; /* at LAB_NOW, there once more, and two days behind */
    } rows[] = {
        {LAB_FROM, LAB_UNTIL, GNUTLS_KP_OCSP_SIGNING, 0, 1, 1},
        /* Past in the world, not in the session. */
        {LAB_FROM, SOON, GNUTLS_KP_OCSP_SIGNING, 0, 1, SECSIP_E_TLS_CERT_STATUS},
        {SOON, LAB_UNTIL, GNUTLS_KP_OCSP_SIGNING, SECSIP_E_TLS_CERT_STATUS,
         SECSIP_E_TLS_CERT_STATUS, 0},
        {LAB_FROM, LAB_NOW - 1, GNUTLS_KP_OCSP_SIGNING, SECSIP_E_TLS_CERT_STATUS,
         SECSIP_E_TLS_CERT_STATUS, SECSIP_E_TLS_CERT_STATUS},
        {LAB_FROM, LAB_UNTIL, GNUTLS_KP_TLS_WWW_SERVER, SECSIP_E_TLS_CERT_STATUS,
         SECSIP_E_TLS_CERT_STATUS, SECSIP_E_TLS_CERT_STATUS},
    };
    gnutls_x509_crt_t ca = forge_read_cert(LAB_CA);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        secsip_tls_profile *cp = lab_profile(LAB_N), *sp = lab_profile(LAB_MUSTSTAPLE);
        gnutls_x509_crt_t responder = forge_cert(&(struct forge){.cn = "responder",
                                                                 .key = LAB_ALICE,
                                                                 .signer_key = LAB_CA,
                                                                 .signer = ca,
                                                                 .from = rows[i].from,
                                                                 .until = rows[i].until,
                                                                 .bare = true,
                                                                 .purpose = rows[i].purpose});
        size_t len;
        uint8_t *der =
            lab_ocsp_delegated(LAB_MUSTSTAPLE, responder, LAB_ALICE, "20250601", "20250701", &len);
        assert_int_equal(secsip_tls_profile_set_ocsp(sp, der, len), 0);
        print_message("row %zu\n", i);
        assert_int_equal(meet(cp, sp, LAB_NOW), rows[i].now);
        assert_int_equal(meet(cp, sp, LAB_NOW), rows[i].again);
        assert_int_equal(meet(cp, sp, LAB_NOW + 2 * 86400), rows[i].later);
        free(der);
        gnutls_x509_crt_deinit(responder);
        secsip_tls_profile_unref(cp);
        secsip_tls_profile_unref(sp);
    }
    gnutls_x509_crt_deinit(ca);
}

static void trust(secsip_tls_profile *p, gnutls_x509_crt_t authority)
{
    gnutls_datum_t pem;

    assert_int_equal(gnutls_x509_crt_export2(authority, GNUTLS_X509_FMT_PEM, &pem), 0);
    assert_int_equal(secsip_tls_profile_add_trust_pem(p, (const char *)pem.data, pem.size), 0);
    gnutls_free(pem.data);
}

static secsip_result judge(const secsip_tls_profile *p, gnutls_x509_crt_t leaf)
{
    struct ssi_tls_check check = {.trust = &p->trust, .domain = "example.test", .wall_s = LAB_NOW};
    gnutls_datum_t der = forge_der(leaf);
    struct ssi_tls_verdict v;

    ssi_tls_names_init(&v.names);
    secsip_result r = ssi_tls_verify(&check, &der, 1, &v);
    print_message("%s\n", v.failure.text);
    ssi_tls_names_free(&v.names);
    gnutls_free(der.data);
    return r;
}

/* An authority and one certificate of its. */
struct issuer {
    enum lab_cert key;
    gnutls_x509_crt_t crt, leaf;
};

static void found(struct issuer *of, enum lab_cert key)
{
    of->key = key;
    of->crt = forge_cert(&(struct forge){.cn = "an authority",
                                         .key = key,
                                         .signer_key = key,
                                         .authority = true,
                                         .until = LAB_UNTIL,
                                         .key_ids = true});
    of->leaf = forge_cert(&(struct forge){.cn = "x",
                                          .key = LAB_SERVER,
                                          .signer_key = key,
                                          .signer = of->crt,
                                          .until = LAB_UNTIL,
                                          .key_ids = true});
}

static void close_down(struct issuer *of)
{
    gnutls_x509_crt_deinit(of->leaf);
    gnutls_x509_crt_deinit(of->crt);
}

/* An authority with a new key and its old name: both are trusted for a while, and both have a list. */
static void each_key_of_an_authority_has_its_own_list(void **state)
{
    (void)state;
    static const struct {
        uint32_t until[2]; /* of the list of the old and the new one; 0: there is none */
        secsip_result verdict[2];
    } rows[] = {
        {{LAB_UNTIL, LAB_UNTIL}, {0, 0}},
        {{LAB_NOW - 1, LAB_UNTIL}, {SECSIP_E_TLS_CERT_STATUS, 0}},
        {{LAB_UNTIL, LAB_NOW - 1}, {0, SECSIP_E_TLS_CERT_STATUS}},
        {{LAB_NOW - 1, 0}, {SECSIP_E_TLS_CERT_STATUS, 0}},
    };

    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        secsip_tls_profile *p;
        struct issuer issuers[2];
        size_t k = i / 2, first = i % 2;
        print_message("row %zu, %s first\n", k, first ? "the new one" : "the old one");
        assert_int_equal(secsip_tls_profile_new(&p), 0);
        found(&issuers[0], LAB_CA);
        found(&issuers[1], LAB_OTHERCA);
        trust(p, issuers[first].crt);
        trust(p, issuers[!first].crt);
        for (int n = 0; n < 2; n++) {
            if (!rows[k].until[n])
                continue;
            char *crl = forge_crl(issuers[n].crt, issuers[n].key, NULL, rows[k].until[n]);
            assert_int_equal(secsip_tls_profile_add_crl_pem(p, crl, strlen(crl)), 0);
            free(crl);
        }
        for (int n = 0; n < 2; n++)
            assert_int_equal(judge(p, issuers[n].leaf), rows[k].verdict[n]);
        for (int n = 0; n < 2; n++)
            close_down(&issuers[n]);
        secsip_tls_profile_unref(p);
    }
}

static void a_list_of_the_new_key_revokes_and_one_of_a_strangers_does_not_count(void **state)
{
    (void)state;
    secsip_tls_profile *p;
    struct issuer old, new, stranger;

    assert_int_equal(secsip_tls_profile_new(&p), 0);
    found(&old, LAB_CA);
    found(&new, LAB_OTHERCA);
    found(&stranger, LAB_ALICE); /* of the same name, and not trusted */
    trust(p, old.crt);
    trust(p, new.crt);
    char *forged = forge_crl(stranger.crt, LAB_ALICE, NULL, LAB_UNTIL);
    char *good = forge_crl(new.crt, LAB_OTHERCA, new.leaf, LAB_UNTIL);
    assert_int_equal(secsip_tls_profile_add_crl_pem(p, forged, strlen(forged)),
                     SECSIP_E_TLS_CREDENTIALS);
    assert_int_equal(judge(p, new.leaf), 0);
    assert_int_equal(secsip_tls_profile_add_crl_pem(p, good, strlen(good)), 0);
    assert_int_equal(judge(p, new.leaf), SECSIP_E_TLS_CERT_REVOKED);
    free(good);
    free(forged);
    close_down(&old);
    close_down(&new);
    close_down(&stranger);
    secsip_tls_profile_unref(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_responders_certificate_is_held_against_the_time_that_was_given),
        cmocka_unit_test(each_key_of_an_authority_has_its_own_list),
        cmocka_unit_test(a_list_of_the_new_key_revokes_and_one_of_a_strangers_does_not_count),
    };
    return cmocka_run_group_tests(tests, lab_set_up, lab_tear_down);
}
