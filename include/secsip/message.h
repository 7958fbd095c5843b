/* SIP messages by themselves: parse, look inside, write. SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * No stack and no network are needed. The parser is strict (RFC 3261 25.1): what two readers could read in two ways is
 * refused. A message never changes; it is one thread's at a time, because getters that fill a structure keep its strings
 * in the message: they are valid until the same getter is called again on it. Plain strings live as long as the message.
 * A structure's size is set by the caller before the call. Typed values of other header fields: secsip/header.h. */
#ifndef SECSIP_MESSAGE_H
#define SECSIP_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include <secsip/result.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct secsip_message secsip_message;
typedef struct secsip_message_stream secsip_message_stream;

/** What is wrong with a message. */
typedef struct secsip_message_fault {
    size_t size;
    secsip_result result; /**< 0: nothing */
    int32_t status;  /**< what an element answers such a request with (400, 505, ...); 0: nothing */
    uint64_t offset; /**< of the byte that was wrong, from the start of the message */
    const char *expected; /**< what should have stood there; constant, never NULL */
} secsip_message_fault;

/** One header field line. */
typedef struct secsip_message_header {
    size_t size;
    const char *name; /**< the full name of a known field, else as it was written */
    const char *
        value; /**< a folded line as one, with a space for each fold; may hold NUL in a quoted-pair */
    size_t value_len;
} secsip_message_header;

/** A URI taken apart (RFC 3261 19.1.1). Of schemes but sip and sips only text and scheme are set. */
typedef struct secsip_message_uri {
    size_t size;
    const char *text;
    const char *scheme;
    const char *user;     /**< with its %-escapes; NULL: none */
    const char *password; /**< NULL: none */
    const char *host;     /**< IPv6 with brackets; NULL for other schemes */
    const char *params;   /**< from the first ';', or "" */
    const char *headers;  /**< what stands after '?', or "" */
    uint32_t port;        /**< 0: none */
} secsip_message_uri;

/** One address of From, To, Contact, Route, Record-Route or another field of this form (RFC 3261 20.10). */
typedef struct secsip_message_address {
    size_t size;
    const char *display; /**< without quotes and escapes; NULL: none. May hold NUL in itself */
    size_t display_len;
    const char *uri;    /**< "*" for Contact: * */
    const char *tag;    /**< NULL: none */
    const char *params; /**< of the header field, from the first ';', or "" */
} secsip_message_address;

/** One Via (RFC 3261 20.42). */
typedef struct secsip_message_via {
    size_t size;
    const char *transport; /**< "TLS" */
    const char *host;      /**< sent-by; IPv6 with brackets */
    const char *branch;    /**< NULL: none */
    const char *received;  /**< NULL: none */
    uint32_t port;         /**< 0: none */
    uint32_t has_rport;    /**< 1: rport is there (RFC 3581) */
    uint32_t rport;        /**< its value, 0: none */
    const char *params;    /**< all of them, from the first ';', or "" */
} secsip_message_via;

/** Parses one datagram: bytes after Content-Length are ignored, and without Content-Length the body reaches to the end
 * (RFC 3261 18.3). A request that is wrong but could be answered comes back as a message, with a fault; one that cannot be
 * answered, and a wrong response, as an error.
 * @param data, len    copied
 * @param ret_fault    NULL or filled in on every error but SECSIP_E_NOMEM, SECSIP_E_INVALID and SECSIP_E_ABI
 * @param ret_message  a reference for the caller; see secsip_message_get_fault()
 * @return 0, SECSIP_E_SIP_* (the fault says why), SECSIP_E_NOMEM, SECSIP_E_INVALID, SECSIP_E_ABI. Any thread. Since 0.1. */
secsip_result secsip_message_parse(const void *data, size_t len, secsip_message_fault *ret_fault,
                                   secsip_message **ret_message);

/** One more reference. @return the message, NULL for NULL. Since 0.1. */
secsip_message *secsip_message_ref(secsip_message *message);

/** One reference less; the last one frees it, and wipes what a body or credentials stood in. NULL is legal. Since 0.1. */
void secsip_message_unref(secsip_message *message);

/** What is wrong with a request that could be parsed nevertheless.
 * @param ret_fault  NULL or filled in
 * @return 1 when something is, 0 when nothing is, SECSIP_E_ABI. Since 0.1. */
secsip_result secsip_message_get_fault(const secsip_message *message,
                                       secsip_message_fault *ret_fault);

/** What an endpoint that speaks SDP and no extensions answers at this stage, before any dialog or call is looked for: 400,
 * 406, 415, 416, 420, 501, 505, ... (RFC 3261 8.2). @return a status, or 0 for nothing and for responses. Since 0.1. */
int32_t secsip_message_get_verdict(const secsip_message *message);

/** @return 1 for a request, 0 for a response. Since 0.1. */
int32_t secsip_message_is_request(const secsip_message *message);

/** @return the method of the request line, or of a response's CSeq; never NULL. Since 0.1. */
const char *secsip_message_get_method(const secsip_message *message);

/** @return the Request-URI, NULL for responses and when it is faulty. Since 0.1. */
const char *secsip_message_get_request_uri(const secsip_message *message);

/** @return 100 to 699, 0 for requests. Since 0.1. */
int32_t secsip_message_get_status(const secsip_message *message);

/** @return the reason phrase, maybe empty; NULL for requests. Since 0.1. */
const char *secsip_message_get_reason(const secsip_message *message);

/** @return the Call-ID, never NULL. Since 0.1. */
const char *secsip_message_get_call_id(const secsip_message *message);

/** @return the number of CSeq, 0 also when it is faulty. Since 0.1. */
uint32_t secsip_message_get_cseq(const secsip_message *message);

/** @return the method of CSeq, "" when it is faulty. Since 0.1. */
const char *secsip_message_get_cseq_method(const secsip_message *message);

/** @return Max-Forwards, or -1 when there is none or a faulty one. Since 0.1. */
int32_t secsip_message_get_max_forwards(const secsip_message *message);

/** The body. @param ret_len  its length. @return its bytes, valid as long as the message; never NULL. Since 0.1. */
const void *secsip_message_get_body(const secsip_message *message, size_t *ret_len);

/** @return the number of header field lines. Since 0.1. */
uint32_t secsip_message_get_n_headers(const secsip_message *message);

/** One header field line, in the order of the wire.
 * @param index  from 0
 * @return 0, SECSIP_E_NOT_FOUND (past the last), SECSIP_E_NOMEM, SECSIP_E_ABI. Since 0.1. */
secsip_result secsip_message_get_header(secsip_message *message, uint32_t index,
                                        secsip_message_header *ret_header);

/** One Via of all lines, the topmost first. @param index  from 0
 * @return 0, SECSIP_E_NOT_FOUND, SECSIP_E_SIP_VIA, SECSIP_E_NOMEM, SECSIP_E_ABI. Since 0.1. */
secsip_result secsip_message_get_via(secsip_message *message, uint32_t index,
                                     secsip_message_via *ret_via);

/** One address of all lines of a header field.
 * @param name   "From", "To", "Contact", "Route", "P-Asserted-Identity", ...; any case, compact forms too
 * @param index  from 0
 * @return 0, SECSIP_E_NOT_FOUND, SECSIP_E_SIP_ADDRESS, SECSIP_E_INVALID (name is NULL), SECSIP_E_NOMEM, SECSIP_E_ABI.
 *         Since 0.1. */
secsip_result secsip_message_get_address(secsip_message *message, const char *name, uint32_t index,
                                         secsip_message_address *ret_address);

/** The Request-URI, or the URI of an address, taken apart.
 * @param name  NULL for the Request-URI (index must be 0), else as for secsip_message_get_address()
 * @return as secsip_message_get_address(); for "*" SECSIP_E_NOT_FOUND. Since 0.1. */
secsip_result secsip_message_get_uri(secsip_message *message, const char *name, uint32_t index,
                                     secsip_message_uri *ret_uri);

/** Writes the message again: full names, one line for each line of the wire, and what was ignored left out.
 * @param out, out_size  NULL and 0 to ask for the length
 * @param ret_len        the length, also on SECSIP_E_LIMIT; nothing is terminated
 * @return 0, SECSIP_E_LIMIT (out is too small), SECSIP_E_STATE (the message has a fault), SECSIP_E_NOMEM. Since 0.1. */
secsip_result secsip_message_write(const secsip_message *message, void *out, size_t out_size,
                                   size_t *ret_len);

/** What secsip_message_stream_next() found. */
enum {
    SECSIP_MESSAGE_STREAM_MORE = 0,    /**< nothing complete: feed it */
    SECSIP_MESSAGE_STREAM_MESSAGE = 1, /**< a message */
    /** CR LF CR LF between messages: answer with CR LF (RFC 5626 3.5.1) */
    SECSIP_MESSAGE_STREAM_PING = 2,
    SECSIP_MESSAGE_STREAM_PONG = 3, /**< CR LF between messages */
    /** A message that cannot be read was left out; the fault says why */
    SECSIP_MESSAGE_STREAM_DROPPED = 4,
};

/** Cuts a byte stream into messages by Content-Length (RFC 3261 18.3), however the bytes arrive.
 * @param max_bytes  the largest message; 0: 65536
 * @return 0, SECSIP_E_INVALID, SECSIP_E_NOMEM. Since 0.1. */
secsip_result secsip_message_stream_new(uint32_t max_bytes, secsip_message_stream **ret_stream);

/** Wipes and frees it. NULL is legal. Since 0.1. */
void secsip_message_stream_free(secsip_message_stream *stream);

/** Adds bytes. @param data, len  copied
 * @return 0, SECSIP_E_LIMIT (take messages out first), SECSIP_E_NOMEM, SECSIP_E_INVALID. Since 0.1. */
secsip_result secsip_message_stream_feed(secsip_message_stream *stream, const void *data,
                                         size_t len);

/** Takes out the next thing.
 * @param ret_fault    NULL or filled in for DROPPED and on every error but SECSIP_E_NOMEM and SECSIP_E_ABI
 * @param ret_message  set for SECSIP_MESSAGE_STREAM_MESSAGE: a reference for the caller
 * @return SECSIP_MESSAGE_STREAM_*, or SECSIP_E_SIP_* when the stream has no framing left and must be closed,
 *         SECSIP_E_NOMEM, SECSIP_E_INVALID, SECSIP_E_ABI. Since 0.1. */
secsip_result secsip_message_stream_next(secsip_message_stream *stream,
                                         secsip_message_fault *ret_fault,
                                         secsip_message **ret_message);

/** @return how many bytes wait for the rest of their message. Since 0.1. */
size_t secsip_message_stream_get_pending(const secsip_message_stream *stream);

#ifdef __cplusplus
}
#endif

#endif
