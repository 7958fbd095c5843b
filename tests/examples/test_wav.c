/* WAV files and the recorder of the example programs. */
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "recorder.h"
#include "seed.h"
#include "wav.h"

static void put_le(uint8_t *p, uint32_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

/* A file of a sine of 440 Hz; the caller frees it. */
static uint8_t *make_tone(unsigned rate, unsigned channels, size_t n, size_t *ret_len)
{
    size_t len = WAV_HEADER + n * 2 * channels;
    uint8_t *file = malloc(len);

    assert_non_null(file);
    wav_header(n * channels, file);
    put_le(file + 22, channels, 2);
    put_le(file + 24, rate, 4);
    for (size_t i = 0; i < n; i++) {
        int v = (int)(10000 * sin(2 * 3.14159265358979 * 440 * (double)i / rate));
        for (unsigned c = 0; c < channels; c++)
            put_le(file + WAV_HEADER + (i * channels + c) * 2, (uint16_t)v, 2);
    }
    *ret_len = len;
    return file;
}

static void any_rate_becomes_8_khz_with_the_same_tone(void **state)
{
    static const unsigned rates[] = {8000, 16000, 22050, 44100, 48000};

    (void)state;
    for (size_t r = 0; r < 5; r++) {
        for (unsigned channels = 1; channels <= 2; channels++) {
            size_t len;
            uint8_t *file = make_tone(rates[r], channels, rates[r] / 2, &len);
            struct wav w;
            const char *why;
            assert_true(wav_parse(file, len, &w, &why));
            assert_int_equal(w.n, 4000);
            for (size_t i = 200; i < 3800; i++) {
                double expected = 10000 * sin(2 * 3.14159265358979 * 440 * (double)i / 8000);
                assert_true(fabs(w.samples[i] - expected) < 30);
            }
            wav_free(&w);
            free(file);
        }
    }
}

static void what_is_above_4_khz_does_not_fold_down(void **state)
{
    enum {
        N = 24000
    };
    uint8_t *file = malloc(WAV_HEADER + N * 2);
    struct wav w;
    const char *why;

    (void)state;
    assert_non_null(file);
    wav_header(N, file);
    put_le(file + 24, 48000, 4);
    for (size_t i = 0; i < N; i++) {
        int v = (int)(10000 * sin(2 * 3.14159265358979 * 6000 * (double)i / 48000));
        put_le(file + WAV_HEADER + i * 2, (uint16_t)v, 2);
    }
    assert_true(wav_parse(file, WAV_HEADER + N * 2, &w, &why));
    for (size_t i = 200; i < w.n - 200; i++)
        assert_in_range(w.samples[i] + 100, 0, 200);
    wav_free(&w);
    free(file);
}

static void a_file_is_read_as_it_was_written(void **state)
{
    char path[] = "/tmp/secsip-wav-XXXXXX";
    int16_t samples[1001];
    uint64_t seed = test_seed();
    struct wav w;
    const char *why;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < 1001; i++)
        samples[i] = (int16_t)test_random(&seed);
    assert_true(wav_write(path, samples, 1001));
    assert_true(wav_read(path, &w, &why));
    unlink(path);
    assert_int_equal(w.n, 1001);
    assert_memory_equal(w.samples, samples, sizeof(samples));
    wav_free(&w);
    assert_false(wav_read(path, &w, &why));
    assert_non_null(why);
}

static void cut_and_damaged_files_give_a_reason_or_what_is_there(void **state)
{
    size_t len;
    uint8_t *file = make_tone(8000, 1, 100, &len);
    uint64_t seed = test_seed();
    struct wav w;
    const char *why;

    (void)state;
    for (size_t cut = 0; cut <= len; cut++) {
        uint8_t *copy = malloc(cut + 1); /* exact, so that ASan sees a read past the end */
        assert_non_null(copy);
        memcpy(copy, file, cut);
        if (wav_parse(copy, cut, &w, &why)) {
            assert_true(cut >= WAV_HEADER);
            assert_int_equal(w.n, (cut - WAV_HEADER) / 2);
            wav_free(&w);
        } else {
            assert_non_null(why);
        }
        free(copy);
    }
    for (int i = 0; i < 3000; i++) {
        size_t at = test_below(&seed, (uint32_t)WAV_HEADER);
        uint8_t saved = file[at];
        file[at] = (uint8_t)test_random(&seed);
        if (wav_parse(file, len, &w, &why))
            wav_free(&w);
        file[at] = saved;
    }
    free(file);
}

static void lost_packets_are_silence_and_late_ones_find_their_place(void **state)
{
    struct recorder r = {0};
    int16_t frame[160];

    (void)state;
    for (int k = 0; k < 160; k++)
        frame[k] = 7;
    recorder_put(&r, frame, 160, UINT32_MAX - 159); /* the timestamp wraps behind this one */
    recorder_put(&r, frame, 160, 320);              /* two are missing */
    recorder_put(&r, frame, 160, 160);              /* one of them comes late */
    assert_int_equal(r.n, 640);
    assert_int_equal(r.samples[159], 7);
    assert_int_equal(r.samples[160], 0);
    assert_int_equal(r.samples[319], 0);
    assert_int_equal(r.samples[320], 7);
    assert_int_equal(r.samples[639], 7);
    recorder_put(&r, frame, 160, UINT32_MAX - 2000); /* older than the beginning */
    assert_int_equal(r.n, 640);
    recorder_put(&r, frame, 160, 0x40000000); /* the sender began anew */
    assert_int_equal(r.n, 800);
    assert_int_equal(r.samples[799], 7);
    assert_false(r.failed);
    recorder_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_rate_becomes_8_khz_with_the_same_tone),
        cmocka_unit_test(what_is_above_4_khz_does_not_fold_down),
        cmocka_unit_test(a_file_is_read_as_it_was_written),
        cmocka_unit_test(cut_and_damaged_files_give_a_reason_or_what_is_there),
        cmocka_unit_test(lost_packets_are_silence_and_late_ones_find_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
