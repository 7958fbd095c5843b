/* Fuzz target: any bytes behind "a=crypto:". A usable line is written, and reads the same again; one that is usable with nothing
 * allowed leaves no protection out, and is usable with everything allowed. */
#include <stdint.h>
#include <stdlib.h>

#include "sdes/sdes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    ALL = SSI_SDES_UNENCRYPTED_SRTP | SSI_SDES_UNENCRYPTED_SRTCP | SSI_SDES_UNAUTHENTICATED_SRTP |
          SSI_SDES_NULL_CIPHER
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ssi_sdes_line line, again;
    struct ssi_buf b;

    bool strict = ssi_sdes_parse(ssi_slice_of(data, size), &again) == 0;
    if (strict && (again.forms != 0 || ssi_suite_info(again.suite)->null_cipher))
        abort();
    secsip_result r = ssi_sdes_parse_allowing(ssi_slice_of(data, size), ALL, &line);
    if (strict && (r < 0 || line.forms != 0))
        abort();
    if (r < 0) {
        if (!line.why || line.n_keys > SSI_SDES_KEYS_MAX)
            abort();
        return 0;
    }
    const struct ssi_suite_info *info = ssi_suite_info(line.suite);
    if (!info || line.n_keys == 0 || (info->aead && line.forms != 0))
        abort();
    ssi_buf_init_secret(&b, size + 4096);
    ssi_sdes_put(&b, &line);
    if (b.failed < 0 || ssi_sdes_parse_allowing(ssi_buf_slice(&b), ALL, &again) < 0)
        abort();
    if (again.tag != line.tag || again.suite != line.suite || again.n_keys != line.n_keys ||
        again.wsh != line.wsh || again.forms != line.forms)
        abort();
    for (uint32_t i = 0; i < line.n_keys; i++)
        if (line.keys[i].key.len != info->key_len + info->salt_len ||
            !ssi_sdes_key_eq(&line.keys[i], &again.keys[i]))
            abort();
    ssi_buf_free(&b);
    return 0;
}
