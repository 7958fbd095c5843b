/* The checks of RFC 3261 8.2.1 to 8.2.3 and 16.3, in their order; see verdict.h. Layer: sip. */
#include "sip/verdict.h"

#include "sip/build.h"
#include "sip/typed.h"

static const char *const plain_types[] = {"application/sdp", "text/plain", "multipart/*",
                                          "message/sipfrag", NULL};
static const struct ssi_sip_element endpoint = {.body_types = plain_types,
                                                .offer_type = "application/sdp"};

static bool in_list(const char *const *list, struct ssi_slice token)
{
    for (; list && *list; list++)
        if (ssi_slice_ieq(ssi_slice_str(*list), token))
            return true;
    return false;
}

/* The next option tag that the element does not know. */
static bool next_unknown(struct ssi_sip_values *it, const struct ssi_sip_element *e,
                         struct ssi_slice *tag)
{
    while (ssi_sip_values_next(it, tag))
        if (!in_list(e->option_tags, *tag))
            return true;
    return false;
}

static void start_required(struct ssi_sip_values *it, const struct ssi_sip_msg *m,
                           const struct ssi_sip_element *e)
{
    ssi_sip_values_init(it, m, e->is_proxy ? SSI_HDR_PROXY_REQUIRE : SSI_HDR_REQUIRE);
}

void ssi_sip_put_unsupported(struct ssi_buf *b, const struct ssi_sip_msg *m,
                             const struct ssi_sip_element *e)
{
    struct ssi_sip_values it;
    struct ssi_slice tag;

    start_required(&it, m, e);
    for (const char *comma = ""; next_unknown(&it, e, &tag); comma = ", ") {
        ssi_buf_put_str(b, comma);
        ssi_sip_put_piece(b, tag);
    }
}

/* A type of the message, maybe a range, against one of ours, maybe a range too. */
static bool type_matches(const struct ssi_sip_typed *t, const char *type)
{
    struct ssi_slice whole = ssi_slice_str(type);
    size_t slash = ssi_slice_find(whole, '/');
    struct ssi_slice main_part = ssi_slice_of(whole.p, slash),
                     sub = ssi_slice_from(whole, slash + 1);
    bool main_any = strcmp(t->main, "*") == 0 || strncmp(type, "*/", 2) == 0;
    bool sub_any = strcmp(t->sub, "*") == 0;

    if (!main_any && !ssi_slice_ieq(main_part, ssi_slice_str(t->main)))
        return false;
    return sub_any || ssi_slice_eq(sub, SSI_LIT("*")) || ssi_slice_ieq(sub, ssi_slice_str(t->sub));
}

/* handling=optional allows to pass over a body that is not understood (RFC 3261 20.11). */
static bool body_is_optional(const struct ssi_sip_msg *m)
{
    struct ssi_slice value;
    struct ssi_sip_typed *t = NULL;

    if (!ssi_sip_msg_value(m, SSI_HDR_CONTENT_DISPOSITION, &value) ||
        ssi_sip_typed_parse(SSI_SIP_TYPED_DISPOSITION, value, &t) < 0)
        return false;
    const char *handling = ssi_sip_typed_param_of(t, "handling");
    bool optional = handling && ssi_slice_ieq(ssi_slice_str(handling), SSI_LIT("optional"));
    ssi_sip_typed_free(t);
    return optional;
}

static bool is_encoded(const struct ssi_sip_msg *m)
{
    struct ssi_slice value;

    return ssi_sip_msg_value(m, SSI_HDR_CONTENT_ENCODING, &value) &&
           !ssi_slice_ieq(value, SSI_LIT("identity"));
}

static int judge_body(const struct ssi_sip_msg *m, const struct ssi_sip_element *e)
{
    struct ssi_slice value;
    struct ssi_sip_typed *t = NULL;
    bool known = false;

    if (m->body.len == 0)
        return 0;
    if (!ssi_sip_msg_value(m, SSI_HDR_CONTENT_TYPE, &value))
        return 400; /* it must be there when the body is not empty, RFC 3261 20.15 */
    secsip_result rc = ssi_sip_typed_parse(SSI_SIP_TYPED_MEDIA, value, &t);
    if (rc < 0)
        return rc == SECSIP_E_NOMEM ? 500 : 400;
    for (const char *const *type = e->body_types; type && *type; type++)
        known |= type_matches(t, *type);
    ssi_sip_typed_free(t);
    return (known && !is_encoded(m)) || body_is_optional(m) ? 0 : 415;
}

int32_t ssi_sip_msg_body(const struct ssi_sip_msg *m, const char *type, struct ssi_slice *ret)
{
    struct ssi_slice value;
    struct ssi_sip_typed *t = NULL;

    if (m->body.len == 0 || is_encoded(m) || !ssi_sip_msg_value(m, SSI_HDR_CONTENT_TYPE, &value))
        return 0;
    secsip_result rc = ssi_sip_typed_parse(SSI_SIP_TYPED_MEDIA, value, &t);
    if (rc < 0)
        return rc == SECSIP_E_NOMEM ? rc : 0;
    bool match = type_matches(t, type);
    ssi_sip_typed_free(t);
    if (match)
        *ret = m->body;
    return match;
}

/* "0", with zeros after its point or not: not acceptable (RFC 2616 3.9, 14.1). */
static bool is_zero(const char *q)
{
    return q && q[0] == '0' && q[1 + strspn(q + 1, ".0")] == 0;
}

/* How closely an element of Accept names our type: RFC 2616 14.1 lets the closest decide; 0: not at all. A form of it with
 * parameters that is not welcome says nothing about ours; one that is welcome is: RFC 3261 20.1 has "application/sdp;level=1". */
static int closeness(const struct ssi_sip_typed *t, const char *type, bool welcome)
{
    const char *first = t->n_params > 0 ? t->params[0].name : NULL;

    if (!type_matches(t, type))
        return 0;
    if (strcmp(t->sub, "*") == 0)
        return strcmp(t->main, "*") == 0 ? 1 : 2;
    if (!first || ssi_slice_ieq(ssi_slice_str(first), SSI_LIT("q")))
        return 4;
    return welcome ? 3 : 0;
}

/* 0, or the status. No Accept means SDP is welcome (RFC 3261 20.1); an empty one, that nothing is. */
static int judge_accept(const struct ssi_sip_msg *m, const char *type)
{
    struct ssi_sip_values it;
    struct ssi_slice element;
    int closest = 0, status = 406;

    if (!ssi_sip_msg_header(m, SSI_HDR_ACCEPT, NULL))
        return 0;
    ssi_sip_values_init(&it, m, SSI_HDR_ACCEPT);
    while (ssi_sip_values_next(&it, &element)) {
        struct ssi_sip_typed *t = NULL;
        secsip_result rc = ssi_sip_typed_parse(SSI_SIP_TYPED_MEDIA, element, &t);
        if (rc == SECSIP_E_NOMEM)
            return 500;
        if (rc < 0)
            continue;
        bool welcome = !is_zero(ssi_sip_typed_param_of(t, "q"));
        int close = closeness(t, type, welcome);
        ssi_sip_typed_free(t);
        if (close > closest || (close > 0 && close == closest && welcome))
            status = welcome ? 0 : 406;
        if (close > closest)
            closest = close;
    }
    return status;
}

static bool is_sip(const struct ssi_sip_uri *u)
{
    return u->scheme == SSI_SIP_SCHEME_SIP || u->scheme == SSI_SIP_SCHEME_SIPS;
}

int ssi_sip_msg_verdict(const struct ssi_sip_msg *m, const struct ssi_sip_element *e)
{
    struct ssi_sip_values it;
    struct ssi_slice tag;

    if (!m->is_request)
        return 0;
    if (!e)
        e = &endpoint;
    if (m->fault.result < 0)
        return m->fault.status;
    /* The magic cookie alone identifies nothing (RFC 4475 3.2.1). */
    if (ssi_slice_eq(m->via.branch, SSI_LIT("z9hG4bK")))
        return 400;
    if (m->method == SSI_SIP_UNKNOWN_METHOD && !e->is_proxy)
        return 501;
    if (e->methods && !(e->methods >> m->method & 1) && !e->is_proxy)
        return 405;
    if (!is_sip(&m->uri))
        return 416;
    if (m->max_forwards == 0 && e->is_proxy)
        return 483;
    /* Nothing is asked of ACK and CANCEL (RFC 3261 8.2.2.3). */
    if (m->method == SSI_SIP_ACK || m->method == SSI_SIP_CANCEL)
        return 0;
    start_required(&it, m, e);
    if (next_unknown(&it, e, &tag))
        return 420;
    /* A BYE ends its call whatever it carries (RFC 3261 15.1.2). */
    if (e->is_proxy || m->method == SSI_SIP_BYE)
        return 0;
    /* An address of record is a SIP or SIPS URI (RFC 3261 10.3). */
    if (m->method == SSI_SIP_REGISTER && !is_sip(&m->to.uri))
        return 400;
    int status = judge_body(m, e);
    if (status == 0 && m->method == SSI_SIP_INVITE && e->offer_type)
        status = judge_accept(m, e->offer_type);
    return status;
}
