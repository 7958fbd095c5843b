/* The engine door: a stack whose sockets, clock and resolver the application supplies. UNSTABLE: this header may change
 * between minor releases. SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Bytes in, bytes out, the time, a deadline. The stack asks through secsip_engine_io; the application tells through the
 * functions below, each of which runs the callbacks that follow from it before it returns. None of the secsip_engine_io
 * functions may call back into the stack, except secsip_engine_stream_output() and secsip_engine_stream_sent(). */
#ifndef SECSIP_UNSTABLE_ENGINE_H
#define SECSIP_UNSTABLE_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#include <secsip/result.h>
#include <secsip/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A stream connection, a datagram socket, a listening socket, a name look-up: made by the stack, or by
 * secsip_engine_accept(). Each carries one pointer of the application's. */
typedef struct secsip_engine_stream secsip_engine_stream;
typedef struct secsip_engine_dgram secsip_engine_dgram;
typedef struct secsip_engine_listener secsip_engine_listener;
typedef struct secsip_engine_query secsip_engine_query;

/** An IP address and port. */
typedef struct secsip_engine_address {
    size_t size;
    uint32_t family; /**< 4, 6, or 0 for none */
    uint32_t port;   /**< host order */
    uint8_t ip[16];  /**< network order; IPv4 uses the first four bytes, the rest is zero */
} secsip_engine_address;

/** DNS record types. */
enum {
    SECSIP_ENGINE_RR_A = 1,
    SECSIP_ENGINE_RR_SOA = 6, /**< never asked for */
    SECSIP_ENGINE_RR_AAAA = 28,
    SECSIP_ENGINE_RR_SRV = 33,
    SECSIP_ENGINE_RR_NAPTR = 35,
};

/** One DNS record of an answer. */
typedef struct secsip_engine_record {
    size_t size;
    int32_t type; /**< SECSIP_ENGINE_RR_* */
    uint32_t ttl_s;
    uint8_t ip[16];      /**< A (first four bytes), AAAA */
    uint32_t priority;   /**< SRV priority, NAPTR order */
    uint32_t weight;     /**< SRV weight, NAPTR preference */
    uint32_t port;       /**< SRV */
    const char *target;  /**< SRV target, NAPTR replacement; "" for the root */
    const char *service; /**< NAPTR, "SIPS+D2T" */
    const char *flags;   /**< NAPTR, "s" */
} secsip_engine_record;

/** What the stack asks of the world. Every function is required, but listen, listen_close, resolve, resolve_cancel and
 * dgram_connect may be NULL: then listening, names and requests over UDP are refused. */
typedef struct secsip_engine_io {
    size_t size;
    /** Begin to connect. secsip_engine_stream_connected() or _closed() follows later. An error: nothing follows. */
    secsip_result (*stream_connect)(secsip_engine_stream *s, const secsip_engine_address *to,
                                    void *user_data);
    /** There are bytes: secsip_engine_stream_output(). */
    void (*stream_wants_write)(secsip_engine_stream *s, void *user_data);
    /** Try once to send what output holds, close, and forget s: the pointer is dead when this returns. */
    void (*stream_close)(secsip_engine_stream *s, void *user_data);
    /** Bind and listen; on success write the port that was bound into at->port. */
    secsip_result (*listen)(secsip_engine_listener *l, secsip_engine_address *at, void *user_data);
    void (*listen_close)(secsip_engine_listener *l, void *user_data);
    /** Bind a datagram socket; port 0 asks for any even port. On success write the port into at->port. */
    secsip_result (*dgram_open)(secsip_engine_dgram *d, secsip_engine_address *at, void *user_data);
    void (*dgram_send)(secsip_engine_dgram *d, const secsip_engine_address *to, const uint8_t *data,
                       size_t len, void *user_data);
    void (*dgram_close)(secsip_engine_dgram *d, void *user_data);
    /** Ask for records; secsip_engine_resolved() follows later. type: SECSIP_ENGINE_RR_*. */
    secsip_result (*resolve)(secsip_engine_query *q, int32_t type, const char *name,
                             void *user_data);
    void (*resolve_cancel)(secsip_engine_query *q, void *user_data);
    /** A datagram socket for SIP in clear to one peer: what comes from anybody else must not reach it. On success write
     * the local address into *ret_local. Used only where insecure transports are allowed. */
    secsip_result (*dgram_connect)(secsip_engine_dgram *d, const secsip_engine_address *to,
                                   secsip_engine_address *ret_local, void *user_data);
} secsip_engine_io;

/** A stack without descriptors.
 * @param io         copied
 * @param user_data  given to every function of io
 * @param now_us     the monotonic time, microseconds, any origin
 * @param wall_s     Unix time, for the dates of certificates
 * @return as secsip_stack_new(). Since 0.1. */
secsip_result secsip_engine_stack_new(const secsip_stack_config *config, const secsip_engine_io *io,
                                      void *user_data, uint64_t now_us, uint64_t wall_s,
                                      secsip_stack **ret_stack);

/** Time has passed: timers run. Call it when secsip_engine_deadline() is due, and before telling of input
 * or beginning anything: what is begun counts from the last time given.
 * @return 1 when more is due at once, else 0; SECSIP_E_BUSY from inside a callback. Since 0.1. */
int32_t secsip_engine_advance(secsip_stack *stack, uint64_t now_us, uint64_t wall_s);

/** @return when secsip_engine_advance() must be called next, microseconds; UINT64_MAX: not at all. Since 0.1. */
uint64_t secsip_engine_deadline(const secsip_stack *stack);

/** The application's pointer of a stream. Since 0.1. */
void secsip_engine_stream_set_data(secsip_engine_stream *s, void *data);
/** The same, read. Since 0.1. */
void *secsip_engine_stream_get_data(const secsip_engine_stream *s);
/** The stream is connected. @param local  our address and port. Since 0.1. */
void secsip_engine_stream_connected(secsip_engine_stream *s, const secsip_engine_address *local);
/** Bytes came in. The stream may be closed (through io) during the call. Since 0.1. */
void secsip_engine_stream_input(secsip_engine_stream *s, const uint8_t *data, size_t len);
/** Bytes to send, borrowed until the next call on the stack. @return how many; 0: none. Since 0.1. */
size_t secsip_engine_stream_output(secsip_engine_stream *s, const uint8_t **ret_data);
/** The first n bytes of output were sent. Since 0.1. */
void secsip_engine_stream_sent(secsip_engine_stream *s, size_t n);
/** The stream is gone; s is dead after the call. @param why  0: the peer closed it; SECSIP_E_NET_CONNECT, _RESET, ...
 * @param detail  for the error text; may be NULL. Since 0.1. */
void secsip_engine_stream_closed(secsip_engine_stream *s, secsip_result why, const char *detail);

/** The application's pointer of a listener. Since 0.1. */
void secsip_engine_listener_set_data(secsip_engine_listener *l, void *data);
/** The same, read. Since 0.1. */
void *secsip_engine_listener_get_data(const secsip_engine_listener *l);
/** A connection came in. @return its stream, or NULL: refuse it. Since 0.1. */
secsip_engine_stream *secsip_engine_accept(secsip_engine_listener *l,
                                           const secsip_engine_address *peer,
                                           const secsip_engine_address *local, void *data);

/** The application's pointer of a datagram socket. Since 0.1. */
void secsip_engine_dgram_set_data(secsip_engine_dgram *d, void *data);
/** The same, read. Since 0.1. */
void *secsip_engine_dgram_get_data(const secsip_engine_dgram *d);
/** A datagram came in; its bytes are written to during the call. Since 0.1. */
void secsip_engine_dgram_input(secsip_engine_dgram *d, const secsip_engine_address *from,
                               uint8_t *data, size_t len);
/** What was sent to `to` did not arrive: it cannot be reached (ICMP, RFC 3261 18.4). The requests under way to it fail.
 * @param detail  a text for the error; may be NULL. Since 0.1. */
void secsip_engine_dgram_failed(secsip_engine_dgram *d, const secsip_engine_address *to,
                                const char *detail);

/** The application's pointer of a look-up. Since 0.1. */
void secsip_engine_query_set_data(secsip_engine_query *q, void *data);
/** The same, read. Since 0.1. */
void *secsip_engine_query_get_data(const secsip_engine_query *q);
/** The answer; q is dead after the call. @param result  0, SECSIP_E_NET_RESOLVE (no such record; with a record of type SOA its
 * ttl_s says how long that holds), SECSIP_E_NET_DNS.
 * @param records, n  copied. Since 0.1. */
void secsip_engine_resolved(secsip_engine_query *q, secsip_result result,
                            const secsip_engine_record *records, size_t n);

#ifdef __cplusplus
}
#endif

#endif
