/* One call of the demo, see scene.h. Part of: secsip-demo. A registrar and two phones, each a stack of its own behind
 * the engine door, on one wire with an eavesdropper. */
#include "scene.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "g711.h"
#include "loop.h"

enum {
    REGISTER_S = 15, /* longer than anything takes on loopback; a machine may be busy */
    CALL_S = 60,
    GOODBYE_MS = 5000,
    PICK_UP_US = 300000,
    PAUSE = 2400,       /* samples before, between and after the two sentences */
    RECORD_HEADER = 5,  /* TLS, RFC 8446 5.1 */
    RECORD_DATA = 0x17, /* application data */
    SMALLEST_MESSAGE =
        200, /* a SIP message is longer; a record of the handshake may look like data and is shorter */
};

static void fail(struct scene *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void fail(struct scene *s, const char *format, ...)
{
    va_list args;

    if (s->failed)
        return; /* the first reason is the one that counts */
    s->failed = true;
    va_start(args, format);
    vsnprintf(s->why, sizeof(s->why), format, args);
    va_end(args);
}

static double time_of(const struct scene *s)
{
    return (double)(loop_now_us() - s->began_us) / 1e6;
}

/* ---- The ladder: each message once, as its sender traces it */
/* "INVITE sip:bob@example.test", "200 OK (INVITE)". Free it; NULL when memory is out. */
static char *headline(const char *message)
{
    const char *end = strstr(message, "\r\n");
    const char *cseq = strstr(message, "\r\nCSeq: ");
    size_t len = end ? (size_t)(end - message) : strlen(message);
    char *line = NULL;
    int n;

    if (strncmp(message, "SIP/2.0 ", 8) != 0) {
        if (len > 8 && strncmp(message + len - 8, " SIP/2.0", 8) == 0)
            len -= 8;
        const char *parameters = memchr(message, ';', len);
        return strndup(message, parameters ? (size_t)(parameters - message) : len);
    }
    cseq = cseq ? strchr(cseq + 8, ' ') : NULL;
    if (!cseq)
        return strndup(message + 8, len - 8);
    n = asprintf(&line, "%.*s (%.*s)", (int)len - 8, message + 8, (int)strcspn(cseq + 1, "\r\n"),
                 cseq + 1);
    return n < 0 ? NULL : line;
}

static void trace(struct scene *s, enum report_lane lane, int32_t direction, const char *peer,
                  const char *message, size_t len)
{
    enum report_lane to;

    if (direction != SECSIP_TRACE_SENT || s->n_messages == SCENE_MESSAGES ||
        !wire_lane_of(peer, &to))
        return;
    char *text = strndup(message, len);
    char *line = text ? headline(text) : NULL;
    if (!line) {
        free(text);
        return;
    }
    s->messages[s->n_messages++] = (struct report_message){
        .time_s = time_of(s),
        .from = lane,
        .to = to,
        .encrypted = s->secure,
        .transport = s->secure ? "TLS" : "TCP",
        .line = line,
        .text = text,
    };
}

static void trace_phone(int32_t direction, const char *peer, const char *message, size_t len,
                        void *user_data)
{
    struct scene_phone *phone = user_data;

    trace(phone->scene, phone->lane, direction, peer, message, len);
}

static void trace_registrar(int32_t direction, const char *peer, const char *message, size_t len,
                            void *user_data)
{
    trace(user_data, REPORT_REGISTRAR, direction, peer, message, len);
}

/* The last record of data that is long enough for a message, or what passed in clear. */
static const uint8_t *find_message(const struct scene *s, const struct wire_bytes *b,
                                   size_t *ret_len)
{
    const uint8_t *found = NULL;

    if (!s->secure) {
        *ret_len = b->len;
        return b->data;
    }
    for (size_t at = 0; b->len - at >= RECORD_HEADER;) {
        size_t len = RECORD_HEADER + ((size_t)b->data[at + 3] << 8 | b->data[at + 4]);
        if (b->data[at] == RECORD_DATA && len >= SMALLEST_MESSAGE) {
            found = b->data + at;
            *ret_len = len < b->len - at ? len : b->len - at;
        }
        if (len > b->len - at)
            break;
        at += len;
    }
    return found;
}

/* The first of the messages that were traced and not yet seen on the wire now has its bytes. */
static void remember_bytes(struct scene *s, const struct wire_bytes *b)
{
    size_t len = 0;
    const uint8_t *data = find_message(s, b, &len);

    for (size_t i = 0; data && i < s->n_messages; i++) {
        struct report_message *m = &s->messages[i];
        if (m->wire || m->from != b->from || m->to != b->to)
            continue;
        m->wire_len = len < SCENE_PEEK ? len : SCENE_PEEK;
        uint8_t *copy = malloc(m->wire_len);
        if (copy)
            memcpy(copy, data, m->wire_len);
        else
            m->wire_len = 0;
        m->wire = copy;
        return;
    }
}

static void on_wire(const struct wire_bytes *bytes, void *arg)
{
    struct scene *s = arg;

    spy_see(&s->spy, bytes);
    pcap_write(&s->pcap, bytes);
    if (bytes->stream) {
        remember_bytes(s, bytes);
    } else if (s->media_peek_len == 0) {
        s->media_us = loop_now_us();
        s->media_peek_len = bytes->len < SCENE_PEEK ? bytes->len : SCENE_PEEK;
        memcpy(s->media_peek, bytes->data, s->media_peek_len);
    }
}

/* ---- The phones */
static void keep_tls(struct scene_tls *to, const secsip_tls_info *tls)
{
    snprintf(to->version, sizeof(to->version), "%s", tls ? tls->version : "");
    snprintf(to->cipher, sizeof(to->cipher), "%s", tls ? tls->cipher : "");
    snprintf(to->peer, sizeof(to->peer), "%s", tls ? tls->peer : "");
    to->verified = tls && tls->verified;
}

static const char *name_of(const struct scene_phone *phone)
{
    return phone->lane == REPORT_ALICE ? "Alice" : "Bob";
}

static void on_registration(secsip_account *account, const secsip_registration_event *event,
                            void *user_data)
{
    struct scene_phone *phone = user_data;

    (void)account;
    if (event->state == SECSIP_REGISTRATION_REGISTERED) {
        phone->registered = true;
        keep_tls(&phone->tls, event->tls);
    } else if (event->state == SECSIP_REGISTRATION_FAILED) {
        fail(phone->scene, "%s could not register: %s", name_of(phone),
             event->error ? event->error->text : "no reason was given");
    }
}

static void on_state(secsip_call *call, const secsip_call_event *event, void *user_data)
{
    struct scene_phone *phone = user_data;

    if (event->state != SECSIP_CALL_ENDED)
        return;
    phone->ended = true;
    phone->stats.size = sizeof(phone->stats);
    if (secsip_call_get_stats(call, &phone->stats) < 0)
        fail(phone->scene, "%s's counts are not to be had", name_of(phone));
    if (event->error || !phone->has_media)
        fail(phone->scene, "%s's call failed: %s", name_of(phone),
             event->error ? event->error->text : event->reason);
}

static void on_media(secsip_call *call, const secsip_media_info *media, void *user_data)
{
    struct scene_phone *phone = user_data;

    (void)call;
    snprintf(phone->suite, sizeof(phone->suite), "%s", media->suite);
    snprintf(phone->profile, sizeof(phone->profile), "%s", media->profile);
    snprintf(phone->codec, sizeof(phone->codec), "%s", media->codec);
    phone->said = phone->rounded[strcmp(media->codec, "PCMA") == 0];
    phone->has_media = true;
}

static void on_security(secsip_call *call, const secsip_security_info *security, void *user_data)
{
    struct scene_phone *phone = user_data;

    (void)call;
    snprintf(phone->level, sizeof(phone->level), "%s", security->level_name);
}

static void on_audio(secsip_call *call, const int16_t *samples, size_t n_samples,
                     uint32_t timestamp, void *user_data)
{
    struct scene_phone *phone = user_data;

    (void)call;
    recorder_put(&phone->heard, samples, n_samples, timestamp);
}

static void on_audio_wanted(secsip_call *call, int16_t *samples, size_t n_samples, void *user_data)
{
    struct scene_phone *phone = user_data;

    (void)call;
    for (size_t i = 0; i < n_samples; i++, phone->at++)
        if (phone->said && phone->at >= phone->starts_at &&
            phone->at - phone->starts_at < phone->speech->n)
            samples[i] = phone->said[phone->at - phone->starts_at];
}

static const secsip_call_callbacks call_callbacks = {
    .size = sizeof(call_callbacks),
    .on_state = on_state,
    .on_media = on_media,
    .on_security = on_security,
    .on_audio = on_audio,
    .on_audio_wanted = on_audio_wanted,
};

static void on_incoming_call(secsip_account *account, secsip_call *call, void *user_data)
{
    struct scene_phone *phone = user_data;
    struct scene *s = phone->scene;

    (void)account;
    if (phone != &s->bob || phone->call) {
        secsip_call_reject(call, 486);
        return;
    }
    phone->call = secsip_call_ref(call);
    if (secsip_call_set_callbacks(call, &call_callbacks, phone) < 0 || secsip_call_ring(call) < 0)
        fail(s, "Bob's phone does not ring");
    s->answer_due = true;
    s->answer_us = loop_now_us() + PICK_UP_US;
}

/* ---- Set-up */
static bool check(struct scene *s, const char *what, secsip_result r)
{
    if (r < 0)
        fail(s, "%s: %s", what, secsip_result_text(r));
    return r >= 0;
}

/* Everybody's password is his name: nobody but this process ever asks. */
static secsip_result give_password(const char *user, char *password, size_t cap, void *user_data)
{
    (void)user_data;
    if (strcmp(user, "alice") != 0 && strcmp(user, "bob") != 0)
        return SECSIP_E_NOT_FOUND;
    snprintf(password, cap, "%s", user);
    return SECSIP_OK;
}

static bool new_registrar(struct scene *s)
{
    secsip_registrar_config config = {
        .size = sizeof(config),
        .domain = SCENE_DOMAIN,
        .password = give_password,
        .insecure_transport = !s->secure,
    };

    return check(s, "the registrar",
                 secsip_registrar_new(s->registrar_stack, &config, &s->registrar));
}

static bool start_registrar(struct scene *s, uint16_t *ret_port)
{
    secsip_stack_config config = {
        .size = sizeof(config),
        .user_agent = "libsecsip demo registrar",
        .trace = trace_registrar,
        .user_data = s,
    };
    secsip_tls_profile *profile = NULL;
    char address[64];
    const struct certs *c = s->certs;

    snprintf(address, sizeof(address), "%s:%s:0", s->secure ? "tls" : "insecure-tcp",
             wire_address(REPORT_REGISTRAR));
    bool ok = check(s, "the registrar's stack",
                    wire_add_stack(s->wire, REPORT_REGISTRAR, &config, &s->registrar_stack)) &&
              check(s, "the registrar's TLS", secsip_tls_profile_new(&profile)) &&
              check(s, "the registrar's certificate",
                    secsip_tls_profile_set_identity_pem(profile, c->server, strlen(c->server),
                                                        c->server_key, strlen(c->server_key))) &&
              new_registrar(s) &&
              check(s, "the registrar's port",
                    secsip_stack_listen(s->registrar_stack, address, s->secure ? profile : NULL,
                                        ret_port));
    secsip_tls_profile_unref(profile);
    return ok;
}

static bool start_account(struct scene_phone *phone, const char *user, uint16_t port,
                          secsip_tls_profile *profile)
{
    struct scene *s = phone->scene;
    secsip_account_callbacks callbacks = {
        .size = sizeof(callbacks),
        .on_registration = on_registration,
        .on_incoming_call = on_incoming_call,
    };
    char aor[64], proxy[96];

    snprintf(aor, sizeof(aor), "sip:%s@" SCENE_DOMAIN, user);
    snprintf(proxy, sizeof(proxy), "sip:" SCENE_DOMAIN ":%u;transport=%s", port,
             s->secure ? "tls" : "tcp");
    secsip_account_config config = {
        .size = sizeof(config),
        .aor = aor,
        .display_name = name_of(phone),
        .password = user,
        .proxy = proxy,
        .profile = profile,
        .media_security =
            s->secure ? SECSIP_MEDIA_SECURITY_MANDATORY : SECSIP_MEDIA_SECURITY_INSECURE_CLEAR,
        .insecure_transport = !s->secure,
    };
    return check(s, "the account",
                 secsip_account_new(phone->stack, &config, &callbacks, phone, &phone->account)) &&
           check(s, "the registration", secsip_account_register(phone->account));
}

/* Before the call: it takes a while. */
static bool round_speech(struct scene_phone *phone)
{
    static const int types[] = {G711_PCMU, G711_PCMA};

    for (int t = 0; t < 2; t++) {
        phone->rounded[t] = calloc(phone->speech->n, sizeof(int16_t));
        if (!phone->rounded[t])
            return false;
        for (size_t i = 0; i < phone->speech->n; i++)
            phone->rounded[t][i] = g711_round(types[t], phone->speech->samples[i]);
    }
    return true;
}

static bool start_phone(struct scene *s, struct scene_phone *phone, const char *user, uint16_t port)
{
    secsip_stack_config config = {
        .size = sizeof(config),
        .user_agent = "libsecsip demo phone",
        .trace = trace_phone,
        .user_data = phone,
    };
    secsip_tls_profile *profile = NULL;

    bool ok = check(s, "the phone's stack",
                    wire_add_stack(s->wire, phone->lane, &config, &phone->stack)) &&
              check(s, "the phone's TLS", secsip_tls_profile_new(&profile)) &&
              check(s, "the authority",
                    secsip_tls_profile_add_trust_pem(profile, s->certs->authority,
                                                     strlen(s->certs->authority))) &&
              start_account(phone, user, port, profile);
    secsip_tls_profile_unref(profile);
    return ok;
}

/* ---- The call */
static void step(struct scene *s, uint64_t until_us)
{
    if (!wire_step(s->wire, until_us))
        fail(s, "the system refused to wait for the sockets");
}

static void wait_registered(struct scene *s)
{
    uint64_t until_us = loop_now_us() + REGISTER_S * UINT64_C(1000000);

    while (!s->failed && !(s->alice.registered && s->bob.registered)) {
        step(s, until_us);
        if (loop_now_us() >= until_us)
            fail(s, "the phones did not register within %d s", REGISTER_S);
    }
}

static void talk(struct scene *s)
{
    uint64_t until_us = loop_now_us() + CALL_S * UINT64_C(1000000);
    bool hung_up = false;

    while (!s->failed && !(s->alice.ended && s->bob.ended)) {
        step(s, s->answer_due ? s->answer_us : until_us);
        if (s->answer_due && loop_now_us() >= s->answer_us) {
            s->answer_due = false;
            check(s, "Bob's answer", secsip_call_answer(s->bob.call));
        }
        if (!hung_up && s->alice.at >= s->total && s->bob.at >= s->total) {
            hung_up = true;
            secsip_call_hangup(s->alice.call);
        }
        if (loop_now_us() >= until_us)
            fail(s, "the call did not end within %d s", CALL_S);
    }
}

/* Ends what these stacks have, in whatever state it is. */
static void end_stacks(struct scene *s, secsip_stack *const *stacks, size_t n)
{
    uint64_t until_us = loop_now_us() + (GOODBYE_MS + 1000) * UINT64_C(1000);
    bool idle = false;

    for (size_t i = 0; i < n; i++)
        if (stacks[i])
            secsip_stack_shutdown(stacks[i], GOODBYE_MS);
    while (!idle && loop_now_us() < until_us && wire_step(s->wire, loop_now_us() + 10000)) {
        idle = true;
        for (size_t i = 0; i < n; i++)
            idle = idle && (!stacks[i] || secsip_stack_is_idle(stacks[i]));
    }
}

/* The phones first, while there is a registrar to unregister from. */
static void say_goodbye(struct scene *s)
{
    secsip_stack *phones[] = {s->alice.stack, s->bob.stack};

    end_stacks(s, phones, 2);
    end_stacks(s, &s->registrar_stack, 1);
}

bool scene_run(struct scene *s, bool secure, const struct certs *certs, const struct wav *speech,
               const struct wav *answer, const char *pcap_path)
{
    uint16_t port = 0;

    *s = (struct scene){.secure = secure, .certs = certs};
    s->alice = (struct scene_phone){
        .scene = s, .lane = REPORT_ALICE, .speech = speech, .starts_at = PAUSE};
    s->bob = (struct scene_phone){
        .scene = s, .lane = REPORT_BOB, .speech = answer, .starts_at = 2 * PAUSE + speech->n};
    s->total = 3 * PAUSE + speech->n + answer->n;
    s->wire = wire_new(on_wire, s);
    if (!s->wire || !round_speech(&s->alice) || !round_speech(&s->bob))
        return check(s, "the wire", SECSIP_E_NOMEM);
    s->began_us = loop_now_us();
    if (!pcap_open(&s->pcap, pcap_path))
        fail(s, "%s: %s", pcap_path, strerror(errno));
    wire_set_name(s->wire, SCENE_DOMAIN);
    if (!s->failed && start_registrar(s, &port) && start_phone(s, &s->alice, "alice", port) &&
        start_phone(s, &s->bob, "bob", port))
        wait_registered(s);
    if (!s->failed && check(s, "the call",
                            secsip_call_new(s->alice.account, "sip:bob@" SCENE_DOMAIN,
                                            &call_callbacks, &s->alice, &s->alice.call)))
        talk(s);
    say_goodbye(s);
    if (!pcap_close(&s->pcap))
        fail(s, "%s: it could not be written", pcap_path);
    if (s->spy.failed || s->alice.heard.failed || s->bob.heard.failed)
        fail(s, "there is not enough memory for the recordings");
    return !s->failed;
}

static void free_phone(struct scene *s, struct scene_phone *phone)
{
    secsip_call_unref(phone->call);
    secsip_account_unref(phone->account);
    if (s->wire)
        wire_remove_stack(s->wire, phone->lane);
    secsip_stack_unref(phone->stack);
    recorder_free(&phone->heard);
    free(phone->rounded[0]);
    free(phone->rounded[1]);
}

void scene_free(struct scene *s)
{
    free_phone(s, &s->alice);
    free_phone(s, &s->bob);
    secsip_registrar_free(s->registrar);
    if (s->wire)
        wire_remove_stack(s->wire, REPORT_REGISTRAR);
    secsip_stack_unref(s->registrar_stack);
    wire_free(s->wire);
    pcap_close(&s->pcap);
    spy_free(&s->spy);
    for (size_t i = 0; i < s->n_messages; i++) {
        free((void *)s->messages[i].line);
        free((void *)s->messages[i].text);
        free((void *)s->messages[i].wire);
    }
    *s = (struct scene){0};
}
