/* RFC 3263 against a scripted name server: what is asked, in which order the addresses come out, what ends a look-up
 * (FIELD: pjproject#3952, #4477, pjproject_docs#64). */
#include "test.h"

#include <stdio.h>

#include "base/slice.h"
#include "ua/locate.h"

enum {
    MAX_ASKED = 40
};

/* The zone: one line per record. */
struct zone_line {
    enum ssi_rr_type type;
    const char *name;
    const char *target; /* address for A and AAAA; NULL: the query fails as `fails` says */
    uint16_t priority, weight, port;
    const char *service;
    const char *flags;
    uint32_t ttl_s;
    secsip_result fails;
};

static struct {
    const struct zone_line *zone;
    size_t n_zone;
    struct {
        struct ssi_query *q;
        enum ssi_rr_type type;
        char name[256];
        bool open;
    } asked[MAX_ASKED];
    size_t n_asked;
    secsip_result refuse; /* what resolve itself returns */
    size_t n_done;
    secsip_result result;
    char order[1000];
    char text[500];
    uint32_t ttl_s;
} world;

static secsip_result fake_resolve(void *arg, struct ssi_query *q, enum ssi_rr_type type,
                                  const char *name)
{
    assert_ptr_equal(arg, &world);
    if (world.refuse < 0)
        return world.refuse;
    assert_true(world.n_asked < MAX_ASKED);
    world.asked[world.n_asked].q = q;
    world.asked[world.n_asked].type = type;
    world.asked[world.n_asked].open = true;
    snprintf(world.asked[world.n_asked].name, 256, "%s", name);
    world.n_asked++;
    return 0;
}

static void fake_cancel(void *arg, struct ssi_query *q)
{
    (void)arg;
    for (size_t i = 0; i < world.n_asked; i++)
        if (world.asked[i].q == q && world.asked[i].open) {
            world.asked[i].open = false;
            return;
        }
    fail();
}

static const struct ssi_io fake_io = {
    .arg = &world, .resolve = fake_resolve, .resolve_cancel = fake_cancel};

static void note_result(const struct ssi_locate_result *r)
{
    char text[SSI_ADDR_TEXT];

    world.result = r->result;
    world.ttl_s = r->ttl_s;
    snprintf(world.text, sizeof world.text, "%s", r->text);
    world.order[0] = 0;
    for (size_t i = 0; i < r->n_targets; i++) {
        size_t at = strlen(world.order);
        ssi_addr_text(&r->targets[i].addr, text);
        snprintf(world.order + at, sizeof world.order - at, "%s%s", i ? " " : "", text);
    }
}

static void note_done(void *arg, const struct ssi_locate_result *r)
{
    assert_ptr_equal(arg, &world);
    world.n_done++;
    note_result(r);
}

static void fill_rr(const struct zone_line *z, struct ssi_rr *rr)
{
    *rr = (struct ssi_rr){.type = z->type,
                          .ttl_s = z->ttl_s ? z->ttl_s : 300,
                          .priority = z->priority,
                          .weight = z->weight,
                          .port = z->port};
    if (z->type == SSI_RR_A || z->type == SSI_RR_AAAA)
        assert_true(ssi_addr_parse_ip(ssi_slice_str(z->target), 0, &rr->addr));
    else
        snprintf(rr->target, sizeof rr->target, "%s", z->target);
    if (z->service)
        snprintf(rr->service, sizeof rr->service, "%s", z->service);
    if (z->flags)
        snprintf(rr->flags, sizeof rr->flags, "%s", z->flags);
}

/* Answers one open query from the zone. */
static void answer(size_t i)
{
    struct ssi_rr rrs[20];
    size_t n = 0;
    secsip_result result = SECSIP_E_NET_RESOLVE;

    for (size_t k = 0; k < world.n_zone; k++) {
        const struct zone_line *z = &world.zone[k];
        if (z->type != world.asked[i].type || strcmp(z->name, world.asked[i].name) != 0)
            continue;
        result = z->target ? 0 : z->fails;
        if (z->target)
            fill_rr(z, &rrs[n++]);
    }
    world.asked[i].open = false;
    ssi_locate_answer(world.asked[i].q, result, rrs, n);
}

static void run(struct ssi_locate_config c, const struct zone_line *zone, size_t n)
{
    struct ssi_locate *l;

    memset(&world, 0, sizeof world);
    world.zone = zone;
    world.n_zone = n;
    c.io = &fake_io;
    c.done = note_done;
    c.arg = &world;
    secsip_result r = ssi_locate_start(&c, &l);
    assert_true(r >= 0);
    if (r == 1)
        note_result(ssi_locate_result(l));
    else
        assert_int_equal(world.n_done, 0);
    for (size_t i = 0; i < world.n_asked; i++)
        answer(i);
    assert_int_equal(world.n_done, r == 1 ? 0 : 1);
    ssi_locate_free(l);
}

#define RUN(zone, ...)                                                                             \
    run((struct ssi_locate_config){.seed = 1, __VA_ARGS__}, zone, sizeof zone / sizeof *zone)

static const struct zone_line full[] = {
    {SSI_RR_NAPTR, "example.test", "_sip._udp.example.test", 30, 50, 0, "SIP+D2U", "s", 0, 0},
    {SSI_RR_NAPTR, "example.test", "_sip._tcp.example.test", 20, 50, 0, "SIP+D2T", "s", 0, 0},
    {SSI_RR_NAPTR, "example.test", "_sips._tcp.second.test", 10, 60, 0, "SIPS+D2T", "s", 0, 0},
    {SSI_RR_NAPTR, "example.test", "_sips._tcp.first.test", 10, 50, 0, "sips+d2t", "S", 0, 0},
    {SSI_RR_NAPTR, "example.test", "_sips._tcp.never.test", 1, 1, 0, "SIPS+D2T", "u", 0, 0},
    {SSI_RR_SRV, "_sips._tcp.first.test", "b.test", 20, 0, 6061, NULL, NULL, 77, 0},
    {SSI_RR_SRV, "_sips._tcp.first.test", "a.test", 10, 0, 7061, NULL, NULL, 0, 0},
    {SSI_RR_SRV, "_sip._tcp.example.test", "clear.test", 1, 0, 5070, NULL, NULL, 0, 0},
    {SSI_RR_A, "a.test", "192.0.2.1", 0, 0, 0, NULL, NULL, 0, 0},
    {SSI_RR_A, "a.test", "192.0.2.2", 0, 0, 0, NULL, NULL, 0, 0},
    {SSI_RR_AAAA, "a.test", "2001:db8::1", 0, 0, 0, NULL, NULL, 0, 0},
    {SSI_RR_A, "b.test", "192.0.2.3", 0, 0, 0, NULL, NULL, 0, 0},
    {SSI_RR_A, "clear.test", "192.0.2.9", 0, 0, 0, NULL, NULL, 0, 0},
    {SSI_RR_A, "example.test", "192.0.2.10", 0, 0, 0, NULL, NULL, 0, 0},
};

static void naptr_leads_to_srv_and_addresses_in_order(void **state)
{
    (void)state;
    RUN(full, .host = "example.test", .tls = true);
    assert_int_equal(world.result, 0);
    assert_string_equal(world.order,
                        "[2001:db8::1]:7061 192.0.2.1:7061 192.0.2.2:7061 192.0.2.3:6061");
    assert_int_equal(world.ttl_s, 77);
    assert_int_equal(world.asked[0].type, SSI_RR_NAPTR);
    assert_string_equal(world.asked[1].name, "_sips._tcp.first.test");
}

static void tls_never_takes_the_records_of_clear_transports(void **state)
{
    (void)state;
    static const struct zone_line clear_only[] = {
        {SSI_RR_NAPTR, "example.test", "_sip._tcp.example.test", 20, 50, 0, "SIP+D2T", "s", 0, 0},
        {SSI_RR_SRV, "_sip._tcp.example.test", "clear.test", 1, 0, 5060, NULL, NULL, 0, 0},
        {SSI_RR_A, "clear.test", "192.0.2.9", 0, 0, 0, NULL, NULL, 0, 0},
        {SSI_RR_A, "example.test", "192.0.2.10", 0, 0, 0, NULL, NULL, 0, 0}};

    RUN(clear_only, .host = "example.test", .tls = true);
    assert_string_equal(world.order, "192.0.2.10:5061");
    assert_string_equal(world.asked[1].name, "_sips._tcp.example.test");
    RUN(clear_only, .host = "example.test");
    assert_string_equal(world.order, "192.0.2.9:5060");
}

static void udp_has_records_of_its_own(void **state)
{
    (void)state;
    static const struct zone_line zone[] = {
        {SSI_RR_NAPTR, "example.test", "_sip._tcp.example.test", 20, 50, 0, "SIP+D2T", "s", 0, 0},
        {SSI_RR_NAPTR, "example.test", "_sip._udp.other.test", 30, 50, 0, "SIP+D2U", "s", 0, 0},
        {SSI_RR_SRV, "_sip._tcp.example.test", "clear.test", 1, 0, 5060, NULL, NULL, 0, 0},
        {SSI_RR_SRV, "_sip._udp.other.test", "a.test", 1, 0, 5070, NULL, NULL, 0, 0},
        {SSI_RR_SRV, "_sip._udp.example.test", "b.test", 1, 0, 5080, NULL, NULL, 0, 0},
        {SSI_RR_A, "clear.test", "192.0.2.9", 0, 0, 0, NULL, NULL, 0, 0},
        {SSI_RR_A, "a.test", "192.0.2.1", 0, 0, 0, NULL, NULL, 0, 0},
        {SSI_RR_A, "b.test", "192.0.2.2", 0, 0, 0, NULL, NULL, 0, 0}};

    RUN(zone, .host = "example.test", .udp = true);
    assert_string_equal(world.order, "192.0.2.1:5070");
    RUN(zone, .host = "example.test", .udp = true, .transport_given = true);
    assert_string_equal(world.order, "192.0.2.2:5080"); /* RFC 3263 4.1: NAPTR is not asked */
    RUN(zone, .host = "a.test", .udp = true, .transport_given = true);
    assert_string_equal(world.order, "192.0.2.1:5060");
}

static void the_uri_makes_steps_needless(void **state)
{
    (void)state;
    RUN(full, .host = "192.0.2.77", .tls = true);
    assert_string_equal(world.order, "192.0.2.77:5061");
    assert_int_equal(world.n_asked, 0);
    assert_true(world.ttl_s == UINT32_MAX);
    RUN(full, .host = "[2001:db8::5]", .port = 5071, .tls = true);
    assert_string_equal(world.order, "[2001:db8::5]:5071");
    RUN(full, .host = "192.0.2.77");
    assert_string_equal(world.order, "192.0.2.77:5060");
    /* RFC 3263 4.2: a port, so no SRV. */
    RUN(full, .host = "example.test", .port = 5099, .tls = true);
    assert_string_equal(world.order, "192.0.2.10:5099");
    assert_int_equal(world.n_asked, 2);
    /* 4.1: a transport, so no NAPTR; there is no _sips._tcp.example.test, so the domain itself. */
    RUN(full, .host = "example.test.", .transport_given = true, .tls = true);
    assert_string_equal(world.order, "192.0.2.10:5061");
    assert_int_equal(world.asked[0].type, SSI_RR_SRV);
}

static void a_service_without_records_gives_way_to_the_next(void **state)
{
    (void)state;
    static const struct zone_line zone[] = {
        {SSI_RR_NAPTR, "example.test", "_sips._tcp.empty.test", 1, 1, 0, "SIPS+D2T", "s", 0, 0},
        {SSI_RR_NAPTR, "example.test", "_sips._tcp.there.test", 2, 1, 0, "SIPS+D2T", "s", 0, 0},
        {SSI_RR_SRV, "_sips._tcp.there.test", "a.test", 1, 0, 7061, NULL, NULL, 0, 0},
        {SSI_RR_A, "a.test", "192.0.2.1", 0, 0, 0, NULL, NULL, 0, 0}};

    RUN(zone, .host = "example.test", .tls = true);
    assert_string_equal(world.order, "192.0.2.1:7061");
}

static void target_dot_ends_the_search(void **state)
{
    (void)state;
    static const struct zone_line zone[] = {
        {SSI_RR_SRV, "_sips._tcp.example.test", "", 0, 0, 0, NULL, NULL, 0, 0},
        {SSI_RR_A, "example.test", "192.0.2.1", 0, 0, 0, NULL, NULL, 0, 0}};

    RUN(zone, .host = "example.test", .tls = true);
    assert_int_equal(world.result, SECSIP_E_NET_RESOLVE);
    assert_int_equal(world.n_asked, 2);
    assert_non_null(strstr(world.text, "offers no such service"));
}

static void silent_servers_are_told_from_missing_names(void **state)
{
    (void)state;
    static const struct zone_line silent[] = {
        {SSI_RR_NAPTR, "example.test", NULL, 0, 0, 0, NULL, NULL, 0, SECSIP_E_NET_DNS},
        {SSI_RR_SRV, "_sips._tcp.example.test", NULL, 0, 0, 0, NULL, NULL, 0, SECSIP_E_NET_DNS},
        {SSI_RR_A, "example.test", NULL, 0, 0, 0, NULL, NULL, 0, SECSIP_E_NET_DNS},
        {SSI_RR_AAAA, "example.test", NULL, 0, 0, 0, NULL, NULL, 0, SECSIP_E_NET_DNS}};
    static const struct zone_line hosts_file[] = {
        {SSI_RR_NAPTR, "example.test", NULL, 0, 0, 0, NULL, NULL, 0, SECSIP_E_NET_DNS},
        {SSI_RR_SRV, "_sips._tcp.example.test", NULL, 0, 0, 0, NULL, NULL, 0, SECSIP_E_NET_DNS},
        {SSI_RR_AAAA, "example.test", NULL, 0, 0, 0, NULL, NULL, 0, SECSIP_E_NET_DNS},
        {SSI_RR_A, "example.test", "127.0.0.1", 0, 0, 0, NULL, NULL, 0, 0}};

    RUN(silent, .host = "example.test", .tls = true);
    assert_int_equal(world.result, SECSIP_E_NET_DNS);
    RUN(silent, .host = "missing.test", .tls = true);
    assert_int_equal(world.result, SECSIP_E_NET_RESOLVE);
    assert_non_null(strstr(world.text, "missing.test"));
    RUN(hosts_file, .host = "example.test", .tls = true);
    assert_string_equal(world.order, "127.0.0.1:5061");
}

static void weights_share_the_load_as_rfc2782_says(void **state)
{
    (void)state;
    static const struct zone_line zone[] = {
        {SSI_RR_SRV, "_sips._tcp.w.test", "a.test", 1, 10, 1, NULL, NULL, 0, 0},
        {SSI_RR_SRV, "_sips._tcp.w.test", "b.test", 1, 30, 2, NULL, NULL, 0, 0},
        {SSI_RR_SRV, "_sips._tcp.w.test", "c.test", 1, 60, 3, NULL, NULL, 0, 0},
        {SSI_RR_SRV, "_sips._tcp.w.test", "d.test", 2, 9999, 4, NULL, NULL, 0, 0},
        {SSI_RR_A, "a.test", "192.0.2.1", 0, 0, 0, NULL, NULL, 0, 0},
        {SSI_RR_A, "b.test", "192.0.2.1", 0, 0, 0, NULL, NULL, 0, 0},
        {SSI_RR_A, "c.test", "192.0.2.1", 0, 0, 0, NULL, NULL, 0, 0},
        {SSI_RR_A, "d.test", "192.0.2.1", 0, 0, 0, NULL, NULL, 0, 0}};
    unsigned first[5] = {0};

    for (uint64_t seed = 1; seed <= 2000; seed++) {
        run((struct ssi_locate_config){.seed = seed * 0x9e3779b97f4a7c15U,
                                       .host = "w.test",
                                       .tls = true,
                                       .transport_given = true},
            zone, sizeof zone / sizeof *zone);
        first[world.order[strlen("192.0.2.1:")] - '0']++;
        /* The higher priority number always comes last. */
        assert_string_equal(world.order + strlen(world.order) - 2, ":4");
    }
    print_message("first choice: %u %u %u\n", first[1], first[2], first[3]);
    assert_true(first[1] > 140 && first[1] < 280);
    assert_true(first[2] > 500 && first[2] < 700);
    assert_true(first[3] > 1050 && first[3] < 1350);
    assert_int_equal(first[4], 0);
}

static void answers_of_any_size_are_bounded(void **state)
{
    (void)state;
    static struct zone_line zone[60];
    static char names[30][16], addresses[30][16];
    struct ssi_rr rrs[60];
    struct ssi_locate_config c = {.host = "big.test",
                                  .tls = true,
                                  .transport_given = true,
                                  .io = &fake_io,
                                  .done = note_done,
                                  .arg = &world,
                                  .seed = 5};
    struct ssi_locate *l;

    for (int i = 0; i < 30; i++) {
        snprintf(names[i], 16, "h%d.test", i);
        snprintf(addresses[i], 16, "192.0.2.%d", i);
        zone[i] = (struct zone_line){
            SSI_RR_SRV, "_sips._tcp.big.test", names[i], 1, 0, (uint16_t)(i + 1), NULL, NULL, 0, 0};
    }
    memset(&world, 0, sizeof world);
    assert_int_equal(ssi_locate_start(&c, &l), 0);
    for (int i = 0; i < 60; i++)
        fill_rr(&zone[i % 30], &rrs[i]);
    ssi_locate_answer(world.asked[0].q, 0, rrs, 60);
    assert_int_equal(world.n_asked, 1 + 2 * SSI_LOCATE_MAX_HOSTS);
    for (size_t q = 1; q < world.n_asked; q++) {
        for (int i = 0; i < 30; i++) {
            struct zone_line z = {SSI_RR_A, "", addresses[i], 0, 0, 0, NULL, NULL, 0, 0};
            fill_rr(&z, &rrs[i]);
        }
        ssi_locate_answer(world.asked[q].q, 0, rrs, 30);
    }
    assert_int_equal(world.n_done, 1);
    assert_int_equal(ssi_locate_result(l)->n_targets, SSI_LOCATE_MAX_TARGETS);
    ssi_locate_free(l);
}

/* A host of many addresses leaves room for its backups, and takes what they do not need. */
static void no_host_fills_the_list_alone(void **state)
{
    static char addresses[16][16];
    struct zone_line zone[] = {
        {SSI_RR_SRV, "_sips._tcp.big.test", "a.test", 1, 0, 1, NULL, NULL, 0, 0},
        {SSI_RR_SRV, "_sips._tcp.big.test", "none.test", 2, 0, 2, NULL, NULL, 0, 0},
        {SSI_RR_SRV, "_sips._tcp.big.test", "b.test", 3, 0, 3, NULL, NULL, 0, 0},
        {SSI_RR_SRV, "_sips._tcp.big.test", "c.test", 4, 0, 4, NULL, NULL, 0, 0},
        {SSI_RR_A, "b.test", "192.0.2.101", 0, 0, 0, NULL, NULL, 0, 0},
        {SSI_RR_A, "c.test", "192.0.2.102", 0, 0, 0, NULL, NULL, 0, 0},
        {SSI_RR_AAAA, "c.test", "2001:db8::1", 0, 0, 0, NULL, NULL, 0, 0},
        [7 ... 22] = {SSI_RR_A, "a.test", NULL, 0, 0, 0, NULL, NULL, 0, 0},
    };

    (void)state;
    for (int i = 0; i < 16; i++) {
        snprintf(addresses[i], 16, "192.0.2.%d", i + 1);
        zone[7 + i].target = addresses[i];
    }
    RUN(zone, .host = "big.test", .tls = true, .transport_given = true);
    assert_string_equal(world.order,
                        "192.0.2.1:1 192.0.2.2:1 192.0.2.3:1 192.0.2.4:1 192.0.2.5:1 192.0.2.6:1 "
                        "192.0.2.7:1 192.0.2.8:1 192.0.2.9:1 192.0.2.10:1 192.0.2.11:1 "
                        "192.0.2.12:1 192.0.2.13:1 192.0.2.101:3 [2001:db8::1]:4 192.0.2.102:4");
}

static void freeing_cancels_what_is_open(void **state)
{
    (void)state;
    struct ssi_locate_config c = {.host = "example.test",
                                  .tls = true,
                                  .port = 5061,
                                  .io = &fake_io,
                                  .done = note_done,
                                  .arg = &world};
    struct ssi_locate *l;

    memset(&world, 0, sizeof world);
    assert_int_equal(ssi_locate_start(&c, &l), 0);
    assert_null(ssi_locate_result(l));
    assert_int_equal(world.n_asked, 2);
    ssi_locate_free(l);
    assert_false(world.asked[0].open || world.asked[1].open);
    assert_int_equal(world.n_done, 0);
}

static void what_is_no_name_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", ".", ".test", "ex ample.test", "a;b", "[::1", "a@b", "h\xc3\xb6st.test", "::g"};
    struct ssi_locate_config c = {.io = &fake_io, .done = note_done, .arg = &world};
    char longest[300];
    struct ssi_locate *l;

    memset(&world, 0, sizeof world);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        c.host = bad[i];
        assert_int_equal(ssi_locate_start(&c, &l), SECSIP_E_INVALID);
    }
    memset(longest, 'a', sizeof longest);
    longest[254] = 0;
    c.host = longest;
    assert_int_equal(ssi_locate_start(&c, &l), SECSIP_E_INVALID);
    c.host = "example.test";
    world.refuse = SECSIP_E_NOMEM;
    assert_int_equal(ssi_locate_start(&c, &l), SECSIP_E_NOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(naptr_leads_to_srv_and_addresses_in_order),
        cmocka_unit_test(udp_has_records_of_its_own),
        cmocka_unit_test(tls_never_takes_the_records_of_clear_transports),
        cmocka_unit_test(the_uri_makes_steps_needless),
        cmocka_unit_test(a_service_without_records_gives_way_to_the_next),
        cmocka_unit_test(target_dot_ends_the_search),
        cmocka_unit_test(silent_servers_are_told_from_missing_names),
        cmocka_unit_test(weights_share_the_load_as_rfc2782_says),
        cmocka_unit_test(answers_of_any_size_are_bounded),
        cmocka_unit_test(no_host_fills_the_list_alone),
        cmocka_unit_test(freeing_cancels_what_is_open),
        cmocka_unit_test(what_is_no_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
