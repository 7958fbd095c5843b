/* Step one on a message, see scan.h. Layer: sip. Line ends are CR LF and nothing else; NUL and other control bytes are
 * refused unless they are quoted-pairs inside a quoted string (RFC 3261 25.1): a reader downstream that splits lines
 * otherwise must never see another message than we did. */
#include "sip/scan.h"

#include <stdlib.h>

#include "sip/bytes.h"
#include "sip/names.h"
#include "sip/read.h"

static secsip_result refuse(const struct ssi_sip_scan *s, struct ssi_sip_fault *fault,
                            secsip_result why, const char *at, const char *text)
{
    *fault = (struct ssi_sip_fault){.result = why,
                                    .offset = (size_t)(at - s->data),
                                    .text = text,
                                    .status = s->looks_like_request ? 400 : 0};
    if (why == SECSIP_E_SIP_TOO_LARGE && s->looks_like_request)
        fault->status = 513;
    return why;
}

/* A value with control bytes other than TAB: each must be a quoted-pair. */
static const char *find_bare_control(const char *p, const char *end)
{
    bool quoted = false;

    for (; p < end; p++) {
        if (*p == '"') {
            quoted = !quoted;
        } else if (quoted && *p == '\\' && end - p >= 2 && p[1] != '\r' && p[1] != '\n') {
            p++;
        } else if ((unsigned char)*p < 0x20 && *p != '\t' && *p != '\r' && *p != '\n') {
            return p;
        }
    }
    return NULL;
}

/* Most lines: CR LF is the first control byte and no fold follows. NULL for all others. */
static inline const char *find_plain_end(const char *p, const char *end)
{
    p = ssi_sip_find_control(p, end);
    return end - p >= 3 && p[0] == '\r' && p[1] == '\n' && p[2] != ' ' && p[2] != '\t' ? p : NULL;
}

/* Takes p to the CR LF that ends the line which starts (or goes on) at p; folds are part of it when `folds`. */
static secsip_result find_line_end(const struct ssi_sip_scan *s, const char *from, bool folds,
                                   const char **ret_end, struct ssi_sip_fault *fault)
{
    const char *end = s->data + s->len;
    const char *p = from;
    bool controls = false;

    for (;;) {
        p = ssi_sip_find_control(p, end);
        if (p == end)
            return SECSIP_E_AGAIN;
        if (*p == '\r') {
            if (end - p < 2)
                return SECSIP_E_AGAIN;
            if (p[1] != '\n')
                return refuse(s, fault, SECSIP_E_SIP_SYNTAX, p, "LF after CR");
            if (!folds)
                break;
            if (end - p < 3)
                return SECSIP_E_AGAIN;
            if (p[2] != ' ' && p[2] != '\t')
                break;
            p += 3;
            continue;
        }
        if (*p == '\n')
            return refuse(s, fault, SECSIP_E_SIP_SYNTAX, p, "CR before LF");
        controls |= *p != '\t';
        p++;
    }
    const char *bad = !controls ? NULL : folds ? find_bare_control(from, p) : from;
    if (bad)
        return refuse(s, fault, SECSIP_E_SIP_SYNTAX, bad,
                      "no control bytes outside of quoted strings");
    *ret_end = p;
    return 0;
}

/* Where the next line goes; it counts from s->n_lines++ on. */
static struct ssi_sip_line *room_for_line(struct ssi_sip_scan *s)
{
    if (s->n_lines == s->cap_lines) {
        uint32_t cap = s->cap_lines * 4; /* once is enough within the default limit */
        struct ssi_sip_line *more = malloc(cap * sizeof *more);
        if (!more)
            return NULL;
        memcpy(more, s->lines, s->n_lines * sizeof *more);
        if (s->lines != s->fixed)
            free(s->lines);
        s->lines = more;
        s->cap_lines = cap;
    }
    return &s->lines[s->n_lines];
}

/* Content-Length frames the message, so it is read here: one line, digits only (RFC 3261 20.14). */
static void note_length(struct ssi_sip_scan *s, const struct ssi_sip_line *line)
{
    struct ssi_slice value = ssi_slice_of(s->data + line->value, line->value_len);
    uint64_t n = 0;

    if (s->length_bad.result < 0)
        return;
    if (s->has_length)
        refuse(s, &s->length_bad, SECSIP_E_SIP_CONTENT_LENGTH, s->data + line->name,
               "one Content-Length");
    else if (!ssi_slice_to_u64(value, UINT32_MAX, &n))
        refuse(s, &s->length_bad, SECSIP_E_SIP_CONTENT_LENGTH, value.p,
               "Content-Length as a decimal number that fits");
    s->has_length = true;
    s->body_len = (size_t)n;
}

/* The name of a header field: a token and blanks before ':'. Nearly every name is known and has its ':' behind it, then
 * it is a token. */
static secsip_result scan_name(const struct ssi_sip_scan *s, const char *name,
                               struct ssi_sip_line *line, const char **ret_colon,
                               struct ssi_sip_fault *fault)
{
    const char *end = s->data + s->len;
    const char *p = ssi_sip_find_colon_16(name, end);

    if (p) {
        line->name_len = (uint32_t)(p - name);
        line->id = (uint32_t)ssi_sip_hdr_of(ssi_slice_of(name, line->name_len));
    }
    if (!p || line->id == SSI_HDR_OTHER) {
        p = ssi_sip_skip(name, end, end, SSI_CH_TOKEN);
        line->name_len = (uint32_t)(p - name);
        line->id = (uint32_t)ssi_sip_hdr_of(ssi_slice_of(name, line->name_len));
        while (p < end && (*p == ' ' || *p == '\t'))
            p++;
        if (p == end)
            return SECSIP_E_AGAIN;
        if (line->name_len == 0 || *p != ':')
            return refuse(s, fault, SECSIP_E_SIP_HEADER, p, "the name of a header field and ':'");
    }
    *ret_colon = p;
    return 0;
}

/* One header field: name, ':', value. name is its first byte; *next is set behind its CR LF. */
static secsip_result scan_header(struct ssi_sip_scan *s, const char *name, const char **next,
                                 struct ssi_sip_fault *fault)
{
    const char *p, *line_end;
    struct ssi_sip_line *line = room_for_line(s);

    if (!line)
        return SECSIP_E_NOMEM;
    secsip_result rc = scan_name(s, name, line, &p, fault);
    if (rc < 0)
        return rc;
    p++;
    line_end = find_plain_end(p, s->data + s->len);
    if (!line_end) {
        rc = find_line_end(s, p, true, &line_end, fault);
        if (rc < 0)
            return rc;
    }
    *next = line_end + 2;
    /* CR and LF stand in a value only as part of a fold, so at its ends they are white space too. */
    while (p < line_end && (unsigned char)*p <= ' ' && *p)
        p++;
    while (line_end > p && (unsigned char)line_end[-1] <= ' ' && line_end[-1])
        line_end--;
    if ((size_t)(line_end - p) > s->limits.value_bytes)
        return refuse(s, fault, SECSIP_E_SIP_TOO_LARGE, p, "a shorter header field value");
    if (s->n_lines == s->limits.header_lines)
        return refuse(s, fault, SECSIP_E_SIP_TOO_LARGE, name, "fewer header fields");
    line->name = (uint32_t)(name - s->data);
    line->value = (uint32_t)(p - s->data);
    line->value_len = (uint32_t)(line_end - p);
    s->n_lines++;
    if (line->id == SSI_HDR_CONTENT_LENGTH)
        note_length(s, line);
    return 0;
}

static secsip_result scan_start_line(struct ssi_sip_scan *s, const char **next,
                                     struct ssi_sip_fault *fault)
{
    const char *end = s->data + s->len;
    const char *p = s->data;
    const char *line_end;

    while (p < end && ssi_sip_is(*p, SSI_CH_TOKEN))
        p++;
    if (p == end)
        return SECSIP_E_AGAIN;
    s->is_response =
        *p == '/' && p - s->data == 3 && ssi_slice_ieq(ssi_slice_of(s->data, 3), SSI_LIT("SIP"));
    s->looks_like_request = *p == ' ' && p > s->data;
    if (!s->is_response && !s->looks_like_request)
        return refuse(s, fault, SECSIP_E_SIP_START_LINE, p, "a method and a space, or SIP/2.0");
    secsip_result rc = find_line_end(s, p, false, &line_end, fault);
    if (rc < 0)
        return rc;
    s->start_len = (uint32_t)(line_end - s->data);
    *next = line_end + 2;
    return 0;
}

secsip_result ssi_sip_scan(struct ssi_sip_scan *s, const char *data, size_t len,
                           const struct ssi_sip_limits *limits, struct ssi_sip_fault *fault)
{
    const char *end = data + len;
    const char *p;

    s->data = data;
    s->len = len;
    s->limits = *limits;
    s->lines = s->fixed;
    s->n_lines = 0;
    s->cap_lines = SSI_SIP_LINES_INLINE;
    s->start_len = s->head_len = 0;
    s->is_response = s->looks_like_request = s->has_length = false;
    s->body_len = 0;
    s->length_bad = (struct ssi_sip_fault){0};

    secsip_result rc = scan_start_line(s, &p, fault);
    while (rc == 0) {
        if (end - p >= 2 && p[0] == '\r' && p[1] == '\n') {
            s->head_len = (uint32_t)(p + 2 - data);
            return 0;
        }
        if (end - p < 2 && (p == end || *p == '\r'))
            return SECSIP_E_AGAIN;
        rc = scan_header(s, p, &p, fault);
    }
    return rc;
}

void ssi_sip_scan_free(struct ssi_sip_scan *s)
{
    if (s->lines != s->fixed)
        free(s->lines);
    s->lines = s->fixed;
}
