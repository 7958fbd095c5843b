/* What the two files of public messages share. Layer: api. */
#ifndef SSI_API_MESSAGE_H
#define SSI_API_MESSAGE_H

#include "secsip/message.h"
#include "sip/msg.h"

/* Takes over the reference on m, also on failure. SECSIP_E_NOMEM. */
secsip_result ssi_api_message_wrap(struct ssi_sip_msg *m, secsip_message **ret);
/* `to` may be NULL. SECSIP_E_ABI. */
secsip_result ssi_api_message_give_fault(secsip_message_fault *to,
                                         const struct ssi_sip_fault *from);

#endif
