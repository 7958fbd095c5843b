/* What goes out over UDP, see flow_udp.h: where to, and over TCP when it is too large. Layer: ua. */
#include "sip/build.h"
#include "ua/flow_parts.h"
#include "ua/flow_udp.h"

enum {
    DATAGRAM_MAX = 65507,   /* what IPv4 carries */
    REQUEST_MAX = 1300,     /* RFC 3261 18.1.1, where the path MTU is not known */
    MTU_KNOWN_BELOW = 1500, /* one that is larger holds for the next hop only */
    MTU_MARGIN = 200,       /* RFC 3261 18.1.1: the response may be that much larger */
};

/* ---- What is too large for a datagram */
static size_t largest_request(const struct ssi_flow *f)
{
    uint16_t mtu = f->udp->socket ? f->udp->socket->io.path_mtu : 0;

    return mtu > MTU_MARGIN && mtu < MTU_KNOWN_BELOW ? (size_t)mtu - MTU_MARGIN : REQUEST_MAX;
}

static struct ssi_addr request_to(const struct ssi_flow *f)
{
    struct ssi_addr to = f->peer;

    if (f->udp->request_port)
        to.port = f->udp->request_port;
    return to;
}

/* The TCP connection to the same address and port, being made perhaps; a reference. NULL: the peer has none, or there is no
 * room. */
static struct ssi_flow *stream_for(struct ssi_flow *f)
{
    struct ssi_addr to = request_to(f);
    struct ssi_flow_target target = {.identity = f->identity,
                                     .transport = SSI_TRANSPORT_TCP,
                                     .port = to.port,
                                     .transport_given = true};
    struct ssi_flow *stream;

    ssi_addr_ip_text(&to, true, target.host);
    if (f->udp->no_stream || ssi_flow_get(f->ua, &target, &stream) < 0)
        return NULL;
    if (stream->state == SSI_FLOW_DEAD) {
        f->udp->no_stream = stream->result == SECSIP_E_NET_CONNECT;
        ssi_flow_unref(stream);
        return NULL;
    }
    if (stream->state != SSI_FLOW_OPEN && !stream->stands_for)
        stream->stands_for = ssi_flow_ref(f);
    return stream;
}

/* RFC 3261 18.1.1: the value in the topmost Via says TCP then. */
struct ssi_txn_flow *ssi_udp_carrier(struct ssi_txn_flow *t, struct ssi_buf *request)
{
    struct ssi_flow *f = ssi_flow_of(t);

    if (f->state != SSI_FLOW_OPEN || request->len <= largest_request(f))
        return NULL;
    struct ssi_flow *stream = stream_for(f);
    if (stream && ssi_sip_set_via_transport(request, "TCP") < 0) {
        ssi_flow_unref(stream);
        return NULL;
    }
    return stream ? &stream->txn : NULL;
}

/* A request without a transaction: the ACK of a 2xx. */
static bool send_by_stream(struct ssi_flow *f, struct ssi_slice bytes)
{
    struct ssi_buf b;

    ssi_buf_init_secret(&b, bytes.len);
    ssi_buf_put_slice(&b, bytes);
    struct ssi_txn_flow *stream = b.failed < 0 ? NULL : ssi_udp_carrier(&f->txn, &b);
    if (stream) {
        stream->send(stream, ssi_buf_slice(&b));
        stream->unref(stream);
    }
    ssi_buf_free(&b);
    return stream != NULL;
}

/* RFC 3261 18.1.1: a refused connection, or ICMP, says that the peer is too old for TCP. */
void ssi_udp_take_back(struct ssi_flow *stream, const struct ssi_error *why)
{
    struct ssi_flow *f = stream->stands_for;

    if (!f)
        return;
    stream->stands_for = NULL;
    if (why->result == SECSIP_E_NET_CONNECT && f->state == SSI_FLOW_OPEN) {
        f->udp->no_stream = true;
        ssi_txn_flow_fall_back(&stream->txn, &f->txn, DATAGRAM_MAX);
    }
    ssi_flow_unref(f);
}

/* ---- Sending */
/* RFC 3261 18.2.2, RFC 3581 4: to the source; to its port where rport asks for it, else to the port of sent-by. maddr is not
 * followed: it would make us send to whomever the peer names. */
static struct ssi_addr response_to(const struct ssi_flow *f, struct ssi_slice bytes)
{
    const struct ssi_sip_limits limits = {.message_bytes = UINT32_MAX,
                                          .header_lines = UINT32_MAX,
                                          .value_bytes = UINT32_MAX,
                                          .params = UINT32_MAX,
                                          .elements = UINT32_MAX,
                                          .uri_bytes = UINT32_MAX};
    struct ssi_addr to = f->peer;
    struct ssi_sip_msg *m;

    if (ssi_sip_msg_parse(bytes.p, bytes.len, false, &limits, NULL, &m) < 0)
        return to;
    if (m->via.has_rport)
        to.port = m->via.rport ? m->via.rport : f->peer.port;
    else
        to.port = m->via.port ? m->via.port : SSI_UDP_PORT;
    ssi_sip_msg_unref(m);
    return to;
}

static bool is_response(struct ssi_slice bytes)
{
    const struct ssi_slice start = SSI_LIT("SIP/2.0 ");

    return bytes.len > start.len && ssi_slice_eq(ssi_slice_of(bytes.p, start.len), start);
}

void ssi_udp_send(struct ssi_flow *f, struct ssi_slice bytes)
{
    struct ssi_ua *ua = f->ua;
    struct ssi_addr to;

    if (f->state != SSI_FLOW_OPEN)
        return;
    if (is_response(bytes))
        to = response_to(f, bytes);
    else if (bytes.len > largest_request(f) && send_by_stream(f, bytes))
        return;
    else
        to = request_to(f);
    if (bytes.len > DATAGRAM_MAX) {
        ssi_log_line(&ua->config.log, SSI_LOG_WARNING,
                     "a message of %zu bytes is too large for UDP and is not sent", bytes.len);
        return;
    }
    if (bytes.len > 4)
        ssi_ua_trace(ua, SSI_TRACE_SENT, f, bytes);
    ua->io.dgram_send(ua->io.arg, &f->udp->socket->io, &to, bytes.p, bytes.len);
}
