/* A client's tickets, see tickets.h. Layer: tls. */
#include "tls/tickets.h"

#include <stdlib.h>

#include "base/crypto.h"

void ssi_tls_tickets_init(struct ssi_tls_tickets *t)
{
    atomic_flag_clear(&t->lock);
    ssi_list_init(&t->list);
    t->n = 0;
}

static void take_lock(struct ssi_tls_tickets *t)
{
    while (atomic_flag_test_and_set_explicit(&t->lock, memory_order_acquire))
        ;
}

static void release_lock(struct ssi_tls_tickets *t)
{
    atomic_flag_clear_explicit(&t->lock, memory_order_release);
}

void ssi_tls_ticket_free(struct ssi_tls_ticket *ticket)
{
    if (!ticket)
        return;
    if (ticket->data)
        ssi_wipe(ticket->data, ticket->len);
    free(ticket->data);
    free(ticket->domain);
    free(ticket);
}

static struct ssi_tls_ticket *ticket_new(const char *domain, const void *data, size_t len)
{
    struct ssi_tls_ticket *ticket = calloc(1, sizeof *ticket);

    if (!ticket)
        return NULL;
    ssi_list_init(&ticket->node);
    ticket->domain = ssi_slice_dup(ssi_slice_str(domain));
    ticket->data = malloc(len);
    if (!ticket->domain || !ticket->data) {
        ssi_tls_ticket_free(ticket);
        return NULL;
    }
    memcpy(ticket->data, data, len);
    ticket->len = len;
    return ticket;
}

static struct ssi_tls_ticket *remove_one(struct ssi_tls_tickets *t, struct ssi_list *node)
{
    ssi_list_remove(node);
    t->n--;
    return SSI_CONTAINER(node, struct ssi_tls_ticket, node);
}

/* The one that has to make room: the oldest of its domain, or the oldest of all. */
static struct ssi_tls_ticket *make_room(struct ssi_tls_tickets *t, const char *domain)
{
    struct ssi_list *oldest = NULL;
    size_t n = 0;

    SSI_LIST_EACH(it, &t->list)
    {
        if (strcmp(SSI_CONTAINER(it, struct ssi_tls_ticket, node)->domain, domain) == 0) {
            oldest = it;
            n++;
        }
    }
    if (n >= SSI_TLS_MAX_TICKETS_PER_DOMAIN)
        return remove_one(t, oldest);
    return t->n >= SSI_TLS_MAX_TICKETS ? remove_one(t, t->list.prev) : NULL;
}

void ssi_tls_tickets_put(struct ssi_tls_tickets *t, const char *domain, const void *data,
                         size_t len, const struct ssi_tls_ticket_terms *terms)
{
    struct ssi_tls_ticket *ticket = len > 0 ? ticket_new(domain, data, len) : NULL;

    if (!ticket)
        return;
    ticket->terms = *terms;
    take_lock(t);
    struct ssi_tls_ticket *old = make_room(t, domain);
    ssi_list_push_front(&t->list, &ticket->node);
    t->n++;
    release_lock(t);
    ssi_tls_ticket_free(old);
}

struct ssi_tls_ticket *ssi_tls_tickets_take(struct ssi_tls_tickets *t, const char *domain)
{
    struct ssi_tls_ticket *found = NULL;

    take_lock(t);
    SSI_LIST_EACH(it, &t->list)
    {
        if (strcmp(SSI_CONTAINER(it, struct ssi_tls_ticket, node)->domain, domain) == 0) {
            found = remove_one(t, it);
            break;
        }
    }
    release_lock(t);
    return found;
}

void ssi_tls_tickets_clear(struct ssi_tls_tickets *t)
{
    struct ssi_list *node;

    do {
        take_lock(t);
        node = t->list.next == &t->list ? NULL : t->list.next;
        struct ssi_tls_ticket *ticket = node ? remove_one(t, node) : NULL;
        release_lock(t);
        ssi_tls_ticket_free(ticket);
    } while (node);
}
