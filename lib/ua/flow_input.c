/* What comes in over a flow: bytes, records, messages, and what the driver tells. Layer: ua. */
#include "ua/flow_parts.h"

#include <stdlib.h>
#include "ua/flow_udp.h"

enum {
    PLAIN_CHUNK = 4096, /* decrypted at a time */
};

void ssi_flow_become_open(struct ssi_flow *f)
{
    struct ssi_list asked;

    f->state = SSI_FLOW_OPEN;
    ssi_flow_unref(f->stands_for);
    f->stands_for = NULL;
    ssi_flow_handshake_ends(f);
    ssi_flow_begin_keeping(f);
    ssi_locate_free(f->locate);
    f->locate = NULL;
    if (f->waiting.len > 0 && ssi_flow_write(f, ssi_buf_slice(&f->waiting)) < 0) {
        ssi_flow_fail_with(f, SECSIP_E_LIMIT, "more waits to be sent than a connection may hold");
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
            ssi_flow_tell_failed(f, w);
            continue;
        }
        ssi_list_push_back(&f->watches, n);
        if (w->on_open)
            w->on_open(w->arg, f);
    }
    f->opening = false;
    if (was_watched && f->state == SSI_FLOW_OPEN && ssi_flow_is_unused(f))
        ssi_flow_close_unused(f);
}

/* The peer says no more. Whether it meant to, whether it was cut off, or in the middle of what, are three things. */
static void end_of_stream(struct ssi_flow *f)
{
    bool is_tls = f->profile != NULL;

    if (f->state == SSI_FLOW_HANDSHAKE)
        ssi_flow_fail_ended(f, SECSIP_E_TLS_TRUNCATED, "the peer closed it during the handshake",
                            "end of stream during the handshake");
    else if (is_tls && ssi_tls_session_state(f->tls) != SSI_TLS_CLOSED_BY_PEER)
        ssi_flow_fail_ended(f, SECSIP_E_TLS_TRUNCATED,
                            "it was cut off, or the peer does not keep to RFC 8446 6.1",
                            "end of stream without close_notify");
    else if (f->framer.buf.len > 0)
        ssi_flow_fail_ended(f, SECSIP_E_SIP_TRUNCATED, "the peer closed it inside a message",
                            "end of stream inside a message");
    else
        ssi_flow_fail_ended(f, SECSIP_E_CLOSED, "the peer closed the connection",
                            is_tls ? "close_notify" : "end of stream");
}

/* A connection and a handshake prove no server: it may have nobody behind it, or be about to refuse our certificate. */
static void note_alive(struct ssi_flow *f)
{
    if (f->incoming || f->heard)
        return;
    f->heard = true;
    ssi_flow_note_heard(f);
}

void ssi_flow_take_message(struct ssi_flow *f, struct ssi_sip_msg *m)
{
    char ip[SSI_ADDR_TEXT];

    f->used_us = f->ua->timers.now_us;
    ssi_ua_trace(f->ua, SSI_TRACE_RECEIVED, f, m->wire);
    note_alive(f);
    ssi_flow_note_alias(f, m);
    ssi_addr_ip_text(&f->peer, false, ip);
    ssi_txn_input(&f->ua->txn, m, &f->txn, ip, f->peer.port);
    ssi_sip_msg_unref(m);
}

/* Everything complete in the framer; false when the flow died. */
static bool take_frames(struct ssi_flow *f)
{
    struct ssi_sip_fault fault = {0};
    struct ssi_sip_msg *m = NULL;
    bool took_one = false;

    while (f->state != SSI_FLOW_DEAD) {
        int32_t kind = ssi_sip_framer_next(&f->framer, &fault, &m);
        took_one |= kind > SSI_SIP_FRAME_MORE;
        switch (kind) {
        case SSI_SIP_FRAME_MORE:
            ssi_flow_watch_half(f, took_one);
            return true;
        case SSI_SIP_FRAME_MESSAGE:
            ssi_flow_take_message(f, m);
            break;
        case SSI_SIP_FRAME_PING:
            f->used_us = f->ua->timers.now_us;
            ssi_flow_send(f, SSI_LIT("\r\n")); /* RFC 5626 4.4.1 */
            break;
        case SSI_SIP_FRAME_PONG:
            note_alive(f);
            f->pong_seen = true;
            f->ping_sent = false;
            if (!f->incoming)
                ssi_flow_begin_keeping(f);
            break;
        case SSI_SIP_FRAME_DROPPED: /* one bad message must not end everybody's calls on this flow */
            ssi_log_line(&f->ua->config.log, SSI_LOG_WARNING,
                         "a message is left out: %s, expected %s", secsip_result_name(fault.result),
                         fault.text);
            break;
        default:
            if (m) /* the driver sends what waits before it closes */
                ssi_flow_take_message(f, m);
            if (f->state != SSI_FLOW_DEAD)
                ssi_flow_fail_with(f, kind,
                                   fault.text ? fault.text : "the stream holds no SIP messages");
            return false;
        }
    }
    return false;
}

static bool feed(struct ssi_flow *f, const void *data, size_t len)
{
    secsip_result r = ssi_sip_framer_feed(&f->framer, data, len);

    if (r < 0) {
        ssi_flow_fail_with(f, r, "a message is too large");
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
                ssi_flow_fail_tls(
                    f); /* in TLS 1.3 a server judges our certificate after we are open */
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

    if (f->state == SSI_FLOW_DEAD)
        return; /* the application was asked about the certificate, and ended everything */
    if (state < 0) {
        ssi_flow_fail_with(f, state, "TLS");
        return;
    }
    if (state == SSI_TLS_FAILED) {
        ssi_flow_fail_tls(f);
        return;
    }
    if (state != SSI_TLS_HANDSHAKE && f->state == SSI_FLOW_HANDSHAKE)
        ssi_flow_become_open(f);
    if (f->state != SSI_FLOW_OPEN || !drain_tls(f)) {
        if (f->state == SSI_FLOW_HANDSHAKE && ssi_tls_session_output(f->tls)->len > 0)
            f->ua->io.stream_wants_write(f->ua->io.arg, &f->link->stream);
        return;
    }
    ssi_flow_watch_half(f, false);
    state = ssi_tls_session_state(f->tls);
    if (state == SSI_TLS_FAILED)
        ssi_flow_fail_tls(f);
    else if (state == SSI_TLS_CLOSED_BY_PEER)
        end_of_stream(f);
    else if (ssi_tls_session_output(f->tls)->len > 0)
        f->ua->io.stream_wants_write(f->ua->io.arg, &f->link->stream);
}

/* ---- What the driver tells. */
static struct ssi_flow_link *link_of(struct ssi_stream *s)
{
    return SSI_CONTAINER(s, struct ssi_flow_link, stream);
}

/* The first word of ours over a new connection. */
static void start_tls(struct ssi_flow *f)
{
    secsip_result r = ssi_flow_start_tls(f);
    int32_t state = r < 0 ? r : ssi_tls_session_start(f->tls);

    if (state < 0)
        ssi_flow_fail_with(f, state, "TLS");
    else if (state == SSI_TLS_FAILED)
        ssi_flow_fail_tls(f);
    else
        f->ua->io.stream_wants_write(f->ua->io.arg, &f->link->stream);
}

void ssi_ua_stream_connected(struct ssi_stream *s, const struct ssi_addr *local)
{
    struct ssi_flow *f = link_of(s)->flow;
    struct ssi_ua *ua = f->ua;

    ssi_flow_ref(f);
    ssi_race_won(link_of(s));
    f->local = *local;
    if (f->profile) {
        f->state = SSI_FLOW_HANDSHAKE;
        start_tls(f);
    } else {
        ssi_flow_become_open(f);
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

    if (ua->shutting_down || !ssi_flow_may_accept(ua, peer))
        return NULL;
    struct ssi_flow *f = ssi_flow_new(ua, l->profile, true);
    if (!f)
        return NULL;
    f->peer = *peer;
    f->local = *local;
    struct ssi_flow_link *link = ssi_flow_new_link(f);
    if (!link || ssi_flow_count(f) < 0) {
        struct ssi_error e;
        ssi_error_set(&e, SECSIP_E_NOMEM, NULL);
        free(link);
        ssi_flow_close(f, &e);
        return NULL;
    }
    link->stream.io_data = io_data;
    f->link = link;
    if (l->profile) {
        f->state = SSI_FLOW_HANDSHAKE;
        ssi_flow_handshake_begins(f);
        ssi_timer_arm(&ua->timers, &f->timer, SSI_MS(ua->config.handshake_timeout_ms));
    } else {
        f->state = SSI_FLOW_OPEN;
        ssi_flow_begin_keeping(f);
    }
    return &link->stream;
}

/* The TLS session of an accepted connection is made when its first bytes come: a silent peer costs less. */
static bool has_tls(struct ssi_flow *f)
{
    secsip_result r = f->tls ? 0 : ssi_flow_start_tls(f);

    if (r < 0)
        ssi_flow_fail_with(f, r, "TLS");
    return r >= 0;
}

/* Thousands of connections are idle at any time: they keep no buffer. */
static void release_empty(struct ssi_buf *b)
{
    if (b->len == 0 && b->failed == 0)
        ssi_buf_free(b);
}

void ssi_ua_stream_input(struct ssi_stream *s, const void *data, size_t len)
{
    struct ssi_flow *f = link_of(s)->flow;
    struct ssi_ua *ua = f->ua;

    ssi_flow_ref(f);
    if (f->state == SSI_FLOW_DEAD)
        ;
    else if (!f->profile)
        feed(f, data, len);
    else if (has_tls(f))
        input_tls(f, data, len);
    if (!ssi_flow_count_buffered(f))
        ssi_flow_fail_with(f, SECSIP_E_LIMIT, "too many bytes wait in all connections together");
    release_empty(&f->framer.buf);
    ssi_flow_unref(f);
    ssi_ua_dispatch(ua);
}

struct ssi_buf *ssi_ua_stream_output(struct ssi_stream *s)
{
    struct ssi_flow *f = link_of(s)->flow;
    return f->tls ? ssi_tls_session_output(f->tls) : &f->out;
}

void ssi_ua_stream_sent(struct ssi_stream *s)
{
    struct ssi_flow *f = link_of(s)->flow;

    ssi_flow_count_buffered(f); /* it can only have shrunk */
    release_empty(ssi_ua_stream_output(s));
}

void ssi_ua_stream_closed(struct ssi_stream *s, secsip_result why, const char *detail)
{
    struct ssi_flow_link *link = link_of(s);
    struct ssi_flow *f = link->flow;
    struct ssi_ua *ua = f->ua;

    ssi_flow_ref(f);
    if (f->link == link) {
        f->link = NULL;
        free(link);
    } else {
        ssi_race_lost(link);
    }
    if (why < 0)
        ssi_flow_fail_ended(f, why, detail ? detail : "connection lost",
                            detail ? detail : secsip_result_text(why));
    else
        end_of_stream(f);
    ssi_flow_unref(f);
    ssi_ua_dispatch(ua);
}

void ssi_ua_resolved(struct ssi_query *q, secsip_result result, const struct ssi_rr *rrs,
                     size_t n_rrs)
{
    struct ssi_ua *ua = q->ua;

    ssi_names_answer(q, result, rrs, n_rrs);
    ssi_ua_dispatch(ua);
}
