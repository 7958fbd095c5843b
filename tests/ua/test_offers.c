/* Offers and answers of calls: SRTP where it is optional, in every style and with every peer; forks, each with a key of its own;
 * re-INVITEs that add media, take them away or fail. On virtual time, with a peer that is told what to say. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "peer.h"
#include "rtp/packet.h"
#include "secsip/sdes.h"
#include "srtp/srtp.h"
#include "ua/call.h"

#define HEAD   "v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\n"
#define KEY    "MTIzNDU2Nzg5MEFCQ0RFRkdISUpLTE1OT1BRUlNU" /* 30 bytes */
#define KEY_B  "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"
#define S80    "AES_CM_128_HMAC_SHA1_80"
#define SAVP   "m=audio 5000 RTP/SAVP 0\r\n"
#define AVP    "m=audio 5000 RTP/AVP 0\r\n"
#define CRYPTO "a=crypto:1 " S80 " inline:" KEY "\r\n"

static const secsip_account_config optional_avp = {
    .suites = S80, .media_security = SECSIP_MEDIA_SECURITY_OPTIONAL};
static const secsip_account_config mandatory = {.suites = S80};

static struct lab l;
static struct peer p;

static bool alice_ended(void *arg)
{
    (void)arg;
    return l.alice.n_ended > 0;
}

static bool alice_talks(void *arg)
{
    (void)arg;
    return l.alice.call_state == SECSIP_CALL_ESTABLISHED;
}

static void run_ms(uint64_t ms)
{
    simnet_run(l.net, ms * 1000, NULL, NULL);
}

static void start(const secsip_account_config *config, const char *answer)
{
    peer_start(&l, &p, config);
    p.final = answer ? 200 : 0;
    p.final_sdp = answer;
    lab_call(&l, &l.alice, "sip:bob@example.test");
    if (answer) {
        assert_true(simnet_run(l.net, 5000000, alice_talks, &l));
        run_ms(200);
    } else {
        run_ms(500);
    }
}

/* ---- the styles, as alice offers them */
static const struct style {
    uint32_t style;
    const char *offer;    /* what stands in it */
    const char *no_offer; /* and what does not */
    const char *answer;
    const char *suite; /* agreed on; "" in clear */
    uint32_t quirks;
    secsip_result result;
} styles[] = {
    {SECSIP_SDES_STYLE_AVP, "RTP/AVP 0 8\r\n", "SAVP", HEAD AVP CRYPTO, S80, 0, 0},
    {SECSIP_SDES_STYLE_AVP, "a=crypto:1 " S80, "acap", HEAD AVP, "", 0, 0},
    /* FIELD 13, sipwise/rtpengine#951: RTP/SAVP in answer to RTP/AVP. */
    {SECSIP_SDES_STYLE_AVP, "a=crypto:1 " S80, "acap", HEAD SAVP CRYPTO, S80,
     SECSIP_SDES_QUIRK_PROFILE, 0},
    {SECSIP_SDES_STYLE_TWO_LINES, "RTP/SAVP 0 8\r\n", "acap",
     HEAD SAVP CRYPTO "m=audio 0 RTP/AVP 0\r\n", S80, 0, 0},
    {SECSIP_SDES_STYLE_TWO_LINES, "RTP/AVP 0 8\r\n", "acap", HEAD "m=audio 0 RTP/SAVP 0\r\n" AVP,
     "", 0, 0},
    {SECSIP_SDES_STYLE_TWO_LINES, "RTP/AVP 0 8\r\n", "acap", HEAD SAVP AVP, NULL, 0,
     SECSIP_E_SDES_NO_CRYPTO},
    {SECSIP_SDES_STYLE_TWO_LINES, "RTP/AVP 0 8\r\n", "acap", HEAD SAVP CRYPTO, NULL, 0,
     SECSIP_E_SDP_MEDIA},
    {SECSIP_SDES_STYLE_CAPABILITY, "a=acap:1 crypto:1 " S80, "a=crypto",
     HEAD SAVP CRYPTO "a=acfg:1 t=1 a=1\r\n", S80, 0, 0},
    {SECSIP_SDES_STYLE_CAPABILITY, "a=tcap:1 RTP/SAVP\r\n", "a=crypto", HEAD AVP, "", 0, 0},
    {SECSIP_SDES_STYLE_CAPABILITY, "a=pcfg:1 t=1 a=1\r\n", "a=crypto",
     HEAD SAVP CRYPTO "a=acfg:2 t=1 a=1\r\n", NULL, 0, SECSIP_E_SDES_PARAM},
    {SECSIP_SDES_STYLE_SAVP, "RTP/SAVP 0 8\r\n", "RTP/AVP", HEAD SAVP CRYPTO, S80, 0, 0},
    {SECSIP_SDES_STYLE_SAVP, "RTP/SAVP 0 8\r\n", "RTP/AVP", HEAD AVP, NULL, 0,
     SECSIP_E_SDES_CLEAR_PROFILE},
};

static void field_13_optional_is_offered_in_every_style(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof styles / sizeof *styles; i++) {
        const struct style *s = &styles[i];
        secsip_account_config config = optional_avp;
        config.sdes_style = s->style;
        start(&config, NULL);
        if (!strstr(p.offer, s->offer) || strstr(p.offer, s->no_offer))
            fail_msg("row %zu: %s", i, p.offer);
        peer_answer(&p, 200, s->answer, "peer");
        run_ms(1000);
        if (l.alice.call_result != s->result)
            fail_msg("row %zu: %s", i, l.alice.call_text);
        if (s->result < 0) {
            assert_int_equal(l.alice.n_ended, 1);
            assert_int_equal(p.n_from_alice, 0);
        } else {
            assert_string_equal(l.alice.suite, s->suite);
            assert_int_equal(l.alice.level,
                             s->suite[0] ? SECSIP_SECURITY_HOP : SECSIP_SECURITY_CLEAR);
            assert_int_equal(l.alice.quirks, s->quirks);
            assert_true(p.n_from_alice > 40);
        }
        peer_stop(&l, &p);
    }
}

/* FIELD 13, signalwire/freeswitch#1254: what is refused in one way is offered in the other, once, and nothing weaker follows. */
static void field_13_a_488_brings_one_more_offer_as_savp(void **state)
{
    (void)state;
    for (int refused_twice = 0; refused_twice < 2; refused_twice++) {
        start(&optional_avp, NULL);
        assert_non_null(strstr(p.offer, "RTP/AVP 0 8"));
        static char first[64];
        snprintf(first, sizeof first, "%.40s", strstr(p.offer, "inline:") + 7);
        peer_answer(&p, 488, NULL, "peer");
        run_ms(500);
        assert_string_equal(p.order, "II");
        assert_non_null(strstr(p.offer, "RTP/SAVP 0 8"));
        assert_null(strstr(p.offer, first)); /* the key of the offer that was refused is gone */
        if (refused_twice)
            peer_answer(&p, 488, NULL, "peer");
        else
            peer_answer(&p, 200, HEAD SAVP CRYPTO, "peer");
        run_ms(500);
        assert_string_equal(p.order, refused_twice ? "II" : "IIA");
        assert_int_equal(l.alice.n_ended, refused_twice);
        assert_int_equal(l.alice.call_status, refused_twice ? 488 : 200);
        assert_int_equal(p.n_from_alice > 0, !refused_twice);
        peer_stop(&l, &p);
    }
    /* Where SRTP is required, or off, there is nothing else to offer. */
    secsip_account_config off = {.media_security = SECSIP_MEDIA_SECURITY_INSECURE_CLEAR};
    const secsip_account_config *others[] = {&mandatory, &off};
    for (int i = 0; i < 2; i++) {
        start(others[i], NULL);
        peer_answer(&p, 488, NULL, "peer");
        run_ms(500);
        assert_string_equal(p.order, "I");
        assert_int_equal(l.alice.n_ended, 1);
        peer_stop(&l, &p);
    }
}

static void options_that_a_call_may_not_have_are_refused(void **state)
{
    (void)state;
    secsip_account *a = NULL;
    secsip_account_config c = {.size = sizeof c, .aor = "sip:alice@example.test"};

    lab_start(&l, LAB_SERVER);
    lab_phone(&l, &l.alice, "alice", NULL);
    secsip_stack *stack = simnet_stack(l.alice.host);
    c.sdes_options = SECSIP_SDES_INSECURE_MAY_FALL;
    assert_int_equal(secsip_account_new(stack, &c, NULL, NULL, &a), SECSIP_E_INVALID);
    c.sdes_options = 1U << 11;
    assert_int_equal(secsip_account_new(stack, &c, NULL, NULL, &a), SECSIP_E_INVALID);
    c.sdes_options = 0;
    c.suites = "NULL_HMAC_SHA1_80";
    assert_int_equal(secsip_account_new(stack, &c, NULL, NULL, &a), SECSIP_E_SDES_SUITE);
    c.suites = "AES_192_CM_HMAC_SHA1_80";
#ifdef SECSIP_STOCK_CIPHERS /* before libsrtp2 2.8: cisco/libsrtp#763 */
    assert_int_equal(secsip_account_new(stack, &c, NULL, NULL, &a), SECSIP_E_SRTP_SUITE);
#else
    assert_int_equal(secsip_account_new(stack, &c, NULL, NULL, &a), 0);
    secsip_account_unref(a);
    a = NULL;
#endif
    c.suites = NULL;
    c.sdes_style = 4;
    assert_int_equal(secsip_account_new(stack, &c, NULL, NULL, &a), SECSIP_E_INVALID);
    assert_null(a);
    lab_stop(&l);
}

/* ---- offers of the peer */
static const struct {
    const char *offer;
    const char *answer; /* what stands in ours */
    const char *suite;
} peers_offers[] = {
    {HEAD AVP SAVP CRYPTO, "m=audio 0 RTP/AVP 0\r\nm=audio ", S80},
    {HEAD AVP "a=tcap:1 RTP/SAVP\r\na=acap:7 crypto:1 " S80 " inline:" KEY
              "\r\na=pcfg:3 t=1 a=7\r\n",
     "a=acfg:3 t=1 a=7\r\n", S80},
    {HEAD "m=video 5002 RTP/AVP 31\r\n" AVP CRYPTO "m=image 5004 udptl t38\r\n",
     "m=image 0 udptl t38\r\n", S80},
    {HEAD AVP, "RTP/AVP 0\r\n", ""},
};

static void offers_of_every_style_are_answered(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof peers_offers / sizeof *peers_offers; i++) {
        peer_start(&l, &p, &optional_avp);
        p.call_id[0] = p.alice_tag[0] = 0;
        peer_send(&p, "INVITE", NULL, peers_offers[i].offer);
        run_ms(200);
        if (!strstr(p.last_response, peers_offers[i].answer))
            fail_msg("row %zu: %s", i, p.last_response);
        assert_string_equal(l.alice.suite, peers_offers[i].suite);
        peer_stop(&l, &p);
    }
}

/* RFC 3264 8: the m= lines of a session stay, in their order, in every later offer. */
static void an_offer_of_ours_keeps_the_lines_that_there_were(void **state)
{
    (void)state;
    start(&mandatory, HEAD SAVP CRYPTO);
    peer_send(&p, "INVITE", NULL,
              HEAD "m=video 5002 RTP/AVP 31\r\n" SAVP CRYPTO "m=image 5004 udptl t38\r\n");
    run_ms(100);
    peer_send(&p, "ACK", NULL, NULL);
    run_ms(100);
    peer_send(&p, "INVITE", NULL, NULL);
    run_ms(100);
    const char *video = strstr(p.offer, "m=video 0 RTP/AVP 31\r\nm=audio ");
    assert_non_null(video);
    assert_non_null(strstr(video, "m=image 0 udptl t38\r\n"));
    peer_send(&p, "ACK", NULL,
              HEAD "m=video 0 RTP/AVP 31\r\n" SAVP CRYPTO "m=image 0 udptl t38\r\n");
    uint64_t before = p.n_from_alice;
    run_ms(1000);
    assert_in_range(p.n_from_alice - before, 48, 52);
    assert_int_equal(l.alice.n_ended, 0);
    peer_stop(&l, &p);

    /* Of two lines that we offered, the one that was not taken stays, refused. */
    secsip_account_config config = optional_avp;
    config.sdes_style = SECSIP_SDES_STYLE_TWO_LINES;
    start(&config, HEAD "m=audio 0 RTP/SAVP 0\r\n" AVP);
    peer_send(&p, "INVITE", NULL, NULL);
    run_ms(100);
    assert_non_null(strstr(p.offer, "m=audio 0 RTP/SAVP 0 8\r\nm=audio "));
    peer_stop(&l, &p);
}

/* A call in clear may rise to SRTP, and then it does not fall. */
static void a_call_in_clear_rises_and_stays(void **state)
{
    (void)state;
    start(&optional_avp, HEAD AVP);
    assert_int_equal(l.alice.level, SECSIP_SECURITY_CLEAR);
    peer_send(&p, "INVITE", NULL, HEAD AVP CRYPTO);
    run_ms(100);
    peer_send(&p, "ACK", NULL, NULL);
    uint64_t before = p.n_from_alice;
    run_ms(1000);
    assert_in_range(p.n_from_alice - before, 48, 53);
    assert_int_equal(l.alice.level, SECSIP_SECURITY_HOP);
    assert_string_equal(l.alice.suite, S80);
    peer_send(&p, "INVITE", NULL, HEAD AVP);
    run_ms(100);
    assert_non_null(strstr(p.responses, " 488"));
    assert_int_equal(l.alice.n_ended, 0);
    peer_stop(&l, &p);
}

/* One that could be written but for its end, where there was no room: nothing waits for an answer to it. */
static void an_offer_that_is_not_written_whole_does_not_wait(void **state)
{
    (void)state;
    struct ssi_buf b;

    start(&mandatory, HEAD SAVP CRYPTO);
    peer_send(&p, "INVITE", NULL, HEAD SAVP CRYPTO "m=video 6000 RTP/AVP 99\r\n");
    run_ms(100);
    peer_send(&p, "ACK", NULL, NULL);
    run_ms(100);
    struct ssi_media *m = l.alice.call->media;
    ssi_buf_init_secret(&b, 4000);
    assert_int_equal(ssi_media_put_offer(m, &b), 0);
    size_t len = b.len;
    assert_true(m->sdes.has_pending);
    ssi_media_rollback(m);
    ssi_buf_free(&b);
    ssi_buf_init_secret(&b, len - 1);
    assert_true(ssi_media_put_offer(m, &b) < 0);
    assert_false(m->sdes.has_pending);
    ssi_buf_free(&b);
    peer_send(&p, "INVITE", NULL, HEAD SAVP CRYPTO);
    run_ms(100);
    assert_non_null(strstr(p.responses, " 200"));
    peer_stop(&l, &p);
}

/* ---- what the peer sends */
struct sender {
    struct ssi_srtp *tx;
    uint16_t seq;
    uint32_t ssrc;
};

/* mki: of 4 bytes, 0 for none. */
static struct sender sender_with_mki(const char *key, uint32_t ssrc, uint16_t mki)
{
    struct ssi_srtp_config c = {.direction = SSI_SRTP_SEND,
                                .suite = SSI_SRTP_AES_CM_128_HMAC_SHA1_80,
                                .mki = {0, 0, (uint8_t)(mki >> 8), (uint8_t)mki},
                                .mki_len = mki ? 4 : 0};
    struct sender s = {.ssrc = ssrc};
    size_t len = 0;

    assert_true(ssi_base64_get(ssi_slice_str(key), c.key.bytes, sizeof c.key.bytes, &len));
    c.key.len = (uint8_t)len;
    assert_int_equal(ssi_srtp_new(&c, &s.tx), 0);
    return s;
}

static struct sender sender_new(const char *key, uint32_t ssrc)
{
    return sender_with_mki(key, ssrc, 0);
}

static void send_frames(struct sender *s, int n)
{
    char to[64];

    ssi_addr_text(ssi_media_local(l.alice.call->media), to);
    for (int i = 0; i < n; i++) {
        uint8_t payload[160] = {0}, packet[400];
        size_t len;
        struct ssi_rtp_packet rtp = {.seq = s->seq++, .ssrc = s->ssrc, .timestamp = s->seq * 160U};
        rtp.payload = ssi_slice_of(payload, sizeof payload);
        assert_int_equal(ssi_rtp_build(&rtp, packet, sizeof packet, &len), 0);
        assert_int_equal(ssi_srtp_protect_rtp(s->tx, packet, &len, sizeof packet), 0);
        simnet_inject(l.net, "10.0.0.9:5000", to, packet, len);
        run_ms(20);
    }
}

static uint64_t heard(void)
{
    secsip_media_stats stats = {.size = sizeof stats};

    assert_int_equal(secsip_call_get_stats(l.alice.call, &stats), 0);
    assert_int_equal(stats.clear_dropped, 0);
    return stats.rx;
}

/* FIELD 16, pjsip/pjproject#657, #1644, jambonz/sbc-outbound#133: two phones ring with music of their own, each under the key of its
 * own answer; one of them is answered. */
static void field_16_every_branch_of_a_fork_is_heard_with_its_own_key(void **state)
{
    (void)state;
    for (int winner = 0; winner < 2; winner++) {
        struct sender senders[2] = {sender_new(KEY, 1), sender_new(KEY_B, 2)};
        static const char *const answers[2] = {HEAD SAVP CRYPTO,
                                               HEAD SAVP "a=crypto:1 " S80 " inline:" KEY_B "\r\n"};
        static const char *const tags[2] = {"one", "two"};
        start(&mandatory, NULL);
        for (int i = 0; i < 2; i++)
            peer_answer(&p, 183, answers[i], tags[i]);
        run_ms(100);
        assert_int_equal(l.alice.call_state, SECSIP_CALL_EARLY);
        assert_int_equal(l.alice.n_ended, 0);
        /* The first is heard; when it is silent the other is. */
        send_frames(&senders[0], 10);
        assert_int_equal(heard(), 10);
        run_ms(600);
        send_frames(&senders[1], 10);
        assert_int_equal(heard(), 20);
        /* The same answer once more changes nothing. */
        peer_answer(&p, 183, answers[0], tags[0]);
        run_ms(100);
        /* One picks up, with or without saying its answer again. */
        peer_answer(&p, 200, winner ? NULL : answers[0], tags[winner]);
        assert_true(simnet_run(l.net, 1000000, alice_talks, &l));
        uint64_t before = heard();
        send_frames(&senders[!winner], 10); /* the other is over: its key is forgotten */
        assert_int_equal(heard(), before);
        send_frames(&senders[winner], 10);
        assert_int_equal(heard(), before + 10);
        /* The loser's 200 after all is acknowledged and ended. */
        p.order[0] = 0;
        peer_answer(&p, 200, answers[!winner], tags[!winner]);
        run_ms(200);
        assert_string_equal(p.order, "AB");
        assert_int_equal(l.alice.n_ended, 0);
        for (int i = 0; i < 2; i++)
            ssi_srtp_free(senders[i].tx);
        peer_stop(&l, &p);
    }
}

/* Branches that differ: where SRTP is optional each of them may be the one that picks up, whatever rang before it; and where it is
 * required one that cannot ends nothing but itself. */
static void a_branch_that_is_no_good_does_not_end_the_others(void **state)
{
    (void)state;
    static const struct {
        const secsip_account_config *config;
        const char *rings[2];
        int winner;
        int32_t level;
    } rows[] = {
        {&optional_avp, {HEAD AVP CRYPTO, HEAD AVP}, 0, SECSIP_SECURITY_HOP},
        {&optional_avp, {HEAD AVP CRYPTO, HEAD AVP}, 1, SECSIP_SECURITY_CLEAR},
        {&optional_avp, {HEAD AVP, HEAD AVP CRYPTO}, 0, SECSIP_SECURITY_CLEAR},
        {&optional_avp, {HEAD AVP, HEAD AVP CRYPTO}, 1, SECSIP_SECURITY_HOP},
        {&mandatory, {HEAD SAVP CRYPTO, HEAD AVP}, 0, SECSIP_SECURITY_HOP},
        {&mandatory, {HEAD AVP, HEAD SAVP CRYPTO}, 1, SECSIP_SECURITY_HOP},
    };
    static const char *const tags[2] = {"one", "two"};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int repeated = 0; repeated < 2; repeated++) {
            start(rows[i].config, NULL);
            for (int k = 0; k < 2; k++) {
                peer_answer(&p, 183, rows[i].rings[k], tags[k]);
                run_ms(100);
            }
            assert_int_equal(l.alice.n_ended, 0);
            assert_int_equal(l.alice.call_state, SECSIP_CALL_EARLY);
            peer_answer(&p, 200, repeated ? rows[i].rings[rows[i].winner] : NULL,
                        tags[rows[i].winner]);
            assert_true(simnet_run(l.net, 1000000, alice_talks, &l));
            uint64_t before = p.n_from_alice;
            run_ms(1000);
            assert_in_range(p.n_from_alice - before, 48, 53);
            if (l.alice.level != rows[i].level)
                fail_msg("row %zu: level %d", i, l.alice.level);
            peer_stop(&l, &p);
        }
}

/* One that rang with SRTP does not pick up in clear. */
static void a_branch_does_not_fall_between_its_183_and_its_200(void **state)
{
    (void)state;
    start(&optional_avp, NULL);
    peer_answer(&p, 183, HEAD AVP CRYPTO, "one");
    run_ms(100);
    peer_answer(&p, 183, HEAD AVP, "one");
    run_ms(100);
    assert_int_equal(l.alice.n_ended, 0);
    peer_answer(&p, 200, HEAD AVP, "one");
    assert_true(simnet_run(l.net, 5000000, alice_ended, &l));
    assert_true(l.alice.call_result < 0);
    peer_stop(&l, &p);
}

static void more_branches_than_can_be_held_still_may_answer(void **state)
{
    (void)state;
    char sdp[1024], key[41], tag[16];

    start(&mandatory, NULL);
    for (int i = 0; i < SSI_MEDIA_FORKS_MAX + 3; i++) {
        snprintf(key, sizeof key, "%s", KEY);
        key[5] = (char)('A' + i);
        snprintf(sdp, sizeof sdp, HEAD SAVP "a=crypto:1 " S80 " inline:%s\r\n", key);
        snprintf(tag, sizeof tag, "t%d", i);
        peer_answer(&p, 183, sdp, tag);
        run_ms(20);
    }
    assert_int_equal(l.alice.n_ended, 0);
    /* The last of them, which there was no room for. */
    peer_answer(&p, 200, sdp, tag);
    assert_true(simnet_run(l.net, 1000000, alice_talks, &l));
    struct sender last = sender_new(key, 7);
    send_frames(&last, 10);
    assert_int_equal(heard(), 10);
    ssi_srtp_free(last.tx);
    peer_stop(&l, &p);
}

/* A 2xx of a branch whose early answer is unknown, and no answer in it. */
static void a_2xx_without_an_answer_of_its_own_branch_ends_the_call(void **state)
{
    (void)state;
    start(&mandatory, NULL);
    peer_answer(&p, 183, HEAD SAVP CRYPTO, "one");
    run_ms(100);
    peer_answer(&p, 200, NULL, "two");
    assert_true(simnet_run(l.net, 5000000, alice_ended, &l));
    assert_int_equal(l.alice.call_result, SECSIP_E_SDP_MISSING);
    peer_stop(&l, &p);
}

/* FIELD 8, asterisk/asterisk#825, and RFC 4568 6.1: several keys, and the MKI of each packet says which one it is under. */
static void field_08_packets_come_under_any_of_the_peers_keys(void **state)
{
    (void)state;
    static const char two[] =
        HEAD SAVP "a=crypto:1 " S80 " inline:" KEY "|2^20|1:4;inline:" KEY_B "|2^20|258:4\r\n";
    struct sender first = sender_with_mki(KEY, 1, 1), second = sender_with_mki(KEY_B, 1, 258);

    start(&mandatory, two);
    send_frames(&first, 10);
    assert_int_equal(heard(), 10);
    second.seq = first.seq;
    send_frames(&second, 10);
    assert_int_equal(heard(), 20);
    secsip_media_stats stats = {.size = sizeof stats};
    assert_int_equal(secsip_call_get_stats(l.alice.call, &stats), 0);
    assert_int_equal(stats.auth_failed, 0);
    ssi_srtp_free(first.tx);
    ssi_srtp_free(second.tx);
    peer_stop(&l, &p);
}

static uint8_t last_rtp[400];
static size_t last_len;

static bool keep_rtp(const secsip_engine_address *from, const secsip_engine_address *to,
                     uint8_t *data, size_t len, void *arg)
{
    (void)from;
    (void)arg;
    if (to->port == 5000 && len <= sizeof last_rtp) {
        memcpy(last_rtp, data, len);
        last_len = len;
    }
    return true;
}

/* What is negotiated is what is sent, and the level says what it is worth. */
static void what_srtp_leaves_out_is_left_out_where_that_is_allowed(void **state)
{
    static const struct {
        uint32_t option;
        const char *suite, *param;
        uint32_t form;
        size_t len; /* of a packet with 160 bytes of speech */
        bool readable;
        int32_t level;
    } rows[] = {
        {SECSIP_SDES_INSECURE_UNENCRYPTED_SRTP, S80, " UNENCRYPTED_SRTP",
         SECSIP_SDES_FORM_UNENCRYPTED_SRTP, 182, true, SECSIP_SECURITY_CLEAR},
        {SECSIP_SDES_INSECURE_UNAUTHENTICATED_SRTP, S80, " UNAUTHENTICATED_SRTP",
         SECSIP_SDES_FORM_UNAUTHENTICATED_SRTP, 172, false, SECSIP_SECURITY_UNVERIFIED},
        {SECSIP_SDES_INSECURE_UNENCRYPTED_SRTCP, S80, " UNENCRYPTED_SRTCP",
         SECSIP_SDES_FORM_UNENCRYPTED_SRTCP, 182, false, SECSIP_SECURITY_HOP},
        {SECSIP_SDES_INSECURE_NULL_CIPHER, "NULL_HMAC_SHA1_32", "", 0, 176, true,
         SECSIP_SECURITY_CLEAR},
        {0, S80, " UNENCRYPTED_SRTP", 0, 0, false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char offer[2048];
        secsip_account_config config = {.suites = rows[i].suite, .sdes_options = rows[i].option};
        peer_start(&l, &p, &config);
        simnet_tap(l.net, keep_rtp, NULL, NULL);
        last_len = 0;
        p.call_id[0] = p.alice_tag[0] = 0;
        snprintf(offer, sizeof offer, HEAD SAVP "a=crypto:1 %s inline:" KEY "%s\r\n", rows[i].suite,
                 rows[i].param);
        peer_send(&p, "INVITE", NULL, offer);
        run_ms(500);
        if (!rows[i].option) {
            assert_string_equal(p.responses, " 488");
        } else {
            char answered[128];
            snprintf(answered, sizeof answered, "%s\r\n", rows[i].param);
            assert_non_null(strstr(strstr(p.offer, "a=crypto:1 "), answered));
            assert_int_equal(l.alice.forms, rows[i].form);
            assert_int_equal(l.alice.level, rows[i].level);
            if (last_len != rows[i].len)
                fail_msg("row %zu: %zu bytes", i, last_len);
            /* alice's ramp in G.711 has few values; ciphertext has many. */
            bool seen[256] = {false};
            int distinct = 0;
            for (size_t k = 12; k < 172; k++)
                if (!seen[last_rtp[k]]) {
                    seen[last_rtp[k]] = true;
                    distinct++;
                }
            assert_int_equal(distinct < 80, rows[i].readable);
        }
        simnet_tap(l.net, NULL, NULL, NULL);
        peer_stop(&l, &p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(field_13_optional_is_offered_in_every_style),
        cmocka_unit_test(field_13_a_488_brings_one_more_offer_as_savp),
        cmocka_unit_test(options_that_a_call_may_not_have_are_refused),
        cmocka_unit_test(offers_of_every_style_are_answered),
        cmocka_unit_test(an_offer_of_ours_keeps_the_lines_that_there_were),
        cmocka_unit_test(a_call_in_clear_rises_and_stays),
        cmocka_unit_test(field_16_every_branch_of_a_fork_is_heard_with_its_own_key),
        cmocka_unit_test(an_offer_that_is_not_written_whole_does_not_wait),
        cmocka_unit_test(a_branch_that_is_no_good_does_not_end_the_others),
        cmocka_unit_test(a_branch_does_not_fall_between_its_183_and_its_200),
        cmocka_unit_test(more_branches_than_can_be_held_still_may_answer),
        cmocka_unit_test(a_2xx_without_an_answer_of_its_own_branch_ends_the_call),
        cmocka_unit_test(field_08_packets_come_under_any_of_the_peers_keys),
        cmocka_unit_test(what_srtp_leaves_out_is_left_out_where_that_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
