/* The public door to two legs, to many packets at once, and to the state of a session. */
#include "test.h"

#include <stdbool.h>

#include <secsip/srtp.h>

enum {
    CAP = 512
};

#ifdef SECSIP_STOCK_CIPHERS /* AES-192 of libsrtp2 before 2.8 is not that of RFC 6188, and refused */
#define THIRD "AES_256_CM_HMAC_SHA1_32"
enum {
    THIRD_LEN = 46
};
#else
#define THIRD "AES_192_CM_HMAC_SHA1_80"
enum {
    THIRD_LEN = 38
};
#endif

static const char *const suites[] = {
    "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", THIRD,
    "AES_256_CM_HMAC_SHA1_80", "AEAD_AES_128_GCM",        "AEAD_AES_256_GCM",
};
static const size_t key_lens[] = {30, 30, THIRD_LEN, 46, 28, 44};

enum {
    N_SUITES = sizeof suites / sizeof suites[0]
};

static secsip_srtp *open_session(size_t suite, int32_t direction, uint8_t key, uint64_t lifetime)
{
    uint8_t bytes[46];
    secsip_srtp *s = NULL;
    secsip_srtp_config c = {
        .size = sizeof c,
        .direction = direction,
        .suite = suites[suite],
        .key = bytes,
        .key_len = key_lens[suite],
        .lifetime = lifetime,
    };

    memset(bytes, key, sizeof bytes);
    assert_int_equal(secsip_srtp_new(&c, &s), 0);
    return s;
}

static size_t clear_packet(uint8_t *p, bool rtcp, uint8_t seq)
{
    memset(p, 0, 64);
    p[0] = 0x80;
    p[1] = rtcp ? 201 : 8;
    p[3] = rtcp ? 15 : seq;
    p[rtcp ? 7 : 11] = 9;
    for (int i = 12; i < 64; i++)
        p[i] = (uint8_t)(i * 3 + seq);
    return 64;
}

struct seen {
    size_t n, n_rtcp;
    uint8_t last[CAP];
    size_t len;
};

static void look(int32_t kind, const uint8_t *packet, size_t len, void *user_data)
{
    struct seen *s = user_data;

    s->n++;
    s->n_rtcp += kind == SECSIP_SRTP_RTCP;
    memcpy(s->last, packet, len);
    s->len = len;
}

static void packets_of_one_leg_become_those_of_the_other(void **state)
{
    (void)state;
    for (size_t a = 0; a < N_SUITES; a++) {
        for (size_t b = 0; b < N_SUITES; b++) {
            secsip_srtp *phone_a = open_session(a, SECSIP_SRTP_SEND, 1, 0);
            secsip_srtp *from = open_session(a, SECSIP_SRTP_RECEIVE, 1, 0);
            secsip_srtp *to = open_session(b, SECSIP_SRTP_SEND, 2, 0);
            secsip_srtp *phone_b = open_session(b, SECSIP_SRTP_RECEIVE, 2, 0);
            secsip_srtp_bridge *bridge = NULL;
            assert_int_equal(secsip_srtp_bridge_new(from, to, &bridge), 0);
            for (uint8_t i = 0; i < 40; i++) {
                uint8_t clear[CAP], p[CAP];
                bool rtcp = i % 4 == 3;
                size_t len = clear_packet(clear, rtcp, i), n = len;
                memcpy(p, clear, len);
                assert_int_equal(rtcp ? secsip_srtp_protect_rtcp(phone_a, p, &n, CAP)
                                      : secsip_srtp_protect_rtp(phone_a, p, &n, CAP),
                                 0);
                assert_int_equal(secsip_srtp_bridge_pass(bridge, SECSIP_SRTP_EITHER, p, &n, CAP),
                                 0);
                assert_memory_equal(p, clear, rtcp ? 8 : 12); /* SSRC and all */
                assert_memory_not_equal(p + 12, clear + 12, 32);
                assert_int_equal(rtcp ? secsip_srtp_unprotect_rtcp(phone_b, p, &n)
                                      : secsip_srtp_unprotect_rtp(phone_b, p, &n),
                                 0);
                assert_int_equal(n, len);
                assert_memory_equal(p, clear, len);
            }
            secsip_srtp_bridge_free(bridge);
            secsip_srtp_free(phone_a);
            secsip_srtp_free(from);
            secsip_srtp_free(to);
            secsip_srtp_free(phone_b);
        }
    }
}

static void a_tap_sees_clear_packets_with_consent_and_nothing_without(void **state)
{
    secsip_srtp *phone = open_session(0, SECSIP_SRTP_SEND, 1, 0);
    secsip_srtp *from = open_session(0, SECSIP_SRTP_RECEIVE, 1, 0);
    secsip_srtp *to = open_session(4, SECSIP_SRTP_SEND, 2, 0);
    secsip_srtp_bridge *bridge = NULL;
    struct seen seen = {0};

    (void)state;
    assert_int_equal(secsip_srtp_bridge_new(from, to, &bridge), 0);
    for (uint8_t i = 0; i < 40; i++) {
        uint8_t clear[CAP], p[CAP];
        bool rtcp = i % 2;
        size_t len = clear_packet(clear, rtcp, i), n = len;
        if (i == 10)
            assert_int_equal(secsip_srtp_bridge_tap(bridge, 1, look, &seen), SECSIP_E_PERMISSION);
        if (i == 20)
            assert_int_equal(secsip_srtp_bridge_tap(bridge, SECSIP_SRTP_CONSENT_GIVEN, look, &seen),
                             0);
        if (i == 30) /* consent is taken back, and with it the tap */
            assert_int_equal(secsip_srtp_bridge_tap(bridge, 0, look, &seen), SECSIP_E_PERMISSION);
        memcpy(p, clear, len);
        assert_int_equal(rtcp ? secsip_srtp_protect_rtcp(phone, p, &n, CAP)
                              : secsip_srtp_protect_rtp(phone, p, &n, CAP),
                         0);
        if (i % 5 == 0) { /* forged: neither seen nor passed on */
            uint8_t forged[CAP];
            size_t m = n;
            memcpy(forged, p, n);
            forged[20] ^= 1;
            assert_int_equal(secsip_srtp_bridge_pass(bridge, SECSIP_SRTP_EITHER, forged, &m, CAP),
                             SECSIP_E_SRTP_AUTH);
        }
        assert_int_equal(secsip_srtp_bridge_pass(bridge, SECSIP_SRTP_EITHER, p, &n, CAP), 0);
        assert_int_equal(seen.n, i < 20 ? 0 : i < 30 ? i - 19U : 10);
        if (i >= 20 && i < 30) {
            assert_int_equal(seen.len, len);
            assert_memory_equal(seen.last, clear, len);
        }
    }
    assert_int_equal(seen.n_rtcp, 5);
    assert_int_equal(secsip_srtp_bridge_tap(bridge, 0, NULL, NULL), 0);
    secsip_srtp_bridge_free(bridge);
    secsip_srtp_free(phone);
    secsip_srtp_free(from);
    secsip_srtp_free(to);
}

static void both_keys_live_and_end_by_themselves(void **state)
{
    secsip_srtp *phone = open_session(0, SECSIP_SRTP_SEND, 1, 0);
    secsip_srtp *from = open_session(0, SECSIP_SRTP_RECEIVE, 1, 0);
    secsip_srtp *to = open_session(1, SECSIP_SRTP_SEND, 2, 16);
    secsip_srtp *same = open_session(0, SECSIP_SRTP_SEND, 1, 0);
    secsip_srtp_bridge *bridge = NULL;

    const uint32_t all_over =
        SECSIP_SRTP_DUE_RTP | SECSIP_SRTP_DUE_RTCP | SECSIP_SRTP_ENDED_RTP | SECSIP_SRTP_ENDED_RTCP;

    (void)state;
    assert_int_equal(secsip_srtp_bridge_new(to, from, &bridge), SECSIP_E_INVALID);
    assert_int_equal(secsip_srtp_bridge_new(from, same, &bridge), SECSIP_E_SRTP_REUSE);
    assert_int_equal(secsip_srtp_bridge_new(from, to, &bridge), 0);
    for (uint8_t i = 0; i < 18; i++) {
        uint8_t p[CAP], zeros[CAP] = {0};
        size_t len = clear_packet(p, false, i);
        assert_int_equal(secsip_srtp_bridge_get_life(bridge), i < 14   ? 0
                                                              : i < 16 ? SECSIP_SRTP_DUE_RTP << 8
                                                                       : all_over << 8);
        assert_int_equal(secsip_srtp_protect_rtp(phone, p, &len, CAP), 0);
        assert_int_equal(secsip_srtp_bridge_pass(bridge, SECSIP_SRTP_RTP, p, &len, CAP),
                         i < 16 ? 0 : SECSIP_E_SRTP_KEY_EXPIRED);
        if (i >= 16)
            assert_memory_equal(p, zeros, 64); /* nothing in clear is left */
    }
    secsip_srtp *next = open_session(4, SECSIP_SRTP_SEND, 3, 0);
    assert_int_equal(secsip_srtp_continue(next, to), 0);
    assert_int_equal(secsip_srtp_bridge_set(bridge, NULL, next), 0);
    assert_int_equal(secsip_srtp_bridge_set(bridge, NULL, same), SECSIP_E_SRTP_REUSE);
    uint8_t p[CAP];
    size_t len = clear_packet(p, false, 18);
    assert_int_equal(secsip_srtp_protect_rtp(phone, p, &len, CAP), 0);
    assert_int_equal(secsip_srtp_bridge_pass(bridge, SECSIP_SRTP_RTP, p, &len, CAP), 0);
    secsip_srtp_bridge_free(bridge);
    secsip_srtp_free(phone);
    secsip_srtp_free(from);
    secsip_srtp_free(to);
    secsip_srtp_free(same);
    secsip_srtp_free(next);
}

static void many_packets_at_once_are_the_same_packets(void **state)
{
    enum {
        N = 60
    };
    static uint8_t batch[N][CAP], single[CAP], clear[CAP];
    secsip_srtp *one[N_SUITES], *many[N_SUITES], *rx[N_SUITES];
    secsip_srtp_job jobs[N];

    (void)state;
    for (size_t k = 0; k < N_SUITES; k++) {
        one[k] = open_session(k, SECSIP_SRTP_SEND, 1, 0);
        many[k] = open_session(k, SECSIP_SRTP_SEND, 1, 0);
        rx[k] = open_session(k, SECSIP_SRTP_RECEIVE, 1, 0);
    }
    for (uint32_t i = 0; i < N; i++)
        jobs[i] = (secsip_srtp_job){.size = sizeof jobs[0],
                                    .srtp = many[i % N_SUITES],
                                    .kind = SECSIP_SRTP_EITHER,
                                    .packet = batch[i],
                                    .len = clear_packet(batch[i], i % 5 == 0, i),
                                    .cap = CAP};
    jobs[7].cap = 64; /* no room: fails, and the others do not */
    jobs[8].packet = NULL;
    assert_int_equal(secsip_srtp_run(jobs, N), 2);
    for (uint32_t i = 0; i < N; i++) {
        size_t len = clear_packet(clear, i % 5 == 0, i), n = len;
        if (i == 7 || i == 8) {
            assert_int_equal(jobs[i].result, i == 7 ? SECSIP_E_LIMIT : SECSIP_E_INVALID);
            continue;
        }
        assert_int_equal(secsip_srtp_protect_copy(one[i % N_SUITES], SECSIP_SRTP_EITHER, clear, len,
                                                  single, CAP, &n),
                         0);
        assert_int_equal(jobs[i].result, 0);
        assert_int_equal(jobs[i].len, n);
        assert_memory_equal(batch[i], single, n);
        jobs[i].srtp = rx[i % N_SUITES];
    }
    jobs[8].srtp = NULL;
    assert_int_equal(secsip_srtp_run(jobs, N), 2);
    for (uint32_t i = 0; i < N; i++) {
        size_t len = clear_packet(clear, i % 5 == 0, i);
        if (i == 7 || i == 8)
            continue;
        assert_int_equal(jobs[i].len, len);
        assert_memory_equal(batch[i], clear, len);
    }
    assert_int_equal(secsip_srtp_run(NULL, 0), 0);
    assert_int_equal(secsip_srtp_run(NULL, 1), SECSIP_E_INVALID);
    jobs[0].size = 8;
    assert_int_equal(secsip_srtp_run(jobs, 1), SECSIP_E_ABI);
    for (size_t k = 0; k < N_SUITES; k++) {
        secsip_srtp_free(one[k]);
        secsip_srtp_free(many[k]);
        secsip_srtp_free(rx[k]);
    }
}

static void a_state_goes_out_and_comes_in(void **state)
{
    secsip_srtp *tx = open_session(0, SECSIP_SRTP_SEND, 1, 0), *heir = NULL;
    secsip_srtp *rx = open_session(0, SECSIP_SRTP_RECEIVE, 1, 0);
    secsip_srtp_state *out = NULL;
    secsip_srtp_ssrc_stats stats = {.size = sizeof stats};
    uint8_t p[CAP];
    size_t len = clear_packet(p, false, 10), n;

    (void)state;
    assert_int_equal(secsip_srtp_protect_rtp(tx, p, &len, CAP), 0);
    assert_int_equal(secsip_srtp_unprotect_rtp(rx, p, &len), 0);
    assert_int_equal(secsip_srtp_export(tx, SECSIP_SRTP_PROMISE_MAX + 1, &out), SECSIP_E_INVALID);
    assert_int_equal(secsip_srtp_export(tx, 50, &out), 0);
    const uint8_t *bytes = secsip_srtp_state_get_bytes(out, &n);
    assert_int_equal(secsip_srtp_import(bytes, n - 1, &heir), SECSIP_E_SRTP_STATE);
    assert_int_equal(secsip_srtp_import(NULL, n, &heir), SECSIP_E_INVALID);
    assert_int_equal(secsip_srtp_import(bytes, n, &heir), 0);
    assert_int_equal(secsip_srtp_get_ssrc_stats(heir, 0, &stats), 0);
    assert_int_equal(stats.ssrc, 9);
    assert_int_equal(stats.next_index, 61);
    len = clear_packet(p, false, 60);
    assert_int_equal(secsip_srtp_protect_rtp(heir, p, &len, CAP), SECSIP_E_SRTP_REUSE);
    len = clear_packet(p, false, 61);
    assert_int_equal(secsip_srtp_protect_rtp(heir, p, &len, CAP), 0);
    assert_int_equal(secsip_srtp_unprotect_rtp(rx, p, &len), 0);
    secsip_srtp_state_free(out);
    secsip_srtp_state_free(NULL);
    assert_null(secsip_srtp_state_get_bytes(NULL, &n));
    secsip_srtp_free(tx);
    secsip_srtp_free(rx);
    secsip_srtp_free(heir);
}

/* Whatever is wrong with a packet, nothing of it is left behind its header: not what came in clear, nor what was opened. */
static void a_packet_that_does_not_pass_is_wiped(void **state)
{
    static const uint8_t mki1[] = {1}, mki2[] = {2};
    static const uint8_t zeros[CAP];
    uint8_t key[30], p[CAP], before[CAP];
    secsip_srtp_config c = {.size = sizeof c,
                            .direction = SECSIP_SRTP_RECEIVE,
                            .suite = suites[0],
                            .key = key,
                            .key_len = sizeof key,
                            .mki = mki1,
                            .mki_len = 1};
    secsip_srtp *from = NULL, *phone = NULL, *to = open_session(4, SECSIP_SRTP_SEND, 2, 0);
    secsip_srtp_bridge *bridge = NULL;

    (void)state;
    memset(key, 1, sizeof key);
    assert_int_equal(secsip_srtp_new(&c, &from), 0);
    c.direction = SECSIP_SRTP_SEND;
    assert_int_equal(secsip_srtp_new(&c, &phone), 0);
    assert_int_equal(secsip_srtp_bridge_new(from, to, &bridge), 0);
    for (int how = 0; how < 5; how++) {
        size_t n = clear_packet(p, how == 4, (uint8_t)how), all, cap = how == 3 ? 20 : CAP;
        if (how > 0 && how < 4)
            assert_int_equal(secsip_srtp_protect_rtp(phone, p, &n, CAP), 0);
        if (how == 1)
            p[n - 11] = mki2[0];
        all = n = how == 2 ? 16 : n; /* clear, an MKI of nobody, too short, no room, clear RTCP */
        memcpy(before, p, n);
        assert_true(secsip_srtp_bridge_pass(bridge, how == 4, p, &n, cap) < 0);
        size_t header = how == 4 ? 8 : 12;
        assert_memory_equal(p + header, zeros, all - header);
        assert_true(how == 3 || memcmp(p, before, header) == 0);
    }
    secsip_srtp_bridge_free(bridge);
    secsip_srtp_free(phone);
    secsip_srtp_free(from);
    secsip_srtp_free(to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_that_does_not_pass_is_wiped),
        cmocka_unit_test(packets_of_one_leg_become_those_of_the_other),
        cmocka_unit_test(a_tap_sees_clear_packets_with_consent_and_nothing_without),
        cmocka_unit_test(both_keys_live_and_end_by_themselves),
        cmocka_unit_test(many_packets_at_once_are_the_same_packets),
        cmocka_unit_test(a_state_goes_out_and_comes_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
