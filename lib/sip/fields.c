/* Looking things up in a parsed message: header fields by name, list elements, Expires. Layer: sip. */
#include "sip/names.h"
#include "sip/read.h"

bool ssi_sip_msg_value(const struct ssi_sip_msg *m, enum ssi_sip_hdr id, struct ssi_slice *ret)
{
    const struct ssi_sip_header *h = ssi_sip_msg_header(m, id, NULL);

    if (h && ret)
        *ret = h->value;
    return h != NULL;
}

const struct ssi_sip_header *ssi_sip_msg_header_named(const struct ssi_sip_msg *m,
                                                      struct ssi_slice name,
                                                      const struct ssi_sip_header *after)
{
    enum ssi_sip_hdr id = ssi_sip_hdr_of(name);

    if (id != SSI_HDR_OTHER)
        return ssi_sip_msg_header(m, id, after);
    while ((after = ssi_sip_msg_header(m, id, after)))
        if (ssi_slice_ieq(after->name, name))
            return after;
    return NULL;
}

void ssi_sip_values_init(struct ssi_sip_values *it, const struct ssi_sip_msg *m,
                         enum ssi_sip_hdr id)
{
    it->m = m;
    it->id = id;
    it->line = ssi_sip_msg_header(m, id, NULL);
    it->rest = it->line ? it->line->value : ssi_slice_of(NULL, 0);
}

/* The end of a quoted string that begins at p, or the end of all. */
static const char *skip_quoted(const char *p, const char *end)
{
    for (p++; p < end && *p != '"'; p++)
        if (*p == '\\' && p + 1 < end)
            p++;
    return p < end ? p + 1 : end;
}

/* Up to the next comma outside quotes and angle brackets. Unbalanced ones reach to the end, where typed parsers refuse
 * them. */
static size_t element_len(struct ssi_slice s)
{
    static const uint8_t special[256] = {[','] = 1, ['"'] = 1, ['<'] = 1};
    const char *p = s.p, *end = s.p + s.len;

    while (p < end) {
        if (!special[(unsigned char)*p]) {
            p++;
        } else if (*p == ',') {
            break;
        } else if (*p == '"') {
            p = skip_quoted(p, end);
        } else {
            const char *close = memchr(p, '>', (size_t)(end - p));
            p = close ? close + 1 : end;
        }
    }
    return (size_t)(p - s.p);
}

static struct ssi_slice trim_folds(struct ssi_slice s)
{
    while (s.len > 0 && (unsigned char)s.p[0] <= ' ' && s.p[0])
        s = ssi_slice_of(s.p + 1, s.len - 1);
    while (s.len > 0 && (unsigned char)s.p[s.len - 1] <= ' ' && s.p[s.len - 1])
        s.len--;
    return s;
}

bool ssi_sip_values_next(struct ssi_sip_values *it, struct ssi_slice *ret)
{
    while (it->line) {
        if (it->rest.len == 0) {
            it->line = ssi_sip_msg_header(it->m, it->id, it->line);
            it->rest = it->line ? it->line->value : ssi_slice_of(NULL, 0);
            continue;
        }
        size_t n = element_len(it->rest);
        struct ssi_slice element = trim_folds(ssi_slice_of(it->rest.p, n));
        it->rest = ssi_slice_from(it->rest, n + 1);
        if (element.len == 0)
            continue;
        *ret = element;
        return true;
    }
    return false;
}

/* The rest of the line, and past it the next line that has something. */
static bool next_rest(struct ssi_sip_values *it)
{
    while (it->line && it->rest.len == 0) {
        it->line = ssi_sip_msg_header(it->m, it->id, it->line);
        it->rest = it->line ? it->line->value : ssi_slice_of(NULL, 0);
    }
    return it->line != NULL;
}

/* After an element: the comma and what follows it, or the end of the line. */
static void step_over(struct ssi_sip_values *it, const char *end)
{
    it->rest = ssi_slice_from(it->rest, (size_t)(end - it->rest.p) + 1);
}

/* True for an element that begins where the iterator stands and was read with the message: take it from there. */
static bool is_here(const struct ssi_sip_values *it, struct ssi_slice whole)
{
    return whole.p && whole.p == it->rest.p;
}

/* Past an element that is known, up to its comma. */
static void step_over_known(struct ssi_sip_values *it, struct ssi_slice whole)
{
    struct ssi_sip_reader r = ssi_sip_reader_of(it->rest);

    r.p = whole.p + whole.len;
    ssi_sip_skip_ws(&r);
    step_over(it, r.p);
}

int32_t ssi_sip_values_next_addr(struct ssi_sip_values *it, struct ssi_sip_addr *ret)
{
    if (!next_rest(it))
        return 0;
    const struct ssi_sip_addr *first = ssi_sip_msg_first_addr(it->m, it->id);
    if (first && is_here(it, first->whole)) {
        *ret = *first;
        step_over_known(it, first->whole);
        return 1;
    }
    struct ssi_sip_reader r = ssi_sip_reader_of(it->rest);
    if (!ssi_sip_read_addr(&r, ret))
        return SECSIP_E_SIP_ADDRESS;
    step_over(it, r.p);
    return 1;
}

int32_t ssi_sip_values_next_via(struct ssi_sip_values *it, struct ssi_sip_via *ret)
{
    if (!next_rest(it))
        return 0;
    if (is_here(it, it->m->via.whole)) {
        *ret = it->m->via;
        step_over_known(it, ret->whole);
        return 1;
    }
    struct ssi_sip_reader r = ssi_sip_reader_of(it->rest);
    if (!ssi_sip_read_via(&r, ret))
        return SECSIP_E_SIP_VIA;
    step_over(it, r.p);
    return 1;
}

bool ssi_sip_msg_lists(const struct ssi_sip_msg *m, enum ssi_sip_hdr id, struct ssi_slice token)
{
    struct ssi_sip_values it;
    struct ssi_slice value;

    ssi_sip_values_init(&it, m, id);
    while (ssi_sip_values_next(&it, &value))
        if (ssi_slice_ieq(value, token))
            return true;
    return false;
}

uint32_t ssi_sip_msg_expires(const struct ssi_sip_msg *m, const struct ssi_sip_addr *contact,
                             uint32_t dflt)
{
    struct ssi_slice text;
    uint64_t n = 0;

    if (contact && ssi_sip_param(contact->params, SSI_LIT("expires"), &text))
        return ssi_slice_to_u64(text, UINT32_MAX, &n) ? (uint32_t)n : dflt;
    if (ssi_sip_msg_value(m, SSI_HDR_EXPIRES, &text))
        return ssi_slice_to_u64(text, UINT32_MAX, &n) ? (uint32_t)n : dflt;
    return dflt;
}

uint32_t ssi_sip_msg_retry_after(const struct ssi_sip_msg *m)
{
    struct ssi_slice value;
    uint64_t seconds = 0;
    size_t digits = 0;

    if (!ssi_sip_msg_value(m, SSI_HDR_RETRY_AFTER, &value))
        return 0;
    while (digits < value.len && value.p[digits] >= '0' && value.p[digits] <= '9')
        digits++;
    ssi_slice_to_u64(ssi_slice_of(value.p, digits), 86400, &seconds);
    return (uint32_t)seconds;
}
