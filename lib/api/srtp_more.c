/* The exported names for many packets at once, for the state of a session and for two legs: arguments are checked here, the work
 * is done in lib/srtp. Layer: api. */
#include <stdlib.h>

#include "api/abi.h"
#include "base/export.h"
#include "secsip/srtp.h"
#include "srtp/bridge.h"

_Static_assert((int)SECSIP_SRTP_PROMISE_MAX == SSI_SRTP_PROMISE_MAX, "one promise");

static struct ssi_srtp *inside(const secsip_srtp *srtp)
{
    return (struct ssi_srtp *)srtp;
}

static bool kind_known(int32_t kind)
{
    return kind == SECSIP_SRTP_RTP || kind == SECSIP_SRTP_RTCP || kind == SECSIP_SRTP_EITHER;
}

static bool is_rtcp(int32_t kind, const uint8_t *packet, size_t len)
{
    return kind == SECSIP_SRTP_RTCP ||
           (kind == SECSIP_SRTP_EITHER && ssi_srtp_is_rtcp(packet, len));
}

SECSIP_EXPORT secsip_result secsip_srtp_replace_ciphers(void)
{
    return ssi_srtp_replace_ciphers();
}

/* ---- Many packets */

static secsip_result run_one(secsip_srtp_job *j)
{
    if (!j->srtp || !j->packet || !kind_known(j->kind))
        return SECSIP_E_INVALID;
    struct ssi_srtp *s = inside(j->srtp);
    bool rtcp = is_rtcp(j->kind, j->packet, j->len);
    if (ssi_srtp_direction_of(s) == SSI_SRTP_SEND)
        return rtcp ? ssi_srtp_protect_rtcp(s, j->packet, &j->len, j->cap)
                    : ssi_srtp_protect_rtp(s, j->packet, &j->len, j->cap);
    return rtcp ? ssi_srtp_unprotect_rtcp(s, j->packet, &j->len)
                : ssi_srtp_unprotect_rtp(s, j->packet, &j->len);
}

static secsip_srtp_job *job(secsip_srtp_job *jobs, size_t i)
{
    return (secsip_srtp_job *)((char *)jobs + i * jobs->size);
}

SECSIP_EXPORT int32_t secsip_srtp_run(secsip_srtp_job *jobs, size_t n)
{
    int32_t failed = 0;

    if (n > INT32_MAX || (n > 0 && !jobs))
        return SECSIP_E_INVALID;
    if (n > 0 && jobs->size < sizeof *jobs)
        return SECSIP_E_ABI;
    for (size_t i = 0; i < n; i++) {
        /* The session after the next first, then all that the next one has at hand. */
        if (i + 2 < n && job(jobs, i + 2)->srtp)
            ssi_srtp_fetch_head(inside(job(jobs, i + 2)->srtp));
        if (i + 1 < n && job(jobs, i + 1)->srtp)
            ssi_srtp_fetch(inside(job(jobs, i + 1)->srtp));
        secsip_srtp_job *j = job(jobs, i);
        j->result = run_one(j);
        failed += j->result < 0;
    }
    return failed;
}

/* ---- States */

struct secsip_srtp_state {
    struct ssi_buf bytes; /* a secret one */
};

SECSIP_EXPORT secsip_result secsip_srtp_export(secsip_srtp *srtp, uint32_t promised,
                                               secsip_srtp_state **ret_state)
{
    if (!srtp || !ret_state)
        return SECSIP_E_INVALID;
    secsip_srtp_state *state = calloc(1, sizeof *state);
    if (!state)
        return SECSIP_E_NOMEM;
    secsip_result r = ssi_srtp_export(inside(srtp), promised, &state->bytes);
    if (r < 0) {
        free(state);
        return r;
    }
    *ret_state = state;
    return 0;
}

SECSIP_EXPORT const uint8_t *secsip_srtp_state_get_bytes(const secsip_srtp_state *state,
                                                         size_t *ret_len)
{
    if (!state || !ret_len)
        return NULL;
    struct ssi_slice s = ssi_buf_slice(&state->bytes);
    *ret_len = s.len;
    return (const uint8_t *)s.p;
}

SECSIP_EXPORT void secsip_srtp_state_free(secsip_srtp_state *state)
{
    if (!state)
        return;
    ssi_buf_free(&state->bytes);
    free(state);
}

SECSIP_EXPORT secsip_result secsip_srtp_import(const uint8_t *bytes, size_t len,
                                               secsip_srtp **ret_srtp)
{
    struct ssi_srtp *s;

    if (!bytes || !ret_srtp)
        return SECSIP_E_INVALID;
    secsip_result r = ssi_srtp_import(ssi_slice_of(bytes, len), &s);
    if (r == 0)
        *ret_srtp = (secsip_srtp *)s;
    return r;
}

/* ---- Two legs */

struct secsip_srtp_bridge {
    struct ssi_srtp_bridge bridge;
    void (*tap)(int32_t kind, const uint8_t *packet, size_t len, void *user_data);
    void *user_data;
};

SECSIP_EXPORT secsip_result secsip_srtp_bridge_new(secsip_srtp *from, secsip_srtp *to,
                                                   secsip_srtp_bridge **ret_bridge)
{
    if (!from || !to || !ret_bridge)
        return SECSIP_E_INVALID;
    secsip_result r = ssi_srtp_bridge_check(inside(from), inside(to));
    if (r < 0)
        return r;
    secsip_srtp_bridge *b = calloc(1, sizeof *b);
    if (!b)
        return SECSIP_E_NOMEM;
    b->bridge.from = inside(from);
    b->bridge.to = inside(to);
    *ret_bridge = b;
    return 0;
}

SECSIP_EXPORT void secsip_srtp_bridge_free(secsip_srtp_bridge *bridge)
{
    free(bridge);
}

SECSIP_EXPORT secsip_result secsip_srtp_bridge_set(secsip_srtp_bridge *bridge, secsip_srtp *from,
                                                   secsip_srtp *to)
{
    if (!bridge)
        return SECSIP_E_INVALID;
    struct ssi_srtp *a = from ? inside(from) : bridge->bridge.from;
    struct ssi_srtp *b = to ? inside(to) : bridge->bridge.to;
    secsip_result r = ssi_srtp_bridge_check(a, b);
    if (r == 0) {
        bridge->bridge.from = a;
        bridge->bridge.to = b;
    }
    return r;
}

static void show(void *arg, bool rtcp, const uint8_t *packet, size_t len)
{
    secsip_srtp_bridge *b = arg;

    b->tap(rtcp ? SECSIP_SRTP_RTCP : SECSIP_SRTP_RTP, packet, len, b->user_data);
}

SECSIP_EXPORT secsip_result secsip_srtp_bridge_tap(secsip_srtp_bridge *bridge, uint32_t consent,
                                                   void (*tap)(int32_t kind, const uint8_t *packet,
                                                               size_t len, void *user_data),
                                                   void *user_data)
{
    if (!bridge)
        return SECSIP_E_INVALID;
    bool allowed = tap && consent == SECSIP_SRTP_CONSENT_GIVEN;
    bridge->tap = allowed ? tap : NULL;
    bridge->user_data = user_data;
    bridge->bridge.tap = allowed ? show : NULL;
    bridge->bridge.arg = bridge;
    return tap && !allowed ? SECSIP_E_PERMISSION : 0;
}

SECSIP_EXPORT secsip_result secsip_srtp_bridge_pass(secsip_srtp_bridge *bridge, int32_t kind,
                                                    uint8_t *packet, size_t *len, size_t cap)
{
    if (!bridge || !packet || !len || !kind_known(kind))
        return SECSIP_E_INVALID;
    return ssi_srtp_bridge_pass(&bridge->bridge, is_rtcp(kind, packet, *len), packet, len, cap);
}

SECSIP_EXPORT uint32_t secsip_srtp_bridge_get_life(const secsip_srtp_bridge *bridge)
{
    return bridge ? ssi_srtp_life(bridge->bridge.from) | ssi_srtp_life(bridge->bridge.to) << 8 : 0;
}
