/* Whole calls on virtual time: two phones, the embedded registrar between them, TLS, SDES, SRTP; no socket, no clock. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "phone.h"
#include "rtp/g711.h"

struct wire {
    uint64_t n_dgrams;
    uint64_t n_clear;    /* datagrams whose payload is the clear speech */
    uint64_t n_readable; /* stream pieces with SIP or SDP in them */
};

static bool watch_dgram(const secsip_engine_address *from, const secsip_engine_address *to,
                        uint8_t *data, size_t len, void *arg)
{
    struct wire *w = arg;

    (void)from;
    (void)to;
    w->n_dgrams++;
    /* The ramp in G.711 has a byte pattern of its own; in SRTP there are 10 bytes more and nothing in common. */
    if ((data[1] & 0x7f) == 0 && len == 172)
        w->n_clear++;
    return true;
}

static bool holds(const uint8_t *data, size_t len, const char *word)
{
    size_t n = strlen(word);

    for (size_t i = 0; i + n <= len; i++)
        if (memcmp(data + i, word, n) == 0)
            return true;
    return false;
}

static void watch_stream(const secsip_engine_address *from, const secsip_engine_address *to,
                         const uint8_t *data, size_t len, void *arg)
{
    struct wire *w = arg;

    (void)from;
    (void)to;
    if (holds(data, len, "SIP/2.0") || holds(data, len, "crypto") || holds(data, len, "inline:"))
        w->n_readable++;
}

/* What was heard is a run of the ramp as G.711 makes it. */
static void assert_heard_ramp(const struct phone *p, uint32_t at_least)
{
    int16_t sample = 0;
    static int16_t expected[sizeof p->heard / sizeof p->heard[0]];

    assert_true(p->n_samples_heard >= at_least);
    for (uint32_t i = 0; i < p->n_samples_heard; i++) {
        uint8_t coded;
        sample = (int16_t)(sample + 37);
        ssi_g711_encode_ulaw(&sample, 1, &coded);
        ssi_g711_decode_ulaw(&coded, 1, &expected[i]);
    }
    assert_memory_equal(p->heard, expected, p->n_samples_heard * sizeof p->heard[0]);
}

static void start(struct lab *l, const secsip_account_config *alice,
                  const secsip_account_config *bob)
{
    lab_start(l, LAB_SERVER);
    lab_phone(l, &l->alice, "alice", alice);
    lab_phone(l, &l->bob, "bob", bob);
    l->bob.answers = true;
    lab_register(l);
}

static void talk(struct lab *l)
{
    lab_call(l, &l->alice, "sip:bob@example.test");
    assert_true(simnet_run(l->net, 5000000, lab_both_talking, l));
    simnet_run(l->net, 2000000, NULL, NULL);
}

static void hang_up(struct lab *l, struct phone *who)
{
    assert_int_equal(secsip_call_hangup(who->call), 0);
    assert_true(simnet_run(l->net, 5000000, lab_both_ended, l));
    assert_int_equal(l->alice.n_ended, 1);
    assert_int_equal(l->bob.n_ended, 1);
}

static void a_secure_call_carries_speech_and_nothing_readable(void **state)
{
    static struct lab l;
    struct wire w = {0};
    secsip_media_stats stats = {.size = sizeof stats};

    (void)state;
    start(&l, NULL, NULL);
    simnet_tap(l.net, watch_dgram, watch_stream, &w);
    talk(&l);
    assert_string_equal(l.alice.suite, "AES_CM_128_HMAC_SHA1_80");
    assert_string_equal(l.bob.suite, "AES_CM_128_HMAC_SHA1_80");
    assert_string_equal(l.alice.profile_name, "RTP/SAVP");
    assert_int_equal(l.alice.level, SECSIP_SECURITY_HOP);
    assert_heard_ramp(&l.alice, 14000);
    assert_heard_ramp(&l.bob, 14000);
    assert_int_equal(secsip_call_get_stats(l.alice.call, &stats), 0);
    assert_true(stats.tx >= 95 && stats.rx >= 90);
    assert_int_equal(stats.lost + stats.auth_failed + stats.replayed + stats.clear_dropped, 0);
    hang_up(&l, &l.alice);
    simnet_run(l.net, 1000000, NULL, NULL);
    assert_true(w.n_dgrams > 190);
    assert_int_equal(w.n_clear, 0);
    assert_int_equal(w.n_readable, 0);
    lab_stop(&l);
}

/* Registrations, a call with two seconds of speech, its end: no socket and no clock, so it costs what it computes. */
static void a_whole_call_takes_milliseconds(void **state)
{
    static struct lab l;
    clock_t at = clock();

    (void)state;
    start(&l, NULL, NULL);
    talk(&l);
    assert_heard_ramp(&l.bob, 14000);
    hang_up(&l, &l.alice);
    lab_stop(&l);
    double ms = (double)(clock() - at) * 1000 / CLOCKS_PER_SEC;
    printf("one whole call on virtual time: %.1f ms of processor time\n", ms);
    assert_true(ms < 1000); /* real time would be at least 2,000; a sanitizer may take its share */
}

static bool drop_to_bob(const secsip_engine_address *from, const secsip_engine_address *to,
                        uint8_t *data, size_t len, void *arg)
{
    const bool *deaf = arg;

    (void)from;
    (void)data;
    (void)len;
    return !*deaf || to->ip[3] != 2;
}

/* Nothing reaches the callee until the sequence number has rolled over; then he hears all the same. */
static void what_begins_after_a_roll_over_is_heard(void **state)
{
    static struct lab l;
    secsip_media_stats stats = {.size = sizeof stats};
    bool deaf = true;

    (void)state;
    start(&l, NULL, NULL);
    simnet_tap(l.net, drop_to_bob, NULL, &deaf);
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_true(simnet_run(l.net, 5000000, lab_both_talking, &l));
    simnet_run(l.net, 1320000000, NULL,
               NULL); /* 66,000 packets: one roll-over, wherever it began */
    assert_int_equal(l.bob.n_samples_heard, 0);
    deaf = false;
    simnet_run(l.net, 2000000, NULL, NULL);
    assert_true(l.bob.n_samples_heard >= 14000);
    assert_int_equal(secsip_call_get_stats(l.bob.call, &stats), 0);
    assert_int_equal(stats.auth_failed, 0);
    hang_up(&l, &l.alice);
    lab_stop(&l);
}

static void every_suite_works(void **state)
{
    static const char *const suites[] = {"AES_CM_128_HMAC_SHA1_32", "AES_256_CM_HMAC_SHA1_80",
                                         "AEAD_AES_128_GCM", "AEAD_AES_256_GCM"};
    (void)state;
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
        static struct lab l;
        secsip_account_config c = {.suites = suites[i]};
        start(&l, &c, &c);
        talk(&l);
        assert_string_equal(l.bob.suite, suites[i]);
        assert_heard_ramp(&l.alice, 14000);
        assert_heard_ramp(&l.bob, 14000);
        hang_up(&l, &l.bob);
        lab_stop(&l);
    }
}

static void bytes_may_be_cut_anywhere(void **state)
{
    static const size_t chunks[] = {1, 2, 3, 7, 100, 1000};

    (void)state;
    for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
        static struct lab l;
        lab_start(&l, LAB_SERVER);
        simnet_chunk(l.net, chunks[i]);
        lab_phone(&l, &l.alice, "alice", NULL);
        lab_phone(&l, &l.bob, "bob", NULL);
        l.bob.answers = true;
        lab_register(&l);
        lab_call(&l, &l.alice, "sip:bob@example.test");
        assert_true(simnet_run(l.net, 5000000, lab_both_talking, &l));
        hang_up(&l, &l.alice);
        lab_stop(&l);
    }
}

static bool bob_rings(void *arg)
{
    const struct lab *l = arg;
    return l->alice.call_state == SECSIP_CALL_RINGING;
}

static void a_ringing_call_can_be_cancelled(void **state)
{
    static struct lab l;

    (void)state;
    start(&l, NULL, NULL);
    l.bob.answers = false;
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_true(simnet_run(l.net, 5000000, bob_rings, &l));
    hang_up(&l, &l.alice);
    assert_int_equal(l.alice.call_status, 487);
    assert_int_equal(l.bob.call_status, 487);
    lab_stop(&l);
}

static void a_busy_phone_refuses(void **state)
{
    static struct lab l;

    (void)state;
    start(&l, NULL, NULL);
    l.bob.rejects = true;
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_true(simnet_run(l.net, 5000000, lab_both_ended, &l));
    assert_int_equal(l.alice.call_status, 486);
    assert_int_equal(l.alice.call_result, SECSIP_E_UA_REJECTED);
    lab_stop(&l);
}

static bool alice_ended(void *arg)
{
    const struct lab *l = arg;
    return l->alice.n_ended > 0;
}

static void a_user_who_is_not_there(void **state)
{
    static struct lab l;

    (void)state;
    start(&l, NULL, NULL);
    assert_int_equal(secsip_account_unregister(l.bob.account), 0);
    simnet_run(l.net, 1000000, NULL, NULL);
    assert_int_equal(l.bob.reg_state, SECSIP_REGISTRATION_UNREGISTERED);
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_true(simnet_run(l.net, 5000000, alice_ended, &l));
    assert_int_equal(l.alice.call_status, 480);
    secsip_call_unref(l.alice.call);
    l.alice.call = NULL;
    l.alice.n_ended = 0;
    lab_call(&l, &l.alice, "sip:nobody@example.test");
    assert_true(simnet_run(l.net, 5000000, alice_ended, &l));
    assert_int_equal(l.alice.call_status, 404);
    lab_stop(&l);
}

static void suites_that_do_not_meet_end_in_488(void **state)
{
    static struct lab l;
    secsip_account_config a = {.suites = "AEAD_AES_256_GCM"};
    secsip_account_config b = {.suites = "AES_CM_128_HMAC_SHA1_80"};
    struct wire w = {0};

    (void)state;
    start(&l, &a, &b);
    simnet_tap(l.net, watch_dgram, watch_stream, &w);
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_true(simnet_run(l.net, 5000000, alice_ended, &l));
    assert_int_equal(l.alice.call_status, 488);
    assert_int_equal(l.bob.n_ended, 0);
    assert_int_equal(w.n_dgrams, 0);
    lab_stop(&l);
}

static void a_clear_offer_to_a_mandatory_phone_is_refused(void **state)
{
    static struct lab l;
    secsip_account_config a = {.media_security = SECSIP_MEDIA_SECURITY_INSECURE_CLEAR};
    struct wire w = {0};

    (void)state;
    start(&l, &a, NULL);
    simnet_tap(l.net, watch_dgram, watch_stream, &w);
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_true(simnet_run(l.net, 5000000, alice_ended, &l));
    assert_int_equal(l.alice.call_status, 488);
    assert_int_equal(w.n_dgrams, 0);
    lab_stop(&l);
}

static void a_clear_call_is_possible_where_both_ask_for_it(void **state)
{
    static struct lab l;
    secsip_account_config c = {.media_security = SECSIP_MEDIA_SECURITY_INSECURE_CLEAR};
    struct wire w = {0};

    (void)state;
    start(&l, &c, &c);
    simnet_tap(l.net, watch_dgram, watch_stream, &w);
    talk(&l);
    assert_int_equal(l.alice.level, SECSIP_SECURITY_CLEAR);
    assert_true(w.n_clear >
                150); /* and so the watch would have seen clear speech in the secure call */
    hang_up(&l, &l.alice);
    lab_stop(&l);
}

static void optional_calls_are_secure_when_both_can(void **state)
{
    static struct lab l;
    secsip_account_config c = {.media_security = SECSIP_MEDIA_SECURITY_OPTIONAL};

    (void)state;
    start(&l, &c, &c);
    talk(&l);
    assert_string_equal(l.alice.suite, "AES_CM_128_HMAC_SHA1_80");
    assert_string_equal(l.alice.profile_name, "RTP/AVP");
    assert_heard_ramp(&l.bob, 14000);
    hang_up(&l, &l.alice);
    lab_stop(&l);
}

static void a_sips_call_needs_sips_contacts(void **state)
{
    static struct lab l;

    (void)state;
    start(&l, NULL, NULL);
    lab_call(&l, &l.alice, "sips:bob@example.test");
    assert_true(simnet_run(l.net, 5000000, alice_ended, &l));
    assert_int_equal(l.alice.call_status, 480); /* RFC 5630 5.3 */
    lab_stop(&l);
}

static void a_sips_account_makes_a_sips_call(void **state)
{
    static struct lab l;
    secsip_account_config a = {.aor = "sips:alice@example.test"};
    secsip_account_config b = {.aor = "sips:bob@example.test"};

    (void)state;
    start(&l, &a, &b);
    lab_call(&l, &l.alice, "sips:bob@example.test");
    assert_true(simnet_run(l.net, 5000000, lab_both_talking, &l));
    simnet_run(l.net, 500000, NULL, NULL);
    assert_int_equal(l.alice.level, SECSIP_SECURITY_HOP_SIPS);
    assert_int_equal(l.bob.level, SECSIP_SECURITY_HOP_SIPS);
    hang_up(&l, &l.alice);
    lab_stop(&l);
}

static void clear_packets_that_arrive_are_dropped_and_counted(void **state)
{
    static struct lab l;
    secsip_media_stats stats = {.size = sizeof stats};
    uint8_t packet[172] = {0x80, 0x00, 0x12, 0x34};

    (void)state;
    start(&l, NULL, NULL);
    talk(&l);
    uint32_t heard = l.alice.n_samples_heard;
    /* The simulated network gives alice's first media port 40002: 40000 was her connection. */
    for (int i = 0; i < 10; i++) {
        packet[3] = (uint8_t)i;
        simnet_inject(l.net, "10.0.0.66:9999", "10.0.0.1:40002", packet, sizeof packet);
    }
    simnet_run(l.net, 5001, NULL, NULL);
    assert_int_equal(secsip_call_get_stats(l.alice.call, &stats), 0);
    assert_int_equal(stats.clear_dropped, 10);
    simnet_run(l.net, 500000, NULL, NULL);
    assert_heard_ramp(&l.alice, heard + 3000);
    assert_heard_ramp(&l.bob, heard + 3000); /* the media did not move to the stranger */
    hang_up(&l, &l.alice);
    lab_stop(&l);
}

static void hang_up_from_audio(struct phone *p)
{
    if (p->n_samples_heard > 3000 && p->call) {
        secsip_call *c = p->call;
        p->call = NULL;
        secsip_call_hangup(c);
        secsip_call_unref(c);
    }
}

static bool alice_hears_the_end(void *arg)
{
    const struct lab *l = arg;
    return l->alice.n_ended > 0;
}

static void a_call_may_be_ended_and_dropped_inside_its_audio_callback(void **state)
{
    static struct lab l;

    (void)state;
    start(&l, NULL, NULL);
    l.bob.on_audio_hook = hang_up_from_audio;
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_true(simnet_run(l.net, 5000000, alice_hears_the_end, &l));
    assert_int_equal(l.alice.call_status, 0);
    assert_int_equal(l.bob.n_ended, 0); /* nothing is told after the last reference went */
    lab_stop(&l);
}

static int32_t know_nothing(const char *domain, uint32_t index, char *pin, size_t cap,
                            void *user_data)
{
    (void)domain, (void)index, (void)pin, (void)cap, (void)user_data;
    return SECSIP_E_NOT_FOUND;
}

static int32_t forget(const char *domain, const char *pin, void *user_data)
{
    (void)domain, (void)pin, (void)user_data;
    return 0;
}

static secsip_result trust_on_first_use(secsip_tls_profile *p)
{
    const secsip_tls_known_keys keys = {
        .size = sizeof keys, .lookup = know_nothing, .store = forget};
    return secsip_tls_profile_set_known_keys(p, SECSIP_TLS_KNOWN_KEYS_INSECURE_INSTEAD_OF_CHAIN,
                                             &keys);
}

static int32_t say_yes(const secsip_tls_question *q, void *user_data)
{
    (void)q, (void)user_data;
    return 0;
}

static secsip_result trust_everybody(secsip_tls_profile *p)
{
    return secsip_tls_profile_set_insecure_decision(p, say_yes, NULL);
}

/* DESIGN decision 8: a relaxation is named, lets the call pass, and is reported. */
static void a_relaxed_certificate_carries_the_call_and_shows_in_its_level(void **state)
{
    static const struct {
        enum lab_cert cert;
        uint32_t option;
        secsip_result (*set)(secsip_tls_profile *p); /* instead of an option */
        int32_t level;
    } rows[] = {
        {LAB_CNTRAP, SECSIP_TLS_ALLOW_CN, NULL, SECSIP_SECURITY_HOP},
        {LAB_EXPIRED, SECSIP_TLS_ALLOW_EXPIRED, NULL, SECSIP_SECURITY_HOP},
        {LAB_SELFSIGNED, SECSIP_TLS_INSECURE_SELF_SIGNED, NULL, SECSIP_SECURITY_UNVERIFIED},
        {LAB_WRONGNAME, SECSIP_TLS_INSECURE_ANY, NULL, SECSIP_SECURITY_UNVERIFIED},
        {LAB_SELFSIGNED, 0, trust_on_first_use, SECSIP_SECURITY_UNVERIFIED},
        {LAB_WRONGNAME, 0, trust_everybody, SECSIP_SECURITY_UNVERIFIED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        static struct lab l;
        secsip_tls_profile *relaxed;
        lab_start(&l, rows[i].cert);
        relaxed = lab_profile(LAB_N);
        assert_int_equal(secsip_tls_profile_set_options(relaxed, rows[i].option), 0);
        if (rows[i].set)
            assert_int_equal(rows[i].set(relaxed), 0);
        secsip_account_config c = {.profile = relaxed};
        lab_phone(&l, &l.alice, "alice", &c);
        lab_phone(&l, &l.bob, "bob", &c);
        l.bob.answers = true;
        lab_register(&l);
        lab_call(&l, &l.alice, "sip:bob@example.test");
        assert_true(simnet_run(l.net, 5000000, lab_both_talking, &l));
        simnet_run(l.net, 100000, NULL, NULL);
        assert_int_equal(l.alice.level, rows[i].level);
        assert_int_equal(l.bob.level, rows[i].level);
        assert_int_equal(secsip_call_get_peer_identity(l.alice.call)[0] != 0,
                         rows[i].level == SECSIP_SECURITY_HOP);
        hang_up(&l, &l.alice);
        secsip_tls_profile_unref(relaxed);
        lab_stop(&l);
    }
}

/* A client that shows no certificate is nobody: no key is sent to it, nor taken from it. */
static void a_caller_without_certificate_on_a_listener_is_refused(void **state)
{
    static struct lab l;
    struct wire w = {0};

    (void)state;
    lab_start(&l, LAB_SERVER);
    secsip_account_config direct = {.proxy = "10.0.0.2:5062"};
    lab_phone(&l, &l.alice, "alice", &direct);
    lab_phone(&l, &l.bob, "bob", NULL);
    secsip_tls_profile *own = lab_profile(LAB_SERVER);
    secsip_tls_profile *any = lab_profile(LAB_N);
    assert_int_equal(secsip_stack_listen(simnet_stack(l.bob.host), "tls:10.0.0.2:5062", own, NULL),
                     0);
    secsip_account_unref(l.alice.account);
    static const secsip_account_callbacks none = {.size = sizeof none};
    assert_int_equal(secsip_tls_profile_set_options(any, SECSIP_TLS_INSECURE_ANY), 0);
    secsip_account_config c = {.size = sizeof c,
                               .aor = "sip:alice@example.test",
                               .proxy = "10.0.0.2:5062",
                               .profile = any};
    assert_int_equal(
        secsip_account_new(simnet_stack(l.alice.host), &c, &none, NULL, &l.alice.account), 0);
    l.bob.answers = true;
    simnet_tap(l.net, watch_dgram, watch_stream, &w);
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_true(simnet_run(l.net, 5000000, alice_ended, &l));
    assert_int_equal(l.alice.call_status, 488);
    assert_null(l.bob.call);
    assert_int_equal(w.n_dgrams, 0);
    secsip_tls_profile_unref(own);
    secsip_tls_profile_unref(any);
    lab_stop(&l);
}

static void shutdown_hangs_up_and_unregisters(void **state)
{
    static struct lab l;

    (void)state;
    start(&l, NULL, NULL);
    talk(&l);
    assert_int_equal(secsip_registrar_count(l.registrar), 2);
    secsip_stack_shutdown(simnet_stack(l.alice.host), 5000);
    simnet_run(l.net, 3000000, NULL, NULL);
    assert_int_equal(l.alice.n_ended, 1);
    assert_int_equal(l.bob.n_ended, 1);
    assert_int_equal(l.alice.reg_state, SECSIP_REGISTRATION_UNREGISTERED);
    assert_int_equal(secsip_registrar_count(l.registrar), 1);
    assert_int_equal(secsip_stack_is_idle(simnet_stack(l.alice.host)), 1);
    lab_stop(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secure_call_carries_speech_and_nothing_readable),
        cmocka_unit_test(a_whole_call_takes_milliseconds),
        cmocka_unit_test(what_begins_after_a_roll_over_is_heard),
        cmocka_unit_test(every_suite_works),
        cmocka_unit_test(bytes_may_be_cut_anywhere),
        cmocka_unit_test(a_ringing_call_can_be_cancelled),
        cmocka_unit_test(a_busy_phone_refuses),
        cmocka_unit_test(a_user_who_is_not_there),
        cmocka_unit_test(suites_that_do_not_meet_end_in_488),
        cmocka_unit_test(a_clear_offer_to_a_mandatory_phone_is_refused),
        cmocka_unit_test(a_clear_call_is_possible_where_both_ask_for_it),
        cmocka_unit_test(optional_calls_are_secure_when_both_can),
        cmocka_unit_test(a_sips_call_needs_sips_contacts),
        cmocka_unit_test(a_sips_account_makes_a_sips_call),
        cmocka_unit_test(clear_packets_that_arrive_are_dropped_and_counted),
        cmocka_unit_test(a_call_may_be_ended_and_dropped_inside_its_audio_callback),
        cmocka_unit_test(a_relaxed_certificate_carries_the_call_and_shows_in_its_level),
        cmocka_unit_test(a_caller_without_certificate_on_a_listener_is_refused),
        cmocka_unit_test(shutdown_hangs_up_and_unregisters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
