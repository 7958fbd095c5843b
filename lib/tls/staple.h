/* Stapled OCSP answers (RFC 6961 keeps the extension of RFC 6066 section 8; RFC 6960): is the leaf revoked? Layer: tls. */
#ifndef SSI_TLS_STAPLE_H
#define SSI_TLS_STAPLE_H

#include <gnutls/x509.h>

#include "base/buf.h"
#include "secsip/result.h"

struct ssi_tls_staple {
    const char *problem; /* constant text; NULL when the answer is good */
    bool revoked;        /* and properly signed */
    int64_t from;        /* thisUpdate */
    int64_t until;       /* nextUpdate, or what ssi_tls_staple_until makes of none */
    /* The certificate of who signed it, where that is not the issuer itself; else 0 and INT64_MAX. */
    int64_t signer_from, signer_until;
};

/* Until when an answer is good; next_update is negative where it names none. */
int64_t ssi_tls_staple_until(int64_t this_update, int64_t next_update);

/* Reads an answer about `leaf`, which `issuer` (or who it entrusted) must have signed. Dates are not judged here.
 * SECSIP_E_NOMEM. */
secsip_result ssi_tls_staple_read(const gnutls_datum_t *der, gnutls_x509_crt_t leaf,
                                  gnutls_x509_crt_t issuer, struct ssi_tls_staple *ret);
/* True when the certificate says that an answer must come with it (RFC 7633). */
bool ssi_tls_staple_is_demanded(gnutls_x509_crt_t leaf);

#endif
