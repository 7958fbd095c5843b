/* The three ways in which SRTP is offered where it is optional: RTP/AVP with a=crypto (RFC 8643, in test_session.c), two media
 * lines, and a potential configuration (RFC 5939); as offerer and as answerer. And what peers do otherwise, by name. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "sdes/capneg.h"
#include "sdes/sdes.h"

#define KEY30   "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
#define KEY30_B "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"
#define S80     "AES_CM_128_HMAC_SHA1_80 "
#define S32     "AES_CM_128_HMAC_SHA1_32 "
#define HEAD    "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define AVP     "m=audio 4000 RTP/AVP 0\r\n"
#define SAVP    "m=audio 4000 RTP/SAVP 0\r\n"

static struct ssi_sdes_config optional(enum ssi_sdes_style style)
{
    return (struct ssi_sdes_config){
        .policy = SSI_SDES_OPTIONAL,
        .suites = {SSI_SUITE_AES_CM_128_HMAC_SHA1_80, SSI_SUITE_AES_CM_128_HMAC_SHA1_32},
        .n_suites = 2,
        .style = style,
    };
}

static struct ssi_sdes_config with_policy(enum ssi_sdes_policy policy)
{
    struct ssi_sdes_config c = optional(SSI_SDES_STYLE_AVP);

    c.policy = policy;
    return c;
}

/* Everything from the first m= line on. */
static struct ssi_sdp *read_sdp(const char *media)
{
    char text[8192];
    struct ssi_sdp *s = NULL;

    (void)snprintf(text, sizeof text, HEAD "%s", media);
    if (ssi_sdp_parse(ssi_slice_str(text), NULL, NULL, &s) < 0)
        fail_msg("%s", text);
    return s;
}

static void offer(struct ssi_sdes_session *s, char out[4096])
{
    struct ssi_buf b;

    ssi_buf_init_secret(&b, 4000);
    assert_int_equal(ssi_sdes_put_offer(s, &b), 0);
    memcpy(out, b.data, b.len);
    out[b.len] = 0;
    ssi_buf_free(&b);
}

static secsip_result take(struct ssi_sdes_session *s, const char *media)
{
    struct ssi_sdp *sdp = read_sdp(media);
    const struct ssi_sdes_agreed *agreed;
    const char *why = NULL;
    secsip_result r = ssi_sdes_take_answer(s, sdp, 0, &agreed, &why);

    assert_non_null(why);
    assert_true((r < 0) == (why[0] != 0));
    ssi_sdp_free(sdp);
    return r;
}

struct answered {
    secsip_result r;
    char written[4096];
    const char *profile;
};

static struct answered answer(struct ssi_sdes_session *s, const char *media)
{
    struct answered out = {.profile = ""};
    struct ssi_sdp *sdp = read_sdp(media);
    const struct ssi_sdes_agreed *agreed;
    const char *why;
    struct ssi_buf b;

    ssi_buf_init_secret(&b, 4000);
    out.r = ssi_sdes_answer(s, sdp, 0, &b, &out.profile, &agreed, &why);
    if (b.len > 0)
        memcpy(out.written, b.data, b.len);
    ssi_buf_free(&b);
    ssi_sdp_free(sdp);
    return out;
}

static bool is_secure(const struct ssi_sdes_session *s)
{
    return s->has_agreed && s->agreed.suite != SSI_SUITE_NONE;
}

static struct ssi_sdes_session offered(enum ssi_sdes_style style, char out[4096])
{
    struct ssi_sdes_config c = optional(style);
    struct ssi_sdes_session s;

    ssi_sdes_session_init(&s, &c);
    offer(&s, out);
    return s;
}

/* ---- two media lines */
static void two_lines_are_offered_and_one_of_them_answered(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        secsip_result result;
        enum ssi_suite suite;
        uint32_t line;
    } rows[] = {
        {SAVP "a=crypto:1 " S80 "inline:" KEY30 "\r\nm=audio 0 RTP/AVP 0\r\n", 0,
         SSI_SUITE_AES_CM_128_HMAC_SHA1_80, 0},
        {"m=audio 0 RTP/SAVP 0\r\n" AVP, 0, SSI_SUITE_NONE, 1},
        /* Both taken: the secure one counts. */
        {SAVP "a=crypto:2 " S32 "inline:" KEY30 "\r\n" AVP, 0, SSI_SUITE_AES_CM_128_HMAC_SHA1_32,
         0},
        {"m=audio 0 RTP/SAVP 0\r\nm=audio 0 RTP/AVP 0\r\n", SECSIP_E_SDP_MEDIA, 0, 0},
        {SAVP "a=crypto:1 " S80 "inline:" KEY30 "\r\n", SECSIP_E_SDP_MEDIA, 0, 0},
        /* A secure line that is no good is no reason to take the other one. */
        {SAVP "a=crypto:1 " S80 "inline:QUJD\r\n" AVP, SECSIP_E_SDES_KEY_LENGTH, 0, 0},
        {SAVP AVP, SECSIP_E_SDES_NO_CRYPTO, 0, 0},
        {AVP "m=audio 0 RTP/AVP 0\r\n", SECSIP_E_SDES_CLEAR_PROFILE, 0, 0},
        {"m=audio 0 RTP/SAVP 0\r\n" AVP "a=crypto:1 " S80 "inline:" KEY30 "\r\n", SECSIP_E_SDES_TAG,
         0, 0},
        {"m=audio 0 RTP/SAVP 0\r\n" SAVP "a=crypto:1 " S80 "inline:" KEY30 "\r\n",
         SECSIP_E_SDES_TAG, 0, 0},
    };
    char text[4096];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ssi_sdes_session s = offered(SSI_SDES_STYLE_TWO_LINES, text);
        assert_string_equal(s.offered, "RTP/SAVP");
        secsip_result r = take(&s, rows[i].answer);
        if (r != rows[i].result)
            fail_msg("row %zu: %s", i, secsip_result_name(r));
        assert_int_equal(s.has_agreed, r == 0);
        if (r == 0) {
            assert_int_equal(s.agreed.suite, rows[i].suite);
            assert_int_equal(s.agreed.line, rows[i].line);
            assert_int_equal(s.agreed.quirks, 0);
            assert_null(ssi_sdes_offer_profile_of(&s, 1)); /* settled: one line from now on */
        }
        ssi_sdes_session_wipe(&s);
    }
}

static void two_lines_have_profiles_of_their_own(void **state)
{
    (void)state;
    struct ssi_sdes_config c = optional(SSI_SDES_STYLE_TWO_LINES);
    struct ssi_sdes_session s;

    ssi_sdes_session_init(&s, &c);
    assert_string_equal(ssi_sdes_offer_profile_of(&s, 0), "RTP/SAVP");
    assert_string_equal(ssi_sdes_offer_profile_of(&s, 1), "RTP/AVP");
    assert_null(ssi_sdes_offer_profile_of(&s, 2));
    s.config.policy = SSI_SDES_MANDATORY; /* the style is a matter of OPTIONAL only */
    assert_string_equal(ssi_sdes_offer_profile_of(&s, 0), "RTP/SAVP");
    assert_null(ssi_sdes_offer_profile_of(&s, 1));
    s.config.policy = SSI_SDES_OPTIONAL;
    s.config.style = SSI_SDES_STYLE_SAVP;
    assert_string_equal(ssi_sdes_offer_profile_of(&s, 0), "RTP/SAVP");
    assert_null(ssi_sdes_offer_profile_of(&s, 1));
}

static bool any(const struct ssi_sdp *sdp, uint32_t media, const void *arg)
{
    (void)arg;
    return sdp->media[media].port > 0;
}

/* Which line of an offer is answered: the secure one wherever it stands, and none in clear beside a broken one. */
static void the_secure_line_of_an_offer_is_chosen(void **state)
{
    (void)state;
    static const struct {
        enum ssi_sdes_policy policy;
        const char *offer;
        secsip_result result;
        uint32_t media;
        const char *profile;
    } rows[] = {
        {SSI_SDES_OPTIONAL, AVP SAVP "a=crypto:1 " S80 "inline:" KEY30 "\r\n", 0, 1, "RTP/SAVP"},
        {SSI_SDES_MANDATORY, AVP SAVP "a=crypto:1 " S80 "inline:" KEY30 "\r\n", 0, 1, "RTP/SAVP"},
        {SSI_SDES_OFF, SAVP "a=crypto:1 " S80 "inline:" KEY30 "\r\n" AVP, 0, 1, "RTP/AVP"},
        {SSI_SDES_OPTIONAL, SAVP "a=crypto:1 X inline:" KEY30 "\r\n" AVP, 0, 1, "RTP/AVP"},
        {SSI_SDES_OPTIONAL, SAVP AVP, 0, 1, "RTP/AVP"},
        {SSI_SDES_OPTIONAL, SAVP "a=crypto:1 " S80 "inline:QUJD\r\n" AVP, SECSIP_E_SDES_KEY_LENGTH,
         0, ""},
        {SSI_SDES_OPTIONAL, AVP SAVP "a=crypto:1 " S80 "inline:QUJD\r\n", SECSIP_E_SDES_KEY_LENGTH,
         0, ""},
        {SSI_SDES_MANDATORY, AVP AVP, SECSIP_E_SDES_CLEAR_PROFILE, 0, ""},
        /* The same keys under both lines, as some do: the first of them is answered. */
        {SSI_SDES_OPTIONAL,
         SAVP "a=crypto:1 " S80 "inline:" KEY30 "\r\n" AVP "a=crypto:1 " S80 "inline:" KEY30 "\r\n",
         0, 0, "RTP/SAVP"},
        {SSI_SDES_OPTIONAL, "m=audio 0 RTP/AVP 0\r\n", SECSIP_E_SDP_MEDIA, 0, ""},
        {SSI_SDES_MANDATORY,
         AVP "a=tcap:1 RTP/SAVP\r\na=acap:1 crypto:1 " S80 "inline:" KEY30
             "\r\na=pcfg:1 t=1 a=1\r\n",
         0, 0, "RTP/SAVP"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ssi_sdes_config c = with_policy(rows[i].policy);
        struct ssi_sdes_session s, before;
        struct ssi_sdp *sdp = read_sdp(rows[i].offer);
        const char *profile = "", *why = NULL;
        uint32_t media = 0;
        ssi_sdes_session_init(&s, &c);
        before = s;
        secsip_result r = ssi_sdes_choose_media(&s, sdp, any, NULL, &media, &profile, &why);
        if (r != rows[i].result || strcmp(profile, rows[i].profile) != 0)
            fail_msg("row %zu: %s %s %s", i, secsip_result_name(r), profile, why);
        assert_true((r < 0) == (why[0] != 0));
        if (r == 0)
            assert_int_equal(media, rows[i].media);
        assert_memory_equal(&before, &s, sizeof s);
        ssi_sdp_free(sdp);
    }
}

/* ---- RFC 5939 */
#define TCAP "a=tcap:1 RTP/SAVPF RTP/SAVP RTP/AVPF\r\n"
#define ACAP "a=acap:1 crypto:1 " S80 "inline:" KEY30 "|2^20|1:4\r\n"

/* The example of RFC 5939 4.1, its FEC_ORDER left out: that is a parameter which is not done. */
static void rfc5939_section_4_1_is_answered(void **state)
{
    (void)state;
    static const char example[] =
        "m=audio 53456 RTP/AVP 0 18\r\n" TCAP ACAP "a=acap:2 rtcp-fb:0 nack\r\n"
        "a=pcfg:1 t=1 a=1,[2]\r\na=pcfg:2 t=2 a=1\r\na=pcfg:3 t=3 a=[2]\r\n";
    static const enum ssi_sdes_policy policies[] = {SSI_SDES_MANDATORY, SSI_SDES_OPTIONAL};

    for (int i = 0; i < 2; i++) {
        struct ssi_sdes_config c = with_policy(policies[i]);
        struct ssi_sdes_session s;
        ssi_sdes_session_init(&s, &c);
        struct answered w = answer(&s, example);
        assert_int_equal(w.r, 0);
        assert_string_equal(w.profile, "RTP/SAVPF");
        assert_memory_equal(w.written, "a=crypto:1 " S80 "inline:", 42);
        /* The optional feedback is not done, so it is not named. */
        assert_non_null(strstr(w.written, "\r\na=acfg:1 t=1 a=1\r\n"));
        assert_int_equal(s.agreed.rx.mki_len, 4);
        /* Offered again unchanged, no key changes; the next offer of ours is plain RTP/SAVPF. */
        struct ssi_sdes_agreed before = s.agreed;
        assert_int_equal(answer(&s, example).r, 0);
        assert_memory_equal(&before, &s.agreed, sizeof before);
        assert_string_equal(ssi_sdes_offer_profile(&s), "RTP/SAVPF");
        ssi_sdes_session_wipe(&s);
    }
}

/* SSI_CAPNEG_ATTRS_MAX capabilities of one configuration are looked for, and no more. */
#define N9   "9,9,9,9,9,9,9,9,9"
#define N63  N9 "," N9 "," N9 "," N9 "," N9 "," N9 "," N9
#define MANY "a=pcfg:1 t=2 a=1,[" N63

static const struct {
    const char *offer; /* behind an RTP/AVP line */
    secsip_result result;
    const char *profile; /* of the answer, for 0 */
    const char *acfg;    /* what the answer ends with, "" for the actual configuration */
} potentials[] = {
    /* Lync: the crypto lines stand in the media line itself, and the potential configuration changes the transport. */
    {"a=tcap:1 RTP/SAVP\r\na=crypto:2 " S80 "inline:" KEY30 "\r\na=pcfg:1 t=1\r\n", 0, "RTP/SAVP",
     "a=acfg:1 t=1\r\n"},
    /* By number, not by place; alternatives in their order. */
    {"a=pcfg:2 t=2 a=1\r\na=pcfg:1 t=1|2 a=9|1\r\n" TCAP ACAP, 0, "RTP/SAVPF",
     "a=acfg:1 t=1 a=1\r\n"},
    {TCAP ACAP "a=pcfg:5 t=2 a=-m:1\r\na=crypto:1 " S80 "inline:" KEY30_B "\r\n", 0, "RTP/SAVP",
     "a=acfg:5 t=2 a=-m:1\r\n"},
    {TCAP "a=acap:1 crypto:1 X inline:" KEY30 "\r\na=acap:2 crypto:2 " S32 "inline:" KEY30_B
          "\r\na=pcfg:1 t=2 a=1|2\r\n",
     0, "RTP/SAVP", "a=acfg:1 t=2 a=2\r\n"},
    {TCAP ACAP "a=pcfg:1 t=2 a=[1]\r\n", 0, "RTP/SAVP", "a=acfg:1 t=2 a=[1]\r\n"},
    {TCAP ACAP MANY "]\r\n", 0, "RTP/SAVP", "a=acfg:1 t=2 a=1\r\n"},
    {TCAP ACAP MANY ",9]\r\n", 0, "RTP/AVP", ""},
    {TCAP ACAP "a=pcfg:1 t=2 a=1 x=y\r\n", 0, "RTP/SAVP", "a=acfg:1 t=2 a=1\r\n"},
    {"a=creq:cap-v0\r\n" TCAP ACAP "a=pcfg:1 t=2 a=1\r\n", 0, "RTP/SAVP", "a=acfg:1 t=2 a=1\r\n"},
    /* What cannot be taken leaves the media line as it stands. */
    {TCAP ACAP "a=pcfg:1 t=2 a=1 +x=y\r\n", 0, "RTP/AVP", ""},
    {TCAP ACAP "a=pcfg:1 t=4 a=1\r\n", 0, "RTP/AVP", ""},
    {TCAP ACAP "a=pcfg:1 t=2 a=1,2\r\n", 0, "RTP/AVP", ""},
    {TCAP ACAP "a=acap:2 key-mgmt:mikey AAAA\r\na=pcfg:1 t=2 a=1,2\r\n", 0, "RTP/AVP", ""},
    {TCAP ACAP
     "a=pcfg:0 t=2 a=1\r\na=pcfg:2147483648 t=2 a=1\r\na=pcfg:x\r\na=pcfg:1 t=2 t=2 a=1\r\n",
     0, "RTP/AVP", ""},
    {TCAP ACAP "a=pcfg:1 t=3 a=1\r\n", 0, "RTP/AVP", ""},
    {TCAP ACAP "a=pcfg:1 a=1\r\n", 0, "RTP/AVP", ""},
    {TCAP ACAP
     "a=pcfg:1 t=2 a=1,\r\na=pcfg:2 t=2 a=\r\na=pcfg:3 t=2 a=[1\r\na=pcfg:4 t=2 a=-x:1\r\n",
     SECSIP_E_SDES_NO_CRYPTO, NULL, NULL},
    {TCAP "a=acap:1 crypto:1 X inline:" KEY30 "\r\na=pcfg:1 t=2 a=1\r\n", 0, "RTP/AVP", ""},
    /* SRTP was wanted and its keys are no good: clear media are no way out. */
    {TCAP "a=acap:1 crypto:1 " S80 "inline:QUJD\r\na=pcfg:1 t=2 a=1\r\n", SECSIP_E_SDES_KEY_LENGTH,
     NULL, NULL},
    {TCAP "a=pcfg:1 t=2\r\n", SECSIP_E_SDES_NO_CRYPTO, NULL, NULL},
    /* Of the optional ones those that are used. */
    {TCAP ACAP "a=acap:2 key-mgmt:mikey AAAA\r\na=pcfg:1 t=2 a=[2,1,7]\r\n", 0, "RTP/SAVP",
     "a=acfg:1 t=2 a=[1]\r\n"},
    {TCAP ACAP "a=acap:2 crypto:2 " S32 "inline:" KEY30_B
               "\r\na=acap:3 ptime:20\r\na=pcfg:1 t=2 a=-m:2,[3,1]\r\n",
     0, "RTP/SAVP", "a=acfg:1 t=2 a=-m:2,[1]\r\n"},
    {TCAP ACAP "a=pcfg:0000000007 t=02 a=01\r\n", 0, "RTP/SAVP", "a=acfg:7 t=2 a=01\r\n"},
    {TCAP ACAP "a=pcfg:00000000007 t=2 a=1\r\n", 0, "RTP/AVP", ""},
};

/* What is required is not done here: as if nothing of it stood there, and the answer says what is (RFC 5939 3.3.2). */
static void capabilities_that_need_more_are_not_looked_at(void **state)
{
    struct ssi_sdes_config c = optional(SSI_SDES_STYLE_AVP);
    struct ssi_sdes_session s;

    (void)state;
    ssi_sdes_session_init(&s, &c);
    struct answered w = answer(&s, AVP TCAP ACAP "a=pcfg:1 t=2 a=1\r\na=creq:cap-v0,med-v0\r\n");
    assert_int_equal(w.r, 0);
    assert_string_equal(w.profile, "RTP/AVP");
    assert_string_equal(w.written, "a=csup:cap-v0\r\n");
    assert_false(is_secure(&s));
    ssi_sdes_session_wipe(&s);
    /* The media line has a key of its own. */
    ssi_sdes_session_init(&s, &c);
    w = answer(&s, AVP "a=creq:med-v0\r\na=crypto:4 " S80 "inline:" KEY30_B "\r\n" TCAP ACAP);
    assert_int_equal(w.r, 0);
    assert_true(is_secure(&s));
    assert_int_equal(strncmp(w.written, "a=crypto:4 ", 11), 0);
    assert_non_null(strstr(w.written, "\r\na=csup:cap-v0\r\n"));
    ssi_sdes_session_wipe(&s);
    /* Required SRTP does not take less for it. */
    c = with_policy(SSI_SDES_MANDATORY);
    ssi_sdes_session_init(&s, &c);
    assert_int_equal(answer(&s, AVP TCAP ACAP "a=pcfg:1 t=2 a=1\r\na=creq:med-v0\r\n").r,
                     SECSIP_E_SDES_CLEAR_PROFILE);
    ssi_sdes_session_wipe(&s);
}

static void potential_configurations_row_by_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof potentials / sizeof *potentials; i++) {
        char media[4096];
        struct ssi_sdes_config c = optional(SSI_SDES_STYLE_AVP);
        struct ssi_sdes_session s;
        (void)snprintf(media, sizeof media, AVP "%s", potentials[i].offer);
        ssi_sdes_session_init(&s, &c);
        struct answered w = answer(&s, media);
        if (w.r != potentials[i].result)
            fail_msg("row %zu: %s", i, secsip_result_name(w.r));
        if (w.r < 0) {
            ssi_sdes_session_wipe(&s);
            continue;
        }
        size_t len = strlen(potentials[i].acfg);
        size_t written = strlen(w.written);
        if (strcmp(w.profile, potentials[i].profile) != 0 || written < len ||
            strcmp(w.written + written - len, potentials[i].acfg) != 0 ||
            is_secure(&s) != (len > 0))
            fail_msg("row %zu: %s %s", i, w.profile, w.written);
        /* Required SRTP takes the same ones, and nothing in their place. */
        c = with_policy(SSI_SDES_MANDATORY);
        ssi_sdes_session_wipe(&s);
        ssi_sdes_session_init(&s, &c);
        assert_int_equal(answer(&s, media).r < 0, len == 0);
        /* Where SRTP is off the media line stands for itself. */
        c = with_policy(SSI_SDES_OFF);
        ssi_sdes_session_wipe(&s);
        ssi_sdes_session_init(&s, &c);
        w = answer(&s, media);
        assert_int_equal(w.r, 0);
        assert_string_equal(w.profile, "RTP/AVP");
        assert_string_equal(w.written, "");
    }
}

static void a_capability_of_the_session_holds_transports_but_no_key(void **state)
{
    (void)state;
    struct ssi_sdes_config c = optional(SSI_SDES_STYLE_AVP);
    struct ssi_sdp *sdp = NULL;
    struct ssi_sdes_session s;
    const char *profile = NULL, *why;
    uint32_t media;

    ssi_sdes_session_init(&s, &c);
    assert_int_equal(
        ssi_sdp_parse(SSI_LIT(HEAD "a=tcap:1 RTP/SAVP\r\n" AVP ACAP "a=pcfg:1 t=1 a=1\r\n"), NULL,
                      NULL, &sdp),
        0);
    assert_int_equal(ssi_sdes_choose_media(&s, sdp, any, NULL, &media, &profile, &why), 0);
    assert_string_equal(profile, "RTP/SAVP");
    ssi_sdp_free(sdp);
    /* One key for all media lines would be a two-time pad. */
    assert_int_equal(
        ssi_sdp_parse(SSI_LIT(HEAD "a=tcap:1 RTP/SAVP\r\n" ACAP AVP "a=pcfg:1 t=1 a=1\r\n"), NULL,
                      NULL, &sdp),
        0);
    assert_int_equal(ssi_sdes_choose_media(&s, sdp, any, NULL, &media, &profile, &why), 0);
    assert_string_equal(profile, "RTP/AVP");
    ssi_sdp_free(sdp);
}

static void a_key_of_a_capability_stands_once(void **state)
{
    (void)state;
    struct ssi_sdes_config c = with_policy(SSI_SDES_MANDATORY);
    struct ssi_sdes_session s;
    struct ssi_sdp *sdp =
        read_sdp("m=video 4000 RTP/AVP 31\r\na=tcap:1 RTP/SAVP\r\n" ACAP "a=pcfg:1 t=1 a=1\r\n" SAVP
                 "a=crypto:1 " S80 "inline:" KEY30 "\r\n");
    const struct ssi_sdes_agreed *agreed;
    const char *profile, *why;
    struct ssi_buf b;

    ssi_sdes_session_init(&s, &c);
    ssi_buf_init_secret(&b, 4000);
    assert_int_equal(ssi_sdes_answer(&s, sdp, 1, &b, &profile, &agreed, &why),
                     SECSIP_E_SDES_KEY_WEAK);
    ssi_buf_free(&b);
    ssi_sdp_free(sdp);
}

static void a_potential_configuration_is_offered(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        secsip_result result;
        enum ssi_suite suite;
        uint32_t quirks;
    } rows[] = {
        {SAVP "a=crypto:1 " S80 "inline:" KEY30 "\r\na=acfg:1 t=1 a=1\r\n", 0,
         SSI_SUITE_AES_CM_128_HMAC_SHA1_80, 0},
        {SAVP "a=crypto:2 " S32 "inline:" KEY30 "\r\na=acfg:1 t=1 a=2\r\n", 0,
         SSI_SUITE_AES_CM_128_HMAC_SHA1_32, 0},
        {AVP, 0, SSI_SUITE_NONE, 0},
        /* Without a=acfg it is RTP/SAVP in answer to RTP/AVP. */
        {SAVP "a=crypto:1 " S80 "inline:" KEY30 "\r\n", 0, SSI_SUITE_AES_CM_128_HMAC_SHA1_80,
         SSI_SDES_QUIRK_PROFILE},
        {SAVP "a=crypto:1 " S80 "inline:" KEY30 "\r\na=acfg:1 t=1 a=2\r\n", SECSIP_E_SDES_PARAM, 0,
         0},
        {SAVP "a=crypto:1 " S80 "inline:" KEY30 "\r\na=acfg:2 t=1 a=1\r\n", SECSIP_E_SDES_PARAM, 0,
         0},
        {SAVP "a=crypto:1 " S80 "inline:" KEY30 "\r\na=acfg:1 t=2 a=1\r\n", SECSIP_E_SDES_PARAM, 0,
         0},
        {SAVP "a=crypto:1 " S80 "inline:" KEY30 "\r\na=acfg:x\r\n", SECSIP_E_SDES_PARAM, 0, 0},
        {SAVP "a=crypto:3 " S80 "inline:" KEY30 "\r\na=acfg:1 t=1 a=3\r\n", SECSIP_E_SDES_TAG, 0,
         0},
        {SAVP "a=acfg:1 t=1 a=1\r\n", SECSIP_E_SDES_NO_CRYPTO, 0, 0},
        {AVP "a=acfg:1 t=1 a=1\r\n", SECSIP_E_SDES_PARAM, 0, 0},
        {AVP "a=crypto:1 " S80 "inline:" KEY30 "\r\n", SECSIP_E_SDES_TAG, 0, 0},
    };
    char text[4096];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ssi_sdes_session s = offered(SSI_SDES_STYLE_CAPABILITY, text);
        assert_string_equal(s.offered, "RTP/AVP");
        static const char begin[] = "a=tcap:1 RTP/SAVP\r\na=acap:1 crypto:1 " S80 "inline:";
        assert_memory_equal(text, begin, sizeof begin - 1);
        assert_non_null(strstr(text, "\r\na=pcfg:1 t=1 a=1|2\r\n"));
        assert_null(strstr(text, "a=crypto"));
        secsip_result r = take(&s, rows[i].answer);
        if (r != rows[i].result)
            fail_msg("row %zu: %s", i, secsip_result_name(r));
        if (r == 0) {
            assert_int_equal(s.agreed.suite, rows[i].suite);
            assert_int_equal(s.agreed.quirks, rows[i].quirks);
        } else {
            assert_false(s.has_agreed);
            assert_true(s.has_pending);
        }
        ssi_sdes_session_wipe(&s);
    }
}

/* In clear at first, the potential configuration stands in later offers too; once taken, SRTP is what the media line says. */
static void a_clear_call_may_rise_and_then_not_fall(void **state)
{
    (void)state;
    char text[4096];
    struct ssi_sdes_session s = offered(SSI_SDES_STYLE_CAPABILITY, text);

    assert_int_equal(take(&s, AVP), 0);
    assert_false(is_secure(&s));
    offer(&s, text);
    assert_memory_equal(text, "a=tcap:1", 8);
    assert_int_equal(take(&s, SAVP "a=crypto:1 " S80 "inline:" KEY30 "\r\na=acfg:1 t=1 a=1\r\n"),
                     0);
    assert_string_equal(ssi_sdes_offer_profile(&s), "RTP/SAVP");
    offer(&s, text);
    assert_memory_equal(text, "a=crypto:1 " S80, 35);
    assert_int_equal(take(&s, AVP), SECSIP_E_SDES_NO_CRYPTO);
    ssi_sdes_rollback(&s);
    assert_int_equal(answer(&s, AVP).r, SECSIP_E_SDES_NO_CRYPTO);
    assert_int_equal(answer(&s, AVP TCAP "a=pcfg:1 t=2\r\n").r, SECSIP_E_SDES_NO_CRYPTO);
    assert_true(is_secure(&s));
    ssi_sdes_session_wipe(&s);
}

/* Two of us, each style against each policy of an answerer. */
static void every_style_meets_every_policy(void **state)
{
    (void)state;
    static const enum ssi_sdes_policy policies[] = {SSI_SDES_MANDATORY, SSI_SDES_OPTIONAL,
                                                    SSI_SDES_OFF};
    for (int style = SSI_SDES_STYLE_AVP; style <= SSI_SDES_STYLE_SAVP; style++)
        for (int p = 0; p < 3; p++) {
            char text[4096], media[8192];
            struct ssi_sdes_config c = with_policy(policies[p]);
            struct ssi_sdes_session a = offered((enum ssi_sdes_style)style, text), b;
            const struct ssi_sdes_agreed *agreed;
            const char *profile = "", *why;
            uint32_t chosen = 9;
            struct ssi_buf lines;
            bool two = style == SSI_SDES_STYLE_TWO_LINES;
            c.avp_crypto = true;
            ssi_sdes_session_init(&b, &c);
            (void)snprintf(media, sizeof media, "m=audio 4000 %s 0\r\n%s%s", a.offered, text,
                           two ? AVP : "");
            struct ssi_sdp *sdp = read_sdp(media);
            secsip_result r = ssi_sdes_choose_media(&b, sdp, any, NULL, &chosen, &profile, &why);
            if (policies[p] == SSI_SDES_OFF && style == SSI_SDES_STYLE_SAVP) {
                assert_int_equal(r, SECSIP_E_PERMISSION);
                ssi_sdp_free(sdp);
                ssi_sdes_session_wipe(&a);
                continue;
            }
            assert_int_equal(r, 0);
            ssi_buf_init_secret(&lines, 4000);
            assert_int_equal(ssi_sdes_answer(&b, sdp, chosen, &lines, &profile, &agreed, &why), 0);
            ssi_sdp_free(sdp);
            (void)snprintf(media, sizeof media, "%sm=audio 4000 %s 0\r\n%.*s%s",
                           chosen == 1 ? "m=audio 0 RTP/SAVP 0\r\n" : "", profile, (int)lines.len,
                           lines.len ? (char *)lines.data : "",
                           two && chosen == 0 ? "m=audio 0 RTP/AVP 0\r\n" : "");
            ssi_buf_free(&lines);
            if (take(&a, media) < 0)
                fail_msg("%d %d %s", style, p, media);
            assert_int_equal(is_secure(&a), policies[p] != SSI_SDES_OFF);
            assert_int_equal(is_secure(&b), is_secure(&a));
            assert_int_equal(a.agreed.quirks, 0);
            if (is_secure(&a)) {
                assert_true(ssi_sdes_key_eq(&a.agreed.tx, &b.agreed.rx));
                assert_true(ssi_sdes_key_eq(&a.agreed.rx, &b.agreed.tx));
            }
            ssi_sdes_session_wipe(&a);
            ssi_sdes_session_wipe(&b);
        }
}

/* An offer that was kept as text, of each style, is taken up again. */
static void offers_of_every_style_are_adopted(void **state)
{
    (void)state;
    char text[4096], media[8192];
    struct ssi_sdes_session a = offered(SSI_SDES_STYLE_CAPABILITY, text);
    struct ssi_sdes_config c = optional(SSI_SDES_STYLE_AVP);
    struct ssi_sdes_session again;

    (void)snprintf(media, sizeof media, AVP "%s", text);
    struct ssi_sdp *sdp = read_sdp(media);
    ssi_sdes_session_init(&again, &c);
    assert_int_equal(ssi_sdes_adopt_offer(&again, sdp, 0), 0);
    ssi_sdp_free(sdp);
    assert_int_equal(again.n_local, a.n_local);
    assert_int_equal(
        take(&again, SAVP "a=crypto:2 " S32 "inline:" KEY30 "\r\na=acfg:1 t=1 a=2\r\n"), 0);
    assert_true(ssi_sdes_key_eq(&again.agreed.tx, &a.local[1].key));
    ssi_sdes_session_wipe(&again);
    ssi_sdes_session_wipe(&a);
    sdp = read_sdp("m=audio 4000 udptl 0\r\n");
    ssi_sdes_session_init(&again, &c);
    assert_int_equal(ssi_sdes_adopt_offer(&again, sdp, 0), SECSIP_E_SDP_MEDIA);
    ssi_sdp_free(sdp);
}

/* ---- quirks */
#define KEY44 "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKys"

static void field_10_11_12_13_quirks_are_named_and_can_be_refused(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        uint32_t quirks;
        secsip_result refused;
    } rows[] = {
        {AVP "a=crypto:1 " S80 "inline:" KEY30 "\r\n", 0, 0},
        {SAVP "a=crypto:1 " S80 "inline:" KEY30 "\r\n", SSI_SDES_QUIRK_PROFILE,
         SECSIP_E_SDES_CLEAR_PROFILE},
        {"m=audio 4000 RTP/AVPF 0\r\na=crypto:1 " S80 "inline:" KEY30 "\r\n",
         SSI_SDES_QUIRK_PROFILE, SECSIP_E_SDES_CLEAR_PROFILE},
        {AVP "a=crypto:2 AES_CM_256_HMAC_SHA1_80 inline:"
             "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLg==\r\n",
         SSI_SDES_QUIRK_SPELLING, SECSIP_E_SDES_SUITE},
        {AVP "a=crypto:3 AEAD_AES_256_GCM inline:" KEY44 "\r\n", SSI_SDES_QUIRK_PADDING,
         SECSIP_E_SDES_SYNTAX},
        {AVP "a=crypto:9 AEAD_AES_256_GCM inline:" KEY44 "=\r\n", SSI_SDES_QUIRK_TAG,
         SECSIP_E_SDES_TAG},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int refuse = 0; refuse < 2; refuse++) {
            char text[4096];
            struct ssi_sdes_config c = optional(SSI_SDES_STYLE_AVP);
            struct ssi_sdes_session s;
            c.suites[1] = SSI_SUITE_AES_256_CM_HMAC_SHA1_80;
            c.suites[2] = SSI_SUITE_AEAD_AES_256_GCM;
            c.n_suites = 3;
            c.match_by_suite = !refuse;
            c.refuse_profile = c.refuse_spelling = c.refuse_unpadded = refuse;
            ssi_sdes_session_init(&s, &c);
            offer(&s, text);
            secsip_result r = take(&s, rows[i].answer);
            if (r != (refuse ? rows[i].refused : 0))
                fail_msg("row %zu: %s", i, secsip_result_name(r));
            if (r == 0)
                assert_int_equal(s.agreed.quirks, rows[i].quirks);
            ssi_sdes_session_wipe(&s);
        }
}

/* ---- forms: what leaves protection out is negotiated, the same in both directions */
static void forms_are_offered_answered_and_held_to(void **state)
{
    (void)state;
    struct ssi_sdes_config c = with_policy(SSI_SDES_MANDATORY);
    struct ssi_sdes_session a, b;
    char text[4096], media[8192];

    ssi_sdes_session_init(&b, &c);
    assert_int_equal(answer(&b, SAVP "a=crypto:1 " S80 "inline:" KEY30 " UNENCRYPTED_SRTP\r\n").r,
                     SECSIP_E_SDES_PARAM);
    c.allow = SSI_SDES_UNENCRYPTED_SRTP | SSI_SDES_UNAUTHENTICATED_SRTP;
    c.forms =
        SSI_SDES_UNENCRYPTED_SRTP | SSI_SDES_UNENCRYPTED_SRTCP; /* the second is not allowed */
    ssi_sdes_session_init(&a, &c);
    offer(&a, text);
    assert_non_null(strstr(text, " UNENCRYPTED_SRTP\r\n"));
    assert_null(strstr(text, "SRTCP"));
    (void)snprintf(media, sizeof media, SAVP "%s", text);
    ssi_sdes_session_wipe(&b);
    ssi_sdes_session_init(&b, &c);
    struct answered w = answer(&b, media);
    assert_int_equal(w.r, 0);
    assert_non_null(strstr(w.written, " UNENCRYPTED_SRTP\r\n"));
    assert_int_equal(b.agreed.forms, SSI_SDES_UNENCRYPTED_SRTP);
    /* An answer with less or more than was offered is none. */
    assert_int_equal(take(&a, SAVP "a=crypto:1 " S80 "inline:" KEY30 "\r\n"), SECSIP_E_SDES_PARAM);
    assert_int_equal(take(&a, SAVP "a=crypto:1 " S80 "inline:" KEY30 " UNAUTHENTICATED_SRTP\r\n"),
                     SECSIP_E_SDES_PARAM);
    (void)snprintf(media, sizeof media, SAVP "%s", w.written);
    assert_int_equal(take(&a, media), 0);
    assert_int_equal(a.agreed.forms, SSI_SDES_UNENCRYPTED_SRTP);
    /* A refresh goes on with what was agreed; the peer cannot change it without a new key of ours. */
    offer(&a, text);
    assert_non_null(strstr(text, "a=crypto:1 " S80));
    ssi_sdes_session_wipe(&a);
    ssi_sdes_session_wipe(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_lines_are_offered_and_one_of_them_answered),
        cmocka_unit_test(two_lines_have_profiles_of_their_own),
        cmocka_unit_test(the_secure_line_of_an_offer_is_chosen),
        cmocka_unit_test(rfc5939_section_4_1_is_answered),
        cmocka_unit_test(capabilities_that_need_more_are_not_looked_at),
        cmocka_unit_test(potential_configurations_row_by_row),
        cmocka_unit_test(a_capability_of_the_session_holds_transports_but_no_key),
        cmocka_unit_test(a_key_of_a_capability_stands_once),
        cmocka_unit_test(a_potential_configuration_is_offered),
        cmocka_unit_test(a_clear_call_may_rise_and_then_not_fall),
        cmocka_unit_test(every_style_meets_every_policy),
        cmocka_unit_test(offers_of_every_style_are_adopted),
        cmocka_unit_test(field_10_11_12_13_quirks_are_named_and_can_be_refused),
        cmocka_unit_test(forms_are_offered_answered_and_held_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
