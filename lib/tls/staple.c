/* Stapled OCSP answers, see staple.h. Layer: tls. */
#include "tls/staple.h"

#include <gnutls/ocsp.h>

enum {
    STATUS_REQUEST = 5
}; /* the TLS extension number that RFC 7633 names */

static const char *read_single(gnutls_ocsp_resp_t resp, struct ssi_tls_staple *ret)
{
    unsigned status;
    time_t from, until, revoked;

    if (gnutls_ocsp_resp_get_single(resp, 0, NULL, NULL, NULL, NULL, &status, &from, &until,
                                    &revoked, NULL) < 0)
        return "it cannot be read";
    ret->from = from;
    ret->until = until < 0 ? INT64_MAX : until;
    ret->revoked = status == GNUTLS_OCSP_CERT_REVOKED;
    return status == GNUTLS_OCSP_CERT_UNKNOWN ? "the responder does not know the certificate"
                                              : NULL;
}

static const char *judge(gnutls_ocsp_resp_t resp, const gnutls_datum_t *der, gnutls_x509_crt_t leaf,
                         gnutls_x509_crt_t issuer, struct ssi_tls_staple *ret)
{
    unsigned verify = 0;

    if (gnutls_ocsp_resp_import2(resp, der, GNUTLS_X509_FMT_DER) < 0)
        return "it cannot be read";
    if (gnutls_ocsp_resp_get_status(resp) != GNUTLS_OCSP_RESP_SUCCESSFUL)
        return "the responder reports an error";
    if (gnutls_ocsp_resp_check_crt(resp, 0, leaf) < 0)
        return "it is about another certificate";
    /* RFC 6960 4.2.2.2: signed by the issuer, or by whom the issuer certified for it. */
    if (gnutls_ocsp_resp_verify_direct(resp, issuer, &verify, 0) < 0 || verify != 0)
        return "it is not signed by the issuer";
    return read_single(resp, ret);
}

secsip_result ssi_tls_staple_read(const gnutls_datum_t *der, gnutls_x509_crt_t leaf,
                                  gnutls_x509_crt_t issuer, struct ssi_tls_staple *ret)
{
    gnutls_ocsp_resp_t resp;

    *ret = (struct ssi_tls_staple){.until = INT64_MAX};
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
