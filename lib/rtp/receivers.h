/* The receiving SRTP sessions of a stream: one per answer of a forked call, each with the key before it for a while.
 * Layer: rtp, seen by its own files only. Owns the sessions.
 *
 * A call that forks gets an answer of each branch, each with a key of its own (RFC 4568 5.1.3), and early media of any of
 * them may come at once: which key a packet was made with is not written in it. Its SSRC says it when a session has seen
 * that SSRC; authentication says it the first time. */
#ifndef SSI_RTP_RECEIVERS_H
#define SSI_RTP_RECEIVERS_H

#include "srtp/srtp.h"

enum {
    SSI_RTP_FORKS_MAX = 8
};

struct ssi_rtp_receiver {
    uint32_t fork; /* the owner's name for it */
    struct ssi_srtp *now;
    struct ssi_srtp *before; /* of the key before, NULL for none */
    uint64_t before_until_us;
};

struct ssi_rtp_receivers {
    struct ssi_rtp_receiver all[SSI_RTP_FORKS_MAX];
    uint32_t n;
    struct ssi_srtp_line *line; /* all keys there were, from the second fork on; NULL before */
    bool forgot;                /* for want of memory it lacks some: no new fork */
};

void ssi_rtp_receivers_free(struct ssi_rtp_receivers *r);
/* NULL when this fork has none. */
struct ssi_rtp_receiver *ssi_rtp_receivers_find(struct ssi_rtp_receivers *r, uint32_t fork);
/* Before rx is given to the fork: what can fail. Roll-over counters go on where the fork has a session (RFC 3711 3.3.1).
 * A key that was in use before, of this fork or of one that is gone, goes on with its replay list. SECSIP_E_LIMIT (too many forks),
 * SECSIP_E_SRTP_REUSE (a key of another fork), and as ssi_srtp_continue. */
secsip_result ssi_rtp_receivers_prepare(struct ssi_rtp_receivers *r, uint32_t fork,
                                        struct ssi_srtp *rx);
/* After prepare. Takes rx over; what comes under the fork's key before is accepted until until_us. True when it has one. */
bool ssi_rtp_receivers_adopt(struct ssi_rtp_receivers *r, uint32_t fork, struct ssi_srtp *rx,
                             uint64_t until_us);
/* Forgets the fork, or all but it. */
void ssi_rtp_receivers_drop(struct ssi_rtp_receivers *r, uint32_t fork);
void ssi_rtp_receivers_keep(struct ssi_rtp_receivers *r, uint32_t fork);
/* Forgets the keys whose time is over; when the next one's is, UINT64_MAX for never. */
uint64_t ssi_rtp_receivers_expire(struct ssi_rtp_receivers *r, uint64_t now_us);
/* Opens a packet in place with whichever session can. On success *ret_fork says whose it was, and *ret_before whether it
 * came under the key of before. A failure is that of the likeliest session. */
secsip_result ssi_rtp_receivers_open(struct ssi_rtp_receivers *r, bool rtcp, uint8_t *packet,
                                     size_t *len, uint32_t *ret_fork, bool *ret_before);

#endif
