/* What our ciphers are told behind libsrtp2's back while it makes a session. Layer: srtp, inside only.
 *
 * Session keys for AES-192 (RFC 3711 4.3, RFC 6188 3): libsrtp2 before 2.8 derives them with AES-256 and zero bytes behind
 * the key (cisco/libsrtp#763): two of its kind understand each other, and nobody else understands them. Our ciphers take
 * their keys from here instead. libsrtp2 initialises RTP cipher, RTP authenticator, the cipher of header extensions if there
 * is one, RTCP cipher and RTCP authenticator for each master key in turn, on the thread that asked; that is how a cipher knows which
 * key is its own.
 *
 * Room: ciphers that lie in the memory of their session, in this order, are fetched while libsrtp2 still looks for them. With
 * thousands of sessions that is half of what a packet costs. */
#ifndef SSI_SRTP_DERIVE_H
#define SSI_SRTP_DERIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <srtp2/srtp.h>

struct ssi_srtp_handover {
    srtp_master_key_t *const *masters; /* 24 bytes of key and 14 of salt each; NULL: no keys */
    bool extensions;                   /* header extensions have a cipher, RFC 6904 */
    unsigned int n_ciphers, n_auths;   /* initialised so far */
    uint8_t *room;                     /* a multiple of 64; moves on as it is taken */
    size_t room_len;
    const void *outside
        [2]; /* what the first ciphers of SRTP and SRTCP have elsewhere, to be fetched early */
    unsigned int n_outside;
};

/* From here on the ciphers that this thread makes are h's; NULL ends that. */
void ssi_srtp_hand_over(struct ssi_srtp_handover *h);
/* The session key and salt (38 bytes), or the authentication key (20 bytes), of the next cipher or authenticator. False when
 * nothing is handed over: the key that libsrtp2 gave is right. */
bool ssi_srtp_next_cipher_key(uint8_t out[38]);
bool ssi_srtp_next_auth_key(uint8_t out[20]);
/* n bytes, zeroed: in the session where there is room (*ret_inside), else on the heap. NULL: out of memory. */
void *ssi_srtp_take_room(size_t n, bool *ret_inside);
static inline size_t ssi_srtp_whole_lines(size_t n)
{
    return (n + 63) / 64 * 64;
}
/* A cipher has its key there. */
void ssi_srtp_note_outside(const void *p);
/* Wipes, and frees what is on the heap. */
void ssi_srtp_give_back(void *p, size_t n, bool inside);

#endif
