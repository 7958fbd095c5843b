/* Intrusive hash table, chained, keyed by SipHash-2-4 with a random key per table, so that a peer cannot choose
 * colliding names. Layer: base. The table owns its bucket array only; nodes live in their owners.
 *
 *     for (struct ssi_hash_node *n = ssi_hash_find(&t, h); n; n = ssi_hash_next(n)) { compare; }  */
#ifndef SSI_BASE_HASH_H
#define SSI_BASE_HASH_H

#include "base/slice.h"
#include "secsip/result.h"

struct ssi_hash_node {
    struct ssi_hash_node *next;
    struct ssi_hash_node **link; /* the pointer that points here; NULL when in no table */
    uint64_t hash;
};

struct ssi_hash {
    struct ssi_hash_node **buckets;
    size_t n_buckets; /* a power of two */
    size_t n_nodes;
    uint64_t key[2];
};

/* SECSIP_E_NOMEM or SECSIP_E_RANDOM. */
secsip_result ssi_hash_init(struct ssi_hash *t);
/* The nodes must be gone or about to be freed by their owners. */
void ssi_hash_free(struct ssi_hash *t);
uint64_t ssi_hash_of(const struct ssi_hash *t, const void *p, size_t len);
/* Goes on from an earlier value, for keys of several parts. */
uint64_t ssi_hash_mix(const struct ssi_hash *t, uint64_t seed, const void *data, size_t len);
/* Never fails: when the bucket array cannot grow, chains grow longer instead. */
void ssi_hash_add(struct ssi_hash *t, struct ssi_hash_node *n, uint64_t hash);
/* Safe on a zeroed or removed node. */
void ssi_hash_remove(struct ssi_hash *t, struct ssi_hash_node *n);
/* The first node with this hash, or NULL; then the next one with the same hash. */
struct ssi_hash_node *ssi_hash_find(const struct ssi_hash *t, uint64_t hash);
struct ssi_hash_node *ssi_hash_next(const struct ssi_hash_node *n);

#endif
