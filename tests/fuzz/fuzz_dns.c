/* DNS answers from a server that lies. The first byte chooses the type that was asked for. Every byte of what comes out has
 * its form, fewer are taken where there is room for fewer, and nothing comes out of a piece whose whole is refused. */
#include "fuzz.h"

#include <string.h>

#include "net/dns.h"

static void check_less(const uint8_t *data, size_t size, enum ssi_rr_type type, int32_t n)
{
    static struct ssi_rr few[2];
    int32_t n_few = ssi_dns_parse(data, size, type, "example.test", few, 2);

    FUZZ_CHECK(n_few == (n < 2 ? n : 2));
    /* A cut may take away an alias and what belonged to it, but makes no answer of what was none. */
    int32_t n_cut = ssi_dns_parse(data, size - size / 4, type, "example.test", few, 2);
    FUZZ_CHECK(n_cut <= 0 || n >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum ssi_rr_type types[] = {SSI_RR_A, SSI_RR_AAAA, SSI_RR_SRV, SSI_RR_NAPTR};
    static struct ssi_rr rrs[SSI_DNS_MAX_RRS];

    if (size == 0)
        return 0;
    enum ssi_rr_type type = types[data[0] % 4];
    int32_t n = ssi_dns_parse(data + 1, size - 1, type, "example.test", rrs, SSI_DNS_MAX_RRS);
    FUZZ_CHECK(n <= SSI_DNS_MAX_RRS);
    for (int32_t i = 0; i < n; i++) {
        size_t len = strnlen(rrs[i].target, sizeof rrs[i].target);
        FUZZ_CHECK(rrs[i].type == type);
        FUZZ_CHECK(rrs[i].ttl_s <= INT32_MAX);
        FUZZ_CHECK(len < sizeof rrs[i].target);
        FUZZ_CHECK(memchr(rrs[i].service, 0, sizeof rrs[i].service) &&
                   memchr(rrs[i].flags, 0, sizeof rrs[i].flags));
        for (size_t k = 0; k < len; k++) {
            FUZZ_CHECK(rrs[i].target[k] > ' ' && rrs[i].target[k] < 127);
            FUZZ_CHECK(!(rrs[i].target[k] >= 'A' && rrs[i].target[k] <= 'Z'));
            FUZZ_CHECK(rrs[i].target[k] != '.' || (k > 0 && rrs[i].target[k - 1] != '.'));
        }
        if (type == SSI_RR_A || type == SSI_RR_AAAA)
            FUZZ_CHECK(rrs[i].addr.family == (type == SSI_RR_A ? 4 : 6) && rrs[i].addr.port == 0);
    }
    check_less(data + 1, size - 1, type, n);
    /* Whose question is another one says nothing about this one either. */
    uint32_t ttl_s = UINT32_MAX;
    FUZZ_CHECK(!ssi_dns_refusal_ttl(data + 1, size - 1, type, "example.test", &ttl_s) ||
               (n >= 0 && ttl_s <= INT32_MAX));
    return 0;
}
