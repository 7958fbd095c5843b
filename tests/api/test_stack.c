/* The stack on descriptors: what the application begins counts from now, however long ago process() was called. */
#include "test.h"

#include "api/stack.h"
#include "net/poller.h"
#include "secsip/secsip.h"

static void what_is_begun_counts_from_now(void **state)
{
    secsip_stack_config config = {.size = sizeof config};
    secsip_account_config account = {
        .size = sizeof account, .aor = "sip:alice@127.0.0.1", .expires_s = 60};
    secsip_stack *s;
    secsip_account *a;

    (void)state;
    assert_int_equal(secsip_stack_new(&config, &s), 0);
    assert_int_equal(secsip_account_new(s, &account, NULL, NULL, &a), 0);
    uint64_t before_us = s->ua.timers.now_us;
    while (ssi_poller_now_us() < before_us + 1000)
        ;
    secsip_account_register(a);
    assert_true(s->ua.timers.now_us >= before_us + 1000);
    secsip_account_unref(a);
    secsip_stack_unref(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_begun_counts_from_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
