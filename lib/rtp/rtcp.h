/* RTCP compound packets: sender and receiver reports, SDES CNAME, BYE (RFC 3550 6). Layer: rtp. What is read borrows the
 * packet's bytes. */
#ifndef SSI_RTP_RTCP_H
#define SSI_RTP_RTCP_H

#include "base/slice.h"
#include "secsip/result.h"

enum {
    SSI_RTCP_SR = 200,
    SSI_RTCP_RR = 201,
    SSI_RTCP_SDES = 202,
    SSI_RTCP_BYE = 203,
    SSI_RTCP_APP = 204
};
enum {
    SSI_RTCP_BLOCKS_MAX = 31,
    SSI_RTCP_BYE_MAX = 31,
    SSI_RTCP_TEXT_MAX = 255
};

struct ssi_rtcp_block {
    uint32_t ssrc;
    uint8_t fraction_lost; /* of 256 */
    int32_t lost;          /* 24 bits, signed */
    uint32_t highest_seq;  /* with its cycles */
    uint32_t jitter;       /* in timestamp units */
    uint32_t lsr, dlsr;
};

/* Of a compound packet: its first report, its first CNAME, its first BYE. Other packets are checked for their length
 * only. */
struct ssi_rtcp_compound {
    bool is_sender; /* SR, else RR */
    uint32_t ssrc;
    uint64_t ntp;
    uint32_t rtp_timestamp, packets, octets; /* SR only */
    uint8_t n_blocks;
    struct ssi_rtcp_block blocks[SSI_RTCP_BLOCKS_MAX];
    struct ssi_slice cname; /* of `ssrc`, empty when there is none */
    uint8_t n_bye;
    uint32_t bye[SSI_RTCP_BYE_MAX];
};

/* Strict, as RFC 3550 A.2: version 2 throughout, SR or RR first, padding in the last packet only, and lengths that come
 * out even at the end. SECSIP_E_RTP_SYNTAX. */
secsip_result ssi_rtcp_parse(const uint8_t *packet, size_t len, struct ssi_rtcp_compound *ret);
/* Only the frame: RTCP packet types (192 to 223, RFC 5761 section 4) of version 2 whose lengths come out even.
 * True for reduced-size RTCP (RFC 5506) too, which begins with neither SR nor RR. */
bool ssi_rtcp_is_framed(const uint8_t *packet, size_t len);
/* SR or RR, SDES with the CNAME (RFC 3550 6.1 wants it in every compound packet), and BYE for `ssrc` if n_bye is not 0.
 * SECSIP_E_LIMIT (cap), SECSIP_E_INVALID (no CNAME or one too long, too many blocks, more than one BYE). */
secsip_result ssi_rtcp_build(const struct ssi_rtcp_compound *c, uint8_t *out, size_t cap,
                             size_t *ret_len);

#endif
