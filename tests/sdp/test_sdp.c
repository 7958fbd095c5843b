/* Session descriptions: RFC 8866 in, line by line, and out again. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sdp/sdp.h"
#include "seed.h"

#define HEAD   "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n"
#define HEAD_C HEAD "c=IN IP4 192.0.2.1\r\n"
#define MIN    HEAD_C "t=0 0\r\n"

static secsip_result parse_with(const char *text, size_t len, const struct ssi_sdp_limits *limits,
                                struct ssi_sdp_fault *fault)
{
    struct ssi_sdp *s = NULL;
    /* An exact copy on the heap, so that the sanitizer sees a byte too far. */
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    secsip_result r = ssi_sdp_parse(ssi_slice_of(copy, len), limits, fault, &s);
    free(copy);
    ssi_sdp_free(s);
    return r;
}

static secsip_result parse(const char *text)
{
    return parse_with(text, strlen(text), NULL, NULL);
}

static struct ssi_sdp *parsed(const char *text)
{
    struct ssi_sdp *s = NULL;
    struct ssi_sdp_fault f = {0, 0, ""};

    if (ssi_sdp_parse(ssi_slice_str(text), NULL, &f, &s) < 0)
        fail_msg("refused at %zu: %s", f.offset, f.text);
    return s;
}

static void assert_slice(struct ssi_slice s, const char *text)
{
    if (!ssi_slice_eq(s, ssi_slice_str(text)))
        fail_msg("\"%.*s\" is not \"%s\"", (int)s.len, s.p, text);
}

/* RFC 8866 section 5. */
static const char rfc8866_example[] = "v=0\r\n"
                                      "o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r\n"
                                      "s=Call to John Smith\r\n"
                                      "i=SDP Offer #1\r\n"
                                      "u=http://www.jdoe.example.com/home.html\r\n"
                                      "e=Jane Doe <jane@jdoe.example.com>\r\n"
                                      "p=+1 617 555-6011\r\n"
                                      "c=IN IP4 198.51.100.1\r\n"
                                      "t=0 0\r\n"
                                      "m=audio 49170 RTP/AVP 0\r\n"
                                      "m=audio 49180 RTP/AVP 0\r\n"
                                      "m=video 51372 RTP/AVP 99\r\n"
                                      "c=IN IP6 2001:db8::2\r\n"
                                      "a=rtpmap:99 h263-1998/90000\r\n";

static void rfc8866_section_5_example_is_read(void **state)
{
    (void)state;
    struct ssi_sdp *s = parsed(rfc8866_example);
    struct ssi_addr a;

    assert_int_equal(s->n_lines, 14);
    assert_int_equal(s->n_media, 3);
    assert_slice(s->origin_user, "jdoe");
    assert_slice(s->origin_id, "3724394400");
    assert_slice(s->origin_version, "3724394405");
    assert_slice(s->origin_address, "198.51.100.1");
    assert_slice(s->media[0].kind, "audio");
    assert_slice(s->media[1].address, "198.51.100.1");
    assert_slice(s->media[2].address, "2001:db8::2");
    assert_slice(s->media[2].profile, "RTP/AVP");
    assert_int_equal(s->media[2].port, 51372);
    assert_int_equal(s->media[2].n_ports, 1);
    assert_true(ssi_sdp_media_addr(s, 2, &a));
    assert_int_equal(a.family, 6);
    assert_int_equal(a.port, 51372);
    assert_false(ssi_sdp_media_addr(s, 3, &a));
    ssi_sdp_free(s);
}

static void what_goes_in_comes_out_with_crlf(void **state)
{
    (void)state;
    static const char text[] =
        "v=0\no=- 1 1 IN IP4 h\r\ns= \nt=0 0\na=x\nm=audio 1 RTP/AVP 0\r\nc=IN IP4 1.2.3.4";
    static const char out[] = "v=0\r\no=- 1 1 IN IP4 h\r\ns= \r\nt=0 0\r\na=x\r\nm=audio 1 RTP/AVP "
                              "0\r\nc=IN IP4 1.2.3.4\r\n";
    struct ssi_sdp *s = parsed(text);
    struct ssi_buf b;

    ssi_buf_init_secret(&b, 1000);
    ssi_sdp_put(&b, s);
    assert_int_equal(b.failed, 0);
    assert_slice(ssi_buf_slice(&b), out);
    ssi_buf_free(&b);
    ssi_sdp_free(s);
}

static void attributes_are_found_where_they_stand(void **state)
{
    (void)state;
    struct ssi_sdp *s =
        parsed(MIN "a=sendonly\r\na=crypto:session\r\n"
                   "m=audio 4 RTP/SAVP 0 8 101\r\na=crypto:1 x\r\na=crypt\r\na=cryptoX:2\r\n"
                   "a=crypto\r\na=crypto:3 y\r\nm=video 0 RTP/AVP 99\r\na=inactive\r\n");
    struct ssi_slice v;
    uint32_t at = 0;

    assert_true(ssi_sdp_attr(s, 0, SSI_LIT("crypto"), &at, &v));
    assert_slice(v, "1 x");
    assert_true(ssi_sdp_attr(s, 0, SSI_LIT("crypto"), &at, &v));
    assert_slice(v, "");
    assert_true(ssi_sdp_attr(s, 0, SSI_LIT("crypto"), &at, &v));
    assert_slice(v, "3 y");
    assert_false(ssi_sdp_attr(s, 0, SSI_LIT("crypto"), &at, &v));
    assert_false(ssi_sdp_attr(s, 0, SSI_LIT("crypto"), &at, &v));
    at = 0;
    assert_true(ssi_sdp_attr(s, -1, SSI_LIT("crypto"), &at, &v));
    assert_slice(v, "session");
    at = 0;
    assert_false(ssi_sdp_attr(s, 2, SSI_LIT("crypto"), &at, &v));
    assert_string_equal(ssi_sdp_direction(s, 0), "sendonly");
    assert_string_equal(ssi_sdp_direction(s, 1), "inactive");
    assert_true(ssi_sdp_has_format(&s->media[0], 101));
    assert_false(ssi_sdp_has_format(&s->media[0], 10));
    assert_true(ssi_sdp_format(&s->media[0], 2, &v));
    assert_slice(v, "101");
    assert_false(ssi_sdp_format(&s->media[0], 3, &v));
    ssi_sdp_free(s);
}

static void accepted(void **state)
{
    (void)state;
    static const char *const good[] = {
        MIN,
        HEAD "t=0 0\r\n",
        HEAD "t=0 0\r\nm=audio 0 RTP/AVP 0\r\n",
        MIN "m=audio 49170/2 RTP/AVP 31\r\n",
        MIN "m=application 9 UDP/TLS/WSS/MSRP *\r\n",
        HEAD "e=a\r\ne=b\r\np=1\r\np=2\r\nt=0 0\r\n",
        HEAD "b=X-YZ:128\r\nb=AS:1\r\nt=3724394400 3724398000\r\nr=604800 3600 0 90000\r\nr=7d 1h "
             "0 25h\r\n"
             "z=3730928400 -1h 3749680800 0\r\nt=0 0\r\nk=prompt\r\na=recvonly\r\n",
        MIN "m=video 1 RTP/AVP 9\r\ni=t\r\nc=IN IP4 233.252.0.1/127/3\r\nc=IN IP4 "
            "233.252.0.4/127\r\nb=AS:1\r\n"
            "k=clear:x\r\na=y\r\na=z:w w\r\n",
        "v=0\r\no=j\xc3\xb6rg 1 1 IN IP6 2001:db8::1\r\ns=\xff\xfe\r\nc=IN IP6 ff15::101/3\r\nt=0 "
        "0\r\n",
        "v=0\r\no=- 99999999999999999999999 1 IN IP4 host.example\r\ns=-\r\nt=0 0\r\n",
        "v=0\r\no=- 1 1 XX E164 +49\r\ns=-\r\nt=0 0\r\n",
    };

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (parse(good[i]) != 0)
            fail_msg("refused: %s", good[i]);
}

static const struct {
    const char *text;
    secsip_result result;
    size_t offset;
} bad[] = {
    {"", SECSIP_E_SDP_MISSING, 0},
    {"v=0\r\n", SECSIP_E_SDP_MISSING, 5},
    {"v=0\r\ns=-\r\nt=0 0\r\n", SECSIP_E_SDP_MISSING, 5},
    {"v=0\r\ns=-\r\no=- 1 1 IN IP4 h\r\nt=0 0\r\n", SECSIP_E_SDP_ORDER, 5},
    {"o=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\n", SECSIP_E_SDP_MISSING, 0},
    {"v=1\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\n", SECSIP_E_SDP_SYNTAX, 2},
    {"v=00\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\n", SECSIP_E_SDP_SYNTAX, 2},
    {"v=0\r\no=- 1 1 IN IP4 h\r\nt=0 0\r\n", SECSIP_E_SDP_MISSING, 23},
    {HEAD, SECSIP_E_SDP_MISSING, 36},
    {HEAD "a=x\r\n", SECSIP_E_SDP_MISSING, 36},
    {HEAD "c=IN IP4 1.2.3.4\r\nm=audio 1 RTP/AVP 0\r\n", SECSIP_E_SDP_MISSING, 54},
    {HEAD "m=audio 1 RTP/AVP 0\r\nt=0 0\r\n", SECSIP_E_SDP_ORDER, 36},
    {HEAD "t=0 0\r\nm=audio 1 RTP/AVP 0\r\n", SECSIP_E_SDP_MISSING, 43},
    {HEAD "t=0 0\r\nc=IN IP4 1.2.3.4\r\n", SECSIP_E_SDP_ORDER, 43},
    {HEAD "s=-\r\nt=0 0\r\n", SECSIP_E_SDP_ORDER, 36},
    {HEAD "v=0\r\nt=0 0\r\n", SECSIP_E_SDP_ORDER, 36},
    {HEAD "i=a\r\ni=b\r\nt=0 0\r\n", SECSIP_E_SDP_ORDER, 41},
    {HEAD "c=IN IP4 h\r\nc=IN IP4 h\r\nt=0 0\r\n", SECSIP_E_SDP_ORDER, 48},
    {HEAD "p=1\r\ne=a\r\nt=0 0\r\n", SECSIP_E_SDP_ORDER, 41},
    {HEAD "r=7d 1h 0\r\nt=0 0\r\n", SECSIP_E_SDP_ORDER, 36},
    {HEAD "t=0 0\r\na=x\r\nt=0 0\r\n", SECSIP_E_SDP_ORDER, 48},
    {HEAD "t=0 0\r\na=x\r\nk=prompt\r\n", SECSIP_E_SDP_ORDER, 48},
    {HEAD "q=1\r\nt=0 0\r\n", SECSIP_E_SDP_SYNTAX, 36},
    {HEAD "T=0 0\r\n", SECSIP_E_SDP_SYNTAX, 36},
    {HEAD "t=0 0\r\n\r\n", SECSIP_E_SDP_SYNTAX, 43},
    {HEAD "t=0 0\r\na\r\n", SECSIP_E_SDP_SYNTAX, 43},
    {HEAD "t=0 0\r\na =x\r\n", SECSIP_E_SDP_SYNTAX, 43},
    {HEAD "t=0 0\r\na= x\r\n", SECSIP_E_SDP_SYNTAX, 45},
    {HEAD "t=0 0\r\na=\r\n", SECSIP_E_SDP_SYNTAX, 45},
    {HEAD "t=0 0\r\na=x:\r\n", SECSIP_E_SDP_SYNTAX, 47},
    {HEAD "t=0 0\r\na=x y\r\n", SECSIP_E_SDP_SYNTAX, 46},
    {HEAD "t=0 0\r\na=x\ry\r\n", SECSIP_E_SDP_SYNTAX, 46},
    {HEAD "t=0 0\r\na=x\r\r\n", SECSIP_E_SDP_SYNTAX, 46},
    {HEAD "t=0 0\r\na=x\r", SECSIP_E_SDP_SYNTAX, 46},
    {HEAD "t=0\r\n", SECSIP_E_SDP_SYNTAX, 39},
    {HEAD "t=0  0\r\n", SECSIP_E_SDP_SYNTAX, 40},
    {HEAD "t=0 00\r\n", SECSIP_E_SDP_SYNTAX, 42},
    {HEAD "t=0 0 \r\n", SECSIP_E_SDP_SYNTAX, 41},
    {HEAD "b=AS\r\nt=0 0\r\n", SECSIP_E_SDP_SYNTAX, 40},
    {HEAD "b=AS:x\r\nt=0 0\r\n", SECSIP_E_SDP_SYNTAX, 41},
    {"v=0\r\no=- 1 IN IP4 h\r\ns=-\r\nt=0 0\r\n", SECSIP_E_SDP_SYNTAX, 11},
    {"v=0\r\no=- x 1 IN IP4 h\r\ns=-\r\nt=0 0\r\n", SECSIP_E_SDP_SYNTAX, 9},
    {"v=0\r\no=- 1 1 IN IP4\r\ns=-\r\nt=0 0\r\n", SECSIP_E_SDP_SYNTAX, 19},
    {"v=0\r\no=- 1 1 IN IP4 h \r\ns=-\r\nt=0 0\r\n", SECSIP_E_SDP_SYNTAX, 21},
    {"v=0\r\no=- 1 1 IN IP4 ::1\r\ns=-\r\nt=0 0\r\n", SECSIP_E_SDP_SYNTAX, 23},
    {"v=0\r\no=- 1 1 IN IP4 h\r\ns=\r\nt=0 0\r\n", SECSIP_E_SDP_SYNTAX, 25},
    {HEAD "c=IN IP6 1.2.3.4\r\nt=0 0\r\n", SECSIP_E_SDP_SYNTAX, 52},
    {HEAD "c=IN IP6 [::1]\r\nt=0 0\r\n", SECSIP_E_SDP_SYNTAX, 50},
    {HEAD "c=IN IP6 ::g\r\nt=0 0\r\n", SECSIP_E_SDP_SYNTAX, 48},
    {HEAD "c=IN 1.2.3.4\r\nt=0 0\r\n", SECSIP_E_SDP_SYNTAX, 48},
    {MIN "m=audio 9 RTP/AVP\n", SECSIP_E_SDP_SYNTAX, 80}, /* reads past the buffer in libosip2 */
    {MIN "m=audio 9 RTP/AVP \r\n", SECSIP_E_SDP_SYNTAX, 81},
    {MIN "m=audio 9 RTP/AVP 0 \r\n", SECSIP_E_SDP_SYNTAX, 83},
    {MIN "m=audio 9 RTP/AVP  0\r\n", SECSIP_E_SDP_SYNTAX, 81},
    {MIN "m=audio 65536 RTP/AVP 0\r\n", SECSIP_E_SDP_SYNTAX, 71},
    {MIN "m=audio -1 RTP/AVP 0\r\n", SECSIP_E_SDP_SYNTAX, 71},
    {MIN "m=audio 1/0 RTP/AVP 0\r\n", SECSIP_E_SDP_SYNTAX, 74},
    {MIN "m=audio 1/ RTP/AVP 0\r\n", SECSIP_E_SDP_SYNTAX, 73},
    {MIN "m=audio 1 RTP/ 0\r\n", SECSIP_E_SDP_SYNTAX, 77},
    {MIN "m=audio 1 RTP//AVP 0\r\n", SECSIP_E_SDP_SYNTAX, 77},
    {MIN "m=audio\r\n", SECSIP_E_SDP_SYNTAX, 70},
    {MIN "m=au,dio 1 RTP/AVP 0\r\n", SECSIP_E_SDP_SYNTAX, 67},
    {MIN "m=audio 1 RTP/AVP 0\r\na=x\r\nc=IN IP4 h\r\n", SECSIP_E_SDP_ORDER, 89},
    {MIN "m=audio 1 RTP/AVP 0\r\nt=0 0\r\n", SECSIP_E_SDP_ORDER, 84},
    {MIN "m=audio 1 RTP/AVP 0\r\ni=a\r\ni=b\r\n", SECSIP_E_SDP_ORDER, 89},
    {" v=0\r\n", SECSIP_E_SDP_SYNTAX, 0},
    {"\r\nv=0\r\n", SECSIP_E_SDP_SYNTAX, 0},
    {"\xef\xbb\xbfv=0\r\n", SECSIP_E_SDP_SYNTAX, 0},
};

static void refused_with_the_place_that_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ssi_sdp_fault f = {0, 0, NULL};
        secsip_result r = parse_with(bad[i].text, strlen(bad[i].text), NULL, &f);
        if (r != bad[i].result || f.result != r || f.offset != bad[i].offset)
            fail_msg("row %zu: %s at %zu, expected %s at %zu: %s", i, secsip_result_name(r),
                     f.offset, secsip_result_name(bad[i].result), bad[i].offset, bad[i].text);
        assert_non_null(f.text);
    }
}

static void nul_is_refused_wherever_it_stands(void **state)
{
    (void)state;
    char text[sizeof MIN];

    for (size_t i = 0; i < sizeof MIN - 1; i++) {
        struct ssi_sdp_fault f;
        memcpy(text, MIN, sizeof MIN);
        text[i] = 0;
        assert_int_equal(parse_with(text, sizeof MIN - 1, NULL, &f), SECSIP_E_SDP_SYNTAX);
    }
}

/* A text of `head` and n times `piece` and `tail`; the caller frees it. */
static char *repeated(const char *head, const char *piece, size_t n, const char *tail)
{
    size_t h = strlen(head), p = strlen(piece), t = strlen(tail);
    char *text = malloc(h + p * n + t + 1);

    assert_non_null(text);
    memcpy(text, head, h);
    for (size_t i = 0; i < n; i++)
        memcpy(text + h + i * p, piece, p);
    memcpy(text + h + n * p, tail, t + 1);
    return text;
}

static void check_limit(const char *head, const char *piece, size_t n, const char *tail,
                        const struct ssi_sdp_limits *limits, secsip_result above)
{
    char *at = repeated(head, piece, n, tail);
    char *over = repeated(head, piece, n + 1, tail);

    assert_int_equal(parse_with(at, strlen(at), limits, NULL), 0);
    assert_int_equal(parse_with(over, strlen(over), limits, NULL), above);
    free(at);
    free(over);
}

static void every_limit_holds_and_one_more_is_refused(void **state)
{
    (void)state;
    struct ssi_sdp_limits small = {0, 0, 0, 0};

    check_limit(MIN, "a=x\r\n", 1024 - 5, "", NULL, SECSIP_E_SDP_LINES);
    check_limit(MIN, "m=audio 1 RTP/AVP 0\r\n", 32, "", NULL, SECSIP_E_SDP_MEDIA_COUNT);
    check_limit(MIN "m=audio 1 RTP/AVP", " 0", 256, "\r\n", NULL, SECSIP_E_SDP_FORMATS);
    check_limit(MIN "a=", "x", 65536 - sizeof MIN + 1 - 4, "\r\n", NULL, SECSIP_E_SDP_TOO_LARGE);
    small.bytes = sizeof MIN + 9;
    check_limit(MIN "a=", "x", 6, "\r\n", &small, SECSIP_E_SDP_TOO_LARGE);
    small = (struct ssi_sdp_limits){0, 6, 1, 2};
    check_limit(MIN, "a=x\r\n", 1, "", &small, SECSIP_E_SDP_LINES);
    small.lines = 9;
    check_limit(MIN, "m=audio 1 RTP/AVP 0\r\n", 1, "", &small, SECSIP_E_SDP_MEDIA_COUNT);
    check_limit(MIN "m=audio 1 RTP/AVP", " 0", 2, "\r\n", &small, SECSIP_E_SDP_FORMATS);
}

static void cut_at_every_offset_it_never_reads_too_far(void **state)
{
    (void)state;
    size_t whole = sizeof rfc8866_example - 1;

    for (size_t n = 0; n < whole; n++) {
        secsip_result r = parse_with(rfc8866_example, n, NULL, NULL);
        /* Without its t= line there is no description. */
        if (n < 200)
            assert_true(r < 0);
    }
}

static void flipped_bits_never_crash(void **state)
{
    (void)state;
    uint64_t seed = test_seed();
    char text[sizeof rfc8866_example];
    unsigned refused = 0;

    for (int round = 0; round < 20000; round++) {
        memcpy(text, rfc8866_example, sizeof text);
        for (uint32_t k = 0; k <= test_below(&seed, 3); k++)
            text[test_below(&seed, sizeof text - 1)] ^= (char)(1U << test_below(&seed, 8));
        refused += parse_with(text, sizeof text - 1, NULL, NULL) < 0;
    }
    assert_true(refused > 1000);
}

/* What was accepted comes out of the writer as something that is accepted again, and is the same. */
static void written_again_it_is_the_same(void **state)
{
    (void)state;
    uint64_t seed = test_seed();
    char text[sizeof rfc8866_example];

    for (int round = 0; round < 20000; round++) {
        struct ssi_sdp *s = NULL;
        struct ssi_buf b, again;
        memcpy(text, rfc8866_example, sizeof text);
        text[test_below(&seed, sizeof text - 1)] = (char)test_below(&seed, 256);
        if (ssi_sdp_parse(ssi_slice_of(text, sizeof text - 1), NULL, NULL, &s) < 0)
            continue;
        ssi_buf_init_secret(&b, 10000);
        ssi_buf_init_secret(&again, 10000);
        ssi_sdp_put(&b, s);
        ssi_sdp_free(s);
        assert_int_equal(ssi_sdp_parse(ssi_buf_slice(&b), NULL, NULL, &s), 0);
        ssi_sdp_put(&again, s);
        ssi_sdp_free(s);
        assert_true(ssi_slice_eq(ssi_buf_slice(&b), ssi_buf_slice(&again)));
        ssi_buf_free(&b);
        ssi_buf_free(&again);
    }
}

static void lines_with_line_ends_are_not_written(void **state)
{
    (void)state;
    struct ssi_buf b;

    ssi_buf_init(&b, 100);
    ssi_sdp_put_line_str(&b, 's', "x");
    assert_slice(ssi_buf_slice(&b), "s=x\r\n");
    ssi_sdp_put_line_str(&b, 'i', "x\r\na=crypto:1");
    assert_int_equal(b.failed, SECSIP_E_SIP_INJECTION);
    ssi_buf_reset(&b);
    ssi_sdp_put_line(&b, 'i', ssi_slice_of("a\0b", 3));
    assert_int_equal(b.failed, SECSIP_E_SIP_INJECTION);
    ssi_buf_free(&b);
}

static double cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* The best of several runs: what the machine does besides only makes a run longer. */
static double best_cost_us(const char *text, const struct ssi_sdp_limits *limits)
{
    double best = 1e12;

    for (int run = 0; run < 15; run++) {
        double from = cpu_us();
        for (int i = 0; i < 10; i++)
            assert_int_equal(
                ssi_sdp_parse(ssi_slice_str(text), limits, NULL, &(struct ssi_sdp *){NULL}),
                SECSIP_E_SDP_SYNTAX);
        double took = cpu_us() - from;
        best = took < best ? took : best;
    }
    return best;
}

/* Shapes that are quadratic elsewhere: sixteen times the bytes may cost no more than sixty times the time. The last line is
 * wrong, so that all the others have been read and nothing is kept. */
static void cost_grows_with_the_bytes_and_no_faster(void **state)
{
    (void)state;
    static const char *const shapes[][3] = {
        {MIN "m=audio 1 RTP/AVP", " 0", "\r\nx"},
        {MIN, "a=x\r\n", "x"},
        {MIN, "m=audio 1 RTP/AVP 0\r\n", "x"},
        {MIN "a=", ";a", "\r\nx"},
        {HEAD, "t=0 0\r\n", "x"},
        {HEAD "t=0 0\r\n", "m=audio 0 RTP/AVP 0\na=x\n", "x"},
    };
    static const struct ssi_sdp_limits wide = {1 << 20, 1 << 20, 1 << 20, 1 << 20};

    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        size_t piece = strlen(shapes[i][1]);
        char *small = repeated(shapes[i][0], shapes[i][1], 4096 / piece, shapes[i][2]);
        char *large = repeated(shapes[i][0], shapes[i][1], 65536 / piece, shapes[i][2]);
        double a = best_cost_us(small, &wide);
        double b = best_cost_us(large, &wide);
        if (b > 60 * a)
            fail_msg("shape %zu: %.1f us for 4 kB, %.1f us for 64 kB", i, a / 10, b / 10);
        free(small);
        free(large);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc8866_section_5_example_is_read),
        cmocka_unit_test(what_goes_in_comes_out_with_crlf),
        cmocka_unit_test(attributes_are_found_where_they_stand),
        cmocka_unit_test(accepted),
        cmocka_unit_test(refused_with_the_place_that_is_wrong),
        cmocka_unit_test(nul_is_refused_wherever_it_stands),
        cmocka_unit_test(every_limit_holds_and_one_more_is_refused),
        cmocka_unit_test(cut_at_every_offset_it_never_reads_too_far),
        cmocka_unit_test(flipped_bits_never_crash),
        cmocka_unit_test(written_again_it_is_the_same),
        cmocka_unit_test(lines_with_line_ends_are_not_written),
        cmocka_unit_test(cost_grows_with_the_bytes_and_no_faster),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
