/* SIP over UDP, see flow_udp.h: sockets, peers, and what comes in. flow_udp_send.c is what goes out. Layer: ua. */
#include "ua/flow_udp.h"

#include <stdlib.h>

#include "ua/flow_parts.h"
#include "ua/register.h"

enum {
    KEEP_ALIVE_S = 25,   /* RFC 5626 4.4.2: 24 to 29 s for UDP */
    SILENT_S = 3600,     /* as long as a dialog may pass through the proxy without a word */
    PORT_TRIES = 16,     /* for one that is free for UDP and TCP */
    MAKE_ROOM_TRIES = 8, /* a bounded search for one that nobody needs */
};

/* ---- Peers of listening sockets */
static uint64_t hash_addr(const struct ssi_ua *ua, const struct ssi_udp_socket *s,
                          const struct ssi_addr *a)
{
    uint64_t h = ssi_hash_of(&ua->udp_addrs, &s->io.local.port, sizeof s->io.local.port);

    h = ssi_hash_mix(&ua->udp_addrs, h, a->ip, sizeof a->ip);
    return ssi_hash_mix(&ua->udp_addrs, h, &a->port, sizeof a->port);
}

static struct ssi_flow *find_peer(const struct ssi_udp_socket *s, const struct ssi_addr *a)
{
    const struct ssi_ua *ua = s->io.ua;
    struct ssi_hash_node *n = ssi_hash_find(&ua->udp_addrs, hash_addr(ua, s, a));

    for (; n; n = ssi_hash_next(n)) {
        struct ssi_udp_side *u = SSI_CONTAINER(n, struct ssi_udp_side, node);
        if (u->socket == s && ssi_addr_eq(&u->flow->peer, a))
            return u->flow;
    }
    return NULL;
}

bool ssi_udp_make_room(struct ssi_ua *ua)
{
    struct ssi_error e;

    for (int i = 0; i < MAKE_ROOM_TRIES; i++) {
        struct ssi_list *n = ssi_list_pop_front(&ua->udp_peers);
        if (!n)
            return false;
        ssi_list_push_back(&ua->udp_peers, n);
        struct ssi_flow *f = SSI_CONTAINER(n, struct ssi_udp_side, silent)->flow;
        if (f->refs > 1)
            continue;
        ssi_error_set(&e, SECSIP_E_LIMIT, "room is needed for others");
        ssi_flow_close(f, &e);
        return true;
    }
    return false;
}

static struct ssi_udp_side *add_side(struct ssi_flow *f)
{
    struct ssi_udp_side *u = calloc(1, sizeof *u);

    if (!u)
        return NULL;
    u->flow = f;
    ssi_list_init(&u->silent);
    ssi_list_init(&u->own.node);
    f->udp = u;
    f->ua->n_udp_flows++;
    f->transport = SSI_TRANSPORT_UDP;
    f->txn.reliable = false;
    f->txn.carrier = ssi_udp_carrier;
    return u;
}

static struct ssi_flow *new_peer(struct ssi_udp_socket *s, const struct ssi_addr *from)
{
    struct ssi_ua *ua = s->io.ua;

    if (ua->shutting_down || !ssi_flow_may_accept(ua, from))
        return NULL;
    struct ssi_flow *f = ssi_flow_new(ua, NULL, true);
    if (!f)
        return NULL;
    f->peer = *from;
    struct ssi_udp_side *u = add_side(f);
    if (!u || ssi_flow_count(f) < 0) {
        struct ssi_error e;
        ssi_error_set(&e, SECSIP_E_NOMEM, NULL);
        ssi_flow_close(f, &e);
        return NULL;
    }
    f->local = s->io.local;
    f->state = SSI_FLOW_OPEN;
    u->socket = s;
    ssi_hash_add(&ua->udp_addrs, &u->node, hash_addr(ua, s, from));
    ssi_list_push_back(&ua->udp_peers, &u->silent);
    ssi_udp_arm(f);
    return f;
}

/* ---- Sockets */
/* RFC 3261 18.2.1: who takes UDP at a port takes TCP there, for what is too large for a datagram. */
static secsip_result open_both(struct ssi_ua *ua, const struct ssi_addr *at,
                               struct ssi_addr *ret_bound)
{
    struct ssi_udp_socket *s = calloc(1, sizeof *s);

    if (!s)
        return SECSIP_E_NOMEM;
    s->io.ua = ua;
    s->io.is_signalling = true;
    s->io.local = *at;
    secsip_result r = ua->io.dgram_open(ua->io.arg, &s->io);
    if (r < 0)
        goto fail_socket;
    r = ssi_ua_listen(ua, &s->io.local, NULL, ret_bound);
    if (r < 0)
        goto fail_dgram;
    ssi_list_push_back(&ua->udp_sockets, &s->node);
    return 0;

fail_dgram:
    ua->io.dgram_close(ua->io.arg, &s->io);
fail_socket:
    free(s);
    return r;
}

secsip_result ssi_udp_listen(struct ssi_ua *ua, const struct ssi_addr *at,
                             struct ssi_addr *ret_bound)
{
    if (ua->shutting_down)
        return SECSIP_E_STATE;
    if (ssi_addr_is_any(at)) {
        ssi_log_line(&ua->config.log, SSI_LOG_INFO,
                     "UDP listens on one address of this host, not on all: answers leave from it");
        return SECSIP_E_NET_ADDRESS;
    }
    secsip_result r = SECSIP_E_NET_ADDRESS;
    for (int i = 0; i < (at->port ? 1 : PORT_TRIES) && r == SECSIP_E_NET_ADDRESS; i++)
        r = open_both(ua, at, ret_bound);
    return r;
}

void ssi_udp_close_sockets(struct ssi_ua *ua)
{
    for (struct ssi_list *n; (n = ssi_list_pop_front(&ua->udp_sockets));) {
        struct ssi_udp_socket *s = SSI_CONTAINER(n, struct ssi_udp_socket, node);
        ua->io.dgram_close(ua->io.arg, &s->io);
        free(s);
    }
}

secsip_result ssi_udp_connect(struct ssi_flow *f)
{
    struct ssi_ua *ua = f->ua;
    struct ssi_udp_side *u = f->udp ? f->udp : add_side(f);

    if (!u)
        return SECSIP_E_NOMEM;
    if (!ua->io.dgram_connect)
        return SECSIP_E_UNSUPPORTED;
    u->own.io.ua = ua;
    u->own.io.is_signalling = true;
    u->own.flow = f;
    secsip_result r = ua->io.dgram_connect(ua->io.arg, &u->own.io, &f->peer);
    if (r < 0)
        return r;
    u->socket = &u->own;
    f->local = u->own.io.local;
    ssi_flow_become_open(f);
    return 0;
}

void ssi_udp_close(struct ssi_flow *f)
{
    struct ssi_udp_side *u = f->udp;

    if (!u)
        return;
    f->ua->n_udp_flows--;
    ssi_hash_remove(&f->ua->udp_addrs, &u->node);
    ssi_list_remove(&u->silent);
    if (u->socket == &u->own)
        f->ua->io.dgram_close(f->ua->io.arg, &u->own.io);
    u->socket = NULL;
}

void ssi_udp_free(struct ssi_flow *f)
{
    free(f->udp);
    f->udp = NULL;
}

/* ---- Time */
static uint64_t silent_us(const struct ssi_flow *f)
{
    return f->ua->timers.now_us - f->used_us;
}

void ssi_udp_arm(struct ssi_flow *f)
{
    uint64_t delay_us = SSI_S(KEEP_ALIVE_S);

    if (f->incoming) /* it is not moved with every message: it looks when it is due */
        delay_us =
            silent_us(f) < SSI_S(SILENT_S) ? SSI_S(SILENT_S) - silent_us(f) : SSI_S(SILENT_S);
    ssi_timer_arm(&f->ua->timers, &f->timer, delay_us);
}

void ssi_udp_on_timer(struct ssi_flow *f)
{
    struct ssi_error e;

    if (!f->incoming && ssi_flow_is_unused(f)) {
        ssi_flow_close_unused(f);
        return;
    }
    if (f->incoming && f->refs == 1 && silent_us(f) >= SSI_S(SILENT_S)) {
        ssi_error_set(&e, SECSIP_E_CANCELLED, "the peer keeps still");
        ssi_flow_close(f, &e);
        return;
    }
    /* The peer ignores it, and a NAT between us goes on knowing us. */
    if (!f->incoming)
        ssi_flow_send(f, SSI_LIT("\r\n\r\n"));
    ssi_udp_arm(f);
}

/* ---- Receiving */
static bool is_keep_alive(const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (data[i] != '\r' && data[i] != '\n' && data[i] != 0)
            return false;
    return true;
}

/* RFC 3581 4: what a NAT has made of our address. */
static void note_mapped(struct ssi_flow *f, const struct ssi_sip_msg *m)
{
    struct ssi_addr mapped = f->local;

    if (!m->via.has_rport || m->via.rport == 0)
        return;
    if (m->via.received.p && !ssi_addr_parse_ip(m->via.received, 0, &mapped))
        return;
    mapped.port = m->via.rport;
    if (ssi_addr_eq(&mapped, &f->local))
        memset(&mapped, 0, sizeof mapped);
    f->udp->mapped = mapped;
}

const struct ssi_addr *ssi_udp_contact_addr(const struct ssi_flow *f)
{
    return f->udp->mapped.family ? &f->udp->mapped : &f->local;
}

static void note_message(struct ssi_flow *f, const struct ssi_sip_msg *m)
{
    struct ssi_udp_side *u = f->udp;

    if (ssi_list_linked(&u->silent)) {
        ssi_list_remove(&u->silent);
        ssi_list_push_back(&f->ua->udp_peers, &u->silent);
    }
    if (!m->is_request) {
        if (!f->incoming) {
            ssi_flow_note_heard(f);
            note_mapped(f, m);
        }
    } else if (f->incoming) {
        u->request_port = m->via.has_rport ? 0 : m->via.port ? m->via.port : SSI_UDP_PORT;
    }
}

void ssi_udp_input(struct ssi_dgram *d, const struct ssi_addr *from, const uint8_t *data,
                   size_t len)
{
    struct ssi_udp_socket *s = SSI_CONTAINER(d, struct ssi_udp_socket, io);
    struct ssi_ua *ua = d->ua;
    struct ssi_sip_fault fault = {0};
    struct ssi_sip_msg *m;

    if (is_keep_alive(data, len))
        return;
    /* RFC 3261 18.3: what Content-Length leaves over is dropped; one that says too much is answered with 400, and a request above
     * the limit with 513 (21.5.7), where its header fields can be read. */
    if (ssi_sip_msg_parse(data, len, false, &ua->config.limits, &fault, &m) < 0) {
        ssi_log_line(&ua->config.log, SSI_LOG_DEBUG, "a datagram is dropped: expected %s",
                     fault.text ? fault.text : "memory");
        return;
    }
    struct ssi_flow *f = s->flow ? s->flow : find_peer(s, from);
    if (!f && m->is_request) /* a response to what nobody asked is nothing */
        f = new_peer(s, from);
    if (!f || f->state != SSI_FLOW_OPEN) {
        ssi_sip_msg_unref(m);
        return;
    }
    note_message(f, m);
    ssi_flow_ref(f);
    ssi_flow_take_message(f, m);
    ssi_flow_unref(f);
}

/* RFC 3261 18.4: the transactions hear of it. The flow stays: what cannot be reached now may be back when the phone is. But
 * nothing new begins over it where it was ours to choose the peer, and a registration is made again (RFC 5626 4.4). */
void ssi_udp_unreachable(struct ssi_dgram *d, const struct ssi_addr *to, const char *detail)
{
    struct ssi_udp_socket *s = SSI_CONTAINER(d, struct ssi_udp_socket, io);
    struct ssi_ua *ua = d->ua;
    struct ssi_flow *f = s->flow ? s->flow : find_peer(s, to);
    struct ssi_error e;

    if (!f || f->state != SSI_FLOW_OPEN)
        return;
    ssi_error_set(&e, SECSIP_E_NET_CONNECT, "%s", detail ? detail : "ICMP");
    ssi_flow_peer_text(f, &e);
    ssi_log_line(&ua->config.log, SSI_LOG_INFO, "%s: %s", e.peer, e.text);
    ssi_flow_ref(f);
    ssi_txn_flow_failed(&ua->txn, &f->txn, SECSIP_E_NET_CONNECT);
    if (!f->incoming && f->state == SSI_FLOW_OPEN) {
        ssi_flow_retire(f, 0);
        ssi_account_flow_suspect(ua, f, &e);
    }
    ssi_flow_unref(f);
}
