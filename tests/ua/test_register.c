/* Registrations on virtual time: refresh, wrong passwords, certificates that do not hold, a registrar that goes away. */
#include "test.h"

#include <stdio.h>

#include "phone.h"

static bool alice_registered(void *arg)
{
    const struct lab *l = arg;
    return l->alice.reg_state == SECSIP_REGISTRATION_REGISTERED;
}

static bool alice_failed(void *arg)
{
    const struct lab *l = arg;
    return l->alice.reg_state == SECSIP_REGISTRATION_FAILED;
}

static void start(struct lab *l, enum lab_cert cert, const secsip_account_config *config)
{
    lab_start(l, cert);
    lab_phone(l, &l->alice, "alice", config);
    assert_int_equal(secsip_account_register(l->alice.account), 0);
}

static void a_registration_is_refreshed_in_time(void **state)
{
    static struct lab l;
    secsip_account_config c = {.expires_s = 60};

    (void)state;
    start(&l, LAB_SERVER, &c);
    assert_true(simnet_run(l.net, 2000000, alice_registered, &l));
    assert_int_equal(l.alice.reg_expires, 60);
    assert_int_equal(l.alice.n_reg_events, 1);
    for (int minute = 0; minute < 10; minute++) {
        simnet_run(l.net, 60000000, NULL, NULL);
        assert_int_equal(secsip_registrar_count(l.registrar), 1);
    }
    assert_in_range(l.alice.n_reg_events, 10, 14); /* every 51 to 54 s, no more */
    assert_int_equal(l.alice.reg_state, SECSIP_REGISTRATION_REGISTERED);
    lab_stop(&l);
}

static void a_wrong_password_fails_once_and_for_good(void **state)
{
    static struct lab l;
    secsip_account_config c = {.password = "not this"};

    (void)state;
    start(&l, LAB_SERVER, &c);
    assert_true(simnet_run(l.net, 2000000, alice_failed, &l));
    assert_int_equal(l.alice.reg_retry_ms, 0);
    assert_int_equal(l.alice.reg_status, 403);
    assert_string_equal(l.alice.reg_check, "credentials");
    assert_string_equal(l.alice.reg_found, "alice");
    simnet_run(l.net, 3600000000, NULL, NULL);
    assert_int_equal(l.alice.n_reg_events, 1);
    assert_int_equal(l.n_refused, 1);
    lab_stop(&l);
}

static void no_password_says_what_is_missing(void **state)
{
    static struct lab l;
    secsip_account_config c = {.size = sizeof c, .aor = "sip:alice@example.test"};
    secsip_account *a;

    (void)state;
    lab_start(&l, LAB_SERVER);
    lab_phone(&l, &l.alice, "alice", NULL);
    c.profile = l.alice.profile;
    secsip_account_unref(l.alice.account);
    static const secsip_account_callbacks none = {.size = sizeof none};
    assert_int_equal(secsip_account_new(simnet_stack(l.alice.host), &c, &none, &l.alice, &a), 0);
    l.alice.account = a;
    assert_int_equal(secsip_account_register(a), 0);
    simnet_run(l.net, 2000000, NULL, NULL);
    assert_int_equal(secsip_account_get_state(a), SECSIP_REGISTRATION_FAILED);
    lab_stop(&l);
}

static void bad_certificates_register_nobody(void **state)
{
    static const struct {
        enum lab_cert cert;
        secsip_result result;
        const char *check;
        const char *found; /* must stand in what was found or in the sentence */
    } rows[] = {
        {LAB_FROM_OTHERCA, SECSIP_E_TLS_CERT_UNTRUSTED, "trust", ""},
        {LAB_EXPIRED, SECSIP_E_TLS_CERT_EXPIRED, "expiry", "20"},
        {LAB_NOTYET, SECSIP_E_TLS_CERT_NOT_YET_VALID, "activation", "20"},
        {LAB_WRONGNAME, SECSIP_E_TLS_CERT_NAME, "name", "wrong.test"},
        {LAB_CNTRAP, SECSIP_E_TLS_CERT_NAME, "name", "wrong.test"},
        {LAB_SELFSIGNED, SECSIP_E_TLS_CERT_SELF_SIGNED, "self-signed", ""},
        {LAB_CLIENTONLY, SECSIP_E_TLS_CERT_PURPOSE, "purpose", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        static struct lab l;
        start(&l, rows[i].cert, NULL);
        assert_true(simnet_run(l.net, 2000000, alice_failed, &l));
        assert_int_equal(l.alice.reg_result, rows[i].result);
        assert_string_equal(l.alice.reg_check, rows[i].check);
        assert_true(l.alice.reg_expected[0] != 0);
        assert_true(l.alice.reg_found[0] != 0);
        assert_non_null(strstr(l.alice.reg_text, rows[i].found));
        assert_int_equal(secsip_registrar_count(l.registrar), 0);
        lab_stop(&l);
    }
}

static void a_registrar_that_goes_away_is_found_again(void **state)
{
    static struct lab l;

    (void)state;
    start(&l, LAB_SERVER, NULL);
    assert_true(simnet_run(l.net, 2000000, alice_registered, &l));
    simnet_down(l.server, true);
    assert_true(simnet_run(l.net, 1000000, alice_failed, &l));
    assert_int_equal(l.alice.reg_result, SECSIP_E_NET_RESET);
    assert_in_range(l.alice.reg_retry_ms, 15000, 30000); /* RFC 5626 4.5 */
    simnet_run(l.net, 3600000000, NULL, NULL);
    assert_in_range(l.alice.n_reg_events, 4, 12); /* back-off: no spin */
    assert_in_range(l.alice.reg_retry_ms, 900000, 1800000);
    simnet_down(l.server, false);
    assert_true(simnet_run(l.net, 1801000000, alice_registered, &l));
    assert_int_equal(secsip_registrar_count(l.registrar), 1);
    lab_stop(&l);
}

static void a_name_without_address_is_an_error_that_names_it(void **state)
{
    static struct lab l;
    secsip_account_config c = {.proxy = "nowhere.test"};

    (void)state;
    start(&l, LAB_SERVER, &c);
    assert_true(simnet_run(l.net, 20000000, alice_failed, &l));
    assert_int_equal(l.alice.reg_result, SECSIP_E_NET_RESOLVE);
    assert_non_null(strstr(l.alice.reg_text, "nowhere.test"));
    lab_stop(&l);
}

static void a_connection_that_fails_at_once_is_tried_again_later(void **state)
{
    static struct lab l;

    (void)state;
    lab_start(&l, LAB_SERVER);
    lab_phone(&l, &l.alice, "alice", NULL);
    simnet_unreachable(l.alice.host);
    assert_int_equal(secsip_account_register(l.alice.account), 0);
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_true(simnet_run(l.net, 2000000, alice_failed, &l));
    simnet_run(l.net, 1000000, NULL, NULL);
    assert_int_equal(l.alice.reg_result, SECSIP_E_NET_CONNECT);
    assert_true(l.alice.reg_retry_ms >= 15000);
    assert_int_equal(l.alice.n_ended, 1);
    assert_int_equal(l.alice.call_result, SECSIP_E_NET_CONNECT);
    lab_stop(&l);
}

static secsip_result give_password(const char *user, char *out, size_t cap, void *arg)
{
    (void)arg;
    snprintf(out, cap, "%spw", user);
    return 0;
}

/* Both wait for one connection. The call may not send its key over clear TCP and gives up the moment it opens, the
 * registration needs no more than that. */
static void a_call_that_gives_up_leaves_the_connection_to_the_registration(void **state)
{
    static struct lab l;
    secsip_account_config c = {.proxy = "sip:10.0.0.9:5060;transport=tcp", .insecure_transport = 1};
    secsip_registrar_config rc = {.size = sizeof rc,
                                  .domain = "example.test",
                                  .password = give_password,
                                  .insecure_transport = 1};

    (void)state;
    lab_start(&l, LAB_SERVER);
    secsip_registrar_free(l.registrar);
    assert_int_equal(secsip_registrar_new(simnet_stack(l.server), &rc, &l.registrar), 0);
    assert_int_equal(
        secsip_stack_listen(simnet_stack(l.server), "insecure-tcp:10.0.0.9:5060", NULL, NULL), 0);
    lab_phone(&l, &l.alice, "alice", &c);
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_int_equal(secsip_account_register(l.alice.account), 0);
    assert_true(simnet_run(l.net, 2000000, alice_registered, &l));
    assert_int_equal(l.alice.n_reg_events, 1);
    assert_int_equal(l.alice.n_ended, 1);
    assert_true(l.alice.call_result < 0);
    lab_stop(&l);
}

enum {
    REDIALS = 200
};

struct redial {
    struct lab *lab;
    int n_ended;
};

/* An application that dials again the moment a call has failed, as often as it fails. */
static void dial_again(secsip_call *c, const secsip_call_event *e, void *arg)
{
    static const secsip_call_callbacks again = {.size = sizeof again, .on_state = dial_again};
    struct redial *r = arg;

    if (e->state != SECSIP_CALL_ENDED)
        return;
    secsip_call_unref(c);
    if (++r->n_ended < REDIALS)
        assert_int_equal(
            secsip_call_new(r->lab->alice.account, "sip:bob@example.test", &again, r, &c), 0);
}

static void a_step_ends_though_the_application_answers_news_with_more(void **state)
{
    static struct lab l;
    secsip_account_config c = {.proxy = "sip:10.0.0.9"};
    secsip_call_event failed = {.size = sizeof failed, .state = SECSIP_CALL_ENDED};
    struct redial r = {.lab = &l};
    int n_steps = 0;

    (void)state;
    lab_start(&l, LAB_SERVER);
    lab_phone(&l, &l.alice, "alice", &c);
    simnet_unreachable(l.alice.host);
    dial_again(NULL, &failed, &r);
    secsip_stack *stack = simnet_stack(l.alice.host);
    for (int before = r.n_ended; r.n_ended < REDIALS && n_steps < 10 * REDIALS; n_steps++) {
        secsip_engine_advance(stack, simnet_now(l.net), LAB_NOW);
        assert_in_range(r.n_ended - before, 0, 1); /* one call at a time: one end in a step */
        before = r.n_ended;
        /* And the step after it is due at once: nothing waits for a clock. */
        assert_true(r.n_ended == REDIALS || secsip_engine_deadline(stack) <= simnet_now(l.net));
    }
    assert_int_equal(r.n_ended, REDIALS);
    lab_stop(&l);
}

static void outbound_proxies_come_in_every_form(void **state)
{
    static const char *const forms[] = {"example.test",
                                        "example.test:5061",
                                        "example.test:5061;transport=tls",
                                        "sip:example.test;transport=tls",
                                        "sips:example.test",
                                        "<sip:example.test:5061;transport=tls;lr>"};
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        static struct lab l;
        secsip_account_config c = {.proxy = forms[i]};
        start(&l, LAB_SERVER, &c);
        assert_true(simnet_run(l.net, 2000000, alice_registered, &l));
        lab_stop(&l);
    }
}

static void a_stack_may_go_at_any_moment_of_a_registration(void **state)
{
    (void)state;
    for (uint64_t ms = 0; ms < 120;
         ms += 5) { /* connecting, handshake, challenge, answer, farewell */
        static struct lab l;
        start(&l, LAB_SERVER, NULL);
        simnet_run(l.net, ms * 1000, NULL, NULL);
        if (l.alice.reg_state == SECSIP_REGISTRATION_REGISTERED)
            secsip_account_unregister(l.alice.account);
        /* The account's last reference of ours first: what is under way holds another one. */
        secsip_account_unref(l.alice.account);
        l.alice.account = NULL;
        simnet_host_free(l.alice.host);
        l.alice.host = NULL;
        secsip_tls_profile_unref(l.alice.profile);
        l.alice.profile = NULL;
        simnet_run(l.net, 100000, NULL, NULL);
        lab_stop(&l);
    }
}

static void clear_transports_are_refused(void **state)
{
    static struct lab l;
    static const secsip_account_callbacks none = {.size = sizeof none};
    secsip_account_config c = {.size = sizeof c,
                               .aor = "sip:alice@example.test",
                               .proxy = "sip:example.test;transport=tcp"};
    secsip_account *a;

    (void)state;
    lab_start(&l, LAB_SERVER);
    lab_phone(&l, &l.alice, "alice", NULL);
    assert_int_equal(secsip_account_new(simnet_stack(l.alice.host), &c, &none, NULL, &a),
                     SECSIP_E_PERMISSION);
    c.proxy = "sip:example.test;transport=udp";
    assert_int_equal(secsip_account_new(simnet_stack(l.alice.host), &c, &none, NULL, &a),
                     SECSIP_E_PERMISSION);
    lab_stop(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_registration_is_refreshed_in_time),
        cmocka_unit_test(a_wrong_password_fails_once_and_for_good),
        cmocka_unit_test(no_password_says_what_is_missing),
        cmocka_unit_test(bad_certificates_register_nobody),
        cmocka_unit_test(a_registrar_that_goes_away_is_found_again),
        cmocka_unit_test(a_name_without_address_is_an_error_that_names_it),
        cmocka_unit_test(a_connection_that_fails_at_once_is_tried_again_later),
        cmocka_unit_test(a_call_that_gives_up_leaves_the_connection_to_the_registration),
        cmocka_unit_test(a_step_ends_though_the_application_answers_news_with_more),
        cmocka_unit_test(outbound_proxies_come_in_every_form),
        cmocka_unit_test(a_stack_may_go_at_any_moment_of_a_registration),
        cmocka_unit_test(clear_transports_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
