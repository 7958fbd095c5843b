/* Well-formed SIP messages out of the grammar of RFC 3261 25.1 and of its extensions, from a seed. Whatever the grammar leaves
 * open is thrown: spelling of names, white space, folds, quotes, escapes, order, one line or several. */
#include "differ.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seed.h"

struct gen {
    char *out;
    size_t len, cap;
    uint64_t *seed;
};

static uint32_t below(struct gen *g, uint32_t n)
{
    return test_below(g->seed, n);
}

static bool one_in(struct gen *g, uint32_t n)
{
    return below(g, n) == 0;
}

static void put_n(struct gen *g, const char *s, size_t n)
{
    if (g->len + n > g->cap)
        abort();
    memcpy(g->out + g->len, s, n);
    g->len += n;
}

static void put(struct gen *g, const char *s)
{
    put_n(g, s, strlen(s));
}

static void putf(struct gen *g, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void putf(struct gen *g, const char *format, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    put(g, text);
}

#define PICK(g, list) (list)[below(g, sizeof(list) / sizeof *(list))]

static void run_of(struct gen *g, const char *bytes, uint32_t least, uint32_t most)
{
    size_t n = strlen(bytes);

    for (uint32_t k = least + below(g, most - least + 1); k > 0; k--)
        put_n(g, bytes + below(g, (uint32_t)n), 1);
}

#define ALNUM "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* SWS, LWS */
static void sws(struct gen *g)
{
    static const char *const some[] = {" ", "  ", "\t", "\r\n ", " \r\n\t"};
    if (one_in(g, 6))
        put(g, PICK(g, some));
}

static void lws(struct gen *g)
{
    put(g, " ");
    sws(g);
}

/* SEMI, COMMA, EQUAL, SLASH, COLON */
static void separator(struct gen *g, const char *c)
{
    sws(g);
    put(g, c);
    sws(g);
}

static void token(struct gen *g)
{
    run_of(g, one_in(g, 4) ? ALNUM "-.!%*_+`'~" : ALNUM, 1, 8);
}

static void quoted(struct gen *g)
{
    static const char *const odd[] = {"\\\"", "\\\\", "\\a", ",", ";", "<", ">", "=", "\xc3\xa4"};
    put(g, "\"");
    for (uint32_t k = below(g, 5); k > 0; k--) {
        run_of(g, ALNUM " @:", 1, 6);
        if (one_in(g, 3))
            put(g, PICK(g, odd));
    }
    put(g, "\"");
}

static void host(struct gen *g)
{
    static const char *const addresses[] = {"[2001:db8::1]", "[::1]", "[2001:DB8:0:0:0:0:0:9]",
                                            "[::ffff:192.0.2.1]"};
    if (one_in(g, 4)) {
        putf(g, "192.0.2.%u", (unsigned)below(g, 256));
    } else if (one_in(g, 5)) {
        put(g, PICK(g, addresses));
    } else {
        run_of(g, ALNUM, 1, 6);
        if (one_in(g, 4))
            put(g, "-x");
        put(g, one_in(g, 2) ? ".example.COM" : ".test");
    }
}

static void port(struct gen *g)
{
    if (one_in(g, 3))
        putf(g, ":%u", 1 + (unsigned)below(g, 65535));
}

static void escape(struct gen *g)
{
    static const char *const some[] = {"%20", "%41", "%25", "%3a", "%40", "%C3%A4"};
    put(g, PICK(g, some));
}

static void userinfo(struct gen *g)
{
    for (uint32_t k = 1 + below(g, 3); k > 0; k--) {
        run_of(g, one_in(g, 3) ? ALNUM "-_.!~*'()&=+$,;?/" : ALNUM, 1, 6);
        if (one_in(g, 6))
            escape(g);
    }
    if (one_in(g, 10)) {
        put(g, ":");
        run_of(g, ALNUM "-_.!~*'()&=+$,", 1, 6);
    }
    put(g, "@");
}

static void uri_params(struct gen *g)
{
    static const char *const known[] = {";lr",           ";transport=tls",   ";transport=TCP",
                                        ";user=phone",   ";maddr=192.0.2.9", ";ttl=3",
                                        ";method=INVITE"};
    uint32_t first = below(g, 7);

    for (uint32_t k = below(g, 3), i = 0; k > 0; k--, i++)
        put(g, known[(first + i * 2) % 7]); /* two of them never share a name */
    if (one_in(g, 5)) {
        putf(g, ";x%u", (unsigned)below(g, 100));
        if (one_in(g, 2)) {
            put(g, "=");
            run_of(g, ALNUM "-_.!~*'()[]/:&+$", 1, 6);
            if (one_in(g, 4))
                escape(g);
        }
    }
}

enum place {
    IN_REQUEST_LINE,
    IN_BRACKETS,
    IN_CONTACT, /* headers may follow */
    BARE,
};

static void sip_uri(struct gen *g, enum place place)
{
    static const char *const schemes[] = {"sip:", "sip:", "sips:", "SIP:"};

    put(g, PICK(g, schemes));
    if (place == BARE) { /* no ',', ';' and '?' outside of brackets (RFC 3261 20) */
        run_of(g, ALNUM "-_.!~*'()&=+$", 1, 8);
        put(g, "@");
        host(g);
        port(g);
        return;
    }
    if (!one_in(g, 5))
        userinfo(g);
    host(g);
    port(g);
    uri_params(g);
    if (place == IN_CONTACT && one_in(g, 8))
        put(g, one_in(g, 2) ? "?subject=a%20b" : "?a=b&priority=urgent");
}

static void any_uri(struct gen *g, enum place place)
{
    static const char *const others[] = {
        "tel:+1-201-555-0123", "tel:7042;phone-context=example.com", "http://www.example.com/a/b",
        "mailto:a@example.com", "urn:service:sos"};
    if (place != BARE && one_in(g, 6))
        put(g, PICK(g, others));
    else
        sip_uri(g, place);
}

/* generic-param, each name once */
static void header_params(struct gen *g, uint32_t most)
{
    for (uint32_t k = below(g, most + 1), i = 0; i < k; i++) {
        separator(g, ";");
        putf(g, "%c%u", one_in(g, 2) ? 'p' : 'P', (unsigned)i);
        if (one_in(g, 3))
            continue;
        separator(g, "=");
        if (one_in(g, 4))
            quoted(g);
        else
            token(g);
    }
}

static void name_addr(struct gen *g, bool sip_only)
{
    if (one_in(g, 3)) {
        quoted(g);
        sws(g);
    } else if (one_in(g, 3)) {
        for (uint32_t k = 1 + below(g, 2); k > 0; k--) {
            token(g);
            lws(g);
        }
    }
    put(g, "<");
    if (sip_only)
        sip_uri(g, IN_BRACKETS);
    else
        any_uri(g, IN_BRACKETS);
    put(g, ">");
}

static void header(struct gen *g, const char *full, const char *compact)
{
    if (compact && one_in(g, 3)) {
        put(g, compact);
    } else {
        for (const char *p = full; *p; p++) {
            char c = *p;
            if (one_in(g, 20))
                c ^= (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ? 0x20 : 0;
            put_n(g, &c, 1);
        }
    }
    if (one_in(g, 8))
        put(g, " ");
    put(g, ":");
    if (!one_in(g, 5))
        put(g, " ");
    sws(g);
}

static void end_line(struct gen *g)
{
    put(g, "\r\n");
}

/* The next element of a list: in the same line or in another. */
static void next_element(struct gen *g, const char *full, const char *compact)
{
    if (one_in(g, 2)) {
        separator(g, ",");
    } else {
        end_line(g);
        header(g, full, compact);
    }
}

/* ---- Header fields. */
static void via(struct gen *g)
{
    static const char *const transports[] = {"TLS", "UDP", "TCP", "SCTP", "TLS-SCTP"};

    if (one_in(g, 8)) {
        put(g, "SIP");
        separator(g, "/");
        put(g, "2.0");
        separator(g, "/");
    } else {
        put(g, "SIP/2.0/");
    }
    put(g, PICK(g, transports));
    lws(g);
    host(g);
    port(g);
    separator(g, ";");
    put(g, one_in(g, 6) ? "Branch=z9hG4bK" : "branch=z9hG4bK");
    run_of(g, ALNUM, 3, 12);
    if (one_in(g, 4))
        put(g, one_in(g, 2) ? ";rport" : ";rport=5061");
    if (one_in(g, 5))
        put(g, one_in(g, 2) ? ";received=192.0.2.77" : ";received=2001:db8::77");
    if (one_in(g, 8))
        put(g, ";ttl=16;maddr=224.2.0.1");
    header_params(g, one_in(g, 4));
}

static void vias(struct gen *g)
{
    header(g, "Via", "v");
    via(g);
    for (uint32_t k = below(g, 3); k > 0; k--) {
        next_element(g, "Via", "v");
        via(g);
    }
    end_line(g);
}

static void party(struct gen *g, const char *full, const char *compact, bool tagged)
{
    header(g, full, compact);
    if (one_in(g, 5))
        sip_uri(g, BARE);
    else
        name_addr(g, false);
    if (tagged) {
        separator(g, ";");
        put(g, "tag=");
        run_of(g, ALNUM "-.", 1, 10);
    }
    header_params(g, one_in(g, 4));
    end_line(g);
}

static void from(struct gen *g)
{
    party(g, "From", "f", true);
}

static void to(struct gen *g)
{
    party(g, "To", "t", one_in(g, 2));
}

static void call_id(struct gen *g)
{
    header(g, "Call-ID", "i");
    run_of(g, ALNUM "-.!%*_+`'~()<>:\\\"/[]?{}", 1, 12);
    if (one_in(g, 2)) {
        put(g, "@");
        host(g);
    }
    end_line(g);
}

static void contacts(struct gen *g)
{
    header(g, "Contact", "m");
    for (uint32_t k = 1 + below(g, 2);;) {
        if (one_in(g, 5)) {
            sip_uri(g, BARE);
        } else {
            if (one_in(g, 3)) {
                quoted(g);
                put(g, " ");
            }
            put(g, "<");
            if (one_in(g, 6))
                any_uri(g, IN_BRACKETS);
            else
                sip_uri(g, IN_CONTACT);
            put(g, ">");
        }
        if (one_in(g, 3))
            putf(g, ";expires=%u", (unsigned)below(g, 7200));
        if (one_in(g, 4))
            put(g, ";q=0.7");
        header_params(g, one_in(g, 4));
        if (--k == 0)
            break;
        next_element(g, "Contact", "m");
    }
    end_line(g);
}

static void routes(struct gen *g, const char *name)
{
    header(g, name, NULL);
    for (uint32_t k = 1 + below(g, 3);;) {
        name_addr(g, true);
        header_params(g, one_in(g, 5));
        if (--k == 0)
            break;
        next_element(g, name, NULL);
    }
    end_line(g);
}

static void route(struct gen *g)
{
    routes(g, "Route");
}

static void record_route(struct gen *g)
{
    routes(g, "Record-Route");
}

static void number(struct gen *g, const char *full, const char *compact, uint32_t most)
{
    header(g, full, compact);
    if (one_in(g, 6))
        put(g, "00");
    putf(g, "%u", (unsigned)(most < UINT32_MAX ? below(g, most + 1) : below(g, UINT32_MAX)));
}

static void max_forwards(struct gen *g)
{
    number(g, "Max-Forwards", NULL, 255);
    end_line(g);
}

static void expires(struct gen *g)
{
    number(g, "Expires", NULL, UINT32_MAX);
    end_line(g);
}

static void min_expires(struct gen *g)
{
    number(g, "Min-Expires", NULL, 86400);
    end_line(g);
}

static void rseq(struct gen *g)
{
    number(g, "RSeq", NULL, UINT32_MAX);
    end_line(g);
}

static void session_expires(struct gen *g)
{
    number(g, "Session-Expires", "x", 86400);
    if (one_in(g, 2)) {
        separator(g, ";");
        put(g, one_in(g, 2) ? "refresher=uac" : "refresher=uas");
    }
    end_line(g);
}

static void min_se(struct gen *g)
{
    number(g, "Min-SE", NULL, 86400);
    header_params(g, one_in(g, 5));
    end_line(g);
}

static void retry_after(struct gen *g)
{
    number(g, "Retry-After", NULL, 86400);
    if (one_in(g, 3))
        put(g, " (in a (short) while)");
    if (one_in(g, 3))
        put(g, ";duration=60");
    end_line(g);
}

static void tokens(struct gen *g, const char *full, const char *compact, const char *const *list,
                   uint32_t n)
{
    header(g, full, compact);
    uint32_t at = below(g, n);
    for (uint32_t k = 1 + below(g, 3);; at++) {
        put(g, list[at % n]);
        if (--k == 0)
            break;
        next_element(g, full, compact);
    }
    end_line(g);
}

static void allow(struct gen *g)
{
    static const char *const list[] = {"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "NEWMETHOD"};
    tokens(g, "Allow", NULL, list, 6);
}

static void supported(struct gen *g)
{
    static const char *const list[] = {"100rel", "timer", "outbound", "gruu", "x.y"};
    tokens(g, "Supported", "k", list, 5);
}

static void require(struct gen *g)
{
    static const char *const list[] = {"100rel", "timer", "foo", "bar"};
    tokens(g, "Require", NULL, list, 4);
}

static void accept(struct gen *g)
{
    static const char *const list[] = {"application/sdp", "text/plain;charset=utf-8", "*/*;q=0.1",
                                       "text/*", "application / x-private"};
    tokens(g, "Accept", NULL, list, 5);
}

static void event(struct gen *g)
{
    header(g, "Event", "o");
    put(g, one_in(g, 2) ? "presence" : "dialog.winfo");
    if (one_in(g, 3))
        put(g, ";id=7");
    header_params(g, one_in(g, 3));
    end_line(g);
}

static void reason(struct gen *g)
{
    header(g, "Reason", NULL);
    for (uint32_t k = 1 + below(g, 2);;) {
        put(g, one_in(g, 2) ? "SIP" : "Q.850");
        if (!one_in(g, 3)) {
            separator(g, ";");
            putf(g, "cause=%u", (unsigned)below(g, 700));
        }
        if (one_in(g, 2)) {
            separator(g, ";");
            put(g, "text=");
            quoted(g);
        }
        if (--k == 0)
            break;
        next_element(g, "Reason", NULL);
    }
    end_line(g);
}

static void rack(struct gen *g)
{
    header(g, "RAck", NULL);
    putf(g, "%u", 1 + (unsigned)below(g, 4000000000U));
    lws(g);
    putf(g, "%u", (unsigned)below(g, 2147483647));
    lws(g);
    put(g, one_in(g, 2) ? "INVITE" : "NEW");
    end_line(g);
}

static void replaces(struct gen *g)
{
    header(g, "Replaces", NULL);
    run_of(g, ALNUM "-.", 1, 8);
    put(g, "@");
    run_of(g, ALNUM, 1, 8);
    put(g, one_in(g, 2) ? ";to-tag=1;from-tag=ab" : " ; from-tag=0 ;to-tag=x.y");
    if (one_in(g, 3))
        put(g, ";early-only");
    end_line(g);
}

static void refer_to(struct gen *g)
{
    header(g, "Refer-To", "r");
    name_addr(g, true);
    header_params(g, one_in(g, 4));
    end_line(g);
}

static void date(struct gen *g)
{
    static const char *const list[] = {
        "Sat, 13 Nov 2010 23:29:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT",
        "Tue, 29 Feb 2000 12:34:56 GMT", "Fri, 31 Dec 2038 23:59:59 GMT"};
    header(g, "Date", NULL);
    put(g, PICK(g, list));
    end_line(g);
}

static void subject(struct gen *g)
{
    header(g, "Subject", "s");
    run_of(g, ALNUM " ,;:\"<>", 1, 12);
    put(g, "x");
    end_line(g);
}

static void unknown(struct gen *g)
{
    for (uint32_t k = 1 + below(g, 2); k > 0; k--) {
        putf(g, "X-%c%u: ", "aB"[below(g, 2)], (unsigned)below(g, 100));
        run_of(g, ALNUM " ,;=()<>@/\"", 1, 20);
        put(g, "x");
        if (one_in(g, 4))
            put(g, "\r\n folded");
        end_line(g);
    }
}

static void digest_params(struct gen *g)
{
    static const char *const optional[] = {"opaque=\"o\\\"p\"",     "stale=true",
                                           "algorithm=SHA-256",     "algorithm=MD5",
                                           "qop=\"auth,auth-int\"", "qop=\"auth\""};
    put(g, "Digest ");
    put(g, one_in(g, 2) ? "realm=\"example.com\"" : "realm=\"a, b\"");
    separator(g, ",");
    put(g, "nonce=");
    quoted(g);
    uint32_t at = below(g, 6);
    for (uint32_t k = below(g, 3); k > 0; k--, at += 2) {
        separator(g, ",");
        put(g, optional[at % 6]);
    }
}

static void www(struct gen *g)
{
    header(g, "WWW-Authenticate", NULL);
    digest_params(g);
    if (one_in(g, 3)) {
        end_line(g);
        header(g, "WWW-Authenticate", NULL);
        if (one_in(g, 3))
            put(g, "Own x=y, z=\"1\"");
        else
            digest_params(g);
    }
    end_line(g);
}

static void authorization(struct gen *g)
{
    header(g, "Authorization", NULL);
    put(g, "Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:b\", "
           "response=\"00112233445566778899aabbccddeeff\"");
    if (one_in(g, 2))
        put(g, ", qop=auth, nc=00000001, cnonce=\"c\"");
    end_line(g);
}

/* ---- The message. */
static const struct {
    void (*write)(struct gen *g);
    uint32_t one_in; /* 1: always */
} fields[] = {
    {vias, 1},     {from, 1},        {to, 1},           {call_id, 1},
    {contacts, 2}, {route, 3},       {record_route, 3}, {max_forwards, 2},
    {expires, 4},  {min_expires, 6}, {rseq, 6},         {session_expires, 5},
    {min_se, 6},   {retry_after, 6}, {allow, 4},        {supported, 4},
    {require, 6},  {accept, 5},      {event, 6},        {reason, 5},
    {rack, 6},     {replaces, 6},    {refer_to, 6},     {date, 5},
    {subject, 5},  {unknown, 3},     {www, 5},          {authorization, 6},
};
enum {
    N_FIELDS = sizeof fields / sizeof fields[0]
};

static void start_line(struct gen *g, const char *method)
{
    static const char *const responses[] = {
        "180 Ringing", "200 OK", "401 Unauthorized", "404 ", "488 Not  Acceptable \xc3\xa4 here",
        "699 x"};
    if (!method) {
        putf(g, "SIP/2.0 %s\r\n", PICK(g, responses));
        return;
    }
    putf(g, "%s ", method);
    any_uri(g, IN_REQUEST_LINE);
    put(g, " SIP/2.0\r\n");
}

size_t differ_message(uint64_t *seed, char *out, size_t cap)
{
    static const char *const methods[] = {"INVITE",  "OPTIONS",   "REGISTER", "BYE",
                                          "MESSAGE", "NEWMETHOD", "n!e-w.1"};
    struct gen g = {.out = out, .cap = cap, .seed = seed};
    const char *method = PICK(&g, methods);
    bool is_request = !one_in(&g, 3);
    int order[N_FIELDS];

    start_line(&g, is_request ? method : NULL);
    for (int i = 0; i < N_FIELDS; i++) {
        int at = (int)below(&g, (uint32_t)i + 1);
        order[i] = order[at];
        order[at] = i;
    }
    for (int i = 0; i < N_FIELDS; i++)
        if (one_in(&g, fields[order[i]].one_in))
            fields[order[i]].write(&g);
    number(&g, "CSeq", NULL, 2147483647);
    lws(&g);
    put(&g, method);
    end_line(&g);
    uint32_t body = one_in(&g, 2) ? 0 : 1 + below(&g, 40);
    if (body > 0) {
        header(&g, "Content-Type", "c");
        put(&g, one_in(&g, 2) ? "text/plain" : "application/x;y=\"z;\"");
        end_line(&g);
    }
    header(&g, "Content-Length", "l");
    putf(&g, "%u\r\n\r\n", (unsigned)body);
    for (uint32_t i = 0; i < body; i++)
        run_of(&g, ALNUM " ", 1, 1);
    return g.len;
}
