/* Timers on an intrusive pairing heap, see timer.h. Layer: base.
 * Fredman, Sedgewick, Sleator, Tarjan, "The pairing heap", 1986: insert and meld O(1), delete O(log n) amortised. */
#include "base/timer.h"

#include <stddef.h>
#include <string.h>

void ssi_timers_init(struct ssi_timers *t, uint64_t now_us)
{
    memset(t, 0, sizeof *t);
    t->now_us = now_us;
}

void ssi_timer_init(struct ssi_timer *tm, void (*fn)(void *arg), void *arg)
{
    memset(tm, 0, sizeof *tm);
    tm->fn = fn;
    tm->arg = arg;
}

static bool is_earlier(const struct ssi_timer *a, const struct ssi_timer *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

/* Both are roots without siblings; either may be NULL. */
static struct ssi_timer *meld(struct ssi_timer *a, struct ssi_timer *b)
{
    if (!a)
        return b;
    if (!b)
        return a;
    if (is_earlier(b, a)) {
        struct ssi_timer *swap = a;
        a = b;
        b = swap;
    }
    b->prev = a;
    b->next = a->child;
    if (a->child)
        a->child->prev = b;
    a->child = b;
    a->next = a->prev = NULL;
    return a;
}

/* Melds a list of siblings in two passes, without recursion: the depth is the peer's to choose. */
static struct ssi_timer *meld_siblings(struct ssi_timer *first)
{
    struct ssi_timer *pairs = NULL;

    while (first) {
        struct ssi_timer *a = first;
        struct ssi_timer *b = a->next;
        first = b ? b->next : NULL;
        a->next = a->prev = NULL;
        if (b)
            b->next = b->prev = NULL;
        a = meld(a, b);
        a->next = pairs;
        pairs = a;
    }
    struct ssi_timer *root = NULL;
    while (pairs) {
        struct ssi_timer *next = pairs->next;
        pairs->next = NULL;
        root = meld(root, pairs);
        pairs = next;
    }
    return root;
}

void ssi_timer_cancel(struct ssi_timers *t, struct ssi_timer *tm)
{
    if (!tm->armed)
        return;
    tm->armed = false;
    t->n_armed--;
    struct ssi_timer *below = meld_siblings(tm->child);
    tm->child = NULL;
    if (t->root == tm) {
        t->root = below;
        return;
    }
    if (tm->prev->child == tm)
        tm->prev->child = tm->next;
    else
        tm->prev->next = tm->next;
    if (tm->next)
        tm->next->prev = tm->prev;
    tm->next = tm->prev = NULL;
    t->root = meld(t->root, below);
}

void ssi_timer_arm(struct ssi_timers *t, struct ssi_timer *tm, uint64_t delay_us)
{
    ssi_timer_cancel(t, tm);
    tm->due_us = delay_us > SSI_NEVER - 1 - t->now_us ? SSI_NEVER - 1 : t->now_us + delay_us;
    tm->order = t->next_order++;
    tm->child = tm->next = tm->prev = NULL;
    tm->armed = true;
    t->n_armed++;
    t->root = meld(t->root, tm);
}

uint64_t ssi_timers_next(const struct ssi_timers *t)
{
    return t->root ? t->root->due_us : SSI_NEVER;
}

uint32_t ssi_timers_advance(struct ssi_timers *t, uint64_t now_us, uint32_t max)
{
    uint32_t ran = 0;

    if (now_us > t->now_us)
        t->now_us = now_us;
    while (ran < max && t->root && t->root->due_us <= t->now_us) {
        struct ssi_timer *tm = t->root;
        ssi_timer_cancel(t, tm);
        tm->fn(tm->arg);
        ran++;
    }
    return ran;
}
