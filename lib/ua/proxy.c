/* The proxy beside the embedded registrar, see proxy.h. Layer: ua.
 *
 * A request in a dialog goes where its token says (forward.h), any other one to the bindings of its address. */
#include "ua/proxy.h"

#include <stdlib.h>

#include "ua/binding.h"
#include "ua/forward.h"

enum {
    TIMER_C_S = 181, /* RFC 3261 16.6 step 11: more than 3 minutes */
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
    bool answered; /* a final response went upstream, or none is to go any more */
};

struct branch {
    struct ssi_list node;
    struct context *ctx;
    struct ssi_txn *txn;
    bool done;
};

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
    if (ssi_forward_leaks_keys(m, c->from)) {
        /* Whoever asked in clear gets no key: neither with an early answer nor with an offer of the callee. */
        if (m->status >= 200) {
            ssi_ua_refuse(c->registrar->ua, c->server, 488);
            c->answered = true;
        }
        return;
    }
    ssi_buf_init_secret(&b, ssi_forward_room(m));
    ssi_forward_put_response(&b, m);
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
    if (c->best_status == 503 && c->best)
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

static void take_provisional(struct context *c, const struct ssi_sip_msg *m, bool goes_on)
{
    if (m->status == 100)
        return;
    if (goes_on)
        send_upstream(c, m);
    if (c->request->method == SSI_SIP_INVITE)
        ssi_timer_arm(&c->registrar->ua->timers, &c->timer_c, SSI_S(TIMER_C_S)); /* 16.7 step 2 */
}

static void take_final(struct context *c, struct ssi_sip_msg *m, bool goes_on)
{
    if (!goes_on) {
        keep_best(c, NULL, 502); /* nobody can read it: an invalid response (21.5.3) */
    } else if (m->status < 300) {
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

static void on_branch_response(struct ssi_txn *t, struct ssi_sip_msg *m, void *arg)
{
    struct branch *b = arg;
    struct context *c = b->ctx;
    bool goes_on = m->n_vias > 1; /* else it is for us: 16.7 step 3 */

    (void)t;
    c->refs++;
    if (m->status < 200) {
        take_provisional(c, m, goes_on);
    } else {
        b->done = true;
        take_final(c, m, goes_on);
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
    /* 16.8: a time-out counts as 408; a lost connection as 480: the phone is not there. RFC 4320 4.2: to other requests nothing is
     * said after a time-out, for whoever asked has given up, too. */
    bool late = why == SECSIP_E_UA_TRANSACTION_TIMEOUT;
    if (late && c->request->method != SSI_SIP_INVITE)
        c->answered = true;
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

static const struct ssi_txn_client_ops branch_ops = {.on_response = on_branch_response,
                                                     .on_failed = on_branch_failed,
                                                     .on_gone = on_branch_gone,
                                                     .forwards = true};

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

/* What a branch counts as that cannot start. */
static int status_of(secsip_result why)
{
    switch (why) {
    case SECSIP_E_NOMEM:
    case SECSIP_E_RANDOM:
        return 500;
    case SECSIP_E_LIMIT:
        return 503; /* there are too many transactions */
    default:
        return 480;
    }
}

/* One more branch. What has a To tag came in a dialog that was found. */
static void add_branch(struct context *c, struct ssi_flow *out, const struct ssi_forward_path *path)
{
    char branch_id[SSI_FORWARD_BRANCH_TEXT];
    struct ssi_buf bytes;
    struct branch *b = calloc(1, sizeof *b);

    if (!b) {
        keep_best(c, NULL, 500);
        return;
    }
    b->ctx = c;
    ssi_list_push_back(&c->branches, &b->node);
    if (ssi_forward_leaks_keys(c->request, out)) {
        b->done = true;
        keep_best(c, NULL, 488);
        return;
    }
    ssi_buf_init_secret(&bytes, ssi_forward_room(c->request));
    secsip_result r = ssi_forward_make_branch(c->registrar, c->request, branch_id);
    if (r >= 0) {
        ssi_forward_put_request(&bytes, c->registrar, c->request, path, c->from, out, branch_id);
        r = bytes.failed;
    }
    c->refs++;
    if (r >= 0)
        r = ssi_txn_client_new(&c->registrar->ua->txn, &out->txn, c->request->method,
                               c->request->to.tag.p != NULL, ssi_slice_str(branch_id), &bytes,
                               &branch_ops, b, &b->txn);
    if (r < 0) {
        b->done = true;
        keep_best(c, NULL, status_of(r));
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
/* Whether the sender proves to be the user at this end of a dialog; else it was answered. What From says is the dialog's, and as
 * well known as its tags. */
static bool is_user_of(secsip_registrar *r, struct ssi_txn *t, struct ssi_sip_msg *m,
                       const struct ssi_place *end, struct ssi_flow *flow)
{
    struct ssi_sip_uri uri = {.scheme = SSI_SIP_SCHEME_SIP, .host = ssi_slice_str(r->domain)};

    if (ssi_registrar_identify(r, t, m, flow, true, &uri.user))
        return false;
    if (end->user && ssi_forward_mark_user(r, &uri) == end->user)
        return true;
    ssi_registrar_refuse(r, t, flow, 403);
    return false;
}

/* The request comes over the connection of its end of the dialog; or that one is gone, and the sender proves that the place is
 * his: then this one takes its place. Else it was answered. */
static bool holds_its_end(secsip_registrar *r, struct ssi_txn *t, struct ssi_sip_msg *m,
                          const struct ssi_forward_ends *ends, struct ssi_flow *flow)
{
    const struct ssi_flow *known = ssi_moved_find(&r->moved, r->ua, &ends->sender);

    if (known == flow)
        return true;
    if (!t)
        return false;
    if (known) {
        ssi_registrar_refuse(r, t, flow, 481);
        return false;
    }
    if (!is_user_of(r, t, m, &ends->sender, flow))
        return false;
    ssi_moved_note(&r->moved, &ends->sender, flow);
    return true;
}

bool ssi_proxy_is_in_dialog(const secsip_registrar *r, const struct ssi_sip_msg *m,
                            const struct ssi_flow *flow)
{
    struct ssi_forward_ends ends;
    struct ssi_forward_path path;

    if (!ssi_forward_take_token(r, m, flow, &path, &ends))
        return false;
    const struct ssi_flow *known = ssi_moved_find(&r->moved, r->ua, &ends.sender);
    return (!known || known == flow) && ssi_moved_find(&r->moved, r->ua, &ends.other);
}

static void forward_in_dialog(secsip_registrar *r, struct ssi_txn *t, struct ssi_sip_msg *m,
                              struct ssi_flow *flow)
{
    struct ssi_forward_ends ends;
    struct ssi_forward_path path;

    if (!ssi_forward_take_token(r, m, flow, &path, &ends)) {
        if (t)
            ssi_registrar_refuse(r, t, flow, 481);
        return;
    }
    if (!holds_its_end(r, t, m, &ends, flow))
        return;
    struct ssi_flow *out = ssi_moved_find(&r->moved, r->ua, &ends.other);
    if (!out || (path.sips && out->transport != SSI_TRANSPORT_TLS)) {
        if (t)
            ssi_registrar_refuse(r, t, flow, out ? 481 : 430); /* RFC 5626 5.3.1 */
        return;
    }
    if (!t && ssi_forward_leaks_keys(m, out))
        return;
    if (!t) {
        /* The ACK of a 2xx is a transaction of its own without answer: forwarded without state. */
        char branch[SSI_FORWARD_BRANCH_TEXT];
        struct ssi_buf b;
        ssi_buf_init_secret(&b, ssi_forward_room(m));
        if (ssi_forward_make_branch(r, m, branch) >= 0) {
            ssi_forward_put_request(&b, r, m, &path, flow, out, branch);
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
    add_branch(c, out, &path);
    start(c);
    unref_context(c);
}

static void forward_to_bindings(secsip_registrar *r, struct ssi_txn *t, struct ssi_sip_msg *m,
                                struct ssi_flow *flow)
{
    struct ssi_aor *a = ssi_registrar_find(r, &m->uri);
    bool sips = m->uri.scheme == SSI_SIP_SCHEME_SIPS;
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
    struct ssi_forward_path path = {.skip_first = ssi_forward_has_our_route(r, m, flow)};
    SSI_LIST_EACH(it, &a->bindings)
    {
        struct ssi_binding *b = SSI_CONTAINER(it, struct ssi_binding, node);
        if (ssi_binding_is_covered(b))
            continue;
        /* RFC 5630 5.3: a sips request goes only to sips contacts, and over TLS. */
        if (sips && (!b->sips || b->flow->transport != SSI_TRANSPORT_TLS))
            continue;
        path.uri = ssi_slice_str(b->contact);
        add_branch(c, b->flow, &path);
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

    int status = ssi_sip_msg_verdict(m, &ssi_ua_proxy); /* RFC 3261 16.3 */
    if (status) {
        if (t)
            ssi_registrar_refuse(r, t, flow, status);
        return;
    }
    if (t && ssi_forward_is_loop(r, m)) { /* 16.3 step 4 */
        ssi_registrar_refuse(r, t, flow, 482);
        return;
    }
    if (m->to.tag.p) {
        forward_in_dialog(r, t, m, flow);
        return;
    }
    if (!t)
        return;
    if (m->method == SSI_SIP_OPTIONS && ours && m->uri.user.len == 0) {
        ssi_ua_refuse_as(r->ua, t, 200, &ssi_ua_registrar);
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
