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
    BACKOFF_BASE_S = 30,  /* RFC 5626 4.5: all flows failed */
    BACKOFF_MAX_S = 1800, /* RFC 5626 4.5 */
};

/* ---- News */
struct ssi_registration_news {
    struct ssi_event event;
    secsip_account *account;
    int32_t state;
    int32_t status;
    uint32_t expires_s;
    uint32_t retry_ms;
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

static void post_news(secsip_account *a, int32_t state, int32_t status, uint32_t retry_ms,
                      const struct ssi_error *error)
{
    struct ssi_registration_news *n = make_news(a);

    a->state = state;
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
    n->expires_s = state == SECSIP_REGISTRATION_REGISTERED ? a->granted_s : 0;
    n->transport = a->flow ? ssi_flow_transport_name(a->flow) : "";
    ssi_tls_note_take(&n->tls, a->flow);
    if (error)
        n->error = *error;
    ssi_ua_post(a->ua, &n->event);
}

/* ---- Ends and retries */
static void end_removal(secsip_account *a, int32_t status, const struct ssi_error *error)
{
    a->removing = false;
    a->wanted = false;
    ssi_timer_cancel(&a->ua->timers, &a->timer);
    post_news(a, SECSIP_REGISTRATION_UNREGISTERED, status, 0, error);
    ssi_account_release_flow(a);
}

static void fail_for_good(secsip_account *a, const struct ssi_error *why)
{
    a->wanted = false;
    post_news(a, SECSIP_REGISTRATION_FAILED, why->status, 0, why);
    ssi_account_release_flow(a);
}

/* RFC 5626 4.5: W = min(max-time, base-time * 2 ^ consecutive-failures), then a random 50 to 100 % of it. A connection that is
 * lost after a registration is no failure of a registration yet. */
static uint32_t backoff_ms(secsip_account *a, uint32_t at_least_s)
{
    uint32_t doublings = a->n_failures < 6 ? a->n_failures : 6;
    uint64_t upper = (uint64_t)BACKOFF_BASE_S << doublings;
    uint16_t random = 0;

    if (upper > BACKOFF_MAX_S)
        upper = BACKOFF_MAX_S;
    if (ssi_random_nonce(&random, sizeof random) < 0)
        random = UINT16_MAX;
    uint64_t ms = upper * 500 + upper * 500 * random / UINT16_MAX;
    return (uint32_t)(ms > (uint64_t)at_least_s * 1000 ? ms : (uint64_t)at_least_s * 1000);
}

static void fail_for_now(secsip_account *a, const struct ssi_error *why, uint32_t retry_after_s)
{
    if (!a->was_up)
        a->n_failures++;
    a->was_up = false;
    a->outbound = false;
    uint32_t ms = backoff_ms(a, retry_after_s);

    ssi_timer_arm(&a->ua->timers, &a->timer, SSI_MS(ms));
    post_news(a, SECSIP_REGISTRATION_FAILED, why->status, ms, why);
}

/* ---- Asking */
static void send_register(secsip_account *a);

static void on_response(struct ssi_txn *t, struct ssi_sip_msg *m, void *arg);
static void on_failed(struct ssi_txn *t, secsip_result why, void *arg);
static void on_gone(struct ssi_txn *t, void *arg);

static const struct ssi_txn_client_ops register_ops = {on_response, on_failed, on_gone};

/* The registrar of the address of record: "sip:example.test" (RFC 3261 10.2). */
static void put_registrar(struct ssi_buf *b, const secsip_account *a)
{
    ssi_buf_put_str(b, a->uri.scheme == SSI_SIP_SCHEME_SIPS ? "sips:" : "sip:");
    ssi_buf_put_slice(b, a->uri.host);
    if (a->uri.port) {
        ssi_buf_put_char(b, ':');
        ssi_buf_put_u64(b, a->uri.port);
    }
}

/* RFC 5626 over datagrams needs STUN, which is not spoken here. */
static bool offers_outbound(const secsip_account *a)
{
    return a->offers_outbound && !a->no_outbound && a->flow->txn.reliable;
}

static void put_register(secsip_account *a, struct ssi_buf *b, struct ssi_slice uri,
                         const char *branch)
{
    const char *transport = ssi_flow_transport_name(a->flow);
    struct ssi_addr sent_by;
    bool alias = ssi_flow_offers_alias(a->flow, &sent_by);

    ssi_sip_put_request_line(b, SSI_LIT("REGISTER"), uri);
    ssi_ua_put_via(b, transport, &sent_by, branch, alias);
    ssi_sip_put_header_str(b, "Max-Forwards", "70");
    ssi_sip_put_name(b, "From");
    ssi_sip_put_piece_str(b, a->from);
    ssi_sip_put_piece_str(b, ";tag=");
    ssi_sip_put_piece_str(b, a->tag);
    ssi_sip_put_crlf(b);
    ssi_sip_put_header_str(b, "To", a->from);
    ssi_sip_put_header_str(b, "Call-ID", a->call_id);
    ssi_sip_put_name(b, "CSeq");
    ssi_buf_put_u64(b, ++a->cseq);
    ssi_sip_put_piece_str(b, " REGISTER");
    ssi_sip_put_crlf(b);
    ssi_sip_put_name(b, "Contact");
    ssi_account_put_contact(b, a, a->flow, a->uri.scheme == SSI_SIP_SCHEME_SIPS, false);
    ssi_sip_put_piece_str(b, ";+sip.instance=\"<");
    ssi_sip_put_piece_str(b, a->instance);
    ssi_sip_put_piece_str(b, offers_outbound(a) ? ">\";reg-id=1" : ">\"");
    ssi_sip_put_crlf(b);
    if (offers_outbound(a)) /* RFC 5626 4.2.1; path: RFC 3327 5.1 */
        ssi_sip_put_header_str(b, "Supported", "outbound, path");
    ssi_sip_put_header_u64(b, "Expires", a->removing ? 0 : a->expires_s);
    ssi_auth_put(&a->auth, b, a, SSI_SIP_REGISTER, uri);
    ssi_sip_put_header_str(b, "User-Agent", a->ua->user_agent);
    ssi_sip_put_end(b, NULL, NULL, 0);
}

static void send_register(secsip_account *a)
{
    char branch[SSI_BRANCH_TEXT];
    struct ssi_buf uri;
    struct ssi_buf b;
    struct ssi_error e;

    ssi_buf_init(&uri, 1024);
    ssi_buf_init_secret(&b, a->ua->config.limits.message_bytes);
    put_registrar(&uri, a);
    secsip_result r = uri.failed < 0 ? uri.failed : ssi_ua_new_branch(branch);
    if (r >= 0) {
        put_register(a, &b, ssi_buf_slice(&uri), branch);
        r = b.failed;
    }
    if (r >= 0)
        r = ssi_txn_client_new(&a->ua->txn, &a->flow->txn, SSI_SIP_REGISTER, ssi_slice_str(branch),
                               &b, &register_ops, a, &a->txn);
    if (r >= 0)
        ssi_account_ref(a); /* the transaction's, until on_gone */
    ssi_buf_free(&b);
    ssi_buf_free(&uri);
    if (r < 0) {
        ssi_error_set(&e, r, "REGISTER for %s", a->aor);
        if (a->removing)
            end_removal(a, 0, &e);
        else
            fail_for_now(a, &e, 0);
    }
}

static void on_flow_open(void *arg, struct ssi_flow *f)
{
    secsip_account *a = arg;

    (void)f;
    if ((a->wanted || a->removing) && !a->txn)
        send_register(a);
}

static void on_flow_failed(void *arg, struct ssi_flow *f, const struct ssi_error *why)
{
    secsip_account *a = arg;

    /* The transaction, if there is one, is told too; it must not tell the same a second time. */
    if (a->txn)
        ssi_txn_drop(a->txn);
    a->txn = NULL;
    if (a->flow == f) {
        a->flow = NULL;
        ssi_flow_unref(f);
    }
    if (a->removing)
        end_removal(a, 0, why);
    else if (a->wanted)
        fail_for_now(a, why, 0);
}

void ssi_account_release_flow(secsip_account *a)
{
    struct ssi_flow *f = a->flow;

    /* Calls keep the flow alive through watches of their own. */
    if (!f)
        return;
    a->flow = NULL;
    ssi_flow_unwatch(f, &a->watch);
    ssi_flow_unref(f);
}

secsip_result ssi_account_need_flow(secsip_account *a)
{
    if (a->flow && a->flow->state != SSI_FLOW_DEAD)
        return 0;
    secsip_result r = ssi_flow_get(a->ua, &a->target, &a->flow);
    if (r >= 0)
        ssi_flow_watch(a->flow, &a->watch);
    return r;
}

/* Asks now if the flow is open, or as soon as it is. */
static void ask(secsip_account *a)
{
    struct ssi_error e;

    a->challenged = 0;
    if (a->flow && a->flow->state == SSI_FLOW_OPEN) {
        send_register(a);
        return;
    }
    secsip_result r = ssi_account_need_flow(a);
    if (r < 0) {
        ssi_error_set(&e, r, "%s", a->target.host);
        if (a->removing)
            end_removal(a, 0, &e);
        else
            fail_for_now(a, &e, 0);
    }
}

static void on_timer(void *arg)
{
    secsip_account *a = arg;

    if (a->wanted && !a->txn)
        ask(a);
}

secsip_result ssi_register_init(secsip_account *a)
{
    a->spare_news = calloc(1, sizeof *a->spare_news);
    if (!a->spare_news)
        return SECSIP_E_NOMEM;
    ssi_timer_init(&a->timer, on_timer, a);
    ssi_list_init(&a->watch.node);
    ssi_list_init(&a->node);
    a->watch.on_open = on_flow_open;
    a->watch.on_failed = on_flow_failed;
    a->watch.arg = a;
    return 0;
}

/* ---- Answers */
/* What the registrar granted for our contact: its own expires, else Expires (RFC 3261 10.2.4). */
static uint32_t granted(const secsip_account *a, const struct ssi_sip_msg *m)
{
    struct ssi_sip_values it;
    struct ssi_slice value;
    struct ssi_sip_addr contact;

    ssi_sip_values_init(&it, m, SSI_HDR_CONTACT);
    while (ssi_sip_values_next(&it, &value))
        if (ssi_sip_addr_parse(value, &contact) >= 0 &&
            ssi_slice_eq(contact.uri.user, ssi_slice_str(a->contact_user)))
            return ssi_sip_msg_expires(m, &contact, a->expires_s);
    return ssi_sip_msg_expires(m, NULL, a->expires_s);
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
static void take_outbound(secsip_account *a, const struct ssi_sip_msg *m)
{
    a->outbound = offers_outbound(a) && ssi_sip_msg_lists(m, SSI_HDR_REQUIRE, SSI_LIT("outbound"));
    if (a->outbound)
        ssi_flow_keep(a->flow, flow_timer_of(m));
}

static void take_success(secsip_account *a, const struct ssi_sip_msg *m)
{
    if (a->removing) {
        end_removal(a, m->status, NULL);
        return;
    }
    a->granted_s = granted(a, m);
    if (a->granted_s == 0)
        a->granted_s = 1;
    a->n_failures = 0;
    a->was_up = true;
    take_outbound(a, m);
    /* In time for one retransmission cycle, and spread so that a restarted registrar is not hit by all at once. */
    uint64_t margin_us = SSI_S(a->granted_s) / 10;
    uint16_t random = 0;
    if (ssi_random_nonce(&random, sizeof random) < 0)
        random = 0;
    ssi_timer_arm(&a->ua->timers, &a->timer,
                  SSI_S(a->granted_s) - margin_us - margin_us * random / UINT16_MAX / 2);
    post_news(a, SECSIP_REGISTRATION_REGISTERED, m->status, 0, NULL);
}

static bool may_get_better(int status)
{
    return status == 408 || status == 480 || status == 486 || status >= 500;
}

static uint32_t retry_after_of(const struct ssi_sip_msg *m)
{
    struct ssi_slice value;
    uint64_t seconds = 0;
    size_t digits = 0;

    if (!ssi_sip_msg_value(m, SSI_HDR_RETRY_AFTER, &value))
        return 0;
    while (digits < value.len && value.p[digits] >= '0' && value.p[digits] <= '9')
        digits++;
    ssi_slice_to_u64(ssi_slice_of(value.p, digits), 86400, &seconds);
    return (uint32_t)seconds;
}

/* RFC 3263 4.3: who answers 503 has failed, as has who does not answer; the next server that DNS gave is asked, at once. */
static bool try_another_server(secsip_account *a, uint32_t retry_after_s)
{
    ssi_flow_retire(a->flow, retry_after_s);
    if (a->removing || !ssi_flow_has_alternative(a->flow))
        return false;
    ssi_log_line(&a->ua->config.log, SSI_LOG_WARNING,
                 "%s: 503 or no answer, trying the next server", a->target.host);
    ssi_account_release_flow(a);
    ask(a);
    return true;
}

static void take_refusal(secsip_account *a, const struct ssi_sip_msg *m, secsip_result why)
{
    uint32_t retry_after = retry_after_of(m);
    struct ssi_error e;
    char reason[64];

    if (m->status == 503 && try_another_server(a, retry_after))
        return;

    ssi_slice_show(m->reason, reason, sizeof reason);
    ssi_error_set(&e, why, "REGISTER for %s: %d %s", a->aor, m->status, reason);
    e.status = m->status;
    ssi_addr_text(&a->flow->peer, e.peer);
    bool forbidden = m->status == 403 && (a->auth.has[0] || a->auth.has[1]);
    if (why == SECSIP_E_UA_AUTH_FAILED || why == SECSIP_E_UA_AUTH_REQUIRED || forbidden)
        ssi_error_check(&e, "credentials", SSI_LIT("credentials that the registrar accepts"),
                        ssi_slice_str(a->auth_user));
    if (a->removing)
        end_removal(a, m->status, &e);
    else if (may_get_better(m->status) || why == SECSIP_E_NOMEM)
        fail_for_now(a, &e, retry_after);
    else
        fail_for_good(a, &e);
}

/* 423: ask for what the registrar wants at least (RFC 3261 10.2.8), once. */
static bool raise_expires(secsip_account *a, const struct ssi_sip_msg *m)
{
    struct ssi_slice value;
    uint64_t minimum;

    if (!ssi_sip_msg_value(m, SSI_HDR_MIN_EXPIRES, &value) ||
        !ssi_slice_to_u64(value, 86400, &minimum) || minimum <= a->expires_s)
        return false;
    a->expires_s = (uint32_t)minimum;
    return true;
}

static void on_response(struct ssi_txn *t, struct ssi_sip_msg *m, void *arg)
{
    secsip_account *a = arg;
    secsip_result r = SECSIP_E_UA_REJECTED;

    if (m->status < 200 || t != a->txn)
        return;
    a->txn = NULL;
    if (m->status < 300) {
        take_success(a, m);
        return;
    }
    if (m->status == 401 || m->status == 407) {
        r = ssi_auth_take(&a->auth, a, m);
        /* A nonce from an earlier round may have gone stale without the registrar saying so. */
        if (r == SECSIP_E_UA_AUTH_FAILED && a->challenged == 0)
            r = 0;
        a->challenged++;
        if (r >= 0 && a->challenged <= 3) {
            send_register(a);
            return;
        }
        if (r >= 0)
            r = SECSIP_E_UA_AUTH_FAILED;
    } else if (m->status == 423 && raise_expires(a, m)) {
        send_register(a);
        return;
    } else if (m->status == 439 && offers_outbound(a)) {
        /* RFC 5626 4.2.1: the first hop cannot do it; registered all the same, in the plain way. */
        a->no_outbound = true;
        send_register(a);
        return;
    }
    take_refusal(a, m, r);
}

static void on_failed(struct ssi_txn *t, secsip_result why, void *arg)
{
    secsip_account *a = arg;
    struct ssi_error e;

    if (t != a->txn)
        return;
    a->txn = NULL;
    ssi_error_set(&e, why, "REGISTER for %s", a->aor);
    if (a->flow)
        ssi_addr_text(&a->flow->peer, e.peer);
    if (a->removing) {
        end_removal(a, 0, &e);
        return;
    }
    /* A connection over which nothing comes back is not used again (RFC 5626 4.4), nor a peer that ICMP says is not there. */
    if ((why != SECSIP_E_UA_TRANSACTION_TIMEOUT && why != SECSIP_E_NET_CONNECT) || !a->flow)
        fail_for_now(a, &e, 0);
    else if (!try_another_server(a, 0))
        ssi_flow_close(a->flow, &e);
}

static void on_gone(struct ssi_txn *t, void *arg)
{
    secsip_account *a = arg;

    if (a->txn == t)
        a->txn = NULL;
    ssi_account_unref(a);
}

void ssi_account_flow_suspect(struct ssi_ua *ua, struct ssi_flow *f, const struct ssi_error *why)
{
    SSI_LIST_EACH(n, &ua->accounts)
    {
        secsip_account *a = SSI_CONTAINER(n, struct secsip_account, node);
        if (a->flow != f || !a->wanted || a->txn)
            continue;
        ssi_account_release_flow(a);
        fail_for_now(a, why, 0);
    }
}

/* ---- What the application asks for */
secsip_result ssi_account_register(secsip_account *a)
{
    if (!a->ua || a->ua->shutting_down || a->removing)
        return SECSIP_E_STATE;
    if (a->wanted)
        return SECSIP_E_STATE;
    a->wanted = true;
    a->n_failures = 0;
    a->was_up = false;
    a->no_outbound = false;
    a->state = SECSIP_REGISTRATION_TRYING;
    ssi_auth_free(&a->auth);
    ask(a);
    return 0;
}

secsip_result ssi_account_unregister(secsip_account *a)
{
    if (!a->ua || !a->wanted || a->removing)
        return SECSIP_E_STATE;
    bool was_registered = a->state == SECSIP_REGISTRATION_REGISTERED;

    a->wanted = false;
    a->removing = true;
    ssi_timer_cancel(&a->ua->timers, &a->timer);
    if (a->txn)
        ssi_txn_drop(a->txn);
    a->txn = NULL;
    /* Only a binding that may exist is removed; a connection is not made again for it. */
    if (a->flow && a->flow->state == SSI_FLOW_OPEN && (was_registered || a->cseq > 0))
        ask(a);
    else
        end_removal(a, 0, NULL);
    return 0;
}
