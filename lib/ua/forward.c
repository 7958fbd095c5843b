/* What a proxy changes in the messages that it forwards, see forward.h. Layer: ua. */
#include "ua/forward.h"

#include <stdio.h>

#include "sip/build.h"
#include "ua/binding.h"

enum {
    TOKEN_TEXT = 120, /* four numbers of 20 digits, one of 10, the MAC and what stands between */
    MAC_TEXT = 16
};

/* ---- Tokens */
static void make_mac(const secsip_registrar *r, const char *ids, char mac[MAC_TEXT + 1])
{
    char hex[2 * SSI_DIGEST_MAX + 1];
    const struct ssi_slice key = ssi_slice_of(r->auth.key, sizeof r->auth.key);
    struct ssi_slice inner[] = {key, ssi_slice_str(ids)};

    mac[0] = 0;
    if (ssi_digest_hex(SSI_DIGEST_SHA256, inner, 2, hex) < 0)
        return;
    /* Hashed twice, with the key on both sides: the inner value cannot be extended. */
    struct ssi_slice outer[] = {key, ssi_slice_str(hex)};
    if (ssi_digest_hex(SSI_DIGEST_SHA256, outer, 2, hex) < 0)
        return;
    memcpy(mac, hex, MAC_TEXT);
    mac[MAC_TEXT] = 0;
}

/* What is kept of the caller's tag. */
static uint32_t mark_tag(const secsip_registrar *r, struct ssi_slice tag)
{
    return (uint32_t)ssi_hash_of(&r->by_flow, tag.p, tag.len);
}

uint64_t ssi_forward_mark_user(const secsip_registrar *r, const struct ssi_sip_uri *u)
{
    uint64_t mark = 0;
    struct ssi_buf key;

    if (u->user.len == 0 || !ssi_slice_ieq(u->host, ssi_slice_str(r->domain)))
        return 0;
    ssi_buf_init(&key, SSI_AOR_MAX);
    ssi_aor_put_key(&key, u);
    if (key.failed == 0)
        mark = ssi_hash_of(&r->by_flow, ssi_buf_slice(&key).p, key.len) | 1;
    ssi_buf_free(&key);
    return mark;
}

static void make_token(const secsip_registrar *r, const struct ssi_place *a,
                       const struct ssi_place *b, uint32_t tag, char out[TOKEN_TEXT])
{
    char ids[TOKEN_TEXT - MAC_TEXT - 1];
    char mac[MAC_TEXT + 1];

    snprintf(ids, sizeof ids, "%llu-%llu-%u-%llu-%llu", (unsigned long long)a->flow,
             (unsigned long long)b->flow, (unsigned)tag, (unsigned long long)a->user,
             (unsigned long long)b->user);
    make_mac(r, ids, mac);
    snprintf(out, TOKEN_TEXT, "%s-%s", ids, mac);
}

/* A number and the dash behind it. */
static bool take_number(struct ssi_slice *rest, uint64_t max, uint64_t *ret)
{
    size_t dash = ssi_slice_find(*rest, '-');

    if (dash == rest->len || !ssi_slice_to_u64(ssi_slice_of(rest->p, dash), max, ret))
        return false;
    *rest = ssi_slice_from(*rest, dash + 1);
    return true;
}

bool ssi_forward_read_token(const secsip_registrar *r, struct ssi_slice token,
                            const struct ssi_sip_msg *m, struct ssi_forward_ends *ret)
{
    struct ssi_slice rest = token;
    char text[TOKEN_TEXT];
    struct ssi_place a, b;
    uint64_t tag;

    if (!take_number(&rest, UINT64_MAX, &a.flow) || !take_number(&rest, UINT64_MAX, &b.flow) ||
        !take_number(&rest, UINT32_MAX, &tag) || !take_number(&rest, UINT64_MAX, &a.user) ||
        !take_number(&rest, UINT64_MAX, &b.user))
        return false;
    make_token(r, &a, &b, (uint32_t)tag, text);
    if (token.len != strlen(text) || !ssi_equal_ct(token.p, text, token.len))
        return false;
    bool from_caller = mark_tag(r, m->from.tag) == tag;
    ret->sender = from_caller ? a : b;
    ret->other = from_caller ? b : a;
    return true;
}

/* ---- Loops */
/* RFC 3261 16.6 step 8, RFC 5393 4.2: what makes this request this request, hashed with a key of this registrar. A request
 * that comes back the same has looped; one that comes back for another address spirals, which is legal. */
static void loop_mark(const secsip_registrar *r, const struct ssi_sip_msg *m,
                      char out[SSI_FORWARD_LOOP_TEXT + 1])
{
    const struct ssi_slice parts[] = {m->uri.whole, m->from.tag, m->to.tag, m->call_id};
    uint64_t h = m->cseq;

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        h = ssi_hash_mix(&r->by_flow, h, parts[i].p, parts[i].len);
    snprintf(out, SSI_FORWARD_LOOP_TEXT + 1, "%016llx", (unsigned long long)h);
}

bool ssi_forward_is_loop(const secsip_registrar *r, const struct ssi_sip_msg *m)
{
    char mark[SSI_FORWARD_LOOP_TEXT + 1];
    struct ssi_sip_values it;
    struct ssi_slice value;
    struct ssi_sip_via via;

    loop_mark(r, m, mark);
    ssi_sip_values_init(&it, m, SSI_HDR_VIA);
    while (ssi_sip_values_next(&it, &value)) {
        if (ssi_sip_via_parse(value, &via) < 0 || via.branch.len != SSI_FORWARD_BRANCH_TEXT - 1)
            continue;
        if (ssi_slice_eq(
                ssi_slice_from(via.branch, SSI_FORWARD_BRANCH_TEXT - 1 - SSI_FORWARD_LOOP_TEXT),
                ssi_slice_of(mark, SSI_FORWARD_LOOP_TEXT)))
            return true;
    }
    return false;
}

secsip_result ssi_forward_make_branch(const secsip_registrar *r, const struct ssi_sip_msg *m,
                                      char out[SSI_FORWARD_BRANCH_TEXT])
{
    secsip_result res = ssi_ua_new_branch(out);

    if (res >= 0)
        loop_mark(r, m, out + SSI_BRANCH_TEXT - 1);
    return res;
}

/* ---- Writing what is forwarded */
static bool is_our_uri(const secsip_registrar *r, const struct ssi_sip_uri *u,
                       const struct ssi_flow *flow)
{
    char host[SSI_ADDR_TEXT];

    ssi_addr_ip_text(&flow->local, true, host);
    if (ssi_slice_ieq(u->host, ssi_slice_str(r->domain)))
        return true;
    return ssi_slice_ieq(u->host, ssi_slice_str(host)) && u->port == flow->local.port;
}

/* The first Route element, if it names us. */
static bool first_route(const secsip_registrar *r, const struct ssi_sip_msg *m,
                        const struct ssi_flow *flow, struct ssi_sip_addr *ret)
{
    struct ssi_sip_values it;

    ssi_sip_values_init(&it, m, SSI_HDR_ROUTE);
    return ssi_sip_values_next_addr(&it, ret) > 0 && is_our_uri(r, &ret->uri, flow);
}

bool ssi_forward_has_our_route(const secsip_registrar *r, const struct ssi_sip_msg *m,
                               const struct ssi_flow *flow)
{
    struct ssi_sip_addr route;

    return first_route(r, m, flow, &route);
}

static bool last_route(const struct ssi_sip_msg *m, struct ssi_sip_addr *ret)
{
    struct ssi_sip_values it;
    bool any = false;

    ssi_sip_values_init(&it, m, SSI_HDR_ROUTE);
    while (ssi_sip_values_next_addr(&it, ret) > 0)
        any = true;
    return any;
}

bool ssi_forward_take_token(const secsip_registrar *r, const struct ssi_sip_msg *m,
                            const struct ssi_flow *flow, struct ssi_forward_path *ret_path,
                            struct ssi_forward_ends *ret_ends)
{
    struct ssi_sip_addr route;

    if (is_our_uri(r, &m->uri, flow) && ssi_forward_read_token(r, m->uri.user, m, ret_ends) &&
        last_route(m, &route)) {
        *ret_path = (struct ssi_forward_path){.uri = ssi_sip_uri_without_headers(&route.uri),
                                              .sips = route.uri.scheme == SSI_SIP_SCHEME_SIPS,
                                              .skip_last = true};
        return true;
    }
    *ret_path = (struct ssi_forward_path){
        .uri = m->uri.whole, .sips = m->uri.scheme == SSI_SIP_SCHEME_SIPS, .skip_first = true};
    return first_route(r, m, flow, &route) &&
           ssi_forward_read_token(r, route.uri.user, m, ret_ends);
}

/* An element of a list as it came: the folds and quoted NULs of a scanned message are no injection. */
static void put_element(struct ssi_buf *b, const char *name, struct ssi_slice value)
{
    ssi_sip_put_name(b, name);
    ssi_buf_put_slice(b, value);
    ssi_sip_put_crlf(b);
}

/* The elements of Route that are to stay; `at` counts them from the first one of the message. */
struct staying {
    struct ssi_sip_values it;
    uint32_t at, end;
};

static void staying_init(struct staying *s, const struct ssi_sip_msg *m,
                         const struct ssi_forward_path *path)
{
    struct ssi_slice value;

    *s = (struct staying){0};
    ssi_sip_values_init(&s->it, m, SSI_HDR_ROUTE);
    while (ssi_sip_values_next(&s->it, &value))
        s->end++;
    s->end -= s->end > 0 && path->skip_last;
    ssi_sip_values_init(&s->it, m, SSI_HDR_ROUTE);
    if (path->skip_first && s->end > 0 && ssi_sip_values_next(&s->it, &value))
        s->at++;
}

static bool staying_next(struct staying *s, struct ssi_slice *ret)
{
    return s->at++ < s->end && ssi_sip_values_next(&s->it, ret);
}

/* RFC 3261 16.6 step 6: the next hop is a strict router. */
static bool is_strict(const struct ssi_sip_msg *m, const struct ssi_forward_path *path,
                      struct ssi_sip_addr *ret)
{
    struct staying s;
    struct ssi_slice value;

    staying_init(&s, m, path);
    return staying_next(&s, &value) && ssi_sip_addr_parse(value, ret) >= 0 &&
           (ret->uri.scheme == SSI_SIP_SCHEME_SIP || ret->uri.scheme == SSI_SIP_SCHEME_SIPS) &&
           !ssi_sip_uri_param(&ret->uri, SSI_LIT("lr"), NULL);
}

static void put_routes(struct ssi_buf *b, const struct ssi_sip_msg *m,
                       const struct ssi_forward_path *path, bool strict)
{
    struct staying s;
    struct ssi_slice value;

    staying_init(&s, m, path);
    if (strict)
        staying_next(&s, &value);
    while (staying_next(&s, &value))
        put_element(b, "Route", value);
    if (!strict)
        return;
    ssi_sip_put_name(b, "Route");
    ssi_sip_put_piece_str(b, "<");
    ssi_sip_put_piece(b, path->uri);
    ssi_sip_put_piece_str(b, ">");
    ssi_sip_put_crlf(b);
}

/* RFC 3261 16.6 step 4: a URI of ours, sips where the request is. */
static void put_record_route(struct ssi_buf *b, const secsip_registrar *r,
                             const struct ssi_sip_msg *m, const struct ssi_flow *in,
                             const struct ssi_flow *out)
{
    char token[TOKEN_TEXT];
    char host[SSI_ADDR_TEXT];
    bool sips = m->uri.scheme == SSI_SIP_SCHEME_SIPS;
    /* From was proved, and the Request-URI led to the binding (ssi_proxy_request). */
    const struct ssi_place caller = {in->id, ssi_forward_mark_user(r, &m->from.uri)};
    const struct ssi_place called = {out->id, ssi_forward_mark_user(r, &m->uri)};

    make_token(r, &caller, &called, mark_tag(r, m->from.tag), token);
    ssi_addr_text(&in->local, host);
    ssi_sip_put_name(b, "Record-Route");
    ssi_sip_put_piece_str(b, sips ? "<sips:" : "<sip:");
    ssi_sip_put_piece_str(b, token);
    ssi_sip_put_piece_str(b, "@");
    ssi_sip_put_piece_str(b, host);
    if (!sips)
        ssi_sip_put_piece_str(b, ssi_flow_transport_param(in));
    ssi_sip_put_piece_str(b, ";lr>");
    ssi_sip_put_crlf(b);
}

static bool is_rewritten(enum ssi_sip_hdr id)
{
    return id == SSI_HDR_ROUTE || id == SSI_HDR_MAX_FORWARDS || id == SSI_HDR_CONTENT_LENGTH ||
           id == SSI_HDR_VIA;
}

/* Our credentials are for us alone (RFC 3261 22.3): those for our realm do not go on. */
static bool is_ours(const secsip_registrar *r, const struct ssi_sip_header *h)
{
    return h->id == SSI_HDR_PROXY_AUTHORIZATION && ssi_sip_credentials_are_for(h->value, r->domain);
}

size_t ssi_forward_room(const struct ssi_sip_msg *m)
{
    /* No line grows more than "x:1" does, which becomes "Session-Expires: 1": to four times its length with its end.
     * The Request-URI becomes a contact, which may be as long as a URI of our limit. */
    return 4 * m->wire.len + 8192;
}

void ssi_forward_put_request(struct ssi_buf *b, const secsip_registrar *r,
                             const struct ssi_sip_msg *m, const struct ssi_forward_path *path,
                             const struct ssi_flow *in, const struct ssi_flow *out,
                             const char *branch)
{
    char source[SSI_ADDR_TEXT];
    struct ssi_sip_addr next;
    bool strict = is_strict(m, path, &next);
    struct ssi_addr sent_by;
    bool alias = ssi_flow_offers_alias(out, &sent_by);

    ssi_sip_put_request_line(b, m->method_text,
                             strict ? ssi_sip_uri_without_headers(&next.uri) : path->uri);
    ssi_ua_put_via(b, ssi_flow_transport_name(out), &sent_by, branch, alias);
    ssi_addr_ip_text(&in->peer, false, source);
    ssi_sip_put_vias(b, m, source, in->peer.port);
    /* Before those of the proxies that it has passed (RFC 3261 16.6 step 4). */
    if (!m->to.tag.p && (m->method == SSI_SIP_INVITE || m->method == SSI_SIP_SUBSCRIBE ||
                         m->method == SSI_SIP_REFER))
        put_record_route(b, r, m, in, out);
    for (uint32_t i = 0; i < m->n_headers; i++)
        if (!is_rewritten(m->headers[i].id) && !is_ours(r, &m->headers[i]))
            ssi_sip_put_copy(b, &m->headers[i]);
    put_routes(b, m, path, strict);
    ssi_sip_put_header_u64(b, "Max-Forwards",
                           m->max_forwards < 0 ? 70 : (uint64_t)m->max_forwards - 1);
    ssi_sip_put_end(b, NULL, m->body.p, m->body.len);
}

void ssi_forward_put_response(struct ssi_buf *b, const struct ssi_sip_msg *m)
{
    struct ssi_sip_values it;
    struct ssi_slice value;
    bool top = true;

    ssi_sip_put_status_line_as(b, m->status, m->reason);
    ssi_sip_values_init(&it, m, SSI_HDR_VIA);
    while (ssi_sip_values_next(&it, &value)) {
        if (!top)
            put_element(b, "Via", value);
        top = false;
    }
    for (uint32_t i = 0; i < m->n_headers; i++) {
        enum ssi_sip_hdr id = m->headers[i].id;
        if (id != SSI_HDR_VIA && id != SSI_HDR_CONTENT_LENGTH)
            ssi_sip_put_copy(b, &m->headers[i]);
    }
    ssi_sip_put_end(b, NULL, m->body.p, m->body.len);
}

bool ssi_forward_leaks_keys(const struct ssi_sip_msg *m, const struct ssi_flow *to)
{
    /* RFC 4568, its value in whatever else may hold it (RFC 5939), RFC 4567, RFC 8866 5.12. */
    static const struct ssi_slice marks[] = {SSI_LIT("crypto:"), SSI_LIT("inline:"),
                                             SSI_LIT("key-mgmt:"), SSI_LIT("\nk=")};

    if (to->transport == SSI_TRANSPORT_TLS)
        return false;
    for (size_t at = 0; at < m->body.len; at++) {
        struct ssi_slice here = ssi_slice_from(m->body, at);
        for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
            if (here.len >= marks[i].len &&
                ssi_slice_ieq(ssi_slice_of(here.p, marks[i].len), marks[i]))
                return true;
    }
    return false;
}
