/* Building messages, see build.h. Layer: sip. The buffer is the caller's. Every piece that did not come out of a scanned
 * message passes put_checked: that is the one place where header injection is stopped. */
#include "sip/build.h"

#include "sip/names.h"
#include "sip/read.h"

static void put_checked(struct ssi_buf *b, struct ssi_slice piece)
{
    for (size_t i = 0; i < piece.len; i++) {
        char c = piece.p[i];
        if (c == '\r' || c == '\n' || c == 0) {
            if (b->failed == 0)
                b->failed = SECSIP_E_SIP_INJECTION;
            return;
        }
    }
    ssi_buf_put_slice(b, piece);
}

secsip_result ssi_sip_check_text(const char *text)
{
    return text && text[strcspn(text, "\r\n")] ? SECSIP_E_SIP_INJECTION : 0;
}

void ssi_sip_put_piece(struct ssi_buf *b, struct ssi_slice piece)
{
    put_checked(b, piece);
}

void ssi_sip_put_piece_str(struct ssi_buf *b, const char *piece)
{
    put_checked(b, ssi_slice_str(piece));
}

void ssi_sip_put_crlf(struct ssi_buf *b)
{
    ssi_buf_put(b, "\r\n", 2);
}

void ssi_sip_put_name(struct ssi_buf *b, const char *name)
{
    put_checked(b, ssi_slice_str(name));
    ssi_buf_put(b, ": ", 2);
}

void ssi_sip_put_request_line(struct ssi_buf *b, struct ssi_slice method, struct ssi_slice uri)
{
    /* A space would move the rest of the URI into the version. */
    if (ssi_slice_find(uri, ' ') < uri.len || ssi_slice_find(method, ' ') < method.len) {
        if (b->failed == 0)
            b->failed = SECSIP_E_SIP_INJECTION;
        return;
    }
    put_checked(b, method);
    ssi_buf_put_char(b, ' ');
    put_checked(b, uri);
    ssi_buf_put(b, " SIP/2.0\r\n", 10);
}

void ssi_sip_put_status_line_as(struct ssi_buf *b, int status, struct ssi_slice reason)
{
    ssi_buf_put(b, "SIP/2.0 ", 8);
    ssi_buf_put_u64(b, (uint64_t)status);
    ssi_buf_put_char(b, ' ');
    put_checked(b, reason);
    ssi_sip_put_crlf(b);
}

void ssi_sip_put_status_line(struct ssi_buf *b, int status, const char *reason)
{
    ssi_sip_put_status_line_as(b, status,
                               ssi_slice_str(reason ? reason : ssi_sip_reason_phrase(status)));
}

void ssi_sip_put_header(struct ssi_buf *b, const char *name, struct ssi_slice value)
{
    ssi_sip_put_name(b, name);
    put_checked(b, value);
    ssi_sip_put_crlf(b);
}

void ssi_sip_put_header_str(struct ssi_buf *b, const char *name, const char *value)
{
    ssi_sip_put_header(b, name, ssi_slice_str(value));
}

void ssi_sip_put_header_u64(struct ssi_buf *b, const char *name, uint64_t value)
{
    ssi_sip_put_name(b, name);
    ssi_buf_put_u64(b, value);
    ssi_sip_put_crlf(b);
}

void ssi_sip_put_display(struct ssi_buf *b, const char *display)
{
    if (!display || !*display)
        return;
    ssi_buf_put_char(b, '"');
    ssi_sip_put_escaped(b, ssi_slice_str(display));
    ssi_buf_put(b, "\" ", 2);
}

void ssi_sip_put_escaped(struct ssi_buf *b, struct ssi_slice text)
{
    size_t from = 0;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        /* Control bytes may stand in quotes only as quoted-pairs; put_checked still stops CR, LF and NUL. */
        if (c != '"' && c != '\\' && (c >= 0x20 || c == '\t') && c != 0x7f)
            continue;
        put_checked(b, ssi_slice_of(text.p + from, i - from));
        ssi_buf_put_char(b, '\\');
        from = i;
    }
    put_checked(b, ssi_slice_from(text, from));
}

void ssi_sip_put_copy(struct ssi_buf *b, const struct ssi_sip_header *h)
{
    struct ssi_slice full = ssi_sip_hdr_full(h->id);
    struct ssi_slice name = full.p ? full : h->name;
    size_t n = name.len + h->value.len + 4;
    char *at = (char *)ssi_buf_reserve(b, n);

    if (!at)
        return;
    /* Values of scanned messages are safe as they are: folds and quoted-pairs included. */
    memcpy(at, name.p, name.len);
    memcpy(at + name.len, ": ", 2);
    memcpy(at + name.len + 2, h->value.p, h->value.len);
    memcpy(at + n - 2, "\r\n", 2);
    ssi_buf_commit(b, n);
}

void ssi_sip_put_copies(struct ssi_buf *b, const struct ssi_sip_msg *m, enum ssi_sip_hdr id)
{
    for (const struct ssi_sip_header *h = NULL; (h = ssi_sip_msg_header(m, id, h));)
        ssi_sip_put_copy(b, h);
}

/* The topmost Via with received and rport as the server saw them (RFC 3261 18.2.1, RFC 3581 4); what the sender wrote
 * there itself is dropped. */
static void put_top_via(struct ssi_buf *b, const struct ssi_sip_msg *m, const char *ip,
                        uint16_t port)
{
    const struct ssi_sip_header *h = ssi_sip_msg_header(m, SSI_HDR_VIA, NULL);
    struct ssi_sip_reader r = ssi_sip_reader_of(m->via.params);
    struct ssi_slice name, value;
    const char *end = m->via.whole.p + m->via.whole.len;

    r.max_params = UINT32_MAX;
    ssi_buf_put_str(b, "Via: ");
    const char *head_end = m->via.params.len > 0 ? m->via.params.p : end;
    while (head_end > m->via.whole.p && (unsigned char)head_end[-1] <= ' ')
        head_end--;
    ssi_buf_put(b, m->via.whole.p, (size_t)(head_end - m->via.whole.p));
    for (const char *from = r.p; ssi_sip_read_param(&r, &name, &value) > 0; from = r.p) {
        if (!ssi_slice_ieq(name, SSI_LIT("received")) && !ssi_slice_ieq(name, SSI_LIT("rport")))
            ssi_buf_put(b, from, (size_t)(r.p - from));
    }
    ssi_buf_put_str(b, ";received=");
    put_checked(b, ssi_slice_str(ip));
    if (m->via.has_rport) {
        ssi_buf_put_str(b, ";rport=");
        ssi_buf_put_u64(b, port);
    }
    ssi_buf_put(b, end, (size_t)(h->value.p + h->value.len - end));
    ssi_sip_put_crlf(b);
}

/* The topmost Via of a request that was made here, from its protocol to the end of the request; p NULL: none. */
static struct ssi_slice find_own_via(const struct ssi_buf *request)
{
    const struct ssi_slice start = SSI_LIT("\r\nVia: ");
    struct ssi_slice bytes = ssi_buf_slice(request);

    for (size_t i = 0; i + start.len <= bytes.len; i++)
        if (bytes.p[i] == '\r' && memcmp(bytes.p + i, start.p, start.len) == 0)
            return ssi_slice_from(bytes, i + start.len);
    return ssi_slice_of(NULL, 0);
}

secsip_result ssi_sip_set_via_transport(struct ssi_buf *request, const char transport[3])
{
    const struct ssi_slice start = SSI_LIT("SIP/2.0/");
    struct ssi_slice via = find_own_via(request);

    if (via.len < start.len + 3 || memcmp(via.p, start.p, start.len) != 0)
        return SECSIP_E_SIP_VIA;
    memcpy((char *)request->data + (via.p + start.len - (char *)request->data), transport, 3);
    return 0;
}

secsip_result ssi_sip_own_via(const struct ssi_buf *request, struct ssi_sip_via *ret)
{
    struct ssi_slice via = find_own_via(request);

    if (!via.p)
        return SECSIP_E_SIP_VIA;
    via.len = ssi_slice_find(via, '\r');
    return ssi_sip_via_parse(via, ret);
}

void ssi_sip_put_vias(struct ssi_buf *b, const struct ssi_sip_msg *req, const char *ip,
                      uint16_t port)
{
    const struct ssi_sip_header *h = ssi_sip_msg_header(req, SSI_HDR_VIA, NULL);

    if (!h)
        return;
    /* A source that is what sent-by says needs no received, unless rport asks (RFC 3581 4). One that cannot be read goes back
     * as it came. */
    bool plain = !ip || !req->via.whole.p ||
                 (!req->via.has_rport && !req->via.received.p &&
                  ssi_slice_eq(req->via.host, ssi_slice_str(ip)));
    if (plain)
        ssi_sip_put_copy(b, h);
    else
        put_top_via(b, req, ip, port);
    while ((h = ssi_sip_msg_header(req, SSI_HDR_VIA, h)))
        ssi_sip_put_copy(b, h);
}

static void put_first_copy(struct ssi_buf *b, const struct ssi_sip_msg *m, enum ssi_sip_hdr id)
{
    const struct ssi_sip_header *h = ssi_sip_msg_header(m, id, NULL);

    if (h)
        ssi_sip_put_copy(b, h);
}

void ssi_sip_put_response_start(struct ssi_buf *b, const struct ssi_sip_msg *req, int status,
                                const char *reason, const char *to_tag, const char *source_ip,
                                uint16_t source_port)
{
    struct ssi_slice to = {NULL, 0};

    ssi_sip_put_status_line(b, status, reason);
    ssi_sip_put_vias(b, req, source_ip, source_port);
    put_first_copy(b, req, SSI_HDR_FROM);
    if (ssi_sip_msg_value(req, SSI_HDR_TO, &to)) {
        ssi_buf_put_str(b, "To: ");
        ssi_buf_put_slice(b, to);
        if (to_tag && req->to.whole.p && !req->to.tag.p) {
            ssi_buf_put_str(b, ";tag=");
            ssi_sip_put_piece_str(b, to_tag);
        }
        ssi_sip_put_crlf(b);
    }
    put_first_copy(b, req, SSI_HDR_CALL_ID);
    put_first_copy(b, req, SSI_HDR_CSEQ);
    /* RFC 3261 8.2.6.1 */
    if (status == 100)
        put_first_copy(b, req, SSI_HDR_TIMESTAMP);
}

secsip_result ssi_sip_put_end(struct ssi_buf *b, const char *content_type, const void *body,
                              size_t body_len)
{
    if (body_len > 0 && content_type)
        ssi_sip_put_header_str(b, "Content-Type", content_type);
    ssi_sip_put_header_u64(b, "Content-Length", body_len);
    ssi_sip_put_crlf(b);
    ssi_buf_put(b, body, body_len);
    return b->failed;
}

void ssi_sip_put_message(struct ssi_buf *b, const struct ssi_sip_msg *m)
{
    if (m->is_request)
        ssi_sip_put_request_line(b, m->method_text, m->uri.whole);
    else
        ssi_sip_put_status_line_as(b, m->status, m->reason);
    for (uint32_t i = 0; i < m->n_headers; i++)
        ssi_sip_put_copy(b, &m->headers[i]);
    ssi_sip_put_crlf(b);
    ssi_buf_put_slice(b, m->body);
}
