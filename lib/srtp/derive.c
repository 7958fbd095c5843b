/* Keys and room for the ciphers of a session, see derive.h. Layer: srtp. Owns nothing: master keys and room stay with the
 * caller, session keys go to the ciphers. */
#include "srtp/derive.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"

enum {
    SALT = 14, /* of the derivation; shorter ones are filled up with zeros (RFC 7714 11) */
};

/* RFC 3711 4.3.1 and 4.3.2, RFC 6904 3.1 (its salt is one higher than its key); those of SRTCP are 3 higher. */
enum {
    LABEL_CIPHER = 0,
    LABEL_AUTH = 1,
    LABEL_SALT = 2,
    LABEL_RTCP = 3,
    LABEL_EXTENSION = 6,
    LABEL_EXTENSION_SALT = 7,
};

static _Thread_local struct ssi_srtp_handover *current;

void ssi_srtp_hand_over(struct ssi_srtp_handover *h)
{
    if (current)
        ssi_wipe(&current->prf, sizeof current->prf);
    current = h;
}

bool ssi_srtp_handed_over(void)
{
    return current != NULL;
}

/* The master key of the n-th pseudo-random function, expanded. */
static const uint8_t *expand(struct ssi_srtp_handover *h, unsigned int n)
{
    const uint8_t *master = h->masters[n]->key;

    if (h->expanded == master)
        return master;
    h->expanded = master;
    if (h->key_len == AES128_KEY_SIZE)
        aes128_set_encrypt_key(&h->prf.aes128, master);
    else if (h->key_len == AES192_KEY_SIZE)
        aes192_set_encrypt_key(&h->prf.aes192, master);
    else
        aes256_set_encrypt_key(&h->prf.aes256, master);
    return master;
}

/* AES in counter mode from x * 2^16, x being the salt with the label at its seventh byte from the right. The key derivation
 * rate is 0, so that the packet index plays no part. */
static void derive(struct ssi_srtp_handover *h, unsigned int n, uint8_t label, uint8_t *out,
                   size_t len)
{
    const uint8_t *master = expand(h, n);
    uint8_t blocks[2 * AES_BLOCK_SIZE] = {0};
    size_t whole = len <= AES_BLOCK_SIZE ? AES_BLOCK_SIZE : sizeof blocks;

    memcpy(blocks, master + h->key_len, h->salt_len);
    blocks[SALT - 7] ^= label;
    memcpy(blocks + AES_BLOCK_SIZE, blocks, AES_BLOCK_SIZE);
    blocks[sizeof blocks - 1] = 1;
    if (h->key_len == AES128_KEY_SIZE)
        aes128_encrypt(&h->prf.aes128, whole, blocks, blocks);
    else if (h->key_len == AES192_KEY_SIZE)
        aes192_encrypt(&h->prf.aes192, whole, blocks, blocks);
    else
        aes256_encrypt(&h->prf.aes256, whole, blocks, blocks);
    memcpy(out, blocks, len);
    ssi_wipe(blocks, sizeof blocks);
}

/* libsrtp2 compares the types of a key's ciphers while it makes them: all show theirs with the last one. */
static void show_type(struct ssi_srtp_handover *h, bool last, srtp_cipher_t *cipher,
                      const srtp_cipher_type_t *type)
{
    if (!last) {
        h->disguised[h->n_disguised].cipher = cipher;
        h->disguised[h->n_disguised++].type = type;
        return;
    }
    cipher->type = type;
    for (unsigned int i = 0; i < h->n_disguised; i++)
        h->disguised[i].cipher->type = h->disguised[i].type;
    h->n_disguised = 0;
}

bool ssi_srtp_next_cipher_key(srtp_cipher_t *cipher, const srtp_cipher_type_t *type,
                              uint8_t out[SSI_SRTP_SESSION_KEY])
{
    struct ssi_srtp_handover *h = current;

    if (!h)
        return false;
    unsigned int per_key = h->extensions ? 3 : 2;
    unsigned int n = h->n_ciphers++;
    bool rtcp = n % per_key == per_key - 1;
    bool extension = h->extensions && n % per_key == 1;
    derive(h, n / per_key,
           extension ? LABEL_EXTENSION
           : rtcp    ? LABEL_CIPHER + LABEL_RTCP
                     : LABEL_CIPHER,
           out, h->key_len);
    memset(out + h->key_len, 0, SALT);
    derive(h, n / per_key,
           extension ? LABEL_EXTENSION_SALT
           : rtcp    ? LABEL_SALT + LABEL_RTCP
                     : LABEL_SALT,
           out + h->key_len, h->salt_len);
    show_type(h, rtcp, cipher, type);
    return true;
}

bool ssi_srtp_next_auth_key(uint8_t out[20])
{
    struct ssi_srtp_handover *h = current;

    if (!h)
        return false;
    unsigned int per_key = h->no_auth_rtp ? 1 : 2;
    unsigned int n = h->n_auths++;
    bool rtcp = n % per_key == per_key - 1;
    derive(h, n / per_key, LABEL_AUTH + (rtcp ? LABEL_RTCP : 0), out, 20);
    return true;
}

void *ssi_srtp_take_room(size_t n, bool *ret_inside)
{
    size_t whole = ssi_srtp_room_of(n);

    *ret_inside = current && current->room_len >= whole;
    if (!*ret_inside)
        return calloc(1, n);
    void *p = current->room;
    current->room += whole;
    current->room_len -= whole;
    memset(p, 0, n);
    return p;
}

void ssi_srtp_note_outside(const void *p)
{
    if (current && current->n_outside < 2)
        current->outside[current->n_outside++] = p;
}

void ssi_srtp_give_back(void *p, size_t n, bool inside)
{
    ssi_wipe(p, n);
    if (!inside)
        free(p);
}
