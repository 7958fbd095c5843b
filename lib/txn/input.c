/* Where a message from a flow goes: to its transaction, to a new one, to the user, or to a stateless answer. Layer: txn.
 * Stateless answers keep no memory of the peer: faulty requests, merged requests, overload, and every CANCEL, whose 200
 * or 481 depends only on its INVITE. */
#include "txn/priv.h"

#include <stdlib.h>

#include "sip/build.h"

/* One message and where it came from. */
struct arrival {
    struct ssi_sip_msg *m;
    struct ssi_txn_flow *flow;
    const char *ip;
    uint16_t port;
    uint64_t hash; /* of a request */
};

static void answer(struct ssi_txn_layer *l, const struct arrival *a, int status, const char *to_tag)
{
    char tag[SSI_TXN_TAG + 1];
    struct ssi_buf b;

    ssi_txn_make_tag(l, a->m, tag);
    ssi_buf_init_secret(&b, SSI_TXN_BYTES);
    ssi_sip_put_response_start(&b, a->m, status, NULL, to_tag ? to_tag : tag, a->ip, a->port);
    if (status == 503)
        ssi_sip_put_header_u64(&b, "Retry-After", SSI_TXN_RETRY_AFTER_S);
    /* Without memory there is no answer; the peer has its timers. */
    if (ssi_sip_put_end(&b, NULL, NULL, 0) >= 0)
        a->flow->send(a->flow, ssi_buf_slice(&b));
    ssi_buf_free(&b);
}

static void input_response(struct ssi_txn_layer *l, const struct arrival *a)
{
    /* RFC 3261 16.3, 18.1.2: a response that is wrong is dropped. */
    if (a->m->fault.result < 0)
        return;
    struct ssi_txn *t = ssi_txn_find_client(l, a->m, a->flow);
    if (!t) {
        if (l->ops->on_stray_response)
            l->ops->on_stray_response(l->arg, a->m, a->flow);
        return;
    }
    bool forwards = t->u.client.ops && t->u.client.ops->forwards;
    if (a->m->n_vias > 1 && !forwards)
        return; /* RFC 3261 8.1.3.3: misrouted, or damaged */
    enum ssi_txn_event event = a->m->status < 200   ? SSI_TXN_RX_1XX
                               : a->m->status < 300 ? SSI_TXN_RX_2XX
                                                    : SSI_TXN_RX_REFUSAL;
    ssi_txn_step(t, event, &(struct ssi_txn_in){.m = a->m, .flow = a->flow});
}

static void input_ack(struct ssi_txn_layer *l, const struct arrival *a)
{
    char tag[SSI_TXN_TAG + 1];
    struct ssi_txn *t = ssi_txn_find_server(l, a->m, a->hash);

    if (t) {
        ssi_txn_step(t, SSI_TXN_RX_ACK, &(struct ssi_txn_in){.m = a->m, .flow = a->flow});
        return;
    }
    /* The ACK of a stateless answer has its tag; it says nothing to anybody. */
    ssi_txn_make_tag(l, a->m, tag);
    if (!ssi_slice_eq(a->m->to.tag, ssi_slice_str(tag)))
        l->ops->on_request(l->arg, NULL, a->m, a->flow);
}

/* RFC 3261 9.2 */
static void input_cancel(struct ssi_txn_layer *l, const struct arrival *a)
{
    struct ssi_txn *t = ssi_txn_find_server(l, a->m, a->hash);

    /* RFC 3261 22.1: a CANCEL cannot be challenged, so it must come from the hop that sent the request. */
    if (!t || (t->flow != a->flow && strcmp(t->u.server.source_ip, a->ip) != 0)) {
        answer(l, a, 481, NULL);
        return;
    }
    /* The To tag is the one that the INVITE was answered with, or will be if the answer is made here. */
    struct ssi_sip_msg *said = t->out.len > 0 ? ssi_txn_parse_own(&t->out) : NULL;
    char *to_tag = said && said->to.tag.p ? ssi_slice_dup(said->to.tag) : NULL;
    answer(l, a, 200, to_tag);
    free(to_tag);
    ssi_sip_msg_unref(said);
    if (t->kind != SSI_TXN_IST || t->state != SSI_TXN_PROCEEDING || t->u.server.was_cancelled)
        return; /* RFC 3261 9.2: no effect after a final response, nor on other methods */
    t->u.server.was_cancelled = true;
    t->pins++;
    if (t->u.server.ops && t->u.server.ops->on_cancel)
        t->u.server.ops->on_cancel(t, a->m, t->arg);
    ssi_txn_unpin(t);
}

static bool may_begin(const struct ssi_txn_layer *l, const struct arrival *a)
{
    if (ssi_txn_is_crowded(l, a->hash))
        return false;
    return ssi_txn_has_room(l, false) ||
           (a->m->to.tag.p && ssi_txn_has_room(l, true) && l->ops->is_in_dialog &&
            l->ops->is_in_dialog(l->arg, a->m, a->flow));
}

static void input_new(struct ssi_txn_layer *l, const struct arrival *a)
{
    if (!l->config.allow_merged && ssi_txn_is_merged(l, NULL, a->m)) {
        answer(l, a, 482, NULL);
        return;
    }
    struct ssi_txn *t = NULL;
    if (may_begin(l, a))
        t = ssi_txn_server_new(l, a->m, a->hash, a->flow, a->ip, a->port);
    if (!t) {
        answer(l, a, 503, NULL);
        return;
    }
    t->pins++;
    l->ops->on_request(l->arg, t, a->m, a->flow);
    ssi_txn_settle(t);
    ssi_txn_unpin(t);
}

void ssi_txn_input(struct ssi_txn_layer *l, struct ssi_sip_msg *m, struct ssi_txn_flow *flow,
                   const char *source_ip, uint16_t source_port)
{
    bool matches = m->is_request && m->fault.result >= 0;
    const struct arrival a = {m, flow, source_ip, source_port,
                              matches ? ssi_txn_server_hash(l, m) : 0};

    if (!m->is_request) {
        input_response(l, &a);
    } else if (m->fault.result < 0) {
        /* RFC 3261 17.1.1.3: an ACK is never answered. */
        if (m->method != SSI_SIP_ACK && m->fault.status != 0)
            answer(l, &a, m->fault.status, NULL);
    } else if (m->method == SSI_SIP_ACK) {
        input_ack(l, &a);
    } else if (m->method == SSI_SIP_CANCEL) {
        input_cancel(l, &a);
    } else {
        struct ssi_txn *t = ssi_txn_find_server(l, m, a.hash);
        if (t)
            ssi_txn_step(t, SSI_TXN_RX_REQUEST, &(struct ssi_txn_in){.m = m, .flow = flow});
        else
            input_new(l, &a);
    }
}
