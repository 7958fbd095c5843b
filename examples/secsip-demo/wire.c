/* The demo's network, see wire.h. Part of: secsip-demo. Sockets are on one list; one that was closed stays there, dead,
 * until the step ends, so that nobody holds a pointer into freed memory. */
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <secsip/unstable/engine.h>

#include "loop.h"

enum {
    FIRST_ADDRESS = 2, /* 127.0.0.2 is lane 0 */
    SOCKETS_MAX = 64,
    READS_A_STEP = 16,
    READ_MAX = 65536,
    EVEN_TRIES = 64,
    ADVANCES_A_STEP = 1000,
};

enum kind {
    STREAM,
    LISTENER,
    DGRAM
};

struct sock {
    struct sock *next;
    struct host *host;
    enum kind kind;
    int fd; /* -1: dead */
    bool connecting;
    bool writing; /* the socket was full */
    enum report_lane to;
    uint16_t local_port;
    uint16_t peer_port;
    uint32_t flow;
    secsip_engine_stream *stream;
    secsip_engine_listener *listener;
    secsip_engine_dgram *dgram;
};

struct query {
    struct query *next;
    secsip_engine_query *handle;
    struct host *host;
    bool found;
};

struct host {
    struct wire *wire;
    enum report_lane lane;
    secsip_stack *stack;
};

struct wire {
    struct host hosts[WIRE_LANES];
    struct sock *socks;
    struct query *queries;
    const char *name;
    uint32_t n_flows;
    void (*tap)(const struct wire_bytes *bytes, void *arg);
    void *arg;
    uint8_t input[READ_MAX];
};

/* ---- Addresses */
const char *wire_address(enum report_lane lane)
{
    static const char *const texts[WIRE_LANES] = {"127.0.0.2", "127.0.0.3", "127.0.0.4"};

    return texts[lane];
}

bool wire_lane_of(const char *address, enum report_lane *ret)
{
    for (int i = 0; i < WIRE_LANES; i++) {
        const char *text = wire_address((enum report_lane)i);
        size_t len = strlen(text);
        if (strncmp(address, text, len) == 0 && (address[len] == ':' || address[len] == '\0')) {
            *ret = (enum report_lane)i;
            return true;
        }
    }
    return false;
}

static struct sockaddr_in to_system(const secsip_engine_address *a)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons((uint16_t)a->port)};

    memcpy(&sa.sin_addr, a->ip, 4);
    return sa;
}

static secsip_engine_address from_system(const struct sockaddr_in *sa)
{
    secsip_engine_address a = {.size = sizeof(a), .family = 4, .port = ntohs(sa->sin_port)};

    memcpy(a.ip, &sa->sin_addr, 4);
    return a;
}

static struct sockaddr_in local_of(const struct sock *s)
{
    struct sockaddr_in sa = {0};
    socklen_t len = sizeof(sa);

    getsockname(s->fd, (struct sockaddr *)&sa, &len);
    return sa;
}

/* The lane of an address in system form; the registrar for a stranger, who cannot be on our addresses. */
static enum report_lane lane_of(const struct sockaddr_in *sa)
{
    uint32_t lane = (ntohl(sa->sin_addr.s_addr) & 0xFF) - FIRST_ADDRESS;

    return lane < WIRE_LANES ? (enum report_lane)lane : REPORT_REGISTRAR;
}

/* ---- Sockets */
static struct sock *new_sock(struct host *host, enum kind kind, int fd)
{
    struct sock *s = fd >= 0 ? calloc(1, sizeof(*s)) : NULL;

    if (!s) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    *s = (struct sock){.next = host->wire->socks, .host = host, .kind = kind, .fd = fd};
    s->flow = host->wire->n_flows++;
    host->wire->socks = s;
    return s;
}

static void kill_sock(struct sock *s)
{
    close(s->fd);
    s->fd = -1;
}

static void sweep(struct wire *w)
{
    for (struct sock **link = &w->socks; *link;) {
        struct sock *s = *link;
        if (s->fd >= 0) {
            link = &s->next;
            continue;
        }
        *link = s->next;
        free(s);
    }
}

/* A socket bound to the host's address; port 0 lets the kernel choose. -1 when the system refuses. */
static int bound_socket(const struct host *host, int type, uint32_t port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd >= 0 && (inet_pton(AF_INET, wire_address(host->lane), &sa.sin_addr) != 1 ||
                    bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

static void tap(struct sock *s, enum report_lane to, uint16_t to_port, const uint8_t *data,
                size_t len)
{
    struct wire_bytes bytes = {
        .from = s->host->lane,
        .to = to,
        .stream = s->kind == STREAM,
        .flow = s->flow,
        .from_port = s->local_port,
        .to_port = to_port,
        .data = data,
        .len = len,
    };

    s->host->wire->tap(&bytes, s->host->wire->arg);
}

/* ---- What the stacks ask for */
static void flush(struct sock *s)
{
    const uint8_t *data;
    size_t len;

    s->writing = false;
    while (!s->connecting && (len = secsip_engine_stream_output(s->stream, &data)) > 0) {
        ssize_t n = send(s->fd, data, len, MSG_NOSIGNAL);
        if (n <= 0) {
            s->writing = true; /* full, or broken: reading will tell */
            return;
        }
        tap(s, s->to, s->peer_port, data, (size_t)n);
        secsip_engine_stream_sent(s->stream, (size_t)n);
    }
}

static void set_up_stream(struct sock *s, const struct sockaddr_in *peer)
{
    int on = 1;

    setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    s->to = lane_of(peer);
    s->peer_port = ntohs(peer->sin_port);
    struct sockaddr_in local = local_of(s);
    s->local_port = ntohs(local.sin_port);
}

static secsip_result on_stream_connect(secsip_engine_stream *stream,
                                       const secsip_engine_address *to, void *user_data)
{
    struct sockaddr_in sa = to_system(to);

    if (to->family != 4)
        return SECSIP_E_NET_ADDRESS;
    struct sock *s = new_sock(user_data, STREAM, bound_socket(user_data, SOCK_STREAM, 0));
    if (!s)
        return SECSIP_E_IO;
    if (connect(s->fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 && errno != EINPROGRESS) {
        kill_sock(s);
        return SECSIP_E_NET_CONNECT;
    }
    s->connecting = true;
    s->stream = stream;
    set_up_stream(s, &sa);
    secsip_engine_stream_set_data(stream, s);
    return SECSIP_OK;
}

static void on_stream_wants_write(secsip_engine_stream *stream, void *user_data)
{
    (void)user_data;
    flush(secsip_engine_stream_get_data(stream));
}

static void on_stream_close(secsip_engine_stream *stream, void *user_data)
{
    struct sock *s = secsip_engine_stream_get_data(stream);

    (void)user_data;
    flush(s);
    kill_sock(s);
}

static secsip_result on_listen(secsip_engine_listener *listener, secsip_engine_address *at,
                               void *user_data)
{
    struct sock *s = new_sock(user_data, LISTENER, bound_socket(user_data, SOCK_STREAM, at->port));

    if (!s)
        return SECSIP_E_NET_ADDRESS;
    if (listen(s->fd, 16) < 0) {
        kill_sock(s);
        return SECSIP_E_NET_ADDRESS;
    }
    struct sockaddr_in local = local_of(s);
    at->port = ntohs(local.sin_port);
    s->listener = listener;
    secsip_engine_listener_set_data(listener, s);
    return SECSIP_OK;
}

static void on_listen_close(secsip_engine_listener *listener, void *user_data)
{
    (void)user_data;
    kill_sock(secsip_engine_listener_get_data(listener));
}

/* RTP wants an even port (RFC 3550 11), and the kernel has no such wish to fulfil: ask it until one is even. */
static int even_socket(const struct host *host)
{
    struct sockaddr_in sa = {0};
    socklen_t len = sizeof(sa);

    for (int i = 0; i < EVEN_TRIES; i++) {
        int fd = bound_socket(host, SOCK_DGRAM, 0);
        if (fd < 0)
            return -1;
        if (getsockname(fd, (struct sockaddr *)&sa, &len) == 0 && ntohs(sa.sin_port) % 2 == 0)
            return fd;
        close(fd);
    }
    return -1;
}

static secsip_result on_dgram_open(secsip_engine_dgram *dgram, secsip_engine_address *at,
                                   void *user_data)
{
    int fd = at->port ? bound_socket(user_data, SOCK_DGRAM, at->port) : even_socket(user_data);
    struct sock *s = new_sock(user_data, DGRAM, fd);

    if (!s)
        return SECSIP_E_NET_ADDRESS;
    struct sockaddr_in local = local_of(s);
    at->port = s->local_port = ntohs(local.sin_port);
    s->dgram = dgram;
    secsip_engine_dgram_set_data(dgram, s);
    return SECSIP_OK;
}

static void on_dgram_send(secsip_engine_dgram *dgram, const secsip_engine_address *to,
                          const uint8_t *data, size_t len, void *user_data)
{
    struct sock *s = secsip_engine_dgram_get_data(dgram);
    struct sockaddr_in sa = to_system(to);

    (void)user_data;
    tap(s, lane_of(&sa), ntohs(sa.sin_port), data, len);
    if (sendto(s->fd, data, len, MSG_NOSIGNAL, (struct sockaddr *)&sa, sizeof(sa)) < 0)
        return; /* lost, as datagrams are */
}

static void on_dgram_close(secsip_engine_dgram *dgram, void *user_data)
{
    (void)user_data;
    kill_sock(secsip_engine_dgram_get_data(dgram));
}

static secsip_result on_resolve(secsip_engine_query *handle, int32_t type, const char *name,
                                void *user_data)
{
    struct host *host = user_data;
    struct query *q = malloc(sizeof(*q));

    if (!q)
        return SECSIP_E_NOMEM;
    bool found =
        type == SECSIP_ENGINE_RR_A && host->wire->name && strcmp(name, host->wire->name) == 0;
    *q = (struct query){host->wire->queries, handle, host, found};
    host->wire->queries = q;
    secsip_engine_query_set_data(handle, q);
    return SECSIP_OK;
}

static void on_resolve_cancel(secsip_engine_query *handle, void *user_data)
{
    struct query *q = secsip_engine_query_get_data(handle);
    struct host *host = user_data;

    for (struct query **link = &host->wire->queries; *link; link = &(*link)->next) {
        if (*link == q) {
            *link = q->next;
            free(q);
            return;
        }
    }
}

/* ---- What the stacks are told */
static void answer_queries(struct wire *w)
{
    while (w->queries) {
        struct query q = *w->queries;
        secsip_engine_record record = {.size = sizeof(record),
                                       .type = SECSIP_ENGINE_RR_A,
                                       .ttl_s = 60,
                                       .target = "",
                                       .service = "",
                                       .flags = ""};
        free(w->queries);
        w->queries = q.next;
        inet_pton(AF_INET, wire_address(REPORT_REGISTRAR), record.ip);
        secsip_engine_resolved(q.handle, q.found ? SECSIP_OK : SECSIP_E_NET_RESOLVE, &record,
                               q.found);
    }
}

static void stream_ended(struct sock *s, secsip_result why, const char *detail)
{
    secsip_engine_stream *stream = s->stream;

    kill_sock(s);
    secsip_engine_stream_closed(stream, why, detail);
}

static void connected(struct sock *s)
{
    int error = 0;
    socklen_t len = sizeof(error);

    s->connecting = false;
    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error != 0) {
        stream_ended(s, SECSIP_E_NET_CONNECT, strerror(error));
        return;
    }
    struct sockaddr_in sa = local_of(s);
    secsip_engine_address local = from_system(&sa);
    secsip_engine_stream_connected(s->stream, &local);
    if (s->fd >= 0)
        flush(s);
}

static void read_stream(struct sock *s)
{
    for (int i = 0; i < READS_A_STEP && s->fd >= 0; i++) {
        ssize_t n = recv(s->fd, s->host->wire->input, READ_MAX, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0)
            stream_ended(s, n == 0 ? SECSIP_OK : SECSIP_E_NET_RESET,
                         n == 0 ? NULL : strerror(errno));
        else
            secsip_engine_stream_input(s->stream, s->host->wire->input, (size_t)n);
    }
}

static void read_dgram(struct sock *s)
{
    struct sockaddr_in sa = {0};

    for (int i = 0; i < READS_A_STEP && s->fd >= 0; i++) {
        socklen_t len = sizeof(sa);
        ssize_t n =
            recvfrom(s->fd, s->host->wire->input, READ_MAX, 0, (struct sockaddr *)&sa, &len);
        if (n < 0)
            return;
        secsip_engine_address from = from_system(&sa);
        secsip_engine_dgram_input(s->dgram, &from, s->host->wire->input, (size_t)n);
    }
}

static void accept_one(struct sock *l)
{
    struct sockaddr_in sa = {0};
    socklen_t len = sizeof(sa);
    int fd = accept4(l->fd, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct sock *s = new_sock(l->host, STREAM, fd);

    if (!s)
        return;
    set_up_stream(s, &sa);
    struct sockaddr_in local_sa = local_of(s);
    secsip_engine_address peer = from_system(&sa), local = from_system(&local_sa);
    s->stream = secsip_engine_accept(l->listener, &peer, &local, s);
    if (!s->stream)
        kill_sock(s);
    else
        flush(s);
}

static void serve(struct sock *s, short events)
{
    if (s->kind == LISTENER)
        accept_one(s);
    else if (s->kind == DGRAM)
        read_dgram(s);
    else if (s->connecting)
        connected(s);
    else if (events & (POLLIN | POLLHUP | POLLERR))
        read_stream(s);
    if (s->fd >= 0 && s->kind == STREAM && s->writing)
        flush(s);
}

/* ---- The step */
/* Timers of all stacks; the time at which the next one is due. */
static uint64_t advance(struct wire *w)
{
    uint64_t next = LOOP_FOREVER;

    for (int i = 0; i < WIRE_LANES; i++) {
        struct host *host = &w->hosts[i];
        int32_t more = 1;
        for (int k = 0; k < ADVANCES_A_STEP && more == 1 && host->stack; k++)
            more = secsip_engine_advance(host->stack, loop_now_us(), (uint64_t)time(NULL));
        uint64_t due = !host->stack ? LOOP_FOREVER : secsip_engine_deadline(host->stack);
        if (due < next)
            next = due;
    }
    return next;
}

static int timeout_of(uint64_t until_us)
{
    uint64_t now = loop_now_us();

    if (until_us <= now)
        return 0;
    uint64_t ms = (until_us - now + 999) / 1000;
    return ms > 1000 ? 1000 : (int)ms;
}

bool wire_step(struct wire *w, uint64_t until_us)
{
    struct pollfd fds[SOCKETS_MAX];
    struct sock *of[SOCKETS_MAX];
    nfds_t n = 0;

    answer_queries(w);
    uint64_t due = advance(w);
    for (struct sock *s = w->socks; s && n < SOCKETS_MAX; s = s->next) {
        if (s->fd < 0)
            continue;
        of[n] = s;
        fds[n].fd = s->fd;
        fds[n].events = s->connecting ? POLLOUT : (short)(POLLIN | (s->writing ? POLLOUT : 0));
        fds[n++].revents = 0;
    }
    if (w->queries)
        due = 0;
    if (poll(fds, n, timeout_of(due < until_us ? due : until_us)) < 0 && errno != EINTR)
        return false;
    advance(w); /* the stacks are told the time before the input */
    for (nfds_t i = 0; i < n; i++)
        if (fds[i].revents && of[i]->fd >= 0)
            serve(of[i], fds[i].revents);
    sweep(w);
    return true;
}

/* ---- Life */
struct wire *wire_new(void (*on_bytes)(const struct wire_bytes *bytes, void *arg), void *arg)
{
    struct wire *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->tap = on_bytes;
    w->arg = arg;
    for (int i = 0; i < WIRE_LANES; i++)
        w->hosts[i] = (struct host){w, (enum report_lane)i, NULL};
    return w;
}

void wire_free(struct wire *w)
{
    if (!w)
        return;
    for (struct sock *s = w->socks; s; s = s->next)
        if (s->fd >= 0)
            kill_sock(s);
    sweep(w);
    while (w->queries) {
        struct query *q = w->queries;
        w->queries = q->next;
        free(q);
    }
    free(w);
}

secsip_result wire_add_stack(struct wire *w, enum report_lane lane,
                             const secsip_stack_config *config, secsip_stack **ret_stack)
{
    static const secsip_engine_io io = {
        .size = sizeof(io),
        .stream_connect = on_stream_connect,
        .stream_wants_write = on_stream_wants_write,
        .stream_close = on_stream_close,
        .listen = on_listen,
        .listen_close = on_listen_close,
        .dgram_open = on_dgram_open,
        .dgram_send = on_dgram_send,
        .dgram_close = on_dgram_close,
        .resolve = on_resolve,
        .resolve_cancel = on_resolve_cancel,
    };
    secsip_result r = secsip_engine_stack_new(config, &io, &w->hosts[lane], loop_now_us(),
                                              (uint64_t)time(NULL), &w->hosts[lane].stack);

    if (r >= 0)
        *ret_stack = w->hosts[lane].stack;
    return r;
}

void wire_remove_stack(struct wire *w, enum report_lane lane)
{
    w->hosts[lane].stack = NULL;
}

void wire_set_name(struct wire *w, const char *name)
{
    w->name = name;
}
