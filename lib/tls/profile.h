/* What stands behind secsip_tls_profile. Layer: tls, for this folder only. Profiles and identities are counted: a session
 * keeps its profile and the identity it began with, so that a later one touches new sessions only. */
#ifndef SSI_TLS_PROFILE_H
#define SSI_TLS_PROFILE_H

#include <stdatomic.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "tls/tickets.h"
#include "tls/tls.h"
#include "tls/verify.h"

enum {
    SSI_TLS_MAX_SECRET_FILE = 1 << 20
}; /* bytes of a certificate or key file */

/* What was chosen by a setter: a renewal leaves alone what its replacement does not choose. */
enum {
    SSI_TLS_CHOSE_CLIENT_CERT = 1 << 0,
    SSI_TLS_CHOSE_FROM = 1 << 1,
    SSI_TLS_CHOSE_RESUMPTION = 1 << 2,
    SSI_TLS_CHOSE_PARAMETERS = 1 << 3,
    SSI_TLS_CHOSE_KEYLOG = 1 << 4,
};

struct ssi_tls_pin_source;

struct ssi_tls_identity {
    atomic_uint refs;
    struct ssi_tls_pin_source *pins; /* of its keys on tokens */
    gnutls_certificate_credentials_t cred;
    unsigned n_keys;
    gnutls_datum_t leaf;   /* of the first one, DER; gnutls_malloc'd */
    gnutls_datum_t staple; /* the OCSP answer about it, DER; gnutls_malloc'd, empty for none */
    int64_t staple_until;
};

struct secsip_tls_profile {
    atomic_uint refs; /* profiles may be shared by stacks of different threads once frozen */
    bool frozen;
    bool serves;         /* a listener uses it */
    atomic_uint judging; /* peers that are being judged, by what replace would take away */
    uint32_t chosen;     /* SSI_TLS_CHOSE_* */
    uint32_t options;
    uint32_t client_cert;
    uint32_t from;
    uint32_t resumption;
    uint32_t
        rules; /* a number that secsip_tls_profile_replace() changes: what was accepted before is not resumed after */
    gnutls_priority_t priority;
    struct ssi_tls_trust trust;
    struct ssi_tls_policy policy;
    void (*known_tend)(void *user_data); /* of policy.known.user_data, and so the next */
    void (*known_release)(void *user_data);
    bool trust_given; /* by the application; else the system's is loaded at need */
    bool trust_loaded;
    struct ssi_tls_identity *identity;
    gnutls_datum_t ticket_key;      /* a server's; gnutls_malloc'd */
    struct ssi_tls_tickets tickets; /* a client's */
    void (*keylog)(const char *line, size_t len, void *user_data);
    void *keylog_user_data;
    int32_t (*password)(const char *what, char *out, size_t cap, void *user_data);
    void *password_user_data;
    secsip_error error;
    char error_text[384];
    char error_found[256];
};

/* SECSIP_E_NOMEM. */
secsip_result ssi_tls_identity_new(struct ssi_tls_identity **ret);
struct ssi_tls_identity *ssi_tls_identity_ref(struct ssi_tls_identity *id);
void ssi_tls_identity_unref(struct ssi_tls_identity *id);
/* The time that a session was given. */
uint64_t ssi_tls_session_wall_s(const struct ssi_tls_session *s);
/* Reads a file for a setter; b is initialised, its max the limit. */
secsip_result ssi_tls_profile_read(secsip_tls_profile *p, const char *path, struct ssi_buf *b);

#endif
