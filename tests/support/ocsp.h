/* OCSP answers (RFC 6960) for the laboratory of certificates, written by hand: GnuTLS reads them but makes none. */
#ifndef TESTS_OCSP_H
#define TESTS_OCSP_H

#include "certs.h"

enum lab_ocsp_status {
    LAB_OCSP_GOOD = 0,
    LAB_OCSP_REVOKED = 1,
    LAB_OCSP_UNKNOWN = 2,
};

/* An answer in DER about a certificate of LAB_CA, signed by `signer`; the caller frees it. from and until: "20250101". */
uint8_t *lab_ocsp(enum lab_cert about, enum lab_cert signer, enum lab_ocsp_status status,
                  const char *from, const char *until, size_t *ret_len);

#endif
