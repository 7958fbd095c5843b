/* The proxy beside the embedded registrar, see proxy.h. Layer: ua.
 *
 * Record-Route carries a token that names the two connections of a dialog, "A-B-MAC": a request in the dialog that comes over
 * one leaves over the other, without state here (RFC 5626 5.3). The MAC keeps strangers from choosing connections. */
#include "ua/proxy.h"

#include <stdio.h>
#include <stdlib.h>

#include "sip/build.h"
#include "ua/dialog.h"

enum {
    TIMER_C_S = 181, /* RFC 3261 16.6 step 11: more than 3 minutes */
    TOKEN_TEXT = 64,
    MAC_TEXT = 16,
    LOOP_TEXT = 16, /* ends each branch of ours */
    BRANCH_TEXT = SSI_BRANCH_TEXT + LOOP_TEXT,
};

/* A forwarded request and its branches. */
struct context {
    struct ssi_list node; /* in the registrar's contexts */
    secsip_registrar *registrar;
    struct ssi_txn *server; /* NULL once it is gone */
    struct ssi_sip_msg *request;
    struct ssi_flow *from;
    struct ssi_list branches;
    struct ssi_timer timer_c;
    uint32_t refs; /* one for the server transaction, one for each branch's */
    struct ssi_sip_msg *best;
    int best_status;
    bool answered; /* a final response went upstream */
};

struct branch {
    struct ssi_list node;
    struct context *ctx;
    struct ssi_txn *txn;
    bool done;
};

/* ---- Tokens */
static void make_mac(const secsip_registrar *r, const char *ids, char mac[MAC_TEXT + 1])
{
    char hex[2 * SSI_DIGEST_MAX + 1];
    const struct ssi_slice key = ssi_slice_of(r->auth.key, sizeof r->auth.key);
    struct ssi_slice inner[] = {key, ssi_slice_str(ids)};

    mac[0] = 0;
    if (ssi_digest_hex(SSI_DIGEST_SHA256, inner, 2, hex) < 0)
        return;
    /* Hashed twice, with the key on both sides: the inner value cannot be extended. */
    struct ssi_slice outer[] = {key, ssi_slice_str(hex)};
    if (ssi_digest_hex(SSI_DIGEST_SHA256, outer, 2, hex) < 0)
        return;
    memcpy(mac, hex, MAC_TEXT);
    mac[MAC_TEXT] = 0;
}

static void make_token(const secsip_registrar *r, uint64_t a, uint64_t b, char out[TOKEN_TEXT])
{
    char ids[44];
    char mac[MAC_TEXT + 1];

    snprintf(ids, sizeof ids, "%llu-%llu", (unsigned long long)a, (unsigned long long)b);
    make_mac(r, ids, mac);
    snprintf(out, TOKEN_TEXT, "%s-%s", ids, mac);
}

/* The connection at the other end of a token, seen from `flow`; NULL when the token is not ours, or that end is gone. */
static struct ssi_flow *other_end(secsip_registrar *r, struct ssi_slice user,
                                  const struct ssi_flow *flow)
{
    uint64_t a, b;
    char token[TOKEN_TEXT];

    size_t first = ssi_slice_find(user, '-');
    struct ssi_slice rest = ssi_slice_from(user, first + 1);
    size_t second = ssi_slice_find(rest, '-');
    if (!ssi_slice_to_u64(ssi_slice_of(user.p, first), UINT64_MAX, &a) ||
        !ssi_slice_to_u64(ssi_slice_of(rest.p, second), UINT64_MAX, &b))
        return NULL;
    make_token(r, a, b, token);
    if (user.len != strlen(token) || !ssi_equal_ct(user.p, token, user.len))
        return NULL;
    if (flow->id != a && flow->id != b)
        return NULL;
    return ssi_flow_by_id(r->ua, flow->id == a ? b : a);
}

/* ---- Loops */
/* RFC 3261 16.6 step 8, RFC 5393 4.2: what makes this request this request, hashed with a key of this registrar. A request
 * that comes back the same has looped; one that comes back for another address spirals, which is legal. */
static void loop_mark(const secsip_registrar *r, const struct ssi_sip_msg *m,
                      char out[LOOP_TEXT + 1])
{
    const struct ssi_slice parts[] = {m->uri.whole, m->from.tag, m->to.tag, m->call_id};
    uint64_t h = m->cseq;

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        h = ssi_hash_mix(&r->by_flow, h, parts[i].p, parts[i].len);
    snprintf(out, LOOP_TEXT + 1, "%016llx", (unsigned long long)h);
}

static bool is_loop(const secsip_registrar *r, const struct ssi_sip_msg *m)
{
    char mark[LOOP_TEXT + 1];
    struct ssi_sip_values it;
    struct ssi_slice value;
    struct ssi_sip_via via;

    loop_mark(r, m, mark);
    ssi_sip_values_init(&it, m, SSI_HDR_VIA);
    while (ssi_sip_values_next(&it, &value)) {
        if (ssi_sip_via_parse(value, &via) < 0 || via.branch.len != BRANCH_TEXT - 1)
            continue;
        if (ssi_slice_eq(ssi_slice_from(via.branch, BRANCH_TEXT - 1 - LOOP_TEXT),
                         ssi_slice_of(mark, LOOP_TEXT)))
            return true;
    }
    return false;
}

static secsip_result make_branch(const secsip_registrar *r, const struct ssi_sip_msg *m,
                                 char out[BRANCH_TEXT])
{
    secsip_result res = ssi_ua_new_branch(out);

    if (res >= 0)
        loop_mark(r, m, out + SSI_BRANCH_TEXT - 1);
    return res;
}

/* ---- Writing what is forwarded */
static bool is_our_route(const secsip_registrar *r, const struct ssi_sip_addr *route,
                         const struct ssi_flow *flow)
{
    char host[SSI_ADDR_TEXT];

    ssi_addr_ip_text(&flow->local, true, host);
    if (ssi_slice_ieq(route->uri.host, ssi_slice_str(r->domain)))
        return true;
    return ssi_slice_ieq(route->uri.host, ssi_slice_str(host)) &&
           route->uri.port == flow->local.port;
}

/* The first Route element, if it names us. */
static bool first_route(const secsip_registrar *r, const struct ssi_sip_msg *m,
                        const struct ssi_flow *flow, struct ssi_sip_addr *ret)
{
    struct ssi_sip_values it;
    struct ssi_slice value;

    ssi_sip_values_init(&it, m, SSI_HDR_ROUTE);
    return ssi_sip_values_next(&it, &value) && ssi_sip_addr_parse(value, ret) >= 0 &&
           is_our_route(r, ret, flow);
}

static void put_routes(struct ssi_buf *b, const struct ssi_sip_msg *m, bool skip_first)
{
    struct ssi_sip_values it;
    struct ssi_slice value;

    ssi_sip_values_init(&it, m, SSI_HDR_ROUTE);
    while (ssi_sip_values_next(&it, &value)) {
        if (!skip_first)
            ssi_sip_put_header(b, "Route", value);
        skip_first = false;
    }
}

/* RFC 3261 16.6 step 4: a URI of ours, sips where the request is. */
static void put_record_route(struct ssi_buf *b, const secsip_registrar *r,
                             const struct ssi_sip_msg *m, const struct ssi_flow *in,
                             const struct ssi_flow *out)
{
    char token[TOKEN_TEXT];
    char host[SSI_ADDR_TEXT];
    bool sips = m->uri.scheme == SSI_SIP_SCHEME_SIPS;

    make_token(r, in->id, out->id, token);
    ssi_addr_text(&in->local, host);
    ssi_sip_put_name(b, "Record-Route");
    ssi_sip_put_piece_str(b, sips ? "<sips:" : "<sip:");
    ssi_sip_put_piece_str(b, token);
    ssi_sip_put_piece_str(b, "@");
    ssi_sip_put_piece_str(b, host);
    if (!sips)
        ssi_sip_put_piece_str(b, in->transport == SSI_TRANSPORT_TLS ? ";transport=tls"
                                                                    : ";transport=tcp");
    ssi_sip_put_piece_str(b, ";lr>");
    ssi_sip_put_crlf(b);
}

static bool is_rewritten(enum ssi_sip_hdr id)
{
    return id == SSI_HDR_ROUTE || id == SSI_HDR_MAX_FORWARDS || id == SSI_HDR_CONTENT_LENGTH ||
           id == SSI_HDR_VIA;
}

/* Our credentials are for us alone (RFC 3261 22.3): those for our realm do not go on. */
static bool is_ours(const secsip_registrar *r, const struct ssi_sip_header *h)
{
    return h->id == SSI_HDR_PROXY_AUTHORIZATION && ssi_sip_credentials_are_for(h->value, r->domain);
}

/* RFC 3261 16.6: the request as it leaves over `out`. */
static void put_forwarded(struct ssi_buf *b, const secsip_registrar *r, const struct ssi_sip_msg *m,
                          struct ssi_slice uri, const struct ssi_flow *in,
                          const struct ssi_flow *out, const char *branch, bool skip_route)
{
    char source[SSI_ADDR_TEXT];

    ssi_sip_put_request_line(b, m->method_text, uri);
    ssi_ua_put_via(b, ssi_flow_transport_name(out), &out->local, branch);
    ssi_addr_ip_text(&in->peer, false, source);
    ssi_sip_put_vias(b, m, source, in->peer.port);
    /* Before those of the proxies that it has passed (RFC 3261 16.6 step 4). */
    if (!m->to.tag.p && (m->method == SSI_SIP_INVITE || m->method == SSI_SIP_SUBSCRIBE ||
                         m->method == SSI_SIP_REFER))
        put_record_route(b, r, m, in, out);
    for (uint32_t i = 0; i < m->n_headers; i++)
        if (!is_rewritten(m->headers[i].id) && !is_ours(r, &m->headers[i]))
            ssi_sip_put_copy(b, &m->headers[i]);
    put_routes(b, m, skip_route);
    ssi_sip_put_header_u64(b, "Max-Forwards",
                           m->max_forwards < 0 ? 70 : (uint64_t)m->max_forwards - 1);
    ssi_sip_put_end(b, NULL, m->body.p, m->body.len);
}

/* RFC 3261 16.7 step 3 and 9: the response without our Via. */
static void put_response(struct ssi_buf *b, const struct ssi_sip_msg *m)
{
    struct ssi_sip_values it;
    struct ssi_slice value;
    bool top = true;

    char reason[256];
    ssi_slice_show(m->reason, reason, sizeof reason);
    ssi_sip_put_status_line(b, m->status, reason);
    ssi_sip_values_init(&it, m, SSI_HDR_VIA);
    while (ssi_sip_values_next(&it, &value)) {
        if (!top)
            ssi_sip_put_header(b, "Via", value);
        top = false;
    }
    for (uint32_t i = 0; i < m->n_headers; i++) {
        enum ssi_sip_hdr id = m->headers[i].id;
        if (id != SSI_HDR_VIA && id != SSI_HDR_CONTENT_LENGTH)
            ssi_sip_put_copy(b, &m->headers[i]);
    }
    ssi_sip_put_end(b, NULL, m->body.p, m->body.len);
}

/* ---- Contexts */
static void unref_context(struct context *c)
{
    if (--c->refs > 0)
        return;
    if (c->registrar && c->registrar->ua)
        ssi_timer_cancel(&c->registrar->ua->timers, &c->timer_c);
    ssi_list_remove(&c->node);
    for (struct ssi_list *n; (n = ssi_list_pop_front(&c->branches));)
        free(SSI_CONTAINER(n, struct branch, node));
    ssi_sip_msg_unref(c->request);
    ssi_sip_msg_unref(c->best);
    ssi_flow_unref(c->from);
    free(c);
}

static void cancel_branches(struct context *c)
{
    SSI_LIST_EACH(n, &c->branches)
    {
        struct branch *b = SSI_CONTAINER(n, struct branch, node);
        if (!b->done && b->txn)
            ssi_txn_client_cancel(b->txn);
    }
}

static void send_upstream(struct context *c, const struct ssi_sip_msg *m)
{
    struct ssi_buf b;

    if (!c->server)
        return;
    ssi_buf_init_secret(&b, c->registrar->ua->config.limits.message_bytes + 1024);
    put_response(&b, m);
    if (b.failed >= 0)
        ssi_txn_respond(c->server, m->status, &b);
    else if (m->status >= 200)
        ssi_ua_refuse(c->registrar->ua, c->server, 500);
    ssi_buf_free(&b);
    if (m->status >= 200)
        c->answered = true;
}

/* RFC 3261 16.7 step 6: a 6xx before all, else the lowest class; 401 and 407 let the caller go on, so they go before others
 * of their class. */
static int rank(int status)
{
    if (status >= 600)
        return 0;
    return (status / 100) * 1000 + (status == 401 || status == 407 ? 0
                                    : status == 408                ? 999
                                                                   : status % 100 + 1);
}

static void keep_best(struct context *c, struct ssi_sip_msg *m, int status)
{
    if (c->best_status && rank(c->best_status) <= rank(status))
        return;
    ssi_sip_msg_unref(c->best);
    c->best = m ? ssi_sip_msg_ref(m) : NULL;
    c->best_status = status;
}

static void finish_if_done(struct context *c)
{
    SSI_LIST_EACH(n, &c->branches)
    if (!SSI_CONTAINER(n, struct branch, node)->done)
        return;
    if (c->answered || !c->server)
        return;
    c->answered = true;
    /* RFC 3261 16.7 step 6: that one phone is overloaded does not mean that we are. */
    if (c->best_status == 503)
        ssi_ua_refuse(c->registrar->ua, c->server, 500);
    else if (c->best)
        send_upstream(c, c->best);
    else
        ssi_ua_refuse(c->registrar->ua, c->server, c->best_status ? c->best_status : 480);
}

static void on_timer_c(void *arg)
{
    cancel_branches(arg);
}

static void on_branch_response(struct ssi_txn *t, struct ssi_sip_msg *m, void *arg)
{
    struct branch *b = arg;
    struct context *c = b->ctx;

    (void)t;
    c->refs++;
    if (m->status < 200) {
        if (m->status > 100) {
            send_upstream(c, m);
            if (c->request->method == SSI_SIP_INVITE)
                ssi_timer_arm(&c->registrar->ua->timers, &c->timer_c,
                              SSI_S(TIMER_C_S)); /* 16.7 step 2 */
        }
    } else {
        b->done = true;
        if (m->status < 300) {
            /* 16.7 step 5: every 2xx of an INVITE goes up; one final response of anything else. */
            if (c->request->method == SSI_SIP_INVITE || !c->answered)
                send_upstream(c, m);
            cancel_branches(c); /* step 10 */
        } else {
            keep_best(c, m, m->status);
            if (m->status >= 600)
                cancel_branches(c);
        }
        finish_if_done(c);
    }
    unref_context(c);
}

static void on_branch_failed(struct ssi_txn *t, secsip_result why, void *arg)
{
    struct branch *b = arg;
    struct context *c = b->ctx;

    (void)t;
    c->refs++;
    b->done = true;
    b->txn = NULL;
    /* 16.8: a time-out counts as 408; a lost connection as 480: the phone is not there. RFC 4320 4.2: no 408 for others. */
    bool late = why == SECSIP_E_UA_TRANSACTION_TIMEOUT && c->request->method == SSI_SIP_INVITE;
    keep_best(c, NULL, late ? 408 : 480);
    finish_if_done(c);
    unref_context(c);
}

static void on_branch_gone(struct ssi_txn *t, void *arg)
{
    struct branch *b = arg;

    (void)t;
    b->txn = NULL;
    b->done = true;
    unref_context(b->ctx);
}

static const struct ssi_txn_client_ops branch_ops = {on_branch_response, on_branch_failed,
                                                     on_branch_gone};

static void on_cancel(struct ssi_txn *t, struct ssi_sip_msg *m, void *arg)
{
    (void)t;
    (void)m;
    cancel_branches(arg); /* 16.10 */
}

static void on_server_failed(struct ssi_txn *t, secsip_result why, void *arg)
{
    (void)t;
    (void)why;
    cancel_branches(arg);
}

static void on_server_gone(struct ssi_txn *t, void *arg)
{
    struct context *c = arg;

    (void)t;
    c->server = NULL;
    unref_context(c);
}

static const struct ssi_txn_server_ops server_ops = {on_cancel, NULL, on_server_failed,
                                                     on_server_gone};

static struct context *new_context(secsip_registrar *r, struct ssi_txn *t, struct ssi_sip_msg *m,
                                   struct ssi_flow *from)
{
    struct context *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->registrar = r;
    c->server = t;
    c->request = ssi_sip_msg_ref(m);
    c->from = ssi_flow_ref(from);
    c->refs = 1;
    ssi_list_init(&c->branches);
    ssi_timer_init(&c->timer_c, on_timer_c, c);
    ssi_list_push_back(&r->contexts, &c->node);
    ssi_txn_server_set(t, &server_ops, c);
    return c;
}

/* One more branch; a branch that cannot start counts as 480. */
static void add_branch(struct context *c, struct ssi_flow *out, struct ssi_slice uri,
                       bool skip_route)
{
    char branch_id[BRANCH_TEXT];
    struct ssi_buf bytes;
    struct branch *b = calloc(1, sizeof *b);

    if (!b) {
        keep_best(c, NULL, 500);
        return;
    }
    b->ctx = c;
    ssi_list_push_back(&c->branches, &b->node);
    ssi_buf_init_secret(&bytes, c->registrar->ua->config.limits.message_bytes + 1024);
    secsip_result r = make_branch(c->registrar, c->request, branch_id);
    if (r >= 0) {
        put_forwarded(&bytes, c->registrar, c->request, uri, c->from, out, branch_id, skip_route);
        r = bytes.failed;
    }
    c->refs++;
    if (r >= 0)
        r = ssi_txn_client_new(&c->registrar->ua->txn, &out->txn, c->request->method,
                               ssi_slice_str(branch_id), &bytes, &branch_ops, b, &b->txn);
    if (r < 0) {
        b->done = true;
        keep_best(c, NULL, r == SECSIP_E_NOMEM || r == SECSIP_E_RANDOM ? 500 : 480);
        unref_context(c);
    }
    ssi_buf_free(&bytes);
}

static void start(struct context *c)
{
    if (c->request->method == SSI_SIP_INVITE)
        ssi_timer_arm(&c->registrar->ua->timers, &c->timer_c, SSI_S(TIMER_C_S));
    finish_if_done(c);
}

/* ---- Requests */
static void forward_in_dialog(secsip_registrar *r, struct ssi_txn *t, struct ssi_sip_msg *m,
                              struct ssi_flow *flow)
{
    struct ssi_sip_addr route;
    struct ssi_flow *out =
        first_route(r, m, flow, &route) ? other_end(r, route.uri.user, flow) : NULL;

    if (out && m->uri.scheme == SSI_SIP_SCHEME_SIPS && out->transport != SSI_TRANSPORT_TLS)
        out = NULL;
    if (!out) {
        if (t)
            ssi_registrar_refuse(r, t, flow, 481);
        return;
    }
    if (!t) {
        /* The ACK of a 2xx is a transaction of its own without answer: forwarded without state. */
        char branch[BRANCH_TEXT];
        struct ssi_buf b;
        ssi_buf_init_secret(&b, r->ua->config.limits.message_bytes + 1024);
        if (make_branch(r, m, branch) >= 0) {
            put_forwarded(&b, r, m, m->uri.whole, flow, out, branch, true);
            if (b.failed >= 0)
                ssi_flow_send(out, ssi_buf_slice(&b));
        }
        ssi_buf_free(&b);
        return;
    }
    struct context *c = new_context(r, t, m, flow);
    if (!c) {
        ssi_registrar_refuse(r, t, flow, 500);
        return;
    }
    c->refs++;
    add_branch(c, out, m->uri.whole, true);
    start(c);
    unref_context(c);
}

static void forward_to_bindings(secsip_registrar *r, struct ssi_txn *t, struct ssi_sip_msg *m,
                                struct ssi_flow *flow)
{
    struct ssi_aor *a = ssi_registrar_find(r, &m->uri);
    bool sips = m->uri.scheme == SSI_SIP_SCHEME_SIPS;
    struct ssi_sip_addr route;
    uint32_t n = 0;

    if (!a) {
        ssi_registrar_refuse(r, t, flow, ssi_registrar_knows(r, m->uri.user) ? 480 : 404);
        return;
    }
    struct context *c = new_context(r, t, m, flow);
    if (!c) {
        ssi_registrar_refuse(r, t, flow, 500);
        return;
    }
    c->refs++;
    bool skip_route = first_route(r, m, flow, &route);
    SSI_LIST_EACH(it, &a->bindings)
    {
        struct ssi_binding *b = SSI_CONTAINER(it, struct ssi_binding, node);
        /* RFC 5630 5.3: a sips request goes only to sips contacts, and over TLS. */
        if (sips && (!b->sips || b->flow->transport != SSI_TRANSPORT_TLS))
            continue;
        add_branch(c, b->flow, ssi_slice_str(b->contact), skip_route);
        n++;
    }
    ssi_registrar_tell_forward(r, m, flow, n);
    start(c);
    unref_context(c);
}

void ssi_proxy_request(secsip_registrar *r, struct ssi_txn *t, struct ssi_sip_msg *m,
                       struct ssi_flow *flow)
{
    bool ours = ssi_slice_ieq(m->uri.host, ssi_slice_str(r->domain));

    if (m->max_forwards == 0) { /* RFC 3261 16.3 step 3 */
        if (t)
            ssi_registrar_refuse(r, t, flow, 483);
        return;
    }
    if (t && is_loop(r, m)) { /* 16.3 step 4 */
        ssi_registrar_refuse(r, t, flow, 482);
        return;
    }
    if (m->to.tag.p) {
        forward_in_dialog(r, t, m, flow);
        return;
    }
    if (!t)
        return;
    if (m->uri.scheme != SSI_SIP_SCHEME_SIP && m->uri.scheme != SSI_SIP_SCHEME_SIPS) {
        ssi_registrar_refuse(r, t, flow, 416); /* 16.3 step 2 */
        return;
    }
    if (ssi_sip_msg_header(m, SSI_HDR_PROXY_REQUIRE, NULL)) {
        ssi_registrar_refuse(r, t, flow, 420); /* 16.3 step 5 */
        return;
    }
    if (m->method == SSI_SIP_OPTIONS && ours && m->uri.user.len == 0) {
        ssi_ua_refuse(r->ua, t, 200);
        return;
    }
    if (!ours) {
        /* Not an open relay. */
        ssi_registrar_refuse(r, t, flow, 403);
        return;
    }
    if (ssi_slice_ieq(m->from.uri.host, ssi_slice_str(r->domain)) &&
        ssi_registrar_authenticate(r, t, m, flow, &m->from.uri, true))
        return;
    forward_to_bindings(r, t, m, flow);
}

void ssi_proxy_end_all(secsip_registrar *r)
{
    while (!ssi_list_empty(&r->contexts)) {
        struct context *c = SSI_CONTAINER(r->contexts.next, struct context, node);
        c->refs++;
        SSI_LIST_EACH(n, &c->branches)
        {
            struct branch *b = SSI_CONTAINER(n, struct branch, node);
            if (b->txn)
                ssi_txn_drop(b->txn);
        }
        if (c->server)
            ssi_txn_drop(c->server);
        unref_context(c);
    }
}
