/* Names and texts of results, from the one list. Layer: base. */
#include "secsip/result.h"

#include "base/export.h"

#define SSI_RESULT(name, number, text)                                                             \
    case number:                                                                                   \
        return "SECSIP_E_" #name;
SECSIP_EXPORT const char *secsip_result_name(secsip_result result)
{
    switch (result) {
#include "base/results.def"
    default:
        return result >= 0 ? "SECSIP_OK" : "SECSIP_E_UNKNOWN";
    }
}
#undef SSI_RESULT

#define SSI_RESULT(name, number, text)                                                             \
    case number:                                                                                   \
        return text;
SECSIP_EXPORT const char *secsip_result_text(secsip_result result)
{
    switch (result) {
#include "base/results.def"
    default:
        return result >= 0 ? "success" : "unknown error";
    }
}
#undef SSI_RESULT
