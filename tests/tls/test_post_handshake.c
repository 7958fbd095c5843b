/* What stands behind session tickets in the same read. A server of GnuTLS's own sends the tickets, as many as OpenSSL
 * does by default and more (RFC 8446 4.6.1). */
#include "test.h"

#include <errno.h>

#include <gnutls/gnutls.h>

#include "base/buf.h"
#include "certs.h"
#include "tls/tls.h"

struct server {
    gnutls_session_t tls;
    gnutls_certificate_credentials_t cred;
    gnutls_datum_t ticket_key;
    struct ssi_tls_session *client; /* ours */
    struct ssi_buf wire;            /* to the client, held back until it is carried */
};

static ssize_t pull(gnutls_transport_ptr_t arg, void *data, size_t len)
{
    struct server *s = arg;
    struct ssi_buf *out = ssi_tls_session_output(s->client);

    if (out->len == 0) {
        gnutls_transport_set_errno(s->tls, EAGAIN);
        return -1;
    }
    if (len > out->len)
        len = out->len;
    memcpy(data, ssi_buf_slice(out).p, len);
    ssi_buf_consume(out, len);
    return (ssize_t)len;
}

static ssize_t push(gnutls_transport_ptr_t arg, const void *data, size_t len)
{
    struct server *s = arg;

    ssi_buf_put(&s->wire, data, len);
    return (ssize_t)len;
}

static void carry(struct server *s)
{
    struct ssi_slice held = ssi_buf_slice(&s->wire);

    if (held.len > 0)
        assert_int_equal(ssi_tls_session_input(s->client, held.p, held.len), SSI_TLS_OPEN);
    ssi_buf_reset(&s->wire);
}

static void begin(struct server *s, secsip_tls_profile *profile)
{
    struct ssi_tls_config config = {
        .profile = profile, .domain = "example.test", .wall_s = LAB_NOW};
    gnutls_datum_t chain = {(unsigned char *)(uintptr_t)lab_chain(LAB_SERVER), 0};
    gnutls_datum_t key = {(unsigned char *)(uintptr_t)lab_key(LAB_SERVER), 0};
    int rc = GNUTLS_E_AGAIN;

    chain.size = (unsigned)strlen((char *)chain.data);
    key.size = (unsigned)strlen((char *)key.data);
    ssi_buf_init(&s->wire, 1 << 20);
    assert_int_equal(ssi_tls_session_new(&config, &s->client), 0);
    assert_int_equal(
        gnutls_init(&s->tls, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_AUTO_SEND_TICKET), 0);
    assert_int_equal(gnutls_certificate_allocate_credentials(&s->cred), 0);
    assert_int_equal(
        gnutls_certificate_set_x509_key_mem(s->cred, &chain, &key, GNUTLS_X509_FMT_PEM), 0);
    assert_int_equal(gnutls_credentials_set(s->tls, GNUTLS_CRD_CERTIFICATE, s->cred), 0);
    assert_int_equal(gnutls_set_default_priority(s->tls), 0);
    assert_int_equal(gnutls_session_ticket_key_generate(&s->ticket_key), 0);
    assert_int_equal(gnutls_session_ticket_enable_server(s->tls, &s->ticket_key), 0);
    gnutls_transport_set_ptr(s->tls, s);
    gnutls_transport_set_pull_function(s->tls, pull);
    gnutls_transport_set_push_function(s->tls, push);
    assert_true(ssi_tls_session_start(s->client) >= 0);
    for (int i = 0; i < 20 && rc == GNUTLS_E_AGAIN; i++) {
        rc = gnutls_handshake(s->tls);
        if (s->wire.len > 0)
            carry(s);
    }
    assert_int_equal(rc, 0);
}

static void end(struct server *s)
{
    gnutls_deinit(s->tls);
    gnutls_certificate_free_credentials(s->cred);
    gnutls_free(s->ticket_key.data);
    ssi_buf_free(&s->wire);
    ssi_tls_session_free(s->client);
}

static void data_behind_any_number_of_tickets_is_read_at_once(void **state)
{
    secsip_tls_profile *profile;
    char got[100];

    (void)state;
    lab_open();
    profile = lab_profile(LAB_N);
    for (unsigned n_tickets = 1; n_tickets <= 5; n_tickets++) {
        struct server s = {0};
        begin(&s, profile);
        assert_int_equal(gnutls_session_ticket_send(s.tls, n_tickets, 0), 0);
        assert_int_equal(gnutls_record_send(s.tls, "SIP/2.0 200 OK", 14), 14);
        carry(&s);
        assert_int_equal(ssi_tls_session_read(s.client, got, sizeof(got)), 14);
        assert_memory_equal(got, "SIP/2.0 200 OK", 14);
        assert_int_equal(ssi_tls_session_read(s.client, got, sizeof(got)), 0);
        end(&s);
    }
    secsip_tls_profile_unref(profile);
    lab_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_behind_any_number_of_tickets_is_read_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
