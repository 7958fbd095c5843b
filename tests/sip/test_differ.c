/* What three libraries read out of the same well-formed messages: ours, libosip2, and Sofia-SIP where it is installed. They
 * must agree; where they do not, the difference must stand in a table below with its reason and the RFC that decides. The
 * messages come from a printed seed. */
#include "test.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

#include "differ.h"
#include "seed.h"

enum {
    MESSAGES = 2000,
    TEXT_MAX = 32768,
    PEERS_MAX = 2,
};

/* A difference that is known: extended regular expressions, any case; NULL: anything. A value that is not there reads
 * "(none)". */
struct known {
    const char *key, *ours, *theirs, *message;
    const char *why;
    unsigned n; /* how often it was seen */
};

struct peer {
    const char *name;
    bool (*read)(struct facts *f, const char *bytes, size_t len);
    struct known *known;
    size_t n_known;
    const char *silent; /* keys that the peer has no type for; NULL: none */
};

#define NONE "^\\(none\\)$"
#define GAP  "([ \t]|\r\n[ \t])" /* of LWS */
/* An addr-spec without brackets, and white space before the ';' or ',' that ends it. */
#define BARE_GAP                                                                                   \
    "\n(From|f|To|t|Contact|m)[ \t]*:([^\r\n]|\r\n[ \t])*sips?:[^<>\"; ,\r\n]*" GAP "+[;,]"

static struct known known_osip[] = {
    {"^refused$", NULL, NULL, "\t", "HTAB is white space like SP (RFC 3261 25.1, LWS)", 0},
    {"^(record_)?route\\[", NULL, NULL, "\n(Record-)?Route[ \t]*:.*\t",
     "the same: lines with it are left out", 0},
    {"\\.u?param\\.", NULL, NULL, "=(\t| |\r\n)*\t(\t| |\r\n)*\"[^\r\n]*;",
     "the same: a ';' in quotes after it counts", 0},
    {"^refused$", NULL, NULL, BARE_GAP,
     "white space may stand before ';' after an addr-spec (RFC 3261 25.1, SEMI)", 0},
    {"^(from|to|contact|(record_)?route)\\[", NULL, NULL, "[:,]" GAP "*\\*" GAP "*<",
     "'*' is a token, so it may be a display name (RFC 3261 25.1)", 0},
    {"^subject\\[0\\]", NULL, NONE, "\ns[ \t]*:", "the compact form of Subject (RFC 3261 7.3.3)",
     0},
    {"^www\\[.*param\\.[xz]$", NULL, NONE, "Own x=y",
     "parameters of another scheme are kept (RFC 3261 25.1, other-challenge)", 0},
    {"^www\\[.*param\\.nonce$", "^$", NONE, NULL, "a quoted string may be empty (RFC 3261 25.1)",
     0},
};
/* libosip2 keeps these as plain text. */
static const char silent_osip[] = "^(session_expires|min_se|retry_after|supported|require|event|"
                                  "reason_header|rack|replaces|refer_to|date|authorization)";

#ifdef WITH_SOFIA
static struct known known_sofia[] = {
    {"^rack\\.", NULL, NONE, "\nRAck[ \t]*:" GAP "*[0-9]+" GAP "+[0-9]+" GAP "+NEW",
     "RAck names any method (RFC 3262 7.2, RFC 3261 25.1)", 0},
    {"^error$", NONE, "^RAck$", "NEW\r\n", "the same", 0},
    {"^date$", "^2177452799$", NULL, NULL,
     "a year has four digits and may be past 2036 (RFC 3261 25.1)", 0},
    {"^(from|to|contact)\\[", NULL, NULL, BARE_GAP,
     "white space may stand before ';' and ',' after an addr-spec (RFC 3261 25.1, SEMI)", 0},
    {"^error$", NONE, "^(From|To|Contact)$", BARE_GAP, "the same", 0},
    {"^accept\\[", NULL, NULL, "\nAccept[ \t]*:([^\r\n]|\r\n[ \t])*" GAP "+,",
     "white space may stand before ',' (RFC 3261 25.1, COMMA)", 0},
    {"^error$", NONE, "^Accept$", "\nAccept[ \t]*:([^\r\n]|\r\n[ \t])*" GAP "+,", "the same", 0},
};
#endif

static struct peer peers[PEERS_MAX] = {
    {"libosip2", facts_of_osip, known_osip, sizeof known_osip / sizeof *known_osip, silent_osip},
#ifdef WITH_SOFIA
    {"Sofia-SIP", facts_of_sofia, known_sofia, sizeof known_sofia / sizeof *known_sofia, NULL},
#endif
};

static char message[TEXT_MAX];
static size_t message_len;
static unsigned n_wrong;

/* Compiled once for each pattern: they are literals, so their addresses tell them apart. */
static bool holds(const char *text, const char *pattern)
{
    static struct {
        const char *pattern;
        regex_t regex;
    } known[64];
    size_t i = 0;

    if (!pattern)
        return true;
    while (known[i].pattern && known[i].pattern != pattern)
        i++;
    assert_true(i < sizeof known / sizeof known[0] - 1);
    if (!known[i].pattern) {
        known[i].pattern = pattern;
        assert_int_equal(regcomp(&known[i].regex, pattern, REG_EXTENDED | REG_ICASE | REG_NOSUB),
                         0);
    }
    return regexec(&known[i].regex, text ? text : "(none)", 0, NULL, 0) == 0;
}

/* ours or theirs may be NULL: it has no such line. */
static void differ(struct peer *p, const char *key, const char *ours, const char *theirs)
{
    for (size_t i = 0; i < p->n_known; i++) {
        struct known *k = &p->known[i];
        if (holds(key, k->key) && holds(ours, k->ours) && holds(theirs, k->theirs) &&
            holds(message, k->message)) {
            k->n++;
            return;
        }
    }
    if (n_wrong++ < 10)
        printf("%s: %s is '%s', to %s '%s'\n---\n%s\n---\n", p->name, key, ours ? ours : "(none)",
               p->name, theirs ? theirs : "(none)", message);
}

/* The value of a key in sorted or unsorted lines; NULL: none. Cut out into `out`. */
static const char *value_of(const struct facts *f, const char *key, char *out, size_t cap)
{
    size_t n = strlen(key);

    for (const char *p = f->text; p < f->text + f->len;) {
        const char *end = strchr(p, '\n');
        if (strncmp(p, key, n) == 0 && p[n] == '\t') {
            snprintf(out, cap, "%.*s", (int)(end - p - (long)n - 1), p + n + 1);
            return out;
        }
        p = end + 1;
    }
    return NULL;
}

static void compare(struct peer *p, const struct facts *ours, const struct facts *theirs)
{
    static char key[512], a[TEXT_MAX], b[TEXT_MAX];

    for (int turn = 0; turn < 2; turn++) {
        const struct facts *from = turn ? theirs : ours;
        for (const char *line = from->text; line < from->text + from->len;) {
            snprintf(key, sizeof key, "%.*s", (int)strcspn(line, "\t"), line);
            const char *x = value_of(ours, key, a, sizeof a);
            const char *y = value_of(theirs, key, b, sizeof b);
            bool differs = !x || !y || strcmp(x, y) != 0;
            bool is_silent = !y && p->silent && holds(key, p->silent);
            if (differs && !is_silent && (turn == 0 || !x))
                differ(p, key, x, y);
            line = strchr(line, '\n') + 1;
        }
    }
}

/* What the generator makes too seldom to count on it. */
#define REST                                                                                       \
    "Via: SIP/2.0/TLS h.test;branch=z9hG4bK1\r\nTo: <sip:b@h.test>\r\nCall-ID: 1\r\n"              \
    "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
static const char *const seldom[] = {
    "OPTIONS sip:b@h.test SIP/2.0\r\nFrom: sip:a@h.test:57257\r\n ;tag=1\r\n" REST,
    "OPTIONS sip:b@h.test SIP/2.0\r\nFrom: * <sip:a@h.test>;tag=1\r\n" REST,
    "OPTIONS sip:b@h.test SIP/2.0\r\nFrom: <sip:a@h.test>;p=\t\"a;b\";tag=1\r\n" REST,
    "OPTIONS sip:b@h.test SIP/2.0\r\nFrom: <sip:a@h.test>;tag=1\r\n"
    "Accept: application/sdp\r\n , text/plain\r\n" REST,
};

static void compare_all(void)
{
    static struct facts ours, theirs;

    if (!facts_of_ours(&ours, message, message_len))
        fail_msg("refused: %s\n%s", ours.text, message);
    for (struct peer *p = peers; p < peers + PEERS_MAX && p->name; p++) {
        if (p->read(&theirs, message, message_len))
            compare(p, &ours, &theirs);
        else
            differ(p, "refused", NULL, "");
    }
}

static void three_libraries_read_the_same(void **state)
{
    (void)state;
    uint64_t seed = test_seed();

    for (size_t i = 0; i < sizeof seldom / sizeof seldom[0]; i++) {
        message_len = strlen(seldom[i]);
        memcpy(message, seldom[i], message_len + 1);
        compare_all();
    }
    for (int i = 0; i < MESSAGES; i++) {
        message_len = differ_message(&seed, message, sizeof message - 1);
        message[message_len] = '\0';
        compare_all();
    }
    assert_int_equal(n_wrong, 0);
}

/* A row that is never needed is no known difference. */
static void every_known_difference_is_one(void **state)
{
    (void)state;
    for (struct peer *p = peers; p < peers + PEERS_MAX && p->name; p++)
        for (size_t i = 0; i < p->n_known; i++) {
            printf("%s: %s: %u times: %s\n", p->name, p->known[i].key, p->known[i].n,
                   p->known[i].why);
            assert_true(p->known[i].n > 0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_libraries_read_the_same),
        cmocka_unit_test(every_known_difference_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
