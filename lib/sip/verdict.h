/* What an element answers a request with before any transaction user sees it (RFC 3261 8.2 and 16.3). Layer: sip. */
#ifndef SSI_SIP_VERDICT_H
#define SSI_SIP_VERDICT_H

#include "sip/msg.h"

/* What the element can do; lists end with NULL, a list of NULL is empty. */
struct ssi_sip_element {
    uint32_t
        methods; /* the bit 1U << SSI_SIP_x of each that is served; 0: every method that has a name */
    const char *const *option_tags; /* "path", "100rel" */
    const char *const
        *body_types;        /* "application/sdp", or a main type with a star behind the slash */
    const char *offer_type; /* what a 2xx to INVITE will carry: "application/sdp"; NULL: nothing */
    bool is_proxy;          /* a proxy looks at Proxy-Require and Max-Forwards, and at no body */
};

/* 0, or the status: m->fault's, 400, 501, 405, 416, 483, 420, 415, 406; 500 when memory is out. e NULL: an endpoint
 * without extensions that speaks SDP and plain text. 0 for responses. */
int ssi_sip_msg_verdict(const struct ssi_sip_msg *m, const struct ssi_sip_element *e);

/* The body when it is of this type ("application/sdp") and not encoded: 1, 0, SECSIP_E_NOMEM. */
int32_t ssi_sip_msg_body(const struct ssi_sip_msg *m, const char *type, struct ssi_slice *ret);
/* The option tags of Require (of Proxy-Require for a proxy) that the element does not know, with ", " between them: the
 * value of Unsupported in a 420 (RFC 3261 8.2.2.3, 16.3). */
void ssi_sip_put_unsupported(struct ssi_buf *b, const struct ssi_sip_msg *m,
                             const struct ssi_sip_element *e);

#endif
