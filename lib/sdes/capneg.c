/* Potential configurations, see capneg.h. Layer: sdes. Nothing is allocated; every line is read with the cursor, and what
 * is looked at is bounded by number. */
#include "sdes/capneg.h"

#include "base/cursor.h"
#include "sdes/judge.h"

enum {
    NUMBER_MAX = INT32_MAX, /* RFC 5939 3.4.1, 3.5.1 */
    DIGITS_MAX = 10,
};

static const struct ssi_slice crypto_name = {"crypto", 6};

/* ---- pieces */
/* 1 to 2^31 - 1 in 1*10(DIGIT). */
static bool take_number(struct ssi_cursor *c, uint32_t *ret)
{
    const char *from = c->p;
    uint64_t v;

    if (!ssi_cursor_take_u64(c, NUMBER_MAX, &v) || v == 0 || c->p - from > DIGITS_MAX)
        return false;
    *ret = (uint32_t)v;
    return true;
}

static bool take_blanks(struct ssi_cursor *c)
{
    const char *from = c->p;

    while (ssi_cursor_take(c, ' ') || ssi_cursor_take(c, '\t'))
        ;
    return c->p > from;
}

static struct ssi_slice take_word(struct ssi_cursor *c)
{
    const char *from = c->p;

    while (c->p < c->end && *c->p != ' ' && *c->p != '\t')
        c->p++;
    return ssi_slice_of(from, (size_t)(c->p - from));
}

/* ---- transports: "a=tcap:1 RTP/SAVPF RTP/SAVP" numbers them 1, 2 (RFC 5939 3.4.2) */
static bool find_transport_in(const struct ssi_sdp *sdp, int media, uint32_t number,
                              struct ssi_slice *ret)
{
    struct ssi_slice value;
    uint32_t at = 0, first;

    while (ssi_sdp_attr(sdp, media, SSI_LIT("tcap"), &at, &value)) {
        struct ssi_cursor c = ssi_cursor_of(value);
        if (!take_number(&c, &first) || first > number)
            continue;
        for (uint32_t n = first; take_blanks(&c) && !ssi_cursor_at_end(&c); n++) {
            *ret = take_word(&c);
            if (n == number)
                return true;
        }
    }
    return false;
}

static bool find_transport(const struct ssi_sdp *sdp, uint32_t media, uint32_t number,
                           struct ssi_slice *ret)
{
    return find_transport_in(sdp, (int)media, number, ret) ||
           find_transport_in(sdp, -1, number, ret);
}

/* ---- a=pcfg:1 t=1|2 a=-m:1,[2]|3 */
struct potential {
    uint32_t number;
    struct ssi_slice transports; /* "1|2", empty for none */
    struct ssi_slice attrs;      /* "1,[2]|3" */
    struct ssi_slice drop;
    bool has_attrs;
};

static bool read_drop(struct ssi_cursor *c, struct potential *p)
{
    struct ssi_slice word = ssi_cursor_rest(c);
    size_t end = ssi_slice_find(word, ':');

    p->drop = ssi_slice_of(word.p, end);
    if (!ssi_slice_eq(p->drop, SSI_LIT("-m")) && !ssi_slice_eq(p->drop, SSI_LIT("-s")) &&
        !ssi_slice_eq(p->drop, SSI_LIT("-ms")))
        return false;
    c->p += end;
    return ssi_cursor_at_end(c) || (ssi_cursor_take(c, ':') && !ssi_cursor_at_end(c));
}

static bool read_part(struct ssi_slice word, struct potential *p)
{
    struct ssi_cursor c = ssi_cursor_of(word);

    if (ssi_cursor_take_lit(&c, SSI_LIT("t="))) {
        if (p->transports.len > 0 || ssi_cursor_at_end(&c))
            return false;
        p->transports = ssi_cursor_rest(&c);
        return true;
    }
    if (ssi_cursor_take_lit(&c, SSI_LIT("a="))) {
        if (p->has_attrs || (ssi_cursor_peek(&c) == '-' && !read_drop(&c, p)))
            return false;
        p->has_attrs = true;
        p->attrs = ssi_cursor_rest(&c);
        return true;
    }
    return word.p[0] != '+'; /* RFC 5939 3.5.1: an extension that must be understood */
}

static bool read_potential(struct ssi_slice value, struct potential *ret)
{
    struct ssi_cursor c = ssi_cursor_of(value);

    memset(ret, 0, sizeof *ret);
    if (!take_number(&c, &ret->number))
        return false;
    while (take_blanks(&c) && !ssi_cursor_at_end(&c))
        if (!read_part(take_word(&c), ret))
            return false;
    return ssi_cursor_at_end(&c);
}

/* The a=pcfg line with the smallest number above `above`. */
static bool next_potential(const struct ssi_sdp *sdp, uint32_t media, uint32_t above,
                           struct potential *ret)
{
    struct ssi_slice value;
    struct potential p;
    uint32_t at = 0;
    bool found = false;

    for (uint32_t n = 0;
         n < SSI_CAPNEG_LINES_MAX && ssi_sdp_attr(sdp, (int)media, SSI_LIT("pcfg"), &at, &value);
         n++) {
        if (!read_potential(value, &p) || p.number <= above || (found && p.number >= ret->number))
            continue;
        *ret = p;
        found = true;
    }
    return found;
}

/* The n-th piece between '|'; a list without pieces has one, empty one. */
static bool piece_of(struct ssi_slice list, uint32_t n, struct ssi_slice *ret)
{
    struct ssi_cursor c = ssi_cursor_of(list);

    *ret = ssi_cursor_take_until(&c, '|');
    while (n > 0 && ssi_cursor_take(&c, '|')) {
        *ret = ssi_cursor_take_until(&c, '|');
        n--;
    }
    return n == 0;
}

static uint32_t count_pieces(struct ssi_slice list)
{
    uint32_t n = 1;

    for (size_t i = 0; i < list.len; i++)
        n += list.p[i] == '|';
    return n;
}

/* The n-th choice out of a line; false when it names what is not there. */
static bool choose(const struct ssi_sdp *sdp, uint32_t media, const struct potential *p, uint32_t n,
                   struct ssi_capneg *ret)
{
    uint32_t n_attrs = count_pieces(p->attrs);
    struct ssi_slice transport, attrs;

    *ret = (struct ssi_capneg){.number = p->number, .drop = p->drop};
    ret->profile = sdp->media[media].profile;
    if (!piece_of(p->transports, n / n_attrs, &transport) ||
        !piece_of(p->attrs, n % n_attrs, &attrs))
        return false;
    if (attrs.len > 0)
        ret->attrs = attrs;
    if (p->transports.len == 0)
        return true;
    struct ssi_cursor c = ssi_cursor_of(transport);
    return take_number(&c, &ret->transport) && ssi_cursor_at_end(&c) &&
           find_transport(sdp, media, ret->transport, &ret->profile);
}

bool ssi_capneg_next(const struct ssi_sdp *sdp, uint32_t media, uint32_t *at,
                     struct ssi_capneg *ret)
{
    struct potential p;
    uint32_t above = 0, before = 0;

    while (*at < SSI_CAPNEG_TRIES_MAX && next_potential(sdp, media, above, &p)) {
        uint32_t n = count_pieces(p.transports) * count_pieces(p.attrs);
        while (*at < SSI_CAPNEG_TRIES_MAX && *at - before < n)
            if (choose(sdp, media, &p, (*at)++ - before, ret))
                return true;
        before += n;
        above = p.number;
    }
    return false;
}

/* ---- attributes: "a=acap:1 crypto:1 AES_CM_128_HMAC_SHA1_80 inline:..." (RFC 5939 3.4.1) */
/* Those of the session are not looked at: one key there would serve every media line. */
static bool find_attribute(const struct ssi_sdp *sdp, uint32_t media, uint32_t number,
                           struct ssi_slice *ret)
{
    struct ssi_slice value;
    uint32_t at = 0, n;

    while (ssi_sdp_attr(sdp, (int)media, SSI_LIT("acap"), &at, &value)) {
        struct ssi_cursor c = ssi_cursor_of(value);
        if (take_number(&c, &n) && n == number && take_blanks(&c)) {
            *ret = ssi_cursor_rest(&c);
            return true;
        }
    }
    return false;
}

/* What stands behind "crypto:" of an attribute. */
static bool crypto_of(struct ssi_slice attribute, struct ssi_slice *ret)
{
    struct ssi_cursor c = ssi_cursor_of(attribute);

    if (!ssi_cursor_take_lit(&c, crypto_name) || !ssi_cursor_take(&c, ':'))
        return false;
    *ret = ssi_cursor_rest(&c);
    return true;
}

struct collect {
    const struct ssi_sdp *sdp;
    uint32_t media;
    uint32_t allow;
    struct ssi_sdes_line *lines;
    struct ssi_capneg *config;
    uint32_t n;
};

static secsip_result add(struct collect *c, struct ssi_slice value)
{
    if (c->n == SSI_SDES_LINES_MAX)
        return SECSIP_E_LIMIT;
    ssi_sdes_parse_allowing(value, c->allow, &c->lines[c->n++]);
    return 0;
}

static secsip_result add_capability(struct collect *c, uint32_t number, bool optional)
{
    struct ssi_slice attribute, value;

    if (find_attribute(c->sdp, c->media, number, &attribute) && crypto_of(attribute, &value)) {
        secsip_result r = add(c, value);
        if (r == 0 && optional)
            c->config->optional[c->config->n_optional++] = number;
        return r;
    }
    /* 3.5.1: a mandatory one that is missing, or nothing that is done here */
    return optional ? 0 : SECSIP_E_SDP_SYNTAX;
}

/* "1,2,[3,4]"; *ret_mandatory is what stands before the bracket. */
static secsip_result add_capabilities(struct collect *out, struct ssi_slice attrs,
                                      struct ssi_slice *ret_mandatory)
{
    struct ssi_cursor c = ssi_cursor_of(attrs);
    bool optional = ssi_cursor_take(&c, '[');
    uint32_t number, n_named = 0;

    *ret_mandatory = optional ? ssi_slice_of(NULL, 0) : attrs;
    for (;;) {
        if (!take_number(&c, &number))
            return SECSIP_E_SDP_SYNTAX;
        if (n_named++ == SSI_CAPNEG_ATTRS_MAX)
            return SECSIP_E_LIMIT;
        secsip_result r = add_capability(out, number, optional);
        if (r < 0)
            return r;
        if (optional && ssi_cursor_take(&c, ']'))
            break;
        if (ssi_cursor_at_end(&c) && !optional)
            break;
        size_t len = ssi_cursor_offset(&c);
        if (!ssi_cursor_take(&c, ','))
            return SECSIP_E_SDP_SYNTAX;
        if (!optional && ssi_cursor_take(&c, '[')) {
            optional = true;
            ret_mandatory->len = len;
        }
    }
    return ssi_cursor_at_end(&c) ? 0 : SECSIP_E_SDP_SYNTAX;
}

/* A line beyond the limit is not used, as if it were not usable; its tag makes another one of that tag so, too. */
static void pass_over(struct collect *c, struct ssi_slice value)
{
    struct ssi_sdes_line line;

    ssi_sdes_parse_allowing(value, c->allow, &line);
    for (uint32_t i = 0; i < c->n && line.suite_text.len > 0; i++)
        if (c->lines[i].suite_text.len > 0 && c->lines[i].tag == line.tag)
            ssi_sdes_refuse(&c->lines[i], SECSIP_E_SDES_TAG, "the tag stands twice");
    ssi_sdes_line_wipe(&line);
}

secsip_result ssi_capneg_collect(const struct ssi_sdp *sdp, uint32_t media,
                                 struct ssi_capneg *config, uint32_t allow,
                                 struct ssi_sdes_line *lines, uint32_t *ret_n)
{
    struct ssi_slice mandatory;
    struct collect c = {
        .sdp = sdp, .media = media, .allow = allow, .lines = lines, .config = config};
    bool drop_media = config->drop.len > 1 && config->drop.p[1] == 'm';
    struct ssi_slice value;
    uint32_t at = 0;
    secsip_result r = 0;

    while (!drop_media && ssi_sdp_attr(sdp, (int)media, crypto_name, &at, &value)) {
        if (c.n == SSI_SDES_LINES_MAX)
            pass_over(&c, value);
        else
            add(&c, value);
    }
    if (r == 0 && config->attrs.p) {
        r = add_capabilities(&c, config->attrs, &mandatory);
        if (r == 0)
            config->attrs = mandatory;
    }
    *ret_n = c.n;
    if (r == 0)
        ssi_sdes_cross_check(lines, c.n);
    return r;
}

bool ssi_capneg_any_crypto(const struct ssi_sdp *sdp, uint32_t media, uint32_t *at,
                           struct ssi_slice *ret_value)
{
    const struct ssi_sdp_media *m = &sdp->media[media];

    for (uint32_t i = *at > m->first_line ? *at : m->first_line; i < m->end_line; i++) {
        struct ssi_cursor c = ssi_cursor_of(sdp->lines[i].value);
        uint32_t number;
        if (sdp->lines[i].type != 'a')
            continue;
        if (ssi_cursor_take_lit(&c, SSI_LIT("acap:")) &&
            !(take_number(&c, &number) && take_blanks(&c)))
            continue;
        if (crypto_of(ssi_cursor_rest(&c), ret_value)) {
            *at = i + 1;
            return true;
        }
    }
    *at = m->end_line;
    return false;
}

/* ---- a=creq */
static bool can_in(const struct ssi_sdp *sdp, int media)
{
    struct ssi_slice value;
    uint32_t at = 0;

    while (ssi_sdp_attr(sdp, media, SSI_LIT("creq"), &at, &value)) {
        struct ssi_cursor c = ssi_cursor_of(value);
        while (!ssi_cursor_at_end(&c)) {
            if (!ssi_slice_eq(ssi_slice_trim(ssi_cursor_take_until(&c, ',')), SSI_LIT("cap-v0")))
                return false;
            ssi_cursor_take(&c, ',');
        }
    }
    return true;
}

bool ssi_capneg_can(const struct ssi_sdp *sdp, uint32_t media)
{
    return can_in(sdp, -1) && can_in(sdp, (int)media);
}

/* ---- a=acfg (RFC 5939 3.5.2) */
void ssi_capneg_put_actual(struct ssi_buf *b, const struct ssi_capneg *config)
{
    if (config->number == 0)
        return;
    ssi_buf_put_str(b, "a=acfg:");
    ssi_buf_put_u64(b, config->number);
    if (config->transport > 0) {
        ssi_buf_put_str(b, " t=");
        ssi_buf_put_u64(b, config->transport);
    }
    bool named = config->attrs.p || config->n_optional > 0;
    if (config->drop.len > 0 || named) {
        ssi_buf_put_str(b, " a=");
        ssi_buf_put_slice(b, config->drop);
        if (config->drop.len > 0 && named)
            ssi_buf_put_char(b, ':');
        ssi_buf_put_slice(b, config->attrs);
    }
    for (uint32_t i = 0; i < config->n_optional; i++) {
        ssi_buf_put_str(b, i > 0 ? "," : config->attrs.p ? ",[" : "[");
        ssi_buf_put_u64(b, config->optional[i]);
    }
    ssi_buf_put_str(b, config->n_optional > 0 ? "]\r\n" : "\r\n");
}

bool ssi_capneg_actual(const struct ssi_sdp *sdp, uint32_t media, struct ssi_capneg *ret,
                       bool *ret_present)
{
    struct ssi_slice value;
    struct potential p;
    uint32_t at = 0;

    *ret_present = ssi_sdp_attr(sdp, (int)media, SSI_LIT("acfg"), &at, &value);
    if (!*ret_present || !read_potential(value, &p))
        return false;
    *ret = (struct ssi_capneg){.number = p.number, .drop = p.drop};
    ret->profile = sdp->media[media].profile;
    if (p.attrs.len > 0)
        ret->attrs = p.attrs;
    if (p.transports.len == 0)
        return true;
    struct ssi_cursor c = ssi_cursor_of(p.transports);
    return take_number(&c, &ret->transport) && ssi_cursor_at_end(&c);
}
