/* Base64, see base64.h. Layer: base. Branch-free in the secret values: comparisons become masks. */
#include "base/base64.h"

#include "base/crypto.h"

/* All ones when lo <= c <= hi, else 0, for values below 256. */
static unsigned in_range(unsigned c, unsigned lo, unsigned hi)
{
    return 0U - (((lo - 1 - c) & (c - hi - 1)) >> 31);
}

static char encode6(unsigned v)
{
    unsigned c = (in_range(v, 0, 25) & (v + 'A')) | (in_range(v, 26, 51) & (v - 26 + 'a')) |
                 (in_range(v, 52, 61) & (v - 52 + '0')) | (in_range(v, 62, 62) & '+') |
                 (in_range(v, 63, 63) & '/');
    return (char)c;
}

/* 0..63, or 64 for a byte outside the alphabet. */
static unsigned decode6(unsigned c)
{
    unsigned upper = in_range(c, 'A', 'Z');
    unsigned lower = in_range(c, 'a', 'z');
    unsigned digit = in_range(c, '0', '9');
    unsigned plus = in_range(c, '+', '+');
    unsigned slash = in_range(c, '/', '/');

    return (upper & (c - 'A')) | (lower & (c - 'a' + 26)) | (digit & (c - '0' + 52)) | (plus & 62) |
           (slash & 63) | (~(upper | lower | digit | plus | slash) & 64);
}

/* The next three bytes, or the one or two that are left. Returns how many characters stand before the padding. */
static size_t encode_group(const uint8_t *in, size_t left, char four[4])
{
    size_t k = left < 3 ? left : 3;
    unsigned v = (unsigned)in[0] << 16 | (k > 1 ? (unsigned)in[1] << 8 : 0) | (k > 2 ? in[2] : 0U);

    four[0] = encode6(v >> 18);
    four[1] = encode6(v >> 12 & 63);
    four[2] = k > 1 ? encode6(v >> 6 & 63) : '=';
    four[3] = k > 2 ? encode6(v & 63) : '=';
    return k + 1;
}

void ssi_base64_put(struct ssi_buf *b, const void *p, size_t n, bool padded)
{
    const uint8_t *in = p;
    char four[4];

    for (size_t i = 0; i < n; i += 3) {
        size_t len = encode_group(in + i, n - i, four);
        ssi_buf_put(b, four, padded ? sizeof four : len);
    }
    ssi_wipe(four, sizeof four);
}

void ssi_base64_text(const void *p, size_t n, char *out)
{
    const uint8_t *in = p;

    for (size_t i = 0; i < n; i += 3, out += 4)
        encode_group(in + i, n - i, out);
    *out = 0;
}

/* The slice without its padding, or false when there is too much of it or it is in the wrong place. */
static bool strip_padding(struct ssi_slice *s)
{
    size_t pad = 0;

    while (s->len > 0 && s->p[s->len - 1] == '=' && pad < 3) {
        s->len--;
        pad++;
    }
    return pad == 0 || (pad < 3 && (s->len + pad) % 4 == 0 && s->len % 4 != 0);
}

bool ssi_base64_get(struct ssi_slice s, void *out, size_t cap, size_t *ret_len)
{
    uint8_t *to = out;
    unsigned bad = 0;
    unsigned bits = 0;
    unsigned acc = 0;
    size_t n = 0;

    if (!strip_padding(&s) || s.len % 4 == 1 || s.len / 4 * 3 + s.len % 4 * 3 / 4 > cap)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned v = decode6((unsigned char)s.p[i]);
        bad |= v & 64;
        acc = (acc << 6 | (v & 63)) & 0xffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            to[n++] = (uint8_t)(acc >> bits);
        }
    }
    if (bad || (acc & ((1U << bits) - 1))) {
        ssi_wipe(out, n);
        return false;
    }
    *ret_len = n;
    return true;
}
