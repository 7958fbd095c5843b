/* What every layer needs of cryptography: random numbers, wiping, comparing, hashing.
 * Layer: base. What base needs of GnuTLS (crypto.c: random, wipe; digest.c: MD5 and SHA-256) and of nettle (digest.c). */
#ifndef SSI_BASE_CRYPTO_H
#define SSI_BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "secsip/result.h"

/* For keys and everything that must stay secret. SECSIP_E_RANDOM. */
secsip_result ssi_random_key(void *out, size_t n);
/* For values that must only be unpredictable: tags, branches, nonces, SSRCs. SECSIP_E_RANDOM. */
secsip_result ssi_random_nonce(void *out, size_t n);
/* n characters of [a-z0-9] and a NUL: out has n + 1 bytes. For tags, branches, Call-IDs. SECSIP_E_RANDOM. */
secsip_result ssi_random_token(char *out, size_t n);
/* Not optimised away. */
void ssi_wipe(void *p, size_t n);
/* Takes the same time wherever the difference is. */
bool ssi_equal_ct(const void *a, const void *b, size_t n);

enum ssi_digest_algorithm {
    SSI_DIGEST_MD5,
    SSI_DIGEST_SHA256,
    SSI_DIGEST_SHA512_256,
};

enum {
    SSI_DIGEST_MAX = 32
};

/* Bytes of a digest: 16 or 32. */
size_t ssi_digest_size(enum ssi_digest_algorithm a);
/* The digest of the parts one after the other, as 2 * size lower-case hexadecimal characters and a NUL. SECSIP_E_NOMEM,
 * or SECSIP_E_UNSUPPORTED where the system forbids the algorithm (FIPS mode and MD5). */
secsip_result ssi_digest_hex(enum ssi_digest_algorithm a, const struct ssi_slice *parts,
                             size_t n_parts, char out[2 * SSI_DIGEST_MAX + 1]);

#endif
