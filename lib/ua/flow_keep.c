/* A flow's timer: no connection in time, keep-alives. Layer: ua. */
#include "ua/flow_parts.h"

enum {
    PONG_WITHIN_S = 10, /* RFC 5626 4.4.1 */
};

void ssi_flow_on_timer(void *arg)
{
    struct ssi_flow *f = arg;
    struct ssi_timers *timers = &f->ua->timers;

    if (f->state != SSI_FLOW_OPEN) {
        ssi_flow_ref(f);
        ssi_flow_fail_with(f, SECSIP_E_TIMEOUT, "no connection and handshake in time");
        ssi_flow_unref(f);
        return;
    }
    if (ssi_flow_is_unused(f)) {
        ssi_flow_close_unused(f);
        return;
    }
    if (f->ping_sent && f->pong_seen) {
        ssi_flow_fail_with(f, SECSIP_E_TIMEOUT, "no answer to a keep-alive (RFC 5626 4.4.1)");
        return;
    }
    ssi_flow_send(f, SSI_LIT("\r\n\r\n"));
    f->ping_sent = true;
    ssi_timer_arm(timers, &f->timer,
                  f->pong_seen ? SSI_S(PONG_WITHIN_S) : SSI_S(SSI_FLOW_PING_AFTER_S));
}
