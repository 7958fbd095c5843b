/* More than the limits, and rubbish by the hundred thousand, on virtual time: a call in progress goes on, what is too much is
 * refused without state, and everything that was taken is given back. */
#include "test.h"

#include <stdio.h>

#include "api/stack.h"
#include "phone.h"

enum {
    FLOOD = 100000,
    CONNECTIONS = 200,
};

static struct lab l;

/* What a raw client was answered. */
static struct {
    uint32_t n_503;
    uint32_t n_retry_after;
    uint32_t n_other;
} answers;

/* Where bob's media go to. */
static secsip_engine_address bob_media;

static bool begins(const uint8_t *data, size_t len, const char *with)
{
    return len >= strlen(with) && memcmp(data, with, strlen(with)) == 0;
}

static bool holds(const uint8_t *data, size_t len, const char *word)
{
    for (size_t i = 0; i + strlen(word) <= len; i++)
        if (begins(data + i, len - i, word))
            return true;
    return false;
}

static void watch_stream(const secsip_engine_address *from, const secsip_engine_address *to,
                         const uint8_t *data, size_t len, void *arg)
{
    (void)arg;
    if (from->port != 5060 || to->port == 5061)
        return;
    if (begins(data, len, "SIP/2.0 503 "))
        answers.n_503++;
    else
        answers.n_other++;
    if (holds(data, len, "\r\nRetry-After: "))
        answers.n_retry_after++;
}

static bool watch_dgram(const secsip_engine_address *from, const secsip_engine_address *to,
                        uint8_t *data, size_t len, void *arg)
{
    (void)from;
    (void)data;
    (void)arg;
    if (to->ip[3] == 2 && len == 182)
        bob_media = *to;
    return true;
}

static struct ssi_ua *server_core(void)
{
    return &simnet_stack(l.server)->ua;
}

/* Two phones in a call, and a clear door beside the others'. */
static void start_call(const secsip_stack_config *limits)
{
    memset(&answers, 0, sizeof answers);
    lab_start_limited(&l, LAB_SERVER, limits);
    assert_int_equal(
        secsip_stack_listen(simnet_stack(l.server), "insecure-tcp:10.0.0.9:5060", NULL, NULL), 0);
    lab_phone(&l, &l.alice, "alice", NULL);
    lab_phone(&l, &l.bob, "bob", NULL);
    l.bob.answers = true;
    lab_register(&l);
    simnet_tap(l.net, watch_dgram, watch_stream, NULL);
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_true(simnet_run(l.net, 5000000, lab_both_talking, &l));
    simnet_run(l.net, 200000, NULL, NULL);
}

static void end_call(void)
{
    assert_int_equal(secsip_call_hangup(l.alice.call), 0);
    assert_true(simnet_run(l.net, 5000000, lab_both_ended, &l));
    assert_int_equal(l.alice.n_ended + l.bob.n_ended, 2);
    assert_int_equal(l.alice.call_result, 0);
    assert_int_equal(l.bob.call_result, 0);
    lab_stop(&l);
}

static void send_register(struct sim_end *raw, unsigned n)
{
    char text[512];
    int len = snprintf(text, sizeof text,
                       "REGISTER sip:example.test SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.66;"
                       "branch=z9hG4bKflood%u\r\nMax-Forwards: 70\r\nFrom: <sip:x@example.test>;"
                       "tag=x\r\nTo: <sip:x@example.test>\r\nCall-ID: flood%u\r\n"
                       "CSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n",
                       n, n);
    simnet_raw_send(raw, text, (size_t)len);
}

static void above_the_transactions_requests_get_503_and_retry_after(void **state)
{
    secsip_stack_config limits = {.max_transactions = 2};

    (void)state;
    /* The INVITE holds two transactions for 32 s after its answer (RFC 6026): no more are to be had. */
    start_call(&limits);
    assert_int_equal(server_core()->txn.n_live, 2);
    struct sim_end *raw = simnet_raw_open(l.net, "10.0.0.66:4000", "10.0.0.9:5060");
    assert_non_null(raw);
    uint64_t n_armed = server_core()->timers.n_armed;
    for (unsigned i = 0; i < 1000; i++)
        send_register(raw, i);
    lab_assert_speech(&l, 1000000);
    assert_int_equal(answers.n_503, 1000);
    assert_int_equal(answers.n_retry_after, 1000);
    assert_int_equal(answers.n_other, 0);
    assert_int_equal(server_core()->txn.n_live, 2);
    assert_int_equal(server_core()->timers.n_armed, n_armed); /* without state */
    lab_assert_speech(&l, 33000000);
    send_register(raw, 1000);
    simnet_run(l.net, 100000, NULL, NULL);
    assert_int_equal(answers.n_503, 1000);
    assert_int_equal(answers.n_other, 1);
    simnet_raw_close(raw);
    end_call();
}

static void a_call_can_end_while_nothing_new_may_begin(void **state)
{
    secsip_stack_config limits = {.max_transactions = 2};

    (void)state;
    start_call(&limits);
    struct sim_end *raw = simnet_raw_open(l.net, "10.0.0.66:4000", "10.0.0.9:5060");
    assert_non_null(raw);
    send_register(raw, 0);
    simnet_run(l.net, 100000, NULL, NULL);
    assert_int_equal(answers.n_503, 1);
    simnet_raw_close(raw);
    end_call();
}

/* A To tag is soon written; the room that is kept for calls under way is for those who have one. */
static void strangers_do_not_take_the_room_of_calls(void **state)
{
    secsip_stack_config limits = {.max_transactions = 2};
    char text[512];

    (void)state;
    start_call(&limits);
    struct sim_end *raw = simnet_raw_open(l.net, "10.0.0.66:4000", "10.0.0.9:5060");
    assert_non_null(raw);
    for (unsigned i = 0; i < 20; i++) {
        int len = snprintf(
            text, sizeof text,
            "INVITE sip:x@example.test SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.66;"
            "branch=z9hG4bKflood%u\r\nMax-Forwards: 70\r\nRoute: <sip:1-2-3-4@10.0.0.9:5060;lr>\r\n"
            "From: <sip:x@example.test>;tag=x\r\nTo: <sip:x@example.test>;tag=none\r\n"
            "Call-ID: flood%u\r\nContact: <sip:x@10.0.0.66>\r\nCSeq: 1 INVITE\r\n"
            "Content-Length: 0\r\n\r\n",
            i, i);
        simnet_raw_send(raw, text, (size_t)len);
    }
    simnet_run(l.net, 100000, NULL, NULL);
    assert_int_equal(answers.n_503, 20);
    assert_int_equal(answers.n_other, 0);
    assert_int_equal(server_core()->txn.n_live, 2);
    simnet_raw_close(raw);
    end_call();
}

/* One after the other: the operation, its answer, and speech. */
static void hold_and_resume(void)
{
    for (int i = 0; i < 2; i++) {
        int before = l.alice.n_modified;
        assert_int_equal(i == 0 ? secsip_call_hold(l.alice.call) : secsip_call_resume(l.alice.call),
                         0);
        simnet_run(l.net, 3000000, NULL, NULL);
        assert_int_equal(l.alice.n_modified, before + 1);
        assert_int_equal(l.alice.modified_result, 0);
    }
    lab_assert_speech(&l, 1000000);
}

static void a_call_goes_on_while_nothing_new_may_begin(void **state)
{
    secsip_stack_config limits = {.max_transactions = 2};

    (void)state;
    start_call(&limits);
    hold_and_resume();
    assert_int_equal(server_core()->txn.n_live, 6); /* three INVITEs, each over two legs */
    end_call();
}

static void a_phone_that_is_full_goes_on_with_its_call(void **state)
{
    (void)state;
    start_call(&(secsip_stack_config){0});
    struct ssi_ua *const phones[] = {&simnet_stack(l.alice.host)->ua,
                                     &simnet_stack(l.bob.host)->ua};
    for (int i = 0; i < 2; i++) {
        assert_true(phones[i]->txn.n_live >= 1);
        phones[i]->txn.config.max_transactions = 1;
    }
    hold_and_resume();
    end_call();
}

static void half_open_connections_stop_at_the_limit_and_go(void **state)
{
    static struct sim_end *raw[CONNECTIONS];
    secsip_stack_config limits = {.max_connections = 100};
    uint32_t n_open = 0, n_left = 0;
    char from[32];

    (void)state;
    start_call(&limits);
    uint32_t before = server_core()->n_flows;
    uint64_t n_armed = server_core()->timers.n_armed;
    for (int i = 0; i < CONNECTIONS; i++) {
        snprintf(from, sizeof from, "10.0.0.66:%d", 4000 + i);
        raw[i] = simnet_raw_open(l.net, from, "10.0.0.9:5061");
        n_open += raw[i] != NULL;
        if (raw[i] && i % 2)
            simnet_raw_send(raw[i], "\x16\x03\x01\x02", 4); /* half a record */
    }
    assert_int_equal(n_open, 88 - before); /* an eighth is for connections of our own */
    lab_assert_speech(&l, 5000000);
    lab_assert_speech(&l, 10000000); /* the handshake has 10 s */
    for (int i = 0; i < CONNECTIONS; i++) {
        n_left += raw[i] && simnet_raw_is_open(raw[i]);
        if (raw[i])
            simnet_raw_close(raw[i]);
    }
    assert_int_equal(n_left, 0);
    assert_int_equal(server_core()->n_flows, before);
    assert_true(server_core()->timers.n_armed <= n_armed);
    end_call();
}

static void half_messages_are_held_to_their_limit(void **state)
{
    static char much[70000];
    struct sim_end *raw[50];
    char from[32];

    (void)state;
    start_call(&(secsip_stack_config){0});
    uint32_t before = server_core()->n_flows;
    memset(much, 'a', sizeof much);
    for (int i = 0; i < 50; i++) {
        snprintf(from, sizeof from, "10.0.0.66:%d", 4000 + i);
        raw[i] = simnet_raw_open(l.net, from, "10.0.0.9:5060");
        assert_non_null(raw[i]);
        simnet_raw_send(raw[i], "INVITE sip:bob@example.test SIP/2.0\r\nSubject: ", 46);
        for (int k = 0; k < 40; k++)
            simnet_raw_send(raw[i], much, 1000);
        if (i % 2)
            simnet_raw_send(raw[i], much, sizeof much); /* over the 65,536 of a message */
    }
    lab_assert_speech(&l, 2000000);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(simnet_raw_is_open(raw[i]), !(i % 2));
        simnet_raw_close(raw[i]);
    }
    simnet_run(l.net, 100000, NULL, NULL);
    assert_int_equal(server_core()->n_flows, before);
    end_call();
}

static void half_messages_together_are_held_to_the_limit_of_the_stack(void **state)
{
    static char much[40000];
    static struct sim_end *raw[CONNECTIONS];
    secsip_stack_config limits = {.max_buffered_bytes = 1000000};
    uint32_t n_left = 0;
    char from[32];

    (void)state;
    start_call(&limits);
    memset(much, 'a', sizeof much);
    for (int i = 0; i < CONNECTIONS; i++) {
        snprintf(from, sizeof from, "10.0.0.66:%d", 4000 + i);
        raw[i] = simnet_raw_open(l.net, from, "10.0.0.9:5060");
        assert_non_null(raw[i]);
        simnet_raw_send(raw[i], "INVITE sip:bob@example.test SIP/2.0\r\nSubject: ", 46);
        simnet_raw_send(raw[i], much, sizeof much);
    }
    lab_assert_speech(&l, 1000000);
    assert_in_range(server_core()->n_buffered, 900000, 1000000);
    for (int i = 0; i < CONNECTIONS; i++) {
        n_left += simnet_raw_is_open(raw[i]);
        simnet_raw_close(raw[i]);
    }
    assert_in_range(n_left, 20, 25);
    simnet_run(l.net, 100000, NULL, NULL);
    assert_int_equal(server_core()->n_buffered, 0);
    end_call(); /* its messages pass all the while */
}

static void a_flood_of_datagrams_does_not_stop_the_speech(void **state)
{
    char to[32];
    uint8_t junk[200];

    (void)state;
    start_call(&(secsip_stack_config){0});
    assert_int_equal(bob_media.ip[3], 2);
    snprintf(to, sizeof to, "10.0.0.2:%u", (unsigned)bob_media.port);
    secsip_media_stats before = lab_stats(&l.bob);
    uint64_t n_armed = simnet_stack(l.bob.host)->ua.timers.n_armed;
    for (int i = 0; i < FLOOD; i++) {
        for (size_t k = 0; k < sizeof junk; k++)
            junk[k] = (uint8_t)((unsigned)i * 31 + k * 7);
        junk[0] = i % 3 ? 0x80 : junk[0]; /* most look like RTP */
        simnet_inject(l.net, "10.0.0.66:4000", to, junk, i % sizeof junk);
        if (i % 100 == 99)
            simnet_run(l.net, 20000, NULL, NULL);
    }
    secsip_media_stats after = lab_stats(&l.bob);
    assert_in_range(after.rx - before.rx, 990, 1010);
    assert_true(after.auth_failed + after.malformed + after.clear_dropped -
                    (before.auth_failed + before.malformed + before.clear_dropped) >=
                FLOOD / 2);
    assert_true(simnet_stack(l.bob.host)->ua.timers.n_armed <= n_armed + 1);
    lab_assert_speech(&l, 1000000);
    end_call();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(above_the_transactions_requests_get_503_and_retry_after),
        cmocka_unit_test(a_call_can_end_while_nothing_new_may_begin),
        cmocka_unit_test(strangers_do_not_take_the_room_of_calls),
        cmocka_unit_test(a_call_goes_on_while_nothing_new_may_begin),
        cmocka_unit_test(a_phone_that_is_full_goes_on_with_its_call),
        cmocka_unit_test(half_open_connections_stop_at_the_limit_and_go),
        cmocka_unit_test(half_messages_are_held_to_their_limit),
        cmocka_unit_test(half_messages_together_are_held_to_the_limit_of_the_stack),
        cmocka_unit_test(a_flood_of_datagrams_does_not_stop_the_speech),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
