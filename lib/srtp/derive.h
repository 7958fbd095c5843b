/* Session keys for AES-192 (RFC 3711 4.3, RFC 6188 3). Layer: srtp, inside only.
 *
 * libsrtp2 before 2.8 derives them with AES-256 and zero bytes behind the key (cisco/libsrtp#763): two of its kind understand
 * each other, and nobody else understands them. Our ciphers take their keys from here instead. While libsrtp2 makes a
 * session, it initialises RTP cipher, RTP authenticator, RTCP cipher and RTCP authenticator for each master key in turn, on
 * the thread that asked; that is how a cipher knows which key is its own. */
#ifndef SSI_SRTP_DERIVE_H
#define SSI_SRTP_DERIVE_H

#include <stdbool.h>
#include <stdint.h>

#include <srtp2/srtp.h>

struct ssi_srtp_handover {
    srtp_master_key_t *const *masters; /* 24 bytes of key and 14 of salt each */
    unsigned int n_ciphers, n_auths;   /* initialised so far */
};

/* From here on the ciphers that this thread initialises are h's; NULL ends that. */
void ssi_srtp_hand_over(struct ssi_srtp_handover *h);
/* The session key and salt (38 bytes), or the authentication key (20 bytes), of the next cipher or authenticator. False when
 * nothing is handed over: the key that libsrtp2 gave is right. */
bool ssi_srtp_next_cipher_key(uint8_t out[38]);
bool ssi_srtp_next_auth_key(uint8_t out[20]);

#endif
