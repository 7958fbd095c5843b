/* The a=crypto codec: RFC 4568 section 9, its examples, and what the field sends. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/crypto.h"
#include "sdes/sdes.h"
#include "seed.h"

#define KEY30   "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz" /* RFC 4568 5.1.1 */
#define KEY30_B "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"
#define S80     "AES_CM_128_HMAC_SHA1_80 "

static struct ssi_sdes_line line;

static secsip_result parse(const char *text)
{
    /* An exact copy on the heap, so that the sanitizer sees a byte too far. Callers leave the borrowed slices alone. */
    size_t len = strlen(text);
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    secsip_result r = ssi_sdes_parse(ssi_slice_of(copy, len), &line);
    free(copy);
    assert_int_equal(r, line.usable);
    assert_true((r < 0) == (line.why != NULL));
    return r;
}

static void assert_written(const char *text)
{
    struct ssi_buf b;

    assert_int_equal(ssi_sdes_parse(ssi_slice_str(text), &line), 0);
    ssi_buf_init_secret(&b, 4096);
    ssi_sdes_put(&b, &line);
    assert_int_equal(b.failed, 0);
    if (!ssi_slice_eq(ssi_buf_slice(&b), ssi_slice_str(text)))
        fail_msg("%s became %.*s", text, (int)b.len, (char *)b.data);
    ssi_buf_free(&b);
}

static void rfc4568_section_4_and_5_examples_are_usable(void **state)
{
    (void)state;
    assert_int_equal(parse("1 " S80 "inline:" KEY30_B "|2^20|1:32"), 0);
    assert_int_equal(line.tag, 1);
    assert_int_equal(line.suite, SSI_SUITE_AES_CM_128_HMAC_SHA1_80);
    assert_int_equal(line.n_keys, 1);
    assert_int_equal(line.keys[0].key.len, 30);
    assert_memory_equal(line.keys[0].key.bytes, "=-n@%^x!", 8);
    assert_true(line.keys[0].lifetime == 1048576);
    assert_int_equal(line.keys[0].mki_len, 32);
    assert_int_equal(line.keys[0].mki[31], 1);
    assert_int_equal(line.keys[0].mki[0], 0);
    assert_int_equal(
        parse(
            "1 AES_CM_128_HMAC_SHA1_32 inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj|2^20|1:32"),
        0);
    assert_int_equal(line.suite, SSI_SUITE_AES_CM_128_HMAC_SHA1_32);
    assert_int_equal(parse("1 " S80 "inline:" KEY30 "|2^20|1:4"), 0);
    assert_int_equal(line.keys[0].mki_len, 4);
}

/* RFC 4568 5.1.1: the offer that asks for FEC_ORDER and F8. Neither is done here, and neither is ignored. */
static void rfc4568_fec_and_f8_example_is_refused_by_name(void **state)
{
    (void)state;
    assert_int_equal(parse("1 " S80 "inline:" KEY30 "|2^20|1:4 FEC_ORDER=FEC_SRTP"),
                     SECSIP_E_SDES_PARAM);
    assert_string_equal(line.why, "FEC_ORDER is not implemented");
    assert_int_equal(
        parse("2 F8_128_HMAC_SHA1_80 inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm|2^20|1:4;"
              "inline:QUJjZGVmMTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5|2^20|2:4 FEC_ORDER=FEC_SRTP"),
        SECSIP_E_SDES_SUITE);
    assert_string_equal(line.why, "F8 suites are not implemented");
    assert_int_equal(line.n_keys, 2);
    assert_int_equal(line.keys[1].mki[3], 2);
    assert_int_equal(line.keys[1].key.len, 30);
}

static void several_keys_need_mkis_of_one_length(void **state)
{
    (void)state;
    assert_int_equal(parse("1 " S80 "inline:" KEY30 "|2^20|1:4;inline:" KEY30_B "|2^20|2:4"), 0);
    assert_int_equal(line.n_keys, 2);
    assert_int_equal(parse("1 " S80 "inline:" KEY30 ";inline:" KEY30_B), SECSIP_E_SDES_MKI);
    assert_int_equal(parse("1 " S80 "inline:" KEY30 "|1:4;inline:" KEY30_B "|2:3"),
                     SECSIP_E_SDES_MKI);
    assert_int_equal(parse("1 " S80 "inline:" KEY30 "|1:4;inline:" KEY30_B "|1:4"),
                     SECSIP_E_SDES_MKI);
    assert_int_equal(parse("1 " S80 "inline:" KEY30 "|1:4;inline:" KEY30 "|2:4"),
                     SECSIP_E_SDES_KEY_WEAK);
    assert_int_equal(parse("1 " S80 "inline:" KEY30 "|1:4;"), SECSIP_E_SDES_SYNTAX);
    assert_int_equal(
        parse("1 " S80 "inline:" KEY30 "|1:1;inline:a|2:1;inline:b|3:1;inline:c|4:1;inline:d|5:1"),
        SECSIP_E_SDES_SYNTAX);
    assert_int_equal(line.n_keys, SSI_SDES_KEYS_MAX);
}

static const struct {
    const char *text;
    secsip_result result;
} rows[] = {
    /* tag */
    {"999999999 " S80 "inline:" KEY30, 0},
    {"0 " S80 "inline:" KEY30, 0},
    {"1000000000 " S80 "inline:" KEY30, SECSIP_E_SDES_SYNTAX},
    {"01 " S80 "inline:" KEY30, SECSIP_E_SDES_SYNTAX},
    {"-1 " S80 "inline:" KEY30, SECSIP_E_SDES_SYNTAX},
    {" 1 " S80 "inline:" KEY30, SECSIP_E_SDES_SYNTAX},
    {"x " S80 "inline:" KEY30, SECSIP_E_SDES_SYNTAX},
    {"", SECSIP_E_SDES_SYNTAX},
    {"1", SECSIP_E_SDES_SYNTAX},
    {"1 AES_CM_128_HMAC_SHA1_80", SECSIP_E_SDES_SYNTAX},
    {"1 AES_CM_128_HMAC_SHA1_80 ", SECSIP_E_SDES_SYNTAX},
    /* blanks */
    {"1\t \tAES_CM_128_HMAC_SHA1_80\t\tinline:" KEY30 "  WSH=64\tKDR=0  ", 0},
    {"1 " S80 "inline:" KEY30 "\r", SECSIP_E_SDES_SYNTAX},
    {"1 " S80 "inline:" KEY30 " \x01", SECSIP_E_SDES_SYNTAX},
    {"1 " S80 "inline:" KEY30 " -x\xc3\xa9", SECSIP_E_SDES_SYNTAX},
    /* suites */
    {"1 aes_cm_128_hmac_sha1_80 inline:" KEY30, 0},
    {"1 AES_CM_128_HMAC_SHA1_81 inline:" KEY30, SECSIP_E_SDES_SUITE},
    {"1 AES_CM_128_HMAC_SHA1_8 inline:" KEY30, SECSIP_E_SDES_SUITE},
    {"1 SEED_CTR_128_HMAC_SHA1_80 inline:" KEY30, SECSIP_E_SDES_SUITE},
    {"1 ARIA_128_CTR_HMAC_SHA1_80 inline:" KEY30, SECSIP_E_SDES_SUITE},
    {"1 AEAD_ARIA_128_GCM inline:" KEY30, SECSIP_E_SDES_SUITE},
    {"1 AEAD_AES_128_GCM_8 inline:" KEY30, SECSIP_E_SDES_SUITE},
    {"1 NULL_HMAC_SHA1_80 inline:" KEY30, SECSIP_E_SDES_SUITE},
    {"1 AES-CM inline:" KEY30, SECSIP_E_SDES_SYNTAX},
    /* key method and key */
    {"1 " S80 "INLINE:" KEY30, 0},
    {"1 " S80 "uri:http_//x", SECSIP_E_SDES_KEY_METHOD},
    {"1 " S80 "inline:", SECSIP_E_SDES_SYNTAX},
    {"1 " S80 "inline", SECSIP_E_SDES_SYNTAX},
    {"1 " S80 "inline: " KEY30, SECSIP_E_SDES_SYNTAX},
    {"1 " S80 "inline:" KEY30 "=", SECSIP_E_SDES_SYNTAX},
    {"1 " S80 "inline:" KEY30 "====", SECSIP_E_SDES_SYNTAX},
    {"1 " S80 "inline:*VNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz", SECSIP_E_SDES_SYNTAX},
    {"1 " S80 "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubQ==", SECSIP_E_SDES_KEY_LENGTH},
    {"1 " S80 "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVub", SECSIP_E_SDES_SYNTAX},
    {"1 " S80 "inline:" KEY30 "QUJD", SECSIP_E_SDES_KEY_LENGTH},
    {"1 " S80 "inline:" KEY30 KEY30, SECSIP_E_SDES_KEY_LENGTH},
    {"1 AES_256_CM_HMAC_SHA1_80 inline:" KEY30, SECSIP_E_SDES_KEY_LENGTH},
    {"1 AEAD_AES_128_GCM inline:" KEY30, SECSIP_E_SDES_KEY_LENGTH},
    {"1 " S80 "inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", SECSIP_E_SDES_KEY_WEAK},
    {"1 " S80 "inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB",
     SECSIP_E_SDES_KEY_WEAK}, /* only the salt */
    {"1 " S80 "inline:BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 0},
    /* MKI */
    {"1 " S80 "inline:" KEY30 "|1:1", 0},
    {"1 " S80 "inline:" KEY30 "|255:1", 0},
    {"1 " S80 "inline:" KEY30 "|0:1", 0},
    {"1 " S80 "inline:" KEY30 "|256:1", SECSIP_E_SDES_MKI},
    {"1 " S80 "inline:" KEY30 "|01:1", 0}, /* mki-value = 1*DIGIT */
    {"1 " S80 "inline:" KEY30 "|1:128", 0},
    {"1 " S80 "inline:" KEY30 "|1:129", SECSIP_E_SDES_MKI},
    {"1 " S80 "inline:" KEY30 "|1:0", SECSIP_E_SDES_MKI},
    {"1 " S80 "inline:" KEY30 "|1:001", 0}, /* mki-length = 1*3DIGIT */
    {"1 " S80 "inline:" KEY30 "|1:0001", SECSIP_E_SDES_MKI},
    {"1 " S80 "inline:" KEY30 "|1:000", SECSIP_E_SDES_MKI},
    {"1 " S80 "inline:" KEY30 "|0256:1", SECSIP_E_SDES_MKI},
    {"1 " S80 "inline:" KEY30 "|1:", SECSIP_E_SDES_MKI},
    {"1 " S80 "inline:" KEY30 "|:4", SECSIP_E_SDES_MKI},
    {"1 " S80 "inline:" KEY30 "|x:4", SECSIP_E_SDES_MKI},
    {"1 " S80 "inline:" KEY30 "|1:4:1", SECSIP_E_SDES_MKI},
    {"1 " S80 "inline:" KEY30 "|1:4|2^20", SECSIP_E_SDES_SYNTAX},
    {"1 " S80 "inline:" KEY30 "|1:4|1:4", SECSIP_E_SDES_SYNTAX},
    {"1 " S80 "inline:" KEY30 "|2^20|1:4|", SECSIP_E_SDES_SYNTAX},
    {"1 " S80 "inline:" KEY30 "|2^20|2^20", SECSIP_E_SDES_SYNTAX},
    /* session parameters */
    {"1 " S80 "inline:" KEY30 " KDR=0", 0},
    {"1 " S80 "inline:" KEY30 " KDR=1", SECSIP_E_SDES_PARAM},
    {"1 " S80 "inline:" KEY30 " KDR=24", SECSIP_E_SDES_PARAM},
    {"1 " S80 "inline:" KEY30 " KDR=25", SECSIP_E_SDES_SYNTAX},
    {"1 " S80 "inline:" KEY30 " KDR=", SECSIP_E_SDES_SYNTAX},
    {"1 " S80 "inline:" KEY30 " KDR", SECSIP_E_SDES_SYNTAX},
    {"1 " S80 "inline:" KEY30 " KDR=0 KDR=0", SECSIP_E_SDES_SYNTAX},
    {"1 " S80 "inline:" KEY30 " UNENCRYPTED_SRTP", SECSIP_E_SDES_PARAM},
    {"1 " S80 "inline:" KEY30 " UNENCRYPTED_SRTCP", SECSIP_E_SDES_PARAM},
    {"1 " S80 "inline:" KEY30 " UNAUTHENTICATED_SRTP", SECSIP_E_SDES_PARAM},
    {"1 " S80 "inline:" KEY30 " WSH=128 UNAUTHENTICATED_SRTP", SECSIP_E_SDES_PARAM},
    {"1 " S80 "inline:" KEY30 " FEC_ORDER=SRTP_FEC", SECSIP_E_SDES_PARAM},
    {"1 " S80 "inline:" KEY30 " FEC_KEY=inline:" KEY30_B "|2^20|1:4", SECSIP_E_SDES_PARAM},
    {"1 " S80 "inline:" KEY30 " WSH=64", 0},
    {"1 " S80 "inline:" KEY30 " WSH=abc", SECSIP_E_SDES_SYNTAX},
    {"1 " S80 "inline:" KEY30 " WSH=99999999999999999999", SECSIP_E_SDES_SYNTAX},
    {"1 " S80 "inline:" KEY30 " WSH=63", SECSIP_E_SDES_SYNTAX},
    {"1 " S80 "inline:" KEY30 " WSH=32768", 0},
    {"1 " S80 "inline:" KEY30 " WSH=32769", SECSIP_E_SDES_PARAM},
    {"1 " S80 "inline:" KEY30 " WSH=64 WSH=128", SECSIP_E_SDES_SYNTAX},
    {"1 " S80 "inline:" KEY30 " -EXT -other=1 -", 0},
    {"1 " S80 "inline:" KEY30 " EXT", SECSIP_E_SDES_PARAM},
    {"1 " S80 "inline:" KEY30 " -EXT EXT", SECSIP_E_SDES_PARAM},
    {"1 " S80 "inline:" KEY30 " -UNENCRYPTED_SRTP", SECSIP_E_SDES_SYNTAX},
    {"1 " S80 "inline:" KEY30 " -KDR=1", SECSIP_E_SDES_SYNTAX},
    {"1 " S80 "inline:" KEY30 " =", SECSIP_E_SDES_PARAM},
    {"1 " S80 "inline:" KEY30 " -=", 0},
};

static void the_grammar_row_by_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (parse(rows[i].text) != rows[i].result)
            fail_msg("row %zu: %s (%s), expected %s: %s", i, secsip_result_name(line.usable),
                     line.why ? line.why : "", secsip_result_name(rows[i].result), rows[i].text);
}

/* FIELD 9: emiago/diago#182, sipwise/rtpengine#57, pjsip/pjproject#1178. */
static void field_09_lifetime_2_31(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t lifetime; /* 0: refused */
    } lifetimes[] = {
        {"2^31", UINT64_C(1) << 31},
        {"2^0", 1},
        {"2^48", UINT64_C(1) << 48},
        {"2^49", 0},
        {"2^64", 0},
        {"2^", 0},
        {"2^-1", 0},
        {"2^031", 0},
        {"3^20", 0},
        {"1", 1},
        {"1048576", 1048576},
        {"281474976710656", UINT64_C(1) << 48},
        {"281474976710657", 0},
        {"99999999999999999999999", 0},
        {"0", 0},
        {"01", 0},
        {"", 0},
        {"x", 0},
        {"1048576x", 0},
    };
    char text[200];

    for (size_t i = 0; i < sizeof lifetimes / sizeof *lifetimes; i++) {
        (void)snprintf(text, sizeof text, "1 " S80 "inline:" KEY30 "|%s", lifetimes[i].text);
        secsip_result r = parse(text);
        if (r != (lifetimes[i].lifetime ? 0 : SECSIP_E_SDES_LIFETIME) ||
            line.keys[0].lifetime != lifetimes[i].lifetime)
            fail_msg("%s: %s", text, secsip_result_name(r));
    }
    assert_int_equal(parse("1 " S80 "inline:" KEY30 "|2^31|1:1"), 0);
    assert_int_equal(line.keys[0].mki_len, 1);
}

/* FIELD 10: sipwise/rtpengine#657, #1220, jambonz/sbc-outbound#103, BelledonneCommunications/linphone-android#1851. */
static void field_10_base64_with_and_without_padding(void **state)
{
    (void)state;
    for (int s = SSI_SUITE_NONE + 1; s < SSI_SUITE_COUNT; s++) {
        const struct ssi_suite_info *info = ssi_suite_info((enum ssi_suite)s);
        struct ssi_sdes_line made;
        struct ssi_buf b;

        assert_int_equal(ssi_sdes_generate(7, (enum ssi_suite)s, &made), 0);
        assert_int_equal(made.keys[0].key.len, info->key_len + info->salt_len);
        for (int padded = 0; padded < 2; padded++) {
            ssi_buf_init_secret(&b, 1000);
            ssi_sdes_put_key(&b, 7, (enum ssi_suite)s, SSI_LIT(""), &made.keys[0], padded);
            if (!padded)
                assert_null(memchr(b.data, '=', b.len));
            else
                assert_int_equal(b.len, 2 + strlen(info->name) + 1 + 7 +
                                            SSI_BASE64_LEN(made.keys[0].key.len));
            assert_int_equal(
                ssi_sdes_parse_allowing(ssi_buf_slice(&b), SSI_SDES_NULL_CIPHER, &line), 0);
            bool bare = !padded && made.keys[0].key.len % 3 != 0;
            assert_int_equal(line.quirks, bare ? SSI_SDES_QUIRK_PADDING : 0);
            assert_true(ssi_key_eq(&line.keys[0].key, &made.keys[0].key));
            ssi_buf_free(&b);
        }
        ssi_sdes_line_wipe(&made);
    }
}

/* FIELD 11: sipwise/rtpengine#703, #829, signalwire/freeswitch#1251. */
static void field_11_aes_cm_256_is_aes_256_cm(void **state)
{
    (void)state;
    assert_int_equal(ssi_suite_of(SSI_LIT("AES_CM_256_HMAC_SHA1_80")),
                     SSI_SUITE_AES_256_CM_HMAC_SHA1_80);
    assert_int_equal(ssi_suite_of(SSI_LIT("AES_256_CM_HMAC_SHA1_32")),
                     SSI_SUITE_AES_256_CM_HMAC_SHA1_32);
    assert_int_equal(ssi_suite_of(SSI_LIT("AES_CM_192_HMAC_SHA1_32")),
                     SSI_SUITE_AES_192_CM_HMAC_SHA1_32);
    assert_int_equal(
        parse("3 AES_CM_256_HMAC_SHA1_80 "
              "inline:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLg=="),
        0);
    assert_int_equal(line.quirks, SSI_SDES_QUIRK_SPELLING);
    assert_written("3 AES_CM_256_HMAC_SHA1_80 "
                   "inline:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLg==|2^31");
}

/* RFC 4568 6.3.2, 6.3.3: what leaves protection out is usable only where it is allowed, and never with an AEAD suite; a NULL
 * suite, of no RFC, likewise. */
static void protection_is_left_out_only_where_that_is_allowed(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t allow;
        uint32_t forms;
    } forms[] = {
        {"1 " S80 "inline:" KEY30 " UNENCRYPTED_SRTP", SSI_SDES_UNENCRYPTED_SRTP,
         SSI_SDES_UNENCRYPTED_SRTP},
        {"1 " S80 "inline:" KEY30 " UNENCRYPTED_SRTCP", SSI_SDES_UNENCRYPTED_SRTCP,
         SSI_SDES_UNENCRYPTED_SRTCP},
        {"1 " S80 "inline:" KEY30 " UNAUTHENTICATED_SRTP", SSI_SDES_UNAUTHENTICATED_SRTP,
         SSI_SDES_UNAUTHENTICATED_SRTP},
        {"1 " S80 "inline:" KEY30 " UNENCRYPTED_SRTCP WSH=128 UNENCRYPTED_SRTP",
         SSI_SDES_UNENCRYPTED_SRTP | SSI_SDES_UNENCRYPTED_SRTCP,
         SSI_SDES_UNENCRYPTED_SRTP | SSI_SDES_UNENCRYPTED_SRTCP},
        {"1 NULL_HMAC_SHA1_32 inline:" KEY30, SSI_SDES_NULL_CIPHER, 0},
    };
    const uint32_t all = SSI_SDES_UNENCRYPTED_SRTP | SSI_SDES_UNENCRYPTED_SRTCP |
                         SSI_SDES_UNAUTHENTICATED_SRTP | SSI_SDES_NULL_CIPHER;

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        assert_int_equal(
            ssi_sdes_parse_allowing(ssi_slice_str(forms[i].text), forms[i].allow, &line), 0);
        assert_int_equal(line.forms, forms[i].forms);
        assert_true(ssi_sdes_parse_allowing(ssi_slice_str(forms[i].text), all & ~forms[i].allow,
                                            &line) < 0);
        assert_true(parse(forms[i].text) < 0);
    }
    assert_int_equal(
        ssi_sdes_parse_allowing(
            SSI_LIT("1 " S80 "inline:" KEY30 " UNENCRYPTED_SRTP UNENCRYPTED_SRTP"), all, &line),
        SECSIP_E_SDES_SYNTAX);
    assert_int_equal(
        ssi_sdes_parse_allowing(SSI_LIT("1 AEAD_AES_128_GCM inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5"
                                        "QUJDRA== UNAUTHENTICATED_SRTP"),
                                all, &line),
        SECSIP_E_SDES_PARAM);
    assert_int_equal(
        ssi_sdes_parse_allowing(
            SSI_LIT("1 " S80 "inline:" KEY30 " UNENCRYPTED_SRTP UNAUTHENTICATED_SRTP"), all, &line),
        SECSIP_E_SDES_PARAM);
    /* FEC and key derivation rates are not done, whatever is allowed. */
    assert_int_equal(ssi_sdes_parse_allowing(
                         SSI_LIT("1 " S80 "inline:" KEY30 " FEC_ORDER=FEC_SRTP"), all, &line),
                     SECSIP_E_SDES_PARAM);
    assert_int_equal(
        ssi_sdes_parse_allowing(SSI_LIT("1 " S80 "inline:" KEY30 " KDR=1"), all, &line),
        SECSIP_E_SDES_PARAM);
}

static void written_as_it_was_read(void **state)
{
    (void)state;
    assert_written("1 " S80 "inline:" KEY30);
    assert_written("1 " S80 "inline:" KEY30 "|2^20|1:4;inline:" KEY30_B
                   "|1000|2:4 KDR=0 WSH=64 -x");
    assert_written(
        "1 AEAD_AES_128_GCM inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJDRA==|4294967295:4");
}

static void mki_is_a_number_of_up_to_128_bytes(void **state)
{
    (void)state;
    /* 2^1024 - 1 */
    static const char all_ones[] =
        "179769313486231590772930519078902473361797697894230657273430081157732675805500963132708477"
        "32240753602112011387987"
        "139335765878976881441662249284743063947412437776789342486548527630221960124609411945308295"
        "20850057688381506823424"
        "62881473913110540827237163350510684586298239947245938479716304835356329624224137215";
    uint8_t mki[SSI_SDES_MKI_MAX];
    uint64_t seed = test_seed();
    struct ssi_buf b;

    assert_true(ssi_sdes_mki_read(ssi_slice_str(all_ones), mki, 128));
    for (size_t i = 0; i < 128; i++)
        assert_int_equal(mki[i], 0xff);
    assert_false(ssi_sdes_mki_read(ssi_slice_str(all_ones), mki, 127));
    assert_true(ssi_sdes_mki_read(SSI_LIT("65536"), mki, 3));
    assert_memory_equal(mki, "\x01\x00\x00", 3);
    assert_false(ssi_sdes_mki_read(SSI_LIT("65536"), mki, 2));
    for (int i = 0; i < 500; i++) {
        size_t len = 1 + test_below(&seed, 128);
        uint8_t in[SSI_SDES_MKI_MAX];
        for (size_t k = 0; k < len; k++)
            in[k] = (uint8_t)test_below(&seed, 256);
        ssi_buf_init(&b, 400);
        ssi_sdes_mki_put(&b, in, len);
        assert_true(ssi_sdes_mki_read(ssi_buf_slice(&b), mki, len));
        assert_memory_equal(mki, in, len);
        ssi_buf_free(&b);
    }
    /* 2^1024 has as many digits and does not fit. */
    char over[sizeof all_ones];
    memcpy(over, all_ones, sizeof over);
    over[sizeof over - 2] = '6';
    assert_false(ssi_sdes_mki_read(ssi_slice_str(over), mki, 128));
}

static void suite_lists(void **state)
{
    (void)state;
    enum ssi_suite list[SSI_SUITE_COUNT];
    size_t n = 0;

    assert_true(ssi_suite_list(SSI_LIT("AES_CM_256_HMAC_SHA1_80, AEAD_AES_128_GCM"), 0, list,
                               SSI_SUITE_COUNT, &n));
    assert_int_equal(n, 2);
    assert_int_equal(list[0], SSI_SUITE_AES_256_CM_HMAC_SHA1_80);
    assert_int_equal(list[1], SSI_SUITE_AEAD_AES_128_GCM);
    assert_false(ssi_suite_list(SSI_LIT(""), 0, list, SSI_SUITE_COUNT, &n));
    assert_false(ssi_suite_list(SSI_LIT("AEAD_AES_128_GCM,"), 0, list, SSI_SUITE_COUNT, &n));
    assert_false(ssi_suite_list(SSI_LIT("AEAD_AES_128_GCM,F8_128_HMAC_SHA1_80"), 0, list,
                                SSI_SUITE_COUNT, &n));
    assert_false(ssi_suite_list(SSI_LIT("AES_CM_256_HMAC_SHA1_80,AES_256_CM_HMAC_SHA1_80"), 0, list,
                                SSI_SUITE_COUNT, &n));
    assert_false(ssi_suite_list(SSI_LIT("AEAD_AES_128_GCM,AEAD_AES_256_GCM"), 0, list, 1, &n));
    assert_false(ssi_suite_list(SSI_LIT("NULL_HMAC_SHA1_80"), 0, list, SSI_SUITE_COUNT, &n));
    assert_true(ssi_suite_list(SSI_LIT("NULL_HMAC_SHA1_80"), SSI_SDES_NULL_CIPHER, list,
                               SSI_SUITE_COUNT, &n));
    assert_null(ssi_suite_info(SSI_SUITE_NONE));
    assert_null(ssi_suite_info(SSI_SUITE_COUNT));
}

static void cut_and_flipped_lines_never_crash(void **state)
{
    (void)state;
    static const char whole[] =
        "12 " S80 "inline:" KEY30 "|2^20|1:4;inline:" KEY30_B "|2^20|2:4 KDR=0 WSH=64 -x";
    uint64_t seed = test_seed();
    char text[sizeof whole];

    for (size_t n = 0; n < sizeof whole; n++) {
        memcpy(text, whole, n);
        text[n] = 0;
        (void)parse(text);
    }
    for (int i = 0; i < 50000; i++) {
        memcpy(text, whole, sizeof text);
        for (uint32_t k = 0; k <= test_below(&seed, 3); k++)
            text[test_below(&seed, sizeof text - 1)] ^= (char)(1U << test_below(&seed, 8));
        (void)parse(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc4568_section_4_and_5_examples_are_usable),
        cmocka_unit_test(rfc4568_fec_and_f8_example_is_refused_by_name),
        cmocka_unit_test(several_keys_need_mkis_of_one_length),
        cmocka_unit_test(the_grammar_row_by_row),
        cmocka_unit_test(field_09_lifetime_2_31),
        cmocka_unit_test(field_10_base64_with_and_without_padding),
        cmocka_unit_test(field_11_aes_cm_256_is_aes_256_cm),
        cmocka_unit_test(protection_is_left_out_only_where_that_is_allowed),
        cmocka_unit_test(written_as_it_was_read),
        cmocka_unit_test(mki_is_a_number_of_up_to_128_bytes),
        cmocka_unit_test(suite_lists),
        cmocka_unit_test(cut_and_flipped_lines_never_crash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
