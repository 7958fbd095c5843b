/* JSON lines for the example programs: one object per line on stdout. Part of: examples.
 * A writer owns its text until json_free(). Puts cannot fail one by one: json_line() says in the end whether all went
 * well. Commas and quotes are the writer's business. Inside an array the key is NULL. */
#ifndef EXAMPLES_JSON_H
#define EXAMPLES_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct json {
    char *data;
    size_t len;
    size_t cap;
    bool failed; /* out of memory */
    bool comma;  /* the next value needs one before it */
};

/* An empty writer; zeroed memory is one too. */
void json_init(struct json *j);
void json_free(struct json *j);

void json_object(struct json *j,
                 const char *key); /* begins one: as a member, as an element, or the line itself */
void json_end_object(struct json *j);
void json_array(struct json *j, const char *key);
void json_end_array(struct json *j);

/* NUL-terminated text, NULL for null. UTF-8 is kept, control characters are escaped, and a byte that belongs to no
 * UTF-8 character is written as \u00XX. */
void json_string(struct json *j, const char *key, const char *text);
/* The same for len bytes, which may hold NUL. */
void json_bytes(struct json *j, const char *key, const void *p, size_t len);
void json_int(struct json *j, const char *key, int64_t v);
void json_uint(struct json *j, const char *key, uint64_t v);
void json_real(struct json *j, const char *key, double v,
               int decimals); /* null where v is no finite number */
void json_bool(struct json *j, const char *key, bool v);
void json_null(struct json *j, const char *key);

/* Writes the text and a newline, flushes, and empties the writer for the next line. False when memory ran out on the
 * way (nothing is written then) or `out` refused it. */
bool json_line(struct json *j, FILE *out);

#endif
