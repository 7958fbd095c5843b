/* The embedded registrar on virtual time: bindings, their order and their end, and who may make them. */
#include "test.h"

#include <stdio.h>

#include "oom.h"
#include "proxy_sim.h"

static struct proxy_sim s;

static void expect_events(const char *events)
{
    assert_string_equal(s.events, events);
    s.events[0] = '\0';
}

/* How many Contact lines the last message has. */
static int n_contacts(const struct proxy_conn *c)
{
    int n = 0;

    for (const char *p = c->text; (p = strstr(p, "\r\nContact: ")); p++)
        n++;
    return n;
}

static int ask_register(struct proxy_conn *c, const char *user, const char *call_id, uint32_t cseq,
                        const char *more)
{
    char aor[64];
    char to[80];

    snprintf(aor, sizeof aor, "sip:%s@example.test", user);
    snprintf(to, sizeof to, "<%s>", aor);
    return proxy_ask(&s, c,
                     &(struct proxy_request){.method = "REGISTER",
                                             .uri = "sip:example.test",
                                             .from = aor,
                                             .to = to,
                                             .more = more,
                                             .call_id = call_id,
                                             .cseq = cseq,
                                             .user = user});
}

static void a_binding_lives_until_it_expires(void **state)
{
    (void)state;
    proxy_start(&s, NULL);
    struct proxy_conn *c = proxy_connect(&s, true);
    assert_int_equal(proxy_register(&s, c, "alice", "<sip:alice@198.51.100.1>;expires=60"), 200);
    assert_string_equal(proxy_header(c, "Contact"), "<sip:alice@198.51.100.1>;expires=60");
    expect_events("registered sip:alice@example.test\n");
    proxy_run(&s, 20000);
    assert_int_equal(proxy_register(&s, c, "alice", ""), 200);
    assert_string_equal(proxy_header(c, "Contact"), "<sip:alice@198.51.100.1>;expires=40");
    proxy_run(&s, 39999);
    expect_events("");
    proxy_run(&s, 1);
    expect_events("unregistered sip:alice@example.test\n");
    assert_int_equal(secsip_registrar_count(s.registrar), 0);
    assert_int_equal(proxy_register(&s, c, "alice", ""), 200);
    assert_int_equal(n_contacts(c), 0);
    proxy_stop(&s);
}

static void a_refresh_moves_the_end_and_the_connection(void **state)
{
    (void)state;
    proxy_start(&s, NULL);
    struct proxy_conn *c = proxy_connect(&s, true);
    struct proxy_conn *d = proxy_connect(&s, true);
    proxy_register(&s, c, "alice", "<sip:alice@198.51.100.1>;expires=60");
    proxy_run(&s, 50000);
    assert_int_equal(proxy_register(&s, d, "alice", "<sip:alice@198.51.100.1>;expires=60"), 200);
    assert_int_equal(n_contacts(d), 1);
    proxy_hang_up(&s, c); /* no longer its connection */
    proxy_run(&s, 50000);
    assert_int_equal(secsip_registrar_count(s.registrar), 1);
    proxy_hang_up(&s, d);
    assert_int_equal(secsip_registrar_count(s.registrar), 0);
    proxy_stop(&s);
}

static void an_older_request_of_the_same_call_id_changes_nothing(void **state)
{
    (void)state;
    proxy_start(&s, NULL);
    struct proxy_conn *c = proxy_connect(&s, true);
    assert_int_equal(
        ask_register(c, "alice", "x", 10, "Contact: <sip:a@198.51.100.1>;expires=60\n"), 200);
    assert_int_equal(ask_register(c, "alice", "x", 10, "Contact: <sip:a@198.51.100.1>;expires=0\n"),
                     500);
    assert_int_equal(ask_register(c, "alice", "x", 9, "Contact: *\nExpires: 0\n"), 500);
    assert_int_equal(secsip_registrar_count(s.registrar), 1);
    /* Another Call-ID is another life of the same phone. */
    assert_int_equal(ask_register(c, "alice", "y", 1, "Contact: <sip:a@198.51.100.1>;expires=30\n"),
                     200);
    assert_int_equal(ask_register(c, "alice", "y", 2, "Contact: *\nExpires: 0\n"), 200);
    assert_int_equal(secsip_registrar_count(s.registrar), 0);
    proxy_stop(&s);
}

static void a_star_stands_alone_and_with_zero(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "Contact: *\nExpires: 60\n",
        "Contact: *\n",
        "Contact: *, <sip:a@198.51.100.1>\nExpires: 0\n",
        "Contact: <sip:a@198.51.100.1>, *\nExpires: 0\n",
    };

    proxy_start(&s, NULL);
    struct proxy_conn *c = proxy_connect(&s, true);
    proxy_register(&s, c, "alice", "<sip:a@198.51.100.1>, <sip:b@198.51.100.1>");
    assert_int_equal(secsip_registrar_count(s.registrar), 2);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(ask_register(c, "alice", NULL, 0, bad[i]), 400);
    assert_int_equal(secsip_registrar_count(s.registrar), 2);
    assert_int_equal(ask_register(c, "alice", NULL, 0, "Contact: *\nExpires: 0\n"), 200);
    assert_int_equal(secsip_registrar_count(s.registrar), 0);
    proxy_stop(&s);
}

static void all_contacts_of_a_request_are_taken_or_none(void **state)
{
    (void)state;
    const secsip_registrar_config config = {.size = sizeof config, .max_bindings = 3};

    proxy_start(&s, &config);
    struct proxy_conn *c = proxy_connect(&s, true);
    assert_int_equal(ask_register(c, "alice", "x", 5, "Contact: <sip:a@198.51.100.1>;expires=60\n"),
                     200);
    /* The second is older than what is bound: the first is not added either (RFC 3261 10.3 step 7). */
    assert_int_equal(
        ask_register(c, "alice", "x", 4, "Contact: <sip:new@198.51.100.1>, <sip:a@198.51.100.1>\n"),
        500);
    assert_int_equal(secsip_registrar_count(s.registrar), 1);
    assert_int_equal(ask_register(c, "alice", "x", 6, "Contact: <sip:1@h>, <sip:2@h>, <sip:3@h>\n"),
                     403);
    assert_int_equal(secsip_registrar_count(s.registrar), 1);
    assert_int_equal(ask_register(c, "alice", "x", 8, "Contact: <sip:1@h>, <sip:2@h>\n"), 200);
    assert_int_equal(secsip_registrar_count(s.registrar), 3);
    /* One goes, one comes: never more than three. */
    assert_int_equal(ask_register(c, "alice", "x", 10, "Contact: <sip:1@h>;expires=0, <sip:3@h>\n"),
                     200);
    assert_int_equal(secsip_registrar_count(s.registrar), 3);
    proxy_stop(&s);
}

static void intervals_are_held_to_their_bounds(void **state)
{
    (void)state;
    const secsip_registrar_config config = {
        .size = sizeof config, .min_expires_s = 30, .max_expires_s = 300};

    proxy_start(&s, &config);
    struct proxy_conn *c = proxy_connect(&s, true);
    assert_int_equal(proxy_register(&s, c, "alice", "<sip:a@h>;expires=29"), 423);
    assert_string_equal(proxy_header(c, "Min-Expires"), "30");
    assert_int_equal(secsip_registrar_count(s.registrar), 0);
    assert_int_equal(proxy_register(&s, c, "alice", "<sip:a@h>;expires=30"), 200);
    assert_int_equal(proxy_register(&s, c, "alice", "<sip:a@h>;expires=301"), 200);
    assert_string_equal(proxy_header(c, "Contact"), "<sip:a@h>;expires=300");
    assert_int_equal(ask_register(c, "alice", NULL, 0, "Contact: <sip:a@h>\nExpires: 60\n"), 200);
    assert_string_equal(proxy_header(c, "Contact"), "<sip:a@h>;expires=60");
    proxy_stop(&s);
}

static void addresses_of_record_are_bounded(void **state)
{
    (void)state;
    const secsip_registrar_config config = {.size = sizeof config, .max_users = 1};

    proxy_start(&s, &config);
    struct proxy_conn *c = proxy_connect(&s, true);
    assert_int_equal(proxy_register(&s, c, "alice", "<sip:a@h>"), 200);
    assert_int_equal(proxy_register(&s, c, "bob", "<sip:b@h>"), 503);
    assert_int_equal(proxy_register(&s, c, "alice", "<sip:a@h>;expires=0"), 200);
    assert_int_equal(proxy_register(&s, c, "bob", "<sip:b@h>"), 200);
    proxy_stop(&s);
}

static void a_lost_connection_takes_its_bindings_along(void **state)
{
    (void)state;
    proxy_start(&s, NULL);
    struct proxy_conn *c = proxy_connect(&s, true);
    struct proxy_conn *d = proxy_connect(&s, true);
    proxy_register(&s, c, "alice", "<sip:a@h>, <sip:b@h>");
    proxy_register(&s, d, "alice", "<sip:c@h>");
    s.events[0] = '\0';
    proxy_hang_up(&s, c);
    expect_events("unregistered sip:alice@example.test\nunregistered sip:alice@example.test\n");
    assert_int_equal(secsip_registrar_count(s.registrar), 1);
    proxy_stop(&s);
}

static void nobody_acts_for_somebody_else(void **state)
{
    (void)state;
    proxy_start(&s, NULL);
    struct proxy_conn *c = proxy_connect(&s, true);
    struct proxy_request r = {.method = "REGISTER",
                              .uri = "sip:example.test",
                              .from = "sip:bob@example.test",
                              .to = "<sip:alice@example.test>",
                              .more = "Contact: <sip:b@h>\n",
                              .user = "bob"};
    assert_int_equal(proxy_ask(&s, c, &r), 403);
    r.user = "mallory";
    assert_int_equal(proxy_ask(&s, c, &r), 403);
    r.to = "<sip:alice@elsewhere.test>";
    assert_int_equal(proxy_ask(&s, c, &r), 404);
    assert_int_equal(secsip_registrar_count(s.registrar), 0);
    proxy_stop(&s);
}

static void an_extension_that_is_required_and_unknown_is_refused(void **state)
{
    (void)state;
    proxy_start(&s, NULL);
    struct proxy_conn *c = proxy_connect(&s, true);
    assert_int_equal(ask_register(c, "alice", NULL, 0, "Require: teleport\nContact: <sip:a@h>\n"),
                     420);
    assert_string_equal(proxy_header(c, "Unsupported"), "teleport");
    /* RFC 3327: no Path is kept, and who needs one is told. */
    assert_int_equal(ask_register(c, "alice", NULL, 0,
                                  "Require: path\nPath: <sip:edge.test;lr>\nContact: <sip:a@h>\n"),
                     420);
    assert_string_equal(proxy_header(c, "Unsupported"), "path");
    assert_int_equal(secsip_registrar_count(s.registrar), 0);
    proxy_stop(&s);
}

static void clear_connections_are_served_only_where_they_are_allowed(void **state)
{
    (void)state;
    const secsip_registrar_config config = {.size = sizeof config, .insecure_transport = 1};

    proxy_start(&s, NULL);
    struct proxy_conn *c = proxy_connect(&s, false);
    assert_int_equal(proxy_register(&s, c, "alice", "<sip:a@h>"), 403);
    proxy_stop(&s);
    proxy_start(&s, &config);
    c = proxy_connect(&s, false);
    assert_int_equal(proxy_register(&s, c, "alice", "<sip:a@h>"), 200);
    proxy_stop(&s);
}

static uint32_t n_told;

static void free_when_told(const secsip_registrar_event *e, void *user_data)
{
    struct proxy_sim *sim = user_data;

    (void)e;
    n_told++;
    secsip_registrar_free(sim->registrar);
    sim->registrar = NULL;
}

static void the_registrar_may_be_freed_when_it_tells_something(void **state)
{
    (void)state;
    proxy_start(&s, NULL);
    struct proxy_conn *c = proxy_connect(&s, true);
    s.registrar->config.on_event = free_when_told;
    n_told = 0;
    proxy_register(&s, c, "alice", "<sip:a@h>, <sip:b@h>");
    assert_int_equal(n_told, 1);
    assert_null(s.registrar);
    /* What is left is an endpoint, which serves no REGISTER. */
    assert_int_equal(proxy_register(&s, c, "alice", "<sip:a@h>"), 405);
    proxy_stop(&s);
}

static void register_and_unregister(void *arg)
{
    (void)arg;
    if (proxy_start(&s, NULL) < 0)
        return;
    struct proxy_conn *c = proxy_connect(&s, true);
    if (c) {
        proxy_register(&s, c, "alice", "<sip:a@h>;expires=60, <sip:b@h>;expires=70");
        proxy_register(&s, c, "alice", "<sip:a@h>;expires=60");
        proxy_register(&s, c, "bob", "<sip:b@h>;expires=60");
        proxy_run(&s, 65000);
        proxy_hang_up(&s, c);
        assert_int_equal(secsip_registrar_count(s.registrar), 0);
    }
    proxy_stop(&s);
}

static void failing_allocations_leave_no_half_binding(void **state)
{
    (void)state;
    assert_true(test_oom_each(register_and_unregister, NULL) > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_binding_lives_until_it_expires),
        cmocka_unit_test(a_refresh_moves_the_end_and_the_connection),
        cmocka_unit_test(an_older_request_of_the_same_call_id_changes_nothing),
        cmocka_unit_test(a_star_stands_alone_and_with_zero),
        cmocka_unit_test(all_contacts_of_a_request_are_taken_or_none),
        cmocka_unit_test(intervals_are_held_to_their_bounds),
        cmocka_unit_test(addresses_of_record_are_bounded),
        cmocka_unit_test(a_lost_connection_takes_its_bindings_along),
        cmocka_unit_test(nobody_acts_for_somebody_else),
        cmocka_unit_test(an_extension_that_is_required_and_unknown_is_refused),
        cmocka_unit_test(clear_connections_are_served_only_where_they_are_allowed),
        cmocka_unit_test(the_registrar_may_be_freed_when_it_tells_something),
        cmocka_unit_test(failing_allocations_leave_no_half_binding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
