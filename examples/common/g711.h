/* G.711 for those who listen in: the demo's eavesdropper decodes what he sees with this, and tests make tones.
 * Part of: examples; the library has its own, which is not part of its interface. ITU-T G.711, RFC 3551 4.5.14. */
#ifndef EXAMPLES_G711_H
#define EXAMPLES_G711_H

#include <stdint.h>

enum {
    G711_PCMU = 0,
    G711_PCMA = 8 /* RTP payload types */
};

int16_t g711_decode(int payload_type, uint8_t code);
/* The nearest value that the code can carry: what encoding and decoding make of a sample. */
int16_t g711_round(int payload_type, int16_t sample);

#endif
