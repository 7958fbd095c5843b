/* From against the client's certificate, see from.h. Layer: ua. */
#include "ua/from.h"

enum {
    AOR_MAX = 512
};

/* sip and sips are one person (RFC 5630 5.2). */
static void put_person(struct ssi_buf *b, const struct ssi_sip_uri *uri)
{
    struct ssi_sip_uri sip = *uri;

    sip.scheme = SSI_SIP_SCHEME_SIP;
    ssi_buf_init(b, AOR_MAX);
    ssi_sip_uri_put_aor(b, &sip);
}

static bool same_person(const struct ssi_sip_uri *from, const char *certified)
{
    struct ssi_buf a, b;
    struct ssi_sip_uri uri;

    if (ssi_sip_uri_parse(ssi_slice_str(certified), &uri) < 0)
        return false;
    put_person(&a, from);
    put_person(&b, &uri);
    bool same =
        a.failed == 0 && b.failed == 0 && ssi_slice_eq(ssi_buf_slice(&a), ssi_buf_slice(&b));
    ssi_buf_free(&a);
    ssi_buf_free(&b);
    return same;
}

bool ssi_from_is_certified(const struct ssi_flow *f, const struct ssi_sip_uri *from)
{
    char host[256];
    const char *user;
    size_t at = 0;

    if (!f->tls || !ssi_tls_session_binds_from(f->tls))
        return true;
    if ((from->scheme != SSI_SIP_SCHEME_SIP && from->scheme != SSI_SIP_SCHEME_SIPS) ||
        from->host.len >= sizeof host)
        return false;
    ssi_slice_show(from->host, host, sizeof host);
    if (ssi_tls_session_peer_is(f->tls, host))
        return true;
    while ((user = ssi_tls_session_user(f->tls, &at)))
        if (same_person(from, user))
            return true;
    return false;
}

const char *ssi_flow_identity(const struct ssi_flow *f)
{
    return f && ssi_flow_is_secure(f) ? ssi_flow_tls_info(f)->peer : "";
}

/* Known keys and decisions were asked when we connected: what they accepted there counts here as well. */
static bool shows_what_was_accepted(const struct ssi_flow *f, const struct ssi_flow *of)
{
    return ssi_flow_is_secure(of) && ssi_tls_session_peer_is(f->tls, of->domain) &&
           ssi_tls_session_shows_same(f->tls, of->tls);
}

bool ssi_flow_is_same_peer(const struct ssi_flow *f, const struct ssi_flow *of)
{
    if (f == of || !of || of->transport != SSI_TRANSPORT_TLS)
        return true;
    if (f->profile != of->profile || !ssi_flow_is_secure(f))
        return false;
    if (!f->incoming)
        return !of->incoming && f->identity == of->identity &&
               ssi_slice_ieq(ssi_slice_str(f->domain), ssi_slice_str(of->domain));
    if (!of->incoming)
        return ssi_tls_session_stands_for(f->tls, of->domain) || shows_what_was_accepted(f, of);
    return ssi_flow_is_secure(of) && ssi_tls_session_is_same_client(f->tls, of->tls);
}
