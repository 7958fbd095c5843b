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

static secsip_result no_password(const char *user, char *password, size_t cap, void *user_data)
{
    (void)user;
    (void)password;
    (void)cap;
    (void)user_data;
    return SECSIP_E_NOT_FOUND;
}

/* Header injection is an error where the text is given, not an escape and not a failure later. */
static void texts_with_line_ends_are_refused_where_they_are_given(void **state)
{
    static const char *const bad[] = {"x\r\nEvil: 1", "x\n", "\r"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        secsip_stack_config config = {.size = sizeof config, .user_agent = bad[i]};
        secsip_account_config display = {
            .size = sizeof display, .aor = "sip:alice@127.0.0.1", .display_name = bad[i]};
        secsip_account_config user = {
            .size = sizeof user, .aor = "sip:alice@127.0.0.1", .auth_user = bad[i]};
        secsip_registrar_config domain = {
            .size = sizeof domain, .domain = bad[i], .password = no_password};
        secsip_stack *s = NULL;
        secsip_account *a = NULL;
        secsip_registrar *r = NULL;
        assert_int_equal(secsip_stack_new(&config, &s), SECSIP_E_SIP_INJECTION);
        assert_int_equal(secsip_stack_new(NULL, &s), 0);
        assert_int_equal(secsip_account_new(s, &display, NULL, NULL, &a), SECSIP_E_SIP_INJECTION);
        assert_int_equal(secsip_account_new(s, &user, NULL, NULL, &a), SECSIP_E_SIP_INJECTION);
        assert_int_equal(secsip_registrar_new(s, &domain, &r), SECSIP_E_SIP_INJECTION);
        secsip_stack_unref(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_begun_counts_from_now),
        cmocka_unit_test(texts_with_line_ends_are_refused_where_they_are_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
