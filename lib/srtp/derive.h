/* What our ciphers are told behind libsrtp2's back while it makes a session. Layer: srtp, inside only.
 *
 * Session keys (RFC 3711 4.3, RFC 6188 3, RFC 7714 11): our ciphers and authenticators derive their own. libsrtp2 would do it with
 * the AES of its build, which takes 9 us where that is NSS, and before 2.8 wrongly for AES-192 (cisco/libsrtp#763). It cannot
 * be told not to; but from a cipher whose type it does not know it asks no salt, so that it derives two values less. Each cipher
 * shows its type when the last of its master key is made: from then on libsrtp2 looks at it.
 * libsrtp2 initialises RTP cipher, the cipher of header extensions if there is one, RTP authenticator if there is one, RTCP
 * cipher and RTCP authenticator for each master key in turn, on the thread that asked; that is how a cipher knows which key
 * is its own. engine.c proves it with a packet of each kind before it is relied on.
 *
 * Room: ciphers that lie in the memory of their session, in this order, are fetched while libsrtp2 still looks for them. With
 * thousands of sessions that is half of what a packet costs. */
#ifndef SSI_SRTP_DERIVE_H
#define SSI_SRTP_DERIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nettle/aes.h>
#include <srtp2/cipher.h>
#include <srtp2/srtp.h>

enum {
    SSI_SRTP_SESSION_KEY = 32 + 14 /* key and salt of a cipher, at most */
};

struct ssi_srtp_handover {
    srtp_master_key_t *const *masters; /* key_len bytes of key and salt_len of salt each */
    uint8_t key_len, salt_len;         /* 16, 24 or 32, and 14 or 12 */
    bool extensions;                   /* header extensions have a cipher, RFC 6904 */
    bool no_auth_rtp;                  /* RTP has no authenticator of ours */
    unsigned int n_ciphers, n_auths;   /* initialised so far */
    const uint8_t *expanded;           /* the master key that `prf` holds */
    union {
        struct aes128_ctx aes128;
        struct aes192_ctx aes192;
        struct aes256_ctx aes256;
    } prf;
    struct {
        srtp_cipher_t *cipher;
        const srtp_cipher_type_t *type;
    } disguised[2]; /* ciphers of this master key that have not shown their type yet */
    unsigned int n_disguised;
    uint8_t *room; /* a multiple of 16; moves on as it is taken */
    size_t room_len;
    const void *outside
        [2]; /* what the first ciphers of SRTP and SRTCP have elsewhere, to be fetched early */
    unsigned int n_outside;
};

/* From here on the ciphers that this thread makes are h's; NULL ends that, and wipes what h derived from. */
void ssi_srtp_hand_over(struct ssi_srtp_handover *h);
bool ssi_srtp_handed_over(void);
/* The session key of the next cipher and, right behind it, its salt, filled up to 14 bytes with zeros. `cipher` gets that type
 * when libsrtp2 may see it. False when nothing is handed over: the key that libsrtp2 gave is right. */
bool ssi_srtp_next_cipher_key(srtp_cipher_t *cipher, const srtp_cipher_type_t *type,
                              uint8_t out[SSI_SRTP_SESSION_KEY]);
/* The same for the key of the next authenticator. */
bool ssi_srtp_next_auth_key(uint8_t out[20]);
/* n bytes, zeroed: in the session where there is room (*ret_inside), else on the heap. NULL: out of memory. */
void *ssi_srtp_take_room(size_t n, bool *ret_inside);
static inline size_t ssi_srtp_room_of(size_t n)
{
    return (n + 15) / 16 * 16;
}
/* A cipher has its key there. */
void ssi_srtp_note_outside(const void *p);
/* Wipes, and frees what is on the heap. */
void ssi_srtp_give_back(void *p, size_t n, bool inside);

#endif
