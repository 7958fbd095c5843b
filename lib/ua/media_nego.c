/* Offers and answers of a call's media, see media.h. Layer: ua. What a description comes to is worked out first, keys by
 * lib/sdes and the rest by media_sdp.c, and put into force last. */
#include <stdlib.h>

#include "base/crypto.h"
#include "ua/media_sdp.h"

enum {
    SDP_MAX = 65536,
};

/* ---- Offers */
void ssi_media_hold(struct ssi_media *m, bool hold)
{
    m->wanted = hold ? "sendonly" : "sendrecv"; /* RFC 3264 8.4 */
}

bool ssi_media_is_held(const struct ssi_media *m)
{
    return strcmp(m->wanted, "sendrecv") != 0;
}

void ssi_media_rekey(struct ssi_media *m)
{
    ssi_sdes_rekey(&m->sdes);
}

void ssi_media_set_style(struct ssi_media *m, enum ssi_sdes_style style)
{
    m->sdes.config.style = style;
}

secsip_result ssi_media_put_offer(struct ssi_media *m, struct ssi_buf *b)
{
    const char *second = ssi_sdes_offer_profile_of(&m->sdes, 1);

    m->sdp_version++; /* RFC 3264 8: one up for every description that may differ */
    ssi_media_put_session(m, b);
    ssi_buf_put_slice(b, ssi_buf_slice(&m->lines_before));
    ssi_media_put_audio(m, b, ssi_sdes_offer_profile(&m->sdes), m->wanted, -1);
    secsip_result r = ssi_sdes_put_offer(&m->sdes, b);
    if (r < 0)
        return r;
    /* On the same port: only one of the two lines will ever be in use. */
    if (second)
        ssi_media_put_audio(m, b, second, m->wanted, -1);
    ssi_buf_put_slice(b, ssi_buf_slice(&m->lines_after));
    m->two_lines = second != NULL;
    if (b->failed < 0) /* it was not made: nothing waits for an answer to it */
        ssi_media_rollback(m);
    return b->failed;
}

/* ---- Answers of the peer */
/* The description is an answer to our offer: as many m= lines, and ours is audio (RFC 3264 6). */
static secsip_result check_lines(const struct ssi_media *m, const struct ssi_sdp *sdp,
                                 const char **ret_why)
{
    uint32_t n = m->n_before + 1 + m->two_lines + m->n_after;

    *ret_why = "the answer has other media lines than the offer";
    if (sdp->n_media != n || !ssi_slice_eq(sdp->media[m->n_before].kind, SSI_LIT("audio")))
        return SECSIP_E_SDP_MEDIA;
    *ret_why = "the answer refuses the audio";
    if (sdp->media[m->n_before].port == 0 &&
        !(m->two_lines && sdp->media[m->n_before + 1].port > 0))
        return SECSIP_E_UA_NO_MEDIA;
    *ret_why = NULL;
    return 0;
}

/* The line of the two that is not in use stays, refused. */
static secsip_result settle_lines(struct ssi_media *m, uint32_t line)
{
    if (!m->two_lines)
        return 0;
    struct ssi_buf *b = line == 0 ? &m->lines_after : &m->lines_before;
    ssi_media_put_refused_ours(b, line == 0 ? "RTP/AVP" : "RTP/SAVP");
    if (b->failed < 0)
        return b->failed;
    m->n_after += line == 0;
    m->n_before += line == 1;
    m->two_lines = false;
    return 0;
}

/* What the peer's description and our own wish leave of both directions (RFC 3264 6.1). */
static const char *direction_of(const struct ssi_media *m, const char *mirrored)
{
    bool sends = strcmp(mirrored, "recvonly") != 0 && strcmp(mirrored, "inactive") != 0;
    bool receives = !strcmp(m->wanted, "sendrecv") &&
                    (!strcmp(mirrored, "sendrecv") || !strcmp(mirrored, "recvonly"));

    return sends && receives ? "sendrecv" : sends ? "sendonly" : receives ? "recvonly" : "inactive";
}

/* The answer against a session: what it comes to, nothing of it in force yet. */
static secsip_result judge(const struct ssi_media *m, struct ssi_sdes_session *sdes,
                           const struct ssi_sdp *sdp, struct ssi_media_terms *ret,
                           const char **ret_why)
{
    const struct ssi_sdes_agreed *keys;

    secsip_result r = check_lines(m, sdp, ret_why);
    if (r >= 0)
        r = ssi_sdes_take_answer(sdes, sdp, m->n_before, &keys, ret_why);
    if (r >= 0 && !ssi_media_read_terms(sdp, m->n_before + keys->line, ret)) {
        r = SECSIP_E_UA_NO_MEDIA;
        *ret_why = "no codec of ours in the answer, or no address";
    }
    if (r >= 0)
        ret->direction = direction_of(m, ret->direction);
    return r;
}

static secsip_result parse(const struct ssi_media *m, struct ssi_slice body, struct ssi_sdp **ret,
                           struct ssi_error *e)
{
    struct ssi_sdp_fault fault = {0};
    secsip_result r = ssi_sdp_parse(body, NULL, &fault, ret);

    if (r < 0)
        ssi_media_explain(m, r, fault.text, NULL, 0, e);
    return r;
}

/* One answer, one session: what follows an offer inside a dialog, and what is in an ACK. */
secsip_result ssi_media_take_answer(struct ssi_media *m, struct ssi_slice body, struct ssi_error *e)
{
    struct ssi_media_terms terms;
    const char *why = NULL;
    struct ssi_sdp *sdp;

    secsip_result r = parse(m, body, &sdp, e);
    if (r < 0)
        return r;
    r = judge(m, &m->sdes, sdp, &terms, &why);
    if (r >= 0)
        r = ssi_media_apply(m, m->fork, &m->sdes.agreed, &terms);
    if (r >= 0)
        r = settle_lines(m, m->sdes.agreed.line);
    if (r >= 0) {
        ssi_sdes_settle(&m->sdes);
        ssi_media_use_ports(m);
    } else {
        ssi_media_explain(m, r, why, sdp, m->n_before, e);
    }
    ssi_sdp_free(sdp);
    return r;
}

/* ---- Answers of several branches */
static uint32_t find_fork(const struct ssi_media *m, struct ssi_slice tag)
{
    uint32_t i = 0;

    while (i < m->n_forks && !ssi_slice_eq(ssi_slice_str(m->forks[i]->tag), tag))
        i++;
    return i;
}

bool ssi_media_has_room(const struct ssi_media *m, struct ssi_slice tag)
{
    return find_fork(m, tag) < SSI_MEDIA_FORKS_MAX;
}

/* The place of the branch; a new one gets a copy of the session that waits. */
static secsip_result get_fork(struct ssi_media *m, struct ssi_slice tag, uint32_t *ret)
{
    *ret = find_fork(m, tag);
    if (*ret < m->n_forks)
        return 0;
    if (m->n_forks == SSI_MEDIA_FORKS_MAX)
        return SECSIP_E_LIMIT;
    struct ssi_media_fork *f = calloc(1, sizeof *f);
    if (!f)
        return SECSIP_E_NOMEM;
    f->tag = ssi_slice_dup(tag);
    if (!f->tag) {
        free(f);
        return SECSIP_E_NOMEM;
    }
    ssi_sdes_session_copy(&f->sdes, &m->sdes);
    m->forks[m->n_forks++] = f;
    return 0;
}

static bool is_clear(const struct ssi_sdes_session *s)
{
    return s->agreed.suite == SSI_SUITE_NONE;
}

/* What branch `at` answered is put into force. Clear media of one branch do not end the SRTP of another: they wait for its 2xx. */
static secsip_result take_branch(struct ssi_media *m, uint32_t at, const struct ssi_sdp *sdp,
                                 const char **ret_why)
{
    struct ssi_media_fork *f = m->forks[at];
    struct ssi_media_terms terms;

    secsip_result r = judge(m, &f->sdes, sdp, &terms, ret_why);
    if (r < 0)
        return r;
    f->terms = terms;
    if (is_clear(&f->sdes) && m->keys.suite != SSI_SUITE_NONE)
        return 0;
    return ssi_media_apply(m, at, &f->sdes.agreed, &f->terms);
}

secsip_result ssi_media_take_early_answer(struct ssi_media *m, struct ssi_slice tag,
                                          struct ssi_slice body, struct ssi_error *e)
{
    uint32_t known = m->n_forks;
    const char *why = NULL;
    struct ssi_sdp *sdp;
    uint32_t at;

    secsip_result r = parse(m, body, &sdp, e);
    if (r < 0)
        return r;
    r = get_fork(m, tag, &at);
    if (r >= 0)
        r = take_branch(m, at, sdp, &why);
    if (r < 0) {
        ssi_media_explain(m, r, why, sdp, m->n_before, e);
        ssi_media_free_forks(m, known); /* a branch whose first answer is no good has none */
    }
    ssi_sdp_free(sdp);
    return r;
}

/* The branch's session is the call's; what it had agreed on early is in force again. */
static secsip_result choose_fork(struct ssi_media *m, uint32_t at)
{
    struct ssi_media_fork *f = m->forks[at];

    if (!f->sdes.has_agreed)
        return SECSIP_E_SDP_MISSING;
    secsip_result r = 0;
    if (is_clear(&f->sdes) && !f->sdes.was_secure && m->keys.suite != SSI_SUITE_NONE)
        r = ssi_media_begin_clear(m, &f->terms);
    if (r >= 0)
        r = ssi_media_apply(m, at, &f->sdes.agreed, &f->terms);
    if (r >= 0)
        r = settle_lines(m, f->sdes.agreed.line);
    if (r < 0)
        return r;
    ssi_sdes_session_wipe(&m->sdes);
    ssi_sdes_session_copy(&m->sdes, &f->sdes);
    ssi_sdes_settle(&m->sdes);
    ssi_rtp_stream_keep_fork(m->stream, at);
    ssi_media_free_forks(m, 0);
    return 0;
}

secsip_result ssi_media_take_final_answer(struct ssi_media *m, struct ssi_slice tag,
                                          struct ssi_slice body, struct ssi_error *e)
{
    secsip_result r = 0;

    /* The one that is chosen needs a place, whatever else rang. */
    if (!ssi_media_has_room(m, tag)) {
        ssi_media_free_forks(m, 0);
        for (uint32_t i = 0; m->stream && i < SSI_MEDIA_FORKS_MAX; i++)
            ssi_rtp_stream_drop_fork(m->stream, i);
        ssi_wipe(&m->keys.rx, sizeof m->keys.rx);
    }
    if (body.len > 0)
        r = ssi_media_take_early_answer(m, tag, body, e);
    if (r < 0)
        return r;
    uint32_t at = find_fork(m, tag);
    r = at < m->n_forks ? choose_fork(m, at) : SECSIP_E_SDP_MISSING;
    if (r == SECSIP_E_SDP_MISSING) {
        ssi_error_set(e, r, "the 2xx holds no answer (RFC 3261 13.2.1)");
        ssi_error_check(e, "sdp", SSI_LIT("an answer"), SSI_LIT("none"));
    } else if (r < 0) {
        ssi_media_explain(m, r, NULL, NULL, 0, e);
    }
    return r;
}

/* ---- Our answers */
static bool is_audio_of_ours(const struct ssi_sdp *sdp, uint32_t media, const void *arg)
{
    const struct ssi_sdp_media *line = &sdp->media[media];
    struct ssi_media_terms terms;

    (void)arg;
    return ssi_slice_eq(line->kind, SSI_LIT("audio")) && line->port > 0 &&
           ssi_media_read_terms(sdp, media, &terms);
}

/* The line to answer. *ret_media is the one to blame on failure. */
static secsip_result choose(const struct ssi_media *m, const struct ssi_sdp *sdp,
                            uint32_t *ret_media, const char **ret_why)
{
    const char *profile;
    uint32_t first = 0;

    while (first < sdp->n_media && !is_audio_of_ours(sdp, first, NULL))
        first++;
    *ret_media = first < sdp->n_media ? first : 0;
    *ret_why = "no audio line that can be answered";
    if (first == sdp->n_media)
        return SECSIP_E_UA_NO_MEDIA;
    return ssi_sdes_choose_media(&m->sdes, sdp, is_audio_of_ours, NULL, ret_media, &profile,
                                 ret_why);
}

/* The m= lines around ours, as they are from now on. */
static secsip_result keep_lines(struct ssi_media *m, const struct ssi_sdp *sdp, uint32_t ours)
{
    ssi_buf_reset(&m->lines_before);
    ssi_buf_reset(&m->lines_after);
    for (uint32_t i = 0; i < sdp->n_media; i++)
        if (i != ours)
            ssi_media_put_refused(i < ours ? &m->lines_before : &m->lines_after, &sdp->media[i]);
    m->n_before = ours;
    m->n_after = sdp->n_media - ours - 1;
    return m->lines_before.failed < 0 ? m->lines_before.failed : m->lines_after.failed;
}

static void put_answer(struct ssi_media *m, const struct ssi_media_terms *terms,
                       const char *profile, const struct ssi_buf *crypto, struct ssi_buf *b)
{
    m->sdp_version++;
    ssi_media_put_session(m, b);
    ssi_buf_put_slice(b, ssi_buf_slice(&m->lines_before));
    ssi_media_put_audio(m, b, profile, terms->direction, (int)terms->codec);
    ssi_buf_put_slice(b, ssi_buf_slice(crypto));
    ssi_buf_put_slice(b, ssi_buf_slice(&m->lines_after));
}

/* Line `line` is answered: keys are made and written into `crypto`, and everything is put into force. */
static secsip_result answer_line(struct ssi_media *m, const struct ssi_sdp *sdp, uint32_t line,
                                 struct ssi_buf *crypto, struct ssi_buf *b, const char **ret_why)
{
    const struct ssi_sdes_agreed *keys;
    struct ssi_media_terms terms;
    const char *profile;

    ssi_media_read_terms(sdp, line, &terms);
    secsip_result r = ssi_sdes_answer(&m->sdes, sdp, line, crypto, &profile, &keys, ret_why);
    if (r < 0)
        return r;
    terms.direction = direction_of(m, terms.direction);
    m->terms_before = m->terms;
    r = ssi_media_apply(m, m->fork, keys, &terms);
    if (r >= 0)
        r = keep_lines(m, sdp, line);
    if (r >= 0) {
        put_answer(m, &terms, profile, crypto, b);
        r = b->failed < 0 ? b->failed : crypto->failed;
    }
    if (r < 0)
        ssi_media_rollback(m);
    else
        ssi_media_use_ports(m);
    return r;
}

secsip_result ssi_media_answer(struct ssi_media *m, struct ssi_slice body, struct ssi_buf *b,
                               struct ssi_error *e)
{
    const char *why = NULL;
    struct ssi_buf crypto;
    struct ssi_sdp *sdp;
    uint32_t line = 0;

    secsip_result r = parse(m, body, &sdp, e);
    if (r < 0)
        return r;
    ssi_buf_init_secret(&crypto, SDP_MAX);
    r = choose(m, sdp, &line, &why);
    if (r >= 0)
        r = answer_line(m, sdp, line, &crypto, b, &why);
    if (r < 0)
        ssi_media_explain(m, r, why, sdp, line, e);
    ssi_buf_free(&crypto);
    ssi_sdp_free(sdp);
    return r;
}
