/* TLS versions, key exchanges and ciphers of a profile. Layer: tls. What can be chosen is a list of what RFC 9325 recommends
 * or allows beside it, so that no choice is weaker than the default: ECDHE and AEAD, and nothing else has a name here. */
#include <stdio.h>

#include "tls/profile.h"

/* 256 bits first: the keys that travel here may have 256 bits themselves, and are only as safe as this channel. */
#define DEFAULT_CIPHERS "AES-256-GCM:CHACHA20-POLY1305:AES-128-GCM"
#define DEFAULT_GROUPS  "X25519:P-256:X448:P-384:P-521"

struct choice {
    const char *name;
    const char *gnutls; /* in a priority string */
    const char *other;  /* names that the field has for it */
    const char *third;
};

static const struct choice ciphers[] = {
    {"AES-256-GCM", "AES-256-GCM", "TLS_AES_256_GCM_SHA384", NULL},
    {"CHACHA20-POLY1305", "CHACHA20-POLY1305", "TLS_CHACHA20_POLY1305_SHA256", NULL},
    {"AES-128-GCM", "AES-128-GCM", "TLS_AES_128_GCM_SHA256", NULL},
};

/* RFC 8446 4.2.7, RFC 8422 5.1.1. */
static const struct choice groups[] = {
    {"X25519", "GROUP-X25519", NULL, NULL},
    {"P-256", "GROUP-SECP256R1", "secp256r1", "prime256v1"},
    {"X448", "GROUP-X448", NULL, NULL},
    {"P-384", "GROUP-SECP384R1", "secp384r1", NULL},
    {"P-521", "GROUP-SECP521R1", "secp521r1", NULL},
};

struct list {
    const char *check;
    const char *expected;
    const struct choice *choices;
    size_t n;
};

static const struct list cipher_list = {"cipher", DEFAULT_CIPHERS, ciphers,
                                        sizeof ciphers / sizeof *ciphers};
static const struct list group_list = {"group", DEFAULT_GROUPS, groups,
                                       sizeof groups / sizeof *groups};

static bool is_name(struct ssi_slice item, const char *name)
{
    return name && ssi_slice_ieq(item, ssi_slice_str(name));
}

static const struct choice *find_choice(const struct list *l, struct ssi_slice item)
{
    for (size_t i = 0; i < l->n; i++)
        if (is_name(item, l->choices[i].name) || is_name(item, l->choices[i].other) ||
            is_name(item, l->choices[i].third))
            return &l->choices[i];
    return NULL;
}

static secsip_result refuse_item(secsip_tls_profile *p, const struct list *l, struct ssi_slice item,
                                 const char *why)
{
    char text[64];

    ssi_slice_show(item, text, sizeof text);
    return ssi_tls_profile_fail(p, SECSIP_E_INVALID, l->check, l->expected, text,
                                "the %s \"%s\" %s; there are %s", l->check, text, why, l->expected);
}

/* Appends the items of a list, in its order, to a priority string. */
static secsip_result put_list(secsip_tls_profile *p, const struct list *l, const char *names,
                              struct ssi_buf *b)
{
    struct ssi_slice rest = ssi_slice_str(names ? names : l->expected);
    uint32_t seen = 0;

    do {
        size_t end = ssi_slice_find(rest, ':');
        struct ssi_slice item = ssi_slice_trim(ssi_slice_of(rest.p, end));
        const struct choice *choice = find_choice(l, item);
        if (!choice)
            return refuse_item(p, l, item, "is not known, or weaker than RFC 9325 wants it");
        uint32_t bit = 1U << (choice - l->choices);
        if (seen & bit)
            return refuse_item(p, l, item, "stands there twice");
        seen |= bit;
        ssi_buf_put_str(b, ":+");
        ssi_buf_put_str(b, choice->gnutls);
        rest = ssi_slice_from(rest, end < rest.len ? end + 1 : end);
    } while (rest.len > 0);
    return 0;
}

static const char *version_name(uint32_t version)
{
    return version == SECSIP_TLS_VERSION_1_2   ? "1.2"
           : version == SECSIP_TLS_VERSION_1_3 ? "1.3"
                                               : NULL;
}

static secsip_result check_version(secsip_tls_profile *p, uint32_t version)
{
    char text[16];

    if (version_name(version))
        return 0;
    snprintf(text, sizeof text, "0x%04x", (unsigned)version);
    return ssi_tls_profile_fail(p, SECSIP_E_INVALID, "version", "SECSIP_TLS_VERSION_*", text,
                                "%s is no version of TLS that is spoken here: 1.2 (0x0303) and 1.3 "
                                "(0x0304) are",
                                text);
}

static secsip_result put_versions(secsip_tls_profile *p, uint32_t least, uint32_t most,
                                  struct ssi_buf *b)
{
    secsip_result r = check_version(p, least);

    if (r == 0)
        r = check_version(p, most);
    if (r < 0)
        return r;
    if (least > most)
        return ssi_tls_profile_fail(p, SECSIP_E_INVALID, "version", "a least one below the highest",
                                    version_name(least), "no TLS version is from %s to %s",
                                    version_name(least), version_name(most));
    if (most == SECSIP_TLS_VERSION_1_3)
        ssi_buf_put_str(b, ":+VERS-TLS1.3");
    if (least == SECSIP_TLS_VERSION_1_2)
        ssi_buf_put_str(b, ":+VERS-TLS1.2");
    return 0;
}

/* RFC 9325: forward secrecy and AEAD only. */
static secsip_result put_priority(secsip_tls_profile *p, const secsip_tls_parameters *t,
                                  struct ssi_buf *b)
{
    ssi_buf_put_str(b, "NORMAL:-VERS-ALL");
    secsip_result r =
        put_versions(p, t->least_version ? t->least_version : SECSIP_TLS_VERSION_1_2,
                     t->highest_version ? t->highest_version : SECSIP_TLS_VERSION_1_3, b);
    ssi_buf_put_str(b, ":-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-CIPHER-ALL");
    if (r == 0)
        r = put_list(p, &cipher_list, t->ciphers, b);
    ssi_buf_put_str(b, ":-MAC-ALL:+AEAD:-GROUP-ALL");
    if (r == 0)
        r = put_list(p, &group_list, t->groups, b);
    /* RFC 9155: no SHA-1 under a handshake of TLS 1.2 either. */
    ssi_buf_put_str(b, ":-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:-COMP-ALL:+COMP-NULL:"
                       "%SAFE_RENEGOTIATION:%SERVER_PRECEDENCE:%PROFILE_MEDIUM");
    ssi_buf_put_char(b, 0);
    return r < 0 ? r : b->failed;
}

secsip_result ssi_tls_profile_set_parameters(secsip_tls_profile *p,
                                             const secsip_tls_parameters *parameters)
{
    static const secsip_tls_parameters defaults = {.size = sizeof defaults};
    gnutls_priority_t priority;
    struct ssi_buf b;
    secsip_result r = ssi_tls_profile_begin(p);

    if (r < 0)
        return r;
    ssi_buf_init(&b, 1024);
    r = put_priority(p, parameters ? parameters : &defaults, &b);
    if (r == 0 && gnutls_priority_init2(&priority, ssi_buf_slice(&b).p, NULL, 0) < 0)
        r = SECSIP_E_NOMEM;
    ssi_buf_free(&b);
    if (r != 0)
        return r;
    if (p->priority)
        gnutls_priority_deinit(p->priority);
    p->priority = priority;
    p->chosen |= SSI_TLS_CHOSE_PARAMETERS;
    return 0;
}

secsip_result ssi_tls_profile_set_version(secsip_tls_profile *p, uint32_t only)
{
    const secsip_tls_parameters t = {
        .size = sizeof t, .least_version = only, .highest_version = only};

    return ssi_tls_profile_set_parameters(p, &t);
}
