/* Slices: a borrowed run of bytes. A slice never owns what it points to; the owner is named where one is stored.
 * Layer: base. ASCII case rules only: SIP tokens and header names are ASCII (RFC 3261 7.3.1). */
#ifndef SSI_BASE_SLICE_H
#define SSI_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ssi_slice {
    const char *p; /* may be NULL only when len is 0 */
    size_t len;
};

/* For literals: SSI_LIT("INVITE") as an initialiser or expression. */
#define SSI_LIT(s) ((struct ssi_slice){(s), sizeof(s) - 1})

static inline struct ssi_slice ssi_slice_of(const void *p, size_t len)
{
    return (struct ssi_slice){(const char *)p, len};
}

static inline struct ssi_slice ssi_slice_str(const char *s)
{
    return (struct ssi_slice){s, s ? strlen(s) : 0};
}

static inline bool ssi_slice_eq(struct ssi_slice a, struct ssi_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static inline char ssi_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* ASCII case-insensitive equality. */
bool ssi_slice_ieq(struct ssi_slice a, struct ssi_slice b);

/* Without spaces and tabs at both ends. */
struct ssi_slice ssi_slice_trim(struct ssi_slice s);

/* The place of byte c, or s.len when there is none. */
size_t ssi_slice_find(struct ssi_slice s, char c);

/* From offset `from` to the end; empty when from passes the end. */
struct ssi_slice ssi_slice_from(struct ssi_slice s, size_t from);

/* Decimal digits only, at least one, the whole slice, at most `max`. False leaves *ret untouched. */
bool ssi_slice_to_u64(struct ssi_slice s, uint64_t max, uint64_t *ret);

/* A NUL-terminated copy, or NULL when memory is out or the slice holds a NUL. The caller frees it. */
char *ssi_slice_dup(struct ssi_slice s);

/* A NUL-terminated, truncated copy into a fixed buffer of cap >= 1 bytes; control bytes become '?'. For texts of
 * events and logs, never for protocol. */
void ssi_slice_show(struct ssi_slice s, char *out, size_t cap);

#endif
