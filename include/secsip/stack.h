/* The stack: one pollable descriptor, no threads, no globals. SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Rules for every object of a stack (accounts, calls, registrars):
 * - One thread at a time per stack; two stacks share nothing.
 * - Callbacks run only inside secsip_stack_process() (or the engine's input and expiry calls), on the caller's thread.
 *   Inside a callback every call is legal but secsip_stack_process(), which returns SECSIP_E_BUSY; sends and closes are
 *   queued. unref inside a callback is legal; after unref returns outside one, nothing more is called for that object.
 * - News (all events, log lines, traced messages) comes between two steps of the stack's work, in the order in which it came about;
 *   what still waits when the stack goes is not told. Questions come in the middle of the work, because their answer is
 *   waited for: a password (<secsip/registrar.h>; only there the registrar must not be freed), decisions, known keys and PINs of
 *   <secsip/tls.h>; and so does audio (<secsip/call.h>). The rule above holds for all of them, but not for what <secsip/resolver.h> asks
 *   and NSS key logs: these come in the middle of a call of the application's as well, and may call nothing of the stack but
 *   secsip_query_...().
 * - Every operation ends in exactly one final callback. */
#ifndef SECSIP_STACK_H
#define SECSIP_STACK_H

#include <stddef.h>
#include <stdint.h>

#include <secsip/result.h>
#include <secsip/tls.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct secsip_stack secsip_stack;

/** Levels of log lines. */
enum {
    SECSIP_LOG_ERROR = 1,
    SECSIP_LOG_WARNING = 2,
    SECSIP_LOG_INFO = 3,
    SECSIP_LOG_DEBUG = 4,
};

/** What a traced message was. */
enum {
    SECSIP_TRACE_SENT = 1,
    SECSIP_TRACE_RECEIVED = 2,
};

/** Configuration of a stack. Zero means the default for every field; strings are copied. */
typedef struct secsip_stack_config {
    size_t size;            /**< sizeof(secsip_stack_config) */
    const char *user_agent; /**< for User-Agent and Server; default "libsecsip/VERSION" */
    void (*log)(int32_t level, const char *text, void *user_data);
    int32_t log_level; /**< default SECSIP_LOG_WARNING */
    /** Opt-in: every SIP message sent or received, credentials and keys masked; valid during the call. As an event: a sent message
     * may be under way already. */
    void (*trace)(int32_t direction, const char *peer, const char *message, size_t len,
                  void *user_data);
    void *user_data;               /**< for log, trace and tls_failure */
    uint32_t t1_ms;                /**< RFC 3261 T1, default 500 */
    uint32_t t2_ms;                /**< RFC 3261 T2, default 4000 */
    uint32_t t4_ms;                /**< RFC 3261 T4, default 5000 */
    uint32_t max_message_bytes;    /**< largest SIP message, default 65536 */
    uint32_t max_connections;      /**< live connections, peers over UDP included, default 10000; an
                                eighth of them, at most 100, is never given to accepted ones */
    uint32_t max_transactions;     /**< live transactions, default 100000; calls have 1/8 more */
    uint32_t handshake_timeout_ms; /**< connection and TLS handshake, default 10000 */
    const char *dns_servers;       /**< "192.0.2.1:53,[2001:db8::1]:53"; default: the system's */
    /** Half messages (and half TLS records, and handshakes under way) received and bytes not yet sent, of all connections together, default 64 MiB. Above it a connection
     * that holds more than 4096 of them, and would take more, is closed. */
    uint32_t max_buffered_bytes;
    /** Bytes that one connection may hold unsent, default 1 MiB: a peer that reads slower than that is let go. */
    uint32_t max_unsent_bytes;
    /** Accepted connections from one address (IPv6: from one /64), default 1000. The next one is refused. */
    uint32_t max_connections_per_address;
    /** Accepted connections whose TLS handshake is not done, default 2000. Above it the oldest makes room for the next, so
     * that no crowd of silent peers keeps others out. */
    uint32_t max_handshakes;
    /** An accepted connection that carries no registration, call or transaction, and over which no message and no
     * keep-alive came for so long, is closed; default 600000. */
    uint32_t idle_timeout_ms;
    /** Each failure of TLS, of connections that come in and of every attempt that goes out: the check, what was expected and
     * found, the certificate and the peer; doc/tls.md lists them. Accounts and calls hear of theirs as well. */
    void (*tls_failure)(const secsip_error *error, int32_t incoming, void *user_data);
    /** A SIP message, or a TLS record, whose first byte came must be whole after so long, however it trickles; default 30000. Its connection is
     * closed otherwise. */
    uint32_t message_timeout_ms;
    /* What one SIP message may hold beside max_message_bytes. A request above it is refused with 400, 414 or 513, or its connection is
     * closed where its end is not known. */
    uint32_t max_header_lines; /**< header field lines, default 256 */
    uint32_t max_header_bytes; /**< of one header field value, default 16384 */
    uint32_t max_params;       /**< parameters of one value or URI, default 128 */
    uint32_t
        max_list_elements;  /**< elements of Via, Contact, Route and Record-Route, default 256 */
    uint32_t max_uri_bytes; /**< of one URI, default 4096 */
} secsip_stack_config;

/** A new stack with its own descriptor.
 * @param config     NULL for all defaults
 * @param ret_stack  where the stack goes; unref it when done
 * @return 0, SECSIP_E_NOMEM, SECSIP_E_ABI (config->size), SECSIP_E_INVALID, SECSIP_E_SIP_INJECTION (user_agent with CR or
 *         LF), SECSIP_E_IO (no descriptors left), SECSIP_E_RANDOM. Since 0.1. */
secsip_result secsip_stack_new(const secsip_stack_config *config, secsip_stack **ret_stack);

/** One more reference. @return the stack, NULL for NULL. Since 0.1. */
secsip_stack *secsip_stack_ref(secsip_stack *stack);

/** One reference less. The last one closes every connection at once, without farewell (secsip_stack_shutdown() is the
 * polite way), and frees the stack; accounts and calls still held stay valid but dead. NULL is legal. Since 0.1. */
void secsip_stack_unref(secsip_stack *stack);

/** The descriptor to poll for reading: it is readable when secsip_stack_process() has work. It never changes.
 * @return the descriptor, owned by the stack; SECSIP_E_UNSUPPORTED for a stack of the engine door. Since 0.1. */
int32_t secsip_stack_get_fd(const secsip_stack *stack);

/** Does the work that is due and calls the callbacks. Never blocks, and is bounded: what is left keeps the descriptor
 * readable.
 * @return 0, SECSIP_E_BUSY from inside a callback, SECSIP_E_INVALID. Since 0.1. */
secsip_result secsip_stack_process(secsip_stack *stack);

/** Waits for the descriptor at most timeout_ms, then processes: for programs without an event loop.
 * @param timeout_ms  0 does not wait, negative waits without limit
 * @return as secsip_stack_process(). Since 0.1. */
secsip_result secsip_stack_wait(secsip_stack *stack, int32_t timeout_ms);

/** Ends politely: calls are hung up, registrations removed, connections closed with close_notify; over UDP, answers are
 * given again to who asks again. Callbacks go on until secsip_stack_is_idle() says 1, at the latest after timeout_ms,
 * however silent a peer is: then what is left is closed without an answer, and each call ends with its event. New work is
 * refused from now on.
 * @param timeout_ms  how long the farewells may take; 0: 4000
 * @return 0, SECSIP_E_INVALID. Since 0.1. */
secsip_result secsip_stack_shutdown(secsip_stack *stack, uint32_t timeout_ms);

/** @return 1 when nothing is left to do after secsip_stack_shutdown(), else 0. Since 0.1. */
int32_t secsip_stack_is_idle(const secsip_stack *stack);

/** Accepts connections.
 * @param address   "tls:HOST:PORT" with a numeric host, "tls:[::1]:5061"; port 0 chooses one. "insecure-tcp:..." and
 *                  "insecure-udp:..." are clear; UDP needs one address of this host, not 0.0.0.0 or [::], and takes TCP
 *                  at the same port, for what is too large for a datagram (RFC 3261 18.2.1)
 * @param profile   the TLS profile with our identity; a reference is taken. NULL for what is clear
 * @param ret_port  the port that was bound; may be NULL
 * @return 0, SECSIP_E_INVALID, SECSIP_E_NET_ADDRESS (in use, not ours, or all of ours for UDP), SECSIP_E_TLS_CREDENTIALS (the
 *         profile has no identity), SECSIP_E_NOMEM, SECSIP_E_LIMIT. Since 0.1. */
secsip_result secsip_stack_listen(secsip_stack *stack, const char *address,
                                  secsip_tls_profile *profile, uint16_t *ret_port);

#ifdef __cplusplus
}
#endif

#endif
