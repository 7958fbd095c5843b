/* G.711 (ITU-T G.711, payload types 0 and 8 of RFC 3551). Layer: rtp. */
#ifndef SSI_RTP_G711_H
#define SSI_RTP_G711_H

#include <stddef.h>
#include <stdint.h>

void ssi_g711_encode_ulaw(const int16_t *in, size_t n, uint8_t *out);
void ssi_g711_decode_ulaw(const uint8_t *in, size_t n, int16_t *out);
void ssi_g711_encode_alaw(const int16_t *in, size_t n, uint8_t *out);
void ssi_g711_decode_alaw(const uint8_t *in, size_t n, int16_t *out);

#endif
