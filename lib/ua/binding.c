/* What the registrar keeps: addresses of record and their bindings, see binding.h. Layer: ua. */
#include "ua/binding.h"

#include <stdlib.h>

static uint64_t flow_hash(const secsip_registrar *r, const struct ssi_flow *f)
{
    /* The pointer itself is the key. NOLINTNEXTLINE(bugprone-sizeof-expression) */
    return ssi_hash_of(&r->by_flow, &f, sizeof f);
}

void ssi_binding_discard(struct ssi_binding *b)
{
    if (!b)
        return;
    ssi_flow_unref(b->flow);
    free(b->contact);
    free(b->call_id);
    free(b);
}

void ssi_binding_free(struct ssi_binding *b)
{
    secsip_registrar *r = b->registrar;
    struct ssi_aor *aor = b->aor;

    if (r->ua)
        ssi_timer_cancel(&r->ua->timers, &b->expiry);
    ssi_hash_remove(&r->by_flow, &b->flow_node);
    ssi_list_remove(&b->node);
    r->n_bindings--;
    ssi_binding_discard(b);
    if (--aor->n_bindings == 0) {
        ssi_hash_remove(&r->aors, &aor->node);
        free(aor->key);
        free(aor);
    }
}

void ssi_binding_remove(struct ssi_binding *b)
{
    secsip_registrar *r = b->registrar;
    char user[SSI_AOR_MAX], target[256];
    struct ssi_flow *flow = ssi_flow_ref(b->flow);
    secsip_registrar_event e = {.kind = SECSIP_REGISTRAR_UNREGISTERED,
                                .method = "REGISTER",
                                .user = user,
                                .target = target};

    ssi_slice_show(ssi_slice_str(b->aor->key), user, sizeof user);
    ssi_slice_show(ssi_slice_str(b->contact), target, sizeof target);
    ssi_binding_free(b);
    ssi_registrar_tell(r, &e, flow);
    ssi_flow_unref(flow);
}

static void on_expiry(void *arg)
{
    ssi_binding_remove(arg);
}

struct ssi_aor *ssi_aor_find(secsip_registrar *r, struct ssi_slice key)
{
    uint64_t h = ssi_hash_of(&r->aors, key.p, key.len);

    for (struct ssi_hash_node *n = ssi_hash_find(&r->aors, h); n; n = ssi_hash_next(n)) {
        struct ssi_aor *a = SSI_CONTAINER(n, struct ssi_aor, node);
        if (ssi_slice_eq(ssi_slice_str(a->key), key))
            return a;
    }
    return NULL;
}

void ssi_aor_put_key(struct ssi_buf *b, const struct ssi_sip_uri *u)
{
    struct ssi_sip_uri sip = *u;

    sip.scheme = SSI_SIP_SCHEME_SIP;
    ssi_sip_uri_put_aor(b, &sip);
}

struct ssi_aor *ssi_registrar_find(secsip_registrar *r, const struct ssi_sip_uri *u)
{
    struct ssi_aor *a = NULL;
    struct ssi_buf key;

    ssi_buf_init(&key, SSI_AOR_MAX);
    ssi_aor_put_key(&key, u);
    if (key.failed >= 0)
        a = ssi_aor_find(r, ssi_buf_slice(&key));
    ssi_buf_free(&key);
    return a;
}

struct ssi_aor *ssi_aor_new(secsip_registrar *r, struct ssi_slice key)
{
    struct ssi_aor *a = r->aors.n_nodes < r->config.max_users ? calloc(1, sizeof *a) : NULL;

    if (!a)
        return NULL;
    a->key = ssi_slice_dup(key);
    if (!a->key) {
        free(a);
        return NULL;
    }
    ssi_list_init(&a->bindings);
    ssi_hash_add(&r->aors, &a->node, ssi_hash_of(&r->aors, key.p, key.len));
    return a;
}

struct ssi_binding *ssi_binding_find(const struct ssi_aor *a, const struct ssi_sip_uri *contact)
{
    SSI_LIST_EACH(n, &a->bindings)
    {
        struct ssi_binding *b = SSI_CONTAINER(n, struct ssi_binding, node);
        struct ssi_sip_uri u;
        if (ssi_sip_uri_parse(ssi_slice_str(b->contact), &u) >= 0 && ssi_sip_uri_equal(&u, contact))
            return b;
    }
    return NULL;
}

struct ssi_binding *ssi_binding_new(secsip_registrar *r, const struct ssi_sip_msg *m,
                                    const struct ssi_sip_uri *contact, struct ssi_flow *flow)
{
    struct ssi_binding *b = calloc(1, sizeof *b);

    if (!b)
        return NULL;
    b->registrar = r;
    b->flow = ssi_flow_ref(flow);
    b->contact = ssi_slice_dup(contact->whole);
    b->call_id = ssi_slice_dup(m->call_id);
    b->cseq = m->cseq;
    b->sips = contact->scheme == SSI_SIP_SCHEME_SIPS;
    ssi_timer_init(&b->expiry, on_expiry, b);
    if (!b->contact || !b->call_id) {
        ssi_binding_discard(b);
        return NULL;
    }
    return b;
}

void ssi_binding_add(struct ssi_aor *a, struct ssi_binding *b, uint32_t expires_s)
{
    secsip_registrar *r = b->registrar;

    b->aor = a;
    ssi_list_push_back(&a->bindings, &b->node);
    a->n_bindings++;
    r->n_bindings++;
    ssi_hash_add(&r->by_flow, &b->flow_node, flow_hash(r, b->flow));
    ssi_timer_arm(&r->ua->timers, &b->expiry, SSI_S(expires_s));
}

void ssi_bindings_drop_flow(secsip_registrar *r, const struct ssi_flow *flow)
{
    struct ssi_hash_node *n;

    while ((n = ssi_hash_find(&r->by_flow, flow_hash(r, flow))))
        ssi_binding_remove(SSI_CONTAINER(n, struct ssi_binding, flow_node));
}

void ssi_bindings_free_all(secsip_registrar *r)
{
    for (size_t i = 0; i < r->aors.n_buckets; i++)
        while (r->aors.buckets[i]) {
            struct ssi_aor *a = SSI_CONTAINER(r->aors.buckets[i], struct ssi_aor, node);
            uint32_t left = a->n_bindings;
            while (left-- > 0)
                ssi_binding_free(SSI_CONTAINER(a->bindings.next, struct ssi_binding, node));
        }
}
