/* Makes the n-th allocation fail, see oom.h. */
#include "oom.h"

#include <errno.h>
#include <stddef.h>

#include "test.h"

/* Of the thread under test: others that it starts are left alone. */
static _Thread_local uint64_t n_allocations;
static _Thread_local uint64_t fail_at; /* 0: never */
static _Thread_local int has_failed;
static _Thread_local int in_each;
static _Thread_local int paused;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t alignment, size_t n);
char *__real_strdup(const char *s);
int __real_posix_memalign(void **ret, size_t alignment, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t alignment, size_t n);
char *__wrap_strdup(const char *s);
int __wrap_posix_memalign(void **ret, size_t alignment, size_t n);

static int must_fail(void)
{
    if (paused)
        return 0;
    n_allocations++;
    if (fail_at == 0 || n_allocations != fail_at)
        return 0;
    fail_at = 0;
    has_failed = in_each;
    errno = ENOMEM;
    return 1;
}

void *__wrap_malloc(size_t n)
{
    return must_fail() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return must_fail() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return must_fail() ? NULL : __real_realloc(p, n);
}

void *__wrap_aligned_alloc(size_t alignment, size_t n)
{
    return must_fail() ? NULL : __real_aligned_alloc(alignment, n);
}

char *__wrap_strdup(const char *s)
{
    return must_fail() ? NULL : __real_strdup(s);
}

int __wrap_posix_memalign(void **ret, size_t alignment, size_t n)
{
    return must_fail() ? ENOMEM : __real_posix_memalign(ret, alignment, n);
}

uint32_t test_oom_each(void (*fn)(void *arg), void *arg)
{
    for (uint32_t run = 1; run <= 20000; run++) {
        n_allocations = 0;
        fail_at = run;
        in_each = 1;
        has_failed = 0;
        fn(arg);
        fail_at = 0;
        in_each = 0;
        if (!has_failed)
            return run;
    }
    fail_msg("%s", "more than 20,000 allocations in one run");
    return 0;
}

int test_oom_has_failed(void)
{
    return has_failed;
}

void test_oom_fail_next(void)
{
    test_oom_fail_at(1);
}

void test_oom_fail_at(uint64_t n)
{
    n_allocations = 0;
    fail_at = n;
}

void test_oom_pause(void)
{
    paused++;
}

void test_oom_resume(void)
{
    paused--;
}

void test_oom_count_start(void)
{
    n_allocations = 0;
}

uint64_t test_oom_count(void)
{
    return n_allocations;
}
