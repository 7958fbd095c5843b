/* The events of secsip-phone, see events.h. Part of: secsip-phone. */
#include "events.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- Pieces */
static bool is_tls(const secsip_tls_info *tls)
{
    return tls && tls->version[0] != '\0';
}

static void put_tls(struct json *j, const char *key, const secsip_tls_info *tls)
{
    static const struct {
        uint32_t bit;
        const char *name;
    } names[] = {
        {SECSIP_TLS_ALLOW_WILDCARD, "allow-wildcard"},
        {SECSIP_TLS_ALLOW_CN, "allow-cn"},
        {SECSIP_TLS_ALLOW_EXPIRED, "allow-expired"},
        {SECSIP_TLS_INSECURE_SELF_SIGNED, "insecure-self-signed"},
        {SECSIP_TLS_INSECURE_ANY, "insecure-any"},
        {SECSIP_TLS_ALLOW_KNOWN_KEY, "allow-known-key"},
        {SECSIP_TLS_INSECURE_FIRST_USE, "insecure-first-use"},
        {SECSIP_TLS_INSECURE_DECISION, "insecure-decision"},
    };

    if (!is_tls(tls)) {
        json_null(j, key);
        return;
    }
    json_object(j, key);
    json_string(j, "version", tls->version);
    json_string(j, "cipher", tls->cipher);
    json_string(j, "peer", tls->peer);
    json_bool(j, "verified", tls->verified != 0);
    json_bool(j, "resumed", tls->resumed != 0);
    json_array(j, "relaxed");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (tls->relaxed & names[i].bit)
            json_string(j, NULL, names[i].name);
    json_end_array(j);
    json_end_object(j);
}

static void put_error(struct json *j, const secsip_error *error)
{
    if (!error) {
        json_null(j, "error");
        return;
    }
    json_object(j, "error");
    json_string(j, "name", secsip_result_name(error->result));
    json_string(j, "text", error->text);
    json_string(j, "check", error->check);
    json_string(j, "expected", error->expected);
    json_string(j, "found", error->found);
    json_string(j, "peer", error->peer);
    json_string(j, "certificate", error->certificate);
    json_end_object(j);
}

static void say_error(const secsip_error *error)
{
    if (!error)
        return;
    printf("  %s: %s\n", secsip_result_name(error->result), error->text);
    if (error->check[0])
        printf("  check: %s, expected: %s, found: %s\n", error->check, error->expected,
               error->found);
}

static void say_tls(const secsip_tls_info *tls, const char *transport)
{
    if (is_tls(tls))
        printf("%s, %s, peer %s, %s", tls->version, tls->cipher, tls->peer,
               tls->verified  ? "verified"
               : tls->relaxed ? "accepted only by --tls-option"
                              : "not verified");
    else
        printf("%s in clear", transport);
}

static void begin(struct events *e, const char *event)
{
    json_object(&e->line, NULL);
    json_string(&e->line, "event", event);
}

static void end(struct events *e)
{
    json_end_object(&e->line);
    json_line(&e->line, stdout);
}

/* ---- Registration */
static void say_registration(const char *aor, const secsip_registration_event *event)
{
    if (event->state == SECSIP_REGISTRATION_REGISTERED) {
        printf("registered: %s for %" PRIu32 " s over ", aor, event->expires_s);
        say_tls(event->tls, event->transport);
        printf("\n");
    } else if (event->state == SECSIP_REGISTRATION_FAILED) {
        printf("registration failed: %s, status %" PRId32, aor, event->status);
        if (event->retry_ms)
            printf(", tried again in %" PRIu32 " s", (event->retry_ms + 999) / 1000);
        printf("\n");
        say_error(event->error);
    } else {
        printf("unregistered: %s\n", aor);
    }
    fflush(stdout);
}

void events_registration(struct events *e, const char *aor, const secsip_registration_event *event)
{
    struct json *j = &e->line;
    bool failed = event->state == SECSIP_REGISTRATION_FAILED;
    bool registered = event->state == SECSIP_REGISTRATION_REGISTERED;

    if (!failed && !registered && event->state != SECSIP_REGISTRATION_UNREGISTERED)
        return;
    if (!e->as_json) {
        say_registration(aor, event);
        return;
    }
    begin(e, registered ? "registered" : failed ? "register-failed" : "unregistered");
    json_string(j, "account", aor);
    if (registered) {
        json_string(j, "transport", event->transport);
        put_tls(j, "tls", event->tls);
        json_uint(j, "expires", event->expires_s);
    } else if (failed) {
        json_int(j, "status", event->status);
        json_uint(j, "retry_ms", event->retry_ms);
        put_error(j, event->error);
    }
    json_uint(j, "flow", event->flow);
    json_uint(j, "flows_registered", event->flows_registered);
    end(e);
}

/* ---- Calls */
static const char *state_name(int32_t state)
{
    static const char *const names[] = {"incoming", "calling",     "ringing",
                                        "early",    "established", "ended"};

    return state >= 0 && state <= SECSIP_CALL_ENDED ? names[state] : "unknown";
}

void events_call(struct events *e, const secsip_call *call, const secsip_call_event *event)
{
    struct json *j = &e->line;

    if (e->as_json) {
        begin(e, "call");
        json_string(j, "state", state_name(event->state));
        json_string(j, "call_id", secsip_call_get_id(call));
        json_string(j, "remote", secsip_call_get_remote_uri(call));
        json_int(j, "status", event->status);
        json_string(j, "reason", event->reason);
        put_error(j, event->error);
        end(e);
        return;
    }
    printf("call %s: %s", state_name(event->state), secsip_call_get_remote_uri(call));
    if (event->status)
        printf(", %" PRId32 " %s\n", event->status, event->reason);
    else
        printf("%s%s\n", event->reason[0] ? ", " : "", event->reason);
    say_error(event->error);
    fflush(stdout);
}

void events_media(struct events *e, const secsip_media_info *media)
{
    static const char *const quirks[] = {"tag", "profile", "spelling",
                                         "padding"}; /* SECSIP_SDES_QUIRK_TAG, ... */
    struct json *j = &e->line;

    if (e->as_json) {
        begin(e, "media");
        json_string(j, "keying", media->keying);
        json_string(j, "suite", media->suite);
        json_string(j, "profile", media->profile);
        json_string(j, "codec", media->codec);
        json_string(j, "direction", media->direction);
        json_string(j, "local", media->local);
        json_string(j, "remote", media->remote);
        json_array(j, "quirks");
        for (size_t i = 0; i < sizeof(quirks) / sizeof(*quirks); i++)
            if (media->quirks & 1U << i)
                json_string(j, NULL, quirks[i]);
        json_end_array(j);
        end(e);
        return;
    }
    printf("media: %s %s%s%s, %s, %s, %s to %s\n", media->profile, media->keying,
           media->suite[0] ? " " : "", media->suite, media->codec, media->direction, media->local,
           media->remote);
    fflush(stdout);
}

void events_security(struct events *e, const secsip_security_info *security)
{
    static const char *const required[] = {"mandatory", "optional", "off"};
    struct json *j = &e->line;

    if (e->as_json) {
        begin(e, "security");
        json_string(j, "level", security->level_name);
        json_string(j, "required",
                    security->required >= 0 && security->required <= 2
                        ? required[security->required]
                        : NULL);
        json_string(j, "transport", security->transport);
        put_tls(j, "signalling", security->tls);
        json_object(j, "media");
        json_string(j, "keying", security->keying);
        json_string(j, "suite", security->suite);
        json_end_object(j);
        json_bool(j, "end_to_end", security->end_to_end != 0);
        end(e);
        return;
    }
    printf("security: %s; signalling: ", security->level_name);
    say_tls(security->tls, security->transport);
    printf("; media: %s %s; %s\n", security->keying, security->suite,
           security->end_to_end ? "end to end" : "hop by hop");
    fflush(stdout);
}

void events_stats(struct events *e, const secsip_media_stats *stats)
{
    const struct {
        const char *name;
        uint64_t value;
    } counts[] = {
        {"tx", stats->tx},
        {"rx", stats->rx},
        {"lost", stats->lost},
        {"auth_failed", stats->auth_failed},
        {"replayed", stats->replayed},
        {"clear_dropped", stats->clear_dropped},
        {"malformed", stats->malformed},
        {"rtcp_tx", stats->rtcp_tx},
        {"rtcp_rx", stats->rtcp_rx},
        {"jitter_us", stats->jitter_us},
    };

    if (e->as_json)
        begin(e, "stats");
    else
        printf("stats:");
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        if (e->as_json)
            json_uint(&e->line, counts[i].name, counts[i].value);
        else
            printf(" %s %" PRIu64, counts[i].name, counts[i].value);
    }
    if (e->as_json) {
        end(e);
    } else {
        printf("\n");
        fflush(stdout);
    }
}
