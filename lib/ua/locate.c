/* Server location, see locate.h. Layer: ua. A look-up goes NAPTR, SRV, addresses, skipping what the URI makes needless; each
 * stage that finds nothing falls to the next one (RFC 3263 4.1, 4.2). The look-up owns its queries and its result. */
#include "ua/locate.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "base/list.h"
#include "base/timer.h"
#include "ua/core.h"

enum {
    MAX_SERVICES = 4, /* NAPTR replacements that are followed */
    MAX_SRV = 32,     /* SRV records looked at in one answer */
    NAME_SIZE = 256,
    N_ASKED = 2 * SSI_LOCATE_MAX_HOSTS,
    AAAA_DELAY_MS = 50,    /* once there is an IPv4 address: RFC 8305 section 3 */
    HOSTS_DELAY_MS = 1000, /* once there is any address, for those of the other hosts */
};

enum stage {
    STAGE_NAPTR,
    STAGE_SRV,
    STAGE_HOSTS,
    STAGE_DONE,
};

struct asked {
    struct ssi_query q;
    struct ssi_locate *l;
    enum ssi_rr_type type;
    size_t host; /* which of hosts, in STAGE_HOSTS */
    bool pending;
};

struct host {
    char name[NAME_SIZE];
    uint16_t port;
    struct ssi_addr v6[SSI_LOCATE_MAX_TARGETS];
    struct ssi_addr v4[SSI_LOCATE_MAX_TARGETS];
    size_t n_v6;
    size_t n_v4;
};

struct service {
    char name[NAME_SIZE];
    uint32_t rank; /* NAPTR order and preference */
};

struct ssi_locate {
    struct ssi_locate_config config;
    char host[NAME_SIZE];
    enum stage stage;
    uint64_t random;
    struct service services[MAX_SERVICES];
    size_t n_services;
    size_t service; /* the one being asked */
    struct host hosts[SSI_LOCATE_MAX_HOSTS];
    size_t n_hosts;
    struct asked asked[N_ASKED];
    size_t n_pending;
    struct ssi_timer enough; /* some answers are there, the others are not waited for any longer */
    bool dns_failed;         /* some server did not answer: "no such name" cannot be said */
    uint32_t ttl_s;
    struct ssi_target targets[SSI_LOCATE_MAX_TARGETS];
    struct ssi_locate_result result;
    char text[NAME_SIZE + 160];
};

static uint16_t default_port(const struct ssi_locate *l)
{
    return l->config.tls ? 5061 : 5060; /* RFC 3261 18.1.1, 19.1.2 */
}

static void finish(struct ssi_locate *l, secsip_result result)
{
    l->stage = STAGE_DONE;
    l->result.result = result;
    l->result.targets = l->targets;
    l->result.ttl_s = l->ttl_s;
    l->result.text = l->text;
    if (l->config.done)
        l->config.done(l->config.arg, &l->result); /* may free l */
}

static secsip_result ask(struct ssi_locate *l, size_t slot, enum ssi_rr_type type, const char *name,
                         size_t host)
{
    struct asked *a = &l->asked[slot];

    a->l = l;
    a->q = (struct ssi_query){.ua = l->config.ua};
    a->type = type;
    a->host = host;
    a->pending = true;
    secsip_result r = l->config.io->resolve(l->config.io->arg, &a->q, type, name);
    if (r < 0) {
        a->pending = false;
        l->dns_failed = true;
        return r;
    }
    l->n_pending++;
    return 0;
}

static void note_ttl(struct ssi_locate *l, uint32_t ttl_s)
{
    if (ttl_s < l->ttl_s)
        l->ttl_s = ttl_s;
}

static void add_target(struct ssi_locate *l, size_t host, const struct ssi_addr *addr,
                       uint16_t port)
{
    struct ssi_addr a = *addr;

    a.port = port;
    for (size_t i = 0; i < l->result.n_targets; i++)
        if (ssi_addr_eq(&l->targets[i].addr, &a))
            return;
    if (l->result.n_targets < SSI_LOCATE_MAX_TARGETS)
        l->targets[l->result.n_targets++] = (struct ssi_target){a, (uint8_t)host};
}

static void cancel_pending(struct ssi_locate *l)
{
    if (l->enough.armed)
        ssi_timer_cancel(&l->config.ua->timers, &l->enough);
    for (size_t i = 0; i < N_ASKED; i++) {
        if (!l->asked[i].pending)
            continue;
        l->asked[i].pending = false;
        l->config.io->resolve_cancel(l->config.io->arg, &l->asked[i].q);
    }
    l->n_pending = 0;
}

/* RFC 8305 section 4: the families of one host alternate, IPv6 first. At most `room` of its addresses. */
static void add_addresses(struct ssi_locate *l, size_t h, size_t room)
{
    const struct host *host = &l->hosts[h];
    size_t end = l->result.n_targets + room;

    for (size_t i = 0; i < SSI_LOCATE_MAX_TARGETS; i++) {
        if (i < host->n_v6 && l->result.n_targets < end)
            add_target(l, h, &host->v6[i], host->port);
        if (i < host->n_v4 && l->result.n_targets < end)
            add_target(l, h, &host->v4[i], host->port);
    }
}

static size_t n_addresses(const struct host *h)
{
    return h->n_v6 + h->n_v4;
}

/* All hosts are answered, or enough of them. However many addresses a host has, those behind it get their part of the list. */
static void conclude(struct ssi_locate *l)
{
    size_t share, left = 0;

    cancel_pending(l);
    for (size_t h = 0; h < l->n_hosts; h++)
        left += n_addresses(&l->hosts[h]) > 0;
    share = SSI_LOCATE_MAX_TARGETS / (left ? left : 1);
    for (size_t h = 0; h < l->n_hosts; h++) {
        size_t kept = 0; /* for those behind */
        for (size_t i = h + 1; i < l->n_hosts; i++)
            kept += n_addresses(&l->hosts[i]) < share ? n_addresses(&l->hosts[i]) : share;
        add_addresses(l, h, SSI_LOCATE_MAX_TARGETS - l->result.n_targets - kept);
    }
    if (l->result.n_targets > 0) {
        finish(l, 0);
        return;
    }
    if (l->dns_failed)
        snprintf(l->text, sizeof l->text, "the name servers did not answer for %s", l->host);
    else
        snprintf(l->text, sizeof l->text, "%s has no address (SRV, A and AAAA were looked up)",
                 l->host);
    finish(l, l->dns_failed ? SECSIP_E_NET_DNS : SECSIP_E_NET_RESOLVE);
}

static void add_host(struct ssi_locate *l, const char *name, uint16_t port)
{
    if (l->n_hosts == SSI_LOCATE_MAX_HOSTS)
        return;
    struct host *h = &l->hosts[l->n_hosts++];
    memset(h, 0, sizeof *h);
    snprintf(h->name, sizeof h->name, "%s", name);
    h->port = port;
}

static secsip_result ask_hosts(struct ssi_locate *l)
{
    secsip_result r = 0;

    l->stage = STAGE_HOSTS;
    l->dns_failed = false; /* only addresses decide now */
    for (size_t i = 0; i < l->n_hosts; i++) {
        secsip_result r6 = ask(l, 2 * i, SSI_RR_AAAA, l->hosts[i].name, i);
        secsip_result r4 = ask(l, 2 * i + 1, SSI_RR_A, l->hosts[i].name, i);
        if (r6 < 0 || r4 < 0)
            r = r6 < 0 ? r6 : r4;
    }
    return l->n_pending > 0 ? 0 : r;
}

/* RFC 3263 4.2: no SRV record, so the addresses of the domain itself at the default port. */
static secsip_result ask_domain(struct ssi_locate *l)
{
    add_host(l, l->host, l->config.port ? l->config.port : default_port(l));
    return ask_hosts(l);
}

static secsip_result ask_next_service(struct ssi_locate *l)
{
    l->stage = STAGE_SRV;
    while (l->service < l->n_services) {
        if (ask(l, 0, SSI_RR_SRV, l->services[l->service].name, 0) == 0)
            return 0;
        l->service++;
    }
    return ask_domain(l);
}

static secsip_result ask_default_service(struct ssi_locate *l)
{
    /* RFC 3263 4.1: _sips for TLS, whatever the scheme. */
    int n = snprintf(l->services[0].name, NAME_SIZE, "%s.%s",
                     l->config.tls   ? "_sips._tcp"
                     : l->config.udp ? "_sip._udp"
                                     : "_sip._tcp",
                     l->host);

    l->n_services = n < NAME_SIZE ? 1 : 0;
    return ask_next_service(l);
}

static void add_service(struct ssi_locate *l, const struct ssi_rr *rr)
{
    uint32_t rank = (uint32_t)rr->priority << 16 | rr->weight;
    size_t at = l->n_services;

    while (at > 0 && l->services[at - 1].rank > rank)
        at--;
    if (at == MAX_SERVICES)
        return;
    if (l->n_services < MAX_SERVICES)
        l->n_services++;
    memmove(&l->services[at + 1], &l->services[at], (l->n_services - at - 1) * sizeof *l->services);
    l->services[at].rank = rank;
    snprintf(l->services[at].name, NAME_SIZE, "%s", rr->target);
}

static secsip_result answer_naptr(struct ssi_locate *l, const struct ssi_rr *rrs, size_t n)
{
    struct ssi_slice wanted = l->config.tls   ? SSI_LIT("SIPS+D2T")
                              : l->config.udp ? SSI_LIT("SIP+D2U")
                                              : SSI_LIT("SIP+D2T");

    for (size_t i = 0; i < n; i++) {
        /* RFC 3263 4.1: only flag "s" is defined. */
        if (rrs[i].type != SSI_RR_NAPTR || !rrs[i].target[0] ||
            !ssi_slice_ieq(ssi_slice_str(rrs[i].flags), SSI_LIT("s")) ||
            !ssi_slice_ieq(ssi_slice_str(rrs[i].service), wanted))
            continue;
        add_service(l, &rrs[i]);
        note_ttl(l, rrs[i].ttl_s);
    }
    return l->n_services > 0 ? ask_next_service(l) : ask_default_service(l);
}

/* xorshift64*. */
static uint64_t next_random(struct ssi_locate *l)
{
    l->random ^= l->random >> 12;
    l->random ^= l->random << 25;
    l->random ^= l->random >> 27;
    return (l->random * 2685821657736338717U) >> 32;
}

/* RFC 2782: among the records of the lowest priority left, one at random by weight; those of weight 0 stand first in the
 * running sum. Returns n when none is left. */
static size_t choose_srv(struct ssi_locate *l, const struct ssi_rr *const *rrs, const bool *taken,
                         size_t n)
{
    uint32_t lowest = UINT32_MAX, sum = 0;
    size_t last = n;

    for (size_t i = 0; i < n; i++)
        if (!taken[i] && rrs[i]->priority < lowest)
            lowest = rrs[i]->priority;
    for (size_t i = 0; i < n; i++)
        if (!taken[i] && rrs[i]->priority == lowest)
            sum += rrs[i]->weight;
    uint32_t pick = (uint32_t)(next_random(l) % ((uint64_t)sum + 1)), running = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < n; i++) {
            if (taken[i] || rrs[i]->priority != lowest || (rrs[i]->weight == 0) != (pass == 0))
                continue;
            running += rrs[i]->weight;
            last = i;
            if (running >= pick)
                return i;
        }
    }
    return last;
}

static secsip_result answer_srv(struct ssi_locate *l, const struct ssi_rr *rrs, size_t n)
{
    const struct ssi_rr *srv[MAX_SRV];
    bool taken[MAX_SRV] = {false};
    size_t n_srv = 0, chosen;
    bool refused = false;

    for (size_t i = 0; i < n && n_srv < MAX_SRV; i++) {
        if (rrs[i].type != SSI_RR_SRV)
            continue;
        note_ttl(l, rrs[i].ttl_s);
        if (rrs[i].target[0])
            srv[n_srv++] = &rrs[i];
        else
            refused = true;
    }
    if (n_srv == 0 && refused) {
        /* RFC 2782: target "." says that the service is decidedly not available; the address must not be tried. */
        snprintf(l->text, sizeof l->text,
                 "%s says by its SRV record that it offers no such service", l->host);
        finish(l, SECSIP_E_NET_RESOLVE);
        return 0;
    }
    if (n_srv == 0) {
        l->service++;
        return ask_next_service(l);
    }
    while (l->n_hosts < SSI_LOCATE_MAX_HOSTS &&
           (chosen = choose_srv(l, srv, taken, n_srv)) < n_srv) {
        taken[chosen] = true;
        add_host(l, srv[chosen]->target, srv[chosen]->port);
    }
    return ask_hosts(l);
}

static void answer_host(struct ssi_locate *l, const struct asked *a, const struct ssi_rr *rrs,
                        size_t n)
{
    struct host *h = &l->hosts[a->host];

    for (size_t i = 0; i < n; i++) {
        if (rrs[i].type == SSI_RR_AAAA && a->type == SSI_RR_AAAA &&
            h->n_v6 < SSI_LOCATE_MAX_TARGETS)
            h->v6[h->n_v6++] = rrs[i].addr;
        else if (rrs[i].type == SSI_RR_A && a->type == SSI_RR_A && h->n_v4 < SSI_LOCATE_MAX_TARGETS)
            h->v4[h->n_v4++] = rrs[i].addr;
        else
            continue;
        note_ttl(l, rrs[i].ttl_s);
    }
}

static void on_enough(void *arg)
{
    conclude(arg);
}

/* Some addresses are there: how long the others are waited for. Without a clock: until all have come. */
static void wait_for_the_rest(struct ssi_locate *l)
{
    uint64_t delay_us = SSI_MS(AAAA_DELAY_MS);
    size_t n = 0;

    for (size_t h = 0; h < l->n_hosts; h++)
        n += l->hosts[h].n_v4 + l->hosts[h].n_v6;
    if (n == 0 || !l->config.ua)
        return;
    for (size_t i = 0; i < N_ASKED; i++)
        if (l->asked[i].pending &&
            (l->asked[i].type != SSI_RR_AAAA || l->hosts[l->asked[i].host].n_v4 == 0))
            delay_us = SSI_MS(HOSTS_DELAY_MS);
    struct ssi_timers *timers = &l->config.ua->timers;
    if (!l->enough.armed || l->enough.due_us > timers->now_us + delay_us)
        ssi_timer_arm(timers, &l->enough, delay_us);
}

void ssi_locate_answer(struct ssi_query *q, secsip_result result, const struct ssi_rr *rrs,
                       size_t n_rrs)
{
    struct asked *a = SSI_CONTAINER(q, struct asked, q);
    struct ssi_locate *l = a->l;
    secsip_result r = 0;

    a->pending = false;
    l->n_pending--;
    if (result < 0) {
        n_rrs = 0;
        l->dns_failed = l->dns_failed || result != SECSIP_E_NET_RESOLVE;
    }
    switch (l->stage) {
    case STAGE_NAPTR:
        r = answer_naptr(l, rrs, n_rrs);
        break;
    case STAGE_SRV:
        r = answer_srv(l, rrs, n_rrs);
        break;
    case STAGE_HOSTS:
        answer_host(l, a, rrs, n_rrs);
        if (l->n_pending == 0)
            conclude(l);
        else
            wait_for_the_rest(l);
        return;
    case STAGE_DONE:
        return;
    }
    if (r < 0) {
        snprintf(l->text, sizeof l->text, "%s cannot be looked up: %s", l->host,
                 secsip_result_text(r));
        finish(l, r);
    }
}

/* False when the name is too long or holds what no domain holds. */
static bool take_host(struct ssi_locate *l, const char *host)
{
    struct ssi_slice s = ssi_slice_str(host);

    if (s.len > 1 && s.p[s.len - 1] == '.')
        s.len--;
    if (s.len == 0 || s.len > 253 || s.p[0] == '.')
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = ssi_lower(s.p[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_'))
            return false;
    }
    memcpy(l->host, s.p, s.len);
    l->host[s.len] = 0;
    return true;
}

static secsip_result begin(struct ssi_locate *l)
{
    const struct ssi_locate_config *c = &l->config;
    struct ssi_addr address;

    if (ssi_addr_parse_ip(ssi_slice_str(c->host), 0, &address)) {
        add_target(l, 0, &address, c->port ? c->port : default_port(l));
        l->config.done = NULL;
        finish(l, 0);
        return 1;
    }
    if (!take_host(l, c->host))
        return SECSIP_E_INVALID;
    /* RFC 3263 4.2: a port means that SRV is not asked, 4.1: a transport that NAPTR is not. */
    if (c->port)
        return ask_domain(l);
    if (c->transport_given)
        return ask_default_service(l);
    l->stage = STAGE_NAPTR;
    return ask(l, 0, SSI_RR_NAPTR, l->host, 0);
}

secsip_result ssi_locate_start(const struct ssi_locate_config *config, struct ssi_locate **ret)
{
    if (!config->host)
        return SECSIP_E_INVALID;
    struct ssi_locate *l = calloc(1, sizeof *l);
    if (!l)
        return SECSIP_E_NOMEM;
    l->config = *config;
    l->ttl_s = UINT32_MAX;
    l->random = config->seed;
    ssi_timer_init(&l->enough, on_enough, l);
    secsip_result r = l->random ? 0 : ssi_random_nonce(&l->random, sizeof l->random);
    if (l->random == 0)
        l->random = 1;
    if (r == 0)
        r = begin(l);
    if (r < 0) {
        ssi_locate_free(l);
        return r;
    }
    l->config.host = NULL; /* the caller's */
    *ret = l;
    return r;
}

void ssi_locate_free(struct ssi_locate *l)
{
    if (!l)
        return;
    cancel_pending(l);
    free(l);
}

const struct ssi_locate_result *ssi_locate_result(const struct ssi_locate *l)
{
    return l->stage == STAGE_DONE ? &l->result : NULL;
}
