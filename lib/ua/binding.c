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
    free(b->instance);
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

static bool instance_of(const struct ssi_sip_addr *contact, struct ssi_slice *ret)
{
    return ssi_sip_param(contact->params, SSI_LIT("+sip.instance"), ret) && ret->len > 0;
}

uint32_t ssi_contact_reg_id(const struct ssi_sip_addr *contact)
{
    struct ssi_slice value, instance;
    uint64_t id = 0;

    if (!instance_of(contact, &instance) ||
        !ssi_sip_param(contact->params, SSI_LIT("reg-id"), &value) ||
        !ssi_slice_to_u64(value, INT32_MAX, &id))
        return 0;
    return (uint32_t)id;
}

static bool is_same_instance(const struct ssi_binding *b, struct ssi_slice instance)
{
    return b->instance && ssi_slice_eq(ssi_slice_str(b->instance), instance);
}

static bool is_about(const struct ssi_binding *b, const struct ssi_sip_addr *contact,
                     uint32_t reg_id)
{
    struct ssi_slice instance;
    struct ssi_sip_uri u;

    if (reg_id > 0 && b->reg_id > 0)
        return b->reg_id == reg_id && instance_of(contact, &instance) &&
               is_same_instance(b, instance);
    return ssi_sip_uri_parse(ssi_slice_str(b->contact), &u) >= 0 &&
           ssi_sip_uri_equal(&u, &contact->uri);
}

struct ssi_binding *ssi_binding_find(const struct ssi_aor *a, const struct ssi_sip_addr *contact)
{
    uint32_t reg_id = ssi_contact_reg_id(contact);

    SSI_LIST_EACH(n, &a->bindings)
    {
        struct ssi_binding *b = SSI_CONTAINER(n, struct ssi_binding, node);
        if (is_about(b, contact, reg_id))
            return b;
    }
    return NULL;
}

bool ssi_binding_is_covered(const struct ssi_binding *b)
{
    const struct ssi_list *end = &b->aor->bindings;

    for (const struct ssi_list *n = b->node.next; b->reg_id > 0 && n != end; n = n->next) {
        const struct ssi_binding *later = SSI_CONTAINER(n, struct ssi_binding, node);
        if (later->reg_id > 0 && is_same_instance(later, ssi_slice_str(b->instance)))
            return true;
    }
    return false;
}

/* False when memory is out. */
static bool take_instance(struct ssi_binding *b, const struct ssi_sip_addr *contact)
{
    struct ssi_slice instance;

    b->reg_id = ssi_contact_reg_id(contact);
    if (!instance_of(contact, &instance))
        return true;
    b->instance = ssi_slice_dup(instance);
    return b->instance != NULL;
}

struct ssi_binding *ssi_binding_new(secsip_registrar *r, const struct ssi_sip_msg *m,
                                    const struct ssi_sip_addr *contact, struct ssi_flow *flow)
{
    struct ssi_binding *b = calloc(1, sizeof *b);

    if (!b)
        return NULL;
    b->registrar = r;
    b->flow = ssi_flow_ref(flow);
    b->contact = ssi_slice_dup(contact->uri.whole);
    b->call_id = ssi_slice_dup(m->call_id);
    b->cseq = m->cseq;
    b->sips = contact->uri.scheme == SSI_SIP_SCHEME_SIPS;
    ssi_timer_init(&b->expiry, on_expiry, b);
    if (!take_instance(b, contact) || !b->contact || !b->call_id) {
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
