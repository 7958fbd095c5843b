/* The verdict on a certificate chain, see verify.h. Layer: tls. Signatures and constraints are GnuTLS's work; dates,
 * purposes and names are judged here, at the time that was given (RFC 5280, RFC 5922, RFC 5924). */
#include "tls/verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/addr.h"
#include "base/base64.h"
#include "tls/staple.h"

/* RFC 5924: the certificate is meant for SIP. */
#define OID_SIP_DOMAIN "1.3.6.1.5.5.7.3.20"

enum {
    DATE_SIZE = 24,
    TITLE_SIZE = 96,
    DN_SIZE = 128,
};

struct chain {
    gnutls_x509_crt_t sent[SSI_TLS_MAX_CHAIN]; /* leaf first */
    size_t n_sent;
    gnutls_x509_crt_t
        path[SSI_TLS_MAX_CHAIN + 1]; /* from the leaf to the anchor, as far as it goes; borrowed */
    size_t n_path;
    gnutls_x509_crt_t anchor; /* our copy of the trusted issuer at the end of path, or NULL */
    char title[TITLE_SIZE];   /* what the leaf calls itself */
};

void ssi_tls_fail(struct ssi_tls_failure *f, secsip_result result, const char *check,
                  const char *expected, const char *found, const char *format, ...)
{
    va_list ap;

    f->result = result;
    f->check = check;
    ssi_slice_show(ssi_slice_str(expected), f->expected, sizeof f->expected);
    ssi_slice_show(ssi_slice_str(found), f->found, sizeof f->found);
    va_start(ap, format);
    vsnprintf(f->text, sizeof f->text, format, ap);
    va_end(ap);
    ssi_slice_show(ssi_slice_str(f->text), f->text, sizeof f->text);
}

/* Notes which option saves the certificate; false when none does. */
static bool forgiven(const struct ssi_tls_check *c, struct ssi_tls_verdict *v, uint32_t by)
{
    uint32_t saved = c->options & by;

    if (!saved)
        saved = c->options & SECSIP_TLS_INSECURE_ANY;
    v->relaxed |= saved;
    return saved != 0;
}

static void show_date(int64_t t, char out[DATE_SIZE])
{
    time_t when = (time_t)t;
    struct tm tm;

    if (!gmtime_r(&when, &tm) || strftime(out, DATE_SIZE, "%Y-%m-%d %H:%M:%S", &tm) == 0)
        snprintf(out, DATE_SIZE, "no date");
}

static void show_issuer(gnutls_x509_crt_t crt, char out[DN_SIZE])
{
    char dn[DN_SIZE];
    size_t len = sizeof dn;

    if (gnutls_x509_crt_get_issuer_dn(crt, dn, &len) < 0)
        snprintf(dn, sizeof dn, "an authority without a readable name");
    ssi_slice_show(ssi_slice_str(dn), out, DN_SIZE);
}

static bool self_signed(gnutls_x509_crt_t crt)
{
    return gnutls_x509_crt_check_issuer(crt, crt) == 1;
}

static secsip_result import_chain(const gnutls_datum_t *raw, size_t n, struct chain *ch)
{
    if (n > SSI_TLS_MAX_CHAIN)
        return SECSIP_E_LIMIT;
    for (size_t i = 0; i < n; i++) {
        if (gnutls_x509_crt_init(&ch->sent[i]) < 0)
            return SECSIP_E_NOMEM;
        ch->n_sent++;
        if (gnutls_x509_crt_import(ch->sent[i], &raw[i], GNUTLS_X509_FMT_DER) < 0)
            return SECSIP_E_INVALID;
    }
    return 0;
}

static void free_chain(struct chain *ch)
{
    for (size_t i = 0; i < ch->n_sent; i++)
        gnutls_x509_crt_deinit(ch->sent[i]);
    if (ch->anchor)
        gnutls_x509_crt_deinit(ch->anchor);
}

static bool on_path(const struct chain *ch, gnutls_x509_crt_t crt)
{
    for (size_t i = 0; i < ch->n_path; i++)
        if (ch->path[i] == crt)
            return true;
    return false;
}

/* The certificates whose dates and purposes count: what a peer sends beyond them (an expired cross-signature, say) does
 * not. A trusted issuer ends the path. */
static void find_path(const struct ssi_tls_check *c, struct chain *ch)
{
    gnutls_x509_crt_t at = ch->sent[0];

    ch->path[ch->n_path++] = at;
    while (!self_signed(at) && ch->n_path <= SSI_TLS_MAX_CHAIN) {
        gnutls_x509_crt_t issuer = NULL;
        if (gnutls_x509_trust_list_get_issuer(c->trust->list, at, &issuer, GNUTLS_TL_GET_COPY) >=
            0) {
            ch->anchor = issuer;
            ch->path[ch->n_path++] = issuer;
            return;
        }
        for (size_t i = 1; i < ch->n_sent && !issuer; i++)
            if (!on_path(ch, ch->sent[i]) && gnutls_x509_crt_check_issuer(at, ch->sent[i]) == 1)
                issuer = ch->sent[i];
        if (!issuer)
            return;
        ch->path[ch->n_path++] = at = issuer;
    }
}

static bool check_trust(const struct ssi_tls_check *c, const struct chain *ch, unsigned status,
                        struct ssi_tls_verdict *v)
{
    const unsigned judged_apart =
        GNUTLS_CERT_INVALID | GNUTLS_CERT_INSECURE_ALGORITHM | GNUTLS_CERT_REVOKED;
    char issuer[DN_SIZE];

    if ((status & ~judged_apart) == 0 && (status & judged_apart) != GNUTLS_CERT_INVALID)
        return true;
    show_issuer(ch->sent[0], issuer);
    if (self_signed(ch->sent[0])) {
        if (forgiven(c, v, SECSIP_TLS_INSECURE_SELF_SIGNED))
            return true;
        ssi_tls_fail(
            &v->failure, SECSIP_E_TLS_CERT_SELF_SIGNED, "self-signed",
            "a certificate from a trusted authority", issuer,
            "the certificate of %s is self-signed and is not itself among the trusted ones",
            ch->title);
        return false;
    }
    if (forgiven(c, v, 0))
        return true;
    const char *why = status & GNUTLS_CERT_SIGNER_NOT_FOUND    ? "is no trusted authority"
                      : status & GNUTLS_CERT_SIGNER_NOT_CA     ? "is not an authority"
                      : status & GNUTLS_CERT_SIGNATURE_FAILURE ? "did not make this signature"
                      : status & GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE
                          ? "may not sign for this name"
                          : "gives no valid chain";
    ssi_tls_fail(&v->failure, SECSIP_E_TLS_CERT_UNTRUSTED, "trust",
                 "a chain to a trusted authority", issuer,
                 "the certificate of %s comes from \"%s\", which %s", ch->title, issuer, why);
    return false;
}

static bool check_revocation(const struct ssi_tls_check *c, const struct chain *ch, unsigned status,
                             struct ssi_tls_verdict *v)
{
    if (!(status & GNUTLS_CERT_REVOKED) || forgiven(c, v, 0))
        return true;
    ssi_tls_fail(&v->failure, SECSIP_E_TLS_CERT_REVOKED, "revocation",
                 "a certificate that is not revoked", "revoked",
                 "the certificate of %s, or one above it, has been revoked by its issuer",
                 ch->title);
    return false;
}

static bool same_name(const gnutls_datum_t *a, const gnutls_datum_t *b)
{
    return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

/* Until when the freshest list of this certificate's issuer is good; INT64_MAX where there is no list. */
static int64_t listed_until(const struct ssi_tls_trust *t, gnutls_x509_crt_t crt)
{
    gnutls_datum_t issuer, lister;
    int64_t best = -1;
    bool found = false;

    if (gnutls_x509_crt_get_raw_issuer_dn(crt, &issuer) < 0)
        return INT64_MAX;
    for (size_t i = 0; i < t->n_crls; i++) {
        if (gnutls_x509_crl_get_raw_issuer_dn(t->crls[i], &lister) < 0)
            continue;
        if (same_name(&issuer, &lister)) {
            /* A list that names no next update (-1) is never out of date. */
            int64_t until = gnutls_x509_crl_get_next_update(t->crls[i]);
            until = until < 0 ? INT64_MAX : until;
            best = until > best ? until : best;
            found = true;
        }
        gnutls_free(lister.data);
    }
    gnutls_free(issuer.data);
    return found ? best : INT64_MAX;
}

/* RFC 5280 6.3: a list past its next update says nothing about today. */
static bool check_crl_age(const struct ssi_tls_check *c, const struct chain *ch,
                          struct ssi_tls_verdict *v)
{
    char date[DATE_SIZE], now[DATE_SIZE];

    if (c->trust->n_crls == 0)
        return true;
    for (size_t i = 0; i < ch->n_path; i++) {
        int64_t until = listed_until(c->trust, ch->path[i]);
        if (until >= (int64_t)c->wall_s || forgiven(c, v, 0))
            continue;
        show_date(until, date);
        show_date((int64_t)c->wall_s, now);
        ssi_tls_fail(&v->failure, SECSIP_E_TLS_CERT_STATUS, "revocation list", now, date,
                     "whether the certificate of %s is revoked cannot be known: its issuer's list "
                     "is out of date since "
                     "%s; it is now %s UTC",
                     ch->title, date, now);
        return false;
    }
    return true;
}

static bool fail_staple(struct ssi_tls_verdict *v, const struct chain *ch, const char *expected,
                        const char *why)
{
    ssi_tls_fail(
        &v->failure, SECSIP_E_TLS_CERT_STATUS, "stapling", expected, why,
        "whether the certificate of %s is revoked cannot be known: the OCSP answer that %s: %s",
        ch->title, v->demanded ? "it demands (RFC 7633)" : "came with it is not good", why);
    return false;
}

/* RFC 6066 section 8: an answer that came must be good, and must have come where the certificate demands it. */
static bool check_staple(const struct ssi_tls_check *c, const struct chain *ch,
                         struct ssi_tls_verdict *v)
{
    struct ssi_tls_staple staple;

    v->demanded = ssi_tls_staple_is_demanded(ch->sent[0]);
    if (!c->staple || ch->n_path < 2)
        return !v->demanded || forgiven(c, v, 0) ||
               fail_staple(v, ch, "an OCSP answer", "none came");
    if (ssi_tls_staple_read(c->staple, ch->path[0], ch->path[1], &staple) < 0)
        return fail_staple(v, ch, "a good OCSP answer", "out of memory");
    if (!staple.problem && staple.revoked) {
        if (forgiven(c, v, 0))
            return true;
        ssi_tls_fail(&v->failure, SECSIP_E_TLS_CERT_REVOKED, "revocation",
                     "a certificate that is not revoked", "revoked",
                     "the certificate of %s has been revoked by its issuer (OCSP)", ch->title);
        return false;
    }
    if (!staple.problem && staple.from > (int64_t)c->wall_s)
        staple.problem = "it is not valid yet";
    if (!staple.problem && staple.until < (int64_t)c->wall_s)
        staple.problem = "it is out of date";
    if (staple.problem)
        return forgiven(c, v, 0) || fail_staple(v, ch, "a good OCSP answer", staple.problem);
    v->good_until = (uint64_t)staple.until;
    return true;
}

static void show_pin(const uint8_t pin[SSI_TLS_PIN_SIZE], char *out, size_t cap)
{
    struct ssi_buf b;

    ssi_buf_init(&b, 128);
    ssi_buf_put_str(&b, "sha256//");
    ssi_base64_put(&b, pin, SSI_TLS_PIN_SIZE, true);
    ssi_slice_show(ssi_buf_slice(&b), out, cap);
    ssi_buf_free(&b);
}

/* Pins come on top of everything else; nothing forgives a wrong key. */
static bool check_pins(const struct ssi_tls_check *c, const struct chain *ch,
                       struct ssi_tls_verdict *v)
{
    char expected[128], found[128] = "no readable key";
    uint8_t id[SSI_TLS_PIN_SIZE];

    if (c->trust->n_pins == 0)
        return true;
    for (size_t i = 0; i < ch->n_path; i++) {
        size_t len = sizeof id;
        if (gnutls_x509_crt_get_key_id(ch->path[i], GNUTLS_KEYID_USE_SHA256, id, &len) < 0 ||
            len != sizeof id)
            continue;
        if (i == 0)
            show_pin(id, found, sizeof found);
        for (size_t k = 0; k < c->trust->n_pins; k++)
            if (memcmp(id, c->trust->pins[k], sizeof id) == 0)
                return true;
    }
    show_pin(c->trust->pins[0], expected, sizeof expected);
    ssi_tls_fail(&v->failure, SECSIP_E_TLS_CERT_PIN, "pin", expected, found,
                 "the certificate of %s has the key %s; pinned is %s%s", ch->title, found, expected,
                 c->trust->n_pins > 1 ? ", or another" : "");
    return false;
}

static bool check_strength(const struct ssi_tls_check *c, const struct chain *ch, unsigned status,
                           struct ssi_tls_verdict *v)
{
    char found[128] = "";

    if (!(status & GNUTLS_CERT_INSECURE_ALGORITHM) || forgiven(c, v, 0))
        return true;
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
    return false;
}

static bool check_dates(const struct ssi_tls_check *c, const struct chain *ch,
                        struct ssi_tls_verdict *v)
{
    char now[DATE_SIZE], date[DATE_SIZE];

    show_date((int64_t)c->wall_s, now);
    for (size_t i = 0; i < ch->n_path; i++) {
        const char *which = i == 0 ? "the certificate of" : "an authority above the certificate of";
        int64_t from = gnutls_x509_crt_get_activation_time(ch->path[i]);
        int64_t until = gnutls_x509_crt_get_expiration_time(ch->path[i]);
        if ((from < 0 || from > (int64_t)c->wall_s) && !forgiven(c, v, 0)) {
            show_date(from, date);
            ssi_tls_fail(&v->failure, SECSIP_E_TLS_CERT_NOT_YET_VALID, "activation", now, date,
                         "%s %s is valid only from %s on; it is now %s UTC", which, ch->title, date,
                         now);
            return false;
        }
        if (until < (int64_t)c->wall_s && !forgiven(c, v, SECSIP_TLS_ALLOW_EXPIRED)) {
            show_date(until, date);
            ssi_tls_fail(&v->failure, SECSIP_E_TLS_CERT_EXPIRED, "expiry", now, date,
                         "%s %s expired at %s; it is now %s UTC", which, ch->title, date, now);
            return false;
        }
    }
    return true;
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

static bool check_purpose(const struct ssi_tls_check *c, const struct chain *ch,
                          struct ssi_tls_verdict *v)
{
    const char *wanted = c->peer_is_client ? GNUTLS_KP_TLS_WWW_CLIENT : GNUTLS_KP_TLS_WWW_SERVER;
    const char *role = c->peer_is_client ? "clientAuth or sipDomain" : "serverAuth or sipDomain";
    size_t n = ch->anchor ? ch->n_path - 1 : ch->n_path;
    char found[128];

    for (size_t i = 0; i < n; i++) {
        found[0] = 0;
        if (purpose_fits(ch->path[i], wanted, found, sizeof found) || forgiven(c, v, 0))
            continue;
        ssi_tls_fail(&v->failure, SECSIP_E_TLS_CERT_PURPOSE, "purpose", role, found,
                     "%s %s is for the purposes %s; expected %s (RFC 5924)",
                     i == 0 ? "the certificate of" : "an authority above the certificate of",
                     ch->title, found, role);
        return false;
    }
    return true;
}

static bool check_name(const struct ssi_tls_check *c, struct ssi_tls_verdict *v)
{
    char expected[128], names[256];
    struct ssi_addr address;
    uint32_t needs;

    if (!c->domain)
        return true;
    if (ssi_tls_names_match(&v->names, c->domain, &needs)) {
        if (needs == 0 || forgiven(c, v, needs))
            return true;
    } else if (forgiven(c, v, 0)) {
        return true;
    }
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
    return false;
}

/* The time in which dates and lists say the same as now. */
static void find_window(const struct ssi_tls_check *c, const struct chain *ch,
                        struct ssi_tls_verdict *v)
{
    int64_t from = 0,
            until = v->good_until ? (int64_t)v->good_until : INT64_MAX; /* the OCSP answer's */

    for (size_t i = 0; i < ch->n_path; i++) {
        int64_t begins = gnutls_x509_crt_get_activation_time(ch->path[i]);
        int64_t ends = gnutls_x509_crt_get_expiration_time(ch->path[i]);
        int64_t listed = c->trust->n_crls > 0 ? listed_until(c->trust, ch->path[i]) : INT64_MAX;
        from = begins > from ? begins : from;
        until = ends < until ? ends : until;
        until = listed < until ? listed : until;
    }
    v->good_from = (uint64_t)from;
    v->good_until = until > 0 ? (uint64_t)until : 0;
}

static secsip_result judge(const struct ssi_tls_check *c, struct chain *ch,
                           struct ssi_tls_verdict *v)
{
    unsigned status = 0;

    ssi_tls_names_first(&v->names, ch->title, sizeof ch->title);
    if (!ch->title[0])
        snprintf(ch->title, sizeof ch->title, "a peer without a name");
    /* Dates are judged here, at the caller's time; GnuTLS would ask the clock. */
    int rc = gnutls_x509_trust_list_verify_crt2(
        c->trust->list, ch->sent, (unsigned)ch->n_sent, NULL, 0,
        GNUTLS_VERIFY_DISABLE_TIME_CHECKS | GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS |
            GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM),
        &status, NULL);
    if (rc == GNUTLS_E_MEMORY_ERROR)
        return SECSIP_E_NOMEM;
    if (rc < 0)
        status = GNUTLS_CERT_INVALID;
    find_path(c, ch);
    if (check_pins(c, ch, v) && check_revocation(c, ch, status, v) && check_crl_age(c, ch, v) &&
        check_staple(c, ch, v) && check_trust(c, ch, status, v) &&
        check_strength(c, ch, status, v) && check_dates(c, ch, v) && check_purpose(c, ch, v) &&
        check_name(c, v)) {
        find_window(c, ch, v);
        return 0;
    }
    return v->failure.result;
}

secsip_result ssi_tls_verify(const struct ssi_tls_check *c, const gnutls_datum_t *chain, size_t n,
                             struct ssi_tls_verdict *v)
{
    struct chain ch = {.n_sent = 0};

    memset(&v->failure, 0, sizeof v->failure);
    v->relaxed = 0;
    v->good_from = v->good_until = 0;
    v->demanded = false;
    ssi_tls_names_free(&v->names);
    ssi_tls_names_init(&v->names);
    if (n == 0) {
        ssi_tls_fail(&v->failure, SECSIP_E_TLS_CERT_MISSING, "certificate", "a certificate", "none",
                     "the peer sent no certificate");
        return v->failure.result;
    }
    secsip_result r = import_chain(chain, n, &ch);
    if (r == 0)
        r = ssi_tls_names_read(&v->names, ch.sent[0]);
    if (r == 0)
        r = judge(c, &ch, v);
    /* What cannot be read cannot be forgiven either. */
    if (r < 0 && v->failure.result == 0 && r != SECSIP_E_NOMEM)
        ssi_tls_fail(&v->failure, SECSIP_E_TLS_CERT_UNTRUSTED, "encoding",
                     "an X.509 certificate chain",
                     r == SECSIP_E_LIMIT ? "too many certificates or names" : "damaged data",
                     "the certificate chain of the peer cannot be read: %s",
                     r == SECSIP_E_LIMIT ? "too many certificates or names" : "damaged data");
    else if (r == SECSIP_E_NOMEM)
        ssi_tls_fail(&v->failure, r, "memory", "", "", "out of memory");
    free_chain(&ch);
    return v->failure.result;
}
