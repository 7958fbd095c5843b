/* An application that is asked about a certificate, or is shown a message or a line of the log, may end what it likes on the spot: its
 * account, its call, its stack. */
#include "test.h"

#include <stdio.h>

#include "phone.h"
#include "tls/tls.h"

enum what {
    NOTHING,
    UNREF_ACCOUNT,
    UNREGISTER,
    HANG_UP,
    UNREF_STACK,
    UNREF_PROFILE,
    FREE_REGISTRAR,
    SHUT_DOWN,
    N_WHATS
};

static struct {
    struct simnet *net;
    struct simnet_host *server, *client;
    secsip_tls_profile *server_profile, *client_profile;
    secsip_registrar *registrar;
    secsip_account *account;
    secsip_call *call;
    enum what what;
    int32_t answer;
    int at; /* which message or line it acts on */
    int n_asked, n_ended, n_reg;
    bool stack_gone;
} s;

static void act(void)
{
    switch (s.what) {
    case UNREF_ACCOUNT:
        secsip_account_unref(s.account);
        s.account = NULL;
        break;
    case UNREGISTER:
        secsip_account_unregister(s.account);
        break;
    case HANG_UP:
        secsip_call_hangup(s.call);
        break;
    case UNREF_STACK:
        assert_int_equal(secsip_engine_advance(simnet_stack(s.client), 0, 0), SECSIP_E_BUSY);
        s.stack_gone = true;
        simnet_host_free(s.client);
        break;
    case UNREF_PROFILE:
        secsip_tls_profile_unref(s.client_profile);
        s.client_profile = NULL;
        break;
    case FREE_REGISTRAR:
        secsip_registrar_free(s.registrar);
        s.registrar = NULL;
        break;
    case SHUT_DOWN:
        assert_int_equal(secsip_stack_shutdown(simnet_stack(s.client), 100), 0);
        break;
    default:
        break;
    }
}

static int32_t decide(const secsip_tls_question *q, void *arg)
{
    (void)q, (void)arg;
    if (s.n_asked++ == 0)
        act();
    return s.answer;
}

static void on_trace(int32_t direction, const char *peer, const char *message, size_t len,
                     void *arg)
{
    (void)direction, (void)peer, (void)message, (void)len, (void)arg;
    if (s.n_asked++ == s.at)
        act();
}

static void on_log(int32_t level, const char *text, void *arg)
{
    (void)level, (void)text, (void)arg;
    if (s.n_asked++ == s.at)
        act();
}

static secsip_result password(const char *user, char *out, size_t cap, void *arg)
{
    (void)arg;
    snprintf(out, cap, "%spw", user);
    return 0;
}

static void on_registration(secsip_account *a, const secsip_registration_event *e, void *arg)
{
    (void)a, (void)e, (void)arg;
    s.n_reg++;
}

static void on_call_state(secsip_call *c, const secsip_call_event *e, void *arg)
{
    (void)c, (void)arg;
    s.n_ended += e->state == SECSIP_CALL_ENDED;
}

/* It acts where `config` shows it something, of the client's stack, or of the server's where the registrar is what ends; NULL: where
 * the same side decides about a certificate. */
static void set_stage(enum what what, enum lab_cert certificate, const secsip_stack_config *config,
                      uint32_t versions)
{
    const secsip_registrar_config registrar = {
        .size = sizeof registrar, .domain = "example.test", .password = password};
    static const secsip_account_callbacks callbacks = {.size = sizeof callbacks,
                                                       .on_registration = on_registration};

    memset(&s, 0, sizeof s);
    s.what = what;
    s.net = simnet_new(LAB_NOW);
    simnet_name(s.net, "example.test", "10.0.0.9");
    s.server = simnet_host_new(s.net, "10.0.0.9", what == FREE_REGISTRAR ? config : NULL);
    s.client = simnet_host_new(s.net, "10.0.0.1", what == FREE_REGISTRAR ? NULL : config);
    s.server_profile = lab_profile(certificate);
    s.client_profile = lab_profile(LAB_ALICE);
    assert_int_equal(ssi_tls_profile_set_version(s.client_profile, versions), 0);
    if (!config)
        assert_int_equal(secsip_tls_profile_set_decision(what == FREE_REGISTRAR ? s.server_profile
                                                                                : s.client_profile,
                                                         decide, NULL),
                         0);
    assert_int_equal(
        secsip_tls_profile_set_client_cert(s.server_profile, SECSIP_TLS_CLIENT_CERT_REQUIRE), 0);
    assert_int_equal(secsip_registrar_new(simnet_stack(s.server), &registrar, &s.registrar), 0);
    assert_int_equal(
        secsip_stack_listen(simnet_stack(s.server), "tls:10.0.0.9:5061", s.server_profile, NULL),
        0);
    const secsip_account_config account = {.size = sizeof account,
                                           .aor = "sip:alice@example.test",
                                           .password = "alicepw",
                                           .profile = s.client_profile};
    assert_int_equal(
        secsip_account_new(simnet_stack(s.client), &account, &callbacks, NULL, &s.account), 0);
}

static void clear_stage(void)
{
    secsip_call_unref(s.call);
    secsip_account_unref(s.account);
    secsip_registrar_free(s.registrar);
    if (!s.stack_gone)
        simnet_host_free(s.client);
    simnet_host_free(s.server);
    secsip_tls_profile_unref(s.client_profile);
    secsip_tls_profile_unref(s.server_profile);
    simnet_free(s.net);
}

static void begin(void)
{
    static const secsip_call_callbacks callbacks = {.size = sizeof callbacks,
                                                    .on_state = on_call_state};

    if (s.what == HANG_UP)
        assert_int_equal(
            secsip_call_new(s.account, "sip:bob@example.test", &callbacks, NULL, &s.call), 0);
    else
        assert_int_equal(secsip_account_register(s.account), 0);
    assert_int_equal(s.n_asked, 0); /* nobody is called but from inside a step of the stack */
    simnet_run(s.net, 3000000, NULL, NULL);
}

/* The client asks about the server, or the server about the client. */
static void a_decision_may_end_everything(void **state)
{
    (void)state;
    for (int i = 0; i < 4 * N_WHATS; i++) {
        print_message("%d, says %s, TLS %s\n", i / 4, i & 1 ? "yes" : "no", i & 2 ? "1.2" : "1.3");
        set_stage((enum what)(i / 4), LAB_SERVER, NULL,
                  i & 2 ? SECSIP_TLS_VERSION_1_2 : SECSIP_TLS_VERSION_1_3);
        s.answer = i & 1 ? 0 : SECSIP_E_PERMISSION;
        begin();
        assert_true(s.n_asked > 0);
        if (s.what == HANG_UP)
            assert_int_equal(s.n_ended, 1);
        if (s.what == UNREF_ACCOUNT)
            assert_int_equal(s.n_reg, 0); /* after the last reference nothing is called */
        if (s.what == NOTHING)
            assert_true(s.n_reg > 0);
        clear_stage();
    }
}

/* At each message or line until there is none left to act on. */
static void end_at_each(const secsip_stack_config *config, enum lab_cert certificate)
{
    for (int what = NOTHING; what < N_WHATS; what++) {
        int n = 0, n_asked;
        do {
            set_stage((enum what)what, certificate, config, SECSIP_TLS_VERSION_1_3);
            s.at = n++;
            begin();
            n_asked = s.n_asked;
            clear_stage();
        } while (n_asked >= n);
        print_message("%d: %d times\n", what, n - 1);
        assert_true(n > 1);
    }
}

static void a_trace_may_end_everything(void **state)
{
    (void)state;
    end_at_each(&(secsip_stack_config){.size = sizeof(secsip_stack_config), .trace = on_trace},
                LAB_SERVER);
}

static void a_log_may_end_everything(void **state)
{
    const secsip_stack_config config = {
        .size = sizeof config, .log = on_log, .log_level = SECSIP_LOG_DEBUG};

    (void)state;
    end_at_each(&config, LAB_WRONGNAME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_decision_may_end_everything),
        cmocka_unit_test(a_trace_may_end_everything),
        cmocka_unit_test(a_log_may_end_everything),
    };
    return cmocka_run_group_tests(tests, lab_set_up, lab_tear_down);
}
