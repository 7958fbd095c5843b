/* Certificates through the verifier: a chain of one or two, nobody trusted. Whatever it is, it is refused with a reason, and
 * accepted only where any certificate is. The first byte says how much of the input is the leaf: its value in 1/255. */
#include "fuzz.h"

#include <string.h>

#include "tls/verify.h"

static void judge(const gnutls_datum_t *chain, size_t n, const struct ssi_tls_trust *trust,
                  uint32_t options)
{
    struct ssi_tls_check check = {
        .trust = trust, .options = options, .domain = "example.test", .wall_s = 1750000000};
    struct ssi_tls_verdict v;
    char first[100];
    uint32_t needs;

    ssi_tls_names_init(&v.names);
    secsip_result r = ssi_tls_verify(&check, chain, n, &v);
    FUZZ_CHECK(r == v.failure.result);
    FUZZ_CHECK(r < 0 || (options & SECSIP_TLS_INSECURE_ANY));
    FUZZ_CHECK(r == 0 || (v.failure.text[0] && v.failure.check));
    ssi_tls_names_first(&v.names, first, sizeof first);
    FUZZ_CHECK(strnlen(first, sizeof first) < sizeof first);
    ssi_tls_names_match(&v.names, "192.0.2.1", &needs);
    ssi_tls_names_free(&v.names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ssi_tls_trust trust;
    gnutls_datum_t chain[2];

    if (!trust.list)
        FUZZ_CHECK(gnutls_x509_trust_list_init(&trust.list, 0) >= 0);
    if (size == 0)
        return 0;
    size_t leaf = (size - 1) * data[0] / 255;
    chain[0] = (gnutls_datum_t){(unsigned char *)(uintptr_t)data + 1, (unsigned)leaf};
    chain[1] =
        (gnutls_datum_t){(unsigned char *)(uintptr_t)data + 1 + leaf, (unsigned)(size - 1 - leaf)};
    size_t n = chain[1].size > 0 ? 2 : 1;
    judge(chain, n, &trust, 0);
    judge(chain, n, &trust, SECSIP_TLS_INSECURE_ANY);
    return 0;
}
