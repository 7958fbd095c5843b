/* What two scenes come to: the report's data, and whether the demo has shown what it promised. Part of: secsip-demo.
 * The verdict owns the sounds and texts of its report until verdict_free(); the scenes must live as long. */
#ifndef DEMO_VERDICT_H
#define DEMO_VERDICT_H

#include "report/report.h"
#include "scene.h"

enum {
    VERDICT_CHECKS = 16,
    VERDICT_HOPS = 3,
    VERDICT_TEXT = 400
};

/* One condition, and what was found. */
struct verdict_check {
    const char *name;
    const char *text; /* the condition as a sentence */
    bool ok;
};

/* What one scene adds: the texts and messages its report_call points to. */
struct verdict_call {
    struct report_message messages[SCENE_MESSAGES + 1];
    struct report_hop hops[VERDICT_HOPS];
    char protection[VERDICT_HOPS][VERDICT_TEXT];
    char peer[VERDICT_HOPS][VERDICT_TEXT];
    char media[VERDICT_TEXT];
    char flow_line[VERDICT_TEXT];
    char flow_text[1024];
};

struct verdict {
    struct report report;
    struct verdict_call clear;
    struct verdict_call secure;
    struct verdict_check checks[VERDICT_CHECKS];
    size_t n_checks;
    char date[64];
    char sentence[512];
};

/* False when memory is out. */
bool verdict_make(struct verdict *v, const struct scene *clear, const struct scene *secure);
void verdict_free(struct verdict *v);

#endif
