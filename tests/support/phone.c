/* Two phones and a registrar on a simulated network, see phone.h. */
#include "phone.h"

#include "oom.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/stack.h"

bool lab_cells[16][32];

static void note_cell(int phase, int input)
{
    lab_cells[phase][input] = true;
}

static void copy_error(const secsip_error *e, secsip_result *result, char *check, char *expected,
                       char *found, char *text)
{
    *result = e ? e->result : 0;
    snprintf(check, 32, "%s", e ? e->check : "");
    snprintf(expected, 256, "%s", e ? e->expected : "");
    snprintf(found, 256, "%s", e ? e->found : "");
    snprintf(text, 512, "%s", e ? e->text : "");
}

static void on_registration(secsip_account *a, const secsip_registration_event *e, void *arg)
{
    struct phone *p = arg;

    (void)a;
    p->n_reg_events++;
    p->reg_state = e->state;
    p->reg_status = e->status;
    p->reg_expires = e->expires_s;
    p->reg_retry_ms = e->retry_ms;
    copy_error(e->error, &p->reg_result, p->reg_check, p->reg_expected, p->reg_found, p->reg_text);
}

static void on_state(secsip_call *c, const secsip_call_event *e, void *arg)
{
    struct phone *p = arg;

    (void)c;
    p->call_state = e->state;
    p->call_status = e->status;
    snprintf(p->call_reason, sizeof p->call_reason, "%s", e->reason);
    if (e->state == SECSIP_CALL_ENDED) {
        p->n_ended++;
        copy_error(e->error, &p->call_result, p->call_check, p->call_expected, p->call_found,
                   p->call_text);
    }
}

static void on_media(secsip_call *c, const secsip_media_info *m, void *arg)
{
    struct phone *p = arg;

    (void)c;
    p->n_media++;
    snprintf(p->suite, sizeof p->suite, "%s", m->suite);
    snprintf(p->profile_name, sizeof p->profile_name, "%s", m->profile);
    snprintf(p->direction, sizeof p->direction, "%s", m->direction);
    p->quirks = m->quirks;
    p->forms = m->forms;
}

static void on_security(secsip_call *c, const secsip_security_info *s, void *arg)
{
    struct phone *p = arg;

    (void)c;
    p->level = s->level;
}

static void on_audio(secsip_call *c, const int16_t *samples, size_t n, uint32_t timestamp,
                     void *arg)
{
    struct phone *p = arg;

    (void)c;
    (void)timestamp;
    for (size_t i = 0; i < n && p->n_samples_heard < sizeof p->heard / sizeof p->heard[0]; i++)
        p->heard[p->n_samples_heard++] = samples[i];
    if (p->on_audio_hook)
        p->on_audio_hook(p);
}

static void on_audio_wanted(secsip_call *c, int16_t *samples, size_t n, void *arg)
{
    struct phone *p = arg;

    (void)c;
    for (size_t i = 0; i < n; i++) {
        p->next_sample = (int16_t)(p->next_sample + 37);
        samples[i] = p->next_sample;
    }
    p->n_samples_sent += (uint32_t)n;
}

static void on_modified(secsip_call *c, secsip_result result, int32_t status, void *arg)
{
    struct phone *p = arg;

    (void)c;
    p->n_modified++;
    p->modified_result = result;
    p->modified_status = status;
}

static void on_key_life(secsip_call *c, int32_t whose, secsip_result result, int32_t status,
                        void *arg)
{
    struct phone *p = arg;

    (void)c;
    assert_in_range(whose, 0, 1);
    p->n_key_due[whose] += result == 0;
    p->n_key_ended[whose] += result == SECSIP_E_SRTP_KEY_EXPIRED;
    p->n_key_failed[whose] += result < 0 && result != SECSIP_E_SRTP_KEY_EXPIRED;
    if (status)
        p->key_status = status;
}

static const secsip_call_callbacks call_callbacks = {
    .size = sizeof call_callbacks,
    .on_state = on_state,
    .on_media = on_media,
    .on_security = on_security,
    .on_audio = on_audio,
    .on_audio_wanted = on_audio_wanted,
    .on_modified = on_modified,
    .on_key_life = on_key_life,
};

const secsip_call_callbacks *lab_call_callbacks(void)
{
    return &call_callbacks;
}

static void on_incoming_call(secsip_account *a, secsip_call *c, void *arg)
{
    struct phone *p = arg;

    (void)a;
    p->call = secsip_call_ref(c);
    p->call_state = SECSIP_CALL_INCOMING;
    assert_int_equal(secsip_call_set_callbacks(c, &call_callbacks, p), 0);
    secsip_result r = p->rejects   ? secsip_call_reject(c, 486)
                      : p->waits   ? 0
                      : p->answers ? secsip_call_answer(c)
                                   : secsip_call_ring(c);
    assert_true(r == 0 || test_oom_has_failed());
}

static secsip_result password(const char *user, char *out, size_t cap, void *arg)
{
    (void)arg;
    if (strcmp(user, "alice") != 0 && strcmp(user, "bob") != 0)
        return SECSIP_E_NOT_FOUND;
    snprintf(out, cap, "%spw", user);
    return 0;
}

static void on_registrar_event(const secsip_registrar_event *e, void *arg)
{
    struct lab *l = arg;

    if (e->kind == SECSIP_REGISTRAR_REFUSED) {
        l->n_refused++;
        l->last_refused = e->status;
    }
}

static void print_log(int32_t level, const char *text, void *arg)
{
    printf("log %s %d %s\n", (const char *)arg, (int)level, text);
}

static void print_trace(int32_t direction, const char *peer, const char *message, size_t len,
                        void *arg)
{
    if (getenv("SECSIP_TRACE"))
        printf("%s %s %s\n%.*s\n", (const char *)arg, direction == SECSIP_TRACE_SENT ? "->" : "<-",
               peer, (int)len, message);
}

void lab_start(struct lab *l, enum lab_cert server_cert)
{
    lab_start_limited(l, server_cert, &(secsip_stack_config){0});
}

static void start_lab(struct lab *l, enum lab_cert server_cert, const secsip_stack_config *server,
                      bool insecure)
{
    secsip_stack_config stack = *server;
    secsip_registrar_config config = {.size = sizeof config,
                                      .domain = "example.test",
                                      .password = password,
                                      .on_event = on_registrar_event,
                                      .user_data = l,
                                      .insecure_transport = insecure};

    stack.size = sizeof stack;
    stack.log = print_log;
    stack.log_level = SECSIP_LOG_INFO;
    stack.trace = print_trace;
    stack.user_data = "server";
    memset(l, 0, sizeof *l);
    lab_open();
    l->net = simnet_new(LAB_NOW);
    simnet_name(l->net, "example.test", "10.0.0.9");
    l->server = simnet_host_new(l->net, "10.0.0.9", &stack);
    l->server_profile = lab_profile(server_cert);
    assert_int_equal(secsip_registrar_new(simnet_stack(l->server), &config, &l->registrar), 0);
    assert_int_equal(
        secsip_stack_listen(simnet_stack(l->server), "tls:10.0.0.9:5061", l->server_profile, NULL),
        0);
}

void lab_start_limited(struct lab *l, enum lab_cert server_cert, const secsip_stack_config *server)
{
    start_lab(l, server_cert, server, false);
}

void lab_start_clear(struct lab *l, const secsip_stack_config *server)
{
    start_lab(l, LAB_SERVER, server, true);
    assert_int_equal(
        secsip_stack_listen(simnet_stack(l->server), "insecure-udp:10.0.0.9:5060", NULL, NULL), 0);
}

void lab_phone(struct lab *l, struct phone *p, const char *user,
               const secsip_account_config *config)
{
    static const secsip_account_callbacks callbacks = {.size = sizeof callbacks,
                                                       .on_registration = on_registration,
                                                       .on_incoming_call = on_incoming_call};
    secsip_account_config c = config ? *config : (secsip_account_config){0};
    secsip_stack_config stack = {
        .size = sizeof stack, .log = print_log, .log_level = SECSIP_LOG_INFO, .trace = print_trace};
    char aor[64], pw[64];

    stack.user_data = strcmp(user, "alice") ? "bob" : "alice";
    snprintf(aor, sizeof aor, "sip:%s@example.test", user);
    snprintf(pw, sizeof pw, "%spw", user);
    p->host = simnet_host_new(l->net, strcmp(user, "alice") ? "10.0.0.2" : "10.0.0.1", &stack);
    simnet_stack(p->host)->ua.call_tap = note_cell;
    p->profile = lab_profile(LAB_N);
    c.size = sizeof c;
    c.aor = c.aor ? c.aor : aor;
    c.password = c.password ? c.password : pw;
    c.profile = c.profile ? c.profile : p->profile;
    assert_int_equal(secsip_account_new(simnet_stack(p->host), &c, &callbacks, p, &p->account), 0);
}

bool lab_both_registered(void *arg)
{
    const struct lab *l = arg;
    return l->alice.reg_state == SECSIP_REGISTRATION_REGISTERED &&
           l->bob.reg_state == SECSIP_REGISTRATION_REGISTERED;
}

bool lab_both_talking(void *arg)
{
    const struct lab *l = arg;
    return l->alice.call_state == SECSIP_CALL_ESTABLISHED &&
           l->bob.call_state == SECSIP_CALL_ESTABLISHED;
}

bool lab_both_ended(void *arg)
{
    const struct lab *l = arg;
    return l->alice.n_ended > 0 && l->bob.n_ended > 0;
}

secsip_media_stats lab_stats(const struct phone *p)
{
    secsip_media_stats s = {.size = sizeof s};

    assert_int_equal(secsip_call_get_stats(p->call, &s), 0);
    return s;
}

void lab_assert_speech(struct lab *l, uint64_t us)
{
    uint64_t before = lab_stats(&l->bob).rx;

    simnet_run(l->net, us, NULL, NULL);
    assert_int_equal(l->alice.n_ended + l->bob.n_ended, 0);
    assert_in_range(lab_stats(&l->bob).rx - before, us / 20000 - 5, us / 20000 + 5);
}

void lab_register(struct lab *l)
{
    assert_int_equal(secsip_account_register(l->alice.account), 0);
    assert_int_equal(secsip_account_register(l->bob.account), 0);
    assert_true(simnet_run(l->net, 5000000, lab_both_registered, l));
}

void lab_call(struct lab *l, struct phone *from, const char *target)
{
    (void)l;
    assert_int_equal(secsip_call_new(from->account, target, &call_callbacks, from, &from->call), 0);
}

static void stop_phone(struct phone *p)
{
    if (!p->host)
        return;
    secsip_call_unref(p->call);
    secsip_account_unref(p->account);
    simnet_host_free(p->host);
    secsip_tls_profile_unref(p->profile);
}

static bool all_idle(void *arg)
{
    const struct lab *l = arg;
    return (!l->alice.host || secsip_stack_is_idle(simnet_stack(l->alice.host))) &&
           (!l->bob.host || secsip_stack_is_idle(simnet_stack(l->bob.host)));
}

void lab_stop(struct lab *l)
{
    if (l->alice.host)
        secsip_stack_shutdown(simnet_stack(l->alice.host), 2000);
    if (l->bob.host)
        secsip_stack_shutdown(simnet_stack(l->bob.host), 2000);
    assert_true(simnet_run(l->net, 10000000, all_idle, l));
    simnet_run(l->net, 1000000, NULL, NULL);
    stop_phone(&l->alice);
    stop_phone(&l->bob);
    secsip_registrar_free(l->registrar);
    simnet_host_free(l->server);
    secsip_tls_profile_unref(l->server_profile);
    simnet_free(l->net);
    lab_close();
}
