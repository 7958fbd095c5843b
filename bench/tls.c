/* TLS beside bare GnuTLS doing the same in the same run: full and resumed handshakes a second (both ends on one core, the
 * server's certificate verified), and one kilobyte sent and received. With --check it fails where our handshakes are more than
 * 5 % behind. What an idle connection keeps is measured by bench/idle.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gnutls/gnutls.h>

#include "../tests/fuzz/identity.h"
#include "base/buf.h"
#include "common/report.h"
#include "tls/tls.h"

enum {
    HANDSHAKES = 400,
    RECORDS = 50000,
    ROUNDS = 5,
    NOW = 1750000000,
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(int rc, const char *what)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "%s: %d\n", what, rc);
    exit(1);
}

/* ---- Ours. */

static secsip_tls_profile *client_profile, *server_profile;

struct ours {
    struct ssi_tls_session *client, *server;
};

static void ours_carry(struct ssi_tls_session *from, struct ssi_tls_session *to)
{
    struct ssi_buf *out = ssi_tls_session_output(from);
    must(ssi_tls_session_input(to, ssi_buf_slice(out).p, out->len), "input");
    ssi_buf_consume(out, out->len);
}

static void ours_open(struct ours *o)
{
    struct ssi_tls_config config = {
        .profile = client_profile, .domain = "example.test", .wall_s = NOW};
    char byte;

    must(ssi_tls_session_new(&config, &o->client), "client");
    config = (struct ssi_tls_config){.profile = server_profile, .server = true, .wall_s = NOW};
    must(ssi_tls_session_new(&config, &o->server), "server");
    ssi_tls_session_start(o->client);
    for (int i = 0; i < 3; i++) {
        ours_carry(o->client, o->server);
        ours_carry(o->server, o->client);
    }
    ssi_tls_session_read(o->client, &byte, 1);
    if (ssi_tls_session_state(o->client) != SSI_TLS_OPEN ||
        ssi_tls_session_state(o->server) != SSI_TLS_OPEN) {
        fprintf(stderr, "%s\n", ssi_tls_session_failure(o->client)->text);
        exit(1);
    }
    ssi_tls_session_read(o->server, &byte, 1);
}

static void ours_close(struct ours *o)
{
    ssi_tls_session_free(o->client);
    ssi_tls_session_free(o->server);
}

static double ours_handshakes(uint32_t resumption)
{
    struct ours o;

    must(ssi_tls_profile_new(&client_profile), "profile");
    must(ssi_tls_profile_new(&server_profile), "profile");
    must(ssi_tls_profile_add_trust_pem(client_profile, identity_cert, strlen(identity_cert)),
         "trust");
    must(ssi_tls_profile_set_identity_pem(server_profile, identity_cert, strlen(identity_cert),
                                          identity_key, strlen(identity_key)),
         "identity");
    must(ssi_tls_profile_set_resumption(client_profile, resumption), "resumption");
    must(ssi_tls_profile_set_resumption(server_profile, resumption), "resumption");
    ours_open(&o);
    ours_close(&o);
    double from = now();
    for (int i = 0; i < HANDSHAKES; i++) {
        ours_open(&o);
        if (ssi_tls_session_info(o.client)->resumed != (resumption != SECSIP_TLS_RESUME_OFF))
            exit(1);
        ours_close(&o);
    }
    return HANDSHAKES / (now() - from);
}

static double ours_records(void)
{
    static uint8_t data[1024];
    struct ours o;

    ours_open(&o);
    double from = now();
    for (int i = 0; i < RECORDS; i++) {
        must(ssi_tls_session_write(o.client, data, sizeof data), "write");
        ours_carry(o.client, o.server);
        if (ssi_tls_session_read(o.server, data, sizeof data) != sizeof data)
            exit(1);
    }
    double each = (now() - from) / RECORDS;
    ours_close(&o);
    return each * 1e6;
}

/* ---- Bare GnuTLS on the same kind of buffers. */

struct end {
    gnutls_session_t tls;
    struct ssi_buf in;
    struct end *other;
};

static gnutls_certificate_credentials_t client_cred, server_cred;
static gnutls_priority_t priority;
static gnutls_datum_t ticket_key, saved;

static ssize_t bare_pull(gnutls_transport_ptr_t arg, void *data, size_t len)
{
    struct end *e = arg;
    struct ssi_slice in = ssi_buf_slice(&e->in);

    if (in.len == 0) {
        gnutls_transport_set_errno(e->tls, EAGAIN);
        return -1;
    }
    len = len < in.len ? len : in.len;
    memcpy(data, in.p, len);
    ssi_buf_consume(&e->in, len);
    return (ssize_t)len;
}

static ssize_t bare_push(gnutls_transport_ptr_t arg, const void *data, size_t len)
{
    struct end *e = arg;
    ssi_buf_put(&e->other->in, data, len);
    return (ssize_t)len;
}

static void bare_init(struct end *e, struct end *other, bool server, bool resume)
{
    unsigned tickets = resume ? 0 : GNUTLS_NO_TICKETS;

    must(gnutls_init(&e->tls, (server ? GNUTLS_SERVER : GNUTLS_CLIENT) | GNUTLS_NONBLOCK |
                                  GNUTLS_NO_AUTO_SEND_TICKET | tickets),
         "init");
    e->other = other;
    ssi_buf_init(&e->in, 1 << 20);
    gnutls_transport_set_ptr(e->tls, e);
    gnutls_transport_set_pull_function(e->tls, bare_pull);
    gnutls_transport_set_push_function(e->tls, bare_push);
    must(gnutls_priority_set(e->tls, priority), "priority");
    must(gnutls_credentials_set(e->tls, GNUTLS_CRD_CERTIFICATE, server ? server_cred : client_cred),
         "credentials");
    if (server && resume)
        must(gnutls_session_ticket_enable_server(e->tls, &ticket_key), "ticket");
    if (!server) {
        gnutls_server_name_set(e->tls, GNUTLS_NAME_DNS, "example.test", 12);
        gnutls_session_set_verify_cert(e->tls, "example.test", 0);
        if (resume && saved.data)
            gnutls_session_set_data(e->tls, saved.data, saved.size);
    }
}

static void bare_open(struct end *client, struct end *server, bool resume)
{
    int c = GNUTLS_E_AGAIN, s = GNUTLS_E_AGAIN;
    char byte;

    bare_init(client, server, false, resume);
    bare_init(server, client, true, resume);
    for (int i = 0; i < 4 && (c < 0 || s < 0); i++) {
        c = c < 0 ? gnutls_handshake(client->tls) : c;
        s = s < 0 ? gnutls_handshake(server->tls) : s;
    }
    must(c, "client handshake");
    must(s, "server handshake");
    if (!resume)
        return;
    must(gnutls_session_ticket_send(server->tls, 1, 0), "ticket");
    gnutls_record_recv(client->tls, &byte, 1);
    gnutls_free(saved.data);
    must(gnutls_session_get_data2(client->tls, &saved), "data");
}

static void bare_close(struct end *e)
{
    gnutls_deinit(e->tls);
    ssi_buf_free(&e->in);
}

static void bare_set_up(void)
{
    gnutls_datum_t cert = {(unsigned char *)(uintptr_t)identity_cert, sizeof identity_cert - 1};
    gnutls_datum_t key = {(unsigned char *)(uintptr_t)identity_key, sizeof identity_key - 1};

    must(gnutls_certificate_allocate_credentials(&client_cred), "credentials");
    must(gnutls_certificate_allocate_credentials(&server_cred), "credentials");
    must(gnutls_certificate_set_x509_trust_mem(client_cred, &cert, GNUTLS_X509_FMT_PEM), "trust");
    must(gnutls_certificate_set_x509_key_mem(server_cred, &cert, &key, GNUTLS_X509_FMT_PEM), "key");
    must(gnutls_priority_init2(
             &priority,
             "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-256-GCM:-GROUP-ALL:+GROUP-X25519:"
             "+GROUP-SECP256R1",
             NULL, 0),
         "priority");
    must(gnutls_session_ticket_key_generate(&ticket_key), "ticket key");
}

static double bare_handshakes(bool resume)
{
    struct end client, server;

    gnutls_free(saved.data);
    saved.data = NULL;
    bare_open(&client, &server, resume);
    bare_close(&client);
    bare_close(&server);
    double from = now();
    for (int i = 0; i < HANDSHAKES; i++) {
        bare_open(&client, &server, resume);
        if (gnutls_session_is_resumed(client.tls) != resume)
            exit(1);
        bare_close(&client);
        bare_close(&server);
    }
    return HANDSHAKES / (now() - from);
}

static double bare_records(void)
{
    static uint8_t data[1024];
    struct end client, server;

    bare_open(&client, &server, false);
    double from = now();
    for (int i = 0; i < RECORDS; i++) {
        must((int)gnutls_record_send(client.tls, data, sizeof data), "send");
        must((int)gnutls_record_recv(server.tls, data, sizeof data), "receive");
    }
    double each = (now() - from) / RECORDS;
    bare_close(&client);
    bare_close(&server);
    return each * 1e6;
}

static double best(double a, double b, bool high)
{
    return a == 0 || (high ? b > a : b < a) ? b : a;
}

/* Handshakes are to be within 5 % of bare GnuTLS. */
static void compare(const char *what, const char *unit, double ours, double bare, double ratio,
                    bool judged)
{
    report(&(struct report_row){.what = what,
                                .unit = unit,
                                .ours = ours,
                                .peer = "GnuTLS",
                                .theirs = bare,
                                .ratio = ratio,
                                .op = judged ? ">=" : NULL,
                                .target = 0.95});
}

int main(int argc, char **argv)
{
    double full = 0, resumed = 0, record = 0, bare_full = 0, bare_resumed = 0, bare_record = 0;

    if (!report_open(argc, argv, ""))
        return 2;
    bare_set_up();
    for (int i = 0; i < ROUNDS; i++) {
        full = best(full, ours_handshakes(SECSIP_TLS_RESUME_OFF), true);
        bare_full = best(bare_full, bare_handshakes(false), true);
        resumed = best(resumed, ours_handshakes(SECSIP_TLS_RESUME_TLS13), true);
        bare_resumed = best(bare_resumed, bare_handshakes(true), true);
        record = best(record, ours_records(), false);
        bare_record = best(bare_record, bare_records(), false);
    }
    compare("full handshakes in a second", "", full, bare_full, full / bare_full, true);
    compare("resumed handshakes in a second", "", resumed, bare_resumed, resumed / bare_resumed,
            true);
    compare("1 kB sent and received", "us", record, bare_record, bare_record / record, false);
    return report_close();
}
