/* Media streams, see stream.h. Layer: rtp. A stream owns its SRTP sessions and its timers. Everything that leaves goes through
 * send_packet, everything that comes in through open_packet: on a secure stream neither has a way around SRTP. */
#include "rtp/stream.h"

#include <stdlib.h>

#include "base/crypto.h"
#include "rtp/g711.h"
#include "rtp/packet.h"
#include "rtp/receivers.h"
#include "rtp/rtcp.h"
#include "rtp/source.h"

enum {
    RATE = 8000, /* of both codecs */
    SAMPLES_PER_MS = RATE / 1000,
    FRAME_MS_MIN = 10,
    FRAME_MS_MAX = 100,
    FRAME_MAX = FRAME_MS_MAX * SAMPLES_PER_MS,
    PLAIN_MAX = SSI_RTP_HEADER + FRAME_MAX,
    RTCP_MAX = 512,
    DECODED_MAX = 1600,   /* 200 ms in one packet */
    OLD_KEY_MS = 5000,    /* packets under the key before may come this long */
    FORK_SILENT_MS = 500, /* of the fork that is heard, before another is heard instead */
    LATE_FRAMES = 10, /* further behind than that, frames are left out instead of sent in a burst */
};

/* What was said of a key's life. */
struct told {
    bool due, ended;
};

struct ssi_rtp_stream {
    struct ssi_rtp_config config;
    struct ssi_timers *timers;
    struct ssi_rtp_ops ops;
    void *arg;
    struct ssi_srtp *tx;
    struct ssi_rtp_receivers receivers;
    struct ssi_timer old_key_timer;    /* the end of the earliest key before */
    struct told told_ours, told_peers; /* of the keys in use */
    bool was_before;                   /* the last packet came under the key of before */
    bool heard;                        /* heard_fork is the one whose audio is given out */
    uint32_t heard_fork;
    uint64_t heard_us; /* its last RTP packet */
    bool started;

    uint32_t ssrc;
    uint16_t seq;
    uint32_t timestamp; /* of the frame due at frame_due_us */
    bool talking;       /* the packet before this frame was sent: no marker */
    bool collided;
    uint64_t frame_due_us;
    struct ssi_timer frame_timer;

    struct ssi_rtp_source source; /* whom we listen to */
    struct ssi_rtp_source next;   /* another SSRC, on probation */
    uint64_t lost_before;         /* of sources that are gone */

    struct ssi_timer rtcp_timer;
    uint32_t packets, octets; /* sent, of this SSRC */
    uint32_t packets_at[2];   /* at the last report and the one before it */
    uint32_t received_at_report;
    uint32_t last_sr; /* middle of its NTP timestamp */
    uint64_t last_sr_us;
    bool have_sr;

    struct ssi_rtp_stats stats;
};

static uint32_t frame_samples(const struct ssi_rtp_stream *s)
{
    return s->config.frame_ms * SAMPLES_PER_MS;
}

static bool config_valid(const struct ssi_rtp_config *c)
{
    return c->frame_ms >= FRAME_MS_MIN && c->frame_ms <= FRAME_MS_MAX && c->payload_type <= 127 &&
           (c->codec == SSI_RTP_PCMU || c->codec == SSI_RTP_PCMA) &&
           memchr(c->cname, 0, sizeof c->cname);
}

static void watch_key(struct ssi_rtp_stream *s, struct told *told, const struct ssi_srtp *key)
{
    uint32_t life = ssi_srtp_life(key);

    if (life == 0 || !s->ops.on_key_life)
        return;
    if (!told->due) {
        told->due = true;
        s->ops.on_key_life(s->arg, told == &s->told_ours, false);
    }
    if (life & (SSI_SRTP_ENDED_RTP | SSI_SRTP_ENDED_RTCP) && !told->ended) {
        told->ended = true;
        s->ops.on_key_life(s->arg, told == &s->told_ours, true);
    }
}

/* The lives of the keys that are in use; forks that only ring have none to speak of. */
static void watch_keys(struct ssi_rtp_stream *s)
{
    if (s->tx)
        watch_key(s, &s->told_ours, s->tx);
    if (s->receivers.n == 1)
        watch_key(s, &s->told_peers, s->receivers.all[0].now);
}

/* Keys that take the place of others have a life of their own. */
static void forget_told(struct ssi_rtp_stream *s, const struct ssi_srtp *tx,
                        const struct ssi_srtp *rx)
{
    if (!s->tx || !ssi_srtp_same_key(s->tx, tx))
        s->told_ours = (struct told){false, false};
    if (s->receivers.n != 1 || !ssi_srtp_same_key(s->receivers.all[0].now, rx))
        s->told_peers = (struct told){false, false};
}

/* The only way out. */
static void send_packet(struct ssi_rtp_stream *s, bool rtcp, uint8_t *packet, size_t len,
                        size_t cap)
{
    if (s->config.secure) {
        if (!s->tx)
            return;
        secsip_result r = rtcp ? ssi_srtp_protect_rtcp(s->tx, packet, &len, cap)
                               : ssi_srtp_protect_rtp(s->tx, packet, &len, cap);
        watch_keys(s);
        if (r < 0)
            return;
    }
    if (rtcp)
        s->stats.rtcp_tx++;
    else
        s->stats.tx++;
    s->ops.send(s->arg, rtcp, packet, len);
}

static void send_frame(struct ssi_rtp_stream *s)
{
    int16_t samples[FRAME_MAX] = {0};
    uint8_t payload[FRAME_MAX];
    uint8_t packet[PLAIN_MAX + SSI_SRTP_TRAILER_MAX];
    uint32_t n = frame_samples(s);
    size_t len;

    if (s->ops.on_audio_wanted)
        s->ops.on_audio_wanted(s->arg, samples, n);
    if (s->config.codec == SSI_RTP_PCMU)
        ssi_g711_encode_ulaw(samples, n, payload);
    else
        ssi_g711_encode_alaw(samples, n, payload);
    struct ssi_rtp_packet p = {
        .marker = !s->talking, /* RFC 3551 4.1: the first packet after a pause */
        .payload_type = s->config.payload_type,
        .seq = s->seq++,
        .timestamp = s->timestamp,
        .ssrc = s->ssrc,
        .payload = ssi_slice_of(payload, n),
    };
    if (ssi_rtp_build(&p, packet, PLAIN_MAX, &len) < 0)
        return;
    s->talking = true;
    s->packets++;
    s->octets += n;
    send_packet(s, false, packet, len, sizeof packet);
}

static void on_frame(void *arg)
{
    struct ssi_rtp_stream *s = arg;
    uint64_t frame_us = SSI_MS(s->config.frame_ms);
    uint64_t now = s->timers->now_us;

    if (now - s->frame_due_us > LATE_FRAMES * frame_us) {
        uint64_t left_out = (now - s->frame_due_us) / frame_us;
        s->frame_due_us += left_out * frame_us;
        s->timestamp += (uint32_t)left_out * frame_samples(s);
        s->talking = false;
    }
    if (s->config.send)
        send_frame(s);
    else
        s->talking = false;
    s->timestamp += frame_samples(s);
    s->frame_due_us += frame_us;
    ssi_timer_arm(s->timers, &s->frame_timer, s->frame_due_us > now ? s->frame_due_us - now : 0);
}

/* ---- RTCP */

/* RFC 3550 6.2, 6.3.1: with two members on a telephone line the minimum of 5 s rules, half of it at first, times 0.5 to 1.5,
 * over e - 1.5. */
static void arm_rtcp(struct ssi_rtp_stream *s, bool first)
{
    uint16_t random = UINT16_MAX / 2;
    uint64_t interval = first ? SSI_MS(2500) : SSI_S(5);

    /* Without random numbers the reports only lose their jitter. */
    if (ssi_random_nonce(&random, sizeof random) < 0)
        random = UINT16_MAX / 2;
    interval = interval / 2 + interval * random / UINT16_MAX;
    ssi_timer_arm(s->timers, &s->rtcp_timer, interval * 100000 / 121828);
}

/* No wall clock here: RFC 3550 4 and 6.4.1 allow the time since some start. */
static uint64_t ntp_of(uint64_t us)
{
    return us / 1000000 << 32 | (us % 1000000 << 32) / 1000000;
}

static void fill_block(struct ssi_rtp_stream *s, struct ssi_rtcp_block *b)
{
    b->ssrc = s->source.ssrc;
    b->fraction_lost = ssi_rtp_source_fraction(&s->source);
    b->lost = ssi_rtp_source_lost_reported(&s->source);
    b->highest_seq = s->source.cycles + s->source.max_seq;
    b->jitter = s->source.jitter >> 4;
    if (s->have_sr) {
        b->lsr = s->last_sr;
        b->dlsr = (uint32_t)(((s->timers->now_us - s->last_sr_us) << 16) / 1000000);
    }
}

static void send_report(struct ssi_rtp_stream *s, bool bye)
{
    uint8_t packet[RTCP_MAX + SSI_SRTP_TRAILER_MAX];
    size_t len;
    struct ssi_rtcp_compound c = {
        .ssrc = s->ssrc,
        .is_sender = s->packets != s->packets_at[1], /* sent within two intervals, RFC 3550 6.4 */
        .cname = ssi_slice_str(s->config.cname),
        .n_bye = bye,
    };

    if (c.is_sender) {
        uint64_t ahead_us =
            s->frame_due_us > s->timers->now_us ? s->frame_due_us - s->timers->now_us : 0;
        c.ntp = ntp_of(s->timers->now_us);
        c.rtp_timestamp = s->timestamp - (uint32_t)(ahead_us * SAMPLES_PER_MS / 1000);
        c.packets = s->packets;
        c.octets = s->octets;
    }
    if (ssi_rtp_source_valid(&s->source) && s->source.received != s->received_at_report) {
        fill_block(s, &c.blocks[c.n_blocks++]);
        s->received_at_report = s->source.received;
    }
    s->packets_at[1] = s->packets_at[0];
    s->packets_at[0] = s->packets;
    if (ssi_rtcp_build(&c, packet, RTCP_MAX, &len) == 0)
        send_packet(s, true, packet, len, sizeof packet);
}

static void on_rtcp(void *arg)
{
    struct ssi_rtp_stream *s = arg;

    arm_rtcp(s, false);
    send_report(s, false);
}

/* ---- Life */

static void on_old_key(void *arg)
{
    struct ssi_rtp_stream *s = arg;
    uint64_t now = s->timers->now_us;
    uint64_t next = ssi_rtp_receivers_expire(&s->receivers, now);

    if (next != UINT64_MAX)
        ssi_timer_arm(s->timers, &s->old_key_timer, next - now);
}

static secsip_result choose_identity(struct ssi_rtp_stream *s)
{
    uint32_t random[3];
    secsip_result r = ssi_random_nonce(random, sizeof random);

    if (r < 0)
        return r;
    s->ssrc = random[0];
    /* In the lower half: a receiver that misses the first packets up to a roll-over could not know of it, and would hear nothing
     * (RFC 3711 3.3.1 guesses within 2^15). What has to be unpredictable (RFC 3550 5.1) is the key's under SRTP. */
    s->seq = (uint16_t)(random[1] & 0x7fff);
    s->timestamp = random[2];
    return 0;
}

secsip_result ssi_rtp_stream_new(const struct ssi_rtp_config *config, struct ssi_timers *timers,
                                 const struct ssi_rtp_ops *ops, void *arg,
                                 struct ssi_rtp_stream **ret)
{
    struct ssi_rtp_stream *s = calloc(1, sizeof *s);
    secsip_result r = SECSIP_E_INVALID;

    if (!s)
        return SECSIP_E_NOMEM;
    s->config = *config;
    s->timers = timers;
    s->ops = *ops;
    s->arg = arg;
    if (s->config.frame_ms == 0)
        s->config.frame_ms = 20;
    if (!config_valid(&s->config))
        goto fail;
    r = choose_identity(s);
    if (r < 0)
        goto fail;
    /* RFC 7022 4.2: a random CNAME of at least 96 bits. */
    if (s->config.cname[0] == 0)
        r = ssi_random_token(s->config.cname, 24);
    if (r < 0)
        goto fail;
    ssi_timer_init(&s->frame_timer, on_frame, s);
    ssi_timer_init(&s->rtcp_timer, on_rtcp, s);
    ssi_timer_init(&s->old_key_timer, on_old_key, s);
    *ret = s;
    return 0;

fail:
    free(s);
    return r;
}

void ssi_rtp_stream_free(struct ssi_rtp_stream *s)
{
    if (!s)
        return;
    if (s->started)
        send_report(s, true);
    ssi_timer_cancel(s->timers, &s->frame_timer);
    ssi_timer_cancel(s->timers, &s->rtcp_timer);
    ssi_timer_cancel(s->timers, &s->old_key_timer);
    ssi_srtp_free(s->tx);
    ssi_rtp_receivers_free(&s->receivers);
    free(s);
}

/* One key, one session: a second session with a key in use would begin with the first index again. */
static bool same_key(const struct ssi_srtp *current, const struct ssi_srtp *session)
{
    return current && (current == session || ssi_srtp_same_key(current, session));
}

/* `session` goes on where `current` stands, unless that has its key already. */
static secsip_result prepare(struct ssi_srtp *current, struct ssi_srtp *session)
{
    return current && !same_key(current, session) ? ssi_srtp_continue(session, current) : 0;
}

static void adopt_tx(struct ssi_rtp_stream *s, struct ssi_srtp *session)
{
    struct ssi_srtp *spare = same_key(s->tx, session) ? session : s->tx;

    if (spare == session && s->tx == session)
        return;
    if (spare != session)
        s->tx = session;
    ssi_srtp_free(spare);
}

secsip_result ssi_rtp_stream_set_fork(struct ssi_rtp_stream *s, uint32_t fork, struct ssi_srtp *tx,
                                      struct ssi_srtp *rx)
{
    if (!s->config.secure)
        return SECSIP_E_STATE;
    if (!tx || !rx || ssi_srtp_direction_of(tx) != SSI_SRTP_SEND ||
        ssi_srtp_direction_of(rx) != SSI_SRTP_RECEIVE)
        return SECSIP_E_INVALID;
    secsip_result r = ssi_rtp_receivers_prepare(&s->receivers, fork, rx);
    if (r == 0)
        r = prepare(s->tx, tx);
    if (r < 0)
        return r;
    forget_told(s, tx, rx);
    adopt_tx(s, tx);
    /* What is under way when the key changes still comes under the old one. */
    if (ssi_rtp_receivers_adopt(&s->receivers, fork, rx, s->timers->now_us + SSI_MS(OLD_KEY_MS)) &&
        !s->old_key_timer.armed)
        ssi_timer_arm(s->timers, &s->old_key_timer, SSI_MS(OLD_KEY_MS));
    return 0;
}

secsip_result ssi_rtp_stream_set_srtp(struct ssi_rtp_stream *s, struct ssi_srtp *tx,
                                      struct ssi_srtp *rx)
{
    return ssi_rtp_stream_set_fork(s, s->receivers.n == 1 ? s->receivers.all[0].fork : 0, tx, rx);
}

void ssi_rtp_stream_drop_fork(struct ssi_rtp_stream *s, uint32_t fork)
{
    ssi_rtp_receivers_drop(&s->receivers, fork);
    if (s->heard && s->heard_fork == fork)
        s->heard = false;
}

void ssi_rtp_stream_keep_fork(struct ssi_rtp_stream *s, uint32_t fork)
{
    ssi_rtp_receivers_keep(&s->receivers, fork);
    if (s->heard && s->heard_fork != fork)
        s->heard = false;
}

bool ssi_rtp_stream_heard_before(const struct ssi_rtp_stream *s)
{
    return s->was_before;
}

bool ssi_rtp_stream_heard_fork(const struct ssi_rtp_stream *s, uint32_t *ret_fork)
{
    if (s->heard)
        *ret_fork = s->heard_fork;
    return s->heard;
}

void ssi_rtp_stream_set_codec(struct ssi_rtp_stream *s, enum ssi_rtp_codec codec,
                              uint8_t payload_type)
{
    s->config.codec = codec;
    s->config.payload_type = payload_type & 0x7f;
}

void ssi_rtp_stream_set_direction(struct ssi_rtp_stream *s, bool send, bool receive)
{
    s->config.send = send;
    s->config.receive = receive;
}

secsip_result ssi_rtp_stream_start(struct ssi_rtp_stream *s)
{
    if (s->config.secure && !(s->tx && s->receivers.n > 0))
        return SECSIP_E_STATE;
    if (s->started)
        return 0;
    s->started = true;
    s->frame_due_us = s->timers->now_us;
    ssi_timer_arm(s->timers, &s->frame_timer, 0);
    arm_rtcp(s, true);
    return 0;
}

/* ---- Input */

/* See ssi_rtp_stream_input. RTP is told from its header and length alone: the rest may be wiped by now. */
static bool looks_clear(const struct ssi_rtp_stream *s, bool rtcp, const uint8_t *packet,
                        size_t len)
{
    struct ssi_rtp_packet p;

    if (rtcp)
        return ssi_rtcp_is_framed(packet, len);
    return ssi_rtp_parse(packet, len, &p) == 0 && p.payload_type == s->config.payload_type &&
           p.payload.len > 0 && p.payload.len % (size_t)(FRAME_MS_MIN * SAMPLES_PER_MS) == 0;
}

static void count_refused(struct ssi_rtp_stream *s, secsip_result why, bool clear)
{
    if (why == SECSIP_E_SRTP_REPLAY)
        s->stats.replayed++;
    else if (clear)
        s->stats.clear_dropped++;
    else if (why == SECSIP_E_RTP_SYNTAX)
        s->stats.malformed++;
    else
        s->stats.auth_failed++;
}

/* The only way in: false for what may not be looked at. */
static bool open_packet(struct ssi_rtp_stream *s, bool rtcp, uint8_t *packet, size_t *len,
                        uint32_t *ret_fork)
{
    if (!s->config.secure)
        return true;
    bool clear = rtcp && looks_clear(s, true, packet, *len);
    secsip_result r =
        ssi_rtp_receivers_open(&s->receivers, rtcp, packet, len, ret_fork, &s->was_before);
    watch_keys(s);
    if (r == 0)
        return true;
    count_refused(s, r, clear || (!rtcp && looks_clear(s, false, packet, *len)));
    return false;
}

secsip_result ssi_rtp_stream_renew(struct ssi_rtp_stream *s)
{
    uint32_t ssrc;
    secsip_result r = ssi_random_nonce(&ssrc, sizeof ssrc);

    if (r < 0)
        return r;
    s->ssrc = ssrc;
    s->packets = s->octets = 0;
    s->packets_at[0] = s->packets_at[1] = 0;
    return 0;
}

/* Our own SSRC from outside: a collision, or a loop (RFC 3550 8.2). We leave it once; what keeps coming back is a loop. */
static void leave_ssrc(struct ssi_rtp_stream *s)
{
    if (s->collided)
        return;
    s->collided = true;
    if (s->started)
        send_report(s, true);
    ssi_rtp_stream_renew(s); /* without random numbers the old one stays */
}

static void drop_source(struct ssi_rtp_stream *s)
{
    s->lost_before += ssi_rtp_source_lost(&s->source);
    s->source.known = false;
    s->have_sr = false;
    s->received_at_report = 0;
}

/* Whether the packet is of the source we listen to. The first source is taken at once; another takes its place when two of
 * its packets came in sequence (RFC 3550 A.1). */
static bool take_source(struct ssi_rtp_stream *s, const struct ssi_rtp_packet *p)
{
    if (!s->source.known) {
        ssi_rtp_source_start(&s->source, p->ssrc, p->seq);
    } else if (p->ssrc != s->source.ssrc) {
        if (!s->next.known || s->next.ssrc != p->ssrc)
            ssi_rtp_source_start(&s->next, p->ssrc, p->seq);
        if (!ssi_rtp_source_update(&s->next, p->seq))
            return false;
        drop_source(s);
        s->source = s->next;
        s->next.known = false;
        return true;
    }
    ssi_rtp_source_update(&s->source, p->seq);
    return true;
}

static void deliver(struct ssi_rtp_stream *s, const struct ssi_rtp_packet *p)
{
    int16_t samples[DECODED_MAX];
    const uint8_t *payload = (const uint8_t *)p->payload.p;

    if (!s->config.receive || !s->ops.on_audio || p->payload_type != s->config.payload_type ||
        p->payload.len == 0)
        return;
    if (s->config.codec == SSI_RTP_PCMU)
        ssi_g711_decode_ulaw(payload, p->payload.len, samples);
    else
        ssi_g711_decode_alaw(payload, p->payload.len, samples);
    s->ops.on_audio(s->arg, samples, p->payload.len, p->timestamp);
}

static void input_rtp(struct ssi_rtp_stream *s, const uint8_t *packet, size_t len)
{
    struct ssi_rtp_packet p;

    if (ssi_rtp_parse(packet, len, &p) < 0 || p.payload.len > DECODED_MAX) {
        s->stats.malformed++;
        return;
    }
    if (p.ssrc == s->ssrc) {
        leave_ssrc(s);
        return;
    }
    s->stats.rx++;
    if (!take_source(s, &p))
        return;
    if (ssi_rtp_source_valid(&s->source)) {
        uint32_t arrival = (uint32_t)(s->timers->now_us * SAMPLES_PER_MS / 1000);
        ssi_rtp_source_jitter(&s->source, p.timestamp, arrival);
        s->stats.jitter_us = (uint64_t)(s->source.jitter >> 4) * 1000 / SAMPLES_PER_MS;
    }
    s->stats.lost = s->lost_before + ssi_rtp_source_lost(&s->source);
    deliver(s, &p);
}

static void input_rtcp(struct ssi_rtp_stream *s, const uint8_t *packet, size_t len)
{
    struct ssi_rtcp_compound c;

    if (ssi_rtcp_parse(packet, len, &c) < 0) {
        /* Reduced-size RTCP is not negotiated by us, but phones send it (baresip: an APP packet to open the NAT's port). It
         * is counted and says nothing that we would act on. */
        if (ssi_rtcp_is_framed(packet, len))
            s->stats.rtcp_rx++;
        else
            s->stats.malformed++;
        return;
    }
    s->stats.rtcp_rx++;
    if (!s->source.known || c.ssrc != s->source.ssrc)
        return;
    if (c.is_sender) {
        s->last_sr = (uint32_t)(c.ntp >> 16);
        s->last_sr_us = s->timers->now_us;
        s->have_sr = true;
    }
    for (uint8_t i = 0; i < c.n_bye && s->source.known; i++)
        if (c.bye[i] == s->source.ssrc)
            drop_source(s);
}

/* Of several forks the first that sends is heard, until it falls silent: the ringing tones of two phones in turn would be
 * noise. */
static bool hears(struct ssi_rtp_stream *s, bool rtcp, uint32_t fork)
{
    uint64_t now = s->timers->now_us;

    if (s->heard && fork != s->heard_fork && now - s->heard_us < SSI_MS(FORK_SILENT_MS))
        return false;
    if (rtcp)
        return !s->heard || fork == s->heard_fork;
    if (s->heard && fork != s->heard_fork)
        drop_source(s);
    s->heard = true;
    s->heard_fork = fork;
    s->heard_us = now;
    return true;
}

void ssi_rtp_stream_input(struct ssi_rtp_stream *s, bool rtcp, uint8_t *packet, size_t len)
{
    uint32_t fork = 0;

    if (!open_packet(s, rtcp, packet, &len, &fork))
        return;
    if (!hears(s, rtcp, fork)) {
        s->stats.unheard++;
        return;
    }
    if (rtcp)
        input_rtcp(s, packet, len);
    else
        input_rtp(s, packet, len);
}

const struct ssi_rtp_stats *ssi_rtp_stream_stats(const struct ssi_rtp_stream *s)
{
    return &s->stats;
}
