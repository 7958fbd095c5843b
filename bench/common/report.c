/* See report.h. */
#include "report.h"

#include <stdio.h>
#include <string.h>

static FILE *rows;
static bool check, missed, begun;

bool report_open(int argc, char **argv, const char *usage)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--check") == 0) {
            check = true;
        } else if (strcmp(argv[i], "--rows") == 0 && i + 1 < argc) {
            rows = fopen(argv[++i], "w");
            if (!rows) {
                perror(argv[i]);
                return false;
            }
        } else {
            fprintf(stderr, "%s: unknown argument %s\nusage: %s [--check] [--rows FILE]%s\n",
                    argv[0], argv[i], argv[0], usage);
            return false;
        }
    }
    return true;
}

static const char *verdict_of(const struct report_row *r)
{
    double value = r->ratio != 0 ? r->ratio : r->ours;

    if (!r->op)
        return "-";
    return (strcmp(r->op, ">=") == 0 ? value >= r->target : value <= r->target) ? "met" : "missed";
}

/* Four digits that count, right-aligned; the empty text for what there is not. */
static void show(bool there, double v, int width)
{
    int digits = v >= 1000 ? 0 : v >= 100 ? 1 : v >= 10 ? 2 : 3;

    if (there)
        printf(" %*.*f", width, digits, v);
    else
        printf(" %*s", width, "");
}

void report(const struct report_row *r)
{
    const char *verdict = verdict_of(r);

    missed |= strcmp(verdict, "missed") == 0;
    if (!begun)
        printf("%-54s %9s %-6s %9s %9s %7s %12s\n", "", "ours", "", "peer", "", "ratio", "target");
    begun = true;
    printf("%-54s", r->what);
    show(true, r->ours, 9);
    printf(" %-6s %9s", r->unit, r->peer ? r->peer : "");
    show(r->peer != NULL, r->theirs, 9);
    show(r->ratio != 0, r->ratio, 7);
    if (r->op)
        printf(" %4s %7g  %s", r->op, r->target, verdict);
    printf("\n");
    fflush(stdout);
    if (!rows)
        return;
    fprintf(rows, "%s\t%s\t%.9g\t%s\t%.9g\t%.9g\t%s\t%.9g\t%s\n", r->what, r->unit, r->ours,
            r->peer ? r->peer : "", r->theirs, r->ratio, r->op ? r->op : "", r->target, verdict);
    fflush(rows); /* or processes forked later write it again */
}

int report_close(void)
{
    if (rows && fclose(rows) != 0) {
        perror("the file of --rows");
        return 2;
    }
    return check && missed;
}
