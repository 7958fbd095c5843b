/* Synchronisation sources, see source.h. Layer: rtp. */
#include "rtp/source.h"

/* RFC 3550 A.1. */
enum {
    MAX_DROPOUT = 3000,
    MAX_MISORDER = 100,
    MIN_SEQUENTIAL = 2,
    SEQ_MOD = 1 << 16
};

/* A value that no sequence number has. */
#define NO_BAD_SEQ ((uint32_t)SEQ_MOD + 1)

static void init_seq(struct ssi_rtp_source *s, uint16_t seq)
{
    s->base_seq = seq;
    s->max_seq = seq;
    s->bad_seq = NO_BAD_SEQ;
    s->cycles = 0;
    s->received = 0;
    s->received_prior = 0;
    s->expected_prior = 0;
}

void ssi_rtp_source_start(struct ssi_rtp_source *s, uint32_t ssrc, uint16_t seq)
{
    *s = (struct ssi_rtp_source){.ssrc = ssrc, .known = true};
    init_seq(s, seq);
    s->max_seq = (uint16_t)(seq - 1);
    s->probation = MIN_SEQUENTIAL;
}

bool ssi_rtp_source_update(struct ssi_rtp_source *s, uint16_t seq)
{
    uint16_t delta = (uint16_t)(seq - s->max_seq);

    if (s->probation > 0) {
        if (delta != 1) {
            s->probation = MIN_SEQUENTIAL - 1;
            s->max_seq = seq;
            return false;
        }
        s->probation--;
        s->max_seq = seq;
        if (s->probation > 0)
            return false;
        init_seq(s, seq);
    } else if (delta < MAX_DROPOUT) {
        if (seq < s->max_seq)
            s->cycles += SEQ_MOD;
        s->max_seq = seq;
    } else if (delta <= SEQ_MOD - MAX_MISORDER) {
        /* A very large jump: two packets in sequence mean that the other side began anew. */
        if (seq != s->bad_seq) {
            s->bad_seq = (seq + 1U) & (SEQ_MOD - 1);
            return false;
        }
        s->lost_before = (int64_t)ssi_rtp_source_lost(s);
        init_seq(s, seq);
    }
    s->received++;
    return true;
}

void ssi_rtp_source_jitter(struct ssi_rtp_source *s, uint32_t timestamp, uint32_t arrival)
{
    uint32_t transit = arrival - timestamp;
    uint32_t d = transit - s->transit;

    s->transit = transit;
    if (!s->timed) {
        s->timed = true;
        return;
    }
    if (d & 0x80000000U)
        d = 0 - d;
    s->jitter += d - ((s->jitter + 8) >> 4);
}

static int64_t expected(const struct ssi_rtp_source *s)
{
    return (int64_t)s->cycles + s->max_seq - s->base_seq + 1;
}

uint64_t ssi_rtp_source_lost(const struct ssi_rtp_source *s)
{
    int64_t lost = s->lost_before;

    if (ssi_rtp_source_valid(s) && expected(s) > s->received)
        lost += expected(s) - s->received;
    return lost > 0 ? (uint64_t)lost : 0;
}

int32_t ssi_rtp_source_lost_reported(const struct ssi_rtp_source *s)
{
    int64_t lost = expected(s) - s->received;

    if (lost > 0x7fffff)
        return 0x7fffff; /* 24 bits, RFC 3550 A.3 */
    return lost < -0x800000 ? -0x800000 : (int32_t)lost;
}

uint8_t ssi_rtp_source_fraction(struct ssi_rtp_source *s)
{
    int64_t all = expected(s);
    int64_t expected_interval = all - s->expected_prior;
    int64_t lost = expected_interval - (s->received - s->received_prior);

    s->expected_prior = (uint32_t)all;
    s->received_prior = s->received;
    if (expected_interval <= 0 || lost <= 0)
        return 0;
    lost = lost * 256 / expected_interval;
    return (uint8_t)(lost > 255 ? 255 : lost);
}
