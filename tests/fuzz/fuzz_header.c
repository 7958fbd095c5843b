/* One header field: the first line of the input is its name, the rest its value. The value is read alone by every typed
 * parser of its form, and inside a request and a response. What is taken is written again from its pieces and must mean
 * the same; comparisons are reflexive and symmetric; numbers keep their bounds. */
#include "fuzz.h"

#include <string.h>

#include "secsip/header.h"
#include "sip/auth.h"
#include "sip/build.h"
#include "sip/digest.h"
#include "sip/digest_fields.h"
#include "sip/names.h"
#include "sip/typed.h"
#include "sip/values.h"
#include "sip/verdict.h"

static struct ssi_buf scratch;

static void start(void)
{
    ssi_buf_reset(&scratch);
}

static struct ssi_slice written(void)
{
    FUZZ_CHECK(scratch.failed == 0);
    return ssi_buf_slice(&scratch);
}

/* The same parameters, in order, without the white space between them. */
static uint32_t put_params(struct ssi_slice params)
{
    struct ssi_sip_reader r = ssi_sip_reader_of(params);
    struct ssi_slice name, value;
    uint32_t n = 0;

    for (int got; (got = ssi_sip_read_param(&r, &name, &value)) != 0; n++) {
        FUZZ_CHECK(got > 0 && name.len > 0);
        ssi_buf_put_char(&scratch, ';');
        ssi_buf_put_slice(&scratch, name);
        if (!value.p)
            continue;
        FUZZ_CHECK(value.len > 0);
        ssi_buf_put_char(&scratch, '=');
        ssi_buf_put_slice(&scratch, value);
    }
    FUZZ_CHECK(r.p == r.end);
    return n;
}

static void same_params(struct ssi_slice a, struct ssi_slice b)
{
    struct ssi_sip_reader ra = ssi_sip_reader_of(a), rb = ssi_sip_reader_of(b);
    struct ssi_slice na, va, nb, vb, found;
    int got;

    while ((got = ssi_sip_read_param(&ra, &na, &va)) > 0) {
        FUZZ_CHECK(ssi_sip_read_param(&rb, &nb, &vb) > 0);
        FUZZ_CHECK(ssi_slice_eq(na, nb) && ssi_slice_eq(va, vb) && !va.p == !vb.p);
        FUZZ_CHECK(ssi_sip_param(b, na, &found) && ssi_slice_eq(found, va));
    }
    FUZZ_CHECK(got == 0 && ssi_sip_read_param(&rb, &nb, &vb) == 0);
}

static void check_item(enum ssi_sip_form form, struct ssi_slice value)
{
    struct ssi_sip_item item, again;

    if (ssi_sip_item_parse(form, value, &item) < 0)
        return;
    FUZZ_CHECK(item.number <= UINT32_MAX);
    FUZZ_CHECK(form == SSI_SIP_FORM_TEXT || item.main.len > 0);
    start();
    ssi_buf_put_slice(&scratch, item.main);
    FUZZ_CHECK(put_params(item.params) <= 128);
    FUZZ_CHECK(ssi_sip_item_parse(form, written(), &again) == 0);
    FUZZ_CHECK(ssi_slice_eq(item.main, again.main) && item.number == again.number);
    same_params(item.params, again.params);
}

static void check_reason(struct ssi_slice value)
{
    struct ssi_sip_reason a, b;

    if (ssi_sip_reason_parse(value, &a) < 0)
        return;
    start();
    ssi_buf_put_slice(&scratch, a.protocol);
    if (a.has_cause) {
        ssi_buf_put_str(&scratch, ";cause=");
        ssi_buf_put_u64(&scratch, a.cause);
    }
    if (a.text.p) {
        ssi_buf_put_str(&scratch, ";text=");
        ssi_buf_put_slice(&scratch, a.text);
    }
    FUZZ_CHECK(ssi_sip_reason_parse(written(), &b) == 0);
    FUZZ_CHECK(ssi_slice_eq(a.protocol, b.protocol) && ssi_slice_eq(a.text, b.text) &&
               a.cause == b.cause && a.has_cause == b.has_cause);
}

static void check_rack(struct ssi_slice value)
{
    struct ssi_sip_rack a, b;

    if (ssi_sip_rack_parse(value, &a) < 0)
        return;
    FUZZ_CHECK(a.rseq > 0 && a.cseq <= INT32_MAX && a.method.len > 0);
    start();
    ssi_buf_put_u64(&scratch, a.rseq);
    ssi_buf_put_char(&scratch, ' ');
    ssi_buf_put_u64(&scratch, a.cseq);
    ssi_buf_put_char(&scratch, ' ');
    ssi_buf_put_slice(&scratch, a.method);
    FUZZ_CHECK(ssi_sip_rack_parse(written(), &b) == 0);
    FUZZ_CHECK(a.rseq == b.rseq && a.cseq == b.cseq && ssi_slice_eq(a.method, b.method));
}

static void check_replaces(struct ssi_slice value)
{
    struct ssi_sip_replaces a, b;

    if (ssi_sip_replaces_parse(value, &a) < 0)
        return;
    start();
    ssi_buf_put_slice(&scratch, a.call_id);
    ssi_buf_put_str(&scratch, ";from-tag=");
    ssi_buf_put_slice(&scratch, a.from_tag);
    ssi_buf_put_str(&scratch, a.early_only ? ";early-only;to-tag=" : ";to-tag=");
    ssi_buf_put_slice(&scratch, a.to_tag);
    FUZZ_CHECK(ssi_sip_replaces_parse(written(), &b) == 0);
    FUZZ_CHECK(ssi_slice_eq(a.call_id, b.call_id) && ssi_slice_eq(a.to_tag, b.to_tag) &&
               ssi_slice_eq(a.from_tag, b.from_tag) && a.early_only == b.early_only);
}

static void check_session(struct ssi_slice value)
{
    static const char *const who[] = {"", ";refresher=uac", ";refresher=uas"};
    struct ssi_sip_session a, b;

    if (ssi_sip_session_parse(value, &a) < 0)
        return;
    start();
    ssi_buf_put_u64(&scratch, a.seconds);
    ssi_buf_put_str(&scratch, who[a.refresher]);
    FUZZ_CHECK(ssi_sip_session_parse(written(), &b) == 0);
    FUZZ_CHECK(a.seconds == b.seconds && a.refresher == b.refresher);
}

static void check_date(struct ssi_slice value)
{
    char text[SSI_SIP_DATE_TEXT];
    int64_t seconds, again;

    if (ssi_sip_date_parse(value, &seconds) < 0)
        return;
    FUZZ_CHECK(seconds >= -62167219200 && seconds < 253402300800); /* years 0 to 9999 */
    ssi_sip_date_format(seconds, text);
    FUZZ_CHECK(ssi_slice_ieq(ssi_slice_str(text), value));
    FUZZ_CHECK(ssi_sip_date_parse(ssi_slice_str(text), &again) == 0 && again == seconds);
}

static void check_typed(enum ssi_sip_typed_kind kind, struct ssi_slice value)
{
    struct ssi_sip_typed *a = NULL, *b = NULL;

    if (ssi_sip_typed_parse(kind, value, &a) < 0)
        return;
    start();
    ssi_buf_put_str(&scratch, kind == SSI_SIP_TYPED_INFO ? "<" : "");
    ssi_buf_put_str(&scratch, a->main);
    ssi_buf_put_str(&scratch, kind == SSI_SIP_TYPED_INFO ? ">" : "");
    if (a->sub) {
        ssi_buf_put_char(&scratch, '/');
        ssi_buf_put_str(&scratch, a->sub);
    }
    for (uint32_t i = 0; i < a->n_params; i++) {
        ssi_buf_put_char(&scratch, ';');
        ssi_buf_put_str(&scratch, a->params[i].name);
        if (a->params[i].value) {
            ssi_buf_put_char(&scratch, '=');
            ssi_buf_put_str(&scratch, a->params[i].value);
        }
    }
    FUZZ_CHECK(ssi_sip_typed_parse(kind, written(), &b) == 0);
    FUZZ_CHECK(strcmp(a->main, b->main) == 0 && a->n_params == b->n_params);
    FUZZ_CHECK(!a->sub == !b->sub && (!a->sub || strcmp(a->sub, b->sub) == 0));
    for (uint32_t i = 0; i < a->n_params; i++) {
        const char *x = a->params[i].value, *y = b->params[i].value;
        FUZZ_CHECK(strcmp(a->params[i].name, b->params[i].name) == 0);
        FUZZ_CHECK(!x == !y && (!x || strcmp(x, y) == 0));
    }
    ssi_sip_typed_free(a);
    ssi_sip_typed_free(b);
}

/* A URI is equal to itself and to itself read again; and to a neighbour (one byte with its other case, or escaped) as the
 * neighbour is to it. */
static void check_uri(const struct ssi_sip_uri *u)
{
    enum {
        NEIGHBOURS = 16
    };
    static char text[4096 + 2];
    struct ssi_sip_uri other;
    size_t n = u->whole.len;

    if (!u->whole.p || n > sizeof text - 2)
        return;
    FUZZ_CHECK(ssi_sip_uri_parse(u->whole, &other) == 0);
    FUZZ_CHECK(ssi_sip_uri_equal(u, u) && ssi_sip_uri_equal(u, &other));
    for (size_t i = 0; i < NEIGHBOURS; i++) {
        size_t at = (i / 2 * 2654435761U + n) % n, len = n;
        memcpy(text, u->whole.p, n);
        if (i % 2) {
            text[at] ^= 0x20;
        } else {
            memmove(text + at + 3, text + at + 1, n - at - 1);
            text[at + 1] = "0123456789abcdef"[(unsigned char)u->whole.p[at] >> 4];
            text[at + 2] = "0123456789ABCDEF"[u->whole.p[at] & 15];
            text[at] = '%';
            len += 2;
        }
        if (ssi_sip_uri_parse(ssi_slice_of(text, len), &other) == 0)
            FUZZ_CHECK(ssi_sip_uri_equal(u, &other) == ssi_sip_uri_equal(&other, u));
    }
}

static void check_address(struct ssi_slice value)
{
    struct ssi_sip_addr a, b;

    if (ssi_sip_addr_parse(value, &a) < 0 || a.is_star)
        return;
    check_uri(&a.uri);
    start();
    ssi_buf_put_slice(&scratch, a.display);
    ssi_buf_put_str(&scratch, " <");
    ssi_buf_put_slice(&scratch, a.uri.whole);
    ssi_buf_put_char(&scratch, '>');
    put_params(a.params);
    FUZZ_CHECK(ssi_sip_addr_parse(written(), &b) == 0);
    FUZZ_CHECK(ssi_slice_eq(a.display, b.display) && ssi_slice_eq(a.tag, b.tag) &&
               ssi_sip_uri_equal(&a.uri, &b.uri));
    same_params(a.params, b.params);
}

static void check_via(struct ssi_slice value)
{
    struct ssi_sip_via a, b;

    if (ssi_sip_via_parse(value, &a) < 0)
        return;
    start();
    ssi_buf_put_str(&scratch, "SIP/2.0/");
    ssi_buf_put_slice(&scratch, a.transport);
    ssi_buf_put_char(&scratch, ' ');
    ssi_buf_put_slice(&scratch, a.host);
    if (a.port) {
        ssi_buf_put_char(&scratch, ':');
        ssi_buf_put_u64(&scratch, a.port);
    }
    put_params(a.params);
    FUZZ_CHECK(ssi_sip_via_parse(written(), &b) == 0);
    FUZZ_CHECK(ssi_slice_eq(a.transport, b.transport) && ssi_slice_eq(a.host, b.host) &&
               a.port == b.port && ssi_slice_eq(a.branch, b.branch) &&
               ssi_slice_eq(a.received, b.received) && a.has_rport == b.has_rport &&
               a.rport == b.rport);
    same_params(a.params, b.params);
}

/* Every challenge with its parameters, one after the other, reads as the same challenges. */
static void check_auth(struct ssi_slice value)
{
    struct ssi_sip_reader r = ssi_sip_reader_of(value), again;
    struct ssi_slice scheme, params, name, v;
    struct ssi_sip_digest_fields f;
    enum ssi_digest_algorithm algorithm;
    bool is_sess;

    for (int got; (got = ssi_sip_auth_next(&r, &scheme, &params)) > 0;) {
        FUZZ_CHECK(scheme.len > 0);
        start();
        ssi_buf_put_slice(&scratch, scheme);
        struct ssi_sip_reader p = ssi_sip_reader_of(params);
        for (const char *comma = " "; ssi_sip_auth_param(&p, &name, &v) > 0; comma = ", ") {
            FUZZ_CHECK(name.len > 0 && v.len > 0);
            ssi_buf_put_str(&scratch, comma);
            ssi_buf_put_slice(&scratch, name);
            ssi_buf_put_char(&scratch, '=');
            ssi_buf_put_slice(&scratch, v);
        }
        FUZZ_CHECK(p.p == p.end);
        struct ssi_slice scheme2, params2, name2, v2;
        again = ssi_sip_reader_of(written());
        FUZZ_CHECK(ssi_sip_auth_next(&again, &scheme2, &params2) == 1 && again.p == again.end);
        FUZZ_CHECK(ssi_slice_eq(scheme, scheme2));
        p = ssi_sip_reader_of(params);
        struct ssi_sip_reader p2 = ssi_sip_reader_of(params2);
        while (ssi_sip_auth_param(&p, &name, &v) > 0)
            FUZZ_CHECK(ssi_sip_auth_param(&p2, &name2, &v2) > 0 && ssi_slice_eq(name, name2) &&
                       ssi_slice_eq(v, v2));
        FUZZ_CHECK(ssi_sip_auth_param(&p2, &name2, &v2) == 0);
        if (ssi_sip_digest_fields_read(params, &f))
            ssi_sip_digest_algorithm_of(f.algorithm, &algorithm, &is_sess);
    }
}

/* Every form on every value: a parser must stand any bytes, whoever calls it. */
static void check_alone(struct ssi_slice value)
{
    struct ssi_sip_uri u;

    for (int form = SSI_SIP_FORM_TEXT; form <= SSI_SIP_FORM_CALL_PARAMS; form++)
        check_item((enum ssi_sip_form)form, value);
    check_reason(value);
    check_rack(value);
    check_replaces(value);
    check_session(value);
    check_date(value);
    for (int kind = SSI_SIP_TYPED_MEDIA; kind <= SSI_SIP_TYPED_INFO; kind++)
        check_typed((enum ssi_sip_typed_kind)kind, value);
    if (ssi_sip_uri_parse(value, &u) == 0)
        check_uri(&u);
    check_address(value);
    check_via(value);
    check_auth(value);
}

/* A message around the line; its own line of that name is left out. */
static void put_around(const char *start_line, enum ssi_sip_hdr id, struct ssi_slice name,
                       struct ssi_slice value)
{
    static const struct {
        enum ssi_sip_hdr id;
        const char *line;
    } base[] = {
        {SSI_HDR_VIA, "Via: SIP/2.0/TLS h.example;branch=z9hG4bK1\r\n"},
        {SSI_HDR_FROM, "From: <sip:a@example.com>;tag=1\r\n"},
        {SSI_HDR_TO, "To: <sip:b@example.com>\r\n"},
        {SSI_HDR_CALL_ID, "Call-ID: 1@example.com\r\n"},
        {SSI_HDR_CSEQ, "CSeq: 1 REGISTER\r\n"},
        {SSI_HDR_MAX_FORWARDS, "Max-Forwards: 70\r\n"},
        {SSI_HDR_CONTENT_LENGTH, "Content-Length: 0\r\n"},
    };

    start();
    ssi_buf_put_str(&scratch, start_line);
    for (size_t i = 0; i < sizeof base / sizeof base[0]; i++)
        if (base[i].id != id)
            ssi_buf_put_str(&scratch, base[i].line);
    ssi_buf_put_slice(&scratch, name);
    ssi_buf_put_str(&scratch, ": ");
    ssi_buf_put_slice(&scratch, value);
    ssi_buf_put_str(&scratch, "\r\n\r\n");
}

static void look_inside(const struct ssi_sip_msg *m, enum ssi_sip_hdr id)
{
    struct ssi_sip_values it;
    struct ssi_slice v;
    struct ssi_sip_addr a;
    struct ssi_sip_via via;
    uint32_t n = 0, n_read = 0;

    ssi_sip_values_init(&it, m, id);
    for (; ssi_sip_values_next(&it, &v); n++) {
        FUZZ_CHECK(v.len > 0 && v.p >= m->wire.p && v.p + v.len <= m->wire.p + m->wire.len);
        FUZZ_CHECK(ssi_sip_form_of(id) != SSI_SIP_FORM_TOKEN || ssi_sip_msg_lists(m, id, v));
    }
    ssi_sip_values_init(&it, m, id);
    if (ssi_sip_form_of(id) == SSI_SIP_FORM_ADDRESS && ssi_sip_is_list(id) &&
        m->fault.result == 0) {
        int32_t got;
        while ((got = ssi_sip_values_next_addr(&it, &a)) > 0) {
            ssi_sip_msg_expires(m, &a, 3600);
            n_read++;
        }
        FUZZ_CHECK(got < 0 || n_read == n);
    }
    if (id == SSI_HDR_VIA && m->fault.result == 0) {
        while (ssi_sip_values_next_via(&it, &via) > 0)
            n_read++;
        FUZZ_CHECK(n_read == n);
    }
    ssi_sip_msg_expires(m, NULL, 3600);
    int verdict = ssi_sip_msg_verdict(m, NULL);
    FUZZ_CHECK(m->is_request ? verdict == 0 || (verdict >= 400 && verdict < 600) : verdict == 0);
}

static void check_in_message(const char *start_line, struct ssi_slice name, struct ssi_slice value)
{
    enum ssi_sip_hdr id = ssi_sip_hdr_of(name);
    struct ssi_sip_msg *m = NULL, *again = NULL;
    struct ssi_sip_challenge c = {0};

    put_around(start_line, id, name, value);
    if (ssi_sip_msg_parse(written().p, written().len, false, NULL, NULL, &m) < 0)
        return;
    FUZZ_CHECK(ssi_sip_msg_header_named(m, m->headers[m->n_headers - 1].name, NULL) != NULL);
    look_inside(m, id);
    if (ssi_sip_challenge_pick(m, &c) == 0)
        FUZZ_CHECK(c.realm && c.nonce);
    ssi_sip_challenge_free(&c);
    if (m->fault.result == 0) {
        start();
        ssi_sip_put_message(&scratch, m);
        FUZZ_CHECK(ssi_sip_msg_parse(written().p, written().len, false, NULL, NULL, &again) == 0);
        FUZZ_CHECK(again->fault.result == 0 && again->n_headers == m->n_headers);
        for (uint32_t i = 0; i < m->n_headers; i++)
            FUZZ_CHECK(again->headers[i].id == m->headers[i].id &&
                       ssi_slice_eq(again->headers[i].value, m->headers[i].value));
        ssi_sip_msg_unref(again);
    }
    ssi_sip_msg_unref(m);
}

static void check_string(const char *s, size_t len)
{
    FUZZ_CHECK(s && s[len] == 0);
}

/* ";a=b;c" out of a public getter: each parameter is found by its name and fits into as much room as all of them. */
static void check_public_params(const char *params)
{
    static char out[8192 + 1];
    char name[64];

    for (const char *p = params; (p = strchr(p, ';')); p++) {
        size_t n = strcspn(p + 1, "=; \t\"");
        if (n == 0 || n >= sizeof name)
            continue;
        memcpy(name, p + 1, n);
        name[n] = 0;
        int32_t len = secsip_message_get_param(params, name, out, sizeof out);
        FUZZ_CHECK(len == SECSIP_E_NOT_FOUND || (len >= 0 && (size_t)len <= strlen(params)));
        if (len > 0)
            FUZZ_CHECK(secsip_message_get_param(params, name, out, (size_t)len) == SECSIP_E_LIMIT);
    }
}

static void check_public_values(secsip_message *m, const char *name)
{
    secsip_message_value v = {.size = sizeof v};
    secsip_message_address a = {.size = sizeof a};
    secsip_message_uri u = {.size = sizeof u};
    secsip_message_auth c = {.size = sizeof c};
    secsip_message_header h = {.size = sizeof h};

    for (uint32_t i = 0; i < 16 && secsip_message_get_value(m, name, i, &v) == 0; i++) {
        check_string(v.value, v.value_len);
        FUZZ_CHECK(v.number <= UINT32_MAX);
        check_public_params(v.params);
    }
    for (uint32_t i = 0; i < 16 && secsip_message_get_address(m, name, i, &a) == 0; i++) {
        if (a.display)
            check_string(a.display, a.display_len);
        check_public_params(a.params);
        secsip_result rc = secsip_message_get_uri(m, name, i, &u);
        FUZZ_CHECK(rc == 0 || (rc == SECSIP_E_NOT_FOUND && strcmp(a.uri, "*") == 0));
        if (rc < 0)
            continue;
        FUZZ_CHECK(strcmp(u.text, a.uri) == 0 && secsip_message_uri_equal(u.text, a.uri) == 1);
        check_public_params(u.params);
    }
    for (uint32_t i = 0; i < 16 && secsip_message_get_auth(m, name, i, &c) == 0; i++)
        FUZZ_CHECK(c.scheme[0] && c.params);
    for (uint32_t i = 0; i < 16 && secsip_message_find_header(m, name, i, &h) == 0; i++)
        check_string(h.value, h.value_len);
}

static void check_public_fields(secsip_message *m)
{
    secsip_message_via via = {.size = sizeof via};
    secsip_message_cause cause = {.size = sizeof cause};
    secsip_message_rack rack = {.size = sizeof rack};
    secsip_message_replaces replaces = {.size = sizeof replaces};
    secsip_message_session session = {.size = sizeof session};
    int64_t date;

    for (uint32_t i = 0; i < 16 && secsip_message_get_via(m, i, &via) == 0; i++) {
        FUZZ_CHECK(via.transport[0] && via.host[0]);
        check_public_params(via.params);
    }
    for (uint32_t i = 0; i < 16 && secsip_message_get_cause(m, i, &cause) == 0; i++) {
        FUZZ_CHECK(cause.protocol[0]);
        if (cause.text)
            check_string(cause.text, cause.text_len);
    }
    if (secsip_message_get_rack(m, &rack) == 0)
        FUZZ_CHECK(rack.rseq > 0 && rack.method[0]);
    if (secsip_message_get_replaces(m, &replaces) == 0)
        FUZZ_CHECK(replaces.call_id[0] && replaces.to_tag[0] && replaces.from_tag[0]);
    if (secsip_message_get_session(m, &session) == 0)
        FUZZ_CHECK(session.refresher >= 0 && session.refresher <= SECSIP_REFRESHER_UAS);
    secsip_message_get_date(m, &date);
}

static void check_public(const char *start_line, struct ssi_slice name, struct ssi_slice value)
{
    secsip_message *m = NULL;
    char text[64];

    put_around(start_line, ssi_sip_hdr_of(name), name, value);
    if (secsip_message_parse(written().p, written().len, NULL, &m) < 0)
        return;
    ssi_slice_show(name, text, sizeof text);
    check_public_values(m, text);
    check_public_fields(m);
    secsip_message_unref(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ssi_slice all = ssi_slice_of(data, size);
    size_t line = ssi_slice_find(all, '\n');
    struct ssi_slice name = ssi_slice_of(all.p, line), value = ssi_slice_from(all, line + 1);

    if (size > 8192)
        return 0;
    ssi_buf_init(&scratch, SIZE_MAX);
    check_alone(value);
    check_in_message("REGISTER sip:example.com SIP/2.0\r\n", name, value);
    check_in_message("SIP/2.0 401 No\r\n", name, value);
    check_in_message("SIP/2.0 407 No\r\n", name, value);
    check_public("REGISTER sip:example.com SIP/2.0\r\n", name, value);
    check_public("SIP/2.0 401 No\r\n", name, value);
    ssi_buf_free(&scratch);
    return 0;
}
