/* Typed values of header fields, see values.h. Layer: sip. */
#include "sip/values.h"

#include "sip/read.h"

struct shape {
    uint8_t form;
    bool is_list;
};

static const struct shape shapes[SSI_HDR_COUNT] = {
    [SSI_HDR_ACCEPT] = {SSI_SIP_FORM_MEDIA, true},
    [SSI_HDR_ACCEPT_ENCODING] = {SSI_SIP_FORM_ITEM, true},
    [SSI_HDR_ACCEPT_LANGUAGE] = {SSI_SIP_FORM_ITEM, true},
    [SSI_HDR_ALERT_INFO] = {SSI_SIP_FORM_INFO, true},
    [SSI_HDR_ALLOW] = {SSI_SIP_FORM_TOKEN, true},
    [SSI_HDR_ALLOW_EVENTS] = {SSI_SIP_FORM_TOKEN, true},
    [SSI_HDR_AUTHORIZATION] = {SSI_SIP_FORM_AUTH, false},
    [SSI_HDR_CALL_ID] = {SSI_SIP_FORM_CALL_ID, false},
    [SSI_HDR_CALL_INFO] = {SSI_SIP_FORM_INFO, true},
    [SSI_HDR_CONTACT] = {SSI_SIP_FORM_ADDRESS, true},
    [SSI_HDR_CONTENT_DISPOSITION] = {SSI_SIP_FORM_DISPOSITION, false},
    [SSI_HDR_CONTENT_ENCODING] = {SSI_SIP_FORM_TOKEN, true},
    [SSI_HDR_CONTENT_LANGUAGE] = {SSI_SIP_FORM_TOKEN, true},
    [SSI_HDR_CONTENT_LENGTH] = {SSI_SIP_FORM_NUMBER, false},
    [SSI_HDR_CONTENT_TYPE] = {SSI_SIP_FORM_MEDIA, false},
    [SSI_HDR_ERROR_INFO] = {SSI_SIP_FORM_INFO, true},
    [SSI_HDR_EVENT] = {SSI_SIP_FORM_ITEM, false},
    [SSI_HDR_EXPIRES] = {SSI_SIP_FORM_NUMBER, false},
    [SSI_HDR_FROM] = {SSI_SIP_FORM_ADDRESS, false},
    [SSI_HDR_IN_REPLY_TO] = {SSI_SIP_FORM_CALL_ID, true},
    [SSI_HDR_MAX_FORWARDS] = {SSI_SIP_FORM_NUMBER, false},
    [SSI_HDR_MIN_EXPIRES] = {SSI_SIP_FORM_NUMBER, false},
    [SSI_HDR_MIN_SE] = {SSI_SIP_FORM_DELTA, false},
    [SSI_HDR_PATH] = {SSI_SIP_FORM_ADDRESS, true},
    [SSI_HDR_PRIORITY] = {SSI_SIP_FORM_TOKEN, false},
    [SSI_HDR_PRIVACY] = {SSI_SIP_FORM_ITEM, false}, /* RFC 3323 4.2: tokens between ';' */
    [SSI_HDR_PROXY_AUTHENTICATE] = {SSI_SIP_FORM_AUTH, false},
    [SSI_HDR_PROXY_AUTHORIZATION] = {SSI_SIP_FORM_AUTH, false},
    [SSI_HDR_PROXY_REQUIRE] = {SSI_SIP_FORM_TOKEN, true},
    [SSI_HDR_REASON] = {SSI_SIP_FORM_ITEM, true},
    [SSI_HDR_RECORD_ROUTE] = {SSI_SIP_FORM_ADDRESS, true},
    [SSI_HDR_REFER_TO] = {SSI_SIP_FORM_ADDRESS, false},
    [SSI_HDR_REFERRED_BY] = {SSI_SIP_FORM_ADDRESS, false},
    [SSI_HDR_REPLACES] = {SSI_SIP_FORM_CALL_PARAMS, false},
    [SSI_HDR_REPLY_TO] = {SSI_SIP_FORM_ADDRESS, false},
    [SSI_HDR_REQUIRE] = {SSI_SIP_FORM_TOKEN, true},
    [SSI_HDR_RETRY_AFTER] = {SSI_SIP_FORM_RETRY, false},
    [SSI_HDR_ROUTE] = {SSI_SIP_FORM_ADDRESS, true},
    [SSI_HDR_RSEQ] = {SSI_SIP_FORM_NUMBER, false},
    [SSI_HDR_SERVICE_ROUTE] = {SSI_SIP_FORM_ADDRESS, true},
    [SSI_HDR_SESSION_EXPIRES] = {SSI_SIP_FORM_DELTA, false},
    [SSI_HDR_SUBSCRIPTION_STATE] = {SSI_SIP_FORM_ITEM, false},
    [SSI_HDR_SUPPORTED] = {SSI_SIP_FORM_TOKEN, true},
    [SSI_HDR_TO] = {SSI_SIP_FORM_ADDRESS, false},
    [SSI_HDR_UNSUPPORTED] = {SSI_SIP_FORM_TOKEN, true},
    [SSI_HDR_VIA] = {SSI_SIP_FORM_VIA, true},
    [SSI_HDR_WARNING] = {SSI_SIP_FORM_TEXT, true},
    [SSI_HDR_WWW_AUTHENTICATE] = {SSI_SIP_FORM_AUTH, false},
};

enum ssi_sip_form ssi_sip_form_of(enum ssi_sip_hdr id)
{
    return (enum ssi_sip_form)shapes[id].form;
}

bool ssi_sip_is_list(enum ssi_sip_hdr id)
{
    return shapes[id].is_list;
}

static secsip_result wrong(const struct ssi_sip_reader *r)
{
    return r->too_large ? SECSIP_E_SIP_TOO_LARGE : SECSIP_E_SIP_HEADER;
}

bool ssi_sip_read_call_id(struct ssi_sip_reader *r)
{
    if (ssi_sip_run(r, SSI_CH_WORD).len == 0)
        return ssi_sip_wrong(r, "a Call-ID");
    if (!ssi_sip_next_is(r, '@'))
        return true;
    r->p++;
    return ssi_sip_run(r, SSI_CH_WORD).len > 0 || ssi_sip_wrong(r, "a word after '@'");
}

/* LPAREN *(ctext / quoted-pair / comment) RPAREN; they nest, counted and not by recursion. */
static bool read_comment(struct ssi_sip_reader *r)
{
    uint32_t depth = 0;

    do {
        if (r->p == r->end)
            return ssi_sip_wrong(r, "')' at the end of a comment");
        char c = *r->p;
        if (c == '\\') {
            if (r->end - r->p < 2 || r->p[1] == '\r' || r->p[1] == '\n' ||
                (unsigned char)r->p[1] > 0x7f)
                return ssi_sip_wrong(r, "a byte that may follow a backslash");
            r->p += 2;
            continue;
        }
        const char *before = r->p;
        ssi_sip_skip_ws(r);
        if (r->p > before)
            continue;
        if ((unsigned char)c < 0x20 || c == 0x7f)
            return ssi_sip_wrong(r, "no control byte inside a comment");
        depth += c == '(';
        depth -= c == ')';
        r->p++;
    } while (depth > 0);
    return true;
}

/* *(SEMI generic-param), each name once, up to the end. */
static bool read_params(struct ssi_sip_reader *r, struct ssi_slice *ret)
{
    struct ssi_slice name, value;
    struct ssi_sip_seen seen;
    int got;

    seen.n = 0;
    ssi_sip_skip_ws(r);
    const char *from = r->p, *last = from;
    while ((got = ssi_sip_read_param(r, &name, &value)) > 0) {
        if (!ssi_sip_note_name(r, &seen, name))
            return false;
        last = r->p;
    }
    *ret = ssi_slice_of(from, (size_t)(last - from));
    return got == 0;
}

static bool read_main(struct ssi_sip_reader *r, enum ssi_sip_form form, struct ssi_sip_item *item)
{
    switch (form) {
    case SSI_SIP_FORM_TOKEN:
    case SSI_SIP_FORM_ITEM:
        return ssi_sip_run(r, SSI_CH_TOKEN).len > 0 || ssi_sip_wrong(r, "a token");
    case SSI_SIP_FORM_NUMBER:
    case SSI_SIP_FORM_DELTA:
    case SSI_SIP_FORM_RETRY:
        return ssi_sip_read_number(r, UINT32_MAX, &item->number);
    case SSI_SIP_FORM_CALL_ID:
    case SSI_SIP_FORM_CALL_PARAMS:
        return ssi_sip_read_call_id(r);
    default:
        r->p = r->end;
        return true;
    }
}

secsip_result ssi_sip_item_parse(enum ssi_sip_form form, struct ssi_slice text,
                                 struct ssi_sip_item *ret)
{
    struct ssi_sip_reader r = ssi_sip_reader_of(text);
    struct ssi_sip_item item = {.params = {"", 0}};

    if (!read_main(&r, form, &item))
        return wrong(&r);
    item.main = ssi_slice_of(text.p, (size_t)(r.p - text.p));
    if (form == SSI_SIP_FORM_RETRY) {
        ssi_sip_skip_ws(&r);
        if (ssi_sip_next_is(&r, '(') && !read_comment(&r))
            return wrong(&r);
    }
    bool has_params = form == SSI_SIP_FORM_ITEM || form == SSI_SIP_FORM_DELTA ||
                      form == SSI_SIP_FORM_RETRY || form == SSI_SIP_FORM_CALL_PARAMS;
    if (has_params && !read_params(&r, &item.params))
        return wrong(&r);
    if (r.p != r.end)
        return SECSIP_E_SIP_HEADER;
    *ret = item;
    return 0;
}

secsip_result ssi_sip_reason_parse(struct ssi_slice text, struct ssi_sip_reason *ret)
{
    struct ssi_sip_item item;
    struct ssi_sip_reason reason = {0};
    struct ssi_slice value;
    uint64_t cause = 0;

    secsip_result rc = ssi_sip_item_parse(SSI_SIP_FORM_ITEM, text, &item);
    if (rc < 0)
        return rc;
    reason.protocol = item.main;
    if (ssi_sip_param(item.params, SSI_LIT("cause"), &value)) {
        if (!ssi_slice_to_u64(value, UINT32_MAX, &cause))
            return SECSIP_E_SIP_HEADER;
        reason.has_cause = true;
        reason.cause = (uint32_t)cause;
    }
    if (ssi_sip_param(item.params, SSI_LIT("text"), &value)) {
        if (value.len == 0 || value.p[0] != '"')
            return SECSIP_E_SIP_HEADER;
        reason.text = value;
    }
    *ret = reason;
    return 0;
}

/* LWS: at least one blank. */
static bool read_gap(struct ssi_sip_reader *r)
{
    const char *before = r->p;

    ssi_sip_skip_ws(r);
    return r->p > before;
}

secsip_result ssi_sip_rack_parse(struct ssi_slice text, struct ssi_sip_rack *ret)
{
    struct ssi_sip_reader r = ssi_sip_reader_of(text);
    uint64_t rseq = 0, cseq = 0;

    if (!ssi_sip_read_number(&r, UINT32_MAX, &rseq) || rseq == 0 || !read_gap(&r) ||
        !ssi_sip_read_number(&r, INT32_MAX, &cseq) || !read_gap(&r))
        return SECSIP_E_SIP_HEADER;
    struct ssi_slice method = ssi_sip_run(&r, SSI_CH_TOKEN);
    if (method.len == 0 || r.p != r.end)
        return SECSIP_E_SIP_HEADER;
    *ret = (struct ssi_sip_rack){.method = method, .rseq = (uint32_t)rseq, .cseq = (uint32_t)cseq};
    return 0;
}

static bool is_token(struct ssi_slice s)
{
    struct ssi_sip_reader r = ssi_sip_reader_of(s);

    return s.p && ssi_sip_run(&r, SSI_CH_TOKEN).len > 0 && r.p == r.end;
}

secsip_result ssi_sip_replaces_parse(struct ssi_slice text, struct ssi_sip_replaces *ret)
{
    struct ssi_sip_item item;
    struct ssi_sip_replaces replaces = {0};
    struct ssi_slice value = {NULL, 0};

    secsip_result rc = ssi_sip_item_parse(SSI_SIP_FORM_CALL_PARAMS, text, &item);
    if (rc < 0)
        return rc;
    replaces.call_id = item.main;
    if (!ssi_sip_param(item.params, SSI_LIT("to-tag"), &replaces.to_tag) ||
        !ssi_sip_param(item.params, SSI_LIT("from-tag"), &replaces.from_tag) ||
        !is_token(replaces.to_tag) || !is_token(replaces.from_tag))
        return SECSIP_E_SIP_HEADER;
    replaces.early_only = ssi_sip_param(item.params, SSI_LIT("early-only"), &value);
    if (value.p)
        return SECSIP_E_SIP_HEADER;
    *ret = replaces;
    return 0;
}

secsip_result ssi_sip_session_parse(struct ssi_slice text, struct ssi_sip_session *ret)
{
    struct ssi_sip_item item;
    struct ssi_slice who;
    enum ssi_sip_refresher refresher = SSI_SIP_REFRESHER_NONE;

    secsip_result rc = ssi_sip_item_parse(SSI_SIP_FORM_DELTA, text, &item);
    if (rc < 0)
        return rc;
    if (ssi_sip_param(item.params, SSI_LIT("refresher"), &who)) {
        if (ssi_slice_ieq(who, SSI_LIT("uac")))
            refresher = SSI_SIP_REFRESHER_UAC;
        else if (ssi_slice_ieq(who, SSI_LIT("uas")))
            refresher = SSI_SIP_REFRESHER_UAS;
        else
            return SECSIP_E_SIP_HEADER;
    }
    *ret = (struct ssi_sip_session){(uint32_t)item.number, refresher};
    return 0;
}
