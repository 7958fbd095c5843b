/* DNS answers, see dns.h. Layer: net. */
#include "net/dns.h"

#include "base/cursor.h"

enum {
    HEADER = 12,
    CLASS_IN = 1,
    TYPE_CNAME = 5,
    SOA_LEAST = 22,    /* two names of a byte, five numbers; the last one is MINIMUM */
    MAX_RECORDS = 256, /* looked at in one message */
    MAX_POINTERS = 16, /* in one name */
    NAME_SIZE = 256,
};

struct record {
    char owner[NAME_SIZE];
    uint16_t type;
    uint16_t class;
    uint32_t ttl_s;
    struct ssi_slice data;
    size_t data_at; /* its offset in the message, for names inside */
};

/* Copies one label; false when it holds a byte that would be read as something else in text. */
static bool put_label(struct ssi_slice label, char *out, size_t *at)
{
    for (size_t i = 0; i < label.len; i++) {
        unsigned char c = (unsigned char)label.p[i];
        if (c <= ' ' || c >= 127 || c == '.' || *at + 2 >= NAME_SIZE)
            return false;
        out[(*at)++] = ssi_lower((char)c);
    }
    return true;
}

/* A name at offset `from`, lower case, without a final dot; *next: behind it. Pointers must lead backwards (RFC 1035 4.1.4
 * says "prior"), so that there is no loop. */
static bool read_name(struct ssi_slice msg, size_t from, char out[NAME_SIZE], size_t *next)
{
    size_t at = 0, limit = from, pos = from;
    bool jumped = false;

    for (int pointers = 0; pointers < MAX_POINTERS;) {
        if (pos >= msg.len)
            return false;
        uint8_t n = (uint8_t)msg.p[pos];
        if (n >= 0xc0) {
            if (pos + 1 >= msg.len)
                return false;
            size_t target = (size_t)(n & 0x3f) << 8 | (uint8_t)msg.p[pos + 1];
            if (!jumped)
                *next = pos + 2;
            if (target >= limit)
                return false;
            jumped = true;
            pos = limit = target;
            pointers++;
            continue;
        }
        if (n > 63 || msg.len - pos - 1 < n)
            return false;
        if (n == 0) {
            if (!jumped)
                *next = pos + 1;
            out[at] = 0;
            return true;
        }
        if (at > 0)
            out[at++] = '.';
        if (!put_label(ssi_slice_of(msg.p + pos + 1, n), out, &at))
            return false;
        pos += 1U + n;
    }
    return false;
}

static struct ssi_cursor cursor_at(struct ssi_slice msg, size_t at)
{
    return ssi_cursor_of(ssi_slice_from(msg, at));
}

static bool read_record(struct ssi_slice msg, size_t *at, struct record *r)
{
    uint16_t data_len;
    size_t pos;

    if (!read_name(msg, *at, r->owner, &pos))
        return false;
    struct ssi_cursor c = cursor_at(msg, pos);
    if (!ssi_cursor_take_be16(&c, &r->type) || !ssi_cursor_take_be16(&c, &r->class) ||
        !ssi_cursor_take_be32(&c, &r->ttl_s) || !ssi_cursor_take_be16(&c, &data_len))
        return false;
    r->data_at = pos + ssi_cursor_offset(&c);
    if (!ssi_cursor_take_bytes(&c, data_len, &r->data))
        return false;
    if (r->ttl_s > INT32_MAX)
        r->ttl_s = 0; /* RFC 2181 section 8 */
    *at = r->data_at + data_len;
    return true;
}

/* A character-string (RFC 1035 3.3) into a fixed text; an overlong or odd one becomes "". */
static bool read_string(struct ssi_cursor *c, char *out, size_t cap)
{
    struct ssi_slice s;
    uint8_t n;

    if (!ssi_cursor_take_u8(c, &n) || !ssi_cursor_take_bytes(c, n, &s))
        return false;
    out[0] = 0;
    if (s.len < cap)
        ssi_slice_show(s, out, cap);
    return true;
}

static bool read_naptr(struct ssi_slice msg, const struct record *r, struct ssi_rr *rr)
{
    struct ssi_cursor c = ssi_cursor_of(r->data);
    char regexp[2];
    size_t next;

    return ssi_cursor_take_be16(&c, &rr->priority) && ssi_cursor_take_be16(&c, &rr->weight) &&
           read_string(&c, rr->flags, sizeof rr->flags) &&
           read_string(&c, rr->service, sizeof rr->service) &&
           read_string(&c, regexp, sizeof regexp) &&
           read_name(msg, r->data_at + ssi_cursor_offset(&c), rr->target, &next);
}

static bool read_data(struct ssi_slice msg, const struct record *r, struct ssi_rr *rr)
{
    struct ssi_cursor c = ssi_cursor_of(r->data);
    size_t next;

    switch (rr->type) {
    case SSI_RR_A:
    case SSI_RR_AAAA:
        rr->addr.family = rr->type == SSI_RR_A ? 4 : 6;
        if (r->data.len != (rr->type == SSI_RR_A ? 4U : 16U))
            return false;
        memcpy(rr->addr.ip, r->data.p, r->data.len);
        return true;
    case SSI_RR_SRV:
        return ssi_cursor_take_be16(&c, &rr->priority) && ssi_cursor_take_be16(&c, &rr->weight) &&
               ssi_cursor_take_be16(&c, &rr->port) &&
               read_name(msg, r->data_at + 6, rr->target, &next);
    case SSI_RR_NAPTR:
        return read_naptr(msg, r, rr);
    case SSI_RR_SOA: /* is asked for by nobody */
        break;
    }
    return false;
}

/* Skips the header and the question; *n_answers records and *n_authorities more follow at the returned offset, 0: damaged. */
static size_t read_head(struct ssi_slice msg, enum ssi_rr_type type, const char *name,
                        size_t *n_answers, size_t *n_authorities)
{
    struct ssi_cursor c = ssi_cursor_of(msg);
    uint16_t id, flags, n_questions, n, n_more, asked_type, asked_class;
    char asked[NAME_SIZE];
    size_t at;

    if (!ssi_cursor_take_be16(&c, &id) || !ssi_cursor_take_be16(&c, &flags) ||
        !ssi_cursor_take_be16(&c, &n_questions) || !ssi_cursor_take_be16(&c, &n) ||
        !ssi_cursor_take_be16(&c, &n_more))
        return 0;
    if (!(flags & 0x8000) || n_questions != 1 || !read_name(msg, HEADER, asked, &at))
        return 0;
    c = cursor_at(msg, at);
    if (!ssi_cursor_take_be16(&c, &asked_type) || !ssi_cursor_take_be16(&c, &asked_class))
        return 0;
    if (asked_type != type || asked_class != CLASS_IN ||
        !ssi_slice_ieq(ssi_slice_str(asked), ssi_slice_str(name)))
        return 0;
    *n_answers = n < MAX_RECORDS ? n : MAX_RECORDS;
    *n_authorities = n_more < MAX_RECORDS ? n_more : MAX_RECORDS;
    return at + 4;
}

/* The alias of `owner` in the answers; false when there is none. */
static bool find_alias(struct ssi_slice msg, size_t at, size_t n_answers, char owner[NAME_SIZE],
                       uint32_t *ttl_s)
{
    struct record r;
    size_t next;

    for (size_t i = 0; i < n_answers && read_record(msg, &at, &r); i++) {
        if (r.type != TYPE_CNAME || r.class != CLASS_IN || strcmp(r.owner, owner) != 0 ||
            !read_name(msg, r.data_at, r.owner, &next))
            continue;
        memcpy(owner, r.owner, NAME_SIZE);
        if (r.ttl_s < *ttl_s)
            *ttl_s = r.ttl_s;
        return true;
    }
    return false;
}

/* The name as answers have it: lower case, no final dot. */
static bool take_name(const char *name, char out[NAME_SIZE])
{
    struct ssi_slice s = ssi_slice_str(name);

    if (s.len > 0 && s.p[s.len - 1] == '.')
        s.len--;
    if (s.len >= NAME_SIZE)
        return false;
    for (size_t i = 0; i < s.len; i++)
        out[i] = ssi_lower(s.p[i]);
    out[s.len] = 0;
    return true;
}

int32_t ssi_dns_parse(const void *message, size_t len, enum ssi_rr_type type, const char *name,
                      struct ssi_rr *rrs, size_t cap)
{
    struct ssi_slice msg = ssi_slice_of(message, len);
    size_t n_answers, n_authorities, at = 0, found = 0;
    uint32_t ttl_s = UINT32_MAX;
    char owner[NAME_SIZE];
    struct record r;

    if (take_name(name, owner))
        at = read_head(msg, type, owner, &n_answers, &n_authorities);
    if (at == 0)
        return SECSIP_E_NET_DNS;
    for (int i = 0; i < SSI_DNS_MAX_CNAMES && find_alias(msg, at, n_answers, owner, &ttl_s); i++)
        ;
    for (size_t i = 0; i < n_answers && found < cap; i++) {
        /* A cut answer gives what stood before the cut; a record that cannot be read at all is passed over. */
        if (!read_record(msg, &at, &r))
            break;
        if (r.type != (uint16_t)type || r.class != CLASS_IN || strcmp(r.owner, owner) != 0)
            continue;
        struct ssi_rr rr = {.type = type, .ttl_s = r.ttl_s < ttl_s ? r.ttl_s : ttl_s};
        if (read_data(msg, &r, &rr))
            rrs[found++] = rr;
    }
    return (int32_t)found;
}

bool ssi_dns_refusal_ttl(const void *message, size_t len, enum ssi_rr_type type, const char *name,
                         uint32_t *ret_ttl_s)
{
    struct ssi_slice msg = ssi_slice_of(message, len);
    size_t n_answers, n_authorities, at = 0;
    char owner[NAME_SIZE];
    uint32_t minimum;
    struct record r;

    if (take_name(name, owner))
        at = read_head(msg, type, owner, &n_answers, &n_authorities);
    for (size_t i = 0; at > 0 && i < n_answers + n_authorities && read_record(msg, &at, &r); i++) {
        if (i < n_answers || r.type != SSI_RR_SOA || r.class != CLASS_IN || r.data.len < SOA_LEAST)
            continue;
        /* Its names are of no interest, and may hold what no host name does. */
        struct ssi_cursor c = ssi_cursor_of(ssi_slice_from(r.data, r.data.len - 4));
        if (!ssi_cursor_take_be32(&c, &minimum))
            return false;
        *ret_ttl_s = minimum < r.ttl_s ? minimum : r.ttl_s;
        return true;
    }
    return false;
}
