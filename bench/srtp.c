/* SRTP through our public interface, beside libsrtp2 with its own ciphers and libre's SRTP, in one run: nanoseconds per packet
 * to protect and to unprotect, many sessions in turn, and what a session costs. The best of several rounds counts, the
 * contenders taking turns within a round, so that a slow moment of the machine hits all of them. */
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/report.h"
#include <secsip/srtp.h>
#include <srtp2/srtp.h>
#ifdef WITH_LIBRE
#include <re.h>
#endif

enum {
    ROUNDS = 15,
    BATCH = 2000,
    SLOT = 1400,
    MANY = 10000,
};

struct suite {
    const char *name, *short_name;
    size_t key_len;
    bool gcm;
};

static const struct suite suites[] = {
    {"AES_CM_128_HMAC_SHA1_80", "AES_CM_128_80", 30, false},
    {"AEAD_AES_128_GCM", "AES_128_GCM", 28, true},
};

/* One session of one contender; a failure ends the program. */
struct contender {
    const char *name;
    void *(*open)(const struct suite *suite, bool send);
    void (*protect)(void *session, uint8_t *packet, size_t *len);
    void (*unprotect)(void *session, uint8_t *packet, size_t *len);
    void (*close)(void *session);
};

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "bench_srtp: %s failed\n", what);
    exit(2);
}

static void make_key(uint8_t key[64])
{
    for (int i = 0; i < 64; i++)
        key[i] = (uint8_t)(i * 7 + 1);
}

/* ---- Ours */

static void *ours_open_with(const struct suite *suite, bool send, uint8_t change)
{
    uint8_t key[64];
    secsip_srtp *s = NULL;
    make_key(key);
    key[0] ^= change;
    secsip_srtp_config c = {
        .size = sizeof c,
        .direction = send ? SECSIP_SRTP_SEND : SECSIP_SRTP_RECEIVE,
        .suite = suite->name,
        .key = key,
        .key_len = suite->key_len,
    };
    must(secsip_srtp_new(&c, &s) == 0, "secsip_srtp_new");
    return s;
}

static void *ours_open(const struct suite *suite, bool send)
{
    return ours_open_with(suite, send, 0);
}

static void ours_protect(void *session, uint8_t *packet, size_t *len)
{
    must(secsip_srtp_protect_rtp(session, packet, len, SLOT) == 0, "secsip_srtp_protect_rtp");
}

static void ours_unprotect(void *session, uint8_t *packet, size_t *len)
{
    must(secsip_srtp_unprotect_rtp(session, packet, len) == 0, "secsip_srtp_unprotect_rtp");
}

static void ours_close(void *session)
{
    secsip_srtp_free(session);
}

/* ---- libsrtp2 */

static void *stock_open(const struct suite *suite, bool send)
{
    uint8_t key[64];
    srtp_policy_t p = {
        .ssrc = {send ? ssrc_any_outbound : ssrc_any_inbound, 0}, .key = key, .window_size = 128};
    srtp_t s;
    make_key(key);
    if (suite->gcm) {
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&p.rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&p.rtcp);
    } else {
        srtp_crypto_policy_set_rtp_default(&p.rtp);
        srtp_crypto_policy_set_rtcp_default(&p.rtcp);
    }
    must(srtp_create(&s, &p) == srtp_err_status_ok, "srtp_create");
    return s;
}

static void stock_protect(void *session, uint8_t *packet, size_t *len)
{
    int n = (int)*len;
    must(srtp_protect(session, packet, &n) == srtp_err_status_ok, "srtp_protect");
    *len = (size_t)n;
}

static void stock_unprotect(void *session, uint8_t *packet, size_t *len)
{
    int n = (int)*len;
    must(srtp_unprotect(session, packet, &n) == srtp_err_status_ok, "srtp_unprotect");
    *len = (size_t)n;
}

static void stock_close(void *session)
{
    srtp_dealloc(session);
}

/* ---- libre */

#ifdef WITH_LIBRE
static void *re_open(const struct suite *suite, bool send)
{
    uint8_t key[64];
    struct srtp *s = NULL;
    (void)send;
    make_key(key);
    must(srtp_alloc(&s, suite->gcm ? SRTP_AES_128_GCM : SRTP_AES_CM_128_HMAC_SHA1_80, key,
                    suite->key_len, 0) == 0,
         "srtp_alloc");
    return s;
}

static void re_protect(void *session, uint8_t *packet, size_t *len)
{
    struct mbuf mb = {.buf = packet, .size = SLOT, .pos = 0, .end = *len};
    must(srtp_encrypt(session, &mb) == 0, "srtp_encrypt");
    *len = mb.end;
}

static void re_unprotect(void *session, uint8_t *packet, size_t *len)
{
    struct mbuf mb = {.buf = packet, .size = SLOT, .pos = 0, .end = *len};
    must(srtp_decrypt(session, &mb) == 0, "srtp_decrypt");
    *len = mb.end;
}

static void re_close(void *session)
{
    mem_deref(session);
}
#endif

static const struct contender contenders[] = {
    {"libsecsip", ours_open, ours_protect, ours_unprotect, ours_close},
    {"libsrtp2", stock_open, stock_protect, stock_unprotect, stock_close},
#ifdef WITH_LIBRE
    {"libre", re_open, re_protect, re_unprotect, re_close},
#endif
};

enum {
    N_CONTENDERS = sizeof contenders / sizeof contenders[0],
    OURS = 0,
    STOCK = 1,
    LIBRE = 2
};

static uint64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

static uint8_t packets[BATCH][SLOT] __attribute__((aligned(16)));
static size_t lens[BATCH];

static size_t clear_packet(uint8_t *p, uint16_t seq, size_t payload)
{
    memset(p, 0, 12);
    p[0] = 0x80;
    p[2] = (uint8_t)(seq >> 8);
    p[3] = (uint8_t)seq;
    p[11] = 1;
    memset(p + 12, 0x55, payload);
    return 12 + payload;
}

static double at_most(double old, double new)
{
    return old == 0 || new < old ? new : old;
}

/* A fresh pair of sessions, BATCH packets there and back: the best time of each so far. */
static void one_round(const struct contender *c, const struct suite *suite, size_t payload,
                      double best[2])
{
    void *tx = c->open(suite, true), *rx = c->open(suite, false);

    for (size_t i = 0; i < BATCH; i++)
        lens[i] = clear_packet(packets[i], (uint16_t)i, payload);
    c->protect(tx, packets[0], &lens[0]); /* the first packet of an SSRC allocates */
    c->unprotect(rx, packets[0], &lens[0]);
    uint64_t start = now_ns();
    for (int i = 1; i < BATCH; i++)
        c->protect(tx, packets[i], &lens[i]);
    uint64_t middle = now_ns();
    for (int i = 1; i < BATCH; i++)
        c->unprotect(rx, packets[i], &lens[i]);
    uint64_t end = now_ns();
    must(lens[BATCH - 1] == 12 + payload, "a round trip");
    best[0] = at_most(best[0], (double)(middle - start) / (BATCH - 1));
    best[1] = at_most(best[1], (double)(end - middle) / (BATCH - 1));
    c->close(tx);
    c->close(rx);
}

static void tell(const struct suite *suite, const char *what, const char *unit, double ours,
                 const char *op, double target)
{
    char text[96];

    snprintf(text, sizeof text, "%s: %s", suite->short_name, what);
    report(
        &(struct report_row){.what = text, .unit = unit, .ours = ours, .op = op, .target = target});
}

/* There and back, ns. */
static void tell_beside(const struct suite *suite, size_t payload, double ours,
                        const struct contender *peer, double theirs, double target)
{
    char text[96];

    snprintf(text, sizeof text, "%s: %zu bytes, both ways", suite->short_name, payload);
    report(&(struct report_row){.what = text,
                                .unit = "ns",
                                .ours = ours,
                                .peer = peer->name,
                                .theirs = theirs,
                                .ratio = theirs / ours,
                                .op = ">=",
                                .target = target});
}

static void compare_packets(const struct suite *suite)
{
    static const size_t sizes[] = {20, 160, 1200};
    double at_160[N_CONTENDERS] = {0}, at_1200[N_CONTENDERS] = {0};

    printf("%s, ns per packet, protect / unprotect\n", suite->name);
    for (size_t k = 0; k < 3; k++) {
        double best[N_CONTENDERS][2] = {{0}};
        for (int round = 0; round < ROUNDS; round++)
            for (int c = 0; c < N_CONTENDERS; c++)
                one_round(&contenders[c], suite, sizes[k], best[c]);
        printf("  %4zu bytes:", sizes[k]);
        for (int c = 0; c < N_CONTENDERS; c++) {
            printf("   %s %.0f / %.0f", contenders[c].name, best[c][0], best[c][1]);
            if (sizes[k] == 160)
                at_160[c] = best[c][0] + best[c][1];
            if (sizes[k] == 1200)
                at_1200[c] = best[c][0] + best[c][1];
        }
        printf("\n");
    }
    tell_beside(suite, 160, at_160[OURS], &contenders[STOCK], at_160[STOCK], suite->gcm ? 4.5 : 7);
    if (N_CONTENDERS > LIBRE) {
        const struct contender *libre = &contenders[N_CONTENDERS - 1];
        tell_beside(suite, 160, at_160[OURS], libre, at_160[N_CONTENDERS - 1],
                    suite->gcm ? 1.8 : 1.5);
        tell_beside(suite, 1200, at_1200[OURS], libre, at_1200[N_CONTENDERS - 1], 1);
    }
}

/* Ns per packet of 160 bytes with n sessions that send one packet each in turn: the best turn of all. One session sends
 * as many packets in a turn, so that the clock is read as seldom. */
static double in_turn(const struct suite *suite, void **sessions, size_t n)
{
    size_t again = n < 100 ? BATCH / n : 1;
    double best = 0;

    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < n; i++)
            sessions[i] = ours_open(suite, true);
        for (size_t turn = 0; turn <= 30; turn++) {
            uint64_t start = now_ns();
            for (size_t k = 0; k < again; k++) {
                for (size_t i = 0; i < n; i++) {
                    size_t len = clear_packet(packets[0], (uint16_t)(turn * again + k), 160);
                    ours_protect(sessions[i], packets[0], &len);
                }
            }
            if (turn > 0) /* the first packet allocates */
                best = at_most(best, (double)(now_ns() - start) / (double)(n * again));
        }
        for (size_t i = 0; i < n; i++)
            ours_close(sessions[i]);
    }
    return best;
}

/* n packets of as many sessions as there are, with one call for all or with one for each: where the packets lie is the same. */
static double in_calls(const struct suite *suite, void **sessions, size_t n, bool at_once)
{
    static uint8_t many[MANY][192];
    static secsip_srtp_job jobs[MANY];
    size_t calls = n < 100 ? BATCH : n;
    double best = 0;

    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < n; i++)
            sessions[i] = ours_open(suite, true);
        for (uint16_t turn = 0; turn <= 30; turn++) {
            for (size_t i = 0; i < calls; i++)
                jobs[i] = (secsip_srtp_job){
                    .size = sizeof jobs[0],
                    .srtp = sessions[i % n],
                    .packet = many[i],
                    .len = clear_packet(many[i], (uint16_t)(turn * (calls / n) + i / n), 160),
                    .cap = sizeof many[i]};
            uint64_t start = now_ns();
            if (at_once)
                must(secsip_srtp_run(jobs, calls) == 0, "secsip_srtp_run");
            for (size_t i = 0; i < calls && !at_once; i++)
                must(secsip_srtp_protect_rtp(jobs[i].srtp, many[i], &jobs[i].len, jobs[i].cap) == 0,
                     "secsip_srtp_protect_rtp");
            if (turn > 0)
                best = at_most(best, (double)(now_ns() - start) / (double)calls);
        }
        for (size_t i = 0; i < n; i++)
            ours_close(sessions[i]);
    }
    return best;
}

/* Whether the batch call earns its place: with many sessions it must, with one it cannot. */
static void batches(const struct suite *suite, void **sessions)
{
    for (size_t n = 1; n <= MANY; n *= MANY) {
        double single = in_calls(suite, sessions, n, false);
        double batch = in_calls(suite, sessions, n, true);
        char text[96];
        snprintf(text, sizeof text, "%s: one call for packets of %zu sessions", suite->short_name,
                 n);
        report(&(struct report_row){.what = text,
                                    .unit = "ns",
                                    .ours = batch,
                                    .peer = "single calls",
                                    .theirs = single,
                                    .ratio = single / batch,
                                    .op = n == MANY ? ">=" : NULL,
                                    .target = 1});
    }
}

/* A packet from leg to leg: one opened with this suite, one closed with the other. */
static void two_legs(void)
{
    double best = 0;

    for (int round = 0; round < ROUNDS; round++) {
        secsip_srtp *from_a = ours_open(&suites[0], true), *at_a = ours_open(&suites[0], false),
                    *at_b = ours_open_with(&suites[1], true, 1);
        secsip_srtp_bridge *bridge = NULL;
        must(secsip_srtp_bridge_new(at_a, at_b, &bridge) == 0, "secsip_srtp_bridge_new");
        for (size_t i = 0; i < BATCH; i++) {
            lens[i] = clear_packet(packets[i], (uint16_t)i, 160);
            ours_protect(from_a, packets[i], &lens[i]);
        }
        uint64_t start = now_ns();
        for (size_t i = 0; i < BATCH; i++)
            must(secsip_srtp_bridge_pass(bridge, SECSIP_SRTP_EITHER, packets[i], &lens[i], SLOT) ==
                     0,
                 "secsip_srtp_bridge_pass");
        best = at_most(best, (double)(now_ns() - start) / BATCH);
        secsip_srtp_bridge_free(bridge);
        ours_close(from_a);
        ours_close(at_a);
        ours_close(at_b);
    }
    report(&(struct report_row){
        .what = "from leg to leg, CM to GCM, 160 bytes", .unit = "ns", .ours = best});
}

static size_t heap_in_use(void)
{
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

static void cost_of_sessions(const struct suite *suite)
{
    void **sessions = calloc(MANY, sizeof *sessions);
    double create_us = 0;
    size_t bytes = 0;

    must(sessions != NULL, "calloc");
    double one = in_turn(suite, sessions, 1), many = in_turn(suite, sessions, MANY);
    batches(suite, sessions);
    char text[96];
    snprintf(text, sizeof text, "%s: 10,000 sessions in turn, 160 bytes", suite->short_name);
    report(&(struct report_row){.what = text,
                                .unit = "ns",
                                .ours = many,
                                .peer = "one",
                                .theirs = one,
                                .ratio = many / one,
                                .op = "<=",
                                .target = 1.5});
    for (int round = 0; round < 3; round++) {
        size_t before = heap_in_use();
        uint64_t start = now_ns();
        for (size_t i = 0; i < MANY; i++)
            sessions[i] = ours_open(suite, true);
        create_us = at_most(create_us, (double)(now_ns() - start) / MANY / 1000);
        for (size_t i = 0; i < MANY; i++) { /* a session that has sent: its SSRC takes memory too */
            size_t len = clear_packet(packets[0], 1, 160);
            ours_protect(sessions[i], packets[0], &len);
        }
        bytes = (heap_in_use() - before) / MANY;
        for (size_t i = 0; i < MANY; i++)
            ours_close(sessions[i]);
    }
    tell(suite, "creating a session", "us", create_us, "<=", 10);
    tell(suite, "heap of a session and direction", "bytes", (double)bytes, "<=", 3000);
    free(sessions);
}

static void no_allocation_per_packet(const struct suite *suite)
{
    void *tx = ours_open(suite, true);
    size_t len = clear_packet(packets[0], 0, 160);

    ours_protect(tx, packets[0], &len);
    size_t before = heap_in_use();
    for (uint16_t seq = 1; seq < 1000; seq++) {
        len = clear_packet(packets[0], seq, 160);
        ours_protect(tx, packets[0], &len);
    }
    tell(suite, "heap growth over 1,000 packets", "bytes", (double)(heap_in_use() - before),
         "<=", 0);
    ours_close(tx);
}

int main(int argc, char **argv)
{
    if (!report_open(argc, argv, ""))
        return 2;
    must(srtp_init() == srtp_err_status_ok, "srtp_init");
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++) {
        compare_packets(&suites[i]);
        cost_of_sessions(&suites[i]);
        no_allocation_per_packet(&suites[i]);
    }
    two_legs();
    return report_close();
}
