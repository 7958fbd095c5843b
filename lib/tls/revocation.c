/* Whether a certificate has been revoked: lists and stapled answers, see checks.h. Layer: tls. */
#include <stdio.h>

#include "tls/checks.h"
#include "tls/staple.h"

void ssi_tls_check_revocation(const struct ssi_tls_check *c, const struct ssi_tls_chain *ch,
                              struct ssi_tls_verdict *v)
{
    if (!(ch->status & GNUTLS_CERT_REVOKED) || ssi_tls_forgiven(c, v, 0) ||
        !ssi_tls_is_first(v, SECSIP_TLS_CHECK_REVOCATION))
        return;
    ssi_tls_fail(&v->failure, SECSIP_E_TLS_CERT_REVOKED, "revocation",
                 "a certificate that is not revoked", "revoked",
                 "the certificate of %s, or one above it, has been revoked by its issuer",
                 ch->title);
}

static bool same_name(const gnutls_datum_t *a, const gnutls_datum_t *b)
{
    return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

/* A self-signed one may leave it out (RFC 5280 4.2.1.1). */
static int get_signer_key_id(gnutls_x509_crt_t crt, uint8_t *id, size_t *len)
{
    int rc = gnutls_x509_crt_get_authority_key_id(crt, id, len, NULL);

    return rc < 0 && ssi_tls_self_signed(crt)
               ? gnutls_x509_crt_get_subject_key_id(crt, id, len, NULL)
               : rc;
}

/* Two authorities may bear one name, an old key and a new one. False where both sides say which key it is (RFC 5280 4.2.1.1, 5.2.1),
 * and it is not the same: the list of the one is then no list of the other. */
static bool may_be_same_key(gnutls_x509_crl_t list, gnutls_x509_crt_t crt)
{
    uint8_t a[64], b[64];
    size_t a_len = sizeof a, b_len = sizeof b;

    if (gnutls_x509_crl_get_authority_key_id(list, a, &a_len, NULL) < 0 ||
        get_signer_key_id(crt, b, &b_len) < 0)
        return true;
    return a_len == b_len && memcmp(a, b, a_len) == 0;
}

int64_t ssi_tls_listed_until(const struct ssi_tls_trust *t, gnutls_x509_crt_t crt)
{
    gnutls_datum_t issuer, lister;
    int64_t best = -1;
    bool found = false;

    if (gnutls_x509_crt_get_raw_issuer_dn(crt, &issuer) < 0)
        return -1;
    for (size_t i = 0; i < t->n_crls; i++) {
        if (gnutls_x509_crl_get_raw_issuer_dn(t->crls[i], &lister) < 0) {
            gnutls_free(issuer.data);
            return -1;
        }
        if (same_name(&issuer, &lister) && may_be_same_key(t->crls[i], crt)) {
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
void ssi_tls_check_list_age(const struct ssi_tls_check *c, const struct ssi_tls_chain *ch,
                            struct ssi_tls_verdict *v)
{
    char date[SSI_TLS_DATE_SIZE], now[SSI_TLS_DATE_SIZE];

    for (size_t i = 0; i < ch->n_path && c->trust->n_crls > 0; i++) {
        int64_t until = ssi_tls_listed_until(c->trust, ch->path[i]);
        if (until >= (int64_t)c->wall_s || ssi_tls_forgiven(c, v, 0) ||
            !ssi_tls_is_first(v, SECSIP_TLS_CHECK_REVOCATION_LIST))
            continue;
        ssi_tls_show_date(until, date);
        ssi_tls_show_date((int64_t)c->wall_s, now);
        if (until < 0)
            snprintf(date, sizeof date, "no memory to look");
        ssi_tls_fail(&v->failure, SECSIP_E_TLS_CERT_STATUS, "revocation list", now, date,
                     "whether the certificate of %s is revoked cannot be known: its issuer's list "
                     "is out of date since "
                     "%s; it is now %s UTC",
                     ch->title, date, now);
    }
}

static void fail_staple(const struct ssi_tls_check *c, const struct ssi_tls_chain *ch,
                        struct ssi_tls_verdict *v, const char *expected, const char *why)
{
    if (ssi_tls_forgiven(c, v, 0) || !ssi_tls_is_first(v, SECSIP_TLS_CHECK_STAPLING))
        return;
    ssi_tls_fail(
        &v->failure, SECSIP_E_TLS_CERT_STATUS, "stapling", expected, why,
        "whether the certificate of %s is revoked cannot be known: the OCSP answer that %s: %s",
        ch->title, v->demanded ? "it demands (RFC 7633)" : "came with it is not good", why);
}

static const char *staple_problem(const struct ssi_tls_check *c, const struct ssi_tls_staple *s)
{
    if (s->problem)
        return s->problem;
    if (s->from > (int64_t)c->wall_s)
        return "it is not valid yet";
    if (s->signer_from > (int64_t)c->wall_s || s->signer_until < (int64_t)c->wall_s)
        return "the certificate of who signed it is not valid now";
    return s->until < (int64_t)c->wall_s ? "it is out of date" : NULL;
}

/* RFC 6066 section 8: an answer that came must be good, and must have come where the certificate demands it. */
void ssi_tls_check_staple(const struct ssi_tls_check *c, const struct ssi_tls_chain *ch,
                          struct ssi_tls_verdict *v)
{
    struct ssi_tls_staple staple;

    v->demanded = ssi_tls_staple_is_demanded(ch->sent[0]);
    if (c->stapled_until > 0) {
        v->good_until = c->stapled_until;
        return;
    }
    if (!c->staple || ch->n_path < 2) {
        if (v->demanded)
            fail_staple(c, ch, v, "an OCSP answer", "none came");
        return;
    }
    if (ssi_tls_staple_read(c->staple, ch->path[0], ch->path[1], &staple) < 0)
        staple.problem = "out of memory";
    /* A revoked one is revoked however old the answer is. */
    if (!staple.problem && staple.revoked) {
        if (!ssi_tls_forgiven(c, v, 0) && ssi_tls_is_first(v, SECSIP_TLS_CHECK_REVOCATION))
            ssi_tls_fail(&v->failure, SECSIP_E_TLS_CERT_REVOKED, "revocation",
                         "a certificate that is not revoked", "revoked",
                         "the certificate of %s has been revoked by its issuer (OCSP)", ch->title);
        return;
    }
    const char *problem = staple_problem(c, &staple);
    if (problem)
        fail_staple(c, ch, v, "a good OCSP answer", problem);
    else
        v->good_until =
            (uint64_t)(staple.until < staple.signer_until ? staple.until : staple.signer_until);
}
