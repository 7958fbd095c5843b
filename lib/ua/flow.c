/* Flows: their life, who watches them, what they send. Layer: ua. See flow.h. */
#include "ua/flow_parts.h"

#include <stdlib.h>

#include "ua/flow_udp.h"

/* Of flows that somebody else has opened. */
static char no_domain[] = "";

static void on_end(void *arg);

static void txn_send(struct ssi_txn_flow *t, struct ssi_slice bytes)
{
    ssi_flow_send(ssi_flow_of(t), bytes);
}

static struct ssi_txn_flow *txn_ref(struct ssi_txn_flow *t)
{
    return &ssi_flow_ref(ssi_flow_of(t))->txn;
}

static void txn_unref(struct ssi_txn_flow *t)
{
    ssi_flow_unref(ssi_flow_of(t));
}

/* A flow in the stack's list, with the list's reference only. */
struct ssi_flow *ssi_flow_new(struct ssi_ua *ua, secsip_tls_profile *profile, bool incoming)
{
    struct ssi_flow *f = calloc(1, sizeof *f);

    if (!f)
        return NULL;
    ssi_txn_flow_init(&f->txn);
    f->txn.send = txn_send;
    f->txn.ref = txn_ref;
    f->txn.unref = txn_unref;
    f->txn.reliable = true;
    f->ua = ua;
    f->refs = 1;
    f->incoming = incoming;
    f->domain = no_domain;
    f->profile = secsip_tls_profile_ref(profile);
    f->transport = profile ? SSI_TRANSPORT_TLS : SSI_TRANSPORT_TCP;
    ssi_buf_init_secret(&f->out, ua->config.max_unsent_bytes);
    ssi_buf_init_secret(&f->waiting, ua->config.max_unsent_bytes);
    ssi_sip_framer_init(&f->framer, &ua->config.limits);
    f->framer.serves = incoming;
    ssi_timer_init(&f->timer, ssi_flow_on_timer, f);
    ssi_timer_init(&f->half, ssi_flow_on_half_timer, f);
    ssi_timer_init(&f->end, on_end, f);
    ssi_list_init(&f->watches);
    ssi_list_init(&f->handshake);
    ssi_list_init(&f->alias);
    f->used_us = ua->timers.now_us;
    f->id = ++ua->last_identity;
    ssi_hash_add(&ua->flow_ids, &f->id_node, ssi_hash_of(&ua->flow_ids, &f->id, sizeof f->id));
    ssi_list_push_back(&ua->flows, &f->node);
    ua->n_flows++;
    ua->n_accepted += incoming;
    return f;
}

struct ssi_flow *ssi_flow_ref(struct ssi_flow *f)
{
    f->refs++;
    return f;
}

struct ssi_flow *ssi_flow_by_id(struct ssi_ua *ua, uint64_t id)
{
    struct ssi_hash_node *n =
        ssi_hash_find(&ua->flow_ids, ssi_hash_of(&ua->flow_ids, &id, sizeof id));

    for (; n; n = ssi_hash_next(n))
        if (SSI_CONTAINER(n, struct ssi_flow, id_node)->id == id)
            return SSI_CONTAINER(n, struct ssi_flow, id_node);
    return NULL;
}

void ssi_flow_unref(struct ssi_flow *f)
{
    if (!f || --f->refs > 0)
        return;
    ssi_locate_free(f->locate);
    ssi_race_free(f);
    ssi_tls_session_free(f->tls);
    secsip_tls_profile_unref(f->profile);
    ssi_sip_framer_free(&f->framer);
    ssi_buf_free(&f->out);
    ssi_buf_free(&f->waiting);
    ssi_udp_free(f);
    if (f->domain != no_domain)
        free(f->domain);
    free(f->error);
    free(f);
}

/* Watches that come late hear it too. */
static void keep_error(struct ssi_flow *f, const struct ssi_error *why)
{
    f->result = why->result;
    f->error = malloc(sizeof *f->error);
    if (f->error)
        *f->error = *why;
}

void ssi_flow_tell_failed(struct ssi_flow *f, struct ssi_flow_watch *w)
{
    struct ssi_error e;

    if (!f->error)
        ssi_error_set(&e, f->result, NULL);
    w->on_failed(w->arg, f, f->error ? f->error : &e);
}

void ssi_flow_close(struct ssi_flow *f, const struct ssi_error *why)
{
    struct ssi_ua *ua = f->ua;

    if (f->state == SSI_FLOW_DEAD)
        return;
    f->state = SSI_FLOW_DEAD;
    ssi_list_remove(&f->node);
    ssi_list_remove(&f->alias);
    ssi_hash_remove(&ua->flow_ids, &f->id_node);
    ssi_hash_remove(&ua->flow_targets, &f->target_node);
    ua->n_flows--;
    ua->n_accepted -= f->incoming;
    ssi_flow_handshake_ends(f);
    ssi_flow_uncount(f);
    ua->n_buffered -= f->n_buffered;
    f->n_buffered = 0;
    ssi_timer_cancel(&ua->timers, &f->timer);
    ssi_timer_cancel(&ua->timers, &f->end);
    ssi_timer_cancel(&ua->timers, &f->half);
    ssi_locate_free(f->locate);
    f->locate = NULL;
    keep_error(f, why);
    if (f->incoming)
        ssi_log_line(&ua->config.log, SSI_LOG_INFO, "an accepted connection ended: %s", why->text);
    if (f->tls)
        ssi_tls_session_close(f->tls);
    if (f->link)
        ssi_flow_drop_link(f->link);
    ssi_race_stop(f, false);
    ssi_udp_close(f);
    ssi_udp_take_back(f, why);
    for (struct ssi_list *n; (n = ssi_list_pop_front(&f->watches));) {
        ssi_flow_tell_failed(f, SSI_CONTAINER(n, struct ssi_flow_watch, node));
    }
    ssi_txn_flow_failed(&ua->txn, &f->txn, SECSIP_E_UA_FLOW_FAILED);
    if (ua->handler.on_flow_closed)
        ua->handler.on_flow_closed(ua->handler.arg, f);
    ssi_flow_unref(f); /* the list's, which kept it alive until here */
}

bool ssi_flow_is_unused(const struct ssi_flow *f)
{
    return !f->incoming && !f->opening && ssi_list_empty(&f->watches) &&
           ssi_list_empty(&f->txn.txns);
}

void ssi_flow_close_unused(struct ssi_flow *f)
{
    struct ssi_error e;

    ssi_error_set(&e, SECSIP_E_CANCELLED, "the connection is no longer needed");
    ssi_flow_close(f, &e);
}

void ssi_flow_watch(struct ssi_flow *f, struct ssi_flow_watch *w)
{
    if (f->state == SSI_FLOW_DEAD) {
        ssi_flow_ref(f); /* the error is the flow's, and the watcher may let go of it */
        ssi_flow_tell_failed(f, w);
        ssi_flow_unref(f);
        return;
    }
    ssi_list_push_back(&f->watches, &w->node);
    if (f->state == SSI_FLOW_OPEN && w->on_open)
        w->on_open(w->arg, f);
}

void ssi_flow_unwatch(struct ssi_flow *f, struct ssi_flow_watch *w)
{
    ssi_list_remove(&w->node);
    if (f->state != SSI_FLOW_DEAD && ssi_flow_is_unused(f))
        ssi_flow_close_unused(f);
}

bool ssi_flow_may_carry_keys(const struct ssi_flow *f)
{
    const secsip_tls_info *info = ssi_flow_tls_info(f);
    return f->state == SSI_FLOW_OPEN && info && (info->verified || info->relaxed);
}

bool ssi_flow_is_secure(const struct ssi_flow *f)
{
    return ssi_flow_may_carry_keys(f) &&
           !(ssi_flow_tls_info(f)->relaxed & SSI_TLS_INSECURE_OPTIONS);
}

const secsip_tls_info *ssi_flow_tls_info(const struct ssi_flow *f)
{
    return f->tls && f->state == SSI_FLOW_OPEN ? ssi_tls_session_info(f->tls) : NULL;
}

const char *ssi_flow_transport_name(const struct ssi_flow *f)
{
    static const char *const names[] = {"TLS", "TCP", "UDP"};
    return names[f->transport];
}

const char *ssi_flow_transport_param(const struct ssi_flow *f)
{
    static const char *const params[] = {";transport=tls", ";transport=tcp", ";transport=udp"};
    return params[f->transport];
}

const struct ssi_addr *ssi_flow_contact_addr(const struct ssi_flow *f)
{
    return f->udp ? ssi_udp_contact_addr(f) : &f->local;
}

/* Into the TLS session or the clear buffer of an open flow. */
secsip_result ssi_flow_write(struct ssi_flow *f, struct ssi_slice bytes)
{
    secsip_result r;

    if (f->tls) {
        r = ssi_tls_session_write(f->tls, bytes.p, bytes.len);
    } else {
        ssi_buf_put_slice(&f->out, bytes);
        r = f->out.failed;
    }
    if (r >= 0)
        f->ua->io.stream_wants_write(f->ua->io.arg, &f->link->stream);
    return r;
}

void ssi_flow_send(struct ssi_flow *f, struct ssi_slice bytes)
{
    secsip_result r = 0;

    if (f->state == SSI_FLOW_DEAD || f->send_failed < 0)
        return;
    if (f->transport == SSI_TRANSPORT_UDP) {
        ssi_udp_send(f, bytes);
        return;
    }
    if (bytes.len > 4)
        ssi_ua_trace(f->ua, SSI_TRACE_SENT, f, bytes);
    if (f->state == SSI_FLOW_OPEN) {
        r = ssi_flow_write(f, bytes);
    } else {
        ssi_buf_put_slice(&f->waiting, bytes);
        r = f->waiting.failed;
    }
    if (!ssi_flow_count_buffered(f) && r >= 0)
        r = SECSIP_E_LIMIT;
    if (r < 0) {
        f->send_failed = r;
        ssi_timer_arm(&f->ua->timers, &f->end, 0);
    }
}

static void on_end(void *arg)
{
    struct ssi_flow *f = arg;
    struct ssi_error e;

    if (f->tls && ssi_tls_session_state(f->tls) == SSI_TLS_FAILED) {
        ssi_flow_fail_tls(f);
        return;
    }
    ssi_error_set(&e, f->send_failed, "%s",
                  f->send_failed == SECSIP_E_LIMIT ? "the peer does not read what is sent"
                                                   : "it could not be sent");
    ssi_flow_peer_text(f, &e);
    ssi_flow_close(f, &e);
}
