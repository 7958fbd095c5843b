/* Trust, strength, dates, purpose and name of a chain, see checks.h. Layer: tls. Signatures and constraints are GnuTLS's work;
 * the rest is judged here, at the time that was given (RFC 5280, RFC 5922, RFC 5924). */
#include "tls/checks.h"

#include <stdio.h>
#include <time.h>

#include "base/addr.h"

/* RFC 5924: the certificate is meant for SIP. */
#define OID_SIP_DOMAIN "1.3.6.1.5.5.7.3.20"

bool ssi_tls_forgiven(const struct ssi_tls_check *c, struct ssi_tls_verdict *v, uint32_t by)
{
    uint32_t saved = c->options & by;

    if (!saved)
        saved = c->options & SECSIP_TLS_INSECURE_ANY;
    v->relaxed |= saved;
    return saved != 0;
}

bool ssi_tls_is_first(struct ssi_tls_verdict *v, uint32_t check)
{
    bool first = v->failed == 0;

    v->failed |= check;
    return first;
}

bool ssi_tls_self_signed(gnutls_x509_crt_t crt)
{
    return gnutls_x509_crt_check_issuer(crt, crt) == 1;
}

void ssi_tls_show_date(int64_t t, char out[SSI_TLS_DATE_SIZE])
{
    time_t when = (time_t)t;
    struct tm tm;

    if (!gmtime_r(&when, &tm) || strftime(out, SSI_TLS_DATE_SIZE, "%Y-%m-%d %H:%M:%S", &tm) == 0)
        snprintf(out, SSI_TLS_DATE_SIZE, "no date");
}

void ssi_tls_show_issuer(gnutls_x509_crt_t crt, char out[SSI_TLS_DN_SIZE])
{
    char dn[SSI_TLS_DN_SIZE];
    size_t len = sizeof dn;

    if (gnutls_x509_crt_get_issuer_dn(crt, dn, &len) < 0)
        snprintf(dn, sizeof dn, "an authority without a readable name");
    ssi_slice_show(ssi_slice_str(dn), out, SSI_TLS_DN_SIZE);
}

/* A known key stands for the chain, where the application wants that; it forgives nothing else. */
static bool key_replaces_chain(const struct ssi_tls_check *c, struct ssi_tls_verdict *v)
{
    if (!c->policy || c->policy->known_mode != SECSIP_TLS_KNOWN_KEYS_INSECURE_INSTEAD_OF_CHAIN ||
        !(v->key_known || v->first_use))
        return false;
    v->relaxed |= v->key_known ? SECSIP_TLS_ALLOW_KNOWN_KEY : SECSIP_TLS_INSECURE_FIRST_USE;
    return true;
}

static const char *why_untrusted(unsigned status)
{
    return status & GNUTLS_CERT_SIGNER_NOT_FOUND             ? "is no trusted authority"
           : status & GNUTLS_CERT_SIGNER_NOT_CA              ? "is not an authority"
           : status & GNUTLS_CERT_SIGNATURE_FAILURE          ? "did not make this signature"
           : status & GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE ? "may not sign for this name"
                                                             : "gives no valid chain";
}

bool ssi_tls_is_proved(unsigned status)
{
    const unsigned judged_apart =
        GNUTLS_CERT_INVALID | GNUTLS_CERT_INSECURE_ALGORITHM | GNUTLS_CERT_REVOKED;

    return (status & ~judged_apart) == 0 && (status & judged_apart) != GNUTLS_CERT_INVALID;
}

void ssi_tls_check_trust(const struct ssi_tls_check *c, const struct ssi_tls_chain *ch,
                         struct ssi_tls_verdict *v)
{
    bool alone = ssi_tls_self_signed(ch->sent[0]);
    char issuer[SSI_TLS_DN_SIZE];

    if (ssi_tls_is_proved(ch->status) && ch->ends_trusted)
        return;
    if (key_replaces_chain(c, v) ||
        ssi_tls_forgiven(c, v, alone ? SECSIP_TLS_INSECURE_SELF_SIGNED : 0) ||
        !ssi_tls_is_first(v, alone ? SECSIP_TLS_CHECK_SELF_SIGNED : SECSIP_TLS_CHECK_TRUST))
        return;
    ssi_tls_show_issuer(ch->sent[0], issuer);
    if (alone)
        ssi_tls_fail(
            &v->failure, SECSIP_E_TLS_CERT_SELF_SIGNED, "self-signed",
            "a certificate from a trusted authority", issuer,
            "the certificate of %s is self-signed and is not itself among the trusted ones",
            ch->title);
    else
        ssi_tls_fail(&v->failure, SECSIP_E_TLS_CERT_UNTRUSTED, "trust",
                     "a chain to a trusted authority", issuer,
                     "the certificate of %s comes from \"%s\", which %s", ch->title, issuer,
                     why_untrusted(ch->status));
}

void ssi_tls_check_strength(const struct ssi_tls_check *c, const struct ssi_tls_chain *ch,
                            struct ssi_tls_verdict *v)
{
    char found[128] = "";

    if (!(ch->status & GNUTLS_CERT_INSECURE_ALGORITHM) || ssi_tls_forgiven(c, v, 0) ||
        !ssi_tls_is_first(v, SECSIP_TLS_CHECK_STRENGTH))
        return;
    for (size_t i = 0; i < ch->n_path && i < 4; i++) {
        unsigned bits = 0;
        int key = gnutls_x509_crt_get_pk_algorithm(ch->path[i], &bits);
        const char *sign = gnutls_sign_get_name(
            (gnutls_sign_algorithm_t)gnutls_x509_crt_get_signature_algorithm(ch->path[i]));
        size_t at = strlen(found);
        snprintf(found + at, sizeof found - at, "%s%s with %u bits, %s", i ? "; " : "",
                 key < 0 ? "unknown key" : gnutls_pk_get_name((gnutls_pk_algorithm_t)key), bits,
                 sign ? sign : "unknown");
    }
    ssi_tls_fail(&v->failure, SECSIP_E_TLS_CERT_WEAK, "strength",
                 "RSA of 2048 bits, ECDSA of 256, SHA-256", found,
                 "the certificate of %s, or one above it, is too weak: %s", ch->title, found);
}

static void check_begin(const struct ssi_tls_check *c, const struct ssi_tls_chain *ch, size_t i,
                        struct ssi_tls_verdict *v)
{
    int64_t from = gnutls_x509_crt_get_activation_time(ch->path[i]);
    char now[SSI_TLS_DATE_SIZE], date[SSI_TLS_DATE_SIZE];

    if ((from >= 0 && from <= (int64_t)c->wall_s) || ssi_tls_forgiven(c, v, 0) ||
        !ssi_tls_is_first(v, SECSIP_TLS_CHECK_ACTIVATION))
        return;
    ssi_tls_show_date((int64_t)c->wall_s, now);
    ssi_tls_show_date(from, date);
    ssi_tls_fail(&v->failure, SECSIP_E_TLS_CERT_NOT_YET_VALID, "activation", now, date,
                 "%s %s is valid only from %s on; it is now %s UTC",
                 i == 0 ? "the certificate of" : "an authority above the certificate of", ch->title,
                 date, now);
}

static void check_end(const struct ssi_tls_check *c, const struct ssi_tls_chain *ch, size_t i,
                      struct ssi_tls_verdict *v)
{
    int64_t until = gnutls_x509_crt_get_expiration_time(ch->path[i]);
    char now[SSI_TLS_DATE_SIZE], date[SSI_TLS_DATE_SIZE];

    if (until >= (int64_t)c->wall_s || ssi_tls_forgiven(c, v, SECSIP_TLS_ALLOW_EXPIRED) ||
        !ssi_tls_is_first(v, SECSIP_TLS_CHECK_EXPIRY))
        return;
    ssi_tls_show_date((int64_t)c->wall_s, now);
    ssi_tls_show_date(until, date);
    ssi_tls_fail(&v->failure, SECSIP_E_TLS_CERT_EXPIRED, "expiry", now, date,
                 "%s %s expired at %s; it is now %s UTC",
                 i == 0 ? "the certificate of" : "an authority above the certificate of", ch->title,
                 date, now);
}

void ssi_tls_check_dates(const struct ssi_tls_check *c, const struct ssi_tls_chain *ch,
                         struct ssi_tls_verdict *v)
{
    for (size_t i = 0; i < ch->n_path; i++) {
        check_begin(c, ch, i, v);
        check_end(c, ch, i, v);
    }
}

/* RFC 5924 section 4: no EKU at all, anyExtendedKeyUsage, id-kp-sipDomain or the TLS purpose of the peer's role. */
static bool purpose_fits(gnutls_x509_crt_t crt, const char *tls_purpose, char *found, size_t cap)
{
    char oid[64];
    unsigned n = 0;

    for (;; n++) {
        size_t len = sizeof oid;
        int rc = gnutls_x509_crt_get_key_purpose_oid(crt, n, oid, &len, NULL);
        if (rc == GNUTLS_E_SHORT_MEMORY_BUFFER)
            continue;
        if (rc < 0)
            return n == 0 && rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE;
        if (strcmp(oid, tls_purpose) == 0 || strcmp(oid, OID_SIP_DOMAIN) == 0 ||
            strcmp(oid, GNUTLS_KP_ANY) == 0)
            return true;
        size_t at = strlen(found);
        snprintf(found + at, cap - at, "%s%s", at ? ", " : "", oid);
    }
}

void ssi_tls_check_purpose(const struct ssi_tls_check *c, const struct ssi_tls_chain *ch,
                           struct ssi_tls_verdict *v)
{
    const char *wanted = c->peer_is_client ? GNUTLS_KP_TLS_WWW_CLIENT : GNUTLS_KP_TLS_WWW_SERVER;
    const char *role = c->peer_is_client ? "clientAuth or sipDomain" : "serverAuth or sipDomain";
    size_t n = ch->anchor ? ch->n_path - 1 : ch->n_path;
    char found[128];

    for (size_t i = 0; i < n; i++) {
        found[0] = 0;
        if (purpose_fits(ch->path[i], wanted, found, sizeof found) || ssi_tls_forgiven(c, v, 0) ||
            !ssi_tls_is_first(v, SECSIP_TLS_CHECK_PURPOSE))
            continue;
        ssi_tls_fail(&v->failure, SECSIP_E_TLS_CERT_PURPOSE, "purpose", role, found,
                     "%s %s is for the purposes %s; expected %s (RFC 5924)",
                     i == 0 ? "the certificate of" : "an authority above the certificate of",
                     ch->title, found, role);
    }
}

void ssi_tls_check_name(const struct ssi_tls_check *c, const struct ssi_tls_chain *ch,
                        struct ssi_tls_verdict *v)
{
    char expected[128], names[256];
    struct ssi_addr address;
    uint32_t needs = 0;

    (void)ch;
    if (!c->domain)
        return;
    bool match = ssi_tls_names_match(&v->names, c->domain, &needs);
    if ((match && needs == 0) || ssi_tls_forgiven(c, v, match ? needs : 0) ||
        !ssi_tls_is_first(v, SECSIP_TLS_CHECK_NAME))
        return;
    if (ssi_addr_parse_ip(ssi_slice_str(c->domain), 0, &address))
        snprintf(expected, sizeof expected, "the address %.100s", c->domain);
    else
        snprintf(expected, sizeof expected, "sip:%.58s or %.58s", c->domain, c->domain);
    ssi_tls_names_show(&v->names, names, sizeof names);
    ssi_tls_fail(&v->failure, SECSIP_E_TLS_CERT_NAME, "name", expected, names,
                 "the certificate names %s; expected %s (RFC 5922)%s", names, expected,
                 needs & SECSIP_TLS_ALLOW_WILDCARD ? "; a wildcard counts only where it is allowed"
                 : needs & SECSIP_TLS_ALLOW_CN
                     ? "; where there is a subjectAltName, the CN does not count"
                     : "");
}
