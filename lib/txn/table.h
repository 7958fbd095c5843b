/* The four state machines as data: state x event -> next state, actions, the rule it obeys. Layer: txn. Constant data,
 * nothing owned. txn.c runs the tables; the pictures of doc/transactions.md are made from them and a test visits every
 * cell. */
#ifndef SSI_TXN_TABLE_H
#define SSI_TXN_TABLE_H

#include <stdbool.h>
#include <stdint.h>

enum ssi_txn_kind {
    SSI_TXN_ICT,  /* INVITE client */
    SSI_TXN_NICT, /* non-INVITE client */
    SSI_TXN_IST,  /* INVITE server */
    SSI_TXN_NIST, /* non-INVITE server */
    SSI_TXN_KINDS,
};

enum ssi_txn_state {
    SSI_TXN_CALLING,
    SSI_TXN_TRYING,
    SSI_TXN_PROCEEDING,
    SSI_TXN_COMPLETED,
    SSI_TXN_CONFIRMED,
    SSI_TXN_ACCEPTED,
    SSI_TXN_STATES,
    SSI_TXN_TERMINATED = SSI_TXN_STATES, /* has no row: the transaction is over */
};

/* The columns. The first three are common; the rest belong to clients or to servers. */
enum ssi_txn_event {
    SSI_TXN_REPEAT, /* the repeating timer of the state fired: A, E, G, or the one for 100 */
    SSI_TXN_EXPIRE, /* the ending timer of the state fired: B, D, F, H, I, J, K, L, M */
    SSI_TXN_FLOW_LOST,
    SSI_TXN_EVENTS_COMMON,
    SSI_TXN_RX_1XX = SSI_TXN_EVENTS_COMMON,
    SSI_TXN_RX_2XX,
    SSI_TXN_RX_REFUSAL, /* 300 to 699 */
    SSI_TXN_TIMER_C,
    SSI_TXN_CANCEL_LIMIT,                       /* 64*T1 after a CANCEL and no final response */
    SSI_TXN_RX_REQUEST = SSI_TXN_EVENTS_COMMON, /* the same request again */
    SSI_TXN_RX_ACK,
    SSI_TXN_TU_1XX, /* the user of the transaction responds */
    SSI_TXN_TU_2XX,
    SSI_TXN_TU_REFUSAL,
    SSI_TXN_EVENTS,
};

enum ssi_txn_action {
    SSI_TXN_DO_NOTHING,
    SSI_TXN_DO_SEND_AGAIN, /* the request, or the last response if there is one */
    SSI_TXN_DO_TELL,       /* on_response */
    SSI_TXN_DO_ACK,        /* make the ACK if there is none yet, and send it */
    SSI_TXN_DO_CANCEL,     /* send the CANCEL that waits, if one does */
    SSI_TXN_DO_GIVE_UP,    /* make a CANCEL and send it */
    SSI_TXN_DO_RESTART_C,  /* timer C, if this transaction uses it and the response is not 100 */
    SSI_TXN_DO_FORGET,     /* wipe the bytes that will not be sent again */
    SSI_TXN_DO_TIMED_OUT,  /* on_failed */
    SSI_TXN_DO_LOST,       /* on_failed */
    SSI_TXN_DO_SEND,       /* the response of the user */
    SSI_TXN_DO_SEND_100,   /* a 100 made here */
    SSI_TXN_DO_STOP_100,   /* no 100 needed any more */
    SSI_TXN_DO_TELL_ACK,   /* on_ack */
    SSI_TXN_DO_PASS_ACK,   /* to the layer's user, as the ACK of a 2xx */
    SSI_TXN_DO_REFUSE,     /* SECSIP_E_STATE to the user */
    SSI_TXN_ACTIONS,
};

enum ssi_txn_timer {
    SSI_TXN_T_NONE,
    SSI_TXN_T_A,
    SSI_TXN_T_B,
    SSI_TXN_T_C,
    SSI_TXN_T_D,
    SSI_TXN_T_E,
    SSI_TXN_T_F,
    SSI_TXN_T_G,
    SSI_TXN_T_H,
    SSI_TXN_T_I,
    SSI_TXN_T_J,
    SSI_TXN_T_K,
    SSI_TXN_T_L,
    SSI_TXN_T_M,
    SSI_TXN_T_100_INVITE, /* RFC 3261 17.2.1: 200 ms */
    SSI_TXN_T_100_OTHER,  /* RFC 4320 4.1: when timer E of the peer has reached T2 */
    SSI_TXN_T_LIMIT,      /* RFC 4320 4.2: when timer F of the peer has fired */
    SSI_TXN_T_CANCEL,     /* RFC 3261 9.1 */
    SSI_TXN_TIMERS,
};

/* How long a timer runs. */
enum ssi_txn_span {
    SSI_TXN_NEVER, /* not started */
    SSI_TXN_AT_ONCE,
    SSI_TXN_T1,
    SSI_TXN_T4,
    SSI_TXN_64_T1,
    SSI_TXN_32_S,
    SSI_TXN_200_MS,
    SSI_TXN_E_AT_T2, /* T1 + 2*T1 + ... until the interval has reached T2 */
    SSI_TXN_SPAN_C,  /* configured */
};

struct ssi_txn_timer_info {
    const char *name;
    enum ssi_txn_span unreliable;
    enum ssi_txn_span reliable;
    bool doubles;  /* each time it fires */
    bool up_to_t2; /* ... but never beyond T2 */
};

struct ssi_txn_cell {
    enum ssi_txn_state next;
    enum ssi_txn_action actions[4];
    const char *rule; /* where it stands, or why it cannot happen */
};

/* A state with its timers; one that the state before had too runs on. */
struct ssi_txn_row {
    const char *name; /* NULL: the machine has no such state */
    enum ssi_txn_timer repeat;
    enum ssi_txn_timer expire;
    struct ssi_txn_cell cells[SSI_TXN_EVENTS];
};

struct ssi_txn_machine {
    const char *name;
    bool is_client;
    enum ssi_txn_state first;
    const struct ssi_txn_row *rows; /* SSI_TXN_STATES of them */
};

extern const struct ssi_txn_machine ssi_txn_machines[SSI_TXN_KINDS];
extern const struct ssi_txn_timer_info ssi_txn_timers[SSI_TXN_TIMERS];

/* For the picture and for logs. */
const char *ssi_txn_event_name(bool is_client, enum ssi_txn_event event);
const char *ssi_txn_action_name(enum ssi_txn_action action); /* "" for SSI_TXN_DO_NOTHING */

#endif
