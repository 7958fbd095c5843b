/* The exported names of the TLS profile; the work is done in lib/tls. Layer: api. */
#include "secsip/tls.h"

#include <stdlib.h>

#include "api/abi.h"
#include "api/known_keys.h"
#include "base/export.h"
#include "tls/tls.h"

SECSIP_EXPORT secsip_result secsip_tls_profile_new(secsip_tls_profile **ret_profile)
{
    return ssi_tls_profile_new(ret_profile);
}

SECSIP_EXPORT secsip_tls_profile *secsip_tls_profile_ref(secsip_tls_profile *profile)
{
    return ssi_tls_profile_ref(profile);
}

SECSIP_EXPORT void secsip_tls_profile_unref(secsip_tls_profile *profile)
{
    ssi_tls_profile_unref(profile);
}

SECSIP_EXPORT secsip_result secsip_tls_profile_add_trust_file(secsip_tls_profile *profile,
                                                              const char *path)
{
    return ssi_tls_profile_add_trust_file(profile, path);
}

SECSIP_EXPORT secsip_result secsip_tls_profile_add_trust_pem(secsip_tls_profile *profile,
                                                             const char *pem, size_t len)
{
    return ssi_tls_profile_add_trust_pem(profile, pem, len);
}

SECSIP_EXPORT secsip_result secsip_tls_profile_set_identity_file(secsip_tls_profile *profile,
                                                                 const char *cert_path,
                                                                 const char *key_path)
{
    return ssi_tls_profile_set_identity_file(profile, cert_path, key_path);
}

SECSIP_EXPORT secsip_result secsip_tls_profile_set_identity_pem(secsip_tls_profile *profile,
                                                                const char *cert, size_t cert_len,
                                                                const char *key, size_t key_len)
{
    return ssi_tls_profile_set_identity_pem(profile, cert, cert_len, key, key_len);
}

SECSIP_EXPORT secsip_result secsip_tls_profile_set_options(secsip_tls_profile *profile,
                                                           uint32_t options)
{
    return ssi_tls_profile_set_options(profile, options);
}

SECSIP_EXPORT secsip_result secsip_tls_profile_set_client_cert(secsip_tls_profile *profile,
                                                               uint32_t mode)
{
    return ssi_tls_profile_set_client_cert(profile, mode);
}

SECSIP_EXPORT secsip_result secsip_tls_profile_set_keylog(
    secsip_tls_profile *profile, void (*keylog)(const char *line, size_t len, void *user_data),
    void *user_data)
{
    return ssi_tls_profile_set_keylog(profile, keylog, user_data);
}

SECSIP_EXPORT secsip_result secsip_tls_profile_add_identity_file(secsip_tls_profile *profile,
                                                                 const char *cert_path,
                                                                 const char *key_path)
{
    return ssi_tls_profile_add_identity_file(profile, cert_path, key_path);
}

SECSIP_EXPORT secsip_result secsip_tls_profile_add_identity_pem(secsip_tls_profile *profile,
                                                                const char *cert, size_t cert_len,
                                                                const char *key, size_t key_len)
{
    return ssi_tls_profile_add_identity_pem(profile, cert, cert_len, key, key_len);
}

SECSIP_EXPORT secsip_result secsip_tls_profile_set_identity_pkcs12(secsip_tls_profile *profile,
                                                                   const void *p12, size_t len,
                                                                   const char *password)
{
    return ssi_tls_profile_set_identity_pkcs12(profile, p12, len, password);
}

SECSIP_EXPORT secsip_result secsip_tls_profile_set_password(
    secsip_tls_profile *profile,
    int32_t (*password)(const char *what, char *out, size_t cap, void *user_data), void *user_data)
{
    return ssi_tls_profile_set_password(profile, password, user_data);
}

SECSIP_EXPORT secsip_result secsip_tls_profile_add_crl_pem(secsip_tls_profile *profile,
                                                           const char *pem, size_t len)
{
    return ssi_tls_profile_add_crl_pem(profile, pem, len);
}

SECSIP_EXPORT secsip_result secsip_tls_profile_add_crl_file(secsip_tls_profile *profile,
                                                            const char *path)
{
    return ssi_tls_profile_add_crl_file(profile, path);
}

SECSIP_EXPORT secsip_result secsip_tls_profile_set_ocsp(secsip_tls_profile *profile,
                                                        const void *der, size_t len)
{
    return ssi_tls_profile_set_ocsp(profile, der, len);
}

SECSIP_EXPORT secsip_result secsip_tls_profile_add_pin(secsip_tls_profile *profile, const char *pin)
{
    return ssi_tls_profile_add_pin(profile, pin);
}

SECSIP_EXPORT secsip_result secsip_tls_profile_set_resumption(secsip_tls_profile *profile,
                                                              uint32_t mode)
{
    return ssi_tls_profile_set_resumption(profile, mode);
}

SECSIP_EXPORT secsip_result secsip_tls_profile_set_ticket_key(secsip_tls_profile *profile,
                                                              const void *key, size_t len)
{
    return ssi_tls_profile_set_ticket_key(profile, key, len);
}

SECSIP_EXPORT secsip_result secsip_tls_profile_require_tls13(secsip_tls_profile *profile,
                                                             int32_t required)
{
    return ssi_tls_profile_set_version(profile, required ? SECSIP_TLS_VERSION_1_3 : 0);
}

SECSIP_EXPORT secsip_result secsip_tls_profile_set_parameters(
    secsip_tls_profile *profile, const secsip_tls_parameters *parameters)
{
    secsip_tls_parameters taken = {.size = sizeof taken};

    if (parameters) {
        secsip_result r = ssi_abi_take(&taken, sizeof taken, parameters, sizeof taken);
        if (r < 0)
            return r;
    }
    return ssi_tls_profile_set_parameters(profile, &taken);
}

SECSIP_EXPORT secsip_result secsip_tls_profile_replace(secsip_tls_profile *profile,
                                                       secsip_tls_profile *replacement)
{
    return ssi_tls_profile_replace(profile, replacement);
}

SECSIP_EXPORT const secsip_error *secsip_tls_profile_error(const secsip_tls_profile *profile)
{
    return ssi_tls_profile_error(profile);
}

SECSIP_EXPORT secsip_result secsip_tls_profile_add_trust_directory(secsip_tls_profile *profile,
                                                                   const char *path)
{
    return ssi_tls_profile_add_trust_directory(profile, path);
}

SECSIP_EXPORT secsip_result secsip_tls_profile_set_identity_uri(secsip_tls_profile *profile,
                                                                const char *cert_uri,
                                                                const char *key_uri)
{
    return ssi_tls_profile_set_identity_uri(profile, cert_uri, key_uri);
}

SECSIP_EXPORT secsip_result secsip_tls_profile_add_identity_uri(secsip_tls_profile *profile,
                                                                const char *cert_uri,
                                                                const char *key_uri)
{
    return ssi_tls_profile_add_identity_uri(profile, cert_uri, key_uri);
}

SECSIP_EXPORT secsip_result secsip_tls_profile_set_decision(
    secsip_tls_profile *profile,
    int32_t (*decide)(const secsip_tls_question *question, void *user_data), void *user_data)
{
    return ssi_tls_profile_set_decision(profile, decide, user_data, false);
}

SECSIP_EXPORT secsip_result secsip_tls_profile_set_insecure_decision(
    secsip_tls_profile *profile,
    int32_t (*decide)(const secsip_tls_question *question, void *user_data), void *user_data)
{
    return ssi_tls_profile_set_decision(profile, decide, user_data, true);
}

SECSIP_EXPORT secsip_result secsip_tls_profile_set_known_keys(secsip_tls_profile *profile,
                                                              uint32_t mode,
                                                              const secsip_tls_known_keys *keys)
{
    secsip_tls_known_keys taken = {.size = sizeof taken};

    if (keys) {
        secsip_result r =
            ssi_abi_take(&taken, sizeof taken, keys, offsetof(secsip_tls_known_keys, user_data));
        if (r < 0)
            return r;
    }
    return ssi_tls_profile_set_known_keys(profile, mode, keys ? &taken : NULL, NULL, NULL);
}

SECSIP_EXPORT secsip_result secsip_tls_profile_set_known_keys_file(secsip_tls_profile *profile,
                                                                   uint32_t mode, const char *path)
{
    secsip_tls_known_keys keys;
    secsip_result r = ssi_tls_profile_begin(profile);

    if (r < 0)
        return r;
    if (!path || !path[0])
        return SECSIP_E_INVALID;
    r = ssi_known_keys_open(path, &keys);
    if (r == SECSIP_E_FILE)
        return ssi_tls_profile_fail(
            profile, r, "known key",
            "lines of a domain and sha256//BASE64, not writable by everybody", "another file",
            "%s cannot be used as a file of known keys", path);
    if (r < 0)
        return r;
    r = ssi_tls_profile_set_known_keys(profile, mode, &keys, ssi_known_keys_tend,
                                       ssi_known_keys_close);
    if (r < 0)
        ssi_known_keys_close(keys.user_data);
    return r;
}

SECSIP_EXPORT secsip_result secsip_tls_known_keys_forget(const char *path, const char *domain)
{
    return path && domain ? ssi_known_keys_forget(path, domain) : SECSIP_E_INVALID;
}

SECSIP_EXPORT secsip_result secsip_tls_profile_set_from(secsip_tls_profile *profile, uint32_t mode)
{
    return ssi_tls_profile_set_from(profile, mode);
}
