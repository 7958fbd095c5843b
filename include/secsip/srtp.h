/* SRTP sessions by themselves: no stack, no signalling. SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A session protects or unprotects the RTP and RTCP of one direction with one master key (RFC 3711, RFC 6188, RFC 7714), for
 * as many SSRCs as it is told to keep. Keys for the two directions differ, so a conversation has two sessions. A session is one
 * thread's at a time, and so are those together that continue one another; all others are independent, and none ever calls back. No packet causes an allocation but the
 * first of an SSRC.
 *
 * Packets are worked on in place; the functions that end in _copy leave the input as it is. They may start at any address on x86 and arm64; elsewhere at a multiple of 4.
 *
 * The suites: "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AES_192_CM_HMAC_SHA1_80", "AES_192_CM_HMAC_SHA1_32",
 * "AES_256_CM_HMAC_SHA1_80", "AES_256_CM_HMAC_SHA1_32", "AEAD_AES_128_GCM", "AEAD_AES_256_GCM"; and "NULL_HMAC_SHA1_80" and
 * "NULL_HMAC_SHA1_32", of no RFC, which encrypt nothing, where the options allow both unencrypted forms. */
#ifndef SECSIP_SRTP_H
#define SECSIP_SRTP_H

#include <stddef.h>
#include <stdint.h>

#include <secsip/result.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct secsip_srtp secsip_srtp;

/** The direction of a session. */
enum {
    SECSIP_SRTP_SEND = 0,
    SECSIP_SRTP_RECEIVE = 1,
};

/** Room behind a packet that is enough for any suite and key: tag, SRTCP index, MKI. */
enum {
    SECSIP_SRTP_TRAILER_MAX = 148,
};

/** Bits of secsip_srtp_config.options. */
enum {
    /** The arithmetic of libsrtp2 instead of ours: same packets, slower */
    SECSIP_SRTP_STOCK_CIPHERS = 1 << 0,
    /* Protection that is left out (RFC 4568 6.3.2 to 6.3.4). In a configuration they say what form the packets have; with an
     * a=crypto line they say what may be, and the line says what is. With GCM only the second exists (RFC 7714); the first and
     * the third together would be clear RTP and are refused. */
    SECSIP_SRTP_INSECURE_UNENCRYPTED_RTP = 1 << 1,  /**< RTP is authenticated only */
    SECSIP_SRTP_INSECURE_UNENCRYPTED_RTCP = 1 << 2, /**< RTCP is authenticated only */
    SECSIP_SRTP_INSECURE_UNAUTHENTICATED_RTP =
        1 << 3, /**< RTP is encrypted only: anybody can change it unseen */
    /** With an a=crypto line: NULL_HMAC_SHA1_80 and _32, which no RFC has, are taken: nothing is encrypted */
    SECSIP_SRTP_INSECURE_NULL_CIPHER = 1 << 4,
};

/** What a packet is. */
enum {
    SECSIP_SRTP_RTP = 0,
    SECSIP_SRTP_RTCP = 1,
    SECSIP_SRTP_EITHER = 2, /**< both share a port: its payload type says it (RFC 5761 4) */
};

/** Bits of secsip_srtp_get_life(). */
enum {
    SECSIP_SRTP_DUE_RTP = 1 << 0,   /**< the soft limit of SRTP is reached: agree on a new key */
    SECSIP_SRTP_DUE_RTCP = 1 << 1,  /**< the same of SRTCP */
    SECSIP_SRTP_ENDED_RTP = 1 << 2, /**< the key's life is over: no SRTP packet passes any more */
    SECSIP_SRTP_ENDED_RTCP =
        1 << 3, /**< no SRTCP packet does; the two come together, RFC 3711 9.2 */
};

/** A live key beside the first (RFC 3711 3.1), known by its MKI. */
typedef struct secsip_srtp_key {
    size_t size;
    const uint8_t *key; /**< master key, then master salt; copied */
    size_t key_len;     /**< as the first one's */
    const uint8_t *mki; /**< copied */
    size_t mki_len;     /**< as the first one's */
    uint64_t lifetime;  /**< as secsip_srtp_config.lifetime */
} secsip_srtp_key;

/** How a session is made. Zero what you do not use. */
typedef struct secsip_srtp_config {
    size_t size;
    int32_t direction;  /**< SECSIP_SRTP_SEND or SECSIP_SRTP_RECEIVE */
    const char *suite;  /**< a name from the list above */
    const uint8_t *key; /**< master key, then master salt; copied */
    size_t key_len;     /**< 30, 38 or 46 bytes with HMAC-SHA1; 28 or 44 with GCM */
    const uint8_t *mki; /**< RFC 3711 3.1; copied. NULL: none */
    size_t mki_len;     /**< 0 to 128 bytes */
    uint64_t
        lifetime; /**< packets of SRTP or of SRTCP, whichever are used up first (RFC 3711 9.2); 0: 2^48 and 2^31 - 1, more is cut to that */
    uint32_t replay_window; /**< packets, 64 to 32768; 0: 128. Rounded up to a multiple of 32 */
    uint32_t
        join_roc; /**< receiving: roll-over counters from 1 to this one are tried for a new SSRC; at most 64 */
    uint32_t options; /**< SECSIP_SRTP_* bits */
    uint32_t
        max_ssrcs; /**< 0: 32; at most 65536. Each takes memory: about 100 bytes here, 400 in libsrtp2 */
    const secsip_srtp_key
        *more_keys; /**< live keys beside the first; the first is sent with until told otherwise */
    size_t n_more_keys; /**< 0 to 15 */
    uint64_t
        soft_limit; /**< packets left when a new key is due; 0: an eighth of the life, at most 2^20 */
    const uint8_t *
        encrypted_extensions; /**< ids, 1 to 255, of the header extensions that are encrypted (RFC 6904) */
    size_t n_encrypted_extensions;
} secsip_srtp_config;

/** What a session has done, in packets. */
typedef struct secsip_srtp_stats {
    size_t size;
    uint64_t rtp_ok;
    uint64_t rtcp_ok;
    uint64_t auth_failed;
    uint64_t replayed;
    uint64_t too_short;
    uint64_t refused;     /**< for any other reason */
    uint64_t resynced;    /**< times that a lost roll-over counter was found again */
    uint64_t rtp_left;    /**< packets until the key's life ends */
    uint64_t rtcp_left;   /**< the same for SRTCP */
    uint64_t key_expired; /**< packets refused because the key's life was over */
    uint64_t n_ssrcs;
} secsip_srtp_stats;

/** How a lost roll-over counter was found again: secsip_srtp_stats.resynced says how often, the SSRC's statistics say what. */
enum {
    SECSIP_SRTP_FOUND_NOTHING = 0, /**< none was lost */
    SECSIP_SRTP_FOUND_JOINED = 1,  /**< the stream had rolled over before its first packet came */
    SECSIP_SRTP_FOUND_RESET = 2,   /**< the peer began with 0 again at a new key */
    SECSIP_SRTP_FOUND_RETURN =
        3, /**< the sender went on from where a key that came back, or a late packet, had left it */
    SECSIP_SRTP_FOUND_MISSED = 4, /**< roll-overs passed while nothing arrived */
};

/** The same of one SSRC. */
typedef struct secsip_srtp_ssrc_stats {
    size_t size;
    uint32_t ssrc;
    uint32_t roc; /**< of the highest packet index */
    uint32_t seq;
    uint32_t rtcp_index; /**< the highest SRTCP index; 0: none yet */
    uint64_t rtp_ok;
    uint64_t rtcp_ok;
    uint64_t auth_failed; /**< counted once a packet of this SSRC was authentic */
    uint64_t replayed;
    /** roll-over counter, then 16 bits of sequence number: this index and all above were never used. Who has imported a
     * sender's state begins here */
    uint64_t next_index;
    uint32_t
        found; /**< SECSIP_SRTP_FOUND_*: how its roll-over counter was found again, the last time */
    uint32_t found_instead; /**< the counter that was expected then */
} secsip_srtp_ssrc_stats;

/** A new session.
 * @param config    size set by the caller; everything is copied: wipe your key
 * @param ret_srtp  where the session goes; free it with secsip_srtp_free()
 * @return 0, SECSIP_E_SRTP_SUITE (unknown, or not to be had: AES_192 with the stock ciphers of libsrtp2 before 2.8),
 *         SECSIP_E_INVALID (NULL, a wrong key or MKI length, window or direction), SECSIP_E_ABI, SECSIP_E_NOMEM,
 *         SECSIP_E_SRTP_LIBRARY. Any thread. Since 0.1. */
secsip_result secsip_srtp_new(const secsip_srtp_config *config, secsip_srtp **ret_srtp);

/** For a program that owns its process: libsrtp2's own AES counter mode and HMAC-SHA1 are replaced by ours, for every user of
 * libsrtp2 in the process. Packets stay the same; everybody's are made faster, and so are new sessions, whose keys are derived
 * with it. Without this call others keep what libsrtp2 has. Call it once, before there are threads.
 * @return 0, SECSIP_E_SRTP_LIBRARY. Since 0.1. */
secsip_result secsip_srtp_replace_ciphers(void);

/** A new session from the value of an a=crypto attribute: suite, keys, lifetimes, MKIs, window and forms are taken from it. Of
 * several keys a sender begins with the first and a receiver takes all. RFC 4568.
 * @param crypto, len  "1 AES_CM_128_HMAC_SHA1_80 inline:...", with or without "a=crypto:" before it; a secret: wipe yours
 * @param direction    SECSIP_SRTP_SEND or SECSIP_SRTP_RECEIVE
 * @param options      as in secsip_srtp_config
 * @return 0, SECSIP_E_SDES_* (what is wrong with the line, or leaves protection out that options do not name), and as
 *         secsip_srtp_new(). Any thread. Since 0.1. */
secsip_result secsip_srtp_new_from_crypto(const char *crypto, size_t len, int32_t direction,
                                          uint32_t options, secsip_srtp **ret_srtp);

/** Wipes and frees. NULL is legal. Since 0.1. */
void secsip_srtp_free(secsip_srtp *srtp);

/** Protects an RTP packet. One SSRC and packet index are never protected twice.
 * @param packet  the packet; on failure it is wiped, so that it cannot be sent by mistake
 * @param len     its length in bytes, changed to the new one on success
 * @param cap     bytes that packet has room for: len + SECSIP_SRTP_TRAILER_MAX is always enough
 * @return 0, SECSIP_E_STATE (a receiver's session), SECSIP_E_RTP_SYNTAX (not an RTP packet), SECSIP_E_LIMIT (no room, or too
 *         many SSRCs), SECSIP_E_SRTP_REUSE (the index was used before, or is too far back to tell),
 *         SECSIP_E_SRTP_KEY_EXPIRED, SECSIP_E_INVALID (NULL), SECSIP_E_NOMEM, SECSIP_E_SRTP_LIBRARY. RFC 3711 3.3.
 *         Since 0.1. */
secsip_result secsip_srtp_protect_rtp(secsip_srtp *srtp, uint8_t *packet, size_t *len, size_t cap);

/** The same for RTCP, a whole compound packet. RFC 3711 3.4. Since 0.1. */
secsip_result secsip_srtp_protect_rtcp(secsip_srtp *srtp, uint8_t *packet, size_t *len, size_t cap);

/** Unprotects an SRTP packet.
 * @param packet  on success the RTP packet; on failure all but the header may be wiped: keep a copy where another session
 *                is to be tried
 * @param len     its length in bytes, changed to the new one on success
 * @return 0, SECSIP_E_SRTP_AUTH, SECSIP_E_SRTP_REPLAY, SECSIP_E_SRTP_SHORT, SECSIP_E_SRTP_MKI, SECSIP_E_RTP_SYNTAX,
 *         SECSIP_E_SRTP_KEY_EXPIRED, SECSIP_E_LIMIT (too many SSRCs), SECSIP_E_STATE (a sender's session),
 *         SECSIP_E_INVALID (NULL), SECSIP_E_NOMEM, SECSIP_E_SRTP_LIBRARY. RFC 3711 3.3. Since 0.1. */
secsip_result secsip_srtp_unprotect_rtp(secsip_srtp *srtp, uint8_t *packet, size_t *len);

/** The same for SRTCP. A packet that is not encrypted is refused, authentic or not. RFC 3711 3.4. Since 0.1. */
secsip_result secsip_srtp_unprotect_rtcp(secsip_srtp *srtp, uint8_t *packet, size_t *len);

/** Whether a packet of a port that RTP and RTCP share is RTCP: a payload type of 192 to 223 (RFC 5761 4).
 * @return 1 for RTCP, 0 for anything else. Any thread. Since 0.1. */
int32_t secsip_srtp_is_rtcp(const uint8_t *packet, size_t len);

/** Protects a packet into another buffer.
 * @param kind       SECSIP_SRTP_RTP, _RTCP or _EITHER
 * @param in, len    the clear packet, left as it is
 * @param out, cap   where the protected one goes; must not overlap; wiped on failure
 * @param ret_len    its length
 * @return as secsip_srtp_protect_rtp(); SECSIP_E_LIMIT too where len is above cap. Since 0.1. */
secsip_result secsip_srtp_protect_copy(secsip_srtp *srtp, int32_t kind, const uint8_t *in,
                                       size_t len, uint8_t *out, size_t cap, size_t *ret_len);

/** Unprotects a packet into another buffer, of at least len bytes.
 * @return as secsip_srtp_unprotect_rtp(), and SECSIP_E_LIMIT (len is above cap). Since 0.1. */
secsip_result secsip_srtp_unprotect_copy(secsip_srtp *srtp, int32_t kind, const uint8_t *in,
                                         size_t len, uint8_t *out, size_t cap, size_t *ret_len);

/** Sends with another live key from now on. Receivers take any live key.
 * @param mki, mki_len  of a key that the session was made with
 * @return 0, SECSIP_E_NOT_FOUND, SECSIP_E_STATE (a receiver's session), SECSIP_E_INVALID. RFC 3711 8.2. Since 0.1. */
secsip_result secsip_srtp_use_key(secsip_srtp *srtp, const uint8_t *mki, size_t mki_len);

/** How the life of the key in use stands, of a receiver that of all its live keys. Cheap: ask after every packet.
 * @return a sum of SECSIP_SRTP_DUE_RTP and its like; 0: no new key is needed yet, or NULL. Since 0.1. */
uint32_t secsip_srtp_get_life(const secsip_srtp *srtp);

/** A new key for a conversation that goes on: roll-over counters and SRTCP indices of the old session go on in the new one. A
 * sender's old session is used up by that and protects nothing any more; a receiver's old one stays as it is, for packets
 * that are still under way. RFC 3711 3.3.1.
 *
 * Sessions that continue one another, also those that were exported and imported between, remember their keys. One that lives
 * in both sessions, or comes back after others (RFC 6141), belongs to the new session from then on, with what was sent and
 * received under it, its promises (secsip_srtp_export()), and what is left of its life; under the sessions that had it nothing
 * passes any more. SSRCs that were silent during a whole key are forgotten when there would be no room for others. Free all
 * sessions in the end, in any order.
 * @param srtp  the new session, which has seen no packet yet
 * @param old   the session before it, of the same direction
 * @return 0, SECSIP_E_SRTP_REUSE (the key is the same, or one before the last 16, of which too little is known),
 *         SECSIP_E_STATE (directions differ, or srtp was used), SECSIP_E_INVALID, SECSIP_E_LIMIT (SSRCs, or more than 16384
 *         keys), SECSIP_E_NOMEM, SECSIP_E_SRTP_LIBRARY; after these two srtp, and old if it sends, may pass nothing any more.
 *         Since 0.1. */
secsip_result secsip_srtp_continue(secsip_srtp *srtp, secsip_srtp *old);

/** Sets the roll-over counter of an SSRC before its first RTP packet, for who joins late. RFC 3711 3.3.1.
 * @param ssrc, roc  in host order
 * @return 0, SECSIP_E_STATE (RTP of this SSRC was seen already, or its counter was set), SECSIP_E_LIMIT (too many SSRCs), SECSIP_E_INVALID,
 *         SECSIP_E_NOMEM, SECSIP_E_SRTP_LIBRARY. Since 0.1. */
secsip_result secsip_srtp_set_roc(secsip_srtp *srtp, uint32_t ssrc, uint32_t roc);

/** The roll-over counter of an SSRC, as of its packet with the highest index.
 * @return 0, SECSIP_E_NOT_FOUND (no packet of this SSRC yet), SECSIP_E_INVALID. Since 0.1. */
secsip_result secsip_srtp_get_roc(const secsip_srtp *srtp, uint32_t ssrc, uint32_t *ret_roc);

/** What the session has done. @param ret_stats  size set by the caller. @return 0, SECSIP_E_ABI, SECSIP_E_INVALID.
 * Since 0.1. */
secsip_result secsip_srtp_get_stats(const secsip_srtp *srtp, secsip_srtp_stats *ret_stats);

/** What was done for the n-th SSRC, from 0 to n_ssrcs - 1, in the order of their coming.
 * @param ret_stats  size set by the caller
 * @return 0, SECSIP_E_NOT_FOUND, SECSIP_E_ABI, SECSIP_E_INVALID. Since 0.1. */
secsip_result secsip_srtp_get_ssrc_stats(const secsip_srtp *srtp, uint32_t n,
                                         secsip_srtp_ssrc_stats *ret_stats);

/* ---- Many packets at once */

/** One packet of secsip_srtp_run(). */
typedef struct secsip_srtp_job {
    size_t size;       /**< the same in all jobs of a call */
    secsip_srtp *srtp; /**< a sender protects, a receiver unprotects */
    int32_t kind;      /**< SECSIP_SRTP_RTP, _RTCP or _EITHER */
    int32_t result;    /**< set: as that of secsip_srtp_protect_rtp() and its like */
    uint8_t *packet;   /**< worked on in place */
    size_t len;        /**< set to the new length on success */
    size_t cap;        /**< of packet */
} secsip_srtp_job;

/** Works through packets in their order, of one session or of many. The keys of the next packet's session are fetched while
 * one is worked on: with thousands of sessions that is what costs most.
 * @return how many failed, or SECSIP_E_INVALID (NULL), SECSIP_E_ABI (nothing was done then). Since 0.1. */
int32_t secsip_srtp_run(secsip_srtp_job *jobs, size_t n);

/* ---- The state of a session, for who takes a conversation over */

typedef struct secsip_srtp_state secsip_srtp_state;

/** How many packets an exporting sender may promise. */
enum {
    SECSIP_SRTP_PROMISE_MAX = 16384,
};

/** The whole state of a session: keys, roll-over counters, what was received last, lives of keys. As secret as the keys.
 *
 * One key, SSRC and index must never protect twice, so a sender makes a promise. With promised = 0 it hands over: this session
 * protects nothing more. Else it goes on, for each SSRC with at most so many more indices of SRTP and of SRTCP, and with
 * no new SSRC, until the next export (SECSIP_E_STATE, SECSIP_E_LIMIT); who imports the state begins behind them
 * (secsip_srtp_ssrc_stats.next_index), with the SSRCs that the state knows. Of several states only the newest may be
 * imported, and that once. A receiver goes on freely.
 * @param promised   0 to SECSIP_SRTP_PROMISE_MAX; 0 for a receiver
 * @param ret_state  free it with secsip_srtp_state_free()
 * @return 0, SECSIP_E_STATE (the session was continued by another), SECSIP_E_NOMEM, SECSIP_E_INVALID. Since 0.1. */
secsip_result secsip_srtp_export(secsip_srtp *srtp, uint32_t promised,
                                 secsip_srtp_state **ret_state);

/** @param ret_len  how many bytes there are. @return the bytes of a state, as long as it lives; NULL for NULL. Since 0.1. */
const uint8_t *secsip_srtp_state_get_bytes(const secsip_srtp_state *state, size_t *ret_len);

/** Wipes and frees. NULL is legal. Since 0.1. */
void secsip_srtp_state_free(secsip_srtp_state *state);

/** A session that goes on from an exported state. Statistics begin anew.
 * @param bytes, len  of secsip_srtp_state_get_bytes(); wipe yours
 * @return 0, SECSIP_E_SRTP_STATE (damaged, cut short, or no state), SECSIP_E_UNSUPPORTED (of another version),
 *         SECSIP_E_INVALID, and as secsip_srtp_new(). Since 0.1. */
secsip_result secsip_srtp_import(const uint8_t *bytes, size_t len, secsip_srtp **ret_srtp);

/* ---- Two legs: what a PBX between two secure phones does */

typedef struct secsip_srtp_bridge secsip_srtp_bridge;

/** The only value that lets a tap see anything: the parties know of it and agreed. */
enum {
    SECSIP_SRTP_CONSENT_GIVEN = 0x59455321,
};

/** One direction between two legs: packets of `from` go out under the key and suite of `to`. SSRC, sequence numbers and
 * timestamps stay. Both sessions are borrowed, and must outlive the bridge.
 * @param from  a receiver's session, of the leg that sends
 * @param to    a sender's session, of the leg that listens
 * @return 0, SECSIP_E_INVALID (NULL, or a wrong direction), SECSIP_E_SRTP_REUSE (one key for both legs), SECSIP_E_NOMEM.
 *         Since 0.1. */
secsip_result secsip_srtp_bridge_new(secsip_srtp *from, secsip_srtp *to,
                                     secsip_srtp_bridge **ret_bridge);

/** Frees the bridge, not its sessions. NULL is legal. Since 0.1. */
void secsip_srtp_bridge_free(secsip_srtp_bridge *bridge);

/** Other sessions from now on, after a new key on one leg: see secsip_srtp_continue(). NULL keeps the one there is.
 * @return as secsip_srtp_bridge_new(). Since 0.1. */
secsip_result secsip_srtp_bridge_set(secsip_srtp_bridge *bridge, secsip_srtp *from,
                                     secsip_srtp *to);

/** Shows every packet that is authentic to a tap, in clear. Without consent nothing is shown, and an earlier tap is gone.
 * @param consent  SECSIP_SRTP_CONSENT_GIVEN; anything else is none
 * @param tap      NULL takes it away; called inside secsip_srtp_bridge_pass(), with SECSIP_SRTP_RTP or _RTCP and the packet,
 *                 valid during the call; what it keeps must not be kept longer than consent goes
 * @return 0, SECSIP_E_PERMISSION (a tap without consent), SECSIP_E_INVALID. Since 0.1. */
secsip_result secsip_srtp_bridge_tap(secsip_srtp_bridge *bridge, uint32_t consent,
                                     void (*tap)(int32_t kind, const uint8_t *packet, size_t len,
                                                 void *user_data),
                                     void *user_data);

/** Takes a protected packet of one leg and makes it one of the other, in place.
 * @param kind    SECSIP_SRTP_RTP, _RTCP or _EITHER
 * @param packet  on failure it is wiped but for the header, so that nothing of it can be sent
 * @param len     its length in bytes, changed to the new one on success
 * @param cap     bytes that packet has room for
 * @return 0, or the result of the leg that refused: as secsip_srtp_unprotect_rtp() and secsip_srtp_protect_rtp(). Since 0.1. */
secsip_result secsip_srtp_bridge_pass(secsip_srtp_bridge *bridge, int32_t kind, uint8_t *packet,
                                      size_t *len, size_t cap);

/** The lives of both keys: secsip_srtp_get_life() of `from`, and that of `to` shifted up by 8. Since 0.1. */
uint32_t secsip_srtp_bridge_get_life(const secsip_srtp_bridge *bridge);

#ifdef __cplusplus
}
#endif

#endif
