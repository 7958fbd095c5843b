/* Session descriptions, kept line by line (RFC 8866). Layer: sdp. Parsed and written by us: every line and its order is
 * kept, CRLF or LF in, CRLF out. A description owns a copy of its text (wiped when freed: it may hold a=crypto); slices
 * borrow from it. */
#ifndef SSI_SDP_SDP_H
#define SSI_SDP_SDP_H

#include "base/addr.h"
#include "base/buf.h"

struct ssi_sdp_line {
    char type;              /* 'v', 'o', 'm', 'a', ... */
    struct ssi_slice value; /* after '='; a NUL stands behind it */
};

struct ssi_sdp_media {
    struct ssi_slice kind;    /* "audio" */
    uint16_t port;            /* 0: refused */
    uint16_t n_ports;         /* 1 unless "/n" was given */
    struct ssi_slice profile; /* "RTP/SAVP" */
    struct ssi_slice formats; /* "0 8 101" */
    uint32_t n_formats;
    struct ssi_slice address; /* of the media's c= line, else the session's */
    uint32_t first_line;      /* the m= line; the media's lines are [first_line, end_line) */
    uint32_t end_line;
};

/* One allocation: lines, media and text stand behind it. */
struct ssi_sdp {
    char *text;
    size_t text_len;
    struct ssi_sdp_line *lines;
    uint32_t n_lines;
    struct ssi_sdp_media *media;
    uint32_t n_media;
    struct ssi_slice origin_user, origin_id, origin_version, origin_address;
    struct ssi_slice address; /* of the session's c= line, or empty */
};

struct ssi_sdp_fault {
    secsip_result result;
    size_t offset;    /* of the first byte that is wrong */
    const char *text; /* a constant sentence */
};

struct ssi_sdp_limits {
    uint32_t bytes;   /* 0: 65536 */
    uint32_t lines;   /* 0: 1024 */
    uint32_t media;   /* 0: 32 */
    uint32_t formats; /* of one m= line, 0: 256 */
};

/* Strict RFC 8866, whole or not at all. Line ends may be LF alone (RFC 8866 5), and the last one may be missing: the body's
 * length has been given already. A refused media line (port 0) needs no c=. SECSIP_E_SDP_*, SECSIP_E_NOMEM. ret_fault and
 * limits may be NULL. */
secsip_result ssi_sdp_parse(struct ssi_slice text, const struct ssi_sdp_limits *limits,
                            struct ssi_sdp_fault *ret_fault, struct ssi_sdp **ret);
void ssi_sdp_free(struct ssi_sdp *s);
/* The next attribute `name` ("crypto", "rtpmap") of media line `media` (or of the session for -1) after line `*at` (start
 * with 0); *at is where to go on. The value is empty for a flag attribute. */
bool ssi_sdp_attr(const struct ssi_sdp *s, int media, struct ssi_slice name, uint32_t *at,
                  struct ssi_slice *ret_value);
/* "sendrecv", "sendonly", "recvonly" or "inactive" of a media line, from the media, else the session, else sendrecv. */
const char *ssi_sdp_direction(const struct ssi_sdp *s, uint32_t media);
/* True if the payload type stands in the m= line. */
bool ssi_sdp_has_format(const struct ssi_sdp_media *m, unsigned payload_type);
/* The n-th format of the m= line. */
bool ssi_sdp_format(const struct ssi_sdp_media *m, uint32_t n, struct ssi_slice *ret);
/* The numeric address and port of a media line; false when it is no IP address. */
bool ssi_sdp_media_addr(const struct ssi_sdp *s, uint32_t media, struct ssi_addr *ret);

/* Writing: "x=value" CR LF, pieces checked for CR, LF and NUL (SECSIP_E_SIP_INJECTION sticks to the buffer). */
/* The whole description, as it was parsed, every line with CR LF. The buffer should be a secret one. */
void ssi_sdp_put(struct ssi_buf *b, const struct ssi_sdp *s);
void ssi_sdp_put_line(struct ssi_buf *b, char type, struct ssi_slice value);
void ssi_sdp_put_line_str(struct ssi_buf *b, char type, const char *value);

#endif
