/* The verdict on a peer's certificate chain: trust, revocation, strength, dates, purpose, name, each judged apart so that
 * a relaxation forgives exactly what it names. Layer: tls. No clock and no session here: the time is given. */
#ifndef SSI_TLS_VERIFY_H
#define SSI_TLS_VERIFY_H

#include <gnutls/x509.h>

#include "tls/names.h"

enum {
    SSI_TLS_MAX_CHAIN = 16,
    SSI_TLS_MAX_CRLS = 64,
    SSI_TLS_MAX_PINS = 16,
    SSI_TLS_PIN_SIZE = 32, /* SHA-256 */
    SSI_TLS_PIN_TEXT = 64, /* "sha256//", base64, NUL */
};

/* Whom we believe. Zeroed: nobody, and no list. */
struct ssi_tls_trust {
    gnutls_x509_trust_list_t list;
    gnutls_x509_crl_t
        crls[SSI_TLS_MAX_CRLS]; /* the list has its own copies; these tell how fresh they are */
    size_t n_crls;
    uint8_t pins[SSI_TLS_MAX_PINS][SSI_TLS_PIN_SIZE];
    size_t n_pins;
};

/* What the application has a say in. Zeroed: nothing. */
struct ssi_tls_policy {
    uint32_t known_mode;         /* SECSIP_TLS_KNOWN_KEYS_* */
    secsip_tls_known_keys known; /* both callbacks are there unless the mode is OFF */
    int32_t (*decide)(const secsip_tls_question *question, void *user_data);
    void *decide_user_data;
    bool decide_insecure; /* it may accept what failed */
};

struct ssi_tls_check {
    const struct ssi_tls_trust *trust;
    const struct ssi_tls_policy *policy; /* NULL: none */
    uint32_t options;                    /* SECSIP_TLS_ALLOW_*, SECSIP_TLS_INSECURE_* */
    bool peer_is_client;
    const char *domain; /* as ssi_tls_domain_normal gives it; NULL: any name */
    uint64_t wall_s;
    const gnutls_datum_t
        *staple; /* the OCSP answer that came with the chain, NULL for none; borrowed */
    /* A session is resumed, where no answer comes: the one before was good, and is until then. 0: it is not resumed */
    uint64_t stapled_until;
};

struct ssi_tls_verdict {
    struct ssi_tls_failure failure; /* result 0 when the chain is accepted */
    uint32_t failed;                /* SECSIP_TLS_CHECK_* */
    uint32_t relaxed;               /* what it would not have been accepted without */
    bool demanded;                  /* the certificate demands a stapled OCSP answer */
    bool key_known;                 /* the leaf's key is known for the domain */
    bool
        first_use; /* accepted: no key is known, so this one is to be remembered when the handshake has proved it */
    uint8_t pin[SSI_TLS_PIN_SIZE]; /* the leaf's, where known keys are asked for */
    uint64_t good_from;            /* accepted: the verdict holds from here ... */
    uint64_t good_until;           /* ... to here; outside it another one is due */
    struct ssi_tls_names names;    /* the leaf's; freed by the owner of the verdict */
};

/* Judges n certificates in DER, leaf first. Returns v->failure.result. v->names is initialised by the caller. */
secsip_result ssi_tls_verify(const struct ssi_tls_check *c, const gnutls_datum_t *chain, size_t n,
                             struct ssi_tls_verdict *v);

/* Remembers the key of a verdict whose handshake is done, where it is the first of its domain. v->failure says why not. */
secsip_result ssi_tls_remember_key(const struct ssi_tls_check *c, struct ssi_tls_verdict *v);

/* Fills in a failure; text is printf-like. check is a constant. */
void ssi_tls_fail(struct ssi_tls_failure *f, secsip_result result, const char *check,
                  const char *expected, const char *found, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

#endif
