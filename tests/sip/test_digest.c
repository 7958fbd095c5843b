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
    /* RFC 7616 3.4.2, reckoned by another program. */
    in.is_sess = true;
    check_vector(&in, "Circle of Life",
                 "2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232ae1ea3efd7");
    in.algorithm = SSI_DIGEST_MD5;
    check_vector(&in, "Circle of Life", "e783283f46242139c486a698fec7211d");
    in.is_sess = false;
    in.realm = SSI_LIT("testrealm@host.com");
    in.nonce = SSI_LIT("dcd98b7102dd2f0e8b11d0f600bfb0c093");
    in.cnonce = SSI_LIT("0a4f113b");
    check_vector(&in, "Circle Of Life", "6629fae49393a05397450978507c4ef1");
    in.nc = NULL; /* RFC 2069 */
    check_vector(&in, "Circle Of Life", "670fd8c2df070c60b045671b8b24ff02");
}

/* RFC 7616 3.9.2 with the response of erratum 4897, without userhash, which is no part of it; and, reckoned by another program,
 * auth-int (3.4.3) with that of each algorithm. */
static void rfc7616_3_9_2_and_auth_int(void **state)
{
    (void)state;
    struct ssi_sip_digest_input in = {
        .algorithm = SSI_DIGEST_SHA512_256,
        .user = SSI_LIT("J\xc3\xa4s\xc3\xb8n Doe"),
        .realm = SSI_LIT("api@example.org"),
        .nonce = SSI_LIT("5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK"),
        .nc = "00000001",
        .cnonce = SSI_LIT("NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v"),
        .method = SSI_LIT("GET"),
        .uri = SSI_LIT("/doe.json")};
    static const char *const with_body[] = {
        [SSI_DIGEST_MD5] = "135bb18b4787d297bb7ff6ba69aa26a7",
        [SSI_DIGEST_SHA256] = "c3e56df9e6ceba5875ab418fbc97b968cc3b11bfa87d2906c675b3b4fa6ad535",
        [SSI_DIGEST_SHA512_256] =
            "716fd4cb191cd979042c9cb1724cbaa0ebb940322ecb59ed202cdb264228f3dc"};

    check_vector(&in, "Secret, or not?",
                 "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5");
    in.is_int = true;
    check_vector(
        &in, "Secret, or not?",
        "b856aad8f40af6550ca5c02a56c92a3de833c9b6d79287156625431b87fcde83"); /* no body is an empty one (RFC 3261 22.4) */
    in.body = SSI_LIT("v=0\r\n");
    for (size_t i = 0; i < sizeof with_body / sizeof with_body[0]; i++) {
        in.algorithm = (enum ssi_digest_algorithm)i;
        check_vector(&in, "Secret, or not?", with_body[i]);
    }
    in.is_sess = true;
    check_vector(&in, "Secret, or not?",
                 "0dfbc79bd27a59fafacaa638e27c1d5e30fae2a32b8f29ae214208e12011f64c");
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
             "algorithm=SHA3-256\r\n"
             "WWW-Authenticate: Digest realm=\"r\", nonce=\"n2\",\r\n qop=\"auth-int, auth\", "
             "algorithm=\"SHA-256\", opaque=\"o\\\"p\", stale=TRUE, unknown=1\r\n"
             "WWW-Authenticate: Digest realm=\"r\", nonce=\"n3\"\r\n",
             &c),
        0);
    assert_string_equal(c.nonce, "n2");
    assert_string_equal(c.opaque, "o\"p");
    assert_int_equal(c.algorithm, SSI_DIGEST_SHA256);
    assert_true(c.stale && c.has_qop && c.names_algorithm && !c.is_proxy && !c.is_int);
    /* Several in one header field, other schemes among them. */
    assert_int_equal(pick("WWW-Authenticate: Basic realm=\"x\", Negotiate YWJj==, Digest "
                          "realm=\"q\" , nonce=\"m\"\r\n",
                          &c),
                     0);
    assert_string_equal(c.realm, "q");
    assert_false(c.has_qop);
    ssi_sip_challenge_free(&c);
}

/* RFC 3261 7.3.1: LWS in a quoted string is one space, for the digest and in what goes out. */
static void a_folded_challenge_is_answered(void **state)
{
    (void)state;
    struct ssi_sip_challenge c = {0};
    struct ssi_buf b;

    assert_int_equal(pick("WWW-Authenticate: Digest realm=\"the \r\n\t realm\",\r\n nonce=\"n\","
                          " qop=\"auth\"\r\n",
                          &c),
                     0);
    assert_string_equal(c.realm, "the realm");
    ssi_buf_init(&b, 1000);
    ssi_sip_put_credentials(&b, &c, "u", "p", SSI_LIT("REGISTER"), SSI_LIT("sip:a"),
                            ssi_slice_of(NULL, 0));
    assert_int_equal(b.failed, 0);
    ssi_buf_put_char(&b, 0);
    assert_non_null(strstr((const char *)b.data, ", realm=\"the realm\", "));
    ssi_buf_free(&b);
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
        {"WWW-Authenticate: Digest realm=\"x\", nonce=\"1\", qop=\"auth-conf\"\r\n",
         SECSIP_E_SIP_AUTH_ALGORITHM},
        {"WWW-Authenticate: Digest realm=\"x\", nonce=\"1\", algorithm=SHA-512-256\r\n",
         SECSIP_E_SIP_AUTH_ALGORITHM},
        {"WWW-Authenticate: Digest realm=\"x\", nonce=\"1\", algorithm=MD5-sess\r\n",
         SECSIP_E_SIP_AUTH_ALGORITHM},
        {"WWW-Authenticate: Digest realm=\"x\", nonce=\"1\", algorithm=-sess, qop=\"auth\"\r\n",
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

static void the_stronger_challenge_of_a_realm_is_taken(void **state)
{
    (void)state;
    struct ssi_sip_challenge c = {0};

    /* Whoever put MD5 on top gains nothing (RFC 8760 3). */
    assert_int_equal(pick("WWW-Authenticate: Digest realm=\"r\", nonce=\"n1\", qop=\"auth\"\r\n"
                          "WWW-Authenticate: Digest realm=\"q\", nonce=\"n2\", qop=\"auth\", "
                          "algorithm=SHA-256\r\n"
                          "WWW-Authenticate: Digest realm=\"r\", nonce=\"n3\", qop=\"auth\", "
                          "algorithm=SHA-256\r\n"
                          "WWW-Authenticate: Digest realm=\"r\", nonce=\"n4\", qop=\"auth\", "
                          "algorithm=SHA-256\r\n",
                          &c),
                     0);
    assert_string_equal(c.nonce, "n3");
    /* Another realm is no matter of strength: the topmost is answered. */
    assert_int_equal(pick("WWW-Authenticate: Digest realm=\"r\", nonce=\"n1\", qop=\"auth\", "
                          "Digest realm=\"q\", nonce=\"n2\", qop=\"auth\", algorithm=SHA-256\r\n",
                          &c),
                     0);
    assert_string_equal(c.nonce, "n1");
    ssi_sip_challenge_free(&c);
}

/* RFC 8760 2.4: of those that are as strong, the topmost. */
static void the_order_of_the_server_decides_among_equals(void **state)
{
    (void)state;
    static const char *const orders[][2] = {{"SHA-256", "SHA-512-256"}, {"SHA-512-256", "SHA-256"}};
    static const enum ssi_digest_algorithm picked[] = {SSI_DIGEST_SHA256, SSI_DIGEST_SHA512_256};

    for (size_t i = 0; i < 2; i++) {
        struct ssi_sip_challenge c = {0};
        char lines[512];
        snprintf(
            lines, sizeof lines,
            "WWW-Authenticate: Digest realm=\"r\", nonce=\"m\", qop=\"auth\"\r\n"
            "WWW-Authenticate: Digest realm=\"r\", nonce=\"a\", qop=\"auth\", algorithm=%s\r\n"
            "WWW-Authenticate: Digest realm=\"r\", nonce=\"b\", qop=\"auth\", algorithm=%s\r\n",
            orders[i][0], orders[i][1]);
        assert_int_equal(pick(lines, &c), 0);
        assert_string_equal(c.nonce, "a");
        assert_int_equal(c.algorithm, picked[i]);
        ssi_sip_challenge_free(&c);
    }
}

/* RFC 3261 22.4, RFC 7616 3.4: auth-int only where there is nothing else. */
static void auth_int_is_answered_where_it_is_all_there_is(void **state)
{
    (void)state;
    static const struct {
        const char *qop;
        bool is_int;
    } rows[] = {{"auth-int", true},
                {"auth-conf,auth-int", true},
                {"auth", false},
                {"auth,auth-int", false},
                {"auth-int, auth", false}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ssi_sip_challenge c = {0};
        struct ssi_buf b;
        char line[256];
        snprintf(line, sizeof line,
                 "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512-256, "
                 "qop=\"%s\"\r\n",
                 rows[i].qop);
        assert_int_equal(pick(line, &c), 0);
        assert_int_equal(c.is_int, rows[i].is_int);
        ssi_buf_init(&b, 1000);
        ssi_sip_put_credentials(&b, &c, "u", "p", SSI_LIT("INVITE"), SSI_LIT("sip:a"),
                                SSI_LIT("v=0\r\n"));
        assert_int_equal(b.failed, 0);
        ssi_buf_put_char(&b, 0);
        assert_non_null(strstr((const char *)b.data, rows[i].is_int ? ", qop=auth-int, nc=00000001"
                                                                    : ", qop=auth, nc=00000001"));
        assert_non_null(strstr((const char *)b.data, ", algorithm=SHA-512-256, "));
        ssi_buf_free(&b);
        ssi_sip_challenge_free(&c);
    }
}

static char *password_of(void *arg, struct ssi_slice user)
{
    (void)arg;
    if (ssi_slice_eq(user, SSI_LIT("al\"i\\ce")))
        return ssi_secret_dup("sec:ret");
    return NULL;
}

static const char user[] = "al\"i\\ce", realm[] = "re\"alm";

struct exchange {
    struct ssi_sip_auth_server server;
    struct ssi_sip_challenge challenge;
    struct ssi_buf buf;
    const char *start; /* of the request, NULL: REGISTER sip:b */
    const char *uri;   /* what the credentials say, NULL: sip:b */
    unsigned cseq;     /* 0: counted */
    unsigned last_cseq;
    const char *body; /* that the credentials are for, NULL: none */
    const char *sent; /* the one that is sent, NULL: the same */
    char line[2048];  /* the credentials that were sent last */
};

static void begin(struct exchange *x)
{
    memset(x, 0, sizeof *x);
    ssi_buf_init(&x->buf, 65536);
    assert_int_equal(ssi_sip_auth_server_init(&x->server), 0);
}

static void end(struct exchange *x)
{
    ssi_sip_auth_server_free(&x->server);
    ssi_sip_auth_server_free(&x->server); /* twice is once */
    ssi_sip_challenge_free(&x->challenge);
    ssi_buf_free(&x->buf);
}

static void challenge_at(struct exchange *x, uint64_t now)
{
    char headers[2048];
    ssi_buf_reset(&x->buf);
    ssi_sip_put_challenges(&x->buf, &x->server, realm, false, true, now);
    assert_int_equal(x->buf.failed, 0);
    snprintf(headers, sizeof headers, "%.*s", (int)x->buf.len, (char *)x->buf.data + x->buf.off);
    assert_int_equal(pick(headers, &x->challenge), 0);
}

static enum ssi_sip_auth_verdict send_line(struct exchange *x, const char *for_realm, uint64_t now)
{
    char text[4096];
    const char *body = x->sent ? x->sent : x->body ? x->body : "";
    struct ssi_slice who = {0};
    struct ssi_sip_msg *m = NULL;

    x->last_cseq = x->cseq ? x->cseq : x->last_cseq + 1;
    int n =
        snprintf(text, sizeof text,
                 "%s SIP/2.0\r\nVia: SIP/2.0/TLS h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
                 "To: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: %u REGISTER\r\n%s"
                 "Content-Length: %zu\r\n\r\n%s",
                 x->start ? x->start : "REGISTER sip:b", x->last_cseq, x->line, strlen(body), body);
    assert_int_equal(ssi_sip_msg_parse(text, (size_t)n, true, NULL, NULL, &m), 0);
    enum ssi_sip_auth_verdict v =
        ssi_sip_auth_check(&x->server, m, for_realm, false, now, password_of, NULL, &who);
    if (v == SSI_SIP_AUTH_OK)
        assert_true(ssi_slice_eq(who, SSI_LIT("al\\\"i\\\\ce")));
    ssi_sip_msg_unref(m);
    return v;
}

static enum ssi_sip_auth_verdict answer_at(struct exchange *x, const char *name,
                                           const char *password, const char *for_realm,
                                           uint64_t now)
{
    ssi_buf_reset(&x->buf);
    ssi_sip_put_credentials(&x->buf, &x->challenge, name, password, SSI_LIT("REGISTER"),
                            ssi_slice_str(x->uri ? x->uri : "sip:b"),
                            ssi_slice_str(x->body ? x->body : ""));
    assert_int_equal(x->buf.failed, 0);
    snprintf(x->line, sizeof x->line, "%.*s", (int)x->buf.len, (char *)x->buf.data + x->buf.off);
    return send_line(x, for_realm, now);
}

static void both_sides_agree_and_every_difference_is_seen(void **state)
{
    (void)state;
    struct exchange x;

    begin(&x);
    challenge_at(&x, 1000);
    assert_int_equal(x.challenge.algorithm, SSI_DIGEST_SHA256);
    assert_true(x.challenge.stale);
    assert_int_equal(answer_at(&x, user, "sec:ret", realm, 1000), SSI_SIP_AUTH_OK);
    assert_int_equal(answer_at(&x, user, "sec:ret", realm, 1300), SSI_SIP_AUTH_OK);
    assert_int_equal(x.challenge.nc, 2);
    assert_int_equal(answer_at(&x, user, "sec:ret", realm, 1301), SSI_SIP_AUTH_STALE);
    assert_int_equal(answer_at(&x, user, "sec:ret", realm, 999), SSI_SIP_AUTH_STALE);
    assert_int_equal(answer_at(&x, user, "secret", realm, 1000), SSI_SIP_AUTH_WRONG);
    assert_int_equal(answer_at(&x, "bob", "sec:ret", realm, 1000), SSI_SIP_AUTH_WRONG);
    assert_int_equal(answer_at(&x, user, "sec:ret", "other", 1000), SSI_SIP_AUTH_NONE);
    /* Another server's key: not our nonce. */
    x.server.key[5] ^= 1;
    assert_int_equal(answer_at(&x, user, "sec:ret", realm, 1000), SSI_SIP_AUTH_STALE);
    x.server.key[5] ^= 1;
    /* MD5 with qop; and -sess, which we did not offer. */
    x.challenge.algorithm = SSI_DIGEST_MD5;
    assert_int_equal(answer_at(&x, user, "sec:ret", realm, 1000), SSI_SIP_AUTH_OK);
    x.challenge.is_sess = true;
    assert_int_equal(answer_at(&x, user, "sec:ret", realm, 1000), SSI_SIP_AUTH_NONE);
    end(&x);
}

/* RFC 7616 3.4.3: what a client does not have to use is checked where it does, for every algorithm. */
static void a_body_that_was_changed_is_seen_under_auth_int(void **state)
{
    (void)state;
    struct exchange x;

    begin(&x);
    for (int a = SSI_DIGEST_MD5; a <= SSI_DIGEST_SHA512_256; a++)
        for (int is_int = 0; is_int < 2; is_int++) {
            challenge_at(&x, 1000);
            x.challenge.algorithm = (enum ssi_digest_algorithm)a;
            x.challenge.is_int = is_int;
            x.body = NULL;
            x.sent = NULL;
            assert_int_equal(answer_at(&x, user, "sec:ret", realm, 1000), SSI_SIP_AUTH_OK);
            x.body = "v=0\r\n";
            assert_int_equal(answer_at(&x, user, "sec:ret", realm, 1000), SSI_SIP_AUTH_OK);
            assert_int_equal(answer_at(&x, user, "secret", realm, 1000), SSI_SIP_AUTH_WRONG);
            x.sent = "v=1\r\n";
            assert_int_equal(answer_at(&x, user, "sec:ret", realm, 1000),
                             is_int ? SSI_SIP_AUTH_WRONG : SSI_SIP_AUTH_OK);
        }
    end(&x);
}

/* RFC 8760 2.3 and 2.6: one line for each algorithm, the one to be preferred first, each with qop. */
static void every_algorithm_is_offered(void **state)
{
    (void)state;
    static const char *const ends[] = {"algorithm=SHA-256, stale=true\r\n",
                                       "algorithm=SHA-512-256, stale=true\r\n",
                                       "algorithm=MD5, stale=true\r\n"};
    static const char start[] = "WWW-Authenticate: Digest realm=\"re\\\"alm\", ";
    struct exchange x;

    begin(&x);
    challenge_at(&x, 1000);
    ssi_buf_put_char(&x.buf, 0);
    const char *at = (const char *)x.buf.data + x.buf.off;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(strncmp(at, start, sizeof start - 1), 0);
        const char *line_end = strstr(at, "\r\n") + 2;
        const char *qop = strstr(at, ", qop=\"auth,auth-int\", ");
        assert_true(qop && qop < line_end);
        assert_memory_equal(line_end - strlen(ends[i]), ends[i], strlen(ends[i]));
        at = line_end;
    }
    assert_string_equal(at, "");
    end(&x);
}

static void without_qop_a_nonce_is_good_for_one_request(void **state)
{
    (void)state;
    struct exchange x;

    begin(&x);
    challenge_at(&x, 1000);
    x.challenge.algorithm = SSI_DIGEST_MD5;
    x.challenge.has_qop = false;
    assert_int_equal(answer_at(&x, user, "sec:ret", realm, 1000), SSI_SIP_AUTH_OK);
    x.cseq = x.last_cseq;
    assert_int_equal(answer_at(&x, user, "sec:ret", realm, 1000), SSI_SIP_AUTH_OK); /* it again */
    x.cseq = 0;
    assert_int_equal(answer_at(&x, user, "sec:ret", realm, 1000), SSI_SIP_AUTH_STALE);
    challenge_at(&x, 1000);
    x.challenge.has_qop = false;
    assert_int_equal(x.challenge.algorithm, SSI_DIGEST_SHA256);
    assert_int_equal(answer_at(&x, user, "sec:ret", realm, 1000), SSI_SIP_AUTH_BAD);
    end(&x);
}

/* RFC 7616 3.4: an nc that was seen is a replay. */
static void replays_are_challenged_again(void **state)
{
    (void)state;
    struct exchange x;
    char seen[2048];

    begin(&x);
    challenge_at(&x, 1000);
    assert_int_equal(answer_at(&x, user, "sec:ret", realm, 1000), SSI_SIP_AUTH_OK);
    strcpy(seen, x.line);
    assert_int_equal(send_line(&x, realm, 1001), SSI_SIP_AUTH_STALE);
    assert_int_equal(answer_at(&x, user, "sec:ret", realm, 1001), SSI_SIP_AUTH_OK); /* 2 */
    strcpy(x.line, seen);
    assert_int_equal(send_line(&x, realm, 1001), SSI_SIP_AUTH_STALE);
    /* The same request by another way, as forks bring it. */
    assert_int_equal(answer_at(&x, user, "sec:ret", realm, 1001), SSI_SIP_AUTH_OK); /* 3 */
    x.cseq = x.last_cseq;
    assert_int_equal(send_line(&x, realm, 1001), SSI_SIP_AUTH_OK);
    x.cseq = 0;
    assert_int_equal(send_line(&x, realm, 1001), SSI_SIP_AUTH_STALE);
    /* Late ones within the window, each once; wrong passwords use nothing up. */
    x.challenge.nc = 69;
    assert_int_equal(answer_at(&x, user, "sec:ret", realm, 1001), SSI_SIP_AUTH_OK); /* 70 */
    x.challenge.nc = 6;
    assert_int_equal(answer_at(&x, user, "wrong", realm, 1001), SSI_SIP_AUTH_WRONG); /* 7 */
    x.challenge.nc = 6;
    assert_int_equal(answer_at(&x, user, "sec:ret", realm, 1001), SSI_SIP_AUTH_OK); /* 7 */
    assert_int_equal(send_line(&x, realm, 1001), SSI_SIP_AUTH_STALE);
    x.challenge.nc = 5;
    assert_int_equal(answer_at(&x, user, "sec:ret", realm, 1001), SSI_SIP_AUTH_STALE); /* 6 */
    x.challenge.nc = UINT32_MAX - 1;
    assert_int_equal(answer_at(&x, user, "sec:ret", realm, 1001), SSI_SIP_AUTH_OK);
    x.challenge.nc = UINT32_MAX; /* counts on to 0, which is no nc */
    assert_int_equal(answer_at(&x, user, "sec:ret", realm, 1001), SSI_SIP_AUTH_BAD);
    end(&x);
}

static void nonces_are_each_their_own(void **state)
{
    (void)state;
    struct exchange x;
    char first[256];

    begin(&x);
    challenge_at(&x, 1000);
    snprintf(first, sizeof first, "%s", x.challenge.nonce);
    assert_int_equal(answer_at(&x, user, "sec:ret", realm, 1000), SSI_SIP_AUTH_OK);
    challenge_at(&x, 1000); /* another client, in the same second */
    assert_string_not_equal(first, x.challenge.nonce);
    assert_int_equal(answer_at(&x, user, "sec:ret", realm, 1000), SSI_SIP_AUTH_OK);
    end(&x);
}

/* What is forgotten for want of room is refused, never taken twice. */
static void used_nonces_are_bounded(void **state)
{
    (void)state;
    struct exchange x;
    char first[2048];

    begin(&x);
    x.server.max_used = 3;
    challenge_at(&x, 1000);
    struct ssi_sip_challenge kept = x.challenge;
    memset(&x.challenge, 0, sizeof x.challenge);
    for (int i = 0; i < 4; i++) {
        challenge_at(&x, 1000);
        assert_int_equal(answer_at(&x, user, "sec:ret", realm, 1000), SSI_SIP_AUTH_OK);
        if (i == 0)
            strcpy(first, x.line);
        assert_true(x.server.used.n_nodes <= 3);
    }
    strcpy(x.line, first);
    assert_int_equal(send_line(&x, realm, 1000), SSI_SIP_AUTH_STALE);
    /* One that was made before the forgotten one and never used is as old. */
    ssi_sip_challenge_free(&x.challenge);
    x.challenge = kept;
    assert_int_equal(answer_at(&x, user, "sec:ret", realm, 1000), SSI_SIP_AUTH_STALE);
    /* What has expired goes without a trace. */
    challenge_at(&x, 2000);
    assert_int_equal(answer_at(&x, user, "sec:ret", realm, 2000), SSI_SIP_AUTH_OK);
    assert_int_equal(x.server.used.n_nodes, 1);
    end(&x);
}

/* RFC 7616 3.4.6 */
static void credentials_are_for_one_uri(void **state)
{
    (void)state;
    static const struct {
        const char *start, *uri;
        enum ssi_sip_auth_verdict verdict;
    } rows[] = {
        {"REGISTER sip:b", "sip:b", SSI_SIP_AUTH_OK},
        {"REGISTER sip:b", "sips:B:5061;transport=tls", SSI_SIP_AUTH_OK},
        {"REGISTER sip:%61@b", "sip:a@b", SSI_SIP_AUTH_OK},
        {"REGISTER tel:+1-2", "tel:+12", SSI_SIP_AUTH_OK},
        {"REGISTER sip:b", "sip:c", SSI_SIP_AUTH_BAD},
        {"REGISTER sip:b", "sip:a@b", SSI_SIP_AUTH_BAD},
        {"REGISTER sip:a@b", "sip:c@b", SSI_SIP_AUTH_BAD},
        {"REGISTER tel:+1", "sip:+1", SSI_SIP_AUTH_BAD},
        {"REGISTER sip:b", "/", SSI_SIP_AUTH_BAD},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct exchange x;
        begin(&x);
        challenge_at(&x, 1000);
        x.start = rows[i].start;
        x.uri = rows[i].uri;
        if (answer_at(&x, user, "sec:ret", realm, 1000) != rows[i].verdict)
            fail_msg("%s with %s", rows[i].start, rows[i].uri);
        end(&x);
    }
}

/* RFC 7616 3.4.2: HA1 of a session is of its first cnonce, which every later request repeats. */
static void a_session_keeps_its_cnonce(void **state)
{
    (void)state;
    struct exchange x;
    struct ssi_sip_digest_input in = {.algorithm = SSI_DIGEST_SHA256,
                                      .is_sess = true,
                                      .user = SSI_LIT("u"),
                                      .realm = SSI_LIT("r"),
                                      .nonce = SSI_LIT("n"),
                                      .method = SSI_LIT("REGISTER"),
                                      .uri = SSI_LIT("sip:b")};
    char expected[SSI_HA1_TEXT], cnonce[33] = "";

    begin(&x);
    assert_int_equal(pick("WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\", "
                          "algorithm=sha-256-SESS\r\n",
                          &x.challenge),
                     0);
    assert_true(x.challenge.is_sess);
    for (int i = 1; i <= 2; i++) {
        answer_at(&x, "u", "secret", realm, 1000);
        assert_non_null(strstr(x.line, ", algorithm=SHA-256-sess"));
        if (i == 1)
            memcpy(cnonce, x.challenge.cnonce, sizeof cnonce);
        assert_true(cnonce[0] && strstr(x.line, cnonce));
        in.nc = i == 1 ? "00000001" : "00000002";
        in.cnonce = ssi_slice_str(cnonce);
        assert_int_equal(ssi_sip_digest_response(&in, "secret", expected), 0);
        assert_non_null(strstr(x.line, expected));
    }
    end(&x);
}

static enum ssi_sip_auth_verdict verdict_of(const char *header)
{
    struct ssi_sip_auth_server s;
    struct ssi_sip_msg *m = message("REGISTER sip:b SIP/2.0", header);
    assert_int_equal(ssi_sip_auth_server_init(&s), 0);
    enum ssi_sip_auth_verdict v = ssi_sip_auth_check(&s, m, "r", false, 1, password_of, NULL, NULL);
    ssi_sip_msg_unref(m);
    ssi_sip_auth_server_free(&s);
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
    assert_int_equal(
        verdict_of("Authorization: Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:b\", "
                   "response=\"00112233445566778899aabbccddeeff\", qop=auth-conf, nc=00000001, "
                   "cnonce=\"c\"\r\n"),
        SSI_SIP_AUTH_BAD);
    assert_int_equal(
        verdict_of("Authorization: Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:b\", "
                   "response=\"00112233445566778899aabbccddeeff\", qop=auth-int, nc=00000001, "
                   "cnonce=\"c\"\r\n"),
        SSI_SIP_AUTH_STALE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc7616_3_9_1_and_rfc2617_3_5),
        cmocka_unit_test(rfc7616_3_9_2_and_auth_int),
        cmocka_unit_test(the_order_of_the_server_decides_among_equals),
        cmocka_unit_test(auth_int_is_answered_where_it_is_all_there_is),
        cmocka_unit_test(a_body_that_was_changed_is_seen_under_auth_int),
        cmocka_unit_test(every_algorithm_is_offered),
        cmocka_unit_test(the_topmost_supported_challenge_is_taken),
        cmocka_unit_test(a_folded_challenge_is_answered),
        cmocka_unit_test(challenges_that_cannot_be_answered_are_told_apart),
        cmocka_unit_test(the_stronger_challenge_of_a_realm_is_taken),
        cmocka_unit_test(both_sides_agree_and_every_difference_is_seen),
        cmocka_unit_test(without_qop_a_nonce_is_good_for_one_request),
        cmocka_unit_test(replays_are_challenged_again),
        cmocka_unit_test(nonces_are_each_their_own),
        cmocka_unit_test(used_nonces_are_bounded),
        cmocka_unit_test(credentials_are_for_one_uri),
        cmocka_unit_test(a_session_keeps_its_cnonce),
        cmocka_unit_test(malformed_credentials_are_bad_and_foreign_ones_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
