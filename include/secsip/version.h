/* Version of the library. SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SECSIP_VERSION_H
#define SECSIP_VERSION_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Version of the headers, as numbers. */
enum {
    SECSIP_VERSION_MAJOR = 0,
    SECSIP_VERSION_MINOR = 1,
    SECSIP_VERSION_PATCH = 0,
};

/** The version of the library that runs, "0.1.0".
 * @return a constant string
 * Callable from callbacks and from any thread. Since 0.1. */
const char *secsip_version_string(void);

/** The version of the library that runs, as major << 16 | minor << 8 | patch.
 * @return the number
 * Callable from callbacks and from any thread. Since 0.1. */
uint32_t secsip_version_number(void);

#ifdef __cplusplus
}
#endif

#endif
