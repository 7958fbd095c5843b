/* Where the server of a domain is (RFC 3263): NAPTR, SRV, A and AAAA asked through struct ssi_io.resolve, answered in the
 * order to try. Layer: ua. No I/O of its own. Only addresses come out: the name that the certificate must prove stays
 * the domain that was asked for (RFC 5922 section 4), whatever DNS says. */
#ifndef SSI_UA_LOCATE_H
#define SSI_UA_LOCATE_H

#include "ua/io.h"

enum {
    SSI_LOCATE_MAX_TARGETS = 16, /* addresses in a result */
    SSI_LOCATE_MAX_HOSTS = 8,    /* SRV targets looked up */
};

/* One address to try; its port is set. */
struct ssi_target {
    struct ssi_addr addr;
    uint8_t
        host; /* which of the hosts it belongs to: addresses of one host may be tried side by side */
};

struct ssi_locate_result {
    secsip_result result; /* 0, SECSIP_E_NET_RESOLVE, SECSIP_E_NET_DNS, SECSIP_E_NOMEM */
    const struct ssi_target *targets; /* in the order to try; valid until ssi_locate_free */
    size_t n_targets;                 /* at least 1 where result is 0 */
    uint32_t
        ttl_s; /* how long the list may be kept: the smallest TTL met, UINT32_MAX for a number */
    const char *text; /* a sentence about a failure, else ""; valid until ssi_locate_free */
};

struct ssi_locate_config {
    struct ssi_ua *ua;       /* copied into each struct ssi_query */
    const struct ssi_io *io; /* borrowed for the life of the look-up */
    const char *host; /* a domain, or an IPv4 or IPv6 address, with or without brackets; copied */
    uint16_t port;    /* 0: not given */
    bool tls; /* TLS (port 5061, SIPS+D2T, _sips._tcp), else TCP (5060, SIP+D2T, _sip._tcp) */
    bool udp; /* neither: UDP (5060, SIP+D2U, _sip._udp) */
    bool
        transport_given; /* the URI has a transport parameter, so NAPTR is not asked (RFC 3263 4.1) */
    uint64_t seed;       /* for choosing by SRV weight; 0: a random one */
    void (*done)(void *arg, const struct ssi_locate_result *r);
    void *arg;
};

struct ssi_locate;

/* Begins. done follows exactly once, never from inside this call; or, when there is nothing to ask (a numeric host),
 * 1 is returned, the result is to be had from ssi_locate_result at once and done is never called.
 * 0, 1, SECSIP_E_INVALID (host is no name), SECSIP_E_NOMEM, what io.resolve returns. */
secsip_result ssi_locate_start(const struct ssi_locate_config *config, struct ssi_locate **ret);
/* Also cancels: nothing follows. Legal from inside done. NULL is legal. */
void ssi_locate_free(struct ssi_locate *l);
/* The result, once there is one; else NULL. */
const struct ssi_locate_result *ssi_locate_result(const struct ssi_locate *l);
/* ssi_ua_resolved hands every answer to a query of a locate here (every query of the core is one). */
void ssi_locate_answer(struct ssi_query *q, secsip_result result, const struct ssi_rr *rrs,
                       size_t n_rrs);

#endif
