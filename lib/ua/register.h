/* The registration of an account (RFC 3261 10, back-off of RFC 5626 4.5). Layer: ua. */
#ifndef SSI_UA_REGISTER_H
#define SSI_UA_REGISTER_H

#include "ua/account.h"

/* What the registrations of a new account need; flows[].target and n_flows are set. SECSIP_E_NOMEM, SECSIP_E_RANDOM. */
secsip_result ssi_register_init(secsip_account *a);
/* No more timers, transactions and flows. */
void ssi_registrations_detach(secsip_account *a);
void ssi_registrations_free(secsip_account *a);
bool ssi_account_is_removing(const secsip_account *a);

/* The peer of a UDP flow seems to be gone: whoever is registered over it registers again, after the back-off of RFC 5626 4.5.
 * Calls keep the flow. */
void ssi_account_flow_suspect(struct ssi_ua *ua, struct ssi_flow *f, const struct ssi_error *why);

#endif
