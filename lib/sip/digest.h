/* Digest authentication, both sides (RFC 3261 22, RFC 7616, RFC 8760): MD5, SHA-256 and SHA-512/256, qop=auth and auth-int,
 * several challenges, stale, replays. The client answers the -sess forms too, and auth-int where auth is not offered: what stands
 * between may have to change a body (RFC 3261 22.4). Layer: sip. Passwords and HA1 are secrets of their callers; nothing here keeps them. */
#ifndef SSI_SIP_DIGEST_H
#define SSI_SIP_DIGEST_H

#include "base/crypto.h"
#include "base/hash.h"
#include "base/list.h"
#include "sip/msg.h"

enum {
    SSI_HA1_TEXT = 2 * SSI_DIGEST_MAX + 1
};

/* A challenge taken from a 401 or 407; owns its strings. Zero-initialise; free when done. */
struct ssi_sip_challenge {
    char *realm; /* unquoted */
    char *nonce;
    char *opaque; /* NULL: none */
    enum ssi_digest_algorithm algorithm;
    bool is_proxy; /* answer in Proxy-Authorization */
    bool stale;
    bool has_qop;         /* qop=auth or auth-int was offered */
    bool is_int;          /* auth-int was, and not auth */
    bool names_algorithm; /* algorithm= was given: echo it */
    bool is_sess;         /* "-sess": HA1 is of the first cnonce, which stays (RFC 7616 3.4.2) */
    char cnonce[33];      /* of is_sess, once it was used */
    uint32_t nc;          /* last used */
};

/* Picks from all challenges of a 401 or 407 the topmost that is supported, or a stronger one of the same realm below it: who
 * could reorder the challenges shall gain nothing (RFC 8760 2.4's "local policy", and 3). Frees what *c held before.
 * SECSIP_E_SIP_AUTH when one is malformed, SECSIP_E_SIP_AUTH_ALGORITHM when none is supported, SECSIP_E_NOMEM. */
secsip_result ssi_sip_challenge_pick(const struct ssi_sip_msg *response,
                                     struct ssi_sip_challenge *c);
void ssi_sip_challenge_free(struct ssi_sip_challenge *c);
/* The response of RFC 7616 3.4.1; nc and cnonce NULL: without qop, as RFC 2069. Values without quotes and escapes.
 * Errors of ssi_digest_hex. */
struct ssi_sip_digest_input {
    enum ssi_digest_algorithm algorithm;
    bool is_sess;
    struct ssi_slice user;
    struct ssi_slice realm;
    struct ssi_slice nonce;
    const char *nc; /* 8 hexadecimal digits */
    struct ssi_slice cnonce;
    struct ssi_slice method;
    struct ssi_slice uri;
    bool is_int; /* qop=auth-int: with the body (RFC 7616 3.4.3); not without nc */
    struct ssi_slice body;
};
secsip_result ssi_sip_digest_response(const struct ssi_sip_digest_input *in, const char *password,
                                      char out[SSI_HA1_TEXT]);
/* Writes the whole Authorization or Proxy-Authorization line; counts nc up. `uri` is the Request-URI as sent, `body` the whole
 * body. */
void ssi_sip_put_credentials(struct ssi_buf *b, struct ssi_sip_challenge *c, const char *user,
                             const char *password, struct ssi_slice method, struct ssi_slice uri,
                             struct ssi_slice body);

/* Server side; nonce.h says what is kept of nonces. */
struct ssi_sip_auth_server {
    uint8_t key[32];
    uint32_t nonce_life_s; /* default 300 */
    uint32_t max_used; /* how many used nonces are remembered, default 10000 of about 100 bytes */
    uint64_t n_made;
    uint64_t floor; /* a nonce up to this number that is not remembered is old */
    struct ssi_hash used;
    struct ssi_list order;
};
/* SECSIP_E_RANDOM, SECSIP_E_NOMEM. */
secsip_result ssi_sip_auth_server_init(struct ssi_sip_auth_server *s);
/* Safe on one that is all zero. */
void ssi_sip_auth_server_free(struct ssi_sip_auth_server *s);
/* Writes one WWW-Authenticate (or Proxy-Authenticate) line per algorithm: SHA-256, SHA-512/256, MD5. now_s: any clock in seconds. */
void ssi_sip_put_challenges(struct ssi_buf *b, struct ssi_sip_auth_server *s, const char *realm,
                            bool is_proxy, bool stale, uint64_t now_s);
enum ssi_sip_auth_verdict {
    SSI_SIP_AUTH_NONE, /* no credentials for the realm: challenge */
    /* The nonce is old, or its nc was used before (RFC 7616 3.4): challenge with stale=true */
    SSI_SIP_AUTH_STALE,
    SSI_SIP_AUTH_WRONG, /* unknown user or wrong password */
    SSI_SIP_AUTH_BAD,   /* malformed, or for another URI than the request's (RFC 7616 3.4.6): 400 */
    SSI_SIP_AUTH_FAILED, /* could not be judged, for want of memory or of a digest: 500 */
    SSI_SIP_AUTH_OK,
};
/* Verifies the credentials for `realm`. `password_of` gives the password of a user (NUL-terminated, wiped and freed by
 * ssi_secret_free) or NULL. On OK (and WRONG) *ret_user borrows from the message (as written between the quotes). Constant time in the digest. */
enum ssi_sip_auth_verdict ssi_sip_auth_check(struct ssi_sip_auth_server *s,
                                             const struct ssi_sip_msg *req, const char *realm,
                                             bool is_proxy, uint64_t now_s,
                                             char *(*password_of)(void *arg, struct ssi_slice user),
                                             void *arg, struct ssi_slice *ret_user);

/* True when one value of Authorization or Proxy-Authorization is of the Digest scheme and for this realm: a proxy keeps
 * those to itself (RFC 3261 22.3). Malformed ones and those without memory for the comparison count as for the realm. */
bool ssi_sip_credentials_are_for(struct ssi_slice value, const char *realm);

#endif
