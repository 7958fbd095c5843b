/* G.711, see g711.h. Layer: rtp. Straight from the segments of ITU-T G.711 tables 1 and 2: the input is 16-bit linear, the
 * code keeps its upper 14 (mu-law) or 13 (A-law) bits, as the ITU-T G.191 reference does. No memory of its own. */
#include "rtp/g711.h"

/* Segment of a magnitude: the place of its highest bit above bit 3, at least 0 and at most 7. */
static unsigned segment_of(unsigned magnitude)
{
    unsigned segment = 0;

    while (segment < 7 && magnitude >> (segment + 4) != 0)
        segment++;
    return segment;
}

static uint8_t encode_ulaw(int16_t sample)
{
    /* G.711 works on 14 bits, one's complement for the negative half; 33 is the bias, 8158 the last decision value. */
    int linear = sample < 0 ? ~sample >> 2 : sample >> 2;
    unsigned magnitude = (unsigned)linear + 33;

    if (magnitude > 0x1fff)
        magnitude = 0x1fff;
    unsigned segment = segment_of(magnitude >> 2);
    unsigned step = (magnitude >> (segment + 1)) & 0x0f;
    /* All bits are sent inverted; the sign bit is 1 for positive values. */
    return (uint8_t)((sample < 0 ? 0x7f : 0xff) - (segment << 4 | step));
}

static int16_t decode_ulaw(uint8_t code)
{
    unsigned inverted = ~(unsigned)code & 0xff;
    unsigned segment = inverted >> 4 & 7;
    int magnitude = (int)((((inverted & 0x0f) << 1 | 0x21) << segment) - 33) * 4;

    return (int16_t)(inverted & 0x80 ? -magnitude : magnitude);
}

static uint8_t encode_alaw(int16_t sample)
{
    /* 12 bits of magnitude, one's complement for the negative half. */
    unsigned magnitude = (unsigned)(sample < 0 ? ~sample : sample) >> 4;
    unsigned segment = segment_of(magnitude);
    unsigned step = segment > 1 ? magnitude >> (segment - 1) : magnitude;
    unsigned code = segment << 4 | (step & 0x0f);

    /* Even bits are sent inverted; the sign bit is 1 for positive values. */
    return (uint8_t)((sample < 0 ? code : code | 0x80) ^ 0x55);
}

static int16_t decode_alaw(uint8_t code)
{
    unsigned plain = code ^ 0x55U;
    unsigned segment = plain >> 4 & 7;
    unsigned magnitude = (plain & 0x0f) << 4 | 8;

    if (segment > 0)
        magnitude = (magnitude | 0x100) << (segment - 1);
    return (int16_t)(plain & 0x80 ? (int)magnitude : -(int)magnitude);
}

void ssi_g711_encode_ulaw(const int16_t *in, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = encode_ulaw(in[i]);
}

void ssi_g711_decode_ulaw(const uint8_t *in, size_t n, int16_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = decode_ulaw(in[i]);
}

void ssi_g711_encode_alaw(const int16_t *in, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = encode_alaw(in[i]);
}

void ssi_g711_decode_alaw(const uint8_t *in, size_t n, int16_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = decode_alaw(in[i]);
}
