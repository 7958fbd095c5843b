/* Several live keys by MKI, their lives, and many SSRCs. */
#include "common.h"
#include "suites.h"

#include <stdlib.h>

static void add_keys(struct ssi_srtp_config *c, struct ssi_srtp_more_key *more, size_t n,
                     size_t mki_len)
{
    c->mki_len = mki_len;
    c->mki[mki_len - 1] = 1;
    for (size_t i = 0; i < n; i++) {
        more[i] = (struct ssi_srtp_more_key){.key = c->key, .mki_len = mki_len};
        more[i].key.bytes[3] = (uint8_t)(200 + i);
        more[i].mki[mki_len - 1] = (uint8_t)(2 + i);
    }
    c->more = more;
    c->n_more = n;
}

/* FIELD 8: every MKI length there is, for every suite, SRTP and SRTCP; the bytes stand where RFC 3711 3.1 and RFC 7714 put
 * them, the receiver takes any live key, and no other. */
static void packets_of_every_live_key_pass_and_of_no_other(void **state)
{
    static const size_t lens[] = {1, 2, 4, 16, 127, 128};
    struct ssi_srtp_more_key more[SSI_SRTP_KEYS_MAX];

    (void)state;
    for (int k = 1; k <= SSI_SRTP_AEAD_AES_256_GCM; k = next_suite(k)) {
        for (size_t l = 0; l < sizeof lens / sizeof lens[0]; l++) {
            struct ssi_srtp_config c = config_of((enum ssi_srtp_suite)k, SSI_SRTP_SEND, 1);
            uint8_t p[CAP], mki[128] = {0};
            size_t tag = k >= SSI_SRTP_AEAD_AES_128_GCM ? 0 : k % 2 ? 10 : 4;
            uint32_t seq = 1;
            add_keys(&c, more, 3, lens[l]);
            struct ssi_srtp *tx = session(&c);
            c.direction = SSI_SRTP_RECEIVE;
            struct ssi_srtp *rx = session(&c);
            c.n_more = 2; /* does not have the last one */
            struct ssi_srtp *poor = session(&c);
            for (uint8_t i = 0; i < 8; i++) {
                mki[lens[l] - 1] = (uint8_t)(1 + i % 4);
                assert_int_equal(ssi_srtp_use_key(tx, mki, lens[l]), 0);
                size_t len = protected_rtp(tx, p, seq++, 7);
                assert_memory_equal(p + len - tag - lens[l], mki, lens[l]);
                assert_int_equal(received(rx, false, p, len), 0);
                assert_int_equal(received(rx, false, p, len), SECSIP_E_SRTP_REPLAY);
                assert_int_equal(received(poor, false, p, len), i % 4 == 3 ? SECSIP_E_SRTP_MKI : 0);
                len = protected_rtcp(tx, p, 7);
                assert_int_equal(received(rx, true, p, len), 0);
                assert_int_equal(received(rx, true, p, len), SECSIP_E_SRTP_REPLAY);
                assert_int_equal(received(poor, true, p, len), i % 4 == 3 ? SECSIP_E_SRTP_MKI : 0);
                p[len - 1] ^= 1;
                assert_true(received(rx, true, p, len) < 0);
            }
            mki[lens[l] - 1] = 9;
            assert_int_equal(ssi_srtp_use_key(tx, mki, lens[l]), SECSIP_E_NOT_FOUND);
            assert_int_equal(ssi_srtp_use_key(tx, mki, lens[l] - 1), SECSIP_E_NOT_FOUND);
            ssi_srtp_free(tx);
            ssi_srtp_free(rx);
            ssi_srtp_free(poor);
        }
    }
}

static void keys_that_cannot_be_told_apart_are_refused(void **state)
{
    struct ssi_srtp_more_key more[SSI_SRTP_KEYS_MAX] = {0};
    struct ssi_srtp_config c = config_of(SSI_SRTP_AES_CM_128_HMAC_SHA1_80, SSI_SRTP_SEND, 1);
    struct ssi_srtp *s = NULL;

    (void)state;
    add_keys(&c, more, 15, 4);
    assert_int_equal(ssi_srtp_new(&c, &s), 0);
    ssi_srtp_free(s);
    c.n_more = 16;
    assert_int_equal(ssi_srtp_new(&c, &s), SECSIP_E_INVALID);
    add_keys(&c, more, 3, 4);
    more[2].mki[3] = more[1].mki[3];
    assert_int_equal(ssi_srtp_new(&c, &s), SECSIP_E_INVALID);
    add_keys(&c, more, 3, 4);
    more[2].key = more[0].key;
    assert_int_equal(ssi_srtp_new(&c, &s), SECSIP_E_INVALID);
    add_keys(&c, more, 3, 4);
    more[1].key = c.key;
    assert_int_equal(ssi_srtp_new(&c, &s), SECSIP_E_INVALID);
    add_keys(&c, more, 3, 4);
    more[0].mki_len = 3;
    assert_int_equal(ssi_srtp_new(&c, &s), SECSIP_E_INVALID);
    add_keys(&c, more, 1, 4);
    c.mki_len = more[0].mki_len = 0;
    assert_int_equal(ssi_srtp_new(&c, &s), SECSIP_E_INVALID);
}

static const uint32_t all_over =
    SSI_SRTP_DUE_RTP | SSI_SRTP_DUE_RTCP | SSI_SRTP_ENDED_RTP | SSI_SRTP_ENDED_RTCP;

/* Each key has a life of its own; the soft limit comes in time, the hard one stops SRTP and SRTCP (RFC 3711 9.2). */
static void each_key_has_its_own_life_and_says_when_it_nears_its_end(void **state)
{
    struct ssi_srtp_more_key more[1];
    struct ssi_srtp_config c = config_of(SSI_SRTP_AES_CM_128_HMAC_SHA1_80, SSI_SRTP_SEND, 1);
    uint8_t p[CAP];
    uint32_t seq = 0;

    (void)state;
    add_keys(&c, more, 1, 1);
    c.lifetime = 80;
    more[0].lifetime = 20;
    c.soft_limit = 5;
    struct ssi_srtp *tx = session(&c);
    c.soft_limit = 0;
    c.direction = SSI_SRTP_RECEIVE;
    struct ssi_srtp *rx = session(&c);
    for (int i = 0; i < 80; i++) {
        assert_int_equal(ssi_srtp_life(tx), i < 75 ? 0 : SSI_SRTP_DUE_RTP);
        assert_int_equal(ssi_srtp_life(rx), i < 70 ? 0 : SSI_SRTP_DUE_RTP);
        size_t len = protected_rtp(tx, p, seq++, 7);
        assert_int_equal(received(rx, false, p, len), 0);
    }
    assert_int_equal(ssi_srtp_life(tx), all_over);
    assert_int_equal(ssi_srtp_life(rx), all_over);
    size_t len = clear_rtp(p, seq, 7, 60);
    assert_int_equal(ssi_srtp_protect_rtp(tx, p, &len, CAP), SECSIP_E_SRTP_KEY_EXPIRED);
    assert_int_equal(ssi_srtp_stats(tx).key_expired, 1);
    len = clear_rtcp(p, 7, 5);
    assert_int_equal(ssi_srtp_protect_rtcp(tx, p, &len, CAP), SECSIP_E_SRTP_KEY_EXPIRED);
    assert_int_equal(ssi_srtp_use_key(tx, (const uint8_t *)"\2", 1), 0);
    assert_int_equal(ssi_srtp_life(tx), 0);
    assert_int_equal(ssi_srtp_stats(tx).rtp_left, 20);
    for (int i = 0; i < 20; i++) {
        len = protected_rtp(tx, p, seq++, 7);
        assert_int_equal(received(rx, false, p, len), 0);
    }
    assert_int_equal(ssi_srtp_life(tx), all_over);
    ssi_srtp_free(tx);
    ssi_srtp_free(rx);
}

/* SRTCP that is used up ends the key for SRTP as well, on both sides and for who takes the session over. */
static void srtcp_ends_the_key_for_srtp_too(void **state)
{
    struct ssi_srtp_config c = config_of(SSI_SRTP_AEAD_AES_128_GCM, SSI_SRTP_SEND, 1);
    struct ssi_srtp *heir = NULL;
    struct ssi_buf b;
    uint8_t p[CAP], rtp[CAP];

    (void)state;
    c.lifetime = 9;
    struct ssi_srtp *tx = session(&c);
    c.direction = SSI_SRTP_RECEIVE;
    struct ssi_srtp *rx = session(&c);
    for (int i = 0; i < 9; i++) {
        size_t len = protected_rtcp(tx, p, 7);
        if (i == 3) { /* all that is left is promised away */
            ssi_buf_init(&b, 1 << 20);
            assert_int_equal(ssi_srtp_export(tx, 5, &b), 0);
            assert_int_equal(ssi_srtp_import(ssi_buf_slice(&b), &heir), 0);
            ssi_buf_free(&b);
            assert_int_equal(ssi_srtp_life(heir), all_over);
            ssi_srtp_free(heir);
        }
        if (i == 0)
            assert_true(protected_rtp(tx, rtp, 1, 7) > 0);
        assert_int_equal(received(rx, true, p, len), 0);
    }
    size_t len = clear_rtp(p, 2, 7, 60);
    assert_int_equal(ssi_srtp_protect_rtp(tx, p, &len, CAP), SECSIP_E_SRTP_KEY_EXPIRED);
    assert_int_equal(received(rx, false, rtp, 12 + 60 + 16), SECSIP_E_SRTP_KEY_EXPIRED);
    assert_int_equal(ssi_srtp_life(tx), all_over);
    assert_int_equal(ssi_srtp_life(rx), all_over);
    assert_int_equal(ssi_srtp_stats(tx).rtp_left + ssi_srtp_stats(tx).rtcp_left, 0);
    ssi_srtp_free(tx);
    ssi_srtp_free(rx);
}

/* A key that stays live over a re-key keeps its packets counted and its replay list. */
static void a_key_that_lives_on_in_a_new_session_is_not_young_again(void **state)
{
    struct ssi_srtp_more_key more[1];
    struct ssi_srtp_config a = config_of(SSI_SRTP_AEAD_AES_128_GCM, SSI_SRTP_SEND, 1), b = a;
    uint8_t p[5][CAP], q[CAP];
    size_t len[5], n;

    (void)state;
    a.mki_len = 1;
    a.mki[0] = 1;
    a.lifetime = 100;
    add_keys(&b, more, 1, 1);
    b.lifetime = 100;
    struct ssi_srtp *tx = session(&a), *tx2 = session(&b);
    a.direction = b.direction = SSI_SRTP_RECEIVE;
    struct ssi_srtp *rx = session(&a), *rx2 = session(&b);
    for (uint32_t i = 0; i < 5; i++) {
        len[i] = protected_rtp(tx, p[i], 100 + i, 7);
        if (i != 2)
            assert_int_equal(received(rx, false, p[i], len[i]), 0);
    }
    n = protected_rtcp(tx, q, 7);
    assert_int_equal(received(rx, true, q, n), 0);
    assert_int_equal(ssi_srtp_continue(tx2, tx), 0);
    assert_int_equal(ssi_srtp_continue(rx2, rx), 0);
    assert_int_equal(ssi_srtp_stats(tx2).rtp_left, 95);
    assert_int_equal(ssi_srtp_stats(rx2).rtp_left, 96);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(received(rx2, false, p[i], len[i]), i == 2 ? 0 : SECSIP_E_SRTP_REPLAY);
    assert_int_equal(received(rx2, true, q, n), SECSIP_E_SRTP_REPLAY);
    n = clear_rtp(q, 104, 7, 60);
    assert_int_equal(ssi_srtp_protect_rtp(tx2, q, &n, CAP), SECSIP_E_SRTP_REUSE);
    n = protected_rtp(tx2, q, 105, 7);
    assert_int_equal(received(rx2, false, q, n), 0);
    n = protected_rtcp(tx2, q, 7);
    assert_int_equal(received(rx2, true, q, n), 0);
    ssi_srtp_free(tx);
    ssi_srtp_free(tx2);
    ssi_srtp_free(rx);
    ssi_srtp_free(rx2);
}

/* More than libsrtp2's list would carry: found by a table, each with its own index, through a re-key too. */
static void a_thousand_ssrcs_have_an_index_each(void **state)
{
    struct ssi_srtp_config c = config_of(SSI_SRTP_AES_CM_128_HMAC_SHA1_80, SSI_SRTP_SEND, 1);
    uint8_t p[CAP];

    (void)state;
    c.max_ssrcs = 1000;
    struct ssi_srtp *tx = session(&c);
    c.direction = SSI_SRTP_RECEIVE;
    c.join_roc = 1;
    struct ssi_srtp *rx = session(&c);
    assert_int_equal(ssi_srtp_set_roc(tx, 70 * 7919, 1), 0); /* the receiver has to find it */
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 1000; i++) {
            size_t len = protected_rtp(tx, p, i * 60 + round, i * 7919);
            assert_int_equal(received(rx, false, p, len), 0);
            assert_int_equal(received(rx, false, p, len), SECSIP_E_SRTP_REPLAY);
            if (i % 10 == 0) {
                len = protected_rtcp(tx, p, i * 7919);
                assert_int_equal(received(rx, true, p, len), 0);
            }
        }
        size_t len = clear_rtp(p, 1, 3, 60);
        assert_int_equal(ssi_srtp_protect_rtp(tx, p, &len, CAP), SECSIP_E_LIMIT);
        c = config_of(SSI_SRTP_AEAD_AES_128_GCM, SSI_SRTP_SEND, (uint8_t)(10 + round));
        c.max_ssrcs = 1000;
        struct ssi_srtp *tx2 = session(&c);
        c.direction = SSI_SRTP_RECEIVE;
        struct ssi_srtp *rx2 = session(&c);
        assert_int_equal(ssi_srtp_continue(tx2, tx), 0);
        assert_int_equal(ssi_srtp_continue(rx2, rx), 0);
        ssi_srtp_free(tx);
        ssi_srtp_free(rx);
        tx = tx2;
        rx = rx2;
    }
    struct ssi_srtp_source_stats s;
    assert_int_equal(ssi_srtp_source_stats(tx, 999, &s), 0);
    assert_int_equal(s.ssrc, 999 * 7919);
    assert_int_equal(s.rtp_ok, 3);
    assert_int_equal(ssi_srtp_source_stats(tx, 1000, &s), SECSIP_E_NOT_FOUND);
    ssi_srtp_free(tx);
    ssi_srtp_free(rx);
}

static void every_ssrc_has_its_own_counters(void **state)
{
    struct ssi_srtp_config c = config_of(SSI_SRTP_AES_CM_128_HMAC_SHA1_80, SSI_SRTP_SEND, 1);
    struct ssi_srtp_source_stats s;
    uint8_t p[CAP];
    size_t len = 0;

    (void)state;
    struct ssi_srtp *tx = session(&c);
    c.direction = SSI_SRTP_RECEIVE;
    struct ssi_srtp *rx = session(&c);
    for (uint32_t i = 0; i < 6; i++) {
        len = protected_rtp(tx, p, i, 1 + i % 3);
        assert_int_equal(received(rx, false, p, len), 0);
    }
    assert_int_equal(received(rx, false, p, len), SECSIP_E_SRTP_REPLAY);
    p[len - 1] ^= 1;
    p[3] ^= 0x10;
    assert_int_equal(received(rx, false, p, len), SECSIP_E_SRTP_AUTH);
    p[11] = 77; /* nobody: counted for the session only */
    assert_int_equal(received(rx, false, p, len), SECSIP_E_SRTP_AUTH);
    len = protected_rtcp(tx, p, 3);
    assert_int_equal(received(rx, true, p, len), 0);
    assert_int_equal(received(rx, true, p, len), SECSIP_E_SRTP_REPLAY);
    assert_int_equal(ssi_srtp_source_stats(rx, 2, &s), 0);
    assert_int_equal(s.ssrc, 3);
    assert_int_equal(s.seq, 5);
    assert_int_equal(s.rtp_ok, 2);
    assert_int_equal(s.rtcp_ok, 1);
    assert_int_equal(s.rtcp_index, 1);
    assert_int_equal(s.replayed, 2);
    assert_int_equal(s.auth_failed, 1);
    assert_int_equal(ssi_srtp_source_stats(rx, 0, &s), 0);
    assert_int_equal(s.replayed + s.auth_failed, 0);
    assert_int_equal(ssi_srtp_stats(rx).auth_failed, 2);
    assert_int_equal(ssi_srtp_stats(rx).n_ssrcs, 3);
    ssi_srtp_free(tx);
    ssi_srtp_free(rx);
}

static void the_largest_window_takes_the_latest_packets(void **state)
{
    struct ssi_srtp_config c = config_of(SSI_SRTP_AEAD_AES_128_GCM, SSI_SRTP_SEND, 1);
    uint8_t early[CAP], p[CAP];

    (void)state;
    struct ssi_srtp *tx = session(&c);
    c.direction = SSI_SRTP_RECEIVE;
    for (uint32_t window = 64; window <= 32768; window *= 2) {
        c.replay_window = window;
        struct ssi_srtp *rx = session(&c);
        for (uint32_t late = window - 1; late <= window; late++) {
            uint32_t ssrc = window + late;
            size_t n = protected_rtp(tx, early, 0, ssrc), len;
            len = protected_rtp(tx, p, late, ssrc);
            assert_int_equal(received(rx, false, p, len), 0);
            assert_int_equal(received(rx, false, early, n),
                             late < window ? 0 : SECSIP_E_SRTP_REPLAY);
            ssi_srtp_free(tx); /* a new one: it may not have more than 32 */
            c.direction = SSI_SRTP_SEND;
            tx = session(&c);
            c.direction = SSI_SRTP_RECEIVE;
        }
        ssi_srtp_free(rx);
    }
    ssi_srtp_free(tx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_of_every_live_key_pass_and_of_no_other),
        cmocka_unit_test(keys_that_cannot_be_told_apart_are_refused),
        cmocka_unit_test(each_key_has_its_own_life_and_says_when_it_nears_its_end),
        cmocka_unit_test(srtcp_ends_the_key_for_srtp_too),
        cmocka_unit_test(a_key_that_lives_on_in_a_new_session_is_not_young_again),
        cmocka_unit_test(a_thousand_ssrcs_have_an_index_each),
        cmocka_unit_test(every_ssrc_has_its_own_counters),
        cmocka_unit_test(the_largest_window_takes_the_latest_packets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
