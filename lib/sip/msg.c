/* Step two on a message: one block that holds the structure, the header index and the bytes, and the typed fields that
 * every message needs, checked. See msg.h for the contract, scan.h for step one. Layer: sip.
 * What is wrong with a request is noted in m->fault (the first wins), and fields that cannot be read are left empty: an
 * answer copies their lines as they came (RFC 4475 3.1.2, 3.3.1). */
#include "sip/msg.h"

#include <stdlib.h>

#include "base/crypto.h"
#include "sip/names.h"
#include "sip/read.h"
#include "sip/scan.h"

/* The public part first: a message is its box. */
struct box {
    struct ssi_sip_msg m;
    /* The first elements of Contact, Route and Record-Route, which nearly every reader wants; whole.p NULL: none. */
    struct ssi_sip_addr contact, route, record_route;
    size_t n_bytes;
    char *bytes;
    uint16_t first[SSI_HDR_COUNT]; /* index + 1 of the first line of each header field */
    uint16_t last[SSI_HDR_COUNT];  /* and of the last */
    struct ssi_sip_header headers[];
};

/* A message in the making. */
struct build {
    struct box *box;
    struct ssi_sip_msg *m;
    const struct ssi_sip_limits *limits;
    bool star; /* Contact: * was seen */
    bool other_contact;
    uint32_t elements[4]; /* of Via, Contact, Route, Record-Route */
};

static void note(struct build *b, secsip_result why, const char *at, const char *text, int status)
{
    struct ssi_sip_fault *f = &b->m->fault;

    if (f->result < 0)
        return;
    f->result = why;
    f->offset = (size_t)(at - b->box->bytes);
    f->text = text;
    f->status = b->m->is_request ? status : 0;
}

static struct ssi_sip_reader reader_of(const struct build *b, struct ssi_slice s)
{
    return (struct ssi_sip_reader){.p = s.p,
                                   .end = s.p + s.len,
                                   .readable = b->box->bytes + b->box->n_bytes,
                                   .expected = "",
                                   .max_params = b->limits->params,
                                   .max_uri = b->limits->uri_bytes};
}

static void note_reader(struct build *b, const struct ssi_sip_reader *r, secsip_result why)
{
    note(b, r->too_large ? SECSIP_E_SIP_TOO_LARGE : why, r->p, r->expected, 400);
}

static bool is_sip_2_0(const char *p)
{
    /* The version is case-insensitive (RFC 3261 7.1). */
    return memcmp(p, "SIP/2.0", 7) == 0 || ssi_slice_ieq(ssi_slice_of(p, 7), SSI_LIT("SIP/2.0"));
}

static void parse_request_uri(struct build *b, struct ssi_slice text)
{
    struct ssi_sip_reader r = reader_of(b, text);

    if (!ssi_sip_read_uri(&r, false, &b->m->uri)) {
        note(b, r.too_large ? SECSIP_E_SIP_TOO_LARGE : SECSIP_E_SIP_URI, r.p, r.expected,
             r.too_large ? 414 : 400);
    } else if (r.p != r.end) {
        note(b, SECSIP_E_SIP_URI, r.p, "one URI between single spaces", 400);
    } else if (b->m->uri.headers.len > 0) {
        note(b, SECSIP_E_SIP_URI, b->m->uri.headers.p,
             "a Request-URI without headers (RFC 3261 19.1.1)", 400);
    } else {
        return;
    }
    memset(&b->m->uri, 0, sizeof b->m->uri);
}

/* "SIP/" digits "." digits: a version, though not ours. */
static bool is_other_version(struct ssi_slice s)
{
    struct ssi_sip_reader r = ssi_sip_reader_of(s);

    if (s.len < 5 || !ssi_slice_ieq(ssi_slice_of(s.p, 4), SSI_LIT("SIP/")))
        return false;
    r.p += 4;
    if (ssi_sip_run(&r, SSI_CH_DIGIT).len == 0 || !ssi_sip_next_is(&r, '.'))
        return false;
    r.p++;
    return ssi_sip_run(&r, SSI_CH_DIGIT).len > 0 && r.p == r.end;
}

/* Method SP Request-URI SP SIP-Version; the scanner has seen the method and its space. */
static void parse_request_line(struct build *b, struct ssi_slice line)
{
    const char *end = line.p + line.len;
    size_t method_len = ssi_slice_find(line, ' ');

    b->m->method_text = ssi_slice_of(line.p, method_len);
    b->m->method = ssi_sip_method_of(b->m->method_text);
    const char *uri = line.p + method_len + 1;
    const char *space = end;
    while (space > uri && space[-1] != ' ')
        space--;
    if (space == uri || !(end - space == 7 && is_sip_2_0(space))) {
        if (space > uri && is_other_version(ssi_slice_of(space, (size_t)(end - space))))
            note(b, SECSIP_E_SIP_VERSION, space, "SIP/2.0", 505);
        else
            note(b, SECSIP_E_SIP_START_LINE, space, "SIP/2.0 at the end of the request line", 400);
        return;
    }
    parse_request_uri(b, ssi_slice_of(uri, (size_t)(space - 1 - uri)));
}

/* SIP-Version SP 3DIGIT SP Reason-Phrase. */
static void parse_status_line(struct build *b, struct ssi_slice line)
{
    struct ssi_slice rest = ssi_slice_from(line, 8);
    uint64_t status = 0;

    if (line.len < 8 || !is_sip_2_0(line.p) || line.p[7] != ' ') {
        note(b, SECSIP_E_SIP_VERSION, line.p, "SIP/2.0 and a space", 0);
        return;
    }
    size_t n = ssi_slice_find(rest, ' ');
    if (n != 3 || !ssi_slice_to_u64(ssi_slice_of(rest.p, 3), 699, &status) || status < 100) {
        note(b, SECSIP_E_SIP_STATUS, rest.p, "a status code from 100 to 699", 0);
        return;
    }
    if (rest.len < 4) {
        note(b, SECSIP_E_SIP_START_LINE, rest.p + 3, "a space after the status code", 0);
        return;
    }
    b->m->status = (int)status;
    b->m->reason = ssi_slice_from(rest, 4);
}

/* 1*DIGIT LWS Method (RFC 3261 20.16); the number is below 2^31 (8.1.1.5). */
static void parse_cseq(struct build *b, const struct ssi_sip_header *h)
{
    struct ssi_sip_msg *m = b->m;
    struct ssi_sip_reader r = reader_of(b, h->value);
    uint64_t number = 0;

    if (!ssi_sip_read_number(&r, INT32_MAX, &number)) {
        note(b, SECSIP_E_SIP_CSEQ, r.p, "a sequence number below 2^31", 400);
        return;
    }
    const char *after = r.p;
    ssi_sip_skip_ws(&r);
    struct ssi_slice method = ssi_sip_run(&r, SSI_CH_TOKEN);
    if (after + method.len == r.p || method.len == 0 || r.p != r.end) {
        note(b, SECSIP_E_SIP_CSEQ, r.p, "a sequence number, white space and a method", 400);
        return;
    }
    m->cseq = (uint32_t)number;
    if (!m->is_request) {
        m->method_text = method;
        m->method = ssi_sip_method_of(method);
    } else if (!ssi_slice_eq(m->method_text, method)) {
        /* RFC 4475 3.1.2.17 and 3.1.2.18: an unknown method is told from a mismatch. */
        note(b, SECSIP_E_SIP_CSEQ, method.p, "the method of the request line in CSeq",
             m->method == SSI_SIP_UNKNOWN_METHOD ? 501 : 400);
    }
}

static void parse_call_id(struct build *b, const struct ssi_sip_header *h)
{
    struct ssi_sip_reader r = reader_of(b, h->value);

    if (!ssi_sip_read_call_id(&r) || r.p != r.end) {
        note(b, SECSIP_E_SIP_HEADER, r.p, "a Call-ID", 400);
        return;
    }
    b->m->call_id = h->value;
}

static void parse_party(struct build *b, const struct ssi_sip_header *h, struct ssi_sip_addr *into)
{
    struct ssi_sip_reader r = reader_of(b, h->value);

    if (ssi_sip_read_addr(&r, into) && r.p == r.end && !into->is_star)
        return;
    if (r.p == r.end || *r.p == ',' || into->is_star)
        r.expected = r.expected[0] ? r.expected : "one address";
    note_reader(b, &r, SECSIP_E_SIP_ADDRESS);
    memset(into, 0, sizeof *into);
}

static bool count_element(struct build *b, struct ssi_sip_reader *r, uint32_t *count)
{
    if (++*count <= b->limits->elements)
        return true;
    r->too_large = true;
    return ssi_sip_wrong(r, "fewer elements");
}

/* The comma between two elements of a list; what follows it must be an element. */
static bool take_comma(struct ssi_sip_reader *r)
{
    if (r->p == r->end)
        return false;
    r->p++;
    return true;
}

static void parse_vias(struct build *b, const struct ssi_sip_header *h)
{
    struct ssi_sip_reader r = reader_of(b, h->value);
    struct ssi_sip_via below;

    do {
        bool is_top = b->elements[0] == 0;
        struct ssi_sip_via *via = is_top ? &b->m->via : &below;
        if (!count_element(b, &r, &b->elements[0]) || !ssi_sip_read_via(&r, via)) {
            if (is_top)
                memset(via, 0, sizeof *via);
            note_reader(b, &r, SECSIP_E_SIP_VIA);
            return;
        }
    } while (take_comma(&r));
}

/* Contact, Route and Record-Route are checked in full, because dialogs and proxies build on them. */
static void parse_addrs(struct build *b, const struct ssi_sip_header *h, uint32_t *count,
                        struct ssi_sip_addr *first)
{
    struct ssi_sip_reader r = reader_of(b, h->value);
    struct ssi_sip_addr below;

    do {
        struct ssi_sip_addr *into = *count == 0 ? first : &below;
        if (!count_element(b, &r, count) || !ssi_sip_read_addr(&r, into)) {
            first->whole.p = NULL;
            note_reader(b, &r, SECSIP_E_SIP_ADDRESS);
            return;
        }
        if (h->id == SSI_HDR_CONTACT && into->is_star)
            b->star = true;
        else if (h->id == SSI_HDR_CONTACT)
            b->other_contact = true;
        else if (into->is_star)
            note(b, SECSIP_E_SIP_ADDRESS, into->whole.p, "a URI in angle brackets", 400);
    } while (take_comma(&r));
    if (b->star && (b->other_contact || b->m->method != SSI_SIP_REGISTER || *count > 1))
        note(b, SECSIP_E_SIP_ADDRESS, h->value.p, "'*' alone, and only in REGISTER", 400);
}

static void parse_max_forwards(struct build *b, const struct ssi_sip_header *h)
{
    uint64_t n;

    if (ssi_slice_to_u64(h->value, 255, &n))
        b->m->max_forwards = (int)n;
    else
        note(b, SECSIP_E_SIP_MAX_FORWARDS, h->value.p, "Max-Forwards from 0 to 255", 400);
}

/* Header fields of which a second line would let two readers see two messages. Content-Length is the scanner's. */
static bool stands_once(enum ssi_sip_hdr id)
{
    static const uint64_t once =
        1ULL << SSI_HDR_CALL_ID | 1ULL << SSI_HDR_CSEQ | 1ULL << SSI_HDR_FROM | 1ULL << SSI_HDR_TO |
        1ULL << SSI_HDR_MAX_FORWARDS | 1ULL << SSI_HDR_CONTENT_TYPE |
        1ULL << SSI_HDR_CONTENT_DISPOSITION | 1ULL << SSI_HDR_EVENT | 1ULL << SSI_HDR_EXPIRES |
        1ULL << SSI_HDR_MIN_EXPIRES | 1ULL << SSI_HDR_MIN_SE | 1ULL << SSI_HDR_RACK |
        1ULL << SSI_HDR_RSEQ | 1ULL << SSI_HDR_REFER_TO | 1ULL << SSI_HDR_REPLACES |
        1ULL << SSI_HDR_SESSION_EXPIRES | 1ULL << SSI_HDR_SUBSCRIPTION_STATE |
        1ULL << SSI_HDR_DATE | 1ULL << SSI_HDR_MIME_VERSION;
    _Static_assert(SSI_HDR_COUNT <= 64, "one bit per header field");
    return (once >> id) & 1;
}

static void parse_header(struct build *b, const struct ssi_sip_header *h)
{
    if (b->box->first[h->id] != 0 && stands_once(h->id)) {
        note(b, SECSIP_E_SIP_DUPLICATE, h->name.p, "this header field once", 400);
        return;
    }
    switch (h->id) {
    case SSI_HDR_VIA:
        parse_vias(b, h);
        break;
    case SSI_HDR_FROM:
        parse_party(b, h, &b->m->from);
        break;
    case SSI_HDR_TO:
        parse_party(b, h, &b->m->to);
        break;
    case SSI_HDR_CALL_ID:
        parse_call_id(b, h);
        break;
    case SSI_HDR_CSEQ:
        parse_cseq(b, h);
        break;
    case SSI_HDR_MAX_FORWARDS:
        parse_max_forwards(b, h);
        break;
    case SSI_HDR_CONTACT:
        parse_addrs(b, h, &b->elements[1], &b->box->contact);
        break;
    case SSI_HDR_ROUTE:
        parse_addrs(b, h, &b->elements[2], &b->box->route);
        break;
    case SSI_HDR_RECORD_ROUTE:
        parse_addrs(b, h, &b->elements[3], &b->box->record_route);
        break;
    default:
        break;
    }
}

static void require_fields(struct build *b)
{
    static const struct {
        enum ssi_sip_hdr id;
        const char *text;
    } required[] = {
        {SSI_HDR_VIA, "a Via"},         {SSI_HDR_FROM, "a From"}, {SSI_HDR_TO, "a To"},
        {SSI_HDR_CALL_ID, "a Call-ID"}, {SSI_HDR_CSEQ, "a CSeq"},
    };

    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++) {
        if (b->box->first[required[i].id] != 0)
            continue;
        note(b, SECSIP_E_SIP_MISSING, b->m->body.p, required[i].text, 400);
    }
}

static void parse_fields(struct build *b, const struct ssi_sip_scan *s)
{
    struct box *box = b->box;
    struct ssi_slice start = ssi_slice_of(box->bytes, s->start_len);

    if (s->is_response)
        parse_status_line(b, start);
    else
        parse_request_line(b, start);
    for (uint32_t i = 0; i < s->n_lines; i++) {
        const struct ssi_sip_line *line = &s->lines[i];
        struct ssi_sip_header *h = &box->headers[i];
        h->id = (enum ssi_sip_hdr)line->id;
        h->name = ssi_slice_of(box->bytes + line->name, line->name_len);
        h->value = ssi_slice_of(box->bytes + line->value, line->value_len);
        if (h->id == SSI_HDR_OTHER)
            continue;
        parse_header(b, h);
        if (box->first[h->id] == 0)
            box->first[h->id] = (uint16_t)(i + 1);
        box->last[h->id] = (uint16_t)(i + 1);
    }
    require_fields(b);
}

secsip_result ssi_sip_msg_build(const struct ssi_sip_scan *s, size_t body_len,
                                const struct ssi_sip_fault *first, struct ssi_sip_fault *fault,
                                struct ssi_sip_msg **ret)
{
    size_t n_bytes = s->head_len + body_len;
    size_t n_index = s->n_lines * sizeof(struct ssi_sip_header);
    struct box *box = malloc(sizeof *box + n_index + n_bytes);

    if (!box)
        return SECSIP_E_NOMEM;
    memset(box, 0, sizeof *box);
    box->n_bytes = n_bytes;
    box->bytes = (char *)box->headers + n_index;
    memcpy(box->bytes, s->data, n_bytes);

    struct ssi_sip_msg *m = &box->m;
    struct build b = {.box = box, .m = m, .limits = &s->limits};
    m->refs = 1;
    m->is_request = !s->is_response;
    m->max_forwards = -1;
    m->body = ssi_slice_of(box->bytes + s->head_len, body_len);
    m->wire = ssi_slice_of(box->bytes, n_bytes);
    m->headers = box->headers;
    m->n_headers = s->n_lines;
    m->fault = *first;
    parse_fields(&b, s);
    m->n_vias = b.elements[0];

    /* A wrong response is discarded (RFC 3261 18.1.2); a wrong request is answered, if it says at all which way answers go. */
    if (m->fault.result < 0 && (!m->is_request || box->first[SSI_HDR_VIA] == 0)) {
        *fault = m->fault;
        if (!m->is_request)
            fault->status = 0;
        secsip_result rc = fault->result;
        ssi_sip_msg_unref(m);
        return rc;
    }
    *ret = m;
    return 0;
}

/* How many bytes after the header block are the body. A datagram that is shorter than its Content-Length, or whose
 * Content-Length is no number, may still be answered. */
static size_t body_of_datagram(const struct ssi_sip_scan *s, struct ssi_sip_fault *fault)
{
    size_t left = s->len - s->head_len;

    *fault = s->length_bad;
    if (s->length_bad.result < 0)
        return 0;
    if (!s->has_length)
        return left; /* RFC 3261 18.3 */
    if (s->body_len <= left)
        return s->body_len;
    *fault = (struct ssi_sip_fault){.result = SECSIP_E_SIP_TRUNCATED,
                                    .offset = s->len,
                                    .text = "as many bytes of body as Content-Length says",
                                    .status = s->is_response ? 0 : 400};
    return left;
}

static secsip_result check_framed(const struct ssi_sip_scan *s, struct ssi_sip_fault *fault)
{
    size_t left = s->len - s->head_len;
    int status = s->is_response ? 0 : 400;

    if (s->length_bad.result < 0)
        *fault = s->length_bad;
    else if (!s->has_length)
        *fault = (struct ssi_sip_fault){SECSIP_E_SIP_CONTENT_LENGTH, s->head_len - 2U,
                                        "Content-Length on a stream (RFC 3261 18.3)", status};
    else if (s->body_len > left)
        *fault = (struct ssi_sip_fault){SECSIP_E_SIP_TRUNCATED, s->len,
                                        "as many bytes of body as Content-Length says", status};
    else if (s->body_len < left)
        *fault = (struct ssi_sip_fault){SECSIP_E_SIP_SYNTAX, s->head_len + s->body_len,
                                        "the end of the message after its body", status};
    return fault->result;
}

/* Above the limit. A datagram's request whose header block is within it becomes a message without body, to be answered with 513
 * (RFC 3261 21.5.7): then 0, and *first is its fault. */
static secsip_result refuse_large(const struct ssi_sip_scan *s, bool has_head,
                                  struct ssi_sip_fault *first, struct ssi_sip_fault *fault)
{
    int status = s->looks_like_request ? 513 : 0;

    *fault = (struct ssi_sip_fault){SECSIP_E_SIP_TOO_LARGE, s->len, "a smaller message", status};
    if (!has_head || s->is_response)
        return fault->result;
    *first = *fault;
    return 0;
}

secsip_result ssi_sip_msg_parse(const void *data, size_t len, bool framed,
                                const struct ssi_sip_limits *limits,
                                struct ssi_sip_fault *ret_fault, struct ssi_sip_msg **ret)
{
    struct ssi_sip_fault fault = {0}, first = {0};
    struct ssi_sip_limits filled;
    struct ssi_sip_scan s;
    const char *bytes = data;
    size_t skipped = 0;

    ssi_sip_limits_fill(&filled, limits);
    /* Empty lines before the start line are ignored (RFC 3261 7.5). */
    while (!framed && len - skipped >= 2 && bytes[skipped] == '\r' && bytes[skipped + 1] == '\n')
        skipped += 2;
    bool too_large = len - skipped > filled.message_bytes;
    secsip_result rc = ssi_sip_scan(
        &s, bytes + skipped, too_large ? filled.message_bytes : len - skipped, &filled, &fault);
    if (too_large && (rc == 0 || rc == SECSIP_E_AGAIN)) {
        rc = refuse_large(&s, rc == 0 && !framed, &first, &fault);
    } else if (rc == SECSIP_E_AGAIN) {
        fault = (struct ssi_sip_fault){SECSIP_E_SIP_TRUNCATED, s.len,
                                       "the empty line after the header fields",
                                       s.looks_like_request ? 400 : 0};
        rc = fault.result;
    }
    if (rc == 0 && framed)
        rc = check_framed(&s, &fault);
    if (rc == 0) {
        size_t body_len = first.result < 0 ? 0 : framed ? s.body_len : body_of_datagram(&s, &first);
        rc = ssi_sip_msg_build(&s, body_len, &first, &fault, ret);
    }
    ssi_sip_scan_free(&s);
    if (rc < 0 && rc != SECSIP_E_NOMEM && ret_fault) {
        fault.offset += skipped;
        *ret_fault = fault;
    }
    return rc;
}

struct ssi_sip_msg *ssi_sip_msg_ref(struct ssi_sip_msg *m)
{
    if (m)
        m->refs++;
    return m;
}

void ssi_sip_msg_unref(struct ssi_sip_msg *m)
{
    if (!m || --m->refs > 0)
        return;
    struct box *box = (struct box *)(void *)m;
    /* A body may hold a=crypto; credentials are no keys, but nobody's business either. */
    if (m->body.len > 0 || box->first[SSI_HDR_AUTHORIZATION] ||
        box->first[SSI_HDR_PROXY_AUTHORIZATION])
        ssi_wipe(box->bytes, box->n_bytes);
    free(box);
}

const struct ssi_sip_header *ssi_sip_msg_header(const struct ssi_sip_msg *m, enum ssi_sip_hdr id,
                                                const struct ssi_sip_header *after)
{
    const struct box *box = (const struct box *)(const void *)m;

    if (!after && id != SSI_HDR_OTHER)
        return box->first[id] ? &m->headers[box->first[id] - 1] : NULL;
    uint32_t from = after ? (uint32_t)(after - m->headers) + 1 : 0;
    uint32_t end = id == SSI_HDR_OTHER ? m->n_headers : box->last[id];
    for (uint32_t i = from; i < end; i++)
        if (m->headers[i].id == id)
            return &m->headers[i];
    return NULL;
}

const struct ssi_sip_addr *ssi_sip_msg_first_addr(const struct ssi_sip_msg *m, enum ssi_sip_hdr id)
{
    const struct box *box = (const struct box *)(const void *)m;
    const struct ssi_sip_addr *a = id == SSI_HDR_CONTACT        ? &box->contact
                                   : id == SSI_HDR_ROUTE        ? &box->route
                                   : id == SSI_HDR_RECORD_ROUTE ? &box->record_route
                                                                : NULL;

    return a && a->whole.p ? a : NULL;
}
