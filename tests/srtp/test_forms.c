/* Forms that leave protection out (RFC 4568 6.3.2 to 6.3.4), encrypted header extensions (RFC 6904), and ports that RTP and
 * RTCP share (RFC 5761). */
#include "common.h"
#include "suites.h"

#include "reference.h"

static void what_is_left_out_is_left_out_and_nothing_else(void **state)
{
    (void)state;
    for (int stock = 0; stock < 2; stock++) {
        for (int form = 1; form < 8; form++) {
            struct ssi_srtp_config c =
                config_of(SSI_SRTP_AES_CM_128_HMAC_SHA1_32, SSI_SRTP_SEND, 1);
            struct ssi_srtp *tx = NULL;
            uint8_t clear[CAP], p[CAP];
            c.stock = stock;
            c.insecure_unencrypted_rtp = form & 1;
            c.insecure_unencrypted_rtcp = form & 2;
            c.insecure_unauthenticated_rtp = form & 4;
            if ((form & 5) == 5) {
                assert_int_equal(ssi_srtp_new(&c, &tx), SECSIP_E_INVALID);
                continue;
            }
            tx = session(&c);
            c.direction = SSI_SRTP_RECEIVE;
            struct ssi_srtp *rx = session(&c);
            c.insecure_unencrypted_rtcp = !c.insecure_unencrypted_rtcp;
            struct ssi_srtp *other = session(&c);
            size_t len = clear_rtp(clear, 1, 7, 60), n = len;
            memcpy(p, clear, len);
            assert_int_equal(ssi_srtp_protect_rtp(tx, p, &n, CAP), 0);
            assert_int_equal(n, len + (form & 4 ? 0 : 4));
            assert_int_equal(memcmp(p, clear, len) == 0, form & 1);
            p[30] ^= 4; /* a forgery is seen wherever there is authentication */
            assert_int_equal(received(rx, false, p, n), form & 4 ? 0 : SECSIP_E_SRTP_AUTH);
            p[30] ^= 4;
            assert_int_equal(received(rx, false, p, n), form & 4 ? SECSIP_E_SRTP_REPLAY : 0);
            len = n = clear_rtcp(clear, 7, 5);
            memcpy(p, clear, len);
            assert_int_equal(ssi_srtp_protect_rtcp(tx, p, &n, CAP), 0);
            assert_int_equal(n, len + 14); /* SRTCP is always authenticated */
            assert_int_equal(memcmp(p, clear, len) == 0, (form & 2) != 0);
            assert_int_equal(p[len] >> 7, !(form & 2)); /* the E bit */
            assert_int_equal(received(other, true, p, n), SECSIP_E_SRTP_AUTH);
            p[20] ^= 4;
            assert_int_equal(received(rx, true, p, n), SECSIP_E_SRTP_AUTH);
            p[20] ^= 4;
            assert_int_equal(ssi_srtp_unprotect_rtcp(rx, p, &n), 0);
            assert_int_equal(n, len);
            assert_memory_equal(p, clear, len);
            ssi_srtp_free(tx);
            ssi_srtp_free(rx);
            ssi_srtp_free(other);
        }
    }
}

/* Our authenticators count whose key is next: one less where RTP has none. */
static void srtcp_beside_rtp_without_authentication_is_that_of_the_rfcs(void **state)
{
    (void)state;
    for (int k = SSI_SRTP_AES_CM_128_HMAC_SHA1_80; k <= SSI_SRTP_AES_256_CM_HMAC_SHA1_32;
         k = next_suite(k)) {
        struct ssi_srtp_config c = config_of((enum ssi_srtp_suite)k, SSI_SRTP_SEND, 1);
        c.insecure_unauthenticated_rtp = true;
        struct ssi_srtp *tx = session(&c);
        struct reference r = reference_of(c.key.bytes, c.key.len - 14U, false, 0, 10);
        uint8_t p[CAP], q[CAP];
        size_t len = clear_rtp(p, 5, 7, 60), n = len;
        memcpy(q, p, len);
        assert_int_equal(ssi_srtp_protect_rtp(tx, p, &n, CAP), 0);
        assert_int_equal(n, reference_rtp(&r, q, len, 12, 0));
        assert_memory_equal(p, q, n);
        len = n = clear_rtcp(p, 7, 5);
        memcpy(q, p, len);
        assert_int_equal(ssi_srtp_protect_rtcp(tx, p, &n, CAP), 0);
        assert_int_equal(n, reference_rtcp(&r, q, len, 1));
        assert_memory_equal(p, q, n);
        ssi_srtp_free(tx);
    }
}

/* RFC 7714 has only the SRTCP that is not encrypted. */
static void gcm_can_leave_out_the_encryption_of_srtcp_only(void **state)
{
    (void)state;
    for (int k = SSI_SRTP_AEAD_AES_128_GCM; k <= SSI_SRTP_AEAD_AES_256_GCM; k++) {
        struct ssi_srtp_config c = config_of((enum ssi_srtp_suite)k, SSI_SRTP_SEND, 1), stock;
        struct ssi_srtp *s = NULL;
        c.insecure_unencrypted_rtp = true;
        assert_int_equal(ssi_srtp_new(&c, &s), SECSIP_E_INVALID);
        c.insecure_unencrypted_rtp = false;
        c.insecure_unauthenticated_rtp = true;
        assert_int_equal(ssi_srtp_new(&c, &s), SECSIP_E_INVALID);
        c.insecure_unauthenticated_rtp = false;
        c.insecure_unencrypted_rtcp = true;
        stock = c;
        stock.stock = true;
        struct ssi_srtp *tx = session(&c), *tx2 = session(&stock);
        c.direction = SSI_SRTP_RECEIVE;
        struct ssi_srtp *rx = session(&c);
        for (size_t words = 0; words < 200; words += 11) {
            uint8_t clear[CAP], p[CAP], q[CAP];
            size_t len = clear_rtcp(clear, 7, words), n = len, m = len;
            memcpy(p, clear, len);
            memcpy(q, clear, len);
            assert_int_equal(ssi_srtp_protect_rtcp(tx, p, &n, CAP), 0);
            assert_int_equal(ssi_srtp_protect_rtcp(tx2, q, &m, CAP), 0);
            assert_int_equal(n, m);
            assert_memory_equal(p, q, n);
            assert_memory_equal(p, clear, len);
            assert_int_equal(p[n - 4] & 0x80, 0);
            for (size_t at = 0; at < n; at += 3) {
                p[at] ^= 1;
                assert_true(received(rx, true, p, n) < 0);
                p[at] ^= 1;
            }
            assert_int_equal(received(rx, true, p, n), 0);
        }
        ssi_srtp_free(tx);
        ssi_srtp_free(tx2);
        ssi_srtp_free(rx);
    }
}

/* ---- RFC 6904 */

static void rfc6904_appendix_a(void **state)
{
    static const uint8_t key[30] = {0xe1, 0xf9, 0x7a, 0x0d, 0x3e, 0x01, 0x8b, 0xe0, 0xd6, 0x4f,
                                    0xa3, 0x2c, 0x06, 0xde, 0x41, 0x39, 0x0e, 0xc6, 0x75, 0xad,
                                    0x49, 0x8a, 0xfe, 0xeb, 0xb6, 0x96, 0x0b, 0x3a, 0xab, 0xe6};
    static const uint8_t clear[40] = {0x90, 0x0f, 0x12, 0x34, 0xde, 0xca, 0xfb, 0xad, 0xca, 0xfe,
                                      0xba, 0xbe, 0xbe, 0xde, 0x00, 0x06, 0x17, 0x41, 0x42, 0x73,
                                      0xa4, 0x75, 0x26, 0x27, 0x48, 0x22, 0x00, 0x00, 0xc8, 0x30,
                                      0x8e, 0x46, 0x55, 0x99, 0x63, 0x86, 0xb3, 0x95, 0xfb, 0x00};
    static const uint8_t want[24] = {0x17, 0x58, 0x8a, 0x92, 0x70, 0xf4, 0xe1, 0x5e,
                                     0x1c, 0x22, 0x00, 0x00, 0xc8, 0x30, 0x95, 0x46,
                                     0xa9, 0x94, 0xf0, 0xbc, 0x54, 0x78, 0x97, 0x00};
    static const uint8_t ids[] = {1, 3, 4};
    struct ssi_srtp_config c = config_of(SSI_SRTP_AES_CM_128_HMAC_SHA1_80, SSI_SRTP_SEND, 0);
    uint8_t p[CAP];
    size_t len = sizeof clear;

    (void)state;
    memcpy(c.key.bytes, key, sizeof key);
    c.encrypted_extensions = ids;
    c.n_encrypted_extensions = sizeof ids;
    struct ssi_srtp *tx = session(&c);
    c.direction = SSI_SRTP_RECEIVE;
    struct ssi_srtp *rx = session(&c);
    memcpy(p, clear, len);
    assert_int_equal(ssi_srtp_protect_rtp(tx, p, &len, CAP), 0);
    assert_memory_equal(p, clear, 16);
    assert_memory_equal(p + 16, want, sizeof want);
    assert_int_equal(ssi_srtp_unprotect_rtp(rx, p, &len), 0);
    assert_memory_equal(p, clear, sizeof clear);
    ssi_srtp_free(tx);
    ssi_srtp_free(rx);
}

/* A header of one-byte (0xbede) or two-byte (0x1000) elements (RFC 8285), of every length that fits; no padding but at the
 * end. `mask` gets a 1 for each byte that belongs to an even id. */
static size_t extended(uint8_t *p, uint8_t *mask, bool two, uint32_t seq, size_t body)
{
    size_t len = clear_rtp(p, seq, 0xcafebabe, 0), end = 16 + body;

    (void)len;
    memset(mask, 0, CAP);
    memset(p + 12, 0, 4 + body);
    p[0] |= 0x10;
    p[12] = two ? 0x10 : 0xbe;
    p[13] = two ? 0x00 : 0xde;
    p[15] = (uint8_t)(body / 4);
    size_t at = 16;
    for (uint8_t id = 1; id < 15; id++) {
        size_t n = 1 + (id * 5 + seq) % 13, head = two ? 2 : 1;
        if (at + head + n > end)
            break;
        if (two) {
            p[at++] = id;
            p[at++] = (uint8_t)n;
        } else {
            p[at++] = (uint8_t)(id << 4 | (n - 1));
        }
        for (size_t i = 0; i < n; i++, at++) {
            p[at] = (uint8_t)(i + id * 16);
            mask[at] = id % 2 == 0;
        }
    }
    memset(p + end, 0x55, 40);
    return end + 40;
}

/* RFC 6904 3.2 a second time: the key stream of the keys with labels 6 and 7 over the whole body, used where the mask says.
 * With GCM the counter mode of the same key length (RFC 7714 8.3), its salt the 12 bytes that GCM has, and zeros: libsrtp2 and
 * all that is built on it read it so. */
static void reference_extension(const struct ssi_srtp_config *c, uint8_t *p, const uint8_t *mask,
                                size_t body, uint32_t roc)
{
    size_t salt_len = c->suite >= SSI_SRTP_AEAD_AES_128_GCM ? 12 : 14;
    size_t key_len = c->key.len - salt_len;
    uint8_t key[32], salt[14] = {0}, iv[16] = {0}, stream[CAP] = {0}, roc_bytes[4];

    reference_derive(c->key.bytes, key_len, c->key.bytes + key_len, salt_len, 6, key, key_len);
    reference_derive(c->key.bytes, key_len, c->key.bytes + key_len, salt_len, 7, salt, salt_len);
    reference_put32(roc_bytes, roc);
    memcpy(iv, salt, 14);
    for (int i = 0; i < 4; i++) {
        iv[4 + i] ^= p[8 + i];
        iv[8 + i] ^= roc_bytes[i];
    }
    iv[12] ^= p[2];
    iv[13] ^= p[3];
    reference_ctr(key, key_len, iv, stream, body);
    for (size_t i = 0; i < body; i++)
        if (mask[16 + i])
            p[16 + i] ^= stream[i];
}

static void check_extension(const struct ssi_srtp_config *c, struct ssi_srtp *tx,
                            struct ssi_srtp *stock, struct ssi_srtp *rx, bool two, uint32_t seq,
                            size_t body)
{
    uint8_t clear[CAP], want[CAP], mask[CAP], p[CAP], q[CAP];
    size_t len = extended(clear, mask, two, seq, body), n = len, m = len;

    memcpy(p, clear, len);
    memcpy(q, clear, len);
    memcpy(want, clear, len);
    reference_extension(c, want, mask, body, 0);
    assert_int_equal(ssi_srtp_protect_rtp(tx, p, &n, CAP), 0);
    assert_memory_equal(p, want, 16 + body);
    if (stock) {
        assert_int_equal(ssi_srtp_protect_rtp(stock, q, &m, CAP), 0);
        assert_int_equal(n, m);
        assert_memory_equal(p, q, n);
    }
    for (size_t at = 12; at < 16 + body; at += 5) {
        p[at] ^= 2;
        assert_true(received(rx, false, p, n) < 0);
        p[at] ^= 2;
    }
    assert_int_equal(ssi_srtp_unprotect_rtp(rx, p, &n), 0);
    assert_int_equal(n, len);
    assert_memory_equal(p, clear, len);
}

static void header_extensions_are_encrypted_by_their_ids(void **state)
{
    static const uint8_t even[] = {2, 4, 6, 8, 10, 12, 14};

    (void)state;
    for (int k = 1; k <= SSI_SRTP_AEAD_AES_256_GCM; k = next_suite(k)) {
        struct ssi_srtp_config c = config_of((enum ssi_srtp_suite)k, SSI_SRTP_SEND, 1), st;
        struct ssi_srtp *stock = NULL;
        c.encrypted_extensions = even;
        c.n_encrypted_extensions = sizeof even;
        st = c;
        st.stock = true;
        struct ssi_srtp *tx = session(&c);
        (void)ssi_srtp_new(&st, &stock); /* AES-192 is refused: cisco/libsrtp#763 */
        c.direction = SSI_SRTP_RECEIVE;
        struct ssi_srtp *rx = session(&c);
        uint32_t seq = 1;
        for (int two = 0; two < 2; two++)
            for (size_t body = 0; body <= 200; body += 4)
                check_extension(&c, tx, stock, rx, two, seq++, body);
        ssi_srtp_free(tx);
        ssi_srtp_free(stock);
        ssi_srtp_free(rx);
    }
}

static void wrong_extensions_are_refused(void **state)
{
    static const uint8_t ids[] = {1, 0};
    struct ssi_srtp_config c = config_of(SSI_SRTP_AES_CM_128_HMAC_SHA1_80, SSI_SRTP_SEND, 1);
    struct ssi_srtp *s = NULL;

    (void)state;
    c.encrypted_extensions = ids;
    c.n_encrypted_extensions = 2;
    assert_int_equal(ssi_srtp_new(&c, &s), SECSIP_E_INVALID);
    c.n_encrypted_extensions = 1;
    c.insecure_unencrypted_rtp = true;
    assert_int_equal(ssi_srtp_new(&c, &s), SECSIP_E_INVALID);
}

/* RFC 5761 4: the second byte says it; payload types 64 to 95 are not to be used with it. */
static void rtcp_on_the_port_of_rtp_is_told_by_its_type(void **state)
{
    (void)state;
    for (int type = 0; type < 256; type++) {
        uint8_t p[12] = {0x80, (uint8_t)type};
        assert_int_equal(ssi_srtp_is_rtcp(p, sizeof p), type >= 192 && type <= 223);
        p[0] = 0x40;
        assert_false(ssi_srtp_is_rtcp(p, sizeof p));
        assert_false(ssi_srtp_is_rtcp(p, 1));
    }
}

/* UNAUTHENTICATED_SRTP is a matter of RTP: SRTCP has the keys that it always has, with AES-192 too, and with an MKI. */
static void srtcp_is_the_same_without_the_authentication_of_rtp(void **state)
{
    (void)state;
    for (int k = 1; k <= SSI_SRTP_AES_256_CM_HMAC_SHA1_32; k = next_suite(k)) {
        struct ssi_srtp_config c = config_of((enum ssi_srtp_suite)k, SSI_SRTP_SEND, 1);
        uint8_t p[CAP];
        c.insecure_unauthenticated_rtp = true;
        struct ssi_srtp *tx = session(&c);
        c.insecure_unauthenticated_rtp = false;
        c.direction = SSI_SRTP_RECEIVE;
        struct ssi_srtp *rx = session(&c);
        assert_int_equal(received(rx, true, p, protected_rtcp(tx, p, 7)), 0);
        ssi_srtp_free(tx);
        ssi_srtp_free(rx);
        c.mki_len = 1;
        c.insecure_unauthenticated_rtp = true;
        rx = session(&c);
        c.direction = SSI_SRTP_SEND;
        tx = session(&c);
        assert_int_equal(received(rx, true, p, protected_rtcp(tx, p, 7)), 0);
        ssi_srtp_free(tx);
        ssi_srtp_free(rx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(srtcp_is_the_same_without_the_authentication_of_rtp),
        cmocka_unit_test(what_is_left_out_is_left_out_and_nothing_else),
        cmocka_unit_test(srtcp_beside_rtp_without_authentication_is_that_of_the_rfcs),
        cmocka_unit_test(gcm_can_leave_out_the_encryption_of_srtcp_only),
        cmocka_unit_test(rfc6904_appendix_a),
        cmocka_unit_test(header_extensions_are_encrypted_by_their_ids),
        cmocka_unit_test(wrong_extensions_are_refused),
        cmocka_unit_test(rtcp_on_the_port_of_rtp_is_told_by_its_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
