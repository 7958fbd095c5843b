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

/** What else can have saved a certificate. Bits of secsip_tls_info.relaxed only; they come from the functions named. */
enum {
    /** Its key was known for the domain: secsip_tls_profile_set_known_keys() */
    SECSIP_TLS_ALLOW_KNOWN_KEY = 1 << 8,
    /** Its key was the first one seen for the domain: the same */
    SECSIP_TLS_INSECURE_FIRST_USE = 1 << 9,
    /** The application said yes: secsip_tls_profile_set_insecure_decision() */
    SECSIP_TLS_INSECURE_DECISION = 1 << 10,
};

/** The checks of a certificate chain, as bits; doc/tls.md says what each is. */
enum {
    SECSIP_TLS_CHECK_PIN = 1 << 0,
    SECSIP_TLS_CHECK_KNOWN_KEY = 1 << 1,
    SECSIP_TLS_CHECK_REVOCATION = 1 << 2,
    SECSIP_TLS_CHECK_REVOCATION_LIST = 1 << 3,
    SECSIP_TLS_CHECK_STAPLING = 1 << 4,
    SECSIP_TLS_CHECK_TRUST = 1 << 5,
    SECSIP_TLS_CHECK_SELF_SIGNED = 1 << 6,
    SECSIP_TLS_CHECK_STRENGTH = 1 << 7,
    SECSIP_TLS_CHECK_ACTIVATION = 1 << 8,
    SECSIP_TLS_CHECK_EXPIRY = 1 << 9,
    SECSIP_TLS_CHECK_PURPOSE = 1 << 10,
    SECSIP_TLS_CHECK_NAME = 1 << 11,
};

/** How a known key stands to the other checks. */
enum {
    /** The default: keys are not remembered */
    SECSIP_TLS_KNOWN_KEYS_OFF = 0,
    /** Every other check, and the key must be one that is known for the domain, or the first one seen */
    SECSIP_TLS_KNOWN_KEYS_BESIDE_CHAIN = 1,
    /** A known key, or the first one seen, replaces the chain to a trusted authority, and nothing else: name, dates,
     * purpose, strength and revocation count. Who stands in the way at the first contact is believed ever after. */
    SECSIP_TLS_KNOWN_KEYS_INSECURE_INSTEAD_OF_CHAIN = 2,
};

/** Whom a request of a client with a certificate may come from. */
enum {
    SECSIP_TLS_FROM_ANY = 0,
    /** From must be what the certificate names: its user (SAN "sip:alice@example.test"), or any user of its domain (SAN
     * "sip:example.test", or dNSName; RFC 5922). Other requests are answered 403, an ACK is not heard. */
    SECSIP_TLS_FROM_CERTIFIED = 1,
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

/** Versions of TLS, by their numbers on the wire. */
enum {
    SECSIP_TLS_VERSION_1_2 = 0x0303,
    SECSIP_TLS_VERSION_1_3 = 0x0304,
};

/** What is spoken: secsip_tls_profile_set_parameters(). Zero and NULL are the defaults. */
typedef struct secsip_tls_parameters {
    size_t size;
    uint32_t least_version;   /**< SECSIP_TLS_VERSION_*; default 1.2 */
    uint32_t highest_version; /**< default 1.3 */
    /** Key exchange groups with ":" between them; default "X25519:P-256:X448:P-384:P-521". A client sends a key for the
     * first one at once. In TLS 1.2 the curve of an ECDSA certificate must be among them, too (RFC 8422 5.1.1). Names of
     * the IANA and OpenSSL (secp256r1, prime256v1) are known */
    const char *groups;
    /** Default "AES-256-GCM:CHACHA20-POLY1305:AES-128-GCM"; names of TLS 1.3 (TLS_AES_256_GCM_SHA384) are known */
    const char *ciphers;
} secsip_tls_parameters;

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

/** One certificate of a chain, for a decision. Strings and bytes are valid during the callback. */
typedef struct secsip_tls_certificate {
    size_t size;
    const void *der; /**< the certificate */
    size_t der_len;
    const char *subject; /**< "CN=example.test" (RFC 4514) */
    const char *issuer;
    int64_t valid_from; /**< Unix seconds */
    int64_t valid_until;
    const char *pin; /**< "sha256//..." of its key, as secsip_tls_profile_add_pin() takes it */
} secsip_tls_certificate;

/** What a decision is about. All pointers are valid during the callback, strings never NULL. */
typedef struct secsip_tls_question {
    size_t size;
    const char *domain;        /**< a client's: what was asked for; "" where a server asks */
    uint32_t peer_is_client;   /**< 1: a server asks about its client */
    uint32_t failed;           /**< SECSIP_TLS_CHECK_* that nothing forgives; 0: accepted so far */
    uint32_t relaxed;          /**< relaxations that act */
    uint32_t first_use;        /**< 1: no key is known for the domain yet */
    const secsip_error *error; /**< the first of `failed`; result 0 where there is none */
    /** The chain as it was sent, leaf first */
    const secsip_tls_certificate *const *certificates;
    size_t n_certificates;
    /** The leaf's: "URI:sip:example.test", "DNS:example.test", "IP:192.0.2.1", "CN:example.test", "OTHER:..." */
    const char *const *names;
    size_t n_names;
} secsip_tls_question;

/** Where known keys are kept. Callbacks run inside secsip_stack_process(), during a handshake; what the certificate callbacks
 * may do: secsip_tls_profile_set_decision(). */
typedef struct secsip_tls_known_keys {
    size_t size;
    /** The key number `index` (0, 1, ...) that is known for a domain, into pin (cap bytes, NUL-terminated, "sha256//...").
     * @return 0; SECSIP_E_NOT_FOUND when there are no more; else the peer is refused. At most 16 are asked for. */
    int32_t (*lookup)(const char *domain, uint32_t index, char *pin, size_t cap, void *user_data);
    /** Remembers the first key of a domain, after a handshake that proved it. Where another key is known by now (two programs
     * met a new peer at the same time) it is not added. @return 0; SECSIP_E_TLS_CERT_KEY: there is another one; else an
     * error: either way the peer is refused. */
    int32_t (*store)(const char *domain, const char *pin, void *user_data);
    void *user_data;
} secsip_tls_known_keys;

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

/** Trusts the authorities in all PEM files of a folder (not of folders in it), and no longer the system's. Files without
 * certificates are passed over.
 * @return as secsip_tls_profile_add_trust_file(). Since 0.1. */
secsip_result secsip_tls_profile_add_trust_directory(secsip_tls_profile *profile, const char *path);

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

/** Our certificate and key on a PKCS#11 token, by their URIs (RFC 7512); the key stays there. Modules are those that the
 * system's p11-kit knows. The callback of secsip_tls_profile_set_password() is asked for the PIN where the URI holds none, once:
 * a wrong PIN is not tried again, and none where the token has a single try left. It may be asked again in a later handshake,
 * when the token wants to hear it for every signature or was taken out.
 * @param cert_uri  "pkcs11:token=...;object=...;type=cert"; the certificates of its issuers are looked for on the token. Or a
 *                  PEM file's path
 * @param key_uri   "pkcs11:...;type=private"
 * @return as secsip_tls_profile_set_identity_file(). Since 0.1. */
secsip_result secsip_tls_profile_set_identity_uri(secsip_tls_profile *profile, const char *cert_uri,
                                                  const char *key_uri);

/** The same beside the first identity: secsip_tls_profile_add_identity_file(). Since 0.1. */
secsip_result secsip_tls_profile_add_identity_uri(secsip_tls_profile *profile, const char *cert_uri,
                                                  const char *key_uri);

/** Who is asked for the password of an encrypted key, from inside the setters of identities, or for the PIN of a token.
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
 * a random one. The keys in use change by themselves with time, about twice a day. Also for a profile in use, to renew the
 * secret on all nodes: tickets under the old one lead to full handshakes. Not while another thread uses the profile.
 * @param key, len  64 random bytes; copied into memory that is wiped
 * @return 0, SECSIP_E_INVALID (len), SECSIP_E_NOMEM. RFC 5077, RFC 9325 section 7.4. Since 0.1. */
secsip_result secsip_tls_profile_set_ticket_key(secsip_tls_profile *profile, const void *key,
                                                size_t len);

/** TLS 1.3 only (RFC 9852), or 1.3 and 1.2, the default: short for secsip_tls_profile_set_parameters() with these versions
 * and the default for all else, in whose place it comes.
 * @param required  1 or 0. @return 0, SECSIP_E_STATE, SECSIP_E_NOMEM. Since 0.1. */
secsip_result secsip_tls_profile_require_tls13(secsip_tls_profile *profile, int32_t required);

/** Which versions of TLS, key exchanges and ciphers are spoken, the best liked first; a server's order counts. There is
 * nothing to choose that is weaker than the default: ECDHE and AEAD only (RFC 9325). Takes the place of earlier calls.
 * @param parameters  copied; NULL: the defaults
 * @return 0, SECSIP_E_INVALID (an unknown or weak name, one that stands there twice, a version that is none, no version
 *         between the two; secsip_tls_profile_error() names it), SECSIP_E_ABI, SECSIP_E_STATE, SECSIP_E_NOMEM. Since 0.1. */
secsip_result secsip_tls_profile_set_parameters(secsip_tls_profile *profile,
                                                const secsip_tls_parameters *parameters);

/** Renews a profile that is in use. Taken from the replacement, also where it has none: identities with their OCSP answer,
 * authorities (none: the system's), CRLs, pins, options, known keys, the decision and the ticket key (none: a new random one). Taken
 * where a setter was called on the replacement, else as they were: what a listener asks of its clients and whom their requests may
 * come from, which sessions may be resumed, versions and other parameters, the key log. The replacement is empty afterwards and
 * only to be unref'd. Handshakes that begin from now on use the new ones, and one that is not through yet
 * ends with a verdict by the new ones; connections that stand go on, and no earlier session is resumed. Not while another thread
 * uses the profile.
 * @param replacement  a profile that is not in use, set up like a new one
 * @return 0, SECSIP_E_INVALID (NULL, the same profile), SECSIP_E_STATE (the replacement is in use),
 *         SECSIP_E_TLS_CREDENTIALS (the profile serves a listener and the replacement has no identity), SECSIP_E_BUSY (from the
 *         decision or the known keys of a peer that is being judged). Since 0.1. */
secsip_result secsip_tls_profile_replace(secsip_tls_profile *profile,
                                         secsip_tls_profile *replacement);

/** Asked about each peer's certificate, after all checks and before anything is sent to that peer, also where an earlier
 * session is resumed. It can only tighten: what a check refused stays refused. Not asked where the peer sent no chain, or one
 * that cannot be read.
 * @param decide  @return 0 leaves the verdict as it is, an error refuses the peer (SECSIP_E_TLS_CERT_REFUSED). It runs
 *                inside secsip_stack_process(), in the middle of a handshake: it may look at everything and end what it
 *                likes, but must not wait. NULL: nobody is asked
 * @return 0, SECSIP_E_STATE. Since 0.1. */
secsip_result secsip_tls_profile_set_decision(secsip_tls_profile *profile,
                                              int32_t (*decide)(const secsip_tls_question *question,
                                                                void *user_data),
                                              void *user_data);

/** The same, with the last word: 0 accepts the peer whatever failed, a wrong pin or changed key among it, and
 * secsip_tls_info says SECSIP_TLS_INSECURE_DECISION where something had. What it says is as safe as what it looks at.
 * Takes the place of the other. Since 0.1. */
secsip_result secsip_tls_profile_set_insecure_decision(
    secsip_tls_profile *profile,
    int32_t (*decide)(const secsip_tls_question *question, void *user_data), void *user_data);

/** Trust on first use: a client remembers the key of each domain's server, and a changed one is an error
 * (SECSIP_E_TLS_CERT_KEY) that names both. Only a key whose peer passed every other check of `mode` is remembered, and
 * none that an option with insecure in its name let pass. A server asks nobody: its clients have no domain.
 * @param mode  SECSIP_TLS_KNOWN_KEYS_*
 * @param keys  where they are kept; copied; NULL for SECSIP_TLS_KNOWN_KEYS_OFF only
 * @return 0, SECSIP_E_INVALID, SECSIP_E_ABI, SECSIP_E_STATE. Since 0.1. */
secsip_result secsip_tls_profile_set_known_keys(secsip_tls_profile *profile, uint32_t mode,
                                                const secsip_tls_known_keys *keys);

/** The same, kept in a file: a line "DOMAIN sha256//BASE64" for each key. It is made when the first key comes, readable for
 * its owner only; read anew for each handshake; written as a whole beside it, brought to the disk and renamed, under a lock
 * (PATH.lock), so that programs can share it. No handshake waits for the lock: a key that comes while another program has it is
 * known to this profile at once, and written at the next handshake, keep-alive or the profile's end (which waits for a second
 * at most); where the file names another key of the domain by then, that one counts. A file that everybody may write is refused.
 * @param path  copied; its folder must exist
 * @return 0, SECSIP_E_INVALID, SECSIP_E_STATE, SECSIP_E_FILE (it is there and cannot be used), SECSIP_E_NOMEM. Since 0.1. */
secsip_result secsip_tls_profile_set_known_keys_file(secsip_tls_profile *profile, uint32_t mode,
                                                     const char *path);

/** Removes a domain's keys from such a file: the next one seen is remembered. It may wait for the lock for a second.
 * @return 0, SECSIP_E_NOT_FOUND, SECSIP_E_INVALID, SECSIP_E_FILE, SECSIP_E_TIMEOUT (locked for more than a second),
 *         SECSIP_E_NOMEM. Since 0.1. */
secsip_result secsip_tls_known_keys_forget(const char *path, const char *domain);

/** Whom a listener's requests may come from: SECSIP_TLS_FROM_*. It binds clients that showed a certificate; that all do is
 * secsip_tls_profile_set_client_cert()'s matter. Default: any.
 * @return 0, SECSIP_E_INVALID, SECSIP_E_STATE. Since 0.1. */
secsip_result secsip_tls_profile_set_from(secsip_tls_profile *profile, uint32_t mode);

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
