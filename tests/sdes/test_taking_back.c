/* What is taken back, and what that does not change: keys of ours are known for ever, and SRTP stays SRTP. */
#include "sdes_talk.h"

#include <stdlib.h>

#include "base/base64.h"
#include "base/crypto.h"
#include "oom.h"

#define PEER_1 CRYPTO("1 " S80 "inline:" KEY30)
#define PEER_2 CRYPTO("1 " S80 "inline:" KEY30_B)
#define PEER_3 CRYPTO("1 " S80 "inline:MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkw")

static struct ssi_sdes_session fresh(const struct ssi_sdes_config *c)
{
    struct ssi_sdes_session s;

    ssi_sdes_session_init(&s, c);
    return s;
}

/* A crypto line of the peer's with a key of ours. */
static const char *line_with(const struct ssi_sdes_key *key)
{
    static char text[300];
    struct ssi_buf b;

    ssi_buf_init_secret(&b, sizeof text);
    ssi_buf_put_str(&b, "a=crypto:");
    ssi_sdes_put_key(&b, 1, SSI_SUITE_AES_CM_128_HMAC_SHA1_80, ssi_slice_str(NULL), key, true);
    (void)snprintf(text, sizeof text, "%.*s\r\n", (int)b.len, (const char *)b.data);
    ssi_buf_free(&b);
    return text;
}

/* The tag that the first line of an offer of ours has, with a key of the peer's. */
static const char *reply_to(const struct result *offer, const char *key)
{
    static char text[300];

    (void)snprintf(text, sizeof text, "a=crypto:%c " S80 "inline:%s\r\n",
                   strstr(offer->written, "crypto:")[7], key);
    return text;
}

/* ---- keys of ours never come from the peer */
static void the_key_of_an_answer_that_was_taken_back_is_still_ours(void **state)
{
    (void)state;
    struct ssi_sdes_session s = fresh(&mandatory);

    assert_int_equal(answer(&s, "RTP/SAVP", PEER_1).r, 0);
    assert_int_equal(answer(&s, "RTP/SAVP", PEER_2).r, 0);
    struct ssi_sdes_key second = s.agreed.tx;
    ssi_sdes_rollback(&s);
    assert_int_equal(answer(&s, "RTP/SAVP", line_with(&second)).r, SECSIP_E_SDES_KEY_WEAK);
    /* Nor the keys of an offer that was withdrawn, chosen or not. */
    assert_int_equal(offer(&s).r, 0);
    struct ssi_sdes_key third = s.local[1].key;
    ssi_sdes_rollback(&s);
    assert_int_equal(answer(&s, "RTP/SAVP", line_with(&third)).r, SECSIP_E_SDES_KEY_WEAK);
    ssi_sdes_session_wipe(&s);
}

static void our_first_key_is_ours_after_any_number_of_others(void **state)
{
    (void)state;
    struct ssi_sdes_session s = fresh(&mandatory);

    assert_int_equal(answer(&s, "RTP/SAVP", PEER_1).r, 0);
    struct ssi_sdes_key first = s.agreed.tx;
    for (int i = 0; i < 200; i++)
        assert_int_equal(answer(&s, "RTP/SAVP", i % 2 ? PEER_1 : PEER_2).r, 0);
    assert_int_equal(answer(&s, "RTP/SAVP", line_with(&first)).r, SECSIP_E_SDES_KEY_WEAK);
    ssi_sdes_session_wipe(&s);
}

static void a_key_of_one_media_line_or_fork_is_ours_on_the_others(void **state)
{
    (void)state;
    struct ssi_sdes_session audio = fresh(&mandatory), video = fresh(&mandatory);
    struct ssi_sdes_session stranger = fresh(&mandatory), fork;

    assert_int_equal(ssi_sdes_session_join(&video, &audio), 0);
    ssi_sdes_session_copy(&fork, &audio);
    assert_int_equal(answer(&audio, "RTP/SAVP", PEER_1).r, 0);
    const char *ours = line_with(&audio.agreed.tx);
    assert_int_equal(answer(&video, "RTP/SAVP", ours).r, SECSIP_E_SDES_KEY_WEAK);
    assert_int_equal(answer(&fork, "RTP/SAVP", ours).r, SECSIP_E_SDES_KEY_WEAK);
    assert_int_equal(answer(&stranger, "RTP/SAVP", ours).r, 0);
    /* What they know outlives the one that made it. */
    ssi_sdes_session_wipe(&audio);
    ssi_sdes_session_wipe(&fork);
    assert_int_equal(answer(&video, "RTP/SAVP", ours).r, SECSIP_E_SDES_KEY_WEAK);
    ssi_sdes_session_wipe(&video);
    ssi_sdes_session_wipe(&stranger);
}

static void the_keys_of_a_call_have_a_limit(void **state)
{
    (void)state;
    struct ssi_sdes_book *b = NULL;
    struct ssi_key k = {.len = 30}, first = {.len = 30};

    assert_int_equal(ssi_sdes_book_new(&b), 0);
    for (uint32_t i = 0; i < SSI_SDES_BOOK_MAX; i++) {
        memcpy(k.bytes, &i, sizeof i);
        assert_int_equal(ssi_sdes_book_add(b, &k), 0);
    }
    assert_true(ssi_sdes_book_has(b, &k));
    assert_true(ssi_sdes_book_has(b, &first));
    k.bytes[20] = 1;
    assert_false(ssi_sdes_book_has(b, &k));
    assert_int_equal(ssi_sdes_book_add(b, &k), SECSIP_E_LIMIT);
    ssi_sdes_book_unref(b);
    ssi_sdes_book_unref(NULL);
}

/* ---- what is confirmed stays */
static void an_answer_is_taken_back_until_it_is_confirmed(void **state)
{
    (void)state;
    for (int how = 0; how < 4; how++) {
        struct ssi_sdes_session s = fresh(&mandatory);
        assert_int_equal(answer(&s, "RTP/SAVP", PEER_1).r, 0);
        struct ssi_sdes_agreed agreed = s.agreed;
        if (how == 1)
            ssi_sdes_settle(&s);
        if (how == 2) /* the peer's next offer, whatever comes of it */
            assert_int_equal(answer(&s, "RTP/AVP", "").r, SECSIP_E_SDES_CLEAR_PROFILE);
        if (how == 3) { /* the next one of ours */
            assert_int_equal(offer(&s).r, 0);
            ssi_sdes_rollback(&s);
        }
        ssi_sdes_rollback(&s);
        assert_int_equal(s.has_agreed, how > 0);
        if (how > 0)
            assert_memory_equal(&agreed, &s.agreed, sizeof agreed);
        ssi_sdes_session_wipe(&s);
    }
}

static void what_was_srtp_does_not_become_clear_by_taking_back(void **state)
{
    (void)state;
    struct ssi_sdes_config c = with_policy(SSI_SDES_OPTIONAL);
    struct ssi_sdes_session s = fresh(&c);

    /* Refused, and rolled back once too often. */
    assert_int_equal(answer(&s, "RTP/AVP", PEER_1).r, 0);
    assert_int_equal(answer(&s, "RTP/AVP", "").r, SECSIP_E_SDES_NO_CRYPTO);
    ssi_sdes_rollback(&s);
    assert_true(s.has_agreed);
    assert_int_equal(answer(&s, "RTP/AVP", "").r, SECSIP_E_SDES_NO_CRYPTO);
    ssi_sdes_session_wipe(&s);
    /* Nothing is agreed any more, and still. */
    s = fresh(&c);
    assert_int_equal(answer(&s, "RTP/AVP", PEER_1).r, 0);
    ssi_sdes_rollback(&s);
    assert_false(s.has_agreed);
    assert_int_equal(answer(&s, "RTP/AVP", "").r, SECSIP_E_SDES_NO_CRYPTO);
    assert_int_equal(offer(&s).r, 0);
    assert_int_equal(take(&s, "RTP/AVP", "").r, SECSIP_E_SDES_NO_CRYPTO);
    ssi_sdes_session_wipe(&s);
    /* An answer of the peer's was SRTP, and is taken back to clear media. */
    s = offered(&c);
    assert_int_equal(take(&s, "RTP/AVP", "").r, 0);
    assert_int_equal(offer(&s).r, 0);
    assert_int_equal(take(&s, "RTP/AVP", PEER_1).r, 0);
    ssi_sdes_rollback(&s);
    assert_int_equal(s.agreed.suite, SSI_SUITE_NONE);
    assert_int_equal(answer(&s, "RTP/AVP", "").r, SECSIP_E_SDES_NO_CRYPTO);
    ssi_sdes_session_wipe(&s);
    /* Ours was not sent: the peer knows of nothing but clear media, and they go on. */
    s = offered(&c);
    assert_int_equal(take(&s, "RTP/AVP", "").r, 0);
    assert_int_equal(answer(&s, "RTP/AVP", PEER_1).r, 0);
    ssi_sdes_rollback(&s);
    assert_int_equal(answer(&s, "RTP/AVP", "").r, 0);
    ssi_sdes_session_wipe(&s);
}

/* ---- RFC 3261 14.1, RFC 6141: a re-INVITE that is refused has changed nothing */
static void a_provisional_answer_to_a_refused_reinvite_is_taken_back(void **state)
{
    (void)state;
    struct ssi_sdes_session s = offered(&mandatory);

    assert_int_equal(take(&s, "RTP/SAVP", PEER_1).r, 0);
    struct ssi_sdes_agreed before = s.agreed;
    ssi_sdes_rekey(&s);
    struct result o = offer(&s);
    assert_int_equal(take(&s, "RTP/SAVP", reply_to(&o, KEY30_B)).r, 0);
    assert_false(ssi_key_eq(&before.tx.key, &s.agreed.tx.key));
    ssi_sdes_rollback(&s);
    assert_memory_equal(&before, &s.agreed, sizeof before);
    /* The answer is to nothing now; and the new key is wanted still. */
    assert_int_equal(take(&s, "RTP/SAVP", reply_to(&o, KEY30_B)).r, SECSIP_E_SDES_TAG);
    o = offer(&s);
    assert_int_equal(take(&s, "RTP/SAVP", reply_to(&o, KEY30)).r, 0);
    assert_false(ssi_key_eq(&before.tx.key, &s.agreed.tx.key));
    ssi_sdes_session_wipe(&s);
}

static void all_that_a_refused_reinvite_held_is_taken_back_at_once(void **state)
{
    (void)state;
    struct ssi_sdes_session s = fresh(&mandatory);

    assert_int_equal(ssi_sdes_revert(&s), SECSIP_E_STATE);
    assert_int_equal(answer(&s, "RTP/SAVP", PEER_1).r, 0);
    struct ssi_sdes_agreed before = s.agreed;
    assert_int_equal(ssi_sdes_begin(&s), 0);
    assert_int_equal(ssi_sdes_begin(&s), SECSIP_E_STATE);
    assert_int_equal(answer(&s, "RTP/SAVP", PEER_2).r, 0); /* in a 183 */
    struct ssi_sdes_agreed early = s.agreed;
    struct result o = offer(&s); /* an UPDATE of ours, refused */
    ssi_sdes_rollback(&s);
    assert_memory_equal(&early, &s.agreed, sizeof early);
    assert_int_equal(answer(&s, "RTP/SAVP", PEER_3).r, 0); /* one of the peer's */
    o = offer(&s);                                         /* and one without an answer yet */
    assert_int_equal(ssi_sdes_revert(&s), 0);
    assert_memory_equal(&before, &s.agreed, sizeof before);
    assert_int_equal(take(&s, "RTP/SAVP", reply_to(&o, KEY30_B)).r, SECSIP_E_SDES_TAG);
    ssi_sdes_rollback(&s);
    assert_memory_equal(&before, &s.agreed, sizeof before);
    /* One that is accepted stays. */
    assert_int_equal(ssi_sdes_begin(&s), 0);
    assert_int_equal(answer(&s, "RTP/SAVP", PEER_3).r, 0);
    before = s.agreed;
    ssi_sdes_settle(&s);
    assert_int_equal(ssi_sdes_revert(&s), SECSIP_E_STATE);
    ssi_sdes_rollback(&s);
    assert_memory_equal(&before, &s.agreed, sizeof before);
    ssi_sdes_session_wipe(&s);
}

static void a_refused_reinvite_that_was_srtp_leaves_no_clear_media(void **state)
{
    (void)state;
    struct ssi_sdes_config c = with_policy(SSI_SDES_OPTIONAL);
    struct ssi_sdes_session s = offered(&c);

    assert_int_equal(take(&s, "RTP/AVP", "").r, 0);
    assert_int_equal(ssi_sdes_begin(&s), 0);
    assert_int_equal(answer(&s, "RTP/AVP", PEER_1).r, 0);
    assert_int_equal(ssi_sdes_revert(&s), 0);
    assert_int_equal(s.agreed.suite, SSI_SUITE_NONE);
    assert_int_equal(answer(&s, "RTP/AVP", "").r, SECSIP_E_SDES_NO_CRYPTO);
    ssi_sdes_session_wipe(&s);
}

/* ---- memory */
static void answer_once(void *arg)
{
    struct ssi_sdes_session s = fresh(&mandatory);
    struct result w = {.r = SECSIP_E_NOMEM};
    const char *why;
    struct ssi_buf b;

    ssi_buf_init_secret(&b, 4000);
    w.r = ssi_sdes_answer(&s, arg, 0, &b, &w.profile, &w.agreed, &why);
    assert_int_equal(w.r, test_oom_has_failed() ? SECSIP_E_NOMEM : 0);
    assert_int_equal(s.has_agreed, w.r == 0);
    ssi_buf_free(&b);
    ssi_sdes_session_wipe(&s);
}

static void without_memory_for_the_book_no_key_is_made(void **state)
{
    (void)state;
    struct ssi_sdp *sdp = describe("RTP/SAVP", PEER_1);

    assert_true(test_oom_each(answer_once, sdp) > 2);
    ssi_sdp_free(sdp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_of_an_answer_that_was_taken_back_is_still_ours),
        cmocka_unit_test(our_first_key_is_ours_after_any_number_of_others),
        cmocka_unit_test(a_key_of_one_media_line_or_fork_is_ours_on_the_others),
        cmocka_unit_test(the_keys_of_a_call_have_a_limit),
        cmocka_unit_test(an_answer_is_taken_back_until_it_is_confirmed),
        cmocka_unit_test(what_was_srtp_does_not_become_clear_by_taking_back),
        cmocka_unit_test(a_provisional_answer_to_a_refused_reinvite_is_taken_back),
        cmocka_unit_test(all_that_a_refused_reinvite_held_is_taken_back_at_once),
        cmocka_unit_test(a_refused_reinvite_that_was_srtp_leaves_no_clear_media),
        cmocka_unit_test(without_memory_for_the_book_no_key_is_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
