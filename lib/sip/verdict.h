/* What an element answers a request with before any transaction user sees it (RFC 3261 8.2 and 16.3). Layer: sip. */
#ifndef SSI_SIP_VERDICT_H
#define SSI_SIP_VERDICT_H

#include "sip/msg.h"

/* What the element can do; lists end with NULL, a list of NULL is empty. */
struct ssi_sip_element {
    const char *const *option_tags; /* "path", "100rel" */
    const char *const
        *body_types;        /* "application/sdp", or a main type with a star behind the slash */
    const char *offer_type; /* what a 2xx to INVITE will carry: "application/sdp"; NULL: nothing */
    bool is_proxy;          /* a proxy looks at Proxy-Require and Max-Forwards, and at no body */
};

/* 0, or the status: m->fault's, 501, 416, 420, 400, 483, 415, 406. e NULL: an endpoint without extensions that speaks
 * SDP and plain text. 0 for responses. */
int ssi_sip_msg_verdict(const struct ssi_sip_msg *m, const struct ssi_sip_element *e);

#endif
