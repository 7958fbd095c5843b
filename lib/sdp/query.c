/* Questions to a parsed description, and its writer, see sdp.h. Layer: sdp. Slices borrow from the description. */
#include "sdp/sdp.h"

#include "base/cursor.h"

/* The lines that media line `media` (-1: the session) is made of. */
static void range_of(const struct ssi_sdp *s, int media, uint32_t *ret_from, uint32_t *ret_to)
{
    *ret_from = *ret_to = 0;
    if (media < 0)
        *ret_to = s->n_media > 0 ? s->media[0].first_line : s->n_lines;
    else if ((uint32_t)media < s->n_media) {
        *ret_from = s->media[media].first_line;
        *ret_to = s->media[media].end_line;
    }
}

/* The line is the attribute; its value is what stands behind the colon. */
static bool match_attr(const struct ssi_sdp_line *l, struct ssi_slice name,
                       struct ssi_slice *ret_value)
{
    if (l->type != 'a' || l->value.len < name.len || memcmp(l->value.p, name.p, name.len) != 0)
        return false;
    if (l->value.len > name.len && l->value.p[name.len] != ':')
        return false;
    *ret_value = ssi_slice_from(l->value, name.len + 1);
    return true;
}

bool ssi_sdp_attr(const struct ssi_sdp *s, int media, struct ssi_slice name, uint32_t *at,
                  struct ssi_slice *ret_value)
{
    uint32_t from, to;

    range_of(s, media, &from, &to);
    for (uint32_t i = *at > from ? *at : from; i < to; i++) {
        if (match_attr(&s->lines[i], name, ret_value)) {
            *at = i + 1;
            return true;
        }
    }
    *at = to;
    return false;
}

static const char *direction_in(const struct ssi_sdp *s, int media)
{
    static const char *const names[] = {"sendrecv", "sendonly", "recvonly", "inactive"};
    uint32_t from, to;

    range_of(s, media, &from, &to);
    for (uint32_t i = from; i < to; i++)
        for (size_t k = 0; s->lines[i].type == 'a' && k < sizeof names / sizeof *names; k++)
            if (ssi_slice_eq(s->lines[i].value, ssi_slice_str(names[k])))
                return names[k];
    return NULL;
}

const char *ssi_sdp_direction(const struct ssi_sdp *s, uint32_t media)
{
    const char *d = media < s->n_media ? direction_in(s, (int)media) : NULL;

    if (!d)
        d = direction_in(s, -1);
    return d ? d : "sendrecv"; /* RFC 8866 6.7: the default */
}

bool ssi_sdp_format(const struct ssi_sdp_media *m, uint32_t n, struct ssi_slice *ret)
{
    struct ssi_cursor c = ssi_cursor_of(m->formats);

    if (n >= m->n_formats)
        return false;
    while (n-- > 0) {
        ssi_cursor_take_until(&c, ' ');
        ssi_cursor_take(&c, ' ');
    }
    *ret = ssi_cursor_take_until(&c, ' ');
    return true;
}

bool ssi_sdp_has_format(const struct ssi_sdp_media *m, unsigned payload_type)
{
    struct ssi_cursor c = ssi_cursor_of(m->formats);
    uint64_t v;

    while (!ssi_cursor_at_end(&c)) {
        if (ssi_slice_to_u64(ssi_cursor_take_until(&c, ' '), UINT32_MAX, &v) && v == payload_type)
            return true;
        ssi_cursor_take(&c, ' ');
    }
    return false;
}

bool ssi_sdp_media_addr(const struct ssi_sdp *s, uint32_t media, struct ssi_addr *ret)
{
    if (media >= s->n_media)
        return false;
    return ssi_addr_parse_ip(s->media[media].address, s->media[media].port, ret);
}

void ssi_sdp_put_line(struct ssi_buf *b, char type, struct ssi_slice value)
{
    if (b->failed < 0)
        return;
    if (value.len > 0 && (memchr(value.p, '\r', value.len) || memchr(value.p, '\n', value.len) ||
                          memchr(value.p, 0, value.len))) {
        b->failed = SECSIP_E_SIP_INJECTION;
        return;
    }
    const char head[2] = {type, '='};
    ssi_buf_put(b, head, 2);
    ssi_buf_put_slice(b, value);
    ssi_buf_put(b, "\r\n", 2);
}

void ssi_sdp_put_line_str(struct ssi_buf *b, char type, const char *value)
{
    ssi_sdp_put_line(b, type, ssi_slice_str(value));
}

void ssi_sdp_put(struct ssi_buf *b, const struct ssi_sdp *s)
{
    for (uint32_t i = 0; i < s->n_lines; i++)
        ssi_sdp_put_line(b, s->lines[i].type, s->lines[i].value);
}
