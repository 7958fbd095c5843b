/* What a connection may cost, on virtual time: one above each limit, and how the ends of connections are told apart. */
#include "test.h"

#include <stdio.h>

#include "api/stack.h"
#include "phone.h"
#include "tls/tls.h"
#include "ua/flow.h"

static struct lab l;

static struct ssi_ua *server_core(void)
{
    return &simnet_stack(l.server)->ua;
}

static bool alice_registered(void *arg)
{
    (void)arg;
    return l.alice.reg_state == SECSIP_REGISTRATION_REGISTERED;
}

static bool alice_failed(void *arg)
{
    (void)arg;
    return l.alice.reg_state == SECSIP_REGISTRATION_FAILED;
}

/* Doors that raw connections knock at. */
static void open_doors(const secsip_stack_config *limits)
{
    lab_start_limited(&l, LAB_SERVER, limits);
    assert_int_equal(
        secsip_stack_listen(simnet_stack(l.server), "insecure-tcp:10.0.0.9:5060", NULL, NULL), 0);
    assert_int_equal(
        secsip_stack_listen(simnet_stack(l.server), "insecure-tcp:[fd00::9]:5060", NULL, NULL), 0);
}

/* The same, and alice registered. */
static void start(const secsip_stack_config *limits)
{
    open_doors(limits);
    lab_phone(&l, &l.alice, "alice", NULL);
    assert_int_equal(secsip_account_register(l.alice.account), 0);
    assert_true(simnet_run(l.net, 5000000, alice_registered, NULL));
}

/* A connection from an address and port of its own; NULL: refused. */
static struct sim_end *knock(const char *ip, int port, const char *to)
{
    char from[64];

    snprintf(from, sizeof from, "%s:%d", ip, port);
    return simnet_raw_open(l.net, from, to);
}

static void wait_ms(uint64_t ms)
{
    simnet_run(l.net, ms * 1000, NULL, NULL);
}

static int n_answers, last_answer;

static void watch_answers(const secsip_engine_address *from, const secsip_engine_address *to,
                          const uint8_t *data, size_t len, void *arg)
{
    (void)from;
    (void)to;
    (void)arg;
    if (len < 12 || memcmp(data, "SIP/2.0 ", 8) != 0)
        return;
    n_answers++;
    last_answer = (data[8] - '0') * 100 + (data[9] - '0') * 10 + (data[10] - '0');
}

static void one_address_has_its_part_and_no_more(void **state)
{
    static const struct {
        const char *ip, *neighbour, *stranger, *door;
    } rows[] = {
        {"10.0.0.66", "10.0.0.66", "10.0.0.67", "10.0.0.9:5060"},
        {"[fd00:1::66]", "[fd00:1::1:1]", "[fd00:1:0:1::66]", "[fd00::9]:5060"}, /* one /64 */
    };
    struct sim_end *raw[5];

    (void)state;
    start(&(secsip_stack_config){.max_connections_per_address = 3});
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int k = 0; k < 3; k++)
            assert_non_null(raw[k] =
                                knock(k ? rows[i].neighbour : rows[i].ip, 4000 + k, rows[i].door));
        assert_null(knock(rows[i].neighbour, 4003, rows[i].door));
        assert_non_null(raw[3] = knock(rows[i].stranger, 4003, rows[i].door));
        simnet_raw_close(raw[0]);
        wait_ms(100);
        assert_non_null(raw[0] = knock(rows[i].ip, 4004, rows[i].door));
        for (int k = 0; k < 4; k++)
            simnet_raw_close(raw[k]);
        wait_ms(100);
    }
    assert_int_equal(server_core()->addresses.n_nodes, 1); /* alice's */
    lab_stop(&l);
}

/* Silent strangers fill what may be accepted; what is left is for us, and they do not get it. */
static void strangers_do_not_keep_us_from_registering(void **state)
{
    struct sim_end *raw[17];

    (void)state;
    start(&(secsip_stack_config){0});
    secsip_account_unregister(l.alice.account);
    wait_ms(1000);
    struct ssi_ua *ua = &simnet_stack(l.alice.host)->ua;
    ua->config.max_connections = 16;
    assert_int_equal(
        secsip_stack_listen(simnet_stack(l.alice.host), "insecure-tcp:10.0.0.1:5060", NULL, NULL),
        0);
    for (int i = 0; i < 17; i++) {
        raw[i] = knock("10.0.0.66", 4000 + i, "10.0.0.1:5060");
        assert_int_equal(raw[i] != NULL, i < 14);
    }
    assert_int_equal(secsip_account_register(l.alice.account), 0);
    assert_true(simnet_run(l.net, 5000000, alice_registered, NULL));
    assert_null(knock("10.0.0.66", 4020, "10.0.0.1:5060"));
    simnet_raw_close(raw[0]);
    wait_ms(100);
    assert_non_null(raw[0] = knock("10.0.0.66", 4021, "10.0.0.1:5060"));
    assert_int_equal(ua->n_accepted, 14);
    for (int i = 0; i < 14; i++)
        simnet_raw_close(raw[i]);
    wait_ms(100);
    assert_int_equal(ua->n_accepted, 0);
    lab_stop(&l);
}

static void the_oldest_handshake_makes_room(void **state)
{
    struct sim_end *raw[5];

    (void)state;
    start(&(secsip_stack_config){.max_handshakes = 3});
    for (int i = 0; i < 4; i++) {
        assert_non_null(raw[i] = knock("10.0.0.66", 4000 + i, "10.0.0.9:5061"));
        assert_int_equal(server_core()->n_handshakes, i < 3 ? i + 1 : 3);
        simnet_raw_send(raw[i], "\x16\x03\x01\x02", 4);
        wait_ms(1);
    }
    wait_ms(100);
    for (int i = 0; i < 4; i++)
        assert_int_equal(simnet_raw_is_open(raw[i]), i > 0);
    /* Alice comes in while they all wait, and is no handshake any more once she is in. */
    simnet_down(l.alice.host, true);
    wait_ms(100);
    simnet_down(l.alice.host, false);
    assert_true(simnet_run(l.net, 60000000, alice_registered, NULL));
    assert_int_equal(server_core()->n_handshakes, 0); /* the time of the others is over by now */
    for (int i = 0; i < 4; i++) {
        assert_false(simnet_raw_is_open(raw[i]));
        simnet_raw_close(raw[i]);
    }
    lab_stop(&l);
}

static void a_handshake_ends_in_time_however_it_trickles(void **state)
{
    static const uint8_t hello[] = {0x16, 0x03, 0x01, 0x02, 0x00, 0x01,
                                    0x00, 0x01, 0xfc, 0x03, 0x03};

    (void)state;
    start(&(secsip_stack_config){.handshake_timeout_ms = 5000});
    struct sim_end *silent = knock("10.0.0.66", 4000, "10.0.0.9:5061");
    struct sim_end *slow = knock("10.0.0.66", 4001, "10.0.0.9:5061");
    for (int i = 0; i < 4; i++) {
        simnet_raw_send(slow, &hello[i], 1);
        wait_ms(1000);
    }
    assert_true(simnet_raw_is_open(silent) && simnet_raw_is_open(slow));
    wait_ms(1100);
    assert_false(simnet_raw_is_open(silent) || simnet_raw_is_open(slow));
    simnet_raw_close(silent);
    simnet_raw_close(slow);
    lab_stop(&l);
}

static void an_idle_connection_is_closed_and_a_used_one_is_not(void **state)
{
    (void)state;
    start(&(secsip_stack_config){.idle_timeout_ms = 60000, .message_timeout_ms = UINT32_MAX});
    struct sim_end *idle = knock("10.0.0.66", 4000, "10.0.0.9:5060");
    struct sim_end *slow = knock("10.0.0.66", 4001, "10.0.0.9:5060");
    struct sim_end *pinging = knock("10.0.0.66", 4002, "10.0.0.9:5060");
    simnet_raw_send(slow, "OPTIONS ", 8);
    for (int i = 0; i < 10; i++) {
        assert_true(simnet_raw_is_open(idle) == (i < 2));
        assert_true(simnet_raw_is_open(slow) == (i < 2)); /* bytes are no message */
        assert_true(simnet_raw_is_open(pinging));
        simnet_raw_send(slow, "x", 1);
        simnet_raw_send(pinging, "\r\n\r\n", 4);
        wait_ms(30100);
    }
    wait_ms(90000);
    assert_false(simnet_raw_is_open(pinging));
    simnet_raw_close(idle);
    simnet_raw_close(slow);
    simnet_raw_close(pinging);
    /* Alice says nothing for that long either, but is registered. */
    assert_int_equal(l.alice.n_reg_events, 1);
    assert_int_equal(server_core()->n_flows, 1);
    lab_stop(&l);
}

static void send_register(struct sim_end *raw, unsigned n)
{
    char text[512];
    int len = snprintf(text, sizeof text,
                       "REGISTER sip:example.test SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.66;"
                       "branch=z9hG4bKx%u\r\nMax-Forwards: 70\r\nFrom: <sip:x@example.test>;"
                       "tag=x\r\nTo: <sip:x@example.test>\r\nCall-ID: x%u\r\n"
                       "CSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n",
                       n, n);
    simnet_raw_send(raw, text, (size_t)len);
}

static void who_does_not_read_is_let_go(void **state)
{
    uint64_t most = 0;

    (void)state;
    start(&(secsip_stack_config){.max_unsent_bytes = 20000});
    struct sim_end *deaf = knock("10.0.0.66", 4000, "10.0.0.9:5060");
    simnet_raw_stall(deaf);
    for (unsigned i = 0; i < 200 && simnet_raw_is_open(deaf); i++) {
        send_register(deaf, i);
        wait_ms(20);
        if (server_core()->n_buffered > most)
            most = server_core()->n_buffered;
    }
    assert_false(simnet_raw_is_open(deaf));
    assert_in_range(most, 18000, 20000);
    assert_int_equal(server_core()->n_buffered, 0);
    simnet_raw_close(deaf);
    lab_stop(&l);
}

static void assert_ended(secsip_result result, const char *found)
{
    assert_true(simnet_run(l.net, 1000000, alice_failed, NULL));
    assert_int_equal(l.alice.reg_result, result);
    assert_string_equal(l.alice.reg_check, "connection");
    assert_string_equal(l.alice.reg_found, found);
    assert_non_null(strstr(l.alice.reg_text, "10.0.0.9:5061"));
}

static void ends_of_connections_are_told_apart(void **state)
{
    (void)state;
    start(&(secsip_stack_config){0});
    simnet_down(l.server, true);
    assert_ended(SECSIP_E_NET_RESET, "Connection reset by peer");
    simnet_down(l.server, false);
    assert_true(simnet_run(l.net, 60000000, alice_registered, NULL));
    simnet_cut(l.server);
    assert_ended(SECSIP_E_TLS_TRUNCATED, "end of stream without close_notify");
    assert_true(simnet_run(l.net, 60000000, alice_registered, NULL));
    secsip_stack_shutdown(simnet_stack(l.server), 1000);
    assert_ended(SECSIP_E_CLOSED, "close_notify");
    lab_stop(&l);
}

static void an_end_inside_handshake_or_message_is_told_too(void **state)
{
    struct ssi_flow *f;

    (void)state;
    start(&(secsip_stack_config){0});
    static const struct {
        const char *door, *bytes;
        secsip_result result;
    } rows[] = {
        {"10.0.0.9:5061", "\x16\x03\x01\x02", SECSIP_E_TLS_TRUNCATED},
        {"10.0.0.9:5061", "", SECSIP_E_TLS_TRUNCATED},
        {"10.0.0.9:5060", "OPTIONS sip:x SIP/2.0\r\nVia:", SECSIP_E_SIP_TRUNCATED},
        {"10.0.0.9:5060", "", SECSIP_E_CLOSED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sim_end *raw = knock("10.0.0.66", 4000, rows[i].door);
        f = ssi_flow_ref(SSI_CONTAINER(server_core()->flows.prev, struct ssi_flow, node));
        simnet_raw_send(raw, rows[i].bytes, strlen(rows[i].bytes));
        wait_ms(100);
        simnet_raw_close(raw);
        wait_ms(100);
        assert_int_equal(f->state, SSI_FLOW_DEAD);
        assert_int_equal(f->error->result, rows[i].result);
        assert_string_equal(f->error->check, "connection");
        ssi_flow_unref(f);
    }
    lab_stop(&l);
}

/* A message that began is whole in time or its connection ends, whether something else runs over it or not. */
static void a_message_that_trickles_ends_its_connection(void **state)
{
    static const char whole[] =
        "OPTIONS sip:example.test SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\n"
        "From: <sip:x@h>;tag=1\r\nTo: <sip:y@h>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
        "Content-Length: 0\r\n\r\n";

    (void)state;
    start(&(secsip_stack_config){.message_timeout_ms = 10000});
    struct sim_end *slow = knock("10.0.0.66", 4000, "10.0.0.9:5060");
    struct sim_end *half_ping = knock("10.0.0.66", 4001, "10.0.0.9:5060");
    struct sim_end *in_time = knock("10.0.0.66", 4002, "10.0.0.9:5060");
    struct sim_end *next = knock("10.0.0.66", 4003, "10.0.0.9:5060");
    simnet_raw_send(half_ping, "\r\n", 2);
    for (size_t i = 0; i < 12; i++) {
        simnet_raw_send(slow, &whole[i], 1);
        simnet_raw_send(in_time, &whole[i], 1);
        if (i == 8) /* the rest, and the first byte of another */
            simnet_raw_send(in_time, whole + 9, sizeof whole - 1 - 9);
        if (i == 8)
            simnet_raw_send(next, whole, sizeof whole);
        wait_ms(1000);
        assert_int_equal(simnet_raw_is_open(slow), i < 10);
    }
    assert_true(simnet_raw_is_open(half_ping) && simnet_raw_is_open(in_time) &&
                simnet_raw_is_open(next));
    wait_ms(8000); /* 10 s after the byte that began the next message */
    assert_false(simnet_raw_is_open(in_time) || simnet_raw_is_open(next));
    assert_true(simnet_raw_is_open(half_ping));
    simnet_raw_close(slow);
    simnet_raw_close(half_ping);
    simnet_raw_close(in_time);
    simnet_raw_close(next);
    assert_int_equal(l.alice.n_reg_events, 1);
    lab_stop(&l);
}

/* ---- The same one layer below: what GnuTLS holds and shows to nobody */
static struct ssi_tls_session *client;

static void give_to_client(const secsip_engine_address *from, const secsip_engine_address *to,
                           const uint8_t *data, size_t len, void *arg)
{
    (void)from;
    (void)arg;
    if (to->ip[3] == 66)
        ssi_tls_session_input(client, data, len);
}

/* What the client has to say, but for the last bytes. */
static void send_but(struct sim_end *raw, size_t kept)
{
    struct ssi_buf *out = ssi_tls_session_output(client);

    if (out->len <= kept)
        return;
    simnet_raw_send(raw, ssi_buf_slice(out).p, out->len - kept);
    ssi_buf_consume(out, out->len - kept);
}

static void a_record_that_is_never_whole_ends_its_connection(void **state)
{
    static char text[12000];

    (void)state;
    open_doors(&(secsip_stack_config){.message_timeout_ms = 10000});
    secsip_tls_profile *profile = lab_profile(LAB_N);
    const struct ssi_tls_config config = {
        .profile = profile, .domain = "example.test", .wall_s = LAB_NOW};
    assert_int_equal(ssi_tls_session_new(&config, &client), 0);
    simnet_tap(l.net, NULL, give_to_client, NULL);
    struct sim_end *raw = knock("10.0.0.66", 4000, "10.0.0.9:5061");
    ssi_tls_session_start(client);
    for (int i = 0; i < 10; i++) {
        send_but(raw, 0);
        wait_ms(50);
    }
    assert_int_equal(ssi_tls_session_state(client), SSI_TLS_OPEN);
    assert_int_equal(server_core()->n_buffered, 0);
    memset(text, 'a', sizeof text);
    /* One in time: a record takes 8 s, and holds nothing of a message in the end. */
    assert_int_equal(ssi_tls_session_write(client, "\r\n\r\n", 4), 0);
    send_but(raw, 1);
    wait_ms(8000);
    assert_true(server_core()->n_buffered > 0);
    send_but(raw, 0);
    wait_ms(8000);
    assert_true(simnet_raw_is_open(raw));
    assert_int_equal(server_core()->n_buffered, 0);
    /* And one that never ends, however it trickles. */
    assert_int_equal(ssi_tls_session_write(client, text, sizeof text), 0);
    send_but(raw, 12);
    for (size_t i = 0; i < 11; i++) {
        wait_ms(900);
        assert_true(simnet_raw_is_open(raw));
        assert_in_range(server_core()->n_buffered, 12000, 12100);
        send_but(raw, 11 - i);
    }
    wait_ms(200);
    assert_false(simnet_raw_is_open(raw));
    assert_int_equal(server_core()->n_buffered, 0);
    simnet_tap(l.net, NULL, NULL, NULL);
    simnet_raw_close(raw);
    ssi_tls_session_free(client);
    secsip_tls_profile_unref(profile);
    lab_stop(&l);
}

/* A ClientHello that says it is long, in whole records. */
static void half_handshakes_are_counted(void **state)
{
    static uint8_t record[5 + 10000] = {22, 3, 1, 10000 >> 8, 10000 & 255, 1, 0, 0xff, 0, 3, 3};
    struct sim_end *raw[4];

    (void)state;
    open_doors(&(secsip_stack_config){.max_buffered_bytes = 25000});
    for (int i = 0; i < 4; i++) {
        raw[i] = knock("10.0.0.66", 4000 + i, "10.0.0.9:5061");
        simnet_raw_send(raw[i], record, sizeof record);
        wait_ms(100);
        assert_int_equal(simnet_raw_is_open(raw[i]), i < 2);
        assert_in_range(server_core()->n_buffered, 1, 25000);
    }
    for (int i = 0; i < 4; i++)
        simnet_raw_close(raw[i]);
    wait_ms(100);
    assert_int_equal(server_core()->n_buffered, 0);
    lab_stop(&l);
    /* And no handshake is much longer than 64 KiB, though there be room. */
    open_doors(&(secsip_stack_config){0});
    record[6] = 1; /* the length is of three bytes */
    raw[0] = knock("10.0.0.66", 4010, "10.0.0.9:5061");
    for (int i = 0; i < 9; i++) {
        simnet_raw_send(raw[0], record, sizeof record);
        wait_ms(100);
        memset(record + 5, 0, 9);
        assert_int_equal(simnet_raw_is_open(raw[0]), i < 7);
    }
    simnet_raw_close(raw[0]);
    lab_stop(&l);
}

static int answer_to(const secsip_stack_config *limits, const char *uri, const char *lines)
{
    char text[8192];

    open_doors(limits);
    n_answers = last_answer = 0;
    simnet_tap(l.net, NULL, watch_answers, NULL);
    struct sim_end *raw = knock("10.0.0.66", 4000, "10.0.0.9:5060");
    int n = snprintf(
        text, sizeof text,
        "OPTIONS %s SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nFrom: <sip:x@h>;tag=1\r\n"
        "To: <sip:y@h>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n%sContent-Length: 0\r\n\r\n",
        uri, lines);
    simnet_raw_send(raw, text, (size_t)n);
    wait_ms(100);
    simnet_tap(l.net, NULL, NULL, NULL);
    simnet_raw_close(raw);
    lab_stop(&l);
    return last_answer;
}

enum {
    TAKEN = 403 /* the message was read: its registrar serves nobody in clear */
};

/* One above each limit of the stack's configuration is refused, and what is at it is not. */
static void what_one_message_may_hold(void **state)
{
    static const struct {
        secsip_stack_config limits;
        const char *uri, *at, *above;
        int status;
    } rows[] = {
        {{.max_header_lines = 7}, "sip:example.test", "A: b\r\n", "A: b\r\nA: c\r\n", 0},
        {{.max_header_bytes = 40},
         "sip:example.test",
         "A: 0123456789012345678901234567890123456789\r\n",
         "A: 0123456789012345678901234567890123456789x\r\n",
         0},
        {{.max_params = 2},
         "sip:example.test",
         "Contact: <sip:a;x;y>;a;b\r\n",
         "Contact: <sip:a>;a;b;c\r\n",
         400},
        {{.max_params = 2}, "sip:example.test", "", "Contact: <sip:a;x;y;z>\r\n", 400},
        {{.max_list_elements = 2},
         "sip:example.test",
         "Contact: <sip:a>, <sip:b>\r\n",
         "Contact: <sip:a>, <sip:b>\r\nm: <sip:c>\r\n",
         400},
        {{.max_uri_bytes = 16},
         "sip:example.test",
         "Contact: <sip:0123456789.c>\r\n",
         "Contact: <sip:0123456789.co>\r\n",
         400},
        {{.max_message_bytes = 400},
         "sip:example.test",
         "",
         "A: 0123456789012345678901234567890123456789012345678901234567890123456789"
         "0123456789012345678901234567890123456789012345678901234567890123456789"
         "0123456789012345678901234567890123456789012345678901234567890123456789"
         "0123456789012345678901234567890123456789012345678901234567890123456789\r\n",
         0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        printf("row %zu\n", i);
        assert_int_equal(answer_to(&rows[i].limits, rows[i].uri, rows[i].at), TAKEN);
        assert_int_equal(answer_to(&rows[i].limits, rows[i].uri, rows[i].above), rows[i].status);
    }
    assert_int_equal(
        answer_to(&(secsip_stack_config){.max_uri_bytes = 16}, "sip:example.test1", ""), 414);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_address_has_its_part_and_no_more),
        cmocka_unit_test(strangers_do_not_keep_us_from_registering),
        cmocka_unit_test(the_oldest_handshake_makes_room),
        cmocka_unit_test(a_handshake_ends_in_time_however_it_trickles),
        cmocka_unit_test(an_idle_connection_is_closed_and_a_used_one_is_not),
        cmocka_unit_test(a_message_that_trickles_ends_its_connection),
        cmocka_unit_test(a_record_that_is_never_whole_ends_its_connection),
        cmocka_unit_test(half_handshakes_are_counted),
        cmocka_unit_test(what_one_message_may_hold),
        cmocka_unit_test(who_does_not_read_is_let_go),
        cmocka_unit_test(ends_of_connections_are_told_apart),
        cmocka_unit_test(an_end_inside_handshake_or_message_is_told_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
