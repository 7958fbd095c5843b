/* What all typed parsers share: white space, runs, quoted strings, parameters, hosts and ports; see read.h. Layer: sip. */
#include "sip/read.h"

#include "sip/bytes.h"

enum {
    DEFAULT_PARAMS = 128,
    DEFAULT_URI_BYTES = 4096,
    LINES_MAX = 60000 /* the index of a message counts in 16 bits */
};

void ssi_sip_limits_fill(struct ssi_sip_limits *out, const struct ssi_sip_limits *in)
{
    static const struct ssi_sip_limits defaults = {65536,          256, 16384,
                                                   DEFAULT_PARAMS, 256, DEFAULT_URI_BYTES};

    if (!in)
        in = &defaults;
    out->message_bytes = in->message_bytes ? in->message_bytes : defaults.message_bytes;
    out->header_lines = in->header_lines ? in->header_lines : defaults.header_lines;
    out->value_bytes = in->value_bytes ? in->value_bytes : defaults.value_bytes;
    out->params = in->params ? in->params : defaults.params;
    out->elements = in->elements ? in->elements : defaults.elements;
    out->uri_bytes = in->uri_bytes ? in->uri_bytes : defaults.uri_bytes;
    if (out->header_lines > LINES_MAX)
        out->header_lines = LINES_MAX;
}

struct ssi_sip_reader ssi_sip_reader_of(struct ssi_slice s)
{
    return (struct ssi_sip_reader){.p = s.p,
                                   .end = s.p ? s.p + s.len : s.p,
                                   .readable = s.p ? s.p + s.len : s.p,
                                   .expected = "",
                                   .max_params = DEFAULT_PARAMS,
                                   .max_uri = DEFAULT_URI_BYTES};
}

void ssi_sip_skip_ws_slow(struct ssi_sip_reader *r)
{
    while (r->p < r->end) {
        if (*r->p == ' ' || *r->p == '\t')
            r->p++;
        else if (r->end - r->p >= 3 && r->p[0] == '\r' && r->p[1] == '\n' &&
                 (r->p[2] == ' ' || r->p[2] == '\t'))
            r->p += 3;
        else
            break;
    }
}

struct ssi_slice ssi_sip_run_escaped(struct ssi_sip_reader *r, unsigned mask)
{
    const char *from = r->p;

    for (;;) {
        ssi_sip_run(r, mask);
        if (r->end - r->p < 3 || *r->p != '%' || !ssi_sip_is(r->p[1], SSI_CH_HEX) ||
            !ssi_sip_is(r->p[2], SSI_CH_HEX))
            break;
        r->p += 3;
    }
    return ssi_slice_of(from, (size_t)(r->p - from));
}

bool ssi_sip_read_quoted(struct ssi_sip_reader *r, struct ssi_slice *ret)
{
    const char *from = r->p++;

    for (;;) {
        ssi_sip_run(r, SSI_CH_QDTEXT);
        if (r->p == r->end)
            return ssi_sip_wrong(r, "the closing quote of a quoted string");
        if (*r->p == '"')
            break;
        if (*r->p == '\\') {
            /* quoted-pair: any of 0x00 to 0x7f but CR and LF. */
            if (r->end - r->p < 2 || r->p[1] == '\r' || r->p[1] == '\n' ||
                (unsigned char)r->p[1] > 0x7f)
                return ssi_sip_wrong(r, "a byte that may follow a backslash");
            r->p += 2;
            continue;
        }
        const char *before = r->p;
        ssi_sip_skip_ws(r);
        if (r->p == before)
            return ssi_sip_wrong(r, "no control byte inside a quoted string");
    }
    r->p++;
    *ret = ssi_slice_of(from, (size_t)(r->p - from));
    return true;
}

int ssi_sip_read_param(struct ssi_sip_reader *r, struct ssi_slice *name, struct ssi_slice *value)
{
    ssi_sip_skip_ws(r);
    if (!ssi_sip_next_is(r, ';'))
        return 0;
    r->p++;
    ssi_sip_skip_ws(r);
    *name = ssi_sip_run(r, SSI_CH_TOKEN);
    if (name->len == 0) {
        r->expected = "the name of a parameter";
        return -1;
    }
    const char *after_name = r->p;
    ssi_sip_skip_ws(r);
    if (!ssi_sip_next_is(r, '=')) {
        r->p = after_name;
        *value = ssi_slice_of(NULL, 0);
        return 1;
    }
    r->p++;
    ssi_sip_skip_ws(r);
    if (ssi_sip_next_is(r, '"'))
        return ssi_sip_read_quoted(r, value) ? 1 : -1;
    *value = ssi_sip_run(r, SSI_CH_VALUE);
    if (value->len == 0) {
        r->expected = "the value of a parameter";
        return -1;
    }
    return 1;
}

static uint32_t hash_name(struct ssi_slice name)
{
    uint32_t h = 2166136261U;

    for (size_t i = 0; i < name.len; i++)
        h = (h ^ ((unsigned char)name.p[i] | 0x20)) * 16777619U;
    return h;
}

/* Few names are compared one by one, many by their hashes first, so that 128 of them cost little too. */
static bool is_among(struct ssi_sip_seen *seen, struct ssi_slice name)
{
    enum {
        FEW = 6
    };
    uint32_t n = seen->n, h = 0;

    if (n == FEW)
        for (uint32_t i = 0; i < n; i++)
            seen->hash[i] = hash_name(seen->name[i]);
    if (n >= FEW)
        h = hash_name(name);
    for (uint32_t i = 0; i < n; i++)
        if ((n < FEW ? seen->name[i].len == name.len : seen->hash[i] == h) &&
            ssi_slice_ieq(seen->name[i], name))
            return true;
    seen->hash[n] = h;
    return false;
}

bool ssi_sip_note_name_slow(struct ssi_sip_reader *r, struct ssi_sip_seen *seen,
                            struct ssi_slice name)
{
    int room = ssi_sip_seen_room(r, seen);

    if (room <= 0)
        return room == 0;
    if (is_among(seen, name)) {
        r->p = name.p;
        return ssi_sip_wrong(r, "each parameter once");
    }
    seen->name[seen->n++] = name;
    return true;
}

bool ssi_sip_read_number(struct ssi_sip_reader *r, uint64_t max, uint64_t *ret)
{
    const char *from = r->p;
    struct ssi_slice digits = ssi_sip_run(r, SSI_CH_DIGIT);

    if (!ssi_slice_to_u64(digits, max, ret)) {
        r->p = from;
        return ssi_sip_wrong(r, "a decimal number that is not too large");
    }
    return true;
}

/* Four numbers of 0 to 255; no leading zeros, which some systems read as octal. */
static bool is_ipv4(const char *p, const char *end)
{
    for (int i = 0; i < 4; i++) {
        const char *from = p;
        unsigned value = 0;
        if (i > 0 && (p == end || *p++ != '.'))
            return false;
        from = p;
        while (p < end && p - from < 4 && ssi_sip_is(*p, SSI_CH_DIGIT))
            value = value * 10 + (unsigned)(*p++ - '0');
        if (p == from || value > 255 || (p - from > 1 && *from == '0'))
            return false;
    }
    return p == end;
}

/* The inside of an IPv6 reference: RFC 3986's grammar as RFC 5954 asks, and, named leniency, ":::" before an embedded
 * IPv4 address, which RFC 3261's own grammar made (RFC 5118 4.10). No zone. */
static bool is_ipv6(const char *p, const char *end)
{
    int groups = 0;
    bool elided = false;

    if (end - p >= 2 && p[0] == ':' && p[1] == ':') {
        elided = true;
        p += 2;
        if (p == end)
            return true;
    }
    for (;;) {
        const char *q = p;
        while (q < end && ssi_sip_is(*q, SSI_CH_HEX))
            q++;
        if (q < end && *q == '.')
            return is_ipv4(p, end) && (elided ? groups <= 5 : groups == 6);
        if (q == p || q - p > 4)
            return false;
        groups++;
        if (q == end)
            return elided ? groups <= 7 : groups == 8;
        if (*q++ != ':')
            return false;
        if (q < end && *q == ':') {
            if (elided)
                return false;
            elided = true;
            q++;
            if (q < end && *q == ':')
                return is_ipv4(q + 1, end) && groups <= 5;
            if (q == end)
                return groups <= 7;
        }
        if (q == end)
            return false;
        p = q;
    }
}

static bool read_ipv6_reference(struct ssi_sip_reader *r, struct ssi_slice *ret)
{
    enum {
        LONGEST = 48
    }; /* eight groups with an IPv4 tail are 45 */
    const char *from = r->p + 1;
    size_t left = (size_t)(r->end - from);
    const char *close = memchr(from, ']', left < LONGEST ? left : LONGEST);

    if (!close || !is_ipv6(from, close))
        return ssi_sip_wrong(r, "an IPv6 address in brackets");
    *ret = ssi_slice_of(r->p, (size_t)(close + 1 - r->p));
    r->p = close + 1;
    return true;
}

/* A last label of digits only: this must be an IPv4 address (toplabel starts with a letter). */
static bool ends_as_name_or_ipv4(const char *from, const char *end)
{
    const char *label = end;

    while (label > from && ssi_sip_is(label[-1], SSI_CH_DIGIT))
        label--;
    return (label > from && label[-1] != '.') || is_ipv4(from, end);
}

bool ssi_sip_check_host(struct ssi_sip_reader *r, const char *end, struct ssi_slice *ret)
{
    const char *from = r->p;

    if (end == from || !ssi_sip_is(*from, SSI_CH_ALPHA | SSI_CH_DIGIT) || end[-1] == '-' ||
        ssi_sip_has_bad_label(from, end) ||
        (ssi_sip_is(end[-1], SSI_CH_DIGIT) && !ends_as_name_or_ipv4(from, end)))
        return ssi_sip_wrong(r, "a host name or address");
    r->p = end;
    *ret = ssi_slice_of(from, (size_t)(end - from));
    return true;
}

bool ssi_sip_read_host(struct ssi_sip_reader *r, struct ssi_slice *ret)
{
    if (ssi_sip_next_is(r, '['))
        return read_ipv6_reference(r, ret);
    return ssi_sip_check_host(r, ssi_sip_skip(r->p, r->end, r->readable, SSI_CH_HOST), ret);
}

bool ssi_sip_read_port(struct ssi_sip_reader *r, uint16_t *ret)
{
    const char *from = r->p;
    unsigned value = 0;

    while (r->p < r->end && ssi_sip_is(*r->p, SSI_CH_DIGIT) && value <= 65535)
        value = value * 10 + (unsigned)(*r->p++ - '0');
    if (value == 0 || value > 65535) {
        r->p = from;
        return ssi_sip_wrong(r, "a port from 1 to 65535");
    }
    *ret = (uint16_t)value;
    return true;
}
