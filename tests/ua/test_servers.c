/* Finding a server that works (RFC 3263 4.3) on virtual time: two servers behind one domain, one of which is dead, silent, not
 * who it should be, or says 503. What DNS says is kept, what was down is tried last, and the name that is proved stays the
 * domain's. */
#include "test.h"

#include <stdio.h>

#include "api/stack.h"
#include "phone.h"
#include "sip/build.h"
#include "ua/dialog.h"
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

/* ---- Servers that take requests and answer none */
static bool never_answer(void *arg, struct ssi_txn *t, struct ssi_sip_msg *m, struct ssi_flow *flow)
{
    (void)arg;
    (void)t;
    (void)m;
    (void)flow;
    n_refused++;
    return true;
}

static void make_deaf(struct simnet_host *h, secsip_registrar **r)
{
    struct ssi_ua *ua = &simnet_stack(h)->ua;

    secsip_registrar_free(*r);
    *r = NULL;
    ua->handler = (struct ssi_ua_handler){.on_request = never_answer, .arg = ua};
}

/* Three times 32 s of silence are longer than a server is remembered to be down. */
static void where_none_of_three_answers_the_application_is_told(void **state)
{
    secsip_registrar *none = NULL;

    (void)state;
    start(LAB_SERVER);
    struct simnet_host *third = simnet_host_new(l.net, "10.0.0.7", NULL);
    assert_int_equal(
        secsip_stack_listen(simnet_stack(third), "tls:10.0.0.7:5061", second.profile, NULL), 0);
    simnet_srv(l.net, "_sips._tcp.example.test", "three.elsewhere.test", 5061, 3);
    simnet_name(l.net, "three.elsewhere.test", "10.0.0.7");
    register_alice();
    make_deaf(l.server, &l.registrar);
    make_deaf(second.host, &second.registrar);
    make_deaf(third, &none);
    n_refused = 0;
    assert_true(simnet_run(l.net, SSI_S(l.alice.reg_expires + 3 * 32), alice_failed, NULL));
    assert_int_equal(n_refused, 3); /* each was asked, and none twice */
    assert_int_equal(l.alice.reg_result, SECSIP_E_UA_TRANSACTION_TIMEOUT);
    assert_in_range(l.alice.reg_retry_ms, 15000, 60000);
    simnet_host_free(third);
    stop();
}

static bool refuse_shortly(void *arg, struct ssi_txn *t, struct ssi_sip_msg *m,
                           struct ssi_flow *flow)
{
    struct ssi_buf b;

    (void)m;
    (void)flow;
    n_refused++;
    ssi_ua_begin_response(arg, t, 503, &b);
    ssi_sip_put_header_u64(&b, "Retry-After", 1);
    ssi_ua_end_response(arg, t, 503, &b);
    return true;
}

/* Each has recovered, as far as its Retry-After says, when the other has refused. */
static void two_that_send_each_other_alice_are_not_asked_in_turns(void **state)
{
    (void)state;
    start(LAB_SERVER);
    make_overloaded(l.server, &l.registrar);
    make_overloaded(second.host, &second.registrar);
    simnet_stack(l.server)->ua.handler.on_request = refuse_shortly;
    simnet_stack(second.host)->ua.handler.on_request = refuse_shortly;
    simnet_delay(l.net, 400000);
    assert_int_equal(secsip_account_register(l.alice.account), 0);
    assert_true(simnet_run(l.net, 60000000, alice_failed, NULL));
    assert_int_equal(n_refused, 2);
    assert_int_equal(l.alice.reg_status, 503);
    assert_in_range(l.alice.reg_retry_ms, 15000, 60000);
    stop();
}

/* ---- Servers that take the connection and do not want us */
/* What ends TLS and has nobody behind it: the connection is closed when the first request comes. */
static bool slam(void *arg, struct ssi_txn *t, struct ssi_sip_msg *m, struct ssi_flow *flow)
{
    struct ssi_error e;

    (void)arg;
    (void)t;
    (void)m;
    n_refused++;
    ssi_error_set(&e, SECSIP_E_CLOSED, "no backend");
    ssi_flow_close(flow, &e);
    return true;
}

static void who_hangs_up_on_the_first_request_is_left_for_the_next(void **state)
{
    (void)state;
    start(LAB_SERVER);
    make_overloaded(l.server, &l.registrar);
    simnet_stack(l.server)->ua.handler.on_request = slam;
    assert_in_range(register_alice(), 0, 500);
    assert_at(true);
    assert_int_equal(l.alice.n_reg_events, 1);
    unregister_alice();
    register_alice();
    assert_int_equal(n_refused, 1); /* it is remembered, though its handshake was good */
    make_overloaded(second.host, &second.registrar);
    simnet_stack(second.host)->ua.handler.on_request = slam;
    unregister_alice();
    simnet_run(l.net, 200000000, NULL, NULL);
    n_refused = 0;
    assert_int_equal(secsip_account_register(l.alice.account), 0);
    assert_true(simnet_run(l.net, 1000000, alice_failed, NULL));
    assert_int_equal(n_refused, 2);
    assert_in_range(l.alice.reg_retry_ms, 15000, 60000);
    stop();
}

/* In TLS 1.3 a server judges our certificate when we have long been open. */
static void who_wants_a_certificate_that_we_have_not_is_left_for_the_next(void **state)
{
    (void)state;
    start(LAB_SERVER);
    secsip_tls_profile *strict = lab_profile(LAB_SERVER);
    assert_int_equal(secsip_tls_profile_set_client_cert(strict, SECSIP_TLS_CLIENT_CERT_REQUIRE), 0);
    assert_int_equal(secsip_stack_listen(simnet_stack(l.server), "tls:10.0.0.9:5062", strict, NULL),
                     0);
    simnet_srv(l.net, "_sips._tcp.example.test", "one.elsewhere.test", 5062, 0);
    assert_in_range(register_alice(), 0, 500);
    assert_at(false);
    assert_int_equal(l.alice.n_reg_events, 1);
    secsip_tls_profile_unref(strict);
    stop();
}

/* ---- Whose memory it is */
/* Anybody may let his SRV records lead to our server: that it cannot prove his name is no fault of its own. */
static void what_others_find_is_not_held_against_our_server(void **state)
{
    const secsip_account_callbacks none = {.size = sizeof none};
    secsip_account_config at = {.size = sizeof at, .aor = "sip:eve@evil.test", .password = "x"};
    secsip_account *eve;

    (void)state;
    start(LAB_SERVER);
    at.profile = l.alice.profile;
    simnet_srv(l.net, "_sips._tcp.evil.test", "one.elsewhere.test", 5061, 1);
    assert_int_equal(secsip_account_new(simnet_stack(l.alice.host), &at, &none, NULL, &eve), 0);
    assert_int_equal(secsip_account_register(eve), 0);
    simnet_run(l.net, 1000000, NULL, NULL);
    register_alice();
    assert_at(false);
    secsip_account_unref(eve);
    stop();
}

/* A connection that was under way when the server said 503 proves nothing about how long that holds. */
static void a_retry_after_is_not_forgotten_for_a_good_word(void **state)
{
    struct ssi_down d = {0};
    struct ssi_down_key a = {.asker = 1}, b = {.asker = 2};

    (void)state;
    assert_true(ssi_addr_parse(SSI_LIT("192.0.2.1:5061"), &a.addr));
    b.addr = a.addr;
    ssi_down_note(&d, &a, 0, 0);
    assert_false(ssi_down_is(&d, &b, 1));
    assert_true(ssi_down_is(&d, &a, 1));
    ssi_down_clear(&d, &a);
    assert_false(ssi_down_is(&d, &a, 1));
    ssi_down_note(&d, &a, 0, 600);
    ssi_down_clear(&d, &a);
    ssi_down_note(&d, &a, SSI_S(1), 0); /* it is silent, too */
    ssi_down_clear(&d, &a);
    assert_true(ssi_down_is(&d, &a, SSI_S(599)));
    assert_false(ssi_down_is(&d, &a, SSI_S(600)));
    ssi_down_note(&d, &a, SSI_S(590), 0); /* that is longer */
    assert_true(ssi_down_is(&d, &a, SSI_S(649)));
    ssi_down_note(&d, &a, SSI_S(600), 1); /* what it says itself holds, also when it is shorter */
    assert_false(ssi_down_is(&d, &a, SSI_S(601)));
}

/* ---- Addresses of one host side by side (RFC 8305) */
static void two_families(const char *v6, const char *v4)
{
    lab_start(&l, LAB_SERVER);
    memset(&second, 0, sizeof second);
    assert_int_equal(
        secsip_stack_listen(simnet_stack(l.server), "tls:[fd00::9]:5061", l.server_profile, NULL),
        0);
    simnet_srv(l.net, "_sips._tcp.example.test", "both.elsewhere.test", 5061, 1);
    simnet_name(l.net, "both.elsewhere.test", v6);
    simnet_name(l.net, "both.elsewhere.test", v4);
    lab_phone(&l, &l.alice, "alice", NULL);
}

static const struct ssi_flow *alices_flow(void)
{
    return SSI_CONTAINER(simnet_stack(l.alice.host)->ua.flows.next, struct ssi_flow, node);
}

static void ipv6_goes_first_and_nobody_else_where_it_works(void **state)
{
    (void)state;
    two_families("fd00::9", "10.0.0.9");
    assert_in_range(register_alice(), 0, 240);
    assert_int_equal(alices_flow()->peer.family, 6);
    assert_int_equal(simnet_n_connects(l.net), 1);
    lab_stop(&l);
}

static void a_silent_family_costs_a_quarter_of_a_second(void **state)
{
    (void)state;
    two_families("fd00::dead", "10.0.0.9");
    simnet_blackhole(l.net, "fd00::dead");
    assert_in_range(register_alice(), 250, 450);
    assert_int_equal(alices_flow()->peer.family, 4);
    assert_int_equal(simnet_n_connects(l.net), 2);
    assert_int_equal(simnet_stack(l.alice.host)->ua.n_flows, 1);
    lab_stop(&l);
}

static void a_refusing_family_costs_nothing(void **state)
{
    (void)state;
    two_families("fd00::dead", "10.0.0.9");
    assert_in_range(register_alice(), 0, 240);
    assert_int_equal(alices_flow()->peer.family, 4);
    lab_stop(&l);
}

static void who_comes_too_late_is_closed(void **state)
{
    (void)state;
    two_families("fd00::9", "10.0.0.9");
    simnet_delay(l.net, 300000); /* both are slow: the second attempt begins, the first one wins */
    assert_true(register_alice() > 250);
    assert_int_equal(alices_flow()->peer.family, 6);
    assert_int_equal(simnet_n_connects(l.net), 2);
    simnet_run(l.net, 5000000, NULL, NULL);
    assert_int_equal(simnet_stack(l.server)->ua.n_flows, 1);
    lab_stop(&l);
}

static void a_winner_that_cannot_prove_itself_loses_to_the_other(void **state)
{
    (void)state;
    two_families("fd00::8", "10.0.0.9"); /* somebody else answers at the IPv6 address */
    struct simnet_host *other = simnet_host_new(l.net, "fd00::8", NULL);
    secsip_tls_profile *wrong = lab_profile(LAB_WRONGNAME);
    assert_int_equal(secsip_stack_listen(simnet_stack(other), "tls:[fd00::8]:5061", wrong, NULL),
                     0);
    assert_in_range(register_alice(), 0, 500);
    assert_int_equal(alices_flow()->peer.family, 4);
    secsip_stack_shutdown(simnet_stack(l.alice.host), 2000);
    simnet_run(l.net, 3000000, NULL, NULL);
    simnet_host_free(other);
    secsip_tls_profile_unref(wrong);
    lab_stop(&l);
}

static void where_both_are_silent_the_error_says_so_in_time(void **state)
{
    (void)state;
    two_families("fd00::dead", "10.0.0.66");
    simnet_blackhole(l.net, "fd00::dead");
    simnet_blackhole(l.net, "10.0.0.66");
    assert_int_equal(secsip_account_register(l.alice.account), 0);
    assert_true(simnet_run(l.net, 11000000, alice_failed, NULL)); /* not 10 s each */
    assert_int_equal(l.alice.reg_result, SECSIP_E_TIMEOUT);
    lab_stop(&l);
}

/* A name server that is slow with AAAA is not waited for (RFC 8305 section 3). */
static bool in_handshake(void *arg)
{
    (void)arg;
    const struct ssi_ua *ua = &simnet_stack(l.alice.host)->ua;
    return ua->n_flows > 0 && alices_flow()->state == SSI_FLOW_HANDSHAKE;
}

/* Who takes the connection and never shakes hands: the race is won by him, and lost at handshake_timeout_ms. */
static void a_winner_that_hangs_in_the_handshake_loses_to_the_other(void **state)
{
    (void)state;
    two_families("fd00::8", "10.0.0.9");
    struct simnet_host *other = simnet_host_new(l.net, "fd00::8", NULL);
    secsip_tls_profile *profile = lab_profile(LAB_SERVER);
    assert_int_equal(secsip_stack_listen(simnet_stack(other), "tls:[fd00::8]:5061", profile, NULL),
                     0);
    assert_int_equal(secsip_account_register(l.alice.account), 0);
    assert_true(simnet_run(l.net, 200000, in_handshake, NULL));
    simnet_freeze(other, true);
    simnet_run(l.net, 5000000, NULL, NULL);
    assert_int_equal(alices_flow()->state, SSI_FLOW_HANDSHAKE);
    assert_int_equal(alices_flow()->peer.family, 6);
    assert_true(simnet_run(l.net, 5500000, alice_registered, NULL));
    assert_int_equal(alices_flow()->peer.family, 4);
    assert_int_equal(simnet_n_connects(l.net), 2);
    /* It is remembered: the next connection begins with the one that works. */
    unregister_alice();
    simnet_run(l.net, 1000000, NULL, NULL);
    assert_in_range(register_alice(), 0, 500);
    secsip_stack_shutdown(simnet_stack(l.alice.host), 2000);
    simnet_run(l.net, 3000000, NULL, NULL);
    simnet_host_free(other);
    secsip_tls_profile_unref(profile);
    lab_stop(&l);
}

/* The same where it is the first server of the domain. */
static void a_server_that_hangs_in_the_handshake_is_waited_for_once(void **state)
{
    (void)state;
    start(LAB_SERVER);
    assert_int_equal(secsip_account_register(l.alice.account), 0);
    assert_true(simnet_run(l.net, 200000, in_handshake, NULL));
    simnet_freeze(l.server, true);
    assert_false(simnet_run(l.net, 9500000, alice_registered, NULL));
    assert_true(simnet_run(l.net, 1000000, alice_registered, NULL));
    assert_int_equal(secsip_registrar_count(second.registrar), 1);
    unregister_alice();
    assert_in_range(register_alice(), 0, 500);
    stop();
}

static void a_slow_answer_about_ipv6_is_not_waited_for(void **state)
{
    (void)state;
    two_families("fd00::9", "10.0.0.9");
    simnet_dns_slow(l.net, SECSIP_ENGINE_RR_AAAA, 3000000);
    assert_in_range(register_alice(), 50, 400);
    assert_int_equal(alices_flow()->peer.family, 4);
    lab_stop(&l);
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
        cmocka_unit_test(where_none_of_three_answers_the_application_is_told),
        cmocka_unit_test(two_that_send_each_other_alice_are_not_asked_in_turns),
        cmocka_unit_test(who_hangs_up_on_the_first_request_is_left_for_the_next),
        cmocka_unit_test(who_wants_a_certificate_that_we_have_not_is_left_for_the_next),
        cmocka_unit_test(what_others_find_is_not_held_against_our_server),
        cmocka_unit_test(a_retry_after_is_not_forgotten_for_a_good_word),
        cmocka_unit_test(ipv6_goes_first_and_nobody_else_where_it_works),
        cmocka_unit_test(a_silent_family_costs_a_quarter_of_a_second),
        cmocka_unit_test(a_refusing_family_costs_nothing),
        cmocka_unit_test(who_comes_too_late_is_closed),
        cmocka_unit_test(a_winner_that_cannot_prove_itself_loses_to_the_other),
        cmocka_unit_test(where_both_are_silent_the_error_says_so_in_time),
        cmocka_unit_test(a_winner_that_hangs_in_the_handshake_loses_to_the_other),
        cmocka_unit_test(a_server_that_hangs_in_the_handshake_is_waited_for_once),
        cmocka_unit_test(a_slow_answer_about_ipv6_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
