/* The numbers of the demo's report: likeness, noise, entropy, and the PNG that shows spectra. */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "g711.h"
#include "report/png.h"
#include "report/signal.h"
#include "seed.h"

enum {
    N = 24000
};

static int16_t voice[N];
static int16_t other[N + 2000];

/* Something with the ups and downs of speech: a swept tone in syllables. */
static void make_voice(void)
{
    for (size_t i = 0; i < N; i++) {
        double t = (double)i / 8000;
        double loud = 0.5 - 0.5 * cos(2 * 3.14159265 * 3.1 * t);
        voice[i] = (int16_t)(12000 * loud * sin(2 * 3.14159265 * (200 + 90 * t) * t));
    }
}

static void make_noise(uint64_t *seed, int16_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = g711_decode(G711_PCMU, (uint8_t)(test_random(seed) >> 40));
}

static void a_delayed_copy_is_found_and_exact(void **state)
{
    struct signal_likeness like;
    size_t total;

    (void)state;
    make_voice();
    memset(other, 0, sizeof(other));
    memcpy(other + 800, voice, sizeof(voice));
    assert_true(signal_compare(voice, N, other, N + 800, 16000, &like));
    assert_true(like.correlation > 0.999999);
    assert_int_equal(like.lag, 800);
    assert_int_equal(signal_exact_frames(voice, N, other, N + 800, 800, &total), N / 160);
    assert_int_equal(total, N / 160);
    assert_true(isinf(signal_snr_db(voice, N, other, N + 800, 800)));
    assert_true(signal_loudness_correlation(voice, N, other, N + 800, 800) > 0.999);
    memmove(other, other + 900, (N - 100) * sizeof(*other)); /* now the beginning is cut off */
    assert_true(signal_compare(voice, N, other, N - 100, 16000, &like));
    assert_int_equal(like.lag, -100);
    assert_int_equal(signal_exact_frames(voice, N, other, N - 100, -100, &total), N / 160 - 1);
}

static void one_wrong_sample_costs_one_frame(void **state)
{
    size_t total;

    (void)state;
    make_voice();
    memcpy(other, voice, sizeof(voice));
    other[1000]++;
    assert_int_equal(signal_exact_frames(voice, N, other, N, 0, &total), N / 160 - 1);
    double snr = signal_snr_db(voice, N, other, N, 0);
    assert_true(snr > 90 && !isinf(snr));
    assert_int_equal(signal_exact_frames(voice, N, other, N - 1, 0, &total), N / 160 - 2);
}

static void noise_is_unlike_speech_in_every_number(void **state)
{
    uint64_t seed = test_seed();
    struct signal_likeness like;
    size_t total;

    (void)state;
    make_voice();
    make_noise(&seed, other, N);
    assert_true(signal_compare(voice, N, other, N, 16000, &like));
    assert_true(like.correlation < 0.06);
    assert_int_equal(signal_exact_frames(voice, N, other, N, like.lag, &total), 0);
    assert_true(signal_snr_db(voice, N, other, N, 0) < 3);
    assert_true(signal_segmental_snr_db(voice, N, other, N, 0) < 3);
    assert_true(fabs(signal_loudness_correlation(voice, N, other, N, 0)) < 0.5);
    assert_true(signal_flatness(other, N) > 0.9);
    assert_true(signal_flatness(voice, N) < 0.1);
}

static void silence_is_like_nothing(void **state)
{
    struct signal_likeness like;

    (void)state;
    make_voice();
    memset(other, 0, sizeof(other));
    assert_true(signal_compare(voice, N, other, N, 16000, &like));
    assert_true(like.correlation == 0);
    assert_true(signal_compare(voice, N, other, 0, 16000, &like));
    assert_true(like.correlation == 0);
    assert_true(signal_flatness(other, 0) == 0);
}

static void entropy_tells_random_bytes_from_one_value(void **state)
{
    uint8_t bytes[65536];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)i;
    assert_true(fabs(signal_entropy(bytes, sizeof(bytes)) - 8) < 1e-9);
    memset(bytes, 0xFF, sizeof(bytes));
    assert_true(signal_entropy(bytes, sizeof(bytes)) == 0);
    assert_true(signal_entropy(bytes, 0) == 0);
}

static void a_tone_lights_its_own_bin(void **state)
{
    float power[4 * SIGNAL_BINS];

    (void)state;
    for (size_t i = 0; i < N; i++)
        other[i] = (int16_t)(16384 * sin(2 * 3.14159265358979 * 1000 * (double)i / 8000));
    signal_spectrogram(other, N, 4, power);
    for (size_t k = 0; k < SIGNAL_BINS; k++) /* 1 kHz is bin 32 of 31.25 Hz each */
        assert_true(k >= 30 && k <= 34 ? power[k] <= power[32] : power[k] < power[32] - 50);
    assert_true(fabsf(power[32] - -6) < 1); /* half of full scale */
}

static void g711_rounds_to_what_it_can_carry(void **state)
{
    static const int types[] = {G711_PCMU, G711_PCMA};

    (void)state;
    assert_int_equal(g711_decode(G711_PCMU, 0xFF), 0); /* ITU-T G.711 table 2 */
    assert_int_equal(g711_decode(G711_PCMU, 0x80), 32124);
    assert_int_equal(g711_decode(G711_PCMU, 0x00), -32124);
    assert_int_equal(g711_decode(G711_PCMA, 0xD5), 8);
    assert_int_equal(g711_decode(G711_PCMA, 0xAA), 32256);
    assert_int_equal(g711_decode(G711_PCMA, 0x2A), -32256);
    for (int t = 0; t < 2; t++) {
        for (int code = 0; code < 256; code++) {
            int16_t value = g711_decode(types[t], (uint8_t)code);
            assert_int_equal(g711_round(types[t], value), value);
        }
        assert_true(abs(g711_round(types[t], 1000) - 1000) <= 32);
    }
}

static void a_png_has_its_parts_and_sums(void **state)
{
    static const uint8_t iend[] = {0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xAE, 0x42, 0x60, 0x82};
    uint8_t pixels[300 * 400] = {0}, palette[768] = {0};
    size_t len = 0;
    uint8_t *png = png_encode(pixels, 400, 300, palette, &len);

    (void)state;
    assert_non_null(png);
    assert_memory_equal(png, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16);
    assert_memory_equal(png + len - sizeof(iend), iend, sizeof(iend));
    assert_true(len > 300 * 401);
    free(png);
    assert_null(png_encode(pixels, 0, 300, palette, &len));
    assert_null(png_encode(pixels, 5000, 1, palette, &len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_delayed_copy_is_found_and_exact),
        cmocka_unit_test(one_wrong_sample_costs_one_frame),
        cmocka_unit_test(noise_is_unlike_speech_in_every_number),
        cmocka_unit_test(silence_is_like_nothing),
        cmocka_unit_test(entropy_tells_random_bytes_from_one_value),
        cmocka_unit_test(a_tone_lights_its_own_bin),
        cmocka_unit_test(g711_rounds_to_what_it_can_carry),
        cmocka_unit_test(a_png_has_its_parts_and_sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
