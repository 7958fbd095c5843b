/* RFC 4475 and RFC 5118 against a running stack: each message is sent to an endpoint, to a registrar and to a proxy, as a
 * datagram and over a connection, and what comes back on the wire is what tests/data/torture/expected.tsv asks for. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "proxy_sim.h"

enum {
    MESSAGE_MAX = 65536,
    NOTHING = 0,
};

static struct proxy_sim s;
static char table[16384];

struct row {
    char rfc[8], name[64];
    int answer; /* of the column `response`; -1: it names none */
    char bytes[MESSAGE_MAX];
    size_t len;
};

static size_t read_file(const char *path, char *out, size_t cap)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(out, 1, cap, f);
    fclose(f);
    return n;
}

static void read_row(char *text, struct row *r)
{
    char response[128], path[512];

    assert_int_equal(sscanf(text, "%7[^\t]\t%63[^\t]\t%*[^\t]\t%*[^\t]\t%*[^\t]\t%127[^\t]", r->rfc,
                            r->name, response),
                     3);
    r->answer = -1;
    if (response[0] >= '4' && response[0] <= '5')
        r->answer = (int)strtol(response, NULL, 10);
    if (strcmp(response, "drop") == 0)
        r->answer = NOTHING;
    snprintf(path, sizeof path, TEST_DATA "/torture/rfc%s/%s.dat", r->rfc, r->name);
    r->len = read_file(path, r->bytes, MESSAGE_MAX - 2);
    if (strcmp(r->name, "baddn") == 0) { /* the archive left its last line out */
        memcpy(r->bytes + r->len, "\r\n", 2);
        r->len += 2;
    }
}

/* Where a role answers otherwise than the column says, with the reason. */
struct exception {
    const char *name;
    int answer;
};

/* What an endpoint without accounts answers to a message that is well-formed and asks for nothing special. */
static int answer_of_endpoint(const struct row *r)
{
    if (strncmp(r->bytes, "SIP/", 4) == 0)
        return NOTHING;
    if (strncmp(r->bytes, "OPTIONS ", 8) == 0)
        return 200;
    if (strncmp(r->bytes, "BYE ", 4) == 0)
        return 481;
    return strncmp(r->bytes, "INVITE ", 7) == 0 ? 404 : 405;
}

static const struct exception endpoint_exceptions[] = {
    {"intmeth", 501},  /* RFC 3261 8.2.1: the method is unknown */
    {"baddate", 404},  /* Date is of no matter to us */
    {"wsinv", 481},    /* it has a To tag, of a dialog that is not there */
    {"unksm2", 405},   /* a registrar's case */
    {"regaut01", 405}, /* a registrar's case */
    {"zeromf", 200},   /* a proxy's case */
    {NULL, 0},
};

/* The registrar of example.com asks who is there before it does anything. */
static const struct exception registrar_exceptions[] = {
    {"regaut01", 401}, /* no credentials that it knows */
    {"dblreq", 401},           {"escnull", 401}, {"cparam01", 401},  {"cparam02", 401},
    {"regescrt", 401},         {"unksm2", 400},  {"ipv6-good", 401}, {"port-ambiguous", 401},
    {"port-unambiguous", 401}, {NULL, 0},
};

static const struct exception proxy_exceptions[] = {
    {"zeromf", 483},  {"unkscm", 416},  {"novelsc", 416},
    {"bext01", 420},  {"esc02", 403}, /* an unknown method is forwarded, but this domain is not ours */
    {"intmeth", 407}, /* an unknown method is like any other, and From says that it is one of ours */
    {"invut", 404},   /* a body is of no matter to a proxy */
    {"sdp01", 404},   {"mpart01", 403}, {"badbranch", 400},
    {"multi01", 400}, {NULL, 0},
};

static int exception_of(const struct exception *list, const char *name)
{
    for (; list->name; list++)
        if (strcmp(list->name, name) == 0)
            return list->answer;
    return -1;
}

/* As the stack takes a datagram or a whole message of a connection. */
static int answer_to_datagram(struct proxy_conn *c, const struct row *r)
{
    struct ssi_sip_msg *m = NULL;

    if (ssi_sip_msg_parse(r->bytes, r->len, false, &s.ua.config.limits, NULL, &m) == 0) {
        ssi_txn_input(&s.ua.txn, m, &c->flow->txn, "198.51.100.1", 40000);
        ssi_sip_msg_unref(m);
    }
    proxy_run(&s, 0);
    proxy_take(c);
    return proxy_status(c);
}

enum role {
    ENDPOINT,
    REGISTRAR,
    PROXY,
};

static void start(enum role role)
{
    const secsip_registrar_config config = {
        .size = sizeof config, .domain = "example.com", .insecure_transport = 1};

    proxy_start(&s, &config);
    if (role == ENDPOINT) {
        secsip_registrar_free(s.registrar);
        s.registrar = NULL;
    }
}

static void stop(void)
{
    if (s.registrar) {
        proxy_stop(&s);
        return;
    }
    ssi_ua_free(&s.ua);
}

/* The answer must be the peer's own request turned round: RFC 3261 8.2.6.2. */
static void check_answer(struct proxy_conn *c, const struct row *r)
{
    const char *cseq = proxy_header(c, "CSeq");

    assert_non_null(strstr(c->text, "\r\nVia: "));
    if (*cseq)
        assert_non_null(strstr(r->bytes, cseq));
}

static int check_row(const struct row *r, enum role role, int want)
{
    start(role);
    struct proxy_conn *c = proxy_connect(&s, false);
    int got = answer_to_datagram(c, r);
    if (got != want)
        printf("%s %s as %s: %d instead of %d\n", r->rfc, r->name,
               role == ENDPOINT    ? "endpoint"
               : role == REGISTRAR ? "registrar"
                                   : "proxy",
               got, want);
    else if (got)
        check_answer(c, r);
    proxy_run(&s, 64000);
    proxy_hang_up(&s, c);
    stop();
    return got != want;
}

static int check_roles(const struct row *r)
{
    int want = exception_of(endpoint_exceptions, r->name);
    bool is_register = strncmp(r->bytes, "REGISTER ", 9) == 0;
    int wrong = 0;

    if (want < 0)
        want = r->answer >= 0 ? r->answer : answer_of_endpoint(r);
    wrong += check_row(r, ENDPOINT, want);
    if (is_register) {
        want = exception_of(registrar_exceptions, r->name);
        wrong += check_row(r, REGISTRAR, want >= 0 ? want : r->answer);
    } else {
        want = exception_of(proxy_exceptions, r->name);
        if (want >= 0)
            wrong += check_row(r, PROXY, want);
    }
    return wrong;
}

/* Runs fn on each row; the number of rows. */
static int each_row(int (*fn)(const struct row *r), int *ret_wrong)
{
    static struct row r;
    size_t n = read_file(TEST_DATA "/torture/expected.tsv", table, sizeof table - 1);
    int seen = 0;
    char *save = NULL;

    table[n] = 0;
    strtok_r(table, "\n", &save);
    for (char *text; (text = strtok_r(NULL, "\n", &save)); seen++) {
        memset(&r, 0, sizeof r);
        read_row(text, &r);
        *ret_wrong += fn(&r);
    }
    return seen;
}

static void each_message_is_answered_as_it_is_owed(void **state)
{
    (void)state;
    int wrong = 0;

    assert_int_equal(each_row(check_roles, &wrong), 61);
    assert_int_equal(wrong, 0);
}

/* Over a connection Content-Length is needed (RFC 3261 18.3): where it is wrong or missing, the request is answered with 400
 * and the connection ends. Where it says more than there is, the rest is waited for. */
static int check_stream(const struct row *r)
{
    static const struct exception ends[] = {
        {"ncl", 400},
        {"mcl01", 400},
        {"inv2543", 400},
        {"dblreq", 405}, /* what follows is longer than it says */
        {NULL, 0}};
    int end = exception_of(ends, r->name);
    int want = end >= 0 ? end : exception_of(endpoint_exceptions, r->name);

    if (want < 0)
        want = r->answer >= 0 ? r->answer : answer_of_endpoint(r);
    if (strcmp(r->name, "clerr") == 0)
        want = NOTHING;
    start(ENDPOINT);
    struct proxy_conn *c = proxy_connect(&s, false);
    ssi_ua_stream_input(c->stream, r->bytes, r->len);
    bool closed = c->stream == NULL;
    if (!closed)
        proxy_take(c);
    int got = proxy_status(c);
    int wrong = got != want || closed != (end >= 0);
    if (wrong)
        printf("%s %s over a stream: %d%s instead of %d\n", r->rfc, r->name, got,
               closed ? " and closed" : "", want);
    proxy_run(&s, 64000);
    proxy_hang_up(&s, c);
    stop();
    return wrong;
}

static void over_a_connection_too(void **state)
{
    (void)state;
    int wrong = 0;

    assert_int_equal(each_row(check_stream, &wrong), 61);
    assert_int_equal(wrong, 0);
}

/* Answers that need more than their number (RFC 3261 8.2.1, 8.2.2.3, 8.2.3, 21.4.6). */
static void answers_say_what_would_do(void **state)
{
    (void)state;
    start(ENDPOINT);
    struct proxy_conn *c = proxy_connect(&s, false);
    const struct proxy_request base = {.uri = "sip:u@example.com",
                                       .from = "sip:a@example.com",
                                       .to = "<sip:u@example.com>",
                                       .method = "INVITE"};
    struct proxy_request r = base;

    r.method = "MESSAGE";
    assert_int_equal(proxy_ask(&s, c, &r), 405);
    assert_string_equal(proxy_header(c, "Allow"), "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE");
    r.method = "WHATEVER";
    assert_int_equal(proxy_ask(&s, c, &r), 501);
    assert_string_equal(proxy_header(c, "Allow"), "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE");
    r = base;
    r.more = "Require: teleport, 100rel\nRequire: x\n";
    assert_int_equal(proxy_ask(&s, c, &r), 420);
    assert_string_equal(proxy_header(c, "Unsupported"), "teleport, 100rel, x");
    r.more = "Accept: text/plain\n";
    assert_int_equal(proxy_ask(&s, c, &r), 406);
    r = base;
    r.uri = "tel:+1";
    assert_int_equal(proxy_ask(&s, c, &r), 416);
    stop();

    start(PROXY);
    c = proxy_connect(&s, false);
    r = base;
    r.more = "Proxy-Require: teleport\nRequire: x\n";
    assert_int_equal(proxy_ask(&s, c, &r), 420);
    assert_string_equal(proxy_header(c, "Unsupported"), "teleport");
    r.method = "REGISTER";
    r.more = "Require: x\nProxy-Require: teleport\n";
    assert_int_equal(proxy_ask(&s, c, &r), 420);
    assert_string_equal(proxy_header(c, "Unsupported"), "x");
    stop();
}

static void a_body_that_is_not_understood(void **state)
{
    (void)state;
    static const char text[] =
        "INVITE sip:u@h SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\n"
        "To: <sip:u@h>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\n"
        "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx";

    start(ENDPOINT);
    struct proxy_conn *c = proxy_connect(&s, false);
    ssi_ua_stream_input(c->stream, text, sizeof text - 1);
    proxy_take(c);
    assert_int_equal(proxy_status(c), 415);
    assert_string_equal(proxy_header(c, "Accept"), "application/sdp");
    assert_string_equal(proxy_header(c, "Accept-Encoding"), "identity");
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_message_is_answered_as_it_is_owed),
        cmocka_unit_test(over_a_connection_too),
        cmocka_unit_test(answers_say_what_would_do),
        cmocka_unit_test(a_body_that_is_not_understood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
