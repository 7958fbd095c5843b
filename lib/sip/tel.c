/* tel URIs, see tel.h. Layer: sip. The grammar is RFC 3966 3, with one leniency by name: a local number may come without
 * phone-context, as phones send what was dialled ("tel:911"), and outside of angle brackets it cannot have one. */
#include "sip/tel.h"

/* ---- Reading */
static bool is_separator(char c)
{
    return c == '-' || c == '.' || c == '(' || c == ')';
}

/* Visual separators, and at least one digit; hexadecimal ones, '*' and '#' belong to local numbers. */
static bool read_digits(struct ssi_sip_reader *r, bool local)
{
    bool any = false;

    for (; r->p < r->end; r->p++) {
        bool is_digit = ssi_sip_is(*r->p, local ? SSI_CH_HEX : SSI_CH_DIGIT) ||
                        (local && (*r->p == '*' || *r->p == '#'));
        if (!is_digit && !is_separator(*r->p))
            break;
        any |= is_digit;
    }
    return any || ssi_sip_wrong(r, "a digit of a telephone number");
}

static bool read_number(struct ssi_sip_reader *r)
{
    bool global = ssi_sip_next_is(r, '+');

    r->p += global;
    return read_digits(r, !global);
}

/* Of phone-context: a global number, or a domain name. */
static bool read_context(struct ssi_sip_reader *r)
{
    struct ssi_slice host;

    if (ssi_sip_next_is(r, '+'))
        return read_number(r);
    return ssi_sip_check_host(r, ssi_sip_skip(r->p, r->end, r->readable, SSI_CH_HOST), &host);
}

/* isub is any uric; but a ';' in it would be the next parameter. */
static bool read_subaddress(struct ssi_sip_reader *r)
{
    const char *from = r->p;

    for (;;) {
        ssi_sip_run_escaped(r, SSI_CH_URIC_BARE);
        if (!ssi_sip_next_is(r, ',') && !ssi_sip_next_is(r, '?'))
            break;
        r->p++;
    }
    return r->p > from || ssi_sip_wrong(r, "an ISDN subaddress");
}

static bool read_value(struct ssi_sip_reader *r, struct ssi_slice name)
{
    if (ssi_slice_ieq(name, SSI_LIT("ext")))
        return read_digits(r, false);
    if (ssi_slice_ieq(name, SSI_LIT("phone-context")))
        return read_context(r);
    if (ssi_slice_ieq(name, SSI_LIT("isub")))
        return read_subaddress(r);
    return ssi_sip_run_escaped(r, SSI_CH_PARAM).len > 0 ||
           ssi_sip_wrong(r, "the value of a parameter of a tel URI");
}

static bool needs_value(struct ssi_slice name)
{
    return ssi_slice_ieq(name, SSI_LIT("ext")) || ssi_slice_ieq(name, SSI_LIT("isub")) ||
           ssi_slice_ieq(name, SSI_LIT("phone-context"));
}

static struct ssi_slice read_name(struct ssi_sip_reader *r)
{
    const char *from = r->p;

    while (r->p < r->end && (ssi_sip_is(*r->p, SSI_CH_ALPHA | SSI_CH_DIGIT) || *r->p == '-'))
        r->p++;
    return ssi_slice_of(from, (size_t)(r->p - from));
}

bool ssi_sip_read_tel(struct ssi_sip_reader *r, bool bare)
{
    struct ssi_sip_seen seen;

    if (!read_number(r))
        return false;
    seen.n = 0;
    while (!bare && ssi_sip_next_is(r, ';')) {
        r->p++;
        struct ssi_slice name = read_name(r);
        if (name.len == 0)
            return ssi_sip_wrong(r, "the name of a parameter of a tel URI");
        if (!ssi_sip_note_name(r, &seen, name)) /* each once, too (RFC 3966 3) */
            return false;
        if (!ssi_sip_next_is(r, '=')) {
            if (needs_value(name))
                return ssi_sip_wrong(r, "'=' and a value");
            continue;
        }
        r->p++;
        if (!read_value(r, name))
            return false;
    }
    return true;
}

/* ---- Equality */
/* Digits of a telephone number, without the visual separators that mean nothing (RFC 3966 5.1.1). */
static bool digits_equal(struct ssi_slice a, struct ssi_slice b)
{
    size_t i = 0, j = 0;

    for (;; i++, j++) {
        while (i < a.len && is_separator(a.p[i]))
            i++;
        while (j < b.len && is_separator(b.p[j]))
            j++;
        if (i == a.len || j == b.len)
            return i == a.len && j == b.len;
        if (ssi_lower(a.p[i]) != ssi_lower(b.p[j]))
            return false;
    }
}

static bool tel_values_equal(struct ssi_slice name, struct ssi_slice a, struct ssi_slice b)
{
    bool is_number = ssi_slice_ieq(name, SSI_LIT("ext")) ||
                     (ssi_slice_ieq(name, SSI_LIT("phone-context")) && a.len > 0 && *a.p == '+');

    return !a.p == !b.p && (is_number ? digits_equal(a, b) : ssi_sip_uri_parts_equal(a, b, true));
}

/* Each of a's parameters stands in b. */
static bool tel_params_within(struct ssi_slice a, struct ssi_slice b)
{
    struct ssi_cursor ca = ssi_cursor_of(a);
    struct ssi_slice name, value, other_name, other;

    while (ssi_sip_uri_next_param(&ca, &name, &value)) {
        struct ssi_cursor cb = ssi_cursor_of(b);
        bool found = false;
        while (!found && ssi_sip_uri_next_param(&cb, &other_name, &other))
            found = ssi_slice_ieq(name, other_name) && tel_values_equal(name, value, other);
        if (!found)
            return false;
    }
    return true;
}

bool ssi_sip_tel_equal(const struct ssi_sip_uri *a, const struct ssi_sip_uri *b)
{
    struct ssi_slice x = ssi_slice_from(a->whole, a->scheme_text.len + 1);
    struct ssi_slice y = ssi_slice_from(b->whole, b->scheme_text.len + 1);
    size_t nx = ssi_slice_find(x, ';'), ny = ssi_slice_find(y, ';');

    return digits_equal(ssi_slice_of(x.p, nx), ssi_slice_of(y.p, ny)) &&
           tel_params_within(ssi_slice_from(x, nx), ssi_slice_from(y, ny)) &&
           tel_params_within(ssi_slice_from(y, ny), ssi_slice_from(x, nx));
}
