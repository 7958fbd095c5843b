/* Base64 (RFC 4648 section 4) for a=crypto keys: strict alphabet, padding read with and without, no tables indexed by
 * secrets. Layer: base. */
#ifndef SSI_BASE_BASE64_H
#define SSI_BASE_BASE64_H

#include "base/buf.h"

/* Characters that n bytes take, padded. */
#define SSI_BASE64_LEN(n) (((n) + 2) / 3 * 4)

/* Appends the encoding to b; with or without '='. */
void ssi_base64_put(struct ssi_buf *b, const void *p, size_t n, bool padded);
/* The same, padded, into out, which has SSI_BASE64_LEN(n) + 1 bytes: for what must not fail. */
void ssi_base64_text(const void *p, size_t n, char *out);
/* Decodes the whole of s into out (cap bytes). False, with out wiped, when a byte is outside the alphabet, padding is
 * wrong, trailing bits are not zero, or cap is too small. Missing padding is allowed (field: rtpengine omits it). */
bool ssi_base64_get(struct ssi_slice s, void *out, size_t cap, size_t *ret_len);

#endif
