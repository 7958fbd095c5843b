/* What one whole non-INVITE server transaction costs, from the bytes of the request to the end of its last timer, with N
 * others alive: parse, match, 200 out, timer J (zero, over a reliable transport). The figure must not depend on N. Beside it
 * libosip2's, in the same run, while that can be waited for. Bytes of a living one are what ssi_txn_input takes: neither the
 * parsed request, which it keeps a reference on, nor the bytes of its response. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <osip2/osip.h>

#include "common/count.h"
#include "common/report.h"
#include "txn/priv.h"

enum {
    ROUNDS = 7,
    PER_ROUND = 20000,
    PREPARED = 1000,
    REQUEST_MAX = 512,
    OSIP_MOST_ALIVE =
        10000, /* beyond it one transaction takes tens of milliseconds, and 100,000 take gigabytes */
};

struct request {
    char bytes[REQUEST_MAX];
    size_t len;
};

struct cost {
    double ns;
    double allocations;
    double bytes_alive;
};

static struct request prepared[PREPARED];

static uint64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts); /* others use the machine, too */
    return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

static void make_request(struct request *r, uint32_t n)
{
    r->len = (size_t)snprintf(
        r->bytes, sizeof r->bytes,
        "MESSAGE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/TLS "
        "client.example.com:5061;branch=z9hG4bK%u\r\n"
        "Max-Forwards: 70\r\nFrom: <sip:alice@example.com>;tag=f%u\r\nTo: <sip:bob@example.com>\r\n"
        "Call-ID: %u@client.example.com\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n",
        n, n, n);
}

static void check(bool holds, const char *what)
{
    if (holds)
        return;
    (void)fprintf(stderr, "%s failed\n", what);
    exit(1);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median of the rounds: a quiet moment does not flatter, a busy one does not spoil. */
static double median(double *took)
{
    qsort(took, ROUNDS, sizeof *took, by_value);
    return took[ROUNDS / 2];
}

/* ---- Ours */
struct ours {
    struct ssi_timers timers;
    struct ssi_txn_layer layer;
    struct ssi_txn_flow flow;
    uint64_t n_sent;
    bool answers;
};

static void flow_send(struct ssi_txn_flow *flow, struct ssi_slice bytes)
{
    struct ours *o = SSI_CONTAINER(flow, struct ours, flow);
    o->n_sent += bytes.len > 0;
}

static struct ssi_txn_flow *flow_ref(struct ssi_txn_flow *flow)
{
    return flow;
}

static void flow_unref(struct ssi_txn_flow *flow)
{
    (void)flow;
}

static void on_request(void *arg, struct ssi_txn *t, struct ssi_sip_msg *m,
                       struct ssi_txn_flow *flow)
{
    struct ours *o = arg;
    (void)m;
    (void)flow;
    if (o->answers)
        ssi_txn_respond_status(t, 200, NULL);
}

static void ours_take(struct ours *o, const struct request *r, size_t *ret_bytes)
{
    struct ssi_sip_msg *m;

    check(ssi_sip_msg_parse(r->bytes, r->len, true, NULL, NULL, &m) >= 0, "ssi_sip_msg_parse");
    size_t before = ret_bytes ? mallinfo2().uordblks : 0;
    ssi_txn_input(&o->layer, m, &o->flow, "192.0.2.1", 5061);
    if (ret_bytes)
        *ret_bytes += mallinfo2().uordblks - before;
    ssi_sip_msg_unref(m);
}

static struct cost measure_ours(uint32_t n_alive)
{
    static struct ours o;
    static const struct ssi_txn_layer_ops ops = {.on_request = on_request};
    const struct ssi_txn_config config = {.max_transactions = 1000000};
    struct request r;
    double took[ROUNDS];
    size_t bytes = 0;
    uint32_t n_weighed = n_alive < PREPARED ? n_alive : PREPARED;

    ssi_timers_init(&o.timers, 0);
    check(ssi_txn_layer_init(&o.layer, &config, &o.timers, &ops, &o) >= 0, "ssi_txn_layer_init");
    o.flow = (struct ssi_txn_flow){
        .send = flow_send, .ref = flow_ref, .unref = flow_unref, .reliable = true};
    ssi_txn_flow_init(&o.flow);
    o.answers = false;
    for (uint32_t i = 0; i < n_alive; i++) {
        make_request(&r, 1000000 + i);
        ours_take(&o, &r, i < n_weighed ? &bytes : NULL);
    }
    o.answers = true;
    o.n_sent = 0;
    uint64_t taken = count_allocations;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t start = now_ns();
        for (uint32_t i = 0; i < PER_ROUND; i++) {
            ours_take(&o, &prepared[i % PREPARED], NULL);
            ssi_timers_advance(&o.timers, o.timers.now_us, 4);
        }
        took[round] = (double)(now_ns() - start) / PER_ROUND;
    }
    check(o.n_sent == (uint64_t)ROUNDS * PER_ROUND && o.layer.n_live == n_alive,
          "our transactions");
    struct cost c = {median(took), (double)(count_allocations - taken) / ROUNDS / PER_ROUND,
                     (double)bytes / n_weighed};
    ssi_txn_layer_free(&o.layer);
    return c;
}

/* ---- libosip2's */
static uint64_t osip_sent;

static int osip_send(osip_transaction_t *t, osip_message_t *m, char *host, int port, int socket)
{
    char *bytes;
    size_t len;

    (void)t;
    (void)host;
    (void)port;
    (void)socket;
    if (osip_message_to_str(m, &bytes, &len) != 0)
        return -1;
    osip_free(bytes);
    osip_sent++;
    return 0;
}

static void no_trace(const char *file, int line, osip_trace_level_t level, const char *format,
                     va_list args)
{
    (void)file;
    (void)line;
    (void)level;
    (void)format;
    (void)args;
}

static osip_transaction_t *osip_begin(osip_t *o, const struct request *r)
{
    osip_event_t *e = osip_parse(r->bytes, r->len);

    check(e != NULL, "osip_parse");
    /* What an application does with every message: first it asks whether there is a transaction. */
    check(osip_find_transaction_and_add_event(o, e) != 0, "a new transaction");
    osip_transaction_t *t = osip_create_transaction(o, e);
    check(t != NULL, "osip_create_transaction");
    osip_transaction_execute(t, e);
    return t;
}

static void osip_respond(osip_transaction_t *t)
{
    osip_message_t *m;

    check(osip_message_init(&m) == 0, "osip_message_init");
    osip_message_set_version(m, osip_strdup("SIP/2.0"));
    osip_message_set_status_code(m, 200);
    osip_message_set_reason_phrase(m, osip_strdup("OK"));
    osip_via_t *via;
    check(osip_via_clone((osip_via_t *)osip_list_get(&t->orig_request->vias, 0), &via) == 0, "via");
    osip_list_add(&m->vias, via, -1);
    osip_from_clone(t->orig_request->from, &m->from);
    osip_to_clone(t->orig_request->to, &m->to);
    osip_to_set_tag(m->to, osip_strdup("0123456789abcdef"));
    osip_call_id_clone(t->orig_request->call_id, &m->call_id);
    osip_cseq_clone(t->orig_request->cseq, &m->cseq);
    osip_message_set_content_length(m, "0");
    osip_event_t *e = osip_new_outgoing_sipmessage(m);
    osip_transaction_execute(t, e);
}

/* Without timer J, which it finds by looking at every transaction: in its favour. */
static void osip_end(osip_transaction_t *t)
{
    osip_transaction_free(t);
}

static struct cost measure_osip(uint32_t n_alive)
{
    uint32_t per_round = n_alive < 100 ? 2000 : n_alive < 5000 ? 200 : 5;
    static osip_transaction_t *alive[OSIP_MOST_ALIVE];
    struct request r;
    double took[ROUNDS];
    osip_t *o;

    check(osip_init(&o) == 0, "osip_init");
    osip_set_cb_send_message(o, osip_send);
    size_t before = mallinfo2().uordblks;
    for (uint32_t i = 0; i < n_alive; i++) {
        make_request(&r, 1000000 + i);
        osip_event_t *e = osip_parse(r.bytes, r.len);
        check(e != NULL, "osip_parse");
        alive[i] = osip_create_transaction(o, e);
        check(alive[i] != NULL, "osip_create_transaction");
        osip_transaction_execute(alive[i], e);
    }
    size_t bytes = mallinfo2().uordblks - before;
    osip_sent = 0;
    uint64_t taken = count_allocations;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t start = now_ns();
        for (uint32_t i = 0; i < per_round; i++) {
            osip_transaction_t *t = osip_begin(o, &prepared[i % PREPARED]);
            osip_respond(t);
            osip_end(t);
        }
        took[round] = (double)(now_ns() - start) / per_round;
    }
    check(osip_sent == (uint64_t)ROUNDS * per_round, "libosip2's transactions");
    struct cost c = {median(took), (double)(count_allocations - taken) / ROUNDS / per_round,
                     (double)bytes / n_alive};
    for (uint32_t i = n_alive; i-- > 0;)
        osip_transaction_free(alive[i]);
    osip_release(o);
    return c;
}

/* One alone is measured in time, with others alive in what they add. */
static void report_cost(uint32_t alive, const struct cost *ours, const struct cost *osip,
                        const struct cost *alone)
{
    char what[64];

    snprintf(what, sizeof what, "a server transaction, %u alive", alive);
    struct report_row row = {
        .what = what, .unit = "us", .ours = ours->ns / 1e3, .op = "<=", .target = 3};
    if (osip) {
        row.peer = "libosip2";
        row.theirs = osip->ns / 1e3;
    }
    if (ours != alone) {
        row.ratio = ours->ns / alone->ns;
        row.target = 1.5;
    }
    report(&row);
}

static void report_memory(const struct cost *ours, const struct cost *osip)
{
    report(&(struct report_row){.what = "allocations for a server transaction and its messages",
                                .unit = "",
                                .ours = ours->allocations,
                                .peer = "libosip2",
                                .theirs = osip->allocations,
                                .op = "<=",
                                .target = 4});
    report(&(struct report_row){.what = "memory of a living transaction beside its message",
                                .unit = "bytes",
                                .ours = ours->bytes_alive,
                                .op = "<=",
                                .target = 2048});
}

int main(int argc, char **argv)
{
    static const uint32_t alive[] = {1, 1000, 10000, 100000};
    enum {
        N = sizeof alive / sizeof alive[0]
    };
    struct cost ours[N], osip[N];

    if (!report_open(argc, argv, ""))
        return 2;
    osip_trace_initialize_func(TRACE_LEVEL0, no_trace);
    for (uint32_t i = 0; i < PREPARED; i++)
        make_request(&prepared[i], i);
    for (size_t i = 0; i < N; i++) {
        bool waits = alive[i] <= OSIP_MOST_ALIVE;
        ours[i] = measure_ours(alive[i]);
        if (waits)
            osip[i] = measure_osip(alive[i]);
        report_cost(alive[i], &ours[i], waits ? &osip[i] : NULL, &ours[0]);
    }
    report_memory(&ours[1], &osip[1]);
    return report_close();
}
