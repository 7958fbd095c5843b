/* Connections that servers made to us, used for requests to them (RFC 5923). Layer: ua. Only where both sides have shown their
 * certificates: the name in the client's is what we would have asked its own server to prove. */
#include "sip/build.h"
#include "ua/flow_parts.h"

enum {
    TLS_PORT = 5061 /* of a sent-by without one: RFC 3261 18.1.1 */
};

bool ssi_flow_offers_alias(const struct ssi_flow *f, struct ssi_addr *ret_sent_by)
{
    *ret_sent_by = f->local;
    if (f->incoming || f->state != SSI_FLOW_OPEN || !f->tls || !ssi_flow_is_secure(f) ||
        !ssi_tls_session_showed_certificate(f->tls))
        return false;
    SSI_LIST_EACH(n, &f->ua->listeners)
    {
        const struct ssi_ua_listener *l = SSI_CONTAINER(n, struct ssi_ua_listener, node);
        if (l->profile != f->profile || l->io.local.family != f->local.family)
            continue;
        ret_sent_by->port = l->io.local.port;
        return true;
    }
    return false;
}

void ssi_flow_note_alias(struct ssi_flow *f, const struct ssi_sip_msg *m)
{
    struct ssi_slice value;

    if (!f->incoming || f->alias_port || !m->is_request || m->fault.result < 0 || !f->tls ||
        !ssi_flow_is_secure(f) || !ssi_sip_param(m->via.params, SSI_LIT("alias"), &value))
        return;
    f->alias_port = m->via.port ? m->via.port : TLS_PORT;
    ssi_list_push_back(&f->ua->aliases, &f->alias);
}

struct ssi_flow *ssi_flow_find_alias(const struct ssi_ua *ua, const struct ssi_flow_target *target)
{
    if (target->transport != SSI_TRANSPORT_TLS)
        return NULL;
    SSI_LIST_EACH(n, &ua->aliases)
    {
        struct ssi_flow *f = SSI_CONTAINER(n, struct ssi_flow, alias);
        if (f->state == SSI_FLOW_OPEN && !f->retired && f->profile == target->profile &&
            (target->port == 0 || target->port == f->alias_port) &&
            ssi_tls_session_stands_for(f->tls, target->host))
            return f;
    }
    return NULL;
}
