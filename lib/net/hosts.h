/* Addresses from a file like /etc/hosts. Layer: net. Read anew for each look-up, at once: it is on this machine, and small. */
#ifndef SSI_NET_HOSTS_H
#define SSI_NET_HOSTS_H

#include "base/rr.h"
#include "secsip/result.h"

enum {
    SSI_HOSTS_MAX = 1 << 20, /* bytes that are looked at: four milliseconds where it is full */
    SSI_HOSTS_TTL_S = 60,    /* what a line is good for */
};

/* The addresses of `name`, A or AAAA as type says; at most cap. *ret_known: the name stands there for this or the other family,
 * so that nobody else is to be asked. Returns how many; a file that is not there holds none. SECSIP_E_NOMEM. */
int32_t ssi_hosts_find(const char *path, enum ssi_rr_type type, const char *name,
                       struct ssi_rr *rrs, size_t cap, bool *ret_known);

#endif
