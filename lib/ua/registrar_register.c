/* REGISTER at the registrar (RFC 3261 10.3), see registrar.h. Layer: ua. */
#include "sip/build.h"
#include "ua/binding.h"

enum {
    CONTACTS_MAX = 16
};

struct wanted {
    struct ssi_sip_addr contact;
    uint32_t expires_s;
    struct ssi_binding *fresh; /* made when expires_s > 0; takes the place of what is there */
};

/* RFC 5626 6: the phone speaks outbound and says which of its flows this is. */
static bool wants_outbound(const struct ssi_sip_msg *m, const struct wanted *wanted, size_t n)
{
    return n == 1 && ssi_contact_reg_id(&wanted[0].contact) > 0 &&
           ssi_sip_msg_lists(m, SSI_HDR_SUPPORTED, SSI_LIT("outbound"));
}

static void put_instance(struct ssi_buf *b, const struct ssi_binding *bind)
{
    if (bind->instance) {
        ssi_sip_put_piece_str(b, ";+sip.instance=");
        ssi_sip_put_piece_str(b, bind->instance);
    }
    if (bind->reg_id > 0) {
        ssi_sip_put_piece_str(b, ";reg-id=");
        ssi_buf_put_u64(b, bind->reg_id);
    }
}

static void respond_bindings(secsip_registrar *r, struct ssi_txn *t, struct ssi_slice key,
                             bool outbound)
{
    struct ssi_aor *a = ssi_aor_find(r, key);
    struct ssi_buf b;

    ssi_ua_begin_response(r->ua, t, 200, &b);
    if (a) {
        SSI_LIST_EACH(n, &a->bindings)
        {
            const struct ssi_binding *bind = SSI_CONTAINER(n, struct ssi_binding, node);
            uint64_t left_us = bind->expiry.due_us - r->ua->timers.now_us;
            ssi_sip_put_name(&b, "Contact");
            ssi_sip_put_piece_str(&b, "<");
            ssi_sip_put_piece_str(&b, bind->contact);
            ssi_sip_put_piece_str(&b, ">;expires=");
            ssi_buf_put_u64(&b, (left_us + 999999) / 1000000);
            put_instance(&b, bind);
            ssi_sip_put_crlf(&b);
        }
    }
    if (outbound) {
        ssi_sip_put_header_str(&b, "Require", "outbound");
        ssi_sip_put_header_u64(&b, "Flow-Timer", r->config.flow_timer_s);
    }
    ssi_ua_end_response(r->ua, t, 200, &b);
}

static void respond_interval_too_brief(secsip_registrar *r, struct ssi_txn *t)
{
    struct ssi_buf b;

    ssi_ua_begin_response(r->ua, t, 423, &b);
    ssi_sip_put_header_u64(&b, "Min-Expires", r->config.min_expires_s); /* RFC 3261 10.3 step 7 */
    ssi_ua_end_response(r->ua, t, 423, &b);
}

/* Reads the contacts. 0, or the status to refuse with; *ret_star: Contact is "*". */
static int read_contacts(secsip_registrar *r, const struct ssi_sip_msg *m, struct wanted *out,
                         size_t *ret_n, bool *ret_star)
{
    struct ssi_sip_values it;
    struct ssi_slice value;
    size_t n = 0;

    *ret_star = false;
    ssi_sip_values_init(&it, m, SSI_HDR_CONTACT);
    while (ssi_sip_values_next(&it, &value)) {
        struct wanted *w = &out[n];
        if (n == CONTACTS_MAX || *ret_star)
            return 400;
        if (ssi_sip_addr_parse(value, &w->contact) < 0)
            return 400;
        if (w->contact.is_star) {
            *ret_star = true;
            continue;
        }
        if (w->contact.uri.scheme != SSI_SIP_SCHEME_SIP &&
            w->contact.uri.scheme != SSI_SIP_SCHEME_SIPS)
            return 400;
        w->expires_s = ssi_sip_msg_expires(m, &w->contact, r->config.max_expires_s);
        if (w->expires_s > 0 && w->expires_s < r->config.min_expires_s)
            return 423;
        if (w->expires_s > r->config.max_expires_s)
            w->expires_s = r->config.max_expires_s;
        w->fresh = NULL;
        n++;
    }
    /* RFC 3261 10.3 step 6: "*" stands alone and with Expires: 0. */
    if (*ret_star && (n > 0 || ssi_sip_msg_expires(m, NULL, 1) != 0))
        return 400;
    *ret_n = n;
    return 0;
}

static void remove_all(struct ssi_aor *a)
{
    uint32_t left = a->n_bindings;

    while (left-- > 0)
        ssi_binding_remove(SSI_CONTAINER(a->bindings.next, struct ssi_binding, node));
}

/* RFC 3261 10.3 steps 6 and 7: an older request of the same Call-ID changes nothing. */
static bool is_older(const struct ssi_sip_msg *m, const struct ssi_binding *b)
{
    return ssi_slice_eq(ssi_slice_str(b->call_id), m->call_id) && m->cseq <= b->cseq;
}

static int check_star(const struct ssi_aor *a, const struct ssi_sip_msg *m)
{
    SSI_LIST_EACH(n, &a->bindings)
    if (is_older(m, SSI_CONTAINER(n, struct ssi_binding, node)))
        return 500;
    return 0;
}

/* Whether the contacts may be taken, all of them. 0, or the status. */
static int check_contacts(secsip_registrar *r, const struct ssi_aor *a, const struct ssi_sip_msg *m,
                          const struct wanted *wanted, size_t n)
{
    uint32_t n_after = a ? a->n_bindings : 0;

    for (size_t i = 0; i < n; i++) {
        const struct ssi_binding *b = a ? ssi_binding_find(a, &wanted[i].contact) : NULL;
        if (b && is_older(m, b))
            return 500;
        if (b && wanted[i].expires_s == 0 && n_after > 0)
            n_after--;
        else if (!b && wanted[i].expires_s > 0)
            n_after++;
    }
    return n_after > r->config.max_bindings ? 403 : 0;
}

/* Nothing fails any more. What comes is added before anything goes, so that the address of record stays. */
static void apply_contacts(secsip_registrar *r, struct ssi_aor *a, struct ssi_slice key,
                           struct wanted *wanted, size_t n, struct ssi_flow *flow)
{
    for (size_t i = 0; i < n; i++) {
        struct wanted *w = &wanted[i];
        if (!w->fresh)
            continue;
        struct ssi_binding *old = ssi_binding_find(a, &w->contact);
        ssi_binding_add(a, w->fresh, w->expires_s);
        if (old)
            ssi_binding_free(old);
        secsip_registrar_event e = {.kind = SECSIP_REGISTRAR_REGISTERED,
                                    .method = "REGISTER",
                                    .user = a->key,
                                    .target = w->fresh->contact,
                                    .expires_s = w->expires_s};
        w->fresh = NULL;
        ssi_registrar_tell(r, &e, flow);
    }
    for (size_t i = 0; i < n; i++) {
        a = wanted[i].expires_s == 0 ? ssi_aor_find(r, key) : NULL;
        struct ssi_binding *b = a ? ssi_binding_find(a, &wanted[i].contact) : NULL;
        if (b)
            ssi_binding_remove(b);
    }
}

/* RFC 3261 10.3 step 7: all changes of a request are made, or none. 0, or the status. */
static int change_bindings(secsip_registrar *r, struct ssi_slice key, const struct ssi_sip_msg *m,
                           struct wanted *wanted, size_t n, struct ssi_flow *flow)
{
    struct ssi_aor *a = ssi_aor_find(r, key);
    int status = check_contacts(r, a, m, wanted, n);
    bool adds = false;

    for (size_t i = 0; i < n && status == 0; i++) {
        if (wanted[i].expires_s == 0)
            continue;
        adds = true;
        wanted[i].fresh = ssi_binding_new(r, m, &wanted[i].contact, flow);
        if (!wanted[i].fresh)
            status = 503;
    }
    if (status == 0 && adds && !a) {
        a = ssi_aor_new(r, key);
        if (!a)
            status = 503;
    }
    if (status == 0)
        apply_contacts(r, a, key, wanted, n, flow);
    for (size_t i = 0; i < n; i++)
        ssi_binding_discard(wanted[i].fresh);
    return status;
}

void ssi_registrar_take_register(secsip_registrar *r, struct ssi_txn *t, struct ssi_sip_msg *m,
                                 struct ssi_flow *flow)
{
    struct wanted wanted[CONTACTS_MAX];
    struct ssi_buf key;
    size_t n = 0;
    bool star = false;

    if (!ssi_slice_ieq(m->to.uri.host, ssi_slice_str(r->domain)) || m->to.uri.user.len == 0) {
        ssi_registrar_refuse(r, t, flow, 404); /* RFC 3261 10.3 step 5 */
        return;
    }
    if (ssi_registrar_authenticate(r, t, m, flow, &m->to.uri, false))
        return;
    int status = read_contacts(r, m, wanted, &n, &star);
    ssi_buf_init(&key, SSI_AOR_MAX);
    ssi_aor_put_key(&key, &m->to.uri);
    if (key.failed < 0)
        status = key.failed == SECSIP_E_NOMEM ? 500 : 400;
    struct ssi_slice k = ssi_buf_slice(&key);
    struct ssi_aor *a = ssi_aor_find(r, k);
    bool outbound = status == 0 && wants_outbound(m, wanted, n) && flow->txn.reliable;
    /* RFC 5626 6: it must have come to us directly. We keep no Path, so a flow that ends at somebody else is none to us. */
    if (outbound && m->n_vias > 1)
        status = 439;
    if (status == 0 && star && a)
        status = check_star(a, m);
    if (status == 0 && star && a)
        remove_all(a);
    if (status == 0 && n > 0)
        status = change_bindings(r, k, m, wanted, n, flow);
    if (status == 0 && outbound && wanted[0].expires_s > 0)
        ssi_flow_keep(flow, r->config.flow_timer_s);
    if (status == 0)
        respond_bindings(r, t, k, outbound);
    else if (status == 423)
        respond_interval_too_brief(r, t);
    else
        ssi_registrar_refuse(r, t, flow, status);
    ssi_buf_free(&key);
}
