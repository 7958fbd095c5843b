/* Challenges and credentials, see auth.h. Layer: sip. */
#include "sip/auth.h"

#include <stdlib.h>

static bool skip_commas(struct ssi_sip_reader *r)
{
    bool any = false;

    ssi_sip_skip_ws(r);
    while (ssi_sip_next_is(r, ',')) {
        any = true;
        r->p++;
        ssi_sip_skip_ws(r);
    }
    return any;
}

/* name SWS "=" SWS value. 0, with r unmoved, when what comes next is not that: a scheme. */
static int read_pair(struct ssi_sip_reader *r, struct ssi_slice *name, struct ssi_slice *value)
{
    const char *from = r->p;

    *name = ssi_sip_run(r, SSI_CH_TOKEN);
    ssi_sip_skip_ws(r);
    if (name->len == 0 || !ssi_sip_next_is(r, '=')) {
        r->p = from;
        return 0;
    }
    r->p++;
    ssi_sip_skip_ws(r);
    if (ssi_sip_next_is(r, '"')) {
        if (!ssi_sip_read_quoted(r, value))
            return -1;
    } else {
        *value = ssi_sip_run(r, SSI_CH_VALUE);
        if (value->len == 0)
            return -1;
    }
    return 1;
}

/* "Negotiate YWJj==": taken when the next comma or the end follows it, else r does not move. */
static bool skip_token68(struct ssi_sip_reader *r)
{
    const char *from = r->p;

    while (r->p < r->end && (ssi_sip_is(*r->p, SSI_CH_TOKEN) || *r->p == '/'))
        r->p++;
    while (ssi_sip_next_is(r, '='))
        r->p++;
    ssi_sip_skip_ws(r);
    if (r->p == r->end || *r->p == ',')
        return true;
    r->p = from;
    return false;
}

int ssi_sip_auth_next(struct ssi_sip_reader *r, struct ssi_slice *scheme, struct ssi_slice *params)
{
    struct ssi_slice name, value;

    skip_commas(r);
    if (r->p == r->end)
        return 0;
    *scheme = ssi_sip_run(r, SSI_CH_TOKEN);
    if (scheme->len == 0)
        return -1;
    const char *after = r->p;
    ssi_sip_skip_ws(r);
    const char *from = r->p;
    *params = ssi_slice_of(from, 0);
    if (r->p == r->end || *r->p == ',')
        return 1;
    if (from == after)
        return -1;
    if (skip_token68(r))
        return 1;
    for (uint32_t n = 0;; n++) {
        int got = read_pair(r, &name, &value);
        if (got < 0 || n == r->max_params || (got == 0 && n == 0))
            return -1;
        if (got == 0)
            return 1; /* the next scheme */
        *params = ssi_slice_of(from, (size_t)(r->p - from));
        bool comma = skip_commas(r);
        if (r->p == r->end)
            return 1;
        if (!comma)
            return -1;
    }
}

int ssi_sip_auth_param(struct ssi_sip_reader *r, struct ssi_slice *name, struct ssi_slice *value)
{
    skip_commas(r);
    return r->p == r->end ? 0 : read_pair(r, name, value);
}

/* A fold, whose CR stands at `at`, is one space (RFC 3261 7.3.1); returns its last byte. */
static size_t put_fold(struct ssi_slice value, size_t at, char *out, size_t *n)
{
    while (*n > 0 && (out[*n - 1] == ' ' || out[*n - 1] == '\t'))
        --*n;
    while (at + 1 < value.len && strchr(" \t\r\n", value.p[at + 1]) && value.p[at + 1])
        at++;
    out[(*n)++] = ' ';
    return at;
}

char *ssi_sip_unquote_dup(struct ssi_slice value, secsip_result *ret_rc)
{
    if (value.len >= 2 && value.p[0] == '"')
        value = ssi_slice_of(value.p + 1, value.len - 2);
    char *out = malloc(value.len + 1);
    if (!out) {
        *ret_rc = SECSIP_E_NOMEM;
        return NULL;
    }
    size_t n = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.p[i] == '\r') {
            i = put_fold(value, i, out, &n);
            continue;
        }
        if (value.p[i] == '\\' && i + 1 < value.len)
            i++;
        if (value.p[i] == 0) {
            free(out);
            *ret_rc = SECSIP_E_SIP_AUTH;
            return NULL;
        }
        out[n++] = value.p[i];
    }
    out[n] = 0;
    return out;
}
