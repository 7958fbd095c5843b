/* Server transactions: schedules, 100, ACK, CANCEL, RFC 2543 peers, merged requests, overload. Virtual time. */
#include "test.h"

#include <stdio.h>

#include "sip/build.h"
#include "txn_sim.h"

static struct sim s;

static const char b1[] = "z9hG4bKone";
static const char b2[] = "z9hG4bKtwo";

static void assert_sent(uint32_t n, const char *start)
{
    const char *text = sim_sent(&s.flow, n);
    if (strncmp(text, start, strlen(start)) != 0)
        fail_msg("send %u is not \"%s\" but \"%s\"", n, start, text);
}

static void an_invite_gets_100_after_200_ms(void **state)
{
    (void)state;
    sim_init(&s, NULL, true);
    sim_request_in(&s, &s.flow, "INVITE", b1, "Timestamp: 54\n");
    sim_run(&s, 199);
    assert_int_equal(s.flow.n_sent, 0);
    sim_run(&s, 1);
    assert_int_equal(s.flow.n_sent, 1);
    assert_sent(0, "SIP/2.0 100 Trying\r\n");
    const char *timestamp = strstr(sim_sent(&s.flow, 0), "\r\nTimestamp: 54\r\n");
    assert_non_null(timestamp);
    assert_null(strstr(timestamp + 2, "\r\nTimestamp")); /* RFC 3261 20.38: one */
    assert_non_null(strstr(sim_sent(&s.flow, 0), "\r\nTo: <sip:bob@example.com>\r\n"));
    sim_run(&s, 3600 * 1000);
    assert_int_equal(s.flow.n_sent, 1);
    sim_expect(&s, "INVITE");
    sim_free(&s);
}

static void an_invite_gets_no_100_when_its_user_was_faster(void **state)
{
    (void)state;
    sim_init(&s, NULL, false);
    sim_request_in(&s, &s.flow, "INVITE", b1, "");
    sim_run(&s, 199);
    sim_respond(&s, s.server, 180);
    sim_run(&s, 10000);
    sim_request_in(&s, &s.flow, "INVITE", b1, "");
    assert_int_equal(s.flow.n_sent, 2);
    assert_sent(1, "SIP/2.0 180 Ringing\r\n");
    sim_respond(&s, s.server, 183);
    sim_request_in(&s, &s.flow, "INVITE", b1, "");
    assert_sent(3, "SIP/2.0 183 ");
    sim_expect(&s, "INVITE");
    sim_free(&s);
}

static void before_any_response_a_repeated_invite_is_dropped(void **state)
{
    (void)state;
    sim_init(&s, NULL, false);
    sim_request_in(&s, &s.flow, "INVITE", b1, "");
    sim_request_in(&s, &s.flow, "INVITE", b1, "");
    assert_int_equal(s.flow.n_sent, 0);
    sim_expect(&s, "INVITE");
    sim_free(&s);
}

static void a_refusal_repeats_up_to_t2_until_timer_h(void **state)
{
    (void)state;
    sim_init(&s, NULL, false);
    sim_request_in(&s, &s.flow, "INVITE", b1, "");
    sim_respond(&s, s.server, 486);
    sim_run(&s, 31999);
    sim_expect_times(&s.flow, "0 500 1500 3500 7500 11500 15500 19500 23500 27500 31500");
    sim_run(&s, 1);
    sim_expect(&s, "INVITE failed-700 gone");
    sim_free(&s);
}

static void a_refusal_over_a_reliable_flow_is_sent_once_and_waits_for_its_ack(void **state)
{
    (void)state;
    sim_init(&s, NULL, true);
    sim_request_in(&s, &s.flow, "INVITE", b1, "");
    sim_respond(&s, s.server, 486);
    sim_run(&s, 31999);
    sim_expect_times(&s.flow, "0");
    sim_run(&s, 1);
    sim_expect(&s, "INVITE failed-700 gone");
    sim_free(&s);
}

static void an_ack_ends_the_repeats_and_is_absorbed_for_t4(void **state)
{
    (void)state;
    sim_init(&s, NULL, false);
    sim_request_in(&s, &s.flow, "INVITE", b1, "");
    sim_respond(&s, s.server, 486);
    sim_run(&s, 700);
    sim_request_in(&s, &s.flow, "ACK", b1, "");
    sim_run(&s, 4999);
    sim_request_in(&s, &s.flow, "ACK", b1, "");
    sim_request_in(&s, &s.flow, "INVITE", b1, "");
    sim_expect_times(&s.flow, "0 500");
    sim_expect(&s, "INVITE ack");
    sim_run(&s, 1);
    sim_expect(&s, "gone");
    sim_free(&s);

    sim_init(&s, NULL, true);
    sim_request_in(&s, &s.flow, "INVITE", b1, "");
    sim_respond(&s, s.server, 486);
    sim_request_in(&s, &s.flow, "ACK", b1, "");
    sim_run(&s, 0);
    sim_expect(&s, "INVITE ack gone");
    sim_free(&s);
}

static void accepted_absorbs_the_invite_and_passes_acks_for_64_t1(void **state)
{
    (void)state;
    for (int reliable = 0; reliable < 2; reliable++) {
        sim_init(&s, NULL, reliable);
        sim_request_in(&s, &s.flow, "INVITE", b1, "");
        sim_respond(&s, s.server, 200);
        sim_run(&s, 500);
        sim_request_in(&s, &s.flow, "INVITE", b1, "");
        sim_request_in(&s, &s.flow, "ACK", b1, "");
        sim_request_in(&s, &s.flow, "ACK", b2, "");
        sim_expect(&s, "INVITE ACK ACK");
        /* Its author sends the 2xx again, a proxy another one. */
        sim_respond(&s, s.server, 200);
        assert_int_equal(ssi_txn_respond_status(s.server, 486, NULL), SECSIP_E_STATE);
        sim_expect_times(&s.flow, "0 500");
        sim_run(&s, 31499);
        sim_expect(&s, "");
        sim_run(&s, 1);
        sim_expect(&s, "gone");
        sim_free(&s);
    }
}

static void other_requests_are_answered_again_for_64_t1(void **state)
{
    (void)state;
    sim_init(&s, NULL, false);
    sim_request_in(&s, &s.flow, "OPTIONS", b1, "");
    sim_request_in(&s, &s.flow, "OPTIONS", b1, "");
    assert_int_equal(s.flow.n_sent, 0);
    sim_respond(&s, s.server, 200);
    sim_run(&s, 31999);
    sim_request_in(&s, &s.flow, "OPTIONS", b1, "");
    sim_expect_times(&s.flow, "0 31999");
    assert_string_equal(sim_sent(&s.flow, 0), sim_sent(&s.flow, 1));
    sim_expect(&s, "OPTIONS");
    sim_run(&s, 1);
    sim_expect(&s, "gone");
    sim_request_in(&s, &s.flow, "OPTIONS", b1, "");
    sim_expect(&s, "OPTIONS");
    sim_free(&s);

    sim_init(&s, NULL, true);
    sim_request_in(&s, &s.flow, "OPTIONS", b1, "");
    sim_respond(&s, s.server, 200);
    sim_run(&s, 0);
    sim_expect(&s, "OPTIONS gone");
    sim_free(&s);
}

static void rfc_4320_keeps_other_requests_from_useless_responses(void **state)
{
    (void)state;
    sim_init(&s, NULL, false);
    sim_request_in(&s, &s.flow, "OPTIONS", b1, "");
    assert_int_equal(ssi_txn_respond_status(s.server, 183, NULL), SECSIP_E_INVALID);
    assert_int_equal(ssi_txn_respond_status(s.server, 408, NULL), SECSIP_E_INVALID);
    assert_int_equal(ssi_txn_respond_status(s.server, 100, NULL), SECSIP_E_STATE);
    /* T1 + 2*T1 + 4*T1: then the peer's timer E is T2. */
    sim_run(&s, 3499);
    assert_int_equal(s.flow.n_sent, 0);
    sim_run(&s, 1);
    assert_sent(0, "SIP/2.0 100 Trying\r\n");
    assert_int_equal(ssi_txn_respond_status(s.server, 100, NULL), 0);
    sim_run(&s, 28499);
    sim_expect(&s, "OPTIONS");
    sim_run(&s, 1);
    sim_expect(&s, "failed-700 gone");
    sim_expect_times(&s.flow, "3500 3500");
    sim_free(&s);

    /* Over a reliable flow 100 may come at any time. */
    sim_init(&s, NULL, true);
    sim_request_in(&s, &s.flow, "OPTIONS", b1, "");
    assert_int_equal(ssi_txn_respond_status(s.server, 100, NULL), 0);
    sim_run(&s, 32000);
    sim_expect_times(&s.flow, "0");
    sim_free(&s);
}

/* RFC 4320 4.1: never before the peer's timer E has fired, which it does at T1 for the first time. */
static void where_t1_is_not_below_t2_100_comes_at_t1(void **state)
{
    static const struct {
        uint32_t t1_ms, t2_ms;
    } cases[] = {{500, 500}, {4000, 4000}, {5000, 4000}, {700, 1}};
    char expected[16];

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct ssi_txn_config config = {.t1_ms = cases[i].t1_ms, .t2_ms = cases[i].t2_ms};
        sim_init(&s, &config, false);
        sim_request_in(&s, &s.flow, "OPTIONS", b1, "");
        sim_run(&s, 10000);
        assert_sent(0, "SIP/2.0 100 Trying\r\n");
        snprintf(expected, sizeof expected, "%u", (unsigned)cases[i].t1_ms);
        sim_expect_times(&s.flow, expected);
        sim_free(&s);
    }
}

static void the_transaction_is_named_by_branch_sent_by_and_method(void **state)
{
    (void)state;
    static const struct {
        const char *method, *sent_by, *branch;
        bool is_new;
    } cases[] = {
        {"MESSAGE", "h.example.com:5061", "z9hG4bKa", true},
        {"MESSAGE", "H.Example.COM:5061", "z9hG4bKA", false},
        {"MESSAGE", "h.example.com", "z9hG4bKa", true},
        {"MESSAGE", "h.example.com:5062", "z9hG4bKa", true},
        {"MESSAGE", "g.example.com:5061", "z9hG4bKa", true},
        {"OPTIONS", "h.example.com:5061", "z9hG4bKa", true},
        {"FROBBLE", "h.example.com:5061", "z9hG4bKa", true},
        {"FROBBLE", "h.example.com:5061", "z9hG4bKa", false},
        {"FROBBLX", "h.example.com:5061", "z9hG4bKa", true},
        {"MESSAGE", "h.example.com:5061", "z9hG4bKb", true},
    };
    char tag[16];

    sim_init(&s, NULL, true);
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(tag, sizeof tag, "t%u", i); /* so that none is merged */
        sim_input(
            &s, &s.flow,
            "%s sip:bob@example.com SIP/2.0\nVia: SIP/2.0/TLS %s;branch=%s\n"
            "Max-Forwards: 70\nFrom: <sip:alice@example.com>;tag=%s\nTo: <sip:bob@example.com>\n"
            "Call-ID: call\nCSeq: 1 %s\n",
            cases[i].method, cases[i].sent_by, cases[i].branch, tag, cases[i].method);
        sim_expect(&s, cases[i].is_new ? cases[i].method : "");
    }
    sim_free(&s);
}

#define INVITE_2543(uri, tag, to, number, method)                                                  \
    method " " uri " SIP/2.0\nVia: SIP/2.0/UDP old.example.com\nMax-Forwards: 70\n"                \
           "From: <sip:alice@example.com>;tag=" tag "\nTo: <sip:bob@example.com>" to               \
           "\nCall-ID: old\n"                                                                      \
           "CSeq: " number " " method "\n"

static void rfc_2543_peers_are_matched_by_header_fields(void **state)
{
    (void)state;
    sim_init(&s, NULL, false);
    sim_input(&s, &s.flow, INVITE_2543("sip:b@example.com", "f", "", "1", "INVITE"));
    sim_input(&s, &s.flow, INVITE_2543("sip:b@example.com", "f", "", "1", "INVITE"));
    sim_expect(&s, "INVITE");
    sim_respond(&s, s.server, 486);
    /* The tag of another response: not ours to absorb. */
    sim_input(&s, &s.flow, INVITE_2543("sip:b@example.com", "f", ";tag=x", "1", "ACK"));
    sim_expect(&s, "ACK");
    sim_input(&s, &s.flow, INVITE_2543("sip:b@example.com", "f", ";tag=t", "2", "ACK"));
    sim_expect(&s, "ACK");
    sim_input(&s, &s.flow, INVITE_2543("sip:c@example.com", "f", ";tag=t", "1", "ACK"));
    sim_expect(&s, "ACK");
    sim_input(&s, &s.flow, INVITE_2543("sip:b@example.com", "f", ";tag=t", "1", "ACK"));
    sim_input(&s, &s.flow, INVITE_2543("sip:b@example.com", "f", ";tag=t", "1", "ACK"));
    sim_expect(&s, "ack");
    sim_input(&s, &s.flow, INVITE_2543("sip:b@example.com", "f", "", "2", "INVITE"));
    sim_input(&s, &s.flow, INVITE_2543("sip:b@example.com", "f", "", "2", "CANCEL"));
    sim_expect(&s, "INVITE cancel");
    sim_free(&s);
}

static void a_bare_cookie_names_nothing(void **state)
{
    (void)state;
    sim_init(&s, NULL, true);
    sim_request_in(&s, &s.flow, "MESSAGE", "z9hG4bK", "");
    assert_true(s.server->u.server.is_2543);
    sim_request_in(&s, &s.flow, "MESSAGE", "z9hG4bK", "");
    sim_expect(&s, "MESSAGE");
    sim_free(&s);
}

/* Each %d of the format becomes n. */
static void fill_in(char out[512], const char *format, int n)
{
    size_t len = 0;

    for (const char *p = format; *p; p++) {
        if (p[0] == '%' && p[1] == 'd') {
            len += (size_t)snprintf(out + len, 512 - len, "%d", n);
            p++;
        } else {
            out[len++] = *p;
        }
        assert_true(len < 500);
    }
    out[len] = 0;
}

/* Of all server transactions, the most that a hash cannot tell apart: what a search has to look through. */
static size_t longest_search(const struct ssi_hash *t)
{
    size_t longest = 0;

    for (size_t i = 0; i < t->n_buckets; i++)
        for (struct ssi_hash_node *head = t->buckets[i]; head; head = head->next) {
            size_t n = 0;
            for (struct ssi_hash_node *twin = head; twin; twin = ssi_hash_next(twin))
                n++;
            longest = n > longest ? n : longest;
        }
    return longest;
}

/* Requests that are all different and have as much in common as a peer can give them. */
static void nobody_makes_a_search_long(void **state)
{
    enum {
        N = 500
    };
    static const struct {
        const char *method, *user, *via, *to_tag;
    } cases[] = {
        {"OPTIONS", "b", "h%d.example.com", ""},
        {"OPTIONS", "b", "h;branch=%d", ""},
        {"OPTIONS", "b%d", "h", ""},
        {"OPTIONS", "b", "h", ";tag=%d"},
        {"M%d", "b", "h", ""},
        {"M%d", "b", "h;branch=z9hG4bKx", ""},
        {"M%d", "b", "h;branch=z9hG4bK%d", ""},
    };
    const struct ssi_txn_config config = {.allow_merged = true};
    char format[512], text[512];

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sim_init(&s, &config, false);
        snprintf(format, sizeof format,
                 "%s sip:%s@example.com SIP/2.0\nVia: SIP/2.0/UDP %s\nMax-Forwards: 70\n"
                 "From: <sip:a@example.com>;tag=f\nTo: <sip:b@example.com>%s\nCall-ID: c\n"
                 "CSeq: 1 %s\n",
                 cases[i].method, cases[i].user, cases[i].via, cases[i].to_tag, cases[i].method);
        for (int n = 0; n < N; n++) {
            fill_in(text, format, n);
            sim_input(&s, &s.flow, "%s", text);
            s.events[0] = 0;
        }
        uint32_t n_refused = s.flow.n_sent;
        assert_int_equal(s.layer.n_live + n_refused, N);
        assert_in_range(longest_search(&s.layer.servers), 1, SSI_TXN_TWINS_MAX);
        /* Of those with the same method, the first is the one that is looked for (RFC 3261 8.2.2.2). */
        if (strcmp(cases[i].method, "M%d") == 0)
            assert_in_range(longest_search(&s.layer.merged), 1, SSI_TXN_TWINS_MAX);
        if (n_refused > 0)
            assert_sent(0, "SIP/2.0 503 ");
        /* Where the names are different, nobody is refused. */
        assert_int_equal(n_refused > 0, i >= 2 && i <= 5);
        sim_free(&s);
    }
}

static void a_request_that_comes_by_two_ways_is_merged(void **state)
{
    (void)state;
    sim_init(&s, NULL, true);
    sim_request_in(&s, &s.flow, "INVITE", b1, "");
    sim_request_in(&s, &s.flow, "INVITE", b1, ""); /* the same again is not */
    assert_int_equal(s.flow.n_sent, 0);
    sim_request_in(&s, &s.flow, "INVITE", b2, "");
    sim_expect(&s, "INVITE");
    assert_int_equal(s.flow.n_sent, 1);
    assert_sent(0, "SIP/2.0 482 ");
    sim_request_in(&s, &s.flow, "INVITE", b2, "");
    assert_string_equal(sim_sent(&s.flow, 1), sim_sent(&s.flow, 0)); /* with the same tag */
    sim_request_in(&s, &s.flow, "MESSAGE", b2, ""); /* another method is another CSeq */
    sim_expect(&s, "MESSAGE");
    sim_free(&s);
}

static void requests_inside_dialogs_are_never_merged(void **state)
{
    (void)state;
    sim_init(&s, NULL, true);
    for (int i = 0; i < 2; i++)
        sim_input(&s, &s.flow,
                  "BYE sip:bob@example.com SIP/2.0\nVia: SIP/2.0/TLS "
                  "h;branch=z9hG4bK%d\nMax-Forwards: 70\n"
                  "From: <sip:a@example.com>;tag=f\nTo: <sip:b@example.com>;tag=t\nCall-ID: "
                  "c\nCSeq: 2 BYE\n",
                  i);
    sim_expect(&s, "BYE BYE");
    sim_free(&s);
}

static void a_proxy_may_take_merged_requests(void **state)
{
    (void)state;
    const struct ssi_txn_config config = {.allow_merged = true};

    sim_init(&s, &config, true);
    sim_request_in(&s, &s.flow, "INVITE", b1, "");
    struct ssi_txn *first = s.server;
    assert_false(ssi_txn_is_merged(&s.layer, first, ssi_txn_request(first)));
    sim_request_in(&s, &s.flow, "INVITE", b2, "");
    assert_true(ssi_txn_is_merged(&s.layer, s.server, ssi_txn_request(s.server)));
    sim_expect(&s, "INVITE INVITE");
    sim_free(&s);
}

static void cancel_is_answered_and_told_once(void **state)
{
    (void)state;
    char tag[SSI_TXN_TAG_TEXT];
    char expected[64];

    sim_init(&s, NULL, false);
    sim_request_in(&s, &s.flow, "CANCEL", b1, "");
    assert_sent(0, "SIP/2.0 481 ");
    sim_request_in(&s, &s.flow, "INVITE", b1, "");
    sim_request_in(&s, &s.flow, "CANCEL", b1, "");
    sim_request_in(&s, &s.flow, "CANCEL", b1, "");
    assert_sent(1, "SIP/2.0 200 OK\r\n");
    assert_string_equal(sim_sent(&s.flow, 2), sim_sent(&s.flow, 1));
    assert_non_null(strstr(sim_sent(&s.flow, 1), "\r\nCSeq: 1 CANCEL\r\n"));
    sim_expect(&s, "INVITE cancel");
    /* RFC 3261 9.2: the same To tag as the INVITE's answer. */
    ssi_txn_tag(s.server, tag);
    snprintf(expected, sizeof expected, ";tag=%s\r\n", tag);
    assert_non_null(strstr(sim_sent(&s.flow, 1), expected));
    assert_int_equal(ssi_txn_respond_status(s.server, 487, NULL), 0);
    assert_non_null(strstr(sim_sent(&s.flow, 3), expected));
    sim_request_in(&s, &s.flow, "CANCEL", b1, "");
    assert_sent(4, "SIP/2.0 200 OK\r\n");
    sim_expect(&s, "");
    sim_free(&s);
}

static void the_200_of_cancel_takes_the_tag_of_what_was_sent(void **state)
{
    (void)state;
    sim_init(&s, NULL, false);
    sim_request_in(&s, &s.flow, "INVITE", b1, "");
    sim_respond(&s, s.server, 180); /* ;tag=t */
    sim_request_in(&s, &s.flow, "CANCEL", b1, "");
    assert_non_null(strstr(sim_sent(&s.flow, 1), ";tag=t\r\n"));
    sim_free(&s);
}

static void cancel_after_a_final_response_or_of_other_requests_has_no_effect(void **state)
{
    (void)state;
    sim_init(&s, NULL, true);
    sim_request_in(&s, &s.flow, "INVITE", b1, "");
    sim_respond(&s, s.server, 200);
    sim_request_in(&s, &s.flow, "CANCEL", b1, "");
    assert_sent(1, "SIP/2.0 200 OK\r\n");
    sim_request_in(&s, &s.flow, "MESSAGE", b2, "");
    sim_request_in(&s, &s.flow, "CANCEL", b2, "");
    assert_sent(2, "SIP/2.0 200 OK\r\n");
    sim_expect(&s, "INVITE MESSAGE");
    sim_free(&s);
}

static void cancel_must_come_from_the_hop_that_sent_the_invite(void **state)
{
    (void)state;
    sim_init(&s, NULL, true);
    sim_request_in(&s, &s.flow, "INVITE", b1, "");
    struct ssi_sip_msg *m = sim_request("CANCEL", b1, "");
    ssi_txn_input(&s.layer, m, &s.other.base, "198.51.100.7", 5061);
    assert_memory_equal(sim_sent(&s.other, 0), "SIP/2.0 481 ", 12);
    sim_expect(&s, "INVITE");
    ssi_txn_input(&s.layer, m, &s.other.base, "192.0.2.1",
                  40000); /* the same host, another connection */
    assert_memory_equal(sim_sent(&s.other, 1), "SIP/2.0 200 ", 12);
    sim_expect(&s, "cancel");
    ssi_sip_msg_unref(m);
    sim_free(&s);
}

static void overload_is_answered_without_state(void **state)
{
    (void)state;
    const struct ssi_txn_config config = {.max_transactions = 1};

    sim_init(&s, &config, true);
    sim_request_in(&s, &s.flow, "MESSAGE", b1, "");
    sim_request_in(&s, &s.flow, "INVITE", b2, "");
    assert_sent(0, "SIP/2.0 503 ");
    assert_non_null(strstr(sim_sent(&s.flow, 0), "\r\nRetry-After: 10\r\n"));
    /* Its ACK is dropped, that of a dialog is not. */
    const char *tag = strstr(sim_sent(&s.flow, 0), "To: <sip:bob@example.com>;tag=");
    assert_non_null(tag);
    sim_input(
        &s, &s.flow,
        "ACK sip:bob@example.com SIP/2.0\nVia: SIP/2.0/TLS client.example.com:5061;branch=%s\n"
        "Max-Forwards: 70\nFrom: <sip:alice@example.com>;tag=f\nTo: "
        "<sip:bob@example.com>;tag=%.16s\n"
        "Call-ID: call\nCSeq: 1 ACK\n",
        b2, tag + strlen("To: <sip:bob@example.com>;tag="));
    sim_expect(&s, "MESSAGE");
    sim_request_in(&s, &s.flow, "ACK", b2, "");
    sim_expect(&s, "ACK");
    /* What is known goes on. */
    sim_request_in(&s, &s.flow, "MESSAGE", b1, "");
    sim_respond(&s, s.server, 200);
    assert_sent(1, "SIP/2.0 200 OK\r\n");
    sim_free(&s);
}

static void a_to_tag_alone_opens_no_room(void **state)
{
    const struct ssi_txn_config config = {.max_transactions = 8};
    char branch[32];

    (void)state;
    sim_init(&s, &config, true);
    for (int i = 0; i < 8; i++) {
        snprintf(branch, sizeof branch, "z9hG4bKfull%d", i);
        sim_dialog_request_in(&s, &s.flow, "INVITE", branch, "whatever");
    }
    assert_int_equal(s.layer.n_live, 8);
    s.events[0] = 0;
    /* Without dialogs none can be inside one. */
    sim_dialog_request_in(&s, &s.flow, "BYE", "z9hG4bKnone", "d");
    sim_expect(&s, "");
    assert_sent(0, "SIP/2.0 503 ");
    s.dialog = "d";
    sim_dialog_request_in(&s, &s.flow, "BYE", "z9hG4bKstranger", "x");
    sim_request_in(&s, &s.flow, "BYE", "z9hG4bKnew", "");
    sim_expect(&s, "");
    assert_sent(2, "SIP/2.0 503 ");
    /* An eighth of 8, and 8. */
    for (int i = 0; i < 9; i++) {
        snprintf(branch, sizeof branch, "z9hG4bKin%d", i);
        sim_dialog_request_in(&s, &s.flow, i % 2 ? "INVITE" : "BYE", branch, "d");
    }
    sim_expect(&s, "BYE INVITE BYE INVITE BYE INVITE BYE INVITE BYE");
    assert_int_equal(s.flow.n_sent, 3);
    sim_dialog_request_in(&s, &s.flow, "BYE", "z9hG4bKlast", "d");
    sim_expect(&s, "");
    assert_sent(3, "SIP/2.0 503 ");
    assert_int_equal(s.layer.n_live, 17);
    sim_free(&s);
}

static void faulty_requests_are_answered_faulty_acks_and_responses_are_not(void **state)
{
    (void)state;
    sim_init(&s, NULL, true);
    struct ssi_sip_msg *m = sim_request("MESSAGE", b1, "CSeq: 2 MESSAGE\n");
    assert_true(m->fault.result < 0);
    ssi_txn_input(&s.layer, m, &s.flow.base, "192.0.2.1", 5061);
    ssi_sip_msg_unref(m);
    assert_sent(0, "SIP/2.0 400 ");
    m = sim_request("ACK", b1, "CSeq: 2 ACK\n");
    assert_true(m->fault.result < 0);
    ssi_txn_input(&s.layer, m, &s.flow.base, "192.0.2.1", 5061);
    ssi_sip_msg_unref(m);
    assert_int_equal(s.flow.n_sent, 1);
    assert_int_equal(s.layer.n_live, 0);
    sim_expect(&s, "");
    sim_free(&s);
}

static void responses_carry_received_and_rport(void **state)
{
    (void)state;
    sim_init(&s, NULL, true);
    sim_input(
        &s, &s.flow,
        "OPTIONS sip:bob@example.com SIP/2.0\nVia: SIP/2.0/TLS "
        "client.example.com;rport;branch=z9hG4bKx\n"
        "Max-Forwards: 70\nFrom: <sip:a@example.com>;tag=f\nTo: <sip:b@example.com>\nCall-ID: c\n"
        "CSeq: 1 OPTIONS\n");
    sim_respond(&s, s.server, 200);
    assert_non_null(strstr(sim_sent(&s.flow, 0), "received=192.0.2.1"));
    assert_non_null(strstr(sim_sent(&s.flow, 0), "rport=5061"));
    sim_free(&s);
}

static void kept_bytes_are_wiped_as_soon_as_they_are_not_needed(void **state)
{
    (void)state;
    sim_init(&s, NULL, true);
    sim_request_in(&s, &s.flow, "INVITE", b1, "");
    sim_respond(&s, s.server, 200);
    assert_int_equal(s.server->out.cap, 0);
    struct ssi_txn *t = sim_client(&s, &s.flow, "INVITE", b2);
    assert_true(t->out.secret);
    sim_response(&s, &s.flow, 200, "INVITE", b2);
    assert_int_equal(t->out.cap, 0);
    sim_free(&s);
}

static void drop_bytes(struct ssi_txn_flow *flow, struct ssi_slice bytes)
{
    (void)flow;
    (void)bytes;
}

/* Messages just above a power of two, which is where a buffer doubles. */
static void what_is_kept_leaves_little_empty(void **state)
{
    static const size_t sizes[] = {1030, 2050, 4100, 8200, 16400, 32800, 65600};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct ssi_buf b;
        sim_init(&s, NULL, true);
        s.flow.base.send = drop_bytes;
        sim_request_in(&s, &s.flow, "INVITE", b1, "");
        ssi_buf_init_secret(&b, SSI_TXN_BYTES);
        while (b.len < sizes[i])
            ssi_buf_put_char(&b, 'a');
        assert_int_equal(ssi_txn_respond(s.server, 486, &b), 0);
        assert_int_equal(s.server->out.len, sizes[i]);
        assert_true(s.server->out.secret);
        assert_in_range(s.server->out.cap + sizeof *s.server, sizes[i], sizes[i] + 2048);
        sim_free(&s);
    }
}

static void drop_when_cancelled(struct sim *sim, struct ssi_txn *t, const char *word)
{
    (void)sim;
    if (strcmp(word, "cancel") == 0 || strcmp(word, "ack") == 0)
        ssi_txn_drop(t);
}

static void on_cancel_and_on_ack_may_drop_the_transaction(void **state)
{
    (void)state;
    sim_init(&s, NULL, true);
    s.hook = drop_when_cancelled;
    sim_request_in(&s, &s.flow, "INVITE", b1, "");
    sim_request_in(&s, &s.flow, "CANCEL", b1, "");
    sim_expect(&s, "INVITE cancel gone");
    sim_request_in(&s, &s.flow, "INVITE", b2, "");
    sim_respond(&s, s.server, 486);
    sim_request_in(&s, &s.flow, "ACK", b2, "");
    sim_expect(&s, "INVITE ack gone");
    sim_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_invite_gets_100_after_200_ms),
        cmocka_unit_test(an_invite_gets_no_100_when_its_user_was_faster),
        cmocka_unit_test(before_any_response_a_repeated_invite_is_dropped),
        cmocka_unit_test(a_refusal_repeats_up_to_t2_until_timer_h),
        cmocka_unit_test(a_refusal_over_a_reliable_flow_is_sent_once_and_waits_for_its_ack),
        cmocka_unit_test(an_ack_ends_the_repeats_and_is_absorbed_for_t4),
        cmocka_unit_test(accepted_absorbs_the_invite_and_passes_acks_for_64_t1),
        cmocka_unit_test(other_requests_are_answered_again_for_64_t1),
        cmocka_unit_test(rfc_4320_keeps_other_requests_from_useless_responses),
        cmocka_unit_test(where_t1_is_not_below_t2_100_comes_at_t1),
        cmocka_unit_test(the_transaction_is_named_by_branch_sent_by_and_method),
        cmocka_unit_test(rfc_2543_peers_are_matched_by_header_fields),
        cmocka_unit_test(a_bare_cookie_names_nothing),
        cmocka_unit_test(nobody_makes_a_search_long),
        cmocka_unit_test(a_request_that_comes_by_two_ways_is_merged),
        cmocka_unit_test(requests_inside_dialogs_are_never_merged),
        cmocka_unit_test(a_proxy_may_take_merged_requests),
        cmocka_unit_test(cancel_is_answered_and_told_once),
        cmocka_unit_test(the_200_of_cancel_takes_the_tag_of_what_was_sent),
        cmocka_unit_test(cancel_after_a_final_response_or_of_other_requests_has_no_effect),
        cmocka_unit_test(cancel_must_come_from_the_hop_that_sent_the_invite),
        cmocka_unit_test(overload_is_answered_without_state),
        cmocka_unit_test(a_to_tag_alone_opens_no_room),
        cmocka_unit_test(faulty_requests_are_answered_faulty_acks_and_responses_are_not),
        cmocka_unit_test(responses_carry_received_and_rport),
        cmocka_unit_test(kept_bytes_are_wiped_as_soon_as_they_are_not_needed),
        cmocka_unit_test(what_is_kept_leaves_little_empty),
        cmocka_unit_test(on_cancel_and_on_ack_may_drop_the_transaction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
