/* The registration of an account (RFC 3261 10, back-off of RFC 5626 4.5). Layer: ua. */
#ifndef SSI_UA_REGISTER_H
#define SSI_UA_REGISTER_H

#include "ua/account.h"

/* Timer and watch of a new account, and the news kept in reserve. SECSIP_E_NOMEM. */
secsip_result ssi_register_init(secsip_account *a);
/* Gives the account a flow if it has none (or a dead one): the calls of an account use it too. The watch of the account
 * hears of it. SECSIP_E_LIMIT, SECSIP_E_NOMEM. */
secsip_result ssi_account_need_flow(secsip_account *a);
/* Lets go of the flow; calls that use it keep it. */
void ssi_account_release_flow(secsip_account *a);

/* The peer of a UDP flow seems to be gone: whoever is registered over it registers again, after the back-off of RFC 5626 4.5.
 * Calls keep the flow. */
void ssi_account_flow_suspect(struct ssi_ua *ua, struct ssi_flow *f, const struct ssi_error *why);

#endif
