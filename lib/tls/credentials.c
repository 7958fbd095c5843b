/* Identities of a profile: certificates with their keys from PEM, encrypted PEM and PKCS#12, several for SNI. Layer: tls. All
 * arrive as a list of certificates and one key, and are registered under the names that RFC 5922 reads from the leaf,
 * because GnuTLS on its own would know the dNSNames only. */
#include <stdio.h>
#include <stdlib.h>

#include <gnutls/abstract.h>
#include <gnutls/ocsp.h>
#include <gnutls/pkcs12.h>

#include "base/crypto.h"
#include "tls/credentials.h"
#include "tls/staple.h"

enum {
    PASSWORD_SIZE = 256
};

secsip_result ssi_tls_identity_new(struct ssi_tls_identity **ret)
{
    struct ssi_tls_identity *id = calloc(1, sizeof *id);

    if (!id)
        return SECSIP_E_NOMEM;
    if (gnutls_certificate_allocate_credentials(&id->cred) < 0) {
        free(id);
        return SECSIP_E_NOMEM;
    }
    atomic_init(&id->refs, 1);
    *ret = id;
    return 0;
}

struct ssi_tls_identity *ssi_tls_identity_ref(struct ssi_tls_identity *id)
{
    atomic_fetch_add_explicit(&id->refs, 1, memory_order_relaxed);
    return id;
}

void ssi_tls_identity_unref(struct ssi_tls_identity *id)
{
    if (!id || atomic_fetch_sub_explicit(&id->refs, 1, memory_order_acq_rel) != 1)
        return;
    gnutls_certificate_free_credentials(id->cred);
    gnutls_free(id->leaf.data);
    gnutls_free(id->staple.data);
    ssi_tls_pins_free(id->pins);
    free(id);
}

static bool wants_password(int rc)
{
    return rc == GNUTLS_E_DECRYPTION_FAILED || rc == GNUTLS_E_MAC_VERIFY_FAILED;
}

secsip_result ssi_tls_identity_refuse(secsip_tls_profile *p, int rc, const char *where)
{
    const char *why = gnutls_strerror(rc);

    if (rc == GNUTLS_E_MEMORY_ERROR)
        return SECSIP_E_NOMEM;
    if (rc == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
        why = "the key is not the certificate's";
    else if (rc == GNUTLS_E_X509_UNKNOWN_SAN)
        why = "the certificate's names cannot be read, or are more than 100";
    else if (rc == GNUTLS_E_PKCS11_PIN_ERROR)
        why = "no or a wrong PIN was given for its token, or the token has a single try left";
    else if (wants_password(rc))
        why = "it is encrypted, and no or a wrong password was given";
    return ssi_tls_profile_fail(p, SECSIP_E_TLS_CREDENTIALS, "identity",
                                "a certificate and its key", why, "%s: %s", where, why);
}

void ssi_tls_material_free(struct ssi_tls_material *m)
{
    for (unsigned i = 0; i < m->n_certs; i++)
        gnutls_x509_crt_deinit(m->certs[i]);
    gnutls_free(m->certs);
    if (m->key)
        gnutls_privkey_deinit(m->key);
    ssi_tls_pins_free(m->pin);
}

/* Asks the application. password is to be wiped by the caller. */
static bool ask_password(secsip_tls_profile *p, const char *what, char password[PASSWORD_SIZE])
{
    password[0] = 0;
    if (!p->password || p->password(what, password, PASSWORD_SIZE, p->password_user_data) < 0)
        return false;
    password[PASSWORD_SIZE - 1] = 0;
    return true;
}

static int import_key(secsip_tls_profile *p, gnutls_privkey_t key, const gnutls_datum_t *pem,
                      const char *where)
{
    char password[PASSWORD_SIZE];
    int rc = gnutls_privkey_import_x509_raw(key, pem, GNUTLS_X509_FMT_PEM, NULL, 0);

    if (!wants_password(rc) || !ask_password(p, where, password))
        return rc;
    rc = gnutls_privkey_import_x509_raw(key, pem, GNUTLS_X509_FMT_PEM, password, 0);
    ssi_wipe(password, sizeof password);
    return rc;
}

/* The names under which a client may ask for this certificate. Returns how many; they are borrowed from names. */
static int sni_names(const struct ssi_tls_names *names, const char *out[SSI_TLS_MAX_NAMES])
{
    enum ssi_tls_name_kind kind;
    const char *text;
    size_t at = 0;
    int n = 0;

    while (n < SSI_TLS_MAX_NAMES && ssi_tls_names_next(names, &at, &kind, &text))
        if (kind == SSI_TLS_NAME_SIP || kind == SSI_TLS_NAME_DNS ||
            (kind == SSI_TLS_NAME_CN && !names->has_san))
            out[n++] = text;
    return n;
}

/* Adds the material to the identity, which takes the key. */
static int register_material(struct ssi_tls_identity *id, struct ssi_tls_material *m)
{
    const char *names[SSI_TLS_MAX_NAMES];
    struct ssi_tls_names read;
    unsigned n = m->n_certs;
    int rc = GNUTLS_E_MEMORY_ERROR;

    /* On success GnuTLS keeps what is in the array, not the array. */
    gnutls_pcert_st *chain = calloc(n, sizeof *chain);
    if (!chain)
        return rc;
    ssi_tls_names_init(&read);
    if (ssi_tls_names_read(&read, m->certs[0]) < 0) {
        rc = GNUTLS_E_X509_UNKNOWN_SAN;
        goto fail;
    }
    rc = gnutls_pcert_import_x509_list(chain, m->certs, &n, GNUTLS_X509_CRT_LIST_SORT);
    if (rc < 0)
        goto fail;
    rc =
        gnutls_certificate_set_key(id->cred, names, sni_names(&read, names), chain, (int)n, m->key);
    if (rc < 0) {
        for (unsigned i = 0; i < n; i++)
            gnutls_pcert_deinit(&chain[i]);
        goto fail;
    }
    m->key = NULL;
    ssi_tls_pins_move(&id->pins, &m->pin);
fail:
    ssi_tls_names_free(&read);
    free(chain);
    return rc < 0 ? rc : 0;
}

secsip_result ssi_tls_identity_install(secsip_tls_profile *p, struct ssi_tls_material *m,
                                       bool beside, const char *where)
{
    struct ssi_tls_identity *id;
    gnutls_datum_t leaf;

    if (beside) {
        int rc = register_material(p->identity, m);
        if (rc < 0)
            return ssi_tls_identity_refuse(p, rc, where);
        p->identity->n_keys++;
        return 0;
    }
    secsip_result r = ssi_tls_identity_new(&id);
    if (r < 0)
        return r;
    int rc = gnutls_x509_crt_export2(m->certs[0], GNUTLS_X509_FMT_DER, &leaf);
    if (rc >= 0) {
        id->leaf = leaf;
        rc = register_material(id, m);
    }
    if (rc < 0) {
        ssi_tls_identity_unref(id);
        return ssi_tls_identity_refuse(p, rc, where);
    }
    id->n_keys = 1;
    ssi_tls_identity_unref(p->identity);
    p->identity = id;
    return 0;
}

static secsip_result install_pem(secsip_tls_profile *p, struct ssi_slice cert, struct ssi_slice key,
                                 bool beside, const char *where)
{
    gnutls_datum_t cert_pem = {(void *)(uintptr_t)cert.p, (unsigned)cert.len};
    gnutls_datum_t key_pem = {(void *)(uintptr_t)key.p, (unsigned)key.len};
    struct ssi_tls_material m = {NULL};

    if (cert.len > SSI_TLS_MAX_SECRET_FILE || key.len > SSI_TLS_MAX_SECRET_FILE)
        return ssi_tls_profile_fail(p, SECSIP_E_TLS_CREDENTIALS, "identity",
                                    "a certificate and its key in PEM", "too much text",
                                    "%s is too large for a certificate or key", where);
    int rc = gnutls_x509_crt_list_import2(&m.certs, &m.n_certs, &cert_pem, GNUTLS_X509_FMT_PEM,
                                          GNUTLS_X509_CRT_LIST_SORT);
    if (rc >= 0 && m.n_certs > SSI_TLS_MAX_CERTS)
        rc = GNUTLS_E_CERTIFICATE_LIST_UNSORTED;
    if (rc >= 0)
        rc = gnutls_privkey_init(&m.key);
    if (rc >= 0)
        rc = import_key(p, m.key, &key_pem, where);
    secsip_result r = rc < 0 ? ssi_tls_identity_refuse(p, rc, where)
                             : ssi_tls_identity_install(p, &m, beside, where);
    ssi_tls_material_free(&m);
    return r;
}

secsip_result ssi_tls_identity_begin(secsip_tls_profile *p, bool beside)
{
    secsip_result r = ssi_tls_profile_begin(p);

    if (r == 0 && beside && p->identity->n_keys == 0)
        return ssi_tls_profile_fail(
            p, SECSIP_E_STATE, "identity", "a first identity", "none",
            "a further identity needs a first one, which serves clients that ask for no name");
    return r;
}

static secsip_result take_pem(secsip_tls_profile *p, const char *cert, size_t cert_len,
                              const char *key, size_t key_len, bool beside)
{
    secsip_result r = ssi_tls_identity_begin(p, beside);

    if (r < 0)
        return r;
    if (!cert || !key)
        return SECSIP_E_INVALID;
    return install_pem(p, ssi_slice_of(cert, cert_len), ssi_slice_of(key, key_len), beside,
                       "the text");
}

static secsip_result take_file(secsip_tls_profile *p, const char *cert_path, const char *key_path,
                               bool beside)
{
    struct ssi_buf cert, key;
    char where[256];
    secsip_result r = ssi_tls_identity_begin(p, beside);

    if (r < 0)
        return r;
    if (!cert_path || !key_path)
        return SECSIP_E_INVALID;
    /* Both are secret: the certificate's file may hold the key as well. */
    ssi_buf_init_secret(&cert, SSI_TLS_MAX_SECRET_FILE);
    ssi_buf_init_secret(&key, SSI_TLS_MAX_SECRET_FILE);
    snprintf(where, sizeof where, strcmp(cert_path, key_path) == 0 ? "%s" : "%s and %s", cert_path,
             key_path);
    r = ssi_tls_profile_read(p, cert_path, &cert);
    if (r == 0)
        r = ssi_tls_profile_read(p, key_path, &key);
    if (r == 0)
        r = install_pem(p, ssi_buf_slice(&cert), ssi_buf_slice(&key), beside, where);
    ssi_buf_free(&key);
    ssi_buf_free(&cert);
    return r;
}

secsip_result ssi_tls_profile_set_identity_pem(secsip_tls_profile *p, const char *cert,
                                               size_t cert_len, const char *key, size_t key_len)
{
    return take_pem(p, cert, cert_len, key, key_len, false);
}

secsip_result ssi_tls_profile_add_identity_pem(secsip_tls_profile *p, const char *cert,
                                               size_t cert_len, const char *key, size_t key_len)
{
    return take_pem(p, cert, cert_len, key, key_len, true);
}

secsip_result ssi_tls_profile_set_identity_file(secsip_tls_profile *p, const char *cert_path,
                                                const char *key_path)
{
    return take_file(p, cert_path, key_path, false);
}

secsip_result ssi_tls_profile_add_identity_file(secsip_tls_profile *p, const char *cert_path,
                                                const char *key_path)
{
    return take_file(p, cert_path, key_path, true);
}

/* The chain and the key of a PKCS#12 file. */
static int parse_pkcs12(const gnutls_datum_t *der, const char *password, struct ssi_tls_material *m)
{
    gnutls_x509_privkey_t key = NULL;
    gnutls_pkcs12_t p12;
    int rc = gnutls_pkcs12_init(&p12);

    if (rc < 0)
        return rc;
    rc = gnutls_pkcs12_import(p12, der, GNUTLS_X509_FMT_DER, 0);
    if (rc >= 0)
        rc = gnutls_pkcs12_verify_mac(p12, password);
    if (rc >= 0)
        rc = gnutls_pkcs12_simple_parse(p12, password, &key, &m->certs, &m->n_certs, NULL, NULL,
                                        NULL, 0);
    gnutls_pkcs12_deinit(p12);
    if (rc < 0)
        return rc;
    if (m->n_certs == 0 || m->n_certs > SSI_TLS_MAX_CERTS)
        rc = GNUTLS_E_NO_CERTIFICATE_FOUND;
    if (rc >= 0)
        rc = gnutls_privkey_init(&m->key);
    if (rc >= 0)
        rc = gnutls_privkey_import_x509(m->key, key, GNUTLS_PRIVKEY_IMPORT_AUTO_RELEASE);
    if (rc < 0)
        gnutls_x509_privkey_deinit(key);
    return rc;
}

secsip_result ssi_tls_profile_set_identity_pkcs12(secsip_tls_profile *p, const void *p12,
                                                  size_t len, const char *password)
{
    static const char where[] = "the PKCS#12 data";
    gnutls_datum_t der = {(void *)(uintptr_t)p12, (unsigned)len};
    struct ssi_tls_material m = {NULL};
    char asked[PASSWORD_SIZE];

    secsip_result r = ssi_tls_identity_begin(p, false);
    if (r < 0)
        return r;
    if (!p12 || len > SSI_TLS_MAX_SECRET_FILE)
        return SECSIP_E_INVALID;
    if (!password && ask_password(p, "", asked))
        password = asked;
    int rc = parse_pkcs12(&der, password ? password : "", &m);
    ssi_wipe(asked, sizeof asked);
    r = rc < 0 ? ssi_tls_identity_refuse(p, rc, where)
               : ssi_tls_identity_install(p, &m, false, where);
    ssi_tls_material_free(&m);
    return r;
}

secsip_result ssi_tls_profile_set_password(secsip_tls_profile *p,
                                           int32_t (*password)(const char *what, char *out,
                                                               size_t cap, void *user_data),
                                           void *user_data)
{
    secsip_result r = ssi_tls_profile_begin(p);

    if (r < 0)
        return r;
    p->password = password;
    p->password_user_data = user_data;
    return 0;
}

/* Whether an answer is about a certificate, and until when; signatures are for clients to check. */
static int read_staple(const gnutls_datum_t *der, const gnutls_datum_t *leaf_der,
                       int64_t *ret_until)
{
    gnutls_ocsp_resp_t resp = NULL;
    gnutls_x509_crt_t leaf = NULL;
    time_t from, until;

    int rc = gnutls_ocsp_resp_init(&resp);
    if (rc >= 0)
        rc = gnutls_x509_crt_init(&leaf);
    if (rc >= 0)
        rc = gnutls_x509_crt_import(leaf, leaf_der, GNUTLS_X509_FMT_DER);
    if (rc >= 0)
        rc = gnutls_ocsp_resp_import2(resp, der, GNUTLS_X509_FMT_DER);
    if (rc >= 0)
        rc = gnutls_ocsp_resp_check_crt(resp, 0, leaf);
    if (rc >= 0)
        rc = gnutls_ocsp_resp_get_single(resp, 0, NULL, NULL, NULL, NULL, NULL, &from, &until, NULL,
                                         NULL);
    if (rc >= 0)
        *ret_until = ssi_tls_staple_until(from, until);
    if (leaf)
        gnutls_x509_crt_deinit(leaf);
    if (resp)
        gnutls_ocsp_resp_deinit(resp);
    return rc;
}

/* Gives the answer to a handshake that shows the first certificate. One that is out of date is kept back: it would make
 * every client fail. */
static int give_staple(gnutls_session_t tls, void *arg, gnutls_datum_t *ret)
{
    const struct ssi_tls_identity *id = arg;
    const gnutls_datum_t *shown = gnutls_certificate_get_ours(tls);

    if (!shown || shown->size != id->leaf.size ||
        memcmp(shown->data, id->leaf.data, shown->size) != 0 ||
        (int64_t)ssi_tls_session_wall_s(gnutls_session_get_ptr(tls)) > id->staple_until)
        return GNUTLS_E_NO_CERTIFICATE_STATUS;
    ret->data = gnutls_malloc(id->staple.size);
    if (!ret->data)
        return GNUTLS_E_MEMORY_ERROR;
    memcpy(ret->data, id->staple.data, id->staple.size);
    ret->size = id->staple.size;
    return 0;
}

secsip_result ssi_tls_profile_set_ocsp(secsip_tls_profile *p, const void *der, size_t len)
{
    gnutls_datum_t answer = {(void *)(uintptr_t)der, (unsigned)len};
    struct ssi_tls_identity *id;
    int64_t until;
    secsip_result r = ssi_tls_profile_begin(p);

    if (r < 0)
        return r;
    if (!der || len == 0 || len > SSI_TLS_MAX_SECRET_FILE)
        return SECSIP_E_INVALID;
    id = p->identity;
    if (id->n_keys == 0)
        return ssi_tls_profile_fail(p, SECSIP_E_STATE, "stapling", "an identity", "none",
                                    "an OCSP answer needs the certificate that it is about");
    int rc = read_staple(&answer, &id->leaf, &until);
    if (rc < 0)
        return ssi_tls_profile_fail(p, SECSIP_E_TLS_CREDENTIALS, "stapling",
                                    "an OCSP answer for the first certificate", gnutls_strerror(rc),
                                    "the OCSP answer cannot be used: %s", gnutls_strerror(rc));
    void *copy = gnutls_malloc(len);
    if (!copy)
        return SECSIP_E_NOMEM;
    memcpy(copy, der, len);
    gnutls_free(id->staple.data);
    id->staple = (gnutls_datum_t){copy, (unsigned)len};
    id->staple_until = until;
    gnutls_certificate_set_ocsp_status_request_function(id->cred, give_staple, id);
    return 0;
}
