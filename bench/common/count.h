/* Counts what a program and the libraries under it take from the heap: linked in, its functions stand before the C
 * library's. */
#ifndef BENCH_COUNT_H
#define BENCH_COUNT_H

#include <stdint.h>

/* Calls of malloc, calloc and realloc so far. */
extern uint64_t count_allocations;

#endif
