/* Typed values through libosip2 with our checks at the border, and the verdict of an element on a request. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "oom.h"
#include "sip/digest.h"
#include "sip/frame.h"
#include "sip/typed.h"
#include "sip/verdict.h"

static void media_types_are_read_or_refused_whole(void **state)
{
    (void)state;
    struct ssi_sip_typed *t = NULL;
    static const char *const bad[] = {
        "",       "application", "a/",     "/b",        "a b/c",    "a/b c",   "a/b;",
        "a/b;c=", "a/b;=d",      "a/b;;c", "a/b;c=d e", "a/b;c=\"", "a/b,c/d", "a/b;c=d;e;C=f"};

    assert_int_equal(
        ssi_sip_typed_parse(SSI_SIP_TYPED_MEDIA,
                            SSI_LIT("Multipart / signed ;\r\n Boundary=\"x;\\\"y\" ; a"), &t),
        0);
    assert_string_equal(t->main, "Multipart");
    assert_string_equal(t->sub, "signed");
    assert_int_equal(t->n_params, 2);
    assert_string_equal(ssi_sip_typed_param_of(t, "boundary"), "\"x;\\\"y\"");
    assert_null(ssi_sip_typed_param_of(t, "a"));
    ssi_sip_typed_free(t);
    assert_int_equal(ssi_sip_typed_parse(SSI_SIP_TYPED_MEDIA, SSI_LIT("*/*"), &t), 0);
    ssi_sip_typed_free(t);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (ssi_sip_typed_parse(SSI_SIP_TYPED_MEDIA, ssi_slice_str(bad[i]), &t) !=
            SECSIP_E_SIP_HEADER)
            fail_msg("accepted: %s", bad[i]);
    assert_int_equal(ssi_sip_typed_parse(SSI_SIP_TYPED_MEDIA, SSI_LIT("a/b\0c"), &t),
                     SECSIP_E_SIP_HEADER);
}

static void parameters_are_counted_before_libosip2_sees_them(void **state)
{
    (void)state;
    struct ssi_sip_typed *t = NULL;
    char text[800] = "a/b";
    size_t n = 3;

    for (int i = 0; i < 129; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, ";p%03d", i);
    assert_int_equal(ssi_sip_typed_parse(SSI_SIP_TYPED_MEDIA, ssi_slice_of(text, n), &t),
                     SECSIP_E_SIP_TOO_LARGE);
    assert_int_equal(ssi_sip_typed_parse(SSI_SIP_TYPED_MEDIA, ssi_slice_of(text, n - 5), &t), 0);
    assert_int_equal(t->n_params, 128);
    ssi_sip_typed_free(t);
}

static void dispositions_and_infos(void **state)
{
    (void)state;
    struct ssi_sip_typed *t = NULL;

    assert_int_equal(
        ssi_sip_typed_parse(SSI_SIP_TYPED_DISPOSITION, SSI_LIT("session;handling=optional"), &t),
        0);
    assert_string_equal(t->main, "session");
    assert_string_equal(ssi_sip_typed_param_of(t, "HANDLING"), "optional");
    ssi_sip_typed_free(t);
    assert_int_equal(ssi_sip_typed_parse(SSI_SIP_TYPED_DISPOSITION, SSI_LIT("a b"), &t),
                     SECSIP_E_SIP_HEADER);
    assert_int_equal(ssi_sip_typed_parse(SSI_SIP_TYPED_DISPOSITION,
                                         SSI_LIT("s;handling=optional;handling=required"), &t),
                     SECSIP_E_SIP_HEADER);
    assert_int_equal(
        ssi_sip_typed_parse(SSI_SIP_TYPED_INFO, SSI_LIT("<http://x/y;z?a,b> ;purpose=icon"), &t),
        0);
    assert_string_equal(t->main, "http://x/y;z?a,b");
    ssi_sip_typed_free(t);
    static const char *const bad[] = {"http://x",
                                      "<>",
                                      "<http://x",
                                      "y<http://x>",
                                      "<http://x> z;a",
                                      "<a b>",
                                      "<http://x>;purpose=icon;purpose=card"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (ssi_sip_typed_parse(SSI_SIP_TYPED_INFO, ssi_slice_str(bad[i]), &t) !=
            SECSIP_E_SIP_HEADER)
            fail_msg("accepted: %s", bad[i]);
}

static int verdict_on(const char *name, const struct ssi_sip_element *e)
{
    char path[512], bytes[8192];
    struct ssi_sip_msg *m = NULL;

    snprintf(path, sizeof path, TEST_DATA "/torture/rfc4475/%s.dat", name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    assert_int_equal(ssi_sip_msg_parse(bytes, n, false, NULL, NULL, &m), 0);
    int status = ssi_sip_msg_verdict(m, e);
    ssi_sip_msg_unref(m);
    return status;
}

static void torture_messages_get_the_status_rfc4475_names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int status;
    } rows[] = {
        {"wsinv", 0},        {"intmeth", 501},    {"esc01", 0},      {"esc02", 501},
        {"mpart01", 0},      {"badvers", 505},    {"unkscm", 416},   {"novelsc", 416},
        {"unksm2", 400},     {"bext01", 420},     {"invut", 415},    {"regaut01", 0},
        {"multi01", 400},    {"zeromf", 0},       {"sdp01", 406},    {"badbranch", 400},
        {"bcast", 0},        {"inv2543", 0},      {"cparam01", 0},   {"dblreq", 0},
        {"mismatch01", 400}, {"mismatch02", 501}, {"scalar02", 400}, {"clerr", 400},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int got = verdict_on(rows[i].name, NULL);
        if (got != rows[i].status)
            fail_msg("%s: %d", rows[i].name, got);
    }
    static const char *const tags[] = {"nothingSupportsThis", "nothingSupportsThisEither", NULL};
    struct ssi_sip_element proxy = {.is_proxy = true}, knows = {.option_tags = tags};
    assert_int_equal(verdict_on("zeromf", &proxy), 483);
    assert_int_equal(verdict_on("bext01", &proxy), 420);
    assert_int_equal(verdict_on("bext01", &knows), 0);
    assert_int_equal(verdict_on("invut", &proxy), 0);
    assert_int_equal(verdict_on("intmeth", &proxy), 0);
}

static int verdict_of_text(const char *method, const char *headers, const char *body)
{
    char text[1024];
    struct ssi_sip_msg *m = NULL;
    int n = snprintf(text, sizeof text,
                     "%s sip:b SIP/2.0\r\nVia: SIP/2.0/TLS h;branch=z9hG4bK1\r\nFrom: "
                     "<sip:a@b>;tag=1\r\nTo: <sip:b>\r\n"
                     "Call-ID: 1\r\nCSeq: 1 %s\r\n%s\r\n%s",
                     method, method, headers, body);
    assert_int_equal(ssi_sip_msg_parse(text, (size_t)n, false, NULL, NULL, &m), 0);
    int status = ssi_sip_msg_verdict(m, NULL);
    ssi_sip_msg_unref(m);
    return status;
}

static void bodies_and_accepts_are_judged(void **state)
{
    (void)state;
    assert_int_equal(verdict_of_text("INVITE", "", "x"), 400);
    assert_int_equal(verdict_of_text("INVITE", "Content-Type: \"\r\n", "x"), 400);
    assert_int_equal(verdict_of_text("INVITE", "c: Application/SDP;x=y\r\n", "x"), 0);
    assert_int_equal(verdict_of_text("INVITE", "c: application/foo\r\n", "x"), 415);
    assert_int_equal(
        verdict_of_text("INVITE",
                        "c: application/foo\r\nContent-Disposition: x;handling=optional\r\n", "x"),
        0);
    assert_int_equal(
        verdict_of_text("INVITE", "c: application/sdp\r\nContent-Encoding: gzip\r\n", "x"), 415);
    assert_int_equal(verdict_of_text("INVITE", "Accept: text/plain, application/*;q=0.1\r\n", ""),
                     0);
    assert_int_equal(verdict_of_text("INVITE", "Accept: */*\r\n", ""), 0);
    assert_int_equal(verdict_of_text("INVITE", "Accept:\r\n", ""), 406);
    assert_int_equal(verdict_of_text("OPTIONS", "Accept: text/plain\r\n", ""), 0);
    assert_int_equal(verdict_of_text("INVITE", "Require: 100rel\r\n", ""), 420);
    assert_int_equal(verdict_of_text("ACK", "Require: 100rel\r\n", ""), 0);
    /* A BYE ends its call whatever it carries, but not with an extension that we do not know. */
    assert_int_equal(verdict_of_text("BYE", "c: application/foo\r\n", "x"), 0);
    assert_int_equal(verdict_of_text("BYE", "Require: 100rel\r\n", "x"), 420);
}

/* RFC 2616 14.1, where RFC 3261 20.1 points to: q=0 is "not acceptable", and the closest range decides. */
static void an_accept_is_read_with_its_weights(void **state)
{
    static const struct {
        const char *accept;
        int status;
    } rows[] = {
        {"application/sdp;q=0", 406},
        {"application/sdp;Q=0.000", 406},
        {"application/sdp;q=0.", 406},
        {"application/sdp;q=0.001", 0},
        {"application/sdp;q=1", 0},
        {"application/*;q=0, application/sdp", 0},
        {"application/sdp, application/*;q=0", 0},
        {"*/*;q=0, application/*", 0},
        {"application/*;q=0, */*", 406},
        {"*/*, application/*;q=0", 406},
        {"application/sdp;q=0, */*", 406},
        {"*/*, application/sdp;q=0", 406},
        {"*/*;q=0", 406},
        {"text/plain;q=0, */*", 0},
        {"application/sdp;q=0, application/sdp", 0},
        {"application/sdp, application/sdp;q=0", 0},
        {"application/sdp;level=1, application/x-private, text/html", 0},
        {"application/sdp;level=1;q=0, */*", 0},
        {"application/sdp;level=1;q=0", 406},
        {"application/sdp;level=1, application/sdp;q=0", 406},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char line[128];
        snprintf(line, sizeof line, "Accept: %s\r\n", rows[i].accept);
        int got = verdict_of_text("INVITE", line, "");
        if (got != rows[i].status)
            fail_msg("%s: %d", rows[i].accept, got);
    }
}

static void methods_that_are_not_served(void **state)
{
    (void)state;
    const struct ssi_sip_element some = {.methods = 1U << SSI_SIP_OPTIONS | 1U << SSI_SIP_ACK};

    assert_int_equal(verdict_on("bext01", &some), 420);
    assert_int_equal(verdict_on("mpart01", &some), 405);
    assert_int_equal(verdict_on("intmeth", &some), 501);
    assert_int_equal(verdict_on("cparam01", &some), 405);
    assert_int_equal(verdict_on("unkscm", &some), 416);
}

static int32_t body_of(const char *headers, const char *body)
{
    char text[1024];
    struct ssi_sip_msg *m = NULL;
    struct ssi_slice got = {NULL, 0};

    int n = snprintf(text, sizeof text,
                     "SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS h\r\nFrom: <sip:a>\r\nTo: <sip:b>\r\n"
                     "Call-ID: 1\r\nCSeq: 1 INVITE\r\n%s\r\n%s",
                     headers, body);
    assert_int_equal(ssi_sip_msg_parse(text, (size_t)n, false, NULL, NULL, &m), 0);
    int32_t rc = ssi_sip_msg_body(m, "application/sdp", &got);
    assert_int_equal(got.len, rc > 0 ? strlen(body) : 0);
    ssi_sip_msg_unref(m);
    return rc;
}

static void a_body_is_what_its_type_says(void **state)
{
    (void)state;
    assert_int_equal(body_of("c: application / SDP ; x=y\r\n", "v=0"), 1);
    assert_int_equal(body_of("c: application/sdp\r\n", ""), 0);
    assert_int_equal(body_of("c: application/sdpx\r\n", "v=0"), 0);
    assert_int_equal(body_of("c: application/sdp;\r\n", "v=0"), 0);
    assert_int_equal(body_of("", "v=0"), 0);
    assert_int_equal(body_of("c: application/sdp\r\ne: gzip\r\n", "v=0"), 0);
    assert_int_equal(body_of("c: application/sdp\r\ne: Identity\r\n", "v=0"), 1);
}

/* A verdict that cannot be reached for want of memory is 500, never 400. */
static secsip_result judge_without_memory(void)
{
    static const char text[] = "INVITE sip:b SIP/2.0\r\nVia: SIP/2.0/TLS h;branch=z9hG4bK1\r\n"
                               "From: <sip:a>;tag=1\r\nTo: <sip:b>\r\nCall-ID: 1\r\n"
                               "CSeq: 1 INVITE\r\nc: application/sdp\r\n\r\nv=0";
    struct ssi_sip_msg *m = NULL;
    struct ssi_slice body;

    secsip_result rc = ssi_sip_msg_parse(text, sizeof text - 1, false, NULL, NULL, &m);
    if (rc < 0)
        return rc;
    int status = ssi_sip_msg_verdict(m, NULL);
    assert_int_equal(status, test_oom_has_failed() ? 500 : 0);
    if (status == 0)
        rc = ssi_sip_msg_body(m, "application/sdp", &body);
    ssi_sip_msg_unref(m);
    return status ? SECSIP_E_NOMEM : rc < 0 ? rc : 0;
}

/* Everything of this layer that allocates, with each allocation failing in turn. */
static void try_all(void *arg)
{
    (void)arg;
    static const char text[] =
        "SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/TLS h\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b>\r\n"
        "Call-ID: 1\r\nCSeq: 1 INVITE\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", "
        "opaque=\"o\"\r\nContent-Length: 0\r\n\r\n";
    struct ssi_sip_framer f;
    struct ssi_sip_msg *m = NULL;
    struct ssi_sip_challenge c = {0};
    struct ssi_sip_typed *t = NULL;

    ssi_sip_framer_init(&f, NULL);
    secsip_result rc = ssi_sip_framer_feed(&f, text, sizeof text - 1);
    if (rc == 0)
        rc = ssi_sip_framer_next(&f, NULL, &m);
    if (rc == SSI_SIP_FRAME_MESSAGE)
        rc = ssi_sip_challenge_pick(m, &c);
    if (rc == 0)
        rc = ssi_sip_typed_parse(SSI_SIP_TYPED_MEDIA, SSI_LIT("a/b;c=d"), &t);
    if (rc == 0)
        rc = judge_without_memory();
    assert_int_equal(rc, test_oom_has_failed() ? SECSIP_E_NOMEM : 0);
    ssi_sip_typed_free(t);
    ssi_sip_challenge_free(&c);
    ssi_sip_msg_unref(m);
    ssi_sip_framer_free(&f);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    assert_true(test_oom_each(try_all, NULL) >= 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(media_types_are_read_or_refused_whole),
        cmocka_unit_test(parameters_are_counted_before_libosip2_sees_them),
        cmocka_unit_test(dispositions_and_infos),
        cmocka_unit_test(torture_messages_get_the_status_rfc4475_names),
        cmocka_unit_test(bodies_and_accepts_are_judged),
        cmocka_unit_test(an_accept_is_read_with_its_weights),
        cmocka_unit_test(methods_that_are_not_served),
        cmocka_unit_test(a_body_is_what_its_type_says),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
