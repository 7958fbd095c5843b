/* Offers inside a call: ours, by re-INVITE, to hold, to resume, for a new key or a new address (RFC 3261 14.1); and the peer's by
 * UPDATE (RFC 3311). Layer: ua. What fails leaves the call as it was, keys included (RFC 6141). */
#include "ua/call.h"

#include "base/crypto.h"
#include "sip/build.h"
#include "sip/verdict.h"

enum {
    CHALLENGES_MAX = 4,
    AGAIN_MS = 100,
};

/* ---- Our offers */
static void on_response(struct ssi_txn *t, struct ssi_sip_msg *m, void *arg)
{
    secsip_call *c = arg;

    if (m->status < 200)
        return;
    if (t != c->reinvite) {
        /* An earlier one's 2xx again, when the next offer is under way, or refused: its ACK was lost. */
        if (m->status < 300)
            ssi_call_step(c, SSI_CALL_SUCCESS, m, NULL);
        return;
    }
    if (m->status >= 300)
        c->reinvite = NULL;
    ssi_call_step(c, m->status < 300 ? SSI_CALL_MODIFIED : SSI_CALL_UNMODIFIED, m, NULL);
}

static void on_failed(struct ssi_txn *t, secsip_result why, void *arg)
{
    secsip_call *c = arg;

    (void)why;
    if (t != c->reinvite)
        return;
    c->reinvite = NULL;
    ssi_call_step(c, SSI_CALL_UNMODIFIED, NULL, NULL);
}

static void on_gone(struct ssi_txn *t, void *arg)
{
    secsip_call *c = arg;

    if (t == c->reinvite)
        c->reinvite = NULL;
    ssi_call_unref(c);
}

static const struct ssi_txn_client_ops reinvite_ops = {
    .on_response = on_response, .on_failed = on_failed, .on_gone = on_gone};

/* The operation is over. */
static void end_modification(secsip_call *c, secsip_result result, int32_t status)
{
    c->modifying = false;
    c->awaits_answer = false;
    ssi_timer_cancel(&c->ua->timers, &c->modify_timer);
    if (!c->modifies_itself)
        ssi_call_tell_modified(c, result, status);
    else if (c->renews_key && result < 0)
        ssi_call_tell_key_life(c, SECSIP_KEY_OURS, result, status);
    c->modifies_itself = c->renews_key = false;
    if (c->renewal_due)
        ssi_timer_arm(&c->ua->timers, &c->modify_timer, 0);
}

static void give_up(secsip_call *c, secsip_result result, int32_t status)
{
    ssi_media_hold(c->media, c->was_held);
    end_modification(c, result, status);
}

/* A new offer; the address may be another one than at the time of the last. */
static secsip_result send_offer(secsip_call *c)
{
    if (c->media->sdes.config.policy != SSI_SDES_OFF && !ssi_flow_may_carry_keys(c->flow))
        return SECSIP_E_UA_INSECURE_FLOW;
    ssi_sdes_settle(&c->media->sdes);
    secsip_result r = ssi_media_move(c->media, &c->flow->local);
    ssi_buf_reset(&c->sdp);
    if (r >= 0)
        r = ssi_media_put_offer(c->media, &c->sdp);
    if (r >= 0)
        r = ssi_call_send_invite(c, &c->again, &reinvite_ops, &c->reinvite);
    if (r >= 0)
        c->awaits_answer = true;
    else
        ssi_media_rollback(c->media);
    return r;
}

void ssi_call_mod_start(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    (void)m;
    (void)t;
    /* An offer of the peer's, or of ours in a 200, is under way (RFC 3261 14.1), or the connection is lost: after that. */
    if (c->accept_timer.armed || c->flow->state != SSI_FLOW_OPEN) {
        ssi_timer_arm(&c->ua->timers, &c->modify_timer, SSI_MS(AGAIN_MS));
        return;
    }
    /* Meanwhile an answer of ours may have brought the new key. */
    if (c->renews_key && !c->media->key_due) {
        end_modification(c, 0, 0);
        return;
    }
    secsip_result r = send_offer(c);
    if (r < 0)
        give_up(c, r, 0);
}

static void begin(secsip_call *c, bool by_itself)
{
    ssi_timer_cancel(&c->ua->timers, &c->modify_timer);
    c->modifying = true;
    c->modifies_itself = by_itself;
    c->modify_challenged = 0;
    c->was_held = ssi_media_is_held(c->media);
}

/* A call that is still on its way up waits until it is there. False: not now. */
static bool begin_renewal(secsip_call *c)
{
    if (!c->renewal_due || !c->media || !c->media->key_due) {
        c->renewal_due = false;
        return false;
    }
    if (c->phase != SSI_CALL_TALKING) {
        ssi_timer_arm(&c->ua->timers, &c->modify_timer, SSI_MS(AGAIN_MS));
        return false;
    }
    begin(c, true);
    ssi_media_rekey(c->media); /* once more: the answer of the 2xx has a session of its own */
    c->renews_key = true;
    c->renewal_due = false;
    return true;
}

static void on_modify_timer(void *arg)
{
    secsip_call *c = arg;

    if (c->modifying || begin_renewal(c))
        ssi_call_step(c, SSI_CALL_MODIFY, NULL, NULL);
}

void ssi_call_renew_key(secsip_call *c)
{
    c->renewal_due = true;
    if (!c->modifying)
        ssi_timer_arm(&c->ua->timers, &c->modify_timer, 0);
}

void ssi_call_init_modify(secsip_call *c)
{
    ssi_timer_init(&c->modify_timer, on_modify_timer, c);
}

secsip_result ssi_call_modify(secsip_call *c, enum ssi_call_change change)
{
    if (!c->ua || c->phase != SSI_CALL_TALKING)
        return SECSIP_E_STATE;
    if (c->modifying)
        return SECSIP_E_BUSY;
    begin(c, false);
    if (change == SSI_CALL_REKEY)
        ssi_media_rekey(c->media);
    else
        ssi_media_hold(c->media, change == SSI_CALL_HOLD);
    ssi_call_step(c, SSI_CALL_MODIFY, NULL, NULL);
    return 0;
}

void ssi_call_follow_address(secsip_call *c)
{
    /* A change that is under way takes the address with it. */
    if (c->modifying || ssi_media_is_at(c->media, &c->flow->local))
        return;
    begin(c, true);
    ssi_call_step(c, SSI_CALL_MODIFY, NULL, NULL);
}

/* The 2xx: ACK in any case, then its answer. One that is no good cannot be taken back: the call ends (RFC 3261 14.1). */
static secsip_result take_answer(secsip_call *c, const struct ssi_sip_msg *m)
{
    struct ssi_slice sdp;

    secsip_result r = ssi_sip_msg_body(m, "application/sdp", &sdp);
    if (r > 0)
        return ssi_media_take_answer(c->media, sdp, &c->error);
    ssi_error_set(&c->error, r < 0 ? r : SECSIP_E_SDP_MISSING,
                  "the 2xx holds no answer (RFC 3261 14.1)");
    return c->error.result;
}

void ssi_call_mod_done(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    (void)t;
    if (!c->awaits_answer) { /* again: the ACK was lost */
        ssi_call_ack_again(c, m);
        return;
    }
    c->awaits_answer = false;
    ssi_dialog_refresh_target(&c->dialog, m);
    ssi_call_send_ack(c, &c->again, m);
    if (take_answer(c, m) < 0) {
        ssi_addr_text(&c->flow->peer, c->error.peer);
        ssi_call_leave(c);
        return;
    }
    ssi_call_tell_media(c);
    end_modification(c, 0, m->status);
}

void ssi_call_mod_late(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    (void)t;
    ssi_call_ack_again(c, m);
}

/* RFC 3261 14.1: both had an offer; who made the call waits 2.1 to 4 s, the other up to 2 s. */
static void try_later(secsip_call *c)
{
    uint32_t random = 0;
    uint64_t wait_ms;

    if (ssi_random_nonce(&random, sizeof random) < 0)
        random = 0;
    wait_ms = c->dialog.is_uac ? 2100 + random % 191 * 10 : random % 201 * 10;
    ssi_timer_arm(&c->ua->timers, &c->modify_timer, SSI_MS(wait_ms));
}

static bool answer_challenge(secsip_call *c, const struct ssi_sip_msg *m)
{
    return (m->status == 401 || m->status == 407) && ++c->modify_challenged <= CHALLENGES_MAX &&
           ssi_auth_take(&c->auth, c->account, m) >= 0 &&
           ssi_call_send_invite(c, &c->again, &reinvite_ops, &c->reinvite) >= 0;
}

void ssi_call_mod_failed(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    (void)t;
    if (m && answer_challenge(c, m))
        return;
    c->awaits_answer = false;
    ssi_media_rollback(c->media);
    if (m && m->status == 491) {
        try_later(c);
        return;
    }
    if (!m && c->flow->state != SSI_FLOW_OPEN) { /* the connection is lost, the call is not */
        ssi_timer_arm(&c->ua->timers, &c->modify_timer, SSI_MS(AGAIN_MS));
        return;
    }
    /* RFC 3261 12.2.1.2: then there is no call any more. */
    if (!m || m->status == 481 || m->status == 408) {
        ssi_error_set(&c->error, m ? SECSIP_E_UA_REJECTED : SECSIP_E_UA_TRANSACTION_TIMEOUT,
                      "INVITE in the call with %s", c->remote_uri);
        c->error.status = m ? m->status : 0;
        ssi_call_leave(c);
        return;
    }
    give_up(c, SECSIP_E_UA_REJECTED, m->status);
}

/* ---- UPDATE */
/* What an offer cannot be answered for now, or 0 (RFC 3311 5.2). */
static int busy_status(const secsip_call *c)
{
    if (c->awaits_answer || (c->offer_ours && c->accept_timer.armed))
        return 491; /* an offer of ours has no answer yet */
    return c->phase != SSI_CALL_TALKING || c->accept_timer.armed ? 500 : 0;
}

void ssi_call_in_update(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t)
{
    struct ssi_error e = {0};
    struct ssi_slice sdp;

    secsip_result r = ssi_sip_msg_body(m, "application/sdp", &sdp);
    if (r == 0) {
        ssi_call_respond(c, t, 200, NULL); /* the target is refreshed, and that is all */
        return;
    }
    int status = r < 0 ? 500 : busy_status(c);
    if (status == 0)
        status = ssi_call_check_offer_flow(c, t);
    if (status == 0) {
        ssi_buf_reset(&c->sdp);
        r = ssi_media_answer(c->media, sdp, &c->sdp, &e);
        status = ssi_call_refusal_of(r);
    }
    if (status) {
        ssi_log_line(&c->ua->config.log, SSI_LOG_WARNING,
                     "UPDATE of %s refused with %d: %s (expected %s, found %s)", c->remote_uri,
                     status, e.text, e.expected, e.found);
        ssi_ua_refuse(c->ua, t, status);
        return;
    }
    if (ssi_call_respond(c, t, 200, &c->sdp) >= 0) {
        ssi_call_tell_media(c);
        return;
    }
    ssi_media_rollback(c->media);
    ssi_ua_refuse(c->ua, t, 500);
}
