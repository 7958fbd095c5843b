/* RTP packets, read and written (RFC 3550 5.1). Layer: rtp. A parsed packet borrows the bytes it was read from. */
#ifndef SSI_RTP_PACKET_H
#define SSI_RTP_PACKET_H

#include "base/slice.h"
#include "secsip/result.h"

enum {
    SSI_RTP_HEADER = 12,
    SSI_RTP_CSRC_MAX = 15
};

struct ssi_rtp_packet {
    bool marker;
    uint8_t payload_type;
    uint16_t seq;
    uint32_t timestamp;
    uint32_t ssrc;
    uint8_t n_csrc;
    uint32_t csrc[SSI_RTP_CSRC_MAX];
    bool has_extension;
    uint16_t extension_profile;
    struct ssi_slice extension; /* whole words, without the 4 bytes before it */
    struct ssi_slice payload;   /* without padding */
    uint8_t padding;            /* bytes of padding, 0 for none */
};

/* SECSIP_E_RTP_SYNTAX: not version 2, shorter than it says, padding of 0 or more than there is, or a payload type that
 * would be an RTCP packet (72 to 76, RFC 3550 A.1). */
secsip_result ssi_rtp_parse(const uint8_t *packet, size_t len, struct ssi_rtp_packet *ret);
/* Writes the whole packet: header, CSRCs, extension, payload, padding. SECSIP_E_LIMIT (cap), SECSIP_E_INVALID (payload type
 * above 127, too many CSRCs, an extension that is not whole words). */
secsip_result ssi_rtp_build(const struct ssi_rtp_packet *p, uint8_t *out, size_t cap,
                            size_t *ret_len);

#endif
