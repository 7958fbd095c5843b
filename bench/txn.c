/* What one non-INVITE server transaction costs, from parsed request to its end, with N others alive. The figure must not
 * depend on N. Prints one line per N: nanoseconds per transaction, and bytes per living one beside its message. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "txn/priv.h"

enum {
    ROUNDS = 20000,
    PREPARED = 1000
};

struct bench {
    struct ssi_timers timers;
    struct ssi_txn_layer layer;
    struct ssi_txn_flow flow;
    struct ssi_sip_msg *prepared[PREPARED];
    uint32_t next;
    bool answers;
};

static void flow_send(struct ssi_txn_flow *flow, struct ssi_slice bytes)
{
    (void)flow;
    (void)bytes;
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
    struct bench *b = arg;
    (void)m;
    (void)flow;
    if (b->answers)
        ssi_txn_respond_status(t, 200, NULL);
}

static uint64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

static struct ssi_sip_msg *make_request(uint32_t n)
{
    char text[512];
    struct ssi_sip_msg *m;
    int len = snprintf(
        text, sizeof text,
        "MESSAGE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/TLS "
        "client.example.com:5061;branch=z9hG4bK%u\r\n"
        "Max-Forwards: 70\r\nFrom: <sip:alice@example.com>;tag=f%u\r\nTo: <sip:bob@example.com>\r\n"
        "Call-ID: %u@client.example.com\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n",
        n, n, n);

    if (ssi_sip_msg_parse(text, (size_t)len, true, NULL, NULL, &m) < 0)
        exit(1);
    return m;
}

static void measure(uint32_t n_alive)
{
    static struct bench b;
    static const struct ssi_txn_layer_ops ops = {.on_request = on_request};
    const struct ssi_txn_config config = {.max_transactions = 1000000};

    ssi_timers_init(&b.timers, 0);
    if (ssi_txn_layer_init(&b.layer, &config, &b.timers, &ops, &b) < 0)
        exit(1);
    b.flow = (struct ssi_txn_flow){
        .send = flow_send, .ref = flow_ref, .unref = flow_unref, .reliable = true};
    ssi_txn_flow_init(&b.flow);
    b.answers = false;
    size_t bytes = 0;
    for (uint32_t i = 0; i < n_alive; i++) {
        struct ssi_sip_msg *m = make_request(1000000 + i);
        size_t before = mallinfo2().uordblks;
        ssi_txn_input(&b.layer, m, &b.flow, "192.0.2.1", 5061);
        bytes += mallinfo2().uordblks - before;
        ssi_sip_msg_unref(m);
    }
    b.answers = true;
    for (uint32_t i = 0; i < PREPARED; i++)
        b.prepared[i] = make_request(i);
    uint64_t best = UINT64_MAX;
    for (int round = 0; round < 5; round++) {
        uint64_t start = now_ns();
        for (uint32_t i = 0; i < ROUNDS; i++) {
            ssi_txn_input(&b.layer, b.prepared[i % PREPARED], &b.flow, "192.0.2.1", 5061);
            ssi_timers_advance(&b.timers, b.timers.now_us, 4);
        }
        uint64_t took = now_ns() - start;
        best = took < best ? took : best;
    }
    printf("%7u alive: %5llu ns per transaction, %zu bytes each\n", n_alive,
           (unsigned long long)(best / ROUNDS), bytes / n_alive);
    for (uint32_t i = 0; i < PREPARED; i++)
        ssi_sip_msg_unref(b.prepared[i]);
    ssi_txn_layer_free(&b.layer);
}

int main(void)
{
    static const uint32_t alive[] = {1, 1000, 10000, 100000};

    for (size_t i = 0; i < sizeof alive / sizeof alive[0]; i++)
        measure(alive[i]);
    return 0;
}
