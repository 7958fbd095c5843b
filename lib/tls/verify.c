/* The verdict on a certificate chain, see verify.h: reads it, finds its path, asks every check and the application. Layer: tls.
 * The checks themselves are in checks.c, keys.c and revocation.c. */
#include "tls/verify.h"

#include <stdarg.h>
#include <stdio.h>

#include "tls/checks.h"

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

static secsip_result import_chain(const gnutls_datum_t *raw, size_t n, struct ssi_tls_chain *ch)
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

static void free_chain(struct ssi_tls_chain *ch)
{
    for (size_t i = 0; i < ch->n_sent; i++)
        gnutls_x509_crt_deinit(ch->sent[i]);
    if (ch->anchor)
        gnutls_x509_crt_deinit(ch->anchor);
}

static bool on_path(const struct ssi_tls_chain *ch, gnutls_x509_crt_t crt)
{
    for (size_t i = 0; i < ch->n_path; i++)
        if (ch->path[i] == crt)
            return true;
    return false;
}

static bool in_time(const struct ssi_tls_check *c, gnutls_x509_crt_t crt)
{
    return gnutls_x509_crt_get_activation_time(crt) <= (int64_t)c->wall_s &&
           gnutls_x509_crt_get_expiration_time(crt) >= (int64_t)c->wall_s;
}

/* A name alone proves nothing: anybody's authority may bear the name of another one. */
static bool signed_by(gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer)
{
    unsigned status = GNUTLS_CERT_INVALID;

    return gnutls_x509_crt_check_issuer(crt, issuer) == 1 &&
           gnutls_x509_crt_verify(crt, &issuer, 1,
                                  GNUTLS_VERIFY_DISABLE_TIME_CHECKS |
                                      GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS |
                                      GNUTLS_VERIFY_ALLOW_BROKEN,
                                  &status) >= 0 &&
           status == 0;
}

/* GnuTLS found none, or had no memory to look: what cannot be known is no "none". */
static secsip_result none_or_failed(int rc)
{
    return rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE ? 0 : SECSIP_E_NOMEM;
}

/* Of several that signed (a renewed authority keeps its key) one that is valid now, else the first. The caller frees it. */
static secsip_result search_trust(const struct ssi_tls_check *c, gnutls_x509_crt_t at,
                                  gnutls_x509_crt_t *ret)
{
    gnutls_x509_trust_list_iter_t iter = NULL;
    gnutls_x509_crt_t crt, best = NULL;
    int rc;

    while ((rc = gnutls_x509_trust_list_iter_get_ca(c->trust->list, &iter, &crt)) >= 0) {
        bool better = (!best || (in_time(c, crt) && !in_time(c, best))) && signed_by(at, crt);
        gnutls_x509_crt_t worse = better ? best : crt;
        best = better ? crt : best;
        if (worse)
            gnutls_x509_crt_deinit(worse);
    }
    gnutls_x509_trust_list_iter_deinit(iter);
    *ret = best;
    return none_or_failed(rc);
}

/* Puts the trusted issuer of `at` into ch->anchor, where there is one. GnuTLS gives the first of that name: nearly always the
 * right one. SECSIP_E_NOMEM. */
static secsip_result find_anchor(const struct ssi_tls_check *c, struct ssi_tls_chain *ch,
                                 gnutls_x509_crt_t at)
{
    /* A single certificate with a valid chain was signed by a trusted one of that name. */
    bool proved = ch->n_sent == 1 && ch->status == 0 && c->trust->n_pins == 0;
    gnutls_x509_crt_t issuer;

    int rc = gnutls_x509_trust_list_get_issuer(c->trust->list, at, &issuer, GNUTLS_TL_GET_COPY);
    if (rc < 0)
        return none_or_failed(rc);
    if (!in_time(c, issuer) || !(proved || signed_by(at, issuer))) {
        gnutls_x509_crt_deinit(issuer);
        secsip_result r = search_trust(c, at, &issuer);
        if (r < 0 || !issuer) {
            if (issuer)
                gnutls_x509_crt_deinit(issuer);
            return r;
        }
    }
    ch->ends_trusted = true;
    if (gnutls_x509_crt_equals(issuer, at))
        gnutls_x509_crt_deinit(issuer);
    else
        ch->anchor = issuer;
    return 0;
}

/* The same among those that were sent; borrowed. */
static gnutls_x509_crt_t find_sent(const struct ssi_tls_check *c, const struct ssi_tls_chain *ch,
                                   gnutls_x509_crt_t at)
{
    gnutls_x509_crt_t best = NULL;

    for (size_t i = 1; i < ch->n_sent; i++)
        if ((!best || (in_time(c, ch->sent[i]) && !in_time(c, best))) &&
            !on_path(ch, ch->sent[i]) && signed_by(at, ch->sent[i]))
            best = ch->sent[i];
    return best;
}

/* A certificate of the path is itself among the trusted, which need not be authorities. */
static secsip_result look_for_trusted(const struct ssi_tls_check *c, struct ssi_tls_chain *ch)
{
    gnutls_x509_trust_list_iter_t iter = NULL;
    gnutls_x509_crt_t crt;
    int rc;

    while ((rc = gnutls_x509_trust_list_iter_get_ca(c->trust->list, &iter, &crt)) >= 0) {
        for (size_t i = 0; i < ch->n_path && !ch->ends_trusted; i++)
            ch->ends_trusted = gnutls_x509_crt_equals(crt, ch->path[i]) != 0;
        gnutls_x509_crt_deinit(crt);
    }
    gnutls_x509_trust_list_iter_deinit(iter);
    return none_or_failed(rc);
}

/* The certificates whose dates, purposes and keys count: what a peer sends beyond them (an expired cross-signature, say)
 * does not. A trusted issuer ends the path. GnuTLS, which leaves the dates out, may have come to its verdict by another
 * one, and it says "no issuer" also where it had no memory: a path that leads to nobody who is trusted proves nothing. */
static secsip_result find_path(const struct ssi_tls_check *c, struct ssi_tls_chain *ch)
{
    gnutls_x509_crt_t at = ch->sent[0];

    ch->path[ch->n_path++] = at;
    while (at && !ch->ends_trusted && ch->n_path <= SSI_TLS_MAX_CHAIN) {
        secsip_result r = find_anchor(c, ch, at);
        if (r < 0)
            return r;
        at = ch->anchor ? ch->anchor : ch->ends_trusted ? NULL : find_sent(c, ch, at);
        if (at)
            ch->path[ch->n_path++] = at;
    }
    return ch->ends_trusted || !ssi_tls_is_proved(ch->status) ? 0 : look_for_trusted(c, ch);
}

/* The time in which dates and lists say the same as now. */
static void find_window(const struct ssi_tls_check *c, const struct ssi_tls_chain *ch,
                        struct ssi_tls_verdict *v)
{
    int64_t from = 0,
            until = v->good_until ? (int64_t)v->good_until : INT64_MAX; /* the OCSP answer's */

    for (size_t i = 0; i < ch->n_path; i++) {
        int64_t begins = gnutls_x509_crt_get_activation_time(ch->path[i]);
        int64_t ends = gnutls_x509_crt_get_expiration_time(ch->path[i]);
        int64_t listed =
            c->trust->n_crls > 0 ? ssi_tls_listed_until(c->trust, ch->path[i]) : INT64_MAX;
        from = begins > from ? begins : from;
        until = ends < until ? ends : until;
        until = listed < until ? listed : until;
    }
    v->good_from = (uint64_t)from;
    v->good_until = until > 0 ? (uint64_t)until : 0;
}

/* What an administrator wants to know of the certificate, whatever failed. */
static void describe_leaf(const struct ssi_tls_chain *ch, struct ssi_tls_verdict *v)
{
    char names[96], issuer[SSI_TLS_DN_SIZE], from[SSI_TLS_DATE_SIZE], until[SSI_TLS_DATE_SIZE],
        pin[SSI_TLS_PIN_TEXT] = "no readable key";
    gnutls_x509_crt_t leaf = ch->sent[0];
    uint8_t id[SSI_TLS_PIN_SIZE];

    ssi_tls_names_show(&v->names, names, sizeof names);
    ssi_tls_show_issuer(leaf, issuer);
    ssi_tls_show_date(gnutls_x509_crt_get_activation_time(leaf), from);
    ssi_tls_show_date(gnutls_x509_crt_get_expiration_time(leaf), until);
    if (ssi_tls_key_id(leaf, id))
        ssi_tls_show_pin(id, pin);
    snprintf(v->failure.certificate, sizeof v->failure.certificate,
             "%s; valid from %s to %s UTC; key %s; issued by %s", names, from, until, pin, issuer);
    ssi_slice_show(ssi_slice_str(v->failure.certificate), v->failure.certificate,
                   sizeof v->failure.certificate);
}

static secsip_result judge(const struct ssi_tls_check *c, struct ssi_tls_chain *ch,
                           struct ssi_tls_verdict *v)
{
    /* The first that refuses has the word: nothing forgives the keys, and who is revoked is not asked for his name. */
    static ssi_tls_check_fn *const checks[] = {
        ssi_tls_check_pins,     ssi_tls_check_known_key, ssi_tls_check_revocation,
        ssi_tls_check_list_age, ssi_tls_check_staple,    ssi_tls_check_trust,
        ssi_tls_check_strength, ssi_tls_check_dates,     ssi_tls_check_purpose,
        ssi_tls_check_name,
    };

    ssi_tls_names_first(&v->names, ch->title, sizeof ch->title);
    if (!ch->title[0])
        snprintf(ch->title, sizeof ch->title, "a peer without a name");
    /* Dates are judged here, at the caller's time; GnuTLS would ask the clock. */
    int rc = gnutls_x509_trust_list_verify_crt2(
        c->trust->list, ch->sent, (unsigned)ch->n_sent, NULL, 0,
        GNUTLS_VERIFY_DISABLE_TIME_CHECKS | GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS |
            GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM),
        &ch->status, NULL);
    if (rc == GNUTLS_E_MEMORY_ERROR)
        return SECSIP_E_NOMEM;
    if (rc < 0)
        ch->status = GNUTLS_CERT_INVALID;
    secsip_result r = find_path(c, ch);
    if (r < 0)
        return r;
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        checks[i](c, ch, v);
    r = ssi_tls_decide(c, ch, v);
    if (r < 0)
        return r;
    if (v->failure.result < 0)
        describe_leaf(ch, v);
    else
        find_window(c, ch, v);
    return v->failure.result;
}

static void clear_verdict(struct ssi_tls_verdict *v)
{
    memset(&v->failure, 0, sizeof v->failure);
    v->failed = v->relaxed = 0;
    v->good_from = v->good_until = 0;
    v->demanded = v->key_known = v->first_use = false;
    ssi_tls_names_free(&v->names);
    ssi_tls_names_init(&v->names);
}

secsip_result ssi_tls_verify(const struct ssi_tls_check *c, const gnutls_datum_t *chain, size_t n,
                             struct ssi_tls_verdict *v)
{
    struct ssi_tls_chain ch = {.n_sent = 0};

    clear_verdict(v);
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
