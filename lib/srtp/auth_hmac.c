/* HMAC-SHA1 (RFC 2104, RFC 3711 4.2.1) for libsrtp2. Layer: srtp. The states after the inner and the outer pad are kept, so
 * that a packet costs two compressions less; only the states, because with thousands of sessions the memory that a packet
 * touches is what it costs. An authenticator owns its key and wipes it. */
#include <stdbool.h>
#include <string.h>

#include <nettle/sha1.h>

#include "base/crypto.h"
#include "srtp/ciphers.h"
#include "srtp/derive.h"

enum {
    STATE_WORDS = SHA1_DIGEST_SIZE / 4
};

struct hmac {
    srtp_auth_t base; /* what libsrtp2 holds */
    bool inside;      /* lies in its session */
    uint32_t inner[STATE_WORDS], outer[STATE_WORDS];
    struct sha1_ctx sha1; /* of the packet that is worked on */
};

static srtp_err_status_t mac_alloc(srtp_auth_t **ret, int key_len, int tag_len)
{
    bool inside;

    if (key_len < 0 || tag_len < 0 || tag_len > SHA1_DIGEST_SIZE)
        return srtp_err_status_bad_param;
    struct hmac *h = ssi_srtp_take_room(sizeof *h, &inside);
    if (!h)
        return srtp_err_status_alloc_fail;
    h->inside = inside;
    h->base.type = &ssi_srtp_own_hmac_sha1;
    h->base.state = h;
    h->base.key_len = key_len;
    h->base.out_len = tag_len;
    *ret = &h->base;
    return srtp_err_status_ok;
}

static srtp_err_status_t mac_dealloc(srtp_auth_t *auth)
{
    struct hmac *h = auth->state;

    ssi_srtp_give_back(h, sizeof *h, h->inside);
    return srtp_err_status_ok;
}

/* The state after the first block, a pad xored with the key. */
static void key_state(const uint8_t *key, size_t key_len, uint8_t pad, uint32_t state[STATE_WORDS])
{
    uint8_t block[SHA1_BLOCK_SIZE];
    struct sha1_ctx sha1;

    memset(block, pad, sizeof block);
    for (size_t i = 0; i < key_len; i++)
        block[i] ^= key[i];
    sha1_init(&sha1);
    sha1_update(&sha1, sizeof block, block);
    memcpy(state, sha1.state, sizeof sha1.state);
    ssi_wipe(block, sizeof block);
    ssi_wipe(&sha1, sizeof sha1);
}

/* Goes on from there. */
static void resume(struct sha1_ctx *sha1, const uint32_t state[STATE_WORDS])
{
    memcpy(sha1->state, state, sizeof sha1->state);
    sha1->count = 1; /* block */
    sha1->index = 0;
}

static srtp_err_status_t mac_start(void *state)
{
    struct hmac *h = state;

    resume(&h->sha1, h->inner);
    return srtp_err_status_ok;
}

static srtp_err_status_t mac_init(void *state, const uint8_t *key, int key_len)
{
    struct hmac *h = state;
    uint8_t right[20];

    if (key_len < 0 || key_len > SHA1_BLOCK_SIZE)
        return srtp_err_status_bad_param;
    if (key_len == sizeof right && ssi_srtp_next_auth_key(right))
        key = right;
    key_state(key, (size_t)key_len, 0x36, h->inner);
    key_state(key, (size_t)key_len, 0x5c, h->outer);
    ssi_wipe(right, sizeof right);
    return mac_start(state);
}

static srtp_err_status_t mac_update(void *state, const uint8_t *bytes, int len)
{
    struct hmac *h = state;

    if (len < 0)
        return srtp_err_status_bad_param;
    sha1_update(&h->sha1, (size_t)len, bytes);
    return srtp_err_status_ok;
}

/* The outer hash: one block, of a pad that is hashed already, the inner digest, and SHA-1's own ending (FIPS 180-4 5.1.1). */
static void outer_digest(const uint32_t outer[STATE_WORDS], const uint8_t inside[SHA1_DIGEST_SIZE],
                         size_t tag_len, uint8_t *tag)
{
    enum {
        BITS = (SHA1_BLOCK_SIZE + SHA1_DIGEST_SIZE) * 8
    };
    uint8_t block[SHA1_BLOCK_SIZE] = {0};
    uint32_t state[STATE_WORDS];

    memcpy(block, inside, SHA1_DIGEST_SIZE);
    block[SHA1_DIGEST_SIZE] = 0x80;
    block[SHA1_BLOCK_SIZE - 2] = BITS >> 8;
    block[SHA1_BLOCK_SIZE - 1] = BITS & 0xff;
    memcpy(state, outer, sizeof state);
    nettle_sha1_compress(state, block);
    for (size_t i = 0; i < tag_len; i++)
        tag[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
}

static srtp_err_status_t mac_compute(void *state, const uint8_t *bytes, int len, int tag_len,
                                     uint8_t *tag)
{
    struct hmac *h = state;
    uint8_t inside[SHA1_DIGEST_SIZE];

    if (tag_len < 0 || tag_len > SHA1_DIGEST_SIZE || mac_update(state, bytes, len))
        return srtp_err_status_bad_param;
    sha1_digest(&h->sha1, sizeof inside, inside);
    outer_digest(h->outer, inside, (size_t)tag_len, tag);
    return mac_start(state);
}

/* RFC 2202, test case 1. */
static const uint8_t test_key[20] = {11, 11, 11, 11, 11, 11, 11, 11, 11, 11,
                                     11, 11, 11, 11, 11, 11, 11, 11, 11, 11};
static const uint8_t test_text[8] = {'H', 'i', ' ', 'T', 'h', 'e', 'r', 'e'};
static const uint8_t test_tag[20] = {0xb6, 0x17, 0x31, 0x86, 0x55, 0x05, 0x72, 0x64, 0xe2, 0x8b,
                                     0xc0, 0xb6, 0xfb, 0x37, 0x8c, 0x8e, 0xf1, 0x46, 0xbe, 0x00};
static const srtp_auth_test_case_t test = {
    sizeof test_key, test_key, sizeof test_text, test_text, sizeof test_tag, test_tag, NULL};

#define HMAC_TYPE(type_id)                                                                         \
    {                                                                                              \
        .alloc = mac_alloc, .dealloc = mac_dealloc, .init = mac_init, .compute = mac_compute,      \
        .update = mac_update, .start = mac_start, .description = "HMAC-SHA1 (libsecsip)",          \
        .test_data = &test, .id = type_id                                                          \
    }

const srtp_auth_type_t ssi_srtp_own_hmac_sha1 = HMAC_TYPE(SRTP_HMAC_SHA1);
const srtp_auth_type_t ssi_srtp_hmac_sha1 = HMAC_TYPE(SSI_SRTP_PRIVATE(SRTP_HMAC_SHA1));

size_t ssi_srtp_hmac_room(void)
{
    return ssi_srtp_room_of(sizeof(struct hmac));
}
