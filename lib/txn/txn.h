/* The four transactions of RFC 3261 17 with RFC 6026 and RFC 4320, as tables. Layer: txn. No I/O, no clock: bytes go out
 * through the flow, time comes from the timers of the stack. Hash by branch + sent-by + method; nothing scans.
 *
 * Ownership: a transaction keeps the bytes it may have to send again and a reference on its flow, and frees itself at its
 * end, after on_gone. Callers hold borrowed pointers and drop them in on_gone. Any callback may drop any transaction, the
 * one that calls included.
 *
 * Who sends a 2xx of INVITE again: its author, that is the dialog of the UA core, at T1 doubling up to T2, until the ACK
 * comes or 64*T1 have passed (RFC 3261 13.3.1.4), each time with ssi_txn_respond() while the transaction is in Accepted,
 * or on the flow itself. The transaction sends each 2xx once, keeps no copy, absorbs the INVITE when it comes again, and
 * hands the ACK to the layer's on_request with no transaction. Who sends the ACK of a 2xx: the dialog, too. Everything
 * else that has to be sent again is sent again here. */
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
     * ssi_txn_flow_failed(), later: send never calls back into this layer. The bytes are copied. */
    void (*send)(struct ssi_txn_flow *flow, struct ssi_slice bytes);
    struct ssi_txn_flow *(*ref)(struct ssi_txn_flow *flow);
    void (*unref)(struct ssi_txn_flow *flow);
    bool reliable;
    struct ssi_list txns; /* of the transactions that use it */
    /* NULL, or asked for each new request: the flow that carries it instead, with a reference for the caller and the
     * request's Via changed to it, because the request is too large for a datagram (RFC 3261 18.1.1); NULL: this one. */
    struct ssi_txn_flow *(*carrier)(struct ssi_txn_flow *flow, struct ssi_buf *request);
};
void ssi_txn_flow_init(struct ssi_txn_flow *flow);

struct ssi_txn_config {
    uint32_t t1_ms, t2_ms, t4_ms; /* zero: 500, 4000, 5000 */
    uint32_t timer_c_ms;          /* of proxies, zero: 181000 */
    uint32_t
        max_transactions; /* zero: 100000; those inside dialogs have an eighth more, and eight */
    /* A proxy forwards a request that reached it by two ways; a UA answers the second with 482 (RFC 3261 8.2.2.2). True:
     * the layer does not, and its user asks ssi_txn_is_merged(). */
    bool allow_merged;
};

/* What happens to a client transaction; called from within input, expiry and flow_failed. */
struct ssi_txn_client_ops {
    /* Every provisional and the final response; for INVITE also each further 2xx (RFC 6026 Accepted). */
    void (*on_response)(struct ssi_txn *t, struct ssi_sip_msg *m, void *arg);
    /* Instead of a final response: SECSIP_E_UA_TRANSACTION_TIMEOUT, SECSIP_E_UA_FLOW_FAILED or another transport error. */
    void (*on_failed)(struct ssi_txn *t, secsip_result why, void *arg);
    void (*on_gone)(struct ssi_txn *t, void *arg); /* last call */
    /* It is a proxy's: the responses have more Vias than ours. Those of others that have are discarded (RFC 3261 8.1.3.3). */
    bool forwards;
};

struct ssi_txn_server_ops {
    void (*on_cancel)(struct ssi_txn *t, struct ssi_sip_msg *cancel,
                      void *arg); /* INVITE; 200 to CANCEL was sent */
    void (*on_ack)(struct ssi_txn *t, struct ssi_sip_msg *ack,
                   void *arg); /* ACK of a non-2xx final, may be NULL */
    void (*on_failed)(struct ssi_txn *t, secsip_result why,
                      void *arg); /* no ACK in time, flow lost */
    void (*on_gone)(struct ssi_txn *t, void *arg);
};

/* Where requests and strays go. */
struct ssi_txn_layer_ops {
    /* A new request with its server transaction; t is NULL for an ACK that matches none (the ACK of a 2xx). The callee
     * sets the transaction's ops with ssi_txn_server_set and must respond some time. */
    void (*on_request)(void *arg, struct ssi_txn *t, struct ssi_sip_msg *m,
                       struct ssi_txn_flow *flow);
    /* A response that matches no client transaction of this flow; its sent-by may be anybody's. It is dropped (RFC 6026 7.3: nor does a proxy forward
     * it); this is for counting only. May be NULL. */
    void (*on_stray_response)(void *arg, struct ssi_sip_msg *m, struct ssi_txn_flow *flow);
    /* Whether a request with a To tag belongs to a dialog of the user, or to one that it forwards for, and may come over
     * this flow: what anybody can write does not count. Asked only above max_transactions, for each such request: it
     * must cost little, and nothing may be done. NULL: there are no dialogs. */
    bool (*is_in_dialog)(void *arg, const struct ssi_sip_msg *m, struct ssi_txn_flow *flow);
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
    /* NULL, or called before each step of a table with enum ssi_txn_kind, ssi_txn_state and ssi_txn_event (table.h): for
     * tests and traces. */
    void (*tap)(void *arg, struct ssi_txn *t, uint8_t kind, uint8_t state, uint8_t event);
};

secsip_result ssi_txn_layer_init(struct ssi_txn_layer *l, const struct ssi_txn_config *config,
                                 struct ssi_timers *timers, const struct ssi_txn_layer_ops *ops,
                                 void *arg);
/* Ends every transaction without a word to the peers; on_gone is called for each. */
void ssi_txn_layer_free(struct ssi_txn_layer *l);
/* A message from a flow. Takes no reference beyond the call unless the callee does. source_ip is never NULL.
 * Answered here, without a transaction: a request with a fault (fault.status), a merged request (482), any request above
 * max_transactions and the 17th that shares its branch and sent-by, or what names a request of RFC 2543, with others (503
 * and Retry-After), every CANCEL (200 when its INVITE is known and came the same way, else 481).
 * Dropped: faulty responses, faulty ACKs, the ACKs of these answers. A response must come over the flow that its request
 * went out on, with its branch and sent-by; anything else is a stray. */
void ssi_txn_input(struct ssi_txn_layer *l, struct ssi_sip_msg *m, struct ssi_txn_flow *flow,
                   const char *source_ip, uint16_t source_port);
/* Every transaction of the flow fails. */
void ssi_txn_flow_failed(struct ssi_txn_layer *l, struct ssi_txn_flow *flow, secsip_result why);
/* The flow never opened, and did not carry anything: its requests of at most max_bytes begin again on the UDP flow that they
 * were meant for (RFC 3261 18.1.1), with the time limits that run already. */
void ssi_txn_flow_fall_back(struct ssi_txn_flow *flow, struct ssi_txn_flow *udp, size_t max_bytes);

/* Sends a request: `request` holds the whole message (moved in, the caller's buffer is empty afterwards) with topmost
 * Via: its `branch` (copied) and sent-by are those of the responses. The first send happens inside the call; callbacks never do. On failure the buffer
 * is the caller's still. ops NULL: nobody cares. in_dialog: of a dialog that lives, so that it may go beyond
 * max_transactions. SECSIP_E_LIMIT, SECSIP_E_NOMEM, SECSIP_E_INVALID, SECSIP_E_SIP_VIA,
 * request->failed. */
secsip_result ssi_txn_client_new(struct ssi_txn_layer *l, struct ssi_txn_flow *flow,
                                 enum ssi_sip_method method, bool in_dialog,
                                 struct ssi_slice branch, struct ssi_buf *request,
                                 const struct ssi_txn_client_ops *ops, void *arg,
                                 struct ssi_txn **ret);
/* For the INVITE of a proxy, right after ssi_txn_client_new: from the first provisional response on timer C runs, and
 * cancels the transaction when it fires (RFC 3261 16.8). */
void ssi_txn_client_use_timer_c(struct ssi_txn *t);
/* Sends CANCEL for an INVITE client transaction as soon as RFC 3261 9.1 allows (after the first provisional). Its own
 * response is of no interest. The INVITE still ends in its final response (487, or a 2xx that was faster), or in
 * on_failed 64*T1 later. Nothing is done when a final response has come. SECSIP_E_NOMEM: nothing was done. */
secsip_result ssi_txn_client_cancel(struct ssi_txn *t);
/* Gives the transaction up: no further callback but on_gone, which comes before this returns. */
void ssi_txn_drop(struct ssi_txn *t);
void *ssi_txn_arg(const struct ssi_txn *t);
struct ssi_txn_flow *ssi_txn_flow_of(const struct ssi_txn *t);

/* Server side.
 * 100 is sent here, to an INVITE when its user has said nothing for 200 ms (RFC 3261 17.2.1), to others when the peer's
 * timer E has reached T2 (RFC 4320 4.1). A request other than INVITE that is not answered within 64*T1 ends in on_failed,
 * and nothing is sent: RFC 4320 4.2 forbids 408. An INVITE waits for its user without limit. */
void ssi_txn_server_set(struct ssi_txn *t, const struct ssi_txn_server_ops *ops, void *arg);
/* The request, borrowed for the life of the transaction. */
struct ssi_sip_msg *ssi_txn_request(const struct ssi_txn *t);
/* Sends a response; `response` is moved in, but on failure it is the caller's still. 1xx may be sent any number of times,
 * then one final. SECSIP_E_STATE after a final (but further 2xx of an INVITE, as a proxy forwards them, are legal) and for
 * a 100 that RFC 4320 4.1 holds to be too early; SECSIP_E_INVALID for 101 to 199 and 408 to other requests than INVITE. */
secsip_result ssi_txn_respond(struct ssi_txn *t, int status, struct ssi_buf *response);
/* The same with a message made here: status, standard phrase, Content-Length 0, `to_tag` (NULL: ssi_txn_tag()). */
secsip_result ssi_txn_respond_status(struct ssi_txn *t, int status, const char *to_tag);
enum {
    SSI_TXN_TAG_TEXT = 17,
    SSI_TXN_RETRY_AFTER_S = 10 /* of each 503 that says: too much at once */
};
/* A To tag for this request, unpredictable and always the same: the one of the answers that are made here. A user that
 * makes its own with it makes the 200 of CANCEL carry the same tag (RFC 3261 9.2 asks for it). */
void ssi_txn_tag(const struct ssi_txn *t, char out[SSI_TXN_TAG_TEXT]);
/* True when a request outside dialogs has the From tag, Call-ID and CSeq of a living server transaction other than `self`
 * (NULL: other than none): it came twice, by different ways (RFC 3261 8.2.2.2). */
bool ssi_txn_is_merged(const struct ssi_txn_layer *l, const struct ssi_txn *self,
                       const struct ssi_sip_msg *m);
/* Where the request came from, for received and rport. */
void ssi_txn_source(const struct ssi_txn *t, const char **ret_ip, uint16_t *ret_port);

#endif
