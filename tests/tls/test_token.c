/* Keys on PKCS#11 tokens, with SoftHSM as the token. Where it is not installed, everything here is skipped and says so. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <gnutls/abstract.h>
#include <gnutls/pkcs11.h>

#include "folder.h"
#include "tls_pair.h"

#define TOKEN   "pkcs11:token=secsip"
#define CERT(o) TOKEN ";object=" o ";type=cert"
#define KEY(o)  TOKEN ";object=" o ";type=private"

static char folder[] = "/tmp/secsip-token-XXXXXX";
static const char *missing; /* why there is no token */

static void must(int rc, const char *what)
{
    if (rc < 0)
        fail_msg("%s: %s", what, gnutls_strerror(rc));
}

static bool add_module(void)
{
    static const char *const places[] = {"/usr/lib/softhsm/libsofthsm2.so",
                                         "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
                                         "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
                                         "/usr/local/lib/softhsm/libsofthsm2.so"};

    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (access(places[i], R_OK) == 0 && gnutls_pkcs11_add_provider(places[i], NULL) >= 0)
            return true;
    return false;
}

static int give_pin(void *arg, int attempt, const char *url, const char *label, unsigned flags,
                    char *pin, size_t cap)
{
    (void)arg, (void)attempt, (void)url, (void)label, (void)flags;
    snprintf(pin, cap, "1234");
    return 0;
}

/* A certificate and its key onto the token; then the key exists nowhere else. */
static void put(const char *label, enum lab_cert which)
{
    const char *chain = lab_chain(which), *key_text = lab_key(which);
    gnutls_datum_t chain_pem = {(unsigned char *)(uintptr_t)chain, (unsigned)strlen(chain)};
    gnutls_datum_t key_pem = {(unsigned char *)(uintptr_t)key_text, (unsigned)strlen(key_text)};
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
    uint8_t id[20];
    size_t id_len = sizeof id;

    must(gnutls_x509_crt_init(&crt), "crt");
    must(gnutls_x509_crt_import(crt, &chain_pem, GNUTLS_X509_FMT_PEM), "crt import");
    must(gnutls_x509_privkey_init(&key), "key");
    must(gnutls_x509_privkey_import(key, &key_pem, GNUTLS_X509_FMT_PEM), "key import");
    must(gnutls_x509_crt_get_key_id(crt, 0, id, &id_len), "id");
    gnutls_datum_t cid = {id, (unsigned)id_len};
    must(gnutls_pkcs11_copy_x509_crt2(TOKEN, crt, label, &cid, GNUTLS_PKCS11_OBJ_FLAG_LOGIN),
         "copy certificate");
    must(gnutls_pkcs11_copy_x509_privkey2(TOKEN, key, label, &cid, GNUTLS_KEY_DIGITAL_SIGNATURE,
                                          GNUTLS_PKCS11_OBJ_FLAG_LOGIN |
                                              GNUTLS_PKCS11_OBJ_FLAG_MARK_SENSITIVE |
                                              GNUTLS_PKCS11_OBJ_FLAG_MARK_PRIVATE),
         "copy key");
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
}

static void make_token(void)
{
    char text[128];

    test_folder_make(folder);
    snprintf(text, sizeof text, "%s/softhsm2.conf", folder);
    FILE *f = fopen(text, "we");
    assert_non_null(f);
    fprintf(f, "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n",
            folder);
    fclose(f);
    setenv("SOFTHSM2_CONF", text, 1);
    /* The command is a constant. NOLINTNEXTLINE(cert-env33-c) */
    if (system("softhsm2-util --init-token --free --label secsip --so-pin so-1234 --pin 1234 "
               ">/dev/null 2>&1") != 0) {
        missing = "SoftHSM is not installed (tools/setup test)";
        return;
    }
    must(gnutls_pkcs11_init(GNUTLS_PKCS11_FLAG_MANUAL, NULL), "pkcs11");
    if (!add_module())
        fail_msg("softhsm2-util is there, its module is not");
    gnutls_pkcs11_set_pin_function(give_pin, NULL);
    put("server", LAB_SERVER);
    put("rsa", LAB_RSA);
    put("alice", LAB_ALICE);
    /* From here on nobody but the profile's callback knows the PIN. */
    gnutls_pkcs11_set_pin_function(NULL, NULL);
}

/* ---- The profile's callback. */
static struct {
    const char *pin;
    int n_asked;
    char what[64];
} asked;

static int32_t ask_pin(const char *what, char *out, size_t cap, void *user_data)
{
    assert_ptr_equal(user_data, &asked);
    asked.n_asked++;
    snprintf(asked.what, sizeof asked.what, "%s", what);
    if (!asked.pin)
        return SECSIP_E_CANCELLED;
    snprintf(out, cap, "%s", asked.pin);
    return 0;
}

static secsip_tls_profile *profile_with(const char *cert, const char *key, secsip_result expected)
{
    secsip_tls_profile *p = lab_profile(LAB_N);

    assert_int_equal(secsip_tls_profile_set_password(p, ask_pin, &asked), 0);
    assert_int_equal(secsip_tls_profile_set_identity_uri(p, cert, key), expected);
    if (expected < 0)
        print_message("%s\n", secsip_tls_profile_error(p)->text);
    return p;
}

static secsip_result meet(secsip_tls_profile *cp, secsip_tls_profile *sp, const char *domain)
{
    struct tls_pair p;

    tls_pair_open(&p, cp, sp, domain, LAB_NOW);
    tls_pair_pump(&p);
    secsip_result r = ssi_tls_session_failure(p.client)->result;
    if (r == 0)
        r = ssi_tls_session_failure(p.server)->result;
    if (r == 0) {
        assert_int_equal(ssi_tls_session_state(p.client), SSI_TLS_OPEN);
        assert_int_equal(ssi_tls_session_state(p.server), SSI_TLS_OPEN);
    }
    tls_pair_close(&p);
    return r;
}

static void need_token(void)
{
    if (!missing)
        return;
    print_message("SKIPPED: %s\n", missing);
    skip();
}

static void servers_and_clients_sign_with_a_token(void **state)
{
    (void)state;
    static const uint32_t versions[] = {SECSIP_TLS_VERSION_1_2, SECSIP_TLS_VERSION_1_3};

    need_token();
    asked.pin = "1234";
    for (int i = 0; i < 4; i++) {
        secsip_tls_profile *sp = i / 2 ? profile_with(CERT("rsa"), KEY("rsa"), 0)
                                       : profile_with(CERT("server"), KEY("server"), 0);
        secsip_tls_profile *cp = profile_with(CERT("alice"), KEY("alice"), 0);
        assert_int_equal(ssi_tls_profile_set_version(sp, versions[i % 2]), 0);
        assert_int_equal(secsip_tls_profile_set_client_cert(sp, SECSIP_TLS_CLIENT_CERT_REQUIRE), 0);
        assert_int_equal(meet(cp, sp, "example.test"), 0);
        secsip_tls_profile_unref(sp);
        secsip_tls_profile_unref(cp);
    }
    assert_true(asked.n_asked > 0);
    assert_string_equal(asked.what, "secsip");
}

static void a_certificate_may_be_in_a_file_and_its_key_on_the_token(void **state)
{
    (void)state;
    char path[64];

    need_token();
    snprintf(path, sizeof path, "%s/server.pem", folder);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    fputs(lab_chain(LAB_SERVER), f);
    fclose(f);
    asked.pin = "1234";
    secsip_tls_profile *sp = profile_with(path, KEY("server"), 0), *cp = lab_profile(LAB_N);
    assert_int_equal(meet(cp, sp, "example.test"), 0);
    secsip_tls_profile_unref(sp);
    /* Beside another identity: chosen by name. */
    sp = lab_profile(LAB_WRONGNAME);
    assert_int_equal(secsip_tls_profile_set_password(sp, ask_pin, &asked), 0);
    assert_int_equal(secsip_tls_profile_add_identity_uri(sp, path, KEY("server")), 0);
    assert_int_equal(meet(cp, sp, "example.test"), 0);
    assert_int_equal(meet(cp, sp, "wrong.test"), 0);
    secsip_tls_profile_unref(sp);
    /* The key is another's. */
    secsip_tls_profile_unref(profile_with(path, KEY("alice"), SECSIP_E_TLS_CREDENTIALS));
    secsip_tls_profile_unref(cp);
}

static void a_pin_may_stand_in_the_uri_and_is_never_shown(void **state)
{
    (void)state;
    need_token();
    asked.n_asked = 0;
    secsip_tls_profile *sp = profile_with(CERT("server"), KEY("server") "?pin-value=1234", 0);
    assert_int_equal(asked.n_asked, 0);
    secsip_tls_profile_unref(sp);
    secsip_tls_profile *p =
        profile_with(CERT("server"), KEY("nothing") "?pin-value=1234", SECSIP_E_TLS_CREDENTIALS);
    assert_non_null(strstr(secsip_tls_profile_error(p)->text, "object=nothing"));
    assert_null(strstr(secsip_tls_profile_error(p)->text, "1234"));
    assert_null(strstr(secsip_tls_profile_error(p)->found, "1234"));
    secsip_tls_profile_unref(p);
}

static void a_wrong_pin_is_tried_once(void **state)
{
    (void)state;
    static const char *const wrong[] = {"4321", NULL};

    need_token();
    for (int i = 0; i < 2; i++) {
        asked.pin = wrong[i];
        asked.n_asked = 0;
        secsip_tls_profile *p =
            profile_with(CERT("server"), KEY("server"), SECSIP_E_TLS_CREDENTIALS);
        assert_int_equal(asked.n_asked, 1);
        assert_non_null(strstr(secsip_tls_profile_error(p)->text, "PIN"));
        secsip_tls_profile_unref(p);
    }
    asked.pin = "1234";
    secsip_tls_profile_unref(profile_with(CERT("server"), KEY("server"), 0));
}

static void what_is_no_uri_is_refused(void **state)
{
    (void)state;
    secsip_tls_profile *p = lab_profile(LAB_N);
    char longer[1100];

    assert_int_equal(secsip_tls_profile_set_identity_uri(p, "x", "/some/file.key"),
                     SECSIP_E_TLS_CREDENTIALS);
    assert_int_equal(secsip_tls_profile_set_identity_uri(p, "/nonexistent.pem", KEY("server")),
                     SECSIP_E_FILE);
    assert_int_equal(secsip_tls_profile_set_identity_uri(p, NULL, KEY("server")), SECSIP_E_INVALID);
    assert_int_equal(secsip_tls_profile_add_identity_uri(p, CERT("server"), KEY("server")),
                     SECSIP_E_STATE);
    memset(longer, 'x', sizeof longer - 1);
    memcpy(longer, "pkcs11:", 7);
    longer[sizeof longer - 1] = 0;
    assert_int_equal(secsip_tls_profile_set_identity_uri(p, CERT("server"), longer),
                     SECSIP_E_TLS_CREDENTIALS);
    secsip_tls_profile_unref(p);
}

static int set_up(void **state)
{
    (void)state;
    lab_open();
    make_token();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lab_close();
    gnutls_pkcs11_deinit();
    return test_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers_and_clients_sign_with_a_token),
        cmocka_unit_test(a_certificate_may_be_in_a_file_and_its_key_on_the_token),
        cmocka_unit_test(a_pin_may_stand_in_the_uri_and_is_never_shown),
        cmocka_unit_test(a_wrong_pin_is_tried_once),
        cmocka_unit_test(what_is_no_uri_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
