/* TLS profiles: trust, identity, relaxations. Layer: tls. Setters fill p->error; the exported names are in lib/api/tls.c. */
#include "tls/profile.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "tls/file.h"

enum {
    MAX_TRUST_BYTES = 16 << 20, /* the system's list has a quarter of a megabyte */
    MAX_IDENTITY_BYTES = 1 << 20,
};

/* RFC 9325: forward secrecy and AEAD only. 256 bits first: the keys that travel here may have 256 bits themselves, and
 * are only as safe as this channel. */
#define PRIORITY(versions)                                                                         \
    "NORMAL:-VERS-ALL:" versions ":-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-CIPHER-ALL:+AES-256-GCM:"      \
    "+CHACHA20-POLY1305:+AES-128-GCM:-MAC-ALL:+AEAD:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:"    \
    "+GROUP-X448:+GROUP-SECP384R1:+GROUP-SECP521R1:-COMP-ALL:+COMP-NULL:%SAFE_RENEGOTIATION:"      \
    "%SERVER_PRECEDENCE:%PROFILE_MEDIUM"

static const char *const priorities[] = {
    [SSI_TLS_VERSIONS_BOTH] = PRIORITY("+VERS-TLS1.3:+VERS-TLS1.2"),
    [SSI_TLS_VERSIONS_12] = PRIORITY("+VERS-TLS1.2"),
    [SSI_TLS_VERSIONS_13] = PRIORITY("+VERS-TLS1.3"),
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
    free(id);
}

static void clear_error(secsip_tls_profile *p)
{
    p->error = (secsip_error){
        .size = sizeof p->error, .text = "", .check = "", .expected = "", .found = "", .peer = ""};
}

static secsip_result fail(secsip_tls_profile *p, secsip_result result, const char *check,
                          const char *expected, const char *found, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

static secsip_result fail(secsip_tls_profile *p, secsip_result result, const char *check,
                          const char *expected, const char *found, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(p->error_text, sizeof p->error_text, format, ap);
    va_end(ap);
    ssi_slice_show(ssi_slice_str(found), p->error_found, sizeof p->error_found);
    p->error = (secsip_error){.size = sizeof p->error,
                              .result = result,
                              .text = p->error_text,
                              .check = check,
                              .expected = expected,
                              .found = p->error_found,
                              .peer = ""};
    return result;
}

/* Every setter begins here. */
static secsip_result begin_change(secsip_tls_profile *p)
{
    if (!p)
        return SECSIP_E_INVALID;
    clear_error(p);
    if (p->frozen)
        return fail(p, SECSIP_E_STATE, "state", "a profile that is not in use yet", "in use",
                    "the profile is in use and cannot be changed any more");
    return 0;
}

secsip_result ssi_tls_profile_new(secsip_tls_profile **ret)
{
    if (!ret)
        return SECSIP_E_INVALID;
    secsip_tls_profile *p = calloc(1, sizeof *p);
    if (!p)
        return SECSIP_E_NOMEM;
    atomic_init(&p->refs, 1);
    clear_error(p);
    if (gnutls_priority_init2(&p->priority, priorities[SSI_TLS_VERSIONS_BOTH], NULL, 0) < 0)
        goto fail_priority;
    if (gnutls_x509_trust_list_init(&p->trust, 0) < 0)
        goto fail_trust;
    if (ssi_tls_identity_new(&p->identity) < 0)
        goto fail_identity;
    *ret = p;
    return 0;
fail_identity:
    gnutls_x509_trust_list_deinit(p->trust, 1);
fail_trust:
    gnutls_priority_deinit(p->priority);
fail_priority:
    free(p);
    return SECSIP_E_NOMEM;
}

secsip_tls_profile *ssi_tls_profile_ref(secsip_tls_profile *p)
{
    if (p)
        atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
    return p;
}

void ssi_tls_profile_unref(secsip_tls_profile *p)
{
    if (!p || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
        return;
    ssi_tls_identity_unref(p->identity);
    gnutls_x509_trust_list_deinit(p->trust, 1);
    gnutls_priority_deinit(p->priority);
    free(p);
}

static secsip_result read_file(secsip_tls_profile *p, const char *path, struct ssi_buf *b)
{
    const char *why = "it is too large";
    secsip_result r = ssi_tls_file_read(path, b, &why);

    if (r == 0 || r == SECSIP_E_NOMEM)
        return r;
    return fail(p, SECSIP_E_FILE, "file", "a readable file", why, "%s cannot be read: %s", path,
                why);
}

static secsip_result add_trust(secsip_tls_profile *p, const void *pem, size_t len,
                               const char *where)
{
    gnutls_datum_t text = {(void *)(uintptr_t)pem, (unsigned)len};

    if (len > MAX_TRUST_BYTES)
        return fail(p, SECSIP_E_TLS_CREDENTIALS, "trust", "certificates in PEM", "too much text",
                    "%s is too large for a list of authorities", where);
    int n = gnutls_x509_trust_list_add_trust_mem(p->trust, &text, NULL, GNUTLS_X509_FMT_PEM,
                                                 GNUTLS_TL_NO_DUPLICATES, 0);
    if (n == GNUTLS_E_MEMORY_ERROR)
        return SECSIP_E_NOMEM;
    if (n <= 0) {
        const char *why = n < 0 ? gnutls_strerror(n) : "no certificate";
        return fail(p, SECSIP_E_TLS_CREDENTIALS, "trust", "certificates in PEM", why,
                    "%s holds no usable certificate of an authority: %s", where, why);
    }
    p->trust_given = p->trust_loaded = true;
    return 0;
}

secsip_result ssi_tls_profile_add_trust_pem(secsip_tls_profile *p, const char *pem, size_t len)
{
    secsip_result r = begin_change(p);

    if (r < 0)
        return r;
    if (!pem)
        return SECSIP_E_INVALID;
    return add_trust(p, pem, len, "the text");
}

secsip_result ssi_tls_profile_add_trust_file(secsip_tls_profile *p, const char *path)
{
    struct ssi_buf b;
    secsip_result r = begin_change(p);

    if (r < 0)
        return r;
    if (!path)
        return SECSIP_E_INVALID;
    ssi_buf_init(&b, MAX_TRUST_BYTES);
    r = read_file(p, path, &b);
    if (r == 0)
        r = add_trust(p, ssi_buf_slice(&b).p, b.len, path);
    ssi_buf_free(&b);
    return r;
}

static secsip_result set_identity(secsip_tls_profile *p, struct ssi_slice cert,
                                  struct ssi_slice key, const char *where)
{
    gnutls_datum_t c = {(void *)(uintptr_t)cert.p, (unsigned)cert.len};
    gnutls_datum_t k = {(void *)(uintptr_t)key.p, (unsigned)key.len};
    struct ssi_tls_identity *id;

    if (cert.len > MAX_IDENTITY_BYTES || key.len > MAX_IDENTITY_BYTES)
        return fail(p, SECSIP_E_TLS_CREDENTIALS, "identity", "a certificate and its key in PEM",
                    "too much text", "%s is too large for a certificate or key", where);
    secsip_result r = ssi_tls_identity_new(&id);
    if (r < 0)
        return r;
    int rc = gnutls_certificate_set_x509_key_mem(id->cred, &c, &k, GNUTLS_X509_FMT_PEM);
    if (rc < 0) {
        ssi_tls_identity_unref(id);
        if (rc == GNUTLS_E_MEMORY_ERROR)
            return SECSIP_E_NOMEM;
        return fail(p, SECSIP_E_TLS_CREDENTIALS, "identity", "a certificate and its key in PEM",
                    gnutls_strerror(rc), "%s: %s", where,
                    rc == GNUTLS_E_CERTIFICATE_KEY_MISMATCH ? "the key is not the certificate's"
                                                            : gnutls_strerror(rc));
    }
    id->has_key = true;
    ssi_tls_identity_unref(p->identity);
    p->identity = id;
    return 0;
}

secsip_result ssi_tls_profile_set_identity_pem(secsip_tls_profile *p, const char *cert,
                                               size_t cert_len, const char *key, size_t key_len)
{
    secsip_result r = begin_change(p);

    if (r < 0)
        return r;
    if (!cert || !key)
        return SECSIP_E_INVALID;
    return set_identity(p, ssi_slice_of(cert, cert_len), ssi_slice_of(key, key_len), "the text");
}

secsip_result ssi_tls_profile_set_identity_file(secsip_tls_profile *p, const char *cert_path,
                                                const char *key_path)
{
    struct ssi_buf cert, key;
    char where[256];
    secsip_result r = begin_change(p);

    if (r < 0)
        return r;
    if (!cert_path || !key_path)
        return SECSIP_E_INVALID;
    /* Both are secret: the certificate's file may hold the key as well. */
    ssi_buf_init_secret(&cert, MAX_IDENTITY_BYTES);
    ssi_buf_init_secret(&key, MAX_IDENTITY_BYTES);
    snprintf(where, sizeof where, "%s and %s", cert_path, key_path);
    r = read_file(p, cert_path, &cert);
    if (r == 0)
        r = read_file(p, key_path, &key);
    if (r == 0)
        r = set_identity(p, ssi_buf_slice(&cert), ssi_buf_slice(&key), where);
    ssi_buf_free(&key);
    ssi_buf_free(&cert);
    return r;
}

secsip_result ssi_tls_profile_set_options(secsip_tls_profile *p, uint32_t options)
{
    const uint32_t known = SECSIP_TLS_ALLOW_WILDCARD | SECSIP_TLS_ALLOW_CN |
                           SECSIP_TLS_ALLOW_EXPIRED | SECSIP_TLS_INSECURE_SELF_SIGNED |
                           SECSIP_TLS_INSECURE_ANY;
    secsip_result r = begin_change(p);

    if (r < 0)
        return r;
    if (options & ~known)
        return fail(p, SECSIP_E_INVALID, "options", "SECSIP_TLS_ALLOW_* and SECSIP_TLS_INSECURE_*",
                    "an unknown bit", "the options 0x%x hold a bit that this version does not know",
                    (unsigned)options);
    p->options = options;
    return 0;
}

secsip_result ssi_tls_profile_set_client_cert(secsip_tls_profile *p, uint32_t mode)
{
    secsip_result r = begin_change(p);

    if (r < 0)
        return r;
    if (mode > SECSIP_TLS_CLIENT_CERT_REQUIRE)
        return fail(p, SECSIP_E_INVALID, "client certificate", "SECSIP_TLS_CLIENT_CERT_*",
                    "an unknown number", "%u is no way to treat client certificates",
                    (unsigned)mode);
    p->client_cert = mode;
    return 0;
}

secsip_result ssi_tls_profile_set_keylog(secsip_tls_profile *p,
                                         void (*keylog)(const char *line, size_t len,
                                                        void *user_data),
                                         void *user_data)
{
    secsip_result r = begin_change(p);

    if (r < 0)
        return r;
    p->keylog = keylog;
    p->keylog_user_data = user_data;
    return 0;
}

secsip_result ssi_tls_profile_set_versions(secsip_tls_profile *p, enum ssi_tls_versions versions)
{
    gnutls_priority_t priority;
    secsip_result r = begin_change(p);

    if (r < 0)
        return r;
    if (gnutls_priority_init2(&priority, priorities[versions], NULL, 0) < 0)
        return SECSIP_E_NOMEM;
    gnutls_priority_deinit(p->priority);
    p->priority = priority;
    return 0;
}

const secsip_error *ssi_tls_profile_error(const secsip_tls_profile *p)
{
    return p ? &p->error : NULL;
}

secsip_result ssi_tls_profile_need_trust(secsip_tls_profile *p)
{
    if (p->trust_loaded)
        return 0;
    int n = gnutls_x509_trust_list_add_system_trust(p->trust, 0, 0);
    if (n < 0)
        return fail(p, SECSIP_E_TLS_CREDENTIALS, "trust", "the system's list of authorities",
                    gnutls_strerror(n), "the system's list of authorities cannot be read: %s",
                    gnutls_strerror(n));
    p->trust_loaded = true;
    return 0;
}

secsip_result ssi_tls_profile_freeze(secsip_tls_profile *p, bool server)
{
    clear_error(p);
    if (server && !p->identity->has_key)
        return fail(p, SECSIP_E_TLS_CREDENTIALS, "identity", "a certificate and its key", "none",
                    "a listener needs a profile with a certificate and its key");
    if (!server || p->client_cert != SECSIP_TLS_CLIENT_CERT_IGNORE) {
        secsip_result r = ssi_tls_profile_need_trust(p);
        if (r < 0)
            return r;
    }
    p->frozen = true;
    return 0;
}
