/* What libosip2 says of a message, see differ.h. It undoes %-escapes of URIs itself. */
#include <osipparser2/osip_parser.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "differ.h"

static void no_trace(const char *file, int line, osip_trace_level_t level, const char *format,
                     va_list args)
{
    (void)file;
    (void)line;
    (void)level;
    (void)format;
    (void)args;
}

static void put_params(struct facts *f, const osip_list_t *list, const char *kind)
{
    for (int i = 0; i < osip_list_size(list); i++) {
        const osip_generic_param_t *p = osip_list_get(list, i);
        char key[256];
        int n = snprintf(key, sizeof key, "%s.%.200s", kind, p->gname);
        for (int k = 0; k < n; k++)
            if (key[k] >= 'A' && key[k] <= 'Z')
                key[k] += 32;
        facts_put(f, key, p->gvalue ? p->gvalue : "", FACT_QUOTED);
    }
}

static void put_headers(struct facts *f, const osip_list_t *list)
{
    char text[4096];
    size_t n = 0;

    for (int i = 0; i < osip_list_size(list); i++) {
        const osip_uri_header_t *h = osip_list_get(list, i);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s=%s", n ? "&" : "", h->gname,
                              h->gvalue ? h->gvalue : "");
    }
    if (n > 0)
        facts_put(f, "headers", text, FACT_PLAIN);
}

static void put_uri(struct facts *f, const osip_uri_t *u)
{
    if (!u)
        return;
    facts_put(f, "scheme", u->scheme, FACT_LOWER);
    if (u->string) {
        facts_put(f, "text", u->string, FACT_PLAIN);
        return;
    }
    facts_put(f, "user", u->username, FACT_PLAIN);
    facts_put(f, "password", u->password, FACT_PLAIN);
    if (u->host && strchr(u->host, ':')) { /* it takes the brackets off */
        char host[128];
        snprintf(host, sizeof host, "[%s]", u->host);
        facts_put(f, "host", host, FACT_LOWER);
    } else {
        facts_put(f, "host", u->host, FACT_LOWER);
    }
    facts_put(f, "port", u->port, FACT_PLAIN);
    put_params(f, &u->url_params, "uparam");
    put_headers(f, &u->url_headers);
}

/* From, To, Contact, Route and Record-Route are one structure to libosip2. */
static void put_address(struct facts *f, const osip_from_t *a, const char *key, int i)
{
    facts_prefix(f, "%s[%d].", key, i);
    if (a->displayname && strcmp(a->displayname, "*") == 0) {
        facts_put(f, "star", "*", FACT_PLAIN);
    } else {
        facts_put(f, "display", a->displayname, FACT_QUOTED);
        put_uri(f, a->url);
        put_params(f, &a->gen_params, "param");
    }
    facts_prefix(f, "%s", "");
}

static void put_addresses(struct facts *f, const osip_list_t *list, const char *key)
{
    for (int i = 0; i < osip_list_size(list); i++)
        put_address(f, osip_list_get(list, i), key, i);
}

static void put_vias(struct facts *f, const osip_message_t *m)
{
    for (int i = 0; i < osip_list_size(&m->vias); i++) {
        const osip_via_t *v = osip_list_get(&m->vias, i);
        facts_prefix(f, "via[%d].", i);
        facts_put(f, "transport", v->protocol, FACT_PLAIN);
        if (strchr(v->host, ':')) {
            char host[128];
            snprintf(host, sizeof host, "[%s]", v->host);
            facts_put(f, "host", host, FACT_LOWER);
        } else {
            facts_put(f, "host", v->host, FACT_LOWER);
        }
        facts_put(f, "port", v->port, FACT_PLAIN);
        put_params(f, &v->via_params, "param");
    }
    facts_prefix(f, "%s", "");
}

static void put_media(struct facts *f, const osip_content_type_t *t, const char *key, int i)
{
    char text[512];

    snprintf(text, sizeof text, "%s/%s", t->type ? t->type : "", t->subtype ? t->subtype : "");
    facts_prefix(f, "%s[%d].", key, i);
    facts_put(f, "value", text, FACT_PLAIN);
    put_params(f, &t->gen_params, "param");
    facts_prefix(f, "%s", "");
}

static void put_others(struct facts *f, const osip_message_t *m)
{
    static const char *const numbers[][2] = {{"max-forwards", "max_forwards[0].value"},
                                             {"expires", "expires[0].value"},
                                             {"min-expires", "min_expires[0].value"},
                                             {"rseq", "rseq[0].value"}};
    int n_unknown = 0;

    for (int i = 0; i < osip_list_size(&m->headers); i++) {
        const osip_header_t *h = osip_list_get(&m->headers, i);
        for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++)
            if (strcasecmp(h->hname, numbers[k][0]) == 0)
                facts_put_number(f, numbers[k][1], strtoll(h->hvalue, NULL, 10));
        if (strcasecmp(h->hname, "subject") == 0)
            facts_put(f, "subject[0].value", h->hvalue ? h->hvalue : "", FACT_PLAIN);
        if (strncasecmp(h->hname, "x-", 2) != 0)
            continue;
        facts_prefix(f, "unknown[%d].", n_unknown++);
        facts_put(f, "name", h->hname, FACT_LOWER);
        facts_put(f, "value", h->hvalue ? h->hvalue : "", FACT_PLAIN);
        facts_prefix(f, "%s", "");
    }
}

static void put_www(struct facts *f, const osip_message_t *m)
{
    for (int i = 0; i < osip_list_size(&m->www_authenticates); i++) {
        const osip_www_authenticate_t *w = osip_list_get(&m->www_authenticates, i);
        facts_prefix(f, "www[%d].", i);
        facts_put(f, "scheme", w->auth_type, FACT_LOWER);
        facts_put(f, "param.realm", w->realm, FACT_QUOTED);
        facts_put(f, "param.nonce", w->nonce, FACT_QUOTED);
        facts_put(f, "param.opaque", w->opaque, FACT_QUOTED);
        facts_put(f, "param.stale", w->stale, FACT_QUOTED);
        facts_put(f, "param.algorithm", w->algorithm, FACT_QUOTED);
        facts_put(f, "param.qop", w->qop_options, FACT_QUOTED);
    }
    facts_prefix(f, "%s", "");
}

static void put_all(struct facts *f, osip_message_t *m)
{
    char *text = NULL;

    if (m->sip_method) {
        facts_put(f, "method", m->sip_method, FACT_PLAIN);
        facts_prefix(f, "ruri.");
        put_uri(f, m->req_uri);
        facts_prefix(f, "%s", "");
    } else {
        facts_put_number(f, "status", m->status_code);
        facts_put(f, "reason", m->reason_phrase ? m->reason_phrase : "", FACT_PLAIN);
    }
    put_vias(f, m);
    if (m->from)
        put_address(f, m->from, "from", 0);
    if (m->to)
        put_address(f, (const osip_from_t *)m->to, "to", 0);
    put_addresses(f, &m->contacts, "contact");
    put_addresses(f, &m->routes, "route");
    put_addresses(f, &m->record_routes, "record_route");
    if (m->call_id && osip_call_id_to_str(m->call_id, &text) == 0) {
        facts_put(f, "call_id", text, FACT_PLAIN);
        osip_free(text);
    }
    if (m->cseq) {
        facts_put_number(f, "cseq", strtoll(m->cseq->number, NULL, 10));
        facts_put(f, "cseq.method", m->cseq->method, FACT_PLAIN);
    }
    if (m->content_length)
        facts_put_number(f, "content_length[0].value", strtoll(m->content_length->value, NULL, 10));
    if (m->content_type)
        put_media(f, m->content_type, "content_type", 0);
    for (int i = 0; i < osip_list_size(&m->accepts); i++)
        put_media(f, osip_list_get(&m->accepts, i), "accept", i);
    for (int i = 0; i < osip_list_size(&m->allows); i++) {
        const osip_allow_t *a = osip_list_get(&m->allows, i);
        facts_prefix(f, "allow[%d].", i);
        facts_put(f, "value", a->value ? a->value : "", FACT_PLAIN);
        facts_prefix(f, "%s", "");
    }
    put_www(f, m);
    put_others(f, m);
    const osip_body_t *body = osip_list_get(&m->bodies, 0);
    facts_put_number(f, "body.len", body ? (int64_t)body->length : 0);
    if (body && body->length > 0)
        facts_put_n(f, "body", body->body, body->length, FACT_PLAIN);
}

bool facts_of_osip(struct facts *f, const char *bytes, size_t len)
{
    osip_message_t *m = NULL;

    facts_reset(f);
    osip_trace_initialize_func(TRACE_LEVEL0, no_trace);
    parser_init();
    if (osip_message_init(&m) != 0)
        abort();
    bool good = osip_message_parse(m, bytes, len) == 0;
    if (good)
        put_all(f, m);
    osip_message_free(m);
    return good;
}
