/* A flow's timer: no connection in time, then keep-alives, or idleness where the connection was accepted. Layer: ua. */
#include "ua/flow_parts.h"
#include "ua/flow_udp.h"

enum {
    PONG_WITHIN_S = 10, /* RFC 5626 4.4.1 */
};

/* An accepted connection nobody needs: only the stack's list holds it. */
static bool is_abandoned(const struct ssi_flow *f)
{
    return f->refs == 1;
}

static void watch_idleness(struct ssi_flow *f)
{
    struct ssi_timers *timers = &f->ua->timers;
    uint64_t limit_us = SSI_MS(f->ua->config.idle_timeout_ms);
    uint64_t idle_us = timers->now_us - f->used_us;

    if (is_abandoned(f) && idle_us >= limit_us) {
        ssi_flow_fail_with(f, SECSIP_E_TIMEOUT,
                           "neither message nor keep-alive for idle_timeout_ms");
        return;
    }
    /* The timer is not moved with every message: it looks when it is due. */
    ssi_timer_arm(timers, &f->timer, idle_us < limit_us ? limit_us - idle_us : limit_us);
}

static void ping(struct ssi_flow *f)
{
    struct ssi_timers *timers = &f->ua->timers;

    if (f->ping_sent && f->pong_seen) {
        ssi_flow_fail_with(f, SECSIP_E_TIMEOUT, "no answer to a keep-alive (RFC 5626 4.4.1)");
        return;
    }
    ssi_flow_send(f, SSI_LIT("\r\n\r\n"));
    f->ping_sent = true;
    ssi_timer_arm(timers, &f->timer,
                  f->pong_seen ? SSI_S(PONG_WITHIN_S) : SSI_S(SSI_FLOW_PING_AFTER_S));
}

void ssi_flow_on_timer(void *arg)
{
    struct ssi_flow *f = arg;

    if (f->state != SSI_FLOW_OPEN) {
        ssi_flow_ref(f);
        ssi_race_stop(f, true);
        ssi_flow_fail_with(f, SECSIP_E_TIMEOUT, "no connection and handshake in time");
        ssi_flow_unref(f);
    } else if (f->udp) {
        ssi_udp_on_timer(f);
    } else if (f->incoming) {
        watch_idleness(f);
    } else if (ssi_flow_is_unused(f)) {
        ssi_flow_close_unused(f);
    } else {
        ping(f);
    }
}

void ssi_flow_begin_keeping(struct ssi_flow *f)
{
    if (f->udp)
        ssi_udp_arm(f);
    else
        ssi_timer_arm(&f->ua->timers, &f->timer,
                      f->incoming ? SSI_MS(f->ua->config.idle_timeout_ms)
                                  : SSI_S(SSI_FLOW_PING_AFTER_S));
}
