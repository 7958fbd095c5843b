/* The inside of a transaction, shared by the files of this layer and its tests. Layer: txn. See txn.h for who owns what. */
#ifndef SSI_TXN_PRIV_H
#define SSI_TXN_PRIV_H

#include "txn/table.h"
#include "txn/txn.h"

enum {
    SSI_TXN_TAG = SSI_TXN_TAG_TEXT - 1,
    SSI_TXN_IP_TEXT = 46, /* the longest IPv6 text, with its NUL */
    SSI_TXN_BYTES =
        1
        << 24, /* what a request or response made here may grow to: never reached, its parts are bounded */
    SSI_TXN_SLACK_MAX = 1024, /* bytes that a transaction keeps beside its message */
    SSI_TXN_TWINS_MAX = 16    /* server transactions that the hash cannot tell apart */
};

struct ssi_txn {
    struct ssi_txn_layer *layer;
    struct ssi_txn_flow *flow; /* one reference */
    struct ssi_hash_node node;
    struct ssi_list in_all;
    struct ssi_list in_flow;
    struct ssi_timer repeat;
    struct ssi_timer expire;
    uint64_t repeat_us; /* the interval that is running */
    struct ssi_buf out; /* what may have to be sent again; secret */
    void *arg;
    uint32_t pins; /* steps in progress: the memory stays until they are done */
    uint8_t kind;
    uint8_t state;
    uint8_t repeat_timer;
    uint8_t expire_timer;
    bool over; /* unlinked, on_gone was called */
    union {
        struct {
            const struct ssi_txn_client_ops *ops;
            struct ssi_txn *cancel;  /* made, and waiting for the first provisional response */
            struct ssi_slice branch; /* behind this structure, in the same allocation */
            struct ssi_slice host;   /* of sent-by, as written, behind the branch */
            uint16_t port;           /* of sent-by, 0: none */
            enum ssi_sip_method method;
            bool uses_c;
            bool has_cancelled;
            bool has_ack; /* out holds the ACK and no longer the INVITE */
        } client;
        struct {
            const struct ssi_txn_server_ops *ops;
            struct ssi_sip_msg *request; /* one reference */
            struct ssi_hash_node merged;
            uint16_t source_port;
            bool is_2543; /* no magic cookie: matched by header fields */
            bool was_cancelled;
            char source_ip[SSI_TXN_IP_TEXT];
        } server;
    } u;
};

/* What an event brings along. */
struct ssi_txn_in {
    struct ssi_sip_msg *m;
    struct ssi_txn_flow *flow;
    struct ssi_buf *response;
    secsip_result why;
};

static inline bool ssi_txn_is_client(const struct ssi_txn *t)
{
    return t->kind == SSI_TXN_ICT || t->kind == SSI_TXN_NICT;
}

/* txn.c: life and steps. */
struct ssi_txn *ssi_txn_alloc(struct ssi_txn_layer *l, struct ssi_txn_flow *flow,
                              enum ssi_txn_kind kind, size_t extra);
/* Enters the first state: counted, listed, and a client's timers armed. The caller has put it into its hash table. */
void ssi_txn_start(struct ssi_txn *t);
/* Arms what a server transaction needs once its user has seen the request: most are answered by then and need neither the
 * timer for 100 nor the limit, and a heap with many timers in it is costly to touch. */
void ssi_txn_settle(struct ssi_txn *t);
/* One more transaction is within the limit. Requests inside dialogs have an eighth more: what is under way shall go on, and
 * end, when nothing new may begin. */
bool ssi_txn_has_room(const struct ssi_txn_layer *l, bool in_dialog);
secsip_result ssi_txn_step(struct ssi_txn *t, enum ssi_txn_event event,
                           const struct ssi_txn_in *in);
/* The end: off every table, on_gone. */
void ssi_txn_end(struct ssi_txn *t);
void ssi_txn_unpin(struct ssi_txn *t);
void ssi_txn_send_out(struct ssi_txn *t);
void ssi_txn_arm_expire(struct ssi_txn *t, enum ssi_txn_timer timer);
/* b's bytes become to's, as a secret; b is empty afterwards. */
void ssi_txn_move(struct ssi_buf *to, struct ssi_buf *b);

/* client.c, server.c: the actions of each side. */
secsip_result ssi_txn_client_act(struct ssi_txn *t, enum ssi_txn_action action,
                                 const struct ssi_txn_in *in);
secsip_result ssi_txn_server_act(struct ssi_txn *t, enum ssi_txn_action action,
                                 const struct ssi_txn_in *in);
/* hash: ssi_txn_server_hash of m. */
struct ssi_txn *ssi_txn_server_new(struct ssi_txn_layer *l, struct ssi_sip_msg *m, uint64_t hash,
                                   struct ssi_txn_flow *flow, const char *source_ip,
                                   uint16_t source_port);

/* match.c: who belongs to whom. */
uint64_t ssi_txn_client_hash(const struct ssi_txn_layer *l, struct ssi_slice branch);
uint64_t ssi_txn_server_hash(const struct ssi_txn_layer *l, const struct ssi_sip_msg *m);
/* As many with this hash are alive as may be. Branches are unique (RFC 3261 8.1.1.7), so only a few share one by right: CANCEL
 * and ACK have none of their own, and peers of RFC 2543 repeat theirs. Who makes more of them must not make us look through
 * them. */
bool ssi_txn_is_crowded(const struct ssi_txn_layer *l, uint64_t hash);
uint64_t ssi_txn_merged_hash(const struct ssi_txn_layer *l, const struct ssi_sip_msg *m);
bool ssi_txn_has_cookie(struct ssi_slice branch);
struct ssi_txn *ssi_txn_find_client(const struct ssi_txn_layer *l, const struct ssi_sip_msg *m,
                                    const struct ssi_txn_flow *flow);
/* The transaction that a request, its retransmission, its ACK or its CANCEL belongs to; hash: ssi_txn_server_hash of it. */
struct ssi_txn *ssi_txn_find_server(const struct ssi_txn_layer *l, const struct ssi_sip_msg *m,
                                    uint64_t hash);
/* The To tag for answers to m: the same for the same request, unpredictable otherwise (RFC 3261 8.2.7, 19.3). */
void ssi_txn_make_tag(const struct ssi_txn_layer *l, const struct ssi_sip_msg *m,
                      char out[SSI_TXN_TAG + 1]);
/* The parsed form of bytes that were made on this side; NULL when memory is out. */
struct ssi_sip_msg *ssi_txn_parse_own(const struct ssi_buf *b);

#endif
