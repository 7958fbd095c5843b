/* libsrtp2's process-wide state, and sessions of it. Layer: srtp, inside only. */
#ifndef SSI_SRTP_ENGINE_H
#define SSI_SRTP_ENGINE_H

#include "srtp/suite.h"

/* Memory of ours that ciphers may lie in (derive.h); none: they lie on the heap. `outside` is where the first ciphers of SRTP
 * and SRTCP have what does not, set by those who take it. */
struct ssi_srtp_room {
    uint8_t *at;
    size_t len;
    const void *outside[2];
};

/* The suite and what of it is left out (RFC 4568 6.3.2 to 6.3.4). */
struct ssi_srtp_form {
    const struct ssi_srtp_suite_info *suite;
    bool clear_rtp, clear_rtcp, no_auth_rtp;
};

/* A session with any number of SSRCs in one direction. The policy is filled but for the crypto-suite: ssrc, keys and
 * window are the caller's. *stock asks for libsrtp2's own ciphers, and says afterwards whether they run. Thread-safe.
 * SECSIP_E_NOMEM, SECSIP_E_SRTP_SUITE, SECSIP_E_SRTP_LIBRARY. */
secsip_result ssi_srtp_engine_create(struct ssi_srtp_form form, bool *stock, srtp_policy_t *policy,
                                     struct ssi_srtp_room *room, srtp_t *ret);

/* The same for one SSRC more, policy->ssrc, of a session made by ssi_srtp_engine_create that said `stock`. */
secsip_result ssi_srtp_engine_add(srtp_t ctx, struct ssi_srtp_form form, bool stock,
                                  srtp_policy_t *policy);

/* New keys for such a session, or for one SSRC of it; packet indices go on. */
secsip_result ssi_srtp_engine_update(srtp_t ctx, struct ssi_srtp_form form, bool stock,
                                     srtp_policy_t *policy, struct ssi_srtp_room *room);

/* For the whole process: libsrtp2's own AES counter mode and HMAC-SHA1 become ours, for everybody and for the derivation of
 * keys. Not its GCM: others may use it with tags that ours does not make. Once, before there are threads. SECSIP_E_SRTP_LIBRARY. */
secsip_result ssi_srtp_engine_replace(void);

/* How much room the ciphers and authenticators of one master key take: RTP first, then RTCP, the same for each. */
size_t ssi_srtp_engine_room(const struct ssi_srtp_suite_info *suite);

#endif
