/* RFC 5626 on virtual time: which device and which flow, keep-alives and their answers, flows that die without a word, registrars and
 * first hops that do not speak it. */
#include "test.h"

#include <stdio.h>

#include "api/stack.h"
#include "phone.h"
#include "proxy_sim.h"
#include "ua/account.h"
#include "ua/call.h"
#include "ua/flow.h"

static struct lab l;

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

static secsip_result password(const char *user, char *out, size_t cap, void *arg)
{
    (void)arg;
    snprintf(out, cap, "%spw", user);
    return 0;
}

/* Alice registered with a registrar that asks for keep-alives every so often. */
static void start(uint32_t flow_timer_s, const secsip_account_config *config)
{
    const secsip_registrar_config registrar = {.size = sizeof registrar,
                                               .domain = "example.test",
                                               .password = password,
                                               .flow_timer_s = flow_timer_s};

    lab_start(&l, LAB_SERVER);
    secsip_registrar_free(l.registrar);
    assert_int_equal(secsip_registrar_new(simnet_stack(l.server), &registrar, &l.registrar), 0);
    lab_phone(&l, &l.alice, "alice", config);
    assert_int_equal(secsip_account_register(l.alice.account), 0);
    assert_true(simnet_run(l.net, 5000000, alice_registered, NULL));
}

static const struct ssi_flow *servers_flow(void)
{
    return SSI_CONTAINER(simnet_stack(l.server)->ua.flows.next, struct ssi_flow, node);
}

static void keep_alives_come_in_the_time_that_was_agreed(void **state)
{
    uint64_t last, shortest = UINT64_MAX, longest = 0;

    (void)state;
    start(30, &(secsip_account_config){.expires_s = 3600});
    assert_true(l.alice.account->flows[0].outbound);
    simnet_run(l.net, 40000000, NULL, NULL);
    last = servers_flow()->used_us;
    for (int i = 0; i < 6000; i++) {
        simnet_run(l.net, 100000, NULL, NULL);
        uint64_t used = servers_flow()->used_us;
        if (used == last)
            continue;
        shortest = used - last < shortest ? used - last : shortest;
        longest = used - last > longest ? used - last : longest;
        last = used;
    }
    assert_in_range(shortest, 24000000, 26000000); /* 80 to 100 %, at random */
    assert_in_range(longest, 28000000, 30100000);
    assert_int_equal(l.alice.n_reg_events, 1);
    lab_stop(&l);
}

static void a_server_that_falls_silent_is_noticed_and_found_again(void **state)
{
    (void)state;
    start(30, NULL);
    simnet_freeze(l.server, true);
    uint64_t before = simnet_now(l.net);
    assert_true(simnet_run(l.net, 60000000, alice_failed, NULL));
    assert_in_range(simnet_now(l.net) - before, 10000000, 40100000); /* a ping, and 10 s */
    assert_int_equal(l.alice.reg_result, SECSIP_E_TIMEOUT);
    assert_non_null(strstr(l.alice.reg_text, "keep-alive"));
    assert_in_range(l.alice.reg_retry_ms, 15000, 30000); /* RFC 5626 4.5: it was up */
    assert_false(l.alice.account->flows[0].outbound);
    simnet_freeze(l.server, false);
    assert_true(simnet_run(l.net, 60000000, alice_registered, NULL));
    assert_true(l.alice.account->flows[0].outbound);
    lab_stop(&l);
}

static void a_phone_that_falls_silent_loses_its_binding(void **state)
{
    (void)state;
    start(30, NULL);
    assert_int_equal(secsip_registrar_count(l.registrar), 1);
    simnet_freeze(l.alice.host, true);
    simnet_run(l.net, 90000000, NULL, NULL); /* Flow-Timer, 30 s, and what it had sent before */
    assert_int_equal(secsip_registrar_count(l.registrar), 0);
    simnet_freeze(l.alice.host, false);
    assert_true(simnet_run(l.net, 100000000, alice_registered, NULL));
    lab_stop(&l);
}

static void a_first_failure_waits_half_a_minute_to_a_minute(void **state)
{
    (void)state;
    lab_start(&l, LAB_SERVER);
    simnet_down(l.server, true);
    lab_phone(&l, &l.alice, "alice", NULL);
    assert_int_equal(secsip_account_register(l.alice.account), 0);
    assert_true(simnet_run(l.net, 1000000, alice_failed, NULL));
    assert_in_range(l.alice.reg_retry_ms, 30000, 60000); /* RFC 5626 4.5, the boundary conditions */
    lab_stop(&l);
}

static void requests_of_a_dialog_say_where_they_come_back(void **state)
{
    (void)state;
    for (uint32_t off = 0; off < 2; off++) {
        start(0, &(secsip_account_config){.no_outbound = off});
        lab_phone(&l, &l.bob, "bob", NULL);
        l.bob.answers = true;
        assert_int_equal(secsip_account_register(l.bob.account), 0);
        assert_true(simnet_run(l.net, 5000000, lab_both_registered, &l));
        assert_true(l.alice.account->flows[0].outbound == !off);
        lab_call(&l, &l.alice, "sip:bob@example.test");
        assert_true(simnet_run(l.net, 5000000, lab_both_talking, &l));
        const char *at_bob = l.bob.call->dialog.remote_target;
        assert_true((strstr(at_bob, ";ob") != NULL) == !off);
        assert_non_null(strstr(l.alice.call->dialog.remote_target, ";ob"));
        assert_int_equal(secsip_call_hangup(l.bob.call), 0);
        assert_true(simnet_run(l.net, 5000000, lab_both_ended, &l));
        lab_stop(&l);
    }
}

/* ---- Two flows at a time */
static struct {
    struct simnet_host *host;
    secsip_registrar *registrar;
    secsip_tls_profile *profile;
} other;

static bool both_up(void *arg)
{
    (void)arg;
    const secsip_account *a = l.alice.account;
    return a->flows[0].state == SECSIP_REGISTRATION_REGISTERED &&
           a->flows[1].state == SECSIP_REGISTRATION_REGISTERED;
}

static bool first_failed(void *arg)
{
    (void)arg;
    return l.alice.account->flows[0].state == SECSIP_REGISTRATION_FAILED;
}

static void start_two(void)
{
    const secsip_registrar_config registrar = {
        .size = sizeof registrar, .domain = "example.test", .password = password};

    lab_start(&l, LAB_SERVER);
    other.host = simnet_host_new(l.net, "10.0.0.8", NULL);
    other.profile = lab_profile(LAB_WRONGNAME); /* the certificate of wrong.test */
    assert_int_equal(secsip_registrar_new(simnet_stack(other.host), &registrar, &other.registrar),
                     0);
    assert_int_equal(
        secsip_stack_listen(simnet_stack(other.host), "tls:10.0.0.8:5061", other.profile, NULL), 0);
    simnet_name(l.net, "wrong.test", "10.0.0.8");
    lab_phone(&l, &l.alice, "alice",
              &(secsip_account_config){.proxy = "sip:example.test;transport=tls, wrong.test"});
    assert_int_equal(secsip_account_register(l.alice.account), 0);
    assert_true(simnet_run(l.net, 5000000, both_up, NULL));
    simnet_run(l.net, 100000, NULL, NULL);
}

static void stop_two(void)
{
    secsip_stack_shutdown(simnet_stack(l.alice.host), 2000);
    simnet_run(l.net, 3000000, NULL, NULL);
    secsip_registrar_free(other.registrar);
    simnet_host_free(other.host);
    secsip_tls_profile_unref(other.profile);
    lab_stop(&l);
}

static void an_account_lives_on_the_flow_that_is_left(void **state)
{
    (void)state;
    start_two();
    secsip_account *a = l.alice.account;
    assert_int_equal(secsip_registrar_count(l.registrar), 1);
    assert_int_equal(secsip_registrar_count(other.registrar), 1);
    assert_string_equal(ssi_account_target(a)->host, "example.test");
    simnet_down(l.server, true);
    assert_true(simnet_run(l.net, 1000000, first_failed, NULL));
    simnet_run(l.net, 1000, NULL, NULL);
    assert_int_equal(secsip_account_get_state(a), SECSIP_REGISTRATION_REGISTERED);
    assert_in_range(l.alice.reg_retry_ms, 45000, 90000); /* RFC 5626 4.5: there is no haste */
    assert_string_equal(ssi_account_target(a)->host, "wrong.test");
    simnet_down(l.server, false);
    assert_true(simnet_run(l.net, 100000000, both_up, NULL));
    assert_string_equal(ssi_account_target(a)->host, "example.test");
    stop_two();
}

/* The proxy of the first flow falls silent or goes, and the call has another way. */
static void a_call_takes_the_flow_that_is_left(void **state)
{
    (void)state;
    for (int silent = 0; silent < 2; silent++) {
        start_two();
        lab_phone(&l, &l.bob, "bob", &(secsip_account_config){.proxy = "wrong.test"});
        l.bob.answers = true;
        assert_int_equal(secsip_account_register(l.bob.account), 0);
        simnet_run(l.net, 1000000, NULL, NULL);
        assert_int_equal(secsip_registrar_count(other.registrar), 2);
        if (silent)
            simnet_freeze(l.server, true);
        lab_call(&l, &l.alice, "sip:bob@example.test");
        assert_string_equal(l.alice.call->flow->domain, "example.test");
        assert_int_equal(l.alice.call->phase, SSI_CALL_INVITING);
        if (!silent)
            simnet_down(l.server, true);
        assert_true(simnet_run(l.net, 60000000, lab_both_talking, &l));
        assert_string_equal(l.alice.call->flow->domain, "wrong.test");
        assert_int_equal(l.alice.account->flows[1].state, SECSIP_REGISTRATION_REGISTERED);
        lab_assert_speech(&l, 1000000);
        assert_int_equal(secsip_call_hangup(l.alice.call), 0);
        assert_true(simnet_run(l.net, 5000000, lab_both_ended, &l));
        secsip_stack_shutdown(simnet_stack(l.bob.host), 2000);
        stop_two();
    }
}

static void unregistering_removes_both_and_is_told_once(void **state)
{
    (void)state;
    start_two();
    int before = l.alice.n_reg_events;
    assert_int_equal(secsip_account_unregister(l.alice.account), 0);
    assert_int_equal(secsip_account_unregister(l.alice.account), SECSIP_E_STATE);
    simnet_run(l.net, 1000000, NULL, NULL);
    assert_int_equal(l.alice.n_reg_events, before + 1);
    assert_int_equal(l.alice.reg_state, SECSIP_REGISTRATION_UNREGISTERED);
    assert_int_equal(secsip_registrar_count(l.registrar) + secsip_registrar_count(other.registrar),
                     0);
    assert_int_equal(secsip_account_register(l.alice.account), 0);
    assert_true(simnet_run(l.net, 5000000, both_up, NULL));
    stop_two();
}

static void lists_of_proxies_are_checked(void **state)
{
    static const struct {
        const char *proxy;
        secsip_result result;
    } rows[] = {
        {"a.test,b.test,c.test,d.test", 0},
        {"a.test,b.test,c.test,d.test,e.test", SECSIP_E_LIMIT},
        {"a.test, sip:A.test", SECSIP_E_INVALID}, /* the same twice */
        {"a.test,", SECSIP_E_SIP_URI},
        {"a.test,b.test;transport=tcp", SECSIP_E_PERMISSION},
    };
    secsip_account *a;

    (void)state;
    start(0, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const secsip_account_config c = {.size = sizeof c,
                                         .aor = "sip:alice@example.test",
                                         .profile = l.alice.profile,
                                         .proxy = rows[i].proxy};
        secsip_result r = secsip_account_new(simnet_stack(l.alice.host), &c, NULL, NULL, &a);
        assert_int_equal(r, rows[i].result);
        if (r == 0)
            secsip_account_unref(a);
    }
    lab_stop(&l);
}

/* ---- A first hop that cannot do it */
static int n_with, n_without;

static bool refuse_reg_id(void *arg, struct ssi_txn *t, struct ssi_sip_msg *m,
                          struct ssi_flow *flow)
{
    struct ssi_slice contact = {0};

    (void)flow;
    assert_true(ssi_sip_msg_value(m, SSI_HDR_CONTACT, &contact));
    bool with = memmem(contact.p, contact.len, ";reg-id=1", 9) != NULL;
    n_with += with;
    n_without += !with;
    assert_true(ssi_sip_msg_lists(m, SSI_HDR_SUPPORTED, SSI_LIT("outbound")) == with);
    assert_non_null(memmem(contact.p, contact.len, "+sip.instance=\"<urn:uuid:", 25));
    if (with)
        ssi_ua_refuse(arg, t, 439);
    else
        ssi_txn_respond_status(t, 200, NULL);
    return true;
}

static void where_the_first_hop_cannot_the_plain_way_is_taken(void **state)
{
    (void)state;
    lab_start(&l, LAB_SERVER);
    secsip_registrar_free(l.registrar);
    l.registrar = NULL;
    struct ssi_ua *ua = &simnet_stack(l.server)->ua;
    ua->handler = (struct ssi_ua_handler){.on_request = refuse_reg_id, .arg = ua};
    n_with = n_without = 0;
    lab_phone(&l, &l.alice, "alice", &(secsip_account_config){.expires_s = 60});
    assert_int_equal(secsip_account_register(l.alice.account), 0);
    assert_true(simnet_run(l.net, 5000000, alice_registered, NULL));
    simnet_run(l.net, 100000000, NULL, NULL);
    assert_int_equal(n_with, 1); /* it is not asked again with every refresh */
    assert_in_range(n_without, 2, 3);
    assert_false(l.alice.account->flows[0].outbound);
    assert_int_equal(l.alice.reg_state, SECSIP_REGISTRATION_REGISTERED);
    lab_stop(&l);
}

/* ---- Instances */
static secsip_result new_account(const char *instance, secsip_account **ret)
{
    const secsip_account_config c = {.size = sizeof c,
                                     .aor = "sip:alice@example.test",
                                     .profile = l.alice.profile,
                                     .instance = instance};
    return secsip_account_new(simnet_stack(l.alice.host), &c, NULL, NULL, ret);
}

static void an_instance_is_given_or_made(void **state)
{
    static const char *const bad[] = {
        "", "urn:", "uuid:1", "urn:uuid:<1>", "urn:uuid:\"1", "urn:uuid:1\r\nX: y"};
    static const char good[] = "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
    secsip_account *a, *b;

    (void)state;
    start(0, NULL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(new_account(bad[i], &a), SECSIP_E_INVALID);
    assert_int_equal(new_account(good, &a), 0);
    assert_string_equal(secsip_account_get_instance(a), good);
    assert_int_equal(new_account(NULL, &b), 0);
    const char *made = secsip_account_get_instance(b);
    assert_int_equal(strlen(made), 45);
    assert_int_equal(made[23], '4'); /* RFC 4122: version 4 */
    assert_non_null(strchr("89ab", made[28]));
    assert_string_not_equal(made, secsip_account_get_instance(l.alice.account));
    assert_null(secsip_account_get_instance(NULL));
    secsip_account_unref(a);
    secsip_account_unref(b);
    lab_stop(&l);
}

/* ---- The registrar, byte by byte */
#define INSTANCE ";+sip.instance=\"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>\""

static struct proxy_sim s;

static int ask(struct proxy_conn *c, const char *more)
{
    return proxy_ask(&s, c,
                     &(struct proxy_request){.method = "REGISTER",
                                             .uri = "sip:example.test",
                                             .from = "sip:alice@example.test",
                                             .to = "<sip:alice@example.test>",
                                             .more = more,
                                             .user = "alice"});
}

static void a_flow_takes_the_place_of_the_same_flow_only(void **state)
{
    (void)state;
    proxy_start(&s, NULL);
    struct proxy_conn *c = proxy_connect(&s, true), *d = proxy_connect(&s, true);
    assert_int_equal(ask(c, "Supported: outbound\nContact: <sip:a@198.51.100.1:1>" INSTANCE
                            ";reg-id=1;expires=60\n"),
                     200);
    assert_string_equal(proxy_header(c, "Require"), "outbound");
    assert_string_equal(proxy_header(c, "Flow-Timer"), "120");
    assert_non_null(strstr(proxy_header(c, "Contact"), INSTANCE ";reg-id=1"));
    /* Another flow of the same device. */
    assert_int_equal(ask(d, "Supported: outbound\nContact: <sip:a@198.51.100.1:2>" INSTANCE
                            ";reg-id=2;expires=60\n"),
                     200);
    assert_int_equal(secsip_registrar_count(s.registrar), 2);
    /* The first one again, from elsewhere: another contact, the same binding. */
    assert_int_equal(ask(d, "Supported: outbound\nContact: <sip:a@198.51.100.1:3>" INSTANCE
                            ";reg-id=1;expires=60\n"),
                     200);
    assert_int_equal(secsip_registrar_count(s.registrar), 2);
    assert_null(strstr(c->text, "198.51.100.1:3"));
    /* Without the option tag it is plain RFC 3261, and nothing is required. */
    assert_int_equal(ask(c, "Contact: <sip:a@198.51.100.1:4>;expires=60\n"), 200);
    assert_string_equal(proxy_header(c, "Require"), "");
    assert_int_equal(secsip_registrar_count(s.registrar), 3);
    proxy_stop(&s);
}

static void through_another_hop_outbound_is_refused(void **state)
{
    static const char via[] = "Via: SIP/2.0/TLS first.hop.test;branch=z9hG4bKelse\n";
    char more[512];

    (void)state;
    proxy_start(&s, NULL);
    struct proxy_conn *c = proxy_connect(&s, true);
    snprintf(more, sizeof more,
             "%sSupported: outbound\nContact: <sip:a@198.51.100.1>" INSTANCE
             ";reg-id=1;expires=60\n",
             via);
    assert_int_equal(ask(c, more), 439);
    assert_int_equal(secsip_registrar_count(s.registrar), 0);
    snprintf(more, sizeof more, "%sContact: <sip:a@198.51.100.1>" INSTANCE ";expires=60\n", via);
    assert_int_equal(ask(c, more), 200);
    proxy_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keep_alives_come_in_the_time_that_was_agreed),
        cmocka_unit_test(a_server_that_falls_silent_is_noticed_and_found_again),
        cmocka_unit_test(a_phone_that_falls_silent_loses_its_binding),
        cmocka_unit_test(a_first_failure_waits_half_a_minute_to_a_minute),
        cmocka_unit_test(requests_of_a_dialog_say_where_they_come_back),
        cmocka_unit_test(an_account_lives_on_the_flow_that_is_left),
        cmocka_unit_test(a_call_takes_the_flow_that_is_left),
        cmocka_unit_test(unregistering_removes_both_and_is_told_once),
        cmocka_unit_test(lists_of_proxies_are_checked),
        cmocka_unit_test(where_the_first_hop_cannot_the_plain_way_is_taken),
        cmocka_unit_test(an_instance_is_given_or_made),
        cmocka_unit_test(a_flow_takes_the_place_of_the_same_flow_only),
        cmocka_unit_test(through_another_hop_outbound_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
