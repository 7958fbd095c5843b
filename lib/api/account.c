/* The public account. Layer: api. */
#include "api/abi.h"
#include "api/stack.h"
#include "base/export.h"
#include "ua/account.h"

SECSIP_EXPORT secsip_result secsip_account_new(secsip_stack *stack,
                                               const secsip_account_config *config,
                                               const secsip_account_callbacks *callbacks,
                                               void *user_data, secsip_account **ret_account)
{
    secsip_account_config known;
    secsip_account_callbacks calls = {.size = sizeof calls};

    if (!stack || !config || !ret_account)
        return SECSIP_E_INVALID;
    secsip_result r = ssi_abi_take(&known, sizeof known, config,
                                   offsetof(secsip_account_config, insecure_transport));
    if (r >= 0 && callbacks)
        r = ssi_abi_take(&calls, sizeof calls, callbacks, sizeof(size_t));
    if (r < 0)
        return r;
    return ssi_account_new(&stack->ua, &known, &calls, user_data, ret_account);
}

SECSIP_EXPORT secsip_account *secsip_account_ref(secsip_account *account)
{
    if (account && account->user_refs++ == 0)
        ssi_account_ref(account);
    return account;
}

SECSIP_EXPORT void secsip_account_unref(secsip_account *account)
{
    if (account)
        ssi_account_user_unref(account);
}

SECSIP_EXPORT secsip_result secsip_account_register(secsip_account *account)
{
    if (!account)
        return SECSIP_E_INVALID;
    ssi_stack_now(account->ua);
    secsip_result r = ssi_account_register(account);
    ssi_stack_touch(account->ua);
    return r;
}

SECSIP_EXPORT secsip_result secsip_account_unregister(secsip_account *account)
{
    if (!account)
        return SECSIP_E_INVALID;
    ssi_stack_now(account->ua);
    secsip_result r = ssi_account_unregister(account);
    ssi_stack_touch(account->ua);
    return r;
}

SECSIP_EXPORT int32_t secsip_account_get_state(const secsip_account *account)
{
    return account ? account->state : SECSIP_REGISTRATION_NONE;
}

SECSIP_EXPORT const char *secsip_account_get_aor(const secsip_account *account)
{
    return account ? account->aor : NULL;
}

SECSIP_EXPORT const char *secsip_account_get_instance(const secsip_account *account)
{
    return account ? account->instance : NULL;
}
