/* The parts that report.c puts together. Part of: secsip-demo's report. */
#ifndef DEMO_PARTS_H
#define DEMO_PARTS_H

#include "page.h"
#include "report.h"

extern const char report_style[];

/* A row of the page's tables of numbers: what, in the clear call, in the secure call. */
void part_numbers(struct page *p, const struct report *r);
void part_hops(struct page *p, const struct report_call *call);
void part_ladder(struct page *p, const struct report_call *call);
/* A card with title, note, waveform, spectrogram, player and a line of numbers. kind: "sent", "callee" or "spy". */
struct part_sound {
    const char *kind;
    const char *title;
    const char *note;
    const struct report_sound *sound;
};
void part_sound(struct page *p, const struct part_sound *s);

#endif
