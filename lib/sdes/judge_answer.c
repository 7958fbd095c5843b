/* What an answer of the peer's comes to, see judge.h. Layer: sdes. It is held against the offer that was made: profile, line,
 * tag, suite, parameters, configuration. Nothing here changes a session. */
#include "sdes/judge.h"

/* Our line that the answer's one is about. */
static const struct ssi_sdes_local *match_local(const struct ssi_sdes_session *s,
                                                const struct ssi_sdes_line *l, bool *ret_quirk)
{
    const struct ssi_sdes_local *found = NULL;

    *ret_quirk = false;
    for (uint32_t i = 0; i < s->n_local && !found; i++)
        if (s->local[i].tag == l->tag)
            found = &s->local[i];
    if (found && (found->suite == l->suite || !s->config.match_by_suite))
        return found;
    /* FIELD 12: some renumber, from 1 as a rule, so that the tag is one of ours and the wrong one. Every suite is offered once,
     * so the suite names the line as well. */
    for (uint32_t i = 0; i < s->n_local && s->config.match_by_suite; i++) {
        if (s->local[i].suite != l->suite)
            continue;
        *ret_quirk = true;
        return &s->local[i];
    }
    return found;
}

/* The line that answers one of ours: tag, suite and negotiated parameters are those that were offered. */
static secsip_result judge_line(const struct ssi_sdes_session *s, const struct ssi_sdes_line *l,
                                struct ssi_sdes_agreed *ret, const char **ret_why)
{
    const struct ssi_sdes_local *mine;
    bool quirk;

    if (l->usable < 0)
        return ssi_sdes_no(l->usable, l->why, ret_why);
    mine = match_local(s, l, &quirk);
    if (!mine)
        return ssi_sdes_no(SECSIP_E_SDES_TAG, "the answer's tag is not one that was offered",
                           ret_why);
    if (mine->suite != l->suite)
        return ssi_sdes_no(SECSIP_E_SDES_SUITE,
                           "the answer's crypto-suite is not that of the offered line", ret_why);
    if (mine->forms != l->forms) /* RFC 4568 6.3.2, 6.3.3: negotiated, so the same in both */
        return ssi_sdes_no(SECSIP_E_SDES_PARAM,
                           "the answer's parameters are not those of the offered line", ret_why);
    secsip_result r = ssi_sdes_check_line(s, l, ret_why);
    if (r < 0)
        return r;
    ssi_sdes_take_line(l, ret);
    ret->tag = mine->tag;
    ret->tx = mine->key;
    ret->misspells = mine->misspelt;
    if (quirk)
        ret->quirks |= SSI_SDES_QUIRK_TAG;
    return 0;
}

static secsip_result judge_lines(const struct ssi_sdes_session *s,
                                 const struct ssi_sdes_lines *lines, struct ssi_sdes_agreed *ret,
                                 const char **ret_why)
{
    if (s->n_local == 0 && lines->n > 0)
        return ssi_sdes_no(SECSIP_E_SDES_TAG, "a crypto line in the answer to an offer without one",
                           ret_why);
    if (lines->n > 1) /* RFC 4568 5.1.3: exactly one */
        return ssi_sdes_no(SECSIP_E_SDES_SYNTAX, "more than one crypto line in an answer", ret_why);
    if (lines->n > 0)
        return judge_line(s, &lines->line[0], ret, ret_why);
    if (lines->kind == SSI_PROFILE_SAVP)
        return ssi_sdes_no(SECSIP_E_SDES_NO_CRYPTO, "RTP/SAVP without a crypto line", ret_why);
    return ssi_sdes_agree_clear(s, ret_why);
}

/* The profile is that of the offer (RFC 3264 6.1). Another one is let pass as a quirk where media are SRTP all the same. */
static secsip_result judge_profile(const struct ssi_sdes_session *s, struct ssi_sdes_agreed *ret,
                                   const char **ret_why)
{
    const char *name;

    if (!s->offered || !strcmp(s->offered, ret->profile))
        return 0;
    bool same_kind = ssi_sdes_kind_of(ssi_slice_str(s->offered), &name) ==
                     ssi_sdes_kind_of(ssi_slice_str(ret->profile), &name);
    if (s->config.refuse_profile ||
        (ret->suite == SSI_SUITE_NONE && !same_kind && !s->config.insecure_may_fall))
        return ssi_sdes_no(SECSIP_E_SDES_CLEAR_PROFILE,
                           "the answer's profile is not that of the offer", ret_why);
    ret->quirks |= SSI_SDES_QUIRK_PROFILE;
    return 0;
}

static secsip_result judge_one(const struct ssi_sdes_session *s, const struct ssi_sdp *answer,
                               uint32_t media, struct ssi_sdes_agreed *ret, const char **ret_why)
{
    struct ssi_sdes_lines lines;

    secsip_result r = ssi_sdes_open_media(s, answer, media, &lines, &ret->profile, ret_why);
    if (r == 0)
        r = judge_lines(s, &lines, ret, ret_why);
    if (r == 0)
        r = judge_profile(s, ret, ret_why);
    ssi_sdes_wipe_lines(&lines);
    return r;
}

/* ---- RFC 5939: we offered "a=pcfg:1 t=1 a=1|2|...", a capability for each of our lines in their order */
static bool is_our_config(const struct ssi_sdes_session *s, const struct ssi_capneg *config,
                          uint32_t tag)
{
    uint64_t n;

    return config->number == 1 && config->transport == 1 && config->drop.len == 0 &&
           config->attrs.p && ssi_slice_to_u64(config->attrs, s->n_local, &n) && n > 0 &&
           s->local[n - 1].tag == tag;
}

static secsip_result judge_capability(const struct ssi_sdes_session *s,
                                      const struct ssi_sdp *answer, uint32_t media,
                                      struct ssi_sdes_agreed *ret, const char **ret_why)
{
    struct ssi_capneg config;
    const char *name;
    bool present;
    bool secure = ret->suite != SSI_SUITE_NONE;

    bool sound = ssi_capneg_actual(answer, media, &config, &present);
    if (secure && ssi_sdes_kind_of(ssi_slice_str(ret->profile), &name) != SSI_PROFILE_SAVP)
        return ssi_sdes_no(SECSIP_E_SDES_TAG,
                           "a crypto line in RTP/AVP, where it was offered for RTP/SAVP only",
                           ret_why);
    if (present && !(secure && sound && is_our_config(s, &config, ret->tag)))
        return ssi_sdes_no(SECSIP_E_SDES_PARAM,
                           "a=acfg does not name the configuration that was answered", ret_why);
    if (present || !secure)
        ret->quirks &= ~(uint32_t)SSI_SDES_QUIRK_PROFILE; /* the profile is the one of a=tcap */
    return 0; /* secure without a=acfg: RTP/SAVP in answer to RTP/AVP, the quirk */
}

/* ---- two media lines: SRTP in the first, clear media in the second, one of them refused */
static secsip_result judge_two(const struct ssi_sdes_session *s, const struct ssi_sdp *answer,
                               uint32_t media, struct ssi_sdes_agreed *ret, const char **ret_why)
{
    if (media + 1 >= answer->n_media)
        return ssi_sdes_no(SECSIP_E_SDP_MEDIA, "the answer has fewer media lines than the offer",
                           ret_why);
    /* Where the peer takes both, only the secure one is used. */
    if (answer->media[media].port > 0 || answer->media[media + 1].port == 0) {
        secsip_result r = judge_one(s, answer, media, ret, ret_why);
        if (r == 0 && ret->suite == SSI_SUITE_NONE)
            r = ssi_sdes_no(SECSIP_E_SDES_NO_CRYPTO, "RTP/SAVP was offered in this media line",
                            ret_why);
        return r;
    }
    struct ssi_sdes_session clear = {.config = s->config, .offered = "RTP/AVP"};
    clear.was_secure = s->was_secure;
    clear.book = s->book; /* borrowed */
    ret->line = 1;
    return judge_one(&clear, answer, media + 1, ret, ret_why);
}

secsip_result ssi_sdes_judge_answer(const struct ssi_sdes_session *s, const struct ssi_sdp *answer,
                                    uint32_t media, struct ssi_sdes_agreed *ret,
                                    const char **ret_why)
{
    memset(ret, 0, sizeof *ret);
    if (s->offer_style == SSI_SDES_STYLE_TWO_LINES)
        return judge_two(s, answer, media, ret, ret_why);
    secsip_result r = judge_one(s, answer, media, ret, ret_why);
    if (r == 0 && s->offer_style == SSI_SDES_STYLE_CAPABILITY)
        r = judge_capability(s, answer, media, ret, ret_why);
    return r;
}
