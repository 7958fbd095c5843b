/* Transactions: their life, and the step that runs the tables. Layer: txn. A transaction owns the bytes it may send
 * again and one reference on its flow (and, on the server side, on its request). It is freed when it has ended and no
 * step of it is in progress, so that every callback may drop the very transaction that called it. */
#include "txn/priv.h"

#include <stdlib.h>

#include "sip/build.h"

enum {
    T1_MS = 500, /* RFC 3261 17.1.1.1 */
    T2_MS = 4000,
    T4_MS = 5000,
    TIMER_C_MS = 181000, /* RFC 3261 16.6 step 11: larger than three minutes */
    MAX_TRANSACTIONS = 100000,
};

static uint32_t value_or(uint32_t value, uint32_t dflt)
{
    return value ? value : dflt;
}

secsip_result ssi_txn_layer_init(struct ssi_txn_layer *l, const struct ssi_txn_config *config,
                                 struct ssi_timers *timers, const struct ssi_txn_layer_ops *ops,
                                 void *arg)
{
    memset(l, 0, sizeof *l);
    if (config)
        l->config = *config;
    l->config.t1_ms = value_or(l->config.t1_ms, T1_MS);
    l->config.t2_ms = value_or(l->config.t2_ms, T2_MS);
    l->config.t4_ms = value_or(l->config.t4_ms, T4_MS);
    l->config.timer_c_ms = value_or(l->config.timer_c_ms, TIMER_C_MS);
    l->config.max_transactions = value_or(l->config.max_transactions, MAX_TRANSACTIONS);
    l->timers = timers;
    l->ops = ops;
    l->arg = arg;
    ssi_list_init(&l->all);
    secsip_result r = ssi_hash_init(&l->clients);
    if (r < 0)
        return r;
    r = ssi_hash_init(&l->servers);
    if (r < 0)
        goto fail_clients;
    r = ssi_hash_init(&l->merged);
    if (r < 0)
        goto fail_servers;
    return 0;

fail_servers:
    ssi_hash_free(&l->servers);
fail_clients:
    ssi_hash_free(&l->clients);
    return r;
}

void ssi_txn_layer_free(struct ssi_txn_layer *l)
{
    if (!l->clients.buckets)
        return;
    l->config.max_transactions = 0; /* on_gone may not begin anything new */
    while (!ssi_list_empty(&l->all))
        ssi_txn_drop(SSI_CONTAINER(l->all.next, struct ssi_txn, in_all));
    ssi_hash_free(&l->clients);
    ssi_hash_free(&l->servers);
    ssi_hash_free(&l->merged);
}

void ssi_txn_flow_init(struct ssi_txn_flow *flow)
{
    ssi_list_init(&flow->txns);
}

/* How long, or SSI_NEVER. */
static uint64_t span_of(const struct ssi_txn_config *c, enum ssi_txn_span span)
{
    uint64_t sum = 0, ms;

    switch (span) {
    case SSI_TXN_NEVER:
        return SSI_NEVER;
    case SSI_TXN_AT_ONCE:
        return 0;
    case SSI_TXN_T1:
        return SSI_MS(c->t1_ms);
    case SSI_TXN_T4:
        return SSI_MS(c->t4_ms);
    case SSI_TXN_64_T1:
        return SSI_MS(c->t1_ms) * 64;
    case SSI_TXN_32_S:
        return SSI_S(32);
    case SSI_TXN_200_MS:
        return SSI_MS(200);
    case SSI_TXN_E_AT_T2:
        /* Where T1 is not below T2, it is there when it fires first. */
        ms = c->t1_ms;
        do
            sum += SSI_MS(ms);
        while ((ms *= 2) < c->t2_ms);
        return sum;
    case SSI_TXN_SPAN_C:
        return SSI_MS(c->timer_c_ms);
    }
    return SSI_NEVER;
}

static uint64_t timer_span(const struct ssi_txn *t, enum ssi_txn_timer timer)
{
    const struct ssi_txn_timer_info *info = &ssi_txn_timers[timer];

    return span_of(&t->layer->config, t->flow->reliable ? info->reliable : info->unreliable);
}

static void arm_repeat(struct ssi_txn *t, enum ssi_txn_timer timer)
{
    t->repeat_timer = (uint8_t)timer;
    t->repeat_us = timer_span(t, timer);
    if (t->repeat_us == SSI_NEVER)
        ssi_timer_cancel(t->layer->timers, &t->repeat);
    else
        ssi_timer_arm(t->layer->timers, &t->repeat, t->repeat_us);
}

void ssi_txn_arm_expire(struct ssi_txn *t, enum ssi_txn_timer timer)
{
    uint64_t span = timer_span(t, timer);

    if (timer == SSI_TXN_T_C && !t->u.client.uses_c)
        span = SSI_NEVER;
    t->expire_timer = (uint8_t)timer;
    if (span == SSI_NEVER)
        ssi_timer_cancel(t->layer->timers, &t->expire);
    else
        ssi_timer_arm(t->layer->timers, &t->expire, span);
}

/* Those of the state's timers that do not run yet. */
static void arm_timers(struct ssi_txn *t)
{
    const struct ssi_txn_row *row = &ssi_txn_machines[t->kind].rows[t->state];

    if (row->repeat != t->repeat_timer)
        arm_repeat(t, row->repeat);
    if (row->expire != t->expire_timer)
        ssi_txn_arm_expire(t, row->expire);
}

static void enter_state(struct ssi_txn *t, enum ssi_txn_state next)
{
    if (t->state == next)
        return;
    t->state = (uint8_t)next;
    if (next == SSI_TXN_TERMINATED) {
        ssi_timer_cancel(t->layer->timers, &t->repeat);
        ssi_timer_cancel(t->layer->timers, &t->expire);
        return;
    }
    arm_timers(t);
}

static void on_repeat(void *arg)
{
    struct ssi_txn *t = arg;
    const struct ssi_txn_timer_info *info = &ssi_txn_timers[t->repeat_timer];
    uint64_t t2_us = SSI_MS(t->layer->config.t2_ms);

    if (info->doubles) {
        t->repeat_us *= 2;
        /* RFC 3261 17.1.2.2: in Proceeding timer E is set to T2 at once. */
        if (info->up_to_t2 && (t->repeat_us > t2_us || t->state == SSI_TXN_PROCEEDING))
            t->repeat_us = t2_us;
        ssi_timer_arm(t->layer->timers, &t->repeat, t->repeat_us);
    }
    ssi_txn_step(t, SSI_TXN_REPEAT, &(struct ssi_txn_in){0});
}

static void on_expire(void *arg)
{
    struct ssi_txn *t = arg;
    enum ssi_txn_event event = SSI_TXN_EXPIRE;

    if (t->expire_timer == SSI_TXN_T_C)
        event = SSI_TXN_TIMER_C;
    else if (t->expire_timer == SSI_TXN_T_CANCEL)
        event = SSI_TXN_CANCEL_LIMIT;
    ssi_txn_step(t, event, &(struct ssi_txn_in){.why = SECSIP_E_UA_TRANSACTION_TIMEOUT});
}

struct ssi_txn *ssi_txn_alloc(struct ssi_txn_layer *l, struct ssi_txn_flow *flow,
                              enum ssi_txn_kind kind, size_t extra)
{
    struct ssi_txn *t = calloc(1, sizeof *t + extra);

    if (!t)
        return NULL;
    t->layer = l;
    t->flow = flow->ref(flow);
    t->kind = (uint8_t)kind;
    t->state = SSI_TXN_TERMINATED;
    ssi_list_init(&t->in_all);
    ssi_list_init(&t->in_flow);
    ssi_timer_init(&t->repeat, on_repeat, t);
    ssi_timer_init(&t->expire, on_expire, t);
    ssi_buf_init_secret(&t->out, SSI_TXN_BYTES);
    return t;
}

void ssi_txn_start(struct ssi_txn *t)
{
    t->layer->n_live++;
    ssi_list_push_back(&t->layer->all, &t->in_all);
    ssi_list_push_back(&t->flow->txns, &t->in_flow);
    t->state = (uint8_t)ssi_txn_machines[t->kind].first;
    if (ssi_txn_is_client(t))
        arm_timers(t);
}

bool ssi_txn_has_room(const struct ssi_txn_layer *l, bool in_dialog)
{
    uint64_t max = l->config.max_transactions;

    if (in_dialog && max > 0)
        max += max / 8 + 8;
    return l->n_live < max;
}

void ssi_txn_settle(struct ssi_txn *t)
{
    if (!t->over && t->state != SSI_TXN_TERMINATED)
        arm_timers(t);
}

/* For a transaction that was never started, and for one that has ended. */
static void free_memory(struct ssi_txn *t)
{
    ssi_buf_free(&t->out);
    if (!ssi_txn_is_client(t))
        ssi_sip_msg_unref(t->u.server.request);
    t->flow->unref(t->flow);
    free(t);
}

void ssi_txn_unpin(struct ssi_txn *t)
{
    t->pins--;
    if (t->over && t->pins == 0)
        free_memory(t);
}

void ssi_txn_end(struct ssi_txn *t)
{
    if (t->over)
        return;
    t->over = true;
    t->pins++;
    enter_state(t, SSI_TXN_TERMINATED);
    if (ssi_list_linked(&t->in_all))
        t->layer->n_live--;
    ssi_list_remove(&t->in_all);
    ssi_list_remove(&t->in_flow);
    if (ssi_txn_is_client(t)) {
        struct ssi_txn *cancel = t->u.client.cancel;
        ssi_hash_remove(&t->layer->clients, &t->node);
        t->u.client.cancel = NULL;
        if (cancel)
            free_memory(cancel);
        if (t->u.client.ops && t->u.client.ops->on_gone)
            t->u.client.ops->on_gone(t, t->arg);
    } else {
        ssi_hash_remove(&t->layer->servers, &t->node);
        ssi_hash_remove(&t->layer->merged, &t->u.server.merged);
        if (t->u.server.ops && t->u.server.ops->on_gone)
            t->u.server.ops->on_gone(t, t->arg);
    }
    ssi_txn_unpin(t);
}

void ssi_txn_send_out(struct ssi_txn *t)
{
    if (t->out.len > 0)
        t->flow->send(t->flow, ssi_buf_slice(&t->out));
}

void ssi_txn_move(struct ssi_buf *to, struct ssi_buf *b)
{
    size_t max = b->max;
    bool secret = b->secret;

    ssi_buf_free(to);
    *to = *b;
    to->secret = true; /* it may hold a=crypto */
    /* It stays for long. Buffers grow by doubling: of a large one half may be empty. A small one is not worth the copy. */
    if (to->cap - to->len > SSI_TXN_SLACK_MAX)
        ssi_buf_fit(to);
    ssi_buf_init(b, max);
    b->secret = secret;
}

static secsip_result act(struct ssi_txn *t, enum ssi_txn_action action, const struct ssi_txn_in *in)
{
    switch (action) {
    case SSI_TXN_DO_SEND_AGAIN:
        ssi_txn_send_out(t);
        return 0;
    case SSI_TXN_DO_FORGET:
        ssi_buf_free(&t->out);
        return 0;
    case SSI_TXN_DO_REFUSE:
        return SECSIP_E_STATE;
    default:
        return ssi_txn_is_client(t) ? ssi_txn_client_act(t, action, in)
                                    : ssi_txn_server_act(t, action, in);
    }
}

secsip_result ssi_txn_step(struct ssi_txn *t, enum ssi_txn_event event, const struct ssi_txn_in *in)
{
    if (t->state == SSI_TXN_TERMINATED)
        return SECSIP_E_STATE;
    const struct ssi_txn_cell *cell = &ssi_txn_machines[t->kind].rows[t->state].cells[event];
    secsip_result r = 0;

    if (t->layer->tap)
        t->layer->tap(t->layer->arg, t, t->kind, t->state, (uint8_t)event);
    t->pins++;
    enter_state(t, cell->next);
    for (size_t i = 0; i < sizeof cell->actions / sizeof cell->actions[0]; i++) {
        /* A callback may have dropped it, or brought it on: what is left to do belongs to a state that is past. */
        if (cell->actions[i] == SSI_TXN_DO_NOTHING || t->over || t->state != cell->next)
            break;
        secsip_result failed = act(t, cell->actions[i], in);
        if (failed < 0)
            r = failed;
    }
    if (cell->next == SSI_TXN_TERMINATED)
        ssi_txn_end(t);
    ssi_txn_unpin(t);
    return r;
}

void ssi_txn_flow_failed(struct ssi_txn_layer *l, struct ssi_txn_flow *flow, secsip_result why)
{
    struct ssi_list failing;

    (void)l;
    flow->ref(flow);
    /* Off the flow first: what a callback begins on the dead flow must not be failed in this very loop. */
    ssi_list_init(&failing);
    for (struct ssi_list *node; (node = ssi_list_pop_front(&flow->txns));)
        ssi_list_push_back(&failing, node);
    for (struct ssi_list *node; (node = ssi_list_pop_front(&failing));)
        ssi_txn_step(SSI_CONTAINER(node, struct ssi_txn, in_flow), SSI_TXN_FLOW_LOST,
                     &(struct ssi_txn_in){.why = why});
    flow->unref(flow);
}

static void move_to(struct ssi_txn *t, struct ssi_txn_flow *flow)
{
    struct ssi_txn_flow *old = t->flow;

    t->flow = flow->ref(flow);
    old->unref(old);
}

void ssi_txn_flow_fall_back(struct ssi_txn_flow *flow, struct ssi_txn_flow *udp, size_t max_bytes)
{
    SSI_LIST_EACH(node, &flow->txns)
    {
        struct ssi_txn *t = SSI_CONTAINER(node, struct ssi_txn, in_flow);
        if (!ssi_txn_is_client(t) || t->state != ssi_txn_machines[t->kind].first ||
            t->out.len > max_bytes || ssi_sip_set_via_transport(&t->out, "UDP") < 0)
            continue;
        ssi_list_remove(&t->in_flow);
        ssi_list_push_back(&udp->txns, &t->in_flow);
        move_to(t, udp);
        struct ssi_txn *cancel = t->u.client.cancel;
        if (cancel && ssi_sip_set_via_transport(&cancel->out, "UDP") >= 0)
            move_to(cancel, udp);
        arm_repeat(t, (enum ssi_txn_timer)t->repeat_timer); /* that it is unreliable now */
        ssi_txn_send_out(t);
    }
}

void ssi_txn_drop(struct ssi_txn *t)
{
    ssi_txn_end(t);
}

void *ssi_txn_arg(const struct ssi_txn *t)
{
    return t->arg;
}

struct ssi_txn_flow *ssi_txn_flow_of(const struct ssi_txn *t)
{
    return t->flow;
}
