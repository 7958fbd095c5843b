/* The demo's report, made of invented data. With SECSIP_REPORT=FILE the page is kept, to be looked at. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "g711.h"
#include "report/report.h"
#include "seed.h"
#include "wav.h"

static const char invite[] = "INVITE sip:bob@example.test SIP/2.0\r\n"
                             "Via: SIP/2.0/TLS 127.0.0.1:40127;branch=z9hG4bK1x2y3z;rport\r\n"
                             "From: \"Alice\" <sip:alice@example.test>;tag=88sja8x\r\n"
                             "To: <sip:bob@example.test>\r\n"
                             "Authorization: Digest username=\"alice\", response=\"********\"\r\n"
                             "Content-Type: application/sdp\r\n\r\n"
                             "v=0\r\nm=audio 40500 RTP/SAVP 0 8\r\n"
                             "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:****************\r\n";

static struct report_message messages[] = {
    {0.012, REPORT_ALICE, REPORT_REGISTRAR, false, true, "TLS", "REGISTER sip:example.test", invite,
     NULL, 0},
    {0.034, REPORT_REGISTRAR, REPORT_ALICE, false, true, "TLS", "401 Unauthorized", invite, NULL,
     0},
    {0.041, REPORT_ALICE, REPORT_REGISTRAR, false, true, "TLS", "REGISTER sip:example.test", invite,
     NULL, 0},
    {0.055, REPORT_REGISTRAR, REPORT_ALICE, false, true, "TLS", "200 OK", invite, NULL, 0},
    {0.120, REPORT_ALICE, REPORT_REGISTRAR, false, true, "TLS", "INVITE sip:bob@example.test",
     invite, NULL, 0},
    {0.125, REPORT_REGISTRAR, REPORT_BOB, false, true, "TLS",
     "INVITE sip:bob-0123456789abcdef@127.0.0.1:45123;transport=tls;ob", invite, NULL, 0},
    {0.140, REPORT_BOB, REPORT_REGISTRAR, false, true, "TLS", "180 Ringing", invite, NULL, 0},
    {0.161, REPORT_ALICE, REPORT_BOB, true, true, "UDP", "SRTP, 430 packets each way",
     "Payload type 0", NULL, 0},
    {8.700, REPORT_ALICE, REPORT_REGISTRAR, false, true, "TLS", "BYE <script>alert(1)</script>",
     invite, NULL, 0},
};

static struct report_hop hops[] = {
    {"Alice to registrar", "SIP, and in it the key", "TLS 1.3, AES-256-GCM",
     "example.test, checked against the demo's authority", "Alice and the registrar", true},
    {"Registrar to Bob", "SIP, and in it the key", "TLS 1.3, AES-256-GCM",
     "Bob checked example.test when he connected", "The registrar and Bob", true},
    {"Alice to Bob", "Speech", "SRTP, AES_CM_128_HMAC_SHA1_80", "by the key that SIP carried",
     "Alice and Bob; the registrar could, for it passed the key on", true},
};

static void set_sound(struct report_sound *s, const struct wav *speech, const int16_t *x)
{
    s->samples = x;
    s->n = speech->n;
    assert_true(signal_compare(speech->samples, speech->n, x, speech->n, 16000, &s->likeness));
    s->snr_db = signal_snr_db(speech->samples, speech->n, x, speech->n, 0);
    s->segmental_snr_db = signal_segmental_snr_db(speech->samples, speech->n, x, speech->n, 0);
    s->loudness = signal_loudness_correlation(speech->samples, speech->n, x, speech->n, 0);
    s->flatness = signal_flatness(x, speech->n);
    s->exact_frames =
        signal_exact_frames(speech->samples, speech->n, x, speech->n, 0, &s->total_frames);
}

static void set_call(struct report_call *call, bool secure, const uint8_t *wire)
{
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        messages[i].wire = wire;
        messages[i].wire_len = 64;
    }
    *call = (struct report_call){.secure = secure,
                                 .messages = messages,
                                 .n_messages = sizeof(messages) / sizeof(messages[0]),
                                 .hops = hops,
                                 .n_hops = sizeof(hops) / sizeof(hops[0]),
                                 .level = secure ? "srtp-hop" : "clear",
                                 .media = "RTP/SAVP, AES_CM_128_HMAC_SHA1_80, PCMU",
                                 .tx = 430,
                                 .rx = 430};
    call->capture = (struct report_capture){.sip_messages = secure ? 0 : 26,
                                            .sip_words = secure ? 0 : 190,
                                            .sip_bytes = 18231,
                                            .sdp_lines = secure ? 0 : 44,
                                            .packets = 861,
                                            .media_bytes = 148092,
                                            .entropy = secure ? 7.997 : 5.823};
}

static void expect(const char *html, const char *part)
{
    if (!strstr(html, part))
        fail_msg("the page lacks %s", part);
}

static void keep_page(const char *html, size_t len)
{
    const char *path = getenv("SECSIP_REPORT");
    FILE *out = path ? fopen(path, "w") : NULL;

    if (out) {
        assert_int_equal(fwrite(html, 1, len, out), len);
        fclose(out);
    }
}

static void the_page_is_whole_escaped_and_self_contained(void **state)
{
    uint64_t seed = test_seed();
    struct wav speech;
    const char *why;
    uint8_t wire[64];
    struct report r = {
        .ok = true,
        .verdict = "The speech of the secure call arrived intact, and nothing of it could be "
                   "read on the path.",
        .version = "0.1.0",
        .date = "21 November 2026"};

    (void)state;
    assert_true(wav_read(EXAMPLES "/secsip-demo/speech.wav", &speech, &why));
    int16_t *noise = malloc(speech.n * sizeof(*noise));
    assert_non_null(noise);
    for (size_t i = 0; i < speech.n; i++)
        noise[i] = g711_decode(G711_PCMU, (uint8_t)(test_random(&seed) >> 32));
    for (size_t i = 0; i < sizeof(wire); i++)
        wire[i] = (uint8_t)(test_random(&seed) >> 32);
    r.sent = speech.samples;
    r.n_sent = speech.n;
    set_call(&r.clear, false, wire);
    set_call(&r.secure, true, wire);
    set_sound(&r.clear.callee, &speech, speech.samples);
    set_sound(&r.secure.callee, &speech, speech.samples);
    set_sound(&r.clear.eavesdropper, &speech, speech.samples);
    set_sound(&r.secure.eavesdropper, &speech, noise);
    r.clear.answer = r.clear.callee;
    r.secure.answer = r.secure.callee;
    size_t len = 0;
    char *html = report_html(&r, &len);
    assert_non_null(html);
    assert_int_equal(strlen(html), len);
    keep_page(html, len);
    expect(html, "<!doctype html>");
    expect(html, "could be read on the path");
    expect(html, "&lt;sip:alice@example.test&gt;;tag=88sja8x");
    expect(html, "BYE &lt;script&gt;");
    expect(html, "data:audio/wav;base64,UklGR");
    expect(html, "data:image/png;base64,iVBORw0KGgo");
    expect(html, "</html>");
    assert_null(strstr(html, "<script"));
    assert_null(strstr(html, "http:"));
    assert_null(strstr(html, "https:"));
    assert_null(strstr(html, "url("));
    free(html);
    free(noise);
    wav_free(&speech);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_is_whole_escaped_and_self_contained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
