/* The checked cursor, see cursor.h. Layer: base. */
#include "base/cursor.h"

bool ssi_cursor_take_lit(struct ssi_cursor *c, struct ssi_slice lit)
{
    if (ssi_cursor_left(c) < lit.len || memcmp(c->p, lit.p, lit.len) != 0)
        return false;
    c->p += lit.len;
    return true;
}

bool ssi_cursor_take_ilit(struct ssi_cursor *c, struct ssi_slice lit)
{
    if (ssi_cursor_left(c) < lit.len || !ssi_slice_ieq(ssi_slice_of(c->p, lit.len), lit))
        return false;
    c->p += lit.len;
    return true;
}

struct ssi_slice ssi_cursor_take_until(struct ssi_cursor *c, char b)
{
    struct ssi_slice rest = ssi_cursor_rest(c);
    size_t n = ssi_slice_find(rest, b);

    c->p += n;
    return ssi_slice_of(rest.p, n);
}

bool ssi_cursor_take_u64(struct ssi_cursor *c, uint64_t max, uint64_t *ret)
{
    const char *p = c->p;

    while (p < c->end && *p >= '0' && *p <= '9')
        p++;
    if (!ssi_slice_to_u64(ssi_slice_of(c->p, (size_t)(p - c->p)), max, ret))
        return false;
    c->p = p;
    return true;
}

bool ssi_cursor_take_u8(struct ssi_cursor *c, uint8_t *ret)
{
    if (ssi_cursor_left(c) < 1)
        return false;
    *ret = (uint8_t)*c->p++;
    return true;
}

bool ssi_cursor_take_be16(struct ssi_cursor *c, uint16_t *ret)
{
    if (ssi_cursor_left(c) < 2)
        return false;
    const unsigned char *b = (const unsigned char *)c->p;
    *ret = (uint16_t)(b[0] << 8 | b[1]);
    c->p += 2;
    return true;
}

bool ssi_cursor_take_be32(struct ssi_cursor *c, uint32_t *ret)
{
    if (ssi_cursor_left(c) < 4)
        return false;
    const unsigned char *b = (const unsigned char *)c->p;
    *ret = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    c->p += 4;
    return true;
}

bool ssi_cursor_take_bytes(struct ssi_cursor *c, size_t n, struct ssi_slice *ret)
{
    if (ssi_cursor_left(c) < n)
        return false;
    *ret = ssi_slice_of(c->p, n);
    c->p += n;
    return true;
}
