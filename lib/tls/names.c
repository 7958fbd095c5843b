/* The identities of a certificate, see names.h. Layer: tls. GnuTLS reads the certificate; the comparison is ours, because
 * GnuTLS knows no sip: URI and allows wildcards. */
#include "tls/names.h"

#include <stdio.h>

#include <gnutls/x509-ext.h>

#include "base/addr.h"

enum {
    MAX_NAME = 255
};

void ssi_tls_names_init(struct ssi_tls_names *n)
{
    ssi_buf_init(&n->list, SSI_TLS_MAX_NAMES * (MAX_NAME + 3));
    n->has_san = false;
}

void ssi_tls_names_free(struct ssi_tls_names *n)
{
    ssi_buf_free(&n->list);
}

struct name {
    enum ssi_tls_name_kind kind;
    struct ssi_slice text;
};

/* The next record of *rest; false at the end. */
static bool next_name(struct ssi_slice *rest, struct name *ret)
{
    if (rest->len < 3)
        return false;
    ret->kind = (enum ssi_tls_name_kind)rest->p[0];
    ret->text = ssi_slice_of(rest->p + 2, (uint8_t)rest->p[1]);
    *rest = ssi_slice_from(*rest, 3 + ret->text.len);
    return true;
}

static bool printable(struct ssi_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] >= 127)
            return false;
    return s.len > 0;
}

/* RFC 5890 2.3.1, with what the field adds ("_"), and the wildcard: what else stands there (a URI, an address of mail) would pass
 * for a name of another kind where only its text is looked at. */
static bool is_host(struct ssi_slice s)
{
    struct ssi_addr address;

    for (size_t i = 0; i < s.len; i++) {
        char c = ssi_lower(s.p[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr("-._*", c)))
            return ssi_addr_parse_ip(s, 0, &address);
    }
    return s.len > 0;
}

static bool fits(enum ssi_tls_name_kind kind, struct ssi_slice text)
{
    /* A NUL, a blank or a control byte inside a name is an attempt to be read as two names. */
    if (text.len > MAX_NAME || !printable(text))
        return false;
    return kind == SSI_TLS_NAME_USER || is_host(text);
}

void ssi_tls_names_add(struct ssi_tls_names *n, enum ssi_tls_name_kind kind, struct ssi_slice text)
{
    if (kind != SSI_TLS_NAME_OTHER && !fits(kind, text))
        kind = SSI_TLS_NAME_OTHER;
    if (text.len > MAX_NAME)
        text.len = MAX_NAME;
    ssi_buf_put_char(&n->list, (char)kind);
    ssi_buf_put_char(&n->list, (char)text.len);
    ssi_buf_put_slice(&n->list, text);
    ssi_buf_put_char(&n->list, 0);
}

bool ssi_tls_names_next(const struct ssi_tls_names *n, size_t *at, enum ssi_tls_name_kind *ret_kind,
                        const char **ret_text)
{
    struct ssi_slice rest = ssi_slice_from(ssi_buf_slice(&n->list), *at);
    struct name name;

    if (!next_name(&rest, &name))
        return false;
    *ret_kind = name.kind;
    *ret_text = name.text.p;
    *at += 3 + name.text.len;
    return true;
}

static void add_uri(struct ssi_tls_names *n, struct ssi_slice uri)
{
    /* RFC 5922 7.1: a scheme other than sip is no identity; one with a user part is none of a domain. */
    if (uri.len < 5 || !ssi_slice_ieq(ssi_slice_of(uri.p, 4), SSI_LIT("sip:"))) {
        ssi_tls_names_add(n, SSI_TLS_NAME_OTHER, uri);
        return;
    }
    struct ssi_slice rest = ssi_slice_from(uri, 4);
    if (ssi_slice_find(rest, '@') < rest.len) {
        ssi_tls_names_add(n, SSI_TLS_NAME_USER, uri);
        return;
    }
    rest.len = ssi_slice_find(rest, '?');
    rest.len = ssi_slice_find(rest, ';');
    /* Its host is the identity, whatever port stands behind it. */
    size_t bracket = rest.len > 0 && rest.p[0] == '[' ? ssi_slice_find(rest, ']') : 0;
    rest.len = bracket + ssi_slice_find(ssi_slice_from(rest, bracket), ':');
    ssi_tls_names_add(n, SSI_TLS_NAME_SIP, rest);
}

static void add_ip(struct ssi_tls_names *n, const void *bytes, size_t len)
{
    struct ssi_addr a = {.family = len == 4 ? 4 : 6};
    char text[SSI_ADDR_TEXT];

    if (len != 4 && len != 16)
        return;
    memcpy(a.ip, bytes, len);
    ssi_addr_ip_text(&a, false, text);
    ssi_tls_names_add(n, SSI_TLS_NAME_IP, ssi_slice_str(text));
}

static void add_san(struct ssi_tls_names *n, unsigned type, const gnutls_datum_t *value)
{
    struct ssi_slice text = ssi_slice_of(value->data, value->size);

    switch (type) {
    case GNUTLS_SAN_DNSNAME:
        ssi_tls_names_add(n, SSI_TLS_NAME_DNS, text);
        break;
    case GNUTLS_SAN_URI:
        add_uri(n, text);
        break;
    case GNUTLS_SAN_IPADDRESS:
        add_ip(n, value->data, value->size);
        break;
    case GNUTLS_SAN_RFC822NAME:
        ssi_tls_names_add(n, SSI_TLS_NAME_OTHER, text);
        break;
    default:
        break;
    }
}

static secsip_result read_sans(struct ssi_tls_names *n, gnutls_x509_crt_t crt)
{
    gnutls_subject_alt_names_t sans;
    gnutls_datum_t ext = {NULL, 0};
    unsigned critical, type;
    gnutls_datum_t value;

    int rc = gnutls_x509_crt_get_extension_by_oid2(crt, GNUTLS_X509EXT_OID_SAN, 0, &ext, &critical);
    if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        return 0;
    if (rc < 0)
        return rc == GNUTLS_E_MEMORY_ERROR ? SECSIP_E_NOMEM : SECSIP_E_INVALID;
    n->has_san = true;
    if (gnutls_subject_alt_names_init(&sans) < 0) {
        gnutls_free(ext.data);
        return SECSIP_E_NOMEM;
    }
    secsip_result r = 0;
    if (gnutls_x509_ext_import_subject_alt_names(&ext, sans, 0) < 0)
        r = SECSIP_E_INVALID;
    for (unsigned i = 0; r == 0; i++) {
        if (gnutls_subject_alt_names_get(sans, i, &type, &value, NULL) < 0)
            break;
        if (i >= SSI_TLS_MAX_NAMES)
            r = SECSIP_E_LIMIT;
        else
            add_san(n, type, &value);
    }
    gnutls_subject_alt_names_deinit(sans);
    gnutls_free(ext.data);
    return r;
}

static void read_cn(struct ssi_tls_names *n, gnutls_x509_crt_t crt)
{
    char text[MAX_NAME + 1];
    size_t len = sizeof text;

    /* Two CNs are a doubt: then none counts. */
    if (gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 1, 0, text, &len) !=
        GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        return;
    len = sizeof text;
    if (gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, text, &len) >= 0)
        ssi_tls_names_add(n, SSI_TLS_NAME_CN, ssi_slice_of(text, len));
}

secsip_result ssi_tls_names_read(struct ssi_tls_names *n, gnutls_x509_crt_t crt)
{
    secsip_result r = read_sans(n, crt);

    if (r < 0)
        return r;
    read_cn(n, crt);
    return n->list.failed;
}

secsip_result ssi_tls_domain_normal(const char *domain, char out[SSI_TLS_DOMAIN_SIZE])
{
    struct ssi_slice s = ssi_slice_str(domain);
    gnutls_datum_t mapped = {NULL, 0};
    struct ssi_addr address;
    bool ascii = true;

    /* RFC 5952: an address of many spellings is one name. */
    if (ssi_addr_parse_ip(s, 0, &address)) {
        ssi_addr_ip_text(&address, false, out);
        return 0;
    }
    if (s.len > 2 && s.p[0] == '[' && s.p[s.len - 1] == ']')
        s = ssi_slice_of(s.p + 1, s.len - 2);
    if (s.len > 1 && s.p[s.len - 1] == '.')
        s.len--;
    for (size_t i = 0; i < s.len; i++)
        ascii = ascii && (unsigned char)s.p[i] < 128;
    if (!ascii) {
        /* RFC 5890: certificates and DNS know A-labels only. */
        if (s.len >= SSI_TLS_DOMAIN_SIZE || gnutls_idna_map(s.p, (unsigned)s.len, &mapped, 0) < 0)
            return SECSIP_E_INVALID;
        s = ssi_slice_of(mapped.data, mapped.size);
    }
    secsip_result r = s.len < SSI_TLS_DOMAIN_SIZE && printable(s) ? 0 : SECSIP_E_INVALID;
    if (r == 0) {
        for (size_t i = 0; i < s.len; i++)
            out[i] = ssi_lower(s.p[i]);
        out[s.len] = 0;
    }
    gnutls_free(mapped.data);
    return r;
}

static bool is_address(struct ssi_slice host, const struct ssi_addr *address)
{
    struct ssi_addr a;
    return ssi_addr_parse_ip(host, 0, &a) && ssi_addr_eq(&a, address);
}

/* "*" alone as the leftmost label, standing for exactly one label. */
static bool wildcard_covers(struct ssi_slice pattern, struct ssi_slice domain)
{
    size_t dot = ssi_slice_find(domain, '.');

    if (pattern.len < 3 || pattern.p[0] != '*' || pattern.p[1] != '.' || dot == 0)
        return false;
    return ssi_slice_ieq(ssi_slice_from(pattern, 1), ssi_slice_from(domain, dot));
}

static bool same_domain(struct ssi_slice name, struct ssi_slice domain)
{
    if (name.len > 1 && name.p[name.len - 1] == '.')
        name.len--;
    return ssi_slice_ieq(name, domain);
}

bool ssi_tls_names_match(const struct ssi_tls_names *n, const char *domain, uint32_t *ret_needs)
{
    struct ssi_slice rest = ssi_buf_slice(&n->list), wanted = ssi_slice_str(domain);
    bool sip_found = false, sip = false, dns = false, ip = false, wildcard = false, cn = false;
    struct ssi_addr address = {0};
    struct name name;

    bool numeric = ssi_addr_parse_ip(wanted, 0, &address);
    while (next_name(&rest, &name)) {
        switch (name.kind) {
        case SSI_TLS_NAME_SIP:
            sip_found = true;
            sip =
                sip || (numeric ? is_address(name.text, &address) : same_domain(name.text, wanted));
            break;
        case SSI_TLS_NAME_DNS:
            dns = dns || (!numeric && same_domain(name.text, wanted));
            wildcard = wildcard || (!numeric && wildcard_covers(name.text, wanted));
            break;
        case SSI_TLS_NAME_IP:
            ip = ip || (numeric && is_address(name.text, &address));
            break;
        case SSI_TLS_NAME_CN:
            cn = cn || (!numeric && same_domain(name.text, wanted));
            break;
        default:
            break;
        }
    }
    /* RFC 5922 7.1: a dNSName counts only where there is no sip URI, the CN only where there is no subjectAltName. */
    *ret_needs = 0;
    if (sip || ip || (dns && !sip_found) || (cn && !n->has_san))
        return true;
    if (wildcard && !sip_found) {
        *ret_needs = SECSIP_TLS_ALLOW_WILDCARD;
        return true;
    }
    *ret_needs = cn ? SECSIP_TLS_ALLOW_CN : 0;
    return cn;
}

static void put_name(struct ssi_buf *b, const struct name *name)
{
    if (b->len > 0)
        ssi_buf_put_str(b, ", ");
    if (name->kind == SSI_TLS_NAME_SIP)
        ssi_buf_put_str(b, "sip:");
    if (name->kind == SSI_TLS_NAME_CN)
        ssi_buf_put_str(b, "CN=");
    ssi_buf_put_slice(b, name->text);
}

void ssi_tls_names_show(const struct ssi_tls_names *n, char *out, size_t cap)
{
    struct ssi_slice rest = ssi_buf_slice(&n->list);
    struct ssi_buf b;
    struct name name;

    ssi_buf_init(&b, SSI_TLS_MAX_NAMES * (MAX_NAME + 8));
    /* What does not fit is not shown: the text is for people, and certificates of hosters name hundreds. */
    while (b.len < cap && next_name(&rest, &name))
        put_name(&b, &name);
    if (b.len == 0)
        ssi_buf_put_str(&b, "no name");
    ssi_slice_show(ssi_buf_slice(&b), out, cap);
    ssi_buf_free(&b);
}

enum ssi_tls_name_kind ssi_tls_names_first(const struct ssi_tls_names *n, char *out, size_t cap)
{
    struct name best = {SSI_TLS_NAME_OTHER, {NULL, 0}}, name;
    struct ssi_slice rest = ssi_buf_slice(&n->list);

    while (next_name(&rest, &name)) {
        /* RFC 5922 7.1: authorities vouch for the SAN; what stands in the CN beside it is anybody's word. */
        bool counts =
            name.kind != SSI_TLS_NAME_OTHER && !(name.kind == SSI_TLS_NAME_CN && n->has_san);
        if (counts && (best.text.len == 0 || name.kind < best.kind))
            best = name;
    }
    ssi_slice_show(best.text, out, cap);
    return best.kind;
}
