/* Size-first structures across versions. Layer: api. A caller's structure may be shorter than ours (it was compiled against
 * an older header: the rest counts as zero) or longer (a newer header: what we do not know must be zero). */
#ifndef SSI_API_ABI_H
#define SSI_API_ABI_H

#include <stddef.h>

#include "secsip/result.h"

/* Copies `from` (its first member is its size) into `to` of `to_size` bytes, with to's size set to to_size. `least` is the
 * smallest size that any release had. SECSIP_E_ABI. */
secsip_result ssi_abi_take(void *to, size_t to_size, const void *from, size_t least);
/* Copies our structure of from_size bytes into the caller's, which says its own size; no more than fits is written and the
 * size becomes what was written. SECSIP_E_ABI. */
secsip_result ssi_abi_give(void *to, const void *from, size_t from_size);

#endif
