/* Versions, key exchanges and ciphers of a profile: what is chosen is what is spoken, and nothing weak has a name. */
#include "test.h"

#include <stdio.h>

#include <gnutls/gnutls.h>

#include "tls_pair.h"
#include "tls/profile.h"

static void set(secsip_tls_profile *p, uint32_t least, uint32_t highest, const char *groups,
                const char *ciphers)
{
    const secsip_tls_parameters t = {sizeof t, least, highest, groups, ciphers};

    secsip_result r = secsip_tls_profile_set_parameters(p, &t);
    if (r < 0)
        print_message("%s\n", secsip_tls_profile_error(p)->text);
    assert_int_equal(r, 0);
}

/* What both ends came to; "" where they came to nothing. */
static void meet(secsip_tls_profile *cp, secsip_tls_profile *sp, char version[16], char cipher[32])
{
    struct tls_pair p;

    tls_pair_open(&p, cp, sp, "example.test", LAB_NOW);
    tls_pair_pump(&p);
    bool open = ssi_tls_session_state(p.client) == SSI_TLS_OPEN &&
                ssi_tls_session_state(p.server) == SSI_TLS_OPEN;
    if (!open)
        print_message("%s\n", ssi_tls_session_failure(p.client)->text);
    snprintf(version, 16, "%s", open ? ssi_tls_session_info(p.client)->version : "");
    snprintf(cipher, 32, "%s", open ? ssi_tls_session_info(p.client)->cipher : "");
    tls_pair_close(&p);
}

static void what_is_chosen_is_spoken(void **state)
{
    (void)state;
    enum {
        T12 = SECSIP_TLS_VERSION_1_2,
        T13 = SECSIP_TLS_VERSION_1_3,
    };
    static const struct {
        struct {
            uint32_t least, highest;
            const char *groups, *ciphers;
        } client, server;
        const char *version, *cipher;
    } rows[] = {
        {{0}, {0}, "TLS1.3", "AES-256-GCM"},
        {{T12, T13, NULL, NULL}, {0}, "TLS1.3", "AES-256-GCM"},
        {{0, T12, NULL, NULL}, {0}, "TLS1.2", "AES-256-GCM"},
        {{T13, 0, NULL, NULL}, {0}, "TLS1.3", "AES-256-GCM"},
        {{T13, 0, NULL, NULL}, {0, T12, NULL, NULL}, "", ""},
        {{0, 0, NULL, "AES-128-GCM"}, {0}, "TLS1.3", "AES-128-GCM"},
        {{0, T12, NULL, "aes-128-gcm"}, {0}, "TLS1.2", "AES-128-GCM"},
        {{0, 0, NULL, "TLS_CHACHA20_POLY1305_SHA256"}, {0}, "TLS1.3", "CHACHA20-POLY1305"},
        {{0, 0, NULL, "AES-128-GCM"}, {0, 0, NULL, "AES-256-GCM"}, "", ""},
        /* A server's order counts. */
        {{0}, {0, 0, NULL, "CHACHA20-POLY1305:AES-256-GCM"}, "TLS1.3", "CHACHA20-POLY1305"},
        {{0, 0, "P-521", NULL}, {0}, "TLS1.3", "AES-256-GCM"},
        {{0, 0, "prime256v1", NULL}, {0, 0, "P-384:secp256r1", NULL}, "TLS1.3", "AES-256-GCM"},
        {{0, 0, "X25519", NULL}, {0, 0, "X448:P-256", NULL}, "", ""},
    };
    char version[16], cipher[32];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        secsip_tls_profile *cp = lab_profile(LAB_N), *sp = lab_profile(LAB_SERVER);
        print_message("row %zu\n", i);
        set(cp, rows[i].client.least, rows[i].client.highest, rows[i].client.groups,
            rows[i].client.ciphers);
        set(sp, rows[i].server.least, rows[i].server.highest, rows[i].server.groups,
            rows[i].server.ciphers);
        meet(cp, sp, version, cipher);
        assert_string_equal(version, rows[i].version);
        assert_string_equal(cipher, rows[i].cipher);
        secsip_tls_profile_unref(cp);
        secsip_tls_profile_unref(sp);
    }
}

/* RFC 9325: whatever was chosen, GnuTLS has nothing else to choose from. */
static void expect_floor(secsip_tls_profile *p)
{
    const unsigned *list;
    int n = gnutls_priority_protocol_list(p->priority, &list);

    assert_true(n > 0);
    for (int i = 0; i < n; i++)
        assert_true(list[i] == GNUTLS_TLS1_2 || list[i] == GNUTLS_TLS1_3);
    n = gnutls_priority_kx_list(p->priority, &list);
    assert_true(n > 0);
    for (int i = 0; i < n; i++)
        assert_true(list[i] == GNUTLS_KX_ECDHE_RSA || list[i] == GNUTLS_KX_ECDHE_ECDSA);
    n = gnutls_priority_cipher_list(p->priority, &list);
    assert_true(n > 0);
    for (int i = 0; i < n; i++)
        assert_true(list[i] == GNUTLS_CIPHER_AES_256_GCM || list[i] == GNUTLS_CIPHER_AES_128_GCM ||
                    list[i] == GNUTLS_CIPHER_CHACHA20_POLY1305);
    n = gnutls_priority_mac_list(p->priority, &list);
    assert_int_equal(n, 1);
    assert_int_equal(list[0], GNUTLS_MAC_AEAD);
    n = gnutls_priority_sign_list(p->priority, &list);
    assert_true(n > 8);
    for (int i = 0; i < n; i++) {
        gnutls_digest_algorithm_t hash = gnutls_sign_get_hash_algorithm(list[i]);
        assert_true(hash != GNUTLS_DIG_SHA1 && hash != GNUTLS_DIG_MD5); /* RFC 9155 */
    }
}

static void no_choice_is_weaker_than_the_default(void **state)
{
    (void)state;
    static const char *const groups[] = {NULL, "X25519", "p-521:X448", "secp384r1 : P-256"};
    static const char *const ciphers[] = {NULL, "AES-128-GCM",
                                          "AES-128-GCM:TLS_AES_256_GCM_SHA384"};
    secsip_tls_profile *p = lab_profile(LAB_N);
    const unsigned *list;

    /* X25519 first, 1.3 before 1.2. */
    assert_int_equal(gnutls_priority_group_list(p->priority, &list), 5);
    assert_int_equal(list[0], GNUTLS_GROUP_X25519);
    assert_int_equal(gnutls_priority_protocol_list(p->priority, &list), 2);
    assert_int_equal(list[0], GNUTLS_TLS1_3);
    expect_floor(p);
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
        for (size_t c = 0; c < sizeof ciphers / sizeof *ciphers; c++) {
            set(p, 0, 0, groups[g], ciphers[c]);
            expect_floor(p);
        }
    secsip_tls_profile_unref(p);
}

static void what_cannot_be_chosen_is_named(void **state)
{
    (void)state;
    static const struct {
        secsip_tls_parameters t;
        const char *check, *found;
    } rows[] = {
        {{.least_version = 0x0302}, "version", "0x0302"},
        {{.highest_version = 0x0301}, "version", "0x0301"},
        {{.least_version = 12}, "version", "0x000c"},
        {{.least_version = SECSIP_TLS_VERSION_1_3, .highest_version = SECSIP_TLS_VERSION_1_2},
         "version",
         "1.3"},
        {{.ciphers = "AES-256-GCM:AES-128-CBC"}, "cipher", "AES-128-CBC"},
        {{.ciphers = "AES-128-CCM-8"}, "cipher", "AES-128-CCM-8"},
        {{.ciphers = "NULL"}, "cipher", "NULL"},
        {{.ciphers = "NORMAL"}, "cipher", "NORMAL"},
        {{.ciphers = "AES-256-GCM:+VERS-TLS1.0"}, "cipher", "+VERS-TLS1.0"},
        {{.ciphers = "%COMPAT"}, "cipher", "%COMPAT"},
        {{.ciphers = ""}, "cipher", ""},
        {{.ciphers = "AES-256-GCM::AES-128-GCM"}, "cipher", ""},
        {{.ciphers = "AES-128-GCM:TLS_AES_128_GCM_SHA256"}, "cipher", "TLS_AES_128_GCM_SHA256"},
        {{.groups = "FFDHE2048"}, "group", "FFDHE2048"},
        {{.groups = "X25519:secp192r1"}, "group", "secp192r1"},
        {{.groups = "P-256:prime256v1"}, "group", "prime256v1"},
        {{.groups = "X25519,P-256"}, "group", "X25519,P-256"},
    };
    secsip_tls_profile *p = lab_profile(LAB_N);
    secsip_tls_parameters t = {.size = sizeof t};
    struct {
        secsip_tls_parameters known;
        uint32_t newer;
    } longer = {.known.size = sizeof longer};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        t = rows[i].t;
        t.size = sizeof t;
        assert_int_equal(secsip_tls_profile_set_parameters(p, &t), SECSIP_E_INVALID);
        const secsip_error *e = secsip_tls_profile_error(p);
        print_message("%s\n", e->text);
        assert_string_equal(e->check, rows[i].check);
        assert_string_equal(e->found, rows[i].found);
        assert_non_null(strstr(e->text, rows[i].found));
        expect_floor(p); /* what was there stays */
    }
    t = (secsip_tls_parameters){.size = sizeof t - 1};
    assert_int_equal(secsip_tls_profile_set_parameters(p, &t), SECSIP_E_ABI);
    assert_int_equal(secsip_tls_profile_set_parameters(p, &longer.known), 0);
    longer.newer = 1;
    assert_int_equal(secsip_tls_profile_set_parameters(p, &longer.known), SECSIP_E_ABI);
    assert_int_equal(secsip_tls_profile_set_parameters(p, NULL), 0);
    assert_int_equal(secsip_tls_profile_set_parameters(NULL, NULL), SECSIP_E_INVALID);
    assert_int_equal(ssi_tls_profile_freeze(p, false), 0);
    assert_int_equal(secsip_tls_profile_set_parameters(p, NULL), SECSIP_E_STATE);
    secsip_tls_profile_unref(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_chosen_is_spoken),
        cmocka_unit_test(no_choice_is_weaker_than_the_default),
        cmocka_unit_test(what_cannot_be_chosen_is_named),
    };
    return cmocka_run_group_tests(tests, lab_set_up, lab_tear_down);
}
