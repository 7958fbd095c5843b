/* Two legs of a call, see bridge.h. Layer: srtp. */
#include "srtp/bridge.h"

#include "base/crypto.h"
#include "srtp/priv.h"

enum {
    RTP_HEADER = 12,
    RTCP_HEADER = 8,
};

secsip_result ssi_srtp_bridge_check(const struct ssi_srtp *from, const struct ssi_srtp *to)
{
    if (from->direction != SSI_SRTP_RECEIVE || to->direction != SSI_SRTP_SEND)
        return SECSIP_E_INVALID;
    return ssi_srtp_shares_key(from, to) ? SECSIP_E_SRTP_REUSE : 0;
}

secsip_result ssi_srtp_bridge_pass(struct ssi_srtp_bridge *b, bool rtcp, uint8_t *packet,
                                   size_t *len, size_t cap)
{
    size_t all = *len, header = rtcp ? RTCP_HEADER : RTP_HEADER;
    secsip_result r = rtcp ? ssi_srtp_unprotect_rtcp(b->from, packet, len)
                           : ssi_srtp_unprotect_rtp(b->from, packet, len);

    if (r == 0) {
        if (b->tap)
            b->tap(b->arg, rtcp, packet, *len);
        r = rtcp ? ssi_srtp_protect_rtcp(b->to, packet, len, cap)
                 : ssi_srtp_protect_rtp(b->to, packet, len, cap);
    }
    /* Whatever it was that failed, and wherever: what came in clear, or was made so, goes nowhere. */
    if (r < 0 && all > header)
        ssi_wipe(packet + header, all - header);
    return r;
}
