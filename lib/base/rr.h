/* DNS records as values: what a resolver gives and server location reads (RFC 3263). Layer: base. */
#ifndef SSI_BASE_RR_H
#define SSI_BASE_RR_H

#include "base/addr.h"

enum ssi_rr_type {
    SSI_RR_A = 1,
    SSI_RR_SOA = 6, /* never asked for; with a refusal: how long it holds (RFC 2308) */
    SSI_RR_NAPTR = 35,
    SSI_RR_AAAA = 28,
    SSI_RR_SRV = 33,
};

struct ssi_rr {
    enum ssi_rr_type type;
    uint32_t ttl_s;
    struct ssi_addr addr; /* A, AAAA; port 0 */
    uint16_t priority;    /* SRV; NAPTR order */
    uint16_t weight;      /* SRV; NAPTR preference */
    uint16_t port;        /* SRV */
    char target[256];     /* SRV target, NAPTR replacement; no final dot; "" for "." */
    char service[32];     /* NAPTR: "SIPS+D2T" */
    char flags[8];        /* NAPTR: "s" */
};

#endif
