/* WAV files of the example programs: what is played is read as 8 kHz mono, what is recorded is written so.
 * Part of: examples. Samples belong to the struct until wav_free(). */
#ifndef EXAMPLES_WAV_H
#define EXAMPLES_WAV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WAV_RATE = 8000,
    WAV_HEADER = 44
};

struct wav {
    int16_t *samples; /* 16-bit linear, mono, 8 kHz */
    size_t n;
};

/* From memory: 16-bit PCM, one or two channels (mixed down), 4 to 192 kHz (resampled). False with *ret_why a constant
 * sentence when it is anything else. A file that ends early gives what is there. */
bool wav_parse(const void *data, size_t len, struct wav *ret, const char **ret_why);
/* The same from a file of at most 256 MB. */
bool wav_read(const char *path, struct wav *ret, const char **ret_why);
void wav_free(struct wav *w);

/* The header of a file of n samples at 8 kHz; the samples follow in little-endian order. */
void wav_header(size_t n_samples, uint8_t out[WAV_HEADER]);
/* False when the file cannot be written; errno says why. */
bool wav_write(const char *path, const int16_t *samples, size_t n);

#endif
