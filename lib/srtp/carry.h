/* Numbers of an exported state, in network order (carry.c). Layer: srtp, inside only. */
#ifndef SSI_SRTP_CARRY_H
#define SSI_SRTP_CARRY_H

#include "base/buf.h"
#include "base/cursor.h"

/* The low `bytes` of v, at most 8. */
void ssi_srtp_put(struct ssi_buf *b, uint64_t v, size_t bytes);
bool ssi_srtp_get(struct ssi_cursor *c, size_t bytes, uint64_t *ret);

#endif
