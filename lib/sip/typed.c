/* Typed values through libosip2, see typed.h. Layer: sip; the one file with libosip2. Its parsers get a NUL-terminated copy
 * without folds and with a bounded number of parameters (they are quadratic in it); what they give back is checked with
 * our own grammar, because they let spaces through and drop what follows a parameter they do not like. */
#include "sip/typed.h"

#include <stdarg.h>
#include <stdlib.h>
#include <threads.h>

#include <osipparser2/osip_headers.h>
#include <osipparser2/osip_parser.h>

#include "sip/read.h"

static void no_trace(const char *file, int line, osip_trace_level_t level, const char *format,
                     va_list args)
{
    (void)file;
    (void)line;
    (void)level;
    (void)format;
    (void)args;
}

static once_flag once = ONCE_FLAG_INIT;

/* Process-wide in libosip2: distributions build it with traces to stdout unless this hook is set. */
static void set_up_osip(void)
{
    osip_trace_initialize_func(TRACE_LEVEL0, no_trace);
    parser_init();
}

/* What stands in the value outside of quotes and angle brackets: libosip2 must give back as many of each. */
struct counts {
    uint32_t params; /* ';' */
    uint32_t values; /* '=' */
};

/* NUL-terminated, folds as spaces. NULL with *rc set for too many parameters, control bytes or no memory. */
static char *bounded_copy(struct ssi_slice value, struct counts *ret, secsip_result *rc)
{
    struct ssi_sip_limits limits;
    bool quoted = false, angled = false;
    struct counts n = {0};

    ssi_sip_limits_fill(&limits, NULL);
    *rc = SECSIP_E_SIP_TOO_LARGE;
    if (value.len > limits.value_bytes)
        return NULL;
    char *copy = malloc(value.len + 1);
    if (!copy) {
        *rc = SECSIP_E_NOMEM;
        return NULL;
    }
    for (size_t i = 0; i < value.len; i++) {
        char c = value.p[i];
        copy[i] = c == '\r' || c == '\n' || c == '\t' ? ' ' : c;
        if ((unsigned char)copy[i] < 0x20 || c == 0x7f) {
            *rc = SECSIP_E_SIP_HEADER;
            goto fail;
        }
        if (quoted && c == '\\' && i + 1 < value.len && (unsigned char)value.p[i + 1] >= 0x20) {
            i++;
            copy[i] = value.p[i];
            continue;
        }
        quoted ^= c == '"';
        angled = !quoted && (c == '<' || (angled && c != '>'));
        n.params += !quoted && !angled && c == ';';
        n.values += !quoted && !angled && c == '=';
    }
    copy[value.len] = 0;
    if (n.params <= limits.params) {
        *ret = n;
        return copy;
    }
fail:
    free(copy);
    return NULL;
}

static bool is_token(const char *s)
{
    if (!s || !*s)
        return false;
    while (*s && ssi_sip_is(*s, SSI_CH_TOKEN))
        s++;
    return !*s;
}

static bool is_value(const char *s)
{
    struct ssi_sip_reader r = ssi_sip_reader_of(ssi_slice_str(s));
    struct ssi_slice quoted;

    if (*s == '"')
        return ssi_sip_read_quoted(&r, &quoted) && r.p == r.end;
    return ssi_sip_run(&r, SSI_CH_VALUE).len > 0 && r.p == r.end;
}

static bool params_are_sound(const osip_list_t *list, struct counts expected)
{
    struct ssi_sip_reader r = ssi_sip_reader_of(ssi_slice_of(NULL, 0));
    struct ssi_sip_seen seen;
    uint32_t values = 0;

    seen.n = 0;
    if (osip_list_size(list) < 0 || (uint32_t)osip_list_size(list) != expected.params)
        return false;
    for (uint32_t i = 0; i < expected.params; i++) {
        const osip_generic_param_t *p = osip_list_get(list, (int)i);
        if (!p || !is_token(p->gname) || (p->gvalue && !is_value(p->gvalue)) ||
            !ssi_sip_note_name(&r, &seen, ssi_slice_str(p->gname)))
            return false;
        values += p->gvalue != NULL;
    }
    return values == expected.values;
}

static char *append(char **tail, const char *s)
{
    char *at = *tail;
    size_t n = strlen(s) + 1;

    memcpy(at, s, n);
    *tail += n;
    return at;
}

/* Everything into one allocation of ours. */
static secsip_result take_over(const char *main_part, const char *sub, const osip_list_t *list,
                               struct ssi_sip_typed **ret)
{
    uint32_t n = (uint32_t)osip_list_size(list);
    size_t text = strlen(main_part) + 1 + (sub ? strlen(sub) + 1 : 0);

    for (uint32_t i = 0; i < n; i++) {
        const osip_generic_param_t *p = osip_list_get(list, (int)i);
        text += strlen(p->gname) + 1 + (p->gvalue ? strlen(p->gvalue) + 1 : 0);
    }
    struct ssi_sip_typed *t = malloc(sizeof *t + n * sizeof t->params[0] + text);
    if (!t)
        return SECSIP_E_NOMEM;
    char *tail = (char *)&t->params[n];
    t->main = append(&tail, main_part);
    t->sub = sub ? append(&tail, sub) : NULL;
    t->n_params = n;
    for (uint32_t i = 0; i < n; i++) {
        const osip_generic_param_t *p = osip_list_get(list, (int)i);
        t->params[i].name = append(&tail, p->gname);
        t->params[i].value = p->gvalue ? append(&tail, p->gvalue) : NULL;
    }
    *ret = t;
    return 0;
}

static secsip_result parse_media_type(const char *text, struct counts counts,
                                      struct ssi_sip_typed **ret)
{
    osip_content_type_t *ct;
    secsip_result rc = SECSIP_E_SIP_HEADER;

    if (osip_content_type_init(&ct) != OSIP_SUCCESS)
        return SECSIP_E_NOMEM;
    int got = osip_content_type_parse(ct, text);
    if (got == OSIP_NOMEM)
        rc = SECSIP_E_NOMEM;
    else if (got == OSIP_SUCCESS && is_token(ct->type) && is_token(ct->subtype) &&
             params_are_sound(&ct->gen_params, counts))
        rc = take_over(ct->type, ct->subtype, &ct->gen_params, ret);
    osip_content_type_free(ct);
    return rc;
}

/* "<uri>" to uri, in place of the copy that libosip2 made. */
static const char *inside_brackets(char *element)
{
    struct ssi_sip_uri u;
    size_t n = element ? strlen(element) : 0;

    if (n < 2 || element[0] != '<' || element[n - 1] != '>' ||
        ssi_sip_uri_parse(ssi_slice_of(element + 1, n - 2), &u) < 0)
        return NULL;
    element[n - 1] = 0;
    return element + 1;
}

static secsip_result parse_info(enum ssi_sip_typed_kind kind, const char *text,
                                struct counts counts, struct ssi_sip_typed **ret)
{
    osip_call_info_t *info;
    secsip_result rc = SECSIP_E_SIP_HEADER;

    if (osip_call_info_init(&info) != OSIP_SUCCESS)
        return SECSIP_E_NOMEM;
    int got = kind == SSI_SIP_TYPED_INFO ? osip_call_info_parse(info, text)
                                         : osip_content_disposition_parse(info, text);
    if (got == OSIP_NOMEM) {
        rc = SECSIP_E_NOMEM;
    } else if (got == OSIP_SUCCESS && params_are_sound(&info->gen_params, counts)) {
        const char *main_part =
            kind == SSI_SIP_TYPED_INFO ? inside_brackets(info->element) : info->element;
        if (kind == SSI_SIP_TYPED_INFO ? main_part != NULL : is_token(main_part))
            rc = take_over(main_part, NULL, &info->gen_params, ret);
    }
    osip_call_info_free(info);
    return rc;
}

secsip_result ssi_sip_typed_parse(enum ssi_sip_typed_kind kind, struct ssi_slice value,
                                  struct ssi_sip_typed **ret)
{
    secsip_result rc;
    struct counts counts = {0};

    call_once(&once, set_up_osip);
    char *text = bounded_copy(value, &counts, &rc);
    if (!text)
        return rc;
    rc = kind == SSI_SIP_TYPED_MEDIA ? parse_media_type(text, counts, ret)
                                     : parse_info(kind, text, counts, ret);
    free(text);
    return rc;
}

void ssi_sip_typed_free(struct ssi_sip_typed *t)
{
    free(t);
}

const char *ssi_sip_typed_param_of(const struct ssi_sip_typed *t, const char *name)
{
    for (uint32_t i = 0; i < t->n_params; i++)
        if (ssi_slice_ieq(ssi_slice_str(t->params[i].name), ssi_slice_str(name)))
            return t->params[i].value;
    return NULL;
}
