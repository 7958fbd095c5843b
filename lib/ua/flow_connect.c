/* Flows to a peer: found among those that are there, or made: located, connected, and the next address where one fails.
 * Layer: ua. */
#include "ua/flow_parts.h"
#include "ua/flow_udp.h"

#include <stdlib.h>

/* ---- What is down, as this flow's account sees it */
static struct ssi_down_key down_key(const struct ssi_flow *f, const struct ssi_addr *addr)
{
    struct ssi_down_key key = {.addr = *addr};
    const struct ssi_hash *t = &f->ua->flow_targets;

    /* The pointer itself is the key. NOLINTNEXTLINE(bugprone-sizeof-expression) */
    key.asker = ssi_hash_of(t, &f->profile, sizeof f->profile);
    for (const char *p = f->domain; *p; p++) {
        char c = ssi_lower(*p);
        key.asker = ssi_hash_mix(t, key.asker, &c, 1);
    }
    return key;
}

void ssi_flow_note_down(struct ssi_flow *f, const struct ssi_addr *addr, uint32_t seconds)
{
    const struct ssi_down_key key = down_key(f, addr);
    ssi_down_note(&f->ua->down, &key, f->ua->timers.now_us, seconds);
}

bool ssi_flow_is_down(const struct ssi_flow *f, const struct ssi_addr *addr)
{
    const struct ssi_down_key key = down_key(f, addr);
    return ssi_down_is(&f->ua->down, &key, f->ua->timers.now_us);
}

void ssi_flow_note_heard(struct ssi_flow *f)
{
    const struct ssi_down_key key = down_key(f, &f->peer);
    ssi_down_clear(&f->ua->down, &key);
}

/* This address failed: the next one, or the end. A flow that was open once does not move to another server silently. */
void ssi_flow_fail(struct ssi_flow *f, const struct ssi_error *why)
{
    struct ssi_ua *ua = f->ua;

    if (f->state == SSI_FLOW_DEAD)
        return;
    if (!f->incoming && f->race && !f->heard)
        ssi_flow_note_down(f, &f->peer, 0);
    if (f->incoming || f->state == SSI_FLOW_OPEN || !f->race) {
        ssi_flow_close(f, why);
        return;
    }
    if (f->link)
        ssi_flow_drop_link(f->link);
    ssi_tls_session_free(f->tls);
    f->tls = NULL;
    if (ssi_race_next(f))
        ssi_log_line(&ua->config.log, SSI_LOG_WARNING, "%s: another address is tried", why->text);
    else
        ssi_flow_close(f, why);
}

secsip_result ssi_flow_start_tls(struct ssi_flow *f)
{
    struct ssi_tls_config config = {
        .profile = f->profile,
        .server = f->incoming,
        .domain = f->incoming ? NULL : f->domain,
        .wall_s = f->ua->wall_s,
        .max_output = f->ua->config.max_unsent_bytes,
    };
    return ssi_tls_session_new(&config, &f->tls);
}

void ssi_flow_retire(struct ssi_flow *f, uint32_t seconds)
{
    f->retired = true;
    ssi_flow_note_down(f, &f->peer, seconds);
}

static void on_located(void *arg, const struct ssi_locate_result *r)
{
    struct ssi_flow *f = arg;
    struct ssi_error e;

    if (r->result < 0) {
        ssi_error_set(&e, r->result, "%s", r->text);
        ssi_flow_peer_text(f, &e);
        ssi_flow_close(f, &e);
        return;
    }
    ssi_flow_ref(f);
    if (ssi_race_new(f, r) < 0)
        ssi_flow_fail_with(f, SECSIP_E_NOMEM, "targets");
    else
        ssi_race_next(f);
    ssi_flow_unref(f);
}

static bool is_target(const struct ssi_flow *f, const struct ssi_flow_target *t)
{
    return !f->incoming && !f->retired && f->state != SSI_FLOW_DEAD && f->identity == t->identity &&
           f->profile == t->profile && f->transport == t->transport && f->port == t->port &&
           ssi_slice_ieq(ssi_slice_str(f->domain), ssi_slice_str(t->host));
}

/* Incoming flows may be ten thousand: those to a target are found without looking at them. */
static uint64_t hash_target(const struct ssi_hash *t, const struct ssi_flow_target *target)
{
    struct {
        uint64_t identity;
        uint32_t port, transport;
    } key = {target->identity, target->port, target->transport};
    char host[sizeof target->host];
    size_t len = 0;

    for (; target->host[len]; len++)
        host[len] = ssi_lower(target->host[len]);
    return ssi_hash_mix(t, ssi_hash_of(t, &key, sizeof key), host, len);
}

secsip_result ssi_flow_get(struct ssi_ua *ua, const struct ssi_flow_target *target,
                           struct ssi_flow **ret)
{
    uint64_t hash = hash_target(&ua->flow_targets, target);

    for (struct ssi_hash_node *n = ssi_hash_find(&ua->flow_targets, hash); n;
         n = ssi_hash_next(n)) {
        struct ssi_flow *f = SSI_CONTAINER(n, struct ssi_flow, target_node);
        if (is_target(f, target)) {
            *ret = ssi_flow_ref(f);
            return 0;
        }
    }
    struct ssi_flow *alias = ssi_flow_find_alias(ua, target);
    if (alias) {
        *ret = ssi_flow_ref(alias);
        return 0;
    }
    if (ssi_flow_is_over_limit(ua))
        return SECSIP_E_LIMIT;
    char *domain = ssi_slice_dup(ssi_slice_str(target->host));
    struct ssi_flow *f = domain ? ssi_flow_new(ua, target->profile, false) : NULL;
    if (!f) {
        free(domain);
        return SECSIP_E_NOMEM;
    }
    f->domain = domain;
    f->state = SSI_FLOW_LOCATING;
    f->transport = target->transport;
    f->txn.reliable = f->transport != SSI_TRANSPORT_UDP;
    f->identity = target->identity;
    f->port = target->port;
    f->transport_given = target->transport_given;
    ssi_hash_add(&ua->flow_targets, &f->target_node, hash);
    struct ssi_locate_config config = {
        .ua = ua,
        .io = &ua->names.io,
        .host = f->domain,
        .port = f->port,
        .tls = f->transport == SSI_TRANSPORT_TLS,
        .udp = f->transport == SSI_TRANSPORT_UDP,
        .transport_given = target->transport_given,
        .done = on_located,
        .arg = f,
    };
    ssi_flow_ref(f); /* the caller's */
    secsip_result r = ssi_locate_start(&config, &f->locate);
    if (r < 0) {
        struct ssi_error e;
        ssi_error_set(&e, r, "%s", f->domain);
        ssi_flow_close(f, &e);
    } else if (r == 1) {
        on_located(f, ssi_locate_result(f->locate));
    }
    *ret = f;
    return 0;
}

secsip_result ssi_flow_again(const struct ssi_flow *old, struct ssi_flow **ret)
{
    struct ssi_flow_target t = {.identity = old->identity,
                                .profile = old->profile,
                                .transport = old->transport,
                                .port = old->port,
                                .transport_given = old->transport_given};

    ssi_slice_show(ssi_slice_str(old->domain), t.host, sizeof t.host);
    return ssi_flow_get(old->ua, &t, ret);
}
