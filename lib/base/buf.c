/* Growable byte buffer, see buf.h. Layer: base. */
#include "base/buf.h"

#include <stdlib.h>

#include "base/crypto.h"

void ssi_buf_init(struct ssi_buf *b, size_t max)
{
    memset(b, 0, sizeof *b);
    b->max = max;
}

void ssi_buf_init_secret(struct ssi_buf *b, size_t max)
{
    ssi_buf_init(b, max);
    b->secret = true;
}

void ssi_buf_free(struct ssi_buf *b)
{
    if (b->secret && b->data)
        ssi_wipe(b->data, b->cap);
    free(b->data);
    b->data = NULL;
    b->off = b->len = b->cap = 0;
    b->failed = 0;
}

void ssi_buf_fit(struct ssi_buf *b)
{
    if (b->failed != 0 || b->cap == b->len)
        return;
    if (b->len == 0) {
        ssi_buf_free(b);
        return;
    }
    uint8_t *data = malloc(b->len);
    if (!data)
        return;
    memcpy(data, b->data + b->off, b->len);
    if (b->secret)
        ssi_wipe(b->data, b->cap);
    free(b->data);
    b->data = data;
    b->off = 0;
    b->cap = b->len;
}

void ssi_buf_reset(struct ssi_buf *b)
{
    if (b->secret && b->data)
        ssi_wipe(b->data, b->cap);
    b->off = b->len = 0;
    b->failed = 0;
}

static void slide_to_front(struct ssi_buf *b)
{
    if (b->off == 0)
        return;
    memmove(b->data, b->data + b->off, b->len);
    if (b->secret)
        ssi_wipe(b->data + b->len, b->off);
    b->off = 0;
}

static bool grow(struct ssi_buf *b, size_t need)
{
    size_t cap = b->cap ? b->cap : 256;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    if (cap > b->max)
        cap = b->max;
    /* Not realloc: it may leave a copy of a secret behind. */
    uint8_t *data = malloc(cap);
    if (!data) {
        b->failed = SECSIP_E_NOMEM;
        return false;
    }
    if (b->data) {
        memcpy(data, b->data + b->off, b->len);
        if (b->secret)
            ssi_wipe(b->data, b->cap);
    }
    free(b->data);
    b->data = data;
    b->off = 0;
    b->cap = cap;
    return true;
}

uint8_t *ssi_buf_reserve(struct ssi_buf *b, size_t n)
{
    if (b->failed < 0)
        return NULL;
    if (n > b->max || b->len > b->max - n) {
        b->failed = SECSIP_E_LIMIT;
        return NULL;
    }
    if (b->cap - b->off - b->len < n) {
        if (b->cap - b->len >= n && b->off >= b->len)
            slide_to_front(b);
        else if (!grow(b, b->len + n))
            return NULL;
    }
    /* An empty reserve on an empty buffer still has to give a pointer. */
    if (!b->data && !grow(b, 1))
        return NULL;
    return b->data + b->off + b->len;
}

void ssi_buf_commit(struct ssi_buf *b, size_t n)
{
    b->len += n;
}

void ssi_buf_put(struct ssi_buf *b, const void *p, size_t n)
{
    if (n == 0)
        return;
    uint8_t *tail = ssi_buf_reserve(b, n);
    if (!tail)
        return;
    memcpy(tail, p, n);
    b->len += n;
}

void ssi_buf_put_slice(struct ssi_buf *b, struct ssi_slice s)
{
    ssi_buf_put(b, s.p, s.len);
}

void ssi_buf_put_str(struct ssi_buf *b, const char *s)
{
    ssi_buf_put(b, s, strlen(s));
}

void ssi_buf_put_char(struct ssi_buf *b, char c)
{
    ssi_buf_put(b, &c, 1);
}

void ssi_buf_put_u64(struct ssi_buf *b, uint64_t v)
{
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    ssi_buf_put(b, digits + at, sizeof digits - at);
}

void ssi_buf_put_hex(struct ssi_buf *b, const void *p, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    const uint8_t *bytes = p;

    for (size_t i = 0; i < n; i++) {
        char two[2] = {hex[bytes[i] >> 4], hex[bytes[i] & 15]};
        ssi_buf_put(b, two, 2);
    }
}

void ssi_buf_consume(struct ssi_buf *b, size_t n)
{
    if (n > b->len)
        n = b->len;
    if (b->secret && n > 0)
        ssi_wipe(b->data + b->off, n);
    b->off += n;
    b->len -= n;
    if (b->len == 0)
        b->off = 0;
}
