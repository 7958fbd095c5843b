/* The command line of secsip-phone, see settings.h. Part of: secsip-phone. */
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <secsip/secsip.h>

#include "options.h"

static const char help[] =
    "secsip-phone: a phone for scripts. It registers, calls or answers, plays and records.\n"
    "\n"
    "Who:\n"
    "  --account URI          address of record, sip:alice@example.test (required)\n"
    "  --display-name NAME    shown to the other side\n"
    "  --proxy HOST[:PORT]    outbound proxy; also as a URI, 'sip:host:5061;transport=tls'; up to\n"
    "                         4 with commas between: registered over each, calls take the first\n"
    "                         that works (RFC 5626)\n"
    "  --instance URN         what this device is to the registrar from one run to the next,\n"
    "                         'urn:uuid:...'; default: another one each time\n"
    "  --auth-user USER       for digest; default: the user part of the account\n"
    "  --password-file FILE   its first line is the password; default: $SECSIP_PASSWORD\n"
    "\n"
    "Trust:\n"
    "  --ca FILE              authorities to trust, PEM; default: the system's\n"
    "  --cert FILE --key FILE our own certificate and key, PEM\n"
    "  --tls-option NAME      relax one check; may be given again: allow-wildcard, allow-cn,\n"
    "                         allow-expired, insecure-self-signed, insecure-any, and with\n"
    "                         --known-keys insecure-first-use: a known key instead of a chain\n"
    "  --known-keys FILE      remember the key of each server there, and refuse another one\n"
    "  --media-security M     mandatory (default): SRTP or no call; optional: SRTP if the other\n"
    "                         side can; off: speech in clear\n"
    "  --suites A,B           crypto-suites, best first; default: those of accounts, see "
    "account.h\n"
    "  --sdes-style S         how optional offers SRTP: avp (default), two-lines, capability, "
    "savp\n"
    "  --sdes-option NAME     one choice about keys; may be given again: answer-avp,\n"
    "                         match-by-suite, unpadded, refuse-profile, refuse-spelling,\n"
    "                         refuse-unpadded\n"
    "  --key-lifetime N       packets that a key of ours protects, a number or 2^N, at least 256;\n"
    "                         the call replaces it in time\n"
    "  --insecure-transport   SIP over TCP or UDP in clear is allowed, where --proxy or a URI\n"
    "                         names it, 'sip:host;transport=udp'; no key is sent over it\n"
    "\n"
    "What to do:\n"
    "  --register             register, and stay registered\n"
    "  --expires S            seconds to ask for, default 600\n"
    "  --listen tls:HOST:PORT accept connections there, with --cert and --key;\n"
    "                         insecure-tcp: and insecure-udp: with --insecure-transport\n"
    "  --call URI             call somebody, after the registration if there is one\n"
    "  --answer               answer the first call that comes in\n"
    "  --play WAV             what to say: once, then silence\n"
    "  --loop                 say it again and again\n"
    "  --record WAV           write what was heard: placed by RTP timestamp, lost packets silent\n"
    "  --duration S           hang up after so long; with --register alone: end after so long\n"
    "  --wait S               give up when there is no call (or registration) after so long\n"
    "\n"
    "What to tell:\n"
    "  --json                 events as JSON, one object a line\n"
    "  --trace FILE           every SIP message, secrets masked; '-' is stderr\n"
    "  --keylog FILE          TLS secrets in NSS format, to decrypt a capture with; mode 0600\n"
    "  --dns-servers LIST     name servers, '192.0.2.1:53,...'; default: the system's\n"
    "  --verbose              the library's log on stderr\n"
    "  --help, --version\n"
    "\n"
    "It ends by itself when its call is over, and with --register alone on SIGINT or SIGTERM;\n"
    "either signal hangs up and unregisters first. A registration that fails before it ever\n"
    "succeeded ends it too; one that is lost later is tried again.\n"
    "Exit: 0 done, 1 the registration or call failed, 2 wrong usage or set-up.\n";

enum {
    OPT_ACCOUNT = 256,
    OPT_DISPLAY_NAME,
    OPT_PROXY,
    OPT_INSTANCE,
    OPT_AUTH_USER,
    OPT_PASSWORD_FILE,
    OPT_CA,
    OPT_CERT,
    OPT_KEY,
    OPT_TLS_OPTION,
    OPT_KNOWN_KEYS,
    OPT_MEDIA_SECURITY,
    OPT_SUITES,
    OPT_SDES_STYLE,
    OPT_SDES_OPTION,
    OPT_KEY_LIFETIME,
    OPT_INSECURE_TRANSPORT,
    OPT_EXPIRES,
    OPT_DNS_SERVERS,
    OPT_LISTEN,
    OPT_REGISTER,
    OPT_CALL,
    OPT_ANSWER,
    OPT_PLAY,
    OPT_LOOP,
    OPT_RECORD,
    OPT_DURATION,
    OPT_WAIT,
    OPT_KEYLOG,
    OPT_TRACE,
    OPT_VERBOSE,
    OPT_JSON,
    OPT_HELP,
    OPT_VERSION,
};

static const struct option options[] = {
    {"account", required_argument, NULL, OPT_ACCOUNT},
    {"display-name", required_argument, NULL, OPT_DISPLAY_NAME},
    {"proxy", required_argument, NULL, OPT_PROXY},
    {"instance", required_argument, NULL, OPT_INSTANCE},
    {"auth-user", required_argument, NULL, OPT_AUTH_USER},
    {"password-file", required_argument, NULL, OPT_PASSWORD_FILE},
    {"ca", required_argument, NULL, OPT_CA},
    {"cert", required_argument, NULL, OPT_CERT},
    {"key", required_argument, NULL, OPT_KEY},
    {"tls-option", required_argument, NULL, OPT_TLS_OPTION},
    {"known-keys", required_argument, NULL, OPT_KNOWN_KEYS},
    {"media-security", required_argument, NULL, OPT_MEDIA_SECURITY},
    {"suites", required_argument, NULL, OPT_SUITES},
    {"sdes-style", required_argument, NULL, OPT_SDES_STYLE},
    {"sdes-option", required_argument, NULL, OPT_SDES_OPTION},
    {"key-lifetime", required_argument, NULL, OPT_KEY_LIFETIME},
    {"insecure-transport", no_argument, NULL, OPT_INSECURE_TRANSPORT},
    {"expires", required_argument, NULL, OPT_EXPIRES},
    {"dns-servers", required_argument, NULL, OPT_DNS_SERVERS},
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"register", no_argument, NULL, OPT_REGISTER},
    {"call", required_argument, NULL, OPT_CALL},
    {"answer", no_argument, NULL, OPT_ANSWER},
    {"play", required_argument, NULL, OPT_PLAY},
    {"loop", no_argument, NULL, OPT_LOOP},
    {"record", required_argument, NULL, OPT_RECORD},
    {"duration", required_argument, NULL, OPT_DURATION},
    {"wait", required_argument, NULL, OPT_WAIT},
    {"keylog", required_argument, NULL, OPT_KEYLOG},
    {"trace", required_argument, NULL, OPT_TRACE},
    {"verbose", no_argument, NULL, OPT_VERBOSE},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {0},
};

/* A word and the number it stands for. */
struct word {
    const char *name;
    uint32_t value;
};

static const struct word relaxations[] = {
    {"allow-wildcard", SECSIP_TLS_ALLOW_WILDCARD},
    {"allow-cn", SECSIP_TLS_ALLOW_CN},
    {"allow-expired", SECSIP_TLS_ALLOW_EXPIRED},
    {"insecure-self-signed", SECSIP_TLS_INSECURE_SELF_SIGNED},
    {"insecure-any", SECSIP_TLS_INSECURE_ANY},
};

static const struct word media_levels[] = {
    {"mandatory", SECSIP_MEDIA_SECURITY_MANDATORY},
    {"optional", SECSIP_MEDIA_SECURITY_OPTIONAL},
    {"off", SECSIP_MEDIA_SECURITY_INSECURE_CLEAR},
};

static const struct word sdes_styles[] = {
    {"avp", SECSIP_SDES_STYLE_AVP},
    {"two-lines", SECSIP_SDES_STYLE_TWO_LINES},
    {"capability", SECSIP_SDES_STYLE_CAPABILITY},
    {"savp", SECSIP_SDES_STYLE_SAVP},
};

static const struct word sdes_options[] = {
    {"answer-avp", SECSIP_SDES_ANSWER_AVP},
    {"match-by-suite", SECSIP_SDES_MATCH_BY_SUITE},
    {"unpadded", SECSIP_SDES_UNPADDED},
    {"refuse-profile", SECSIP_SDES_REFUSE_PROFILE},
    {"refuse-spelling", SECSIP_SDES_REFUSE_SPELLING},
    {"refuse-unpadded", SECSIP_SDES_REFUSE_UNPADDED},
};

static bool find_word(const struct word *words, size_t n, const char *name, uint32_t *ret)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(words[i].name, name) == 0) {
            *ret = words[i].value;
            return true;
        }
    }
    return false;
}

/* Options that are taken as they are: where they go. */
static const char **text_of(struct settings *s, int option)
{
    switch (option) {
    case OPT_ACCOUNT:
        return &s->account;
    case OPT_DISPLAY_NAME:
        return &s->display_name;
    case OPT_PROXY:
        return &s->proxy;
    case OPT_INSTANCE:
        return &s->instance;
    case OPT_AUTH_USER:
        return &s->auth_user;
    case OPT_PASSWORD_FILE:
        return &s->password_file;
    case OPT_CA:
        return &s->ca;
    case OPT_CERT:
        return &s->cert;
    case OPT_KEY:
        return &s->key;
    case OPT_KNOWN_KEYS:
        return &s->known_keys;
    case OPT_SUITES:
        return &s->suites;
    case OPT_DNS_SERVERS:
        return &s->dns_servers;
    case OPT_LISTEN:
        return &s->listen;
    case OPT_CALL:
        return &s->call;
    case OPT_PLAY:
        return &s->play;
    case OPT_RECORD:
        return &s->record;
    case OPT_KEYLOG:
        return &s->keylog;
    case OPT_TRACE:
        return &s->trace;
    default:
        return NULL;
    }
}

static bool *flag_of(struct settings *s, int option)
{
    switch (option) {
    case OPT_INSECURE_TRANSPORT:
        return &s->insecure_transport;
    case OPT_REGISTER:
        return &s->register_;
    case OPT_ANSWER:
        return &s->answer;
    case OPT_LOOP:
        return &s->loop;
    case OPT_VERBOSE:
        return &s->verbose;
    case OPT_JSON:
        return &s->json;
    default:
        return NULL;
    }
}

/* Options whose value is checked. False: it was refused, and said. */
static bool read_value(struct settings *s, int option, const char *value)
{
    uint32_t bit;
    uint64_t number;

    switch (option) {
    case OPT_TLS_OPTION:
        if (strcmp(value, "insecure-first-use") == 0)
            return s->first_use = true;
        if (find_word(relaxations, sizeof(relaxations) / sizeof(relaxations[0]), value, &bit)) {
            s->tls_options |= bit;
            return true;
        }
        options_refuse("--tls-option: there is no '%s'; see --help", value);
        return false;
    case OPT_MEDIA_SECURITY:
        if (find_word(media_levels, 3, value, &s->media_security))
            return true;
        options_refuse("--media-security: mandatory, optional or off, not '%s'", value);
        return false;
    case OPT_SDES_STYLE:
        if (find_word(sdes_styles, sizeof(sdes_styles) / sizeof(sdes_styles[0]), value,
                      &s->sdes_style))
            return true;
        options_refuse("--sdes-style: avp, two-lines, capability or savp, not '%s'", value);
        return false;
    case OPT_SDES_OPTION:
        if (find_word(sdes_options, sizeof(sdes_options) / sizeof(sdes_options[0]), value, &bit)) {
            s->sdes_options |= bit;
            return true;
        }
        options_refuse("--sdes-option: there is no '%s'; see --help", value);
        return false;
    case OPT_KEY_LIFETIME:
        if (options_packets(value, &s->key_lifetime) && s->key_lifetime >= 256)
            return true;
        options_refuse("--key-lifetime: packets, from 256 to 2^48, not '%s'", value);
        return false;
    case OPT_EXPIRES:
        if (options_number(value, 1U << 31, &number) && number > 0) {
            s->expires_s = (uint32_t)number;
            return true;
        }
        options_refuse("--expires: a number of seconds, not '%s'", value);
        return false;
    default:
        if (options_seconds(value, option == OPT_WAIT ? &s->wait_ms : &s->duration_ms))
            return true;
        options_refuse("--%s: seconds, not '%s'", option == OPT_WAIT ? "wait" : "duration", value);
        return false;
    }
}

/* Whether the library would call it, asked of its parser: a message to it is read as one that came in. Before anything
 * is sent, so that a typing error does not register first. */
static bool is_callable(const char *target)
{
    secsip_message_uri uri = {.size = sizeof(uri)};
    secsip_message *message = NULL;
    char *text = NULL;
    bool good = false;

    for (const char *p = target; *p; p++)
        if ((unsigned char)*p <= ' ')
            return false; /* would end the URI, or the line */
    int len = asprintf(&text,
                       "OPTIONS %s SIP/2.0\r\nVia: SIP/2.0/TLS h;branch=z9hG4bK1\r\n"
                       "From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
                       "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
                       target);
    if (len < 0)
        return false;
    if (secsip_message_parse((const uint8_t *)text, (size_t)len, NULL, &message) == 0 &&
        secsip_message_get_uri(message, NULL, 0, &uri) == 0)
        good = (strcasecmp(uri.scheme, "sip") == 0 || strcasecmp(uri.scheme, "sips") == 0) &&
               uri.headers[0] == '\0';
    secsip_message_unref(message);
    free(text);
    return good;
}

bool settings_listens_in_clear(const struct settings *s)
{
    return strncmp(s->listen, "insecure-", strlen("insecure-")) == 0;
}

static int check_together(struct settings *s)
{
    const char *why = NULL;

    if (!s->account)
        return options_refuse("--account is required; see --help");
    if (!s->register_ && !s->call && !s->answer)
        return options_refuse("nothing to do: give --register, --call or --answer");
    if (s->call && s->answer)
        return options_refuse("--call and --answer exclude each other");
    if (s->listen && settings_listens_in_clear(s) && !s->insecure_transport)
        return options_refuse("--listen %s: in clear only with --insecure-transport", s->listen);
    if (s->answer && !s->register_ && !s->listen)
        return options_refuse("--answer: no call can come in without --register or --listen");
    if (!s->cert != !s->key)
        return options_refuse("--cert and --key go together");
    if (s->first_use && !s->known_keys)
        return options_refuse("--tls-option insecure-first-use needs --known-keys");
    if (s->call && !is_callable(s->call))
        return options_refuse("--call %s: no sip or sips URI that can be called", s->call);
    s->password = options_password(s->password_file, &why);
    if (why)
        return options_refuse("--password-file: no password in it: %s", why);
    return -1;
}

int settings_read(struct settings *s, int argc, char **argv)
{
    int option;

    *s = (struct settings){0};
    while ((option = options_next(argc, argv, options)) != -1) {
        const char **text = text_of(s, option);
        bool *flag = flag_of(s, option);
        if (option == '?')
            return EXIT_USAGE; /* it was said why */
        if (option == OPT_HELP || option == OPT_VERSION) {
            if (option == OPT_HELP)
                fputs(help, stdout);
            else
                printf("secsip-phone %s\n", secsip_version_string());
            return EXIT_YES;
        }
        if (text)
            *text = optarg;
        else if (flag)
            *flag = true;
        else if (!read_value(s, option, optarg))
            return EXIT_USAGE;
    }
    if (optind < argc)
        return options_refuse("'%s' is no option; see --help", argv[optind]);
    return check_together(s);
}

void settings_free(struct settings *s)
{
    options_wipe(s->password);
    s->password = NULL;
}
