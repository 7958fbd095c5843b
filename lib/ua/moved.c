/* Where connections went, see moved.h. Layer: ua. */
#include "ua/moved.h"

#include <stdlib.h>

enum {
    MOVED_MAX = 4096, /* remembered */
};

struct entry {
    struct ssi_hash_node node;
    struct ssi_list order;
    uint64_t old_id;
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

static struct entry *find_entry(const struct ssi_moved *m, uint64_t id)
{
    struct ssi_hash_node *n = ssi_hash_find(&m->by_old, ssi_hash_of(&m->by_old, &id, sizeof id));

    for (; n; n = ssi_hash_next(n))
        if (SSI_CONTAINER(n, struct entry, node)->old_id == id)
            return SSI_CONTAINER(n, struct entry, node);
    return NULL;
}

struct ssi_flow *ssi_moved_find(const struct ssi_moved *m, struct ssi_ua *ua, uint64_t id)
{
    struct ssi_flow *f = ssi_flow_by_id(ua, id);
    const struct entry *e = f ? NULL : find_entry(m, id);

    return e ? ssi_flow_by_id(ua, e->new_id) : f;
}

void ssi_moved_note(struct ssi_moved *m, uint64_t id, const struct ssi_flow *flow)
{
    struct entry *e = find_entry(m, id);

    if (!e) {
        if (m->by_old.n_nodes >= MOVED_MAX)
            forget(m, SSI_CONTAINER(m->order.next, struct entry, order));
        e = calloc(1, sizeof *e);
        if (!e)
            return;
        e->old_id = id;
        ssi_list_init(&e->order);
        ssi_hash_add(&m->by_old, &e->node, ssi_hash_of(&m->by_old, &id, sizeof id));
    }
    e->new_id = flow->id;
    ssi_list_remove(&e->order);
    ssi_list_push_back(&m->order, &e->order);
}
