/* The framer: every way to cut the bytes gives the same, keep-alives, and streams that lose their framing. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "seed.h"
#include "sip/frame.h"

#define HEAD                                                                                       \
    "Via: SIP/2.0/TLS h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: "    \
    "1\r\nCSeq: 1 OPTIONS\r\n"

/* What came out, as text: "M12 " for a message of 12 bytes with their sum, "P ", "O ", "D ", "E-105 ". */
static void drain(struct ssi_sip_framer *f, char *out, size_t cap)
{
    struct ssi_sip_msg *m = NULL;
    int32_t got;

    while ((got = ssi_sip_framer_next(f, NULL, &m)) != SSI_SIP_FRAME_MORE) {
        size_t n = strlen(out);
        assert_true(n + 32 < cap);
        if (got < 0) {
            snprintf(out + n, cap - n, "E%d ", (int)got);
            ssi_sip_msg_unref(m);
            return;
        }
        if (got != SSI_SIP_FRAME_MESSAGE) {
            snprintf(out + n, cap - n, "%c ", "?MPOD"[got]);
            continue;
        }
        unsigned sum = 0;
        for (size_t i = 0; i < m->wire.len; i++)
            sum = sum * 31 + (unsigned char)m->wire.p[i];
        snprintf(out + n, cap - n, "M%zu/%u/%d ", m->wire.len, sum, (int)m->fault.result);
        ssi_sip_msg_unref(m);
    }
}

static void run_whole(const char *bytes, size_t len, bool serves, char *out, size_t cap)
{
    struct ssi_sip_framer f;

    out[0] = 0;
    ssi_sip_framer_init(&f, NULL);
    f.serves = serves;
    assert_int_equal(ssi_sip_framer_feed(&f, bytes, len), 0);
    drain(&f, out, cap);
    ssi_sip_framer_free(&f);
}

static size_t random_stream(uint64_t *seed, char *out, size_t cap)
{
    size_t n = 0;
    uint32_t messages = 1 + test_below(seed, 4);

    for (uint32_t i = 0; i < messages; i++) {
        uint32_t body = test_below(seed, 3) ? test_below(seed, 40) : 0;
        if (test_below(seed, 3) == 0)
            n += (size_t)snprintf(out + n, cap - n, "\r\n\r\n");
        n += (size_t)snprintf(out + n, cap - n, "OPTIONS sip:b SIP/2.0\r\n" HEAD "%s: %u\r\n%s\r\n",
                              test_below(seed, 2) ? "l" : "Content-Length ", body,
                              test_below(seed, 2) ? "Subject: a\r\n b\r\n" : "");
        if (test_below(seed, 8) == 0)
            memcpy(out + n - 2, "x:", 2); /* no end of header block: more header fields come */
        for (uint32_t k = 0; k < body; k++)
            out[n++] = "\r\n:a"[test_below(seed, 4)];
    }
    return n;
}

static void every_single_cut_gives_the_same(void **state)
{
    (void)state;
    static const char text[] =
        "\r\n\r\nOPTIONS sip:b SIP/2.0\r\n" HEAD "l: 5\r\n\r\n\r\n\r\nx"
        "SIP/2.0 99 Bad\r\n" HEAD "l: 0\r\n\r\n"
        "SIP/2.0 200 OK\r\n" HEAD "Content-Length : 0\r\nSubject:\r\n x\r\n\r\n\r\n\r\n";
    char whole[1024], cut[1024];
    size_t len = sizeof text - 1;

    run_whole(text, len, true, whole, sizeof whole);
    assert_int_equal(whole[0], 'P');
    assert_non_null(strstr(whole, "M"));
    assert_non_null(strstr(whole, "D M"));
    assert_string_equal(whole + strlen(whole) - 2, "P ");
    for (size_t a = 0; a <= len; a++) {
        struct ssi_sip_framer f;
        cut[0] = 0;
        ssi_sip_framer_init(&f, NULL);
        f.serves = true;
        assert_int_equal(ssi_sip_framer_feed(&f, text, a), 0);
        drain(&f, cut, sizeof cut);
        assert_int_equal(ssi_sip_framer_feed(&f, text + a, len - a), 0);
        drain(&f, cut, sizeof cut);
        assert_string_equal(cut, whole);
        ssi_sip_framer_free(&f);
    }
}

static void random_cuts_of_random_streams_give_the_same(void **state)
{
    (void)state;
    uint64_t seed = test_seed();
    char bytes[8192], whole[4096], cut[4096];

    for (int round = 0; round < 400; round++) {
        size_t len = random_stream(&seed, bytes, sizeof bytes);
        struct ssi_sip_framer f;
        run_whole(bytes, len, true, whole, sizeof whole);
        cut[0] = 0;
        ssi_sip_framer_init(&f, NULL);
        f.serves = true;
        uint32_t most = 1 + test_below(&seed, 60);
        for (size_t at = 0; at < len && !strchr(cut, 'E');) {
            size_t n = 1 + test_below(&seed, most);
            n = n < len - at ? n : len - at;
            assert_int_equal(ssi_sip_framer_feed(&f, bytes + at, n), 0);
            at += n;
            drain(&f, cut, sizeof cut);
        }
        assert_string_equal(cut, whole);
        ssi_sip_framer_free(&f);
    }
}

static void a_lone_crlf_is_a_pong_for_the_side_that_connected(void **state)
{
    (void)state;
    char out[256];

    run_whole("\r\n", 2, false, out, sizeof out);
    assert_string_equal(out, "O ");
    run_whole("\r\n\r\n", 4, false, out, sizeof out);
    assert_string_equal(out, "P ");
    run_whole("\r\n", 2, true, out, sizeof out);
    assert_string_equal(out, "");
}

struct stream_case {
    const char *text;
    int32_t result;
    int status;
    bool answerable;
};

static void streams_without_framing_end(void **state)
{
    (void)state;
    static const struct stream_case rows[] = {
        {"OPTIONS sip:b SIP/2.0\r\n" HEAD "\r\n", SECSIP_E_SIP_CONTENT_LENGTH, 400, true},
        {"OPTIONS sip:b SIP/2.0\r\n" HEAD "l: -1\r\n\r\n", SECSIP_E_SIP_CONTENT_LENGTH, 400, true},
        {"OPTIONS sip:b SIP/2.0\r\n" HEAD "l: 1\r\nContent-Length: 1\r\n\r\nx",
         SECSIP_E_SIP_CONTENT_LENGTH, 400, true},
        {"OPTIONS sip:b SIP/2.0\r\n" HEAD "l: 4294967301\r\n\r\n", SECSIP_E_SIP_CONTENT_LENGTH, 400,
         true},
        {"OPTIONS sip:b SIP/2.0\r\n" HEAD "l: 999999\r\n\r\n", SECSIP_E_SIP_TOO_LARGE, 513, true},
        {"SIP/2.0 200 OK\r\n" HEAD "\r\n", SECSIP_E_SIP_CONTENT_LENGTH, 0, false},
        {"OPTIONS sip:b SIP/2.0\n" HEAD "l: 0\r\n\r\n", SECSIP_E_SIP_SYNTAX, 400, false},
        {"OPTIONS sip:b SIP/2.0\r\nA: b\rc\r\n" HEAD "l: 0\r\n\r\n", SECSIP_E_SIP_SYNTAX, 400,
         false},
        {"<html>\r\n\r\n", SECSIP_E_SIP_START_LINE, 0, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ssi_sip_framer f;
        struct ssi_sip_fault fault = {0};
        struct ssi_sip_msg *m = NULL;
        ssi_sip_framer_init(&f, NULL);
        assert_int_equal(ssi_sip_framer_feed(&f, rows[i].text, strlen(rows[i].text)), 0);
        int32_t got = ssi_sip_framer_next(&f, &fault, &m);
        if (got != rows[i].result || fault.result != got || fault.status != rows[i].status)
            fail_msg("row %zu: %d, status %d", i, (int)got, fault.status);
        /* The request whose length is unknown can be answered; no other way to go on. */
        assert_true((m != NULL) == rows[i].answerable);
        if (m)
            assert_true(m->fault.status == rows[i].status && m->body.len == 0);
        ssi_sip_msg_unref(m);
        ssi_sip_framer_free(&f);
    }
}

static void a_header_block_that_does_not_end_is_refused_at_the_limit(void **state)
{
    (void)state;
    struct ssi_sip_limits limits = {.message_bytes = 1000};
    struct ssi_sip_framer f;
    struct ssi_sip_fault fault = {0};
    struct ssi_sip_msg *m = NULL;
    size_t fed = 0;
    int32_t got = SSI_SIP_FRAME_MORE;

    ssi_sip_framer_init(&f, &limits);
    assert_int_equal(ssi_sip_framer_feed(&f, "OPTIONS sip:b SIP/2.0\r\n", 23), 0);
    while (got == SSI_SIP_FRAME_MORE && fed < 4000) {
        assert_int_equal(ssi_sip_framer_feed(&f, "A: b\r\n", 6), 0);
        fed += 6;
        got = ssi_sip_framer_next(&f, &fault, &m);
    }
    assert_int_equal(got, SECSIP_E_SIP_TOO_LARGE);
    assert_int_equal(fault.status, 513);
    assert_true(fed < 1010);
    ssi_sip_framer_free(&f);
}

static void feeding_without_taking_out_is_bounded(void **state)
{
    (void)state;
    struct ssi_sip_limits limits = {.message_bytes = 1000};
    struct ssi_sip_framer f;
    char bytes[600] = {0};

    ssi_sip_framer_init(&f, &limits);
    assert_int_equal(ssi_sip_framer_feed(&f, bytes, sizeof bytes), 0);
    assert_int_equal(ssi_sip_framer_feed(&f, bytes, sizeof bytes), 0);
    assert_int_equal(ssi_sip_framer_feed(&f, bytes, 1), SECSIP_E_LIMIT);
    ssi_sip_framer_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_single_cut_gives_the_same),
        cmocka_unit_test(random_cuts_of_random_streams_give_the_same),
        cmocka_unit_test(a_lone_crlf_is_a_pong_for_the_side_that_connected),
        cmocka_unit_test(streams_without_framing_end),
        cmocka_unit_test(a_header_block_that_does_not_end_is_refused_at_the_limit),
        cmocka_unit_test(feeding_without_taking_out_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
