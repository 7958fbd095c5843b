/* Two TLS sessions back to back, see tls_pair.h. */
#include "tls_pair.h"

#include "test.h"

size_t tls_pair_carry(struct ssi_tls_session *from, struct ssi_tls_session *to, size_t chunk)
{
    struct ssi_buf *out = ssi_tls_session_output(from);
    size_t moved = 0;

    while (out->len > 0) {
        size_t n = chunk && chunk < out->len ? chunk : out->len;
        assert_true(ssi_tls_session_input(to, ssi_buf_slice(out).p, n) >= 0);
        ssi_buf_consume(out, n);
        moved += n;
    }
    return moved;
}

void tls_pair_open(struct tls_pair *p, secsip_tls_profile *client, secsip_tls_profile *server,
                   const char *domain, uint64_t wall_s)
{
    tls_pair_open_at(p, client, server, domain, wall_s, wall_s);
}

void tls_pair_open_at(struct tls_pair *p, secsip_tls_profile *client, secsip_tls_profile *server,
                      const char *domain, uint64_t client_wall_s, uint64_t server_wall_s)
{
    struct ssi_tls_config config = {.profile = client, .domain = domain, .wall_s = client_wall_s};

    p->chunk = 0;
    assert_int_equal(ssi_tls_session_new(&config, &p->client), 0);
    config = (struct ssi_tls_config){.profile = server, .server = true, .wall_s = server_wall_s};
    assert_int_equal(ssi_tls_session_new(&config, &p->server), 0);
    assert_int_equal(ssi_tls_session_start(p->client), SSI_TLS_HANDSHAKE);
}

void tls_pair_close(struct tls_pair *p)
{
    ssi_tls_session_free(p->client);
    ssi_tls_session_free(p->server);
    p->client = p->server = NULL;
}

void tls_pair_pump(struct tls_pair *p)
{
    while (tls_pair_carry(p->client, p->server, p->chunk) +
               tls_pair_carry(p->server, p->client, p->chunk) >
           0)
        ;
}
