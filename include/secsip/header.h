/* Typed header fields of SIP messages. SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * secsip/message.h has what every message carries: Via, addresses, CSeq, URIs. Here are the other values, read on demand and
 * strictly by the grammar of their RFC: a value that is not well-formed is an error, never a guess. Names are full or compact
 * forms, in any case. Strings that a getter fills in are valid until the same getter is called again on the message. A
 * structure's size is set by the caller before the call. */
#ifndef SECSIP_HEADER_H
#define SECSIP_HEADER_H

#include <stddef.h>
#include <stdint.h>

#include <secsip/message.h>
#include <secsip/result.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One value of a header field. */
typedef struct secsip_message_value {
    size_t size;
    /** Before the parameters: a token, "application/sdp", the URI of Call-Info without its brackets; whole lines of free
     * text, with a space for each fold. May hold NUL in a quoted-pair */
    const char *value;
    size_t value_len;
    const char *params; /**< from the first ';', or ""; see secsip_message_get_param() */
    uint64_t number;    /**< of Expires, Session-Expires, Retry-After and other numbers; else 0 */
} secsip_message_value;

/** One element of Reason (RFC 3326). */
typedef struct secsip_message_cause {
    size_t size;
    const char *protocol; /**< "SIP", "Q.850" */
    const char *text;     /**< without quotes and escapes; NULL: none. May hold NUL in itself */
    size_t text_len;
    uint32_t has_cause; /**< 1: cause is there */
    uint32_t cause;
} secsip_message_cause;

/** RAck (RFC 3262): which provisional response a PRACK means. */
typedef struct secsip_message_rack {
    size_t size;
    const char *method;
    uint32_t rseq; /**< 1 to 2^32 - 1 */
    uint32_t cseq; /**< below 2^31 */
} secsip_message_rack;

/** Replaces (RFC 3891): the dialog that is to be replaced. */
typedef struct secsip_message_replaces {
    size_t size;
    const char *call_id;
    const char *to_tag;
    const char *from_tag;
    uint32_t early_only; /**< 1: only while it is early */
} secsip_message_replaces;

/** Who refreshes a session (RFC 4028). */
enum {
    SECSIP_REFRESHER_NONE = 0, /**< not said */
    SECSIP_REFRESHER_UAC = 1,
    SECSIP_REFRESHER_UAS = 2,
};

/** Session-Expires (RFC 4028). Min-SE is read by secsip_message_get_value(). */
typedef struct secsip_message_session {
    size_t size;
    uint32_t seconds;
    int32_t refresher; /**< SECSIP_REFRESHER_* */
} secsip_message_session;

/** One challenge, or one set of credentials (RFC 3261 25.1, RFC 7616). Unknown schemes are kept: scheme and params. The values
 * are without quotes and escapes, NULL where there is none. */
typedef struct secsip_message_auth {
    size_t size;
    const char *scheme; /**< "Digest" */
    /** "realm=\"r\", nonce=\"n\"" as written but for folds; "YWJj==" of schemes with a bare token; "" for none */
    const char *params;
    const char *realm;
    const char *nonce;
    const char *opaque;
    const char *algorithm; /**< "SHA-256"; NULL means MD5 to Digest */
    const char *qop;       /**< "auth" or "auth,auth-int" */
    const char *stale;
    const char *username;
    const char *uri;
    const char *response;
    const char *cnonce;
    const char *nc;
} secsip_message_auth;

/** One line of a header field by its name, also of one that this library does not know.
 * @param index  from 0, counting lines of this name
 * @return 0, SECSIP_E_NOT_FOUND, SECSIP_E_INVALID (name is NULL), SECSIP_E_NOMEM, SECSIP_E_ABI. Since 0.1. */
secsip_result secsip_message_find_header(secsip_message *message, const char *name, uint32_t index,
                                         secsip_message_header *ret_header);

/** One value of a header field: an element of Accept, Accept-Encoding, Accept-Language, Alert-Info, Allow, Allow-Events,
 * Call-Info, Content-Encoding, Content-Language, Error-Info, In-Reply-To, Proxy-Require, Reason, Require, Supported,
 * Unsupported or Warning, over all lines; else one line.
 * @param index  from 0
 * @return 0, SECSIP_E_NOT_FOUND, SECSIP_E_SIP_HEADER (not well-formed, a parameter twice, or a number of 2^32 and more),
 *         SECSIP_E_SIP_TOO_LARGE (too many parameters), SECSIP_E_INVALID (name is NULL, or addresses, Vias, challenges: they
 *         have their own getters), SECSIP_E_NOMEM, SECSIP_E_ABI. RFC 3261 20 and 25.1. Since 0.1. */
secsip_result secsip_message_get_value(secsip_message *message, const char *name, uint32_t index,
                                       secsip_message_value *ret_value);

/** A parameter out of what a getter gave as `params`: of a header field, an address or a URI.
 * @param params         ";a=b;c"; a NUL in it (in a quoted-pair) is its end
 * @param name           any case
 * @param out, out_size  receives the value without quotes and escapes, NUL-terminated; "" for a parameter without value
 * @return its length; SECSIP_E_NOT_FOUND, SECSIP_E_LIMIT (out is too small), SECSIP_E_INVALID. Any thread. Since 0.1. */
int32_t secsip_message_get_param(const char *params, const char *name, char *out, size_t out_size);

/** Date as seconds since 1970-01-01 00:00:00 UTC; negative before it (RFC 3261 20.17).
 * @return 0, SECSIP_E_NOT_FOUND, SECSIP_E_SIP_HEADER (also for a day of the week that is not that of the date),
 *         SECSIP_E_INVALID. Since 0.1. */
secsip_result secsip_message_get_date(const secsip_message *message, int64_t *ret_unix_s);

/** One element of Reason. @param index  from 0, over all lines
 * @return 0, SECSIP_E_NOT_FOUND, SECSIP_E_SIP_HEADER, SECSIP_E_SIP_TOO_LARGE, SECSIP_E_NOMEM, SECSIP_E_ABI. Since 0.1. */
secsip_result secsip_message_get_cause(secsip_message *message, uint32_t index,
                                       secsip_message_cause *ret_cause);

/** RAck. @return 0, SECSIP_E_NOT_FOUND, SECSIP_E_SIP_HEADER, SECSIP_E_NOMEM, SECSIP_E_ABI. Since 0.1. */
secsip_result secsip_message_get_rack(secsip_message *message, secsip_message_rack *ret_rack);

/** Replaces. @return 0, SECSIP_E_NOT_FOUND, SECSIP_E_SIP_HEADER (also without one of the tags), SECSIP_E_SIP_TOO_LARGE,
 * SECSIP_E_NOMEM, SECSIP_E_ABI. Since 0.1. */
secsip_result secsip_message_get_replaces(secsip_message *message,
                                          secsip_message_replaces *ret_replaces);

/** Session-Expires. @return 0, SECSIP_E_NOT_FOUND, SECSIP_E_SIP_HEADER, SECSIP_E_SIP_TOO_LARGE, SECSIP_E_ABI. Since 0.1. */
secsip_result secsip_message_get_session(const secsip_message *message,
                                         secsip_message_session *ret_session);

/** One challenge of WWW-Authenticate or Proxy-Authenticate, or the credentials of Authorization or Proxy-Authorization, over
 * all lines: one line may hold several.
 * @param name   of one of these four
 * @param index  from 0
 * @return 0, SECSIP_E_NOT_FOUND, SECSIP_E_SIP_AUTH (not well-formed, or a parameter twice), SECSIP_E_INVALID (another
 *         field), SECSIP_E_NOMEM, SECSIP_E_ABI. Since 0.1. */
secsip_result secsip_message_get_auth(secsip_message *message, const char *name, uint32_t index,
                                      secsip_message_auth *ret_auth);

/** Whether two URIs are equal: sip and sips by RFC 3261 19.1.4, tel by RFC 3966 4, others byte for byte after the scheme.
 * The relation is not transitive: a URI without a parameter may equal two that differ in it.
 * @param a, b  NUL-terminated
 * @return 1: equal, 0: not, SECSIP_E_SIP_URI: one is not well-formed, SECSIP_E_INVALID: NULL. Any thread. Since 0.1. */
int32_t secsip_message_uri_equal(const char *a, const char *b);

#ifdef __cplusplus
}
#endif

#endif
