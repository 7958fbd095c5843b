/* What the command lines of the example programs share, see options.h. Part of: examples. */
#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <secsip/version.h>

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

int options_begin(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0)
            continue;
        if (fd == STDOUT_FILENO)
            return options_refuse("standard output is closed");
        if (open("/dev/null", O_WRONLY) !=
            fd) /* the lowest that is free; reading fails as before */
            return options_refuse("/dev/null: %s", strerror(errno));
    }
    return EXIT_YES;
}

int options_end(int code)
{
    bool lost = fflush(stdout) != 0 || ferror(stdout);

    return lost && code == EXIT_YES ? options_refuse("standard output cannot be written") : code;
}

int options_begin_with_help(int argc, char **argv, const char *help)
{
    int code = options_begin();

    for (int i = 1; code == EXIT_YES && i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            fputs(help, stdout);
            return options_end(EXIT_YES);
        }
        if (strcmp(argv[i], "--version") == 0) {
            printf("%s %s\n", program_invocation_short_name, secsip_version_string());
            return options_end(EXIT_YES);
        }
    }
    return code == EXIT_YES ? -1 : code;
}

/* The option that getopt_long() comes to next, or NULL. */
static const char *coming_option(int argc, char **argv)
{
    for (int i = optind; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (argv[i][0] == '-' && argv[i][1] != '\0')
            return argv[i];
    return NULL;
}

static bool is_option(const struct option *options, const char *given, size_t len)
{
    for (; options->name; options++)
        if (strlen(options->name) == len - 2 && memcmp(options->name, given + 2, len - 2) == 0)
            return true;
    return false;
}

int options_next(int argc, char **argv, const struct option *options)
{
    const char *given = coming_option(argc, argv);
    bool is_long = given && given[1] == '-';
    size_t len = !given ? 0 : is_long ? strcspn(given, "=") : 2;

    if (given && (!is_long || !is_option(options, given, len))) {
        options_refuse("'%.*s' is no option; see --help", (int)len, given);
        return '?';
    }
    opterr = 0;
    int c = getopt_long(argc, argv, ":", options, NULL);
    if (c != ':' && c != '?')
        return c;
    options_refuse("%.*s %s; see --help", (int)len, given ? given : "",
                   c == ':' ? "needs a value" : "takes no value");
    return '?';
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

bool options_packets(const char *text, uint64_t *ret)
{
    uint64_t v;

    if (strncmp(text, "2^", 2) == 0) {
        if (!options_number(text + 2, 48, &v))
            return false;
        *ret = UINT64_C(1) << v;
        return true;
    }
    return options_number(text, UINT64_C(1) << 48, ret) && *ret > 0;
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
    errno = 0;
    setvbuf(in, NULL, _IONBF, 0); /* no second copy of the secret in a buffer */
    if (fgets(line, sizeof(line), in)) {
        line[strcspn(line, "\r\n")] = '\0';
        password = strdup(line);
    }
    if (!password)
        *ret_why = ferror(in) ? strerror(errno) : "it is empty";
    explicit_bzero(line, sizeof(line));
    fclose(in);
    return password;
}
