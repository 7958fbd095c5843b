/* A resolver of the application's own. Layer: api. The public query is the core's under another name. */
#include "secsip/resolver.h"

#include "api/abi.h"
#include "api/stack.h"
#include "base/export.h"

static secsip_result ask(void *arg, struct ssi_query *q, enum ssi_rr_type type, const char *name)
{
    const secsip_stack *s = arg;
    return s->resolver.resolve((secsip_query *)q, (int32_t)type, name, s->resolver_data);
}

static void cancel(void *arg, struct ssi_query *q)
{
    const secsip_stack *s = arg;
    s->resolver.cancel((secsip_query *)q, s->resolver_data);
}

SECSIP_EXPORT secsip_result secsip_stack_set_resolver(secsip_stack *stack,
                                                      const secsip_resolver *resolver,
                                                      void *user_data)
{
    const struct ssi_io up = {.arg = stack, .resolve = ask, .resolve_cancel = cancel};
    secsip_resolver known;

    if (!stack || !resolver)
        return SECSIP_E_INVALID;
    secsip_result r = ssi_abi_take(&known, sizeof known, resolver, sizeof known);
    if (r < 0)
        return r;
    if (!known.resolve || !known.cancel)
        return SECSIP_E_INVALID;
    r = ssi_names_set_resolver(&stack->ua.names, &up);
    if (r < 0)
        return r;
    stack->resolver = known;
    stack->resolver_data = user_data;
    return 0;
}

static bool copy_text(const char *text, char *out, size_t cap)
{
    size_t len = text ? strlen(text) : 0;

    if (len >= cap)
        return false;
    if (len > 0 && text[len - 1] == '.')
        len--;
    if (len > 0)
        memcpy(out, text, len);
    out[len] = 0;
    return true;
}

/* False: passed over. */
static bool take_record(const secsip_dns_record *public_record, struct ssi_rr *to)
{
    secsip_dns_record from;

    memset(to, 0, sizeof *to);
    if (ssi_abi_take(&from, sizeof from, public_record, sizeof from) < 0 ||
        from.priority > UINT16_MAX || from.weight > UINT16_MAX || from.port > UINT16_MAX)
        return false;
    to->type = (enum ssi_rr_type)from.type;
    to->ttl_s = from.ttl_s;
    to->priority = (uint16_t)from.priority;
    to->weight = (uint16_t)from.weight;
    to->port = (uint16_t)from.port;
    if (from.type == SECSIP_DNS_A || from.type == SECSIP_DNS_AAAA)
        return from.address && ssi_addr_parse_ip(ssi_slice_str(from.address), 0, &to->addr) &&
               to->addr.family == (from.type == SECSIP_DNS_A ? 4 : 6);
    return copy_text(from.target, to->target, sizeof to->target) &&
           copy_text(from.service, to->service, sizeof to->service) &&
           copy_text(from.flags, to->flags, sizeof to->flags);
}

SECSIP_EXPORT void secsip_query_answer(secsip_query *query, secsip_result result,
                                       const secsip_dns_record *records, size_t n)
{
    struct ssi_query *q = (struct ssi_query *)query;
    struct ssi_rr rrs[SSI_NAMES_RRS];
    struct ssi_ua *ua = q->ua;
    size_t taken = 0;

    ssi_stack_now(ua);
    bool wanted = result >= 0 || result == SECSIP_E_NET_RESOLVE;
    for (size_t i = 0; wanted && i < n && taken < SSI_NAMES_RRS; i++)
        taken += take_record(&records[i], &rrs[taken]);
    if (result >= 0 && taken == 0)
        result = SECSIP_E_NET_RESOLVE;
    ssi_names_answer_later(q, result, rrs, taken);
    ssi_stack_touch(ua);
}

SECSIP_EXPORT void secsip_query_set_data(secsip_query *query, void *data)
{
    ((struct ssi_query *)query)->io_data = data;
}

SECSIP_EXPORT void *secsip_query_get_data(const secsip_query *query)
{
    return ((const struct ssi_query *)query)->io_data;
}
