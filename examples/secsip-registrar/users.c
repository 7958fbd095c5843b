/* The users file, see users.h. Part of: examples. */
#include "users.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void wipe_line(char *line)
{
    size_t name_len = strlen(line);

    explicit_bzero(line + name_len + 1, strlen(line + name_len + 1));
    free(line);
}

void users_free(struct users *u)
{
    for (size_t i = 0; i < u->n; i++)
        wipe_line(u->lines[i]);
    free(u->lines);
    *u = (struct users){0};
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* NULL, or what is wrong. */
static const char *add_line(struct users *u, const char *line)
{
    const char *colon = strchr(line, ':');

    if (!colon || colon == line || colon[1] == '\0')
        return "not \"name:password\"";
    if (u->n == USERS_MAX)
        return "too many users";
    if (u->n == u->cap) {
        size_t cap = u->cap ? u->cap * 2 : 64;
        char **lines = realloc(u->lines, cap * sizeof(char *)); /* of pointers: no secret in it */
        if (!lines)
            return "out of memory";
        u->lines = lines;
        u->cap = cap;
    }
    char *copy = strdup(line);
    if (!copy)
        return "out of memory";
    copy[colon - line] = '\0';
    u->lines[u->n++] = copy;
    return NULL;
}

static const char *add_lines(struct users *u, FILE *in, size_t *ret_number)
{
    char line[USERS_LINE];
    const char *wrong = NULL;

    while (!wrong && fgets(line, sizeof line, in)) {
        size_t len = strcspn(line, "\r\n");
        ++*ret_number;
        if (len == sizeof line - 1)
            wrong = "too long";
        line[len] = '\0';
        if (!wrong && len > 0 && line[0] != '#')
            wrong = add_line(u, line);
    }
    explicit_bzero(line, sizeof line);
    return wrong;
}

bool users_read(const char *path, struct users *ret, char *why, size_t why_cap)
{
    struct users u = {0};
    size_t number = 0;
    FILE *in = fopen(path, "re");

    if (!in) {
        snprintf(why, why_cap, "%s: %s", path, strerror(errno));
        return false;
    }
    setvbuf(in, NULL, _IONBF, 0); /* no second copy of the secrets in a buffer */
    const char *wrong = add_lines(&u, in, &number);
    if (!wrong && ferror(in))
        wrong = "cannot be read";
    fclose(in);
    if (wrong)
        snprintf(why, why_cap, "%s: line %zu: %s", path, number, wrong);
    if (!wrong && u.n > 0) {
        qsort(u.lines, u.n, sizeof(char *), compare);
        for (size_t i = 1; i < u.n && !wrong; i++) {
            if (strcmp(u.lines[i - 1], u.lines[i]) == 0) {
                snprintf(why, why_cap, "%s: user %s stands twice", path, u.lines[i]);
                wrong = why;
            }
        }
    }
    if (wrong) {
        users_free(&u);
        return false;
    }
    *ret = u;
    return true;
}

const char *users_password(const struct users *u, const char *name)
{
    char *const *found = u->n ? bsearch(&name, u->lines, u->n, sizeof(char *), compare) : NULL;

    return found ? *found + strlen(*found) + 1 : NULL;
}

bool users_is_exposed(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && (st.st_mode & 077) != 0;
}
