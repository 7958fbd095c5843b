/* doc/transactions.md is made from the tables. As a test: is it up to date? With --write: makes it. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "txn/table.h"

#define DOC TEST_SOURCE "/doc/transactions.md"

static const char *const span_names[] = {
    [SSI_TXN_NEVER] = "not started",
    [SSI_TXN_AT_ONCE] = "0",
    [SSI_TXN_T1] = "T1",
    [SSI_TXN_T4] = "T4",
    [SSI_TXN_64_T1] = "64*T1",
    [SSI_TXN_32_S] = "32 s",
    [SSI_TXN_200_MS] = "200 ms",
    [SSI_TXN_E_AT_T2] = "T1 + 2*T1 + ... up to T2 (3.5 s)",
    [SSI_TXN_SPAN_C] = "timer_c_ms (181 s)",
};

static const char *event_name(const struct ssi_txn_machine *m, const struct ssi_txn_row *row,
                              enum ssi_txn_event event)
{
    if (event == SSI_TXN_REPEAT)
        return row->repeat ? ssi_txn_timers[row->repeat].name : NULL;
    if (event == SSI_TXN_EXPIRE)
        return row->expire && row->expire != SSI_TXN_T_C ? ssi_txn_timers[row->expire].name : NULL;
    return ssi_txn_event_name(m->is_client, event);
}

static const char *next_name(const struct ssi_txn_machine *m, const struct ssi_txn_cell *cell)
{
    return cell->next == SSI_TXN_TERMINATED ? "Terminated" : m->rows[cell->next].name;
}

static bool says_nothing(const struct ssi_txn_cell *cell, int state)
{
    return (int)cell->next == state && cell->actions[0] == SSI_TXN_DO_NOTHING;
}

static void put_actions(FILE *f, const struct ssi_txn_cell *cell, const char *none)
{
    const char *between = "";

    for (size_t i = 0; i < 4 && cell->actions[i] != SSI_TXN_DO_NOTHING; i++) {
        fprintf(f, "%s%s", between, ssi_txn_action_name(cell->actions[i]));
        between = ", ";
    }
    if (cell->actions[0] == SSI_TXN_DO_NOTHING)
        fputs(none, f);
}

static void put_picture(FILE *f, const struct ssi_txn_machine *m)
{
    fprintf(f, "```mermaid\nstateDiagram-v2\n    [*] --> %s\n", m->rows[m->first].name);
    for (int state = 0; state < SSI_TXN_STATES; state++) {
        const struct ssi_txn_row *row = &m->rows[state];
        for (int event = 0; row->name && event < SSI_TXN_EVENTS; event++) {
            const struct ssi_txn_cell *cell = &row->cells[event];
            const char *name = event_name(m, row, (enum ssi_txn_event)event);
            if (!name || says_nothing(cell, state) || cell->actions[0] == SSI_TXN_DO_REFUSE)
                continue;
            fprintf(f, "    %s --> %s : %s", row->name,
                    cell->next == SSI_TXN_TERMINATED ? "[*]" : next_name(m, cell), name);
            if (cell->actions[0] != SSI_TXN_DO_NOTHING)
                fputs(" / ", f);
            put_actions(f, cell, "");
            fputc('\n', f);
        }
    }
    fputs("```\n\n", f);
}

static void put_table(FILE *f, const struct ssi_txn_machine *m)
{
    fputs("| state | event | next | actions | rule (RFC and section) |\n|---|---|---|---|---|\n",
          f);
    for (int state = 0; state < SSI_TXN_STATES; state++) {
        const struct ssi_txn_row *row = &m->rows[state];
        for (int event = 0; row->name && event < SSI_TXN_EVENTS; event++) {
            const struct ssi_txn_cell *cell = &row->cells[event];
            const char *name = event_name(m, row, (enum ssi_txn_event)event);
            if (!name)
                continue;
            fprintf(f, "| %s | %s | %s | ", row->name, name, next_name(m, cell));
            put_actions(f, cell, "-");
            fprintf(f, " | %s |\n", cell->rule);
        }
    }
    fputc('\n', f);
}

static char *render(void)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);

    if (!f)
        return NULL;
    fputs("# Transactions\n\nMade by `test_txn_doc --write` from `lib/txn/table.c`; a test reports "
          "drift. TU is the user of "
          "the\ntransaction. How 2xx responses to INVITE are sent again is said at the top of "
          "`lib/txn/txn.h`.\n\n",
          f);
    for (int kind = 0; kind < SSI_TXN_KINDS; kind++) {
        const struct ssi_txn_machine *m = &ssi_txn_machines[kind];
        fprintf(f, "## %s\n\n", m->name);
        put_picture(f, m);
        put_table(f, m);
    }
    fputs("## Timers\n\nT1 is 500 ms, T2 4 s, T4 5 s, unless configured otherwise.\n\n"
          "| timer | unreliable flow | reliable flow | then |\n|---|---|---|---|\n",
          f);
    for (int t = SSI_TXN_T_A; t < SSI_TXN_TIMERS; t++) {
        const struct ssi_txn_timer_info *info = &ssi_txn_timers[t];
        fprintf(f, "| %s | %s | %s | %s |\n", info->name, span_names[info->unreliable],
                span_names[info->reliable],
                !info->doubles   ? "once"
                : info->up_to_t2 ? "doubles up to T2"
                                 : "doubles");
    }
    fclose(f);
    return text;
}

static void the_picture_is_that_of_the_tables(void **state)
{
    (void)state;
    char *expected = render();
    size_t len = strlen(expected);
    char *found = calloc(1, len + 2);
    FILE *f = fopen(DOC, "r");
    size_t n = f ? fread(found, 1, len + 1, f) : 0;
    bool same = n == len && memcmp(found, expected, len) == 0;

    if (f)
        fclose(f);
    free(found);
    free(expected);
    if (!same)
        fail_msg("%s is not up to date: run test_txn_doc --write", DOC);
}

static int write_doc(void)
{
    char *text = render();
    FILE *f = text ? fopen(DOC, "w") : NULL;
    int r = 1;

    if (f) {
        fputs(text, f);
        r = fclose(f) == 0 ? 0 : 1;
    }
    free(text);
    return r;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--write") == 0)
        return write_doc();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_picture_is_that_of_the_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
