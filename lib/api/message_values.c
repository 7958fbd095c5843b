/* Public getters of typed header fields, see secsip/header.h. Layer: api. */
#include "secsip/header.h"

#include <stdlib.h>

#include "api/abi.h"
#include "api/message.h"
#include "base/cursor.h"
#include "base/export.h"
#include "sip/auth.h"
#include "sip/digest_fields.h"
#include "sip/names.h"
#include "sip/typed.h"
#include "sip/values.h"

SECSIP_EXPORT secsip_result secsip_message_find_header(secsip_message *message, const char *name,
                                                       uint32_t index,
                                                       secsip_message_header *ret_header)
{
    const struct ssi_sip_header *h = NULL;

    if (!name)
        return SECSIP_E_INVALID;
    do {
        h = ssi_sip_msg_header_named(message->m, ssi_slice_str(name), h);
        if (!h)
            return SECSIP_E_NOT_FOUND;
    } while (index-- > 0);
    return ssi_api_message_give_header(message, h, ret_header);
}

/* The index-th line of a field. */
static secsip_result find_line(const struct ssi_sip_msg *m, const char *name, enum ssi_sip_hdr id,
                               uint32_t index, struct ssi_slice *ret)
{
    const struct ssi_sip_header *h = NULL;

    do {
        h = id == SSI_HDR_OTHER ? ssi_sip_msg_header_named(m, ssi_slice_str(name), h)
                                : ssi_sip_msg_header(m, id, h);
        if (!h)
            return SECSIP_E_NOT_FOUND;
    } while (index-- > 0);
    *ret = h->value;
    return 0;
}

/* The kind that libosip2 reads, or -1. */
static int kind_of(enum ssi_sip_form form)
{
    switch (form) {
    case SSI_SIP_FORM_MEDIA:
        return SSI_SIP_TYPED_MEDIA;
    case SSI_SIP_FORM_DISPOSITION:
        return SSI_SIP_TYPED_DISPOSITION;
    case SSI_SIP_FORM_INFO:
        return SSI_SIP_TYPED_INFO;
    default:
        return -1;
    }
}

static char *put_text(char *at, const char *text)
{
    size_t n = strlen(text);

    memcpy(at, text, n);
    return at + n;
}

/* Written again without the white space that may stand between the parts. */
static secsip_result give_typed(secsip_message *message, enum ssi_sip_typed_kind kind,
                                struct ssi_slice text, secsip_message_value *ret)
{
    struct ssi_sip_typed *t = NULL;
    secsip_result rc = ssi_sip_typed_parse(kind, text, &t);

    if (rc < 0)
        return rc;
    /* Every part stands in the text, and each parameter had its ';' and '=' there. */
    char *at = ssi_api_message_room(message, SSI_API_SCRATCH_VALUE, text.len, 2);
    if (!at) {
        ssi_sip_typed_free(t);
        return SECSIP_E_NOMEM;
    }
    secsip_message_value out = {.size = sizeof out, .value = at};
    at = put_text(at, t->main);
    if (t->sub)
        at = put_text(put_text(at, "/"), t->sub);
    out.value_len = (size_t)(at - out.value);
    *at++ = 0;
    out.params = at;
    for (uint32_t i = 0; i < t->n_params; i++) {
        at = put_text(put_text(at, ";"), t->params[i].name);
        if (t->params[i].value)
            at = put_text(put_text(at, "="), t->params[i].value);
    }
    *at = 0;
    ssi_sip_typed_free(t);
    return ssi_abi_give(ret, &out, sizeof out);
}

static secsip_result give_item(secsip_message *message, enum ssi_sip_form form,
                               struct ssi_slice text, secsip_message_value *ret)
{
    struct ssi_sip_item item;
    secsip_result rc = ssi_sip_item_parse(form, text, &item);

    if (rc < 0)
        return rc;
    char *at = ssi_api_message_room(message, SSI_API_SCRATCH_VALUE, text.len, 2);
    if (!at)
        return SECSIP_E_NOMEM;
    secsip_message_value out = {.size = sizeof out, .value = at, .number = item.number};
    at = ssi_api_put_unfolded(at, item.main);
    out.value_len = (size_t)(at - out.value);
    out.params = ++at;
    ssi_api_put_unfolded(at, item.params);
    return ssi_abi_give(ret, &out, sizeof out);
}

SECSIP_EXPORT secsip_result secsip_message_get_value(secsip_message *message, const char *name,
                                                     uint32_t index,
                                                     secsip_message_value *ret_value)
{
    struct ssi_slice text = {NULL, 0};

    if (!name)
        return SECSIP_E_INVALID;
    enum ssi_sip_hdr id = ssi_sip_hdr_of(ssi_slice_str(name));
    enum ssi_sip_form form = ssi_sip_form_of(id);
    if (form >= SSI_SIP_FORM_ADDRESS)
        return SECSIP_E_INVALID;
    secsip_result rc = ssi_sip_is_list(id)
                           ? ssi_api_message_find_element(message, id, name, index, &text)
                           : find_line(message->m, name, id, index, &text);
    if (rc < 0)
        return rc;
    int kind = kind_of(form);
    return kind < 0 ? give_item(message, form, text, ret_value)
                    : give_typed(message, (enum ssi_sip_typed_kind)kind, text, ret_value);
}

/* The next ";name[=value]", with white space around every part; quotes hide ';'. */
static bool next_param(struct ssi_cursor *c, struct ssi_slice *name, struct ssi_slice *value)
{
    const char *from;
    bool quoted = false;

    ssi_cursor_take_until(c, ';');
    if (!ssi_cursor_take(c, ';'))
        return false;
    for (from = c->p; c->p < c->end && (quoted || *c->p != ';'); c->p++) {
        if (quoted && *c->p == '\\' && c->end - c->p > 1)
            c->p++;
        else if (*c->p == '"')
            quoted = !quoted;
    }
    struct ssi_slice item = ssi_slice_of(from, (size_t)(c->p - from));
    size_t eq = ssi_slice_find(item, '=');
    *name = ssi_slice_trim(ssi_slice_of(item.p, eq));
    *value = ssi_slice_trim(ssi_slice_from(item, eq + 1));
    return true;
}

SECSIP_EXPORT int32_t secsip_message_get_param(const char *params, const char *name, char *out,
                                               size_t out_size)
{
    struct ssi_slice n, value;

    if (!params || !name || (!out && out_size > 0))
        return SECSIP_E_INVALID;
    struct ssi_cursor c = ssi_cursor_of(ssi_slice_str(params));
    do {
        if (!next_param(&c, &n, &value))
            return SECSIP_E_NOT_FOUND;
    } while (!ssi_slice_ieq(n, ssi_slice_str(name)));
    if (value.len >= out_size || value.len > INT32_MAX)
        return SECSIP_E_LIMIT;
    return (int32_t)ssi_api_put_unquoted(out, value);
}

SECSIP_EXPORT secsip_result secsip_message_get_date(const secsip_message *message,
                                                    int64_t *ret_unix_s)
{
    struct ssi_slice text;

    if (!ret_unix_s)
        return SECSIP_E_INVALID;
    if (!ssi_sip_msg_value(message->m, SSI_HDR_DATE, &text))
        return SECSIP_E_NOT_FOUND;
    return ssi_sip_date_parse(text, ret_unix_s);
}

SECSIP_EXPORT secsip_result secsip_message_get_cause(secsip_message *message, uint32_t index,
                                                     secsip_message_cause *ret_cause)
{
    struct ssi_slice text = {NULL, 0};
    struct ssi_sip_reason r = {0};
    secsip_result rc = ssi_api_message_find_element(message, SSI_HDR_REASON, NULL, index, &text);

    if (rc == 0)
        rc = ssi_sip_reason_parse(text, &r);
    if (rc < 0)
        return rc;
    char *at = ssi_api_message_room(message, SSI_API_SCRATCH_CAUSE, text.len, 2);
    if (!at)
        return SECSIP_E_NOMEM;
    secsip_message_cause out = {.size = sizeof out, .has_cause = r.has_cause, .cause = r.cause};
    out.protocol = ssi_api_put_string(&at, r.protocol);
    if (r.text.p) {
        out.text = at;
        out.text_len = ssi_api_put_unquoted(at, r.text);
    }
    return ssi_abi_give(ret_cause, &out, sizeof out);
}

SECSIP_EXPORT secsip_result secsip_message_get_rack(secsip_message *message,
                                                    secsip_message_rack *ret_rack)
{
    struct ssi_slice text = {NULL, 0};
    struct ssi_sip_rack r = {0};
    secsip_result rc = find_line(message->m, NULL, SSI_HDR_RACK, 0, &text);

    if (rc == 0)
        rc = ssi_sip_rack_parse(text, &r);
    if (rc < 0)
        return rc;
    char *at = ssi_api_message_room(message, SSI_API_SCRATCH_RACK, text.len, 1);
    if (!at)
        return SECSIP_E_NOMEM;
    secsip_message_rack out = {.size = sizeof out, .rseq = r.rseq, .cseq = r.cseq};
    out.method = ssi_api_put_string(&at, r.method);
    return ssi_abi_give(ret_rack, &out, sizeof out);
}

SECSIP_EXPORT secsip_result secsip_message_get_replaces(secsip_message *message,
                                                        secsip_message_replaces *ret_replaces)
{
    struct ssi_slice text = {NULL, 0};
    struct ssi_sip_replaces r = {0};
    secsip_result rc = find_line(message->m, NULL, SSI_HDR_REPLACES, 0, &text);

    if (rc == 0)
        rc = ssi_sip_replaces_parse(text, &r);
    if (rc < 0)
        return rc;
    char *at = ssi_api_message_room(message, SSI_API_SCRATCH_REPLACES, text.len, 3);
    if (!at)
        return SECSIP_E_NOMEM;
    secsip_message_replaces out = {.size = sizeof out, .early_only = r.early_only};
    out.call_id = ssi_api_put_string(&at, r.call_id);
    out.to_tag = ssi_api_put_string(&at, r.to_tag);
    out.from_tag = ssi_api_put_string(&at, r.from_tag);
    return ssi_abi_give(ret_replaces, &out, sizeof out);
}

SECSIP_EXPORT secsip_result secsip_message_get_session(const secsip_message *message,
                                                       secsip_message_session *ret_session)
{
    struct ssi_slice text = {NULL, 0};
    struct ssi_sip_session s;
    secsip_result rc = find_line(message->m, NULL, SSI_HDR_SESSION_EXPIRES, 0, &text);

    if (rc == 0)
        rc = ssi_sip_session_parse(text, &s);
    if (rc < 0)
        return rc;
    const secsip_message_session out = {sizeof out, s.seconds, (int32_t)s.refresher};
    return ssi_abi_give(ret_session, &out, sizeof out);
}

struct auth {
    struct ssi_slice scheme;
    struct ssi_slice params; /* empty: none, or a bare token instead (RFC 7235 token68) */
    struct ssi_slice text;   /* params, or the token */
};

/* The next challenge or set of credentials of the walk: 1, 0 at the end, SECSIP_E_SIP_AUTH. */
static int32_t next_auth(struct ssi_api_walk *w, const struct ssi_sip_msg *m, struct auth *ret)
{
    for (;;) {
        struct ssi_sip_reader r = ssi_sip_reader_of(w->rest);
        int got = ssi_sip_auth_next(&r, &ret->scheme, &ret->params);
        if (got < 0)
            return SECSIP_E_SIP_AUTH;
        if (got > 0) {
            ret->text = ret->params;
            if (ret->params.len == 0)
                ret->text = ssi_slice_of(ret->params.p, (size_t)(r.p - ret->params.p));
            w->last = w->rest;
            w->rest = ssi_slice_of(r.p, (size_t)(r.end - r.p));
            return 1;
        }
        w->line = ssi_sip_msg_header(m, w->id, w->line);
        if (!w->line)
            return 0;
        w->rest = w->line->value;
    }
}

/* The index-th over all lines. */
static secsip_result find_auth(secsip_message *message, enum ssi_sip_hdr id, uint32_t index,
                               struct auth *ret)
{
    struct ssi_api_walk *w = &message->auth;

    if (w->id != id || index < w->next)
        *w = (struct ssi_api_walk){.id = id};
    for (;;) {
        int32_t got = next_auth(w, message->m, ret);
        if (got <= 0) {
            w->id = SSI_HDR_OTHER; /* from the start again */
            return got < 0 ? got : SECSIP_E_NOT_FOUND;
        }
        if (w->next++ == index)
            return 0;
    }
}

static const char *put_unquoted(char **tail, struct ssi_slice value)
{
    const char *at = *tail;

    if (!value.p)
        return NULL;
    *tail += ssi_api_put_unquoted(*tail, value) + 1;
    return at;
}

SECSIP_EXPORT secsip_result secsip_message_get_auth(secsip_message *message, const char *name,
                                                    uint32_t index, secsip_message_auth *ret_auth)
{
    struct ssi_sip_digest_fields f = {0};
    struct auth a;

    if (!name)
        return SECSIP_E_INVALID;
    enum ssi_sip_hdr id = ssi_sip_hdr_of(ssi_slice_str(name));
    if (ssi_sip_form_of(id) != SSI_SIP_FORM_AUTH)
        return SECSIP_E_INVALID;
    secsip_result rc = find_auth(message, id, index, &a);
    if (rc < 0)
        return rc;
    if (!ssi_sip_digest_fields_read(a.params, &f))
        return SECSIP_E_SIP_AUTH;
    char *at =
        ssi_api_message_room(message, SSI_API_SCRATCH_AUTH, a.scheme.len + 2 * a.text.len, 13);
    if (!at)
        return SECSIP_E_NOMEM;
    secsip_message_auth out = {.size = sizeof out};
    out.scheme = ssi_api_put_string(&at, a.scheme);
    out.params = at;
    at = ssi_api_put_unfolded(at, a.text) + 1;
    const struct {
        const char **into;
        struct ssi_slice value;
    } fields[] = {
        {&out.realm, f.realm},         {&out.nonce, f.nonce}, {&out.opaque, f.opaque},
        {&out.algorithm, f.algorithm}, {&out.qop, f.qop},     {&out.stale, f.stale},
        {&out.username, f.username},   {&out.uri, f.uri},     {&out.response, f.response},
        {&out.cnonce, f.cnonce},       {&out.nc, f.nc},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        *fields[i].into = put_unquoted(&at, fields[i].value);
    return ssi_abi_give(ret_auth, &out, sizeof out);
}

SECSIP_EXPORT int32_t secsip_message_uri_equal(const char *a, const char *b)
{
    struct ssi_sip_uri x, y;

    if (!a || !b)
        return SECSIP_E_INVALID;
    if (ssi_sip_uri_parse(ssi_slice_str(a), &x) < 0 || ssi_sip_uri_parse(ssi_slice_str(b), &y) < 0)
        return SECSIP_E_SIP_URI;
    return ssi_sip_uri_equal(&x, &y);
}
