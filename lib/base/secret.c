/* Secrets, see secret.h. Layer: base. */
#include "base/secret.h"

#include <stdlib.h>

#include "base/crypto.h"

void ssi_key_wipe(struct ssi_key *k)
{
    ssi_wipe(k, sizeof *k);
}

bool ssi_key_eq(const struct ssi_key *a, const struct ssi_key *b)
{
    return a->len == b->len && ssi_equal_ct(a->bytes, b->bytes, a->len);
}

char *ssi_secret_dup(const char *s)
{
    return s ? ssi_slice_dup(ssi_slice_str(s)) : NULL;
}

void ssi_secret_free(char *s)
{
    if (s)
        ssi_wipe(s, strlen(s));
    free(s);
}
