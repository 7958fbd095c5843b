/* What flows may cost. Layer: ua. */
#include "ua/flow_parts.h"
#include "ua/flow_udp.h"

#include <stdlib.h>

enum {
    SPARED_BYTES = 4096, /* a flow that holds no more is not closed for what others hold */
    LOG_EVERY_S = 10,    /* of what is turned away: who floods us does not flood the log */
    PREFIX_BYTES = 8,    /* of IPv6: a host has a /64 to choose from */
    OWN_PART = 8,   /* the part of max_connections that strangers cannot take from us: an eighth */
    OWN_MOST = 100, /* but no more */
};

/* Who has how many accepted connections; lives as long as it has one. */
struct ssi_flow_address {
    struct ssi_hash_node node;
    struct ssi_addr prefix;
    uint32_t n_flows;
};

static struct ssi_addr prefix_of(const struct ssi_addr *a)
{
    struct ssi_addr prefix = {.family = a->family};

    memcpy(prefix.ip, a->ip, a->family == 6 ? PREFIX_BYTES : 4);
    return prefix;
}

static uint64_t hash_of(const struct ssi_ua *ua, const struct ssi_addr *prefix)
{
    return ssi_hash_of(&ua->addresses, prefix->ip, sizeof prefix->ip);
}

static struct ssi_flow_address *find_address(const struct ssi_ua *ua, const struct ssi_addr *prefix)
{
    struct ssi_hash_node *n = ssi_hash_find(&ua->addresses, hash_of(ua, prefix));

    for (; n; n = ssi_hash_next(n)) {
        struct ssi_flow_address *a = SSI_CONTAINER(n, struct ssi_flow_address, node);
        if (ssi_addr_eq(&a->prefix, prefix))
            return a;
    }
    return NULL;
}

static void note_turned_away(struct ssi_ua *ua, const struct ssi_addr *peer, const char *limit)
{
    uint64_t now_us = ua->timers.now_us;
    char text[SSI_ADDR_TEXT];

    ua->n_turned_away++;
    if (ua->turned_away_us && now_us - ua->turned_away_us < SSI_S(LOG_EVERY_S))
        return;
    ssi_addr_text(peer, text);
    ssi_log_line(&ua->config.log, SSI_LOG_WARNING,
                 "a connection from %s is turned away: %s (%u since the last such line)", text,
                 limit, (unsigned)ua->n_turned_away);
    ua->turned_away_us = now_us;
    ua->n_turned_away = 0;
}

bool ssi_flow_is_over_limit(struct ssi_ua *ua)
{
    return ua->n_flows >= ua->config.max_connections && !ssi_udp_make_room(ua);
}

static bool has_too_many_accepted(struct ssi_ua *ua)
{
    uint32_t own = ua->config.max_connections / OWN_PART;
    uint32_t most = ua->config.max_connections - (own < OWN_MOST ? own : OWN_MOST);

    return ua->n_accepted >= most && !ssi_udp_make_room(ua);
}

bool ssi_flow_may_accept(struct ssi_ua *ua, const struct ssi_addr *peer)
{
    const struct ssi_addr prefix = prefix_of(peer);
    const struct ssi_flow_address *a = find_address(ua, &prefix);

    if (ssi_flow_is_over_limit(ua) || has_too_many_accepted(ua))
        note_turned_away(ua, peer, "max_connections is reached");
    else if (a && a->n_flows >= ua->config.max_connections_per_address)
        note_turned_away(ua, peer, "max_connections_per_address is reached");
    else
        return true;
    return false;
}

secsip_result ssi_flow_count(struct ssi_flow *f)
{
    const struct ssi_addr prefix = prefix_of(&f->peer);
    struct ssi_flow_address *a = find_address(f->ua, &prefix);

    if (!a) {
        a = calloc(1, sizeof *a);
        if (!a)
            return SECSIP_E_NOMEM;
        a->prefix = prefix;
        ssi_hash_add(&f->ua->addresses, &a->node, hash_of(f->ua, &prefix));
    }
    a->n_flows++;
    f->address = a;
    return 0;
}

void ssi_flow_uncount(struct ssi_flow *f)
{
    struct ssi_flow_address *a = f->address;

    f->address = NULL;
    if (!a || --a->n_flows > 0)
        return;
    ssi_hash_remove(&f->ua->addresses, &a->node);
    free(a);
}

void ssi_flow_handshake_begins(struct ssi_flow *f)
{
    struct ssi_ua *ua = f->ua;

    if (ua->n_handshakes >= ua->config.max_handshakes) {
        struct ssi_flow *oldest = SSI_CONTAINER(ua->handshakes.next, struct ssi_flow, handshake);
        note_turned_away(ua, &oldest->peer, "max_handshakes is reached, and it is the oldest");
        ssi_flow_fail_with(oldest, SECSIP_E_LIMIT, "more handshakes at once than max_handshakes");
    }
    ssi_list_push_back(&ua->handshakes, &f->handshake);
    ua->n_handshakes++;
}

void ssi_flow_handshake_ends(struct ssi_flow *f)
{
    if (!ssi_list_linked(&f->handshake))
        return;
    ssi_list_remove(&f->handshake);
    f->ua->n_handshakes--;
}

bool ssi_flow_count_buffered(struct ssi_flow *f)
{
    struct ssi_ua *ua = f->ua;

    if (f->state == SSI_FLOW_DEAD)
        return true;
    size_t n = f->framer.buf.len + f->out.len + f->waiting.len;
    if (f->tls)
        n += ssi_tls_session_output(f->tls)->len + ssi_tls_session_held(f->tls);
    bool grew = n > f->n_buffered;
    ua->n_buffered += n;
    ua->n_buffered -= f->n_buffered;
    f->n_buffered = n;
    return !grew || n <= SPARED_BYTES || ua->n_buffered <= ua->config.max_buffered_bytes;
}
