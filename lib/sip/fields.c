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

/* Up to the next comma outside quotes and angle brackets. Unbalanced ones reach to the end, where typed parsers refuse
 * them. */
static size_t element_len(struct ssi_slice s)
{
    bool quoted = false, angled = false;
    size_t i = 0;

    for (; i < s.len; i++) {
        char c = s.p[i];
        if (quoted && c == '\\' && i + 1 < s.len)
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (quoted)
            continue;
        else if (c == '<')
            angled = true;
        else if (c == '>')
            angled = false;
        else if (c == ',' && !angled)
            break;
    }
    return i;
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
