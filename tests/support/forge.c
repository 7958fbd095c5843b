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

gnutls_x509_crt_t forge_cert(const struct forge *f)
{
    gnutls_x509_privkey_t key = read_key(f->key), signer_key = read_key(f->signer_key);
    gnutls_x509_crt_t crt;

    assert_int_equal(gnutls_x509_crt_init(&crt), 0);
    gnutls_x509_crt_set_version(crt, 3);
    gnutls_x509_crt_set_serial(crt, "\x42", 1);
    gnutls_x509_crt_set_key(crt, key);
    gnutls_x509_crt_set_activation_time(crt, LAB_FROM);
    gnutls_x509_crt_set_expiration_time(crt, f->until);
    gnutls_x509_crt_set_basic_constraints(crt, f->authority, -1);
    gnutls_x509_crt_set_key_usage(crt, f->authority ? GNUTLS_KEY_KEY_CERT_SIGN
                                                    : GNUTLS_KEY_DIGITAL_SIGNATURE);
    gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, f->cn,
                                  (unsigned)strlen(f->cn));
    if (!f->authority)
        gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, "example.test", 12, 0);
    if (f->uri)
        gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_URI, f->uri, (unsigned)strlen(f->uri),
                                             GNUTLS_FSAN_APPEND);
    assert_int_equal(
        gnutls_x509_crt_sign2(crt, f->signer ? f->signer : crt, signer_key, GNUTLS_DIG_SHA256, 0),
        0);
    gnutls_x509_privkey_deinit(signer_key);
    gnutls_x509_privkey_deinit(key);
    return crt;
}

gnutls_datum_t forge_der(gnutls_x509_crt_t crt)
{
    gnutls_datum_t der;

    assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der), 0);
    return der;
}
