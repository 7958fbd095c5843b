/* The public stack. Layer: api. */
#include "api/stack.h"

#include <poll.h>
#include <stdlib.h>

#include "api/abi.h"
#include "base/export.h"
#include "sip/build.h"
#include "ua/flow_udp.h"

static const char default_agent[] = "libsecsip/" SECSIP_VERSION_TEXT;

static void translate(const secsip_stack_config *c, struct ssi_ua_config *ret)
{
    *ret = (struct ssi_ua_config){
        .user_agent = c->user_agent ? c->user_agent : default_agent,
        .log = {.write = c->log,
                .user_data = c->user_data,
                .level = c->log_level ? c->log_level : SECSIP_LOG_WARNING},
        .trace = c->trace,
        .tls_failure = c->tls_failure,
        .trace_data = c->user_data,
        .txn = {.t1_ms = c->t1_ms,
                .t2_ms = c->t2_ms,
                .t4_ms = c->t4_ms,
                .max_transactions = c->max_transactions},
        .limits = {.message_bytes = c->max_message_bytes ? c->max_message_bytes : 65536,
                   .header_lines = c->max_header_lines,
                   .value_bytes = c->max_header_bytes,
                   .params = c->max_params,
                   .elements = c->max_list_elements,
                   .uri_bytes = c->max_uri_bytes},
        .max_connections = c->max_connections,
        .max_buffered_bytes = c->max_buffered_bytes,
        .handshake_timeout_ms = c->handshake_timeout_ms,
        .max_unsent_bytes = c->max_unsent_bytes,
        .max_connections_per_address = c->max_connections_per_address,
        .max_handshakes = c->max_handshakes,
        .idle_timeout_ms = c->idle_timeout_ms,
        .message_timeout_ms = c->message_timeout_ms,
    };
}

secsip_result ssi_stack_alloc(const secsip_stack_config *config, struct ssi_ua_config *ret_config,
                              secsip_stack **ret_stack)
{
    secsip_stack_config known = {.size = sizeof known};

    if (!ret_stack)
        return SECSIP_E_INVALID;
    if (config) {
        secsip_result r =
            ssi_abi_take(&known, sizeof known, config, offsetof(secsip_stack_config, dns_servers));
        if (r >= 0)
            r = ssi_sip_check_text(known.user_agent);
        if (r < 0)
            return r;
    }
    secsip_stack *s = calloc(1, sizeof *s);
    if (!s)
        return SECSIP_E_NOMEM;
    s->refs = 1;
    translate(&known, ret_config);
    *ret_stack = s;
    return 0;
}

SECSIP_EXPORT secsip_result secsip_stack_new(const secsip_stack_config *config,
                                             secsip_stack **ret_stack)
{
    struct ssi_ua_config ua_config;
    struct ssi_io io;
    secsip_stack *s;
    uint64_t now_us, wall_s;

    secsip_result r = ssi_stack_alloc(config, &ua_config, &s);
    if (r < 0)
        return r;
    bool has_dns = config && config->size > offsetof(secsip_stack_config, dns_servers);
    r = ssi_driver_new(&s->ua, has_dns ? config->dns_servers : NULL, &s->driver);
    if (r < 0)
        goto fail_stack;
    ssi_driver_io(s->driver, &io);
    ssi_driver_now(&now_us, &wall_s);
    r = ssi_ua_init(&s->ua, &ua_config, &io, now_us, wall_s);
    if (r < 0)
        goto fail_driver;
    *ret_stack = s;
    return 0;

fail_driver:
    ssi_driver_free(s->driver);
fail_stack:
    free(s);
    return r;
}

SECSIP_EXPORT secsip_stack *secsip_stack_ref(secsip_stack *stack)
{
    if (stack)
        stack->refs++;
    return stack;
}

static void free_stack(secsip_stack *s)
{
    ssi_ua_free(&s->ua);
    ssi_driver_free(s->driver);
    free(s);
}

SECSIP_EXPORT void secsip_stack_unref(secsip_stack *stack)
{
    if (!stack || --stack->refs > 0)
        return;
    if (stack->depth > 0)
        stack->doomed = true;
    else
        free_stack(stack);
}

bool ssi_stack_enter(secsip_stack *s)
{
    if (s->depth > 0)
        return false;
    s->depth++;
    return true;
}

void ssi_stack_leave(secsip_stack *s)
{
    s->depth--;
    if (s->doomed)
        free_stack(s);
}

void ssi_stack_now(struct ssi_ua *ua)
{
    secsip_stack *s = ua ? SSI_CONTAINER(ua, secsip_stack, ua) : NULL;
    uint64_t now_us;

    if (!s || !s->driver || s->depth > 0)
        return;
    ssi_driver_now(&now_us, &ua->wall_s);
    ssi_timers_advance(&ua->timers, now_us, 0);
}

void ssi_stack_touch(struct ssi_ua *ua)
{
    secsip_stack *s = ua ? SSI_CONTAINER(ua, secsip_stack, ua) : NULL;

    if (s && s->driver && s->depth == 0)
        ssi_driver_rearm(s->driver);
}

SECSIP_EXPORT int32_t secsip_stack_get_fd(const secsip_stack *stack)
{
    if (!stack)
        return SECSIP_E_INVALID;
    return stack->driver ? ssi_driver_fd(stack->driver) : SECSIP_E_UNSUPPORTED;
}

SECSIP_EXPORT secsip_result secsip_stack_process(secsip_stack *stack)
{
    if (!stack || !stack->driver)
        return SECSIP_E_INVALID;
    if (!ssi_stack_enter(stack))
        return SECSIP_E_BUSY;
    secsip_result r = ssi_driver_process(stack->driver);
    ssi_stack_leave(stack);
    return r;
}

SECSIP_EXPORT secsip_result secsip_stack_wait(secsip_stack *stack, int32_t timeout_ms)
{
    if (!stack || !stack->driver)
        return SECSIP_E_INVALID;
    if (stack->depth > 0)
        return SECSIP_E_BUSY;
    struct pollfd p = {.fd = ssi_driver_fd(stack->driver), .events = POLLIN};
    /* A signal ends the wait early: the caller may want to look at what it set. */
    if (poll(&p, 1, timeout_ms) <= 0)
        return 0;
    return secsip_stack_process(stack);
}

SECSIP_EXPORT secsip_result secsip_stack_shutdown(secsip_stack *stack, uint32_t timeout_ms)
{
    if (!stack)
        return SECSIP_E_INVALID;
    ssi_stack_now(&stack->ua);
    ssi_ua_shutdown(&stack->ua, timeout_ms);
    ssi_stack_touch(&stack->ua);
    return 0;
}

SECSIP_EXPORT int32_t secsip_stack_is_idle(const secsip_stack *stack)
{
    return stack && ssi_ua_is_idle(&stack->ua) ? 1 : 0;
}

SECSIP_EXPORT secsip_result secsip_stack_listen(secsip_stack *stack, const char *address,
                                                secsip_tls_profile *profile, uint16_t *ret_port)
{
    static const struct ssi_slice names[] = {
        [SSI_TRANSPORT_TLS] = SSI_LIT("tls:"),
        [SSI_TRANSPORT_TCP] = SSI_LIT("insecure-tcp:"),
        [SSI_TRANSPORT_UDP] = SSI_LIT("insecure-udp:"),
    };
    struct ssi_addr at, bound;
    size_t t = 0;

    if (!stack || !address)
        return SECSIP_E_INVALID;
    struct ssi_slice text = ssi_slice_str(address);
    while (t < 3 &&
           !(text.len > names[t].len && ssi_slice_eq(ssi_slice_of(text.p, names[t].len), names[t])))
        t++;
    if (t == 3 || (t == SSI_TRANSPORT_TLS) != (profile != NULL))
        return SECSIP_E_INVALID;
    if (!ssi_addr_parse(ssi_slice_from(text, names[t].len), &at))
        return SECSIP_E_INVALID;
    secsip_result r = t == SSI_TRANSPORT_UDP ? ssi_udp_listen(&stack->ua, &at, &bound)
                                             : ssi_ua_listen(&stack->ua, &at, profile, &bound);
    if (r < 0)
        return r;
    ssi_stack_touch(&stack->ua);
    if (ret_port)
        *ret_port = bound.port;
    return 0;
}
