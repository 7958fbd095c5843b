/* secsip-registrar: a registrar and proxy of one domain on the embedded one of the library. Part of: examples.
 * Runs until SIGINT or SIGTERM; a second one does not wait for the farewells. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <secsip/registrar.h>
#include <secsip/stack.h>
#include <secsip/tls.h>
#include <secsip/version.h>

#include "json.h"
#include "loop.h"
#include "options.h"
#include "users.h"

enum {
    MAX_LISTEN = 8,
    FAREWELL_MS = 2000,
};

struct options {
    const char *listen[MAX_LISTEN];
    size_t n_listen;
    const char *cert;
    const char *key;
    const char *domain;
    const char *users;
    const char *ca;
    uint32_t client_cert;
    uint32_t from;
    bool json;
    bool insecure; /* a listener in clear was asked for by name */
};

struct program {
    struct options options;
    struct users users;
    struct json json;
    secsip_tls_profile *profile;
    secsip_stack *stack;
    secsip_registrar *registrar;
    bool failed; /* stdout is gone */
};

static const char help[] =
    "usage: secsip-registrar --listen tls:HOST:PORT --cert FILE --key FILE --domain DOMAIN --users "
    "FILE [options]\n"
    "\n"
    "A registrar and proxy for one domain: digest authentication, bindings in memory, forking, "
    "record-routing.\n"
    "\n"
    "  --listen ADDRESS      tls:HOST:PORT with a numeric host, port 0 chooses one; may be given "
    "several times.\n"
    "                        insecure-tcp:HOST:PORT and insecure-udp:HOST:PORT are clear, and "
    "serve "
    "no sips address\n"
    "  --cert FILE           the certificate (chain, leaf first), PEM\n"
    "  --key FILE            its private key, PEM\n"
    "  --domain DOMAIN       the domain that is served\n"
    "  --users FILE          one user a line, name:password; nobody but its owner should be able "
    "to read it\n"
    "  --ca FILE             the authorities that client certificates are checked against\n"
    "  --client-cert MODE    require: clients show a certificate; request: those who have one\n"
    "  --from certified      a client with a certificate speaks only for whom that names\n"
    "  --json                events on standard output as JSON, one object a line\n"
    "  --help, --version\n"
    "\n"
    "Ends with 0 when it was stopped by SIGINT or SIGTERM, 1 when it had to end, 2 for wrong usage "
    "or set-up.\n";

/* Listeners in clear have a name that says so. */
static bool is_clear(const char *address)
{
    return strncmp(address, "insecure-", 9) == 0;
}

static bool set_client_cert(struct options *o, const char *mode)
{
    if (strcmp(mode, "require") == 0)
        o->client_cert = SECSIP_TLS_CLIENT_CERT_REQUIRE;
    else if (strcmp(mode, "request") == 0)
        o->client_cert = SECSIP_TLS_CLIENT_CERT_REQUEST;
    else
        return false;
    return true;
}

/* -1: go on, else the exit code. */
static int take_option(struct options *o, int c)
{
    switch (c) {
    case 'l':
        if (o->n_listen == MAX_LISTEN)
            return options_refuse("--listen: at most %d addresses", MAX_LISTEN);
        o->listen[o->n_listen++] = optarg;
        o->insecure |= is_clear(optarg);
        return -1;
    case 'c':
        o->cert = optarg;
        return -1;
    case 'k':
        o->key = optarg;
        return -1;
    case 'd':
        o->domain = optarg;
        return -1;
    case 'u':
        o->users = optarg;
        return -1;
    case 'a':
        o->ca = optarg;
        return -1;
    case 'm':
        return set_client_cert(o, optarg) ? -1
                                          : options_refuse("--client-cert is require or request");
    case 'f':
        if (strcmp(optarg, "certified") != 0)
            return options_refuse("--from is certified");
        o->from = SECSIP_TLS_FROM_CERTIFIED;
        return -1;
    case 'j':
        o->json = true;
        return -1;
    case 'h':
        fputs(help, stdout);
        return EXIT_YES;
    case 'v':
        printf("secsip-registrar %s\n", secsip_version_string());
        return EXIT_YES;
    default:
        return EXIT_USAGE; /* it was said why */
    }
}

/* A host name or a numeric address: what can stand behind the @ of an address of record. */
static bool is_domain(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    unsigned char address[sizeof(struct in6_addr)];
    size_t len = strlen(text);
    char bare[INET6_ADDRSTRLEN];

    if (len > 2 && len - 2 < sizeof bare && text[0] == '[' && text[len - 1] == ']') {
        memcpy(bare, text + 1, len - 2);
        bare[len - 2] = '\0';
        return inet_pton(AF_INET6, bare, address) == 1;
    }
    if (len > 253) /* RFC 1035 section 2.3.4, as text without the root */
        return false;
    char before = '.';
    for (; *text; before = *text++) {
        bool inside = strchr(letters, before) != NULL;
        if (*text == '.' ? !inside : *text == '-' ? before == '.' : !strchr(letters, *text))
            return false;
    }
    return before != '.' && before != '-'; /* RFC 1123 section 2.1: ends with a letter or digit */
}

static int check_options(const struct options *o)
{
    bool is_tls = false;

    if (o->n_listen == 0 || !o->domain || !o->users)
        return options_refuse("--listen, --domain and --users are needed");
    if (!is_domain(o->domain))
        return options_refuse("--domain: '%s' is neither a domain nor a numeric address",
                              o->domain);
    for (size_t i = 0; i < o->n_listen; i++)
        is_tls |= !is_clear(o->listen[i]);
    if (is_tls && (!o->cert || !o->key))
        return options_refuse("--cert and --key are needed for TLS");
    if (o->client_cert && !o->ca)
        return options_refuse("--client-cert needs --ca");
    if (o->from && !o->client_cert)
        return options_refuse("--from needs --client-cert");
    return -1;
}

static int parse_options(int argc, char **argv, struct options *o)
{
    static const struct option names[] = {
        {"listen", required_argument, NULL, 'l'},
        {"cert", required_argument, NULL, 'c'},
        {"key", required_argument, NULL, 'k'},
        {"domain", required_argument, NULL, 'd'},
        {"users", required_argument, NULL, 'u'},
        {"ca", required_argument, NULL, 'a'},
        {"client-cert", required_argument, NULL, 'm'},
        {"from", required_argument, NULL, 'f'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    int c;

    while ((c = options_next(argc, argv, names)) != -1) {
        int code = take_option(o, c);
        if (code >= 0)
            return code;
    }
    if (optind < argc)
        return options_refuse("%s: there are no arguments but options", argv[optind]);
    return check_options(o);
}

static secsip_result give_password(const char *user, char *password, size_t cap, void *user_data)
{
    struct program *p = user_data;
    const char *found = users_password(&p->users, user);

    if (!found || strlen(found) >= cap)
        return SECSIP_E_NOT_FOUND;
    memcpy(password, found, strlen(found) + 1);
    return SECSIP_OK;
}

static void put_line(struct program *p)
{
    p->failed |= !json_line(&p->json, stdout);
}

static void show_json(struct program *p, const secsip_registrar_event *e, const char *name)
{
    struct json *j = &p->json;

    json_object(j, NULL);
    json_string(j, "event", name);
    if (e->kind == SECSIP_REGISTRAR_REFUSED || e->kind == SECSIP_REGISTRAR_FORWARDED)
        json_string(j, "method", e->method);
    if (e->kind == SECSIP_REGISTRAR_REFUSED)
        json_int(j, "status", e->status);
    json_string(j, "user", e->user);
    if (e->kind != SECSIP_REGISTRAR_REFUSED)
        json_string(j, e->kind == SECSIP_REGISTRAR_FORWARDED ? "target" : "contact", e->target);
    if (e->kind == SECSIP_REGISTRAR_REGISTERED)
        json_uint(j, "expires", e->expires_s);
    if (e->kind == SECSIP_REGISTRAR_FORWARDED)
        json_uint(j, "branches", e->branches);
    json_string(j, "peer", e->peer);
    if (e->identity[0])
        json_string(j, "identity", e->identity);
    json_end_object(j);
    put_line(p);
}

/* The text is in the log as well, which is all that people need. */
static void on_tls_failure(const secsip_error *error, int32_t incoming, void *user_data)
{
    struct program *p = user_data;
    struct json *j = &p->json;

    (void)incoming;
    if (!p->options.json)
        return;
    json_object(j, NULL);
    json_string(j, "event", "tls-failed");
    json_string(j, "name", secsip_result_name(error->result));
    json_string(j, "check", error->check);
    json_string(j, "text", error->text);
    json_string(j, "certificate", error->certificate);
    json_string(j, "peer", error->peer);
    json_end_object(j);
    put_line(p);
}

static void show_text(struct program *p, const secsip_registrar_event *e, const char *name)
{
    switch (e->kind) {
    case SECSIP_REGISTRAR_REGISTERED:
        printf("%s %s at %s for %u s\n", name, e->user, e->target, (unsigned)e->expires_s);
        break;
    case SECSIP_REGISTRAR_REFUSED:
        printf("%s %s of %s with %d\n", name, e->method, e->user, (int)e->status);
        break;
    case SECSIP_REGISTRAR_FORWARDED:
        printf("%s %s for %s to %u of its phones\n", name, e->method, e->user,
               (unsigned)e->branches);
        break;
    default:
        printf("%s %s at %s\n", name, e->user, e->target);
        break;
    }
    p->failed |= fflush(stdout) != 0;
}

static void on_event(const secsip_registrar_event *event, void *user_data)
{
    static const char *const names[] = {
        [SECSIP_REGISTRAR_REGISTERED] = "registered",
        [SECSIP_REGISTRAR_UNREGISTERED] = "unregistered",
        [SECSIP_REGISTRAR_REFUSED] = "refused",
        [SECSIP_REGISTRAR_FORWARDED] = "forwarded",
    };
    struct program *p = user_data;

    if (event->kind < 1 || event->kind >= (int32_t)(sizeof names / sizeof names[0]))
        return; /* of a later version of the library */
    if (p->options.json)
        show_json(p, event, names[event->kind]);
    else
        show_text(p, event, names[event->kind]);
}

static void on_log(int32_t level, const char *text, void *user_data)
{
    (void)level;
    (void)user_data;
    fprintf(stderr, "%s: %s\n", program_invocation_short_name, text);
}

static int make_profile(struct program *p)
{
    const struct options *o = &p->options;

    if (!o->cert)
        return -1;
    secsip_result r = secsip_tls_profile_new(&p->profile);
    if (r < 0)
        return options_refuse("%s", secsip_result_text(r));
    r = secsip_tls_profile_set_identity_file(p->profile, o->cert, o->key);
    if (r >= 0 && o->ca)
        r = secsip_tls_profile_add_trust_file(p->profile, o->ca);
    if (r >= 0)
        r = secsip_tls_profile_set_client_cert(p->profile, o->client_cert);
    if (r >= 0)
        r = secsip_tls_profile_set_from(p->profile, o->from);
    if (r >= 0)
        return -1;
    const secsip_error *error = secsip_tls_profile_error(p->profile);
    return options_refuse("%s", error->text[0] ? error->text : secsip_result_text(r));
}

static void tell_listening(struct program *p, const char *address, uint16_t port)
{
    if (!p->options.json) {
        printf("listening on %s (port %u)\n", address, (unsigned)port);
        p->failed |= fflush(stdout) != 0;
        return;
    }
    json_object(&p->json, NULL);
    json_string(&p->json, "event", "listening");
    json_string(&p->json, "address", address);
    json_uint(&p->json, "port", port);
    json_end_object(&p->json);
    put_line(p);
}

static int start(struct program *p)
{
    const struct options *o = &p->options;
    const secsip_stack_config stack_config = {
        .size = sizeof stack_config, .log = on_log, .user_data = p, .tls_failure = on_tls_failure};
    const secsip_registrar_config config = {
        .size = sizeof config,
        .domain = o->domain,
        .password = give_password,
        .on_event = on_event,
        .user_data = p,
        .insecure_transport = o->insecure,
    };
    secsip_result r = secsip_stack_new(&stack_config, &p->stack);

    if (r < 0)
        return options_refuse("the stack: %s", secsip_result_text(r));
    r = secsip_registrar_new(p->stack, &config, &p->registrar);
    if (r < 0)
        return options_refuse("--domain %s: %s", o->domain, secsip_result_text(r));
    for (size_t i = 0; i < o->n_listen; i++) {
        uint16_t port = 0;
        r = secsip_stack_listen(p->stack, o->listen[i], is_clear(o->listen[i]) ? NULL : p->profile,
                                &port);
        if (r < 0)
            return options_refuse("--listen %s: %s", o->listen[i], secsip_result_text(r));
        tell_listening(p, o->listen[i], port);
    }
    return -1;
}

static int run(struct program *p)
{
    int n_signals = 0;

    while (!p->failed && n_signals == 0)
        n_signals = loop_step(p->stack, LOOP_FOREVER);
    if (n_signals < 0 || p->failed) {
        options_refuse("%s", p->failed ? "standard output cannot be written" : "the stack failed");
        return EXIT_NO;
    }
    uint64_t end = loop_now_us() + (uint64_t)FAREWELL_MS * 1000;
    secsip_stack_shutdown(p->stack, FAREWELL_MS);
    while (n_signals == 1 && !secsip_stack_is_idle(p->stack) && loop_now_us() < end)
        n_signals = loop_step(p->stack, end);
    return EXIT_YES;
}

static int set_up_and_run(struct program *p)
{
    char why[512];

    if (!users_read(p->options.users, &p->users, why, sizeof why))
        return options_refuse("--users %s", why);
    if (users_is_exposed(p->options.users))
        fprintf(stderr, "%s: warning: %s holds passwords and others can read it: chmod 600\n",
                program_invocation_short_name, p->options.users);
    int code = make_profile(p);
    if (code < 0)
        code = loop_init() ? start(p) : options_refuse("signals cannot be caught");
    return code < 0 ? run(p) : code;
}

int main(int argc, char **argv)
{
    struct program p = {0};
    int code = options_begin();

    if (code != EXIT_YES)
        return code;
    code = parse_options(argc, argv, &p.options);
    if (code < 0)
        code = set_up_and_run(&p);
    secsip_registrar_free(p.registrar);
    secsip_stack_unref(p.stack);
    secsip_tls_profile_unref(p.profile);
    users_free(&p.users);
    json_free(&p.json);
    return options_end(code);
}
