/* What a client keeps to resume sessions: one bounded list per profile, by domain. Layer: tls. The data are secret and wiped.
 * A ticket is used once (RFC 8446 appendix C.4). Short lock: stacks of different threads may share a profile. */
#ifndef SSI_TLS_TICKETS_H
#define SSI_TLS_TICKETS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/list.h"
#include "secsip/result.h"

enum {
    SSI_TLS_MAX_TICKETS = 256,
    SSI_TLS_MAX_TICKETS_PER_DOMAIN = 4,
};

struct ssi_tls_tickets {
    atomic_flag lock;
    struct ssi_list list; /* newest first */
    size_t n;
};

/* What a resumed session takes over from the first one. */
struct ssi_tls_ticket_terms {
    /* The verdict on the peer's chain holds in this time. */
    uint64_t good_from;
    uint64_t good_until;
    bool showed; /* the server has seen our certificate */
};

struct ssi_tls_ticket {
    struct ssi_list node;
    char *domain;
    uint8_t *data;
    size_t len;
    struct ssi_tls_ticket_terms terms;
};

void ssi_tls_tickets_init(struct ssi_tls_tickets *t);
/* Forgets all. */
void ssi_tls_tickets_clear(struct ssi_tls_tickets *t);
/* Copies. Nothing is kept when memory is out: then a later session is a full one. */
void ssi_tls_tickets_put(struct ssi_tls_tickets *t, const char *domain, const void *data,
                         size_t len, const struct ssi_tls_ticket_terms *terms);
/* Takes the newest for the domain out; NULL for none. The caller frees it. */
struct ssi_tls_ticket *ssi_tls_tickets_take(struct ssi_tls_tickets *t, const char *domain);
/* Wipes; NULL is legal. */
void ssi_tls_ticket_free(struct ssi_tls_ticket *ticket);

#endif
