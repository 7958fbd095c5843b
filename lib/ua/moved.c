/* Where connections went, see moved.h. Layer: ua. */
#include "ua/moved.h"

#include <stdlib.h>

enum {
    MOVED_MAX = 4096, /* remembered */
};

struct entry {
    struct ssi_hash_node node;
    struct ssi_list order;
    struct ssi_place old;
    uint64_t new_id;
};

secsip_result ssi_moved_init(struct ssi_moved *m)
{
    ssi_list_init(&m->order);
    return ssi_hash_init(&m->by_old);
}

static void forget(struct ssi_moved *m, struct entry *e)
{
    ssi_hash_remove(&m->by_old, &e->node);
    ssi_list_remove(&e->order);
    free(e);
}

void ssi_moved_free(struct ssi_moved *m)
{
    /* Not set up: the list has no head yet. */
    while (m->order.next && !ssi_list_empty(&m->order))
        forget(m, SSI_CONTAINER(m->order.next, struct entry, order));
    ssi_hash_free(&m->by_old);
}

static uint64_t hash_of(const struct ssi_moved *m, const struct ssi_place *at)
{
    return ssi_hash_of(&m->by_old, at, sizeof *at);
}

static struct entry *find_entry(const struct ssi_moved *m, const struct ssi_place *at)
{
    struct ssi_hash_node *n = ssi_hash_find(&m->by_old, hash_of(m, at));

    for (; n; n = ssi_hash_next(n)) {
        struct entry *e = SSI_CONTAINER(n, struct entry, node);
        if (e->old.flow == at->flow && e->old.user == at->user)
            return e;
    }
    return NULL;
}

struct ssi_flow *ssi_moved_find(const struct ssi_moved *m, struct ssi_ua *ua,
                                const struct ssi_place *at)
{
    struct ssi_flow *f = ssi_flow_by_id(ua, at->flow);
    const struct entry *e = f ? NULL : find_entry(m, at);

    return e ? ssi_flow_by_id(ua, e->new_id) : f;
}

void ssi_moved_note(struct ssi_moved *m, const struct ssi_place *at, const struct ssi_flow *flow)
{
    struct entry *e = find_entry(m, at);

    if (!e) {
        if (m->by_old.n_nodes >= MOVED_MAX)
            forget(m, SSI_CONTAINER(m->order.next, struct entry, order));
        e = calloc(1, sizeof *e);
        if (!e)
            return;
        e->old = *at;
        ssi_list_init(&e->order);
        ssi_hash_add(&m->by_old, &e->node, hash_of(m, at));
    }
    e->new_id = flow->id;
    ssi_list_remove(&e->order);
    ssi_list_push_back(&m->order, &e->order);
}
