/* A new key for a conversation that goes on (RFC 3711 3.3.1, 3.4), see ssi_srtp_continue. Layer: srtp. */
#include <string.h>

#include "srtp/priv.h"

/* A key that lives in both sessions goes on with what is left of its life. True when there is one. */
static bool carry_lives(struct ssi_srtp *s, const struct ssi_srtp *old)
{
    bool shared = false;

    for (uint32_t i = 0; i < s->n_keys; i++) {
        for (uint32_t j = 0; j < old->n_keys; j++) {
            struct ssi_srtp_live_key *k = &s->keys[i];
            const struct ssi_srtp_live_key *o = &old->keys[j];
            if (!ssi_key_eq(&k->key, &o->key))
                continue;
            shared = true;
            k->rtp_left = k->rtp_left < o->rtp_left ? k->rtp_left : o->rtp_left;
            k->rtcp_left = k->rtcp_left < o->rtcp_left ? k->rtcp_left : o->rtcp_left;
        }
    }
    return shared;
}

/* What old received under its key says where the peer stands; libsrtp2 is told with the first packet of each SSRC. Where a
 * key lives on, so does the list of what came under it. */
static secsip_result continue_receiving(struct ssi_srtp *s, const struct ssi_srtp *old)
{
    bool shared = carry_lives(s, old);
    struct ssi_srtp_source *src;

    for (uint32_t i = 0; i < old->n_sources; i++) {
        const struct ssi_srtp_source *o = &old->sources[i];
        if (!o->started)
            continue;
        secsip_result r = ssi_srtp_add_prepared(s, o->ssrc, &src);
        if (r < 0)
            return r;
        src->roc = o->roc;
        src->seq = o->seq;
        src->started = true;
        src->seen = o->seen;
        if (!shared)
            continue;
        src->floor = ((uint64_t)o->roc << 16 | o->seq) + 1;
        src->taken = o->seen;
        src->rtcp_index = o->rtcp_index;
        src->rtcp_floor = o->rtcp_index + 1;
        src->rtcp_taken = src->rtcp_seen = o->rtcp_seen;
    }
    return 0;
}

static secsip_result update_one(struct ssi_srtp *s, srtp_t ctx, srtp_ssrc_type_t type,
                                uint32_t ssrc, struct ssi_srtp_room *room)
{
    struct ssi_srtp_keyed_policy k;

    ssi_srtp_fill_policy(s, &k, type, ssrc);
    return ssi_srtp_engine_update(ctx, ssi_srtp_form_of(s), s->stock, &k.policy, room);
}

/* s's keys for all of old's sessions of libsrtp2; packet indices stay. */
static secsip_result update_all(struct ssi_srtp *s, struct ssi_srtp *old)
{
    struct ssi_srtp_room room = {.at = ssi_srtp_room(s), .len = s->room_len};
    secsip_result r = update_one(s, old->ctx, ssrc_any_outbound, 0, &room);

    memcpy(s->outside, room.outside, sizeof s->outside);

    for (uint32_t i = 0; i < old->n_more && r == 0; i++)
        r = update_one(s, old->more[i], ssrc_any_outbound, 0, NULL);
    for (uint32_t i = 0; i < old->n_sources && r == 0; i++)
        if (old->sources[i].prepared)
            r = update_one(s, ssi_srtp_ctx(old, &old->sources[i]), ssrc_specific,
                           old->sources[i].ssrc, NULL);
    return r;
}

static void take_sources(struct ssi_srtp *s, struct ssi_srtp *old)
{
    memcpy(s->few, old->few, sizeof s->few);
    s->sources = old->sources == old->few ? s->few : old->sources;
    s->n_sources = old->n_sources;
    s->cap_sources = old->cap_sources;
    s->index = old->index;
    s->index_mask = old->index_mask;
    s->more = old->more;
    s->n_more = old->n_more;
    s->ctx = old->ctx;
    old->ctx = NULL;
    old->sources = old->few;
    old->cap_sources = SSI_SRTP_SSRC_FEW;
    old->index = NULL;
    old->more = NULL;
    old->n_more = 0;
}

/* libsrtp2 changes the keys of a session and keeps its indices, of SRTP and of SRTCP. It forgets which of the last indices
 * were used; `floor` remembers, for a key that may come back (RFC 6141). Its own session of s is of no use any more, and makes
 * room for the new ciphers. */
static secsip_result continue_sending(struct ssi_srtp *s, struct ssi_srtp *old)
{
    bool shared = carry_lives(s, old);

    s->closed = shared && old->closed;
    srtp_dealloc(s->ctx);
    s->ctx = NULL;
    for (uint32_t i = 0; i < old->n_sources; i++) {
        struct ssi_srtp_source *src = &old->sources[i];
        if (src->started) {
            src->floor = ((uint64_t)src->roc << 16 | src->seq) + 1;
            src->taken = UINT64_MAX;
        }
        if (!shared) /* what was promised was promised for the keys before */
            src->horizon = src->rtcp_horizon = 0;
    }
    secsip_result r = update_all(s, old);
    if (r == 0)
        take_sources(s, old);
    return r;
}

static void end_life(struct ssi_srtp *s)
{
    for (uint32_t i = 0; i < s->n_keys; i++)
        s->keys[i].rtp_left = s->keys[i].rtcp_left = 0;
}

secsip_result ssi_srtp_continue(struct ssi_srtp *s, struct ssi_srtp *old)
{
    if (s->direction != old->direction || s->n_sources > 0 || !s->ctx || !old->ctx)
        return SECSIP_E_STATE;
    if (ssi_srtp_same_key(s, old))
        return SECSIP_E_SRTP_REUSE;
    if (s->direction == SSI_SRTP_RECEIVE)
        return continue_receiving(s, old);
    secsip_result r = continue_sending(s, old);
    /* What old knew of its indices is gone, in either case: it must not send again, nor s if it failed. */
    old->n_sources = 0;
    end_life(old);
    if (r < 0)
        end_life(s);
    return r;
}
