/* Size-first structures, see abi.h. Layer: api. */
#include "api/abi.h"

#include <string.h>

secsip_result ssi_abi_take(void *to, size_t to_size, const void *from, size_t least)
{
    const unsigned char *bytes = from;
    size_t size;

    memcpy(&size, from, sizeof size);
    if (size < least)
        return SECSIP_E_ABI;
    for (size_t i = to_size; i < size; i++)
        if (bytes[i])
            return SECSIP_E_ABI;
    memset(to, 0, to_size);
    memcpy(to, from, size < to_size ? size : to_size);
    memcpy(to, &to_size, sizeof to_size);
    return 0;
}

secsip_result ssi_abi_give(void *to, const void *from, size_t from_size)
{
    size_t size;

    memcpy(&size, to, sizeof size);
    if (size < sizeof size)
        return SECSIP_E_ABI;
    if (size > from_size)
        size = from_size;
    memcpy(to, from, size);
    memcpy(to, &size, sizeof size);
    return 0;
}
