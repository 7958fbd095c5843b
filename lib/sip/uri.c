/* SIP, SIPS and other URIs, see uri.h. Layer: sip. */
#include "sip/uri.h"

#include "base/addr.h"
#include "base/cursor.h"
#include "sip/read.h"
#include "sip/tel.h"

bool ssi_sip_uri_next_param(struct ssi_cursor *c, struct ssi_slice *name, struct ssi_slice *value)
{
    if (!ssi_cursor_take(c, ';'))
        return false;
    struct ssi_slice item = ssi_cursor_take_until(c, ';');
    size_t eq = ssi_slice_find(item, '=');
    *name = ssi_slice_of(item.p, eq);
    *value = eq < item.len ? ssi_slice_from(item, eq + 1) : ssi_slice_of(NULL, 0);
    return true;
}

static int hex_value(char c)
{
    return c <= '9' ? c - '0' : ssi_lower(c) - 'a' + 10;
}

/* One byte of a URI part with its escape undone once; *escaped tells an escaped byte of the reserved set from a bare
 * one: only other bytes are equal to their escapes (RFC 3261 19.1.4). */
static int unescaped_byte(struct ssi_cursor *c, bool *ret_escaped)
{
    if (ssi_cursor_at_end(c))
        return -1;
    *ret_escaped = false;
    if (*c->p == '%' && ssi_cursor_left(c) >= 3) {
        int v = hex_value(c->p[1]) * 16 + hex_value(c->p[2]);
        c->p += 3;
        *ret_escaped = strchr(";/?:@&=+$,", v) != NULL;
        return v;
    }
    return (unsigned char)*c->p++;
}

bool ssi_sip_uri_parts_equal(struct ssi_slice a, struct ssi_slice b, bool any_case)
{
    struct ssi_cursor ca = ssi_cursor_of(a), cb = ssi_cursor_of(b);

    for (;;) {
        bool ea = false, eb = false;
        int x = unescaped_byte(&ca, &ea), y = unescaped_byte(&cb, &eb);
        if (x < 0 || y < 0)
            return x == y;
        if (any_case) {
            x = (unsigned char)ssi_lower((char)x);
            y = (unsigned char)ssi_lower((char)y);
        }
        if (x != y || ea != eb)
            return false;
    }
}

/* One that tells names apart, whatever of them is escaped and in any case. */
static uint32_t hash_name(struct ssi_slice name)
{
    struct ssi_cursor c = ssi_cursor_of(name);
    uint32_t h = 2166136261U;
    bool escaped;

    for (int v; (v = unescaped_byte(&c, &escaped)) >= 0;)
        h = (h ^ (unsigned char)ssi_lower((char)v)) * 16777619U;
    return h;
}

/* Like ssi_sip_note_name, where this name or one before it has an escape; `is_first`: this one is the first that has. */
static bool note_escaped_name(struct ssi_sip_reader *r, struct ssi_sip_seen *seen,
                              struct ssi_slice name, bool is_first)
{
    int room = ssi_sip_seen_room(r, seen);

    if (room <= 0)
        return room == 0;
    uint32_t h = hash_name(name);
    for (uint32_t i = 0; i < seen->n; i++) {
        if (is_first)
            seen->hash[i] = hash_name(seen->name[i]);
        if (seen->hash[i] == h && ssi_sip_uri_parts_equal(seen->name[i], name, true)) {
            r->p = name.p;
            return ssi_sip_wrong(r, "each parameter once");
        }
    }
    seen->hash[seen->n] = h;
    seen->name[seen->n++] = name;
    return true;
}

/* The name of a parameter; most have no escape. */
static struct ssi_slice read_param_name(struct ssi_sip_reader *r, bool *escaped)
{
    struct ssi_slice name = ssi_sip_run(r, SSI_CH_PARAM);

    if (!ssi_sip_next_is(r, '%'))
        return name;
    r->p = name.p;
    *escaped = true;
    return ssi_sip_run_escaped(r, SSI_CH_PARAM);
}

static bool read_uri_params(struct ssi_sip_reader *r, struct ssi_sip_uri *u)
{
    const char *from = r->p;
    struct ssi_sip_seen seen;
    bool escaped = false;

    seen.n = 0;
    while (ssi_sip_next_is(r, ';')) {
        bool was_escaped = escaped;
        r->p++;
        struct ssi_slice name = read_param_name(r, &escaped);
        if (name.len == 0)
            return ssi_sip_wrong(r, "the name of a URI parameter");
        if (escaped ? !note_escaped_name(r, &seen, name, !was_escaped)
                    : !ssi_sip_note_name(r, &seen, name))
            return false;
        if (ssi_sip_next_is(r, '=')) {
            r->p++;
            if (ssi_sip_run_escaped(r, SSI_CH_PARAM).len == 0)
                return ssi_sip_wrong(r, "the value of a URI parameter");
        }
    }
    u->params = ssi_slice_of(from, (size_t)(r->p - from));
    return true;
}

static bool read_uri_headers(struct ssi_sip_reader *r, struct ssi_sip_uri *u)
{
    const char *from = ++r->p;
    uint32_t n = 0;

    do {
        if (n > 0)
            r->p++;
        if (++n > r->max_params) {
            r->too_large = true;
            return ssi_sip_wrong(r, "fewer headers in a URI");
        }
        if (ssi_sip_run_escaped(r, SSI_CH_HNV).len == 0)
            return ssi_sip_wrong(r, "the name of a header in a URI");
        if (!ssi_sip_next_is(r, '='))
            return ssi_sip_wrong(r, "'=' after the name of a header in a URI");
        r->p++;
        ssi_sip_run_escaped(r, SSI_CH_HNV);
    } while (ssi_sip_next_is(r, '&'));
    u->headers = ssi_slice_of(from, (size_t)(r->p - from));
    return true;
}

/* Takes userinfo and its '@' if there is one. Without '@' nothing is taken, and *host_end is where the run of host bytes
 * ends; NULL otherwise. */
static bool read_userinfo(struct ssi_sip_reader *r, bool bare, struct ssi_sip_uri *u,
                          const char **host_end)
{
    const char *from = r->p;
    struct ssi_slice password = {NULL, 0};

    /* Most users and all host names are made of these. What ends a URI there ends it without a user. */
    r->p = ssi_sip_skip(from, r->end, r->readable, SSI_CH_HOST);
    *host_end = r->p;
    if (r->p == r->end || *r->p == '>') {
        r->p = from;
        return true;
    }
    if (*r->p != '@')
        ssi_sip_run_escaped(r, bare ? SSI_CH_USER_BARE : SSI_CH_USER);
    struct ssi_slice user = ssi_slice_of(from, (size_t)(r->p - from));
    if (ssi_sip_next_is(r, ':')) {
        r->p++;
        password = ssi_sip_run_escaped(r, bare ? SSI_CH_PASSWORD_BARE : SSI_CH_PASSWORD);
    }
    if (!ssi_sip_next_is(r, '@')) {
        r->p = from;
        return true;
    }
    if (user.len == 0)
        return ssi_sip_wrong(r, "a user before '@'");
    u->user = user;
    u->password = password;
    *host_end = NULL;
    r->p++;
    return true;
}

static bool read_sip_uri(struct ssi_sip_reader *r, bool bare, struct ssi_sip_uri *u)
{
    const char *host_end;

    if (!read_userinfo(r, bare, u, &host_end))
        return false;
    bool plain = host_end && !ssi_sip_next_is(r, '[');
    if (plain ? !ssi_sip_check_host(r, host_end, &u->host) : !ssi_sip_read_host(r, &u->host))
        return false;
    if (ssi_sip_next_is(r, ':')) {
        r->p++;
        if (!ssi_sip_read_port(r, &u->port))
            return false;
    }
    if (bare)
        return ssi_sip_next_is(r, '?') ? ssi_sip_wrong(r, "angle brackets around a URI with '?'")
                                       : true;
    u->params = ssi_slice_of(r->p, 0);
    if (ssi_sip_next_is(r, ';') && !read_uri_params(r, u))
        return false;
    if (ssi_sip_next_is(r, '?') && !read_uri_headers(r, u))
        return false;
    return true;
}

/* Absolute URIs of any other scheme: bounded and free of what could end it. */
static bool read_other_uri(struct ssi_sip_reader *r, bool bare)
{
    if (ssi_sip_run_escaped(r, bare ? SSI_CH_URIC_BARE : SSI_CH_URIC).len == 0)
        return ssi_sip_wrong(r, "something after the scheme of a URI");
    return bare && ssi_sip_next_is(r, '?')
               ? ssi_sip_wrong(r, "angle brackets around a URI with '?'")
               : true;
}

/* "sip:" and "sips:" as nearly everybody writes them. */
static bool take_usual_scheme(struct ssi_sip_reader *r, struct ssi_sip_uri *u)
{
    const char *p = r->p;
    size_t left = (size_t)(r->end - p);

    if (left < 5 || memcmp(p, "sip", 3) != 0)
        return false;
    size_t n = p[3] == 's' ? 4 : 3;
    if (p[n] != ':')
        return false;
    u->scheme = n == 4 ? SSI_SIP_SCHEME_SIPS : SSI_SIP_SCHEME_SIP;
    u->scheme_text = ssi_slice_of(p, n);
    r->p = p + n + 1;
    return true;
}

static bool read_scheme(struct ssi_sip_reader *r, struct ssi_sip_uri *u)
{
    const char *from = r->p;

    if (take_usual_scheme(r, u))
        return true;
    if (r->p == r->end || !ssi_sip_is(*r->p, SSI_CH_ALPHA))
        return ssi_sip_wrong(r, "the scheme of a URI");
    while (r->p < r->end && (ssi_sip_is(*r->p, SSI_CH_HOST) || *r->p == '+'))
        r->p++;
    u->scheme_text = ssi_slice_of(from, (size_t)(r->p - from));
    if (!ssi_sip_next_is(r, ':'))
        return ssi_sip_wrong(r, "':' after the scheme of a URI");
    r->p++;
    if (ssi_slice_ieq(u->scheme_text, SSI_LIT("sip")))
        u->scheme = SSI_SIP_SCHEME_SIP;
    else if (ssi_slice_ieq(u->scheme_text, SSI_LIT("sips")))
        u->scheme = SSI_SIP_SCHEME_SIPS;
    else if (ssi_slice_ieq(u->scheme_text, SSI_LIT("tel")))
        u->scheme = SSI_SIP_SCHEME_TEL;
    return true;
}

bool ssi_sip_read_uri(struct ssi_sip_reader *r, bool bare, struct ssi_sip_uri *ret)
{
    const char *from = r->p;
    struct ssi_sip_uri *u = ret;

    memset(u, 0, sizeof *u);
    if (!read_scheme(r, u))
        return false;
    bool good = u->scheme == SSI_SIP_SCHEME_OTHER ? read_other_uri(r, bare)
                : u->scheme == SSI_SIP_SCHEME_TEL ? ssi_sip_read_tel(r, bare)
                                                  : read_sip_uri(r, bare, u);
    if (!good)
        return false;
    u->whole = ssi_slice_of(from, (size_t)(r->p - from));
    if (u->whole.len > r->max_uri) {
        r->p = from;
        r->too_large = true;
        return ssi_sip_wrong(r, "a shorter URI");
    }
    return true;
}

secsip_result ssi_sip_uri_parse(struct ssi_slice text, struct ssi_sip_uri *ret)
{
    struct ssi_sip_reader r = ssi_sip_reader_of(text);
    struct ssi_sip_uri u;

    if (!ssi_sip_read_uri(&r, false, &u) || r.p != r.end)
        return SECSIP_E_SIP_URI;
    *ret = u;
    return 0;
}

bool ssi_sip_uri_param(const struct ssi_sip_uri *u, struct ssi_slice name,
                       struct ssi_slice *ret_value)
{
    struct ssi_cursor c = ssi_cursor_of(u->params);
    struct ssi_slice n, v;

    while (ssi_sip_uri_next_param(&c, &n, &v)) {
        if (!ssi_sip_uri_parts_equal(n, name, true))
            continue;
        if (ret_value)
            *ret_value = v;
        return true;
    }
    return false;
}

/* Parameters that make two URIs differ when only one of them has them. */
static bool must_be_in_both(struct ssi_slice name)
{
    static const char known[][10] = {"transport", "maddr", "ttl", "user", "method"};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (ssi_sip_uri_parts_equal(name, ssi_slice_str(known[i]), true))
            return true;
    return false;
}

/* Every parameter of a that b has too must be equal; user, ttl, method and maddr must be in both or in none, and so must
 * transport, whose default is not its explicit value (RFC 3261 19.1.4). */
static bool params_match(const struct ssi_sip_uri *a, const struct ssi_sip_uri *b)
{
    struct ssi_cursor c = ssi_cursor_of(a->params);
    struct ssi_slice n, va, vb;

    while (ssi_sip_uri_next_param(&c, &n, &va)) {
        if (ssi_sip_uri_param(b, n, &vb)) {
            if ((va.p == NULL) != (vb.p == NULL) || !ssi_sip_uri_parts_equal(va, vb, true))
                return false;
        } else if (must_be_in_both(n)) {
            return false;
        }
    }
    return true;
}

/* The next "name=value" of checked headers. */
static bool next_header(struct ssi_cursor *c, struct ssi_slice *name, struct ssi_slice *value)
{
    if (ssi_cursor_at_end(c))
        return false;
    struct ssi_slice item = ssi_cursor_take_until(c, '&');
    size_t eq = ssi_slice_find(item, '=');
    *name = ssi_slice_of(item.p, eq);
    *value = ssi_slice_from(item, eq + 1);
    ssi_cursor_take(c, '&');
    return true;
}

static uint32_t count_header(struct ssi_slice headers, struct ssi_slice name,
                             struct ssi_slice value)
{
    struct ssi_cursor c = ssi_cursor_of(headers);
    struct ssi_slice n, v;
    uint32_t count = 0;

    while (next_header(&c, &n, &v))
        count += ssi_sip_uri_parts_equal(n, name, true) && ssi_sip_uri_parts_equal(v, value, false);
    return count;
}

/* Headers are never ignored, and may repeat: each of a stands in b as often (RFC 3261 19.1.4). */
static bool headers_within(struct ssi_slice a, struct ssi_slice b)
{
    struct ssi_cursor c = ssi_cursor_of(a);
    struct ssi_slice name, value;

    while (next_header(&c, &name, &value))
        if (count_header(a, name, value) != count_header(b, name, value))
            return false;
    return true;
}

/* RFC 5954 4.2: IPv6 addresses are compared by their value, whatever their text. */
static bool hosts_equal(struct ssi_slice a, struct ssi_slice b)
{
    struct ssi_addr x, y;

    if (a.len > 0 && b.len > 0 && *a.p == '[' && *b.p == '[' && ssi_addr_parse_ip(a, 0, &x) &&
        ssi_addr_parse_ip(b, 0, &y))
        return ssi_addr_eq(&x, &y);
    return ssi_slice_ieq(a, b);
}

bool ssi_sip_uri_equal(const struct ssi_sip_uri *a, const struct ssi_sip_uri *b)
{
    if (a->scheme != b->scheme)
        return false;
    if (a->scheme == SSI_SIP_SCHEME_TEL)
        return ssi_sip_tel_equal(a, b);
    if (a->scheme == SSI_SIP_SCHEME_OTHER)
        return ssi_slice_ieq(a->scheme_text, b->scheme_text) &&
               ssi_slice_eq(ssi_slice_from(a->whole, a->scheme_text.len),
                            ssi_slice_from(b->whole, b->scheme_text.len));
    /* "sip:bob@h" and "sip:bob@h:5060" are not equal, nor are a user and none. */
    if ((a->user.p == NULL) != (b->user.p == NULL) ||
        (a->password.p == NULL) != (b->password.p == NULL) || a->port != b->port)
        return false;
    return ssi_sip_uri_parts_equal(a->user, b->user, false) &&
           ssi_sip_uri_parts_equal(a->password, b->password, false) &&
           hosts_equal(a->host, b->host) && params_match(a, b) && params_match(b, a) &&
           headers_within(a->headers, b->headers) && headers_within(b->headers, a->headers);
}

static bool is_sip(const struct ssi_sip_uri *u)
{
    return u->scheme == SSI_SIP_SCHEME_SIP || u->scheme == SSI_SIP_SCHEME_SIPS;
}

struct ssi_slice ssi_sip_uri_without_headers(const struct ssi_sip_uri *u)
{
    struct ssi_slice s = u->whole;

    if (u->headers.len > 0)
        s.len = (size_t)(u->headers.p - 1 - s.p);
    return s;
}

bool ssi_sip_uri_same_user(const struct ssi_sip_uri *a, const struct ssi_sip_uri *b)
{
    if (!is_sip(a) || !is_sip(b))
        return ssi_sip_uri_equal(a, b);
    return !a->user.p == !b->user.p && ssi_sip_uri_parts_equal(a->user, b->user, false) &&
           hosts_equal(a->host, b->host);
}

/* Escapes of unreserved bytes are undone; all others, of NUL too, stay as they are, with lower-case hex made upper. */
static void put_normal_user(struct ssi_buf *b, struct ssi_slice user)
{
    struct ssi_cursor c = ssi_cursor_of(user);

    while (!ssi_cursor_at_end(&c)) {
        if (*c.p != '%' || ssi_cursor_left(&c) < 3) {
            ssi_buf_put_char(b, *c.p++);
            continue;
        }
        int v = hex_value(c.p[1]) * 16 + hex_value(c.p[2]);
        if (v > 0 && v < 0x80 && ssi_sip_is((char)v, SSI_CH_PASSWORD) && !strchr("&=+$,", v)) {
            ssi_buf_put_char(b, (char)v);
        } else {
            static const char hex[] = "0123456789ABCDEF";
            char three[3] = {'%', hex[v >> 4], hex[v & 15]};
            ssi_buf_put(b, three, sizeof three);
        }
        c.p += 3;
    }
}

void ssi_sip_uri_put_aor(struct ssi_buf *b, const struct ssi_sip_uri *u)
{
    if (u->scheme != SSI_SIP_SCHEME_SIP && u->scheme != SSI_SIP_SCHEME_SIPS) {
        ssi_buf_put_slice(b, u->whole);
        return;
    }
    ssi_buf_put_str(b, u->scheme == SSI_SIP_SCHEME_SIPS ? "sips:" : "sip:");
    if (u->user.p) {
        put_normal_user(b, u->user);
        ssi_buf_put_char(b, '@');
    }
    for (size_t i = 0; i < u->host.len; i++)
        ssi_buf_put_char(b, ssi_lower(u->host.p[i]));
}
