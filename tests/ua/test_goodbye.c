/* Farewells to peers that have gone silent (a stopped process, a cable pulled out): media stop and the news comes soon, though a
 * BYE, a CANCEL or a REGISTER may be answered 32 s later or never. */
#include "test.h"

#include "api/stack.h"
#include "peer.h"
#include "sip/build.h"
#include "ua/call.h"

static struct lab l;

static bool alice_ended(void *arg)
{
    (void)arg;
    return l.alice.n_ended > 0;
}

static bool alice_idle(void *arg)
{
    (void)arg;
    return secsip_stack_is_idle(simnet_stack(l.alice.host)) == 1;
}

static bool bob_rings(void *arg)
{
    (void)arg;
    return l.bob.call_state == SECSIP_CALL_INCOMING;
}

static bool unregistered(void *arg)
{
    (void)arg;
    return l.alice.reg_state == SECSIP_REGISTRATION_UNREGISTERED;
}

static void start(bool answers)
{
    lab_start(&l, LAB_SERVER);
    lab_phone(&l, &l.alice, "alice", NULL);
    lab_phone(&l, &l.bob, "bob", NULL);
    l.bob.answers = answers;
    lab_register(&l);
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_true(simnet_run(l.net, 5000000, answers ? lab_both_talking : bob_rings, &l));
    simnet_run(l.net, 500000, NULL, NULL);
}

/* Microseconds until it is so. */
static uint64_t time_until(bool (*done)(void *arg), uint64_t at_most_us)
{
    uint64_t from = simnet_now(l.net);

    assert_true(simnet_run(l.net, at_most_us, done, NULL));
    return simnet_now(l.net) - from;
}

static struct ssi_ua *core(struct phone *p)
{
    return &simnet_stack(p->host)->ua;
}

static void a_call_ends_soon_though_the_bye_is_not_answered(void **state)
{
    secsip_media_stats before = {.size = sizeof before}, after = {.size = sizeof after};

    (void)state;
    start(true);
    simnet_freeze(l.bob.host, true);
    assert_int_equal(secsip_call_hangup(l.alice.call), 0);
    assert_int_equal(secsip_call_get_stats(l.alice.call, &before), 0);
    assert_in_range(time_until(alice_ended, 30000000), 3900000, 4100000);
    assert_int_equal(l.alice.call_result, 0);
    assert_int_equal(secsip_call_get_stats(l.alice.call, &after), 0);
    assert_int_equal(before.tx, after.tx); /* the media had stopped at once */
    assert_int_equal(core(&l.alice)->txn.n_live,
                     2); /* the BYE still waits, and the INVITE (RFC 6026) */
    assert_true(ssi_list_empty(&core(&l.alice)->calls));
    simnet_run(l.net, 35000000, NULL, NULL);
    assert_int_equal(core(&l.alice)->txn.n_live, 0);
    assert_int_equal(l.alice.n_ended, 1);
    simnet_freeze(l.bob.host, false);
    simnet_run(l.net, 1000000, NULL, NULL);
    assert_int_equal(l.bob.n_ended, 1); /* the BYE reached it after all */
    lab_stop(&l);
}

static void a_late_answer_to_the_bye_is_no_news(void **state)
{
    (void)state;
    start(true);
    simnet_freeze(l.bob.host, true);
    assert_int_equal(secsip_call_hangup(l.alice.call), 0);
    simnet_run(l.net, 10000000, NULL, NULL);
    assert_int_equal(l.alice.n_ended, 1);
    simnet_freeze(l.bob.host, false);
    simnet_run(l.net, 1000000, NULL, NULL);
    assert_int_equal(l.alice.n_ended, 1);
    assert_int_equal(l.bob.n_ended, 1);
    assert_int_equal(core(&l.alice)->txn.n_live, 1); /* the INVITE's (RFC 6026) */
    lab_stop(&l);
}

static void an_answer_in_time_ends_the_call_at_once(void **state)
{
    (void)state;
    start(true);
    assert_int_equal(secsip_call_hangup(l.alice.call), 0);
    assert_in_range(time_until(alice_ended, 30000000), 1, 100000);
    lab_stop(&l);
}

/* ---- Both hang up, and the one's BYE is challenged after the other's has ended the call. */
static struct peer p;

static bool challenge_bye(void *arg, struct ssi_txn *t, struct ssi_sip_msg *m,
                          struct ssi_flow *flow)
{
    struct ssi_buf b;

    (void)arg;
    (void)flow;
    p.order[0]++;
    if (m->method != SSI_SIP_BYE)
        return true;
    peer_send(&p, "BYE", NULL, NULL);
    ssi_ua_begin_response(p.ua, t, 407, &b);
    ssi_sip_put_header_str(&b, "Proxy-Authenticate",
                           "Digest realm=\"example.test\", nonce=\"n\", algorithm=SHA-256, "
                           "qop=\"auth\"");
    ssi_ua_end_response(p.ua, t, 407, &b);
    return true;
}

static void a_bye_challenged_after_the_end_is_not_sent_again(void **state)
{
    static const secsip_account_config config = {.suites = "AES_CM_128_HMAC_SHA1_80"};

    (void)state;
    peer_start(&l, &p, &config);
    p.final = 200;
    p.final_sdp = "v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\n"
                  "m=audio 5000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 "
                  "inline:MTIzNDU2Nzg5MEFCQ0RFRkdISUpLTE1OT1BRUlNU\r\n";
    lab_call(&l, &l.alice, "sip:bob@example.test");
    simnet_run(l.net, 500000, NULL, NULL);
    assert_int_equal(l.alice.call_state, SECSIP_CALL_ESTABLISHED);
    p.ua->handler.on_request = challenge_bye;
    p.order[0] = 0;
    assert_int_equal(secsip_call_hangup(l.alice.call), 0);
    simnet_run(l.net, 500000, NULL, NULL);
    assert_int_equal(p.order[0], 1);
    assert_string_equal(p.responses, " 200");
    assert_int_equal(l.alice.n_ended, 1);
    peer_stop(&l, &p);
}

static void a_stack_may_go_while_a_bye_waits(void **state)
{
    (void)state;
    start(true);
    simnet_freeze(l.bob.host, true);
    assert_int_equal(secsip_call_hangup(l.alice.call), 0);
    simnet_run(l.net, 5000000, NULL, NULL);
    assert_int_equal(core(&l.alice)->txn.n_live, 2);
    simnet_freeze(l.bob.host, false);
    lab_stop(&l);
}

/* How a shutdown ends against a registrar, and so a proxy, that is silent. */
static void assert_shutdown(bool talking, uint32_t timeout_ms, uint64_t takes_us)
{
    start(talking);
    simnet_freeze(l.server, true);
    assert_int_equal(secsip_stack_shutdown(simnet_stack(l.alice.host), timeout_ms), 0);
    assert_int_equal(secsip_stack_is_idle(simnet_stack(l.alice.host)), 0);
    assert_in_range(time_until(alice_idle, 60000000), takes_us - 100000, takes_us + 100000);
    assert_int_equal(l.alice.n_ended, 1);
    assert_int_not_equal(l.alice.reg_state, SECSIP_REGISTRATION_REGISTERED);
    simnet_freeze(l.server, false);
    lab_stop(&l);
}

static void a_shutdown_against_a_silent_server_takes_what_it_was_given(void **state)
{
    (void)state;
    assert_shutdown(true, 1000, 1000000);
    assert_shutdown(true, 10000, 10000000);
    assert_shutdown(true, 0, 4000000);     /* the default */
    assert_shutdown(false, 2000, 2000000); /* a CANCEL is under way */
}

static void a_shutdown_that_is_answered_takes_no_longer_than_the_answers(void **state)
{
    (void)state;
    start(true);
    assert_int_equal(secsip_stack_shutdown(simnet_stack(l.alice.host), 0), 0);
    assert_in_range(time_until(alice_idle, 60000000), 1, 200000);
    assert_int_equal(l.alice.n_ended, 1);
    assert_true(unregistered(NULL));
    lab_stop(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_ends_soon_though_the_bye_is_not_answered),
        cmocka_unit_test(a_late_answer_to_the_bye_is_no_news),
        cmocka_unit_test(an_answer_in_time_ends_the_call_at_once),
        cmocka_unit_test(a_bye_challenged_after_the_end_is_not_sent_again),
        cmocka_unit_test(a_stack_may_go_while_a_bye_waits),
        cmocka_unit_test(a_shutdown_against_a_silent_server_takes_what_it_was_given),
        cmocka_unit_test(a_shutdown_that_is_answered_takes_no_longer_than_the_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
