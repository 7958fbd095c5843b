/* Faults at every place of a whole story: two phones register, one calls the other, they talk and hang up; the connection that
 * carries the n-th byte breaks in front of it, by a reset or in silence. Each call ends once, everybody registers again by
 * itself, a second call works, and nothing stays behind. Places are chosen by a seed that is printed. */
#include "test.h"

#include <stdio.h>

#include "api/stack.h"
#include "heap.h"
#include "phone.h"
#include "seed.h"
#include "ua/flow.h"

enum {
    PLACES = 60,
    NOWHERE_S = 1,
    RESET_HEALS_S = 120,
    /* Silence is noticed by a request that nobody answers: at the latest by the next REGISTER. */
    SILENCE_HEALS_S = 700,
    LEFT_BYTES = 20000, /* of heap, that a story may leave in a stack: tickets, hash tables */
};

static struct lab l;

static struct ssi_ua *core(struct simnet_host *h)
{
    return &simnet_stack(h)->ua;
}

static bool settled(void *arg)
{
    (void)arg;
    return lab_both_talking(&l) || l.alice.n_ended > 0;
}

static bool alice_ended(void *arg)
{
    (void)arg;
    return l.alice.n_ended > 0;
}

static void forget_call(struct phone *p)
{
    secsip_call_unref(p->call);
    p->call = NULL;
    p->n_ended = 0;
    p->call_state = 0;
}

/* Alice calls bob; both hang up, who is still there. Returns true when they talked and bob was told that it is over. */
static bool call_and_part(bool *talked)
{
    lab_call(&l, &l.alice, "sip:bob@example.test");
    simnet_run(l.net, 60000000, settled, NULL);
    *talked = lab_both_talking(&l);
    simnet_run(l.net, 300000, NULL, NULL);
    secsip_call_hangup(l.alice.call);
    simnet_run(l.net, 40000000, alice_ended, NULL);
    simnet_run(l.net, 200000, NULL, NULL);
    bool both = l.bob.n_ended == 1;
    /* Where the farewell did not reach him, bob is left to say his own. */
    if (l.bob.call)
        secsip_call_hangup(l.bob.call);
    simnet_run(l.net, 40000000, lab_both_ended, &l);
    assert_int_equal(l.alice.n_ended, 1);
    assert_int_equal(l.bob.n_ended, l.bob.call ? 1 : 0);
    forget_call(&l.alice);
    forget_call(&l.bob);
    return *talked && both;
}

static void assert_nothing_left(struct simnet_host *h)
{
    assert_int_equal(core(h)->txn.n_live, 0);
    assert_true(ssi_list_empty(&core(h)->calls));
    assert_true(ssi_list_empty(&core(h)->closing));
    assert_true(ssi_list_empty(&core(h)->events));
    assert_int_equal(core(h)->n_buffered, 0);
}

static void begin_story(void)
{
    lab_start(&l, LAB_SERVER);
    lab_phone(&l, &l.alice, "alice", NULL);
    lab_phone(&l, &l.bob, "bob", NULL);
    l.bob.answers = true;
}

static void register_both(uint64_t heals_s)
{
    assert_int_equal(secsip_account_register(l.alice.account), 0);
    assert_int_equal(secsip_account_register(l.bob.account), 0);
    assert_true(simnet_run(l.net, heals_s * 1000000, lab_both_registered, &l));
}

/* Returns how many bytes the connections carried. */
static uint64_t whole_story(uint64_t place, bool silently, uint64_t heals_s)
{
    begin_story();
    simnet_break_at(l.net, place, silently);
    register_both(heals_s);
    bool talked = false;
    bool parted = call_and_part(&talked);
    /* Whoever talked parts in order, though the connection may break in between. */
    if (talked && !silently && !parted)
        fail_msg("bob was not told, place %llu", (unsigned long long)place);
    uint64_t carried = simnet_carried(l.net);
    simnet_break_at(l.net, UINT64_MAX, false);
    simnet_run(l.net, heals_s * 1000000, NULL, NULL);
    assert_true(lab_both_registered(&l));
    if (!call_and_part(&talked))
        fail_msg("the second call fails, place %llu", (unsigned long long)place);
    simnet_run(l.net, 40000000, NULL, NULL);
    assert_nothing_left(l.alice.host);
    assert_nothing_left(l.bob.host);
    assert_nothing_left(l.server);
    if (!silently)
        assert_int_equal(core(l.server)->n_flows, 2);
    assert_int_equal(core(l.alice.host)->n_flows, 1);
    assert_int_equal(core(l.bob.host)->n_flows, 1);
    lab_stop(&l);
    return carried;
}

static void break_everywhere(bool silently, uint64_t heals_s)
{
    uint64_t seed = test_seed(), carried = whole_story(UINT64_MAX, false, NOWHERE_S);
    uint32_t stride = (uint32_t)(carried / PLACES) + 1;

    assert_in_range(carried, 5000, 100000);
    for (uint64_t at = test_below(&seed, stride); at < carried; at += stride)
        whole_story(at, silently, heals_s);
}

static void a_reset_anywhere_heals(void **state)
{
    (void)state;
    break_everywhere(false, RESET_HEALS_S);
}

static void silence_anywhere_heals(void **state)
{
    (void)state;
    break_everywhere(true, SILENCE_HEALS_S);
}

static void memory_returns_after_fifty_resets(void **state)
{
    size_t before = 0;

    (void)state;
    begin_story();
    register_both(5);
    for (int i = 0; i < 60; i++) {
        if (i == 10) /* what is made once is there */
            before = test_heap();
        simnet_down(l.server, true);
        simnet_run(l.net, 1000000, NULL, NULL);
        simnet_down(l.server, false);
        assert_true(simnet_run(l.net, 600000000, lab_both_registered, &l));
        simnet_run(l.net, 40000000, NULL, NULL);
    }
    assert_int_equal(core(l.server)->n_flows, 2);
    assert_in_range(test_heap(), 0, before + LEFT_BYTES);
    lab_stop(&l);
}

static bool alice_failed(void *arg)
{
    (void)arg;
    return l.alice.reg_state == SECSIP_REGISTRATION_FAILED;
}

/* In TLS 1.3 a server judges the client's certificate when the client has been open for long: what it says then is told as fully
 * as what it says during the handshake. */
static void an_alert_behind_the_handshake_is_told_in_full(void **state)
{
    secsip_account_config config = {.proxy = "example.test:5062;transport=tls"};
    secsip_tls_profile *demanding;

    (void)state;
    lab_start(&l, LAB_SERVER);
    demanding = lab_profile(LAB_SERVER);
    assert_int_equal(secsip_tls_profile_set_client_cert(demanding, SECSIP_TLS_CLIENT_CERT_REQUIRE),
                     0);
    assert_int_equal(
        secsip_stack_listen(simnet_stack(l.server), "tls:10.0.0.9:5062", demanding, NULL), 0);
    lab_phone(&l, &l.alice, "alice", &config);
    assert_int_equal(secsip_account_register(l.alice.account), 0);
    assert_true(simnet_run(l.net, 5000000, alice_failed, NULL));
    assert_int_equal(l.alice.reg_result, SECSIP_E_TLS_ALERT);
    assert_string_equal(l.alice.reg_check, "alert");
    assert_string_equal(l.alice.reg_found, "Certificate is required");
    assert_non_null(strstr(l.alice.reg_text, "ended the TLS session with the alert"));
    lab_stop(&l);
    secsip_tls_profile_unref(demanding);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reset_anywhere_heals),
        cmocka_unit_test(silence_anywhere_heals),
        cmocka_unit_test(memory_returns_after_fifty_resets),
        cmocka_unit_test(an_alert_behind_the_handshake_is_told_in_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
