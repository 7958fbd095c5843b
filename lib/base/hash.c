/* Intrusive hash table, see hash.h. Layer: base. SipHash-2-4: Aumasson and Bernstein, 2012. */
#include "base/hash.h"

#include <stdlib.h>

#include "base/crypto.h"

enum {
    FIRST_BUCKETS = 16
};

secsip_result ssi_hash_init(struct ssi_hash *t)
{
    memset(t, 0, sizeof *t);
    secsip_result r = ssi_random_nonce(t->key, sizeof t->key);
    if (r < 0)
        return r;
    t->buckets = calloc(FIRST_BUCKETS, sizeof(struct ssi_hash_node *));
    if (!t->buckets)
        return SECSIP_E_NOMEM;
    t->n_buckets = FIRST_BUCKETS;
    return 0;
}

void ssi_hash_free(struct ssi_hash *t)
{
    free(t->buckets);
    memset(t, 0, sizeof *t);
}

static inline uint64_t rotl(uint64_t v, int n)
{
    return v << n | v >> (64 - n);
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

static inline uint64_t load_le(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

uint64_t ssi_hash_mix(const struct ssi_hash *t, uint64_t seed, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint64_t k0 = t->key[0] ^ seed;
    uint64_t v[4] = {k0 ^ 0x736f6d6570736575U, t->key[1] ^ 0x646f72616e646f6dU,
                     k0 ^ 0x6c7967656e657261U, t->key[1] ^ 0x7465646279746573U};
    size_t left = len;

    for (; left >= 8; left -= 8, p += 8) {
        uint64_t m = load_le(p, 8);
        v[3] ^= m;
        sip_round(v);
        sip_round(v);
        v[0] ^= m;
    }
    uint64_t last = (uint64_t)len << 56 | load_le(p, left);
    v[3] ^= last;
    sip_round(v);
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t ssi_hash_of(const struct ssi_hash *t, const void *p, size_t len)
{
    return ssi_hash_mix(t, 0, p, len);
}

static void link_node(struct ssi_hash_node **bucket, struct ssi_hash_node *n)
{
    n->next = *bucket;
    n->link = bucket;
    if (n->next)
        n->next->link = &n->next;
    *bucket = n;
}

static void grow(struct ssi_hash *t)
{
    size_t n_buckets = t->n_buckets * 2;
    struct ssi_hash_node **buckets = calloc(n_buckets, sizeof(struct ssi_hash_node *));

    if (!buckets)
        return;
    for (size_t i = 0; i < t->n_buckets; i++) {
        struct ssi_hash_node *next;
        for (struct ssi_hash_node *n = t->buckets[i]; n; n = next) {
            next = n->next;
            link_node(&buckets[n->hash & (n_buckets - 1)], n);
        }
    }
    free(t->buckets);
    t->buckets = buckets;
    t->n_buckets = n_buckets;
}

void ssi_hash_add(struct ssi_hash *t, struct ssi_hash_node *n, uint64_t hash)
{
    /* Half full at most: a full bucket is a node to look at, and with many nodes each look is a cache miss. */
    if (t->n_nodes >= t->n_buckets / 2)
        grow(t);
    n->hash = hash;
    link_node(&t->buckets[hash & (t->n_buckets - 1)], n);
    t->n_nodes++;
}

void ssi_hash_remove(struct ssi_hash *t, struct ssi_hash_node *n)
{
    if (!n->link)
        return;
    *n->link = n->next;
    if (n->next)
        n->next->link = n->link;
    n->next = NULL;
    n->link = NULL;
    t->n_nodes--;
}

struct ssi_hash_node *ssi_hash_find(const struct ssi_hash *t, uint64_t hash)
{
    struct ssi_hash_node *n = t->buckets ? t->buckets[hash & (t->n_buckets - 1)] : NULL;
    while (n && n->hash != hash)
        n = n->next;
    return n;
}

struct ssi_hash_node *ssi_hash_next(const struct ssi_hash_node *n)
{
    uint64_t hash = n->hash;
    struct ssi_hash_node *m = n->next;
    while (m && m->hash != hash)
        m = m->next;
    return m;
}
