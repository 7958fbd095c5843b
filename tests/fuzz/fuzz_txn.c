/* Transactions: the bytes are a script of messages in, answers of the user, time, lost flows and drops, from inside callbacks
 * too. Whatever happens, each transaction is gone once, a client has one final event, and nothing stays behind. */
#include "fuzz.h"

#include <string.h>

#include "sip/build.h"
#include "txn/priv.h"

enum {
    FLOWS = 3,
    USERS_MAX = 512,
    STEPS_MAX = 400,
    BRANCHES = 6,
    TEXT_MAX = 1024,
    DEPTH_MAX = 4, /* of callbacks that do something themselves */
};

struct flow {
    struct ssi_txn_flow base; /* first */
    uint32_t refs;
};

/* One transaction as its user sees it. */
struct user {
    struct ssi_txn *t; /* NULL once it is gone */
    bool is_client;
    bool is_invite;
    bool is_dropped;
    uint32_t n_finals;
    uint32_t n_gone;
};

struct world {
    struct ssi_timers timers;
    struct ssi_txn_layer layer;
    struct flow flows[FLOWS];
    struct user users[USERS_MAX];
    uint32_t n_users;
    uint32_t depth;
    bool has_carrier; /* what is asked of the second flow goes over the first, now and then */
    bool is_faulty;   /* an answer repeats what is wrong in its request */
    const uint8_t *at, *end;
};

static struct world w;

static uint8_t next_byte(void)
{
    return w.at < w.end ? *w.at++ : 0;
}

static void do_step(void);

/* A callback may do what anybody may. */
static void maybe_act(void)
{
    if (w.depth < DEPTH_MAX && w.at < w.end && next_byte() < 64) {
        w.depth++;
        do_step();
        w.depth--;
    }
}

static void flow_send(struct ssi_txn_flow *flow, struct ssi_slice bytes)
{
    const struct ssi_sip_limits limits = {.message_bytes = 1 << 20};
    struct ssi_sip_msg *m;

    (void)flow;
    if (w.is_faulty)
        return;
    /* What goes out is a whole message that we would take ourselves. */
    FUZZ_CHECK(ssi_sip_msg_parse(bytes.p, bytes.len, false, &limits, NULL, &m) == 0);
    FUZZ_CHECK(m->fault.result >= 0);
    ssi_sip_msg_unref(m);
}

static struct ssi_txn_flow *flow_ref(struct ssi_txn_flow *flow)
{
    ((struct flow *)flow)->refs++;
    return flow;
}

static void flow_unref(struct ssi_txn_flow *flow)
{
    FUZZ_CHECK(((struct flow *)flow)->refs-- > 0);
}

/* RFC 3261 18.1.1. */
static struct ssi_txn_flow *carrier(struct ssi_txn_flow *flow, struct ssi_buf *request)
{
    (void)flow;
    if (!w.has_carrier || w.n_users % 2 || ssi_sip_set_via_transport(request, "TCP") < 0)
        return NULL;
    return flow_ref(&w.flows[0].base);
}

static struct user *new_user(bool is_client, bool is_invite)
{
    if (w.n_users == USERS_MAX)
        return NULL;
    struct user *u = &w.users[w.n_users++];
    *u = (struct user){.is_client = is_client, .is_invite = is_invite};
    return u;
}

static void drop(struct user *u)
{
    u->is_dropped = true;
    ssi_txn_drop(u->t);
}

static void on_response(struct ssi_txn *t, struct ssi_sip_msg *m, void *arg)
{
    struct user *u = arg;

    FUZZ_CHECK(u->n_gone == 0 && !u->is_dropped && (!u->t || u->t == t));
    if (m->status >= 200) {
        bool again = u->n_finals > 0 && u->is_invite && m->status < 300;
        FUZZ_CHECK(u->n_finals == 0 || again);
        u->n_finals = 1;
    }
    maybe_act();
}

static void on_failed(struct ssi_txn *t, secsip_result why, void *arg)
{
    struct user *u = arg;

    (void)t;
    FUZZ_CHECK(why < 0 && u->n_gone == 0 && !u->is_dropped);
    if (u->is_client) {
        FUZZ_CHECK(u->n_finals == 0);
        u->n_finals = 1;
    }
    maybe_act();
}

static void on_gone(struct ssi_txn *t, void *arg)
{
    struct user *u = arg;

    FUZZ_CHECK(u->n_gone++ == 0 && (!u->t || u->t == t));
    FUZZ_CHECK(!u->is_client || u->is_dropped || u->n_finals == 1 || !u->t);
    u->t = NULL;
    maybe_act();
}

static void on_ack_or_cancel(struct ssi_txn *t, struct ssi_sip_msg *m, void *arg)
{
    const struct user *u = arg;

    FUZZ_CHECK(u->t == t && m != NULL);
    maybe_act();
}

static const struct ssi_txn_client_ops client_ops = {
    .on_response = on_response, .on_failed = on_failed, .on_gone = on_gone};
static const struct ssi_txn_server_ops server_ops = {on_ack_or_cancel, on_ack_or_cancel, on_failed,
                                                     on_gone};

static void on_request(void *arg, struct ssi_txn *t, struct ssi_sip_msg *m,
                       struct ssi_txn_flow *flow)
{
    (void)arg;
    (void)flow;
    FUZZ_CHECK(t || m->method == SSI_SIP_ACK);
    if (!t)
        return;
    struct user *u = new_user(false, m->method == SSI_SIP_INVITE);
    if (!u) {
        ssi_txn_drop(t);
        return;
    }
    u->t = t;
    ssi_txn_server_set(t, &server_ops, u);
    maybe_act();
}

static bool is_in_dialog(void *arg, const struct ssi_sip_msg *m, struct ssi_txn_flow *flow)
{
    (void)arg;
    (void)flow;
    FUZZ_CHECK(m->to.tag.p && w.layer.n_live >= w.layer.config.max_transactions);
    return m->cseq == 2;
}

/* ---- Steps */
static const char *const methods[] = {"INVITE", "ACK", "CANCEL", "OPTIONS", "MESSAGE", "BYE"};
static const int statuses[] = {100, 180, 183, 200, 202, 302, 401, 408, 486, 487, 500, 503, 603};

static struct flow *pick_flow(void)
{
    return &w.flows[next_byte() % FLOWS];
}

static struct user *pick_user(bool is_client)
{
    uint32_t from = next_byte();

    for (uint32_t i = 0; i < w.n_users; i++) {
        struct user *u = &w.users[(from + i) % w.n_users];
        if (u->t && u->is_client == is_client)
            return u;
    }
    return NULL;
}

static void take(const char *text, size_t len)
{
    struct ssi_sip_msg *m;

    if (ssi_sip_msg_parse(text, len, true, NULL, NULL, &m) < 0)
        return;
    w.is_faulty = m->fault.result < 0;
    ssi_txn_input(&w.layer, m, &pick_flow()->base, "192.0.2.7", 5060);
    w.is_faulty = false;
    ssi_sip_msg_unref(m);
}

static size_t request_text(char *text, const char *method, uint8_t branch, uint8_t form)
{
    static const char *const cookies[] = {"z9hG4bK", "z9hG4bK", "z9hG4bK", ""};

    return (size_t)snprintf(
        text, TEXT_MAX,
        "%s sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP h.example.com%s;branch=%s%d%s\r\n"
        "Max-Forwards: 70\r\nFrom: <sip:a@example.com>;tag=f\r\nTo: <sip:bob@example.com>%s\r\n"
        "Call-ID: c%d\r\nCSeq: %d %s\r\nContent-Length: 0\r\n\r\n",
        method, form & 16 ? ":5070" : "", cookies[form & 3], branch % BRANCHES,
        form & 32 ? ";rport" : "", form & 4 ? ";tag=t" : "", branch % 3, form & 8 ? 2 : 1, method);
}

static void step_request(void)
{
    char text[TEXT_MAX];
    const char *method = methods[next_byte() % 6];
    uint8_t branch = next_byte();
    size_t len = request_text(text, method, branch, next_byte());

    take(text, len);
}

static void step_response(void)
{
    char text[TEXT_MAX];
    const char *method = methods[next_byte() % 6];
    int status = statuses[next_byte() % (sizeof statuses / sizeof *statuses)];
    size_t len = (size_t)snprintf(
        text, sizeof text,
        "SIP/2.0 %d Because\r\nVia: SIP/2.0/UDP h.example.com;branch=z9hG4bK%d\r\n"
        "From: <sip:a@example.com>;tag=f\r\nTo: <sip:bob@example.com>;tag=t\r\nCall-ID: c\r\n"
        "CSeq: 1 %s\r\nContent-Length: 0\r\n\r\n",
        status, next_byte() % BRANCHES, method);

    take(text, len);
}

static void step_client(void)
{
    const char *method = methods[next_byte() % 6];
    uint8_t branch = next_byte();
    char text[TEXT_MAX], name[16];
    enum ssi_sip_method id = ssi_sip_method_of(ssi_slice_str(method));
    struct user *u;
    struct ssi_buf b;

    if (id == SSI_SIP_CANCEL || !(u = new_user(true, id == SSI_SIP_INVITE)))
        return;
    ssi_buf_init_secret(&b, 1 << 16);
    ssi_buf_put(&b, text, request_text(text, method, branch, 0));
    snprintf(name, sizeof name, "z9hG4bK%d", branch % BRANCHES);
    secsip_result r = ssi_txn_client_new(&w.layer, &pick_flow()->base, id, id == SSI_SIP_BYE,
                                         ssi_slice_str(name), &b, &client_ops, u, &u->t);
    FUZZ_CHECK((r < 0) == (id == SSI_SIP_ACK || u->t == NULL));
    if (r >= 0 && next_byte() & 1)
        ssi_txn_client_use_timer_c(u->t);
    ssi_buf_free(&b);
}

static void step_answer(void)
{
    struct user *u = pick_user(false);
    int status = statuses[next_byte() % (sizeof statuses / sizeof *statuses)];

    if (u)
        ssi_txn_respond_status(u->t, status, NULL);
}

static void step_time(void)
{
    static const uint32_t ms[] = {0, 1, 200, 500, 1000, 4000, 5000, 31999, 32000, 181000};

    if (w.depth > 0)
        return; /* timers are not run from callbacks */
    ssi_timers_advance(&w.timers, w.timers.now_us + SSI_MS(ms[next_byte() % 10]), 10000);
}

static void step_raw(void)
{
    size_t len = next_byte() * 4U;

    if (len > (size_t)(w.end - w.at))
        len = (size_t)(w.end - w.at);
    const char *text = (const char *)w.at;
    w.at += len;
    take(text, len);
}

static void do_step(void)
{
    struct user *u;

    switch (next_byte() % 13) {
    case 0:
    case 1:
    case 2:
        step_request();
        break;
    case 3:
    case 4:
        step_response();
        break;
    case 5:
        step_client();
        break;
    case 6:
        step_answer();
        break;
    case 7:
        step_time();
        break;
    case 8:
        u = pick_user(true);
        if (u)
            ssi_txn_client_cancel(u->t);
        break;
    case 9:
        ssi_txn_flow_failed(&w.layer, &pick_flow()->base, SECSIP_E_UA_FLOW_FAILED);
        break;
    case 10:
        u = pick_user(next_byte() & 1);
        if (u)
            drop(u);
        break;
    case 11:
        step_raw();
        break;
    default:
        ssi_txn_flow_fall_back(&w.flows[0].base, &w.flows[1].base, next_byte() & 1 ? TEXT_MAX : 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ssi_txn_layer_ops ops = {.on_request = on_request,
                                                 .is_in_dialog = is_in_dialog};
    struct ssi_txn_config config = {.max_transactions = 64};

    memset(&w, 0, sizeof w);
    w.at = data;
    w.end = data + size;
    uint8_t options = next_byte();
    config.allow_merged = options & 1;
    w.has_carrier = options & 2;
    ssi_timers_init(&w.timers, 1000);
    FUZZ_CHECK(ssi_txn_layer_init(&w.layer, &config, &w.timers, &ops, NULL) == 0);
    for (int i = 0; i < FLOWS; i++) {
        w.flows[i].base = (struct ssi_txn_flow){
            .send = flow_send, .ref = flow_ref, .unref = flow_unref, .reliable = i == 0};
        if (i == 1)
            w.flows[i].base.carrier = carrier;
        ssi_txn_flow_init(&w.flows[i].base);
    }
    for (int i = 0; i < STEPS_MAX && w.at < w.end; i++) {
        do_step();
        FUZZ_CHECK(w.layer.n_live <= 2 * config.max_transactions);
    }
    w.at = w.end;
    /* Left alone, every client comes to its end by itself. */
    for (int i = 0; i < 20; i++)
        ssi_timers_advance(&w.timers, w.timers.now_us + SSI_S(100), 100000);
    for (uint32_t i = 0; i < w.n_users; i++) {
        struct user *u = &w.users[i];
        bool waits = u->t && u->is_client && u->is_invite && u->t->state == SSI_TXN_PROCEEDING;
        FUZZ_CHECK(!u->t || !u->is_client || waits);
        u->is_dropped = true;
    }
    ssi_txn_layer_free(&w.layer);
    FUZZ_CHECK(w.timers.n_armed == 0 && w.layer.n_live == 0);
    for (int i = 0; i < FLOWS; i++)
        FUZZ_CHECK(w.flows[i].refs == 0 && ssi_list_empty(&w.flows[i].base.txns));
    return 0;
}
