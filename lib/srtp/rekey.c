/* A new key for a conversation that goes on (RFC 3711 3.3.1, 3.4), see ssi_srtp_continue. Layer: srtp. Which indices of a key
 * were used is the line's knowledge (line.h); here the new session gets it, and where each SSRC stands. */
#include <stdlib.h>
#include <string.h>

#include "srtp/line.h"

/* ---- SSRCs that leave: each takes memory, and a conversation may have any number in its life */

/* Those that were silent for this many keys, and that the new keys never knew. */
static uint32_t mark_leaving(struct ssi_srtp *old, const struct ssi_srtp_heritage *h, uint8_t idle,
                             uint32_t most)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < old->n_sources && n < most; i++) {
        struct ssi_srtp_source *src = &old->sources[i];
        if (src->leaving || src->idle < idle || ssi_srtp_heritage_of(h, src->ssrc))
            continue;
        src->leaving = true;
        n++;
    }
    return n;
}

/* When s would be full a quarter is made free, those first that were silent for longest; one that spoke under the last key
 * stays. SECSIP_E_LIMIT where there is no room. */
static secsip_result choose_leaving(const struct ssi_srtp *s, struct ssi_srtp *old,
                                    const struct ssi_srtp_heritage *h)
{
    uint32_t extra = 0;

    for (uint32_t i = 0; i < old->n_sources; i++)
        old->sources[i].leaving = false;
    for (uint32_t i = 0; i < h->n; i++)
        extra += !ssi_srtp_find_source(old, h->marks[i].ssrc);
    uint64_t wanted = (uint64_t)old->n_sources + extra;
    uint64_t most = s->max_sources - s->max_sources / 4;
    if (wanted < s->max_sources)
        return 0;
    for (uint32_t idle = UINT8_MAX; idle > 0 && wanted > most; idle--)
        wanted -= mark_leaving(old, h, (uint8_t)idle, (uint32_t)(wanted - most));
    return wanted > s->max_sources ? SECSIP_E_LIMIT : 0;
}

/* ---- Marks of keys that were in use before */

static void mark_source(struct ssi_srtp *s, struct ssi_srtp_source *src,
                        const struct ssi_srtp_heritage *h)
{
    const struct ssi_srtp_mark *m = ssi_srtp_heritage_of(h, src->ssrc);

    if (m) {
        ssi_srtp_line_mark(src, m);
        if (s->direction == SSI_SRTP_RECEIVE && m->floor > 0)
            src->hint = m->floor - 1; /* who goes on with this key may do so from where it stood */
    } else if (h->closed) {
        src->horizon = src->rtcp_horizon = 1;
    }
}

/* SSRCs that only a key of before knows go on from there. */
static secsip_result add_known(struct ssi_srtp *s, const struct ssi_srtp_heritage *h)
{
    secsip_result r = 0;

    for (uint32_t i = 0; i < h->n && r == 0; i++) {
        const struct ssi_srtp_mark *m = &h->marks[i];
        struct ssi_srtp_source *src = ssi_srtp_find_source(s, m->ssrc);
        if (src || (m->floor == 0 && m->rtcp_floor == 0))
            continue;
        r = ssi_srtp_add_at(s, m->ssrc, m->rtcp_floor > 0 ? m->rtcp_floor - 1 : 0, &src);
        if (r < 0)
            return r;
        uint64_t last = m->floor > 0 ? m->floor - 1 : 0;
        src->roc = (uint32_t)(last >> 16);
        src->seq = (uint16_t)last;
        src->started = src->pending = m->floor > 0;
        src->rtcp_index = m->rtcp_floor > 0 ? m->rtcp_floor - 1 : 0;
        ssi_srtp_line_mark(src, m);
    }
    return r;
}

/* ---- Receiving */

/* What old received under its key says where the peer stands; libsrtp2 is told with the first packet of each SSRC. */
static secsip_result continue_receiving(struct ssi_srtp *s, const struct ssi_srtp *old,
                                        const struct ssi_srtp_heritage *h)
{
    struct ssi_srtp_source *src;

    for (uint32_t i = 0; i < old->n_sources; i++) {
        const struct ssi_srtp_source *o = &old->sources[i];
        if (o->leaving || (!o->started && !o->pending))
            continue;
        secsip_result r = ssi_srtp_add_prepared(s, o->ssrc, &src);
        if (r < 0)
            return r;
        src->roc = o->roc;
        src->seq = o->seq;
        src->started = o->started;
        src->idle = (uint8_t)(o->idle < UINT8_MAX ? o->idle + 1 : o->idle);
        mark_source(s, src, h);
    }
    return add_known(s, h);
}

/* ---- Sending */

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
    struct ssi_srtp_room room = {.at = ssi_srtp_room(s), .len = ssi_srtp_room_len(s)};
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

/* After a change that stopped half way: what libsrtp2 has of old may have its ciphers in old's block, in that of s, or in
 * both, so that it must go while both are there. */
static void close_library(struct ssi_srtp *old)
{
    srtp_dealloc(old->ctx);
    old->ctx = NULL;
    for (uint32_t i = 0; i < old->n_more; i++)
        srtp_dealloc(old->more[i]);
    free(old->more);
    old->more = NULL;
    old->n_more = 0;
}

/* libsrtp2 changes the keys of a session and keeps its indices, of SRTP and of SRTCP. It forgets which of the last indices
 * were used; `floor` remembers. Its own session of s is of no use any more, and makes room for the new ciphers. */
static secsip_result continue_sending(struct ssi_srtp *s, struct ssi_srtp *old,
                                      const struct ssi_srtp_heritage *h)
{
    ssi_srtp_line_retire(old);
    ssi_srtp_remove_leaving(old);
    srtp_dealloc(s->ctx);
    s->ctx = NULL;
    for (uint32_t i = 0; i < old->n_sources; i++) {
        struct ssi_srtp_source *src = &old->sources[i];
        src->floor = ssi_srtp_next_index(src);
        src->taken = UINT64_MAX;
        src->idle = (uint8_t)(src->idle < UINT8_MAX ? src->idle + 1 : src->idle);
        src->horizon = src->rtcp_horizon = 0; /* promises stand for the keys they were made for */
        mark_source(s, src, h);
    }
    secsip_result r = update_all(s, old);
    if (r < 0) {
        close_library(old);
        return r;
    }
    take_sources(s, old);
    r = add_known(s, h);
    s->closed = h->closed;
    return r;
}

/* ---- Both */

static void end_life(struct ssi_srtp *s)
{
    for (uint32_t i = 0; i < s->n_keys; i++)
        s->keys[i].rtp_left = s->keys[i].rtcp_left = 0;
}

static secsip_result go_on(struct ssi_srtp *s, struct ssi_srtp *old,
                           const struct ssi_srtp_heritage *h)
{
    secsip_result r = choose_leaving(s, old, h);

    if (r < 0)
        return r;
    r = s->direction == SSI_SRTP_RECEIVE ? continue_receiving(s, old, h)
                                         : continue_sending(s, old, h);
    if (r == 0)
        ssi_srtp_line_take(old->line, s);
    else
        end_life(s); /* it knows only a part of what its keys did before */
    if (s->direction == SSI_SRTP_SEND) {
        old->n_sources = 0;
        end_life(old);
    }
    return r;
}

/* A branch of a fork that brings a key which another branch, gone by now, had. */
secsip_result ssi_srtp_join(struct ssi_srtp *s, struct ssi_srtp_line *line)
{
    struct ssi_srtp_heritage h = {0};

    if (s->direction != SSI_SRTP_RECEIVE || s->n_sources > 0 || s->line || !s->ctx)
        return SECSIP_E_STATE;
    secsip_result r = ssi_srtp_line_inherit(line, s, &h);
    if (r < 0)
        return r;
    if (h.alive)
        r = SECSIP_E_SRTP_REUSE;
    else
        r = add_known(s, &h);
    free(h.marks);
    if (r == 0)
        ssi_srtp_line_take(line, s);
    else
        end_life(s);
    return r;
}

secsip_result ssi_srtp_continue(struct ssi_srtp *s, struct ssi_srtp *old)
{
    struct ssi_srtp_heritage h = {0};

    if (s->direction != old->direction || s->n_sources > 0 || s->line || !s->ctx || !old->ctx)
        return SECSIP_E_STATE;
    if (ssi_srtp_same_key(s, old))
        return SECSIP_E_SRTP_REUSE;
    secsip_result r = ssi_srtp_line_found(old);
    if (r == 0)
        r = ssi_srtp_line_inherit(old->line, s, &h);
    if (r < 0)
        return r;
    r = go_on(s, old, &h);
    free(h.marks);
    return r;
}
