/* The table of crypto-suites (RFC 4568 6.2, RFC 6188 2, RFC 7714 14.1). Layer: srtp. */
#include "srtp/suite.h"

static const struct ssi_srtp_suite_info suites[] = {
    [SSI_SRTP_AES_CM_128_HMAC_SHA1_80] = {"AES_CM_128_HMAC_SHA1_80", SRTP_AES_ICM_128, 30, 10, 10,
                                          false},
    [SSI_SRTP_AES_CM_128_HMAC_SHA1_32] = {"AES_CM_128_HMAC_SHA1_32", SRTP_AES_ICM_128, 30, 4, 10,
                                          false},
    [SSI_SRTP_AES_192_CM_HMAC_SHA1_80] = {"AES_192_CM_HMAC_SHA1_80", SRTP_AES_ICM_192, 38, 10, 10,
                                          false},
    [SSI_SRTP_AES_192_CM_HMAC_SHA1_32] = {"AES_192_CM_HMAC_SHA1_32", SRTP_AES_ICM_192, 38, 4, 10,
                                          false},
    [SSI_SRTP_AES_256_CM_HMAC_SHA1_80] = {"AES_256_CM_HMAC_SHA1_80", SRTP_AES_ICM_256, 46, 10, 10,
                                          false},
    [SSI_SRTP_AES_256_CM_HMAC_SHA1_32] = {"AES_256_CM_HMAC_SHA1_32", SRTP_AES_ICM_256, 46, 4, 10,
                                          false},
    [SSI_SRTP_AEAD_AES_128_GCM] = {"AEAD_AES_128_GCM", SRTP_AES_GCM_128, 28, 16, 16, true},
    [SSI_SRTP_AEAD_AES_256_GCM] = {"AEAD_AES_256_GCM", SRTP_AES_GCM_256, 44, 16, 16, true},
};

const struct ssi_srtp_suite_info *ssi_srtp_suite_info(enum ssi_srtp_suite suite)
{
    size_t i = (size_t)suite;

    return i < sizeof suites / sizeof suites[0] && suites[i].name ? &suites[i] : NULL;
}

const struct ssi_srtp_suite_info *ssi_srtp_suite_long(const struct ssi_srtp_suite_info *suite)
{
    return suite->rtp_tag_len == suite->rtcp_tag_len ? suite : suite - 1;
}

enum ssi_srtp_suite ssi_srtp_suite_of(struct ssi_slice name)
{
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++)
        if (suites[i].name && ssi_slice_eq(name, ssi_slice_str(suites[i].name)))
            return (enum ssi_srtp_suite)i;
    return SSI_SRTP_NONE;
}

size_t ssi_srtp_key_len(enum ssi_srtp_suite suite)
{
    const struct ssi_srtp_suite_info *info = ssi_srtp_suite_info(suite);

    return info ? info->key_len : 0;
}
