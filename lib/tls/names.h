/* The identities of a certificate as SIP sees them (RFC 5922 section 7.1), and the question whether they cover a domain.
 * Layer: tls. The list owns one block of memory and outlives the certificate it was read from. */
#ifndef SSI_TLS_NAMES_H
#define SSI_TLS_NAMES_H

#include <gnutls/x509.h>

#include "tls/tls.h"

enum ssi_tls_name_kind {
    SSI_TLS_NAME_SIP,   /* SAN URI sip:HOST without a user part; kept without "sip:" */
    SSI_TLS_NAME_DNS,   /* SAN dNSName */
    SSI_TLS_NAME_IP,    /* SAN iPAddress, as text */
    SSI_TLS_NAME_USER,  /* SAN URI sip:USER@HOST: a person, never a domain */
    SSI_TLS_NAME_OTHER, /* any other SAN, for texts only */
    SSI_TLS_NAME_CN,
};

enum {
    SSI_TLS_MAX_NAMES = 100
};

struct ssi_tls_names {
    struct ssi_buf list; /* records: kind, length, bytes, NUL */
    bool has_san;
};

void ssi_tls_names_init(struct ssi_tls_names *n);
void ssi_tls_names_free(struct ssi_tls_names *n);
/* SECSIP_E_NOMEM, SECSIP_E_LIMIT (more than SSI_TLS_MAX_NAMES), SECSIP_E_INVALID (the SAN cannot be read). */
secsip_result ssi_tls_names_read(struct ssi_tls_names *n, gnutls_x509_crt_t crt);
/* Adds one, as ssi_tls_names_read does; what is no name of its kind becomes SSI_TLS_NAME_OTHER. */
void ssi_tls_names_add(struct ssi_tls_names *n, enum ssi_tls_name_kind kind, struct ssi_slice text);
/* One after the other from *at = 0; text is NUL-terminated and borrowed. False at the end. */
bool ssi_tls_names_next(const struct ssi_tls_names *n, size_t *at, enum ssi_tls_name_kind *ret_kind,
                        const char **ret_text);
/* True when the certificate may speak for the (normal) domain. *ret_needs: the SECSIP_TLS_ALLOW_ bit without which it may
 * not, 0 for a strict match. */
bool ssi_tls_names_match(const struct ssi_tls_names *n, const char *domain, uint32_t *ret_needs);
/* "example.test, sip:example.test", cut to cap; "no name" for none. */
void ssi_tls_names_show(const struct ssi_tls_names *n, char *out, size_t cap);
/* The name a certificate goes by: its first sip URI, else dNSName, address, user, or where there is no SAN its CN; "" and
 * SSI_TLS_NAME_OTHER for none. */
enum ssi_tls_name_kind ssi_tls_names_first(const struct ssi_tls_names *n, char *out, size_t cap);

#endif
