/* What the files behind <secsip/sdes.h> share. Layer: api. */
#ifndef SSI_API_SDES_H
#define SSI_API_SDES_H

#include "sdes/sdes.h"
#include "secsip/sdes.h"

/* The MKI as decimal text, "" for none. */
void ssi_api_mki_text(const struct ssi_sdes_key *key, char out[SSI_SDES_MKI_TEXT]);
/* SECSIP_E_ABI. */
secsip_result ssi_api_give_key(const struct ssi_sdes_key *key, const char *mki,
                               secsip_sdes_key *ret);
/* SECSIP_E_LIMIT. */
secsip_result ssi_api_give_secret(const struct ssi_sdes_key *key, void *out, size_t cap,
                                  size_t *ret_len);

#endif
