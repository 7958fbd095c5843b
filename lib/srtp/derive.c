/* Session keys for AES-192, see derive.h. Layer: srtp. Owns nothing: master keys stay with the caller, session keys go to the
 * ciphers. */
#include "srtp/derive.h"

#include <string.h>

#include <nettle/aes.h>
#include <nettle/ctr.h>

#include "base/crypto.h"

enum {
    KEY = AES192_KEY_SIZE,
    SALT = 14
};

/* RFC 3711 4.3.1 and 4.3.2; those of SRTCP are 3 higher. */
enum {
    LABEL_CIPHER = 0,
    LABEL_AUTH = 1,
    LABEL_SALT = 2,
    LABEL_RTCP = 3
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
    if (!current)
        return false;
    unsigned int n = current->n_ciphers++;
    uint8_t rtcp = n % 2 ? LABEL_RTCP : 0;
    derive(current->masters[n / 2]->key, LABEL_CIPHER + rtcp, out, KEY);
    derive(current->masters[n / 2]->key, LABEL_SALT + rtcp, out + KEY, SALT);
    return true;
}

bool ssi_srtp_next_auth_key(uint8_t out[20])
{
    if (!current)
        return false;
    unsigned int n = current->n_auths++;
    derive(current->masters[n / 2]->key, LABEL_AUTH + (n % 2 ? LABEL_RTCP : 0), out, 20);
    return true;
}
