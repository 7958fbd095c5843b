/* URIs, addresses and Vias on their own: the grammar's byte classes, what is refused, equality, addresses of record. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "sip/chars.h"
#include "sip/msg.h"

#define ALNUM      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define UNRESERVED ALNUM "-_.!~*'()"

static void byte_classes_are_those_of_rfc3261_25_1(void **state)
{
    (void)state;
    static const struct {
        unsigned mask;
        const char *bytes;
    } rows[] = {
        {SSI_CH_TOKEN, ALNUM "-.!%*_+`'~"},
        {SSI_CH_USER, UNRESERVED "&=+$,;?/"},
        {SSI_CH_USER_BARE, UNRESERVED "&=+$/"},
        {SSI_CH_PASSWORD, UNRESERVED "&=+$,"},
        {SSI_CH_PASSWORD_BARE, UNRESERVED "&=+$"},
        {SSI_CH_PARAM, UNRESERVED "[]/:&+$"},
        {SSI_CH_HNV, UNRESERVED "[]/?:+$"},
        {SSI_CH_HOST, ALNUM "-."},
        {SSI_CH_WORD, ALNUM "-.!%*_+`'~()<>:\\\"/[]?{}"},
        {SSI_CH_VALUE, ALNUM "-.!%*_+`'~[]:"},
        {SSI_CH_URIC, UNRESERVED ";/?:@&=+$,"},
        {SSI_CH_URIC_BARE, UNRESERVED "/:@&=+$"},
        {SSI_CH_DIGIT, "0123456789"},
        {SSI_CH_HEX, "0123456789abcdefABCDEF"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int c = 0; c < 256; c++) {
            bool want = c > 0 && strchr(rows[i].bytes, c) != NULL;
            if (!!ssi_sip_is((char)c, rows[i].mask) != want)
                fail_msg("class %zu, byte %d", i, c);
        }
    for (int c = 0; c < 256; c++)
        assert_int_equal(!!ssi_sip_is((char)c, SSI_CH_QDTEXT),
                         c == '\t' || (c >= 0x20 && c != 0x7f && c != '"' && c != '\\'));
}

static void well_formed_uris_are_taken_apart(void **state)
{
    (void)state;
    struct ssi_sip_uri u;

    assert_int_equal(
        ssi_sip_uri_parse(SSI_LIT("sips:a%20b;x=1:p,w@[::1]:65535;transport=tls;lr?to=a&x="), &u),
        0);
    assert_int_equal(u.scheme, SSI_SIP_SCHEME_SIPS);
    assert_true(ssi_slice_eq(u.user, SSI_LIT("a%20b;x=1")));
    assert_true(ssi_slice_eq(u.password, SSI_LIT("p,w")));
    assert_true(ssi_slice_eq(u.host, SSI_LIT("[::1]")));
    assert_int_equal(u.port, 65535);
    assert_true(ssi_slice_eq(u.params, SSI_LIT(";transport=tls;lr")));
    assert_true(ssi_slice_eq(u.headers, SSI_LIT("to=a&x=")));
    struct ssi_slice v;
    assert_true(ssi_sip_uri_param(&u, SSI_LIT("LR"), &v));
    assert_null(v.p);
    assert_int_equal(ssi_sip_uri_parse(SSI_LIT("SIP:example.com"), &u), 0);
    assert_null(u.user.p);
    assert_int_equal(u.port, 0);

    static const char *const good[] = {
        "sip:a@b",
        "sip:1.2.3.4",
        "sip:a@b.c.:5060",
        "sip:a:@b",
        "sip:+1-2(3)@h",
        "sip:a@[1:2:3:4:5:6:7:8]",
        "sip:a@[::ffff:1.2.3.4]",
        "sip:a@[2001:db8:::1.2.3.4]",
        "tel:+1-201-555",
        "tel:7042;phone-context=example.com",
        "tel:#31#5;phone-context=+1",
        "tel:(1)",
        "tel:911",
        "tel:+1;isub=a,b?c:d;ext=1-2;phone-context=+1-(2)",
        "TEL:*A#1;Phone-Context=a.example;x-y;z=%5b[/:&+$]",
        "isbn:2983792873",
        "soap.beep://192.0.2.103:3002",
        "x+y-z.1:opaque",
        "sip:h;unknown;other=v",
        "sip:xn--a-b.com",
        "urn:service:sos",
        "http://[2001%3adb8::1]",
        NULL,
    };
    for (size_t i = 0; good[i]; i++)
        if (strchr(good[i], '[') && good[i][0] == 'h')
            assert_int_equal(ssi_sip_uri_parse(ssi_slice_str(good[i]), &u), SECSIP_E_SIP_URI);
        else if (ssi_sip_uri_parse(ssi_slice_str(good[i]), &u) != 0)
            fail_msg("%s", good[i]);
}

static void refuse(const char *const *bad, size_t n)
{
    struct ssi_sip_uri u;

    for (size_t i = 0; i < n; i++)
        if (ssi_sip_uri_parse(ssi_slice_str(bad[i]), &u) != SECSIP_E_SIP_URI)
            fail_msg("accepted: %s", bad[i]);
}

/* RFC 3966 3. */
static void malformed_tel_uris_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "tel:+",
        "tel:;x",
        "tel:-",
        "tel:+-()",
        "tel:+;ext=1",
        "tel:++1",
        "tel:+a",
        "tel:+1#",
        "tel:1g",
        "tel:+1 2",
        "tel:+1;",
        "tel:+1;;x",
        "tel:+1;=1",
        "tel:+1;x=",
        "tel:+1;a.b=1",
        "tel:+1;x=a@b",
        "tel:+1;x;X=1",
        "tel:+1;ext",
        "tel:+1;ext=",
        "tel:+1;ext=a",
        "tel:+1;ext=-",
        "tel:+1;isub",
        "tel:+1;isub=",
        "tel:1;phone-context",
        "tel:1;phone-context=",
        "tel:1;phone-context=+",
        "tel:1;phone-context=-a",
        "tel:1;phone-context=a..b",
        "tel:1;phone-context=a_b",
        "tel:+1?a=b",
        "tel:+1@h",
        "tel:%31",
    };

    refuse(bad, sizeof bad / sizeof bad[0]);
}

static void malformed_uris_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "sip",
        "sip:",
        ":a",
        "1sip:a",
        "sip:@b",
        "sip:a@",
        "sip:a@b@c",
        "sip:bob@2001:db8::1",
        "sip:2001:db8::10",
        "sip:bob@[2001:db8::1",
        "sip:bob@2001:db8::1]",
        "sip:bob@[2001:db8::1]x",
        "sip:bob@[2001:db8::1::2]",
        "sip:bob@[1:2:3:4:5:6:7]",
        "sip:bob@[1:2:3:4:5:6:7:8:9]",
        "sip:bob@[1:2:3:4:5:6:7:1.2.3.4]",
        "sip:bob@[::12345]",
        "sip:bob@[fe80::1%eth0]",
        "sip:bob@[:1:2:3:4:5:6:7]",
        "sip:bob@[1:]",
        "sip:bob@[]",
        "sip:bob@h:",
        "sip:bob@h:alpha",
        "sip:bob@h:-1",
        "sip:bob@h:0",
        "sip:bob@h:65536",
        "sip:bob@h:99999",
        "sip:bob@h:4294972356",
        "sip:bob@h:5060x",
        "sip:bob@300.1.2.3",
        "sip:bob@1.2.3",
        "sip:bob@1.2.3.4.5",
        "sip:bob@01.2.3.4",
        "sip:bob@-h",
        "sip:bob@h-",
        "sip:bob@a..b",
        "sip:bob@a-.b",
        "sip:bob@.",
        "sip:bob@h_x",
        "sip:bo b@h",
        "sip:bob@h ",
        " sip:bob@h",
        "sip:bob%@h",
        "sip:bob%2@h",
        "sip:bob%gg@h",
        "sip:bob\x01@h",
        "sip:b\xc3\xb6@h",
        "sip:bob@h;a=;b=2",
        "sip:bob@h;;lr",
        "sip:bob@h;",
        "sip:bob@h;=1",
        "sip:bob@h;transport=udp;transport=tls",
        "sip:bob@h;aa=1;b;aA=2",
        "sip:bob@h;lr;l%72",
        "sip:bob@h;l%72;lr",
        "sip:bob@h;%6C%72;%6cR=1",
        "sip:bob@h;a;b;c;d;e;f;g;h;%67",
        "sip:bob@h;%61;b;c;d;e;f;g;h;H",
        "sip:bob@h;a=b=c",
        "sip:bob@h?",
        "sip:bob@h?a",
        "sip:bob@h?a=b&",
        "sip:bob@h?a=b?c=\"",
        "sip:bob@h>",
        "tel:",
        "isbn:",
        "http://a b",
        "http://a\"b",
    };
    struct ssi_sip_uri u;

    refuse(bad, sizeof bad / sizeof bad[0]);
    /* An escaped NUL stays an escape and cuts nothing; a raw one is refused. */
    assert_int_equal(ssi_sip_uri_parse(SSI_LIT("sip:bob%00evil@x"), &u), 0);
    assert_true(ssi_slice_eq(u.user, SSI_LIT("bob%00evil")));
    assert_int_equal(ssi_sip_uri_parse(SSI_LIT("sip:bob\0evil@x"), &u), SECSIP_E_SIP_URI);
    assert_int_equal(ssi_sip_uri_parse(SSI_LIT("sip:bob@x\r\nVia: y"), &u), SECSIP_E_SIP_URI);
}

static bool equal(const char *a, const char *b)
{
    struct ssi_sip_uri x, y;
    assert_int_equal(ssi_sip_uri_parse(ssi_slice_str(a), &x), 0);
    assert_int_equal(ssi_sip_uri_parse(ssi_slice_str(b), &y), 0);
    bool one = ssi_sip_uri_equal(&x, &y);
    assert_int_equal(one, ssi_sip_uri_equal(&y, &x));
    return one;
}

static void equality_is_that_of_rfc3261_19_1_4(void **state)
{
    (void)state;
    assert_true(
        equal("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"));
    assert_true(equal("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"));
    assert_true(equal("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"));
    assert_true(equal("sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                      "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"));
    assert_true(equal("sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                      "sip:alice@atlanta.com?priority=urgent&subject=project%20x"));
    assert_false(
        equal("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"));
    assert_false(equal("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"));
    assert_false(equal("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"));
    assert_false(equal("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"));
    assert_false(equal("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"));
    assert_false(equal("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"));
    assert_false(equal("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"));
    assert_false(equal("sip:a@h", "sips:a@h"));
    /* Reserved bytes are not their escapes; an escape is undone once (RFC 4475 3.1.1.3). */
    assert_false(equal("sip:a;b@h", "sip:a%3bb@h"));
    assert_false(equal("sip:value%2541@h", "sip:valueA@h"));
    assert_true(equal("sip:%7ea@h", "sip:~a@h"));
    assert_false(equal("sip:h", "sip:%00@h"));
    assert_false(equal("sip:%00@h", "sip:%00%00@h"));
    /* The names of parameters may be escaped too. */
    assert_false(equal("sip:h;%6daddr=192.0.2.1", "sip:h"));
    assert_true(equal("sip:h;%6Daddr=192.0.2.1", "sip:h;maddr=192.0.2.1"));
    assert_false(equal("sip:h;%78=1", "sip:h;x=2"));
    /* IPv6 by value (RFC 5954 4.2). */
    assert_true(equal("sip:a@[2001:db8::9:1]", "sip:a@[2001:DB8:0:0::9:01]"));
    assert_true(equal("sip:a@[::ffff:192.0.2.1]", "sip:a@[::FFFF:c000:201]"));
    assert_false(equal("sip:a@[2001:db8::9:1]", "sip:a@[2001:db8::9:10]"));
    assert_false(equal("sip:a@[::192.0.2.1]", "sip:a@192.0.2.1"));
    assert_true(equal("sip:a@[2001:db8:::192.0.2.1]", "sip:a@[2001:DB8:::192.0.2.1]"));
    /* Headers may repeat, and count. */
    assert_false(equal("sip:h?x=1&x=1", "sip:h?x=1"));
    assert_true(equal("sip:h?x=1&y=2&X=1", "sip:h?%78=1&x=1&y=2"));
    assert_false(equal("sip:h?x=1&x=1&y=2", "sip:h?x=1&y=2&y=2"));
    assert_false(equal("sip:h?x=1&x=2", "sip:h?x=1&x=1"));
    assert_true(equal("tel:+1", "TEL:+1"));
    assert_false(equal("tel:+1", "tel:+2"));
}

static void addresses_of_record_are_canonical(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"sip:Al%69ce:pw@Example.COM:5070;x=1?a=b", "sip:Alice@example.com"},
        {"sips:a%3bb@h", "sips:a%3Bb@h"},
        {"sip:null-%00-null@h", "sip:null-%00-null@h"},
        {"sip:EXAMPLE.com", "sip:example.com"},
        {"tel:+1", "tel:+1"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ssi_sip_uri u;
        struct ssi_buf b;
        ssi_buf_init(&b, 256);
        assert_int_equal(ssi_sip_uri_parse(ssi_slice_str(rows[i][0]), &u), 0);
        ssi_sip_uri_put_aor(&b, &u);
        assert_true(ssi_slice_eq(ssi_buf_slice(&b), ssi_slice_str(rows[i][1])));
        ssi_buf_free(&b);
    }
}

static void addresses_with_and_without_brackets(void **state)
{
    (void)state;
    struct ssi_sip_addr a;
    struct ssi_slice v;

    assert_int_equal(ssi_sip_addr_parse(SSI_LIT("sip:a@b;tag=1;x"), &a), 0);
    assert_true(ssi_slice_eq(a.tag, SSI_LIT("1")));
    assert_int_equal(a.uri.params.len, 0);
    assert_int_equal(
        ssi_sip_addr_parse(SSI_LIT("A B<sip:a,b;c@h;lr?x=y> ;\r\n expires = \"7,\\\"\" ; q=1"), &a),
        0);
    assert_true(ssi_slice_eq(a.display, SSI_LIT("A B")));
    assert_true(ssi_sip_param(a.params, SSI_LIT("Expires"), &v));
    assert_true(ssi_slice_eq(v, SSI_LIT("\"7,\\\"\"")));
    assert_true(ssi_slice_eq(a.uri.user, SSI_LIT("a,b;c")));
    assert_int_equal(ssi_sip_addr_parse(SSI_LIT("*"), &a), 0);
    assert_true(a.is_star);

    static const char *const bad[] = {
        "",
        "<>",
        "<sip:a@b",
        "sip:a@b>",
        "\"a <sip:a@b>",
        "a, b <sip:a@b>",
        "< sip:a@b>",
        "<sip:a@b >",
        "sip:a@b?x=y",
        "sip:a;b@c",
        "sip:a,b@c",
        "<sip:a@b>;",
        "<sip:a@b>;;x",
        "<sip:a@b>;x=",
        "<sip:a@b>;tag=1;tag=2",
        "<sip:a@b>;x;y;X=1",
        "<sip:a@b>;tag",
        "<sip:a@b>;tag=\"1\"",
        "<sip:a@b> x",
        "<sip:a@b>,<sip:c@d>",
        "\"a\" sip:a@b",
        "<sip:a@b>;x=\"y",
        "J\xc3\xb6rg <sip:a@b>",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (ssi_sip_addr_parse(ssi_slice_str(bad[i]), &a) != SECSIP_E_SIP_ADDRESS)
            fail_msg("accepted: %s", bad[i]);
}

static void vias_keep_what_they_say(void **state)
{
    (void)state;
    struct ssi_sip_via v;

    assert_int_equal(
        ssi_sip_via_parse(
            SSI_LIT("SIP / 2.0 /\r\n TLS  [::1] : 5061 ;rport=7;branch=a;received=::2;x"), &v),
        0);
    assert_true(ssi_slice_eq(v.transport, SSI_LIT("TLS")));
    assert_true(ssi_slice_eq(v.host, SSI_LIT("[::1]")));
    assert_int_equal(v.port, 5061);
    assert_int_equal(v.rport, 7);
    assert_true(ssi_slice_eq(v.received, SSI_LIT("::2")));
    assert_int_equal(ssi_sip_via_parse(SSI_LIT("FOO/7.1/UNKNOWN h;rport"), &v), 0);
    assert_true(v.has_rport && v.rport == 0);

    static const char *const bad[] = {
        "",
        "SIP/2.0/UDP",
        "SIP/2.0 h",
        "SIP/2.0/UDPh;x",
        "SIP/2.0/UDP h:0",
        "SIP/2.0/UDP h:",
        "SIP/2.0/UDP h:70000",
        "SIP/2.0/UDP h;branch=",
        "SIP/2.0/UDP h;branch",
        "SIP/2.0/UDP h;branch=a;branch=b",
        "SIP/2.0/UDP h;x=1;x=1",
        "SIP/2.0/UDP h;;",
        "SIP/2.0/UDP h;rport=x",
        "SIP/2.0/UDP h;rport=70000",
        "SIP/2.0/UDP a@h",
        "SIP/2.0/UDP h i",
        "SIP/2.0/UDP 2001:db8::1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (ssi_sip_via_parse(ssi_slice_str(bad[i]), &v) != SECSIP_E_SIP_VIA)
            fail_msg("accepted: %s", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(byte_classes_are_those_of_rfc3261_25_1),
        cmocka_unit_test(well_formed_uris_are_taken_apart),
        cmocka_unit_test(malformed_uris_are_refused),
        cmocka_unit_test(malformed_tel_uris_are_refused),
        cmocka_unit_test(equality_is_that_of_rfc3261_19_1_4),
        cmocka_unit_test(addresses_of_record_are_canonical),
        cmocka_unit_test(addresses_with_and_without_brackets),
        cmocka_unit_test(vias_keep_what_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
