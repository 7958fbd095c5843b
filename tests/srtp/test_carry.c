/* Sessions that are exported and imported: what goes on, what never happens twice, and damage of every kind. */
#include "common.h"
#include "suites.h"

#include <stdlib.h>

#include "oom.h"

static struct ssi_srtp *imported(struct ssi_buf *state)
{
    struct ssi_srtp *s = NULL;

    assert_int_equal(ssi_srtp_import(ssi_buf_slice(state), &s), 0);
    ssi_buf_free(state);
    return s;
}

static struct ssi_srtp *moved(struct ssi_srtp *s, uint32_t promised)
{
    struct ssi_buf state;

    assert_int_equal(ssi_srtp_export(s, promised, &state), 0);
    return imported(&state);
}

/* Everything that a session can have. */
static struct ssi_srtp_config full_config(int suite, struct ssi_srtp_more_key *more,
                                          enum ssi_srtp_direction direction)
{
    static const uint8_t ids[] = {1, 3};
    struct ssi_srtp_config c = config_of((enum ssi_srtp_suite)suite, direction, 5);

    c.mki_len = 2;
    c.mki[1] = 1;
    *more = (struct ssi_srtp_more_key){.key = c.key, .mki_len = 2, .mki = {0, 2}, .lifetime = 5000};
    more->key.bytes[7] ^= 0x55;
    c.more = more;
    c.n_more = 1;
    c.lifetime = 4000;
    c.replay_window = 1024;
    c.join_roc = 1;
    c.max_ssrcs = 100;
    c.encrypted_extensions = ids;
    c.n_encrypted_extensions = sizeof ids;
    return c;
}

/* A hand-over on both sides, in the middle, with the roll-over counter at 2: nothing is lost and nothing passes twice. */
static void a_conversation_goes_on_where_it_stood(void **state)
{
    (void)state;
    for (int k = 1; k <= SSI_SRTP_AEAD_AES_256_GCM; k = next_suite(k)) {
        struct ssi_srtp_more_key more;
        struct ssi_srtp_config c = full_config(k, &more, SSI_SRTP_SEND);
        struct ssi_srtp *tx = session(&c);
        uint8_t p[3][CAP], r[CAP];
        size_t len[3], n;
        c.direction = SSI_SRTP_RECEIVE;
        struct ssi_srtp *rx = session(&c);
        for (uint32_t i = 0; i < 6; i++) {
            n = protected_rtp(tx, r, i * 30000, 9);
            assert_int_equal(received(rx, false, r, n), 0);
        }
        for (uint32_t i = 0; i < 3; i++) {
            len[i] = protected_rtp(tx, p[i], 150001 + i, 9);
            if (i != 1)
                assert_int_equal(received(rx, false, p[i], len[i]), 0);
        }
        for (int i = 0; i < 300; i++) {
            n = protected_rtcp(tx, r, 9);
            assert_int_equal(received(rx, true, r, n), 0);
        }
        uint64_t left = ssi_srtp_stats(tx).rtp_left;
        struct ssi_srtp *tx2 = moved(tx, 0), *rx2 = moved(rx, 0);
        assert_int_equal(ssi_srtp_stats(tx2).rtp_left, left);
        assert_int_equal(ssi_srtp_stats(rx2).rtp_left, left + 1); /* the one that is late */
        /* What came before is known; what was late still comes. */
        assert_int_equal(received(rx2, true, r, n), SECSIP_E_SRTP_REPLAY);
        for (uint32_t i = 0; i < 3; i++)
            assert_int_equal(received(rx2, false, p[i], len[i]), i == 1 ? 0 : SECSIP_E_SRTP_REPLAY);
        assert_int_equal(received(rx2, false, p[1], len[1]), SECSIP_E_SRTP_REPLAY);
        /* Who handed over sends nothing more. */
        n = clear_rtp(r, 150004, 9, 60);
        assert_int_equal(ssi_srtp_protect_rtp(tx, r, &n, CAP), SECSIP_E_SRTP_KEY_EXPIRED);
        n = clear_rtcp(r, 9, 5);
        assert_int_equal(ssi_srtp_protect_rtcp(tx, r, &n, CAP), SECSIP_E_SRTP_KEY_EXPIRED);
        for (uint32_t seq = 150001; seq < 150004; seq++) {
            n = clear_rtp(r, seq, 9, 60);
            assert_int_equal(ssi_srtp_protect_rtp(tx2, r, &n, CAP), SECSIP_E_SRTP_REUSE);
        }
        for (uint32_t i = 0; i < 10; i++) { /* over the next roll-over, with either key */
            assert_int_equal(ssi_srtp_use_key(tx2, (const uint8_t *)(i % 2 ? "\0\1" : "\0\2"), 2),
                             0);
            n = protected_rtp(tx2, r, 150004 + i * 20000, 9);
            assert_int_equal(received(rx2, false, r, n), 0);
            n = protected_rtcp(tx2, r, 9);
            const uint8_t *index = r + n - 6 - (k >= SSI_SRTP_AEAD_AES_128_GCM ? 0 : 10);
            assert_int_equal(index[2] << 8 | index[3], 301 + i);
            assert_int_equal(received(rx2, true, r, n), 0);
        }
        n = protected_rtp(tx2, r, 1, 10); /* a new SSRC: nobody else sends with this key any more */
        assert_int_equal(received(rx2, false, r, n), 0);
        ssi_srtp_free(tx);
        ssi_srtp_free(rx);
        ssi_srtp_free(tx2);
        ssi_srtp_free(rx2);
    }
}

/* A snapshot: who goes on and who imports share no index, whatever either of them tries. */
static void a_sender_that_goes_on_and_its_heir_never_meet(void **state)
{
    (void)state;
    for (int k = 1; k <= SSI_SRTP_AEAD_AES_256_GCM; k = next_suite(k)) {
        struct ssi_srtp_config c = config_of((enum ssi_srtp_suite)k, SSI_SRTP_SEND, 5);
        struct ssi_srtp *tx = session(&c);
        uint8_t p[CAP], used[4000] = {0}, rtcp_used[400] = {0};
        struct ssi_srtp_source_stats stats;
        size_t n;
        (void)protected_rtp(tx, p, 1000, 9);
        used[1000] = 1;
        (void)protected_rtcp(tx, p, 9);
        (void)protected_rtcp(tx, p, 77); /* an SSRC of which only RTCP was seen */
        struct ssi_srtp *heir = moved(tx, 100);
        struct ssi_srtp *both[2] = {tx, heir};
        for (int who = 0; who < 2; who++) {
            for (uint32_t seq = 0; seq < 4000; seq++) {
                n = clear_rtp(p, seq, 9, 20);
                if (ssi_srtp_protect_rtp(both[who], p, &n, CAP) == 0)
                    used[seq]++;
            }
            for (int i = 0; i < 150; i++) {
                n = clear_rtcp(p, 9, 5);
                if (ssi_srtp_protect_rtcp(both[who], p, &n, CAP) < 0)
                    continue;
                const uint8_t *index = p + n - 4 - (k >= SSI_SRTP_AEAD_AES_128_GCM ? 0 : 10);
                rtcp_used[index[2] << 8 | index[3]]++;
            }
        }
        size_t n_used = 0, n_rtcp = 0;
        for (uint32_t i = 0; i < 4000; i++) {
            assert_true(used[i] <= 1);
            n_used += used[i];
        }
        for (uint32_t i = 0; i < 400; i++) {
            assert_true(rtcp_used[i] <= 1);
            n_rtcp += rtcp_used[i];
        }
        assert_true(n_used > 2900); /* the heir's, up to the end */
        assert_int_equal(used[1100], 1);
        assert_int_equal(used[1101], 1); /* the first of the heir's */
        assert_int_equal(n_rtcp, 100 + 150);
        assert_int_equal(ssi_srtp_source_stats(heir, 0, &stats), 0);
        assert_int_equal(stats.next_index, 4000);
        /* No SSRC that the other could use too. */
        for (int who = 0; who < 2; who++) {
            n = clear_rtp(p, 1, 55, 20);
            assert_int_equal(ssi_srtp_protect_rtp(both[who], p, &n, CAP), SECSIP_E_LIMIT);
            n = clear_rtcp(p, 56, 3);
            assert_int_equal(ssi_srtp_protect_rtcp(both[who], p, &n, CAP), SECSIP_E_LIMIT);
        }
        n = clear_rtp(p, 1, 77, 20);
        assert_int_equal(ssi_srtp_protect_rtp(tx, p, &n, CAP), SECSIP_E_STATE);
        (void)protected_rtp(heir, p, 1, 77);
        ssi_srtp_free(tx);
        ssi_srtp_free(heir);
    }
}

static void a_new_export_lets_the_sender_go_on(void **state)
{
    struct ssi_srtp_config c = config_of(SSI_SRTP_AES_CM_128_HMAC_SHA1_80, SSI_SRTP_SEND, 5);
    struct ssi_srtp *tx = session(&c);
    uint8_t p[CAP];
    size_t n;

    (void)state;
    for (uint32_t seq = 0; seq < 100; seq++) {
        if (seq % 10 == 9)
            ssi_srtp_free(moved(tx, 10));
        (void)protected_rtp(tx, p, seq, 9);
    }
    n = clear_rtp(p, 109, 9, 20);
    assert_int_equal(ssi_srtp_protect_rtp(tx, p, &n, CAP), SECSIP_E_STATE);
    struct ssi_srtp *first = moved(tx, 10), *heir = moved(first, 10); /* heirs have heirs */
    n = clear_rtp(p, 119, 9, 20);
    assert_int_equal(ssi_srtp_protect_rtp(heir, p, &n, CAP), SECSIP_E_SRTP_REUSE);
    (void)protected_rtp(heir, p, 120, 9);
    ssi_srtp_free(tx);
    ssi_srtp_free(first);
    ssi_srtp_free(heir);
}

static void wrong_promises_are_refused(void **state)
{
    struct ssi_srtp_config c = config_of(SSI_SRTP_AES_CM_128_HMAC_SHA1_80, SSI_SRTP_SEND, 5);
    struct ssi_srtp *tx = session(&c);
    struct ssi_buf b;

    (void)state;
    c.direction = SSI_SRTP_RECEIVE;
    struct ssi_srtp *rx = session(&c);
    assert_int_equal(ssi_srtp_export(tx, SSI_SRTP_PROMISE_MAX + 1, &b), SECSIP_E_INVALID);
    assert_int_equal(ssi_srtp_export(rx, 1, &b), SECSIP_E_INVALID);
    struct ssi_srtp_config d = config_of(SSI_SRTP_AES_CM_128_HMAC_SHA1_80, SSI_SRTP_SEND, 6);
    struct ssi_srtp *next = session(&d);
    assert_int_equal(ssi_srtp_continue(next, tx), 0);
    assert_int_equal(ssi_srtp_export(tx, 0, &b), SECSIP_E_STATE); /* used up */
    ssi_srtp_free(tx);
    ssi_srtp_free(rx);
    ssi_srtp_free(next);
}

/* Every length and every byte; the copy is exactly as long, so that a sanitizer sees a read past its end. */
static void damage_anywhere_is_found(void **state)
{
    struct ssi_srtp_more_key more;
    struct ssi_srtp_config c = full_config(SSI_SRTP_AES_CM_128_HMAC_SHA1_80, &more, SSI_SRTP_SEND);
    struct ssi_srtp *tx = session(&c), *none = NULL;
    uint8_t p[CAP];
    struct ssi_buf b;

    (void)state;
    for (uint32_t ssrc = 1; ssrc < 4; ssrc++)
        (void)protected_rtp(tx, p, 5, ssrc);
    assert_int_equal(ssi_srtp_export(tx, 0, &b), 0);
    struct ssi_slice good = ssi_buf_slice(&b);
    for (size_t cut = 0; cut < good.len; cut++) {
        uint8_t *copy = malloc(cut ? cut : 1);
        assert_non_null(copy);
        memcpy(copy, good.p, cut);
        assert_int_equal(ssi_srtp_import(ssi_slice_of(copy, cut), &none), SECSIP_E_SRTP_STATE);
        free(copy);
    }
    for (size_t at = 0; at < good.len; at++) {
        uint8_t *copy = malloc(good.len);
        assert_non_null(copy);
        memcpy(copy, good.p, good.len);
        copy[at] ^= (uint8_t)(1 + at % 255);
        assert_int_equal(ssi_srtp_import(ssi_slice_of(copy, good.len), &none), SECSIP_E_SRTP_STATE);
        free(copy);
    }
    assert_null(none);
    ssi_srtp_free(imported(&b));
    ssi_srtp_free(tx);
}

static void there_and_back(void *arg)
{
    struct ssi_srtp_more_key more;
    struct ssi_srtp_config c =
        full_config(SSI_SRTP_AES_CM_128_HMAC_SHA1_32, &more, *(enum ssi_srtp_direction *)arg);
    struct ssi_srtp *s = NULL, *again = NULL;
    struct ssi_buf b;
    uint8_t p[CAP];
    size_t len = clear_rtcp(p, 1, 3);

    if (ssi_srtp_new(&c, &s) < 0)
        return;
    if (c.direction == SSI_SRTP_SEND)
        (void)ssi_srtp_protect_rtcp(s, p, &len, CAP);
    (void)ssi_srtp_set_roc(s, 2, 7);
    secsip_result r = ssi_srtp_export(s, 0, &b);
    assert_true(r == 0 || (r == SECSIP_E_NOMEM && test_oom_has_failed()));
    if (r == 0) {
        r = ssi_srtp_import(ssi_buf_slice(&b), &again);
        assert_true(r == 0 || test_oom_has_failed());
        ssi_buf_free(&b);
    }
    ssi_srtp_free(s);
    ssi_srtp_free(again);
}

static void want_of_memory_is_an_error_and_no_leak(void **state)
{
    enum ssi_srtp_direction directions[] = {SSI_SRTP_SEND, SSI_SRTP_RECEIVE};

    (void)state;
    for (int i = 0; i < 2; i++)
        assert_true(test_oom_each(there_and_back, &directions[i]) > (BUILT_STOCK ? 0 : 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_conversation_goes_on_where_it_stood),
        cmocka_unit_test(a_sender_that_goes_on_and_its_heir_never_meet),
        cmocka_unit_test(a_new_export_lets_the_sender_go_on),
        cmocka_unit_test(wrong_promises_are_refused),
        cmocka_unit_test(damage_anywhere_is_found),
        cmocka_unit_test(want_of_memory_is_an_error_and_no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
