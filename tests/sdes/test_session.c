/* The negotiation: offer, answer, refusal, rollback, and the cases from the field. */
#include "sdes_talk.h"

#include <stdlib.h>

/* ---- the plain way */
static void two_sides_agree_on_the_first_suite_and_two_keys(void **state)
{
    (void)state;
    struct ssi_sdes_session a, b;

    ssi_sdes_session_init(&a, &mandatory);
    ssi_sdes_session_init(&b, &mandatory);
    struct result o = offer(&a);
    assert_int_equal(o.r, 0);
    assert_string_equal(o.profile, "RTP/SAVP");
    assert_int_equal(offer(&a).r, SECSIP_E_STATE);
    struct result w = answer(&b, o.profile, o.written);
    assert_int_equal(w.r, 0);
    assert_string_equal(w.profile, "RTP/SAVP");
    struct result t = take(&a, w.profile, w.written);
    assert_int_equal(t.r, 0);
    assert_int_equal(t.agreed->suite, SSI_SUITE_AES_CM_128_HMAC_SHA1_80);
    assert_int_equal(t.agreed->tag, 1);
    assert_true(ssi_sdes_key_eq(&t.agreed->tx, &w.agreed->rx));
    assert_true(ssi_sdes_key_eq(&t.agreed->rx, &w.agreed->tx));
    assert_false(ssi_key_eq(&t.agreed->rx.key, &t.agreed->tx.key));
    ssi_sdes_session_wipe(&a);
    ssi_sdes_session_wipe(&b);
}

static void the_offerers_order_decides_and_the_spelling_comes_back(void **state)
{
    (void)state;
    struct ssi_sdes_config c = mandatory;
    struct ssi_sdes_session b;

    c.suites[2] = SSI_SUITE_AES_256_CM_HMAC_SHA1_80;
    c.n_suites = 3;
    ssi_sdes_session_init(&b, &c);
    struct result w = answer(
        &b, "RTP/SAVPF",
        CRYPTO("9 AEAD_AES_128_GCM inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJDRA==") CRYPTO(
            "7 AES_CM_256_HMAC_SHA1_80 "
            "inline:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLg==|2^31|1:1")
            CRYPTO("1 " S80 "inline:" KEY30));
    assert_int_equal(w.r, 0);
    assert_string_equal(w.profile, "RTP/SAVPF");
    assert_memory_equal(w.written, "a=crypto:7 AES_CM_256_HMAC_SHA1_80 inline:", 42);
    assert_int_equal(w.agreed->tag, 7);
    assert_int_equal(w.agreed->rx.mki_len, 1);
    assert_true(w.agreed->rx.lifetime == UINT64_C(1) << 31);
    assert_int_equal(w.agreed->tx.key.len, 46);
    ssi_sdes_session_wipe(&b);
}

static void our_lines_carry_lifetime_mki_and_no_padding_when_asked(void **state)
{
    (void)state;
    struct ssi_sdes_config c = {.policy = SSI_SDES_MANDATORY,
                                .suites = {SSI_SUITE_AEAD_AES_256_GCM},
                                .n_suites = 1,
                                .lifetime = UINT64_C(1) << 31,
                                .mki_len = 4,
                                .unpadded = true};
    struct ssi_sdes_session a;
    struct ssi_sdes_line l;

    ssi_sdes_session_init(&a, &c);
    struct result o = offer(&a);
    assert_int_equal(o.r, 0);
    assert_null(strchr(o.written + 9, '='));
    assert_non_null(strstr(o.written, "|2^31|1:4\r\n"));
    assert_int_equal(ssi_sdes_parse(ssi_slice_of(o.written + 9, strlen(o.written) - 11), &l), 0);
    assert_int_equal(l.keys[0].key.len, 44);
    ssi_sdes_session_wipe(&a);
}

/* ---- answers that are refused, and leave everything as it was */
static const struct {
    const char *profile;
    const char *lines;
    secsip_result result;
} bad_answers[] = {
    {"RTP/AVP", "", SECSIP_E_SDES_CLEAR_PROFILE},
    {"RTP/AVP", CRYPTO("1 " S80 "inline:" KEY30), SECSIP_E_SDES_CLEAR_PROFILE},
    {"UDP/TLS/RTP/SAVP", CRYPTO("1 " S80 "inline:" KEY30), SECSIP_E_SDES_CLEAR_PROFILE},
    {"rtp/savp", CRYPTO("1 " S80 "inline:" KEY30), SECSIP_E_SDES_CLEAR_PROFILE},
    {"RTP/SAVP", "", SECSIP_E_SDES_NO_CRYPTO},
    {"RTP/SAVP", "a=sendrecv\r\n", SECSIP_E_SDES_NO_CRYPTO},
    {"RTP/SAVP", CRYPTO("3 " S80 "inline:" KEY30), SECSIP_E_SDES_TAG},
    {"RTP/SAVP", CRYPTO("1 " S32 "inline:" KEY30), SECSIP_E_SDES_SUITE},
    {"RTP/SAVP", CRYPTO("1 F8_128_HMAC_SHA1_80 inline:" KEY30), SECSIP_E_SDES_SUITE},
    {"RTP/SAVP", CRYPTO("1 " S80 "inline:" KEY30) CRYPTO("2 " S32 "inline:" KEY30_B),
     SECSIP_E_SDES_SYNTAX},
    {"RTP/SAVP", CRYPTO("1 " S80 "inline:QUJD"), SECSIP_E_SDES_KEY_LENGTH},
    {"RTP/SAVP", CRYPTO("1 " S80 "inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
     SECSIP_E_SDES_KEY_WEAK},
    {"RTP/SAVP", CRYPTO("1 " S80 "inline:" KEY30 " UNENCRYPTED_SRTP"), SECSIP_E_SDES_PARAM},
    {"RTP/SAVP", CRYPTO("1 " S80 "inline:" KEY30 "|2^49"), SECSIP_E_SDES_LIFETIME},
    {"RTP/SAVP", CRYPTO("1 " S80 "inline:" KEY30 "|9:0"), SECSIP_E_SDES_MKI},
    {"RTP/SAVP", CRYPTO("1 " S80 "x:" KEY30), SECSIP_E_SDES_KEY_METHOD},
    {"RTP/SAVP", CRYPTO("01 " S80 "inline:" KEY30), SECSIP_E_SDES_SYNTAX},
    {"RTP/SAVP", CRYPTO("1 " S80 "inline:" KEY30 "|1:4;inline:" KEY30_B "|2:4"), SECSIP_E_LIMIT},
};

static void bad_answers_are_refused_by_name_and_change_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_answers / sizeof *bad_answers; i++) {
        struct ssi_sdes_session a = offered(&mandatory);
        struct ssi_sdes_session before = a;
        struct result t = take(&a, bad_answers[i].profile, bad_answers[i].lines);
        if (t.r != bad_answers[i].result || !t.why[0])
            fail_msg("row %zu: %s: %s", i, secsip_result_name(t.r), t.why);
        assert_memory_equal(&before, &a, sizeof a);
        assert_int_equal(take(&a, "RTP/SAVP", CRYPTO("2 " S32 "inline:" KEY30)).r, 0);
        ssi_sdes_session_wipe(&a);
    }
}

static void a_refused_or_missing_media_line_is_no_answer(void **state)
{
    (void)state;
    struct ssi_sdes_session a = offered(&mandatory);
    struct ssi_sdp *sdp = NULL;
    const struct ssi_sdes_agreed *agreed = NULL;
    const char *why = NULL;

    assert_int_equal(
        ssi_sdp_parse(SSI_LIT(HEAD "m=audio 0 RTP/SAVP 0\r\n" CRYPTO("1 " S80 "inline:" KEY30)),
                      NULL, NULL, &sdp),
        0);
    assert_int_equal(ssi_sdes_take_answer(&a, sdp, 0, &agreed, &why), SECSIP_E_SDP_MEDIA);
    assert_int_equal(ssi_sdes_take_answer(&a, sdp, 1, &agreed, NULL), SECSIP_E_SDP_MEDIA);
    assert_null(agreed);
    assert_true(a.has_pending);
    ssi_sdp_free(sdp);
    ssi_sdes_session_wipe(&a);
}

static void our_own_key_never_comes_back_as_the_peers(void **state)
{
    (void)state;
    struct ssi_sdes_session a, b;

    ssi_sdes_session_init(&a, &mandatory);
    struct result o = offer(&a);
    /* Reflected whole, and its first line alone, and the key of the second line under the first. */
    assert_int_equal(take(&a, "RTP/SAVP", o.written).r, SECSIP_E_SDES_SYNTAX);
    *(strchr(o.written, '\n') + 1) = 0;
    assert_int_equal(take(&a, "RTP/SAVP", o.written).r, SECSIP_E_SDES_KEY_WEAK);
    assert_int_equal(take(&a, "RTP/SAVP", CRYPTO("1 " S80 "inline:" KEY30)).r, 0);
    /* As the peer's offer, later. */
    assert_int_equal(answer(&a, "RTP/SAVP", o.written).r, SECSIP_E_SDES_KEY_WEAK);
    /* After a new key too, when the old one is out of use. */
    ssi_sdes_rekey(&a);
    struct result w = answer(&a, "RTP/SAVP", CRYPTO("1 " S80 "inline:" KEY30));
    assert_int_equal(w.r, 0);
    assert_int_equal(answer(&a, "RTP/SAVP", o.written).r, SECSIP_E_SDES_KEY_WEAK);
    ssi_sdes_session_init(&b, &mandatory);
    assert_int_equal(answer(&b, "RTP/SAVP", o.written).r, 0);
    ssi_sdes_session_wipe(&a);
    ssi_sdes_session_wipe(&b);
}

/* ---- offers that are refused */
static const struct {
    enum ssi_sdes_policy policy;
    const char *profile;
    const char *lines;
    secsip_result result;
    enum ssi_suite suite; /* for 0 */
} offers[] = {
    {SSI_SDES_MANDATORY, "RTP/AVP", "", SECSIP_E_SDES_CLEAR_PROFILE, 0},
    {SSI_SDES_MANDATORY, "RTP/AVP", CRYPTO("1 " S80 "inline:" KEY30), SECSIP_E_SDES_CLEAR_PROFILE,
     0},
    {SSI_SDES_MANDATORY, "RTP/AVPF", CRYPTO("1 " S80 "inline:" KEY30), SECSIP_E_SDES_CLEAR_PROFILE,
     0},
    {SSI_SDES_MANDATORY, "UDP/TLS/RTP/SAVPF", "", SECSIP_E_SDES_CLEAR_PROFILE, 0},
    {SSI_SDES_MANDATORY, "RTP/SAVP", "", SECSIP_E_SDES_NO_CRYPTO, 0},
    {SSI_SDES_MANDATORY, "RTP/SAVP",
     CRYPTO("1 AEAD_AES_128_GCM inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJDRA=="),
     SECSIP_E_SDES_SUITE, 0},
    {SSI_SDES_MANDATORY, "RTP/SAVP", CRYPTO("1 X inline:" KEY30), SECSIP_E_SDES_SUITE, 0},
    {SSI_SDES_MANDATORY, "RTP/SAVP", CRYPTO("1 X inline:" KEY30) CRYPTO("2 " S32 "inline:" KEY30_B),
     0, SSI_SUITE_AES_CM_128_HMAC_SHA1_32},
    {SSI_SDES_MANDATORY, "RTP/SAVP", CRYPTO("1 X inline:" KEY30) CRYPTO("2 " S80 "inline:QUJD"),
     SECSIP_E_SDES_KEY_LENGTH, 0},
    {SSI_SDES_MANDATORY, "RTP/SAVP",
     CRYPTO("1 " S80 "inline:" KEY30) CRYPTO("1 " S32 "inline:" KEY30_B), SECSIP_E_SDES_TAG, 0},
    {SSI_SDES_MANDATORY, "RTP/SAVP",
     CRYPTO("1 " S80 "inline:" KEY30) CRYPTO("1 " S32 "inline:" KEY30_B)
         CRYPTO("2 " S32 "inline:" KEY30),
     SECSIP_E_SDES_TAG, 0},
    {SSI_SDES_MANDATORY, "RTP/SAVP", CRYPTO("1 X inline:" KEY30) CRYPTO("2 " S80 "inline:" KEY30),
     SECSIP_E_SDES_KEY_WEAK, 0},
    {SSI_SDES_MANDATORY, "RTP/SAVP",
     CRYPTO("1 " S80 "inline:" KEY30) CRYPTO("2 " S32 "inline:" KEY30), 0,
     SSI_SUITE_AES_CM_128_HMAC_SHA1_80},
    {SSI_SDES_OPTIONAL, "RTP/AVP", "", 0, SSI_SUITE_NONE},
    {SSI_SDES_OPTIONAL, "RTP/AVP", CRYPTO("1 " S80 "inline:" KEY30), 0,
     SSI_SUITE_AES_CM_128_HMAC_SHA1_80},
    {SSI_SDES_OPTIONAL, "RTP/AVPF", CRYPTO("1 X inline:" KEY30), 0, SSI_SUITE_NONE},
    {SSI_SDES_OPTIONAL, "RTP/AVP", CRYPTO("1 " S80 "inline:QUJD"), SECSIP_E_SDES_KEY_LENGTH, 0},
    {SSI_SDES_OPTIONAL, "RTP/AVP", CRYPTO("1 X inline:" KEY30) CRYPTO("x"), SECSIP_E_SDES_SYNTAX,
     0},
    /* A parameter that is broken, and one that is beyond us. */
    {SSI_SDES_OPTIONAL, "RTP/AVP", CRYPTO("1 " S80 "inline:" KEY30 " WSH=abc"),
     SECSIP_E_SDES_SYNTAX, 0},
    {SSI_SDES_OPTIONAL, "RTP/AVP", CRYPTO("1 " S80 "inline:" KEY30 " KDR="), SECSIP_E_SDES_SYNTAX,
     0},
    {SSI_SDES_OPTIONAL, "RTP/AVP", CRYPTO("1 " S80 "inline:" KEY30 " WSH=128 WSH=128"),
     SECSIP_E_SDES_SYNTAX, 0},
    {SSI_SDES_OPTIONAL, "RTP/AVP", CRYPTO("1 " S80 "inline:" KEY30 " KDR=1"), 0, SSI_SUITE_NONE},
    {SSI_SDES_OPTIONAL, "RTP/SAVP", "", SECSIP_E_SDES_NO_CRYPTO, 0},
    {SSI_SDES_OPTIONAL, "RTP/SAVP", CRYPTO("1 X inline:" KEY30), SECSIP_E_SDES_SUITE, 0},
    {SSI_SDES_OPTIONAL, "RTP/SAVP", CRYPTO("1 " S80 "inline:" KEY30), 0,
     SSI_SUITE_AES_CM_128_HMAC_SHA1_80},
    {SSI_SDES_OPTIONAL, "udptl", "", SECSIP_E_SDP_MEDIA, 0},
    {SSI_SDES_OFF, "RTP/AVP", "", 0, SSI_SUITE_NONE},
    {SSI_SDES_OFF, "RTP/AVP", CRYPTO("1 " S80 "inline:" KEY30), 0, SSI_SUITE_NONE},
    {SSI_SDES_OFF, "RTP/SAVP", CRYPTO("1 " S80 "inline:" KEY30), SECSIP_E_PERMISSION, 0},
};

static void offers_by_policy(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof offers / sizeof *offers; i++) {
        struct ssi_sdes_config c = with_policy(offers[i].policy);
        struct ssi_sdes_session b;
        ssi_sdes_session_init(&b, &c);
        struct result w = answer(&b, offers[i].profile, offers[i].lines);
        if (w.r != offers[i].result)
            fail_msg("row %zu: %s: %s", i, secsip_result_name(w.r), w.why);
        if (w.r < 0) {
            assert_true(w.why[0]);
            assert_false(b.has_agreed);
            assert_string_equal(w.written, "");
        } else {
            assert_int_equal(w.agreed->suite, offers[i].suite);
            assert_string_equal(w.profile, offers[i].profile);
            assert_true((offers[i].suite == SSI_SUITE_NONE) == (w.written[0] == 0));
        }
        ssi_sdes_session_wipe(&b);
    }
}

static void one_key_on_two_media_lines_is_refused(void **state)
{
    (void)state;
    struct ssi_sdes_session b;
    struct ssi_sdp *sdp = NULL;
    struct ssi_buf out;
    const char *profile;
    const struct ssi_sdes_agreed *agreed;

    assert_int_equal(
        ssi_sdp_parse(
            SSI_LIT(HEAD "m=audio 4 RTP/SAVP 0\r\n" CRYPTO(
                "1 " S80
                "inline:" KEY30) "m=video 6 RTP/SAVP 99\r\n" CRYPTO("1 " S80 "inline:" KEY30)),
            NULL, NULL, &sdp),
        0);
    ssi_sdes_session_init(&b, &mandatory);
    ssi_buf_init_secret(&out, 1000);
    assert_int_equal(ssi_sdes_answer(&b, sdp, 1, &out, &profile, &agreed, NULL),
                     SECSIP_E_SDES_KEY_WEAK);
    assert_int_equal(ssi_sdes_answer(&b, sdp, 0, &out, &profile, &agreed, NULL), 0);
    ssi_buf_free(&out);
    ssi_sdp_free(sdp);
    ssi_sdes_session_wipe(&b);
}

/* What stands behind the limit is passed over, and the rest lives; but a tag that stands twice is no good wherever it does. */
static void lines_beyond_the_limit_are_passed_over(void **state)
{
    (void)state;
    for (unsigned n = SSI_SDES_LINES_MAX; n <= SSI_SDES_LINES_MAX + 2; n++) {
        char lines[4096] = "";
        struct ssi_sdes_session b;
        for (unsigned i = 0; i < n; i++)
            (void)snprintf(lines + strlen(lines), sizeof lines - strlen(lines),
                           "a=crypto:%u " S80 "inline:%02u%s\r\n",
                           i > SSI_SDES_LINES_MAX ? 1 : i + 1, i, &KEY30[2]);
        ssi_sdes_session_init(&b, &mandatory);
        struct result w = answer(&b, "RTP/SAVP", lines);
        assert_int_equal(w.r, 0);
        assert_int_equal(w.agreed->tag, n > SSI_SDES_LINES_MAX + 1 ? 2 : 1);
        ssi_sdes_session_wipe(&b);
    }
}

/* ---- cases from the field */
/* signalwire/freeswitch#2246: a key that nobody was told. Keys come into use only when they were written. */
static void field_05_an_offer_changes_no_key_before_its_answer(void **state)
{
    (void)state;
    struct ssi_sdes_session a = offered(&mandatory);

    assert_int_equal(take(&a, "RTP/SAVP", CRYPTO("1 " S80 "inline:" KEY30)).r, 0);
    struct ssi_sdes_agreed before = a.agreed;
    ssi_sdes_rekey(&a);
    assert_int_equal(offer(&a).r, 0);
    assert_memory_equal(&before, &a.agreed, sizeof before);
    ssi_sdes_rollback(&a);
    assert_memory_equal(&before, &a.agreed, sizeof before);
    struct result o = offer(&a);
    assert_int_equal(take(&a, "RTP/SAVP", CRYPTO("2 " S80 "inline:" KEY30)).r, 0);
    assert_false(ssi_key_eq(&before.tx.key, &a.agreed.tx.key));
    assert_non_null(strstr(o.written, "a=crypto:2 " S80));
    ssi_sdes_session_wipe(&a);
}

/* asterisk/asterisk#825: what is not implemented is refused line by line; MKIs are. */
static void field_08_mki_is_kept_and_several_keys_only_where_they_can_be_held(void **state)
{
    (void)state;
    static const char two[] =
        CRYPTO("1 " S80 "inline:" KEY30 "|2^20|1:4;inline:" KEY30_B "|2^20|2:4");
    struct ssi_sdes_config c = mandatory;
    struct ssi_sdes_session b;

    ssi_sdes_session_init(&b, &c);
    assert_int_equal(answer(&b, "RTP/SAVP", two).r, SECSIP_E_LIMIT);
    c.max_keys = 2;
    ssi_sdes_session_wipe(&b);
    ssi_sdes_session_init(&b, &c);
    struct result w = answer(&b, "RTP/SAVP", two);
    assert_int_equal(w.r, 0);
    assert_int_equal(w.agreed->n_rx_more, 1);
    assert_int_equal(w.agreed->rx.mki[3], 1);
    assert_int_equal(w.agreed->rx_more[0].mki[3], 2);
    ssi_sdes_session_wipe(&b);
}

/* meetecho/janus-gateway#2726, sipwise/rtpengine#2098: a wrong tag is an error, or matched by suite where that is asked. */
static void field_12_renumbered_tag_is_matched_by_suite_only_on_demand(void **state)
{
    (void)state;
    struct ssi_sdes_config c = mandatory;
    struct ssi_sdes_session a = offered(&c);

    assert_int_equal(take(&a, "RTP/SAVP", CRYPTO("5 " S32 "inline:" KEY30)).r, SECSIP_E_SDES_TAG);
    c.match_by_suite = true;
    ssi_sdes_session_wipe(&a);
    a = offered(&c);
    struct result t = take(&a, "RTP/SAVP", CRYPTO("5 " S32 "inline:" KEY30));
    assert_int_equal(t.r, 0);
    assert_int_equal(t.agreed->quirks, SSI_SDES_QUIRK_TAG);
    assert_int_equal(t.agreed->tag, 2);
    assert_true(ssi_key_eq(&t.agreed->tx.key, &a.local[1].key.key));
    ssi_sdes_session_wipe(&a);
    a = offered(&c);
    assert_int_equal(
        take(&a, "RTP/SAVP",
             CRYPTO("5 AEAD_AES_128_GCM inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJDRA=="))
            .r,
        SECSIP_E_SDES_TAG);
    /* A tag that was offered, for another suite: whoever renumbers from 1 hits one of ours. */
    t = take(&a, "RTP/SAVP", CRYPTO("1 " S32 "inline:" KEY30));
    assert_int_equal(t.r, 0);
    assert_int_equal(t.agreed->tag, 2);
    assert_int_equal(t.agreed->quirks, SSI_SDES_QUIRK_TAG);
    ssi_sdes_session_wipe(&a);
    c.match_by_suite = false;
    a = offered(&c);
    assert_int_equal(take(&a, "RTP/SAVP", CRYPTO("1 " S32 "inline:" KEY30)).r, SECSIP_E_SDES_SUITE);
    ssi_sdes_session_wipe(&a);
}

/* sipwise/rtpengine#703, signalwire/freeswitch#1251: who spells AES_CM_256 reads nothing else, in our later offers as little as in our
 * answer; and who does not is never made to. */
static void field_11_the_peers_spelling_stays_in_our_offers(void **state)
{
    (void)state;
    static const char key[] =
        "inline:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLg==";
    struct ssi_sdes_config c = mandatory;
    struct ssi_sdes_session s;
    char lines[300];

    c.suites[0] = SSI_SUITE_AES_256_CM_HMAC_SHA1_80;
    for (int odd = 0; odd < 2; odd++) {
        const char *name = odd ? "AES_CM_256_HMAC_SHA1_80" : "AES_256_CM_HMAC_SHA1_80";
        ssi_sdes_session_init(&s, &c);
        (void)snprintf(lines, sizeof lines, "a=crypto:1 %s %s\r\n", name, key);
        assert_non_null(strstr(answer(&s, "RTP/SAVP", lines).written, name));
        assert_non_null(strstr(offer(&s).written, name));
        ssi_sdes_rollback(&s);
        ssi_sdes_rekey(&s);
        struct result o = offer(&s);
        assert_non_null(strstr(o.written, name));
        /* It takes that up with another key, and the offer after it is as the one before. */
        (void)snprintf(lines, sizeof lines, "a=crypto:%c %s %s\r\n", o.written[9],
                       odd ? "AES_256_CM_HMAC_SHA1_80" : name, key);
        assert_int_equal(take(&s, "RTP/SAVP", lines).r, 0);
        assert_non_null(strstr(offer(&s).written, name));
        ssi_sdes_session_wipe(&s);
    }
}

/* signalwire/freeswitch#1254, sipwise/rtpengine#951, thevoiceguy/siphon-ai#422: RFC 8643, and SAVP answers to AVP offers. */
static void field_13_optional_offers_avp_with_crypto(void **state)
{
    (void)state;
    struct ssi_sdes_config c = with_policy(SSI_SDES_OPTIONAL);
    struct ssi_sdes_session a;

    ssi_sdes_session_init(&a, &c);
    struct result o = offer(&a);
    assert_string_equal(o.profile, "RTP/AVP");
    assert_non_null(strstr(o.written, "a=crypto:1 " S80));
    assert_int_equal(take(&a, "RTP/SAVP", "").r, SECSIP_E_SDES_NO_CRYPTO);
    assert_int_equal(take(&a, "RTP/AVP", CRYPTO("1 " S80 "inline:QUJD")).r,
                     SECSIP_E_SDES_KEY_LENGTH);
    assert_int_equal(take(&a, "RTP/SAVP", CRYPTO("1 " S80 "inline:" KEY30)).r, 0);
    ssi_sdes_session_wipe(&a);
    a = offered(&c);
    assert_int_equal(take(&a, "RTP/AVP", CRYPTO("1 " S80 "inline:" KEY30)).r, 0);
    assert_int_equal(a.agreed.suite, SSI_SUITE_AES_CM_128_HMAC_SHA1_80);
    ssi_sdes_session_wipe(&a);
    a = offered(&c);
    assert_int_equal(take(&a, "RTP/AVP", "").r, 0);
    assert_int_equal(a.agreed.suite, SSI_SUITE_NONE);
    /* The mandatory answerer takes RTP/AVP with crypto only when told to, and never without. */
    c = mandatory;
    c.avp_crypto = true;
    ssi_sdes_session_wipe(&a);
    ssi_sdes_session_init(&a, &c);
    assert_int_equal(answer(&a, "RTP/AVP", "").r, SECSIP_E_SDES_NO_CRYPTO);
    assert_int_equal(answer(&a, "RTP/AVP", CRYPTO("1 X inline:" KEY30)).r, SECSIP_E_SDES_SUITE);
    assert_int_equal(answer(&a, "RTP/AVP", CRYPTO("1 " S80 "inline:" KEY30)).r, 0);
    assert_string_equal(offer(&a).profile, "RTP/AVP");
    ssi_sdes_session_wipe(&a);
}

/* espressif/esp-adf#1620, baresip/baresip#641: required means required, both ways. */
static void field_14_mandatory_is_checked_on_every_offer_and_answer(void **state)
{
    (void)state;
    struct ssi_sdes_session a = offered(&mandatory);

    assert_int_equal(take(&a, "RTP/SAVP", CRYPTO("1 " S80 "inline:" KEY30)).r, 0);
    struct ssi_sdes_agreed before = a.agreed;
    assert_int_equal(answer(&a, "RTP/AVP", "").r, SECSIP_E_SDES_CLEAR_PROFILE);
    assert_int_equal(answer(&a, "RTP/SAVP", "").r, SECSIP_E_SDES_NO_CRYPTO);
    assert_int_equal(offer(&a).r, 0);
    assert_int_equal(take(&a, "RTP/AVP", "").r, SECSIP_E_SDES_CLEAR_PROFILE);
    ssi_sdes_rollback(&a);
    assert_memory_equal(&before, &a.agreed, sizeof before);
    ssi_sdes_session_wipe(&a);
}

/* pjsip/pjproject#657, #1644, jambonz/sbc-outbound#133: every fork answers with its own key. */
static void field_16_a_copy_per_fork_holds_its_own_key(void **state)
{
    (void)state;
    struct ssi_sdes_session first = offered(&mandatory);
    struct ssi_sdes_session second;

    ssi_sdes_session_copy(&second, &first);
    assert_int_equal(take(&first, "RTP/SAVP", CRYPTO("1 " S80 "inline:" KEY30)).r, 0);
    assert_int_equal(take(&second, "RTP/SAVP", CRYPTO("1 " S80 "inline:" KEY30_B)).r, 0);
    assert_false(ssi_key_eq(&first.agreed.rx.key, &second.agreed.rx.key));
    assert_true(ssi_key_eq(&first.agreed.tx.key, &second.agreed.tx.key));
    /* 183 and then 200 bring the same answer; another one is out of place. */
    assert_int_equal(take(&first, "RTP/SAVP", CRYPTO("1 " S80 "inline:" KEY30)).r, 0);
    assert_int_equal(take(&first, "RTP/SAVP", CRYPTO("1 " S80 "inline:" KEY30_B)).r,
                     SECSIP_E_STATE);
    ssi_sdes_session_wipe(&first);
    ssi_sdes_session_wipe(&second);
}

/* BelledonneCommunications/linphone-sdk#411: no silent downgrade in mid-call. */
static void field_17_srtp_does_not_fall_to_clear_within_a_call(void **state)
{
    (void)state;
    struct ssi_sdes_config c = with_policy(SSI_SDES_OPTIONAL);
    struct ssi_sdes_session b;

    ssi_sdes_session_init(&b, &c);
    assert_int_equal(answer(&b, "RTP/AVP", CRYPTO("1 " S80 "inline:" KEY30)).r, 0);
    assert_int_equal(answer(&b, "RTP/AVP", "").r, SECSIP_E_SDES_NO_CRYPTO);
    assert_int_equal(answer(&b, "RTP/AVP", CRYPTO("1 X inline:" KEY30)).r, SECSIP_E_SDES_NO_CRYPTO);
    assert_int_equal(offer(&b).r, 0);
    assert_int_equal(take(&b, "RTP/AVP", "").r, SECSIP_E_SDES_NO_CRYPTO);
    ssi_sdes_rollback(&b);
    assert_int_equal(b.agreed.suite, SSI_SUITE_AES_CM_128_HMAC_SHA1_80);
    b.config.insecure_may_fall = true;
    assert_int_equal(answer(&b, "RTP/AVP", "").r, 0);
    assert_int_equal(b.agreed.suite, SSI_SUITE_NONE);
    ssi_sdes_session_wipe(&b);
}

/* ---- refresh and rollback */
static void a_refresh_that_changes_nothing_changes_no_key(void **state)
{
    (void)state;
    struct ssi_sdes_session a, b;

    ssi_sdes_session_init(&a, &mandatory);
    ssi_sdes_session_init(&b, &mandatory);
    struct result o = offer(&a);
    struct result w = answer(&b, "RTP/SAVP", o.written);
    assert_int_equal(take(&a, "RTP/SAVP", w.written).r, 0);
    struct ssi_sdes_agreed before_a = a.agreed, before_b = b.agreed;
    /* From the one side, and from the other. */
    o = offer(&a);
    w = answer(&b, "RTP/SAVP", o.written);
    assert_int_equal(take(&a, "RTP/SAVP", w.written).r, 0);
    assert_memory_equal(&before_a, &a.agreed, sizeof before_a);
    assert_memory_equal(&before_b, &b.agreed, sizeof before_b);
    o = offer(&b);
    w = answer(&a, "RTP/SAVP", o.written);
    assert_int_equal(take(&b, "RTP/SAVP", w.written).r, 0);
    assert_memory_equal(&before_a, &a.agreed, sizeof before_a);
    assert_memory_equal(&before_b, &b.agreed, sizeof before_b);
    ssi_sdes_session_wipe(&a);
    ssi_sdes_session_wipe(&b);
}

static void a_changed_key_of_the_peer_gets_a_fresh_one_of_ours(void **state)
{
    (void)state;
    struct ssi_sdes_session b;

    ssi_sdes_session_init(&b, &mandatory);
    assert_int_equal(answer(&b, "RTP/SAVP", CRYPTO("1 " S80 "inline:" KEY30)).r, 0);
    struct ssi_sdes_agreed before = b.agreed;
    assert_int_equal(answer(&b, "RTP/SAVP", CRYPTO("1 " S80 "inline:" KEY30_B)).r, 0);
    assert_false(ssi_key_eq(&before.tx.key, &b.agreed.tx.key));
    /* The re-INVITE fails after all (RFC 6141). */
    ssi_sdes_rollback(&b);
    assert_memory_equal(&before, &b.agreed, sizeof before);
    ssi_sdes_rollback(&b);
    assert_memory_equal(&before, &b.agreed, sizeof before);
    /* The first answer of all, taken back: nothing is agreed. */
    ssi_sdes_session_wipe(&b);
    ssi_sdes_session_init(&b, &mandatory);
    assert_int_equal(answer(&b, "RTP/SAVP", CRYPTO("1 " S80 "inline:" KEY30)).r, 0);
    ssi_sdes_rollback(&b);
    assert_false(b.has_agreed);
    ssi_sdes_session_wipe(&b);
}

static void an_offer_crossing_ours_is_not_answered(void **state)
{
    (void)state;
    struct ssi_sdes_session a = offered(&mandatory);

    assert_int_equal(answer(&a, "RTP/SAVP", CRYPTO("1 " S80 "inline:" KEY30)).r, SECSIP_E_STATE);
    ssi_sdes_rollback(&a);
    assert_int_equal(answer(&a, "RTP/SAVP", CRYPTO("1 " S80 "inline:" KEY30)).r, 0);
    assert_int_equal(take(&a, "RTP/SAVP", CRYPTO("1 " S80 "inline:" KEY30_B)).r, SECSIP_E_SDES_TAG);
    ssi_sdes_session_wipe(&a);
}

static void an_offer_that_cannot_be_written_is_not_made(void **state)
{
    (void)state;
    struct ssi_sdes_session a;
    struct ssi_buf b;

    ssi_sdes_session_init(&a, &mandatory);
    ssi_buf_init_secret(&b, 20);
    assert_int_equal(ssi_sdes_put_offer(&a, &b), SECSIP_E_LIMIT);
    assert_false(a.has_pending);
    ssi_buf_free(&b);
    a.config.n_suites = 0;
    assert_int_equal(offer(&a).r, SECSIP_E_INVALID);
    a.config.policy = SSI_SDES_OFF;
    struct result o = offer(&a);
    assert_int_equal(o.r, 0);
    assert_string_equal(o.written, "");
    assert_string_equal(o.profile, "RTP/AVP");
    assert_int_equal(take(&a, "RTP/AVP", CRYPTO("1 " S80 "inline:" KEY30)).r, SECSIP_E_SDES_TAG);
    assert_int_equal(take(&a, "RTP/AVP", "").r, 0);
    ssi_sdes_session_wipe(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_sides_agree_on_the_first_suite_and_two_keys),
        cmocka_unit_test(the_offerers_order_decides_and_the_spelling_comes_back),
        cmocka_unit_test(our_lines_carry_lifetime_mki_and_no_padding_when_asked),
        cmocka_unit_test(bad_answers_are_refused_by_name_and_change_nothing),
        cmocka_unit_test(a_refused_or_missing_media_line_is_no_answer),
        cmocka_unit_test(our_own_key_never_comes_back_as_the_peers),
        cmocka_unit_test(offers_by_policy),
        cmocka_unit_test(one_key_on_two_media_lines_is_refused),
        cmocka_unit_test(lines_beyond_the_limit_are_passed_over),
        cmocka_unit_test(field_05_an_offer_changes_no_key_before_its_answer),
        cmocka_unit_test(field_08_mki_is_kept_and_several_keys_only_where_they_can_be_held),
        cmocka_unit_test(field_11_the_peers_spelling_stays_in_our_offers),
        cmocka_unit_test(field_12_renumbered_tag_is_matched_by_suite_only_on_demand),
        cmocka_unit_test(field_13_optional_offers_avp_with_crypto),
        cmocka_unit_test(field_14_mandatory_is_checked_on_every_offer_and_answer),
        cmocka_unit_test(field_16_a_copy_per_fork_holds_its_own_key),
        cmocka_unit_test(field_17_srtp_does_not_fall_to_clear_within_a_call),
        cmocka_unit_test(a_refresh_that_changes_nothing_changes_no_key),
        cmocka_unit_test(a_changed_key_of_the_peer_gets_a_fresh_one_of_ours),
        cmocka_unit_test(an_offer_crossing_ours_is_not_answered),
        cmocka_unit_test(an_offer_that_cannot_be_written_is_not_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
