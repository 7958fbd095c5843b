/* Whole messages: what common parsers get wrong (one test for each kind), limits, lists and look-ups. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "oom.h"
#include "seed.h"
#include "sip/msg.h"
#include "sip/names.h"

#define VIA    "Via: SIP/2.0/TLS h;branch=z9hG4bK1\r\n"
#define FROM   "From: <sip:a@b>;tag=1\r\n"
#define TO     "To: <sip:a@b>\r\n"
#define CALLID "Call-ID: 1\r\n"
#define CSEQ   "CSeq: 1 INVITE\r\n"
#define HEAD   VIA FROM TO CALLID CSEQ
#define START  "INVITE sip:b SIP/2.0\r\n"

static char scratch[16384];

struct got {
    secsip_result result; /* of the call, or of the fault */
    int status;
    bool answerable;
    size_t offset;
};

static struct got parse_limited(const char *bytes, size_t len, const struct ssi_sip_limits *limits)
{
    struct ssi_sip_msg *m = NULL;
    struct ssi_sip_fault fault = {0};
    /* On the heap, so that a sanitizer sees the first byte too many. */
    char *exact = malloc(len ? len : 1);
    memcpy(exact, bytes, len);
    struct got g = {.result = ssi_sip_msg_parse(exact, len, false, limits, &fault, &m)};
    free(exact);
    if (g.result == 0) {
        fault = m->fault;
        g.result = fault.result;
        g.answerable = fault.result < 0;
        ssi_sip_msg_unref(m);
    }
    g.status = fault.status;
    g.offset = fault.offset;
    return g;
}

static struct got parse_bytes(const char *bytes, size_t len)
{
    return parse_limited(bytes, len, NULL);
}

static secsip_result result_of(const char *text)
{
    return parse_bytes(text, strlen(text)).result;
}

#define EXPECT(text, want)                                                                         \
    do {                                                                                           \
        secsip_result r_ = result_of(text);                                                        \
        if (r_ != (want))                                                                          \
            fail_msg("line %d: %s", __LINE__, secsip_result_name(r_));                             \
    } while (0)

static struct ssi_sip_msg *accepted(const char *text, size_t len)
{
    struct ssi_sip_msg *m = NULL;
    assert_int_equal(ssi_sip_msg_parse(text, len, false, NULL, NULL, &m), 0);
    assert_int_equal(m->fault.result, 0);
    return m;
}

static void line_ends_are_crlf_and_nothing_else(void **state)
{
    (void)state;
    EXPECT(START HEAD "\r\n", 0);
    EXPECT("INVITE sip:b SIP/2.0\n" HEAD "\r\n", SECSIP_E_SIP_SYNTAX);
    EXPECT(START HEAD "A: b\nC: d\r\n\r\n", SECSIP_E_SIP_SYNTAX);
    EXPECT(START HEAD "A: b\rC: d\r\n\r\n", SECSIP_E_SIP_SYNTAX);
    EXPECT(START HEAD "A: b\r\r\n\r\n", SECSIP_E_SIP_SYNTAX);
    EXPECT(START HEAD "\n", SECSIP_E_SIP_HEADER);
    EXPECT(START HEAD "\r\r", SECSIP_E_SIP_HEADER);
    EXPECT("IN\r\nVITE sip:b SIP/2.0\r\n" HEAD "\r\n", SECSIP_E_SIP_START_LINE);
    EXPECT("INVITE sip:b\r\n.evil SIP/2.0\r\n" HEAD "\r\n", SECSIP_E_SIP_HEADER);
    EXPECT(START HEAD "X\r\nY: 1\r\n\r\n", SECSIP_E_SIP_HEADER);
    EXPECT(START "Via: SIP/2.0/TLS h\r\nevil: 1\r\n" FROM TO CALLID CSEQ "\r\n",
           0); /* a line of its own */
    EXPECT(START HEAD "X Y: 1\r\n\r\n", SECSIP_E_SIP_HEADER);
    EXPECT(START HEAD ": 1\r\n\r\n", SECSIP_E_SIP_HEADER);
    EXPECT(START " folded\r\n" HEAD "\r\n", SECSIP_E_SIP_HEADER);
}

static void nul_and_controls_stand_only_in_quoted_pairs(void **state)
{
    (void)state;
    static const char line_start[] = START VIA "\0" FROM TO CALLID CSEQ "\r\n";
    static const char in_value[] = START HEAD "Subject: a\0b\r\n\r\n";
    static const char in_quotes[] = START HEAD "Subject: \"a\0b\"\r\n\r\n";
    static const char pair[] = START HEAD "Subject: \"a\\\0b\"\r\n\r\n";
    static const char bare_pair[] = START HEAD "Subject: a\\\0b\r\n\r\n";

    assert_int_equal(parse_bytes(line_start, sizeof line_start - 1).result, SECSIP_E_SIP_HEADER);
    assert_int_equal(parse_bytes(in_value, sizeof in_value - 1).result, SECSIP_E_SIP_SYNTAX);
    assert_int_equal(parse_bytes(in_quotes, sizeof in_quotes - 1).result, SECSIP_E_SIP_SYNTAX);
    assert_int_equal(parse_bytes(pair, sizeof pair - 1).result, 0);
    assert_int_equal(parse_bytes(bare_pair, sizeof bare_pair - 1).result, SECSIP_E_SIP_SYNTAX);
    EXPECT(START HEAD "Subject: \x01\r\n\r\n", SECSIP_E_SIP_SYNTAX);
    EXPECT(START HEAD "Subject: a\tb\r\n\r\n", 0);
    assert_int_equal(parse_bytes(in_value, sizeof in_value - 1).offset,
                     strstr(in_value, "Subject: a") - in_value + 10);
}

static void a_message_must_end_its_header_block(void **state)
{
    (void)state;
    static const char whole[] = START HEAD "Subject: x\r\n y\r\nContent-Length: 0\r\n\r\n";

    EXPECT(whole, 0);
    for (size_t n = 0; n < sizeof whole - 1; n++) {
        struct got g = parse_bytes(whole, n);
        assert_true(g.result == SECSIP_E_SIP_TRUNCATED);
        assert_int_equal(g.status, n > 6 ? 400 : 0);
    }
}

static void start_lines_are_strict(void **state)
{
    (void)state;
    EXPECT("SIP/2.0 200\r\n" HEAD "\r\n", SECSIP_E_SIP_START_LINE);
    EXPECT("SIP/2.0 200 \r\n" HEAD "\r\n", 0);
    EXPECT("sip/2.0 200 OK\r\n" HEAD "\r\n", 0);
    EXPECT("SIP/2.0 200abc OK\r\n" HEAD "\r\n", SECSIP_E_SIP_STATUS);
    EXPECT("SIP/2.0 -200 OK\r\n" HEAD "\r\n", SECSIP_E_SIP_STATUS);
    EXPECT("SIP/2.0 99 OK\r\n" HEAD "\r\n", SECSIP_E_SIP_STATUS);
    EXPECT("SIP/2.0 099 OK\r\n" HEAD "\r\n", SECSIP_E_SIP_STATUS);
    EXPECT("SIP/2.0 700 OK\r\n" HEAD "\r\n", SECSIP_E_SIP_STATUS);
    EXPECT("SIP/2.0 4294967301 OK\r\n" HEAD "\r\n", SECSIP_E_SIP_STATUS);
    EXPECT("SIP/3.0 200 OK\r\n" HEAD "\r\n", SECSIP_E_SIP_VERSION);
    EXPECT("SIP/2.0  200 OK\r\n" HEAD "\r\n", SECSIP_E_SIP_STATUS);
    EXPECT("INVITE sip:b sip/2.0\r\n" HEAD "\r\n", 0);
    EXPECT("INVITE sip:b SIP/3.0\r\n" HEAD "\r\n", SECSIP_E_SIP_VERSION);
    EXPECT("INVITE sip:b SIP/2\r\n" HEAD "\r\n", SECSIP_E_SIP_START_LINE);
    EXPECT("INVITE sip:b HTTP/1.1\r\n" HEAD "\r\n", SECSIP_E_SIP_START_LINE);
    EXPECT("INVITE SIP/2.0\r\n" HEAD "\r\n", SECSIP_E_SIP_START_LINE);
    EXPECT("INVITE  SIP/2.0\r\n" HEAD "\r\n", SECSIP_E_SIP_URI);
    EXPECT("INVITE\tsip:b SIP/2.0\r\n" HEAD "\r\n", SECSIP_E_SIP_START_LINE);
    EXPECT("INVITE <sip:b> SIP/2.0\r\n" HEAD "\r\n", SECSIP_E_SIP_URI);
    EXPECT("INVITE sip:b:0 SIP/2.0\r\n" HEAD "\r\n", SECSIP_E_SIP_URI);
    EXPECT("\r\n\r\n" START HEAD "\r\n", 0);
    EXPECT("", SECSIP_E_SIP_TRUNCATED);
}

static void content_length_is_a_number_that_fits(void **state)
{
    (void)state;
    static const char *const bad[] = {"-1", "five",          "5abc",       "+5",  "0x5",   "5, 3",
                                      "",   "2147483648000", "4294967301", "5 5", "\"5\"", "5;x"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[512];
        int n = snprintf(text, sizeof text, START HEAD "Content-Length: %s\r\n\r\nhello", bad[i]);
        struct got g = parse_bytes(text, (size_t)n);
        if (g.result != SECSIP_E_SIP_CONTENT_LENGTH || g.status != 400 || !g.answerable)
            fail_msg("%s: %s", bad[i], secsip_result_name(g.result));
    }
    EXPECT(START HEAD "l: 5\r\nContent-Length: 5\r\n\r\nhello", SECSIP_E_SIP_CONTENT_LENGTH);
    EXPECT(START HEAD "l: 6\r\n\r\nhello", SECSIP_E_SIP_TRUNCATED);
    EXPECT("SIP/2.0 200 OK\r\n" HEAD "l: x\r\n\r\nhello", SECSIP_E_SIP_CONTENT_LENGTH);
    struct ssi_sip_msg *m =
        accepted(START HEAD "l: 005\r\n\r\nhello, world", strlen(START HEAD) + 10 + 12);
    assert_int_equal(m->body.len, 5);
    assert_int_equal(m->wire.len, strlen(START HEAD) + 10 + 5);
    ssi_sip_msg_unref(m);
}

static void a_framed_message_is_exactly_one(void **state)
{
    (void)state;
    struct ssi_sip_msg *m = NULL;
    static const char text[] = START HEAD "l: 5\r\n\r\nhello!";
    size_t len = sizeof text - 2;

    assert_int_equal(ssi_sip_msg_parse(text, len, true, NULL, NULL, &m), 0);
    ssi_sip_msg_unref(m);
    assert_int_equal(ssi_sip_msg_parse(text, len + 1, true, NULL, NULL, &m), SECSIP_E_SIP_SYNTAX);
    assert_int_equal(ssi_sip_msg_parse(text, len - 1, true, NULL, NULL, &m),
                     SECSIP_E_SIP_TRUNCATED);
    assert_int_equal(
        ssi_sip_msg_parse(START HEAD "\r\n", strlen(START HEAD) + 2, true, NULL, NULL, &m),
        SECSIP_E_SIP_CONTENT_LENGTH);
}

static void bodies_are_kept_to_the_byte(void **state)
{
    (void)state;
    static const char text[] =
        START HEAD "\r\nno type\0--b\r\nContent-Type: a\r\nContent-Type: a\r\n";
    struct ssi_sip_msg *m = accepted(text, sizeof text - 1);

    assert_int_equal(m->body.len, sizeof text - 1 - strlen(START HEAD) - 2);
    assert_memory_equal(m->wire.p, text, sizeof text - 1);
    ssi_sip_msg_unref(m);
}

static void cseq_is_a_number_and_the_same_method(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "INVITE",     "1",   "1INVITE",           "-1 INVITE",         "x INVITE",
        "1 INVITE x", "",    "2147483648 INVITE", "4294967297 INVITE", "1 BYE",
        "1 invite",   "1 <>"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[512];
        int n = snprintf(text, sizeof text, START VIA FROM TO CALLID "CSeq: %s\r\n\r\n", bad[i]);
        struct got g = parse_bytes(text, (size_t)n);
        if (g.result != SECSIP_E_SIP_CSEQ || g.status != 400 || !g.answerable)
            fail_msg("%s", bad[i]);
    }
    EXPECT(START VIA FROM TO CALLID "CSeq: 2147483647\t INVITE\r\n\r\n", 0);
    EXPECT("NEW sip:b SIP/2.0\r\n" HEAD "\r\n", SECSIP_E_SIP_CSEQ);
    assert_int_equal(parse_bytes("NEW sip:b SIP/2.0\r\n" HEAD "\r\n",
                                 strlen("NEW sip:b SIP/2.0\r\n" HEAD "\r\n"))
                         .status,
                     501);
}

static void required_fields_are_there_once_and_not_empty(void **state)
{
    (void)state;
    static const char *const fields[] = {VIA, FROM, TO, CALLID, CSEQ};
    static const char *const empty[] = {"Via:\r\n", "From:\r\n", "To:\r\n", "Call-ID:\r\n",
                                        "CSeq:\r\n"};
    char text[1024];

    for (size_t drop = 0; drop < 5; drop++) {
        size_t n = (size_t)snprintf(text, sizeof text, "%s", START), at_empty = 0;
        char with_empty[1024];
        at_empty = (size_t)snprintf(with_empty, sizeof with_empty, "%s", START);
        for (size_t i = 0; i < 5; i++) {
            n += (size_t)snprintf(text + n, sizeof text - n, "%s", i == drop ? "" : fields[i]);
            at_empty += (size_t)snprintf(with_empty + at_empty, sizeof with_empty - at_empty, "%s",
                                         i == drop ? empty[i] : fields[i]);
        }
        snprintf(text + n, sizeof text - n, "\r\n");
        snprintf(with_empty + at_empty, sizeof with_empty - at_empty, "\r\n");
        EXPECT(text, SECSIP_E_SIP_MISSING);
        assert_true(result_of(with_empty) < 0);
        if (drop > 0) {
            snprintf(text, sizeof text, START HEAD "%s\r\n", fields[drop]);
            struct got g = parse_bytes(text, strlen(text));
            assert_int_equal(g.result, SECSIP_E_SIP_DUPLICATE);
            assert_true(g.answerable && g.status == 400);
            snprintf(text, sizeof text, "SIP/2.0 200 OK\r\n" HEAD "%s\r\n", fields[drop]);
            g = parse_bytes(text, strlen(text));
            assert_true(g.result == SECSIP_E_SIP_DUPLICATE && !g.answerable && g.status == 0);
        }
    }
}

static void max_forwards_is_0_to_255_once(void **state)
{
    (void)state;
    EXPECT(START HEAD "Max-Forwards: 255\r\n\r\n", 0);
    EXPECT(START HEAD "Max-Forwards: 256\r\n\r\n", SECSIP_E_SIP_MAX_FORWARDS);
    EXPECT(START HEAD "Max-Forwards: 999\r\n\r\n", SECSIP_E_SIP_MAX_FORWARDS);
    EXPECT(START HEAD "Max-Forwards: -1\r\n\r\n", SECSIP_E_SIP_MAX_FORWARDS);
    EXPECT(START HEAD "Max-Forwards: x\r\n\r\n", SECSIP_E_SIP_MAX_FORWARDS);
    EXPECT(START HEAD "Max-Forwards:\r\n\r\n", SECSIP_E_SIP_MAX_FORWARDS);
    EXPECT(START HEAD "Max-Forwards: 1\r\nMax-Forwards: 1\r\n\r\n", SECSIP_E_SIP_DUPLICATE);
}

static void address_lists_are_checked_to_their_end(void **state)
{
    (void)state;
    EXPECT(START HEAD "Contact: <sip:a@b>, \"x, y\" <sip:c@d>;q=1\r\n\r\n", 0);
    EXPECT(START HEAD "Contact: <sip:a@b>,\r\n\r\n", SECSIP_E_SIP_ADDRESS);
    EXPECT(START HEAD "Contact: ,<sip:a@b>\r\n\r\n", SECSIP_E_SIP_ADDRESS);
    EXPECT(START HEAD "Contact: sip:a@b?x=y\r\n\r\n", SECSIP_E_SIP_ADDRESS);
    EXPECT(START HEAD "Contact: *\r\n\r\n", SECSIP_E_SIP_ADDRESS);
    EXPECT(START HEAD "Route: <sip:a;lr>, <sip:b@2001:db8::1>\r\n\r\n", SECSIP_E_SIP_ADDRESS);
    EXPECT(START HEAD "Record-Route: *\r\n\r\n", SECSIP_E_SIP_ADDRESS);
    EXPECT(START HEAD "Via: SIP/2.0/UDP h, SIP/2.0/UDP\r\n\r\n", SECSIP_E_SIP_VIA);
    EXPECT("REGISTER sip:b SIP/2.0\r\n" VIA FROM TO CALLID "CSeq: 1 REGISTER\r\nContact: *\r\n\r\n",
           0);
    EXPECT("REGISTER sip:b SIP/2.0\r\n" VIA FROM TO CALLID
           "CSeq: 1 REGISTER\r\nContact: *\r\nm: *\r\n\r\n",
           SECSIP_E_SIP_ADDRESS);
    EXPECT("REGISTER sip:b SIP/2.0\r\n" VIA FROM TO CALLID
           "CSeq: 1 REGISTER\r\nContact: <sip:a>, *\r\n\r\n",
           SECSIP_E_SIP_ADDRESS);
}

/* A message that goes one over a limit is refused with 513 or 400, one at the limit is not; and cost stays linear, or
 * the test's timeout strikes. */
static secsip_result repeated(const char *before, const char *unit, size_t n, const char *after)
{
    size_t cap = strlen(before) + n * (strlen(unit) + 5) + strlen(after) + 1;
    char *text = malloc(cap);
    size_t at = (size_t)snprintf(text, cap, "%s", before);

    for (size_t i = 0; i < n; i++) { /* '#' is the number of the unit */
        for (const char *p = unit; *p; p++)
            if (*p == '#')
                at += (size_t)snprintf(text + at, cap - at, "%zu", i);
            else
                text[at++] = *p;
    }
    snprintf(text + at, cap - at, "%s", after);
    secsip_result rc = result_of(text);
    free(text);
    return rc;
}

static void large_datagrams_are_kept_to_be_answered(void)
{
    static const struct ssi_sip_limits small = {.message_bytes = 400};
    static const struct {
        const char *start;
        bool framed;
        size_t head, body; /* lengths of a header field and of the body */
        int status;        /* of the message, 0: there is none */
    } rows[] = {
        {START, false, 1, 400, 513},
        {START, false, 1, 70000, 513},
        {START, true, 1, 400, 0},
        {START, false, 400, 1, 0},
        {"SIP/2.0 200 OK\r\n", false, 1, 400, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t cap = rows[i].head + rows[i].body + 1024;
        char *text = malloc(cap);
        struct ssi_sip_fault fault = {0};
        struct ssi_sip_msg *m = NULL;
        int n = snprintf(text, cap, "%s" HEAD "X: %0*d\r\nl: %zu\r\n\r\n%0*d", rows[i].start,
                         (int)rows[i].head, 0, rows[i].body, (int)rows[i].body, 0);
        secsip_result rc = ssi_sip_msg_parse(text, (size_t)n, rows[i].framed, &small, &fault, &m);
        assert_int_equal(rc, rows[i].status ? 0 : SECSIP_E_SIP_TOO_LARGE);
        if (rc == 0) {
            assert_int_equal(m->fault.result, SECSIP_E_SIP_TOO_LARGE);
            assert_int_equal(m->fault.status, rows[i].status);
            assert_int_equal(m->body.len, 0);
            assert_true(m->wire.len < 400);
            assert_true(m->via.branch.len > 0 && m->cseq > 0);
        }
        ssi_sip_msg_unref(m);
        free(text);
    }
}

static void every_limit_holds_at_its_value(void **state)
{
    (void)state;
    assert_int_equal(repeated(START HEAD, "A: b\r\n", 251, "\r\n"), 0);
    assert_int_equal(repeated(START HEAD, "A: b\r\n", 252, "\r\n"), SECSIP_E_SIP_TOO_LARGE);
    assert_int_equal(repeated(START HEAD "A: ", "x", 16384, "\r\n\r\n"), 0);
    assert_int_equal(repeated(START HEAD "A: ", "x", 16385, "\r\n\r\n"), SECSIP_E_SIP_TOO_LARGE);
    assert_int_equal(repeated(START HEAD "Contact: <sip:a>", ";a#", 128, "\r\n\r\n"), 0);
    assert_int_equal(repeated(START HEAD "Contact: <sip:a>", ";a#", 129, "\r\n\r\n"),
                     SECSIP_E_SIP_TOO_LARGE);
    assert_int_equal(repeated(START HEAD "Via: SIP/2.0/TLS h", ";a#", 129, "\r\n\r\n"),
                     SECSIP_E_SIP_TOO_LARGE);
    assert_int_equal(repeated("INVITE sip:b", ";a#", 128, " SIP/2.0\r\n" HEAD "\r\n"), 0);
    assert_int_equal(repeated("INVITE sip:b", ";a#", 129, " SIP/2.0\r\n" HEAD "\r\n"),
                     SECSIP_E_SIP_TOO_LARGE);
    assert_int_equal(repeated("INVITE tel:+1", ";a#", 128, " SIP/2.0\r\n" HEAD "\r\n"), 0);
    assert_int_equal(repeated("INVITE tel:+1", ";a#", 129, " SIP/2.0\r\n" HEAD "\r\n"),
                     SECSIP_E_SIP_TOO_LARGE);
    assert_int_equal(repeated("INVITE sip:", "b", 4092, " SIP/2.0\r\n" HEAD "\r\n"), 0);
    assert_int_equal(repeated("INVITE sip:", "b", 4093, " SIP/2.0\r\n" HEAD "\r\n"),
                     SECSIP_E_SIP_TOO_LARGE);
    assert_int_equal(repeated(START HEAD "Route: <sip:a>", ",<sip:a>", 255, "\r\n\r\n"), 0);
    assert_int_equal(repeated(START HEAD "Route: <sip:a>", ",<sip:a>", 256, "\r\n\r\n"),
                     SECSIP_E_SIP_TOO_LARGE);
    size_t room = 65536 - strlen(START HEAD "\r\n");
    assert_int_equal(repeated(START HEAD "\r\n", "x", room, ""), 0);
    assert_int_equal(repeated(START HEAD "\r\n", "x", room + 1, ""), SECSIP_E_SIP_TOO_LARGE);
    large_datagrams_are_kept_to_be_answered();
    /* The 64 kB that cost other parsers seconds. */
    assert_int_equal(repeated(START HEAD "Contact: <sip:a", ";a#", 2600, ">\r\n\r\n"),
                     SECSIP_E_SIP_TOO_LARGE);
    assert_int_equal(repeated(START HEAD "Contact: <sip:a", ";a", 8000, ">\r\n\r\n"),
                     SECSIP_E_SIP_ADDRESS);
    assert_int_equal(repeated(START HEAD "Allow: A", ",A", 8000, "\r\n\r\n"), 0);
}

/* One for the message; a second while it is read, where it has more lines than most. */
static void a_message_takes_two_allocations_at_most(void **state)
{
    (void)state;
    struct ssi_sip_msg *m;
    size_t used = (size_t)sprintf(scratch, START HEAD);

    for (int lines = 5; lines <= 256; lines++) {
        memcpy(scratch + used, "\r\n", 2);
        test_oom_count_start();
        assert_int_equal(ssi_sip_msg_parse(scratch, used + 2, false, NULL, NULL, &m), 0);
        assert_int_equal(test_oom_count(), lines <= 64 ? 1 : 2);
        ssi_sip_msg_unref(m);
        used += (size_t)sprintf(scratch + used, "Record-Route: <sip:a%d>\r\n", lines);
    }
}

static void limits_can_be_set_and_many_lines_indexed(void **state)
{
    (void)state;
    struct ssi_sip_limits limits = {.message_bytes = 1 << 20, .header_lines = 20000};
    size_t n = 10000, used;
    char *text = malloc(1 << 20);
    struct ssi_sip_msg *m = NULL;

    used = (size_t)sprintf(text, START HEAD);
    for (size_t i = 0; i < n; i++)
        used += (size_t)sprintf(text + used, "X-%zu: %zu\r\n", i, i);
    used += (size_t)sprintf(text + used, "\r\n");
    assert_int_equal(ssi_sip_msg_parse(text, used, false, &limits, NULL, &m), 0);
    assert_int_equal(m->n_headers, n + 5);
    assert_true(
        ssi_slice_eq(ssi_sip_msg_header_named(m, SSI_LIT("x-9999"), NULL)->value, SSI_LIT("9999")));
    ssi_sip_msg_unref(m);
    free(text);
}

static void every_name_is_known_in_every_spelling(void **state)
{
    (void)state;
    static const char compact[] =
        "bReferred-By\0cContent-Type\0eContent-Encoding\0fFrom\0iCall-ID\0kSupported\0"
        "lContent-Length\0mContact\0oEvent\0rRefer-To\0sSubject\0tTo\0uAllow-Events\0"
        "vVia\0xSession-Expires\0yIdentity\0";

    assert_null(ssi_sip_hdr_name(SSI_HDR_OTHER));
    for (int id = 1; id < SSI_HDR_COUNT; id++) {
        const char *name = ssi_sip_hdr_name((enum ssi_sip_hdr)id);
        char other[64];
        size_t n = strlen(name);
        assert_int_equal(ssi_sip_hdr_of(ssi_slice_str(name)), id);
        for (size_t i = 0; i <= n; i++)
            other[i] = i % 2 ? name[i]
                             : (char)(name[i] >= 'a' && name[i] <= 'z' ? name[i] - 32
                                                                       : ssi_lower(name[i]));
        assert_int_equal(ssi_sip_hdr_of(ssi_slice_str(other)), id);
        other[n / 2] = '!';
        assert_int_equal(ssi_sip_hdr_of(ssi_slice_str(other)), SSI_HDR_OTHER);
        if (n > 2) /* "T" is To again */
            assert_int_equal(ssi_sip_hdr_of(ssi_slice_of(name, n - 1)), SSI_HDR_OTHER);
    }
    for (const char *p = compact; *p; p += strlen(p) + 1) {
        char upper = (char)(p[0] - 32);
        assert_string_equal(ssi_sip_hdr_name(ssi_sip_hdr_of(ssi_slice_of(p, 1))), p + 1);
        assert_string_equal(ssi_sip_hdr_name(ssi_sip_hdr_of(ssi_slice_of(&upper, 1))), p + 1);
    }
    assert_int_equal(ssi_sip_hdr_of(SSI_LIT("z")), SSI_HDR_OTHER);
    assert_int_equal(ssi_sip_hdr_of(SSI_LIT("C%6Fntact")), SSI_HDR_OTHER);
    for (int m = 1; m <= SSI_SIP_UPDATE; m++)
        assert_int_equal(
            ssi_sip_method_of(ssi_slice_str(ssi_sip_method_name((enum ssi_sip_method)m))), m);
    assert_int_equal(ssi_sip_method_of(SSI_LIT("invite")), SSI_SIP_UNKNOWN_METHOD);
    assert_int_equal(ssi_sip_method_of(SSI_LIT("INVITES")), SSI_SIP_UNKNOWN_METHOD);
    assert_string_equal(ssi_sip_reason_phrase(488), "Not Acceptable Here");
    assert_string_equal(ssi_sip_reason_phrase(608), "Rejected");
    assert_string_equal(ssi_sip_reason_phrase(299), "Unknown");
}

static void lists_span_lines_and_split_where_they_should(void **state)
{
    (void)state;
    static const char text[] =
        START HEAD "Supported: path ,\r\n\toutbound\r\nk:\r\nSupported: 100rel,,timer\r\n"
                   "Call-Info: <http://a,b>;p=\"x,\\\"y\", <http://c>\r\n\r\n";
    static const char *const want[] = {"path", "outbound", "100rel", "timer"};
    struct ssi_sip_msg *m = accepted(text, sizeof text - 1);
    struct ssi_sip_values it;
    struct ssi_slice v;
    size_t n = 0;

    ssi_sip_values_init(&it, m, SSI_HDR_SUPPORTED);
    for (; ssi_sip_values_next(&it, &v); n++)
        assert_true(n < 4 && ssi_slice_eq(v, ssi_slice_str(want[n])));
    assert_int_equal(n, 4);
    assert_true(ssi_sip_msg_lists(m, SSI_HDR_SUPPORTED, SSI_LIT("TIMER")));
    assert_false(ssi_sip_msg_lists(m, SSI_HDR_SUPPORTED, SSI_LIT("tim")));
    assert_false(ssi_sip_msg_lists(m, SSI_HDR_REQUIRE, SSI_LIT("timer")));
    ssi_sip_values_init(&it, m, SSI_HDR_CALL_INFO);
    assert_true(ssi_sip_values_next(&it, &v));
    assert_true(ssi_slice_eq(v, SSI_LIT("<http://a,b>;p=\"x,\\\"y\"")));
    assert_true(ssi_sip_values_next(&it, &v) && ssi_slice_eq(v, SSI_LIT("<http://c>")));
    assert_false(ssi_sip_values_next(&it, &v));
    ssi_sip_msg_unref(m);
}

static void expires_comes_from_the_contact_first(void **state)
{
    (void)state;
    static const char text[] =
        "REGISTER sip:b SIP/2.0\r\n" VIA FROM TO CALLID "CSeq: 1 REGISTER\r\nExpires: 60\r\n"
        "Contact: <sip:a>;expires=30, <sip:b>, <sip:c>;expires=x\r\n\r\n";
    struct ssi_sip_msg *m = accepted(text, sizeof text - 1);
    struct ssi_sip_values it;
    struct ssi_slice v;
    static const uint32_t want[] = {30, 60, 7};

    ssi_sip_values_init(&it, m, SSI_HDR_CONTACT);
    for (size_t i = 0; i < 3; i++) {
        struct ssi_sip_addr a;
        assert_true(ssi_sip_values_next(&it, &v));
        assert_int_equal(ssi_sip_addr_parse(v, &a), 0);
        assert_int_equal(ssi_sip_msg_expires(m, &a, 7), want[i]);
    }
    ssi_sip_msg_unref(m);
}

static void any_byte_changed_is_safe_and_never_half_read(void **state)
{
    (void)state;
    static const char text[] = START
        "Via: SIP/2.0/TLS [::1]:5061;branch=z9hG4bK1;rport\r\nFrom: \"A \\\" b\" "
        "<sip:a@b>;tag=1\r\n"
        "To: <sip:a@b>\r\nCall-ID: 1@x\r\nCSeq: 1 INVITE\r\nContact: <sips:a@b;lr?x=y>;q=0.1\r\n"
        "Subject: a\r\n b\r\nl: 4\r\n\r\nbody";
    uint64_t seed = test_seed();
    int good = 0;

    for (int round = 0; round < 30000; round++) {
        char bytes[sizeof text];
        memcpy(bytes, text, sizeof text);
        uint32_t changes = 1 + test_below(&seed, 3);
        for (uint32_t i = 0; i < changes; i++)
            bytes[test_below(&seed, sizeof text - 1)] = (char)test_random(&seed);
        struct got g = parse_bytes(bytes, sizeof text - 1 - test_below(&seed, 4));
        assert_true(g.offset <= sizeof text);
        good += g.result == 0;
    }
    assert_true(good > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_ends_are_crlf_and_nothing_else),
        cmocka_unit_test(nul_and_controls_stand_only_in_quoted_pairs),
        cmocka_unit_test(a_message_must_end_its_header_block),
        cmocka_unit_test(start_lines_are_strict),
        cmocka_unit_test(content_length_is_a_number_that_fits),
        cmocka_unit_test(a_framed_message_is_exactly_one),
        cmocka_unit_test(bodies_are_kept_to_the_byte),
        cmocka_unit_test(cseq_is_a_number_and_the_same_method),
        cmocka_unit_test(required_fields_are_there_once_and_not_empty),
        cmocka_unit_test(max_forwards_is_0_to_255_once),
        cmocka_unit_test(address_lists_are_checked_to_their_end),
        cmocka_unit_test(every_limit_holds_at_its_value),
        cmocka_unit_test(a_message_takes_two_allocations_at_most),
        cmocka_unit_test(limits_can_be_set_and_many_lines_indexed),
        cmocka_unit_test(every_name_is_known_in_every_spelling),
        cmocka_unit_test(lists_span_lines_and_split_where_they_should),
        cmocka_unit_test(expires_comes_from_the_contact_first),
        cmocka_unit_test(any_byte_changed_is_safe_and_never_half_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
