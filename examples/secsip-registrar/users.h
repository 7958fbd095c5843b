/* The users file of secsip-registrar: "name:password" a line. Part of: examples. The list owns its texts and wipes them. */
#ifndef EXAMPLES_USERS_H
#define EXAMPLES_USERS_H

#include <stdbool.h>
#include <stddef.h>

enum {
    USERS_MAX = 100000,
    USERS_LINE = 512 /* name, colon and password */
};

struct users {
    char **lines; /* sorted by name; the colon is a NUL */
    size_t n;
    size_t cap;
};

/* Reads all of it: empty lines and lines that begin with '#' are left out, the name ends at the first colon. False with
 * a sentence in `why` when the file cannot be read, a line is no user, or a name stands twice; nothing is kept then. */
bool users_read(const char *path, struct users *ret, char *why, size_t why_cap);
/* The password, or NULL; borrowed. */
const char *users_password(const struct users *u, const char *name);
void users_free(struct users *u);
/* True when anybody but the owner may read the file. */
bool users_is_exposed(const char *path);

#endif
