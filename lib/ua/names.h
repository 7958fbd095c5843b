/* What DNS said, kept as long as it said so. Layer: ua. Stands between struct ssi_io.resolve and those who ask: several who ask
 * the same are one question, an answer is kept for its TTL, a refusal briefly, a silent resolver is given up. Nothing here
 * blocks, and nobody is answered from inside his own question. */
#ifndef SSI_UA_NAMES_H
#define SSI_UA_NAMES_H

#include "base/hash.h"
#include "base/list.h"
#include "ua/io.h"

enum {
    SSI_NAMES_MAX = 256,         /* questions remembered; the one not used for longest makes room */
    SSI_NAMES_RRS = 32,          /* records kept of an answer */
    SSI_NAMES_MAX_TTL_S = 86400, /* nothing is believed longer */
    SSI_NAMES_NONE_S = 30,       /* "no such name or record" where nobody says how long it holds */
    SSI_NAMES_NONE_LEAST_S = 1,  /* and where somebody does, an SOA (RFC 2308 section 5) */
    SSI_NAMES_NONE_MOST_S = 60,
    SSI_NAMES_FAILED_S =
        5, /* "the servers failed" (RFC 9520 section 3.2: at least 1 s, at most 5 min) */
    SSI_NAMES_WITHIN_S = 20, /* a resolver that has not answered by then has failed */
};

struct ssi_names {
    struct ssi_ua *ua;
    struct ssi_hash known; /* struct ssi_name, by type and name */
    struct ssi_list used;  /* the same, the one used last at the end */
    struct ssi_io up;      /* who is asked: its resolve and resolve_cancel */
    /* What struct ssi_locate_config.io points to: its resolve and resolve_cancel are this cache's. */
    struct ssi_io io;
};

/* SECSIP_E_NOMEM, SECSIP_E_RANDOM. */
secsip_result ssi_names_init(struct ssi_names *n, struct ssi_ua *ua);
/* Cancels what is asked; nobody may wait any more. */
void ssi_names_free(struct ssi_names *n);
/* Another one is asked from now on, and what is known is forgotten. SECSIP_E_STATE while something is being asked. */
secsip_result ssi_names_set_resolver(struct ssi_names *n, const struct ssi_io *up);
/* The answer of up.resolve; `later` is the same for those who may be called by us while they answer: it is given out by a timer. */
void ssi_names_answer_later(struct ssi_query *q, secsip_result result, const struct ssi_rr *rrs,
                            size_t n_rrs);
void ssi_names_answer(struct ssi_query *q, secsip_result result, const struct ssi_rr *rrs,
                      size_t n_rrs);

#endif
