/* OCSP answers (RFC 6960) for the laboratory of certificates, written by hand: GnuTLS reads them but makes none. */
#ifndef TESTS_OCSP_H
#define TESTS_OCSP_H

#include <gnutls/x509.h>

#include "certs.h"

enum lab_ocsp_status {
    LAB_OCSP_GOOD = 0,
    LAB_OCSP_REVOKED = 1,
    LAB_OCSP_UNKNOWN = 2,
};

/* An answer in DER about a certificate of LAB_CA, signed by `signer`; the caller frees it. from and until: "20250101"; until NULL:
 * it names no next update. */
uint8_t *lab_ocsp(enum lab_cert about, enum lab_cert signer, enum lab_ocsp_status status,
                  const char *from, const char *until, size_t *ret_len);
/* The same, good, from whom the authority has entrusted with it: his certificate comes with the answer, `key` is its key. */
uint8_t *lab_ocsp_delegated(enum lab_cert about, gnutls_x509_crt_t responder, enum lab_cert key,
                            const char *from, const char *until, size_t *ret_len);

#endif
