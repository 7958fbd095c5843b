/* How much memory lives on the heap, see heap.h. */
#include "heap.h"

#include <malloc.h>

/* Of AddressSanitizer, where the program is built with it. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

size_t test_heap(void)
{
    if (__sanitizer_get_current_allocated_bytes)
        return __sanitizer_get_current_allocated_bytes();
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}
