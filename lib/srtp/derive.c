/* Keys and room for the ciphers of a session, see derive.h. Layer: srtp. Owns nothing: master keys and room stay with the
 * caller, session keys go to the ciphers. */
#include "srtp/derive.h"

#include <stdlib.h>
#include <string.h>

#include <nettle/aes.h>
#include <nettle/ctr.h>

#include "base/crypto.h"

enum {
    KEY = AES192_KEY_SIZE,
    SALT = 14
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
    current = h;
}

/* AES in counter mode from x * 2^16, x being the salt with the label at its seventh byte from the right. The key derivation
 * rate is 0, so that the packet index plays no part. */
static void derive(const uint8_t *master, uint8_t label, uint8_t *out, size_t len)
{
    struct aes192_ctx aes;
    uint8_t counter[AES_BLOCK_SIZE] = {0};

    memcpy(counter, master + KEY, SALT);
    counter[SALT - 7] ^= label;
    aes192_set_encrypt_key(&aes, master);
    memset(out, 0, len);
    ctr_crypt(&aes, (nettle_cipher_func *)aes192_encrypt, AES_BLOCK_SIZE, counter, len, out, out);
    ssi_wipe(&aes, sizeof aes);
}

bool ssi_srtp_next_cipher_key(uint8_t out[38])
{
    if (!current || !current->masters)
        return false;
    unsigned int per_key = current->extensions ? 3 : 2;
    unsigned int n = current->n_ciphers++;
    bool rtcp = n % per_key == per_key - 1;
    bool extension = current->extensions && n % per_key == 1;
    const uint8_t *master = current->masters[n / per_key]->key;
    derive(master,
           extension ? LABEL_EXTENSION
           : rtcp    ? LABEL_CIPHER + LABEL_RTCP
                     : LABEL_CIPHER,
           out, KEY);
    derive(master,
           extension ? LABEL_EXTENSION_SALT
           : rtcp    ? LABEL_SALT + LABEL_RTCP
                     : LABEL_SALT,
           out + KEY, SALT);
    return true;
}

bool ssi_srtp_next_auth_key(uint8_t out[20])
{
    if (!current || !current->masters)
        return false;
    unsigned int n = current->n_auths++;
    derive(current->masters[n / 2]->key, LABEL_AUTH + (n % 2 ? LABEL_RTCP : 0), out, 20);
    return true;
}

void *ssi_srtp_take_room(size_t n, bool *ret_inside)
{
    size_t lines = ssi_srtp_whole_lines(n);

    *ret_inside = current && current->room_len >= lines;
    if (!*ret_inside)
        return calloc(1, n);
    void *p = current->room;
    current->room += lines;
    current->room_len -= lines;
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
