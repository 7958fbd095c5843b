/* The parameters of Digest challenges and credentials, as they stand in the message. Layer: sip; private to lib/sip. */
#ifndef SSI_SIP_DIGEST_FIELDS_H
#define SSI_SIP_DIGEST_FIELDS_H

#include "sip/digest.h"

/* p NULL: not there. Quotes are kept. */
struct ssi_sip_digest_fields {
    struct ssi_slice realm, nonce, opaque, algorithm, stale, qop, username, uri, response, cnonce,
        nc;
};

/* False when the parameters are malformed or one of these is doubled; others are passed over (RFC 7616 3.3). */
bool ssi_sip_digest_fields_read(struct ssi_slice params, struct ssi_sip_digest_fields *f);
/* False for an algorithm that we do not have. "-sess" is taken off its name. */
bool ssi_sip_digest_algorithm_of(struct ssi_slice value, enum ssi_digest_algorithm *ret,
                                 bool *ret_sess);
/* "SHA-512-256", without "-sess". */
const char *ssi_sip_digest_algorithm_name(enum ssi_digest_algorithm a);
/* Without quotes. */
struct ssi_slice ssi_sip_bare(struct ssi_slice value);

#endif
