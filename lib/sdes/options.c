/* The options of <secsip/sdes.h> as the fields of a configuration: sessions and accounts take the same ones. Layer: sdes. */
#include "sdes/sdes.h"
#include "secsip/sdes.h"

static uint32_t flag_if(uint32_t options, uint32_t option, uint32_t flag)
{
    return options & option ? flag : 0;
}

uint32_t ssi_sdes_allowed_by(uint32_t options)
{
    return flag_if(options, SECSIP_SDES_INSECURE_UNENCRYPTED_SRTP, SSI_SDES_UNENCRYPTED_SRTP) |
           flag_if(options, SECSIP_SDES_INSECURE_UNENCRYPTED_SRTCP, SSI_SDES_UNENCRYPTED_SRTCP) |
           flag_if(options, SECSIP_SDES_INSECURE_UNAUTHENTICATED_SRTP,
                   SSI_SDES_UNAUTHENTICATED_SRTP) |
           flag_if(options, SECSIP_SDES_INSECURE_NULL_CIPHER, SSI_SDES_NULL_CIPHER);
}

void ssi_sdes_take_options(uint32_t options, struct ssi_sdes_config *ret)
{
    ret->allow = ssi_sdes_allowed_by(options);
    ret->avp_crypto = options & SECSIP_SDES_ANSWER_AVP;
    ret->match_by_suite = options & SECSIP_SDES_MATCH_BY_SUITE;
    ret->unpadded = options & SECSIP_SDES_UNPADDED;
    ret->insecure_may_fall = options & SECSIP_SDES_INSECURE_MAY_FALL;
    ret->refuse_profile = options & SECSIP_SDES_REFUSE_PROFILE;
    ret->refuse_spelling = options & SECSIP_SDES_REFUSE_SPELLING;
    ret->refuse_unpadded = options & SECSIP_SDES_REFUSE_UNPADDED;
}

/* The policies and styles have the same numbers on both sides of the door. */
_Static_assert((int)SECSIP_SDES_OFF == (int)SSI_SDES_OFF &&
                   (int)SECSIP_SDES_OPTIONAL == (int)SSI_SDES_OPTIONAL &&
                   (int)SECSIP_SDES_STYLE_TWO_LINES == (int)SSI_SDES_STYLE_TWO_LINES &&
                   (int)SECSIP_SDES_STYLE_CAPABILITY == (int)SSI_SDES_STYLE_CAPABILITY &&
                   (int)SECSIP_SDES_STYLE_SAVP == (int)SSI_SDES_STYLE_SAVP,
               "policies and styles");
_Static_assert((int)SECSIP_SDES_FORM_UNENCRYPTED_SRTP == (int)SSI_SDES_UNENCRYPTED_SRTP &&
                   (int)SECSIP_SDES_FORM_UNENCRYPTED_SRTCP == (int)SSI_SDES_UNENCRYPTED_SRTCP &&
                   (int)SECSIP_SDES_FORM_UNAUTHENTICATED_SRTP ==
                       (int)SSI_SDES_UNAUTHENTICATED_SRTP &&
                   (int)SECSIP_SDES_QUIRK_TAG == (int)SSI_SDES_QUIRK_TAG &&
                   (int)SECSIP_SDES_QUIRK_PROFILE == (int)SSI_SDES_QUIRK_PROFILE &&
                   (int)SECSIP_SDES_QUIRK_SPELLING == (int)SSI_SDES_QUIRK_SPELLING &&
                   (int)SECSIP_SDES_QUIRK_PADDING == (int)SSI_SDES_QUIRK_PADDING,
               "forms and quirks");

_Static_assert((int)SSI_SDES_ALL_OPTIONS == (SECSIP_SDES_INSECURE_NULL_CIPHER << 1) - 1 &&
                   (int)SSI_SDES_CALL_OPTIONS ==
                       (SECSIP_SDES_ANSWER_AVP | SECSIP_SDES_MATCH_BY_SUITE | SECSIP_SDES_UNPADDED |
                        SECSIP_SDES_REFUSE_PROFILE | SECSIP_SDES_REFUSE_SPELLING |
                        SECSIP_SDES_REFUSE_UNPADDED | SECSIP_SDES_INSECURE_UNENCRYPTED_SRTP |
                        SECSIP_SDES_INSECURE_UNENCRYPTED_SRTCP |
                        SECSIP_SDES_INSECURE_UNAUTHENTICATED_SRTP |
                        SECSIP_SDES_INSECURE_NULL_CIPHER),
               "options");
