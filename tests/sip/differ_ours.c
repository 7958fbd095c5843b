/* What this library's public getters say of a message, see differ.h. */
#include "differ.h"

#include <stdio.h>
#include <string.h>

#include "secsip/header.h"

static void put_uri(struct facts *f, const secsip_message_uri *u)
{
    facts_put(f, "scheme", u->scheme, FACT_LOWER);
    if (!u->host) {
        facts_put(f, "text", u->text + strlen(u->scheme) + 1, FACT_PLAIN);
        return;
    }
    facts_put(f, "user", u->user, FACT_ESCAPED);
    facts_put(f, "password", u->password, FACT_ESCAPED);
    facts_put(f, "host", u->host, FACT_LOWER);
    if (u->port)
        facts_put_number(f, "port", u->port);
    facts_put_params(f, u->params, ';', true);
    if (u->headers[0])
        facts_put(f, "headers", u->headers, FACT_ESCAPED);
}

static void put_addresses(struct facts *f, secsip_message *m, const char *name, const char *key)
{
    secsip_message_address a = {.size = sizeof a};
    secsip_message_uri u = {.size = sizeof u};

    for (uint32_t i = 0; secsip_message_get_address(m, name, i, &a) == 0; i++) {
        facts_prefix(f, "%s[%u].", key, (unsigned)i);
        if (strcmp(a.uri, "*") == 0) {
            facts_put(f, "star", "*", FACT_PLAIN);
            continue;
        }
        if (a.display)
            facts_put_n(f, "display", a.display, a.display_len, FACT_PLAIN);
        facts_put_params(f, a.params, ';', false);
        if (secsip_message_get_uri(m, name, i, &u) == 0)
            put_uri(f, &u);
    }
    facts_prefix(f, "%s", "");
}

static void put_vias(struct facts *f, secsip_message *m)
{
    secsip_message_via v = {.size = sizeof v};

    for (uint32_t i = 0; secsip_message_get_via(m, i, &v) == 0; i++) {
        facts_prefix(f, "via[%u].", (unsigned)i);
        facts_put(f, "transport", v.transport, FACT_PLAIN);
        facts_put(f, "host", v.host, FACT_LOWER);
        if (v.port)
            facts_put_number(f, "port", v.port);
        facts_put_params(f, v.params, ';', false);
    }
    facts_prefix(f, "%s", "");
}

static void put_values(struct facts *f, secsip_message *m, const char *name, const char *key,
                       bool is_number)
{
    secsip_message_value v = {.size = sizeof v};

    for (uint32_t i = 0; secsip_message_get_value(m, name, i, &v) == 0; i++) {
        facts_prefix(f, "%s[%u].", key, (unsigned)i);
        if (is_number)
            facts_put_number(f, "value", (int64_t)v.number);
        else
            facts_put_n(f, "value", v.value, v.value_len, FACT_PLAIN);
        facts_put_params(f, v.params, ';', false);
    }
    facts_prefix(f, "%s", "");
}

static void put_auth(struct facts *f, secsip_message *m, const char *name, const char *key)
{
    secsip_message_auth a = {.size = sizeof a};
    char params[4096];

    for (uint32_t i = 0; secsip_message_get_auth(m, name, i, &a) == 0; i++) {
        facts_prefix(f, "%s[%u].", key, (unsigned)i);
        facts_put(f, "scheme", a.scheme, FACT_LOWER);
        snprintf(params, sizeof params, ",%s", a.params);
        facts_put_params(f, params, ',', false);
    }
    facts_prefix(f, "%s", "");
}

static void put_rest(struct facts *f, secsip_message *m)
{
    secsip_message_rack rack = {.size = sizeof rack};
    int64_t date;
    size_t len = 0;

    if (secsip_message_get_rack(m, &rack) == 0) {
        facts_put_number(f, "rack.rseq", rack.rseq);
        facts_put_number(f, "rack.cseq", rack.cseq);
        facts_put(f, "rack.method", rack.method, FACT_PLAIN);
    }
    if (secsip_message_get_date(m, &date) == 0)
        facts_put_number(f, "date", date);
    const void *body = secsip_message_get_body(m, &len);
    facts_put_number(f, "body.len", (int64_t)len);
    if (len > 0)
        facts_put_n(f, "body", body, len, FACT_PLAIN);
    for (uint32_t i = 0, n = 0; i < secsip_message_get_n_headers(m); i++) {
        secsip_message_header h = {.size = sizeof h};
        if (secsip_message_get_header(m, i, &h) < 0 || strncmp(h.name, "X-", 2) != 0)
            continue;
        facts_prefix(f, "unknown[%u].", (unsigned)n++);
        facts_put(f, "name", h.name, FACT_LOWER);
        facts_put_n(f, "value", h.value, h.value_len, FACT_PLAIN);
    }
    facts_prefix(f, "%s", "");
}

static void put_all(struct facts *f, secsip_message *m)
{
    secsip_message_uri u = {.size = sizeof u};

    if (secsip_message_is_request(m)) {
        facts_put(f, "method", secsip_message_get_method(m), FACT_PLAIN);
        facts_prefix(f, "ruri.");
        if (secsip_message_get_uri(m, NULL, 0, &u) == 0)
            put_uri(f, &u);
        facts_prefix(f, "%s", "");
    } else {
        facts_put_number(f, "status", secsip_message_get_status(m));
        facts_put(f, "reason", secsip_message_get_reason(m), FACT_PLAIN);
    }
    put_vias(f, m);
    put_addresses(f, m, "From", "from");
    put_addresses(f, m, "To", "to");
    put_addresses(f, m, "Contact", "contact");
    put_addresses(f, m, "Route", "route");
    put_addresses(f, m, "Record-Route", "record_route");
    put_addresses(f, m, "Refer-To", "refer_to");
    facts_put(f, "call_id", secsip_message_get_call_id(m), FACT_PLAIN);
    facts_put_number(f, "cseq", secsip_message_get_cseq(m));
    facts_put(f, "cseq.method", secsip_message_get_cseq_method(m), FACT_PLAIN);
    put_values(f, m, "Max-Forwards", "max_forwards", true);
    put_values(f, m, "Expires", "expires", true);
    put_values(f, m, "Min-Expires", "min_expires", true);
    put_values(f, m, "RSeq", "rseq", true);
    put_values(f, m, "Session-Expires", "session_expires", true);
    put_values(f, m, "Min-SE", "min_se", true);
    put_values(f, m, "Retry-After", "retry_after", true);
    put_values(f, m, "Content-Length", "content_length", true);
    put_values(f, m, "Allow", "allow", false);
    put_values(f, m, "Supported", "supported", false);
    put_values(f, m, "Require", "require", false);
    put_values(f, m, "Accept", "accept", false);
    put_values(f, m, "Content-Type", "content_type", false);
    put_values(f, m, "Event", "event", false);
    put_values(f, m, "Reason", "reason_header", false);
    put_values(f, m, "Replaces", "replaces", false);
    put_values(f, m, "Subject", "subject", false);
    put_auth(f, m, "WWW-Authenticate", "www");
    put_auth(f, m, "Authorization", "authorization");
    put_rest(f, m);
}

bool facts_of_ours(struct facts *f, const char *bytes, size_t len)
{
    secsip_message *m = NULL;
    secsip_message_fault fault = {.size = sizeof fault};

    facts_reset(f);
    secsip_result rc = secsip_message_parse(bytes, len, &fault, &m);
    if (rc == 0 && secsip_message_get_fault(m, &fault) == 0) {
        put_all(f, m);
    } else {
        facts_put(f, "expected", fault.expected, FACT_PLAIN);
        facts_put_number(f, "offset", (int64_t)fault.offset);
        rc = -1;
    }
    secsip_message_unref(m);
    return rc == 0;
}
