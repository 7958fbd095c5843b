/* One side of a negotiation, step by step, against text: descriptions of one audio line. For the tests of lib/sdes. */
#ifndef SDES_TALK_H
#define SDES_TALK_H

#include "test.h"

#include <stdio.h>

#include "sdes/sdes.h"

#define KEY30        "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
#define KEY30_B      "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"
#define S80          "AES_CM_128_HMAC_SHA1_80 "
#define S32          "AES_CM_128_HMAC_SHA1_32 "
#define CRYPTO(rest) "a=crypto:" rest "\r\n"
#define HEAD         "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"

static const struct ssi_sdes_config mandatory = {
    .policy = SSI_SDES_MANDATORY,
    .suites = {SSI_SUITE_AES_CM_128_HMAC_SHA1_80, SSI_SUITE_AES_CM_128_HMAC_SHA1_32},
    .n_suites = 2,
};

static inline struct ssi_sdes_config with_policy(enum ssi_sdes_policy policy)
{
    struct ssi_sdes_config c = mandatory;

    c.policy = policy;
    return c;
}

/* One audio line with the profile and the lines behind it; the caller frees it. */
static inline struct ssi_sdp *describe(const char *profile, const char *lines)
{
    char text[8192];
    struct ssi_sdp *s = NULL;

    (void)snprintf(text, sizeof text, HEAD "m=audio 4000 %s 0\r\n%s", profile, lines);
    if (ssi_sdp_parse(ssi_slice_str(text), NULL, NULL, &s) < 0)
        fail_msg("%s", text);
    return s;
}

struct result {
    secsip_result r;
    const struct ssi_sdes_agreed *agreed;
    const char *why;
    const char *profile;
    char written[4096];
};

static inline struct result offer(struct ssi_sdes_session *s)
{
    struct result out = {.why = ""};
    struct ssi_buf b;

    ssi_buf_init_secret(&b, 4000);
    out.r = ssi_sdes_put_offer(s, &b);
    memcpy(out.written, b.data ? (char *)b.data : "", b.len);
    out.profile = ssi_sdes_offer_profile(s);
    ssi_buf_free(&b);
    return out;
}

static inline struct result take(struct ssi_sdes_session *s, const char *profile, const char *lines)
{
    struct result out = {.why = NULL};
    struct ssi_sdp *sdp = describe(profile, lines);

    out.r = ssi_sdes_take_answer(s, sdp, 0, &out.agreed, &out.why);
    assert_non_null(out.why);
    ssi_sdp_free(sdp);
    return out;
}

static inline struct result answer(struct ssi_sdes_session *s, const char *profile,
                                   const char *lines)
{
    struct result out = {.why = NULL};
    struct ssi_sdp *sdp = describe(profile, lines);
    struct ssi_buf b;

    ssi_buf_init_secret(&b, 4000);
    out.r = ssi_sdes_answer(s, sdp, 0, &b, &out.profile, &out.agreed, &out.why);
    memcpy(out.written, b.data ? (char *)b.data : "", b.len);
    assert_non_null(out.why);
    ssi_buf_free(&b);
    ssi_sdp_free(sdp);
    return out;
}

/* A fresh offerer that has offered; answerer that has seen nothing. */
static inline struct ssi_sdes_session offered(const struct ssi_sdes_config *config)
{
    struct ssi_sdes_session s;

    ssi_sdes_session_init(&s, config);
    assert_int_equal(offer(&s).r, 0);
    return s;
}

#endif
