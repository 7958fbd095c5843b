/* The eavesdropper, see spy.h. Part of: secsip-demo. */
#include "spy.h"

#include <stdlib.h>
#include <string.h>

#include "g711.h"
#include "report/signal.h"

enum {
    RTP_HEADER = 12,
    FRAME = 160
};

static bool append(uint8_t **data, size_t *len, size_t *cap, const void *p, size_t n)
{
    size_t want = *cap ? *cap : 4096;

    while (want - *len < n)
        want *= 2;
    if (want != *cap) {
        uint8_t *grown = realloc(*data, want);
        if (!grown)
            return false;
        *data = grown;
        *cap = want;
    }
    memcpy(*data + *len, p, n);
    *len += n;
    return true;
}

static void see_stream(struct spy *spy, const struct wire_bytes *bytes)
{
    for (size_t i = 0; i < SPY_FLOWS; i++) {
        struct spy_flow *f = &spy->flows[i];
        if (f->used && f->flow != bytes->flow)
            continue;
        f->used = true;
        f->flow = bytes->flow;
        if (!append(&f->data, &f->len, &f->cap, bytes->data, bytes->len))
            spy->failed = true;
        return;
    }
    spy->failed = true;
}

/* SRTP leaves the RTP header as it is, so he finds payload type and timestamp of both calls' packets. */
static void see_media(struct spy *spy, const struct wire_bytes *bytes)
{
    const uint8_t *p = bytes->data;
    int16_t samples[FRAME];

    if (bytes->len < RTP_HEADER || p[0] >> 6 != 2 || (p[1] & 0x7F) >= 64)
        return; /* not RTP, or RTCP (RFC 5761 4) */
    size_t header = RTP_HEADER + 4 * (size_t)(p[0] & 0x0F);
    if (bytes->len <= header)
        return;
    size_t n = bytes->len - header < FRAME ? bytes->len - header : FRAME;
    uint32_t timestamp = (uint32_t)p[4] << 24 | (uint32_t)p[5] << 16 | (uint32_t)p[6] << 8 | p[7];
    for (size_t i = 0; i < n; i++)
        samples[i] = g711_decode(p[1] & 0x7F, p[header + i]);
    recorder_put(&spy->heard[bytes->from], samples, n, timestamp);
    if (!append(&spy->payloads, &spy->payloads_len, &spy->payloads_cap, p + header, n))
        spy->failed = true;
    spy->packets++;
    spy->media_of[bytes->from]++;
    spy->media_bytes += bytes->len;
}

void spy_see(struct spy *spy, const struct wire_bytes *bytes)
{
    if (bytes->stream)
        see_stream(spy, bytes);
    else
        see_media(spy, bytes);
}

/* How often `text` stands in what passed one flow. */
static uint64_t count(const struct spy_flow *f, const char *text)
{
    size_t len = strlen(text);
    uint64_t n = 0;

    for (const uint8_t *p = f->data, *end = f->data + f->len; (size_t)(end - p) >= len;) {
        p = memmem(p, (size_t)(end - p), text, len);
        if (!p)
            break;
        n++;
        p += len;
    }
    return n;
}

struct report_capture spy_report(const struct spy *spy)
{
    /* Long enough not to turn up in random bytes by chance. */
    static const char *const sip[] = {"SIP/2.0", "<sip:", "Call-ID:", "REGISTER", "INVITE"};
    static const char *const sdp[] = {"v=0\r\n", "c=IN IP", "m=audio", "a=rtpmap"};
    struct report_capture c = {.packets = spy->packets, .media_bytes = spy->media_bytes};

    for (size_t i = 0; i < SPY_FLOWS && spy->flows[i].used; i++) {
        const struct spy_flow *f = &spy->flows[i];
        if (!f->data)
            continue;
        c.sip_bytes += f->len;
        c.sip_messages += count(f, "Call-ID:");
        for (size_t k = 0; k < sizeof(sip) / sizeof(sip[0]); k++)
            c.sip_words += count(f, sip[k]);
        for (size_t k = 0; k < sizeof(sdp) / sizeof(sdp[0]); k++)
            c.sdp_lines += count(f, sdp[k]);
        c.key_lines += count(f, "a=crypto") + count(f, "inline:");
    }
    c.entropy = signal_entropy(spy->payloads, spy->payloads_len);
    return c;
}

void spy_free(struct spy *spy)
{
    for (size_t i = 0; i < SPY_FLOWS; i++)
        free(spy->flows[i].data);
    for (int i = 0; i < WIRE_LANES; i++)
        recorder_free(&spy->heard[i]);
    free(spy->payloads);
    *spy = (struct spy){0};
}
