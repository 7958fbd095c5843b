/* Slices, see slice.h. Layer: base. */
#include "base/slice.h"

#include <stdlib.h>

bool ssi_slice_ieq(struct ssi_slice a, struct ssi_slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (ssi_lower(a.p[i]) != ssi_lower(b.p[i]))
            return false;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct ssi_slice ssi_slice_trim(struct ssi_slice s)
{
    while (s.len > 0 && is_blank(s.p[0])) {
        s.p++;
        s.len--;
    }
    while (s.len > 0 && is_blank(s.p[s.len - 1]))
        s.len--;
    return s;
}

size_t ssi_slice_find(struct ssi_slice s, char c)
{
    const char *hit = s.len > 0 ? memchr(s.p, c, s.len) : NULL;
    return hit ? (size_t)(hit - s.p) : s.len;
}

struct ssi_slice ssi_slice_from(struct ssi_slice s, size_t from)
{
    if (from >= s.len)
        return ssi_slice_of(s.p ? s.p + s.len : NULL, 0);
    return ssi_slice_of(s.p + from, s.len - from);
}

bool ssi_slice_to_u64(struct ssi_slice s, uint64_t max, uint64_t *ret)
{
    enum {
        NEVER_TOO_MANY = 19 /* digits that cannot overflow */
    };
    uint64_t value = 0;

    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(s.p[i] - '0');
        if (i >= NEVER_TOO_MANY && value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (value > max)
        return false;
    *ret = value;
    return true;
}

char *ssi_slice_dup(struct ssi_slice s)
{
    if (s.len > 0 && memchr(s.p, 0, s.len))
        return NULL;
    char *copy = malloc(s.len + 1);
    if (!copy)
        return NULL;
    if (s.len > 0)
        memcpy(copy, s.p, s.len);
    copy[s.len] = 0;
    return copy;
}

void ssi_slice_show(struct ssi_slice s, char *out, size_t cap)
{
    size_t n = s.len < cap - 1 ? s.len : cap - 1;

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        out[i] = c < 0x20 || c == 0x7f ? '?' : s.p[i];
    }
    out[n] = 0;
}
