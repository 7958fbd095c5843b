/* Peers that mean ill beside a call in progress, each over TLS and with the limits that are the default: two thousand that never
 * finish their handshake, one that asks and never reads, one that says a byte a second. The call goes on, the limits hold, and
 * the memory comes back. */
#include "test.h"

#include <stdio.h>

#include "api/stack.h"
#include "heap.h"
#include "phone.h"
#include "tls/tls.h"

enum {
    SILENT = 2500,
    HANDSHAKES = 2000,    /* the default of max_handshakes */
    UNSENT = 1024 * 1024, /* of max_unsent_bytes */
    LEFT_BYTES =
        200000, /* of heap: tables grow, tickets and transactions of the call come and go */
};

static struct lab l;

/* A client of the server that is no stack: bytes go where the test wants them. */
static struct {
    struct sim_end *end;
    struct ssi_tls_session *tls;
    secsip_tls_profile *profile;
    uint32_t port;
    char heard[4096];
} evil;

static struct ssi_ua *server_core(void)
{
    return &simnet_stack(l.server)->ua;
}

static void hear(const secsip_engine_address *from, const secsip_engine_address *to,
                 const uint8_t *data, size_t len, void *arg)
{
    (void)from;
    (void)arg;
    if (evil.tls && to->port == evil.port && to->ip[3] == 66)
        assert_true(ssi_tls_session_input(evil.tls, data, len) >= 0);
}

static void evil_send(size_t most)
{
    struct ssi_buf *out = ssi_tls_session_output(evil.tls);
    size_t n = out->len < most ? out->len : most;

    simnet_raw_send(evil.end, ssi_buf_slice(out).p, n);
    ssi_buf_consume(out, n);
}

static void evil_connect(void)
{
    struct ssi_tls_config config = {.domain = "example.test", .wall_s = LAB_NOW};
    char from[32];

    evil.port = 4000;
    evil.profile = lab_profile(LAB_N);
    config.profile = evil.profile;
    assert_int_equal(ssi_tls_session_new(&config, &evil.tls), 0);
    ssi_tls_session_start(evil.tls);
    snprintf(from, sizeof from, "10.0.0.66:%u", (unsigned)evil.port);
    evil.end = simnet_raw_open(l.net, from, "10.0.0.9:5061");
    assert_non_null(evil.end);
}

static void evil_shake_hands(void)
{
    evil_connect();
    for (int i = 0; i < 3; i++) {
        evil_send(SIZE_MAX);
        simnet_run(l.net, 20000, NULL, NULL);
    }
    assert_int_equal(ssi_tls_session_state(evil.tls), SSI_TLS_OPEN);
}

static void evil_say(const char *text, size_t len)
{
    assert_int_equal(ssi_tls_session_write(evil.tls, text, len), 0);
    evil_send(SIZE_MAX);
}

static size_t evil_options(char *out, size_t cap, unsigned n)
{
    int len = snprintf(out, cap,
                       "OPTIONS sip:example.test SIP/2.0\r\nVia: SIP/2.0/TLS 10.0.0.66;"
                       "branch=z9hG4bKevil%u\r\nMax-Forwards: 70\r\nFrom: <sip:x@example.test>;"
                       "tag=x\r\nTo: <sip:example.test>\r\nCall-ID: evil%u\r\n"
                       "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
                       n, n);
    assert_true(len > 0 && (size_t)len < cap);
    return (size_t)len;
}

static void evil_go(void)
{
    simnet_raw_close(evil.end);
    ssi_tls_session_free(evil.tls);
    secsip_tls_profile_unref(evil.profile);
    memset(&evil, 0, sizeof evil);
}

static size_t begin(void)
{
    lab_start(&l, LAB_SERVER);
    lab_phone(&l, &l.alice, "alice", NULL);
    lab_phone(&l, &l.bob, "bob", NULL);
    l.bob.answers = true;
    simnet_tap(l.net, NULL, hear, NULL);
    lab_register(&l);
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_true(simnet_run(l.net, 5000000, lab_both_talking, &l));
    lab_assert_speech(&l, 1000000);
    return test_heap();
}

static void end(size_t before)
{
    lab_assert_speech(&l, 1000000);
    assert_int_equal(server_core()->n_flows, 2);
    assert_int_equal(server_core()->n_handshakes, 0);
    assert_int_equal(server_core()->n_buffered, 0);
    assert_in_range(test_heap(), 0, before + LEFT_BYTES);
    assert_int_equal(secsip_call_hangup(l.alice.call), 0);
    assert_true(simnet_run(l.net, 5000000, lab_both_ended, &l));
    assert_int_equal(l.alice.call_result + l.bob.call_result, 0);
    lab_stop(&l);
}

static void two_thousand_half_handshakes(void **state)
{
    static struct sim_end *raw[SILENT];
    size_t before = begin();
    char from[32];
    int n_open = 0;

    (void)state;
    for (int i = 0; i < SILENT; i++) {
        snprintf(from, sizeof from, "10.1.%d.%d:4000", i / 250, i % 250 + 1);
        raw[i] = simnet_raw_open(l.net, from, "10.0.0.9:5061");
        assert_non_null(raw[i]); /* nobody is kept out: the oldest goes */
        if (i % 3)
            simnet_raw_send(raw[i], "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", i % 3 * 5);
        if (i % 100 == 0)
            lab_assert_speech(&l, 200000);
    }
    for (int i = 0; i < SILENT; i++)
        n_open += simnet_raw_is_open(raw[i]);
    assert_in_range(n_open, HANDSHAKES - 20, HANDSHAKES);
    assert_int_equal(server_core()->n_flows, HANDSHAKES + 2);
    lab_assert_speech(&l, 11000000); /* the handshake has 10 s */
    for (int i = 0; i < SILENT; i++) {
        assert_false(simnet_raw_is_open(raw[i]));
        simnet_raw_close(raw[i]);
    }
    end(before);
}

static void one_asks_and_never_reads(void **state)
{
    uint64_t most = 0;
    size_t before = begin(), len;
    char text[512];

    (void)state;
    evil_shake_hands();
    simnet_raw_stall(evil.end);
    for (unsigned i = 0; i < 20000 && simnet_raw_is_open(evil.end); i++) {
        len = evil_options(text, sizeof text, i);
        evil_say(text, len);
        if (i % 100 == 0)
            lab_assert_speech(&l, 100000);
        most = server_core()->n_buffered > most ? server_core()->n_buffered : most;
    }
    assert_false(simnet_raw_is_open(evil.end));
    assert_in_range(most, UNSENT / 2, UNSENT);
    evil_go();
    simnet_run(l.net, 100000, NULL, NULL);
    end(before);
}

static void one_says_a_byte_a_second(void **state)
{
    size_t before = begin(), len, n = 0;
    char text[512];

    (void)state;
    evil_shake_hands();
    len = evil_options(text, sizeof text, 1);
    for (; n < len && simnet_raw_is_open(evil.end); n++) {
        evil_say(&text[n], 1);
        lab_assert_speech(&l, 1000000);
        assert_true(server_core()->n_buffered <= len);
    }
    assert_in_range(n, 29, 32); /* message_timeout_ms, however busy it looks */
    evil_go();
    simnet_run(l.net, 100000, NULL, NULL);
    end(before);
}

static void one_shakes_hands_a_byte_a_second(void **state)
{
    size_t before = begin();
    int n = 0;

    (void)state;
    evil_connect();
    for (; n < 60 && simnet_raw_is_open(evil.end); n++) {
        evil_send(1);
        lab_assert_speech(&l, 1000000);
    }
    assert_in_range(n, 9, 12); /* the handshake has 10 s, however busy it looks */
    evil_go();
    end(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_thousand_half_handshakes),
        cmocka_unit_test(one_asks_and_never_reads),
        cmocka_unit_test(one_says_a_byte_a_second),
        cmocka_unit_test(one_shakes_hands_a_byte_a_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
