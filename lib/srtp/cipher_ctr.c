/* AES in counter mode as SRTP has it (RFC 3711 4.1.1, RFC 6188), for libsrtp2. Layer: srtp. A cipher owns its expanded key
 * and wipes it; the key stream never outlives a call. */
#include <stddef.h>
#include <string.h>

#include <nettle/aes.h>
#include <nettle/memxor.h>

#include "base/crypto.h"
#include "srtp/ciphers.h"
#include "srtp/derive.h"

enum {
    SALT = 14,
    BLOCK = 16,
    BATCH = 32,                 /* blocks encrypted in one call */
    STREAM_MAX = 65536 * BLOCK, /* the last 16 bits of the counter, RFC 3711 4.1.1 */
};

#define NO_IV UINT32_MAX

/* In the order in which a packet needs them; the key begins with a cache line where the session has room. */
struct ctr {
    srtp_cipher_t base; /* what libsrtp2 holds */
    bool inside;        /* lies in its session */
    bool derives;       /* its keys itself, see derive.h */
    uint32_t at;        /* bytes of the key stream used; NO_IV before the first */
    uint8_t salt[BLOCK];
    uint8_t counter[BLOCK];
    union {
        struct aes128_ctx aes128;
        struct aes192_ctx aes192;
        struct aes256_ctx aes256;
    } key; /* only as much as its kind needs */
};

static size_t size_of(int key_len)
{
    return offsetof(struct ctr, key) + (key_len == 16 + SALT   ? sizeof(struct aes128_ctx)
                                        : key_len == 24 + SALT ? sizeof(struct aes192_ctx)
                                                               : sizeof(struct aes256_ctx));
}

static const srtp_cipher_type_t *type_of(int key_len)
{
    return key_len == 16 + SALT   ? &ssi_srtp_own_ctr_128
           : key_len == 24 + SALT ? &ssi_srtp_own_ctr_192
                                  : &ssi_srtp_own_ctr_256;
}

/* key_len is key and salt; a tag length has no meaning here. */
static srtp_err_status_t allocate(srtp_cipher_t **ret, int key_len, bool derives)
{
    bool inside;

    if (key_len != 16 + SALT && key_len != 24 + SALT && key_len != 32 + SALT)
        return srtp_err_status_bad_param;
    struct ctr *c = ssi_srtp_take_room(size_of(key_len), &inside);
    if (!c)
        return srtp_err_status_alloc_fail;
    c->inside = inside;
    c->derives = derives;
    c->base.type = derives ? &ssi_srtp_ctr_128 : type_of(key_len);
    c->base.state = c;
    c->base.key_len = key_len;
    c->base.algorithm = (int)type_of(key_len)->id;
    c->at = NO_IV;
    *ret = &c->base;
    return srtp_err_status_ok;
}

srtp_err_status_t ssi_srtp_ctr_alloc(srtp_cipher_t **ret, int key_len, int tag_len)
{
    (void)tag_len;
    return allocate(ret, key_len, ssi_srtp_handed_over());
}

/* For anybody: libsrtp2's derivation of keys too, while a session of ours is made. */
static srtp_err_status_t own_alloc(srtp_cipher_t **ret, int key_len, int tag_len)
{
    (void)tag_len;
    return allocate(ret, key_len, false);
}

static srtp_err_status_t ctr_dealloc(srtp_cipher_t *cipher)
{
    struct ctr *c = cipher->state;

    ssi_srtp_give_back(c, size_of(c->base.key_len), c->inside);
    return srtp_err_status_ok;
}

static srtp_err_status_t ctr_init(void *state, const uint8_t *key)
{
    struct ctr *c = state;
    size_t key_len = (size_t)c->base.key_len - SALT;
    uint8_t right[SSI_SRTP_SESSION_KEY];

    if (c->derives && ssi_srtp_next_cipher_key(&c->base, type_of(c->base.key_len), right))
        key = right;
    memset(c->salt, 0, sizeof c->salt);
    memcpy(c->salt, key + key_len, SALT);
    c->at = NO_IV;
    if (key_len == 16)
        aes128_set_encrypt_key(&c->key.aes128, key);
    else if (key_len == 24)
        aes192_set_encrypt_key(&c->key.aes192, key);
    else
        aes256_set_encrypt_key(&c->key.aes256, key);
    if (key == right)
        ssi_wipe(right, sizeof right);
    return srtp_err_status_ok;
}

/* The IV holds SSRC and index; the first counter block is IV xor salt, its last two bytes zero. */
static srtp_err_status_t ctr_set_iv(void *state, uint8_t *iv, srtp_cipher_direction_t direction)
{
    struct ctr *c = state;

    (void)direction;
    memxor3(c->counter, c->salt, iv, BLOCK);
    c->at = 0;
    return srtp_err_status_ok;
}

static void encrypt_blocks(const struct ctr *c, size_t len, uint8_t *blocks)
{
    if (c->base.key_len == 16 + SALT)
        aes128_encrypt(&c->key.aes128, len, blocks, blocks);
    else if (c->base.key_len == 24 + SALT)
        aes192_encrypt(&c->key.aes192, len, blocks, blocks);
    else
        aes256_encrypt(&c->key.aes256, len, blocks, blocks);
}

/* Blocks of key stream from block n on: as many as fit into `stream` or are needed for len bytes. */
static size_t make_stream(const struct ctr *c, uint32_t n, size_t len,
                          uint8_t stream[BATCH * BLOCK])
{
    size_t whole = (len + BLOCK - 1) / BLOCK * BLOCK;

    if (whole > (size_t)BATCH * BLOCK)
        whole = (size_t)BATCH * BLOCK;
    for (size_t at = 0; at < whole; at += BLOCK, n++) {
        memcpy(stream + at, c->counter, BLOCK);
        stream[at + BLOCK - 2] = (uint8_t)(n >> 8);
        stream[at + BLOCK - 1] = (uint8_t)n;
    }
    encrypt_blocks(c, whole, stream);
    return whole;
}

/* Both directions. Calls with one IV go on in the key stream where the one before ended, in the middle of a block too: header
 * extensions draw theirs piece by piece (RFC 6904 3.2). No byte of it is given out twice. */
static srtp_err_status_t ctr_crypt(void *state, uint8_t *buf, unsigned int *len)
{
    struct ctr *c = state;
    uint8_t stream[BATCH * BLOCK];
    size_t left = *len, used = 0;

    if (left == 0) /* SRTCP draws a prefix of no bytes first */
        return srtp_err_status_ok;
    if (c->at == NO_IV || left > STREAM_MAX - c->at)
        return srtp_err_status_terminus;
    while (left > 0) {
        size_t skip = c->at % BLOCK;
        size_t made = make_stream(c, c->at / BLOCK, skip + left, stream);
        size_t now = left < made - skip ? left : made - skip;
        memxor(buf, stream + skip, now);
        used = used > made ? used : made;
        c->at += (uint32_t)now;
        buf += now;
        left -= now;
    }
    ssi_wipe(stream, used);
    return srtp_err_status_ok;
}

/* Test vectors: RFC 3711 B.2, RFC 6188 7.1 and 7.2. libsrtp2 runs them when a type is added. */
#define TEST_SALT 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd

static uint8_t test_iv[BLOCK];
static const uint8_t test_zeros[32];
static const uint8_t test_key_128[] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6,     0xab,
                                       0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c, TEST_SALT};
static const uint8_t test_out_128[] = {
    0xe0, 0x3e, 0xad, 0x09, 0x35, 0xc9, 0x5e, 0x80, 0xe1, 0x66, 0xb1, 0x6d, 0xd9, 0x2b, 0x4e, 0xb4,
    0xd2, 0x35, 0x13, 0x16, 0x2b, 0x02, 0xd0, 0xf7, 0x2a, 0x43, 0xa2, 0xfe, 0x4a, 0x5f, 0x97, 0xab};
static const uint8_t test_key_192[] = {0xea, 0xb2, 0x34, 0x76, 0x4e, 0x51, 0x7b,     0x2d, 0x3d,
                                       0x16, 0x0d, 0x58, 0x7d, 0x8c, 0x86, 0x21,     0x97, 0x40,
                                       0xf6, 0x5f, 0x99, 0xb6, 0xbc, 0xf7, TEST_SALT};
static const uint8_t test_out_192[] = {
    0x35, 0x09, 0x6c, 0xba, 0x46, 0x10, 0x02, 0x8d, 0xc1, 0xb5, 0x75, 0x03, 0x80, 0x4c, 0xe3, 0x7c,
    0x5d, 0xe9, 0x86, 0x29, 0x1d, 0xcc, 0xe1, 0x61, 0xd5, 0x16, 0x5e, 0xc4, 0x56, 0x8f, 0x5c, 0x9a};
static const uint8_t test_key_256[] = {0x57, 0xf8, 0x2f, 0xe3, 0x61, 0x3f,     0xd1, 0x70, 0xa8,
                                       0x5e, 0xc9, 0x3c, 0x40, 0xb1, 0xf0,     0x92, 0x2e, 0xc4,
                                       0xcb, 0x0d, 0xc0, 0x25, 0xb5, 0x82,     0x72, 0x14, 0x7c,
                                       0xc4, 0x38, 0x94, 0x4a, 0x98, TEST_SALT};
static const uint8_t test_out_256[] = {
    0x92, 0xbd, 0xd2, 0x8a, 0x93, 0xc3, 0xf5, 0x25, 0x11, 0xc6, 0x77, 0xd0, 0x8b, 0x55, 0x15, 0xa4,
    0x9d, 0xa7, 0x1b, 0x23, 0x78, 0xa8, 0x54, 0xf6, 0x70, 0x50, 0x75, 0x6d, 0xed, 0x16, 0x5b, 0xac};
static const srtp_cipher_test_case_t test_128 = {
    sizeof test_key_128, test_key_128, test_iv, 32, test_zeros, 32, test_out_128, 0, NULL, 0, NULL};
static const srtp_cipher_test_case_t test_192 = {
    sizeof test_key_192, test_key_192, test_iv, 32, test_zeros, 32, test_out_192, 0, NULL, 0, NULL};
static const srtp_cipher_test_case_t test_256 = {
    sizeof test_key_256, test_key_256, test_iv, 32, test_zeros, 32, test_out_256, 0, NULL, 0, NULL};

#define CTR_TYPE(allocator, text, vectors, type_id)                                                \
    {                                                                                              \
        .alloc = (allocator), .dealloc = ctr_dealloc, .init = ctr_init, .encrypt = ctr_crypt,      \
        .decrypt = ctr_crypt, .set_iv = ctr_set_iv, .description = text, .test_data = vectors,     \
        .id = type_id                                                                              \
    }

const srtp_cipher_type_t ssi_srtp_own_ctr_128 =
    CTR_TYPE(own_alloc, "AES-128 CTR (libsecsip)", &test_128, SRTP_AES_ICM_128);
const srtp_cipher_type_t ssi_srtp_own_ctr_192 =
    CTR_TYPE(own_alloc, "AES-192 CTR (libsecsip)", &test_192, SRTP_AES_ICM_192);
const srtp_cipher_type_t ssi_srtp_own_ctr_256 =
    CTR_TYPE(own_alloc, "AES-256 CTR (libsecsip)", &test_256, SRTP_AES_ICM_256);
const srtp_cipher_type_t ssi_srtp_ctr_128 = CTR_TYPE(ssi_srtp_ctr_alloc, "AES-128 CTR (libsecsip)",
                                                     &test_128, SSI_SRTP_PRIVATE(SRTP_AES_ICM_128));
const srtp_cipher_type_t ssi_srtp_ctr_192 = CTR_TYPE(ssi_srtp_ctr_alloc, "AES-192 CTR (libsecsip)",
                                                     &test_192, SSI_SRTP_PRIVATE(SRTP_AES_ICM_192));
const srtp_cipher_type_t ssi_srtp_ctr_256 = CTR_TYPE(ssi_srtp_ctr_alloc, "AES-256 CTR (libsecsip)",
                                                     &test_256, SSI_SRTP_PRIVATE(SRTP_AES_ICM_256));

size_t ssi_srtp_ctr_room(uint32_t id)
{
    size_t n = size_of((id == SRTP_AES_ICM_128 ? 16 : id == SRTP_AES_ICM_192 ? 24 : 32) + SALT);

    return ssi_srtp_room_of(n);
}
