/* Reads DNS answers (RFC 1035) for the four types that RFC 3263 needs. Layer: net. Names are untrusted bytes: bounded, never
 * followed forwards, and dropped where they hold what no host name holds. */
#ifndef SSI_NET_DNS_H
#define SSI_NET_DNS_H

#include "base/rr.h"
#include "secsip/result.h"

enum {
    SSI_DNS_MAX_RRS = 64,   /* records taken from one answer */
    SSI_DNS_MAX_CNAMES = 8, /* links followed */
};

/* The records of `type` that belong to `name`, CNAMEs followed; the TTL is the smallest on the way. Returns how many, at
 * most cap; 0: none; SECSIP_E_NET_DNS: not a well-formed answer, or to another question. */
int32_t ssi_dns_parse(const void *message, size_t len, enum ssi_rr_type type, const char *name,
                      struct ssi_rr *rrs, size_t cap);
/* How long a refusal holds: the smaller of TTL and MINIMUM of the SOA in its authority section (RFC 2308 section 5). False where
 * there is none, and where this is not a well-formed answer to the question. */
bool ssi_dns_refusal_ttl(const void *message, size_t len, enum ssi_rr_type type, const char *name,
                         uint32_t *ret_ttl_s);

#endif
