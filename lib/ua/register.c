/* The registration of an account. Layer: ua.
 *
 *   NONE --register--> TRYING --200--> REGISTERED --refresh--> (REGISTERED, asking again)
 *   TRYING --refused--> FAILED (final, or with a retry)       any --unregister--> UNREGISTERED
 *
 * A lost flow or an answer that may get better is tried again with the back-off of RFC 5626 4.5; a wrong password and
 * other refusals that asking again cannot mend are final. */
#include "ua/register.h"

#include <stdlib.h>

#include "sip/build.h"
#include "ua/dialog.h"

enum {
    BACKOFF_BASE_S = 30,   /* RFC 5626 4.5: all flows failed */
    BACKOFF_OTHERS_S = 90, /* RFC 5626 4.5: another one works */
    BACKOFF_MAX_S = 1800,  /* RFC 5626 4.5 */
};

/* ---- News */
struct ssi_registration_news {
    struct ssi_event event;
    secsip_account *account;
    int32_t state;
    int32_t status;
    uint32_t expires_s;
    uint32_t retry_ms;
    uint32_t flow;
    uint32_t flows_registered;
    const char *transport;
    struct ssi_tls_note tls;
    struct ssi_error error;
};

static void deliver_news(struct ssi_event *e, bool discard)
{
    struct ssi_registration_news *n = SSI_CONTAINER(e, struct ssi_registration_news, event);
    secsip_account *a = n->account;
    secsip_error error;

    if (!discard && a->callbacks.on_registration) {
        secsip_registration_event view = {
            .size = sizeof view,
            .state = n->state,
            .status = n->status,
            .expires_s = n->expires_s,
            .retry_ms = n->retry_ms,
            .tls = ssi_tls_note_view(&n->tls),
            .transport = n->transport,
            .flow = n->flow,
            .flows_registered = n->flows_registered,
        };
        if (n->error.result < 0) {
            ssi_error_view(&n->error, &error);
            view.error = &error;
        }
        a->callbacks.on_registration(a, &view, a->user_data);
    }
    if (a->spare_news)
        free(n);
    else
        a->spare_news = n;
    ssi_account_unref(a);
}

/* What came of a registration is told even where memory is out: one piece of news is always kept in reserve. */
static struct ssi_registration_news *make_news(secsip_account *a)
{
    struct ssi_registration_news *n = calloc(1, sizeof *n);

    if (!n && a->spare_news) {
        n = a->spare_news;
        a->spare_news = NULL;
        memset(n, 0, sizeof *n);
    }
    return n;
}

/* An account is registered as long as one of its flows is. */
static uint32_t n_registered(const secsip_account *a)
{
    uint32_t n = 0;

    for (size_t i = 0; i < a->n_flows; i++)
        n += a->flows[i].state == SECSIP_REGISTRATION_REGISTERED;
    return n;
}

static void post_news(struct ssi_registration *g, int32_t state, int32_t status, uint32_t retry_ms,
                      const struct ssi_error *error)
{
    secsip_account *a = g->account;
    struct ssi_registration_news *n = make_news(a);

    g->state = state;
    a->state = n_registered(a) > 0 ? SECSIP_REGISTRATION_REGISTERED : state;
    if (!n) {
        ssi_log_line(&a->ua->config.log, SSI_LOG_ERROR,
                     "no memory to tell of the registration of %s", a->aor);
        return;
    }
    n->event.deliver = deliver_news;
    n->account = ssi_account_ref(a);
    n->state = state;
    n->status = status;
    n->retry_ms = retry_ms;
    n->flow = g->reg_id;
    n->flows_registered = n_registered(a);
    n->expires_s = state == SECSIP_REGISTRATION_REGISTERED ? g->granted_s : 0;
    n->transport = g->flow ? ssi_flow_transport_name(g->flow) : "";
    ssi_tls_note_take(&n->tls, g->flow);
    if (error)
        n->error = *error;
    ssi_ua_post(a->ua, &n->event);
}

/* ---- Ends and retries */
static void release_flow(struct ssi_registration *g)
{
    struct ssi_flow *f = g->flow;

    /* Calls keep the flow alive through watches of their own. */
    if (!f)
        return;
    g->flow = NULL;
    ssi_flow_unwatch(f, &g->watch);
    ssi_flow_unref(f);
}

static void end_removal(struct ssi_registration *g, int32_t status, const struct ssi_error *error)
{
    g->removing = false;
    g->wanted = false;
    g->state = SECSIP_REGISTRATION_UNREGISTERED;
    ssi_timer_cancel(&g->account->ua->timers, &g->timer);
    if (!ssi_account_is_removing(g->account)) /* the last one */
        post_news(g, SECSIP_REGISTRATION_UNREGISTERED, status, 0, error);
    release_flow(g);
}

static void fail_for_good(struct ssi_registration *g, const struct ssi_error *why)
{
    g->wanted = false;
    post_news(g, SECSIP_REGISTRATION_FAILED, why->status, 0, why);
    release_flow(g);
}

/* RFC 5626 4.5: W = min(max-time, base-time * 2 ^ consecutive-failures), then a random 50 to 100 % of it. A connection that is
 * lost after a registration is no failure of a registration yet. */
static uint32_t backoff_ms(struct ssi_registration *g, uint32_t at_least_s)
{
    uint32_t doublings = g->n_failures < 6 ? g->n_failures : 6;
    uint64_t upper = (uint64_t)(n_registered(g->account) > 0 ? BACKOFF_OTHERS_S : BACKOFF_BASE_S)
                     << doublings;
    uint16_t random = 0;

    if (upper > BACKOFF_MAX_S)
        upper = BACKOFF_MAX_S;
    if (ssi_random_nonce(&random, sizeof random) < 0)
        random = UINT16_MAX;
    uint64_t ms = upper * 500 + upper * 500 * random / UINT16_MAX;
    return (uint32_t)(ms > (uint64_t)at_least_s * 1000 ? ms : (uint64_t)at_least_s * 1000);
}

static void fail_for_now(struct ssi_registration *g, const struct ssi_error *why,
                         uint32_t retry_after_s)
{
    g->state = SECSIP_REGISTRATION_FAILED;
    if (!g->was_up)
        g->n_failures++;
    g->was_up = false;
    g->outbound = false;
    g->n_servers = 0;
    uint32_t ms = backoff_ms(g, retry_after_s);

    ssi_timer_arm(&g->account->ua->timers, &g->timer, SSI_MS(ms));
    post_news(g, SECSIP_REGISTRATION_FAILED, why->status, ms, why);
}

/* ---- Asking */
static void send_register(struct ssi_registration *g);

static void on_response(struct ssi_txn *t, struct ssi_sip_msg *m, void *arg);
static void on_failed(struct ssi_txn *t, secsip_result why, void *arg);
static void on_gone(struct ssi_txn *t, void *arg);

static const struct ssi_txn_client_ops register_ops = {
    .on_response = on_response, .on_failed = on_failed, .on_gone = on_gone};

/* The registrar of the address of record: "sip:example.test" (RFC 3261 10.2). */
static void put_registrar(struct ssi_buf *b, const struct ssi_registration *g)
{
    ssi_buf_put_str(b, g->account->uri.scheme == SSI_SIP_SCHEME_SIPS ? "sips:" : "sip:");
    ssi_buf_put_slice(b, g->account->uri.host);
    if (g->account->uri.port) {
        ssi_buf_put_char(b, ':');
        ssi_buf_put_u64(b, g->account->uri.port);
    }
}

/* RFC 5626 over datagrams needs STUN, which is not spoken here. */
static bool offers_outbound(const struct ssi_registration *g)
{
    return g->account->offers_outbound && !g->no_outbound && g->flow->txn.reliable;
}

static void put_register(struct ssi_registration *g, struct ssi_buf *b, struct ssi_slice uri,
                         const char *branch)
{
    const char *transport = ssi_flow_transport_name(g->flow);
    struct ssi_addr sent_by;
    bool alias = ssi_flow_offers_alias(g->flow, &sent_by);

    ssi_sip_put_request_line(b, SSI_LIT("REGISTER"), uri);
    ssi_ua_put_via(b, transport, &sent_by, branch, alias);
    ssi_sip_put_header_str(b, "Max-Forwards", "70");
    ssi_sip_put_name(b, "From");
    ssi_sip_put_piece_str(b, g->account->from);
    ssi_sip_put_piece_str(b, ";tag=");
    ssi_sip_put_piece_str(b, g->account->tag);
    ssi_sip_put_crlf(b);
    ssi_sip_put_header_str(b, "To", g->account->from);
    ssi_sip_put_header_str(b, "Call-ID", g->call_id);
    ssi_sip_put_name(b, "CSeq");
    ssi_buf_put_u64(b, ++g->cseq);
    ssi_sip_put_piece_str(b, " REGISTER");
    ssi_sip_put_crlf(b);
    ssi_sip_put_name(b, "Contact");
    ssi_account_put_contact(b, g->account, g->flow, g->account->uri.scheme == SSI_SIP_SCHEME_SIPS,
                            false);
    ssi_sip_put_piece_str(b, ";+sip.instance=\"<");
    ssi_sip_put_piece_str(b, g->account->instance);
    ssi_sip_put_piece_str(b, ">\"");
    if (offers_outbound(g)) {
        ssi_sip_put_piece_str(b, ";reg-id=");
        ssi_buf_put_u64(b, g->reg_id);
    }
    ssi_sip_put_crlf(b);
    if (offers_outbound(g)) /* RFC 5626 4.2.1; path: RFC 3327 5.1 */
        ssi_sip_put_header_str(b, "Supported", "outbound, path");
    ssi_sip_put_header_u64(b, "Expires", g->removing ? 0 : g->account->expires_s);
    ssi_auth_put(&g->auth, b, g->account, SSI_SIP_REGISTER, uri, ssi_slice_of(NULL, 0));
    ssi_sip_put_header_str(b, "User-Agent", g->account->ua->user_agent);
    ssi_sip_put_end(b, NULL, NULL, 0);
}

static void send_register(struct ssi_registration *g)
{
    char branch[SSI_BRANCH_TEXT];
    struct ssi_buf uri;
    struct ssi_buf b;
    struct ssi_error e;

    ssi_buf_init(&uri, 1024);
    ssi_buf_init_secret(&b, g->account->ua->config.limits.message_bytes);
    put_registrar(&uri, g);
    secsip_result r = uri.failed < 0 ? uri.failed : ssi_ua_new_branch(branch);
    if (r >= 0) {
        put_register(g, &b, ssi_buf_slice(&uri), branch);
        r = b.failed;
    }
    if (r >= 0)
        r = ssi_txn_client_new(&g->account->ua->txn, &g->flow->txn, SSI_SIP_REGISTER, false,
                               ssi_slice_str(branch), &b, &register_ops, g, &g->txn);
    if (r >= 0)
        ssi_account_ref(g->account); /* the transaction's, until on_gone */
    ssi_buf_free(&b);
    ssi_buf_free(&uri);
    if (r < 0) {
        ssi_error_set(&e, r, "REGISTER for %s", g->account->aor);
        if (g->removing)
            end_removal(g, 0, &e);
        else
            fail_for_now(g, &e, 0);
    }
}

static void on_flow_open(void *arg, struct ssi_flow *f)
{
    struct ssi_registration *g = arg;

    (void)f;
    if ((g->wanted || g->removing) && !g->txn)
        send_register(g);
}

static secsip_result need_flow(struct ssi_registration *g)
{
    if (g->flow && g->flow->state != SSI_FLOW_DEAD)
        return 0;
    secsip_result r = ssi_flow_get(g->account->ua, &g->target, &g->flow);
    if (r >= 0)
        ssi_flow_watch(g->flow, &g->watch);
    return r;
}

/* Asks now if the flow is open, or as soon as it is. */
static void ask(struct ssi_registration *g)
{
    struct ssi_error e;

    g->challenged = 0;
    if (g->flow && g->flow->state == SSI_FLOW_OPEN) {
        send_register(g);
        return;
    }
    secsip_result r = need_flow(g);
    if (r < 0) {
        ssi_error_set(&e, r, "%s", g->target.host);
        if (g->removing)
            end_removal(g, 0, &e);
        else
            fail_for_now(g, &e, 0);
    }
}

/* RFC 3263 4.3: who answers 503 has failed, as has who does not answer or ends the connection; the next server that DNS gave is
 * asked, at once. */
static bool try_another_server(struct ssi_registration *g, uint32_t retry_after_s)
{
    ssi_flow_retire(g->flow, retry_after_s);
    if (g->removing || !ssi_flow_has_alternative(g->flow, ++g->n_servers))
        return false;
    ssi_log_line(&g->account->ua->config.log, SSI_LOG_WARNING,
                 "%s: the server did not serve us (503, silence, or it hung up), trying the next",
                 g->target.host);
    release_flow(g);
    ask(g);
    return true;
}

static void on_flow_failed(void *arg, struct ssi_flow *f, const struct ssi_error *why)
{
    struct ssi_registration *g = arg;
    bool asked = g->txn != NULL;

    /* The transaction, if there is one, is told too; it must not tell the same a second time. */
    if (asked)
        ssi_txn_drop(g->txn);
    g->txn = NULL;
    if (asked && g->wanted && g->flow == f && try_another_server(g, 0))
        return;
    if (g->flow == f) {
        g->flow = NULL;
        ssi_flow_unref(f);
    }
    if (g->removing)
        end_removal(g, 0, why);
    else if (g->wanted)
        fail_for_now(g, why, 0);
}

static void on_timer(void *arg)
{
    struct ssi_registration *g = arg;

    if (g->wanted && !g->txn)
        ask(g);
}

static secsip_result init_one(secsip_account *a, struct ssi_registration *g, uint32_t reg_id)
{
    char call_id[25];

    g->account = a;
    g->reg_id = reg_id;
    ssi_timer_init(&g->timer, on_timer, g);
    ssi_list_init(&g->watch.node);
    g->watch.on_open = on_flow_open;
    g->watch.on_failed = on_flow_failed;
    g->watch.arg = g;
    secsip_result r = ssi_random_token(call_id, sizeof call_id - 1);
    if (r < 0)
        return r;
    g->call_id = ssi_slice_dup(ssi_slice_str(call_id));
    return g->call_id ? 0 : SECSIP_E_NOMEM;
}

secsip_result ssi_register_init(secsip_account *a)
{
    secsip_result r = 0;

    a->spare_news = calloc(1, sizeof *a->spare_news);
    if (!a->spare_news)
        return SECSIP_E_NOMEM;
    ssi_list_init(&a->node);
    for (size_t i = 0; i < a->n_flows && r >= 0; i++)
        r = init_one(a, &a->flows[i], (uint32_t)i + 1);
    return r;
}

/* ---- Answers */
/* What the registrar granted for our contact: its own expires, else Expires (RFC 3261 10.2.4). */
static uint32_t granted(const struct ssi_registration *g, const struct ssi_sip_msg *m)
{
    struct ssi_sip_values it;
    struct ssi_slice value;
    struct ssi_sip_addr contact;

    ssi_sip_values_init(&it, m, SSI_HDR_CONTACT);
    while (ssi_sip_values_next(&it, &value))
        if (ssi_sip_addr_parse(value, &contact) >= 0 &&
            ssi_slice_eq(contact.uri.user, ssi_slice_str(g->account->contact_user)))
            return ssi_sip_msg_expires(m, &contact, g->account->expires_s);
    return ssi_sip_msg_expires(m, NULL, g->account->expires_s);
}

/* A number in a header field that libsecsip has no id for. */
static uint32_t flow_timer_of(const struct ssi_sip_msg *m)
{
    const struct ssi_sip_header *h = ssi_sip_msg_header_named(m, SSI_LIT("Flow-Timer"), NULL);
    uint64_t seconds = 0;

    if (h)
        ssi_slice_to_u64(ssi_slice_trim(h->value), UINT32_MAX, &seconds);
    return (uint32_t)seconds;
}

/* RFC 5626 4.2.1: agreed where the registrar requires it. */
static void take_outbound(struct ssi_registration *g, const struct ssi_sip_msg *m)
{
    g->outbound = offers_outbound(g) && ssi_sip_msg_lists(m, SSI_HDR_REQUIRE, SSI_LIT("outbound"));
    if (g->outbound)
        ssi_flow_keep(g->flow, flow_timer_of(m));
}

static void take_success(struct ssi_registration *g, const struct ssi_sip_msg *m)
{
    if (g->removing) {
        end_removal(g, m->status, NULL);
        return;
    }
    g->granted_s = granted(g, m);
    if (g->granted_s == 0)
        g->granted_s = 1;
    g->n_failures = 0;
    g->n_servers = 0;
    g->was_up = true;
    take_outbound(g, m);
    /* In time for one retransmission cycle, and spread so that a restarted registrar is not hit by all at once. */
    uint64_t margin_us = SSI_S(g->granted_s) / 10;
    uint16_t random = 0;
    if (ssi_random_nonce(&random, sizeof random) < 0)
        random = 0;
    ssi_timer_arm(&g->account->ua->timers, &g->timer,
                  SSI_S(g->granted_s) - margin_us - margin_us * random / UINT16_MAX / 2);
    post_news(g, SECSIP_REGISTRATION_REGISTERED, m->status, 0, NULL);
}

static bool may_get_better(int status)
{
    return status == 408 || status == 480 || status == 486 || status >= 500;
}

static void take_refusal(struct ssi_registration *g, const struct ssi_sip_msg *m, secsip_result why)
{
    uint32_t retry_after = ssi_sip_msg_retry_after(m);
    struct ssi_error e;
    char reason[64];

    if (m->status == 503 && try_another_server(g, retry_after))
        return;

    ssi_slice_show(m->reason, reason, sizeof reason);
    ssi_error_set(&e, why, "REGISTER for %s: %d %s", g->account->aor, m->status, reason);
    e.status = m->status;
    ssi_addr_text(&g->flow->peer, e.peer);
    bool forbidden = m->status == 403 && (g->auth.has[0] || g->auth.has[1]);
    if (why == SECSIP_E_UA_AUTH_FAILED || why == SECSIP_E_UA_AUTH_REQUIRED || forbidden)
        ssi_error_check(&e, "credentials", SSI_LIT("credentials that the registrar accepts"),
                        ssi_slice_str(g->account->auth_user));
    if (g->removing)
        end_removal(g, m->status, &e);
    else if (may_get_better(m->status) || why == SECSIP_E_NOMEM)
        fail_for_now(g, &e, retry_after);
    else
        fail_for_good(g, &e);
}

/* 423: ask for what the registrar wants at least (RFC 3261 10.2.8), once. */
static bool raise_expires(struct ssi_registration *g, const struct ssi_sip_msg *m)
{
    struct ssi_slice value;
    uint64_t minimum;

    if (!ssi_sip_msg_value(m, SSI_HDR_MIN_EXPIRES, &value) ||
        !ssi_slice_to_u64(value, 86400, &minimum) || minimum <= g->account->expires_s)
        return false;
    g->account->expires_s = (uint32_t)minimum;
    return true;
}

static void on_response(struct ssi_txn *t, struct ssi_sip_msg *m, void *arg)
{
    struct ssi_registration *g = arg;
    secsip_result r = SECSIP_E_UA_REJECTED;

    if (m->status < 200 || t != g->txn)
        return;
    g->txn = NULL;
    if (m->status < 300) {
        take_success(g, m);
        return;
    }
    if (m->status == 401 || m->status == 407) {
        r = ssi_auth_take(&g->auth, g->account, m);
        /* A nonce from an earlier round may have gone stale without the registrar saying so. */
        if (r == SECSIP_E_UA_AUTH_FAILED && g->challenged == 0)
            r = 0;
        g->challenged++;
        if (r >= 0 && g->challenged <= 3) {
            send_register(g);
            return;
        }
        if (r >= 0)
            r = SECSIP_E_UA_AUTH_FAILED;
    } else if (m->status == 423 && raise_expires(g, m)) {
        send_register(g);
        return;
    } else if (m->status == 439 && offers_outbound(g)) {
        /* RFC 5626 4.2.1: the first hop cannot do it; registered all the same, in the plain way. */
        g->no_outbound = true;
        send_register(g);
        return;
    }
    take_refusal(g, m, r);
}

static void on_failed(struct ssi_txn *t, secsip_result why, void *arg)
{
    struct ssi_registration *g = arg;
    struct ssi_error e;

    if (t != g->txn)
        return;
    g->txn = NULL;
    ssi_error_set(&e, why, "REGISTER for %s", g->account->aor);
    if (g->flow)
        ssi_addr_text(&g->flow->peer, e.peer);
    if (g->removing) {
        end_removal(g, 0, &e);
        return;
    }
    /* A connection over which nothing comes back is not used again (RFC 5626 4.4), nor a peer that ICMP says is not there. */
    if ((why != SECSIP_E_UA_TRANSACTION_TIMEOUT && why != SECSIP_E_NET_CONNECT) || !g->flow)
        fail_for_now(g, &e, 0);
    else if (!try_another_server(g, 0))
        ssi_flow_close(g->flow, &e);
}

static void on_gone(struct ssi_txn *t, void *arg)
{
    struct ssi_registration *g = arg;

    if (g->txn == t)
        g->txn = NULL;
    ssi_account_unref(g->account);
}

void ssi_account_flow_suspect(struct ssi_ua *ua, struct ssi_flow *f, const struct ssi_error *why)
{
    SSI_LIST_EACH(n, &ua->accounts)
    {
        secsip_account *a = SSI_CONTAINER(n, struct secsip_account, node);
        for (size_t i = 0; i < a->n_flows; i++) {
            struct ssi_registration *g = &a->flows[i];
            if (g->flow != f || !g->wanted || g->txn)
                continue;
            release_flow(g);
            fail_for_now(g, why, 0);
        }
    }
}

/* ---- What the application asks for */
static bool is_wanted(const secsip_account *a)
{
    for (size_t i = 0; i < a->n_flows; i++)
        if (a->flows[i].wanted)
            return true;
    return false;
}

bool ssi_account_is_removing(const secsip_account *a)
{
    for (size_t i = 0; i < a->n_flows; i++)
        if (a->flows[i].removing)
            return true;
    return false;
}

static void begin(struct ssi_registration *g)
{
    g->wanted = true;
    g->n_failures = 0;
    g->n_servers = 0;
    g->was_up = false;
    g->no_outbound = false;
    g->state = SECSIP_REGISTRATION_TRYING;
    ssi_auth_free(&g->auth);
    ask(g);
}

secsip_result ssi_account_register(secsip_account *a)
{
    if (!a->ua || a->ua->shutting_down || ssi_account_is_removing(a) || is_wanted(a))
        return SECSIP_E_STATE;
    a->state = SECSIP_REGISTRATION_TRYING;
    for (size_t i = 0; i < a->n_flows; i++)
        begin(&a->flows[i]);
    return 0;
}

static void remove_one(struct ssi_registration *g)
{
    bool was_registered = g->state == SECSIP_REGISTRATION_REGISTERED;

    ssi_timer_cancel(&g->account->ua->timers, &g->timer);
    if (g->txn)
        ssi_txn_drop(g->txn);
    g->txn = NULL;
    /* Only a binding that may exist is removed; a connection is not made again for it. */
    if (g->flow && g->flow->state == SSI_FLOW_OPEN && (was_registered || g->cseq > 0))
        ask(g);
    else
        end_removal(g, 0, NULL);
}

secsip_result ssi_account_unregister(secsip_account *a)
{
    if (!a->ua || !is_wanted(a) || ssi_account_is_removing(a))
        return SECSIP_E_STATE;
    /* All are being removed before the first is gone: the last one to go tells of it. */
    for (size_t i = 0; i < a->n_flows; i++) {
        a->flows[i].wanted = false;
        a->flows[i].removing = true;
    }
    for (size_t i = 0; i < a->n_flows; i++)
        remove_one(&a->flows[i]);
    return 0;
}

const struct ssi_flow_target *ssi_account_target(const secsip_account *a)
{
    for (size_t i = 0; i < a->n_flows; i++)
        if (a->flows[i].state == SECSIP_REGISTRATION_REGISTERED)
            return &a->flows[i].target;
    return &a->flows[0].target;
}

bool ssi_account_is_outbound(const secsip_account *a, const struct ssi_flow *flow)
{
    for (size_t i = 0; i < a->n_flows; i++)
        if (a->flows[i].flow == flow && a->flows[i].outbound)
            return true;
    return false;
}

struct ssi_flow *ssi_account_other_flow(const secsip_account *a, const struct ssi_flow *flow)
{
    for (size_t i = 0; i < a->n_flows; i++) {
        const struct ssi_registration *g = &a->flows[i];
        if (a->n_flows > 1 && g->state == SECSIP_REGISTRATION_REGISTERED && g->flow &&
            g->flow != flow && g->flow->state == SSI_FLOW_OPEN &&
            !ssi_flow_is_down(g->flow, &g->flow->peer))
            return g->flow;
    }
    return NULL;
}

void ssi_registrations_detach(secsip_account *a)
{
    for (size_t i = 0; i < a->n_flows; i++) {
        struct ssi_registration *g = &a->flows[i];
        g->wanted = false;
        ssi_timer_cancel(&a->ua->timers, &g->timer);
        if (g->txn)
            ssi_txn_drop(g->txn);
        g->txn = NULL;
        release_flow(g);
    }
}

void ssi_registrations_free(secsip_account *a)
{
    for (size_t i = 0; i < SSI_ACCOUNT_FLOWS; i++) {
        ssi_auth_free(&a->flows[i].auth);
        free(a->flows[i].call_id);
    }
    free(a->spare_news);
}
