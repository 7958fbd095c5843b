/* AES-GCM (RFC 7714) for libsrtp2, over base/aead. Layer: srtp. libsrtp2 gives IV, associated data and text in separate calls,
 * the arithmetic wants them at once: IV and associated data wait here. A cipher owns its key. */
#include <string.h>

#include <nettle/memxor.h>

#include "base/aead.h"
#include "base/crypto.h"
#include "srtp/ciphers.h"
#include "srtp/derive.h"

enum {
    SALT = 12,
    CTR_SALT = 14,
    INDEX = 4, /* of SRTCP: the second part of its associated data, RFC 7714 9.2 */
    JOINED_MAX =
        2048, /* both parts: an SRTCP packet that is not encrypted is all of the first one */
};

/* What a packet needs of it stands in one cache line, but for the salt. */
struct gcm {
    srtp_cipher_t base; /* what libsrtp2 holds */
    struct ssi_aead aead;
    const uint8_t *aad; /* libsrtp2's, in the packet; after encrypt: where the tag is */
    uint32_t aad_len;
    bool armed;  /* an IV was set and not used yet */
    bool second; /* the index is there */
    bool inside; /* lies in its session */
    uint8_t iv[SSI_AEAD_IV];
    uint8_t index[INDEX];
    uint8_t salt[SALT]; /* zeros where libsrtp2 mixes it in */
};

_Static_assert(sizeof(struct gcm) <= 80 && SSI_AEAD_IV + INDEX == SSI_AEAD_TAG,
               "iv and index together hold a tag");

static const srtp_cipher_type_t handed_out_128, handed_out_256;

/* key_len is key and salt. A tag length of 0 asks for the cipher of header extensions: the counter mode of the same key length
 * (RFC 7714 8.3), which libsrtp2 finds by itself for its own ids only. */
static const srtp_cipher_type_t *type_of(int key_len)
{
    return key_len == 16 + SALT ? &handed_out_128 : &handed_out_256;
}

static srtp_err_status_t gcm_alloc(srtp_cipher_t **ret, int key_len, int tag_len)
{
    bool inside;

    if (key_len != 16 + SALT && key_len != 32 + SALT)
        return srtp_err_status_bad_param;
    if (tag_len == 0)
        return ssi_srtp_ctr_alloc(ret, key_len - SALT + CTR_SALT, 0);
    if (tag_len != SSI_AEAD_TAG)
        return srtp_err_status_bad_param;
    struct gcm *g = ssi_srtp_take_room(sizeof *g, &inside);
    if (!g)
        return srtp_err_status_alloc_fail;
    g->inside = inside;
    g->base.type = ssi_srtp_handed_over() ? &ssi_srtp_gcm_128 : type_of(key_len);
    g->base.state = g;
    g->base.key_len = key_len;
    g->base.algorithm = (int)type_of(key_len)->id;
    *ret = &g->base;
    return srtp_err_status_ok;
}

static srtp_err_status_t gcm_dealloc(srtp_cipher_t *cipher)
{
    struct gcm *g = cipher->state;

    ssi_aead_clear(&g->aead);
    ssi_srtp_give_back(g, sizeof *g, g->inside);
    return srtp_err_status_ok;
}

static srtp_err_status_t gcm_init(void *state, const uint8_t *key)
{
    struct gcm *g = state;
    size_t key_len = (size_t)g->base.key_len - SALT;
    uint8_t right[SSI_SRTP_SESSION_KEY];

    g->armed = false;
    g->aad_len = 0;
    g->second = false;
    memset(g->salt, 0, SALT);
    if (ssi_srtp_next_cipher_key(&g->base, type_of(g->base.key_len), right)) {
        key = right;
        memcpy(g->salt, key + key_len, SALT);
    }
    secsip_result r = ssi_aead_set_key(&g->aead, key, key_len);
    if (key == right)
        ssi_wipe(right, sizeof right);
    switch (r) {
    case 0:
        ssi_srtp_note_outside(g->aead.handle);
        return srtp_err_status_ok;
    case SECSIP_E_NOMEM:
        return srtp_err_status_alloc_fail;
    default:
        return srtp_err_status_init_fail;
    }
}

/* RFC 7714 8.1. libsrtp2 mixes in the salt that it knows, which is none where keys are derived here. */
static srtp_err_status_t gcm_set_iv(void *state, uint8_t *iv, srtp_cipher_direction_t direction)
{
    struct gcm *g = state;

    (void)direction;
    memxor3(g->iv, iv, g->salt, sizeof g->iv);
    g->aad = NULL;
    g->aad_len = 0;
    g->second = false;
    g->armed = true;
    return srtp_err_status_ok;
}

/* The first part is borrowed until encrypt or decrypt: it is of the packet that is worked on. */
static srtp_err_status_t gcm_set_aad(void *state, const uint8_t *aad, uint32_t len)
{
    struct gcm *g = state;

    if (g->aad_len == 0) {
        g->aad = aad;
        g->aad_len = len;
        return srtp_err_status_ok;
    }
    if (g->second || len != INDEX || g->aad_len > JOINED_MAX - INDEX)
        return srtp_err_status_bad_param;
    memcpy(g->index, aad, INDEX);
    g->second = true;
    return srtp_err_status_ok;
}

/* Both parts, joined where there are two. */
static const uint8_t *whole_aad(const struct gcm *g, uint8_t joined[JOINED_MAX], size_t *ret_len)
{
    *ret_len = g->aad_len;
    if (!g->second)
        return g->aad;
    memcpy(joined, g->aad, g->aad_len);
    memcpy(joined + g->aad_len, g->index, INDEX);
    *ret_len += INDEX;
    return joined;
}

/* The tag is written behind the text, where libsrtp2 puts it too and asks for room, and taken from there by get_tag. Without
 * text there is no buffer: it takes the place of iv and index, which are used up. One call for one IV: a second one would use
 * the key stream again. */
static srtp_err_status_t gcm_encrypt(void *state, uint8_t *buf, unsigned int *len)
{
    struct gcm *g = state;
    uint8_t joined[JOINED_MAX], tag[SSI_AEAD_TAG];
    size_t aad_len;

    if (!g->armed || (!buf && *len > 0))
        return srtp_err_status_bad_param;
    g->armed = false;
    const uint8_t *aad = whole_aad(g, joined, &aad_len);
    if (!ssi_aead_seal(&g->aead, g->iv, aad, aad_len, buf ? buf : tag, *len))
        return srtp_err_status_cipher_fail;
    g->aad = buf ? buf + *len : g->iv;
    if (!buf) {
        memcpy(g->iv, tag, SSI_AEAD_IV);
        memcpy(g->index, tag + SSI_AEAD_IV, INDEX);
    }
    return srtp_err_status_ok;
}

static srtp_err_status_t gcm_get_tag(void *state, uint8_t *tag, uint32_t *len)
{
    struct gcm *g = state;

    if (g->aad == g->iv) {
        memcpy(tag, g->iv, SSI_AEAD_IV);
        memcpy(tag + SSI_AEAD_IV, g->index, INDEX);
    } else {
        memmove(tag, g->aad, SSI_AEAD_TAG);
    }
    *len = SSI_AEAD_TAG;
    return srtp_err_status_ok;
}

/* Gets text and tag, gives the text. */
static srtp_err_status_t gcm_decrypt(void *state, uint8_t *buf, unsigned int *len)
{
    struct gcm *g = state;
    uint8_t joined[JOINED_MAX];
    size_t aad_len;

    if (!g->armed || *len < SSI_AEAD_TAG)
        return srtp_err_status_bad_param;
    g->armed = false;
    const uint8_t *aad = whole_aad(g, joined, &aad_len);
    if (!ssi_aead_open(&g->aead, g->iv, aad, aad_len, buf, *len))
        return srtp_err_status_auth_fail;
    *len -= SSI_AEAD_TAG;
    return srtp_err_status_ok;
}

/* Test vectors: cases 4 and 16 of the GCM specification. libsrtp2 runs them when a type is added. */
static const uint8_t test_key[32 + SALT] = {
    0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c, 0x6d, 0x6a, 0x8f, 0x94, 0x67, 0x30, 0x83, 0x08,
    0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c, 0x6d, 0x6a, 0x8f, 0x94, 0x67, 0x30, 0x83, 0x08};
static uint8_t test_iv[SSI_AEAD_IV] = {0xca, 0xfe, 0xba, 0xbe, 0xfa, 0xce,
                                       0xdb, 0xad, 0xde, 0xca, 0xf8, 0x88};
static const uint8_t test_aad[20] = {0xfe, 0xed, 0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xfe, 0xed,
                                     0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xab, 0xad, 0xda, 0xd2};
static const uint8_t test_text[60] = {
    0xd9, 0x31, 0x32, 0x25, 0xf8, 0x84, 0x06, 0xe5, 0xa5, 0x59, 0x09, 0xc5, 0xaf, 0xf5, 0x26,
    0x9a, 0x86, 0xa7, 0xa9, 0x53, 0x15, 0x34, 0xf7, 0xda, 0x2e, 0x4c, 0x30, 0x3d, 0x8a, 0x31,
    0x8a, 0x72, 0x1c, 0x3c, 0x0c, 0x95, 0x95, 0x68, 0x09, 0x53, 0x2f, 0xcf, 0x0e, 0x24, 0x49,
    0xa6, 0xb5, 0x25, 0xb1, 0x6a, 0xed, 0xf5, 0xaa, 0x0d, 0xe6, 0x57, 0xba, 0x63, 0x7b, 0x39};
static const uint8_t test_out_128[76] = {
    0x42, 0x83, 0x1e, 0xc2, 0x21, 0x77, 0x74, 0x24, 0x4b, 0x72, 0x21, 0xb7, 0x84, 0xd0, 0xd4, 0x9c,
    0xe3, 0xaa, 0x21, 0x2f, 0x2c, 0x02, 0xa4, 0xe0, 0x35, 0xc1, 0x7e, 0x23, 0x29, 0xac, 0xa1, 0x2e,
    0x21, 0xd5, 0x14, 0xb2, 0x54, 0x66, 0x93, 0x1c, 0x7d, 0x8f, 0x6a, 0x5a, 0xac, 0x84, 0xaa, 0x05,
    0x1b, 0xa3, 0x0b, 0x39, 0x6a, 0x0a, 0xac, 0x97, 0x3d, 0x58, 0xe0, 0x91, 0x5b, 0xc9, 0x4f, 0xbc,
    0x32, 0x21, 0xa5, 0xdb, 0x94, 0xfa, 0xe9, 0x5a, 0xe7, 0x12, 0x1a, 0x47};
static const uint8_t test_out_256[76] = {
    0x52, 0x2d, 0xc1, 0xf0, 0x99, 0x56, 0x7d, 0x07, 0xf4, 0x7f, 0x37, 0xa3, 0x2a, 0x84, 0x42, 0x7d,
    0x64, 0x3a, 0x8c, 0xdc, 0xbf, 0xe5, 0xc0, 0xc9, 0x75, 0x98, 0xa2, 0xbd, 0x25, 0x55, 0xd1, 0xaa,
    0x8c, 0xb0, 0x8e, 0x48, 0x59, 0x0d, 0xbb, 0x3d, 0xa7, 0xb0, 0x8b, 0x10, 0x56, 0x82, 0x88, 0x38,
    0xc5, 0xf6, 0x1e, 0x63, 0x93, 0xba, 0x7a, 0x0a, 0xbc, 0xc9, 0xf6, 0x62, 0x76, 0xfc, 0x6e, 0xce,
    0x0f, 0x4e, 0x17, 0x68, 0xcd, 0xdf, 0x88, 0x53, 0xbb, 0x2d, 0x55, 0x1b};
static const srtp_cipher_test_case_t test_128 = {
    16 + SALT,    test_key,        test_iv,  sizeof test_text, test_text, 76,
    test_out_128, sizeof test_aad, test_aad, SSI_AEAD_TAG,     NULL};
static const srtp_cipher_test_case_t test_256 = {
    32 + SALT,    test_key,        test_iv,  sizeof test_text, test_text, 76,
    test_out_256, sizeof test_aad, test_aad, SSI_AEAD_TAG,     NULL};

#define GCM_TYPE(text, vectors, type_id)                                                           \
    {                                                                                              \
        .alloc = gcm_alloc, .dealloc = gcm_dealloc, .init = gcm_init, .set_aad = gcm_set_aad,      \
        .encrypt = gcm_encrypt, .decrypt = gcm_decrypt, .set_iv = gcm_set_iv,                      \
        .get_tag = gcm_get_tag, .description = text, .test_data = vectors, .id = type_id           \
    }

static const srtp_cipher_type_t handed_out_128 =
    GCM_TYPE("AES-128 GCM (libsecsip)", &test_128, SRTP_AES_GCM_128);
static const srtp_cipher_type_t handed_out_256 =
    GCM_TYPE("AES-256 GCM (libsecsip)", &test_256, SRTP_AES_GCM_256);
const srtp_cipher_type_t ssi_srtp_gcm_128 =
    GCM_TYPE("AES-128 GCM (libsecsip)", &test_128, SSI_SRTP_PRIVATE(SRTP_AES_GCM_128));
const srtp_cipher_type_t ssi_srtp_gcm_256 =
    GCM_TYPE("AES-256 GCM (libsecsip)", &test_256, SSI_SRTP_PRIVATE(SRTP_AES_GCM_256));

size_t ssi_srtp_gcm_room(void)
{
    return ssi_srtp_room_of(sizeof(struct gcm));
}
