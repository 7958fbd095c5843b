/* Media streams on virtual time: two ends joined by queues that a test may cut, forge and reorder. */
#include "test.h"

#include <stdlib.h>

#include "rtp/g711.h"
#include "rtp/packet.h"
#include "rtp/rtcp.h"
#include "rtp/stream.h"
#include "seed.h"

enum {
    KEPT = 600
};

struct packet {
    bool rtcp;
    size_t len;
    uint8_t bytes[600];
};

struct end {
    struct ssi_rtp_stream *stream;
    struct packet *sent;
    size_t n_sent;
    size_t n_samples, n_wanted;
    int16_t first;
    uint32_t timestamp;
};

static void keep_sent(void *arg, bool rtcp, const uint8_t *packet, size_t len)
{
    struct end *e = arg;

    assert_true(e->n_sent < KEPT && len <= sizeof e->sent[0].bytes);
    e->sent[e->n_sent].rtcp = rtcp;
    e->sent[e->n_sent].len = len;
    memcpy(e->sent[e->n_sent++].bytes, packet, len);
}

static void count_audio(void *arg, const int16_t *samples, size_t n, uint32_t timestamp)
{
    struct end *e = arg;

    e->n_samples += n;
    e->first = samples[0];
    e->timestamp = timestamp;
}

static void give_audio(void *arg, int16_t *samples, size_t n)
{
    struct end *e = arg;

    for (size_t i = 0; i < n; i++) {
        assert_int_equal(samples[i], 0);
        samples[i] = 1000;
    }
    e->n_wanted += n;
}

static const struct ssi_rtp_ops ops = {keep_sent, count_audio, give_audio, NULL};

static void open_end(struct end *e, struct ssi_timers *timers, bool secure)
{
    struct ssi_rtp_config c = {.secure = secure,
                               .codec = SSI_RTP_PCMU,
                               .payload_type = 0,
                               .frame_ms = 20,
                               .send = true,
                               .receive = true};

    memset(e, 0, sizeof *e);
    e->sent = calloc(KEPT, sizeof *e->sent);
    assert_non_null(e->sent);
    assert_int_equal(ssi_rtp_stream_new(&c, timers, &ops, e, &e->stream), 0);
}

static void close_end(struct end *e)
{
    ssi_rtp_stream_free(e->stream);
    free(e->sent);
}

static struct ssi_srtp *session(enum ssi_srtp_direction direction, uint8_t key)
{
    struct ssi_srtp_config c = {.direction = direction, .suite = SSI_SRTP_AES_CM_128_HMAC_SHA1_80};
    struct ssi_srtp *s = NULL;

    c.key.len = (uint8_t)ssi_srtp_key_len(c.suite);
    memset(c.key.bytes, key, c.key.len);
    assert_int_equal(ssi_srtp_new(&c, &s), 0);
    return s;
}

static void give_keys(struct end *e, uint8_t tx, uint8_t rx)
{
    struct ssi_srtp *out = session(SSI_SRTP_SEND, tx), *in = session(SSI_SRTP_RECEIVE, rx);

    assert_int_equal(ssi_rtp_stream_set_srtp(e->stream, out, in), 0);
}

static void hand_over(struct end *from, struct end *to)
{
    for (size_t i = 0; i < from->n_sent; i++)
        ssi_rtp_stream_input(to->stream, from->sent[i].rtcp, from->sent[i].bytes,
                             from->sent[i].len);
    from->n_sent = 0;
}

static void run(struct ssi_timers *t, uint64_t us)
{
    uint64_t end = t->now_us + us;

    while (ssi_timers_next(t) <= end)
        ssi_timers_advance(t, ssi_timers_next(t), 1);
    ssi_timers_advance(t, end, 1);
}

static size_t count_sent(const struct end *e, bool rtcp)
{
    size_t n = 0;

    for (size_t i = 0; i < e->n_sent; i++)
        n += e->sent[i].rtcp == rtcp;
    return n;
}

static void a_frame_leaves_every_twenty_milliseconds(void **state)
{
    struct ssi_timers t;
    struct end a;
    struct ssi_rtp_packet first, next;

    (void)state;
    ssi_timers_init(&t, 12345);
    open_end(&a, &t, false);
    assert_int_equal(ssi_rtp_stream_start(a.stream), 0);
    run(&t, SSI_MS(1000) - 1);
    assert_int_equal(count_sent(&a, false), 50);
    assert_int_equal(a.n_wanted, 50 * 160);
    assert_int_equal(ssi_rtp_parse(a.sent[0].bytes, a.sent[0].len, &first), 0);
    assert_true(first.marker);
    for (uint32_t i = 1; i < 50; i++) {
        assert_int_equal(ssi_rtp_parse(a.sent[i].bytes, a.sent[i].len, &next), 0);
        assert_int_equal(next.seq, (uint16_t)(first.seq + i));
        assert_int_equal(next.timestamp, first.timestamp + 160 * i);
        assert_int_equal(next.ssrc, first.ssrc);
        assert_int_equal(next.payload.len, 160);
        assert_false(next.marker);
    }
    close_end(&a);
}

/* A receiver that misses the first packets can still tell the roll-over counter (RFC 3711 3.3.1). */
static void streams_begin_in_the_lower_half_of_the_sequence_numbers(void **state)
{
    (void)state;
    for (int i = 0; i < 32; i++) {
        struct ssi_timers t;
        struct end a;
        struct ssi_rtp_packet first;

        ssi_timers_init(&t, 0);
        open_end(&a, &t, false);
        assert_int_equal(ssi_rtp_stream_start(a.stream), 0);
        run(&t, SSI_MS(20));
        assert_int_equal(ssi_rtp_parse(a.sent[0].bytes, a.sent[0].len, &first), 0);
        assert_in_range(first.seq, 0, 0x7fff);
        close_end(&a);
    }
}

static void speech_arrives_both_ways_in_clear_and_secure(void **state)
{
    (void)state;
    for (int secure = 0; secure < 2; secure++) {
        struct ssi_timers t;
        struct end a, b;
        ssi_timers_init(&t, 0);
        open_end(&a, &t, secure);
        open_end(&b, &t, secure);
        if (secure) {
            give_keys(&a, 1, 2);
            give_keys(&b, 2, 1);
        }
        assert_int_equal(ssi_rtp_stream_start(a.stream), 0);
        assert_int_equal(ssi_rtp_stream_start(b.stream), 0);
        for (int i = 0; i < 600; i++) {
            run(&t, SSI_MS(20));
            hand_over(&a, &b);
            hand_over(&b, &a);
        }
        const struct ssi_rtp_stats *sa = ssi_rtp_stream_stats(a.stream),
                                   *sb = ssi_rtp_stream_stats(b.stream);
        assert_int_equal(sa->tx, 601);
        assert_int_equal(sb->rx, 601);
        assert_int_equal(b.n_samples, 601 * 160);
        assert_int_equal(a.n_samples, 601 * 160);
        assert_in_range(b.first, 980, 1020);
        assert_int_equal(sb->lost, 0);
        assert_int_equal(sb->jitter_us, 0);
        assert_true(sa->rtcp_tx >= 2 && sa->rtcp_tx <= 6);
        assert_int_equal(sb->rtcp_rx, sa->rtcp_tx);
        assert_int_equal(sb->auth_failed + sb->clear_dropped + sb->malformed + sb->replayed, 0);
        close_end(&a);
        close_end(&b);
    }
}

/* FIELD 7, baresip/baresip#3076; FIELD 14, espressif/esp-adf#1620. */
static void a_secure_stream_without_keys_neither_sends_nor_listens(void **state)
{
    struct ssi_timers t;
    struct end a, clear;

    (void)state;
    ssi_timers_init(&t, 0);
    open_end(&a, &t, true);
    open_end(&clear, &t, false);
    assert_int_equal(ssi_rtp_stream_start(a.stream), SECSIP_E_STATE);
    assert_int_equal(ssi_rtp_stream_start(clear.stream), 0);
    run(&t, SSI_S(10) - 1);
    size_t rtp = count_sent(&clear, false), rtcp = count_sent(&clear, true);
    hand_over(&clear, &a);
    assert_int_equal(a.n_sent, 0);
    assert_int_equal(a.n_samples, 0);
    assert_int_equal(ssi_rtp_stream_stats(a.stream)->clear_dropped, rtp + rtcp);
    assert_int_equal(ssi_rtp_stream_stats(a.stream)->rx, 0);
    assert_int_equal(ssi_rtp_stream_stats(a.stream)->rtcp_rx, 0);
    ssi_rtp_stream_free(a.stream);
    assert_int_equal(a.n_sent, 0); /* no BYE in clear either */
    free(a.sent);
    close_end(&clear);
}

static void clear_and_forged_packets_are_counted_apart(void **state)
{
    struct ssi_timers t;
    struct end a, clear, forger;

    (void)state;
    ssi_timers_init(&t, 0);
    open_end(&a, &t, true);
    open_end(&clear, &t, false);
    open_end(&forger, &t, true);
    give_keys(&a, 1, 2);
    give_keys(&forger, 3, 1);
    assert_int_equal(ssi_rtp_stream_start(clear.stream), 0);
    assert_int_equal(ssi_rtp_stream_start(forger.stream), 0);
    run(&t, SSI_S(10) - 1);
    size_t n_clear = clear.n_sent, n_forged = forger.n_sent;
    assert_true(count_sent(&clear, true) > 0 && count_sent(&forger, true) > 0);
    hand_over(&clear, &a);
    hand_over(&forger, &a);
    assert_int_equal(ssi_rtp_stream_stats(a.stream)->clear_dropped, n_clear);
    assert_int_equal(ssi_rtp_stream_stats(a.stream)->auth_failed, n_forged);
    assert_int_equal(a.n_samples, 0);
    close_end(&a);
    close_end(&clear);
    close_end(&forger);
}

static void an_app_packet_in_clear_counts_as_clear(void **state)
{
    /* baresip opens a NAT binding with it before it has keys. */
    static const uint8_t ping[] = {0x80, 0xCC, 0,   3,   1,   2,   3,   4,
                                   'P',  'I',  'N', 'G', 'P', 'O', 'N', 'G'};
    uint8_t packet[sizeof ping + 14];
    struct ssi_timers t;
    struct end a;

    (void)state;
    ssi_timers_init(&t, 0);
    open_end(&a, &t, true);
    give_keys(&a, 1, 2);
    memcpy(packet, ping, sizeof ping);
    ssi_rtp_stream_input(a.stream, true, packet, sizeof ping);
    assert_int_equal(ssi_rtp_stream_stats(a.stream)->clear_dropped, 1);
    assert_int_equal(ssi_rtp_stream_stats(a.stream)->auth_failed, 0);
    memcpy(packet, ping,
           sizeof ping); /* with an SRTCP trailer behind it: not clear, and not authentic */
    memset(packet + sizeof ping, 0, 14);
    ssi_rtp_stream_input(a.stream, true, packet, sizeof packet);
    assert_int_equal(ssi_rtp_stream_stats(a.stream)->clear_dropped, 1);
    assert_int_equal(ssi_rtp_stream_stats(a.stream)->auth_failed, 1);
    assert_int_equal(ssi_rtp_stream_stats(a.stream)->rtcp_rx, 0);
    close_end(&a);
}

static void the_bye_of_a_secure_stream_is_protected(void **state)
{
    struct ssi_timers t;
    struct end a;
    struct ssi_rtcp_compound c;

    (void)state;
    ssi_timers_init(&t, 0);
    open_end(&a, &t, true);
    give_keys(&a, 1, 2);
    assert_int_equal(ssi_rtp_stream_start(a.stream), 0);
    run(&t, SSI_MS(100));
    a.n_sent = 0;
    ssi_rtp_stream_free(a.stream);
    assert_int_equal(a.n_sent, 1);
    assert_true(a.sent[0].rtcp);
    assert_true(ssi_rtcp_parse(a.sent[0].bytes, a.sent[0].len, &c) < 0);
    struct ssi_srtp *rx = session(SSI_SRTP_RECEIVE, 1);
    assert_int_equal(ssi_srtp_unprotect_rtcp(rx, a.sent[0].bytes, &a.sent[0].len), 0);
    assert_int_equal(ssi_rtcp_parse(a.sent[0].bytes, a.sent[0].len, &c), 0);
    assert_int_equal(c.n_bye, 1);
    assert_int_equal(c.bye[0], c.ssrc);
    ssi_srtp_free(rx);
    free(a.sent);
}

static void a_session_with_the_key_in_use_does_not_begin_the_key_stream_again(void **state)
{
    struct ssi_timers t;
    struct end a, b;

    (void)state;
    ssi_timers_init(&t, 0);
    open_end(&a, &t, true);
    open_end(&b, &t, true);
    give_keys(&a, 1, 2);
    give_keys(&b, 2, 1);
    assert_int_equal(ssi_rtp_stream_start(a.stream), 0);
    run(&t, SSI_S(10) - 1);
    hand_over(&a, &b);
    uint64_t rtcp = ssi_rtp_stream_stats(b.stream)->rtcp_rx;
    give_keys(&a, 1, 2);
    give_keys(&b, 2, 1);
    run(&t, SSI_S(10));
    hand_over(&a, &b);
    assert_int_equal(ssi_rtp_stream_stats(b.stream)->replayed, 0);
    assert_int_equal(ssi_rtp_stream_stats(b.stream)->rx, ssi_rtp_stream_stats(a.stream)->tx);
    assert_true(ssi_rtp_stream_stats(b.stream)->rtcp_rx > rtcp);
    close_end(&a);
    close_end(&b);
}

/* The first RTP packet that was sent; reports come at random times between them. */
static const struct packet *first_rtp(const struct end *e)
{
    for (size_t i = 0; i < e->n_sent; i++)
        if (!e->sent[i].rtcp)
            return &e->sent[i];
    fail();
    return NULL;
}

static struct ssi_rtcp_compound last_rtcp(const struct end *e)
{
    struct ssi_rtcp_compound c = {0};

    for (size_t i = e->n_sent; i-- > 0;)
        if (e->sent[i].rtcp) {
            assert_int_equal(ssi_rtcp_parse(e->sent[i].bytes, e->sent[i].len, &c), 0);
            return c;
        }
    fail();
    return c;
}

static void reports_say_what_was_sent_lost_and_when(void **state)
{
    struct ssi_timers t;
    struct end a, b;

    (void)state;
    ssi_timers_init(&t, SSI_S(100));
    open_end(&a, &t, false);
    open_end(&b, &t, false);
    assert_int_equal(ssi_rtp_stream_start(a.stream), 0);
    ssi_rtp_stream_set_direction(b.stream, false, true);
    assert_int_equal(ssi_rtp_stream_start(b.stream), 0);
    uint32_t n = 0;
    struct ssi_rtcp_compound last = {0};
    for (int ms = 0; ms < 20000; ms += 20) {
        run(&t, SSI_MS(20));
        for (size_t i = 0; i < a.n_sent; i++)
            if (a.sent[i].rtcp || ++n % 10 != 0) /* every tenth is lost */
                ssi_rtp_stream_input(b.stream, a.sent[i].rtcp, a.sent[i].bytes, a.sent[i].len);
        if (count_sent(&a, true) > 0) {
            struct ssi_rtcp_compound c = last_rtcp(&a);
            assert_true(c.is_sender);
            uint64_t tx = ssi_rtp_stream_stats(a.stream)->tx;
            assert_in_range(c.packets, tx - 1, tx); /* a frame may have left since the report */
            assert_int_equal(c.octets, 160 * c.packets);
            /* The clock of the timers, within this step. */
            assert_in_range(c.ntp >> 32, (t.now_us - 20000) / 1000000, t.now_us / 1000000);
        }
        a.n_sent = 0;
        if (b.n_sent > 0)
            last = last_rtcp(&b);
        b.n_sent = 0;
    }
    struct ssi_rtcp_compound c = last;
    assert_false(c.is_sender);
    assert_int_equal(c.n_blocks, 1);
    assert_in_range(c.blocks[0].fraction_lost, 20, 32);
    assert_true(c.blocks[0].lsr != 0);
    assert_true(c.blocks[0].dlsr < 7 * 65536);
    assert_in_range(ssi_rtp_stream_stats(b.stream)->lost, n / 10 - 2, n / 10);
    close_end(&a);
    close_end(&b);
}

static void reports_come_every_five_seconds_at_random(void **state)
{
    struct ssi_timers t;
    struct end a;
    uint64_t before = 0, shortest = SSI_S(100), longest = 0;

    (void)state;
    ssi_timers_init(&t, 0);
    open_end(&a, &t, false);
    assert_int_equal(ssi_rtp_stream_start(a.stream), 0);
    ssi_rtp_stream_set_direction(a.stream, false,
                                 false); /* on hold there are reports all the same */
    for (int ms = 0; ms < 1000000; ms += 20) {
        run(&t, SSI_MS(20));
        assert_int_equal(count_sent(&a, false), 0);
        if (a.n_sent == 0)
            continue;
        a.n_sent = 0;
        if (before > 0) {
            shortest = t.now_us - before < shortest ? t.now_us - before : shortest;
            longest = t.now_us - before > longest ? t.now_us - before : longest;
        }
        before = t.now_us;
    }
    /* 5 s times 0.5 to 1.5 over 1.21828 (RFC 3550 6.3.1), on our clock's 20 ms. */
    assert_in_range(shortest, 2030000, 2700000);
    assert_in_range(longest, 5500000, 6180000);
    close_end(&a);
}

static void a_pause_of_the_driver_is_no_burst(void **state)
{
    struct ssi_timers t;
    struct end a;
    struct ssi_rtp_packet before, after;

    (void)state;
    ssi_timers_init(&t, 0);
    open_end(&a, &t, false);
    assert_int_equal(ssi_rtp_stream_start(a.stream), 0);
    run(&t, SSI_MS(100));
    assert_int_equal(ssi_rtp_parse(a.sent[a.n_sent - 1].bytes, a.sent[a.n_sent - 1].len, &before),
                     0);
    a.n_sent = 0;
    ssi_timers_advance(&t, t.now_us + SSI_S(2) + 5000, 1000);
    assert_true(count_sent(&a, false) <= 2);
    assert_int_equal(ssi_rtp_parse(first_rtp(&a)->bytes, first_rtp(&a)->len, &after), 0);
    assert_true(after.marker);
    assert_int_equal(after.seq, (uint16_t)(before.seq + 1));
    assert_int_equal(after.timestamp - before.timestamp, 2000 * 8);
    close_end(&a);
}

static void hold_keeps_time_and_starts_again_with_a_marker(void **state)
{
    struct ssi_timers t;
    struct end a;
    struct ssi_rtp_packet before, after;

    (void)state;
    ssi_timers_init(&t, 0);
    open_end(&a, &t, false);
    assert_int_equal(ssi_rtp_stream_start(a.stream), 0);
    run(&t, SSI_MS(100));
    assert_int_equal(ssi_rtp_parse(a.sent[a.n_sent - 1].bytes, a.sent[a.n_sent - 1].len, &before),
                     0);
    a.n_sent = 0;
    ssi_rtp_stream_set_direction(a.stream, false, true);
    run(&t, SSI_MS(1000));
    assert_int_equal(count_sent(&a, false), 0);
    ssi_rtp_stream_set_direction(a.stream, true, true);
    ssi_rtp_stream_set_codec(a.stream, SSI_RTP_PCMA, 8);
    a.n_sent = 0;
    run(&t, SSI_MS(20));
    assert_int_equal(ssi_rtp_parse(first_rtp(&a)->bytes, first_rtp(&a)->len, &after), 0);
    assert_true(after.marker);
    assert_int_equal(after.payload_type, 8);
    assert_int_equal(after.seq, (uint16_t)(before.seq + 1));
    assert_int_equal(after.timestamp - before.timestamp, 51 * 160);
    close_end(&a);
}

static void feed(struct end *e, uint32_t ssrc, uint16_t seq, size_t n)
{
    uint8_t p[1700], payload[1601] = {0};
    struct ssi_rtp_packet packet = {.ssrc = ssrc, .seq = seq, .payload = ssi_slice_of(payload, n)};
    size_t len = 0;

    assert_int_equal(ssi_rtp_build(&packet, p, sizeof p, &len), 0);
    ssi_rtp_stream_input(e->stream, false, p, len);
}

static void another_source_is_heard_when_it_is_valid(void **state)
{
    struct ssi_timers t;
    struct end a;

    (void)state;
    ssi_timers_init(&t, 0);
    open_end(&a, &t, false);
    feed(&a, 1, 10, 160);
    feed(&a, 1, 11, 160);
    feed(&a, 1, 14, 160);
    assert_int_equal(a.n_samples, 480);
    feed(&a, 2, 900, 160); /* a stray one */
    feed(&a, 1, 15, 160);
    assert_int_equal(a.n_samples, 640);
    feed(&a, 2, 901, 160); /* in sequence: this is the source now */
    feed(&a, 2, 902, 160);
    assert_int_equal(a.n_samples, 960);
    assert_int_equal(ssi_rtp_stream_stats(a.stream)->lost, 2); /* what was lost before stays lost */
    assert_int_equal(ssi_rtp_stream_stats(a.stream)->rx, 7);
    close_end(&a);
}

static void odd_packets_are_malformed_or_silent(void **state)
{
    struct ssi_timers t;
    struct end a;
    uint8_t junk[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};

    (void)state;
    ssi_timers_init(&t, 0);
    open_end(&a, &t, false);
    ssi_rtp_stream_input(a.stream, false, junk, sizeof junk);
    ssi_rtp_stream_input(a.stream, true, junk, sizeof junk);
    ssi_rtp_stream_input(a.stream, false, junk, 0);
    feed(&a, 1, 1, 1601); /* longer than any frame */
    assert_int_equal(ssi_rtp_stream_stats(a.stream)->malformed, 4);
    feed(&a, 1, 1, 0);
    ssi_rtp_stream_set_codec(a.stream, SSI_RTP_PCMA, 8);
    feed(&a, 1, 2, 160); /* another payload type: counted, not heard */
    ssi_rtp_stream_set_codec(a.stream, SSI_RTP_PCMU, 0);
    ssi_rtp_stream_set_direction(a.stream, true, false);
    feed(&a, 1, 3, 160); /* nobody listens */
    assert_int_equal(a.n_samples, 0);
    assert_int_equal(ssi_rtp_stream_stats(a.stream)->rx, 3);
    close_end(&a);
}

static void our_own_ssrc_from_outside_makes_us_leave_it_once(void **state)
{
    struct ssi_timers t;
    struct end a;
    struct ssi_rtp_packet p, again;

    (void)state;
    ssi_timers_init(&t, 0);
    open_end(&a, &t, false);
    assert_int_equal(ssi_rtp_stream_start(a.stream), 0);
    for (int round = 0; round < 3; round++) {
        run(&t, SSI_MS(20));
        struct packet loop = *first_rtp(&a);
        assert_int_equal(ssi_rtp_parse(loop.bytes, loop.len, &p), 0);
        a.n_sent = 0;
        ssi_rtp_stream_input(a.stream, false, loop.bytes, loop.len);
        assert_int_equal(count_sent(&a, true), round == 0); /* BYE */
        if (round == 0)
            assert_int_equal(last_rtcp(&a).bye[0], p.ssrc);
        a.n_sent = 0;
        run(&t, SSI_MS(20));
        assert_int_equal(ssi_rtp_parse(first_rtp(&a)->bytes, first_rtp(&a)->len, &again), 0);
        assert_int_equal(again.ssrc == p.ssrc, round > 0);
        a.n_sent = 0;
    }
    assert_int_equal(a.n_samples, 0);
    close_end(&a);
}

static void a_bye_ends_the_source(void **state)
{
    struct ssi_timers t;
    struct end a;
    struct ssi_rtcp_compound c = {.ssrc = 1, .cname = SSI_LIT("x"), .n_bye = 1};
    uint8_t p[64];
    size_t len = 0;

    (void)state;
    ssi_timers_init(&t, 0);
    open_end(&a, &t, false);
    feed(&a, 1, 10, 160);
    feed(&a, 1, 11, 160);
    assert_int_equal(ssi_rtcp_build(&c, p, sizeof p, &len), 0);
    ssi_rtp_stream_input(a.stream, true, p, len);
    feed(&a, 2, 500, 160); /* the next one is heard at once */
    assert_int_equal(a.n_samples, 480);
    assert_int_equal(ssi_rtp_stream_stats(a.stream)->rtcp_rx, 1);
    close_end(&a);
}

static void wrong_configurations_and_sessions_are_refused(void **state)
{
    struct ssi_timers t;
    struct ssi_rtp_stream *s = NULL;
    struct ssi_rtp_config c = {.codec = SSI_RTP_PCMU, .frame_ms = 9};
    struct end a;

    (void)state;
    ssi_timers_init(&t, 0);
    assert_int_equal(ssi_rtp_stream_new(&c, &t, &ops, NULL, &s), SECSIP_E_INVALID);
    c.frame_ms = 20;
    c.codec = (enum ssi_rtp_codec)3;
    assert_int_equal(ssi_rtp_stream_new(&c, &t, &ops, NULL, &s), SECSIP_E_INVALID);
    assert_null(s);
    open_end(&a, &t, true);
    struct ssi_srtp *tx = session(SSI_SRTP_SEND, 1), *rx = session(SSI_SRTP_RECEIVE, 2);
    assert_int_equal(ssi_rtp_stream_set_srtp(a.stream, tx, NULL), SECSIP_E_INVALID);
    assert_int_equal(ssi_rtp_stream_set_srtp(a.stream, rx, tx), SECSIP_E_INVALID);
    assert_int_equal(ssi_rtp_stream_set_srtp(a.stream, tx, rx), 0);
    close_end(&a);
    open_end(&a, &t, false);
    assert_int_equal(ssi_rtp_stream_set_srtp(a.stream, NULL, NULL), SECSIP_E_STATE);
    close_end(&a);
}

/* baresip opens the NAT's port with an APP packet, in clear before it has keys and as SRTCP after that. */
static void a_lone_app_packet_in_clear_is_dropped_as_clear_and_as_srtcp_is_taken(void **state)
{
    static const uint8_t app[] = {0x80, 0xcc, 0x00, 0x03, 0xef, 0x37, 0x56, 0x85,
                                  'P',  'I',  'N',  'G',  'P',  'O',  'N',  'G'};
    uint8_t packet[sizeof app + SSI_SRTP_TRAILER_MAX];
    size_t len = sizeof app;
    struct ssi_timers timers;
    struct end e;

    (void)state;
    ssi_timers_init(&timers, 1000000);
    open_end(&e, &timers, true);
    give_keys(&e, 1, 2);
    memcpy(packet, app, sizeof app);
    ssi_rtp_stream_input(e.stream, true, packet, len);
    assert_int_equal(ssi_rtp_stream_stats(e.stream)->clear_dropped, 1);
    struct ssi_srtp *peer = session(SSI_SRTP_SEND, 2);
    memcpy(packet, app, sizeof app);
    assert_int_equal(ssi_srtp_protect_rtcp(peer, packet, &len, sizeof packet), 0);
    ssi_rtp_stream_input(e.stream, true, packet, len);
    assert_int_equal(ssi_rtp_stream_stats(e.stream)->rtcp_rx, 1);
    assert_int_equal(ssi_rtp_stream_stats(e.stream)->auth_failed, 0);
    assert_int_equal(ssi_rtp_stream_stats(e.stream)->malformed, 0);
    ssi_srtp_free(peer);
    close_end(&e);
}

/* FIELD 1: a re-INVITE with new keys in the middle of speech, over a network that reorders: nothing is lost. */
static void no_packet_is_lost_when_the_keys_change(void **state)
{
    struct ssi_timers t;
    struct end a, b;
    uint64_t seed = test_seed();

    (void)state;
    ssi_timers_init(&t, 0);
    open_end(&a, &t, true);
    open_end(&b, &t, true);
    give_keys(&a, 1, 2);
    give_keys(&b, 2, 1);
    assert_int_equal(ssi_rtp_stream_start(a.stream), 0);
    ssi_rtp_stream_set_direction(b.stream, false, true);
    assert_int_equal(ssi_rtp_stream_start(b.stream), 0);
    for (uint8_t round = 0; round < 40; round++) {
        uint8_t key = (uint8_t)(10 + round);
        run(&t, SSI_MS(200));
        /* The receiver has the new keys first or last, and packets of both keys arrive mixed. */
        if (round % 2)
            give_keys(&b, (uint8_t)(key + 100), key);
        give_keys(&a, key, (uint8_t)(key + 100));
        run(&t, SSI_MS(200));
        if (round % 2 == 0) {
            for (size_t i = 0; i < a.n_sent;
                 i++) /* what was sent before the change arrives before it */
                if (i < a.n_sent / 2) {
                    ssi_rtp_stream_input(b.stream, a.sent[i].rtcp, a.sent[i].bytes, a.sent[i].len);
                    a.sent[i].len = 0;
                }
            give_keys(&b, (uint8_t)(key + 100), key);
        }
        for (uint32_t i = (uint32_t)a.n_sent - 1; i > 0; i--) {
            uint32_t j = test_below(&seed, i + 1);
            struct packet swap = a.sent[i];
            a.sent[i] = a.sent[j];
            a.sent[j] = swap;
        }
        for (size_t i = 0; i < a.n_sent; i++)
            if (a.sent[i].len > 0)
                ssi_rtp_stream_input(b.stream, a.sent[i].rtcp, a.sent[i].bytes, a.sent[i].len);
        a.n_sent = 0;
        b.n_sent = 0;
    }
    const struct ssi_rtp_stats *sa = ssi_rtp_stream_stats(a.stream),
                               *sb = ssi_rtp_stream_stats(b.stream);
    assert_int_equal(sb->rx, sa->tx);
    assert_int_equal(sb->rtcp_rx, sa->rtcp_tx);
    assert_int_equal(sb->auth_failed + sb->replayed + sb->malformed + sb->clear_dropped, 0);
    close_end(&a);
    close_end(&b);
}

static void the_key_before_is_forgotten_after_five_seconds(void **state)
{
    struct ssi_timers t;
    struct end a, b;

    (void)state;
    ssi_timers_init(&t, 0);
    open_end(&a, &t, true);
    open_end(&b, &t, true);
    give_keys(&a, 1, 2);
    give_keys(&b, 2, 1);
    assert_int_equal(ssi_rtp_stream_start(a.stream), 0);
    run(&t, SSI_MS(100));
    hand_over(&a, &b);
    give_keys(&b, 4, 3);
    run(&t, SSI_MS(4800));
    hand_over(&a, &b);
    assert_int_equal(ssi_rtp_stream_stats(b.stream)->auth_failed, 0);
    run(&t, SSI_MS(300));
    a.n_sent = 0;
    run(&t, SSI_MS(100));
    hand_over(&a, &b);
    assert_true(ssi_rtp_stream_stats(b.stream)->auth_failed > 0);
    close_end(&a);
    close_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_leaves_every_twenty_milliseconds),
        cmocka_unit_test(streams_begin_in_the_lower_half_of_the_sequence_numbers),
        cmocka_unit_test(speech_arrives_both_ways_in_clear_and_secure),
        cmocka_unit_test(a_secure_stream_without_keys_neither_sends_nor_listens),
        cmocka_unit_test(clear_and_forged_packets_are_counted_apart),
        cmocka_unit_test(an_app_packet_in_clear_counts_as_clear),
        cmocka_unit_test(the_bye_of_a_secure_stream_is_protected),
        cmocka_unit_test(a_lone_app_packet_in_clear_is_dropped_as_clear_and_as_srtcp_is_taken),
        cmocka_unit_test(a_session_with_the_key_in_use_does_not_begin_the_key_stream_again),
        cmocka_unit_test(reports_say_what_was_sent_lost_and_when),
        cmocka_unit_test(reports_come_every_five_seconds_at_random),
        cmocka_unit_test(a_pause_of_the_driver_is_no_burst),
        cmocka_unit_test(hold_keeps_time_and_starts_again_with_a_marker),
        cmocka_unit_test(another_source_is_heard_when_it_is_valid),
        cmocka_unit_test(odd_packets_are_malformed_or_silent),
        cmocka_unit_test(our_own_ssrc_from_outside_makes_us_leave_it_once),
        cmocka_unit_test(a_bye_ends_the_source),
        cmocka_unit_test(wrong_configurations_and_sessions_are_refused),
        cmocka_unit_test(no_packet_is_lost_when_the_keys_change),
        cmocka_unit_test(the_key_before_is_forgotten_after_five_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
