/* What the files of a flow share: flow.c its life, flow_connect.c its making, flow_input.c what comes in, flow_keep.c its
 * timer, flow_limit.c what it may cost. Layer: ua, for these files only. */
#ifndef SSI_UA_FLOW_PARTS_H
#define SSI_UA_FLOW_PARTS_H

#include "ua/flow.h"

enum {
    SSI_FLOW_PING_AFTER_S = 100, /* RFC 5626 4.4.1: 95 to 120 s for connection-oriented flows */
};

/* flow.c: a flow in the stack's list, with the list's reference only. NULL: no memory. */
struct ssi_flow *ssi_flow_new(struct ssi_ua *ua, secsip_tls_profile *profile, bool incoming);
/* Nobody watches and nothing runs over it. */
bool ssi_flow_is_unused(const struct ssi_flow *f);
void ssi_flow_close_unused(struct ssi_flow *f);
/* Into the TLS session or the clear buffer of an open flow. */
secsip_result ssi_flow_write(struct ssi_flow *f, struct ssi_slice bytes);
void ssi_flow_peer_text(struct ssi_flow *f, struct ssi_error *e);
void ssi_flow_fail_tls(struct ssi_flow *f);
void ssi_flow_fail_with(struct ssi_flow *f, secsip_result result, const char *what);

/* flow_connect.c: this address failed: the next one, or the end. A flow that was open once does not move to another server
 * silently. */
void ssi_flow_fail(struct ssi_flow *f, const struct ssi_error *why);
secsip_result ssi_flow_start_tls(struct ssi_flow *f);

/* flow_keep.c: of f->timer. */
void ssi_flow_on_timer(void *arg);

/* flow_limit.c */
bool ssi_flow_is_over_limit(const struct ssi_ua *ua);
/* Brings the sum up to date; false when the stack holds too much and this flow more than its part. */
bool ssi_flow_count_buffered(struct ssi_flow *f);

#endif
