/* What the messages of one call cost a stack that holds 10,000 idle TLS connections besides, against what they cost it
 * alone: as the caller's stack, as the proxy's, as the callee's. Three stacks on the engine door call each other in
 * memory; only the time inside the stack under test counts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../tests/fuzz/identity.h"
#include "common/report.h"
#include "secsip/secsip.h"
#include "secsip/unstable/engine.h"
#include "tls/tls.h"

enum {
    CROWD = 10000,
    ROUNDS = 12,
    CALLS = 25, /* in a round */
    NOW = 1750000000,
    N_HOSTS = 3,
    MAX_NEWS = 64,
};
static const double MOST = 1.1; /* times what it costs alone */

enum role {
    CALLER,
    PROXY,
    CALLEE,
};

struct end;

struct host {
    struct world *world;
    secsip_stack *stack;
    secsip_engine_listener *listener;
    secsip_engine_address at;
    double busy_s; /* inside the stack */
    uint32_t next_port;
};

/* One side of a connection; a raw one has a TLS session instead of a host. */
struct end {
    struct host *host;
    secsip_engine_stream *stream;
    struct ssi_tls_session *raw;
    struct end *peer;
    secsip_engine_address local, remote;
};

struct news {
    enum {
        CONNECT,
        BYTES,
        ANSWER
    } kind;
    struct end *end;
    secsip_engine_query *query;
    bool has_address;
    size_t len;
    uint8_t data[4096];
};

struct world {
    struct host hosts[N_HOSTS];
    uint64_t now_us;
    struct news queue[MAX_NEWS];
    size_t first, n_news;
    secsip_tls_profile *client, *server;
    secsip_registrar *registrar;
    secsip_account *alice, *bob;
    secsip_call *call, *answered;
    int n_registered, n_talking, n_ended;
};

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* What runs inside a stack is timed. */
#define INSIDE(h, what)                                                                            \
    do {                                                                                           \
        double from_ = now_s();                                                                    \
        what;                                                                                      \
        (h)->busy_s += now_s() - from_;                                                            \
    } while (0)

static struct news *add_news(struct world *w)
{
    must(w->n_news < MAX_NEWS, "too much on the wire at once");
    struct news *n = &w->queue[(w->first + w->n_news++) % MAX_NEWS];
    memset(n, 0, offsetof(struct news, data));
    return n;
}

/* ---- What the stacks ask. */

static struct end *new_end(struct host *h)
{
    struct end *e = calloc(1, sizeof *e);
    must(e != NULL, "no memory");
    e->host = h;
    return e;
}

static secsip_result ask_connect(secsip_engine_stream *s, const secsip_engine_address *to,
                                 void *arg)
{
    struct host *h = arg;
    struct end *e = new_end(h);
    struct news *n = add_news(h->world);

    e->stream = s;
    e->local = h->at;
    e->local.port = h->next_port++;
    e->remote = *to;
    secsip_engine_stream_set_data(s, e);
    n->kind = CONNECT;
    n->end = e;
    return 0;
}

static void ask_write(secsip_engine_stream *s, void *arg)
{
    struct host *h = arg;
    struct end *e = secsip_engine_stream_get_data(s);
    const uint8_t *data;
    size_t len;

    while (e && (len = secsip_engine_stream_output(s, &data)) > 0) {
        if (e->peer->raw) {
            must(ssi_tls_session_input(e->peer->raw, data, len) >= 0, "raw input");
            secsip_engine_stream_sent(s, len);
            continue;
        }
        struct news *n = add_news(h->world);
        n->kind = BYTES;
        n->end = e->peer;
        n->len = len < sizeof n->data ? len : sizeof n->data;
        memcpy(n->data, data, n->len);
        secsip_engine_stream_sent(s, n->len);
    }
}

static void ask_close(secsip_engine_stream *s, void *arg)
{
    struct end *e = secsip_engine_stream_get_data(s);
    (void)arg;
    if (e)
        e->stream = NULL;
}

static secsip_result ask_listen(secsip_engine_listener *l, secsip_engine_address *at, void *arg)
{
    struct host *h = arg;
    (void)at;
    h->listener = l;
    return 0;
}

static void ask_listen_close(secsip_engine_listener *l, void *arg)
{
    (void)l;
    (void)arg;
}

static secsip_result ask_dgram_open(secsip_engine_dgram *d, secsip_engine_address *at, void *arg)
{
    struct host *h = arg;
    (void)d;
    h->next_port += h->next_port & 1;
    at->port = h->next_port;
    h->next_port += 2;
    return 0;
}

static void ask_dgram_send(secsip_engine_dgram *d, const secsip_engine_address *to,
                           const uint8_t *data, size_t len, void *arg)
{
    (void)d;
    (void)to;
    (void)data;
    (void)len;
    (void)arg;
}

static void ask_dgram_close(secsip_engine_dgram *d, void *arg)
{
    (void)d;
    (void)arg;
}

static secsip_result ask_resolve(secsip_engine_query *q, int32_t type, const char *name, void *arg)
{
    struct host *h = arg;
    struct news *n = add_news(h->world);
    (void)name;
    n->kind = ANSWER;
    n->query = q;
    n->has_address = type == SECSIP_ENGINE_RR_A;
    return 0;
}

static void ask_resolve_cancel(secsip_engine_query *q, void *arg)
{
    struct host *h = arg;
    for (size_t i = 0; i < MAX_NEWS; i++)
        if (h->world->queue[i].query == q)
            h->world->queue[i].query = NULL;
}

static const secsip_engine_io io = {
    .size = sizeof io,
    .stream_connect = ask_connect,
    .stream_wants_write = ask_write,
    .stream_close = ask_close,
    .listen = ask_listen,
    .listen_close = ask_listen_close,
    .dgram_open = ask_dgram_open,
    .dgram_send = ask_dgram_send,
    .dgram_close = ask_dgram_close,
    .resolve = ask_resolve,
    .resolve_cancel = ask_resolve_cancel,
};

/* ---- Running. */

static void connect_now(struct world *w, struct end *a)
{
    struct host *to = &w->hosts[a->remote.ip[3] - 1];
    struct end *b = new_end(to);

    a->peer = b;
    b->peer = a;
    b->local = a->remote;
    b->remote = a->local;
    INSIDE(to, b->stream = secsip_engine_accept(to->listener, &a->local, &a->remote, b));
    must(b->stream != NULL, "refused");
    INSIDE(a->host, secsip_engine_stream_connected(a->stream, &a->local));
}

static void answer_now(struct world *w, const struct news *n)
{
    secsip_engine_record r = {.size = sizeof r,
                              .type = SECSIP_ENGINE_RR_A,
                              .ttl_s = 60,
                              .ip = {10, 0, 0, 1 + PROXY},
                              .target = "",
                              .service = "",
                              .flags = ""};
    (void)w;
    if (n->query)
        secsip_engine_resolved(n->query, n->has_address ? 0 : SECSIP_E_NET_RESOLVE, &r,
                               n->has_address);
}

static void advance_all(struct world *w)
{
    for (int i = 0; i < N_HOSTS; i++)
        INSIDE(&w->hosts[i], secsip_engine_advance(w->hosts[i].stack, w->now_us, NOW));
}

/* Until nothing is on the wire. Time hardly passes: timers and speech stay out of it. */
static void settle(struct world *w)
{
    static struct news n;

    advance_all(w);
    while (w->n_news > 0) {
        const struct news *head = &w->queue[w->first];
        memcpy(&n, head, offsetof(struct news, data));
        memcpy(n.data, head->data, n.len);
        w->first = (w->first + 1) % MAX_NEWS;
        w->n_news--;
        w->now_us++;
        if (n.kind == CONNECT)
            connect_now(w, n.end);
        else if (n.kind == ANSWER)
            answer_now(w, &n);
        else if (n.end->stream)
            INSIDE(n.end->host, secsip_engine_stream_input(n.end->stream, n.data, n.len));
        advance_all(w);
    }
}

/* ---- The phones. */

static void on_state(secsip_call *c, const secsip_call_event *e, void *arg)
{
    struct world *w = arg;
    (void)c;
    w->n_talking += e->state == SECSIP_CALL_ESTABLISHED;
    w->n_ended += e->state == SECSIP_CALL_ENDED;
}

static const secsip_call_callbacks call_callbacks = {.size = sizeof call_callbacks,
                                                     .on_state = on_state};

static void on_incoming_call(secsip_account *a, secsip_call *c, void *arg)
{
    struct world *w = arg;
    (void)a;
    w->answered = secsip_call_ref(c);
    must(secsip_call_set_callbacks(c, &call_callbacks, w) == 0 && secsip_call_answer(c) == 0,
         "answer");
}

static void on_registration(secsip_account *a, const secsip_registration_event *e, void *arg)
{
    struct world *w = arg;
    (void)a;
    w->n_registered += e->state == SECSIP_REGISTRATION_REGISTERED;
    must(e->state != SECSIP_REGISTRATION_FAILED, e->error ? e->error->text : "registration");
}

static secsip_result password(const char *user, char *out, size_t cap, void *arg)
{
    (void)user;
    (void)arg;
    snprintf(out, cap, "secret");
    return 0;
}

static secsip_account *new_account(struct world *w, struct host *h, const char *aor)
{
    const secsip_account_callbacks callbacks = {.size = sizeof callbacks,
                                                .on_registration = on_registration,
                                                .on_incoming_call = on_incoming_call};
    const secsip_account_config config = {.size = sizeof config,
                                          .aor = aor,
                                          .password = "secret",
                                          .proxy = "example.test:5061;transport=tls",
                                          .profile = w->client};
    secsip_account *a;

    must(secsip_account_new(h->stack, &config, &callbacks, w, &a) == 0, "account");
    must(secsip_account_register(a) == 0, "register");
    return a;
}

static void start_host(struct world *w, enum role role)
{
    struct host *h = &w->hosts[role];
    const secsip_stack_config config = {.size = sizeof config, .max_connections = 2 * CROWD};
    char at[32];

    h->world = w;
    h->at = (secsip_engine_address){
        .size = sizeof h->at, .family = 4, .ip = {10, 0, 0, (uint8_t)(1 + role)}};
    h->next_port = 20000;
    snprintf(at, sizeof at, "tls:10.0.0.%d:5061", 1 + (int)role);
    must(secsip_engine_stack_new(&config, &io, h, w->now_us, NOW, &h->stack) == 0, "stack");
    must(secsip_stack_listen(h->stack, at, w->server, NULL) == 0, "listen");
}

/* Idle connections to a host, each from an address of its own. */
static void join_crowd(struct world *w, struct host *h)
{
    struct ssi_tls_config config = {.profile = w->client, .domain = "example.test", .wall_s = NOW};

    for (unsigned i = 0; i < CROWD; i++) {
        struct end *a = new_end(NULL), *b = new_end(h);
        a->peer = b;
        b->peer = a;
        b->local = h->at;
        b->local.port = 5061;
        b->remote = (secsip_engine_address){.size = sizeof b->remote,
                                            .family = 4,
                                            .port = 40000,
                                            .ip = {10, 1, (uint8_t)(i >> 8), (uint8_t)i}};
        must(ssi_tls_session_new(&config, &a->raw) == 0, "raw client");
        ssi_tls_session_start(a->raw);
        b->stream = secsip_engine_accept(h->listener, &b->remote, &b->local, b);
        must(b->stream != NULL, "the crowd is let in");
        for (int k = 0; k < 3; k++) {
            struct ssi_buf *out = ssi_tls_session_output(a->raw);
            struct ssi_slice s = ssi_buf_slice(out);
            secsip_engine_stream_input(b->stream, (const uint8_t *)s.p, s.len);
            ssi_buf_consume(out, out->len);
        }
        must(ssi_tls_session_state(a->raw) == SSI_TLS_OPEN, "the crowd shakes hands");
    }
}

/* The crowd comes first: who looks for a connection by going through them all meets it before its own. */
static struct world *new_world(int crowded)
{
    struct world *w = calloc(1, sizeof *w);
    const secsip_registrar_config config = {
        .size = sizeof config, .domain = "example.test", .password = password};

    must(w != NULL, "no memory");
    w->now_us = 1000000;
    must(ssi_tls_profile_new(&w->client) == 0 && ssi_tls_profile_new(&w->server) == 0 &&
             ssi_tls_profile_add_trust_pem(w->client, identity_cert, strlen(identity_cert)) == 0 &&
             ssi_tls_profile_set_identity_pem(w->server, identity_cert, strlen(identity_cert),
                                              identity_key, strlen(identity_key)) == 0,
         "profile");
    for (int i = 0; i < N_HOSTS; i++)
        start_host(w, (enum role)i);
    if (crowded >= 0)
        join_crowd(w, &w->hosts[crowded]);
    must(secsip_registrar_new(w->hosts[PROXY].stack, &config, &w->registrar) == 0, "registrar");
    w->alice = new_account(w, &w->hosts[CALLER], "sip:alice@example.test");
    w->bob = new_account(w, &w->hosts[CALLEE], "sip:bob@example.test");
    settle(w);
    must(w->n_registered == 2, "both registered");
    return w;
}

static void one_call(struct world *w)
{
    struct host *caller = &w->hosts[CALLER];
    secsip_result r = 0;

    w->n_talking = w->n_ended = 0;
    INSIDE(caller,
           r = secsip_call_new(w->alice, "sip:bob@example.test", &call_callbacks, w, &w->call));
    must(r == 0, "call");
    settle(w);
    must(w->n_talking == 2, "both talking");
    INSIDE(caller, r = secsip_call_hangup(w->call));
    settle(w);
    must(r == 0 && w->n_ended == 2, "both ended");
    secsip_call_unref(w->call);
    secsip_call_unref(w->answered);
}

static double round_of_calls(struct world *w, enum role role)
{
    w->hosts[role].busy_s = 0;
    for (int i = 0; i < CALLS; i++)
        one_call(w);
    return w->hosts[role].busy_s / CALLS * 1e6;
}

static double least(double a, double b)
{
    return a == 0 || b < a ? b : a;
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"a call in a crowd, the caller's stack",
                                        "a call in a crowd, the proxy's stack",
                                        "a call in a crowd, the callee's stack"};
    if (!report_open(argc, argv, ""))
        return 2;
    struct world *alone = new_world(-1);
    for (int role = 0; role < N_HOSTS; role++) {
        double with = 0, without = 0;
        struct world *crowded = new_world(role);
        for (int i = 0; i < ROUNDS; i++) {
            without = least(without, round_of_calls(alone, (enum role)role));
            with = least(with, round_of_calls(crowded, (enum role)role));
        }
        report(&(struct report_row){.what = names[role],
                                    .unit = "us",
                                    .ours = with,
                                    .peer = "alone",
                                    .theirs = without,
                                    .ratio = with / without,
                                    .op = "<=",
                                    .target = MOST});
    }
    return report_close(); /* the worlds go with the process */
}
