/* AES-GCM, see aead.h. Layer: base; beside crypto.c the one file of base with GnuTLS. GnuTLS owns the key. */
#include "base/aead.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "base/crypto.h"

secsip_result ssi_aead_set_key(struct ssi_aead *a, const uint8_t *key, size_t key_len)
{
    gnutls_datum_t datum = {(unsigned char *)key, (unsigned int)key_len};
    gnutls_aead_cipher_hd_t handle;

    if (key_len != 16 && key_len != 32)
        return SECSIP_E_INVALID;
    int rc = gnutls_aead_cipher_init(
        &handle, key_len == 16 ? GNUTLS_CIPHER_AES_128_GCM : GNUTLS_CIPHER_AES_256_GCM, &datum);
    if (rc < 0)
        return rc == GNUTLS_E_MEMORY_ERROR ? SECSIP_E_NOMEM : SECSIP_E_UNSUPPORTED;
    ssi_aead_clear(a);
    a->handle = handle;
    return 0;
}

void ssi_aead_clear(struct ssi_aead *a)
{
    if (a->handle)
        gnutls_aead_cipher_deinit(a->handle);
    a->handle = NULL;
}

bool ssi_aead_seal(struct ssi_aead *a, const uint8_t iv[SSI_AEAD_IV], const uint8_t *aad,
                   size_t aad_len, uint8_t *buf, size_t len)
{
    size_t sealed = len + SSI_AEAD_TAG;

    if (a->handle && gnutls_aead_cipher_encrypt(a->handle, iv, SSI_AEAD_IV, aad, aad_len,
                                                SSI_AEAD_TAG, buf, len, buf, &sealed) >= 0)
        return true;
    ssi_wipe(buf, len + SSI_AEAD_TAG);
    return false;
}

bool ssi_aead_open(struct ssi_aead *a, const uint8_t iv[SSI_AEAD_IV], const uint8_t *aad,
                   size_t aad_len, uint8_t *buf, size_t len)
{
    size_t opened = len;

    if (a->handle && len >= SSI_AEAD_TAG &&
        gnutls_aead_cipher_decrypt(a->handle, iv, SSI_AEAD_IV, aad, aad_len, SSI_AEAD_TAG, buf, len,
                                   buf, &opened) >= 0)
        return true;
    /* GnuTLS decrypts before it compares the tag. */
    ssi_wipe(buf, len);
    return false;
}
