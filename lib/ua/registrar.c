/* The embedded registrar, see registrar.h. Layer: ua. */
#include "ua/registrar.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/secret.h"
#include "sip/build.h"
#include "ua/proxy.h"

enum {
    CONTACTS_MAX = 16,
    PASSWORD_MAX = 256,
    KEY_MAX = 512
};

/* ---- News */
/* On its way to the application; holds a reference on the registrar. */
struct registrar_news {
    struct ssi_event event;
    secsip_registrar *registrar;
    secsip_registrar_event view; /* its texts are those below */
    char method[32];
    char user[256];
    char target[512];
    char peer[SSI_ADDR_TEXT];
};

static void unref_registrar(secsip_registrar *r)
{
    if (--r->refs > 0)
        return;
    ssi_hash_free(&r->aors);
    ssi_hash_free(&r->by_flow);
    ssi_wipe(&r->auth, sizeof r->auth);
    free(r->domain);
    free(r);
}

static void deliver_news(struct ssi_event *e, bool discard)
{
    struct registrar_news *n = SSI_CONTAINER(e, struct registrar_news, event);
    secsip_registrar *r = n->registrar;

    if (!discard && r->config.on_event)
        r->config.on_event(&n->view, r->config.user_data);
    free(n);
    unref_registrar(r);
}

/* Posts a copy; without memory there is one line less to read, and nothing else suffers. */
static void tell(secsip_registrar *r, const secsip_registrar_event *e, const struct ssi_flow *flow)
{
    struct registrar_news *n = r->config.on_event ? calloc(1, sizeof *n) : NULL;

    if (!n)
        return;
    n->event.deliver = deliver_news;
    n->registrar = r;
    r->refs++;
    ssi_slice_show(ssi_slice_str(e->method), n->method, sizeof n->method);
    ssi_slice_show(ssi_slice_str(e->user), n->user, sizeof n->user);
    ssi_slice_show(ssi_slice_str(e->target), n->target, sizeof n->target);
    if (flow)
        ssi_addr_text(&flow->peer, n->peer);
    n->view = *e;
    n->view.size = sizeof n->view;
    n->view.method = n->method;
    n->view.user = n->user;
    n->view.target = n->target;
    n->view.peer = n->peer;
    ssi_ua_post(r->ua, &n->event);
}

void ssi_registrar_tell_forward(secsip_registrar *r, const struct ssi_sip_msg *m,
                                const struct ssi_flow *flow, uint32_t branches)
{
    char method[32], user[256], target[256];
    secsip_registrar_event e = {.kind = SECSIP_REGISTRAR_FORWARDED,
                                .method = method,
                                .user = user,
                                .target = target,
                                .branches = branches};

    ssi_slice_show(m->method_text, method, sizeof method);
    ssi_slice_show(m->from.uri.whole, user, sizeof user);
    ssi_slice_show(m->uri.whole, target, sizeof target);
    tell(r, &e, flow);
}

void ssi_registrar_refuse(secsip_registrar *r, struct ssi_txn *t, struct ssi_flow *flow, int status)
{
    const struct ssi_sip_msg *m = ssi_txn_request(t);
    char method[32], user[256], target[256];
    secsip_registrar_event e = {.kind = SECSIP_REGISTRAR_REFUSED,
                                .status = status,
                                .method = method,
                                .user = user,
                                .target = target};

    ssi_slice_show(m->method_text, method, sizeof method);
    ssi_slice_show(m->from.uri.whole, user, sizeof user);
    ssi_slice_show(m->uri.whole, target, sizeof target);
    ssi_ua_refuse(r->ua, t, status);
    tell(r, &e, flow);
}

/* ---- Bindings */
static uint64_t flow_hash(const secsip_registrar *r, const struct ssi_flow *f)
{
    /* The pointer itself is the key. NOLINTNEXTLINE(bugprone-sizeof-expression) */
    return ssi_hash_of(&r->by_flow, &f, sizeof f);
}

/* One that is in no list. */
static void discard_binding(struct ssi_binding *b)
{
    if (!b)
        return;
    ssi_flow_unref(b->flow);
    free(b->contact);
    free(b->call_id);
    free(b);
}

static void free_binding(struct ssi_binding *b)
{
    secsip_registrar *r = b->registrar;
    struct ssi_aor *aor = b->aor;

    if (r->ua)
        ssi_timer_cancel(&r->ua->timers, &b->expiry);
    ssi_hash_remove(&r->by_flow, &b->flow_node);
    ssi_list_remove(&b->node);
    r->n_bindings--;
    discard_binding(b);
    if (--aor->n_bindings == 0) {
        ssi_hash_remove(&r->aors, &aor->node);
        free(aor->key);
        free(aor);
    }
}

static void remove_binding(struct ssi_binding *b)
{
    secsip_registrar *r = b->registrar;
    char user[KEY_MAX], target[256];
    struct ssi_flow *flow = ssi_flow_ref(b->flow);
    secsip_registrar_event e = {.kind = SECSIP_REGISTRAR_UNREGISTERED,
                                .method = "REGISTER",
                                .user = user,
                                .target = target};

    ssi_slice_show(ssi_slice_str(b->aor->key), user, sizeof user);
    ssi_slice_show(ssi_slice_str(b->contact), target, sizeof target);
    free_binding(b);
    tell(r, &e, flow);
    ssi_flow_unref(flow);
}

static void on_expiry(void *arg)
{
    remove_binding(arg);
}

static struct ssi_aor *find_key(secsip_registrar *r, struct ssi_slice key)
{
    uint64_t h = ssi_hash_of(&r->aors, key.p, key.len);

    for (struct ssi_hash_node *n = ssi_hash_find(&r->aors, h); n; n = ssi_hash_next(n)) {
        struct ssi_aor *a = SSI_CONTAINER(n, struct ssi_aor, node);
        if (ssi_slice_eq(ssi_slice_str(a->key), key))
            return a;
    }
    return NULL;
}

/* One address of record for sip and sips (RFC 5630 5.2: the registrar binds them together). */
static void put_key(struct ssi_buf *b, const struct ssi_sip_uri *u)
{
    struct ssi_sip_uri sip = *u;

    sip.scheme = SSI_SIP_SCHEME_SIP;
    ssi_sip_uri_put_aor(b, &sip);
}

struct ssi_aor *ssi_registrar_find(secsip_registrar *r, const struct ssi_sip_uri *u)
{
    struct ssi_aor *a = NULL;
    struct ssi_buf key;

    ssi_buf_init(&key, KEY_MAX);
    put_key(&key, u);
    if (key.failed >= 0)
        a = find_key(r, ssi_buf_slice(&key));
    ssi_buf_free(&key);
    return a;
}

static struct ssi_aor *make_aor(secsip_registrar *r, struct ssi_slice key)
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

static struct ssi_binding *find_binding(const struct ssi_aor *a, const struct ssi_sip_uri *contact)
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

/* All that can fail, before anything is changed. */
static struct ssi_binding *new_binding(secsip_registrar *r, const struct ssi_sip_msg *m,
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
        discard_binding(b);
        return NULL;
    }
    return b;
}

static void add_binding(struct ssi_aor *a, struct ssi_binding *b, uint32_t expires_s)
{
    secsip_registrar *r = b->registrar;

    b->aor = a;
    ssi_list_push_back(&a->bindings, &b->node);
    a->n_bindings++;
    r->n_bindings++;
    ssi_hash_add(&r->by_flow, &b->flow_node, flow_hash(r, b->flow));
    ssi_timer_arm(&r->ua->timers, &b->expiry, SSI_S(expires_s));
}

static void on_flow_closed(void *arg, struct ssi_flow *flow)
{
    secsip_registrar *r = arg;
    struct ssi_hash_node *n;

    /* RFC 5626 5.3: a binding whose flow is gone cannot be reached. */
    while ((n = ssi_hash_find(&r->by_flow, flow_hash(r, flow))))
        remove_binding(SSI_CONTAINER(n, struct ssi_binding, flow_node));
}

/* ---- Authentication */
struct asked {
    secsip_registrar *registrar;
    bool no_memory; /* the user is known, but his password could not be copied */
};

static char *password_of(void *arg, struct ssi_slice user)
{
    struct asked *asked = arg;
    secsip_registrar *r = asked->registrar;
    char name[PASSWORD_MAX];
    char password[PASSWORD_MAX] = "";
    char *copy = NULL;

    if (user.len == 0 || user.len >= sizeof name || memchr(user.p, 0, user.len))
        return NULL;
    memcpy(name, user.p, user.len);
    name[user.len] = 0;
    if (r->config.password(name, password, sizeof password, r->config.user_data) >= 0) {
        password[sizeof password - 1] = 0;
        copy = ssi_secret_dup(password);
        asked->no_memory = !copy;
    }
    ssi_wipe(password, sizeof password);
    return copy;
}

bool ssi_registrar_knows(secsip_registrar *r, struct ssi_slice user)
{
    struct asked asked = {.registrar = r};
    char *password = password_of(&asked, user);
    bool known = password || asked.no_memory;

    ssi_secret_free(password);
    return known;
}

static void challenge(secsip_registrar *r, struct ssi_txn *t, bool is_proxy, bool stale)
{
    int status = is_proxy ? 407 : 401;
    struct ssi_buf b;
    char tag[13];
    const char *ip;
    uint16_t port;

    ssi_txn_source(t, &ip, &port);
    ssi_buf_init(&b, r->ua->config.limits.message_bytes);
    secsip_result res = ssi_random_token(tag, sizeof tag - 1);
    ssi_sip_put_response_start(&b, ssi_txn_request(t), status, NULL, res < 0 ? NULL : tag, ip,
                               port);
    ssi_sip_put_challenges(&b, &r->auth, r->domain, is_proxy, stale, r->ua->wall_s);
    ssi_sip_put_header_str(&b, "Server", r->ua->user_agent);
    if (ssi_sip_put_end(&b, NULL, NULL, 0) >= 0)
        ssi_txn_respond(t, status, &b);
    else
        ssi_ua_refuse(r->ua, t, 500);
    ssi_buf_free(&b);
}

int ssi_registrar_authenticate(secsip_registrar *r, struct ssi_txn *t, struct ssi_sip_msg *m,
                               struct ssi_flow *flow, const struct ssi_sip_uri *identity,
                               bool is_proxy)
{
    struct asked asked = {.registrar = r};
    struct ssi_slice user;
    enum ssi_sip_auth_verdict verdict = ssi_sip_auth_check(
        &r->auth, m, r->domain, is_proxy, r->ua->wall_s, password_of, &asked, &user);

    if (verdict == SSI_SIP_AUTH_WRONG && asked.no_memory)
        verdict = SSI_SIP_AUTH_FAILED;
    switch (verdict) {
    case SSI_SIP_AUTH_OK:
        /* RFC 3261 10.3 step 4: the one who proved himself may act only for himself. */
        if (ssi_slice_eq(user, identity->user))
            return 0;
        ssi_registrar_refuse(r, t, flow, 403);
        return 403;
    case SSI_SIP_AUTH_STALE:
        challenge(r, t, is_proxy, true);
        return 401;
    case SSI_SIP_AUTH_NONE:
        challenge(r, t, is_proxy, false);
        return 401;
    case SSI_SIP_AUTH_BAD:
        ssi_registrar_refuse(r, t, flow, 400);
        return 400;
    case SSI_SIP_AUTH_FAILED: /* nobody is called wrong whom we could not judge */
        ssi_registrar_refuse(r, t, flow, 500);
        return 500;
    default:
        ssi_registrar_refuse(r, t, flow, 403);
        return 403;
    }
}

/* ---- REGISTER */
struct wanted {
    struct ssi_sip_addr contact;
    uint32_t expires_s;
    struct ssi_binding *fresh; /* made when expires_s > 0; takes the place of what is there */
};

static void respond_bindings(secsip_registrar *r, struct ssi_txn *t, struct ssi_slice key)
{
    struct ssi_aor *a = find_key(r, key);
    struct ssi_buf b;
    char tag[13];
    const char *ip;
    uint16_t port;

    ssi_txn_source(t, &ip, &port);
    ssi_buf_init(&b, r->ua->config.limits.message_bytes);
    secsip_result res = ssi_random_token(tag, sizeof tag - 1);
    ssi_sip_put_response_start(&b, ssi_txn_request(t), 200, NULL, res < 0 ? NULL : tag, ip, port);
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
            ssi_sip_put_crlf(&b);
        }
    }
    ssi_sip_put_header_str(&b, "Server", r->ua->user_agent);
    if (ssi_sip_put_end(&b, NULL, NULL, 0) >= 0)
        ssi_txn_respond(t, 200, &b);
    else
        ssi_ua_refuse(r->ua, t, 500);
    ssi_buf_free(&b);
}

static void respond_interval_too_brief(secsip_registrar *r, struct ssi_txn *t)
{
    struct ssi_buf b;
    char tag[13];
    const char *ip;
    uint16_t port;

    ssi_txn_source(t, &ip, &port);
    ssi_buf_init(&b, r->ua->config.limits.message_bytes);
    secsip_result res = ssi_random_token(tag, sizeof tag - 1);
    ssi_sip_put_response_start(&b, ssi_txn_request(t), 423, NULL, res < 0 ? NULL : tag, ip, port);
    ssi_sip_put_header_u64(&b, "Min-Expires", r->config.min_expires_s); /* RFC 3261 10.3 step 7 */
    if (ssi_sip_put_end(&b, NULL, NULL, 0) >= 0)
        ssi_txn_respond(t, 423, &b);
    else
        ssi_ua_refuse(r->ua, t, 500);
    ssi_buf_free(&b);
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
        remove_binding(SSI_CONTAINER(a->bindings.next, struct ssi_binding, node));
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
        const struct ssi_binding *b = a ? find_binding(a, &wanted[i].contact.uri) : NULL;
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
        struct ssi_binding *old = find_binding(a, &w->contact.uri);
        add_binding(a, w->fresh, w->expires_s);
        if (old)
            free_binding(old);
        secsip_registrar_event e = {.kind = SECSIP_REGISTRAR_REGISTERED,
                                    .method = "REGISTER",
                                    .user = a->key,
                                    .target = w->fresh->contact,
                                    .expires_s = w->expires_s};
        w->fresh = NULL;
        tell(r, &e, flow);
    }
    for (size_t i = 0; i < n; i++) {
        a = wanted[i].expires_s == 0 ? find_key(r, key) : NULL;
        struct ssi_binding *b = a ? find_binding(a, &wanted[i].contact.uri) : NULL;
        if (b)
            remove_binding(b);
    }
}

/* RFC 3261 10.3 step 7: all changes of a request are made, or none. 0, or the status. */
static int change_bindings(secsip_registrar *r, struct ssi_slice key, const struct ssi_sip_msg *m,
                           struct wanted *wanted, size_t n, struct ssi_flow *flow)
{
    struct ssi_aor *a = find_key(r, key);
    int status = check_contacts(r, a, m, wanted, n);
    bool adds = false;

    for (size_t i = 0; i < n && status == 0; i++) {
        if (wanted[i].expires_s == 0)
            continue;
        adds = true;
        wanted[i].fresh = new_binding(r, m, &wanted[i].contact.uri, flow);
        if (!wanted[i].fresh)
            status = 503;
    }
    if (status == 0 && adds && !a) {
        a = make_aor(r, key);
        if (!a)
            status = 503;
    }
    if (status == 0)
        apply_contacts(r, a, key, wanted, n, flow);
    for (size_t i = 0; i < n; i++)
        discard_binding(wanted[i].fresh);
    return status;
}

static void take_register(secsip_registrar *r, struct ssi_txn *t, struct ssi_sip_msg *m,
                          struct ssi_flow *flow)
{
    struct wanted wanted[CONTACTS_MAX];
    struct ssi_buf key;
    size_t n = 0;
    bool star = false;

    if (m->to.uri.scheme != SSI_SIP_SCHEME_SIP && m->to.uri.scheme != SSI_SIP_SCHEME_SIPS) {
        ssi_registrar_refuse(r, t, flow, 400);
        return;
    }
    if (!ssi_slice_ieq(m->to.uri.host, ssi_slice_str(r->domain)) || m->to.uri.user.len == 0) {
        ssi_registrar_refuse(r, t, flow, 404); /* RFC 3261 10.3 step 5 */
        return;
    }
    if (ssi_registrar_authenticate(r, t, m, flow, &m->to.uri, false))
        return;
    int status = read_contacts(r, m, wanted, &n, &star);
    ssi_buf_init(&key, KEY_MAX);
    put_key(&key, &m->to.uri);
    if (key.failed < 0)
        status = key.failed == SECSIP_E_NOMEM ? 500 : 400;
    struct ssi_slice k = ssi_buf_slice(&key);
    struct ssi_aor *a = find_key(r, k);
    if (status == 0 && star && a)
        status = check_star(a, m);
    if (status == 0 && star && a)
        remove_all(a);
    if (status == 0 && n > 0)
        status = change_bindings(r, k, m, wanted, n, flow);
    if (status == 0)
        respond_bindings(r, t, k);
    else if (status == 423)
        respond_interval_too_brief(r, t);
    else
        ssi_registrar_refuse(r, t, flow, status);
    ssi_buf_free(&key);
}

static bool on_request(void *arg, struct ssi_txn *t, struct ssi_sip_msg *m, struct ssi_flow *flow)
{
    secsip_registrar *r = arg;

    if (t && flow->transport != SSI_TRANSPORT_TLS && !r->config.insecure_transport) {
        ssi_registrar_refuse(r, t, flow, 403);
        return true;
    }
    if (m->method == SSI_SIP_REGISTER && t) {
        if (ssi_sip_msg_header(m, SSI_HDR_REQUIRE, NULL))
            ssi_registrar_refuse(r, t, flow, 420);
        else
            take_register(r, t, m, flow);
        return true;
    }
    ssi_proxy_request(r, t, m, flow);
    return true;
}

/* ---- Making */
void ssi_registrar_detach(secsip_registrar *r)
{
    if (!r->ua)
        return;
    ssi_proxy_end_all(r);
    for (size_t i = 0; i < r->aors.n_buckets; i++)
        while (r->aors.buckets[i]) {
            struct ssi_aor *a = SSI_CONTAINER(r->aors.buckets[i], struct ssi_aor, node);
            uint32_t left = a->n_bindings;
            while (left-- > 0)
                free_binding(SSI_CONTAINER(a->bindings.next, struct ssi_binding, node));
        }
    memset(&r->ua->handler, 0, sizeof r->ua->handler);
    r->ua = NULL;
}

static void on_detach(void *arg)
{
    ssi_registrar_detach(arg);
}

secsip_result ssi_registrar_new(struct ssi_ua *ua, const secsip_registrar_config *config,
                                secsip_registrar **ret)
{
    if (ua->handler.on_request)
        return SECSIP_E_STATE;
    secsip_registrar *r = calloc(1, sizeof *r);
    if (!r)
        return SECSIP_E_NOMEM;
    r->refs = 1;
    r->config = *config;
    r->config.min_expires_s = config->min_expires_s ? config->min_expires_s : 5;
    r->config.max_expires_s = config->max_expires_s ? config->max_expires_s : 3600;
    r->config.max_bindings = config->max_bindings ? config->max_bindings : 10;
    r->config.max_users = config->max_users ? config->max_users : 10000;
    ssi_list_init(&r->contexts);
    secsip_result res = SECSIP_E_NOMEM;
    r->domain = ssi_slice_dup(ssi_slice_str(config->domain));
    if (!r->domain)
        goto fail_registrar;
    r->config.domain = r->domain;
    res = ssi_hash_init(&r->aors);
    if (res >= 0)
        res = ssi_hash_init(&r->by_flow);
    if (res >= 0)
        res = ssi_sip_auth_server_init(&r->auth);
    if (res < 0)
        goto fail_registrar;
    r->ua = ua;
    ua->handler = (struct ssi_ua_handler){
        .on_request = on_request,
        .on_flow_closed = on_flow_closed,
        .on_detach = on_detach,
        .arg = r,
    };
    *ret = r;
    return 0;

fail_registrar:
    unref_registrar(r);
    return res;
}

void ssi_registrar_free(secsip_registrar *r)
{
    ssi_registrar_detach(r);
    r->config.on_event = NULL; /* what is on its way is not told any more */
    unref_registrar(r);
}
