/* What the command lines of the example programs share, see options.h. Part of: examples. */
#include "options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PASSWORD_MAX = 1024
};

int options_refuse(const char *format, ...)
{
    va_list args;

    fprintf(stderr, "%s: ", program_invocation_short_name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return EXIT_USAGE;
}

bool options_number(const char *text, uint64_t max, uint64_t *ret)
{
    uint64_t v = 0;

    if (!*text)
        return false;
    for (; *text; text++) {
        unsigned digit = (unsigned)(*text - '0');
        if (digit > 9 || v > max / 10 || digit > max - v * 10)
            return false;
        v = v * 10 + digit;
    }
    *ret = v;
    return true;
}

bool options_seconds(const char *text, uint32_t *ret_ms)
{
    uint32_t ms = 0, unit = 1000;
    bool point = false, digits = false;

    for (; *text; text++) {
        unsigned digit = (unsigned)(*text - '0');
        if (*text == '.' && !point) {
            point = true;
            continue;
        }
        if (digit > 9 || ms > 86400 * 100)
            return false;
        digits = true;
        if (point)
            ms += digit * (unit /= 10);
        else
            ms = ms * 10 + digit * 1000;
    }
    *ret_ms = ms;
    return digits && ms <= 86400 * 1000;
}

void options_wipe(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

char *options_password(const char *path, const char **ret_why)
{
    char line[PASSWORD_MAX];
    const char *env = getenv("SECSIP_PASSWORD");
    char *password = NULL;

    *ret_why = NULL;
    if (!path)
        return env ? strdup(env) : NULL;
    FILE *in = fopen(path, "r");
    if (!in) {
        *ret_why = strerror(errno);
        return NULL;
    }
    setvbuf(in, NULL, _IONBF, 0); /* no second copy of the secret in a buffer */
    if (fgets(line, sizeof(line), in)) {
        line[strcspn(line, "\r\n")] = '\0';
        password = strdup(line);
    }
    if (!password)
        *ret_why = "it is empty";
    explicit_bzero(line, sizeof(line));
    fclose(in);
    return password;
}
