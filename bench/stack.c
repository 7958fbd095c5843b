/* What a server spends on a request of one kilobyte and its reply of as much over an open TLS connection, on the engine door:
 * record in, message parsed, transaction, answer, record out, timers. Only the server's steps are timed; the client, a bare
 * TLS session, seals a batch of requests before and opens the replies after. Beside it what TLS alone takes of that. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../tests/fuzz/identity.h"
#include "base/buf.h"
#include "common/report.h"
#include "secsip/secsip.h"
#include "secsip/unstable/engine.h"
#include "tls/tls.h"

enum {
    ROUNDS = 40,
    BATCH = 250,
    SIZE = 1024,
    RECORD_MAX = SIZE + 64,
    NOW = 1750000000,
};

struct record {
    size_t len;
    uint8_t data[RECORD_MAX];
};

struct bench {
    secsip_stack *stack;
    secsip_engine_listener *listener;
    secsip_engine_stream *server;
    struct ssi_tls_session *client;
    struct ssi_buf to_client;
    uint64_t now_us;
    struct record records[BATCH]; /* what the client sealed */
};

static secsip_tls_profile *client_profile, *server_profile;

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "bench_stack: %s failed\n", what);
    exit(2);
}

static double cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* ---- What the stack asks: only to listen and to write. */
static secsip_result ask_connect(secsip_engine_stream *s, const secsip_engine_address *to,
                                 void *arg)
{
    (void)s;
    (void)to;
    (void)arg;
    return SECSIP_E_INVALID;
}

/* As a socket that always takes everything. */
static void ask_write(secsip_engine_stream *s, void *arg)
{
    struct bench *b = arg;
    const uint8_t *data;
    size_t len;

    while ((len = secsip_engine_stream_output(s, &data)) > 0) {
        ssi_buf_put(&b->to_client, data, len);
        secsip_engine_stream_sent(s, len);
    }
}

static void ask_close(secsip_engine_stream *s, void *arg)
{
    (void)s;
    (void)arg;
}

static secsip_result ask_listen(secsip_engine_listener *l, secsip_engine_address *at, void *arg)
{
    struct bench *b = arg;
    (void)at;
    b->listener = l;
    return 0;
}

static secsip_result ask_dgram_open(secsip_engine_dgram *d, secsip_engine_address *at, void *arg)
{
    (void)d;
    (void)at;
    (void)arg;
    return SECSIP_E_INVALID;
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

static const secsip_engine_io io = {
    .size = sizeof io,
    .stream_connect = ask_connect,
    .stream_wants_write = ask_write,
    .stream_close = ask_close,
    .listen = ask_listen,
    .dgram_open = ask_dgram_open,
    .dgram_send = ask_dgram_send,
    .dgram_close = ask_dgram_close,
};

/* ---- Set-up. */

static void make_profiles(void)
{
    must(ssi_tls_profile_new(&client_profile) == 0 && ssi_tls_profile_new(&server_profile) == 0 &&
             ssi_tls_profile_add_trust_pem(client_profile, identity_cert, strlen(identity_cert)) ==
                 0 &&
             ssi_tls_profile_set_identity_pem(server_profile, identity_cert, strlen(identity_cert),
                                              identity_key, strlen(identity_key)) == 0,
         "a profile");
}

static void to_server(struct bench *b)
{
    struct ssi_buf *out = ssi_tls_session_output(b->client);

    secsip_engine_stream_input(b->server, (const uint8_t *)ssi_buf_slice(out).p, out->len);
    ssi_buf_consume(out, out->len);
    secsip_engine_advance(b->stack, b->now_us, NOW);
}

static void to_client(struct bench *b)
{
    struct ssi_slice s = ssi_buf_slice(&b->to_client);

    must(ssi_tls_session_input(b->client, s.p, s.len) >= 0, "the client's input");
    ssi_buf_reset(&b->to_client);
}

static void open_all(struct bench *b)
{
    const secsip_stack_config config = {.size = sizeof config};
    const struct ssi_tls_config tls = {
        .profile = client_profile, .domain = "example.test", .wall_s = NOW};
    const secsip_engine_address here = {
        .size = sizeof here, .family = 4, .ip = {10, 0, 0, 1}, .port = 5061};
    const secsip_engine_address there = {
        .size = sizeof there, .family = 4, .ip = {10, 0, 0, 2}, .port = 40000};

    b->now_us = 1000000;
    ssi_buf_init(&b->to_client, (size_t)BATCH * RECORD_MAX * 2);
    must(secsip_engine_stack_new(&config, &io, b, b->now_us, NOW, &b->stack) == 0 &&
             secsip_stack_listen(b->stack, "tls:10.0.0.1:5061", server_profile, NULL) == 0,
         "a stack");
    must(ssi_tls_session_new(&tls, &b->client) == 0, "a client");
    ssi_tls_session_start(b->client);
    b->server = secsip_engine_accept(b->listener, &there, &here, b);
    must(b->server != NULL, "a connection");
    for (int i = 0; i < 3; i++) {
        to_server(b);
        to_client(b);
    }
    must(ssi_tls_session_state(b->client) == SSI_TLS_OPEN, "the handshake");
}

/* ---- Measuring. */

/* An OPTIONS of SIZE bytes through two proxies, whose reply repeats most of it. */
static size_t make_request(char out[SIZE + 1], unsigned n)
{
    static const char form[] =
        "OPTIONS sip:example.test SIP/2.0\r\n"
        "Via: SIP/2.0/TLS edge.example.test:5061;branch=z9hG4bK%08x;rport\r\n"
        "Via: SIP/2.0/TLS "
        "core.example.test:5061;branch=z9hG4bK7d82c4.1;received=192.0.2.17;rport=5061;i=%s\r\n"
        "Via: SIP/2.0/TLS "
        "198.51.100.7:49152;branch=z9hG4bK776asdhds;received=198.51.100.7;rport=49152\r\n"
        "Max-Forwards: 68\r\nFrom: \"Alice\" <sips:alice@example.test>;tag=1928301774\r\n"
        "To: <sip:example.test>\r\nCall-ID: a84b4c76e66710%08x@198.51.100.7\r\n"
        "CSeq: %u OPTIONS\r\nContact: <sips:alice@198.51.100.7:49152;transport=tls>\r\n"
        "Accept: application/sdp\r\nUser-Agent: bench/1.0\r\nContent-Length: 0\r\n\r\n";
    char fill[SIZE] = "";
    int len = snprintf(out, SIZE + 1, form, n, fill, n, n % 10);

    must(len > 0 && len < SIZE, "a short request");
    memset(fill, 'x', (size_t)(SIZE - len));
    fill[SIZE - len] = 0;
    len = snprintf(out, SIZE + 1, form, n, fill, n, n % 10);
    return (size_t)len;
}

static void seal_batch(struct bench *b, unsigned round)
{
    char text[SIZE + 1];

    for (unsigned i = 0; i < BATCH; i++) {
        size_t len = make_request(text, round * BATCH + i);
        must(len == SIZE && ssi_tls_session_write(b->client, text, len) >= 0, "a request");
        struct ssi_buf *out = ssi_tls_session_output(b->client);
        struct record *r = &b->records[i];
        must(out->len > 0 && out->len <= sizeof r->data, "a record");
        r->len = out->len;
        memcpy(r->data, out->data + out->off, r->len);
        ssi_buf_consume(out, out->len);
    }
}

/* Every request was answered with 200, in about as many bytes. */
static void open_batch(struct bench *b)
{
    static char text[BATCH * 2 * SIZE];
    size_t len = 0, n = 0, got;

    to_client(b);
    while ((got = ssi_tls_session_read(b->client, text + len, sizeof text - 1 - len)) > 0)
        len += got;
    text[len] = 0;
    for (const char *p = text; (p = strstr(p, "SIP/2.0 200 OK\r\n")); p++)
        n++;
    must(n == BATCH && len > (size_t)BATCH * SIZE * 9 / 10 && len < (size_t)BATCH * SIZE * 11 / 10,
         "a batch of replies");
}

static double serve_batch(struct bench *b)
{
    double from = cpu_us();

    for (unsigned i = 0; i < BATCH; i++) {
        secsip_engine_stream_input(b->server, b->records[i].data, b->records[i].len);
        b->now_us += 100;
        secsip_engine_advance(b->stack, b->now_us, NOW);
    }
    return (cpu_us() - from) / BATCH;
}

/* The TLS of it: a session alone opens SIZE bytes and seals as many. */
static double tls_batch(struct ssi_tls_session *server, const struct bench *b)
{
    static char data[SIZE];
    double from = cpu_us();

    for (unsigned i = 0; i < BATCH; i++) {
        must(ssi_tls_session_input(server, b->records[i].data, b->records[i].len) >= 0 &&
                 ssi_tls_session_read(server, data, sizeof data) == sizeof data &&
                 ssi_tls_session_write(server, data, sizeof data) >= 0,
             "TLS alone");
        struct ssi_buf *out = ssi_tls_session_output(server);
        ssi_buf_consume(out, out->len);
    }
    return (cpu_us() - from) / BATCH;
}

static struct ssi_tls_session *open_tls(struct bench *b)
{
    const struct ssi_tls_config config = {
        .profile = client_profile, .domain = "example.test", .wall_s = NOW};
    const struct ssi_tls_config server_config = {
        .profile = server_profile, .server = true, .wall_s = NOW};
    struct ssi_tls_session *server;
    char byte;

    must(ssi_tls_session_new(&config, &b->client) == 0 &&
             ssi_tls_session_new(&server_config, &server) == 0,
         "sessions");
    ssi_tls_session_start(b->client);
    for (int i = 0; i < 3; i++) {
        struct ssi_buf *out = ssi_tls_session_output(b->client);
        ssi_tls_session_input(server, ssi_buf_slice(out).p, out->len);
        ssi_buf_consume(out, out->len);
        out = ssi_tls_session_output(server);
        ssi_tls_session_input(b->client, ssi_buf_slice(out).p, out->len);
        ssi_buf_consume(out, out->len);
    }
    ssi_tls_session_read(server, &byte, 1);
    must(ssi_tls_session_state(server) == SSI_TLS_OPEN, "the handshake");
    return server;
}

static double least(double a, double b)
{
    return a == 0 || b < a ? b : a;
}

int main(int argc, char **argv)
{
    static struct bench all, tls;
    double whole = 0, alone = 0;

    if (!report_open(argc, argv, ""))
        return 2;
    make_profiles();
    open_all(&all);
    struct ssi_tls_session *server = open_tls(&tls);
    for (unsigned round = 0; round < ROUNDS; round++) {
        seal_batch(&all, round);
        whole = least(whole, serve_batch(&all));
        open_batch(&all);
        seal_batch(&tls, round);
        alone = least(alone, tls_batch(server, &tls));
    }
    report(&(struct report_row){.what = "1 kB request and reply over TLS, the server's side",
                                .unit = "us",
                                .ours = whole,
                                .peer = "TLS alone",
                                .theirs = alone,
                                .op = "<=",
                                .target = 10});
    return report_close(); /* what is open goes with the process */
}
