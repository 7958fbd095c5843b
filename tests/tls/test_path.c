/* The path from a certificate to who is trusted: what is judged is the one that leads there, and no want of memory makes it
 * shorter. */
#include "test.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "forge.h"
#include "oom.h"
#include "tls/profile.h"
#include "tls/verify.h"

enum {
    MAX_SENT = 3
};

/* What a peer shows, and to whom. */
struct chain {
    secsip_tls_profile *profile;
    gnutls_datum_t der[MAX_SENT];
    size_t n;
};

static void send_cert(struct chain *c, gnutls_x509_crt_t crt)
{
    c->der[c->n++] = forge_der(crt);
}

static void free_chain(struct chain *c)
{
    while (c->n > 0)
        gnutls_free(c->der[--c->n].data);
    secsip_tls_profile_unref(c->profile);
}

static void trust(struct chain *c, gnutls_x509_crt_t crt)
{
    gnutls_datum_t pem;

    assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem), 0);
    assert_int_equal(secsip_tls_profile_add_trust_pem(c->profile, (const char *)pem.data, pem.size),
                     0);
    gnutls_free(pem.data);
}

static secsip_result judge(const struct chain *c, struct ssi_tls_failure *ret)
{
    struct ssi_tls_check check = {.trust = &c->profile->trust,
                                  .policy = &c->profile->policy,
                                  .domain = "example.test",
                                  .wall_s = LAB_NOW};
    struct ssi_tls_verdict v;

    ssi_tls_names_init(&v.names);
    secsip_result r = ssi_tls_verify(&check, c->der, c->n, &v);
    ssi_tls_names_free(&v.names);
    *ret = v.failure;
    return r;
}

/* An intermediate authority that has expired, and the same name and key again with dates that are good, which nobody who is
 * trusted has signed: GnuTLS is content with the one, the dates of the other are fine, and there is no path with both. */
static void make_split(struct chain *c)
{
    gnutls_x509_crt_t root = forge_read_cert(LAB_CA), stranger = forge_read_cert(LAB_OTHERCA);
    gnutls_x509_crt_t old = forge_cert(&(struct forge){.cn = "between",
                                                       .key = LAB_INTERMEDIATE,
                                                       .signer_key = LAB_CA,
                                                       .signer = root,
                                                       .authority = true,
                                                       .until = LAB_NOW - 1});
    gnutls_x509_crt_t fresh = forge_cert(&(struct forge){.cn = "between",
                                                         .key = LAB_INTERMEDIATE,
                                                         .signer_key = LAB_OTHERCA,
                                                         .signer = stranger,
                                                         .authority = true,
                                                         .until = LAB_UNTIL});
    gnutls_x509_crt_t leaf = forge_cert(&(struct forge){.cn = "x",
                                                        .key = LAB_SERVER,
                                                        .signer_key = LAB_INTERMEDIATE,
                                                        .signer = old,
                                                        .until = LAB_UNTIL});

    *c = (struct chain){.profile = lab_profile(LAB_N)};
    send_cert(c, leaf);
    send_cert(c, old);
    send_cert(c, fresh);
    gnutls_x509_crt_deinit(leaf);
    gnutls_x509_crt_deinit(fresh);
    gnutls_x509_crt_deinit(old);
    gnutls_x509_crt_deinit(stranger);
    gnutls_x509_crt_deinit(root);
}

static void a_path_that_leads_to_nobody_proves_nothing(void **state)
{
    (void)state;
    struct ssi_tls_failure f;
    struct chain c;

    make_split(&c);
    assert_int_equal(judge(&c, &f), SECSIP_E_TLS_CERT_UNTRUSTED);
    assert_string_equal(f.check, "trust");
    free_chain(&c);
}

/* What is trusted need not be an authority. */
static void a_trusted_leaf_needs_no_issuer(void **state)
{
    (void)state;
    gnutls_x509_crt_t leaf = forge_read_cert(LAB_FROM_OTHERCA);
    struct chain c = {.profile = lab_profile(LAB_N)};
    struct ssi_tls_failure f;

    send_cert(&c, leaf);
    assert_int_equal(judge(&c, &f), SECSIP_E_TLS_CERT_UNTRUSTED);
    trust(&c, leaf);
    assert_int_equal(judge(&c, &f), 0);
    gnutls_x509_crt_deinit(leaf);
    free_chain(&c);
}

/* ---- Memory. GnuTLS calls through variables of its own, which this program may set: its allocations are counted with ours. */
static void *fail_malloc(size_t n)
{
    return malloc(n);
}

static void *fail_calloc(size_t n, size_t size)
{
    return calloc(n, size);
}

static void *fail_realloc(void *p, size_t n)
{
    return realloc(p, n);
}

static char *fail_strdup(const char *s)
{
    return strdup(s);
}

static void count_gnutls(bool count)
{
    static gnutls_alloc_function plain_malloc;
    static gnutls_calloc_function plain_calloc;
    static gnutls_realloc_function plain_realloc;
    static char *(*plain_strdup)(const char *);

    if (!plain_malloc) {
        plain_malloc = gnutls_malloc;
        plain_calloc = gnutls_calloc;
        plain_realloc = gnutls_realloc;
        plain_strdup = gnutls_strdup;
    }
    gnutls_malloc = count ? fail_malloc : plain_malloc;
    gnutls_calloc = count ? fail_calloc : plain_calloc;
    gnutls_realloc = count ? fail_realloc : plain_realloc;
    gnutls_strdup = count ? fail_strdup : plain_strdup;
}

enum outcome {
    ACCEPTED,
    REFUSED,
    DONE, /* nothing failed any more */
    WRONG,
    N_OUTCOMES,
};

enum {
    MAX_ALLOCATIONS = 2000
};

/* Of one chain; shared with the children. */
struct tally {
    uint64_t at; /* the allocation that fails now */
    int n[N_OUTCOMES];
};

static enum outcome judge_without(const struct chain *c, uint64_t n, secsip_result with_memory)
{
    struct ssi_tls_failure f;

    test_oom_fail_at(n);
    secsip_result r = judge(c, &f);
    test_oom_pause();
    bool failed = test_oom_count() >= n;
    test_oom_resume();
    if (r < 0 && (!f.text[0] || !f.check || !f.check[0]))
        return WRONG;
    if (!failed)
        return r == with_memory ? DONE : WRONG;
    return r == 0 ? ACCEPTED : REFUSED;
}

/* A child: goes on until nothing fails any more, or it dies. */
static void judge_on(struct tally *t, const struct chain *c, secsip_result with_memory)
{
    const struct rlimit no_core = {0, 0};

    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGSEGV, SIG_DFL);
    while (t->n[DONE] == 0 && t->at < MAX_ALLOCATIONS) {
        t->at++;
        t->n[judge_without(c, t->at, with_memory)]++;
    }
    _exit(0);
}

/* One verdict for each allocation that fails. GnuTLS itself does not always survive want of memory, so that this is done in
 * processes of their own; what counts is that nothing is accepted that would not be. */
static void run_short_of_memory(struct chain *c, const char *name, secsip_result with_memory)
{
    struct tally *t =
        mmap(NULL, sizeof *t, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int died = 0, status = 1;

    assert_ptr_not_equal(t, MAP_FAILED);
    count_gnutls(true);
    while (status != 0) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            judge_on(t, c, with_memory);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) || status == 0);
        died += status != 0;
    }
    count_gnutls(false);
    print_message("%s: refused %d, accepted %d, died in GnuTLS %d\n", name, t->n[REFUSED],
                  t->n[ACCEPTED], died);
    assert_int_equal(t->n[WRONG], 0);
    assert_int_equal(t->n[DONE], 1);
    assert_true(t->n[REFUSED] > 20);
    if (with_memory < 0)
        assert_int_equal(t->n[ACCEPTED], 0);
    munmap(t, sizeof *t);
    free_chain(c);
}

static void send_lab(struct chain *c, enum lab_cert which)
{
    gnutls_x509_crt_t crt = forge_read_cert(which);

    send_cert(c, crt);
    gnutls_x509_crt_deinit(crt);
}

static void no_want_of_memory_makes_a_bad_chain_good(void **state)
{
    (void)state;
    static const struct {
        enum lab_cert cert;
        bool via; /* the intermediate is sent along */
        uint32_t crl_until;
        secsip_result result;
    } rows[] = {
        {LAB_SERVER, false, 0, 0},
        {LAB_SERVER, false, LAB_UNTIL, 0},
        {LAB_VIA_INTERMEDIATE, true, LAB_UNTIL, 0},
        {LAB_SERVER, false, LAB_NOW - 1, SECSIP_E_TLS_CERT_STATUS},
        {LAB_REVOKED, false, LAB_UNTIL, SECSIP_E_TLS_CERT_REVOKED},
        {LAB_MUSTSTAPLE, false, 0, SECSIP_E_TLS_CERT_STATUS},
        {LAB_FROM_OTHERCA, false, 0, SECSIP_E_TLS_CERT_UNTRUSTED},
        {LAB_SELFSIGNED, false, 0, SECSIP_E_TLS_CERT_SELF_SIGNED},
        {LAB_EXPIRED, false, 0, SECSIP_E_TLS_CERT_EXPIRED},
        {LAB_CLIENTONLY, false, 0, SECSIP_E_TLS_CERT_PURPOSE},
        {LAB_DNS_BESIDE_SIP, false, 0, SECSIP_E_TLS_CERT_NAME},
        {LAB_CNTRAP, false, 0, SECSIP_E_TLS_CERT_NAME},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct chain c = {.profile = lab_profile(LAB_N)};
        send_lab(&c, rows[i].cert);
        if (rows[i].via)
            send_lab(&c, LAB_INTERMEDIATE);
        if (rows[i].crl_until) {
            char *crl = lab_crl(LAB_CA, rows[i].crl_until);
            assert_int_equal(secsip_tls_profile_add_crl_pem(c.profile, crl, strlen(crl)), 0);
            free(crl);
        }
        run_short_of_memory(&c, lab_name(rows[i].cert), rows[i].result);
    }
}

/* The intermediate that has expired must not fall out of the path. */
static void no_want_of_memory_makes_a_path_shorter(void **state)
{
    (void)state;
    struct chain c;

    make_split(&c);
    gnutls_free(c.der[--c.n].data); /* leaf and expired intermediate alone */
    run_short_of_memory(&c, "expired intermediate", SECSIP_E_TLS_CERT_EXPIRED);
    make_split(&c);
    run_short_of_memory(&c, "split", SECSIP_E_TLS_CERT_UNTRUSTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_that_leads_to_nobody_proves_nothing),
        cmocka_unit_test(a_trusted_leaf_needs_no_issuer),
        cmocka_unit_test(no_want_of_memory_makes_a_bad_chain_good),
        cmocka_unit_test(no_want_of_memory_makes_a_path_shorter),
    };
    return cmocka_run_group_tests(tests, lab_set_up, lab_tear_down);
}
