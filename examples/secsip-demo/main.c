/* secsip-demo: one call in clear and one secure, the same speech over both, and what an eavesdropper gets of each; see
 * --help. Part of: examples. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "embedded.h"
#include "json.h"
#include "options.h"
#include "scene.h"
#include "verdict.h"

static const char help[] =
    "secsip-demo: what encryption is good for, shown on one call in clear and one secure.\n"
    "\n"
    "  --out DIR    where the report, the WAV files and the captures go;\n"
    "               default: secsip-demo.out\n"
    "  --json       the summary as one JSON object\n"
    "  --help, --version\n"
    "\n"
    "It needs no other software: it makes certificates, a registrar and two phones, and an\n"
    "eavesdropper who copies every byte on the path between them. Each call takes some nine\n"
    "seconds. DIR/report.html shows all of it; DIR/clear.pcap and\n"
    "DIR/secure.pcap are what the eavesdropper copied, for Wireshark.\n"
    "Exit: 0 the speech of the secure call arrived intact and nothing of it could be read on\n"
    "the path, 1 that was not shown, 2 wrong usage or set-up.\n";

struct demo {
    const char *out;
    bool json;
    struct wav speech;
    struct wav answer;
    struct certs certs;
    struct scene clear;
    struct scene secure;
    struct verdict verdict;
};

/* ---- Files */
static bool make_folders(const char *path)
{
    char part[4096];
    size_t len = strlen(path);

    if (len == 0 || len >= sizeof(part)) {
        errno = ENAMETOOLONG;
        return false;
    }
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0777) < 0 && errno != EEXIST)
            return false;
    }
    return true;
}

/* By making a file there: permissions are not all that can be in the way. */
static bool is_writable(const char *folder)
{
    char probe[4200];

    snprintf(probe, sizeof(probe), "%s/.secsip-demo-XXXXXX", folder);
    int fd = mkstemp(probe);
    if (fd < 0)
        return false;
    close(fd);
    return unlink(probe) == 0;
}

static int write_wav(const struct demo *demo, const char *name, const int16_t *samples, size_t n)
{
    char path[4200];

    snprintf(path, sizeof(path), "%s/%s", demo->out, name);
    return wav_write(path, samples, n) ? EXIT_YES : options_refuse("%s: %s", path, strerror(errno));
}

static int write_sounds(const struct demo *demo)
{
    const struct report *r = &demo->verdict.report;
    const struct {
        const char *name;
        const int16_t *samples;
        size_t n;
    } files[] = {
        {"sent.wav", r->sent, r->n_sent},
        {"sent-answer.wav", demo->secure.bob.said, demo->answer.n},
        {"clear-callee.wav", r->clear.callee.samples, r->clear.callee.n},
        {"clear-eavesdropper.wav", r->clear.eavesdropper.samples, r->clear.eavesdropper.n},
        {"clear-answer.wav", r->clear.answer.samples, r->clear.answer.n},
        {"secure-callee.wav", r->secure.callee.samples, r->secure.callee.n},
        {"secure-eavesdropper.wav", r->secure.eavesdropper.samples, r->secure.eavesdropper.n},
        {"secure-answer.wav", r->secure.answer.samples, r->secure.answer.n},
    };
    int code = EXIT_YES;

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && code == EXIT_YES; i++)
        code = write_wav(demo, files[i].name, files[i].samples, files[i].n);
    return code;
}

static int write_report(const struct demo *demo)
{
    char path[4200];
    size_t len = 0;
    char *html = report_html(&demo->verdict.report, &len);

    snprintf(path, sizeof(path), "%s/report.html", demo->out);
    if (!html)
        return options_refuse("there is not enough memory for the report");
    FILE *out = fopen(path, "w");
    bool ok = out && fwrite(html, 1, len, out) == len;
    if (out && fclose(out) != 0)
        ok = false;
    free(html);
    return ok ? EXIT_YES : options_refuse("%s: %s", path, strerror(errno));
}

/* ---- The summary */
static void put_sound(struct json *j, const char *key, const struct report_sound *s)
{
    json_object(j, key);
    json_uint(j, "frames", s->total_frames);
    json_uint(j, "exact_frames", s->exact_frames);
    json_real(j, "correlation", s->likeness.correlation, 4);
    json_real(j, "snr_db", s->snr_db, 1);
    json_real(j, "loudness", s->loudness, 3);
    json_real(j, "flatness", s->flatness, 3);
    json_end_object(j);
}

static void put_call(struct json *j, const char *key, const struct report_call *c)
{
    json_object(j, key);
    json_string(j, "level", c->level);
    json_string(j, "media", c->media);
    put_sound(j, "callee", &c->callee);
    put_sound(j, "answer", &c->answer);
    put_sound(j, "eavesdropper", &c->eavesdropper);
    put_sound(j, "eavesdropper_answer", &c->answer_eavesdropper);
    json_uint(j, "sip_messages_read", c->capture.sip_messages);
    json_uint(j, "sdp_lines_read", c->capture.sdp_lines);
    json_uint(j, "keys_read", c->capture.key_lines);
    json_uint(j, "packets_seen", c->capture.packets);
    json_real(j, "entropy", c->capture.entropy, 4);
    json_end_object(j);
}

static void print_json(const struct demo *demo)
{
    const struct verdict *v = &demo->verdict;
    struct json j;

    json_init(&j);
    json_object(&j, NULL);
    json_bool(&j, "ok", v->report.ok);
    json_string(&j, "verdict", v->sentence);
    json_array(&j, "checks");
    for (size_t i = 0; i < v->n_checks; i++) {
        json_object(&j, NULL);
        json_string(&j, "name", v->checks[i].name);
        json_bool(&j, "ok", v->checks[i].ok);
        json_string(&j, "text", v->checks[i].text);
        json_end_object(&j);
    }
    json_end_array(&j);
    put_call(&j, "clear", &v->report.clear);
    put_call(&j, "secure", &v->report.secure);
    json_string(&j, "out", demo->out);
    json_end_object(&j);
    json_line(&j, stdout);
    json_free(&j);
}

static double percent(const struct report_sound *s)
{
    return s->total_frames ? 100.0 * (double)s->exact_frames / (double)s->total_frames : 0;
}

static void print_text(const struct demo *demo)
{
    const struct verdict *v = &demo->verdict;
    const struct report_call *c = &v->report.clear, *s = &v->report.secure;

    printf("\n%-46s %12s %12s\n", "", "clear call", "secure call");
    printf("%-46s %10.1f %% %10.1f %%\n", "Alice's speech, heard by Bob", percent(&c->callee),
           percent(&s->callee));
    printf("%-46s %10.1f %% %10.1f %%\n", "Bob's answer, heard by Alice", percent(&c->answer),
           percent(&s->answer));
    printf("%-46s %10.1f %% %10.1f %%\n", "Alice's speech, got by the eavesdropper",
           percent(&c->eavesdropper), percent(&s->eavesdropper));
    printf("%-46s %12.3f %12.3f\n", "his best correlation with it",
           c->eavesdropper.likeness.correlation, s->eavesdropper.likeness.correlation);
    printf("%-46s %12llu %12llu\n", "SIP messages he could read",
           (unsigned long long)c->capture.sip_messages,
           (unsigned long long)s->capture.sip_messages);
    printf("%-46s %12llu %12llu\n", "media packets he copied",
           (unsigned long long)c->capture.packets, (unsigned long long)s->capture.packets);
    printf("\n");
    for (size_t i = 0; i < v->n_checks; i++)
        printf("  %s  %s\n", v->checks[i].ok ? "yes" : "NO ", v->checks[i].text);
    printf("\n%s\nReport: %s/report.html\n", v->sentence, demo->out);
}

/* ---- Running */
static int prepare(struct demo *demo)
{
    const char *why = NULL;

    if (!make_folders(demo->out) || !is_writable(demo->out))
        return options_refuse("--out %s: %s", demo->out, strerror(errno));
    if (!wav_parse(embedded_speech, embedded_speech_len, &demo->speech, &why) ||
        !wav_parse(embedded_reply, embedded_reply_len, &demo->answer, &why))
        return options_refuse("the speech: %s", why);
    if (!certs_make(SCENE_DOMAIN, &demo->certs, &why))
        return options_refuse("the certificates: %s", why);
    return EXIT_YES;
}

static int make_calls(struct demo *demo)
{
    struct scene *scenes[] = {&demo->clear, &demo->secure};
    char pcap[4200];

    for (int secure = 0; secure < 2; secure++) {
        if (!demo->json) {
            printf("Alice calls Bob %s ...\n", secure ? "over TLS and SRTP" : "in clear");
            if (fflush(stdout) != 0)
                return options_refuse("standard output: %s", strerror(errno));
        }
        snprintf(pcap, sizeof(pcap), "%s/%s.pcap", demo->out, secure ? "secure" : "clear");
        if (!scene_run(scenes[secure], secure != 0, &demo->certs, &demo->speech, &demo->answer,
                       pcap)) {
            options_refuse("the %s call: %s", secure ? "secure" : "clear", scenes[secure]->why);
            return EXIT_NO;
        }
    }
    return EXIT_YES;
}

static int run(struct demo *demo)
{
    int code = prepare(demo);

    if (code == EXIT_YES)
        code = make_calls(demo);
    if (code == EXIT_YES && !verdict_make(&demo->verdict, &demo->clear, &demo->secure))
        code = options_refuse("there is not enough memory to compare the recordings");
    if (code == EXIT_YES)
        code = write_sounds(demo);
    if (code == EXIT_YES)
        code = write_report(demo);
    if (code != EXIT_YES)
        return code;
    if (demo->json)
        print_json(demo);
    else
        print_text(demo);
    if (demo->verdict.report.ok)
        return EXIT_YES;
    options_refuse("%s", demo->verdict.sentence);
    return EXIT_NO;
}

static int read_options(struct demo *demo, int argc, char **argv)
{
    static const struct option options[] = {
        {"out", required_argument, NULL, 'o'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {0},
    };
    int option;

    while ((option = options_next(argc, argv, options)) != -1) {
        if (option == 'o') {
            demo->out = optarg;
        } else if (option == 'j') {
            demo->json = true;
        } else if (option == 'h') {
            fputs(help, stdout);
            return EXIT_YES;
        } else if (option == 'v') {
            printf("secsip-demo %s\n", secsip_version_string());
            return EXIT_YES;
        } else {
            return EXIT_USAGE; /* it was said why */
        }
    }
    return optind < argc ? options_refuse("'%s' is no option; see --help", argv[optind]) : -1;
}

int main(int argc, char **argv)
{
    static struct demo demo = {.out = "secsip-demo.out"}; /* large: not for the stack */
    int code = options_begin();

    if (code != EXIT_YES)
        return code;
    code = read_options(&demo, argc, argv);
    if (code < 0)
        code = run(&demo);
    verdict_free(&demo.verdict);
    scene_free(&demo.clear);
    scene_free(&demo.secure);
    certs_free(&demo.certs);
    wav_free(&demo.speech);
    wav_free(&demo.answer);
    return options_end(code);
}
