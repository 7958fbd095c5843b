/* The public door to lib/sdp. Layer: api. A description owns its parsed text and the strings it gives out. */
#include "api/sdp.h"

#include <stdlib.h>

#include "api/abi.h"
#include "base/export.h"

enum {
    BUILDER_MAX = 65536
};

/* ---- strings behind the object */
static size_t string_size(struct ssi_slice s)
{
    return s.len + 1;
}

/* Copies s to *at with a NUL and moves *at behind it. */
static const char *keep(char **at, struct ssi_slice s)
{
    char *to = *at;

    if (s.len > 0)
        memcpy(to, s.p, s.len);
    to[s.len] = 0;
    *at += s.len + 1;
    return to;
}

static size_t strings_size(const struct ssi_sdp *s)
{
    size_t n = string_size(s->origin_user) + string_size(s->origin_id) +
               string_size(s->origin_version) + string_size(s->origin_address);

    for (uint32_t i = 0; i < s->n_media; i++)
        n += string_size(s->media[i].kind) + string_size(s->media[i].profile) +
             string_size(s->media[i].formats) + string_size(s->media[i].address);
    return n;
}

/* Takes over the parsed description; NULL when memory is out. */
static secsip_sdp *wrap(struct ssi_sdp *s)
{
    secsip_sdp *sdp = calloc(1, sizeof *sdp + s->n_media * sizeof *sdp->media + strings_size(s));
    if (!sdp)
        return NULL;
    char *at = (char *)&sdp->media[s->n_media];
    sdp->sdp = s;
    sdp->origin = (secsip_sdp_origin){
        .size = sizeof sdp->origin,
        .user = keep(&at, s->origin_user),
        .id = keep(&at, s->origin_id),
        .version = keep(&at, s->origin_version),
        .address = keep(&at, s->origin_address),
    };
    for (uint32_t i = 0; i < s->n_media; i++) {
        const struct ssi_sdp_media *m = &s->media[i];
        sdp->media[i] = (secsip_sdp_media){
            .size = sizeof *sdp->media,
            .kind = keep(&at, m->kind),
            .profile = keep(&at, m->profile),
            .formats = keep(&at, m->formats),
            .address = keep(&at, m->address),
            .direction = ssi_sdp_direction(s, i),
            .port = m->port,
            .n_ports = m->n_ports,
        };
    }
    return sdp;
}

/* ---- reading */
static secsip_result take_limits(const secsip_sdp_limits *limits, struct ssi_sdp_limits *ret)
{
    secsip_sdp_limits l;

    memset(ret, 0, sizeof *ret);
    if (!limits)
        return 0;
    secsip_result r = ssi_abi_take(&l, sizeof l, limits, sizeof l);
    if (r < 0)
        return r;
    *ret = (struct ssi_sdp_limits){l.max_bytes, l.max_lines, l.max_media, l.max_formats};
    return 0;
}

SECSIP_EXPORT secsip_result secsip_sdp_parse(const void *text, size_t len,
                                             const secsip_sdp_limits *limits, size_t *ret_offset,
                                             const char **ret_why, secsip_sdp **ret_sdp)
{
    struct ssi_sdp_limits inner;
    struct ssi_sdp_fault fault = {0, 0, ""};
    struct ssi_sdp *s;

    if ((!text && len > 0) || !ret_sdp)
        return SECSIP_E_INVALID;
    secsip_result r = take_limits(limits, &inner);
    if (r < 0)
        return r;
    r = ssi_sdp_parse(ssi_slice_of(text, len), &inner, &fault, &s);
    if (r < 0) {
        if (ret_offset)
            *ret_offset = fault.offset;
        if (ret_why)
            *ret_why = fault.text;
        return r;
    }
    secsip_sdp *sdp = wrap(s);
    if (!sdp) {
        ssi_sdp_free(s);
        return SECSIP_E_NOMEM;
    }
    *ret_sdp = sdp;
    return 0;
}

SECSIP_EXPORT void secsip_sdp_free(secsip_sdp *sdp)
{
    if (!sdp)
        return;
    ssi_sdp_free(sdp->sdp);
    free(sdp);
}

SECSIP_EXPORT uint32_t secsip_sdp_count_lines(const secsip_sdp *sdp)
{
    return sdp ? sdp->sdp->n_lines : 0;
}

SECSIP_EXPORT secsip_result secsip_sdp_get_line(const secsip_sdp *sdp, uint32_t n,
                                                int32_t *ret_letter, const char **ret_value)
{
    if (!sdp || !ret_letter || !ret_value || n >= sdp->sdp->n_lines)
        return SECSIP_E_NOT_FOUND;
    *ret_letter = (unsigned char)sdp->sdp->lines[n].type;
    *ret_value = sdp->sdp->lines[n].value.p;
    return 0;
}

SECSIP_EXPORT uint32_t secsip_sdp_count_media(const secsip_sdp *sdp)
{
    return sdp ? sdp->sdp->n_media : 0;
}

SECSIP_EXPORT secsip_result secsip_sdp_get_media(const secsip_sdp *sdp, uint32_t n,
                                                 secsip_sdp_media *ret_media)
{
    if (!sdp || !ret_media || n >= sdp->sdp->n_media)
        return SECSIP_E_NOT_FOUND;
    return ssi_abi_give(ret_media, &sdp->media[n], sizeof *ret_media);
}

SECSIP_EXPORT secsip_result secsip_sdp_get_origin(const secsip_sdp *sdp,
                                                  secsip_sdp_origin *ret_origin)
{
    if (!sdp || !ret_origin)
        return SECSIP_E_INVALID;
    return ssi_abi_give(ret_origin, &sdp->origin, sizeof *ret_origin);
}

SECSIP_EXPORT secsip_result secsip_sdp_find_attribute(const secsip_sdp *sdp, int32_t media,
                                                      const char *name, uint32_t *index,
                                                      const char **ret_value)
{
    struct ssi_slice value;

    if (!sdp || !name || !index || !ret_value ||
        !ssi_sdp_attr(sdp->sdp, media < -1 ? INT32_MAX : media, ssi_slice_str(name), index, &value))
        return SECSIP_E_NOT_FOUND;
    *ret_value = value.len > 0 ? value.p : "";
    return 0;
}

/* ---- writing */
SECSIP_EXPORT secsip_result secsip_sdp_builder_new(secsip_sdp_builder **ret_builder)
{
    if (!ret_builder)
        return SECSIP_E_INVALID;
    secsip_sdp_builder *b = calloc(1, sizeof *b);
    if (!b)
        return SECSIP_E_NOMEM;
    ssi_buf_init_secret(&b->text, BUILDER_MAX + 1); /* and the NUL of finish */
    *ret_builder = b;
    return 0;
}

SECSIP_EXPORT void secsip_sdp_builder_free(secsip_sdp_builder *builder)
{
    if (!builder)
        return;
    ssi_buf_free(&builder->text);
    free(builder);
}

SECSIP_EXPORT secsip_result secsip_sdp_builder_put(secsip_sdp_builder *builder, int32_t letter,
                                                   const char *value)
{
    if (!builder || !value || letter < 'a' || letter > 'z')
        return SECSIP_E_INVALID;
    ssi_sdp_put_line_str(&builder->text, (char)letter, value);
    return builder->text.failed;
}

SECSIP_EXPORT secsip_result secsip_sdp_builder_finish(secsip_sdp_builder *builder,
                                                      const char **ret_text, size_t *ret_len,
                                                      const char **ret_why)
{
    struct ssi_sdp_fault fault = {0, 0, ""};
    struct ssi_sdp *s;

    if (!builder || !ret_text)
        return SECSIP_E_INVALID;
    uint8_t *end = ssi_buf_reserve(&builder->text, 1);
    if (!end)
        return builder->text.failed;
    *end = 0;
    secsip_result r = ssi_sdp_parse(ssi_buf_slice(&builder->text), NULL, &fault, &s);
    if (r < 0) {
        if (ret_why)
            *ret_why = fault.text;
        return r;
    }
    ssi_sdp_free(s);
    *ret_text = ssi_buf_slice(&builder->text).p;
    if (ret_len)
        *ret_len = builder->text.len;
    return 0;
}
