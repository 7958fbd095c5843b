/* Outbound proxies in the forms that people write them. */
#include "test.h"

#include "ua/account.h"

#define BUCHER                                                                                     \
    "b\xc3\xbc"                                                                                    \
    "cher.test"

static void a_proxy_is_read_as_people_write_it(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host; /* NULL: refused */
        uint16_t port;
        bool given;
        secsip_result result;
    } rows[] = {
        {"host", "host", 0, false, 0},
        {" host ", "host", 0, false, 0},
        {"host:5061", "host", 5061, false, 0},
        {"host:5061;transport=tls", "host", 5061, true, 0},
        {"sips:host", "host", 0, false, 0},
        {"SIP:host", "host", 0, false, 0},
        {"sip:host;transport=TLS", "host", 0, true, 0},
        {"<sip:host;lr>", "host", 0, false, 0},
        {"sip:alice@host:5061", "host", 5061, false, 0},
        {"host;transport=tcp", NULL, 0, false, SECSIP_E_PERMISSION},
        {"192.0.2.1:5061", "192.0.2.1", 5061, false, 0},
        {"[2001:db8::1]", "[2001:db8::1]", 0, false, 0},
        {"[2001:db8::1]:5061", "[2001:db8::1]", 5061, false, 0},
        {"[2001:DB8:0::1]:5061", "[2001:db8::1]", 5061, false, 0},
        {"sip:[2001:db8:0::1];transport=tls", "[2001:db8::1]", 0, true, 0},
        {"::1", "[::1]", 0, false, 0},
        {"2001:db8::5061", "[2001:db8::5061]", 0, false, 0}, /* an address as a whole */
        {"sip:2001:db8::1", NULL, 0, false, SECSIP_E_SIP_URI},
        {BUCHER, "xn--bcher-kva.test", 0, false, 0},
        {BUCHER ":5061;transport=tls", "xn--bcher-kva.test", 5061, true, 0},
        {"sip:" BUCHER, "xn--bcher-kva.test", 0, false, 0},
        {"<sips:alice@" BUCHER ";lr>", "xn--bcher-kva.test", 0, false, 0},
        {"host;x=\xc3\xbc", NULL, 0, false, SECSIP_E_SIP_URI},
        {"b\xc3.test", NULL, 0, false, SECSIP_E_SIP_URI},
        {"", NULL, 0, false, SECSIP_E_SIP_URI},
        {"//host", NULL, 0, false, SECSIP_E_SIP_URI},
        {"host:65536", NULL, 0, false, SECSIP_E_SIP_URI},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ssi_flow_target t;
        print_message("\"%s\"\n", rows[i].text);
        assert_int_equal(ssi_target_parse(rows[i].text, false, &t), rows[i].result);
        if (!rows[i].host)
            continue;
        assert_string_equal(t.host, rows[i].host);
        assert_int_equal(t.port, rows[i].port);
        assert_int_equal(t.transport, SSI_TRANSPORT_TLS);
        assert_int_equal(t.transport_given, rows[i].given);
    }
}

static void one_that_is_too_long_is_refused(void **state)
{
    (void)state;
    struct ssi_flow_target t;
    char text[1024];

    for (size_t n = 200; n < sizeof text; n++) {
        memset(text, 'a', n);
        for (size_t i = 60; i < n; i += 60)
            text[i] = '.';
        text[n - 1] = 'b';
        text[n] = 0;
        assert_int_equal(ssi_target_parse(text, false, &t),
                         n < sizeof t.host ? 0 : SECSIP_E_SIP_URI);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_proxy_is_read_as_people_write_it),
        cmocka_unit_test(one_that_is_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
