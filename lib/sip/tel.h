/* tel URIs (RFC 3966) and what they share with SIP's. Layer: sip; private to lib/sip. */
#ifndef SSI_SIP_TEL_H
#define SSI_SIP_TEL_H

#include "base/cursor.h"
#include "sip/read.h"

/* What stands after "tel:". `bare`: outside of angle brackets, where ';' begins parameters of the header field. */
bool ssi_sip_read_tel(struct ssi_sip_reader *r, bool bare);
/* RFC 3966 4: the same digits, and the same parameters in any order; all in any case. */
bool ssi_sip_tel_equal(const struct ssi_sip_uri *a, const struct ssi_sip_uri *b);

/* uri.c: the next ";name[=value]" of a checked slice of URI parameters; value->p is NULL without '='. */
bool ssi_sip_uri_next_param(struct ssi_cursor *c, struct ssi_slice *name, struct ssi_slice *value);
/* uri.c: equal by RFC 3261 19.1.4, %-escapes of bytes that are not reserved undone. */
bool ssi_sip_uri_parts_equal(struct ssi_slice a, struct ssi_slice b, bool any_case);

#endif
