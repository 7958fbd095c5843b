/* The demo's report, put together, see report.h. Part of: secsip-demo. */
#include "report.h"

#include <stdio.h>

#include "parts.h"

/* Who talks to whom, and who listens. */
static void put_figure(struct page *p)
{
    page_put(
        p,
        "<figure><svg viewBox='0 0 480 196' role=img aria-label='Alice and Bob send SIP through "
        "the registrar "
        "and speech to each other; the eavesdropper copies all three paths'>"
        "<path class=path d='M72 116 L196 44 M284 44 L408 116'/><path class=path d='M100 134 "
        "H380'/>"
        "<path class=tap d='M141 76 L222 92 M339 76 L258 92 M240 134 V118'/>"
        "<g class=node><rect x=14 y=112 width=86 height=44 rx=8 /><rect x=184 y=14 width=112 "
        "height=44 rx=8 />"
        "<rect x=380 y=112 width=86 height=44 rx=8 /></g>"
        "<g class=eye><ellipse cx=240 cy=100 rx=24 ry=14 /><circle cx=240 cy=100 r=6 /></g>"
        "<g class=name><text x=57 y=139>Alice</text><text x=240 y=41>registrar</text>"
        "<text x=423 y=139>Bob</text></g><g class=note><text x=118 y=66 text-anchor=end>SIP</text>"
        "<text x=362 y=66>SIP</text><text x=240 y=153 text-anchor=middle>speech</text>"
        "<text x=240 y=182 text-anchor=middle>eavesdropper: a copy of every byte on each "
        "path</text></g>"
        "</svg></figure>");
}

static void put_head(struct page *p, const struct report *r)
{
    page_put(p, "<!doctype html>\n<html lang=en><head><meta charset=utf-8>"
                "<meta name=viewport content='width=device-width,initial-scale=1'>"
                "<meta name=color-scheme content='light dark'><title>A secure call: ");
    page_put(p, r->ok ? "intact, and unreadable on the path" : "not proven");
    page_put(p, "</title><style>");
    page_put(p, report_style);
    page_put(p, "</style></head><body><header><p class=eyebrow>libsecsip ");
    page_escape(p, r->version);
    page_put(p, " &middot; ");
    page_escape(p, r->date);
    page_put(
        p,
        "</p><h1>The same words, over two calls</h1><p class=lead>Alice calls Bob twice and says "
        "the same "
        "sentences. Once everything is in clear; once SIP goes over TLS, the key travels in "
        "<code>a=crypto</code> inside it, and the speech goes as SRTP. Somebody on the path copies "
        "every "
        "byte that leaves the phones and the registrar. This page is what each of them got.</p>");
    page_format(p, "<p class='verdict %s'><b>%s</b> ", r->ok ? "yes" : "no",
                r->ok ? "Yes." : "No.");
    page_escape(p, r->verdict);
    page_put(p, "</p>");
    put_figure(p);
    page_put(p, "</header><main>");
}

static void put_pair(struct page *p, const char *what, const char *clear, bool clear_good,
                     const char *secure, bool secure_good)
{
    page_format(p, "<tr><th scope=row>%s</th><td class=%s>%s</td><td class=%s>%s</td></tr>", what,
                clear_good ? "good" : "bad", clear, secure_good ? "good" : "bad", secure);
}

static void percent(const struct report_sound *s, char out[32])
{
    double share = s->total_frames ? 100.0 * (double)s->exact_frames / (double)s->total_frames : 0;

    snprintf(out, 32, "%.*f %%", share > 99.95 || share < 0.05 ? 0 : 1, share);
}

static void put_speech_rows(struct page *p, const struct report *r)
{
    char a[32], b[32];

    percent(&r->clear.callee, a);
    percent(&r->secure.callee, b);
    put_pair(p, "Of Alice's speech, Bob heard, sample for sample", a,
             r->clear.callee.exact_frames > 0, b, r->secure.callee.exact_frames > 0);
    percent(&r->clear.answer, a);
    percent(&r->secure.answer, b);
    put_pair(p, "Of Bob's answer, Alice heard", a, r->clear.answer.exact_frames > 0, b,
             r->secure.answer.exact_frames > 0);
    percent(&r->clear.eavesdropper, a);
    percent(&r->secure.eavesdropper, b);
    put_pair(p, "Of Alice's speech, the eavesdropper got", a,
             r->clear.eavesdropper.exact_frames == 0, b, r->secure.eavesdropper.exact_frames == 0);
    snprintf(a, sizeof(a), "%.3f", r->clear.eavesdropper.likeness.correlation);
    snprintf(b, sizeof(b), "%.3f", r->secure.eavesdropper.likeness.correlation);
    put_pair(p, "His best correlation with it, over all shifts", a,
             r->clear.eavesdropper.likeness.correlation < 0.1, b,
             r->secure.eavesdropper.likeness.correlation < 0.1);
    snprintf(a, sizeof(a), "%.3f", r->clear.answer_eavesdropper.likeness.correlation);
    snprintf(b, sizeof(b), "%.3f", r->secure.answer_eavesdropper.likeness.correlation);
    put_pair(p, "The same for Bob's answer", a,
             r->clear.answer_eavesdropper.likeness.correlation < 0.1, b,
             r->secure.answer_eavesdropper.likeness.correlation < 0.1);
}

static void put_count(struct page *p, const char *what, uint64_t clear, uint64_t secure)
{
    char a[32], b[32];

    snprintf(a, sizeof(a), "%llu", (unsigned long long)clear);
    snprintf(b, sizeof(b), "%llu", (unsigned long long)secure);
    put_pair(p, what, a, clear == 0, b, secure == 0);
}

void part_numbers(struct page *p, const struct report *r)
{
    const struct report_capture *a = &r->clear.capture, *b = &r->secure.capture;

    page_put(
        p,
        "<div class=scroll><table class=numbers><thead><tr><th></th><th scope=col>Clear call</th>"
        "<th scope=col>Secure call</th></tr></thead><tbody>");
    put_speech_rows(p, r);
    put_count(p, "SIP messages he could read", a->sip_messages, b->sip_messages);
    put_count(p, "Words of SIP he found in the streams", a->sip_words, b->sip_words);
    put_count(p, "Lines of session descriptions he could read", a->sdp_lines, b->sdp_lines);
    put_count(p, "<code>a=crypto</code> keys he could read", a->key_lines, b->key_lines);
    page_format(p, "<tr><th scope=row>Media packets he copied</th><td>%llu</td><td>%llu</td></tr>",
                (unsigned long long)a->packets, (unsigned long long)b->packets);
    page_format(
        p, "<tr><th scope=row>Bytes of signalling he copied</th><td>%llu</td><td>%llu</td></tr>",
        (unsigned long long)a->sip_bytes, (unsigned long long)b->sip_bytes);
    page_format(
        p,
        "<tr><th scope=row>Entropy of the payloads, bits a byte (8 is noise)</th><td>%.3f</td>"
        "<td>%.3f</td></tr>",
        a->entropy, b->entropy);
    page_format(p,
                "<tr><th scope=row>Packets sent, received and lost, as Bob counted</th><td>%llu, "
                "%llu, %llu</td>"
                "<td>%llu, %llu, %llu</td></tr>",
                (unsigned long long)r->clear.tx, (unsigned long long)r->clear.rx,
                (unsigned long long)r->clear.lost, (unsigned long long)r->secure.tx,
                (unsigned long long)r->secure.rx, (unsigned long long)r->secure.lost);
    page_format(
        p,
        "<tr><th scope=row>Refused: not authentic, in clear</th><td>%llu, %llu</td>"
        "<td>%llu, %llu</td></tr></tbody></table></div>",
        (unsigned long long)r->clear.auth_failed, (unsigned long long)r->clear.clear_dropped,
        (unsigned long long)r->secure.auth_failed, (unsigned long long)r->secure.clear_dropped);
}

void part_hops(struct page *p, const struct report_call *call)
{
    static const char *const columns[] = {"Carries", "Protected with", "Identity shown",
                                          "Who can read it"};

    page_put(p, "<div class=scroll><table class=hops><thead><tr><th scope=col>Hop</th>");
    for (int k = 0; k < 4; k++)
        page_format(p, "<th scope=col>%s</th>", columns[k]);
    page_put(p, "</tr></thead><tbody>");
    for (size_t i = 0; i < call->n_hops; i++) {
        const struct report_hop *h = &call->hops[i];
        const char *cells[] = {h->carries, h->protection, h->peer, h->reader};
        page_put(p, "<tr><th scope=row>");
        page_escape(p, h->name);
        page_put(p, "</th>");
        for (int k = 0; k < 4; k++) {
            page_format(p, "<td data-name='%s'>", columns[k]);
            if (k == 1)
                page_format(p, "<span class='dot %s'></span>", h->safe ? "yes" : "no");
            page_escape(p, cells[k]);
            page_put(p, "</td>");
        }
        page_put(p, "</tr>");
    }
    page_put(p, "</tbody></table></div><p class=small>The caller's security report: level <code>");
    page_escape(p, call->level);
    page_put(p, "</code>; media <code>");
    page_escape(p, call->media);
    page_put(p, "</code>.</p>");
}

static void put_sounds(struct page *p, const struct report *r)
{
    struct report_sound sent = {.samples = r->sent, .n = r->n_sent};
    struct part_sound sounds[] = {
        {"sent", "What Alice said", "The speech that was given to both calls.", &sent},
        {"callee", "What Bob heard, clear call", "Decoded by his phone.", &r->clear.callee},
        {"callee", "What Bob heard, secure call",
         "Decrypted, authenticated and decoded by his phone.", &r->secure.callee},
        {"spy", "What the eavesdropper got, clear call",
         "The payloads of the packets he copied, decoded as G.711.", &r->clear.eavesdropper},
        {"spy", "What the eavesdropper got, secure call",
         "The same done to the packets of the secure call: noise. Turn the volume down.",
         &r->secure.eavesdropper},
    };

    page_put(p, "<section><h2>Listen</h2><p>Above each player: the waveform, and the spectrogram "
                "from 0 to 4 kHz. "
                "All have the same scale and begin at the same moment.</p>");
    part_sound(p, &sounds[0]);
    page_put(p, "<div class=columns>");
    for (int i = 1; i < 5; i++)
        part_sound(p, &sounds[i]);
    page_put(p, "</div></section>");
}

static void put_call(struct page *p, const struct report_call *call, const char *title,
                     const char *note)
{
    page_format(p, "<section><h2>%s</h2><p>%s</p><h3>What protected it</h3>", title, note);
    part_hops(p, call);
    page_put(p, "<h3>The messages</h3><p>In the order they were sent; open a row to read it.</p>");
    part_ladder(p, call);
    page_put(p, "</section>");
}

static void put_limits(struct page *p)
{
    page_put(
        p, "<section><h2>What the eavesdropper still learns</h2><ul>"
           "<li>Who talks to whom by address, when and for how long; how many packets and how "
           "large. SRTP leaves the "
           "RTP header in clear: payload type, sequence numbers, timestamps.</li>"
           "<li>That TLS is spoken, and whatever its handshake shows in clear: the server name "
           "that the phone asks "
           "for.</li>"
           "<li>With SDES the key is as safe as the signalling that carried it. Here the registrar "
           "passed it on and "
           "could have read it: the protection is hop by hop, not end to end, and the phones say "
           "so.</li>"
           "</ul><h2>How it was measured</h2><p>Registrar and phones are three stacks of libsecsip "
           "behind its engine "
           "door: the demo carries their bytes over TCP and UDP sockets on the loopback interface "
           "and hands a copy "
           "of each to the eavesdropper, after it has left the library. He takes every UDP payload "
           "with an RTP header for G.711, and searches the copied streams for SIP, SDP and keys; "
           "<code>clear.pcap</code> and "
           "<code>secure.pcap</code> beside this page hold his copies, for Wireshark. "
           "Correlation is "
           "the largest value of the normalised cross-correlation over shifts of up to two "
           "seconds; for unrelated "
           "noise of this length some 0.02 is what chance gives. <i>Loudness contour</i> is the "
           "correlation of "
           "the logarithmic energy of 20&nbsp;ms frames. <i>Spectral flatness</i> is 1 for white "
           "noise and near 0 for "
           "speech.</p></section>");
}

char *report_html(const struct report *r, size_t *ret_len)
{
    struct page p = {0};

    put_head(&p, r);
    page_put(&p, "<section><h2>In numbers</h2>");
    part_numbers(&p, r);
    page_put(&p, "</section>");
    put_sounds(&p, r);
    put_call(&p, &r->secure, "The secure call",
             "SIP over TLS with the registrar's certificate verified; the media key in "
             "<code>a=crypto</code> inside; "
             "speech as SRTP. In clear it would not have been set up at all.");
    put_call(&p, &r->clear, "The clear call",
             "SIP over TCP and speech as RTP, with the options that carry <code>insecure</code> in "
             "their names set by "
             "the demo. No key is ever sent over such a connection.");
    put_limits(&p);
    page_put(&p, "</main></body></html>\n");
    if (p.failed) {
        page_free(&p);
        return NULL;
    }
    *ret_len = p.len;
    p.data[p.len] = '\0'; /* a page always has room for it */
    return p.data;
}
