/* What DNS said, see names.h. Layer: ua. A struct ssi_name is a question with its answer, or with those who wait for it; the
 * cache owns it, those who wait own their queries. */
#include "ua/names.h"

#include <stdlib.h>

#include "ua/core.h"
#include "ua/locate.h"

enum {
    NAME_SIZE = 256
};

struct ssi_name {
    struct ssi_hash_node node;
    struct ssi_list used; /* in the order of use */
    struct ssi_names *names;
    struct ssi_query upstream;
    bool asking;  /* inside io.resolve, which may answer at once */
    bool pending; /* io.resolve has it */
    bool giving;  /* answers are being given out: it must stay */
    struct ssi_list waiting;
    struct ssi_timer timer; /* gives out an answer, or gives up */
    uint64_t until_us;      /* the answer holds until then */
    secsip_result result;
    struct ssi_rr *rrs;
    size_t n_rrs;
    enum ssi_rr_type type;
    char name[NAME_SIZE];
};

static uint64_t hash_of(const struct ssi_names *n, enum ssi_rr_type type, struct ssi_slice name)
{
    uint8_t t = (uint8_t)type;
    return ssi_hash_mix(&n->known, ssi_hash_of(&n->known, name.p, name.len), &t, sizeof t);
}

static struct ssi_name *find(const struct ssi_names *n, enum ssi_rr_type type,
                             struct ssi_slice name)
{
    struct ssi_hash_node *h = ssi_hash_find(&n->known, hash_of(n, type, name));

    for (; h; h = ssi_hash_next(h)) {
        struct ssi_name *e = SSI_CONTAINER(h, struct ssi_name, node);
        if (e->type == type && ssi_slice_eq(ssi_slice_str(e->name), name))
            return e;
    }
    return NULL;
}

static void cancel_upstream(struct ssi_name *e)
{
    const struct ssi_io *up = &e->names->up;

    if (up->resolve_cancel)
        up->resolve_cancel(up->arg, &e->upstream);
}

static void drop(struct ssi_name *e)
{
    struct ssi_ua *ua = e->names->ua;

    if (e->pending)
        cancel_upstream(e);
    ssi_timer_cancel(&ua->timers, &e->timer);
    ssi_hash_remove(&e->names->known, &e->node);
    ssi_list_remove(&e->used);
    free(e->rrs);
    free(e);
}

static bool is_needed(const struct ssi_name *e)
{
    return e->pending || e->asking || e->giving || !ssi_list_empty(&e->waiting);
}

static bool is_fresh(const struct ssi_name *e)
{
    return e->until_us > e->names->ua->timers.now_us;
}

/* To everyone who waits now; who asks meanwhile waits for the next time. */
static void give_out(struct ssi_name *e)
{
    struct ssi_list now;

    ssi_list_init(&now);
    for (struct ssi_list *n; (n = ssi_list_pop_front(&e->waiting));)
        ssi_list_push_back(&now, n);
    e->giving = true;
    for (struct ssi_list *n; (n = ssi_list_pop_front(&now));) {
        struct ssi_query *q = SSI_CONTAINER(n, struct ssi_query, node);
        q->io_data = NULL;
        ssi_locate_answer(q, e->result, e->rrs, e->n_rrs);
    }
    e->giving = false;
    if (!is_fresh(e) && !is_needed(e))
        drop(e);
}

/* RFC 2308 section 5. Who mistypes a domain or waits for a record to be made is not kept waiting for long. */
static uint32_t refusal_seconds(const struct ssi_rr *rrs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (rrs[i].type == SSI_RR_SOA)
            return rrs[i].ttl_s < SSI_NAMES_NONE_LEAST_S  ? SSI_NAMES_NONE_LEAST_S
                   : rrs[i].ttl_s > SSI_NAMES_NONE_MOST_S ? SSI_NAMES_NONE_MOST_S
                                                          : rrs[i].ttl_s;
    return SSI_NAMES_NONE_S;
}

static uint32_t seconds_of(secsip_result result, const struct ssi_rr *rrs, size_t n)
{
    uint32_t ttl_s = SSI_NAMES_MAX_TTL_S;

    if (result == SECSIP_E_NET_RESOLVE)
        return refusal_seconds(rrs, n);
    if (result < 0)
        return result == SECSIP_E_NET_DNS ? SSI_NAMES_FAILED_S : 0;
    for (size_t i = 0; i < n; i++)
        if (rrs[i].ttl_s < ttl_s)
            ttl_s = rrs[i].ttl_s;
    return ttl_s;
}

static void store(struct ssi_name *e, secsip_result result, const struct ssi_rr *rrs, size_t n)
{
    uint32_t seconds = seconds_of(result, rrs, n);

    if (n > SSI_NAMES_RRS)
        n = SSI_NAMES_RRS;
    free(e->rrs);
    e->rrs = NULL;
    e->n_rrs = 0;
    e->pending = false;
    e->result = result;
    if (result >= 0 && n > 0) {
        e->rrs = malloc(n * sizeof *rrs);
        if (!e->rrs) {
            e->result = SECSIP_E_NOMEM;
            seconds = 0;
        } else {
            memcpy(e->rrs, rrs, n * sizeof *rrs);
            e->n_rrs = n;
        }
    }
    e->until_us = e->names->ua->timers.now_us + SSI_S(seconds);
}

void ssi_names_answer(struct ssi_query *q, secsip_result result, const struct ssi_rr *rrs,
                      size_t n_rrs)
{
    struct ssi_name *e = SSI_CONTAINER(q, struct ssi_name, upstream);
    struct ssi_ua *ua = e->names->ua;

    ssi_timer_cancel(&ua->timers, &e->timer);
    store(e, result, rrs, n_rrs);
    if (e->asking)
        ssi_timer_arm(&ua->timers, &e->timer, 0);
    else
        give_out(e);
}

void ssi_names_answer_later(struct ssi_query *q, secsip_result result, const struct ssi_rr *rrs,
                            size_t n_rrs)
{
    struct ssi_name *e = SSI_CONTAINER(q, struct ssi_name, upstream);

    store(e, result, rrs, n_rrs);
    ssi_timer_arm(&e->names->ua->timers, &e->timer, 0);
}

static void on_timer(void *arg)
{
    struct ssi_name *e = arg;

    if (e->pending) {
        cancel_upstream(e);
        store(e, SECSIP_E_NET_DNS, NULL, 0);
    }
    give_out(e);
}

/* Room for one more: what nobody needs and was not used for longest goes. */
static bool make_room(struct ssi_names *n)
{
    if (n->known.n_nodes < SSI_NAMES_MAX)
        return true;
    SSI_LIST_EACH(it, &n->used)
    {
        struct ssi_name *e = SSI_CONTAINER(it, struct ssi_name, used);
        if (is_needed(e))
            continue;
        drop(e);
        return true;
    }
    return false;
}

static secsip_result new_name(struct ssi_names *n, enum ssi_rr_type type, struct ssi_slice name,
                              struct ssi_name **ret)
{
    if (!make_room(n))
        return SECSIP_E_LIMIT;
    struct ssi_name *e = calloc(1, sizeof *e);
    if (!e)
        return SECSIP_E_NOMEM;
    e->names = n;
    e->type = type;
    memcpy(e->name, name.p, name.len);
    ssi_list_init(&e->waiting);
    ssi_timer_init(&e->timer, on_timer, e);
    ssi_hash_add(&n->known, &e->node, hash_of(n, type, name));
    ssi_list_push_back(&n->used, &e->used);
    *ret = e;
    return 0;
}

/* Nothing is known: io.resolve is asked. */
static secsip_result ask_upstream(struct ssi_name *e)
{
    struct ssi_ua *ua = e->names->ua;

    e->upstream = (struct ssi_query){.ua = ua};
    e->asking = e->pending = true;
    ssi_timer_arm(&ua->timers, &e->timer, SSI_S(SSI_NAMES_WITHIN_S));
    secsip_result r = e->names->up.resolve(e->names->up.arg, &e->upstream, e->type, e->name);
    e->asking = false;
    if (r < 0) {
        e->pending = false;
        ssi_timer_cancel(&ua->timers, &e->timer);
    }
    return r;
}

static secsip_result ask(void *arg, struct ssi_query *q, enum ssi_rr_type type, const char *name)
{
    struct ssi_names *n = arg;
    struct ssi_slice key = ssi_slice_str(name);
    char lower[NAME_SIZE];
    secsip_result r = 0;

    if (!n->up.resolve)
        return SECSIP_E_UNSUPPORTED;
    if (key.len == 0 || key.len >= sizeof lower)
        return SECSIP_E_INVALID;
    for (size_t i = 0; i < key.len; i++)
        lower[i] = ssi_lower(key.p[i]); /* RFC 4343: case means nothing */
    key.p = lower;
    struct ssi_name *e = find(n, type, key);
    if (!e)
        r = new_name(n, type, key, &e);
    if (r < 0)
        return r;
    if (!e->pending && (is_fresh(e) || is_needed(e))) {
        ssi_timer_arm(&n->ua->timers, &e->timer, 0);
    } else if (!e->pending && (r = ask_upstream(e)) < 0) {
        drop(e);
        return r;
    }
    ssi_list_remove(&e->used);
    ssi_list_push_back(&n->used, &e->used);
    ssi_list_push_back(&e->waiting, &q->node);
    q->io_data = e;
    return 0;
}

/* The question itself goes on: its answer will be of use. */
static void cancel(void *arg, struct ssi_query *q)
{
    (void)arg;
    ssi_list_remove(&q->node);
    q->io_data = NULL;
}

secsip_result ssi_names_init(struct ssi_names *n, struct ssi_ua *ua)
{
    n->ua = ua;
    n->up = ua->io;
    n->io = (struct ssi_io){.arg = n, .resolve = ask, .resolve_cancel = cancel};
    ssi_list_init(&n->used);
    return ssi_hash_init(&n->known);
}

secsip_result ssi_names_set_resolver(struct ssi_names *n, const struct ssi_io *up)
{
    SSI_LIST_EACH(it, &n->used)
    if (is_needed(SSI_CONTAINER(it, struct ssi_name, used)))
        return SECSIP_E_STATE;
    SSI_LIST_EACH(it, &n->used)
    drop(SSI_CONTAINER(it, struct ssi_name, used));
    n->up = *up;
    return 0;
}

void ssi_names_free(struct ssi_names *n)
{
    SSI_LIST_EACH(it, &n->used)
    drop(SSI_CONTAINER(it, struct ssi_name, used));
    ssi_hash_free(&n->known);
}
