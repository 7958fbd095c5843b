/* doc/calls.md is made from the table of lib/ua/call_step.c. As a test: is it up to date? With --write: makes it. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "ua/call.h"

#define DOC TEST_SOURCE "/doc/calls.md"

static const char *const phases[] = {
    [SSI_CALL_CONNECT] = "Connect",     [SSI_CALL_INVITING] = "Inviting",
    [SSI_CALL_CANCELLED] = "Cancelled", [SSI_CALL_OFFERED] = "Offered",
    [SSI_CALL_ACCEPTED] = "Accepted",   [SSI_CALL_TALKING] = "Talking",
    [SSI_CALL_LEAVING] = "Leaving",     [SSI_CALL_OVER] = "Over",
};

static const char *const inputs[] = {
    [SSI_CALL_FLOW_OPEN] = "connection open",
    [SSI_CALL_FLOW_LOST] = "connection lost",
    [SSI_CALL_PROVISIONAL] = "1xx",
    [SSI_CALL_SUCCESS] = "2xx",
    [SSI_CALL_REFUSAL] = "3xx to 6xx",
    [SSI_CALL_NO_ANSWER] = "no final response",
    [SSI_CALL_RING] = "application rings",
    [SSI_CALL_ANSWER] = "application answers",
    [SSI_CALL_HANGUP] = "application hangs up",
    [SSI_CALL_CANCEL] = "CANCEL",
    [SSI_CALL_ACK] = "ACK",
    [SSI_CALL_NO_ACK] = "no ACK in 64*T1",
    [SSI_CALL_REINVITE] = "INVITE",
    [SSI_CALL_BYE] = "BYE",
    [SSI_CALL_MODIFY] = "application wants a change",
    [SSI_CALL_MODIFIED] = "2xx to our re-INVITE",
    [SSI_CALL_UNMODIFIED] = "re-INVITE refused, or no response",
    [SSI_CALL_UPDATE] = "UPDATE",
    [SSI_CALL_BYE_DONE] = "BYE answered, lost, or silence for 4 s",
    [SSI_CALL_GONE] = "481 or silence to OPTIONS",
};

static void put_doc(FILE *f)
{
    fprintf(f, "# Calls\n\nMade by `test_ua_doc --write` from `lib/ua/call_step.c`; a test reports "
               "drift, and\n"
               "`tests/ua/test_peer.c` and `test_modify.c` go through every row. Sections are "
               "those of RFC 3261. "
               "What has no row is too late\n"
               "to matter; a request is then refused with 481.\n\n"
               "| phase | what happens | what the call does | section |\n|---|---|---|---|\n");
    for (int p = 0; p < SSI_CALL_N_PHASES; p++)
        for (int i = 0; i < SSI_CALL_N_INPUTS; i++) {
            const struct ssi_call_cell *c =
                ssi_call_cell((enum ssi_call_phase)p, (enum ssi_call_input)i);
            if (c->handler)
                fprintf(f, "| %s | %s | %s | %s |\n", phases[p], inputs[i], c->does, c->rule);
        }
}

static void the_page_is_up_to_date(void **state)
{
    static char made[65536], kept[65536];
    FILE *f = fmemopen(made, sizeof made, "w");

    (void)state;
    assert_non_null(f);
    put_doc(f);
    fclose(f);
    f = fopen(DOC, "r");
    assert_non_null(f);
    kept[fread(kept, 1, sizeof kept - 1, f)] = 0;
    fclose(f);
    assert_string_equal(kept, made);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_page_is_up_to_date)};

    if (argc > 1 && strcmp(argv[1], "--write") == 0) {
        FILE *f = fopen(DOC, "w");
        if (!f)
            return 2;
        put_doc(f);
        return fclose(f) ? 2 : 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
