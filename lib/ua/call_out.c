/* The caller's side of a call (RFC 3261 13.2). Layer: ua. */
#include "ua/call.h"

#include <stdlib.h>

#include "sip/build.h"
#include "ua/register.h"

enum {
    CHALLENGES_MAX = 4
};

static void on_response(struct ssi_txn *t, struct ssi_sip_msg *m, void *arg)
{
    secsip_call *c = arg;

    if (t != c->invite)
        return;
    c->heard = true;
    if (m->status < 200) {
        ssi_call_step(c, SSI_CALL_PROVISIONAL, m, NULL);
    } else if (m->status < 300) {
        ssi_call_step(c, SSI_CALL_SUCCESS, m, NULL);
    } else {
        c->invite = NULL;
        ssi_call_step(c, SSI_CALL_REFUSAL, m, NULL);
    }
}

static void on_failed(struct ssi_txn *t, secsip_result why, void *arg)
{
    secsip_call *c = arg;

    if (t != c->invite)
        return;
    c->invite = NULL;
    if (c->error.result == 0)
        ssi_error_set(&c->error, why, "INVITE to %s", c->remote_uri);
    ssi_call_step(c, SSI_CALL_NO_ANSWER, NULL, NULL);
}

static void on_gone(struct ssi_txn *t, void *arg)
{
    secsip_call *c = arg;

    if (t == c->invite)
        c->invite = NULL;
    ssi_call_unref(c);
}

static const struct ssi_txn_client_ops invite_ops = {
    .on_response = on_response, .on_failed = on_failed, .on_gone = on_gone};

/* ---- Sending */
secsip_result ssi_call_send_invite(secsip_call *c, struct ssi_call_sent *sent,
                                   const struct ssi_txn_client_ops *ops, struct ssi_txn **ret)
{
    char branch[SSI_BRANCH_TEXT];
    struct ssi_dialog_request req;
    struct ssi_buf contact;
    struct ssi_buf b;

    secsip_result r = ssi_call_start_request(c, &c->dialog, SSI_SIP_INVITE, ++c->dialog.local_cseq,
                                             &contact, branch, &req);
    if (r < 0)
        return r;
    struct ssi_slice sdp = ssi_buf_slice(&c->sdp);
    sent->cseq = req.cseq;
    sent->sent_by = req.local;
    ssi_buf_init_secret(&b, c->ua->config.limits.message_bytes + c->sdp.len);
    ssi_dialog_put_request(&c->dialog, &b, &req);
    ssi_buf_reset(&sent->credentials);
    ssi_auth_put(&c->auth, &sent->credentials, c->account, SSI_SIP_INVITE,
                 ssi_dialog_request_uri(&c->dialog), sdp);
    ssi_buf_put_slice(&b, ssi_buf_slice(&sent->credentials));
    ssi_ua_put_allow(&b, &ssi_ua_endpoint);
    r = ssi_sip_put_end(&b, "application/sdp", sdp.p, sdp.len);
    if (r >= 0)
        r = sent->credentials.failed;
    if (r >= 0)
        r = ssi_txn_client_new(&c->ua->txn, &c->flow->txn, SSI_SIP_INVITE,
                               c->dialog.remote_tag != NULL, ssi_slice_str(branch), &b, ops, c,
                               ret);
    if (r >= 0) {
        ssi_call_ref(c); /* the transaction's, until on_gone */
        /* A 100 alone must not keep a call for ever: after timer C it is cancelled, and ends. */
        ssi_txn_client_use_timer_c(*ret);
    }
    ssi_buf_free(&b);
    ssi_buf_free(&contact);
    return r;
}

static secsip_result send_invite(secsip_call *c)
{
    c->heard = false;
    return ssi_call_send_invite(c, &c->first, &invite_ops, &c->invite);
}

/* The ACK of a 2xx is no part of the transaction: a request of its own with the CSeq number and the credentials of the INVITE
 * that is answered, which need not be the last one (RFC 3261 13.2.2.4). */
static secsip_result put_ack(secsip_call *c, const struct ssi_dialog *d,
                             const struct ssi_call_sent *sent, uint32_t cseq, struct ssi_buf *b)
{
    char branch[SSI_BRANCH_TEXT];
    struct ssi_dialog_request req;
    struct ssi_buf contact;

    secsip_result r = ssi_call_start_request(c, d, SSI_SIP_ACK, cseq, &contact, branch, &req);
    if (r < 0)
        return r;
    ssi_dialog_put_request(d, b, &req);
    ssi_buf_put_slice(b, ssi_buf_slice(&sent->credentials));
    r = ssi_sip_put_end(b, NULL, NULL, 0);
    ssi_buf_free(&contact);
    return r;
}

void ssi_call_send_ack(secsip_call *c, struct ssi_call_sent *sent, const struct ssi_sip_msg *m)
{
    sent->ack_cseq = m->cseq;
    ssi_buf_reset(&sent->ack);
    if (put_ack(c, &c->dialog, sent, m->cseq, &sent->ack) >= 0)
        ssi_flow_send(c->flow, ssi_buf_slice(&sent->ack));
    else
        ssi_buf_reset(&sent->ack);
}

void ssi_call_ack_again(secsip_call *c, const struct ssi_sip_msg *m)
{
    bool is_first = c->dialog.is_uac && m->cseq == c->first.cseq;
    struct ssi_call_sent *sent = is_first ? &c->first : &c->again;

    if (sent->ack.len > 0 && sent->ack_cseq == m->cseq)
        ssi_flow_send(c->flow, ssi_buf_slice(&sent->ack));
    else
        ssi_call_send_ack(c, sent, m);
}

/* Another branch of a fork answered, too: it is acknowledged and ended (RFC 3261 13.2.2.4). */
static void end_fork(secsip_call *c, struct ssi_sip_msg *m)
{
    struct ssi_dialog fork = c->dialog;
    struct ssi_buf ack;

    memset(&fork.node, 0, sizeof fork.node);
    fork.remote_tag = fork.remote_target = NULL;
    fork.n_routes = 0;
    if (ssi_dialog_take_response(&fork, m) < 0)
        return;
    ssi_buf_init_secret(&ack, c->ua->config.limits.message_bytes);
    if (put_ack(c, &fork, &c->first, m->cseq, &ack) >= 0)
        ssi_flow_send(c->flow, ssi_buf_slice(&ack));
    ssi_buf_free(&ack);
    fork.local_cseq = m->cseq; /* this dialog knows of no later request (RFC 3261 12.1.2) */
    ssi_call_send_bye(c, &fork, false);
    free(fork.remote_tag);
    free(fork.remote_target);
    for (uint32_t i = 0; i < fork.n_routes; i++)
        free(fork.routes[i]);
}

/* ---- The table's handlers */
void ssi_call_out_flow_open(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    (void)m;
    (void)t;
    memset(&c->error, 0, sizeof c->error); /* a server before this one may have said 503 */
    secsip_result r = ssi_call_check_flow(c, &c->error);

    if (r >= 0)
        r = ssi_call_make_media(c);
    if (r >= 0)
        r = ssi_media_put_offer(c->media, &c->sdp);
    if (r >= 0)
        r = send_invite(c);
    if (r >= 0) {
        c->phase = SSI_CALL_INVITING;
        return;
    }
    if (c->error.result == 0)
        ssi_error_set(&c->error, r, "call to %s", c->remote_uri);
    ssi_call_finish(c, 0, secsip_result_text(r));
}

void ssi_call_out_flow_lost(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    (void)m;
    (void)t;
    ssi_call_finish(c, c->error.status, "no connection");
}

/* After the INVITE has left (RFC 3261 8.1.3.1: like a 503). */
void ssi_call_out_flow_died(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    if (!ssi_call_lost_server(c))
        ssi_call_out_flow_lost(c, m, t);
}

void ssi_call_out_give_up(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    (void)m;
    (void)t;
    memset(&c->error, 0, sizeof c->error);
    ssi_call_finish(c, 0, "hung up");
}

static void cancel(secsip_call *c)
{
    c->phase = SSI_CALL_CANCELLED;
    ssi_call_end_media(c);
    if (!c->invite || ssi_txn_client_cancel(c->invite) < 0)
        ssi_call_step(c, SSI_CALL_NO_ANSWER, NULL, NULL);
}

void ssi_call_out_hangup(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    (void)m;
    (void)t;
    cancel(c);
}

void ssi_call_out_provisional(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    struct ssi_error e = {0};
    char reason[128];
    struct ssi_slice sdp;

    (void)t;
    if (m->status == 100)
        return;
    ssi_slice_show(m->reason, reason, sizeof reason);
    if (!m->to.tag.p || ssi_sip_msg_body(m, "application/sdp", &sdp) <= 0) {
        if (c->state == SECSIP_CALL_CALLING)
            ssi_call_tell_state(c, SECSIP_CALL_RINGING, m->status, reason);
        return;
    }
    if (!ssi_media_has_room(c->media, m->to.tag))
        return; /* one branch too many: it is heard once it answers for good */
    /* Early media are held to the same level as the answer (FIELD 17). Those that fail are not heard; the other branches ring on,
     * and a 2xx of this one is held to it again. */
    if (ssi_media_take_early_answer(c->media, m->to.tag, sdp, &e) < 0) {
        ssi_log_line(&c->ua->config.log, SSI_LOG_WARNING,
                     "early media of %s refused: %s (expected %s, found %s)", c->remote_uri, e.text,
                     e.expected, e.found);
        if (c->state == SECSIP_CALL_CALLING)
            ssi_call_tell_state(c, SECSIP_CALL_RINGING, m->status, reason);
        return;
    }
    bool first = !c->answer_taken;
    c->answer_taken = true;
    if (first)
        ssi_call_tell_state(c, SECSIP_CALL_EARLY, m->status, reason);
    ssi_call_start_media(c);
}

/* The answer of a 2xx, or the one that a provisional response of the same branch brought. */
static secsip_result take_answer(secsip_call *c, const struct ssi_sip_msg *m)
{
    struct ssi_slice sdp = {NULL, 0};
    secsip_result r = ssi_sip_msg_body(m, "application/sdp", &sdp);

    if (r >= 0)
        return ssi_media_take_final_answer(c->media, m->to.tag, sdp, &c->error);
    ssi_error_set(&c->error, r, "the answer");
    return r;
}

void ssi_call_out_success(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    char reason[128];

    (void)t;
    secsip_result r = ssi_dialog_take_response(&c->dialog, m);
    if (r < 0) {
        /* Without a way to the peer neither ACK nor BYE can be sent: it gives up by itself after 64 * T1. */
        ssi_error_set(&c->error, r, "the 2xx of %s", c->remote_uri);
        ssi_call_finish(c, m->status, secsip_result_text(r));
        return;
    }
    ssi_call_send_ack(c, &c->first, m);
    c->phase = SSI_CALL_TALKING;
    if (take_answer(c, m) < 0) {
        ssi_addr_text(&c->flow->peer, c->error.peer);
        ssi_call_leave(c);
        return;
    }
    ssi_slice_show(m->reason, reason, sizeof reason);
    ssi_call_tell_state(c, SECSIP_CALL_ESTABLISHED, m->status, reason);
    ssi_call_start_media(c);
}

/* A 2xx after the first: lost ACK, or another branch. */
void ssi_call_out_ack_again(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    (void)t;
    if (c->dialog.remote_tag && !ssi_slice_eq(ssi_slice_str(c->dialog.remote_tag), m->to.tag)) {
        if (c->dialog.is_uac)
            end_fork(c, m);
    } else {
        ssi_call_ack_again(c, m);
    }
}

/* We had cancelled, but the 2xx was on its way (RFC 3261 9.1). */
void ssi_call_out_late_success(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    (void)t;
    if (ssi_dialog_take_response(&c->dialog, m) < 0) {
        ssi_call_finish(c, m->status, "hung up");
        return;
    }
    ssi_call_send_ack(c, &c->first, m);
    ssi_call_leave(c);
}

static bool try_credentials(secsip_call *c, const struct ssi_sip_msg *m)
{
    secsip_result r = ssi_auth_take(&c->auth, c->account, m);

    if (r >= 0 && ++c->challenged > CHALLENGES_MAX)
        r = SECSIP_E_UA_AUTH_FAILED;
    if (r >= 0)
        r = send_invite(c);
    if (r >= 0)
        return true;
    ssi_error_set(&c->error, r, "INVITE to %s", c->remote_uri);
    ssi_error_check(&c->error, "credentials", SSI_LIT("credentials that the peer accepts"),
                    ssi_slice_str(c->account->auth_user));
    return false;
}

/* Some refuse to hear of SRTP in any way but RTP/SAVP (FIELD 13: signalwire/freeswitch#1254). Where it is optional, that offer is
 * made, once; nothing weaker ever follows. */
static bool try_savp(secsip_call *c, const struct ssi_sip_msg *m)
{
    bool offered_otherwise = c->sdes.policy == SSI_SDES_OPTIONAL && c->media &&
                             c->media->n_forks == 0 &&
                             c->media->sdes.config.style != SSI_SDES_STYLE_SAVP;

    if ((m->status != 488 && m->status != 606) || !offered_otherwise)
        return false;
    ssi_media_rollback(c->media);
    ssi_media_set_style(c->media, SSI_SDES_STYLE_SAVP);
    ssi_buf_reset(&c->sdp);
    return ssi_media_put_offer(c->media, &c->sdp) >= 0 && send_invite(c) >= 0;
}

void ssi_call_note_refusal(secsip_call *c, const struct ssi_sip_msg *m)
{
    char reason[128];

    if (m->status != 401 && m->status != 407) {
        ssi_slice_show(m->reason, reason, sizeof reason);
        ssi_error_set(&c->error, SECSIP_E_UA_REJECTED, "%d %s", m->status, reason);
    }
    c->error.status = m->status;
    ssi_addr_text(&c->flow->peer, c->error.peer);
}

void ssi_call_out_refusal(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    char reason[128];

    (void)t;
    bool challenged = m->status == 401 || m->status == 407;
    if (challenged ? try_credentials(c, m) : try_savp(c, m) || ssi_call_next_server(c, m))
        return;
    ssi_call_note_refusal(c, m);
    ssi_slice_show(m->reason, reason, sizeof reason);
    ssi_call_finish(c, m->status, reason);
}

void ssi_call_out_no_answer(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    (void)t;
    ssi_call_finish(c, m ? m->status : 0,
                    c->error.result < 0 ? secsip_result_text(c->error.result) : "cancelled");
}

/* Timer B, or the datagram transport says that nobody is there. */
void ssi_call_out_silence(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    if (!ssi_call_silent_server(c))
        ssi_call_out_no_answer(c, m, t);
}

/* ---- Made by the application */
/* Where the INVITE goes: the outbound proxy, or the server of the account for its own domain, or the target's. */
static secsip_result choose_target(const secsip_account *a, const struct ssi_sip_uri *u,
                                   struct ssi_flow_target *ret)
{
    *ret = *ssi_account_target(a);
    if (!a->has_proxy && !ssi_slice_ieq(u->host, a->uri.host)) {
        secsip_result r = ssi_target_of_uri(u, a->insecure_transport, ret);
        if (r < 0)
            return r;
        ret->identity = a->identity;
        ret->profile = a->profile;
        if (ret->transport == SSI_TRANSPORT_TLS && !ret->profile)
            return SECSIP_E_PERMISSION;
        if (ret->transport != SSI_TRANSPORT_TLS)
            ret->profile = NULL;
    }
    /* RFC 5630 4: a sips URI is never reached over anything but TLS. */
    if (u->scheme == SSI_SIP_SCHEME_SIPS && ret->transport != SSI_TRANSPORT_TLS)
        return SECSIP_E_UA_SIPS_ROUTE;
    return 0;
}

static secsip_result start_call(secsip_call *c, const char *target, bool sips)
{
    secsip_result r = ssi_dialog_init_uac(&c->dialog, c->ua, c->account->from, target, sips);

    if (r < 0)
        return r;
    c->has_dialog = true;
    c->remote_uri = ssi_slice_dup(ssi_slice_str(target));
    c->id = ssi_slice_dup(ssi_slice_str(c->dialog.call_id));
    return c->remote_uri && c->id ? 0 : SECSIP_E_NOMEM;
}

secsip_result ssi_call_new(secsip_account *a, const char *target,
                           const secsip_call_callbacks *callbacks, void *user_data,
                           secsip_call **ret)
{
    struct ssi_flow_target hop;
    struct ssi_sip_uri u;
    struct ssi_flow *f;

    if (!a->ua || a->ua->shutting_down)
        return SECSIP_E_STATE;
    secsip_result r = ssi_sip_uri_parse(ssi_slice_str(target), &u);
    if (r < 0)
        return r;
    if ((u.scheme != SSI_SIP_SCHEME_SIP && u.scheme != SSI_SIP_SCHEME_SIPS) || u.headers.len > 0)
        return SECSIP_E_SIP_URI;
    r = choose_target(a, &u, &hop);
    if (r < 0)
        return r;
    secsip_call *c = ssi_call_alloc(a);
    if (!c)
        return SECSIP_E_NOMEM;
    c->phase = SSI_CALL_CONNECT;
    c->state = SECSIP_CALL_CALLING;
    if (callbacks)
        c->callbacks = *callbacks;
    c->user_data = user_data;
    r = start_call(c, target, u.scheme == SSI_SIP_SCHEME_SIPS);
    if (r >= 0)
        r = ssi_flow_get(a->ua, &hop, &f);
    if (r < 0) {
        ssi_call_abandon(c);
        return r;
    }
    ssi_call_ref(c);
    c->user_refs = 1;
    ssi_call_tell_state(c, SECSIP_CALL_CALLING, 0, "calling");
    ssi_call_use_flow(c, f);
    ssi_flow_unref(f);
    *ret = c;
    return 0;
}
