/* Sessions and packets for the tests of lib/srtp. */
#ifndef TESTS_SRTP_COMMON_H
#define TESTS_SRTP_COMMON_H

#include "test.h"

#include "srtp/srtp.h"

enum {
    CAP = 2048
};

static inline struct ssi_srtp_config config_of(enum ssi_srtp_suite suite,
                                               enum ssi_srtp_direction direction, uint8_t key)
{
    struct ssi_srtp_config c = {.direction = direction, .suite = suite};

    c.key.len = (uint8_t)ssi_srtp_key_len(suite);
    for (uint8_t i = 0; i < c.key.len; i++)
        c.key.bytes[i] = (uint8_t)(i * 7 + key);
    return c;
}

static inline struct ssi_srtp *session(const struct ssi_srtp_config *c)
{
    struct ssi_srtp *s = NULL;

    assert_int_equal(ssi_srtp_new(c, &s), 0);
    return s;
}

static inline void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static inline size_t clear_rtp(uint8_t *p, uint32_t seq, uint32_t ssrc, size_t payload)
{
    memset(p, 0, 12);
    p[0] = 0x80;
    p[2] = (uint8_t)(seq >> 8);
    p[3] = (uint8_t)seq;
    put32(p + 8, ssrc);
    for (size_t i = 0; i < payload; i++)
        p[12 + i] = (uint8_t)(i * 31 + seq);
    return 12 + payload;
}

static inline size_t clear_rtcp(uint8_t *p, uint32_t ssrc, size_t words)
{
    memset(p, 0, 8 + 4 * words);
    p[0] = 0x80;
    p[1] = 201;
    p[3] = (uint8_t)(1 + words);
    put32(p + 4, ssrc);
    for (size_t i = 0; i < 4 * words; i++)
        p[8 + i] = (uint8_t)(i * 13 + 1);
    return 8 + 4 * words;
}

static inline size_t protected_rtp(struct ssi_srtp *tx, uint8_t *p, uint32_t seq, uint32_t ssrc)
{
    size_t len = clear_rtp(p, seq, ssrc, 60);

    assert_int_equal(ssi_srtp_protect_rtp(tx, p, &len, CAP), 0);
    return len;
}

static inline size_t protected_rtcp(struct ssi_srtp *tx, uint8_t *p, uint32_t ssrc)
{
    size_t len = clear_rtcp(p, ssrc, 5);

    assert_int_equal(ssi_srtp_protect_rtcp(tx, p, &len, CAP), 0);
    return len;
}

/* What becomes of a copy of the packet. */
static inline secsip_result received(struct ssi_srtp *rx, bool rtcp, const uint8_t *p, size_t len)
{
    uint8_t copy[CAP];

    memcpy(copy, p, len);
    return rtcp ? ssi_srtp_unprotect_rtcp(rx, copy, &len) : ssi_srtp_unprotect_rtp(rx, copy, &len);
}

#endif
