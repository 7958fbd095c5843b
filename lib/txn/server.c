/* Server transactions: beginning, responses, and the 100 that is sent when the user keeps still. Layer: txn. */
#include "txn/priv.h"

#include <stdlib.h>

#include "sip/build.h"

struct ssi_txn *ssi_txn_server_new(struct ssi_txn_layer *l, struct ssi_sip_msg *m, uint64_t hash,
                                   struct ssi_txn_flow *flow, const char *source_ip,
                                   uint16_t source_port)
{
    struct ssi_txn *t =
        ssi_txn_alloc(l, flow, m->method == SSI_SIP_INVITE ? SSI_TXN_IST : SSI_TXN_NIST, 0);

    if (!t)
        return NULL;
    t->u.server.request = ssi_sip_msg_ref(m);
    t->u.server.is_2543 = !ssi_txn_has_cookie(m->via.branch);
    t->u.server.source_port = source_port;
    ssi_slice_show(ssi_slice_str(source_ip), t->u.server.source_ip, sizeof t->u.server.source_ip);
    ssi_hash_add(&l->servers, &t->node, hash);
    if (!m->to.tag.p)
        ssi_hash_add(&l->merged, &t->u.server.merged, ssi_txn_merged_hash(l, m));
    ssi_txn_start(t);
    return t;
}

void ssi_txn_server_set(struct ssi_txn *t, const struct ssi_txn_server_ops *ops, void *arg)
{
    t->u.server.ops = ops;
    t->arg = arg;
}

struct ssi_sip_msg *ssi_txn_request(const struct ssi_txn *t)
{
    return t->u.server.request;
}

void ssi_txn_source(const struct ssi_txn *t, const char **ret_ip, uint16_t *ret_port)
{
    *ret_ip = t->u.server.source_ip;
    *ret_port = t->u.server.source_port;
}

void ssi_txn_tag(const struct ssi_txn *t, char out[SSI_TXN_TAG_TEXT])
{
    ssi_txn_make_tag(t->layer, t->u.server.request, out);
}

/* What may not be said to a request other than INVITE. */
static secsip_result check_rfc4320(const struct ssi_txn *t, int status)
{
    /* 4.1: no provisional response but 100; 4.2: no 408, which would always come too late. */
    if ((status > 100 && status < 200) || status == 408)
        return SECSIP_E_INVALID;
    /* 4.1: over unreliable transports no 100 before the peer's timer E has reached T2. */
    if (status == 100 && !t->flow->reliable && t->state == SSI_TXN_TRYING)
        return SECSIP_E_STATE;
    return 0;
}

secsip_result ssi_txn_respond(struct ssi_txn *t, int status, struct ssi_buf *response)
{
    if (response->failed < 0)
        return response->failed;
    if (status < 100 || status > 699 || response->len == 0 || ssi_txn_is_client(t))
        return SECSIP_E_INVALID;
    secsip_result r = t->kind == SSI_TXN_NIST ? check_rfc4320(t, status) : 0;
    if (r < 0)
        return r;
    enum ssi_txn_event event = status < 200   ? SSI_TXN_TU_1XX
                               : status < 300 ? SSI_TXN_TU_2XX
                                              : SSI_TXN_TU_REFUSAL;
    return ssi_txn_step(t, event, &(struct ssi_txn_in){.response = response});
}

static void put_start(struct ssi_buf *b, const struct ssi_txn *t, int status, const char *to_tag)
{
    ssi_sip_put_response_start(b, t->u.server.request, status, NULL, to_tag, t->u.server.source_ip,
                               t->u.server.source_port);
}

secsip_result ssi_txn_respond_status(struct ssi_txn *t, int status, const char *to_tag)
{
    char tag[SSI_TXN_TAG + 1];
    struct ssi_buf b;

    ssi_buf_init_secret(&b, SSI_TXN_BYTES);
    ssi_txn_tag(t, tag);
    if (!to_tag)
        to_tag = tag;
    put_start(&b, t, status, status == 100 ? NULL : to_tag);
    secsip_result r = ssi_sip_put_end(&b, NULL, NULL, 0);
    if (r >= 0)
        r = ssi_txn_respond(t, status, &b);
    ssi_buf_free(&b);
    return r;
}

/* Without memory nothing is sent: a 100 is a courtesy. */
static void send_100(struct ssi_txn *t)
{
    struct ssi_buf b;

    ssi_buf_init_secret(&b, SSI_TXN_BYTES);
    put_start(&b, t, 100, NULL);
    if (ssi_sip_put_end(&b, NULL, NULL, 0) < 0) {
        ssi_buf_free(&b);
        return;
    }
    ssi_txn_move(&t->out, &b);
    ssi_txn_send_out(t);
}

static void tell_failed(struct ssi_txn *t, secsip_result why)
{
    if (t->u.server.ops && t->u.server.ops->on_failed)
        t->u.server.ops->on_failed(t, why, t->arg);
}

secsip_result ssi_txn_server_act(struct ssi_txn *t, enum ssi_txn_action action,
                                 const struct ssi_txn_in *in)
{
    switch (action) {
    case SSI_TXN_DO_SEND:
        ssi_txn_move(&t->out, in->response);
        ssi_txn_send_out(t);
        return 0;
    case SSI_TXN_DO_SEND_100:
        send_100(t);
        return 0;
    case SSI_TXN_DO_STOP_100:
        t->repeat_timer =
            SSI_TXN_T_100_INVITE; /* perhaps not armed yet: it is not to be armed later */
        ssi_timer_cancel(t->layer->timers, &t->repeat);
        return 0;
    case SSI_TXN_DO_TELL_ACK:
        if (t->u.server.ops && t->u.server.ops->on_ack)
            t->u.server.ops->on_ack(t, in->m, t->arg);
        return 0;
    case SSI_TXN_DO_PASS_ACK:
        t->layer->ops->on_request(t->layer->arg, NULL, in->m, in->flow);
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
