/* The public registrar. Layer: api. */
#include "api/abi.h"
#include "api/stack.h"
#include "base/export.h"
#include "sip/build.h"
#include "ua/registrar.h"

SECSIP_EXPORT secsip_result secsip_registrar_new(secsip_stack *stack,
                                                 const secsip_registrar_config *config,
                                                 secsip_registrar **ret_registrar)
{
    secsip_registrar_config known;

    if (!stack || !config || !ret_registrar)
        return SECSIP_E_INVALID;
    secsip_result r = ssi_abi_take(&known, sizeof known, config,
                                   offsetof(secsip_registrar_config, insecure_transport));
    if (r < 0)
        return r;
    if (!known.domain || !known.domain[0] || !known.password)
        return SECSIP_E_INVALID;
    r = ssi_sip_check_text(known.domain);
    return r < 0 ? r : ssi_registrar_new(&stack->ua, &known, ret_registrar);
}

SECSIP_EXPORT void secsip_registrar_free(secsip_registrar *registrar)
{
    if (registrar)
        ssi_registrar_free(registrar);
}

SECSIP_EXPORT uint32_t secsip_registrar_count(const secsip_registrar *registrar)
{
    return registrar ? registrar->n_bindings : 0;
}
