/* secsip-sdes: SDES from the command line: look at a=crypto lines, make an offer, answer one, check an answer. Part of:
 * examples. Exit: 0 yes, 1 a negative verdict, 2 wrong usage or set-up. */
#include "sdes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    INPUT_MAX = 1 << 20
};

static const char help[] =
    "Usage: secsip-sdes parse  [OPTION]... < TEXT     a=crypto lines, or a description that starts "
    "with v=\n"
    "       secsip-sdes offer  [OPTION]... > OFFER\n"
    "       secsip-sdes answer [OPTION]... < OFFER > ANSWER\n"
    "       secsip-sdes accept --offer OFFER [OPTION]... < ANSWER\n"
    "SDES keys of RFC 4568: what is in them, and what two sides make of them.\n"
    "\n"
    "  --suites A,B       crypto-suites in order of preference\n"
    "  --policy P         mandatory (the default), optional or off\n"
    "  --lifetime N       packets of our keys, a number or 2^N, at most 2^48\n"
    "  --mki LEN          our keys get an MKI of LEN bytes, 1 to 128\n"
    "  --unpadded         write keys without '='\n"
    "  --answer-avp       mandatory answers RTP/AVP with a=crypto too, with SRTP\n"
    "  --match-by-suite   accept an answer whose tag is wrong by its crypto-suite\n"
    "  --style S          how optional offers SRTP: avp (RFC 8643, the default), two-lines,\n"
    "                     capability (RFC 5939) or savp\n"
    "  --refuse Q         do not let pass what some peers do: profile, spelling or padding\n"
    "  --insecure F       take keys that leave protection out: unencrypted-srtp,\n"
    "                     unencrypted-srtcp, unauthenticated-srtp or null-cipher\n"
    "  --form F           offer one of the first three; --insecure of the same is needed, too\n"
    "  --port N           of our m= line, default 4000\n"
    "  --address IP       of our c= line, default 127.0.0.1\n"
    "  --offer FILE       accept: the offer that was made\n"
    "  --json             facts as one JSON object instead of the description\n"
    "  --show-keys        put the key bytes into JSON: they are secrets\n"
    "  --help, --version\n"
    "Exit: 0 yes, 1 refused, 2 wrong usage.\n";

/* fgets would stop at NUL; this reads what is there. */
static bool read_stream(FILE *in, char **ret_text, size_t *ret_len)
{
    char *text = malloc(INPUT_MAX + 1);

    if (!text)
        return false;
    setvbuf(in, NULL, _IONBF, 0); /* no second copy of keys in a buffer */
    size_t len = fread(text, 1, INPUT_MAX + 1, in);
    if (ferror(in) || len > INPUT_MAX) {
        errno = ferror(in) ? errno : EFBIG;
        explicit_bzero(text, len);
        free(text);
        return false;
    }
    text[len] = '\0';
    *ret_text = text;
    *ret_len = len;
    return true;
}

bool input_read(const char *path, char **ret_text, size_t *ret_len)
{
    FILE *in = path ? fopen(path, "rb") : stdin;
    bool ok = in && read_stream(in, ret_text, ret_len);

    if (!ok)
        options_refuse("cannot read %s: %s", path ? path : "standard input", strerror(errno));
    if (in && path)
        fclose(in);
    return ok;
}

static bool read_policy(const char *text, struct options *o)
{
    static const char *const names[] = {"mandatory", "optional",
                                        "off"}; /* SECSIP_SDES_MANDATORY, ... */

    for (uint32_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (strcmp(text, names[i]) == 0) {
            o->config.policy = i;
            o->has_policy = true;
            return true;
        }
    }
    return false;
}

struct name {
    const char *name;
    uint32_t value;
};

/* The value of a name in a list; false when it is not there. */
static bool find_name(const char *text, const struct name *names, size_t n, uint32_t *ret)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(text, names[i].name) == 0) {
            *ret = names[i].value;
            return true;
        }
    }
    return false;
}

/* Options whose values are names: 1: taken; 0: not one of these; -1: no such name. */
static int read_named(const char *option, const char *value, struct options *o)
{
    static const struct name styles[] = {{"avp", SECSIP_SDES_STYLE_AVP},
                                         {"two-lines", SECSIP_SDES_STYLE_TWO_LINES},
                                         {"capability", SECSIP_SDES_STYLE_CAPABILITY},
                                         {"savp", SECSIP_SDES_STYLE_SAVP}};
    static const struct name quirks[] = {{"profile", SECSIP_SDES_REFUSE_PROFILE},
                                         {"spelling", SECSIP_SDES_REFUSE_SPELLING},
                                         {"padding", SECSIP_SDES_REFUSE_UNPADDED}};
    static const struct name insecure[] = {
        {"unencrypted-srtp", SECSIP_SDES_INSECURE_UNENCRYPTED_SRTP},
        {"unencrypted-srtcp", SECSIP_SDES_INSECURE_UNENCRYPTED_SRTCP},
        {"unauthenticated-srtp", SECSIP_SDES_INSECURE_UNAUTHENTICATED_SRTP},
        {"null-cipher", SECSIP_SDES_INSECURE_NULL_CIPHER}};
    static const struct name forms[] = {
        {"unencrypted-srtp", SECSIP_SDES_FORM_UNENCRYPTED_SRTP},
        {"unencrypted-srtcp", SECSIP_SDES_FORM_UNENCRYPTED_SRTCP},
        {"unauthenticated-srtp", SECSIP_SDES_FORM_UNAUTHENTICATED_SRTP}};
    const struct {
        const char *option;
        const struct name *names;
        size_t n;
        uint32_t *to;
    } all[] = {{"--style", styles, sizeof(styles) / sizeof(*styles), &o->config.style},
               {"--refuse", quirks, sizeof(quirks) / sizeof(*quirks), &o->config.options},
               {"--insecure", insecure, sizeof(insecure) / sizeof(*insecure), &o->config.options},
               {"--form", forms, sizeof(forms) / sizeof(*forms), &o->config.offer_forms}};
    uint32_t bits;

    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        if (strcmp(option, all[i].option) != 0)
            continue;
        if (!find_name(value, all[i].names, all[i].n, &bits))
            return -1;
        *all[i].to = all[i].to == &o->config.style ? bits : *all[i].to | bits;
        return 1;
    }
    return 0;
}

static bool read_flag(const char *name, struct options *o)
{
    if (strcmp(name, "--json") == 0)
        o->json = true;
    else if (strcmp(name, "--show-keys") == 0)
        o->show_keys = true;
    else if (strcmp(name, "--unpadded") == 0)
        o->config.options |= SECSIP_SDES_UNPADDED;
    else if (strcmp(name, "--answer-avp") == 0)
        o->config.options |= SECSIP_SDES_ANSWER_AVP;
    else if (strcmp(name, "--match-by-suite") == 0)
        o->config.options |= SECSIP_SDES_MATCH_BY_SUITE;
    else
        return false;
    return true;
}

/* 1: taken; 0: not an option with a value; -1: the value is no good. */
static int read_value(const char *name, const char *value, struct options *o)
{
    uint64_t v = 0;
    bool ok = true;
    int named = read_named(name, value, o);

    if (named != 0)
        return named;
    if (strcmp(name, "--suites") == 0) {
        o->config.suites = value;
    } else if (strcmp(name, "--policy") == 0) {
        ok = read_policy(value, o);
    } else if (strcmp(name, "--lifetime") == 0) {
        ok = options_packets(value, &o->config.lifetime);
    } else if (strcmp(name, "--mki") == 0) {
        ok = options_number(value, 128, &v) && v > 0;
        o->config.mki_len = (uint32_t)v;
    } else if (strcmp(name, "--port") == 0) {
        ok = options_number(value, UINT16_MAX, &v) && v > 0;
        o->port = (uint32_t)v;
    } else if (strcmp(name, "--address") == 0) {
        o->address = value;
    } else if (strcmp(name, "--offer") == 0) {
        o->offer = value;
    } else {
        return 0;
    }
    return ok ? 1 : -1;
}

static bool read_options(int argc, char **argv, struct options *o)
{
    for (int i = 2; i < argc; i++) {
        static char empty[] = "";
        const char *value = i + 1 < argc ? argv[i + 1] : empty;
        if (read_flag(argv[i], o))
            continue;
        int taken = read_value(argv[i], value, o);
        if (taken == 0) {
            options_refuse("unknown option %s (--help shows them)", argv[i]);
            return false;
        }
        if (taken < 0 || i + 1 == argc) {
            options_refuse("%s: not a value for it: '%s'", argv[i], value);
            return false;
        }
        i++;
    }
    return true;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(const struct options *o);
    } commands[] = {
        {"parse", run_parse}, {"offer", run_offer}, {"answer", run_answer}, {"accept", run_accept}};
    struct options o = {.config = {.size = sizeof(o.config)}, .port = 4000, .address = "127.0.0.1"};
    int code = options_begin_with_help(argc, argv, help);

    if (code >= 0)
        return code;
    if (argc < 2)
        return options_refuse("parse, offer, answer or accept? (--help shows more)");
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return read_options(argc, argv, &o) ? commands[i].run(&o) : EXIT_USAGE;
    }
    return options_refuse("no such command: %s (--help shows them)", argv[1]);
}
