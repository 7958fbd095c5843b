/* Reading costs steps in proportion to the bytes, whatever the bytes are: the shapes for which other parsers take seconds, at
 * 1 to 64 kB. Steps are counted, not timed: lib/sip, lib/sdp and the slices and buffers under them are compiled a second
 * time, with a call at each branch, see counted.h and tests/CMakeLists.txt. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "sdp/sdp.h"
#include "sip/auth.h"
#include "sip/build.h"
#include "sip/frame.h"

uint64_t counted_steps;

/* Called by what the compiler puts at every branch. */
void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
    counted_steps++;
}

enum {
    SMALLEST = 1024,
    LARGEST = 65536,
};

/* A text of about `size` bytes: before, the unit again and again ('#' is its number), after. */
struct shape {
    const char *name, *before, *unit, *after;
};

#define FROM  "From: <sip:a@b>;tag=1\r\n"
#define REST  "To: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n"
#define HEAD  FROM REST
#define VIA   "Via: SIP/2.0/TLS h;branch=z9hG4bK1\r\n"
#define START "INVITE sip:b SIP/2.0\r\n"
#define ALL   START VIA HEAD

static const struct shape messages[] = {
    {"parameters of a Via", START HEAD "Via: SIP/2.0/TLS h", ";a#=b", "\r\n\r\n"},
    {"the same parameter of a Via", START HEAD "Via: SIP/2.0/TLS h", ";a", "\r\n\r\n"},
    {"parameters of a From", START VIA REST "From: <sip:a@b>", ";a#", "\r\n\r\n"},
    {"parameters of a URI", ALL "Contact: <sip:a@b", ";a#=1", ">\r\n\r\n"},
    {"the same parameter of a URI", ALL "Contact: <sip:a@b", ";a", ">\r\n\r\n"},
    {"headers of a URI", ALL "Contact: <sip:a@b?a=1", "&b#=2", ">\r\n\r\n"},
    {"parameters of the Request-URI", "INVITE sip:b", ";a#", " SIP/2.0\r\n" VIA HEAD "\r\n"},
    {"a list of tokens", ALL "Allow: A", ",A", "\r\n\r\n"},
    {"a list of nothing", ALL "Allow: A", ",", "\r\n\r\n"},
    {"unknown header fields", ALL, "X-#: y\r\n", "\r\n"},
    {"short header fields", ALL, "a:b\r\n", "\r\n"},
    {"known header fields", ALL, "Require: a\r\n", "\r\n"},
    {"the same header field", ALL, "From: <sip:a@b>\r\n", "\r\n"},
    {"Via header fields", START HEAD, "v:SIP/2.0/TLS h;branch=#\r\n", "\r\n"},
    {"Vias in one line", START HEAD VIA "Via: SIP/2.0/TLS a", ",SIP/2.0/TLS h", "\r\n\r\n"},
    {"Contacts", ALL "Contact: <sip:a>", ",<sip:a>", "\r\n\r\n"},
    {"Routes in lines", ALL, "Route: <sip:a>\r\n", "\r\n"},
    {"one long value", ALL "Subject: ", "x", "\r\n\r\n"},
    {"one long name", ALL, "x", ": y\r\n\r\n"},
    {"one long method", "I", "I", " sip:b SIP/2.0\r\n" VIA HEAD "\r\n"},
    {"one long host", ALL "Contact: <sip:", "a.", "b>\r\n\r\n"},
    {"one long user", ALL "Contact: <sip:", "%41", "@b>\r\n\r\n"},
    {"folds", ALL "Subject: a", "\r\n b", "\r\n\r\n"},
    {"empty folds", ALL "Contact: <sip:a>", "\r\n ", "\r\n\r\n"},
    {"blanks", ALL "Contact:", " ", "<sip:a>\r\n\r\n"},
    {"words of a display name", ALL "Contact: a", " a", " <sip:a>\r\n\r\n"},
    {"quoted pairs", ALL "Contact: \"", "\\\"", "\" <sip:a>\r\n\r\n"},
    {"open quotes", ALL "Contact: ", "\"a", "\r\n\r\n"},
    {"open brackets", ALL "Call-Info: ", "<", "\r\n\r\n"},
    {"quotes in a list", ALL "Accept: a/b", ",\"", "\r\n\r\n"},
    {"credentials", ALL "Authorization: Digest a=b", ",a#=\"b\"", "\r\n\r\n"},
    {"challenges", ALL "WWW-Authenticate: Digest a=b", ", Digest a=b", "\r\n\r\n"},
    {"empty lines before", "", "\r\n", ALL "\r\n"},
    {"no end", ALL, "a:b\r\n", ""},
    {"no line end", ALL "a:", "b", ""},
    {"escaped parameters of a URI", ALL "Contact: <sip:a@b", ";%61#=1", ">\r\n\r\n"},
    {"the same escaped parameter of a URI", ALL "Contact: <sip:a@b", ";%61", ">\r\n\r\n"},
    {"parameters of a tel URI", ALL "Contact: <tel:+1", ";a#=1", ">\r\n\r\n"},
    {"digits of a tel URI", ALL "Contact: <tel:+1", "1-", ">\r\n\r\n"},
};

static const struct shape bodies[] = {
    {"formats of a media line",
     "v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0",
     " #", "\r\n"},
    {"attributes",
     "v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 9 RTP/AVP "
     "0\r\n",
     "a=rtpmap:0 PCMU/8000\r\n", ""},
    {"short attributes",
     "v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n", "a=b\n", ""},
    {"media lines", "v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n",
     "m=audio 9 RTP/AVP 0\r\n", ""},
    {"one long attribute",
     "v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\na=", "x", "\r\n"},
    {"a media line alone", "m=audio 9 RTP/AVP", " #", "\n"},
};

static size_t make(const struct shape *shape, size_t size, char *out, size_t cap)
{
    size_t at = (size_t)snprintf(out, cap, "%s", shape->before), tail = strlen(shape->after);

    for (unsigned n = 0; at + tail < size; n++) {
        for (const char *p = shape->unit; *p; p++) {
            if (*p == '#')
                at += (size_t)snprintf(out + at, cap - at, "%u", n);
            else
                out[at++] = *p;
        }
    }
    return at + (size_t)snprintf(out + at, cap - at, "%s", shape->after);
}

/* Everything that can be asked of a message. */
static void read_all(const struct ssi_sip_msg *m)
{
    struct ssi_sip_values it;
    struct ssi_sip_addr addr;
    struct ssi_sip_via via;
    struct ssi_slice text;
    struct ssi_buf out;

    for (int id = 0; id < SSI_HDR_COUNT; id++) {
        ssi_sip_values_init(&it, m, (enum ssi_sip_hdr)id);
        while (ssi_sip_values_next(&it, &text)) {
            struct ssi_sip_reader r = ssi_sip_reader_of(text);
            struct ssi_slice scheme, params, name, value;
            while (ssi_sip_auth_next(&r, &scheme, &params) > 0) {
                struct ssi_sip_reader p = ssi_sip_reader_of(params);
                while (ssi_sip_auth_param(&p, &name, &value) > 0)
                    ;
            }
        }
        ssi_sip_values_init(&it, m, (enum ssi_sip_hdr)id);
        while (ssi_sip_values_next_addr(&it, &addr) > 0) {
            ssi_sip_param(addr.params, SSI_LIT("none"), &text);
            ssi_sip_uri_param(&addr.uri, SSI_LIT("none"), &text);
        }
    }
    ssi_sip_values_init(&it, m, SSI_HDR_VIA);
    while (ssi_sip_values_next_via(&it, &via) > 0)
        ssi_sip_param(via.params, SSI_LIT("none"), &text);
    ssi_sip_msg_header_named(m, SSI_LIT("X-none"), NULL);
    ssi_sip_msg_lists(m, SSI_HDR_ALLOW, SSI_LIT("none"));
    ssi_buf_init(&out, SIZE_MAX);
    ssi_sip_put_message(&out, m);
    ssi_sip_put_response_start(&out, m, 200, NULL, "tag", "192.0.2.1", 5061);
    ssi_buf_free(&out);
}

typedef uint64_t job(const char *text, size_t len);

static uint64_t parse_with(const char *text, size_t len, const struct ssi_sip_limits *limits)
{
    uint64_t before = counted_steps;
    struct ssi_sip_msg *m;

    if (ssi_sip_msg_parse(text, len, false, limits, NULL, &m) == 0) {
        read_all(m);
        ssi_sip_msg_unref(m);
    }
    return counted_steps - before;
}

static uint64_t within_limits(const char *text, size_t len)
{
    return parse_with(text, len, NULL);
}

static uint64_t without_limits(const char *text, size_t len)
{
    static const struct ssi_sip_limits none = {UINT32_MAX, UINT32_MAX, UINT32_MAX,
                                               UINT32_MAX, UINT32_MAX, UINT32_MAX};
    return parse_with(text, len, &none);
}

/* Through the framer, `piece` bytes at a time. */
static uint64_t frame(const char *text, size_t len, size_t piece)
{
    uint64_t before = counted_steps;
    struct ssi_sip_framer f;
    struct ssi_sip_msg *m;
    int32_t rc = 0;

    ssi_sip_framer_init(&f, NULL);
    for (size_t at = 0; at < len && rc >= 0; at += piece) {
        rc = ssi_sip_framer_feed(&f, text + at, len - at < piece ? len - at : piece);
        while (rc >= 0 && (rc = ssi_sip_framer_next(&f, NULL, &m)) > 0)
            ssi_sip_msg_unref(m);
        if (rc < 0)
            ssi_sip_msg_unref(m);
    }
    ssi_sip_framer_free(&f);
    return counted_steps - before;
}

static uint64_t framed_by_bytes(const char *text, size_t len)
{
    return frame(text, len, 1);
}

static uint64_t framed_at_once(const char *text, size_t len)
{
    return frame(text, len, len);
}

static uint64_t description(const char *text, size_t len, const struct ssi_sdp_limits *limits)
{
    uint64_t before = counted_steps;
    struct ssi_slice value;
    struct ssi_sdp *s;
    uint32_t at = 0;

    if (ssi_sdp_parse(ssi_slice_of(text, len), limits, NULL, &s) == 0) {
        for (int media = -1; media < (int)s->n_media; media++) {
            at = 0;
            while (ssi_sdp_attr(s, media, SSI_LIT("rtpmap"), &at, &value))
                ;
        }
        for (uint32_t i = 0; i < s->n_media; i++)
            ssi_sdp_has_format(&s->media[i], 1000);
        ssi_sdp_free(s);
    }
    return counted_steps - before;
}

static uint64_t described_within_limits(const char *text, size_t len)
{
    return description(text, len, NULL);
}

static uint64_t described_without_limits(const char *text, size_t len)
{
    static const struct ssi_sdp_limits none = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
    return description(text, len, &none);
}

/* Nowhere does a byte cost more than a few times what it does at 1 kB: what is refused is read again by those who ask for
 * it all the same. Quadratic would be 64 times. */
static void check_shape(const struct shape *shape, const char *what, job *run)
{
    static char text[LARGEST + 1024];
    double first = 0;

    for (size_t size = SMALLEST; size <= LARGEST; size *= 2) {
        size_t len = make(shape, size, text, sizeof text);
        double each = (double)run(text, len) / (double)len;
        assert_true(each > 0);
        if (size == SMALLEST)
            first = each;
        if (each > first * 6)
            fail_msg("%s, %s: %.2f steps a byte for %zu bytes, %.2f for %d", shape->name, what,
                     each, len, first, SMALLEST);
    }
}

/* Where no limit changes the course, twice the bytes add twice the steps, and not the four times of what is quadratic in a
 * small way. */
static void check_growth(const struct shape *shape, job *run)
{
    static char text[LARGEST + 1024];
    double last = 0, growth = 0;

    for (size_t size = SMALLEST; size <= LARGEST; size *= 2) {
        double cost = (double)run(text, make(shape, size, text, sizeof text));
        if (growth > 0 && cost - last > growth * 2.5 + 100)
            fail_msg("%s: up to %zu bytes %.0f steps more, %.0f more up to half of them",
                     shape->name, size, cost - last, growth);
        growth = last > 0 ? cost - last : 0;
        last = cost;
    }
}

static void messages_cost_in_proportion_to_their_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        check_shape(&messages[i], "default limits", within_limits);
        check_growth(&messages[i], without_limits);
    }
}

static void streams_cost_in_proportion_to_their_bytes(void **state)
{
    (void)state;
    static const struct shape many = {"many messages", "", ALL "\r\n", ""};
    static const struct shape pings = {"many pings", "", "\r\n", "OPTIONS"};

    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        check_shape(&messages[i], "byte by byte", framed_by_bytes);
        check_shape(&messages[i], "at once", framed_at_once);
    }
    check_shape(&many, "byte by byte", framed_by_bytes);
    check_shape(&many, "at once", framed_at_once);
    check_shape(&pings, "byte by byte", framed_by_bytes);
    check_shape(&pings, "at once", framed_at_once);
}

static void descriptions_cost_in_proportion_to_their_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        check_shape(&bodies[i], "default limits", described_within_limits);
        check_growth(&bodies[i], described_without_limits);
    }
}

/* The counter counts: what is quadratic would be found. */
static void what_is_quadratic_is_seen(void **state)
{
    (void)state;
    static char text[LARGEST + 64];
    uint64_t cost[2];

    for (int i = 0; i < 2; i++) {
        size_t len = make(&messages[9], (size_t)SMALLEST << (4 * i), text, sizeof text);
        struct ssi_sip_limits none = {.message_bytes = UINT32_MAX, .header_lines = UINT32_MAX};
        struct ssi_sip_msg *m;
        assert_int_equal(ssi_sip_msg_parse(text, len, false, &none, NULL, &m), 0);
        uint64_t before = counted_steps;
        for (uint32_t k = 0; k < m->n_headers; k++) /* each from the start */
            ssi_sip_msg_header_named(m, m->headers[k].name, NULL);
        cost[i] = counted_steps - before;
        ssi_sip_msg_unref(m);
    }
    assert_true(cost[1] > cost[0] * 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_cost_in_proportion_to_their_bytes),
        cmocka_unit_test(streams_cost_in_proportion_to_their_bytes),
        cmocka_unit_test(descriptions_cost_in_proportion_to_their_bytes),
        cmocka_unit_test(what_is_quadratic_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
