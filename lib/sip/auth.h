/* Reading challenges and credentials: scheme and parameters, several challenges in one header field (RFC 3261 25.1, RFC
 * 7235 4.1). Ours, because libosip2 loses all but the first. Layer: sip; private to lib/sip. */
#ifndef SSI_SIP_AUTH_H
#define SSI_SIP_AUTH_H

#include "sip/read.h"

/* The next "scheme params" of a header field value: 1, 0 at the end, -1 malformed. For a scheme with token68 instead of
 * parameters, *params is empty. */
int ssi_sip_auth_next(struct ssi_sip_reader *r, struct ssi_slice *scheme, struct ssi_slice *params);
/* The next "name=value" of the params that ssi_sip_auth_next gave: 1, 0, -1. Quotes of the value are kept. */
int ssi_sip_auth_param(struct ssi_sip_reader *r, struct ssi_slice *name, struct ssi_slice *value);
/* A NUL-terminated copy without quotes and escapes, each fold as a space; the caller frees it. NULL with *ret_rc SECSIP_E_NOMEM, or
 * SECSIP_E_SIP_AUTH for a value with a NUL in it. */
char *ssi_sip_unquote_dup(struct ssi_slice value, secsip_result *ret_rc);

#endif
