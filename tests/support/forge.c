/* Certificates of any name and signer, see forge.h. */
#include "forge.h"

#include <string.h>

#include "test.h"

gnutls_x509_crt_t forge_read_cert(enum lab_cert which)
{
    gnutls_datum_t pem = {(unsigned char *)(uintptr_t)lab_chain(which),
                          (unsigned)strlen(lab_chain(which))};
    gnutls_x509_crt_t crt;

    assert_int_equal(gnutls_x509_crt_init(&crt), 0);
    assert_int_equal(gnutls_x509_crt_import(crt, &pem, GNUTLS_X509_FMT_PEM), 0);
    return crt;
}

static gnutls_x509_privkey_t read_key(enum lab_cert which)
{
    gnutls_datum_t pem = {(unsigned char *)(uintptr_t)lab_key(which),
                          (unsigned)strlen(lab_key(which))};
    gnutls_x509_privkey_t key;

    assert_int_equal(gnutls_x509_privkey_init(&key), 0);
    assert_int_equal(gnutls_x509_privkey_import(key, &pem, GNUTLS_X509_FMT_PEM), 0);
    return key;
}

static void add_first_name(gnutls_x509_crt_t crt, const struct forge *f)
{
    const char *name = f->mail ? f->mail : f->dns ? f->dns : "example.test";

    gnutls_x509_crt_set_subject_alt_name(crt, f->mail ? GNUTLS_SAN_RFC822NAME : GNUTLS_SAN_DNSNAME,
                                         name, (unsigned)strlen(name), 0);
}

static void add_key_ids(gnutls_x509_crt_t crt, gnutls_x509_crt_t signer)
{
    uint8_t id[20];
    size_t len = sizeof id;

    assert_int_equal(gnutls_x509_crt_get_key_id(crt, 0, id, &len), 0);
    assert_int_equal(gnutls_x509_crt_set_subject_key_id(crt, id, len), 0);
    len = sizeof id;
    if (signer) {
        assert_int_equal(gnutls_x509_crt_get_key_id(signer, 0, id, &len), 0);
        assert_int_equal(gnutls_x509_crt_set_authority_key_id(crt, id, len), 0);
    }
}

gnutls_x509_crt_t forge_cert(const struct forge *f)
{
    gnutls_x509_privkey_t key = read_key(f->key), signer_key = read_key(f->signer_key);
    gnutls_x509_crt_t crt;

    assert_int_equal(gnutls_x509_crt_init(&crt), 0);
    gnutls_x509_crt_set_version(crt, 3);
    gnutls_x509_crt_set_serial(crt, "\x42", 1);
    gnutls_x509_crt_set_key(crt, key);
    gnutls_x509_crt_set_activation_time(crt, f->from ? f->from : LAB_FROM);
    gnutls_x509_crt_set_expiration_time(crt, f->until);
    gnutls_x509_crt_set_basic_constraints(crt, f->authority, -1);
    gnutls_x509_crt_set_key_usage(crt, f->authority ? GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN
                                                    : GNUTLS_KEY_DIGITAL_SIGNATURE);
    gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, f->cn,
                                  (unsigned)strlen(f->cn));
    if (!f->authority && !f->bare)
        add_first_name(crt, f);
    if (f->uri)
        gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_URI, f->uri, (unsigned)strlen(f->uri),
                                             GNUTLS_FSAN_APPEND);
    if (f->purpose)
        gnutls_x509_crt_set_key_purpose_oid(crt, f->purpose, 0);
    if (f->key_ids)
        add_key_ids(crt, f->signer);
    assert_int_equal(
        gnutls_x509_crt_sign2(crt, f->signer ? f->signer : crt, signer_key, GNUTLS_DIG_SHA256, 0),
        0);
    gnutls_x509_privkey_deinit(signer_key);
    gnutls_x509_privkey_deinit(key);
    return crt;
}

char *forge_crl(gnutls_x509_crt_t authority, enum lab_cert key, gnutls_x509_crt_t revoked,
                uint32_t until)
{
    gnutls_x509_privkey_t signer_key = read_key(key);
    gnutls_x509_crl_t crl;
    gnutls_datum_t pem;
    uint8_t id[20];
    size_t len = sizeof id;

    assert_int_equal(gnutls_x509_crl_init(&crl), 0);
    gnutls_x509_crl_set_version(crl, 2);
    gnutls_x509_crl_set_number(crl, "\1", 1);
    gnutls_x509_crl_set_this_update(crl, LAB_FROM);
    gnutls_x509_crl_set_next_update(crl, (time_t)until);
    if (revoked)
        assert_int_equal(gnutls_x509_crl_set_crt(crl, revoked, LAB_FROM), 0);
    if (gnutls_x509_crt_get_subject_key_id(authority, id, &len, NULL) == 0)
        gnutls_x509_crl_set_authority_key_id(crl, id, len);
    assert_int_equal(gnutls_x509_crl_sign2(crl, authority, signer_key, GNUTLS_DIG_SHA256, 0), 0);
    assert_int_equal(gnutls_x509_crl_export2(crl, GNUTLS_X509_FMT_PEM, &pem), 0);
    char *text = strndup((const char *)pem.data, pem.size);
    assert_non_null(text);
    gnutls_free(pem.data);
    gnutls_x509_crl_deinit(crl);
    gnutls_x509_privkey_deinit(signer_key);
    return text;
}

secsip_tls_profile *forge_profile(const struct forge *f)
{
    secsip_tls_profile *p = lab_profile(LAB_N);
    gnutls_x509_crt_t crt = forge_cert(f);
    const char *key = lab_key(f->key);
    gnutls_datum_t pem;

    assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem), 0);
    assert_int_equal(
        secsip_tls_profile_set_identity_pem(p, (const char *)pem.data, pem.size, key, strlen(key)),
        0);
    gnutls_free(pem.data);
    gnutls_x509_crt_deinit(crt);
    return p;
}

gnutls_datum_t forge_der(gnutls_x509_crt_t crt)
{
    gnutls_datum_t der;

    assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der), 0);
    return der;
}
