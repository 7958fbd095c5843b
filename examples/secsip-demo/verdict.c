/* What two scenes come to, see verdict.h. Part of: secsip-demo. */
#include "verdict.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    MAX_SHIFT = 16000 /* samples: two seconds either way */,
    WHOLE_CALL = 8000 * 20
};

/* ---- Sounds */
/* n samples of a recording from `from` on; what it does not have is silence. NULL when memory is out. */
static int16_t *cut(const struct recorder *r, int64_t from, size_t n)
{
    int16_t *out = calloc(n + 1, sizeof(*out));

    for (size_t i = 0; out && i < n; i++) {
        int64_t at = from + (int64_t)i;
        if (at >= 0 && (uint64_t)at < r->n)
            out[i] = r->samples[at];
    }
    return out;
}

/* Measures what was cut out against what was said; both begin at the same moment. */
static bool measure(struct report_sound *s, const struct scene_phone *speaker, int16_t *samples)
{
    const int16_t *said = speaker->said;
    size_t n = speaker->speech->n;

    s->samples = samples;
    s->n = n;
    if (!samples || !signal_compare(said, n, samples, n, MAX_SHIFT, &s->likeness))
        return false;
    s->snr_db = signal_snr_db(said, n, samples, n, 0);
    s->segmental_snr_db = signal_segmental_snr_db(said, n, samples, n, 0);
    s->loudness = signal_loudness_correlation(said, n, samples, n, 0);
    s->flatness = signal_flatness(samples, n);
    s->exact_frames = signal_exact_frames(said, n, samples, n, 0, &s->total_frames);
    return true;
}

/* The RTP timestamp of a recording's first sample. */
static uint32_t first_timestamp(const struct recorder *r)
{
    return r->timestamp - (uint32_t)r->at;
}

/* One direction: where the speech begins is found in what the listener heard, and the eavesdropper, who has the same
 * timestamps, is told. */
static bool measure_direction(const struct scene_phone *speaker, const struct scene_phone *listener,
                              const struct recorder *spy, struct report_sound *heard,
                              struct report_sound *overheard)
{
    struct signal_likeness whole;
    size_t n = speaker->speech->n;

    if (!signal_compare(speaker->said, n, listener->heard.samples, listener->heard.n, WHOLE_CALL,
                        &whole))
        return false;
    int64_t ahead = (int32_t)(first_timestamp(&listener->heard) - first_timestamp(spy));
    return measure(heard, speaker, cut(&listener->heard, whole.lag, n)) &&
           measure(overheard, speaker, cut(spy, whole.lag + ahead, n));
}

/* ---- Texts */
static void describe_flow(struct verdict_call *c, const struct scene *s)
{
    const uint8_t *p = s->media_peek;

    snprintf(c->flow_line, sizeof(c->flow_line), "%s: %llu packets to Bob, %llu to Alice",
             s->secure ? "SRTP" : "RTP", (unsigned long long)s->spy.media_of[REPORT_ALICE],
             (unsigned long long)s->spy.media_of[REPORT_BOB]);
    snprintf(c->flow_text, sizeof(c->flow_text),
             "The first packet: version %d, payload type %d (%s), sequence number %d.\n%s\n",
             p[0] >> 6, p[1] & 0x7F, s->alice.codec, p[2] << 8 | p[3],
             s->secure
                 ? "Its header of 12 bytes is in clear, as SRTP leaves it; then come the encrypted "
                   "speech and the authentication tag."
                 : "Header of 12 bytes, then 160 bytes of G.711: 20 ms of speech.");
}

/* The scene's messages, and the media where its first packet falls. */
static size_t list_messages(struct verdict_call *c, const struct scene *s)
{
    double media_s = s->media_us > s->began_us ? (double)(s->media_us - s->began_us) / 1e6 : 0;
    bool placed = s->media_peek_len == 0;
    size_t n = 0;

    describe_flow(c, s);
    for (size_t i = 0; i <= s->n_messages; i++) {
        if (!placed && (i == s->n_messages || s->messages[i].time_s > media_s)) {
            c->messages[n++] = (struct report_message){
                .time_s = media_s,
                .from = REPORT_ALICE,
                .to = REPORT_BOB,
                .media = true,
                .encrypted = s->secure,
                .transport = "UDP",
                .line = c->flow_line,
                .text = c->flow_text,
                .wire = s->media_peek,
                .wire_len = s->media_peek_len,
            };
            placed = true;
        }
        if (i < s->n_messages)
            c->messages[n++] = s->messages[i];
    }
    return n;
}

static void list_hops(struct verdict_call *c, const struct scene *s)
{
    const struct scene_phone *phones[] = {&s->alice, &s->bob};
    static const char *const names[] = {"Alice to registrar", "Registrar to Bob", "Alice to Bob"};

    for (int i = 0; i < 2; i++) {
        const struct scene_tls *tls = &phones[i]->tls;
        snprintf(c->protection[i], VERDICT_TEXT, "%s%s%s",
                 tls->version[0] ? tls->version : "nothing", tls->cipher[0] ? ", " : "",
                 tls->cipher);
        snprintf(c->peer[i], VERDICT_TEXT, "%s%s", tls->version[0] ? tls->peer : "nobody's",
                 tls->verified     ? ", verified against the demo's authority"
                 : tls->version[0] ? ", not verified"
                                   : "");
    }
    snprintf(c->protection[2], VERDICT_TEXT, "%s%s", s->alice.suite[0] ? "SRTP, " : "nothing",
             s->alice.suite);
    snprintf(c->peer[2], VERDICT_TEXT, "%s",
             s->secure ? "whoever has the key that SIP carried" : "nobody's");
    for (int i = 0; i < VERDICT_HOPS; i++)
        c->hops[i] = (struct report_hop){
            .name = names[i],
            .carries = i == 2      ? "Speech"
                       : s->secure ? "SIP, and in it the media key"
                                   : "SIP",
            .protection = c->protection[i],
            .peer = c->peer[i],
            .reader = !s->secure ? "Everybody on the path"
                      : i == 0   ? "Alice and the registrar"
                      : i == 1   ? "The registrar and Bob"
                                 : "Alice and Bob; the registrar could, for it passed the key on",
            .safe = i == 2 ? s->alice.suite[0] != '\0' : phones[i]->tls.verified,
        };
}

static bool make_call(struct report_call *call, struct verdict_call *texts, const struct scene *s)
{
    const secsip_media_stats *bob = &s->bob.stats;

    list_hops(texts, s);
    snprintf(texts->media, sizeof(texts->media), "%s%s%s, %s", s->alice.profile,
             s->alice.suite[0] ? ", " : "", s->alice.suite, s->alice.codec);
    *call = (struct report_call){
        .secure = s->secure,
        .messages = texts->messages,
        .n_messages = list_messages(texts, s),
        .hops = texts->hops,
        .n_hops = VERDICT_HOPS,
        .level = s->alice.level,
        .media = texts->media,
        .capture = spy_report(&s->spy),
        .tx = bob->tx,
        .rx = bob->rx,
        .lost = bob->lost,
        .auth_failed = bob->auth_failed,
        .clear_dropped = bob->clear_dropped,
    };
    return measure_direction(&s->alice, &s->bob, &s->spy.heard[REPORT_ALICE], &call->callee,
                             &call->eavesdropper) &&
           measure_direction(&s->bob, &s->alice, &s->spy.heard[REPORT_BOB], &call->answer,
                             &call->answer_eavesdropper);
}

/* ---- The verdict */
static void check(struct verdict *v, const char *name, const char *text, bool ok)
{
    v->checks[v->n_checks++] = (struct verdict_check){name, text, ok};
}

/* At least 99 of 100 frames, sample for sample. */
static bool arrived(const struct report_sound *s)
{
    return s->total_frames > 0 && s->exact_frames * 100 >= s->total_frames * 99;
}

/* Nothing of the speech is in it: no frame, no likeness at any shift, no ups and downs of loudness. The last limit is
 * five standard deviations of what chance gives. */
static bool is_unlike(const struct report_sound *s)
{
    return s->exact_frames == 0 && s->likeness.correlation < 0.1 &&
           fabs(s->loudness) < 5 / sqrt((double)s->total_frames + 1);
}

static bool is_verified(const struct scene *s)
{
    return s->alice.tls.verified && s->bob.tls.verified &&
           strncmp(s->alice.tls.version, "TLS", 3) == 0 &&
           strncmp(s->bob.tls.version, "TLS", 3) == 0;
}

static bool is_srtp(const struct scene_phone *phone)
{
    return phone->suite[0] != '\0' && strcmp(phone->profile, "RTP/SAVP") == 0 &&
           (strcmp(phone->level, "srtp-hop") == 0 || strcmp(phone->level, "srtp-sips") == 0);
}

static void judge(struct verdict *v, const struct scene *secure)
{
    const struct report_call *c = &v->report.clear, *s = &v->report.secure;

    check(v, "secure-speech", "Bob heard Alice's speech of the secure call sample for sample",
          arrived(&s->callee));
    check(v, "secure-answer", "Alice heard Bob's answer of the secure call sample for sample",
          arrived(&s->answer));
    check(v, "tls", "both phones verified the registrar's certificate over TLS",
          is_verified(secure));
    check(v, "srtp", "both phones say that the media is SRTP and its key went over verified TLS",
          is_srtp(&secure->alice) && is_srtp(&secure->bob));
    check(v, "no-sip", "no SIP of the secure call could be read on the path",
          s->capture.sip_messages == 0 && s->capture.sip_words == 0);
    check(v, "no-sdp", "no session description of the secure call could be read on the path",
          s->capture.sdp_lines == 0);
    check(v, "no-key", "no media key could be read on the path",
          s->capture.key_lines == 0 && c->capture.key_lines == 0);
    check(v, "no-speech", "the eavesdropper's copy of the secure call is unlike Alice's speech",
          is_unlike(&s->eavesdropper));
    check(v, "no-answer", "the eavesdropper's copy of the secure call is unlike Bob's answer",
          is_unlike(&s->answer_eavesdropper));
    check(v, "noise", "the payloads of the secure call have the entropy of noise",
          s->capture.entropy > 7.9);
    check(v, "seen", "the eavesdropper saw the packets of the secure call",
          s->capture.packets >= s->callee.total_frames + s->answer.total_frames);
    check(v, "control", "the same eavesdropper reads and hears the clear call",
          arrived(&c->eavesdropper) && arrived(&c->answer_eavesdropper) &&
              c->capture.sip_messages > 0 && c->capture.sdp_lines > 0);
    v->report.ok = true;
    snprintf(v->sentence, sizeof(v->sentence),
             "The speech of the secure call arrived intact, and nothing of it could be read on the "
             "path. Of the "
             "clear call the same eavesdropper got every word.");
    for (size_t i = v->n_checks; i-- > 0;) {
        if (v->checks[i].ok)
            continue;
        v->report.ok = false;
        snprintf(v->sentence, sizeof(v->sentence), "It was not shown that %s.", v->checks[i].text);
    }
}

bool verdict_make(struct verdict *v, const struct scene *clear, const struct scene *secure)
{
    time_t now = time(NULL);
    struct tm day;

    *v = (struct verdict){0};
    v->report.version = secsip_version_string();
    if (gmtime_r(&now, &day))
        strftime(v->date, sizeof(v->date), "%Y-%m-%d %H:%M UTC", &day);
    v->report.date = v->date;
    v->report.verdict = v->sentence;
    v->report.sent = secure->alice.said;
    v->report.n_sent = secure->alice.speech->n;
    v->report.sent_flatness = signal_flatness(v->report.sent, v->report.n_sent);
    if (!make_call(&v->report.clear, &v->clear, clear) ||
        !make_call(&v->report.secure, &v->secure, secure))
        return false;
    judge(v, secure);
    return true;
}

void verdict_free(struct verdict *v)
{
    struct report_call *calls[] = {&v->report.clear, &v->report.secure};

    for (int i = 0; i < 2; i++) {
        free((void *)calls[i]->callee.samples);
        free((void *)calls[i]->eavesdropper.samples);
        free((void *)calls[i]->answer.samples);
        free((void *)calls[i]->answer_eavesdropper.samples);
    }
    *v = (struct verdict){0};
}
