/* Stapled OCSP answers, see staple.h. Layer: tls. */
#include "tls/staple.h"

#include <gnutls/ocsp.h>

enum {
    STATUS_REQUEST = 5, /* the TLS extension number that RFC 7633 names */
    UNDATED_S = 7 * 86400,
    MAX_PURPOSES = 32,
};

/* RFC 6960 4.2.2.1: where no next update is named, a newer answer can be had at any time. One that is stapled all the same is taken
 * for as long as authorities let theirs live; GnuTLS would take it for 15 days. */
int64_t ssi_tls_staple_until(int64_t this_update, int64_t next_update)
{
    return next_update >= 0 ? next_update : this_update + UNDATED_S;
}

static const char *read_single(gnutls_ocsp_resp_t resp, struct ssi_tls_staple *ret)
{
    unsigned status;
    time_t from, until, revoked;

    if (gnutls_ocsp_resp_get_single(resp, 0, NULL, NULL, NULL, NULL, &status, &from, &until,
                                    &revoked, NULL) < 0 ||
        from < 0)
        return "it cannot be read";
    ret->from = from;
    ret->until = ssi_tls_staple_until(from, until);
    ret->revoked = status == GNUTLS_OCSP_CERT_REVOKED;
    return status == GNUTLS_OCSP_CERT_UNKNOWN ? "the responder does not know the certificate"
                                              : NULL;
}

/* The one that signed was entrusted with that by its key purpose (gnutls_ocsp_resp_verify_direct wants it). Another one with the
 * same purpose has no business in the answer: its dates count as well. */
static bool may_answer(gnutls_x509_crt_t crt)
{
    char oid[64];
    int rc = 0;

    for (unsigned i = 0; rc != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE && i < MAX_PURPOSES; i++) {
        size_t len = sizeof oid;
        rc = gnutls_x509_crt_get_key_purpose_oid(crt, i, oid, &len, NULL);
        if (rc >= 0 && strcmp(oid, GNUTLS_KP_OCSP_SIGNING) == 0)
            return true;
    }
    return false;
}

/* RFC 6960 4.2.2.2: who answers for the issuer is certified himself, for a time. */
static const char *read_signers(gnutls_ocsp_resp_t resp, struct ssi_tls_staple *ret)
{
    gnutls_x509_crt_t *certs = NULL;
    size_t n = 0;

    if (gnutls_ocsp_resp_get_certs(resp, &certs, &n) < 0)
        return "its certificates cannot be read";
    for (size_t i = 0; i < n; i++) {
        if (may_answer(certs[i])) {
            int64_t from = gnutls_x509_crt_get_activation_time(certs[i]);
            int64_t until = gnutls_x509_crt_get_expiration_time(certs[i]);
            ret->signer_from = from > ret->signer_from ? from : ret->signer_from;
            ret->signer_until = until < ret->signer_until ? until : ret->signer_until;
        }
        gnutls_x509_crt_deinit(certs[i]);
    }
    gnutls_free(certs);
    return NULL;
}

static const char *judge(gnutls_ocsp_resp_t resp, const gnutls_datum_t *der, gnutls_x509_crt_t leaf,
                         gnutls_x509_crt_t issuer, struct ssi_tls_staple *ret)
{
    /* Dates are judged by the caller, at its time; GnuTLS would ask the clock. */
    const unsigned undated =
        GNUTLS_VERIFY_DISABLE_TIME_CHECKS | GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS;
    unsigned verify = 0;

    if (gnutls_ocsp_resp_import2(resp, der, GNUTLS_X509_FMT_DER) < 0)
        return "it cannot be read";
    if (gnutls_ocsp_resp_get_status(resp) != GNUTLS_OCSP_RESP_SUCCESSFUL)
        return "the responder reports an error";
    if (gnutls_ocsp_resp_check_crt(resp, 0, leaf) < 0)
        return "it is about another certificate";
    /* RFC 6960 4.2.2.2: signed by the issuer, or by whom the issuer certified for it. */
    if (gnutls_ocsp_resp_verify_direct(resp, issuer, &verify, undated) < 0 || verify != 0)
        return "it is not signed by the issuer";
    const char *problem = read_signers(resp, ret);
    return problem ? problem : read_single(resp, ret);
}

secsip_result ssi_tls_staple_read(const gnutls_datum_t *der, gnutls_x509_crt_t leaf,
                                  gnutls_x509_crt_t issuer, struct ssi_tls_staple *ret)
{
    gnutls_ocsp_resp_t resp;

    *ret = (struct ssi_tls_staple){.until = INT64_MAX, .signer_until = INT64_MAX};
    if (gnutls_ocsp_resp_init(&resp) < 0)
        return SECSIP_E_NOMEM;
    ret->problem = judge(resp, der, leaf, issuer, ret);
    gnutls_ocsp_resp_deinit(resp);
    return 0;
}

bool ssi_tls_staple_is_demanded(gnutls_x509_crt_t leaf)
{
    gnutls_x509_tlsfeatures_t features;
    bool demanded = false;
    unsigned feature;

    if (gnutls_x509_tlsfeatures_init(&features) < 0)
        return true; /* a doubt is a demand */
    int rc = gnutls_x509_crt_get_tlsfeatures(leaf, features, 0, NULL);
    for (unsigned i = 0; rc >= 0 && gnutls_x509_tlsfeatures_get(features, i, &feature) >= 0; i++)
        demanded = demanded || feature == STATUS_REQUEST;
    gnutls_x509_tlsfeatures_deinit(features);
    return demanded || (rc < 0 && rc != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE);
}
