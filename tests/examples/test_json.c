/* The JSON writer of the example programs. */
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "json.h"

static void expect_line(struct json *j, const char *expected)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    assert_true(json_line(j, out));
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
}

static void writes_members_elements_and_nesting(void **state)
{
    struct json j;

    (void)state;
    json_init(&j);
    json_object(&j, NULL);
    json_string(&j, "event", "stats");
    json_int(&j, "status", -1);
    json_uint(&j, "tx", UINT64_MAX);
    json_bool(&j, "verified", true);
    json_string(&j, "reason", NULL);
    json_array(&j, "list");
    json_int(&j, NULL, 1);
    json_object(&j, NULL);
    json_end_object(&j);
    json_array(&j, NULL);
    json_end_array(&j);
    json_end_array(&j);
    json_real(&j, "snr", 38.25, 1);
    json_real(&j, "none", NAN, 1);
    json_end_object(&j);
    expect_line(&j,
                "{\"event\":\"stats\",\"status\":-1,\"tx\":18446744073709551615,\"verified\":true,"
                "\"reason\":null,\"list\":[1,{},[]],\"snr\":38.2,\"none\":null}\n");
    json_object(&j, NULL); /* the writer is ready for the next line */
    json_end_object(&j);
    expect_line(&j, "{}\n");
    json_free(&j);
}

static void expect_text(const char *bytes, size_t len, const char *expected)
{
    struct json j;

    json_init(&j);
    json_bytes(&j, NULL, bytes, len);
    expect_line(&j, expected);
    json_free(&j);
}

static void escapes_what_json_forbids_and_keeps_utf8(void **state)
{
    (void)state;
    expect_text("a\"b\\c\r\n\t\0\x1f\x7f", 11, "\"a\\\"b\\\\c\\r\\n\\t\\u0000\\u001f\\u007f\"\n");
    expect_text("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x94\x92", 9,
                "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x94\x92\"\n");
}

static void writes_bytes_that_are_no_utf8_as_escapes(void **state)
{
    (void)state;
    expect_text("\xFF", 1, "\"\\u00ff\"\n");
    expect_text("\xC3", 1, "\"\\u00c3\"\n");            /* cut */
    expect_text("\xC0\xAF", 2, "\"\\u00c0\\u00af\"\n"); /* overlong */
    expect_text("\xE0\x80\xAF", 3, "\"\\u00e0\\u0080\\u00af\"\n");
    expect_text("\xED\xA0\x80", 3, "\"\\u00ed\\u00a0\\u0080\"\n");            /* surrogate */
    expect_text("\xF4\x90\x80\x80", 4, "\"\\u00f4\\u0090\\u0080\\u0080\"\n"); /* above U+10FFFF */
    expect_text("a\xE2\x82z", 4, "\"a\\u00e2\\u0082z\"\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_members_elements_and_nesting),
        cmocka_unit_test(escapes_what_json_forbids_and_keeps_utf8),
        cmocka_unit_test(writes_bytes_that_are_no_utf8_as_escapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
