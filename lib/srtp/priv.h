/* What an SRTP session is made of. Layer: srtp, inside only. */
#ifndef SSI_SRTP_PRIV_H
#define SSI_SRTP_PRIV_H

#include "srtp/engine.h"

enum {
    SSI_SRTP_SSRC_FEW = 1,       /* without an allocation of their own */
    SSI_SRTP_SSRC_DEFAULT = 32,  /* each one costs memory: a peer may not choose how much */
    SSI_SRTP_SSRC_MAX = 1 << 16, /* that a configuration can ask for */
    SSI_SRTP_SHARD = 64,         /* SSRCs that one session of libsrtp2 looks through, one by one */
    SSI_SRTP_LINE = 64,          /* of a cache */
    SSI_SRTP_SEEN = 64, /* packet indices below the highest whose fate is remembered here */
};

/* One synchronisation source, with the highest packet index seen (RFC 3711 3.3.1). What every packet needs comes first. */
struct ssi_srtp_source {
    uint32_t ssrc;
    uint32_t roc;
    uint16_t seq;
    uint16_t shard;   /* which session of libsrtp2 has it */
    bool started : 1; /* RTP was seen, not only RTCP; roc and seq are where its sender stands */
    bool
        pending : 1; /* no RTP passed under these keys yet: libsrtp2 is still to be told roc, with the next packet */
    bool prepared : 1;   /* libsrtp2 has keys of its own for it, not those for any SSRC */
    bool leaving : 1;    /* at a new key: it was silent for too long */
    uint8_t failed;      /* packets in a row that were forged or old, at most UINT8_MAX */
    uint8_t idle;        /* keys in a row under which nothing came, at most UINT8_MAX */
    uint8_t found;       /* enum ssi_srtp_found, of the last time */
    uint32_t rtcp_index; /* the highest of SRTCP; 0 before the first */
    uint32_t rtcp_floor; /* as floor and taken, for SRTCP */
    uint64_t floor;      /* RTP indices below it were another session's: refused as `taken` says */
    uint64_t taken;      /* bit i: index floor - 1 - i was used; lower ones count as used */
    uint64_t seen;       /* bit i: the highest index less i was accepted by this session */
    uint64_t rtp_ok;
    uint64_t
        horizon; /* sending: RTP indices from it less 1 on are promised to who imports the state; 0: none are */
    uint64_t rtcp_taken, rtcp_seen;
    uint64_t rtcp_ok, auth_failed, replayed;
    uint32_t rtcp_horizon;  /* the same: SRTCP indices from it on */
    uint32_t found_instead; /* of this roll-over counter, which was the likely one */
    uint64_t hint; /* another index at which the sender may stand, as far as is known; 0: none */
};

/* A master key and what is left of its life, in packets: of SRTP and of SRTCP, and nothing of either once one of the two is
 * used up ("whichever occurs before", RFC 3711 9.2). */
struct ssi_srtp_live_key {
    uint64_t rtp_left, rtcp_left;
    uint64_t rtp_soft, rtcp_soft; /* left when a new key is due */
    struct ssi_key key;
    uint8_t *mki; /* s->mki_len bytes */
};

/* One packet less, of those that `left` counts. */
static inline void ssi_srtp_spend(struct ssi_srtp_live_key *k, uint64_t *left)
{
    if (--*left == 0)
        k->rtp_left = k->rtcp_left = 0;
}

/* Packets that were refused, and how often a lost roll-over counter was found. */
struct ssi_srtp_failures {
    uint64_t auth_failed, replayed, too_short, key_expired, refused, resynced;
};

/* What every packet needs stands first, and the ciphers of the first key follow behind it: with thousands of sessions each
 * cache line counts. One block of memory, a multiple of a line; MKIs and further keys stand at its end. */
struct ssi_srtp {
    srtp_t ctx;
    const struct ssi_srtp_suite_info *suite;
    struct ssi_srtp_source *sources; /* few, or on the heap */
    struct ssi_srtp_live_key *keys;  /* n_keys of them */
    uint32_t n_sources;
    enum ssi_srtp_direction direction;
    uint8_t mki_len;
    uint8_t n_keys;
    uint8_t use; /* sending: the key in use */
    bool stock;
    uint8_t rtp_tag_len, rtcp_tag_len;
    bool clear_rtcp;    /* SRTCP is authenticated only */
    uint8_t room_units; /* of 16 bytes; half of them are for the ciphers of SRTP, half for SRTCP */
    const void
        *outside[2]; /* keys of the ciphers of SRTP and SRTCP that GnuTLS has, NULL for none */
    struct ssi_srtp_source few[SSI_SRTP_SSRC_FEW];
    struct ssi_srtp_live_key first;
    uint64_t rtp_ok, rtcp_ok;
    struct ssi_srtp_failures failures;

    srtp_t rtcp_ctx; /* NULL, or the one for SRTCP: see needs_rtcp_ctx */
    srtp_t *more;    /* of libsrtp2's sessions, beyond the first SSI_SRTP_SHARD SSRCs */
    uint32_t *index; /* of sources by SSRC, open addressing, number plus one; NULL for few */
    int *extensions; /* that are encrypted, RFC 6904 */
    struct ssi_srtp_line *line; /* NULL before the first new key, see line.h */
    uint32_t n_more, n_extensions;
    uint32_t index_mask;
    uint32_t cap_sources, max_sources;
    uint32_t window;
    uint32_t size; /* of the block */
    uint8_t join_roc;
    bool clear_rtp, no_auth_rtp;
    bool closed; /* exported, or imported from who may still send: no more SSRCs */
};

enum {
    SSI_SRTP_ROOM_UNIT = 16
};

/* Room for ciphers, behind the session. The expanded key of AES-CM begins with a cache line; AES-GCM has its own elsewhere. */
static inline size_t ssi_srtp_room_at(const struct ssi_srtp_suite_info *suite)
{
    size_t whole = suite->aead ? SSI_SRTP_ROOM_UNIT : SSI_SRTP_LINE;

    return (sizeof(struct ssi_srtp) + whole - 1) / whole * whole;
}

static inline uint8_t *ssi_srtp_room(const struct ssi_srtp *s)
{
    return (uint8_t *)s + ssi_srtp_room_at(s->suite);
}

static inline size_t ssi_srtp_room_len(const struct ssi_srtp *s)
{
    return (size_t)s->room_units * SSI_SRTP_ROOM_UNIT;
}

/* A policy and what it points to. */
struct ssi_srtp_keyed_policy {
    srtp_policy_t policy;
    srtp_master_key_t master[SSI_SRTP_KEYS_MAX];
    srtp_master_key_t *masters[SSI_SRTP_KEYS_MAX];
};

/* For one SSRC (ssrc_specific) or for any. */
void ssi_srtp_fill_policy(struct ssi_srtp *s, struct ssi_srtp_keyed_policy *k,
                          srtp_ssrc_type_t type, uint32_t ssrc);
/* What the ciphers of a session of libsrtp2 are to be. */
struct ssi_srtp_form ssi_srtp_form_of(const struct ssi_srtp *s);
/* libsrtp2's session for a source. */
static inline srtp_t ssi_srtp_ctx(const struct ssi_srtp *s, const struct ssi_srtp_source *src)
{
    return src->shard == 0 ? s->ctx : s->more[src->shard - 1];
}

struct ssi_srtp_source *ssi_srtp_find_source(const struct ssi_srtp *s, uint32_t ssrc);
/* Room for one SSRC more: SECSIP_E_LIMIT, SECSIP_E_NOMEM, SECSIP_E_SRTP_LIBRARY. May move the sources. */
secsip_result ssi_srtp_make_room(struct ssi_srtp *s);
/* After make_room: where a packet of an SSRC that is not known goes. */
srtp_t ssi_srtp_ctx_for_new(const struct ssi_srtp *s);
/* After make_room. */
struct ssi_srtp_source *ssi_srtp_add_source(struct ssi_srtp *s, uint32_t ssrc);
/* Forgets the source that was added last. */
void ssi_srtp_remove_last(struct ssi_srtp *s);
/* Forgets those that are leaving, which do not come back under these keys, here and in libsrtp2. */
void ssi_srtp_remove_leaving(struct ssi_srtp *s);
/* libsrtp2 forgets an SSRC. */
void ssi_srtp_forget_stream(const struct ssi_srtp *s, const struct ssi_srtp_source *src);
/* The roll-over counter of a packet, from its sequence number and the highest index before it (RFC 3711 3.3.1 and
 * appendix A). More than 32 bits when the index is used up. */
uint64_t ssi_srtp_guess_roc(const struct ssi_srtp_source *src, uint16_t seq);
/* After a packet was protected, or found authentic, with this roll-over counter. */
void ssi_srtp_advance_source(const struct ssi_srtp *s, struct ssi_srtp_source *src, uint32_t roc,
                             uint16_t seq);
void ssi_srtp_advance_rtcp(struct ssi_srtp_source *src, uint32_t index);
/* Whether another session has used this index: see `floor`. */
static inline bool ssi_srtp_taken(uint64_t index, uint64_t floor, uint64_t taken)
{
    return index < floor &&
           (floor - 1 - index >= SSI_SRTP_SEEN || taken >> (floor - 1 - index) & 1);
}
/* One SSRC more, with keys of its own in libsrtp2, so that its roll-over counter can be set. */
secsip_result ssi_srtp_add_prepared(struct ssi_srtp *s, uint32_t ssrc,
                                    struct ssi_srtp_source **ret);
/* The same, with the SRTCP index that was sent last, which goes on (carry.c). */
secsip_result ssi_srtp_add_at(struct ssi_srtp *s, uint32_t ssrc, uint32_t rtcp_index,
                              struct ssi_srtp_source **ret);

/* One attempt of libsrtp2; *len is changed on success only. */
secsip_result ssi_srtp_try_rtp(struct ssi_srtp *s, srtp_t ctx, uint8_t *packet, size_t *len);

/* ---- Roll-over counters other than the likely one (probe.c) */

enum {
    SSI_SRTP_PROBE_MAX = 2048
}; /* longer packets are tried once */

/* Whether a packet of this source (NULL: a new one) that is refused is worth more attempts. */
bool ssi_srtp_may_probe(const struct ssi_srtp *s, const struct ssi_srtp_source *src);
/* Tries them; the packet is `copy`, of *len bytes, and is made anew in `packet` for each. On success *ret_roc is the one
 * that was right. SECSIP_E_SRTP_AUTH when none was. No index is tried that was used before. */
secsip_result ssi_srtp_probe(struct ssi_srtp *s, struct ssi_srtp_source *src, uint8_t *packet,
                             size_t *len, const uint8_t *copy, uint32_t *ret_roc);

#endif
