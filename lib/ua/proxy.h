/* The proxy beside the embedded registrar (RFC 3261 16): transaction-stateful, forking in parallel, record-routing. Layer:
 * ua. Requests go out only over connections that clients made to us. */
#ifndef SSI_UA_PROXY_H
#define SSI_UA_PROXY_H

#include "ua/registrar.h"

/* A request that is no REGISTER; t is NULL for the ACK of a 2xx. Always answered or forwarded. */
void ssi_proxy_request(secsip_registrar *r, struct ssi_txn *t, struct ssi_sip_msg *m,
                       struct ssi_flow *flow);
/* Whether a request with a To tag belongs to a dialog whose route leads through here, and comes from one of its ends: over the
 * connection of that end, or that one is lost. Nothing is done. */
bool ssi_proxy_is_in_dialog(const secsip_registrar *r, const struct ssi_sip_msg *m,
                            const struct ssi_flow *flow);
/* Gives every forwarded transaction up. */
void ssi_proxy_end_all(secsip_registrar *r);
/* Told through the registrar's event. */
void ssi_registrar_tell_forward(secsip_registrar *r, const struct ssi_sip_msg *m,
                                const struct ssi_flow *flow, uint32_t branches);

#endif
