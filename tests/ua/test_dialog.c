/* Dialogs by themselves (RFC 3261 12): what both sides take from INVITE and 2xx, and the requests made from it. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "oom.h"
#include "sip/build.h"
#include "ua/dialog.h"

static struct ssi_ua ua; /* dialogs use its table only */

static int set_up(void **state)
{
    (void)state;
    return ssi_hash_init(&ua.dialogs);
}

static int tear_down(void **state)
{
    (void)state;
    ssi_hash_free(&ua.dialogs);
    return 0;
}

static struct ssi_sip_msg *parse(const char *start, const char *lines)
{
    char text[4096];
    struct ssi_sip_msg *m = NULL;

    int n =
        snprintf(text, sizeof text,
                 "%s\r\nVia: SIP/2.0/TLS h;branch=z9hG4bK1\r\nCall-ID: c@h\r\n%sCSeq: 7 INVITE\r\n"
                 "Content-Length: 0\r\n\r\n",
                 start, lines);
    assert_int_equal(ssi_sip_msg_parse(text, (size_t)n, true, NULL, NULL, &m), 0);
    assert_int_equal(m->fault.result, 0);
    return m;
}

#define PARTIES "From: \"A\" <sip:a@h;x=1>;tag=ft\r\nTo: <sip:b@h>;tag=tt\r\n"

/* A request of the dialog, read again. */
static struct ssi_sip_msg *request(const struct ssi_dialog *d, enum ssi_sip_method method,
                                   uint32_t cseq)
{
    struct ssi_buf b;
    struct ssi_sip_msg *m = NULL;
    struct ssi_dialog_request r = {.method = method,
                                   .cseq = cseq,
                                   .transport = "TLS",
                                   .branch = "z9hG4bKnew",
                                   .contact = "<sip:me@192.0.2.1;transport=tls>",
                                   .user_agent = "test"};

    assert_true(ssi_addr_parse(SSI_LIT("192.0.2.1:5061"), &r.local));
    ssi_buf_init(&b, 65536);
    ssi_dialog_put_request(d, &b, &r);
    assert_int_equal(ssi_sip_put_end(&b, NULL, NULL, 0), 0);
    assert_int_equal(ssi_sip_msg_parse(b.data + b.off, b.len, true, NULL, NULL, &m), 0);
    assert_int_equal(m->fault.result, 0);
    ssi_buf_free(&b);
    return m;
}

static void slice_is(struct ssi_slice got, const char *want)
{
    if (!ssi_slice_eq(got, ssi_slice_str(want)))
        fail_msg("'%.*s' instead of '%s'", (int)got.len, got.p ? got.p : "", want);
}

static void route_is(const struct ssi_sip_msg *m, const char *const *want)
{
    struct ssi_sip_values it;
    struct ssi_slice v;

    ssi_sip_values_init(&it, m, SSI_HDR_ROUTE);
    for (; *want; want++) {
        assert_true(ssi_sip_values_next(&it, &v));
        slice_is(v, *want);
    }
    assert_false(ssi_sip_values_next(&it, &v));
}

static void caller(struct ssi_dialog *d, const char *lines)
{
    assert_int_equal(ssi_dialog_init_uac(d, &ua, "\"Me\" <sip:me@h>", "sip:b@h", false), 0);
    if (!lines)
        return;
    struct ssi_sip_msg *m = parse("SIP/2.0 200 OK", lines);
    assert_int_equal(ssi_dialog_take_response(d, m), 0);
    ssi_sip_msg_unref(m);
}

static void called(struct ssi_dialog *d, const char *lines)
{
    struct ssi_sip_msg *m = parse("INVITE sip:b@h SIP/2.0", lines);
    assert_int_equal(ssi_dialog_init_uas(d, &ua, m, NULL), 0);
    ssi_sip_msg_unref(m);
}

/* RFC 3261 12.1.2 and 12.2.1.1 */
static void the_caller_reverses_the_route_set(void **state)
{
    (void)state;
    static const char *const routes[] = {"<sip:p3;lr>", "<sip:p2;lr;x=%41>;y", "<sip:p1;lr>", NULL};
    struct ssi_dialog d;

    caller(&d,
           PARTIES "Record-Route: <sip:p1;lr>, <sip:p2;lr;x=%41>;y\r\n"
                   "Record-Route: <sip:p3;lr>\r\nContact: \"B\" <sip:b@192.0.2.7:5070;ob>;q=1\r\n");
    struct ssi_sip_msg *m = request(&d, SSI_SIP_BYE, 8);
    slice_is(m->uri.whole, "sip:b@192.0.2.7:5070;ob");
    route_is(m, routes);
    slice_is(m->from.whole.p ? m->from.display : m->from.whole, "\"Me\"");
    slice_is(m->from.tag, d.local_tag);
    slice_is(m->to.tag, "tt");
    slice_is(m->to.uri.whole, "sip:b@h");
    slice_is(m->call_id, d.call_id);
    assert_true(m->cseq == 8 && m->method == SSI_SIP_BYE && m->max_forwards == 70);
    slice_is(m->via.branch, "z9hG4bKnew");
    assert_true(m->via.has_rport && m->via.port == 5061);
    ssi_sip_msg_unref(m);
    /* The ACK of the 2xx: the INVITE's number, and its own branch (13.2.2.4, 17.1.1.3 is for refusals). */
    m = request(&d, SSI_SIP_ACK, 7);
    assert_true(m->cseq == 7 && m->method == SSI_SIP_ACK);
    route_is(m, routes);
    ssi_sip_msg_unref(m);
    ssi_dialog_free(&d, &ua);
}

/* RFC 3261 12.1.1 */
static void the_called_keeps_the_order(void **state)
{
    (void)state;
    static const char *const routes[] = {"<sip:p1;lr>", "<sip:p2;lr>", NULL};
    struct ssi_dialog d;

    called(&d, "From: \"A\" <sip:a@h;x=1>;tag=ft\r\nTo: sip:b@h\r\n"
               "Record-Route: <sip:p1;lr>,<sip:p2;lr>\r\nContact: <sip:a@192.0.2.8>\r\n");
    struct ssi_sip_msg *m = request(&d, SSI_SIP_BYE, 1);
    slice_is(m->uri.whole, "sip:a@192.0.2.8");
    route_is(m, routes);
    slice_is(m->to.whole, "\"A\" <sip:a@h;x=1>;tag=ft");
    slice_is(m->from.uri.whole, "sip:b@h");
    slice_is(m->from.tag, d.local_tag);
    slice_is(m->call_id, "c@h");
    ssi_sip_msg_unref(m);
    ssi_dialog_free(&d, &ua);
}

/* RFC 3261 12.2.1.1: a strict router is the Request-URI, the remote target comes last. */
static void a_strict_router_gets_its_way(void **state)
{
    (void)state;
    static const char *const routes[] = {"<sip:p1;lr>", "<sip:b@192.0.2.7>", NULL};
    struct ssi_dialog d;

    caller(&d, PARTIES "Record-Route: <sip:p1;lr>, <sip:strict.test;x>\r\n"
                       "Contact: <sip:b@192.0.2.7>\r\n");
    struct ssi_sip_msg *m = request(&d, SSI_SIP_INVITE, 9);
    slice_is(m->uri.whole, "sip:strict.test;x");
    slice_is(ssi_dialog_request_uri(&d), "sip:strict.test;x");
    route_is(m, routes);
    ssi_sip_msg_unref(m);
    ssi_dialog_free(&d, &ua);
}

/* RFC 3261 19.1.1, table 1: no headers in a Request-URI, whatever a Contact or a Record-Route holds. */
static void headers_of_a_uri_do_not_reach_the_request_line(void **state)
{
    (void)state;
    struct ssi_dialog d;

    caller(&d, PARTIES "Contact: <sip:b@192.0.2.7;x?Route=%3Csip:evil%3E&a=b>\r\n");
    struct ssi_sip_msg *m = request(&d, SSI_SIP_BYE, 9);
    slice_is(m->uri.whole, "sip:b@192.0.2.7;x");
    ssi_sip_msg_unref(m);
    ssi_dialog_free(&d, &ua);
    caller(&d, PARTIES "Record-Route: <sip:strict.test?a=b>\r\nContact: <sip:b@192.0.2.7>\r\n");
    m = request(&d, SSI_SIP_BYE, 9);
    slice_is(m->uri.whole, "sip:strict.test");
    ssi_sip_msg_unref(m);
    ssi_dialog_free(&d, &ua);
}

/* Valid, and not fit for a line of ours: folds (RFC 4475 wsinv) and quoted NULs (intmeth). The call must still be ended. */
static void folds_and_quoted_nuls_do_not_spoil_the_dialog(void **state)
{
    (void)state;
    static const char *const routes[] = {"<sip:p1;lr>", NULL};
    static const char nul[] =
        "INVITE sip:b@h SIP/2.0\r\nVia: SIP/2.0/TLS h;branch=z9hG4bK1\r\nCall-ID: c@h\r\n"
        "From: \"\\\0\" <sip:a@h>;tag=ft\r\nTo: \"b\\\0\" <sip:b@h>\r\nCSeq: 7 INVITE\r\n"
        "Contact: \"\\\0\" <sip:a@192.0.2.8>\r\nContent-Length: 0\r\n\r\n";
    struct ssi_dialog d;
    struct ssi_sip_msg *m = NULL;

    called(&d, "From: \"A\r\n B\"\r\n <sip:a@h>\r\n ;tag=ft\r\nTo: T\r\n T\r\n <sip:b@h>\r\n"
               "Record-Route: <sip:p1;lr>\r\n ;x=\"\r\n \"\r\nContact:\r\n \"X\r\n Y\"\r\n "
               "<sip:a@192.0.2.8>\r\n");
    struct ssi_sip_msg *bye = request(&d, SSI_SIP_BYE, 1);
    slice_is(bye->to.whole, "<sip:a@h>;tag=ft");
    slice_is(bye->from.uri.whole, "sip:b@h");
    slice_is(bye->uri.whole, "sip:a@192.0.2.8");
    route_is(bye, routes);
    ssi_sip_msg_unref(bye);
    ssi_dialog_free(&d, &ua);

    assert_int_equal(ssi_sip_msg_parse(nul, sizeof nul - 1, true, NULL, NULL, &m), 0);
    assert_int_equal(m->fault.result, 0);
    assert_int_equal(ssi_dialog_init_uas(&d, &ua, m, NULL), 0);
    ssi_sip_msg_unref(m);
    bye = request(&d, SSI_SIP_BYE, 1);
    slice_is(bye->to.whole, "<sip:a@h>;tag=ft");
    ssi_sip_msg_unref(bye);
    ssi_dialog_free(&d, &ua);
}

/* RFC 3261 12.2.2 */
static void requests_come_in_order_and_move_the_target(void **state)
{
    (void)state;
    struct ssi_dialog d;
    static const struct {
        const char *contact;
        int status;
        const char *target;
    } rows[] = {
        {"", 0, "sip:a@192.0.2.8"},
        {"Contact: <sip:a@192.0.2.9>\r\n", 0, "sip:a@192.0.2.9"},
        {"Contact: <tel:+1>\r\n", 400, "sip:a@192.0.2.9"},
    };

    called(&d, "From: <sip:a@h>;tag=ft\r\nTo: <sip:b@h>\r\nContact: <sip:a@192.0.2.8>\r\n");
    struct ssi_sip_msg *m = parse("INVITE sip:b@h SIP/2.0", PARTIES);
    assert_int_equal(ssi_dialog_take_request(&d, m), 500); /* 7 again */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char lines[256];
        ssi_sip_msg_unref(m);
        snprintf(lines, sizeof lines, PARTIES "%s", rows[i].contact);
        m = parse("INVITE sip:b@h SIP/2.0", lines);
        d.remote_cseq = 6;
        assert_int_equal(ssi_dialog_take_request(&d, m), rows[i].status);
        assert_string_equal(d.remote_target, rows[i].target);
    }
    ssi_sip_msg_unref(m);
    ssi_dialog_free(&d, &ua);
}

/* RFC 5630 5.1.1: a sips dialog is told of no other hop. */
static void sips_stays_sips(void **state)
{
    (void)state;
    static const char *const bad[] = {
        PARTIES "Contact: <sip:b@192.0.2.7>\r\n",
        PARTIES "Record-Route: <sip:p1;lr>\r\nContact: <sips:b@192.0.2.7>\r\n",
    };
    struct ssi_dialog d;

    assert_int_equal(ssi_dialog_init_uac(&d, &ua, "<sips:me@h>", "sips:b@h", true), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ssi_sip_msg *m = parse("SIP/2.0 200 OK", bad[i]);
        assert_int_equal(ssi_dialog_take_response(&d, m), SECSIP_E_UA_SIPS_ROUTE);
        ssi_sip_msg_unref(m);
        assert_string_equal(d.remote_target, "sips:b@h"); /* as it was */
        assert_true(d.n_routes == 0 && !d.remote_tag);
    }
    ssi_dialog_free(&d, &ua);
}

static void routes_are_bounded(void **state)
{
    (void)state;
    char lines[2048] = PARTIES "Contact: <sip:b@h>\r\n";
    struct ssi_dialog d;

    caller(&d, NULL);
    for (int i = 0; i < SSI_DIALOG_ROUTES_MAX; i++)
        strcat(lines, "Record-Route: <sip:p;lr>\r\n");
    struct ssi_sip_msg *m = parse("SIP/2.0 200 OK", lines);
    assert_int_equal(ssi_dialog_take_response(&d, m), 0);
    ssi_sip_msg_unref(m);
    strcat(lines, "Record-Route: <sip:p;lr>\r\n");
    m = parse("SIP/2.0 200 OK", lines);
    assert_int_equal(ssi_dialog_take_response(&d, m), SECSIP_E_LIMIT);
    ssi_sip_msg_unref(m);
    ssi_dialog_free(&d, &ua);
}

static void a_tag_names_one_dialog(void **state)
{
    static const char lines[] = PARTIES "Contact: <sip:a@h>\r\n";
    struct ssi_sip_msg *m = parse("INVITE sip:b@h SIP/2.0", lines);
    struct ssi_dialog one, two;

    (void)state;
    assert_int_equal(ssi_dialog_init_uas(&one, &ua, m, "0123456789abcdef"), 0);
    assert_string_equal(one.local_tag, "0123456789abcdef");
    assert_int_equal(ssi_dialog_init_uas(&two, &ua, m, "0123456789abcdef"), 0);
    assert_string_not_equal(two.local_tag, one.local_tag);
    ssi_dialog_free(&one, &ua);
    ssi_dialog_free(&two, &ua);
    assert_int_equal(ssi_dialog_init_uas(&one, &ua, m, "0123456789abcdef"), 0);
    assert_string_equal(one.local_tag, "0123456789abcdef");
    ssi_dialog_free(&one, &ua);
    ssi_sip_msg_unref(m);
}

static void all_without_memory(void *arg)
{
    const struct ssi_sip_msg *invite = arg;
    struct ssi_dialog d;

    secsip_result r = ssi_dialog_init_uas(&d, &ua, invite, NULL);
    assert_true(r == 0 || r == SECSIP_E_NOMEM);
    if (r == 0)
        ssi_dialog_free(&d, &ua);
    r = ssi_dialog_init_uac(&d, &ua, "<sip:me@h>", "sip:b@h", false);
    assert_true(r == 0 || r == SECSIP_E_NOMEM);
    if (r == 0)
        ssi_dialog_free(&d, &ua);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    struct ssi_sip_msg *m =
        parse("INVITE sip:b@h SIP/2.0", "From: \"A\" <sip:a@h>;tag=ft\r\nTo: <sip:b@h>\r\n"
                                        "Record-Route: <sip:p1;lr>\r\n ;x, <sip:p2;lr>\r\n"
                                        "Contact: <sip:a@192.0.2.8>\r\n");

    assert_true(test_oom_each(all_without_memory, m) > 10);
    ssi_sip_msg_unref(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tag_names_one_dialog),
        cmocka_unit_test(the_caller_reverses_the_route_set),
        cmocka_unit_test(the_called_keeps_the_order),
        cmocka_unit_test(a_strict_router_gets_its_way),
        cmocka_unit_test(headers_of_a_uri_do_not_reach_the_request_line),
        cmocka_unit_test(folds_and_quoted_nuls_do_not_spoil_the_dialog),
        cmocka_unit_test(requests_come_in_order_and_move_the_target),
        cmocka_unit_test(sips_stays_sips),
        cmocka_unit_test(routes_are_bounded),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
