/* The public door to SRTP sessions: what it checks of its arguments, and sessions from an a=crypto line. */
#include "test.h"

#include <secsip/g711.h>
#include <secsip/srtp.h>

#define KEY "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"

static secsip_srtp *from_line(const char *line, int32_t direction)
{
    secsip_srtp *s = NULL;

    assert_int_equal(secsip_srtp_new_from_crypto(line, strlen(line), direction, 0, &s), 0);
    return s;
}

static void a_line_makes_both_ends(void **state)
{
    secsip_srtp *tx = from_line("a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY "|2^20|1:4 WSH=32768",
                                SECSIP_SRTP_SEND);
    secsip_srtp *rx = from_line("1 AES_CM_128_HMAC_SHA1_80 " KEY "|2^20|1:4", SECSIP_SRTP_RECEIVE);
    uint8_t p[200] = {0x80, 0, 0, 1};
    size_t len = 52;
    secsip_srtp_stats stats = {.size = sizeof stats};
    uint32_t roc = 9;

    (void)state;
    assert_int_equal(secsip_srtp_protect_rtp(tx, p, &len, sizeof p), 0);
    assert_int_equal(len, 52 + 10 + 4);
    assert_memory_equal(p + 52, "\0\0\0\1", 4); /* the MKI of the line */
    assert_int_equal(secsip_srtp_unprotect_rtp(rx, p, &len), 0);
    assert_int_equal(len, 52);
    assert_int_equal(secsip_srtp_get_stats(rx, &stats), 0);
    assert_int_equal(stats.rtp_ok, 1);
    assert_int_equal(stats.rtp_left, (1 << 20) - 1);
    assert_int_equal(stats.rtcp_left, 1 << 20);
    assert_int_equal(secsip_srtp_get_roc(rx, 0, &roc), 0);
    assert_int_equal(roc, 0);
    assert_int_equal(secsip_srtp_get_roc(rx, 1, &roc), SECSIP_E_NOT_FOUND);
    secsip_srtp_free(tx);
    secsip_srtp_free(rx);
}

static void a_line_that_cannot_be_used_is_an_error_of_its_kind(void **state)
{
    static const struct {
        const char *line;
        secsip_result result;
    } cases[] = {
        {"", SECSIP_E_SDES_SYNTAX},
        {"1 AES_CM_128_HMAC_SHA1_80", SECSIP_E_SDES_SYNTAX},
        {"1 F8_128_HMAC_SHA1_80 " KEY, SECSIP_E_SDES_SUITE},
        {"1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwg", SECSIP_E_SDES_KEY_LENGTH},
        {"1 AES_CM_128_HMAC_SHA1_80 " KEY " UNENCRYPTED_SRTP", SECSIP_E_SDES_PARAM},
    };
    secsip_srtp *s = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(secsip_srtp_new_from_crypto(cases[i].line, strlen(cases[i].line),
                                                     SECSIP_SRTP_SEND, 0, &s),
                         cases[i].result);
    assert_null(s);
}

static void several_keys_of_a_line_are_live_together(void **state)
{
    static const char line[] = "1 AES_CM_128_HMAC_SHA1_80 " KEY
                               "|2^20|1:4;inline:AAAAX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|2:4";
    secsip_srtp *tx = from_line(line, SECSIP_SRTP_SEND), *rx = from_line(line, SECSIP_SRTP_RECEIVE);
    const uint8_t clear[52] = {0x80, 0, 0, 1};
    uint8_t wire[200], out[200];
    size_t n, m;

    (void)state;
    for (uint8_t i = 1; i <= 2; i++) {
        uint8_t mki[4] = {0, 0, 0, i}, p[52];
        memcpy(p, clear, sizeof p);
        p[3] = i;
        assert_int_equal(secsip_srtp_use_key(tx, mki, 4), 0);
        assert_int_equal(
            secsip_srtp_protect_copy(tx, SECSIP_SRTP_EITHER, p, 52, wire, sizeof wire, &n), 0);
        assert_memory_equal(wire + 52, mki, 4);
        assert_int_equal(secsip_srtp_unprotect_copy(rx, SECSIP_SRTP_EITHER, wire, n, out, n, &m),
                         0);
        assert_int_equal(m, 52);
        assert_memory_equal(out, p, 52);
    }
    assert_int_equal(secsip_srtp_use_key(tx, (const uint8_t *)"\0\0\0\3", 4), SECSIP_E_NOT_FOUND);
    assert_int_equal(secsip_srtp_use_key(rx, (const uint8_t *)"\0\0\0\1", 4), SECSIP_E_STATE);
    assert_int_equal(secsip_srtp_protect_copy(tx, SECSIP_SRTP_RTP, clear, 52, out, 51, &n),
                     SECSIP_E_LIMIT);
    assert_int_equal(secsip_srtp_unprotect_copy(rx, 3, wire, 52, out, sizeof out, &n),
                     SECSIP_E_INVALID);
    secsip_srtp_free(tx);
    secsip_srtp_free(rx);
}

/* What leaves protection out is applied where the line says so and the program allows it. */
static void forms_need_the_line_and_the_program(void **state)
{
    static const char line[] =
        "1 AES_CM_128_HMAC_SHA1_80 " KEY " UNENCRYPTED_SRTP UNENCRYPTED_SRTCP";
    const uint32_t both =
        SECSIP_SRTP_INSECURE_UNENCRYPTED_RTP | SECSIP_SRTP_INSECURE_UNENCRYPTED_RTCP;
    secsip_srtp *s = NULL;
    uint8_t p[200] = {0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 'c', 'l', 'e', 'a', 'r'};
    size_t len = 52;

    (void)state;
    assert_int_equal(secsip_srtp_new_from_crypto(line, sizeof line - 1, SECSIP_SRTP_SEND, 0, &s),
                     SECSIP_E_SDES_PARAM);
    assert_int_equal(secsip_srtp_new_from_crypto(line, sizeof line - 1, SECSIP_SRTP_SEND,
                                                 SECSIP_SRTP_INSECURE_UNENCRYPTED_RTP, &s),
                     SECSIP_E_SDES_PARAM);
    assert_int_equal(secsip_srtp_new_from_crypto(line, sizeof line - 1, SECSIP_SRTP_SEND, both, &s),
                     0);
    assert_int_equal(secsip_srtp_protect_rtp(s, p, &len, sizeof p), 0);
    assert_int_equal(len, 52 + 10);
    assert_memory_equal(p + 12, "clear", 5);
    secsip_srtp_free(s);
    /* Allowed, and not negotiated: encrypted. */
    assert_int_equal(secsip_srtp_new_from_crypto(line, strlen("1 AES_CM_128_HMAC_SHA1_80 " KEY),
                                                 SECSIP_SRTP_SEND, both, &s),
                     0);
    len = 52;
    assert_int_equal(secsip_srtp_protect_rtp(s, p, &len, sizeof p), 0);
    assert_memory_not_equal(p + 12, "clear", 5);
    secsip_srtp_free(s);
}

static void arguments_are_checked(void **state)
{
    uint8_t key[46] = {1}, packet[200] = {0x80};
    size_t len = 52;
    uint32_t roc;
    secsip_srtp *s = NULL;
    secsip_srtp_stats stats = {.size = sizeof stats.size - 1};
    secsip_srtp_config c = {
        .size = sizeof c, .suite = "AEAD_AES_128_GCM", .key = key, .key_len = 28};

    (void)state;
    assert_int_equal(secsip_srtp_new(NULL, &s), SECSIP_E_INVALID);
    assert_int_equal(secsip_srtp_new(&c, NULL), SECSIP_E_INVALID);
    c.size = offsetof(secsip_srtp_config, options);
    assert_int_equal(secsip_srtp_new(&c, &s), SECSIP_E_ABI);
    c.size = sizeof c;
    c.n_more_keys = 1;
    assert_int_equal(secsip_srtp_new(&c, &s), SECSIP_E_INVALID);
    c.n_more_keys = 0;
    c.n_encrypted_extensions = 1;
    assert_int_equal(secsip_srtp_new(&c, &s), SECSIP_E_INVALID);
    c.n_encrypted_extensions = 0;
    c.key_len = 27;
    assert_int_equal(secsip_srtp_new(&c, &s), SECSIP_E_INVALID);
    c.key_len = 28;
    c.direction = 2;
    assert_int_equal(secsip_srtp_new(&c, &s), SECSIP_E_INVALID);
    c.direction = SECSIP_SRTP_SEND;
    c.mki_len = 1;
    assert_int_equal(secsip_srtp_new(&c, &s), SECSIP_E_INVALID);
    c.mki_len = 0;
    c.options = 1 << 7;
    assert_int_equal(secsip_srtp_new(&c, &s), SECSIP_E_INVALID);
    c.options = 0;
    c.join_roc = 65;
    assert_int_equal(secsip_srtp_new(&c, &s), SECSIP_E_INVALID);
    c.join_roc = 0;
    c.suite = "AEAD_AES_128_GCM_8";
    assert_int_equal(secsip_srtp_new(&c, &s), SECSIP_E_SRTP_SUITE);
    c.suite = NULL;
    assert_int_equal(secsip_srtp_new(&c, &s), SECSIP_E_INVALID);
    assert_null(s);
    c.suite = "AEAD_AES_128_GCM";
    assert_int_equal(secsip_srtp_new(&c, &s), 0);
    assert_int_equal(secsip_srtp_get_stats(s, &stats), SECSIP_E_ABI);
    assert_int_equal(secsip_srtp_get_stats(s, NULL), SECSIP_E_INVALID);
    assert_int_equal(secsip_srtp_protect_rtp(NULL, packet, &len, sizeof packet), SECSIP_E_INVALID);
    assert_int_equal(secsip_srtp_protect_rtcp(s, NULL, &len, sizeof packet), SECSIP_E_INVALID);
    assert_int_equal(secsip_srtp_unprotect_rtp(s, packet, NULL), SECSIP_E_INVALID);
    assert_int_equal(secsip_srtp_unprotect_rtcp(s, packet, &len), SECSIP_E_STATE);
    assert_int_equal(secsip_srtp_set_roc(NULL, 1, 1), SECSIP_E_INVALID);
    assert_int_equal(secsip_srtp_get_roc(s, 1, NULL), SECSIP_E_INVALID);
    assert_int_equal(secsip_srtp_get_roc(s, 1, &roc), SECSIP_E_NOT_FOUND);
    assert_int_equal(secsip_srtp_continue(s, NULL), SECSIP_E_INVALID);
    assert_int_equal(secsip_srtp_continue(s, s), SECSIP_E_SRTP_REUSE);
    secsip_srtp_free(s);
    secsip_srtp_free(NULL);
}

static void speech_passes_through_g711(void **state)
{
    int16_t in[4] = {0, 1000, -1000, 32767}, out[4];
    uint8_t code[4];

    (void)state;
    secsip_g711_encode_ulaw(in, 4, code);
    secsip_g711_decode_ulaw(code, 4, out);
    for (int i = 0; i < 4; i++)
        assert_in_range(out[i] - in[i] + 700, 0, 1400);
    secsip_g711_encode_alaw(in, 4, code);
    secsip_g711_decode_alaw(code, 4, out);
    for (int i = 0; i < 4; i++)
        assert_in_range(out[i] - in[i] + 700, 0, 1400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_makes_both_ends),
        cmocka_unit_test(a_line_that_cannot_be_used_is_an_error_of_its_kind),
        cmocka_unit_test(several_keys_of_a_line_are_live_together),
        cmocka_unit_test(forms_need_the_line_and_the_program),
        cmocka_unit_test(arguments_are_checked),
        cmocka_unit_test(speech_passes_through_g711),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
