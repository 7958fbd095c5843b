/* SIP messages from the wire: one pass that frames, bounds, validates strictly and indexes (DESIGN decision 4).
 * Layer: sip. A message owns one copy of its bytes; every slice below borrows from it and lives as long as the
 * message. Messages are immutable and counted: ref and unref are for one thread. */
#ifndef SSI_SIP_MSG_H
#define SSI_SIP_MSG_H

#include "base/buf.h"
#include "sip/uri.h"

enum ssi_sip_method {
    SSI_SIP_UNKNOWN_METHOD,
    SSI_SIP_INVITE,
    SSI_SIP_ACK,
    SSI_SIP_BYE,
    SSI_SIP_CANCEL,
    SSI_SIP_REGISTER,
    SSI_SIP_OPTIONS,
    SSI_SIP_PRACK,
    SSI_SIP_SUBSCRIBE,
    SSI_SIP_NOTIFY,
    SSI_SIP_PUBLISH,
    SSI_SIP_INFO,
    SSI_SIP_REFER,
    SSI_SIP_MESSAGE,
    SSI_SIP_UPDATE,
};

/* Known header fields; compact forms are folded into them (RFC 3261 7.3.3 and successors). */
enum ssi_sip_hdr {
    SSI_HDR_OTHER,
    SSI_HDR_ACCEPT,
    SSI_HDR_ACCEPT_ENCODING,
    SSI_HDR_ACCEPT_LANGUAGE,
    SSI_HDR_ALERT_INFO,
    SSI_HDR_ALLOW,
    SSI_HDR_ALLOW_EVENTS,
    SSI_HDR_AUTHENTICATION_INFO,
    SSI_HDR_AUTHORIZATION,
    SSI_HDR_CALL_ID,
    SSI_HDR_CALL_INFO,
    SSI_HDR_CONTACT,
    SSI_HDR_CONTENT_DISPOSITION,
    SSI_HDR_CONTENT_ENCODING,
    SSI_HDR_CONTENT_LANGUAGE,
    SSI_HDR_CONTENT_LENGTH,
    SSI_HDR_CONTENT_TYPE,
    SSI_HDR_CSEQ,
    SSI_HDR_DATE,
    SSI_HDR_ERROR_INFO,
    SSI_HDR_EVENT,
    SSI_HDR_EXPIRES,
    SSI_HDR_FROM,
    SSI_HDR_IDENTITY,
    SSI_HDR_IN_REPLY_TO,
    SSI_HDR_MAX_FORWARDS,
    SSI_HDR_MIME_VERSION,
    SSI_HDR_MIN_EXPIRES,
    SSI_HDR_MIN_SE,
    SSI_HDR_ORGANIZATION,
    SSI_HDR_PATH,
    SSI_HDR_PRIORITY,
    SSI_HDR_PRIVACY,
    SSI_HDR_PROXY_AUTHENTICATE,
    SSI_HDR_PROXY_AUTHORIZATION,
    SSI_HDR_PROXY_REQUIRE,
    SSI_HDR_RACK,
    SSI_HDR_REASON,
    SSI_HDR_RECORD_ROUTE,
    SSI_HDR_REFER_TO,
    SSI_HDR_REFERRED_BY,
    SSI_HDR_REPLACES,
    SSI_HDR_REPLY_TO,
    SSI_HDR_REQUIRE,
    SSI_HDR_RETRY_AFTER,
    SSI_HDR_ROUTE,
    SSI_HDR_RSEQ,
    SSI_HDR_SERVER,
    SSI_HDR_SERVICE_ROUTE,
    SSI_HDR_SESSION_EXPIRES,
    SSI_HDR_SUBJECT,
    SSI_HDR_SUBSCRIPTION_STATE,
    SSI_HDR_SUPPORTED,
    SSI_HDR_TIMESTAMP,
    SSI_HDR_TO,
    SSI_HDR_UNSUPPORTED,
    SSI_HDR_USER_AGENT,
    SSI_HDR_VIA,
    SSI_HDR_WARNING,
    SSI_HDR_WWW_AUTHENTICATE,
    SSI_HDR_COUNT,
};

/* What a peer can make us hold; zero means the default. */
struct ssi_sip_limits {
    uint32_t message_bytes; /* 65536 */
    uint32_t header_lines;  /* 256 */
    uint32_t value_bytes;   /* one header field value, 16384 */
    uint32_t params;        /* of one value or URI, 128 */
    uint32_t elements;      /* of one list-valued header field, 256 */
    uint32_t uri_bytes;     /* 4096 */
};

/* Where and why a message was refused. */
struct ssi_sip_fault {
    secsip_result result;
    size_t offset;    /* of the byte that was wrong */
    const char *text; /* constant, names what was expected */
    int status; /* what an element answers a request with (400, 505, ...), 0: nothing can be answered */
};

struct ssi_sip_header {
    enum ssi_sip_hdr id;
    struct ssi_slice name; /* as written */
    /* Without white space at the ends; folded lines keep their CR LF and white space */
    struct ssi_slice value;
};

/* name-addr or addr-spec with its header parameters (From, To, Contact, Route, Record-Route, ...). */
struct ssi_sip_addr {
    struct ssi_slice whole;
    struct ssi_slice display; /* as written, with its quotes; empty: none */
    struct ssi_sip_uri uri;
    struct ssi_slice params; /* header parameters, from the first ';' */
    struct ssi_slice tag;    /* p NULL: none */
    bool is_star;            /* Contact: * */
};

struct ssi_sip_via {
    struct ssi_slice whole;
    struct ssi_slice transport; /* "TLS" */
    struct ssi_slice host;      /* sent-by, IPv6 with brackets */
    uint16_t port;              /* 0: none */
    struct ssi_slice branch;    /* empty: none */
    struct ssi_slice received;
    struct ssi_slice params;
    bool has_rport;
    uint16_t rport; /* 0: without a value */
};

struct ssi_sip_msg {
    uint32_t refs;
    bool is_request;
    enum ssi_sip_method method; /* of the request line, or of CSeq in a response */
    struct ssi_slice method_text;
    struct ssi_sip_uri uri; /* Request-URI */
    int status;             /* 100 to 699 */
    struct ssi_slice reason;
    struct ssi_sip_via via; /* the topmost */
    uint32_t n_vias;
    struct ssi_sip_addr from;
    struct ssi_sip_addr to;
    struct ssi_slice call_id;
    uint32_t cseq;
    int max_forwards; /* -1: absent */
    struct ssi_slice body;
    struct ssi_slice wire; /* the whole message: header block and body */
    const struct ssi_sip_header *headers;
    uint32_t n_headers;
    /* result < 0: a request that is good for nothing but to be answered with .status */
    struct ssi_sip_fault fault;
};

/* Parses one whole message. As a datagram (framed false), bytes after Content-Length are ignored and a missing
 * Content-Length means "to the end" (RFC 3261 18.3); from a stream (framed true) both are errors. A request whose lines can
 * be told apart and that has a Via, but is wrong otherwise (unknown version, CSeq mismatch, doubled or malformed or missing
 * fields, a datagram above the limit whose header block is not: without its body), is returned as a message with fault.status set, so
 * that it can be answered; fields that could not be read have p NULL in it.
 * Returns 0, or the error that also stands in *ret_fault (may be NULL). SECSIP_E_NOMEM leaves no fault. */
secsip_result ssi_sip_msg_parse(const void *data, size_t len, bool framed,
                                const struct ssi_sip_limits *limits,
                                struct ssi_sip_fault *ret_fault, struct ssi_sip_msg **ret);
struct ssi_sip_msg *ssi_sip_msg_ref(struct ssi_sip_msg *m);
/* NULL is legal; the bytes are wiped: they may hold a=crypto. */
void ssi_sip_msg_unref(struct ssi_sip_msg *m);

enum ssi_sip_method ssi_sip_method_of(struct ssi_slice text);
const char *ssi_sip_method_name(enum ssi_sip_method m); /* NULL for unknown */
const char *ssi_sip_hdr_name(enum ssi_sip_hdr id);      /* the full form, NULL for OTHER */
const char *ssi_sip_reason_phrase(int status);          /* RFC 3261 21, "Unknown" otherwise */

/* The first header line with this id after `after` (NULL: from the start), or NULL. O(1) for the first. */
const struct ssi_sip_header *ssi_sip_msg_header(const struct ssi_sip_msg *m, enum ssi_sip_hdr id,
                                                const struct ssi_sip_header *after);
/* The value of the first line with this id; false when there is none. */
bool ssi_sip_msg_value(const struct ssi_sip_msg *m, enum ssi_sip_hdr id, struct ssi_slice *ret);
/* By name, for unknown header fields; any case. */
const struct ssi_sip_header *ssi_sip_msg_header_named(const struct ssi_sip_msg *m,
                                                      struct ssi_slice name,
                                                      const struct ssi_sip_header *after);

/* The elements of a list-valued header field over all its lines, in order, split at commas outside quotes and angle
 * brackets. */
struct ssi_sip_values {
    const struct ssi_sip_msg *m;
    const struct ssi_sip_header *line;
    struct ssi_slice rest;
    enum ssi_sip_hdr id;
};
void ssi_sip_values_init(struct ssi_sip_values *it, const struct ssi_sip_msg *m,
                         enum ssi_sip_hdr id);
bool ssi_sip_values_next(struct ssi_sip_values *it, struct ssi_slice *ret);
/* The same for addresses and Vias, taken apart on the way: 1, 0 at the end, SECSIP_E_SIP_ADDRESS or SECSIP_E_SIP_VIA. */
int32_t ssi_sip_values_next_addr(struct ssi_sip_values *it, struct ssi_sip_addr *ret);
int32_t ssi_sip_values_next_via(struct ssi_sip_values *it, struct ssi_sip_via *ret);
/* True when a token list (Require, Supported, Allow) names the token, any case. */
bool ssi_sip_msg_lists(const struct ssi_sip_msg *m, enum ssi_sip_hdr id, struct ssi_slice token);

/* One element of Contact, Route, From, ...; SECSIP_E_SIP_ADDRESS. */
secsip_result ssi_sip_addr_parse(struct ssi_slice text, struct ssi_sip_addr *ret);
/* One element of Via; SECSIP_E_SIP_VIA. */
secsip_result ssi_sip_via_parse(struct ssi_slice text, struct ssi_sip_via *ret);
/* A parameter of a ";name=value;..." slice, any case; quotes of the value are kept. */
bool ssi_sip_param(struct ssi_slice params, struct ssi_slice name, struct ssi_slice *ret_value);
/* Expires of a contact or of the message: the contact's parameter, else the header field, else dflt; malformed values
 * count as dflt (RFC 3261 10.2.1.1, 20.10). */
uint32_t ssi_sip_msg_expires(const struct ssi_sip_msg *m, const struct ssi_sip_addr *contact,
                             uint32_t dflt);
/* The seconds of Retry-After (RFC 3261 20.33); 0: there are none, or more than a day. */
uint32_t ssi_sip_msg_retry_after(const struct ssi_sip_msg *m);

#endif
