/* RTP packets, see packet.h. Layer: rtp. Owns nothing. */
#include "rtp/packet.h"

#include "rtp/wire.h"

/* Payload types that the second byte of an RTCP packet (200 to 204) would show with the marker bit set. */
enum {
    RTCP_FIRST = 72,
    RTCP_LAST = 76
};

secsip_result ssi_rtp_parse(const uint8_t *packet, size_t len, struct ssi_rtp_packet *ret)
{
    struct ssi_rtp_packet p = {0};

    if (len < SSI_RTP_HEADER || packet[0] >> 6 != 2)
        return SECSIP_E_RTP_SYNTAX;
    p.n_csrc = packet[0] & 0x0f;
    p.has_extension = packet[0] & 0x10;
    p.marker = packet[1] & 0x80;
    p.payload_type = packet[1] & 0x7f;
    if (p.payload_type >= RTCP_FIRST && p.payload_type <= RTCP_LAST)
        return SECSIP_E_RTP_SYNTAX;
    p.seq = get_be16(packet + 2);
    p.timestamp = get_be32(packet + 4);
    p.ssrc = get_be32(packet + 8);

    size_t at = SSI_RTP_HEADER;
    if (len - at < 4 * (size_t)p.n_csrc)
        return SECSIP_E_RTP_SYNTAX;
    for (uint8_t i = 0; i < p.n_csrc; i++, at += 4)
        p.csrc[i] = get_be32(packet + at);
    if (p.has_extension) {
        if (len - at < 4)
            return SECSIP_E_RTP_SYNTAX;
        size_t words = get_be16(packet + at + 2);
        p.extension_profile = get_be16(packet + at);
        at += 4;
        if (len - at < 4 * words)
            return SECSIP_E_RTP_SYNTAX;
        p.extension = ssi_slice_of(packet + at, 4 * words);
        at += 4 * words;
    }
    if (packet[0] & 0x20) {
        /* The last byte counts itself (RFC 3550 5.1). */
        p.padding = len > at ? packet[len - 1] : 0;
        if (p.padding == 0 || p.padding > len - at)
            return SECSIP_E_RTP_SYNTAX;
    }
    p.payload = ssi_slice_of(packet + at, len - at - p.padding);
    *ret = p;
    return 0;
}

secsip_result ssi_rtp_build(const struct ssi_rtp_packet *p, uint8_t *out, size_t cap,
                            size_t *ret_len)
{
    size_t extension = p->has_extension ? 4 + p->extension.len : 0;
    size_t header = SSI_RTP_HEADER + 4 * (size_t)p->n_csrc + extension;

    if (p->payload_type > 127 || p->n_csrc > SSI_RTP_CSRC_MAX || p->extension.len % 4 != 0 ||
        p->extension.len / 4 > UINT16_MAX)
        return SECSIP_E_INVALID;
    if (cap < header || cap - header < p->padding || cap - header - p->padding < p->payload.len)
        return SECSIP_E_LIMIT;
    out[0] = (uint8_t)(0x80 | (p->padding ? 0x20 : 0) | (p->has_extension ? 0x10 : 0) | p->n_csrc);
    out[1] = (uint8_t)((p->marker ? 0x80 : 0) | p->payload_type);
    put_be16(out + 2, p->seq);
    put_be32(out + 4, p->timestamp);
    put_be32(out + 8, p->ssrc);
    uint8_t *at = out + SSI_RTP_HEADER;
    for (uint8_t i = 0; i < p->n_csrc; i++, at += 4)
        put_be32(at, p->csrc[i]);
    if (p->has_extension) {
        put_be16(at, p->extension_profile);
        put_be16(at + 2, (uint16_t)(p->extension.len / 4));
        if (p->extension.len > 0)
            memcpy(at + 4, p->extension.p, p->extension.len);
        at += extension;
    }
    if (p->payload.len > 0)
        memcpy(at, p->payload.p, p->payload.len);
    at += p->payload.len;
    if (p->padding > 0) {
        memset(at, 0, p->padding);
        at[p->padding - 1] = p->padding;
        at += p->padding;
    }
    *ret_len = (size_t)(at - out);
    return 0;
}
