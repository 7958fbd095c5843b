/* What the crypto-suites are made of, in libsrtp2's terms. Layer: srtp, inside only. */
#ifndef SSI_SRTP_SUITE_H
#define SSI_SRTP_SUITE_H

#include <srtp2/crypto_types.h>
#include <srtp2/srtp.h>

#include "srtp/srtp.h"

struct ssi_srtp_suite_info {
    const char *name;
    uint32_t cipher; /* libsrtp2's id */
    uint8_t key_len; /* master key and salt */
    uint8_t rtp_tag_len;
    uint8_t rtcp_tag_len; /* 80 bit for the _32 suites too: RFC 4568 6.2.2 */
    bool aead;
};

/* NULL for NONE and for numbers out of range. */
const struct ssi_srtp_suite_info *ssi_srtp_suite_info(enum ssi_srtp_suite suite);
/* The suite of the same cipher whose RTP has the tag that SRTCP has in both. */
const struct ssi_srtp_suite_info *ssi_srtp_suite_long(const struct ssi_srtp_suite_info *suite);

#endif
