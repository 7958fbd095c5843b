/* Typed values by the ABNF of their RFCs: what is well-formed is taken apart, what is not is refused whole. */
#include "test.h"

#include <stdio.h>

#include "sip/names.h"
#include "sip/values.h"

static void expect(struct ssi_slice got, const char *want)
{
    if (!ssi_slice_eq(got, ssi_slice_str(want)))
        fail_msg("'%.*s' instead of '%s'", (int)got.len, got.p, want);
}

static void numbers_are_digits_that_fit(void **state)
{
    (void)state;
    static const char *const bad[] = {"",           "-1",  "+1",  "1.0", "0x5",
                                      "4294967296", "1 2", "1;a", "a",   "99999999999999999999999"};
    struct ssi_sip_item item;

    assert_int_equal(ssi_sip_item_parse(SSI_SIP_FORM_NUMBER, SSI_LIT("4294967295"), &item), 0);
    assert_int_equal(item.number, 4294967295U);
    assert_int_equal(ssi_sip_item_parse(SSI_SIP_FORM_NUMBER, SSI_LIT("007"), &item), 0);
    assert_int_equal(item.number, 7);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (ssi_sip_item_parse(SSI_SIP_FORM_NUMBER, ssi_slice_str(bad[i]), &item) !=
            SECSIP_E_SIP_HEADER)
            fail_msg("taken: %s", bad[i]);
}

static void tokens_and_items(void **state)
{
    (void)state;
    static const char *const bad_tokens[] = {"",      "a b", "a;b", "a,b",
                                             "\"a\"", "a/b", "<a>", "a\x80"};
    static const char *const bad_items[] = {
        "", ";a", "a;", "a;;b", "a;b=", "a;b=\"", "a;b c", "a;b;B=1", "a;=b", "a;b=c/d"};
    struct ssi_sip_item item;

    assert_int_equal(ssi_sip_item_parse(SSI_SIP_FORM_TOKEN, SSI_LIT("100rel.x-%!*_+`'~"), &item),
                     0);
    assert_int_equal(ssi_sip_item_parse(SSI_SIP_FORM_ITEM,
                                        SSI_LIT("dialog.winfo ;\r\n a = \"x;\\\"y\" ; b"), &item),
                     0);
    expect(item.main, "dialog.winfo");
    expect(item.params, ";\r\n a = \"x;\\\"y\" ; b");
    for (size_t i = 0; i < sizeof bad_tokens / sizeof bad_tokens[0]; i++)
        if (ssi_sip_item_parse(SSI_SIP_FORM_TOKEN, ssi_slice_str(bad_tokens[i]), &item) !=
            SECSIP_E_SIP_HEADER)
            fail_msg("taken: %s", bad_tokens[i]);
    for (size_t i = 0; i < sizeof bad_items / sizeof bad_items[0]; i++)
        if (ssi_sip_item_parse(SSI_SIP_FORM_ITEM, ssi_slice_str(bad_items[i]), &item) !=
            SECSIP_E_SIP_HEADER)
            fail_msg("taken: %s", bad_items[i]);
}

static void parameters_have_a_limit(void **state)
{
    (void)state;
    struct ssi_sip_item item;
    char text[1000] = "a";
    int n = 1;

    for (int i = 0; i < 129; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, ";p%d", i);
    assert_int_equal(ssi_sip_item_parse(SSI_SIP_FORM_ITEM, ssi_slice_of(text, (size_t)n), &item),
                     SECSIP_E_SIP_TOO_LARGE);
    assert_int_equal(
        ssi_sip_item_parse(SSI_SIP_FORM_ITEM, ssi_slice_of(text, (size_t)n - 5), &item), 0);
}

static void retry_after_has_comments_that_nest(void **state)
{
    (void)state;
    static const char *const bad[] = {"",        "(a)",         "1 (",     "1 (a",
                                      "1 (a(b)", "1 a",         "1 (a) b", "1 (\x01)",
                                      "1 (a\\",  "1 (a\\\xff)", "1 (a))"};
    struct ssi_sip_item item;

    assert_int_equal(ssi_sip_item_parse(SSI_SIP_FORM_RETRY,
                                        SSI_LIT("18000 (a (b) \\) c,\r\n d);duration=3600"), &item),
                     0);
    assert_int_equal(item.number, 18000);
    expect(item.params, ";duration=3600");
    assert_int_equal(ssi_sip_item_parse(SSI_SIP_FORM_RETRY, SSI_LIT("120;duration=1"), &item), 0);
    assert_int_equal(ssi_sip_item_parse(SSI_SIP_FORM_RETRY, SSI_LIT("5"), &item), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (ssi_sip_item_parse(SSI_SIP_FORM_RETRY, ssi_slice_str(bad[i]), &item) !=
            SECSIP_E_SIP_HEADER)
            fail_msg("taken: %s", bad[i]);
}

static void reason_by_rfc3326(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      ";cause=200",
                                      "SIP;cause=",
                                      "SIP;cause=abc",
                                      "SIP;cause=-1",
                                      "SIP;cause=\"200\"",
                                      "SIP;cause",
                                      "SIP;text=word",
                                      "SIP;text",
                                      "SIP;cause=1;CAUSE=2",
                                      "SIP;cause=4294967296",
                                      "S IP"};
    struct ssi_sip_reason r;

    assert_int_equal(ssi_sip_reason_parse(
                         SSI_LIT("Q.850 ;cause=16 ;Text=\"Terminated, \\\"x\\\"\";other=1"), &r),
                     0);
    expect(r.protocol, "Q.850");
    expect(r.text, "\"Terminated, \\\"x\\\"\"");
    assert_true(r.has_cause && r.cause == 16);
    assert_int_equal(ssi_sip_reason_parse(SSI_LIT("SIP"), &r), 0);
    assert_true(!r.has_cause && !r.text.p);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (ssi_sip_reason_parse(ssi_slice_str(bad[i]), &r) != SECSIP_E_SIP_HEADER)
            fail_msg("taken: %s", bad[i]);
}

static void rack_by_rfc3262(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "1",
                                      "1 2",
                                      "1 2 ",
                                      "0 2 INVITE",
                                      "1 2147483648 INVITE",
                                      "4294967296 1 INVITE",
                                      "1 2 INVITE x",
                                      "1 2 IN/VITE",
                                      "-1 2 INVITE",
                                      "1 2INVITE",
                                      "1;2 INVITE"};
    struct ssi_sip_rack r;

    assert_int_equal(ssi_sip_rack_parse(SSI_LIT("4294967295\t2147483647 \r\n INVITE"), &r), 0);
    assert_true(r.rseq == 4294967295U && r.cseq == 2147483647);
    expect(r.method, "INVITE");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (ssi_sip_rack_parse(ssi_slice_str(bad[i]), &r) != SECSIP_E_SIP_HEADER)
            fail_msg("taken: %s", bad[i]);
}

static void replaces_by_rfc3891(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "a@b",
                                      "a@b;to-tag=1",
                                      "a@b;from-tag=1",
                                      ";to-tag=1;from-tag=2",
                                      "a@b;to-tag=1;to-tag=2;from-tag=3",
                                      "a@b;to-tag=\"1\";from-tag=2",
                                      "a@b;to-tag=1;from-tag",
                                      "a@b;to-tag=1;from-tag=2;early-only=yes",
                                      "a@b@c;to-tag=1;from-tag=2",
                                      "a@;to-tag=1;from-tag=2",
                                      "a@b;to-tag=[1];from-tag=2"};
    struct ssi_sip_replaces r;

    assert_int_equal(
        ssi_sip_replaces_parse(
            SSI_LIT("98732@sip.example.com ;From-Tag=r33th4x0r\r\n ;to-tag=ff87ff;x=y"), &r),
        0);
    expect(r.call_id, "98732@sip.example.com");
    expect(r.to_tag, "ff87ff");
    expect(r.from_tag, "r33th4x0r");
    assert_false(r.early_only);
    assert_int_equal(ssi_sip_replaces_parse(SSI_LIT("a;to-tag=0;from-tag=0;early-only"), &r), 0);
    assert_true(r.early_only);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (ssi_sip_replaces_parse(ssi_slice_str(bad[i]), &r) != SECSIP_E_SIP_HEADER)
            fail_msg("taken: %s", bad[i]);
}

static void session_expires_by_rfc4028(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "x",
                                      "90;refresher",
                                      "90;refresher=",
                                      "90;refresher=me",
                                      "90;refresher=\"uac\"",
                                      "90;refresher=uac;refresher=uas",
                                      "90 uac",
                                      "4294967296"};
    struct ssi_sip_session s;

    assert_int_equal(ssi_sip_session_parse(SSI_LIT("4000 ; Refresher = UAC;x"), &s), 0);
    assert_true(s.seconds == 4000 && s.refresher == SSI_SIP_REFRESHER_UAC);
    assert_int_equal(ssi_sip_session_parse(SSI_LIT("90;refresher=uas"), &s), 0);
    assert_int_equal(s.refresher, SSI_SIP_REFRESHER_UAS);
    assert_int_equal(ssi_sip_session_parse(SSI_LIT("90"), &s), 0);
    assert_int_equal(s.refresher, SSI_SIP_REFRESHER_NONE);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (ssi_sip_session_parse(ssi_slice_str(bad[i]), &s) != SECSIP_E_SIP_HEADER)
            fail_msg("taken: %s", bad[i]);
}

static void date_by_rfc3261(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } good[] = {
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"Wed, 31 Dec 1969 23:59:59 GMT", -1},
        {"Sat, 13 Nov 2010 23:29:00 GMT", 1289690940},
        {"Tue, 29 Feb 2000 12:00:00 GMT", 951825600},
        {"Tue, 19 Jan 2038 03:14:08 GMT", 2147483648},
        {"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799},
        {"Sat, 01 Jan 0000 00:00:00 GMT", -62167219200},
    };
    static const char *const bad[] = {"",
                                      "Fri, 01 Jan 2010 16:00:00 EST" /* RFC 4475 3.1.2.12 */,
                                      "Sat, 13 Nov 2010 23:29:00",
                                      "Sun, 13 Nov 2010 23:29:00 GMT",
                                      "Sat, 13 Nov 2010 24:00:00 GMT",
                                      "Sat, 13 Nov 2010 23:60:00 GMT",
                                      "Sat, 13 Nov 2010 23:29:60 GMT",
                                      "Wed, 29 Feb 2001 00:00:00 GMT",
                                      "Sat, 32 Nov 2010 23:29:00 GMT",
                                      "Sat, 00 Nov 2010 23:29:00 GMT",
                                      "Sat, 13 Nox 2010 23:29:00 GMT",
                                      "Sat,13 Nov 2010 23:29:00 GMT ",
                                      "Sat, 13 Nov 10 23:29:00 GMT",
                                      "Sat, 1 3Nov 2010 23:29:00 GMT",
                                      "Saturday, 13-Nov-10 23:29:00 GMT",
                                      "Sat, 13 Nov 2010 2x:29:00 GMT",
                                      "Sat, 13 Nov 2010 23:29:00 GMT\r\n x",
                                      "Sat, -3 Nov 2010 23:29:00 GMT"};
    char text[SSI_SIP_DATE_TEXT];
    int64_t seconds;

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(ssi_sip_date_parse(ssi_slice_str(good[i].text), &seconds), 0);
        assert_int_equal(seconds, good[i].seconds);
        ssi_sip_date_format(seconds, text);
        assert_string_equal(text, good[i].text);
    }
    assert_int_equal(ssi_sip_date_parse(SSI_LIT("sat, 13 NOV 2010 23:29:00 gmt"), &seconds), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (ssi_sip_date_parse(ssi_slice_str(bad[i]), &seconds) != SECSIP_E_SIP_HEADER)
            fail_msg("taken: %s", bad[i]);
}

/* Every day of 800 years there and back. */
static void dates_are_whole(void **state)
{
    (void)state;
    char text[SSI_SIP_DATE_TEXT];
    int64_t back;

    for (int64_t day = -146097; day < 146097; day++) {
        int64_t seconds = day * 86400 + (day & 0xffff);
        ssi_sip_date_format(seconds, text);
        if (ssi_sip_date_parse(ssi_slice_str(text), &back) < 0 || back != seconds)
            fail_msg("%lld is %s", (long long)seconds, text);
    }
}

static void every_known_field_has_a_form(void **state)
{
    (void)state;
    /* Free text, and grammars with a parser of their own or none. */
    static const enum ssi_sip_hdr text[] = {SSI_HDR_AUTHENTICATION_INFO,
                                            SSI_HDR_CSEQ,
                                            SSI_HDR_DATE,
                                            SSI_HDR_IDENTITY,
                                            SSI_HDR_MIME_VERSION,
                                            SSI_HDR_ORGANIZATION,
                                            SSI_HDR_RACK,
                                            SSI_HDR_SERVER,
                                            SSI_HDR_SUBJECT,
                                            SSI_HDR_TIMESTAMP,
                                            SSI_HDR_USER_AGENT,
                                            SSI_HDR_WARNING};

    for (int id = SSI_HDR_OTHER + 1; id < SSI_HDR_COUNT; id++) {
        bool is_text = false;
        for (size_t i = 0; i < sizeof text / sizeof text[0]; i++)
            is_text |= (int)text[i] == id;
        if (is_text != (ssi_sip_form_of((enum ssi_sip_hdr)id) == SSI_SIP_FORM_TEXT))
            fail_msg("%s", ssi_sip_hdr_name((enum ssi_sip_hdr)id));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_digits_that_fit),
        cmocka_unit_test(tokens_and_items),
        cmocka_unit_test(parameters_have_a_limit),
        cmocka_unit_test(retry_after_has_comments_that_nest),
        cmocka_unit_test(reason_by_rfc3326),
        cmocka_unit_test(rack_by_rfc3262),
        cmocka_unit_test(replaces_by_rfc3891),
        cmocka_unit_test(session_expires_by_rfc4028),
        cmocka_unit_test(date_by_rfc3261),
        cmocka_unit_test(dates_are_whole),
        cmocka_unit_test(every_known_field_has_a_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
