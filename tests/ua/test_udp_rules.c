/* What RFC 3261 18 and RFC 3581 say of datagrams, byte by byte on virtual time: where responses go, what one datagram holds,
 * what is too large for one, and who is remembered for how long. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/stack.h"
#include "base/addr.h"
#include "phone.h"

enum {
    SEEN_MAX = 64,
    TEXT_MAX = 4096,
};

static struct lab l;

struct datagram {
    char from[SSI_ADDR_TEXT], to[SSI_ADDR_TEXT];
    char text[TEXT_MAX];
};
static struct datagram seen[SEEN_MAX];
static int n_seen;
static char stream_text[TEXT_MAX]; /* the last piece of a connection */
static int n_stream;

static const secsip_account_config clear_config = {
    .proxy = "sip:10.0.0.9;transport=udp",
    .media_security = SECSIP_MEDIA_SECURITY_INSECURE_CLEAR,
    .insecure_transport = 1,
};

static void show(const secsip_engine_address *a, char out[SSI_ADDR_TEXT])
{
    snprintf(out, SSI_ADDR_TEXT, "%d.%d.%d.%d:%u", a->ip[0], a->ip[1], a->ip[2], a->ip[3],
             (unsigned)a->port);
}

static bool watch_dgram(const secsip_engine_address *from, const secsip_engine_address *to,
                        uint8_t *data, size_t len, void *arg)
{
    (void)arg;
    if (n_seen == SEEN_MAX || len < 100 || data[0] == 0x80)
        return true;
    struct datagram *d = &seen[n_seen++];
    show(from, d->from);
    show(to, d->to);
    snprintf(d->text, sizeof d->text, "%.*s", (int)len, (const char *)data);
    return true;
}

static void watch_stream(const secsip_engine_address *from, const secsip_engine_address *to,
                         const uint8_t *data, size_t len, void *arg)
{
    (void)from;
    (void)to;
    (void)arg;
    if (len < 100)
        return;
    n_stream++;
    snprintf(stream_text, sizeof stream_text, "%.*s", (int)len, (const char *)data);
}

static void forget(void)
{
    n_seen = n_stream = 0;
    memset(seen, 0, sizeof seen);
}

static void start(const secsip_stack_config *server)
{
    forget();
    lab_start_clear(&l, server);
    simnet_tap(l.net, watch_dgram, watch_stream, NULL);
}

/* bob, who listens himself. */
static void start_bob(const secsip_account_config *config)
{
    start(&(secsip_stack_config){0});
    lab_phone(&l, &l.bob, "bob", config);
    l.bob.answers = true;
    assert_int_equal(
        secsip_stack_listen(simnet_stack(l.bob.host), "insecure-udp:10.0.0.2:5060", NULL, NULL), 0);
}

static struct ssi_ua *core_of(struct simnet_host *h)
{
    return &simnet_stack(h)->ua;
}

/* An OPTIONS to the registrar; via: sent-by and parameters; more: header lines; then the body as it stands. */
static void ask_server(const char *from, const char *via, const char *more, const char *body)
{
    static unsigned n;
    char text[TEXT_MAX];
    int len =
        snprintf(text, sizeof text,
                 "OPTIONS sip:example.test SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%u\r\n"
                 "From: <sip:x@y>;tag=x\r\nTo: <sip:example.test>\r\nCall-ID: %u\r\n"
                 "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n%s\r\n%s",
                 via, n, n, more, body);

    n++;
    forget();
    simnet_inject(l.net, from, "10.0.0.9:5060", text, (size_t)len);
    simnet_run(l.net, 100000, NULL, NULL);
}

static void responses_go_where_the_rfcs_say(void **state)
{
    static const struct {
        const char *from, *via, *to, *has;
    } cases[] = {
        /* RFC 3581 4: back to the source, whatever sent-by says. */
        {"10.0.0.66:4321", "10.0.0.66:5070;rport", "10.0.0.66:4321",
         ";received=10.0.0.66;rport=4321"},
        {"10.0.0.66:4321", "host.example.com;rport", "10.0.0.66:4321",
         ";received=10.0.0.66;rport=4321"},
        /* RFC 3261 18.2.2: to the source, at the port of sent-by. */
        {"10.0.0.66:4321", "10.0.0.66:5070", "10.0.0.66:5070", "10.0.0.66:5070;branch"},
        {"10.0.0.66:4321", "10.0.0.66", "10.0.0.66:5060", "10.0.0.66;branch"},
        {"10.0.0.66:4321", "host.example.com:5071", "10.0.0.66:5071", ";received=10.0.0.66"},
        {"10.0.0.66:4321", "10.9.9.9:5071", "10.0.0.66:5071", ";received=10.0.0.66"},
        /* Nobody makes us send to a third one. */
        {"10.0.0.66:4321", "10.0.0.66;maddr=10.0.0.99", "10.0.0.66:5060", "maddr"},
        {"10.0.0.66:4321", "10.0.0.66;received=10.0.0.99;rport=9", "10.0.0.66:4321",
         ";received=10.0.0.66;rport=4321"},
    };

    (void)state;
    start(&(secsip_stack_config){0});
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ask_server(cases[i].from, cases[i].via, "Content-Length: 0\r\n", "");
        assert_int_equal(n_seen, 1);
        assert_string_equal(seen[0].from, "10.0.0.9:5060"); /* RFC 3581 4: from where it came to */
        assert_string_equal(seen[0].to, cases[i].to);
        assert_non_null(strstr(seen[0].text, "SIP/2.0 200 "));
        assert_non_null(strstr(seen[0].text, cases[i].has));
    }
    lab_stop(&l);
}

static void a_datagram_is_one_message(void **state)
{
    (void)state;
    start(&(secsip_stack_config){.max_message_bytes = 2000});
    ask_server("10.0.0.66:5060", "10.0.0.66", "", "no length");
    assert_int_equal(n_seen, 1);
    assert_non_null(strstr(seen[0].text, "SIP/2.0 200 "));
    ask_server("10.0.0.66:5060", "10.0.0.66", "Content-Length: 4\r\n", "bodyOPTIONS and more");
    assert_int_equal(n_seen, 1); /* RFC 3261 18.3: the rest is discarded */
    assert_non_null(strstr(seen[0].text, "SIP/2.0 200 "));
    ask_server("10.0.0.66:5060", "10.0.0.66", "Content-Length: 40\r\n", "less");
    assert_int_equal(n_seen, 1);
    assert_non_null(strstr(seen[0].text, "SIP/2.0 400 "));
    ask_server("10.0.0.66:5060", "10.0.0.66", "Content-Length: x\r\n", "");
    assert_int_equal(n_seen, 1);
    assert_non_null(strstr(seen[0].text, "SIP/2.0 400 "));
    /* At the limit, and above it. */
    char body[2000];
    memset(body, 'x', sizeof body);
    body[1700] = 0;
    ask_server("10.0.0.66:5060", "10.0.0.66", "", body);
    assert_int_equal(n_seen, 1);
    memset(body, 'x', sizeof body);
    body[1999] = 0;
    uint32_t n_live = core_of(l.server)->txn.n_live;
    ask_server("10.0.0.66:5060", "10.0.0.66", "", body);
    assert_int_equal(n_seen, 1); /* RFC 3261 21.5.7, without state */
    assert_non_null(strstr(seen[0].text, "SIP/2.0 513 "));
    assert_true(core_of(l.server)->txn.n_live <= n_live);
    /* Where the header block alone is above it, nobody knows what was asked. */
    char line[2010];
    snprintf(line, sizeof line, "X: %.1990s\r\n", body);
    ask_server("10.0.0.66:5060", "10.0.0.66", line, "");
    assert_int_equal(n_seen, 0);
    /* Keep-alives are nothing, and may stand before a message (RFC 3261 7.5). */
    uint32_t n_flows = core_of(l.server)->n_flows;
    simnet_inject(l.net, "10.0.0.67:5060", "10.0.0.9:5060", "\r\n\r\n", 4);
    simnet_inject(l.net, "10.0.0.67:5060", "10.0.0.9:5060", "\r\n", 2);
    simnet_inject(l.net, "10.0.0.67:5060", "10.0.0.9:5060", "\0\0\0\0", 4);
    simnet_inject(l.net, "10.0.0.67:5060", "10.0.0.9:5060", "", 0);
    simnet_run(l.net, 100000, NULL, NULL);
    assert_int_equal(n_seen, 0);
    assert_int_equal(core_of(l.server)->n_flows, n_flows);
    lab_stop(&l);
}

static void a_silent_peer_is_forgotten_after_an_hour(void **state)
{
    (void)state;
    start(&(secsip_stack_config){0});
    ask_server("10.0.0.66:5060", "10.0.0.66", "", "");
    simnet_run(l.net, 3590000000, NULL, NULL);
    assert_int_equal(core_of(l.server)->n_flows, 1);
    ask_server("10.0.0.66:5060", "10.0.0.66", "", "");
    assert_int_equal(core_of(l.server)->n_flows, 1);
    simnet_run(l.net, 3590000000, NULL, NULL);
    assert_int_equal(core_of(l.server)->n_flows, 1);
    simnet_run(l.net, 3700000000, NULL, NULL);
    assert_int_equal(core_of(l.server)->n_flows, 0);
    lab_stop(&l);
}

static void icmp_ends_the_transactions_of_its_peer(void **state)
{
    (void)state;
    start(&(secsip_stack_config){0});
    lab_phone(&l, &l.bob, "bob", &clear_config); /* a host that is up; nobody listens at 7777 */
    ask_server("10.0.0.66:5060", "10.0.0.66", "", "");
    ask_server("10.0.0.2:7777", "10.0.0.2:7777", "", "");
    assert_int_equal(n_seen, 1);
    assert_int_equal(core_of(l.server)->txn.n_live, 1); /* timer J of the other one */
    assert_int_equal(core_of(l.server)->n_flows, 2);
    lab_stop(&l);
}

static void answer_register(const char *status, const char *via_params, const char *more)
{
    const struct datagram *d = &seen[n_seen - 1];
    char text[TEXT_MAX], via[256] = "", from[256] = "", to[256] = "", call_id[128] = "";
    unsigned cseq = 0;

    sscanf(strstr(d->text, "Via: "), "%255[^\r]", via);
    sscanf(strstr(d->text, "From: "), "%255[^\r]", from);
    sscanf(strstr(d->text, "To: "), "%255[^\r]", to);
    sscanf(strstr(d->text, "Call-ID: "), "%127[^\r]", call_id);
    cseq = (unsigned)strtoul(strstr(d->text, "CSeq: ") + 6, NULL, 10);
    char *rport = strstr(via, ";rport");
    assert_non_null(rport); /* RFC 3581 3 */
    memmove(rport, rport + 6, strlen(rport + 6) + 1);
    int n = snprintf(text, sizeof text,
                     "SIP/2.0 %s\r\n%s%s\r\n%s\r\n%s;tag=r\r\n%s\r\nCSeq: %u REGISTER\r\n%s"
                     "Content-Length: 0\r\n\r\n",
                     status, via, via_params, from, to, call_id, cseq, more);
    simnet_inject(l.net, d->to, d->from, text, (size_t)n);
    simnet_run(l.net, 50000, NULL, NULL);
}

static void rport_tells_a_client_its_address(void **state)
{
    secsip_account_config config = clear_config;

    (void)state;
    config.proxy = "sip:10.0.0.77;transport=udp"; /* the test itself answers */
    start(&(secsip_stack_config){0});
    lab_phone(&l, &l.alice, "alice", &config);
    assert_int_equal(secsip_account_register(l.alice.account), 0);
    simnet_run(l.net, 50000, NULL, NULL);
    assert_int_equal(n_seen, 1);
    char own[SSI_ADDR_TEXT + 1];
    snprintf(own, sizeof own, "@%s", seen[0].from);
    assert_non_null(strstr(seen[0].text, own)); /* nothing is known yet */
    answer_register("401 Unauthorized", ";received=203.0.113.5;rport=31000",
                    "WWW-Authenticate: Digest realm=\"example.test\",nonce=\"n\"\r\n");
    assert_int_equal(n_seen, 2);
    assert_non_null(strstr(seen[1].text, "Contact: <sip:"));
    assert_non_null(strstr(seen[1].text, "@203.0.113.5:31000;transport=udp>"));
    answer_register("200 OK", ";received=203.0.113.5;rport=31000", "Expires: 600\r\n");
    assert_int_equal(l.alice.reg_state, SECSIP_REGISTRATION_REGISTERED);
    assert_int_equal(n_seen, 2);
    secsip_account_unregister(l.alice.account);
    simnet_run(l.net, 50000, NULL, NULL);
    answer_register("200 OK", ";received=10.0.0.1;rport=40000", "");
    lab_stop(&l);
}

/* A name that makes every request larger than 1300 bytes. */
static const char *long_name(void)
{
    static char name[1400];

    memset(name, 'n', sizeof name - 1);
    return name;
}

static bool went_over(const char *method, const char *transport)
{
    char via[64];

    snprintf(via, sizeof via, "Via: SIP/2.0/%s ", transport);
    for (int i = 0; i < n_seen; i++)
        if (strncmp(seen[i].text, method, strlen(method)) == 0 && strstr(seen[i].text, via))
            return true;
    return strncmp(stream_text, method, strlen(method)) == 0 && strstr(stream_text, via);
}

static void large_requests_go_over_tcp(void **state)
{
    secsip_account_config config = clear_config;

    (void)state;
    config.display_name = long_name();
    start(&(secsip_stack_config){0});
    lab_phone(&l, &l.alice, "alice", &config);
    lab_phone(&l, &l.bob, "bob", &clear_config);
    l.bob.answers = true;
    assert_int_equal(secsip_account_register(l.alice.account), 0);
    simnet_run(l.net, 1000000, NULL, NULL);
    assert_int_equal(l.alice.reg_state, SECSIP_REGISTRATION_REGISTERED);
    assert_int_equal(n_seen, 0); /* all of it over the connection */
    assert_int_equal(n_stream, 4);
    assert_int_equal(secsip_account_register(l.bob.account), 0);
    assert_true(simnet_run(l.net, 1000000, lab_both_registered, &l));
    forget();
    /* A call: INVITE, the ACK of its 200 and BYE are large; what bob gets of it is, too, but he takes no connections. */
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_true(simnet_run(l.net, 5000000, lab_both_talking, &l));
    assert_true(went_over("INVITE", "UDP"));
    assert_string_equal(seen[0].from, "10.0.0.9:5060"); /* refused by bob, so it came back */
    assert_true(went_over("ACK", "TCP") || went_over("ACK", "UDP"));
    stream_text[0] = 0;
    assert_int_equal(secsip_call_hangup(l.alice.call), 0);
    assert_true(simnet_run(l.net, 5000000, lab_both_ended, &l));
    assert_int_equal(l.alice.call_result, 0);
    lab_stop(&l);
}

static void refused_connections_bring_large_requests_back(void **state)
{
    secsip_account_config config = clear_config;

    (void)state;
    config.display_name = long_name();
    start(&(secsip_stack_config){0});
    simnet_refuse_streams(l.server);
    lab_phone(&l, &l.alice, "alice", &config);
    /* The first datagram after the refusal is lost: timer E runs, as it does not for TCP. */
    simnet_lossy(l.net, 1, 100, 0, 0);
    assert_int_equal(secsip_account_register(l.alice.account), 0);
    simnet_run(l.net, 100000, NULL, NULL);
    simnet_lossy(l.net, 1, 0, 0, 0);
    simnet_run(l.net, 900000, NULL, NULL);
    assert_int_equal(l.alice.reg_state, SECSIP_REGISTRATION_REGISTERED);
    assert_int_equal(n_seen, 4);
    assert_true(went_over("REGISTER", "UDP"));
    assert_false(went_over("REGISTER", "TCP"));
    assert_true(strlen(seen[0].text) > 1300);
    /* From then on it is not tried again, and what is lost is sent again. */
    forget();
    simnet_lossy(l.net, 1, 100, 0, 0);
    assert_int_equal(secsip_account_unregister(l.alice.account), 0);
    simnet_run(l.net, 600000, NULL, NULL);
    assert_int_equal(n_seen, 0); /* lost before they are seen */
    simnet_lossy(l.net, 1, 0, 0, 0);
    simnet_run(l.net, 2000000, NULL, NULL);
    assert_int_equal(l.alice.reg_state, SECSIP_REGISTRATION_UNREGISTERED);
    assert_int_equal(n_stream, 0);
    lab_stop(&l);
}

static bool alice_ended(void *arg)
{
    (void)arg;
    return l.alice.n_ended > 0;
}

/* While the connection is tried the caller gives up: INVITE and CANCEL go by datagram, with the same Via. */
static void a_cancel_follows_its_invite(void **state)
{
    secsip_account_config config = clear_config;

    (void)state;
    config.display_name = long_name();
    config.proxy = "sip:10.0.0.2;transport=udp";
    start_bob(&clear_config);
    l.bob.answers = false; /* rings */
    simnet_refuse_streams(l.bob.host);
    lab_phone(&l, &l.alice, "alice", &config);
    lab_call(&l, &l.alice, "sip:bob@10.0.0.2");
    assert_int_equal(secsip_call_hangup(l.alice.call), 0);
    assert_true(simnet_run(l.net, 5000000, alice_ended, NULL));
    assert_true(went_over("INVITE", "UDP"));
    assert_true(went_over("CANCEL", "UDP"));
    assert_false(went_over("CANCEL", "TCP"));
    assert_int_equal(l.alice.call_status, 487);
    assert_int_equal(l.bob.n_ended, 1);
    simnet_run(l.net, 33000000, NULL, NULL);
    assert_int_equal(core_of(l.alice.host)->txn.n_live, 0);
    assert_int_equal(core_of(l.bob.host)->txn.n_live, 0);
    lab_stop(&l);
}

static int invite_bob(const char *uri)
{
    char text[TEXT_MAX];
    int len = snprintf(text, sizeof text,
                       "INVITE %s SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.66;branch=z9hG4bKi\r\n"
                       "From: <sip:x@y>;tag=x\r\nTo: <sip:bob@example.test>\r\nCall-ID: i\r\n"
                       "CSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <%s>\r\n"
                       "Content-Type: application/sdp\r\n\r\n"
                       "v=0\r\no=- 1 1 IN IP4 10.0.0.66\r\ns=-\r\nc=IN IP4 10.0.0.66\r\nt=0 0\r\n"
                       "m=audio 4000 RTP/AVP 0\r\n",
                       uri, strncmp(uri, "sips", 4) ? "sip:x@10.0.0.66" : "sips:x@10.0.0.66");
    int status = 0;

    forget();
    simnet_inject(l.net, "10.0.0.66:4321", "10.0.0.2:5060", text, (size_t)len);
    simnet_run(l.net, 100000, NULL, NULL);
    if (n_seen > 0)
        status = (int)strtol(strchr(seen[0].text, ' '), NULL, 10);
    return status;
}

/* Without Content-Length the body goes to the end of the datagram; sips is never served in clear; an account that did not
 * ask for it is not reached in clear. */
static void who_is_called_in_clear(void **state)
{
    secsip_account_config quiet = {.media_security = SECSIP_MEDIA_SECURITY_INSECURE_CLEAR};

    (void)state;
    start_bob(&clear_config);
    assert_int_equal(invite_bob("sips:bob@10.0.0.2"), 403);
    assert_null(l.bob.call);
    lab_stop(&l);
    start_bob(&clear_config);
    assert_int_equal(invite_bob("sip:bob@10.0.0.2"), 200);
    assert_string_equal(seen[0].to, "10.0.0.66:5060");
    /* A peer that takes responses at the port of sent-by takes requests there, too. */
    simnet_run(l.net, 32500000, NULL, NULL); /* no ACK comes */
    assert_int_equal(strncmp(seen[n_seen - 1].text, "BYE ", 4), 0);
    assert_string_equal(seen[n_seen - 1].to, "10.0.0.66:5060");
    lab_stop(&l);
    start_bob(&quiet);
    assert_int_equal(invite_bob("sip:bob@10.0.0.2"), 403);
    assert_null(l.bob.call);
    lab_stop(&l);
}

static void listeners_are_named_and_have_one_address(void **state)
{
    (void)state;
    start(&(secsip_stack_config){0});
    secsip_stack *s = simnet_stack(l.server);
    assert_int_equal(secsip_stack_listen(s, "udp:10.0.0.9:5070", NULL, NULL), SECSIP_E_INVALID);
    assert_int_equal(secsip_stack_listen(s, "insecure-udp:0.0.0.0:5070", NULL, NULL),
                     SECSIP_E_NET_ADDRESS);
    assert_int_equal(secsip_stack_listen(s, "insecure-udp:10.0.0.9:5070", l.server_profile, NULL),
                     SECSIP_E_INVALID);
    uint16_t port = 0;
    assert_int_equal(secsip_stack_listen(s, "insecure-udp:10.0.0.9:0", NULL, &port), 0);
    assert_true(port > 0);
    char again[64]; /* TCP is there, too: RFC 3261 18.2.1 */
    snprintf(again, sizeof again, "insecure-tcp:10.0.0.9:%u", (unsigned)port);
    assert_int_equal(secsip_stack_listen(s, again, NULL, NULL), SECSIP_E_NET_ADDRESS);
    lab_stop(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(responses_go_where_the_rfcs_say),
        cmocka_unit_test(a_datagram_is_one_message),
        cmocka_unit_test(a_silent_peer_is_forgotten_after_an_hour),
        cmocka_unit_test(icmp_ends_the_transactions_of_its_peer),
        cmocka_unit_test(rport_tells_a_client_its_address),
        cmocka_unit_test(large_requests_go_over_tcp),
        cmocka_unit_test(refused_connections_bring_large_requests_back),
        cmocka_unit_test(a_cancel_follows_its_invite),
        cmocka_unit_test(who_is_called_in_clear),
        cmocka_unit_test(listeners_are_named_and_have_one_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
