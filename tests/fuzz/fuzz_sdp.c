/* Fuzz target: any bytes as a session description. What is accepted is asked everything, and written and read again. */
#include <stdint.h>
#include <stdlib.h>

#include "sdp/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct ssi_sdp *s)
{
    struct ssi_slice value;
    struct ssi_addr addr;

    for (uint32_t m = 0; m < s->n_media; m++) {
        uint32_t at = 0, n = 0;
        while (ssi_sdp_attr(s, (int)m, SSI_LIT("crypto"), &at, &value))
            n++;
        if (n > s->n_lines || !ssi_sdp_direction(s, m))
            abort();
        (void)ssi_sdp_media_addr(s, m, &addr);
        (void)ssi_sdp_has_format(&s->media[m], 101);
        if (!ssi_sdp_format(&s->media[m], s->media[m].n_formats - 1, &value) || value.len == 0)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ssi_sdp *s, *again;
    struct ssi_sdp_fault fault;
    struct ssi_buf b;

    if (ssi_sdp_parse(ssi_slice_of(data, size), NULL, &fault, &s) < 0) {
        if (fault.offset > size || !fault.text || fault.result >= 0)
            abort();
        return 0;
    }
    ask(s);
    ssi_buf_init_secret(&b, 2 * size + 2);
    ssi_sdp_put(&b, s);
    /* With CR LF in place of LF it may have grown over the limit. */
    secsip_result r = ssi_sdp_parse(ssi_buf_slice(&b), NULL, NULL, &again);
    if (b.failed < 0 || (r < 0 && r != SECSIP_E_SDP_TOO_LARGE))
        abort();
    if (r == 0) {
        if (again->n_lines != s->n_lines || again->n_media != s->n_media)
            abort();
        ssi_sdp_free(again);
    }
    ssi_buf_free(&b);
    ssi_sdp_free(s);
    return 0;
}
