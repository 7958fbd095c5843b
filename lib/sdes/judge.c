/* What may be agreed with a peer, see judge.h. Layer: sdes. Nothing here changes a session. A doubt is an error: the only
 * ways to clear media are policy OFF, and OPTIONAL where the peer has no crypto line that we could have used. */
#include "sdes/judge.h"

#include "base/crypto.h"

enum profile_kind {
    PROFILE_OTHER,
    PROFILE_AVP,
    PROFILE_SAVP,
};

struct lines {
    struct ssi_sdes_line line[SSI_SDES_LINES_MAX];
    uint32_t n;
    enum profile_kind kind;
};

/* Writes the sentence, gives the result back. */
static secsip_result no(secsip_result r, const char *text, const char **ret_why)
{
    *ret_why = text;
    return r;
}

static enum profile_kind kind_of(struct ssi_slice profile, const char **ret_name)
{
    static const struct {
        const char *name;
        enum profile_kind kind;
    } known[] = {{"RTP/SAVP", PROFILE_SAVP},
                 {"RTP/AVP", PROFILE_AVP},
                 {"RTP/SAVPF", PROFILE_SAVP},
                 {"RTP/AVPF", PROFILE_AVP}};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (ssi_slice_eq(profile, ssi_slice_str(known[i].name))) {
            *ret_name = known[i].name;
            return known[i].kind;
        }
    }
    return PROFILE_OTHER;
}

bool ssi_sdes_allows(const struct ssi_sdes_config *config, enum ssi_suite suite)
{
    for (size_t i = 0; i < config->n_suites; i++)
        if (config->suites[i] == suite)
            return suite != SSI_SUITE_NONE;
    return false;
}

/* A key that we send with, sent with, or offered to send with: from the peer it would be one key for two directions. */
static bool is_ours(const struct ssi_sdes_session *s, const struct ssi_key *key)
{
    bool ours =
        s->has_agreed && s->agreed.suite != SSI_SUITE_NONE && ssi_key_eq(&s->agreed.tx.key, key);

    for (uint32_t i = 0; i < s->n_local; i++)
        ours = ours || ssi_key_eq(&s->local[i].key.key, key);
    for (uint32_t i = 0; i < SSI_SDES_RETIRED_MAX && i < s->n_retired; i++)
        ours = ours || ssi_key_eq(&s->retired[i], key);
    return ours;
}

/* Whether this session can use the line, beyond its own form. */
static secsip_result check_line(const struct ssi_sdes_session *s, const struct ssi_sdes_line *l,
                                const char **ret_why)
{
    uint32_t max_keys = s->config.max_keys > 0 ? s->config.max_keys : 1;

    if (l->usable < 0)
        return no(l->usable, l->why, ret_why);
    if (!ssi_sdes_allows(&s->config, l->suite))
        return no(SECSIP_E_SDES_SUITE, "the crypto-suite is not one that is allowed here", ret_why);
    if (l->n_keys > max_keys)
        return no(SECSIP_E_LIMIT, "more keys on one line than can be held", ret_why);
    for (uint32_t i = 0; i < l->n_keys; i++)
        if (is_ours(s, &l->keys[i].key))
            return no(SECSIP_E_SDES_KEY_WEAK, "the peer's key is one of our own", ret_why);
    return 0;
}

static void take_line(const struct ssi_sdes_line *l, struct ssi_sdes_agreed *ret)
{
    ret->suite = l->suite;
    ret->tag = l->tag;
    ret->wsh = l->wsh;
    ret->rx = l->keys[0];
    ret->n_rx_more = l->n_keys - 1;
    for (uint32_t i = 1; i < l->n_keys; i++)
        ret->rx_more[i - 1] = l->keys[i];
}

/* Clear media, where the policy has them, and where the call was not secure before (FIELD 17). */
static secsip_result agree_clear(const struct ssi_sdes_session *s, const char **ret_why)
{
    bool secure = s->has_agreed && s->agreed.suite != SSI_SUITE_NONE;

    if (s->config.policy == SSI_SDES_MANDATORY)
        return no(SECSIP_E_SDES_NO_CRYPTO, "no crypto line where SRTP is required", ret_why);
    if (secure && !s->config.insecure_may_fall)
        return no(SECSIP_E_SDES_NO_CRYPTO, "the media were SRTP and may not go on in clear",
                  ret_why);
    return 0;
}

/* The media line is there, taken, and of a profile that the policy allows. */
static secsip_result check_media(const struct ssi_sdes_session *s, const struct ssi_sdp *sdp,
                                 uint32_t media, enum profile_kind *ret_kind,
                                 const char **ret_profile, const char **ret_why)
{
    if (media >= sdp->n_media)
        return no(SECSIP_E_SDP_MEDIA, "the media line is missing", ret_why);
    if (sdp->media[media].port == 0)
        return no(SECSIP_E_SDP_MEDIA, "the media line is refused (port 0)", ret_why);
    *ret_kind = kind_of(sdp->media[media].profile, ret_profile);
    if (s->config.policy == SSI_SDES_MANDATORY) {
        bool osrtp = *ret_kind == PROFILE_AVP && s->config.avp_crypto;
        if (*ret_kind != PROFILE_SAVP && !osrtp)
            return no(SECSIP_E_SDES_CLEAR_PROFILE,
                      "the profile is not RTP/SAVP or RTP/SAVPF, and SRTP is required", ret_why);
    } else if (*ret_kind == PROFILE_OTHER) {
        return no(SECSIP_E_SDP_MEDIA, "the profile is neither RTP/AVP(F) nor RTP/SAVP(F)", ret_why);
    } else if (s->config.policy == SSI_SDES_OFF && *ret_kind == PROFILE_SAVP) {
        return no(SECSIP_E_PERMISSION, "the peer wants SRTP, and it is switched off here", ret_why);
    }
    return 0;
}

/* The media line and its crypto lines, so far as the policy lets them be looked at. Wipe the lines in any case. */
static secsip_result open_media(const struct ssi_sdes_session *s, const struct ssi_sdp *sdp,
                                uint32_t media, struct lines *ret, const char **ret_profile,
                                const char **ret_why)
{
    ret->n = 0;
    secsip_result r = check_media(s, sdp, media, &ret->kind, ret_profile, ret_why);
    if (r < 0)
        return r;
    r = ssi_sdes_collect(sdp, media, ret->line, &ret->n);
    return r < 0 ? no(r, "more crypto lines than the limit", ret_why) : 0;
}

static void wipe_lines(struct lines *l)
{
    ssi_wipe(l->line, l->n * sizeof *l->line);
}

/* ---- Answers */
/* Our line that the answer's one is about. */
static const struct ssi_sdes_local *match_local(const struct ssi_sdes_session *s,
                                                const struct ssi_sdes_line *l, bool *ret_quirk)
{
    const struct ssi_sdes_local *found = NULL;

    *ret_quirk = false;
    for (uint32_t i = 0; i < s->n_local; i++)
        if (s->local[i].tag == l->tag)
            return &s->local[i];
    /* FIELD 12: some renumber. Every suite is offered once, so the suite names the line as well. */
    for (uint32_t i = 0; i < s->n_local && s->config.match_by_suite; i++)
        if (s->local[i].suite == l->suite)
            found = &s->local[i];
    *ret_quirk = found != NULL;
    return found;
}

/* RFC 4568 5.1.3: exactly one line, with a tag and suite that were offered. */
static secsip_result judge_answer_line(const struct ssi_sdes_session *s, const struct lines *lines,
                                       struct ssi_sdes_agreed *ret, const char **ret_why)
{
    const struct ssi_sdes_line *l = &lines->line[0];
    const struct ssi_sdes_local *mine;
    bool quirk;

    if (lines->n > 1)
        return no(SECSIP_E_SDES_SYNTAX, "more than one crypto line in an answer", ret_why);
    if (l->usable < 0)
        return no(l->usable, l->why, ret_why);
    mine = match_local(s, l, &quirk);
    if (!mine)
        return no(SECSIP_E_SDES_TAG, "the answer's tag is not one that was offered", ret_why);
    if (mine->suite != l->suite)
        return no(SECSIP_E_SDES_SUITE, "the answer's crypto-suite is not that of the offered line",
                  ret_why);
    secsip_result r = check_line(s, l, ret_why);
    if (r < 0)
        return r;
    take_line(l, ret);
    ret->tag = mine->tag;
    ret->tx = mine->key;
    ret->tag_quirk = quirk;
    return 0;
}

static secsip_result judge_answer_lines(const struct ssi_sdes_session *s, const struct lines *lines,
                                        struct ssi_sdes_agreed *ret, const char **ret_why)
{
    if (s->config.policy == SSI_SDES_OFF && lines->n > 0)
        return no(SECSIP_E_SDES_TAG, "a crypto line in the answer to an offer without one",
                  ret_why);
    if (lines->n > 0)
        return judge_answer_line(s, lines, ret, ret_why);
    if (lines->kind == PROFILE_SAVP)
        return no(SECSIP_E_SDES_NO_CRYPTO, "RTP/SAVP without a crypto line", ret_why);
    return agree_clear(s, ret_why);
}

secsip_result ssi_sdes_judge_answer(const struct ssi_sdes_session *s, const struct ssi_sdp *answer,
                                    uint32_t media, struct ssi_sdes_agreed *ret,
                                    const char **ret_why)
{
    struct lines lines;

    memset(ret, 0, sizeof *ret);
    secsip_result r = open_media(s, answer, media, &lines, &ret->profile, ret_why);
    if (r == 0)
        r = judge_answer_lines(s, &lines, ret, ret_why);
    wipe_lines(&lines);
    return r;
}

/* ---- Offers */
/* The line is sound, but nothing that is done here: then, in RTP/AVP under OPTIONAL, it is as if it were not there
 * (RFC 4568 5.1.2, RFC 8643). A line that is broken is not. */
static bool is_beyond_us(secsip_result r)
{
    return r == SECSIP_E_SDES_SUITE || r == SECSIP_E_SDES_PARAM || r == SECSIP_E_SDES_KEY_METHOD ||
           r == SECSIP_E_LIMIT;
}

/* The first line that can be used, by the offerer's order (RFC 4568 5.1.2). Without one, the result is that of the first
 * broken line, else of the first line. */
static secsip_result choose_line(const struct ssi_sdes_session *s, const struct lines *lines,
                                 uint32_t *ret_at, const char **ret_why)
{
    secsip_result first = 0;

    for (uint32_t i = 0; i < lines->n; i++) {
        const char *why = "";
        secsip_result r = check_line(s, &lines->line[i], &why);
        if (r == 0) {
            *ret_at = i;
            return 0;
        }
        if (first == 0 || (is_beyond_us(first) && !is_beyond_us(r))) {
            first = r;
            *ret_why = why;
        }
    }
    return first;
}

static secsip_result judge_offer_lines(const struct ssi_sdes_session *s, const struct lines *lines,
                                       struct ssi_sdes_agreed *ret,
                                       struct ssi_slice *ret_suite_text, const char **ret_why)
{
    uint32_t at = 0;

    if (s->config.policy == SSI_SDES_OFF)
        return agree_clear(s, ret_why);
    if (lines->n == 0 && lines->kind == PROFILE_SAVP)
        return no(SECSIP_E_SDES_NO_CRYPTO, "RTP/SAVP without a crypto line", ret_why);
    if (lines->n == 0)
        return agree_clear(s, ret_why);
    secsip_result r = choose_line(s, lines, &at, ret_why);
    if (r == 0) {
        take_line(&lines->line[at], ret);
        *ret_suite_text = lines->line[at].suite_text;
        return 0;
    }
    if (s->config.policy == SSI_SDES_OPTIONAL && lines->kind == PROFILE_AVP && is_beyond_us(r))
        return agree_clear(s, ret_why);
    return r;
}

secsip_result ssi_sdes_judge_offer(const struct ssi_sdes_session *s, const struct ssi_sdp *offer,
                                   uint32_t media, struct ssi_sdes_agreed *ret,
                                   struct ssi_slice *ret_suite_text, const char **ret_why)
{
    struct lines lines;

    memset(ret, 0, sizeof *ret);
    secsip_result r = open_media(s, offer, media, &lines, &ret->profile, ret_why);
    if (r == 0)
        r = judge_offer_lines(s, &lines, ret, ret_suite_text, ret_why);
    wipe_lines(&lines);
    return r;
}
