/* The public getters of typed header fields: what the wire said, by name in any form, and errors that are told apart. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include <secsip/header.h>

#include "oom.h"

#define START                                                                                      \
    "OPTIONS sip:b@h SIP/2.0\r\nVia: SIP/2.0/TLS h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\n"   \
    "To: <sip:b@h>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n"

/* A message with these lines (each with CR LF). */
static secsip_message *with(const char *lines)
{
    char text[4096];
    secsip_message *m = NULL;

    int n = snprintf(text, sizeof text, START "%s\r\n", lines);
    assert_int_equal(secsip_message_parse(text, (size_t)n, NULL, &m), 0);
    return m;
}

static void value_is(secsip_message *m, const char *name, uint32_t index, const char *value,
                     const char *params, uint64_t number)
{
    secsip_message_value v = {.size = sizeof v};

    secsip_result rc = secsip_message_get_value(m, name, index, &v);
    if (rc < 0)
        fail_msg("%s %u: %s", name, index, secsip_result_name(rc));
    assert_string_equal(v.value, value);
    assert_int_equal(v.value_len, strlen(value));
    assert_string_equal(v.params, params);
    assert_int_equal(v.number, number);
}

static void every_form_of_value(void **state)
{
    (void)state;
    secsip_message *m = with("Accept: application / sdp ; level = 1, */*;q=0.1\r\n"
                             "Accept-Encoding: gzip;q=1.0, *\r\nAccept-Language: en-gb;q=0.8\r\n"
                             "Allow: INVITE,ACK\r\nallow: BYE\r\nk: 100rel , outbound\r\n"
                             "o: presence;id=1\r\nu: presence, dialog.winfo\r\n"
                             "Call-Info: <http://h/a,b;c>;purpose=icon, <http://h/>\r\n"
                             "Content-Disposition: session;handling=optional\r\ne: gzip\r\n"
                             "c: multipart/mixed;boundary=\"a;b\"\r\nExpires: 4294967295\r\n"
                             "Min-SE: 90;x\r\nx: 1800;refresher=uac\r\nPrivacy: id;critical\r\n"
                             "Reason: SIP;cause=200;text=\"a, b\", Q.850;cause=16\r\n"
                             "Retry-After: 5 (no, (not) now);duration=3\r\nIn-Reply-To: a@b, c\r\n"
                             "Replaces: a@b;to-tag=1;from-tag=2\r\nX-Own: any thing, even;this\r\n"
                             "s: a\r\n  b\r\nWarning: 370 h \"a, b\", 307 h \"c\"\r\n");

    value_is(m, "Accept", 0, "application/sdp", ";level=1", 0);
    value_is(m, "ACCEPT", 1, "*/*", ";q=0.1", 0);
    value_is(m, "accept-encoding", 1, "*", "", 0);
    value_is(m, "Accept-Language", 0, "en-gb", ";q=0.8", 0);
    value_is(m, "Allow", 2, "BYE", "", 0);
    value_is(m, "Supported", 1, "outbound", "", 0);
    value_is(m, "Event", 0, "presence", ";id=1", 0);
    value_is(m, "u", 1, "dialog.winfo", "", 0);
    value_is(m, "Call-Info", 0, "http://h/a,b;c", ";purpose=icon", 0);
    value_is(m, "Call-Info", 1, "http://h/", "", 0);
    value_is(m, "Content-Disposition", 0, "session", ";handling=optional", 0);
    value_is(m, "Content-Encoding", 0, "gzip", "", 0);
    value_is(m, "Content-Type", 0, "multipart/mixed", ";boundary=\"a;b\"", 0);
    value_is(m, "Expires", 0, "4294967295", "", 4294967295U);
    value_is(m, "Min-SE", 0, "90", ";x", 90);
    value_is(m, "Session-Expires", 0, "1800", ";refresher=uac", 1800);
    value_is(m, "Privacy", 0, "id", ";critical", 0);
    value_is(m, "Reason", 0, "SIP", ";cause=200;text=\"a, b\"", 0);
    value_is(m, "Retry-After", 0, "5", ";duration=3", 5);
    value_is(m, "In-Reply-To", 1, "c", "", 0);
    value_is(m, "Replaces", 0, "a@b", ";to-tag=1;from-tag=2", 0);
    value_is(m, "x-own", 0, "any thing, even;this", "", 0);
    value_is(m, "Subject", 0, "a b", "", 0);
    value_is(m, "Warning", 1, "307 h \"c\"", "", 0);
    secsip_message_unref(m);
}

static void errors_of_values_are_told_apart(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"Accept", "application"},
        {"Allow", "IN VITE"},
        {"Supported", "a;b"},
        {"Event", "a;b="},
        {"Expires", "soon"},
        {"Min-Expires", "4294967296"},
        {"Session-Expires", "90;"},
        {"Retry-After", "5 (now"},
        {"In-Reply-To", "a@b@c"},
        {"Alert-Info", "http://h/"},
        {"Content-Disposition", ""},
        {"Content-Type", "a/"},
        {"Accept-Encoding", "gzip q=1"},
        {"RSeq", "-1"},
        {"Reason", ";cause=1"},
    };
    secsip_message_value v = {.size = sizeof v};
    char line[200];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(line, sizeof line, "%s: %s\r\n", bad[i][0], bad[i][1]);
        secsip_message *m = with(line);
        if (secsip_message_get_value(m, bad[i][0], 0, &v) != SECSIP_E_SIP_HEADER)
            fail_msg("taken: %s", line);
        secsip_message_unref(m);
    }
    secsip_message *m = with("Allow: A\r\nX-Y: y\r\n");
    static const char *const others[] = {"From", "v", "Route", "Authorization", "r"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(secsip_message_get_value(m, others[i], 0, &v), SECSIP_E_INVALID);
    assert_int_equal(secsip_message_get_value(m, NULL, 0, &v), SECSIP_E_INVALID);
    assert_int_equal(secsip_message_get_value(m, "Allow", 1, &v), SECSIP_E_NOT_FOUND);
    assert_int_equal(secsip_message_get_value(m, "Supported", 0, &v), SECSIP_E_NOT_FOUND);
    assert_int_equal(secsip_message_get_value(m, "Expires", 0, &v), SECSIP_E_NOT_FOUND);
    assert_int_equal(secsip_message_get_value(m, "X-Y", 1, &v), SECSIP_E_NOT_FOUND);
    v.size = 1;
    assert_int_equal(secsip_message_get_value(m, "X-Y", 0, &v), SECSIP_E_ABI);
    secsip_message_unref(m);
}

static void headers_by_name(void **state)
{
    (void)state;
    secsip_message *m = with("X-Own: 1\r\nY: 2\r\nx-own: 3\r\nm: <sip:a>\r\n");
    secsip_message_header h = {.size = sizeof h};
    secsip_message_address a = {.size = sizeof a};

    assert_int_equal(secsip_message_find_header(m, "X-OWN", 1, &h), 0);
    assert_string_equal(h.name, "x-own");
    assert_string_equal(h.value, "3");
    assert_int_equal(secsip_message_find_header(m, "contact", 0, &h), 0);
    assert_string_equal(h.name, "Contact");
    assert_int_equal(secsip_message_find_header(m, "X-Own", 2, &h), SECSIP_E_NOT_FOUND);
    assert_int_equal(secsip_message_find_header(m, "Z", 0, &h), SECSIP_E_NOT_FOUND);
    assert_int_equal(secsip_message_find_header(m, NULL, 0, &h), SECSIP_E_INVALID);
    assert_int_equal(secsip_message_get_address(m, "X-Own", 0, &a), SECSIP_E_SIP_ADDRESS);
    secsip_message_unref(m);
    /* Addresses in fields that this library does not know. */
    m = with("P-Asserted-Identity: \"A, B\" <sip:a@h>, <tel:+1-2>\r\nX-Y: <sip:x@h>\r\n"
             "p-asserted-identity: <sip:c@h>\r\n");
    assert_int_equal(secsip_message_get_address(m, "P-Asserted-Identity", 0, &a), 0);
    assert_string_equal(a.display, "A, B");
    assert_int_equal(secsip_message_get_address(m, "P-Asserted-Identity", 1, &a), 0);
    assert_string_equal(a.uri, "tel:+1-2");
    assert_int_equal(secsip_message_get_address(m, "P-Asserted-Identity", 2, &a), 0);
    assert_string_equal(a.uri, "sip:c@h");
    assert_int_equal(secsip_message_get_address(m, "P-Asserted-Identity", 3, &a),
                     SECSIP_E_NOT_FOUND);
    secsip_message_unref(m);
}

/* Every compact form of RFC 3261 7.3.3 and of the registry since. */
static void compact_forms(void **state)
{
    (void)state;
    static const char *const forms[][2] = {
        {"a", "a"},
        {"b", "Referred-By"},
        {"c", "Content-Type"},
        {"d", "d"},
        {"e", "Content-Encoding"},
        {"j", "j"},
        {"k", "Supported"},
        {"m", "Contact"},
        {"n", "n"},
        {"o", "Event"},
        {"r", "Refer-To"},
        {"s", "Subject"},
        {"u", "Allow-Events"},
        {"x", "Session-Expires"},
        {"y", "Identity"},
    };
    secsip_message_header h = {.size = sizeof h};
    char line[32];

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        snprintf(line, sizeof line, "%s: <sip:a>\r\n", forms[i][0]);
        secsip_message *m = with(line);
        assert_int_equal(secsip_message_find_header(m, forms[i][1], 0, &h), 0);
        assert_string_equal(h.name, forms[i][1]);
        secsip_message_unref(m);
    }
}

static void parameters_by_name(void **state)
{
    (void)state;
    char out[16];

    assert_int_equal(secsip_message_get_param(";a=b;c;D=\"x;\\\"y\"", "d", out, sizeof out), 4);
    assert_string_equal(out, "x;\"y");
    assert_int_equal(secsip_message_get_param(";a=b;c", "C", out, sizeof out), 0);
    assert_string_equal(out, "");
    assert_int_equal(secsip_message_get_param(" ; a = b ; c", "a", out, sizeof out), 1);
    assert_int_equal(secsip_message_get_param(";transport=tls;lr", "lr", out, sizeof out), 0);
    assert_int_equal(secsip_message_get_param(";x/y=[::1];z", "x/y", out, sizeof out), 5);
    assert_int_equal(secsip_message_get_param(";a=\"b;c=d\"", "c", out, sizeof out),
                     SECSIP_E_NOT_FOUND);
    assert_int_equal(secsip_message_get_param("", "a", out, sizeof out), SECSIP_E_NOT_FOUND);
    assert_int_equal(secsip_message_get_param(";a=0123456789012345", "a", out, sizeof out),
                     SECSIP_E_LIMIT);
    assert_int_equal(secsip_message_get_param(";a=012345678901234", "a", out, sizeof out), 15);
    assert_int_equal(secsip_message_get_param(NULL, "a", out, sizeof out), SECSIP_E_INVALID);
    assert_int_equal(secsip_message_get_param(";a", NULL, out, sizeof out), SECSIP_E_INVALID);
    assert_int_equal(secsip_message_get_param(";a", "a", NULL, 1), SECSIP_E_INVALID);
}

static void date_reason_rack_replaces_session(void **state)
{
    (void)state;
    secsip_message *m = with("Date: Sat, 13 Nov 2010 23:29:00 GMT\r\nRAck: 776656 1 INVITE\r\n"
                             "Reason: Q.850;cause=16;text=\"T \\\"x\\\"\"\r\nReason: SIP\r\n"
                             "Replaces: a@b;from-tag=2;to-tag=1;early-only\r\n"
                             "x: 1800;refresher=uas\r\n");
    secsip_message_cause c = {.size = sizeof c};
    secsip_message_rack k = {.size = sizeof k};
    secsip_message_replaces p = {.size = sizeof p};
    secsip_message_session e = {.size = sizeof e};
    int64_t date = 0;

    assert_int_equal(secsip_message_get_date(m, &date), 0);
    assert_int_equal(date, 1289690940);
    assert_int_equal(secsip_message_get_date(m, NULL), SECSIP_E_INVALID);
    assert_int_equal(secsip_message_get_cause(m, 0, &c), 0);
    assert_string_equal(c.protocol, "Q.850");
    assert_string_equal(c.text, "T \"x\"");
    assert_true(c.text_len == 5 && c.has_cause == 1 && c.cause == 16);
    assert_int_equal(secsip_message_get_cause(m, 1, &c), 0);
    assert_true(!c.text && c.has_cause == 0);
    assert_int_equal(secsip_message_get_cause(m, 2, &c), SECSIP_E_NOT_FOUND);
    assert_int_equal(secsip_message_get_rack(m, &k), 0);
    assert_true(k.rseq == 776656 && k.cseq == 1);
    assert_string_equal(k.method, "INVITE");
    assert_int_equal(secsip_message_get_replaces(m, &p), 0);
    assert_string_equal(p.call_id, "a@b");
    assert_string_equal(p.to_tag, "1");
    assert_string_equal(p.from_tag, "2");
    assert_int_equal(p.early_only, 1);
    assert_int_equal(secsip_message_get_session(m, &e), 0);
    assert_true(e.seconds == 1800 && e.refresher == SECSIP_REFRESHER_UAS);
    secsip_message_unref(m);

    m = with("Date: x\r\nRAck: x\r\nReason: SIP;cause=x\r\nReplaces: x\r\nx: x\r\n");
    assert_int_equal(secsip_message_get_date(m, &date), SECSIP_E_SIP_HEADER);
    assert_int_equal(secsip_message_get_cause(m, 0, &c), SECSIP_E_SIP_HEADER);
    assert_int_equal(secsip_message_get_rack(m, &k), SECSIP_E_SIP_HEADER);
    assert_int_equal(secsip_message_get_replaces(m, &p), SECSIP_E_SIP_HEADER);
    assert_int_equal(secsip_message_get_session(m, &e), SECSIP_E_SIP_HEADER);
    secsip_message_unref(m);

    m = with("");
    assert_int_equal(secsip_message_get_date(m, &date), SECSIP_E_NOT_FOUND);
    assert_int_equal(secsip_message_get_cause(m, 0, &c), SECSIP_E_NOT_FOUND);
    assert_int_equal(secsip_message_get_rack(m, &k), SECSIP_E_NOT_FOUND);
    assert_int_equal(secsip_message_get_replaces(m, &p), SECSIP_E_NOT_FOUND);
    assert_int_equal(secsip_message_get_session(m, &e), SECSIP_E_NOT_FOUND);
    secsip_message_unref(m);
}

static void challenges_and_credentials(void **state)
{
    (void)state;
    secsip_message *m =
        with("WWW-Authenticate: Digest realm=\"a\\\"b\", nonce=\"n\", qop=\"auth,auth-int\",\r\n"
             " algorithm=SHA-256, Negotiate YWJj==, Digest realm=\"a\",nonce=\"1\", stale=TRUE\r\n"
             "WWW-Authenticate: Own x=y\r\nWWW-Authenticate: Bare\r\n"
             "Authorization: Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:b\",\r\n"
             " response=\"00\", cnonce=\"c\", nc=00000001, qop=auth, opaque=\"\"\r\n"
             "Proxy-Authenticate: Digest realm=\"r\", realm=\"s\"\r\nProxy-Authorization: a=b\r\n");
    secsip_message_auth a = {.size = sizeof a};

    assert_int_equal(secsip_message_get_auth(m, "www-authenticate", 0, &a), 0);
    assert_string_equal(a.scheme, "Digest");
    assert_string_equal(a.realm, "a\"b");
    assert_string_equal(a.qop, "auth,auth-int");
    assert_string_equal(a.algorithm, "SHA-256");
    assert_string_equal(a.params, "realm=\"a\\\"b\", nonce=\"n\", qop=\"auth,auth-int\", "
                                  "algorithm=SHA-256");
    assert_true(!a.opaque && !a.username && !a.stale);
    assert_int_equal(secsip_message_get_auth(m, "WWW-Authenticate", 1, &a), 0);
    assert_string_equal(a.scheme, "Negotiate");
    assert_string_equal(a.params, "YWJj==");
    assert_null(a.realm);
    assert_int_equal(secsip_message_get_auth(m, "WWW-Authenticate", 2, &a), 0);
    assert_string_equal(a.stale, "TRUE");
    assert_int_equal(secsip_message_get_auth(m, "WWW-Authenticate", 3, &a), 0);
    assert_string_equal(a.scheme, "Own");
    assert_string_equal(a.params, "x=y");
    assert_int_equal(secsip_message_get_auth(m, "WWW-Authenticate", 4, &a), 0);
    assert_string_equal(a.scheme, "Bare");
    assert_string_equal(a.params, "");
    assert_int_equal(secsip_message_get_auth(m, "WWW-Authenticate", 5, &a), SECSIP_E_NOT_FOUND);
    assert_int_equal(secsip_message_get_auth(m, "Authorization", 0, &a), 0);
    assert_string_equal(a.username, "u");
    assert_string_equal(a.uri, "sip:b");
    assert_string_equal(a.response, "00");
    assert_string_equal(a.cnonce, "c");
    assert_string_equal(a.nc, "00000001");
    assert_string_equal(a.opaque, "");
    assert_int_equal(secsip_message_get_auth(m, "Proxy-Authenticate", 0, &a), SECSIP_E_SIP_AUTH);
    assert_int_equal(secsip_message_get_auth(m, "Proxy-Authorization", 0, &a), SECSIP_E_SIP_AUTH);
    assert_int_equal(secsip_message_get_auth(m, "From", 0, &a), SECSIP_E_INVALID);
    assert_int_equal(secsip_message_get_auth(m, NULL, 0, &a), SECSIP_E_INVALID);
    secsip_message_unref(m);
}

static void uris_compare(void **state)
{
    (void)state;
    /* RFC 3261 19.1.4's own, and RFC 3966 4. */
    static const char *const equal[][2] = {
        {"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"},
        {"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"},
        {"sip:carol@chicago.com", "sip:carol@chicago.com;security=on"},
        {"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
         "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"},
        {"sip:alice@atlanta.com?subject=project%20x&priority=urgent",
         "sip:alice@atlanta.com?priority=urgent&subject=project%20x"},
        {"tel:+1-201-555-0123", "TEL:+12015550123"},
        {"tel:7042;phone-context=example.com;ext=1-2",
         "tel:70.42;EXT=12;phone-context=EXAMPLE.com"},
        {"tel:863-1234;phone-context=+1-914-555", "tel:8631234;phone-context=+1914555"},
        {"tel:*A1;phone-context=h", "tel:*a1;phone-context=h"},
        {"mailto:a@b", "MAILTO:a@b"},
    };
    static const char *const different[][2] = {
        {"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"},
        {"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"},
        {"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"},
        {"sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"},
        {"sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"},
        {"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"},
        {"sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"},
        {"sip:a@b", "sips:a@b"},
        {"tel:+12015550123", "tel:12015550123;phone-context=+1"},
        {"tel:+1201", "tel:+1201;ext=1"},
        {"tel:+1201;ext=1", "tel:+1201;ext=2"},
        {"tel:+1201;a", "tel:+1201;a=1"},
        {"tel:1201;phone-context=+1", "tel:1201;phone-context=+2"},
        {"tel:+1201", "tel:+12010"},
        {"mailto:a@b", "mailto:A@b"},
    };

    for (size_t i = 0; i < sizeof equal / sizeof equal[0]; i++)
        for (int turn = 0; turn < 2; turn++)
            if (secsip_message_uri_equal(equal[i][turn], equal[i][!turn]) != 1)
                fail_msg("%s and %s", equal[i][0], equal[i][1]);
    for (size_t i = 0; i < sizeof different / sizeof different[0]; i++)
        for (int turn = 0; turn < 2; turn++)
            if (secsip_message_uri_equal(different[i][turn], different[i][!turn]) != 0)
                fail_msg("%s and %s", different[i][0], different[i][1]);
    assert_int_equal(secsip_message_uri_equal("sip:a@b", "sip:a@b c"), SECSIP_E_SIP_URI);
    assert_int_equal(secsip_message_uri_equal("", "sip:a"), SECSIP_E_SIP_URI);
    assert_int_equal(secsip_message_uri_equal(NULL, "sip:a"), SECSIP_E_INVALID);
}

static void use_all(void *arg)
{
    secsip_message *m = arg;
    secsip_message_value v = {.size = sizeof v};
    secsip_message_cause c = {.size = sizeof c};
    secsip_message_rack k = {.size = sizeof k};
    secsip_message_replaces p = {.size = sizeof p};
    secsip_message_auth a = {.size = sizeof a};
    secsip_message_header h = {.size = sizeof h};
    const secsip_result got[] = {
        secsip_message_get_value(m, "Accept", 0, &v),
        secsip_message_get_value(m, "Expires", 0, &v),
        secsip_message_get_value(m, "Call-Info", 0, &v),
        secsip_message_get_value(m, "X-Y", 0, &v),
        secsip_message_get_cause(m, 0, &c),
        secsip_message_get_rack(m, &k),
        secsip_message_get_replaces(m, &p),
        secsip_message_get_auth(m, "Authorization", 0, &a),
        secsip_message_find_header(m, "X-Y", 0, &h),
    };
    int n_failed = 0;

    for (size_t i = 0; i < sizeof got / sizeof got[0]; i++) {
        if (got[i] < 0 && got[i] != SECSIP_E_NOMEM)
            fail_msg("%zu: %s", i, secsip_result_name(got[i]));
        n_failed += got[i] < 0;
    }
    assert_int_equal(n_failed, test_oom_has_failed() ? 1 : 0);
}

static void one_message_each(void *arg)
{
    char text[1024];
    secsip_message *m = NULL;

    int n = snprintf(text, sizeof text, START "%s\r\n", (const char *)arg);
    test_oom_pause();
    assert_int_equal(secsip_message_parse(text, (size_t)n, NULL, &m), 0);
    test_oom_resume();
    use_all(m);
    secsip_message_unref(m);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    static char lines[] =
        "Accept: a/b;c=d\r\nExpires: 5\r\nCall-Info: <http://h>\r\nX-Y: y\r\nReason: SIP\r\n"
        "RAck: 1 2 INVITE\r\nReplaces: a;to-tag=1;from-tag=2\r\n"
        "Authorization: Digest realm=\"r\"\r\n";

    assert_true(test_oom_each(one_message_each, lines) > 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_value),
        cmocka_unit_test(errors_of_values_are_told_apart),
        cmocka_unit_test(headers_by_name),
        cmocka_unit_test(compact_forms),
        cmocka_unit_test(parameters_by_name),
        cmocka_unit_test(date_reason_rack_replaces_session),
        cmocka_unit_test(challenges_and_credentials),
        cmocka_unit_test(uris_compare),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
