/* What may be agreed with a peer, see judge.h. Layer: sdes. Nothing here changes a session. A doubt is an error: the only
 * ways to clear media are policy OFF, and OPTIONAL where the peer has no crypto line that we could have used. */
#include "sdes/judge.h"

#include "base/crypto.h"

enum ssi_sdes_profile_kind ssi_sdes_kind_of(struct ssi_slice profile, const char **ret_name)
{
    static const struct {
        const char *name;
        enum ssi_sdes_profile_kind kind;
    } known[] = {{"RTP/SAVP", SSI_PROFILE_SAVP},
                 {"RTP/AVP", SSI_PROFILE_AVP},
                 {"RTP/SAVPF", SSI_PROFILE_SAVP},
                 {"RTP/AVPF", SSI_PROFILE_AVP}};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (ssi_slice_eq(profile, ssi_slice_str(known[i].name))) {
            *ret_name = known[i].name;
            return known[i].kind;
        }
    }
    return SSI_PROFILE_OTHER;
}

bool ssi_sdes_allows(const struct ssi_sdes_config *config, enum ssi_suite suite)
{
    for (size_t i = 0; i < config->n_suites; i++)
        if (config->suites[i] == suite)
            return ssi_suite_allowed(suite, config->allow);
    return false;
}

secsip_result ssi_sdes_check_line(const struct ssi_sdes_session *s, const struct ssi_sdes_line *l,
                                  const char **ret_why)
{
    uint32_t max_keys = s->config.max_keys > 0 ? s->config.max_keys : 1;

    if (l->usable < 0)
        return ssi_sdes_no(l->usable, l->why, ret_why);
    if (!ssi_sdes_allows(&s->config, l->suite))
        return ssi_sdes_no(SECSIP_E_SDES_SUITE, "the crypto-suite is not one that is allowed here",
                           ret_why);
    if (l->n_keys > max_keys)
        return ssi_sdes_no(SECSIP_E_LIMIT, "more keys on one line than can be held", ret_why);
    if (s->config.refuse_spelling && (l->quirks & SSI_SDES_QUIRK_SPELLING))
        return ssi_sdes_no(SECSIP_E_SDES_SUITE, "the crypto-suite is not spelled as in RFC 6188",
                           ret_why);
    if (s->config.refuse_unpadded && (l->quirks & SSI_SDES_QUIRK_PADDING))
        return ssi_sdes_no(SECSIP_E_SDES_SYNTAX, "the key's base64 lacks its padding", ret_why);
    for (uint32_t i = 0; i < l->n_keys; i++)
        if (ssi_sdes_book_has(s->book, &l->keys[i].key)) /* one key for two directions */
            return ssi_sdes_no(SECSIP_E_SDES_KEY_WEAK, "the peer's key is one of our own", ret_why);
    return 0;
}

void ssi_sdes_take_line(const struct ssi_sdes_line *l, struct ssi_sdes_agreed *ret)
{
    ret->suite = l->suite;
    ret->tag = l->tag;
    ret->wsh = l->wsh;
    ret->forms = l->forms;
    ret->quirks = l->quirks;
    ret->rx = l->keys[0];
    ret->n_rx_more = l->n_keys - 1;
    for (uint32_t i = 1; i < l->n_keys; i++)
        ret->rx_more[i - 1] = l->keys[i];
}

secsip_result ssi_sdes_agree_clear(const struct ssi_sdes_session *s, const char **ret_why)
{
    if (s->config.policy == SSI_SDES_MANDATORY)
        return ssi_sdes_no(SECSIP_E_SDES_NO_CRYPTO, "no crypto line where SRTP is required",
                           ret_why);
    if (s->was_secure && !s->config.insecure_may_fall)
        return ssi_sdes_no(SECSIP_E_SDES_NO_CRYPTO,
                           "the media were SRTP and may not go on in clear", ret_why);
    return 0;
}

secsip_result ssi_sdes_check_media(const struct ssi_sdes_session *s, const struct ssi_sdp *sdp,
                                   uint32_t media, enum ssi_sdes_profile_kind *ret_kind,
                                   const char **ret_profile, const char **ret_why)
{
    if (media >= sdp->n_media)
        return ssi_sdes_no(SECSIP_E_SDP_MEDIA, "the media line is missing", ret_why);
    if (sdp->media[media].port == 0)
        return ssi_sdes_no(SECSIP_E_SDP_MEDIA, "the media line is refused (port 0)", ret_why);
    *ret_kind = ssi_sdes_kind_of(sdp->media[media].profile, ret_profile);
    if (s->config.policy == SSI_SDES_MANDATORY) {
        bool osrtp = *ret_kind == SSI_PROFILE_AVP && s->config.avp_crypto;
        if (*ret_kind != SSI_PROFILE_SAVP && !osrtp)
            return ssi_sdes_no(SECSIP_E_SDES_CLEAR_PROFILE,
                               "the profile is not RTP/SAVP or RTP/SAVPF, and SRTP is required",
                               ret_why);
    } else if (*ret_kind == SSI_PROFILE_OTHER) {
        return ssi_sdes_no(SECSIP_E_SDP_MEDIA, "the profile is neither RTP/AVP(F) nor RTP/SAVP(F)",
                           ret_why);
    } else if (s->config.policy == SSI_SDES_OFF && *ret_kind == SSI_PROFILE_SAVP) {
        return ssi_sdes_no(SECSIP_E_PERMISSION, "the peer wants SRTP, and it is switched off here",
                           ret_why);
    }
    return 0;
}

secsip_result ssi_sdes_open_media(const struct ssi_sdes_session *s, const struct ssi_sdp *sdp,
                                  uint32_t media, struct ssi_sdes_lines *ret,
                                  const char **ret_profile, const char **ret_why)
{
    ret->n = 0;
    secsip_result r = ssi_sdes_check_media(s, sdp, media, &ret->kind, ret_profile, ret_why);
    if (r < 0)
        return r;
    r = ssi_sdes_collect(sdp, media, s->config.allow, ret->line, &ret->n);
    return r < 0 ? ssi_sdes_no(r, "more crypto lines than the limit", ret_why) : 0;
}

void ssi_sdes_wipe_lines(struct ssi_sdes_lines *l)
{
    ssi_wipe(l->line, l->n * sizeof *l->line);
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
static secsip_result choose_line(const struct ssi_sdes_session *s,
                                 const struct ssi_sdes_lines *lines, uint32_t *ret_at,
                                 const char **ret_why)
{
    secsip_result first = 0;

    for (uint32_t i = 0; i < lines->n; i++) {
        const char *why = "";
        secsip_result r = ssi_sdes_check_line(s, &lines->line[i], &why);
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

/* The first line that can be used becomes what is agreed. */
static secsip_result take_first(const struct ssi_sdes_session *s,
                                const struct ssi_sdes_lines *lines, struct ssi_sdes_agreed *ret,
                                struct ssi_sdes_choice *ret_choice, const char **ret_why)
{
    uint32_t at = 0;

    if (lines->n == 0)
        return ssi_sdes_no(SECSIP_E_SDES_NO_CRYPTO, "RTP/SAVP without a crypto line", ret_why);
    secsip_result r = choose_line(s, lines, &at, ret_why);
    if (r == 0) {
        ssi_sdes_take_line(&lines->line[at], ret);
        ret_choice->suite_text = lines->line[at].suite_text;
    }
    return r;
}

/* ---- what the media line itself says */
static secsip_result judge_actual_lines(const struct ssi_sdes_session *s,
                                        const struct ssi_sdes_lines *lines,
                                        struct ssi_sdes_agreed *ret,
                                        struct ssi_sdes_choice *ret_choice, const char **ret_why)
{
    bool may_be_clear = lines->kind == SSI_PROFILE_AVP;

    if (s->config.policy == SSI_SDES_OFF || (lines->n == 0 && may_be_clear))
        return ssi_sdes_agree_clear(s, ret_why);
    secsip_result r = take_first(s, lines, ret, ret_choice, ret_why);
    if (s->config.policy == SSI_SDES_OPTIONAL && may_be_clear && is_beyond_us(r))
        return ssi_sdes_agree_clear(s, ret_why);
    return r;
}

static secsip_result judge_actual(const struct ssi_sdes_session *s, const struct ssi_sdp *offer,
                                  uint32_t media, struct ssi_sdes_agreed *ret,
                                  struct ssi_sdes_choice *ret_choice, const char **ret_why)
{
    struct ssi_sdes_lines lines;

    ret_choice->config = (struct ssi_capneg){0};
    secsip_result r = ssi_sdes_open_media(s, offer, media, &lines, &ret->profile, ret_why);
    if (r == 0)
        r = judge_actual_lines(s, &lines, ret, ret_choice, ret_why);
    ssi_sdes_wipe_lines(&lines);
    return r;
}

/* ---- potential configurations (RFC 5939 3.6.2): those in clear are never taken */
static secsip_result judge_potential(const struct ssi_sdes_session *s, const struct ssi_sdp *offer,
                                     uint32_t media, struct ssi_sdes_agreed *ret,
                                     struct ssi_sdes_choice *ret_choice, const char **ret_why)
{
    struct ssi_sdes_lines lines;

    lines.kind = ssi_sdes_kind_of(ret_choice->config.profile, &ret->profile);
    if (lines.kind != SSI_PROFILE_SAVP)
        return SECSIP_E_NOT_FOUND;
    *ret_why = "the potential configuration holds what is missing, or not done here";
    secsip_result r = ssi_capneg_collect(offer, media, &ret_choice->config, s->config.allow,
                                         lines.line, &lines.n);
    if (r == 0) {
        ssi_sdes_check_other_media(offer, media, lines.line, lines.n);
        r = take_first(s, &lines, ret, ret_choice, ret_why);
    }
    ssi_sdes_wipe_lines(&lines);
    /* One that is not for us is passed over (3.5.1), one whose keys are broken is remembered. */
    return r == SECSIP_E_SDP_SYNTAX || is_beyond_us(r) ? SECSIP_E_NOT_FOUND : r;
}

/* SECSIP_E_NOT_FOUND: there is none for us. */
static secsip_result judge_potentials(const struct ssi_sdes_session *s, const struct ssi_sdp *offer,
                                      uint32_t media, struct ssi_sdes_agreed *ret,
                                      struct ssi_sdes_choice *ret_choice, const char **ret_why)
{
    secsip_result first = SECSIP_E_NOT_FOUND;
    uint32_t at = 0;

    while (s->config.policy != SSI_SDES_OFF &&
           ssi_capneg_next(offer, media, &at, &ret_choice->config)) {
        const char *why = "";
        secsip_result r = judge_potential(s, offer, media, ret, ret_choice, &why);
        if (r == 0)
            return 0;
        if (first == SECSIP_E_NOT_FOUND && r != SECSIP_E_NOT_FOUND) {
            first = r;
            *ret_why = why;
        }
    }
    return first;
}

secsip_result ssi_sdes_judge_offer(const struct ssi_sdes_session *s, const struct ssi_sdp *offer,
                                   uint32_t media, struct ssi_sdes_agreed *ret,
                                   struct ssi_sdes_choice *ret_choice, const char **ret_why)
{
    const char *why = "";
    secsip_result broken = SECSIP_E_NOT_FOUND;

    memset(ret, 0, sizeof *ret);
    *ret_choice = (struct ssi_sdes_choice){.suite_text = {NULL, 0}};
    if (media < offer->n_media && offer->media[media].port > 0) {
        ret_choice->creq_unmet = !ssi_capneg_can(offer, media);
        if (!ret_choice->creq_unmet)
            broken = judge_potentials(s, offer, media, ret, ret_choice, &why);
    }
    if (broken == 0)
        return 0;
    secsip_result r = judge_actual(s, offer, media, ret, ret_choice, ret_why);
    /* Clear media are no way out of a broken crypto line, here as little as in RTP/AVP with a=crypto. */
    if (broken != SECSIP_E_NOT_FOUND && (r < 0 || ret->suite == SSI_SUITE_NONE)) {
        *ret_why = why;
        r = broken;
    }
    return r;
}

secsip_result ssi_sdes_judge(const struct ssi_sdes_session *s, const struct ssi_sdp *offer,
                             uint32_t media, bool *ret_secure, const char **ret_profile,
                             const char **ret_why)
{
    struct ssi_sdes_agreed would;
    struct ssi_sdes_choice choice;
    const char *why = "";
    secsip_result r = ssi_sdes_judge_offer(s, offer, media, &would, &choice, &why);

    if (r == 0) {
        *ret_secure = would.suite != SSI_SUITE_NONE;
        *ret_profile = would.profile;
    }
    if (ret_why)
        *ret_why = why;
    ssi_wipe(&would, sizeof would);
    return r;
}

/* There are crypto lines, and they are no good: somebody wanted SRTP. */
static bool is_broken(secsip_result r)
{
    return r == SECSIP_E_SDES_SYNTAX || r == SECSIP_E_SDES_TAG || r == SECSIP_E_SDES_KEY_LENGTH ||
           r == SECSIP_E_SDES_KEY_WEAK || r == SECSIP_E_SDES_LIFETIME || r == SECSIP_E_SDES_MKI;
}

secsip_result ssi_sdes_choose_media(const struct ssi_sdes_session *s, const struct ssi_sdp *offer,
                                    ssi_sdes_fits *fits, const void *arg, uint32_t *ret_media,
                                    const char **ret_profile, const char **ret_why)
{
    const char *first_why = "the offer has no such media line";
    secsip_result first = SECSIP_E_SDP_MEDIA;
    bool looked = false, found = false, secure = false, broken = false;
    const char *found_profile = NULL;
    uint32_t found_media = 0;

    for (uint32_t m = 0; m < offer->n_media && !secure; m++) {
        const char *profile, *why = "";
        if (!fits(offer, m, arg))
            continue;
        secsip_result r = ssi_sdes_judge(s, offer, m, &secure, &profile, &why);
        if (r == 0 && (secure || !found)) {
            found_media = m;
            found_profile = profile;
            found = true;
        }
        if (r < 0 && (!looked || (is_broken(r) && !broken))) {
            first = r;
            first_why = why;
        }
        looked = looked || r < 0;
        broken = broken || is_broken(r);
    }
    bool ok = found && (secure || !broken);
    if (ret_why)
        *ret_why = ok ? "" : first_why;
    if (!ok)
        return first;
    *ret_media = found_media;
    *ret_profile = found_profile;
    return 0;
}
