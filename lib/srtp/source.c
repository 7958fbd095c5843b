/* Synchronisation sources of a session and their packet indices (RFC 3711 3.3.1), see priv.h. Layer: srtp. libsrtp2 looks
 * through its SSRCs one by one; a session with many has several sessions of libsrtp2, and finds its sources by a table. */
#include <stdlib.h>
#include <string.h>

#include "srtp/priv.h"

enum {
    HEAP_FIRST = 32, /* sources, when they move to the heap */
};

/* ---- Finding */

static uint32_t place_of(const struct ssi_srtp *s, uint32_t ssrc)
{
    return (ssrc * 2654435761U) >> 7 & s->index_mask;
}

struct ssi_srtp_source *ssi_srtp_find_source(const struct ssi_srtp *s, uint32_t ssrc)
{
    if (!s->index) {
        for (uint32_t i = 0; i < s->n_sources; i++)
            if (s->sources[i].ssrc == ssrc)
                return &s->sources[i];
        return NULL;
    }
    for (uint32_t at = place_of(s, ssrc); s->index[at] != 0; at = (at + 1) & s->index_mask)
        if (s->sources[s->index[at] - 1].ssrc == ssrc)
            return &s->sources[s->index[at] - 1];
    return NULL;
}

bool ssi_srtp_knows(const struct ssi_srtp *s, uint32_t ssrc)
{
    return ssi_srtp_find_source(s, ssrc) != NULL;
}

static void put_index(struct ssi_srtp *s, uint32_t i)
{
    uint32_t at = place_of(s, s->sources[i].ssrc);

    while (s->index[at] != 0)
        at = (at + 1) & s->index_mask;
    s->index[at] = i + 1;
}

/* ---- Room */

/* Twice as many sources as until now, and a table that stays half empty. */
static secsip_result grow(struct ssi_srtp *s)
{
    uint32_t cap = s->cap_sources < HEAP_FIRST ? HEAP_FIRST : 2 * s->cap_sources;
    struct ssi_srtp_source *all = calloc(cap, sizeof *all);
    uint32_t *index = calloc((size_t)2 * cap, sizeof *index);

    if (!all || !index) {
        free(all);
        free(index);
        return SECSIP_E_NOMEM;
    }
    memcpy(all, s->sources, s->n_sources * sizeof *all);
    if (s->sources != s->few)
        free(s->sources);
    free(s->index);
    s->sources = all;
    s->cap_sources = cap;
    s->index = index;
    s->index_mask = 2 * cap - 1;
    for (uint32_t i = 0; i < s->n_sources; i++)
        put_index(s, i);
    return 0;
}

/* One more session of libsrtp2 for the SSRCs to come. */
static secsip_result add_shard(struct ssi_srtp *s)
{
    struct ssi_srtp_keyed_policy k;
    srtp_t *more = calloc(s->n_more + 1, sizeof(srtp_t));
    bool stock = s->stock;

    if (!more)
        return SECSIP_E_NOMEM;
    ssi_srtp_fill_policy(s, &k,
                         s->direction == SSI_SRTP_SEND ? ssrc_any_outbound : ssrc_any_inbound, 0);
    secsip_result r =
        ssi_srtp_engine_create(ssi_srtp_form_of(s), &stock, &k.policy, NULL, &more[s->n_more]);
    if (r < 0) {
        free(more);
        return r;
    }
    if (stock != s->stock) { /* its further SSRCs could not be made: our ciphers are gone */
        srtp_dealloc(more[s->n_more]);
        free(more);
        return SECSIP_E_SRTP_LIBRARY;
    }
    if (s->n_more > 0)
        memcpy(more, s->more, s->n_more * sizeof(srtp_t));
    free(s->more);
    s->more = more;
    s->n_more++;
    return 0;
}

secsip_result ssi_srtp_make_room(struct ssi_srtp *s)
{
    if (s->n_sources >= s->max_sources || s->closed)
        return SECSIP_E_LIMIT;
    if (s->n_sources == s->cap_sources) {
        secsip_result r = grow(s);
        if (r < 0)
            return r;
    }
    return s->n_sources / SSI_SRTP_SHARD > s->n_more ? add_shard(s) : 0;
}

srtp_t ssi_srtp_ctx_for_new(const struct ssi_srtp *s)
{
    uint32_t shard = s->n_sources / SSI_SRTP_SHARD;

    return shard == 0 ? s->ctx : s->more[shard - 1];
}

struct ssi_srtp_source *ssi_srtp_add_source(struct ssi_srtp *s, uint32_t ssrc)
{
    struct ssi_srtp_source *src = &s->sources[s->n_sources];

    *src =
        (struct ssi_srtp_source){.ssrc = ssrc, .shard = (uint16_t)(s->n_sources / SSI_SRTP_SHARD)};
    if (s->index)
        put_index(s, s->n_sources);
    s->n_sources++;
    return src;
}

void ssi_srtp_remove_last(struct ssi_srtp *s)
{
    uint32_t last = s->n_sources--;

    if (!s->index)
        return;
    uint32_t at = place_of(s, s->sources[last - 1].ssrc);
    while (s->index[at] != last)
        at = (at + 1) & s->index_mask;
    s->index[at] = 0; /* nothing was put in after it, so nothing is found through it */
}

/* libsrtp2 wants network order here; later versions may not. */
void ssi_srtp_forget_stream(const struct ssi_srtp *s, const struct ssi_srtp_source *src)
{
    uint8_t wire[4] = {(uint8_t)(src->ssrc >> 24), (uint8_t)(src->ssrc >> 16),
                       (uint8_t)(src->ssrc >> 8), (uint8_t)src->ssrc};
    uint32_t on_the_wire;

    memcpy(&on_the_wire, wire, sizeof on_the_wire);
    srtp_t ctx = ssi_srtp_ctx(s, src);
    if (srtp_remove_stream(ctx, on_the_wire) != srtp_err_status_ok)
        (void)srtp_remove_stream(ctx, src->ssrc);
}

void ssi_srtp_remove_leaving(struct ssi_srtp *s)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->n_sources; i++) {
        if (s->sources[i].leaving)
            ssi_srtp_forget_stream(s, &s->sources[i]);
        else
            s->sources[n++] = s->sources[i];
    }
    s->n_sources = n;
    if (!s->index)
        return;
    memset(s->index, 0, ((size_t)s->index_mask + 1) * sizeof *s->index);
    for (uint32_t i = 0; i < n; i++)
        put_index(s, i);
}

/* ---- Indices */

uint64_t ssi_srtp_guess_roc(const struct ssi_srtp_source *src, uint16_t seq)
{
    if (!src->started)
        return src->roc;
    int32_t ahead = (int32_t)seq - (int32_t)src->seq;
    if (ahead < -0x8000)
        return (uint64_t)src->roc + 1;
    if (ahead > 0x8000)
        return src->roc > 0 ? src->roc - 1 : 0;
    return src->roc;
}

/* The window of what was seen below the highest index, which moves from `before` to `now` if that is higher. */
static void see(uint64_t *seen, bool any, uint64_t before, uint64_t now)
{
    if (!any || now - before >= SSI_SRTP_SEEN) {
        if (!any || now > before)
            *seen = 1;
        else if (before - now < SSI_SRTP_SEEN)
            *seen |= (uint64_t)1 << (before - now);
    } else {
        *seen = *seen << (now - before) | 1;
    }
}

/* The first packet under a key says where its sender stands, whatever was thought before (a peer may have begun again, up or
 * down). Did it come late, from below the floor, then the sender may as well stand where it was thought to. */
static void settle(const struct ssi_srtp *s, struct ssi_srtp_source *src, uint64_t index)
{
    bool late = src->started && index < src->floor;

    src->hint = late ? (uint64_t)src->roc << 16 | src->seq : 0;
    src->seen = 0;
    src->started = false;
    src->pending = false;
    /* libsrtp2 keeps what it was told where that agrees with its own guess, and would go by it later on. */
    (void)srtp_set_stream_roc(ssi_srtp_ctx(s, src), src->ssrc, 0);
}

void ssi_srtp_advance_source(const struct ssi_srtp *s, struct ssi_srtp_source *src, uint32_t roc,
                             uint16_t seq)
{
    uint64_t index = (uint64_t)roc << 16 | seq;

    if (src->pending)
        settle(s, src, index);
    else if (index >= src->floor)
        src->hint = 0;
    if (index < src->floor && src->floor - 1 - index < SSI_SRTP_SEEN)
        src->taken |= (uint64_t)1 << (src->floor - 1 - index);
    uint64_t highest = (uint64_t)src->roc << 16 | src->seq;
    see(&src->seen, src->started, highest, index);
    if (!src->started || index > highest) {
        src->roc = roc;
        src->seq = seq;
        src->started = true;
    }
    src->failed = 0;
    src->idle = 0;
}

void ssi_srtp_advance_rtcp(struct ssi_srtp_source *src, uint32_t index)
{
    if (index < src->rtcp_floor && src->rtcp_floor - 1 - index < SSI_SRTP_SEEN)
        src->rtcp_taken |= (uint64_t)1 << (src->rtcp_floor - 1 - index);
    see(&src->rtcp_seen, src->rtcp_seen != 0, src->rtcp_index, index);
    if (index > src->rtcp_index)
        src->rtcp_index = index;
    src->idle = 0;
}

secsip_result ssi_srtp_add_prepared(struct ssi_srtp *s, uint32_t ssrc, struct ssi_srtp_source **ret)
{
    struct ssi_srtp_keyed_policy k;
    secsip_result r = ssi_srtp_make_room(s);

    if (r < 0)
        return r;
    ssi_srtp_fill_policy(s, &k, ssrc_specific, ssrc);
    r = ssi_srtp_engine_add(ssi_srtp_ctx_for_new(s), ssi_srtp_form_of(s), s->stock, &k.policy);
    if (r < 0)
        return r;
    *ret = ssi_srtp_add_source(s, ssrc);
    (*ret)->pending = true;
    (*ret)->prepared = true;
    return 0;
}

secsip_result ssi_srtp_set_roc(struct ssi_srtp *s, uint32_t ssrc, uint32_t roc)
{
    struct ssi_srtp_source *src = ssi_srtp_find_source(s, ssrc);

    if (!s->ctx || (src && (src->started || src->pending)))
        return SECSIP_E_STATE;
    secsip_result r = src ? 0 : ssi_srtp_add_prepared(s, ssrc, &src);
    if (r < 0)
        return r;
    src->roc = roc;
    src->pending = true;
    return 0;
}

secsip_result ssi_srtp_get_index(const struct ssi_srtp *s, uint32_t ssrc, uint32_t *ret_roc,
                                 uint16_t *ret_seq)
{
    const struct ssi_srtp_source *src = ssi_srtp_find_source(s, ssrc);

    if (!src || !src->started)
        return SECSIP_E_NOT_FOUND;
    *ret_roc = src->roc;
    *ret_seq = src->seq;
    return 0;
}
