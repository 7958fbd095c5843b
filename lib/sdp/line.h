/* The grammar of single SDP lines (RFC 8866 section 9). Layer: sdp, seen by its own files only. Nothing is copied: slices
 * borrow from the value that was given. */
#ifndef SSI_SDP_LINE_H
#define SSI_SDP_LINE_H

#include "sdp/sdp.h"

/* A fault inside one value. */
struct ssi_sdp_line_fault {
    secsip_result result;
    size_t at; /* offset in the value */
    const char *text;
};

/* o=: fills the origin slices of s. */
bool ssi_sdp_read_origin(struct ssi_slice value, struct ssi_sdp *s,
                         struct ssi_sdp_line_fault *ret_fault);
/* c=: the connection-address. */
bool ssi_sdp_read_connection(struct ssi_slice value, struct ssi_slice *ret_address,
                             struct ssi_sdp_line_fault *ret_fault);
/* m=: kind, ports, profile and formats; at most max_formats of these. */
bool ssi_sdp_read_media(struct ssi_slice value, uint32_t max_formats, struct ssi_sdp_media *m,
                        struct ssi_sdp_line_fault *ret_fault);
/* Every other letter: only whether it is well-formed. */
bool ssi_sdp_check_line(char type, struct ssi_slice value, struct ssi_sdp_line_fault *ret_fault);

#endif
