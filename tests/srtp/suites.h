/* What a build is for: with -DSECSIP_STOCK_CIPHERS=ON every session has libsrtp2's own ciphers, and before libsrtp2 2.8 there is no
 * AES-192 among them (cisco/libsrtp#763). */
#ifndef TESTS_SRTP_SUITES_H
#define TESTS_SRTP_SUITES_H

#include <stdbool.h>

#include "srtp/srtp.h"

#ifdef SECSIP_STOCK_CIPHERS
enum {
    BUILT_STOCK = 1
};
#else
enum {
    BUILT_STOCK = 0
};
#endif

/* The suite behind this one that the build has: for (int s = 1; s <= SSI_SRTP_AEAD_AES_256_GCM; s = next_suite(s)). */
static inline int next_suite(int suite)
{
    suite++;
    return BUILT_STOCK && (suite == SSI_SRTP_AES_192_CM_HMAC_SHA1_80 ||
                           suite == SSI_SRTP_AES_192_CM_HMAC_SHA1_32)
               ? SSI_SRTP_AES_256_CM_HMAC_SHA1_80
               : suite;
}

#endif
