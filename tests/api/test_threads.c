/* Stacks on several threads share nothing that a lock is missing for. What this shows it shows under ThreadSanitizer:
 * each thread makes stacks, accounts and TLS profiles, and registers at a port where nobody is. */
#include "test.h"

#include <pthread.h>

#include <secsip/secsip.h>

enum {
    THREADS = 3,
    ROUNDS = 5
};

static pthread_barrier_t start;

struct outcome {
    unsigned failed_registrations;
    unsigned rounds;
};

static void on_registration(secsip_account *account, const secsip_registration_event *event,
                            void *user_data)
{
    struct outcome *o = user_data;

    (void)account;
    if (event->state == SECSIP_REGISTRATION_FAILED)
        o->failed_registrations++;
}

static void one_round(struct outcome *o)
{
    secsip_stack *stack = NULL;
    secsip_account *account = NULL;
    secsip_account_config config = {
        .size = sizeof config,
        .aor = "sip:alice@example.test",
        .proxy = "sip:127.0.0.1:1;transport=tls",
        .password = "secret",
    };
    secsip_account_callbacks callbacks = {
        .size = sizeof callbacks,
        .on_registration = on_registration,
    };
    unsigned before = o->failed_registrations;

    if (secsip_stack_new(NULL, &stack) == 0 && secsip_tls_profile_new(&config.profile) == 0 &&
        secsip_account_new(stack, &config, &callbacks, o, &account) == 0 &&
        secsip_account_register(account) == 0) {
        /* Refused at once on loopback; the bound is for a machine where it is not. */
        for (int i = 0; i < 100 && o->failed_registrations == before; i++)
            secsip_stack_wait(stack, 100);
        o->rounds++;
    }
    secsip_account_unref(account);
    secsip_tls_profile_unref(config.profile);
    secsip_stack_unref(stack);
}

static void *run(void *arg)
{
    struct outcome *o = arg;

    pthread_barrier_wait(&start);
    for (int i = 0; i < ROUNDS; i++)
        one_round(o);
    return NULL;
}

static void stacks_of_several_threads_do_not_meet(void **state)
{
    pthread_t threads[THREADS];
    struct outcome outcomes[THREADS] = {0};

    (void)state;
    assert_int_equal(pthread_barrier_init(&start, NULL, THREADS), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, &outcomes[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(outcomes[i].rounds, ROUNDS);
        assert_int_equal(outcomes[i].failed_registrations, ROUNDS);
    }
    pthread_barrier_destroy(&start);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stacks_of_several_threads_do_not_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
