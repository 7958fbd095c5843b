/* The key of a peer: pinned ones, and those that are known from before (trust on first use), see checks.h. Layer: tls. */
#include <stdio.h>

#include "base/base64.h"
#include "tls/checks.h"

enum {
    MAX_KNOWN = 16 /* keys of one domain */
};

bool ssi_tls_key_id(gnutls_x509_crt_t crt, uint8_t pin[SSI_TLS_PIN_SIZE])
{
    size_t len = SSI_TLS_PIN_SIZE;

    return gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, pin, &len) >= 0 &&
           len == SSI_TLS_PIN_SIZE;
}

void ssi_tls_show_pin(const uint8_t pin[SSI_TLS_PIN_SIZE], char out[SSI_TLS_PIN_TEXT])
{
    static const char prefix[] = "sha256//";

    _Static_assert(sizeof prefix + SSI_BASE64_LEN(SSI_TLS_PIN_SIZE) <= SSI_TLS_PIN_TEXT, "room");
    memcpy(out, prefix, sizeof prefix);
    ssi_base64_text(pin, SSI_TLS_PIN_SIZE, out + sizeof prefix - 1);
}

/* Pins come on top of everything else; no option forgives a wrong key. */
void ssi_tls_check_pins(const struct ssi_tls_check *c, const struct ssi_tls_chain *ch,
                        struct ssi_tls_verdict *v)
{
    char expected[SSI_TLS_PIN_TEXT], found[SSI_TLS_PIN_TEXT] = "no readable key";
    uint8_t id[SSI_TLS_PIN_SIZE];

    if (c->trust->n_pins == 0)
        return;
    for (size_t i = 0; i < ch->n_path; i++) {
        if (!ssi_tls_key_id(ch->path[i], id))
            continue;
        if (i == 0)
            ssi_tls_show_pin(id, found);
        for (size_t k = 0; k < c->trust->n_pins; k++)
            if (memcmp(id, c->trust->pins[k], sizeof id) == 0)
                return;
    }
    if (!ssi_tls_is_first(v, SECSIP_TLS_CHECK_PIN))
        return;
    ssi_tls_show_pin(c->trust->pins[0], expected);
    ssi_tls_fail(&v->failure, SECSIP_E_TLS_CERT_PIN, "pin", expected, found,
                 "the certificate of %s has the key %s; pinned is %s%s", ch->title, found, expected,
                 c->trust->n_pins > 1 ? ", or another" : "");
}

/* Goes through what is known of the domain. Returns how many keys it has, or the store's error; first: the first of them. */
static int32_t look_up(const struct ssi_tls_check *c, const char *pin, char first[SSI_TLS_PIN_TEXT],
                       bool *ret_found)
{
    const secsip_tls_known_keys *known = &c->policy->known;
    char text[SSI_TLS_PIN_TEXT];

    *ret_found = false;
    for (uint32_t i = 0; i < MAX_KNOWN && !*ret_found; i++) {
        text[0] = 0;
        int32_t r = known->lookup(c->domain, i, text, sizeof text, known->user_data);
        if (r == SECSIP_E_NOT_FOUND)
            return (int32_t)i;
        if (r < 0)
            return r;
        text[sizeof text - 1] = 0;
        if (i == 0)
            memcpy(first, text, sizeof text);
        *ret_found = strcmp(text, pin) == 0;
    }
    return MAX_KNOWN;
}

static void fail_store(struct ssi_tls_verdict *v, const char *domain, int32_t why)
{
    ssi_tls_fail(
        &v->failure, SECSIP_E_TLS_CERT_KEY, "known key", "a store of known keys",
        secsip_result_text(why),
        "whether the key of %s is known cannot be said, because the store of known keys does "
        "not work: %s",
        domain, secsip_result_text(why));
}

static void fail_changed(struct ssi_tls_verdict *v, const char *domain, const char *known,
                         const char *found)
{
    ssi_tls_fail(&v->failure, SECSIP_E_TLS_CERT_KEY, "known key", known, found,
                 "the key of %s has changed: known is %s, it shows %s. If its administrator has "
                 "renewed it, forget the known one; else somebody stands between",
                 domain, known, found);
}

/* A client's only: a server has no domain that it asked for. */
void ssi_tls_check_known_key(const struct ssi_tls_check *c, const struct ssi_tls_chain *ch,
                             struct ssi_tls_verdict *v)
{
    char found[SSI_TLS_PIN_TEXT], first[SSI_TLS_PIN_TEXT] = "";

    if (!c->policy || c->policy->known_mode == SECSIP_TLS_KNOWN_KEYS_OFF || c->peer_is_client ||
        !c->domain)
        return;
    if (!ssi_tls_key_id(ch->sent[0], v->pin)) {
        if (ssi_tls_is_first(v, SECSIP_TLS_CHECK_KNOWN_KEY))
            ssi_tls_fail(&v->failure, SECSIP_E_TLS_CERT_KEY, "known key", "a readable key", "none",
                         "the key of %s cannot be read", c->domain);
        return;
    }
    ssi_tls_show_pin(v->pin, found);
    int32_t n = look_up(c, found, first, &v->key_known);
    v->first_use = n == 0;
    if (v->key_known || v->first_use || !ssi_tls_is_first(v, SECSIP_TLS_CHECK_KNOWN_KEY))
        return;
    if (n < 0)
        fail_store(v, c->domain, n);
    else
        fail_changed(v, c->domain, first, found);
}

secsip_result ssi_tls_remember_key(const struct ssi_tls_check *c, struct ssi_tls_verdict *v)
{
    const uint32_t others = SSI_TLS_INSECURE_OPTIONS & ~(uint32_t)SECSIP_TLS_INSECURE_FIRST_USE;
    char pin[SSI_TLS_PIN_TEXT], first[SSI_TLS_PIN_TEXT] = "";
    bool found;

    /* What only an insecure option let pass does not become known: it would count as proved from then on. */
    if (!v->first_use || (v->relaxed & others))
        return 0;
    ssi_tls_show_pin(v->pin, pin);
    int32_t r = c->policy->known.store(c->domain, pin, c->policy->known.user_data);
    if (r >= 0)
        return 0;
    v->failed |= SECSIP_TLS_CHECK_KNOWN_KEY;
    if (r == SECSIP_E_TLS_CERT_KEY && look_up(c, pin, first, &found) > 0)
        fail_changed(v, c->domain, first, pin);
    else
        fail_store(v, c->domain, r);
    return v->failure.result;
}
