/* The negotiation over a=crypto lines: offer, answer, rollback, see sdes.h. Layer: sdes. One session per media line, owned by
 * the caller, who wipes it. What is decided about a description is decided in lib/sdes/judge.c; here is what changes. */
#include "sdes/judge.h"

#include "base/crypto.h"

void ssi_sdes_session_init(struct ssi_sdes_session *s, const struct ssi_sdes_config *config)
{
    memset(s, 0, sizeof *s);
    s->config = *config;
}

void ssi_sdes_session_wipe(struct ssi_sdes_session *s)
{
    ssi_sdes_book_unref(s->book);
    ssi_wipe(s, sizeof *s);
}

void ssi_sdes_session_copy(struct ssi_sdes_session *ret, const struct ssi_sdes_session *s)
{
    *ret = *s;
    ssi_sdes_book_ref(ret->book);
}

static secsip_result open_book(struct ssi_sdes_session *s)
{
    return s->book ? 0 : ssi_sdes_book_new(&s->book);
}

secsip_result ssi_sdes_session_join(struct ssi_sdes_session *s, struct ssi_sdes_session *other)
{
    secsip_result r = open_book(other);

    if (r == 0)
        s->book = ssi_sdes_book_ref(other->book);
    return r;
}

static bool is_secure(const struct ssi_sdes_session *s)
{
    return s->has_agreed && s->agreed.suite != SSI_SUITE_NONE;
}

/* How the next offer is to be written. What was agreed on once stays: the media line in use says it all. */
static enum ssi_sdes_style style_of(const struct ssi_sdes_session *s)
{
    enum ssi_sdes_style style =
        s->config.policy == SSI_SDES_OPTIONAL ? s->config.style : SSI_SDES_STYLE_AVP;

    if (!s->has_agreed)
        return style;
    /* In clear: the potential configuration may still be taken; further media lines are not asked for. */
    return style == SSI_SDES_STYLE_CAPABILITY && !is_secure(s) ? style : SSI_SDES_STYLE_AVP;
}

const char *ssi_sdes_offer_profile_of(const struct ssi_sdes_session *s, uint32_t n)
{
    enum ssi_sdes_style style = style_of(s);

    if (n > 0)
        return n == 1 && style == SSI_SDES_STYLE_TWO_LINES ? "RTP/AVP" : NULL;
    if (s->has_agreed && s->agreed.profile)
        return s->agreed.profile;
    return s->config.policy == SSI_SDES_MANDATORY || style == SSI_SDES_STYLE_TWO_LINES ||
                   style == SSI_SDES_STYLE_SAVP
               ? "RTP/SAVP"
               : "RTP/AVP";
}

const char *ssi_sdes_offer_profile(const struct ssi_sdes_session *s)
{
    return ssi_sdes_offer_profile_of(s, 0);
}

void ssi_sdes_rekey(struct ssi_sdes_session *s)
{
    s->fresh_key = true;
}

/* A key of ours as the configuration wants it. */
static secsip_result make_key(struct ssi_sdes_session *s, enum ssi_suite suite,
                              struct ssi_sdes_key *ret)
{
    size_t len = s->config.mki_len;
    secsip_result r = open_book(s);

    if (r == 0)
        r = ssi_sdes_random_key(suite, ret);
    if (r == 0)
        r = ssi_sdes_book_add(s->book, &ret->key);
    if (r < 0)
        return r;
    ret->lifetime = s->config.lifetime;
    if (len == 0)
        return 0;
    if (len > SSI_SDES_MKI_MAX)
        return SECSIP_E_INVALID;
    s->last_mki = s->last_mki % 255 + 1; /* fits one byte, never 0 */
    ret->mki[len - 1] = (uint8_t)s->last_mki;
    ret->mki_len = (uint8_t)len;
    return 0;
}

/* ---- What can be taken back */
/* Member by member, here and below: a structure that is made on the way would leave its keys on the stack. */
static void save(const struct ssi_sdes_session *s, struct ssi_sdes_state *ret)
{
    ret->agreed = s->agreed;
    ret->has_agreed = s->has_agreed;
    ret->fresh_key = s->fresh_key;
    ret->was_secure = s->was_secure;
}

static void go_back(struct ssi_sdes_session *s, const struct ssi_sdes_state *to)
{
    s->agreed = to->agreed;
    s->has_agreed = to->has_agreed;
    s->fresh_key = to->fresh_key;
}

void ssi_sdes_confirm(struct ssi_sdes_session *s)
{
    s->has_previous = false;
    ssi_wipe(&s->previous, sizeof s->previous);
}

/* The offer that waits, or the one that was answered, is no more. */
static void forget_offer(struct ssi_sdes_session *s)
{
    ssi_wipe(s->local, sizeof s->local);
    s->n_local = 0;
    s->has_pending = false;
}

/* ---- Offer */
static uint32_t forms_for(const struct ssi_sdes_config *c, enum ssi_suite suite)
{
    uint32_t forms = c->forms & c->allow & ~(uint32_t)SSI_SDES_NULL_CIPHER;

    if (forms & SSI_SDES_UNENCRYPTED_SRTP)
        forms &= ~(uint32_t)SSI_SDES_UNAUTHENTICATED_SRTP;
    return ssi_suite_info(suite)->aead ? 0 : forms;
}

static void set_local(struct ssi_sdes_local *ret, uint32_t tag, enum ssi_suite suite,
                      uint32_t forms, bool misspelt, const struct ssi_sdes_key *key)
{
    ret->tag = tag;
    ret->suite = suite;
    ret->forms = forms;
    ret->misspelt = misspelt;
    ret->key = *key;
}

/* The suites to offer with their keys; the line in use comes first, as it is. */
static secsip_result make_lines(struct ssi_sdes_session *s, struct ssi_sdes_local *out,
                                uint32_t *ret_n)
{
    enum ssi_suite kept = SSI_SUITE_NONE;
    uint32_t used_tag = s->has_agreed ? s->agreed.tag : 0;
    uint32_t tag = 0;
    uint32_t n = 0;

    if (is_secure(s) && !s->fresh_key && ssi_sdes_allows(&s->config, s->agreed.suite)) {
        kept = s->agreed.suite;
        set_local(&out[n++], s->agreed.tag, kept, s->agreed.forms, s->agreed.misspells,
                  &s->agreed.tx);
    }
    *ret_n = n;
    for (size_t i = 0; i < s->config.n_suites; i++) {
        enum ssi_suite suite = s->config.suites[i];
        if (suite == kept || !ssi_suite_allowed(suite, s->config.allow))
            continue;
        if (n == SSI_SDES_LINES_MAX)
            return SECSIP_E_INVALID;
        if (++tag == used_tag) /* a tag in use keeps its meaning */
            tag++;
        out[n].tag = tag;
        out[n].suite = suite;
        out[n].forms = forms_for(&s->config, suite);
        out[n].misspelt = s->has_agreed && s->agreed.misspells;
        secsip_result r = make_key(s, suite, &out[n].key);
        *ret_n = ++n;
        if (r < 0)
            return r;
    }
    return n > 0 ? 0 : SECSIP_E_INVALID;
}

static void put_line(const struct ssi_sdes_session *s, struct ssi_buf *b,
                     const struct ssi_sdes_local *l)
{
    const char *spelling = l->misspelt ? ssi_suite_spelling(l->suite) : NULL;

    ssi_buf_put_str(b, "crypto:");
    ssi_sdes_put_key(b, l->tag, l->suite, ssi_slice_str(spelling), &l->key, !s->config.unpadded);
    ssi_sdes_put_forms(b, l->forms);
    ssi_buf_put_str(b, "\r\n");
}

/* RFC 5939 3.4, 3.5.1: each line is an alternative, so that a peer may take one without knowing the suites of the others. */
static void put_capabilities(const struct ssi_sdes_session *s, struct ssi_buf *b,
                             const struct ssi_sdes_local *lines, uint32_t n)
{
    ssi_buf_put_str(b, "a=tcap:1 RTP/SAVP\r\n");
    for (uint32_t i = 0; i < n; i++) {
        ssi_buf_put_str(b, "a=acap:");
        ssi_buf_put_u64(b, i + 1);
        ssi_buf_put_char(b, ' ');
        put_line(s, b, &lines[i]);
    }
    ssi_buf_put_str(b, "a=pcfg:1 t=1 a=");
    for (uint32_t i = 0; i < n; i++) {
        if (i > 0)
            ssi_buf_put_char(b, '|');
        ssi_buf_put_u64(b, i + 1);
    }
    ssi_buf_put_str(b, "\r\n");
}

static secsip_result put_lines(const struct ssi_sdes_session *s, struct ssi_buf *b,
                               const struct ssi_sdes_local *lines, uint32_t n)
{
    if (style_of(s) == SSI_SDES_STYLE_CAPABILITY) {
        put_capabilities(s, b, lines, n);
        return b->failed;
    }
    for (uint32_t i = 0; i < n; i++) {
        ssi_buf_put_str(b, "a=");
        put_line(s, b, &lines[i]);
    }
    return b->failed;
}

/* An offer that was written waits for its answer. */
static void await(struct ssi_sdes_session *s, const struct ssi_sdes_local *lines, uint32_t n,
                  const char *profile, enum ssi_sdes_style style)
{
    ssi_wipe(s->local, sizeof s->local);
    memcpy(s->local, lines, n * sizeof *lines);
    s->n_local = n;
    s->offered = profile;
    s->offer_style = style;
    s->has_pending = true;
    ssi_sdes_confirm(s);
}

secsip_result ssi_sdes_put_offer(struct ssi_sdes_session *s, struct ssi_buf *b)
{
    struct ssi_sdes_local lines[SSI_SDES_LINES_MAX];
    uint32_t n = 0;
    secsip_result r = 0;

    if (s->has_pending)
        return SECSIP_E_STATE;
    memset(lines, 0, sizeof lines);
    if (s->config.policy != SSI_SDES_OFF) {
        r = make_lines(s, lines, &n);
        if (r == 0)
            r = put_lines(s, b, lines, n);
    }
    if (r == 0)
        await(s, lines, n, ssi_sdes_offer_profile(s), style_of(s));
    ssi_wipe(lines, sizeof lines);
    return r;
}

static void allow(struct ssi_sdes_config *c, enum ssi_suite suite)
{
    if (!ssi_sdes_allows(c, suite) && c->n_suites < SSI_SUITE_COUNT)
        c->suites[c->n_suites++] = suite;
}

/* The lines of an offer of ours, as ssi_sdes_put_offer wrote them in one style or the other. */
static secsip_result collect_ours(const struct ssi_sdp *offer, uint32_t media, uint32_t allowed,
                                  struct ssi_sdes_line *lines, uint32_t *ret_n,
                                  enum ssi_sdes_style *ret_style)
{
    struct ssi_slice value;
    uint32_t at = 0;

    *ret_style = SSI_SDES_STYLE_AVP;
    *ret_n = 0;
    while (ssi_capneg_any_crypto(offer, media, &at, &value)) {
        if (*ret_n == SSI_SDES_LINES_MAX)
            return SECSIP_E_LIMIT;
        ssi_sdes_parse_allowing(value, allowed, &lines[(*ret_n)++]);
        if (ssi_slice_eq(ssi_slice_of(offer->lines[at - 1].value.p, 4), SSI_LIT("acap")))
            *ret_style = SSI_SDES_STYLE_CAPABILITY;
    }
    ssi_sdes_cross_check(lines, *ret_n);
    return 0;
}

secsip_result ssi_sdes_adopt_offer(struct ssi_sdes_session *s, const struct ssi_sdp *offer,
                                   uint32_t media)
{
    struct ssi_sdes_line lines[SSI_SDES_LINES_MAX];
    struct ssi_sdes_local ours[SSI_SDES_LINES_MAX];
    enum ssi_sdes_style style;
    const char *profile = NULL;
    uint32_t n = 0;

    if (s->has_pending)
        return SECSIP_E_STATE;
    if (media >= offer->n_media || offer->media[media].port == 0)
        return SECSIP_E_SDP_MEDIA;
    if (ssi_sdes_kind_of(offer->media[media].profile, &profile) == SSI_PROFILE_OTHER)
        return SECSIP_E_SDP_MEDIA;
    secsip_result r = collect_ours(offer, media, s->config.allow, lines, &n, &style);
    for (uint32_t i = 0; r == 0 && i < n; i++)
        r = lines[i].usable < 0 ? lines[i].usable : lines[i].n_keys > 1 ? SECSIP_E_LIMIT : 0;
    if (r == 0)
        r = open_book(s);
    for (uint32_t i = 0; r == 0 && i < n; i++)
        r = ssi_sdes_book_add(s->book, &lines[i].keys[0].key);
    if (r == 0) {
        for (uint32_t i = 0; i < n; i++) {
            allow(&s->config, lines[i].suite);
            set_local(&ours[i], lines[i].tag, lines[i].suite, lines[i].forms,
                      lines[i].quirks & SSI_SDES_QUIRK_SPELLING, &lines[i].keys[0]);
        }
        await(s, ours, n, profile, style);
        ssi_wipe(ours, n * sizeof *ours);
    }
    ssi_wipe(lines, n * sizeof *lines);
    return r;
}

/* ---- What is agreed */
static bool same_keys(const struct ssi_sdes_agreed *a, const struct ssi_sdes_agreed *b)
{
    bool same = a->suite == b->suite && a->tag == b->tag && a->n_rx_more == b->n_rx_more &&
                a->forms == b->forms && ssi_sdes_key_eq(&a->rx, &b->rx);

    for (uint32_t i = 0; same && i < a->n_rx_more; i++)
        same = ssi_sdes_key_eq(&a->rx_more[i], &b->rx_more[i]);
    return same;
}

/* Puts an agreement into force. */
static void commit(struct ssi_sdes_session *s, const struct ssi_sdes_agreed *next, bool answered)
{
    bool tx_changed =
        next->suite == SSI_SUITE_NONE || !ssi_key_eq(&s->agreed.tx.key, &next->tx.key);

    save(s, &s->previous);
    s->has_previous = true;
    s->answered = answered;
    if (tx_changed)
        s->fresh_key = false;
    s->agreed = *next;
    s->has_agreed = true;
    s->was_secure = s->was_secure || next->suite != SSI_SUITE_NONE;
}

secsip_result ssi_sdes_take_answer(struct ssi_sdes_session *s, const struct ssi_sdp *answer,
                                   uint32_t media, const struct ssi_sdes_agreed **ret_agreed,
                                   const char **ret_why)
{
    struct ssi_sdes_agreed next;
    const char *why = "";
    secsip_result r = ssi_sdes_judge_answer(s, answer, media, &next, &why);

    if (r == 0 && s->has_pending) {
        commit(s, &next, false);
        s->has_pending = false;
    } else if (r == 0 && !(s->has_agreed && same_keys(&next, &s->agreed))) {
        r = SECSIP_E_STATE;
        why = "no offer waits for this answer";
    }
    ssi_wipe(&next, sizeof next);
    if (ret_why)
        *ret_why = why;
    if (r == 0)
        *ret_agreed = &s->agreed;
    return r;
}

/* ---- Answer */
/* Our key for an answer: the one in use where the peer changed nothing, else a fresh one. */
static secsip_result choose_tx(struct ssi_sdes_session *s, struct ssi_sdes_agreed *next)
{
    if (next->suite == SSI_SUITE_NONE)
        return 0;
    if (is_secure(s) && !s->fresh_key && same_keys(next, &s->agreed)) {
        next->tx = s->agreed.tx;
        return 0;
    }
    return make_key(s, next->suite, &next->tx);
}

static secsip_result put_answer(const struct ssi_sdes_session *s, struct ssi_buf *b,
                                const struct ssi_sdes_agreed *next,
                                const struct ssi_sdes_choice *choice)
{
    if (next->suite != SSI_SUITE_NONE) {
        ssi_buf_put_str(b, "a=crypto:");
        ssi_sdes_put_key(b, next->tag, next->suite, choice->suite_text, &next->tx,
                         !s->config.unpadded);
        ssi_sdes_put_forms(b, next->forms);
        ssi_buf_put_str(b, "\r\n");
        ssi_capneg_put_actual(b, &choice->config);
    }
    if (choice->creq_unmet)
        ssi_buf_put_str(b, "a=csup:cap-v0\r\n"); /* RFC 5939 3.3.2 */
    return b->failed;
}

secsip_result ssi_sdes_answer(struct ssi_sdes_session *s, const struct ssi_sdp *offer,
                              uint32_t media, struct ssi_buf *b, const char **ret_profile,
                              const struct ssi_sdes_agreed **ret_agreed, const char **ret_why)
{
    struct ssi_sdes_agreed next;
    struct ssi_sdes_choice choice;
    const char *why = "an offer of ours waits for its answer";
    secsip_result r = SECSIP_E_STATE;

    memset(&next, 0, sizeof next);
    if (!s->has_pending) {
        ssi_sdes_confirm(s); /* RFC 3264 4: no new offer before the last one's answer */
        r = ssi_sdes_judge_offer(s, offer, media, &next, &choice, &why);
    }
    if (r == 0) {
        next.misspells = next.quirks & SSI_SDES_QUIRK_SPELLING;
        why = "no key could be made or written";
        r = choose_tx(s, &next);
        if (r == 0)
            r = put_answer(s, b, &next, &choice);
    }
    if (r == 0) {
        why = "";
        commit(s, &next, true);
        *ret_profile = next.profile;
        *ret_agreed = &s->agreed;
    }
    ssi_wipe(&next, sizeof next);
    if (ret_why)
        *ret_why = why;
    return r;
}

/* ---- Taking back */
void ssi_sdes_rollback(struct ssi_sdes_session *s)
{
    if (s->has_pending) {
        forget_offer(s);
    } else if (s->has_previous) {
        if (!s->answered)
            forget_offer(s);
        go_back(s, &s->previous);
        if (s->answered && s->has_agreed)
            s->was_secure = s->previous.was_secure;
        ssi_sdes_confirm(s);
    }
}

secsip_result ssi_sdes_begin(struct ssi_sdes_session *s)
{
    if (s->has_base || s->has_pending)
        return SECSIP_E_STATE;
    ssi_sdes_confirm(s);
    save(s, &s->base);
    s->has_base = true;
    return 0;
}

secsip_result ssi_sdes_revert(struct ssi_sdes_session *s)
{
    if (!s->has_base)
        return SECSIP_E_STATE;
    forget_offer(s);
    go_back(s, &s->base);
    ssi_sdes_settle(s);
    return 0;
}

void ssi_sdes_settle(struct ssi_sdes_session *s)
{
    ssi_sdes_confirm(s);
    s->has_base = false;
    ssi_wipe(&s->base, sizeof s->base);
}
