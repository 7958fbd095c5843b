/* The exported names of the TLS profile; the work is done in lib/tls. Layer: api. */
#include "secsip/tls.h"

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
    return ssi_tls_profile_set_versions(profile,
                                        required ? SSI_TLS_VERSIONS_13 : SSI_TLS_VERSIONS_BOTH);
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
