/* Typed values on demand: Content-Type, Accept and their kin, read by libosip2's component parsers from one bounded value
 * and checked again at our border. Layer: sip. What libosip2 reads wrongly as a component too (challenges, addresses,
 * lists) is ours and stands elsewhere. */
#ifndef SSI_SIP_TYPED_H
#define SSI_SIP_TYPED_H

#include "sip/msg.h"

struct ssi_sip_typed_param {
    const char *name;
    const char *value; /* NULL: none; quotes are kept */
};

/* One value with parameters. Owned by the caller: free with ssi_sip_typed_free. */
struct ssi_sip_typed {
    const char *main; /* "application", "session", "http://example.com/icon" */
    const char *sub;  /* "sdp"; NULL where the kind has none */
    uint32_t n_params;
    struct ssi_sip_typed_param params[]; /* their strings follow in the same allocation */
};

enum ssi_sip_typed_kind {
    SSI_SIP_TYPED_MEDIA,       /* Content-Type, one element of Accept (ranges too) */
    SSI_SIP_TYPED_DISPOSITION, /* Content-Disposition */
    SSI_SIP_TYPED_INFO, /* one element of Call-Info, Alert-Info, Error-Info: a URI in angle brackets */
};

/* SECSIP_E_SIP_HEADER, SECSIP_E_SIP_TOO_LARGE, SECSIP_E_NOMEM. */
secsip_result ssi_sip_typed_parse(enum ssi_sip_typed_kind kind, struct ssi_slice value,
                                  struct ssi_sip_typed **ret);
void ssi_sip_typed_free(struct ssi_sip_typed *t); /* NULL is legal */
/* The value of a parameter, any case; NULL when it is not there or has none. */
const char *ssi_sip_typed_param_of(const struct ssi_sip_typed *t, const char *name);

#endif
