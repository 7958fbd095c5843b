/* libsrtp2's process-wide state, and sessions of it. Layer: srtp, inside only. */
#ifndef SSI_SRTP_ENGINE_H
#define SSI_SRTP_ENGINE_H

#include "srtp/suite.h"

/* A session with any number of SSRCs in one direction. The policy is filled but for the crypto-suite: ssrc, keys and
 * window are the caller's. *stock asks for libsrtp2's own ciphers, and says afterwards whether they run. Thread-safe.
 * SECSIP_E_NOMEM, SECSIP_E_SRTP_SUITE, SECSIP_E_SRTP_LIBRARY. */
secsip_result ssi_srtp_engine_create(const struct ssi_srtp_suite_info *suite, bool *stock,
                                     srtp_policy_t *policy, srtp_t *ret);

/* The same for one SSRC more, policy->ssrc, of a session made by ssi_srtp_engine_create that said `stock`. */
secsip_result ssi_srtp_engine_add(srtp_t ctx, const struct ssi_srtp_suite_info *suite, bool stock,
                                  srtp_policy_t *policy);

/* New keys for such a session, or for one SSRC of it; packet indices go on. */
secsip_result ssi_srtp_engine_update(srtp_t ctx, const struct ssi_srtp_suite_info *suite,
                                     bool stock, srtp_policy_t *policy);

#endif
