/* What is known of one synchronisation source we receive: sequence numbers and their cycles, loss, jitter (RFC 3550 6.4.1,
 * A.1, A.3, A.8). Layer: rtp. A value; owns nothing. */
#ifndef SSI_RTP_SOURCE_H
#define SSI_RTP_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

struct ssi_rtp_source {
    uint32_t ssrc;
    bool known; /* at least one packet was seen */
    uint16_t max_seq;
    uint32_t cycles; /* wraps, shifted up by 16 */
    uint32_t base_seq;
    uint32_t bad_seq;   /* the next one after a jump, if the jump is a restart */
    uint32_t probation; /* packets in sequence until the source is valid */
    uint32_t received;
    int64_t lost_before; /* of the time before a restart */
    uint32_t expected_prior, received_prior;
    bool timed; /* transit is known */
    uint32_t transit;
    uint32_t jitter; /* times 16, in timestamp units */
};

/* Begins with its first packet. */
void ssi_rtp_source_start(struct ssi_rtp_source *s, uint32_t ssrc, uint16_t seq);
/* RFC 3550 A.1: false while the source is not valid, and for a jump that may or may not be a restart. */
bool ssi_rtp_source_update(struct ssi_rtp_source *s, uint16_t seq);
/* RFC 3550 A.8: `arrival` is in timestamp units. */
void ssi_rtp_source_jitter(struct ssi_rtp_source *s, uint32_t timestamp, uint32_t arrival);
static inline bool ssi_rtp_source_valid(const struct ssi_rtp_source *s)
{
    return s->known && s->probation == 0;
}
/* Packets missing until now (RFC 3550 A.3), never below 0. */
uint64_t ssi_rtp_source_lost(const struct ssi_rtp_source *s);
/* The same for a report: signed, because duplicates count as received, and since the last restart only. */
int32_t ssi_rtp_source_lost_reported(const struct ssi_rtp_source *s);
/* Of 256, since the last call. */
uint8_t ssi_rtp_source_fraction(struct ssi_rtp_source *s);

#endif
