/* Accounts: an address of record, how to prove it, and its registration. SPDX-License-Identifier: LGPL-2.1-or-later
 * The rules on threads and callbacks are those of <secsip/stack.h>. */
#ifndef SECSIP_ACCOUNT_H
#define SECSIP_ACCOUNT_H

#include <stddef.h>
#include <stdint.h>

#include <secsip/result.h>
#include <secsip/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct secsip_account secsip_account;
typedef struct secsip_call secsip_call;

/** How media must be protected. A call never falls below the level it was made with. */
enum {
    SECSIP_MEDIA_SECURITY_MANDATORY = 0, /**< the default: RTP/SAVP and verified TLS, or no call */
    SECSIP_MEDIA_SECURITY_OPTIONAL =
        1, /**< SRTP where the peer can; sdes_style says how it is offered */
    SECSIP_MEDIA_SECURITY_INSECURE_CLEAR = 2, /**< RTP in clear; for tests and demonstrations */
};

/** States of a registration. */
enum {
    SECSIP_REGISTRATION_NONE = 0,
    SECSIP_REGISTRATION_TRYING = 1,
    SECSIP_REGISTRATION_REGISTERED = 2,
    SECSIP_REGISTRATION_FAILED = 3, /**< retry_ms says when it is tried again; 0: not by itself */
    SECSIP_REGISTRATION_UNREGISTERED = 4,
};

/** News of a registration. */
typedef struct secsip_registration_event {
    size_t size;
    int32_t state;              /**< SECSIP_REGISTRATION_* */
    int32_t status;             /**< the SIP status, or 0 */
    uint32_t expires_s;         /**< granted, for REGISTERED */
    uint32_t retry_ms;          /**< for FAILED: when it is tried again; 0: it is not */
    const secsip_tls_info *tls; /**< of the connection, or NULL */
    const secsip_error *error;  /**< for FAILED, else NULL */
    const char *transport;      /**< of the connection: "TLS", "TCP", "UDP"; "" for none */
    uint32_t flow;             /**< which of the outbound proxies, from 1 up (reg-id of RFC 5626) */
    uint32_t flows_registered; /**< how many of them are registered now */
} secsip_registration_event;

/** Configuration of an account. Zero means the default; strings are copied, the password into memory that is wiped. */
typedef struct secsip_account_config {
    size_t size;
    const char *aor;          /**< "sip:alice@example.test" or "sips:..."; required */
    const char *display_name; /**< for From */
    const char *auth_user;    /**< default: the user part of aor */
    const char *password; /**< NULL: a challenge fails the request with SECSIP_E_UA_AUTH_REQUIRED */
    /** Outbound proxy: "host", "host:port", "host:5061;transport=tls", "2001:db8::1", or a URI. A domain may be in its own
     * letters (UTF-8). Up to 4 of them with commas between: the
     * account registers over each (RFC 5626 4.2), and calls over the first that works */
    const char *proxy;
    secsip_tls_profile *profile; /**< a reference is taken; NULL: a profile with the defaults */
    uint32_t expires_s;          /**< asked for, default 600 */
    uint32_t media_security;     /**< SECSIP_MEDIA_SECURITY_* */
    /** Crypto-suites in order of preference, separated by commas. Default: AES_CM_128_HMAC_SHA1_80,
     * AES_CM_128_HMAC_SHA1_32, AEAD_AES_256_GCM, AEAD_AES_128_GCM */
    const char *suites;
    /** 1: TCP and UDP in clear are allowed, where proxy or a URI names them (";transport=udp"); no a=crypto is sent over
     * them all the same. DNS never chooses them. */
    uint32_t insecure_transport;
    /** This device, the same after every start: "urn:uuid:..." (RFC 5626 4.1). Default: made; keep what
     * secsip_account_get_instance() says and give it here the next time. */
    const char *instance;
    /** 1: RFC 5626 (outbound) is not offered to the registrar */
    uint32_t no_outbound;
    /** Choices and leniencies of <secsip/sdes.h>, SECSIP_SDES_ANSWER_AVP and the others, a sum, but for
     * SECSIP_SDES_INSECURE_MAY_FALL, which a call never does. What acted is told with the media of a call. */
    uint32_t sdes_options;
    /** SECSIP_SDES_STYLE_* of <secsip/sdes.h>: how OPTIONAL offers SRTP. An offer that is refused with 488 or 606 is made once
     * more as RTP/SAVP. */
    uint32_t sdes_style;
    /** Packets of SRTP or of SRTCP that a key of ours may protect, 256 to 2^48, written into its line ("|2^20"). Near its end a
     * call replaces it (on_key_life of <secsip/call.h>). 0: not written, and the life is that of the suite, 2^48 and 2^31.
     * What the other side writes into its lines holds for its keys in any case. RFC 4568 6.1, RFC 3711 9.2. */
    uint64_t key_lifetime;
} secsip_account_config;

/** Callbacks of an account; any may be NULL. */
typedef struct secsip_account_callbacks {
    size_t size;
    /** News of the registration. */
    void (*on_registration)(secsip_account *account, const secsip_registration_event *event,
                            void *user_data);
    /** A call comes in: answer, ring or reject it, now or later, and take a reference to keep it
     * (secsip_call_ref()). A call that nobody took a reference of and that was neither rung nor answered when this
     * returns is refused with 480, as is every call when this is NULL. */
    void (*on_incoming_call)(secsip_account *account, secsip_call *call, void *user_data);
} secsip_account_callbacks;

/** A new account on a stack. Nothing is sent yet.
 * @param callbacks  copied; may be NULL
 * @param user_data  given to every callback
 * @return 0, SECSIP_E_INVALID (also a proxy named twice), SECSIP_E_LIMIT (more than 4 proxies), SECSIP_E_ABI, SECSIP_E_SIP_URI
 *         (aor or proxy), SECSIP_E_PERMISSION (a clear transport), SECSIP_E_SDES_SUITE (an unknown name in
 *         suites), SECSIP_E_SRTP_SUITE (one that this build of libsrtp2 does not have), SECSIP_E_SRTP_LIBRARY, SECSIP_E_SIP_INJECTION (display_name or auth_user with CR or LF), SECSIP_E_NOMEM. Since 0.1. */
secsip_result secsip_account_new(secsip_stack *stack, const secsip_account_config *config,
                                 const secsip_account_callbacks *callbacks, void *user_data,
                                 secsip_account **ret_account);

/** One more reference. @return the account, NULL for NULL. Since 0.1. */
secsip_account *secsip_account_ref(secsip_account *account);

/** One reference less. After the last one no callback comes; a registration ends by its own expiry unless
 * secsip_account_unregister() was called. NULL is legal. Since 0.1. */
void secsip_account_unref(secsip_account *account);

/** Registers, and keeps registered: refreshed in time, made again after a lost connection with the back-off of RFC 5626
 * 4.5. RFC 3261 10.
 * @return 0 (on_registration tells the rest), SECSIP_E_STATE (registered or trying already, or the stack shuts down),
 *         SECSIP_E_NOMEM. Since 0.1. */
secsip_result secsip_account_register(secsip_account *account);

/** Removes the registration; on_registration says UNREGISTERED in the end, also where the registrar did not answer.
 * @return 0, SECSIP_E_STATE (not registered). Since 0.1. */
secsip_result secsip_account_unregister(secsip_account *account);

/** @return SECSIP_REGISTRATION_*. Since 0.1. */
int32_t secsip_account_get_state(const secsip_account *account);

/** @return the address of record, borrowed for the life of the account. Since 0.1. */
const char *secsip_account_get_aor(const secsip_account *account);

/** @return "urn:uuid:...", what names this device to the registrar, borrowed for the life of the account; NULL for NULL.
 * RFC 5626 4.1. Since 0.1. */
const char *secsip_account_get_instance(const secsip_account *account);

#ifdef __cplusplus
}
#endif

#endif
