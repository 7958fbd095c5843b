/* Step one on a message: find its lines, name its header fields, find the length of its body. Layer: sip; private to
 * lib/sip. Nothing is copied; everything is offsets into the caller's bytes, which are only read. Cost is linear in
 * the header block. */
#ifndef SSI_SIP_SCAN_H
#define SSI_SIP_SCAN_H

#include "sip/msg.h"

struct ssi_sip_line {
    uint32_t name;
    uint32_t name_len;
    uint32_t value;
    uint32_t value_len;
    uint32_t id;
};

enum {
    SSI_SIP_LINES_INLINE = 64
};

struct ssi_sip_scan {
    const char *data;
    size_t len;
    struct ssi_sip_limits limits;
    struct ssi_sip_line *lines; /* `fixed`, or an allocation for messages with more lines */
    uint32_t n_lines;
    uint32_t cap_lines;
    uint32_t start_len; /* of the start line, without CR LF */
    uint32_t head_len;  /* header block with its empty line; 0 when its end was not found */
    bool is_response;
    bool
        looks_like_request; /* the start line begins with a token and a space: an answer could make sense */
    bool has_length;
    size_t body_len;                 /* Content-Length, when it is good */
    struct ssi_sip_fault length_bad; /* result < 0 when Content-Length is doubled or no number */
    struct ssi_sip_line fixed[SSI_SIP_LINES_INLINE];
};

/* Scans the header block. 0, or an error that stands in *fault too: the lines of such a message cannot be trusted.
 * SECSIP_E_AGAIN when the data end before the empty line. Call ssi_sip_scan_free in every case. */
secsip_result ssi_sip_scan(struct ssi_sip_scan *s, const char *data, size_t len,
                           const struct ssi_sip_limits *limits, struct ssi_sip_fault *fault);
void ssi_sip_scan_free(struct ssi_sip_scan *s);
/* Makes the message of a scanned header block and `body_len` bytes after it. `first` is a fault found before (result 0:
 * none). As ssi_sip_msg_parse otherwise. */
secsip_result ssi_sip_msg_build(const struct ssi_sip_scan *s, size_t body_len,
                                const struct ssi_sip_fault *first, struct ssi_sip_fault *fault,
                                struct ssi_sip_msg **ret);

#endif
