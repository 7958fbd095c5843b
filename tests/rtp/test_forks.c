/* A call that forks: several answers, each with a key of its own, whose early media come at once (FIELD 16:
 * pjsip/pjproject#657, #1644, jambonz/sbc-outbound#133). Our stream against phones made of bare SRTP sessions. */
#include "test.h"

#include <stdlib.h>

#include "rtp/packet.h"
#include "rtp/receivers.h"
#include "rtp/rtcp.h"
#include "rtp/stream.h"

struct ours {
    struct ssi_timers timers;
    struct ssi_rtp_stream *stream;
    size_t n_samples;
    size_t n_sent;
    size_t n_due, n_ended, due_at;
    bool life_of_ours; /* what was told last */
    uint8_t sent[600];
    size_t sent_len;
};

/* One of the phones that ring. */
struct phone {
    struct ssi_srtp *tx;
    uint32_t ssrc;
    uint16_t seq;
};

static void keep_sent(void *arg, bool rtcp, const uint8_t *packet, size_t len)
{
    struct ours *o = arg;

    if (rtcp)
        return;
    o->n_sent++;
    memcpy(o->sent, packet, len);
    o->sent_len = len;
}

static void count_audio(void *arg, const int16_t *samples, size_t n, uint32_t timestamp)
{
    struct ours *o = arg;

    (void)samples;
    (void)timestamp;
    o->n_samples += n;
}

static void note_life(void *arg, bool ours, bool ended)
{
    struct ours *o = arg;

    o->life_of_ours = ours;
    o->n_due += !ended;
    o->n_ended += ended;
    o->due_at = ended ? o->due_at : o->n_sent;
}

static const struct ssi_rtp_ops ops = {keep_sent, count_audio, NULL, note_life};

static struct ssi_srtp *session(enum ssi_srtp_suite suite, enum ssi_srtp_direction direction,
                                uint8_t key)
{
    struct ssi_srtp_config c = {.direction = direction, .suite = suite};
    struct ssi_srtp *s = NULL;

    c.key.len = (uint8_t)ssi_srtp_key_len(suite);
    memset(c.key.bytes, key, c.key.len);
    assert_int_equal(ssi_srtp_new(&c, &s), 0);
    return s;
}

#define CM  SSI_SRTP_AES_CM_128_HMAC_SHA1_80
#define GCM SSI_SRTP_AEAD_AES_128_GCM

static void open_ours(struct ours *o)
{
    struct ssi_rtp_config c = {
        .secure = true, .codec = SSI_RTP_PCMU, .send = true, .receive = true};

    memset(o, 0, sizeof *o);
    ssi_timers_init(&o->timers, SSI_S(1));
    assert_int_equal(ssi_rtp_stream_new(&c, &o->timers, &ops, o, &o->stream), 0);
}

static struct phone open_phone(uint8_t key, uint32_t ssrc)
{
    return (struct phone){session(CM, SSI_SRTP_SEND, key), ssrc, 100};
}

static void answer_of(struct ours *o, uint32_t fork, uint8_t tx, uint8_t rx)
{
    assert_int_equal(ssi_rtp_stream_set_fork(o->stream, fork, session(CM, SSI_SRTP_SEND, tx),
                                             session(CM, SSI_SRTP_RECEIVE, rx)),
                     0);
}

static size_t speech(struct phone *p, uint8_t *packet, size_t cap)
{
    uint8_t payload[160] = {0};
    struct ssi_rtp_packet r = {
        .ssrc = p->ssrc, .seq = p->seq++, .payload = ssi_slice_of(payload, sizeof payload)};
    size_t len = 0;

    assert_int_equal(ssi_rtp_build(&r, packet, cap, &len), 0);
    assert_int_equal(ssi_srtp_protect_rtp(p->tx, packet, &len, cap), 0);
    return len;
}

static void says(struct ours *o, struct phone *p)
{
    uint8_t packet[512];
    size_t len = speech(p, packet, sizeof packet);

    ssi_rtp_stream_input(o->stream, false, packet, len);
}

static void pass(struct ours *o, uint64_t ms)
{
    uint64_t end = o->timers.now_us + SSI_MS(ms);

    while (ssi_timers_next(&o->timers) <= end)
        ssi_timers_advance(&o->timers, ssi_timers_next(&o->timers), 1);
    ssi_timers_advance(&o->timers, end, 1);
}

static void the_first_fork_that_sends_is_heard_and_every_key_opens_its_own(void **state)
{
    struct ours o;
    struct phone a = open_phone(11, 0xa), b = open_phone(22, 0xb);
    const struct ssi_rtp_stats *stats;
    uint32_t fork = 99;

    (void)state;
    open_ours(&o);
    answer_of(&o, 7, 1, 11);
    answer_of(&o, 8, 1, 22);
    stats = ssi_rtp_stream_stats(o.stream);
    assert_false(ssi_rtp_stream_heard_fork(o.stream, &fork));
    for (int i = 0; i < 20; i++) {
        says(&o, &b);
        says(&o, &a);
        pass(&o, 20);
    }
    assert_true(ssi_rtp_stream_heard_fork(o.stream, &fork));
    assert_int_equal(fork, 8);
    assert_int_equal(o.n_samples, 20 * 160);
    assert_int_equal(stats->rx, 20);
    assert_int_equal(stats->unheard, 20);
    assert_int_equal(stats->auth_failed + stats->replayed, 0);
    /* The one that was heard hangs up: silence, then the other. */
    for (int i = 0; i < 40; i++) {
        says(&o, &a);
        pass(&o, 20);
    }
    assert_true(ssi_rtp_stream_heard_fork(o.stream, &fork));
    assert_int_equal(fork, 7);
    assert_in_range(stats->rx, 20 + 14, 20 + 17); /* 500 ms of 40 packets are lost to the ear */
    assert_int_equal(stats->rx + stats->unheard, 80);
    ssi_rtp_stream_free(o.stream);
    ssi_srtp_free(a.tx);
    ssi_srtp_free(b.tx);
}

static void the_fork_that_is_kept_is_the_only_one_left(void **state)
{
    struct ours o;
    struct phone a = open_phone(11, 0xa), b = open_phone(22, 0xb);
    const struct ssi_rtp_stats *stats;
    uint32_t fork;

    (void)state;
    open_ours(&o);
    answer_of(&o, 0, 1, 11);
    answer_of(&o, 1, 1, 22);
    stats = ssi_rtp_stream_stats(o.stream);
    says(&o, &a);
    says(&o, &a);
    ssi_rtp_stream_keep_fork(o.stream, 1);
    assert_false(ssi_rtp_stream_heard_fork(o.stream, &fork));
    says(&o, &b); /* at once, though the other was heard just now */
    says(&o, &b);
    says(&o, &a);
    assert_int_equal(stats->rx, 4);
    assert_int_equal(stats->auth_failed, 1);
    assert_true(ssi_rtp_stream_heard_fork(o.stream, &fork));
    assert_int_equal(fork, 1);
    /* A re-key of the fork that is left is an ordinary one, whatever its number. */
    assert_int_equal(ssi_rtp_stream_set_srtp(o.stream, session(CM, SSI_SRTP_SEND, 2),
                                             session(CM, SSI_SRTP_RECEIVE, 33)),
                     0);
    says(&o, &b); /* under way, with the key before */
    struct ssi_srtp *fresh = session(CM, SSI_SRTP_SEND, 33);
    assert_int_equal(ssi_srtp_continue(fresh, b.tx), 0);
    ssi_srtp_free(b.tx);
    b.tx = fresh;
    says(&o, &b);
    assert_int_equal(stats->rx, 6);
    ssi_rtp_stream_free(o.stream);
    ssi_srtp_free(a.tx);
    ssi_srtp_free(b.tx);
}

static void forks_with_one_ssrc_are_told_apart_by_their_keys(void **state)
{
    struct ours o;
    struct phone a = open_phone(11, 0xabc), b = open_phone(22, 0xabc);
    const struct ssi_rtp_stats *stats;

    (void)state;
    open_ours(&o);
    answer_of(&o, 0, 1, 11);
    answer_of(&o, 1, 1, 22);
    stats = ssi_rtp_stream_stats(o.stream);
    for (int i = 0; i < 50; i++) {
        says(&o, &a);
        says(&o, &b);
    }
    assert_int_equal(stats->rx, 50);
    assert_int_equal(stats->unheard, 50);
    assert_int_equal(stats->auth_failed + stats->replayed, 0);
    ssi_rtp_stream_drop_fork(o.stream, 0);
    says(&o, &b);
    says(&o, &a);
    assert_int_equal(stats->rx, 51);
    assert_int_equal(stats->auth_failed + stats->replayed, 1);
    ssi_rtp_stream_free(o.stream);
    ssi_srtp_free(a.tx);
    ssi_srtp_free(b.tx);
}

/* The answers chose different lines of our offer: what we send goes out with the key of the last one, and no key is used
 * twice for an index when the first answer comes again. */
static void what_we_send_goes_on_through_the_keys_of_the_forks(void **state)
{
    struct ours o;
    static const enum ssi_srtp_suite suites[] = {CM, GCM, CM, GCM};
    struct ssi_srtp *far[2] = {session(CM, SSI_SRTP_RECEIVE, 1), session(GCM, SSI_SRTP_RECEIVE, 2)};

    (void)state;
    open_ours(&o);
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t fork = i % 2;
        assert_int_equal(ssi_rtp_stream_set_fork(
                             o.stream, fork, session(suites[i], SSI_SRTP_SEND, (uint8_t)(1 + fork)),
                             session(suites[i], SSI_SRTP_RECEIVE, (uint8_t)(11 + fork))),
                         0);
        if (i == 0)
            assert_int_equal(ssi_rtp_stream_start(o.stream), 0);
        for (int n = 0; n < 10; n++) {
            size_t before = o.n_sent;
            pass(&o, 20);
            assert_true(o.n_sent > before);
            assert_int_equal(ssi_srtp_unprotect_rtp(far[fork], o.sent, &o.sent_len), 0);
        }
    }
    ssi_rtp_stream_free(o.stream);
    ssi_srtp_free(far[0]);
    ssi_srtp_free(far[1]);
}

static void forged_packets_and_too_many_forks_change_nothing(void **state)
{
    struct ours o;
    struct phone a = open_phone(11, 0xa);
    uint8_t packet[512];
    uint32_t fork;

    (void)state;
    open_ours(&o);
    for (uint32_t i = 0; i < SSI_RTP_FORKS_MAX; i++)
        answer_of(&o, i, 1, (uint8_t)(11 + i));
    struct ssi_srtp *tx = session(CM, SSI_SRTP_SEND, 1), *rx = session(CM, SSI_SRTP_RECEIVE, 99);
    assert_int_equal(ssi_rtp_stream_set_fork(o.stream, 100, tx, rx), SECSIP_E_LIMIT);
    ssi_srtp_free(rx);
    rx = session(CM, SSI_SRTP_RECEIVE, 12); /* one key, two forks: two replay lists */
    assert_int_equal(ssi_rtp_stream_set_fork(o.stream, 0, tx, rx), SECSIP_E_SRTP_REUSE);
    ssi_srtp_free(tx);
    ssi_srtp_free(rx);
    for (int i = 0; i < 100; i++) {
        size_t len = speech(&a, packet, sizeof packet);
        packet[len - 1] ^= 1;
        packet[11] = (uint8_t)i;
        ssi_rtp_stream_input(o.stream, false, packet, len);
        ssi_rtp_stream_input(o.stream, true, packet, (size_t)i);
    }
    assert_false(ssi_rtp_stream_heard_fork(o.stream, &fork));
    says(&o, &a);
    assert_true(ssi_rtp_stream_heard_fork(o.stream, &fork));
    assert_int_equal(fork, 0);
    assert_int_equal(ssi_rtp_stream_stats(o.stream)->rx, 1);
    ssi_rtp_stream_free(o.stream);
    ssi_srtp_free(a.tx);
}

static struct ssi_srtp *mortal(enum ssi_srtp_direction direction, uint8_t key, uint64_t lifetime)
{
    struct ssi_srtp_config c = {.direction = direction, .suite = CM, .lifetime = lifetime};
    struct ssi_srtp *s = NULL;

    c.key.len = 30;
    memset(c.key.bytes, key, c.key.len);
    assert_int_equal(ssi_srtp_new(&c, &s), 0);
    return s;
}

/* FIELD 6, cisco/libsrtp#761: in time to agree on a new key, once, for either direction. */
static void the_end_of_a_key_is_told_in_time(void **state)
{
    struct ours o;
    struct phone a = open_phone(11, 0xa);

    (void)state;
    open_ours(&o);
    assert_int_equal(ssi_rtp_stream_set_srtp(o.stream, mortal(SSI_SRTP_SEND, 1, 80),
                                             mortal(SSI_SRTP_RECEIVE, 11, 0)),
                     0);
    assert_int_equal(ssi_rtp_stream_start(o.stream), 0);
    pass(&o, 1000);
    assert_int_equal(o.n_due, 0);
    pass(&o, 500);
    assert_int_equal(o.n_due, 1);
    assert_true(o.life_of_ours);
    assert_int_equal(o.due_at, 69); /* a packet before its 70th leaves: ten are left of 80 */
    assert_int_equal(o.n_ended, 0);
    pass(&o, 1000);
    assert_int_equal(o.n_due, 1);
    assert_int_equal(o.n_ended, 1);
    assert_int_equal(o.n_sent, 80);
    /* New keys: another life. This time it is the peer's that is short. */
    assert_int_equal(ssi_rtp_stream_set_srtp(o.stream, mortal(SSI_SRTP_SEND, 2, 0),
                                             mortal(SSI_SRTP_RECEIVE, 22, 16)),
                     0);
    struct ssi_srtp *fresh = session(CM, SSI_SRTP_SEND, 22);
    assert_int_equal(ssi_srtp_continue(fresh, a.tx), 0);
    ssi_srtp_free(a.tx);
    a.tx = fresh;
    for (int i = 0; i < 20; i++) {
        says(&o, &a);
        assert_int_equal(o.n_due, i < 13 ? 1 : 2);
        assert_int_equal(o.n_ended, i < 15 ? 1 : 2);
    }
    assert_false(o.life_of_ours);
    assert_int_equal(ssi_rtp_stream_stats(o.stream)->rx, 16);
    /* A new key of ours is no news of the peer's, which is as old as before. */
    assert_int_equal(ssi_rtp_stream_set_srtp(o.stream, mortal(SSI_SRTP_SEND, 3, 0),
                                             mortal(SSI_SRTP_RECEIVE, 22, 16)),
                     0);
    says(&o, &a);
    assert_int_equal(o.n_due + o.n_ended, 4);
    ssi_rtp_stream_free(o.stream);
    ssi_srtp_free(a.tx);
}

static void reports_of_a_fork_that_is_not_heard_say_nothing(void **state)
{
    struct ours o;
    struct phone a = open_phone(11, 0xa), b = open_phone(22, 0xb);
    struct ssi_rtcp_compound bye = {.ssrc = 0xa, .cname = SSI_LIT("x"), .n_bye = 1};
    uint8_t packet[512];
    size_t len = 0;

    (void)state;
    open_ours(&o);
    answer_of(&o, 0, 1, 11);
    answer_of(&o, 1, 1, 22);
    says(&o, &a);
    says(&o, &a);
    bye.bye[0] = 0xa; /* a fork ends another fork's audio: no */
    assert_int_equal(ssi_rtcp_build(&bye, packet, sizeof packet, &len), 0);
    assert_int_equal(ssi_srtp_protect_rtcp(b.tx, packet, &len, sizeof packet), 0);
    ssi_rtp_stream_input(o.stream, true, packet, len);
    assert_int_equal(ssi_rtp_stream_stats(o.stream)->rtcp_rx, 0);
    assert_int_equal(ssi_rtp_stream_stats(o.stream)->unheard, 1);
    ssi_rtp_stream_free(o.stream);
    ssi_srtp_free(a.tx);
    ssi_srtp_free(b.tx);
}

/* A peer that rolls its key back (RFC 6141), or a hold under another key; and a branch that brings the key of one that is
 * gone: what was heard is not heard again, what is new is. */
static void a_key_that_comes_back_is_no_way_for_replays(void **state)
{
    uint8_t recorded[50][512], copy[512];
    size_t len[50];

    (void)state;
    for (int how = 0; how < 3; how++) {
        struct ours o;
        struct phone a = open_phone(11, 0xa);
        open_ours(&o);
        answer_of(&o, 0, 1, 11);
        for (int i = 0; i < 50; i++) {
            len[i] = speech(&a, recorded[i], sizeof recorded[i]);
            memcpy(copy, recorded[i], len[i]);
            ssi_rtp_stream_input(o.stream, false, copy, len[i]);
        }
        if (how == 2) {
            answer_of(&o, 1, 1, 22);
            ssi_rtp_stream_drop_fork(o.stream, 0);
        } else {
            answer_of(&o, 0, 1, 22);
        }
        if (how == 1) /* the session of the first key is gone */
            pass(&o, 6000);
        answer_of(&o, how == 2 ? 2 : 0, 1, 11);
        uint64_t rx = ssi_rtp_stream_stats(o.stream)->rx;
        for (int i = 0; i < 50; i++) {
            memcpy(copy, recorded[i], len[i]);
            ssi_rtp_stream_input(o.stream, false, copy, len[i]);
        }
        assert_int_equal(ssi_rtp_stream_stats(o.stream)->rx, rx);
        for (int i = 0; i < 50; i++)
            says(&o, &a);
        assert_int_equal(ssi_rtp_stream_stats(o.stream)->rx, rx + 50);
        ssi_rtp_stream_free(o.stream);
        ssi_srtp_free(a.tx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_fork_that_sends_is_heard_and_every_key_opens_its_own),
        cmocka_unit_test(the_fork_that_is_kept_is_the_only_one_left),
        cmocka_unit_test(forks_with_one_ssrc_are_told_apart_by_their_keys),
        cmocka_unit_test(what_we_send_goes_on_through_the_keys_of_the_forks),
        cmocka_unit_test(forged_packets_and_too_many_forks_change_nothing),
        cmocka_unit_test(the_end_of_a_key_is_told_in_time),
        cmocka_unit_test(reports_of_a_fork_that_is_not_heard_say_nothing),
        cmocka_unit_test(a_key_that_comes_back_is_no_way_for_replays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
