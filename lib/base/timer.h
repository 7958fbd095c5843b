/* Timers on a pairing heap that lives in the timers themselves: arming never allocates and so never fails.
 * Layer: base. Time is whatever the caller says, in microseconds; nothing here reads a clock. */
#ifndef SSI_BASE_TIMER_H
#define SSI_BASE_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#define SSI_NEVER UINT64_MAX

struct ssi_timer {
    struct ssi_timer *child; /* first child */
    struct ssi_timer *next;  /* next sibling */
    struct ssi_timer *prev;  /* previous sibling, or the parent for a first child */
    uint64_t due_us;
    uint64_t order; /* timers due at the same time run in the order they were armed */
    void (*fn)(void *arg);
    void *arg;
    bool armed;
};

struct ssi_timers {
    struct ssi_timer *root;
    uint64_t now_us; /* set by ssi_timers_advance; the time of everything that happens in a step */
    uint64_t next_order;
    uint64_t n_armed;
};

void ssi_timers_init(struct ssi_timers *t, uint64_t now_us);
void ssi_timer_init(struct ssi_timer *tm, void (*fn)(void *arg), void *arg);
/* (Re)arms tm to run delay_us after t->now_us. */
void ssi_timer_arm(struct ssi_timers *t, struct ssi_timer *tm, uint64_t delay_us);
/* Safe on a timer that is not armed. */
void ssi_timer_cancel(struct ssi_timers *t, struct ssi_timer *tm);
/* When the next timer is due, or SSI_NEVER. */
uint64_t ssi_timers_next(const struct ssi_timers *t);
/* Sets the time (it never goes back) and runs at most max due timers, earliest first. Returns how many ran. A timer
 * armed by a running one runs in the same call if it is due. */
uint32_t ssi_timers_advance(struct ssi_timers *t, uint64_t now_us, uint32_t max);

#define SSI_MS(n) ((uint64_t)(n)*1000U)
#define SSI_S(n)  ((uint64_t)(n)*1000000U)

#endif
