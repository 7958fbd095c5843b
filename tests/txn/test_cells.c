/* Every cell of every table: each state is reached by messages, each event is given to it, and what comes out is compared
 * with a list that was written from the RFCs and not from the tables. */
#include "test.h"

#include <stdio.h>

#include "txn_sim.h"

/* "next state, number of sends, what the user is told"; "over" is the end. In the order of enum ssi_txn_event. */
struct expected {
    enum ssi_txn_kind kind;
    enum ssi_txn_state state;
    const char *cells[SSI_TXN_EVENTS];
};

static const struct expected all_expected[] = {
    {SSI_TXN_ICT,
     SSI_TXN_CALLING,
     {"Calling 1", "over 0 failed-700 gone", "over 0 failed-706 gone", "Proceeding 0 180",
      "Accepted 0 200", "Completed 1 486", "Calling 0", "Calling 0"}},
    {SSI_TXN_ICT,
     SSI_TXN_PROCEEDING,
     {"Proceeding 0", "Proceeding 0", "over 0 failed-706 gone", "Proceeding 0 180",
      "Accepted 0 200", "Completed 1 486", "Proceeding 1", "over 0 failed-700 gone"}},
    {SSI_TXN_ICT,
     SSI_TXN_COMPLETED,
     {"Completed 0", "over 0 gone", "over 0 gone", "Completed 0", "Completed 0", "Completed 1",
      "Completed 0", "Completed 0"}},
    {SSI_TXN_ICT,
     SSI_TXN_ACCEPTED,
     {"Accepted 0", "over 0 gone", "over 0 gone", "Accepted 0", "Accepted 0 200", "Accepted 0",
      "Accepted 0", "Accepted 0"}},
    {SSI_TXN_NICT,
     SSI_TXN_TRYING,
     {"Trying 1", "over 0 failed-700 gone", "over 0 failed-706 gone", "Proceeding 0 180",
      "Completed 0 200", "Completed 0 486", "Trying 0", "Trying 0"}},
    {SSI_TXN_NICT,
     SSI_TXN_PROCEEDING,
     {"Proceeding 1", "over 0 failed-700 gone", "over 0 failed-706 gone", "Proceeding 0 180",
      "Completed 0 200", "Completed 0 486", "Proceeding 0", "Proceeding 0"}},
    {SSI_TXN_NICT,
     SSI_TXN_COMPLETED,
     {"Completed 0", "over 0 gone", "over 0 gone", "Completed 0", "Completed 0", "Completed 0",
      "Completed 0", "Completed 0"}},
    {SSI_TXN_IST,
     SSI_TXN_PROCEEDING,
     {"Proceeding 1", "Proceeding 0", "over 0 failed-706 gone", "Proceeding 1", "Proceeding 0",
      "Proceeding 1", "Accepted 1", "Completed 1"}},
    {SSI_TXN_IST,
     SSI_TXN_COMPLETED,
     {"Completed 1", "over 0 failed-700 gone", "over 0 failed-706 gone", "Completed 1",
      "Confirmed 0 ack", "Completed 0 refused", "Completed 0 refused", "Completed 0 refused"}},
    {SSI_TXN_IST,
     SSI_TXN_CONFIRMED,
     {"Confirmed 0", "over 0 gone", "over 0 gone", "Confirmed 0", "Confirmed 0",
      "Confirmed 0 refused", "Confirmed 0 refused", "Confirmed 0 refused"}},
    {SSI_TXN_IST,
     SSI_TXN_ACCEPTED,
     {"Accepted 0", "over 0 gone", "over 0 failed-706 gone", "Accepted 0", "Accepted 0 ACK",
      "Accepted 0 refused", "Accepted 1", "Accepted 0 refused"}},
    {SSI_TXN_NIST,
     SSI_TXN_TRYING,
     {"Proceeding 1", "over 0 failed-700 gone", "over 0 failed-706 gone", "Trying 0", "Trying 0",
      "Proceeding 1", "Completed 1", "Completed 1"}},
    {SSI_TXN_NIST,
     SSI_TXN_PROCEEDING,
     {"Proceeding 0", "over 0 failed-700 gone", "over 0 failed-706 gone", "Proceeding 1",
      "Proceeding 0", "Proceeding 1", "Completed 1", "Completed 1"}},
    {SSI_TXN_NIST,
     SSI_TXN_COMPLETED,
     {"Completed 0", "over 0 gone", "over 0 gone", "Completed 1", "Completed 0",
      "Completed 0 refused", "Completed 0 refused", "Completed 0 refused"}},
};

static const char branch[] = "z9hG4bKcell";

static const char *method_of(enum ssi_txn_kind kind)
{
    return kind == SSI_TXN_ICT || kind == SSI_TXN_IST ? "INVITE" : "OPTIONS";
}

static struct ssi_txn *reach_client(struct sim *s, enum ssi_txn_kind kind, enum ssi_txn_state state)
{
    const char *method = method_of(kind);
    struct ssi_txn *t = sim_client(s, &s->flow, method, branch);

    if (state == SSI_TXN_PROCEEDING)
        sim_response(s, &s->flow, 100, method, branch);
    else if (state == SSI_TXN_COMPLETED)
        sim_response(s, &s->flow, 404, method, branch);
    else if (state == SSI_TXN_ACCEPTED)
        sim_response(s, &s->flow, 200, method, branch);
    return t;
}

static struct ssi_txn *reach_server(struct sim *s, enum ssi_txn_kind kind, enum ssi_txn_state state)
{
    sim_request_in(s, &s->flow, method_of(kind), branch, "");
    struct ssi_txn *t = s->server;

    if (state == SSI_TXN_PROCEEDING)
        sim_respond(s, t, 100);
    else if (state == SSI_TXN_COMPLETED || state == SSI_TXN_CONFIRMED)
        sim_respond(s, t, 404);
    else if (state == SSI_TXN_ACCEPTED)
        sim_respond(s, t, 200);
    if (state == SSI_TXN_CONFIRMED)
        sim_request_in(s, &s->flow, "ACK", branch, "");
    return t;
}

static secsip_result fire_client(struct sim *s, struct ssi_txn *t, enum ssi_txn_event event)
{
    const char *method = method_of(t->kind);

    switch (event) {
    case SSI_TXN_RX_1XX:
        sim_response(s, &s->flow, 180, method, branch);
        return 0;
    case SSI_TXN_RX_2XX:
        sim_response(s, &s->flow, 200, method, branch);
        return 0;
    case SSI_TXN_RX_REFUSAL:
        sim_response(s, &s->flow, 486, method, branch);
        return 0;
    default:
        return ssi_txn_step(t, event, &(struct ssi_txn_in){.why = SECSIP_E_UA_TRANSACTION_TIMEOUT});
    }
}

static secsip_result fire_server(struct sim *s, struct ssi_txn *t, enum ssi_txn_event event)
{
    struct ssi_sip_msg *ack;
    secsip_result r;

    switch (event) {
    case SSI_TXN_RX_REQUEST:
        sim_request_in(s, &s->flow, method_of(t->kind), branch, "");
        return 0;
    case SSI_TXN_RX_ACK:
        /* Past the matching, which gives no ACK to other requests than INVITE. */
        ack = sim_request("ACK", branch, "");
        r = ssi_txn_step(t, event, &(struct ssi_txn_in){.m = ack, .flow = &s->flow.base});
        ssi_sip_msg_unref(ack);
        return r;
    case SSI_TXN_TU_1XX:
        return ssi_txn_respond_status(t, t->kind == SSI_TXN_IST ? 180 : 100, NULL);
    case SSI_TXN_TU_2XX:
        return ssi_txn_respond_status(t, 200, NULL);
    case SSI_TXN_TU_REFUSAL:
        return ssi_txn_respond_status(t, 486, NULL);
    default:
        return ssi_txn_step(t, event, &(struct ssi_txn_in){.why = SECSIP_E_UA_TRANSACTION_TIMEOUT});
    }
}

static void try_cell(const struct expected *e, enum ssi_txn_event event)
{
    static struct sim s;
    char got[SIM_EVENTS + 64];
    bool is_client = ssi_txn_machines[e->kind].is_client;

    sim_init(&s, NULL, true);
    struct ssi_txn *t =
        is_client ? reach_client(&s, e->kind, e->state) : reach_server(&s, e->kind, e->state);
    assert_int_equal(t->kind, e->kind);
    assert_int_equal(t->state, e->state);
    uint32_t n_sent = s.flow.n_sent;
    uint32_t n_gone = s.n_gone;
    s.events[0] = '\0';
    secsip_result r = 0;
    if (event == SSI_TXN_FLOW_LOST)
        ssi_txn_flow_failed(&s.layer, &s.flow.base, SECSIP_E_UA_FLOW_FAILED);
    else
        r = is_client ? fire_client(&s, t, event) : fire_server(&s, t, event);
    bool is_over = s.n_gone != n_gone;
    snprintf(got, sizeof got, "%s %u%s%s%s",
             is_over ? "over" : ssi_txn_machines[e->kind].rows[t->state].name,
             s.flow.n_sent - n_sent, s.events[0] ? " " : "", s.events,
             r == SECSIP_E_STATE ? " refused" : "");
    size_t len = strlen(got);
    if (got[len - 1] == ' ')
        got[len - 1] = '\0';
    if (strcmp(got, e->cells[event]) != 0)
        fail_msg("%s, %s, %s: expected \"%s\", got \"%s\"", ssi_txn_machines[e->kind].name,
                 ssi_txn_machines[e->kind].rows[e->state].name,
                 ssi_txn_event_name(is_client, event), e->cells[event], got);
    assert_true(s.visits[e->kind][e->state][event] > 0);
    sim_free(&s);
}

static void every_cell_does_what_the_rfcs_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof all_expected / sizeof all_expected[0]; i++) {
        for (int event = 0; event < SSI_TXN_EVENTS; event++)
            try_cell(&all_expected[i], (enum ssi_txn_event)event);
    }
}

static void the_list_above_knows_every_state(void **state)
{
    (void)state;
    size_t n = 0;

    for (int kind = 0; kind < SSI_TXN_KINDS; kind++) {
        for (int st = 0; st < SSI_TXN_STATES; st++) {
            const struct ssi_txn_row *row = &ssi_txn_machines[kind].rows[st];
            if (!row->name)
                continue;
            bool found = false;
            for (size_t i = 0; i < sizeof all_expected / sizeof all_expected[0]; i++)
                found |= (int)all_expected[i].kind == kind && (int)all_expected[i].state == st;
            assert_true(found);
            n++;
        }
    }
    assert_int_equal(n, sizeof all_expected / sizeof all_expected[0]);
}

static void tables_hold_together(void **state)
{
    (void)state;
    for (int kind = 0; kind < SSI_TXN_KINDS; kind++) {
        const struct ssi_txn_machine *machine = &ssi_txn_machines[kind];
        assert_non_null(machine->rows[machine->first].name);
        for (int st = 0; st < SSI_TXN_STATES; st++) {
            const struct ssi_txn_row *row = &machine->rows[st];
            for (int event = 0; row->name && event < SSI_TXN_EVENTS; event++) {
                const struct ssi_txn_cell *cell = &row->cells[event];
                assert_non_null(cell->rule);
                assert_true(cell->next == SSI_TXN_TERMINATED || machine->rows[cell->next].name);
            }
            if (!row->name)
                continue;
            /* A timer that does not run changes nothing, a lost flow always ends it. */
            if (row->repeat == SSI_TXN_T_NONE)
                assert_int_equal(row->cells[SSI_TXN_REPEAT].actions[0], SSI_TXN_DO_NOTHING);
            if (row->expire == SSI_TXN_T_NONE)
                assert_int_equal(row->cells[SSI_TXN_EXPIRE].next, st);
            assert_int_equal(row->cells[SSI_TXN_FLOW_LOST].next, SSI_TXN_TERMINATED);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_does_what_the_rfcs_say),
        cmocka_unit_test(the_list_above_knows_every_state),
        cmocka_unit_test(tables_hold_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
