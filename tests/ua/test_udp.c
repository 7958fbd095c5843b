/* Calls over UDP on virtual time: what is allowed and what never is, networks that lose, double and reorder, the timers of
 * unreliable transports, floods, and peers that are not there. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/stack.h"
#include "phone.h"
#include "seed.h"

enum {
    FLOOD = 100000,
    SEEN_MAX = 64,
};

static struct lab l;

/* What went over the network in clear, but media. */
static struct {
    uint64_t at_us[SEEN_MAX];
    char what[SEEN_MAX][12]; /* "INVITE", "200" */
    int n;
    int n_keys; /* datagrams, and pieces of connections, with a key in them */
    int n_keep_alive;
} seen;

static const secsip_account_config clear_config = {
    .proxy = "sip:example.test:5060;transport=udp",
    .media_security = SECSIP_MEDIA_SECURITY_INSECURE_CLEAR,
    .insecure_transport = 1,
};

static bool holds(const uint8_t *data, size_t len, const char *word)
{
    for (size_t i = 0; i + strlen(word) <= len; i++)
        if (memcmp(data + i, word, strlen(word)) == 0)
            return true;
    return false;
}

static void watch_stream(const secsip_engine_address *from, const secsip_engine_address *to,
                         const uint8_t *data, size_t len, void *arg)
{
    (void)from;
    (void)to;
    (void)arg;
    if (holds(data, len, "crypto") || holds(data, len, "inline:"))
        seen.n_keys++;
}

static bool watch(const secsip_engine_address *from, const secsip_engine_address *to, uint8_t *data,
                  size_t len, void *arg)
{
    (void)from;
    (void)to;
    (void)arg;
    if (len == 4 && memcmp(data, "\r\n\r\n", 4) == 0)
        seen.n_keep_alive++;
    if (!holds(data, len, "SIP/2.0"))
        return true;
    if (holds(data, len, "crypto") || holds(data, len, "inline:"))
        seen.n_keys++;
    if (seen.n < SEEN_MAX) {
        const char *word = (const char *)data + (memcmp(data, "SIP/2.0 ", 8) == 0 ? 8 : 0);
        sscanf(word, "%11s", seen.what[seen.n]);
        seen.at_us[seen.n++] = simnet_now(l.net);
    }
    return true;
}

static void start(const secsip_account_config *alice, const secsip_account_config *bob)
{
    memset(&seen, 0, sizeof seen);
    lab_start_clear(&l, &(secsip_stack_config){0});
    simnet_tap(l.net, watch, watch_stream, NULL);
    lab_phone(&l, &l.alice, "alice", alice);
    lab_phone(&l, &l.bob, "bob", bob);
    l.bob.answers = true;
}

static struct ssi_ua *core_of(struct simnet_host *h)
{
    return &simnet_stack(h)->ua;
}

static void a_call_in_clear(void **state)
{
    (void)state;
    start(&clear_config, &clear_config);
    lab_register(&l);
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_true(simnet_run(l.net, 5000000, lab_both_talking, &l));
    simnet_run(l.net, 1000000, NULL, NULL);
    assert_true(l.bob.n_samples_heard > 6000);
    assert_int_equal(l.alice.level, SECSIP_SECURITY_CLEAR);
    assert_int_equal(secsip_call_hangup(l.bob.call), 0);
    assert_true(simnet_run(l.net, 5000000, lab_both_ended, &l));
    assert_int_equal(l.alice.call_result, 0);
    assert_int_equal(seen.n_keys, 0);
    /* Timers D, I, J, K, L and M leave nothing behind: RFC 3261 table 4, RFC 6026. */
    simnet_run(l.net, 33000000, NULL, NULL);
    assert_int_equal(core_of(l.alice.host)->txn.n_live, 0);
    assert_int_equal(core_of(l.bob.host)->txn.n_live, 0);
    assert_int_equal(core_of(l.server)->txn.n_live, 0);
    lab_stop(&l);
}

static bool alice_ended(void *arg)
{
    (void)arg;
    return l.alice.n_ended > 0;
}

/* Without the option there is no way to name it; with it, no key goes over it all the same. */
static void keys_never_go_in_clear(const char *proxy)
{
    secsip_account_config secure = clear_config, optional = clear_config, plain = clear_config;
    secsip_account *none;

    secure.proxy = optional.proxy = plain.proxy = proxy;
    secure.media_security = SECSIP_MEDIA_SECURITY_MANDATORY;
    optional.media_security = SECSIP_MEDIA_SECURITY_OPTIONAL;
    start(&secure, &optional);
    plain.size = sizeof plain;
    plain.aor = "sip:carol@example.test";
    plain.insecure_transport = 0;
    assert_int_equal(secsip_account_new(simnet_stack(l.alice.host), &plain, NULL, NULL, &none),
                     SECSIP_E_PERMISSION);
    plain.insecure_transport = 1;
    plain.aor = "sips:carol@example.test";
    assert_int_equal(secsip_account_new(simnet_stack(l.alice.host), &plain, NULL, NULL, &none),
                     SECSIP_E_PERMISSION);
    lab_register(&l);
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_true(simnet_run(l.net, 5000000, alice_ended, NULL));
    assert_int_equal(l.alice.call_result, SECSIP_E_UA_INSECURE_FLOW);
    assert_string_equal(l.alice.call_found, "no TLS");
    secsip_call_unref(l.alice.call);
    l.alice.call = NULL;
    l.alice.n_ended = 0;
    /* Optional security: bob calls without a key, and alice, who must have one, refuses. */
    lab_call(&l, &l.bob, "sip:alice@example.test");
    simnet_run(l.net, 5000000, NULL, NULL);
    assert_int_equal(l.bob.n_ended, 1);
    assert_int_equal(l.bob.call_status, 488);
    assert_int_equal(seen.n_keys, 0);
    lab_stop(&l);
}

static void keys_never_go_over_udp(void **state)
{
    (void)state;
    keys_never_go_in_clear("sip:example.test:5060;transport=udp");
}

static void keys_never_go_over_tcp(void **state)
{
    (void)state;
    keys_never_go_in_clear("sip:example.test:5060;transport=tcp");
}

/* The registrar serves a phone over TLS and one in clear: no key passes from the one to the other. */
static void the_proxy_lets_no_key_out(void **state)
{
    secsip_account_config optional = {.media_security = SECSIP_MEDIA_SECURITY_OPTIONAL};

    (void)state;
    start(&optional, &clear_config);
    lab_register(&l);
    lab_call(&l, &l.alice, "sip:bob@example.test"); /* over TLS she offers a key beside clear */
    assert_true(simnet_run(l.net, 5000000, alice_ended, NULL));
    assert_int_equal(l.alice.call_status, 488);
    assert_null(l.bob.call);
    assert_int_equal(seen.n_keys, 0);
    secsip_call_unref(l.alice.call);
    l.alice.call = NULL;
    /* The other way there is no key to begin with, and the call is clear. */
    l.alice.answers = true;
    l.alice.n_ended = 0;
    lab_call(&l, &l.bob, "sip:alice@example.test");
    assert_true(simnet_run(l.net, 5000000, lab_both_talking, &l));
    assert_int_equal(seen.n_keys, 0);
    lab_stop(&l);
}

/* A stranger asks over UDP for a phone that speaks TLS, without an offer: the phone's own, with its key, stays inside. */
static void the_proxy_gives_no_offer_of_others_out(void **state)
{
    static const char invite[] =
        "INVITE sip:bob@example.test SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.66;branch=z9hG4bKi\r\n"
        "From: <sip:x@example.com>;tag=x\r\nTo: <sip:bob@example.test>\r\nCall-ID: i\r\n"
        "CSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:x@10.0.0.66>\r\n\r\n";

    (void)state;
    start(&clear_config, NULL);
    assert_int_equal(secsip_account_register(l.bob.account), 0);
    simnet_run(l.net, 1000000, NULL, NULL);
    seen.n = 0;
    simnet_inject(l.net, "10.0.0.66:5060", "10.0.0.9:5060", invite, sizeof invite - 1);
    simnet_run(l.net, 100000, NULL, NULL);
    assert_int_equal(seen.n, 1);
    assert_string_equal(seen.what[0], "488");
    assert_int_equal(seen.n_keys, 0);
    assert_int_equal(l.bob.call_state, SECSIP_CALL_INCOMING); /* he did answer */
    simnet_run(l.net, 100000000, NULL, NULL);
    assert_int_equal(l.bob.n_ended, 1);
    assert_int_equal(seen.n_keys, 0);
    lab_stop(&l);
}

/* One round on a bad network: both register, one calls, speaks, hangs up. True when the call was made. */
static bool call_on_bad_network(uint64_t seed, uint32_t loss_percent)
{
    start(&clear_config, &clear_config);
    simnet_lossy(l.net, seed, loss_percent, 10, 200000);
    assert_int_equal(secsip_account_register(l.alice.account), 0);
    assert_int_equal(secsip_account_register(l.bob.account), 0);
    /* A registration that fails is tried again. */
    assert_true(simnet_run(l.net, 600000000, lab_both_registered, &l));
    lab_call(&l, &l.alice, "sip:bob@example.test");
    simnet_run(l.net, 40000000, lab_both_talking, &l);
    bool talked = lab_both_talking(&l);
    if (l.alice.n_ended == 0)
        secsip_call_hangup(l.alice.call);
    assert_true(simnet_run(l.net, 300000000, alice_ended, NULL));
    assert_int_equal(l.alice.n_ended, 1);
    if (!talked && l.alice.call_result == SECSIP_E_UA_REJECTED)
        assert_true(l.alice.call_status == 408 || l.alice.call_status == 480); /* the proxy's */
    else if (!talked && l.alice.call_result < 0)
        assert_int_equal(l.alice.call_result, SECSIP_E_UA_TRANSACTION_TIMEOUT);
    if (l.bob.call && l.bob.n_ended == 0) /* alice's BYE may have been lost seven times */
        secsip_call_hangup(l.bob.call);
    simnet_run(l.net, 100000000, NULL, NULL);
    assert_true(l.bob.n_ended <= 1);
    /* Between refreshes of the registrations nothing lives. */
    assert_true(core_of(l.server)->txn.n_live <= 4);
    simnet_lossy(l.net, seed, 0, 0, 0);
    lab_stop(&l);
    return talked;
}

static void calls_get_through_a_network_that_loses(void **state)
{
    static const struct {
        uint32_t loss_percent;
        int at_least; /* of ROUNDS; far below what is to be expected */
    } networks[] = {{0, 8}, {10, 7}, {20, 5}, {30, 4}};
    uint64_t seed = test_seed();

    (void)state;
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++) {
        int n = 0;
        for (int round = 0; round < 8; round++)
            n += call_on_bad_network(test_random(&seed), networks[i].loss_percent);
        printf("%u %% lost: %d of 8 calls\n", (unsigned)networks[i].loss_percent, n);
        assert_true(n >= networks[i].at_least);
    }
}

/* The times of what was sent, as "INVITE 0 500 1500", in ms from the first. */
static const char *times_of(const char *what)
{
    static char text[512];
    size_t len = (size_t)snprintf(text, sizeof text, "%s", what);
    uint64_t first = 0;

    for (int i = 0; i < seen.n; i++) {
        if (strcmp(seen.what[i], what) != 0)
            continue;
        if (first == 0)
            first = seen.at_us[i];
        uint64_t us = seen.at_us[i] - first;
        len += (size_t)snprintf(text + len, sizeof text - len, us % 1000 ? " %g" : " %.0f",
                                (double)us / 1000);
    }
    return text;
}

static bool alice_failed(void *arg)
{
    (void)arg;
    return l.alice.reg_state == SECSIP_REGISTRATION_FAILED;
}

static void timers_of_clients_are_exact(void **state)
{
    secsip_account_config silent = clear_config;

    (void)state;
    silent.proxy = "sip:10.0.0.77;transport=udp"; /* nobody, and nobody says so */
    start(&silent, &silent);
    uint64_t began = simnet_now(l.net);
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_true(simnet_run(l.net, 100000000, alice_ended, NULL));
    assert_int_equal(simnet_now(l.net) - began, 32000000); /* timer B */
    assert_int_equal(l.alice.call_result, SECSIP_E_UA_TRANSACTION_TIMEOUT);
    assert_string_equal(times_of("INVITE"), "INVITE 0 500 1500 3500 7500 15500 31500"); /* A */
    began = simnet_now(l.net);
    assert_int_equal(secsip_account_register(l.alice.account), 0);
    assert_true(simnet_run(l.net, 100000000, alice_failed, NULL));
    assert_int_equal(simnet_now(l.net) - began, 32000000); /* timer F */
    assert_string_equal(times_of("REGISTER"),              /* E */
                        "REGISTER 0 500 1500 3500 7500 11500 15500 19500 23500 27500 31500");
    lab_stop(&l);
}

static const char *invite_from = "10.0.0.66:5060";

static void send_to_bob(const char *method, const char *branch, const char *to_tag, unsigned cseq)
{
    char text[1024];
    const char *sdp = strcmp(method, "INVITE") ? ""
                                               : "v=0\r\no=- 1 1 IN IP4 10.0.0.66\r\ns=-\r\n"
                                                 "c=IN IP4 10.0.0.66\r\nt=0 0\r\n"
                                                 "m=audio 4000 RTP/AVP 0\r\n";
    int n = snprintf(text, sizeof text,
                     "%s sip:bob@10.0.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.66:5060;rport;"
                     "branch=z9hG4bK%s\r\nMax-Forwards: 70\r\nFrom: <sip:x@example.com>;tag=x\r\n"
                     "To: <sip:bob@example.test>%s%s\r\nCall-ID: raw\r\nCSeq: %u %s\r\n"
                     "Contact: <sip:x@10.0.0.66>\r\n%sContent-Length: %zu\r\n\r\n%s",
                     method, branch, *to_tag ? ";tag=" : "", to_tag, cseq, method,
                     *sdp ? "Content-Type: application/sdp\r\n" : "", strlen(sdp), sdp);
    simnet_inject(l.net, invite_from, "10.0.0.2:5060", text, (size_t)n);
}

/* bob alone, who listens. */
static void start_bob(void)
{
    start(&clear_config, &clear_config);
    assert_int_equal(
        secsip_stack_listen(simnet_stack(l.bob.host), "insecure-udp:10.0.0.2:5060", NULL, NULL), 0);
}

static void timers_of_servers_are_exact(void **state)
{
    (void)state;
    start_bob();
    l.bob.rejects = true;
    send_to_bob("INVITE", "a", "", 1);
    simnet_run(l.net, 40000000, NULL, NULL);
    assert_string_equal(times_of("486"), /* timer G, until H */
                        "486 0 500 1500 3500 7500 11500 15500 19500 23500 27500 31500");
    assert_int_equal(core_of(l.bob.host)->txn.n_live, 0);
    seen.n = 0;
    l.bob.rejects = false;
    l.bob.answers = true;
    secsip_call_unref(l.bob.call);
    l.bob.call = NULL;
    send_to_bob("INVITE", "b", "", 2);
    simnet_run(l.net, 31900000, NULL, NULL);
    assert_string_equal(
        times_of("200"), /* RFC 3261 13.3.1.4: the user of the transaction sends it */
        "200 0 500 1500 3500 7500 11500 15500 19500 23500 27500 31500");
    simnet_run(l.net, 1000000, NULL, NULL);
    assert_string_equal(times_of("BYE"), "BYE 0 500"); /* no ACK came */
    lab_stop(&l);
}

static void what_comes_again_is_absorbed(void **state)
{
    (void)state;
    start_bob();
    l.bob.answers = false;
    for (int i = 0; i < 3; i++)
        send_to_bob("INVITE", "a", "", 1);
    simnet_run(l.net, 1000000, NULL, NULL);
    assert_string_equal(times_of("180"), "180 0 0 0"); /* again for each, but one call */
    assert_int_equal(core_of(l.bob.host)->txn.n_live, 1);
    assert_int_equal(secsip_call_answer(l.bob.call), 0);
    simnet_run(l.net, 100000, NULL, NULL);
    send_to_bob("INVITE", "a", "", 1); /* RFC 6026 7.1: in Accepted it is absorbed */
    simnet_run(l.net, 100000, NULL, NULL);
    assert_string_equal(times_of("200"), "200 0");
    simnet_run(l.net, 33000000, NULL, NULL);
    lab_stop(&l);
}

static void a_peer_that_is_not_there_is_told_at_once(void **state)
{
    secsip_account_config elsewhere = clear_config;

    (void)state;
    elsewhere.proxy = "sip:10.0.0.9:5099;transport=udp"; /* the host answers with ICMP */
    start(&elsewhere, &elsewhere);
    uint64_t began = simnet_now(l.net);
    assert_int_equal(secsip_account_register(l.alice.account), 0);
    assert_true(simnet_run(l.net, 1000000, alice_failed, NULL));
    assert_int_equal(simnet_now(l.net) - began, 10000);
    assert_int_equal(l.alice.reg_result, SECSIP_E_NET_CONNECT);
    assert_true(l.alice.reg_retry_ms > 0);
    began = simnet_now(l.net);
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_true(simnet_run(l.net, 1000000, alice_ended, NULL));
    assert_int_equal(l.alice.call_result, SECSIP_E_NET_CONNECT);
    lab_stop(&l);
}

/* A caller who cannot be told that it rings has gone: the phone does not ring on for nobody. */
static void a_caller_who_is_not_there_does_not_ring(void **state)
{
    (void)state;
    start_bob();
    l.bob.answers = false;
    invite_from = "10.0.0.1:7777"; /* alice's host is up, but nobody listens there */
    send_to_bob("INVITE", "a", "", 1);
    simnet_run(l.net, 100000, NULL, NULL);
    invite_from = "10.0.0.66:5060";
    assert_int_equal(l.bob.n_ended, 1);
    assert_int_equal(core_of(l.bob.host)->txn.n_live, 0);
    assert_int_equal(secsip_call_hangup(l.bob.call), 0);
    lab_stop(&l);
}

static bool alice_registered(void *arg)
{
    (void)arg;
    return l.alice.reg_state == SECSIP_REGISTRATION_REGISTERED;
}

/* RFC 3263 4.3: two servers behind one domain; who is not there, or does not answer, is left for the next. */
static void a_dead_server_is_left_for_the_next(void **state)
{
    static const struct {
        const char *ip;
        uint64_t least_us, most_us;
    } firsts[] = {{"10.0.0.2", 20000, 500000}, /* bob's host says at once that nobody is there */
                  {"10.0.0.77", 32000000, 32500000}}; /* silence: timer F */
    secsip_account_config named = clear_config;

    (void)state;
    named.proxy = "sip:example.test;transport=udp";
    for (int i = 0; i < 2; i++) {
        start(&named, &named);
        simnet_srv(l.net, "_sip._udp.example.test", "one.test", 5060, 1);
        simnet_srv(l.net, "_sip._udp.example.test", "two.test", 5060, 2);
        simnet_name(l.net, "one.test", firsts[i].ip);
        simnet_name(l.net, "two.test", "10.0.0.9");
        uint64_t began = simnet_now(l.net);
        assert_int_equal(secsip_account_register(l.alice.account), 0);
        assert_true(simnet_run(l.net, 60000000, alice_registered, NULL));
        assert_in_range(simnet_now(l.net) - began, firsts[i].least_us, firsts[i].most_us);
        assert_int_equal(l.alice.n_reg_events,
                         1); /* the first one is not the application's business */
        /* A call right after it does not ask the dead one again. */
        assert_int_equal(secsip_account_register(l.bob.account), 0);
        lab_call(&l, &l.alice, "sip:nobody@example.test");
        assert_true(simnet_run(l.net, 1000000, alice_ended, NULL));
        assert_int_equal(l.alice.call_status, 404);
        assert_true(simnet_run(l.net, 60000000, lab_both_registered, &l));
        lab_stop(&l);
    }
}

/* Keep-alives come back as ICMP: the registrar has gone, and may have forgotten all when it is back. */
static void a_registrar_that_has_gone_is_registered_with_again(void **state)
{
    (void)state;
    start(&clear_config, &clear_config);
    lab_register(&l);
    secsip_stack_shutdown(simnet_stack(l.server), 1);
    simnet_run(l.net, 26000000, NULL, NULL);
    assert_int_equal(l.alice.reg_state, SECSIP_REGISTRATION_FAILED);
    assert_int_equal(l.alice.reg_result, SECSIP_E_NET_CONNECT);
    assert_in_range(l.alice.reg_retry_ms, 15000, 30000); /* RFC 5626 4.5 */
    lab_stop(&l);
}

static void garbage(uint64_t *seed, unsigned i)
{
    static const char half[] = "INVITE sip:bob@example.test SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.66";
    static const char stray[] = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx\r\n"
                                "From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: x\r\n"
                                "CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n";
    uint8_t noise[200];

    switch (i % 4) {
    case 0:
        simnet_inject(l.net, "10.0.0.66:5060", "10.0.0.9:5060", half, sizeof half - 1);
        break;
    case 1:
        simnet_inject(l.net, "10.0.0.66:5060", "10.0.0.9:5060", stray, sizeof stray - 1);
        break;
    case 2:
        simnet_inject(l.net, "10.0.0.66:5060", "10.0.0.9:5060", "\r\n\r\n", 4);
        break;
    default:
        for (size_t k = 0; k < sizeof noise; k++)
            noise[k] = (uint8_t)test_random(seed);
        simnet_inject(l.net, "10.0.0.66:5060", "10.0.0.9:5060", noise, sizeof noise);
    }
}

static void a_flood_of_garbage_does_not_stop_a_call(void **state)
{
    uint64_t seed = test_seed();

    (void)state;
    start(&clear_config, &clear_config);
    lab_register(&l);
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_true(simnet_run(l.net, 5000000, lab_both_talking, &l));
    simnet_run(l.net, 1000000, NULL, NULL);
    uint32_t n_flows = core_of(l.server)->n_flows, n_live = core_of(l.server)->txn.n_live;
    uint32_t heard = l.bob.n_samples_heard;
    seen.n = 0;
    for (unsigned i = 0; i < FLOOD; i++) {
        garbage(&seed, i);
        if (i % 1000 == 999) /* a thousand in 20 ms */
            simnet_run(l.net, 20000, NULL, NULL);
    }
    assert_int_equal(core_of(l.server)->n_flows, n_flows);
    assert_true(core_of(l.server)->txn.n_live <= n_live);
    assert_int_equal(seen.n, 0); /* nothing of it is answered */
    assert_true(l.bob.n_samples_heard - heard >= 2 * 8000 - 320);
    assert_int_equal(l.alice.n_ended + l.bob.n_ended, 0);
    assert_int_equal(secsip_call_hangup(l.alice.call), 0);
    assert_true(simnet_run(l.net, 1000000, lab_both_ended, &l));
    lab_stop(&l);
}

/* Good requests, but far too many, from one source: they get 503 without state, and the call goes on and ends. */
static void a_flood_of_requests_does_not_stop_a_call(void **state)
{
    secsip_stack_config limits = {.max_transactions = 50};
    char text[512];

    (void)state;
    memset(&seen, 0, sizeof seen);
    lab_start_clear(&l, &limits);
    simnet_tap(l.net, watch, watch_stream, NULL);
    lab_phone(&l, &l.alice, "alice", &clear_config);
    lab_phone(&l, &l.bob, "bob", &clear_config);
    l.bob.answers = true;
    lab_register(&l);
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_true(simnet_run(l.net, 5000000, lab_both_talking, &l));
    simnet_run(l.net, 1000000, NULL, NULL);
    uint32_t heard = l.bob.n_samples_heard;
    for (unsigned i = 0; i < 10000; i++) {
        int n = snprintf(text, sizeof text,
                         "OPTIONS sip:example.test SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.66;"
                         "branch=z9hG4bK%u\r\nFrom: <sip:x@y>;tag=x\r\nTo: <sip:example.test>\r\n"
                         "Call-ID: %u\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n\r\n",
                         i, i);
        simnet_inject(l.net, "10.0.0.66:5060", "10.0.0.9:5060", text, (size_t)n);
        if (i % 200 == 199)
            simnet_run(l.net, 20000, NULL, NULL);
        if (i == 399)
            seen.n = 0; /* from here on all are too many */
    }
    assert_true(core_of(l.server)->txn.n_live <= 50);
    for (int i = 0; i < seen.n; i++)
        assert_string_equal(seen.what[i], "503");
    assert_int_equal(seen.n, SEEN_MAX);
    assert_true(l.bob.n_samples_heard - heard >= 8000 - 320);
    assert_int_equal(secsip_call_hangup(l.alice.call), 0);
    assert_true(simnet_run(l.net, 1000000, lab_both_ended, &l));
    assert_int_equal(l.alice.call_result, 0);
    lab_stop(&l);
}

/* An address that nobody has is easily written into a datagram: such peers make way for others. */
static void peers_that_nobody_needs_make_way(void **state)
{
    secsip_stack_config limits = {.max_connections = 6};
    char from[32], text[512];

    (void)state;
    memset(&seen, 0, sizeof seen);
    lab_start_clear(&l, &limits);
    lab_phone(&l, &l.alice, "alice", &clear_config);
    lab_phone(&l, &l.bob, "bob", NULL);
    assert_int_equal(secsip_account_register(l.alice.account), 0);
    simnet_run(l.net, 1000000, NULL, NULL);
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(from, sizeof from, "10.1.%u.%u:5060", i / 250, i % 250 + 1);
        int n = snprintf(text, sizeof text,
                         "OPTIONS sip:example.test SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%u"
                         "\r\nFrom: <sip:x@y>;tag=x\r\nTo: <sip:example.test>\r\nCall-ID: %u\r\n"
                         "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
                         from, i, i);
        simnet_inject(l.net, from, "10.0.0.9:5060", text, (size_t)n);
        simnet_run(l.net, 100000, NULL, NULL);
        assert_true(core_of(l.server)->n_flows <= 6);
    }
    simnet_run(l.net, 32000000, NULL, NULL);
    /* The one that is registered has stayed, and a connection finds room. */
    assert_int_equal(secsip_registrar_count(l.registrar), 1);
    assert_int_equal(secsip_account_register(l.bob.account), 0);
    assert_true(simnet_run(l.net, 5000000, lab_both_registered, &l));
    lab_stop(&l);
}

/* The answer to the last BYE is lost, and the program that gave it is about to end: it stays for as long as it was told to. */
static void the_last_answer_can_be_asked_for_again(void **state)
{
    (void)state;
    start(&clear_config, &clear_config);
    lab_register(&l);
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_true(simnet_run(l.net, 5000000, lab_both_talking, &l));
    assert_int_equal(secsip_call_hangup(l.alice.call), 0);
    simnet_run(l.net, 9000, NULL, NULL); /* with the proxy */
    simnet_lossy(l.net, 1, 100, 0, 0);
    simnet_run(l.net, 2000, NULL, NULL); /* bob's answer is lost */
    assert_int_equal(l.bob.n_ended, 1);
    simnet_lossy(l.net, 1, 0, 0, 0);
    assert_int_equal(l.alice.n_ended, 0);
    seen.n = 0;
    secsip_stack_shutdown(simnet_stack(l.bob.host), 2000);
    assert_true(simnet_run(l.net, 700000, alice_ended, NULL));
    assert_int_equal(l.alice.call_result, 0);
    assert_string_equal(times_of("480"), "480"); /* so the proxy would say if bob were gone */
    lab_stop(&l);
}

static void a_client_keeps_its_nat_open(void **state)
{
    (void)state;
    start(&clear_config, &clear_config);
    lab_register(&l);
    simnet_run(l.net, 101000000, NULL, NULL);
    assert_int_equal(seen.n_keep_alive, 2 * 4);
    lab_stop(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_in_clear),
        cmocka_unit_test(keys_never_go_over_udp),
        cmocka_unit_test(keys_never_go_over_tcp),
        cmocka_unit_test(the_proxy_lets_no_key_out),
        cmocka_unit_test(the_proxy_gives_no_offer_of_others_out),
        cmocka_unit_test(calls_get_through_a_network_that_loses),
        cmocka_unit_test(timers_of_clients_are_exact),
        cmocka_unit_test(timers_of_servers_are_exact),
        cmocka_unit_test(what_comes_again_is_absorbed),
        cmocka_unit_test(a_peer_that_is_not_there_is_told_at_once),
        cmocka_unit_test(a_caller_who_is_not_there_does_not_ring),
        cmocka_unit_test(a_dead_server_is_left_for_the_next),
        cmocka_unit_test(a_registrar_that_has_gone_is_registered_with_again),
        cmocka_unit_test(a_flood_of_garbage_does_not_stop_a_call),
        cmocka_unit_test(a_flood_of_requests_does_not_stop_a_call),
        cmocka_unit_test(peers_that_nobody_needs_make_way),
        cmocka_unit_test(the_last_answer_can_be_asked_for_again),
        cmocka_unit_test(a_client_keeps_its_nat_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
