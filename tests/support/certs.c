/* The laboratory of certificates, see certs.h. */
#include "certs.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/pkcs12.h>
#include <gnutls/x509.h>

enum {
    AUTHORITY = 1 << 0,
    RSA = 1 << 1,
    WEAK = 1 << 2,
    STAPLE = 1 << 3,
    MANY = 1 << 4, /* one name more than is read */
};

#define KP_SERVER "1.3.6.1.5.5.7.3.1"
#define KP_CLIENT "1.3.6.1.5.5.7.3.2"
#define KP_SIP    "1.3.6.1.5.5.7.3.20"
#define KP_ANY    "2.5.29.37.0"
#define BOTH      KP_SERVER, KP_CLIENT

static const struct template
{
    const char *name;
    enum lab_cert issuer;
    const char *cn;
    const char *dns;
    const char *uri;
    const char *ip;
    const char *eku[2];
    uint32_t from;
    uint32_t until;
    uint32_t flags;
}
templates[LAB_N] = {
    [LAB_CA] = {"ca", LAB_CA, "lab CA", .flags = AUTHORITY},
    [LAB_OTHERCA] = {"otherca", LAB_OTHERCA, "somebody else's CA", .flags = AUTHORITY},
    [LAB_INTERMEDIATE] = {"intermediate", LAB_CA, "lab intermediate CA", .flags = AUTHORITY},
    [LAB_SERVER] =
        {"server", LAB_CA, "example.test", "example.test", "sip:example.test", "127.0.0.1", {BOTH}},
    [LAB_URIONLY] =
        {"urionly", LAB_CA, "host7.provider.test", NULL, "sip:example.test", NULL, {BOTH}},
    [LAB_DNSONLY] = {"dnsonly", LAB_CA, "whatever", "Example.TEST", NULL, NULL, {BOTH}},
    [LAB_IPONLY] = {"iponly", LAB_CA, "127.0.0.1", NULL, NULL, "127.0.0.1", {BOTH}},
    [LAB_WRONGNAME] =
        {"wrongname", LAB_CA, "wrong.test", "wrong.test", "sip:wrong.test", NULL, {BOTH}},
    [LAB_DNS_BESIDE_SIP] =
        {"dnsbesidesip", LAB_CA, "x", "example.test", "sip:wrong.test", NULL, {BOTH}},
    [LAB_CNTRAP] = {"cntrap", LAB_CA, "example.test", "wrong.test", "sip:wrong.test", NULL, {BOTH}},
    [LAB_CNONLY] = {"cnonly", LAB_CA, "example.test", NULL, NULL, NULL, {BOTH}},
    [LAB_WILDCARD] = {"wildcard", LAB_CA, "*.test", "*.test", NULL, NULL, {BOTH}},
    [LAB_USERURI] = {"useruri", LAB_CA, "alice", NULL, "sip:alice@example.test", NULL, {BOTH}},
    [LAB_NULNAME] = {"nulname", LAB_CA, "x", "example.test!.wrong.test", NULL, NULL, {BOTH}},
    [LAB_FROM_OTHERCA] = {"fromotherca",
                          LAB_OTHERCA,
                          "example.test",
                          "example.test",
                          "sip:example.test",
                          "127.0.0.1",
                          {BOTH}},
    [LAB_SELFSIGNED] = {"selfsigned",
                        LAB_SELFSIGNED,
                        "example.test",
                        "example.test",
                        "sip:example.test",
                        "127.0.0.1",
                        {BOTH}},
    [LAB_EXPIRED] = {"expired",
                     LAB_CA,
                     "example.test",
                     "example.test",
                     "sip:example.test",
                     NULL,
                     {BOTH},
                     LAB_FROM,
                     LAB_NOW - 1},
    [LAB_NOTYET] = {"notyet",
                    LAB_CA,
                    "example.test",
                    "example.test",
                    "sip:example.test",
                    NULL,
                    {BOTH},
                    LAB_NOW + 1,
                    LAB_UNTIL},
    [LAB_SIPDOMAIN] =
        {"sipdomain", LAB_CA, "example.test", "example.test", "sip:example.test", NULL, {KP_SIP}},
    [LAB_ANYEKU] =
        {"anyeku", LAB_CA, "example.test", "example.test", "sip:example.test", NULL, {KP_ANY}},
    [LAB_NOEKU] =
        {"noeku", LAB_CA, "example.test", "example.test", "sip:example.test", NULL, {NULL}},
    [LAB_CLIENTONLY] = {"clientonly",
                        LAB_CA,
                        "example.test",
                        "example.test",
                        "sip:example.test",
                        NULL,
                        {KP_CLIENT}},
    [LAB_SERVERONLY] = {"serveronly",
                        LAB_CA,
                        "example.test",
                        "example.test",
                        "sip:example.test",
                        NULL,
                        {KP_SERVER}},
    [LAB_RSA] = {"rsa",
                 LAB_CA,
                 "example.test",
                 "example.test",
                 "sip:example.test",
                 NULL,
                 {BOTH},
                 .flags = RSA},
    [LAB_WEAKRSA] = {"weakrsa",
                     LAB_CA,
                     "example.test",
                     "example.test",
                     "sip:example.test",
                     NULL,
                     {BOTH},
                     .flags = RSA | WEAK},
    [LAB_VIA_INTERMEDIATE] = {"viaintermediate",
                              LAB_INTERMEDIATE,
                              "example.test",
                              "example.test",
                              "sip:example.test",
                              NULL,
                              {BOTH}},
    [LAB_REVOKED] =
        {"revoked", LAB_CA, "example.test", "example.test", "sip:example.test", NULL, {BOTH}},
    [LAB_MUSTSTAPLE] = {"muststaple",
                        LAB_CA,
                        "example.test",
                        "example.test",
                        "sip:example.test",
                        NULL,
                        {BOTH},
                        .flags = STAPLE},
    [LAB_IDN] = {"idn", LAB_CA, "x", "xn--bcher-kva.test", "sip:XN--bcher-kva.test", NULL, {BOTH}},
    [LAB_MANYNAMES] = {"manynames", LAB_CA, "x", "example.test", NULL, NULL, {BOTH}, .flags = MANY},
    [LAB_BY_LEAF] =
        {"byleaf", LAB_SERVER, "below a leaf", "example.test", "sip:example.test", NULL, {BOTH}},
    [LAB_ALICE] = {"alice", LAB_CA, "alice", NULL, "sip:alice@example.test", NULL, {KP_CLIENT}},
    [LAB_PROXY] = {"proxy", LAB_CA, "proxy", NULL, "sip:example.test", NULL, {KP_CLIENT}},
    [LAB_CLIENT_OTHERCA] = {"clientotherca",
                            LAB_OTHERCA,
                            "mallory",
                            NULL,
                            "sip:alice@example.test",
                            NULL,
                            {KP_CLIENT}},
    [LAB_CLIENT_EXPIRED] = {"clientexpired",
                            LAB_CA,
                            "alice",
                            NULL,
                            "sip:alice@example.test",
                            NULL,
                            {KP_CLIENT},
                            LAB_FROM,
                            LAB_NOW - 1},
};

static struct made {
    gnutls_x509_crt_t crt;
    gnutls_x509_privkey_t key;
    char *chain;
    char *key_pem;
} made[LAB_N];

static void must(int rc, const char *what)
{
    if (rc < 0) {
        fprintf(stderr, "certs: %s: %s\n", what, gnutls_strerror(rc));
        abort();
    }
}

static char *join(const gnutls_datum_t *a, const gnutls_datum_t *b)
{
    char *text = calloc(1, a->size + (b ? b->size : 0) + 1);

    if (!text)
        abort();
    memcpy(text, a->data, a->size);
    if (b)
        memcpy(text + a->size, b->data, b->size);
    return text;
}

static void make_key(struct made *m, uint32_t flags)
{
    must(gnutls_x509_privkey_init(&m->key), "privkey_init");
    if (flags & RSA)
        must(gnutls_x509_privkey_generate(m->key, GNUTLS_PK_RSA, flags & WEAK ? 1024 : 2048, 0),
             "generate RSA");
    else
        must(gnutls_x509_privkey_generate(m->key, GNUTLS_PK_ECDSA,
                                          GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
             "generate ECDSA");
}

/* GnuTLS would cut the name at the NUL, so the extension is written by hand. */
static void set_nul_name(gnutls_x509_crt_t crt, const char *dns)
{
    uint8_t der[64];
    size_t n = strlen(dns);

    der[0] = 0x30;
    der[1] = (uint8_t)(n + 2);
    der[2] = 0x82;
    der[3] = (uint8_t)n;
    for (size_t i = 0; i < n; i++)
        der[4 + i] = dns[i] == '!' ? 0 : (uint8_t)dns[i];
    must(gnutls_x509_crt_set_extension_by_oid(crt, GNUTLS_X509EXT_OID_SAN, der, n + 4, 0), "SAN");
}

static void set_san(gnutls_x509_crt_t crt, gnutls_x509_subject_alt_name_t type, const void *data,
                    size_t len)
{
    must(gnutls_x509_crt_set_subject_alt_name(crt, type, data, (unsigned)len, GNUTLS_FSAN_APPEND),
         "SAN");
}

static void set_names(gnutls_x509_crt_t crt, const struct template *t)
{
    uint8_t ip[4];

    must(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, t->cn,
                                       (unsigned)strlen(t->cn)),
         "CN");
    if (t->dns && strchr(t->dns, '!'))
        set_nul_name(crt, t->dns);
    else if (t->dns)
        set_san(crt, GNUTLS_SAN_DNSNAME, t->dns, strlen(t->dns));
    for (int i = 0; i < 100 && (t->flags & MANY); i++)
        set_san(crt, GNUTLS_SAN_DNSNAME, "more.test", 9);
    if (t->uri)
        set_san(crt, GNUTLS_SAN_URI, t->uri, strlen(t->uri));
    if (t->ip) {
        inet_pton(AF_INET, t->ip, ip);
        set_san(crt, GNUTLS_SAN_IPADDRESS, ip, sizeof ip);
    }
}

static struct made *lab_made(enum lab_cert which);

static void make_cert(enum lab_cert which)
{
    const struct template *t = &templates[which];
    struct made *m = &made[which];
    struct made *issuer = t->issuer == which ? m : lab_made(t->issuer);
    uint8_t serial[2] = {1, (uint8_t)(which + 1)};
    uint8_t id[20];
    size_t id_len = sizeof id;

    make_key(m, t->flags);
    must(gnutls_x509_crt_init(&m->crt), "crt_init");
    must(gnutls_x509_crt_set_version(m->crt, 3), "version");
    must(gnutls_x509_crt_set_serial(m->crt, serial, sizeof serial), "serial");
    must(gnutls_x509_crt_set_key(m->crt, m->key), "key");
    must(gnutls_x509_crt_set_activation_time(m->crt, (time_t)(t->from ? t->from : LAB_FROM)),
         "activation");
    must(gnutls_x509_crt_set_expiration_time(m->crt, (time_t)(t->until ? t->until : LAB_UNTIL)),
         "expiration");
    must(gnutls_x509_crt_set_basic_constraints(m->crt, t->flags & AUTHORITY ? 1 : 0, -1),
         "constraints");
    must(gnutls_x509_crt_set_key_usage(m->crt, t->flags & AUTHORITY
                                                   ? GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN
                                                   : GNUTLS_KEY_DIGITAL_SIGNATURE),
         "usage");
    set_names(m->crt, t);
    for (int i = 0; i < 2 && t->eku[i]; i++)
        must(gnutls_x509_crt_set_key_purpose_oid(m->crt, t->eku[i], 0), "EKU");
    if (t->flags & STAPLE)
        /* RFC 7633: SEQUENCE { INTEGER 5 } */
        must(gnutls_x509_crt_set_extension_by_oid(m->crt, "1.3.6.1.5.5.7.1.24",
                                                  "\x30\x03\x02\x01\x05", 5, 0),
             "feature");
    must(gnutls_x509_crt_get_key_id(m->crt, 0, id, &id_len), "key id");
    must(gnutls_x509_crt_set_subject_key_id(m->crt, id, id_len), "subject key id");
    must(gnutls_x509_crt_sign2(m->crt, issuer->crt, issuer->key, GNUTLS_DIG_SHA256, 0), "sign");
}

static void export_pem(enum lab_cert which)
{
    struct made *m = &made[which];
    gnutls_datum_t pem, above = {NULL, 0};
    enum lab_cert issuer = templates[which].issuer;
    bool with_issuer = issuer == LAB_INTERMEDIATE || issuer == LAB_SERVER;

    must(gnutls_x509_crt_export2(m->crt, GNUTLS_X509_FMT_PEM, &pem), "export");
    if (with_issuer)
        must(gnutls_x509_crt_export2(made[issuer].crt, GNUTLS_X509_FMT_PEM, &above), "export");
    m->chain = join(&pem, with_issuer ? &above : NULL);
    gnutls_free(above.data);
    gnutls_free(pem.data);
    must(gnutls_x509_privkey_export2_pkcs8(m->key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
                                           &pem),
         "export key");
    m->key_pem = join(&pem, NULL);
    gnutls_free(pem.data);
}

/* Made when it is first asked for: all of them together take longer than a hundred calls. */
static struct made *lab_made(enum lab_cert which)
{
    if (!made[which].crt) {
        make_cert(which);
        export_pem(which);
    }
    return &made[which];
}

char *lab_crl(enum lab_cert authority, uint32_t until)
{
    gnutls_x509_crl_t crl;
    gnutls_datum_t pem;
    uint8_t number[1] = {1};

    must(gnutls_x509_crl_init(&crl), "crl_init");
    must(gnutls_x509_crl_set_version(crl, 2), "crl version");
    must(gnutls_x509_crl_set_number(crl, number, 1), "crl number");
    must(gnutls_x509_crl_set_this_update(crl, LAB_FROM), "crl this update");
    must(gnutls_x509_crl_set_next_update(crl, (time_t)until), "crl next update");
    must(gnutls_x509_crl_set_crt(crl, lab_made(LAB_REVOKED)->crt, LAB_FROM), "crl add");
    must(gnutls_x509_crl_sign2(crl, lab_made(authority)->crt, lab_made(authority)->key,
                               GNUTLS_DIG_SHA256, 0),
         "crl sign");
    must(gnutls_x509_crl_export2(crl, GNUTLS_X509_FMT_PEM, &pem), "crl export");
    char *text = join(&pem, NULL);
    gnutls_free(pem.data);
    gnutls_x509_crl_deinit(crl);
    return text;
}

char *lab_encrypted_key(enum lab_cert which, const char *password)
{
    gnutls_datum_t pem;

    must(gnutls_x509_privkey_export2_pkcs8(lab_made(which)->key, GNUTLS_X509_FMT_PEM, password,
                                           GNUTLS_PKCS_PBES2_AES_256, &pem),
         "encrypt key");
    char *text = join(&pem, NULL);
    gnutls_free(pem.data);
    return text;
}

uint8_t *lab_pkcs12(enum lab_cert which, const char *password, size_t *ret_len)
{
    gnutls_pkcs12_bag_t bag, key_bag;
    gnutls_datum_t der, key;
    gnutls_pkcs12_t p12;
    uint8_t id[20];
    size_t id_len = sizeof id;

    must(gnutls_x509_crt_get_key_id(lab_made(which)->crt, 0, id, &id_len), "key id");
    gnutls_datum_t id_datum = {id, (unsigned)id_len};
    must(gnutls_pkcs12_init(&p12), "pkcs12");
    must(gnutls_pkcs12_bag_init(&bag), "bag");
    must(gnutls_pkcs12_bag_set_crt(bag, lab_made(which)->crt), "bag crt");
    must(gnutls_pkcs12_bag_set_key_id(bag, 0, &id_datum), "bag id");
    must(gnutls_pkcs12_bag_encrypt(bag, password, GNUTLS_PKCS_PBES2_AES_256), "bag encrypt");
    must(gnutls_pkcs12_set_bag(p12, bag), "set bag");
    must(gnutls_x509_privkey_export2_pkcs8(lab_made(which)->key, GNUTLS_X509_FMT_DER, password,
                                           GNUTLS_PKCS_PBES2_AES_256, &key),
         "key");
    must(gnutls_pkcs12_bag_init(&key_bag), "key bag");
    must(gnutls_pkcs12_bag_set_data(key_bag, GNUTLS_BAG_PKCS8_ENCRYPTED_KEY, &key), "bag key");
    must(gnutls_pkcs12_bag_set_key_id(key_bag, 0, &id_datum), "bag id");
    must(gnutls_pkcs12_set_bag(p12, key_bag), "set bag");
    must(gnutls_pkcs12_generate_mac(p12, password), "mac");
    must(gnutls_pkcs12_export2(p12, GNUTLS_X509_FMT_DER, &der), "export");
    uint8_t *bytes = (uint8_t *)join(&der, NULL);
    *ret_len = der.size;
    gnutls_free(der.data);
    gnutls_free(key.data);
    gnutls_pkcs12_bag_deinit(bag);
    gnutls_pkcs12_bag_deinit(key_bag);
    gnutls_pkcs12_deinit(p12);
    return bytes;
}

void lab_pin(enum lab_cert which, char out[65])
{
    uint8_t id[32];
    size_t len = sizeof id;

    must(gnutls_x509_crt_get_key_id(lab_made(which)->crt, GNUTLS_KEYID_USE_SHA256, id, &len),
         "key id");
    for (size_t i = 0; i < len; i++)
        snprintf(out + 2 * i, 3, "%02x", id[i]);
}

static int n_open;

void lab_open(void)
{
    n_open++;
}

void lab_close(void)
{
    if (--n_open > 0)
        return;
    for (int i = 0; i < LAB_N; i++) {
        if (!made[i].crt)
            continue;
        gnutls_x509_crt_deinit(made[i].crt);
        gnutls_x509_privkey_deinit(made[i].key);
        free(made[i].chain);
        free(made[i].key_pem);
        memset(&made[i], 0, sizeof made[i]);
    }
}

int lab_set_up(void **state)
{
    (void)state;
    lab_open();
    return 0;
}

int lab_tear_down(void **state)
{
    (void)state;
    lab_close();
    return 0;
}

const char *lab_chain(enum lab_cert which)
{
    return lab_made(which)->chain;
}

const char *lab_key(enum lab_cert which)
{
    return lab_made(which)->key_pem;
}

const char *lab_name(enum lab_cert which)
{
    return which < LAB_N ? templates[which].name : "none";
}

secsip_tls_profile *lab_profile(enum lab_cert identity)
{
    secsip_tls_profile *p;

    must(secsip_tls_profile_new(&p), "profile");
    must(secsip_tls_profile_add_trust_pem(p, lab_chain(LAB_CA), strlen(lab_chain(LAB_CA))),
         "trust");
    if (identity != LAB_N)
        must(secsip_tls_profile_set_identity_pem(p, lab_chain(identity),
                                                 strlen(lab_chain(identity)), lab_key(identity),
                                                 strlen(lab_key(identity))),
             "identity");
    return p;
}
