/* Attempts to connect: one after the other in the order of DNS, and the addresses of one host side by side (RFC 8305). Layer: ua.
 * A flow has one connection in the end; those who came too late are closed and may be tried again. */
#include "ua/flow_parts.h"

#include <stdlib.h>

#include "ua/flow_udp.h"

enum {
    ATTEMPT_DELAY_MS = 250, /* RFC 8305 section 5 */
    SERVERS_MAX = 4,        /* that are asked for one call or registration */
};

/* The attempts of one flow. Its targets stay for as long as the flow does. */
struct ssi_race {
    struct ssi_list links;    /* that connect, oldest first */
    struct ssi_timer stagger; /* one more beside them */
    uint32_t tried;           /* a bit for each target */
    uint8_t host;             /* of the attempt begun last */
    size_t n_targets;
    struct ssi_target targets[SSI_LOCATE_MAX_TARGETS]; /* in the order to try */
};

static void begin_attempt(struct ssi_flow *f);

static size_t next_untried(const struct ssi_race *r)
{
    size_t i = 0;

    while (i < r->n_targets && (r->tried & 1U << i))
        i++;
    return i;
}

/* An attempt may run beside those that do only towards the same host: SRV priorities are an order, not a race. */
static bool has_rival(const struct ssi_race *r)
{
    size_t i = next_untried(r);
    return i < r->n_targets && r->targets[i].host == r->host;
}

static void on_stagger(void *arg)
{
    struct ssi_flow *f = arg;

    if (f->state == SSI_FLOW_CONNECTING && has_rival(f->race))
        begin_attempt(f);
}

secsip_result ssi_race_new(struct ssi_flow *f, const struct ssi_locate_result *located)
{
    struct ssi_race *r = calloc(1, sizeof *r);

    if (!r)
        return SECSIP_E_NOMEM;
    ssi_list_init(&r->links);
    ssi_timer_init(&r->stagger, on_stagger, f);
    /* In the order of DNS, but who was down lately is tried last (RFC 3263 4.3). */
    for (int down = 0; down < 2; down++)
        for (size_t i = 0; i < located->n_targets; i++)
            if (ssi_flow_is_down(f, &located->targets[i].addr) == (down == 1))
                r->targets[r->n_targets++] = located->targets[i];
    f->race = r;
    return 0;
}

void ssi_race_free(struct ssi_flow *f)
{
    free(f->race);
    f->race = NULL;
}

void ssi_flow_drop_link(struct ssi_flow_link *link)
{
    struct ssi_ua *ua = link->flow->ua;

    if (link->flow->link == link)
        link->flow->link = NULL;
    ssi_list_remove(&link->node);
    ua->io.stream_close(ua->io.arg, &link->stream);
    free(link);
}

struct ssi_flow_link *ssi_flow_new_link(struct ssi_flow *f)
{
    struct ssi_flow_link *link = calloc(1, sizeof *link);

    if (!link)
        return NULL;
    link->stream.ua = f->ua;
    link->flow = f;
    ssi_list_init(&link->node);
    return link;
}

void ssi_race_stop(struct ssi_flow *f, bool failed)
{
    struct ssi_race *r = f->race;

    if (!r)
        return;
    ssi_timer_cancel(&f->ua->timers, &r->stagger);
    SSI_LIST_EACH(n, &r->links)
    {
        struct ssi_flow_link *link = SSI_CONTAINER(n, struct ssi_flow_link, node);
        if (failed)
            ssi_flow_note_down(f, &r->targets[link->target].addr, 0);
        else
            r->tried &= ~(1U << link->target);
        ssi_flow_drop_link(link);
    }
}

void ssi_race_won(struct ssi_flow_link *link)
{
    struct ssi_flow *f = link->flow;

    ssi_list_remove(&link->node);
    f->link = link;
    f->peer = f->race->targets[link->target].addr;
    ssi_race_stop(f, false);
}

void ssi_race_lost(struct ssi_flow_link *link)
{
    struct ssi_flow *f = link->flow;

    f->peer = f->race->targets[link->target].addr;
    ssi_list_remove(&link->node);
    free(link);
}

/* A stream to f->peer. */
static secsip_result connect_stream(struct ssi_flow *f, size_t target)
{
    struct ssi_ua *ua = f->ua;
    struct ssi_race *r = f->race;
    struct ssi_flow_link *link = ssi_flow_new_link(f);

    if (!link)
        return SECSIP_E_NOMEM;
    link->target = target;
    secsip_result result = ua->io.stream_connect(ua->io.arg, &link->stream, &f->peer);
    if (result < 0) {
        free(link);
        return result;
    }
    ssi_list_push_back(&r->links, &link->node);
    ssi_timer_arm(&ua->timers, &f->timer, SSI_MS(ua->config.handshake_timeout_ms));
    if (has_rival(r))
        ssi_timer_arm(&ua->timers, &r->stagger, SSI_MS(ATTEMPT_DELAY_MS));
    return 0;
}

/* There is one that was not tried. */
static void begin_attempt(struct ssi_flow *f)
{
    struct ssi_race *r = f->race;
    size_t i = next_untried(r);

    r->tried |= 1U << i;
    r->host = r->targets[i].host;
    f->peer = r->targets[i].addr;
    f->state = SSI_FLOW_CONNECTING;
    secsip_result result =
        f->transport == SSI_TRANSPORT_UDP ? ssi_udp_connect(f) : connect_stream(f, i);
    if (result < 0)
        ssi_flow_fail_with(f, result, "connect");
}

bool ssi_race_next(struct ssi_flow *f)
{
    struct ssi_race *r = f->race;

    ssi_timer_cancel(&f->ua->timers, &r->stagger);
    if (next_untried(r) < r->n_targets && (ssi_list_empty(&r->links) || has_rival(r)))
        begin_attempt(f);
    else if (ssi_list_empty(&r->links))
        return false;
    return true;
}

bool ssi_flow_has_alternative(const struct ssi_flow *f, uint32_t n_asked)
{
    if (!f->race || n_asked >= SERVERS_MAX || n_asked >= f->race->n_targets)
        return false;
    for (size_t i = 0; i < f->race->n_targets; i++)
        if (!ssi_flow_is_down(f, &f->race->targets[i].addr))
            return true;
    return false;
}
