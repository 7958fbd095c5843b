/* RFC 5923: a connection that a server made to us is used for requests to it, but only where both have shown their certificates and
 * only under the same profile. */
#include "test.h"

#include "api/stack.h"
#include "phone.h"
#include "ua/flow.h"
#include "ua/from.h"

static struct lab l;

/* The server that is called by name: it asks clients for certificates. */
static struct {
    struct simnet_host *host;
    secsip_registrar *registrar;
    secsip_tls_profile *profile, *client;
    struct ssi_flow *flow;
} s;

static secsip_result password(const char *user, char *out, size_t cap, void *arg)
{
    (void)arg;
    (void)user;
    memcpy(out, "alicepw", cap < 8 ? cap : 8);
    return 0;
}

static bool alice_registered(void *arg)
{
    (void)arg;
    return l.alice.reg_state == SECSIP_REGISTRATION_REGISTERED;
}

static void ignore(void *arg, struct ssi_flow *f, const struct ssi_error *why)
{
    (void)arg;
    (void)f;
    (void)why;
}

static struct ssi_flow_watch watch = {.on_failed = ignore};

static struct ssi_ua *core(void)
{
    return &simnet_stack(s.host)->ua;
}

static int32_t look_up(const char *domain, uint32_t index, char *pin, size_t cap, void *arg)
{
    (void)domain, (void)arg;
    if (index > 0)
        return SECSIP_E_NOT_FOUND;
    assert_true(cap > 52);
    memcpy(pin, "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 53);
    return 0;
}

static int32_t store(const char *domain, const char *pin, void *arg)
{
    (void)domain, (void)pin, (void)arg;
    return 0;
}

static int32_t decide(const secsip_tls_question *question, void *arg)
{
    (void)question, (void)arg;
    return 0;
}

/* What a server of ours asks those it calls, and not those that call it. */
static bool knows_keys, decides;

static void ask_servers(secsip_tls_profile *p)
{
    static const secsip_tls_known_keys keys = {
        .size = sizeof keys, .lookup = look_up, .store = store};

    if (knows_keys)
        assert_int_equal(
            secsip_tls_profile_set_known_keys(p, SECSIP_TLS_KNOWN_KEYS_BESIDE_CHAIN, &keys), 0);
    if (decides)
        assert_int_equal(secsip_tls_profile_set_decision(p, decide, NULL), 0);
}

/* Alice, who is a server too where she listens, registers over a connection on which she shows `cert`. */
static void start(enum lab_cert cert, bool listens)
{
    const secsip_registrar_config registrar = {
        .size = sizeof registrar, .domain = "example.test", .password = password};
    uint16_t port;

    lab_start(&l, LAB_SERVER);
    s.host = simnet_host_new(l.net, "10.0.0.8", NULL);
    s.profile = lab_profile(LAB_NOEKU);
    ask_servers(s.profile);
    assert_int_equal(secsip_tls_profile_set_client_cert(s.profile, SECSIP_TLS_CLIENT_CERT_REQUEST),
                     0);
    assert_int_equal(secsip_registrar_new(simnet_stack(s.host), &registrar, &s.registrar), 0);
    assert_int_equal(
        secsip_stack_listen(simnet_stack(s.host), "tls:10.0.0.8:5061", s.profile, NULL), 0);
    simnet_srv(l.net, "_sips._tcp.example.test", "eight.elsewhere.test", 5061, 1);
    simnet_name(l.net, "eight.elsewhere.test", "10.0.0.8");
    s.client = lab_profile(cert);
    lab_phone(&l, &l.alice, "alice", &(secsip_account_config){.profile = s.client});
    if (listens)
        assert_int_equal(
            secsip_stack_listen(simnet_stack(l.alice.host), "tls:10.0.0.1:5071", s.client, &port),
            0);
    assert_int_equal(secsip_account_register(l.alice.account), 0);
    assert_true(simnet_run(l.net, 5000000, alice_registered, NULL));
    assert_int_equal(core()->n_flows, 1);
}

/* What a request of the server's to this target would go over. */
static bool is_reused(secsip_tls_profile *profile, const char *host, uint16_t port)
{
    struct ssi_flow_target target = {
        .identity = 5, .profile = profile, .transport = SSI_TRANSPORT_TLS, .port = port};

    memcpy(target.host, host, strlen(host) + 1);
    uint32_t before = core()->n_flows;
    assert_int_equal(ssi_flow_get(core(), &target, &s.flow), 0);
    ssi_list_init(&watch.node);
    ssi_flow_watch(s.flow, &watch);
    bool reused = core()->n_flows == before;
    if (reused)
        assert_true(s.flow->incoming && s.flow->state == SSI_FLOW_OPEN);
    ssi_flow_unwatch(s.flow, &watch);
    ssi_flow_unref(s.flow);
    return reused;
}

static void stop(void)
{
    secsip_stack_shutdown(simnet_stack(l.alice.host), 2000);
    simnet_run(l.net, 3000000, NULL, NULL);
    assert_true(ssi_list_empty(&core()->aliases)); /* it goes with its connection */
    secsip_registrar_free(s.registrar);
    simnet_host_free(s.host);
    secsip_tls_profile_unref(s.profile);
    secsip_tls_profile_unref(s.client);
    lab_stop(&l);
}

static void who_has_proved_a_name_is_reached_over_its_own_connection(void **state)
{
    (void)state;
    start(LAB_NOEKU, true);
    assert_true(is_reused(s.profile, "example.test", 0));
    assert_true(is_reused(s.profile, "example.test", 5071)); /* where it listens */
    assert_false(is_reused(s.profile, "example.test", 5061));
    stop();
}

static void a_name_that_was_not_proved_is_not_reached_there(void **state)
{
    (void)state;
    start(LAB_NOEKU, true);
    assert_false(is_reused(s.profile, "other.test", 0));
    assert_false(is_reused(s.profile, "10.0.0.1", 5071));
    stop();
}

static void a_connection_under_one_profile_is_not_used_for_another(void **state)
{
    secsip_tls_profile *other;

    (void)state;
    start(LAB_NOEKU, true);
    other = lab_profile(LAB_SERVER); /* the same name, another identity object */
    assert_false(is_reused(other, "example.test", 0));
    secsip_tls_profile_unref(other);
    stop();
}

static void who_shows_no_certificate_offers_nothing(void **state)
{
    (void)state;
    start(LAB_N, false);
    assert_true(ssi_list_empty(&core()->aliases));
    assert_false(is_reused(s.profile, "example.test", 0));
    stop();
}

static void who_does_not_listen_offers_nothing(void **state)
{
    (void)state;
    start(LAB_NOEKU, false);
    assert_true(ssi_list_empty(&core()->aliases));
    assert_false(is_reused(s.profile, "example.test", 0));
    stop();
}

static void a_user_is_no_domain(void **state)
{
    (void)state;
    start(LAB_ALICE, true); /* the certificate of sip:alice@example.test */
    assert_false(is_reused(s.profile, "example.test", 0));
    stop();
}

/* A dialog that was made over a connection of ours to example.test. */
static bool may_act_in_our_dialog(void)
{
    const struct ssi_flow *f = SSI_CONTAINER(core()->aliases.next, struct ssi_flow, alias);
    char domain[] = "example.test";
    const struct ssi_flow ours = {
        .transport = SSI_TRANSPORT_TLS, .profile = s.profile, .domain = domain};

    return ssi_flow_is_same_peer(f, &ours);
}

/* Who would have to show a known key, or pass a decision about this domain, has not done so by calling us. */
static void what_only_a_server_is_asked_is_not_passed_by(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        knows_keys = i & 1;
        decides = i & 2;
        start(LAB_NOEKU, true);
        assert_false(ssi_list_empty(&core()->aliases));
        assert_int_equal(is_reused(s.profile, "example.test", 0), i == 0);
        assert_int_equal(may_act_in_our_dialog(), i == 0);
        stop();
    }
    knows_keys = decides = false;
}

static bool alice_is_back(void *arg)
{
    (void)arg;
    return l.alice.reg_state == SECSIP_REGISTRATION_REGISTERED && core()->n_flows == 1;
}

/* A session that is resumed shows no certificate again: the server has kept the one of the first. */
static void a_resumed_session_is_offered_as_the_first_was(void **state)
{
    (void)state;
    start(LAB_NOEKU, true);
    simnet_run(l.net, 1000000, NULL, NULL); /* the ticket comes behind the handshake */
    for (int i = 0; i < 2; i++) {
        simnet_cut(s.host);
        l.alice.reg_state = 0;
        assert_true(simnet_run(l.net, 100000000, alice_is_back, NULL));
        const struct ssi_flow *f = SSI_CONTAINER(core()->flows.next, struct ssi_flow, node);
        assert_int_equal(ssi_flow_tls_info(f)->resumed, 1);
        assert_true(is_reused(s.profile, "example.test", 5071));
        simnet_run(l.net, 1000000, NULL, NULL);
    }
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_proved_a_name_is_reached_over_its_own_connection),
        cmocka_unit_test(a_name_that_was_not_proved_is_not_reached_there),
        cmocka_unit_test(a_connection_under_one_profile_is_not_used_for_another),
        cmocka_unit_test(who_shows_no_certificate_offers_nothing),
        cmocka_unit_test(who_does_not_listen_offers_nothing),
        cmocka_unit_test(a_user_is_no_domain),
        cmocka_unit_test(what_only_a_server_is_asked_is_not_passed_by),
        cmocka_unit_test(a_resumed_session_is_offered_as_the_first_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
