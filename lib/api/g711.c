/* The exported names of G.711; the work is done in lib/rtp. Layer: api. */
#include "secsip/g711.h"

#include "base/export.h"
#include "rtp/g711.h"

SECSIP_EXPORT void secsip_g711_encode_ulaw(const int16_t *samples, size_t n, uint8_t *out)
{
    ssi_g711_encode_ulaw(samples, n, out);
}

SECSIP_EXPORT void secsip_g711_decode_ulaw(const uint8_t *in, size_t n, int16_t *samples)
{
    ssi_g711_decode_ulaw(in, n, samples);
}

SECSIP_EXPORT void secsip_g711_encode_alaw(const int16_t *samples, size_t n, uint8_t *out)
{
    ssi_g711_encode_alaw(samples, n, out);
}

SECSIP_EXPORT void secsip_g711_decode_alaw(const uint8_t *in, size_t n, int16_t *samples)
{
    ssi_g711_decode_alaw(in, n, samples);
}
