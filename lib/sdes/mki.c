/* MKI values: decimal in SDP, up to 128 bytes in a packet (RFC 4568 6.1). Layer: sdes. Numbers are kept as limbs of 32 bits,
 * the lowest first, and move nine digits at a time. */
#include "sdes/sdes.h"

enum {
    LIMBS = SSI_SDES_MKI_MAX / 4,
    DIGITS_MAX = SSI_SDES_MKI_TEXT - 1,
    CHUNK = 9,
    CHUNKS_MAX = DIGITS_MAX / CHUNK + 1,
};

/* n = n * factor + add; false on overflow. */
static bool mul_add(uint32_t n[LIMBS], uint32_t factor, uint32_t add)
{
    uint64_t carry = add;

    for (size_t i = 0; i < LIMBS; i++) {
        carry += (uint64_t)n[i] * factor;
        n[i] = (uint32_t)carry;
        carry >>= 32;
    }
    return carry == 0;
}

bool ssi_sdes_mki_read(struct ssi_slice digits, uint8_t *out, size_t len)
{
    uint32_t n[LIMBS] = {0};
    size_t at = 0;

    if (digits.len == 0 || digits.len > DIGITS_MAX || len == 0 || len > SSI_SDES_MKI_MAX)
        return false;
    while (at < digits.len) {
        size_t take = (digits.len - at) % CHUNK ? (digits.len - at) % CHUNK : CHUNK;
        uint32_t factor = 1;
        uint64_t v;
        if (!ssi_slice_to_u64(ssi_slice_of(digits.p + at, take), UINT32_MAX, &v))
            return false;
        for (size_t i = 0; i < take; i++)
            factor *= 10;
        if (!mul_add(n, factor, (uint32_t)v))
            return false;
        at += take;
    }
    for (size_t i = len; i < SSI_SDES_MKI_MAX; i++)
        if (n[i / 4] >> i % 4 * 8 & 0xff)
            return false;
    for (size_t i = 0; i < len; i++)
        out[len - 1 - i] = (uint8_t)(n[i / 4] >> i % 4 * 8);
    return true;
}

/* n, of so many limbs, = n / divisor; returns the remainder. */
static uint32_t div_rest(uint32_t n[LIMBS], size_t limbs, uint32_t divisor)
{
    uint64_t rest = 0;

    for (size_t i = limbs; i-- > 0;) {
        rest = rest << 32 | n[i];
        n[i] = (uint32_t)(rest / divisor);
        rest %= divisor;
    }
    return (uint32_t)rest;
}

size_t ssi_sdes_mki_text(const uint8_t *mki, size_t len, char out[SSI_SDES_MKI_TEXT])
{
    uint32_t n[LIMBS] = {0};
    char digits[CHUNKS_MAX * CHUNK];
    size_t at = sizeof digits, limbs = LIMBS;

    for (size_t i = 0; i < len && i < SSI_SDES_MKI_MAX; i++)
        n[i / 4] |= (uint32_t)mki[len - 1 - i] << i % 4 * 8;
    do {
        while (limbs > 0 && n[limbs - 1] == 0)
            limbs--;
        uint32_t rest = div_rest(n, limbs, 1000000000);
        for (size_t i = 0; i < CHUNK; i++, rest /= 10)
            digits[--at] = (char)('0' + rest % 10);
    } while (limbs > 0 && at > 0);
    while (at < sizeof digits - 1 && digits[at] == '0')
        at++;
    memcpy(out, digits + at, sizeof digits - at);
    out[sizeof digits - at] = 0;
    return sizeof digits - at;
}

void ssi_sdes_mki_put(struct ssi_buf *b, const uint8_t *mki, size_t len)
{
    char text[SSI_SDES_MKI_TEXT];

    ssi_buf_put(b, text, ssi_sdes_mki_text(mki, len, text));
}
