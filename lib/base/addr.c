/* Transport addresses, see addr.h. Layer: base. inet_pton and inet_ntop are text functions; no socket is made here. */
#include "base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>

bool ssi_addr_parse_ip(struct ssi_slice host, uint16_t port, struct ssi_addr *ret)
{
    char text[INET6_ADDRSTRLEN];
    struct ssi_addr a = {.port = port};

    if (host.len >= 2 && host.p[0] == '[' && host.p[host.len - 1] == ']') {
        host = ssi_slice_of(host.p + 1, host.len - 2);
        if (ssi_slice_find(host, ':') == host.len)
            return false;
    }
    if (host.len == 0 || host.len >= sizeof text || memchr(host.p, 0, host.len))
        return false;
    memcpy(text, host.p, host.len);
    text[host.len] = 0;
    if (inet_pton(AF_INET, text, a.ip) == 1)
        a.family = 4;
    else if (inet_pton(AF_INET6, text, a.ip) == 1)
        a.family = 6;
    else
        return false;
    *ret = a;
    return true;
}

bool ssi_addr_parse(struct ssi_slice text, struct ssi_addr *ret)
{
    size_t colon = text.len;
    uint64_t port;

    while (colon > 0 && text.p[colon - 1] != ':')
        colon--;
    if (colon < 2)
        return false;
    struct ssi_slice host = ssi_slice_of(text.p, colon - 1);
    if (ssi_slice_find(host, ':') < host.len && host.p[0] != '[')
        return false; /* a bare IPv6 address has no port */
    if (!ssi_slice_to_u64(ssi_slice_from(text, colon), 65535, &port))
        return false;
    return ssi_addr_parse_ip(host, (uint16_t)port, ret);
}

void ssi_addr_ip_text(const struct ssi_addr *a, bool brackets, char out[SSI_ADDR_TEXT])
{
    char ip[INET6_ADDRSTRLEN] = "";

    if (a->family == 4 || a->family == 6)
        inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->ip, ip, sizeof ip);
    snprintf(out, SSI_ADDR_TEXT, brackets && a->family == 6 ? "[%s]" : "%s", ip);
}

void ssi_addr_text(const struct ssi_addr *a, char out[SSI_ADDR_TEXT])
{
    char ip[INET6_ADDRSTRLEN + 2];
    char host[SSI_ADDR_TEXT];

    ssi_addr_ip_text(a, true, host);
    memcpy(ip, host, sizeof ip);
    ip[sizeof ip - 1] = 0;
    snprintf(out, SSI_ADDR_TEXT, "%s:%u", ip, (unsigned)a->port);
}

bool ssi_addr_eq(const struct ssi_addr *a, const struct ssi_addr *b)
{
    return a->family == b->family && a->port == b->port &&
           memcmp(a->ip, b->ip, a->family == 4 ? 4 : 16) == 0;
}

bool ssi_addr_is_any(const struct ssi_addr *a)
{
    static const uint8_t zero[16];
    return memcmp(a->ip, zero, sizeof zero) == 0;
}
