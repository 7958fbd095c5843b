/* The byte classes of RFC 3261 25.1 as bits of one table, so that the grammar is a table and not a chain of ifs.
 * Layer: sip. */
#ifndef SSI_SIP_CHARS_H
#define SSI_SIP_CHARS_H

#include <stdint.h>

enum {
    SSI_CH_TOKEN = 0x0001,
    SSI_CH_USER = 0x0002, /* unreserved and user-unreserved */
    SSI_CH_USER_BARE =
        0x0004, /* the same without ',' ';' '?': outside angle brackets (RFC 3261 20) */
    SSI_CH_PASSWORD = 0x0008,      /* of userinfo */
    SSI_CH_PASSWORD_BARE = 0x0010, /* the same without ',' */
    SSI_CH_PARAM = 0x0020,         /* paramchar */
    SSI_CH_HNV = 0x0040,           /* unreserved and hnv-unreserved */
    SSI_CH_HOST = 0x0080,          /* alphanum '-' '.' */
    SSI_CH_WORD = 0x0100,          /* of Call-ID */
    SSI_CH_VALUE =
        0x0200, /* gen-value without quotes: token or host, IPv6 with and without brackets */
    SSI_CH_URIC = 0x0400,      /* of other schemes (RFC 2396), without '%' */
    SSI_CH_URIC_BARE = 0x0800, /* the same without ',' ';' '?' */
    SSI_CH_QDTEXT = 0x1000,    /* inside quotes, without '"', '\' and control bytes */
    SSI_CH_DIGIT = 0x2000,
    SSI_CH_HEX = 0x4000,
    SSI_CH_ALPHA = 0x8000,
    SSI_CH_NARROW =
        SSI_CH_DIGIT | SSI_CH_HEX | SSI_CH_ALPHA, /* all others have letters, digits, '-' and '.' */
};

extern const uint16_t ssi_sip_chars[256];

static inline int ssi_sip_is(char c, unsigned mask)
{
    return ssi_sip_chars[(unsigned char)c] & mask;
}

#endif
