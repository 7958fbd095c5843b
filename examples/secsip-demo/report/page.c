/* A growing text for the report, see page.h. Part of: secsip-demo's report. */
#include "page.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for n more bytes and a NUL, or NULL. */
static char *reserve(struct page *p, size_t n)
{
    size_t cap = p->cap ? p->cap : 4096;

    if (p->failed)
        return NULL;
    while (cap - p->len <= n)
        cap *= 2;
    if (cap != p->cap) {
        char *data = realloc(p->data, cap);
        if (!data) {
            p->failed = true;
            return NULL;
        }
        p->data = data;
        p->cap = cap;
    }
    return p->data + p->len;
}

static void put(struct page *p, const char *text, size_t n)
{
    char *to = reserve(p, n);

    if (to) {
        memcpy(to, text, n);
        p->len += n;
    }
}

void page_free(struct page *p)
{
    free(p->data);
    *p = (struct page){0};
}

void page_put(struct page *p, const char *text)
{
    put(p, text, strlen(text));
}

void page_format(struct page *p, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof(text))
        p->failed = true;
    else
        put(p, text, (size_t)n);
}

static const char *entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void page_escape(struct page *p, const char *text)
{
    for (; *text; text++) {
        const char *e = entity(*text);
        put(p, e ? e : text, e ? strlen(e) : 1);
    }
}

void page_bytes(struct page *p, const void *data, size_t len)
{
    const char *bytes = data;

    for (size_t i = 0; i < len; i++) {
        char c = bytes[i];
        const char *e = entity(c);
        bool plain = (c >= ' ' && c <= '~') || c == '\n' || c == '\t';
        if (c == '\r' && i + 1 < len && bytes[i + 1] == '\n')
            continue;
        put(p, e ? e : plain ? &bytes[i] : ".", e ? strlen(e) : 1);
    }
}

void page_base64(struct page *p, const void *data, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *b = data;
    char *to = reserve(p, (len + 2) / 3 * 4);

    if (!to)
        return;
    for (size_t i = 0; i < len; i += 3) {
        uint32_t v = (uint32_t)b[i] << 16 | (i + 1 < len ? b[i + 1] : 0U) << 8 |
                     (i + 2 < len ? b[i + 2] : 0U);
        *to++ = digits[v >> 18];
        *to++ = digits[v >> 12 & 63];
        *to++ = i + 1 < len ? digits[v >> 6 & 63] : '=';
        *to++ = i + 2 < len ? digits[v & 63] : '=';
    }
    p->len += (len + 2) / 3 * 4;
}
