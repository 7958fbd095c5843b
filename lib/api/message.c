/* Public messages: NUL-terminated strings around lib/sip's slices. Layer: api. A secsip_message owns a reference on the
 * parsed message, one copy of the short strings, and for each getter that fills a structure the strings of its last
 * answer. */
#include "api/message.h"

#include <stdlib.h>

#include "api/abi.h"
#include "base/export.h"
#include "sip/build.h"
#include "sip/names.h"
#include "sip/verdict.h"

const char *ssi_api_put_string(char **tail, struct ssi_slice s)
{
    char *at = *tail;

    if (!s.p)
        return NULL;
    memcpy(at, s.p, s.len);
    at[s.len] = 0;
    *tail += s.len + 1;
    return at;
}

char *ssi_api_put_unfolded(char *at, struct ssi_slice s)
{
    const char *start = at;

    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] != '\r') {
            *at++ = s.p[i];
            continue;
        }
        while (at > start && (at[-1] == ' ' || at[-1] == '\t'))
            at--;
        while (i + 1 < s.len && (s.p[i + 1] == '\n' || s.p[i + 1] == ' ' || s.p[i + 1] == '\t' ||
                                 s.p[i + 1] == '\r'))
            i++;
        *at++ = ' ';
    }
    *at = 0;
    return at;
}

char *ssi_api_message_room(secsip_message *message, enum ssi_api_scratch which, size_t text,
                           size_t n_strings)
{
    struct ssi_buf *b = &message->scratch[which];

    ssi_buf_reset(b);
    return (char *)ssi_buf_reserve(b, text + n_strings);
}

/* The method of CSeq as it stands, also where it is not that of the request line. */
static struct ssi_slice cseq_method_of(const struct ssi_sip_msg *m)
{
    struct ssi_slice value = {NULL, 0};

    if (!ssi_sip_msg_value(m, SSI_HDR_CSEQ, &value))
        return value;
    size_t at = value.len;
    while (at > 0 && (unsigned char)value.p[at - 1] > ' ')
        at--;
    struct ssi_slice last = ssi_slice_from(value, at);
    bool good = m->fault.result != SECSIP_E_SIP_CSEQ || m->cseq > 0;
    return good && at > 0 ? last : ssi_slice_of("", 0);
}

secsip_result ssi_api_message_wrap(struct ssi_sip_msg *m, secsip_message **ret)
{
    struct ssi_slice cseq_method = cseq_method_of(m);
    size_t text = m->method_text.len + m->uri.whole.len + m->reason.len + m->call_id.len +
                  cseq_method.len + 5;
    secsip_message *w = malloc(sizeof *w + text);

    if (!w) {
        ssi_sip_msg_unref(m);
        return SECSIP_E_NOMEM;
    }
    char *tail = w->strings;
    memset(&w->list, 0, sizeof w->list);
    memset(&w->auth, 0, sizeof w->auth);
    w->refs = 1;
    w->m = m;
    w->method = ssi_api_put_string(&tail, m->method_text);
    w->uri = ssi_api_put_string(&tail, m->uri.whole);
    w->reason = ssi_api_put_string(&tail, m->reason);
    w->call_id = ssi_api_put_string(&tail, m->call_id);
    w->cseq_method = ssi_api_put_string(&tail, cseq_method);
    for (int i = 0; i < SSI_API_N_SCRATCH; i++)
        ssi_buf_init_secret(&w->scratch[i], SIZE_MAX);
    *ret = w;
    return 0;
}

secsip_result ssi_api_message_give_fault(secsip_message_fault *to, const struct ssi_sip_fault *from)
{
    if (!to)
        return 0;
    secsip_message_fault f = {.size = sizeof f,
                              .result = from->result,
                              .status = from->status,
                              .offset = from->offset,
                              .expected = from->text ? from->text : ""};
    return ssi_abi_give(to, &f, sizeof f);
}

SECSIP_EXPORT secsip_result secsip_message_parse(const void *data, size_t len,
                                                 secsip_message_fault *ret_fault,
                                                 secsip_message **ret_message)
{
    struct ssi_sip_fault fault = {0};
    struct ssi_sip_msg *m;

    if ((!data && len > 0) || !ret_message)
        return SECSIP_E_INVALID;
    secsip_result rc =
        ssi_api_message_give_fault(ret_fault, &fault); /* the size is looked at first */
    if (rc < 0)
        return rc;
    rc = ssi_sip_msg_parse(data ? data : "", len, false, NULL, &fault, &m);
    if (rc < 0) {
        ssi_api_message_give_fault(ret_fault, &fault);
        return rc;
    }
    return ssi_api_message_wrap(m, ret_message);
}

SECSIP_EXPORT secsip_message *secsip_message_ref(secsip_message *message)
{
    if (message)
        message->refs++;
    return message;
}

SECSIP_EXPORT void secsip_message_unref(secsip_message *message)
{
    if (!message || --message->refs > 0)
        return;
    for (int i = 0; i < SSI_API_N_SCRATCH; i++)
        ssi_buf_free(&message->scratch[i]);
    ssi_sip_msg_unref(message->m);
    free(message);
}

SECSIP_EXPORT secsip_result secsip_message_get_fault(const secsip_message *message,
                                                     secsip_message_fault *ret_fault)
{
    secsip_result rc = ssi_api_message_give_fault(ret_fault, &message->m->fault);

    return rc < 0 ? rc : message->m->fault.result < 0;
}

SECSIP_EXPORT int32_t secsip_message_get_verdict(const secsip_message *message)
{
    return ssi_sip_msg_verdict(message->m, NULL);
}

SECSIP_EXPORT int32_t secsip_message_is_request(const secsip_message *message)
{
    return message->m->is_request;
}

SECSIP_EXPORT const char *secsip_message_get_method(const secsip_message *message)
{
    return message->method ? message->method : "";
}

SECSIP_EXPORT const char *secsip_message_get_request_uri(const secsip_message *message)
{
    return message->uri;
}

SECSIP_EXPORT int32_t secsip_message_get_status(const secsip_message *message)
{
    return message->m->status;
}

SECSIP_EXPORT const char *secsip_message_get_reason(const secsip_message *message)
{
    return message->reason;
}

SECSIP_EXPORT const char *secsip_message_get_call_id(const secsip_message *message)
{
    return message->call_id ? message->call_id : "";
}

SECSIP_EXPORT uint32_t secsip_message_get_cseq(const secsip_message *message)
{
    return message->m->cseq;
}

SECSIP_EXPORT const char *secsip_message_get_cseq_method(const secsip_message *message)
{
    return message->cseq_method ? message->cseq_method : "";
}

SECSIP_EXPORT int32_t secsip_message_get_max_forwards(const secsip_message *message)
{
    return message->m->max_forwards;
}

SECSIP_EXPORT const void *secsip_message_get_body(const secsip_message *message, size_t *ret_len)
{
    if (ret_len)
        *ret_len = message->m->body.len;
    return message->m->body.p;
}

SECSIP_EXPORT uint32_t secsip_message_get_n_headers(const secsip_message *message)
{
    return message->m->n_headers;
}

secsip_result ssi_api_message_give_header(secsip_message *message, const struct ssi_sip_header *h,
                                          secsip_message_header *ret_header)
{
    char *tail =
        ssi_api_message_room(message, SSI_API_SCRATCH_HEADER, h->name.len + h->value.len, 2);

    if (!tail)
        return SECSIP_E_NOMEM;
    const char *full = ssi_sip_hdr_name(h->id);
    const char *as_written = ssi_api_put_string(&tail, h->name);
    secsip_message_header out = {
        .size = sizeof out, .name = full ? full : as_written, .value = tail};
    out.value_len = (size_t)(ssi_api_put_unfolded(tail, h->value) - tail);
    return ssi_abi_give(ret_header, &out, sizeof out);
}

SECSIP_EXPORT secsip_result secsip_message_get_header(secsip_message *message, uint32_t index,
                                                      secsip_message_header *ret_header)
{
    if (index >= message->m->n_headers)
        return SECSIP_E_NOT_FOUND;
    return ssi_api_message_give_header(message, &message->m->headers[index], ret_header);
}

static void begin_line(struct ssi_api_walk *w, const struct ssi_sip_msg *m)
{
    w->it = (struct ssi_sip_values){
        .m = m, .line = w->line, .rest = w->line->value, .id = SSI_HDR_OTHER};
}

static void begin_walk(struct ssi_api_walk *w, const struct ssi_sip_msg *m, enum ssi_sip_hdr id,
                       const char *name)
{
    memset(w, 0, sizeof *w);
    w->id = id;
    if (id != SSI_HDR_OTHER) {
        ssi_sip_values_init(&w->it, m, id);
        return;
    }
    w->line = ssi_sip_msg_header_named(m, ssi_slice_str(name), NULL);
    if (w->line)
        begin_line(w, m);
}

/* Lines of a field that is not known stand among others of that kind. */
static bool step(struct ssi_api_walk *w, const struct ssi_sip_msg *m)
{
    if (w->id != SSI_HDR_OTHER)
        return ssi_sip_values_next(&w->it, &w->last);
    while (w->line) {
        if (ssi_sip_values_next(&w->it, &w->last) && w->it.line == w->line)
            return true;
        w->line = ssi_sip_msg_header_named(m, w->line->name, w->line);
        if (w->line)
            begin_line(w, m);
    }
    return false;
}

secsip_result ssi_api_message_find_element(secsip_message *message, enum ssi_sip_hdr id,
                                           const char *name, uint32_t index, struct ssi_slice *ret)
{
    struct ssi_api_walk *w = &message->list;
    bool is_here = w->next > 0 && w->id == id && index + 1 >= w->next;

    if (is_here && id == SSI_HDR_OTHER)
        is_here = w->line && ssi_slice_ieq(w->line->name, ssi_slice_str(name));
    if (!is_here)
        begin_walk(w, message->m, id, name);
    for (; w->next <= index; w->next++)
        if (!step(w, message->m)) {
            w->next = 0;
            return SECSIP_E_NOT_FOUND;
        }
    *ret = w->last;
    return 0;
}

SECSIP_EXPORT secsip_result secsip_message_get_via(secsip_message *message, uint32_t index,
                                                   secsip_message_via *ret_via)
{
    struct ssi_slice text = {NULL, 0};
    struct ssi_sip_via v;
    secsip_result rc = ssi_api_message_find_element(message, SSI_HDR_VIA, NULL, index, &text);

    if (rc == 0)
        rc = ssi_sip_via_parse(text, &v);
    if (rc != 0)
        return rc;
    char *tail = ssi_api_message_room(message, SSI_API_SCRATCH_VIA, 2 * v.whole.len, 5);
    if (!tail)
        return SECSIP_E_NOMEM;
    secsip_message_via out = {
        .size = sizeof out, .port = v.port, .has_rport = v.has_rport, .rport = v.rport};
    out.transport = ssi_api_put_string(&tail, v.transport);
    out.host = ssi_api_put_string(&tail, v.host);
    out.branch = ssi_api_put_string(&tail, v.branch);
    out.received = ssi_api_put_string(&tail, v.received);
    out.params = tail;
    ssi_api_put_unfolded(tail, v.params);
    return ssi_abi_give(ret_via, &out, sizeof out);
}

/* Whoever asks for an address of a field that is not known says that it is a list of them. */
static secsip_result find_address(secsip_message *message, const char *name, uint32_t index,
                                  struct ssi_sip_addr *ret)
{
    struct ssi_slice text = {NULL, 0};

    if (!name)
        return SECSIP_E_INVALID;
    secsip_result rc = ssi_api_message_find_element(message, ssi_sip_hdr_of(ssi_slice_str(name)),
                                                    name, index, &text);
    return rc < 0 ? rc : ssi_sip_addr_parse(text, ret);
}

size_t ssi_api_put_unquoted(char *at, struct ssi_slice s)
{
    size_t n = (size_t)(ssi_api_put_unfolded(at, s) - at), out = 0;

    if (n == 0 || at[0] != '"')
        return n;
    for (size_t i = 1; i + 1 < n; i++) {
        if (at[i] == '\\' && i + 2 < n)
            i++;
        at[out++] = at[i];
    }
    at[out] = 0;
    return out;
}

SECSIP_EXPORT secsip_result secsip_message_get_address(secsip_message *message, const char *name,
                                                       uint32_t index,
                                                       secsip_message_address *ret_address)
{
    struct ssi_sip_addr a;
    secsip_result rc = find_address(message, name, index, &a);

    if (rc < 0)
        return rc;
    char *tail = ssi_api_message_room(message, SSI_API_SCRATCH_ADDRESS, a.whole.len + a.tag.len, 4);
    if (!tail)
        return SECSIP_E_NOMEM;
    secsip_message_address out = {.size = sizeof out, .params = ""};
    out.uri = ssi_api_put_string(&tail, a.is_star ? a.whole : a.uri.whole);
    out.tag = ssi_api_put_string(&tail, a.tag);
    if (a.params.len > 0) {
        out.params = tail;
        tail = ssi_api_put_unfolded(tail, a.params) + 1;
    }
    if (a.display.len > 0) {
        out.display = tail;
        out.display_len = ssi_api_put_unquoted(tail, a.display);
    }
    return ssi_abi_give(ret_address, &out, sizeof out);
}

SECSIP_EXPORT secsip_result secsip_message_get_uri(secsip_message *message, const char *name,
                                                   uint32_t index, secsip_message_uri *ret_uri)
{
    struct ssi_sip_addr a;
    const struct ssi_sip_uri *u = name ? &a.uri : &message->m->uri;
    secsip_result rc = name ? find_address(message, name, index, &a) : 0;

    if (rc == 0 && (!u->whole.p || (!name && index > 0)))
        rc = SECSIP_E_NOT_FOUND;
    if (rc < 0)
        return rc;
    char *tail = ssi_api_message_room(message, SSI_API_SCRATCH_URI, 2 * u->whole.len, 7);
    if (!tail)
        return SECSIP_E_NOMEM;
    secsip_message_uri out = {.size = sizeof out, .port = u->port};
    out.text = ssi_api_put_string(&tail, u->whole);
    out.scheme = ssi_api_put_string(&tail, u->scheme_text);
    out.user = ssi_api_put_string(&tail, u->user);
    out.password = ssi_api_put_string(&tail, u->password);
    out.host = ssi_api_put_string(&tail, u->host);
    out.params = ssi_api_put_string(&tail, u->params.p ? u->params : ssi_slice_of("", 0));
    out.headers = ssi_api_put_string(&tail, u->headers.p ? u->headers : ssi_slice_of("", 0));
    return ssi_abi_give(ret_uri, &out, sizeof out);
}

SECSIP_EXPORT secsip_result secsip_message_write(const secsip_message *message, void *out,
                                                 size_t out_size, size_t *ret_len)
{
    struct ssi_buf b;

    if (!ret_len || (!out && out_size > 0))
        return SECSIP_E_INVALID;
    if (message->m->fault.result < 0)
        return SECSIP_E_STATE;
    ssi_buf_init_secret(&b, SIZE_MAX);
    ssi_sip_put_message(&b, message->m);
    secsip_result rc = b.failed;
    if (rc == 0) {
        *ret_len = b.len;
        if (b.len > out_size)
            rc = SECSIP_E_LIMIT;
        else if (b.len > 0)
            memcpy(out, b.data + b.off, b.len);
    }
    ssi_buf_free(&b);
    return rc;
}
