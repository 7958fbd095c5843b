/* Mutual TLS: whom a client's certificate lets speak, what the application is told of it, and what is answered to the rest. */
#include "test.h"

#include <stdio.h>

#include "forge.h"
#include "phone.h"
#include "sip/uri.h"
#include "tls_pair.h"
#include "ua/from.h"

/* ---- The question itself. */
static void from_is_held_against_the_certificate(void **state)
{
    (void)state;
    static const struct {
        enum lab_cert client;
        uint32_t options;
        const char *from;
        bool agrees;
    } rows[] = {
        {LAB_ALICE, 0, "sip:alice@example.test", true},
        {LAB_ALICE, 0, "sips:alice@EXAMPLE.test", true},
        {LAB_ALICE, 0, "sip:alice@example.test:5070;transport=tls", true},
        {LAB_ALICE, 0, "sip:%61lice@example.test", true},
        {LAB_ALICE, 0, "sip:Alice@example.test", false}, /* RFC 3261 19.1.4: the user has a case */
        {LAB_ALICE, 0, "sip:bob@example.test", false},
        {LAB_ALICE, 0, "sip:alice@other.test", false},
        {LAB_ALICE, 0, "sip:example.test", false},
        {LAB_ALICE, 0, "sip:alice%40example.test@example.test", false},
        {LAB_ALICE, 0, "tel:+15551234", false},
        {LAB_ALICE, 0, "sip:anonymous@anonymous.invalid", false},
        {LAB_PROXY, 0, "sip:alice@example.test", true}, /* a domain speaks for its users */
        {LAB_PROXY, 0, "sip:bob@Example.TEST", true},
        {LAB_PROXY, 0, "sip:alice@sub.example.test", false},
        {LAB_PROXY, 0, "sip:alice@wrong.test", false},
        {LAB_DNSONLY, 0, "sip:alice@example.test", true},
        /* Who was let in by an insecure option has proved nothing. */
        {LAB_CLIENT_OTHERCA, SECSIP_TLS_INSECURE_ANY, "sip:alice@example.test", false},
        {LAB_CLIENT_EXPIRED, SECSIP_TLS_ALLOW_EXPIRED, "sip:alice@example.test", true},
        /* It binds those who showed a certificate. */
        {LAB_N, 0, "sip:alice@example.test", true},
    };

    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        size_t k = i / 2;
        secsip_tls_profile *cp = lab_profile(rows[k].client), *sp = lab_profile(LAB_SERVER);
        struct ssi_flow flow = {.incoming = true, .state = SSI_FLOW_OPEN};
        struct ssi_sip_uri uri;
        struct tls_pair p;
        assert_int_equal(secsip_tls_profile_set_client_cert(sp, SECSIP_TLS_CLIENT_CERT_REQUEST), 0);
        assert_int_equal(secsip_tls_profile_set_options(sp, rows[k].options), 0);
        if (i % 2)
            assert_int_equal(secsip_tls_profile_set_from(sp, SECSIP_TLS_FROM_CERTIFIED), 0);
        tls_pair_open(&p, cp, sp, "example.test", LAB_NOW);
        tls_pair_pump(&p);
        assert_int_equal(ssi_tls_session_state(p.server), SSI_TLS_OPEN);
        flow.tls = p.server;
        assert_int_equal(ssi_sip_uri_parse(ssi_slice_str(rows[k].from), &uri), 0);
        print_message("%s from %s\n", rows[k].from, lab_name(rows[k].client));
        assert_int_equal(ssi_from_is_certified(&flow, &uri), i % 2 ? rows[k].agrees : true);
        flow.tls = p.client; /* the rule is for clients, not for servers that we asked */
        assert_true(ssi_from_is_certified(&flow, &uri));
        tls_pair_close(&p);
        secsip_tls_profile_unref(cp);
        secsip_tls_profile_unref(sp);
    }
}

static int32_t accept_all(const secsip_tls_question *question, void *user_data)
{
    (void)question, (void)user_data;
    return 0;
}

/* What only an insecure option or decision let in has proved no name. */
static void who_was_let_in_by_something_insecure_has_no_identity(void **state)
{
    (void)state;
    static const struct {
        enum lab_cert client;
        uint32_t options;
        bool decided;
        const char *identity;
    } rows[] = {
        {LAB_ALICE, 0, false, "sip:alice@example.test"},
        {LAB_ALICE, 0, true, "sip:alice@example.test"}, /* there was nothing to forgive */
        {LAB_CLIENT_EXPIRED, SECSIP_TLS_ALLOW_EXPIRED, false, "sip:alice@example.test"},
        {LAB_CLIENT_OTHERCA, SECSIP_TLS_INSECURE_ANY, false, ""},
        {LAB_CLIENT_OTHERCA, 0, true, ""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        secsip_tls_profile *cp = lab_profile(rows[i].client), *sp = lab_profile(LAB_SERVER);
        struct ssi_flow flow = {.incoming = true, .state = SSI_FLOW_OPEN};
        struct tls_pair p;
        assert_int_equal(secsip_tls_profile_set_client_cert(sp, SECSIP_TLS_CLIENT_CERT_REQUIRE), 0);
        assert_int_equal(secsip_tls_profile_set_options(sp, rows[i].options), 0);
        if (rows[i].decided)
            assert_int_equal(secsip_tls_profile_set_insecure_decision(sp, accept_all, NULL), 0);
        tls_pair_open(&p, cp, sp, "example.test", LAB_NOW);
        tls_pair_pump(&p);
        assert_int_equal(ssi_tls_session_state(p.server), SSI_TLS_OPEN);
        flow.tls = p.server;
        print_message("row %zu\n", i);
        assert_string_equal(ssi_flow_identity(&flow), rows[i].identity);
        assert_int_equal(ssi_flow_is_secure(&flow), rows[i].identity[0] != 0);
        tls_pair_close(&p);
        secsip_tls_profile_unref(cp);
        secsip_tls_profile_unref(sp);
    }
}

/* A client's session at a server with its flow, for certificates that we make up. */
struct visitor {
    secsip_tls_profile *profile;
    struct tls_pair pair;
    struct ssi_flow flow;
};

static void visit(struct visitor *v, secsip_tls_profile *sp, const struct forge *f)
{
    v->profile = forge_profile(f);
    v->flow = (struct ssi_flow){
        .incoming = true, .state = SSI_FLOW_OPEN, .transport = SSI_TRANSPORT_TLS, .profile = sp};
    tls_pair_open(&v->pair, v->profile, sp, "example.test", LAB_NOW);
    tls_pair_pump(&v->pair);
    assert_int_equal(ssi_tls_session_state(v->pair.server), SSI_TLS_OPEN);
    v->flow.tls = v->pair.server;
}

static void leave(struct visitor *v)
{
    tls_pair_close(&v->pair);
    secsip_tls_profile_unref(v->profile);
}

/* An authority checks the names it puts in; what a person writes into a CN it does not. */
static void a_name_is_what_kind_of_name_it_is(void **state)
{
    (void)state;
    static const char alice[] = "sip:alice@example.test";
    enum {
        ALICE,
        N = 10
    };
    static const struct {
        struct forge cert;
        const char *identity;
    } rows[N] = {
        [ALICE] = {{.cn = "a", .mail = "a@example.test", .uri = alice}, alice},
        {{.cn = alice, .mail = "mallory@example.test"}, ""},
        {{.cn = alice, .bare = true}, ""},
        {{.cn = "alice@example.test", .bare = true}, ""},
        {{.cn = "mallory", .dns = alice}, ""},
        {{.cn = "example.test", .mail = "mallory@example.test"}, ""},
        {{.cn = "example.test", .bare = true}, "example.test"},
        {{.cn = "mallory"}, "example.test"}, /* a dNSName */
        {{.cn = "mallory", .dns = "other.test", .uri = "sip:example.test"}, "example.test"},
        {{.cn = "mallory", .dns = "other.test", .uri = "sip:EXAMPLE.test"}, "EXAMPLE.test"},
    };
    secsip_tls_profile *sp = lab_profile(LAB_SERVER);
    gnutls_x509_crt_t ca = forge_read_cert(LAB_CA);
    struct visitor visitors[N];

    assert_int_equal(secsip_tls_profile_set_client_cert(sp, SECSIP_TLS_CLIENT_CERT_REQUIRE), 0);
    for (int i = 0; i < N; i++) {
        struct forge f = rows[i].cert;
        f.key = LAB_ALICE;
        f.signer = ca;
        f.signer_key = LAB_CA;
        f.until = LAB_UNTIL;
        visit(&visitors[i], sp, &f);
        print_message("row %d\n", i);
        assert_string_equal(ssi_flow_identity(&visitors[i].flow), rows[i].identity);
    }
    for (int i = 0; i < N * N; i++) {
        const struct ssi_flow *a = &visitors[i / N].flow, *b = &visitors[i % N].flow;
        /* The last two differ in the case of a domain only. */
        bool same = i / N == i % N || (i / N >= N - 2 && i % N >= N - 2);
        print_message("rows %d and %d\n", i / N, i % N);
        assert_int_equal(ssi_flow_is_same_peer(a, b), same);
    }
    for (int i = 0; i < N; i++)
        leave(&visitors[i]);
    gnutls_x509_crt_deinit(ca);
    secsip_tls_profile_unref(sp);
}

static int32_t look_up(const char *domain, uint32_t index, char *pin, size_t cap, void *arg)
{
    (void)domain, (void)index, (void)pin, (void)cap, (void)arg;
    return SECSIP_E_NOT_FOUND;
}

static int32_t store(const char *domain, const char *pin, void *arg)
{
    (void)domain, (void)pin, (void)arg;
    return 0;
}

/* Where a server has to show its key, a connection that it makes to us is known by the certificate that was accepted, not by one
 * more of its name. */
static void a_server_with_a_known_key_is_known_by_its_certificate(void **state)
{
    (void)state;
    static const secsip_tls_known_keys keys = {
        .size = sizeof keys, .lookup = look_up, .store = store};
    secsip_tls_profile *ours = lab_profile(LAB_SERVER), *theirs = lab_profile(LAB_NOEKU),
                       *others = lab_profile(LAB_PROXY), *callers[] = {theirs, others};
    struct tls_pair made, came[2];
    char domain[] = "example.test";

    assert_int_equal(
        secsip_tls_profile_set_known_keys(ours, SECSIP_TLS_KNOWN_KEYS_BESIDE_CHAIN, &keys), 0);
    assert_int_equal(secsip_tls_profile_set_client_cert(ours, SECSIP_TLS_CLIENT_CERT_REQUIRE), 0);
    tls_pair_open(&made, ours, theirs, "example.test", LAB_NOW);
    tls_pair_pump(&made);
    struct ssi_flow of = {.state = SSI_FLOW_OPEN,
                          .transport = SSI_TRANSPORT_TLS,
                          .profile = ours,
                          .tls = made.client,
                          .domain = domain};
    for (int i = 0; i < 2; i++) {
        tls_pair_open(&came[i], callers[i], ours, "example.test", LAB_NOW);
        tls_pair_pump(&came[i]);
        struct ssi_flow f = {.incoming = true,
                             .state = SSI_FLOW_OPEN,
                             .transport = SSI_TRANSPORT_TLS,
                             .profile = ours,
                             .tls = came[i].server};
        assert_true(ssi_tls_session_peer_is(f.tls, domain));
        assert_int_equal(ssi_flow_is_same_peer(&f, &of), i == 0);
        of.state = SSI_FLOW_DEAD; /* nothing to compare with */
        assert_false(ssi_flow_is_same_peer(&f, &of));
        of.state = SSI_FLOW_OPEN;
        tls_pair_close(&came[i]);
    }
    tls_pair_close(&made);
    secsip_tls_profile_unref(ours);
    secsip_tls_profile_unref(theirs);
    secsip_tls_profile_unref(others);
}

/* ---- At a registrar, and at a phone that listens. */
struct scene {
    struct simnet *net;
    struct simnet_host *server, *client;
    secsip_tls_profile *server_profile, *client_profile;
    secsip_registrar *registrar;
    secsip_account *callee, *account;
    secsip_call *call, *incoming;
    int32_t reg_state, reg_status, call_state, call_status;
    int n_registered, n_refused, n_passwords;
    int32_t refused_with;
    char identity[64], caller[64];
};

static secsip_result password(const char *user, char *out, size_t cap, void *arg)
{
    struct scene *s = arg;

    s->n_passwords++;
    snprintf(out, cap, "%spw", user);
    return 0;
}

static void on_registrar_event(const secsip_registrar_event *e, void *arg)
{
    struct scene *s = arg;

    snprintf(s->identity, sizeof s->identity, "%s", e->identity);
    s->n_registered += e->kind == SECSIP_REGISTRAR_REGISTERED;
    if (e->kind == SECSIP_REGISTRAR_REFUSED) {
        s->n_refused++;
        s->refused_with = e->status;
    }
}

static void on_registration(secsip_account *a, const secsip_registration_event *e, void *arg)
{
    struct scene *s = arg;

    (void)a;
    s->reg_state = e->state;
    s->reg_status = e->status;
}

static void on_security(secsip_call *c, const secsip_security_info *info, void *arg)
{
    struct scene *s = arg;

    (void)c;
    if (info->tls)
        snprintf(s->caller, sizeof s->caller, "%s", info->tls->peer);
}

static const secsip_call_callbacks callee_callbacks = {.size = sizeof callee_callbacks,
                                                       .on_security = on_security};

static void on_incoming_call(secsip_account *a, secsip_call *c, void *arg)
{
    struct scene *s = arg;

    (void)a;
    s->incoming = secsip_call_ref(c);
    snprintf(s->identity, sizeof s->identity, "%s", secsip_call_get_peer_identity(c));
    assert_int_equal(secsip_call_set_callbacks(c, &callee_callbacks, s), 0);
    assert_int_equal(secsip_call_answer(c), 0);
}

static void on_call_state(secsip_call *c, const secsip_call_event *e, void *arg)
{
    struct scene *s = arg;

    (void)c;
    s->call_state = e->state;
    s->call_status = e->status;
}

static void open_scene(struct scene *s, enum lab_cert client, uint32_t from, const char *user)
{
    secsip_account_config config = {.size = sizeof config};
    static const secsip_account_callbacks callbacks = {.size = sizeof callbacks,
                                                       .on_registration = on_registration};
    char aor[64], pw[32];

    memset(s, 0, sizeof *s);
    s->net = simnet_new(LAB_NOW);
    simnet_name(s->net, "example.test", "10.0.0.9");
    s->server = simnet_host_new(s->net, "10.0.0.9", NULL);
    s->client = simnet_host_new(s->net, "10.0.0.1", NULL);
    s->server_profile = lab_profile(LAB_SERVER);
    s->client_profile = lab_profile(client);
    assert_int_equal(
        secsip_tls_profile_set_client_cert(s->server_profile, SECSIP_TLS_CLIENT_CERT_REQUEST), 0);
    assert_int_equal(secsip_tls_profile_set_from(s->server_profile, from), 0);
    assert_int_equal(
        secsip_stack_listen(simnet_stack(s->server), "tls:10.0.0.9:5061", s->server_profile, NULL),
        0);
    snprintf(aor, sizeof aor, "sip:%s@example.test", user);
    snprintf(pw, sizeof pw, "%spw", user);
    config.aor = aor;
    config.password = pw;
    config.profile = s->client_profile;
    assert_int_equal(
        secsip_account_new(simnet_stack(s->client), &config, &callbacks, s, &s->account), 0);
}

static void add_registrar(struct scene *s)
{
    const secsip_registrar_config config = {.size = sizeof config,
                                            .domain = "example.test",
                                            .password = password,
                                            .on_event = on_registrar_event,
                                            .user_data = s};

    assert_int_equal(secsip_registrar_new(simnet_stack(s->server), &config, &s->registrar), 0);
}

static void add_callee(struct scene *s)
{
    static const secsip_account_callbacks callbacks = {.size = sizeof callbacks,
                                                       .on_incoming_call = on_incoming_call};
    const secsip_account_config config = {.size = sizeof config, .aor = "sip:bob@example.test"};

    assert_int_equal(
        secsip_account_new(simnet_stack(s->server), &config, &callbacks, s, &s->callee), 0);
}

static void close_scene(struct scene *s)
{
    secsip_call_unref(s->call);
    secsip_call_unref(s->incoming);
    secsip_account_unref(s->account);
    secsip_account_unref(s->callee);
    secsip_registrar_free(s->registrar);
    simnet_host_free(s->client);
    simnet_host_free(s->server);
    secsip_tls_profile_unref(s->client_profile);
    secsip_tls_profile_unref(s->server_profile);
    simnet_free(s->net);
}

static const struct {
    enum lab_cert client;
    uint32_t from;
    const char *user;
    bool allowed;
    const char *identity;
} rows[] = {
    {LAB_ALICE, SECSIP_TLS_FROM_CERTIFIED, "alice", true, "sip:alice@example.test"},
    {LAB_ALICE, SECSIP_TLS_FROM_CERTIFIED, "carol", false, "sip:alice@example.test"},
    {LAB_ALICE, SECSIP_TLS_FROM_ANY, "carol", true, "sip:alice@example.test"},
    {LAB_PROXY, SECSIP_TLS_FROM_CERTIFIED, "carol", true, "example.test"},
    {LAB_N, SECSIP_TLS_FROM_CERTIFIED, "carol", true, ""},
};

static bool reg_is_over(void *arg)
{
    const struct scene *s = arg;
    return s->reg_state == SECSIP_REGISTRATION_REGISTERED ||
           s->reg_state == SECSIP_REGISTRATION_FAILED;
}

static void a_registrar_is_told_and_refuses_who_is_not_certified(void **state)
{
    (void)state;
    struct scene s;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        open_scene(&s, rows[i].client, rows[i].from, rows[i].user);
        add_registrar(&s);
        /* The second time the session is resumed. */
        for (int round = 1; round <= 2; round++) {
            print_message("row %zu, round %d\n", i, round);
            s.reg_state = 0;
            assert_int_equal(secsip_account_register(s.account), 0);
            assert_true(simnet_run(s.net, 5000000, reg_is_over, &s));
            assert_string_equal(s.identity, rows[i].identity);
            if (rows[i].allowed) {
                assert_int_equal(s.reg_state, SECSIP_REGISTRATION_REGISTERED);
                assert_int_equal(s.n_registered, round);
            } else {
                assert_int_equal(s.reg_status, 403);
                assert_int_equal(s.n_registered, 0);
                assert_int_equal(s.n_refused, round);
                assert_int_equal(s.refused_with, 403);
                assert_int_equal(s.n_passwords, 0); /* nobody was asked to prove anything */
            }
            assert_int_equal(secsip_account_unregister(s.account) < 0, !rows[i].allowed);
            simnet_run(s.net, 40000000, NULL, NULL);
        }
        close_scene(&s);
    }
}

static bool call_is_over(void *arg)
{
    const struct scene *s = arg;
    return s->call_state == SECSIP_CALL_ESTABLISHED || s->call_state == SECSIP_CALL_ENDED;
}

static void a_phone_is_told_and_refuses_who_is_not_certified(void **state)
{
    (void)state;
    static const secsip_call_callbacks callbacks = {.size = sizeof callbacks,
                                                    .on_state = on_call_state};
    struct scene s;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].client == LAB_N)
            continue; /* no key is sent to who proved nothing: another test's matter */
        print_message("row %zu\n", i);
        open_scene(&s, rows[i].client, rows[i].from, rows[i].user);
        add_callee(&s);
        assert_int_equal(
            secsip_call_new(s.account, "sip:bob@example.test", &callbacks, &s, &s.call), 0);
        assert_true(simnet_run(s.net, 5000000, call_is_over, &s));
        if (rows[i].allowed) {
            assert_int_equal(s.call_state, SECSIP_CALL_ESTABLISHED);
            assert_string_equal(s.caller, rows[i].identity);
            assert_string_equal(s.identity, rows[i].identity);
            assert_string_equal(secsip_call_get_peer_identity(s.call), "example.test");
        } else {
            assert_int_equal(s.call_state, SECSIP_CALL_ENDED);
            assert_int_equal(s.call_status, 403);
            assert_null(s.incoming);
        }
        close_scene(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_is_held_against_the_certificate),
        cmocka_unit_test(who_was_let_in_by_something_insecure_has_no_identity),
        cmocka_unit_test(a_name_is_what_kind_of_name_it_is),
        cmocka_unit_test(a_server_with_a_known_key_is_known_by_its_certificate),
        cmocka_unit_test(a_registrar_is_told_and_refuses_who_is_not_certified),
        cmocka_unit_test(a_phone_is_told_and_refuses_who_is_not_certified),
    };
    return cmocka_run_group_tests(tests, lab_set_up, lab_tear_down);
}
