/* What the registrar keeps: addresses of record and their bindings, by address, by contact and by connection. Layer: ua. */
#ifndef SSI_UA_BINDING_H
#define SSI_UA_BINDING_H

#include "ua/registrar.h"

enum {
    SSI_AOR_MAX = 512 /* bytes of a key */
};

/* The key of a URI: one address of record for sip and sips (RFC 5630 5.2: the registrar binds them together). */
void ssi_aor_put_key(struct ssi_buf *b, const struct ssi_sip_uri *u);
struct ssi_aor *ssi_aor_find(secsip_registrar *r, struct ssi_slice key);
/* NULL: no memory, or too many. It goes with its last binding. */
struct ssi_aor *ssi_aor_new(secsip_registrar *r, struct ssi_slice key);

/* The one that a contact of REGISTER is about: of the same instance and reg-id (RFC 5626 6), else of an equal URI. */
struct ssi_binding *ssi_binding_find(const struct ssi_aor *a, const struct ssi_sip_addr *contact);
/* The reg-id of a contact that has an instance, too; 0: none, or not a number from 1 up to 2^31 - 1. */
uint32_t ssi_contact_reg_id(const struct ssi_sip_addr *contact);
/* A later flow of the same instance is there: requests go to one of them only (RFC 5626 7). */
bool ssi_binding_is_covered(const struct ssi_binding *b);
/* All that can fail, before anything is changed: it is in no list yet. */
struct ssi_binding *ssi_binding_new(secsip_registrar *r, const struct ssi_sip_msg *m,
                                    const struct ssi_sip_addr *contact, struct ssi_flow *flow);
void ssi_binding_add(struct ssi_aor *a, struct ssi_binding *b, uint32_t expires_s);
/* One that is in no list; NULL is fine. */
void ssi_binding_discard(struct ssi_binding *b);
/* Out of all lists; the application is told by the second. */
void ssi_binding_free(struct ssi_binding *b);
void ssi_binding_remove(struct ssi_binding *b);
/* RFC 5626 5.3: a binding whose flow is gone cannot be reached. */
void ssi_bindings_drop_flow(secsip_registrar *r, const struct ssi_flow *flow);
void ssi_bindings_free_all(secsip_registrar *r);

#endif
