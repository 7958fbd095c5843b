/* A repeatable random generator for tests: the seed is printed, and taken from SECSIP_SEED when that is set. */
#ifndef TESTS_SEED_H
#define TESTS_SEED_H

#include <stdint.h>

/* Prints and returns the seed of this run. */
uint64_t test_seed(void);
/* xorshift64*: the next number of a stream whose state is *s (never zero). */
uint64_t test_random(uint64_t *s);
/* 0 .. n - 1. */
uint32_t test_below(uint64_t *s, uint32_t n);

#endif
