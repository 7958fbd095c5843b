/* Sequence numbers, loss and jitter of one source, by the algorithms of RFC 3550 A.1, A.3 and A.8. */
#include "test.h"

#include "rtp/source.h"

static struct ssi_rtp_source valid_source(uint16_t seq)
{
    struct ssi_rtp_source s;

    ssi_rtp_source_start(&s, 1, seq);
    assert_false(ssi_rtp_source_update(&s, seq));
    assert_false(ssi_rtp_source_valid(&s));
    assert_true(ssi_rtp_source_update(&s, (uint16_t)(seq + 1)));
    assert_true(ssi_rtp_source_valid(&s));
    return s;
}

static void two_packets_in_sequence_make_a_source_valid(void **state)
{
    struct ssi_rtp_source s;

    (void)state;
    ssi_rtp_source_start(&s, 1, 10);
    assert_false(ssi_rtp_source_update(&s, 10));
    assert_false(ssi_rtp_source_update(&s, 20));
    assert_false(ssi_rtp_source_update(&s, 30));
    assert_true(ssi_rtp_source_update(&s, 31));
    assert_int_equal(ssi_rtp_source_lost(&s), 0);
}

static void gaps_are_lost_until_the_late_packet_comes(void **state)
{
    struct ssi_rtp_source s = valid_source(100);

    (void)state;
    assert_true(ssi_rtp_source_update(&s, 105));
    assert_int_equal(ssi_rtp_source_lost(&s), 3);
    assert_true(ssi_rtp_source_update(&s, 103));
    assert_int_equal(ssi_rtp_source_lost(&s), 2);
    assert_int_equal(ssi_rtp_source_fraction(&s), 2 * 256 / 5);
    assert_true(ssi_rtp_source_update(&s, 106));
    assert_int_equal(ssi_rtp_source_fraction(&s), 0);
}

static void duplicates_never_make_the_loss_negative(void **state)
{
    struct ssi_rtp_source s = valid_source(100);

    (void)state;
    for (int i = 0; i < 10; i++)
        assert_true(ssi_rtp_source_update(&s, 101));
    assert_int_equal(ssi_rtp_source_lost(&s), 0);
    assert_int_equal(ssi_rtp_source_lost_reported(&s), -10);
    assert_int_equal(ssi_rtp_source_fraction(&s), 0);
}

static void the_sequence_number_rolls_over(void **state)
{
    struct ssi_rtp_source s = valid_source(65530);

    (void)state;
    for (uint32_t seq = 65532; seq < 65536 + 20; seq++)
        assert_true(ssi_rtp_source_update(&s, (uint16_t)seq));
    assert_int_equal(s.cycles, 65536);
    assert_int_equal(s.max_seq, 19);
    assert_int_equal(ssi_rtp_source_lost(&s), 0);
    assert_true(ssi_rtp_source_update(&s, 65535)); /* late, of the round before */
    assert_int_equal(s.cycles, 65536);
}

/* FIELD 4: a jump back on one SSRC is a restart once two packets in sequence show it. */
static void a_restart_is_told_from_a_stray_packet(void **state)
{
    struct ssi_rtp_source s = valid_source(1000);

    (void)state;
    assert_true(ssi_rtp_source_update(&s, 1003)); /* one lost */
    assert_false(ssi_rtp_source_update(&s, 30000));
    assert_true(ssi_rtp_source_update(&s, 1004)); /* it was a stray one */
    assert_int_equal(ssi_rtp_source_lost(&s), 1);
    assert_false(ssi_rtp_source_update(&s, 20000));
    assert_true(ssi_rtp_source_update(&s, 20001));
    assert_int_equal(ssi_rtp_source_lost(&s), 1); /* what was lost before stays lost */
    assert_int_equal(ssi_rtp_source_lost_reported(&s), 0);
    assert_true(ssi_rtp_source_update(&s, 20003));
    assert_int_equal(ssi_rtp_source_lost(&s), 2);
}

static void the_reported_loss_is_cut_to_24_bits(void **state)
{
    struct ssi_rtp_source s = valid_source(0);

    (void)state;
    s.cycles = 0xff0000;
    s.max_seq = 0;
    assert_int_equal(ssi_rtp_source_lost_reported(&s), 0x7fffff);
    s.cycles = 0;
    s.received = 0x1000000;
    assert_int_equal(ssi_rtp_source_lost_reported(&s), -0x800000);
}

static void jitter_follows_the_formula_of_a8(void **state)
{
    struct ssi_rtp_source s = valid_source(0);
    double want = 0;

    (void)state;
    ssi_rtp_source_jitter(&s, 0, 1000);
    assert_int_equal(s.jitter, 0);
    for (uint32_t i = 1; i < 200; i++) {
        /* Every other packet comes 40 units late: D is 40 each time. */
        ssi_rtp_source_jitter(&s, 160 * i, 1000 + 160 * i + (i % 2 ? 40 : 0));
        want += (40 - want) / 16;
        assert_in_range(s.jitter / 16, want > 1 ? (uint32_t)want - 1 : 0, (uint32_t)want + 1);
    }
    assert_in_range(s.jitter / 16, 39, 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_packets_in_sequence_make_a_source_valid),
        cmocka_unit_test(gaps_are_lost_until_the_late_packet_comes),
        cmocka_unit_test(duplicates_never_make_the_loss_negative),
        cmocka_unit_test(the_sequence_number_rolls_over),
        cmocka_unit_test(a_restart_is_told_from_a_stray_packet),
        cmocka_unit_test(the_reported_loss_is_cut_to_24_bits),
        cmocka_unit_test(jitter_follows_the_formula_of_a8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
