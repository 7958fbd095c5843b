/* DNS answers built by hand: the four types, aliases, and what a lying server may send. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "net/dns.h"
#include "seed.h"

struct message {
    uint8_t bytes[2000];
    size_t len;
};

static void put(struct message *m, const void *data, size_t len)
{
    assert_true(m->len + len <= sizeof m->bytes);
    memcpy(m->bytes + m->len, data, len);
    m->len += len;
}

static void put16(struct message *m, unsigned v)
{
    put(m, (uint8_t[]){(uint8_t)(v >> 8), (uint8_t)v}, 2);
}

/* Labels; a trailing '@' is a pointer to the question's name. */
static void put_name(struct message *m, const char *name)
{
    while (*name && *name != '@') {
        size_t n = strcspn(name, ".");
        put(m, (uint8_t[]){(uint8_t)n}, 1);
        put(m, name, n);
        name += n + (name[n] == '.');
    }
    if (*name == '@')
        put16(m, 0xc00c);
    else
        put(m, "", 1);
}

static void begin(struct message *m, const char *name, unsigned type, unsigned n_answers)
{
    m->len = 0;
    put(m, "\x12\x34\x81\x80\x00\x01", 6);
    put16(m, n_answers);
    put(m, "\0\0\0\0", 4);
    put_name(m, name);
    put16(m, type);
    put16(m, 1);
}

/* Opens a record; returns where its length stands. */
static size_t record(struct message *m, const char *owner, unsigned type, unsigned ttl)
{
    put_name(m, owner);
    put16(m, type);
    put16(m, 1);
    put16(m, ttl >> 16);
    put16(m, ttl & 0xffff);
    put16(m, 0);
    return m->len - 2;
}

static void end_record(struct message *m, size_t at)
{
    size_t n = m->len - at - 2;
    m->bytes[at] = (uint8_t)(n >> 8);
    m->bytes[at + 1] = (uint8_t)n;
}

static void put_srv(struct message *m, const char *owner, unsigned priority, unsigned port,
                    const char *target)
{
    size_t at = record(m, owner, SSI_RR_SRV, 300);
    put16(m, priority);
    put16(m, 7);
    put16(m, port);
    put_name(m, target);
    end_record(m, at);
}

static void put_a(struct message *m, const char *owner, const char *ip, unsigned ttl)
{
    size_t at = record(m, owner, SSI_RR_A, ttl);
    put(m, ip, 4);
    end_record(m, at);
}

static void put_cname(struct message *m, const char *owner, const char *target, unsigned ttl)
{
    size_t at = record(m, owner, 5, ttl);
    put_name(m, target);
    end_record(m, at);
}

static struct ssi_rr rrs[SSI_DNS_MAX_RRS];

static int32_t parse(const struct message *m, enum ssi_rr_type type, const char *name)
{
    /* An exact allocation, so that the sanitizer sees every byte read too far. */
    uint8_t *copy = malloc(m->len ? m->len : 1);
    assert_non_null(copy);
    memcpy(copy, m->bytes, m->len);
    int32_t n = ssi_dns_parse(copy, m->len, type, name, rrs, SSI_DNS_MAX_RRS);
    free(copy);
    return n;
}

static void the_four_types_are_read(void **state)
{
    (void)state;
    struct message m;
    char text[SSI_ADDR_TEXT];

    begin(&m, "_sips._tcp.Example.test", SSI_RR_SRV, 2);
    put_srv(&m, "@", 10, 5061, "SIP.example.test");
    put_srv(&m, "@", 20, 5062, "");
    assert_int_equal(parse(&m, SSI_RR_SRV, "_sips._tcp.example.TEST."), 2);
    assert_string_equal(rrs[0].target, "sip.example.test");
    assert_int_equal(rrs[0].port, 5061);
    assert_int_equal(rrs[0].weight, 7);
    assert_string_equal(rrs[1].target, "");

    begin(&m, "example.test", SSI_RR_NAPTR, 1);
    size_t at = record(&m, "@", SSI_RR_NAPTR, 60);
    put16(&m, 10);
    put16(&m, 50);
    put(&m, "\001s\010SIPS+D2T\000", 12);
    put_name(&m, "_sips._tcp.@");
    end_record(&m, at);
    assert_int_equal(parse(&m, SSI_RR_NAPTR, "example.test"), 1);
    assert_string_equal(rrs[0].service, "SIPS+D2T");
    assert_string_equal(rrs[0].flags, "s");
    assert_string_equal(rrs[0].target, "_sips._tcp.example.test");
    assert_int_equal(rrs[0].ttl_s, 60);

    begin(&m, "example.test", SSI_RR_AAAA, 1);
    at = record(&m, "@", SSI_RR_AAAA, 60);
    put(&m, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
    end_record(&m, at);
    assert_int_equal(parse(&m, SSI_RR_AAAA, "example.test"), 1);
    ssi_addr_ip_text(&rrs[0].addr, false, text);
    assert_string_equal(text, "2001:db8::1");
}

static void aliases_are_followed_and_strangers_ignored(void **state)
{
    (void)state;
    struct message m;

    begin(&m, "alias.test", SSI_RR_A, 5);
    put_a(&m, "stranger.test", "\xc0\x00\x02\x63", 300);
    put_cname(&m, "middle.test", "real.test", 20);
    put_cname(&m, "@", "middle.test", 100);
    put_a(&m, "REAL.test", "\xc0\x00\x02\x01", 300);
    put_a(&m, "@", "\xc0\x00\x02\x62", 300);
    assert_int_equal(parse(&m, SSI_RR_A, "alias.test"), 1);
    assert_memory_equal(rrs[0].addr.ip, "\xc0\x00\x02\x01", 4);
    assert_int_equal(rrs[0].ttl_s, 20);
    /* A ring of aliases ends. */
    begin(&m, "alias.test", SSI_RR_A, 2);
    put_cname(&m, "@", "b.test", 1);
    put_cname(&m, "b.test", "alias.test", 1);
    assert_int_equal(parse(&m, SSI_RR_A, "alias.test"), 0);
}

static void other_questions_are_not_answered(void **state)
{
    (void)state;
    struct message m;

    begin(&m, "example.test", SSI_RR_A, 1);
    put_a(&m, "@", "\xc0\x00\x02\x01", 300);
    assert_int_equal(parse(&m, SSI_RR_A, "example.test"), 1);
    assert_int_equal(parse(&m, SSI_RR_A, "other.test"), SECSIP_E_NET_DNS);
    assert_int_equal(parse(&m, SSI_RR_AAAA, "example.test"), SECSIP_E_NET_DNS);
    m.bytes[2] &= 0x7f; /* a query, not an answer */
    assert_int_equal(parse(&m, SSI_RR_A, "example.test"), SECSIP_E_NET_DNS);
}

static void loops_and_odd_names_do_no_harm(void **state)
{
    (void)state;
    struct message m;

    /* A pointer to itself, a pointer forwards, a label with a dot and one with a NUL. */
    static const char *const targets[] = {"\xc0\x30",       "\xc0\x80", "\003a.b\000",
                                          "\003a\000b\000", "\x40zzz",  "\xc0"};
    static const size_t lens[] = {2, 2, 5, 5, 4, 1};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        begin(&m, "example.test", SSI_RR_SRV, 1);
        size_t at = record(&m, "@", SSI_RR_SRV, 1);
        put(&m, "\0\1\0\1\0\1", 6);
        put(&m, targets[i], lens[i]);
        end_record(&m, at);
        assert_int_equal(parse(&m, SSI_RR_SRV, "example.test"), 0);
    }
    /* A name of 255 bytes of labels is read, a longer one is not. */
    for (size_t labels = 3; labels <= 5; labels++) {
        begin(&m, "example.test", SSI_RR_SRV, 1);
        size_t at = record(&m, "@", SSI_RR_SRV, 1);
        put(&m, "\0\1\0\1\0\1", 6);
        for (size_t i = 0; i < labels; i++)
            put(&m, "\077aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 64);
        put(&m, "", 1);
        end_record(&m, at);
        assert_int_equal(parse(&m, SSI_RR_SRV, "example.test"), labels == 3);
    }
}

static void put_soa(struct message *m, const char *owner, unsigned ttl, unsigned minimum)
{
    size_t at = record(m, owner, SSI_RR_SOA, ttl);
    put_name(m, "ns.test");
    put(m, "\010john doe", 9); /* a mailbox may hold what no host name does */
    put_name(m, "test");
    put(m, "\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4", 16);
    put16(m, minimum >> 16);
    put16(m, minimum & 0xffff);
    end_record(m, at);
}

/* -1: it does not say. */
static int64_t refusal_ttl(const struct message *m, const char *name)
{
    uint8_t *copy = malloc(m->len ? m->len : 1);
    uint32_t ttl_s;

    assert_non_null(copy);
    memcpy(copy, m->bytes, m->len);
    bool said = ssi_dns_refusal_ttl(copy, m->len, SSI_RR_SRV, name, &ttl_s);
    free(copy);
    return said ? (int64_t)ttl_s : -1;
}

/* RFC 2308 section 5. */
static void a_refusal_says_how_long_it_holds(void **state)
{
    (void)state;
    struct message m, cut;

    begin(&m, "none.test", SSI_RR_SRV, 0);
    m.bytes[9] = 1; /* authorities */
    put_soa(&m, "test", 300, 20);
    assert_int_equal(refusal_ttl(&m, "none.test"), 20);
    assert_int_equal(refusal_ttl(&m, "NONE.test."), 20);
    assert_int_equal(refusal_ttl(&m, "other.test"), -1);
    for (cut = m; cut.len > 0;) {
        cut.len--;
        assert_int_equal(refusal_ttl(&cut, "none.test"), -1);
    }
    begin(&m, "none.test", SSI_RR_SRV, 0);
    m.bytes[9] = 2;
    put_a(&m, "ns.test", "\xc0\x00\x02\x01", 7);
    put_soa(&m, "test", 10, 86400);
    assert_int_equal(refusal_ttl(&m, "none.test"), 10);
    /* Behind an alias; and one among the answers is no refusal's. */
    begin(&m, "none.test", SSI_RR_SRV, 2);
    m.bytes[9] = 1;
    put_cname(&m, "@", "real.test", 20);
    put_soa(&m, "test", 1, 1);
    put_soa(&m, "test", 40, 50);
    assert_int_equal(refusal_ttl(&m, "none.test"), 40);
    begin(&m, "none.test", SSI_RR_SRV, 1);
    put_soa(&m, "test", 1, 1);
    assert_int_equal(refusal_ttl(&m, "none.test"), -1);
}

static void every_cut_and_flip_is_survived(void **state)
{
    (void)state;
    uint64_t seed = test_seed();
    struct message m, broken;

    begin(&m, "alias.test", SSI_RR_SRV, 4);
    put_cname(&m, "@", "real.test", 20);
    put_srv(&m, "real.test", 1, 2, "target.@");
    put_srv(&m, "real.test", 1, 2, "other.test");
    put_a(&m, "other.test", "\xc0\x00\x02\x62", 300);
    assert_int_equal(parse(&m, SSI_RR_SRV, "alias.test"), 2);
    for (size_t len = 0; len < m.len; len++) {
        broken = m;
        broken.len = len;
        assert_true(parse(&broken, SSI_RR_SRV, "alias.test") <= 2);
    }
    for (int i = 0; i < 20000; i++) {
        broken = m;
        for (int k = 0; k < 3; k++)
            broken.bytes[test_below(&seed, (uint32_t)m.len)] = (uint8_t)test_random(&seed);
        assert_true(parse(&broken, SSI_RR_SRV, "alias.test") <= SSI_DNS_MAX_RRS);
        refusal_ttl(&broken, "alias.test");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_four_types_are_read),
        cmocka_unit_test(aliases_are_followed_and_strangers_ignored),
        cmocka_unit_test(other_questions_are_not_answered),
        cmocka_unit_test(loops_and_odd_names_do_no_harm),
        cmocka_unit_test(a_refusal_says_how_long_it_holds),
        cmocka_unit_test(every_cut_and_flip_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
