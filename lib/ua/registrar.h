/* The embedded registrar: bindings of one domain in memory (RFC 3261 10.3), reached through the connection that made them
 * (RFC 5626 5.3). Layer: ua. proxy.c forwards requests to what is found here. */
#ifndef SSI_UA_REGISTRAR_H
#define SSI_UA_REGISTRAR_H

#include "secsip/registrar.h"
#include "ua/flow.h"
#include "ua/moved.h"

/* An address of record that has bindings. */
struct ssi_aor {
    struct ssi_hash_node node;
    char *key; /* "sip:alice@example.test" */
    struct ssi_list bindings;
    uint32_t n_bindings;
};

struct ssi_binding {
    struct ssi_list node;           /* in its aor */
    struct ssi_hash_node flow_node; /* by flow */
    secsip_registrar *registrar;
    struct ssi_aor *aor;
    char *contact; /* the URI, as registered */
    bool sips;
    char *instance;  /* +sip.instance as it was sent, NULL: none */
    uint32_t reg_id; /* RFC 5626: with the instance it names the binding; 0: the contact does */
    char *call_id;
    uint32_t cseq;
    struct ssi_flow *flow;
    struct ssi_timer expiry;
};

struct secsip_registrar {
    uint32_t refs;     /* the application's, and one for each event on its way */
    struct ssi_ua *ua; /* NULL once the stack is gone */
    secsip_registrar_config config;
    char *domain;
    struct ssi_sip_auth_server auth;
    struct ssi_hash aors;
    struct ssi_hash by_flow;
    uint32_t n_bindings;
    struct ssi_list contexts; /* of the proxy */
    struct ssi_moved moved;   /* connections that its tokens name */
};

secsip_result ssi_registrar_new(struct ssi_ua *ua, const secsip_registrar_config *config,
                                secsip_registrar **ret);
void ssi_registrar_free(secsip_registrar *r);
/* The stack goes first. */
void ssi_registrar_detach(secsip_registrar *r);
/* The bindings of a URI's address of record, or NULL. */
struct ssi_aor *ssi_registrar_find(secsip_registrar *r, const struct ssi_sip_uri *u);
/* Whether the password callback knows the user. */
bool ssi_registrar_knows(secsip_registrar *r, struct ssi_slice user);
/* 0: the request proves to come from *ret_user, a user of the domain; else it was answered (401 or 407, 403, 400, 500). *ret_user
 * points into m. */
int ssi_registrar_identify(secsip_registrar *r, struct ssi_txn *t, struct ssi_sip_msg *m,
                           struct ssi_flow *flow, bool is_proxy, struct ssi_slice *ret_user);
/* The same, and it must be `identity`'s user. */
int ssi_registrar_authenticate(secsip_registrar *r, struct ssi_txn *t, struct ssi_sip_msg *m,
                               struct ssi_flow *flow, const struct ssi_sip_uri *identity,
                               bool is_proxy);
/* Binds, unbinds, or says why not. Always answered. */
void ssi_registrar_take_register(secsip_registrar *r, struct ssi_txn *t, struct ssi_sip_msg *m,
                                 struct ssi_flow *flow);
/* Posts a copy; without memory there is one line less to read, and nothing else suffers. */
void ssi_registrar_tell(secsip_registrar *r, const secsip_registrar_event *e,
                        const struct ssi_flow *flow);
/* Answers with a status and tells of it. */
void ssi_registrar_refuse(secsip_registrar *r, struct ssi_txn *t, struct ssi_flow *flow,
                          int status);

#endif
