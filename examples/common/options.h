/* What the command lines of the example programs share. Part of: examples. */
#ifndef EXAMPLES_OPTIONS_H
#define EXAMPLES_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit codes of all programs. */
enum {
    EXIT_YES = 0,
    EXIT_NO = 1,    /* a negative verdict */
    EXIT_USAGE = 2, /* wrong usage or set-up */
};

/* "PROGRAM: what and why" as one line on stderr. Returns EXIT_USAGE. */
int options_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Decimal digits only, at most max. */
bool options_number(const char *text, uint64_t max, uint64_t *ret);
/* Seconds with an optional fraction, "2.5", as milliseconds; at most a day. */
bool options_seconds(const char *text, uint32_t *ret_ms);

/* The password: the first line of the file, or $SECSIP_PASSWORD when path is NULL. The result is NULL when neither is
 * there (*ret_why is NULL then) or when the file cannot be read. Free it with options_wipe(). */
char *options_password(const char *path, const char **ret_why);
/* Wipes and frees; NULL is legal. */
void options_wipe(char *secret);

#endif
