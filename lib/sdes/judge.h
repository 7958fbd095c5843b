/* What a session thinks of a description of the peer's, without changing anything. Layer: sdes, seen by its own files
 * only. */
#ifndef SSI_SDES_JUDGE_H
#define SSI_SDES_JUDGE_H

#include "sdes/sdes.h"

/* Makes a line unusable; the first reason stands. */
void ssi_sdes_refuse(struct ssi_sdes_line *l, secsip_result result, const char *why);
/* The suite stands in the configuration. */
bool ssi_sdes_allows(const struct ssi_sdes_config *config, enum ssi_suite suite);
/* Both fill *ret with what would be agreed (the caller wipes it, also after a failure), or name why not. An answer brings our
 * own key with it; an offer leaves tx empty, and *ret_suite_text borrows the spelling of the chosen line. */
secsip_result ssi_sdes_judge_answer(const struct ssi_sdes_session *s, const struct ssi_sdp *answer,
                                    uint32_t media, struct ssi_sdes_agreed *ret,
                                    const char **ret_why);
secsip_result ssi_sdes_judge_offer(const struct ssi_sdes_session *s, const struct ssi_sdp *offer,
                                   uint32_t media, struct ssi_sdes_agreed *ret,
                                   struct ssi_slice *ret_suite_text, const char **ret_why);

#endif
