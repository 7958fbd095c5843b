/* RFC 4475 and RFC 5118: every message against tests/data/torture/expected.tsv. ACCEPT: parses without a fault. REJECT: an
 * error or a fault. EXPOSE: what is odd is refused or visible. EITHER: we refuse. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "sip/msg.h"

static size_t read_file(const char *path, char *out, size_t cap)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return 0;
    size_t n = fread(out, 1, cap, f);
    fclose(f);
    return n;
}

struct outcome {
    struct ssi_sip_msg *m;
    struct ssi_sip_fault fault;
    bool refused;
};

static struct outcome parse_named(const char *rfc, const char *name)
{
    static char bytes[65536];
    char path[512];
    struct outcome o = {0};

    snprintf(path, sizeof path, TEST_DATA "/torture/rfc%s/%s.dat", rfc, name);
    size_t n = read_file(path, bytes, sizeof bytes);
    assert_true(n > 0);
    o.refused = ssi_sip_msg_parse(bytes, n, false, NULL, &o.fault, &o.m) < 0;
    if (!o.refused && o.m->fault.result < 0) {
        o.refused = true;
        o.fault = o.m->fault;
    }
    return o;
}

/* Refused by the parser itself although the table only asks that it be visible. */
static bool refused_by_parser(const char *name)
{
    static const char *const names[] = {"badvers", "mismatch01", "mismatch02", "insuf", "multi01"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static void every_message_ends_as_the_rfc_expects(void **state)
{
    (void)state;
    static char table[16384];
    size_t n = read_file(TEST_DATA "/torture/expected.tsv", table, sizeof table - 1);
    int seen = 0, wrong = 0;

    table[n] = 0;
    char *save = NULL;
    strtok_r(table, "\n", &save);
    for (char *row; (row = strtok_r(NULL, "\n", &save));) {
        char rfc[8], name[64], expected[16];
        assert_int_equal(sscanf(row,
                                "%7[^\t]\t%63[^\t]\t%*[^\t]\t%*[^\t]\t%*[^\t]\t%*[^\t]\t%15[^\t]",
                                rfc, name, expected),
                         3);
        struct outcome o = parse_named(rfc, name);
        bool want = strcmp(expected, "REJECT") == 0 || strcmp(expected, "EITHER") == 0 ||
                    (strcmp(expected, "EXPOSE") == 0 && refused_by_parser(name));
        /* Date is of no matter to a parser. */
        if (strcmp(name, "baddate") == 0)
            want = false;
        if (o.refused != want) {
            printf("%s %s: %s, but %s at %zu (%s)\n", rfc, name, expected,
                   o.refused ? "refused" : "accepted", o.fault.offset,
                   o.fault.text ? o.fault.text : "");
            wrong++;
        }
        seen++;
        ssi_sip_msg_unref(o.m);
    }
    assert_int_equal(seen, 61);
    assert_int_equal(wrong, 0);
}

#define S(x) (int)(x).len, (x).p ? (x).p : ""

static void assert_slice(struct ssi_slice got, const char *want)
{
    if (!ssi_slice_eq(got, ssi_slice_str(want)))
        fail_msg("got \"%.*s\", want \"%s\"", S(got), want);
}

static struct ssi_sip_msg *accepted(const char *rfc, const char *name)
{
    struct outcome o = parse_named(rfc, name);
    if (o.refused)
        fail_msg("%s: %s", name, o.fault.text);
    return o.m;
}

static void wsinv_is_read_through_its_folds(void **state)
{
    (void)state;
    struct ssi_sip_msg *m = accepted("4475", "wsinv");
    struct ssi_sip_values it;
    struct ssi_slice v;
    struct ssi_sip_via via;
    struct ssi_sip_addr a;

    assert_slice(m->to.tag, "1918181833n");
    assert_slice(m->to.uri.host, "chair-dnrc.example.com");
    assert_slice(m->from.display, "\"J Rosenberg \\\\\\\"\"");
    assert_slice(m->from.tag, "98asjd8");
    assert_int_equal(m->max_forwards, 68);
    assert_int_equal(m->cseq, 9);
    assert_slice(m->via.transport, "UDP");
    assert_slice(m->via.branch, "390skdjuw");
    ssi_sip_values_init(&it, m, SSI_HDR_VIA);
    assert_true(ssi_sip_values_next(&it, &v));
    assert_true(ssi_sip_values_next(&it, &v));
    assert_int_equal(ssi_sip_via_parse(v, &via), 0);
    assert_slice(via.host, "spindle.example.com");
    assert_slice(via.branch, "z9hG4bK9ikj8");
    assert_true(ssi_sip_values_next(&it, &v));
    assert_int_equal(ssi_sip_via_parse(v, &via), 0);
    assert_slice(via.branch, "z9hG4bK30239");
    assert_false(ssi_sip_values_next(&it, &v));
    assert_int_equal(ssi_sip_addr_parse(ssi_sip_msg_header(m, SSI_HDR_CONTACT, NULL)->value, &a),
                     0);
    assert_true(ssi_sip_param(a.params, SSI_LIT("NEWPARAM"), &v));
    assert_slice(v, "newvalue");
    assert_true(ssi_sip_param(a.params, SSI_LIT("q"), &v));
    assert_slice(v, "0.33");
    assert_int_equal(m->body.len, 150);
    assert_slice(ssi_sip_msg_header_named(m, SSI_LIT("unknownheaderwithunusualvalue"), NULL)->value,
                 ";;,,;;,;");
    assert_int_equal(ssi_sip_msg_header(m, SSI_HDR_SUBJECT, NULL)->value.len, 0);
    ssi_sip_msg_unref(m);
}

static void odd_but_right_messages_keep_their_meaning(void **state)
{
    (void)state;
    struct ssi_sip_msg *m = accepted("4475", "intmeth");
    assert_slice(m->method_text, "!interesting-Method0123456789_*+`.%indeed'~");
    assert_int_equal(m->to.display.len, strlen("\"BEL:\\. NUL:\\. DEL:\\.\""));
    assert_slice(m->from.display, "token1~` token2'+_ token3*%!.-");
    assert_slice(m->uri.user, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*");
    assert_slice(m->uri.host, "example.com");
    ssi_sip_msg_unref(m);

    m = accepted("4475", "semiuri");
    assert_slice(m->uri.user, "user;par=u%40example.net");
    ssi_sip_msg_unref(m);
    m = accepted("4475", "escnull");
    assert_slice(m->to.uri.user, "null-%00-null");
    ssi_sip_msg_unref(m);
    m = accepted("4475", "unksm2");
    assert_int_equal(m->to.uri.scheme, SSI_SIP_SCHEME_OTHER);
    ssi_sip_msg_unref(m);
    m = accepted("4475", "inv2543");
    assert_int_equal(m->body.len, 105);
    assert_null(m->from.tag.p);
    assert_int_equal(m->max_forwards, -1);
    ssi_sip_msg_unref(m);
    m = accepted("4475", "noreason");
    assert_int_equal(m->status, 100);
    assert_int_equal(m->reason.len, 0);
    ssi_sip_msg_unref(m);
    m = accepted("4475", "badbranch");
    assert_slice(m->via.branch, "z9hG4bK");
    ssi_sip_msg_unref(m);
    m = accepted("4475", "unkscm");
    assert_slice(m->uri.scheme_text, "nobodyKnowsThisScheme");
    ssi_sip_msg_unref(m);
    m = accepted("5118", "port-ambiguous");
    assert_slice(m->uri.host, "[2001:db8::10:5070]");
    assert_int_equal(m->uri.port, 0);
    ssi_sip_msg_unref(m);
    m = accepted("5118", "port-unambiguous");
    assert_slice(m->uri.host, "[2001:db8::10]");
    assert_int_equal(m->uri.port, 5070);
    ssi_sip_msg_unref(m);
    m = accepted("5118", "via-received-param-no-delim");
    assert_slice(m->via.received, "2001:db8::9:255");
    ssi_sip_msg_unref(m);
}

static void wrong_requests_say_what_to_answer(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int status;
        bool answerable;
    } rows[] = {
        {"badvers", 505, true},  {"mismatch01", 400, true}, {"mismatch02", 501, true},
        {"scalar02", 400, true}, {"clerr", 400, true},      {"ncl", 400, true},
        {"mcl01", 400, true},    {"multi01", 400, true},    {"escruri", 400, true},
        {"lwsruri", 400, true},  {"ltgtruri", 400, true},   {"lwsstart", 400, true},
        {"trws", 400, true},     {"regbadct", 400, true},   {"insuf", 400, true},
        {"badinv01", 400, true}, {"quotbal", 400, true},    {"baddn", 400, false},
        {"badaspec", 400, true}, {"scalarlg", 0, false},    {"bigcode", 0, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct outcome o = parse_named("4475", rows[i].name);
        assert_true(o.refused);
        if (o.fault.status != rows[i].status || (o.m != NULL) != rows[i].answerable)
            fail_msg("%s: %d %s (%s)", rows[i].name, o.fault.status, o.m ? "answerable" : "lost",
                     o.fault.text);
        ssi_sip_msg_unref(o.m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_ends_as_the_rfc_expects),
        cmocka_unit_test(wsinv_is_read_through_its_folds),
        cmocka_unit_test(odd_but_right_messages_keep_their_meaning),
        cmocka_unit_test(wrong_requests_say_what_to_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
