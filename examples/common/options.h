/* What the command lines of the example programs share. Part of: examples. */
#ifndef EXAMPLES_OPTIONS_H
#define EXAMPLES_OPTIONS_H

#include <getopt.h>
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

/* Before anything is opened: a standard descriptor that is closed would be given to the next file or socket, and what is
 * printed would go there. Standard output is needed, the others are filled. Returns EXIT_YES or, said, EXIT_USAGE. */
int options_begin(void);
/* options_begin(), and the answer to --help or --version wherever it stands. Returns -1 to go on, or the exit code. */
int options_begin_with_help(int argc, char **argv, const char *help);
/* Flushes standard output and turns EXIT_YES into EXIT_USAGE, said, if anything that was printed there is lost. */
int options_end(int code);

/* getopt_long() for long options written out: an abbreviation is refused, for --password would be one of
 * --password-file. Returns the option, -1 behind the last one, or '?' when one was refused; the line that says so never
 * holds a value, which may be a secret. */
int options_next(int argc, char **argv, const struct option *options);

/* Decimal digits only, at most max. */
bool options_number(const char *text, uint64_t max, uint64_t *ret);
/* Packets that a key lives for: a number from 1 to 2^48, or "2^N". */
bool options_packets(const char *text, uint64_t *ret);
/* Seconds with an optional fraction, "2.5", as milliseconds; at most a day. */
bool options_seconds(const char *text, uint32_t *ret_ms);

/* The password: the first line of the file, or $SECSIP_PASSWORD when path is NULL. The result is NULL when neither is
 * there (*ret_why is NULL then) or when the file cannot be read. Free it with options_wipe(). */
char *options_password(const char *path, const char **ret_why);
/* Wipes and frees; NULL is legal. */
void options_wipe(char *secret);

#endif
