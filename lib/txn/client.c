/* Client transactions: beginning, CANCEL (RFC 3261 9.1) and the ACK of a refusal (17.1.1.3), both derived from the bytes
 * of the INVITE. Layer: txn. A CANCEL is made when it is asked for, so that want of memory is told then, and waits in its
 * INVITE transaction until it may go. */
#include "txn/priv.h"

#include <stdlib.h>

#include "sip/build.h"

enum {
    MAX_FORWARDS = 70
};

/* Request-URI, topmost Via, Route, From, Call-ID: the same in ACK and CANCEL. */
static void put_derived(struct ssi_buf *b, struct ssi_slice method,
                        const struct ssi_sip_msg *invite, const struct ssi_sip_msg *to)
{
    ssi_sip_put_request_line(b, method, invite->uri.whole);
    ssi_sip_put_header(b, "Via", invite->via.whole);
    ssi_sip_put_copies(b, invite, SSI_HDR_ROUTE);
    ssi_sip_put_header_u64(b, "Max-Forwards", MAX_FORWARDS);
    ssi_sip_put_copies(b, invite, SSI_HDR_FROM);
    ssi_sip_put_copies(b, to, SSI_HDR_TO);
    ssi_sip_put_header(b, "Call-ID", invite->call_id);
    ssi_sip_put_name(b, "CSeq");
    ssi_buf_put_u64(b, invite->cseq);
    ssi_buf_put_char(b, ' ');
    ssi_sip_put_piece(b, method);
    ssi_sip_put_crlf(b);
    ssi_sip_put_end(b, NULL, NULL, 0);
}

static struct ssi_txn *alloc_client(struct ssi_txn_layer *l, struct ssi_txn_flow *flow,
                                    enum ssi_sip_method method, struct ssi_slice branch,
                                    struct ssi_slice host, uint16_t port)
{
    struct ssi_txn *t = ssi_txn_alloc(
        l, flow, method == SSI_SIP_INVITE ? SSI_TXN_ICT : SSI_TXN_NICT, branch.len + host.len);

    if (!t)
        return NULL;
    char *text = (char *)(t + 1);
    memcpy(text, branch.p, branch.len);
    memcpy(text + branch.len, host.p, host.len);
    t->u.client.branch = ssi_slice_of(text, branch.len);
    t->u.client.host = ssi_slice_of(text + branch.len, host.len);
    t->u.client.port = port;
    t->u.client.method = method;
    return t;
}

static void start_client(struct ssi_txn *t)
{
    ssi_hash_add(&t->layer->clients, &t->node, ssi_txn_client_hash(t->layer, t->u.client.branch));
    ssi_txn_start(t);
    ssi_txn_send_out(t);
}

secsip_result ssi_txn_client_new(struct ssi_txn_layer *l, struct ssi_txn_flow *flow,
                                 enum ssi_sip_method method, bool in_dialog,
                                 struct ssi_slice branch, struct ssi_buf *request,
                                 const struct ssi_txn_client_ops *ops, void *arg,
                                 struct ssi_txn **ret)
{
    struct ssi_sip_via via;

    if (request->failed < 0)
        return request->failed;
    if (branch.len == 0 || request->len == 0 || method == SSI_SIP_ACK)
        return SECSIP_E_INVALID;
    if (!ssi_txn_has_room(l, in_dialog))
        return SECSIP_E_LIMIT;
    secsip_result r = ssi_sip_own_via(request, &via);
    if (r < 0)
        return r;
    struct ssi_txn_flow *other = flow->carrier ? flow->carrier(flow, request) : NULL;
    struct ssi_txn *t = alloc_client(l, other ? other : flow, method, branch, via.host, via.port);
    if (other)
        other->unref(other);
    if (!t)
        return SECSIP_E_NOMEM;
    t->u.client.ops = ops;
    t->arg = arg;
    ssi_txn_move(&t->out, request);
    start_client(t);
    *ret = t;
    return 0;
}

void ssi_txn_client_use_timer_c(struct ssi_txn *t)
{
    t->u.client.uses_c = true;
}

/* RFC 3261 9.1. */
static secsip_result make_cancel(struct ssi_txn *t)
{
    if (t->u.client.cancel || t->u.client.has_cancelled)
        return 0;
    struct ssi_sip_msg *invite = ssi_txn_parse_own(&t->out);
    if (!invite)
        return SECSIP_E_NOMEM;
    secsip_result r = SECSIP_E_NOMEM;
    struct ssi_txn *cancel = alloc_client(t->layer, t->flow, SSI_SIP_CANCEL, t->u.client.branch,
                                          t->u.client.host, t->u.client.port);
    if (!cancel)
        goto out_invite;
    put_derived(&cancel->out, SSI_LIT("CANCEL"), invite, invite);
    r = cancel->out.failed;
    if (r < 0) {
        ssi_txn_drop(cancel);
        goto out_invite;
    }
    t->u.client.cancel = cancel;
out_invite:
    ssi_sip_msg_unref(invite);
    return r;
}

static void send_cancel(struct ssi_txn *t)
{
    struct ssi_txn *cancel = t->u.client.cancel;

    if (!cancel)
        return;
    t->u.client.cancel = NULL;
    t->u.client.has_cancelled = true;
    ssi_txn_arm_expire(t, SSI_TXN_T_CANCEL);
    start_client(cancel);
}

secsip_result ssi_txn_client_cancel(struct ssi_txn *t)
{
    if (t->kind != SSI_TXN_ICT)
        return SECSIP_E_INVALID; /* RFC 3261 9.1: of no use for other methods */
    if (t->state != SSI_TXN_CALLING && t->state != SSI_TXN_PROCEEDING)
        return 0;
    secsip_result r = make_cancel(t);
    if (r < 0)
        return r;
    if (t->state == SSI_TXN_PROCEEDING)
        send_cancel(t);
    return 0;
}

/* RFC 3261 17.1.1.3. Without memory nothing is sent; the peer repeats its response and this is tried again. */
static void send_ack(struct ssi_txn *t, const struct ssi_sip_msg *response)
{
    if (!t->u.client.has_ack) {
        struct ssi_sip_msg *invite = ssi_txn_parse_own(&t->out);
        struct ssi_buf ack;
        if (!invite)
            return;
        ssi_buf_init_secret(&ack, SSI_TXN_BYTES);
        put_derived(&ack, SSI_LIT("ACK"), invite, response);
        ssi_sip_msg_unref(invite);
        if (ack.failed < 0) {
            ssi_buf_free(&ack);
            return;
        }
        ssi_txn_move(&t->out, &ack);
        t->u.client.has_ack = true;
    }
    ssi_txn_send_out(t);
}

static void tell_failed(struct ssi_txn *t, secsip_result why)
{
    if (t->u.client.ops && t->u.client.ops->on_failed)
        t->u.client.ops->on_failed(t, why, t->arg);
}

secsip_result ssi_txn_client_act(struct ssi_txn *t, enum ssi_txn_action action,
                                 const struct ssi_txn_in *in)
{
    const struct ssi_txn_client_ops *ops = t->u.client.ops;

    switch (action) {
    case SSI_TXN_DO_TELL:
        if (ops && ops->on_response)
            ops->on_response(t, in->m, t->arg);
        return 0;
    case SSI_TXN_DO_ACK:
        send_ack(t, in->m);
        return 0;
    case SSI_TXN_DO_CANCEL:
        send_cancel(t);
        return 0;
    case SSI_TXN_DO_GIVE_UP:
        /* Should memory be out, the limit still ends the transaction. */
        if (make_cancel(t) == 0)
            send_cancel(t);
        ssi_txn_arm_expire(t, SSI_TXN_T_CANCEL);
        return 0;
    case SSI_TXN_DO_RESTART_C:
        /* RFC 3261 16.7 step 2: not for 100. Once a CANCEL is out, its limit runs instead. */
        if (t->expire_timer == SSI_TXN_T_C && in->m->status > 100)
            ssi_txn_arm_expire(t, SSI_TXN_T_C);
        return 0;
    case SSI_TXN_DO_TIMED_OUT:
        tell_failed(t, SECSIP_E_UA_TRANSACTION_TIMEOUT);
        return 0;
    case SSI_TXN_DO_LOST:
        tell_failed(t, in->why);
        return 0;
    default:
        return SECSIP_E_STATE;
    }
}
