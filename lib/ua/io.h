/* What the core asks of the world, and what it is told: the seam between protocol and sockets. Layer: ua (seen by api).
 * Two drivers stand behind it: lib/api/driver.c on lib/net, and the public engine door (secsip/unstable/engine.h). */
#ifndef SSI_UA_IO_H
#define SSI_UA_IO_H

#include "base/addr.h"
#include "base/buf.h"
#include "base/list.h"
#include "base/rr.h"

struct ssi_ua;

/* One stream connection. The core owns it from connect or accept until it calls close; the driver keeps its own state in
 * io_data. */
struct ssi_stream {
    struct ssi_ua *ua;
    void *io_data;
};

/* One datagram socket: of media, or of signalling in clear. */
struct ssi_dgram {
    struct ssi_ua *ua;
    void *io_data;
    bool is_signalling; /* its unreachable peers are told of: ssi_ua_dgram_failed */
    bool is_rtcp;
    uint16_t path_mtu; /* of a connected one, as far as the driver knows; 0: not at all */
    struct ssi_addr local;
};

/* One listening socket. */
struct ssi_listener {
    struct ssi_ua *ua;
    void *io_data;
    struct ssi_addr local;
};

/* A name look-up in flight. */
struct ssi_query {
    struct ssi_list node; /* of those who wait for the same answer (names.h) */
    struct ssi_ua *ua;
    void *io_data;
};

struct ssi_io {
    void *arg;
    /* Begins to connect; ssi_ua_stream_connected or _closed follows later, never from inside this call. An immediate
     * failure is returned and nothing follows. */
    secsip_result (*stream_connect)(void *arg, struct ssi_stream *s, const struct ssi_addr *to);
    /* ssi_ua_stream_output(s) has bytes: send them when the socket takes them. */
    void (*stream_wants_write)(void *arg, struct ssi_stream *s);
    /* Forget the stream and close its socket, after trying once to send what output holds. Nothing follows. */
    void (*stream_close)(void *arg, struct ssi_stream *s);
    /* Binds to l->local and fills in the port. ssi_ua_stream_accepted follows for each connection. */
    secsip_result (*listen)(void *arg, struct ssi_listener *l);
    void (*listen_close)(void *arg, struct ssi_listener *l);
    /* Binds to d->local (port 0: any even port, or any at all for signalling) and fills in the port; ssi_ua_dgram_input
     * follows. */
    secsip_result (*dgram_open)(void *arg, struct ssi_dgram *d);
    /* Best effort, like the network. */
    void (*dgram_send)(void *arg, struct ssi_dgram *d, const struct ssi_addr *to, const void *data,
                       size_t len);
    void (*dgram_close)(void *arg, struct ssi_dgram *d);
    /* ssi_ua_resolved follows, never from inside this call. */
    secsip_result (*resolve)(void *arg, struct ssi_query *q, enum ssi_rr_type type,
                             const char *name);
    void (*resolve_cancel)(void *arg, struct ssi_query *q);
    /* A socket for one peer: nothing from anybody else reaches it. Fills in d->local. NULL: there are none. */
    secsip_result (*dgram_connect)(void *arg, struct ssi_dgram *d, const struct ssi_addr *to);
};

/* ---- What the driver tells. Each ends with the events being given to the application. */
/* Time passed: now_us is monotonic, wall_s is Unix time (certificate dates). Runs due timers, at most a bounded number;
 * true when more are due. */
bool ssi_ua_advance(struct ssi_ua *ua, uint64_t now_us, uint64_t wall_s);
/* When ssi_ua_advance must be called next (monotonic), SSI_NEVER if not at all. */
uint64_t ssi_ua_deadline(const struct ssi_ua *ua);
void ssi_ua_stream_connected(struct ssi_stream *s, const struct ssi_addr *local);
/* Returns the stream for an accepted connection, or NULL: close the socket. */
struct ssi_stream *ssi_ua_stream_accepted(struct ssi_listener *io_listener,
                                          const struct ssi_addr *peer, const struct ssi_addr *local,
                                          void *io_data);
void ssi_ua_stream_input(struct ssi_stream *s, const void *data, size_t len);
/* Bytes to send: consume what was taken by the socket, then call ssi_ua_stream_sent. NULL or empty: nothing. */
struct ssi_buf *ssi_ua_stream_output(struct ssi_stream *s);
void ssi_ua_stream_sent(struct ssi_stream *s);
/* why: 0 the peer closed its side, else SECSIP_E_NET_CONNECT, SECSIP_E_NET_RESET, ... The driver has closed the socket
 * and forgets s. detail: errno text or NULL. */
void ssi_ua_stream_closed(struct ssi_stream *s, secsip_result why, const char *detail);
/* A datagram; the bytes are the core's to write to during the call. */
void ssi_ua_dgram_input(struct ssi_dgram *d, const struct ssi_addr *from, uint8_t *data,
                        size_t len);
/* What was sent to `to` did not arrive: ICMP said that host, network, port or protocol cannot be reached, or that the header
 * was wrong (RFC 3261 18.4). */
void ssi_ua_dgram_failed(struct ssi_dgram *d, const struct ssi_addr *to, const char *detail);
/* result < 0: SECSIP_E_NET_RESOLVE (no such name or no such record), SECSIP_E_NET_DNS. rrs are borrowed for the call. */
void ssi_ua_resolved(struct ssi_query *q, secsip_result result, const struct ssi_rr *rrs,
                     size_t n_rrs);

#endif
