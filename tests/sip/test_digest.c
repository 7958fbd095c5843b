/* Digest authentication: the RFCs' own examples, choice of challenges, and both sides against each other. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/secret.h"
#include "sip/build.h"
#include "sip/digest.h"

static void check_vector(const struct ssi_sip_digest_input *in, const char *password,
                         const char *want)
{
    char out[SSI_HA1_TEXT];
    assert_int_equal(ssi_sip_digest_response(in, password, out), 0);
    assert_string_equal(out, want);
}

static void rfc7616_3_9_1_and_rfc2617_3_5(void **state)
{
    (void)state;
    struct ssi_sip_digest_input in = {
        .algorithm = SSI_DIGEST_MD5,
        .user = SSI_LIT("Mufasa"),
        .realm = SSI_LIT("http-auth@example.org"),
        .nonce = SSI_LIT("7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"),
        .nc = "00000001",
        .cnonce = SSI_LIT("f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"),
        .method = SSI_LIT("GET"),
        .uri = SSI_LIT("/dir/index.html")};

    check_vector(&in, "Circle of Life", "8ca523f5e9506fed4657c9700eebdbec");
    in.algorithm = SSI_DIGEST_SHA256;
    check_vector(&in, "Circle of Life",
                 "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
    in.algorithm = SSI_DIGEST_MD5;
    in.realm = SSI_LIT("testrealm@host.com");
    in.nonce = SSI_LIT("dcd98b7102dd2f0e8b11d0f600bfb0c093");
    in.cnonce = SSI_LIT("0a4f113b");
    check_vector(&in, "Circle Of Life", "6629fae49393a05397450978507c4ef1");
    in.nc = NULL; /* RFC 2069 */
    check_vector(&in, "Circle Of Life", "670fd8c2df070c60b045671b8b24ff02");
}

static struct ssi_sip_msg *message(const char *start, const char *more)
{
    static char text[8192];
    struct ssi_sip_msg *m = NULL;
    int n = snprintf(
        text, sizeof text,
        "%s\r\nVia: SIP/2.0/TLS h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\n"
        "Call-ID: 1\r\nCSeq: 1 REGISTER\r\n%sContent-Length: 0\r\n\r\n",
        start, more);
    assert_int_equal(ssi_sip_msg_parse(text, (size_t)n, true, NULL, NULL, &m), 0);
    return m;
}

static secsip_result pick(const char *headers, struct ssi_sip_challenge *c)
{
    struct ssi_sip_msg *m = message("SIP/2.0 401 Unauthorized", headers);
    secsip_result rc = ssi_sip_challenge_pick(m, c);
    ssi_sip_msg_unref(m);
    return rc;
}

static void the_topmost_supported_challenge_is_taken(void **state)
{
    (void)state;
    struct ssi_sip_challenge c = {0};

    assert_int_equal(
        pick("WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\", "
             "algorithm=SHA-512-256\r\n"
             "WWW-Authenticate: Digest realm=\"r\", nonce=\"n2\",\r\n qop=\"auth-int, auth\", "
             "algorithm=\"SHA-256\", opaque=\"o\\\"p\", stale=TRUE, unknown=1\r\n"
             "WWW-Authenticate: Digest realm=\"r\", nonce=\"n3\"\r\n",
             &c),
        0);
    assert_string_equal(c.nonce, "n2");
    assert_string_equal(c.opaque, "o\"p");
    assert_int_equal(c.algorithm, SSI_DIGEST_SHA256);
    assert_true(c.stale && c.has_qop && c.names_algorithm && !c.is_proxy);
    /* Several in one header field, other schemes among them. */
    assert_int_equal(pick("WWW-Authenticate: Basic realm=\"x\", Negotiate YWJj==, Digest "
                          "realm=\"q\" , nonce=\"m\"\r\n",
                          &c),
                     0);
    assert_string_equal(c.realm, "q");
    assert_false(c.has_qop);
    ssi_sip_challenge_free(&c);
}

static void challenges_that_cannot_be_answered_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *headers;
        secsip_result rc;
    } rows[] = {
        {"", SECSIP_E_SIP_AUTH},
        {"WWW-Authenticate: Basic realm=\"x\"\r\n", SECSIP_E_SIP_AUTH_ALGORITHM},
        {"WWW-Authenticate: Digest realm=\"x\", nonce=\"1\", algorithm=SHA-256\r\n",
         SECSIP_E_SIP_AUTH_ALGORITHM},
        {"WWW-Authenticate: Digest realm=\"x\", nonce=\"1\", qop=\"auth-int\"\r\n",
         SECSIP_E_SIP_AUTH_ALGORITHM},
        {"WWW-Authenticate: Digest realm=\"x\", nonce=\"1\", algorithm=MD5-sess, qop=\"auth\"\r\n",
         SECSIP_E_SIP_AUTH_ALGORITHM},
        {"WWW-Authenticate: Digest realm=\"x\"\r\n", SECSIP_E_SIP_AUTH},
        {"WWW-Authenticate: Digest realm=x, nonce=\"1\"\r\n", SECSIP_E_SIP_AUTH},
        {"WWW-Authenticate: Digest realm=\"x\", nonce=\"1\", nonce=\"2\"\r\n", SECSIP_E_SIP_AUTH},
        {"WWW-Authenticate: Digest realm=\"x\", nonce=\"1\r\n", SECSIP_E_SIP_AUTH},
        {"WWW-Authenticate: Digest realm=\"x\" nonce=\"1\"\r\n", SECSIP_E_SIP_AUTH},
        {"WWW-Authenticate: =\r\n", SECSIP_E_SIP_AUTH},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ssi_sip_challenge c = {0};
        if (pick(rows[i].headers, &c) != rows[i].rc)
            fail_msg("row %zu", i);
        assert_null(c.realm);
    }
}

static char *password_of(void *arg, struct ssi_slice user)
{
    (void)arg;
    if (ssi_slice_eq(user, SSI_LIT("al\"i\\ce")))
        return ssi_secret_dup("sec:ret");
    return NULL;
}

struct exchange {
    struct ssi_sip_auth_server server;
    struct ssi_sip_challenge challenge;
    struct ssi_buf buf;
};

static void challenge_at(struct exchange *x, uint64_t now)
{
    char headers[2048];
    ssi_buf_reset(&x->buf);
    ssi_sip_put_challenges(&x->buf, &x->server, "re\"alm", false, true, now);
    assert_int_equal(x->buf.failed, 0);
    snprintf(headers, sizeof headers, "%.*s", (int)x->buf.len, (char *)x->buf.data + x->buf.off);
    assert_int_equal(pick(headers, &x->challenge), 0);
}

static enum ssi_sip_auth_verdict answer_at(struct exchange *x, const char *user,
                                           const char *password, const char *realm, uint64_t now)
{
    char headers[2048];
    struct ssi_slice who = {0};
    ssi_buf_reset(&x->buf);
    ssi_sip_put_credentials(&x->buf, &x->challenge, user, password, SSI_LIT("REGISTER"),
                            SSI_LIT("sip:b"));
    assert_int_equal(x->buf.failed, 0);
    snprintf(headers, sizeof headers, "%.*s", (int)x->buf.len, (char *)x->buf.data + x->buf.off);
    struct ssi_sip_msg *m = message("REGISTER sip:b SIP/2.0", headers);
    enum ssi_sip_auth_verdict v =
        ssi_sip_auth_check(&x->server, m, realm, false, now, password_of, NULL, &who);
    if (v == SSI_SIP_AUTH_OK)
        assert_true(ssi_slice_eq(who, SSI_LIT("al\\\"i\\\\ce")));
    ssi_sip_msg_unref(m);
    return v;
}

static void both_sides_agree_and_every_difference_is_seen(void **state)
{
    (void)state;
    struct exchange x = {0};
    const char *user = "al\"i\\ce";

    ssi_buf_init(&x.buf, 65536);
    assert_int_equal(ssi_sip_auth_server_init(&x.server), 0);
    challenge_at(&x, 1000);
    assert_int_equal(x.challenge.algorithm, SSI_DIGEST_SHA256);
    assert_true(x.challenge.stale);
    assert_int_equal(answer_at(&x, user, "sec:ret", "re\"alm", 1000), SSI_SIP_AUTH_OK);
    assert_int_equal(answer_at(&x, user, "sec:ret", "re\"alm", 1300), SSI_SIP_AUTH_OK);
    assert_int_equal(x.challenge.nc, 2);
    assert_int_equal(answer_at(&x, user, "sec:ret", "re\"alm", 1301), SSI_SIP_AUTH_STALE);
    assert_int_equal(answer_at(&x, user, "sec:ret", "re\"alm", 999), SSI_SIP_AUTH_STALE);
    assert_int_equal(answer_at(&x, user, "secret", "re\"alm", 1000), SSI_SIP_AUTH_WRONG);
    assert_int_equal(answer_at(&x, "bob", "sec:ret", "re\"alm", 1000), SSI_SIP_AUTH_WRONG);
    assert_int_equal(answer_at(&x, user, "sec:ret", "other", 1000), SSI_SIP_AUTH_NONE);
    /* Another server's key: not our nonce. */
    x.server.key[5] ^= 1;
    assert_int_equal(answer_at(&x, user, "sec:ret", "re\"alm", 1000), SSI_SIP_AUTH_STALE);
    x.server.key[5] ^= 1;
    /* MD5, with and without qop. */
    x.challenge.algorithm = SSI_DIGEST_MD5;
    assert_int_equal(answer_at(&x, user, "sec:ret", "re\"alm", 1000), SSI_SIP_AUTH_OK);
    x.challenge.has_qop = false;
    assert_int_equal(answer_at(&x, user, "sec:ret", "re\"alm", 1000), SSI_SIP_AUTH_OK);
    x.challenge.algorithm = SSI_DIGEST_SHA256;
    assert_int_equal(answer_at(&x, user, "sec:ret", "re\"alm", 1000), SSI_SIP_AUTH_BAD);
    ssi_sip_challenge_free(&x.challenge);
    ssi_buf_free(&x.buf);
}

static enum ssi_sip_auth_verdict verdict_of(const char *header)
{
    struct ssi_sip_auth_server s;
    struct ssi_sip_msg *m = message("REGISTER sip:b SIP/2.0", header);
    assert_int_equal(ssi_sip_auth_server_init(&s), 0);
    enum ssi_sip_auth_verdict v = ssi_sip_auth_check(&s, m, "r", false, 1, password_of, NULL, NULL);
    ssi_sip_msg_unref(m);
    return v;
}

static void malformed_credentials_are_bad_and_foreign_ones_none(void **state)
{
    (void)state;
    assert_int_equal(verdict_of(""), SSI_SIP_AUTH_NONE);
    assert_int_equal(verdict_of("Authorization: NoOneKnowsThisScheme opaque-data=here\r\n"),
                     SSI_SIP_AUTH_NONE);
    assert_int_equal(verdict_of("Authorization: Digest realm=\"r\"\r\n"), SSI_SIP_AUTH_BAD);
    assert_int_equal(verdict_of("Authorization: Digest username=\"u\"\r\n"), SSI_SIP_AUTH_BAD);
    assert_int_equal(verdict_of("Authorization: Digest realm=\"other\"\r\n"), SSI_SIP_AUTH_NONE);
    assert_int_equal(verdict_of("Authorization: Digest realm=\"r\", realm=\"r\"\r\n"),
                     SSI_SIP_AUTH_BAD);
    assert_int_equal(verdict_of("Authorization:\r\n"), SSI_SIP_AUTH_BAD);
    assert_int_equal(
        verdict_of("Authorization: Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:b\", "
                   "response=\"00\"\r\n"),
        SSI_SIP_AUTH_BAD);
    assert_int_equal(
        verdict_of("Authorization: Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:b\", "
                   "response=\"00112233445566778899aabbccddeeff\"\r\n"),
        SSI_SIP_AUTH_STALE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc7616_3_9_1_and_rfc2617_3_5),
        cmocka_unit_test(the_topmost_supported_challenge_is_taken),
        cmocka_unit_test(challenges_that_cannot_be_answered_are_told_apart),
        cmocka_unit_test(both_sides_agree_and_every_difference_is_seen),
        cmocka_unit_test(malformed_credentials_are_bad_and_foreign_ones_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
