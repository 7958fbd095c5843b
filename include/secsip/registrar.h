/* The embedded registrar and proxy: what two phones need between them. SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Registers addresses of one domain (RFC 3261 10.3) with digest authentication, keeps bindings in memory, and forwards
 * requests to them (RFC 3261 16): parallel forking, record-routing, no media. A binding is reached through the connection
 * that registered it, so phones behind NAT work (RFC 5626). It listens through secsip_stack_listen(). Rules on threads and
 * callbacks: <secsip/stack.h>. */
#ifndef SECSIP_REGISTRAR_H
#define SECSIP_REGISTRAR_H

#include <stddef.h>
#include <stdint.h>

#include <secsip/result.h>
#include <secsip/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct secsip_registrar secsip_registrar;

/** What happened. */
enum {
    SECSIP_REGISTRAR_REGISTERED = 1, /**< a binding was made or refreshed */
    SECSIP_REGISTRAR_UNREGISTERED =
        2,                          /**< a binding was removed, expired, or lost its connection */
    SECSIP_REGISTRAR_REFUSED = 3,   /**< a request was refused */
    SECSIP_REGISTRAR_FORWARDED = 4, /**< a request outside a dialog was forwarded */
};

/** News of the registrar. Strings are valid during the callback, never NULL. */
typedef struct secsip_registrar_event {
    size_t size;
    int32_t kind;       /**< SECSIP_REGISTRAR_* */
    int32_t status;     /**< REFUSED: the status */
    const char *method; /**< "REGISTER", "INVITE", ... */
    const char *user;   /**< whose: the address of record, "sip:alice@example.test" */
    const char *target; /**< the binding, or where the request went */
    const char *peer;   /**< the connection, "192.0.2.1:40000" */
    uint32_t expires_s; /**< REGISTERED */
    uint32_t branches;  /**< FORWARDED: how many */
    /** Whom the client's verified certificate names, "sip:alice@example.test" or "example.test"; "" for none */
    const char *identity;
} secsip_registrar_event;

/** Configuration of a registrar. Zero means the default; strings are copied. */
typedef struct secsip_registrar_config {
    size_t size;
    const char
        *domain; /**< "example.test": the domain, and the realm of the challenges; required */
    /** Gives the password of a user into `password` (cap bytes, NUL-terminated; wiped after use). @return 0, or
     * SECSIP_E_NOT_FOUND. Required. */
    secsip_result (*password)(const char *user, char *password, size_t cap, void *user_data);
    void (*on_event)(const secsip_registrar_event *event, void *user_data);
    void *user_data;
    uint32_t min_expires_s; /**< default 5 */
    uint32_t max_expires_s; /**< default 3600 */
    uint32_t max_bindings;  /**< of one address of record, default 10 */
    uint32_t max_users;     /**< addresses of record with bindings, default 10000 */
    uint32_t
        insecure_transport; /**< 1: also requests over clear TCP and UDP are served; sips and keys never go there */
    /** Flow-Timer (RFC 5626 10) for phones that speak outbound, default 120: a connection over which neither a message nor
     * a keep-alive came for so long and 30 s is closed. */
    uint32_t flow_timer_s;
} secsip_registrar_config;

/** Attaches a registrar to a stack; a stack has at most one, and no accounts beside it that share its domain.
 * @return 0, SECSIP_E_INVALID, SECSIP_E_ABI, SECSIP_E_STATE (there is one), SECSIP_E_SIP_INJECTION (domain with CR or LF),
 *         SECSIP_E_NOMEM, SECSIP_E_RANDOM. Since 0.1. */
secsip_result secsip_registrar_new(secsip_stack *stack, const secsip_registrar_config *config,
                                   secsip_registrar **ret_registrar);

/** Detaches and frees it: bindings are forgotten, forwarded requests are given up. Legal inside every callback of the stack
 * but the password callback; its own news ends with it. NULL is legal. Since 0.1. */
void secsip_registrar_free(secsip_registrar *registrar);

/** @return the number of live bindings. Since 0.1. */
uint32_t secsip_registrar_count(const secsip_registrar *registrar);

#ifdef __cplusplus
}
#endif

#endif
