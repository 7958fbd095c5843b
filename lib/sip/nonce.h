/* The nonces of a digest server (RFC 7616 3.3): made of the time, a number and a keyed digest, so that none is stored until
 * somebody has proved a password with it; from then on, which nc values came with it. Layer: sip; private to lib/sip.
 * Owned by struct ssi_sip_auth_server. */
#ifndef SSI_SIP_NONCE_H
#define SSI_SIP_NONCE_H

#include "sip/digest.h"

enum {
    SSI_SIP_NONCE_TIME = 16,
    SSI_SIP_NONCE_NUMBER = 16,
    SSI_SIP_NONCE_MAC = 32,
    SSI_SIP_NONCE_TEXT = SSI_SIP_NONCE_TIME + SSI_SIP_NONCE_NUMBER + SSI_SIP_NONCE_MAC,
};

/* A nonce as it is read. */
struct ssi_sip_nonce {
    uint64_t made_s;
    uint64_t number;
};

enum ssi_sip_nonce_state {
    SSI_SIP_NONCE_GOOD,
    SSI_SIP_NONCE_OLD,    /* or never ours */
    SSI_SIP_NONCE_FAILED, /* no digest or no memory to be had */
};

/* A fresh one. Errors of ssi_digest_hex. */
secsip_result ssi_sip_nonce_make(struct ssi_sip_auth_server *s, struct ssi_slice realm,
                                 uint64_t now_s, char out[SSI_SIP_NONCE_TEXT + 1]);
enum ssi_sip_nonce_state ssi_sip_nonce_check(const struct ssi_sip_auth_server *s,
                                             struct ssi_slice realm, struct ssi_slice text,
                                             uint64_t now_s, struct ssi_sip_nonce *ret);
/* Notes that credentials with this nc were good. OLD when they were used before (RFC 7616 3.4: a replay), by another request
 * than this one: a request that was forked on its way comes several times. Up to 63 numbers may come late. */
enum ssi_sip_nonce_state ssi_sip_nonce_use(struct ssi_sip_auth_server *s,
                                           const struct ssi_sip_nonce *nonce, uint32_t nc,
                                           const struct ssi_sip_msg *req, uint64_t now_s);

#endif
