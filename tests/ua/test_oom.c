/* Memory runs out once, at each allocation in turn, during registrations and a call on virtual time: no crash, no leak (the
 * leak checker looks), a clear error or a clean retry, and one final event for each operation. */
#include "test.h"

#include "oom.h"
#include "phone.h"

struct story {
    struct lab lab;
    bool is_cancelled; /* while it rings */
    bool is_udp;       /* in clear, and alice's requests are too large for a datagram */
    uint32_t n_failed_calls;
};

/* Whoever began something is told how it ended. */
static void expect_end(const struct phone *p)
{
    assert_int_equal(p->n_ended, 1);
    assert_int_equal(p->call_state, SECSIP_CALL_ENDED);
}

static bool caller_is_told(void *arg)
{
    const struct lab *l = arg;
    return l->alice.n_ended > 0 || l->alice.call_state == SECSIP_CALL_ESTABLISHED ||
           (l->alice.call_state == SECSIP_CALL_RINGING && !l->bob.answers);
}

static bool caller_ended(void *arg)
{
    const struct lab *l = arg;
    return l->alice.n_ended > 0;
}

static bool callee_ended(void *arg)
{
    const struct lab *l = arg;
    return !l->bob.call || l->bob.n_ended > 0;
}

static void forget_call(struct phone *p)
{
    secsip_call_unref(p->call);
    p->call = NULL;
    p->n_ended = 0;
    p->call_state = 0;
}

/* The first try may fail for want of memory, and says so; the second has memory. */
static bool call_once(struct story *s)
{
    struct lab *l = &s->lab;
    secsip_result r = secsip_call_new(l->alice.account, "sip:bob@example.test",
                                      lab_call_callbacks(), &l->alice, &l->alice.call);

    if (r < 0) {
        assert_int_equal(r, SECSIP_E_NOMEM);
        return false;
    }
    bool told = simnet_run(l->net, 100000000, caller_is_told, l);
    assert_true(told || s->is_cancelled); /* a 180 may be lost: nobody asks for it again */
    simnet_run(l->net, 100000, NULL, NULL);
    bool talked =
        s->is_cancelled ? l->alice.call_state == SECSIP_CALL_RINGING : lab_both_talking(l);
    if (l->alice.n_ended == 0)
        assert_int_equal(secsip_call_hangup(l->alice.call), 0);
    else if (!talked)
        assert_true(l->alice.call_result < 0 || l->alice.call_status >= 300);
    assert_true(simnet_run(l->net, 100000000, caller_ended, l));
    /* The BYE may be lost with its connection, or refused by the proxy with 503: whoever is left hangs up. */
    if (!simnet_run(l->net, 40000000, callee_ended, l)) {
        assert_true(test_oom_has_failed());
        assert_int_equal(secsip_call_hangup(l->bob.call), 0);
    }
    assert_true(simnet_run(l->net, 100000000, callee_ended, l));
    expect_end(&l->alice);
    if (l->bob.call)
        expect_end(&l->bob);
    simnet_run(l->net, 40000000, NULL, NULL);
    expect_end(&l->alice); /* and no second time */
    if (l->bob.call)
        expect_end(&l->bob);
    forget_call(&l->alice);
    forget_call(&l->bob);
    return talked;
}

/* A lab over UDP; 1,400 bytes of a name make alice's requests go over TCP, and what bob gets comes back from there. */
static void start_udp(struct lab *l)
{
    static char name[1400];
    secsip_account_config c = {.proxy = "sip:10.0.0.9;transport=udp",
                               .media_security = SECSIP_MEDIA_SECURITY_INSECURE_CLEAR,
                               .insecure_transport = 1};

    memset(name, 'n', sizeof name - 1);
    lab_start_clear(l, &(secsip_stack_config){0});
    lab_phone(l, &l->bob, "bob", &c);
    c.display_name = name;
    lab_phone(l, &l->alice, "alice", &c);
}

static void start_tls(struct lab *l)
{
    lab_start(l, LAB_SERVER);
    lab_phone(l, &l->alice, "alice", NULL);
    lab_phone(l, &l->bob, "bob", NULL);
}

static void register_and_call(void *arg)
{
    struct story *s = arg;
    struct lab *l = &s->lab;

    test_oom_pause();
    if (s->is_udp)
        start_udp(l);
    else
        start_tls(l);
    l->bob.answers = !s->is_cancelled;
    test_oom_resume();
    assert_int_equal(secsip_account_register(l->alice.account), 0);
    assert_int_equal(secsip_account_register(l->bob.account), 0);
    assert_true(simnet_run(l->net, 300000000, lab_both_registered, l));
    if (!call_once(s)) {
        assert_true(test_oom_has_failed());
        s->n_failed_calls++;
        simnet_run(l->net, 100000000, NULL, NULL);
        assert_true(lab_both_registered(l));
        assert_true(call_once(s));
    }
    lab_stop(l);
    assert_int_equal(l->alice.reg_state, SECSIP_REGISTRATION_UNREGISTERED);
    assert_int_equal(l->bob.reg_state, SECSIP_REGISTRATION_UNREGISTERED);
}

static void tell_each(struct story *s)
{
    lab_open();
    uint32_t n = test_oom_each(register_and_call, s);
    lab_close();
    print_message("%u allocations, %u first calls failed\n", n - 1, s->n_failed_calls);
    assert_true(n > 300);
    assert_true(s->n_failed_calls > 10);
}

static void each_allocation_of_a_call_fails_once(void **state)
{
    static struct story s;

    (void)state;
    tell_each(&s);
}

static void each_allocation_of_a_cancelled_call_fails_once(void **state)
{
    static struct story s = {.is_cancelled = true};

    (void)state;
    tell_each(&s);
}

static void each_allocation_of_a_call_over_udp_fails_once(void **state)
{
    static struct story s = {.is_udp = true};

    (void)state;
    tell_each(&s);
}

static void make_account(void *arg)
{
    struct lab *l = arg;
    secsip_account_config config = {.size = sizeof config,
                                    .aor = "sip:carol@example.test",
                                    .display_name = "Carol",
                                    .password = "carolpw",
                                    .proxy = "example.test:5061",
                                    .profile = l->alice.profile};
    secsip_account *a = NULL;
    secsip_result r = secsip_account_new(simnet_stack(l->alice.host), &config, NULL, NULL, &a);

    assert_int_equal(r, test_oom_has_failed() ? SECSIP_E_NOMEM : 0);
    assert_true((r == 0) == (a != NULL));
    secsip_account_unref(a);
}

static void each_allocation_of_an_account_fails_once(void **state)
{
    static struct lab l;

    (void)state;
    lab_start(&l, LAB_SERVER);
    lab_phone(&l, &l.alice, "alice", NULL);
    assert_true(test_oom_each(make_account, &l) > 8);
    lab_stop(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_of_an_account_fails_once),
        cmocka_unit_test(each_allocation_of_a_call_fails_once),
        cmocka_unit_test(each_allocation_of_a_cancelled_call_fails_once),
        cmocka_unit_test(each_allocation_of_a_call_over_udp_fails_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
