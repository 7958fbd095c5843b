/* What DNS said, kept: one question for many who ask, TTLs, refusals, a resolver that is silent or quick; on virtual time. */
#include "test.h"

#include <stdio.h>

#include "ua/core.h"
#include "ua/locate.h"

enum {
    MAX_ASKED = 2000
};

/* A core of which only the names are alive, and the resolver under it. */
static struct {
    struct ssi_ua ua;
    struct ssi_query *asked[MAX_ASKED];
    char name[MAX_ASKED][256];
    enum ssi_rr_type type[MAX_ASKED];
    size_t n_asked;
    size_t n_cancelled;
    bool at_once; /* it answers inside the question */
    uint32_t ttl_s;
    secsip_result refuse;
} w;

/* Somebody who looks for a host. */
struct seeker {
    struct ssi_locate *locate;
    int n_done;
    secsip_result result;
    size_t n_targets;
    uint8_t last_byte;
};

static void answer(struct ssi_query *q, enum ssi_rr_type type, uint8_t last_byte)
{
    struct ssi_rr rr = {
        .type = type, .ttl_s = w.ttl_s, .addr = {.family = 4, .ip = {192, 0, 2, last_byte}}};

    if (type == SSI_RR_A)
        ssi_names_answer(q, 0, &rr, 1);
    else
        ssi_names_answer(q, SECSIP_E_NET_RESOLVE, NULL, 0);
}

static secsip_result resolve(void *arg, struct ssi_query *q, enum ssi_rr_type type,
                             const char *name)
{
    assert_ptr_equal(arg, &w);
    assert_true(w.n_asked < MAX_ASKED);
    if (w.refuse < 0)
        return w.refuse;
    w.asked[w.n_asked] = q;
    w.type[w.n_asked] = type;
    snprintf(w.name[w.n_asked++], 256, "%s", name);
    if (w.at_once)
        answer(q, type, 7);
    return 0;
}

static void cancel(void *arg, struct ssi_query *q)
{
    (void)arg;
    (void)q;
    w.n_cancelled++;
}

static void start(uint32_t ttl_s)
{
    memset(&w, 0, sizeof w);
    w.ttl_s = ttl_s;
    w.ua.io = (struct ssi_io){.arg = &w, .resolve = resolve, .resolve_cancel = cancel};
    ssi_timers_init(&w.ua.timers, 1000000);
    assert_int_equal(ssi_names_init(&w.ua.names, &w.ua), 0);
}

static void stop(void)
{
    ssi_names_free(&w.ua.names);
    assert_int_equal(w.ua.timers.n_armed, 0);
}

static void pass(uint64_t ms)
{
    ssi_timers_advance(&w.ua.timers, w.ua.timers.now_us + SSI_MS(ms), 1000);
}

static void note(void *arg, const struct ssi_locate_result *r)
{
    struct seeker *s = arg;

    s->n_done++;
    s->result = r->result;
    s->n_targets = r->n_targets;
    s->last_byte = r->n_targets ? r->targets[0].addr.ip[3] : 0;
}

/* A port, so that only the two addresses are asked for. */
static void seek(struct seeker *s, const char *host)
{
    const struct ssi_locate_config c = {.ua = &w.ua,
                                        .io = &w.ua.names.io,
                                        .host = host,
                                        .port = 5061,
                                        .tls = true,
                                        .done = note,
                                        .arg = s};

    memset(s, 0, sizeof *s);
    assert_int_equal(ssi_locate_start(&c, &s->locate), 0);
    assert_int_equal(s->n_done, 0);
}

static void answer_all(uint8_t last_byte)
{
    for (size_t i = 0; i < w.n_asked; i++) {
        struct ssi_query *q = w.asked[i];
        w.asked[i] = NULL;
        if (q)
            answer(q, w.type[i], last_byte);
    }
}

static void assert_found(struct seeker *s, uint8_t last_byte)
{
    assert_int_equal(s->n_done, 1);
    assert_int_equal(s->result, 0);
    assert_int_equal(s->n_targets, 1);
    assert_int_equal(s->last_byte, last_byte);
    ssi_locate_free(s->locate);
}

static void many_ask_once(void **state)
{
    struct seeker s[100];

    (void)state;
    start(300);
    for (size_t i = 0; i < 100; i++)
        seek(&s[i], "example.test");
    assert_int_equal(w.n_asked, 2);
    ssi_locate_free(s[50].locate); /* the others go on */
    answer_all(1);
    for (size_t i = 0; i < 100; i++)
        if (i != 50)
            assert_found(&s[i], 1);
    assert_int_equal(s[50].n_done, 0);
    stop();
}

static void an_answer_holds_for_its_ttl(void **state)
{
    struct seeker s;

    (void)state;
    start(20); /* less than the refusal of the AAAA */
    seek(&s, "example.test");
    answer_all(1);
    assert_found(&s, 1);
    pass(19000);
    seek(&s, "EXAMPLE.test"); /* the same name */
    assert_int_equal(w.n_asked, 2);
    pass(0);
    assert_found(&s, 1);
    pass(1000);
    seek(&s, "example.test");
    assert_int_equal(w.n_asked, 3); /* the address again, the refusal not yet */
    answer_all(2);
    pass(0);
    assert_found(&s, 2);
    stop();
}

static void a_ttl_of_zero_is_for_those_who_asked(void **state)
{
    struct seeker s, t;

    (void)state;
    start(0);
    seek(&s, "example.test");
    seek(&t, "example.test");
    answer_all(1);
    assert_found(&s, 1);
    assert_found(&t, 1);
    pass(1);
    seek(&s, "example.test");
    assert_int_equal(w.n_asked, 3);
    answer_all(2);
    pass(0);
    assert_found(&s, 2);
    stop();
}

static void refusals_and_failures_are_kept_briefly(void **state)
{
    static const struct {
        secsip_result result;
        uint32_t kept_s;
        bool has_soa;
        uint32_t soa_s;
    } rows[] = {{SECSIP_E_NET_RESOLVE, SSI_NAMES_NONE_S, false, 0},
                {SECSIP_E_NET_RESOLVE, 5, true, 5}, /* RFC 2308 section 5, within bounds */
                {SECSIP_E_NET_RESOLVE, 1, true, 0},
                {SECSIP_E_NET_RESOLVE, 60, true, 60},
                {SECSIP_E_NET_RESOLVE, 60, true, 86400},
                {SECSIP_E_NET_DNS, SSI_NAMES_FAILED_S, true, 60},
                {SECSIP_E_NOMEM, 0, false, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct ssi_rr soa = {.type = SSI_RR_SOA, .ttl_s = rows[i].soa_s};
        struct seeker s;
        start(300);
        seek(&s, "example.test");
        for (size_t k = 0; k < 2; k++)
            ssi_names_answer(w.asked[k], rows[i].result, &soa, rows[i].has_soa);
        assert_int_equal(s.n_done, 1);
        assert_int_equal(s.result, rows[i].result == SECSIP_E_NET_RESOLVE ? rows[i].result
                                                                          : SECSIP_E_NET_DNS);
        ssi_locate_free(s.locate);
        if (rows[i].kept_s) {
            pass(rows[i].kept_s * 1000 - 1);
            seek(&s, "example.test");
            pass(0);
            assert_int_equal(w.n_asked, 2);
            assert_int_equal(s.n_done, 1);
            ssi_locate_free(s.locate);
        }
        pass(1);
        seek(&s, "example.test");
        assert_int_equal(w.n_asked, 4);
        ssi_locate_free(s.locate);
        stop();
    }
}

static void a_resolver_that_is_silent_is_given_up(void **state)
{
    struct seeker s;

    (void)state;
    start(300);
    seek(&s, "example.test");
    pass(SSI_NAMES_WITHIN_S * 1000 - 1);
    assert_int_equal(s.n_done, 0);
    pass(1);
    assert_int_equal(s.n_done, 1);
    assert_int_equal(s.result, SECSIP_E_NET_DNS);
    assert_non_null(strstr(ssi_locate_result(s.locate)->text, "did not answer for example.test"));
    assert_int_equal(w.n_cancelled, 2);
    ssi_locate_free(s.locate);
    stop();
}

static void a_resolver_may_answer_at_once(void **state)
{
    struct seeker s;

    (void)state;
    start(300);
    w.at_once = true;
    seek(&s, "example.test"); /* asserts that nothing came from inside */
    pass(0);
    assert_found(&s, 7);
    stop();
}

static void a_resolver_that_refuses_is_an_error(void **state)
{
    struct seeker s = {0};
    const struct ssi_locate_config c = {.ua = &w.ua,
                                        .io = &w.ua.names.io,
                                        .host = "example.test",
                                        .port = 5061,
                                        .done = note,
                                        .arg = &s};

    (void)state;
    start(300);
    w.refuse = SECSIP_E_LIMIT;
    assert_int_equal(ssi_locate_start(&c, &s.locate), SECSIP_E_LIMIT);
    assert_int_equal(w.ua.names.known.n_nodes, 0);
    stop();
}

static void the_memory_is_bounded(void **state)
{
    struct seeker s[200];
    char host[32];

    (void)state;
    start(300);
    for (unsigned i = 0; i < 400; i++) { /* answered ones make room */
        snprintf(host, sizeof host, "h%u.test", i);
        seek(&s[0], host);
        answer_all(1);
        assert_found(&s[0], 1);
        assert_true(w.ua.names.known.n_nodes <= SSI_NAMES_MAX);
    }
    size_t before = w.n_asked;
    seek(&s[0], "h399.test"); /* the latest are there still */
    pass(0);
    assert_found(&s[0], 1);
    assert_int_equal(w.n_asked, before);
    /* Those under way do not. */
    for (unsigned i = 0; i < SSI_NAMES_MAX / 2; i++) {
        snprintf(host, sizeof host, "p%u.test", i);
        seek(&s[i], host);
    }
    struct seeker more = {0};
    const struct ssi_locate_config c = {.ua = &w.ua,
                                        .io = &w.ua.names.io,
                                        .host = "more.test",
                                        .port = 5061,
                                        .done = note,
                                        .arg = &more};
    assert_int_equal(ssi_locate_start(&c, &more.locate), SECSIP_E_LIMIT);
    for (unsigned i = 0; i < SSI_NAMES_MAX / 2; i++)
        ssi_locate_free(s[i].locate);
    stop();
    assert_int_equal(w.n_cancelled, SSI_NAMES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_ask_once),
        cmocka_unit_test(an_answer_holds_for_its_ttl),
        cmocka_unit_test(a_ttl_of_zero_is_for_those_who_asked),
        cmocka_unit_test(refusals_and_failures_are_kept_briefly),
        cmocka_unit_test(a_resolver_that_is_silent_is_given_up),
        cmocka_unit_test(a_resolver_may_answer_at_once),
        cmocka_unit_test(a_resolver_that_refuses_is_an_error),
        cmocka_unit_test(the_memory_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
