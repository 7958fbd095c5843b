/* What one SIP library reads out of a message, as lines of "key<TAB>value", so that libraries can be compared. Numbers are
 * decimal, names of schemes, hosts and parameters in lower case, %-escapes undone, quoted strings without quotes and escapes,
 * folds as one space; a value that is not there has no line. */
#ifndef TESTS_DIFFER_H
#define TESTS_DIFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FACTS_MAX = 1 << 17
};

struct facts {
    char text[FACTS_MAX];
    size_t len;
    char prefix[64]; /* put before every key */
};

/* How a value is brought into its common form. */
enum fact_form {
    FACT_PLAIN,
    FACT_LOWER,
    FACT_ESCAPED, /* of a URI: %-escapes are undone */
    FACT_QUOTED,  /* maybe a quoted string */
};

void facts_reset(struct facts *f);
/* printf into the prefix: "via[%d]." */
void facts_prefix(struct facts *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* value NULL: no line. */
void facts_put(struct facts *f, const char *key, const char *value, enum fact_form form);
void facts_put_n(struct facts *f, const char *key, const void *value, size_t len,
                 enum fact_form form);
void facts_put_number(struct facts *f, const char *key, int64_t number);
/* ";a=b;c" of a header field or a URI, ",a=b,c" of a challenge: a line "param.NAME" (uparam of a URI) each. NULL is none. */
void facts_put_params(struct facts *f, const char *params, char separator, bool of_uri);

/* Each returns false when the library refuses the message. */
bool facts_of_ours(struct facts *f, const char *bytes, size_t len);
bool facts_of_osip(struct facts *f, const char *bytes, size_t len);
bool facts_of_sofia(struct facts *f, const char *bytes, size_t len);

/* Writes a well-formed message with everything that the grammar allows. Returns its length. */
size_t differ_message(uint64_t *seed, char *out, size_t cap);

#endif
