/* Random numbers, wiping, comparing, see crypto.h; hashing is digest.c's. Layer: base. */
#include "base/crypto.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

secsip_result ssi_random_key(void *out, size_t n)
{
    return gnutls_rnd(GNUTLS_RND_KEY, out, n) < 0 ? SECSIP_E_RANDOM : 0;
}

secsip_result ssi_random_nonce(void *out, size_t n)
{
    return gnutls_rnd(GNUTLS_RND_NONCE, out, n) < 0 ? SECSIP_E_RANDOM : 0;
}

secsip_result ssi_random_token(char *out, size_t n)
{
    /* 32 of the 36 characters: every byte gives one without bias. */
    static const char set[] = "abcdefghijkmnpqrstuvwxyz23456789";
    secsip_result r = ssi_random_nonce(out, n);

    if (r < 0)
        return r;
    for (size_t i = 0; i < n; i++)
        out[i] = set[(unsigned char)out[i] & 31];
    out[n] = 0;
    return 0;
}

void ssi_wipe(void *p, size_t n)
{
    if (n > 0)
        gnutls_memset(p, 0, n);
}

bool ssi_equal_ct(const void *a, const void *b, size_t n)
{
    return n == 0 || gnutls_memcmp(a, b, n) == 0;
}
