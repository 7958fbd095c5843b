/* Accounts: an address of record, its credentials, its flow, its registration (RFC 3261 10). Layer: ua. */
#ifndef SSI_UA_ACCOUNT_H
#define SSI_UA_ACCOUNT_H

#include "sdes/sdes.h"
#include "secsip/account.h"
#include "ua/flow.h"

enum {
    SSI_CONTACT_TOKEN = 12,
    SSI_ACCOUNT_FLOWS = 4,  /* outbound proxies of an account */
    SSI_CHALLENGES_MAX = 2, /* one of the server, one of a proxy */
};

/* Credentials for the requests of one operation. */
struct ssi_auth {
    struct ssi_sip_challenge challenges[SSI_CHALLENGES_MAX]; /* server, proxy */
    bool has[SSI_CHALLENGES_MAX];
};

/* A name that requests to an account carry, in the stack's table. */
struct ssi_account_user {
    struct ssi_hash_node node;
    struct secsip_account *account;
    bool is_contact; /* contact_user, else the user of the address of record */
};

/* One registration of an account, over a flow of its own (RFC 5626 4.2). */
struct ssi_registration {
    secsip_account *account;
    uint32_t reg_id;
    struct ssi_flow_target target; /* an outbound proxy, or the domain of aor */
    struct ssi_flow *flow;         /* NULL: none */
    struct ssi_flow_watch watch;
    int32_t state;    /* SECSIP_REGISTRATION_* */
    bool wanted;      /* keep it registered */
    bool removing;    /* unregistration under way */
    bool no_outbound; /* a 439 said so: not for this registration */
    bool outbound;    /* agreed with the registrar, over `flow` */
    bool was_up;      /* registered since the last failure */
    char *call_id;    /* the same for all its requests (RFC 3261 10.2) */
    uint32_t cseq;
    struct ssi_auth auth;
    struct ssi_txn *txn;
    struct ssi_timer timer; /* refresh or retry */
    uint32_t n_failures;    /* in a row, for the back-off */
    uint32_t challenged;    /* challenges of this server */
    uint32_t n_servers;     /* that failed since something was told or granted */
    uint32_t granted_s;     /* expiry that the registrar granted */
};

struct secsip_account {
    uint32_t refs;      /* ours and, as one, the application's */
    uint32_t user_refs; /* the application's */
    struct ssi_ua *ua;  /* NULL once the stack is gone */
    struct ssi_list node;
    struct ssi_account_user by_contact, by_aor;
    uint64_t
        identity; /* never given out twice: a flow made for one account is not used for another */
    secsip_account_callbacks callbacks;
    void *user_data;

    char *aor;              /* "sip:alice@example.test" */
    struct ssi_sip_uri uri; /* borrows from aor */
    char *display_name;
    char *auth_user;
    char *password; /* secret, NULL: none */
    char *from;     /* name-addr for From */
    bool has_proxy;
    secsip_tls_profile *profile;
    uint32_t expires_s;
    uint32_t media_security;
    bool insecure_transport;
    struct ssi_sdes_config sdes;
    char contact_user[SSI_CONTACT_TOKEN + 1]; /* how requests to us are told apart */

    /* Registration. */
    int32_t state; /* SECSIP_REGISTRATION_*: REGISTERED while one flow is */
    char *tag;
    char instance[128]; /* "urn:uuid:..." (RFC 5626 4.1) */
    bool offers_outbound;
    struct ssi_registration
        flows[SSI_ACCOUNT_FLOWS];             /* one for each outbound proxy, in their order */
    size_t n_flows;                           /* at least 1 */
    struct ssi_registration_news *spare_news; /* for when there is no memory to tell */
};

/* Resolved configuration; strings are copied. SECSIP_E_* as secsip_account_new. */
secsip_result ssi_account_new(struct ssi_ua *ua, const secsip_account_config *config,
                              const secsip_account_callbacks *callbacks, void *user_data,
                              secsip_account **ret);
secsip_account *ssi_account_ref(secsip_account *a);
void ssi_account_unref(secsip_account *a);
/* The application's reference. */
void ssi_account_user_unref(secsip_account *a);
secsip_result ssi_account_register(secsip_account *a);
secsip_result ssi_account_unregister(secsip_account *a);
/* The stack goes: no more timers, flows, callbacks. */
void ssi_account_detach(secsip_account *a);
/* True while an account of the stack is unregistering. */
bool ssi_account_any_busy(const struct ssi_ua *ua);
/* Whose request this is: by contact user, then by address of record. NULL: nobody's. */
secsip_account *ssi_account_for_request(struct ssi_ua *ua, const struct ssi_sip_msg *m,
                                        const struct ssi_flow *flow);
/* Where requests of the account go: over its first flow that is registered. */
const struct ssi_flow_target *ssi_account_target(const secsip_account *a);
/* RFC 5626 was agreed over it. */
bool ssi_account_is_outbound(const secsip_account *a, const struct ssi_flow *flow);
/* Another flow over which the account is registered, to a server that is not known to be down; borrowed. NULL: there is none. */
struct ssi_flow *ssi_account_other_flow(const secsip_account *a, const struct ssi_flow *flow);
/* "<sip:token@host:port;transport=tls>" for a flow; what makes a call sips makes its Contact sips (RFC 5630 5.1.1). A dialog's
 * has ";ob" where RFC 5626 was agreed over the flow: requests come back over it (RFC 5626 4.3). */
void ssi_account_put_contact(struct ssi_buf *b, const secsip_account *a,
                             const struct ssi_flow *flow, bool sips, bool in_dialog);

/* Takes the challenge of a 401 or 407. SECSIP_E_UA_AUTH_REQUIRED (no password), SECSIP_E_UA_AUTH_FAILED (the same
 * challenge again, not stale), SECSIP_E_SIP_AUTH*, SECSIP_E_NOMEM. */
secsip_result ssi_auth_take(struct ssi_auth *auth, const secsip_account *a,
                            const struct ssi_sip_msg *response);
/* Writes the credentials that are known. */
void ssi_auth_put(struct ssi_auth *auth, struct ssi_buf *b, const secsip_account *a,
                  enum ssi_sip_method method, struct ssi_slice uri, struct ssi_slice body);
void ssi_auth_free(struct ssi_auth *auth);

/* Parses "host", "host:port", "host:5061;transport=tls" or a sip or sips URI into a target. SECSIP_E_SIP_URI,
 * SECSIP_E_PERMISSION (a clear transport that is not allowed). */
secsip_result ssi_target_parse(const char *text, bool insecure_allowed,
                               struct ssi_flow_target *ret);
/* The same from a URI. */
secsip_result ssi_target_of_uri(const struct ssi_sip_uri *u, bool insecure_allowed,
                                struct ssi_flow_target *ret);

/* A copy of TLS facts that outlives the flow. */
struct ssi_tls_note {
    bool present;
    char version[16];
    char cipher[48];
    char peer[256];
    secsip_tls_info view; /* points into this note: fill it with ssi_tls_note_view */
};
void ssi_tls_note_take(struct ssi_tls_note *n, const struct ssi_flow *flow);
/* NULL when there is nothing. */
const secsip_tls_info *ssi_tls_note_view(struct ssi_tls_note *n);

#endif
