/* Random scripts and failing allocations: whatever happens, each client transaction ends in one final callback, each
 * transaction is gone once, and nothing is left. */
#include "test.h"

#include <stdio.h>

#include "oom.h"
#include "seed.h"
#include "txn_sim.h"

static struct sim s;

enum {
    TXNS = 12
};

/* What was seen of one client transaction. */
struct seen {
    struct ssi_txn *t;
    uint32_t n_finals; /* 2xx after the first are no finals */
    uint32_t n_gone;
    bool is_dropped;
    bool is_invite;
};

static struct seen seen[4096];
static uint32_t n_seen;
static uint64_t seed;

static struct seen *find(struct ssi_txn *t)
{
    for (uint32_t i = n_seen; i-- > 0;) {
        if (seen[i].t == t && seen[i].n_gone == 0)
            return &seen[i];
    }
    return NULL;
}

static void drop(struct ssi_txn *t)
{
    struct seen *it = find(t);
    if (it)
        it->is_dropped = true;
    ssi_txn_drop(t);
}

static void watch(struct sim *sim, struct ssi_txn *t, const char *word)
{
    struct seen *it = t ? find(t) : NULL;

    (void)sim;
    if (it && strcmp(word, "gone") == 0) {
        it->n_gone++;
        it->t = NULL;
        return;
    }
    if (it && (strncmp(word, "failed", 6) == 0 || word[0] >= '2')) {
        if (!(it->n_finals > 0 && word[0] == '2' && it->is_invite))
            it->n_finals++;
    }
    if (t && strcmp(word, "gone") != 0 && test_below(&seed, 16) == 0)
        drop(t);
}

static const char *const methods[] = {"INVITE", "OPTIONS", "MESSAGE"};
static const int statuses[] = {100, 180, 183, 200, 202, 302, 401, 486, 487, 503, 603};

static void random_step(struct sim_flow *f)
{
    char branch[32];
    const char *method = methods[test_below(&seed, 3)];
    struct ssi_txn *t = NULL;

    snprintf(branch, sizeof branch, "z9hG4bK%u", test_below(&seed, TXNS));
    if (!ssi_list_empty(&s.layer.all))
        t = SSI_CONTAINER(test_below(&seed, 2) ? s.layer.all.next : s.layer.all.prev,
                          struct ssi_txn, in_all);
    switch (test_below(&seed, 14)) {
    case 0:
    case 1:
        t = sim_client(&s, f, method, branch);
        assert_true(n_seen < 4096);
        if (t) {
            seen[n_seen++] = (struct seen){.t = t, .is_invite = method == methods[0]};
            if (test_below(&seed, 3) == 0 && t->kind == SSI_TXN_ICT)
                ssi_txn_client_use_timer_c(t);
        }
        break;
    case 2:
    case 3:
    case 4:
        sim_response(&s, f, statuses[test_below(&seed, 11)],
                     test_below(&seed, 8) ? method : "CANCEL", branch);
        break;
    case 5:
    case 6:
        sim_request_in(&s, f, method, branch, "");
        break;
    case 7:
        sim_request_in(&s, f, test_below(&seed, 2) ? "ACK" : "CANCEL", branch, "");
        break;
    case 8:
    case 9:
        if (t && !ssi_txn_is_client(t))
            ssi_txn_respond_status(t, statuses[test_below(&seed, 11)], NULL);
        break;
    case 10:
        if (t && ssi_txn_is_client(t))
            ssi_txn_client_cancel(t);
        break;
    case 11:
        if (t && test_below(&seed, 4) == 0)
            drop(t);
        else if (test_below(&seed, 20) == 0)
            ssi_txn_flow_failed(&s.layer, &f->base, SECSIP_E_UA_FLOW_FAILED);
        break;
    default:
        sim_run(&s, test_below(&seed, 3) ? test_below(&seed, 700) : test_below(&seed, 60000));
        break;
    }
}

static void run_script(uint32_t n_steps)
{
    n_seen = 0;
    if (sim_init(&s, NULL, test_below(&seed, 2)) < 0)
        return;
    s.hook = watch;
    s.events[0] = '\0';
    for (uint32_t i = 0; i < n_steps; i++) {
        random_step(test_below(&seed, 3) ? &s.flow : &s.other);
        s.events[0] = '\0';
    }
    /* Everything but INVITE servers without an answer and INVITE clients that ring ends by itself. */
    while (!ssi_list_empty(&s.layer.all)) {
        sim_run(&s, 400000);
        if (!ssi_list_empty(&s.layer.all))
            drop(SSI_CONTAINER(s.layer.all.next, struct ssi_txn, in_all));
    }
    for (uint32_t i = 0; i < n_seen; i++) {
        assert_int_equal(seen[i].n_gone, 1);
        assert_true(seen[i].n_finals == 1 || (seen[i].is_dropped && seen[i].n_finals <= 1));
    }
    sim_free(&s);
}

static void random_scripts_end_each_transaction_once(void **state)
{
    (void)state;
    for (int i = 0; i < 300; i++)
        run_script(400);
}

static void all_sides(void *arg)
{
    (void)arg;
    if (sim_init(&s, NULL, false) < 0)
        return;
    struct ssi_txn *t = sim_client(&s, &s.flow, "INVITE", "z9hG4bKa");
    if (t)
        ssi_txn_client_cancel(t);
    sim_response(&s, &s.flow, 180, "INVITE", "z9hG4bKa");
    sim_response(&s, &s.flow, 487, "INVITE", "z9hG4bKa");
    sim_response(&s, &s.flow, 487, "INVITE", "z9hG4bKa");
    t = sim_client(&s, &s.flow, "INVITE", "z9hG4bKb");
    if (t)
        ssi_txn_client_use_timer_c(t);
    sim_response(&s, &s.flow, 180, "INVITE", "z9hG4bKb");
    sim_request_in(&s, &s.flow, "INVITE", "z9hG4bKc", "");
    sim_run(&s, 300);
    sim_request_in(&s, &s.flow, "CANCEL", "z9hG4bKc", "");
    /* A response that finds no memory changes nothing: the user may try again. */
    if (s.server && sim_respond(&s, s.server, 487) < 0)
        assert_int_equal(sim_respond(&s, s.server, 487), 0);
    sim_request_in(&s, &s.flow, "ACK", "z9hG4bKc", "");
    sim_request_in(&s, &s.flow, "OPTIONS", "z9hG4bKc", "");
    sim_run(&s, 400000);
    assert_int_equal(s.layer.n_live, 0);
    sim_free(&s);
}

static void failing_allocations_lose_no_transaction(void **state)
{
    (void)state;
    assert_true(test_oom_each(all_sides, NULL) > 20);
}

static void a_refusal_without_memory_for_its_ack_is_acknowledged_the_next_time(void **state)
{
    (void)state;
    sim_init(&s, NULL, false);
    sim_client(&s, &s.flow, "INVITE", "z9hG4bKa");
    struct ssi_sip_msg *m = sim_parse(
        "SIP/2.0 486 Busy Here\nVia: SIP/2.0/TLS client.example.com:5061;branch=z9hG4bKa\n"
        "From: <sip:alice@example.com>;tag=f\nTo: <sip:bob@example.com>;tag=t\n"
        "Call-ID: call\nCSeq: 1 INVITE\n");
    test_oom_fail_next();
    ssi_txn_input(&s.layer, m, &s.flow.base, "192.0.2.1", 5061);
    assert_int_equal(s.flow.n_sent, 1);
    sim_expect(&s, "486");
    ssi_txn_input(&s.layer, m, &s.flow.base, "192.0.2.1", 5061);
    assert_int_equal(s.flow.n_sent, 2);
    assert_memory_equal(sim_sent(&s.flow, 1), "ACK ", 4);
    ssi_sip_msg_unref(m);
    sim_free(&s);
}

static void a_non_invite_server_transaction_takes_at_most_four_allocations(void **state)
{
    (void)state;
    sim_init(&s, NULL, true);
    struct ssi_sip_msg *m = sim_request("MESSAGE", "z9hG4bKa", "");
    test_oom_count_start();
    ssi_txn_input(&s.layer, m, &s.flow.base, "192.0.2.1", 5061);
    sim_respond(&s, s.server, 200);
    assert_in_range(test_oom_count(), 1, 4);
    ssi_sip_msg_unref(m);
    assert_in_range(sizeof(struct ssi_txn), 1, 1024);
    sim_free(&s);
}

int main(void)
{
    seed = test_seed();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_scripts_end_each_transaction_once),
        cmocka_unit_test(failing_allocations_lose_no_transaction),
        cmocka_unit_test(a_refusal_without_memory_for_its_ack_is_acknowledged_the_next_time),
        cmocka_unit_test(a_non_invite_server_transaction_takes_at_most_four_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
