/* What can be said of a signal in numbers: likeness to another, noise, spectrum, entropy. Pure functions.
 * Part of: secsip-demo's report. */
#ifndef DEMO_SIGNAL_H
#define DEMO_SIGNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SIGNAL_BINS = 128 /* frequency bins from 0 to 4 kHz */
};

struct signal_likeness {
    double
        correlation; /* largest absolute normalised cross-correlation, 0 to 1, over all lags up to max_lag */
    int64_t lag; /* samples by which x is behind the reference there */
};

/* How like the reference x is at its best lag. False when memory is out. */
bool signal_compare(const int16_t *ref, size_t n_ref, const int16_t *x, size_t n_x, size_t max_lag,
                    struct signal_likeness *ret);
/* Signal to noise of x against the reference at the lag, in dB: over all, and the mean over 20 ms frames that hold
 * speech, each held to -10..100. Positive infinity where they are equal. */
double signal_snr_db(const int16_t *ref, size_t n_ref, const int16_t *x, size_t n_x, int64_t lag);
double signal_segmental_snr_db(const int16_t *ref, size_t n_ref, const int16_t *x, size_t n_x,
                               int64_t lag);
/* How many whole frames of the reference stand in x, sample for sample, at the lag; *ret_total: of how many. */
size_t signal_exact_frames(const int16_t *ref, size_t n_ref, const int16_t *x, size_t n_x,
                           int64_t lag, size_t *ret_total);
/* Correlation of the loudness of 20 ms frames, -1 to 1: what could be told without understanding a word. */
double signal_loudness_correlation(const int16_t *ref, size_t n_ref, const int16_t *x, size_t n_x,
                                   int64_t lag);
/* Geometric over arithmetic mean of the averaged power spectrum: near 0 for speech, 1 for white noise. */
double signal_flatness(const int16_t *x, size_t n);
/* Shannon entropy of the bytes, bits a byte: 8 for random ones. */
double signal_entropy(const uint8_t *bytes, size_t n);
/* Power in dB below full scale of `columns` moments: out[column * SIGNAL_BINS + bin], bin 0 lowest. */
void signal_spectrogram(const int16_t *x, size_t n, size_t columns, float *out);

#endif
