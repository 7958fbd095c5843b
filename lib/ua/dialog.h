/* Dialogs (RFC 3261 12): the state that both sides of a call keep, and the requests made from it. Layer: ua. Owns its
 * strings; embedded in its call. */
#ifndef SSI_UA_DIALOG_H
#define SSI_UA_DIALOG_H

#include "ua/core.h"

enum {
    SSI_DIALOG_ROUTES_MAX = 16
};

struct ssi_dialog {
    struct ssi_hash_node node;
    char *call_id;
    char *local_tag;
    char *remote_tag;    /* NULL until the other side gave one */
    char *local_addr;    /* name-addr of From or To without tag: "<sip:alice@example.test>" */
    char *remote_addr;   /* the other one */
    char *remote_uri;    /* its URI */
    char *remote_target; /* Request-URI of what we send */
    char *routes[SSI_DIALOG_ROUTES_MAX]; /* elements of Route, in order */
    uint32_t n_routes;
    uint32_t local_cseq;
    uint32_t remote_cseq;
    bool has_remote_cseq;
    bool sips;
    bool is_uac; /* we sent the INVITE: several answers may come (forking) */
};

/* As the caller (UAC): a fresh Call-ID and tag. SECSIP_E_NOMEM, SECSIP_E_RANDOM. */
secsip_result ssi_dialog_init_uac(struct ssi_dialog *d, struct ssi_ua *ua, const char *local_addr,
                                  const char *target, bool sips);
/* As the one called, from the INVITE. `tag` is the local tag to be, unless a living dialog has it with this Call-ID already, or it
 * is NULL: then one is made up. SECSIP_E_NOMEM, SECSIP_E_RANDOM, SECSIP_E_SIP_ADDRESS (no usable Contact),
 * SECSIP_E_UA_SIPS_ROUTE. */
secsip_result ssi_dialog_init_uas(struct ssi_dialog *d, struct ssi_ua *ua,
                                  const struct ssi_sip_msg *invite, const char *tag);
void ssi_dialog_free(struct ssi_dialog *d, struct ssi_ua *ua);
/* Takes remote tag, route set and remote target from a response to our INVITE (RFC 3261 12.1.2, 13.2.2.4). Errors as
 * above; the dialog is then unchanged. */
secsip_result ssi_dialog_take_response(struct ssi_dialog *d, const struct ssi_sip_msg *response);
/* The target as a request or response in the dialog refreshes it (RFC 3261 12.2): it stays where the message has no Contact.
 * SECSIP_E_NOMEM, SECSIP_E_SIP_ADDRESS, SECSIP_E_UA_SIPS_ROUTE. */
secsip_result ssi_dialog_refresh_target(struct ssi_dialog *d, const struct ssi_sip_msg *m);
/* A request in the dialog: order of CSeq (RFC 3261 12.2.2), and the target refreshed by INVITE and UPDATE. 0, or the status to refuse
 * it with. */
int ssi_dialog_take_request(struct ssi_dialog *d, const struct ssi_sip_msg *m);
/* The dialog with this Call-ID and local tag; the remote tag, if the dialog has one, must agree. NULL: none. */
struct ssi_dialog *ssi_dialog_find(struct ssi_ua *ua, struct ssi_slice call_id,
                                   struct ssi_slice local_tag, struct ssi_slice remote_tag);

/* What a request needs beside its dialog. */
struct ssi_dialog_request {
    enum ssi_sip_method method;
    uint32_t cseq;
    const char *transport; /* of the flow: "TLS" */
    struct ssi_addr local; /* sent-by */
    bool alias;            /* offers the connection (RFC 5923) */
    const char *branch;
    const char *contact; /* "<sip:...>", NULL: none */
    const char *user_agent;
};
/* Request line to User-Agent; more header fields and ssi_sip_put_end follow. Strict routing per RFC 3261 12.2.1.1. */
void ssi_dialog_put_request(const struct ssi_dialog *d, struct ssi_buf *b,
                            const struct ssi_dialog_request *r);
/* The Request-URI that ssi_dialog_put_request writes, for credentials. */
struct ssi_slice ssi_dialog_request_uri(const struct ssi_dialog *d);
/* Via of our own: transport, sent-by, rport (RFC 3581), branch. */
void ssi_ua_put_via(struct ssi_buf *b, const char *transport, const struct ssi_addr *sent_by,
                    const char *branch, bool alias);
/* A branch with the magic cookie of RFC 3261 8.1.1.7, and a NUL. SECSIP_E_RANDOM. */
enum {
    SSI_BRANCH_TEXT = 24
};
secsip_result ssi_ua_new_branch(char out[SSI_BRANCH_TEXT]);

#endif
