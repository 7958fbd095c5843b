/* What stands behind secsip_tls_profile. Layer: tls, for this folder only. Profiles and identities are counted: a session
 * keeps its profile and the identity it began with, so that a later one touches new sessions only. */
#ifndef SSI_TLS_PROFILE_H
#define SSI_TLS_PROFILE_H

#include <stdatomic.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "tls/tls.h"

struct ssi_tls_identity {
    atomic_uint refs;
    gnutls_certificate_credentials_t cred;
    bool has_key;
};

struct secsip_tls_profile {
    atomic_uint refs; /* profiles may be shared by stacks of different threads once frozen */
    bool frozen;
    uint32_t options;
    uint32_t client_cert;
    gnutls_priority_t priority;
    gnutls_x509_trust_list_t trust;
    bool trust_given; /* by the application; else the system's is loaded at need */
    bool trust_loaded;
    struct ssi_tls_identity *identity;
    void (*keylog)(const char *line, size_t len, void *user_data);
    void *keylog_user_data;
    secsip_error error;
    char error_text[384];
    char error_found[256];
};

/* SECSIP_E_NOMEM. */
secsip_result ssi_tls_identity_new(struct ssi_tls_identity **ret);
struct ssi_tls_identity *ssi_tls_identity_ref(struct ssi_tls_identity *id);
void ssi_tls_identity_unref(struct ssi_tls_identity *id);
/* Loads the system's authorities, once, where none were given. SECSIP_E_TLS_CREDENTIALS. */
secsip_result ssi_tls_profile_need_trust(secsip_tls_profile *p);

#endif
