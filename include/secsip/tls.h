/* TLS profiles: what we trust, what we show, what we relax. SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A profile is made once, set up, and then given to any number of accounts and listeners, which keep a reference.
 * Default: TLS 1.3 and 1.2 with ECDHE and AEAD only (RFC 9325), the system's trust store, the peer verified by RFC 5922.
 * Setters may be called until the profile is first used; after that they return SECSIP_E_STATE. One thread at a time. */
#ifndef SECSIP_TLS_H
#define SECSIP_TLS_H

#include <stddef.h>
#include <stdint.h>

#include <secsip/result.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct secsip_tls_profile secsip_tls_profile;

/** Relaxations of the verification, each off unless named. Bits of secsip_tls_profile_set_options(). */
enum {
    SECSIP_TLS_ALLOW_WILDCARD = 1 << 0, /**< a leftmost label "*" in a SAN; not RFC 5922 7.2 */
    SECSIP_TLS_ALLOW_CN = 1 << 1,      /**< the CN counts although the certificate has other SANs */
    SECSIP_TLS_ALLOW_EXPIRED = 1 << 2, /**< an expired certificate */
    SECSIP_TLS_INSECURE_SELF_SIGNED = 1 << 3, /**< a self-signed certificate of the right name */
    SECSIP_TLS_INSECURE_ANY = 1 << 4, /**< any certificate at all: keys are worth nothing then */
};

/** What a server does about client certificates. */
enum {
    SECSIP_TLS_CLIENT_CERT_IGNORE = 0,
    SECSIP_TLS_CLIENT_CERT_REQUEST = 1, /**< asked for; none is accepted, a bad one is not */
    SECSIP_TLS_CLIENT_CERT_REQUIRE = 2,
};

/** Which sessions may be resumed. Resuming saves the certificates and signatures, never the verdict: the peer's chain is
 * judged again, at the time and by the rules of the new session. */
enum {
    SECSIP_TLS_RESUME_OFF = 0,
    /** The default: a new key exchange each time, so forward secrecy is kept */
    SECSIP_TLS_RESUME_TLS13 = 1,
    /** TLS 1.2 too, where who learns the ticket key can read what was sent */
    SECSIP_TLS_RESUME_ALL = 2,
};

/** What a TLS session came to. Strings are valid as long as the event that carries them. */
typedef struct secsip_tls_info {
    size_t size;
    const char *version; /**< "TLS1.3", or "" where the flow is not TLS */
    const char *cipher;  /**< "AES-256-GCM" */
    /** The name that was verified, or what the peer's certificate calls itself */
    const char *peer;
    /** 1 when the peer's certificate passed every check with no relaxation acting */
    uint32_t verified;
    /** The SECSIP_TLS_ALLOW_ and _INSECURE_ bits without which it would have been refused */
    uint32_t relaxed;
    uint32_t resumed; /**< 1 when an earlier session was resumed */
} secsip_tls_info;

/** A new profile with the secure defaults.
 * @param ret_profile  where the profile goes; unref it when done
 * @return 0, SECSIP_E_NOMEM, SECSIP_E_INVALID (ret_profile is NULL). Since 0.1. */
secsip_result secsip_tls_profile_new(secsip_tls_profile **ret_profile);

/** One more reference. @return the profile, NULL for NULL. Since 0.1. */
secsip_tls_profile *secsip_tls_profile_ref(secsip_tls_profile *profile);

/** One reference less; the last one wipes and frees the profile. NULL is legal. Since 0.1. */
void secsip_tls_profile_unref(secsip_tls_profile *profile);

/** Trusts the authorities in a PEM file, and no longer the system's.
 * @param path  NUL-terminated; read at once; a second call adds
 * @return 0, SECSIP_E_FILE (cannot be read), SECSIP_E_TLS_CREDENTIALS (no certificate in it), SECSIP_E_STATE,
 *         SECSIP_E_NOMEM. secsip_tls_profile_error() says which file and why. Since 0.1. */
secsip_result secsip_tls_profile_add_trust_file(secsip_tls_profile *profile, const char *path);

/** Trusts the authorities in PEM text, and no longer the system's.
 * @param pem, len  the text; copied. @return as secsip_tls_profile_add_trust_file(). Since 0.1. */
secsip_result secsip_tls_profile_add_trust_pem(secsip_tls_profile *profile, const char *pem,
                                               size_t len);

/** Our certificate (chain, leaf first) and private key, from PEM files; both paths may name one file.
 * @return 0, SECSIP_E_FILE, SECSIP_E_TLS_CREDENTIALS (unreadable, or the key is not the certificate's),
 *         SECSIP_E_STATE, SECSIP_E_NOMEM. Since 0.1. */
secsip_result secsip_tls_profile_set_identity_file(secsip_tls_profile *profile,
                                                   const char *cert_path, const char *key_path);

/** The same from memory; copied, the key into memory that is wiped. @return as above. Since 0.1. */
secsip_result secsip_tls_profile_set_identity_pem(secsip_tls_profile *profile, const char *cert,
                                                  size_t cert_len, const char *key, size_t key_len);

/** Relaxations, a sum of SECSIP_TLS_ALLOW_* and SECSIP_TLS_INSECURE_*; replaces earlier ones.
 * @return 0, SECSIP_E_INVALID (unknown bit), SECSIP_E_STATE. Since 0.1. */
secsip_result secsip_tls_profile_set_options(secsip_tls_profile *profile, uint32_t options);

/** What a listener asks of its clients: SECSIP_TLS_CLIENT_CERT_*. Default: ignore.
 * @return 0, SECSIP_E_INVALID, SECSIP_E_STATE. Since 0.1. */
secsip_result secsip_tls_profile_set_client_cert(secsip_tls_profile *profile, uint32_t mode);

/** One more certificate with its key, for a server of several domains: the name a client asks for (SNI) chooses among
 * them by dNSName and sip URI, and the first one set serves all others. @return as
 * secsip_tls_profile_set_identity_file(); SECSIP_E_STATE also before the first identity. Since 0.1. */
secsip_result secsip_tls_profile_add_identity_file(secsip_tls_profile *profile,
                                                   const char *cert_path, const char *key_path);

/** The same from memory. Since 0.1. */
secsip_result secsip_tls_profile_add_identity_pem(secsip_tls_profile *profile, const char *cert,
                                                  size_t cert_len, const char *key, size_t key_len);

/** Our certificate, chain and key from PKCS#12, as browsers and authorities give it.
 * @param p12, len   the file's bytes; copied into memory that is wiped
 * @param password   NUL-terminated; NULL: ask the callback of secsip_tls_profile_set_password()
 * @return as secsip_tls_profile_set_identity_file(). Since 0.1. */
secsip_result secsip_tls_profile_set_identity_pkcs12(secsip_tls_profile *profile, const void *p12,
                                                     size_t len, const char *password);

/** Who is asked for the password of an encrypted key, from inside the setters of identities.
 * @param password  writes a NUL-terminated password of at most cap - 1 bytes to out and returns 0, or an error to give
 *                  up; what names the file, or is "". out is wiped after use. NULL: encrypted keys cannot be used
 * @return 0, SECSIP_E_STATE. Since 0.1. */
secsip_result secsip_tls_profile_set_password(secsip_tls_profile *profile,
                                              int32_t (*password)(const char *what, char *out,
                                                                  size_t cap, void *user_data),
                                              void *user_data);

/** Certificates that are revoked. Authorities must have been added before: the lists are checked against them. A list that
 * is past its next update makes every certificate of its issuer fail: a doubt is an error.
 * @param pem, len  one or more CRLs in PEM; copied
 * @return 0, SECSIP_E_TLS_CREDENTIALS (no CRL in it, or not signed by an authority that is trusted), SECSIP_E_STATE (in
 *         use, or no authority yet), SECSIP_E_NOMEM. RFC 5280. Since 0.1. */
secsip_result secsip_tls_profile_add_crl_pem(secsip_tls_profile *profile, const char *pem,
                                             size_t len);

/** The same from a file. @return as above, or SECSIP_E_FILE. Since 0.1. */
secsip_result secsip_tls_profile_add_crl_file(secsip_tls_profile *profile, const char *path);

/** A server's OCSP answer for its first certificate, stapled to each handshake (RFC 6066 section 8). A newer one is given by
 * secsip_tls_profile_replace(). Clients check what servers staple, and demand it where the certificate does (RFC 7633).
 * @param der, len  an OCSPResponse in DER; copied
 * @return 0, SECSIP_E_TLS_CREDENTIALS (unreadable, or about another certificate), SECSIP_E_STATE (in use, or no identity
 *         yet). Since 0.1. */
secsip_result secsip_tls_profile_set_ocsp(secsip_tls_profile *profile, const void *der, size_t len);

/** Besides all other checks, the peer's chain must hold one of the pinned keys. Several may be pinned, a backup among them.
 * No relaxation forgives a wrong key.
 * @param pin  SHA-256 of a SubjectPublicKeyInfo: "sha256//" and base64 (as curl has it), or 64 hexadecimal digits
 * @return 0, SECSIP_E_INVALID (no such pin), SECSIP_E_LIMIT (more than 16), SECSIP_E_STATE. Since 0.1. */
secsip_result secsip_tls_profile_add_pin(secsip_tls_profile *profile, const char *pin);

/** Which sessions may be resumed, as a client and as a server: SECSIP_TLS_RESUME_*.
 * @return 0, SECSIP_E_INVALID, SECSIP_E_STATE. RFC 8446 section 2.2, RFC 5077. Since 0.1. */
secsip_result secsip_tls_profile_set_resumption(secsip_tls_profile *profile, uint32_t mode);

/** The secret from which a server's ticket keys are made, so that several nodes can resume each other's sessions. Default:
 * a random one. The keys in use change by themselves with time.
 * @param key, len  64 random bytes; copied into memory that is wiped
 * @return 0, SECSIP_E_INVALID (len), SECSIP_E_STATE, SECSIP_E_NOMEM. Since 0.1. */
secsip_result secsip_tls_profile_set_ticket_key(secsip_tls_profile *profile, const void *key,
                                                size_t len);

/** TLS 1.3 only (RFC 9852), or 1.3 and 1.2, the default.
 * @param required  1 or 0. @return 0, SECSIP_E_STATE, SECSIP_E_NOMEM. Since 0.1. */
secsip_result secsip_tls_profile_require_tls13(secsip_tls_profile *profile, int32_t required);

/** Renews a profile that is in use: identities, authorities, CRLs, pins and options are taken from the replacement, which is
 * empty afterwards and only to be unref'd. Handshakes that begin from now on use the new ones; connections that stand go
 * on, and no earlier session is resumed. Not while another thread uses the profile.
 * @param replacement  a profile that is not in use, set up like a new one
 * @return 0, SECSIP_E_INVALID (NULL, the same profile), SECSIP_E_STATE (the replacement is in use),
 *         SECSIP_E_TLS_CREDENTIALS (the profile serves a listener and the replacement has no identity). Since 0.1. */
secsip_result secsip_tls_profile_replace(secsip_tls_profile *profile,
                                         secsip_tls_profile *replacement);

/** Opt-in: called with each line of an NSS key log ("CLIENT_RANDOM ..."), with which a capture can be decrypted. The
 * line is a secret; it is wiped after the call. Runs inside secsip_stack_process() only. NULL turns it off.
 * @return 0, SECSIP_E_STATE. Since 0.1. */
secsip_result secsip_tls_profile_set_keylog(secsip_tls_profile *profile,
                                            void (*keylog)(const char *line, size_t len,
                                                           void *user_data),
                                            void *user_data);

/** The detail of the last setter that failed, or an error with result 0.
 * @return borrowed until the next call on the profile, never NULL for a profile. Since 0.1. */
const secsip_error *secsip_tls_profile_error(const secsip_tls_profile *profile);

#ifdef __cplusplus
}
#endif

#endif
