/* Calls: making, freeing, media, and what both roles do alike. Layer: ua. */
#include "ua/call.h"

#include <stdlib.h>

#include "sip/build.h"

enum {
    SDP_MAX = 65536,
    LEAVE_MS = 32000, /* as long as a BYE would be sent again */
    LEAVE_AGAIN_MS = 500,
    LEAVE_MOVES_MAX = 2, /* times that a connection is opened for a BYE */
    ASKED_MAX = 4,       /* challenges to one request */
    /* Until ENDED is told though the BYE has no answer. RFC 3261 15.1.1: the session is over when the BYE has been sent, so
     * nobody has to wait 32 s for a peer that has gone silent. */
    LEAVE_SILENT_MS = 4000,
};

static void free_call(secsip_call *c)
{
    ssi_auth_free(&c->auth);
    ssi_buf_free(&c->first.credentials);
    ssi_buf_free(&c->first.ack);
    ssi_buf_free(&c->sdp);
    ssi_buf_free(&c->accept);
    ssi_buf_free(&c->again.credentials);
    ssi_buf_free(&c->again.ack);
    ssi_call_news_free(c->farewell);
    ssi_call_news_free(c->incoming_news);
    ssi_call_news_free(c->spare_news);
    if (c->account)
        ssi_account_unref(c->account);
    free(c->remote_uri);
    free(c->id);
    free(c);
}

void ssi_call_ref(secsip_call *c)
{
    c->refs++;
}

void ssi_call_unref(secsip_call *c)
{
    if (--c->refs > 0)
        return;
    free_call(c);
}

void ssi_call_user_unref(secsip_call *c)
{
    if (--c->user_refs > 0)
        return;
    memset(&c->callbacks, 0, sizeof c->callbacks);
    ssi_call_unref(c);
}

secsip_call *ssi_call_of_dialog(struct ssi_dialog *d)
{
    return SSI_CONTAINER(d, secsip_call, dialog);
}

static void on_flow_open(void *arg, struct ssi_flow *f)
{
    (void)f;
    ssi_call_step(arg, SSI_CALL_FLOW_OPEN, NULL, NULL);
}

static void on_flow_failed(void *arg, struct ssi_flow *f, const struct ssi_error *why)
{
    secsip_call *c = arg;

    (void)f;
    if (c->error.result == 0 && c->phase != SSI_CALL_LEAVING)
        c->error = *why;
    ssi_call_step(c, SSI_CALL_FLOW_LOST, NULL, NULL);
}

/* A call in the list of its stack, with the list's reference. */
secsip_call *ssi_call_alloc(secsip_account *a)
{
    secsip_call *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->farewell = ssi_call_news_new();
    c->spare_news = ssi_call_news_new();
    if (!c->farewell || !c->spare_news) {
        ssi_call_news_free(c->farewell);
        ssi_call_news_free(c->spare_news);
        free(c);
        return NULL;
    }
    c->refs = 1;
    c->ua = a->ua;
    c->account = ssi_account_ref(a);
    c->sdes = a->sdes;
    ssi_list_init(&c->watch.node);
    c->watch.on_open = on_flow_open;
    c->watch.on_failed = on_flow_failed;
    c->watch.arg = c;
    ssi_buf_init_secret(&c->first.credentials, SDP_MAX);
    ssi_buf_init_secret(&c->first.ack, SDP_MAX);
    ssi_buf_init_secret(&c->sdp, SDP_MAX);
    ssi_buf_init_secret(&c->accept, a->ua->config.limits.message_bytes + SDP_MAX);
    ssi_buf_init_secret(&c->again.credentials, SDP_MAX);
    ssi_buf_init_secret(&c->again.ack, SDP_MAX);
    ssi_call_init_accept(c);
    ssi_call_init_move(c);
    ssi_call_init_modify(c);
    ssi_list_push_back(&a->ua->calls, &c->node);
    return c;
}

void ssi_call_use_flow(secsip_call *c, struct ssi_flow *f)
{
    c->flow = ssi_flow_ref(f);
    ssi_flow_watch(f, &c->watch);
}

void ssi_call_end_media(secsip_call *c)
{
    if (!c->media)
        return;
    ssi_call_stats(c, &c->last_stats);
    ssi_media_close(c->media);
    c->media = NULL;
}

/* Lets go of everything that ties the call to its stack. */
static void release(secsip_call *c)
{
    ssi_timer_cancel(&c->ua->timers, &c->accept_timer);
    ssi_call_end_move(c);
    ssi_timer_cancel(&c->ua->timers, &c->modify_timer);
    ssi_call_end_media(c);
    if (c->has_dialog) {
        ssi_dialog_free(&c->dialog, c->ua);
        c->has_dialog = false;
    }
    if (c->flow) {
        struct ssi_flow *f = c->flow;
        c->flow = NULL;
        ssi_flow_unwatch(f, &c->watch);
        ssi_flow_unref(f);
    }
    ssi_list_remove(&c->node);
}

void ssi_call_finish(secsip_call *c, int32_t status, const char *reason)
{
    if (c->phase == SSI_CALL_OVER)
        return;
    c->phase = SSI_CALL_OVER;
    ssi_call_tell_end(c, status, reason);
    release(c);
    ssi_call_unref(c);
}

void ssi_call_abandon(secsip_call *c)
{
    c->phase = SSI_CALL_OVER;
    c->state = SECSIP_CALL_ENDED;
    release(c);
    ssi_call_unref(c);
}

void ssi_call_detach(secsip_call *c)
{
    struct ssi_txn *txns[] = {c->invite, c->server, c->bye, c->reinvite};

    c->phase = SSI_CALL_OVER;
    c->state = SECSIP_CALL_ENDED;
    c->invite = c->server = c->bye = c->reinvite = NULL;
    for (int i = 0; i < 4; i++)
        if (txns[i])
            ssi_txn_drop(txns[i]);
    release(c);
    c->ua = NULL;
    ssi_call_unref(c);
}

secsip_result ssi_call_check_flow(secsip_call *c, struct ssi_error *e)
{
    if (c->sdes.policy == SSI_SDES_OFF || ssi_flow_may_carry_keys(c->flow))
        return 0;
    if (c->sdes.policy == SSI_SDES_OPTIONAL) {
        /* No key over signalling that is not verified TLS: the call may be clear, so it is clear. */
        c->sdes.policy = SSI_SDES_OFF;
        return 0;
    }
    const secsip_tls_info *tls = ssi_flow_tls_info(c->flow);
    ssi_error_set(e, SECSIP_E_UA_INSECURE_FLOW, NULL);
    ssi_error_check(e, "signalling", SSI_LIT("TLS with a verified peer"),
                    !tls ? SSI_LIT("no TLS") : SSI_LIT("TLS whose peer is not verified"));
    ssi_addr_text(&c->flow->peer, e->peer);
    return SECSIP_E_UA_INSECURE_FLOW;
}

static void give_audio(void *arg, const int16_t *samples, size_t n, uint32_t timestamp)
{
    secsip_call *c = arg;
    if (c->callbacks.on_audio)
        c->callbacks.on_audio(c, samples, n, timestamp, c->user_data);
}

static void want_audio(void *arg, int16_t *samples, size_t n)
{
    secsip_call *c = arg;
    if (c->callbacks.on_audio_wanted)
        c->callbacks.on_audio_wanted(c, samples, n, c->user_data);
}

static void note_key_life(void *arg, bool ours, bool ended)
{
    secsip_call *c = arg;
    int32_t whose = ours ? SECSIP_KEY_OURS : SECSIP_KEY_PEERS;

    ssi_call_tell_key_life(c, whose, ended ? SECSIP_E_SRTP_KEY_EXPIRED : 0, 0);
    if (ours && !ended)
        ssi_call_renew_key(c);
}

static const struct ssi_media_ops media_ops = {give_audio, want_audio, note_key_life};

secsip_result ssi_call_make_media(secsip_call *c)
{
    return ssi_media_new(c->ua, &c->flow->local, &c->sdes, &media_ops, c, &c->media);
}

void ssi_call_start_media(secsip_call *c)
{
    secsip_result r = ssi_media_start(c->media);

    if (r < 0) {
        ssi_error_set(&c->error, r, "the media cannot start");
        ssi_call_leave(c);
        return;
    }
    ssi_call_tell_media(c);
}

void ssi_call_stats(const secsip_call *c, secsip_media_stats *ret)
{
    *ret = c->last_stats;
    if (!c->media || !c->media->stream)
        return;
    const struct ssi_rtp_stats *s = ssi_rtp_stream_stats(c->media->stream);
    *ret = (secsip_media_stats){
        .size = sizeof *ret,
        .tx = s->tx,
        .rx = s->rx,
        .lost = s->lost,
        .auth_failed = s->auth_failed,
        .replayed = s->replayed,
        .clear_dropped = s->clear_dropped,
        .malformed = s->malformed,
        .rtcp_tx = s->rtcp_tx,
        .rtcp_rx = s->rtcp_rx,
        .jitter_us = s->jitter_us,
    };
}

void ssi_call_put_contact(secsip_call *c, struct ssi_buf *b)
{
    ssi_account_put_contact(b, c->account, c->flow, c->dialog.sips, true);
}

secsip_result ssi_call_start_request(secsip_call *c, const struct ssi_dialog *d,
                                     enum ssi_sip_method method, uint32_t cseq,
                                     struct ssi_buf *contact, char branch[],
                                     struct ssi_dialog_request *ret)
{
    secsip_result r = ssi_ua_new_branch(branch);

    if (r < 0)
        return r;
    ssi_buf_init(contact, 1024);
    ssi_account_put_contact(contact, c->account, c->flow, d->sips, true);
    ssi_buf_put_char(contact, 0);
    if (contact->failed < 0) {
        r = contact->failed;
        ssi_buf_free(contact);
        return r;
    }
    *ret = (struct ssi_dialog_request){
        .method = method,
        .cseq = cseq,
        .transport = ssi_flow_transport_name(c->flow),
        .branch = branch,
        .contact = ssi_buf_slice(contact).p,
        .user_agent = c->ua->user_agent,
    };
    ret->alias = ssi_flow_offers_alias(c->flow, &ret->local);
    return 0;
}

bool ssi_call_take_challenge(secsip_call *c, const struct ssi_sip_msg *m)
{
    return (m->status == 401 || m->status == 407) && c->n_asked++ < ASKED_MAX &&
           ssi_auth_take(&c->auth, c->account, m) >= 0;
}

/* ---- Leaving */
static void on_bye_response(struct ssi_txn *t, struct ssi_sip_msg *m, void *arg)
{
    secsip_call *c = arg;

    if (m->status < 200 || t != c->bye)
        return;
    c->bye = NULL;
    /* Where the peer's own BYE was faster, the dialog is gone. */
    if (c->phase == SSI_CALL_LEAVING && ssi_call_take_challenge(c, m))
        ssi_call_send_bye(c, &c->dialog, true);
    if (!c->bye)
        ssi_call_step(c, SSI_CALL_BYE_DONE, m, NULL);
}

static void on_bye_failed(struct ssi_txn *t, secsip_result why, void *arg)
{
    secsip_call *c = arg;
    (void)why;
    if (t == c->bye) {
        c->bye = NULL;
        ssi_call_step(c, SSI_CALL_BYE_DONE, NULL, NULL);
    }
}

static void on_bye_gone(struct ssi_txn *t, void *arg)
{
    secsip_call *c = arg;
    if (t == c->bye)
        c->bye = NULL;
    ssi_call_unref(c);
}

static const struct ssi_txn_client_ops bye_ops = {
    .on_response = on_bye_response, .on_failed = on_bye_failed, .on_gone = on_bye_gone};

void ssi_call_send_bye(secsip_call *c, struct ssi_dialog *d, bool tell)
{
    char branch[SSI_BRANCH_TEXT];
    struct ssi_dialog_request req;
    struct ssi_buf contact;
    struct ssi_buf b;
    struct ssi_txn *t = NULL;

    if (ssi_call_start_request(c, d, SSI_SIP_BYE, ++d->local_cseq, &contact, branch, &req) < 0)
        return;
    ssi_buf_init_secret(&b, c->ua->config.limits.message_bytes);
    req.contact = NULL; /* RFC 3261 table 2: BYE has none */
    ssi_dialog_put_request(d, &b, &req);
    ssi_auth_put(&c->auth, &b, c->account, SSI_SIP_BYE, ssi_dialog_request_uri(d),
                 ssi_slice_of(NULL, 0));
    if (c->error.result < 0) {
        /* RFC 3326: the peer's log says why, too. */
        ssi_sip_put_name(&b, "Reason");
        ssi_sip_put_piece_str(&b, "SIP;cause=488;text=\"");
        ssi_sip_put_piece_str(&b, secsip_result_text(c->error.result));
        ssi_sip_put_piece_str(&b, "\"");
        ssi_sip_put_crlf(&b);
    }
    if (ssi_sip_put_end(&b, NULL, NULL, 0) >= 0 &&
        ssi_txn_client_new(&c->ua->txn, &c->flow->txn, SSI_SIP_BYE, true, ssi_slice_str(branch), &b,
                           &bye_ops, c, &t) >= 0) {
        ssi_call_ref(c);
        if (tell)
            c->bye = t;
    }
    ssi_buf_free(&b);
    ssi_buf_free(&contact);
}

static void try_bye(secsip_call *c)
{
    bool is_alive = c->flow->state != SSI_FLOW_DEAD;

    if (c->flow->state == SSI_FLOW_OPEN)
        ssi_call_send_bye(c, &c->dialog, true);
    if (c->bye) {
        ssi_timer_arm(&c->ua->timers, &c->accept_timer, SSI_MS(LEAVE_SILENT_MS));
        return;
    }
    /* For want of memory, of room for a transaction, or of a connection that comes again: the peer would stay in the call,
     * so it is tried again. */
    if (is_alive && c->ua->timers.now_us < c->accept_until_us)
        ssi_timer_arm(&c->ua->timers, &c->accept_timer, SSI_MS(LEAVE_AGAIN_MS));
    else
        ssi_call_step(c, SSI_CALL_BYE_DONE, NULL, NULL);
}

void ssi_call_leave(secsip_call *c)
{
    ssi_timer_cancel(&c->ua->timers, &c->accept_timer);
    ssi_timer_cancel(&c->ua->timers, &c->modify_timer);
    ssi_call_end_media(c); /* nothing more is sent: not while the BYE is under way, either */
    c->phase = SSI_CALL_LEAVING;
    ssi_timer_cancel(&c->ua->timers, &c->move_timer);
    c->n_moves = 0;
    c->n_asked = 0;
    c->accept_until_us =
        c->ua->timers.now_us + SSI_MS(c->flow->state == SSI_FLOW_OPEN ? LEAVE_MS : LEAVE_SILENT_MS);
    if (c->flow->state == SSI_FLOW_DEAD && !c->flow->incoming)
        ssi_call_reconnect(c);
    if (c->phase == SSI_CALL_LEAVING)
        try_bye(c);
}

/* The BYE has perhaps not arrived: it goes another way, once or twice. */
void ssi_call_leave_lost(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    if (c->ua->shutting_down || c->flow->incoming || c->n_moves >= LEAVE_MOVES_MAX) {
        ssi_call_any_bye_done(c, m, t);
        return;
    }
    c->n_moves++;
    c->bye = NULL; /* it fails with its connection */
    c->accept_until_us = c->ua->timers.now_us + SSI_MS(LEAVE_SILENT_MS);
    ssi_timer_arm(&c->ua->timers, &c->accept_timer, 0);
}

void ssi_call_leave_timer(secsip_call *c)
{
    if (!c->bye && c->flow->state == SSI_FLOW_DEAD && !c->flow->incoming) {
        ssi_call_reconnect(c);
        if (c->phase != SSI_CALL_LEAVING || c->accept_timer.armed)
            return;
    }
    if (!c->bye) {
        try_bye(c);
        return;
    }
    c->bye =
        NULL; /* it goes on by itself: sent again where the transport asks for it, until 64*T1 are over */
    ssi_call_step(c, SSI_CALL_BYE_DONE, NULL, NULL);
}

void ssi_call_any_bye_done(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    (void)m;
    (void)t;
    if (c->bye) {
        ssi_txn_drop(c->bye);
        c->bye = NULL;
    }
    ssi_call_finish(c, c->error.status,
                    c->error.result < 0 ? secsip_result_text(c->error.result) : "hung up");
}

void ssi_call_any_hangup(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    (void)m;
    (void)t;
    ssi_call_leave(c);
}

void ssi_call_any_flow_lost(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    (void)m;
    (void)t;
    ssi_call_finish(c, 0, "the connection was lost");
}

secsip_result ssi_call_ring(secsip_call *c)
{
    if (!c->ua || c->phase != SSI_CALL_OFFERED)
        return SECSIP_E_STATE;
    ssi_call_step(c, SSI_CALL_RING, NULL, NULL);
    return 0;
}

secsip_result ssi_call_answer(secsip_call *c)
{
    if (!c->ua || c->phase != SSI_CALL_OFFERED)
        return SECSIP_E_STATE;
    ssi_call_step(c, SSI_CALL_ANSWER, NULL, NULL);
    return c->error.result < 0 ? c->error.result : 0;
}

secsip_result ssi_call_hangup(secsip_call *c)
{
    if (c->ua && c->phase != SSI_CALL_OVER)
        ssi_call_step(c, SSI_CALL_HANGUP, NULL, NULL);
    return 0;
}
