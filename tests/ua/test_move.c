/* A call in progress survives its connections: speech goes on without them, each side comes back over a new one, the proxy learns
 * where they are, and a farewell from either side arrives. */
#include "test.h"

#include "api/stack.h"
#include "phone.h"
#include "ua/registrar.h"

static struct lab l;

enum side {
    ALICE = 1,
    BOB = 2,
    BOTH = 3,
};

static void start(void)
{
    lab_start(&l, LAB_SERVER);
    lab_phone(&l, &l.alice, "alice", NULL);
    lab_phone(&l, &l.bob, "bob", NULL);
    l.bob.answers = true;
    lab_register(&l);
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_true(simnet_run(l.net, 5000000, lab_both_talking, &l));
    lab_assert_speech(&l, 1000000);
}

/* The farewell of `who` reaches the other side. */
static void part(struct phone *who)
{
    assert_int_equal(secsip_call_hangup(who->call), 0);
    assert_true(simnet_run(l.net, 3000000, lab_both_ended, &l));
    assert_int_equal(l.alice.n_ended + l.bob.n_ended, 2);
    assert_int_equal(l.alice.call_result, 0);
    assert_int_equal(l.bob.call_result, 0);
}

static void lose(enum side side)
{
    if (side == BOTH) {
        simnet_down(l.server, true);
        lab_assert_speech(&l, 10000000);
        simnet_down(l.server, false);
        return;
    }
    struct simnet_host *h = side == ALICE ? l.alice.host : l.bob.host;
    simnet_down(h, true);
    simnet_run(l.net, 10000, NULL, NULL); /* datagrams do not get through either */
    simnet_down(h, false);
}

static void either_side_may_lose_its_connection_and_either_may_hang_up(void **state)
{
    (void)state;
    for (int side = ALICE; side <= BOTH; side++) {
        for (int alice_parts = 0; alice_parts < 2; alice_parts++) {
            start();
            lose((enum side)side);
            lab_assert_speech(&l, 20000000);
            part(alice_parts ? &l.alice : &l.bob);
            simnet_run(l.net, 40000000, NULL, NULL);
            assert_true(lab_both_registered(&l));
            assert_int_equal(simnet_stack(l.server)->ua.n_flows, 2);
            lab_stop(&l);
        }
    }
}

static void who_hangs_up_while_the_connection_is_away_is_heard(void **state)
{
    (void)state;
    start();
    simnet_cut(l.alice.host);
    simnet_run(l.net, 6000, NULL, NULL); /* she knows, and no more */
    part(&l.alice);
    lab_stop(&l);
}

static void connections_may_be_lost_again_and_again(void **state)
{
    (void)state;
    start();
    for (int i = 0; i < 10; i++) {
        simnet_cut(i % 2 ? l.alice.host : l.bob.host);
        lab_assert_speech(&l, 2000000);
    }
    assert_true(l.registrar->moved.by_old.n_nodes <= 2); /* one for each end of the dialog */
    part(&l.bob);
    lab_stop(&l);
}

/* Each time the nonce has grown old, so that each OPTIONS is challenged, and the BYE at the end. */
static void every_move_of_a_long_call_may_be_challenged(void **state)
{
    (void)state;
    start();
    l.registrar->auth.nonce_life_s = 1;
    for (int i = 0; i < 6; i++) {
        simnet_cut(l.alice.host);
        lab_assert_speech(&l, 2000000);
    }
    part(&l.bob);
    lab_stop(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(either_side_may_lose_its_connection_and_either_may_hang_up),
        cmocka_unit_test(who_hangs_up_while_the_connection_is_away_is_heard),
        cmocka_unit_test(connections_may_be_lost_again_and_again),
        cmocka_unit_test(every_move_of_a_long_call_may_be_challenged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
