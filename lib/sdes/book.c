/* Keys of ours that were ever made in a call, see book.h. Layer: sdes. The hashes are salted and cut to 128 bits: who reads them
 * learns nothing of a key, and cannot tell in advance which keys are taken for which. */
#include "sdes/book.h"

#include <stdlib.h>

#include "base/crypto.h"

enum {
    SALT_LEN = 16,
    FIRST_CAP = 16,
    MARK_LEN = 16
};

struct mark {
    uint8_t bytes[MARK_LEN];
};

struct ssi_sdes_book {
    uint32_t n_refs;
    uint32_t n, cap;
    uint8_t salt[SALT_LEN];
    struct mark *marks;
};

secsip_result ssi_sdes_book_new(struct ssi_sdes_book **ret)
{
    struct ssi_sdes_book *b = calloc(1, sizeof *b);

    if (!b)
        return SECSIP_E_NOMEM;
    secsip_result r = ssi_random_key(b->salt, sizeof b->salt);
    if (r < 0) {
        free(b);
        return r;
    }
    b->n_refs = 1;
    *ret = b;
    return 0;
}

struct ssi_sdes_book *ssi_sdes_book_ref(struct ssi_sdes_book *b)
{
    if (b)
        b->n_refs++;
    return b;
}

void ssi_sdes_book_unref(struct ssi_sdes_book *b)
{
    if (!b || --b->n_refs > 0)
        return;
    free(b->marks);
    ssi_wipe(b->salt, sizeof b->salt);
    free(b);
}

static struct mark mark_of(const struct ssi_sdes_book *b, const struct ssi_key *key)
{
    const struct ssi_slice parts[] = {{(const char *)b->salt, sizeof b->salt},
                                      {(const char *)key->bytes, key->len}};
    char hex[2 * SSI_DIGEST_MAX + 1] = "";
    struct mark m;

    /* The one algorithm that no system forbids and that leaves no copy of the key behind. */
    ssi_digest_hex(SSI_DIGEST_SHA512_256, parts, 2, hex);
    for (size_t i = 0; i < MARK_LEN; i++) {
        unsigned high = (unsigned char)hex[2 * i], low = (unsigned char)hex[2 * i + 1];
        m.bytes[i] = (uint8_t)((high - (high > '9' ? 'a' - 10 : '0')) << 4 |
                               (low - (low > '9' ? 'a' - 10 : '0')));
    }
    return m;
}

static secsip_result grow(struct ssi_sdes_book *b)
{
    uint32_t cap = b->cap ? 2 * b->cap : FIRST_CAP;

    if (b->n < b->cap)
        return 0;
    if (b->n >= SSI_SDES_BOOK_MAX)
        return SECSIP_E_LIMIT;
    struct mark *marks = realloc(b->marks, cap * sizeof *marks);
    if (!marks)
        return SECSIP_E_NOMEM;
    b->marks = marks;
    b->cap = cap;
    return 0;
}

secsip_result ssi_sdes_book_add(struct ssi_sdes_book *b, const struct ssi_key *key)
{
    secsip_result r = grow(b);

    if (r == 0)
        b->marks[b->n++] = mark_of(b, key);
    return r;
}

bool ssi_sdes_book_has(const struct ssi_sdes_book *b, const struct ssi_key *key)
{
    if (!b || key->len == 0)
        return false;
    struct mark m = mark_of(b, key);
    for (uint32_t i = 0; i < b->n; i++)
        if (memcmp(b->marks[i].bytes, m.bytes, MARK_LEN) == 0)
            return true;
    return false;
}
