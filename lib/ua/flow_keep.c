/* A flow's timers: no connection in time, then keep-alives, or idleness where the connection was accepted; and messages that
 * do not end. Layer: ua. */
#include "base/crypto.h"
#include "ua/flow_parts.h"
#include "ua/flow_udp.h"

enum {
    KEEP_S = 120,          /* RFC 5626 4.4: where there is no Flow-Timer */
    KEEP_LEAST_S = 5,      /* whatever Flow-Timer says */
    KEEP_LONGEST_S = 3600, /* so too */
    PONG_WITHIN_S = 10,    /* RFC 5626 4.4.1 */
    GRACE_S = 30,          /* a ping may be on its way still */
};

/* An accepted connection nobody needs: only the stack's list holds it. */
static bool is_abandoned(const struct ssi_flow *f)
{
    return f->refs == 1;
}

static void watch_idleness(struct ssi_flow *f)
{
    struct ssi_timers *timers = &f->ua->timers;
    uint64_t limit_us =
        f->keep_s ? SSI_S(f->keep_s + GRACE_S) : SSI_MS(f->ua->config.idle_timeout_ms);
    uint64_t idle_us = timers->now_us - f->used_us;

    if (f->keep_s && idle_us >= limit_us) {
        ssi_flow_fail_with(f, SECSIP_E_TIMEOUT, "no keep-alive within Flow-Timer (RFC 5626 4.4)");
        return;
    }
    if (is_abandoned(f) && idle_us >= limit_us) {
        ssi_flow_fail_with(f, SECSIP_E_TIMEOUT,
                           "neither message nor keep-alive for idle_timeout_ms");
        return;
    }
    /* The timer is not moved with every message: it looks when it is due. */
    ssi_timer_arm(timers, &f->timer, idle_us < limit_us ? limit_us - idle_us : limit_us);
}

/* RFC 5626 4.4: at random between 80 and 100 % of the time, anew for each ping. */
static uint64_t ping_delay_us(const struct ssi_flow *f)
{
    uint64_t keep_us = SSI_S(f->keep_s ? f->keep_s : KEEP_S);
    uint16_t random = 0;

    if (ssi_random_nonce(&random, sizeof random) < 0)
        random = 0;
    return keep_us / 5 * 4 + keep_us / 5 * random / UINT16_MAX;
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
    ssi_timer_arm(timers, &f->timer, f->pong_seen ? SSI_S(PONG_WITHIN_S) : ping_delay_us(f));
}

void ssi_flow_on_timer(void *arg)
{
    struct ssi_flow *f = arg;

    ssi_tls_profile_tend(f->profile);
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

/* ---- Messages that trickle. */
void ssi_flow_on_half_timer(void *arg)
{
    struct ssi_flow *f = arg;

    ssi_flow_ref(f);
    ssi_flow_fail_with(f, SECSIP_E_TIMEOUT, "a message that is not whole after message_timeout_ms");
    ssi_flow_unref(f);
}

void ssi_flow_watch_half(struct ssi_flow *f, bool took_one)
{
    struct ssi_timers *timers = &f->ua->timers;
    struct ssi_slice rest = ssi_buf_slice(&f->framer.buf);
    bool in_record =
        f->tls && ssi_tls_session_held(f->tls) > 0; /* of which nothing can be read yet */

    /* A keep-alive of which one half came is no message, and nobody is held to send the other. */
    if (!in_record && (rest.len == 0 || (rest.p[0] == '\r' && rest.len < 4)))
        ssi_timer_cancel(timers, &f->half);
    else if (took_one || !f->half.armed)
        ssi_timer_arm(timers, &f->half, SSI_MS(f->ua->config.message_timeout_ms));
}

void ssi_flow_begin_keeping(struct ssi_flow *f)
{
    if (f->udp)
        ssi_udp_arm(f);
    else
        ssi_timer_arm(&f->ua->timers, &f->timer,
                      f->incoming ? SSI_MS(f->ua->config.idle_timeout_ms) : ping_delay_us(f));
}

void ssi_flow_keep(struct ssi_flow *f, uint32_t keep_s)
{
    if (keep_s == 0)
        keep_s = KEEP_S;
    f->keep_s = keep_s < KEEP_LEAST_S     ? KEEP_LEAST_S
                : keep_s > KEEP_LONGEST_S ? KEEP_LONGEST_S
                                          : keep_s;
    if (f->udp || f->state != SSI_FLOW_OPEN)
        return;
    if (f->incoming) {
        watch_idleness(f);
        return;
    }
    f->pong_seen = true; /* who agreed will answer */
    if (!f->ping_sent)
        ssi_timer_arm(&f->ua->timers, &f->timer, ping_delay_us(f));
}
