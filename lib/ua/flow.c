/* Flows, see flow.h. Layer: ua. */
#include "ua/flow.h"

#include <stdlib.h>

enum {
    WAITING_MAX = 1 << 20, /* bytes kept until a flow is open */
    PLAIN_CHUNK = 4096,    /* decrypted at a time */
    SPARED_BYTES = 4096,   /* a flow that holds no more is not closed for what others hold */
    PING_AFTER_S = 100,    /* RFC 5626 4.4.1: 95 to 120 s for connection-oriented flows */
    PONG_WITHIN_S = 10,    /* RFC 5626 4.4.1 */
    TRACE_SENT = 1,
    TRACE_RECEIVED = 2,
};

static void on_timer(void *arg);
static void on_end(void *arg);
static void try_next_target(struct ssi_flow *f);

static void txn_send(struct ssi_txn_flow *t, struct ssi_slice bytes)
{
    ssi_flow_send(ssi_flow_of(t), bytes);
}

static struct ssi_txn_flow *txn_ref(struct ssi_txn_flow *t)
{
    return &ssi_flow_ref(ssi_flow_of(t))->txn;
}

static void txn_unref(struct ssi_txn_flow *t)
{
    ssi_flow_unref(ssi_flow_of(t));
}

/* A flow in the stack's list, with the list's reference only. */
static struct ssi_flow *new_flow(struct ssi_ua *ua, secsip_tls_profile *profile, bool incoming)
{
    struct ssi_flow *f = calloc(1, sizeof *f);

    if (!f)
        return NULL;
    ssi_txn_flow_init(&f->txn);
    f->txn.send = txn_send;
    f->txn.ref = txn_ref;
    f->txn.unref = txn_unref;
    f->txn.reliable = true;
    f->stream.ua = ua;
    f->ua = ua;
    f->refs = 1;
    f->incoming = incoming;
    f->profile = secsip_tls_profile_ref(profile);
    f->transport = profile ? SSI_TRANSPORT_TLS : SSI_TRANSPORT_TCP;
    ssi_buf_init_secret(&f->out, WAITING_MAX);
    ssi_buf_init_secret(&f->waiting, WAITING_MAX);
    ssi_sip_framer_init(&f->framer, &ua->config.limits);
    f->framer.serves = incoming;
    ssi_timer_init(&f->timer, on_timer, f);
    ssi_timer_init(&f->end, on_end, f);
    ssi_list_init(&f->watches);
    f->id = ++ua->last_identity;
    ssi_hash_add(&ua->flow_ids, &f->id_node, ssi_hash_of(&ua->flow_ids, &f->id, sizeof f->id));
    ssi_list_push_back(&ua->flows, &f->node);
    ua->n_flows++;
    return f;
}

struct ssi_flow *ssi_flow_ref(struct ssi_flow *f)
{
    f->refs++;
    return f;
}

struct ssi_flow *ssi_flow_by_id(struct ssi_ua *ua, uint64_t id)
{
    struct ssi_hash_node *n =
        ssi_hash_find(&ua->flow_ids, ssi_hash_of(&ua->flow_ids, &id, sizeof id));

    for (; n; n = ssi_hash_next(n))
        if (SSI_CONTAINER(n, struct ssi_flow, id_node)->id == id)
            return SSI_CONTAINER(n, struct ssi_flow, id_node);
    return NULL;
}

void ssi_flow_unref(struct ssi_flow *f)
{
    if (!f || --f->refs > 0)
        return;
    ssi_locate_free(f->locate);
    ssi_tls_session_free(f->tls);
    secsip_tls_profile_unref(f->profile);
    ssi_sip_framer_free(&f->framer);
    ssi_buf_free(&f->out);
    ssi_buf_free(&f->waiting);
    free(f);
}

static bool is_over_limit(const struct ssi_ua *ua)
{
    return ua->n_flows >= ua->config.max_connections;
}

void ssi_flow_close(struct ssi_flow *f, const struct ssi_error *why)
{
    struct ssi_ua *ua = f->ua;

    if (f->state == SSI_FLOW_DEAD)
        return;
    f->state = SSI_FLOW_DEAD;
    ssi_list_remove(&f->node);
    ssi_hash_remove(&ua->flow_ids, &f->id_node);
    ua->n_flows--;
    ua->n_buffered -= f->n_buffered;
    f->n_buffered = 0;
    ssi_timer_cancel(&ua->timers, &f->timer);
    ssi_timer_cancel(&ua->timers, &f->end);
    ssi_locate_free(f->locate);
    f->locate = NULL;
    f->error = *why;
    if (f->tls)
        ssi_tls_session_close(f->tls);
    if (f->has_stream) {
        f->has_stream = false;
        ua->io.stream_close(ua->io.arg, &f->stream);
    }
    for (struct ssi_list *n; (n = ssi_list_pop_front(&f->watches));) {
        struct ssi_flow_watch *w = SSI_CONTAINER(n, struct ssi_flow_watch, node);
        w->on_failed(w->arg, f, &f->error);
    }
    ssi_txn_flow_failed(&ua->txn, &f->txn, SECSIP_E_UA_FLOW_FAILED);
    if (ua->handler.on_flow_closed)
        ua->handler.on_flow_closed(ua->handler.arg, f);
    ssi_flow_unref(f); /* the list's, which kept it alive until here */
}

static void set_peer_text(struct ssi_flow *f, struct ssi_error *e)
{
    if (f->peer.family)
        ssi_addr_text(&f->peer, e->peer);
    else
        ssi_slice_show(ssi_slice_str(f->domain), e->peer, sizeof e->peer);
}

/* This address failed: the next one, or the end. A flow that was open once does not move to another server silently. */
static void fail_attempt(struct ssi_flow *f, const struct ssi_error *why)
{
    struct ssi_ua *ua = f->ua;

    if (f->incoming || f->state == SSI_FLOW_OPEN || f->next_target >= f->n_targets) {
        ssi_flow_close(f, why);
        return;
    }
    ssi_log_line(&ua->config.log, SSI_LOG_WARNING, "%s: trying the next address", why->text);
    if (f->has_stream) {
        f->has_stream = false;
        ua->io.stream_close(ua->io.arg, &f->stream);
    }
    ssi_tls_session_free(f->tls);
    f->tls = NULL;
    try_next_target(f);
}

/* Brings the sum up to date; false when the stack holds too much and this flow more than its part. */
static bool count_buffered(struct ssi_flow *f)
{
    struct ssi_ua *ua = f->ua;

    if (f->state == SSI_FLOW_DEAD)
        return true;
    size_t n = f->framer.buf.len + f->out.len + f->waiting.len;
    if (f->tls)
        n += ssi_tls_session_output(f->tls)->len;
    bool grew = n > f->n_buffered;
    ua->n_buffered += n;
    ua->n_buffered -= f->n_buffered;
    f->n_buffered = n;
    return !grew || n <= SPARED_BYTES || ua->n_buffered <= ua->config.max_buffered_bytes;
}

static void fail_with_tls(struct ssi_flow *f)
{
    const struct ssi_tls_failure *t = ssi_tls_session_failure(f->tls);
    struct ssi_error e;

    ssi_error_set(&e, t->result, NULL);
    ssi_slice_show(ssi_slice_str(t->text[0] ? t->text : secsip_result_text(t->result)), e.text,
                   sizeof e.text);
    ssi_error_check(&e, t->check ? t->check : "handshake", ssi_slice_str(t->expected),
                    ssi_slice_str(t->found));
    set_peer_text(f, &e);
    fail_attempt(f, &e);
}

static void fail_with(struct ssi_flow *f, secsip_result result, const char *what)
{
    struct ssi_error e;
    char peer[SSI_ADDR_TEXT];

    ssi_addr_text(&f->peer, peer);
    ssi_error_set(&e, result, "%s (%s): %s", f->domain[0] ? f->domain : "peer", peer, what);
    set_peer_text(f, &e);
    fail_attempt(f, &e);
}

static secsip_result start_tls(struct ssi_flow *f)
{
    struct ssi_tls_config config = {
        .profile = f->profile,
        .server = f->incoming,
        .domain = f->incoming ? NULL : f->domain,
        .wall_s = f->ua->wall_s,
    };
    return ssi_tls_session_new(&config, &f->tls);
}

static void try_next_target(struct ssi_flow *f)
{
    struct ssi_ua *ua = f->ua;

    f->peer = f->targets[f->next_target++].addr;
    f->state = SSI_FLOW_CONNECTING;
    secsip_result r = f->transport == SSI_TRANSPORT_TLS ? start_tls(f) : 0;
    if (r >= 0)
        r = ua->io.stream_connect(ua->io.arg, &f->stream, &f->peer);
    if (r < 0) {
        fail_with(f, r, "connect");
        return;
    }
    f->has_stream = true;
    ssi_timer_arm(&ua->timers, &f->timer, SSI_MS(ua->config.handshake_timeout_ms));
}

static void on_located(void *arg, const struct ssi_locate_result *r)
{
    struct ssi_flow *f = arg;
    struct ssi_error e;

    if (r->result < 0) {
        ssi_error_set(&e, r->result, "%s", r->text);
        set_peer_text(f, &e);
        ssi_flow_close(f, &e);
        return;
    }
    f->targets = r->targets;
    f->n_targets = r->n_targets;
    ssi_flow_ref(f);
    try_next_target(f);
    ssi_flow_unref(f);
}

static bool is_unused(const struct ssi_flow *f)
{
    return !f->incoming && !f->opening && ssi_list_empty(&f->watches) &&
           ssi_list_empty(&f->txn.txns);
}

static void close_unused(struct ssi_flow *f)
{
    struct ssi_error e;

    ssi_error_set(&e, SECSIP_E_CANCELLED, "the connection is no longer needed");
    ssi_flow_close(f, &e);
}

static void on_timer(void *arg)
{
    struct ssi_flow *f = arg;
    struct ssi_timers *timers = &f->ua->timers;

    if (f->state != SSI_FLOW_OPEN) {
        ssi_flow_ref(f);
        fail_with(f, SECSIP_E_TIMEOUT, "no connection and handshake in time");
        ssi_flow_unref(f);
        return;
    }
    if (is_unused(f)) {
        close_unused(f);
        return;
    }
    if (f->ping_sent && f->pong_seen) {
        fail_with(f, SECSIP_E_TIMEOUT, "no answer to a keep-alive (RFC 5626 4.4.1)");
        return;
    }
    ssi_flow_send(f, SSI_LIT("\r\n\r\n"));
    f->ping_sent = true;
    ssi_timer_arm(timers, &f->timer, f->pong_seen ? SSI_S(PONG_WITHIN_S) : SSI_S(PING_AFTER_S));
}

static bool is_target(const struct ssi_flow *f, const struct ssi_flow_target *t)
{
    return !f->incoming && f->state != SSI_FLOW_DEAD && f->identity == t->identity &&
           f->profile == t->profile && f->transport == t->transport && f->port == t->port &&
           ssi_slice_ieq(ssi_slice_str(f->domain), ssi_slice_str(t->host));
}

secsip_result ssi_flow_get(struct ssi_ua *ua, const struct ssi_flow_target *target,
                           struct ssi_flow **ret)
{
    SSI_LIST_EACH(n, &ua->flows)
    {
        struct ssi_flow *f = SSI_CONTAINER(n, struct ssi_flow, node);
        if (is_target(f, target)) {
            *ret = ssi_flow_ref(f);
            return 0;
        }
    }
    if (is_over_limit(ua))
        return SECSIP_E_LIMIT;
    struct ssi_flow *f = new_flow(ua, target->profile, false);
    if (!f)
        return SECSIP_E_NOMEM;
    f->state = SSI_FLOW_LOCATING;
    f->transport = target->transport;
    f->identity = target->identity;
    f->port = target->port;
    ssi_slice_show(ssi_slice_str(target->host), f->domain, sizeof f->domain);
    struct ssi_locate_config config = {
        .ua = ua,
        .io = &ua->io,
        .host = f->domain,
        .port = f->port,
        .tls = f->transport == SSI_TRANSPORT_TLS,
        .transport_given = target->transport_given,
        .done = on_located,
        .arg = f,
    };
    ssi_flow_ref(f); /* the caller's */
    secsip_result r = ssi_locate_start(&config, &f->locate);
    if (r < 0) {
        struct ssi_error e;
        ssi_error_set(&e, r, "%s", f->domain);
        ssi_flow_close(f, &e);
    } else if (r == 1) {
        on_located(f, ssi_locate_result(f->locate));
    }
    *ret = f;
    return 0;
}

void ssi_flow_watch(struct ssi_flow *f, struct ssi_flow_watch *w)
{
    if (f->state == SSI_FLOW_DEAD) {
        ssi_flow_ref(f); /* the error is the flow's, and the watcher may let go of it */
        w->on_failed(w->arg, f, &f->error);
        ssi_flow_unref(f);
        return;
    }
    ssi_list_push_back(&f->watches, &w->node);
    if (f->state == SSI_FLOW_OPEN && w->on_open)
        w->on_open(w->arg, f);
}

void ssi_flow_unwatch(struct ssi_flow *f, struct ssi_flow_watch *w)
{
    ssi_list_remove(&w->node);
    if (f->state != SSI_FLOW_DEAD && is_unused(f))
        close_unused(f);
}

bool ssi_flow_may_carry_keys(const struct ssi_flow *f)
{
    const secsip_tls_info *info = ssi_flow_tls_info(f);
    return f->state == SSI_FLOW_OPEN && info && (info->verified || info->relaxed);
}

bool ssi_flow_is_secure(const struct ssi_flow *f)
{
    const uint32_t insecure = SECSIP_TLS_INSECURE_SELF_SIGNED | SECSIP_TLS_INSECURE_ANY;
    return ssi_flow_may_carry_keys(f) && !(ssi_flow_tls_info(f)->relaxed & insecure);
}

const secsip_tls_info *ssi_flow_tls_info(const struct ssi_flow *f)
{
    return f->tls && f->state == SSI_FLOW_OPEN ? ssi_tls_session_info(f->tls) : NULL;
}

const char *ssi_flow_transport_name(const struct ssi_flow *f)
{
    return f->transport == SSI_TRANSPORT_TLS ? "TLS" : "TCP";
}

/* Into the TLS session or the clear buffer of an open flow. */
static secsip_result write_open(struct ssi_flow *f, struct ssi_slice bytes)
{
    secsip_result r;

    if (f->tls) {
        r = ssi_tls_session_write(f->tls, bytes.p, bytes.len);
    } else {
        ssi_buf_put_slice(&f->out, bytes);
        r = f->out.failed;
    }
    if (r >= 0)
        f->ua->io.stream_wants_write(f->ua->io.arg, &f->stream);
    return r;
}

void ssi_flow_send(struct ssi_flow *f, struct ssi_slice bytes)
{
    secsip_result r = 0;

    if (f->state == SSI_FLOW_DEAD || f->send_failed < 0)
        return;
    if (bytes.len > 4)
        ssi_ua_trace(f->ua, TRACE_SENT, f, bytes);
    if (f->state == SSI_FLOW_OPEN) {
        r = write_open(f, bytes);
    } else {
        ssi_buf_put_slice(&f->waiting, bytes);
        r = f->waiting.failed;
    }
    if (!count_buffered(f) && r >= 0)
        r = SECSIP_E_LIMIT;
    if (r < 0) {
        f->send_failed = r;
        ssi_timer_arm(&f->ua->timers, &f->end, 0);
    }
}

static void on_end(void *arg)
{
    struct ssi_flow *f = arg;
    struct ssi_error e;

    ssi_error_set(&e, f->send_failed, "the peer does not read what is sent");
    set_peer_text(f, &e);
    ssi_flow_close(f, &e);
}

static void become_open(struct ssi_flow *f)
{
    struct ssi_list asked;

    f->state = SSI_FLOW_OPEN;
    if (f->incoming)
        ssi_timer_cancel(&f->ua->timers, &f->timer);
    else
        ssi_timer_arm(&f->ua->timers, &f->timer, SSI_S(PING_AFTER_S));
    if (f->waiting.len > 0 && write_open(f, ssi_buf_slice(&f->waiting)) < 0) {
        fail_with(f, SECSIP_E_LIMIT, "more waits to be sent than a connection may hold");
        return;
    }
    ssi_buf_free(&f->waiting);
    /* A watch may come or go in any callback: each is asked once, from a list of its own. */
    ssi_list_init(&asked);
    bool was_watched = !ssi_list_empty(&f->watches);
    f->opening = true; /* who is not asked yet still needs it */
    for (struct ssi_list *n; (n = ssi_list_pop_front(&f->watches));)
        ssi_list_push_back(&asked, n);
    for (struct ssi_list *n; (n = ssi_list_pop_front(&asked));) {
        struct ssi_flow_watch *w = SSI_CONTAINER(n, struct ssi_flow_watch, node);
        if (f->state == SSI_FLOW_DEAD) {
            w->on_failed(w->arg, f, &f->error);
            continue;
        }
        ssi_list_push_back(&f->watches, n);
        if (w->on_open)
            w->on_open(w->arg, f);
    }
    f->opening = false;
    if (was_watched && f->state == SSI_FLOW_OPEN && is_unused(f))
        close_unused(f);
}

static void take_message(struct ssi_flow *f, struct ssi_sip_msg *m)
{
    char ip[SSI_ADDR_TEXT];

    ssi_ua_trace(f->ua, TRACE_RECEIVED, f, m->wire);
    ssi_addr_ip_text(&f->peer, false, ip);
    ssi_txn_input(&f->ua->txn, m, &f->txn, ip, f->peer.port);
    ssi_sip_msg_unref(m);
}

/* Everything complete in the framer; false when the flow died. */
static bool take_frames(struct ssi_flow *f)
{
    struct ssi_sip_fault fault = {0};
    struct ssi_sip_msg *m = NULL;

    while (f->state != SSI_FLOW_DEAD) {
        int32_t kind = ssi_sip_framer_next(&f->framer, &fault, &m);
        switch (kind) {
        case SSI_SIP_FRAME_MORE:
            return true;
        case SSI_SIP_FRAME_MESSAGE:
            take_message(f, m);
            break;
        case SSI_SIP_FRAME_PING:
            ssi_flow_send(f, SSI_LIT("\r\n")); /* RFC 5626 4.4.1 */
            break;
        case SSI_SIP_FRAME_PONG:
            f->pong_seen = true;
            f->ping_sent = false;
            if (!f->incoming)
                ssi_timer_arm(&f->ua->timers, &f->timer, SSI_S(PING_AFTER_S));
            break;
        case SSI_SIP_FRAME_DROPPED: /* one bad message must not end everybody's calls on this flow */
            ssi_log_line(&f->ua->config.log, SSI_LOG_WARNING,
                         "a message is left out: %s, expected %s", secsip_result_name(fault.result),
                         fault.text);
            break;
        default:
            fail_with(f, kind, fault.text ? fault.text : "the stream holds no SIP messages");
            return false;
        }
    }
    return false;
}

static bool feed(struct ssi_flow *f, const void *data, size_t len)
{
    secsip_result r = ssi_sip_framer_feed(&f->framer, data, len);

    if (r < 0) {
        fail_with(f, r, "a message is too large");
        return false;
    }
    return take_frames(f);
}

/* Decrypts and frames all there is; false when the flow died. */
static bool drain_tls(struct ssi_flow *f)
{
    char plain[PLAIN_CHUNK];
    bool alive = true;

    while (alive && f->state == SSI_FLOW_OPEN) {
        int32_t n = ssi_tls_session_read(f->tls, plain, sizeof plain);
        if (n <= 0) {
            if (n < 0)
                fail_with(f, n, "TLS");
            break;
        }
        alive = feed(f, plain, (size_t)n);
        ssi_wipe(plain, (size_t)n);
    }
    return f->state != SSI_FLOW_DEAD;
}

static void input_tls(struct ssi_flow *f, const void *data, size_t len)
{
    int32_t state = ssi_tls_session_input(f->tls, data, len);

    if (state < 0) {
        fail_with(f, state, "TLS");
        return;
    }
    if (state == SSI_TLS_FAILED) {
        fail_with_tls(f);
        return;
    }
    if (state != SSI_TLS_HANDSHAKE && f->state == SSI_FLOW_HANDSHAKE)
        become_open(f);
    if (f->state != SSI_FLOW_OPEN || !drain_tls(f)) {
        if (f->state == SSI_FLOW_HANDSHAKE && ssi_tls_session_output(f->tls)->len > 0)
            f->ua->io.stream_wants_write(f->ua->io.arg, &f->stream);
        return;
    }
    state = ssi_tls_session_state(f->tls);
    if (state == SSI_TLS_FAILED)
        fail_with_tls(f);
    else if (state == SSI_TLS_CLOSED_BY_PEER)
        fail_with(f, SECSIP_E_CLOSED, "the peer closed the connection");
    else if (ssi_tls_session_output(f->tls)->len > 0)
        f->ua->io.stream_wants_write(f->ua->io.arg, &f->stream);
}

/* ---- What the driver tells. */
void ssi_ua_stream_connected(struct ssi_stream *s, const struct ssi_addr *local)
{
    struct ssi_flow *f = SSI_CONTAINER(s, struct ssi_flow, stream);
    struct ssi_ua *ua = f->ua;

    ssi_flow_ref(f);
    f->local = *local;
    if (f->tls) {
        f->state = SSI_FLOW_HANDSHAKE;
        int32_t state = ssi_tls_session_start(f->tls);
        if (state < 0)
            fail_with(f, state, "TLS");
        else if (state == SSI_TLS_FAILED)
            fail_with_tls(f);
        else
            ua->io.stream_wants_write(ua->io.arg, s);
    } else {
        become_open(f);
    }
    ssi_flow_unref(f);
    ssi_ua_dispatch(ua);
}

struct ssi_stream *ssi_ua_stream_accepted(struct ssi_listener *io_listener,
                                          const struct ssi_addr *peer, const struct ssi_addr *local,
                                          void *io_data)
{
    struct ssi_ua_listener *l = SSI_CONTAINER(io_listener, struct ssi_ua_listener, io);
    struct ssi_ua *ua = io_listener->ua;

    if (is_over_limit(ua) || ua->shutting_down)
        return NULL;
    struct ssi_flow *f = new_flow(ua, l->profile, true);
    if (!f)
        return NULL;
    f->peer = *peer;
    f->local = *local;
    f->stream.io_data = io_data;
    f->has_stream = true;
    f->state = SSI_FLOW_HANDSHAKE;
    if (!l->profile) {
        f->state = SSI_FLOW_OPEN;
    } else if (start_tls(f) < 0) {
        struct ssi_error e;
        ssi_error_set(&e, SECSIP_E_NOMEM, NULL);
        f->has_stream = false;
        ssi_flow_close(f, &e);
        return NULL;
    } else {
        ssi_timer_arm(&ua->timers, &f->timer, SSI_MS(ua->config.handshake_timeout_ms));
    }
    return &f->stream;
}

void ssi_ua_stream_input(struct ssi_stream *s, const void *data, size_t len)
{
    struct ssi_flow *f = SSI_CONTAINER(s, struct ssi_flow, stream);
    struct ssi_ua *ua = f->ua;

    ssi_flow_ref(f);
    if (f->state == SSI_FLOW_DEAD)
        ;
    else if (f->tls)
        input_tls(f, data, len);
    else
        feed(f, data, len);
    if (!count_buffered(f))
        fail_with(f, SECSIP_E_LIMIT, "too many bytes wait in all connections together");
    ssi_flow_unref(f);
    ssi_ua_dispatch(ua);
}

struct ssi_buf *ssi_ua_stream_output(struct ssi_stream *s)
{
    struct ssi_flow *f = SSI_CONTAINER(s, struct ssi_flow, stream);
    return f->tls ? ssi_tls_session_output(f->tls) : &f->out;
}

void ssi_ua_stream_sent(struct ssi_stream *s)
{
    count_buffered(SSI_CONTAINER(s, struct ssi_flow, stream)); /* it can only have shrunk */
}

void ssi_ua_stream_closed(struct ssi_stream *s, secsip_result why, const char *detail)
{
    struct ssi_flow *f = SSI_CONTAINER(s, struct ssi_flow, stream);
    struct ssi_ua *ua = f->ua;

    ssi_flow_ref(f);
    f->has_stream = false;
    if (why < 0)
        fail_with(f, why, detail ? detail : "connection lost");
    else if (f->tls && ssi_tls_session_state(f->tls) != SSI_TLS_CLOSED_BY_PEER)
        fail_with(f, SECSIP_E_TLS_TRUNCATED, "the connection ended in the middle");
    else
        fail_with(f, SECSIP_E_CLOSED, "the peer closed the connection");
    ssi_flow_unref(f);
    ssi_ua_dispatch(ua);
}

void ssi_ua_resolved(struct ssi_query *q, secsip_result result, const struct ssi_rr *rrs,
                     size_t n_rrs)
{
    struct ssi_ua *ua = q->ua;

    ssi_locate_answer(q, result, rrs, n_rrs);
    ssi_ua_dispatch(ua);
}
