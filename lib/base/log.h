/* The log: a callback that the stack's owner gave. Layer: base. No secret and no message body with a=crypto is ever
 * given to it; callers mask first. */
#ifndef SSI_BASE_LOG_H
#define SSI_BASE_LOG_H

#include <stdint.h>

enum ssi_log_level {
    SSI_LOG_ERROR = 1,
    SSI_LOG_WARNING = 2,
    SSI_LOG_INFO = 3,
    SSI_LOG_DEBUG = 4,
};

enum {
    SSI_LOG_LINE = 512, /* bytes, with the NUL */
};

struct ssi_log {
    void (*write)(int32_t level, const char *text, void *user_data); /* NULL: no log */
    void *user_data;
    int32_t level; /* lines above it are not made */
};

/* One line, cut at 511 bytes, control bytes shown as '?'. log may be NULL. */
void ssi_log_line(const struct ssi_log *log, int32_t level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
