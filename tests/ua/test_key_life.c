/* The life of a call's keys (RFC 3711 9.2, the lifetime of RFC 4568 6.1): told in time, replaced by the call itself, and where that
 * is refused, silence. */
#include "test.h"

#include "ear.h"
#include "ua/account.h"
#include "ua/call.h"

#define HEAD  "v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\n"
#define KEY   "MTIzNDU2Nzg5MEFCQ0RFRkdISUpLTE1OT1BRUlNU" /* 30 bytes */
#define KEY_B "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"
/* The answer, or offer, under tag 1 or, in answer to a new key, 2. */
#define SDP(tag, key)                                                                              \
    HEAD "m=audio 5000 RTP/SAVP 0\r\na=crypto:" tag " AES_CM_128_HMAC_SHA1_80 inline:" key "\r\n"

enum {
    LIFE = 256,
    SOFT = LIFE - LIFE / 8, /* packets, 20 ms each: 4.48 s and 5.12 s */
};

static struct lab l;
static struct peer p;
static struct ear ear;

static bool has_reached(void *arg)
{
    return l.alice.call_state == *(const int32_t *)arg;
}

/* A call in this state whose key, on alice's side, lives for LIFE packets: nearly all of the time to the soft limit has passed. */
static void start_early(int provisional, int32_t state)
{
    static const secsip_account_config mandatory = {.suites = "AES_CM_128_HMAC_SHA1_80",
                                                    .key_lifetime = LIFE};

    peer_start(&l, &p, &mandatory);
    p.provisional = provisional;
    p.provisional_sdp = SDP("1", KEY);
    p.final = provisional ? 0 : 200;
    p.final_sdp = SDP("1", KEY);
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_true(simnet_run(l.net, 5000000, has_reached, &state));
    p.provisional = 0;
    ear_open(&ear, &l, &p);
    ear_listen_ms(&ear, 4300);
    assert_in_range(ear.now, SOFT - 12, SOFT - 5);
    assert_int_equal(l.alice.n_key_due[SECSIP_KEY_OURS], 0);
    p.order[0] = 0;
}

static void start(void)
{
    start_early(0, SECSIP_CALL_ESTABLISHED);
}

static void stop(void)
{
    assert_int_equal(ear.unknown, 0);
    ear_close(&ear);
    peer_stop(&l, &p);
}

static void expect_told(int due, int failed, int ended)
{
    assert_int_equal(l.alice.n_key_due[SECSIP_KEY_OURS], due);
    assert_int_equal(l.alice.n_key_failed[SECSIP_KEY_OURS], failed);
    assert_int_equal(l.alice.n_key_ended[SECSIP_KEY_OURS], ended);
    assert_int_equal(l.alice.n_ended, 0);
}

static void near_its_end_a_key_is_replaced(void **state)
{
    (void)state;
    start();
    assert_non_null(strstr(p.offer, "|2^8\r\n"));
    p.final = 0;
    ear_listen_ms(&ear, 300);
    assert_string_equal(p.order, "I");
    assert_null(strstr(p.offer, ear.key));
    expect_told(1, 0, 0);
    peer_answer(&p, 200, SDP("2", KEY), "peer");
    ear_learn_key(&ear);
    ear_listen_ms(&ear, 1000); /* past the end of the first */
    assert_string_equal(p.order, "IA");
    assert_true(ear.now > 45 && ear.before <= 2);
    expect_told(1, 0, 0);
    assert_int_equal(l.alice.n_modified, 0); /* nobody had asked for it */
    p.final = 200;
    p.final_sdp = SDP("1", KEY);
    ear_listen_ms(&ear, 4000); /* and the second by a third */
    assert_string_equal(p.order, "IAIA");
    expect_told(2, 0, 0);
    assert_int_equal(ear.gaps, 0);
    ear_learn_key(&ear);
    ear_listen_ms(&ear, 200);
    stop();
}

static void refused_it_is_used_to_its_end_and_not_beyond(void **state)
{
    (void)state;
    start();
    p.final = 488;
    p.final_sdp = NULL;
    unsigned n = ear.now;
    ear_listen_ms(&ear, 400);
    n += ear.now;
    assert_string_equal(p.order, "I");
    expect_told(1, 1, 0);
    assert_int_equal(l.alice.key_status, 488);
    ear_listen_ms(&ear, 2000);
    n += ear.now;
    assert_int_equal(ear.before, 0);
    assert_int_equal(n, LIFE); /* every packet of its life, and none after it */
    expect_told(1, 1, 1);
    assert_string_equal(p.order, "I");
    /* The call is up, and the application may try again. */
    p.final = 200;
    p.final_sdp = SDP("2", KEY);
    assert_int_equal(secsip_call_rekey(l.alice.call), 0);
    simnet_run(l.net, 100000, NULL, NULL);
    ear_learn_key(&ear);
    ear_listen_ms(&ear, 1000);
    assert_in_range(ear.now, 49, 51);
    assert_int_equal(l.alice.n_modified, 1);
    assert_int_equal(l.alice.modified_result, 0);
    expect_told(1, 1, 1);
    stop();
}

/* One offer at a time (RFC 3261 14.1). */
static void it_waits_for_another_offer(void **state)
{
    (void)state;
    start();
    p.final = 0;
    assert_int_equal(secsip_call_resume(l.alice.call), 0);
    ear_listen_ms(&ear, 400);
    assert_string_equal(p.order, "I");
    assert_non_null(strstr(p.offer, ear.key));
    expect_told(1, 0, 0);
    peer_answer(&p, 200, SDP("1", KEY), "peer");
    p.final = 200;
    p.final_sdp = SDP("2", KEY);
    ear_listen_ms(&ear, 100);
    assert_string_equal(p.order, "IAIA");
    assert_null(strstr(p.offer, ear.key));
    assert_int_equal(l.alice.n_modified, 1);
    ear_learn_key(&ear);
    ear_listen_ms(&ear, 1000);
    assert_in_range(ear.now, 49, 51);
    expect_told(1, 0, 0);
    stop();
}

/* What the peer offers meanwhile is answered with the new key, and there is nothing left to offer. */
static void an_answer_of_ours_brings_it_as_well(void **state)
{
    (void)state;
    start();
    p.final = 491; /* the peer has an offer of its own: this one */
    p.final_sdp = NULL;
    for (int i = 0; i < 50 && !p.order[0]; i++)
        ear_listen_ms(&ear, 10);
    assert_string_equal(p.order, "I");
    ear_listen_ms(&ear, 50);
    peer_send(&p, "INVITE", NULL, SDP("1", KEY));
    simnet_run(l.net, 20000, NULL, NULL);
    peer_send(&p, "ACK", NULL, NULL);
    assert_null(strstr(p.offer, ear.key));
    ear_learn_key(&ear);
    ear_listen_ms(&ear, 4300); /* longer than a 491 waits */
    assert_string_equal(p.order, "I");
    assert_true(ear.now > 205);
    expect_told(1, 0, 0);
    assert_int_equal(ear.gaps, 0);
    stop();
}

/* The same where the renewal has not begun: it waits for another offer of ours, which the peer's own one delays. */
static void an_answer_before_the_renewal_brings_it_too(void **state)
{
    (void)state;
    start();
    p.final = 491;
    p.final_sdp = NULL;
    assert_int_equal(secsip_call_resume(l.alice.call), 0);
    ear_listen_ms(&ear, 300); /* its next try is 2.1 s away at least */
    assert_string_equal(p.order, "I");
    expect_told(1, 0, 0);
    peer_send(&p, "INVITE", NULL, SDP("1", KEY));
    simnet_run(l.net, 20000, NULL, NULL);
    peer_send(&p, "ACK", NULL, NULL);
    assert_null(strstr(p.offer, ear.key));
    ear_learn_key(&ear);
    p.final = 200;
    p.final_sdp = SDP("1", KEY);
    ear_listen_ms(&ear, 4300);
    assert_string_equal(p.order, "IIA"); /* that offer, and none for a key */
    assert_non_null(strstr(p.offer, ear.key));
    assert_int_equal(l.alice.n_modified, 1);
    assert_int_equal(l.alice.modified_result, 0);
    expect_told(1, 0, 0);
    assert_true(ear.now > 205);
    assert_int_equal(ear.gaps, 0);
    stop();
}

/* An offer that waits for its final answer is not followed by another (RFC 3261 14.1). */
static void in_early_media_it_waits_for_the_call(void **state)
{
    (void)state;
    start_early(183, SECSIP_CALL_EARLY);
    ear_listen_ms(&ear, 400);
    expect_told(1, 0, 0);
    assert_string_equal(p.order, "");
    p.final = 200;
    p.final_sdp = SDP("2", KEY);
    peer_answer(&p, 200, SDP("1", KEY), "peer");
    ear_listen_ms(&ear, 200);
    assert_string_equal(p.order, "AIA");
    ear_learn_key(&ear);
    ear_listen_ms(&ear, 1000);
    assert_in_range(ear.now, 49, 51);
    expect_told(1, 0, 0);
    assert_int_equal(ear.gaps, 0);
    stop();
}

static void a_lifetime_that_cannot_be_is_refused(void **state)
{
    static const struct {
        uint64_t packets;
        secsip_result result;
    } rows[] = {{0, 0},
                {1, SECSIP_E_INVALID},
                {255, SECSIP_E_INVALID},
                {256, 0},
                {1000, 0},
                {UINT64_C(1) << 48, 0},
                {(UINT64_C(1) << 48) + 1, SECSIP_E_INVALID}};

    (void)state;
    lab_start(&l, LAB_SERVER);
    lab_phone(&l, &l.alice, "alice", NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        secsip_account_config c = {
            .size = sizeof c, .aor = "sip:alice@example.test", .key_lifetime = rows[i].packets};
        secsip_account *account = NULL;
        assert_int_equal(secsip_account_new(simnet_stack(l.alice.host), &c, NULL, NULL, &account),
                         rows[i].result);
        secsip_account_unref(account);
    }
    lab_stop(&l);
}

/* Each side replaces its own key, is told of both, and no packet is lost. */
static void two_of_us_replace_their_keys(void **state)
{
    (void)state;
    /* Both at about the same time, so that their offers may meet; 2.5 s are left for that. */
    static const secsip_account_config mortal = {.key_lifetime = 1024};

    lab_start(&l, LAB_SERVER);
    lab_phone(&l, &l.alice, "alice", &mortal);
    lab_phone(&l, &l.bob, "bob", &mortal);
    l.bob.answers = true;
    lab_register(&l);
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_true(simnet_run(l.net, 5000000, lab_both_talking, &l));
    simnet_run(l.net, 30000000, NULL, NULL);
    struct phone *sides[2] = {&l.alice, &l.bob};
    for (int i = 0; i < 2; i++) {
        secsip_media_stats stats = {.size = sizeof stats};
        assert_int_equal(secsip_call_get_stats(sides[i]->call, &stats), 0);
        assert_int_equal(stats.auth_failed + stats.replayed + stats.lost + stats.clear_dropped, 0);
        assert_true(stats.tx > 1400 && stats.rx > 1400);
        for (int whose = 0; whose < 2; whose++) {
            assert_int_equal(sides[i]->n_key_due[whose], 1);
            assert_int_equal(sides[i]->n_key_failed[whose] + sides[i]->n_key_ended[whose], 0);
        }
        assert_int_equal(sides[i]->n_modified + sides[i]->n_ended, 0);
    }
    lab_stop(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(near_its_end_a_key_is_replaced),
        cmocka_unit_test(refused_it_is_used_to_its_end_and_not_beyond),
        cmocka_unit_test(it_waits_for_another_offer),
        cmocka_unit_test(an_answer_of_ours_brings_it_as_well),
        cmocka_unit_test(an_answer_before_the_renewal_brings_it_too),
        cmocka_unit_test(in_early_media_it_waits_for_the_call),
        cmocka_unit_test(a_lifetime_that_cannot_be_is_refused),
        cmocka_unit_test(two_of_us_replace_their_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
