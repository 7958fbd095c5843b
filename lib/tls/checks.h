/* The single checks of a certificate chain, and what they share. Layer: tls, for verify.c only. Each check looks at one thing,
 * notes what it refuses in the verdict (the first keeps the word), and leaves the others to themselves. */
#ifndef SSI_TLS_CHECKS_H
#define SSI_TLS_CHECKS_H

#include "tls/verify.h"

enum {
    SSI_TLS_DATE_SIZE = 24,
    SSI_TLS_DN_SIZE = 128,
    SSI_TLS_TITLE_SIZE = 96,
};

struct ssi_tls_chain {
    gnutls_x509_crt_t sent[SSI_TLS_MAX_CHAIN]; /* leaf first */
    size_t n_sent;
    gnutls_x509_crt_t
        path[SSI_TLS_MAX_CHAIN + 1]; /* from the leaf to the anchor, as far as it goes; borrowed */
    size_t n_path;
    gnutls_x509_crt_t anchor;       /* our copy of the trusted issuer at the end of path, or NULL */
    bool ends_trusted;              /* path holds a certificate of the trusted */
    unsigned status;                /* GNUTLS_CERT_* of the chain, dates aside */
    char title[SSI_TLS_TITLE_SIZE]; /* what the leaf calls itself */
};

typedef void ssi_tls_check_fn(const struct ssi_tls_check *c, const struct ssi_tls_chain *ch,
                              struct ssi_tls_verdict *v);

/* In checks.c: */
ssi_tls_check_fn ssi_tls_check_trust, ssi_tls_check_strength, ssi_tls_check_dates,
    ssi_tls_check_purpose, ssi_tls_check_name;
/* In keys.c: */
ssi_tls_check_fn ssi_tls_check_pins, ssi_tls_check_known_key;
/* In revocation.c: */
ssi_tls_check_fn ssi_tls_check_revocation, ssi_tls_check_list_age, ssi_tls_check_staple;
/* In decision.c: what the application says in the end. SECSIP_E_NOMEM. */
secsip_result ssi_tls_decide(const struct ssi_tls_check *c, const struct ssi_tls_chain *ch,
                             struct ssi_tls_verdict *v);

/* Until when the freshest list of this certificate's issuer is good; INT64_MAX where there is no list, -1 where that cannot be
 * known. */
int64_t ssi_tls_listed_until(const struct ssi_tls_trust *t, gnutls_x509_crt_t crt);
/* Notes which option saves the certificate; false when none does. by: SECSIP_TLS_ALLOW_*, INSECURE_ANY aside. */
bool ssi_tls_forgiven(const struct ssi_tls_check *c, struct ssi_tls_verdict *v, uint32_t by);
/* The verdict's failure is set already, or shall be: true for the first. Notes the check. */
bool ssi_tls_is_first(struct ssi_tls_verdict *v, uint32_t check);
/* GnuTLS has found a chain to a trusted one; strength and revocation are other checks. status: GNUTLS_CERT_* */
bool ssi_tls_is_proved(unsigned status);
bool ssi_tls_self_signed(gnutls_x509_crt_t crt);
void ssi_tls_show_date(int64_t t, char out[SSI_TLS_DATE_SIZE]);
void ssi_tls_show_issuer(gnutls_x509_crt_t crt, char out[SSI_TLS_DN_SIZE]);
/* The pin of a certificate's key; false when it cannot be read. */
bool ssi_tls_key_id(gnutls_x509_crt_t crt, uint8_t pin[SSI_TLS_PIN_SIZE]);
/* "sha256//BASE64". */
void ssi_tls_show_pin(const uint8_t pin[SSI_TLS_PIN_SIZE], char out[SSI_TLS_PIN_TEXT]);

#endif
