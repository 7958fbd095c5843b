/* `secsip-sdes parse`: what the library thinks of a=crypto lines. Part of: examples. */
#include "sdes.h"

#include <string.h>

static int print_refusal(secsip_result r, const char *why, size_t offset)
{
    struct json j;

    json_init(&j);
    json_object(&j, NULL);
    show_error(&j, r, why, (int64_t)offset);
    json_end_object(&j);
    bool written = json_line(&j, stdout);
    json_free(&j);
    options_refuse("refused: %s: %s", secsip_result_name(r), why);
    return written ? EXIT_NO : EXIT_USAGE;
}

static bool print_lines(const secsip_sdes_lines *lines, int media, bool show_keys)
{
    bool ok = true;
    struct json j;

    json_init(&j);
    for (uint32_t i = 0; ok && i < secsip_sdes_lines_count(lines); i++) {
        show_line(&j, NULL, media, lines, i, show_keys);
        ok = json_line(&j, stdout);
    }
    json_free(&j);
    return ok;
}

static int parse_description(const struct options *o, const char *text, size_t len)
{
    secsip_sdp *sdp;
    const char *why = "";
    size_t offset = 0;
    int code = EXIT_YES;

    secsip_result r = secsip_sdp_parse(text, len, NULL, &offset, &why, &sdp);
    if (r < 0)
        return print_refusal(r, why, offset);
    for (uint32_t m = 0; code == EXIT_YES && m < secsip_sdp_count_media(sdp); m++) {
        secsip_sdes_lines *lines = NULL;
        r = secsip_sdes_lines_from_sdp(sdp, m, &lines);
        if (r < 0)
            code = options_refuse("%s", secsip_result_text(r));
        else if (!print_lines(lines, (int)m, o->show_keys))
            code = options_refuse("standard output cannot be written");
        secsip_sdes_lines_free(lines);
    }
    secsip_sdp_free(sdp);
    return code;
}

static int parse_one(const struct options *o, const char *line, size_t len)
{
    secsip_sdes_lines *lines;
    int code = EXIT_YES;

    if (secsip_sdes_lines_new(&lines) < 0)
        return options_refuse("out of memory");
    if (secsip_sdes_lines_add(lines, line, len) < 0 || !print_lines(lines, 0, o->show_keys))
        code = options_refuse("standard output cannot be written");
    secsip_sdes_lines_free(lines);
    return code;
}

/* Lines alone belong to no description: each is judged by itself. */
static int parse_lines(const struct options *o, const char *text, size_t len)
{
    int code = EXIT_YES;

    for (const char *at = text; code == EXIT_YES && at < text + len;) {
        const char *lf = memchr(at, '\n', (size_t)(text + len - at));
        size_t n = (size_t)((lf ? lf : text + len) - at);
        size_t bare = n > 0 && at[n - 1] == '\r' ? n - 1 : n;
        if (bare > 0 && (bare < 9 || memcmp(at, "a=crypto:", 9) != 0))
            return print_refusal(SECSIP_E_SDP_SYNTAX, "neither an a=crypto line nor a description",
                                 (size_t)(at - text));
        if (bare > 0)
            code = parse_one(o, at, bare);
        at += n + 1;
    }
    return code;
}

int run_parse(const struct options *o)
{
    char *text;
    size_t len;

    if (!input_read(NULL, &text, &len))
        return EXIT_USAGE;
    int code = len >= 2 && memcmp(text, "a=", 2) == 0 ? parse_lines(o, text, len)
                                                      : parse_description(o, text, len);
    options_wipe(text);
    return code;
}
