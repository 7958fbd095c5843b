/* The driver on real sockets of this machine, with a small core in place of the real one. Nothing waits for luck: each step
 * runs until what it waits for has happened, or a generous limit says that it never will. */
#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "api/driver.h"
#include "base/buf.h"
#include "base/timer.h"
#include "net/socket.h"

enum {
    MAX_ENDS = 80,
    PATIENCE_MS = 20000,
};

/* System calls of the program, counted where libc would be entered. */
static unsigned n_send, n_recv, n_epoll;

ssize_t send(int fd, const void *data, size_t len, int flags)
{
    n_send++;
    return syscall(SYS_sendto, fd, data, len, flags, NULL, 0);
}

ssize_t recv(int fd, void *data, size_t len, int flags)
{
    n_recv++;
    return syscall(SYS_recvfrom, fd, data, len, flags, NULL, NULL);
}

int epoll_wait(int fd, struct epoll_event *events, int max, int timeout)
{
    n_epoll++;
    return (int)syscall(SYS_epoll_wait, fd, events, max, timeout);
}

/* One end of a connection as the small core keeps it. */
struct end {
    struct ssi_stream s;
    struct ssi_buf out;
    struct ssi_buf in;
    bool connected, closed, echo, close_on_input;
    unsigned n_inputs, n_sent;
    secsip_result why;
    char detail[100];
    struct ssi_addr local, peer;
};

struct ssi_ua {
    struct ssi_driver *d;
    uint64_t now_us, due_us;
    unsigned n_advances, more_advances;
    struct end ends[MAX_ENDS];
    size_t n_ends;
    bool refuse, close_on_connect, echo;
    struct ssi_buf dgram;
    struct ssi_addr dgram_from;
    unsigned n_unreachable;
    struct ssi_addr unreachable;
    secsip_result resolved;
    size_t n_answers, n_rrs;
    struct ssi_rr rrs[10];
    bool inside;
};

static struct ssi_ua ua;
static struct ssi_io io;

static struct end *end_of(struct ssi_stream *s)
{
    return (struct end *)(void *)s;
}

static struct end *new_end(void)
{
    assert_true(ua.n_ends < MAX_ENDS);
    struct end *e = &ua.ends[ua.n_ends++];
    memset(e, 0, sizeof *e);
    e->s.ua = &ua;
    e->echo = ua.echo;
    ssi_buf_init(&e->out, 64 << 20);
    ssi_buf_init(&e->in, 64 << 20);
    return e;
}

static bool core_advance(struct ssi_ua *u, uint64_t now_us, uint64_t wall_s)
{
    assert_true(wall_s > 1577836800);
    u->now_us = now_us;
    u->n_advances++;
    if (u->due_us <= now_us)
        u->due_us = SSI_NEVER;
    if (u->more_advances == 0)
        return false;
    u->more_advances--;
    return true;
}

static uint64_t core_deadline(const struct ssi_ua *u)
{
    return u->due_us;
}

static void say(struct end *e, const void *data, size_t len)
{
    ssi_buf_put(&e->out, data, len);
    io.stream_wants_write(ua.d, &e->s);
}

static void shut(struct end *e)
{
    io.stream_close(ua.d, &e->s);
    e->closed = true;
}

static void core_connected(struct ssi_stream *s, const struct ssi_addr *local)
{
    assert_int_equal(ssi_driver_process(ua.d), SECSIP_E_BUSY);
    end_of(s)->connected = true;
    end_of(s)->local = *local;
    if (ua.close_on_connect)
        shut(end_of(s));
}

static struct ssi_stream *core_accepted(struct ssi_listener *l, const struct ssi_addr *peer,
                                        const struct ssi_addr *local, void *io_data)
{
    assert_ptr_equal(l->ua, &ua);
    assert_non_null(io_data);
    if (ua.refuse)
        return NULL;
    struct end *e = new_end();
    e->connected = true;
    e->peer = *peer;
    e->local = *local;
    return &e->s;
}

static void core_input(struct ssi_stream *s, const void *data, size_t len)
{
    struct end *e = end_of(s);

    e->n_inputs++;
    ssi_buf_put(&e->in, data, len);
    if (e->echo)
        say(e, data, len);
    if (e->close_on_input)
        shut(e);
}

static struct ssi_buf *core_output(struct ssi_stream *s)
{
    return &end_of(s)->out;
}

static void core_sent(struct ssi_stream *s)
{
    end_of(s)->n_sent++;
}

static void core_closed(struct ssi_stream *s, secsip_result why, const char *detail)
{
    struct end *e = end_of(s);

    assert_false(e->closed);
    e->closed = true;
    e->why = why;
    snprintf(e->detail, sizeof e->detail, "%s", detail ? detail : "");
}

static void core_dgram(struct ssi_dgram *d, const struct ssi_addr *from, uint8_t *data, size_t len)
{
    (void)d;
    ua.dgram_from = *from;
    ssi_buf_put(&ua.dgram, data, len);
}

static void core_failed(struct ssi_dgram *d, const struct ssi_addr *to, const char *detail)
{
    assert_true(d->is_signalling);
    ua.n_unreachable++;
    ua.unreachable = *to;
    assert_string_equal(detail, "Connection refused");
}

static void core_resolved(struct ssi_query *q, secsip_result result, const struct ssi_rr *rrs,
                          size_t n_rrs)
{
    assert_ptr_equal(q->ua, &ua);
    assert_false(ua.inside);
    ua.n_answers++;
    ua.resolved = result;
    ua.n_rrs = n_rrs;
    for (size_t i = 0; i < n_rrs && i < 10; i++)
        ua.rrs[i] = rrs[i];
}

static const struct ssi_driver_tell tell = {
    core_advance, core_deadline, core_connected, core_accepted, core_input, core_output,
    core_sent,    core_closed,   core_dgram,     core_resolved, core_failed};

static uint64_t now(void)
{
    uint64_t now_us, wall_s;

    ssi_driver_now(&now_us, &wall_s);
    return now_us;
}

static bool wait_readable(int fd, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, timeout_ms) == 1;
}

static int start_with(const char *servers)
{
    memset(&ua, 0, sizeof ua);
    ua.due_us = SSI_NEVER;
    ssi_buf_init(&ua.dgram, 10000);
    if (ssi_driver_new_telling(&tell, &ua, servers, &ua.d) < 0)
        return -1;
    ssi_driver_io(ua.d, &io);
    return 0;
}

static int start(void **state)
{
    (void)state;
    return start_with(NULL);
}

static int stop(void **state)
{
    (void)state;
    ssi_driver_free(ua.d);
    for (size_t i = 0; i < ua.n_ends; i++) {
        ssi_buf_free(&ua.ends[i].out);
        ssi_buf_free(&ua.ends[i].in);
    }
    ssi_buf_free(&ua.dgram);
    return 0;
}

/* Runs the driver until the condition holds. */
#define UNTIL(condition)                                                                           \
    do {                                                                                           \
        uint64_t limit_us = now() + PATIENCE_MS * 1000U;                                           \
        while (!(condition)) {                                                                     \
            wait_readable(ssi_driver_fd(ua.d), 1000);                                              \
            assert_int_equal(ssi_driver_process(ua.d), 0);                                         \
            assert_true(now() < limit_us);                                                         \
        }                                                                                          \
    } while (0)

static bool readable(int fd)
{
    return wait_readable(fd, 0);
}

static struct ssi_addr loopback(uint16_t port)
{
    return (struct ssi_addr){.family = 4, .port = port, .ip = {127, 0, 0, 1}};
}

static struct ssi_listener listener;

static void listen_here(void)
{
    listener = (struct ssi_listener){.ua = &ua, .local = loopback(0)};
    assert_int_equal(io.listen(ua.d, &listener), 0);
    assert_true(listener.local.port > 0);
}

/* A connection of the driver to itself. */
static void connect_pair(struct end **client, struct end **server)
{
    *client = new_end();
    assert_int_equal(io.stream_connect(ua.d, &(*client)->s, &listener.local), 0);
    assert_false((*client)->connected); /* never from inside the call */
    size_t next = ua.n_ends;
    UNTIL((*client)->connected && ua.n_ends > next);
    *server = &ua.ends[next];
}

static void bytes_arrive_whole_and_in_order(void **state)
{
    (void)state;
    enum {
        LEN = 9 << 20
    }; /* more than any socket buffer takes at once */
    struct end *client, *server;
    uint8_t *data = malloc(LEN);

    assert_non_null(data);
    for (size_t i = 0; i < LEN; i++)
        data[i] = (uint8_t)(i * 2654435761U >> 24);
    listen_here();
    connect_pair(&client, &server);
    assert_int_equal(server->peer.port, client->local.port);
    assert_int_equal(server->local.port, listener.local.port);
    server->echo = true;
    say(client, data, LEN);
    UNTIL(client->in.len == LEN);
    assert_memory_equal(ssi_buf_slice(&client->in).p, data, LEN);
    assert_int_equal(client->out.len, 0);
    free(data);
}

static void an_idle_message_costs_one_receive_and_one_send(void **state)
{
    (void)state;
    struct end *client, *server;

    listen_here();
    connect_pair(&client, &server);
    server->echo = true;
    /* The far side is the driver too, so a round trip is two of each. */
    for (int i = 0; i < 5; i++) {
        UNTIL(!readable(ssi_driver_fd(ua.d)));
        n_send = n_recv = n_epoll = 0;
        size_t before = client->in.len;
        say(client, "OPTIONS", 3);
        say(client, "OPTIONS" + 3, 4); /* two pieces, one send */
        UNTIL(client->in.len == before + 7);
        assert_int_equal(n_send, 2);
        assert_int_equal(n_recv, 2);
        assert_true(n_epoll <= 4);
    }
}

static void refused_closed_and_reset_are_told_apart(void **state)
{
    (void)state;
    struct end *client, *server;
    struct linger hard = {1, 0};
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct ssi_addr nobody;
    socklen_t len = sizeof name;

    /* A port where nobody listens: bound, not listening, so that nobody else can take it. */
    int held = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(held, (struct sockaddr *)&name, sizeof name), 0);
    assert_int_equal(getsockname(held, (struct sockaddr *)&name, &len), 0);
    nobody = loopback(ntohs(name.sin_port));
    client = new_end();
    secsip_result r = io.stream_connect(ua.d, &client->s, &nobody);
    if (r == 0) {
        UNTIL(client->closed);
        assert_int_equal(client->why, SECSIP_E_NET_CONNECT);
        assert_string_equal(client->detail, "Connection refused");
    } else {
        assert_int_equal(r, SECSIP_E_NET_CONNECT);
    }
    close(held);

    listen_here();
    connect_pair(&client, &server);
    shut(client);
    UNTIL(server->closed);
    assert_int_equal(server->why, 0);

    int raw = socket(AF_INET, SOCK_STREAM, 0);
    name.sin_port = htons(listener.local.port);
    assert_int_equal(connect(raw, (struct sockaddr *)&name, sizeof name), 0);
    size_t next = ua.n_ends;
    UNTIL(ua.n_ends > next);
    setsockopt(raw, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(raw);
    UNTIL(ua.ends[next].closed);
    assert_int_equal(ua.ends[next].why, SECSIP_E_NET_RESET);
}

static void last_words_are_sent_before_the_close(void **state)
{
    (void)state;
    struct end *client, *server;

    listen_here();
    connect_pair(&client, &server);
    say(client, "BYE", 3);
    shut(client);
    UNTIL(server->closed);
    assert_int_equal(server->in.len, 3);
}

static void closing_from_inside_any_callback_is_legal(void **state)
{
    (void)state;
    struct end *client, *server;

    listen_here();
    connect_pair(&client, &server);
    server->close_on_input = true;
    server->echo = true;
    say(client, "x", 1);
    UNTIL(client->closed);
    assert_int_equal(client->in.len, 1);
    ua.close_on_connect = true;
    client = new_end();
    size_t next = ua.n_ends;
    assert_int_equal(io.stream_connect(ua.d, &client->s, &listener.local), 0);
    UNTIL(client->closed && ua.n_ends > next && ua.ends[next].closed);
    ua.close_on_connect = false;
    ua.refuse = true;
    client = new_end();
    assert_int_equal(io.stream_connect(ua.d, &client->s, &listener.local), 0);
    UNTIL(client->closed);
    /* Closed before it is connected: nothing follows. */
    client = new_end();
    assert_int_equal(io.stream_connect(ua.d, &client->s, &listener.local), 0);
    shut(client);
    io.listen_close(ua.d, &listener);
    UNTIL(!readable(ssi_driver_fd(ua.d)));
    assert_false(client->connected);
}

static void the_descriptor_tells_of_timers_and_of_work_left(void **state)
{
    (void)state;
    UNTIL(!readable(ssi_driver_fd(ua.d)));
    ua.due_us = now() + 30000;
    assert_false(readable(ssi_driver_fd(ua.d)));
    ssi_driver_rearm(ua.d);
    uint64_t due = ua.due_us;
    wait_readable(ssi_driver_fd(ua.d), PATIENCE_MS);
    assert_true(now() >= due);
    ssi_driver_process(ua.d);
    assert_true(ua.due_us == SSI_NEVER);
    assert_false(readable(ssi_driver_fd(ua.d)));
    /* A later deadline may wake early once, an earlier one never late. */
    ua.due_us = now() + 50000;
    ssi_driver_rearm(ua.d);
    ua.due_us = now() + 10000;
    ssi_driver_rearm(ua.d);
    due = ua.due_us;
    UNTIL(ua.due_us == SSI_NEVER);
    assert_true(ua.now_us >= due);
    /* A core with more due timers than one round may run keeps the descriptor readable. */
    ua.due_us = 0;
    ua.more_advances = 3;
    ssi_driver_rearm(ua.d);
    unsigned before = ua.n_advances;
    UNTIL(!readable(ssi_driver_fd(ua.d)));
    assert_true(ua.n_advances >= before + 4);
    assert_int_equal(ua.more_advances, 0);
}

static void datagrams_take_even_ports_and_arrive(void **state)
{
    (void)state;
    struct ssi_dgram rtp = {.ua = &ua, .local = loopback(0)},
                     rtcp = {.ua = &ua, .local = loopback(0)};

    assert_int_equal(io.dgram_open(ua.d, &rtp), 0);
    assert_int_equal(rtp.local.port % 2, 0);
    rtcp.local.port = (uint16_t)(rtp.local.port + 1);
    assert_int_equal(io.dgram_open(ua.d, &rtcp), 0);
    io.dgram_send(ua.d, &rtcp, &rtp.local, "media", 5);
    UNTIL(ua.dgram.len > 0);
    assert_int_equal(ua.dgram.len, 5);
    assert_true(ssi_addr_eq(&ua.dgram_from, &rtcp.local));
    /* A port in use is an error, not another port. */
    struct ssi_dgram again = {.ua = &ua, .local = rtp.local};
    assert_int_equal(io.dgram_open(ua.d, &again), SECSIP_E_NET_ADDRESS);
    io.dgram_close(ua.d, &rtp);
    io.dgram_close(ua.d, &rtcp);
}

/* One listens, another is connected to it; both hear of peers that are not there, and go on. */
static void signalling_over_udp_hears_of_icmp(void **state)
{
    (void)state;
    struct ssi_dgram server = {.ua = &ua, .is_signalling = true, .local = loopback(0)},
                     client = {.ua = &ua, .is_signalling = true},
                     stranger = {.ua = &ua, .is_signalling = true, .local = loopback(0)},
                     lonely = {.ua = &ua, .is_signalling = true};

    assert_int_equal(io.dgram_open(ua.d, &server), 0);
    assert_int_equal(io.dgram_open(ua.d, &stranger), 0);
    assert_true(server.local.port > 0);
    assert_int_equal(io.dgram_connect(ua.d, &client, &server.local), 0);
    assert_true(client.local.port > 0);
    assert_int_equal(client.local.ip[0], 127);
    io.dgram_send(ua.d, &client, &server.local, "request", 7);
    UNTIL(ua.dgram.len == 7);
    assert_true(ssi_addr_eq(&ua.dgram_from, &client.local));
    /* Only the peer reaches a connected socket; to a stranger it is as if nobody were there. */
    io.dgram_send(ua.d, &stranger, &client.local, "stranger", 8);
    UNTIL(ua.n_unreachable == 1);
    assert_true(ssi_addr_eq(&ua.unreachable, &client.local));
    io.dgram_send(ua.d, &server, &client.local, "response", 8);
    UNTIL(ua.dgram.len == 15);
    assert_true(ssi_addr_eq(&ua.dgram_from, &server.local));
    struct ssi_addr gone = stranger.local;
    io.dgram_close(ua.d, &stranger);
    assert_int_equal(io.dgram_connect(ua.d, &lonely, &gone), 0);
    io.dgram_send(ua.d, &lonely, &gone, "anybody?", 8);
    UNTIL(ua.n_unreachable == 2);
    assert_true(ssi_addr_eq(&ua.unreachable, &gone));
    io.dgram_send(ua.d, &server, &gone, "anybody?", 8);
    UNTIL(ua.n_unreachable == 3);
    io.dgram_send(ua.d, &server, &client.local, "again", 5);
    UNTIL(ua.dgram.len == 20);
    io.dgram_close(ua.d, &lonely);
    io.dgram_close(ua.d, &client);
    io.dgram_close(ua.d, &server);
}

static void running_out_of_descriptors_turns_peers_away(void **state)
{
    (void)state;
    struct rlimit before, few;
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int raw[8];
    char byte;

    listen_here();
    name.sin_port = htons(listener.local.port);
    for (int i = 0; i < 8; i++)
        raw[i] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = (rlim_t)raw[7] + 3; /* room for two */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    for (int i = 0; i < 8; i++)
        assert_int_equal(connect(raw[i], (struct sockaddr *)&name, sizeof name), 0);
    UNTIL(!readable(ssi_driver_fd(ua.d)));
    size_t taken = ua.n_ends;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_true(taken >= 1 && taken < 8);
    size_t refused = 0;
    for (int i = 0; i < 8; i++)
        refused += syscall(SYS_recvfrom, raw[i], &byte, 1, MSG_DONTWAIT, NULL, NULL) == 0;
    assert_int_equal(refused, 8 - taken);
    for (int i = 0; i < 8; i++)
        close(raw[i]);
}

/* A name server that answers what it is told to. */
static int dns_fd;

static void open_dns(char servers[64])
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof name;

    dns_fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(dns_fd, (struct sockaddr *)&name, sizeof name), 0);
    assert_int_equal(getsockname(dns_fd, (struct sockaddr *)&name, &len), 0);
    snprintf(servers, 64, "127.0.0.1:%u", (unsigned)ntohs(name.sin_port));
}

static void answer_dns(unsigned rcode, const void *answer, size_t answer_len)
{
    struct sockaddr_storage from;
    socklen_t len = sizeof from;
    uint8_t m[600];

    ssize_t n = recvfrom(dns_fd, m, sizeof m - answer_len, 0, (struct sockaddr *)&from, &len);
    assert_true(n > 12);
    /* Keep the question, drop the additional records. */
    size_t at = 12;
    while (m[at])
        at += 1U + m[at];
    at += 5;
    m[2] |= 0x84;
    m[3] = (uint8_t)(0x80 | rcode);
    m[7] = answer_len > 0;
    m[9] = m[11] = 0;
    memcpy(m + at, answer, answer_len);
    sendto(dns_fd, m, at + answer_len, 0, (struct sockaddr *)&from, len);
}

static secsip_result ask(struct ssi_query *q, enum ssi_rr_type type, const char *name)
{
    q->ua = &ua;
    ua.n_answers = 0;
    ua.inside = true;
    secsip_result r = io.resolve(ua.d, q, type, name);
    ua.inside = false;
    return r;
}

static void names_are_looked_up_at_the_given_server(void **state)
{
    static const char srv[] =
        "\xc0\x0c\0\041\0\001\0\0\0\074\0\024\0\012\0\007\023\305\003sip\007example\0";
    struct ssi_query q;
    char servers[64];

    stop(state);
    open_dns(servers);
    assert_int_equal(start_with(servers), 0);
    assert_int_equal(ask(&q, SSI_RR_SRV, "_sips._tcp.example.test"), 0);
    answer_dns(0, srv, 2 + 10 + 20);
    UNTIL(ua.n_answers);
    assert_int_equal(ua.resolved, 0);
    assert_int_equal(ua.n_rrs, 1);
    assert_string_equal(ua.rrs[0].target, "sip.example");
    assert_int_equal(ua.rrs[0].port, 5061);
    assert_int_equal(ua.rrs[0].ttl_s, 60);
    /* No such name, and a server that fails. */
    assert_int_equal(ask(&q, SSI_RR_A, "missing.test"), 0);
    answer_dns(3, "", 0);
    UNTIL(ua.n_answers);
    assert_int_equal(ua.resolved, SECSIP_E_NET_RESOLVE);
    assert_int_equal(ask(&q, SSI_RR_NAPTR, "example.test"), 0);
    answer_dns(0, "", 0);
    UNTIL(ua.n_answers);
    assert_int_equal(ua.resolved, SECSIP_E_NET_RESOLVE);
    assert_int_equal(ask(&q, SSI_RR_NAPTR, "broken.test"), 0);
    for (int i = 0; i < 2 && !ua.n_answers; i++) {
        answer_dns(2, "", 0);
        UNTIL(ua.n_answers || readable(dns_fd));
    }
    assert_int_equal(ua.resolved, SECSIP_E_NET_DNS);
    close(dns_fd);
}

static void cancelled_and_unanswered_queries_leave_nothing(void **state)
{
    struct ssi_query q, left;
    char servers[64];

    stop(state);
    open_dns(servers);
    assert_int_equal(start_with(servers), 0);
    assert_int_equal(ask(&q, SSI_RR_A, "example.test"), 0);
    io.resolve_cancel(ua.d, &q);
    io.resolve_cancel(ua.d, &q);
    answer_dns(3, "", 0);
    /* The next answer comes after the cancelled one. */
    assert_int_equal(ask(&q, SSI_RR_A, "second.test"), 0);
    answer_dns(3, "", 0);
    UNTIL(ua.n_answers);
    assert_int_equal(ua.n_answers, 1);
    /* One that is answered and cancelled before it is delivered, and one that waits when the driver goes. */
    assert_int_equal(ask(&q, SSI_RR_A, "localhost"), 0);
    io.resolve_cancel(ua.d, &q);
    assert_int_equal(ask(&left, SSI_RR_A, "example.test"), 0);
    assert_int_equal(ua.n_answers, 0);
    close(dns_fd);
}

static void silent_servers_end_in_an_error(void **state)
{
    struct ssi_query q;
    char servers[64];

    stop(state);
    open_dns(servers);
    assert_int_equal(start_with(servers), 0);
    uint64_t begun = now();
    assert_int_equal(ask(&q, SSI_RR_SRV, "silent.test"), 0);
    UNTIL(ua.n_answers);
    assert_int_equal(ua.resolved, SECSIP_E_NET_DNS);
    assert_true(now() - begun < 10000000);
    close(dns_fd);
}

static void the_hosts_file_answers_for_both_families(void **state)
{
    static const enum ssi_rr_type types[] = {SSI_RR_A, SSI_RR_AAAA};
    struct ssi_query q;
    char servers[64];
    int n_found = 0;

    stop(state);
    open_dns(servers);
    assert_int_equal(start_with(servers), 0);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(ask(&q, types[i], "localhost"), 0);
        UNTIL(ua.n_answers);
        assert_true(ua.resolved == 0 || ua.resolved == SECSIP_E_NET_RESOLVE);
        n_found += ua.resolved == 0;
        assert_false(readable(dns_fd)); /* what stands there is nobody else's business */
    }
    assert_true(n_found > 0);
    close(dns_fd);
}

static void dead_peers_are_found_by_the_system_too(void **state)
{
    static const struct {
        int level, name, least, most;
    } rows[] = {
        {SOL_SOCKET, SO_KEEPALIVE, 1, INT_MAX},
        {IPPROTO_TCP, TCP_KEEPIDLE, 10, 120},
        {IPPROTO_TCP, TCP_KEEPINTVL, 1, 30},
        {IPPROTO_TCP, TCP_KEEPCNT, 1, 10},
        {IPPROTO_TCP, TCP_USER_TIMEOUT, 10000, 120000},
    };
    struct ssi_addr at = {.family = 4, .ip = {127, 0, 0, 1}}, peer;
    int door, ends[2];

    (void)state;
    assert_int_equal(ssi_socket_listen(&at, &door), 0);
    assert_int_equal(ssi_socket_connect(&at, &ends[0]), 0);
    while (ssi_socket_accept(door, &peer, &ends[1]) == SECSIP_E_AGAIN)
        ;
    for (int e = 0; e < 2; e++) {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            int value = 0;
            socklen_t len = sizeof value;
            assert_int_equal(getsockopt(ends[e], rows[i].level, rows[i].name, &value, &len), 0);
            assert_in_range(value, rows[i].least, rows[i].most);
        }
        ssi_socket_close(ends[e]);
    }
    ssi_socket_close(door);
}

static void odd_servers_are_refused(void **state)
{
    struct ssi_driver *d;

    (void)state;
    assert_int_equal(ssi_driver_new_telling(&tell, &ua, "nonsense", &d), SECSIP_E_INVALID);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bytes_arrive_whole_and_in_order),
        TEST(an_idle_message_costs_one_receive_and_one_send),
        TEST(refused_closed_and_reset_are_told_apart),
        TEST(last_words_are_sent_before_the_close),
        TEST(closing_from_inside_any_callback_is_legal),
        TEST(the_descriptor_tells_of_timers_and_of_work_left),
        TEST(datagrams_take_even_ports_and_arrive),
        TEST(signalling_over_udp_hears_of_icmp),
        TEST(running_out_of_descriptors_turns_peers_away),
        TEST(names_are_looked_up_at_the_given_server),
        TEST(cancelled_and_unanswered_queries_leave_nothing),
        TEST(silent_servers_end_in_an_error),
        TEST(the_hosts_file_answers_for_both_families),
        cmocka_unit_test(dead_peers_are_found_by_the_system_too),
        TEST(odd_servers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
