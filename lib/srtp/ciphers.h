/* Our ciphers for libsrtp2: AES counter mode and HMAC-SHA1 by nettle, AES-GCM by base/aead. Layer: srtp, inside only.
 *
 * libsrtp2 lets a program add a type under an id that it does not know. Ours are added under private ids, so that every
 * other user of libsrtp2 in the process keeps the stock types. Each exists as two tables: the one that is registered, and
 * the one that its alloc hands out with the cipher, under libsrtp2's own id: libsrtp2 looks at that id to choose the form
 * of the IV and the AEAD path. While a session is made a cipher has the first (derive.h), from then on the second. */
#ifndef SSI_SRTP_CIPHERS_H
#define SSI_SRTP_CIPHERS_H

#include <srtp2/auth.h>
#include <srtp2/cipher.h>

/* "SS" and libsrtp2's own id. */
#define SSI_SRTP_PRIVATE(id) (0x53530000U | (id))

extern const srtp_cipher_type_t ssi_srtp_ctr_128, ssi_srtp_ctr_192, ssi_srtp_ctr_256;
extern const srtp_cipher_type_t ssi_srtp_gcm_128, ssi_srtp_gcm_256;
extern const srtp_auth_type_t ssi_srtp_hmac_sha1;
/* The tables under libsrtp2's own ids. */
extern const srtp_cipher_type_t ssi_srtp_own_ctr_128, ssi_srtp_own_ctr_192, ssi_srtp_own_ctr_256;
extern const srtp_auth_type_t ssi_srtp_own_hmac_sha1;

/* Memory that they take in a session. */
size_t ssi_srtp_ctr_room(uint32_t id); /* libsrtp2's id */
size_t ssi_srtp_gcm_room(void);
size_t ssi_srtp_hmac_room(void);

/* An AES counter mode cipher for key_len bytes of key and salt. */
srtp_err_status_t ssi_srtp_ctr_alloc(srtp_cipher_t **ret, int key_len, int tag_len);

#endif
