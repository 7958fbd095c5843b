/* Two legs of a call and the packets between them: unprotected with the key of one, protected with that of the other.
 * Layer: srtp. Sessions are the caller's. */
#ifndef SSI_SRTP_BRIDGE_H
#define SSI_SRTP_BRIDGE_H

#include "srtp/srtp.h"

struct ssi_srtp_bridge {
    struct ssi_srtp *from, *to;
    /* Sees clear packets; NULL: nobody does. Consent is the caller's business, and asked for where a program sets this. */
    void (*tap)(void *arg, bool rtcp, const uint8_t *packet, size_t len);
    void *arg;
};

/* SECSIP_E_INVALID (a wrong direction), SECSIP_E_SRTP_REUSE (one key on both legs: its key stream would be used twice). */
secsip_result ssi_srtp_bridge_check(const struct ssi_srtp *from, const struct ssi_srtp *to);
/* In place. What fails on either leg leaves nothing in clear. */
secsip_result ssi_srtp_bridge_pass(struct ssi_srtp_bridge *b, bool rtcp, uint8_t *packet,
                                   size_t *len, size_t cap);

#endif
