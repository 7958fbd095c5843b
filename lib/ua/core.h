/* The core: what all flows, registrations and calls of one stack share. Layer: ua. No I/O, no clock: lib/ua/io.h.
 *
 * News for the application is queued (ssi_ua_post) and given out by ssi_ua_dispatch when the core's state is consistent:
 * no callback runs in the middle of the core, so a callback may call anything. */
#ifndef SSI_UA_CORE_H
#define SSI_UA_CORE_H

#include "base/hash.h"
#include "base/list.h"
#include "base/log.h"
#include "base/timer.h"
#include "sip/digest.h"
#include "sip/frame.h"
#include "sip/verdict.h"
#include "tls/tls.h"
#include "txn/txn.h"
#include "ua/down.h"
#include "ua/io.h"
#include "ua/names.h"

struct ssi_flow;

/* What went wrong, with its texts; copied into events. */
struct ssi_error {
    secsip_result result; /* 0: no error */
    int32_t status;
    char text[640];
    char check[24];
    char expected[192];
    char found[256];
    char peer[SSI_ADDR_TEXT + 8];
    char certificate[384]; /* the peer's, where it is about one */
};

/* Fills the result and a sentence: the standard text of the result, then ": " and the formatted detail (NULL: none). */
void ssi_error_set(struct ssi_error *e, secsip_result result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Names the check; the values are shown without control bytes and cut. */
void ssi_error_check(struct ssi_error *e, const char *check, struct ssi_slice expected,
                     struct ssi_slice found);
/* The public view; borrows from e. */
void ssi_error_view(const struct ssi_error *e, secsip_error *ret);

/* News on its way to the application. */
struct ssi_event {
    struct ssi_list node;
    /* Gives it to the application unless `discard`, and frees it and its reference on the object. */
    void (*deliver)(struct ssi_event *e, bool discard);
};

/* Takes requests (and stray responses) that belong to no account and no dialog: the embedded registrar. */
struct ssi_ua_handler {
    /* As in struct ssi_txn_layer_ops; the flow is a struct ssi_flow. False: not taken. */
    bool (*on_request)(void *arg, struct ssi_txn *t, struct ssi_sip_msg *m, struct ssi_flow *flow);
    /* Refuses a request that never came to on_request, so that the owner hears of it; may be NULL. */
    void (*on_refused)(void *arg, struct ssi_txn *t, struct ssi_flow *flow, int status);
    bool (*on_stray_response)(void *arg, struct ssi_sip_msg *m, struct ssi_flow *flow);
    /* As in struct ssi_txn_layer_ops; may be NULL. */
    bool (*is_in_dialog)(void *arg, const struct ssi_sip_msg *m, struct ssi_flow *flow);
    void (*on_flow_closed)(void *arg, struct ssi_flow *flow);
    void (*on_detach)(void *arg); /* the stack goes; the handler is cleared */
    void *arg;
};

struct ssi_ua_config {
    const char *user_agent; /* copied */
    struct ssi_log log;
    void (*trace)(int32_t direction, const char *peer, const char *message, size_t len,
                  void *user_data);
    void (*tls_failure)(const secsip_error *error, int32_t incoming, void *user_data);
    void *trace_data; /* of both */
    struct ssi_txn_config txn;
    struct ssi_sip_limits limits;
    uint32_t max_connections;      /* zero: 10000 */
    uint32_t max_buffered_bytes;   /* zero: 64 MiB */
    uint32_t handshake_timeout_ms; /* zero: 10000 */
    /* As in secsip_stack_config; zero: 1 MiB, 1000, 2000, 600000, 30000. */
    uint32_t max_unsent_bytes;
    uint32_t max_connections_per_address;
    uint32_t max_handshakes;
    uint32_t idle_timeout_ms;
    uint32_t message_timeout_ms;
};

struct ssi_ua {
    struct ssi_io io;
    struct ssi_ua_config config;
    char user_agent[128];
    struct ssi_timers timers;
    uint64_t wall_s;
    struct ssi_txn_layer txn;
    struct ssi_list flows;
    struct ssi_list listeners;   /* struct ssi_ua_listener */
    struct ssi_list udp_sockets; /* struct ssi_udp_socket that listen */
    struct ssi_list udp_peers;   /* struct ssi_udp_side of those they know, silent ones first */
    struct ssi_list accounts;    /* struct secsip_account */
    struct ssi_list calls;       /* struct secsip_call */
    struct ssi_list events;
    struct ssi_log log; /* the owner's; config.log posts to it */
    struct ssi_line_news *spare_line;
    struct ssi_hash dialogs;       /* struct ssi_dialog, by Call-ID and local tag */
    struct ssi_hash flow_ids;      /* struct ssi_flow, by id */
    struct ssi_hash flow_targets;  /* those to a peer, by identity and target */
    struct ssi_hash account_users; /* struct ssi_account_user, by name */
    struct ssi_hash udp_addrs;     /* struct ssi_udp_side, by socket and address */
    struct ssi_ua_handler handler;
    struct ssi_list closing;    /* struct ssi_media that wait to be freed */
    struct ssi_list aliases;    /* accepted flows that their peers offer for requests to them */
    struct ssi_list handshakes; /* accepted flows that shake hands, oldest first */
    uint32_t n_handshakes;
    struct ssi_hash addresses; /* struct ssi_flow_address: who has how many accepted connections */
    uint32_t n_turned_away;    /* since the log said so last */
    uint64_t turned_away_us;   /* when it did */
    struct ssi_names names;    /* DNS answers */
    struct ssi_down down;      /* servers that did not work lately */
    uint64_t last_identity;
    uint32_t n_flows;
    uint32_t n_udp_flows; /* of them */
    uint32_t n_accepted;  /* of them */
    uint64_t n_buffered;  /* bytes that wait in the flows */
    bool dispatching;
    bool shutting_down;
    bool shutdown_expired;
    struct ssi_timer shutdown_timer;
    void (*call_tap)(int phase,
                     int input); /* tests see every step of every call; NULL: nobody looks */
};

secsip_result ssi_ua_init(struct ssi_ua *ua, const struct ssi_ua_config *config,
                          const struct ssi_io *io, uint64_t now_us, uint64_t wall_s);
/* Closes everything at once; accounts and calls that the application holds stay, dead (their `ua` is NULL). */
void ssi_ua_free(struct ssi_ua *ua);

void ssi_ua_post(struct ssi_ua *ua, struct ssi_event *e);
/* Gives out what was posted until now. Nothing when called from a callback. */
void ssi_ua_dispatch(struct ssi_ua *ua);

/* timeout_ms 0: a default. */
void ssi_ua_shutdown(struct ssi_ua *ua, uint32_t timeout_ms);
bool ssi_ua_is_idle(const struct ssi_ua *ua);

/* Accepts connections at `at`; profile NULL: clear TCP. */
secsip_result ssi_ua_listen(struct ssi_ua *ua, const struct ssi_addr *at,
                            secsip_tls_profile *profile, struct ssi_addr *ret_bound);

/* A response of the registrar's: status line and the headers that are copied; then the caller's; then the rest, and off it
 * goes, or a 500 where it finds no room. */
void ssi_ua_begin_response(struct ssi_ua *ua, struct ssi_txn *t, int status, struct ssi_buf *b);
void ssi_ua_end_response(struct ssi_ua *ua, struct ssi_txn *t, int status, struct ssi_buf *b);
/* A whole request that nobody takes: answered with `status` and what that status needs (Allow, Unsupported, ...) of an
 * element in that role. */
void ssi_ua_refuse_as(struct ssi_ua *ua, struct ssi_txn *t, int status,
                      const struct ssi_sip_element *role);
/* The same as an endpoint. */
void ssi_ua_refuse(struct ssi_ua *ua, struct ssi_txn *t, int status);
/* An Allow line with the methods of a role. */
void ssi_ua_put_allow(struct ssi_buf *b, const struct ssi_sip_element *role);
/* What this stack can do: every request is judged by one of these (ssi_sip_msg_verdict) before anything is done with it. */
extern const struct ssi_sip_element ssi_ua_endpoint, ssi_ua_registrar, ssi_ua_proxy;

/* diagnosis.c: from now on lines of config.log are events. SECSIP_E_NOMEM. */
secsip_result ssi_diagnosis_init(struct ssi_ua *ua);
/* Nothing is said any more. */
void ssi_diagnosis_end(struct ssi_ua *ua);
/* Shows a message with keys and credentials masked to the trace callback, if there is one: as an event. */
void ssi_ua_trace(struct ssi_ua *ua, int32_t direction, const struct ssi_flow *flow,
                  struct ssi_slice message);
/* Appends the message with every inline key, k= line and digest response masked. */
void ssi_mask_message(struct ssi_buf *b, struct ssi_slice message);

#endif
