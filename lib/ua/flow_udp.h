/* SIP over UDP, in clear (RFC 3261 18, RFC 3581). Layer: ua. A flow is one peer, as with connections: a client's has a socket
 * of its own that is connected to the peer; a listening socket has one for each address that sent it a request. So all
 * that holds for flows holds here: whose a response may be, what an account may use, where a binding is reached.
 *
 * A peer of a listening socket is forgotten when nobody holds its flow and it was silent for an hour, or when room is needed. */
#ifndef SSI_UA_FLOW_UDP_H
#define SSI_UA_FLOW_UDP_H

#include "ua/flow.h"

enum {
    SSI_UDP_PORT = 5060, /* RFC 3261 18.2.2 */
};

struct ssi_udp_socket {
    struct ssi_dgram io;
    struct ssi_list node;  /* in the stack's, while it listens */
    struct ssi_flow *flow; /* whose it is; NULL: it listens */
};

/* What a UDP flow has beside the rest; freed with it. */
struct ssi_udp_side {
    struct ssi_flow *flow;
    struct ssi_udp_socket *socket; /* NULL: closed */
    struct ssi_udp_socket own;     /* of a client */
    struct ssi_hash_node node;     /* of a peer of a listening socket */
    struct ssi_list silent;
    struct ssi_addr mapped; /* our address as the peer sees it, where that is another */
    uint16_t request_port; /* where a peer that does not answer to its source port takes requests */
    bool no_stream;        /* it refused TCP: everything goes as datagrams */
};

/* Binds a listening socket to at->ip, which must be one address: answers leave from where requests came to (RFC 3581 4). TCP
 * listens at the same port (RFC 3261 18.2.1).
 * SECSIP_E_NET_ADDRESS, SECSIP_E_NOMEM, SECSIP_E_STATE, SECSIP_E_UNSUPPORTED. */
secsip_result ssi_udp_listen(struct ssi_ua *ua, const struct ssi_addr *at,
                             struct ssi_addr *ret_bound);
void ssi_udp_close_sockets(struct ssi_ua *ua);
/* What the driver tells of a signalling socket. */
void ssi_udp_input(struct ssi_dgram *d, const struct ssi_addr *from, const uint8_t *data,
                   size_t len);
void ssi_udp_unreachable(struct ssi_dgram *d, const struct ssi_addr *to, const char *detail);
/* True when a connection more is possible because a peer that nobody needs was forgotten. */
bool ssi_udp_make_room(struct ssi_ua *ua);

/* ---- For flow.c */
/* A client's socket, connected to f->peer; the flow is open then. */
secsip_result ssi_udp_connect(struct ssi_flow *f);
/* One message in one datagram, now; a large request goes over TCP (RFC 3261 18.1.1). Before the flow is open it is lost, as
 * any datagram may be. */
void ssi_udp_send(struct ssi_flow *f, struct ssi_slice bytes);
/* flow_udp_send.c, for struct ssi_txn_flow. */
struct ssi_txn_flow *ssi_udp_carrier(struct ssi_txn_flow *t, struct ssi_buf *request);
/* Keeps a NAT open, or sees who is gone. */
void ssi_udp_arm(struct ssi_flow *f);
void ssi_udp_on_timer(struct ssi_flow *f);
const struct ssi_addr *ssi_udp_contact_addr(const struct ssi_flow *f);
/* A stream that stood for a UDP flow has failed: what it did not carry goes back. */
void ssi_udp_take_back(struct ssi_flow *stream, const struct ssi_error *why);
/* All three do nothing with other flows. */
void ssi_udp_close(struct ssi_flow *f);
void ssi_udp_free(struct ssi_flow *f);

#endif
