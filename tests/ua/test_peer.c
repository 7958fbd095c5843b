/* Calls with a peer that does what it should not, on virtual time. Whatever it answers, a call that requires SRTP ends, or runs
 * as SRTP; not one packet leaves in clear. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "peer.h"
#include "ua/call.h"

#define HEAD "v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\n"
#define KEY  "MTIzNDU2Nzg5MEFCQ0RFRkdISUpLTE1OT1BRUlNU" /* 30 bytes */
#define GOOD HEAD "m=audio 5000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "\r\n"

static const secsip_account_config only_cm80 = {.suites = "AES_CM_128_HMAC_SHA1_80"};

static bool alice_ended(void *arg)
{
    const struct lab *l = arg;
    return l->alice.n_ended > 0;
}

static bool alice_talks(void *arg)
{
    const struct lab *l = arg;
    return l->alice.call_state == SECSIP_CALL_ESTABLISHED;
}

static const struct bad_answer {
    const char *what;
    const char *sdp;
    secsip_result result;
    const char *check;
} bad_answers[] = {
    {"a clear profile", HEAD "m=audio 5000 RTP/AVP 0\r\n", SECSIP_E_SDES_CLEAR_PROFILE, "profile"},
    {"a clear profile with a key",
     HEAD "m=audio 5000 RTP/AVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "\r\n",
     SECSIP_E_SDES_CLEAR_PROFILE, "profile"},
    {"no crypto line", HEAD "m=audio 5000 RTP/SAVP 0\r\n", SECSIP_E_SDES_NO_CRYPTO, "crypto"},
    {"a suite that was not offered",
     HEAD "m=audio 5000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:" KEY "\r\n",
     SECSIP_E_SDES_SUITE, "suite"},
    {"a tag that was not offered",
     HEAD "m=audio 5000 RTP/SAVP 0\r\na=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:" KEY "\r\n",
     SECSIP_E_SDES_TAG, "tag"},
    {"a key of 29 bytes",
     HEAD "m=audio 5000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 "
          "inline:MTIzNDU2Nzg5MEFCQ0RFRkdISUpLTE1OT1BRUlM=\r\n",
     SECSIP_E_SDES_KEY_LENGTH, "key-length"},
    {"a key of 31 bytes",
     HEAD "m=audio 5000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 "
          "inline:MTIzNDU2Nzg5MEFCQ0RFRkdISUpLTE1OT1BRUlNUVQ==\r\n",
     SECSIP_E_SDES_KEY_LENGTH, "key-length"},
    {"a key of zeros",
     HEAD "m=audio 5000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 "
          "inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n",
     SECSIP_E_SDES_KEY_WEAK, "key"},
    {"a parameter that was not offered",
     HEAD "m=audio 5000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY
          " UNENCRYPTED_SRTP\r\n",
     SECSIP_E_SDES_PARAM, "parameter"},
    {"refused audio", HEAD "m=audio 0 RTP/SAVP 0\r\n", SECSIP_E_UA_NO_MEDIA, "codec"},
    {"a codec of its own",
     HEAD "m=audio 5000 RTP/SAVP 96\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "\r\n",
     SECSIP_E_UA_NO_MEDIA, "codec"},
    {"one line too many",
     HEAD "m=audio 5000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY
          "\r\nm=audio 5002 RTP/AVP 0\r\n",
     SECSIP_E_SDP_MEDIA, "sdp"},
    {"no session description", NULL, SECSIP_E_SDP_MISSING, "sdp"},
    {"not a session description", "hello\r\n", SECSIP_E_SDP_SYNTAX, "sdp"},
};

static void an_answer_that_is_weaker_ends_the_call(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_answers / sizeof *bad_answers; i++) {
        static struct lab l;
        static struct peer p;
        const struct bad_answer *bad = &bad_answers[i];

        printf("%s\n", bad->what);
        peer_start(&l, &p, &only_cm80);
        p.final = 200;
        p.final_sdp = bad->sdp;
        lab_call(&l, &l.alice, "sip:bob@example.test");
        assert_true(simnet_run(l.net, 5000000, alice_ended, &l));
        simnet_run(l.net, 1000000, NULL, NULL);
        assert_string_equal(p.order, "IAB");
        assert_int_equal(l.alice.call_result, bad->result);
        assert_string_equal(l.alice.call_check, bad->check);
        assert_true(strlen(l.alice.call_expected) > 0);
        assert_true(strlen(p.bye_reason) > 0);
        assert_null(
            strstr(l.alice.call_found, "MTIzND")); /* the key is no part of what was found */
        assert_null(strstr(l.alice.call_text, "MTIzND"));
        assert_int_equal(p.n_from_alice, 0);
        assert_int_equal(l.alice.n_media, 0);
        peer_stop(&l, &p);
    }
}

static void our_own_key_is_not_taken_back(void **state)
{
    static struct lab l;
    static struct peer p;
    static char sdp[2048];

    (void)state;
    peer_start(&l, &p, &only_cm80);
    lab_call(&l, &l.alice, "sip:bob@example.test");
    simnet_run(l.net, 500000, NULL, NULL);
    const char *inline_key = strstr(p.offer, "inline:");
    assert_non_null(inline_key);
    snprintf(sdp, sizeof sdp,
             HEAD "m=audio 5000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 %.*s\r\n",
             (int)strcspn(inline_key, " \r\n"), inline_key);
    peer_answer(&p, 200, sdp, "peer");
    assert_true(simnet_run(l.net, 5000000, alice_ended, &l));
    assert_int_equal(l.alice.call_result, SECSIP_E_SDES_KEY_WEAK);
    assert_int_equal(p.n_from_alice, 0);
    peer_stop(&l, &p);
}

static void early_media_are_held_to_the_same_level(void **state)
{
    (void)state;
    for (size_t i = 0; i < 6; i++) {
        static struct lab l;
        static struct peer p;

        peer_start(&l, &p, &only_cm80);
        p.provisional = 183;
        p.provisional_sdp = bad_answers[i].sdp;
        lab_call(&l, &l.alice, "sip:bob@example.test");
        /* It may be one branch of several: it is not heard, and the call goes on ringing. */
        simnet_run(l.net, 2000000, NULL, NULL);
        assert_string_equal(p.order, "I");
        assert_int_equal(l.alice.call_state, SECSIP_CALL_RINGING);
        assert_int_equal(p.n_from_alice, 0);
        peer_answer(&p, 200, bad_answers[i].sdp, "peer");
        assert_true(simnet_run(l.net, 5000000, alice_ended, &l));
        simnet_run(l.net, 1000000, NULL, NULL);
        assert_string_equal(p.order, "IAB");
        assert_int_equal(l.alice.call_result, bad_answers[i].result);
        assert_int_equal(p.n_from_alice, 0);
        peer_stop(&l, &p);
    }
}

static void good_early_media_play_and_the_answer_may_repeat_them(void **state)
{
    static struct lab l;
    static struct peer p;

    (void)state;
    peer_start(&l, &p, &only_cm80);
    p.provisional = 183;
    p.provisional_sdp = GOOD;
    lab_call(&l, &l.alice, "sip:bob@example.test");
    simnet_run(l.net, 1000000, NULL, NULL);
    assert_int_equal(l.alice.call_state, SECSIP_CALL_EARLY);
    assert_true(p.n_from_alice > 40);
    peer_answer(&p, 200, GOOD, "peer");
    assert_true(simnet_run(l.net, 1000000, alice_talks, &l));
    simnet_run(l.net, 1000000, NULL, NULL);
    secsip_call_hangup(l.alice.call);
    assert_true(simnet_run(l.net, 1000000, alice_ended, &l));
    assert_string_equal(p.order, "IAB");
    assert_int_equal(l.alice.call_result, 0);
    peer_stop(&l, &p);
}

static void start_good_call(struct lab *l, struct peer *p)
{
    peer_start(l, p, &only_cm80);
    p->final = 200;
    p->final_sdp = GOOD;
    lab_call(l, &l->alice, "sip:bob@example.test");
    assert_true(simnet_run(l->net, 5000000, alice_talks, l));
    simnet_run(l->net, 200000, NULL, NULL);
}

static void lost_acks_are_sent_again(void **state)
{
    static struct lab l;
    static struct peer p;

    (void)state;
    start_good_call(&l, &p);
    for (int i = 0; i < 3; i++)
        peer_answer(&p, 200, GOOD, "peer");
    simnet_run(l.net, 1000000, NULL, NULL);
    assert_string_equal(p.order, "IAAAA");
    peer_stop(&l, &p);
}

/* What stands in quotes after name=. */
static struct ssi_slice quoted(const char *text, const char *name)
{
    char before[32];

    snprintf(before, sizeof before, "%s=\"", name);
    const char *at = strstr(text, before);
    assert_non_null(at);
    at += strlen(before);
    return ssi_slice_of(at, strcspn(at, "\""));
}

/* RFC 7616 3.4.3: where only auth-int is offered, the credentials cover the offer with its keys. */
static void an_offer_is_covered_by_auth_int(void **state)
{
    static struct lab l;
    static struct peer p;
    char expected[SSI_HA1_TEXT];

    (void)state;
    peer_start(&l, &p, &only_cm80);
    p.challenge = "Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\", algorithm=SHA-512-256";
    p.final = 200;
    p.final_sdp = GOOD;
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_true(simnet_run(l.net, 5000000, alice_talks, &l));
    const char *credentials = strstr(p.last_invite, "\r\nAuthorization: Digest ");
    assert_non_null(credentials);
    assert_non_null(strstr(credentials, ", algorithm=SHA-512-256, "));
    assert_non_null(strstr(credentials, ", qop=auth-int, nc=00000001\r\n"));
    struct ssi_sip_digest_input in = {.algorithm = SSI_DIGEST_SHA512_256,
                                      .user = SSI_LIT("alice"),
                                      .realm = SSI_LIT("r"),
                                      .nonce = SSI_LIT("n"),
                                      .nc = "00000001",
                                      .cnonce = quoted(credentials, "cnonce"),
                                      .method = SSI_LIT("INVITE"),
                                      .uri = SSI_LIT("sip:bob@example.test"),
                                      .is_int = true,
                                      .body = ssi_slice_str(p.offer)};
    assert_non_null(strstr(p.offer, "a=crypto:"));
    assert_int_equal(ssi_sip_digest_response(&in, "alicepw", expected), 0);
    assert_true(ssi_slice_eq(quoted(credentials, "response"), ssi_slice_str(expected)));
    peer_stop(&l, &p);
}

static void a_second_branch_of_a_fork_is_ended(void **state)
{
    static struct lab l;
    static struct peer p;

    (void)state;
    start_good_call(&l, &p);
    peer_answer(&p, 200, GOOD, "other");
    simnet_run(l.net, 1000000, NULL, NULL);
    assert_string_equal(p.order, "IAAB");
    assert_int_equal(l.alice.n_ended, 0);
    assert_int_equal(l.alice.call_state, SECSIP_CALL_ESTABLISHED);
    peer_stop(&l, &p);
}

static void a_reinvite_cannot_lower_the_level(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        static struct lab l;
        static struct peer p;

        start_good_call(&l, &p);
        peer_send(&p, "INVITE", NULL,
                  i == 0 ? HEAD "m=audio 5000 RTP/AVP 0\r\n" : bad_answers[2].sdp);
        simnet_run(l.net, 500000, NULL, NULL);
        assert_string_equal(p.responses, " 488");
        uint64_t before = p.n_from_alice;
        simnet_run(l.net, 1000000, NULL, NULL);
        assert_in_range(p.n_from_alice - before, 48, 52); /* the call goes on, as SRTP */
        assert_int_equal(l.alice.n_ended, 0);
        assert_int_equal(l.alice.level, SECSIP_SECURITY_HOP);
        peer_stop(&l, &p);
    }
}

static void hold_and_resume(void **state)
{
    static struct lab l;
    static struct peer p;

    (void)state;
    start_good_call(&l, &p);
    peer_send(&p, "INVITE", NULL, GOOD "a=sendonly\r\n");
    simnet_run(l.net, 100000, NULL, NULL);
    peer_send(&p, "ACK", NULL, NULL);
    simnet_run(l.net, 100000, NULL, NULL);
    assert_string_equal(l.alice.direction, "recvonly");
    assert_non_null(strstr(p.last_response, "a=recvonly\r\n"));
    uint64_t before = p.n_from_alice;
    simnet_run(l.net, 1000000, NULL, NULL);
    assert_in_range(p.n_from_alice - before, 0, 1); /* RTCP at most */
    peer_send(&p, "INVITE", NULL, GOOD);
    simnet_run(l.net, 100000, NULL, NULL);
    peer_send(&p, "ACK", NULL, NULL);
    simnet_run(l.net, 1000000, NULL, NULL);
    assert_string_equal(l.alice.direction, "sendrecv");
    assert_true(p.n_from_alice - before > 40);
    assert_int_equal(l.alice.n_ended, 0);
    peer_stop(&l, &p);
}

/* The session's id and version from the o= line (RFC 8866 5.2). */
static void read_origin(const char *sdp, uint64_t ret[2])
{
    const char *user = strstr(sdp, "o=");
    char *end;

    assert_non_null(user);
    ret[0] = strtoull(strchr(user, ' '), &end, 10);
    ret[1] = strtoull(end, NULL, 10);
    assert_true(ret[0] > 0 && ret[1] > 0);
}

/* FIELD 5: signalwire/freeswitch#2246. */
static void an_offerless_reinvite_is_answered_with_an_offer(void **state)
{
    static struct lab l;
    static struct peer p;
    static char first_key[64], second[64];
    uint64_t first[2], next[2];

    (void)state;
    start_good_call(&l, &p);
    read_origin(p.offer, first);
    snprintf(first_key, sizeof first_key, "%.40s", strstr(p.offer, "inline:") + 7);
    peer_send(&p, "INVITE", NULL, NULL);
    simnet_run(l.net, 100000, NULL, NULL);
    assert_non_null(strstr(p.responses, " 200"));
    assert_non_null(strstr(p.offer, "inline:"));
    snprintf(second, sizeof second, "%.40s", strstr(p.offer, "inline:") + 7);
    /* RFC 3264 8: the same session, its version one up. */
    read_origin(p.offer, next);
    assert_int_equal(next[0], first[0]);
    assert_int_equal(next[1], first[1] + 1);
    peer_send(&p, "ACK", NULL, GOOD);
    uint64_t before = p.n_from_alice;
    simnet_run(l.net, 1000000, NULL, NULL);
    assert_in_range(p.n_from_alice - before, 48, 52);
    assert_int_equal(l.alice.n_ended, 0);
    peer_stop(&l, &p);
}

static void the_peer_hangs_up(void **state)
{
    static struct lab l;
    static struct peer p;

    (void)state;
    start_good_call(&l, &p);
    peer_send(&p, "BYE", NULL, NULL);
    assert_true(simnet_run(l.net, 1000000, alice_ended, &l));
    simnet_run(l.net, 100000, NULL, NULL);
    assert_string_equal(p.responses, " 200");
    peer_send(&p, "BYE", NULL, NULL);
    simnet_run(l.net, 100000, NULL, NULL);
    assert_string_equal(p.responses, " 200 481");
    peer_stop(&l, &p);
}

static void requests_that_we_do_not_know_are_refused_politely(void **state)
{
    static struct lab l;
    static struct peer p;

    (void)state;
    start_good_call(&l, &p);
    peer_send(&p, "OPTIONS", NULL, NULL);
    peer_send(&p, "INFO", NULL, NULL);
    peer_send(&p, "FOO", NULL, NULL);
    simnet_run(l.net, 1000000, NULL, NULL);
    assert_string_equal(p.responses, " 200 405 501");
    assert_non_null(strstr(p.last_response, "Allow: INVITE"));
    assert_int_equal(l.alice.n_ended, 0);
    peer_stop(&l, &p);
}

static void call_alice(struct lab *l, struct peer *p, const char *headers, const char *sdp)
{
    p->call_id[0] = p->alice_tag[0] = 0;
    peer_send(p, "INVITE", headers, sdp);
    simnet_run(l->net, 100000, NULL, NULL);
}

static void offers_that_do_not_hold_do_not_ring(void **state)
{
    static const struct {
        const char *headers;
        const char *sdp;
        const char *response;
    } rows[] = {
        {NULL, HEAD "m=audio 5000 RTP/AVP 0\r\n", " 488"},
        {NULL, HEAD "m=audio 5000 RTP/SAVP 0\r\n", " 488"},
        {NULL,
         HEAD "m=audio 5000 RTP/SAVP 96\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "\r\n",
         " 488"},
        {NULL,
         HEAD "m=audio 5000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:short\r\n",
         " 488"},
        {NULL, "nonsense", " 488"},
        {"Require: gruu\r\n", GOOD, " 420"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        static struct lab l;
        static struct peer p;
        peer_start(&l, &p, &only_cm80);
        call_alice(&l, &p, rows[i].headers, rows[i].sdp);
        assert_string_equal(p.responses, rows[i].response);
        assert_null(l.alice.call);
        peer_stop(&l, &p);
    }
}

static void an_answer_without_ack_ends_after_32_seconds(void **state)
{
    static struct lab l;
    static struct peer p;

    (void)state;
    peer_start(&l, &p, &only_cm80);
    call_alice(&l, &p, NULL, GOOD);
    assert_non_null(l.alice.call);
    assert_string_equal(p.responses, " 200");
    simnet_run(l.net, 31000000, NULL, NULL);
    assert_int_equal(l.alice.n_ended, 0);
    /* RFC 3261 13.3.1.4: after T1, 2 T1, 4 T1, then every T2. */
    assert_string_equal(p.responses, " 200 200 200 200 200 200 200 200 200 200");
    assert_true(simnet_run(l.net, 2000000, alice_ended, &l));
    simnet_run(l.net, 1000000, NULL, NULL);
    assert_int_equal(l.alice.call_result, SECSIP_E_UA_TRANSACTION_TIMEOUT);
    assert_string_equal(p.order, "B");
    peer_stop(&l, &p);
}

static void messages_and_tls_records_need_not_agree(void **state)
{
    static struct lab l;
    static struct peer p;
    static char text[20000];
    size_t n;

    (void)state;
    start_good_call(&l, &p);
    /* Two messages in one record, and a half one more. */
    n = peer_write(&p, "OPTIONS", NULL, NULL, text, sizeof text);
    n += peer_write(&p, "OPTIONS", NULL, NULL, text + n, sizeof text - n);
    size_t third = peer_write(&p, "OPTIONS", NULL, NULL, text + n, sizeof text - n);
    ssi_flow_send(p.flow, ssi_slice_of(text, n + third / 2));
    simnet_run(l.net, 100000, NULL, NULL);
    assert_string_equal(p.responses, " 200 200");
    ssi_flow_send(p.flow, ssi_slice_of(text + n + third / 2, third - third / 2));
    simnet_run(l.net, 100000, NULL, NULL);
    assert_string_equal(p.responses, " 200 200 200");
    /* One message over as many records as it has bytes, several hundred. */
    p.responses[0] = 0;
    n = peer_write(&p, "OPTIONS", NULL, NULL, text, sizeof text);
    assert_true(n > 300);
    for (size_t i = 0; i < n; i++)
        ssi_flow_send(p.flow, ssi_slice_of(text + i, 1));
    simnet_run(l.net, 100000, NULL, NULL);
    assert_string_equal(p.responses, " 200");
    /* Cut into two records at every offset. */
    for (size_t cut = 1; cut < 300; cut++) {
        p.responses[0] = 0;
        n = peer_write(&p, "OPTIONS", NULL, NULL, text, sizeof text);
        ssi_flow_send(p.flow, ssi_slice_of(text, cut));
        simnet_run(l.net, 20000, NULL, NULL);
        assert_string_equal(p.responses, "");
        ssi_flow_send(p.flow, ssi_slice_of(text + cut, n - cut));
        simnet_run(l.net, 20000, NULL, NULL);
        assert_string_equal(p.responses, " 200");
    }
    peer_stop(&l, &p);
}

static void bytes_that_are_no_sip_close_the_connection(void **state)
{
    static struct lab l;
    static struct peer p;

    (void)state;
    start_good_call(&l, &p);
    ssi_flow_send(p.flow, SSI_LIT("OPTIONS sip:a SIP/2.0\r\nContent-Length: 5abc\r\n\r\n"));
    simnet_run(l.net, 1000000, NULL, NULL);
    assert_int_equal(l.alice.reg_state, SECSIP_REGISTRATION_FAILED);
    assert_true(l.alice.reg_retry_ms > 0);
    assert_int_equal(l.alice.n_ended, 0); /* the call has a connection again */
    peer_stop(&l, &p);
}

/* Where the suite is missing, the key stands in its place: it is not what the error shows. */
static void a_key_in_the_wrong_place_is_not_shown(void **state)
{
    static const char *const answers[] = {
        HEAD "m=audio 5000 RTP/SAVP 0\r\na=crypto:1 inline:" KEY "\r\n",
        HEAD "m=audio 5000 RTP/SAVP 0\r\na=crypto:inline:" KEY "\r\n",
        HEAD "m=audio 5000 RTP/SAVP 0\r\na=crypto:1 " KEY " AES_CM_128_HMAC_SHA1_80\r\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        static struct lab l;
        static struct peer p;
        peer_start(&l, &p, &only_cm80);
        p.final = 200;
        p.final_sdp = answers[i];
        lab_call(&l, &l.alice, "sip:bob@example.test");
        assert_true(simnet_run(l.net, 5000000, alice_ended, &l));
        assert_true(l.alice.call_result < 0);
        assert_null(strstr(l.alice.call_found, "NTY3ODkw")); /* a part of the key */
        assert_null(strstr(l.alice.call_text, "NTY3ODkw"));
        peer_stop(&l, &p);
    }
}

static void ignore_failure(void *arg, struct ssi_flow *f, const struct ssi_error *why)
{
    (void)arg;
    (void)f;
    (void)why;
}

/* It is not of the dialog: test_foreign.c has the rest. */
static void a_reinvite_over_a_clear_connection_gets_no_key(void **state)
{
    static struct lab l;
    static struct peer p;
    struct ssi_flow_target target = {
        .transport = SSI_TRANSPORT_TCP, .host = "10.0.0.1", .port = 5070};
    struct ssi_flow_watch watch = {.on_failed = ignore_failure};
    struct ssi_flow *clear;

    (void)state;
    start_good_call(&l, &p);
    assert_int_equal(
        secsip_stack_listen(simnet_stack(l.alice.host), "insecure-tcp:10.0.0.1:5070", NULL, NULL),
        0);
    assert_int_equal(ssi_flow_get(p.ua, &target, &clear), 0);
    ssi_list_init(&watch.node);
    ssi_flow_watch(clear, &watch);
    p.offer[0] = 0;
    p.flow = clear;
    peer_send(&p, "INVITE", NULL, GOOD);
    simnet_run(l.net, 500000, NULL, NULL);
    assert_string_equal(p.responses, " 481");
    assert_string_equal(p.offer, "");
    assert_int_equal(l.alice.n_ended, 0);
    ssi_flow_unwatch(clear, &watch);
    ssi_flow_unref(clear);
    peer_stop(&l, &p);
}

static void a_call_that_is_over_may_outlive_its_stack(void **state)
{
    static struct lab l;
    static struct peer p;

    (void)state;
    start_good_call(&l, &p);
    secsip_call_hangup(l.alice.call);
    assert_true(simnet_run(l.net, 1000000, alice_ended, &l));
    secsip_call *c = l.alice.call;
    l.alice.call = NULL;
    peer_stop(&l, &p);
    assert_int_equal(secsip_call_hangup(c), 0);
    assert_int_equal(secsip_call_answer(c), SECSIP_E_STATE);
    assert_int_equal(secsip_call_get_state(c), SECSIP_CALL_ENDED);
    secsip_call_unref(c);
}

static void a_message_that_cannot_be_read_is_left_out_and_the_call_goes_on(void **state)
{
    static struct lab l;
    static struct peer p;

    (void)state;
    start_good_call(&l, &p);
    ssi_flow_send(p.flow, SSI_LIT("SIP/2.0 99 Bad\r\nContent-Length: 2\r\n\r\nhi"
                                  "OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n"));
    peer_send(&p, "OPTIONS", NULL, NULL);
    simnet_run(l.net, 1000000, NULL, NULL);
    assert_string_equal(p.responses, " 200");
    assert_int_equal(l.alice.n_ended, 0);
    peer_stop(&l, &p);
}

/* ---- What only the table's rarer rows need. */
static void start_ringing(struct lab *l, struct peer *p)
{
    peer_start(l, p, &only_cm80);
    l->alice.answers = false;
    call_alice(l, p, NULL, GOOD);
    assert_string_equal(p->responses, " 180");
    /* The To tag of the dialog is in the 180. */
    const char *tag = strstr(strstr(p->last_response, "\r\nTo:"), ";tag=");
    assert_non_null(tag);
    snprintf(p->alice_tag, sizeof p->alice_tag, "%.*s", (int)strcspn(tag + 5, ";\r\n"), tag + 5);
    snprintf(p->call_id, sizeof p->call_id, "from-peer");
}

static void a_ringing_call_may_be_answered_or_refused_later(void **state)
{
    static struct lab l;
    static struct peer p;

    (void)state;
    start_ringing(&l, &p);
    assert_int_equal(secsip_call_answer(l.alice.call), 0);
    assert_int_equal(secsip_call_answer(l.alice.call), SECSIP_E_STATE);
    simnet_run(l.net, 100000, NULL, NULL);
    peer_send(&p, "INVITE", NULL, GOOD); /* before the ACK of the first */
    simnet_run(l.net, 100000, NULL, NULL);
    assert_non_null(strstr(p.responses, " 491"));
    p.cseq--;
    peer_send(&p, "ACK", NULL, NULL);
    assert_true(simnet_run(l.net, 1000000, alice_talks, &l));
    peer_stop(&l, &p);

    start_ringing(&l, &p);
    assert_int_equal(secsip_call_hangup(l.alice.call), 0);
    assert_true(simnet_run(l.net, 1000000, alice_ended, &l));
    simnet_run(l.net, 100000, NULL, NULL);
    assert_string_equal(p.responses, " 180 603");
    peer_stop(&l, &p);
}

/* RFC 3261 9.2: "the To tag of the response to the CANCEL and the To tag in the response to the original request SHOULD be the
 * same": when the CANCEL comes before the first response, after a provisional one and after the final one. */
static void the_200_of_a_cancel_has_the_tag_of_the_call(void **state)
{
    static const struct {
        bool rings, answers;
        const char *responses;
    } rows[] = {
        {false, false, " 200 487"}, {true, false, " 180 200 487"}, {true, true, " 180 200 200"}};
    static struct lab l;
    static struct peer p;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        peer_start(&l, &p, &only_cm80);
        l.alice.answers = false;
        l.alice.waits = !rows[i].rings;
        call_alice(&l, &p, NULL, GOOD);
        if (rows[i].answers)
            assert_int_equal(secsip_call_answer(l.alice.call), 0);
        simnet_run(l.net, 10000, NULL, NULL);
        p.cseq--; /* the branch and the number of the INVITE */
        peer_send(&p, "CANCEL", NULL, NULL);
        simnet_run(l.net, 10000, NULL, NULL);
        assert_string_equal(p.responses, rows[i].responses);
        size_t n = strcspn(p.tags + 1, " ") + 1; /* one with its space */
        assert_true(n > 8);
        for (size_t at = n; p.tags[at]; at += n)
            assert_memory_equal(p.tags + at, p.tags, n);
        peer_stop(&l, &p);
    }
}

static void a_caller_may_end_an_early_dialog_with_bye(void **state)
{
    static struct lab l;
    static struct peer p;

    (void)state;
    start_ringing(&l, &p);
    peer_send(&p, "BYE", NULL, NULL);
    assert_true(simnet_run(l.net, 1000000, alice_ended, &l));
    simnet_run(l.net, 100000, NULL, NULL);
    assert_string_equal(p.responses, " 180 200 487");
    peer_stop(&l, &p);
}

static void hanging_up_before_the_ack_sends_bye_after_it(void **state)
{
    static struct lab l;
    static struct peer p;

    (void)state;
    start_ringing(&l, &p);
    assert_int_equal(secsip_call_answer(l.alice.call), 0);
    assert_int_equal(secsip_call_hangup(l.alice.call), 0);
    uint64_t before = p.n_from_alice;
    simnet_run(l.net, 400000, NULL, NULL);
    assert_in_range(p.n_from_alice - before, 0, 3);
    assert_string_equal(p.order, ""); /* RFC 3261 15 */
    peer_send(&p, "ACK", NULL, NULL);
    assert_true(simnet_run(l.net, 1000000, alice_ended, &l));
    assert_string_equal(p.order, "B");
    peer_stop(&l, &p);

    start_ringing(&l, &p);
    assert_int_equal(secsip_call_answer(l.alice.call), 0);
    peer_send(&p, "BYE", NULL, NULL);
    assert_true(simnet_run(l.net, 1000000, alice_ended, &l));
    peer_stop(&l, &p);
}

static void a_connection_that_is_lost_ends_a_call_that_is_not_confirmed(void **state)
{
    (void)state;
    for (int phase = 0; phase < 6; phase++) {
        static struct lab l;
        static struct peer p;

        if (phase == 0 || phase == 1) {
            start_ringing(&l, &p);
            if (phase == 1)
                assert_int_equal(secsip_call_answer(l.alice.call), 0);
        } else if (phase == 2 || phase == 3) {
            peer_start(&l, &p, &only_cm80);
            p.provisional = 180;
            lab_call(&l, &l.alice, "sip:bob@example.test");
            simnet_run(l.net, 100000, NULL, NULL);
            p.final = 0;
            if (phase == 3) {
                p.deaf = true;
                secsip_call_hangup(l.alice.call);
            }
        } else {
            start_good_call(&l, &p);
            if (phase == 5) {
                p.deaf = true;
                secsip_call_hangup(l.alice.call);
            }
        }
        simnet_down(l.server, true);
        if (phase == 4) {
            simnet_run(l.net, 2000000, NULL, NULL);
            assert_int_equal(l.alice.n_ended, 0);
            secsip_call_hangup(l.alice.call);
        }
        assert_true(simnet_run(l.net, 1000000, alice_ended, &l));
        assert_int_equal(l.alice.n_ended, 1);
        peer_stop(&l, &p);
    }
}

static void a_confirmed_call_goes_on_over_another_connection(void **state)
{
    static struct lab l;
    static struct peer p;

    (void)state;
    start_good_call(&l, &p);
    p.order[0] = 0;
    uint64_t before = p.n_from_alice;
    simnet_down(l.server, true);
    simnet_run(l.net, 3000000, NULL, NULL);
    assert_in_range(p.n_from_alice - before, 145, 155); /* speech needs no connection */
    simnet_down(l.server, false);
    simnet_run(l.net, 10000000, NULL, NULL);
    assert_string_equal(p.order, "O"); /* are you there? 501 is an answer */
    assert_int_equal(l.alice.n_ended, 0);
    p.options_status = 481;
    simnet_cut(l.server);
    assert_true(simnet_run(l.net, 1000000, alice_ended, &l));
    assert_int_equal(l.alice.call_result, SECSIP_E_UA_FLOW_FAILED);
    assert_non_null(strstr(l.alice.call_text, "knew the call no more"));
    peer_stop(&l, &p);
}

static void a_call_whose_connection_does_not_come_back_ends(void **state)
{
    static struct lab l;
    static struct peer p;

    (void)state;
    start_good_call(&l, &p);
    simnet_down(l.server, true);
    simnet_run(l.net, 179000000, NULL, NULL);
    assert_int_equal(l.alice.n_ended, 0);
    assert_true(simnet_run(l.net, 35000000, alice_ended, &l));
    assert_int_equal(l.alice.call_result, SECSIP_E_NET_CONNECT);
    simnet_down(l.server, false);
    peer_stop(&l, &p);
}

static void a_call_is_not_begun_again_for_a_peer_that_is_silent(void **state)
{
    static struct lab l;
    static struct peer p;

    (void)state;
    start_good_call(&l, &p);
    p.deaf = true;
    simnet_cut(l.server);
    simnet_run(l.net, 31000000, NULL, NULL);
    assert_int_equal(l.alice.n_ended, 0);
    assert_true(simnet_run(l.net, 3000000, alice_ended, &l)); /* 64*T1 */
    assert_int_equal(l.alice.call_result, SECSIP_E_UA_FLOW_FAILED);
    assert_non_null(strstr(l.alice.call_text, "was silent"));
    peer_stop(&l, &p);
}

static void a_call_given_up_before_there_is_a_connection(void **state)
{
    static struct lab l;

    (void)state;
    lab_start(&l, LAB_SERVER);
    lab_phone(&l, &l.alice, "alice", NULL);
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_int_equal(secsip_call_hangup(l.alice.call), 0);
    assert_true(simnet_run(l.net, 1000000, alice_ended, &l));
    lab_stop(&l);

    lab_start(&l, LAB_EXPIRED);
    lab_phone(&l, &l.alice, "alice", NULL);
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_true(simnet_run(l.net, 1000000, alice_ended, &l));
    assert_int_equal(l.alice.call_result, SECSIP_E_TLS_CERT_EXPIRED);
    assert_string_equal(l.alice.call_check, "expiry");
    lab_stop(&l);
}

/* RFC 3261 8.1.3.3, RFC 4475 3.3.1: it went astray. */
static void an_answer_with_a_via_below_ours_is_not_heard(void **state)
{
    static struct lab l;
    static struct peer p;
    static const int statuses[] = {486, 200};

    (void)state;
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        peer_start(&l, &p, &only_cm80);
        lab_call(&l, &l.alice, "sip:bob@example.test");
        simnet_run(l.net, 100000, NULL, NULL);
        p.second_via = "SIP/2.0/UDP 255.255.255.255;branch=z9hG4bKsomebody";
        peer_answer(&p, statuses[i], i == 1 ? GOOD : NULL, "peer");
        simnet_run(l.net, 5000000, NULL, NULL);
        assert_int_equal(l.alice.n_ended, 0);
        assert_int_equal(l.alice.call_state, SECSIP_CALL_CALLING);
        assert_null(strchr(p.order, 'A'));
        /* Nor when the transaction is gone. */
        assert_true(simnet_run(l.net, 40000000, alice_ended, &l));
        assert_int_equal(l.alice.call_result, SECSIP_E_UA_TRANSACTION_TIMEOUT);
        assert_null(strchr(p.order, 'A'));
        peer_stop(&l, &p);
    }
}

static void a_2xx_may_cross_our_cancel(void **state)
{
    static struct lab l;
    static struct peer p;

    (void)state;
    peer_start(&l, &p, &only_cm80);
    p.provisional = 180;
    lab_call(&l, &l.alice, "sip:bob@example.test");
    simnet_run(l.net, 100000, NULL, NULL);
    secsip_call_hangup(l.alice.call);
    peer_answer(&p, 200, GOOD, "peer");
    assert_true(simnet_run(l.net, 1000000, alice_ended, &l));
    simnet_run(l.net, 1000000, NULL, NULL);
    assert_non_null(strstr(p.order, "AB"));
    assert_int_equal(p.n_from_alice, 0);
    peer_stop(&l, &p);
}

static void a_peer_that_never_answers(void **state)
{
    static struct lab l;
    static struct peer p;

    (void)state;
    peer_start(&l, &p, &only_cm80);
    p.deaf = true;
    lab_call(&l, &l.alice, "sip:bob@example.test");
    /* Only a 100: timer C, 181 s, then 64 * T1 for the CANCEL. */
    simnet_run(l.net, 180000000, NULL, NULL);
    assert_int_equal(l.alice.n_ended, 0);
    assert_true(simnet_run(l.net, 40000000, alice_ended, &l));
    assert_int_equal(l.alice.call_result, SECSIP_E_UA_TRANSACTION_TIMEOUT);
    peer_stop(&l, &p);

    peer_start(&l, &p, &only_cm80);
    p.provisional = 180;
    lab_call(&l, &l.alice, "sip:bob@example.test");
    simnet_run(l.net, 100000, NULL, NULL);
    p.deaf = true;
    secsip_call_hangup(l.alice.call);
    assert_true(simnet_run(l.net, 40000000, alice_ended, &l)); /* no 487: 64 * T1 */
    peer_stop(&l, &p);
}

static void byes_that_cross(void **state)
{
    static struct lab l;
    static struct peer p;

    (void)state;
    start_good_call(&l, &p);
    p.deaf = true;
    secsip_call_hangup(l.alice.call);
    peer_send(&p, "BYE", NULL, NULL);
    assert_true(simnet_run(l.net, 1000000, alice_ended, &l));
    assert_int_equal(l.alice.n_ended, 1);
    peer_stop(&l, &p);

    start_good_call(&l, &p);
    p.deaf = true;
    secsip_call_hangup(l.alice.call);
    peer_answer(&p, 200, GOOD, "peer"); /* a 2xx again while the BYE is under way */
    simnet_run(l.net, 100000, NULL, NULL);
    assert_true(simnet_run(l.net, 40000000, alice_ended, &l));
    peer_stop(&l, &p);
}

static void an_offerless_reinvite_without_ack_ends_the_call(void **state)
{
    static struct lab l;
    static struct peer p;

    (void)state;
    start_good_call(&l, &p);
    peer_send(&p, "INVITE", NULL, NULL);
    assert_true(simnet_run(l.net, 40000000, alice_ended, &l));
    assert_int_equal(l.alice.call_result, SECSIP_E_UA_TRANSACTION_TIMEOUT);
    peer_stop(&l, &p);
}

static void a_caller_may_cancel(void **state)
{
    static struct lab l;

    (void)state;
    lab_start(&l, LAB_SERVER);
    lab_phone(&l, &l.alice, "alice", NULL);
    lab_phone(&l, &l.bob, "bob", NULL);
    lab_register(&l);
    lab_call(&l, &l.alice, "sip:bob@example.test");
    simnet_run(l.net, 200000, NULL, NULL);
    assert_int_equal(l.alice.call_state, SECSIP_CALL_RINGING);
    secsip_call_hangup(l.alice.call);
    assert_true(simnet_run(l.net, 1000000, lab_both_ended, &l));
    lab_stop(&l);
}

/* The last test: the ones before went through every row of the table. */
static void every_row_of_the_table_was_visited(void **state)
{
    int missed = 0;

    (void)state;
    for (int p = 0; p < SSI_CALL_N_PHASES; p++)
        for (int i = 0; i < SSI_CALL_MODIFY; i++) /* the rest is for test_modify.c */
            if (ssi_call_cell((enum ssi_call_phase)p, (enum ssi_call_input)i)->handler &&
                !lab_cells[p][i]) {
                printf("not visited: phase %d input %d: %s\n", p, i,
                       ssi_call_cell((enum ssi_call_phase)p, (enum ssi_call_input)i)->does);
                missed++;
            }
    assert_int_equal(missed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_that_is_weaker_ends_the_call),
        cmocka_unit_test(our_own_key_is_not_taken_back),
        cmocka_unit_test(early_media_are_held_to_the_same_level),
        cmocka_unit_test(good_early_media_play_and_the_answer_may_repeat_them),
        cmocka_unit_test(lost_acks_are_sent_again),
        cmocka_unit_test(an_offer_is_covered_by_auth_int),
        cmocka_unit_test(a_second_branch_of_a_fork_is_ended),
        cmocka_unit_test(a_reinvite_cannot_lower_the_level),
        cmocka_unit_test(hold_and_resume),
        cmocka_unit_test(an_offerless_reinvite_is_answered_with_an_offer),
        cmocka_unit_test(the_peer_hangs_up),
        cmocka_unit_test(requests_that_we_do_not_know_are_refused_politely),
        cmocka_unit_test(offers_that_do_not_hold_do_not_ring),
        cmocka_unit_test(an_answer_without_ack_ends_after_32_seconds),
        cmocka_unit_test(messages_and_tls_records_need_not_agree),
        cmocka_unit_test(bytes_that_are_no_sip_close_the_connection),
        cmocka_unit_test(a_key_in_the_wrong_place_is_not_shown),
        cmocka_unit_test(a_reinvite_over_a_clear_connection_gets_no_key),
        cmocka_unit_test(a_call_that_is_over_may_outlive_its_stack),
        cmocka_unit_test(a_message_that_cannot_be_read_is_left_out_and_the_call_goes_on),
        cmocka_unit_test(a_ringing_call_may_be_answered_or_refused_later),
        cmocka_unit_test(the_200_of_a_cancel_has_the_tag_of_the_call),
        cmocka_unit_test(a_caller_may_end_an_early_dialog_with_bye),
        cmocka_unit_test(hanging_up_before_the_ack_sends_bye_after_it),
        cmocka_unit_test(a_connection_that_is_lost_ends_a_call_that_is_not_confirmed),
        cmocka_unit_test(a_confirmed_call_goes_on_over_another_connection),
        cmocka_unit_test(a_call_whose_connection_does_not_come_back_ends),
        cmocka_unit_test(a_call_is_not_begun_again_for_a_peer_that_is_silent),
        cmocka_unit_test(a_call_given_up_before_there_is_a_connection),
        cmocka_unit_test(an_answer_with_a_via_below_ours_is_not_heard),
        cmocka_unit_test(a_2xx_may_cross_our_cancel),
        cmocka_unit_test(a_peer_that_never_answers),
        cmocka_unit_test(byes_that_cross),
        cmocka_unit_test(an_offerless_reinvite_without_ack_ends_the_call),
        cmocka_unit_test(a_caller_may_cancel),
        cmocka_unit_test(every_row_of_the_table_was_visited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
