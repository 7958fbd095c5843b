/* WAV files, see wav.h. Part of: examples. Files are untrusted: every length is checked against what is there. */
#include "wav.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FILE_MAX = 256 << 20,
    TAPS = 32 /* zero crossings of the resampler's filter, each side */
};

struct format {
    unsigned channels;
    unsigned rate;
};

static uint32_t le(const uint8_t *p, size_t n)
{
    uint32_t v = 0;

    while (n-- > 0)
        v = v << 8 | p[n];
    return v;
}

static const char *read_format(const uint8_t *p, size_t len, struct format *ret)
{
    if (len < 16)
        return "its format chunk is cut short";
    ret->channels = le(p + 2, 2);
    ret->rate = le(p + 4, 4);
    if (le(p, 2) != 1 || le(p + 14, 2) != 16)
        return "it is not 16-bit PCM";
    if (ret->channels < 1 || ret->channels > 2)
        return "it has more than two channels";
    if (ret->rate < 4000 || ret->rate > 192000)
        return "its sampling rate is not between 4 and 192 kHz";
    return NULL;
}

/* Finds the two chunks that matter. NULL when both are there. */
static const char *find_chunks(const uint8_t *p, size_t len, struct format *format,
                               const uint8_t **ret_data, size_t *ret_len)
{
    bool have_format = false;

    if (len < 12 || memcmp(p, "RIFF", 4) != 0 || memcmp(p + 8, "WAVE", 4) != 0)
        return "it is not a WAV file";
    for (size_t at = 12; len - at >= 8;) {
        const uint8_t *body = p + at + 8;
        size_t left = len - at - 8;
        size_t size = le(p + at + 4, 4);
        if (size > left)
            size = left; /* a recorder that was killed leaves 0 or 0xFFFFFFFF here */
        if (memcmp(p + at, "fmt ", 4) == 0) {
            const char *why = read_format(body, size, format);
            if (why)
                return why;
            have_format = true;
        } else if (memcmp(p + at, "data", 4) == 0) {
            *ret_data = body;
            *ret_len = size;
            return have_format ? NULL : "it has no format chunk before its samples";
        }
        at += 8 + size;
        if (size % 2 != 0 && at < len)
            at++; /* chunks are padded to even lengths */
    }
    return "it holds no samples";
}

static double windowed_sinc(double x, double cutoff)
{
    const double pi = 3.14159265358979323846;
    double width = TAPS / cutoff;

    if (fabs(x) >= width)
        return 0;
    double y = pi * cutoff * x;
    double sinc = fabs(y) < 1e-9 ? 1 : sin(y) / y;
    return cutoff * sinc * (0.5 + 0.5 * cos(pi * x / width));
}

/* Band-limited resampling to 8 kHz: each output is a weighted sum of the inputs around its place. */
static void resample(const int16_t *in, size_t n_in, unsigned rate, int16_t *out, size_t n_out)
{
    double step = (double)rate / WAV_RATE;
    double cutoff = step > 1 ? 0.95 / step : 0.95;
    double reach = TAPS / cutoff;

    for (size_t i = 0; i < n_out; i++) {
        double at = (double)i * step, sum = 0;
        size_t from = at > reach ? (size_t)(at - reach) : 0;
        for (size_t k = from; k < n_in && (double)k <= at + reach; k++)
            sum += in[k] * windowed_sinc(at - (double)k, cutoff);
        sum = sum > 32767 ? 32767 : sum < -32768 ? -32768 : sum;
        out[i] = (int16_t)lrint(sum);
    }
}

bool wav_parse(const void *data, size_t len, struct wav *ret, const char **ret_why)
{
    struct format format = {0};
    const uint8_t *body = NULL;
    size_t body_len = 0;

    *ret_why = find_chunks(data, len, &format, &body, &body_len);
    if (*ret_why)
        return false;
    *ret_why = "there is not enough memory for it";
    size_t n = body_len / (2 * format.channels);
    int16_t *samples = malloc((n + 1) * sizeof(*samples));
    if (!samples)
        return false;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *frame = body + i * 2 * format.channels;
        int v = (int16_t)le(frame, 2);
        if (format.channels == 2)
            v = (v + (int16_t)le(frame + 2, 2)) / 2;
        samples[i] = (int16_t)v;
    }
    if (format.rate != WAV_RATE) {
        size_t n_out = (size_t)((uint64_t)n * WAV_RATE / format.rate);
        int16_t *out = malloc((n_out + 1) * sizeof(*out));
        if (!out) {
            free(samples);
            return false;
        }
        resample(samples, n, format.rate, out, n_out);
        free(samples);
        samples = out;
        n = n_out;
    }
    *ret = (struct wav){samples, n};
    *ret_why = NULL;
    return true;
}

static const char *slurp(FILE *in, uint8_t **ret_data, size_t *ret_len)
{
    if (fseek(in, 0, SEEK_END) != 0)
        return strerror(errno);
    long size = ftell(in);
    if (size < 0 || fseek(in, 0, SEEK_SET) != 0)
        return strerror(errno);
    if (size > FILE_MAX)
        return "it is larger than 256 MB";
    uint8_t *data = malloc((size_t)size + 1);
    if (!data)
        return "there is not enough memory for it";
    *ret_len = fread(data, 1, (size_t)size, in);
    *ret_data = data;
    return NULL;
}

bool wav_read(const char *path, struct wav *ret, const char **ret_why)
{
    uint8_t *data = NULL;
    size_t len = 0;
    FILE *in = fopen(path, "rb");

    if (!in) {
        *ret_why = strerror(errno);
        return false;
    }
    *ret_why = slurp(in, &data, &len);
    fclose(in);
    bool ok = !*ret_why && wav_parse(data, len, ret, ret_why);
    free(data);
    return ok;
}

void wav_free(struct wav *w)
{
    free(w->samples);
    *w = (struct wav){0};
}

static void put_le(uint8_t *p, uint32_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

void wav_header(size_t n_samples, uint8_t out[WAV_HEADER])
{
    uint32_t bytes = (uint32_t)(n_samples * 2);

    memcpy(out, "RIFF....WAVEfmt ....", 20);
    put_le(out + 4, bytes + WAV_HEADER - 8, 4);
    put_le(out + 16, 16, 4);
    put_le(out + 20, 1, 2); /* PCM */
    put_le(out + 22, 1, 2); /* mono */
    put_le(out + 24, WAV_RATE, 4);
    put_le(out + 28, WAV_RATE * 2, 4);
    put_le(out + 32, 2, 2);
    put_le(out + 34, 16, 2);
    memcpy(out + 36, "data", 4);
    put_le(out + 40, bytes, 4);
}

bool wav_write(const char *path, const int16_t *samples, size_t n)
{
    uint8_t bytes[512];
    FILE *out = fopen(path, "wb");

    if (!out)
        return false;
    wav_header(n, bytes);
    bool ok = fwrite(bytes, 1, WAV_HEADER, out) == WAV_HEADER;
    for (size_t i = 0; ok && i < n;) {
        size_t run = n - i < sizeof(bytes) / 2 ? n - i : sizeof(bytes) / 2;
        for (size_t k = 0; k < run; k++)
            put_le(bytes + 2 * k, (uint16_t)samples[i + k], 2);
        ok = fwrite(bytes, 2, run, out) == run;
        i += run;
    }
    return fclose(out) == 0 && ok;
}
