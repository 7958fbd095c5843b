/* G.711 speech, payload types 0 and 8 of RFC 3551. SPDX-License-Identifier: LGPL-2.1-or-later
 * Linear samples are 16 bits, 8,000 a second; coded ones one byte each. Bit-exact to ITU-T G.711. Any thread. */
#ifndef SECSIP_G711_H
#define SECSIP_G711_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Codes n samples as mu-law (PCMU). @param samples, out  n of each; not NULL unless n is 0. Since 0.1. */
void secsip_g711_encode_ulaw(const int16_t *samples, size_t n, uint8_t *out);

/** Decodes n bytes of mu-law (PCMU). @param in, samples  n of each; not NULL unless n is 0. Since 0.1. */
void secsip_g711_decode_ulaw(const uint8_t *in, size_t n, int16_t *samples);

/** Codes n samples as A-law (PCMA). @param samples, out  n of each; not NULL unless n is 0. Since 0.1. */
void secsip_g711_encode_alaw(const int16_t *samples, size_t n, uint8_t *out);

/** Decodes n bytes of A-law (PCMA). @param in, samples  n of each; not NULL unless n is 0. Since 0.1. */
void secsip_g711_decode_alaw(const uint8_t *in, size_t n, int16_t *samples);

#ifdef __cplusplus
}
#endif

#endif
