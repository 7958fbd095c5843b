/* Calls: INVITE dialogs with secure media. SPDX-License-Identifier: LGPL-2.1-or-later
 * The rules on threads and callbacks are those of <secsip/stack.h>. */
#ifndef SECSIP_CALL_H
#define SECSIP_CALL_H

#include <stddef.h>
#include <stdint.h>

#include <secsip/account.h>
#include <secsip/result.h>

#ifdef __cplusplus
extern "C" {
#endif

/** States of a call. */
enum {
    SECSIP_CALL_INCOMING = 0,
    SECSIP_CALL_CALLING = 1,
    SECSIP_CALL_RINGING = 2,
    SECSIP_CALL_EARLY = 3, /**< a provisional answer with media */
    SECSIP_CALL_ESTABLISHED = 4,
    SECSIP_CALL_ENDED = 5, /**< final: nothing follows */
};

/** How far a call is protected, from weak to strong. */
enum {
    SECSIP_SECURITY_CLEAR = 0, /**< media in clear, or SRTP that does not encrypt */
    SECSIP_SECURITY_UNVERIFIED =
        1, /**< SRTP that does not authenticate, or whose key went over unverified signalling */
    SECSIP_SECURITY_HOP = 2, /**< SRTP, key sent over verified TLS to the next hop, which sees it */
    SECSIP_SECURITY_HOP_SIPS = 3, /**< the same with sips: every hop promises TLS (RFC 5630) */
};

/** Whose key: the one that this side sends with, or the one that the other side sends with. */
enum {
    SECSIP_KEY_OURS = 0,
    SECSIP_KEY_PEERS = 1,
};

/** News of a call's state. */
typedef struct secsip_call_event {
    size_t size;
    int32_t state;             /**< SECSIP_CALL_* */
    int32_t status;            /**< the SIP status, or 0 */
    const char *reason;        /**< the reason phrase, or what ended the call; never NULL */
    const secsip_error *error; /**< why the call failed or was ended for a fault, else NULL */
} secsip_call_event;

/** The media of a call, when it starts and whenever it changes. */
typedef struct secsip_media_info {
    size_t size;
    const char *keying;    /**< "sdes" or "none" */
    const char *suite;     /**< "AES_CM_128_HMAC_SHA1_80", or "" in clear */
    const char *profile;   /**< "RTP/SAVP" */
    const char *codec;     /**< "PCMU" or "PCMA" */
    const char *direction; /**< "sendrecv", "sendonly", "recvonly", "inactive" */
    const char *local;     /**< "192.0.2.1:16000" */
    const char *remote;
    uint32_t rate_hz;       /**< samples a second of on_audio: 8000 */
    uint32_t frame_samples; /**< samples of one frame: 160 */
    uint32_t quirks; /**< SECSIP_SDES_QUIRK_* of <secsip/sdes.h>: what of the peer's was let pass */
    uint32_t forms;  /**< SECSIP_SDES_FORM_* of it: what SRTP leaves out, where that was allowed */
} secsip_media_info;

/** What a call has reached, hop by hop. */
typedef struct secsip_security_info {
    size_t size;
    int32_t level;              /**< SECSIP_SECURITY_* */
    int32_t required;           /**< SECSIP_MEDIA_SECURITY_* the call was made with */
    const char *level_name;     /**< "clear", "srtp-unverified", "srtp-hop", "srtp-sips" */
    const secsip_tls_info *tls; /**< the signalling to the next hop */
    const char *keying;
    const char *suite;
    uint32_t end_to_end;   /**< 1 only where no hop could read the key: never with SDES */
    const char *transport; /**< of the signalling to the next hop: "TLS", "TCP", "UDP" */
} secsip_security_info;

/** Counts of a call's media, in packets; they only grow. */
typedef struct secsip_media_stats {
    size_t size;
    uint64_t tx;            /**< RTP sent */
    uint64_t rx;            /**< RTP received and accepted */
    uint64_t lost;          /**< missing sequence numbers, RFC 3550 A.3 */
    uint64_t auth_failed;   /**< refused: authentication */
    uint64_t replayed;      /**< refused: seen before */
    uint64_t clear_dropped; /**< refused: in clear where SRTP is required */
    uint64_t malformed;     /**< refused: not RTP or RTCP */
    uint64_t rtcp_tx;
    uint64_t rtcp_rx;
    uint64_t jitter_us; /**< RFC 3550 6.4.1 */
} secsip_media_stats;

/** Callbacks of a call; any may be NULL. */
typedef struct secsip_call_callbacks {
    size_t size;
    void (*on_state)(secsip_call *call, const secsip_call_event *event, void *user_data);
    void (*on_media)(secsip_call *call, const secsip_media_info *media, void *user_data);
    void (*on_security)(secsip_call *call, const secsip_security_info *security, void *user_data);
    /** Received speech, 16-bit linear, in order of arrival, one call per packet.
     * @param timestamp  the RTP timestamp of the first sample */
    void (*on_audio)(secsip_call *call, const int16_t *samples, size_t n_samples,
                     uint32_t timestamp, void *user_data);
    /** Speech to send, asked for once a frame (20 ms). Fill all n_samples; the buffer comes zeroed. NULL sends
     * silence. */
    void (*on_audio_wanted)(secsip_call *call, int16_t *samples, size_t n_samples, void *user_data);
    /** How secsip_call_hold(), _resume() or _rekey() ended, where the call goes on.
     * @param result  0: done, and on_media has told of it; SECSIP_E_UA_REJECTED: the other side refused; else what was
     *                missing on this one. The call is as it was before then, its keys included (RFC 6141)
     * @param status  the SIP status, or 0 */
    void (*on_modified)(secsip_call *call, secsip_result result, int32_t status, void *user_data);
    /** The life of an SRTP key, in packets of SRTP or of SRTCP: the lifetime that was signalled, or that of its suite. Near the
     * end of our own the call offers a new one by itself, by a re-INVITE, as soon as no other offer is under way; on_media
     * follows where that is answered. The other side's key only the other side can replace. RFC 3711 9.2, RFC 4568 6.1.
     * @param whose   SECSIP_KEY_OURS or SECSIP_KEY_PEERS
     * @param result  0: an eighth of the life is left, and at most 2^20 packets. SECSIP_E_UA_REJECTED, or what was missing on this
     *                side: ours could not be replaced; secsip_call_rekey() tries again. SECSIP_E_SRTP_KEY_EXPIRED: nothing more
     *                is sent, or accepted, under it. The call stays up, silent in that direction until there is a new key,
     *                and never goes on in clear: hang up, or try again
     * @param status  the SIP status with SECSIP_E_UA_REJECTED, else 0. Since 0.1. */
    void (*on_key_life)(secsip_call *call, int32_t whose, secsip_result result, int32_t status,
                        void *user_data);
} secsip_call_callbacks;

/** Calls somebody. RFC 3261 13.2.
 * @param target     "sip:bob@example.test" or "sips:..."; a sips target refuses every hop that is not sips (RFC 5630)
 * @param callbacks  copied; may be NULL
 * @param ret_call   a reference for the caller; unref it when done. unref does not hang up: secsip_call_hangup() does
 * @return 0 (on_state tells the rest, with ENDED in the end), SECSIP_E_SIP_URI, SECSIP_E_INVALID, SECSIP_E_ABI,
 *         SECSIP_E_STATE (the stack shuts down), SECSIP_E_NOMEM, SECSIP_E_RANDOM. Since 0.1. */
secsip_result secsip_call_new(secsip_account *account, const char *target,
                              const secsip_call_callbacks *callbacks, void *user_data,
                              secsip_call **ret_call);

/** Sets the callbacks of an incoming call. @return 0, SECSIP_E_INVALID, SECSIP_E_ABI. Since 0.1. */
secsip_result secsip_call_set_callbacks(secsip_call *call, const secsip_call_callbacks *callbacks,
                                        void *user_data);

/** One more reference. @return the call, NULL for NULL. Since 0.1. */
secsip_call *secsip_call_ref(secsip_call *call);

/** One reference less. A call that is alive goes on without callbacks and is hung up with its stack. NULL is legal.
 * Since 0.1. */
void secsip_call_unref(secsip_call *call);

/** Answers 180 Ringing to an incoming call. @return 0, SECSIP_E_STATE. Since 0.1. */
secsip_result secsip_call_ring(secsip_call *call);

/** Answers 200 with the session description of our side, and starts the media.
 * @return 0, SECSIP_E_STATE (not incoming), SECSIP_E_NOMEM, SECSIP_E_IO (no media port). Since 0.1. */
secsip_result secsip_call_answer(secsip_call *call);

/** Refuses an incoming call. @param status 300 to 699. @return 0, SECSIP_E_STATE, SECSIP_E_INVALID. Since 0.1. */
secsip_result secsip_call_reject(secsip_call *call, int32_t status);

/** Ends the call in whatever state it is: CANCEL, BYE or 603. Media stop at once. ENDED follows as an event: when the peer has
 * answered, or 4 s after a BYE that it does not answer (RFC 3261 15.1.1: the session is over when the BYE is sent). A
 * call that the peer has not accepted, and whose CANCEL it does not answer, ends 64*T1 (32 s) after it (RFC 3261 9.1).
 * @return 0 (also when it has ended already). Since 0.1. */
secsip_result secsip_call_hangup(secsip_call *call);

/** Holds the other side: it is told to send nothing, by a re-INVITE. on_modified tells the end; there is none where the call
 * ends first. RFC 3261 14, RFC 3264 8.4.
 * @return 0, SECSIP_E_STATE (not established), SECSIP_E_BUSY (one such change is under way), SECSIP_E_INVALID. Since 0.1. */
secsip_result secsip_call_hold(secsip_call *call);

/** The reverse of secsip_call_hold(). Errors likewise. Since 0.1. */
secsip_result secsip_call_resume(secsip_call *call);

/** A new key of ours, by a re-INVITE. Near the end of the old one's life a call does so by itself (on_key_life). Errors as secsip_call_hold(). RFC 4568 7.1.4.
 * Since 0.1. */
secsip_result secsip_call_rekey(secsip_call *call);

/** @return SECSIP_CALL_*. Since 0.1. */
int32_t secsip_call_get_state(const secsip_call *call);

/** @return the Call-ID, borrowed for the life of the call. Since 0.1. */
const char *secsip_call_get_id(const secsip_call *call);

/** @return the other side's URI, "sip:bob@example.test", borrowed for the life of the call. Since 0.1. */
const char *secsip_call_get_remote_uri(const secsip_call *call);

/** Whom the verified certificate at the other end of the call's connection names: of an incoming call over mutual TLS its
 * client, "sip:alice@example.test" or "example.test" (RFC 5922). A proxy's names the proxy, not the caller.
 * @return borrowed until the next call on the stack; "" when nothing was proved. Since 0.1. */
const char *secsip_call_get_peer_identity(const secsip_call *call);

/** Counts of the media. @param ret_stats  size set by the caller. @return 0, SECSIP_E_ABI, SECSIP_E_INVALID. Since 0.1. */
secsip_result secsip_call_get_stats(const secsip_call *call, secsip_media_stats *ret_stats);

/** The user data of the callbacks. Since 0.1. */
void *secsip_call_get_user_data(const secsip_call *call);

#ifdef __cplusplus
}
#endif

#endif
