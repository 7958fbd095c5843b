/* Growable byte buffer with a hard limit and a sticky error: a run of puts is checked once, at its end.
 * Layer: base. The buffer owns its bytes. A secret buffer (it holds keys, or an SDP body with a=crypto) is never
 * given to realloc, and every byte it ever held is wiped before it is freed. */
#ifndef SSI_BASE_BUF_H
#define SSI_BASE_BUF_H

#include "base/slice.h"
#include "secsip/result.h"

struct ssi_buf {
    uint8_t *data; /* start of the allocation */
    size_t off;    /* first unread byte */
    size_t len;    /* unread bytes from off */
    size_t cap;
    size_t max;           /* off + len never passes it; exceeding it fails with SECSIP_E_LIMIT */
    secsip_result failed; /* 0, or the first failure; later puts do nothing */
    bool secret;
};

void ssi_buf_init(struct ssi_buf *b, size_t max);
void ssi_buf_init_secret(struct ssi_buf *b, size_t max);
/* Frees (and, if secret, wipes) the bytes; the buffer is empty and usable again, its error cleared. */
void ssi_buf_free(struct ssi_buf *b);
/* Gives back what is more than its bytes, all where it is empty; keeps it where there is no memory to move to. For what
 * stays as it is for long. */
void ssi_buf_fit(struct ssi_buf *b);
/* Forget the content, keep the allocation, clear the error. Wipes if secret. */
void ssi_buf_reset(struct ssi_buf *b);
/* Room for n more bytes at the tail; NULL on failure. Write, then ssi_buf_commit(n). */
uint8_t *ssi_buf_reserve(struct ssi_buf *b, size_t n);
void ssi_buf_commit(struct ssi_buf *b, size_t n);
void ssi_buf_put(struct ssi_buf *b, const void *p, size_t n);
void ssi_buf_put_slice(struct ssi_buf *b, struct ssi_slice s);
void ssi_buf_put_str(struct ssi_buf *b, const char *s);
void ssi_buf_put_char(struct ssi_buf *b, char c);
void ssi_buf_put_u64(struct ssi_buf *b, uint64_t v); /* decimal */
void ssi_buf_put_hex(struct ssi_buf *b, const void *p, size_t n);
/* Drop n bytes (at most len) from the front. */
void ssi_buf_consume(struct ssi_buf *b, size_t n);

static inline struct ssi_slice ssi_buf_slice(const struct ssi_buf *b)
{
    return b->data ? ssi_slice_of(b->data + b->off, b->len) : ssi_slice_of(NULL, 0);
}

#endif
