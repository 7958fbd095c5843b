/* Sessions on several threads: libsrtp2's process-wide state is made once whichever comes first, and sessions share
 * nothing. What this shows it shows under ThreadSanitizer; elsewhere it is a test that the packets come out right. */
#include "test.h"

#include <pthread.h>

#include "srtp/srtp.h"

enum {
    THREADS = 4,
    SESSIONS = 8,
    PACKETS = 50
};

static pthread_barrier_t start;

static struct ssi_srtp *session(unsigned thread, unsigned n, enum ssi_srtp_direction direction)
{
    struct ssi_srtp_config c = {
        .direction = direction,
        .suite = n % 2 ? SSI_SRTP_AEAD_AES_128_GCM : SSI_SRTP_AES_CM_128_HMAC_SHA1_80,
    };
    struct ssi_srtp *s = NULL;

    c.key.len = (uint8_t)ssi_srtp_key_len(c.suite);
    for (uint8_t i = 0; i < c.key.len; i++)
        c.key.bytes[i] = (uint8_t)(i + thread * 16 + n);
    return ssi_srtp_new(&c, &s) == 0 ? s : NULL;
}

/* How many packets came through as they went in. */
static size_t talk(struct ssi_srtp *tx, struct ssi_srtp *rx)
{
    size_t good = 0;

    for (unsigned seq = 0; seq < PACKETS; seq++) {
        uint8_t clear[172] = {0x80, 0, 0, (uint8_t)seq, 0, 0, 0, 0, 1, 2, 3, 4};
        uint8_t packet[sizeof clear + SSI_SRTP_TRAILER_MAX];
        size_t len = sizeof clear;

        memcpy(packet, clear, sizeof clear);
        if (ssi_srtp_protect_rtp(tx, packet, &len, sizeof packet) == 0 &&
            ssi_srtp_unprotect_rtp(rx, packet, &len) == 0 && len == sizeof clear &&
            memcmp(packet, clear, len) == 0)
            good++;
    }
    return good;
}

/* cmocka's assertions belong to the main thread: a thread counts, and main asserts. */
static void *run(void *arg)
{
    size_t *good = arg;
    unsigned thread = (unsigned)*good;

    *good = 0;
    pthread_barrier_wait(&start);
    for (unsigned n = 0; n < SESSIONS; n++) {
        struct ssi_srtp *tx = session(thread, n, SSI_SRTP_SEND);
        struct ssi_srtp *rx = session(thread, n, SSI_SRTP_RECEIVE);
        if (tx && rx)
            *good += talk(tx, rx);
        ssi_srtp_free(tx);
        ssi_srtp_free(rx);
    }
    return NULL;
}

static void sessions_of_several_threads_do_not_meet(void **state)
{
    pthread_t threads[THREADS];
    size_t good[THREADS];

    (void)state;
    assert_int_equal(pthread_barrier_init(&start, NULL, THREADS), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        good[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, run, &good[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(good[i], SESSIONS * PACKETS);
    }
    pthread_barrier_destroy(&start);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_of_several_threads_do_not_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
