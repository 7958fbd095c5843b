/* Keys that change and roll-over counters that get lost: what RFC 3711 3.3.1 wants, and what peers do. */
#include "test.h"

#include "suites.h"

#include <stdlib.h>

#include "reference.h"
#include "srtp/srtp.h"

enum {
    CAP = 512
};

static struct ssi_srtp_config config_of(enum ssi_srtp_suite suite,
                                        enum ssi_srtp_direction direction, uint8_t key)
{
    struct ssi_srtp_config c = {.direction = direction, .suite = suite};

    c.key.len = (uint8_t)ssi_srtp_key_len(suite);
    for (uint8_t i = 0; i < c.key.len; i++)
        c.key.bytes[i] = (uint8_t)(i * 3 + key);
    return c;
}

static struct ssi_srtp *session(enum ssi_srtp_suite suite, enum ssi_srtp_direction direction,
                                uint8_t key)
{
    struct ssi_srtp_config c = config_of(suite, direction, key);
    struct ssi_srtp *s = NULL;

    assert_int_equal(ssi_srtp_new(&c, &s), 0);
    return s;
}

static size_t clear_rtp(uint8_t *p, uint32_t seq, uint8_t ssrc)
{
    memset(p, 0, 172);
    p[0] = 0x80;
    p[2] = (uint8_t)(seq >> 8);
    p[3] = (uint8_t)seq;
    p[11] = ssrc;
    return 172;
}

static size_t protected_rtp(struct ssi_srtp *tx, uint8_t *p, uint32_t seq, uint8_t ssrc)
{
    size_t len = clear_rtp(p, seq, ssrc);

    assert_int_equal(ssi_srtp_protect_rtp(tx, p, &len, CAP), 0);
    return len;
}

static secsip_result received(struct ssi_srtp *rx, const uint8_t *p, size_t len)
{
    uint8_t copy[CAP];

    memcpy(copy, p, len);
    return ssi_srtp_unprotect_rtp(rx, copy, &len);
}

static uint32_t srtcp_index(struct ssi_srtp *tx, enum ssi_srtp_suite suite)
{
    uint8_t p[CAP] = {0x80, 201, 0, 1, 0, 0, 0, 1};
    size_t len = 8;

    assert_int_equal(ssi_srtp_protect_rtcp(tx, p, &len, CAP), 0);
    const uint8_t *index = p + len - (suite >= SSI_SRTP_AEAD_AES_128_GCM ? 4 : 14);
    return (uint32_t)index[2] << 8 | index[3];
}

/* FIELD 1, pjsip/pjproject#4522: the roll-over counter survives the new key, on both sides. */
static void a_new_key_keeps_the_indices_of_srtp_and_srtcp(void **state)
{
    (void)state;
    for (int k = 1; k <= SSI_SRTP_AEAD_AES_256_GCM; k = next_suite(k)) {
        enum ssi_srtp_suite suite = (enum ssi_srtp_suite)k;
        struct ssi_srtp *tx = session(suite, SSI_SRTP_SEND, 1),
                        *rx = session(suite, SSI_SRTP_RECEIVE, 1);
        struct ssi_srtp *tx2 = session(suite, SSI_SRTP_SEND, 2),
                        *rx2 = session(suite, SSI_SRTP_RECEIVE, 2);
        uint8_t p[CAP];
        size_t len;
        uint32_t roc;
        uint16_t seq;
        assert_int_equal(ssi_srtp_set_roc(tx, 2, 6),
                         0); /* an SSRC with keys of its own in libsrtp2 */
        assert_int_equal(ssi_srtp_set_roc(rx, 2, 6), 0);
        for (uint32_t i = 0; i < 5; i++) {
            len = protected_rtp(tx, p, i * 30000, 1);
            assert_int_equal(received(rx, p, len), 0);
            len = protected_rtp(tx, p, i * 30000, 2);
            assert_int_equal(received(rx, p, len), 0);
            assert_int_equal(srtcp_index(tx, suite), i + 1);
        }
        assert_int_equal(ssi_srtp_continue(tx2, tx), 0);
        assert_int_equal(ssi_srtp_continue(rx2, rx), 0);
        assert_int_equal(ssi_srtp_get_index(tx2, 1, &roc, &seq), 0);
        assert_int_equal(roc, 1);
        for (uint32_t i = 5; i < 9;
             i++) { /* 131072, the next roll-over, lies at the first packet */
            len = protected_rtp(tx2, p, i * 30000, 1);
            assert_true(received(rx, p, len) < 0);
            assert_int_equal(received(rx2, p, len), 0);
            len = protected_rtp(tx2, p, i * 30000, 2);
            assert_int_equal(received(rx2, p, len), 0);
            assert_int_equal(srtcp_index(tx2, suite), i + 1);
        }
        assert_int_equal(ssi_srtp_get_index(rx2, 1, &roc, &seq), 0);
        assert_int_equal(roc, 3);
        assert_int_equal(ssi_srtp_stats(rx2).resynced, 0);
        ssi_srtp_free(tx);
        ssi_srtp_free(tx2);
        ssi_srtp_free(rx);
        ssi_srtp_free(rx2);
    }
}

static void what_was_sent_after_a_new_key_is_what_the_rfcs_say(void **state)
{
    static const size_t key_lens[] = {0, 16, 16, 24, 24, 32, 32, 16, 32};

    (void)state;
    for (int k = 1; k <= SSI_SRTP_AEAD_AES_256_GCM; k = next_suite(k)) {
        enum ssi_srtp_suite suite = (enum ssi_srtp_suite)k;
        struct ssi_srtp *tx = session(suite, SSI_SRTP_SEND, 1),
                        *tx2 = session(suite, SSI_SRTP_SEND, 2);
        struct ssi_srtp_config c = config_of(suite, SSI_SRTP_SEND, 2);
        size_t tag = k >= SSI_SRTP_AEAD_AES_128_GCM ? 16 : k % 2 ? 10 : 4;
        struct reference r =
            reference_of(c.key.bytes, key_lens[k], tag == 16, tag, tag == 16 ? 16 : 10);
        uint8_t p[CAP], want[CAP];
        for (uint32_t i = 0; i < 5; i++)
            (void)protected_rtp(tx, p, i * 30000, 1);
        assert_int_equal(ssi_srtp_continue(tx2, tx), 0);
        size_t len = protected_rtp(tx2, p, 150000, 1);
        assert_int_equal(reference_rtp(&r, want, clear_rtp(want, 150000, 1), 12, 2), len);
        assert_memory_equal(p, want, len);
        ssi_srtp_free(tx);
        ssi_srtp_free(tx2);
    }
}

/* RFC 6141 rolls keys back: even then no index is used twice with a key. */
static void a_key_that_comes_back_starts_behind_all_its_packets(void **state)
{
    struct ssi_srtp *a = session(SSI_SRTP_AES_CM_128_HMAC_SHA1_80, SSI_SRTP_SEND, 1);
    struct ssi_srtp *b = session(SSI_SRTP_AES_CM_128_HMAC_SHA1_80, SSI_SRTP_SEND, 2);
    struct ssi_srtp *again = session(SSI_SRTP_AES_CM_128_HMAC_SHA1_80, SSI_SRTP_SEND, 1);
    uint8_t p[CAP];

    (void)state;
    for (uint32_t seq = 100; seq < 200; seq++)
        (void)protected_rtp(a, p, seq, 1);
    assert_int_equal(srtcp_index(a, SSI_SRTP_AES_CM_128_HMAC_SHA1_80), 1);
    assert_int_equal(ssi_srtp_continue(again, a),
                     SECSIP_E_SRTP_REUSE); /* the same key is no new key */
    assert_int_equal(ssi_srtp_continue(b, a), 0);
    assert_int_equal(ssi_srtp_continue(again, b), 0);
    for (uint32_t seq = 100; seq < 200; seq++) {
        size_t len = clear_rtp(p, seq, 1);
        assert_int_equal(ssi_srtp_protect_rtp(again, p, &len, CAP), SECSIP_E_SRTP_REUSE);
    }
    (void)protected_rtp(again, p, 200, 1);
    assert_int_equal(srtcp_index(again, SSI_SRTP_AES_CM_128_HMAC_SHA1_80), 2);
    /* The sessions that were continued are used up. */
    size_t len = clear_rtp(p, 300, 1);
    assert_int_equal(ssi_srtp_protect_rtp(a, p, &len, CAP), SECSIP_E_SRTP_KEY_EXPIRED);
    len = clear_rtp(p, 300, 1);
    assert_int_equal(ssi_srtp_protect_rtp(b, p, &len, CAP), SECSIP_E_SRTP_KEY_EXPIRED);
    ssi_srtp_free(a);
    ssi_srtp_free(b);
    ssi_srtp_free(again);
}

static void another_suite_may_go_on_where_the_first_stood(void **state)
{
    struct ssi_srtp *tx = session(SSI_SRTP_AES_CM_128_HMAC_SHA1_80, SSI_SRTP_SEND, 1);
    struct ssi_srtp *rx = session(SSI_SRTP_AES_CM_128_HMAC_SHA1_80, SSI_SRTP_RECEIVE, 1);
    struct ssi_srtp *tx2 = session(SSI_SRTP_AEAD_AES_256_GCM, SSI_SRTP_SEND, 2);
    struct ssi_srtp *rx2 = session(SSI_SRTP_AEAD_AES_256_GCM, SSI_SRTP_RECEIVE, 2);
    uint8_t p[CAP];

    (void)state;
    for (uint32_t i = 0; i < 5; i++) {
        size_t len = protected_rtp(tx, p, i * 30000, 1);
        assert_int_equal(received(rx, p, len), 0);
    }
    assert_int_equal(ssi_srtp_continue(tx2, tx), 0);
    assert_int_equal(ssi_srtp_continue(rx2, rx), 0);
    size_t len = protected_rtp(tx2, p, 120001, 1);
    assert_int_equal(len, 172 + 16);
    assert_int_equal(received(rx2, p, len), 0);
    assert_int_equal(ssi_srtp_continue(rx2, rx), SECSIP_E_STATE); /* it has begun */
    assert_int_equal(ssi_srtp_continue(tx, rx), SECSIP_E_STATE);
    ssi_srtp_free(tx);
    ssi_srtp_free(tx2);
    ssi_srtp_free(rx);
    ssi_srtp_free(rx2);
}

/* FIELD 3, sipwise/rtpengine#1443: a peer that starts with 0 again when it re-keys is understood. */
static void a_peer_that_resets_the_roll_over_counter_is_found(void **state)
{
    (void)state;
    for (int k = 1; k <= SSI_SRTP_AEAD_AES_256_GCM; k = next_suite(k)) {
        enum ssi_srtp_suite suite = (enum ssi_srtp_suite)k;
        struct ssi_srtp *tx = session(suite, SSI_SRTP_SEND, 1),
                        *rx = session(suite, SSI_SRTP_RECEIVE, 1);
        struct ssi_srtp *reset = session(suite, SSI_SRTP_SEND, 2),
                        *rx2 = session(suite, SSI_SRTP_RECEIVE, 2);
        uint8_t p[CAP];
        for (uint32_t i = 0; i < 5; i++) {
            size_t len = protected_rtp(tx, p, i * 30000, 1);
            assert_int_equal(received(rx, p, len), 0);
        }
        assert_int_equal(ssi_srtp_continue(rx2, rx), 0);
        for (uint32_t i = 4; i < 12; i++) {
            size_t len = protected_rtp(reset, p, i * 30000, 1);
            assert_int_equal(received(rx2, p, len), 0);
            assert_int_equal(received(rx2, p, len), SECSIP_E_SRTP_REPLAY);
        }
        assert_int_equal(ssi_srtp_stats(rx2).resynced, 1);
        ssi_srtp_free(tx);
        ssi_srtp_free(rx);
        ssi_srtp_free(rx2);
        ssi_srtp_free(reset);
    }
}

/* FIELD 2, pjsip/pjproject#2682: roll-overs that nobody saw, as on a long hold. */
static void a_roll_over_that_was_missed_is_found_again(void **state)
{
    (void)state;
    for (int k = 1; k <= SSI_SRTP_AEAD_AES_256_GCM; k = next_suite(k)) {
        enum ssi_srtp_suite suite = (enum ssi_srtp_suite)k;
        struct ssi_srtp *tx = session(suite, SSI_SRTP_SEND, 1),
                        *rx = session(suite, SSI_SRTP_RECEIVE, 1);
        uint8_t p[CAP];
        for (uint32_t i = 0; i < 20; i++) { /* three and a half rounds of which nothing arrives */
            size_t len = protected_rtp(tx, p, i * 12000, 1);
            if (i < 2)
                assert_int_equal(received(rx, p, len), 0);
        }
        uint32_t refused = 0;
        for (uint32_t seq = 240000; seq < 240010; seq++) {
            size_t len = protected_rtp(tx, p, seq, 1);
            refused += received(rx, p, len) < 0;
        }
        assert_int_equal(refused, 3);
        assert_int_equal(ssi_srtp_stats(rx).resynced, 1);
        ssi_srtp_free(tx);
        ssi_srtp_free(rx);
    }
}

/* The same where the numbers look like old ones, so that they are refused before anything is authenticated. */
static void a_missed_roll_over_that_looks_like_old_packets_is_found_again(void **state)
{
    struct ssi_srtp *tx = session(SSI_SRTP_AEAD_AES_128_GCM, SSI_SRTP_SEND, 1);
    struct ssi_srtp *rx = session(SSI_SRTP_AEAD_AES_128_GCM, SSI_SRTP_RECEIVE, 1);
    uint8_t p[CAP], old[CAP];
    size_t old_len = 0;

    (void)state;
    for (uint32_t seq = 0; seq < 65536; seq += 4096) {
        size_t len = protected_rtp(tx, p, seq, 1);
        if (seq == 0) {
            memcpy(old, p, len);
            old_len = len;
        }
        if (seq <= 20480)
            assert_int_equal(received(rx, p, len), 0);
    }
    for (int i = 0; i < 10; i++) /* true replays find no other counter */
        assert_int_equal(received(rx, old, old_len), SECSIP_E_SRTP_REPLAY);
    for (uint32_t seq = 65536 + 10000; seq < 65536 + 10010; seq++) {
        size_t len = protected_rtp(tx, p, seq, 1);
        assert_int_equal(received(rx, p, len), 0);
    }
    assert_int_equal(received(rx, old, old_len), SECSIP_E_SRTP_REPLAY);
    assert_int_equal(ssi_srtp_stats(rx).resynced, 1);
    ssi_srtp_free(tx);
    ssi_srtp_free(rx);
}

static void forged_packets_do_not_move_the_roll_over_counter(void **state)
{
    struct ssi_srtp *tx = session(SSI_SRTP_AEAD_AES_128_GCM, SSI_SRTP_SEND, 1);
    struct ssi_srtp *rx = session(SSI_SRTP_AEAD_AES_128_GCM, SSI_SRTP_RECEIVE, 1);
    uint8_t p[CAP];

    (void)state;
    for (uint32_t seq = 0; seq < 300; seq++) {
        size_t len = protected_rtp(tx, p, seq, 1);
        if (seq % 50 == 0) {
            assert_int_equal(received(rx, p, len), 0);
            continue;
        }
        p[2] ^= (uint8_t)(seq << 3); /* anywhere in the sequence space */
        p[20] ^= 1;
        assert_int_equal(received(rx, p, len), SECSIP_E_SRTP_AUTH);
    }
    assert_int_equal(ssi_srtp_stats(rx).resynced, 0);
    ssi_srtp_free(tx);
    ssi_srtp_free(rx);
}

static void joining_in_the_middle_tries_as_many_counters_as_allowed(void **state)
{
    (void)state;
    for (int k = 1; k <= SSI_SRTP_AEAD_AES_256_GCM; k = next_suite(k)) {
        enum ssi_srtp_suite suite = (enum ssi_srtp_suite)k;
        struct ssi_srtp *tx = session(suite, SSI_SRTP_SEND, 1);
        struct ssi_srtp_config c = config_of(suite, SSI_SRTP_RECEIVE, 1);
        struct ssi_srtp *allowed = NULL, *not_enough = NULL;
        uint8_t p[CAP];
        c.join_roc = 5;
        assert_int_equal(ssi_srtp_new(&c, &allowed), 0);
        c.join_roc = 4;
        assert_int_equal(ssi_srtp_new(&c, &not_enough), 0);
        assert_int_equal(ssi_srtp_set_roc(tx, 1, 5), 0);
        for (uint32_t seq = 65000; seq < 65020; seq++) {
            size_t len = protected_rtp(tx, p, seq, 1);
            assert_int_equal(received(allowed, p, len), 0);
            assert_int_equal(received(allowed, p, len), SECSIP_E_SRTP_REPLAY);
            assert_int_equal(received(not_enough, p, len), SECSIP_E_SRTP_AUTH);
        }
        assert_int_equal(ssi_srtp_stats(allowed).resynced, 1);
        /* Forged SSRCs take no room: more of them than a session holds, and a good one after that. */
        for (uint8_t ssrc = 2; ssrc < 50; ssrc++) {
            size_t len = protected_rtp(tx, p, 1, 1 + (ssrc == 2));
            p[11] = ssrc;
            p[len - 1] ^= 1;
            assert_true(received(allowed, p, len) < 0);
            ssi_srtp_free(tx);
            tx = session(suite, SSI_SRTP_SEND, 1);
        }
        size_t len = protected_rtp(tx, p, 1, 60);
        assert_int_equal(received(allowed, p, len), 0);
        ssi_srtp_free(tx);
        ssi_srtp_free(allowed);
        ssi_srtp_free(not_enough);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_key_keeps_the_indices_of_srtp_and_srtcp),
        cmocka_unit_test(what_was_sent_after_a_new_key_is_what_the_rfcs_say),
        cmocka_unit_test(a_key_that_comes_back_starts_behind_all_its_packets),
        cmocka_unit_test(another_suite_may_go_on_where_the_first_stood),
        cmocka_unit_test(a_peer_that_resets_the_roll_over_counter_is_found),
        cmocka_unit_test(a_roll_over_that_was_missed_is_found_again),
        cmocka_unit_test(a_missed_roll_over_that_looks_like_old_packets_is_found_again),
        cmocka_unit_test(forged_packets_do_not_move_the_roll_over_counter),
        cmocka_unit_test(joining_in_the_middle_tries_as_many_counters_as_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
