/* What Sofia-SIP says of a message, see differ.h. */
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_parser.h>
#include <sofia-sip/sip_util.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "differ.h"

static void put_uri(struct facts *f, const url_t *u)
{
    char params[4096];

    facts_put(f, "scheme", u->url_scheme, FACT_LOWER);
    if (u->url_type != url_sip && u->url_type != url_sips) {
        char text[4096];
        url_e(text, sizeof text, u);
        const char *rest = strchr(text, ':');
        facts_put(f, "text", rest ? rest + 1 : text, FACT_PLAIN);
        return;
    }
    facts_put(f, "user", u->url_user, FACT_ESCAPED);
    facts_put(f, "password", u->url_password, FACT_ESCAPED);
    facts_put(f, "host", u->url_host, FACT_LOWER);
    facts_put(f, "port", u->url_port, FACT_PLAIN);
    snprintf(params, sizeof params, ";%s", u->url_params ? u->url_params : "");
    if (u->url_params)
        facts_put_params(f, params, ';', true);
    facts_put(f, "headers", u->url_headers, FACT_ESCAPED);
}

static void put_params(struct facts *f, const msg_param_t *list, char separator)
{
    char text[4096];

    for (; list && *list; list++) {
        snprintf(text, sizeof text, "%c%s", separator, *list);
        facts_put_params(f, text, separator, false);
    }
}

static void put_address(struct facts *f, const char *key, int i, const char *display,
                        const url_t *u, const msg_param_t *params)
{
    facts_prefix(f, "%s[%d].", key, i);
    if (u->url_type == url_any) {
        facts_put(f, "star", "*", FACT_PLAIN);
    } else {
        if (display && display[0])
            facts_put(f, "display", display, FACT_QUOTED);
        put_uri(f, u);
        put_params(f, params, ';');
    }
    facts_prefix(f, "%s", "");
}

static void put_routes(struct facts *f, const char *key, const sip_route_t *r)
{
    for (int i = 0; r; r = r->r_next, i++)
        put_address(f, key, i, r->r_display, r->r_url, r->r_params);
}

static void put_vias(struct facts *f, const sip_via_t *v)
{
    for (int i = 0; v; v = v->v_next, i++) {
        const char *transport = v->v_protocol;
        facts_prefix(f, "via[%d].", i);
        for (const char *p; (p = strchr(transport, '/'));)
            transport = p + 1;
        facts_put(f, "transport", transport, FACT_PLAIN);
        facts_put(f, "host", v->v_host, FACT_LOWER);
        facts_put(f, "port", v->v_port, FACT_PLAIN);
        put_params(f, v->v_params, ';');
    }
    facts_prefix(f, "%s", "");
}

static void put_list(struct facts *f, const char *key, const msg_list_t *l)
{
    for (int i = 0; l; l = l->k_next)
        for (msg_param_t *item = l->k_items; item && *item; item++, i++) {
            facts_prefix(f, "%s[%d].", key, i);
            facts_put(f, "value", *item, FACT_PLAIN);
        }
    facts_prefix(f, "%s", "");
}

static void put_auth(struct facts *f, const char *key, const msg_auth_t *a)
{
    for (int i = 0; a; a = a->au_next, i++) {
        facts_prefix(f, "%s[%d].", key, i);
        facts_put(f, "scheme", a->au_scheme, FACT_LOWER);
        put_params(f, a->au_params, ',');
    }
    facts_prefix(f, "%s", "");
}

static void put_value(struct facts *f, const char *key, const char *value,
                      const msg_param_t *params)
{
    facts_prefix(f, "%s.", key);
    facts_put(f, "value", value, FACT_PLAIN);
    put_params(f, params, ';');
    facts_prefix(f, "%s", "");
}

static void put_delta(struct facts *f, const char *key, unsigned long value,
                      const msg_param_t *params)
{
    char text[32];

    snprintf(text, sizeof text, "%lu", value);
    put_value(f, key, text, params);
}

static void put_numbers(struct facts *f, const sip_t *s)
{
    if (s->sip_max_forwards)
        put_delta(f, "max_forwards[0]", s->sip_max_forwards->mf_count, NULL);
    if (s->sip_expires)
        put_delta(f, "expires[0]", s->sip_expires->ex_delta, NULL);
    if (s->sip_min_expires)
        put_delta(f, "min_expires[0]", s->sip_min_expires->me_delta, NULL);
    if (s->sip_rseq)
        put_delta(f, "rseq[0]", s->sip_rseq->rs_response, NULL);
    if (s->sip_session_expires)
        put_delta(f, "session_expires[0]", s->sip_session_expires->x_delta,
                  s->sip_session_expires->x_params);
    if (s->sip_min_se)
        put_delta(f, "min_se[0]", s->sip_min_se->min_delta, s->sip_min_se->min_params);
    if (s->sip_retry_after)
        put_delta(f, "retry_after[0]", s->sip_retry_after->af_delta, s->sip_retry_after->af_params);
    if (s->sip_content_length)
        put_delta(f, "content_length[0]", s->sip_content_length->l_length, NULL);
    if (s->sip_date)
        facts_put_number(f, "date", (int64_t)s->sip_date->d_time - 2208988800LL);
    if (s->sip_rack) {
        facts_put_number(f, "rack.rseq", s->sip_rack->ra_response);
        facts_put_number(f, "rack.cseq", s->sip_rack->ra_cseq);
        facts_put(f, "rack.method", s->sip_rack->ra_method_name, FACT_PLAIN);
    }
}

static void put_values(struct facts *f, const sip_t *s)
{
    char key[64];
    int i = 0;

    for (const sip_accept_t *a = s->sip_accept; a; a = a->ac_next, i++) {
        snprintf(key, sizeof key, "accept[%d]", i);
        put_value(f, key, a->ac_type ? a->ac_type : "", a->ac_params);
    }
    i = 0;
    for (const sip_reason_t *r = s->sip_reason; r; r = r->re_next, i++) {
        snprintf(key, sizeof key, "reason_header[%d]", i);
        put_value(f, key, r->re_protocol, r->re_params);
    }
    if (s->sip_content_type)
        put_value(f, "content_type[0]", s->sip_content_type->c_type, s->sip_content_type->c_params);
    if (s->sip_event)
        put_value(f, "event[0]", s->sip_event->o_type, s->sip_event->o_params);
    if (s->sip_replaces)
        put_value(f, "replaces[0]", s->sip_replaces->rp_call_id, s->sip_replaces->rp_params);
    if (s->sip_subject)
        put_value(f, "subject[0]", s->sip_subject->g_string ? s->sip_subject->g_string : "", NULL);
    i = 0;
    for (const sip_unknown_t *u = s->sip_unknown; u; u = u->un_next, i++) {
        facts_prefix(f, "unknown[%d].", i);
        facts_put(f, "name", u->un_name, FACT_LOWER);
        facts_put(f, "value", u->un_value ? u->un_value : "", FACT_PLAIN);
    }
    facts_prefix(f, "%s", "");
}

static void put_all(struct facts *f, const sip_t *s)
{
    if (s->sip_request) {
        facts_put(f, "method", s->sip_request->rq_method_name, FACT_PLAIN);
        facts_prefix(f, "ruri.");
        put_uri(f, s->sip_request->rq_url);
        facts_prefix(f, "%s", "");
    } else if (s->sip_status) {
        facts_put_number(f, "status", s->sip_status->st_status);
        facts_put(f, "reason", s->sip_status->st_phrase ? s->sip_status->st_phrase : "",
                  FACT_PLAIN);
    }
    put_vias(f, s->sip_via);
    if (s->sip_from)
        put_address(f, "from", 0, s->sip_from->a_display, s->sip_from->a_url,
                    s->sip_from->a_params);
    if (s->sip_to)
        put_address(f, "to", 0, s->sip_to->a_display, s->sip_to->a_url, s->sip_to->a_params);
    int i = 0;
    for (const sip_contact_t *m = s->sip_contact; m; m = m->m_next, i++)
        put_address(f, "contact", i, m->m_display, m->m_url, m->m_params);
    put_routes(f, "route", s->sip_route);
    put_routes(f, "record_route", s->sip_record_route);
    if (s->sip_refer_to)
        put_address(f, "refer_to", 0, s->sip_refer_to->r_display, s->sip_refer_to->r_url,
                    s->sip_refer_to->r_params);
    if (s->sip_call_id)
        facts_put(f, "call_id", s->sip_call_id->i_id, FACT_PLAIN);
    if (s->sip_cseq) {
        facts_put_number(f, "cseq", s->sip_cseq->cs_seq);
        facts_put(f, "cseq.method", s->sip_cseq->cs_method_name, FACT_PLAIN);
    }
    put_numbers(f, s);
    put_list(f, "allow", s->sip_allow);
    put_list(f, "supported", s->sip_supported);
    put_list(f, "require", s->sip_require);
    put_values(f, s);
    put_auth(f, "www", s->sip_www_authenticate);
    put_auth(f, "authorization", s->sip_authorization);
    facts_put_number(f, "body.len", s->sip_payload ? (int64_t)s->sip_payload->pl_len : 0);
    if (s->sip_payload && s->sip_payload->pl_len > 0)
        facts_put_n(f, "body", s->sip_payload->pl_data, s->sip_payload->pl_len, FACT_PLAIN);
}

bool facts_of_sofia(struct facts *f, const char *bytes, size_t len)
{
    facts_reset(f);
    msg_t *m = msg_make(sip_default_mclass(), 0, bytes, (ssize_t)len);
    const sip_t *s = m ? sip_object(m) : NULL;
    bool good = s && (s->sip_request || s->sip_status);

    if (good) {
        put_all(f, s);
        for (const sip_error_t *e = s->sip_error; e; e = e->er_next)
            facts_put(f, "error", e->er_name ? e->er_name : "?", FACT_PLAIN);
    }
    if (m)
        msg_unref(m);
    return good;
}
