/* Masking of what a peer sent: it never fails but for room, never shows a key, and finds nothing to mask in what it has masked. */
#include "fuzz.h"

#include <string.h>

#include "ua/core.h"

#define MASK "********"

enum {
    ROOM = 1 << 20
};

static void mask(struct ssi_buf *b, struct ssi_slice message)
{
    ssi_buf_init(b, ROOM);
    ssi_mask_message(b, message);
    FUZZ_CHECK(b->failed == 0);
}

/* The word, wherever it stands, is followed by the mask. */
static void check_masked(struct ssi_slice text, struct ssi_slice word)
{
    const struct ssi_slice hidden = SSI_LIT(MASK);

    for (size_t i = 0; i + word.len <= text.len; i++) {
        struct ssi_slice rest = ssi_slice_from(text, i + word.len);
        if (ssi_slice_ieq(ssi_slice_of(text.p + i, word.len), word))
            FUZZ_CHECK(rest.len >= hidden.len && memcmp(rest.p, hidden.p, hidden.len) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ssi_slice message = ssi_slice_of(data, size);
    struct ssi_buf once, twice;
    size_t lines = 0, shown = 0;

    if (size > ROOM / 16)
        return 0;
    mask(&once, message);
    mask(&twice, ssi_buf_slice(&once));
    FUZZ_CHECK(ssi_slice_eq(ssi_buf_slice(&once), ssi_buf_slice(&twice)));
    /* No line is lost, and none is made. */
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    for (size_t i = 0; i < once.len; i++)
        shown += ssi_buf_slice(&once).p[i] == '\n';
    FUZZ_CHECK(lines == shown);
    bool has_credentials = false;
    for (size_t i = 0; i + 2 < size;
         i++) /* there the mask may stand in the place of the word itself */
        has_credentials =
            has_credentials || ssi_slice_ieq(ssi_slice_of(data + i, 2), SSI_LIT("au"));
    if (!has_credentials)
        check_masked(ssi_buf_slice(&once), SSI_LIT("inline:"));
    ssi_buf_free(&once);
    ssi_buf_free(&twice);
    return 0;
}
