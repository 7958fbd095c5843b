/* TLS profiles: trust, identity, relaxations. Layer: tls. Setters fill p->error; the exported names are in lib/api/tls.c. */
#include "tls/profile.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/crypto.h"
#include "tls/file.h"

enum {
    TICKET_KEY_SIZE = 64,       /* what GnuTLS derives its keys from */
    MAX_TRUST_BYTES = 16 << 20, /* the system's list has a quarter of a megabyte */
};

static void clear_error(secsip_tls_profile *p)
{
    p->error = (secsip_error){.size = sizeof p->error,
                              .text = "",
                              .check = "",
                              .expected = "",
                              .found = "",
                              .peer = "",
                              .certificate = ""};
}

secsip_result ssi_tls_profile_fail(secsip_tls_profile *p, secsip_result result, const char *check,
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
                              .peer = "",
                              .certificate = ""};
    return result;
}

secsip_result ssi_tls_profile_begin(secsip_tls_profile *p)
{
    if (!p)
        return SECSIP_E_INVALID;
    clear_error(p);
    if (p->frozen)
        return ssi_tls_profile_fail(p, SECSIP_E_STATE, "state", "a profile that is not in use yet",
                                    "in use",
                                    "the profile is in use and cannot be changed any more");
    return 0;
}

static void free_trust(struct ssi_tls_trust *t)
{
    for (size_t i = 0; i < t->n_crls; i++)
        gnutls_x509_crl_deinit(t->crls[i]);
    gnutls_x509_trust_list_deinit(t->list, 1);
}

static void release_known(secsip_tls_profile *p)
{
    if (p->known_release)
        p->known_release(p->policy.known.user_data);
    p->known_tend = p->known_release = NULL;
}

void ssi_tls_profile_tend(secsip_tls_profile *p)
{
    if (p && p->known_tend)
        p->known_tend(p->policy.known.user_data);
}

static void free_ticket_key(secsip_tls_profile *p)
{
    if (p->ticket_key.data)
        ssi_wipe(p->ticket_key.data, p->ticket_key.size);
    gnutls_free(p->ticket_key.data);
    p->ticket_key.data = NULL;
}

secsip_result ssi_tls_profile_new(secsip_tls_profile **ret)
{
    if (!ret)
        return SECSIP_E_INVALID;
    secsip_tls_profile *p = calloc(1, sizeof *p);
    if (!p)
        return SECSIP_E_NOMEM;
    atomic_init(&p->refs, 1);
    atomic_init(&p->judging, 0);
    clear_error(p);
    if (ssi_tls_profile_set_parameters(p, NULL) < 0)
        goto fail_priority;
    p->chosen = 0;
    ssi_tls_tickets_init(&p->tickets);
    p->resumption = SECSIP_TLS_RESUME_TLS13;
    if (gnutls_x509_trust_list_init(&p->trust.list, 0) < 0)
        goto fail_trust;
    if (ssi_tls_identity_new(&p->identity) < 0)
        goto fail_identity;
    *ret = p;
    return 0;
fail_identity:
    free_trust(&p->trust);
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
    ssi_tls_tickets_clear(&p->tickets);
    free_ticket_key(p);
    free_trust(&p->trust);
    release_known(p);
    gnutls_priority_deinit(p->priority);
    free(p);
}

secsip_result ssi_tls_profile_read(secsip_tls_profile *p, const char *path, struct ssi_buf *b)
{
    const char *why = "it is too large";
    secsip_result r = ssi_tls_file_read(path, b, &why);

    if (r == 0 || r == SECSIP_E_NOMEM)
        return r;
    return ssi_tls_profile_fail(p, SECSIP_E_FILE, "file", "a readable file", why,
                                "%s cannot be read: %s", path, why);
}

static secsip_result add_trust(secsip_tls_profile *p, const void *pem, size_t len,
                               const char *where)
{
    gnutls_datum_t text = {(void *)(uintptr_t)pem, (unsigned)len};

    if (len > MAX_TRUST_BYTES)
        return ssi_tls_profile_fail(p, SECSIP_E_TLS_CREDENTIALS, "trust", "certificates in PEM",
                                    "too much text", "%s is too large for a list of authorities",
                                    where);
    int n = gnutls_x509_trust_list_add_trust_mem(p->trust.list, &text, NULL, GNUTLS_X509_FMT_PEM,
                                                 GNUTLS_TL_NO_DUPLICATES, 0);
    if (n == GNUTLS_E_MEMORY_ERROR)
        return SECSIP_E_NOMEM;
    if (n <= 0) {
        const char *why = n < 0 ? gnutls_strerror(n) : "no certificate";
        return ssi_tls_profile_fail(p, SECSIP_E_TLS_CREDENTIALS, "trust", "certificates in PEM",
                                    why, "%s holds no usable certificate of an authority: %s",
                                    where, why);
    }
    p->trust_given = p->trust_loaded = true;
    return 0;
}

/* What add_trust and add_crl have in common: text, or a file. */
typedef secsip_result add_fn(secsip_tls_profile *p, const void *pem, size_t len, const char *where);

static secsip_result add_text(secsip_tls_profile *p, const char *pem, size_t len, add_fn *add)
{
    secsip_result r = ssi_tls_profile_begin(p);

    if (r < 0)
        return r;
    return pem ? add(p, pem, len, "the text") : SECSIP_E_INVALID;
}

static secsip_result add_file(secsip_tls_profile *p, const char *path, add_fn *add)
{
    struct ssi_buf b;
    secsip_result r = ssi_tls_profile_begin(p);

    if (r < 0)
        return r;
    if (!path)
        return SECSIP_E_INVALID;
    ssi_buf_init(&b, MAX_TRUST_BYTES);
    r = ssi_tls_profile_read(p, path, &b);
    if (r == 0)
        r = add(p, ssi_buf_slice(&b).p, b.len, path);
    ssi_buf_free(&b);
    return r;
}

secsip_result ssi_tls_profile_add_trust_pem(secsip_tls_profile *p, const char *pem, size_t len)
{
    return add_text(p, pem, len, add_trust);
}

/* GnuTLS passes over what it cannot read; a folder without any authority is an error, and says why. */
secsip_result ssi_tls_profile_add_trust_directory(secsip_tls_profile *p, const char *path)
{
    secsip_result r = ssi_tls_profile_begin(p);

    if (r < 0)
        return r;
    if (!path)
        return SECSIP_E_INVALID;
    int n = gnutls_x509_trust_list_add_trust_dir(p->trust.list, path, NULL, GNUTLS_X509_FMT_PEM,
                                                 GNUTLS_TL_NO_DUPLICATES, 0);
    if (n == GNUTLS_E_MEMORY_ERROR)
        return SECSIP_E_NOMEM;
    if (n > 0) {
        p->trust_given = p->trust_loaded = true;
        return 0;
    }
    const char *why;
    if (!ssi_tls_file_is_directory(path, &why))
        return ssi_tls_profile_fail(p, SECSIP_E_FILE, "file", "a readable folder", why,
                                    "%s cannot be read as a folder: %s", path, why);
    return ssi_tls_profile_fail(p, SECSIP_E_TLS_CREDENTIALS, "trust", "certificates in PEM",
                                "no certificate",
                                "the folder %s holds no usable certificate of an authority", path);
}

secsip_result ssi_tls_profile_add_trust_file(secsip_tls_profile *p, const char *path)
{
    return add_file(p, path, add_trust);
}

static bool signed_by(gnutls_x509_crl_t crl, gnutls_x509_crt_t issuer)
{
    const unsigned age =
        GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED | GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE;
    unsigned status = 0;

    return gnutls_x509_crl_check_issuer(crl, issuer) == 1 &&
           gnutls_x509_crl_verify(crl, &issuer, 1, 0, &status) >= 0 &&
           (status & ~age & ~(unsigned)GNUTLS_CERT_INVALID) == 0 &&
           (status == 0 || (status & age) != 0);
}

/* True when an authority of ours signed the list: one of that name, of which there are two while one is renewed with a new key.
 * The age of the list is judged at each handshake, at the time of that handshake. */
static bool crl_is_signed(const struct ssi_tls_trust *t, gnutls_x509_crl_t crl)
{
    gnutls_x509_trust_list_iter_t iter = NULL;
    gnutls_x509_crt_t crt;
    bool is = false;

    while (!is && gnutls_x509_trust_list_iter_get_ca(t->list, &iter, &crt) >= 0) {
        is = signed_by(crl, crt);
        gnutls_x509_crt_deinit(crt);
    }
    gnutls_x509_trust_list_iter_deinit(iter);
    return is;
}

static void free_crls(gnutls_x509_crl_t *crls, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        gnutls_x509_crl_deinit(crls[i]);
    gnutls_free(crls);
}

/* One copy for the trust list, which looks for revoked certificates in it, and one for us, which tells its age. */
static int take_crls(struct ssi_tls_trust *t, const gnutls_datum_t *pem)
{
    gnutls_x509_crl_t *given = NULL, *kept = NULL;
    unsigned n = 0, n_kept = 0;
    int rc = gnutls_x509_crl_list_import2(&given, &n, pem, GNUTLS_X509_FMT_PEM, 0);

    if (rc < 0)
        return rc;
    if (t->n_crls + n > SSI_TLS_MAX_CRLS)
        rc = GNUTLS_E_CONSTRAINT_ERROR;
    for (unsigned i = 0; i < n && rc >= 0; i++)
        if (!crl_is_signed(t, given[i]))
            rc = GNUTLS_E_INSUFFICIENT_CREDENTIALS;
    if (rc >= 0)
        rc = gnutls_x509_crl_list_import2(&kept, &n_kept, pem, GNUTLS_X509_FMT_PEM, 0);
    if (rc < 0) {
        free_crls(given, n);
        return rc;
    }
    rc = gnutls_x509_trust_list_add_crls(t->list, given, n, 0, 0);
    gnutls_free(given);
    if (rc < 0) {
        free_crls(kept, n_kept);
        return rc;
    }
    for (unsigned i = 0; i < n_kept; i++)
        t->crls[t->n_crls++] = kept[i];
    gnutls_free(kept);
    return 0;
}

static secsip_result add_crl(secsip_tls_profile *p, const void *pem, size_t len, const char *where)
{
    gnutls_datum_t text = {(void *)(uintptr_t)pem, (unsigned)len};

    if (!p->trust_given)
        return ssi_tls_profile_fail(p, SECSIP_E_STATE, "revocation list", "an authority", "none",
                                    "the authorities must be added before their revocation lists");
    int rc = len > MAX_TRUST_BYTES ? GNUTLS_E_CONSTRAINT_ERROR : take_crls(&p->trust, &text);
    if (rc == GNUTLS_E_MEMORY_ERROR)
        return SECSIP_E_NOMEM;
    if (rc < 0) {
        const char *why = rc == GNUTLS_E_CONSTRAINT_ERROR ? "too many or too large"
                          : rc == GNUTLS_E_INSUFFICIENT_CREDENTIALS
                              ? "not signed by a trusted authority"
                              : gnutls_strerror(rc);
        return ssi_tls_profile_fail(p, SECSIP_E_TLS_CREDENTIALS, "revocation list", "CRLs in PEM",
                                    why, "%s holds no usable revocation list: %s", where, why);
    }
    return 0;
}

secsip_result ssi_tls_profile_add_crl_pem(secsip_tls_profile *p, const char *pem, size_t len)
{
    return add_text(p, pem, len, add_crl);
}

secsip_result ssi_tls_profile_add_crl_file(secsip_tls_profile *p, const char *path)
{
    return add_file(p, path, add_crl);
}

static bool read_pin(struct ssi_slice text, uint8_t pin[SSI_TLS_PIN_SIZE])
{
    struct ssi_slice prefix = SSI_LIT("sha256//");
    gnutls_datum_t hex = {(void *)(uintptr_t)text.p, (unsigned)text.len};
    size_t n = SSI_TLS_PIN_SIZE;

    if (text.len > prefix.len && ssi_slice_eq(ssi_slice_of(text.p, prefix.len), prefix))
        return ssi_base64_get(ssi_slice_from(text, prefix.len), pin, SSI_TLS_PIN_SIZE, &n) &&
               n == SSI_TLS_PIN_SIZE;
    return text.len == 2 * SSI_TLS_PIN_SIZE && gnutls_hex_decode(&hex, pin, &n) >= 0 &&
           n == SSI_TLS_PIN_SIZE;
}

secsip_result ssi_tls_profile_add_pin(secsip_tls_profile *p, const char *pin)
{
    secsip_result r = ssi_tls_profile_begin(p);

    if (r < 0)
        return r;
    if (!pin)
        return SECSIP_E_INVALID;
    if (p->trust.n_pins == SSI_TLS_MAX_PINS)
        return ssi_tls_profile_fail(p, SECSIP_E_LIMIT, "pin", "at most 16 pins", "more",
                                    "there are 16 pins already");
    if (!read_pin(ssi_slice_str(pin), p->trust.pins[p->trust.n_pins]))
        return ssi_tls_profile_fail(p, SECSIP_E_INVALID, "pin",
                                    "sha256//BASE64, or 64 hexadecimal digits", pin,
                                    "\"%s\" is no pin", pin);
    p->trust.n_pins++;
    return 0;
}

secsip_result ssi_tls_profile_set_resumption(secsip_tls_profile *p, uint32_t mode)
{
    secsip_result r = ssi_tls_profile_begin(p);

    if (r < 0)
        return r;
    if (mode > SECSIP_TLS_RESUME_ALL)
        return ssi_tls_profile_fail(p, SECSIP_E_INVALID, "resumption", "SECSIP_TLS_RESUME_*",
                                    "an unknown number", "%u is no way to resume sessions",
                                    (unsigned)mode);
    p->resumption = mode;
    p->chosen |= SSI_TLS_CHOSE_RESUMPTION;
    return 0;
}

/* Also in use: sessions that have begun keep what they were given. */
secsip_result ssi_tls_profile_set_ticket_key(secsip_tls_profile *p, const void *key, size_t len)
{
    if (!p)
        return SECSIP_E_INVALID;
    clear_error(p);
    if (!key || len != TICKET_KEY_SIZE)
        return ssi_tls_profile_fail(p, SECSIP_E_INVALID, "ticket key", "64 bytes", "another length",
                                    "a ticket key has 64 bytes, not %zu", len);
    void *copy = gnutls_malloc(TICKET_KEY_SIZE);
    if (!copy)
        return SECSIP_E_NOMEM;
    memcpy(copy, key, TICKET_KEY_SIZE);
    free_ticket_key(p);
    p->ticket_key = (gnutls_datum_t){copy, TICKET_KEY_SIZE};
    return 0;
}

secsip_result ssi_tls_profile_set_options(secsip_tls_profile *p, uint32_t options)
{
    const uint32_t known = SECSIP_TLS_ALLOW_WILDCARD | SECSIP_TLS_ALLOW_CN |
                           SECSIP_TLS_ALLOW_EXPIRED | SECSIP_TLS_INSECURE_SELF_SIGNED |
                           SECSIP_TLS_INSECURE_ANY;
    secsip_result r = ssi_tls_profile_begin(p);

    if (r < 0)
        return r;
    if (options & ~known)
        return ssi_tls_profile_fail(
            p, SECSIP_E_INVALID, "options", "SECSIP_TLS_ALLOW_* and SECSIP_TLS_INSECURE_*",
            "an unknown bit", "the options 0x%x hold a bit that this version does not know",
            (unsigned)options);
    p->options = options;
    return 0;
}

secsip_result ssi_tls_profile_set_client_cert(secsip_tls_profile *p, uint32_t mode)
{
    secsip_result r = ssi_tls_profile_begin(p);

    if (r < 0)
        return r;
    if (mode > SECSIP_TLS_CLIENT_CERT_REQUIRE)
        return ssi_tls_profile_fail(p, SECSIP_E_INVALID, "client certificate",
                                    "SECSIP_TLS_CLIENT_CERT_*", "an unknown number",
                                    "%u is no way to treat client certificates", (unsigned)mode);
    p->client_cert = mode;
    p->chosen |= SSI_TLS_CHOSE_CLIENT_CERT;
    return 0;
}

secsip_result ssi_tls_profile_set_from(secsip_tls_profile *p, uint32_t mode)
{
    secsip_result r = ssi_tls_profile_begin(p);

    if (r < 0)
        return r;
    if (mode > SECSIP_TLS_FROM_CERTIFIED)
        return ssi_tls_profile_fail(p, SECSIP_E_INVALID, "from", "SECSIP_TLS_FROM_*",
                                    "an unknown number", "%u is no rule for From", (unsigned)mode);
    p->from = mode;
    p->chosen |= SSI_TLS_CHOSE_FROM;
    return 0;
}

secsip_result ssi_tls_profile_set_decision(secsip_tls_profile *p,
                                           int32_t (*decide)(const secsip_tls_question *question,
                                                             void *user_data),
                                           void *user_data, bool insecure)
{
    secsip_result r = ssi_tls_profile_begin(p);

    if (r < 0)
        return r;
    p->policy.decide = decide;
    p->policy.decide_user_data = user_data;
    p->policy.decide_insecure = insecure;
    return 0;
}

secsip_result ssi_tls_profile_set_known_keys(secsip_tls_profile *p, uint32_t mode,
                                             const secsip_tls_known_keys *keys,
                                             void (*tend)(void *user_data),
                                             void (*release)(void *user_data))
{
    bool needed = mode != SECSIP_TLS_KNOWN_KEYS_OFF;
    secsip_result r = ssi_tls_profile_begin(p);

    if (r < 0)
        return r;
    if (mode > SECSIP_TLS_KNOWN_KEYS_INSECURE_INSTEAD_OF_CHAIN ||
        (needed && (!keys || !keys->lookup || !keys->store)))
        return ssi_tls_profile_fail(
            p, SECSIP_E_INVALID, "known key", "SECSIP_TLS_KNOWN_KEYS_*, and where keys are kept",
            needed ? "an unknown mode, or no place" : "an unknown mode",
            "mode %u, or the place of known keys, cannot be used", (unsigned)mode);
    release_known(p);
    p->policy.known_mode = mode;
    p->policy.known = keys ? *keys : (secsip_tls_known_keys){.size = sizeof p->policy.known};
    p->known_tend = keys ? tend : NULL;
    p->known_release = keys ? release : NULL;
    return 0;
}

secsip_result ssi_tls_profile_set_keylog(secsip_tls_profile *p,
                                         void (*keylog)(const char *line, size_t len,
                                                        void *user_data),
                                         void *user_data)
{
    secsip_result r = ssi_tls_profile_begin(p);

    if (r < 0)
        return r;
    p->keylog = keylog;
    p->keylog_user_data = user_data;
    p->chosen |= SSI_TLS_CHOSE_KEYLOG;
    return 0;
}

const secsip_error *ssi_tls_profile_error(const secsip_tls_profile *p)
{
    return p ? &p->error : NULL;
}

/* Loads the system's authorities, once, where none were given. */
static secsip_result need_trust(secsip_tls_profile *p)
{
    if (p->trust_loaded)
        return 0;
    int n = gnutls_x509_trust_list_add_system_trust(p->trust.list, 0, 0);
    if (n < 0)
        return ssi_tls_profile_fail(p, SECSIP_E_TLS_CREDENTIALS, "trust",
                                    "the system's list of authorities", gnutls_strerror(n),
                                    "the system's list of authorities cannot be read: %s",
                                    gnutls_strerror(n));
    p->trust_loaded = true;
    return 0;
}

static secsip_result need_ticket_key(secsip_tls_profile *p)
{
    if (p->ticket_key.data || p->resumption == SECSIP_TLS_RESUME_OFF)
        return 0;
    return gnutls_session_ticket_key_generate(&p->ticket_key) < 0 ? SECSIP_E_RANDOM : 0;
}

secsip_result ssi_tls_profile_freeze(secsip_tls_profile *p, bool server)
{
    secsip_result r = 0;

    if (server && p->identity->n_keys == 0) {
        clear_error(p);
        return ssi_tls_profile_fail(p, SECSIP_E_TLS_CREDENTIALS, "identity",
                                    "a certificate and its key", "none",
                                    "a listener needs a profile with a certificate and its key");
    }
    if (!server || p->client_cert != SECSIP_TLS_CLIENT_CERT_IGNORE)
        r = need_trust(p);
    if (r == 0 && server)
        r = need_ticket_key(p);
    if (r < 0)
        return r;
    p->serves = p->serves || server;
    p->frozen = true;
    return 0;
}

static secsip_result check_replace(secsip_tls_profile *p, const secsip_tls_profile *with)
{
    if (!p || !with || p == with)
        return SECSIP_E_INVALID;
    clear_error(p);
    /* A callback of a verdict asks for it: everything that is looked at would go. */
    if (atomic_load(&p->judging) > 0)
        return ssi_tls_profile_fail(p, SECSIP_E_BUSY, "state", "a verdict that is over",
                                    "in the middle of it",
                                    "the profile cannot be renewed by who is asked about a peer");
    if (with->frozen)
        return ssi_tls_profile_fail(p, SECSIP_E_STATE, "state", "a replacement that is not in use",
                                    "in use", "the replacement is in use itself");
    if (p->serves && with->identity->n_keys == 0)
        return ssi_tls_profile_fail(
            p, SECSIP_E_TLS_CREDENTIALS, "identity", "a certificate and its key", "none",
            "the profile serves a listener, and the replacement has no identity");
    return 0;
}

/* What is left out is no wish to go back to the defaults: a new certificate for a listener that requires its clients' would open
 * it to everybody. */
static void take_chosen(secsip_tls_profile *p, secsip_tls_profile *with)
{
    gnutls_priority_t priority = p->priority;

    if (with->chosen & SSI_TLS_CHOSE_CLIENT_CERT)
        p->client_cert = with->client_cert;
    if (with->chosen & SSI_TLS_CHOSE_FROM)
        p->from = with->from;
    if (with->chosen & SSI_TLS_CHOSE_RESUMPTION)
        p->resumption = with->resumption;
    if (with->chosen & SSI_TLS_CHOSE_KEYLOG) {
        p->keylog = with->keylog;
        p->keylog_user_data = with->keylog_user_data;
    }
    if (with->chosen & SSI_TLS_CHOSE_PARAMETERS) {
        p->priority = with->priority; /* sessions hold what they have: GnuTLS counts */
        with->priority = priority;
    }
    p->chosen |= with->chosen;
}

secsip_result ssi_tls_profile_replace(secsip_tls_profile *p, secsip_tls_profile *with)
{
    secsip_result r = check_replace(p, with);

    if (r < 0)
        return r;
    struct ssi_tls_identity *identity = p->identity;
    struct ssi_tls_trust trust = p->trust;
    p->identity = with->identity;
    p->trust = with->trust;
    take_chosen(p, with);
    release_known(p);
    p->policy = with->policy;
    p->known_tend = with->known_tend;
    p->known_release = with->known_release;
    with->known_tend = with->known_release = NULL;
    p->trust_given = with->trust_given;
    p->trust_loaded = with->trust_loaded;
    p->options = with->options;
    /* What was agreed under the old rules is not taken up again, neither by us nor by our clients. */
    p->rules++;
    ssi_tls_tickets_clear(&p->tickets);
    free_ticket_key(p);
    p->ticket_key = with->ticket_key;
    with->ticket_key.data = NULL;
    with->identity = identity;
    with->trust = trust;
    with->frozen = true;
    return 0;
}
