/* What the ways to an identity (PEM, PKCS#12, tokens) have in common. Layer: tls, for credentials.c and token.c. */
#ifndef SSI_TLS_CREDENTIALS_H
#define SSI_TLS_CREDENTIALS_H

#include "tls/profile.h"

enum {
    SSI_TLS_MAX_CERTS = 16
};

/* What one identity is made of. */
struct ssi_tls_material {
    gnutls_x509_crt_t *certs; /* leaf first; gnutls_malloc'd */
    unsigned n_certs;
    gnutls_privkey_t key;
    struct ssi_tls_pin_source *pin; /* for a key on a token, else NULL */
};

void ssi_tls_material_free(struct ssi_tls_material *m);
/* Begins a setter. A first identity must be there before another stands beside it: it answers those that ask for no known
 * name. SECSIP_E_INVALID, SECSIP_E_STATE. */
secsip_result ssi_tls_identity_begin(secsip_tls_profile *p, bool beside);
/* Puts the material in place of what there is, or beside it; on success its key is taken. where: for texts. */
secsip_result ssi_tls_identity_install(secsip_tls_profile *p, struct ssi_tls_material *m,
                                       bool beside, const char *where);
/* Notes that GnuTLS refused the material with rc, and returns the result. */
secsip_result ssi_tls_identity_refuse(secsip_tls_profile *p, int rc, const char *where);
/* Frees the list; NULL is legal. */
void ssi_tls_pins_free(struct ssi_tls_pin_source *pins);
/* Moves all of *from to the front of *to. */
void ssi_tls_pins_move(struct ssi_tls_pin_source **to, struct ssi_tls_pin_source **from);

#endif
