/* The driver, see driver.h. Layer: api. Whatever the core closes while an event is being handled is only marked, and freed at
 * the end of the round, so that a handler never returns into freed memory. Output is sent once per round: the pieces that
 * a round produces leave in one send. */
#include "api/driver.h"

#include <stdlib.h>

#include "base/list.h"
#include "net/poller.h"
#include "net/resolver.h"
#include "net/socket.h"

enum {
    MAX_BATCHES = 4,    /* of ready descriptors in one round */
    MAX_ACCEPTS = 32,   /* of one listener in one round */
    MAX_DATAGRAMS = 32, /* of one socket in one round */
    MAX_ANSWERS = 64,   /* DNS answers in one round */
    INPUT_SIZE = 64 * 1024,
};

enum kind {
    KIND_STREAM,
    KIND_LISTENER,
    KIND_DGRAM,
};

/* One descriptor and the core's object behind it. */
struct conn {
    struct ssi_list node;  /* in conns, or in dead once closed */
    struct ssi_list dirty; /* in d->dirty: has output */
    struct ssi_watch watch;
    struct ssi_driver *driver;
    enum kind kind;
    bool connecting;
    bool blocked; /* the socket is full: wait until it is writable */
    union {
        struct ssi_stream *stream;
        struct ssi_listener *listener;
        struct ssi_dgram *dgram;
    } of;
};

/* A query of the core. */
struct question {
    struct ssi_list node;
    struct ssi_driver *driver;
    struct ssi_query *q;
    struct ssi_lookup *lookup;
};

struct ssi_driver {
    const struct ssi_driver_tell *tell;
    struct ssi_ua *ua;
    struct ssi_poller *poller;
    struct ssi_resolver *resolver;
    struct ssi_list conns;
    struct ssi_list dirty;
    struct ssi_list dead;
    struct ssi_list questions;
    int spare_fd; /* given up for a moment to turn a connection away when descriptors run out */
    bool processing;
    uint8_t *input;
};

static void conn_ready(void *arg, uint32_t ready);

static secsip_result conn_new(struct ssi_driver *d, enum kind kind, int fd, struct conn **ret)
{
    struct conn *c = calloc(1, sizeof *c);

    if (!c)
        return SECSIP_E_NOMEM;
    c->driver = d;
    c->kind = kind;
    c->watch = (struct ssi_watch){.fd = fd, .fn = conn_ready, .arg = c};
    ssi_list_init(&c->dirty);
    ssi_list_push_back(&d->conns, &c->node);
    *ret = c;
    return 0;
}

static bool conn_is_dead(const struct conn *c)
{
    return c->watch.fd < 0;
}

/* Closes the descriptor; the memory goes when no handler can be using it. */
static void conn_close(struct conn *c)
{
    struct ssi_driver *d = c->driver;

    ssi_poller_unwatch(d->poller, &c->watch);
    ssi_socket_close(c->watch.fd);
    c->watch.fd = -1;
    ssi_list_remove(&c->dirty);
    ssi_list_remove(&c->node);
    if (d->processing)
        ssi_list_push_back(&d->dead, &c->node);
    else
        free(c);
}

/* The stream ended by itself: the core hears of it last. */
static void stream_ended(struct conn *c, secsip_result why, const char *detail)
{
    struct ssi_stream *s = c->of.stream;

    s->io_data = NULL;
    conn_close(c);
    c->driver->tell->stream_closed(s, why, detail);
}

/* Sends what the core has. False when the stream has ended. */
static bool stream_flush(struct conn *c, bool tell_end)
{
    const struct ssi_driver_tell *tell = c->driver->tell;
    struct ssi_stream *s = c->of.stream;
    const char *why = NULL;

    while (!conn_is_dead(c)) {
        struct ssi_buf *b = tell->stream_output(s);
        if (!b || b->len == 0)
            break;
        struct ssi_slice out = ssi_buf_slice(b);
        int32_t n = ssi_socket_send(c->watch.fd, out.p, out.len, &why);
        if (n < 0 && n != SECSIP_E_AGAIN) {
            if (tell_end)
                stream_ended(c, n, why);
            return false;
        }
        c->blocked = n < 0 || (size_t)n < out.len;
        if (n > 0)
            ssi_buf_consume(b, (size_t)n);
        if (!tell_end)
            return true;
        ssi_poller_watch(c->driver->poller, &c->watch,
                         SSI_POLL_READ | (c->blocked ? SSI_POLL_WRITE : 0U));
        if (n > 0)
            tell->stream_sent(s);
        if (c->blocked)
            break;
    }
    return !conn_is_dead(c);
}

static void stream_connected(struct conn *c)
{
    const char *why = NULL;
    struct ssi_addr local;
    secsip_result r = ssi_socket_connected(c->watch.fd, &why);

    if (r < 0) {
        stream_ended(c, r, why);
        return;
    }
    c->connecting = false;
    ssi_poller_watch(c->driver->poller, &c->watch, SSI_POLL_READ);
    ssi_socket_local(c->watch.fd, &local);
    c->driver->tell->stream_connected(c->of.stream, &local);
}

static void stream_readable(struct conn *c)
{
    const char *why = NULL;
    /* One receive for each readiness: a message that fits the buffer costs one call. */
    int32_t n = ssi_socket_receive(c->watch.fd, c->driver->input, INPUT_SIZE, &why);

    if (n > 0)
        c->driver->tell->stream_input(c->of.stream, c->driver->input, (size_t)n);
    else if (n != SECSIP_E_AGAIN)
        stream_ended(c, n, why);
}

static void stream_ready(struct conn *c, uint32_t ready)
{
    if (c->connecting) {
        stream_connected(c);
        return;
    }
    if ((ready & SSI_POLL_WRITE) && !stream_flush(c, true))
        return;
    /* An error is fetched by the receive. */
    if (ready & (SSI_POLL_READ | SSI_POLL_ERROR))
        stream_readable(c);
}

static void take_connection(struct conn *listener, int fd, const struct ssi_addr *peer)
{
    struct ssi_driver *d = listener->driver;
    struct ssi_addr local;
    struct conn *c;

    if (conn_new(d, KIND_STREAM, fd, &c) < 0) {
        ssi_socket_close(fd);
        return;
    }
    ssi_socket_local(fd, &local);
    if (ssi_poller_watch(d->poller, &c->watch, SSI_POLL_READ) < 0) {
        conn_close(c);
        return;
    }
    struct ssi_stream *s = d->tell->stream_accepted(listener->of.listener, peer, &local, c);
    if (conn_is_dead(c))
        return;
    if (!s) {
        conn_close(c);
        return;
    }
    s->io_data = c;
    c->of.stream = s;
}

/* No descriptor is left: turn the peer away rather than find the listener readable for ever. */
static void refuse_connection(struct conn *listener)
{
    struct ssi_driver *d = listener->driver;
    struct ssi_addr peer;
    int fd;

    ssi_socket_close(d->spare_fd);
    if (ssi_socket_accept(listener->watch.fd, &peer, &fd) == 0)
        ssi_socket_close(fd);
    d->spare_fd = ssi_socket_spare();
}

static void listener_ready(struct conn *c)
{
    struct ssi_addr peer;
    int fd;

    for (int i = 0; i < MAX_ACCEPTS && !conn_is_dead(c); i++) {
        secsip_result r = ssi_socket_accept(c->watch.fd, &peer, &fd);
        if (r == 0) {
            take_connection(c, fd, &peer);
            continue;
        }
        if (r == SECSIP_E_LIMIT)
            refuse_connection(c);
        break;
    }
}

/* What ICMP has brought back. */
static void dgram_errors(struct conn *c)
{
    struct ssi_addr to;
    const char *why = NULL;

    for (int i = 0; i < MAX_DATAGRAMS && !conn_is_dead(c); i++) {
        int32_t r = ssi_socket_take_error(c->watch.fd, &to, &why);
        if (r == SECSIP_E_AGAIN)
            break;
        if (r > 0)
            c->driver->tell->dgram_failed(c->of.dgram, &to, why);
    }
}

static void dgram_ready(struct conn *c, uint32_t ready)
{
    struct ssi_addr from;

    if ((ready & SSI_POLL_ERROR) && c->of.dgram->is_signalling)
        dgram_errors(c);
    for (int i = 0; i < MAX_DATAGRAMS && !conn_is_dead(c); i++) {
        int32_t n = ssi_socket_receive_from(c->watch.fd, &from, c->driver->input, INPUT_SIZE);
        if (n < 0)
            break;
        c->driver->tell->dgram_input(c->of.dgram, &from, c->driver->input, (size_t)n);
    }
}

static void conn_ready(void *arg, uint32_t ready)
{
    struct conn *c = arg;

    switch (c->kind) {
    case KIND_STREAM:
        stream_ready(c, ready);
        break;
    case KIND_LISTENER:
        listener_ready(c);
        break;
    case KIND_DGRAM:
        dgram_ready(c, ready);
        break;
    }
}

/* ---- What the core asks. */

static secsip_result io_stream_connect(void *arg, struct ssi_stream *s, const struct ssi_addr *to)
{
    struct ssi_driver *d = arg;
    struct conn *c = NULL;
    int fd;

    secsip_result r = ssi_socket_connect(to, &fd);
    if (r < 0)
        return r;
    r = conn_new(d, KIND_STREAM, fd, &c);
    if (r < 0) {
        ssi_socket_close(fd);
        return r;
    }
    c->connecting = true;
    c->of.stream = s;
    r = ssi_poller_watch(d->poller, &c->watch, SSI_POLL_WRITE);
    if (r < 0) {
        conn_close(c);
        return r;
    }
    s->io_data = c;
    return 0;
}

static void io_stream_wants_write(void *arg, struct ssi_stream *s)
{
    struct ssi_driver *d = arg;
    struct conn *c = s->io_data;

    if (!c || c->connecting || c->blocked || ssi_list_linked(&c->dirty))
        return;
    ssi_list_push_back(&d->dirty, &c->dirty);
    if (!d->processing)
        ssi_poller_wake(d->poller);
}

static void io_stream_close(void *arg, struct ssi_stream *s)
{
    struct conn *c = s->io_data;

    (void)arg;
    if (!c)
        return;
    s->io_data = NULL;
    c->of.stream = s;
    if (!c->connecting)
        stream_flush(c, false);
    conn_close(c);
}

/* A listener or datagram socket that is bound and becomes readable. */
static secsip_result add_bound(struct ssi_driver *d, enum kind kind, int fd, struct conn **ret)
{
    struct conn *c;
    secsip_result r = conn_new(d, kind, fd, &c);

    if (r < 0) {
        ssi_socket_close(fd);
        return r;
    }
    r = ssi_poller_watch(d->poller, &c->watch, SSI_POLL_READ);
    if (r < 0) {
        conn_close(c);
        return r;
    }
    *ret = c;
    return 0;
}

static secsip_result io_listen(void *arg, struct ssi_listener *l)
{
    struct conn *c = NULL;
    int fd;
    secsip_result r = ssi_socket_listen(&l->local, &fd);

    if (r < 0)
        return r;
    r = add_bound(arg, KIND_LISTENER, fd, &c);
    if (r < 0)
        return r;
    c->of.listener = l;
    l->io_data = c;
    return 0;
}

static void io_listen_close(void *arg, struct ssi_listener *l)
{
    (void)arg;
    if (l->io_data)
        conn_close(l->io_data);
    l->io_data = NULL;
}

/* Takes the socket, also on failure. */
static secsip_result add_dgram(struct ssi_driver *d, struct ssi_dgram *dg, int fd)
{
    struct conn *c = NULL;
    secsip_result r = add_bound(d, KIND_DGRAM, fd, &c);

    if (r < 0)
        return r;
    c->of.dgram = dg;
    dg->io_data = c;
    return 0;
}

static secsip_result io_dgram_open(void *arg, struct ssi_dgram *dg)
{
    int fd;
    secsip_result r = dg->is_signalling ? ssi_socket_dgram_listen(&dg->local, &fd)
                                        : ssi_socket_dgram(&dg->local, &fd);

    return r < 0 ? r : add_dgram(arg, dg, fd);
}

static secsip_result io_dgram_connect(void *arg, struct ssi_dgram *dg, const struct ssi_addr *to)
{
    int fd;
    secsip_result r = ssi_socket_dgram_connect(to, &dg->local, &dg->path_mtu, &fd);

    return r < 0 ? r : add_dgram(arg, dg, fd);
}

static void io_dgram_send(void *arg, struct ssi_dgram *dg, const struct ssi_addr *to,
                          const void *data, size_t len)
{
    struct conn *c = dg->io_data;

    (void)arg;
    if (c)
        ssi_socket_send_to(c->watch.fd, to, data, len);
}

static void io_dgram_close(void *arg, struct ssi_dgram *dg)
{
    (void)arg;
    if (dg->io_data)
        conn_close(dg->io_data);
    dg->io_data = NULL;
}

static void question_free(struct question *question)
{
    ssi_list_remove(&question->node);
    free(question);
}

static void give_answer(void *arg, secsip_result result, const struct ssi_rr *rrs, size_t n_rrs)
{
    struct question *question = arg;
    struct ssi_query *q = question->q;
    struct ssi_driver *d = question->driver;

    question_free(question);
    q->io_data = NULL;
    d->tell->resolved(q, result, rrs, n_rrs);
}

static secsip_result io_resolve(void *arg, struct ssi_query *q, enum ssi_rr_type type,
                                const char *name)
{
    struct ssi_driver *d = arg;
    struct question *question = calloc(1, sizeof *question);

    if (!question)
        return SECSIP_E_NOMEM;
    question->driver = d;
    question->q = q;
    ssi_list_push_back(&d->questions, &question->node);
    secsip_result r =
        ssi_resolver_ask(d->resolver, type, name, give_answer, question, &question->lookup);
    if (r < 0) {
        question_free(question);
        return r;
    }
    q->io_data = question;
    return 0;
}

static void io_resolve_cancel(void *arg, struct ssi_query *q)
{
    struct ssi_driver *d = arg;
    struct question *question = q->io_data;

    if (!question)
        return;
    q->io_data = NULL;
    ssi_resolver_cancel(d->resolver, question->lookup);
    question_free(question);
}

/* ---- The driver itself. */

secsip_result ssi_driver_new_telling(const struct ssi_driver_tell *tell, struct ssi_ua *ua,
                                     const char *dns_servers, struct ssi_driver **ret)
{
    struct ssi_driver *d = calloc(1, sizeof *d);
    secsip_result r = SECSIP_E_NOMEM;

    if (!d)
        return r;
    d->tell = tell;
    d->ua = ua;
    ssi_list_init(&d->conns);
    ssi_list_init(&d->dirty);
    ssi_list_init(&d->dead);
    ssi_list_init(&d->questions);
    d->spare_fd = ssi_socket_spare();
    d->input = malloc(INPUT_SIZE);
    if (!d->input)
        goto fail;
    r = ssi_poller_new(&d->poller);
    if (r < 0)
        goto fail;
    r = ssi_resolver_new(d->poller, dns_servers, NULL, &d->resolver);
    if (r < 0)
        goto fail;
    ssi_poller_wake(d->poller); /* the first round reads the core's deadline */
    *ret = d;
    return 0;
fail:
    ssi_driver_free(d);
    return r;
}

void ssi_driver_io(struct ssi_driver *d, struct ssi_io *ret)
{
    *ret = (struct ssi_io){
        .arg = d,
        .stream_connect = io_stream_connect,
        .stream_wants_write = io_stream_wants_write,
        .stream_close = io_stream_close,
        .listen = io_listen,
        .listen_close = io_listen_close,
        .dgram_open = io_dgram_open,
        .dgram_send = io_dgram_send,
        .dgram_close = io_dgram_close,
        .resolve = io_resolve,
        .resolve_cancel = io_resolve_cancel,
        .dgram_connect = io_dgram_connect,
    };
}

static void bury(struct ssi_driver *d)
{
    struct ssi_list *node;

    while ((node = ssi_list_pop_front(&d->dead)) != NULL)
        free(SSI_CONTAINER(node, struct conn, node));
}

void ssi_driver_free(struct ssi_driver *d)
{
    if (!d)
        return;
    ssi_resolver_free(d->resolver);
    SSI_LIST_EACH(it, &d->questions)
    question_free(SSI_CONTAINER(it, struct question, node));
    SSI_LIST_EACH(it, &d->conns)
    conn_close(SSI_CONTAINER(it, struct conn, node));
    bury(d);
    ssi_poller_free(d->poller);
    ssi_socket_close(d->spare_fd);
    free(d->input);
    free(d);
}

int ssi_driver_fd(const struct ssi_driver *d)
{
    return ssi_poller_fd(d->poller);
}

/* Sends for every stream that has output now; what they add meanwhile waits for the next call. */
static void flush_dirty(struct ssi_driver *d)
{
    struct ssi_list now, *node;

    ssi_list_init(&now);
    while ((node = ssi_list_pop_front(&d->dirty)) != NULL)
        ssi_list_push_back(&now, node);
    while ((node = ssi_list_pop_front(&now)) != NULL)
        stream_flush(SSI_CONTAINER(node, struct conn, dirty), true);
}

void ssi_driver_rearm(struct ssi_driver *d)
{
    if (d->processing)
        return;
    uint64_t now_us = ssi_poller_now_us(), due_us = d->tell->deadline(d->ua);
    uint64_t dns_us = ssi_resolver_deadline(d->resolver, now_us);
    ssi_poller_arm(d->poller, dns_us < due_us ? dns_us : due_us);
}

secsip_result ssi_driver_process(struct ssi_driver *d)
{
    bool more = true;

    if (d->processing)
        return SECSIP_E_BUSY;
    d->processing = true;
    uint64_t now_us = ssi_poller_now_us();
    bool timers_left = d->tell->advance(d->ua, now_us, ssi_poller_wall_s());
    for (int i = 0; i < MAX_BATCHES && more; i++) {
        more = ssi_poller_run(d->poller);
        flush_dirty(d);
    }
    bool answers_left = ssi_resolver_deliver(d->resolver, now_us, MAX_ANSWERS);
    flush_dirty(d);
    d->processing = false;
    bury(d);
    if (timers_left || answers_left || !ssi_list_empty(&d->dirty))
        ssi_poller_wake(d->poller);
    ssi_driver_rearm(d);
    return 0;
}

void ssi_driver_now(uint64_t *ret_now_us, uint64_t *ret_wall_s)
{
    *ret_now_us = ssi_poller_now_us();
    *ret_wall_s = ssi_poller_wall_s();
}
