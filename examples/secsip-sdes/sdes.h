/* What the files of secsip-sdes share. Part of: examples. */
#ifndef EXAMPLES_SDES_H
#define EXAMPLES_SDES_H

#include <secsip/secsip.h>

#include "json.h"
#include "options.h"

struct options {
    secsip_sdes_config config;
    bool has_policy;
    bool json;
    bool show_keys;
    uint32_t port;
    const char *address;
    const char *offer; /* a file */
};

/* The whole of standard input, or of a file; at most a mebibyte, NUL-terminated. Free with options_wipe() on *ret_text
 * (it may hold keys). False after a line on stderr. */
bool input_read(const char *path, char **ret_text, size_t *ret_len);
/* One a=crypto line as a member, an element, or the line itself. */
void show_line(struct json *j, const char *key, int media, const secsip_sdes_lines *lines,
               uint32_t n, bool show_keys);
/* What a session agreed on, as members of the object that is open. */
void show_agreement(struct json *j, secsip_sdes_session *s, bool show_keys);
/* {"name":...,"text":...} or null; the offset is left out when negative. */
void show_error(struct json *j, secsip_result r, const char *text, int64_t offset);

/* The commands; each returns the exit code. */
int run_parse(const struct options *o);
int run_offer(const struct options *o);
int run_answer(const struct options *o);
int run_accept(const struct options *o);

#endif
