/* The demo's certificates, made when it starts and kept in memory: an authority, and a server that it vouches for.
 * Part of: secsip-demo, and the only file pair of it that uses GnuTLS. */
#ifndef DEMO_CERTS_H
#define DEMO_CERTS_H

#include <stdbool.h>

/* NUL-terminated PEM texts, owned until certs_free(). */
struct certs {
    char *authority;
    char *server;     /* for the domain: SAN URI:sip:DOMAIN and DNS:DOMAIN (RFC 5922 4) */
    char *server_key; /* wiped by certs_free() */
};

/* Two P-256 keys and two certificates, valid for a day. False with a sentence in *ret_why. */
bool certs_make(const char *domain, struct certs *ret, const char **ret_why);
void certs_free(struct certs *c);

#endif
