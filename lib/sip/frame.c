/* Cuts a byte stream into SIP messages, see frame.h. Layer: sip. Each byte of a header block is searched once for its
 * end; the block is then scanned when it is complete and once more when its body is. */
#include "sip/frame.h"

#include "sip/read.h"
#include "sip/scan.h"

void ssi_sip_framer_init(struct ssi_sip_framer *f, const struct ssi_sip_limits *limits)
{
    memset(f, 0, sizeof *f);
    ssi_sip_limits_fill(&f->limits, limits);
    /* The limit is kept by feed and next, so that the buffer may double as it likes. */
    ssi_buf_init_secret(&f->buf, SIZE_MAX);
}

void ssi_sip_framer_free(struct ssi_sip_framer *f)
{
    ssi_buf_free(&f->buf);
    f->scanned = f->need = 0;
}

secsip_result ssi_sip_framer_feed(struct ssi_sip_framer *f, const void *data, size_t len)
{
    /* One feed may bring many messages; what may not grow is what was left after the last ssi_sip_framer_next. */
    if (f->buf.len > f->limits.message_bytes || len > SIZE_MAX - f->buf.len)
        return SECSIP_E_LIMIT;
    ssi_buf_put(&f->buf, data, len);
    return f->buf.failed;
}

static void consume(struct ssi_sip_framer *f, size_t n)
{
    ssi_buf_consume(&f->buf, n);
    f->scanned = f->need = 0;
}

/* Keep-alives between messages (RFC 5626 3.5.1), which are also the empty lines that may stand before a message
 * (RFC 3261 7.5). MORE when the bytes are something else, or not all here. */
static enum ssi_sip_frame take_keep_alive(struct ssi_sip_framer *f)
{
    struct ssi_slice s = ssi_buf_slice(&f->buf);

    if (s.len < 2 || s.p[0] != '\r' || s.p[1] != '\n')
        return SSI_SIP_FRAME_MORE;
    if (s.len >= 4 && s.p[2] == '\r' && s.p[3] == '\n') {
        consume(f, 4);
        return SSI_SIP_FRAME_PING;
    }
    if (f->serves && (s.len == 2 || (s.len == 3 && s.p[2] == '\r')))
        return SSI_SIP_FRAME_MORE;
    consume(f, 2);
    return SSI_SIP_FRAME_PONG;
}

/* The length of the header block with its empty line, or 0; goes on where the last search stopped. */
static size_t find_head(struct ssi_sip_framer *f, struct ssi_slice s)
{
    size_t at = f->scanned;

    while (at + 4 <= s.len) {
        const char *cr = memchr(s.p + at, '\r', s.len - at - 3);
        if (!cr) {
            at = s.len - 3;
            break;
        }
        at = (size_t)(cr - s.p);
        if (memcmp(cr, "\r\n\r\n", 4) == 0) {
            f->scanned = at;
            return at + 4;
        }
        at++;
    }
    f->scanned = at;
    return 0;
}

static int32_t fail(struct ssi_sip_fault *ret_fault, const struct ssi_sip_fault *fault)
{
    if (ret_fault)
        *ret_fault = *fault;
    return fault->result;
}

/* Without a good Content-Length a stream has no framing (RFC 3261 18.3). */
static secsip_result check_length(const struct ssi_sip_scan *s, size_t limit,
                                  struct ssi_sip_fault *fault)
{
    int status = s->is_response ? 0 : 400;

    *fault = s->length_bad;
    if (s->length_bad.result < 0)
        return fault->result;
    if (!s->has_length)
        *fault = (struct ssi_sip_fault){SECSIP_E_SIP_CONTENT_LENGTH, s->head_len - 2U,
                                        "Content-Length on a stream (RFC 3261 18.3)", status};
    else if (s->body_len > limit || s->head_len > limit - s->body_len)
        *fault = (struct ssi_sip_fault){SECSIP_E_SIP_TOO_LARGE, 0, "a smaller message",
                                        status ? 513 : 0};
    return fault->result;
}

/* Scans the complete header block at the front; builds and takes the message out when its body is here too. */
static int32_t take_message(struct ssi_sip_framer *f, struct ssi_slice bytes, size_t head_len,
                            struct ssi_sip_fault *ret_fault, struct ssi_sip_msg **ret_msg)
{
    struct ssi_sip_fault fault = {0}, none = {0};
    struct ssi_sip_scan s;
    int32_t rc = ssi_sip_scan(&s, bytes.p, head_len, &f->limits, &fault);

    if (rc == 0) {
        rc = check_length(&s, f->limits.message_bytes, &fault);
        /* Where the next message would begin nobody knows, but whose answer is owed can be read. */
        if (rc < 0 && ssi_sip_msg_build(&s, 0, &fault, &none, ret_msg) < 0)
            *ret_msg = NULL;
    }
    if (rc < 0) {
        if (rc != SECSIP_E_NOMEM)
            fail(ret_fault, &fault);
        goto done;
    }
    f->need = s.head_len + s.body_len;
    if (bytes.len < f->need) {
        rc = SSI_SIP_FRAME_MORE;
        goto done;
    }
    rc = ssi_sip_msg_build(&s, s.body_len, &none, &fault, ret_msg);
    if (rc < 0 && rc != SECSIP_E_NOMEM) {
        fail(ret_fault, &fault);
        rc = SSI_SIP_FRAME_DROPPED;
    }
    if (rc >= 0) {
        rc = rc == SSI_SIP_FRAME_DROPPED ? rc : SSI_SIP_FRAME_MESSAGE;
        consume(f, f->need);
    }
done:
    ssi_sip_scan_free(&s);
    return rc;
}

int32_t ssi_sip_framer_next(struct ssi_sip_framer *f, struct ssi_sip_fault *ret_fault,
                            struct ssi_sip_msg **ret_msg)
{
    struct ssi_slice bytes = ssi_buf_slice(&f->buf);

    *ret_msg = NULL;
    if (bytes.len == 0 || (f->need > 0 && bytes.len < f->need))
        return SSI_SIP_FRAME_MORE;
    if (f->scanned == 0 && bytes.p[0] == '\r') {
        if (bytes.len == 1)
            return SSI_SIP_FRAME_MORE;
        enum ssi_sip_frame alive = take_keep_alive(f);
        if (alive != SSI_SIP_FRAME_MORE || bytes.p[1] == '\n')
            return (int32_t)alive;
    }
    size_t head_len = find_head(f, bytes);
    size_t limit = f->limits.message_bytes;
    if (head_len > limit || (head_len == 0 && bytes.len >= limit)) {
        /* What the bytes are is known from their first line only. */
        struct ssi_sip_scan s;
        struct ssi_sip_fault fault = {0};
        ssi_sip_scan(&s, bytes.p, limit, &f->limits, &fault);
        int status = s.looks_like_request ? 513 : 0;
        ssi_sip_scan_free(&s);
        fault =
            (struct ssi_sip_fault){SECSIP_E_SIP_TOO_LARGE, limit, "a smaller header block", status};
        return fail(ret_fault, &fault);
    }
    return head_len > 0 ? take_message(f, bytes, head_len, ret_fault, ret_msg) : SSI_SIP_FRAME_MORE;
}
