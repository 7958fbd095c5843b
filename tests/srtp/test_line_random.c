/* Random lives of a conversation against a simple model: keys that change and come back, exports with and without a promise,
 * packets late, lost and replayed, roll-over counters given and reset. Whatever happens: no key stream is used twice (what is
 * said is all zeros, so that every packet shows its own), no packet is taken twice, no key outlives its life, and what is sent
 * under the key of both ends and comes at once is taken. */
#include "common.h"

#include <stdlib.h>

#include "seed.h"

enum {
    RUNS = 60,
    STEPS = 600,
    SSRCS = 6,
    LOG = STEPS + SSRCS,
    KEYS = STEPS + 2,
    OLD = 3,    /* sessions in their time of grace */
    OTHERS = 4, /* senders that a state came from, or went to */
    STREAMS = 1 << 14,
    LIFE = 150,
    GAP = 15000, /* of indices; a promise may come on top */
    LATE = 40,   /* packets may be late by */
    KEPT = 16,   /* keys that a line remembers all of */
};

struct packet {
    uint8_t bytes[96];
    size_t len;
    bool rtcp, taken;
    uint32_t key, ssrc, era; /* era: how often the key had changed */
    uint64_t index;
};

/* A sender aside: only keys from `first` up to `known` are its business. */
struct other {
    struct ssi_srtp *s;
    uint32_t first, known;
    bool heir; /* of the speaker as it is */
};

struct world {
    uint64_t random;
    struct ssi_srtp *tx, *rx, *old[OLD];
    struct other others[OTHERS];
    enum ssi_srtp_suite suite;
    uint32_t life;                        /* packets; 0: without end */
    uint32_t n_keys, key, era, first_key; /* keys before that one belong to another speaker */
    uint32_t used_at[KEYS];               /* the era in which a key was in use last */
    uint32_t spent[KEYS][2];
    uint64_t next[SSRCS], heard[SSRCS]; /* indices: to be used, and the highest that was taken */
    bool known[SSRCS], told[SSRCS];     /* by a packet, or by its roll-over counter */
    bool has_heir;                      /* a state was imported: no other one is, of this line */
    bool bound;                         /* by a promise, or behind one */
    struct packet log[LOG];
    uint32_t n_log;
    uint8_t streams[STREAMS][16];
};

static uint32_t below(struct world *w, uint32_t n)
{
    return test_below(&w->random, n);
}

static struct ssi_srtp *made(struct world *w, enum ssi_srtp_direction direction, uint32_t key)
{
    struct ssi_srtp_config c = config_of(w->suite, direction, 3);

    memcpy(c.key.bytes, &key, sizeof key);
    c.lifetime = w->life;
    return session(&c);
}

static void free_heirs(struct world *w)
{
    for (int i = 0; i < OTHERS; i++) {
        if (!w->others[i].heir)
            continue;
        ssi_srtp_free(w->others[i].s);
        w->others[i] = (struct other){0};
    }
}

static void free_old(struct world *w)
{
    for (int i = 0; i < OLD; i++) {
        ssi_srtp_free(w->old[i]);
        w->old[i] = NULL;
    }
}

static void set_aside(struct world *w, struct ssi_srtp *s, bool heir)
{
    struct other *o = &w->others[below(w, OTHERS)];

    ssi_srtp_free(o->s);
    *o = (struct other){s, w->first_key, w->n_keys, heir};
}

/* ---- What is sent */

static void note_stream(struct world *w, const uint8_t *p)
{
    static const uint8_t none[16];
    uint32_t at;

    memcpy(&at, p, sizeof at);
    for (at %= STREAMS; memcmp(w->streams[at], none, 16) != 0; at = (at + 1) % STREAMS)
        assert_memory_not_equal(w->streams[at], p, 16);
    memcpy(w->streams[at], p, 16);
}

/* Protects silence. */
static secsip_result protect(struct world *w, struct ssi_srtp *s, bool rtcp, uint32_t ssrc,
                             uint64_t index, uint8_t *p, size_t *len)
{
    *len = rtcp ? clear_rtcp(p, ssrc, 5) : clear_rtp(p, (uint32_t)index, ssrc, 20);
    memset(p + (rtcp ? 8 : 12), 0, 20);
    secsip_result r = rtcp ? ssi_srtp_protect_rtcp(s, p, len, 96 + SSI_SRTP_TRAILER_MAX)
                           : ssi_srtp_protect_rtp(s, p, len, 96 + SSI_SRTP_TRAILER_MAX);
    if (r == 0)
        note_stream(w, p + (rtcp ? 8 : 12));
    return r;
}

/* Whether one of the listener's sessions takes it; never one that was taken before. */
static bool deliver(struct world *w, struct packet *p)
{
    bool taken = received(w->rx, p->rtcp, p->bytes, p->len) == 0;

    for (int i = 0; i < OLD && !taken; i++)
        taken = w->old[i] && received(w->old[i], p->rtcp, p->bytes, p->len) == 0;
    assert_false(taken && p->taken);
    p->taken = p->taken || taken;
    if (taken && !p->rtcp && p->index > w->heard[p->ssrc])
        w->heard[p->ssrc] = p->index;
    return taken;
}

static void change_key(struct world *w, uint32_t key);

static void say(struct world *w, uint32_t ssrc, bool rtcp, bool at_once)
{
    struct packet *p = &w->log[w->n_log];
    uint8_t bytes[96 + SSI_SRTP_TRAILER_MAX];
    uint64_t index = w->next[ssrc] + (below(w, 3) ? 0 : below(w, 9000));

    if (w->n_log == LOG)
        return;
    secsip_result r = protect(w, w->tx, rtcp, ssrc, index, bytes, &p->len);
    if (r < 0) { /* a life that is over, or a promise: a new key is the way out */
        assert_true(r == SECSIP_E_SRTP_KEY_EXPIRED || w->bound);
        change_key(w, w->n_keys);
        return;
    }
    w->spent[w->key][rtcp]++;
    assert_true(w->life == 0 || w->spent[w->key][rtcp] <= w->life);
    assert_true(p->len <= sizeof p->bytes);
    memcpy(p->bytes, bytes, p->len);
    p->rtcp = rtcp;
    p->key = w->key;
    p->ssrc = ssrc;
    p->era = w->era;
    p->index = index;
    w->n_log++;
    if (!rtcp) {
        w->next[ssrc] = index + 1;
        at_once = at_once || !w->known[ssrc] || index - w->heard[ssrc] > GAP;
        w->known[ssrc] = true;
    }
    if (at_once)
        assert_true(deliver(w, p));
}

/* An SSRC that begins, sometimes with a counter that both ends are told. */
static void begin(struct world *w, uint32_t ssrc)
{
    uint32_t roc = below(w, 4);

    if (w->known[ssrc] || w->told[ssrc] || below(w, 2))
        return;
    secsip_result r = ssi_srtp_set_roc(w->tx, ssrc, roc);
    if (r < 0) {
        assert_true(w->bound || r == SECSIP_E_STATE);
        return;
    }
    assert_int_equal(ssi_srtp_set_roc(w->rx, ssrc, roc), 0);
    w->told[ssrc] = true;
    w->next[ssrc] = w->heard[ssrc] = (uint64_t)roc << 16 | 1000;
}

static void come_late(struct world *w)
{
    uint32_t back = below(w, w->n_log < 200 ? w->n_log : 200);
    struct packet *p = &w->log[w->n_log - 1 - back];
    bool alive = w->life == 0 || (w->spent[w->key][0] < w->life && w->spent[w->key][1] < w->life);
    bool fresh =
        !p->taken && p->era == w->era && !p->rtcp && alive && p->index + LATE > w->heard[p->ssrc];
    bool taken = deliver(w, p);

    assert_true(taken || !fresh);
}

/* ---- Keys */

static bool go_on(struct ssi_srtp **s, struct ssi_srtp *next)
{
    secsip_result r = ssi_srtp_continue(next, *s);

    assert_true(r == 0 || r == SECSIP_E_SRTP_REUSE);
    if (r < 0) {
        ssi_srtp_free(next);
        return false;
    }
    *s = next;
    return true;
}

static void change_key(struct world *w, uint32_t key)
{
    bool fresh = key == w->n_keys;
    struct ssi_srtp *tx = w->tx, *rx = w->rx;

    if (key == w->key || key < w->first_key || w->n_keys == KEYS)
        return;
    if (!go_on(&w->tx, made(w, SSI_SRTP_SEND, key))) {
        assert_true(!fresh && w->era - w->used_at[key] >= KEPT);
        return;
    }
    ssi_srtp_free(tx);
    if (!go_on(&w->rx, made(w, SSI_SRTP_RECEIVE, key))) {
        assert_true(!fresh && w->era - w->used_at[key] >= KEPT);
        tx = w->tx;
        assert_true(go_on(&w->tx, made(w, SSI_SRTP_SEND, w->n_keys)));
        ssi_srtp_free(tx);
        key = w->n_keys;
        fresh = true;
        assert_true(go_on(&w->rx, made(w, SSI_SRTP_RECEIVE, key)));
    }
    struct ssi_srtp **place = &w->old[below(w, OLD)];
    ssi_srtp_free(*place);
    *place = rx;
    w->used_at[w->key] = w->era++;
    w->key = key;
    w->n_keys += fresh;
}

/* A peer that forgets where it stood, under a key that is new. */
static void reset(struct world *w)
{
    struct ssi_srtp *rx = w->rx;

    if (w->n_keys == KEYS)
        return;
    free_heirs(w);
    set_aside(w, w->tx, false);
    w->tx = made(w, SSI_SRTP_SEND, w->n_keys);
    assert_true(go_on(&w->rx, made(w, SSI_SRTP_RECEIVE, w->n_keys)));
    ssi_srtp_free(rx);
    w->used_at[w->key] = w->era++;
    w->key = w->first_key = w->n_keys++;
    w->bound = w->has_heir = false;
    for (uint32_t i = 0; i < SSRCS; i++) {
        if (!w->known[i] && w->told[i])
            assert_int_equal(ssi_srtp_set_roc(w->tx, i, (uint32_t)(w->next[i] >> 16)), 0);
        if (!w->known[i])
            continue;
        w->next[i] &= 0x7fff;
        w->heard[i] = 0;
        say(w, i, false, true);
    }
}

/* ---- States */

static struct ssi_srtp *heir_of(struct ssi_srtp *s, uint32_t promised)
{
    struct ssi_srtp *heir = NULL;
    struct ssi_buf b;

    assert_int_equal(ssi_srtp_export(s, promised, &b), 0);
    assert_int_equal(ssi_srtp_import(ssi_buf_slice(&b), &heir), 0);
    ssi_buf_free(&b);
    return heir;
}

static void move_listener(struct world *w)
{
    free_old(w); /* they stay where they are: what they take from now on the heir cannot know */
    struct ssi_srtp *heir = heir_of(w->rx, 0);
    ssi_srtp_free(w->rx);
    w->rx = heir;
}

/* The heir speaks on, or the one who promised does; the other one tries what it can. */
static void move_speaker(struct world *w)
{
    uint32_t promised = below(w, 3) ? below(w, 300) : 0;
    struct ssi_srtp_source_stats stats;

    if (w->has_heir)
        return;
    struct ssi_srtp *heir = heir_of(w->tx, promised);
    if (promised > 0 && below(w, 2)) {
        set_aside(w, heir, true);
        w->has_heir = true;
    } else {
        set_aside(w, w->tx, false);
        w->tx = heir;
        for (uint32_t i = 0; ssi_srtp_source_stats(heir, i, &stats) == 0; i++)
            if (stats.next_index > w->next[stats.ssrc])
                w->next[stats.ssrc] = stats.next_index;
    }
    w->bound = w->bound || promised > 0;
}

/* It may do what it likes, but under no key stream that another uses. */
static void act_aside(struct world *w)
{
    struct other *o = &w->others[below(w, OTHERS)];
    struct ssi_srtp_source_stats stats = {.ssrc = below(w, SSRCS)};
    uint8_t p[96 + SSI_SRTP_TRAILER_MAX];
    size_t len;

    if (!o->s)
        return;
    if (below(w, 4) == 0) {
        struct ssi_srtp *next = made(w, SSI_SRTP_SEND, o->first + below(w, o->known - o->first));
        if (ssi_srtp_continue(next, o->s) < 0) {
            ssi_srtp_free(next);
            return;
        }
        ssi_srtp_free(o->s);
        o->s = next;
    }
    for (uint32_t i = 0; i < 10; i++) {
        (void)ssi_srtp_source_stats(o->s, below(w, SSRCS), &stats);
        (void)protect(w, o->s, below(w, 3) == 0, stats.ssrc, stats.next_index + below(w, 30), p,
                      &len);
    }
}

static void step(struct world *w)
{
    uint32_t what = below(w, 100), ssrc = below(w, SSRCS);

    if (what < 55) {
        begin(w, ssrc);
        say(w, ssrc, below(w, 6) == 0, below(w, 4) > 0);
    } else if (what < 80) {
        if (w->n_log > 0)
            come_late(w);
    } else if (what < 84) {
        change_key(w, w->n_keys);
    } else if (what < 89) {
        change_key(w, w->n_keys - 1 - below(w, w->n_keys < 24 ? w->n_keys : 24));
    } else if (what < 91) {
        move_listener(w);
    } else if (what < 93) {
        move_speaker(w);
    } else if (what < 99) {
        act_aside(w);
    } else {
        reset(w);
    }
}

static void no_key_stream_is_used_twice_and_nothing_is_taken_twice(void **state)
{
    static struct world w;
    uint64_t seed = test_seed();

    (void)state;
    for (uint32_t run = 0; run < RUNS; run++) {
        memset(&w, 0, sizeof w);
        w.random = seed + run;
        w.suite = run % 2 ? SSI_SRTP_AEAD_AES_128_GCM : SSI_SRTP_AES_CM_128_HMAC_SHA1_80;
        w.life = run % 4 < 2 ? LIFE : 0;
        w.tx = made(&w, SSI_SRTP_SEND, 0);
        w.rx = made(&w, SSI_SRTP_RECEIVE, 0);
        w.n_keys = 1;
        for (uint32_t i = 0; i < SSRCS; i++)
            w.next[i] = w.heard[i] = below(&w, 30000);
        for (uint32_t i = 0; i < STEPS; i++)
            step(&w);
        free_old(&w);
        for (int i = 0; i < OTHERS; i++)
            ssi_srtp_free(w.others[i].s);
        ssi_srtp_free(w.tx);
        ssi_srtp_free(w.rx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_key_stream_is_used_twice_and_nothing_is_taken_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
