/* Offers inside a call, ours by re-INVITE and the peer's by UPDATE: hold, resume, new keys, a new address, and everything that may
 * come in between. What is heard of alice is decrypted with what alice told, so that a key nobody was told of would show. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/stack.h"
#include "base/base64.h"
#include "ear.h"
#include "oom.h"
#include "peer.h"
#include "ua/call.h"

#define HEAD   "v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\n"
#define KEY    "MTIzNDU2Nzg5MEFCQ0RFRkdISUpLTE1OT1BRUlNU" /* 30 bytes */
#define KEY_B  "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"
#define S80    "AES_CM_128_HMAC_SHA1_80"
#define SAVP   "m=audio 5000 RTP/SAVP 0\r\n"
#define CRYPTO "a=crypto:1 " S80 " inline:" KEY "\r\n"
#define GOOD   HEAD SAVP CRYPTO
/* In answer to a new key of alice's, which comes under another tag than the one in use. */
#define REKEYED(key) HEAD SAVP "a=crypto:2 " S80 " inline:" key "\r\n"

static const secsip_account_config mandatory = {.suites = S80};
static struct lab l;
static struct peer p;

static struct ear ear;

static void learn_key(void)
{
    ear_learn_key(&ear);
}

static void listen_for_ms(uint64_t ms)
{
    ear_listen_ms(&ear, ms);
}

/* ---- the call */
static bool alice_talks(void *arg)
{
    (void)arg;
    return l.alice.call_state == SECSIP_CALL_ESTABLISHED;
}

static void start(const secsip_account_config *config)
{
    peer_start(&l, &p, config);
    p.final = 200;
    p.final_sdp = GOOD;
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_true(simnet_run(l.net, 5000000, alice_talks, &l));
    ear_open(&ear, &l, &p);
    listen_for_ms(200);
    assert_in_range(ear.now, 9, 11);
    p.order[0] = 0;
}

static void stop(void)
{
    ear_close(&ear);
    peer_stop(&l, &p);
}

static void expect_modified(int n, secsip_result result, int32_t status)
{
    assert_int_equal(l.alice.n_modified, n);
    assert_int_equal(l.alice.modified_result, result);
    assert_int_equal(l.alice.modified_status, status);
}

static void we_hold_and_resume_and_no_key_changes(void **state)
{
    (void)state;
    start(&mandatory);
    p.final_sdp = GOOD "a=recvonly\r\n";
    assert_int_equal(secsip_call_hold(l.alice.call), 0);
    assert_int_equal(secsip_call_resume(l.alice.call), SECSIP_E_BUSY);
    listen_for_ms(200);
    assert_string_equal(p.order, "IA");
    assert_non_null(strstr(p.offer, "a=sendonly\r\n"));
    assert_non_null(strstr(p.offer, ear.key));
    expect_modified(1, 0, 200);
    assert_string_equal(l.alice.direction, "sendonly");
    p.final_sdp = GOOD;
    assert_int_equal(secsip_call_resume(l.alice.call), 0);
    listen_for_ms(500);
    assert_non_null(strstr(p.offer, "a=sendrecv\r\n"));
    assert_non_null(strstr(p.offer, ear.key));
    expect_modified(2, 0, 200);
    assert_string_equal(l.alice.direction, "sendrecv");
    assert_in_range(ear.now, 24, 26); /* the same key, the indices going on */
    assert_int_equal(ear.unknown, 0);
    stop();
}

/* FIELD 1, pjsip/pjproject#4522, and 6, cisco/libsrtp#761: what an application does near the end of a key's life. */
static void field_06_a_new_key_is_sent_with_once_it_was_answered(void **state)
{
    (void)state;
    start(&mandatory);
    p.final = 0;
    assert_int_equal(secsip_call_rekey(l.alice.call), 0);
    listen_for_ms(300);
    assert_non_null(strstr(p.offer, "RTP/SAVP"));
    assert_null(strstr(p.offer, ear.key));
    assert_int_equal(ear.now, 15); /* not before the answer */
    peer_answer(&p, 200, REKEYED(KEY_B), "peer");
    learn_key();
    simnet_run(l.net, 50000, NULL, NULL);
    listen_for_ms(300);
    assert_int_equal(ear.now, 15);
    assert_int_equal(ear.before + ear.unknown, 0);
    expect_modified(1, 0, 200);
    stop();
}

/* RFC 6141: a refused offer leaves everything as it was, keys too. */
static void what_is_refused_rolls_back(void **state)
{
    (void)state;
    static const int statuses[] = {488, 500, 603};

    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        start(&mandatory);
        p.final = statuses[i];
        p.final_sdp = NULL;
        assert_int_equal(secsip_call_rekey(l.alice.call), 0);
        listen_for_ms(500);
        expect_modified(1, SECSIP_E_UA_REJECTED, statuses[i]);
        assert_int_equal(ear.now, 25);
        assert_int_equal(secsip_call_hold(l.alice.call), 0);
        listen_for_ms(500);
        expect_modified(2, SECSIP_E_UA_REJECTED, statuses[i]);
        assert_int_equal(ear.now, 25);
        /* The hold was refused, so the next offer is no hold. */
        p.final = 200;
        p.final_sdp = REKEYED(KEY);
        assert_int_equal(secsip_call_rekey(l.alice.call), 0);
        listen_for_ms(200);
        assert_non_null(strstr(p.offer, "a=sendrecv\r\n"));
        expect_modified(3, 0, 200);
        assert_int_equal(l.alice.n_ended, 0);
        stop();
    }
}

/* RFC 3261 14.1: both offered; the caller waits 2.1 to 4 s. */
static void a_491_is_tried_again_later(void **state)
{
    (void)state;
    start(&mandatory);
    p.final = 491;
    p.final_sdp = NULL;
    assert_int_equal(secsip_call_hold(l.alice.call), 0);
    listen_for_ms(2000);
    assert_string_equal(p.order, "I");
    assert_int_equal(l.alice.n_modified, 0);
    p.final = 200;
    p.final_sdp = GOOD "a=recvonly\r\n";
    listen_for_ms(2200);
    assert_string_equal(p.order, "IIA");
    expect_modified(1, 0, 200);
    stop();
}

static void the_peers_offer_is_refused_while_ours_waits(void **state)
{
    (void)state;
    start(&mandatory);
    p.final = 0;
    assert_int_equal(secsip_call_hold(l.alice.call), 0);
    listen_for_ms(100);
    peer_send(&p, "INVITE", NULL, GOOD);
    peer_send(&p, "UPDATE", NULL, GOOD);
    listen_for_ms(100);
    assert_string_equal(p.responses, " 491 491");
    peer_answer(&p, 200, GOOD "a=recvonly\r\n", "peer");
    listen_for_ms(100);
    expect_modified(1, 0, 200);
    stop();
}

static void ours_waits_while_the_peers_is_under_way(void **state)
{
    (void)state;
    start(&mandatory);
    p.final_sdp = REKEYED(KEY);
    peer_send(&p, "INVITE", NULL, GOOD);
    listen_for_ms(50);
    assert_int_equal(secsip_call_rekey(l.alice.call), 0); /* before the ACK */
    listen_for_ms(300);
    assert_string_equal(p.order, "");
    peer_send(&p, "ACK", NULL, NULL);
    listen_for_ms(300);
    assert_string_equal(p.order, "IA");
    expect_modified(1, 0, 200);
    stop();
}

static const struct {
    int status;
    const char *sdp;
    secsip_result result;
    const char *order;
} fatal[] = {
    {481, NULL, SECSIP_E_UA_REJECTED, "IB"},
    {408, NULL, SECSIP_E_UA_REJECTED, "IB"},
    {200, NULL, SECSIP_E_SDP_MISSING, "IAB"},
    {200, HEAD "m=audio 5000 RTP/AVP 0\r\n", SECSIP_E_SDES_CLEAR_PROFILE, "IAB"},
    {200, HEAD SAVP, SECSIP_E_SDES_NO_CRYPTO, "IAB"},
    {200, HEAD "m=audio 0 RTP/SAVP 0\r\n" CRYPTO, SECSIP_E_UA_NO_MEDIA, "IAB"},
};

/* FIELD 17, BelledonneCommunications/linphone-sdk#411: an answer that would lower the level ends the call. */
static void field_17_an_answer_that_is_no_good_ends_the_call(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) {
        start(&mandatory);
        p.final = fatal[i].status;
        p.final_sdp = fatal[i].sdp;
        assert_int_equal(secsip_call_rekey(l.alice.call), 0);
        listen_for_ms(500);
        if (strcmp(p.order, fatal[i].order) != 0 || l.alice.call_result != fatal[i].result)
            fail_msg("row %zu: %s %s", i, p.order, l.alice.call_text);
        assert_int_equal(l.alice.n_ended, 1);
        assert_int_equal(l.alice.n_modified, 0);
        listen_for_ms(500);
        assert_int_equal(ear.now + ear.before + ear.unknown, 0);
        assert_int_equal(secsip_call_hold(l.alice.call), SECSIP_E_STATE);
        stop();
    }
}

static void silence_ends_the_call_after_timer_c(void **state)
{
    (void)state;
    start(&mandatory);
    p.deaf = true;
    assert_int_equal(secsip_call_hold(l.alice.call), 0);
    simnet_run(l.net, 180000000, NULL, NULL);
    assert_int_equal(l.alice.n_ended, 0);
    simnet_run(l.net, 80000000, NULL, NULL);
    assert_int_equal(l.alice.n_ended, 1);
    assert_int_equal(l.alice.call_result, SECSIP_E_UA_TRANSACTION_TIMEOUT);
    stop();
}

static void a_lost_ack_is_sent_again(void **state)
{
    (void)state;
    start(&mandatory);
    p.final_sdp = REKEYED(KEY);
    assert_int_equal(secsip_call_rekey(l.alice.call), 0);
    listen_for_ms(200);
    learn_key();
    peer_answer(&p, 200, REKEYED(KEY), "peer");
    peer_answer(&p, 200, REKEYED(KEY), "peer");
    listen_for_ms(200);
    assert_string_equal(p.order, "IAAA");
    assert_int_equal(l.alice.n_modified, 1);
    assert_int_equal(ear.now, 10);
    stop();
}

/* One header line of a message, with its end; "" if there is none. */
static const char *line_of(const char *message, const char *name)
{
    static char lines[4][1024];
    static size_t n;
    char *line = lines[n++ % 4];
    const char *at = strstr(message, name);

    line[0] = 0;
    if (at)
        snprintf(line, sizeof lines[0], "%.*s", (int)strcspn(at, "\r"), at);
    return line;
}

/* RFC 3261 13.2.2.4: the number and the credentials of an ACK are those of the INVITE whose 2xx came, and not of the last one. */
static void an_ack_is_for_the_invite_whose_2xx_came(void **state)
{
    char ack[sizeof p.last_ack];
    struct ssi_txn *first;

    (void)state;
    peer_start(&l, &p, &mandatory);
    p.challenge = "Digest realm=\"example.test\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256";
    p.final = 200;
    p.final_sdp = GOOD;
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_true(simnet_run(l.net, 5000000, alice_talks, &l));
    simnet_run(l.net, 100000, NULL, NULL);
    memcpy(ack, p.last_ack, sizeof ack);
    assert_string_equal(line_of(ack, "CSeq: "), "CSeq: 2 ACK");
    assert_non_null(strstr(ack, "nc=00000001"));
    first = p.invite;
    p.final_sdp = GOOD "a=recvonly\r\n";
    assert_int_equal(secsip_call_hold(l.alice.call), 0);
    simnet_run(l.net, 100000, NULL, NULL);
    assert_string_equal(line_of(p.last_ack, "CSeq: "), "CSeq: 3 ACK");
    p.order[0] = 0;

    p.invite = first;
    peer_answer(&p, 200, GOOD, "peer");
    simnet_run(l.net, 100000, NULL, NULL);
    assert_string_equal(p.last_ack, ack);
    peer_answer(&p, 200, GOOD, "other");
    simnet_run(l.net, 100000, NULL, NULL);
    assert_string_equal(line_of(p.last_ack, "CSeq: "), "CSeq: 2 ACK");
    assert_string_equal(line_of(p.last_ack, "Authorization: "), line_of(ack, "Authorization: "));
    assert_non_null(strstr(p.last_ack, ";tag=other\r\n"));
    assert_string_equal(line_of(p.last_bye, "CSeq: "), "CSeq: 3 BYE");
    assert_string_equal(p.order, "AAB");
    assert_int_equal(l.alice.n_ended, 0);
    peer_stop(&l, &p);
}

/* A 2xx of the INVITE over the connection, but to no transaction: `sent_by` NULL is alice's own. */
static void send_stray_200(const char *sent_by)
{
    struct ssi_sip_msg *req = ssi_txn_request(p.invite);
    char text[2048], own[64];

    snprintf(own, sizeof own, "%.*s:%u", (int)req->via.host.len, req->via.host.p, req->via.port);
    int n =
        snprintf(text, sizeof text,
                 "SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS %s;branch=z9hG4bKnobody\r\n"
                 "From: <sip:alice@example.test>;tag=%s\r\nTo: <sip:bob@example.test>;tag=peer\r\n"
                 "Call-ID: %s\r\nCSeq: %u INVITE\r\n"
                 "Contact: <sip:peer@10.0.0.9:5061;transport=tls>\r\nContent-Length: 0\r\n\r\n",
                 sent_by ? sent_by : own, p.alice_tag, p.call_id, (unsigned)req->cseq);
    assert_true(n > 0 && (size_t)n < sizeof text);
    ssi_flow_send(p.flow, ssi_slice_of(text, (size_t)n));
    listen_for_ms(50);
}

/* RFC 3261 18.1.2, for responses whose transaction is gone. */
static void a_stray_2xx_with_the_sent_by_of_another_is_not_acknowledged(void **state)
{
    static const char *const others[] = {"10.0.0.9:5061", "10.0.0.1:5061", "10.0.0.1",
                                         "alice.example.test:40000"};

    (void)state;
    start(&mandatory);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        send_stray_200(others[i]);
    assert_string_equal(p.order, "");
    char two[128]; /* and one with another Via below ours, RFC 3261 8.1.3.3 */
    snprintf(two, sizeof two, "%.*s:%u;branch=z9hG4bKx,SIP/2.0/TLS h",
             (int)ssi_txn_request(p.invite)->via.host.len, ssi_txn_request(p.invite)->via.host.p,
             ssi_txn_request(p.invite)->via.port);
    send_stray_200(two);
    assert_string_equal(p.order, "");
    send_stray_200(NULL);
    assert_string_equal(p.order, "A");
    p.final_sdp = GOOD "a=recvonly\r\n";
    assert_int_equal(secsip_call_hold(l.alice.call), 0);
    listen_for_ms(100);
    assert_string_equal(p.order, "AIA");
    send_stray_200(others[0]);
    assert_string_equal(p.order, "AIA");
    send_stray_200(NULL);
    assert_string_equal(p.order, "AIAA");
    assert_string_equal(line_of(p.last_ack, "CSeq: "), "CSeq: 2 ACK");
    stop();
}

/* The ACK of one offer is lost and the next is refused for it (RFC 3261 14.2): the 2xx that comes again has its ACK. */
static void an_offer_before_the_last_is_acknowledged_again(void **state)
{
    char ack[sizeof p.last_ack];

    (void)state;
    start(&mandatory);
    p.final_sdp = GOOD "a=recvonly\r\n";
    assert_int_equal(secsip_call_hold(l.alice.call), 0);
    listen_for_ms(100);
    struct ssi_txn *held = p.invite;
    memcpy(ack, p.last_ack, sizeof ack);
    p.final = 500;
    p.final_sdp = NULL;
    assert_int_equal(secsip_call_resume(l.alice.call), 0);
    listen_for_ms(100);
    assert_string_equal(p.order, "IAI");
    p.invite = held;
    peer_answer(&p, 200, GOOD "a=recvonly\r\n", "peer");
    listen_for_ms(100);
    assert_string_equal(p.order, "IAIA");
    assert_string_equal(p.last_ack, ack);
    p.final = 200;
    p.final_sdp = GOOD;
    assert_int_equal(secsip_call_resume(l.alice.call), 0);
    listen_for_ms(100);
    p.invite = held; /* its own ACK is not kept any more, but its number is known */
    peer_answer(&p, 200, GOOD "a=recvonly\r\n", "peer");
    listen_for_ms(100);
    assert_string_equal(p.order, "IAIAIAA");
    assert_string_equal(line_of(p.last_ack, "CSeq: "), line_of(ack, "CSeq: "));
    assert_int_equal(l.alice.n_modified, 3);
    assert_int_equal(l.alice.n_ended, 0);
    stop();
}

static void hanging_up_in_between(void **state)
{
    (void)state;
    start(&mandatory);
    p.final = 0;
    assert_int_equal(secsip_call_rekey(l.alice.call), 0);
    listen_for_ms(100);
    assert_int_equal(secsip_call_hangup(l.alice.call), 0);
    peer_answer(&p, 200, GOOD, "peer"); /* crosses the BYE: it is acknowledged all the same */
    listen_for_ms(500);
    assert_non_null(strchr(p.order, 'A'));
    assert_non_null(strchr(p.order, 'B'));
    assert_int_equal(l.alice.n_ended, 1);
    assert_int_equal(l.alice.n_modified, 0);
    assert_int_equal(ear.unknown, 0);
    stop();
}

/* The re-INVITE, or its answer, went down with the connection: it is made again over the next one. */
static void a_change_outlives_its_connection(void **state)
{
    (void)state;
    start(&mandatory);
    p.deaf = true;
    assert_int_equal(secsip_call_rekey(l.alice.call), 0);
    listen_for_ms(100);
    simnet_cut(l.alice.host);
    p.deaf = false;
    p.final_sdp = REKEYED(KEY);
    listen_for_ms(1000);
    assert_int_equal(l.alice.n_ended, 0);
    expect_modified(1, 0, 200);
    learn_key();
    listen_for_ms(500);
    assert_in_range(ear.now, 24, 26);
    assert_int_equal(ear.unknown, 0);
    stop();
}

/* FIELD 2, pjsip/pjproject#2682, and RFC 4568 7.1.4: media from another address come under another key; on a refresh from the same
 * address the key stays, which the first test shows. */
static void field_02_a_new_address_brings_a_new_key(void **state)
{
    (void)state;
    for (int refused = 0; refused < 2; refused++) {
        start(&mandatory);
        l.alice.call->flow->local.ip[3] = 11;
        p.final = refused ? 488 : 200;
        p.final_sdp = refused ? NULL : REKEYED(KEY);
        assert_int_equal(secsip_call_resume(l.alice.call), 0);
        simnet_run(l.net, 30000, NULL, NULL);
        assert_non_null(strstr(p.offer, "c=IN IP4 10.0.0.11\r\n"));
        assert_null(strstr(p.offer, ear.key));
        if (!refused)
            learn_key();
        listen_for_ms(500);
        assert_in_range(ear.now, 24, 26);
        assert_int_equal(ear.unknown, 0);
        assert_int_equal(ear.from, refused ? 1 : 11);
        l.alice.call->flow->local.ip[3] = 1;
        stop();
    }
}

/* A phone that comes back from another address says so, unasked, and with a new key. */
static void field_02_a_connection_from_another_address_takes_the_media_along(void **state)
{
    (void)state;
    start(&mandatory);
    /* As if the call had been made from 10.0.0.12. */
    l.alice.call->media->ports[0].rtp.dgram.local.ip[3] = 12;
    p.final_sdp = REKEYED(KEY);
    simnet_cut(l.alice.host);
    listen_for_ms(1000);
    assert_non_null(strchr(p.order, 'I'));
    assert_non_null(strstr(p.offer, "c=IN IP4 10.0.0.1\r\n"));
    assert_null(strstr(p.offer, ear.key));
    learn_key();
    listen_for_ms(500);
    assert_in_range(ear.now, 24, 26);
    assert_int_equal(ear.unknown, 0);
    assert_int_equal(l.alice.n_ended + l.alice.n_modified, 0); /* nobody had asked */
    /* And again, without anything new: no offer. */
    p.order[0] = 0;
    simnet_cut(l.alice.host);
    listen_for_ms(1000);
    assert_null(strchr(p.order, 'I'));
    stop();
}

static secsip_result refuse_port(void *arg, struct ssi_dgram *d)
{
    (void)arg;
    (void)d;
    return SECSIP_E_IO;
}

/* An offer of ours that cannot be made takes back nothing of what was agreed on before: neither the keys of a transfer, nor SRTP
 * that a call in clear had risen to. */
static void an_offer_that_cannot_be_made_takes_nothing_back(void **state)
{
    static const secsip_account_config optional = {
        .suites = S80, .media_security = SECSIP_MEDIA_SECURITY_OPTIONAL};

    (void)state;
    for (int rises = 0; rises < 2; rises++) {
        peer_start(&l, &p, rises ? &optional : &mandatory);
        p.final = 200;
        p.final_sdp = rises ? HEAD "m=audio 5000 RTP/AVP 0\r\n" : GOOD;
        lab_call(&l, &l.alice, "sip:bob@example.test");
        assert_true(simnet_run(l.net, 5000000, alice_talks, &l));
        peer_send(&p, "INVITE", NULL, HEAD SAVP "a=crypto:1 " S80 " inline:" KEY_B "\r\n");
        simnet_run(l.net, 30000, NULL, NULL);
        peer_send(&p, "ACK", NULL, NULL);
        ear_open(&ear, &l, &p);
        listen_for_ms(200);
        assert_in_range(ear.now, 9, 11);
        /* No port can be had at the new address. */
        secsip_result (*dgram_open)(void *arg, struct ssi_dgram *d) =
            simnet_stack(l.alice.host)->ua.io.dgram_open;
        simnet_stack(l.alice.host)->ua.io.dgram_open = refuse_port;
        l.alice.call->flow->local.ip[3] = 11;
        assert_int_equal(secsip_call_hold(l.alice.call), 0);
        listen_for_ms(200);
        expect_modified(1, SECSIP_E_IO, 0);
        assert_in_range(ear.now, 9, 11);
        assert_int_equal(ear.unknown, 0);
        l.alice.call->flow->local.ip[3] = 1;
        simnet_stack(l.alice.host)->ua.io.dgram_open = dgram_open;
        stop();
    }
}

/* What was under way to us when the call was transferred does not take our media back to where it comes from. */
static void a_late_packet_under_the_old_key_draws_nothing(void **state)
{
    (void)state;
    start(&mandatory);
    struct ssi_srtp_config c = {.direction = SSI_SRTP_SEND,
                                .suite = SSI_SRTP_AES_CM_128_HMAC_SHA1_80};
    struct ssi_srtp *tx = NULL;
    size_t len = 0;
    assert_true(ssi_base64_get(SSI_LIT(KEY), c.key.bytes, sizeof c.key.bytes, &len));
    c.key.len = (uint8_t)len;
    assert_int_equal(ssi_srtp_new(&c, &tx), 0);
    peer_send(&p, "UPDATE", NULL,
              "v=0\r\no=- 1 2 IN IP4 10.0.0.8\r\ns=-\r\nc=IN IP4 10.0.0.8\r\nt=0 0\r\n" SAVP
              "a=crypto:1 " S80 " inline:" KEY_B "\r\n");
    simnet_run(l.net, 100000, NULL, NULL);
    uint8_t b[512] = {0x80, 0, 0, 1, 0, 0, 0, 1, 1, 2, 3, 4};
    len = 172;
    assert_int_equal(ssi_srtp_protect_rtp(tx, b, &len, sizeof b), 0);
    char to[64];
    snprintf(to, sizeof to, "10.0.0.1:%u", l.alice.call->media->ports[0].rtp.dgram.local.port);
    simnet_inject(l.net, "10.0.0.9:5000", to, b, len);
    simnet_run(l.net, 30000, NULL, NULL);
    assert_int_equal(l.alice.call->media->terms.remote_rtp.ip[3], 8);
    ssi_srtp_free(tx);
    stop();
}

/* FIELD 15, asterisk/asterisk#581, jitsi/jitsi#433, and 1, pjsip/pjproject#4522: a transfer after the sequence numbers have rolled
 * over. The new endpoint has a key and an address of its own and knows nothing of roll-over counters. */
static void field_15_after_a_transfer_the_new_endpoint_understands_us(void **state)
{
    (void)state;
    start(&mandatory);
    listen_for_ms(1330 * 1000);
    assert_true(ear.now > 65536 && ear.unknown == 0);
    peer_send(&p, "INVITE", NULL,
              "v=0\r\no=- 1 2 IN IP4 10.0.0.8\r\ns=-\r\nc=IN IP4 10.0.0.8\r\nt=0 0\r\n" SAVP
              "a=crypto:1 " S80 " inline:" KEY_B "\r\n");
    simnet_run(l.net, 30000, NULL, NULL);
    peer_send(&p, "ACK", NULL, NULL);
    learn_key(); /* a receiver that has seen nothing yet */
    listen_for_ms(1000);
    assert_in_range(ear.now, 49, 51);
    assert_int_equal(ear.unknown + ear.before, 0);
    stop();
}

/* ---- UPDATE (RFC 3311) */
static void the_peer_updates(void **state)
{
    (void)state;
    start(&mandatory);
    peer_send(&p, "UPDATE", NULL, GOOD "a=sendonly\r\n");
    listen_for_ms(100);
    assert_string_equal(p.responses, " 200");
    assert_non_null(strstr(p.last_response, "Content-Type: application/sdp\r\n"));
    assert_non_null(strstr(p.offer, "a=recvonly\r\n"));
    assert_non_null(strstr(p.offer, ear.key)); /* a refresh */
    assert_string_equal(l.alice.direction, "recvonly");
    /* Another key of the peer's, and so another one of ours, at once: an UPDATE has no ACK. */
    peer_send(&p, "UPDATE", NULL, HEAD SAVP "a=crypto:1 " S80 " inline:" KEY_B "\r\n");
    simnet_run(l.net, 30000, NULL, NULL);
    learn_key();
    listen_for_ms(300);
    assert_int_equal(ear.now, 15);
    assert_int_equal(ear.unknown, 0);
    /* Without an offer it refreshes the target; a weaker one is refused and changes nothing. */
    peer_send(&p, "UPDATE", NULL, NULL);
    peer_send(&p, "UPDATE", NULL, HEAD "m=audio 5000 RTP/AVP 0\r\n");
    listen_for_ms(300);
    assert_string_equal(p.responses, " 200 200 200 488");
    assert_int_equal(ear.now, 15);
    assert_string_equal(p.order, "");
    assert_int_equal(l.alice.n_ended, 0);
    /* Before the ACK of a re-INVITE there is no room for another offer. */
    peer_send(&p, "INVITE", NULL, GOOD);
    peer_send(&p, "UPDATE", NULL, GOOD);
    listen_for_ms(100);
    assert_string_equal(p.responses, " 200 200 200 488 200 500");
    stop();
}

static void an_update_before_the_call_is_up(void **state)
{
    (void)state;
    peer_start(&l, &p, &mandatory);
    l.alice.answers = false;
    p.call_id[0] = p.alice_tag[0] = 0;
    peer_send(&p, "INVITE", NULL, GOOD);
    listen_for_ms(100);
    const char *tag = strstr(strstr(p.last_response, "\r\nTo:"), ";tag=");
    snprintf(p.alice_tag, sizeof p.alice_tag, "%.*s", (int)strcspn(tag + 5, ";\r\n"), tag + 5);
    snprintf(p.call_id, sizeof p.call_id, "from-peer");
    peer_send(&p, "UPDATE", NULL, NULL);
    peer_send(&p, "UPDATE", NULL, GOOD);
    listen_for_ms(100);
    assert_string_equal(p.responses, " 180 200 500");
    assert_int_equal(secsip_call_hold(l.alice.call), SECSIP_E_STATE);
    assert_int_equal(secsip_call_answer(l.alice.call), 0);
    listen_for_ms(20);
    peer_send(&p, "UPDATE", NULL, NULL);
    peer_send(&p, "UPDATE", NULL, GOOD);
    listen_for_ms(100);
    assert_string_equal(p.responses, " 180 200 500 200 200 500");
    peer_stop(&l, &p);
}

/* ---- Over a clear connection no key is told, in whatever the call is. */
static void ignore_failure(void *arg, struct ssi_flow *f, const struct ssi_error *why)
{
    (void)arg;
    (void)f;
    (void)why;
}

static void an_offer_over_a_clear_connection_gets_no_key(void **state)
{
    static const secsip_account_config configs[] = {
        {.suites = S80}, {.suites = S80, .media_security = SECSIP_MEDIA_SECURITY_OPTIONAL}};
    static const char *const methods[] = {"INVITE", "UPDATE"};

    (void)state;
    for (int i = 0; i < 4; i++) {
        struct ssi_flow_target target = {
            .transport = SSI_TRANSPORT_TCP, .host = "10.0.0.1", .port = 5070};
        struct ssi_flow_watch watch = {.on_failed = ignore_failure};
        struct ssi_flow *clear, *secure;
        const secsip_account_config *config = &configs[i % 2];

        peer_start(&l, &p, config);
        p.final = 200;
        p.final_sdp = config->media_security ? HEAD "m=audio 5000 RTP/AVP 0\r\n" : GOOD;
        lab_call(&l, &l.alice, "sip:bob@example.test");
        assert_true(simnet_run(l.net, 5000000, alice_talks, &l));
        assert_int_equal(secsip_stack_listen(simnet_stack(l.alice.host),
                                             "insecure-tcp:10.0.0.1:5070", NULL, NULL),
                         0);
        assert_int_equal(ssi_flow_get(p.ua, &target, &clear), 0);
        ssi_list_init(&watch.node);
        ssi_flow_watch(clear, &watch);
        p.offer[0] = 0;
        secure = p.flow;
        p.flow = clear;
        peer_send(&p, methods[i / 2], NULL,
                  HEAD "m=audio 5000 RTP/AVP 0\r\n" CRYPTO "a=tcap:1 RTP/SAVP\r\na=pcfg:1 t=1\r\n");
        listen_for_ms(500);
        assert_string_equal(p.responses, " 481"); /* nobody of the dialog sends from there */
        assert_string_equal(p.offer, "");
        assert_int_equal(l.alice.n_ended, 0);
        p.flow = secure;
        ssi_flow_unwatch(clear, &watch);
        ssi_flow_unref(clear);
        peer_stop(&l, &p);
    }
}

/* Through registrar and proxy, from either side, each of which challenges. */
static void either_side_of_a_call_may_hold(void **state)
{
    (void)state;
    lab_start(&l, LAB_SERVER);
    lab_phone(&l, &l.alice, "alice", NULL);
    lab_phone(&l, &l.bob, "bob", NULL);
    l.bob.answers = true;
    lab_register(&l);
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_true(simnet_run(l.net, 5000000, lab_both_talking, &l));
    simnet_run(l.net, 300000, NULL, NULL);
    struct phone *sides[2] = {&l.alice, &l.bob};
    for (int i = 0; i < 2; i++) {
        struct phone *me = sides[i], *other = sides[!i];
        assert_int_equal(secsip_call_hold(me->call), 0);
        simnet_run(l.net, 500000, NULL, NULL);
        assert_int_equal(me->n_modified, 1);
        assert_int_equal(me->modified_result, 0);
        assert_string_equal(me->direction, "sendonly");
        assert_string_equal(other->direction, "recvonly");
        assert_int_equal(secsip_call_resume(me->call), 0);
        simnet_run(l.net, 500000, NULL, NULL);
        assert_int_equal(secsip_call_rekey(me->call), 0);
        simnet_run(l.net, 500000, NULL, NULL);
        assert_int_equal(me->n_modified, 3);
        assert_int_equal(me->modified_result, 0);
        assert_string_equal(other->direction, "sendrecv");
    }
    secsip_media_stats stats = {.size = sizeof stats};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(secsip_call_get_stats(sides[i]->call, &stats), 0);
        assert_int_equal(stats.auth_failed + stats.replayed + stats.lost, 0);
        assert_true(stats.rx > 100);
    }
    lab_stop(&l);
}

/* Want of memory at any one allocation of a hold and a new key: told, or the call ends; it never goes on with a key that nobody
 * knows. */
static void change_twice(void *arg)
{
    unsigned *n_done = arg;

    test_oom_pause();
    start(&mandatory);
    p.final_sdp = GOOD "a=recvonly\r\n";
    test_oom_resume();
    if (secsip_call_hold(l.alice.call) == 0)
        listen_for_ms(200);
    p.final_sdp = REKEYED(KEY);
    if (secsip_call_rekey(l.alice.call) == 0)
        simnet_run(l.net, 200000, NULL, NULL);
    test_oom_pause();
    /* A 200 that we had no memory to acknowledge ends in a BYE, in time. */
    assert_true(l.alice.n_modified == 2 || l.alice.n_ended == 1 || test_oom_has_failed());
    if (l.alice.n_modified == 2 && l.alice.modified_result == 0) {
        learn_key();
        *n_done += 1;
    }
    if (l.alice.n_ended == 0) {
        listen_for_ms(200);
        assert_int_equal(ear.unknown, 0);
    }
    stop();
    test_oom_resume();
}

static void each_allocation_of_a_change_fails_once(void **state)
{
    unsigned n_done = 0;

    (void)state;
    lab_open();
    uint32_t n = test_oom_each(change_twice, &n_done);
    lab_close();
    print_message("%u allocations, %u changes were done all the same\n", n - 1, n_done);
    assert_true(n > 20 && n_done > 0 && n_done < n);
}

static void every_row_of_the_table_was_visited(void **state)
{
    int missed = 0;

    (void)state;
    for (int phase = 0; phase < SSI_CALL_N_PHASES; phase++)
        for (int i = SSI_CALL_MODIFY; i < SSI_CALL_N_INPUTS; i++)
            if (ssi_call_cell((enum ssi_call_phase)phase, (enum ssi_call_input)i)->handler &&
                !lab_cells[phase][i]) {
                printf("not visited: phase %d input %d\n", phase, i);
                missed++;
            }
    assert_int_equal(missed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(we_hold_and_resume_and_no_key_changes),
        cmocka_unit_test(field_06_a_new_key_is_sent_with_once_it_was_answered),
        cmocka_unit_test(what_is_refused_rolls_back),
        cmocka_unit_test(a_491_is_tried_again_later),
        cmocka_unit_test(the_peers_offer_is_refused_while_ours_waits),
        cmocka_unit_test(ours_waits_while_the_peers_is_under_way),
        cmocka_unit_test(field_17_an_answer_that_is_no_good_ends_the_call),
        cmocka_unit_test(silence_ends_the_call_after_timer_c),
        cmocka_unit_test(a_lost_ack_is_sent_again),
        cmocka_unit_test(an_ack_is_for_the_invite_whose_2xx_came),
        cmocka_unit_test(an_offer_before_the_last_is_acknowledged_again),
        cmocka_unit_test(a_stray_2xx_with_the_sent_by_of_another_is_not_acknowledged),
        cmocka_unit_test(hanging_up_in_between),
        cmocka_unit_test(a_change_outlives_its_connection),
        cmocka_unit_test(field_02_a_new_address_brings_a_new_key),
        cmocka_unit_test(field_02_a_connection_from_another_address_takes_the_media_along),
        cmocka_unit_test(an_offer_that_cannot_be_made_takes_nothing_back),
        cmocka_unit_test(a_late_packet_under_the_old_key_draws_nothing),
        cmocka_unit_test(field_15_after_a_transfer_the_new_endpoint_understands_us),
        cmocka_unit_test(the_peer_updates),
        cmocka_unit_test(an_update_before_the_call_is_up),
        cmocka_unit_test(an_offer_over_a_clear_connection_gets_no_key),
        cmocka_unit_test(either_side_of_a_call_may_hold),
        cmocka_unit_test(each_allocation_of_a_change_fails_once),
        cmocka_unit_test(every_row_of_the_table_was_visited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
