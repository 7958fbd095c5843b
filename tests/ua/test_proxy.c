/* The proxy beside the registrar on virtual time: forks, loops, routes, lost connections. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "oom.h"
#include "proxy_sim.h"

static struct proxy_sim s;
static struct proxy_conn *alice[3];
static struct proxy_conn *bob;

/* n phones of alice, and bob. */
static void start(uint32_t n)
{
    char contact[64];

    proxy_start(&s, NULL);
    for (uint32_t i = 0; i < n; i++) {
        alice[i] = proxy_connect(&s, true);
        snprintf(contact, sizeof contact, "<sip:alice@phone%u.invalid>", (unsigned)i);
        assert_int_equal(proxy_register(&s, alice[i], "alice", contact), 200);
    }
    bob = proxy_connect(&s, true);
    s.events[0] = '\0';
}

static struct proxy_request to_alice(const char *method)
{
    return (struct proxy_request){.method = method,
                                  .uri = "sip:alice@example.test",
                                  .from = "sip:bob@example.test",
                                  .to = "<sip:alice@example.test>",
                                  .user = "bob"};
}

static void expect_method(struct proxy_conn *c, const char *method)
{
    proxy_take(c);
    if (strncmp(c->text, method, strlen(method)) != 0)
        fail_msg("expected %s, got \"%s\"", method, c->text);
}

static void expect_status(struct proxy_conn *c, int status)
{
    do
        proxy_take(c);
    while (proxy_status(c) == 100);
    if (proxy_status(c) != status)
        fail_msg("expected %d, got \"%s\"", status, c->text);
}

static void the_best_refusal_goes_up_when_all_have_refused(void **state)
{
    (void)state;
    static const struct {
        int a, b, best;
    } cases[] = {
        {486, 404, 404}, {500, 486, 486}, {603, 486, 603}, {486, 603, 603}, {408, 486, 486},
        {302, 401, 302}, {486, 401, 401}, {503, 500, 500}, {503, 503, 500}, {408, 408, 408},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start(2);
        struct proxy_request r = to_alice("INVITE");
        proxy_ask(&s, bob, &r);
        expect_method(alice[0], "INVITE sip:alice@phone0.invalid SIP/2.0");
        expect_method(alice[1], "INVITE sip:alice@phone1.invalid SIP/2.0");
        char *second = strdup(alice[1]->text);
        proxy_answer(&s, alice[1], second, 180, "b", "");
        proxy_answer(&s, alice[0], alice[0]->text, cases[i].a, "a", "");
        expect_method(alice[0], "ACK ");
        proxy_answer(&s, alice[1], second, cases[i].b, "b", "");
        free(second);
        proxy_run(&s, 0);
        if (cases[i].a >= 600)
            expect_method(alice[1], "CANCEL ");
        expect_method(alice[1], "ACK ");
        expect_status(bob, 180);
        expect_status(bob, cases[i].best);
        assert_string_equal(proxy_take(bob), "");
        proxy_stop(&s);
    }
}

static void the_first_2xx_cancels_the_others_and_a_second_one_goes_up_too(void **state)
{
    (void)state;
    start(3);
    struct proxy_request r = to_alice("INVITE");
    proxy_ask(&s, bob, &r);
    char *invites[3];
    for (int i = 0; i < 3; i++) {
        expect_method(alice[i], "INVITE ");
        invites[i] = strdup(alice[i]->text);
    }
    proxy_answer(&s, alice[1], invites[1], 180, "b", "");
    proxy_answer(&s, alice[0], invites[0], 200, "a", "");
    expect_status(bob, 180);
    expect_status(bob, 200);
    expect_method(alice[1], "CANCEL ");
    /* No provisional response yet: the CANCEL waits (RFC 3261 9.1). */
    assert_string_equal(proxy_take(alice[2]), "");
    proxy_answer(&s, alice[2], invites[2], 100, "c", "");
    expect_method(alice[2], "CANCEL ");
    proxy_answer(&s, alice[1], invites[1], 200, "b", ""); /* it crossed */
    expect_status(bob, 200);
    assert_non_null(strstr(bob->text, ";tag=b"));
    proxy_answer(&s, alice[2], invites[2], 487, "c", "");
    expect_method(alice[2], "ACK ");
    proxy_run(&s, 40000);
    assert_string_equal(proxy_take(bob), "");
    for (int i = 0; i < 3; i++)
        free(invites[i]);
    proxy_stop(&s);
}

/* The text of a request with its topmost Via alone. */
static char *with_one_via(const char *request)
{
    char *copy = strdup(request);
    char *to = strstr(copy, "\r\nVia: ") + 2;
    char *from = to;
    bool top = true;

    for (char *end; (end = strstr(from, "\r\n")); from = end + 2) {
        bool is_via = strncmp(from, "Via: ", 5) == 0;
        size_t n = (size_t)(end + 2 - from);
        if (!is_via || top) {
            memmove(to, from, n);
            to += n;
        }
        top = top && !is_via;
    }
    *to = 0;
    return copy;
}

/* RFC 3261 16.7 step 3: "If no Via header field values remain in the copied response, the response was intended for this element
 * and MUST NOT be forwarded." */
static void a_response_without_a_via_below_ours_goes_nowhere(void **state)
{
    (void)state;
    static const int finals[] = {200, 486, 603};

    for (size_t i = 0; i < sizeof finals / sizeof *finals; i++) {
        start(2);
        struct proxy_request r = to_alice("INVITE");
        proxy_ask(&s, bob, &r);
        expect_method(alice[0], "INVITE ");
        expect_method(alice[1], "INVITE ");
        char *bare = with_one_via(alice[0]->text);
        proxy_answer(&s, alice[0], bare, 180, "a", "");
        proxy_answer(&s, alice[0], bare, finals[i], "a", "");
        proxy_run(&s, 100);
        assert_true(strcmp(proxy_take(bob), "") == 0 || proxy_status(bob) == 100);
        assert_string_equal(proxy_take(bob), "");
        proxy_answer(&s, alice[1], alice[1]->text, i == 0 ? 200 : 503, "b", "");
        expect_status(bob, i == 0 ? 200 : 502);
        assert_null(strstr(bob->text, ";tag=a\r\n"));
        assert_string_equal(proxy_take(bob), "");
        free(bare);
        proxy_stop(&s);
    }
}

/* RFC 4320 4.2: "an element that cannot respond before the transaction expires will not send a final response at all." */
static void silence_is_answered_to_an_invite_alone(void **state)
{
    (void)state;
    static const char *const methods[] = {"INVITE", "OPTIONS", "MESSAGE"};

    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        for (int other = 0; other < 2; other++) {
            start(1 + (uint32_t)other);
            struct proxy_request r = to_alice(methods[i]);
            proxy_ask(&s, bob, &r);
            expect_method(alice[0], methods[i]);
            if (other) {
                expect_method(alice[1], methods[i]);
                proxy_answer(&s, alice[1], alice[1]->text, 404, "b", "");
            }
            proxy_run(&s, 40000);
            do
                proxy_take(bob);
            while (proxy_status(bob) == 100);
            assert_int_equal(proxy_status(bob), i > 0 ? 0 : other ? 404 : 408);
            proxy_stop(&s);
        }
}

static void a_phone_that_goes_away_counts_as_not_there(void **state)
{
    (void)state;
    start(2);
    struct proxy_request r = to_alice("INVITE");
    proxy_ask(&s, bob, &r);
    proxy_hang_up(&s, alice[0]);
    expect_method(alice[1], "INVITE ");
    proxy_hang_up(&s, alice[1]);
    expect_status(bob, 480);
    proxy_stop(&s);
}

static void a_caller_that_goes_away_stops_the_ringing(void **state)
{
    (void)state;
    start(1);
    struct proxy_request r = to_alice("INVITE");
    proxy_ask(&s, bob, &r);
    expect_method(alice[0], "INVITE ");
    proxy_answer(&s, alice[0], alice[0]->text, 180, "a", "");
    proxy_hang_up(&s, bob);
    expect_method(alice[0], "CANCEL ");
    proxy_stop(&s);
}

static void timer_c_ends_a_call_that_rings_for_ever(void **state)
{
    (void)state;
    start(1);
    struct proxy_request r = to_alice("INVITE");
    proxy_ask(&s, bob, &r);
    expect_method(alice[0], "INVITE ");
    char *invite = strdup(alice[0]->text);
    proxy_run(&s, 10000);
    proxy_answer(&s, alice[0], invite, 180, "a", "");
    proxy_run(&s, 180999);
    assert_string_equal(proxy_take(alice[0]), "");
    proxy_run(&s, 1);
    expect_method(alice[0], "CANCEL ");
    proxy_answer(&s, alice[0], invite, 487, "a", "");
    expect_status(bob, 180);
    expect_status(bob, 487);
    free(invite);
    proxy_stop(&s);
}

static void a_phone_that_never_answers_times_out(void **state)
{
    (void)state;
    start(1);
    struct proxy_request r = to_alice("INVITE");
    proxy_ask(&s, bob, &r);
    proxy_run(&s, 32000);
    expect_status(bob, 408);
    /* Of other requests nobody hears any more: RFC 4320 4.2. */
    r = to_alice("MESSAGE");
    proxy_ask(&s, bob, &r);
    proxy_run(&s, 40000);
    expect_status(bob, 0);
    assert_int_equal(s.ua.txn.servers.n_nodes, 0);
    proxy_stop(&s);
}

/* A request that finds room here, and its way on does not: it is we who have too much to do, so it is 503 (RFC 3261 21.5.4). */
static void who_cannot_be_forwarded_for_want_of_room_hears_when_to_come_again(void **state)
{
    (void)state;
    static const char *const methods[] = {"INVITE", "MESSAGE"};

    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        start(2);
        struct proxy_request r = to_alice(methods[i]);
        proxy_ask(&s, bob,
                  &(struct proxy_request){
                      .method = "OPTIONS", .uri = "sip:example.test", .from = r.from, .to = r.to});
        s.ua.txn.config.max_transactions = s.ua.txn.n_live + 1;
        r.user = NULL;
        r.from = "sip:bob@other.invalid";
        proxy_ask(&s, bob, &r);
        assert_int_equal(proxy_status(bob), 503);
        assert_string_equal(proxy_header(bob, "Retry-After"), "10");
        assert_string_equal(proxy_take(alice[0]), "");
        assert_string_equal(proxy_take(alice[1]), "");
        proxy_stop(&s);
    }
}

static void our_record_route_stands_before_those_of_others(void **state)
{
    (void)state;
    start(1);
    struct proxy_request r = to_alice("INVITE");
    r.more = "Record-Route: <sip:first.invalid;lr>\n";
    proxy_ask(&s, bob, &r);
    expect_method(alice[0], "INVITE ");
    const char *ours = strstr(alice[0]->text, "\r\nRecord-Route: <sip:1-");
    if (!ours)
        ours = strstr(alice[0]->text, "@192.0.2.1:5061");
    const char *theirs = strstr(alice[0]->text, "<sip:first.invalid;lr>");
    assert_non_null(ours);
    assert_non_null(theirs);
    assert_true(strstr(alice[0]->text, "Record-Route: ") < theirs);
    assert_true(strstr(alice[0]->text, "192.0.2.1:5061;transport=tls;lr") < theirs);
    proxy_stop(&s);
}

static void credentials_for_our_realm_stay_here_those_of_others_go_on(void **state)
{
    (void)state;
    start(1);
    struct proxy_request r = to_alice("MESSAGE");
    r.more = "Proxy-Authorization: Digest username=\"bob\", realm=\"other.test\", nonce=\"n\", "
             "uri=\"sip:x@example.test\", "
             "response=\"00000000000000000000000000000000\"\n";
    proxy_ask(&s, bob, &r);
    expect_method(alice[0], "MESSAGE ");
    assert_non_null(strstr(alice[0]->text, "realm=\"other.test\""));
    assert_null(strstr(alice[0]->text, "realm=\"example.test\""));
    proxy_stop(&s);
}

static void a_request_forked_before_us_is_forwarded_to_each_address(void **state)
{
    (void)state;
    start(1);
    struct proxy_conn *carol = proxy_connect(&s, true);
    proxy_register(&s, carol, "carol", "<sip:carol@phone.invalid>");
    struct proxy_request r = to_alice("INVITE");
    r.user = NULL;
    r.from = "sip:dan@elsewhere.test";
    r.call_id = "same";
    r.cseq = 7;
    assert_int_equal(proxy_ask(&s, bob, &r), 0);
    expect_method(alice[0], "INVITE ");
    r.uri = "sip:carol@example.test";
    assert_int_equal(proxy_ask(&s, bob, &r), 0);
    expect_method(carol, "INVITE ");
    proxy_stop(&s);
}

/* Sends the request in c->text back to the proxy with another Request-URI, as a forwarding phone does. */
static void send_back(struct proxy_conn *c, const char *uri)
{
    char text[PROXY_TEXT];
    size_t len = (size_t)snprintf(
        text, sizeof text,
        "MESSAGE %s SIP/2.0\nVia: SIP/2.0/TLS phone.invalid;branch=z9hG4bKback%u\n", uri,
        (unsigned)s.n_branches++);

    for (const char *p = strstr(c->text, "\r\n") + 2; *p && *p != '\r'; p = strstr(p, "\r\n") + 2)
        if (strncmp(p, "Content-Length:", 15) != 0)
            len +=
                (size_t)snprintf(text + len, sizeof text - len, "%.*s\n", (int)strcspn(p, "\r"), p);
    proxy_send(&s, c, "%s", text);
}

static void a_loop_is_refused_and_a_spiral_is_not(void **state)
{
    (void)state;
    start(1);
    struct proxy_conn *carol = proxy_connect(&s, true);
    proxy_register(&s, carol, "carol", "<sip:carol@phone.invalid>");
    struct proxy_request r = to_alice("MESSAGE");
    r.from = "sip:dan@elsewhere.test";
    proxy_ask(&s, bob, &r);
    expect_method(alice[0], "MESSAGE ");
    send_back(alice[0], "sip:carol@example.test");
    expect_method(carol, "MESSAGE ");
    send_back(carol, "sip:alice@example.test");
    expect_status(carol, 482);
    proxy_stop(&s);
}

/* A dialog from bob to alice[0]; gives the Record-Route value. */
static void make_dialog(char *route, size_t cap)
{
    start(1);
    struct proxy_request r = to_alice("INVITE");
    proxy_ask(&s, bob, &r);
    expect_method(alice[0], "INVITE ");
    snprintf(route, cap, "%s", proxy_header(alice[0], "Record-Route"));
    proxy_answer(&s, alice[0], alice[0]->text, 200, "a", "");
    expect_status(bob, 200);
    assert_string_equal(proxy_header(bob, "Record-Route"), route);
}

static void send_bye(struct proxy_conn *c, const char *method, const char *uri, const char *route)
{
    proxy_send(
        &s, c,
        "%s %s SIP/2.0\nVia: SIP/2.0/TLS client.invalid;branch=z9hG4bK%s%u\nMax-Forwards: 70\n"
        "From: <sip:bob@example.test>;tag=f\nTo: <sip:alice@example.test>;tag=a\nCall-ID: x\nCSeq: "
        "9 %s\n%s",
        method, uri, method, (unsigned)s.n_branches++, method, route);
}

/* RFC 3261 16.4: a strict router before us has put our URI where the target was. */
static void a_strict_router_before_us_is_understood(void **state)
{
    char route[256], uri[256], line[300];

    (void)state;
    make_dialog(route, sizeof route);
    snprintf(uri, sizeof uri, "%.*s", (int)strcspn(route + 1, ">"), route + 1);
    static const char *const methods[] = {"INFO", "ACK"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        send_bye(bob, methods[i], uri,
                 "Route: <sip:next.invalid;lr>\nRoute: <sip:alice@phone0.invalid;x=1?a=b>\n");
        snprintf(line, sizeof line, "%s sip:alice@phone0.invalid;x=1 SIP/2.0\r\n", methods[i]);
        expect_method(alice[0], line);
        assert_string_equal(proxy_header(alice[0], "Route"), "<sip:next.invalid;lr>");
        assert_null(strstr(strstr(alice[0]->text, "\r\nRoute: ") + 2, "\r\nRoute: "));
    }
    send_bye(bob, "INFO", uri, ""); /* to us, and where to? */
    expect_status(bob, 481);
    uri[8] ^= 1; /* not our token */
    send_bye(bob, "INFO", uri, "Route: <sip:alice@phone0.invalid>\n");
    expect_status(bob, 481);
    assert_string_equal(proxy_take(alice[0]), "");
    proxy_stop(&s);
}

/* RFC 3261 16.6 step 6: the one behind us. */
static void a_strict_router_behind_us_is_served(void **state)
{
    char route[256], line[600];

    (void)state;
    make_dialog(route, sizeof route);
    snprintf(line, sizeof line, "Route: %s, <sip:old.invalid;x?a=b>, <sip:next.invalid;lr>\n",
             route);
    send_bye(bob, "INFO", "sip:alice@phone0.invalid", line);
    expect_method(alice[0], "INFO sip:old.invalid;x SIP/2.0\r\n");
    assert_string_equal(proxy_header(alice[0], "Route"), "<sip:next.invalid;lr>");
    assert_non_null(
        strstr(alice[0]->text,
               "\r\nRoute: <sip:next.invalid;lr>\r\nRoute: <sip:alice@phone0.invalid>\r\n"));
    proxy_stop(&s);
}

/* A token is not enough to take the place of a connection that is gone: the password belongs to it. */
static void who_lost_his_connection_comes_back_with_his_password(void **state)
{
    char route[256];
    char line[300];

    (void)state;
    make_dialog(route, sizeof route);
    snprintf(line, sizeof line, "Route: %s\n", route);
    struct proxy_request r = to_alice("OPTIONS");
    r.uri = "sip:alice@phone0.invalid";
    r.to = "<sip:alice@example.test>;tag=a";
    r.more = line;
    struct proxy_conn *eve = proxy_connect(&s, true);
    assert_int_equal(proxy_ask(&s, eve, &r), 481); /* bob is still there */
    proxy_hang_up(&s, bob);
    r.user = NULL;
    assert_int_equal(proxy_ask(&s, eve, &r), 407);
    r.user = "carol";
    assert_int_equal(proxy_ask(&s, eve, &r), 403);
    send_bye(eve, "ACK", "sip:alice@phone0.invalid", line);
    assert_string_equal(proxy_take(alice[0]), "");
    struct proxy_conn *again = proxy_connect(&s, true);
    r.user = "bob";
    assert_int_equal(proxy_ask(&s, again, &r), 0);
    expect_method(alice[0], "OPTIONS ");
    proxy_answer(&s, alice[0], alice[0]->text, 200, "", "");
    expect_status(again, 200);
    /* From now on it is his place: without a password, and also for what alice sends. */
    send_bye(again, "ACK", "sip:alice@phone0.invalid", line);
    expect_method(alice[0], "ACK ");
    assert_int_equal(proxy_ask(&s, eve, &r), 481);
    proxy_send(&s, alice[0],
               "BYE sip:bob@phone.invalid SIP/2.0\nVia: SIP/2.0/TLS client.invalid;"
               "branch=z9hG4bKfromalice\nMax-Forwards: 70\nFrom: <sip:alice@example.test>;tag=a\n"
               "To: <sip:bob@example.test>;tag=f\nCall-ID: x\nCSeq: 1 BYE\n%s",
               line);
    expect_method(again, "BYE ");
    proxy_stop(&s);
}

/* Bob's request inside his dialog with alice: there is nobody at the other end. */
static void expect_nobody_at_alices_end(const char *line, struct proxy_conn *stranger)
{
    send_bye(bob, "INVITE", "sip:alice@phone0.invalid", line);
    expect_status(bob, 430);
    assert_string_equal(proxy_take(stranger), "");
}

/* Route and tags are known to whoever the call passed by, and every user has a password: it must be the password of him whose end
 * of the dialog it is. */
static void nobody_takes_the_place_of_another_user(void **state)
{
    char route[256];
    char line[300];

    (void)state;
    make_dialog(route, sizeof route);
    snprintf(line, sizeof line, "Route: %s\n", route);
    struct proxy_conn *carol = proxy_connect(&s, true);
    proxy_hang_up(&s, alice[0]);
    struct proxy_request r = {.method = "OPTIONS",
                              .uri = "sip:bob@phone.invalid",
                              .from = "sip:carol@example.test>;tag=a\nX: <x",
                              .to = "<sip:bob@example.test>;tag=f",
                              .more = line,
                              .user = "carol"};
    assert_int_equal(proxy_ask(&s, carol, &r), 403);
    assert_string_equal(proxy_take(bob), "");
    expect_nobody_at_alices_end(line, carol);
    /* Nor with alice's name and her own password, nor with what she finds in From. */
    r.from = "sip:alice@example.test>;tag=a\nX: <x";
    assert_int_equal(proxy_ask(&s, carol, &r), 403);
    expect_nobody_at_alices_end(line, carol);
    r.user = "alice";
    struct proxy_conn *again = proxy_connect(&s, true);
    assert_int_equal(proxy_ask(&s, again, &r), 0);
    expect_method(bob, "OPTIONS ");
    proxy_stop(&s);
}

/* Two phones behind one connection: who comes back takes his own dialogs along, and nobody else's. */
static void a_shared_connection_moves_for_each_user_alone(void **state)
{
    char of_alice[256], of_carol[256], line[300];

    (void)state;
    start(1);
    assert_int_equal(proxy_register(&s, alice[0], "carol", "<sip:carol@phone9.invalid>"), 200);
    struct proxy_request r = to_alice("INVITE");
    proxy_ask(&s, bob, &r);
    expect_method(alice[0], "INVITE ");
    snprintf(of_alice, sizeof of_alice, "Route: %s\n", proxy_header(alice[0], "Record-Route"));
    proxy_answer(&s, alice[0], alice[0]->text, 200, "a", "");
    expect_status(bob, 200);
    r.uri = "sip:carol@example.test";
    r.to = "<sip:carol@example.test>";
    proxy_ask(&s, bob, &r);
    expect_method(alice[0], "INVITE ");
    snprintf(of_carol, sizeof of_carol, "%s", proxy_header(alice[0], "Record-Route"));
    snprintf(line, sizeof line, "Route: %s\n", of_carol);
    proxy_answer(&s, alice[0], alice[0]->text, 200, "c", "");
    expect_status(bob, 200);
    proxy_hang_up(&s, alice[0]);
    struct proxy_conn *carol = proxy_connect(&s, true);
    struct proxy_request back = {.method = "OPTIONS",
                                 .uri = "sip:bob@phone.invalid",
                                 .from = "sip:carol@example.test>;tag=c\nX: <x",
                                 .to = "<sip:bob@example.test>;tag=f",
                                 .more = line,
                                 .user = "carol"};
    assert_int_equal(proxy_ask(&s, carol, &back), 0);
    expect_method(bob, "OPTIONS ");
    expect_nobody_at_alices_end(of_alice, carol);
    proxy_stop(&s);
}

static void requests_inside_a_dialog_need_its_route_and_its_connection(void **state)
{
    (void)state;
    char route[256];
    char line[300];

    make_dialog(route, sizeof route);
    snprintf(line, sizeof line, "Route: %s\n", route);
    send_bye(bob, "ACK", "sip:alice@phone0.invalid", line);
    expect_method(alice[0], "ACK sip:alice@phone0.invalid SIP/2.0");
    assert_string_equal(proxy_header(alice[0], "Route"), "");
    send_bye(bob, "BYE", "sip:alice@phone0.invalid", "");
    expect_status(bob, 481);
    struct proxy_conn *eve = proxy_connect(&s, true);
    send_bye(eve, "BYE", "sip:alice@phone0.invalid", line);
    expect_status(eve, 481);
    char *digit = strstr(line, "@192.0.2.1") - 1;
    *digit = *digit == '0' ? '1' : '0'; /* the last character of the MAC */
    send_bye(bob, "BYE", "sip:alice@phone0.invalid", line);
    expect_status(bob, 481);
    assert_string_equal(proxy_take(alice[0]), "");
    snprintf(line, sizeof line, "Route: %s\n", route);
    send_bye(bob, "BYE", "sip:alice@phone0.invalid", line);
    expect_method(alice[0], "BYE ");
    proxy_answer(&s, alice[0], alice[0]->text, 200, "a", "");
    expect_status(bob, 200);
    proxy_hang_up(&s, alice[0]);
    send_bye(bob, "BYE", "sip:alice@phone0.invalid", line);
    expect_status(bob, 430);
    proxy_stop(&s);
}

static void sips_goes_only_to_sips_contacts_over_tls(void **state)
{
    (void)state;
    const secsip_registrar_config config = {.size = sizeof config, .insecure_transport = 1};

    proxy_start(&s, &config);
    struct proxy_conn *clear = proxy_connect(&s, false);
    struct proxy_conn *tls = proxy_connect(&s, true);
    bob = proxy_connect(&s, true);
    proxy_register(&s, clear, "alice", "<sips:alice@clear.invalid>");
    proxy_register(&s, tls, "alice", "<sip:alice@tls.invalid>");
    struct proxy_request r = to_alice("MESSAGE");
    r.uri = "sips:alice@example.test";
    assert_int_equal(proxy_ask(&s, bob, &r), 480);
    proxy_register(&s, tls, "alice", "<sips:alice@tls.invalid>");
    assert_int_equal(proxy_ask(&s, bob, &r), 0);
    expect_method(tls, "MESSAGE sips:alice@tls.invalid SIP/2.0");
    assert_string_equal(proxy_take(tls), "");
    assert_string_equal(proxy_take(clear), "");
    proxy_stop(&s);
}

static void who_does_not_read_is_cut_off_and_nobody_else_is_hurt(void **state)
{
    (void)state;
    char pad[3000];
    int n = 0;

    start(3);
    memset(pad, 'x', sizeof pad);
    memcpy(pad, "Subject: ", 9);
    memcpy(pad + sizeof pad - 2, "\n", 2);
    struct proxy_request r = to_alice("MESSAGE");
    r.from = "sip:dan@elsewhere.test";
    r.user = NULL;
    r.more = pad;
    /* alice[0] and alice[1] do not read, alice[2] does. */
    for (; n < 1000 && alice[0]->stream; n++) {
        proxy_ask(&s, bob, &r);
        proxy_take(alice[2]);
    }
    assert_in_range(n, 300, 400); /* 1 MB */
    assert_null(alice[1]->stream);
    assert_non_null(alice[2]->stream);
    assert_int_equal(secsip_registrar_count(s.registrar), 1);
    proxy_stop(&s);
}

static void the_registrar_may_go_in_the_middle_of_calls(void **state)
{
    (void)state;
    start(2);
    struct proxy_request r = to_alice("INVITE");
    proxy_ask(&s, bob, &r);
    r = to_alice("MESSAGE");
    proxy_ask(&s, bob, &r);
    expect_method(alice[0], "INVITE ");
    proxy_answer(&s, alice[0], alice[0]->text, 200, "a", "");
    proxy_stop(&s);
}

/* RFC 3261 7.3.1: a fold is legal in any value, so none may cost a request or an answer. */
/* A message as long as may be, in compact forms: with the names in full it is longer than what this element takes. */
static void compact_forms_go_through_at_their_full_length(void **state)
{
    char more[1000] = "", *end = more;

    (void)state;
    start(1);
    for (int i = 0; i < 150; i++)
        end += snprintf(end, (size_t)(more + sizeof more - end), "k:a\n");
    s.ua.config.limits.message_bytes = 1400;
    struct proxy_request r = to_alice("MESSAGE");
    r.user = NULL;
    r.from = "sip:bob@other.invalid";
    r.more = more;
    proxy_ask(&s, bob, &r);
    expect_method(alice[0], "MESSAGE ");
    assert_true(strlen(alice[0]->text) > 1400 + 1024);
    proxy_answer(&s, alice[0], alice[0]->text, 200, "a", more);
    expect_status(bob, 200);
    proxy_stop(&s);
}

static void folded_vias_and_routes_go_through(void **state)
{
    (void)state;
    start(1);
    struct proxy_request r = to_alice("MESSAGE");
    r.more = "Route: <sip:example.test;lr>, \"A\n B\" <sip:next.invalid;lr>\n";
    proxy_ask(&s, bob, &r);
    expect_method(alice[0], "MESSAGE ");
    assert_non_null(strstr(alice[0]->text, "\r\nRoute: \"A\r\n B\" <sip:next.invalid;lr>\r\n"));
    proxy_answer(&s, alice[0], alice[0]->text, 200, "a",
                 "Via: SIP/2.0/TLS below.invalid\n ;branch=z9hG4bKbelow\n");
    expect_status(bob, 200);
    assert_non_null(
        strstr(bob->text, "\r\nVia: SIP/2.0/TLS below.invalid\r\n ;branch=z9hG4bKbelow\r\n"));
    proxy_stop(&s);
}

static void a_call_through(void *arg)
{
    (void)arg;
    if (proxy_start(&s, NULL) < 0)
        return;
    struct proxy_conn *a = proxy_connect(&s, true);
    bob = proxy_connect(&s, true);
    if (a && bob) {
        struct proxy_request r = to_alice("INVITE");
        proxy_register(&s, a, "alice", "<sip:alice@a.invalid>, <sip:alice@b.invalid>");
        proxy_ask(&s, bob, &r);
        proxy_take(a);
        if (strncmp(a->text, "INVITE", 6) == 0) {
            char *invite = a->text;
            proxy_answer(&s, a, invite, 180, "a", "");
            proxy_answer(&s, a, invite, 486, "a", "");
        }
        proxy_run(&s, 500000);
    }
    proxy_stop(&s);
}

static void failing_allocations_leave_nothing_behind(void **state)
{
    (void)state;
    assert_true(test_oom_each(a_call_through, NULL) > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_refusal_goes_up_when_all_have_refused),
        cmocka_unit_test(the_first_2xx_cancels_the_others_and_a_second_one_goes_up_too),
        cmocka_unit_test(a_response_without_a_via_below_ours_goes_nowhere),
        cmocka_unit_test(silence_is_answered_to_an_invite_alone),
        cmocka_unit_test(a_phone_that_goes_away_counts_as_not_there),
        cmocka_unit_test(a_caller_that_goes_away_stops_the_ringing),
        cmocka_unit_test(timer_c_ends_a_call_that_rings_for_ever),
        cmocka_unit_test(a_phone_that_never_answers_times_out),
        cmocka_unit_test(who_cannot_be_forwarded_for_want_of_room_hears_when_to_come_again),
        cmocka_unit_test(our_record_route_stands_before_those_of_others),
        cmocka_unit_test(credentials_for_our_realm_stay_here_those_of_others_go_on),
        cmocka_unit_test(a_request_forked_before_us_is_forwarded_to_each_address),
        cmocka_unit_test(a_loop_is_refused_and_a_spiral_is_not),
        cmocka_unit_test(nobody_takes_the_place_of_another_user),
        cmocka_unit_test(a_shared_connection_moves_for_each_user_alone),
        cmocka_unit_test(requests_inside_a_dialog_need_its_route_and_its_connection),
        cmocka_unit_test(a_strict_router_before_us_is_understood),
        cmocka_unit_test(a_strict_router_behind_us_is_served),
        cmocka_unit_test(who_lost_his_connection_comes_back_with_his_password),
        cmocka_unit_test(sips_goes_only_to_sips_contacts_over_tls),
        cmocka_unit_test(who_does_not_read_is_cut_off_and_nobody_else_is_hurt),
        cmocka_unit_test(the_registrar_may_go_in_the_middle_of_calls),
        cmocka_unit_test(compact_forms_go_through_at_their_full_length),
        cmocka_unit_test(folded_vias_and_routes_go_through),
        cmocka_unit_test(failing_allocations_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
