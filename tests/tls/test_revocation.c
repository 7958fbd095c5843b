/* Whether a certificate is revoked: who may say so, and for how long. More of it: tests/tls/test_profile.c. */
#include "test.h"

#include <stdlib.h>

#include "forge.h"
#include "ocsp.h"
#include "tls_pair.h"

/* The client's verdict, or 1 where an earlier session was resumed. */
static int32_t meet(secsip_tls_profile *cp, secsip_tls_profile *sp, uint64_t wall_s)
{
    struct tls_pair p;
    char byte;

    tls_pair_open(&p, cp, sp, "example.test", wall_s);
    tls_pair_pump(&p);
    int32_t r = ssi_tls_session_failure(p.client)->result;
    if (r < 0) {
        print_message("%s\n", ssi_tls_session_failure(p.client)->text);
    } else {
        assert_int_equal(ssi_tls_session_info(p.client)->verified, 1);
        r = (int32_t)ssi_tls_session_info(p.client)->resumed;
        assert_int_equal(ssi_tls_session_read(p.client, &byte, 1), 0);
    }
    tls_pair_close(&p);
    return r;
}

/* Who answers for an authority is certified for that himself, for a time: that of the session, not the clock's. */
static void a_responders_certificate_is_held_against_the_time_that_was_given(void **state)
{
    (void)state;
    enum {
        SOON = LAB_NOW + 86400,
    };
    static const struct {
        uint32_t from, until;
        const char *purpose;
        int32_t now, again, later; /* at LAB_NOW, there once more, and two days behind */
    } rows[] = {
        {LAB_FROM, LAB_UNTIL, GNUTLS_KP_OCSP_SIGNING, 0, 1, 1},
        /* Past in the world, not in the session. */
        {LAB_FROM, SOON, GNUTLS_KP_OCSP_SIGNING, 0, 1, SECSIP_E_TLS_CERT_STATUS},
        {SOON, LAB_UNTIL, GNUTLS_KP_OCSP_SIGNING, SECSIP_E_TLS_CERT_STATUS,
         SECSIP_E_TLS_CERT_STATUS, 0},
        {LAB_FROM, LAB_NOW - 1, GNUTLS_KP_OCSP_SIGNING, SECSIP_E_TLS_CERT_STATUS,
         SECSIP_E_TLS_CERT_STATUS, SECSIP_E_TLS_CERT_STATUS},
        {LAB_FROM, LAB_UNTIL, GNUTLS_KP_TLS_WWW_SERVER, SECSIP_E_TLS_CERT_STATUS,
         SECSIP_E_TLS_CERT_STATUS, SECSIP_E_TLS_CERT_STATUS},
    };
    gnutls_x509_crt_t ca = forge_read_cert(LAB_CA);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        secsip_tls_profile *cp = lab_profile(LAB_N), *sp = lab_profile(LAB_MUSTSTAPLE);
        gnutls_x509_crt_t responder = forge_cert(&(struct forge){.cn = "responder",
                                                                 .key = LAB_ALICE,
                                                                 .signer_key = LAB_CA,
                                                                 .signer = ca,
                                                                 .from = rows[i].from,
                                                                 .until = rows[i].until,
                                                                 .bare = true,
                                                                 .purpose = rows[i].purpose});
        size_t len;
        uint8_t *der =
            lab_ocsp_delegated(LAB_MUSTSTAPLE, responder, LAB_ALICE, "20250601", "20250701", &len);
        assert_int_equal(secsip_tls_profile_set_ocsp(sp, der, len), 0);
        print_message("row %zu\n", i);
        assert_int_equal(meet(cp, sp, LAB_NOW), rows[i].now);
        assert_int_equal(meet(cp, sp, LAB_NOW), rows[i].again);
        assert_int_equal(meet(cp, sp, LAB_NOW + 2 * 86400), rows[i].later);
        free(der);
        gnutls_x509_crt_deinit(responder);
        secsip_tls_profile_unref(cp);
        secsip_tls_profile_unref(sp);
    }
    gnutls_x509_crt_deinit(ca);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_responders_certificate_is_held_against_the_time_that_was_given),
    };
    return cmocka_run_group_tests(tests, lab_set_up, lab_tear_down);
}
