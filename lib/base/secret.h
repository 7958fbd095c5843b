/* Secrets of fixed size: SRTP master keys and salts, passwords, HA1 values. Layer: base. A secret is wiped when it is
 * freed, never printed, compared in constant time, and never given to realloc. */
#ifndef SSI_BASE_SECRET_H
#define SSI_BASE_SECRET_H

#include "base/slice.h"
#include "secsip/result.h"

/* In place, for keys: the largest is AES-256-CM, 32 + 14 bytes (RFC 6188). */
enum {
    SSI_KEY_MAX = 46
};

struct ssi_key {
    uint8_t bytes[SSI_KEY_MAX];
    uint8_t len;
};

void ssi_key_wipe(struct ssi_key *k);
/* Constant time for equal lengths. */
bool ssi_key_eq(const struct ssi_key *a, const struct ssi_key *b);

/* A NUL-terminated secret text on the heap (passwords). NULL for NULL or when memory is out. */
char *ssi_secret_dup(const char *s);
/* Wipes and frees; NULL is legal. */
void ssi_secret_free(char *s);

#endif
