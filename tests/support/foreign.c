/* GnuTLS against a session of ours, see foreign.h. */
#include "foreign.h"

#include "test.h"

#include <errno.h>

#include "certs.h"

static ssize_t pull(gnutls_transport_ptr_t arg, void *data, size_t len)
{
    struct foreign *f = arg;
    struct ssi_buf *out = ssi_tls_session_output(f->ours);

    if (out->len == 0) {
        gnutls_transport_set_errno(f->tls, EAGAIN);
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
    struct foreign *f = arg;

    ssi_tls_session_input(f->ours, data, len);
    return (ssize_t)len;
}

void foreign_open(struct foreign *f, const struct ssi_tls_config *config, unsigned role,
                  const char *priority)
{
    assert_int_equal(ssi_tls_session_new(config, &f->ours), 0);
    assert_int_equal(gnutls_init(&f->tls, role | GNUTLS_NONBLOCK), 0);
    assert_int_equal(gnutls_certificate_allocate_credentials(&f->cred), 0);
    assert_int_equal(gnutls_credentials_set(f->tls, GNUTLS_CRD_CERTIFICATE, f->cred), 0);
    assert_int_equal(gnutls_priority_set_direct(f->tls, priority, NULL), 0);
    gnutls_transport_set_ptr(f->tls, f);
    gnutls_transport_set_pull_function(f->tls, pull);
    gnutls_transport_set_push_function(f->tls, push);
}

void foreign_show_server(struct foreign *f)
{
    const char *chain = lab_chain(LAB_SERVER), *key = lab_key(LAB_SERVER);
    gnutls_datum_t chain_pem = {(unsigned char *)(uintptr_t)chain, (unsigned)strlen(chain)};
    gnutls_datum_t key_pem = {(unsigned char *)(uintptr_t)key, (unsigned)strlen(key)};

    assert_true(gnutls_certificate_set_x509_key_mem(f->cred, &chain_pem, &key_pem,
                                                    GNUTLS_X509_FMT_PEM) >= 0);
}

int foreign_handshake(struct foreign *f)
{
    int rc = GNUTLS_E_AGAIN;

    ssi_tls_session_start(f->ours); /* nothing, where ours is the server */
    for (int i = 0; i < 20 && rc == GNUTLS_E_AGAIN; i++)
        rc = gnutls_handshake(f->tls);
    return rc;
}

void foreign_end(struct foreign *f)
{
    gnutls_deinit(f->tls);
    gnutls_certificate_free_credentials(f->cred);
    ssi_tls_session_free(f->ours);
}
