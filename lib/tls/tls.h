/* TLS credentials, sessions on memory buffers, and verification the SIP way (RFC 5922, RFC 9325). Layer: tls, the only
 * place with GnuTLS. No socket here: ciphertext comes in through input and leaves through output. */
#ifndef SSI_TLS_TLS_H
#define SSI_TLS_TLS_H

#include "base/buf.h"
#include "secsip/tls.h"

/* struct secsip_tls_profile (public, counted) is defined in tls/profile.h for this folder's own use. */

struct ssi_tls_session;

enum {
    SSI_TLS_DOMAIN_SIZE = 256
};

/* A domain or address as it is compared: lower case, A-labels, no final dot; an address in its shortest form, no brackets.
 * SECSIP_E_INVALID. */
secsip_result ssi_tls_domain_normal(const char *domain, char out[SSI_TLS_DOMAIN_SIZE]);

/* Everything about a failure; fixed buffers, so that reporting it needs no memory. */
struct ssi_tls_failure {
    secsip_result result; /* SECSIP_E_TLS_* */
    const char *
        check; /* "trust", "name", "expiry", "activation", "self-signed", "purpose", "handshake", ... */
    char expected[128];
    char found[256];
    char text[512];        /* the whole sentence */
    char certificate[384]; /* the leaf's names, dates, key and issuer; "" where it is about none */
};

/* Relaxations after which a peer has proved nothing. */
#define SSI_TLS_INSECURE_OPTIONS                                                                   \
    (SECSIP_TLS_INSECURE_SELF_SIGNED | SECSIP_TLS_INSECURE_ANY | SECSIP_TLS_INSECURE_FIRST_USE |   \
     SECSIP_TLS_INSECURE_DECISION)

enum ssi_tls_state {
    SSI_TLS_HANDSHAKE,
    SSI_TLS_OPEN,           /* handshake done and the peer verified; not before */
    SSI_TLS_CLOSED_BY_PEER, /* close_notify came */
    SSI_TLS_FAILED,
};

struct ssi_tls_config {
    secsip_tls_profile *profile; /* a reference is taken */
    bool server;
    const char *
        domain; /* client: the domain asked for, before any DNS step; checked against the certificate, and sent as
                           SNI where it is no address. Copied. */
    uint64_t wall_s;   /* the time for certificate dates, Unix seconds */
    size_t max_output; /* bytes of unsent ciphertext, 0: 1 MiB */
};

secsip_result ssi_tls_session_new(const struct ssi_tls_config *config,
                                  struct ssi_tls_session **ret);
void ssi_tls_session_free(struct ssi_tls_session *s);
/* Ciphertext from the wire; copied. Goes on with the handshake by itself. Read until 0 after each. Returns the state (enum ssi_tls_state) or
 * SECSIP_E_NOMEM, SECSIP_E_LIMIT. After SSI_TLS_FAILED send what output holds (the alert), then close. */
int32_t ssi_tls_session_input(struct ssi_tls_session *s, const void *data, size_t len);
/* Starts the client's handshake (writes ClientHello to output). */
int32_t ssi_tls_session_start(struct ssi_tls_session *s);
int32_t ssi_tls_session_state(const struct ssi_tls_session *s);
/* Decrypted bytes: up to cap. 0: none now; then look at the state, which CLOSED_BY_PEER and FAILED reach here too. Negative
 * when the session has failed (the failure's result), SECSIP_E_STATE before OPEN. */
int32_t ssi_tls_session_read(struct ssi_tls_session *s, void *out, size_t cap);
/* Encrypts all of data into output. SECSIP_E_STATE before OPEN; SECSIP_E_LIMIT when output would pass max_output. */
secsip_result ssi_tls_session_write(struct ssi_tls_session *s, const void *data, size_t len);
/* Writes close_notify to output. */
void ssi_tls_session_close(struct ssi_tls_session *s);
/* Bytes of the peer's that wait inside: of a record that is not whole, or during the handshake all of them. */
size_t ssi_tls_session_held(const struct ssi_tls_session *s);
/* Ciphertext to send: the caller consumes it. */
struct ssi_buf *ssi_tls_session_output(struct ssi_tls_session *s);
/* For OPEN; strings borrowed for the life of the session. */
const secsip_tls_info *ssi_tls_session_info(const struct ssi_tls_session *s);
/* For FAILED; borrowed. */
const struct ssi_tls_failure *ssi_tls_session_failure(const struct ssi_tls_session *s);
/* A client: the server asked for our certificate, and it was shown, here or in the session that is resumed. */
bool ssi_tls_session_showed_certificate(const struct ssi_tls_session *s);
/* True when the verified peer certificate may speak for the domain (RFC 5922): on a server, the client's; used before a
 * request's From is believed. */
bool ssi_tls_session_peer_is(const struct ssi_tls_session *s, const char *domain);
/* True when its peer would also have been accepted, had we asked it for the domain: used before a connection that was made to us
 * takes the place of one of ours. */
bool ssi_tls_session_stands_for(const struct ssi_tls_session *s, const char *domain);
/* True when the peers of both were accepted and have shown the same certificate. */
bool ssi_tls_session_shows_same(const struct ssi_tls_session *s, const struct ssi_tls_session *as);
/* On a server: both clients have proved the same name, of the same kind. */
bool ssi_tls_session_is_same_client(const struct ssi_tls_session *s,
                                    const struct ssi_tls_session *of);
/* On a server: the client showed a certificate and the profile binds From to it (SECSIP_TLS_FROM_CERTIFIED). */
bool ssi_tls_session_binds_from(const struct ssi_tls_session *s);
/* The users that the verified peer certificate names, "sip:alice@example.test": one after the other from *at = 0, borrowed;
 * NULL at the end. */
const char *ssi_tls_session_user(const struct ssi_tls_session *s, size_t *at);

/* Every setter begins with it: clears the error. SECSIP_E_INVALID (NULL), SECSIP_E_STATE (in use). */
secsip_result ssi_tls_profile_begin(secsip_tls_profile *p);
/* Notes a setter's failure and returns result; text is printf-like. check and expected are constants. */
secsip_result ssi_tls_profile_fail(secsip_tls_profile *p, secsip_result result, const char *check,
                                   const char *expected, const char *found, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
/* What is behind the exported functions of the same names (secsip/tls.h). */
secsip_result ssi_tls_profile_new(secsip_tls_profile **ret);
secsip_tls_profile *ssi_tls_profile_ref(secsip_tls_profile *p);
void ssi_tls_profile_unref(secsip_tls_profile *p);
secsip_result ssi_tls_profile_add_trust_file(secsip_tls_profile *p, const char *path);
secsip_result ssi_tls_profile_add_trust_directory(secsip_tls_profile *p, const char *path);
secsip_result ssi_tls_profile_add_trust_pem(secsip_tls_profile *p, const char *pem, size_t len);
secsip_result ssi_tls_profile_set_identity_file(secsip_tls_profile *p, const char *cert_path,
                                                const char *key_path);
secsip_result ssi_tls_profile_set_identity_pem(secsip_tls_profile *p, const char *cert,
                                               size_t cert_len, const char *key, size_t key_len);
secsip_result ssi_tls_profile_add_identity_file(secsip_tls_profile *p, const char *cert_path,
                                                const char *key_path);
secsip_result ssi_tls_profile_add_identity_pem(secsip_tls_profile *p, const char *cert,
                                               size_t cert_len, const char *key, size_t key_len);
secsip_result ssi_tls_profile_set_identity_pkcs12(secsip_tls_profile *p, const void *p12,
                                                  size_t len, const char *password);
secsip_result ssi_tls_profile_set_identity_uri(secsip_tls_profile *p, const char *cert_uri,
                                               const char *key_uri);
secsip_result ssi_tls_profile_add_identity_uri(secsip_tls_profile *p, const char *cert_uri,
                                               const char *key_uri);
secsip_result ssi_tls_profile_set_password(secsip_tls_profile *p,
                                           int32_t (*password)(const char *what, char *out,
                                                               size_t cap, void *user_data),
                                           void *user_data);
secsip_result ssi_tls_profile_add_crl_pem(secsip_tls_profile *p, const char *pem, size_t len);
secsip_result ssi_tls_profile_add_crl_file(secsip_tls_profile *p, const char *path);
secsip_result ssi_tls_profile_set_ocsp(secsip_tls_profile *p, const void *der, size_t len);
secsip_result ssi_tls_profile_add_pin(secsip_tls_profile *p, const char *pin);
secsip_result ssi_tls_profile_set_resumption(secsip_tls_profile *p, uint32_t mode);
secsip_result ssi_tls_profile_set_ticket_key(secsip_tls_profile *p, const void *key, size_t len);
secsip_result ssi_tls_profile_replace(secsip_tls_profile *p, secsip_tls_profile *with);
secsip_result ssi_tls_profile_set_options(secsip_tls_profile *p, uint32_t options);
secsip_result ssi_tls_profile_set_client_cert(secsip_tls_profile *p, uint32_t mode);
secsip_result ssi_tls_profile_set_from(secsip_tls_profile *p, uint32_t mode);
secsip_result ssi_tls_profile_set_decision(secsip_tls_profile *p,
                                           int32_t (*decide)(const secsip_tls_question *question,
                                                             void *user_data),
                                           void *user_data, bool insecure);
/* tend: called now and then (ssi_tls_profile_tend), NULL: not. release: frees keys->user_data when the profile ends; NULL: it is
 * the application's. SECSIP_E_INVALID, SECSIP_E_STATE: it is not taken. */
secsip_result ssi_tls_profile_set_known_keys(secsip_tls_profile *p, uint32_t mode,
                                             const secsip_tls_known_keys *keys,
                                             void (*tend)(void *user_data),
                                             void (*release)(void *user_data));
/* To be called while the profile is in use, each minute or two: work that could not be done at once. NULL is legal. */
void ssi_tls_profile_tend(secsip_tls_profile *p);
/* parameters: NULL: the defaults. */
secsip_result ssi_tls_profile_set_parameters(secsip_tls_profile *p,
                                             const secsip_tls_parameters *parameters);
/* The same with one version alone, SECSIP_TLS_VERSION_*; 0: the defaults. */
secsip_result ssi_tls_profile_set_version(secsip_tls_profile *p, uint32_t only);
secsip_result ssi_tls_profile_set_keylog(secsip_tls_profile *p,
                                         void (*keylog)(const char *line, size_t len,
                                                        void *user_data),
                                         void *user_data);
const secsip_error *ssi_tls_profile_error(const secsip_tls_profile *p);

/* A profile is frozen when it is first used. SECSIP_E_TLS_CREDENTIALS (server without identity), SECSIP_E_NOMEM. */
secsip_result ssi_tls_profile_freeze(secsip_tls_profile *p, bool server);

#endif
