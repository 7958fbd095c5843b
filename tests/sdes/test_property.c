/* Random offers in every style, answers, damage, refusals and rekeys between two sessions and somebody on the path. What must hold
 * after every step: a key that is sent with was signalled to this peer; no key serves two directions or two calls; mandatory is
 * never clear; what had SRTP keeps it; nothing is left out that was not allowed; a failed step changes nothing that is
 * agreed. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "sdes/sdes.h"
#include "seed.h"

enum {
    KEYS_MAX = 512,
    TEXT_MAX = 8192
};

struct side {
    struct ssi_sdes_session s;
    struct ssi_key told[KEYS_MAX]; /* every key this side ever wrote */
    size_t n_told;
    struct ssi_key heard[KEYS_MAX]; /* every key it ever agreed to receive with */
    size_t n_heard;
    bool was_secure;
};

/* Every key that any session of a call made, by the call: a key of another call must never come up. */
static struct ssi_key all_keys[1 << 17];
static uint32_t all_calls[1 << 17];
static uint32_t call_number;

struct world {
    uint64_t seed;
    struct side side[2];
    char past[8][TEXT_MAX]; /* descriptions that went by, for replay */
    unsigned n_past;
};

static bool knows(const struct ssi_key *keys, size_t n, const struct ssi_key *key)
{
    for (size_t i = 0; i < n; i++)
        if (ssi_key_eq(&keys[i], key))
            return true;
    return false;
}

static void note(struct ssi_key *keys, size_t *n, const struct ssi_key *key)
{
    if (knows(keys, *n, key))
        return;
    assert_true(*n < KEYS_MAX);
    keys[(*n)++] = *key;
}

/* No key serves two calls: its bytes lead to the call that made it. */
static void note_call(const struct ssi_key *key)
{
    uint32_t at;

    memcpy(&at, key->bytes, sizeof at);
    for (at %= 1 << 17; all_keys[at].len > 0; at = (at + 1) % (1 << 17)) {
        if (!ssi_key_eq(&all_keys[at], key))
            continue;
        assert_int_equal(all_calls[at], call_number);
        return;
    }
    all_keys[at] = *key;
    all_calls[at] = call_number;
}

static void check(struct side *me)
{
    const struct ssi_sdes_agreed *a = &me->s.agreed;

    if (!me->s.has_agreed)
        return;
    if (a->suite == SSI_SUITE_NONE) {
        assert_true(me->s.config.policy != SSI_SDES_MANDATORY);
        assert_false(me->was_secure);
        return;
    }
    me->was_secure = true;
    assert_true(me->s.config.policy != SSI_SDES_OFF);
    assert_int_equal(a->forms & ~me->s.config.allow, 0);
    assert_true(ssi_suite_allowed(a->suite, me->s.config.allow));
    note_call(&a->tx.key);
    note(me->heard, &me->n_heard, &a->rx.key);
    assert_true(knows(me->told, me->n_told, &a->tx.key));
    assert_false(knows(me->heard, me->n_heard, &a->tx.key));
    assert_false(ssi_key_eq(&a->tx.key, &a->rx.key));
    assert_int_equal(a->tx.key.len,
                     ssi_suite_info(a->suite)->key_len + ssi_suite_info(a->suite)->salt_len);
    assert_int_equal(a->rx.key.len, a->tx.key.len);
}

/* Keeps the keys of what this side wrote, as a=crypto or as the capability of one. */
static void note_written(struct side *me, const struct ssi_buf *b)
{
    struct ssi_slice rest = ssi_buf_slice(b);
    struct ssi_sdes_line l;

    while (rest.len > 0) {
        size_t end = ssi_slice_find(rest, '\n');
        assert_true(end > 3);
        struct ssi_slice text = ssi_slice_of(rest.p, end - 1);
        const char *at = memmem(text.p, text.len, "crypto:", 7);
        if (at) {
            struct ssi_slice value = ssi_slice_from(text, (size_t)(at + 7 - text.p));
            assert_int_equal(ssi_sdes_parse_allowing(value, me->s.config.allow, &l), 0);
            note(me->told, &me->n_told, &l.keys[0].key);
        }
        rest = ssi_slice_from(rest, end + 1);
    }
}

/* One media line, or two where `second` is a profile; the one that is not `taken` is refused. */
static void describe(char out[TEXT_MAX], const char *profile, const struct ssi_buf *lines,
                     const char *second, unsigned taken)
{
    int n = snprintf(out, TEXT_MAX,
                     "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
                     "m=audio %s %s 0\r\n%.*s",
                     taken & 1 ? "4000" : "0", profile, (int)lines->len,
                     lines->data ? (char *)lines->data : "");
    if (second)
        (void)snprintf(out + n, TEXT_MAX - (size_t)n, "m=audio %s %s 0\r\n",
                       taken & 2 ? "4000" : "0", second);
}

static void replace(char text[TEXT_MAX], const char *from, const char *to)
{
    char copy[TEXT_MAX];
    char *at = strstr(text, from);

    if (!at)
        return;
    memcpy(copy, at + strlen(from), strlen(at + strlen(from)) + 1);
    (void)snprintf(at, TEXT_MAX - (size_t)(at - text), "%s%s", to, copy);
}

/* What may happen to a description on the path. */
static void damage(struct world *w, char text[TEXT_MAX])
{
    char *at;

    switch (test_below(&w->seed, 13)) {
    case 0:
        text[test_below(&w->seed, (uint32_t)strlen(text))] ^= (char)(1U << test_below(&w->seed, 7));
        break;
    case 1:
        replace(text, "RTP/SAVP", "RTP/AVP");
        break;
    case 2:
        replace(text, "RTP/AVP", "RTP/SAVP");
        break;
    case 3: /* all crypto lines gone */
        at = strstr(text, "a=crypto");
        if (at)
            *at = 0;
        break;
    case 4: /* something that went by before */
        if (w->n_past > 0)
            memcpy(text, w->past[test_below(&w->seed, w->n_past < 8 ? w->n_past : 8)], TEXT_MAX);
        break;
    case 5:
        replace(text, "a=crypto:1 ", "a=crypto:2 ");
        break;
    case 6:
        replace(text, "HMAC_SHA1_80", "HMAC_SHA1_32");
        break;
    case 7: /* only the first crypto line */
        at = strstr(text, "a=crypto");
        at = at ? strchr(at, '\n') : NULL;
        if (at)
            at[1] = 0;
        break;
    case 9: /* the configuration that was answered, or what it was made of */
        replace(text, "a=acfg:1 t=1", test_below(&w->seed, 2) ? "a=acfg:2 t=1" : "a=x:1");
        break;
    case 10:
        replace(text, "m=audio 4000", "m=audio 0");
        break;
    case 11:
        replace(text, "m=audio 0", "m=audio 4000");
        break;
    case 8:
        replace(text, "inline:", test_below(&w->seed, 2) ? "inline:A" : "uri:");
        break;
    default:
        replace(text, "\r\na=crypto", " \r\na=crypto");
    }
}

static struct ssi_sdp *deliver(struct world *w, char text[TEXT_MAX])
{
    struct ssi_sdp *sdp = NULL;

    memcpy(w->past[w->n_past++ % 8], text, TEXT_MAX);
    if (test_below(&w->seed, 3) == 0)
        damage(w, text);
    (void)ssi_sdp_parse(ssi_slice_str(text), NULL, NULL, &sdp);
    return sdp;
}

static bool is_taken(const struct ssi_sdp *sdp, uint32_t media, const void *arg)
{
    (void)arg;
    return sdp->media[media].port > 0;
}

/* The answerer's half; false when no answer came back. */
static bool answer(struct world *w, struct side *me, char text[TEXT_MAX])
{
    struct ssi_sdp *sdp = deliver(w, text);
    struct side before = *me;
    const struct ssi_sdes_agreed *agreed;
    const char *profile = NULL, *why;
    struct ssi_buf b;
    uint32_t media = 0;
    bool ok = false;

    if (!sdp)
        return false;
    ssi_buf_init_secret(&b, TEXT_MAX);
    if (ssi_sdes_choose_media(&me->s, sdp, is_taken, NULL, &media, &profile, &why) == 0 &&
        ssi_sdes_answer(&me->s, sdp, media, &b, &profile, &agreed, &why) == 0) {
        note_written(me, &b);
        check(me);
        ok = true;
        if (test_below(&w->seed, 6) == 0) { /* it was never sent: as if it had not been written */
            ssi_sdes_rollback(&me->s);
            me->n_told = before.n_told;
            me->n_heard = before.n_heard;
            me->was_secure = before.was_secure;
            ok = false;
        }
        if (sdp->n_media < 2)
            describe(text, profile, &b, NULL, 1);
        else if (media == 0)
            describe(text, profile, &b, "RTP/AVP", 1);
        else { /* the second line: the first is refused, and our lines stand at the end */
            struct ssi_buf none = {0};
            describe(text, "RTP/SAVP", &none, profile, 2);
            size_t n = strlen(text);
            (void)snprintf(text + n, TEXT_MAX - n, "%.*s", (int)b.len, b.len ? (char *)b.data : "");
        }
    }
    if (!ok) {
        assert_memory_equal(&before.s.agreed, &me->s.agreed, sizeof before.s.agreed);
        assert_int_equal(before.s.has_agreed, me->s.has_agreed);
    }
    ssi_buf_free(&b);
    ssi_sdp_free(sdp);
    return ok;
}

/* The offerer's second half. */
static void take(struct world *w, struct side *me, char text[TEXT_MAX])
{
    struct ssi_sdp *sdp = deliver(w, text);
    struct ssi_sdes_session before = me->s;
    const struct ssi_sdes_agreed *agreed;
    const char *why;

    if (sdp && ssi_sdes_take_answer(&me->s, sdp, 0, &agreed, &why) == 0) {
        check(me);
    } else {
        assert_memory_equal(&before, &me->s, sizeof before);
        ssi_sdes_rollback(&me->s);
        assert_memory_equal(&before.agreed, &me->s.agreed, sizeof before.agreed);
    }
    ssi_sdp_free(sdp);
}

static void exchange(struct world *w, struct side *a, struct side *b)
{
    char text[TEXT_MAX];
    struct ssi_buf lines;

    ssi_buf_init_secret(&lines, TEXT_MAX);
    if (test_below(&w->seed, 4) == 0)
        ssi_sdes_rekey(&a->s);
    if (test_below(&w->seed, 4) == 0)
        ssi_sdes_rekey(&b->s);
    const char *first = ssi_sdes_offer_profile_of(&a->s, 0);
    const char *second = ssi_sdes_offer_profile_of(&a->s, 1);
    assert_int_equal(ssi_sdes_put_offer(&a->s, &lines), 0);
    note_written(a, &lines);
    check(a);
    describe(text, first, &lines, second, 3);
    ssi_buf_free(&lines);
    switch (test_below(&w->seed, 8)) {
    case 0: /* refused, or lost */
        ssi_sdes_rollback(&a->s);
        break;
    case 1: /* reflected */
        take(w, a, text);
        break;
    default:
        if (answer(w, b, text))
            take(w, a, text);
        else
            ssi_sdes_rollback(&a->s);
    }
    assert_false(a->s.has_pending);
    check(a);
    check(b);
}

static struct ssi_sdes_config random_config(uint64_t *seed)
{
    static const enum ssi_sdes_policy policies[] = {
        SSI_SDES_MANDATORY, SSI_SDES_MANDATORY, SSI_SDES_OPTIONAL, SSI_SDES_OPTIONAL, SSI_SDES_OFF};
    struct ssi_sdes_config c = {.policy = policies[test_below(seed, 5)]};

    c.style = (enum ssi_sdes_style)test_below(seed, 4);
    if (test_below(seed, 4) == 0)
        c.allow = test_below(seed, 16);
    c.forms = test_below(seed, 8);
    for (int s = SSI_SUITE_NONE + 1; s < SSI_SUITE_COUNT; s++)
        if (test_below(seed, 2) == 0 || s <= SSI_SUITE_AES_CM_128_HMAC_SHA1_32)
            c.suites[c.n_suites++] = (enum ssi_suite)s;
    for (size_t i = c.n_suites; i > 1; i--) {
        size_t k = test_below(seed, (uint32_t)i);
        enum ssi_suite t = c.suites[k];
        c.suites[k] = c.suites[i - 1];
        c.suites[i - 1] = t;
    }
    c.lifetime = test_below(seed, 2) ? UINT64_C(1) << test_below(seed, 49) : 0;
    c.mki_len = test_below(seed, 3) ? 0 : 1 + test_below(seed, 128);
    c.max_keys = test_below(seed, SSI_SDES_KEYS_MAX + 1);
    c.avp_crypto = test_below(seed, 2);
    c.match_by_suite = test_below(seed, 2);
    c.unpadded = test_below(seed, 2);
    c.refuse_profile = test_below(seed, 4) == 0;
    c.refuse_spelling = test_below(seed, 4) == 0;
    c.refuse_unpadded = test_below(seed, 4) == 0;
    return c;
}

static void random_calls_keep_the_invariants(void **state)
{
    (void)state;
    static struct world w;
    unsigned secure = 0, clear = 0;

    w.seed = test_seed();
    for (int call = 0; call < 1500; call++) {
        call_number++;
        for (int i = 0; i < 2; i++) {
            struct ssi_sdes_config c = random_config(&w.seed);
            memset(&w.side[i], 0, sizeof w.side[i]);
            ssi_sdes_session_init(&w.side[i].s, &c);
        }
        w.n_past = 0;
        for (int step = 0; step < 10; step++) {
            unsigned from = test_below(&w.seed, 2);
            exchange(&w, &w.side[from], &w.side[!from]);
        }
        secure += w.side[0].was_secure;
        clear += w.side[0].s.has_agreed && !w.side[0].was_secure;
        ssi_sdes_session_wipe(&w.side[0].s);
        ssi_sdes_session_wipe(&w.side[1].s);
    }
    print_message("%u calls were secure, %u clear\n", secure, clear);
    assert_true(secure > 100 && clear > 100);
}

/* Without anybody on the path, both sides hold the same two keys, crosswise, after every exchange. */
static void undisturbed_calls_agree_crosswise(void **state)
{
    (void)state;
    static struct side side[2];
    uint64_t seed = test_seed();

    for (int call = 0; call < 300; call++) {
        for (int i = 0; i < 2; i++) {
            struct ssi_sdes_config c = random_config(&seed);
            c.policy = SSI_SDES_MANDATORY;
            c.allow = 15; /* whatever the other one asks for */
            c.refuse_unpadded = false;
            ssi_sdes_session_init(&side[i].s, &c);
        }
        for (int step = 0; step < 6; step++) {
            struct ssi_sdes_session *a = &side[test_below(&seed, 2)].s;
            struct ssi_sdes_session *b = a == &side[0].s ? &side[1].s : &side[0].s;
            const struct ssi_sdes_agreed *x, *y;
            const char *profile, *why = "";
            char text[TEXT_MAX];
            struct ssi_sdp *sdp = NULL;
            struct ssi_buf lines;

            ssi_buf_init_secret(&lines, TEXT_MAX);
            assert_int_equal(ssi_sdes_put_offer(a, &lines), 0);
            describe(text, ssi_sdes_offer_profile(a), &lines, NULL, 1);
            ssi_buf_reset(&lines);
            assert_int_equal(ssi_sdp_parse(ssi_slice_str(text), NULL, NULL, &sdp), 0);
            if (ssi_sdes_answer(b, sdp, 0, &lines, &profile, &y, &why) < 0)
                fail_msg("%s", why);
            ssi_sdp_free(sdp);
            describe(text, profile, &lines, NULL, 1);
            ssi_buf_free(&lines);
            assert_int_equal(ssi_sdp_parse(ssi_slice_str(text), NULL, NULL, &sdp), 0);
            if (ssi_sdes_take_answer(a, sdp, 0, &x, &why) < 0)
                fail_msg("%s", why);
            ssi_sdp_free(sdp);
            assert_true(ssi_sdes_key_eq(&x->tx, &y->rx));
            assert_true(ssi_sdes_key_eq(&x->rx, &y->tx));
            assert_int_equal(x->suite, y->suite);
            assert_int_equal(x->tag, y->tag);
            assert_int_equal(x->forms, y->forms);
        }
        ssi_sdes_session_wipe(&side[0].s);
        ssi_sdes_session_wipe(&side[1].s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_calls_keep_the_invariants),
        cmocka_unit_test(undisturbed_calls_agree_crosswise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
