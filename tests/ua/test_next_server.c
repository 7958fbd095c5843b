/* An INVITE whose server says 503, or nothing, or goes away, is sent to the next server of the domain (RFC 3263 4.3,
 * RFC 3261 8.1.3.1, 21.5.4), on virtual time. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/stack.h"
#include "phone.h"
#include "sip/build.h"
#include "ua/account.h"
#include "ua/call.h"
#include "ua/flow.h"

/* The lab's server is 10.0.0.9, preferred by SRV, and says 503; bob is registered with 10.0.0.8. */
static struct lab l;
static struct second {
    struct simnet_host *host;
    secsip_registrar *registrar;
    secsip_tls_profile *profile;
} second;

/* What the overloaded saw, all of them together. */
static struct seen {
    int n_invites;
    uint32_t cseq;
    char call_id[64], from_tag[64], branch[64], key[64];
    uint32_t retry_after_s;
    bool rings, challenges;
    bool waits; /* no final response */
    struct ssi_flow *flow;
    struct ssi_buf late_200;
} seen;

static secsip_result password(const char *user, char *out, size_t cap, void *arg)
{
    (void)arg;
    snprintf(out, cap, "%spw", user);
    return 0;
}

static void take_key(struct ssi_slice text, char key[64])
{
    size_t at = 0;

    while (at + 7 < text.len && memcmp(text.p + at, "inline:", 7) != 0)
        at++;
    ssi_slice_show(ssi_slice_of(text.p + at, text.len - at), key,
                   47); /* "inline:" and what differs */
}

static void see(const struct ssi_sip_msg *m)
{
    struct ssi_slice value, sdp;
    struct ssi_sip_via via;

    seen.n_invites++;
    seen.cseq = m->cseq;
    ssi_slice_show(m->call_id, seen.call_id, sizeof seen.call_id);
    ssi_slice_show(m->from.tag, seen.from_tag, sizeof seen.from_tag);
    assert_true(ssi_sip_msg_value(m, SSI_HDR_VIA, &value));
    assert_int_equal(ssi_sip_via_parse(value, &via), 0);
    ssi_slice_show(via.branch, seen.branch, sizeof seen.branch);
    if (ssi_sip_msg_body(m, "application/sdp", &sdp) > 0)
        take_key(sdp, seen.key);
}

/* What a proxy must not send after its 503, and some day one will. */
static void write_late_200(struct ssi_txn *t, const struct ssi_sip_msg *m, struct ssi_flow *flow)
{
    const char *ip;
    uint16_t port;

    seen.flow = flow;
    ssi_txn_source(t, &ip, &port);
    ssi_buf_reset(&seen.late_200);
    ssi_sip_put_response_start(&seen.late_200, m, 200, NULL, "late", ip, port);
    ssi_sip_put_header_str(&seen.late_200, "Contact", "<sip:late@10.0.0.9;transport=tls>");
    assert_int_equal(ssi_sip_put_end(&seen.late_200, NULL, NULL, 0), 0);
}

/* True when it has asked for the password: it wants it once. */
static bool challenge(struct ssi_ua *ua, struct ssi_txn *t, const struct ssi_sip_msg *m)
{
    struct ssi_buf b;

    if (!seen.challenges || ssi_sip_msg_header(m, SSI_HDR_PROXY_AUTHORIZATION, NULL))
        return false;
    ssi_ua_begin_response(ua, t, 407, &b);
    ssi_sip_put_header_str(&b, "Proxy-Authenticate",
                           "Digest realm=\"example.test\",nonce=\"of the first\","
                           "algorithm=SHA-256,qop=\"auth\"");
    ssi_ua_end_response(ua, t, 407, &b);
    return true;
}

static bool refuse(void *arg, struct ssi_txn *t, struct ssi_sip_msg *m, struct ssi_flow *flow)
{
    struct ssi_buf b;

    if (!t)
        return true;
    if (m->method == SSI_SIP_INVITE) {
        see(m);
        write_late_200(t, m, flow);
        if (challenge(arg, t, m))
            return true;
    }
    if (m->method == SSI_SIP_INVITE && seen.rings)
        ssi_txn_respond_status(t, 180, "someone");
    if (seen.waits)
        return true;
    ssi_ua_begin_response(arg, t, 503, &b);
    if (seen.retry_after_s)
        ssi_sip_put_header_u64(&b, "Retry-After", seen.retry_after_s);
    ssi_ua_end_response(arg, t, 503, &b);
    return true;
}

static void make_overloaded(struct simnet_host *h, secsip_registrar **r)
{
    struct ssi_ua *ua = &simnet_stack(h)->ua;

    secsip_registrar_free(*r);
    *r = NULL;
    ua->handler = (struct ssi_ua_handler){.on_request = refuse, .arg = ua};
}

static bool bob_registered(void *arg)
{
    (void)arg;
    return l.bob.reg_state == SECSIP_REGISTRATION_REGISTERED;
}

static void add_second(enum lab_cert cert)
{
    const secsip_registrar_config config = {
        .size = sizeof config, .domain = "example.test", .password = password};

    second.host = simnet_host_new(l.net, "10.0.0.8", NULL);
    second.profile = lab_profile(cert);
    assert_int_equal(secsip_registrar_new(simnet_stack(second.host), &config, &second.registrar),
                     0);
    assert_int_equal(
        secsip_stack_listen(simnet_stack(second.host), "tls:10.0.0.8:5061", second.profile, NULL),
        0);
    simnet_srv(l.net, "_sips._tcp.example.test", "two.elsewhere.test", 5061, 2);
    simnet_name(l.net, "two.elsewhere.test", "10.0.0.8");
}

static void start(enum lab_cert second_cert, const secsip_account_config *config)
{
    lab_start(&l, LAB_SERVER);
    memset(&seen, 0, sizeof seen);
    ssi_buf_init(&seen.late_200, 4096);
    memset(&second, 0, sizeof second);
    simnet_srv(l.net, "_sips._tcp.example.test", "one.elsewhere.test", 5061, 1);
    simnet_name(l.net, "one.elsewhere.test", "10.0.0.9");
    if (second_cert != LAB_N)
        add_second(second_cert);
    lab_phone(&l, &l.alice, "alice", config);
}

static void bob_is_at_the_second(bool answers)
{
    make_overloaded(l.server, &l.registrar);
    lab_phone(&l, &l.bob, "bob", NULL);
    l.bob.answers = answers;
    assert_int_equal(secsip_account_register(l.bob.account), 0);
    assert_true(simnet_run(l.net, 5000000, bob_registered, NULL));
    assert_int_equal(secsip_registrar_count(second.registrar), 1);
    assert_int_equal(seen.n_invites, 0);
}

static void stop(void)
{
    secsip_stack_shutdown(simnet_stack(l.alice.host), 2000);
    if (l.bob.host)
        secsip_stack_shutdown(simnet_stack(l.bob.host), 2000);
    simnet_run(l.net, 5000000, NULL, NULL);
    if (second.host) {
        secsip_registrar_free(second.registrar);
        simnet_host_free(second.host);
        secsip_tls_profile_unref(second.profile);
    }
    ssi_buf_free(&seen.late_200);
    lab_stop(&l);
}

static bool alice_ended(void *arg)
{
    (void)arg;
    return l.alice.n_ended > 0;
}

static bool alice_talks(void *arg)
{
    (void)arg;
    return l.alice.call_state == SECSIP_CALL_ESTABLISHED;
}

static void call_bob(void)
{
    secsip_call_unref(l.alice.call);
    l.alice.call = NULL;
    l.alice.n_ended = 0;
    lab_call(&l, &l.alice, "sip:bob@example.test");
}

static void hang_up(void)
{
    assert_int_equal(secsip_call_hangup(l.alice.call), 0);
    assert_true(simnet_run(l.net, 5000000, lab_both_ended, &l));
    secsip_call_unref(l.bob.call);
    l.bob.call = NULL;
    l.bob.n_ended = 0;
}

static void assert_ended_with_503(int n_invites)
{
    assert_true(simnet_run(l.net, 60000000, alice_ended, NULL));
    assert_int_equal(l.alice.call_status, 503);
    assert_int_equal(l.alice.call_result, SECSIP_E_UA_REJECTED);
    assert_int_equal(seen.n_invites, n_invites);
    simnet_run(l.net, 40000000, NULL, NULL);
    assert_int_equal(l.alice.n_ended, 1);
    assert_int_equal(seen.n_invites, n_invites);
}

/* An unused connection is closed when its keep-alive would be due. */
static void assert_no_flow_is_left(void)
{
    simnet_run(l.net, 130000000, NULL, NULL);
    assert_int_equal(simnet_stack(l.alice.host)->ua.n_flows, 0);
}

static void the_next_server_gets_the_call(void **state)
{
    char key[64];

    (void)state;
    start(LAB_SERVER, NULL);
    bob_is_at_the_second(true);
    uint64_t before = simnet_now(l.net);
    call_bob();
    assert_true(simnet_run(l.net, 5000000, lab_both_talking, &l));
    assert_in_range(simnet_now(l.net) - before, 0, 500000);
    assert_int_equal(seen.n_invites, 1);
    assert_int_equal(seen.cseq, 1);
    const secsip_call *c = l.alice.call;
    assert_string_equal(c->dialog.call_id, seen.call_id);
    assert_string_equal(c->dialog.local_tag, seen.from_tag);
    assert_int_equal(c->first.cseq, 3); /* the second has asked for the password */
    assert_string_equal(c->flow->domain, "example.test");
    assert_true(ssi_flow_may_carry_keys(c->flow));
    assert_int_equal(c->flow->peer.ip[3], 8);
    take_key(ssi_buf_slice(&c->sdp), key);
    assert_int_equal(strlen(key), 46);
    assert_int_equal(strlen(seen.key), 46);
    assert_string_not_equal(key, seen.key); /* who did not take the call does not know its key */
    lab_assert_speech(&l, 1000000);
    hang_up();
    assert_no_flow_is_left();
    stop();
}

static void who_said_503_is_left_alone_as_long_as_it_wants(void **state)
{
    (void)state;
    start(LAB_SERVER, NULL);
    seen.retry_after_s = 200;
    bob_is_at_the_second(true);
    call_bob();
    assert_true(simnet_run(l.net, 5000000, lab_both_talking, &l));
    hang_up();
    simnet_run(l.net, 150000000, NULL, NULL);
    call_bob();
    assert_true(simnet_run(l.net, 5000000, lab_both_talking, &l));
    assert_int_equal(seen.n_invites, 1);
    hang_up();
    simnet_run(l.net, 130000000, NULL, NULL);
    call_bob();
    assert_true(simnet_run(l.net, 5000000, lab_both_talking, &l));
    assert_int_equal(seen.n_invites, 2);
    hang_up();
    stop();
}

static void without_another_server_it_ends(void **state)
{
    (void)state;
    start(LAB_N, NULL);
    make_overloaded(l.server, &l.registrar);
    call_bob();
    assert_ended_with_503(1);
    assert_string_equal(l.alice.call_reason, "Service Unavailable");
    call_bob(); /* the only one is asked, whatever it had said */
    assert_ended_with_503(2);
    stop();
}

static bool one_was_asked(void *arg)
{
    (void)arg;
    return seen.n_invites == 1;
}

static void where_all_say_503_it_ends(void **state)
{
    char first[64];

    (void)state;
    start(LAB_SERVER, NULL);
    make_overloaded(l.server, &l.registrar);
    make_overloaded(second.host, &second.registrar);
    call_bob();
    assert_true(simnet_run(l.net, 5000000, one_was_asked, NULL));
    assert_int_equal(seen.cseq, 1);
    memcpy(first, seen.branch, sizeof first);
    assert_ended_with_503(2);
    assert_int_equal(seen.cseq, 2);
    assert_string_not_equal(seen.branch, first);
    stop();
}

static void the_servers_of_one_call_are_few(void **state)
{
    struct simnet_host *hosts[6];
    char name[32], ip[16], uri[32];

    (void)state;
    start(LAB_N, NULL);
    make_overloaded(l.server, &l.registrar);
    for (uint16_t i = 0; i < 6; i++) {
        snprintf(name, sizeof name, "more%d.elsewhere.test", i);
        snprintf(ip, sizeof ip, "10.0.0.%d", 20 + i);
        snprintf(uri, sizeof uri, "tls:%s:5061", ip);
        hosts[i] = simnet_host_new(l.net, ip, NULL);
        assert_int_equal(secsip_stack_listen(simnet_stack(hosts[i]), uri, l.server_profile, NULL),
                         0);
        make_overloaded(hosts[i], &second.registrar);
        simnet_srv(l.net, "_sips._tcp.example.test", name, 5061, 10 + i);
        simnet_name(l.net, name, ip);
    }
    call_bob();
    assert_ended_with_503(4);
    secsip_stack_shutdown(simnet_stack(l.alice.host), 2000);
    simnet_run(l.net, 3000000, NULL, NULL);
    for (int i = 0; i < 6; i++)
        simnet_host_free(hosts[i]);
    stop();
}

/* It is alice who looks for the second server now. */
static bool between(void *arg)
{
    (void)arg;
    return seen.n_invites == 1 && l.alice.call->phase == SSI_CALL_CONNECT;
}

static void hung_up_between_the_servers_it_is_over_at_once(void **state)
{
    (void)state;
    start(LAB_SERVER, NULL);
    make_overloaded(l.server, &l.registrar);
    simnet_blackhole(l.net, "10.0.0.8");
    call_bob();
    assert_true(simnet_run(l.net, 5000000, between, NULL));
    assert_null(l.alice.call->media);
    assert_int_equal(secsip_call_hangup(l.alice.call), 0);
    assert_true(simnet_run(l.net, 100000, alice_ended, NULL));
    assert_int_equal(l.alice.call_result, 0);
    assert_int_equal(l.alice.call_status, 0);
    assert_no_flow_is_left();
    assert_int_equal(seen.n_invites, 1);
    stop();
}

static bool bob_rings(void *arg)
{
    (void)arg;
    return l.alice.call_state == SECSIP_CALL_RINGING && l.bob.call;
}

static void hung_up_at_the_second_it_is_cancelled_there(void **state)
{
    (void)state;
    start(LAB_SERVER, NULL);
    bob_is_at_the_second(false);
    call_bob();
    assert_true(simnet_run(l.net, 5000000, bob_rings, NULL));
    assert_int_equal(seen.n_invites, 1);
    hang_up();
    assert_int_equal(l.alice.call_status, 487);
    assert_int_equal(l.alice.call_result, 0);
    stop();
}

static void the_password_is_proved_to_each_by_its_own_nonce(void **state)
{
    (void)state;
    start(LAB_SERVER, NULL);
    bob_is_at_the_second(true);
    seen.challenges = true;
    call_bob();
    assert_true(simnet_run(l.net, 5000000, lab_both_talking, &l));
    assert_int_equal(seen.n_invites, 2);
    assert_int_equal(seen.cseq, 2);
    assert_int_equal(l.alice.call->first.cseq, 4);
    assert_int_equal(l.alice.call->challenged, 1);
    struct ssi_buf *sent = &l.alice.call->first.credentials;
    ssi_buf_put_char(sent, 0);
    assert_non_null(strstr(ssi_buf_slice(sent).p, "Proxy-Authorization"));
    assert_null(strstr(ssi_buf_slice(sent).p, "of the first"));
    hang_up();
    stop();
}

static void what_the_first_says_afterwards_is_too_late(void **state)
{
    (void)state;
    start(LAB_SERVER, NULL);
    bob_is_at_the_second(false);
    call_bob();
    assert_true(simnet_run(l.net, 5000000, bob_rings, NULL));
    assert_true(seen.late_200.len > 0);
    ssi_flow_send(seen.flow, ssi_buf_slice(&seen.late_200));
    simnet_run(l.net, 1000000, NULL, NULL);
    assert_int_equal(l.alice.call_state, SECSIP_CALL_RINGING);
    assert_int_equal(secsip_call_answer(l.bob.call), 0);
    assert_true(simnet_run(l.net, 5000000, lab_both_talking, &l));
    lab_assert_speech(&l, 1000000);
    hang_up();
    stop();
}

static void where_the_other_cannot_be_reached_503_is_what_is_told(void **state)
{
    (void)state;
    start(LAB_SERVER, NULL);
    make_overloaded(l.server, &l.registrar);
    simnet_blackhole(l.net, "10.0.0.8");
    call_bob();
    assert_true(simnet_run(l.net, 5000000, between, NULL));
    simnet_down(l.server, true);
    assert_ended_with_503(1);
    stop();
}

/* Keys go to who proves the domain's name, also when the first one has said 503. */
static void an_impostor_gets_nothing(void **state)
{
    (void)state;
    start(LAB_WRONGNAME, NULL);
    make_overloaded(l.server, &l.registrar);
    make_overloaded(second.host, &second.registrar);
    uint32_t before = simnet_n_connects(l.net);
    call_bob();
    /* One, the impostor, and one again, because nobody else is left. */
    assert_ended_with_503(2);
    assert_int_equal(simnet_n_connects(l.net) - before, 3);
    assert_non_null(strstr(l.alice.call->error.peer, "10.0.0.9"));
    stop();
}

static void who_has_rung_is_not_looked_for_elsewhere(void **state)
{
    (void)state;
    start(LAB_SERVER, NULL);
    make_overloaded(l.server, &l.registrar);
    make_overloaded(second.host, &second.registrar);
    seen.rings = true;
    call_bob();
    assert_ended_with_503(1);
    stop();
}

static bool alice_registered(void *arg)
{
    (void)arg;
    return l.alice.reg_state == SECSIP_REGISTRATION_REGISTERED;
}

static void register_alice_at_the_first(void)
{
    assert_int_equal(secsip_account_register(l.alice.account), 0);
    assert_true(simnet_run(l.net, 5000000, alice_registered, NULL));
    assert_int_equal(secsip_registrar_count(l.registrar), 1);
}

static void a_call_over_a_flow_of_outbound_stays_there(void **state)
{
    (void)state;
    start(LAB_SERVER, NULL);
    register_alice_at_the_first();
    make_overloaded(l.server, &l.registrar);
    assert_true(l.alice.account->flows[0].outbound);
    const struct ssi_flow *flow = l.alice.account->flows[0].flow;
    uint32_t before = simnet_n_connects(l.net);
    call_bob();
    assert_ended_with_503(1);
    assert_int_equal(simnet_n_connects(l.net), before);
    assert_ptr_equal(l.alice.account->flows[0].flow, flow);
    assert_false(flow->retired);
    stop();
}

static void a_plain_registration_does_not_hold_a_call(void **state)
{
    (void)state;
    start(LAB_SERVER, &(secsip_account_config){.no_outbound = 1});
    register_alice_at_the_first();
    bob_is_at_the_second(true);
    call_bob();
    assert_true(simnet_run(l.net, 5000000, alice_talks, NULL));
    assert_int_equal(seen.n_invites, 1);
    assert_int_equal(l.alice.call->flow->peer.ip[3], 8);
    /* The registration is where it was. */
    assert_int_equal(l.alice.account->flows[0].flow->state, SSI_FLOW_OPEN);
    assert_int_equal(l.alice.account->flows[0].flow->peer.ip[3], 9);
    assert_int_equal(l.alice.n_reg_events, 1);
    hang_up();
    stop();
}

/* What the server that is gone knows is worth nothing at the next one. */
static void assert_talks_anew_with_the_second(void)
{
    char key[64];

    assert_int_equal(seen.n_invites, 1);
    assert_string_equal(l.alice.call->dialog.call_id, seen.call_id);
    assert_int_equal(l.alice.call->flow->peer.ip[3], 8);
    take_key(ssi_buf_slice(&l.alice.call->sdp), key);
    assert_int_equal(strlen(key), 46);
    assert_int_equal(strlen(seen.key), 46);
    assert_string_not_equal(key, seen.key);
    lab_assert_speech(&l, 1000000);
}

static void a_server_that_goes_away_is_replaced(void **state)
{
    (void)state;
    for (int how = 0; how < 2; how++) {
        start(LAB_SERVER, NULL);
        bob_is_at_the_second(true);
        seen.waits = true;
        call_bob();
        assert_true(simnet_run(l.net, 5000000, one_was_asked, NULL));
        if (how == 0)
            simnet_cut(l.server);
        else
            simnet_down(l.server, true);
        assert_true(simnet_run(l.net, 5000000, lab_both_talking, &l));
        assert_talks_anew_with_the_second();
        hang_up();
        assert_no_flow_is_left();
        stop();
    }
}

static bool flow_is_open(void *arg)
{
    (void)arg;
    return l.alice.call && l.alice.call->phase == SSI_CALL_INVITING;
}

/* Timer B, with a connection that stands. */
static void a_server_that_says_nothing_is_replaced(void **state)
{
    (void)state;
    start(LAB_SERVER, NULL);
    bob_is_at_the_second(true);
    call_bob();
    assert_true(simnet_run(l.net, 5000000, flow_is_open, NULL));
    simnet_freeze(l.server, true);
    uint64_t before = simnet_now(l.net);
    assert_true(simnet_run(l.net, 60000000, lab_both_talking, &l));
    assert_in_range(simnet_now(l.net) - before, 31000000, 34000000);
    assert_int_equal(l.alice.call->flow->peer.ip[3], 8);
    lab_assert_speech(&l, 1000000);
    hang_up();
    stop();
}

static bool alice_heard(void *arg)
{
    (void)arg;
    return l.alice.call->heard;
}

/* It is at work: RFC 3263 4.3 looks elsewhere only where there was no response at all. */
static void who_said_100_is_waited_for(void **state)
{
    (void)state;
    start(LAB_SERVER, NULL);
    bob_is_at_the_second(true);
    seen.waits = true;
    call_bob();
    assert_true(simnet_run(l.net, 5000000, alice_heard, NULL));
    simnet_freeze(l.server, true);
    assert_false(simnet_run(l.net, 100000000, alice_ended, NULL));
    assert_int_equal(l.alice.call->flow->peer.ip[3], 9);
    assert_true(simnet_run(l.net, 300000000, alice_ended, NULL));
    assert_null(l.bob.call);
    stop();
}

static bool alice_rings(void *arg)
{
    (void)arg;
    return l.alice.call_state == SECSIP_CALL_RINGING;
}

static void who_has_rung_is_not_replaced_when_it_goes(void **state)
{
    (void)state;
    start(LAB_SERVER, NULL);
    bob_is_at_the_second(true);
    seen.waits = seen.rings = true;
    call_bob();
    assert_true(simnet_run(l.net, 5000000, alice_rings, NULL));
    simnet_cut(l.server);
    assert_true(simnet_run(l.net, 1000000, alice_ended, NULL));
    assert_int_equal(l.alice.call_result, SECSIP_E_TLS_TRUNCATED);
    assert_null(l.bob.call);
    stop();
}

static void without_another_server_a_lost_one_is_told_once(void **state)
{
    (void)state;
    start(LAB_N, NULL);
    make_overloaded(l.server, &l.registrar);
    seen.waits = true;
    call_bob();
    assert_true(simnet_run(l.net, 5000000, one_was_asked, NULL));
    simnet_cut(l.server);
    assert_true(simnet_run(l.net, 1000000, alice_ended, NULL));
    assert_int_equal(l.alice.call_result, SECSIP_E_TLS_TRUNCATED);
    simnet_run(l.net, 40000000, NULL, NULL);
    assert_int_equal(l.alice.n_ended, 1);
    assert_int_equal(seen.n_invites, 1);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_server_gets_the_call),
        cmocka_unit_test(who_said_503_is_left_alone_as_long_as_it_wants),
        cmocka_unit_test(without_another_server_it_ends),
        cmocka_unit_test(where_all_say_503_it_ends),
        cmocka_unit_test(the_servers_of_one_call_are_few),
        cmocka_unit_test(hung_up_between_the_servers_it_is_over_at_once),
        cmocka_unit_test(hung_up_at_the_second_it_is_cancelled_there),
        cmocka_unit_test(the_password_is_proved_to_each_by_its_own_nonce),
        cmocka_unit_test(what_the_first_says_afterwards_is_too_late),
        cmocka_unit_test(where_the_other_cannot_be_reached_503_is_what_is_told),
        cmocka_unit_test(an_impostor_gets_nothing),
        cmocka_unit_test(who_has_rung_is_not_looked_for_elsewhere),
        cmocka_unit_test(a_call_over_a_flow_of_outbound_stays_there),
        cmocka_unit_test(a_plain_registration_does_not_hold_a_call),
        cmocka_unit_test(a_server_that_goes_away_is_replaced),
        cmocka_unit_test(a_server_that_says_nothing_is_replaced),
        cmocka_unit_test(who_said_100_is_waited_for),
        cmocka_unit_test(who_has_rung_is_not_replaced_when_it_goes),
        cmocka_unit_test(without_another_server_a_lost_one_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
