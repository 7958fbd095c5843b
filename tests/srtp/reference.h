/* SRTP a second time, straight from the RFCs and with nettle alone: nothing of libsrtp2, of GnuTLS or of lib/srtp, so that an
 * error would have to be made twice. Session keys may be given directly, as the vectors of RFC 7714 want it. */
#ifndef TESTS_SRTP_REFERENCE_H
#define TESTS_SRTP_REFERENCE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <nettle/aes.h>
#include <nettle/ctr.h>
#include <nettle/gcm.h>
#include <nettle/hmac.h>

struct reference {
    size_t key_len;
    bool aead;
    size_t rtp_tag, rtcp_tag;
    struct {
        uint8_t key[32], salt[14], auth[20];
    } rtp, rtcp;
};

static void reference_ctr(const uint8_t *key, size_t key_len, const uint8_t iv[16], uint8_t *buf,
                          size_t len)
{
    uint8_t counter[16];

    memcpy(counter, iv, 16);
    if (key_len == 16) {
        struct aes128_ctx c;
        aes128_set_encrypt_key(&c, key);
        ctr_crypt(&c, (nettle_cipher_func *)aes128_encrypt, 16, counter, len, buf, buf);
    } else if (key_len == 24) {
        struct aes192_ctx c;
        aes192_set_encrypt_key(&c, key);
        ctr_crypt(&c, (nettle_cipher_func *)aes192_encrypt, 16, counter, len, buf, buf);
    } else {
        struct aes256_ctx c;
        aes256_set_encrypt_key(&c, key);
        ctr_crypt(&c, (nettle_cipher_func *)aes256_encrypt, 16, counter, len, buf, buf);
    }
}

/* RFC 3711 4.3.1 and 4.3.3 with a key derivation rate of 0; RFC 7714 11: a salt of 12 bytes is followed by zeros. */
static void reference_derive(const uint8_t *key, size_t key_len, const uint8_t *salt,
                             size_t salt_len, uint8_t label, uint8_t *out, size_t len)
{
    uint8_t iv[16] = {0};

    memcpy(iv, salt, salt_len);
    iv[7] ^= label;
    memset(out, 0, len);
    reference_ctr(key, key_len, iv, out, len);
}

static inline struct reference reference_of(const uint8_t *key, size_t key_len, bool aead,
                                            size_t rtp_tag, size_t rtcp_tag)
{
    struct reference r = {
        .key_len = key_len, .aead = aead, .rtp_tag = rtp_tag, .rtcp_tag = rtcp_tag};
    size_t salt_len = aead ? 12 : 14;
    const uint8_t *salt = key + key_len;

    reference_derive(key, key_len, salt, salt_len, 0, r.rtp.key, key_len);
    reference_derive(key, key_len, salt, salt_len, 1, r.rtp.auth, 20);
    reference_derive(key, key_len, salt, salt_len, 2, r.rtp.salt, salt_len);
    reference_derive(key, key_len, salt, salt_len, 3, r.rtcp.key, key_len);
    reference_derive(key, key_len, salt, salt_len, 4, r.rtcp.auth, 20);
    reference_derive(key, key_len, salt, salt_len, 5, r.rtcp.salt, salt_len);
    return r;
}

static void reference_put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static void reference_hmac(const uint8_t *key, const uint8_t *a, size_t a_len, const uint8_t *b,
                           size_t b_len, size_t tag_len, uint8_t *tag)
{
    struct hmac_sha1_ctx c;

    hmac_sha1_set_key(&c, 20, key);
    hmac_sha1_update(&c, a_len, a);
    hmac_sha1_update(&c, b_len, b);
    hmac_sha1_digest(&c, tag_len, tag);
}

static void reference_gcm(const uint8_t *key, size_t key_len, const uint8_t iv[12],
                          const uint8_t *aad, size_t aad_len, uint8_t *buf, size_t len)
{
    if (key_len == 16) {
        struct gcm_aes128_ctx c;
        gcm_aes128_set_key(&c, key);
        gcm_aes128_set_iv(&c, 12, iv);
        gcm_aes128_update(&c, aad_len, aad);
        gcm_aes128_encrypt(&c, len, buf, buf);
        gcm_aes128_digest(&c, 16, buf + len);
    } else {
        struct gcm_aes256_ctx c;
        gcm_aes256_set_key(&c, key);
        gcm_aes256_set_iv(&c, 12, iv);
        gcm_aes256_update(&c, aad_len, aad);
        gcm_aes256_encrypt(&c, len, buf, buf);
        gcm_aes256_digest(&c, 16, buf + len);
    }
}

/* RFC 3711 4.1.1 and 4.2, RFC 7714 8. header_len: all that is not encrypted. */
static inline size_t reference_rtp(const struct reference *r, uint8_t *p, size_t len,
                                   size_t header_len, uint32_t roc)
{
    uint8_t iv[16] = {0}, roc_bytes[4];

    reference_put32(roc_bytes, roc);
    memcpy(iv, r->rtp.salt, r->aead ? 12 : 14);
    if (r->aead) {
        for (int i = 0; i < 4; i++) {
            iv[2 + i] ^= p[8 + i];
            iv[6 + i] ^= roc_bytes[i];
        }
        iv[10] ^= p[2];
        iv[11] ^= p[3];
        reference_gcm(r->rtp.key, r->key_len, iv, p, header_len, p + header_len, len - header_len);
        return len + 16;
    }
    for (int i = 0; i < 4; i++) {
        iv[4 + i] ^= p[8 + i];
        iv[8 + i] ^= roc_bytes[i];
    }
    iv[12] ^= p[2];
    iv[13] ^= p[3];
    reference_ctr(r->rtp.key, r->key_len, iv, p + header_len, len - header_len);
    reference_hmac(r->rtp.auth, p, len, roc_bytes, 4, r->rtp_tag, p + len);
    return len + r->rtp_tag;
}

/* RFC 3711 3.4 and 4.1.1, RFC 7714 9. */
static inline size_t reference_rtcp(const struct reference *r, uint8_t *p, size_t len,
                                    uint32_t index)
{
    uint8_t iv[16] = {0}, index_bytes[4], aad[12];

    reference_put32(index_bytes, index);
    memcpy(iv, r->rtcp.salt, r->aead ? 12 : 14);
    for (int i = 0; i < 4; i++) {
        iv[(r->aead ? 2 : 4) + i] ^= p[4 + i];
        iv[(r->aead ? 8 : 10) + i] ^= index_bytes[i];
    }
    index_bytes[0] |= 0x80;
    if (r->aead) {
        memcpy(aad, p, 8);
        memcpy(aad + 8, index_bytes, 4);
        reference_gcm(r->rtcp.key, r->key_len, iv, aad, 12, p + 8, len - 8);
        memcpy(p + len + 16, index_bytes, 4);
        return len + 16 + 4;
    }
    reference_ctr(r->rtcp.key, r->key_len, iv, p + 8, len - 8);
    memcpy(p + len, index_bytes, 4);
    reference_hmac(r->rtcp.auth, p, len, index_bytes, 4, r->rtcp_tag, p + len + 4);
    return len + 4 + r->rtcp_tag;
}

#endif
