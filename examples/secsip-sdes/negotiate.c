/* `secsip-sdes offer`, `answer` and `accept`: the two sides of a negotiation, a process for each step. Part of: examples. A
 * description that is written carries its keys: that is what it is for. The JSON objects do only with --show-keys. */
#include "sdes.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static void put_head(secsip_sdp_builder *b, const struct options *o)
{
    const char *type = strchr(o->address, ':') ? "IN IP6" : "IN IP4";
    char line[256];

    secsip_sdp_builder_put(b, 'v', "0");
    (void)snprintf(line, sizeof(line), "- %lld 1 %s %s", (long long)time(NULL) + 2208988800LL, type,
                   o->address);
    secsip_sdp_builder_put(b, 'o', line);
    secsip_sdp_builder_put(b, 's', "-");
    (void)snprintf(line, sizeof(line), "%s %s", type, o->address);
    secsip_sdp_builder_put(b, 'c', line);
    secsip_sdp_builder_put(b, 't', "0 0");
}

/* The refusal, as an object where JSON is wanted and as a line on stderr always. */
static int refuse(const struct options *o, secsip_result r, const char *why, int64_t offset)
{
    struct json j;

    why = why && *why ? why : secsip_result_text(r);
    json_init(&j);
    if (o->json) {
        json_object(&j, NULL);
        json_bool(&j, "accepted", false);
        show_error(&j, r, why, offset);
        json_end_object(&j);
        json_line(&j, stdout);
    }
    json_free(&j);
    options_refuse("refused: %s: %s", secsip_result_name(r), why);
    return EXIT_NO;
}

/* The a=crypto lines that a description of ours came to have. */
static void show_lines(struct json *j, const char *text, size_t len, bool show_keys)
{
    secsip_sdes_lines *lines = NULL;
    secsip_sdp *sdp = NULL;

    if (secsip_sdp_parse(text, len, NULL, NULL, NULL, &sdp) < 0)
        return;
    json_array(j, "lines");
    for (uint32_t m = 0; secsip_sdes_lines_from_sdp(sdp, m, &lines) == 0; m++) {
        for (uint32_t i = 0; i < secsip_sdes_lines_count(lines); i++)
            show_line(j, NULL, (int)m, lines, i, show_keys);
        secsip_sdes_lines_free(lines);
    }
    json_end_array(j);
    secsip_sdp_free(sdp);
}

/* Either the description itself, or what is in it. */
static int print_description(const struct options *o, secsip_sdp_builder *b, secsip_sdes_session *s)
{
    const char *text, *why = "";
    size_t len;
    struct json j;
    bool ok;

    secsip_result r = secsip_sdp_builder_finish(b, &text, &len, &why);
    if (r < 0)
        return options_refuse("cannot write the description: %s: %s", secsip_result_name(r), why);
    if (!o->json) {
        ok = fwrite(text, 1, len, stdout) == len && fflush(stdout) == 0;
        return ok ? EXIT_YES : options_refuse("standard output cannot be written");
    }
    json_init(&j);
    json_object(&j, NULL);
    json_bool(&j, "accepted", true);
    show_agreement(&j, s, o->show_keys);
    show_lines(&j, text, len, o->show_keys);
    if (o->show_keys)
        json_string(&j, "sdp", text);
    else
        json_null(&j, "sdp");
    json_null(&j, "error");
    json_end_object(&j);
    ok = json_line(&j, stdout);
    json_free(&j);
    return ok ? EXIT_YES : options_refuse("standard output cannot be written");
}

/* ---- offer */
/* An m= line of ours and its codecs, without keys. */
static void put_offered(secsip_sdp_builder *b, const struct options *o, const char *profile)
{
    char media[64];

    (void)snprintf(media, sizeof(media), "audio %u %s 0 8", (unsigned)o->port, profile);
    secsip_sdp_builder_put(b, 'm', media);
    secsip_sdp_builder_put(b, 'a', "rtpmap:0 PCMU/8000");
    secsip_sdp_builder_put(b, 'a', "rtpmap:8 PCMA/8000");
}

static int write_offer(const struct options *o, secsip_sdes_session *s, secsip_sdp_builder *b)
{
    const char *profile = secsip_sdes_session_get_profile(s);
    const char *second = secsip_sdes_session_get_offer_profile(s, 1);

    put_head(b, o);
    put_offered(b, o, profile);
    secsip_result r = secsip_sdes_session_put_offer(s, b);
    secsip_sdp_builder_put(b, 'a', "sendrecv");
    if (r == 0 && second) {
        put_offered(b, o, second);
        secsip_sdp_builder_put(b, 'a', "sendrecv");
    }
    if (r < 0)
        return options_refuse("cannot make keys: %s", secsip_result_text(r));
    return print_description(o, b, s);
}

/* ---- answer */
/* m= line n of the answer: the offer's own, with our port, or refused. */
static void put_media(secsip_sdp_builder *b, const secsip_sdp_media *m, const char *profile,
                      uint32_t port)
{
    char line[8192];

    (void)snprintf(line, sizeof(line), "%s %u %s %s", m->kind, (unsigned)port, profile, m->formats);
    secsip_sdp_builder_put(b, 'm', line);
}

static void put_maps(secsip_sdp_builder *b, const secsip_sdp *offer, uint32_t media)
{
    char line[512];
    const char *value;
    uint32_t at = 0;

    while (secsip_sdp_find_attribute(offer, (int32_t)media, "rtpmap", &at, &value) == 0) {
        if (snprintf(line, sizeof(line), "rtpmap:%s", value) < (int)sizeof(line))
            secsip_sdp_builder_put(b, 'a', line);
    }
}

static int write_answer(const struct options *o, secsip_sdes_session *s, const secsip_sdp *offer,
                        secsip_sdp_builder *b)
{
    const char *why = "", *profile = "";
    uint32_t chosen = 0;

    secsip_result r = secsip_sdes_session_choose_media(s, offer, NULL, &chosen, &profile, &why);
    put_head(b, o);
    for (uint32_t m = 0; r == 0 && m < secsip_sdp_count_media(offer); m++) {
        secsip_sdp_media media = {.size = sizeof(media)};
        secsip_sdp_get_media(offer, m, &media);
        put_media(b, &media, m == chosen ? profile : media.profile, m == chosen ? o->port : 0);
        if (m != chosen)
            continue;
        put_maps(b, offer, m);
        r = secsip_sdes_session_answer(s, offer, m, b, &why);
    }
    return r < 0 ? refuse(o, r, why, -1) : print_description(o, b, s);
}

/* ---- accept */
static bool has_attribute(const secsip_sdp *sdp, uint32_t media, const char *name)
{
    const char *value;
    uint32_t at = 0;

    return secsip_sdp_find_attribute(sdp, (int32_t)media, name, &at, &value) == 0;
}

/* The policy that an offer speaks of in this m= line. */
static uint32_t policy_of(const secsip_sdp *offer, uint32_t media)
{
    secsip_sdp_media m = {.size = sizeof(m)};

    secsip_sdp_get_media(offer, media, &m);
    if (strstr(m.profile, "SAVP"))
        return SECSIP_SDES_MANDATORY;
    return has_attribute(offer, media, "crypto") || has_attribute(offer, media, "acap")
               ? SECSIP_SDES_OPTIONAL
               : SECSIP_SDES_OFF;
}

/* The line behind this one is the same in clear: SRTP is optional, and the answer takes one of the two. */
static bool has_clear_twin(const secsip_sdp *offer, uint32_t media)
{
    secsip_sdp_media a = {.size = sizeof(a)}, b = {.size = sizeof(b)};

    return secsip_sdp_get_media(offer, media, &a) == 0 &&
           secsip_sdp_get_media(offer, media + 1, &b) == 0 && strcmp(a.kind, b.kind) == 0 &&
           strcmp(a.formats, b.formats) == 0 && strstr(a.profile, "SAVP") && b.port > 0 &&
           policy_of(offer, media + 1) == SECSIP_SDES_OFF;
}

static uint32_t port_of(const secsip_sdp *sdp, uint32_t media)
{
    secsip_sdp_media m = {.size = sizeof(m)};

    return secsip_sdp_get_media(sdp, media, &m) == 0 ? m.port : 0;
}

/* The m= line that the answer is judged by: the first that was offered with keys, or its twin; clear media beside it are no
 * answer to it. Without keys in the offer: the first that both sides want. */
static uint32_t judged_media(const secsip_sdp *offer, const secsip_sdp *answer)
{
    uint32_t n = secsip_sdp_count_media(offer);

    for (uint32_t m = 0; m < n; m++) {
        if (port_of(offer, m) == 0 || policy_of(offer, m) == SECSIP_SDES_OFF)
            continue;
        bool twin = port_of(answer, m) == 0 && has_clear_twin(offer, m) && port_of(answer, m + 1);
        return twin ? m + 1 : m;
    }
    for (uint32_t m = 0; m < n; m++)
        if (port_of(offer, m) > 0 && port_of(answer, m) > 0)
            return m;
    return 0;
}

/* A word of `list` stands in `other`, too. */
static bool share_word(const char *list, const char *other)
{
    for (const char *at = list; *at; at += strspn(at, " ")) {
        size_t n = strcspn(at, " ");
        for (const char *to = other; *to; to += strspn(to, " ")) {
            size_t k = strcspn(to, " ");
            if (n == k && memcmp(at, to, n) == 0)
                return true;
            to += k;
        }
        at += n;
    }
    return false;
}

/* RFC 3264 6: as many m= lines, each of the kind that was offered, and the one that counts with a format of the offer. NULL, or
 * what is wrong. */
static const char *why_no_answer(const secsip_sdp *offer, const secsip_sdp *answer, uint32_t media)
{
    secsip_sdp_media a = {.size = sizeof(a)}, b = {.size = sizeof(b)};

    if (secsip_sdp_count_media(offer) != secsip_sdp_count_media(answer))
        return "the answer has not as many m= lines as the offer";
    for (uint32_t m = 0; secsip_sdp_get_media(offer, m, &a) == 0; m++) {
        if (secsip_sdp_get_media(answer, m, &b) < 0 || strcmp(a.kind, b.kind) != 0)
            return "an m= line of the answer is of another kind than that of the offer";
        if (m == media && b.port > 0 && !share_word(a.formats, b.formats))
            return "the answer has no format of the offer";
    }
    return NULL;
}

static int judge_answer(const struct options *o, const secsip_sdp *offer, const secsip_sdp *answer)
{
    uint32_t media = judged_media(offer, answer);
    const char *why = why_no_answer(offer, answer, media);
    secsip_sdes_config config = o->config;
    secsip_sdes_session *s;
    struct json j;

    if (!o->has_policy)
        config.policy = policy_of(offer, media);
    secsip_result r = secsip_sdes_session_new(&config, &s);
    if (r < 0)
        return options_refuse("%s", secsip_result_text(r));
    r = secsip_sdes_session_adopt_offer(s, offer, media);
    if (r < 0) {
        secsip_sdes_session_free(s);
        return options_refuse("%s is no offer of ours: %s", o->offer, secsip_result_text(r));
    }
    r = why ? SECSIP_E_SDP_MEDIA : secsip_sdes_session_take_answer(s, answer, media, &why);
    json_init(&j);
    json_object(&j, NULL);
    json_bool(&j, "accepted", r == 0);
    json_uint(&j, "media", media);
    show_agreement(&j, s, o->show_keys);
    show_error(&j, r, why ? why : "", -1);
    json_end_object(&j);
    bool written = json_line(&j, stdout);
    json_free(&j);
    secsip_sdes_session_free(s);
    if (r < 0)
        options_refuse("refused: %s: %s", secsip_result_name(r), why);
    return !written ? options_refuse("standard output cannot be written")
           : r == 0 ? EXIT_YES
                    : EXIT_NO;
}

/* ---- commands */
/* A session and a builder, and then the one or the other. */
static int with_session(const struct options *o, const secsip_sdp *offer)
{
    secsip_sdes_session *s = NULL;
    secsip_sdp_builder *b = NULL;
    int code;

    secsip_result r = secsip_sdes_session_new(&o->config, &s);
    if (r == 0)
        r = secsip_sdp_builder_new(&b);
    if (r < 0)
        code = options_refuse("%s", secsip_result_text(r));
    else
        code = offer ? write_answer(o, s, offer, b) : write_offer(o, s, b);
    secsip_sdp_builder_free(b);
    secsip_sdes_session_free(s);
    return code;
}

/* A description from a file or standard input. False with *ret_code set. */
static bool read_description(const struct options *o, const char *path, secsip_sdp **ret,
                             int *ret_code)
{
    const char *why = "";
    size_t len, offset = 0;
    char *text;

    *ret_code = EXIT_USAGE;
    if (!input_read(path, &text, &len))
        return false;
    secsip_result r = secsip_sdp_parse(text, len, NULL, &offset, &why, ret);
    options_wipe(text);
    if (r == 0)
        return true;
    *ret_code = refuse(o, r, why, (int64_t)offset);
    return false;
}

int run_offer(const struct options *o)
{
    return with_session(o, NULL);
}

int run_answer(const struct options *o)
{
    secsip_sdp *offer;
    int code;

    if (!read_description(o, NULL, &offer, &code))
        return code;
    code = with_session(o, offer);
    secsip_sdp_free(offer);
    return code;
}

int run_accept(const struct options *o)
{
    secsip_sdp *offer, *answer;
    int code;

    if (!o->offer)
        return options_refuse("accept needs --offer FILE");
    if (!read_description(o, o->offer, &offer, &code))
        return code == EXIT_NO ? EXIT_USAGE : code;
    if (read_description(o, NULL, &answer, &code)) {
        code = judge_answer(o, offer, answer);
        secsip_sdp_free(answer);
    }
    secsip_sdp_free(offer);
    return code;
}
