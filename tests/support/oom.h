/* Makes the n-th allocation fail. Every test program is linked with --wrap for malloc, calloc, realloc, strdup,
 * aligned_alloc and posix_memalign, so that what the library and the test themselves allocate is counted; what other
 * shared libraries allocate is not. */
#ifndef TESTS_OOM_H
#define TESTS_OOM_H

#include <stdint.h>

/* Runs fn with its 1st allocation failing, then with its 2nd, ... until a run in which none failed. fn must clean up after
 * itself in every run (the leak checker looks), and may assert whatever holds whether memory was out or not. Returns the
 * number of runs; fails the test when there are more than 20,000. */
uint32_t test_oom_each(void (*fn)(void *arg), void *arg);
/* True in a run of test_oom_each once an allocation has failed. */
int test_oom_has_failed(void);
/* The next allocation fails, later ones succeed. */
void test_oom_fail_next(void);
/* The n-th from now fails; test_oom_count() says whether it came to that. */
void test_oom_fail_at(uint64_t n);
/* Until test_oom_resume(): allocations succeed and are not counted. For the harness's own needs. */
void test_oom_pause(void);
void test_oom_resume(void);
/* Counts allocations from now on; the second says how many there were. */
void test_oom_count_start(void);
uint64_t test_oom_count(void);

#endif
