/* Two legs of a call, see bridge.h. Layer: srtp. */
#include "srtp/bridge.h"

#include "srtp/priv.h"

static bool any_key_shared(const struct ssi_srtp *a, const struct ssi_srtp *b)
{
    for (uint32_t i = 0; i < a->n_keys; i++)
        for (uint32_t j = 0; j < b->n_keys; j++)
            if (ssi_key_eq(&a->keys[i].key, &b->keys[j].key))
                return true;
    return false;
}

secsip_result ssi_srtp_bridge_check(const struct ssi_srtp *from, const struct ssi_srtp *to)
{
    if (from->direction != SSI_SRTP_RECEIVE || to->direction != SSI_SRTP_SEND)
        return SECSIP_E_INVALID;
    return any_key_shared(from, to) ? SECSIP_E_SRTP_REUSE : 0;
}

secsip_result ssi_srtp_bridge_pass(struct ssi_srtp_bridge *b, bool rtcp, uint8_t *packet,
                                   size_t *len, size_t cap)
{
    secsip_result r = rtcp ? ssi_srtp_unprotect_rtcp(b->from, packet, len)
                           : ssi_srtp_unprotect_rtp(b->from, packet, len);

    if (r < 0)
        return r;
    if (b->tap)
        b->tap(b->arg, rtcp, packet, *len);
    return rtcp ? ssi_srtp_protect_rtcp(b->to, packet, len, cap)
                : ssi_srtp_protect_rtp(b->to, packet, len, cap);
}
