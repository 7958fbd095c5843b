/* secsip-message: reads SIP messages and says what they are, or why they are refused, to show the parser of libsecsip in
 * use. One JSON object per message on standard output. Part of: examples. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <secsip/message.h>

#include "json.h"
#include "options.h"

enum {
    INPUT_MAX = 16 * 1024 * 1024,
    FEED = 4096, /* a stream is fed in pieces, as a network would */
};

struct work {
    bool stream, roundtrip;
    const char *path;
    uint64_t n_refused;
};

static const char usage[] =
    "Usage: secsip-message [OPTION]... [FILE]\n"
    "Reads one SIP message, a datagram, from FILE or standard input and prints it as a JSON "
    "object.\n"
    "Ends with 0 when it is accepted and with 1 when it is refused.\n\n"
    "  --stream           several messages, cut by Content-Length\n"
    "  --roundtrip        print the message parsed and written again, and nothing else\n"
    "  --help, --version  say this, or the version, and end\n";

static uint8_t *read_all(FILE *f, size_t *ret_len)
{
    size_t len = 0, cap = 65536;
    uint8_t *data = malloc(cap);

    while (data) {
        len += fread(data + len, 1, cap - len, f);
        if (len < cap) {
            *ret_len = len;
            return data;
        }
        uint8_t *more = cap < INPUT_MAX ? realloc(data, cap * 2) : NULL;
        if (!more)
            break;
        data = more;
        cap *= 2;
    }
    free(data);
    return NULL;
}

/* ---- One message as JSON. */
static void put_vias(struct json *j, secsip_message *m)
{
    secsip_message_via via = {.size = sizeof via};

    json_array(j, "via");
    for (uint32_t i = 0; m && secsip_message_get_via(m, i, &via) == 0; i++) {
        json_object(j, NULL);
        json_string(j, "transport", via.transport);
        json_string(j, "host", via.host);
        if (via.port > 0)
            json_uint(j, "port", via.port);
        else
            json_null(j, "port");
        json_string(j, "branch", via.branch);
        json_string(j, "received", via.received);
        json_end_object(j);
    }
    json_end_array(j);
}

static void put_address(struct json *j, const char *key, secsip_message *m, const char *name)
{
    secsip_message_address a = {.size = sizeof a};

    if (!m || secsip_message_get_address(m, name, 0, &a) < 0) {
        json_null(j, key);
        return;
    }
    json_object(j, key);
    if (a.display)
        json_bytes(j, "display", a.display, a.display_len);
    else
        json_null(j, "display");
    json_string(j, "uri", a.uri);
    json_string(j, "tag", a.tag);
    json_end_object(j);
}

static void put_contacts(struct json *j, secsip_message *m)
{
    secsip_message_address a = {.size = sizeof a};

    json_array(j, "contacts");
    for (uint32_t i = 0; m && secsip_message_get_address(m, "Contact", i, &a) == 0; i++)
        json_string(j, NULL, a.uri);
    json_end_array(j);
}

static void put_headers(struct json *j, secsip_message *m)
{
    secsip_message_header h = {.size = sizeof h};

    json_array(j, "headers");
    for (uint32_t i = 0; m && secsip_message_get_header(m, i, &h) == 0; i++) {
        json_array(j, NULL);
        json_string(j, NULL, h.name);
        json_bytes(j, NULL, h.value, h.value_len);
        json_end_array(j);
    }
    json_end_array(j);
}

static void put_cseq(struct json *j, secsip_message *m)
{
    if (!m || !secsip_message_get_cseq_method(m)[0]) {
        json_null(j, "cseq");
        return;
    }
    json_object(j, "cseq");
    json_uint(j, "number", secsip_message_get_cseq(m));
    json_string(j, "method", secsip_message_get_cseq_method(m));
    json_end_object(j);
}

static void put_start_line(struct json *j, secsip_message *m, const secsip_message_fault *fault)
{
    bool request = m && secsip_message_is_request(m);

    json_string(j, "kind", !m ? NULL : request ? "request" : "response");
    json_string(j, "method", m ? secsip_message_get_method(m) : NULL);
    json_string(j, "uri", m ? secsip_message_get_request_uri(m) : NULL);
    json_string(j, "version", m && fault->result != SECSIP_E_SIP_VERSION ? "SIP/2.0" : NULL);
    if (m && !request)
        json_int(j, "status", secsip_message_get_status(m));
    else
        json_null(j, "status");
    json_string(j, "reason", m ? secsip_message_get_reason(m) : NULL);
}

static void put_verdict(struct json *j, secsip_message *m, const secsip_message_fault *fault)
{
    int32_t respond = m ? secsip_message_get_verdict(m) : fault->status;

    if (respond > 0)
        json_int(j, "respond", respond);
    else
        json_null(j, "respond");
    if (fault->result >= 0) {
        json_null(j, "error");
        return;
    }
    char text[256];
    snprintf(text, sizeof text, "%s; expected %s", secsip_result_text(fault->result),
             fault->expected);
    json_object(j, "error");
    json_string(j, "name", secsip_result_name(fault->result));
    json_string(j, "text", text);
    json_uint(j, "offset", fault->offset);
    json_end_object(j);
}

/* m NULL: nothing could be read, the fault says why. */
static bool print_json(secsip_message *m, const secsip_message_fault *fault)
{
    struct json j;
    size_t body_len = 0;

    json_init(&j);
    json_object(&j, NULL);
    json_bool(&j, "accepted", m && fault->result >= 0);
    put_start_line(&j, m, fault);
    put_vias(&j, m);
    put_address(&j, "from", m, "From");
    put_address(&j, "to", m, "To");
    json_string(&j, "call_id",
                m && secsip_message_get_call_id(m)[0] ? secsip_message_get_call_id(m) : NULL);
    put_cseq(&j, m);
    if (m && secsip_message_get_max_forwards(m) >= 0)
        json_int(&j, "max_forwards", secsip_message_get_max_forwards(m));
    else
        json_null(&j, "max_forwards");
    put_contacts(&j, m);
    put_headers(&j, m);
    if (m)
        secsip_message_get_body(m, &body_len);
    json_uint(&j, "body_len", body_len);
    put_verdict(&j, m, fault);
    json_end_object(&j);
    bool good = json_line(&j, stdout);
    json_free(&j);
    return good;
}

static bool print_again(const secsip_message *m)
{
    size_t len = 0;

    if (secsip_message_write(m, NULL, 0, &len) != SECSIP_E_LIMIT)
        return false;
    uint8_t *out = malloc(len);
    bool good = out && secsip_message_write(m, out, len, &len) == 0 &&
                fwrite(out, 1, len, stdout) == len && fflush(stdout) == 0;
    free(out);
    return good;
}

/* ---- What came in. */
static int show(struct work *w, secsip_message *m, secsip_message_fault *fault)
{
    if (m)
        secsip_message_get_fault(m, fault);
    bool refused = !m || fault->result < 0;
    bool good = true;

    w->n_refused += refused;
    if (!w->roundtrip)
        good = print_json(m, fault);
    else if (refused)
        fprintf(stderr, "secsip-message: %s: %s, expected %s at %llu\n",
                secsip_result_name(fault->result), secsip_result_text(fault->result),
                fault->expected, (unsigned long long)fault->offset);
    else
        good = print_again(m);
    secsip_message_unref(m);
    return good ? EXIT_YES : options_refuse("standard output cannot be written");
}

static int run_datagram(struct work *w, const uint8_t *data, size_t len)
{
    secsip_message_fault fault = {.size = sizeof fault};
    secsip_message *m = NULL;
    secsip_result rc = secsip_message_parse(data, len, &fault, &m);

    if (rc == SECSIP_E_NOMEM)
        return options_refuse("%s", secsip_result_text(rc));
    return show(w, m, &fault);
}

/* Everything that is complete; 1: the stream has lost its framing. */
static int drain(struct work *w, secsip_message_stream *s, bool *ret_broken)
{
    int verdict = EXIT_YES;

    while (verdict == EXIT_YES) {
        secsip_message_fault fault = {.size = sizeof fault};
        secsip_message *m = NULL;
        secsip_result got = secsip_message_stream_next(s, &fault, &m);
        if (got == SECSIP_MESSAGE_STREAM_MORE)
            return EXIT_YES;
        if (got == SECSIP_E_NOMEM)
            return options_refuse("%s", secsip_result_text(got));
        if (got == SECSIP_MESSAGE_STREAM_PING || got == SECSIP_MESSAGE_STREAM_PONG)
            continue;
        verdict = show(w, m, &fault);
        *ret_broken = got < 0;
        if (got < 0)
            return verdict;
    }
    return verdict;
}

static int run_stream(struct work *w, const uint8_t *data, size_t len)
{
    secsip_message_stream *s;
    bool broken = false;
    int verdict = EXIT_YES;

    if (secsip_message_stream_new(0, &s) < 0)
        return options_refuse("out of memory");
    for (size_t at = 0; at < len && verdict == EXIT_YES && !broken; at += FEED) {
        size_t n = len - at < FEED ? len - at : FEED;
        if (secsip_message_stream_feed(s, data + at, n) < 0)
            verdict = options_refuse("out of memory");
        else
            verdict = drain(w, s, &broken);
    }
    if (verdict == EXIT_YES && !broken && secsip_message_stream_get_pending(s) > 0) {
        secsip_message_fault cut = {.size = sizeof cut,
                                    .result = SECSIP_E_SIP_TRUNCATED,
                                    .offset = secsip_message_stream_get_pending(s),
                                    .expected = "the rest of a message"};
        verdict = show(w, NULL, &cut);
    }
    secsip_message_stream_free(s);
    return verdict;
}

static int parse_options(struct work *w, int argc, char **argv)
{
    static const struct option options[] = {
        {"stream", no_argument, NULL, 's'},
        {"roundtrip", no_argument, NULL, 'r'},
        {"json", no_argument, NULL, 'j'}, /* what it does anyway, like the other programs */
        {NULL, 0, NULL, 0},
    };
    int c;

    while ((c = options_next(argc, argv, options)) != -1) {
        if (c == 's')
            w->stream = true;
        else if (c == 'r')
            w->roundtrip = true;
        else if (c != 'j')
            return EXIT_USAGE; /* it was said why */
    }
    if (argc - optind > 1)
        return options_refuse("one file at the most (--help)");
    w->path = optind < argc ? argv[optind] : NULL;
    return EXIT_YES;
}

int main(int argc, char **argv)
{
    struct work w = {0};
    size_t len = 0;
    int verdict = options_begin_with_help(argc, argv, usage);

    if (verdict >= 0)
        return verdict;
    verdict = parse_options(&w, argc, argv);
    if (verdict != EXIT_YES)
        return verdict;
    FILE *f = w.path && strcmp(w.path, "-") != 0 ? fopen(w.path, "rb") : stdin;
    if (!f)
        return options_refuse("%s: %s", w.path, strerror(errno));
    uint8_t *data = read_all(f, &len);
    bool failed = !data || ferror(f);
    if (f != stdin)
        fclose(f);
    if (failed) {
        free(data);
        return options_refuse("%s cannot be read, or is larger than %d bytes",
                              w.path ? w.path : "standard input", INPUT_MAX);
    }
    verdict = w.stream ? run_stream(&w, data, len) : run_datagram(&w, data, len);
    free(data);
    return verdict != EXIT_YES ? verdict : w.n_refused > 0 ? EXIT_NO : EXIT_YES;
}
