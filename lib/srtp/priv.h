/* What an SRTP session is made of. Layer: srtp, inside only. */
#ifndef SSI_SRTP_PRIV_H
#define SSI_SRTP_PRIV_H

#include "srtp/engine.h"

enum {
    SSI_SRTP_SSRC_FEW = 2,  /* without an allocation of their own */
    SSI_SRTP_SSRC_MAX = 32, /* each one costs memory: a peer may not choose how much */
};

/* One synchronisation source, with the highest packet index seen (RFC 3711 3.3.1). */
struct ssi_srtp_source {
    uint32_t ssrc;
    uint32_t roc;
    uint16_t seq;
    bool started;   /* RTP was seen, not only RTCP */
    bool pending;   /* libsrtp2 is still to be told the roll-over counter, with the next packet */
    bool prepared;  /* libsrtp2 has keys of its own for it, not those for any SSRC */
    uint8_t failed; /* packets in a row that were forged or old, at most UINT8_MAX */
    uint64_t floor; /* sending: lower packet indices may have been used with this key before */
};

/* What every packet needs stands first: with thousands of sessions each cache line counts. */
struct ssi_srtp {
    srtp_t ctx;
    const struct ssi_srtp_suite_info *suite;
    enum ssi_srtp_direction direction;
    bool stock;
    uint8_t mki_len;
    uint32_t n_sources;
    struct ssi_srtp_source *sources; /* few, or on the heap */
    struct ssi_srtp_source few[SSI_SRTP_SSRC_FEW];
    struct ssi_srtp_stats stats;
    uint32_t window;
    uint32_t join_roc;
    struct ssi_key key;
    uint8_t mki[]; /* mki_len of them */
};

/* A policy and what it points to. */
struct ssi_srtp_keyed_policy {
    srtp_policy_t policy;
    srtp_master_key_t master;
    srtp_master_key_t *masters[1];
};

/* For one SSRC (ssrc_specific) or for any. */
void ssi_srtp_fill_policy(struct ssi_srtp *s, struct ssi_srtp_keyed_policy *k,
                          srtp_ssrc_type_t type, uint32_t ssrc);

struct ssi_srtp_source *ssi_srtp_find_source(const struct ssi_srtp *s, uint32_t ssrc);
/* Room for one SSRC more: SECSIP_E_LIMIT, SECSIP_E_NOMEM. May move the sources. */
secsip_result ssi_srtp_make_room(struct ssi_srtp *s);
/* After make_room. */
struct ssi_srtp_source *ssi_srtp_add_source(struct ssi_srtp *s, uint32_t ssrc);
/* The roll-over counter of a packet, from its sequence number and the highest index before it (RFC 3711 3.3.1 and
 * appendix A). More than 32 bits when the index is used up. */
uint64_t ssi_srtp_guess_roc(const struct ssi_srtp_source *src, uint16_t seq);
/* After a packet was protected, or found authentic, with this roll-over counter. */
void ssi_srtp_advance_source(struct ssi_srtp_source *src, uint32_t roc, uint16_t seq);
/* One SSRC more, with keys of its own in libsrtp2, so that its roll-over counter can be set. */
secsip_result ssi_srtp_add_prepared(struct ssi_srtp *s, uint32_t ssrc,
                                    struct ssi_srtp_source **ret);

/* One attempt of libsrtp2; *len is changed on success only. */
secsip_result ssi_srtp_try_rtp(struct ssi_srtp *s, uint8_t *packet, size_t *len);

/* ---- Roll-over counters other than the likely one (probe.c) */

enum {
    SSI_SRTP_PROBE_MAX = 2048
}; /* longer packets are tried once */

/* Whether a packet of this source (NULL: a new one) that is refused is worth more attempts. */
bool ssi_srtp_may_probe(const struct ssi_srtp *s, const struct ssi_srtp_source *src);
/* Tries them; the packet is `copy`, of *len bytes, and is made anew in `packet` for each. On success *ret_roc is the one
 * that was right. SECSIP_E_SRTP_AUTH when none was. */
secsip_result ssi_srtp_probe(struct ssi_srtp *s, struct ssi_srtp_source *src, uint8_t *packet,
                             size_t *len, const uint8_t *copy, uint32_t *ret_roc);

#endif
