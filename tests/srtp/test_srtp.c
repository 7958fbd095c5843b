/* SRTP sessions: round trips, replay, truncation, forgery, reordering, roll-over, key life. */
#include "test.h"

#include "suites.h"

#include <stdlib.h>

#include "seed.h"
#include "srtp/srtp.h"

enum {
    CAP = 2048
};

static struct ssi_srtp_config config_of(enum ssi_srtp_suite suite,
                                        enum ssi_srtp_direction direction)
{
    struct ssi_srtp_config c = {.direction = direction, .suite = suite};

    c.key.len = (uint8_t)ssi_srtp_key_len(suite);
    for (uint8_t i = 0; i < c.key.len; i++)
        c.key.bytes[i] = (uint8_t)(i * 7 + suite);
    return c;
}

static struct ssi_srtp *session(const struct ssi_srtp_config *c)
{
    struct ssi_srtp *s = NULL;

    assert_int_equal(ssi_srtp_new(c, &s), 0);
    return s;
}

static struct ssi_srtp *simple(enum ssi_srtp_suite suite, enum ssi_srtp_direction direction)
{
    struct ssi_srtp_config c = config_of(suite, direction);

    return session(&c);
}

static size_t clear_rtp(uint8_t *p, uint16_t seq, uint32_t ssrc, size_t payload)
{
    memset(p, 0, 12);
    p[0] = 0x80;
    p[2] = (uint8_t)(seq >> 8);
    p[3] = (uint8_t)seq;
    for (int i = 0; i < 4; i++)
        p[8 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
    for (size_t i = 0; i < payload; i++)
        p[12 + i] = (uint8_t)(i * 31 + seq);
    return 12 + payload;
}

static size_t clear_rtcp(uint8_t *p, uint32_t ssrc, size_t words)
{
    memset(p, 0, 8 + 4 * words);
    p[0] = 0x80;
    p[1] = 201;
    p[3] = (uint8_t)(1 + words);
    for (int i = 0; i < 4; i++)
        p[4 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
    for (size_t i = 0; i < 4 * words; i++)
        p[8 + i] = (uint8_t)(i * 13);
    return 8 + 4 * words;
}

static size_t protected_rtp(struct ssi_srtp *tx, uint8_t *p, uint16_t seq, uint32_t ssrc,
                            size_t payload)
{
    size_t len = clear_rtp(p, seq, ssrc, payload);

    assert_int_equal(ssi_srtp_protect_rtp(tx, p, &len, CAP), 0);
    return len;
}

static void every_suite_round_trips_with_the_tag_lengths_of_the_rfcs(void **state)
{
    static const size_t rtp_tag[] = {0, 10, 4, 10, 4, 10, 4, 16, 16};
    static const size_t rtcp_tag[] = {0, 10, 10, 10, 10, 10, 10, 16, 16};

    (void)state;
    for (int suite = 1; suite <= SSI_SRTP_AEAD_AES_256_GCM; suite = next_suite(suite)) {
        struct ssi_srtp *tx = simple((enum ssi_srtp_suite)suite, SSI_SRTP_SEND);
        struct ssi_srtp *rx = simple((enum ssi_srtp_suite)suite, SSI_SRTP_RECEIVE);
        uint8_t p[CAP], clear[CAP];
        for (size_t n = 0; n < 300; n += 7) {
            size_t len = clear_rtp(clear, (uint16_t)n, 5, n), clear_len = len;
            memcpy(p, clear, len);
            assert_int_equal(ssi_srtp_protect_rtp(tx, p, &len, CAP), 0);
            assert_int_equal(len, clear_len + rtp_tag[suite]);
            assert_memory_equal(p, clear, 12);
            if (n > 16)
                assert_memory_not_equal(p + 12, clear + 12, n);
            assert_int_equal(ssi_srtp_unprotect_rtp(rx, p, &len), 0);
            assert_int_equal(len, clear_len);
            assert_memory_equal(p, clear, len);

            len = clear_len = clear_rtcp(clear, 5, n);
            memcpy(p, clear, len);
            assert_int_equal(ssi_srtp_protect_rtcp(tx, p, &len, CAP), 0);
            assert_int_equal(len, clear_len + rtcp_tag[suite] + 4);
            assert_int_equal(ssi_srtp_unprotect_rtcp(rx, p, &len), 0);
            assert_int_equal(len, clear_len);
            assert_memory_equal(p, clear, len);
        }
        assert_int_equal(ssi_srtp_stats(tx).rtp_ok, 43);
        assert_int_equal(ssi_srtp_stats(rx).rtcp_ok, 43);
        ssi_srtp_free(tx);
        ssi_srtp_free(rx);
    }
}

static void a_replayed_packet_is_refused_and_counted(void **state)
{
    (void)state;
    for (int suite = 1; suite <= SSI_SRTP_AEAD_AES_256_GCM; suite = next_suite(suite)) {
        struct ssi_srtp *tx = simple((enum ssi_srtp_suite)suite, SSI_SRTP_SEND);
        struct ssi_srtp *rx = simple((enum ssi_srtp_suite)suite, SSI_SRTP_RECEIVE);
        uint8_t wire[CAP], p[CAP];
        size_t len = protected_rtp(tx, wire, 1, 9, 160), n = len;
        memcpy(p, wire, len);
        assert_int_equal(ssi_srtp_unprotect_rtp(rx, p, &n), 0);
        n = len;
        memcpy(p, wire, len);
        assert_int_equal(ssi_srtp_unprotect_rtp(rx, p, &n), SECSIP_E_SRTP_REPLAY);
        len = n = clear_rtcp(wire, 9, 5);
        assert_int_equal(ssi_srtp_protect_rtcp(tx, wire, &len, CAP), 0);
        for (int i = 0; i < 2; i++) {
            n = len;
            memcpy(p, wire, len);
            assert_int_equal(ssi_srtp_unprotect_rtcp(rx, p, &n), i ? SECSIP_E_SRTP_REPLAY : 0);
        }
        assert_int_equal(ssi_srtp_stats(rx).replayed, 2);
        assert_int_equal(ssi_srtp_stats(rx).rtp_ok, 1);
        ssi_srtp_free(tx);
        ssi_srtp_free(rx);
    }
}

typedef secsip_result unprotect_fn(struct ssi_srtp *, uint8_t *, size_t *);

/* Refused in every form that differs from `wire`, then accepted as it is: the state was not changed. The heap copy has no
 * spare byte, so that a sanitizer sees a read past the end. */
static void check_mutations(struct ssi_srtp *rx, unprotect_fn *unprotect, const uint8_t *wire,
                            size_t len)
{
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *p = malloc(cut ? cut : 1);
        assert_non_null(p);
        size_t n = cut;
        memcpy(p, wire, cut);
        assert_true(unprotect(rx, p, &n) < 0);
        assert_int_equal(n, cut);
        free(p);
    }
    for (size_t at = 0; at < len; at++) {
        for (int bit = 0; bit < 8; bit++) {
            uint8_t *p = malloc(len);
            assert_non_null(p);
            size_t n = len;
            memcpy(p, wire, len);
            p[at] ^= (uint8_t)(1 << bit);
            assert_true(unprotect(rx, p, &n) < 0);
            free(p);
        }
    }
    uint8_t *p = malloc(len);
    assert_non_null(p);
    memcpy(p, wire, len);
    size_t n = len;
    assert_int_equal(unprotect(rx, p, &n), 0);
    free(p);
}

static void truncation_at_every_length_and_a_forged_bit_anywhere_are_refused(void **state)
{
    (void)state;
    for (int suite = 1; suite <= SSI_SRTP_AEAD_AES_256_GCM; suite = next_suite(suite)) {
        struct ssi_srtp *tx = simple((enum ssi_srtp_suite)suite, SSI_SRTP_SEND);
        struct ssi_srtp *rx = simple((enum ssi_srtp_suite)suite, SSI_SRTP_RECEIVE);
        uint8_t wire[CAP];
        size_t len = protected_rtp(tx, wire, 7, 11, 40);
        check_mutations(rx, ssi_srtp_unprotect_rtp, wire, len);
        len = clear_rtcp(wire, 11, 6);
        assert_int_equal(ssi_srtp_protect_rtcp(tx, wire, &len, CAP), 0);
        check_mutations(rx, ssi_srtp_unprotect_rtcp, wire, len);
        assert_int_equal(ssi_srtp_stats(rx).rtp_ok, 1);
        assert_int_equal(ssi_srtp_stats(rx).rtcp_ok, 1);
        assert_true(ssi_srtp_stats(rx).too_short > 0);
        assert_true(ssi_srtp_stats(rx).auth_failed > 0);
        ssi_srtp_free(tx);
        ssi_srtp_free(rx);
    }
}

static void nothing_of_a_forged_packet_is_left_in_clear(void **state)
{
    (void)state;
    for (int stock = 0; stock < 2; stock++) {
        struct ssi_srtp_config c = config_of(SSI_SRTP_AEAD_AES_128_GCM, SSI_SRTP_SEND);
        c.stock = stock;
        struct ssi_srtp *tx = session(&c);
        c.direction = SSI_SRTP_RECEIVE;
        struct ssi_srtp *rx = session(&c);
        uint8_t clear[CAP], p[CAP];
        size_t len = clear_rtp(clear, 1, 2, 160);
        memcpy(p, clear, len);
        assert_int_equal(ssi_srtp_protect_rtp(tx, p, &len, CAP), 0);
        p[len - 1] ^= 1;
        assert_int_equal(ssi_srtp_unprotect_rtp(rx, p, &len), SECSIP_E_SRTP_AUTH);
        for (size_t i = 12; i + 8 < 172; i++)
            assert_memory_not_equal(p + i, clear + i, 8);
        ssi_srtp_free(tx);
        ssi_srtp_free(rx);
    }
}

static void reordering_within_the_window_is_no_loss_and_beyond_it_is_refused(void **state)
{
    static uint8_t wire[400][256];
    size_t len[400];
    struct ssi_srtp *tx = simple(SSI_SRTP_AES_CM_128_HMAC_SHA1_80, SSI_SRTP_SEND);
    struct ssi_srtp_config c = config_of(SSI_SRTP_AES_CM_128_HMAC_SHA1_80, SSI_SRTP_RECEIVE);
    c.replay_window = 64;
    struct ssi_srtp *rx = session(&c);
    uint64_t seed = test_seed();

    (void)state;
    for (int i = 0; i < 400; i++) {
        len[i] = clear_rtp(wire[i], (uint16_t)(65300 + i), 3, 100);
        assert_int_equal(ssi_srtp_protect_rtp(tx, wire[i], &len[i], 256), 0);
    }
    /* Blocks of 32 in a random order each, across the roll-over of the sequence number. */
    for (int block = 0; block + 32 <= 384; block += 32) {
        int order[32];
        for (int i = 0; i < 32; i++)
            order[i] = i;
        for (uint32_t i = 31; i > 0; i--) {
            uint32_t j = test_below(&seed, i + 1);
            int swap = order[i];
            order[i] = order[j];
            order[j] = swap;
        }
        for (int i = 0; i < 32; i++) {
            int k = block + order[i];
            if (k == 100)
                continue; /* kept back */
            size_t n = len[k];
            assert_int_equal(ssi_srtp_unprotect_rtp(rx, wire[k], &n), 0);
        }
    }
    assert_int_equal(ssi_srtp_unprotect_rtp(rx, wire[100], &len[100]), SECSIP_E_SRTP_REPLAY);
    ssi_srtp_free(tx);
    ssi_srtp_free(rx);
}

static void the_roll_over_counter_goes_on_for_many_rounds(void **state)
{
    struct ssi_srtp *tx = simple(SSI_SRTP_AEAD_AES_256_GCM, SSI_SRTP_SEND);
    struct ssi_srtp *rx = simple(SSI_SRTP_AEAD_AES_256_GCM, SSI_SRTP_RECEIVE);
    uint8_t p[256], clear[256];

    (void)state;
    for (uint32_t i = 0; i < 40; i++) {
        uint16_t seq = (uint16_t)(i * 30000);
        size_t len = clear_rtp(clear, seq, 1, 20);
        memcpy(p, clear, len);
        assert_int_equal(ssi_srtp_protect_rtp(tx, p, &len, sizeof p), 0);
        assert_int_equal(ssi_srtp_unprotect_rtp(rx, p, &len), 0);
        assert_memory_equal(p, clear, len);
    }
    ssi_srtp_free(tx);
    ssi_srtp_free(rx);
}

static bool is_zero(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i])
            return false;
    return true;
}

/* FIELD 4, cisco/libsrtp#600 and #424: what a jump back must never do on the sending side. */
static void one_key_ssrc_and_index_never_protect_twice(void **state)
{
    (void)state;
    for (int suite = 1; suite <= SSI_SRTP_AEAD_AES_256_GCM; suite = next_suite(suite)) {
        struct ssi_srtp *tx = simple((enum ssi_srtp_suite)suite, SSI_SRTP_SEND);
        uint8_t p[256];
        for (uint16_t seq = 1000; seq < 1300; seq++)
            (void)protected_rtp(tx, p, seq, 4, 20);
        for (uint16_t seq = 1000; seq < 1300; seq++) {
            size_t len = clear_rtp(p, seq, 4, 20);
            assert_int_equal(ssi_srtp_protect_rtp(tx, p, &len, sizeof p), SECSIP_E_SRTP_REUSE);
            assert_true(is_zero(p, 32 + 16));
        }
        (void)protected_rtp(tx, p, 1300, 4, 20);
        (void)protected_rtp(tx, p, 1000, 5, 20); /* another SSRC is another key stream */
        ssi_srtp_free(tx);
    }
}

static void a_packet_too_big_for_its_buffer_is_refused_and_wiped(void **state)
{
    (void)state;
    for (int suite = 1; suite <= SSI_SRTP_AEAD_AES_256_GCM; suite = next_suite(suite)) {
        struct ssi_srtp *tx = simple((enum ssi_srtp_suite)suite, SSI_SRTP_SEND);
        for (size_t cap = 0; cap < 64; cap++) {
            uint8_t *p = malloc(cap ? cap : 1); /* exactly: a sanitizer sees a write past the end */
            assert_non_null(p);
            uint8_t clear[64];
            size_t len = clear_rtp(clear, (uint16_t)(cap + 1), 1, 20);
            if (cap >= len) {
                memcpy(p, clear, len);
                secsip_result r = ssi_srtp_protect_rtp(tx, p, &len, cap);
                assert_true(r == 0 ? len <= cap : r == SECSIP_E_LIMIT && is_zero(p, 32));
            }
            len = clear_rtcp(clear, 1, 3);
            if (cap >= len) {
                memcpy(p, clear, len);
                secsip_result r = ssi_srtp_protect_rtcp(tx, p, &len, cap);
                assert_true(r == 0 ? len <= cap : r == SECSIP_E_LIMIT && is_zero(p, 20));
            }
            free(p);
        }
        ssi_srtp_free(tx);
    }
}

static void what_is_not_rtp_is_not_protected(void **state)
{
    struct ssi_srtp *tx = simple(SSI_SRTP_AES_CM_128_HMAC_SHA1_80, SSI_SRTP_SEND);
    uint8_t p[CAP];
    size_t len = clear_rtp(p, 1, 1, 20);

    (void)state;
    p[0] = 0x40; /* version 1 */
    assert_int_equal(ssi_srtp_protect_rtp(tx, p, &len, CAP), SECSIP_E_RTP_SYNTAX);
    len = clear_rtp(p, 1, 1, 20);
    p[0] = 0x8f; /* more CSRCs than bytes */
    assert_int_equal(ssi_srtp_protect_rtp(tx, p, &len, CAP), SECSIP_E_RTP_SYNTAX);
    len = clear_rtp(p, 1, 1, 20);
    p[0] = 0x90;
    p[15] = 200; /* an extension longer than the packet */
    assert_int_equal(ssi_srtp_protect_rtp(tx, p, &len, CAP), SECSIP_E_RTP_SYNTAX);
    for (len = 0; len < 12; len++) {
        size_t n = len;
        memset(p, 0x80, 12);
        assert_int_equal(ssi_srtp_protect_rtp(tx, p, &n, CAP), SECSIP_E_RTP_SYNTAX);
    }
    len = 10;
    (void)clear_rtcp(p, 1, 1);
    assert_int_equal(ssi_srtp_protect_rtcp(tx, p, &len, CAP), SECSIP_E_RTP_SYNTAX);
    assert_int_equal(ssi_srtp_stats(tx).refused, 16);
    ssi_srtp_free(tx);
}

static void the_other_direction_is_refused(void **state)
{
    struct ssi_srtp *tx = simple(SSI_SRTP_AES_CM_128_HMAC_SHA1_80, SSI_SRTP_SEND);
    struct ssi_srtp *rx = simple(SSI_SRTP_AES_CM_128_HMAC_SHA1_80, SSI_SRTP_RECEIVE);
    uint8_t p[CAP];
    size_t len = clear_rtp(p, 1, 1, 20);

    (void)state;
    assert_int_equal(ssi_srtp_protect_rtp(rx, p, &len, CAP), SECSIP_E_STATE);
    assert_true(is_zero(p, len));
    len = clear_rtcp(p, 1, 4);
    assert_int_equal(ssi_srtp_protect_rtcp(rx, p, &len, CAP), SECSIP_E_STATE);
    len = 100;
    assert_int_equal(ssi_srtp_unprotect_rtp(tx, p, &len), SECSIP_E_STATE);
    assert_int_equal(ssi_srtp_unprotect_rtcp(tx, p, &len), SECSIP_E_STATE);
    ssi_srtp_free(tx);
    ssi_srtp_free(rx);
}

/* FIELD 6, cisco/libsrtp#761: SRTCP counts against the lifetime too. FIELD 9: |2^n is enforced. The tenth packet of SRTP ends
 * the key for SRTCP as well. */
static void the_key_stops_at_the_end_of_its_life(void **state)
{
    struct ssi_srtp_config c = config_of(SSI_SRTP_AES_CM_128_HMAC_SHA1_80, SSI_SRTP_SEND);
    uint8_t p[CAP];
    size_t len;

    (void)state;
    c.lifetime = 10;
    struct ssi_srtp *tx = session(&c);
    c.direction = SSI_SRTP_RECEIVE;
    c.lifetime = 5;
    struct ssi_srtp *rx = session(&c);
    for (uint16_t i = 0; i < 10; i++) {
        len = protected_rtp(tx, p, i, 1, 20);
        assert_int_equal(ssi_srtp_unprotect_rtp(rx, p, &len),
                         i < 5 ? 0 : SECSIP_E_SRTP_KEY_EXPIRED);
        len = clear_rtcp(p, 1, 4);
        assert_int_equal(ssi_srtp_protect_rtcp(tx, p, &len, CAP),
                         i < 9 ? 0 : SECSIP_E_SRTP_KEY_EXPIRED);
        if (i < 9)
            assert_int_equal(ssi_srtp_unprotect_rtcp(rx, p, &len),
                             i < 4 ? 0 : SECSIP_E_SRTP_KEY_EXPIRED);
    }
    len = clear_rtp(p, 10, 1, 20);
    assert_int_equal(ssi_srtp_protect_rtp(tx, p, &len, CAP), SECSIP_E_SRTP_KEY_EXPIRED);
    assert_true(is_zero(p, len));
    len = clear_rtcp(p, 1, 4);
    assert_int_equal(ssi_srtp_protect_rtcp(tx, p, &len, CAP), SECSIP_E_SRTP_KEY_EXPIRED);
    assert_true(is_zero(p, len));
    ssi_srtp_free(tx);
    ssi_srtp_free(rx);
}

static void the_srtcp_index_grows_by_one_with_the_e_bit_set(void **state)
{
    (void)state;
    for (int suite = 1; suite <= SSI_SRTP_AEAD_AES_256_GCM; suite = next_suite(suite)) {
        struct ssi_srtp *tx = simple((enum ssi_srtp_suite)suite, SSI_SRTP_SEND);
        struct ssi_srtp *rx = simple((enum ssi_srtp_suite)suite, SSI_SRTP_RECEIVE);
        bool aead = suite >= SSI_SRTP_AEAD_AES_128_GCM;
        for (uint32_t i = 1; i <= 20; i++) {
            uint8_t p[CAP];
            size_t len = clear_rtcp(p, 1, 4);
            assert_int_equal(ssi_srtp_protect_rtcp(tx, p, &len, CAP), 0);
            const uint8_t *index = p + len - (aead ? 4 : 14);
            assert_int_equal(index[0], 0x80);
            assert_int_equal(index[3], i);
            assert_int_equal(ssi_srtp_unprotect_rtcp(rx, p, &len), 0);
        }
        ssi_srtp_free(tx);
        ssi_srtp_free(rx);
    }
}

static void many_ssrcs_are_told_apart_and_their_number_is_bounded(void **state)
{
    struct ssi_srtp *tx = simple(SSI_SRTP_AEAD_AES_128_GCM, SSI_SRTP_SEND);
    struct ssi_srtp *rx = simple(SSI_SRTP_AEAD_AES_128_GCM, SSI_SRTP_RECEIVE);
    uint8_t p[CAP];

    (void)state;
    for (uint16_t seq = 100; seq < 110; seq++)
        for (uint32_t ssrc = 0; ssrc < 32; ssrc++) {
            size_t len = protected_rtp(tx, p, (uint16_t)(seq + 2000 * ssrc), ssrc, 50);
            assert_int_equal(ssi_srtp_unprotect_rtp(rx, p, &len), 0);
        }
    size_t len = clear_rtp(p, 1, 99, 50);
    assert_int_equal(ssi_srtp_protect_rtp(tx, p, &len, CAP), SECSIP_E_LIMIT);
    struct ssi_srtp *other = simple(SSI_SRTP_AEAD_AES_128_GCM, SSI_SRTP_SEND);
    len = protected_rtp(other, p, 1, 99, 50);
    assert_int_equal(ssi_srtp_unprotect_rtp(rx, p, &len), SECSIP_E_LIMIT);
    ssi_srtp_free(other);
    ssi_srtp_free(tx);
    ssi_srtp_free(rx);
}

/* FIELD 8, asterisk/asterisk#825. */
static void an_mki_is_written_and_demanded(void **state)
{
    static const enum ssi_srtp_suite suites[] = {SSI_SRTP_AES_CM_128_HMAC_SHA1_80,
                                                 SSI_SRTP_AEAD_AES_256_GCM};

    (void)state;
    for (size_t k = 0; k < 2; k++) {
        struct ssi_srtp_config c = config_of(suites[k], SSI_SRTP_SEND);
        uint8_t p[CAP], clear[CAP];
        c.mki_len = 4;
        memcpy(c.mki, "\x01\x02\x03\x04", 4);
        struct ssi_srtp *tx = session(&c);
        c.direction = SSI_SRTP_RECEIVE;
        struct ssi_srtp *rx = session(&c);
        c.mki[3] = 5;
        struct ssi_srtp *other = session(&c);
        size_t len = clear_rtp(clear, 1, 1, 160), n;
        memcpy(p, clear, len);
        assert_int_equal(ssi_srtp_protect_rtp(tx, p, &len, CAP), 0);
        assert_int_equal(len, 172 + 4 + (k ? 16 : 10));
        assert_memory_equal(p + (k ? 188 : 172), "\x01\x02\x03\x04", 4);
        n = len;
        uint8_t copy[CAP];
        memcpy(copy, p, len);
        assert_int_equal(ssi_srtp_unprotect_rtp(other, copy, &n), SECSIP_E_SRTP_MKI);
        assert_int_equal(ssi_srtp_unprotect_rtp(rx, p, &len), 0);
        assert_int_equal(len, 172);
        assert_memory_equal(p, clear, 172);
        len = n = clear_rtcp(clear, 1, 5);
        memcpy(p, clear, len);
        assert_int_equal(ssi_srtp_protect_rtcp(tx, p, &len, CAP), 0);
        assert_int_equal(ssi_srtp_unprotect_rtcp(rx, p, &len), 0);
        assert_int_equal(len, n);
        assert_memory_equal(p, clear, n);
        ssi_srtp_free(tx);
        ssi_srtp_free(rx);
        ssi_srtp_free(other);
    }
}

/* UNENCRYPTED_SRTCP is not negotiated, so that a packet that carries a right tag and no encryption is refused as well. */
static void srtcp_without_the_e_bit_is_refused(void **state)
{
    (void)state;
    for (int suite = 1; suite <= SSI_SRTP_AEAD_AES_256_GCM; suite = next_suite(suite)) {
        struct ssi_srtp *tx = simple((enum ssi_srtp_suite)suite, SSI_SRTP_SEND);
        struct ssi_srtp *rx = simple((enum ssi_srtp_suite)suite, SSI_SRTP_RECEIVE);
        uint8_t p[CAP];
        size_t len = clear_rtcp(p, 1, 4);
        assert_int_equal(ssi_srtp_protect_rtcp(tx, p, &len, CAP), 0);
        p[len - (suite >= SSI_SRTP_AEAD_AES_128_GCM ? 4 : 14)] &= 0x7f;
        assert_int_equal(ssi_srtp_unprotect_rtcp(rx, p, &len), SECSIP_E_SRTP_AUTH);
        ssi_srtp_free(tx);
        ssi_srtp_free(rx);
    }
}

static void wrong_configurations_are_named(void **state)
{
    struct ssi_srtp_config c = config_of(SSI_SRTP_AES_CM_128_HMAC_SHA1_80, SSI_SRTP_SEND);
    struct ssi_srtp *s = NULL;

    (void)state;
    c.key.len = 28;
    assert_int_equal(ssi_srtp_new(&c, &s), SECSIP_E_INVALID);
    c.key.len = 30;
    c.replay_window = 63;
    assert_int_equal(ssi_srtp_new(&c, &s), SECSIP_E_INVALID);
    c.replay_window = 32769;
    assert_int_equal(ssi_srtp_new(&c, &s), SECSIP_E_INVALID);
    c.replay_window = 32768;
    c.mki_len = 129;
    assert_int_equal(ssi_srtp_new(&c, &s), SECSIP_E_INVALID);
    c.mki_len = 128;
    c.suite = SSI_SRTP_NONE;
    assert_int_equal(ssi_srtp_new(&c, &s), SECSIP_E_SRTP_SUITE);
    c.suite = (enum ssi_srtp_suite)77;
    assert_int_equal(ssi_srtp_new(&c, &s), SECSIP_E_SRTP_SUITE);
    assert_null(s);
    ssi_srtp_free(NULL);
}

static void the_same_key_is_recognised(void **state)
{
    struct ssi_srtp *a = simple(SSI_SRTP_AES_CM_128_HMAC_SHA1_80, SSI_SRTP_SEND);
    struct ssi_srtp *b = simple(SSI_SRTP_AES_CM_128_HMAC_SHA1_80, SSI_SRTP_SEND);
    struct ssi_srtp_config c = config_of(SSI_SRTP_AES_CM_128_HMAC_SHA1_80, SSI_SRTP_SEND);
    c.key.bytes[29] ^= 1;
    struct ssi_srtp *other = session(&c);

    (void)state;
    assert_true(ssi_srtp_same_key(a, b));
    assert_false(ssi_srtp_same_key(a, other));
    ssi_srtp_free(a);
    ssi_srtp_free(b);
    ssi_srtp_free(other);
}

/* FIELD 1 and 2, pjsip/pjproject#4522 and #2682: who joins after a roll-over must be told of it. */
static void a_roll_over_counter_can_be_given_and_is_carried_on(void **state)
{
    (void)state;
    for (int suite = 1; suite <= SSI_SRTP_AEAD_AES_256_GCM; suite = next_suite(suite)) {
        struct ssi_srtp *tx = simple((enum ssi_srtp_suite)suite, SSI_SRTP_SEND);
        struct ssi_srtp *rx = simple((enum ssi_srtp_suite)suite, SSI_SRTP_RECEIVE);
        struct ssi_srtp *late = simple((enum ssi_srtp_suite)suite, SSI_SRTP_RECEIVE);
        uint8_t p[CAP], copy[CAP];
        uint32_t roc = 0;
        uint16_t seq = 0;
        assert_int_equal(ssi_srtp_get_index(tx, 6, &roc, &seq), SECSIP_E_NOT_FOUND);
        assert_int_equal(ssi_srtp_set_roc(tx, 6, 70000), 0);
        assert_int_equal(ssi_srtp_set_roc(rx, 6, 70000), 0);
        for (uint32_t i = 65530; i < 65550; i++) {
            size_t len = protected_rtp(tx, p, (uint16_t)i, 6, 30), n = len;
            memcpy(copy, p, len);
            assert_int_equal(ssi_srtp_unprotect_rtp(late, copy, &n), SECSIP_E_SRTP_AUTH);
            assert_int_equal(ssi_srtp_unprotect_rtp(rx, p, &len), 0);
        }
        assert_int_equal(ssi_srtp_get_index(rx, 6, &roc, &seq), 0);
        assert_int_equal(roc, 70001);
        assert_int_equal(seq, 13);
        /* Never back. */
        assert_int_equal(ssi_srtp_set_roc(tx, 6, 70000), SECSIP_E_STATE);
        ssi_srtp_free(tx);
        ssi_srtp_free(rx);
        ssi_srtp_free(late);
    }
}

static void the_last_packet_index_is_the_last(void **state)
{
    struct ssi_srtp *tx = simple(SSI_SRTP_AES_CM_128_HMAC_SHA1_80, SSI_SRTP_SEND);
    uint8_t p[CAP];

    (void)state;
    assert_int_equal(ssi_srtp_set_roc(tx, 6, UINT32_MAX), 0);
    (void)protected_rtp(tx, p, 65534, 6, 30);
    (void)protected_rtp(tx, p, 65535, 6, 30);
    size_t len = clear_rtp(p, 0, 6, 30);
    assert_int_equal(ssi_srtp_protect_rtp(tx, p, &len, CAP), SECSIP_E_SRTP_KEY_EXPIRED);
    (void)protected_rtp(tx, p, 0, 7, 30);
    ssi_srtp_free(tx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_suite_round_trips_with_the_tag_lengths_of_the_rfcs),
        cmocka_unit_test(a_replayed_packet_is_refused_and_counted),
        cmocka_unit_test(truncation_at_every_length_and_a_forged_bit_anywhere_are_refused),
        cmocka_unit_test(nothing_of_a_forged_packet_is_left_in_clear),
        cmocka_unit_test(reordering_within_the_window_is_no_loss_and_beyond_it_is_refused),
        cmocka_unit_test(the_roll_over_counter_goes_on_for_many_rounds),
        cmocka_unit_test(one_key_ssrc_and_index_never_protect_twice),
        cmocka_unit_test(a_packet_too_big_for_its_buffer_is_refused_and_wiped),
        cmocka_unit_test(what_is_not_rtp_is_not_protected),
        cmocka_unit_test(the_other_direction_is_refused),
        cmocka_unit_test(the_key_stops_at_the_end_of_its_life),
        cmocka_unit_test(the_srtcp_index_grows_by_one_with_the_e_bit_set),
        cmocka_unit_test(many_ssrcs_are_told_apart_and_their_number_is_bounded),
        cmocka_unit_test(an_mki_is_written_and_demanded),
        cmocka_unit_test(srtcp_without_the_e_bit_is_refused),
        cmocka_unit_test(wrong_configurations_are_named),
        cmocka_unit_test(the_same_key_is_recognised),
        cmocka_unit_test(a_roll_over_counter_can_be_given_and_is_carried_on),
        cmocka_unit_test(the_last_packet_index_is_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
