/* The core, see core.h. Layer: ua. */
#include "ua/core.h"

#include <stdlib.h>

#include "sip/build.h"
#include "ua/account.h"
#include "ua/call.h"
#include "ua/dialog.h"
#include "ua/flow.h"
#include "ua/flow_udp.h"
#include "ua/from.h"
#include "ua/media.h"

enum {
    DEFAULT_SHUTDOWN_MS = 4000,
    TIMERS_PER_STEP = 1000, /* what one ssi_ua_advance runs at most */
};

#define METHOD(name) (1U << SSI_SIP_##name)
static const char *const sdp_only[] = {"application/sdp", NULL}, *const anything[] = {"*/*", NULL};
const struct ssi_sip_element ssi_ua_endpoint = {
    .methods = METHOD(INVITE) | METHOD(ACK) | METHOD(CANCEL) | METHOD(BYE) | METHOD(OPTIONS) |
               METHOD(UPDATE),
    .body_types = sdp_only,
    .offer_type = "application/sdp",
};
const struct ssi_sip_element ssi_ua_registrar = {
    .methods = METHOD(INVITE) | METHOD(ACK) | METHOD(CANCEL) | METHOD(BYE) | METHOD(OPTIONS) |
               METHOD(REGISTER),
    .body_types = anything, /* what a REGISTER carries is of no matter (RFC 3261 10.3) */
};
const struct ssi_sip_element ssi_ua_proxy = {.is_proxy = true};

static void on_request(void *arg, struct ssi_txn *t, struct ssi_sip_msg *m,
                       struct ssi_txn_flow *flow);
static void on_stray_response(void *arg, struct ssi_sip_msg *m, struct ssi_txn_flow *flow);
static bool is_in_dialog(void *arg, const struct ssi_sip_msg *m, struct ssi_txn_flow *flow);

static const struct ssi_txn_layer_ops txn_ops = {on_request, on_stray_response, is_in_dialog};

static void on_shutdown_expired(void *arg)
{
    struct ssi_ua *ua = arg;
    ua->shutdown_expired = true;
}

static void apply_defaults(struct ssi_ua_config *c)
{
    if (c->max_connections == 0)
        c->max_connections = 10000;
    if (c->max_buffered_bytes == 0)
        c->max_buffered_bytes = 64U << 20;
    if (c->handshake_timeout_ms == 0)
        c->handshake_timeout_ms = 10000;
    if (c->max_unsent_bytes == 0)
        c->max_unsent_bytes = 1U << 20;
    if (c->max_connections_per_address == 0)
        c->max_connections_per_address = 1000;
    if (c->max_handshakes == 0)
        c->max_handshakes = 2000;
    if (c->idle_timeout_ms == 0)
        c->idle_timeout_ms = 600000;
    if (c->message_timeout_ms == 0)
        c->message_timeout_ms = 30000;
}

static void free_tables(struct ssi_ua *ua)
{
    ssi_names_free(&ua->names);
    ssi_hash_free(&ua->dialogs);
    ssi_hash_free(&ua->flow_ids);
    ssi_hash_free(&ua->flow_targets);
    ssi_hash_free(&ua->addresses);
    ssi_hash_free(&ua->udp_addrs);
    ssi_hash_free(&ua->account_users);
}

static secsip_result init_tables(struct ssi_ua *ua)
{
    struct ssi_hash *const tables[] = {&ua->dialogs,   &ua->flow_ids,  &ua->flow_targets,
                                       &ua->addresses, &ua->udp_addrs, &ua->account_users};
    secsip_result r = ssi_names_init(&ua->names, ua);

    for (size_t i = 0; i < sizeof tables / sizeof tables[0] && r >= 0; i++)
        r = ssi_hash_init(tables[i]);
    return r;
}

secsip_result ssi_ua_init(struct ssi_ua *ua, const struct ssi_ua_config *config,
                          const struct ssi_io *io, uint64_t now_us, uint64_t wall_s)
{
    memset(ua, 0, sizeof *ua);
    ua->config = *config;
    apply_defaults(&ua->config);
    ua->config.txn.allow_merged = true; /* accounts refuse merged requests, the proxy takes them */
    ua->io = *io;
    ua->wall_s = wall_s;
    ssi_slice_show(ssi_slice_str(config->user_agent), ua->user_agent, sizeof ua->user_agent);
    ssi_timers_init(&ua->timers, now_us);
    ssi_list_init(&ua->flows);
    ssi_list_init(&ua->listeners);
    ssi_list_init(&ua->udp_sockets);
    ssi_list_init(&ua->udp_peers);
    ssi_list_init(&ua->accounts);
    ssi_list_init(&ua->calls);
    ssi_list_init(&ua->events);
    ssi_list_init(&ua->closing);
    ssi_list_init(&ua->handshakes);
    ssi_list_init(&ua->aliases);
    ssi_timer_init(&ua->shutdown_timer, on_shutdown_expired, ua);
    secsip_result r = init_tables(ua);
    if (r >= 0)
        r = ssi_diagnosis_init(ua);
    if (r >= 0)
        r = ssi_txn_layer_init(&ua->txn, &ua->config.txn, &ua->timers, &txn_ops, ua);
    if (r < 0) {
        ssi_diagnosis_end(ua);
        free_tables(ua);
    }
    return r;
}

static void discard_events(struct ssi_ua *ua)
{
    for (struct ssi_list *n; (n = ssi_list_pop_front(&ua->events));) {
        struct ssi_event *e = SSI_CONTAINER(n, struct ssi_event, node);
        e->deliver(e, true);
    }
}

static void close_listeners(struct ssi_ua *ua)
{
    for (struct ssi_list *n; (n = ssi_list_pop_front(&ua->listeners));) {
        struct ssi_ua_listener *l = SSI_CONTAINER(n, struct ssi_ua_listener, node);
        ua->io.listen_close(ua->io.arg, &l->io);
        secsip_tls_profile_unref(l->profile);
        free(l);
    }
}

static void close_flows(struct ssi_ua *ua)
{
    struct ssi_error e;

    ssi_error_set(&e, SECSIP_E_CLOSED, "the stack is closed");
    while (!ssi_list_empty(&ua->flows))
        ssi_flow_close(SSI_CONTAINER(ua->flows.next, struct ssi_flow, node), &e);
    ssi_udp_close_sockets(ua); /* they were needed to answer until now */
}

/* The transaction that goes with it may hold the last reference. */
static void detach_account(secsip_account *a)
{
    ssi_account_ref(a);
    ssi_account_detach(a);
    ssi_account_unref(a);
}

void ssi_ua_free(struct ssi_ua *ua)
{
    ua->shutting_down = true;
    close_listeners(ua);
    if (ua->handler.on_detach)
        ua->handler.on_detach(ua->handler.arg);
    for (struct ssi_list *n; (n = ssi_list_pop_front(&ua->calls));)
        ssi_call_detach(SSI_CONTAINER(n, struct secsip_call, node));
    for (struct ssi_list *n; (n = ssi_list_pop_front(&ua->accounts));)
        detach_account(SSI_CONTAINER(n, struct secsip_account, node));
    ssi_media_reap(ua);
    close_flows(ua);
    discard_events(ua);
    ssi_diagnosis_end(ua);
    ssi_txn_layer_free(&ua->txn);
    ssi_timer_cancel(&ua->timers, &ua->shutdown_timer);
    free_tables(ua);
}

void ssi_ua_post(struct ssi_ua *ua, struct ssi_event *e)
{
    ssi_list_push_back(&ua->events, &e->node);
}

void ssi_ua_dispatch(struct ssi_ua *ua)
{
    if (ua->dispatching)
        return;
    ua->dispatching = true;
    /* What the callbacks post in turn waits for the next step: an application that answers each piece of news with another
     * attempt must not keep us here. ssi_ua_deadline says that there is more. */
    const struct ssi_list *last = ua->events.prev;
    for (struct ssi_list *n; (n = ssi_list_pop_front(&ua->events));) {
        struct ssi_event *e = SSI_CONTAINER(n, struct ssi_event, node);
        bool was_last = n == last;
        e->deliver(e, false);
        if (was_last)
            break;
    }
    ua->dispatching = false;
}

/* Nothing keeps a stack that shuts down. Over UDP an answer may have been lost, and is asked for again. */
static bool has_said_all(const struct ssi_ua *ua)
{
    return ssi_list_empty(&ua->calls) && !ssi_account_any_busy(ua) &&
           (ua->n_udp_flows == 0 || ua->txn.servers.n_nodes == 0);
}

bool ssi_ua_advance(struct ssi_ua *ua, uint64_t now_us, uint64_t wall_s)
{
    ua->wall_s = wall_s;
    bool more = ssi_timers_advance(&ua->timers, now_us, TIMERS_PER_STEP) == TIMERS_PER_STEP;
    if (ua->shutting_down && (ua->shutdown_expired || has_said_all(ua)))
        close_flows(ua);
    ssi_ua_dispatch(ua);
    return more;
}

uint64_t ssi_ua_deadline(const struct ssi_ua *ua)
{
    if (!ssi_list_empty(&ua->events))
        return ua->timers.now_us;
    if (ua->shutting_down && !ssi_list_empty(&ua->flows) && has_said_all(ua))
        return ua->timers.now_us;
    return ssi_timers_next(&ua->timers);
}

void ssi_ua_shutdown(struct ssi_ua *ua, uint32_t timeout_ms)
{
    if (ua->shutting_down)
        return;
    ua->shutting_down = true;
    close_listeners(ua);
    SSI_LIST_EACH(n, &ua->calls)
    ssi_call_hangup(SSI_CONTAINER(n, struct secsip_call, node));
    SSI_LIST_EACH(n, &ua->accounts)
    ssi_account_unregister(SSI_CONTAINER(n, struct secsip_account, node));
    ssi_timer_arm(&ua->timers, &ua->shutdown_timer,
                  SSI_MS(timeout_ms ? timeout_ms : DEFAULT_SHUTDOWN_MS));
}

bool ssi_ua_is_idle(const struct ssi_ua *ua)
{
    return ua->shutting_down && ssi_list_empty(&ua->flows) && ssi_list_empty(&ua->events);
}

secsip_result ssi_ua_listen(struct ssi_ua *ua, const struct ssi_addr *at,
                            secsip_tls_profile *profile, struct ssi_addr *ret_bound)
{
    if (ua->shutting_down)
        return SECSIP_E_STATE;
    if (!ua->io.listen)
        return SECSIP_E_UNSUPPORTED;
    secsip_result r = profile ? ssi_tls_profile_freeze(profile, true) : 0;
    if (r < 0)
        return r;
    struct ssi_ua_listener *l = calloc(1, sizeof *l);
    if (!l)
        return SECSIP_E_NOMEM;
    l->io.ua = ua;
    l->io.local = *at;
    r = ua->io.listen(ua->io.arg, &l->io);
    if (r < 0) {
        free(l);
        return r;
    }
    l->profile = secsip_tls_profile_ref(profile);
    ssi_list_push_back(&ua->listeners, &l->node);
    *ret_bound = l->io.local;
    return 0;
}

void ssi_ua_dgram_input(struct ssi_dgram *d, const struct ssi_addr *from, uint8_t *data, size_t len)
{
    struct ssi_ua *ua = d->ua;

    if (d->is_signalling)
        ssi_udp_input(d, from, data, len);
    else
        ssi_media_input(d, from, data, len);
    ssi_ua_dispatch(ua);
}

void ssi_ua_dgram_failed(struct ssi_dgram *d, const struct ssi_addr *to, const char *detail)
{
    struct ssi_ua *ua = d->ua;

    if (d->is_signalling)
        ssi_udp_unreachable(d, to, detail);
    ssi_ua_dispatch(ua);
}

/* ---- Requests and responses that the transactions hand up. */
void ssi_ua_begin_response(struct ssi_ua *ua, struct ssi_txn *t, int status, struct ssi_buf *b)
{
    char tag[13];
    const char *ip;
    uint16_t port;

    if (ssi_random_token(tag, sizeof tag - 1) < 0)
        tag[0] = 0;
    ssi_txn_source(t, &ip, &port);
    ssi_buf_init_secret(b, ua->config.limits.message_bytes);
    ssi_sip_put_response_start(b, ssi_txn_request(t), status, NULL, tag[0] ? tag : NULL, ip, port);
}

/* Ends it and sends it; false: there was no room for it. */
static bool send_response(struct ssi_ua *ua, struct ssi_txn *t, int status, struct ssi_buf *b)
{
    ssi_sip_put_header_str(b, "Server", ua->user_agent);
    bool whole = ssi_sip_put_end(b, NULL, NULL, 0) >= 0;
    if (whole)
        ssi_txn_respond(t, status, b);
    ssi_buf_free(b);
    return whole;
}

void ssi_ua_end_response(struct ssi_ua *ua, struct ssi_txn *t, int status, struct ssi_buf *b)
{
    if (!send_response(ua, t, status, b))
        ssi_ua_refuse(ua, t, 500);
}

void ssi_ua_put_allow(struct ssi_buf *b, const struct ssi_sip_element *role)
{
    const char *comma = "";

    ssi_sip_put_name(b, "Allow");
    for (int method = 1; method < 32; method++) {
        if (!(role->methods >> method & 1))
            continue;
        ssi_buf_put_str(b, comma);
        ssi_buf_put_str(b, ssi_sip_method_name((enum ssi_sip_method)method));
        comma = ", ";
    }
    ssi_sip_put_crlf(b);
}

void ssi_ua_refuse_as(struct ssi_ua *ua, struct ssi_txn *t, int status,
                      const struct ssi_sip_element *role)
{
    struct ssi_sip_msg *req = ssi_txn_request(t);
    struct ssi_buf b;

    ssi_ua_begin_response(ua, t, status, &b);
    if (status == 405 || status == 501 || status == 200)
        ssi_ua_put_allow(&b, role);
    if ((status == 200 || status == 415) && role->offer_type)
        ssi_sip_put_header_str(&b, "Accept", role->offer_type);
    /* RFC 3261 8.2.3: a 415 says which of the two was not understood. */
    if (status == 415 && ssi_sip_msg_header(req, SSI_HDR_CONTENT_ENCODING, NULL))
        ssi_sip_put_header_str(&b, "Accept-Encoding", "identity");
    if (status == 503)
        ssi_sip_put_header_u64(&b, "Retry-After", SSI_TXN_RETRY_AFTER_S);
    if (status == 420) {
        ssi_sip_put_name(&b, "Unsupported");
        ssi_sip_put_unsupported(&b, req, role);
        ssi_sip_put_crlf(&b);
    }
    if (!send_response(ua, t, status, &b) &&
        ssi_txn_respond_status(t, status, NULL) == SECSIP_E_NOMEM)
        ssi_txn_drop(t); /* an INVITE would wait for ever; who asks again may find memory */
}

void ssi_ua_refuse(struct ssi_ua *ua, struct ssi_txn *t, int status)
{
    ssi_ua_refuse_as(ua, t, status, &ssi_ua_endpoint);
}

/* Call-ID and tags are no secret to those who passed them on. A key is only as safe as the signalling that carried it, so
 * what may replace one, or end the call, must come from the peer that the call was made with. */
static bool is_foreign(struct ssi_ua *ua, const secsip_call *c, const struct ssi_flow *flow)
{
    char peer[SSI_ADDR_TEXT];

    if (ssi_flow_is_same_peer(flow, c->flow))
        return false;
    ssi_addr_text(&flow->peer, peer);
    ssi_log_line(
        &ua->config.log, SSI_LOG_WARNING,
        "a message inside the call with %s is refused: it came from %s, which is not proved "
        "to be the peer of that call",
        c->remote_uri ? c->remote_uri : "", peer);
    return true;
}

/* The dialog of ours that a request is inside of, or NULL. */
static struct ssi_dialog *dialog_of(struct ssi_ua *ua, const struct ssi_sip_msg *m)
{
    struct ssi_dialog *d = ssi_dialog_find(ua, m->call_id, m->to.tag, m->from.tag);

    if (!d || (d->remote_tag && !ssi_slice_eq(ssi_slice_str(d->remote_tag), m->from.tag)))
        return NULL;
    return d;
}

/* A request inside a dialog of ours; false when there is none. */
static bool give_to_dialog(struct ssi_ua *ua, struct ssi_txn *t, struct ssi_sip_msg *m,
                           struct ssi_flow *flow)
{
    struct ssi_dialog *d = dialog_of(ua, m);

    if (!d)
        return false;
    if (is_foreign(ua, ssi_call_of_dialog(d), flow))
        return false;
    ssi_call_request(ssi_call_of_dialog(d), t, m);
    return true;
}

static void take_new_request(struct ssi_ua *ua, struct ssi_txn *t, struct ssi_sip_msg *m,
                             struct ssi_flow *flow)
{
    struct secsip_account *account = ssi_account_for_request(ua, m, flow);

    if (!account && ua->handler.on_request && ua->handler.on_request(ua->handler.arg, t, m, flow))
        return;
    if (!t)
        return; /* an ACK of nothing */
    int status = ssi_sip_msg_verdict(m, &ssi_ua_endpoint);
    /* RFC 5630 3.1: sips is TLS on every hop; and an account is reached in clear only where that was asked for by name. */
    bool is_clear = flow->transport != SSI_TRANSPORT_TLS;
    if (status == 0 && is_clear && account &&
        (m->uri.scheme == SSI_SIP_SCHEME_SIPS || !account->insecure_transport))
        status = 403;
    if (status == 0 && account && ssi_txn_is_merged(&ua->txn, t, m))
        status = 482; /* RFC 3261 8.2.2.2 */
    if (status == 0 && m->method == SSI_SIP_OPTIONS)
        status = 200; /* RFC 3261 11.2: what an INVITE would be answered, without a body */
    if (status == 0 && m->method == SSI_SIP_BYE)
        status = 481; /* RFC 3261 15.1.2 */
    if (status == 0 && !account)
        status = 404;
    if (status)
        ssi_ua_refuse(ua, t, status);
    else
        ssi_call_incoming(account, t, m, flow);
}

static void refuse_identity(struct ssi_ua *ua, struct ssi_txn *t, const struct ssi_sip_msg *m,
                            struct ssi_flow *flow)
{
    char from[256], peer[SSI_ADDR_TEXT];

    ssi_slice_show(m->from.uri.whole, from, sizeof from);
    ssi_addr_text(&flow->peer, peer);
    ssi_log_line(&ua->config.log, SSI_LOG_WARNING,
                 "%s asks as %s, but its certificate is for %s: refused", peer, from,
                 ssi_flow_tls_info(flow)->peer);
    if (!t)
        return; /* an ACK has no answer */
    if (ua->handler.on_refused)
        ua->handler.on_refused(ua->handler.arg, t, flow, 403);
    else
        ssi_ua_refuse(ua, t, 403);
}

static void on_request(void *arg, struct ssi_txn *t, struct ssi_sip_msg *m,
                       struct ssi_txn_flow *txn_flow)
{
    struct ssi_ua *ua = arg;
    struct ssi_flow *flow = ssi_flow_of(txn_flow);

    if (!ssi_from_is_certified(flow, &m->from.uri)) {
        refuse_identity(ua, t, m, flow);
        return;
    }
    if (!m->to.tag.p) {
        take_new_request(ua, t, m, flow);
        return;
    }
    if (give_to_dialog(ua, t, m, flow))
        return;
    if (ua->handler.on_request && ua->handler.on_request(ua->handler.arg, t, m, flow))
        return;
    if (!t)
        return;
    int status = ssi_sip_msg_verdict(m, &ssi_ua_endpoint);
    ssi_ua_refuse(ua, t, status ? status : 481); /* RFC 3261 8.2, 12.2.2 */
}

static bool is_in_dialog(void *arg, const struct ssi_sip_msg *m, struct ssi_txn_flow *txn_flow)
{
    struct ssi_ua *ua = arg;
    struct ssi_flow *flow = ssi_flow_of(txn_flow);
    struct ssi_dialog *d = dialog_of(ua, m);

    if (!ssi_from_is_certified(flow, &m->from.uri))
        return false;
    if (d && ssi_flow_is_same_peer(flow, ssi_call_of_dialog(d)->flow))
        return true;
    return ua->handler.is_in_dialog && ua->handler.is_in_dialog(ua->handler.arg, m, flow);
}

static void on_stray_response(void *arg, struct ssi_sip_msg *m, struct ssi_txn_flow *txn_flow)
{
    struct ssi_ua *ua = arg;
    struct ssi_dialog *d = ssi_dialog_find(ua, m->call_id, m->from.tag, m->to.tag);

    if (d && m->method == SSI_SIP_INVITE &&
        !is_foreign(ua, ssi_call_of_dialog(d), ssi_flow_of(txn_flow)))
        ssi_call_late_response(ssi_call_of_dialog(d), m);
    else if (ua->handler.on_stray_response)
        ua->handler.on_stray_response(ua->handler.arg, m, ssi_flow_of(txn_flow));
}
