/* Digests, see crypto.h. Layer: base. GnuTLS has MD5 and SHA-256, and knows where the system forbids MD5; it has no SHA-512/256,
 * so that one is nettle's. */
#include "base/crypto.h"

#include <gnutls/crypto.h>
#include <nettle/sha2.h>

size_t ssi_digest_size(enum ssi_digest_algorithm a)
{
    return a == SSI_DIGEST_MD5 ? 16 : 32;
}

static secsip_result by_gnutls(gnutls_digest_algorithm_t a, const struct ssi_slice *parts,
                               size_t n_parts, uint8_t *out)
{
    gnutls_hash_hd_t h;

    int rc = gnutls_hash_init(&h, a);
    if (rc < 0)
        return rc == GNUTLS_E_MEMORY_ERROR ? SECSIP_E_NOMEM : SECSIP_E_UNSUPPORTED;
    for (size_t i = 0; i < n_parts && rc >= 0; i++)
        if (parts[i].len > 0)
            rc = gnutls_hash(h, parts[i].p, parts[i].len);
    gnutls_hash_deinit(h, out);
    return rc < 0 ? SECSIP_E_UNSUPPORTED : 0;
}

/* FIPS 180-4 5.3.6.2: SHA-512 with other initial values, cut to 256 bits. */
static void by_nettle(const struct ssi_slice *parts, size_t n_parts, uint8_t *out)
{
    struct sha512_256_ctx ctx;

    sha512_256_init(&ctx);
    for (size_t i = 0; i < n_parts; i++)
        if (parts[i].len > 0)
            sha512_256_update(&ctx, parts[i].len, (const uint8_t *)parts[i].p);
    sha512_256_digest(&ctx, SHA512_256_DIGEST_SIZE, out);
    ssi_wipe(&ctx, sizeof ctx);
}

secsip_result ssi_digest_hex(enum ssi_digest_algorithm a, const struct ssi_slice *parts,
                             size_t n_parts, char out[2 * SSI_DIGEST_MAX + 1])
{
    static const char hex[] = "0123456789abcdef";
    uint8_t raw[SSI_DIGEST_MAX];
    secsip_result r = 0;

    if (a == SSI_DIGEST_SHA512_256)
        by_nettle(parts, n_parts, raw);
    else
        r = by_gnutls(a == SSI_DIGEST_MD5 ? GNUTLS_DIG_MD5 : GNUTLS_DIG_SHA256, parts, n_parts,
                      raw);
    if (r < 0)
        return r;
    for (size_t i = 0; i < ssi_digest_size(a); i++) {
        out[2 * i] = hex[raw[i] >> 4];
        out[2 * i + 1] = hex[raw[i] & 15];
    }
    out[2 * ssi_digest_size(a)] = 0;
    ssi_wipe(raw, sizeof raw);
    return 0;
}
