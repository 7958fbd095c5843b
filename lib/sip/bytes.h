/* Looking at sixteen bytes a step, where the processor has SSE2 (every x86-64 has), and at eight or one elsewhere. Nothing
 * here reads past `end`, or past `readable` where there is one. Layer: sip; private to lib/sip. */
#ifndef SSI_SIP_BYTES_H
#define SSI_SIP_BYTES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* The next byte below 0x20, or end: sixteen or eight bytes a step. */
static inline const char *ssi_sip_find_control(const char *p, const char *end)
{
#ifdef __SSE2__
    const __m128i limit = _mm_set1_epi8(0x1f);

    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        unsigned hit = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(v, limit), v));
        if (hit)
            return p + __builtin_ctz(hit);
        p += 16;
    }
#else
    /* The test marks bytes above a true one too, but never one below. */
    const uint64_t low = 0x0101010101010101U, high = 0x8080808080808080U;

    for (uint64_t v; end - p >= 8; p += 8) {
        memcpy(&v, p, sizeof v);
        if ((v - low * 0x20) & ~v & high)
            break;
    }
#endif
    while (p < end && (unsigned char)*p >= 0x20)
        p++;
    return p;
}

/* Equal bytes of two short texts, without a call. */
static inline bool ssi_sip_same(const char *a, const char *b, size_t n)
{
    uint64_t x, y;
    uint32_t u, v;

    for (; n > 8; a += 8, b += 8, n -= 8) {
        memcpy(&x, a, sizeof x);
        memcpy(&y, b, sizeof y);
        if (x != y)
            return false;
    }
    if (n >= 4) {
        memcpy(&u, a, sizeof u);
        memcpy(&v, b, sizeof v);
        if (u != v)
            return false;
        memcpy(&u, a + n - sizeof u, sizeof u);
        memcpy(&v, b + n - sizeof v, sizeof v);
        return u == v;
    }
    while (n > 0 && a[n - 1] == b[n - 1])
        n--;
    return n == 0;
}

/* The first ':' of the sixteen bytes from p, or NULL; without SSE2 of those before end. */
static inline const char *ssi_sip_find_colon_16(const char *p, const char *end)
{
#ifdef __SSE2__
    if (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        unsigned hit = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8(':')));
        return hit ? p + __builtin_ctz(hit) : NULL;
    }
#endif
    size_t left = (size_t)(end - p);
    return memchr(p, ':', left < 16 ? left : 16);
}

/* Over letters, digits, '-' and '.', which are in every class of bytes but DIGIT, HEX and ALPHA: the first other byte, or a
 * place from which fewer than sixteen bytes are readable (without SSE2: p). It may pass what the caller wants to see;
 * memory up to `readable` is only read. */
static inline const char *ssi_sip_skip_names_16(const char *p, const char *readable)
{
#ifdef __SSE2__
    while (readable - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        /* Bytes below a bound wrap around to large ones. */
        __m128i letter = _mm_sub_epi8(_mm_or_si128(v, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
        __m128i other = _mm_sub_epi8(v, _mm_set1_epi8('-'));
        letter = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8('z' - 'a')), letter);
        other = _mm_cmpeq_epi8(_mm_min_epu8(other, _mm_set1_epi8('9' - '-')), other);
        other = _mm_andnot_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('/')), other);
        unsigned in = (unsigned)_mm_movemask_epi8(_mm_or_si128(letter, other));
        if (in != 0xffff)
            return p + __builtin_ctz(in + 1);
        p += 16;
    }
#else
    (void)readable;
#endif
    return p;
}

#ifdef __SSE2__
/* For sixteen bytes from p and the sixteen from p + 1. */
static inline bool ssi_sip_bad_pair_in_16(const char *p)
{
    const __m128i dot = _mm_set1_epi8('.'), hyphen = _mm_set1_epi8('-');
    __m128i a = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(p + 1));
    __m128i dot_a = _mm_cmpeq_epi8(a, dot), dot_b = _mm_cmpeq_epi8(b, dot);
    __m128i any_a = _mm_or_si128(dot_a, _mm_cmpeq_epi8(a, hyphen));
    __m128i any_b = _mm_or_si128(dot_b, _mm_cmpeq_epi8(b, hyphen));

    return _mm_movemask_epi8(
               _mm_or_si128(_mm_and_si128(dot_a, any_b), _mm_and_si128(any_a, dot_b))) != 0;
}
#endif

/* Among bytes of host names: is '.' followed or preceded by '.' or '-'? Then a label is empty or has '-' at an edge. */
static inline bool ssi_sip_has_bad_label(const char *p, const char *end)
{
#ifdef __SSE2__
    if (end - p > 16) {
        for (; end - p > 32; p += 16)
            if (ssi_sip_bad_pair_in_16(p))
                return true;
        return ssi_sip_bad_pair_in_16(p) || ssi_sip_bad_pair_in_16(end - 17);
    }
#endif
    for (; end - p > 1; p++)
        if (p[1] <= '.' && p[0] <= '.' && (p[0] == '.' || p[1] == '.'))
            return true;
    return false;
}

#endif
