/* Finding a server that works (RFC 3263 4.3) on virtual time: two servers behind one domain, one of which is dead, silent, not
 * who it should be, or says 503. What DNS says is kept, what was down is tried last, and the name that is proved stays the
 * domain's. */
#include "test.h"

#include <stdio.h>

#include "api/stack.h"
#include "phone.h"
#include "ua/flow.h"

/* The lab's server is 10.0.0.9, preferred by SRV; this is the other one. */
static struct lab l;
static struct second {
    struct simnet_host *host;
    secsip_registrar *registrar;
    secsip_tls_profile *profile;
} second;

static secsip_result password(const char *user, char *out, size_t cap, void *arg)
{
    (void)arg;
    snprintf(out, cap, "%spw", user);
    return 0;
}

static void start(enum lab_cert first)
{
    const secsip_registrar_config config = {
        .size = sizeof config, .domain = "example.test", .password = password};

    lab_start(&l, first);
    second.host = simnet_host_new(l.net, "10.0.0.8", NULL);
    second.profile = lab_profile(LAB_SERVER);
    assert_int_equal(secsip_registrar_new(simnet_stack(second.host), &config, &second.registrar),
                     0);
    assert_int_equal(
        secsip_stack_listen(simnet_stack(second.host), "tls:10.0.0.8:5061", second.profile, NULL),
        0);
    simnet_srv(l.net, "_sips._tcp.example.test", "one.elsewhere.test", 5061, 1);
    simnet_srv(l.net, "_sips._tcp.example.test", "two.elsewhere.test", 5061, 2);
    simnet_name(l.net, "one.elsewhere.test", "10.0.0.9");
    simnet_name(l.net, "two.elsewhere.test", "10.0.0.8");
    lab_phone(&l, &l.alice, "alice", NULL);
}

static void stop(void)
{
    secsip_stack_shutdown(simnet_stack(l.alice.host), 2000);
    simnet_run(l.net, 3000000, NULL, NULL);
    secsip_registrar_free(second.registrar);
    simnet_host_free(second.host);
    secsip_tls_profile_unref(second.profile);
    lab_stop(&l);
}

static bool alice_registered(void *arg)
{
    (void)arg;
    return l.alice.reg_state == SECSIP_REGISTRATION_REGISTERED;
}

static bool alice_failed(void *arg)
{
    (void)arg;
    return l.alice.reg_state == SECSIP_REGISTRATION_FAILED;
}

/* How long it took, ms. */
static uint64_t register_alice(void)
{
    uint64_t before = simnet_now(l.net);

    assert_int_equal(secsip_account_register(l.alice.account), 0);
    assert_true(simnet_run(l.net, 60000000, alice_registered, NULL));
    return (simnet_now(l.net) - before) / 1000;
}

static void unregister_alice(void)
{
    assert_int_equal(secsip_account_unregister(l.alice.account), 0);
    simnet_run(l.net, 1000000, NULL, NULL);
    assert_int_equal(l.alice.reg_state, SECSIP_REGISTRATION_UNREGISTERED);
}

static void assert_at(bool at_second)
{
    assert_int_equal(secsip_registrar_count(second.registrar), at_second);
    assert_int_equal(l.registrar ? secsip_registrar_count(l.registrar) : 0, !at_second);
}

static void the_first_server_is_taken_and_dns_is_asked_once(void **state)
{
    (void)state;
    start(LAB_SERVER);
    register_alice();
    assert_at(false);
    uint32_t asked = simnet_n_asked(l.net);
    unregister_alice();
    register_alice();
    assert_int_equal(simnet_n_asked(l.net), asked);
    unregister_alice();
    simnet_run(l.net, 200000000, NULL, NULL); /* the TTL is 60 s, and the connection goes */
    register_alice();
    assert_true(simnet_n_asked(l.net) > asked);
    stop();
}

static void a_silent_server_is_waited_for_once(void **state)
{
    (void)state;
    start(LAB_SERVER);
    simnet_blackhole(l.net, "10.0.0.9");
    assert_in_range(register_alice(), 10000, 11000); /* handshake_timeout_ms */
    assert_at(true);
    unregister_alice();
    assert_in_range(register_alice(), 0, 500);
    assert_at(true);
    unregister_alice();
    simnet_run(l.net, 200000000, NULL, NULL); /* what is down is forgotten after a minute */
    assert_in_range(register_alice(), 10000, 11000);
    stop();
}

static void a_server_that_is_not_the_domains_is_passed_over(void **state)
{
    (void)state;
    start(LAB_WRONGNAME);
    register_alice();
    assert_at(true);
    /* Both targets are names of another domain: it was the domain's name that was proved. */
    stop();
}

static void where_all_are_down_all_are_tried(void **state)
{
    (void)state;
    start(LAB_SERVER);
    simnet_down(l.server, true);
    simnet_down(second.host, true);
    assert_int_equal(secsip_account_register(l.alice.account), 0);
    assert_true(simnet_run(l.net, 1000000, alice_failed, NULL));
    assert_int_equal(l.alice.reg_result, SECSIP_E_NET_CONNECT);
    simnet_down(l.server, false);
    assert_true(simnet_run(l.net, 60000000, alice_registered, NULL));
    assert_at(false);
    stop();
}

/* ---- 503 */
static int n_refused;

static bool refuse(void *arg, struct ssi_txn *t, struct ssi_sip_msg *m, struct ssi_flow *flow)
{
    (void)m;
    (void)flow;
    n_refused++;
    ssi_ua_refuse(arg, t, 503);
    return true;
}

static void make_overloaded(struct simnet_host *h, secsip_registrar **r)
{
    struct ssi_ua *ua = &simnet_stack(h)->ua;

    secsip_registrar_free(*r);
    *r = NULL;
    n_refused = 0;
    ua->handler = (struct ssi_ua_handler){.on_request = refuse, .arg = ua};
}

static void who_says_503_is_left_for_the_next(void **state)
{
    (void)state;
    start(LAB_SERVER);
    make_overloaded(l.server, &l.registrar);
    assert_in_range(register_alice(), 0, 500);
    assert_at(true);
    assert_int_equal(n_refused, 1);
    assert_int_equal(l.alice.n_reg_events, 1); /* nothing failed, as far as the application sees */
    unregister_alice();
    register_alice();
    assert_int_equal(n_refused, 1);
    stop();
}

static void where_all_say_503_the_back_off_rules(void **state)
{
    (void)state;
    start(LAB_SERVER);
    make_overloaded(l.server, &l.registrar);
    secsip_registrar_free(second.registrar);
    struct ssi_ua *ua = &simnet_stack(second.host)->ua;
    ua->handler = (struct ssi_ua_handler){.on_request = refuse, .arg = ua};
    assert_int_equal(secsip_account_register(l.alice.account), 0);
    assert_true(simnet_run(l.net, 1000000, alice_failed, NULL));
    assert_int_equal(n_refused, 2);
    assert_int_equal(l.alice.reg_status, 503);
    assert_in_range(l.alice.reg_retry_ms, 15000, 60000);
    memset(&ua->handler, 0, sizeof ua->handler);
    const secsip_registrar_config config = {
        .size = sizeof config, .domain = "example.test", .password = password};
    assert_int_equal(secsip_registrar_new(simnet_stack(second.host), &config, &second.registrar),
                     0);
    assert_true(simnet_run(l.net, 60000000, alice_registered, NULL));
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_server_is_taken_and_dns_is_asked_once),
        cmocka_unit_test(a_silent_server_is_waited_for_once),
        cmocka_unit_test(a_server_that_is_not_the_domains_is_passed_over),
        cmocka_unit_test(where_all_are_down_all_are_tried),
        cmocka_unit_test(who_says_503_is_left_for_the_next),
        cmocka_unit_test(where_all_say_503_the_back_off_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
