/* Certificates through the verifier. The first byte chooses what the rest is:
 *   0  a chain: one byte says how much of it is the leaf, in 1/255. Judged with nobody trusted, with one authority trusted
 *      that signed none of it, and as a client's; refused with a reason whatever it is, and accepted only where any
 *      certificate is, or where it holds the trusted certificate's own signed part
 *   1  a stapled OCSP answer to a chain that is good: nobody can forge one
 *   2  names, one a line, read as a certificate's are: none of them may speak for a domain that it does not spell */
#include "fuzz.h"

#include <string.h>

#include "identity.h"
#include "tls/staple.h"
#include "tls/verify.h"

enum {
    NOW = 1750000000,
    TBS_AT = 4, /* behind the head of the outer SEQUENCE; RFC 5280 4.1 */
};

static struct ssi_tls_trust nobody, somebody;
static gnutls_datum_t own; /* identity_cert in DER */

static void set_up(void)
{
    gnutls_datum_t pem = {(unsigned char *)(uintptr_t)identity_cert, sizeof identity_cert - 1};

    if (nobody.list)
        return;
    FUZZ_CHECK(gnutls_x509_trust_list_init(&nobody.list, 0) >= 0);
    FUZZ_CHECK(gnutls_x509_trust_list_init(&somebody.list, 0) >= 0);
    FUZZ_CHECK(gnutls_x509_trust_list_add_trust_mem(somebody.list, &pem, NULL, GNUTLS_X509_FMT_PEM,
                                                    0, 0) == 1);
    FUZZ_CHECK(gnutls_pem_base64_decode2("CERTIFICATE", &pem, &own) >= 0);
}

/* The part of a certificate that its signature is over, where it stands in these bytes; the signature itself has more than
 * one spelling. */
static bool holds_own(const gnutls_datum_t *leaf)
{
    const unsigned char *tbs = own.data + TBS_AT;
    size_t len = 4 + ((size_t)tbs[2] << 8 | tbs[3]);

    FUZZ_CHECK(tbs[0] == 0x30 && tbs[1] == 0x82 && TBS_AT + len < own.size);
    for (size_t i = 0; i + len <= leaf->size; i++)
        if (memcmp(leaf->data + i, tbs, len) == 0)
            return true;
    return false;
}

static void check_names(const struct ssi_tls_names *names)
{
    enum ssi_tls_name_kind kind;
    const char *text;
    char first[100];
    uint32_t needs;
    size_t n = 0;

    for (size_t at = 0; ssi_tls_names_next(names, &at, &kind, &text); n++) {
        FUZZ_CHECK(kind <= SSI_TLS_NAME_CN);
        /* A name that counts has no byte in it that a reader would not see. */
        for (const char *p = text; kind != SSI_TLS_NAME_OTHER && *p; p++)
            FUZZ_CHECK((unsigned char)*p >= ' ' && *p != 127);
    }
    FUZZ_CHECK(n <= SSI_TLS_MAX_NAMES);
    ssi_tls_names_first(names, first, sizeof first);
    FUZZ_CHECK(strnlen(first, sizeof first) < sizeof first);
    ssi_tls_names_match(names, "192.0.2.1", &needs);
}

static secsip_result judge(const gnutls_datum_t *chain, size_t n, const struct ssi_tls_check *check)
{
    struct ssi_tls_verdict v;

    ssi_tls_names_init(&v.names);
    secsip_result r = ssi_tls_verify(check, chain, n, &v);
    FUZZ_CHECK(r == v.failure.result);
    FUZZ_CHECK(r == 0 || (v.failure.text[0] && v.failure.check && v.failure.check[0]));
    FUZZ_CHECK((v.relaxed & ~check->options) == 0);
    FUZZ_CHECK(r < 0 || v.relaxed || v.good_until >= NOW);
    FUZZ_CHECK((r == 0) <= (v.failed == 0));
    check_names(&v.names);
    ssi_tls_names_free(&v.names);
    return r;
}

static void judge_chain(const uint8_t *data, size_t size)
{
    const uint32_t relaxed = SECSIP_TLS_ALLOW_WILDCARD | SECSIP_TLS_ALLOW_CN;
    struct ssi_tls_check check = {.domain = "example.test", .wall_s = NOW};
    gnutls_datum_t chain[2];

    if (size == 0)
        return;
    size_t leaf = (size - 1) * data[0] / 255;
    chain[0] = (gnutls_datum_t){(unsigned char *)(uintptr_t)data + 1, (unsigned)leaf};
    chain[1] =
        (gnutls_datum_t){(unsigned char *)(uintptr_t)data + 1 + leaf, (unsigned)(size - 1 - leaf)};
    size_t n = chain[1].size > 0 ? 2 : 1;
    check.trust = &nobody;
    FUZZ_CHECK(judge(chain, n, &check) < 0);
    check.options = relaxed;
    FUZZ_CHECK(judge(chain, n, &check) < 0);
    check.options = SECSIP_TLS_INSECURE_ANY;
    judge(chain, n, &check);
    check.trust = &somebody;
    check.options = relaxed;
    FUZZ_CHECK(judge(chain, n, &check) < 0 || holds_own(&chain[0]));
    check.peer_is_client = true;
    check.domain = NULL;
    FUZZ_CHECK(judge(chain, n, &check) < 0 || holds_own(&chain[0]));
}

/* The chain is the certificate twice, so that there is an issuer to speak for it. */
static void judge_staple(const uint8_t *data, size_t size)
{
    gnutls_datum_t staple = {(unsigned char *)(uintptr_t)data, (unsigned)size};
    const gnutls_datum_t chain[] = {own, own};
    struct ssi_tls_check check = {.trust = &somebody, .domain = "example.test", .wall_s = NOW};
    struct ssi_tls_staple s = {0};
    gnutls_x509_crt_t crt;

    FUZZ_CHECK(judge(chain, 1, &check) == 0);
    check.staple = &staple;
    judge(chain, 2, &check);
    FUZZ_CHECK(gnutls_x509_crt_init(&crt) >= 0);
    FUZZ_CHECK(gnutls_x509_crt_import(crt, &own, GNUTLS_X509_FMT_DER) >= 0);
    FUZZ_CHECK(ssi_tls_staple_read(&staple, crt, crt, &s) == 0);
    FUZZ_CHECK(s.problem);
    gnutls_x509_crt_deinit(crt);
}

static bool spells(struct ssi_slice name, struct ssi_slice word)
{
    for (size_t i = 0; i + word.len <= name.len; i++)
        if (ssi_slice_ieq(ssi_slice_of(name.p + i, word.len), word))
            return true;
    return false;
}

static void judge_names(const uint8_t *data, size_t size)
{
    struct ssi_slice rest = ssi_slice_of(data, size);
    struct ssi_tls_names names;
    bool spelt = false;
    uint32_t needs;

    ssi_tls_names_init(&names);
    while (rest.len > 1) {
        size_t len = 0;
        while (len < rest.len && rest.p[len] != '\n')
            len++;
        struct ssi_slice line = ssi_slice_of(rest.p, len);
        if (len > 1) {
            struct ssi_slice name = ssi_slice_from(line, 1);
            ssi_tls_names_add(&names, (enum ssi_tls_name_kind)((uint8_t)line.p[0] % 6), name);
            spelt = spelt || spells(name, SSI_LIT("example.test")) || spells(name, SSI_LIT("*"));
        }
        rest = ssi_slice_from(rest, len < rest.len ? len + 1 : len);
    }
    FUZZ_CHECK(!ssi_tls_names_match(&names, "example.test", &needs) || spelt);
    FUZZ_CHECK(!ssi_tls_names_match(&names, "sip.example.test", &needs) || spelt);
    ssi_tls_names_free(&names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const judges[])(const uint8_t *data, size_t size) = {judge_chain, judge_staple,
                                                                       judge_names};

    set_up();
    if (size > 0)
        judges[data[0] % 3](data + 1, size - 1);
    return 0;
}
