/* Credential files, see file.h. Layer: tls. */
#include "tls/file.h"

#include <errno.h>
#include <stdio.h>

secsip_result ssi_tls_file_read(const char *path, struct ssi_buf *b, const char **ret_why)
{
    enum {
        CHUNK = 16384
    };
    FILE *f = fopen(path, "rbe");
    size_t n;

    if (!f) {
        *ret_why = strerrordesc_np(errno);
        return SECSIP_E_FILE;
    }
    /* A key must not stay behind in the stream's buffer. */
    setvbuf(f, NULL, _IONBF, 0);
    do {
        uint8_t *tail = ssi_buf_reserve(b, CHUNK);
        if (!tail)
            break;
        n = fread(tail, 1, CHUNK, f);
        ssi_buf_commit(b, n);
    } while (n > 0);
    int why = ferror(f) ? errno : 0;
    fclose(f);
    if (b->failed < 0)
        return b->failed;
    if (why == 0)
        return 0;
    *ret_why = strerrordesc_np(why);
    return SECSIP_E_FILE;
}

bool ssi_tls_file_is_directory(const char *path, const char **ret_why)
{
    FILE *f = fopen(path, "rbe");
    int why = errno;

    if (f) {
        (void)fgetc(f);
        why = ferror(f) ? errno : ENOTDIR;
        fclose(f);
    }
    *ret_why = strerrordesc_np(why);
    return why == EISDIR;
}
