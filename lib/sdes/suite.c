/* The crypto-suites, by number and by name. Layer: sdes. */
#include "sdes/sdes.h"

static const struct ssi_suite_info suites[SSI_SUITE_COUNT] = {
    /* RFC 4568 6.2: the short tag is for RTP alone; SRTCP keeps 80 bits (RFC 3711 4.2.1). */
    [SSI_SUITE_AES_CM_128_HMAC_SHA1_80] = {"AES_CM_128_HMAC_SHA1_80", 16, 14, 10, 10, false, false},
    [SSI_SUITE_AES_CM_128_HMAC_SHA1_32] = {"AES_CM_128_HMAC_SHA1_32", 16, 14, 4, 10, false, false},
    [SSI_SUITE_AES_192_CM_HMAC_SHA1_80] = {"AES_192_CM_HMAC_SHA1_80", 24, 14, 10, 10, false,
                                           false}, /* RFC 6188 */
    [SSI_SUITE_AES_192_CM_HMAC_SHA1_32] = {"AES_192_CM_HMAC_SHA1_32", 24, 14, 4, 10, false, false},
    [SSI_SUITE_AES_256_CM_HMAC_SHA1_80] = {"AES_256_CM_HMAC_SHA1_80", 32, 14, 10, 10, false, false},
    [SSI_SUITE_AES_256_CM_HMAC_SHA1_32] = {"AES_256_CM_HMAC_SHA1_32", 32, 14, 4, 10, false, false},
    [SSI_SUITE_AEAD_AES_128_GCM] = {"AEAD_AES_128_GCM", 16, 12, 16, 16, true, false}, /* RFC 7714 */
    [SSI_SUITE_AEAD_AES_256_GCM] = {"AEAD_AES_256_GCM", 32, 12, 16, 16, true, false},
    [SSI_SUITE_NULL_HMAC_SHA1_80] = {"NULL_HMAC_SHA1_80", 16, 14, 10, 10, false, true},
    [SSI_SUITE_NULL_HMAC_SHA1_32] = {"NULL_HMAC_SHA1_32", 16, 14, 4, 10, false, true},
};

/* Spellings that RFC 6188 does not have and the field uses (sipwise/rtpengine#703, signalwire/freeswitch#1251). */
static const struct {
    const char *name;
    enum ssi_suite suite;
} spellings[] = {
    {"AES_CM_192_HMAC_SHA1_80", SSI_SUITE_AES_192_CM_HMAC_SHA1_80},
    {"AES_CM_192_HMAC_SHA1_32", SSI_SUITE_AES_192_CM_HMAC_SHA1_32},
    {"AES_CM_256_HMAC_SHA1_80", SSI_SUITE_AES_256_CM_HMAC_SHA1_80},
    {"AES_CM_256_HMAC_SHA1_32", SSI_SUITE_AES_256_CM_HMAC_SHA1_32},
};

const enum ssi_suite ssi_suite_default[SSI_SUITE_DEFAULT_COUNT] = {
    SSI_SUITE_AEAD_AES_256_GCM,        SSI_SUITE_AEAD_AES_128_GCM,
    SSI_SUITE_AES_256_CM_HMAC_SHA1_80, SSI_SUITE_AES_CM_128_HMAC_SHA1_80,
    SSI_SUITE_AES_256_CM_HMAC_SHA1_32, SSI_SUITE_AES_CM_128_HMAC_SHA1_32,
};

const struct ssi_suite_info *ssi_suite_info(enum ssi_suite s)
{
    return s > SSI_SUITE_NONE && s < SSI_SUITE_COUNT ? &suites[s] : NULL;
}

static enum ssi_suite misspelt(struct ssi_slice name)
{
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++)
        if (ssi_slice_ieq(name, ssi_slice_str(spellings[i].name)))
            return spellings[i].suite;
    return SSI_SUITE_NONE;
}

enum ssi_suite ssi_suite_of(struct ssi_slice name)
{
    /* ABNF strings compare without case (RFC 5234 2.3). */
    for (int i = SSI_SUITE_NONE + 1; i < SSI_SUITE_COUNT; i++)
        if (ssi_slice_ieq(name, ssi_slice_str(suites[i].name)))
            return (enum ssi_suite)i;
    return misspelt(name);
}

bool ssi_suite_is_misspelt(struct ssi_slice name)
{
    return misspelt(name) != SSI_SUITE_NONE;
}

const char *ssi_suite_spelling(enum ssi_suite suite)
{
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++)
        if (spellings[i].suite == suite)
            return spellings[i].name;
    return NULL;
}

static bool in_list(const enum ssi_suite *list, size_t n, enum ssi_suite s)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == s)
            return true;
    return false;
}

bool ssi_suite_allowed(enum ssi_suite suite, uint32_t allow)
{
    const struct ssi_suite_info *info = ssi_suite_info(suite);

    return info && (!info->null_cipher || (allow & SSI_SDES_NULL_CIPHER));
}

bool ssi_suite_list(struct ssi_slice text, uint32_t allow, enum ssi_suite *out, size_t cap,
                    size_t *ret_n)
{
    size_t n = 0;

    for (;;) {
        size_t comma = ssi_slice_find(text, ',');
        enum ssi_suite s = ssi_suite_of(ssi_slice_trim(ssi_slice_of(text.p, comma)));
        if (!ssi_suite_allowed(s, allow) || n == cap || in_list(out, n, s))
            return false;
        out[n++] = s;
        if (comma == text.len)
            break;
        text = ssi_slice_from(text, comma + 1);
    }
    *ret_n = n;
    return true;
}
