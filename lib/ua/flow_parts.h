/* What the files of a flow share: flow.c its life, flow_connect.c its making, flow_input.c what comes in, flow_keep.c its
 * timer, flow_limit.c what it may cost, flow_udp.c what is different with UDP, flow_news.c what is said
 * when it fails. Layer: ua, for these files only. */
#ifndef SSI_UA_FLOW_PARTS_H
#define SSI_UA_FLOW_PARTS_H

#include "ua/flow.h"

enum {
    SSI_TRACE_SENT = 1, /* as in <secsip/stack.h> */
    SSI_TRACE_RECEIVED = 2,
};

/* flow.c: a flow in the stack's list, with the list's reference only. NULL: no memory. */
struct ssi_flow *ssi_flow_new(struct ssi_ua *ua, secsip_tls_profile *profile, bool incoming);
/* Of a dead flow: the watch hears why. */
void ssi_flow_tell_failed(struct ssi_flow *f, struct ssi_flow_watch *w);
/* Nobody watches and nothing runs over it. */
bool ssi_flow_is_unused(const struct ssi_flow *f);
void ssi_flow_close_unused(struct ssi_flow *f);
/* Into the TLS session or the clear buffer of an open flow. */
secsip_result ssi_flow_write(struct ssi_flow *f, struct ssi_slice bytes);

/* flow_news.c: ends the flow with an error. */
void ssi_flow_peer_text(struct ssi_flow *f, struct ssi_error *e);
void ssi_flow_fail_tls(struct ssi_flow *f);
void ssi_flow_fail_with(struct ssi_flow *f, secsip_result result, const char *what);
/* The same for the check "connection": how it ended. */
void ssi_flow_fail_ended(struct ssi_flow *f, secsip_result result, const char *what,
                         const char *found);

/* flow_connect.c: this address failed: the next one, or the end. A flow that was open once does not move to another server
 * silently. */
void ssi_flow_fail(struct ssi_flow *f, const struct ssi_error *why);
secsip_result ssi_flow_start_tls(struct ssi_flow *f);
/* The peer said something. */
void ssi_flow_note_heard(struct ssi_flow *f);

/* flow_race.c: the targets of a client, in the order to try. SECSIP_E_NOMEM. */
secsip_result ssi_race_new(struct ssi_flow *f, const struct ssi_locate_result *located);
/* Begins an attempt if there is one to begin now; false when none runs and none is left. May end the flow. */
bool ssi_race_next(struct ssi_flow *f);
/* This one is connected: the others are closed. */
void ssi_race_won(struct ssi_flow_link *link);
/* This one failed, the driver has forgotten it: it is freed, and its address is in flow->peer. */
void ssi_race_lost(struct ssi_flow_link *link);
/* Closes what connects; failed: none of them was heard of in time. Does nothing where there is no race, like _free. */
void ssi_race_stop(struct ssi_flow *f, bool failed);
void ssi_race_free(struct ssi_flow *f);
/* A link that is in no list; NULL: no memory. */
struct ssi_flow_link *ssi_flow_new_link(struct ssi_flow *f);
/* Closes and frees it. */
void ssi_flow_drop_link(struct ssi_flow_link *link);

/* flow_input.c: it can carry messages now: timers, what waits, those who watch. */
void ssi_flow_become_open(struct ssi_flow *f);
/* Gives a message that came over it to the transactions; takes the reference. */
void ssi_flow_take_message(struct ssi_flow *f, struct ssi_sip_msg *m);

/* flow_alias.c: a request that came over it offers the connection for ours (RFC 5923), if it does. */
void ssi_flow_note_alias(struct ssi_flow *f, const struct ssi_sip_msg *m);
/* An accepted connection whose peer proved to be the target, under the same profile; borrowed, NULL: none. */
struct ssi_flow *ssi_flow_find_alias(const struct ssi_ua *ua, const struct ssi_flow_target *target);

/* flow_keep.c: of f->timer and f->half. */
void ssi_flow_on_timer(void *arg);
void ssi_flow_on_half_timer(void *arg);
/* After bytes came: begins or ends the watch on a message that is not whole. */
void ssi_flow_watch_half(struct ssi_flow *f, bool took_one);
/* It is open: keep-alives, or the watch on idleness, begin. */
void ssi_flow_begin_keeping(struct ssi_flow *f);

/* flow_limit.c: whether the stack takes one more connection. */
bool ssi_flow_is_over_limit(struct ssi_ua *ua);
/* Whether it takes one more from this peer; what is refused is noted in the log, now and then. */
bool ssi_flow_may_accept(struct ssi_ua *ua, const struct ssi_addr *peer);
/* Counts an accepted flow for its address; SECSIP_E_NOMEM. Undone by ssi_flow_uncount. */
secsip_result ssi_flow_count(struct ssi_flow *f);
void ssi_flow_uncount(struct ssi_flow *f);
/* An accepted flow begins to shake hands: the oldest that does makes room where there are too many. */
void ssi_flow_handshake_begins(struct ssi_flow *f);
void ssi_flow_handshake_ends(struct ssi_flow *f);
/* Brings the sum up to date; false when the stack holds too much and this flow more than its part. */
bool ssi_flow_count_buffered(struct ssi_flow *f);

#endif
