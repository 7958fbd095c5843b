/* Requests that name the dialog of a call, Call-ID and tags right, but come from somebody else: none acts. From the peer itself, over
 * another connection, they do. */
#include "test.h"

#include "api/stack.h"
#include "peer.h"

#define KEY "MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm"
#define SDP                                                                                        \
    "v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\n"                      \
    "m=audio 5000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "\r\n"

static struct lab l;
static struct peer p;
static secsip_tls_profile *both_ways; /* alice's: her account's and her listener's */

static bool alice_talks(void *arg)
{
    (void)arg;
    return l.alice.call_state == SECSIP_CALL_ESTABLISHED;
}

static bool alice_ended(void *arg)
{
    (void)arg;
    return l.alice.n_ended > 0;
}

static void ignore(void *arg, struct ssi_flow *f, const struct ssi_error *why)
{
    (void)arg;
    (void)f;
    (void)why;
}

static struct ssi_flow *foreign;
static struct ssi_flow_watch watch = {.on_failed = ignore};

/* Alice talks with the peer over TLS, and listens: at 5070 in clear, at 5071 with a certificate of the domain, where clients may
 * show theirs. */
static void start(void)
{
    lab_open(); /* certificates before the lab */
    both_ways = lab_profile(LAB_SERVER);
    assert_int_equal(secsip_tls_profile_set_client_cert(both_ways, SECSIP_TLS_CLIENT_CERT_REQUEST),
                     0);
    peer_start(&l, &p,
               &(secsip_account_config){.profile = both_ways, .suites = "AES_CM_128_HMAC_SHA1_80"});
    p.final = 200;
    p.final_sdp = SDP;
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_true(simnet_run(l.net, 5000000, alice_talks, NULL));
    simnet_run(l.net, 200000, NULL, NULL);
    secsip_stack *alice = simnet_stack(l.alice.host);
    assert_int_equal(secsip_stack_listen(alice, "insecure-tcp:10.0.0.1:5070", NULL, NULL), 0);
    assert_int_equal(secsip_stack_listen(alice, "tls:10.0.0.1:5071", both_ways, NULL), 0);
    simnet_srv(l.net, "_sips._tcp.example.test", "alices.elsewhere.test", 5071, 1);
    simnet_name(l.net, "alices.elsewhere.test", "10.0.0.1");
    p.responses[0] = 0;
    p.offer[0] = 0;
}

static void stop(void)
{
    ssi_flow_unwatch(foreign, &watch);
    ssi_flow_unref(foreign);
    peer_stop(&l, &p);
    secsip_tls_profile_unref(both_ways);
    lab_close();
}

/* A connection to alice in clear (NULL), or over TLS showing the profile's certificate. */
static void connect_as(secsip_tls_profile *profile)
{
    struct ssi_flow_target target = {.identity = 77,
                                     .profile = profile,
                                     .transport = profile ? SSI_TRANSPORT_TLS : SSI_TRANSPORT_TCP,
                                     .host = "example.test"};
    if (!profile) {
        strcpy(target.host, "10.0.0.1");
        target.port = 5070;
    }
    assert_int_equal(ssi_flow_get(p.ua, &target, &foreign), 0);
    ssi_list_init(&watch.node);
    ssi_flow_watch(foreign, &watch);
    simnet_run(l.net, 500000, NULL, NULL);
    assert_int_equal(foreign->state, SSI_FLOW_OPEN);
    p.flow = foreign;
}

static void assert_nothing_acts(void)
{
    static const char *const methods[] = {"INVITE", "BYE", "OPTIONS"};

    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        p.responses[0] = 0;
        peer_send(&p, methods[i], NULL, i == 0 ? SDP : NULL);
        simnet_run(l.net, 500000, NULL, NULL);
        assert_string_equal(p.responses, " 481");
        assert_string_equal(p.offer, ""); /* no key of alice's */
    }
    p.responses[0] = 0;
    peer_send(&p, "ACK", NULL, NULL);
    simnet_run(l.net, 500000, NULL, NULL);
    assert_string_equal(p.responses, "");
    assert_int_equal(l.alice.n_ended, 0);
    assert_int_equal(l.alice.n_media, 1); /* nothing was agreed anew */
}

static void over_a_connection_in_clear_nothing_acts(void **state)
{
    (void)state;
    start();
    connect_as(NULL);
    assert_nothing_acts();
    stop();
}

static void who_proves_nothing_is_not_the_peer(void **state)
{
    (void)state;
    start();
    secsip_tls_profile *nobody = lab_profile(LAB_N);
    connect_as(nobody);
    assert_nothing_acts();
    stop();
    secsip_tls_profile_unref(nobody);
}

static void who_proves_to_be_another_is_not_the_peer(void **state)
{
    (void)state;
    start();
    secsip_tls_profile *carol = lab_profile(LAB_ALICE); /* a good certificate, of a user */
    connect_as(carol);
    assert_nothing_acts();
    stop();
    secsip_tls_profile_unref(carol);
}

static void the_peer_itself_may_come_over_another_connection(void **state)
{
    (void)state;
    start();
    secsip_tls_profile *domain =
        lab_profile(LAB_PROXY); /* sip:example.test, whom alice called through */
    connect_as(domain);
    peer_send(&p, "INVITE", NULL, SDP);
    simnet_run(l.net, 500000, NULL, NULL);
    assert_string_equal(p.responses, " 200");
    assert_non_null(strstr(p.offer, "a=crypto:1 "));
    peer_send(&p, "ACK", NULL, NULL);
    simnet_run(l.net, 500000, NULL, NULL);
    assert_int_equal(l.alice.n_ended, 0);
    peer_send(&p, "BYE", NULL, NULL);
    assert_true(simnet_run(l.net, 1000000, alice_ended, NULL));
    stop();
    secsip_tls_profile_unref(domain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(over_a_connection_in_clear_nothing_acts),
        cmocka_unit_test(who_proves_nothing_is_not_the_peer),
        cmocka_unit_test(who_proves_to_be_another_is_not_the_peer),
        cmocka_unit_test(the_peer_itself_may_come_over_another_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
