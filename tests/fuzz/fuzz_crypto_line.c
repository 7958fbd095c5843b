/* Fuzz target: any bytes behind "a=crypto:". A usable line is written, and reads the same again. */
#include <stdint.h>
#include <stdlib.h>

#include "sdes/sdes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ssi_sdes_line line, again;
    struct ssi_buf b;

    if (ssi_sdes_parse(ssi_slice_of(data, size), &line) < 0) {
        if (!line.why || line.n_keys > SSI_SDES_KEYS_MAX)
            abort();
        return 0;
    }
    const struct ssi_suite_info *info = ssi_suite_info(line.suite);
    if (!info || line.n_keys == 0)
        abort();
    ssi_buf_init_secret(&b, size + 4096);
    ssi_sdes_put(&b, &line);
    if (b.failed < 0 || ssi_sdes_parse(ssi_buf_slice(&b), &again) < 0)
        abort();
    if (again.tag != line.tag || again.suite != line.suite || again.n_keys != line.n_keys ||
        again.wsh != line.wsh)
        abort();
    for (uint32_t i = 0; i < line.n_keys; i++)
        if (line.keys[i].key.len != info->key_len + info->salt_len ||
            !ssi_sdes_key_eq(&line.keys[i], &again.keys[i]))
            abort();
    ssi_buf_free(&b);
    return 0;
}
