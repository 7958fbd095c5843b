/* What a stack shows to people: lines of the log, and messages for the trace. Layer: ua. Both come about in the middle of the core,
 * where the application must not act: they are news like all else, and given out with the other events, in their order. */
#include <stdlib.h>

#include "ua/core.h"
#include "ua/flow.h"

/* ---- The log */
struct ssi_line_news {
    struct ssi_event event;
    struct ssi_ua *ua;
    int32_t level;
    char text[SSI_LOG_LINE];
};

static void deliver_line(struct ssi_event *e, bool discard)
{
    struct ssi_line_news *n = SSI_CONTAINER(e, struct ssi_line_news, event);
    struct ssi_ua *ua = n->ua;

    if (!discard)
        ua->log.write(n->level, n->text, ua->log.user_data);
    if (ua->spare_line)
        free(n);
    else
        ua->spare_line = n;
}

/* One line is always kept in reserve: it says what came of it that memory was out. */
static void post_line(int32_t level, const char *text, void *arg)
{
    struct ssi_ua *ua = arg;
    struct ssi_line_news *n = calloc(1, sizeof *n);

    if (!n) {
        n = ua->spare_line;
        ua->spare_line = NULL;
    }
    if (!n)
        return;
    n->event.deliver = deliver_line;
    n->ua = ua;
    n->level = level;
    ssi_slice_show(ssi_slice_str(text), n->text, sizeof n->text);
    ssi_ua_post(ua, &n->event);
}

secsip_result ssi_diagnosis_init(struct ssi_ua *ua)
{
    ua->log = ua->config.log;
    if (!ua->log.write)
        return 0;
    ua->spare_line = calloc(1, sizeof *ua->spare_line);
    ua->config.log.write = post_line;
    ua->config.log.user_data = ua;
    return ua->spare_line ? 0 : SECSIP_E_NOMEM;
}

void ssi_diagnosis_end(struct ssi_ua *ua)
{
    ua->config.log.write = NULL;
    ua->config.trace = NULL;
    free(ua->spare_line);
    ua->spare_line = NULL;
}

/* ---- The trace */
struct trace_news {
    struct ssi_event event;
    struct ssi_ua *ua;
    int32_t direction;
    char peer[SSI_ADDR_TEXT];
    struct ssi_buf text; /* masked, with a NUL */
};

static void free_trace(struct trace_news *n)
{
    ssi_buf_free(&n->text);
    free(n);
}

static void deliver_trace(struct ssi_event *e, bool discard)
{
    struct trace_news *n = SSI_CONTAINER(e, struct trace_news, event);
    const struct ssi_ua_config *c = &n->ua->config;

    if (!discard && c->trace)
        c->trace(n->direction, n->peer, (const char *)n->text.data, n->text.len - 1, c->trace_data);
    free_trace(n);
}

void ssi_ua_trace(struct ssi_ua *ua, int32_t direction, const struct ssi_flow *flow,
                  struct ssi_slice message)
{
    struct trace_news *n = ua->config.trace ? calloc(1, sizeof *n) : NULL;

    if (!n)
        return;
    n->event.deliver = deliver_trace;
    n->ua = ua;
    n->direction = direction;
    ssi_addr_text(&flow->peer, n->peer);
    ssi_buf_init_secret(&n->text, message.len + 65536);
    ssi_mask_message(&n->text, message);
    ssi_buf_put_char(&n->text, 0);
    /* On a failure nothing is shown rather than something unmasked. */
    if (n->text.failed == 0)
        ssi_ua_post(ua, &n->event);
    else
        free_trace(n);
}
