/* The engine door: the core's questions and answers in public types. Layer: api. The public handles are the core's own
 * structures under another name; nothing is allocated here. */
#include <stdlib.h>

#include "api/abi.h"
#include "api/stack.h"
#include "base/export.h"

enum {
    RECORDS_MAX = 64
};

static secsip_stack *stack_of(struct ssi_ua *ua)
{
    return SSI_CONTAINER(ua, secsip_stack, ua);
}

static secsip_engine_address to_public(const struct ssi_addr *a)
{
    secsip_engine_address p = {.size = sizeof p, .family = a->family, .port = a->port};
    memcpy(p.ip, a->ip, sizeof p.ip);
    return p;
}

static struct ssi_addr from_public(const secsip_engine_address *p)
{
    struct ssi_addr a = {0};

    if (p && (p->family == 4 || p->family == 6)) {
        a.family = (uint8_t)p->family;
        a.port = (uint16_t)p->port;
        memcpy(a.ip, p->ip, p->family == 4 ? 4 : 16);
    }
    return a;
}

/* ---- What the core asks */
static secsip_result ask_connect(void *arg, struct ssi_stream *s, const struct ssi_addr *to)
{
    secsip_stack *st = arg;
    secsip_engine_address at = to_public(to);
    return st->engine_io.stream_connect((secsip_engine_stream *)s, &at, st->engine_data);
}

static void ask_wants_write(void *arg, struct ssi_stream *s)
{
    secsip_stack *st = arg;
    st->engine_io.stream_wants_write((secsip_engine_stream *)s, st->engine_data);
}

static void ask_close(void *arg, struct ssi_stream *s)
{
    secsip_stack *st = arg;
    st->engine_io.stream_close((secsip_engine_stream *)s, st->engine_data);
}

static secsip_result ask_listen(void *arg, struct ssi_listener *l)
{
    secsip_stack *st = arg;
    secsip_engine_address at = to_public(&l->local);
    secsip_result r = st->engine_io.listen((secsip_engine_listener *)l, &at, st->engine_data);
    l->local = from_public(&at);
    return r;
}

static void ask_listen_close(void *arg, struct ssi_listener *l)
{
    secsip_stack *st = arg;
    if (st->engine_io.listen_close)
        st->engine_io.listen_close((secsip_engine_listener *)l, st->engine_data);
}

static secsip_result ask_dgram_open(void *arg, struct ssi_dgram *d)
{
    secsip_stack *st = arg;
    secsip_engine_address at = to_public(&d->local);
    secsip_result r = st->engine_io.dgram_open((secsip_engine_dgram *)d, &at, st->engine_data);
    d->local = from_public(&at);
    return r;
}

static void ask_dgram_send(void *arg, struct ssi_dgram *d, const struct ssi_addr *to,
                           const void *data, size_t len)
{
    secsip_stack *st = arg;
    secsip_engine_address at = to_public(to);
    st->engine_io.dgram_send((secsip_engine_dgram *)d, &at, data, len, st->engine_data);
}

static void ask_dgram_close(void *arg, struct ssi_dgram *d)
{
    secsip_stack *st = arg;
    st->engine_io.dgram_close((secsip_engine_dgram *)d, st->engine_data);
}

static secsip_result ask_resolve(void *arg, struct ssi_query *q, enum ssi_rr_type type,
                                 const char *name)
{
    secsip_stack *st = arg;
    if (!st->engine_io.resolve)
        return SECSIP_E_NET_RESOLVE;
    return st->engine_io.resolve((secsip_engine_query *)q, (int32_t)type, name, st->engine_data);
}

static void ask_resolve_cancel(void *arg, struct ssi_query *q)
{
    secsip_stack *st = arg;
    if (st->engine_io.resolve_cancel)
        st->engine_io.resolve_cancel((secsip_engine_query *)q, st->engine_data);
}

static secsip_result ask_dgram_connect(void *arg, struct ssi_dgram *d, const struct ssi_addr *to)
{
    secsip_stack *st = arg;
    secsip_engine_address at = to_public(to), local = {.size = sizeof local};
    secsip_result r =
        st->engine_io.dgram_connect((secsip_engine_dgram *)d, &at, &local, st->engine_data);
    d->local = from_public(&local);
    return r;
}

static bool has_required(const secsip_engine_io *io)
{
    return io->stream_connect && io->stream_wants_write && io->stream_close && io->dgram_open &&
           io->dgram_send && io->dgram_close;
}

SECSIP_EXPORT secsip_result secsip_engine_stack_new(const secsip_stack_config *config,
                                                    const secsip_engine_io *io, void *user_data,
                                                    uint64_t now_us, uint64_t wall_s,
                                                    secsip_stack **ret_stack)
{
    struct ssi_ua_config ua_config;
    secsip_engine_io known;
    secsip_stack *s;

    if (!io || !ret_stack)
        return SECSIP_E_INVALID;
    secsip_result r = ssi_abi_take(&known, sizeof known, io, sizeof(size_t));
    if (r < 0)
        return r;
    if (!has_required(&known))
        return SECSIP_E_INVALID;
    r = ssi_stack_alloc(config, &ua_config, &s);
    if (r < 0)
        return r;
    s->engine_io = known;
    s->engine_data = user_data;
    const struct ssi_io inner = {
        .arg = s,
        .stream_connect = ask_connect,
        .stream_wants_write = ask_wants_write,
        .stream_close = ask_close,
        .listen = known.listen ? ask_listen : NULL,
        .listen_close = ask_listen_close,
        .dgram_open = ask_dgram_open,
        .dgram_send = ask_dgram_send,
        .dgram_close = ask_dgram_close,
        .resolve = ask_resolve,
        .resolve_cancel = ask_resolve_cancel,
        .dgram_connect = known.dgram_connect ? ask_dgram_connect : NULL,
    };
    r = ssi_ua_init(&s->ua, &ua_config, &inner, now_us, wall_s);
    if (r < 0) {
        free(s);
        return r;
    }
    *ret_stack = s;
    return 0;
}

/* ---- What the application tells */
SECSIP_EXPORT int32_t secsip_engine_advance(secsip_stack *stack, uint64_t now_us, uint64_t wall_s)
{
    if (!stack)
        return SECSIP_E_INVALID;
    if (!ssi_stack_enter(stack))
        return SECSIP_E_BUSY;
    bool more = ssi_ua_advance(&stack->ua, now_us, wall_s);
    ssi_stack_leave(stack);
    return more ? 1 : 0;
}

SECSIP_EXPORT uint64_t secsip_engine_deadline(const secsip_stack *stack)
{
    return stack ? ssi_ua_deadline(&stack->ua) : UINT64_MAX;
}

SECSIP_EXPORT void secsip_engine_stream_set_data(secsip_engine_stream *s, void *data)
{
    ((struct ssi_stream *)s)->io_data = data;
}

SECSIP_EXPORT void *secsip_engine_stream_get_data(const secsip_engine_stream *s)
{
    return ((const struct ssi_stream *)s)->io_data;
}

SECSIP_EXPORT void secsip_engine_stream_connected(secsip_engine_stream *s,
                                                  const secsip_engine_address *local)
{
    struct ssi_stream *in = (struct ssi_stream *)s;
    secsip_stack *st = stack_of(in->ua);
    struct ssi_addr a = from_public(local);

    if (!ssi_stack_enter(st))
        return;
    ssi_ua_stream_connected(in, &a);
    ssi_stack_leave(st);
}

SECSIP_EXPORT void secsip_engine_stream_input(secsip_engine_stream *s, const uint8_t *data,
                                              size_t len)
{
    struct ssi_stream *in = (struct ssi_stream *)s;
    secsip_stack *st = stack_of(in->ua);

    if (!ssi_stack_enter(st))
        return;
    ssi_ua_stream_input(in, data, len);
    ssi_stack_leave(st);
}

SECSIP_EXPORT size_t secsip_engine_stream_output(secsip_engine_stream *s, const uint8_t **ret_data)
{
    struct ssi_buf *b = ssi_ua_stream_output((struct ssi_stream *)s);

    *ret_data = NULL;
    if (!b || b->len == 0)
        return 0;
    *ret_data = b->data + b->off;
    return b->len;
}

SECSIP_EXPORT void secsip_engine_stream_sent(secsip_engine_stream *s, size_t n)
{
    struct ssi_stream *in = (struct ssi_stream *)s;

    ssi_buf_consume(ssi_ua_stream_output(in), n);
    ssi_ua_stream_sent(in);
}

SECSIP_EXPORT void secsip_engine_stream_closed(secsip_engine_stream *s, secsip_result why,
                                               const char *detail)
{
    struct ssi_stream *in = (struct ssi_stream *)s;
    secsip_stack *st = stack_of(in->ua);

    if (!ssi_stack_enter(st))
        return;
    ssi_ua_stream_closed(in, why, detail);
    ssi_stack_leave(st);
}

SECSIP_EXPORT void secsip_engine_listener_set_data(secsip_engine_listener *l, void *data)
{
    ((struct ssi_listener *)l)->io_data = data;
}

SECSIP_EXPORT void *secsip_engine_listener_get_data(const secsip_engine_listener *l)
{
    return ((const struct ssi_listener *)l)->io_data;
}

SECSIP_EXPORT secsip_engine_stream *secsip_engine_accept(secsip_engine_listener *l,
                                                         const secsip_engine_address *peer,
                                                         const secsip_engine_address *local,
                                                         void *data)
{
    struct ssi_addr from = from_public(peer);
    struct ssi_addr to = from_public(local);
    return (secsip_engine_stream *)ssi_ua_stream_accepted((struct ssi_listener *)l, &from, &to,
                                                          data);
}

SECSIP_EXPORT void secsip_engine_dgram_set_data(secsip_engine_dgram *d, void *data)
{
    ((struct ssi_dgram *)d)->io_data = data;
}

SECSIP_EXPORT void *secsip_engine_dgram_get_data(const secsip_engine_dgram *d)
{
    return ((const struct ssi_dgram *)d)->io_data;
}

SECSIP_EXPORT void secsip_engine_dgram_input(secsip_engine_dgram *d,
                                             const secsip_engine_address *from, uint8_t *data,
                                             size_t len)
{
    struct ssi_dgram *in = (struct ssi_dgram *)d;
    secsip_stack *st = stack_of(in->ua);
    struct ssi_addr a = from_public(from);

    if (!ssi_stack_enter(st))
        return;
    ssi_ua_dgram_input(in, &a, data, len);
    ssi_stack_leave(st);
}

SECSIP_EXPORT void secsip_engine_dgram_failed(secsip_engine_dgram *d,
                                              const secsip_engine_address *to, const char *detail)
{
    struct ssi_dgram *in = (struct ssi_dgram *)d;
    secsip_stack *st = stack_of(in->ua);
    struct ssi_addr a = from_public(to);

    if (!ssi_stack_enter(st))
        return;
    ssi_ua_dgram_failed(in, &a, detail);
    ssi_stack_leave(st);
}

SECSIP_EXPORT void secsip_engine_query_set_data(secsip_engine_query *q, void *data)
{
    ((struct ssi_query *)q)->io_data = data;
}

SECSIP_EXPORT void *secsip_engine_query_get_data(const secsip_engine_query *q)
{
    return ((const struct ssi_query *)q)->io_data;
}

static void take_record(const secsip_engine_record *from, struct ssi_rr *to)
{
    memset(to, 0, sizeof *to);
    to->type = (enum ssi_rr_type)from->type;
    to->ttl_s = from->ttl_s;
    to->priority = (uint16_t)from->priority;
    to->weight = (uint16_t)from->weight;
    to->port = (uint16_t)from->port;
    if (to->type == SSI_RR_A || to->type == SSI_RR_AAAA) {
        to->addr.family = to->type == SSI_RR_A ? 4 : 6;
        memcpy(to->addr.ip, from->ip, to->type == SSI_RR_A ? 4 : 16);
    }
    ssi_slice_show(ssi_slice_str(from->target), to->target, sizeof to->target);
    ssi_slice_show(ssi_slice_str(from->service), to->service, sizeof to->service);
    ssi_slice_show(ssi_slice_str(from->flags), to->flags, sizeof to->flags);
}

SECSIP_EXPORT void secsip_engine_resolved(secsip_engine_query *q, secsip_result result,
                                          const secsip_engine_record *records, size_t n)
{
    struct ssi_query *in = (struct ssi_query *)q;
    secsip_stack *st = stack_of(in->ua);
    struct ssi_rr *rrs = NULL;

    if (!ssi_stack_enter(st))
        return;
    if (n > RECORDS_MAX)
        n = RECORDS_MAX;
    if ((result >= 0 || result == SECSIP_E_NET_RESOLVE) && n > 0) {
        rrs = calloc(n, sizeof *rrs);
        if (!rrs)
            result = SECSIP_E_NOMEM;
    }
    for (size_t i = 0; rrs && i < n; i++)
        take_record(&records[i], &rrs[i]);
    ssi_ua_resolved(in, result, rrs, rrs ? n : 0);
    free(rrs);
    ssi_stack_leave(st);
}
