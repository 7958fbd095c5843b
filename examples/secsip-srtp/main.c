/* secsip-srtp: protects or unprotects a stream of RTP or RTCP packets, to show the SRTP sessions of libsecsip in use.
 * Packets come and go behind a 16-bit length in network order (RFC 4571). Part of: examples. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <secsip/srtp.h>

#include "options.h"

enum {
    PACKET_MAX = 65535, /* what the length can say */
    CRYPTO_MAX = 4096,
};

struct work {
    bool protect, rtcp;
    bool has_roc;
    uint32_t roc;
    uint8_t mki[128]; /* of the key to send with; mki_len 0: the first */
    size_t mki_len;
    secsip_srtp *srtp;
    uint64_t n_packets, n_refused;
};

static const char usage[] =
    "Usage: secsip-srtp protect|unprotect [OPTION]...\n"
    "Packets on standard input and output, each behind a 16-bit length in network order (RFC "
    "4571).\n"
    "Refused packets are left out and named on standard error.\n\n"
    "  --crypto LINE       the a=crypto line: a secret, and visible to others on the command line\n"
    "  --crypto-file FILE  the first line of FILE instead; with neither, $SECSIP_CRYPTO\n"
    "  --rtcp              the packets are RTCP\n"
    "  --roc N             the roll-over counter with which every SSRC begins\n"
    "  --mki N:LEN         protect: with the key of the line that has this MKI, not with the "
    "first\n"
    "  --insecure F        the line may leave protection out: unencrypted-srtp, "
    "unencrypted-srtcp,\n"
    "                      unauthenticated-srtp, or null-cipher; may be given again\n"
    "  --stock             the ciphers of libsrtp2 instead of those of libsecsip\n"
    "  --help, --version   say this, or the version, and end\n";

static bool read_exactly(uint8_t *p, size_t n)
{
    return fread(p, 1, n, stdin) == n;
}

/* One packet of the input: 1, or 0 at the end, or -1 when it is cut short. */
static int read_packet(uint8_t *packet, size_t *ret_len)
{
    int high = getchar(), low = high == EOF ? EOF : getchar();

    if (high == EOF)
        return 0;
    if (low == EOF)
        return -1;
    *ret_len = (size_t)high << 8 | (size_t)low;
    return read_exactly(packet, *ret_len) ? 1 : -1;
}

static bool write_packet(const uint8_t *packet, size_t len)
{
    return putchar((int)(len >> 8)) != EOF && putchar((int)(len & 0xff)) != EOF &&
           fwrite(packet, 1, len, stdout) == len;
}

static secsip_result work_on(struct work *w, uint8_t *packet, size_t *len)
{
    if (w->has_roc && !w->rtcp && *len >= 12) {
        uint32_t ssrc = (uint32_t)packet[8] << 24 | (uint32_t)packet[9] << 16 |
                        (uint32_t)packet[10] << 8 | packet[11];
        secsip_result r = secsip_srtp_set_roc(w->srtp, ssrc, w->roc);
        if (r < 0 && r != SECSIP_E_STATE) /* state: this SSRC has begun already */
            return r;
    }
    if (w->protect)
        return w->rtcp ? secsip_srtp_protect_rtcp(w->srtp, packet, len, PACKET_MAX)
                       : secsip_srtp_protect_rtp(w->srtp, packet, len, PACKET_MAX);
    return w->rtcp ? secsip_srtp_unprotect_rtcp(w->srtp, packet, len)
                   : secsip_srtp_unprotect_rtp(w->srtp, packet, len);
}

static int run(struct work *w)
{
    static uint8_t packet[PACKET_MAX];
    size_t len;
    int more;

    while ((more = read_packet(packet, &len)) > 0) {
        w->n_packets++;
        secsip_result r = work_on(w, packet, &len);
        if (r < 0) {
            w->n_refused++;
            fprintf(stderr, "secsip-srtp: packet %llu: %s: %s\n", (unsigned long long)w->n_packets,
                    secsip_result_name(r), secsip_result_text(r));
        } else if (!write_packet(packet, len)) {
            return options_refuse("standard output: %s", strerror(errno));
        }
    }
    if (fflush(stdout) != 0)
        return options_refuse("standard output: %s", strerror(errno));
    if (more < 0)
        return options_refuse("the input ends inside packet %llu",
                              (unsigned long long)w->n_packets + 1);
    if (w->n_refused > 0)
        fprintf(stderr, "secsip-srtp: %llu of %llu packets refused\n",
                (unsigned long long)w->n_refused, (unsigned long long)w->n_packets);
    return w->n_refused > 0 ? EXIT_NO : EXIT_YES;
}

/* The crypto line goes into the session and is wiped, wherever it came from. */
static int open_session(struct work *w, char *crypto, uint32_t options)
{
    secsip_result r = secsip_srtp_new_from_crypto(
        crypto, strlen(crypto), w->protect ? SECSIP_SRTP_SEND : SECSIP_SRTP_RECEIVE, options,
        &w->srtp);

    explicit_bzero(crypto, strlen(crypto));
    if (r < 0)
        return options_refuse("the crypto line: %s: %s", secsip_result_name(r),
                              secsip_result_text(r));
    if (w->mki_len > 0 && secsip_srtp_use_key(w->srtp, w->mki, w->mki_len) < 0)
        return options_refuse("--mki: %s", w->protect ? "the line has no key with it"
                                                      : "unprotect takes every key of the line");
    return EXIT_YES;
}

static int open_from_file(struct work *w, const char *path, uint32_t options)
{
    char line[CRYPTO_MAX];
    FILE *f = fopen(path, "r");

    if (!f)
        return options_refuse("--crypto-file: %s", strerror(errno));
    setvbuf(f, NULL, _IONBF, 0); /* no second copy of the key in a buffer that nobody wipes */
    errno = 0;
    bool got = fgets(line, sizeof line, f);
    const char *why = ferror(f) ? strerror(errno) : "no line in it";
    fclose(f);
    if (!got)
        return options_refuse("--crypto-file: %s", why);
    line[strcspn(line, "\r\n")] = 0;
    return open_session(w, line, options);
}

/* "2:4": the number in so many bytes (RFC 4568 6.1). */
static bool read_mki(struct work *w, char *text)
{
    char *colon = strchr(text, ':');
    uint64_t number, len;

    if (!colon)
        return false;
    *colon = 0;
    if (!options_number(text, UINT64_MAX, &number) ||
        !options_number(colon + 1, sizeof w->mki, &len) || len == 0 ||
        (len < 8 && number >> (8 * len) != 0))
        return false;
    w->mki_len = (size_t)len;
    for (size_t i = 0; i < w->mki_len && i < 8; i++)
        w->mki[w->mki_len - 1 - i] = (uint8_t)(number >> (8 * i));
    return true;
}

static bool read_form(const char *name, uint32_t *options)
{
    static const struct {
        const char *name;
        uint32_t option;
    } forms[] = {
        {"unencrypted-srtp", SECSIP_SRTP_INSECURE_UNENCRYPTED_RTP},
        {"unencrypted-srtcp", SECSIP_SRTP_INSECURE_UNENCRYPTED_RTCP},
        {"unauthenticated-srtp", SECSIP_SRTP_INSECURE_UNAUTHENTICATED_RTP},
        {"null-cipher", SECSIP_SRTP_INSECURE_NULL_CIPHER},
    };

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (strcmp(name, forms[i].name) == 0) {
            *options |= forms[i].option;
            return true;
        }
    }
    return false;
}

static int parse(struct work *w, int argc, char **argv, char **ret_crypto, const char **ret_path,
                 uint32_t *ret_options)
{
    static const struct option options[] = {
        {"crypto", required_argument, NULL, 'c'}, {"crypto-file", required_argument, NULL, 'f'},
        {"rtcp", no_argument, NULL, 'r'},         {"roc", required_argument, NULL, 'R'},
        {"mki", required_argument, NULL, 'm'},    {"insecure", required_argument, NULL, 'i'},
        {"stock", no_argument, NULL, 's'},        {NULL, 0, NULL, 0},
    };
    uint64_t roc;
    int c;

    while ((c = options_next(argc, argv, options)) != -1) {
        switch (c) {
        case 'c':
            *ret_crypto = optarg;
            break;
        case 'f':
            *ret_path = optarg;
            break;
        case 'r':
            w->rtcp = true;
            break;
        case 'R':
            if (!options_number(optarg, UINT32_MAX, &roc))
                return options_refuse("--roc takes a number from 0 to 4294967295");
            w->roc = (uint32_t)roc;
            w->has_roc = true;
            break;
        case 'm':
            if (!read_mki(w, optarg))
                return options_refuse("--mki takes a number and its length in bytes, as 2:4");
            break;
        case 'i':
            if (!read_form(optarg, ret_options))
                return options_refuse("--insecure: there is no '%s'; see --help", optarg);
            break;
        case 's':
            *ret_options |= SECSIP_SRTP_STOCK_CIPHERS;
            break;
        default:
            return EXIT_USAGE; /* it was said why */
        }
    }
    if (optind + 1 != argc ||
        (strcmp(argv[optind], "protect") != 0 && strcmp(argv[optind], "unprotect") != 0))
        return options_refuse("say either protect or unprotect (--help)");
    w->protect = strcmp(argv[optind], "protect") == 0;
    return EXIT_YES;
}

int main(int argc, char **argv)
{
    struct work w = {0};
    char *crypto = NULL;
    const char *path = NULL;
    uint32_t options = 0;
    int verdict = options_begin_with_help(argc, argv, usage);

    if (verdict >= 0)
        return verdict;
    verdict = parse(&w, argc, argv, &crypto, &path, &options);
    if (verdict != EXIT_YES)
        return verdict;
    if (!crypto && !path)
        crypto = getenv("SECSIP_CRYPTO");
    if (path)
        verdict = open_from_file(&w, path, options);
    else if (crypto)
        verdict = open_session(&w, crypto, options);
    else
        verdict =
            options_refuse("no crypto line: --crypto, --crypto-file or $SECSIP_CRYPTO (--help)");
    if (verdict == EXIT_YES)
        verdict = run(&w);
    secsip_srtp_free(w.srtp);
    return verdict;
}
