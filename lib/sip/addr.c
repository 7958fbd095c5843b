/* name-addr, addr-spec and Via elements, and their parameters (RFC 3261 20.10, 20.42, 25.1). Layer: sip. */
#include "sip/read.h"

/* Header parameters up to ',' or the end; the tag is found on the way. */
static bool read_addr_params(struct ssi_sip_reader *r, struct ssi_sip_addr *a)
{
    struct ssi_slice name, value;
    struct ssi_sip_seen seen;

    seen.n = 0;
    ssi_sip_skip_ws(r);
    const char *from = r->p;
    const char *last = from;
    int got;
    while ((got = ssi_sip_read_param(r, &name, &value)) > 0) {
        last = r->p;
        if (!ssi_sip_note_name(r, &seen, name))
            return false;
        if (!ssi_sip_name_is(name, SSI_LIT("tag")))
            continue;
        if (!value.p || value.p[0] == '"') {
            r->p = name.p;
            return ssi_sip_wrong(r, "a tag that is a token");
        }
        a->tag = value;
    }
    a->params = ssi_slice_of(from, (size_t)(last - from));
    return got == 0;
}

/* Display name and '<', or nothing when an addr-spec comes: *ret_bare tells. */
static bool read_display(struct ssi_sip_reader *r, struct ssi_sip_addr *a, bool *ret_bare)
{
    const char *from = r->p;
    const char *last;

    *ret_bare = false;
    if (ssi_sip_next_is(r, '"')) {
        if (!ssi_sip_read_quoted(r, &a->display))
            return false;
        ssi_sip_skip_ws(r);
    } else {
        while (ssi_sip_run(r, SSI_CH_TOKEN).len > 0) {
            last = r->p;
            if (ssi_sip_next_is(r, ':') && a->display.len == 0) {
                r->p = from;
                *ret_bare = true;
                return true;
            }
            ssi_sip_skip_ws(r);
            a->display = ssi_slice_of(from, (size_t)(last - from));
        }
    }
    if (!ssi_sip_next_is(r, '<'))
        return ssi_sip_wrong(r, "a URI, or a display name and '<'");
    r->p++;
    return true;
}

static bool take_star(struct ssi_sip_reader *r, struct ssi_sip_addr *a)
{
    if (!ssi_sip_next_is(r, '*'))
        return false;
    struct ssi_sip_reader ahead = *r;
    ahead.p++;
    ssi_sip_skip_ws(&ahead);
    if (ahead.p != ahead.end && *ahead.p != ',')
        return false;
    a->is_star = true;
    a->whole = ssi_slice_of(r->p, 1);
    r->p = ahead.p;
    return true;
}

bool ssi_sip_read_addr(struct ssi_sip_reader *r, struct ssi_sip_addr *ret)
{
    bool bare;

    memset(ret, 0, sizeof *ret);
    ssi_sip_skip_ws(r);
    const char *from = r->p;
    if (take_star(r, ret))
        return true;
    if (!read_display(r, ret, &bare) || !ssi_sip_read_uri(r, bare, &ret->uri))
        return false;
    if (!bare && !ssi_sip_next_is(r, '>'))
        return ssi_sip_wrong(r, "'>' after a URI");
    r->p += !bare;
    const char *last = r->p;
    if (!read_addr_params(r, ret))
        return false;
    if (ret->params.len > 0)
        last = ret->params.p + ret->params.len;
    ret->whole = ssi_slice_of(from, (size_t)(last - from));
    ssi_sip_skip_ws(r);
    if (r->p < r->end && *r->p != ',')
        return ssi_sip_wrong(r, "';', ',' or the end after an address");
    return true;
}

secsip_result ssi_sip_addr_parse(struct ssi_slice text, struct ssi_sip_addr *ret)
{
    struct ssi_sip_reader r = ssi_sip_reader_of(text);
    struct ssi_sip_addr a;

    if (!ssi_sip_read_addr(&r, &a) || r.p != r.end)
        return SECSIP_E_SIP_ADDRESS;
    *ret = a;
    return 0;
}

/* "SIP/2.0/" as nearly everybody writes it. */
static bool take_usual_protocol(struct ssi_sip_reader *r)
{
    if (r->end - r->p < 8 || memcmp(r->p, "SIP/2.0/", 8) != 0)
        return false;
    r->p += 8;
    return true;
}

static bool read_protocol_token(struct ssi_sip_reader *r, struct ssi_slice *ret)
{
    ssi_sip_skip_ws(r);
    *ret = ssi_sip_run(r, SSI_CH_TOKEN);
    return ret->len > 0 || ssi_sip_wrong(r, "a token of sent-protocol");
}

/* SIP "/" 2.0 "/" transport, with white space around the slashes. Other names and versions are kept as they are. */
static bool read_sent_protocol(struct ssi_sip_reader *r, struct ssi_sip_via *v)
{
    for (int i = take_usual_protocol(r) ? 2 : 0; i < 2; i++) {
        struct ssi_slice token;
        if (!read_protocol_token(r, &token))
            return false;
        ssi_sip_skip_ws(r);
        if (!ssi_sip_next_is(r, '/'))
            return ssi_sip_wrong(r, "protocol, version and transport with '/' between them");
        r->p++;
    }
    if (!read_protocol_token(r, &v->transport))
        return false;
    const char *after = r->p;
    ssi_sip_skip_ws(r);
    return r->p > after || ssi_sip_wrong(r, "white space after the transport");
}

static bool read_sent_by(struct ssi_sip_reader *r, struct ssi_sip_via *v)
{
    if (!ssi_sip_read_host(r, &v->host))
        return false;
    struct ssi_sip_reader ahead = *r;
    ssi_sip_skip_ws(&ahead);
    if (!ssi_sip_next_is(&ahead, ':'))
        return true;
    ahead.p++;
    ssi_sip_skip_ws(&ahead);
    r->p = ahead.p;
    return ssi_sip_read_port(r, &v->port);
}

/* Takes what the transaction layer needs out of one parameter. */
static bool note_via_param(struct ssi_sip_reader *r, struct ssi_sip_via *v, struct ssi_slice name,
                           struct ssi_slice value)
{
    struct ssi_slice *into = NULL;

    if (ssi_sip_name_is(name, SSI_LIT("branch"))) {
        into = &v->branch;
    } else if (ssi_sip_name_is(name, SSI_LIT("received"))) {
        into = &v->received;
    } else if (ssi_sip_name_is(name, SSI_LIT("rport"))) {
        uint64_t port = 0;
        if (value.p && (!ssi_slice_to_u64(value, 65535, &port) || port == 0))
            goto wrong;
        v->has_rport = true;
        v->rport = (uint16_t)port;
        return true;
    }
    if (!into)
        return true;
    if (!value.p || value.p[0] == '"')
        goto wrong;
    *into = value;
    return true;
wrong:
    r->p = name.p;
    return ssi_sip_wrong(r, "branch, received and rport well-formed");
}

bool ssi_sip_read_via(struct ssi_sip_reader *r, struct ssi_sip_via *ret)
{
    struct ssi_slice name, value;
    struct ssi_sip_seen seen;

    seen.n = 0;
    memset(ret, 0, sizeof *ret);
    ssi_sip_skip_ws(r);
    const char *from = r->p;
    if (!read_sent_protocol(r, ret) || !read_sent_by(r, ret))
        return false;
    const char *last = r->p;
    ssi_sip_skip_ws(r);
    const char *params = r->p;
    int got;
    while ((got = ssi_sip_read_param(r, &name, &value)) > 0) {
        last = r->p;
        if (!ssi_sip_note_name(r, &seen, name) || !note_via_param(r, ret, name, value))
            return false;
    }
    if (got < 0)
        return false;
    ret->params = ssi_slice_of(params, seen.n > 0 ? (size_t)(last - params) : 0);
    ret->whole = ssi_slice_of(from, (size_t)(last - from));
    ssi_sip_skip_ws(r);
    if (r->p < r->end && *r->p != ',')
        return ssi_sip_wrong(r, "';', ',' or the end after a Via");
    return true;
}

secsip_result ssi_sip_via_parse(struct ssi_slice text, struct ssi_sip_via *ret)
{
    struct ssi_sip_reader r = ssi_sip_reader_of(text);
    struct ssi_sip_via v;

    if (!ssi_sip_read_via(&r, &v) || r.p != r.end)
        return SECSIP_E_SIP_VIA;
    *ret = v;
    return 0;
}

bool ssi_sip_param(struct ssi_slice params, struct ssi_slice name, struct ssi_slice *ret_value)
{
    struct ssi_sip_reader r = ssi_sip_reader_of(params);
    struct ssi_slice n, v;

    while (ssi_sip_read_param(&r, &n, &v) > 0) {
        if (!ssi_slice_ieq(n, name))
            continue;
        if (ret_value)
            *ret_value = v;
        return true;
    }
    return false;
}
