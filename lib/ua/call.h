/* Calls: one INVITE dialog with its media. Layer: ua. call.c makes and frees, call_out.c and call_in.c are the two roles,
 * call_move.c keeps a call whose connection is lost, call_next.c goes to the next server,
 * call_step.c holds the table that every event goes through, call_news.c tells the application. */
#ifndef SSI_UA_CALL_H
#define SSI_UA_CALL_H

#include "secsip/call.h"
#include "ua/account.h"
#include "ua/dialog.h"
#include "ua/media.h"

/* Where a call stands; doc/calls.md is made from the table over these. */
enum ssi_call_phase {
    SSI_CALL_CONNECT,   /* out: waits for a flow */
    SSI_CALL_INVITING,  /* out: INVITE sent */
    SSI_CALL_CANCELLED, /* out: given up, the final response is awaited */
    SSI_CALL_OFFERED,   /* in: INVITE came, the application decides */
    SSI_CALL_ACCEPTED,  /* in: 200 sent, ACK awaited */
    SSI_CALL_TALKING,   /* confirmed */
    SSI_CALL_LEAVING,   /* BYE sent */
    SSI_CALL_OVER,
    SSI_CALL_N_PHASES,
};

enum ssi_call_input {
    SSI_CALL_FLOW_OPEN,
    SSI_CALL_FLOW_LOST,
    SSI_CALL_PROVISIONAL, /* 1xx to our INVITE */
    SSI_CALL_SUCCESS,     /* 2xx to our INVITE */
    SSI_CALL_REFUSAL,     /* 3xx to 6xx to our INVITE */
    SSI_CALL_NO_ANSWER,   /* our INVITE ended without a final response */
    SSI_CALL_RING,        /* the application rings */
    SSI_CALL_ANSWER,      /* the application answers */
    SSI_CALL_HANGUP,      /* the application ends */
    SSI_CALL_CANCEL,      /* CANCEL came */
    SSI_CALL_ACK,         /* ACK of our 2xx came */
    SSI_CALL_NO_ACK,      /* it did not, in 64 * T1 */
    SSI_CALL_REINVITE,    /* INVITE in the dialog came */
    SSI_CALL_BYE,         /* BYE came */
    SSI_CALL_BYE_DONE,    /* our BYE was answered, or never will be */
    SSI_CALL_GONE,        /* the peer knows the dialog no more, or is silent */
    SSI_CALL_MODIFY,      /* the application wants another offer to be made */
    SSI_CALL_MODIFIED,    /* 2xx to our re-INVITE */
    SSI_CALL_UNMODIFIED,  /* it was refused, or there is no final response */
    SSI_CALL_UPDATE,      /* UPDATE in the dialog came */
    SSI_CALL_N_INPUTS,
};

struct ssi_call_news;

enum ssi_call_change {
    SSI_CALL_HOLD,
    SSI_CALL_RESUME,
    SSI_CALL_REKEY,
};

/* INVITEs of ours, and what their ACKs need (RFC 3261 13.2.2.4). */
struct ssi_call_sent {
    uint32_t cseq;              /* of the last */
    struct ssi_addr sent_by;    /* of its Via */
    struct ssi_buf credentials; /* as sent with the last: its ACK carries the same */
    uint32_t
        ack_cseq; /* of the INVITE that `ack` is for: an earlier one until the last has its 2xx */
    struct ssi_buf ack; /* sent again for every 2xx; empty: there was no memory for it */
};

struct secsip_call {
    uint32_t
        refs; /* the list's while it is not over, transactions', events', and the application's as one */
    uint32_t user_refs; /* the application's */
    struct ssi_ua *ua;  /* NULL once the stack is gone */
    struct ssi_list node;
    secsip_account *account;
    secsip_call_callbacks callbacks;
    void *user_data;
    enum ssi_call_phase phase;
    int32_t state; /* SECSIP_CALL_* */
    char *remote_uri;
    char *id; /* Call-ID */

    struct ssi_dialog dialog;
    bool has_dialog;
    struct ssi_flow *flow;
    struct ssi_flow_watch watch;
    struct ssi_media *media;
    struct ssi_sdes_config sdes;
    secsip_media_stats last_stats; /* of media that is closed */
    struct ssi_buf
        sdp; /* our description: the offer of our INVITE, or the answer made when an offer came */

    /* As the caller. */
    struct ssi_txn *invite;
    struct ssi_call_sent first; /* the INVITE that makes the dialog */
    struct ssi_auth auth;
    uint32_t challenged;
    uint32_t n_servers; /* that said 503 to our INVITE, or nothing */
    bool heard;         /* the INVITE that is under way had a response, 100 or more */
    bool answer_taken;  /* an answer, early or final, is in force */

    /* As the one called, and for re-INVITEs of the peer. */
    struct ssi_txn *server;

    bool offer_ours;       /* the INVITE had none: ours goes with 200, ACK brings the answer */
    struct ssi_buf accept; /* the 200, sent again until ACK (RFC 3261 13.3.1.4) */
    struct ssi_timer accept_timer; /* for that, and while the call leaves */
    uint64_t accept_interval_us;
    uint64_t accept_until_us;
    uint32_t accept_cseq;
    bool leave_on_ack; /* hung up before the ACK came */

    struct ssi_timer move_timer; /* while the connection is lost */
    uint64_t lost_us;            /* since then, 0: it is not */
    uint64_t lost_until_us;
    uint32_t n_moves;
    uint32_t n_asked;      /* challenges to this BYE, or OPTIONS, that were answered */
    struct ssi_txn *probe; /* OPTIONS: is the peer still there? */
    /* Our own offer inside the call. */
    struct ssi_txn *reinvite;
    struct ssi_call_sent again;    /* the INVITEs inside the dialog */
    struct ssi_timer modify_timer; /* to make the offer later */
    uint32_t modify_challenged;
    bool modifying;       /* the application has asked for it and was not told of its end */
    bool modifies_itself; /* it was our own idea, so nobody is told */
    bool renews_key;      /* and this was why: a failure is told as news of the key */
    bool renewal_due;     /* a new key is to be offered, and was not yet */
    bool awaits_answer;   /* it was sent */
    bool was_held;        /* before */

    struct ssi_txn *bye;
    struct ssi_error error;           /* why it ended, for the last event */
    struct ssi_call_news *farewell;   /* the last event, made in advance so that it cannot fail */
    struct ssi_call_news *spare_news; /* for one in between, when there is no memory to tell */
    struct ssi_call_news *incoming_news; /* the first one of an incoming call, likewise */
};

/* A step of the table; m and t as the input has them. */
void ssi_call_step(secsip_call *c, enum ssi_call_input input, struct ssi_sip_msg *m,
                   struct ssi_txn *t);

/* ---- Made and asked by the application */
secsip_result ssi_call_new(secsip_account *a, const char *target,
                           const secsip_call_callbacks *callbacks, void *user_data,
                           secsip_call **ret);
secsip_result ssi_call_ring(secsip_call *c);
secsip_result ssi_call_answer(secsip_call *c);
secsip_result ssi_call_reject(secsip_call *c, int32_t status);
secsip_result ssi_call_hangup(secsip_call *c);
/* By a re-INVITE; on_modified tells how it ended. SECSIP_E_STATE (not established), SECSIP_E_BUSY (one is under way). */
secsip_result ssi_call_modify(secsip_call *c, enum ssi_call_change change);
void ssi_call_user_unref(secsip_call *c);
void ssi_call_stats(const secsip_call *c, secsip_media_stats *ret);

/* ---- From the core */
void ssi_call_incoming(secsip_account *a, struct ssi_txn *t, struct ssi_sip_msg *m,
                       struct ssi_flow *flow);
/* A request in the dialog; t is NULL for ACK. */
void ssi_call_request(secsip_call *c, struct ssi_txn *t, struct ssi_sip_msg *m);
/* A 2xx whose transaction is gone: ACK again, or end the other branch of a fork. */
void ssi_call_late_response(secsip_call *c, struct ssi_sip_msg *m);
void ssi_call_detach(secsip_call *c);
/* Ends a call that nobody was told of. */
void ssi_call_abandon(secsip_call *c);
secsip_call *ssi_call_of_dialog(struct ssi_dialog *d);
void ssi_call_unref(secsip_call *c);

/* ---- Between the files of the call */
secsip_call *ssi_call_alloc(secsip_account *a); /* NULL: no memory */
void ssi_call_ref(secsip_call *c);
/* Takes the flow and watches it. */
void ssi_call_use_flow(secsip_call *c, struct ssi_flow *f);
/* Checks the flow against the account's media security. SECSIP_E_UA_INSECURE_FLOW. */
secsip_result ssi_call_check_flow(secsip_call *c, struct ssi_error *e);
secsip_result ssi_call_make_media(secsip_call *c);
void ssi_call_start_media(secsip_call *c);
/* Closes the media, keeps its counts, leaves the dialog, tells ENDED once. status 0: none. */
void ssi_call_finish(secsip_call *c, int32_t status, const char *reason);
/* Closes the media for good: nothing more is sent. */
void ssi_call_end_media(secsip_call *c);
/* Sends BYE and enters LEAVING; ends at once where that is not possible. The media stops now. */
void ssi_call_leave(secsip_call *c);
/* A call that leaves: its BYE could not be sent and is tried again, or was not answered and is no longer waited for. */
void ssi_call_leave_timer(secsip_call *c);
void ssi_call_send_bye(secsip_call *c, struct ssi_dialog *d, bool tell);
/* A request in the dialog was challenged, and there is an answer: send it again (RFC 3261 22.2). */
bool ssi_call_take_challenge(secsip_call *c, const struct ssi_sip_msg *m);
/* Fills the request's common fields from dialog and flow. SECSIP_E_RANDOM. */
secsip_result ssi_call_start_request(secsip_call *c, const struct ssi_dialog *d,
                                     enum ssi_sip_method method, uint32_t cseq,
                                     struct ssi_buf *contact, char branch[],
                                     struct ssi_dialog_request *ret);
void ssi_call_put_contact(secsip_call *c, struct ssi_buf *b);
/* The 200 to an INVITE with `sdp`, sent again until ACK. */
secsip_result ssi_call_send_accept(secsip_call *c, struct ssi_txn *t, const struct ssi_buf *sdp);
void ssi_call_init_accept(secsip_call *c);
/* A dead flow is replaced by one to the same place. May end the call. */
void ssi_call_reconnect(secsip_call *c);
void ssi_call_init_move(secsip_call *c);
void ssi_call_end_move(secsip_call *c);
void ssi_call_init_modify(secsip_call *c);
/* The connection may have come back from another address of ours: then media move there, under a new key (RFC 4568 7.1.4). */
void ssi_call_follow_address(secsip_call *c);
/* The key we send with nears its end: a new one is offered as soon as the call's state lets us, once for each key. May be called
 * while a packet is made: a timer does the work. */
void ssi_call_renew_key(secsip_call *c);
/* INVITE with c->sdp and the credentials there are, noted in `sent`; the transaction takes a reference. */
secsip_result ssi_call_send_invite(secsip_call *c, struct ssi_call_sent *sent,
                                   const struct ssi_txn_client_ops *ops, struct ssi_txn **ret);
/* Our INVITE was refused with m: what the call ends with, if nothing better comes. */
void ssi_call_note_refusal(secsip_call *c, const struct ssi_sip_msg *m);
/* It was refused with 503, and another server is asked: the call is in CONNECT again, or further, or over. False: there is
 * none, or the call has reached somebody; the call has not changed. */
bool ssi_call_next_server(secsip_call *c, const struct ssi_sip_msg *m);
/* The same for an INVITE that was never answered, and for one whose connection is gone. */
bool ssi_call_silent_server(secsip_call *c);
bool ssi_call_lost_server(secsip_call *c);
/* The ACK of a 2xx to an INVITE in the call's dialog; kept in `sent`, to be sent again. */
void ssi_call_send_ack(secsip_call *c, struct ssi_call_sent *sent, const struct ssi_sip_msg *m);
/* For a 2xx that came before, to whichever INVITE of the dialog. */
void ssi_call_ack_again(secsip_call *c, const struct ssi_sip_msg *m);
/* A response with our Contact, and with a description where sdp is not NULL. */
secsip_result ssi_call_respond(secsip_call *c, struct ssi_txn *t, int status,
                               const struct ssi_buf *sdp);
/* 0, or the status to refuse with: the answer goes back the way the offer came, which must be fit to carry a key. */
int ssi_call_check_offer_flow(secsip_call *c, struct ssi_txn *t);
/* 0 for success. What is refused for want of memory may be asked for again; what does not fit may not. */
int ssi_call_refusal_of(secsip_result r);

/* News. */
void ssi_call_tell_state(secsip_call *c, int32_t state, int32_t status, const char *reason);
void ssi_call_tell_media(secsip_call *c);
void ssi_call_tell_modified(secsip_call *c, secsip_result result, int32_t status);
void ssi_call_tell_key_life(secsip_call *c, int32_t whose, secsip_result result, int32_t status);
void ssi_call_tell_end(secsip_call *c, int32_t status, const char *reason);
void ssi_call_tell_incoming(secsip_call *c);
struct ssi_call_news *ssi_call_news_new(void);
void ssi_call_news_free(struct ssi_call_news *n);

/* ---- The table, and its handlers by file */
typedef void ssi_call_handler(secsip_call *c, struct ssi_sip_msg *m, struct ssi_txn *t);
struct ssi_call_cell {
    ssi_call_handler *handler; /* NULL: too late to matter */
    const char *does;          /* for doc/calls.md */
    const char *rule;          /* section of RFC 3261 */
};
const struct ssi_call_cell *ssi_call_cell(enum ssi_call_phase phase, enum ssi_call_input input);
ssi_call_handler ssi_call_out_flow_open, ssi_call_out_provisional, ssi_call_out_success,
    ssi_call_out_refusal, ssi_call_out_no_answer, ssi_call_out_hangup, ssi_call_out_flow_lost,
    ssi_call_out_flow_died, ssi_call_out_silence, ssi_call_out_ack_again, ssi_call_out_late_success,
    ssi_call_out_give_up, ssi_call_in_ring, ssi_call_in_answer, ssi_call_in_hangup,
    ssi_call_in_cancel, ssi_call_in_ack, ssi_call_in_no_ack, ssi_call_in_bye, ssi_call_in_reinvite,
    ssi_call_in_busy, ssi_call_in_hangup_early, ssi_call_any_hangup, ssi_call_any_flow_lost,
    ssi_call_any_bye_done, ssi_call_move_lost, ssi_call_leave_lost, ssi_call_move_open,
    ssi_call_move_gone, ssi_call_mod_start, ssi_call_mod_done, ssi_call_mod_failed,
    ssi_call_mod_late, ssi_call_in_update;

#endif
