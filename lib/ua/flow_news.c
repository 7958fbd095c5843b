/* What is said about a connection that fails, and to whom. Layer: ua. Who waits for the flow hears it through its watch; the
 * application hears of every failure of TLS, also of connections that nobody asked for. */
#include <stdio.h>
#include <stdlib.h>

#include "ua/flow_parts.h"

/* On its way to the application. */
struct tls_news {
    struct ssi_event event;
    struct ssi_error error;
    bool incoming;
    void (*tell)(const secsip_error *error, int32_t incoming, void *user_data);
    void *user_data;
};

static void deliver_tls_news(struct ssi_event *e, bool discard)
{
    struct tls_news *n = SSI_CONTAINER(e, struct tls_news, event);
    secsip_error view;

    ssi_error_view(&n->error, &view);
    if (!discard)
        n->tell(&view, n->incoming, n->user_data);
    free(n);
}

/* Without memory the log has it still. */
static void tell_tls(const struct ssi_flow *f, const struct ssi_error *e)
{
    struct ssi_ua *ua = f->ua;
    struct tls_news *n = ua->config.tls_failure ? calloc(1, sizeof *n) : NULL;

    ssi_log_line(&ua->config.log, SSI_LOG_WARNING, "%s", e->text);
    if (!n)
        return;
    n->event.deliver = deliver_tls_news;
    n->error = *e;
    n->incoming = f->incoming;
    n->tell = ua->config.tls_failure;
    n->user_data = ua->config.trace_data;
    ssi_ua_post(ua, &n->event);
}

void ssi_flow_peer_text(struct ssi_flow *f, struct ssi_error *e)
{
    if (f->peer.family)
        ssi_addr_text(&f->peer, e->peer);
    else
        ssi_slice_show(ssi_slice_str(f->domain), e->peer, sizeof e->peer);
}

void ssi_flow_fail_tls(struct ssi_flow *f)
{
    const struct ssi_tls_failure *t = ssi_tls_session_failure(f->tls);
    struct ssi_error e;

    ssi_error_set(&e, t->result, NULL);
    ssi_flow_peer_text(f, &e);
    snprintf(e.text, sizeof e.text, "%s: %s", e.peer,
             t->text[0] ? t->text : secsip_result_text(t->result));
    ssi_error_check(&e, t->check[0] ? t->check : "handshake", ssi_slice_str(t->expected),
                    ssi_slice_str(t->found));
    ssi_slice_show(ssi_slice_str(t->certificate), e.certificate, sizeof e.certificate);
    tell_tls(f, &e);
    ssi_flow_fail(f, &e);
}

static void describe(struct ssi_flow *f, struct ssi_error *e, secsip_result result,
                     const char *what)
{
    char peer[SSI_ADDR_TEXT];

    ssi_addr_text(&f->peer, peer);
    ssi_error_set(e, result, "%s (%s): %s", f->domain[0] ? f->domain : "peer", peer, what);
    ssi_flow_peer_text(f, e);
}

void ssi_flow_fail_with(struct ssi_flow *f, secsip_result result, const char *what)
{
    struct ssi_error e;

    describe(f, &e, result, what);
    ssi_flow_fail(f, &e);
}

void ssi_flow_fail_ended(struct ssi_flow *f, secsip_result result, const char *what,
                         const char *found)
{
    struct ssi_error e;

    describe(f, &e, result, what);
    ssi_error_check(&e, "connection", SSI_LIT("an open connection"), ssi_slice_str(found));
    if (result == SECSIP_E_TLS_TRUNCATED)
        tell_tls(f, &e);
    ssi_flow_fail(f, &e);
}
