/* The parser of session descriptions, see sdp.h. Layer: sdp. Two passes over the text: the first counts and bounds, so
 * that one allocation holds everything; the second reads line by line in the order of RFC 8866 section 5. */
#include "sdp/sdp.h"

#include <stdlib.h>

#include "base/crypto.h"
#include "sdp/line.h"

enum {
    DEFAULT_BYTES = 65536,
    DEFAULT_LINES = 1024,
    DEFAULT_MEDIA = 32,
    DEFAULT_FORMATS = 256,
};

/* Where a letter stands among the lines of its section (RFC 8866 5), 0: nowhere. A letter of `repeats` may
 * stand more than once. */
struct order {
    const char *letters;
    const char *repeats;
};

static const struct order session_order = {"vosiuepcbtrzka", "epbtra"};
static const struct order media_order = {"micbka", "cba"};

struct parser {
    struct ssi_sdp *s;
    struct ssi_sdp_limits limits;
    struct ssi_sdp_fault fault;
    const struct order *order;
    const char *place; /* in order->letters: the line before */
    bool has_time;
};

static bool fail(struct parser *p, secsip_result result, size_t offset, const char *text)
{
    p->fault = (struct ssi_sdp_fault){result, offset, text};
    return false;
}

static size_t offset_of(const struct parser *p, const char *at)
{
    return (size_t)(at - p->s->text);
}

/* ---- Counting */
struct count {
    uint32_t lines;
    uint32_t media;
};

static bool count_lines(struct parser *p, struct ssi_slice text, struct count *ret)
{
    const char *at = text.p;
    const char *end = text.p + text.len;

    *ret = (struct count){0, 0};
    while (at < end) {
        if (++ret->lines > p->limits.lines)
            return fail(p, SECSIP_E_SDP_LINES, (size_t)(at - text.p), "more lines than the limit");
        if (*at == 'm' && ++ret->media > p->limits.media)
            return fail(p, SECSIP_E_SDP_MEDIA_COUNT, (size_t)(at - text.p),
                        "more m= lines than the limit");
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        at = lf ? lf + 1 : end;
    }
    return true;
}

static struct ssi_sdp *allocate(struct ssi_slice text, const struct count *n)
{
    size_t lines = n->lines * sizeof(struct ssi_sdp_line);
    size_t media = n->media * sizeof(struct ssi_sdp_media);
    struct ssi_sdp *s = malloc(sizeof *s + lines + media + text.len + 1);

    if (!s)
        return NULL;
    memset(s, 0, sizeof *s);
    s->lines = (struct ssi_sdp_line *)(void *)(s + 1);
    s->media = (struct ssi_sdp_media *)(void *)((char *)(s + 1) + lines);
    s->text = (char *)(s + 1) + lines + media;
    s->text_len = text.len;
    if (text.len > 0)
        memcpy(s->text, text.p, text.len);
    s->text[text.len] = 0;
    return s;
}

/* ---- Reading */
/* Cuts the line at `at` out of the text: its letter, its value, and where the next one starts. */
static bool cut_line(struct parser *p, const char *at, struct ssi_sdp_line *ret,
                     const char **ret_next)
{
    const char *end = p->s->text + p->s->text_len;
    const char *lf = memchr(at, '\n', (size_t)(end - at));
    size_t len = (size_t)((lf ? lf : end) - at);

    *ret_next = lf ? lf + 1 : end;
    if (lf && len > 0 && at[len - 1] == '\r')
        len--;
    const char *cr = memchr(at, '\r', len);
    if (cr)
        return fail(p, SECSIP_E_SDP_SYNTAX, offset_of(p, cr), "CR inside a line");
    if (len < 2 || at[1] != '=')
        return fail(p, SECSIP_E_SDP_SYNTAX, offset_of(p, at), "a line that is not \"x=value\"");
    ret->type = at[0];
    ret->value = ssi_slice_of(at + 2, len - 2);
    return true;
}

static bool has_line(const char *at, const char *end, char type)
{
    while (end - at >= 2) {
        if (at[0] == type && at[1] == '=')
            return true;
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        if (!lf)
            return false;
        at = lf + 1;
    }
    return false;
}

/* Another line than the one that must come: is that one only displaced, or not there at all? */
static bool fail_required(struct parser *p, const char *at, char wanted)
{
    const char *text = wanted == 'v'   ? "v= is missing"
                       : wanted == 'o' ? "o= is missing"
                       : wanted == 's' ? "s= is missing"
                       : wanted == 't' ? "t= is missing"
                                       : "c= is missing";

    if (wanted != 'c' && has_line(at, p->s->text + p->s->text_len, wanted))
        return fail(p, SECSIP_E_SDP_ORDER, offset_of(p, at),
                    "a line before one that must come first");
    return fail(p, SECSIP_E_SDP_MISSING, offset_of(p, at), text);
}

/* v=, o=, s= are the first three lines, and t= stands before k=, a= and the first m= (RFC 8866 5). */
static bool check_required(struct parser *p, const char *at, char type)
{
    uint32_t n = p->s->n_lines;

    if (n < 3 && type != session_order.letters[n])
        return fail_required(p, at, session_order.letters[n]);
    if (p->order == &session_order && !p->has_time && (type == 'k' || type == 'a' || type == 'm'))
        return fail_required(p, at, 't');
    return true;
}

/* The letter may stand behind the one before it. */
static bool check_order(struct parser *p, const char *at, char type)
{
    if (!strchr("vosiuepcbtrzkam", type))
        /* RFC 8866 5: a description with a letter that is not understood is refused, whole. */
        return fail(p, SECSIP_E_SDP_SYNTAX, offset_of(p, at), "an unknown line letter");
    if (!check_required(p, at, type))
        return false;
    if (type == 'm') {
        p->order = &media_order;
        p->place = media_order.letters;
        return true;
    }
    const char *place = strchr(p->order->letters, type);
    bool again = place == p->place && strchr(p->order->repeats, type);
    /* Time descriptions repeat as a group: t= r= z= t= ... (RFC 8866 section 9). */
    bool next_time = type == 't' && strchr("rz", *p->place);
    bool no_time = (type == 'r' || type == 'z') && !p->has_time;
    if (!place || no_time || (place <= p->place && p->s->n_lines > 0 && !again && !next_time))
        return fail(p, SECSIP_E_SDP_ORDER, offset_of(p, at),
                    "a line out of order, or one too many");
    p->place = place;
    p->has_time = p->has_time || type == 't';
    return true;
}

static bool read_media(struct parser *p, struct ssi_slice value,
                       struct ssi_sdp_line_fault *ret_fault)
{
    struct ssi_sdp *s = p->s;
    struct ssi_sdp_media *m = &s->media[s->n_media];

    memset(m, 0, sizeof *m);
    if (!ssi_sdp_read_media(value, p->limits.formats, m, ret_fault))
        return false;
    m->first_line = s->n_lines;
    s->n_media++;
    return true;
}

/* The session's own address, or the first c= of a media line; further ones are only for layered multicast (5.7). */
static bool read_connection(struct parser *p, struct ssi_slice value,
                            struct ssi_sdp_line_fault *ret_fault)
{
    struct ssi_sdp *s = p->s;
    struct ssi_slice *to = s->n_media > 0 ? &s->media[s->n_media - 1].address : &s->address;
    struct ssi_slice address;

    if (!ssi_sdp_read_connection(value, &address, ret_fault))
        return false;
    if (to->len == 0)
        *to = address;
    return true;
}

static bool read_line(struct parser *p, const char *at, const char **ret_next)
{
    struct ssi_sdp *s = p->s;
    struct ssi_sdp_line *l = &s->lines[s->n_lines];
    struct ssi_sdp_line_fault f;
    bool ok;

    if (!cut_line(p, at, l, ret_next) || !check_order(p, at, l->type))
        return false;
    if (l->type == 'm')
        ok = read_media(p, l->value, &f);
    else if (l->type == 'o')
        ok = ssi_sdp_read_origin(l->value, s, &f);
    else if (l->type == 'c')
        ok = read_connection(p, l->value, &f);
    else
        ok = ssi_sdp_check_line(l->type, l->value, &f);
    if (!ok)
        return fail(p, f.result, offset_of(p, l->value.p) + f.at, f.text);
    s->text[offset_of(p, l->value.p) + l->value.len] = 0; /* on what was CR, LF or the spare byte */
    s->n_lines++;
    if (s->n_media > 0)
        s->media[s->n_media - 1].end_line = s->n_lines;
    return true;
}

/* What can only be known at the end: nothing required is missing, and every media line has an address. */
static bool finish(struct parser *p)
{
    struct ssi_sdp *s = p->s;
    const char *end = s->text + s->text_len;

    if (s->n_lines < 3)
        return fail_required(p, end, session_order.letters[s->n_lines]);
    if (!p->has_time)
        return fail_required(p, end, 't');
    for (uint32_t i = 0; i < s->n_media; i++) {
        struct ssi_sdp_media *m = &s->media[i];
        if (m->address.len == 0)
            m->address = s->address;
        /* RFC 8866 5.7 wants c= somewhere; a refused media line (port 0) has no use for one. */
        if (m->address.len == 0 && m->port > 0)
            return fail_required(p, s->lines[m->first_line].value.p - 2, 'c');
    }
    return true;
}

static bool read_all(struct parser *p)
{
    const char *at = p->s->text;
    const char *end = at + p->s->text_len;
    const char *nul = p->s->text_len > 0 ? memchr(at, 0, p->s->text_len) : NULL;

    if (nul)
        return fail(p, SECSIP_E_SDP_SYNTAX, offset_of(p, nul), "NUL in the text");
    while (at < end)
        if (!read_line(p, at, &at))
            return false;
    return finish(p);
}

static uint32_t limit_or(uint32_t given, uint32_t standard)
{
    return given > 0 ? given : standard;
}

static void start(struct parser *p, const struct ssi_sdp_limits *limits)
{
    static const struct ssi_sdp_limits none;

    memset(p, 0, sizeof *p);
    if (!limits)
        limits = &none;
    p->limits.bytes = limit_or(limits->bytes, DEFAULT_BYTES);
    p->limits.lines = limit_or(limits->lines, DEFAULT_LINES);
    p->limits.media = limit_or(limits->media, DEFAULT_MEDIA);
    p->limits.formats = limit_or(limits->formats, DEFAULT_FORMATS);
    p->order = &session_order;
    p->place = session_order.letters;
}

secsip_result ssi_sdp_parse(struct ssi_slice text, const struct ssi_sdp_limits *limits,
                            struct ssi_sdp_fault *ret_fault, struct ssi_sdp **ret)
{
    struct parser p;
    struct count n;

    start(&p, limits);
    if (text.len > p.limits.bytes)
        fail(&p, SECSIP_E_SDP_TOO_LARGE, p.limits.bytes, "more bytes than the limit");
    else if (count_lines(&p, text, &n) && !(p.s = allocate(text, &n)))
        fail(&p, SECSIP_E_NOMEM, 0, "out of memory");
    if (p.s && read_all(&p)) {
        *ret = p.s;
        return 0;
    }
    ssi_sdp_free(p.s);
    if (ret_fault)
        *ret_fault = p.fault;
    return p.fault.result;
}

void ssi_sdp_free(struct ssi_sdp *s)
{
    if (!s)
        return;
    ssi_wipe(s->text, s->text_len); /* it may hold a=crypto */
    free(s);
}
