/* AES-GCM with a 12-byte nonce and a 16-byte tag (NIST SP 800-38D; RFC 7714 for SRTP), the whole message at once and in
 * place. Layer: base. From GnuTLS and not from nettle as the other SRTP arithmetic: nettle's GCM is half as fast at 1,200
 * bytes and needs a table of 4 kB for each key. */
#ifndef SSI_BASE_AEAD_H
#define SSI_BASE_AEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "secsip/result.h"

enum {
    SSI_AEAD_IV = 12,
    SSI_AEAD_TAG = 16
};

struct ssi_aead {
    void *handle; /* NULL: no key */
};

/* key_len 16 or 32. Replaces an earlier key. SECSIP_E_INVALID, SECSIP_E_NOMEM, SECSIP_E_UNSUPPORTED. */
secsip_result ssi_aead_set_key(struct ssi_aead *a, const uint8_t *key, size_t key_len);
/* Wipes and frees the key; safe when there is none. */
void ssi_aead_clear(struct ssi_aead *a);
/* Encrypts len bytes and writes the tag behind them: buf has room for len + 16. False only when it cannot be done at all;
 * the buffer is wiped then. */
bool ssi_aead_seal(struct ssi_aead *a, const uint8_t iv[SSI_AEAD_IV], const uint8_t *aad,
                   size_t aad_len, uint8_t *buf, size_t len);
/* Decrypts len bytes, the tag being the last 16 of them. False when the tag is wrong; the buffer is wiped then. */
bool ssi_aead_open(struct ssi_aead *a, const uint8_t iv[SSI_AEAD_IV], const uint8_t *aad,
                   size_t aad_len, uint8_t *buf, size_t len);

#endif
