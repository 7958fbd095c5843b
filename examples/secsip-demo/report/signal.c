/* Signals in numbers, see signal.h. Part of: secsip-demo's report. Memory is the caller's but for signal_compare(),
 * which frees what it takes. */
#include "signal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    FRAME = 160,
    WINDOW = 2 * SIGNAL_BINS
};

static const double pi = 3.14159265358979323846;

struct complex {
    double re;
    double im;
};

/* In place, n a power of two. Radix 2, decimation in time. */
static void fft(struct complex *v, size_t n)
{
    for (size_t i = 1, j = 0; i < n; i++) {
        size_t bit = n >> 1;
        for (; j & bit; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i < j) {
            struct complex t = v[i];
            v[i] = v[j];
            v[j] = t;
        }
    }
    for (size_t len = 2; len <= n; len *= 2) {
        double step = -2 * pi / (double)len;
        for (size_t k = 0; k < len / 2; k++) {
            double c = cos(step * (double)k), s = sin(step * (double)k);
            for (size_t i = k; i < n; i += len) {
                struct complex *a = v + i, *b = v + i + len / 2;
                struct complex t = {b->re * c - b->im * s, b->re * s + b->im * c};
                *b = (struct complex){a->re - t.re, a->im - t.im};
                *a = (struct complex){a->re + t.re, a->im + t.im};
            }
        }
    }
}

static double energy(const int16_t *x, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * x[i];
    return sum;
}

/* The sample of x that stands beside ref[i] at the lag; silence outside. */
static int16_t at(const int16_t *x, size_t n_x, size_t i, int64_t lag)
{
    int64_t k = (int64_t)i + lag;

    return k >= 0 && (uint64_t)k < n_x ? x[k] : 0;
}

/* Both signals ride in one transform, the reference as real part and x as imaginary part: their spectra come apart by
 * symmetry, and the correlation of all lags is the transform of conj(R) X. */
static void correlate(struct complex *v, size_t n)
{
    fft(v, n);
    for (size_t k = 0; k <= n / 2; k++) {
        struct complex a = v[k], b = v[(n - k) % n];
        struct complex r = {(a.re + b.re) / 2, (a.im - b.im) / 2};
        struct complex x = {(a.im + b.im) / 2, (b.re - a.re) / 2};
        struct complex p = {r.re * x.re + r.im * x.im, r.re * x.im - r.im * x.re};
        v[k] = (struct complex){p.re, -p.im}; /* conjugated: the forward transform then inverts */
        v[(n - k) % n] = (struct complex){p.re, p.im};
    }
    fft(v, n);
}

bool signal_compare(const int16_t *ref, size_t n_ref, const int16_t *x, size_t n_x, size_t max_lag,
                    struct signal_likeness *ret)
{
    double scale = sqrt(energy(ref, n_ref) * energy(x, n_x));
    size_t n = 2;

    *ret = (struct signal_likeness){0};
    if (scale <= 0)
        return true; /* silence is like nothing */
    while (n < n_ref + n_x || n < 2 * max_lag + 2)
        n *= 2;
    struct complex *v = calloc(n, sizeof(*v));
    if (!v)
        return false;
    for (size_t i = 0; i < n_ref; i++)
        v[i].re = ref[i];
    for (size_t i = 0; i < n_x; i++)
        v[i].im = x[i];
    correlate(v, n);
    for (int64_t lag = -(int64_t)max_lag; lag <= (int64_t)max_lag; lag++) {
        double c = v[(size_t)(lag < 0 ? lag + (int64_t)n : lag)].re / (double)n / scale;
        if (fabs(c) > ret->correlation) {
            ret->correlation = fabs(c);
            ret->lag = lag;
        }
    }
    free(v);
    return true;
}

static double ratio_db(double signal, double noise)
{
    return noise > 0 ? 10 * log10(signal > 0 ? signal / noise : 1e-10) : HUGE_VAL;
}

static double noise_of(const int16_t *ref, size_t from, size_t n, const int16_t *x, size_t n_x,
                       int64_t lag)
{
    double noise = 0;

    for (size_t i = from; i < from + n; i++) {
        double d = (double)ref[i] - at(x, n_x, i, lag);
        noise += d * d;
    }
    return noise;
}

double signal_snr_db(const int16_t *ref, size_t n_ref, const int16_t *x, size_t n_x, int64_t lag)
{
    return ratio_db(energy(ref, n_ref), noise_of(ref, 0, n_ref, x, n_x, lag));
}

double signal_segmental_snr_db(const int16_t *ref, size_t n_ref, const int16_t *x, size_t n_x,
                               int64_t lag)
{
    double sum = 0;
    size_t n = 0;

    for (size_t i = 0; i + FRAME <= n_ref; i += FRAME) {
        double signal = energy(ref + i, FRAME);
        if (signal < FRAME * 100.0 * 100.0) /* 50 dB below full scale: a pause */
            continue;
        double db = ratio_db(signal, noise_of(ref, i, FRAME, x, n_x, lag));
        sum += db > 100 ? 100 : db < -10 ? -10 : db;
        n++;
    }
    return n ? sum / (double)n : 0;
}

size_t signal_exact_frames(const int16_t *ref, size_t n_ref, const int16_t *x, size_t n_x,
                           int64_t lag, size_t *ret_total)
{
    size_t exact = 0, total = 0;

    for (size_t i = 0; i + FRAME <= n_ref; i += FRAME) {
        size_t k = 0;
        while (k < FRAME && (int64_t)(i + k) + lag >= 0 &&
               (uint64_t)((int64_t)(i + k) + lag) < n_x && ref[i + k] == at(x, n_x, i + k, lag))
            k++;
        exact += k == FRAME;
        total++;
    }
    *ret_total = total;
    return exact;
}

double signal_loudness_correlation(const int16_t *ref, size_t n_ref, const int16_t *x, size_t n_x,
                                   int64_t lag)
{
    double sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0, n = 0;

    for (size_t i = 0; i + FRAME <= n_ref; i += FRAME) {
        double other = 0;
        for (size_t k = i; k < i + FRAME; k++)
            other += (double)at(x, n_x, k, lag) * at(x, n_x, k, lag);
        double a = log10(energy(ref + i, FRAME) + FRAME), b = log10(other + FRAME);
        sa += a;
        sb += b;
        saa += a * a;
        sbb += b * b;
        sab += a * b;
        n++;
    }
    double spread = (n * saa - sa * sa) * (n * sbb - sb * sb);
    return spread > 0 ? (n * sab - sa * sb) / sqrt(spread) : 0;
}

/* Power of the bins of one window that begins at x, full scale being 1. */
static void window_power(const int16_t *x, size_t n, double out[SIGNAL_BINS])
{
    struct complex v[WINDOW];

    for (size_t i = 0; i < WINDOW; i++) {
        double hann = 0.5 - 0.5 * cos(2 * pi * (double)i / WINDOW);
        v[i] = (struct complex){i < n ? hann * x[i] / 32768.0 : 0, 0};
    }
    fft(v, WINDOW);
    for (size_t k = 0; k < SIGNAL_BINS; k++)
        out[k] = (v[k].re * v[k].re + v[k].im * v[k].im) * 16 / ((double)WINDOW * WINDOW);
}

double signal_flatness(const int16_t *x, size_t n)
{
    double sum[SIGNAL_BINS] = {0}, power[SIGNAL_BINS], logs = 0, mean = 0;

    for (size_t i = 0; i + WINDOW <= n; i += WINDOW / 2) {
        window_power(x + i, WINDOW, power);
        for (size_t k = 0; k < SIGNAL_BINS; k++)
            sum[k] += power[k];
    }
    for (size_t k = 2; k < SIGNAL_BINS;
         k++) { /* the window smears the lowest two into each other */
        logs += log(sum[k] + 1e-30);
        mean += sum[k];
    }
    mean /= SIGNAL_BINS - 2;
    return mean > 0 ? exp(logs / (SIGNAL_BINS - 2)) / mean : 0;
}

double signal_entropy(const uint8_t *bytes, size_t n)
{
    size_t counts[256] = {0};
    double bits = 0;

    for (size_t i = 0; i < n; i++)
        counts[bytes[i]]++;
    for (size_t i = 0; i < 256; i++)
        if (counts[i])
            bits -= (double)counts[i] / (double)n * log2((double)counts[i] / (double)n);
    return bits;
}

void signal_spectrogram(const int16_t *x, size_t n, size_t columns, float *out)
{
    double power[SIGNAL_BINS];

    for (size_t c = 0; c < columns; c++) {
        size_t from = (size_t)((double)n * (double)c / (double)columns);
        window_power(x + from, n - from, power);
        for (size_t k = 0; k < SIGNAL_BINS; k++)
            out[c * SIGNAL_BINS + k] = (float)(10 * log10(power[k] + 1e-12));
    }
}
