/* The public door to lib/sdes: lists of a=crypto lines. Layer: api. A list owns its keys, which are wiped when it is freed,
 * and the strings it gives out, which hold none. */
#include <stdlib.h>

#include "api/abi.h"
#include "api/sdes.h"
#include "api/sdp.h"
#include "base/crypto.h"
#include "base/export.h"

struct entry {
    char *suite;
    char *params;
    char *masked;
    char *mki[SSI_SDES_KEYS_MAX];
};

struct secsip_sdes_lines {
    struct ssi_sdes_line
        line[SSI_SDES_LINES_MAX]; /* their borrowed slices are not used once the strings are made */
    struct entry entry[SSI_SDES_LINES_MAX];
    uint32_t n;
};

/* ---- strings without keys */
static const char mask[] = "***";

/* The parameters with one blank between them, and without what may be a key. */
static void put_params(struct ssi_buf *b, struct ssi_slice params)
{
    for (size_t i = 0; i < params.len;) {
        size_t n = i;
        while (n < params.len && params.p[n] != ' ' && params.p[n] != '\t')
            n++;
        if (n > i) {
            if (b->len > 0)
                ssi_buf_put_char(b, ' ');
            ssi_sdes_mask_word(b, ssi_slice_of(params.p + i, n - i), mask);
        }
        i = n + 1;
    }
}

static void put_masked(struct ssi_buf *b, const struct ssi_sdes_line *l, const struct entry *e)
{
    ssi_buf_put_u64(b, l->tag);
    ssi_buf_put_char(b, ' ');
    ssi_buf_put_str(b, e->suite);
    for (uint32_t k = 0; k < l->n_keys; k++) {
        ssi_buf_put_str(b, k > 0 ? ";inline:***" : " inline:***");
        if (l->keys[k].lifetime > 0) {
            ssi_buf_put_char(b, '|');
            ssi_buf_put_u64(b, l->keys[k].lifetime);
        }
        if (l->keys[k].mki_len > 0) {
            ssi_buf_put_char(b, '|');
            ssi_buf_put_str(b, e->mki[k]);
            ssi_buf_put_char(b, ':');
            ssi_buf_put_u64(b, l->keys[k].mki_len);
        }
    }
    if (e->params[0]) {
        ssi_buf_put_char(b, ' ');
        ssi_buf_put_str(b, e->params);
    }
}

/* The text of the buffer as a string of its own, and the buffer empty again; NULL when memory is out. */
static char *take_string(struct ssi_buf *b)
{
    char *s = b->failed < 0 ? NULL : ssi_slice_dup(ssi_buf_slice(b));

    ssi_buf_reset(b);
    return s;
}

static void free_entry(struct entry *e)
{
    free(e->suite);
    free(e->params);
    free(e->masked);
    for (size_t k = 0; k < SSI_SDES_KEYS_MAX; k++)
        free(e->mki[k]);
    memset(e, 0, sizeof *e);
}

static secsip_result make_entry(const struct ssi_sdes_line *l, struct entry *e)
{
    char mki[SSI_SDES_MKI_TEXT];
    struct ssi_buf b;
    bool ok = true;

    ssi_buf_init(&b, 4 * l->params.len + l->suite_text.len + 4096);
    /* In a line without a suite its key stands there. */
    bool is_suite = l->suite_text.len == 0 || ssi_sdes_is_name(l->suite_text);
    e->suite = ssi_slice_dup(is_suite ? l->suite_text : ssi_slice_str(mask));
    put_params(&b, l->params);
    e->params = take_string(&b);
    for (uint32_t k = 0; k < l->n_keys; k++) {
        ssi_api_mki_text(&l->keys[k], mki);
        e->mki[k] = ssi_slice_dup(ssi_slice_str(mki));
        ok = ok && e->mki[k];
    }
    if (ok && e->suite && e->params) {
        put_masked(&b, l, e);
        e->masked = take_string(&b);
    }
    ssi_buf_free(&b);
    if (e->masked)
        return 0;
    free_entry(e);
    return SECSIP_E_NOMEM;
}

/* ---- lists */
SECSIP_EXPORT secsip_result secsip_sdes_lines_new(secsip_sdes_lines **ret_lines)
{
    if (!ret_lines)
        return SECSIP_E_INVALID;
    secsip_sdes_lines *lines = calloc(1, sizeof *lines);
    if (!lines)
        return SECSIP_E_NOMEM;
    *ret_lines = lines;
    return 0;
}

SECSIP_EXPORT void secsip_sdes_lines_free(secsip_sdes_lines *lines)
{
    if (!lines)
        return;
    for (uint32_t i = 0; i < SSI_SDES_LINES_MAX; i++)
        free_entry(&lines->entry[i]);
    ssi_wipe(lines, sizeof *lines);
    free(lines);
}

SECSIP_EXPORT secsip_result secsip_sdes_lines_from_sdp(const secsip_sdp *sdp, uint32_t media,
                                                       secsip_sdes_lines **ret_lines)
{
    secsip_sdes_lines *lines;

    if (!sdp || !ret_lines)
        return SECSIP_E_INVALID;
    if (media >= sdp->sdp->n_media)
        return SECSIP_E_NOT_FOUND;
    secsip_result r = secsip_sdes_lines_new(&lines);
    if (r < 0)
        return r;
    r = ssi_sdes_collect(sdp->sdp, media, 0, lines->line, &lines->n);
    for (uint32_t i = 0; r == 0 && i < lines->n; i++)
        r = make_entry(&lines->line[i], &lines->entry[i]);
    if (r < 0) {
        secsip_sdes_lines_free(lines);
        return r;
    }
    *ret_lines = lines;
    return 0;
}

SECSIP_EXPORT secsip_result secsip_sdes_lines_add(secsip_sdes_lines *lines, const char *text,
                                                  size_t len)
{
    struct ssi_slice prefix = SSI_LIT("a=crypto:");

    if (!lines || (!text && len > 0))
        return SECSIP_E_INVALID;
    if (lines->n == SSI_SDES_LINES_MAX)
        return SECSIP_E_LIMIT;
    struct ssi_slice value = ssi_slice_of(text, len);
    if (len >= prefix.len && ssi_slice_eq(ssi_slice_of(text, prefix.len), prefix))
        value = ssi_slice_from(value, prefix.len);
    struct ssi_sdes_line *l = &lines->line[lines->n];
    ssi_sdes_parse(value, l);
    secsip_result r = make_entry(l, &lines->entry[lines->n]);
    if (r < 0)
        ssi_sdes_line_wipe(l);
    else
        lines->n++;
    return r;
}

SECSIP_EXPORT uint32_t secsip_sdes_lines_count(const secsip_sdes_lines *lines)
{
    return lines ? lines->n : 0;
}

SECSIP_EXPORT secsip_result secsip_sdes_lines_get(const secsip_sdes_lines *lines, uint32_t n,
                                                  secsip_sdes_line *ret_line)
{
    if (!lines || !ret_line || n >= lines->n)
        return SECSIP_E_NOT_FOUND;
    const struct ssi_sdes_line *l = &lines->line[n];
    const secsip_sdes_line out = {
        .size = sizeof out,
        .usable = l->usable,
        .why = l->why ? l->why : "",
        .suite = lines->entry[n].suite,
        .params = lines->entry[n].params,
        .masked = lines->entry[n].masked,
        .tag = l->tag,
        .n_keys = l->n_keys,
        .wsh = l->wsh,
        .quirks = l->quirks,
    };
    return ssi_abi_give(ret_line, &out, sizeof out);
}

static const struct ssi_sdes_key *find_key(const secsip_sdes_lines *lines, uint32_t n, uint32_t k)
{
    return lines && n < lines->n && k < lines->line[n].n_keys ? &lines->line[n].keys[k] : NULL;
}

SECSIP_EXPORT secsip_result secsip_sdes_lines_get_key(const secsip_sdes_lines *lines, uint32_t n,
                                                      uint32_t k, secsip_sdes_key *ret_key)
{
    const struct ssi_sdes_key *key = find_key(lines, n, k);

    return key && ret_key ? ssi_api_give_key(key, lines->entry[n].mki[k], ret_key)
                          : SECSIP_E_NOT_FOUND;
}

SECSIP_EXPORT secsip_result secsip_sdes_lines_get_secret(const secsip_sdes_lines *lines, uint32_t n,
                                                         uint32_t k, void *out, size_t cap,
                                                         size_t *ret_len)
{
    const struct ssi_sdes_key *key = find_key(lines, n, k);

    return key && out && ret_len ? ssi_api_give_secret(key, out, cap, ret_len) : SECSIP_E_NOT_FOUND;
}
