/* Synchronisation sources of a session and their packet indices (RFC 3711 3.3.1), see priv.h. Layer: srtp. */
#include <stdlib.h>
#include <string.h>

#include "srtp/priv.h"

void ssi_srtp_fill_policy(struct ssi_srtp *s, struct ssi_srtp_keyed_policy *k,
                          srtp_ssrc_type_t type, uint32_t ssrc)
{
    k->master = (srtp_master_key_t){s->key.bytes, s->mki, s->mki_len};
    k->masters[0] = &k->master;
    k->policy = (srtp_policy_t){
        .ssrc = {type, ssrc},
        .keys = k->masters,
        .num_master_keys = 1,
        .window_size = s->window,
        .allow_repeat_tx = 0,
    };
}

struct ssi_srtp_source *ssi_srtp_find_source(const struct ssi_srtp *s, uint32_t ssrc)
{
    for (uint32_t i = 0; i < s->n_sources; i++)
        if (s->sources[i].ssrc == ssrc)
            return &s->sources[i];
    return NULL;
}

bool ssi_srtp_knows(const struct ssi_srtp *s, uint32_t ssrc)
{
    return ssi_srtp_find_source(s, ssrc) != NULL;
}

secsip_result ssi_srtp_make_room(struct ssi_srtp *s)
{
    if (s->n_sources == SSI_SRTP_SSRC_MAX)
        return SECSIP_E_LIMIT;
    if (s->n_sources < SSI_SRTP_SSRC_FEW || s->sources != s->few)
        return 0;
    struct ssi_srtp_source *all = calloc(SSI_SRTP_SSRC_MAX, sizeof *all);
    if (!all)
        return SECSIP_E_NOMEM;
    memcpy(all, s->few, sizeof s->few);
    s->sources = all;
    return 0;
}

struct ssi_srtp_source *ssi_srtp_add_source(struct ssi_srtp *s, uint32_t ssrc)
{
    struct ssi_srtp_source *src = &s->sources[s->n_sources++];

    *src = (struct ssi_srtp_source){.ssrc = ssrc};
    return src;
}

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

void ssi_srtp_advance_source(struct ssi_srtp_source *src, uint32_t roc, uint16_t seq)
{
    if (!src->started || roc > src->roc || (roc == src->roc && seq > src->seq)) {
        src->roc = roc;
        src->seq = seq;
        src->started = true;
    }
    src->pending = false;
    src->failed = 0;
}

secsip_result ssi_srtp_add_prepared(struct ssi_srtp *s, uint32_t ssrc, struct ssi_srtp_source **ret)
{
    struct ssi_srtp_keyed_policy k;
    secsip_result r = ssi_srtp_make_room(s);

    if (r < 0)
        return r;
    ssi_srtp_fill_policy(s, &k, ssrc_specific, ssrc);
    r = ssi_srtp_engine_add(s->ctx, s->suite, s->stock, &k.policy);
    if (r < 0)
        return r;
    *ret = ssi_srtp_add_source(s, ssrc);
    (*ret)->pending = true;
    (*ret)->prepared = true;
    return 0;
}

secsip_result ssi_srtp_set_roc(struct ssi_srtp *s, uint32_t ssrc, uint32_t roc)
{
    struct ssi_srtp_source *src;

    if (ssi_srtp_find_source(s, ssrc))
        return SECSIP_E_STATE;
    secsip_result r = ssi_srtp_add_prepared(s, ssrc, &src);
    if (r < 0)
        return r;
    src->roc = roc;
    return 0;
}

/* What old received under its key says where the peer stands; libsrtp2 is told with the first packet of each SSRC. */
static secsip_result continue_receiving(struct ssi_srtp *s, const struct ssi_srtp *old)
{
    struct ssi_srtp_source *src;

    for (uint32_t i = 0; i < old->n_sources; i++) {
        if (!old->sources[i].started)
            continue;
        secsip_result r = ssi_srtp_add_prepared(s, old->sources[i].ssrc, &src);
        if (r < 0)
            return r;
        src->roc = old->sources[i].roc;
        src->seq = old->sources[i].seq;
        src->started = true;
    }
    return 0;
}

/* libsrtp2 changes the keys of a session and keeps its indices, of SRTP and of SRTCP. It forgets which of the last indices
 * were used; `floor` remembers, for a key that may come back (RFC 6141). */
static secsip_result continue_sending(struct ssi_srtp *s, struct ssi_srtp *old)
{
    struct ssi_srtp_keyed_policy k;

    ssi_srtp_fill_policy(s, &k, ssrc_any_outbound, 0);
    secsip_result r = ssi_srtp_engine_update(old->ctx, s->suite, s->stock, &k.policy);
    for (uint32_t i = 0; i < old->n_sources && r == 0; i++) {
        struct ssi_srtp_source *src = &old->sources[i];
        if (src->started)
            src->floor = ((uint64_t)src->roc << 16 | src->seq) + 1;
        if (!src->prepared)
            continue;
        ssi_srtp_fill_policy(s, &k, ssrc_specific, src->ssrc);
        r = ssi_srtp_engine_update(old->ctx, s->suite, s->stock, &k.policy);
    }
    if (r < 0)
        return r;
    srtp_t unused = s->ctx;
    s->ctx = old->ctx;
    old->ctx = unused;
    memcpy(s->few, old->few, sizeof s->few);
    s->sources = old->sources == old->few ? s->few : old->sources;
    s->n_sources = old->n_sources;
    old->sources = old->few;
    return 0;
}

secsip_result ssi_srtp_continue(struct ssi_srtp *s, struct ssi_srtp *old)
{
    if (s->direction != old->direction || s->n_sources > 0)
        return SECSIP_E_STATE;
    if (ssi_srtp_same_key(s, old))
        return SECSIP_E_SRTP_REUSE;
    if (s->direction == SSI_SRTP_RECEIVE)
        return continue_receiving(s, old);
    secsip_result r = continue_sending(s, old);
    /* What old knew of its indices is gone, in either case: it must not send again, nor s if it failed. */
    old->n_sources = 0;
    old->stats.rtp_left = old->stats.rtcp_left = 0;
    if (r < 0)
        s->stats.rtp_left = s->stats.rtcp_left = 0;
    return r;
}

secsip_result ssi_srtp_get_index(const struct ssi_srtp *s, uint32_t ssrc, uint32_t *ret_roc,
                                 uint16_t *ret_seq)
{
    for (uint32_t i = 0; i < s->n_sources; i++) {
        if (s->sources[i].ssrc == ssrc && s->sources[i].started) {
            *ret_roc = s->sources[i].roc;
            *ret_seq = s->sources[i].seq;
            return 0;
        }
    }
    return SECSIP_E_NOT_FOUND;
}
