/* An application that reads a message through the getters, one index after the other, pays for its bytes and not for their
 * square: 16 kB of any shape cost what 16 times 1 kB cost. Measured in CPU time of this thread, the best of several runs.
 * tests/sip/test_linear.c counts the parser's own steps. */
#include "test.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <secsip/header.h>

enum {
    SMALL = 1024,
    LARGE = 15800, /* what the limit of one value lets through */
    BYTES = 65000, /* read in one run */
    RUNS = 5,
    RATIO_MAX = 6, /* a square would be 15 */
};

static const struct shape {
    const char *name;
    const char *before, *unit, *after; /* the unit is repeated; '#' in it counts */
} shapes[] = {
    {"parameters of a Via", "Via: SIP/2.0/TLS h", ";a#", "\r\n"},
    {"parameters of an address", "Contact: <sip:a>", ";a#=b", "\r\n"},
    {"parameters of a URI", "Contact: <sip:a", ";a#", ">\r\n"},
    {"tokens", "Allow: A", ",A", "\r\n"},
    {"commas", "Supported: ", ",", "\r\n"},
    {"media types", "Accept: a/b", ",a/b;c=d", "\r\n"},
    {"parameters of a media type", "Content-Type: a/b", ";a#=b", "\r\n"},
    {"Contacts", "Contact: <sip:a>", ",<sip:a>", "\r\n"},
    {"Vias in one line", "Via: SIP/2.0/TLS h", ",SIP/2.0/TLS h", "\r\n"},
    {"lines of Via", "", "Via: SIP/2.0/TLS h\r\n", ""},
    {"lines of an unknown field", "", "X-A: b\r\n", ""},
    {"a list in an unknown field", "X-A: b", ",<sip:b>", "\r\n"},
    {"folds", "Subject: a", "\r\n ", "\r\n a\r\n"},
    {"quotes", "Contact: \"", "\\\"", "\" <sip:a>\r\n"},
    {"brackets in a token list", "Allow: ", "<,", "\r\n"},
    {"comments in comments", "Retry-After: 1 ", "(", "\r\n"},
    {"challenges", "WWW-Authenticate: A", ",A", "\r\n"},
    {"challenges with parameters", "WWW-Authenticate: A b=c", ", A b=c", "\r\n"},
    {"parameters of a challenge", "WWW-Authenticate: A b=c", ", b#=c", "\r\n"},
    {"reasons", "Reason: SIP", ", SIP;cause=1", "\r\n"},
};

static size_t make(const struct shape *s, size_t len, char *out)
{
    static const char start[] = "REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/TLS h;branch=z9hG4bK1\r\n"
                                "From: <sip:a>;tag=1\r\nTo: <sip:b>\r\nCall-ID: 1\r\n"
                                "CSeq: 1 REGISTER\r\n";
    size_t n = (size_t)sprintf(out, "%s%s", start, s->before);

    for (unsigned i = 0; n + 32 + strlen(s->after) < len; i++)
        for (const char *p = s->unit; *p; p++) {
            if (*p == '#')
                n += (size_t)sprintf(out + n, "%u", i);
            else
                out[n++] = *p;
        }
    return n + (size_t)sprintf(out + n, "%s\r\n", s->after);
}

static void read_values(secsip_message *m, const char *name)
{
    secsip_message_value v = {.size = sizeof v};
    secsip_message_address a = {.size = sizeof a};
    secsip_message_uri u = {.size = sizeof u};
    secsip_message_auth c = {.size = sizeof c};

    for (uint32_t i = 0; secsip_message_get_value(m, name, i, &v) == 0; i++)
        ;
    for (uint32_t i = 0; secsip_message_get_address(m, name, i, &a) == 0; i++)
        secsip_message_get_uri(m, name, i, &u);
    for (uint32_t i = 0; secsip_message_get_auth(m, name, i, &c) == 0; i++)
        ;
}

/* As an application reads it all. */
static void read_public(const char *text, size_t len)
{
    static const char *const names[] = {"Contact",          "Allow",       "Supported", "Accept",
                                        "Content-Type",     "X-A",         "Subject",   "Reason",
                                        "WWW-Authenticate", "Retry-After", "Expires"};
    secsip_message_via via = {.size = sizeof via};
    secsip_message_cause cause = {.size = sizeof cause};
    secsip_message_header h = {.size = sizeof h};
    secsip_message *m = NULL;

    if (secsip_message_parse(text, len, NULL, &m) < 0)
        return;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        read_values(m, names[i]);
    for (uint32_t i = 0; secsip_message_get_via(m, i, &via) == 0; i++)
        ;
    for (uint32_t i = 0; secsip_message_get_cause(m, i, &cause) == 0; i++)
        ;
    for (uint32_t i = 0; secsip_message_get_header(m, i, &h) == 0; i++)
        ;
    secsip_message_get_verdict(m);
    secsip_message_unref(m);
}

static uint64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

/* The best of RUNS for about BYTES in pieces of len. */
static uint64_t best_of(const char *text, size_t len)
{
    uint64_t best = UINT64_MAX;

    for (int run = 0; run < RUNS; run++) {
        uint64_t from = cpu_ns();
        for (size_t done = 0; done < BYTES; done += len)
            read_public(text, len);
        uint64_t took = cpu_ns() - from;
        best = took < best ? took : best;
    }
    return best;
}

static unsigned check(const struct shape *s)
{
    static char small[2 * SMALL], large[2 * LARGE];
    size_t n_small = make(s, SMALL, small), n_large = make(s, LARGE, large);
    uint64_t a = best_of(small, n_small), b = best_of(large, n_large);
    bool bad = b > RATIO_MAX * a;

    printf("%-32s 1 kB: %6.2f ns/B  16 kB: %6.2f ns/B%s\n", s->name, (double)a / BYTES,
           (double)b / BYTES, bad ? "  <-- not linear" : "");
    return bad;
}

static void cost_is_linear_in_bytes(void **state)
{
    (void)state;
    unsigned n_bad = 0;

    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        n_bad += check(&shapes[i]);
    }
    assert_int_equal(n_bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cost_is_linear_in_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
