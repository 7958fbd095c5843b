/* SDES: a=crypto lines and their negotiation, for programs with a SIP stack of their own (RFC 4568, RFC 6188, RFC 7714).
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An SDES key is only as safe as the signalling that carried it: put a=crypto only into messages that go over TLS with a
 * verified peer. Calls of <secsip/call.h> do all of this by themselves.
 *
 * Needs no stack; one object, one thread at a time. Objects that hold keys wipe them when freed. */
#ifndef SECSIP_SDES_H
#define SECSIP_SDES_H

#include <stddef.h>
#include <stdint.h>

#include <secsip/result.h>
#include <secsip/sdp.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct secsip_sdes_lines secsip_sdes_lines;
typedef struct secsip_sdes_session secsip_sdes_session;

/** How media must be protected. */
enum {
    SECSIP_SDES_MANDATORY = 0, /**< RTP/SAVP with a usable line, or nothing. The default */
    SECSIP_SDES_OPTIONAL = 1,  /**< SRTP where the peer can; how it is offered says the style */
    SECSIP_SDES_OFF = 2,       /**< RTP in clear */
};

/** How SECSIP_SDES_OPTIONAL offers SRTP. All are understood when a peer offers. */
enum {
    SECSIP_SDES_STYLE_AVP = 0,        /**< RTP/AVP with a=crypto (RFC 8643). The default */
    SECSIP_SDES_STYLE_TWO_LINES = 1,  /**< an RTP/SAVP m= line, and an RTP/AVP one behind it */
    SECSIP_SDES_STYLE_CAPABILITY = 2, /**< RTP/AVP that may become RTP/SAVP (RFC 5939) */
    SECSIP_SDES_STYLE_SAVP = 3, /**< RTP/SAVP alone; RTP/AVP is still answered to such offers */
};

/** Choices and leniencies, each off unless named. */
enum {
    SECSIP_SDES_ANSWER_AVP =
        1 << 0, /**< MANDATORY answers RTP/AVP offers with a=crypto too, with SRTP */
    SECSIP_SDES_MATCH_BY_SUITE =
        1 << 1, /**< an answer with a tag that was not offered is matched by its suite */
    SECSIP_SDES_UNPADDED = 1 << 2, /**< keys are written without '=' */
    SECSIP_SDES_INSECURE_MAY_FALL = 1
                                    << 3, /**< OPTIONAL: media that were SRTP may go on in clear */
    /* Leniencies that cost no security are on, and can be refused. */
    SECSIP_SDES_REFUSE_PROFILE =
        1 << 4, /**< no answer of another profile, such as RTP/SAVP to RTP/AVP */
    SECSIP_SDES_REFUSE_SPELLING = 1 << 5, /**< no AES_CM_256_... for AES_256_CM_... (RFC 6188) */
    SECSIP_SDES_REFUSE_UNPADDED = 1 << 6, /**< no keys without their '=' */
    /* Lines that leave protection out (RFC 4568 6.3) are taken only where it is asked for. Give the same forms to your SRTP. */
    SECSIP_SDES_INSECURE_UNENCRYPTED_SRTP = 1 << 7,
    SECSIP_SDES_INSECURE_UNENCRYPTED_SRTCP = 1 << 8,
    SECSIP_SDES_INSECURE_UNAUTHENTICATED_SRTP = 1 << 9,
    SECSIP_SDES_INSECURE_NULL_CIPHER =
        1 << 10, /**< the suites NULL_HMAC_SHA1_80 and _32, of no RFC */
};

/** Protection that is left out, in both directions. */
enum {
    SECSIP_SDES_FORM_UNENCRYPTED_SRTP = 1 << 0,
    SECSIP_SDES_FORM_UNENCRYPTED_SRTCP = 1 << 1,
    SECSIP_SDES_FORM_UNAUTHENTICATED_SRTP = 1 << 2,
};

/** What a peer did otherwise than the standards say, and was understood all the same. */
enum {
    SECSIP_SDES_QUIRK_TAG = 1 << 0,      /**< the answer's tag was wrong and its suite decided */
    SECSIP_SDES_QUIRK_PROFILE = 1 << 1,  /**< the answer's profile was not that of the offer */
    SECSIP_SDES_QUIRK_SPELLING = 1 << 2, /**< AES_CM_256_... for AES_256_CM_... */
    SECSIP_SDES_QUIRK_PADDING = 1 << 3,  /**< a key without its '=' */
};

/** Which key of an agreement. */
enum {
    SECSIP_SDES_KEY_TX = 0, /**< ours: we send with it */
    SECSIP_SDES_KEY_RX = 1, /**< the peer's: it sends with it */
};

/** One a=crypto line, without its keys. Strings are valid as long as the list. */
typedef struct secsip_sdes_line {
    size_t size;
    secsip_result
        usable;      /**< 0, or why this line, and it alone, is to be ignored (RFC 4568 5.1.2) */
    const char *why; /**< a sentence for usable < 0, else "" */
    const char
        *suite; /**< as it is spelled; "" where it could not be read, "***" where it may be a key */
    const char *
        params; /**< session parameters, separated by single blanks, what may be a key in them "***"; "" for none */
    const char *masked; /**< the line for logs: keys are "***" */
    uint32_t tag;
    uint32_t n_keys;
    uint32_t wsh;    /**< the replay window asked for, 0: none */
    uint32_t quirks; /**< SECSIP_SDES_QUIRK_SPELLING, _PADDING */
} secsip_sdes_line;

/** One inline key, without its bytes. Strings are valid as long as the object that was asked. */
typedef struct secsip_sdes_key {
    size_t size;
    const char *mki;   /**< decimal; "" for none */
    uint64_t lifetime; /**< packets; 0: not given, the default of the suite holds */
    uint32_t mki_len;  /**< bytes in a packet, 1 to 128; 0: none */
    uint32_t n_bytes;  /**< of master key and salt together; 0 where it could not be read */
} secsip_sdes_key;

/** An empty list of a=crypto lines.
 * @param ret_lines  free it with secsip_sdes_lines_free()
 * @return 0, SECSIP_E_NOMEM, SECSIP_E_INVALID. Since 0.1. */
secsip_result secsip_sdes_lines_new(secsip_sdes_lines **ret_lines);

/** The a=crypto lines of m= line `media`. What shows only when lines are seen together is seen here: a tag that stands
 * twice makes both unusable, a key that stands before, in this or in another m= line, makes the later one unusable. What
 * stands behind 16 lines is left out.
 * @return 0, SECSIP_E_NOT_FOUND (no such m= line), SECSIP_E_NOMEM, SECSIP_E_INVALID.
 *         Since 0.1. */
secsip_result secsip_sdes_lines_from_sdp(const secsip_sdp *sdp, uint32_t media,
                                         secsip_sdes_lines **ret_lines);

/** Wipes and frees. NULL is legal. Since 0.1. */
void secsip_sdes_lines_free(secsip_sdes_lines *lines);

/** Adds one line, judged by itself.
 * @param text, len  "a=crypto:1 ...", or what stands behind the colon; no line end; copied
 * @return 0 (also for a line that is not usable: it says so itself), SECSIP_E_LIMIT (more than 16), SECSIP_E_NOMEM,
 *         SECSIP_E_INVALID. RFC 4568 9. Since 0.1. */
secsip_result secsip_sdes_lines_add(secsip_sdes_lines *lines, const char *text, size_t len);

/** @return how many lines there are. Since 0.1. */
uint32_t secsip_sdes_lines_count(const secsip_sdes_lines *lines);

/** Line n, from 0.
 * @param ret_line  size set by the caller
 * @return 0, SECSIP_E_NOT_FOUND, SECSIP_E_ABI. Since 0.1. */
secsip_result secsip_sdes_lines_get(const secsip_sdes_lines *lines, uint32_t n,
                                    secsip_sdes_line *ret_line);

/** Key k, from 0, of line n, without its bytes.
 * @param ret_key  size set by the caller
 * @return 0, SECSIP_E_NOT_FOUND, SECSIP_E_ABI. Since 0.1. */
secsip_result secsip_sdes_lines_get_key(const secsip_sdes_lines *lines, uint32_t n, uint32_t k,
                                        secsip_sdes_key *ret_key);

/** The bytes of a key: master key, then master salt. They are a secret: wipe them when done, never log them.
 * @param out, cap  where they go; 46 bytes hold every key
 * @param ret_len   how many there are
 * @return 0, SECSIP_E_NOT_FOUND, SECSIP_E_LIMIT (cap). Since 0.1. */
secsip_result secsip_sdes_lines_get_secret(const secsip_sdes_lines *lines, uint32_t n, uint32_t k,
                                           void *out, size_t cap, size_t *ret_len);

/** Configuration of a session. Zero means the default; strings are copied. */
typedef struct secsip_sdes_config {
    size_t size;
    uint32_t policy;  /**< SECSIP_SDES_MANDATORY, _OPTIONAL or _OFF */
    uint32_t options; /**< a sum of SECSIP_SDES_ANSWER_AVP and the others */
    const char *
        suites; /**< in order of preference, separated by commas; default: the GCM, AES-256 and AES-128 suites */
    uint64_t lifetime; /**< packets, 1 to 2^48, written into lines of ours; 0: not written */
    uint32_t mki_len;  /**< our keys get an MKI of so many bytes, 1 to 128; 0: none */
    uint32_t max_keys; /**< keys of one line that your SRTP can hold, 1 to 4; default 1 */
    uint32_t style;    /**< SECSIP_SDES_STYLE_* */
    uint32_t
        offer_forms; /**< SECSIP_SDES_FORM_* that our offers ask for, not all of them: the INSECURE option of each must be set */
} secsip_sdes_config;

/** What is in force. Strings are constants. */
typedef struct secsip_sdes_agreement {
    size_t size;
    const char *suite;   /**< "AES_CM_128_HMAC_SHA1_80", or "" for clear media */
    const char *profile; /**< of the m= line */
    uint32_t
        secure; /**< 1: SRTP with both keys; 0: clear media were agreed, never under MANDATORY */
    uint32_t tag;
    uint32_t n_rx_keys; /**< keys of the peer's, told apart by their MKIs */
    uint32_t wsh;       /**< the replay window the peer asks for, 0: none */
    uint32_t quirks;    /**< SECSIP_SDES_QUIRK_*, a sum */
    uint32_t
        forms; /**< SECSIP_SDES_FORM_*, a sum: give them to both of your SRTP sessions; a NULL_HMAC suite has the first two */
    uint32_t line; /**< of an offer with two m= lines: 0 or 1, the one that counts */
} secsip_sdes_agreement;

/** A negotiation for one m= line. Our key comes into use only after it was written into an offer or answer.
 * @param config       NULL for all defaults
 * @param ret_session  free it with secsip_sdes_session_free()
 * @return 0, SECSIP_E_SDES_SUITE (an unknown or doubled name in suites), SECSIP_E_INVALID, SECSIP_E_ABI, SECSIP_E_NOMEM.
 *         Since 0.1. */
secsip_result secsip_sdes_session_new(const secsip_sdes_config *config,
                                      secsip_sdes_session **ret_session);

/** A session that has made no key yet belongs to the call of `other`, for another m= line: a key that was ours on one of them
 * is then refused from the peer on all (RFC 3711 9.1). Copies share this by themselves. Sessions of one call are used by one
 * thread at a time.
 * @return 0, SECSIP_E_STATE (it has made a key, or was joined), SECSIP_E_NOMEM, SECSIP_E_RANDOM, SECSIP_E_INVALID. Since 0.1. */
secsip_result secsip_sdes_session_join(secsip_sdes_session *session, secsip_sdes_session *other);

/** Wipes and frees. NULL is legal. Since 0.1. */
void secsip_sdes_session_free(secsip_sdes_session *session);

/** A copy, for one more fork of a call whose offer waits: each To-tag answers with a key of its own. Copies and their originals
 * share what they know of our keys, and are used by one thread at a time.
 * @return 0, SECSIP_E_NOMEM, SECSIP_E_INVALID. Since 0.1. */
secsip_result secsip_sdes_session_copy(const secsip_sdes_session *session,
                                       secsip_sdes_session **ret_copy);

/** @return the profile to offer: "RTP/SAVP" or "RTP/AVP", or the one in use; a constant. Since 0.1. */
const char *secsip_sdes_session_get_profile(const secsip_sdes_session *session);

/** The same where an offer has more than one m= line for the one stream (SECSIP_SDES_STYLE_TWO_LINES).
 * @param n  from 0; the line behind the first has its attributes and nothing of this session's
 * @return the profile, a constant; NULL: there is no such line. Since 0.1. */
const char *secsip_sdes_session_get_offer_profile(const secsip_sdes_session *session, uint32_t n);

/** Writes the a=crypto lines of an offer (a=tcap, a=acap and a=pcfg for SECSIP_SDES_STYLE_CAPABILITY). A later offer begins
 * with the line in use, unchanged. RFC 4568 7.1.
 * @param builder  with the first m= line put already
 * @return 0, SECSIP_E_STATE (an offer waits for its answer), SECSIP_E_RANDOM, SECSIP_E_NOMEM, SECSIP_E_LIMIT,
 *         SECSIP_E_INVALID. Since 0.1. */
secsip_result secsip_sdes_session_put_offer(secsip_sdes_session *session,
                                            secsip_sdp_builder *builder);

/** Takes an offer that was written earlier as the one that waits: for a program that keeps its state as text.
 * @param offer  our own description; its a=crypto lines are our keys
 * @return 0, SECSIP_E_STATE, SECSIP_E_SDP_MEDIA (no such m= line, or port 0), what a line is not usable for,
 *         SECSIP_E_LIMIT (a line with more than one key), SECSIP_E_INVALID. Since 0.1. */
secsip_result secsip_sdes_session_adopt_offer(secsip_sdes_session *session, const secsip_sdp *offer,
                                              uint32_t media);

/** The peer's answer to our offer. On failure nothing changes and the offer still waits: roll it back. RFC 4568 7.1.3.
 * @param media    the m= line, the first of them where the offer had two
 * @param ret_why  a constant sentence, on failure; may be NULL
 * @return 0, SECSIP_E_SDES_CLEAR_PROFILE, SECSIP_E_SDES_NO_CRYPTO, SECSIP_E_SDES_TAG, SECSIP_E_SDES_SUITE,
 *         SECSIP_E_SDES_KEY_LENGTH, SECSIP_E_SDES_KEY_WEAK, SECSIP_E_SDES_PARAM, SECSIP_E_SDES_LIFETIME,
 *         SECSIP_E_SDES_MKI, SECSIP_E_SDES_KEY_METHOD, SECSIP_E_SDES_SYNTAX, SECSIP_E_SDP_MEDIA (refused, or missing),
 *         SECSIP_E_PERMISSION (SRTP where it is off), SECSIP_E_LIMIT, SECSIP_E_STATE, SECSIP_E_INVALID. Since 0.1. */
secsip_result secsip_sdes_session_take_answer(secsip_sdes_session *session,
                                              const secsip_sdp *answer, uint32_t media,
                                              const char **ret_why);

/** Which m= line of an offer to answer, and with which profile: the first that can be SRTP, else, where the policy lets it,
 * the first in clear. What is agreed does not change; but an offer of the peer's shows that our last answer has reached it
 * (RFC 3264 4), so that secsip_sdes_session_rollback() undoes that one no more.
 * @param kind         of the m= lines to look at, "audio"; NULL: any
 * @param ret_media    for secsip_sdes_session_answer()
 * @param ret_profile  to write into the answer's m= line, a constant: with a potential configuration (RFC 5939) it is not
 *                     that of the offer's
 * @param ret_why      a constant sentence, on failure; may be NULL
 * @return 0, or what secsip_sdes_session_answer() would say of the first of them, SECSIP_E_SDP_MEDIA (none). Since 0.1. */
secsip_result secsip_sdes_session_choose_media(secsip_sdes_session *session,
                                               const secsip_sdp *offer, const char *kind,
                                               uint32_t *ret_media, const char **ret_profile,
                                               const char **ret_why);

/** Answers the peer's offer: chooses the first line that can be used, makes our key, and writes our line. Under MANDATORY
 * only RTP/SAVP and RTP/SAVPF are answered, unless SECSIP_SDES_ANSWER_AVP is set. RFC 4568 7.1.2, RFC 5939 3.6.2.
 * @param builder  with the m= line put already, its profile as secsip_sdes_session_choose_media() gave it
 * @param ret_why  a constant sentence, on failure; may be NULL
 * @return as secsip_sdes_session_take_answer(), and SECSIP_E_RANDOM, SECSIP_E_NOMEM. A phone answers 488. Since 0.1. */
secsip_result secsip_sdes_session_answer(secsip_sdes_session *session, const secsip_sdp *offer,
                                         uint32_t media, secsip_sdp_builder *builder,
                                         const char **ret_why);

/** Withdraws the offer that waits, or the answer written or taken last, where it was not sent or does not count (a re-INVITE
 * that was answered in a 18x and then refused): what was agreed before is in force again (RFC 3261 14.1). Nothing to take back
 * is no fault. An answer is confirmed, and stays, by secsip_sdes_session_settle(), by the next offer of ours, and by the next of
 * the peer's (secsip_sdes_session_choose_media(), secsip_sdes_session_answer(), whatever comes of it). Media that were SRTP
 * stay so after it, unless an answer of ours is taken back to clear media that were in force before.
 * @return 0, SECSIP_E_INVALID. Since 0.1. */
secsip_result secsip_sdes_session_rollback(secsip_sdes_session *session);

/** What is agreed stays: a 2xx with the answer was sent and acknowledged, or taken.
 * @return 0, SECSIP_E_INVALID. Since 0.1. */
secsip_result secsip_sdes_session_settle(secsip_sdes_session *session);

/** A re-INVITE begins, ours or the peer's, that may be answered before its final response, and hold an UPDATE. Its 2xx:
 * secsip_sdes_session_settle(). Its refusal: secsip_sdes_session_revert(). For a re-INVITE that is answered in its 2xx alone,
 * secsip_sdes_session_rollback() is enough.
 * @return 0, SECSIP_E_STATE (another has begun, or an offer waits), SECSIP_E_INVALID. Since 0.1. */
secsip_result secsip_sdes_session_begin(secsip_sdes_session *session);

/** It was refused: keys and all are those of before it, whatever was agreed within it. Media that were SRTP stay so. Who has
 * sent media with the keys in between makes a new offer, so that both sides know where they are (RFC 6141 3.4).
 * @return 0, SECSIP_E_STATE (none has begun), SECSIP_E_INVALID. Since 0.1. */
secsip_result secsip_sdes_session_revert(secsip_sdes_session *session);

/** The next offer or answer makes a fresh key of ours: after our address changed (RFC 4568 7.1.4), or near the end of the
 * key's life.
 * @return 0, SECSIP_E_INVALID. Since 0.1. */
secsip_result secsip_sdes_session_rekey(secsip_sdes_session *session);

/** What is in force.
 * @param ret_agreement  size set by the caller
 * @return 0, SECSIP_E_NOT_FOUND (nothing yet), SECSIP_E_ABI. Since 0.1. */
secsip_result secsip_sdes_session_get_agreement(const secsip_sdes_session *session,
                                                secsip_sdes_agreement *ret_agreement);

/** A key in force, without its bytes. Its strings are valid until the next call on the session.
 * @param direction  SECSIP_SDES_KEY_TX or SECSIP_SDES_KEY_RX
 * @param n          0, and for RX up to n_rx_keys - 1
 * @param ret_key    size set by the caller
 * @return 0, SECSIP_E_NOT_FOUND, SECSIP_E_ABI. Since 0.1. */
secsip_result secsip_sdes_session_get_key(secsip_sdes_session *session, uint32_t direction,
                                          uint32_t n, secsip_sdes_key *ret_key);

/** The bytes of a key in force: master key, then master salt. They are a secret: wipe them when done, never log them.
 * @param out, cap  where they go; 46 bytes hold every key
 * @param ret_len   how many there are
 * @return 0, SECSIP_E_NOT_FOUND, SECSIP_E_LIMIT (cap). Since 0.1. */
secsip_result secsip_sdes_session_get_secret(const secsip_sdes_session *session, uint32_t direction,
                                             uint32_t n, void *out, size_t cap, size_t *ret_len);

#ifdef __cplusplus
}
#endif

#endif
