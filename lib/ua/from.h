/* Whom a client's certificate lets speak. Layer: ua. */
#ifndef SSI_UA_FROM_H
#define SSI_UA_FROM_H

#include "sip/uri.h"
#include "ua/flow.h"

/* False when the connection's profile binds From to the client's certificate (SECSIP_TLS_FROM_CERTIFIED) and it names neither
 * this user nor, as a domain, this host (RFC 5922 7.1, RFC 3261 26.3.1). */
bool ssi_from_is_certified(const struct ssi_flow *f, const struct ssi_sip_uri *from);
/* What the peer's verified certificate calls it, "sip:alice@example.test" or "example.test"; "" for none. */
const char *ssi_flow_identity(const struct ssi_flow *f);
/* Whether what comes over `f` may act in a dialog that was made over `of`: the same connection; one to the same server for the
 * same account, which proved the same name; or one whose certificate names whom `of` leads to, under the same profile.
 * Where `of` is in clear, everybody may: no key went over it. */
bool ssi_flow_is_same_peer(const struct ssi_flow *f, const struct ssi_flow *of);

#endif
