/* The demo's certificates, see certs.h. Part of: secsip-demo. */
#include "certs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gnutls/gnutls.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>

enum {
    DAY_S = 86400,
    SKEW_S = 300
};

struct pair {
    gnutls_x509_crt_t crt;
    gnutls_x509_privkey_t key;
};

static void free_pair(struct pair *p)
{
    if (p->crt)
        gnutls_x509_crt_deinit(p->crt);
    if (p->key)
        gnutls_x509_privkey_deinit(p->key);
}

/* A key, and what all certificates say. */
static int begin_pair(struct pair *p, const char *name)
{
    unsigned char serial[16];
    time_t now = time(NULL);
    int r;

    if ((r = gnutls_x509_crt_init(&p->crt)) < 0 || (r = gnutls_x509_privkey_init(&p->key)) < 0 ||
        (r = gnutls_x509_privkey_generate(
             p->key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0)) < 0 ||
        (r = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial))) < 0)
        return r;
    serial[0] = (unsigned char)((serial[0] & 0x3F) | 0x40); /* positive, RFC 5280 4.1.2.2 */
    if ((r = gnutls_x509_crt_set_version(p->crt, 3)) < 0 ||
        (r = gnutls_x509_crt_set_serial(p->crt, serial, sizeof(serial))) < 0 ||
        (r = gnutls_x509_crt_set_activation_time(p->crt, now - SKEW_S)) < 0 ||
        (r = gnutls_x509_crt_set_expiration_time(p->crt, now + DAY_S)) < 0 ||
        (r = gnutls_x509_crt_set_key(p->crt, p->key)) < 0)
        return r;
    return gnutls_x509_crt_set_dn_by_oid(p->crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                         (unsigned)strlen(name));
}

static int make_authority(struct pair *p)
{
    int r = begin_pair(p, "libsecsip demo authority");

    if (r < 0 || (r = gnutls_x509_crt_set_basic_constraints(p->crt, 1, 0)) < 0 ||
        (r = gnutls_x509_crt_set_key_usage(p->crt, GNUTLS_KEY_KEY_CERT_SIGN)) < 0)
        return r;
    return gnutls_x509_crt_sign2(p->crt, p->crt, p->key, GNUTLS_DIG_SHA256, 0);
}

static int make_server(struct pair *p, const struct pair *authority, const char *domain)
{
    char uri[256];
    int r = begin_pair(p, domain);

    snprintf(uri, sizeof(uri), "sip:%s", domain);
    if (r < 0 || (r = gnutls_x509_crt_set_basic_constraints(p->crt, 0, -1)) < 0 ||
        (r = gnutls_x509_crt_set_key_usage(p->crt, GNUTLS_KEY_DIGITAL_SIGNATURE)) < 0 ||
        (r = gnutls_x509_crt_set_key_purpose_oid(p->crt, GNUTLS_KP_TLS_WWW_SERVER, 0)) < 0 ||
        (r = gnutls_x509_crt_set_subject_alt_name(p->crt, GNUTLS_SAN_URI, uri,
                                                  (unsigned)strlen(uri), GNUTLS_FSAN_SET)) < 0 ||
        (r = gnutls_x509_crt_set_subject_alt_name(
             p->crt, GNUTLS_SAN_DNSNAME, domain, (unsigned)strlen(domain), GNUTLS_FSAN_APPEND)) < 0)
        return r;
    return gnutls_x509_crt_sign2(p->crt, authority->crt, authority->key, GNUTLS_DIG_SHA256, 0);
}

/* GnuTLS's memory becomes ours, which free() frees; the secret copy is wiped. */
static char *take_text(gnutls_datum_t *d)
{
    char *text = malloc((size_t)d->size + 1);

    if (text) {
        memcpy(text, d->data, d->size);
        text[d->size] = '\0';
    }
    gnutls_memset(d->data, 0, d->size);
    gnutls_free(d->data);
    return text;
}

static int export_pairs(const struct pair *authority, const struct pair *server, struct certs *ret)
{
    gnutls_datum_t text;
    int r = gnutls_x509_crt_export2(authority->crt, GNUTLS_X509_FMT_PEM, &text);

    if (r < 0)
        return r;
    ret->authority = take_text(&text);
    if ((r = gnutls_x509_crt_export2(server->crt, GNUTLS_X509_FMT_PEM, &text)) < 0)
        return r;
    ret->server = take_text(&text);
    if ((r = gnutls_x509_privkey_export2(server->key, GNUTLS_X509_FMT_PEM, &text)) < 0)
        return r;
    ret->server_key = take_text(&text);
    return ret->authority && ret->server && ret->server_key ? 0 : GNUTLS_E_MEMORY_ERROR;
}

bool certs_make(const char *domain, struct certs *ret, const char **ret_why)
{
    struct pair authority = {0}, server = {0};
    struct certs made = {0};
    int r = make_authority(&authority);

    if (r >= 0)
        r = make_server(&server, &authority, domain);
    if (r >= 0)
        r = export_pairs(&authority, &server, &made);
    free_pair(&server);
    free_pair(&authority);
    if (r < 0) {
        certs_free(&made);
        *ret_why = gnutls_strerror(r);
        return false;
    }
    *ret = made;
    return true;
}

void certs_free(struct certs *c)
{
    if (c->server_key)
        explicit_bzero(c->server_key, strlen(c->server_key));
    free(c->server_key);
    free(c->server);
    free(c->authority);
    *c = (struct certs){0};
}
