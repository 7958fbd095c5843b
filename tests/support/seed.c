/* A repeatable random generator, see seed.h. */
#include "seed.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

uint64_t test_seed(void)
{
    const char *text = getenv("SECSIP_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL) * 2654435761U;

    if (seed == 0)
        seed = 1;
    printf("SECSIP_SEED=%llu\n", (unsigned long long)seed);
    fflush(stdout); /* a program that aborts has said it all the same */
    return seed;
}

uint64_t test_random(uint64_t *s)
{
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    return *s * 2685821657736338717U;
}

uint32_t test_below(uint64_t *s, uint32_t n)
{
    return (uint32_t)((test_random(s) >> 32) % n);
}
