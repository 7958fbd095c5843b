/* Keys that come back after others, exported states and roll-over counters that start again: no index of a key is used twice,
 * no packet is taken twice, and whoever speaks is heard. */
#include "common.h"

#include "oom.h"
#include "srtp/priv.h"
#include "suites.h"

#define CM SSI_SRTP_AES_CM_128_HMAC_SHA1_80

enum {
    SSRC = 9,
};

static struct ssi_srtp *made(enum ssi_srtp_direction direction, uint8_t key)
{
    struct ssi_srtp_config c = config_of(CM, direction, key);

    return session(&c);
}

/* With a second key, which MKIs tell apart. */
static struct ssi_srtp *made_of_two(enum ssi_srtp_direction direction, uint8_t key, uint8_t key2)
{
    struct ssi_srtp_config c = config_of(CM, direction, key);
    struct ssi_srtp_more_key more = {
        .key = config_of(CM, direction, key2).key, .mki = {key2}, .mki_len = 1};

    c.mki[0] = key;
    c.mki_len = 1;
    c.more = &more;
    c.n_more = 1;
    return session(&c);
}

static struct ssi_srtp *went_on(struct ssi_srtp *s, struct ssi_srtp *old)
{
    assert_int_equal(ssi_srtp_continue(s, old), 0);
    return s;
}

static struct ssi_srtp *heir_of(struct ssi_srtp *s, uint32_t promised)
{
    struct ssi_srtp *heir = NULL;
    struct ssi_buf b;

    assert_int_equal(ssi_srtp_export(s, promised, &b), 0);
    assert_int_equal(ssi_srtp_import(ssi_buf_slice(&b), &heir), 0);
    ssi_buf_free(&b);
    return heir;
}

static void free_all(struct ssi_srtp **all, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ssi_srtp_free(all[i]);
}

#define FREE_ALL(...)                                                                              \
    free_all((struct ssi_srtp *[]){__VA_ARGS__},                                                   \
             sizeof((struct ssi_srtp *[]){__VA_ARGS__}) / sizeof(struct ssi_srtp *))

/* How many of n packets, from seq on, the receiver takes. */
static int heard(struct ssi_srtp *tx, struct ssi_srtp *rx, uint32_t seq, int n)
{
    uint8_t p[CAP];
    int good = 0;

    for (int i = 0; i < n; i++)
        good += received(rx, false, p, protected_rtp(tx, p, seq + (uint32_t)i, SSRC)) == 0;
    return good;
}

enum way {
    IMPORTED,
    SHARED,
    BACK,
};

static struct ssi_srtp *by_way(enum way way, struct ssi_srtp *rx)
{
    if (way == IMPORTED)
        return heir_of(rx, 0);
    if (way == SHARED)
        return went_on(made_of_two(SSI_SRTP_RECEIVE, 1, 3), rx);
    struct ssi_srtp *between = went_on(made_of_two(SSI_SRTP_RECEIVE, 4, 5), rx);
    struct ssi_srtp *again = went_on(made_of_two(SSI_SRTP_RECEIVE, 1, 2), between);
    ssi_srtp_free(between);
    return again;
}

/* Review of issue 5, number 1: one replay was taken, and nothing genuine after it. */
static void an_old_packet_of_counter_0_is_refused_and_harms_nobody(void **state)
{
    (void)state;
    for (enum way way = IMPORTED; way <= BACK; way++) {
        struct ssi_srtp *tx = made_of_two(SSI_SRTP_SEND, 1, 2);
        struct ssi_srtp *rx = made_of_two(SSI_SRTP_RECEIVE, 1, 2);
        uint8_t p[CAP], recorded[CAP];
        size_t recorded_len = 0;
        for (uint32_t i = 0; i < 40; i++) {
            size_t len = protected_rtp(tx, p, i * 10000, SSRC);
            assert_int_equal(received(rx, false, p, len), 0);
            if (i == 1)
                memcpy(recorded, p, recorded_len = len);
        }
        struct ssi_srtp *then = by_way(way, rx);
        assert_true(received(then, false, recorded, recorded_len) < 0);
        assert_int_equal(heard(tx, then, 400000, 2000), 2000);
        assert_true(received(then, false, recorded, recorded_len) < 0);
        FREE_ALL(tx, rx, then);
    }
}

/* Number 2. The session in between, and the one that had the key, live or are gone; one packet is late. */
static void a_receiver_whose_key_comes_back_knows_its_packets(void **state)
{
    (void)state;
    for (int alive = 0; alive < 8; alive++) {
        struct ssi_srtp *tx = made(SSI_SRTP_SEND, 1), *a = made(SSI_SRTP_RECEIVE, 1);
        struct ssi_srtp *b = made(SSI_SRTP_RECEIVE, 2), *c = made(SSI_SRTP_RECEIVE, 3);
        struct ssi_srtp *again = made(SSI_SRTP_RECEIVE, 1);
        static uint8_t p[60][CAP], q[CAP];
        size_t len[60], rtcp_len;
        for (uint32_t i = 0; i < 60; i++) {
            len[i] = protected_rtp(tx, p[i], i, SSRC);
            if (i < 50 && i != 40)
                assert_int_equal(received(a, false, p[i], len[i]), 0);
        }
        rtcp_len = protected_rtcp(tx, q, 77);
        assert_int_equal(received(a, true, q, rtcp_len), 0);
        went_on(b, a);
        for (uint32_t i = 50; i < 55; i++) /* in the time of grace */
            assert_int_equal(received(a, false, p[i], len[i]), 0);
        if (alive & 4)
            ssi_srtp_free(a);
        if (alive & 1)
            went_on(c, b);
        went_on(again, alive & 1 ? c : b);
        if (alive & 2)
            ssi_srtp_free(b);
        for (uint32_t i = 0; i < 60; i++) {
            secsip_result wanted = i == 40 || i >= 55 ? 0 : SECSIP_E_SRTP_REPLAY;
            if (!(alive & 4)) /* it has the key no more */
                assert_int_equal(received(a, false, p[i], len[i]), SECSIP_E_SRTP_KEY_EXPIRED);
            assert_int_equal(received(again, false, p[i], len[i]), wanted);
            assert_int_equal(received(again, false, p[i], len[i]), SECSIP_E_SRTP_REPLAY);
        }
        assert_int_equal(received(again, true, q, rtcp_len), SECSIP_E_SRTP_REPLAY);
        FREE_ALL(tx, alive & 4 ? NULL : a, alive & 2 ? NULL : b, c, again);
    }
}

/* Numbers 1 and 2 over an export: what was known of earlier keys goes along. */
static void an_heir_knows_the_keys_of_before(void **state)
{
    struct ssi_srtp *tx = made(SSI_SRTP_SEND, 1), *a = made(SSI_SRTP_RECEIVE, 1);
    struct ssi_srtp *b = made(SSI_SRTP_RECEIVE, 2), *again = made(SSI_SRTP_RECEIVE, 1);
    uint8_t p[CAP];
    size_t len = protected_rtp(tx, p, 7, SSRC);

    (void)state;
    assert_int_equal(received(a, false, p, len), 0);
    went_on(b, a);
    struct ssi_srtp *heir = heir_of(b, 0), *second = heir_of(heir, 0);
    went_on(again, second);
    assert_int_equal(received(again, false, p, len), SECSIP_E_SRTP_REPLAY);
    assert_int_equal(heard(tx, again, 8, 100), 100);
    FREE_ALL(tx, a, b, heir, second, again);
}

static int both_protect(struct ssi_srtp *one, struct ssi_srtp *other, bool rtcp, uint32_t first,
                        uint32_t n)
{
    uint8_t p[CAP], q[CAP];
    int same = 0;

    for (uint32_t i = first; i < first + n; i++) {
        size_t len = rtcp ? clear_rtcp(p, SSRC, 5) : clear_rtp(p, i, SSRC, 60), other_len = len;
        memcpy(q, p, len);
        secsip_result r = rtcp ? ssi_srtp_protect_rtcp(one, p, &len, CAP)
                               : ssi_srtp_protect_rtp(one, p, &len, CAP);
        secsip_result r2 = rtcp ? ssi_srtp_protect_rtcp(other, q, &other_len, CAP)
                                : ssi_srtp_protect_rtp(other, q, &other_len, CAP);
        same += r == 0 && r2 == 0 && (!rtcp || memcmp(p, q, len) == 0);
    }
    return same;
}

/* Number 3: the heir's continuation sent what the exporter may send. */
static void an_heir_that_shares_a_key_with_the_next_session_stays_behind_the_promise(void **state)
{
    struct ssi_srtp *tx = made_of_two(SSI_SRTP_SEND, 1, 2);
    uint8_t p[CAP];

    (void)state;
    for (uint32_t i = 0; i <= 10; i++)
        (void)protected_rtp(tx, p, i, SSRC);
    (void)protected_rtcp(tx, p, SSRC);
    struct ssi_srtp *heir = heir_of(tx, 100);
    struct ssi_srtp *next = went_on(made_of_two(SSI_SRTP_SEND, 1, 3), heir);
    assert_int_equal(both_protect(tx, next, false, 11, 200), 0);
    assert_int_equal(both_protect(tx, next, true, 0, 100), 0);
    (void)protected_rtp(next, p, 300, SSRC);
    FREE_ALL(tx, heir, next);
}

/* Number 3: K1, a promise, K2, K1 again. */
static void a_promise_lasts_while_other_keys_come_and_go(void **state)
{
    (void)state;
    for (uint32_t promised = 0; promised <= 5; promised += 5) {
        struct ssi_srtp *tx = made(SSI_SRTP_SEND, 1), *k2 = made(SSI_SRTP_SEND, 2);
        struct ssi_srtp *k1 = made(SSI_SRTP_SEND, 1);
        uint8_t p[CAP];
        for (uint32_t i = 0; i <= 10; i++)
            (void)protected_rtp(tx, p, i, SSRC);
        struct ssi_srtp *heir = heir_of(tx, promised);
        went_on(k2, tx);
        (void)protected_rtp(k2, p, 11, SSRC);
        (void)protected_rtp(k2, p, 1, 55); /* an SSRC that the heir may also choose */
        went_on(k1, k2);
        assert_int_equal(both_protect(k1, heir, false, 12, 100), 0);
        size_t len = clear_rtp(p, 2, 55, 20);
        assert_true(ssi_srtp_protect_rtp(k1, p, &len, CAP) < 0);
        (void)protected_rtp(heir, p, 200, SSRC);
        FREE_ALL(tx, k2, k1, heir);
    }
}

/* The promise holds for a key of before the export, too: exporter and heir may both go back to it. */
static void a_promise_holds_for_the_keys_of_before(void **state)
{
    struct ssi_srtp *k1 = made(SSI_SRTP_SEND, 1), *k2 = made(SSI_SRTP_SEND, 2);
    uint8_t p[CAP];

    (void)state;
    (void)protected_rtp(k1, p, 10, SSRC);
    went_on(k2, k1);
    (void)protected_rtp(k2, p, 11, SSRC);
    struct ssi_srtp *heir = heir_of(k2, 20);
    struct ssi_srtp *mine = went_on(made(SSI_SRTP_SEND, 1), k2);
    struct ssi_srtp *its = went_on(made(SSI_SRTP_SEND, 1), heir);
    assert_int_equal(both_protect(mine, its, false, 12, 100), 0);
    assert_int_equal(both_protect(mine, its, true, 0, 40), 0);
    (void)protected_rtp(its, p, 200, SSRC);
    size_t len = clear_rtp(p, 1, 56, 20); /* an SSRC of nobody yet */
    assert_int_equal(ssi_srtp_protect_rtp(mine, p, &len, CAP), SECSIP_E_LIMIT);
    FREE_ALL(k1, k2, heir, mine, its);
}

/* Number 4: after the failure neither session may have anything of libsrtp2's that points into the other. */
static void continue_out_of_memory(void *arg)
{
    struct ssi_srtp_config c = config_of(CM, SSI_SRTP_SEND, 1);
    struct ssi_srtp *old = NULL, *s = NULL;
    uint8_t p[CAP];
    size_t len = clear_rtp(p, 3, 7, 20);

    (void)arg;
    if (ssi_srtp_new(&c, &old) < 0)
        return;
    bool prepared =
        ssi_srtp_set_roc(old, 7, 1) == 0 && ssi_srtp_protect_rtp(old, p, &len, CAP) == 0;
    c.key.bytes[0] ^= 1;
    if (prepared && ssi_srtp_new(&c, &s) == 0) {
        secsip_result r = ssi_srtp_continue(s, old);
        assert_true(r == 0 || test_oom_has_failed());
        /* Nothing was done, or all, or neither has a session of libsrtp2. */
        assert_true(r == 0 ? s->ctx && !old->ctx : !s->ctx == !old->ctx);
        len = clear_rtp(p, 4, 7, 20);
        if (r < 0 && !s->ctx)
            assert_int_equal(ssi_srtp_protect_rtp(s, p, &len, CAP), SECSIP_E_SRTP_KEY_EXPIRED);
    }
    ssi_srtp_free(s); /* this one first: the other's ciphers must not lie in it */
    ssi_srtp_free(old);
}

static void a_new_key_for_want_of_memory_leaves_nothing_dangling(void **state)
{
    (void)state;
    assert_true(test_oom_each(continue_out_of_memory, NULL) > (BUILT_STOCK ? 0 : 10));
}

/* Number 5, FIELD 3: a peer began with 0 again. */
struct reset {
    struct ssi_srtp *tx, *rx;
};

static struct reset after_reset(uint32_t rounds)
{
    struct ssi_srtp *tx = made(SSI_SRTP_SEND, 1), *rx = made(SSI_SRTP_RECEIVE, 1);
    struct reset r = {made(SSI_SRTP_SEND, 2), made(SSI_SRTP_RECEIVE, 2)};

    for (uint32_t i = 0; i < rounds; i++)
        assert_int_equal(heard(tx, rx, i * 30000, 1), 1);
    went_on(r.rx, rx);
    assert_int_equal(heard(r.tx, r.rx, 10000, 3), 3);
    FREE_ALL(tx, rx);
    return r;
}

static void a_counter_that_was_reset_is_the_counter_from_then_on(void **state)
{
    struct reset r = after_reset(5);
    uint32_t roc, sent;
    uint16_t seq;

    (void)state;
    for (uint32_t i = 1; i < 4; i++)
        assert_int_equal(heard(r.tx, r.rx, 10000 + i * 30000, 1), 1);
    assert_int_equal(ssi_srtp_get_index(r.rx, SSRC, &roc, &seq), 0);
    assert_int_equal(ssi_srtp_get_index(r.tx, SSRC, &sent, &seq), 0);
    assert_int_equal(roc, sent);
    /* A second new key, of a peer that keeps it this time; and an import. */
    struct ssi_srtp *tx = went_on(made(SSI_SRTP_SEND, 3), r.tx);
    struct ssi_srtp *rx = went_on(made(SSI_SRTP_RECEIVE, 3), r.rx);
    assert_int_equal(heard(tx, rx, 100100, 2000), 2000);
    struct ssi_srtp *heir = heir_of(rx, 0);
    assert_int_equal(heard(tx, heir, 102100, 2000), 2000);
    FREE_ALL(r.tx, r.rx, tx, rx, heir);
}

/* Number 26: what was found is said. */
static void expect_found(const struct ssi_srtp *rx, enum ssi_srtp_found found, uint32_t instead)
{
    struct ssi_srtp_source_stats stats;

    assert_int_equal(ssi_srtp_source_stats(rx, 0, &stats), 0);
    assert_int_equal(stats.found, found);
    assert_int_equal(stats.found_instead, instead);
}

static void a_roll_over_missed_after_a_reset_is_found(void **state)
{
    struct reset r = after_reset(20);
    uint8_t p[CAP];

    (void)state;
    expect_found(r.rx, SSI_SRTP_FOUND_RESET, 9);
    for (uint32_t i = 1; i < 4; i++)
        (void)protected_rtp(r.tx, p, 10000 + i * 30000, SSRC);
    assert_int_equal(heard(r.tx, r.rx, 100001, 2000), 1997);
    expect_found(r.rx, SSI_SRTP_FOUND_MISSED, 0);
    FREE_ALL(r.tx, r.rx);
}

/* Number 6. */
static void an_ssrc_known_by_its_rtcp_may_be_joined(void **state)
{
    struct ssi_srtp_config c = config_of(CM, SSI_SRTP_RECEIVE, 1);
    uint8_t p[CAP];

    (void)state;
    for (int given = 0; given < 3; given++) {
        c.join_roc = given ? 0 : 8;
        struct ssi_srtp *tx = made(SSI_SRTP_SEND, 1), *rx = session(&c);
        assert_int_equal(ssi_srtp_set_roc(tx, SSRC, 3), 0);
        size_t len = protected_rtcp(tx, p, SSRC);
        assert_int_equal(received(rx, true, p, len), 0);
        if (given) /* right, or one too low */
            assert_int_equal(ssi_srtp_set_roc(rx, SSRC, 4U - (uint32_t)given), 0);
        assert_int_equal(heard(tx, rx, 1000, 100), given == 2 ? 97 : 100);
        expect_found(rx,
                     given == 0   ? SSI_SRTP_FOUND_JOINED
                     : given == 1 ? SSI_SRTP_FOUND_NOTHING
                                  : SSI_SRTP_FOUND_MISSED,
                     given == 2 ? 2 : 0);
        assert_int_equal(ssi_srtp_set_roc(rx, SSRC, 3), SECSIP_E_STATE);
        FREE_ALL(tx, rx);
    }
}

/* Number 7. */
static void a_roll_over_missed_at_a_new_key_or_an_import_is_found(void **state)
{
    uint8_t p[CAP];

    (void)state;
    for (int how = 0; how < 2; how++) {
        struct ssi_srtp *tx = made(SSI_SRTP_SEND, 1), *rx = made(SSI_SRTP_RECEIVE, 1);
        assert_int_equal(heard(tx, rx, 0, 100), 100);
        struct ssi_srtp *tx2 = how ? heir_of(tx, 0) : went_on(made(SSI_SRTP_SEND, 2), tx);
        struct ssi_srtp *rx2 = how ? heir_of(rx, 0) : went_on(made(SSI_SRTP_RECEIVE, 2), rx);
        for (uint32_t seq = 100; seq < 80000; seq += 20000)
            (void)protected_rtp(tx2, p, seq, SSRC);
        assert_int_equal(heard(tx2, rx2, 80100, 2000), 1997);
        FREE_ALL(tx, rx, tx2, rx2);
    }
}

/* Number 9. */
static void the_life_of_a_key_goes_on_when_it_comes_back(void **state)
{
    struct ssi_srtp_config c = config_of(CM, SSI_SRTP_SEND, 1),
                           c2 = config_of(CM, SSI_SRTP_SEND, 2);
    uint8_t p[CAP];
    uint32_t seq = 0, n = 0;

    (void)state;
    c.lifetime = c2.lifetime = 100;
    struct ssi_srtp *a = session(&c), *b = session(&c2), *again = session(&c);
    for (; seq < 90; seq++)
        n += protected_rtp(a, p, seq, SSRC) > 0;
    went_on(again, went_on(b, a));
    for (; seq < 200; seq++) {
        size_t len = clear_rtp(p, seq, SSRC, 20);
        n += ssi_srtp_protect_rtp(again, p, &len, CAP) == 0;
    }
    assert_int_equal(n, 100);
    FREE_ALL(a, b, again);
}

/* Number 16. */
static void srtcp_of_an_ssrc_without_rtp_is_not_taken_again_by_the_next_session(void **state)
{
    struct ssi_srtp *tx = made_of_two(SSI_SRTP_SEND, 1, 2);
    struct ssi_srtp *rx = made_of_two(SSI_SRTP_RECEIVE, 1, 2);
    struct ssi_srtp *next = made_of_two(SSI_SRTP_RECEIVE, 1, 3);
    uint8_t p[CAP];
    size_t len = protected_rtcp(tx, p, SSRC);

    (void)state;
    assert_int_equal(received(rx, true, p, len), 0);
    went_on(next, rx);
    assert_int_equal(received(next, true, p, len), SECSIP_E_SRTP_REPLAY);
    len = protected_rtcp(tx, p, SSRC);
    assert_int_equal(received(next, true, p, len), 0);
    FREE_ALL(tx, rx, next);
}

/* Number 14: of many SSRCs, one for each key, as a call has them that is transferred often. */
static void silent_ssrcs_make_room_at_a_new_key(void **state)
{
    struct ssi_srtp *tx = made(SSI_SRTP_SEND, 0), *rx = made(SSI_SRTP_RECEIVE, 0);
    uint8_t p[CAP], first[CAP];
    size_t first_len = 0;

    (void)state;
    for (uint32_t i = 0; i < 100; i++) {
        size_t len = protected_rtp(tx, p, 1, 1000 + i);
        assert_int_equal(received(rx, false, p, len), 0);
        if (i == 98)
            memcpy(first, p, first_len = len);
        assert_int_equal(heard(tx, rx, i * 30000, 1), 1); /* one that speaks all the time stays */
        struct ssi_srtp *tx2 = went_on(made(SSI_SRTP_SEND, (uint8_t)(i + 1)), tx);
        struct ssi_srtp *rx2 = went_on(made(SSI_SRTP_RECEIVE, (uint8_t)(i + 1)), rx);
        FREE_ALL(tx, rx);
        tx = tx2;
        rx = rx2;
    }
    assert_true(ssi_srtp_stats(rx).n_ssrcs <= 32 && ssi_srtp_stats(tx).n_ssrcs <= 32);
    /* A key that comes back brings its SSRCs along. */
    struct ssi_srtp *back = went_on(made(SSI_SRTP_RECEIVE, 98), rx);
    assert_int_equal(received(back, false, first, first_len), SECSIP_E_SRTP_REPLAY);
    FREE_ALL(tx, rx, back);
}

/* More keys than a line keeps the marks of: any number of new ones, but none of the forgotten. */
static void a_key_of_which_too_little_is_known_is_not_taken_back(void **state)
{
    struct ssi_srtp *rx = made(SSI_SRTP_RECEIVE, 0), *tx = made(SSI_SRTP_SEND, 0);
    struct ssi_srtp *first = made(SSI_SRTP_RECEIVE, 0), *first_tx = made(SSI_SRTP_SEND, 0);

    (void)state;
    for (uint32_t i = 1; i < 200; i++) {
        struct ssi_srtp *rx2 = went_on(made(SSI_SRTP_RECEIVE, (uint8_t)i), rx);
        struct ssi_srtp *tx2 = went_on(made(SSI_SRTP_SEND, (uint8_t)i), tx);
        FREE_ALL(rx, tx);
        rx = rx2;
        tx = tx2;
        assert_int_equal(heard(tx, rx, i * 20, 3), 3);
    }
    assert_int_equal(ssi_srtp_continue(first, rx), SECSIP_E_SRTP_REUSE);
    assert_int_equal(ssi_srtp_continue(first_tx, tx), SECSIP_E_SRTP_REUSE);
    assert_int_equal(heard(tx, rx, 5000, 100), 100); /* and the conversation goes on */
    struct ssi_srtp *heir = heir_of(rx, 0);
    assert_int_equal(ssi_srtp_continue(first, heir), SECSIP_E_SRTP_REUSE);
    FREE_ALL(rx, tx, first, first_tx, heir);
}

/* Number 22. */
static void a_counter_that_was_given_outlives_a_new_key(void **state)
{
    struct ssi_srtp *tx = made(SSI_SRTP_SEND, 2);
    struct ssi_srtp *rx = made(SSI_SRTP_RECEIVE, 1), *rx2 = made(SSI_SRTP_RECEIVE, 2);

    (void)state;
    assert_int_equal(ssi_srtp_set_roc(tx, SSRC, 5), 0);
    assert_int_equal(ssi_srtp_set_roc(rx, SSRC, 5), 0);
    went_on(rx2, rx);
    assert_int_equal(heard(tx, rx2, 7, 10), 10);
    FREE_ALL(tx, rx, rx2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_old_packet_of_counter_0_is_refused_and_harms_nobody),
        cmocka_unit_test(a_receiver_whose_key_comes_back_knows_its_packets),
        cmocka_unit_test(an_heir_knows_the_keys_of_before),
        cmocka_unit_test(an_heir_that_shares_a_key_with_the_next_session_stays_behind_the_promise),
        cmocka_unit_test(a_promise_lasts_while_other_keys_come_and_go),
        cmocka_unit_test(a_promise_holds_for_the_keys_of_before),
        cmocka_unit_test(a_new_key_for_want_of_memory_leaves_nothing_dangling),
        cmocka_unit_test(a_counter_that_was_reset_is_the_counter_from_then_on),
        cmocka_unit_test(a_roll_over_missed_after_a_reset_is_found),
        cmocka_unit_test(an_ssrc_known_by_its_rtcp_may_be_joined),
        cmocka_unit_test(a_roll_over_missed_at_a_new_key_or_an_import_is_found),
        cmocka_unit_test(the_life_of_a_key_goes_on_when_it_comes_back),
        cmocka_unit_test(srtcp_of_an_ssrc_without_rtp_is_not_taken_again_by_the_next_session),
        cmocka_unit_test(silent_ssrcs_make_room_at_a_new_key),
        cmocka_unit_test(a_key_of_which_too_little_is_known_is_not_taken_back),
        cmocka_unit_test(a_counter_that_was_given_outlives_a_new_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
