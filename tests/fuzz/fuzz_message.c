/* Whole messages: whatever parses holds together, borrows only from itself, and reads the same when it is written again. */
#include "fuzz.h"

#include "sip/build.h"
#include "sip/digest.h"
#include "sip/typed.h"
#include "sip/verdict.h"

static void check_inside(const struct ssi_sip_msg *m, struct ssi_slice s)
{
    if (s.p && s.len > 0)
        FUZZ_CHECK(s.p >= m->wire.p && s.p + s.len <= m->wire.p + m->wire.len);
}

static void check_addr(const struct ssi_sip_msg *m, const struct ssi_sip_addr *a)
{
    check_inside(m, a->whole);
    check_inside(m, a->display);
    check_inside(m, a->params);
    check_inside(m, a->tag);
    check_inside(m, a->uri.whole);
    check_inside(m, a->uri.host);
    check_inside(m, a->uri.params);
    check_inside(m, a->uri.headers);
}

/* A value may hold CR and LF only as a fold, or a reader elsewhere sees other lines than we. */
static void check_lines(struct ssi_slice v)
{
    for (size_t i = 0; i < v.len; i++) {
        if (v.p[i] == '\r')
            FUZZ_CHECK(i + 2 < v.len && v.p[i + 1] == '\n' &&
                       (v.p[i + 2] == ' ' || v.p[i + 2] == '\t'));
        if (v.p[i] == '\n')
            FUZZ_CHECK(i > 0 && v.p[i - 1] == '\r');
    }
}

static void look_everywhere(const struct ssi_sip_msg *m)
{
    static const enum ssi_sip_hdr lists[] = {SSI_HDR_VIA, SSI_HDR_CONTACT, SSI_HDR_ROUTE,
                                             SSI_HDR_SUPPORTED};
    struct ssi_sip_values it;
    struct ssi_slice v;
    struct ssi_sip_addr a;
    struct ssi_sip_via via;

    check_addr(m, &m->from);
    check_addr(m, &m->to);
    check_inside(m, m->call_id);
    check_inside(m, m->via.branch);
    check_inside(m, m->body);
    for (uint32_t i = 0; i < m->n_headers; i++) {
        const struct ssi_sip_header *h = &m->headers[i];
        check_inside(m, h->name);
        check_inside(m, h->value);
        check_lines(h->value);
        FUZZ_CHECK(ssi_sip_msg_header_named(m, h->name, NULL) != NULL);
    }
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        ssi_sip_values_init(&it, m, lists[i]);
        while (ssi_sip_values_next(&it, &v)) {
            check_inside(m, v);
            secsip_result rc =
                lists[i] == SSI_HDR_VIA ? ssi_sip_via_parse(v, &via) : ssi_sip_addr_parse(v, &a);
            /* What the parser let pass, the typed parsers take. */
            if (m->fault.result == 0 && lists[i] != SSI_HDR_SUPPORTED)
                FUZZ_CHECK(rc == 0);
            if (rc == 0 && lists[i] == SSI_HDR_CONTACT)
                ssi_sip_msg_expires(m, &a, 3600);
        }
    }
    if (ssi_sip_msg_value(m, SSI_HDR_CONTENT_TYPE, &v)) {
        struct ssi_sip_typed *t = NULL;
        if (ssi_sip_typed_parse(SSI_SIP_TYPED_MEDIA, v, &t) == 0)
            ssi_sip_typed_free(t);
    }
    ssi_sip_msg_verdict(m, NULL);
}

static void write_and_read_again(const struct ssi_sip_msg *m)
{
    struct ssi_buf b;
    struct ssi_sip_msg *again = NULL;

    ssi_buf_init(&b, SIZE_MAX);
    ssi_sip_put_message(&b, m);
    FUZZ_CHECK(b.failed == 0);
    /* Full names are longer than compact ones. */
    struct ssi_sip_limits limits = {.message_bytes = 1 << 24};
    FUZZ_CHECK(ssi_sip_msg_parse(b.data + b.off, b.len, false, &limits, NULL, &again) == 0);
    FUZZ_CHECK(again->fault.result == 0 && again->n_headers == m->n_headers);
    FUZZ_CHECK(ssi_slice_eq(again->body, m->body) && ssi_slice_eq(again->call_id, m->call_id));
    FUZZ_CHECK(ssi_slice_eq(again->from.whole, m->from.whole) &&
               ssi_slice_eq(again->to.tag, m->to.tag));
    for (uint32_t i = 0; i < m->n_headers; i++)
        FUZZ_CHECK(again->headers[i].id == m->headers[i].id &&
                   ssi_slice_eq(again->headers[i].value, m->headers[i].value));
    ssi_sip_msg_unref(again);
    ssi_buf_free(&b);
}

static void answer(const struct ssi_sip_msg *m)
{
    struct ssi_buf b;
    struct ssi_sip_msg *response = NULL;

    ssi_buf_init(&b, SIZE_MAX);
    ssi_sip_put_response_start(&b, m, 400, NULL, "totag", "192.0.2.1", 5061);
    FUZZ_CHECK(ssi_sip_put_end(&b, NULL, NULL, 0) == 0);
    struct ssi_sip_limits limits = {
        .message_bytes = 1 << 24, .value_bytes = 1 << 20, .params = 1000};
    secsip_result rc = ssi_sip_msg_parse(b.data + b.off, b.len, true, &limits, NULL, &response);
    /* A request whose own Via, CSeq or doubled fields are wrong makes a response that is as wrong. */
    if (m->fault.result == 0) {
        FUZZ_CHECK(rc == 0 && response->n_headers >= 5);
        FUZZ_CHECK(response->to.tag.p && ssi_slice_eq(response->via.branch, m->via.branch));
    }
    if (rc == 0)
        ssi_sip_msg_unref(response);
    ssi_buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int framed = 0; framed < 2; framed++) {
        struct ssi_sip_msg *m = NULL;
        struct ssi_sip_fault fault = {0};
        secsip_result rc = ssi_sip_msg_parse(data, size, framed, NULL, &fault, &m);
        if (rc < 0) {
            FUZZ_CHECK(fault.result == rc && fault.text && fault.offset <= size);
            continue;
        }
        look_everywhere(m);
        if (m->fault.result == 0)
            write_and_read_again(m);
        else
            FUZZ_CHECK(m->is_request && m->fault.status >= 400 && m->fault.offset <= m->wire.len);
        if (m->is_request)
            answer(m);
        ssi_sip_msg_unref(m);
    }
    return 0;
}
