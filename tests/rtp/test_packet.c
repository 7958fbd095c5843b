/* RTP and RTCP packets: read, written, and refused at every length and in every form that RFC 3550 A.1 and A.2 name. */
#include "test.h"

#include <stdlib.h>

#include "rtp/packet.h"
#include "rtp/rtcp.h"
#include "seed.h"

static const uint8_t full[] = {
    0xb2, 0x88, 0x12, 0x34, 0x00, 0x01, 0xe2, 0x40,
    0xca, 0xfe, 0xba, 0xbe,                         /* P, X, two CSRCs, marker, PT 8 */
    0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x02, /* CSRCs */
    0xbe, 0xde, 0x00, 0x01, 0x10, 0xff, 0x00, 0x00, /* extension */
    'p',  'a',  'y',  0x00, 0x02,                   /* payload, padding */
};

static void every_field_of_an_rtp_packet_is_read(void **state)
{
    struct ssi_rtp_packet p;

    (void)state;
    assert_int_equal(ssi_rtp_parse(full, sizeof full, &p), 0);
    assert_true(p.marker);
    assert_int_equal(p.payload_type, 8);
    assert_int_equal(p.seq, 0x1234);
    assert_int_equal(p.timestamp, 123456);
    assert_int_equal(p.ssrc, 0xcafebabe);
    assert_int_equal(p.n_csrc, 2);
    assert_int_equal(p.csrc[1], 2);
    assert_true(p.has_extension);
    assert_int_equal(p.extension_profile, 0xbede);
    assert_int_equal(p.extension.len, 4);
    assert_int_equal(p.padding, 2);
    assert_int_equal(p.payload.len, 3);
    assert_memory_equal(p.payload.p, "pay", 3);
}

static void what_is_built_is_what_was_read(void **state)
{
    struct ssi_rtp_packet p;
    uint8_t out[sizeof full];
    size_t len = 0;

    (void)state;
    assert_int_equal(ssi_rtp_parse(full, sizeof full, &p), 0);
    assert_int_equal(ssi_rtp_build(&p, out, sizeof out, &len), 0);
    assert_int_equal(len, sizeof full);
    assert_memory_equal(out, full, len);
    for (size_t cap = 0; cap < sizeof full; cap++)
        assert_int_equal(ssi_rtp_build(&p, out, cap, &len), SECSIP_E_LIMIT);
    p.payload_type = 128;
    assert_int_equal(ssi_rtp_build(&p, out, sizeof out, &len), SECSIP_E_INVALID);
}

static void a_packet_cut_short_is_refused_or_shorter(void **state)
{
    (void)state;
    for (size_t cut = 0; cut < sizeof full; cut++) {
        uint8_t *p = malloc(cut ? cut : 1);
        struct ssi_rtp_packet packet = {0};
        assert_non_null(p);
        memcpy(p, full, cut);
        /* The last byte counts the padding: 'p', 'a', 'y' and 0 and the bytes before are no possible count. */
        assert_int_equal(ssi_rtp_parse(p, cut, &packet), SECSIP_E_RTP_SYNTAX);
        free(p);
    }
}

static void what_no_rtp_packet_can_be_is_refused(void **state)
{
    uint8_t p[16] = {0x80, 0};
    struct ssi_rtp_packet packet;

    (void)state;
    assert_int_equal(ssi_rtp_parse(p, 12, &packet), 0);
    for (int version = 0; version < 4; version++) {
        p[0] = (uint8_t)(version << 6);
        assert_int_equal(ssi_rtp_parse(p, 12, &packet), version == 2 ? 0 : SECSIP_E_RTP_SYNTAX);
    }
    p[0] = 0x80;
    for (int pt = 0; pt < 256; pt++) {
        p[1] = (uint8_t)pt;
        bool rtcp = (pt & 0x7f) >= 72 && (pt & 0x7f) <= 76;
        assert_int_equal(ssi_rtp_parse(p, 12, &packet), rtcp ? SECSIP_E_RTP_SYNTAX : 0);
    }
    p[0] = 0xa0;
    p[1] = 0;
    assert_int_equal(ssi_rtp_parse(p, 12, &packet), SECSIP_E_RTP_SYNTAX); /* no room for padding */
    p[15] = 5;
    assert_int_equal(ssi_rtp_parse(p, 16, &packet), SECSIP_E_RTP_SYNTAX); /* more than there is */
    p[15] = 4;
    assert_int_equal(ssi_rtp_parse(p, 16, &packet), 0);
    assert_int_equal(packet.payload.len, 0);
}

/* ---- RTCP */

static struct ssi_rtcp_compound report(void)
{
    return (struct ssi_rtcp_compound){
        .is_sender = true,
        .ssrc = 0x11223344,
        .ntp = 0x0102030405060708,
        .rtp_timestamp = 5,
        .packets = 6,
        .octets = 7,
        .n_blocks = 2,
        .blocks = {{9, 128, -3, 0x10002, 11, 12, 13}, {10, 0, 0x7fffff, 1, 2, 3, 4}},
        .cname = SSI_LIT("alice@192.0.2.1"),
        .n_bye = 1,
    };
}

static void a_compound_packet_comes_back_as_it_was(void **state)
{
    struct ssi_rtcp_compound c = report(), again;
    uint8_t p[256];
    size_t len = 0;

    (void)state;
    assert_int_equal(ssi_rtcp_build(&c, p, sizeof p, &len), 0);
    assert_int_equal(len % 4, 0);
    assert_int_equal(ssi_rtcp_parse(p, len, &again), 0);
    assert_true(again.is_sender);
    assert_int_equal(again.ssrc, c.ssrc);
    assert_true(again.ntp == c.ntp);
    assert_int_equal(again.octets, 7);
    assert_int_equal(again.n_blocks, 2);
    assert_memory_equal(again.blocks, c.blocks, 2 * sizeof c.blocks[0]);
    assert_true(ssi_slice_eq(again.cname, c.cname));
    assert_int_equal(again.n_bye, 1);
    assert_int_equal(again.bye[0], c.ssrc);
    for (size_t cap = 0; cap < len; cap++)
        assert_int_equal(ssi_rtcp_build(&c, p, cap, &len), SECSIP_E_LIMIT);
}

static void every_length_of_cname_is_padded_to_a_word(void **state)
{
    static char name[256];

    (void)state;
    memset(name, 'n', sizeof name);
    for (size_t n = 1; n <= 255; n++) {
        struct ssi_rtcp_compound c = {.ssrc = 1, .cname = ssi_slice_of(name, n)}, again;
        uint8_t p[300];
        size_t len = 0;
        assert_int_equal(ssi_rtcp_build(&c, p, sizeof p, &len), 0);
        assert_int_equal(p[len - 1], 0); /* the list ends with a zero byte, RFC 3550 6.5 */
        assert_int_equal(ssi_rtcp_parse(p, len, &again), 0);
        assert_false(again.is_sender);
        assert_int_equal(again.cname.len, n);
    }
    struct ssi_rtcp_compound none = {.ssrc = 1};
    uint8_t p[300];
    size_t len;
    assert_int_equal(ssi_rtcp_build(&none, p, sizeof p, &len), SECSIP_E_INVALID);
}

static void a_compound_packet_cut_short_is_refused_but_between_packets(void **state)
{
    struct ssi_rtcp_compound c = report(), again;
    uint8_t whole[256];
    size_t len = 0, accepted = 0;

    (void)state;
    assert_int_equal(ssi_rtcp_build(&c, whole, sizeof whole, &len), 0);
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *p = malloc(cut ? cut : 1);
        assert_non_null(p);
        memcpy(p, whole, cut);
        accepted += ssi_rtcp_parse(p, cut, &again) == 0;
        free(p);
    }
    assert_int_equal(accepted, 2); /* after the SR, and after SDES */
}

static void the_rules_of_rfc3550_a2_are_kept(void **state)
{
    struct ssi_rtcp_compound c = report(), again;
    uint8_t p[256];
    size_t len = 0;

    (void)state;
    assert_int_equal(ssi_rtcp_build(&c, p, sizeof p, &len), 0);
    p[1] = SSI_RTCP_SDES; /* the first is a report */
    assert_int_equal(ssi_rtcp_parse(p, len, &again), SECSIP_E_RTP_SYNTAX);
    p[1] = SSI_RTCP_SR;
    p[0] |= 0x20; /* padding, but not in the last packet */
    assert_int_equal(ssi_rtcp_parse(p, len, &again), SECSIP_E_RTP_SYNTAX);
    p[0] &= 0xdf;
    p[len - 8] &= 0x3f; /* the version of the last */
    assert_int_equal(ssi_rtcp_parse(p, len, &again), SECSIP_E_RTP_SYNTAX);
    p[len - 8] |= 0x80;
    p[0] |= 3; /* a block more than there is */
    assert_int_equal(ssi_rtcp_parse(p, len, &again), SECSIP_E_RTP_SYNTAX);
    p[0] = 0x82;
    p[3]++; /* lengths that do not come out even */
    assert_int_equal(ssi_rtcp_parse(p, len, &again), SECSIP_E_RTP_SYNTAX);
    p[3]--;
    assert_int_equal(ssi_rtcp_parse(p, len, &again), 0);
    p[len - 8] |= 0x20; /* padding in the last packet, of 4 bytes that were its SSRC */
    p[len - 8] &= 0xe0;
    p[len - 1] = 4;
    assert_int_equal(ssi_rtcp_parse(p, len, &again), 0);
    assert_int_equal(again.n_bye, 0);
    for (int padding = 0; padding < 256; padding++) {
        p[len - 1] = (uint8_t)padding;
        assert_int_equal(ssi_rtcp_parse(p, len, &again), padding == 4 ? 0 : SECSIP_E_RTP_SYNTAX);
    }
}

static void random_bytes_never_break_the_parsers(void **state)
{
    uint64_t seed = test_seed();
    struct ssi_rtcp_compound c;
    struct ssi_rtp_packet r;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        size_t len = 4 * test_below(&seed, 40);
        uint8_t *p = malloc(len ? len : 1);
        assert_non_null(p);
        for (size_t k = 0; k < len; k++)
            p[k] = (uint8_t)test_random(&seed);
        if (len > 0) { /* likely enough to get in */
            p[0] = (uint8_t)(0x80 | (p[0] & 0x23));
            p[1] = (uint8_t)(200 + p[1] % 5);
            p[2] = 0;
            p[3] &= 0x0f;
        }
        (void)ssi_rtcp_parse(p, len, &c);
        (void)ssi_rtp_parse(p, len, &r);
        free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_of_an_rtp_packet_is_read),
        cmocka_unit_test(what_is_built_is_what_was_read),
        cmocka_unit_test(a_packet_cut_short_is_refused_or_shorter),
        cmocka_unit_test(what_no_rtp_packet_can_be_is_refused),
        cmocka_unit_test(a_compound_packet_comes_back_as_it_was),
        cmocka_unit_test(every_length_of_cname_is_padded_to_a_word),
        cmocka_unit_test(a_compound_packet_cut_short_is_refused_but_between_packets),
        cmocka_unit_test(the_rules_of_rfc3550_a2_are_kept),
        cmocka_unit_test(random_bytes_never_break_the_parsers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
