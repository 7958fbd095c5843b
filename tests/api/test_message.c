/* The public interface of messages: strings, structures of other sizes, faults, streams, and memory that runs out. */
#include "test.h"

#include <stdlib.h>

#include <secsip/message.h>

#include "oom.h"

#define TEXT                                                                                       \
    "INVITE sips:bob:pw@[2001:db8::1]:5061;lr?a=b SIP/2.0\r\n"                                     \
    "v: SIP/2.0/TLS h:5061;branch=z9hG4bK1;rport, SIP/2.0/TCP g;received=192.0.2.1\r\n"            \
    "f: \"A \\\"B\\\"\" <sip:a@b>;tag=1\r\nTo: sip:c@d\r\nCall-ID: 1@x\r\nCSeq: 7 INVITE\r\n"      \
    "m: <sip:a@h;x>;expires=3, <sip:b@h>\r\nSubject: one\r\n  two\r\nMax-Forwards: 9\r\nl: "       \
    "4\r\n\r\nbody"

static const char good[] = TEXT;

static secsip_message *parse(const char *text)
{
    secsip_message *m = NULL;
    assert_int_equal(secsip_message_parse(text, strlen(text), NULL, &m), 0);
    return m;
}

/* The Request-URI may not have headers; the rest of the text is used without them. */
static char *without_uri_headers(void)
{
    char *copy = strdup(good);
    char *at = strstr(copy, "?a=b");
    memmove(at, at + 4, strlen(at + 4) + 1);
    return copy;
}

static void getters_say_what_the_wire_said(void **state)
{
    (void)state;
    char *text = without_uri_headers();
    secsip_message *m = parse(text);
    secsip_message_via via = {.size = sizeof via};
    secsip_message_address a = {.size = sizeof a};
    secsip_message_uri u = {.size = sizeof u};
    secsip_message_header h = {.size = sizeof h};
    size_t len = 0;

    assert_int_equal(secsip_message_is_request(m), 1);
    assert_string_equal(secsip_message_get_method(m), "INVITE");
    assert_string_equal(secsip_message_get_request_uri(m), "sips:bob:pw@[2001:db8::1]:5061;lr");
    assert_string_equal(secsip_message_get_call_id(m), "1@x");
    assert_int_equal(secsip_message_get_cseq(m), 7);
    assert_string_equal(secsip_message_get_cseq_method(m), "INVITE");
    assert_int_equal(secsip_message_get_max_forwards(m), 9);
    assert_int_equal(secsip_message_get_status(m), 0);
    assert_null(secsip_message_get_reason(m));
    assert_memory_equal(secsip_message_get_body(m, &len), "body", 4);
    assert_int_equal(len, 4);
    assert_int_equal(secsip_message_get_via(m, 0, &via), 0);
    assert_string_equal(via.branch, "z9hG4bK1");
    assert_true(via.port == 5061 && via.has_rport && via.rport == 0 && !via.received);
    assert_string_equal(via.params, ";branch=z9hG4bK1;rport");
    assert_int_equal(secsip_message_get_via(m, 1, &via), 0);
    assert_string_equal(via.received, "192.0.2.1");
    assert_null(via.branch);
    assert_int_equal(secsip_message_get_via(m, 2, &via), SECSIP_E_NOT_FOUND);
    assert_int_equal(secsip_message_get_address(m, "from", 0, &a), 0);
    assert_string_equal(a.display, "A \"B\"");
    assert_string_equal(a.tag, "1");
    assert_int_equal(secsip_message_get_address(m, "Contact", 0, &a), 0);
    assert_string_equal(a.params, ";expires=3");
    assert_null(a.display);
    assert_int_equal(secsip_message_get_address(m, "Contact", 2, &a), SECSIP_E_NOT_FOUND);
    assert_int_equal(secsip_message_get_address(m, "Subject", 0, &a), SECSIP_E_SIP_ADDRESS);
    assert_int_equal(secsip_message_get_address(m, "Route", 0, &a), SECSIP_E_NOT_FOUND);
    assert_int_equal(secsip_message_get_uri(m, NULL, 0, &u), 0);
    assert_string_equal(u.password, "pw");
    assert_string_equal(u.host, "[2001:db8::1]");
    assert_string_equal(u.params, ";lr");
    assert_true(u.port == 5061);
    assert_int_equal(secsip_message_get_uri(m, "To", 0, &u), 0);
    assert_string_equal(u.user, "c");
    assert_string_equal(u.params, "");
    assert_int_equal(secsip_message_get_header(m, 6, &h), 0);
    assert_string_equal(h.name, "Subject");
    assert_string_equal(h.value, "one two");
    assert_int_equal(secsip_message_get_n_headers(m), 9);
    assert_int_equal(secsip_message_get_header(m, 9, &h), SECSIP_E_NOT_FOUND);
    secsip_message_unref(secsip_message_ref(m));
    secsip_message_unref(m);
    secsip_message_unref(NULL);
    free(text);
}

static void a_faulty_request_can_be_looked_at_but_not_written(void **state)
{
    (void)state;
    secsip_message *m = parse(good);
    secsip_message_fault f = {.size = sizeof f};
    size_t len;

    assert_int_equal(secsip_message_get_fault(m, &f), 1);
    assert_int_equal(f.result, SECSIP_E_SIP_URI);
    assert_int_equal(f.status, 400);
    assert_int_equal(secsip_message_get_verdict(m), 400);
    assert_int_equal(f.offset, strstr(good, "?a=b") + 1 - good);
    assert_null(secsip_message_get_request_uri(m));
    assert_string_equal(secsip_message_get_call_id(m), "1@x");
    assert_int_equal(secsip_message_write(m, NULL, 0, &len), SECSIP_E_STATE);
    secsip_message_unref(m);
}

static void structures_of_other_sizes_are_respected(void **state)
{
    (void)state;
    secsip_message_fault f = {.size = 4};
    secsip_message *m = NULL;
    struct {
        secsip_message_fault f;
        char after[8];
    } shorter = {.f.size = offsetof(secsip_message_fault, offset), .after = "guard"};

    assert_int_equal(secsip_message_parse("x", 1, &f, &m), SECSIP_E_ABI);
    shorter.f.offset = 77;
    assert_int_equal(secsip_message_parse("x y", 3, &shorter.f, &m), SECSIP_E_SIP_TRUNCATED);
    assert_int_equal(shorter.f.offset, 77);
    assert_int_equal(shorter.f.status, 400);
    assert_int_equal(secsip_message_parse(NULL, 1, NULL, &m), SECSIP_E_INVALID);
    assert_int_equal(secsip_message_parse("x", 1, NULL, NULL), SECSIP_E_INVALID);
    assert_null(m);
}

static void writing_needs_room(void **state)
{
    (void)state;
    char *text = without_uri_headers(), out[1024];
    secsip_message *m = parse(text);
    size_t len = 0, again = 0;

    assert_int_equal(secsip_message_write(m, NULL, 0, &len), SECSIP_E_LIMIT);
    assert_int_equal(secsip_message_write(m, out, len - 1, &again), SECSIP_E_LIMIT);
    assert_int_equal(again, len);
    assert_int_equal(secsip_message_write(m, out, sizeof out, &again), 0);
    assert_memory_equal(out + len - 4, "body", 4);
    assert_non_null(strstr(out, "\r\nFrom: \"A \\\"B\\\"\" <sip:a@b>;tag=1\r\n"));
    secsip_message_unref(m);
    free(text);
}

/* A whole use of the interface; memory may run out at any place. */
static void use_all(void *arg)
{
    const char *text = arg;
    secsip_message_stream *s = NULL;
    secsip_message *m = NULL;
    secsip_message_via via = {.size = sizeof via};
    secsip_message_address a = {.size = sizeof a};
    secsip_message_uri u = {.size = sizeof u};
    secsip_message_header h = {.size = sizeof h};
    char out[1024];
    size_t len;
    secsip_result rc = secsip_message_stream_new(0, &s);

    if (rc == 0)
        rc = secsip_message_stream_feed(s, text, strlen(text));
    if (rc == 0)
        rc = secsip_message_stream_next(s, NULL, &m);
    if (rc == SECSIP_MESSAGE_STREAM_MESSAGE) {
        rc = secsip_message_get_via(m, 0, &via);
        rc = rc < 0 ? rc : secsip_message_get_address(m, "From", 0, &a);
        rc = rc < 0 ? rc : secsip_message_get_uri(m, NULL, 0, &u);
        rc = rc < 0 ? rc : secsip_message_get_header(m, 0, &h);
        rc = rc < 0 ? rc : secsip_message_write(m, out, sizeof out, &len);
    }
    assert_int_equal(rc, test_oom_has_failed() ? SECSIP_E_NOMEM : 0);
    secsip_message_unref(m);
    secsip_message_stream_free(s);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    char *text = without_uri_headers();
    assert_true(test_oom_each(use_all, text) > 8);
    free(text);
}

static void streams_pass_on_what_the_framer_finds(void **state)
{
    (void)state;
    static const char text[] =
        "\r\nSIP/2.0 99 No\r\nVia: SIP/2.0/TLS h\r\nFrom: <sip:a>\r\nTo: <sip:b>\r\nCall-ID: 1\r\n"
        "CSeq: 1 BYE\r\nl: 0\r\n\r\nOPTIONS sip:b SIP/2.0\r\n\r\n";
    secsip_message_stream *s = NULL;
    secsip_message_fault f = {.size = sizeof f};
    secsip_message *m = NULL;

    assert_int_equal(secsip_message_stream_new(0, &s), 0);
    assert_int_equal(secsip_message_stream_next(s, &f, &m), SECSIP_MESSAGE_STREAM_MORE);
    assert_int_equal(secsip_message_stream_feed(s, text, sizeof text - 1), 0);
    assert_int_equal(secsip_message_stream_next(s, &f, &m), SECSIP_MESSAGE_STREAM_PONG);
    assert_int_equal(secsip_message_stream_next(s, &f, &m), SECSIP_MESSAGE_STREAM_DROPPED);
    assert_int_equal(f.result, SECSIP_E_SIP_STATUS);
    assert_int_equal(secsip_message_stream_next(s, &f, &m), SECSIP_E_SIP_CONTENT_LENGTH);
    assert_int_equal(f.status, 400);
    assert_int_equal(secsip_message_stream_get_pending(s), strlen("OPTIONS sip:b SIP/2.0\r\n\r\n"));
    assert_null(m);
    secsip_message_stream_free(s);
    secsip_message_stream_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(getters_say_what_the_wire_said),
        cmocka_unit_test(a_faulty_request_can_be_looked_at_but_not_written),
        cmocka_unit_test(structures_of_other_sizes_are_respected),
        cmocka_unit_test(writing_needs_room),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(streams_pass_on_what_the_framer_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
