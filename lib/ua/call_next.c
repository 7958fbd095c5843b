/* A call whose server cannot serve it, says nothing or goes away: the INVITE goes to the next server of the same domain
 * (RFC 3263 4.3, RFC 3261 8.1.3.1, 21.5.4). Layer: ua. */
#include "ua/call.h"
#include "ua/register.h"

/* Where the INVITE may go next; the caller's reference. NULL: nowhere.
 *
 * An account of several outbound proxies has another flow that is registered. Else over a flow of RFC 5626 the call stays while
 * it lives: its Contact says ";ob", so the peer will be led back over that flow and no other (RFC 5626 4.3). */
static struct ssi_flow *next_flow(secsip_call *c, struct ssi_flow *old, uint32_t seconds)
{
    struct ssi_flow *f = ssi_account_other_flow(c->account, old);

    if (f)
        return c->n_servers < c->account->n_flows ? ssi_flow_ref(f) : NULL;
    if (ssi_account_is_outbound(c->account, old) || !ssi_flow_has_alternative(old, c->n_servers))
        return NULL;
    ssi_flow_retire(old, seconds);
    return ssi_flow_again(old, &f) < 0 ? NULL : f;
}

/* Nothing of what the first server saw is used again: neither its nonce nor our key. Dialog and CSeq go on. */
static void start_over(secsip_call *c)
{
    ssi_call_end_media(c);
    ssi_buf_reset(&c->sdp);
    ssi_auth_free(&c->auth);
    c->challenged = 0;
    c->sdes.policy = c->account->sdes.policy;
    c->phase = SSI_CALL_CONNECT;
}

/* It is the server that fails, and not whom it had reached. What a server has opened to us (RFC 5923) is not looked up in DNS. */
static bool move_on(secsip_call *c, const struct ssi_sip_msg *m, const char *why)
{
    uint32_t seconds = m ? ssi_sip_msg_retry_after(m) : 0;
    struct ssi_flow *old = c->flow;

    if (c->state != SECSIP_CALL_CALLING || old->incoming)
        return false;
    ssi_flow_note_down(old, &old->peer, seconds);
    c->n_servers++;
    struct ssi_flow *f = next_flow(c, old, seconds);
    if (!f)
        return false;
    ssi_log_line(&c->ua->config.log, SSI_LOG_WARNING, "INVITE to %s: %s, trying the next server",
                 c->remote_uri, why);
    /* Should no other server be there, this is what the call ends with. */
    if (m)
        ssi_call_note_refusal(c, m);
    start_over(c);
    c->invite = NULL; /* its flow ends it, and nobody waits for it any more */
    c->flow = NULL;
    ssi_flow_unwatch(old, &c->watch);
    ssi_flow_unref(old);
    ssi_call_use_flow(c, f);
    ssi_flow_unref(f);
    return true;
}

bool ssi_call_next_server(secsip_call *c, const struct ssi_sip_msg *m)
{
    return m->status == 503 && move_on(c, m, "503");
}

/* RFC 3263 4.3: "without ever having received any response". Who has said 100 and no more is at work. */
bool ssi_call_silent_server(secsip_call *c)
{
    return !c->heard && move_on(c, NULL, "no answer");
}

bool ssi_call_lost_server(secsip_call *c)
{
    return move_on(c, NULL, "the connection was lost");
}
