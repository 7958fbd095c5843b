/* What every benchmark tells of its figures, so that bench/run can make one table of them all. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdbool.h>

struct report_row {
    const char *what; /* "parse and read the routing set" */
    const char *unit; /* "us" */
    double ours;
    const char *peer; /* NULL: none */
    double theirs;
    /* what the target is about, 0: `ours` itself. Mostly how many times as fast as the peer; or ours by another figure of ours. */
    double ratio;
    /* ">=" or "<=" and the target, NULL: the row is for information. */
    const char *op;
    double target;
};

/* Takes --check and --rows FILE out of the arguments; false with a message for any other. */
bool report_open(int argc, char **argv, const char *usage);
/* One figure: a line of the table on stdout, and of FILE (tab-separated, in the order of struct report_row, with the
 * verdict "met", "missed" or "-" at the end). */
void report(const struct report_row *row);
/* The exit code: 1 when --check was given and a target was missed, 2 when FILE could not be written. */
int report_close(void);

#endif
