/* The grammar of single SDP lines, see line.h. Layer: sdp. Every reader walks its value once with the cursor. */
#include "sdp/line.h"

#include "base/cursor.h"

enum {
    TOKEN = 1, /* RFC 8866 section 9, token-char */
    DIGIT = 2,
    NON_WS = 4, /* non-ws-string: visible ASCII and bytes of UTF-8 */
};

/* clang-format off */
#define P (NON_WS)
#define T (TOKEN | NON_WS)
#define D (TOKEN | DIGIT | NON_WS)
static const uint8_t classes[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 0x00 */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 0x10 */
    0, T, P, T, T, T, T, T, P, P, T, T, P, T, T, P, /* 0x20 */
    D, D, D, D, D, D, D, D, D, D, P, P, P, P, P, P, /* 0x30 */
    P, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, /* 0x40 */
    T, T, T, T, T, T, T, T, T, T, T, P, P, P, T, T, /* 0x50 */
    T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, /* 0x60 */
    T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, 0, /* 0x70 */
    P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, /* 0x80 */
    P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, /* 0x90 */
    P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, /* 0xa0 */
    P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, /* 0xb0 */
    P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, /* 0xc0 */
    P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, /* 0xd0 */
    P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, /* 0xe0 */
    P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, /* 0xf0 */
};
#undef P
#undef T
#undef D
/* clang-format on */

static bool fault_at(const struct ssi_cursor *c, const char *text, struct ssi_sdp_line_fault *ret)
{
    *ret = (struct ssi_sdp_line_fault){SECSIP_E_SDP_SYNTAX, ssi_cursor_offset(c), text};
    return false;
}

/* A run of at least one byte of the class. */
static bool take_some(struct ssi_cursor *c, uint8_t mask, struct ssi_slice *ret)
{
    *ret = ssi_cursor_take_class(c, classes, mask);
    return ret->len > 0;
}

/* The same, and the single space that must follow. */
static bool take_field(struct ssi_cursor *c, uint8_t mask, struct ssi_slice *ret)
{
    return take_some(c, mask, ret) && ssi_cursor_take(c, ' ');
}

/* An address that says it is numeric must be one of its own kind; names and unknown types pass (FQDN, extn-addr). */
static bool address_fits(struct ssi_slice net, struct ssi_slice type, struct ssi_slice address)
{
    struct ssi_addr parsed;
    bool colon = memchr(address.p, ':', address.len) != NULL;

    if (!ssi_slice_eq(net, SSI_LIT("IN")))
        return true;
    if (ssi_slice_eq(type, SSI_LIT("IP4")))
        return !colon;
    if (!ssi_slice_eq(type, SSI_LIT("IP6")))
        return true;
    address.len = ssi_slice_find(address, '/'); /* multicast: "/" and a count (RFC 8866 5.7) */
    if (!ssi_addr_parse_ip(address, 0, &parsed))
        return !colon;
    return parsed.family == 6 && address.p[0] != '[';
}

/* nettype SP addrtype SP address, to the end. */
static bool take_address(struct ssi_cursor *c, struct ssi_slice *ret)
{
    struct ssi_slice net, type, address;

    if (!take_field(c, TOKEN, &net) || !take_field(c, TOKEN, &type) ||
        !take_some(c, NON_WS, &address))
        return false;
    if (!ssi_cursor_at_end(c) || !address_fits(net, type, address))
        return false;
    *ret = address;
    return true;
}

bool ssi_sdp_read_origin(struct ssi_slice value, struct ssi_sdp *s,
                         struct ssi_sdp_line_fault *ret_fault)
{
    struct ssi_cursor c = ssi_cursor_of(value);

    /* RFC 8866 5.2: username, sess-id and sess-version are all required; the numbers may have any length. */
    if (!take_field(&c, NON_WS, &s->origin_user) || !take_field(&c, DIGIT, &s->origin_id) ||
        !take_field(&c, DIGIT, &s->origin_version) || !take_address(&c, &s->origin_address))
        return fault_at(&c, "o= is not \"user id version IN IP4 address\"", ret_fault);
    return true;
}

bool ssi_sdp_read_connection(struct ssi_slice value, struct ssi_slice *ret_address,
                             struct ssi_sdp_line_fault *ret_fault)
{
    struct ssi_cursor c = ssi_cursor_of(value);

    if (!take_address(&c, ret_address))
        return fault_at(&c, "c= is not \"IN IP4 address\"", ret_fault);
    return true;
}

/* port ["/" count], both in range. */
static bool take_ports(struct ssi_cursor *c, struct ssi_sdp_media *m)
{
    uint64_t v;

    if (!ssi_cursor_take_u64(c, UINT16_MAX, &v))
        return false;
    m->port = (uint16_t)v;
    m->n_ports = 1;
    if (!ssi_cursor_take(c, '/'))
        return true;
    if (!ssi_cursor_take_u64(c, UINT16_MAX, &v) || v == 0)
        return false;
    m->n_ports = (uint16_t)v;
    return true;
}

/* proto = token *("/" token) */
static bool take_profile(struct ssi_cursor *c, struct ssi_slice *ret)
{
    const char *from = c->p;
    struct ssi_slice part;

    do {
        if (!take_some(c, TOKEN, &part))
            return false;
    } while (ssi_cursor_take(c, '/'));
    *ret = ssi_slice_of(from, (size_t)(c->p - from));
    return true;
}

bool ssi_sdp_read_media(struct ssi_slice value, uint32_t max_formats, struct ssi_sdp_media *m,
                        struct ssi_sdp_line_fault *ret_fault)
{
    struct ssi_cursor c = ssi_cursor_of(value);
    struct ssi_slice format;

    if (!take_field(&c, TOKEN, &m->kind))
        return fault_at(&c, "m= does not start with a media type", ret_fault);
    if (!take_ports(&c, m) || !ssi_cursor_take(&c, ' '))
        return fault_at(&c, "the port of m= is not a number from 0 to 65535", ret_fault);
    if (!take_profile(&c, &m->profile))
        return fault_at(&c, "m= has no transport protocol", ret_fault);
    const char *from = c.p + 1;
    m->n_formats = 0;
    do { /* RFC 8866 5.14: at least one format */
        if (!ssi_cursor_take(&c, ' ') || !take_some(&c, TOKEN, &format))
            return fault_at(&c, "the formats of m= are not tokens behind single spaces", ret_fault);
        if (++m->n_formats > max_formats) {
            fault_at(&c, "an m= line with more formats than the limit", ret_fault);
            ret_fault->result = SECSIP_E_SDP_FORMATS;
            return false;
        }
    } while (!ssi_cursor_at_end(&c));
    m->formats = ssi_slice_of(from, (size_t)(c.p - from));
    return true;
}

/* time = POS-DIGIT 9*DIGIT, or "0" (RFC 8866 section 9). */
static bool take_time(struct ssi_cursor *c)
{
    struct ssi_slice digits;

    return take_some(c, DIGIT, &digits) &&
           (digits.p[0] == '0' ? digits.len == 1 : digits.len >= 10);
}

static bool check_time(struct ssi_cursor *c, struct ssi_sdp_line_fault *ret_fault)
{
    if (!take_time(c) || !ssi_cursor_take(c, ' ') || !take_time(c) || !ssi_cursor_at_end(c))
        return fault_at(c, "t= is not two times", ret_fault);
    return true;
}

static bool check_bandwidth(struct ssi_cursor *c, struct ssi_sdp_line_fault *ret_fault)
{
    struct ssi_slice part;

    if (!take_some(c, TOKEN, &part) || !ssi_cursor_take(c, ':') || !take_some(c, DIGIT, &part) ||
        !ssi_cursor_at_end(c))
        return fault_at(c, "b= is not \"type:number\"", ret_fault);
    return true;
}

/* attribute-name [":" attribute-value], the value not empty. */
static bool check_attribute(struct ssi_cursor *c, struct ssi_sdp_line_fault *ret_fault)
{
    struct ssi_slice name;

    if (!take_some(c, TOKEN, &name))
        return fault_at(c, "a= has no attribute name", ret_fault);
    if (ssi_cursor_at_end(c) || (ssi_cursor_take(c, ':') && !ssi_cursor_at_end(c)))
        return true;
    return fault_at(c, "a= is not \"name\" or \"name:value\"", ret_fault);
}

bool ssi_sdp_check_line(char type, struct ssi_slice value, struct ssi_sdp_line_fault *ret_fault)
{
    struct ssi_cursor c = ssi_cursor_of(value);

    if (value.len == 0)
        return fault_at(&c, "a line without a value", ret_fault);
    /* RFC 8866 5: no blank on either side of '='; "s= " is the one exception (5.3). */
    if (type != 's' && value.p[0] == ' ')
        return fault_at(&c, "a blank behind '='", ret_fault);
    switch (type) {
    case 'v':
        return ssi_slice_eq(value, SSI_LIT("0")) || fault_at(&c, "the version is not 0", ret_fault);
    case 't':
        return check_time(&c, ret_fault);
    case 'b':
        return check_bandwidth(&c, ret_fault);
    case 'a':
        return check_attribute(&c, ret_fault);
    default: /* s i u e p r z k: text that is kept and not looked into */
        return true;
    }
}
