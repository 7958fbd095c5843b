/* The public call. Layer: api. */
#include "api/abi.h"
#include "api/stack.h"
#include "base/export.h"
#include "ua/call.h"
#include "ua/from.h"

static secsip_result take_callbacks(secsip_call_callbacks *to, const secsip_call_callbacks *from)
{
    *to = (secsip_call_callbacks){.size = sizeof *to};
    return from ? ssi_abi_take(to, sizeof *to, from, sizeof(size_t)) : 0;
}

/* A call that is over is not in its stack's list any more and may outlive it. */
static struct ssi_ua *living_stack(const secsip_call *c)
{
    return c->phase == SSI_CALL_OVER ? NULL : c->ua;
}

SECSIP_EXPORT secsip_result secsip_call_new(secsip_account *account, const char *target,
                                            const secsip_call_callbacks *callbacks, void *user_data,
                                            secsip_call **ret_call)
{
    secsip_call_callbacks known;

    if (!account || !target || !ret_call)
        return SECSIP_E_INVALID;
    secsip_result r = take_callbacks(&known, callbacks);
    if (r < 0)
        return r;
    ssi_stack_now(account->ua);
    r = ssi_call_new(account, target, &known, user_data, ret_call);
    ssi_stack_touch(account->ua);
    return r;
}

SECSIP_EXPORT secsip_result secsip_call_set_callbacks(secsip_call *call,
                                                      const secsip_call_callbacks *callbacks,
                                                      void *user_data)
{
    secsip_call_callbacks known;

    if (!call)
        return SECSIP_E_INVALID;
    secsip_result r = take_callbacks(&known, callbacks);
    if (r < 0)
        return r;
    call->callbacks = known;
    call->user_data = user_data;
    return 0;
}

SECSIP_EXPORT secsip_call *secsip_call_ref(secsip_call *call)
{
    if (call && call->user_refs++ == 0)
        ssi_call_ref(call);
    return call;
}

SECSIP_EXPORT void secsip_call_unref(secsip_call *call)
{
    if (call)
        ssi_call_user_unref(call);
}

SECSIP_EXPORT secsip_result secsip_call_ring(secsip_call *call)
{
    if (!call)
        return SECSIP_E_INVALID;
    struct ssi_ua *ua = living_stack(call);
    ssi_stack_now(ua);
    secsip_result r = ssi_call_ring(call);
    ssi_stack_touch(ua);
    return r;
}

SECSIP_EXPORT secsip_result secsip_call_answer(secsip_call *call)
{
    if (!call)
        return SECSIP_E_INVALID;
    struct ssi_ua *ua = living_stack(call);
    ssi_stack_now(ua);
    secsip_result r = ssi_call_answer(call);
    ssi_stack_touch(ua);
    return r;
}

SECSIP_EXPORT secsip_result secsip_call_reject(secsip_call *call, int32_t status)
{
    if (!call)
        return SECSIP_E_INVALID;
    struct ssi_ua *ua = living_stack(call);
    ssi_stack_now(ua);
    secsip_result r = ssi_call_reject(call, status);
    ssi_stack_touch(ua);
    return r;
}

SECSIP_EXPORT secsip_result secsip_call_hangup(secsip_call *call)
{
    if (!call)
        return SECSIP_E_INVALID;
    struct ssi_ua *ua = living_stack(call);
    ssi_stack_now(ua);
    secsip_result r = ssi_call_hangup(call);
    ssi_stack_touch(ua);
    return r;
}

SECSIP_EXPORT int32_t secsip_call_get_state(const secsip_call *call)
{
    return call ? call->state : SECSIP_CALL_ENDED;
}

SECSIP_EXPORT const char *secsip_call_get_id(const secsip_call *call)
{
    return call ? call->id : NULL;
}

SECSIP_EXPORT const char *secsip_call_get_remote_uri(const secsip_call *call)
{
    return call ? call->remote_uri : NULL;
}

SECSIP_EXPORT const char *secsip_call_get_peer_identity(const secsip_call *call)
{
    return !call ? NULL : living_stack(call) ? ssi_flow_identity(call->flow) : "";
}

SECSIP_EXPORT secsip_result secsip_call_get_stats(const secsip_call *call,
                                                  secsip_media_stats *ret_stats)
{
    secsip_media_stats known;

    if (!call || !ret_stats)
        return SECSIP_E_INVALID;
    ssi_call_stats(call, &known);
    return ssi_abi_give(ret_stats, &known, sizeof known);
}

SECSIP_EXPORT void *secsip_call_get_user_data(const secsip_call *call)
{
    return call ? call->user_data : NULL;
}

static secsip_result modify(secsip_call *call, enum ssi_call_change change)
{
    if (!call)
        return SECSIP_E_INVALID;
    struct ssi_ua *ua = living_stack(call);
    if (!ua)
        return SECSIP_E_STATE;
    ssi_stack_now(ua);
    secsip_result r = ssi_call_modify(call, change);
    ssi_stack_touch(ua);
    return r;
}

SECSIP_EXPORT secsip_result secsip_call_hold(secsip_call *call)
{
    return modify(call, SSI_CALL_HOLD);
}

SECSIP_EXPORT secsip_result secsip_call_resume(secsip_call *call)
{
    return modify(call, SSI_CALL_RESUME);
}

SECSIP_EXPORT secsip_result secsip_call_rekey(secsip_call *call)
{
    return modify(call, SSI_CALL_REKEY);
}
