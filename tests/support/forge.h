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
    const char *uri;  /* NULL: none */
    const char *dns;  /* NULL: example.test */
    const char *mail; /* in place of the dNSName */
    bool bare;        /* no subjectAltName at all */
};

/* The caller frees what these return. */
gnutls_x509_crt_t forge_cert(const struct forge *f);
gnutls_x509_crt_t forge_read_cert(enum lab_cert which);
/* In DER; gnutls_malloc'd. */
gnutls_datum_t forge_der(gnutls_x509_crt_t crt);
/* A profile that trusts LAB_CA and shows such a certificate. */
secsip_tls_profile *forge_profile(const struct forge *f);

#endif
