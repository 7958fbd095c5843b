/* Where a request goes: outbound proxies and URIs in the forms that phones use. Layer: ua. */
#include "ua/account.h"

#include <stdio.h>

secsip_result ssi_target_of_uri(const struct ssi_sip_uri *u, bool insecure_allowed,
                                struct ssi_flow_target *ret)
{
    struct ssi_flow_target t = {.transport = SSI_TRANSPORT_TLS, .port = u->port};
    struct ssi_slice transport;

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
    memcpy(t.host, u->host.p, u->host.len);
    *ret = t;
    return 0;
}

secsip_result ssi_target_parse(const char *text, bool insecure_allowed, struct ssi_flow_target *ret)
{
    struct ssi_slice s = ssi_slice_trim(ssi_slice_str(text));
    struct ssi_sip_uri u;
    char whole[512];

    if (s.len >= 2 && s.p[0] == '<' && s.p[s.len - 1] == '>')
        s = ssi_slice_of(s.p + 1, s.len - 2);
    bool has_scheme =
        s.len > 4 && (ssi_slice_ieq(ssi_slice_of(s.p, 4), SSI_LIT("sip:")) ||
                      (s.len > 5 && ssi_slice_ieq(ssi_slice_of(s.p, 5), SSI_LIT("sips:"))));
    if (s.len >= sizeof whole - 5)
        return SECSIP_E_SIP_URI;
    snprintf(whole, sizeof whole, "%s%.*s", has_scheme ? "" : "sip:", (int)s.len, s.p);
    secsip_result r = ssi_sip_uri_parse(ssi_slice_str(whole), &u);
    if (r < 0)
        return r;
    return ssi_target_of_uri(&u, insecure_allowed, ret);
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
