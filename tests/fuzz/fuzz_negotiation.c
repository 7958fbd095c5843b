/* Fuzz target: a session whose peer says anything in any order. The first byte chooses the policy, the style and the options;
 * steps follow, each a letter, and for A and T a description up to the next "\n.": O offer, A the peer's offer, T the peer's
 * answer, R rollback, B a re-INVITE begins, V it is refused, S it is accepted, K rekey, F forms that leave protection out are allowed from now on. After every step: mandatory is never
 * clear, SRTP never falls, no key serves two directions, what we send with was written before, nothing is left out that was not
 * allowed, and what failed changed nothing that is agreed. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sdes/sdes.h"

enum {
    STEPS_MAX = 32,
    TEXT_MAX = 1 << 17,
    KEYS_MAX = STEPS_MAX * SSI_SDES_LINES_MAX,
    ALL_FORMS = SSI_SDES_UNENCRYPTED_SRTP | SSI_SDES_UNENCRYPTED_SRTCP |
                SSI_SDES_UNAUTHENTICATED_SRTP | SSI_SDES_NULL_CIPHER,
};

/* Every key of ours that went out. */
static struct ssi_key told[KEYS_MAX];
static size_t n_told;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The keys in what was written: "inline:" and base64. */
static void note_told(const struct ssi_buf *b)
{
    struct ssi_slice rest = ssi_buf_slice(b);
    struct ssi_sdes_line l;

    while (rest.len > 0) {
        size_t end = ssi_slice_find(rest, '\n');
        struct ssi_slice text = ssi_slice_of(rest.p, end > 0 ? end - 1 : 0);
        const char *at = text.len ? memmem(text.p, text.len, "crypto:", 7) : NULL;
        rest = ssi_slice_from(rest, end + 1);
        if (!at)
            continue;
        if (ssi_sdes_parse_allowing(ssi_slice_from(text, (size_t)(at + 7 - text.p)), ALL_FORMS,
                                    &l) < 0 ||
            l.n_keys != 1 || n_told == KEYS_MAX)
            abort(); /* what we write we can read */
        told[n_told++] = l.keys[0].key;
    }
}

static bool was_told(const struct ssi_key *key)
{
    for (size_t i = 0; i < n_told; i++)
        if (ssi_key_eq(&told[i], key))
            return true;
    return false;
}

/* What became of the call so far. */
struct past {
    bool was_secure;
    bool before_answer; /* was_secure before the last answer of ours */
    bool back;          /* what is in force was in force before */
};

static void check(const struct ssi_sdes_session *s, struct past *p)
{
    const struct ssi_sdes_agreed *a = &s->agreed;

    if (!s->has_agreed)
        return;
    if (a->suite == SSI_SUITE_NONE) {
        if (s->config.policy == SSI_SDES_MANDATORY || (p->was_secure && !p->back))
            abort();
        return;
    }
    p->was_secure = true;
    if (a->tx.key.len == 0 || ssi_key_eq(&a->tx.key, &a->rx.key) ||
        s->config.policy == SSI_SDES_OFF || !was_told(&a->tx.key))
        abort();
    if ((a->forms & ~s->config.allow) || !ssi_suite_allowed(a->suite, s->config.allow) ||
        (a->forms && ssi_suite_info(a->suite)->aead))
        abort();
    for (uint32_t i = 0; i < a->n_rx_more; i++)
        if (ssi_key_eq(&a->tx.key, &a->rx_more[i].key))
            abort();
}

/* The description of a step; moves behind its end. */
static struct ssi_slice take_text(struct ssi_slice *rest)
{
    const char *end = memmem(rest->p, rest->len, "\n.", 2);
    struct ssi_slice text = ssi_slice_of(rest->p, end ? (size_t)(end + 1 - rest->p) : rest->len);

    *rest = ssi_slice_from(*rest, text.len + (end ? 1 : 0));
    return text;
}

static bool taken(const struct ssi_sdp *sdp, uint32_t media, const void *arg)
{
    (void)arg;
    return sdp->media[media].port > 0;
}

/* Answers the line that is to be answered, as it was said before. */
static secsip_result answer(struct ssi_sdes_session *s, const struct ssi_sdp *sdp,
                            struct ssi_buf *b, const char **ret_why)
{
    struct ssi_sdes_session before = *s;
    const struct ssi_sdes_agreed *agreed;
    const char *said, *profile;
    uint32_t media;
    bool secure = false;

    secsip_result r = ssi_sdes_choose_media(s, sdp, taken, NULL, &media, &said, ret_why);
    if (r == 0 && ssi_sdes_judge(s, sdp, media, &secure, &profile, ret_why) != 0)
        abort();
    if (memcmp(&before, s, sizeof before) != 0) /* NOLINT: a copy, padding and all */
        abort();
    if (r < 0)
        return r;
    r = ssi_sdes_answer(s, sdp, media, b, &profile, &agreed, ret_why);
    if (r == 0 && (strcmp(said, profile) != 0 || secure != (agreed->suite != SSI_SUITE_NONE)))
        abort();
    if (r < 0 && !s->has_pending)
        abort();
    return r;
}

/* The peer's description into the session: 'A' or 'T'. */
static secsip_result hear(struct ssi_sdes_session *s, char step, struct ssi_slice text,
                          struct ssi_buf *b)
{
    const struct ssi_sdes_agreed *agreed;
    const char *why = NULL;
    struct ssi_sdp *sdp;

    secsip_result r = ssi_sdp_parse(text, NULL, NULL, &sdp);
    if (r < 0)
        return r;
    if (step == 'A')
        r = answer(s, sdp, b, &why);
    else
        r = ssi_sdes_take_answer(s, sdp, 0, &agreed, &why);
    if (!why || (r < 0 && !why[0]))
        abort();
    ssi_sdp_free(sdp);
    return r;
}

static secsip_result step(struct ssi_sdes_session *s, struct ssi_slice *rest, struct ssi_buf *b)
{
    struct ssi_sdes_agreed before = s->agreed;
    char what = rest->p[0];
    secsip_result r = 0;

    *rest = ssi_slice_from(*rest, 1);
    if (what == 'O')
        (void)ssi_sdes_put_offer(s, b);
    else if (what == 'K')
        ssi_sdes_rekey(s);
    else if (what == 'R')
        ssi_sdes_rollback(s);
    else if (what == 'B')
        (void)ssi_sdes_begin(s);
    else if (what == 'V')
        (void)ssi_sdes_revert(s);
    else if (what == 'S')
        ssi_sdes_settle(s);
    else if (what == 'F')
        s->config.allow = s->config.forms = ALL_FORMS;
    else if (what == 'A' || what == 'T')
        r = hear(s, what, take_text(rest), b);
    if (r == 0)
        note_told(b);
    /* A copy, padding and all. NOLINTNEXTLINE */
    if ((r < 0 || strchr("OKBS", what)) && memcmp(&before, &s->agreed, sizeof before) != 0)
        abort();
    return r;
}

/* What was taken back: clear media that were in force before may go on, and no new ones are agreed on. */
static void take_back(const struct ssi_sdes_session *s, struct past *p)
{
    p->back = true;
    if (s->answered && s->has_agreed) /* an answer of ours that is taken back does not count */
        p->was_secure = p->before_answer;
}

static void walk(struct ssi_sdes_session *s, struct ssi_slice rest, struct ssi_buf *b)
{
    struct past p = {0};

    for (int i = 0; i < STEPS_MAX && rest.len > 0; i++) {
        char what = rest.p[0];
        bool undoes = what == 'R' && s->has_previous && !s->has_pending;
        bool reverts = what == 'V' && s->has_base;
        bool was_secure = p.was_secure;
        secsip_result r = step(s, &rest, b);
        if (what == 'A' && r == 0)
            p.before_answer = was_secure;
        if ((what == 'A' || what == 'T') && r == 0)
            p.back = false;
        if (undoes)
            take_back(s, &p);
        p.back = p.back || reverts;
        check(s, &p);
        ssi_buf_reset(b);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ssi_slice rest = ssi_slice_of(data, size);
    struct ssi_sdes_config config = {.n_suites = SSI_SUITE_DEFAULT_COUNT};
    struct ssi_sdes_session s;
    struct ssi_buf b;

    if (size == 0)
        return 0;
    memcpy(config.suites, ssi_suite_default, SSI_SUITE_DEFAULT_COUNT * sizeof *config.suites);
    config.policy = data[0] % 3 == 0   ? SSI_SDES_MANDATORY
                    : data[0] % 3 == 1 ? SSI_SDES_OPTIONAL
                                       : SSI_SDES_OFF;
    config.avp_crypto = data[0] & 4;
    config.match_by_suite = data[0] & 8;
    config.max_keys = data[0] >> 4 & 3;
    config.style = (enum ssi_sdes_style)(data[0] >> 6);
    config.suites[config.n_suites++] = SSI_SUITE_NULL_HMAC_SHA1_80;
    n_told = 0;
    rest = ssi_slice_from(rest, 1);
    ssi_sdes_session_init(&s, &config);
    ssi_buf_init_secret(&b, TEXT_MAX);
    walk(&s, rest, &b);
    ssi_buf_free(&b);
    ssi_sdes_session_wipe(&s);
    return 0;
}
