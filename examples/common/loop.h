/* An event loop of one stack and two signals, on poll(). Part of: examples. */
#ifndef EXAMPLES_LOOP_H
#define EXAMPLES_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include <secsip/stack.h>

#define LOOP_FOREVER UINT64_MAX

/* Catches SIGINT and SIGTERM for loop_step() and ignores SIGPIPE. False when the system refuses. */
bool loop_init(void);
/* Monotonic microseconds. */
uint64_t loop_now_us(void);
/* Waits for the stack's work, a signal or the time `until_us`, and lets the stack do its work. Returns how many SIGINT
 * and SIGTERM have come since loop_init(), or -1 when the stack fails. */
int loop_step(secsip_stack *stack, uint64_t until_us);

#endif
