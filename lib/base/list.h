/* Intrusive doubly linked list with a sentinel head. Layer: base. A node is in at most one list; membership can be
 * asked of the node itself, so that removal needs neither the head nor a search. */
#ifndef SSI_BASE_LIST_H
#define SSI_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct ssi_list {
    struct ssi_list *prev;
    struct ssi_list *next;
};

#define SSI_CONTAINER(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* For a head and for a node that is in no list. */
static inline void ssi_list_init(struct ssi_list *l)
{
    l->prev = l->next = l;
}

static inline bool ssi_list_empty(const struct ssi_list *l)
{
    return l->next == l;
}

static inline bool ssi_list_linked(const struct ssi_list *node)
{
    return node->next != node;
}

static inline void ssi_list_push_back(struct ssi_list *head, struct ssi_list *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

static inline void ssi_list_push_front(struct ssi_list *head, struct ssi_list *node)
{
    ssi_list_push_back(head->next, node);
}

/* Safe on a node that is in no list. */
static inline void ssi_list_remove(struct ssi_list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    ssi_list_init(node);
}

static inline struct ssi_list *ssi_list_pop_front(struct ssi_list *head)
{
    struct ssi_list *node = head->next;
    if (node == head)
        return NULL;
    ssi_list_remove(node);
    return node;
}

/* `it` may be removed inside the loop; no other node may. */
#define SSI_LIST_EACH(it, head)                                                                    \
    for (struct ssi_list *it = (head)->next, *it##_next = it->next; it != (head);                  \
         it = it##_next, it##_next = it->next)

#endif
