/* RTP and RTCP from the wire: the parsers, the way back through the builders, and media streams, in clear and secure, that get
 * the same datagrams. Byte 0: which, and how far the clock moves on between. Then datagrams, each behind its length. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rtp/packet.h"
#include "rtp/rtcp.h"
#include "rtp/stream.h"

enum {
    DATAGRAM = 2048
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
    if (!good)
        abort();
}

static void drop(void *arg, bool rtcp, const uint8_t *packet, size_t len)
{
    (void)arg;
    (void)rtcp;
    (void)packet;
    (void)len;
}

static void listen_to(void *arg, const int16_t *samples, size_t n, uint32_t timestamp)
{
    (void)timestamp;
    must(*(bool *)arg == false); /* nothing on a secure stream: nobody here has its key */
    for (size_t i = 0; i < n; i++)
        must(samples[i] >= -32256 && samples[i] <= 32256);
}

static void check_parsers(const uint8_t *p, size_t len)
{
    struct ssi_rtp_packet rtp;
    struct ssi_rtcp_compound rtcp, again;
    uint8_t out[DATAGRAM + 1024];
    size_t n;

    if (ssi_rtp_parse(p, len, &rtp) == 0) {
        must(ssi_rtp_build(&rtp, out, sizeof out, &n) == 0 && n == len);
        must(memcmp(out, p, len - rtp.padding) == 0);
    }
    if (ssi_rtcp_parse(p, len, &rtcp) == 0 && rtcp.cname.len > 0) {
        rtcp.n_bye = 0;
        must(ssi_rtcp_build(&rtcp, out, sizeof out, &n) == 0);
        must(ssi_rtcp_parse(out, n, &again) == 0);
        must(again.ssrc == rtcp.ssrc && again.n_blocks == rtcp.n_blocks &&
             ssi_slice_eq(again.cname, rtcp.cname));
    }
}

static struct ssi_srtp *session(enum ssi_srtp_direction direction)
{
    struct ssi_srtp_config c = {.direction = direction, .suite = SSI_SRTP_AEAD_AES_128_GCM};
    struct ssi_srtp *s = NULL;

    c.key.len = (uint8_t)ssi_srtp_key_len(c.suite);
    memset(c.key.bytes, direction == SSI_SRTP_SEND ? 0x17 : 0x71, c.key.len);
    must(ssi_srtp_new(&c, &s) == 0);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ssi_rtp_ops ops = {drop, listen_to, NULL, NULL};
    struct ssi_timers timers;
    struct ssi_rtp_stream *s;
    struct ssi_rtp_config c = {
        .codec = SSI_RTP_PCMA, .payload_type = 8, .send = true, .receive = true};

    if (size == 0)
        return 0;
    c.secure = data[0] & 1;
    ssi_timers_init(&timers, 0);
    must(ssi_rtp_stream_new(&c, &timers, &ops, &c.secure, &s) == 0);
    if (c.secure)
        must(ssi_rtp_stream_set_srtp(s, session(SSI_SRTP_SEND), session(SSI_SRTP_RECEIVE)) == 0);
    must(ssi_rtp_stream_start(s) == 0);
    for (size_t at = 1; size - at >= 2;) {
        size_t len = (size_t)(data[at] & 7) << 8 | data[at + 1];
        bool rtcp = data[at] & 0x80;
        at += 2;
        if (len > size - at)
            len = size - at;
        check_parsers(data + at, len);
        uint8_t *p = malloc(len ? len : 1); /* exactly: a read past the end shows */
        must(p != NULL);
        memcpy(p, data + at, len);
        ssi_rtp_stream_input(s, rtcp, p, len);
        free(p);
        ssi_timers_advance(&timers, timers.now_us + (uint64_t)(data[0] >> 1) * 1000, 50);
        at += len;
    }
    ssi_rtp_stream_free(s);
    return 0;
}
