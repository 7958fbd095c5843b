/* Building messages: straight into a buffer, in one pass, in the order of the calls. Layer: sip.
 * A value with CR, LF or NUL fails the buffer with SECSIP_E_SIP_INJECTION; nothing is escaped away. Errors stick to the
 * buffer: check b->failed (ssi_sip_put_end returns it) once at the end. */
#ifndef SSI_SIP_BUILD_H
#define SSI_SIP_BUILD_H

#include "sip/msg.h"

void ssi_sip_put_request_line(struct ssi_buf *b, struct ssi_slice method, struct ssi_slice uri);
/* reason NULL: the standard phrase. */
void ssi_sip_put_status_line(struct ssi_buf *b, int status, const char *reason);
/* With a phrase as a parsed message has it. */
void ssi_sip_put_status_line_as(struct ssi_buf *b, int status, struct ssi_slice reason);
void ssi_sip_put_header(struct ssi_buf *b, const char *name, struct ssi_slice value);
void ssi_sip_put_header_str(struct ssi_buf *b, const char *name, const char *value);
void ssi_sip_put_header_u64(struct ssi_buf *b, const char *name, uint64_t value);
/* Begin a header line, append checked pieces, end it: for values made of several parts. */
void ssi_sip_put_name(struct ssi_buf *b, const char *name); /* "Name: " */
void ssi_sip_put_piece(struct ssi_buf *b, struct ssi_slice piece);
void ssi_sip_put_piece_str(struct ssi_buf *b, const char *piece);
void ssi_sip_put_crlf(struct ssi_buf *b);
/* SECSIP_E_SIP_INJECTION for a text with CR or LF, else 0; NULL is legal. For configurations, which are refused when they
 * are given and not when a message is made of them. */
secsip_result ssi_sip_check_text(const char *text);
/* A display name as a quoted-string, '"' and '\' escaped, and a space after it; nothing for NULL or "". */
void ssi_sip_put_display(struct ssi_buf *b, const char *display);
/* The inside of a quoted-string: '"' and '\\' escaped, no quotes around. */
void ssi_sip_put_escaped(struct ssi_buf *b, struct ssi_slice text);
/* A header line as it stood in another message. */
void ssi_sip_put_copy(struct ssi_buf *b, const struct ssi_sip_header *h);
/* Every line with this id of another message. */
void ssi_sip_put_copies(struct ssi_buf *b, const struct ssi_sip_msg *m, enum ssi_sip_hdr id);
/* Every Via line of a request, the topmost with received and rport as the server saw its source (RFC 3261 18.2.1, RFC 3581
 * 4); ip NULL leaves it as it is. */
void ssi_sip_put_vias(struct ssi_buf *b, const struct ssi_sip_msg *req, const char *ip,
                      uint16_t port);
/* Changes the transport in the topmost Via of a request that was written here, to another of three letters.
 * SECSIP_E_SIP_VIA: it has none. */
secsip_result ssi_sip_set_via_transport(struct ssi_buf *request, const char transport[3]);
/* That Via, borrowing from the request. SECSIP_E_SIP_VIA. */
secsip_result ssi_sip_own_via(const struct ssi_buf *request, struct ssi_sip_via *ret);
/* Via, From, To, Call-ID and CSeq of a response (RFC 3261 8.2.6.2), after the status line. `to_tag` is added when To has
 * none and it is not NULL; received and rport (RFC 3581) are put into the topmost Via from `source` ("ip" and port; NULL
 * leaves it as it is). */
void ssi_sip_put_response_start(struct ssi_buf *b, const struct ssi_sip_msg *req, int status,
                                const char *reason, const char *to_tag, const char *source_ip,
                                uint16_t source_port);
/* Content-Type (if body_len > 0), Content-Length, the empty line and the body. Returns b->failed. */
secsip_result ssi_sip_put_end(struct ssi_buf *b, const char *content_type, const void *body,
                              size_t body_len);

/* A whole message without a fault, line by line as it was: known header fields under their full names. */
void ssi_sip_put_message(struct ssi_buf *b, const struct ssi_sip_msg *m);

#endif
