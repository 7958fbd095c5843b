/* G.711 against the algorithm of ITU-T G.191's reference: a search for the segment by shifting, written the way the
 * recommendation counts, for every input there is. */
#include "test.h"

#include "rtp/g711.h"

static uint8_t reference_alaw(int16_t in)
{
    int ix = in < 0 ? (~in) >> 4 : in >> 4;

    if (ix > 15) {
        int exponent = 1;
        while (ix > 16 + 15) {
            ix >>= 1;
            exponent++;
        }
        ix = ix - 16 + (exponent << 4);
    }
    if (in >= 0)
        ix |= 0x80;
    return (uint8_t)(ix ^ 0x55);
}

static int16_t reference_alaw_linear(uint8_t code)
{
    int ix = (code ^ 0x55) & 0x7f;
    int exponent = ix >> 4;
    int mantissa = ix & 0x0f;

    if (exponent > 0)
        mantissa += 16;
    mantissa = (mantissa << 4) + 8;
    if (exponent > 1)
        mantissa <<= exponent - 1;
    return (int16_t)(code > 127 ? mantissa : -mantissa);
}

static uint8_t reference_ulaw(int16_t in)
{
    int absolute = (in < 0 ? (~in) >> 2 : in >> 2) + 33;
    int segment = 1;

    if (absolute > 0x1fff)
        absolute = 0x1fff;
    for (int i = absolute >> 6; i != 0; i >>= 1)
        segment++;
    int high = 8 - segment;
    int low = 15 - ((absolute >> segment) & 15);
    return (uint8_t)((high << 4 | low) | (in >= 0 ? 0x80 : 0));
}

static int16_t reference_ulaw_linear(uint8_t code)
{
    int mantissa = ~code;
    int exponent = mantissa >> 4 & 7;
    int step = 4 << (exponent + 1);

    mantissa &= 15;
    return (int16_t)((code < 0x80 ? -1 : 1) *
                     ((0x80 << exponent) + step * mantissa + step / 2 - 4 * 33));
}

static void every_sample_is_coded_as_the_reference_does(void **state)
{
    (void)state;
    for (int i = -32768; i <= 32767; i++) {
        int16_t in = (int16_t)i;
        uint8_t ulaw, alaw;
        ssi_g711_encode_ulaw(&in, 1, &ulaw);
        ssi_g711_encode_alaw(&in, 1, &alaw);
        assert_int_equal(ulaw, reference_ulaw(in));
        assert_int_equal(alaw, reference_alaw(in));
    }
}

static void every_code_is_decoded_as_the_reference_does(void **state)
{
    (void)state;
    for (int i = 0; i < 256; i++) {
        uint8_t code = (uint8_t)i;
        int16_t ulaw, alaw;
        ssi_g711_decode_ulaw(&code, 1, &ulaw);
        ssi_g711_decode_alaw(&code, 1, &alaw);
        assert_int_equal(ulaw, reference_ulaw_linear(code));
        assert_int_equal(alaw, reference_alaw_linear(code));
    }
}

static void known_points_of_the_recommendation(void **state)
{
    static const int16_t linear[] = {0, -1, 32767, -32768};
    static const uint8_t ulaw[] = {0xff, 0x7f, 0x80, 0x00};
    static const uint8_t alaw[] = {0xd5, 0x55, 0xaa, 0x2a};
    uint8_t out[4];

    (void)state;
    ssi_g711_encode_ulaw(linear, 4, out);
    assert_memory_equal(out, ulaw, 4);
    ssi_g711_encode_alaw(linear, 4, out);
    assert_memory_equal(out, alaw, 4);
}

static void decoding_and_coding_again_gives_the_code(void **state)
{
    (void)state;
    for (int i = 0; i < 256; i++) {
        uint8_t code = (uint8_t)i, again;
        int16_t linear;
        ssi_g711_decode_alaw(&code, 1, &linear);
        ssi_g711_encode_alaw(&linear, 1, &again);
        assert_int_equal(again, code);
        ssi_g711_decode_ulaw(&code, 1, &linear);
        ssi_g711_encode_ulaw(&linear, 1, &again);
        assert_int_equal(again, code == 0x7f ? 0xff : code); /* minus zero */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sample_is_coded_as_the_reference_does),
        cmocka_unit_test(every_code_is_decoded_as_the_reference_does),
        cmocka_unit_test(known_points_of_the_recommendation),
        cmocka_unit_test(decoding_and_coding_again_gives_the_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
