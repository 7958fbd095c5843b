/* Slices, buffers, hash, timers, base64, addresses. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/addr.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/crypto.h"
#include "base/cursor.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/timer.h"
#include "oom.h"
#include "seed.h"

static void slices_compare_and_convert(void **state)
{
    (void)state;
    uint64_t v = 7;

    assert_true(ssi_slice_ieq(SSI_LIT("Via"), SSI_LIT("vIA")));
    assert_false(ssi_slice_ieq(SSI_LIT("Via"), SSI_LIT("Vi")));
    assert_true(ssi_slice_to_u64(SSI_LIT("4294967295"), UINT32_MAX, &v));
    assert_int_equal(v, UINT32_MAX);
    assert_false(ssi_slice_to_u64(SSI_LIT("4294967296"), UINT32_MAX, &v));
    assert_false(ssi_slice_to_u64(SSI_LIT("18446744073709551616"), UINT64_MAX, &v));
    assert_true(ssi_slice_to_u64(SSI_LIT("18446744073709551615"), UINT64_MAX, &v));
    assert_true(v == UINT64_MAX);
    assert_false(ssi_slice_to_u64(SSI_LIT("+5"), 10, &v));
    assert_false(ssi_slice_to_u64(SSI_LIT(""), 10, &v));
    assert_false(ssi_slice_to_u64(SSI_LIT("9"), 8, &v));
}

static void buffers_grow_to_their_limit_and_no_further(void **state)
{
    (void)state;
    struct ssi_buf b;

    ssi_buf_init_secret(&b, 1000);
    for (int i = 0; i < 250; i++)
        ssi_buf_put_str(&b, "abcd");
    assert_int_equal(b.failed, 0);
    assert_int_equal(b.len, 1000);
    ssi_buf_consume(&b, 999);
    assert_int_equal(ssi_buf_slice(&b).p[0], 'd');
    ssi_buf_put_u64(&b, 18446744073709551615U);
    assert_int_equal(b.len, 21);
    ssi_buf_put(&b, (char[990]){0}, 990);
    assert_int_equal(b.failed, SECSIP_E_LIMIT);
    assert_int_equal(b.len, 21);
    ssi_buf_free(&b);
}

static void a_buffer_gives_back_what_it_does_not_need(void **state)
{
    struct ssi_buf b;

    (void)state;
    ssi_buf_init_secret(&b, 1000);
    ssi_buf_put_str(&b, "abcdefgh");
    ssi_buf_consume(&b, 3);
    ssi_buf_fit(&b);
    assert_int_equal(b.cap, 5);
    assert_true(ssi_slice_eq(ssi_buf_slice(&b), SSI_LIT("defgh")));
    ssi_buf_fit(&b);
    ssi_buf_put_char(&b, 'i');
    assert_true(ssi_slice_eq(ssi_buf_slice(&b), SSI_LIT("defghi")));
    test_oom_fail_next();
    ssi_buf_fit(&b); /* no memory to move to */
    assert_true(ssi_slice_eq(ssi_buf_slice(&b), SSI_LIT("defghi")));
    ssi_buf_consume(&b, 6);
    ssi_buf_fit(&b);
    assert_null(b.data);
    ssi_buf_put(&b, (char[1001]){0}, 1001);
    ssi_buf_fit(&b);
    assert_int_equal(b.failed, SECSIP_E_LIMIT); /* is not forgotten */
    ssi_buf_free(&b);
}

struct item {
    struct ssi_hash_node node;
    uint32_t key;
};

static void hash_keeps_what_was_added(void **state)
{
    (void)state;
    static struct item items[5000];
    struct ssi_hash t;

    assert_int_equal(ssi_hash_init(&t), 0);
    for (uint32_t i = 0; i < 5000; i++) {
        items[i].key = i;
        ssi_hash_add(&t, &items[i].node, ssi_hash_of(&t, &i, sizeof i));
    }
    for (uint32_t i = 0; i < 5000; i += 2)
        ssi_hash_remove(&t, &items[i].node);
    for (uint32_t i = 0; i < 5000; i++) {
        struct ssi_hash_node *n = ssi_hash_find(&t, ssi_hash_of(&t, &i, sizeof i));
        while (n && SSI_CONTAINER(n, struct item, node)->key != i)
            n = ssi_hash_next(n);
        assert_int_equal(n != NULL, i % 2);
    }
    ssi_hash_free(&t);
}

static struct ssi_timers timers;
static uint64_t last_due;
static uint32_t fired;

static void note_fired(void *arg)
{
    struct ssi_timer *tm = arg;
    assert_true(tm->due_us >= last_due);
    last_due = tm->due_us;
    fired++;
}

static void timers_fire_in_order_under_random_cancels(void **state)
{
    (void)state;
    enum {
        N = 4000
    };
    static struct ssi_timer tm[N];
    uint64_t seed = test_seed();
    uint32_t cancelled = 0;

    ssi_timers_init(&timers, 1000);
    for (int i = 0; i < N; i++) {
        ssi_timer_init(&tm[i], note_fired, &tm[i]);
        ssi_timer_arm(&timers, &tm[i], test_below(&seed, 100000));
    }
    for (int i = 0; i < N; i++) {
        if (test_below(&seed, 3) == 0) {
            ssi_timer_cancel(&timers, &tm[i]);
            cancelled++;
        } else if (test_below(&seed, 3) == 0) {
            ssi_timer_arm(&timers, &tm[i], test_below(&seed, 100000));
        }
    }
    for (uint64_t now = 1000; now <= 102000; now += 500)
        while (ssi_timers_advance(&timers, now, 7) == 7)
            ;
    assert_int_equal(fired, N - cancelled);
    assert_true(ssi_timers_next(&timers) == SSI_NEVER);
    assert_int_equal(timers.n_armed, 0);
}

static void base64_follows_rfc4648(void **state)
{
    (void)state;
    static const char *const vectors[][2] = {{"", ""},
                                             {"f", "Zg=="},
                                             {"fo", "Zm8="},
                                             {"foo", "Zm9v"},
                                             {"foob", "Zm9vYg=="},
                                             {"fooba", "Zm9vYmE="},
                                             {"foobar", "Zm9vYmFy"}};
    static const char *const bad[] = {
        "Z", "Zg=", "Zg===", "Zh==", "Zm9v=", "Zm 9", "Zm9-", "=", "Zm9vZ"};
    char out[64];
    size_t n;

    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct ssi_buf b;
        ssi_buf_init(&b, 100);
        ssi_base64_put(&b, vectors[i][0], strlen(vectors[i][0]), true);
        assert_true(ssi_slice_eq(ssi_buf_slice(&b), ssi_slice_str(vectors[i][1])));
        ssi_buf_free(&b);
        assert_true(ssi_base64_get(ssi_slice_str(vectors[i][1]), out, sizeof out, &n));
        assert_true(ssi_slice_eq(ssi_slice_of(out, n), ssi_slice_str(vectors[i][0])));
    }
    assert_true(ssi_base64_get(SSI_LIT("Zg"), out, sizeof out, &n));
    assert_false(ssi_base64_get(SSI_LIT("Zm9vYmFy"), out, 5, &n));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(ssi_base64_get(ssi_slice_str(bad[i]), out, sizeof out, &n));
}

static void base64_round_trips_every_byte(void **state)
{
    (void)state;
    uint8_t all[256], back[256];
    struct ssi_buf b;
    size_t n;

    for (int i = 0; i < 256; i++)
        all[i] = (uint8_t)i;
    for (size_t len = 0; len <= 256; len++) {
        ssi_buf_init(&b, 1000);
        ssi_base64_put(&b, all, len, len % 2);
        assert_true(ssi_base64_get(ssi_buf_slice(&b), back, sizeof back, &n));
        assert_int_equal(n, len);
        assert_memory_equal(back, all, len);
        ssi_buf_free(&b);
    }
}

static void addresses_parse_and_print(void **state)
{
    (void)state;
    struct ssi_addr a;
    char text[SSI_ADDR_TEXT];

    assert_true(ssi_addr_parse(SSI_LIT("[2001:db8::1]:5061"), &a));
    ssi_addr_text(&a, text);
    assert_string_equal(text, "[2001:db8::1]:5061");
    assert_true(ssi_addr_parse(SSI_LIT("192.0.2.1:0"), &a));
    ssi_addr_text(&a, text);
    assert_string_equal(text, "192.0.2.1:0");
    static const char *const bad[] = {"192.0.2.1", "2001:db8::1:5061", "[192.0.2.1]:5", ":5",
                                      "1.2.3:5",   "192.0.2.1:65536",  "192.0.2.1:",    "[::1]",
                                      "host:5",    "[::1]x:5"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(ssi_addr_parse(ssi_slice_str(bad[i]), &a));
}

static void digests_match_known_values(void **state)
{
    (void)state;
    char out[2 * SSI_DIGEST_MAX + 1];
    struct ssi_slice parts[] = {SSI_LIT("a"), SSI_LIT("bc")};

    assert_int_equal(ssi_digest_hex(SSI_DIGEST_MD5, parts, 2, out), 0);
    assert_string_equal(out, "900150983cd24fb0d6963f7d28e17f72"); /* RFC 1321 A.5 */
    assert_int_equal(ssi_digest_hex(SSI_DIGEST_SHA256, parts, 2, out), 0);
    assert_string_equal(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(ssi_digest_hex(SSI_DIGEST_SHA512_256, parts, 2, out), 0);
    assert_string_equal(out, "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_gives_back_what_it_does_not_need),
        cmocka_unit_test(slices_compare_and_convert),
        cmocka_unit_test(buffers_grow_to_their_limit_and_no_further),
        cmocka_unit_test(hash_keeps_what_was_added),
        cmocka_unit_test(timers_fire_in_order_under_random_cancels),
        cmocka_unit_test(base64_follows_rfc4648),
        cmocka_unit_test(base64_round_trips_every_byte),
        cmocka_unit_test(addresses_parse_and_print),
        cmocka_unit_test(digests_match_known_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
