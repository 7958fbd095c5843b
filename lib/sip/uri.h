/* SIP, SIPS, tel and other URIs (RFC 3261 19.1 and 25.1, RFC 3966). Layer: sip. All slices borrow from the
 * text that was parsed. */
#ifndef SSI_SIP_URI_H
#define SSI_SIP_URI_H

#include "base/buf.h"

enum ssi_sip_scheme {
    SSI_SIP_SCHEME_OTHER, /* only `whole` and `scheme` are set */
    SSI_SIP_SCHEME_SIP,
    SSI_SIP_SCHEME_SIPS,
    SSI_SIP_SCHEME_TEL,
};

struct ssi_sip_uri {
    struct ssi_slice whole;
    struct ssi_slice scheme_text;
    struct ssi_slice user;     /* as written, %-escapes kept; len 0 with p NULL: no userinfo */
    struct ssi_slice password; /* p NULL: none */
    struct ssi_slice host;     /* IPv6 with its brackets */
    struct ssi_slice params;   /* from the first ';' (included) to '?' or the end */
    struct ssi_slice headers;  /* after '?', or empty */
    uint16_t port;             /* 0: none */
    enum ssi_sip_scheme scheme;
};

/* The whole slice must be one URI. SECSIP_E_SIP_URI. */
secsip_result ssi_sip_uri_parse(struct ssi_slice text, struct ssi_sip_uri *ret);
/* A parameter by name (any case, %-escapes of its bytes undone); the value is empty when there is no '='. */
bool ssi_sip_uri_param(const struct ssi_sip_uri *u, struct ssi_slice name,
                       struct ssi_slice *ret_value);
/* RFC 3261 19.1.4 as RFC 5954 4.2 corrects it; tel by RFC 3966 4, other schemes byte for byte. */
bool ssi_sip_uri_equal(const struct ssi_sip_uri *a, const struct ssi_sip_uri *b);
/* As it may stand in a request line: without headers (RFC 3261 19.1.1, table 1). */
struct ssi_slice ssi_sip_uri_without_headers(const struct ssi_sip_uri *u);
/* Whether both name the same user at the same host, whatever scheme (sip or sips), port and parameters say. Others as
 * ssi_sip_uri_equal. */
bool ssi_sip_uri_same_user(const struct ssi_sip_uri *a, const struct ssi_sip_uri *b);
/* Scheme, user and host only, host in lower case, no port, no parameters: the address of record that a registrar keeps
 * (RFC 3261 10.3 step 5), %-escapes of unreserved bytes undone. */
void ssi_sip_uri_put_aor(struct ssi_buf *b, const struct ssi_sip_uri *u);

#endif
