/* A call whose connection is lost goes on: media do not use the connection, and what a transport error ends is transactions, not
 * dialogs (RFC 3261 17.1.4). The way is opened again, and an OPTIONS inside the dialog asks whether the other side is still
 * there; it also shows a proxy where we are now (moved.h). Layer: ua. */
#include "ua/call.h"

#include "sip/build.h"

enum {
    FIRST_AGAIN_MS = 500,
    MOST_AGAIN_MS = 30000,
    GIVE_UP_MS = 180000,
};

static void send_probe(secsip_call *c);

static void on_probe_response(struct ssi_txn *t, struct ssi_sip_msg *m, void *arg)
{
    secsip_call *c = arg;

    if (m->status < 200 || t != c->probe)
        return;
    c->probe = NULL;
    if (ssi_call_take_challenge(c, m))
        send_probe(c);
    else if (m->status == 481 || m->status == 408) /* RFC 3261 12.2.1.2 */
        ssi_call_step(c, SSI_CALL_GONE, m, NULL);
}

static void on_probe_failed(struct ssi_txn *t, secsip_result why, void *arg)
{
    secsip_call *c = arg;

    if (t != c->probe)
        return;
    c->probe = NULL;
    /* When the connection has failed again, it is opened again. */
    if (why == SECSIP_E_UA_TRANSACTION_TIMEOUT)
        ssi_call_step(c, SSI_CALL_GONE, NULL, NULL);
}

static void on_probe_gone(struct ssi_txn *t, void *arg)
{
    secsip_call *c = arg;

    if (t == c->probe)
        c->probe = NULL;
    ssi_call_unref(c);
}

static const struct ssi_txn_client_ops probe_ops = {
    .on_response = on_probe_response, .on_failed = on_probe_failed, .on_gone = on_probe_gone};

static void send_probe(secsip_call *c)
{
    char branch[SSI_BRANCH_TEXT];
    struct ssi_dialog_request req;
    struct ssi_buf contact, b;
    struct ssi_txn *t = NULL;

    if (c->probe || ssi_call_start_request(c, &c->dialog, SSI_SIP_OPTIONS, ++c->dialog.local_cseq,
                                           &contact, branch, &req) < 0)
        return;
    ssi_buf_init_secret(&b, c->ua->config.limits.message_bytes);
    ssi_dialog_put_request(&c->dialog, &b, &req);
    ssi_auth_put(&c->auth, &b, c->account, SSI_SIP_OPTIONS, ssi_dialog_request_uri(&c->dialog),
                 ssi_slice_of(NULL, 0));
    if (ssi_sip_put_end(&b, NULL, NULL, 0) >= 0 &&
        ssi_txn_client_new(&c->ua->txn, &c->flow->txn, SSI_SIP_OPTIONS, true, ssi_slice_str(branch),
                           &b, &probe_ops, c, &t) >= 0) {
        ssi_call_ref(c);
        c->probe = t;
    }
    ssi_buf_free(&b);
    ssi_buf_free(&contact);
}

void ssi_call_reconnect(secsip_call *c)
{
    struct ssi_flow *dead = c->flow;
    struct ssi_flow *f = NULL;
    secsip_result r = ssi_flow_again(dead, &f);

    if (r < 0) {
        ssi_error_set(&c->error, r, NULL);
        ssi_call_step(c, SSI_CALL_FLOW_LOST, NULL, NULL);
        return;
    }
    c->flow = f;
    ssi_flow_unref(dead);
    ssi_flow_watch(f, &c->watch);
}

static void on_again(void *arg)
{
    secsip_call *c = arg;

    ssi_call_ref(c);
    ssi_call_reconnect(c);
    ssi_call_unref(c);
}

void ssi_call_init_move(secsip_call *c)
{
    ssi_timer_init(&c->move_timer, on_again, c);
}

void ssi_call_end_move(secsip_call *c)
{
    struct ssi_txn *probe = c->probe;

    ssi_timer_cancel(&c->ua->timers, &c->move_timer);
    c->probe = NULL;
    if (probe)
        ssi_txn_drop(probe);
}

void ssi_call_move_lost(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    uint64_t now_us = c->ua->timers.now_us, wait_ms = 0;

    /* What the peer has opened is not for us to open again. */
    if (c->ua->shutting_down || c->flow->incoming || (c->lost_us && now_us >= c->lost_until_us)) {
        ssi_call_any_flow_lost(c, m, t);
        return;
    }
    if (!c->lost_us) {
        c->lost_us = now_us;
        c->lost_until_us = now_us + SSI_MS(GIVE_UP_MS);
        c->n_moves = 0;
        ssi_log_line(&c->ua->config.log, SSI_LOG_WARNING, "the call goes on without: %s",
                     c->error.text);
    }
    memset(&c->error, 0, sizeof c->error); /* it is not the end */
    if (c->n_moves > 0)
        wait_ms = (uint64_t)FIRST_AGAIN_MS << (c->n_moves < 8 ? c->n_moves - 1 : 7);
    c->n_moves++;
    ssi_timer_arm(&c->ua->timers, &c->move_timer,
                  SSI_MS(wait_ms < MOST_AGAIN_MS ? wait_ms : MOST_AGAIN_MS));
}

void ssi_call_move_open(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    (void)m;
    (void)t;
    c->lost_us = 0;
    c->n_asked = 0;
    send_probe(c);
    ssi_call_follow_address(c);
}

void ssi_call_move_gone(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    (void)t;
    ssi_error_set(&c->error, SECSIP_E_UA_FLOW_FAILED, "when it was there again, the peer %s",
                  m ? "knew the call no more" : "was silent");
    ssi_call_finish(c, m ? m->status : 0, "the connection was lost");
}
