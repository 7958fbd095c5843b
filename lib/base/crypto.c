/* Random numbers, wiping, comparing, hashing, see crypto.h. Layer: base. */
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

static gnutls_digest_algorithm_t gnutls_name(enum ssi_digest_algorithm a)
{
    return a == SSI_DIGEST_MD5 ? GNUTLS_DIG_MD5 : GNUTLS_DIG_SHA256;
}

size_t ssi_digest_size(enum ssi_digest_algorithm a)
{
    return a == SSI_DIGEST_MD5 ? 16 : 32;
}

secsip_result ssi_digest_hex(enum ssi_digest_algorithm a, const struct ssi_slice *parts,
                             size_t n_parts, char out[2 * SSI_DIGEST_MAX + 1])
{
    static const char hex[] = "0123456789abcdef";
    uint8_t raw[SSI_DIGEST_MAX];
    gnutls_hash_hd_t h;

    int rc = gnutls_hash_init(&h, gnutls_name(a));
    if (rc < 0)
        return rc == GNUTLS_E_MEMORY_ERROR ? SECSIP_E_NOMEM : SECSIP_E_UNSUPPORTED;
    for (size_t i = 0; i < n_parts && rc >= 0; i++)
        if (parts[i].len > 0)
            rc = gnutls_hash(h, parts[i].p, parts[i].len);
    gnutls_hash_deinit(h, raw);
    if (rc < 0)
        return SECSIP_E_UNSUPPORTED;
    for (size_t i = 0; i < ssi_digest_size(a); i++) {
        out[2 * i] = hex[raw[i] >> 4];
        out[2 * i + 1] = hex[raw[i] & 15];
    }
    out[2 * ssi_digest_size(a)] = 0;
    ssi_wipe(raw, sizeof raw);
    return 0;
}
