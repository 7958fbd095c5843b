/* What flows may cost. Layer: ua. */
#include "ua/flow_parts.h"

enum {
    SPARED_BYTES = 4096, /* a flow that holds no more is not closed for what others hold */
};

bool ssi_flow_is_over_limit(const struct ssi_ua *ua)
{
    return ua->n_flows >= ua->config.max_connections;
}

/* Brings the sum up to date; false when the stack holds too much and this flow more than its part. */
bool ssi_flow_count_buffered(struct ssi_flow *f)
{
    struct ssi_ua *ua = f->ua;

    if (f->state == SSI_FLOW_DEAD)
        return true;
    size_t n = f->framer.buf.len + f->out.len + f->waiting.len;
    if (f->tls)
        n += ssi_tls_session_output(f->tls)->len;
    bool grew = n > f->n_buffered;
    ua->n_buffered += n;
    ua->n_buffered -= f->n_buffered;
    f->n_buffered = n;
    return !grew || n <= SPARED_BYTES || ua->n_buffered <= ua->config.max_buffered_bytes;
}
