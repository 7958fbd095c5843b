/* The one checked cursor that reads all wire bytes. It never passes `end` and never writes.
 * Layer: base. Byte classes are 256-entry tables of bit flags so that a grammar is a table, not a chain of ifs. */
#ifndef SSI_BASE_CURSOR_H
#define SSI_BASE_CURSOR_H

#include "base/slice.h"

struct ssi_cursor {
    const char *start;
    const char *p;
    const char *end;
};

static inline struct ssi_cursor ssi_cursor_of(struct ssi_slice s)
{
    return (struct ssi_cursor){s.p, s.p, s.p ? s.p + s.len : s.p};
}

static inline bool ssi_cursor_at_end(const struct ssi_cursor *c)
{
    return c->p == c->end;
}

static inline size_t ssi_cursor_left(const struct ssi_cursor *c)
{
    return (size_t)(c->end - c->p);
}

static inline size_t ssi_cursor_offset(const struct ssi_cursor *c)
{
    return (size_t)(c->p - c->start);
}

static inline struct ssi_slice ssi_cursor_rest(const struct ssi_cursor *c)
{
    return ssi_slice_of(c->p, ssi_cursor_left(c));
}

/* The next byte (0..255) without taking it, or -1 at the end. */
static inline int ssi_cursor_peek(const struct ssi_cursor *c)
{
    return c->p == c->end ? -1 : (unsigned char)*c->p;
}

/* Takes byte b if it is next. */
static inline bool ssi_cursor_take(struct ssi_cursor *c, char b)
{
    if (c->p == c->end || *c->p != b)
        return false;
    c->p++;
    return true;
}

/* Takes the literal if it is next, byte for byte / ignoring ASCII case. */
bool ssi_cursor_take_lit(struct ssi_cursor *c, struct ssi_slice lit);
bool ssi_cursor_take_ilit(struct ssi_cursor *c, struct ssi_slice lit);

/* Takes the longest run (maybe empty) of bytes whose entry in `table` has a bit of `mask`. */
static inline struct ssi_slice ssi_cursor_take_class(struct ssi_cursor *c, const uint8_t table[256],
                                                     uint8_t mask)
{
    const char *from = c->p;
    while (c->p < c->end && (table[(unsigned char)*c->p] & mask))
        c->p++;
    return ssi_slice_of(from, (size_t)(c->p - from));
}

/* Takes everything before the next byte b, or everything; b itself stays. */
struct ssi_slice ssi_cursor_take_until(struct ssi_cursor *c, char b);

/* Takes decimal digits, at least one; false (cursor unmoved) when there are none or the value passes max. */
bool ssi_cursor_take_u64(struct ssi_cursor *c, uint64_t max, uint64_t *ret);

/* Network-order integers and raw bytes for RTP and RTCP; false (unmoved) when too few bytes are left. */
bool ssi_cursor_take_u8(struct ssi_cursor *c, uint8_t *ret);
bool ssi_cursor_take_be16(struct ssi_cursor *c, uint16_t *ret);
bool ssi_cursor_take_be32(struct ssi_cursor *c, uint32_t *ret);
bool ssi_cursor_take_bytes(struct ssi_cursor *c, size_t n, struct ssi_slice *ret);

#endif
