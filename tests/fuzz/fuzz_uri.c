/* URIs, addresses and Vias on their own: what is taken covers its text, is equal to itself, and has one address of record. */
#include "fuzz.h"

#include "sip/msg.h"

static void check_uri(struct ssi_slice text)
{
    struct ssi_sip_uri u, again;
    struct ssi_buf b, c;
    struct ssi_slice v;

    if (ssi_sip_uri_parse(text, &u) < 0)
        return;
    FUZZ_CHECK(ssi_slice_eq(u.whole, text));
    FUZZ_CHECK(ssi_sip_uri_equal(&u, &u) && ssi_sip_uri_same_user(&u, &u));
    for (size_t i = 0; i < text.len; i++)
        FUZZ_CHECK((unsigned char)text.p[i] > ' ' && (unsigned char)text.p[i] < 0x7f &&
                   text.p[i] != '<' && text.p[i] != '>' && text.p[i] != '"');
    ssi_sip_uri_param(&u, SSI_LIT("transport"), &v);
    ssi_buf_init(&b, SIZE_MAX);
    ssi_buf_init(&c, SIZE_MAX);
    ssi_sip_uri_put_aor(&b, &u);
    FUZZ_CHECK(ssi_sip_uri_parse(ssi_buf_slice(&b), &again) == 0);
    ssi_sip_uri_put_aor(&c, &again);
    FUZZ_CHECK(ssi_slice_eq(ssi_buf_slice(&b), ssi_buf_slice(&c)));
    FUZZ_CHECK(ssi_sip_uri_same_user(&u, &again));
    ssi_buf_free(&b);
    ssi_buf_free(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ssi_slice text = ssi_slice_of(data, size);
    struct ssi_sip_addr a;
    struct ssi_sip_via via;
    struct ssi_slice v;

    check_uri(text);
    if (ssi_sip_addr_parse(text, &a) == 0 && !a.is_star) {
        check_uri(a.uri.whole);
        ssi_sip_param(a.params, SSI_LIT("expires"), &v);
        FUZZ_CHECK(!a.tag.p || a.tag.len > 0);
    }
    if (ssi_sip_via_parse(text, &via) == 0)
        FUZZ_CHECK(via.transport.len > 0 && via.host.len > 0);
    return 0;
}
