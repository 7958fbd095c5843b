/* Names of header fields to their numbers. Layer: sip; private to lib/sip. */
#ifndef SSI_SIP_NAMES_H
#define SSI_SIP_NAMES_H

#include "sip/msg.h"

/* Full and compact forms, any case; SSI_HDR_OTHER for all others. */
enum ssi_sip_hdr ssi_sip_hdr_of(struct ssi_slice name);

/* The full form as a slice; p NULL for OTHER. */
struct ssi_slice ssi_sip_hdr_full(enum ssi_sip_hdr id);

#endif
