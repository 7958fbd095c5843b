/* Dialogs, see dialog.h. Layer: ua. */
#include "ua/dialog.h"

#include <stdlib.h>

#include "sip/build.h"

enum {
    TAG_LEN = 12,
    CALL_ID_LEN = 24,
};

static uint64_t hash_ids(const struct ssi_ua *ua, struct ssi_slice call_id,
                         struct ssi_slice local_tag)
{
    uint64_t h = ssi_hash_of(&ua->dialogs, call_id.p, call_id.len);
    return ssi_hash_mix(&ua->dialogs, h, local_tag.p, local_tag.len);
}

static void add_to_table(struct ssi_dialog *d, struct ssi_ua *ua)
{
    uint64_t h = hash_ids(ua, ssi_slice_str(d->call_id), ssi_slice_str(d->local_tag));
    ssi_hash_add(&ua->dialogs, &d->node, h);
}

struct ssi_dialog *ssi_dialog_find(struct ssi_ua *ua, struct ssi_slice call_id,
                                   struct ssi_slice local_tag, struct ssi_slice remote_tag)
{
    uint64_t h = hash_ids(ua, call_id, local_tag);

    for (struct ssi_hash_node *n = ssi_hash_find(&ua->dialogs, h); n; n = ssi_hash_next(n)) {
        struct ssi_dialog *d = SSI_CONTAINER(n, struct ssi_dialog, node);
        if (!ssi_slice_eq(ssi_slice_str(d->call_id), call_id) ||
            !ssi_slice_eq(ssi_slice_str(d->local_tag), local_tag))
            continue;
        /* A peer of RFC 2543 has no tag: absent and empty are the same (RFC 3261 12.1.1). A second answer of a fork
         * belongs to the call too, which tells the branches apart. */
        if (d->remote_tag && remote_tag.len > 0 &&
            !ssi_slice_eq(ssi_slice_str(d->remote_tag), remote_tag))
            return d->is_uac ? d : NULL;
        return d;
    }
    return NULL;
}

static char *random_text(size_t n)
{
    char *s = malloc(n + 1);
    if (s && ssi_random_token(s, n) < 0) {
        free(s);
        return NULL;
    }
    return s;
}

static void free_routes(struct ssi_dialog *d)
{
    for (uint32_t i = 0; i < d->n_routes; i++)
        free(d->routes[i]);
    d->n_routes = 0;
}

void ssi_dialog_free(struct ssi_dialog *d, struct ssi_ua *ua)
{
    if (ua)
        ssi_hash_remove(&ua->dialogs, &d->node);
    free_routes(d);
    free(d->call_id);
    free(d->local_tag);
    free(d->remote_tag);
    free(d->local_addr);
    free(d->remote_addr);
    free(d->remote_uri);
    free(d->remote_target);
    memset(d, 0, sizeof *d);
}

secsip_result ssi_dialog_init_uac(struct ssi_dialog *d, struct ssi_ua *ua, const char *local_addr,
                                  const char *target, bool sips)
{
    struct ssi_buf b;

    memset(d, 0, sizeof *d);
    d->is_uac = true;
    d->sips = sips;
    d->call_id = random_text(CALL_ID_LEN);
    d->local_tag = random_text(TAG_LEN);
    d->local_addr = ssi_slice_dup(ssi_slice_str(local_addr));
    d->remote_uri = ssi_slice_dup(ssi_slice_str(target));
    d->remote_target = ssi_slice_dup(ssi_slice_str(target));
    ssi_buf_init(&b, 8192);
    ssi_sip_put_piece_str(&b, "<");
    ssi_sip_put_piece_str(&b, target);
    ssi_sip_put_piece_str(&b, ">");
    d->remote_addr = b.failed < 0 ? NULL : ssi_slice_dup(ssi_buf_slice(&b));
    ssi_buf_free(&b);
    if (!d->call_id || !d->local_tag || !d->local_addr || !d->remote_uri || !d->remote_target ||
        !d->remote_addr) {
        ssi_dialog_free(d, NULL);
        return SECSIP_E_NOMEM;
    }
    add_to_table(d, ua);
    return 0;
}

/* Folds and quoted NULs are legal in what a peer writes, but not in what we put into a line of our own. */
static bool is_one_line(struct ssi_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] == '\r' || s.p[i] == '\n' || s.p[i] == 0)
            return false;
    return true;
}

/* From or To without its parameters. A display name that is not one line is left out: a dialog knows its sides by URI and tag
 * (RFC 3261 12). */
static char *dup_party(const struct ssi_sip_addr *a)
{
    struct ssi_buf b;
    char *copy = NULL;

    ssi_buf_init(&b, SIZE_MAX);
    if (a->display.len > 0 && is_one_line(a->display)) {
        ssi_buf_put_slice(&b, a->display);
        ssi_buf_put_char(&b, ' ');
    }
    ssi_buf_put_char(&b, '<');
    ssi_buf_put_slice(&b, a->uri.whole);
    ssi_buf_put_char(&b, '>');
    if (b.failed == 0)
        copy = ssi_slice_dup(ssi_buf_slice(&b));
    ssi_buf_free(&b);
    return copy;
}

/* RFC 5630 5.1.1: in a dialog with sips, every hop that we are told of is sips. */
static bool is_allowed_hop(const struct ssi_dialog *d, const struct ssi_sip_uri *u)
{
    if (u->scheme == SSI_SIP_SCHEME_SIPS)
        return true;
    return u->scheme == SSI_SIP_SCHEME_SIP && !d->sips;
}

static char *dup_target(const struct ssi_dialog *d, const struct ssi_sip_msg *m, secsip_result *ret)
{
    struct ssi_sip_values it;
    struct ssi_sip_addr contact;
    struct ssi_slice value;

    *ret = SECSIP_E_SIP_ADDRESS;
    ssi_sip_values_init(&it, m, SSI_HDR_CONTACT);
    if (!ssi_sip_values_next(&it, &value) || ssi_sip_addr_parse(value, &contact) < 0 ||
        contact.is_star)
        return NULL;
    if (!is_allowed_hop(d, &contact.uri)) {
        *ret = SECSIP_E_UA_SIPS_ROUTE;
        return NULL;
    }
    *ret = SECSIP_E_NOMEM;
    return ssi_slice_dup(ssi_sip_uri_without_headers(&contact.uri));
}

/* RFC 3261 12.1.1: the URI with all its parameters is what counts. */
static char *dup_route(const struct ssi_sip_addr *route)
{
    struct ssi_sip_addr bare = *route;

    if (is_one_line(route->whole))
        return ssi_slice_dup(route->whole);
    bare.display.len = 0;
    return dup_party(&bare);
}

/* The Record-Route elements as a route set, in order or reversed. On failure nothing is left in out. */
static secsip_result dup_routes(const struct ssi_dialog *d, const struct ssi_sip_msg *m,
                                bool reverse, char *out[SSI_DIALOG_ROUTES_MAX], uint32_t *ret_n)
{
    struct ssi_sip_values it;
    struct ssi_sip_addr route;
    struct ssi_slice value;
    secsip_result r;
    uint32_t n = 0;

    ssi_sip_values_init(&it, m, SSI_HDR_RECORD_ROUTE);
    while (ssi_sip_values_next(&it, &value)) {
        r = n == SSI_DIALOG_ROUTES_MAX ? SECSIP_E_LIMIT : ssi_sip_addr_parse(value, &route);
        if (r >= 0 && !is_allowed_hop(d, &route.uri))
            r = SECSIP_E_UA_SIPS_ROUTE;
        if (r < 0)
            goto fail_routes;
        out[n] = dup_route(&route);
        r = SECSIP_E_NOMEM;
        if (!out[n])
            goto fail_routes;
        n++;
    }
    for (uint32_t i = 0; reverse && i < n / 2; i++) {
        char *swap = out[i];
        out[i] = out[n - 1 - i];
        out[n - 1 - i] = swap;
    }
    *ret_n = n;
    return 0;

fail_routes:
    while (n > 0)
        free(out[--n]);
    return r;
}

secsip_result ssi_dialog_init_uas(struct ssi_dialog *d, struct ssi_ua *ua,
                                  const struct ssi_sip_msg *invite, const char *tag)
{
    secsip_result r;

    memset(d, 0, sizeof *d);
    d->sips = invite->uri.scheme == SSI_SIP_SCHEME_SIPS;
    d->call_id = ssi_slice_dup(invite->call_id);
    /* The same INVITE may come again when its transaction is long gone: two dialogs have two names all the same. */
    bool is_taken =
        tag && ssi_dialog_find(ua, invite->call_id, ssi_slice_str(tag), invite->from.tag);
    d->local_tag = tag && !is_taken ? ssi_slice_dup(ssi_slice_str(tag)) : random_text(TAG_LEN);
    d->remote_tag = invite->from.tag.p ? ssi_slice_dup(invite->from.tag) : NULL;
    d->local_addr = dup_party(&invite->to);
    d->remote_addr = dup_party(&invite->from);
    d->remote_uri = ssi_slice_dup(invite->from.uri.whole);
    d->remote_cseq = invite->cseq;
    d->has_remote_cseq = true;
    d->remote_target = dup_target(d, invite, &r);
    if (!d->remote_target)
        goto fail_dialog;
    r = SECSIP_E_NOMEM;
    if (!d->call_id || !d->local_tag || !d->local_addr || !d->remote_addr || !d->remote_uri)
        goto fail_dialog;
    r = dup_routes(d, invite, false, d->routes, &d->n_routes);
    if (r < 0)
        goto fail_dialog;
    add_to_table(d, ua);
    return 0;

fail_dialog:
    ssi_dialog_free(d, NULL);
    return r;
}

secsip_result ssi_dialog_take_response(struct ssi_dialog *d, const struct ssi_sip_msg *response)
{
    char *routes[SSI_DIALOG_ROUTES_MAX];
    uint32_t n_routes = 0;
    secsip_result r = SECSIP_E_NOMEM;

    char *tag = ssi_slice_dup(response->to.tag);
    if (!tag)
        return r;
    char *target = dup_target(d, response, &r);
    if (!target)
        goto fail_tag;
    /* RFC 3261 12.1.2: the caller's route set is the Record-Route in reverse. */
    r = dup_routes(d, response, true, routes, &n_routes);
    if (r < 0)
        goto fail_target;
    free(d->remote_tag);
    free(d->remote_target);
    free_routes(d);
    d->remote_tag = tag;
    d->remote_target = target;
    memcpy(d->routes, routes, n_routes * sizeof routes[0]);
    d->n_routes = n_routes;
    return 0;

fail_target:
    free(target);
fail_tag:
    free(tag);
    return r;
}

secsip_result ssi_dialog_refresh_target(struct ssi_dialog *d, const struct ssi_sip_msg *m)
{
    secsip_result r = 0;

    if (!ssi_sip_msg_header(m, SSI_HDR_CONTACT, NULL))
        return 0;
    char *target = dup_target(d, m, &r);
    if (!target)
        return r;
    free(d->remote_target);
    d->remote_target = target;
    return 0;
}

int ssi_dialog_take_request(struct ssi_dialog *d, const struct ssi_sip_msg *m)
{
    if (m->method == SSI_SIP_ACK)
        return 0;
    /* RFC 3261 12.2.2: a lower number is out of order and rejected with 500. */
    if (d->has_remote_cseq && m->cseq <= d->remote_cseq)
        return 500;
    d->remote_cseq = m->cseq;
    d->has_remote_cseq = true;
    secsip_result r = 0;
    if (m->method == SSI_SIP_INVITE || m->method == SSI_SIP_UPDATE)
        r = ssi_dialog_refresh_target(d, m);
    return r == 0 ? 0 : r == SECSIP_E_NOMEM ? 500 : 400;
}

/* The URI of a Route element. */
static struct ssi_slice route_uri(const char *route, bool *ret_loose)
{
    struct ssi_sip_addr a;
    struct ssi_slice lr;

    *ret_loose = true;
    if (ssi_sip_addr_parse(ssi_slice_str(route), &a) < 0)
        return ssi_slice_str("");
    *ret_loose = ssi_sip_uri_param(&a.uri, SSI_LIT("lr"), &lr);
    return ssi_sip_uri_without_headers(&a.uri);
}

struct ssi_slice ssi_dialog_request_uri(const struct ssi_dialog *d)
{
    bool loose = true;
    struct ssi_slice first = d->n_routes > 0 ? route_uri(d->routes[0], &loose) : ssi_slice_str("");

    return loose ? ssi_slice_str(d->remote_target) : first;
}

/* RFC 3261 12.2.1.1: with a loose first hop, all routes; with a strict one, the rest and the remote target last. */
static void put_routes(const struct ssi_dialog *d, struct ssi_buf *b)
{
    bool loose = true;

    if (d->n_routes == 0)
        return;
    route_uri(d->routes[0], &loose);
    for (uint32_t i = loose ? 0 : 1; i < d->n_routes; i++)
        ssi_sip_put_header_str(b, "Route", d->routes[i]);
    if (!loose) {
        ssi_sip_put_name(b, "Route");
        ssi_sip_put_piece_str(b, "<");
        ssi_sip_put_piece_str(b, d->remote_target);
        ssi_sip_put_piece_str(b, ">");
        ssi_sip_put_crlf(b);
    }
}

secsip_result ssi_ua_new_branch(char out[SSI_BRANCH_TEXT])
{
    memcpy(out, "z9hG4bK", 7);
    return ssi_random_token(out + 7, SSI_BRANCH_TEXT - 8);
}

void ssi_ua_put_via(struct ssi_buf *b, const char *transport, const struct ssi_addr *sent_by,
                    const char *branch, bool alias)
{
    char host[SSI_ADDR_TEXT];

    ssi_addr_text(sent_by, host);
    ssi_sip_put_name(b, "Via");
    ssi_sip_put_piece_str(b, "SIP/2.0/");
    ssi_sip_put_piece_str(b, transport);
    ssi_sip_put_piece_str(b, " ");
    ssi_sip_put_piece_str(b, host);
    ssi_sip_put_piece_str(b, ";rport;branch=");
    ssi_sip_put_piece_str(b, branch);
    if (alias)
        ssi_sip_put_piece_str(b, ";alias"); /* RFC 5923 5 */
    ssi_sip_put_crlf(b);
}

static void put_tagged(struct ssi_buf *b, const char *name, const char *addr, const char *tag)
{
    ssi_sip_put_name(b, name);
    ssi_sip_put_piece_str(b, addr);
    if (tag) {
        ssi_sip_put_piece_str(b, ";tag=");
        ssi_sip_put_piece_str(b, tag);
    }
    ssi_sip_put_crlf(b);
}

void ssi_dialog_put_request(const struct ssi_dialog *d, struct ssi_buf *b,
                            const struct ssi_dialog_request *r)
{
    const char *method = ssi_sip_method_name(r->method);

    ssi_sip_put_request_line(b, ssi_slice_str(method), ssi_dialog_request_uri(d));
    ssi_ua_put_via(b, r->transport, &r->local, r->branch, r->alias);
    ssi_sip_put_header_str(b, "Max-Forwards", "70");
    put_routes(d, b);
    put_tagged(b, "From", d->local_addr, d->local_tag);
    put_tagged(b, "To", d->remote_addr, d->remote_tag);
    ssi_sip_put_header_str(b, "Call-ID", d->call_id);
    ssi_sip_put_name(b, "CSeq");
    ssi_buf_put_u64(b, r->cseq);
    ssi_sip_put_piece_str(b, " ");
    ssi_sip_put_piece_str(b, method);
    ssi_sip_put_crlf(b);
    if (r->contact)
        ssi_sip_put_header_str(b, "Contact", r->contact);
    ssi_sip_put_header_str(b, "User-Agent", r->user_agent);
}
