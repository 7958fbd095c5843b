/* What reading an SDP offer with ten codecs and two crypto lines costs, beside libosip2's sdp_message_parse in the same run,
 * and what one crypto line costs: the best of interleaved rounds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <osipparser2/osip_parser.h>
#include <osipparser2/sdp_message.h>

#include "common/report.h"
#include "sdes/sdes.h"

enum {
    ROUNDS = 25,
    PER_ROUND = 4000
};

static const char offer[] = "v=0\r\n"
                            "o=alice 2890844526 2890844526 IN IP4 198.51.100.1\r\n"
                            "s=-\r\n"
                            "c=IN IP4 198.51.100.1\r\n"
                            "t=0 0\r\n"
                            "m=audio 49170 RTP/SAVP 0 8 9 3 18 96 97 98 99 101\r\n"
                            "a=rtpmap:0 PCMU/8000\r\n"
                            "a=rtpmap:8 PCMA/8000\r\n"
                            "a=rtpmap:9 G722/8000\r\n"
                            "a=rtpmap:3 GSM/8000\r\n"
                            "a=rtpmap:18 G729/8000\r\n"
                            "a=rtpmap:96 opus/48000/2\r\n"
                            "a=rtpmap:97 iLBC/8000\r\n"
                            "a=rtpmap:98 speex/16000\r\n"
                            "a=rtpmap:99 AMR-WB/16000\r\n"
                            "a=rtpmap:101 telephone-event/8000\r\n"
                            "a=fmtp:101 0-15\r\n"
                            "a=crypto:1 AES_CM_128_HMAC_SHA1_80 "
                            "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4\r\n"
                            "a=crypto:2 AES_CM_128_HMAC_SHA1_32 "
                            "inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^20|1:4\r\n"
                            "a=ptime:20\r\n"
                            "a=sendrecv\r\n";

static const char crypto[] =
    "1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4";

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void no_trace(const char *file, int line, osip_trace_level_t level, const char *format,
                     va_list args)
{
    (void)file;
    (void)line;
    (void)level;
    (void)format;
    (void)args;
}

static bool ours(void)
{
    struct ssi_sdp *s;

    if (ssi_sdp_parse(SSI_LIT(offer), NULL, NULL, &s) < 0)
        return false;
    ssi_sdp_free(s);
    return true;
}

/* With both crypto lines read as well, which libosip2 leaves as text. */
static bool ours_with_keys(void)
{
    struct ssi_sdes_line lines[SSI_SDES_LINES_MAX];
    struct ssi_sdp *s;
    uint32_t n = 0;

    if (ssi_sdp_parse(SSI_LIT(offer), NULL, NULL, &s) < 0)
        return false;
    secsip_result r = ssi_sdes_collect(s, 0, 0, lines, &n);
    for (uint32_t i = 0; i < n; i++)
        ssi_sdes_line_wipe(&lines[i]);
    ssi_sdp_free(s);
    return r == 0 && n == 2;
}

static bool libosip2(void)
{
    sdp_message_t *s;

    if (sdp_message_init(&s) != 0)
        return false;
    int r = sdp_message_parse(s, offer);
    sdp_message_free(s);
    return r == 0;
}

static bool one_line(void)
{
    struct ssi_sdes_line l;
    secsip_result r = ssi_sdes_parse(SSI_LIT(crypto), &l);

    ssi_sdes_line_wipe(&l);
    return r == 0;
}

struct entry {
    const char *name;
    bool (*run)(void);
    double best;
};

int main(int argc, char **argv)
{
    struct entry entries[] = {{"libosip2", libosip2, 1e18},
                              {"an SDP offer", ours, 1e18},
                              {"an SDP offer and both its crypto lines", ours_with_keys, 1e18},
                              {"one crypto line", one_line, 1e18}};

    if (!report_open(argc, argv, ""))
        return 2;
    osip_trace_initialize_func(TRACE_LEVEL0, no_trace);
    parser_init();
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t e = 0; e < sizeof entries / sizeof *entries; e++) {
            double from = now_ns();
            for (int i = 0; i < PER_ROUND; i++) {
                if (!entries[e].run()) {
                    (void)fprintf(stderr, "%s failed\n", entries[e].name);
                    return 1;
                }
            }
            double took = (now_ns() - from) / PER_ROUND;
            entries[e].best = took < entries[e].best ? took : entries[e].best;
        }
    }
    for (size_t e = 1; e < sizeof entries / sizeof *entries; e++)
        report(&(struct report_row){.what = entries[e].name,
                                    .unit = "us",
                                    .ours = entries[e].best / 1e3,
                                    .peer = e < 3 ? entries[0].name : NULL,
                                    .theirs = entries[0].best / 1e3,
                                    .ratio = e < 3 ? entries[0].best / entries[e].best : 0});
    return report_close();
}
