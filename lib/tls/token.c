/* Identities on PKCS#11 tokens, named by URIs (RFC 7512). Layer: tls. The key never leaves the token; who is asked for its PIN
 * lives as long as the identity, because a token may want to hear it again. */
#include <stdlib.h>

#include <gnutls/abstract.h>
#include <gnutls/pkcs11.h>

#include "tls/credentials.h"

enum {
    MAX_URI = 1024
};

struct ssi_tls_pin_source {
    struct ssi_tls_pin_source *next;
    int32_t (*password)(const char *what, char *out, size_t cap, void *user_data);
    void *user_data;
};

void ssi_tls_pins_free(struct ssi_tls_pin_source *pins)
{
    while (pins) {
        struct ssi_tls_pin_source *next = pins->next;
        free(pins);
        pins = next;
    }
}

void ssi_tls_pins_move(struct ssi_tls_pin_source **to, struct ssi_tls_pin_source **from)
{
    struct ssi_tls_pin_source **last = from;

    while (*last)
        last = &(*last)->next;
    *last = *to;
    *to = *from;
    *from = NULL;
}

/* Once only: tokens count wrong PINs and lock themselves. */
static int give_pin(void *arg, int attempt, const char *url, const char *label, unsigned flags,
                    char *pin, size_t cap)
{
    const struct ssi_tls_pin_source *s = arg;

    (void)url;
    if (!s->password || attempt > 0 || cap == 0 ||
        (flags & (GNUTLS_PIN_WRONG | GNUTLS_PIN_FINAL_TRY)))
        return GNUTLS_E_PKCS11_PIN_ERROR;
    pin[0] = 0;
    if (s->password(label ? label : "", pin, cap, s->user_data) < 0)
        return GNUTLS_E_PKCS11_PIN_ERROR;
    pin[cap - 1] = 0;
    return 0;
}

/* For texts: without the query, which may hold a PIN. */
static struct ssi_slice public_part(const char *uri)
{
    struct ssi_slice s = ssi_slice_str(uri);

    return ssi_slice_of(s.p, ssi_slice_find(s, '?'));
}

static bool is_uri(const char *s)
{
    return ssi_slice_str(s).len > 7 && ssi_slice_ieq(ssi_slice_of(s, 7), SSI_LIT("pkcs11:"));
}

static secsip_result import_cert_file(secsip_tls_profile *p, const char *path,
                                      struct ssi_tls_material *m, int *ret_rc)
{
    struct ssi_buf b;

    ssi_buf_init_secret(&b, SSI_TLS_MAX_SECRET_FILE); /* it may hold a key as well */
    secsip_result r = ssi_tls_profile_read(p, path, &b);
    gnutls_datum_t pem = {(void *)(uintptr_t)ssi_buf_slice(&b).p, (unsigned)b.len};
    if (r == 0)
        *ret_rc = gnutls_x509_crt_list_import2(&m->certs, &m->n_certs, &pem, GNUTLS_X509_FMT_PEM,
                                               GNUTLS_X509_CRT_LIST_SORT);
    ssi_buf_free(&b);
    return r;
}

static int import_key_uri(struct ssi_tls_material *m, const char *uri)
{
    int rc = gnutls_privkey_init(&m->key);

    if (rc < 0)
        return rc;
    gnutls_privkey_set_pin_function(m->key, give_pin, m->pin);
    return gnutls_privkey_import_url(m->key, uri, 0);
}

static secsip_result import_token(secsip_tls_profile *p, const char *cert, const char *key,
                                  struct ssi_tls_material *m, const char *where)
{
    int rc = 0;

    m->pin = calloc(1, sizeof *m->pin);
    if (!m->pin)
        return SECSIP_E_NOMEM;
    m->pin->password = p->password;
    m->pin->user_data = p->password_user_data;
    if (is_uri(cert)) {
        rc = gnutls_x509_crt_list_import_url(&m->certs, &m->n_certs, cert, give_pin, m->pin, 0);
    } else {
        secsip_result r = import_cert_file(p, cert, m, &rc);
        if (r < 0)
            return r;
    }
    if (rc >= 0 && m->n_certs > SSI_TLS_MAX_CERTS)
        rc = GNUTLS_E_CERTIFICATE_LIST_UNSORTED;
    if (rc >= 0)
        rc = import_key_uri(m, key);
    return rc < 0 ? ssi_tls_identity_refuse(p, rc, where) : 0;
}

static secsip_result take_token(secsip_tls_profile *p, const char *cert, const char *key,
                                bool beside)
{
    struct ssi_tls_material m = {NULL};
    char where[256];
    secsip_result r = ssi_tls_identity_begin(p, beside);

    if (r < 0)
        return r;
    if (!cert || !key)
        return SECSIP_E_INVALID;
    if (!is_uri(key) || strlen(key) > MAX_URI || strlen(cert) > MAX_URI)
        return ssi_tls_profile_fail(p, SECSIP_E_TLS_CREDENTIALS, "identity",
                                    "the PKCS#11 URI of a private key", "something else",
                                    "the key's name is no PKCS#11 URI, or too long");
    struct ssi_buf text;
    ssi_buf_init(&text, 2 * MAX_URI + 8);
    ssi_buf_put_slice(&text, public_part(cert));
    ssi_buf_put_str(&text, " and ");
    ssi_buf_put_slice(&text, public_part(key));
    ssi_slice_show(ssi_buf_slice(&text), where, sizeof where);
    ssi_buf_free(&text);
    r = import_token(p, cert, key, &m, where);
    if (r == 0)
        r = ssi_tls_identity_install(p, &m, beside, where);
    ssi_tls_material_free(&m);
    return r;
}

secsip_result ssi_tls_profile_set_identity_uri(secsip_tls_profile *p, const char *cert_uri,
                                               const char *key_uri)
{
    return take_token(p, cert_uri, key_uri, false);
}

secsip_result ssi_tls_profile_add_identity_uri(secsip_tls_profile *p, const char *cert_uri,
                                               const char *key_uri)
{
    return take_token(p, cert_uri, key_uri, true);
}
