/* OCSP answers by hand, see ocsp.h. */
#include "ocsp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>

struct der {
    uint8_t bytes[2000];
    size_t len;
};

static void must(int rc, const char *what)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "ocsp: %s: %s\n", what, gnutls_strerror(rc));
    abort();
}

static void put(struct der *d, const void *data, size_t len)
{
    if (d->len + len > sizeof d->bytes)
        abort();
    memcpy(d->bytes + d->len, data, len);
    d->len += len;
}

/* A value of a tag, with the long form of the length where it is needed. */
static void put_tlv(struct der *d, uint8_t tag, const void *data, size_t len)
{
    uint8_t head[4] = {tag, 0x82, (uint8_t)(len >> 8), (uint8_t)len};

    if (len < 128) {
        head[1] = (uint8_t)len;
        put(d, head, 2);
    } else {
        put(d, head, 4);
    }
    put(d, data, len);
}

static void put_der(struct der *d, uint8_t tag, const struct der *inner)
{
    put_tlv(d, tag, inner->bytes, inner->len);
}

static void put_time(struct der *d, const char *day)
{
    char text[16];

    snprintf(text, sizeof text, "%.8s000000Z", day);
    put_tlv(d, 0x18, text, 15);
}

static gnutls_x509_crt_t import_crt(enum lab_cert which)
{
    gnutls_datum_t pem = {(unsigned char *)(uintptr_t)lab_chain(which),
                          (unsigned)strlen(lab_chain(which))};
    gnutls_x509_crt_t crt;

    must(gnutls_x509_crt_init(&crt), "crt");
    must(gnutls_x509_crt_import(crt, &pem, GNUTLS_X509_FMT_PEM), "import");
    return crt;
}

/* CertID: SHA-1 of the issuer's name and key, and the serial number. */
static void put_cert_id(struct der *d, gnutls_x509_crt_t about, gnutls_x509_crt_t issuer)
{
    static const uint8_t sha1[] = {0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e,
                                   0x03, 0x02, 0x1a, 0x05, 0x00};
    gnutls_datum_t name, x, y;
    gnutls_ecc_curve_t curve;
    struct der id = {.len = 0};
    uint8_t hash[20], point[65] = {4}, serial[32];
    size_t serial_len = sizeof serial;

    put(&id, sha1, sizeof sha1);
    must(gnutls_x509_crt_get_raw_issuer_dn(about, &name), "issuer");
    must(gnutls_hash_fast(GNUTLS_DIG_SHA1, name.data, name.size, hash), "hash");
    put_tlv(&id, 4, hash, sizeof hash);
    gnutls_free(name.data);
    must(gnutls_x509_crt_get_pk_ecc_raw(issuer, &curve, &x, &y), "key");
    memcpy(point + 33 - (x.size < 32 ? x.size : 32), x.data + (x.size > 32 ? x.size - 32 : 0),
           x.size < 32 ? x.size : 32);
    memcpy(point + 65 - (y.size < 32 ? y.size : 32), y.data + (y.size > 32 ? y.size - 32 : 0),
           y.size < 32 ? y.size : 32);
    must(gnutls_hash_fast(GNUTLS_DIG_SHA1, point, sizeof point, hash), "hash");
    put_tlv(&id, 4, hash, sizeof hash);
    gnutls_free(x.data);
    gnutls_free(y.data);
    must(gnutls_x509_crt_get_serial(about, serial, &serial_len), "serial");
    put_tlv(&id, 2, serial, serial_len);
    put_der(d, 0x30, &id);
}

static void put_single(struct der *d, enum lab_cert about, enum lab_ocsp_status status,
                       const char *from, const char *until)
{
    gnutls_x509_crt_t crt = import_crt(about), issuer = import_crt(LAB_CA);
    struct der single = {.len = 0}, revoked = {.len = 0}, next = {.len = 0}, list = {.len = 0};

    put_cert_id(&single, crt, issuer);
    if (status == LAB_OCSP_REVOKED) {
        put_time(&revoked, from);
        put_der(&single, 0xa1, &revoked);
    } else {
        put_tlv(&single, status == LAB_OCSP_GOOD ? 0x80 : 0x82, "", 0);
    }
    put_time(&single, from);
    if (until) {
        put_time(&next, until);
        put_der(&single, 0xa0, &next);
    }
    put_der(&list, 0x30, &single);
    put_der(d, 0x30, &list);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_crt_deinit(issuer);
}

static void put_signature(struct der *d, enum lab_cert signer, const struct der *tbs)
{
    static const uint8_t ecdsa_sha256[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                           0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
    gnutls_datum_t pem = {(unsigned char *)(uintptr_t)lab_key(signer),
                          (unsigned)strlen(lab_key(signer))};
    gnutls_datum_t data = {(unsigned char *)(uintptr_t)tbs->bytes, (unsigned)tbs->len}, signature;
    struct der bits = {.len = 0};
    gnutls_privkey_t key;

    must(gnutls_privkey_init(&key), "key");
    must(gnutls_privkey_import_x509_raw(key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0), "import");
    must(gnutls_privkey_sign_data(key, GNUTLS_DIG_SHA256, 0, &data, &signature), "sign");
    put(d, ecdsa_sha256, sizeof ecdsa_sha256);
    put(&bits, "", 1);
    put(&bits, signature.data, signature.size);
    put_der(d, 3, &bits);
    gnutls_free(signature.data);
    gnutls_privkey_deinit(key);
}

static void put_certificate(struct der *d, gnutls_x509_crt_t crt)
{
    struct der list = {.len = 0}, certificates = {.len = 0};
    gnutls_datum_t der;

    must(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der), "certificate");
    put(&list, der.data, der.size);
    gnutls_free(der.data);
    put_der(&certificates, 0x30, &list);
    put_der(d, 0xa0, &certificates);
}

/* What is signed, by whom it says it is. */
static void put_data(struct der *d, gnutls_x509_crt_t responder, const char *from,
                     const struct der *single)
{
    struct der inner = {.len = 0};
    gnutls_datum_t name;

    must(gnutls_x509_crt_get_raw_dn(responder, &name), "name");
    put_tlv(&inner, 0xa1, name.data, name.size);
    gnutls_free(name.data);
    put_time(&inner, from);
    put(&inner, single->bytes, single->len);
    put_der(d, 0x30, &inner);
}

/* RFC 6960 4.2.1: the signed data in its two wrappings. */
static uint8_t *wrap(const struct der *inner, size_t *ret_len)
{
    static const uint8_t basic_oid[] = {0x06, 0x09, 0x2b, 0x06, 0x01, 0x05,
                                        0x05, 0x07, 0x30, 0x01, 0x01};
    static const uint8_t successful[] = {0x0a, 0x01, 0x00};
    struct der basic = {.len = 0}, wrapped = {.len = 0}, response = {.len = 0}, whole = {.len = 0},
               out = {.len = 0};

    put_der(&basic, 0x30, inner);
    put(&wrapped, basic_oid, sizeof basic_oid);
    put_der(&wrapped, 4, &basic);
    put_der(&response, 0x30, &wrapped);
    put(&whole, successful, sizeof successful);
    put_der(&whole, 0xa0, &response);
    put_der(&out, 0x30, &whole);
    uint8_t *copy = malloc(out.len);
    if (!copy)
        abort();
    memcpy(copy, out.bytes, out.len);
    *ret_len = out.len;
    return copy;
}

uint8_t *lab_ocsp(enum lab_cert about, enum lab_cert signer, enum lab_ocsp_status status,
                  const char *from, const char *until, size_t *ret_len)
{
    struct der single = {.len = 0}, data = {.len = 0};
    gnutls_x509_crt_t responder = import_crt(signer);

    put_single(&single, about, status, from, until);
    put_data(&data, responder, from, &single);
    gnutls_x509_crt_deinit(responder);
    struct der inner = data;
    put_signature(&inner, signer, &data);
    return wrap(&inner, ret_len);
}

uint8_t *lab_ocsp_delegated(enum lab_cert about, gnutls_x509_crt_t responder, enum lab_cert key,
                            const char *from, const char *until, size_t *ret_len)
{
    struct der single = {.len = 0}, data = {.len = 0};

    put_single(&single, about, LAB_OCSP_GOOD, from, until);
    put_data(&data, responder, from, &single);
    struct der inner = data;
    put_signature(&inner, key, &data);
    put_certificate(&inner, responder);
    return wrap(&inner, ret_len);
}
