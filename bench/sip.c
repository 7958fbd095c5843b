/* Parsing and writing SIP messages, beside libosip2 and Sofia-SIP in the same run: microseconds per message, best of
 * several interleaved rounds, and how many times faster ours is; allocations. With --only one library parses and nothing is
 * measured: for counting instructions. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/count.h"
#include "common/report.h"
#include "peers/peer.h"
#include "sip/build.h"

enum {
    ROUNDS = 80,
    N_MESSAGES = 5,
    PARSES = 300, /* of one message in one round: short, so that some round is undisturbed */
};

#define SDP                                                                                        \
    "v=0\r\no=alice 2890844526 2890844526 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 " \
    "0\r\n"                                                                                        \
    "m=audio 49170 RTP/SAVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"           \
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"         \
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r\n"       \
    "a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj\r\n"

#define DIALOG                                                                                     \
    "From: \"Alice Liddell\" <sips:alice@atlanta.example.com>;tag=9fxced76sl\r\n"                  \
    "To: Bob <sips:bob@biloxi.example.com>;tag=8321234356\r\n"                                     \
    "Call-ID: 2xTb9vxSit55XU7p8@atlanta.example.com\r\n"
#define VIAS                                                                                       \
    "Via: SIP/2.0/TLS "                                                                            \
    "proxy.atlanta.example.com:5061;branch=z9hG4bK2d4790.1;received=192.0.2.111\r\n"               \
    "Via: SIP/2.0/TLS "                                                                            \
    "client.atlanta.example.com:5061;branch=z9hG4bK74bf9;received=192.0.2.101;rport=49152\r\n"
#define RECORD                                                                                     \
    "Record-Route: <sips:proxy.biloxi.example.com;lr>, <sips:proxy.atlanta.example.com;lr>\r\n"
#define ALLOW "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, UPDATE, PRACK, INFO\r\n"

static const char *const heads[N_MESSAGES] = {
    "REGISTER sips:registrar.biloxi.example.com SIP/2.0\r\n"
    "Via: SIP/2.0/TLS client.biloxi.example.com:5061;branch=z9hG4bKnashd92;rport\r\n"
    "Max-Forwards: 70\r\nFrom: Bob <sips:bob@biloxi.example.com>;tag=ja743ks76zlflH\r\n"
    "To: Bob <sips:bob@biloxi.example.com>\r\nCall-ID: "
    "1j9FpLxk3uxtm8tn@biloxi.example.com\r\nCSeq: 2 REGISTER\r\n"
    "Contact: <sips:bob@client.biloxi.example.com:5061>;expires=3600\r\n"
    "Authorization: Digest username=\"bob\", realm=\"biloxi.example.com\", "
    "nonce=\"df84f1cec4341ae6cbe5ap359a9c8ed1\", "
    "uri=\"sips:registrar.biloxi.example.com\", response=\"7587245234b3434cc3412213e5f113a5\", "
    "algorithm=MD5, "
    "cnonce=\"0a4f113b\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\", qop=auth, nc=00000001\r\n"
    "Supported: path, outbound\r\nUser-Agent: bench/1.0\r\nExpires: 3600\r\n",
    "INVITE sips:bob@client.biloxi.example.com:5061 SIP/2.0\r\n" VIAS
    "Route: <sips:proxy.atlanta.example.com;lr>, <sips:proxy.biloxi.example.com;lr>\r\n"
    "Max-Forwards: 69\r\nFrom: \"Alice Liddell\" "
    "<sips:alice@atlanta.example.com>;tag=9fxced76sl\r\n"
    "To: Bob <sips:bob@biloxi.example.com>\r\nCall-ID: "
    "2xTb9vxSit55XU7p8@atlanta.example.com\r\nCSeq: 1 INVITE\r\n"
    "Contact: <sips:alice@client.atlanta.example.com:5061;transport=tls>\r\n" ALLOW
    "Supported: 100rel, timer, replaces, outbound\r\nUser-Agent: bench/1.0\r\nSession-Expires: "
    "1800;refresher=uac\r\n"
    "Min-SE: 90\r\nContent-Type: application/sdp\r\n",
    "SIP/2.0 180 Ringing\r\n" VIAS RECORD DIALOG "CSeq: 1 INVITE\r\n"
    "Contact: <sips:bob@client.biloxi.example.com:5061>\r\nServer: bench/1.0\r\n",
    "SIP/2.0 200 OK\r\n" VIAS RECORD DIALOG "CSeq: 1 INVITE\r\n"
    "Contact: <sips:bob@client.biloxi.example.com:5061>\r\n" ALLOW
    "Supported: timer, replaces\r\nServer: bench/1.0\r\n"
    "Content-Type: application/sdp\r\n",
    "BYE sips:bob@client.biloxi.example.com:5061 SIP/2.0\r\n"
    "Via: SIP/2.0/TLS client.atlanta.example.com:5061;branch=z9hG4bKnashds7\r\n"
    "Route: <sips:proxy.atlanta.example.com;lr>, "
    "<sips:proxy.biloxi.example.com;lr>\r\nMax-Forwards: 70\r\n" DIALOG "CSeq: 2 BYE\r\n",
};
static const char *const names[N_MESSAGES] = {"REGISTER", "INVITE", "180", "200", "BYE"};
static char texts[N_MESSAGES][2048];
static size_t lens[N_MESSAGES];

/* ---- Ours. */
static uint64_t read_routing(const struct ssi_sip_msg *m)
{
    struct ssi_sip_values it;
    struct ssi_sip_addr contact;
    uint64_t sum = (unsigned)m->method + m->uri.host.len;

    sum += (unsigned char)m->via.host.p[0] + m->via.branch.len;
    sum += m->from.uri.host.len + m->from.tag.len + m->to.uri.host.len + m->to.tag.len;
    ssi_sip_values_init(&it, m, SSI_HDR_CONTACT);
    if (ssi_sip_values_next_addr(&it, &contact) > 0)
        sum += contact.uri.host.len;
    return sum + m->call_id.len + m->cseq + m->body.len + 1;
}

static int start(void)
{
    return 1;
}

static uint64_t parse(const char *bytes, size_t len, uint32_t n)
{
    uint64_t sum = 0;

    while (n-- > 0) {
        struct ssi_sip_msg *m;
        if (ssi_sip_msg_parse(bytes, len, true, NULL, NULL, &m) < 0 || m->fault.result < 0)
            return 0;
        sum += read_routing(m);
        ssi_sip_msg_unref(m);
    }
    return sum;
}

static uint64_t write_again(const char *bytes, size_t len, uint32_t n)
{
    struct ssi_sip_msg *m;
    struct ssi_buf b;
    uint64_t sum = 0;

    if (ssi_sip_msg_parse(bytes, len, true, NULL, NULL, &m) < 0)
        return 0;
    ssi_buf_init(&b, 65536);
    while (n-- > 0) {
        ssi_buf_reset(&b);
        ssi_sip_put_message(&b, m);
        sum = b.len;
    }
    ssi_buf_free(&b);
    ssi_sip_msg_unref(m);
    return sum;
}

static const struct peer ours = {"libsecsip", start, parse, write_again, {0, 0}};

/* ---- Measuring. */
enum {
    MAX_PEERS = 3
};
struct figures {
    double us[2][MAX_PEERS][N_MESSAGES]; /* parse, write */
};

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static bool measure(const struct peer *const *peers, int n_peers, struct figures *f)
{
    memset(f, 0, sizeof *f);
    for (int round = 0; round < ROUNDS; round++)
        for (int what = 0; what < 2; what++)
            for (int i = 0; i < N_MESSAGES; i++)
                for (int p = 0; p < n_peers; p++) {
                    double from = now_us();
                    uint64_t sum =
                        (what ? peers[p]->write : peers[p]->parse)(texts[i], lens[i], PARSES);
                    double us = (now_us() - from) / PARSES;
                    if (sum == 0) {
                        fprintf(stderr, "bench_sip: %s refuses %s\n", peers[p]->name, names[i]);
                        return false;
                    }
                    double *best = &f->us[what][p][i];
                    if (*best == 0 || us < *best)
                        *best = us;
                }
    return true;
}

static double mean(const double *us)
{
    double sum = 0;
    for (int i = 0; i < N_MESSAGES; i++)
        sum += us[i];
    return sum / N_MESSAGES;
}

static void print_table(const struct peer *const *peers, int n_peers, const struct figures *f)
{
    for (int what = 0; what < 2; what++) {
        printf("%-22s", what ? "write, us" : "parse and read, us");
        for (int i = 0; i < N_MESSAGES; i++)
            printf("%10s", names[i]);
        printf("%10s\n", "mean");
        for (int p = 0; p < n_peers; p++) {
            printf("%-22s", peers[p]->name);
            for (int i = 0; i < N_MESSAGES; i++)
                printf("%10.3f", f->us[what][p][i]);
            printf("%10.3f\n", mean(f->us[what][p]));
        }
    }
}

static void report_speed(const struct peer *const *peers, int n_peers, const struct figures *f)
{
    for (int what = 0; what < 2; what++)
        for (int p = 1; p < n_peers; p++)
            report(
                &(struct report_row){.what = what ? "write a message, mean of five"
                                                  : "parse and read the routing set, mean of five",
                                     .unit = "us",
                                     .ours = mean(f->us[what][0]),
                                     .peer = peers[p]->name,
                                     .theirs = mean(f->us[what][p]),
                                     .ratio = mean(f->us[what][p]) / mean(f->us[what][0]),
                                     .op = peers[p]->targets[what] > 0 ? ">=" : NULL,
                                     .target = peers[p]->targets[what]});
}

/* The most that one of the five takes. */
static double allocations_of(const struct peer *peer)
{
    uint64_t most = 0;

    for (int i = 0; i < N_MESSAGES; i++) {
        uint64_t before = count_allocations;
        peer->parse(texts[i], lens[i], PARSES);
        uint64_t taken = count_allocations - before;
        most = taken > most ? taken : most;
    }
    return (double)most / PARSES;
}

static void report_allocations(const struct peer *const *peers, int n_peers)
{
    double ours_take = allocations_of(peers[0]);

    for (int p = 1; p < n_peers; p++)
        report(&(struct report_row){.what = "allocations for a message, the most of five",
                                    .unit = "",
                                    .ours = ours_take,
                                    .peer = peers[p]->name,
                                    .theirs = allocations_of(peers[p]),
                                    .op = "<=",
                                    .target = 2});
}

/* For those who count instructions: message `which` (0 to 4) or all five, parsed n times by one library. */
static int only(const struct peer *peer, const char *which, uint32_t n)
{
    bool all_five = strcmp(which, "all") == 0;
    int from = all_five ? 0 : which[0] - '0', to = all_five ? N_MESSAGES : from + 1;

    if (from < 0 || to > N_MESSAGES || !peer->start())
        return 2;
    for (int i = from; i < to; i++)
        if (peer->parse(texts[i], lens[i], n) == 0)
            return 1;
    return 0;
}

int main(int argc, char **argv)
{
    const struct peer *all[] = {
        &ours,
        &peer_osip,
#ifdef WITH_SOFIA
        &peer_sofia,
#endif
    };
    const struct peer *peers[MAX_PEERS];
    struct figures f;
    int n_peers = 0;

    for (int i = 0; i < N_MESSAGES; i++) {
        const char *body = strstr(heads[i], "application/sdp") ? SDP : "";
        lens[i] = (size_t)snprintf(texts[i], sizeof texts[i], "%sContent-Length: %zu\r\n\r\n%s",
                                   heads[i], strlen(body), body);
    }
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (argc == 5 && strcmp(argv[1], "--only") == 0 && strcmp(argv[2], all[i]->name) == 0)
            return only(all[i], argv[3], (uint32_t)strtoul(argv[4], NULL, 10));
    if (!report_open(argc, argv, "\n       --only LIBRARY 0..4|all TIMES"))
        return 2;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i]->start())
            peers[n_peers++] = all[i];
    if (!measure(peers, n_peers, &f))
        return 1;
    print_table(peers, n_peers, &f);
    report_speed(peers, n_peers, &f);
    report_allocations(peers, n_peers);
    return report_close();
}
