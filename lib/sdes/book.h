/* The keys of ours that were ever made in a call, as salted hashes: one that comes from the peer would serve two directions.
 * Layer: sdes. One book is shared by the sessions of a call (its media lines, and the branches of a fork), and freed with the
 * last of them; they are used by one thread. */
#ifndef SSI_SDES_BOOK_H
#define SSI_SDES_BOOK_H

#include <stdbool.h>

#include "base/secret.h"

enum {
    SSI_SDES_BOOK_MAX = 16384 /* keys; a call that made more makes no further ones */
};

struct ssi_sdes_book;

/* SECSIP_E_NOMEM, SECSIP_E_RANDOM. */
secsip_result ssi_sdes_book_new(struct ssi_sdes_book **ret);
/* NULL is legal for both. */
struct ssi_sdes_book *ssi_sdes_book_ref(struct ssi_sdes_book *b);
void ssi_sdes_book_unref(struct ssi_sdes_book *b);
/* Before the key is told to anybody. SECSIP_E_NOMEM, SECSIP_E_LIMIT. */
secsip_result ssi_sdes_book_add(struct ssi_sdes_book *b, const struct ssi_key *key);
/* false for NULL. */
bool ssi_sdes_book_has(const struct ssi_sdes_book *b, const struct ssi_key *key);

#endif
