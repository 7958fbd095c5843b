/* Errors with their texts, see core.h. Layer: ua. */
#include "ua/core.h"

#include <stdarg.h>
#include <stdio.h>

void ssi_error_set(struct ssi_error *e, secsip_result result, const char *format, ...)
{
    memset(e, 0, sizeof *e);
    e->result = result;
    const char *standard = secsip_result_text(result);
    if (!format) {
        snprintf(e->text, sizeof e->text, "%s", standard);
        return;
    }
    char detail[sizeof e->text];
    va_list ap;
    va_start(ap, format);
    vsnprintf(detail, sizeof detail, format, ap);
    va_end(ap);
    size_t room = sizeof e->text - strlen(standard) - 3;
    snprintf(e->text, sizeof e->text, "%s: %.*s", standard, (int)room, detail);
}

void ssi_error_check(struct ssi_error *e, const char *check, struct ssi_slice expected,
                     struct ssi_slice found)
{
    ssi_slice_show(ssi_slice_str(check), e->check, sizeof e->check);
    ssi_slice_show(expected, e->expected, sizeof e->expected);
    ssi_slice_show(found, e->found, sizeof e->found);
}

void ssi_error_view(const struct ssi_error *e, secsip_error *ret)
{
    *ret = (secsip_error){
        .size = sizeof *ret,
        .result = e->result,
        .status = e->status,
        .text = e->text,
        .check = e->check,
        .expected = e->expected,
        .found = e->found,
        .peer = e->peer,
        .certificate = e->certificate,
    };
}
