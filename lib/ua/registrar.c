/* The embedded registrar, see registrar.h. Layer: ua. */
#include "ua/registrar.h"

#include <stdlib.h>

#include "base/secret.h"
#include "ua/binding.h"
#include "ua/from.h"
#include "ua/proxy.h"

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
    char identity[256];
};

static void unref_registrar(secsip_registrar *r)
{
    if (--r->refs > 0)
        return;
    ssi_hash_free(&r->aors);
    ssi_hash_free(&r->by_flow);
    ssi_moved_free(&r->moved);
    ssi_sip_auth_server_free(&r->auth);
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

void ssi_registrar_tell(secsip_registrar *r, const secsip_registrar_event *e,
                        const struct ssi_flow *flow)
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
    ssi_slice_show(ssi_slice_str(ssi_flow_identity(flow)), n->identity, sizeof n->identity);
    n->view = *e;
    n->view.size = sizeof n->view;
    n->view.method = n->method;
    n->view.user = n->user;
    n->view.target = n->target;
    n->view.peer = n->peer;
    n->view.identity = n->identity;
    ssi_ua_post(r->ua, &n->event);
}

/* Tells of a request: kind, status and branches are in `e`. */
static void tell_of(secsip_registrar *r, secsip_registrar_event e, const struct ssi_sip_msg *m,
                    const struct ssi_flow *flow)
{
    char method[32], user[256], target[256];

    ssi_slice_show(m->method_text, method, sizeof method);
    ssi_slice_show(m->from.uri.whole, user, sizeof user);
    ssi_slice_show(m->uri.whole, target, sizeof target);
    e.method = method;
    e.user = user;
    e.target = target;
    ssi_registrar_tell(r, &e, flow);
}

void ssi_registrar_tell_forward(secsip_registrar *r, const struct ssi_sip_msg *m,
                                const struct ssi_flow *flow, uint32_t branches)
{
    secsip_registrar_event e = {.kind = SECSIP_REGISTRAR_FORWARDED, .branches = branches};

    tell_of(r, e, m, flow);
}

void ssi_registrar_refuse(secsip_registrar *r, struct ssi_txn *t, struct ssi_flow *flow, int status)
{
    secsip_registrar_event e = {.kind = SECSIP_REGISTRAR_REFUSED, .status = status};
    struct ssi_sip_msg *m = ssi_sip_msg_ref(ssi_txn_request(t));

    ssi_ua_refuse_as(r->ua, t, status,
                     m->method == SSI_SIP_REGISTER ? &ssi_ua_registrar : &ssi_ua_proxy);
    tell_of(r, e, m, flow);
    ssi_sip_msg_unref(m);
}

/* ---- Requests */
static void on_refused(void *arg, struct ssi_txn *t, struct ssi_flow *flow, int status)
{
    ssi_registrar_refuse(arg, t, flow, status);
}

static bool on_request(void *arg, struct ssi_txn *t, struct ssi_sip_msg *m, struct ssi_flow *flow)
{
    secsip_registrar *r = arg;

    if (t && flow->transport != SSI_TRANSPORT_TLS && !r->config.insecure_transport) {
        ssi_registrar_refuse(r, t, flow, 403);
        return true;
    }
    if (m->method == SSI_SIP_REGISTER && t) {
        int status = ssi_sip_msg_verdict(m, &ssi_ua_registrar);
        if (status)
            ssi_registrar_refuse(r, t, flow, status);
        else
            ssi_registrar_take_register(r, t, m, flow);
        return true;
    }
    ssi_proxy_request(r, t, m, flow);
    return true;
}

static bool is_in_dialog(void *arg, const struct ssi_sip_msg *m, struct ssi_flow *flow)
{
    secsip_registrar *r = arg;

    return (flow->transport == SSI_TRANSPORT_TLS || r->config.insecure_transport) &&
           ssi_proxy_is_in_dialog(r, m, flow);
}

/* ---- Making */
static void on_flow_closed(void *arg, struct ssi_flow *flow)
{
    ssi_bindings_drop_flow(arg, flow);
}

void ssi_registrar_detach(secsip_registrar *r)
{
    if (!r->ua)
        return;
    ssi_proxy_end_all(r);
    ssi_bindings_free_all(r);
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
    r->config.flow_timer_s = config->flow_timer_s ? config->flow_timer_s : 120;
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
        res = ssi_moved_init(&r->moved);
    if (res >= 0)
        res = ssi_sip_auth_server_init(&r->auth);
    if (res < 0)
        goto fail_registrar;
    r->ua = ua;
    ua->handler = (struct ssi_ua_handler){
        .on_request = on_request,
        .on_refused = on_refused,
        .on_flow_closed = on_flow_closed,
        .on_detach = on_detach,
        .is_in_dialog = is_in_dialog,
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
