/* The log, see log.h. Layer: base. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/slice.h"

void ssi_log_line(const struct ssi_log *log, int32_t level, const char *format, ...)
{
    char text[SSI_LOG_LINE];
    va_list ap;

    if (!log || !log->write || level > log->level)
        return;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    ssi_slice_show(ssi_slice_str(text), text, sizeof text);
    log->write(level, text, log->user_data);
}
