/* Two transaction layers over a network that loses, doubles and reorders datagrams: the server's user sees each request
 * once, the client's user gets one final response or, seldom, a timeout, and all transactions end. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "seed.h"
#include "txn_sim.h"

enum {
    N_REQUESTS = 60,
    MAX_DELAY_MS = 400,
};

struct datagram {
    struct ssi_timer timer;
    struct sim_flow *to;
    size_t len;
    char bytes[SIM_TEXT];
};

static struct sim client;
static struct sim server;
static uint64_t seed;
static uint32_t loss_percent;
static int32_t n_flying;
static uint32_t n_seen[N_REQUESTS]; /* requests as the server's user saw them */
static int final_status;            /* what the server answers with */

static void deliver(void *arg)
{
    struct datagram *d = arg;
    struct ssi_sip_msg *m;

    assert_int_equal(ssi_sip_msg_parse(d->bytes, d->len, false, NULL, NULL, &m), 0);
    ssi_txn_input(&d->to->sim->layer, m, &d->to->base, "192.0.2.1", 5060);
    ssi_sip_msg_unref(m);
    n_flying--;
    free(d);
}

static void fly(struct sim_flow *to, struct ssi_slice bytes)
{
    struct datagram *d = calloc(1, sizeof *d);

    assert_non_null(d);
    assert_true(bytes.len <= sizeof d->bytes);
    memcpy(d->bytes, bytes.p, bytes.len);
    d->len = bytes.len;
    d->to = to;
    ssi_timer_init(&d->timer, deliver, d);
    ssi_timer_arm(client.layer.timers, &d->timer, SSI_MS(test_below(&seed, MAX_DELAY_MS)));
    n_flying++;
}

static void send_maybe(struct sim_flow *f, struct ssi_slice bytes)
{
    struct sim_flow *to = f->sim == &client ? &server.flow : &client.flow;

    if (test_below(&seed, 100) >= loss_percent)
        fly(to, bytes);
    if (test_below(&seed, 100) < 10)
        fly(to, bytes);
}

/* The server's user: rings, and answers. */
static void answer(struct sim *s, struct ssi_txn *t, const char *word)
{
    uint64_t n;

    if (!t || (strcmp(word, "INVITE") != 0 && strcmp(word, "MESSAGE") != 0))
        return;
    struct ssi_slice branch = ssi_txn_request(t)->via.branch;
    assert_true(ssi_slice_to_u64(ssi_slice_from(branch, strlen("z9hG4bK")), N_REQUESTS - 1, &n));
    n_seen[n]++;
    if (t->kind == SSI_TXN_IST && test_below(&seed, 2))
        sim_respond(s, t, 180);
    sim_respond(s, t, final_status);
    s->events[0] = '\0';
}

static void run_all(void)
{
    while (!ssi_list_empty(&client.layer.all) || !ssi_list_empty(&server.layer.all) ||
           n_flying > 0) {
        uint64_t next = ssi_timers_next(client.layer.timers);
        assert_true(next != SSI_NEVER);
        ssi_timers_advance(client.layer.timers, next, 1);
    }
}

/* Returns how many client transactions ended in a timeout. */
static uint32_t run_network(const char *method, int status, uint32_t percent)
{
    char branch[32];
    uint32_t n_timeouts = 0;

    loss_percent = percent;
    final_status = status;
    memset(n_seen, 0, sizeof n_seen);
    sim_init(&client, NULL, false);
    sim_init(&server, &(struct ssi_txn_config){.allow_merged = true}, false);
    server.layer.timers = &client.timers; /* one clock */
    client.flow.on_send = server.flow.on_send = send_maybe;
    server.hook = answer;
    for (unsigned i = 0; i < N_REQUESTS; i++) {
        snprintf(branch, sizeof branch, "z9hG4bK%u", i);
        sim_client(&client, &client.flow, method, branch);
    }
    run_all();
    assert_int_equal(client.n_finals, N_REQUESTS);
    assert_int_equal(client.n_gone, N_REQUESTS);
    for (const char *p = client.events; (p = strstr(p, "failed-700")); p++)
        n_timeouts++;
    for (unsigned i = 0; i < N_REQUESTS; i++)
        assert_in_range(n_seen[i], 0, 1);
    sim_free(&client);
    sim_free(&server);
    return n_timeouts;
}

static void each_request_is_seen_once_and_answered_once(void **state)
{
    (void)state;
    static const char *const methods[] = {"INVITE", "MESSAGE"};

    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 2; i++) {
            uint32_t n_timeouts = run_network(methods[i], 486, 20);
            /* All of at least seven requests, or of their responses, would have to be lost. */
            assert_in_range(n_timeouts, 0, 2);
        }
    }
}

static void without_loss_nothing_times_out(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++) {
        assert_int_equal(run_network("INVITE", 486, 0), 0);
        assert_int_equal(run_network("MESSAGE", 200, 0), 0);
    }
}

static void when_all_is_lost_all_time_out(void **state)
{
    (void)state;
    loss_percent = 100;
    sim_init(&client, NULL, false);
    sim_client(&client, &client.flow, "INVITE", "z9hG4bK1");
    sim_client(&client, &client.flow, "MESSAGE", "z9hG4bK2");
    sim_run(&client, 32000);
    sim_expect(&client, "failed-700 gone failed-700 gone");
    sim_free(&client);
}

int main(void)
{
    seed = test_seed();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_request_is_seen_once_and_answered_once),
        cmocka_unit_test(without_loss_nothing_times_out),
        cmocka_unit_test(when_all_is_lost_all_time_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
