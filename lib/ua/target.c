/* Where a request goes: outbound proxies and URIs in the forms that phones use. Layer: ua. */
#include "ua/account.h"

#include "tls/tls.h"

enum {
    URI_MAX = 512
};

secsip_result ssi_target_of_uri(const struct ssi_sip_uri *u, bool insecure_allowed,
                                struct ssi_flow_target *ret)
{
    struct ssi_flow_target t = {.transport = SSI_TRANSPORT_TLS, .port = u->port};
    struct ssi_slice transport;
    struct ssi_addr address;

    _Static_assert(sizeof t.host >= SSI_ADDR_TEXT, "room");
    if (u->scheme != SSI_SIP_SCHEME_SIP && u->scheme != SSI_SIP_SCHEME_SIPS)
        return SECSIP_E_SIP_URI;
    if (u->host.len == 0 || u->host.len >= sizeof t.host)
        return SECSIP_E_SIP_URI;
    if (ssi_sip_uri_param(u, SSI_LIT("transport"), &transport)) {
        t.transport_given = true;
        /* RFC 3261 26.2.2 deprecates transport=tls; the field needs it. Without a parameter TLS is taken, whatever the
         * scheme: secure is the default. */
        if (u->scheme == SSI_SIP_SCHEME_SIP && !ssi_slice_ieq(transport, SSI_LIT("tls"))) {
            if (!insecure_allowed)
                return SECSIP_E_PERMISSION;
            if (ssi_slice_ieq(transport, SSI_LIT("tcp")))
                t.transport = SSI_TRANSPORT_TCP;
            else if (ssi_slice_ieq(transport, SSI_LIT("udp")))
                t.transport = SSI_TRANSPORT_UDP;
            else
                return SECSIP_E_UNSUPPORTED;
        }
    }
    if (ssi_addr_parse_ip(u->host, 0, &address)) /* in one spelling: connections are found by it */
        ssi_addr_ip_text(&address, u->host.p[0] == '[', t.host);
    else
        memcpy(t.host, u->host.p, u->host.len);
    *ret = t;
    return 0;
}

/* People write a domain in their own letters, a URI has them as A-labels (RFC 3986 3.2.2, RFC 5890). SECSIP_E_SIP_URI. */
static secsip_result put_a_labels(struct ssi_buf *b, struct ssi_slice host)
{
    char domain[SSI_TLS_DOMAIN_SIZE], normal[SSI_TLS_DOMAIN_SIZE];

    if (host.len >= sizeof domain)
        return SECSIP_E_SIP_URI;
    memcpy(domain, host.p, host.len);
    domain[host.len] = 0;
    if (ssi_tls_domain_normal(domain, normal) < 0)
        return SECSIP_E_SIP_URI;
    ssi_buf_put_str(b, normal);
    return 0;
}

/* What stands behind the scheme, as a URI has it. */
static secsip_result put_rest(struct ssi_buf *b, struct ssi_slice s)
{
    size_t at = ssi_slice_find(s, '@'), end = at < s.len ? at + 1 : 0, begin = end;
    bool ascii = true;

    for (; end < s.len && !strchr(":;?", s.p[end]); end++)
        ascii = ascii && (unsigned char)s.p[end] < 128;
    if (ascii) {
        ssi_buf_put_slice(b, s);
        return 0;
    }
    ssi_buf_put(b, s.p, begin);
    secsip_result r = put_a_labels(b, ssi_slice_of(s.p + begin, end - begin));
    ssi_buf_put_slice(b, ssi_slice_from(s, end));
    return r;
}

static bool has_scheme(struct ssi_slice s)
{
    return (s.len > 4 && ssi_slice_ieq(ssi_slice_of(s.p, 4), SSI_LIT("sip:"))) ||
           (s.len > 5 && ssi_slice_ieq(ssi_slice_of(s.p, 5), SSI_LIT("sips:")));
}

/* The URI that is meant. */
static secsip_result put_uri(struct ssi_buf *b, struct ssi_slice s)
{
    struct ssi_addr address;

    if (has_scheme(s)) {
        size_t colon = ssi_slice_find(s, ':') + 1;
        ssi_buf_put(b, s.p, colon);
        return put_rest(b, ssi_slice_from(s, colon));
    }
    ssi_buf_put_str(b, "sip:");
    if (!ssi_addr_parse_ip(s, 0, &address))
        return put_rest(b, s);
    char text[SSI_ADDR_TEXT];
    ssi_addr_ip_text(&address, true, text);
    ssi_buf_put_str(b, text);
    return 0;
}

secsip_result ssi_target_parse(const char *text, bool insecure_allowed, struct ssi_flow_target *ret)
{
    struct ssi_slice s = ssi_slice_trim(ssi_slice_str(text));
    struct ssi_sip_uri u;
    struct ssi_buf b;

    if (s.len >= 2 && s.p[0] == '<' && s.p[s.len - 1] == '>')
        s = ssi_slice_of(s.p + 1, s.len - 2);
    ssi_buf_init(&b, URI_MAX);
    secsip_result r = put_uri(&b, s);
    if (r == 0 && b.failed < 0)
        r = b.failed == SECSIP_E_NOMEM ? SECSIP_E_NOMEM : SECSIP_E_SIP_URI;
    if (r == 0)
        r = ssi_sip_uri_parse(ssi_buf_slice(&b), &u);
    if (r == 0)
        r = ssi_target_of_uri(&u, insecure_allowed, ret);
    ssi_buf_free(&b);
    return r;
}

void ssi_tls_note_take(struct ssi_tls_note *n, const struct ssi_flow *flow)
{
    const secsip_tls_info *info = flow ? ssi_flow_tls_info(flow) : NULL;

    memset(n, 0, sizeof *n);
    if (!info)
        return;
    n->present = true;
    ssi_slice_show(ssi_slice_str(info->version), n->version, sizeof n->version);
    ssi_slice_show(ssi_slice_str(info->cipher), n->cipher, sizeof n->cipher);
    ssi_slice_show(ssi_slice_str(info->peer), n->peer, sizeof n->peer);
    n->view.verified = info->verified;
    n->view.relaxed = info->relaxed;
    n->view.resumed = info->resumed;
}

const secsip_tls_info *ssi_tls_note_view(struct ssi_tls_note *n)
{
    if (!n->present)
        return NULL;
    n->view.size = sizeof n->view;
    n->view.version = n->version;
    n->view.cipher = n->cipher;
    n->view.peer = n->peer;
    return &n->view;
}
