/* The called side of a call, and the requests of the peer inside it (RFC 3261 13.3, 14.2, 15.1.2). Layer: ua. */
#include "ua/call.h"

#include <stdlib.h>

#include "sip/build.h"

/* ---- Responses */
/* Status line to Contact of a response that makes or keeps the dialog. */
static void start_response(secsip_call *c, struct ssi_txn *t, int status, struct ssi_buf *b)
{
    struct ssi_sip_msg *req = ssi_txn_request(t);
    const char *ip;
    uint16_t port;

    ssi_txn_source(t, &ip, &port);
    ssi_buf_init_secret(b, c->ua->config.limits.message_bytes + c->sdp.len);
    ssi_sip_put_response_start(b, req, status, NULL, c->dialog.local_tag, ip, port);
    ssi_sip_put_copies(b, req, SSI_HDR_RECORD_ROUTE); /* RFC 3261 12.1.1 */
    ssi_sip_put_name(b, "Contact");
    ssi_call_put_contact(c, b);
    ssi_sip_put_crlf(b);
    ssi_sip_put_header_str(b, "Server", c->ua->user_agent);
}

secsip_result ssi_call_respond(secsip_call *c, struct ssi_txn *t, int status,
                               const struct ssi_buf *sdp)
{
    struct ssi_slice body = sdp ? ssi_buf_slice(sdp) : ssi_slice_of(NULL, 0);
    struct ssi_buf b;

    start_response(c, t, status, &b);
    secsip_result r = ssi_sip_put_end(&b, sdp ? "application/sdp" : NULL, body.p, body.len);
    if (r >= 0)
        r = ssi_txn_respond(t, status, &b);
    ssi_buf_free(&b);
    return r;
}

static void respond(secsip_call *c, struct ssi_txn *t, int status)
{
    if (ssi_call_respond(c, t, status, NULL) < 0 && status >= 200)
        ssi_ua_refuse(c->ua, t, status);
}

static uint32_t or_default(uint32_t value, uint32_t dflt)
{
    return value ? value : dflt;
}

/* RFC 3261 13.3.1.4: the 2xx goes out again after T1, doubling to T2, until the ACK; for 64 * T1, over TLS too. */
static void on_accept_timer(void *arg)
{
    secsip_call *c = arg;
    uint64_t t2_us = SSI_MS(or_default(c->ua->config.txn.t2_ms, 4000));

    if (c->phase == SSI_CALL_LEAVING) {
        ssi_call_leave_timer(c);
        return;
    }
    if (c->ua->timers.now_us >= c->accept_until_us) {
        ssi_call_step(c, SSI_CALL_NO_ACK, NULL, NULL);
        return;
    }
    ssi_flow_send(c->flow, ssi_buf_slice(&c->accept));
    if (c->phase == SSI_CALL_OVER)
        return; /* the flow died of it */
    c->accept_interval_us = c->accept_interval_us * 2 < t2_us ? c->accept_interval_us * 2 : t2_us;
    uint64_t left_us = c->accept_until_us - c->ua->timers.now_us;
    ssi_timer_arm(&c->ua->timers, &c->accept_timer,
                  c->accept_interval_us < left_us ? c->accept_interval_us : left_us);
}

void ssi_call_init_accept(secsip_call *c)
{
    ssi_timer_init(&c->accept_timer, on_accept_timer, c);
}

secsip_result ssi_call_send_accept(secsip_call *c, struct ssi_txn *t, const struct ssi_buf *sdp)
{
    struct ssi_slice body = ssi_buf_slice(sdp);
    uint64_t t1_us = SSI_MS(or_default(c->ua->config.txn.t1_ms, 500));
    struct ssi_buf b;

    start_response(c, t, 200, &b);
    ssi_ua_put_allow(&b, &ssi_ua_endpoint);
    secsip_result r = ssi_sip_put_end(&b, "application/sdp", body.p, body.len);
    if (r >= 0) {
        ssi_buf_reset(&c->accept);
        ssi_buf_put_slice(&c->accept, ssi_buf_slice(&b));
        r = c->accept.failed;
    }
    if (r >= 0) {
        c->accept_cseq = ssi_txn_request(t)->cseq;
        r = ssi_txn_respond(t, 200, &b);
    }
    if (r >= 0 && c->phase != SSI_CALL_OVER) {
        c->accept_interval_us = t1_us;
        c->accept_until_us = c->ua->timers.now_us + 64 * t1_us;
        ssi_timer_arm(&c->ua->timers, &c->accept_timer, t1_us);
    }
    ssi_buf_free(&b);
    return r;
}

/* ---- The INVITE's transaction */
static void on_cancel(struct ssi_txn *t, struct ssi_sip_msg *m, void *arg)
{
    ssi_call_step(arg, SSI_CALL_CANCEL, m, t);
}

static void on_failed(struct ssi_txn *t, secsip_result why, void *arg)
{
    secsip_call *c = arg;

    (void)why;
    /* A lost flow is told by the flow, a missing ACK of a 2xx by the call's own timer. But over UDP ICMP ends the transaction
     * alone (RFC 3261 17.2.4), and who cannot be answered is no caller any more. */
    if (t == c->server && c->phase == SSI_CALL_OFFERED)
        ssi_call_step(c, SSI_CALL_FLOW_LOST, NULL, NULL);
}

static void on_gone(struct ssi_txn *t, void *arg)
{
    secsip_call *c = arg;

    if (c->server == t)
        c->server = NULL;
    ssi_call_unref(c);
}

static const struct ssi_txn_server_ops server_ops = {on_cancel, NULL, on_failed, on_gone};

static void take_server(secsip_call *c, struct ssi_txn *t)
{
    ssi_txn_server_set(t, &server_ops, c);
    c->server = t;
    ssi_call_ref(c);
}

/* Refuses before the application has heard of the call; the log says why. */
static void refuse_early(secsip_call *c, struct ssi_txn *t, int status, const struct ssi_error *why)
{
    ssi_log_line(&c->ua->config.log, SSI_LOG_WARNING,
                 "call from %s refused with %d: %s (expected %s, found %s)",
                 c->remote_uri ? c->remote_uri : "?", status, why->text, why->expected, why->found);
    ssi_ua_refuse(c->ua, t, status);
    ssi_call_abandon(c);
}

int ssi_call_refusal_of(secsip_result r)
{
    if (r >= 0)
        return 0;
    return r == SECSIP_E_NOMEM || r == SECSIP_E_RANDOM ? 500 : 488;
}

/* Reads the offer and makes our answer; the ports are open and the keys made when the phone rings. */
static int prepare_media(secsip_call *c, const struct ssi_sip_msg *m)
{
    struct ssi_slice sdp;

    secsip_result r = ssi_call_check_flow(c, &c->error);
    if (r < 0)
        return 488;
    r = ssi_call_make_media(c);
    if (r < 0) {
        ssi_error_set(&c->error, r, "media ports");
        return 500;
    }
    r = ssi_sip_msg_body(m, "application/sdp", &sdp);
    if (r < 0)
        return ssi_call_refusal_of(r);
    if (r == 0) { /* no body, or one that may be passed over */
        c->offer_ours = true;
        return 0;
    }
    return ssi_call_refusal_of(ssi_media_answer(c->media, sdp, &c->sdp, &c->error));
}

void ssi_call_incoming(secsip_account *a, struct ssi_txn *t, struct ssi_sip_msg *m,
                       struct ssi_flow *flow)
{
    secsip_call *c = a->ua->shutting_down ? NULL : ssi_call_alloc(a);
    char tag[SSI_TXN_TAG_TEXT];

    if (!c) {
        ssi_ua_refuse(a->ua, t, a->ua->shutting_down ? 503 : 500);
        return;
    }
    c->phase = SSI_CALL_OFFERED;
    c->state = SECSIP_CALL_INCOMING;
    ssi_txn_tag(
        t,
        tag); /* RFC 3261 9.2: the 200 of a CANCEL has the tag of what the INVITE is answered with */
    secsip_result r = ssi_dialog_init_uas(&c->dialog, a->ua, m, tag);
    if (r < 0) {
        ssi_error_set(&c->error, r, "INVITE");
        refuse_early(c, t, r == SECSIP_E_NOMEM || r == SECSIP_E_RANDOM ? 500 : 400, &c->error);
        return;
    }
    c->has_dialog = true;
    c->remote_uri = ssi_slice_dup(ssi_slice_str(c->dialog.remote_uri));
    c->id = ssi_slice_dup(ssi_slice_str(c->dialog.call_id));
    c->incoming_news = ssi_call_news_new();
    ssi_call_use_flow(c, flow);
    int status = c->remote_uri && c->id && c->incoming_news ? prepare_media(c, m) : 500;
    if (status) {
        refuse_early(c, t, status, &c->error);
        return;
    }
    take_server(c, t);
    ssi_call_tell_incoming(c);
}

void ssi_call_request(secsip_call *c, struct ssi_txn *t, struct ssi_sip_msg *m)
{
    if (m->method == SSI_SIP_ACK) {
        ssi_call_step(c, SSI_CALL_ACK, m, NULL);
        return;
    }
    if (!t)
        return;
    /* Judged first: what is refused leaves the dialog as it was (RFC 3261 8.2, 12.2.2). */
    int status = ssi_sip_msg_verdict(m, &ssi_ua_endpoint);
    if (status == 0)
        status = ssi_dialog_take_request(&c->dialog, m);
    if (status) {
        ssi_ua_refuse(c->ua, t, status);
        return;
    }
    switch (m->method) {
    case SSI_SIP_BYE:
        ssi_call_step(c, SSI_CALL_BYE, m, t);
        break;
    case SSI_SIP_INVITE:
        ssi_call_step(c, SSI_CALL_REINVITE, m, t);
        break;
    case SSI_SIP_UPDATE:
        ssi_call_step(c, SSI_CALL_UPDATE, m, t);
        break;
    default: /* OPTIONS: the verdict lets no other method through */
        ssi_ua_refuse(c->ua, t, 200);
    }
}

/* RFC 3261 18.1.2, for a response whose transaction, and perhaps connection, is gone. */
static bool has_our_sent_by(const secsip_call *c, const struct ssi_sip_msg *m)
{
    const struct ssi_call_sent *sent = m->cseq == c->first.cseq ? &c->first : &c->again;
    struct ssi_addr a;

    return ssi_addr_parse_ip(m->via.host, m->via.port, &a) && ssi_addr_eq(&a, &sent->sent_by);
}

void ssi_call_late_response(secsip_call *c, struct ssi_sip_msg *m)
{
    bool early = c->phase == SSI_CALL_INVITING || c->phase == SSI_CALL_CANCELLED;

    /* A 2xx to an INVITE that had been refused before would answer an offer that is no more. */
    if (early && m->cseq != c->first.cseq)
        return;
    if (m->n_vias > 1) /* RFC 3261 8.1.3.3 */
        return;
    if (m->status >= 200 && m->status < 300 && has_our_sent_by(c, m))
        ssi_call_step(c, SSI_CALL_SUCCESS, m, NULL);
}

/* ---- The table's handlers */
void ssi_call_in_ring(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    (void)m;
    (void)t;
    respond(c, c->server, 180);
    c->state = SECSIP_CALL_RINGING;
}

void ssi_call_in_answer(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    (void)m;
    (void)t;
    secsip_result r = c->offer_ours ? ssi_media_put_offer(c->media, &c->sdp) : 0;

    c->phase = SSI_CALL_ACCEPTED;
    if (r >= 0)
        r = ssi_call_send_accept(c, c->server, &c->sdp);
    if (r < 0) {
        ssi_error_set(&c->error, r, "answering %s", c->remote_uri);
        if (c->server)
            ssi_ua_refuse(c->ua, c->server, 500);
        ssi_call_finish(c, 500, secsip_result_text(r));
        return;
    }
    if (!c->offer_ours)
        ssi_call_start_media(c);
}

secsip_result ssi_call_reject(secsip_call *c, int32_t status)
{
    if (status < 300 || status > 699)
        return SECSIP_E_INVALID;
    if (!c->ua || c->phase != SSI_CALL_OFFERED)
        return SECSIP_E_STATE;
    respond(c, c->server, status);
    ssi_call_finish(c, status, ssi_sip_reason_phrase(status));
    return 0;
}

void ssi_call_in_hangup(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    (void)m;
    (void)t;
    ssi_call_reject(c, 603);
}

/* RFC 3261 15: no BYE before the ACK of our 200 came (or never will). */
void ssi_call_in_hangup_early(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    (void)m;
    (void)t;
    c->leave_on_ack = true;
    ssi_call_end_media(c);
}

void ssi_call_in_cancel(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    (void)m;
    respond(c, t, 487); /* RFC 3261 9.2 */
    ssi_call_finish(c, 487, "cancelled by the caller");
}

void ssi_call_in_ack(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    struct ssi_slice sdp;

    (void)t;
    if (!c->accept_timer.armed || m->cseq != c->accept_cseq)
        return; /* again, or of another INVITE */
    ssi_timer_cancel(&c->ua->timers, &c->accept_timer);
    ssi_buf_reset(&c->accept);
    bool first = c->phase == SSI_CALL_ACCEPTED;
    c->phase = SSI_CALL_TALKING;
    if (c->leave_on_ack) {
        ssi_call_leave(c);
        return;
    }
    if (c->offer_ours) {
        c->offer_ours = false;
        secsip_result r = ssi_sip_msg_body(m, "application/sdp", &sdp);
        if (r > 0)
            r = ssi_media_take_answer(c->media, sdp, &c->error);
        else if (r == 0)
            r = SECSIP_E_SDP_MISSING;
        if (r < 0) {
            if (c->error.result == 0)
                ssi_error_set(&c->error, r, "the ACK holds no answer (RFC 3261 13.2.1)");
            ssi_call_leave(c);
            return;
        }
        ssi_call_start_media(c);
    }
    if (first && c->phase == SSI_CALL_TALKING)
        ssi_call_tell_state(c, SECSIP_CALL_ESTABLISHED, 200, "OK");
}

void ssi_call_in_no_ack(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    (void)m;
    (void)t;
    ssi_error_set(&c->error, SECSIP_E_UA_TRANSACTION_TIMEOUT,
                  "no ACK for our 200 (RFC 3261 13.3.1.4)");
    ssi_call_leave(c);
}

void ssi_call_in_bye(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    (void)m;
    ssi_txn_respond_status(t, 200, c->dialog.local_tag);
    if (c->phase == SSI_CALL_OFFERED && c->server)
        respond(c, c->server, 487); /* RFC 3261 15.1.2 */
    ssi_call_finish(c, c->error.status,
                    c->error.result < 0 ? secsip_result_text(c->error.result)
                                        : "the other side hung up");
}

void ssi_call_in_busy(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    (void)m;
    ssi_ua_refuse(c->ua, t, 491);
}

int ssi_call_check_offer_flow(secsip_call *c, struct ssi_txn *t)
{
    if (c->media->sdes.config.policy == SSI_SDES_OFF ||
        ssi_flow_may_carry_keys(ssi_flow_of(ssi_txn_flow_of(t))))
        return 0;
    ssi_log_line(&c->ua->config.log, SSI_LOG_WARNING,
                 "offer of %s refused: it came over a connection that is not verified TLS",
                 c->remote_uri);
    return 488;
}

void ssi_call_in_reinvite(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    struct ssi_error e = {0};
    struct ssi_slice sdp;
    secsip_result r;

    if (c->accept_timer.armed) {
        ssi_ua_refuse(c->ua, t, 500); /* RFC 3261 14.2: the last one is not acknowledged yet */
        return;
    }
    if (c->awaits_answer) {
        ssi_ua_refuse(c->ua, t, 491); /* RFC 3261 14.2: ours is under way */
        return;
    }
    if (ssi_call_check_offer_flow(c, t)) {
        ssi_ua_refuse(c->ua, t, 488);
        return;
    }
    ssi_buf_reset(&c->sdp);
    r = ssi_sip_msg_body(m, "application/sdp", &sdp);
    c->offer_ours = r == 0;
    if (r == 0)
        r = ssi_media_put_offer(c->media, &c->sdp);
    else if (r > 0)
        r = ssi_media_answer(c->media, sdp, &c->sdp, &e);
    if (r < 0) {
        c->offer_ours = false;
        ssi_log_line(&c->ua->config.log, SSI_LOG_WARNING,
                     "re-INVITE of %s refused: %s (expected %s, found %s)", c->remote_uri, e.text,
                     e.expected, e.found);
        ssi_ua_refuse(c->ua, t, ssi_call_refusal_of(r));
        return;
    }
    take_server(c, t);
    r = ssi_call_send_accept(c, t, &c->sdp);
    if (r < 0) {
        c->offer_ours = false;
        ssi_media_rollback(c->media);
        ssi_ua_refuse(c->ua, t, 500);
        return;
    }
    if (!c->offer_ours && c->phase == SSI_CALL_TALKING)
        ssi_call_tell_media(c);
}
