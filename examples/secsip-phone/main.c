/* secsip-phone: registers, calls or answers, plays and records; see --help. Part of: examples.
 * One stack, one account, one call at a time. `struct phone` owns them all; close_phone() gives them back. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <secsip/secsip.h>

#include "events.h"
#include "loop.h"
#include "options.h"
#include "recorder.h"
#include "settings.h"
#include "wav.h"

enum {
    GOODBYE_MS = 4000 /* for hanging up and unregistering; a second signal cuts it short */
};

struct phone {
    struct settings settings;
    struct events events;
    secsip_tls_profile *profile;
    secsip_stack *stack;
    secsip_account *account;
    secsip_call *call;
    struct wav play;
    size_t play_at;
    struct recorder record;
    int keylog;
    FILE *trace;
    uint64_t until_us; /* when --wait or --duration ends */
    bool registered;   /* it was, once */
    uint32_t refused;  /* a bit for each --proxy over which it is not; the first is bit 0 */
    bool established;  /* the call was */
    bool hung_up;      /* by us, on time */
    bool over;         /* nothing is left to wait for */
    bool failed;
};

/* ---- The call */
static void on_state(secsip_call *call, const secsip_call_event *event, void *user_data)
{
    struct phone *phone = user_data;
    secsip_media_stats stats = {.size = sizeof(stats)};

    if (event->state == SECSIP_CALL_ESTABLISHED && !phone->established) {
        phone->established = true;
        phone->until_us = phone->settings.duration_ms
                              ? loop_now_us() + (uint64_t)phone->settings.duration_ms * 1000
                              : LOOP_FOREVER;
    }
    if (event->state == SECSIP_CALL_ENDED && secsip_call_get_stats(call, &stats) == 0)
        events_stats(&phone->events, &stats);
    events_call(&phone->events, call, event);
    if (event->state == SECSIP_CALL_ENDED) {
        phone->over = true;
        if (!ferror(stdout) && (!phone->established || event->error)) {
            options_refuse("the call failed: %s",
                           event->error ? event->error->text : event->reason);
            phone->failed = true;
        }
    }
}

static void on_media(secsip_call *call, const secsip_media_info *media, void *user_data)
{
    struct phone *phone = user_data;

    (void)call;
    events_media(&phone->events, media);
}

static void on_security(secsip_call *call, const secsip_security_info *security, void *user_data)
{
    struct phone *phone = user_data;

    (void)call;
    events_security(&phone->events, security);
}

static void on_audio(secsip_call *call, const int16_t *samples, size_t n_samples,
                     uint32_t timestamp, void *user_data)
{
    struct phone *phone = user_data;

    (void)call;
    if (phone->settings.record)
        recorder_put(&phone->record, samples, n_samples, timestamp);
}

static void on_audio_wanted(secsip_call *call, int16_t *samples, size_t n_samples, void *user_data)
{
    struct phone *phone = user_data;

    (void)call;
    for (size_t i = 0; i < n_samples; i++) {
        if (phone->play_at >= phone->play.n) {
            if (!phone->settings.loop || phone->play.n == 0)
                return; /* the rest is silence already */
            phone->play_at = 0;
        }
        samples[i] = phone->play.samples[phone->play_at++];
    }
}

static const secsip_call_callbacks call_callbacks = {
    .size = sizeof(call_callbacks),
    .on_state = on_state,
    .on_media = on_media,
    .on_security = on_security,
    .on_audio = on_audio,
    .on_audio_wanted = on_audio_wanted,
};

static void begin_call(struct phone *phone)
{
    secsip_result r =
        secsip_call_new(phone->account, phone->settings.call, &call_callbacks, phone, &phone->call);

    if (r < 0) {
        options_refuse("--call %s: %s", phone->settings.call, secsip_result_text(r));
        phone->failed = phone->over = true;
    }
}

/* ---- The account */
/* Over every one of the proxies. */
static bool is_refused_everywhere(struct phone *phone, const secsip_registration_event *event)
{
    uint32_t bit = event->flow > 0 ? 1U << (event->flow - 1) : 1U;
    uint32_t all = 1U;

    for (const char *p = phone->settings.proxy; p && (p = strchr(p, ',')); p++)
        all = all << 1 | 1U;
    if (event->state == SECSIP_REGISTRATION_FAILED)
        phone->refused |= bit;
    else
        phone->refused &= ~bit;
    return (phone->refused & all) == all;
}

static void on_registration(secsip_account *account, const secsip_registration_event *event,
                            void *user_data)
{
    struct phone *phone = user_data;
    bool nowhere = is_refused_everywhere(phone, event);

    if (event->state != SECSIP_REGISTRATION_UNREGISTERED || phone->registered)
        events_registration(&phone->events, secsip_account_get_aor(account), event);
    if (event->state == SECSIP_REGISTRATION_REGISTERED && !phone->registered) {
        phone->registered = true;
        if (phone->settings.call)
            begin_call(phone);
        else if (!phone->settings.answer)
            phone->until_us = phone->settings.duration_ms
                                  ? loop_now_us() + (uint64_t)phone->settings.duration_ms * 1000
                                  : LOOP_FOREVER;
    }
    if (event->state != SECSIP_REGISTRATION_FAILED)
        return;
    options_refuse("the registration failed: %s", event->error ? event->error->text : "");
    if (nowhere && (!phone->registered || !event->retry_ms) && !phone->call)
        phone->failed = phone->over = true;
}

static void on_incoming_call(secsip_account *account, secsip_call *call, void *user_data)
{
    struct phone *phone = user_data;
    secsip_call_event event = {.size = sizeof(event), .state = SECSIP_CALL_INCOMING, .reason = ""};

    (void)account;
    if (!phone->settings.answer || phone->call) {
        secsip_call_reject(call, 486); /* Busy Here */
        return;
    }
    phone->call = secsip_call_ref(call);
    events_call(&phone->events, call, &event);
    secsip_result r = secsip_call_set_callbacks(call, &call_callbacks, phone);
    if (r >= 0)
        r = secsip_call_answer(call);
    if (r < 0) {
        options_refuse("the call cannot be answered: %s", secsip_result_text(r));
        secsip_call_reject(call, 500);
        phone->failed = phone->over = true;
    }
}

/* ---- Set-up */
static void on_log(int32_t level, const char *text, void *user_data)
{
    (void)level;
    (void)user_data;
    fprintf(stderr, "secsip: %s\n", text);
}

static void on_trace(int32_t direction, const char *peer, const char *message, size_t len,
                     void *user_data)
{
    struct phone *phone = user_data;

    fprintf(phone->trace, "%s %s\n", direction == SECSIP_TRACE_SENT ? "-->" : "<--", peer);
    fwrite(message, 1, len, phone->trace);
    fputs("\n", phone->trace);
    fflush(phone->trace);
}

static void on_keylog(const char *line, size_t len, void *user_data)
{
    struct phone *phone = user_data;

    if (write(phone->keylog, line, len) != (ssize_t)len || write(phone->keylog, "\n", 1) != 1)
        options_refuse("%s: %s", phone->settings.keylog, strerror(errno));
}

/* A file of secrets: nobody else may read it, also where it was there before. */
static bool open_keylog(struct phone *phone)
{
    phone->keylog =
        open(phone->settings.keylog, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    return phone->keylog >= 0 && fchmod(phone->keylog, 0600) == 0;
}

static FILE *open_trace(const char *path)
{
    return strcmp(path, "-") == 0 ? stderr : fopen(path, "w");
}

static int open_files(struct phone *phone)
{
    const struct settings *s = &phone->settings;
    const char *why = NULL;

    if (s->play && !wav_read(s->play, &phone->play, &why))
        return options_refuse("--play %s: %s", s->play, why);
    if (s->record && !wav_write(s->record, NULL, 0)) /* better now than after the call */
        return options_refuse("--record %s: %s", s->record, strerror(errno));
    if (s->keylog && !open_keylog(phone))
        return options_refuse("--keylog %s: %s", s->keylog, strerror(errno));
    if (s->trace && !(phone->trace = open_trace(s->trace)))
        return options_refuse("--trace %s: %s", s->trace, strerror(errno));
    return EXIT_YES;
}

static int refuse_profile(const struct phone *phone, const char *option, secsip_result r)
{
    const secsip_error *error = secsip_tls_profile_error(phone->profile);

    return options_refuse("%s: %s", option, error->text[0] ? error->text : secsip_result_text(r));
}

static int make_profile(struct phone *phone)
{
    const struct settings *s = &phone->settings;
    secsip_result r = secsip_tls_profile_new(&phone->profile);

    if (r < 0)
        return options_refuse("%s", secsip_result_text(r));
    if (s->ca && (r = secsip_tls_profile_add_trust_file(phone->profile, s->ca)) < 0)
        return refuse_profile(phone, "--ca", r);
    if (s->cert && (r = secsip_tls_profile_set_identity_file(phone->profile, s->cert, s->key)) < 0)
        return refuse_profile(phone, "--cert and --key", r);
    if ((r = secsip_tls_profile_set_options(phone->profile, s->tls_options)) < 0)
        return refuse_profile(phone, "--tls-option", r);
    if (s->known_keys && (r = secsip_tls_profile_set_known_keys_file(
                              phone->profile,
                              s->first_use ? SECSIP_TLS_KNOWN_KEYS_INSECURE_INSTEAD_OF_CHAIN
                                           : SECSIP_TLS_KNOWN_KEYS_BESIDE_CHAIN,
                              s->known_keys)) < 0)
        return refuse_profile(phone, "--known-keys", r);
    if (s->keylog && (r = secsip_tls_profile_set_keylog(phone->profile, on_keylog, phone)) < 0)
        return refuse_profile(phone, "--keylog", r);
    return EXIT_YES;
}

static int make_account(struct phone *phone)
{
    const struct settings *s = &phone->settings;
    secsip_stack_config stack_config = {
        .size = sizeof(stack_config),
        .user_agent = "secsip-phone",
        .log = on_log,
        .log_level = s->verbose ? SECSIP_LOG_DEBUG : SECSIP_LOG_ERROR,
        .trace = s->trace ? on_trace : NULL,
        .user_data = phone,
        .dns_servers = s->dns_servers,
    };
    secsip_account_config config = {
        .size = sizeof(config),
        .aor = s->account,
        .display_name = s->display_name,
        .auth_user = s->auth_user,
        .password = s->password,
        .proxy = s->proxy,
        .instance = s->instance,
        .profile = phone->profile,
        .expires_s = s->expires_s,
        .media_security = s->media_security,
        .suites = s->suites,
        .sdes_style = s->sdes_style,
        .sdes_options = s->sdes_options,
        .key_lifetime = s->key_lifetime,
        .insecure_transport = s->insecure_transport,
    };
    secsip_account_callbacks callbacks = {
        .size = sizeof(callbacks),
        .on_registration = on_registration,
        .on_incoming_call = on_incoming_call,
    };
    secsip_result r = secsip_stack_new(&stack_config, &phone->stack);

    if (r < 0)
        return options_refuse("the stack: %s", secsip_result_text(r));
    secsip_tls_profile *own = s->listen && settings_listens_in_clear(s) ? NULL : phone->profile;
    if (s->listen && (r = secsip_stack_listen(phone->stack, s->listen, own, NULL)) < 0)
        return options_refuse("--listen %s: %s", s->listen, secsip_result_text(r));
    r = secsip_account_new(phone->stack, &config, &callbacks, phone, &phone->account);
    if (r < 0)
        return options_refuse("the account %s%s%s%s%s: %s", s->account,
                              s->proxy ? " with --proxy " : "", s->proxy ? s->proxy : "",
                              s->instance ? " and --instance " : "", s->instance ? s->instance : "",
                              secsip_result_text(r));
    return EXIT_YES;
}

static int open_phone(struct phone *phone)
{
    int code = open_files(phone);

    if (code == EXIT_YES)
        code = make_profile(phone);
    if (code == EXIT_YES)
        code = make_account(phone);
    if (code == EXIT_YES && !loop_init())
        code = options_refuse("signals: %s", strerror(errno));
    return code;
}

static void close_phone(struct phone *phone)
{
    secsip_call_unref(phone->call);
    secsip_account_unref(phone->account);
    secsip_stack_unref(phone->stack);
    secsip_tls_profile_unref(phone->profile);
    if (phone->keylog >= 0)
        close(phone->keylog);
    if (phone->trace && phone->trace != stderr)
        fclose(phone->trace);
    json_free(&phone->events.line);
    recorder_free(&phone->record);
    wav_free(&phone->play);
    settings_free(&phone->settings);
}

/* ---- Running */
static void time_is_up(struct phone *phone)
{
    phone->until_us = LOOP_FOREVER;
    if (phone->established && !phone->hung_up) {
        phone->hung_up = true;
        secsip_call_hangup(phone->call); /* ENDED follows */
        return;
    }
    phone->over = true;
    if (phone->settings.call || phone->settings.answer || !phone->registered) {
        options_refuse("no %s within --wait",
                       phone->settings.register_ && !phone->registered ? "registration" : "call");
        phone->failed = true;
    }
}

/* What a signal leaves undone is a failure. */
static bool is_unfinished(const struct phone *phone)
{
    if (phone->settings.call)
        return !phone->established;
    return phone->settings.register_ && !phone->registered;
}

/* Hangs up and unregisters. A signal that comes on top of the `signals` before it cuts this short. */
static void say_goodbye(struct phone *phone, int signals)
{
    uint64_t until_us = loop_now_us() + (GOODBYE_MS + 500) * UINT64_C(1000);

    secsip_stack_shutdown(phone->stack, GOODBYE_MS);
    while (!secsip_stack_is_idle(phone->stack) && loop_now_us() < until_us) {
        int now = loop_step(phone->stack, until_us);
        if (now < 0 || now > signals)
            break;
    }
}

static bool run(struct phone *phone)
{
    int signals = 0;

    phone->until_us = phone->settings.wait_ms
                          ? loop_now_us() + (uint64_t)phone->settings.wait_ms * 1000
                          : LOOP_FOREVER;
    if (phone->settings.register_) {
        secsip_result r = secsip_account_register(phone->account);
        if (r < 0) {
            options_refuse("--register: %s", secsip_result_text(r));
            return false;
        }
    } else if (phone->settings.call) {
        begin_call(phone);
    }
    /* What nobody can be told is no reason to stay: options_end() says it. */
    while (!phone->over && signals == 0 && !ferror(stdout)) {
        signals = loop_step(phone->stack, phone->until_us);
        if (loop_now_us() >= phone->until_us)
            time_is_up(phone);
    }
    if (signals != 0 && is_unfinished(phone))
        phone->failed = true;
    say_goodbye(phone, signals > 0 ? signals : 0);
    return !phone->failed;
}

int main(int argc, char **argv)
{
    struct phone phone = {.keylog = -1};
    int code = options_begin();

    if (code != EXIT_YES)
        return code;
    code = settings_read(&phone.settings, argc, argv);
    phone.events.as_json = phone.settings.json;
    if (code < 0)
        code = open_phone(&phone);
    else
        phone.over = true;
    if (code == EXIT_YES && !phone.over) {
        code = run(&phone) ? EXIT_YES : EXIT_NO;
        if (phone.settings.record &&
            !wav_write(phone.settings.record, phone.record.samples, phone.record.n))
            code = options_refuse("--record %s: %s", phone.settings.record, strerror(errno));
    }
    close_phone(&phone);
    return options_end(code);
}
