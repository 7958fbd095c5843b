/* Building: no injection by any door, responses as RFC 3261 8.2.6 and RFC 3581 want them, and what is built parses. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "seed.h"
#include "sip/build.h"

static struct ssi_slice text_of(const struct ssi_buf *b)
{
    return ssi_buf_slice(b);
}

static void assert_text(const struct ssi_buf *b, const char *want)
{
    struct ssi_slice s = text_of(b);
    if (!ssi_slice_eq(s, ssi_slice_str(want)))
        fail_msg("got <%.*s>", (int)s.len, s.p);
}

static void cr_lf_and_nul_never_leave(void **state)
{
    (void)state;
    static const struct ssi_slice bad[] = {
        {"a\rb", 3}, {"a\nb", 3}, {"a\0b", 3}, {"\r\nEvil: 1", 9}};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        for (int door = 0; door < 6; door++) {
            struct ssi_buf b;
            char copy[16] = "";
            ssi_buf_init(&b, 4096);
            memcpy(copy, bad[i].p, bad[i].len);
            bool as_string = i != 2; /* a C string ends at its NUL */
            switch (door) {
            case 0:
                ssi_sip_put_request_line(&b, SSI_LIT("OPTIONS"), bad[i]);
                break;
            case 1:
                ssi_sip_put_request_line(&b, bad[i], SSI_LIT("sip:b"));
                break;
            case 2:
                ssi_sip_put_header(&b, "Subject", bad[i]);
                break;
            case 3:
                ssi_sip_put_piece(&b, bad[i]);
                break;
            case 4:
                if (!as_string)
                    goto next;
                ssi_sip_put_display(&b, copy);
                break;
            case 5:
                if (!as_string)
                    goto next;
                ssi_sip_put_status_line(&b, 200, copy);
                break;
            }
            assert_int_equal(b.failed, SECSIP_E_SIP_INJECTION);
            assert_int_equal(ssi_sip_put_end(&b, NULL, NULL, 0), SECSIP_E_SIP_INJECTION);
            struct ssi_slice out = text_of(&b);
            for (size_t k = 0; k + 3 <= out.len; k++)
                assert_false(memcmp(out.p + k, "a\rb", 3) == 0 || memcmp(out.p + k, "Evi", 3) == 0);
        next:
            ssi_buf_free(&b);
        }
    }
}

static void a_space_in_the_request_uri_is_refused(void **state)
{
    (void)state;
    struct ssi_buf b;
    ssi_buf_init(&b, 4096);
    ssi_sip_put_request_line(&b, SSI_LIT("OPTIONS"), SSI_LIT("sip:a SIP/2.0"));
    assert_int_equal(b.failed, SECSIP_E_SIP_INJECTION);
    ssi_buf_free(&b);
}

static struct ssi_sip_msg *request(const char *via, const char *to)
{
    char text[2048];
    struct ssi_sip_msg *m = NULL;
    int n = snprintf(
        text, sizeof text,
        "OPTIONS sip:b SIP/2.0\r\n%sFrom: <sip:a@b>;tag=1\r\n%sCall-ID: c@d\r\nCSeq: 7 OPTIONS\r\n"
        "Timestamp: 54\r\nContent-Length: 0\r\n\r\n",
        via, to);
    assert_int_equal(ssi_sip_msg_parse(text, (size_t)n, true, NULL, NULL, &m), 0);
    return m;
}

static void respond(struct ssi_buf *b, const char *via, const char *to, int status, const char *tag,
                    const char *ip, uint16_t port)
{
    struct ssi_sip_msg *m = request(via, to);
    ssi_buf_reset(b);
    ssi_sip_put_response_start(b, m, status, NULL, tag, ip, port);
    assert_int_equal(b->failed, 0);
    ssi_sip_msg_unref(m);
}

static void responses_copy_what_they_must(void **state)
{
    (void)state;
    struct ssi_buf b;

    ssi_buf_init(&b, 4096);
    respond(&b, "v: SIP/2.0/UDP h;branch=z9hG4bK1\r\nVia: SIP/2.0/TCP g;branch=2\r\n",
            "t:\r\n <sip:x@y>\r\n", 200, "T", NULL, 0);
    assert_text(
        &b,
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nVia: SIP/2.0/TCP g;branch=2\r\n"
        "From: <sip:a@b>;tag=1\r\nTo: <sip:x@y>;tag=T\r\nCall-ID: c@d\r\nCSeq: 7 OPTIONS\r\n");
    /* A tag that is there stays; 100 carries Timestamp. */
    respond(&b, "Via: SIP/2.0/UDP h\r\n", "To: <sip:x@y>;tag=q\r\n", 100, "T", NULL, 0);
    assert_text(&b, "SIP/2.0 100 Trying\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>;tag=1\r\nTo: "
                    "<sip:x@y>;tag=q\r\n"
                    "Call-ID: c@d\r\nCSeq: 7 OPTIONS\r\nTimestamp: 54\r\n");
    ssi_buf_free(&b);
}

static void received_and_rport_say_the_true_source(void **state)
{
    (void)state;
    static const struct {
        const char *via;
        const char *want;
    } rows[] = {
        {"SIP/2.0/UDP h;branch=z", "SIP/2.0/UDP h;branch=z;received=192.0.2.9"},
        {"SIP/2.0/UDP h;rport;branch=z", "SIP/2.0/UDP h;branch=z;received=192.0.2.9;rport=4444"},
        {"SIP/2.0/UDP h ; rport ;branch=z , SIP/2.0/UDP g",
         "SIP/2.0/UDP h ;branch=z;received=192.0.2.9;rport=4444 , "
         "SIP/2.0/UDP g"},
        {"SIP/2.0/UDP 192.0.2.9;branch=z", "SIP/2.0/UDP 192.0.2.9;branch=z"},
        {"SIP/2.0/UDP 192.0.2.9;rport;branch=z",
         "SIP/2.0/UDP 192.0.2.9;branch=z;received=192.0.2.9;rport=4444"},
        {"SIP/2.0/UDP h;received=6.6.6.6;branch=z;x=\"a;b\"",
         "SIP/2.0/UDP h;branch=z;x=\"a;b\";received=192.0.2.9"},
        {"SIP/2.0/UDP h", "SIP/2.0/UDP h;received=192.0.2.9"},
    };
    struct ssi_buf b;

    ssi_buf_init(&b, 4096);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char via[256], want[256];
        snprintf(via, sizeof via, "Via: %s\r\n", rows[i].via);
        snprintf(want, sizeof want, "Via: %s\r\nFrom", rows[i].want);
        respond(&b, via, "To: <sip:x@y>\r\n", 404, "T", "192.0.2.9", 4444);
        struct ssi_slice got = ssi_slice_from(text_of(&b), strlen("SIP/2.0 404 Not Found\r\n"));
        if (got.len < strlen(want) || memcmp(got.p, want, strlen(want)) != 0)
            fail_msg("row %zu: %.*s", i, (int)got.len, got.p);
    }
    ssi_buf_free(&b);
}

static void display_names_are_quoted(void **state)
{
    (void)state;
    struct ssi_buf b;
    ssi_buf_init(&b, 4096);
    ssi_sip_put_display(&b, "A \"B\" \\ C\b");
    assert_text(&b, "\"A \\\"B\\\" \\\\ C\\\b\" ");
    ssi_buf_reset(&b);
    ssi_sip_put_display(&b, "");
    ssi_sip_put_display(&b, NULL);
    assert_int_equal(b.len, 0);
    ssi_buf_free(&b);
}

/* Random text of a value: no line ends, sometimes quotes. */
static void random_value(uint64_t *seed, char *out, size_t cap)
{
    static const char set[] = "abcXYZ019 ;,=<>\"\\@:%&/?\xc3\xa4\t";
    size_t n = test_below(seed, (uint32_t)cap - 1);
    for (size_t i = 0; i < n; i++)
        out[i] = set[test_below(seed, sizeof set - 1)];
    out[n] = 0;
}

static void what_is_written_is_what_is_read(void **state)
{
    (void)state;
    uint64_t seed = test_seed();

    for (int round = 0; round < 2000; round++) {
        struct ssi_buf b;
        char values[8][40], body[64];
        uint32_t n = test_below(&seed, 8), body_len = test_below(&seed, sizeof body);
        struct ssi_sip_msg *m = NULL, *again = NULL;

        ssi_buf_init(&b, 65536);
        ssi_sip_put_request_line(&b, SSI_LIT("MESSAGE"), SSI_LIT("sips:bob@[2001:db8::1]:5061;lr"));
        ssi_sip_put_header_str(&b, "Via", "SIP/2.0/TLS h:5061;branch=z9hG4bKx");
        ssi_sip_put_header_u64(&b, "Max-Forwards", 70);
        ssi_sip_put_name(&b, "From");
        ssi_sip_put_display(&b, "X \"Y\"");
        ssi_sip_put_piece_str(&b, "<sip:a@b>;tag=1");
        ssi_sip_put_crlf(&b);
        ssi_sip_put_header_str(&b, "To", "<sip:bob@h>");
        ssi_sip_put_header_str(&b, "Call-ID", "1");
        ssi_sip_put_header_str(&b, "CSeq", "1 MESSAGE");
        for (uint32_t i = 0; i < n; i++) {
            random_value(&seed, values[i], sizeof values[i]);
            ssi_sip_put_header_str(&b, "X-Random", values[i]);
        }
        for (uint32_t i = 0; i < body_len; i++)
            body[i] = (char)test_random(&seed);
        assert_int_equal(ssi_sip_put_end(&b, "application/x", body, body_len), 0);
        assert_int_equal(ssi_sip_msg_parse(b.data + b.off, b.len, true, NULL, NULL, &m), 0);
        assert_int_equal(m->fault.result, 0);
        const struct ssi_sip_header *h = NULL;
        for (uint32_t i = 0; i < n; i++) {
            h = ssi_sip_msg_header_named(m, SSI_LIT("x-random"), h);
            assert_non_null(h);
            assert_true(ssi_slice_eq(h->value, ssi_slice_trim(ssi_slice_str(values[i]))));
        }
        assert_true(ssi_slice_eq(m->body, ssi_slice_of(body, body_len)));
        /* Serialised from its parts, it parses to the same once more. */
        struct ssi_buf c;
        ssi_buf_init(&c, 65536);
        ssi_sip_put_message(&c, m);
        assert_int_equal(ssi_sip_msg_parse(c.data + c.off, c.len, true, NULL, NULL, &again), 0);
        assert_int_equal(again->n_headers, m->n_headers);
        for (uint32_t i = 0; i < m->n_headers; i++)
            assert_true(ssi_slice_eq(again->headers[i].value, m->headers[i].value) &&
                        again->headers[i].id == m->headers[i].id);
        assert_true(ssi_slice_eq(again->body, m->body));
        ssi_sip_msg_unref(again);
        ssi_sip_msg_unref(m);
        ssi_buf_free(&c);
        ssi_buf_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cr_lf_and_nul_never_leave),
        cmocka_unit_test(a_space_in_the_request_uri_is_refused),
        cmocka_unit_test(responses_copy_what_they_must),
        cmocka_unit_test(received_and_rport_say_the_true_source),
        cmocka_unit_test(display_names_are_quoted),
        cmocka_unit_test(what_is_written_is_what_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
