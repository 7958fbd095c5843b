/* The framer: the first bytes say where to cut the rest; however it is cut, the same comes out. */
#include "fuzz.h"

#include <string.h>

#include "sip/frame.h"

enum {
    TRACE_MAX = 65536
};

/* One byte and a checksum for each thing that comes out. */
struct trace {
    size_t n;
    uint32_t item[TRACE_MAX];
};

static bool drain(struct ssi_sip_framer *f, struct trace *t)
{
    for (;;) {
        struct ssi_sip_msg *m = NULL;
        int32_t got = ssi_sip_framer_next(f, NULL, &m);
        if (got == SSI_SIP_FRAME_MORE)
            return true;
        uint32_t sum = (uint32_t)got;
        if (got == SSI_SIP_FRAME_MESSAGE) {
            for (size_t i = 0; i < m->wire.len; i++)
                sum = sum * 31 + (unsigned char)m->wire.p[i];
            ssi_sip_msg_unref(m);
        } else if (got < 0) {
            FUZZ_CHECK(!m || (m->is_request && m->fault.result == got && m->body.len == 0));
            ssi_sip_msg_unref(m);
        } else {
            FUZZ_CHECK(!m);
        }
        if (t->n < TRACE_MAX)
            t->item[t->n++] = sum;
        if (got < 0)
            return false;
    }
}

static void run(const uint8_t *cuts, size_t n_cuts, const uint8_t *data, size_t size,
                struct trace *t)
{
    struct ssi_sip_framer f;
    struct ssi_sip_limits limits = {.message_bytes = 4096};

    t->n = 0;
    ssi_sip_framer_init(&f, &limits);
    f.serves = true;
    for (size_t at = 0, i = 0; at < size; i++) {
        size_t n = n_cuts > 0 ? 1U + cuts[i % n_cuts] : size;
        n = n < size - at ? n : size - at;
        FUZZ_CHECK(ssi_sip_framer_feed(&f, data + at, n) == 0);
        at += n;
        if (!drain(&f, t))
            break;
    }
    ssi_sip_framer_free(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct trace whole, cut;
    size_t n_cuts = size < 4 ? size : 4;

    run(NULL, 0, data + n_cuts, size - n_cuts, &whole);
    run(data, n_cuts, data + n_cuts, size - n_cuts, &cut);
    FUZZ_CHECK(whole.n == cut.n &&
               memcmp(whole.item, cut.item, whole.n * sizeof whole.item[0]) == 0);
    return 0;
}
