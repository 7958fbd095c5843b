/* G.711, see g711.h. Part of: examples. Rounding searches the 256 values once: no second set of rules to get wrong. */
#include "g711.h"

#include <stdlib.h>

static int16_t decode_mu(uint8_t code)
{
    int bits = ~code & 0xFF;
    int magnitude = ((((bits & 0x0F) << 3) + 0x84) << (bits >> 4 & 7)) - 0x84;

    return (int16_t)(bits & 0x80 ? -magnitude : magnitude);
}

static int16_t decode_a(uint8_t code)
{
    int bits = code ^ 0x55;
    int segment = bits >> 4 & 7;
    int magnitude = ((bits & 0x0F) << 4) + 8;

    if (segment > 0)
        magnitude = (magnitude + 0x100) << (segment - 1);
    return (int16_t)(bits & 0x80 ? magnitude : -magnitude);
}

int16_t g711_decode(int payload_type, uint8_t code)
{
    return payload_type == G711_PCMA ? decode_a(code) : decode_mu(code);
}

int16_t g711_round(int payload_type, int16_t sample)
{
    int16_t best = g711_decode(payload_type, 0);

    for (int code = 1; code < 256; code++) {
        int16_t value = g711_decode(payload_type, (uint8_t)code);
        if (abs(value - sample) < abs(best - sample))
            best = value;
    }
    return best;
}
