/* Certificates beyond those of the laboratory: any name, any signer. */
#ifndef TESTS_FORGE_H
#define TESTS_FORGE_H

#include <stdbool.h>

#include <gnutls/x509.h>

#include "certs.h"

/* A certificate under a name of our choice, signed by somebody's key. */
struct forge {
    const char *cn;
    enum lab_cert key, signer_key;
    gnutls_x509_crt_t signer; /* whose name it bears; NULL: its own */
    bool authority;
    uint32_t until;
    const char *uri;     /* NULL: none */
    const char *dns;     /* NULL: example.test */
    const char *mail;    /* in place of the dNSName */
    bool bare;           /* no subjectAltName at all */
    uint32_t from;       /* 0: LAB_FROM */
    const char *purpose; /* extended key usage, an OID; NULL: none */
    bool key_ids;        /* names its key and its signer's (RFC 5280 4.2.1.1) */
};

/* The caller frees what these return. */
gnutls_x509_crt_t forge_cert(const struct forge *f);
gnutls_x509_crt_t forge_read_cert(enum lab_cert which);
/* In DER; gnutls_malloc'd. */
gnutls_datum_t forge_der(gnutls_x509_crt_t crt);
/* A list of revoked certificates, in PEM: what is on it (NULL: nothing), until when it is good. The caller frees it. */
char *forge_crl(gnutls_x509_crt_t authority, enum lab_cert key, gnutls_x509_crt_t revoked,
                uint32_t until);
/* A profile that trusts LAB_CA and shows such a certificate. */
secsip_tls_profile *forge_profile(const struct forge *f);

#endif
