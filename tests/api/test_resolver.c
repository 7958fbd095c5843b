/* A resolver of the application's own: what it is asked, when it may answer, what of its answers is believed. */
#include "test.h"

#include "phone.h"

enum {
    MAX_ASKED = 16
};

static struct lab l;
static struct {
    secsip_query *open[MAX_ASKED];
    int32_t type[MAX_ASKED];
    size_t n_asked, n_cancelled;
    bool at_once, refuses;
} w;

static const secsip_dns_record address = {
    .size = sizeof address, .type = SECSIP_DNS_A, .ttl_s = 60, .address = "10.0.0.9"};
static const secsip_dns_record service = {.size = sizeof service,
                                          .type = SECSIP_DNS_SRV,
                                          .ttl_s = 60,
                                          .priority = 1,
                                          .port = 5061,
                                          .target = "own.elsewhere.test."};
/* None of these is an answer to anything. */
static const secsip_dns_record rubbish[] = {
    {.size = sizeof address, .type = SECSIP_DNS_A, .address = "fd00::9"},
    {.size = sizeof address, .type = SECSIP_DNS_A, .address = "10.0.0.9.9"},
    {.size = sizeof address, .type = SECSIP_DNS_A},
    {.size = sizeof address, .type = SECSIP_DNS_SRV, .port = 65536, .target = "x.test"},
    {.size = 4, .type = SECSIP_DNS_A, .address = "10.0.0.9"},
};

static void answer(secsip_query *q, int32_t type)
{
    if (type == SECSIP_DNS_A)
        secsip_query_answer(q, 0, &address, 1);
    else if (type == SECSIP_DNS_SRV)
        secsip_query_answer(q, 0, &service, 1);
    else
        secsip_query_answer(q, SECSIP_E_NET_RESOLVE, NULL, 0);
}

static secsip_result resolve(secsip_query *q, int32_t type, const char *name, void *arg)
{
    assert_ptr_equal(arg, &w);
    assert_true(w.n_asked < MAX_ASKED);
    if (w.refuses)
        return SECSIP_E_UNSUPPORTED;
    if (type != SECSIP_DNS_A && type != SECSIP_DNS_AAAA)
        assert_string_equal(name,
                            type == SECSIP_DNS_SRV ? "_sips._tcp.example.test" : "example.test");
    else if (w.at_once)
        assert_string_equal(name,
                            "own.elsewhere.test"); /* else the domain, where nobody says more */
    secsip_query_set_data(q, &w.type[w.n_asked]);
    w.type[w.n_asked] = type;
    w.open[w.n_asked++] = q;
    if (w.at_once)
        answer(q, type);
    return 0;
}

static void cancel(secsip_query *q, void *arg)
{
    assert_ptr_equal(arg, &w);
    assert_non_null(secsip_query_get_data(q));
    w.n_cancelled++;
}

static const secsip_resolver resolver = {sizeof resolver, resolve, cancel};

static void start(void)
{
    memset(&w, 0, sizeof w);
    lab_start(&l, LAB_SERVER);
    lab_phone(&l, &l.alice, "alice", NULL);
    assert_int_equal(secsip_stack_set_resolver(simnet_stack(l.alice.host), &resolver, &w), 0);
    assert_int_equal(secsip_account_register(l.alice.account), 0);
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

static void it_may_answer_at_once(void **state)
{
    (void)state;
    memset(&w, 0, sizeof w);
    lab_start(&l, LAB_SERVER);
    lab_phone(&l, &l.alice, "alice", NULL);
    assert_int_equal(secsip_stack_set_resolver(simnet_stack(l.alice.host), &resolver, &w), 0);
    w.at_once = true;
    assert_int_equal(secsip_account_register(l.alice.account), 0);
    assert_true(simnet_run(l.net, 5000000, alice_registered, NULL));
    assert_int_equal(w.n_asked, 4); /* NAPTR, SRV, AAAA, A */
    assert_int_equal(simnet_n_asked(l.net), 0);
    assert_int_equal(w.n_cancelled, 0);
    lab_stop(&l);
}

static void it_may_answer_later_and_in_any_order(void **state)
{
    (void)state;
    start();
    for (size_t done = 0; done < w.n_asked;) {
        size_t n = w.n_asked;
        for (size_t i = n; i-- > done;) /* the last one first */
            answer(w.open[i], w.type[i]);
        done = n;
        simnet_run(l.net, 1000000, NULL, NULL);
    }
    assert_true(alice_registered(NULL));
    lab_stop(&l);
}

static void rubbish_is_passed_over(void **state)
{
    (void)state;
    start();
    answer(w.open[0], SECSIP_DNS_NAPTR);
    simnet_run(l.net, 100000, NULL, NULL);
    answer(w.open[1], SECSIP_DNS_SRV);
    simnet_run(l.net, 100000, NULL, NULL);
    for (size_t i = 2; i < 4; i++)
        secsip_query_answer(w.open[i], 0, rubbish, sizeof rubbish / sizeof *rubbish);
    assert_true(simnet_run(l.net, 1000000, alice_failed, NULL));
    assert_int_equal(l.alice.reg_result, SECSIP_E_NET_RESOLVE);
    assert_non_null(strstr(l.alice.reg_text, "example.test"));
    lab_stop(&l);
}

static void a_silent_one_is_given_up_and_a_refusing_one_is_an_error(void **state)
{
    (void)state;
    start();
    assert_true(simnet_run(l.net, 70000000, alice_failed, NULL));
    assert_int_equal(l.alice.reg_result, SECSIP_E_NET_DNS);
    assert_int_equal(w.n_cancelled, w.n_asked);
    w.refuses = true;
    l.alice.reg_state = 0;
    assert_true(simnet_run(l.net, 200000000, alice_failed, NULL));
    assert_true(l.alice.reg_result < 0);
    lab_stop(&l);
}

/* RFC 2308: a refusal holds as long as its SOA says. */
static void it_says_how_long_a_refusal_holds(void **state)
{
    static const secsip_dns_record soa = {.size = sizeof soa, .type = SECSIP_DNS_SOA, .ttl_s = 2};

    (void)state;
    start();
    for (size_t i = 0; i < w.n_asked; i++) { /* each makes the next one be asked */
        secsip_query_answer(w.open[i], SECSIP_E_NET_RESOLVE, &soa, 1);
        simnet_run(l.net, 100000, NULL, NULL);
    }
    assert_int_equal(l.alice.reg_state, SECSIP_REGISTRATION_FAILED);
    size_t before = w.n_asked;
    assert_true(before >= 3);
    lab_call(&l, &l.alice, "sip:bob@example.test");
    simnet_run(l.net, 100000, NULL, NULL);
    assert_int_equal(l.alice.call_result, SECSIP_E_NET_RESOLVE);
    assert_int_equal(w.n_asked, before);
    secsip_call_unref(l.alice.call);
    simnet_run(l.net, 2000000, NULL, NULL);
    lab_call(&l, &l.alice, "sip:bob@example.test");
    simnet_run(l.net, 100000, NULL, NULL);
    assert_int_equal(w.n_asked, before + 1);
    lab_stop(&l);
}

static void it_is_set_with_care(void **state)
{
    secsip_resolver r = resolver;

    (void)state;
    start(); /* one look-up is under way */
    secsip_stack *s = simnet_stack(l.alice.host);
    assert_int_equal(secsip_stack_set_resolver(s, &resolver, &w), SECSIP_E_STATE);
    assert_int_equal(secsip_stack_set_resolver(NULL, &resolver, &w), SECSIP_E_INVALID);
    assert_int_equal(secsip_stack_set_resolver(s, NULL, &w), SECSIP_E_INVALID);
    r.cancel = NULL;
    assert_int_equal(secsip_stack_set_resolver(s, &r, &w), SECSIP_E_INVALID);
    r.size = 8;
    assert_int_equal(secsip_stack_set_resolver(s, &r, &w), SECSIP_E_ABI);
    lab_stop(&l); /* what is open is cancelled */
    assert_true(w.n_cancelled > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_may_answer_at_once),
        cmocka_unit_test(it_may_answer_later_and_in_any_order),
        cmocka_unit_test(rubbish_is_passed_over),
        cmocka_unit_test(a_silent_one_is_given_up_and_a_refusing_one_is_an_error),
        cmocka_unit_test(it_says_how_long_a_refusal_holds),
        cmocka_unit_test(it_is_set_with_care),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
