/* Asks the name servers through c-ares, and /etc/hosts for addresses. Layer: net. Nothing is answered from inside a call:
 * answers wait until ssi_resolver_deliver, so that they can be given out where callbacks are allowed. */
#ifndef SSI_NET_RESOLVER_H
#define SSI_NET_RESOLVER_H

#include "base/rr.h"
#include "net/poller.h"

struct ssi_resolver;
struct ssi_lookup;

/* The records are borrowed for the call. result: 0, SECSIP_E_NET_RESOLVE (no such name or record; where the servers say how long
 * that holds, in the TTL of an SOA), SECSIP_E_NET_DNS (the servers failed, are silent or talk nonsense), SECSIP_E_NOMEM. */
typedef void (*ssi_resolver_fn)(void *arg, secsip_result result, const struct ssi_rr *rrs,
                                size_t n_rrs);

/* servers: "192.0.2.1:53,[2001:db8::1]:53", NULL: the system's, as they stand in system_file (NULL: /etc/resolv.conf), which is
 * read again when it has changed. SECSIP_E_INVALID (servers), SECSIP_E_NOMEM, SECSIP_E_IO. */
secsip_result ssi_resolver_new(struct ssi_poller *poller, const char *servers,
                               const char *system_file, struct ssi_resolver **ret);
/* Nothing follows. NULL is legal. */
void ssi_resolver_free(struct ssi_resolver *r);
/* fn follows exactly once unless cancelled. SECSIP_E_NOMEM, SECSIP_E_LIMIT (too many at once), SECSIP_E_INVALID. */
secsip_result ssi_resolver_ask(struct ssi_resolver *r, enum ssi_rr_type type, const char *name,
                               ssi_resolver_fn fn, void *arg, struct ssi_lookup **ret);
void ssi_resolver_cancel(struct ssi_resolver *r, struct ssi_lookup *lookup);
/* Time-outs, then at most max answers. True when more are waiting. */
bool ssi_resolver_deliver(struct ssi_resolver *r, uint64_t now_us, size_t max);
/* When ssi_resolver_deliver must be called next, UINT64_MAX if not at all. */
uint64_t ssi_resolver_deadline(const struct ssi_resolver *r, uint64_t now_us);

#endif
