/* RTCP compound packets, see rtcp.h. Layer: rtp. Owns nothing. */
#include "rtp/rtcp.h"

#include "rtp/wire.h"

enum {
    HEADER = 4,
    SENDER_INFO = 20,
    BLOCK = 24,
    ITEM_CNAME = 1
};

static void read_block(const uint8_t *p, struct ssi_rtcp_block *ret)
{
    uint32_t lost = get_be32(p + 4) & 0xffffff;

    ret->ssrc = get_be32(p);
    ret->fraction_lost = p[4];
    ret->lost = lost & 0x800000 ? (int32_t)lost - 0x1000000 : (int32_t)lost;
    ret->highest_seq = get_be32(p + 8);
    ret->jitter = get_be32(p + 12);
    ret->lsr = get_be32(p + 16);
    ret->dlsr = get_be32(p + 20);
}

/* RFC 3550 6.4.1 and 6.4.2. What follows the blocks is a profile's extension and left alone. */
static bool read_report(const uint8_t *p, size_t len, struct ssi_rtcp_compound *c)
{
    size_t at = HEADER + 4;

    c->is_sender = p[1] == SSI_RTCP_SR;
    c->n_blocks = p[0] & 0x1f;
    if (len < at + (c->is_sender ? SENDER_INFO : 0) + (size_t)BLOCK * c->n_blocks)
        return false;
    c->ssrc = get_be32(p + 4);
    if (c->is_sender) {
        c->ntp = (uint64_t)get_be32(p + 8) << 32 | get_be32(p + 12);
        c->rtp_timestamp = get_be32(p + 16);
        c->packets = get_be32(p + 20);
        c->octets = get_be32(p + 24);
        at += SENDER_INFO;
    }
    for (uint8_t i = 0; i < c->n_blocks; i++, at += BLOCK)
        read_block(p + at, &c->blocks[i]);
    return true;
}

/* The items of one chunk (RFC 3550 6.5), from *at to the word after its end. */
static bool read_items(const uint8_t *p, size_t len, size_t *at, struct ssi_slice *ret_cname)
{
    while (*at < len && p[*at] != 0) {
        if (len - *at < 2 || len - *at - 2 < p[*at + 1])
            return false;
        if (p[*at] == ITEM_CNAME)
            *ret_cname = ssi_slice_of(p + *at + 2, p[*at + 1]);
        *at += 2 + (size_t)p[*at + 1];
    }
    if (*at == len)
        return false;
    *at = (*at / 4 + 1) * 4; /* at least one zero byte, then to the next word */
    return *at <= len;
}

static bool read_sdes(const uint8_t *p, size_t len, struct ssi_rtcp_compound *c)
{
    size_t at = HEADER;

    for (unsigned chunk = 0; chunk < (p[0] & 0x1fU); chunk++) {
        struct ssi_slice cname = {0};
        if (len - at < 4)
            return false;
        uint32_t ssrc = get_be32(p + at);
        at += 4;
        if (!read_items(p, len, &at, &cname))
            return false;
        if (ssrc == c->ssrc && c->cname.len == 0)
            c->cname = cname;
    }
    return true;
}

static bool read_bye(const uint8_t *p, size_t len, struct ssi_rtcp_compound *c)
{
    uint8_t n = p[0] & 0x1f;

    if (len < HEADER + 4 * (size_t)n)
        return false;
    if (len > HEADER + 4 * (size_t)n &&
        len - HEADER - 4 * (size_t)n - 1 < p[HEADER + 4 * (size_t)n])
        return false; /* the reason is longer than the packet */
    if (c->n_bye > 0)
        return true;
    c->n_bye = n;
    for (uint8_t i = 0; i < n; i++)
        c->bye[i] = get_be32(p + HEADER + 4 * (size_t)i);
    return true;
}

static bool read_packet(const uint8_t *p, size_t len, bool first, struct ssi_rtcp_compound *c)
{
    bool report = p[1] == SSI_RTCP_SR || p[1] == SSI_RTCP_RR;

    if (first)
        return report && len >= HEADER + 4 && read_report(p, len, c);
    if (p[1] == SSI_RTCP_SDES)
        return read_sdes(p, len, c);
    if (p[1] == SSI_RTCP_BYE)
        return read_bye(p, len, c);
    return true;
}

secsip_result ssi_rtcp_parse(const uint8_t *packet, size_t len, struct ssi_rtcp_compound *ret)
{
    struct ssi_rtcp_compound c = {0};
    size_t at = 0;

    if (len == 0 || len % 4 != 0)
        return SECSIP_E_RTP_SYNTAX;
    while (at < len) {
        const uint8_t *p = packet + at;
        if (len - at < HEADER || p[0] >> 6 != 2)
            return SECSIP_E_RTP_SYNTAX;
        size_t n = 4 * ((size_t)get_be16(p + 2) + 1);
        if (n > len - at)
            return SECSIP_E_RTP_SYNTAX;
        size_t content = n;
        if (p[0] & 0x20) {
            /* RFC 3550 6.4.1: padding ends the last packet, a multiple of four bytes. */
            uint8_t padding = p[n - 1];
            if (at + n != len || padding == 0 || padding % 4 != 0 || padding > n - HEADER)
                return SECSIP_E_RTP_SYNTAX;
            content -= padding;
        }
        if (!read_packet(p, content, at == 0, &c))
            return SECSIP_E_RTP_SYNTAX;
        at += n;
    }
    *ret = c;
    return 0;
}

bool ssi_rtcp_is_framed(const uint8_t *packet, size_t len)
{
    size_t at = 0;

    while (len - at >= HEADER) {
        const uint8_t *p = packet + at;
        size_t n = 4 * ((size_t)get_be16(p + 2) + 1);
        if (p[0] >> 6 != 2 || p[1] < 192 || p[1] > 223 || n > len - at)
            return false;
        at += n;
    }
    return at > 0 && at == len;
}

static uint8_t *put_header(uint8_t *p, uint8_t count, uint8_t type, size_t len)
{
    p[0] = 0x80 | count;
    p[1] = type;
    put_be16(p + 2, (uint16_t)(len / 4 - 1));
    return p + HEADER;
}

static uint8_t *put_report(uint8_t *p, const struct ssi_rtcp_compound *c, size_t len)
{
    p = put_header(p, c->n_blocks, c->is_sender ? SSI_RTCP_SR : SSI_RTCP_RR, len);
    put_be32(p, c->ssrc);
    p += 4;
    if (c->is_sender) {
        put_be32(p, (uint32_t)(c->ntp >> 32));
        put_be32(p + 4, (uint32_t)c->ntp);
        put_be32(p + 8, c->rtp_timestamp);
        put_be32(p + 12, c->packets);
        put_be32(p + 16, c->octets);
        p += SENDER_INFO;
    }
    for (uint8_t i = 0; i < c->n_blocks; i++, p += BLOCK) {
        const struct ssi_rtcp_block *b = &c->blocks[i];
        put_be32(p, b->ssrc);
        put_be32(p + 4, (uint32_t)b->fraction_lost << 24 | ((uint32_t)b->lost & 0xffffff));
        put_be32(p + 8, b->highest_seq);
        put_be32(p + 12, b->jitter);
        put_be32(p + 16, b->lsr);
        put_be32(p + 20, b->dlsr);
    }
    return p;
}

secsip_result ssi_rtcp_build(const struct ssi_rtcp_compound *c, uint8_t *out, size_t cap,
                             size_t *ret_len)
{
    if (c->n_blocks > SSI_RTCP_BLOCKS_MAX || c->n_bye > 1 || c->cname.len == 0 ||
        c->cname.len > SSI_RTCP_TEXT_MAX)
        return SECSIP_E_INVALID;
    size_t report = HEADER + 4 + (c->is_sender ? SENDER_INFO : 0) + (size_t)BLOCK * c->n_blocks;
    /* The item list ends with one to four zero bytes (RFC 3550 6.5). */
    size_t sdes = (HEADER + 4 + 2 + c->cname.len) / 4 * 4 + 4;
    size_t bye = c->n_bye ? HEADER + 4 : 0;
    if (cap < report + sdes + bye)
        return SECSIP_E_LIMIT;

    uint8_t *p = put_report(out, c, report);
    memset(p, 0, sdes);
    uint8_t *chunk = put_header(p, 1, SSI_RTCP_SDES, sdes);
    put_be32(chunk, c->ssrc);
    chunk[4] = ITEM_CNAME;
    chunk[5] = (uint8_t)c->cname.len;
    memcpy(chunk + 6, c->cname.p, c->cname.len);
    p += sdes;
    if (bye > 0)
        put_be32(put_header(p, 1, SSI_RTCP_BYE, bye), c->ssrc);
    *ret_len = report + sdes + bye;
    return 0;
}
