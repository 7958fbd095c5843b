/* How much memory lives on the heap, of the library, its dependencies and the test together. */
#ifndef TESTS_HEAP_H
#define TESTS_HEAP_H

#include <stddef.h>

/* Bytes. Under AddressSanitizer its own count, else the C library's. */
size_t test_heap(void);

#endif
