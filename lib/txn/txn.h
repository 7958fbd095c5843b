/* The four transactions of RFC 3261 17 with RFC 6026 and RFC 4320, as tables. Layer: txn. No I/O, no clock: bytes go out
 * through the flow, time comes from the timers of the stack. Hash by branch + sent-by + method; nothing scans.
 *
 * Ownership: a transaction keeps the bytes it may have to send again and a reference on its flow, and frees itself at its
 * end, after on_gone. Callers hold borrowed pointers and drop them in on_gone. */
#ifndef SSI_TXN_TXN_H
#define SSI_TXN_TXN_H

#include "base/buf.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/timer.h"
#include "sip/msg.h"

struct ssi_txn;
struct ssi_txn_layer;

/* What a transaction sends on; the first member of every flow of the stack. */
struct ssi_txn_flow {
    /* Queues bytes; never fails in a way that the caller must handle at once: a dead flow reports itself through
     * ssi_txn_flow_failed(). The bytes are copied. */
    void (*send)(struct ssi_txn_flow *flow, struct ssi_slice bytes);
    struct ssi_txn_flow *(*ref)(struct ssi_txn_flow *flow);
    void (*unref)(struct ssi_txn_flow *flow);
    bool reliable;
    struct ssi_list txns; /* of the transactions that use it */
};
void ssi_txn_flow_init(struct ssi_txn_flow *flow);

struct ssi_txn_config {
    uint32_t t1_ms, t2_ms, t4_ms; /* zero: 500, 4000, 5000 */
    uint32_t timer_c_ms;          /* of proxies, zero: 181000 */
    uint32_t max_transactions;    /* zero: 100000 */
};

/* What happens to a client transaction; called from within input, expiry and flow_failed. */
struct ssi_txn_client_ops {
    /* Every provisional and the final response; for INVITE also each further 2xx (RFC 6026 Accepted). */
    void (*on_response)(struct ssi_txn *t, struct ssi_sip_msg *m, void *arg);
    /* Instead of a final response: SECSIP_E_UA_TRANSACTION_TIMEOUT, SECSIP_E_UA_FLOW_FAILED or another transport error. */
    void (*on_failed)(struct ssi_txn *t, secsip_result why, void *arg);
    void (*on_gone)(struct ssi_txn *t, void *arg); /* last call */
};

struct ssi_txn_server_ops {
    void (*on_cancel)(struct ssi_txn *t, struct ssi_sip_msg *cancel, void *arg); /* INVITE; 200 to CANCEL was sent */
    void (*on_ack)(struct ssi_txn *t, struct ssi_sip_msg *ack, void *arg);       /* ACK of a non-2xx final, may be NULL */
    void (*on_failed)(struct ssi_txn *t, secsip_result why, void *arg);          /* no ACK in time, flow lost */
    void (*on_gone)(struct ssi_txn *t, void *arg);
};

/* Where requests and strays go. */
struct ssi_txn_layer_ops {
    /* A new request with its server transaction; t is NULL for an ACK that matches none (the ACK of a 2xx). The callee
     * sets the transaction's ops with ssi_txn_server_set and must respond some time. */
    void (*on_request)(void *arg, struct ssi_txn *t, struct ssi_sip_msg *m, struct ssi_txn_flow *flow);
    /* A response that matches no client transaction (late 2xx; a proxy forwards it). */
    void (*on_stray_response)(void *arg, struct ssi_sip_msg *m, struct ssi_txn_flow *flow);
};

struct ssi_txn_layer {
    struct ssi_hash clients;
    struct ssi_hash servers;
    struct ssi_hash merged; /* From tag + Call-ID + CSeq, for RFC 3261 8.2.2.2 */
    struct ssi_list all;
    struct ssi_timers *timers;
    struct ssi_txn_config config;
    const struct ssi_txn_layer_ops *ops;
    void *arg;
    uint32_t n_live;
};

secsip_result ssi_txn_layer_init(struct ssi_txn_layer *l, const struct ssi_txn_config *config,
                                 struct ssi_timers *timers, const struct ssi_txn_layer_ops *ops, void *arg);
/* Ends every transaction without a word to the peers; on_gone is called for each. */
void ssi_txn_layer_free(struct ssi_txn_layer *l);
/* A message from a flow. Takes no reference beyond the call unless the callee does. A request with a fault is answered
 * here, statelessly, with fault.status. */
void ssi_txn_input(struct ssi_txn_layer *l, struct ssi_sip_msg *m, struct ssi_txn_flow *flow,
                   const char *source_ip, uint16_t source_port);
/* Every transaction of the flow fails. */
void ssi_txn_flow_failed(struct ssi_txn_layer *l, struct ssi_txn_flow *flow, secsip_result why);

/* Sends a request: `request` holds the whole message (moved in, the caller's buffer is empty afterwards) with topmost
 * Via `branch` and sent-by. The first send happens inside the call. SECSIP_E_LIMIT, SECSIP_E_NOMEM. */
secsip_result ssi_txn_client_new(struct ssi_txn_layer *l, struct ssi_txn_flow *flow, enum ssi_sip_method method,
                                 struct ssi_slice branch, struct ssi_buf *request, const struct ssi_txn_client_ops *ops,
                                 void *arg, struct ssi_txn **ret);
/* Sends CANCEL for an INVITE client transaction as soon as RFC 3261 9.1 allows (after the first provisional). Its own
 * response is of no interest. Void when a final response has come. */
secsip_result ssi_txn_client_cancel(struct ssi_txn *t);
/* Gives the transaction up: no further callback but on_gone, which comes before this returns. */
void ssi_txn_drop(struct ssi_txn *t);
void *ssi_txn_arg(const struct ssi_txn *t);
struct ssi_txn_flow *ssi_txn_flow_of(const struct ssi_txn *t);

/* Server side. */
void ssi_txn_server_set(struct ssi_txn *t, const struct ssi_txn_server_ops *ops, void *arg);
/* The request, borrowed for the life of the transaction. */
struct ssi_sip_msg *ssi_txn_request(const struct ssi_txn *t);
/* Sends a response; `response` is moved in. 1xx may be sent any number of times, then one final. SECSIP_E_STATE after a
 * final (but further 2xx of an INVITE, as a proxy forwards them, are legal). */
secsip_result ssi_txn_respond(struct ssi_txn *t, int status, struct ssi_buf *response);
/* The same with a message made here: status, standard phrase, Content-Length 0, `to_tag` (NULL: a fresh one). */
secsip_result ssi_txn_respond_status(struct ssi_txn *t, int status, const char *to_tag);
/* Where the request came from, for received and rport. */
void ssi_txn_source(const struct ssi_txn *t, const char **ret_ip, uint16_t *ret_port);

#endif
