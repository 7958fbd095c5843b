/* Lines of facts, see differ.h. */
#include "differ.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void facts_reset(struct facts *f)
{
    f->len = 0;
    f->text[0] = '\0';
    f->prefix[0] = '\0';
}

void facts_prefix(struct facts *f, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(f->prefix, sizeof f->prefix, format, ap);
    va_end(ap);
}

static void put_byte(struct facts *f, unsigned char c)
{
    if (f->len + 8 > sizeof f->text)
        abort();
    if (c >= 0x20 && c != '\\')
        f->text[f->len++] = (char)c;
    else
        f->len += (size_t)snprintf(f->text + f->len, 5, "\\x%02x", c);
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void put_value(struct facts *f, const char *v, size_t n, enum fact_form form)
{
    while (n > 0 && is_blank(v[n - 1]))
        n--;
    while (n > 0 && is_blank(*v)) {
        v++;
        n--;
    }
    bool quoted = form == FACT_QUOTED && n >= 2 && v[0] == '"';
    size_t from = f->len;
    size_t end = quoted ? n - 1 : n;
    for (size_t i = quoted; i < end; i++) {
        unsigned char c = (unsigned char)v[i];
        if (quoted && c == '\\' && i + 1 < end)
            c = (unsigned char)v[++i];
        else if (form == FACT_ESCAPED && c == '%' && i + 2 < end && hex(v[i + 1]) >= 0 &&
                 hex(v[i + 2]) >= 0) {
            c = (unsigned char)(hex(v[i + 1]) * 16 + hex(v[i + 2]));
            i += 2;
        } else if (is_blank((char)c)) { /* white space of any length is one space */
            while (i + 1 < end && is_blank(v[i + 1]))
                i++;
            c = ' ';
        } else if (form == FACT_LOWER && c >= 'A' && c <= 'Z') {
            c = (unsigned char)(c + 32);
        }
        put_byte(f, c);
    }
    /* What was inside of quotes or escaped is trimmed too: no library keeps more than another. */
    while (f->len > from && f->text[f->len - 1] == ' ')
        f->len--;
    size_t lead = 0;
    while (from + lead < f->len && f->text[from + lead] == ' ')
        lead++;
    memmove(f->text + from, f->text + from + lead, f->len - from - lead);
    f->len -= lead;
}

void facts_put_n(struct facts *f, const char *key, const void *value, size_t len,
                 enum fact_form form)
{
    f->len += (size_t)snprintf(f->text + f->len, sizeof f->text - f->len, "%s%s\t", f->prefix, key);
    put_value(f, value, len, form);
    f->text[f->len++] = '\n';
    f->text[f->len] = '\0';
}

void facts_put(struct facts *f, const char *key, const char *value, enum fact_form form)
{
    if (value)
        facts_put_n(f, key, value, strlen(value), form);
}

void facts_put_number(struct facts *f, const char *key, int64_t number)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long)number);
    facts_put(f, key, text, FACT_PLAIN);
}

/* From p to the next byte of `ends` outside quotes. */
static size_t span(const char *p, size_t n, const char *ends)
{
    bool quoted = false;

    for (size_t i = 0; i < n; i++) {
        if (quoted && p[i] == '\\')
            i++;
        else if (p[i] == '"')
            quoted = !quoted;
        else if (!quoted && p[i] && strchr(ends, p[i]))
            return i;
    }
    return n;
}

void facts_put_params(struct facts *f, const char *params, char separator, bool of_uri)
{
    const char ends[2] = {separator, '\0'};
    size_t len = params ? strlen(params) : 0;

    for (size_t at = span(params, len, ends); at < len;) {
        static struct facts name;
        char key[256];
        const char *p = params + at + 1;
        size_t n = span(p, len - at - 1, ends);
        size_t eq = span(p, n, "=");
        facts_reset(&name);
        put_value(&name, p, eq, of_uri ? FACT_ESCAPED : FACT_PLAIN);
        for (size_t i = 0; i < name.len; i++)
            if (name.text[i] >= 'A' && name.text[i] <= 'Z')
                name.text[i] += 32;
        snprintf(key, sizeof key, "%s.%.*s", of_uri ? "uparam" : "param", (int)name.len, name.text);
        bool has_value = eq < n;
        facts_put_n(f, key, has_value ? p + eq + 1 : "", has_value ? n - eq - 1 : 0,
                    of_uri ? FACT_ESCAPED : FACT_QUOTED);
        at += 1 + n;
    }
}
