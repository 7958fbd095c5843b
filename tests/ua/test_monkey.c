/* Random calls of the public interface, inside callbacks and outside, over a network that loses, damages and breaks. Nothing
 * crashes (under ASan), every call ends exactly once, nothing is told after the last reference went, and stacks come to rest. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "phone.h"
#include "seed.h"

enum {
    CALLS = 6,
    ROUNDS = 8,
    STEPS = 200,
    SLOTS = 20000,
};

struct monkey;

/* One call and what it told. */
struct slot {
    struct monkey *owner;
    secsip_call *call;
    int n_ended;
    bool dropped; /* our last reference went: nothing may be told any more */
    bool failed;  /* secsip_call_new refused it */
};

struct monkey {
    struct simnet_host *host;
    secsip_account *account;
    secsip_tls_profile *profile;
    struct slot *calls[CALLS];
    const char *user, *friend;
};

static uint64_t rng;
static struct lab lab;
static struct monkey monkeys[2];
static struct slot *slots[SLOTS];
static size_t n_slots;
static bool resting;

static void act(struct monkey *m, struct slot *here);

static uint32_t below(uint32_t n)
{
    return test_below(&rng, n);
}

static struct slot *new_slot(struct monkey *m)
{
    struct slot *s = calloc(1, sizeof *s);

    assert_non_null(s);
    assert_true(n_slots < SLOTS);
    s->owner = m;
    slots[n_slots++] = s;
    return s;
}

static void on_state(secsip_call *c, const secsip_call_event *e, void *arg)
{
    struct slot *s = arg;

    (void)c;
    assert_false(s->dropped);
    assert_int_equal(s->n_ended, 0);
    s->n_ended += e->state == SECSIP_CALL_ENDED;
    if (below(3) == 0)
        act(s->owner, s);
}

static void on_media(secsip_call *c, const secsip_media_info *media, void *arg)
{
    struct slot *s = arg;

    (void)c;
    (void)media;
    assert_false(s->dropped);
    if (below(4) == 0)
        act(s->owner, s);
}

static void on_audio(secsip_call *c, const int16_t *samples, size_t n, uint32_t timestamp,
                     void *arg)
{
    struct slot *s = arg;

    (void)c;
    (void)samples;
    (void)n;
    (void)timestamp;
    assert_false(s->dropped);
    if (below(150) == 0)
        act(s->owner, s);
}

static void on_audio_wanted(secsip_call *c, int16_t *samples, size_t n, void *arg)
{
    struct slot *s = arg;

    (void)c;
    (void)samples;
    (void)n;
    assert_false(s->dropped);
    if (below(150) == 0)
        act(s->owner, s);
}

static const secsip_call_callbacks call_callbacks = {
    .size = sizeof call_callbacks,
    .on_state = on_state,
    .on_media = on_media,
    .on_audio = on_audio,
    .on_audio_wanted = on_audio_wanted,
};

static void on_registration(secsip_account *a, const secsip_registration_event *e, void *arg)
{
    (void)a;
    (void)e;
    if (below(3) == 0)
        act(arg, NULL);
}

static void decide(secsip_call *c)
{
    switch (below(5)) {
    case 0:
        secsip_call_ring(c);
        break;
    case 1:
    case 2:
        secsip_call_answer(c);
        break;
    case 3:
        secsip_call_reject(c, 486);
        break;
    default:
        break; /* later, or never */
    }
}

static void on_incoming_call(secsip_account *a, secsip_call *c, void *arg)
{
    struct monkey *m = arg;

    (void)a;
    for (int i = 0; i < CALLS; i++)
        if (!m->calls[i]) {
            struct slot *s = m->calls[i] = new_slot(m);
            s->call = secsip_call_ref(c);
            secsip_call_set_callbacks(c, &call_callbacks, s);
            break;
        }
    decide(c);
}

static void open_account(struct monkey *m)
{
    static const secsip_account_callbacks callbacks = {.size = sizeof callbacks,
                                                       .on_registration = on_registration,
                                                       .on_incoming_call = on_incoming_call};
    char aor[64], password[64];
    secsip_account_config c = {
        .size = sizeof c, .aor = aor, .password = password, .profile = m->profile};

    snprintf(aor, sizeof aor, "sip:%s@example.test", m->user);
    snprintf(password, sizeof password, "%s%s", m->user, below(12) ? "pw" : " is wrong");
    assert_int_equal(secsip_account_new(simnet_stack(m->host), &c, &callbacks, m, &m->account), 0);
}

static void call_somebody(struct monkey *m, int i)
{
    const char *targets[] = {m->friend,
                             m->friend,
                             "sip:nobody@example.test",
                             "sip:x@10.9.9.9",
                             "sip:x@nowhere.test",
                             "sips:bob@example.test"};
    struct slot *s = new_slot(m);

    m->calls[i] = s;
    s->failed = secsip_call_new(m->account, targets[below(6)], &call_callbacks, s, &s->call) < 0;
    if (s->failed)
        m->calls[i] = NULL;
}

static void drop_call(struct monkey *m, int i)
{
    struct slot *s = m->calls[i];

    m->calls[i] = NULL;
    s->dropped = true;
    secsip_call_unref(s->call);
}

static void act_on_call(struct monkey *m, int i)
{
    struct slot *s = m->calls[i];

    switch (below(9)) {
    case 0:
    case 1:
        secsip_call_hangup(s->call);
        break;
    case 2:
        secsip_call_answer(s->call);
        break;
    case 3:
        secsip_call_ring(s->call);
        break;
    case 4:
        secsip_call_reject(s->call, 300 + (int)below(400));
        break;
    case 5:
        (below(2) ? secsip_call_hold : secsip_call_resume)(s->call);
        break;
    case 6:
        secsip_call_rekey(s->call);
        break;
    default:
        if (s->n_ended || below(3) == 0)
            drop_call(m, i);
    }
}

static void act_on_account(struct monkey *m)
{
    if (!m->account) {
        open_account(m);
        return;
    }
    switch (below(8)) {
    case 0:
        secsip_account_unregister(m->account);
        break;
    case 1:
        secsip_account_unref(m->account);
        m->account = NULL;
        break;
    default:
        secsip_account_register(m->account);
    }
}

/* Something, to the call at hand as a rule. */
static void act(struct monkey *m, struct slot *here)
{
    int i = (int)below(CALLS);

    if (resting)
        return;
    for (int k = 0; here && below(2) && k < CALLS; k++)
        if (m->calls[k] == here)
            i = k;
    if (m->calls[i])
        act_on_call(m, i);
    else if (m->account && below(2))
        call_somebody(m, i);
    else
        act_on_account(m);
}

static bool spoil(const secsip_engine_address *from, const secsip_engine_address *to, uint8_t *data,
                  size_t len, void *arg)
{
    (void)from;
    (void)to;
    (void)arg;
    if (len > 20 && below(40) == 0)
        data[below((uint32_t)len)] ^= 1;
    return below(20) != 0;
}

static void start_round(void)
{
    static const char *const users[] = {"alice", "bob"};
    static const char *const friends[] = {"sip:bob@example.test", "sip:alice@example.test"};

    resting = false;
    n_slots = 0;
    memset(monkeys, 0, sizeof monkeys);
    lab_start(&lab, LAB_SERVER);
    simnet_tap(lab.net, spoil, NULL, NULL);
    for (int k = 0; k < 2; k++) {
        monkeys[k].user = users[k];
        monkeys[k].friend = friends[k];
        monkeys[k].host = simnet_host_new(lab.net, k ? "10.0.0.2" : "10.0.0.1", NULL);
        monkeys[k].profile = lab_profile(LAB_N);
        open_account(&monkeys[k]);
        secsip_account_register(monkeys[k].account);
    }
    if (below(3) == 0)
        simnet_chunk(lab.net, 1 + below(600));
}

static void break_something(void)
{
    struct simnet_host *h = below(2) ? lab.server : monkeys[below(2)].host;

    simnet_down(h, true);
    simnet_run(lab.net, below(3) * 100000, NULL, NULL);
    simnet_down(h, false);
}

static void come_to_rest(void)
{
    resting = true;
    for (int k = 0; k < 2; k++)
        secsip_stack_shutdown(simnet_stack(monkeys[k].host), below(3) * 1000);
    simnet_run(lab.net, 80000000, NULL, NULL);
    for (int k = 0; k < 2; k++)
        assert_int_equal(secsip_stack_is_idle(simnet_stack(monkeys[k].host)), 1);
    for (size_t i = 0; i < n_slots; i++)
        if (!slots[i]->dropped && !slots[i]->failed)
            assert_int_equal(slots[i]->n_ended, 1);
}

/* Stacks before calls and accounts, or after them. */
static void end_round(void)
{
    bool stacks_first = below(2);

    resting = true;
    for (int k = 0; k < 2 && stacks_first; k++)
        simnet_host_free(monkeys[k].host);
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < CALLS; i++)
            if (monkeys[k].calls[i]) {
                secsip_call_hangup(monkeys[k].calls[i]->call);
                drop_call(&monkeys[k], i);
            }
        secsip_account_unref(monkeys[k].account);
        if (!stacks_first)
            simnet_host_free(monkeys[k].host);
        secsip_tls_profile_unref(monkeys[k].profile);
    }
    lab_stop(&lab);
    for (size_t i = 0; i < n_slots; i++)
        free(slots[i]);
}

static void random_calls_of_everything_end_well(void **state)
{
    (void)state;
    rng = test_seed();
    for (int round = 0; round < ROUNDS; round++) {
        start_round();
        for (int n = 0; n < STEPS; n++) {
            act(&monkeys[below(2)], NULL);
            if (below(30) == 0)
                break_something();
            simnet_run(lab.net, below(8) == 0 ? below(40000000) : below(200000), NULL, NULL);
        }
        if (below(3))
            come_to_rest();
        end_round();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_calls_of_everything_end_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
