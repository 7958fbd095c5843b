/* SRTP sessions, one per direction, over libsrtp2 (RFC 3711, RFC 6188, RFC 7714). Layer: srtp. No type of libsrtp2 shows
 * here. A session is one thread's at a time and needs no stack. */
#ifndef SSI_SRTP_SRTP_H
#define SSI_SRTP_SRTP_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/secret.h"
#include "secsip/result.h"

/* Named as in RFC 4568; the same numbers as enum ssi_suite of lib/sdes, checked by a static assertion in lib/ua. */
enum ssi_srtp_suite {
    SSI_SRTP_NONE,
    SSI_SRTP_AES_CM_128_HMAC_SHA1_80,
    SSI_SRTP_AES_CM_128_HMAC_SHA1_32,
    SSI_SRTP_AES_192_CM_HMAC_SHA1_80,
    SSI_SRTP_AES_192_CM_HMAC_SHA1_32,
    SSI_SRTP_AES_256_CM_HMAC_SHA1_80,
    SSI_SRTP_AES_256_CM_HMAC_SHA1_32,
    SSI_SRTP_AEAD_AES_128_GCM,
    SSI_SRTP_AEAD_AES_256_GCM,
};

enum ssi_srtp_direction {
    SSI_SRTP_SEND,
    SSI_SRTP_RECEIVE,
};

enum {
    SSI_SRTP_TRAILER_MAX =
        16 + 4 + 128,       /* room that protect needs behind a packet: tag, SRTCP index, MKI */
    SSI_SRTP_KEYS_MAX = 16, /* live at a time; libsrtp2's limit */
    SSI_SRTP_MKI_MAX = 128,
};

struct ssi_srtp;

/* A further live key (RFC 3711 3.1): chosen by MKI, which has the length of the first one's. */
struct ssi_srtp_more_key {
    struct ssi_key key;
    uint8_t mki[SSI_SRTP_MKI_MAX];
    size_t mki_len;
    uint64_t lifetime;
};

struct ssi_srtp_config {
    enum ssi_srtp_direction direction;
    enum ssi_srtp_suite suite;
    struct ssi_key key; /* master key and salt; copied, wipe yours */
    uint8_t mki[SSI_SRTP_MKI_MAX];
    size_t mki_len; /* 0: none */
    uint64_t
        lifetime; /* packets of SRTP or of SRTCP, whichever are used up first; 0: 2^48 and 2^31 (RFC 3711 9.2) */
    uint32_t replay_window; /* 0: 128; 64 to 32768, rounded up to a multiple of 32 */
    uint32_t
        join_roc; /* receiving: roll-over counters up to this one are tried for a new SSRC; at most 64 */
    bool stock; /* libsrtp2's own ciphers instead of ours: for tests and comparisons */
    const struct ssi_srtp_more_key *more; /* n_more of them, at most 15; copied */
    size_t n_more;
    uint32_t max_ssrcs; /* 0: 32; at most 65536 */
    uint64_t
        soft_limit; /* packets left when a new key is due; 0: an eighth of the life, at most 2^20 */
    const uint8_t
        *encrypted_extensions; /* ids of header extensions to encrypt (RFC 6904); copied */
    size_t n_encrypted_extensions;
    /* What SDES can leave out (RFC 4568 6.3.2 to 6.3.4), only as negotiated and allowed; not with AEAD but for the second,
     * and never the first and the third together. */
    bool insecure_unencrypted_rtp, insecure_unencrypted_rtcp, insecure_unauthenticated_rtp;
};

struct ssi_srtp_stats {
    uint64_t rtp_ok, rtcp_ok;
    uint64_t auth_failed, replayed, too_short, refused;
    uint64_t resynced;            /* times that a lost roll-over counter was found again */
    uint64_t rtp_left, rtcp_left; /* packets until the end of the life of the key in use */
    uint64_t key_expired;         /* packets refused because that was over */
    uint64_t n_ssrcs;
};

/* How a lost roll-over counter was found again. */
enum ssi_srtp_found {
    SSI_SRTP_FOUND_NOTHING, /* none was lost */
    SSI_SRTP_FOUND_JOINED,  /* a stream that had rolled over before we heard of it */
    SSI_SRTP_FOUND_RESET,   /* the peer began with 0 again at a new key */
    SSI_SRTP_FOUND_RETURN, /* the sender went on where a key that came back, or a late packet, had left it */
    SSI_SRTP_FOUND_MISSED, /* roll-overs passed while nothing reached us */
};

/* Of one SSRC. What failed authentication is counted only for an SSRC that was authentic once. */
struct ssi_srtp_source_stats {
    uint32_t ssrc, roc;
    uint16_t seq;
    uint32_t rtcp_index;
    uint64_t
        next_index; /* roll-over counter and 16 bits of sequence number: never used by a sender, nor is any above */
    uint64_t rtp_ok, rtcp_ok, auth_failed, replayed;
    enum ssi_srtp_found found; /* the last time, */
    uint32_t found_instead;    /* and the roll-over counter that was expected */
};

/* Bits of ssi_srtp_life. */
enum {
    SSI_SRTP_DUE_RTP = 1 << 0, /* the soft limit: time for a new key */
    SSI_SRTP_DUE_RTCP = 1 << 1,
    SSI_SRTP_ENDED_RTP = 1 << 2, /* the hard limit of either: nothing more passes, both bits */
    SSI_SRTP_ENDED_RTCP = 1 << 3,
};

/* Of a port that both share: an RTCP packet type, 192 to 223 (RFC 5761 4). */
static inline bool ssi_srtp_is_rtcp(const uint8_t *packet, size_t len)
{
    return len >= 2 && packet[0] >> 6 == 2 && packet[1] >= 192 && packet[1] <= 223;
}
/* By its name of RFC 4568, RFC 6188 or RFC 7714, or SSI_SRTP_NONE. */
enum ssi_srtp_suite ssi_srtp_suite_of(struct ssi_slice name);
/* Whether sessions of this suite can be made: 0, SECSIP_E_SRTP_SUITE (AES-192 in a build with stock ciphers, for one),
 * SECSIP_E_NOMEM, SECSIP_E_SRTP_LIBRARY. */
secsip_result ssi_srtp_has(enum ssi_srtp_suite suite);
/* Master key and salt of a suite together, in bytes; 0 for a number that is no suite. */
size_t ssi_srtp_key_len(enum ssi_srtp_suite suite);
/* SECSIP_E_SRTP_SUITE (unknown, or AES-192 with the stock ciphers of a libsrtp2 before 2.8, which are not those of RFC 6188:
 * cisco/libsrtp#763), SECSIP_E_INVALID (key or MKI length, window), SECSIP_E_SRTP_LIBRARY, SECSIP_E_NOMEM. */
secsip_result ssi_srtp_new(const struct ssi_srtp_config *config, struct ssi_srtp **ret);
void ssi_srtp_free(struct ssi_srtp *s);
/* In place: *len bytes in a buffer of cap; on success *len is the new length. A failed protect leaves nothing that may be
 * sent: the buffer is wiped. A failed unprotect leaves the header, but the rest may be wiped: who wants to try the packet
 * with another session keeps a copy. Packets start at an address that is a multiple of 4 where the processor wants
 * that (x86 and arm64 do not). SECSIP_E_SRTP_*, SECSIP_E_RTP_SYNTAX, SECSIP_E_LIMIT (cap, or too many SSRCs),
 * SECSIP_E_STATE (the other direction's session). */
secsip_result ssi_srtp_protect_rtp(struct ssi_srtp *s, uint8_t *packet, size_t *len, size_t cap);
secsip_result ssi_srtp_protect_rtcp(struct ssi_srtp *s, uint8_t *packet, size_t *len, size_t cap);
secsip_result ssi_srtp_unprotect_rtp(struct ssi_srtp *s, uint8_t *packet, size_t *len);
secsip_result ssi_srtp_unprotect_rtcp(struct ssi_srtp *s, uint8_t *packet, size_t *len);
/* The roll-over counter of an SSRC whose first packet is still to come: who joins late is told it, or keeps it when a session
 * is made anew. SECSIP_E_STATE (RTP of this SSRC was seen: to set it back would use a key stream twice; or it was set),
 * SECSIP_E_LIMIT (too many SSRCs), SECSIP_E_NOMEM, SECSIP_E_SRTP_LIBRARY. */
secsip_result ssi_srtp_set_roc(struct ssi_srtp *s, uint32_t ssrc, uint32_t roc);
/* The roll-over counter and sequence number of the highest packet index; SECSIP_E_NOT_FOUND before the first packet. */
secsip_result ssi_srtp_get_index(const struct ssi_srtp *s, uint32_t ssrc, uint32_t *ret_roc,
                                 uint16_t *ret_seq);
/* Whether a packet of this SSRC was accepted or protected, or its roll-over counter was given or taken over. */
bool ssi_srtp_knows(const struct ssi_srtp *s, uint32_t ssrc);
/* A new key for a conversation that goes on (RFC 3711 3.3.1, 3.4): s, which has seen no packet yet, takes over the
 * roll-over counters and SRTCP indices of old. A sender's old is used up by that and protects nothing any more; a receiver's
 * old stays as it is, for packets that are still under way.
 *
 * Sessions that go on from one another, and from exported states, know all keys there were. A key that comes back, from
 * whichever session, is s's from then on, with what was sent or received under it, what is left of its life, and promises;
 * another session that still has it passes nothing more under it. So these sessions are one thread's at a time, together.
 * SSRCs that were silent during the life of a whole key are forgotten when there would be no room for others.
 *
 * SECSIP_E_SRTP_REUSE (the same key, or one of more than 16 keys ago, of which too little is known), SECSIP_E_STATE (other
 * direction, or s was used), SECSIP_E_LIMIT (SSRCs, or more than 16384 keys), SECSIP_E_NOMEM, SECSIP_E_SRTP_LIBRARY. After the last
 * two neither a sender's old nor s may pass anything any more. */
secsip_result ssi_srtp_continue(struct ssi_srtp *s, struct ssi_srtp *old);
/* Sends with the live key of this MKI from now on. SECSIP_E_NOT_FOUND, SECSIP_E_STATE (a receiver takes any). */
secsip_result ssi_srtp_use_key(struct ssi_srtp *s, const uint8_t *mki, size_t mki_len);
/* SSI_SRTP_DUE_* and SSI_SRTP_ENDED_*: of the key in use, or of any live key of a receiver. */
uint32_t ssi_srtp_life(const struct ssi_srtp *s);
/* See ssi_srtp_engine_replace. */
secsip_result ssi_srtp_replace_ciphers(void);
/* Begin to bring into the cache what the next packet of a session needs: its head, and later the rest. */
void ssi_srtp_fetch_head(const struct ssi_srtp *s);
void ssi_srtp_fetch(const struct ssi_srtp *s);
/* The whole state of a session, keys too, for who takes the conversation over; ssi_buf_free wipes it.
 *
 * A key stream must not be used twice, so a sender makes a promise. promised = 0: it hands over and protects nothing more.
 * Else, up to SSI_SRTP_PROMISE_MAX: it goes on, with at most so many more packet indices for each SSRC, for SRTP and for SRTCP, and with
 * no new SSRC (SECSIP_E_STATE, SECSIP_E_LIMIT), until the next export; who imports the state begins behind them, with the
 * SSRCs that it knows. A receiver goes on freely: promised is 0. Only the newest state may be imported, and once.
 * SECSIP_E_INVALID, SECSIP_E_STATE (continued by another session), SECSIP_E_NOMEM; the buffer is empty then. */
enum {
    SSI_SRTP_PROMISE_MAX = 16384 /* a receiver follows a jump of less than 2^15 (RFC 3711 3.3.1) */
};
secsip_result ssi_srtp_export(struct ssi_srtp *s, uint32_t promised, struct ssi_buf *b);
/* A session that goes on from such a state: roll-over counters, what was received last, lives of keys. The counters of
 * statistics begin anew. SECSIP_E_SRTP_STATE (damaged, or no state), SECSIP_E_UNSUPPORTED (of another version), and as
 * ssi_srtp_new. */
secsip_result ssi_srtp_import(struct ssi_slice bytes, struct ssi_srtp **ret);
/* Whether both have the same suite, direction and master keys: such a pair must never send side by side. */
bool ssi_srtp_same_key(const struct ssi_srtp *a, const struct ssi_srtp *b);
/* Whether one master key is in both, of whatever suite. */
bool ssi_srtp_shares_key(const struct ssi_srtp *a, const struct ssi_srtp *b);
/* The keys that a conversation has had, beyond the life of its sessions: of who holds them, until he drops them. SECSIP_E_NOMEM. */
struct ssi_srtp_line;
secsip_result ssi_srtp_hold_line(struct ssi_srtp *s, struct ssi_srtp_line **ret);
void ssi_srtp_line_drop(struct ssi_srtp_line *line);
/* A receiver that has seen no packet yet joins such a conversation without one to continue: a branch of a fork. A key that
 * was in use before goes on with its replay list. SECSIP_E_SRTP_REUSE (a living session has it, or its list is lost),
 * SECSIP_E_STATE, SECSIP_E_LIMIT, SECSIP_E_NOMEM, SECSIP_E_SRTP_LIBRARY. */
secsip_result ssi_srtp_join(struct ssi_srtp *s, struct ssi_srtp_line *line);
/* False where our ciphers run, true where libsrtp2's own do: asked for, or because ours could not be registered. */
bool ssi_srtp_is_stock(const struct ssi_srtp *s);
enum ssi_srtp_direction ssi_srtp_direction_of(const struct ssi_srtp *s);
struct ssi_srtp_stats ssi_srtp_stats(const struct ssi_srtp *s);
/* Of the n-th SSRC, from 0. SECSIP_E_NOT_FOUND. */
secsip_result ssi_srtp_source_stats(const struct ssi_srtp *s, uint32_t n,
                                    struct ssi_srtp_source_stats *ret);

#endif
