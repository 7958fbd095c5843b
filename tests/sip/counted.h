/* Read before every file of the library that tests/sip/test_linear.c is linked with: what the C library does for it with n
 * bytes counts as steps too, sixteen bytes each. */
#ifndef TESTS_SIP_COUNTED_H
#define TESTS_SIP_COUNTED_H

#include <stdint.h>
#include <string.h>

extern uint64_t counted_steps;

static inline void *counted_memcpy(void *to, const void *from, size_t n)
{
    counted_steps += n / 16 + 1;
    return memcpy(to, from, n);
}

static inline void *counted_memmove(void *to, const void *from, size_t n)
{
    counted_steps += n / 16 + 1;
    return memmove(to, from, n);
}

static inline int counted_memcmp(const void *a, const void *b, size_t n)
{
    counted_steps += n / 16 + 1;
    return memcmp(a, b, n);
}

static inline void *counted_memset(void *to, int c, size_t n)
{
    counted_steps += n / 16 + 1;
    return memset(to, c, n);
}

static inline void *counted_memchr(const void *from, int c, size_t n)
{
    const char *hit = memchr(from, c, n);
    counted_steps += (hit ? (size_t)(hit - (const char *)from) : n) / 16 + 1;
    return (void *)(uintptr_t)hit;
}

#define memcpy  counted_memcpy
#define memmove counted_memmove
#define memcmp  counted_memcmp
#define memset  counted_memset
#define memchr  counted_memchr

#endif
