/* The JSON writer of the example programs, see json.h. Part of: examples. The writer owns its buffer. */
#include "json.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void json_init(struct json *j)
{
    *j = (struct json){0};
}

void json_free(struct json *j)
{
    free(j->data);
    json_init(j);
}

static void put(struct json *j, const void *p, size_t n)
{
    if (j->failed)
        return;
    if (n > j->cap - j->len) {
        size_t cap = j->cap ? j->cap : 256;
        while (cap - j->len < n) {
            if (cap > SIZE_MAX / 2) {
                j->failed = true;
                return;
            }
            cap *= 2;
        }
        char *data = realloc(j->data, cap);
        if (!data) {
            j->failed = true;
            return;
        }
        j->data = data;
        j->cap = cap;
    }
    memcpy(j->data + j->len, p, n);
    j->len += n;
}

static void put_str(struct json *j, const char *s)
{
    put(j, s, strlen(s));
}

/* Bytes of the UTF-8 character at p, or 0 when there is none (RFC 3629 section 4). */
static size_t utf8_len(const unsigned char *p, size_t n)
{
    unsigned char low = 0x80, high = 0xBF;
    size_t len;

    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xC2 && p[0] <= 0xDF)
        len = 2;
    else if ((p[0] & 0xF0) == 0xE0)
        len = 3;
    else if (p[0] >= 0xF0 && p[0] <= 0xF4)
        len = 4;
    else
        return 0;
    if (p[0] == 0xE0)
        low = 0xA0; /* no overlong form */
    else if (p[0] == 0xED)
        high = 0x9F; /* no surrogates */
    else if (p[0] == 0xF0)
        low = 0x90;
    else if (p[0] == 0xF4)
        high = 0x8F; /* nothing above U+10FFFF */
    if (n < len || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    return len;
}

static void put_escaped(struct json *j, const unsigned char *p, size_t len)
{
    char escape[8];

    put(j, "\"", 1);
    for (size_t i = 0; i < len;) {
        size_t n = utf8_len(p + i, len - i);
        unsigned char c = p[i];
        if (c == '"' || c == '\\') {
            escape[0] = '\\';
            escape[1] = (char)c;
            put(j, escape, 2);
        } else if (n == 0 || c < 0x20 || c == 0x7F) {
            const char *shorts = c == '\n' ? "\\n" : c == '\r' ? "\\r" : c == '\t' ? "\\t" : NULL;
            if (!shorts)
                snprintf(escape, sizeof(escape), "\\u%04x", c);
            put_str(j, shorts ? shorts : escape);
        } else {
            put(j, p + i, n);
        }
        i += n ? n : 1;
    }
    put(j, "\"", 1);
}

static void put_key(struct json *j, const char *key)
{
    if (j->comma)
        put(j, ",", 1);
    if (key) {
        put_escaped(j, (const unsigned char *)key, strlen(key));
        put(j, ":", 1);
    }
    j->comma = true;
}

static void open_with(struct json *j, const char *key, const char *bracket)
{
    put_key(j, key);
    put_str(j, bracket);
    j->comma = false;
}

static void close_with(struct json *j, const char *bracket)
{
    put_str(j, bracket);
    j->comma = true;
}

void json_object(struct json *j, const char *key)
{
    open_with(j, key, "{");
}

void json_end_object(struct json *j)
{
    close_with(j, "}");
}

void json_array(struct json *j, const char *key)
{
    open_with(j, key, "[");
}

void json_end_array(struct json *j)
{
    close_with(j, "]");
}

void json_string(struct json *j, const char *key, const char *text)
{
    if (text)
        json_bytes(j, key, text, strlen(text));
    else
        json_null(j, key);
}

void json_bytes(struct json *j, const char *key, const void *p, size_t len)
{
    put_key(j, key);
    put_escaped(j, p, len);
}

void json_int(struct json *j, const char *key, int64_t v)
{
    char text[32];

    snprintf(text, sizeof(text), "%" PRId64, v);
    put_key(j, key);
    put_str(j, text);
}

void json_uint(struct json *j, const char *key, uint64_t v)
{
    char text[32];

    snprintf(text, sizeof(text), "%" PRIu64, v);
    put_key(j, key);
    put_str(j, text);
}

void json_real(struct json *j, const char *key, double v, int decimals)
{
    char text[512]; /* a double has at most 309 digits before the point */

    put_key(j, key);
    if (isfinite(v))
        snprintf(text, sizeof(text), "%.*f", decimals < 17 ? decimals : 17, v);
    put_str(j, isfinite(v) ? text : "null");
}

void json_bool(struct json *j, const char *key, bool v)
{
    put_key(j, key);
    put_str(j, v ? "true" : "false");
}

void json_null(struct json *j, const char *key)
{
    put_key(j, key);
    put_str(j, "null");
}

bool json_line(struct json *j, FILE *out)
{
    put(j, "\n", 1);
    bool ok = !j->failed && fwrite(j->data, 1, j->len, out) == j->len && fflush(out) == 0;
    j->len = 0;
    j->failed = false;
    j->comma = false;
    return ok;
}
