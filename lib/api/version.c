/* The version of the library. Layer: api. */
#include "secsip/version.h"

#include "base/export.h"

SECSIP_EXPORT const char *secsip_version_string(void)
{
    return SECSIP_VERSION_TEXT;
}

SECSIP_EXPORT uint32_t secsip_version_number(void)
{
    return (uint32_t)SECSIP_VERSION_MAJOR << 16 | (uint32_t)SECSIP_VERSION_MINOR << 8 |
           (uint32_t)SECSIP_VERSION_PATCH;
}
