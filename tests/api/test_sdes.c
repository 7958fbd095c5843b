/* The public SDP and SDES objects, as a program with a SIP stack of its own uses them. */
#include "test.h"

#include "oom.h"
#include "secsip/secsip.h"

#define KEY30   "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
#define KEY30_B "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"
#define S80     "AES_CM_128_HMAC_SHA1_80"

static secsip_sdp_builder *begin(const char *media)
{
    secsip_sdp_builder *b = NULL;

    assert_int_equal(secsip_sdp_builder_new(&b), 0);
    assert_int_equal(secsip_sdp_builder_put(b, 'v', "0"), 0);
    assert_int_equal(secsip_sdp_builder_put(b, 'o', "- 1 1 IN IP4 192.0.2.1"), 0);
    assert_int_equal(secsip_sdp_builder_put(b, 's', "-"), 0);
    assert_int_equal(secsip_sdp_builder_put(b, 'c', "IN IP4 192.0.2.1"), 0);
    assert_int_equal(secsip_sdp_builder_put(b, 't', "0 0"), 0);
    assert_int_equal(secsip_sdp_builder_put(b, 'm', media), 0);
    return b;
}

/* The builder's text as a description; the builder is freed. */
static secsip_sdp *finish(secsip_sdp_builder *b)
{
    const char *text = NULL, *why = "";
    secsip_sdp *sdp = NULL;
    size_t len = 0;

    assert_int_equal(secsip_sdp_builder_finish(b, &text, &len, &why), 0);
    assert_int_equal(strlen(text), len);
    assert_int_equal(secsip_sdp_parse(text, len, NULL, NULL, NULL, &sdp), 0);
    secsip_sdp_builder_free(b);
    return sdp;
}

static void a_description_is_read_through_its_getters(void **state)
{
    (void)state;
    static const char text[] =
        "v=0\no=al 7 8 IN IP4 192.0.2.9\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\na=inactive\n"
        "m=audio 4000 RTP/SAVP 0 8\na=rtpmap:0 PCMU/8000\na=rtpmap:8 PCMA/8000\na=sendonly\n"
        "m=video 0 RTP/AVP 99";
    secsip_sdp *sdp = NULL;
    secsip_sdp_media m = {.size = sizeof m};
    secsip_sdp_origin o = {.size = sizeof o};
    const char *value = NULL;
    int32_t letter = 0;
    uint32_t at = 0;

    assert_int_equal(secsip_sdp_parse(text, sizeof text - 1, NULL, NULL, NULL, &sdp), 0);
    assert_int_equal(secsip_sdp_count_lines(sdp), 11);
    assert_int_equal(secsip_sdp_get_line(sdp, 10, &letter, &value), 0);
    assert_int_equal(letter, 'm');
    assert_string_equal(value, "video 0 RTP/AVP 99");
    assert_int_equal(secsip_sdp_get_line(sdp, 11, &letter, &value), SECSIP_E_NOT_FOUND);
    assert_int_equal(secsip_sdp_get_origin(sdp, &o), 0);
    assert_string_equal(o.user, "al");
    assert_string_equal(o.version, "8");
    assert_int_equal(secsip_sdp_count_media(sdp), 2);
    assert_int_equal(secsip_sdp_get_media(sdp, 0, &m), 0);
    assert_string_equal(m.kind, "audio");
    assert_string_equal(m.profile, "RTP/SAVP");
    assert_string_equal(m.formats, "0 8");
    assert_string_equal(m.address, "192.0.2.1");
    assert_string_equal(m.direction, "sendonly");
    assert_int_equal(m.port, 4000);
    assert_int_equal(secsip_sdp_get_media(sdp, 1, &m), 0);
    assert_string_equal(m.direction, "inactive");
    assert_int_equal(secsip_sdp_get_media(sdp, 2, &m), SECSIP_E_NOT_FOUND);
    m.size = 3;
    assert_int_equal(secsip_sdp_get_media(sdp, 0, &m), SECSIP_E_ABI);
    assert_int_equal(secsip_sdp_find_attribute(sdp, 0, "rtpmap", &at, &value), 0);
    assert_string_equal(value, "0 PCMU/8000");
    assert_int_equal(secsip_sdp_find_attribute(sdp, 0, "rtpmap", &at, &value), 0);
    assert_string_equal(value, "8 PCMA/8000");
    assert_int_equal(secsip_sdp_find_attribute(sdp, 0, "rtpmap", &at, &value), SECSIP_E_NOT_FOUND);
    at = 0;
    assert_int_equal(secsip_sdp_find_attribute(sdp, -1, "inactive", &at, &value), 0);
    assert_string_equal(value, "");
    at = 0;
    assert_int_equal(secsip_sdp_find_attribute(sdp, -2, "inactive", &at, &value),
                     SECSIP_E_NOT_FOUND);
    secsip_sdp_free(sdp);
    secsip_sdp_free(NULL);
}

static void a_refused_description_says_where_and_why(void **state)
{
    (void)state;
    secsip_sdp_limits limits = {.size = sizeof limits, .max_lines = 2};
    secsip_sdp *sdp = NULL;
    const char *why = NULL;
    size_t offset = 0;

    assert_int_equal(secsip_sdp_parse("v=0\nx", 5, NULL, &offset, &why, &sdp), SECSIP_E_SDP_SYNTAX);
    assert_int_equal(offset, 4);
    assert_true(why[0]);
    assert_int_equal(secsip_sdp_parse("v=0\nv=0\nv=0", 11, &limits, &offset, &why, &sdp),
                     SECSIP_E_SDP_LINES);
    assert_int_equal(offset, 8);
    limits.size = 2;
    assert_int_equal(secsip_sdp_parse("v=0", 3, &limits, NULL, NULL, &sdp), SECSIP_E_ABI);
    assert_int_equal(secsip_sdp_parse(NULL, 3, NULL, NULL, NULL, &sdp), SECSIP_E_INVALID);
    assert_int_equal(secsip_sdp_parse("", 0, NULL, NULL, NULL, &sdp), SECSIP_E_SDP_MISSING);
    assert_null(sdp);
}

static void the_builder_keeps_its_first_failure(void **state)
{
    (void)state;
    secsip_sdp_builder *b = begin("audio 4000 RTP/AVP 0");
    const char *text = NULL, *why = NULL;

    assert_int_equal(secsip_sdp_builder_put(b, 'A', "x"), SECSIP_E_INVALID);
    assert_int_equal(secsip_sdp_builder_put(b, 't', "0 0"), 0);
    assert_int_equal(secsip_sdp_builder_finish(b, &text, NULL, &why), SECSIP_E_SDP_ORDER);
    assert_non_null(why);
    assert_int_equal(secsip_sdp_builder_put(b, 'a', "x\r\na=crypto:1"), SECSIP_E_SIP_INJECTION);
    assert_int_equal(secsip_sdp_builder_put(b, 'a', "x"), SECSIP_E_SIP_INJECTION);
    assert_int_equal(secsip_sdp_builder_finish(b, &text, NULL, &why), SECSIP_E_SIP_INJECTION);
    secsip_sdp_builder_free(b);
}

static void a_line_shows_everything_but_its_key(void **state)
{
    (void)state;
    static const char text[] = "a=crypto:7 " S80 " inline:" KEY30
                               "|2^20|1:4  KDR=0\tFEC_KEY=inline:" KEY30_B "|2^20|1:4 -x";
    secsip_sdes_lines *lines = NULL;
    secsip_sdes_line l = {.size = sizeof l};
    secsip_sdes_key k = {.size = sizeof k};
    uint8_t key[46];
    size_t len = 0;

    assert_int_equal(secsip_sdes_lines_new(&lines), 0);
    assert_int_equal(secsip_sdes_lines_add(lines, text, sizeof text - 1), 0);
    assert_int_equal(secsip_sdes_lines_add(lines, "x", 1), 0);
    assert_int_equal(secsip_sdes_lines_count(lines), 2);
    assert_int_equal(secsip_sdes_lines_get(lines, 0, &l), 0);
    assert_int_equal(l.usable, SECSIP_E_SDES_PARAM);
    assert_string_equal(l.why, "FEC_KEY is not implemented");
    assert_string_equal(l.suite, S80);
    assert_string_equal(l.params, "KDR=0 FEC_KEY=inline:***|2^20|1:4 -x");
    assert_string_equal(l.masked,
                        "7 " S80 " inline:***|1048576|1:4 KDR=0 FEC_KEY=inline:***|2^20|1:4 -x");
    assert_int_equal(l.n_keys, 1);
    assert_int_equal(secsip_sdes_lines_get_key(lines, 0, 0, &k), 0);
    assert_true(k.lifetime == 1048576);
    assert_string_equal(k.mki, "1");
    assert_int_equal(k.mki_len, 4);
    assert_int_equal(k.n_bytes, 30);
    assert_int_equal(secsip_sdes_lines_get_key(lines, 0, 1, &k), SECSIP_E_NOT_FOUND);
    assert_int_equal(secsip_sdes_lines_get_secret(lines, 0, 0, key, 29, &len), SECSIP_E_LIMIT);
    assert_int_equal(secsip_sdes_lines_get_secret(lines, 0, 0, key, sizeof key, &len), 0);
    assert_int_equal(len, 30);
    assert_memory_equal(key, "YS___semctl () {\t220;}\n}\nunles", 30);
    assert_int_equal(secsip_sdes_lines_get(lines, 1, &l), 0);
    assert_int_equal(l.usable, SECSIP_E_SDES_SYNTAX);
    assert_string_equal(l.suite, "");
    assert_int_equal(secsip_sdes_lines_get(lines, 2, &l), SECSIP_E_NOT_FOUND);
    for (int i = 2; i < 16; i++)
        assert_int_equal(secsip_sdes_lines_add(lines, "x", 1), 0);
    assert_int_equal(secsip_sdes_lines_add(lines, "x", 1), SECSIP_E_LIMIT);
    secsip_sdes_lines_free(lines);
    secsip_sdes_lines_free(NULL);
}

/* Whoever writes a line wrongly has the key in another place, and no log shows it there. */
static void a_key_in_the_wrong_place_is_not_shown(void **state)
{
    (void)state;
    static const struct {
        const char *line, *suite, *params;
    } rows[] = {
        {"1 " KEY30 " inline:" KEY30, "***", ""},
        {"1 " S80 " inline:" KEY30 " FEC_KEY=" KEY30 " KEY=" KEY30 " " KEY30, S80,
         "FEC_KEY=*** KEY=*** ***"},
        {"1 AES_CM_256_HMAC_SHA1_80 inline:" KEY30 " UNAUTHENTICATED_SRTP -x=y WSH=64",
         "AES_CM_256_HMAC_SHA1_80", "UNAUTHENTICATED_SRTP -x=y WSH=64"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        secsip_sdes_lines *lines = NULL;
        secsip_sdes_line l = {.size = sizeof l};
        assert_int_equal(secsip_sdes_lines_new(&lines), 0);
        assert_int_equal(secsip_sdes_lines_add(lines, rows[i].line, strlen(rows[i].line)), 0);
        assert_int_equal(secsip_sdes_lines_get(lines, 0, &l), 0);
        assert_string_equal(l.suite, rows[i].suite);
        assert_string_equal(l.params, rows[i].params);
        assert_null(strstr(l.masked, KEY30));
        secsip_sdes_lines_free(lines);
    }
}

static void two_sessions_agree_and_give_their_keys_crosswise(void **state)
{
    (void)state;
    secsip_sdes_config c = {.size = sizeof c, .lifetime = 1000, .mki_len = 2};
    secsip_sdes_session *a = NULL, *b = NULL, *fork = NULL;
    secsip_sdes_agreement x = {.size = sizeof x};
    secsip_sdes_key k = {.size = sizeof k};
    uint8_t one[46], two[46];
    size_t n = 0, m = 0;

    assert_int_equal(secsip_sdes_session_new(&c, &a), 0);
    assert_int_equal(secsip_sdes_session_new(NULL, &b), 0);
    assert_string_equal(secsip_sdes_session_get_profile(a), "RTP/SAVP");
    assert_int_equal(secsip_sdes_session_get_agreement(a, &x), SECSIP_E_NOT_FOUND);
    secsip_sdp_builder *text = begin("audio 4000 RTP/SAVP 0");
    assert_int_equal(secsip_sdes_session_put_offer(a, text), 0);
    secsip_sdp *offer = finish(text);
    assert_int_equal(secsip_sdes_session_copy(a, &fork), 0);
    text = begin("audio 4002 RTP/SAVP 0");
    assert_int_equal(secsip_sdes_session_answer(b, offer, 0, text, NULL), 0);
    secsip_sdp *answer = finish(text);
    assert_int_equal(secsip_sdes_session_take_answer(a, answer, 0, NULL), 0);
    assert_int_equal(secsip_sdes_session_get_agreement(a, &x), 0);
    assert_int_equal(x.secure, 1);
    assert_string_equal(x.suite, "AEAD_AES_256_GCM");
    assert_int_equal(x.n_rx_keys, 1);
    assert_int_equal(secsip_sdes_session_get_secret(a, SECSIP_SDES_KEY_TX, 0, one, sizeof one, &n),
                     0);
    assert_int_equal(secsip_sdes_session_get_secret(b, SECSIP_SDES_KEY_RX, 0, two, sizeof two, &m),
                     0);
    assert_int_equal(n, 44);
    assert_int_equal(m, 44);
    assert_memory_equal(one, two, 44);
    assert_int_equal(secsip_sdes_session_get_secret(b, SECSIP_SDES_KEY_TX, 0, two, sizeof two, &m),
                     0);
    assert_memory_not_equal(one, two, 44);
    assert_int_equal(secsip_sdes_session_get_key(a, SECSIP_SDES_KEY_TX, 0, &k), 0);
    assert_true(k.lifetime == 1000);
    assert_string_equal(k.mki, "1");
    assert_int_equal(k.mki_len, 2);
    assert_int_equal(secsip_sdes_session_get_key(a, SECSIP_SDES_KEY_TX, 1, &k), SECSIP_E_NOT_FOUND);
    assert_int_equal(secsip_sdes_session_get_key(a, 2, 0, &k), SECSIP_E_NOT_FOUND);
    /* The fork waits still, and takes the same answer as its own. */
    assert_int_equal(secsip_sdes_session_get_agreement(fork, &x), SECSIP_E_NOT_FOUND);
    assert_int_equal(secsip_sdes_session_take_answer(fork, answer, 0, NULL), 0);
    assert_int_equal(secsip_sdes_session_rekey(fork), 0);
    assert_int_equal(secsip_sdes_session_rollback(fork), 0);
    secsip_sdp_free(offer);
    secsip_sdp_free(answer);
    secsip_sdes_session_free(a);
    secsip_sdes_session_free(b);
    secsip_sdes_session_free(fork);
    secsip_sdes_session_free(NULL);
}

/* The public way through the styles: which line to answer and with which profile is asked first. */
static void a_potential_configuration_is_chosen_answered_and_taken(void **state)
{
    (void)state;
    secsip_sdes_config c = {.size = sizeof c,
                            .policy = SECSIP_SDES_OPTIONAL,
                            .style = SECSIP_SDES_STYLE_CAPABILITY,
                            .options = SECSIP_SDES_INSECURE_UNENCRYPTED_SRTCP,
                            .offer_forms = SECSIP_SDES_FORM_UNENCRYPTED_SRTCP,
                            .suites = "AES_CM_128_HMAC_SHA1_80"};
    secsip_sdes_session *a = NULL, *b = NULL;
    secsip_sdes_agreement x = {.size = sizeof x};
    const char *profile = NULL, *why = NULL;
    uint32_t media = 9;

    assert_int_equal(secsip_sdes_session_new(&c, &a), 0);
    assert_string_equal(secsip_sdes_session_get_offer_profile(a, 0), "RTP/AVP");
    assert_null(secsip_sdes_session_get_offer_profile(a, 1));
    assert_null(secsip_sdes_session_get_offer_profile(NULL, 0));
    secsip_sdp_builder *text = begin("audio 4000 RTP/AVP 0");
    assert_int_equal(secsip_sdes_session_put_offer(a, text), 0);
    secsip_sdp *offer = finish(text);
    c.offer_forms = 0;
    c.policy = SECSIP_SDES_MANDATORY;
    assert_int_equal(secsip_sdes_session_new(&c, &b), 0);
    assert_int_equal(secsip_sdes_session_choose_media(b, offer, "video", &media, &profile, &why),
                     SECSIP_E_SDP_MEDIA);
    assert_null(profile);
    assert_int_equal(secsip_sdes_session_choose_media(b, offer, "audio", &media, &profile, &why),
                     0);
    assert_int_equal(media, 0);
    assert_string_equal(profile, "RTP/SAVP");
    text = begin("audio 4002 RTP/SAVP 0");
    assert_int_equal(secsip_sdes_session_answer(b, offer, 0, text, NULL), 0);
    secsip_sdp *answer = finish(text);
    assert_int_equal(secsip_sdes_session_take_answer(a, answer, 0, &why), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(secsip_sdes_session_get_agreement(i ? a : b, &x), 0);
        assert_int_equal(x.secure, 1);
        assert_int_equal(x.forms, SECSIP_SDES_FORM_UNENCRYPTED_SRTCP);
        assert_int_equal(x.quirks, 0);
        assert_int_equal(x.line, 0);
    }
    secsip_sdp_free(offer);
    secsip_sdp_free(answer);
    secsip_sdes_session_free(a);
    secsip_sdes_session_free(b);
}

static void an_offer_kept_as_text_can_be_taken_up_again(void **state)
{
    (void)state;
    secsip_sdes_session *s = NULL;
    secsip_sdes_agreement x = {.size = sizeof x};
    const char *why = NULL;

    assert_int_equal(secsip_sdes_session_new(NULL, &s), 0);
    secsip_sdp_builder *b = begin("audio 4000 RTP/SAVP 0");
    assert_int_equal(
        secsip_sdp_builder_put(b, 'a',
                               "crypto:3 AES_192_CM_HMAC_SHA1_80 "
                               "inline:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSY="),
        0);
    secsip_sdp *offer = finish(b);
    assert_int_equal(secsip_sdes_session_adopt_offer(s, offer, 1), SECSIP_E_SDP_MEDIA);
    assert_int_equal(secsip_sdes_session_adopt_offer(s, offer, 0), 0);
    assert_int_equal(secsip_sdes_session_adopt_offer(s, offer, 0), SECSIP_E_STATE);
    assert_int_equal(secsip_sdes_session_take_answer(s, offer, 0, &why), SECSIP_E_SDES_KEY_WEAK);
    assert_string_equal(why, "the peer's key is one of our own");
    b = begin("audio 4000 RTP/SAVP 0");
    assert_int_equal(
        secsip_sdp_builder_put(b, 'a',
                               "crypto:3 AES_192_CM_HMAC_SHA1_80 "
                               "inline:AgIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSY="),
        0);
    secsip_sdp *answer = finish(b);
    assert_int_equal(secsip_sdes_session_take_answer(s, answer, 0, &why), 0);
    assert_int_equal(secsip_sdes_session_get_agreement(s, &x), 0);
    assert_int_equal(x.tag, 3);
    secsip_sdp_free(offer);
    secsip_sdp_free(answer);
    secsip_sdes_session_free(s);
}

/* An audio line with this crypto line, or none, from the peer. */
static secsip_sdp *peer_says(const char *crypto)
{
    secsip_sdp_builder *b = begin(crypto ? "audio 4000 RTP/SAVP 0" : "audio 4000 RTP/AVP 0");

    if (crypto)
        assert_int_equal(secsip_sdp_builder_put(b, 'a', crypto), 0);
    return finish(b);
}

static secsip_result answer_it(secsip_sdes_session *s, const char *crypto)
{
    secsip_sdp_builder *b = begin("audio 5000 RTP/SAVP 0");
    secsip_sdp *offer = peer_says(crypto);
    const char *profile, *why = NULL;
    uint32_t media = 9;

    secsip_result r = secsip_sdes_session_choose_media(s, offer, "audio", &media, &profile, &why);
    if (r == 0)
        r = secsip_sdes_session_answer(s, offer, media, b, &why);
    secsip_sdp_free(offer);
    secsip_sdp_builder_free(b);
    return r;
}

static void get_tx(const secsip_sdes_session *s, uint8_t out[46])
{
    size_t n;

    memset(out, 0, 46);
    assert_int_equal(secsip_sdes_session_get_secret(s, SECSIP_SDES_KEY_TX, 0, out, 46, &n), 0);
}

static void what_is_agreed_is_taken_back_until_it_is_confirmed(void **state)
{
    (void)state;
    static const char one[] = "crypto:1 " S80 " inline:" KEY30;
    static const char two[] = "crypto:1 " S80 " inline:" KEY30_B;
    secsip_sdes_config c = {.size = sizeof c, .policy = SECSIP_SDES_OPTIONAL};
    secsip_sdes_agreement x = {.size = sizeof x};
    secsip_sdes_session *s = NULL, *video = NULL;
    uint8_t first[46], now[46];

    assert_int_equal(secsip_sdes_session_new(&c, &s), 0);
    assert_int_equal(answer_it(s, one), 0);
    get_tx(s, first);
    /* A clear offer is refused, and rolling back after it undoes nothing that was confirmed by it. */
    assert_int_equal(answer_it(s, NULL), SECSIP_E_SDES_NO_CRYPTO);
    assert_int_equal(secsip_sdes_session_rollback(s), 0);
    assert_int_equal(secsip_sdes_session_get_agreement(s, &x), 0);
    assert_int_equal(x.secure, 1);
    assert_int_equal(answer_it(s, NULL), SECSIP_E_SDES_NO_CRYPTO);
    /* One that was not sent. */
    assert_int_equal(answer_it(s, two), 0);
    assert_int_equal(secsip_sdes_session_rollback(s), 0);
    get_tx(s, now);
    assert_memory_equal(first, now, sizeof now);
    /* A re-INVITE answered early, with an UPDATE inside, and refused; and one that is accepted. */
    assert_int_equal(secsip_sdes_session_revert(s), SECSIP_E_STATE);
    assert_int_equal(secsip_sdes_session_begin(s), 0);
    assert_int_equal(answer_it(s, two), 0);
    assert_int_equal(answer_it(s, one), 0);
    assert_int_equal(secsip_sdes_session_revert(s), 0);
    get_tx(s, now);
    assert_memory_equal(first, now, sizeof now);
    assert_int_equal(secsip_sdes_session_begin(s), 0);
    assert_int_equal(answer_it(s, two), 0);
    assert_int_equal(secsip_sdes_session_settle(s), 0);
    assert_int_equal(secsip_sdes_session_rollback(s), 0);
    get_tx(s, now);
    assert_memory_not_equal(first, now, sizeof now);
    /* Another line of the call. */
    assert_int_equal(secsip_sdes_session_new(NULL, &video), 0);
    assert_int_equal(secsip_sdes_session_join(video, video), SECSIP_E_INVALID);
    assert_int_equal(secsip_sdes_session_join(video, s), 0);
    assert_int_equal(secsip_sdes_session_join(video, s), SECSIP_E_STATE);
    assert_int_equal(secsip_sdes_session_settle(NULL), SECSIP_E_INVALID);
    assert_int_equal(secsip_sdes_session_begin(NULL), SECSIP_E_INVALID);
    assert_int_equal(secsip_sdes_session_revert(NULL), SECSIP_E_INVALID);
    secsip_sdes_session_free(s);
    secsip_sdes_session_free(video);
}

/* What was agreed on can be done: an SRTP session takes suite and forms as the agreement gives them. */
static void an_agreement_without_encryption_says_so_to_srtp(void **state)
{
    (void)state;
    secsip_sdes_config c = {.size = sizeof c,
                            .suites = "NULL_HMAC_SHA1_80",
                            .options = SECSIP_SDES_INSECURE_NULL_CIPHER};
    secsip_sdes_agreement x = {.size = sizeof x};
    secsip_sdes_session *s = NULL;
    secsip_srtp *tx = NULL;
    uint8_t key[46], packet[100] = {0x80}, was[100];
    size_t n = 0, len = 60;

    assert_int_equal(secsip_sdes_session_new(&c, &s), 0);
    assert_int_equal(answer_it(s, "crypto:1 NULL_HMAC_SHA1_80 inline:" KEY30), 0);
    assert_int_equal(secsip_sdes_session_get_agreement(s, &x), 0);
    assert_int_equal(x.forms,
                     SECSIP_SDES_FORM_UNENCRYPTED_SRTP | SECSIP_SDES_FORM_UNENCRYPTED_SRTCP);
    assert_int_equal(secsip_sdes_session_get_secret(s, SECSIP_SDES_KEY_TX, 0, key, sizeof key, &n),
                     0);
    secsip_srtp_config srtp = {.size = sizeof srtp, .suite = x.suite, .key = key, .key_len = n};
    assert_true(secsip_srtp_new(&srtp, &tx) < 0);
    srtp.options = SECSIP_SRTP_INSECURE_UNENCRYPTED_RTP;
    assert_true(secsip_srtp_new(&srtp, &tx) < 0);
    srtp.options |= SECSIP_SRTP_INSECURE_UNENCRYPTED_RTCP;
    assert_int_equal(secsip_srtp_new(&srtp, &tx), 0);
    memcpy(was, packet, sizeof was);
    assert_int_equal(secsip_srtp_protect_rtp(tx, packet, &len, sizeof packet), 0);
    assert_int_equal(len, 70);
    assert_memory_equal(packet, was, 60);
    secsip_srtp_free(tx);
    static const char line[] = "a=crypto:1 NULL_HMAC_SHA1_80 inline:" KEY30;
    assert_int_equal(secsip_srtp_new_from_crypto(line, sizeof line - 1, SECSIP_SRTP_SEND,
                                                 SECSIP_SRTP_INSECURE_NULL_CIPHER, &tx),
                     0);
    secsip_srtp_free(tx);
    assert_int_equal(secsip_srtp_new_from_crypto(line, sizeof line - 1, SECSIP_SRTP_SEND, 0, &tx),
                     SECSIP_E_SDES_SUITE);
    secsip_sdes_session_free(s);
}

static void configurations_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    secsip_sdes_session *s = NULL;
    secsip_sdes_config c = {.size = sizeof c};

    c.suites = "AES_CM_128_HMAC_SHA1_80,F8_128_HMAC_SHA1_80";
    assert_int_equal(secsip_sdes_session_new(&c, &s), SECSIP_E_SDES_SUITE);
    c = (secsip_sdes_config){.size = sizeof c, .policy = 3};
    assert_int_equal(secsip_sdes_session_new(&c, &s), SECSIP_E_INVALID);
    c = (secsip_sdes_config){.size = sizeof c, .options = 1U << 31};
    assert_int_equal(secsip_sdes_session_new(&c, &s), SECSIP_E_INVALID);
    c = (secsip_sdes_config){.size = sizeof c, .mki_len = 129};
    assert_int_equal(secsip_sdes_session_new(&c, &s), SECSIP_E_INVALID);
    c = (secsip_sdes_config){.size = sizeof c, .lifetime = (UINT64_C(1) << 48) + 1};
    assert_int_equal(secsip_sdes_session_new(&c, &s), SECSIP_E_INVALID);
    c = (secsip_sdes_config){.size = sizeof c, .max_keys = 5};
    assert_int_equal(secsip_sdes_session_new(&c, &s), SECSIP_E_INVALID);
    c = (secsip_sdes_config){.size = sizeof c, .style = 4};
    assert_int_equal(secsip_sdes_session_new(&c, &s), SECSIP_E_INVALID);
    c = (secsip_sdes_config){.size = sizeof c, .suites = "NULL_HMAC_SHA1_80"};
    assert_int_equal(secsip_sdes_session_new(&c, &s), SECSIP_E_SDES_SUITE);
    c = (secsip_sdes_config){.size = sizeof c, .offer_forms = SECSIP_SDES_FORM_UNENCRYPTED_SRTP};
    assert_int_equal(secsip_sdes_session_new(&c, &s), SECSIP_E_INVALID);
    c = (secsip_sdes_config){.size = 4};
    assert_int_equal(secsip_sdes_session_new(&c, &s), SECSIP_E_ABI);
    assert_int_equal(secsip_sdes_session_new(NULL, NULL), SECSIP_E_INVALID);
    assert_null(s);
}

/* An offer answered, with whatever memory there is. */
static void exchange(void *arg)
{
    static const char offer[] =
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
        "m=audio 4 RTP/SAVP 0\r\na=crypto:1 " S80 " inline:" KEY30 "|2^20|1:4 -x\r\n";
    secsip_sdes_session *s = NULL, *copy = NULL;
    secsip_sdes_lines *lines = NULL;
    secsip_sdp_builder *b = NULL;
    secsip_sdp *sdp = NULL;
    const char *text = NULL;

    (void)arg;
    secsip_result r = secsip_sdp_parse(offer, sizeof offer - 1, NULL, NULL, NULL, &sdp);
    if (r == 0)
        r = secsip_sdes_lines_from_sdp(sdp, 0, &lines);
    if (r == 0)
        r = secsip_sdes_lines_add(lines, offer, 5);
    if (r == 0)
        r = secsip_sdes_session_new(NULL, &s);
    if (r == 0)
        r = secsip_sdes_session_copy(s, &copy);
    if (r == 0)
        r = secsip_sdp_builder_new(&b);
    for (size_t i = 0; r == 0 && i < 6; i++) {
        static const char *const values[] = {"0",   "- 1 1 IN IP4 h",    "-", "IN IP4 h",
                                             "0 0", "audio 4 RTP/SAVP 0"};
        r = secsip_sdp_builder_put(b, "vosctm"[i], values[i]);
    }
    if (r == 0)
        r = secsip_sdes_session_answer(copy, sdp, 0, b, NULL);
    if (r == 0)
        r = secsip_sdp_builder_finish(b, &text, NULL, NULL);
    assert_int_equal(r, test_oom_has_failed() ? SECSIP_E_NOMEM : 0);
    secsip_sdp_free(sdp);
    secsip_sdes_lines_free(lines);
    secsip_sdes_session_free(s);
    secsip_sdes_session_free(copy);
    secsip_sdp_builder_free(b);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    assert_true(test_oom_each(exchange, NULL) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_description_is_read_through_its_getters),
        cmocka_unit_test(a_refused_description_says_where_and_why),
        cmocka_unit_test(the_builder_keeps_its_first_failure),
        cmocka_unit_test(a_line_shows_everything_but_its_key),
        cmocka_unit_test(a_key_in_the_wrong_place_is_not_shown),
        cmocka_unit_test(two_sessions_agree_and_give_their_keys_crosswise),
        cmocka_unit_test(a_potential_configuration_is_chosen_answered_and_taken),
        cmocka_unit_test(an_offer_kept_as_text_can_be_taken_up_again),
        cmocka_unit_test(what_is_agreed_is_taken_back_until_it_is_confirmed),
        cmocka_unit_test(an_agreement_without_encryption_says_so_to_srtp),
        cmocka_unit_test(configurations_that_make_no_sense_are_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
