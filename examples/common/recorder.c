/* Received speech by RTP timestamp, see recorder.h. Part of: examples. */
#include "recorder.h"

#include <stdlib.h>
#include <string.h>

enum {
    JUMP_MAX = 8000 * 10
};

static bool make_room(struct recorder *r, size_t end)
{
    size_t cap = r->cap ? r->cap : 16000;

    if (end > RECORDER_MAX)
        return false;
    while (cap < end)
        cap *= 2;
    if (cap != r->cap) {
        int16_t *samples = realloc(r->samples, cap * sizeof(*samples));
        if (!samples)
            return false;
        memset(samples + r->cap, 0, (cap - r->cap) * sizeof(*samples));
        r->samples = samples;
        r->cap = cap;
    }
    return true;
}

void recorder_put(struct recorder *r, const int16_t *samples, size_t n, uint32_t timestamp)
{
    size_t at = 0;

    if (r->started) {
        int64_t step = (int32_t)(timestamp - r->timestamp); /* timestamps wrap, RFC 3550 5.1 */
        if (step > JUMP_MAX || step < -JUMP_MAX)
            at = r->n;
        else if (step < 0 && (size_t)-step > r->at)
            return;
        else
            at = (size_t)((int64_t)r->at + step);
    }
    if (r->failed || !make_room(r, at + n)) {
        r->failed = true;
        return;
    }
    memcpy(r->samples + at, samples, n * sizeof(*samples));
    r->started = true;
    r->timestamp = timestamp;
    r->at = at;
    if (at + n > r->n)
        r->n = at + n;
}

void recorder_free(struct recorder *r)
{
    free(r->samples);
    *r = (struct recorder){0};
}
