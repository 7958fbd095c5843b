/* Keeps received speech in its place: packets are laid out by RTP timestamp, what never came is silence.
 * Part of: examples. The samples belong to the recorder until recorder_free(). */
#ifndef EXAMPLES_RECORDER_H
#define EXAMPLES_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RECORDER_MAX = 8000 * 3600 * 4 /* four hours */
};

struct recorder {
    int16_t *samples;
    size_t n;
    size_t cap;
    bool started;
    bool failed;        /* memory ran out, or RECORDER_MAX was reached: the end is missing */
    uint32_t timestamp; /* of the last packet, and where it was laid */
    size_t at;
};

/* Lays n samples at their place. The first packet is the beginning; what is older than it is left out. A jump of more
 * than ten seconds is a new stream of the sender: it goes on at the end. */
void recorder_put(struct recorder *r, const int16_t *samples, size_t n, uint32_t timestamp);
void recorder_free(struct recorder *r);

#endif
