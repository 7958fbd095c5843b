/* A network in memory on virtual time, see simnet.h. */
#include "simnet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "oom.h"
#include "seed.h"

enum {
    HOSTS_MAX = 16,
    NAMES_MAX = 16,
    LISTENERS_MAX = 16,
    WINDOW = 65536,  /* bytes that a frozen host's side of a connection takes */
    RECORDS_MAX = 8, /* in an answer */
    HOLES_MAX = 8,
};

struct sim_end {
    struct sim_end *next; /* of all */
    struct simnet_host *host;
    struct sim_end *peer;         /* NULL: gone */
    secsip_engine_stream *stream; /* NULL: closed on this side */
    secsip_engine_address local;
    secsip_engine_address remote;
    bool stalled;  /* reads nothing */
    bool broken;   /* nothing arrives any more, either way */
    size_t unread; /* bytes on their way to it */
    int refs;      /* the host's while open, and one for each packet on its way to it */
};

struct sim_dgram {
    struct sim_dgram *next;
    struct simnet_host *host;
    secsip_engine_dgram *d;
    secsip_engine_address local;
    secsip_engine_address remote; /* of a connected one, else family 0 */
};

struct sim_listener {
    struct simnet_host *host;
    secsip_engine_listener *l;
    secsip_engine_address at;
};

struct simnet_host {
    struct simnet *net;
    secsip_stack *stack;
    secsip_engine_address ip;
    uint32_t next_port;
    bool down;
    bool unreachable;
    bool refuses_streams;
    bool frozen;
};

enum kind {
    CONNECT,
    BYTES,
    CLOSE,
    RESET,
    DGRAM,
    UNREACHABLE,
    ANSWER
};

struct sim_packet {
    struct sim_packet *next;
    uint64_t due_us;
    enum kind kind;
    struct sim_end *end; /* the receiver */
    secsip_engine_query *query;
    struct simnet_host *asker; /* of the query */
    secsip_engine_address from, to;
    size_t n_records;
    secsip_engine_record records[RECORDS_MAX];
    size_t len;
    uint8_t data[];
};

struct simnet {
    uint64_t now_us, start_us, wall_s, delay_us;
    size_t chunk;
    struct simnet_host *hosts[HOSTS_MAX];
    size_t n_hosts;
    struct simnet_host nowhere; /* of raw connections */
    struct sim_listener listeners[LISTENERS_MAX];
    size_t n_listeners;
    struct sim_dgram *dgrams;
    struct sim_end *ends;
    struct sim_packet *queue;            /* by time, then order */
    struct sim_packet *held, **held_end; /* for frozen hosts, in order */
    uint64_t carried, break_at;
    bool break_silently;
    struct {
        char name[64];
        char target[64]; /* SRV */
        secsip_engine_record record;
    } names[NAMES_MAX];
    size_t n_names;
    uint64_t seed; /* of what follows */
    uint32_t loss_percent, double_percent;
    uint64_t jitter_us;
    uint32_t ttl_s;
    bool mute;
    uint32_t n_asked;
    uint32_t n_connects;
    int32_t slow_type;
    uint64_t slow_us;
    secsip_engine_address holes[HOLES_MAX];
    size_t n_holes;
    simnet_dgram_tap *dgram_tap;
    simnet_stream_tap *stream_tap;
    void *tap_arg;
};

/* The network itself never runs out of memory, whatever a test makes fail. */
static void *take(size_t n)
{
    test_oom_pause();
    void *p = calloc(1, n);
    test_oom_resume();
    if (!p)
        abort();
    return p;
}

static secsip_engine_address parse(const char *text)
{
    struct ssi_addr a;
    secsip_engine_address p = {.size = sizeof p};

    if (!ssi_addr_parse(ssi_slice_str(text), &a) && !ssi_addr_parse_ip(ssi_slice_str(text), 0, &a))
        abort();
    p.family = a.family;
    p.port = a.port;
    memcpy(p.ip, a.ip, sizeof p.ip);
    return p;
}

static bool same_ip(const secsip_engine_address *a, const secsip_engine_address *b)
{
    return a->family == b->family && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

static bool same(const secsip_engine_address *a, const secsip_engine_address *b)
{
    return same_ip(a, b) && a->port == b->port;
}

static struct sim_packet *packet(struct simnet *n, enum kind kind, struct sim_end *to,
                                 const void *data, size_t len)
{
    struct sim_packet *p = take(sizeof *p + len);
    struct sim_packet **at = &n->queue;

    p->due_us = n->now_us + n->delay_us;
    if (kind == DGRAM && n->jitter_us)
        p->due_us += test_below(&n->seed, (uint32_t)n->jitter_us);
    p->kind = kind;
    p->end = to;
    if (to)
        to->refs++;
    p->len = len;
    if (len > 0)
        memcpy(p->data, data, len);
    while (*at && (*at)->due_us <= p->due_us)
        at = &(*at)->next;
    p->next = *at;
    *at = p;
    return p;
}

static void drop_end(struct sim_end *e)
{
    if (!e || --e->refs > 0)
        return;
    if (e->peer)
        e->peer->peer = NULL;
    for (struct sim_end **at = &e->host->net->ends; *at; at = &(*at)->next)
        if (*at == e) {
            *at = e->next;
            break;
        }
    free(e);
}

static struct sim_end *new_end(struct simnet_host *h)
{
    struct sim_end *e = take(sizeof *e);

    e->host = h;
    e->refs = 1;
    e->next = h->net->ends;
    h->net->ends = e;
    return e;
}

/* ---- What stacks ask */
static secsip_result ask_connect(secsip_engine_stream *s, const secsip_engine_address *to,
                                 void *arg)
{
    struct simnet_host *h = arg;

    if (h->unreachable)
        return SECSIP_E_NET_CONNECT;
    struct sim_end *e = new_end(h);

    e->stream = s;
    e->local = h->ip;
    e->local.port = h->next_port++;
    e->remote = *to;
    secsip_engine_stream_set_data(s, e);
    h->net->n_connects++;
    packet(h->net, CONNECT, e, NULL, 0);
    return 0;
}

static void bytes_to(struct sim_end *to, const void *data, size_t len)
{
    packet(to->host->net, BYTES, to, data, len);
    to->unread += len;
}

static void break_now(struct sim_end *e)
{
    struct simnet *n = e->host->net;

    n->break_at = UINT64_MAX;
    e->broken = true;
    if (e->peer)
        e->peer->broken = true;
    if (n->break_silently)
        return;
    packet(n, RESET, e, NULL, 0);
    if (e->peer)
        packet(n, RESET, e->peer, NULL, 0);
}

static void carry(struct sim_end *e, const uint8_t *data, size_t len)
{
    struct simnet *n = e->host->net;
    bool breaks = !e->broken && n->break_at - n->carried < len;
    size_t whole = breaks ? (size_t)(n->break_at - n->carried) : len;

    for (size_t at = 0; at < whole && e->peer && !e->broken;) {
        size_t k = n->chunk && whole - at > n->chunk ? n->chunk : whole - at;
        bytes_to(e->peer, data + at, k);
        at += k;
    }
    n->carried += whole;
    if (breaks)
        break_now(e);
}

static bool takes_more(const struct sim_end *to)
{
    return !to || !(to->stalled || (to->host->frozen && to->unread >= WINDOW));
}

static void flush(struct sim_end *e)
{
    struct simnet *n = e->host->net;
    const uint8_t *data;
    size_t len;

    while (takes_more(e->peer) && (len = secsip_engine_stream_output(e->stream, &data)) > 0) {
        if (len > WINDOW)
            len = WINDOW;
        if (n->stream_tap)
            n->stream_tap(&e->local, &e->remote, data, len, n->tap_arg);
        carry(e, data, len);
        secsip_engine_stream_sent(e->stream, len);
    }
}

static void ask_write(secsip_engine_stream *s, void *arg)
{
    struct sim_end *e = secsip_engine_stream_get_data(s);
    (void)arg;
    flush(e);
}

static void ask_close(secsip_engine_stream *s, void *arg)
{
    struct sim_end *e = secsip_engine_stream_get_data(s);

    (void)arg;
    flush(e);
    if (e->peer && !e->broken)
        packet(e->host->net, CLOSE, e->peer, NULL, 0);
    e->stream = NULL;
    drop_end(e);
}

static secsip_result ask_listen(secsip_engine_listener *l, secsip_engine_address *at, void *arg)
{
    struct simnet_host *h = arg;
    struct simnet *n = h->net;

    if (n->n_listeners == LISTENERS_MAX)
        return SECSIP_E_LIMIT;
    if (at->port == 0)
        at->port = h->next_port++;
    for (size_t i = 0; i < n->n_listeners; i++)
        if (same(&n->listeners[i].at, at))
            return SECSIP_E_NET_ADDRESS;
    n->listeners[n->n_listeners++] = (struct sim_listener){h, l, *at};
    return 0;
}

static void ask_listen_close(secsip_engine_listener *l, void *arg)
{
    struct simnet *n = ((struct simnet_host *)arg)->net;

    for (size_t i = 0; i < n->n_listeners; i++)
        if (n->listeners[i].l == l)
            n->listeners[i--] = n->listeners[--n->n_listeners];
}

static secsip_result ask_dgram_open(secsip_engine_dgram *d, secsip_engine_address *at, void *arg)
{
    struct simnet_host *h = arg;
    struct sim_dgram *s = take(sizeof *s);

    if (at->port == 0) {
        h->next_port += h->next_port & 1;
        at->port = h->next_port;
        h->next_port += 2;
    }
    s->host = h;
    s->d = d;
    s->local = *at;
    s->next = h->net->dgrams;
    h->net->dgrams = s;
    secsip_engine_dgram_set_data(d, s);
    return 0;
}

static secsip_result ask_dgram_connect(secsip_engine_dgram *d, const secsip_engine_address *to,
                                       secsip_engine_address *ret_local, void *arg)
{
    struct simnet_host *h = arg;

    if (h->unreachable)
        return SECSIP_E_NET_CONNECT;
    *ret_local = h->ip;
    ret_local->port = 0;
    secsip_result r = ask_dgram_open(d, ret_local, arg);
    h->net->dgrams->remote = *to;
    return r;
}

static void ask_dgram_send(secsip_engine_dgram *d, const secsip_engine_address *to,
                           const uint8_t *data, size_t len, void *arg)
{
    struct simnet_host *h = arg;
    struct simnet *n = h->net;
    const struct sim_dgram *s = secsip_engine_dgram_get_data(d);
    int copies = n->double_percent && test_below(&n->seed, 100) < n->double_percent ? 2 : 1;

    while (copies-- > 0) {
        struct sim_packet *p = packet(n, DGRAM, NULL, data, len);
        p->from = s->local;
        p->to = *to;
        if ((n->loss_percent && test_below(&n->seed, 100) < n->loss_percent) ||
            (n->dgram_tap && !n->dgram_tap(&p->from, &p->to, p->data, p->len, n->tap_arg)))
            p->to.port = 0;
    }
}

static void ask_dgram_close(secsip_engine_dgram *d, void *arg)
{
    struct simnet *n = ((struct simnet_host *)arg)->net;
    struct sim_dgram *s = secsip_engine_dgram_get_data(d);

    for (struct sim_dgram **at = &n->dgrams; *at; at = &(*at)->next)
        if (*at == s) {
            *at = s->next;
            free(s);
            return;
        }
}

static secsip_result ask_resolve(secsip_engine_query *q, int32_t type, const char *name, void *arg)
{
    struct simnet *n = ((struct simnet_host *)arg)->net;
    uint64_t delay_us = n->delay_us;

    if (type == n->slow_type)
        n->delay_us += n->slow_us;
    struct sim_packet *p = packet(n, ANSWER, NULL, NULL, 0);
    n->delay_us = delay_us;
    n->n_asked++;
    p->query = q;
    p->asker = arg;
    secsip_engine_query_set_data(q, p);
    for (size_t i = 0; i < n->n_names && p->n_records < RECORDS_MAX; i++)
        if (type == n->names[i].record.type && !strcmp(n->names[i].name, name)) {
            p->records[p->n_records] = n->names[i].record;
            p->records[p->n_records++].target = n->names[i].target;
        }
    return 0;
}

static void ask_resolve_cancel(secsip_engine_query *q, void *arg)
{
    struct sim_packet *p = secsip_engine_query_get_data(q);
    (void)arg;
    if (p)
        p->query = NULL;
}

static const secsip_engine_io io = {
    sizeof(secsip_engine_io), ask_connect,       ask_write,      ask_close,       ask_listen,
    ask_listen_close,         ask_dgram_open,    ask_dgram_send, ask_dgram_close, ask_resolve,
    ask_resolve_cancel,       ask_dgram_connect,
};

/* ---- Making */
static uint64_t wall(const struct simnet *n)
{
    return n->wall_s + (n->now_us - n->start_us) / 1000000;
}

struct simnet *simnet_new(uint64_t wall_s)
{
    struct simnet *n = take(sizeof *n);

    n->now_us = n->start_us = 1234567890123;
    n->wall_s = wall_s;
    n->delay_us = 5000;
    n->break_at = UINT64_MAX;
    n->held_end = &n->held;
    n->ttl_s = 60;
    return n;
}

struct simnet_host *simnet_host_new(struct simnet *n, const char *ip,
                                    const secsip_stack_config *config)
{
    struct simnet_host *h = take(sizeof *h);

    if (n->n_hosts == HOSTS_MAX)
        abort();
    h->net = n;
    h->ip = parse(ip);
    h->next_port = 40000;
    if (secsip_engine_stack_new(config, &io, h, n->now_us, wall(n), &h->stack) < 0)
        abort();
    n->hosts[n->n_hosts++] = h;
    return h;
}

secsip_stack *simnet_stack(struct simnet_host *h)
{
    return h->stack;
}

void simnet_host_free(struct simnet_host *h)
{
    secsip_stack_unref(h->stack);
    h->stack = NULL;
}

void simnet_free(struct simnet *n)
{
    *n->held_end = n->queue;
    n->queue = n->held;
    while (n->queue) {
        struct sim_packet *p = n->queue;
        n->queue = p->next;
        drop_end(p->end);
        free(p);
    }
    for (size_t i = 0; i < n->n_hosts; i++)
        free(n->hosts[i]);
    free(n);
}

static secsip_engine_record *new_record(struct simnet *n, const char *name, int32_t type,
                                        const char *target)
{
    if (n->n_names == NAMES_MAX)
        abort();
    snprintf(n->names[n->n_names].name, sizeof n->names[0].name, "%s", name);
    snprintf(n->names[n->n_names].target, sizeof n->names[0].target, "%s", target);
    secsip_engine_record *r = &n->names[n->n_names++].record;
    *r = (secsip_engine_record){
        .size = sizeof *r, .type = type, .ttl_s = n->ttl_s, .service = "", .flags = ""};
    return r;
}

void simnet_name(struct simnet *n, const char *name, const char *ip)
{
    secsip_engine_address a = parse(ip);
    int32_t type = a.family == 4 ? SECSIP_ENGINE_RR_A : SECSIP_ENGINE_RR_AAAA;

    memcpy(new_record(n, name, type, "")->ip, a.ip, sizeof a.ip);
}

void simnet_srv(struct simnet *n, const char *name, const char *target, uint16_t port,
                uint16_t priority)
{
    secsip_engine_record *r = new_record(n, name, SECSIP_ENGINE_RR_SRV, target);

    r->port = port;
    r->priority = priority;
}

void simnet_ttl(struct simnet *n, uint32_t ttl_s)
{
    n->ttl_s = ttl_s;
}

void simnet_dns_mute(struct simnet *n, bool mute)
{
    n->mute = mute;
}

void simnet_dns_slow(struct simnet *n, int32_t type, uint64_t us)
{
    n->slow_type = type;
    n->slow_us = us;
}

uint32_t simnet_n_connects(const struct simnet *n)
{
    return n->n_connects;
}

uint32_t simnet_n_asked(const struct simnet *n)
{
    return n->n_asked;
}

void simnet_blackhole(struct simnet *n, const char *ip)
{
    if (n->n_holes == HOLES_MAX)
        abort();
    n->holes[n->n_holes++] = parse(ip);
}

void simnet_delay(struct simnet *n, uint64_t us)
{
    n->delay_us = us;
}

void simnet_chunk(struct simnet *n, size_t bytes)
{
    n->chunk = bytes;
}

void simnet_lossy(struct simnet *n, uint64_t seed, uint32_t loss_percent, uint32_t double_percent,
                  uint64_t jitter_us)
{
    n->seed = seed;
    n->loss_percent = loss_percent;
    n->double_percent = double_percent;
    n->jitter_us = jitter_us;
}

void simnet_tap(struct simnet *n, simnet_dgram_tap *dgram, simnet_stream_tap *stream, void *arg)
{
    n->dgram_tap = dgram;
    n->stream_tap = stream;
    n->tap_arg = arg;
}

void simnet_freeze(struct simnet_host *h, bool frozen)
{
    struct simnet *n = h->net;

    h->frozen = frozen;
    if (frozen)
        return;
    /* What is for others is held again. */
    struct sim_packet *held = n->held;
    *n->held_end = NULL;
    n->held = NULL;
    n->held_end = &n->held;
    for (struct sim_packet **at = &held; held; at = &(*at)->next) {
        (*at)->due_us = n->now_us;
        if ((*at)->next)
            continue;
        (*at)->next = n->queue;
        n->queue = held;
        break;
    }
    for (struct sim_end *e = n->ends; e; e = e->next)
        if (e->stream && e->peer && e->peer->host == h)
            flush(e);
}

void simnet_break_at(struct simnet *n, uint64_t byte, bool silently)
{
    n->carried = 0;
    n->break_at = byte;
    n->break_silently = silently;
}

uint64_t simnet_carried(const struct simnet *n)
{
    return n->carried;
}

void simnet_unreachable(struct simnet_host *h)
{
    h->unreachable = true;
}

void simnet_refuse_streams(struct simnet_host *h)
{
    h->refuses_streams = true;
}

uint64_t simnet_now(const struct simnet *n)
{
    return n->now_us;
}

void simnet_inject(struct simnet *n, const char *from, const char *to, const void *data, size_t len)
{
    struct sim_packet *p = packet(n, DGRAM, NULL, data, len);

    p->from = parse(from);
    p->to = parse(to);
}

static void end_all(struct simnet_host *h, enum kind how)
{
    struct simnet *n = h->net;

    for (struct sim_end *e = n->ends; e; e = e->next)
        if (e->stream && (e->host == h || (e->peer && e->peer->host == h)))
            packet(n, how, e, NULL, 0);
}

void simnet_cut(struct simnet_host *h)
{
    end_all(h, CLOSE);
}

void simnet_down(struct simnet_host *h, bool down)
{
    h->down = down;
    if (down)
        end_all(h, RESET);
}

/* ---- Raw connections */
static const struct sim_listener *find_listener(const struct simnet *n,
                                                const secsip_engine_address *at)
{
    for (size_t i = 0; i < n->n_listeners; i++)
        if (same(&n->listeners[i].at, at) && !n->listeners[i].host->down &&
            !n->listeners[i].host->refuses_streams)
            return &n->listeners[i];
    return NULL;
}

/* The far end of a, accepted; NULL: refused. */
static struct sim_end *accept_end(const struct sim_listener *l, struct sim_end *a)
{
    struct sim_end *b = new_end(l->host);

    b->peer = a;
    b->local = a->remote;
    b->remote = a->local;
    a->peer = b;
    b->stream = secsip_engine_accept(l->l, &a->local, &a->remote, b);
    if (b->stream)
        return b;
    drop_end(b);
    return NULL;
}

struct sim_end *simnet_raw_open(struct simnet *n, const char *from, const char *to)
{
    n->nowhere.net = n;
    struct sim_end *a = new_end(&n->nowhere);

    a->local = parse(from);
    a->remote = parse(to);
    const struct sim_listener *l = find_listener(n, &a->remote);
    if (l && accept_end(l, a))
        return a;
    drop_end(a);
    return NULL;
}

void simnet_raw_send(struct sim_end *raw, const void *data, size_t len)
{
    if (raw->peer)
        bytes_to(raw->peer, data, len);
}

bool simnet_raw_is_open(const struct sim_end *raw)
{
    return raw->peer != NULL;
}

void simnet_raw_stall(struct sim_end *raw)
{
    raw->stalled = true;
}

void simnet_raw_close(struct sim_end *raw)
{
    if (raw->peer)
        packet(raw->host->net, CLOSE, raw->peer, NULL, 0);
    drop_end(raw);
}

/* ---- Running */
static bool is_hole(const struct simnet *n, const secsip_engine_address *a)
{
    for (size_t i = 0; i < n->n_holes; i++)
        if (same_ip(&n->holes[i], a))
            return true;
    return false;
}

static void connect_now(struct simnet *n, struct sim_end *a)
{
    if (is_hole(n, &a->remote))
        return;
    const struct sim_listener *l = find_listener(n, &a->remote);

    if (!l || !accept_end(l, a)) {
        secsip_engine_stream *s = a->stream;
        a->stream = NULL;
        drop_end(a);
        secsip_engine_stream_closed(s, SECSIP_E_NET_CONNECT, "Connection refused");
        return;
    }
    secsip_engine_stream_connected(a->stream, &a->local);
}

static void close_now(struct sim_end *e, secsip_result why)
{
    secsip_engine_stream *s = e->stream;

    e->stream = NULL;
    if (e->peer)
        e->peer->peer = NULL;
    e->peer = NULL;
    drop_end(e);
    secsip_engine_stream_closed(s, why, why ? "Connection reset by peer" : NULL);
}

static struct sim_dgram *find_dgram(const struct simnet *n, const secsip_engine_address *local,
                                    const secsip_engine_address *remote)
{
    for (struct sim_dgram *s = n->dgrams; s; s = s->next)
        if (same(&s->local, local) && (!s->remote.family || same(&s->remote, remote)))
            return s;
    return NULL;
}

static bool is_up(const struct simnet *n, const secsip_engine_address *ip)
{
    for (size_t i = 0; i < n->n_hosts; i++)
        if (same_ip(&n->hosts[i]->ip, ip))
            return n->hosts[i]->stack && !n->hosts[i]->down && !n->hosts[i]->frozen;
    return false;
}

static void deliver_dgram(struct simnet *n, struct sim_packet *p)
{
    if (p->to.port == 0 || !is_up(n, &p->to))
        return;
    const struct sim_dgram *s = find_dgram(n, &p->to, &p->from);
    if (s) {
        secsip_engine_dgram_input(s->d, &p->from, p->data, p->len);
        return;
    }
    /* The host is there, but nobody listens: it says so. */
    struct sim_packet *icmp = packet(n, UNREACHABLE, NULL, NULL, 0);
    icmp->from = p->from;
    icmp->to = p->to;
}

static void deliver_unreachable(struct simnet *n, const struct sim_packet *p)
{
    const struct sim_dgram *s = find_dgram(n, &p->from, &p->to);

    if (s)
        secsip_engine_dgram_failed(s->d, &p->to, "Connection refused");
}

/* Frozen hosts hear later; their datagrams are lost. True: the packet is kept. */
static bool hold(struct simnet *n, struct sim_packet *p)
{
    const struct sim_end *e = p->end;
    bool is_frozen = e && e->host->frozen;

    if (e && p->kind == CONNECT) {
        const struct sim_listener *l = find_listener(n, &e->remote);
        is_frozen = is_frozen || (l && l->host->frozen);
    }
    if (p->query) {
        const struct simnet_host *asker = p->asker;
        is_frozen = asker->frozen;
    }
    if (!is_frozen)
        return false;
    p->next = NULL;
    *n->held_end = p;
    n->held_end = &p->next;
    return true;
}

static void deliver(struct simnet *n, struct sim_packet *p)
{
    bool open = p->end && p->end->stream;

    if (p->kind == BYTES)
        p->end->unread -= p->len;

    switch (p->kind) {
    case CONNECT:
        if (open)
            connect_now(n, p->end);
        break;
    case BYTES:
        if (open)
            secsip_engine_stream_input(p->end->stream, p->data, p->len);
        break;
    case CLOSE:
    case RESET:
        if (open)
            close_now(p->end, p->kind == RESET ? SECSIP_E_NET_RESET : 0);
        break;
    case DGRAM:
        deliver_dgram(n, p);
        break;
    case UNREACHABLE:
        deliver_unreachable(n, p);
        break;
    case ANSWER:
        if (p->query && !n->mute)
            secsip_engine_resolved(p->query, p->n_records ? 0 : SECSIP_E_NET_RESOLVE, p->records,
                                   p->n_records);
        else if (p->query)
            secsip_engine_query_set_data(p->query, NULL);
        break;
    }
    drop_end(p->end);
}

static bool runs(const struct simnet_host *h)
{
    return h->stack && !h->frozen;
}

static void advance_all(struct simnet *n, bool only_due)
{
    for (size_t i = 0; i < n->n_hosts; i++) {
        struct simnet_host *h = n->hosts[i];
        if (runs(h) && (!only_due || secsip_engine_deadline(h->stack) <= n->now_us))
            secsip_engine_advance(h->stack, n->now_us, wall(n));
    }
}

static uint64_t next_due(const struct simnet *n)
{
    uint64_t due = n->queue ? n->queue->due_us : UINT64_MAX;

    for (size_t i = 0; i < n->n_hosts; i++) {
        uint64_t d = runs(n->hosts[i]) ? secsip_engine_deadline(n->hosts[i]->stack) : UINT64_MAX;
        if (d < due)
            due = d;
    }
    return due;
}

static void step(struct simnet *n)
{
    advance_all(n, true);
    while (n->queue && n->queue->due_us <= n->now_us) {
        struct sim_packet *p = n->queue;
        n->queue = p->next;
        if (hold(n, p))
            continue;
        advance_all(n, false); /* every stack has the time of what reaches it */
        deliver(n, p);
        free(p);
    }
}

bool simnet_run(struct simnet *n, uint64_t us, bool (*done)(void *arg), void *arg)
{
    uint64_t until = n->now_us + us;

    for (;;) {
        if (done && done(arg))
            return true;
        uint64_t due = next_due(n);
        if (due > until)
            break;
        if (due > n->now_us)
            n->now_us = due;
        step(n);
    }
    n->now_us = until;
    advance_all(n, false); /* what a test begins now counts from now */
    return done && done(arg);
}
