/* Client transactions: schedules, ACK, CANCEL, forks, matching, drops. Virtual time. */
#include "test.h"

#include <stdio.h>

#include "sip/build.h"
#include "txn_sim.h"

static struct sim s;

static const char b1[] = "z9hG4bKone";
static const char b2[] = "z9hG4bKtwo";

static void invite_repeats_at_doubling_intervals_until_timer_b(void **state)
{
    (void)state;
    sim_init(&s, NULL, false);
    sim_client(&s, &s.flow, "INVITE", b1);
    sim_run(&s, 31999);
    sim_expect_times(&s.flow, "0 500 1500 3500 7500 15500 31500");
    sim_expect(&s, "");
    sim_run(&s, 1);
    sim_expect(&s, "failed-700 gone");
    sim_free(&s);
}

static void invite_over_a_reliable_flow_is_sent_once(void **state)
{
    (void)state;
    sim_init(&s, NULL, true);
    sim_client(&s, &s.flow, "INVITE", b1);
    sim_run(&s, 31999);
    sim_expect(&s, "");
    sim_run(&s, 1);
    sim_expect(&s, "failed-700 gone");
    sim_expect_times(&s.flow, "0");
    sim_free(&s);
}

static void a_provisional_response_stops_timers_a_and_b(void **state)
{
    (void)state;
    sim_init(&s, NULL, false);
    struct ssi_txn *t = sim_client(&s, &s.flow, "INVITE", b1);
    sim_run(&s, 600);
    sim_response(&s, &s.flow, 100, "INVITE", b1);
    sim_run(&s, 3600 * 1000);
    sim_response(&s, &s.flow, 183, "INVITE", b1);
    sim_expect(&s, "100 183");
    sim_expect_times(&s.flow, "0 500");
    ssi_txn_drop(t);
    sim_expect(&s, "gone");
    sim_free(&s);
}

static const char expected_ack[] =
    "ACK sip:bob@example.com SIP/2.0\r\n"
    "Via: SIP/2.0/TLS client.example.com:5061;branch=z9hG4bKone\r\n"
    "Route: <sip:proxy.example.com;lr>, <sip:next.example.com;lr>\r\n"
    "Max-Forwards: 70\r\n"
    "From: <sip:alice@example.com>;tag=f\r\n"
    "To: <sip:bob@example.com>;tag=t\r\n"
    "Call-ID: call\r\n"
    "CSeq: 1 ACK\r\n"
    "Content-Length: 0\r\n\r\n";

static void a_refusal_is_acknowledged_each_time_it_comes(void **state)
{
    (void)state;
    sim_init(&s, NULL, false);
    sim_client(&s, &s.flow, "INVITE", b1);
    sim_response(&s, &s.flow, 486, "INVITE", b1);
    assert_string_equal(sim_sent(&s.flow, 1), expected_ack);
    sim_run(&s, 500);
    sim_response(&s, &s.flow, 486, "INVITE", b1);
    sim_run(&s, 1000);
    sim_response(&s, &s.flow, 486, "INVITE", b1);
    sim_expect(&s, "486");
    sim_expect_times(&s.flow, "0 0 500 1500");
    assert_string_equal(sim_sent(&s.flow, 3), expected_ack);
    /* Timer D: at least 32 seconds, from the first one. */
    sim_run(&s, 30499);
    sim_expect(&s, "");
    sim_run(&s, 1);
    sim_expect(&s, "gone");
    sim_response(&s, &s.flow, 486, "INVITE", b1);
    sim_expect(&s, "stray-486");
    sim_free(&s);
}

static void timer_d_is_zero_over_a_reliable_flow(void **state)
{
    (void)state;
    sim_init(&s, NULL, true);
    sim_client(&s, &s.flow, "INVITE", b1);
    sim_response(&s, &s.flow, 503, "INVITE", b1);
    sim_run(&s, 0);
    sim_expect(&s, "503 gone");
    sim_expect_times(&s.flow, "0 0");
    sim_free(&s);
}

static void every_2xx_of_a_fork_is_told_for_64_t1(void **state)
{
    (void)state;
    for (int reliable = 0; reliable < 2; reliable++) {
        sim_init(&s, NULL, reliable);
        sim_client(&s, &s.flow, "INVITE", b1);
        sim_response(&s, &s.flow, 180, "INVITE", b1);
        sim_response(&s, &s.flow, 200, "INVITE", b1);
        sim_run(&s, 31999);
        sim_response(&s, &s.flow, 200, "INVITE", b1);
        sim_response(&s, &s.flow, 486, "INVITE", b1);
        sim_response(&s, &s.flow, 180, "INVITE", b1);
        sim_expect(&s, "180 200 200");
        sim_run(&s, 1);
        sim_expect(&s, "gone");
        sim_response(&s, &s.flow, 200, "INVITE", b1);
        sim_expect(&s, "stray-200");
        sim_expect_times(&s.flow, "0");
        sim_free(&s);
    }
}

static void other_requests_repeat_up_to_t2_until_timer_f(void **state)
{
    (void)state;
    sim_init(&s, NULL, false);
    sim_client(&s, &s.flow, "OPTIONS", b1);
    sim_run(&s, 32000);
    sim_expect_times(&s.flow, "0 500 1500 3500 7500 11500 15500 19500 23500 27500 31500");
    sim_expect(&s, "failed-700 gone");
    sim_free(&s);
}

static void in_proceeding_timer_e_is_t2(void **state)
{
    (void)state;
    sim_init(&s, NULL, false);
    sim_client(&s, &s.flow, "OPTIONS", b1);
    sim_run(&s, 600);
    sim_response(&s, &s.flow, 100, "OPTIONS", b1);
    sim_run(&s, 13000);
    sim_expect_times(&s.flow, "0 500 1500 5500 9500 13500");
    sim_run(&s, 32000 - 13600);
    sim_expect(&s, "100 failed-700 gone");
    sim_free(&s);
}

static void timer_k_absorbs_late_responses(void **state)
{
    (void)state;
    sim_init(&s, NULL, false);
    sim_client(&s, &s.flow, "OPTIONS", b1);
    sim_response(&s, &s.flow, 200, "OPTIONS", b1);
    sim_run(&s, 4999);
    sim_response(&s, &s.flow, 200, "OPTIONS", b1);
    sim_response(&s, &s.flow, 100, "OPTIONS", b1);
    sim_expect(&s, "200");
    sim_run(&s, 1);
    sim_expect(&s, "gone");
    sim_free(&s);

    sim_init(&s, NULL, true);
    sim_client(&s, &s.flow, "OPTIONS", b1);
    sim_response(&s, &s.flow, 404, "OPTIONS", b1);
    sim_run(&s, 0);
    sim_expect(&s, "404 gone");
    sim_free(&s);
}

static void timers_follow_the_configuration(void **state)
{
    (void)state;
    const struct ssi_txn_config config = {.t1_ms = 100, .t2_ms = 300, .t4_ms = 700};

    sim_init(&s, &config, false);
    sim_client(&s, &s.flow, "OPTIONS", b1);
    sim_run(&s, 1000);
    sim_expect_times(&s.flow, "0 100 300 600 900");
    sim_response(&s, &s.flow, 200, "OPTIONS", b1);
    sim_run(&s, 700);
    sim_expect(&s, "200 gone");
    sim_client(&s, &s.flow, "INVITE", b2);
    sim_run(&s, 6400);
    sim_expect(&s, "failed-700 gone");
    sim_free(&s);
}

static const char expected_cancel[] =
    "CANCEL sip:bob@example.com SIP/2.0\r\n"
    "Via: SIP/2.0/TLS client.example.com:5061;branch=z9hG4bKone\r\n"
    "Route: <sip:proxy.example.com;lr>, <sip:next.example.com;lr>\r\n"
    "Max-Forwards: 70\r\n"
    "From: <sip:alice@example.com>;tag=f\r\n"
    "To: <sip:bob@example.com>\r\n"
    "Call-ID: call\r\n"
    "CSeq: 1 CANCEL\r\n"
    "Content-Length: 0\r\n\r\n";

static void cancel_waits_for_the_first_provisional_response(void **state)
{
    (void)state;
    sim_init(&s, NULL, true);
    struct ssi_txn *t = sim_client(&s, &s.flow, "INVITE", b1);
    assert_int_equal(ssi_txn_client_cancel(t), 0);
    assert_int_equal(ssi_txn_client_cancel(t), 0);
    sim_run(&s, 5000);
    assert_int_equal(s.flow.n_sent, 1);
    sim_response(&s, &s.flow, 180, "INVITE", b1);
    assert_int_equal(s.flow.n_sent, 2);
    assert_string_equal(sim_sent(&s.flow, 1), expected_cancel);
    assert_int_equal(ssi_txn_client_cancel(t), 0);
    sim_response(&s, &s.flow, 200, "CANCEL", b1);
    sim_response(&s, &s.flow, 487, "INVITE", b1);
    assert_int_equal(s.flow.n_sent, 3);
    sim_run(&s, 0);
    sim_expect(&s, "180 487 gone");
    sim_free(&s);
}

static void cancel_goes_at_once_after_a_provisional_and_repeats_over_unreliable_flows(void **state)
{
    (void)state;
    sim_init(&s, NULL, false);
    struct ssi_txn *t = sim_client(&s, &s.flow, "INVITE", b1);
    sim_response(&s, &s.flow, 180, "INVITE", b1);
    sim_run(&s, 100);
    assert_int_equal(ssi_txn_client_cancel(t), 0);
    sim_run(&s, 4000);
    sim_expect_times(&s.flow, "0 100 600 1600 3600");
    sim_response(&s, &s.flow, 200, "CANCEL", b1);
    /* RFC 3261 9.1: without a final response the INVITE ends 64*T1 after the CANCEL. */
    sim_run(&s, 27999);
    sim_expect(&s, "180");
    sim_run(&s, 1);
    sim_expect(&s, "failed-700 gone");
    sim_run(&s, 10000);
    sim_free(&s);
}

static void cancel_is_void_when_a_final_response_was_faster(void **state)
{
    (void)state;
    static const int finals[] = {200, 486};

    for (int i = 0; i < 2; i++) {
        sim_init(&s, NULL, true);
        struct ssi_txn *t = sim_client(&s, &s.flow, "INVITE", b1);
        assert_int_equal(ssi_txn_client_cancel(t), 0);
        sim_response(&s, &s.flow, finals[i], "INVITE", b1);
        assert_int_equal(ssi_txn_client_cancel(t), 0);
        sim_run(&s, 40000);
        assert_int_equal(s.flow.n_sent, i == 0 ? 1 : 2); /* no CANCEL, an ACK for the refusal */
        sim_expect(&s, i == 0 ? "200 gone" : "486 gone");
        sim_free(&s);
    }
}

static void a_2xx_that_crosses_the_cancel_is_told(void **state)
{
    (void)state;
    sim_init(&s, NULL, true);
    struct ssi_txn *t = sim_client(&s, &s.flow, "INVITE", b1);
    sim_response(&s, &s.flow, 180, "INVITE", b1);
    assert_int_equal(ssi_txn_client_cancel(t), 0);
    sim_response(&s, &s.flow, 200, "INVITE", b1);
    sim_response(&s, &s.flow, 481, "CANCEL", b1);
    sim_run(&s, 32000);
    sim_expect(&s, "180 200 gone");
    sim_free(&s);
}

static void cancel_is_for_invite_only(void **state)
{
    (void)state;
    sim_init(&s, NULL, true);
    struct ssi_txn *t = sim_client(&s, &s.flow, "OPTIONS", b1);
    assert_int_equal(ssi_txn_client_cancel(t), SECSIP_E_INVALID);
    sim_free(&s);
}

static void timer_c_restarts_with_101_to_199_and_then_cancels(void **state)
{
    (void)state;
    sim_init(&s, NULL, true);
    struct ssi_txn *t = sim_client(&s, &s.flow, "INVITE", b1);
    ssi_txn_client_use_timer_c(t);
    sim_response(&s, &s.flow, 100, "INVITE", b1);
    sim_run(&s, 180000);
    sim_response(&s, &s.flow, 180, "INVITE", b1);
    sim_run(&s, 180000);
    sim_response(&s, &s.flow, 100, "INVITE", b1); /* does not count */
    sim_run(&s, 999);
    assert_int_equal(s.flow.n_sent, 1);
    sim_run(&s, 1);
    assert_int_equal(s.flow.n_sent, 2);
    assert_string_equal(sim_sent(&s.flow, 1), expected_cancel);
    sim_response(&s, &s.flow, 180, "INVITE", b1); /* no way back */
    sim_run(&s, 32000);
    sim_expect(&s, "100 180 100 180 failed-700 gone");
    sim_free(&s);
}

/* RFC 3261 18.1.2: the sent-by of the topmost Via is ours, or the response is discarded. received and rport are the NAT's. */
static void a_response_with_the_sent_by_of_another_is_a_stray(void **state)
{
    static const struct {
        const char *via;
        const char *word;
    } rows[] = {
        {"other.example.com:5061;branch=z9hG4bKone", "stray-180"},
        {"client.example.com:5062;branch=z9hG4bKone", "stray-180"},
        {"client.example.com;branch=z9hG4bKone", "stray-180"},
        {"client.example.co:5061;branch=z9hG4bKone", "stray-180"},
        {"CLIENT.example.COM:5061;branch=z9hG4bKone", "180"},
        {"client.example.com:5061;received=203.0.113.7;rport=40000;branch=z9hG4bKone", "180"},
    };

    (void)state;
    for (int cancelled = 0; cancelled < 2; cancelled++)
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            sim_init(&s, NULL, false);
            struct ssi_txn *t = sim_client(&s, &s.flow, "INVITE", b1);
            if (cancelled) {
                ssi_txn_client_cancel(t);
                sim_response(&s, &s.flow, 100, "INVITE", b1);
                sim_expect(&s, "100");
            }
            sim_input(
                &s, &s.flow,
                "SIP/2.0 180 Ringing\nVia: SIP/2.0/TLS %s\nFrom: <sip:alice@example.com>;tag=f\n"
                "To: <sip:bob@example.com>;tag=t\nCall-ID: call\nCSeq: 1 %s\n",
                rows[i].via, cancelled ? "CANCEL" : "INVITE");
            /* Of a CANCEL nobody is told. */
            sim_expect(&s, cancelled && strcmp(rows[i].word, "180") == 0 ? "" : rows[i].word);
            ssi_txn_drop(t);
            sim_free(&s);
        }
}

/* RFC 3261 8.1.3.3: "If more than one Via header field value is present in a response, the UAC SHOULD discard the message." */
static void a_response_with_a_second_via_is_for_nobody_but_a_proxy(void **state)
{
    static const char *const vias[] = {
        ";branch=z9hG4bKone\nVia: SIP/2.0/TLS other.example.com:5061;branch=z9hG4bKx",
        ";branch=z9hG4bKone, SIP/2.0/TLS other.example.com:5061;branch=z9hG4bKx"};
    struct ssi_txn_client_ops proxy = sim_client_ops;

    (void)state;
    proxy.forwards = true;
    for (int forwards = 0; forwards < 2; forwards++)
        for (size_t i = 0; i < sizeof vias / sizeof *vias; i++) {
            sim_init(&s, NULL, false);
            struct ssi_txn *t = sim_client(&s, &s.flow, "OPTIONS", b1);
            if (forwards)
                t->u.client.ops = &proxy;
            sim_input(&s, &s.flow,
                      "SIP/2.0 200 OK\nVia: SIP/2.0/TLS client.example.com:5061%s\n"
                      "From: <sip:alice@example.com>;tag=f\nTo: <sip:bob@example.com>;tag=t\n"
                      "Call-ID: call\nCSeq: 1 OPTIONS\n",
                      vias[i]);
            sim_expect(&s, forwards ? "200" : "");
            ssi_txn_drop(t);
            sim_free(&s);
        }
}

static void a_response_over_another_flow_is_a_stray(void **state)
{
    (void)state;
    sim_init(&s, NULL, true);
    sim_client(&s, &s.flow, "INVITE", b1);
    sim_response(&s, &s.other, 200, "INVITE", b1);
    sim_expect(&s, "stray-200");
    sim_response(&s, &s.flow, 200, "INVITE", b1);
    sim_expect(&s, "200");
    sim_free(&s);
}

static void responses_match_by_branch_and_method(void **state)
{
    (void)state;
    sim_init(&s, NULL, true);
    sim_client(&s, &s.flow, "INVITE", b1);
    sim_client(&s, &s.flow, "OPTIONS", b2);
    sim_response(&s, &s.flow, 200, "INVITE", b2);
    sim_response(&s, &s.flow, 200, "OPTIONS", b1);
    sim_response(&s, &s.flow, 200, "OPTIONS", "z9hG4bKthree");
    sim_response(&s, &s.flow, 200, "OPTIONS", "z9hG4bKtw");
    sim_expect(&s, "stray-200 stray-200 stray-200 stray-200");
    sim_response(&s, &s.flow, 202, "OPTIONS", "Z9hG4bKTWO"); /* tokens have no case */
    sim_response(&s, &s.flow, 201, "INVITE", b1);
    sim_expect(&s, "202 201");
    sim_free(&s);
}

static void a_lost_flow_fails_all_that_use_it_and_no_other(void **state)
{
    (void)state;
    sim_init(&s, NULL, true);
    sim_client(&s, &s.flow, "INVITE", b1);
    struct ssi_txn *t = sim_client(&s, &s.flow, "INVITE", b2);
    sim_response(&s, &s.flow, 180, "INVITE", b2);
    ssi_txn_client_cancel(t);
    sim_client(&s, &s.flow, "OPTIONS", b1);
    sim_client(&s, &s.other, "OPTIONS", b2);
    ssi_txn_flow_failed(&s.layer, &s.flow.base, SECSIP_E_NET_RESET);
    sim_expect(&s, "180 failed-601 gone failed-601 gone failed-601 gone");
    assert_int_equal(s.layer.n_live, 1);
    sim_response(&s, &s.other, 200, "OPTIONS", b2);
    sim_expect(&s, "200");
    sim_free(&s);
}

/* Drops the calling transaction, from inside any callback. */
static void drop_self(struct sim *sim, struct ssi_txn *t, const char *word)
{
    (void)sim;
    (void)word;
    if (t)
        ssi_txn_drop(t);
}

/* Drops everything there is. */
static void drop_all(struct sim *sim, struct ssi_txn *t, const char *word)
{
    (void)t;
    (void)word;
    while (!ssi_list_empty(&sim->layer.all))
        ssi_txn_drop(SSI_CONTAINER(sim->layer.all.next, struct ssi_txn, in_all));
}

static void a_callback_may_drop_its_transaction(void **state)
{
    (void)state;
    sim_init(&s, NULL, true);
    s.hook = drop_self;
    sim_client(&s, &s.flow, "INVITE", b1);
    sim_response(&s, &s.flow, 180, "INVITE", b1);
    sim_expect(&s, "180 gone");
    sim_client(&s, &s.flow, "INVITE", b1);
    sim_response(&s, &s.flow, 486, "INVITE", b1);
    sim_expect(&s, "486 gone");
    sim_client(&s, &s.flow, "OPTIONS", b1);
    sim_run(&s, 32000);
    sim_expect(&s, "failed-700 gone");
    sim_client(&s, &s.flow, "OPTIONS", b1);
    sim_client(&s, &s.flow, "OPTIONS", b2);
    ssi_txn_flow_failed(&s.layer, &s.flow.base, SECSIP_E_UA_FLOW_FAILED);
    sim_expect(&s, "failed-706 gone failed-706 gone");
    sim_request_in(&s, &s.flow, "INVITE", b1, "");
    sim_expect(&s, "INVITE gone");
    sim_free(&s);
}

static void a_callback_may_drop_all_transactions(void **state)
{
    (void)state;
    sim_init(&s, NULL, true);
    s.hook = drop_all;
    sim_client(&s, &s.flow, "INVITE", b1);
    sim_client(&s, &s.flow, "OPTIONS", b1);
    sim_client(&s, &s.flow, "OPTIONS", b2);
    ssi_txn_flow_failed(&s.layer, &s.flow.base, SECSIP_E_UA_FLOW_FAILED);
    sim_expect(&s, "failed-706 gone gone gone");
    sim_client(&s, &s.flow, "INVITE", b1);
    sim_client(&s, &s.flow, "OPTIONS", b2);
    sim_response(&s, &s.flow, 200, "INVITE", b1);
    sim_expect(&s, "200 gone gone");
    sim_free(&s);
}

/* A user that tries the next way on the same flow, which is dead. */
static void begin_anew(struct sim *sim, struct ssi_txn *t, const char *word)
{
    if (strncmp(word, "failed", 6) == 0)
        sim_client(sim, (struct sim_flow *)ssi_txn_flow_of(t), "OPTIONS", "z9hG4bKagain");
}

static void a_transaction_begun_on_a_flow_that_is_failing_does_not_loop(void **state)
{
    (void)state;
    sim_init(&s, NULL, true);
    s.hook = begin_anew;
    sim_client(&s, &s.flow, "OPTIONS", b1);
    ssi_txn_flow_failed(&s.layer, &s.flow.base, SECSIP_E_UA_FLOW_FAILED);
    sim_expect(&s, "failed-706 gone");
    assert_int_equal(s.layer.n_live, 1);
    sim_free(&s);
}

static void limits_and_bad_arguments_leave_the_buffer_to_the_caller(void **state)
{
    (void)state;
    const struct ssi_txn_config config = {.max_transactions = 1};
    struct ssi_txn *t = NULL;
    struct ssi_buf b;

    sim_init(&s, &config, true);
    sim_client(&s, &s.flow, "OPTIONS", b1);
    ssi_buf_init_secret(&b, 100);
    ssi_buf_put_str(&b, "x");
    assert_int_equal(ssi_txn_client_new(&s.layer, &s.flow.base, SSI_SIP_MESSAGE, false,
                                        SSI_LIT("z9hG4bKx"), &b, NULL, NULL, &t),
                     SECSIP_E_LIMIT);
    assert_int_equal(ssi_txn_client_new(&s.layer, &s.flow.base, SSI_SIP_ACK, true,
                                        SSI_LIT("z9hG4bKx"), &b, NULL, NULL, &t),
                     SECSIP_E_INVALID);
    assert_int_equal(ssi_txn_client_new(&s.layer, &s.flow.base, SSI_SIP_BYE, true, SSI_LIT(""), &b,
                                        NULL, NULL, &t),
                     SECSIP_E_INVALID);
    assert_int_equal(b.len, 1);
    assert_null(t);
    ssi_buf_put(&b, (char[100]){0}, 100);
    assert_int_equal(ssi_txn_client_new(&s.layer, &s.flow.base, SSI_SIP_BYE, true,
                                        SSI_LIT("z9hG4bKx"), &b, NULL, NULL, &t),
                     SECSIP_E_LIMIT);
    ssi_buf_free(&b);
    assert_int_equal(s.flow.n_sent, 1);
    sim_free(&s);
}

static secsip_result begin(enum ssi_sip_method method, bool in_dialog)
{
    struct ssi_sip_msg *m = sim_request(ssi_sip_method_name(method), "z9hG4bKmore", "");
    struct ssi_txn *t;
    struct ssi_buf b;

    ssi_buf_init_secret(&b, 65536);
    ssi_buf_put_slice(&b, m->wire);
    ssi_sip_msg_unref(m);
    secsip_result r = ssi_txn_client_new(&s.layer, &s.flow.base, method, in_dialog,
                                         SSI_LIT("z9hG4bKmore"), &b, NULL, NULL, &t);
    ssi_buf_free(&b);
    return r;
}

static void what_is_inside_a_dialog_may_begin_where_nothing_else_may(void **state)
{
    static const enum ssi_sip_method methods[] = {SSI_SIP_INVITE, SSI_SIP_UPDATE, SSI_SIP_OPTIONS,
                                                  SSI_SIP_BYE};
    const struct ssi_txn_config config = {.max_transactions = 1};

    (void)state;
    sim_init(&s, &config, true);
    sim_client(&s, &s.flow, "OPTIONS", b1);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(begin(methods[i % 4], false), SECSIP_E_LIMIT);
        assert_int_equal(begin(methods[i % 4], true), 0);
    }
    assert_int_equal(begin(SSI_SIP_BYE, true), SECSIP_E_LIMIT);
    assert_int_equal(s.layer.n_live, 9);
    sim_free(&s);
}

static void the_end_of_the_layer_is_told(void **state)
{
    (void)state;
    sim_init(&s, NULL, false);
    sim_client(&s, &s.flow, "INVITE", b1);
    sim_client(&s, &s.flow, "OPTIONS", b2);
    sim_request_in(&s, &s.flow, "MESSAGE", b1, "");
    sim_free(&s);
    sim_expect(&s, "MESSAGE gone gone gone");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(invite_repeats_at_doubling_intervals_until_timer_b),
        cmocka_unit_test(invite_over_a_reliable_flow_is_sent_once),
        cmocka_unit_test(a_provisional_response_stops_timers_a_and_b),
        cmocka_unit_test(a_refusal_is_acknowledged_each_time_it_comes),
        cmocka_unit_test(timer_d_is_zero_over_a_reliable_flow),
        cmocka_unit_test(every_2xx_of_a_fork_is_told_for_64_t1),
        cmocka_unit_test(other_requests_repeat_up_to_t2_until_timer_f),
        cmocka_unit_test(in_proceeding_timer_e_is_t2),
        cmocka_unit_test(timer_k_absorbs_late_responses),
        cmocka_unit_test(timers_follow_the_configuration),
        cmocka_unit_test(cancel_waits_for_the_first_provisional_response),
        cmocka_unit_test(cancel_goes_at_once_after_a_provisional_and_repeats_over_unreliable_flows),
        cmocka_unit_test(cancel_is_void_when_a_final_response_was_faster),
        cmocka_unit_test(a_2xx_that_crosses_the_cancel_is_told),
        cmocka_unit_test(cancel_is_for_invite_only),
        cmocka_unit_test(timer_c_restarts_with_101_to_199_and_then_cancels),
        cmocka_unit_test(a_response_with_the_sent_by_of_another_is_a_stray),
        cmocka_unit_test(a_response_with_a_second_via_is_for_nobody_but_a_proxy),
        cmocka_unit_test(a_response_over_another_flow_is_a_stray),
        cmocka_unit_test(responses_match_by_branch_and_method),
        cmocka_unit_test(a_lost_flow_fails_all_that_use_it_and_no_other),
        cmocka_unit_test(a_callback_may_drop_its_transaction),
        cmocka_unit_test(a_callback_may_drop_all_transactions),
        cmocka_unit_test(a_transaction_begun_on_a_flow_that_is_failing_does_not_loop),
        cmocka_unit_test(limits_and_bad_arguments_leave_the_buffer_to_the_caller),
        cmocka_unit_test(what_is_inside_a_dialog_may_begin_where_nothing_else_may),
        cmocka_unit_test(the_end_of_the_layer_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
