/* TLS records into a server and a client session. The first byte chooses:
 *   0  the rest goes to a server as it is
 *   1  the rest goes to a client that has sent its hello
 *   2  a true handshake between the two, changed on the way: each four bytes are a place (2), a value to XOR (1) and
 *      whose flight (1); then a word is sent each way
 *   3  a client of GnuTLS's own in TLS 1.3 finishes its handshake with our server, then follows a script: each two bytes are
 *      what it does and how much of it. This is how odd things come inside the encryption
 *   4  the same in TLS 1.2
 * A session that has been tampered with never becomes open with something else than what was sent, and what is read is a
 * beginning of what was sent, in order; all of it, where nothing was forged. */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#include <gnutls/gnutls.h>

#include "identity.h"
#include "tls/tls.h"

enum {
    NOW = 1750000000,
    MAX_STEPS = 200,
};

static secsip_tls_profile *client_profile, *server_profile;

static void set_up(void)
{
    if (client_profile)
        return;
    FUZZ_CHECK(ssi_tls_profile_new(&client_profile) == 0);
    FUZZ_CHECK(ssi_tls_profile_new(&server_profile) == 0);
    FUZZ_CHECK(
        ssi_tls_profile_add_trust_pem(client_profile, identity_cert, strlen(identity_cert)) == 0);
    FUZZ_CHECK(ssi_tls_profile_set_identity_pem(server_profile, identity_cert,
                                                strlen(identity_cert), identity_key,
                                                strlen(identity_key)) == 0);
}

static struct ssi_tls_session *open_session(bool server)
{
    struct ssi_tls_config config = {.profile = server ? server_profile : client_profile,
                                    .server = server,
                                    .domain = "example.test",
                                    .wall_s = NOW};
    struct ssi_tls_session *s;

    FUZZ_CHECK(ssi_tls_session_new(&config, &s) == 0);
    ssi_tls_session_start(s);
    return s;
}

static void check_end(const struct ssi_tls_session *s)
{
    if (ssi_tls_session_state(s) != SSI_TLS_FAILED)
        return;
    FUZZ_CHECK(ssi_tls_session_failure(s)->result < 0);
    FUZZ_CHECK(ssi_tls_session_failure(s)->text[0]);
    FUZZ_CHECK(ssi_tls_session_info(s)->size == 0 || ssi_tls_session_info(s)->version[0]);
}

static void feed_one(bool server, const uint8_t *data, size_t size)
{
    struct ssi_tls_session *s = open_session(server);
    char byte;

    /* In two pieces, so that records are cut. */
    ssi_tls_session_input(s, data, size / 2);
    ssi_tls_session_input(s, data + size / 2, size - size / 2);
    FUZZ_CHECK(ssi_tls_session_state(s) != SSI_TLS_OPEN);
    ssi_tls_session_read(s, &byte, 1);
    check_end(s);
    ssi_tls_session_free(s);
}

/* Carries the output of one side over, changed where the input says so. */
static size_t carry(struct ssi_tls_session *from, struct ssi_tls_session *to, unsigned flight,
                    const uint8_t *ops, size_t n_ops)
{
    struct ssi_buf *out = ssi_tls_session_output(from);
    size_t len = out->len;

    for (size_t i = 0; i < n_ops && len > 0; i++)
        if (ops[4 * i + 3] % 6 == flight)
            out->data[out->off + ((size_t)ops[4 * i] << 8 | ops[4 * i + 1]) % len] ^=
                ops[4 * i + 2];
    ssi_tls_session_input(to, ssi_buf_slice(out).p, len);
    ssi_buf_consume(out, len);
    return len;
}

static void read_word(struct ssi_tls_session *s, const char *word, bool must_come)
{
    char got[64];
    int32_t n = ssi_tls_session_read(s, got, sizeof got);

    FUZZ_CHECK(n > 0 || !must_come);
    FUZZ_CHECK(n <= 0 || ((size_t)n == strlen(word) && memcmp(got, word, (size_t)n) == 0));
}

static void tamper(const uint8_t *ops, size_t n_ops)
{
    struct ssi_tls_session *client = open_session(false), *server = open_session(true);

    for (unsigned flight = 0; flight < 4; flight++)
        carry(flight % 2 ? server : client, flight % 2 ? client : server, flight, ops, n_ops);
    ssi_tls_session_write(client, "from the client", 15);
    ssi_tls_session_write(server, "from the server", 15);
    carry(client, server, 4, ops, n_ops);
    carry(server, client, 5, ops, n_ops);
    read_word(server, "from the client", n_ops == 0);
    read_word(client, "from the server", n_ops == 0);
    check_end(client);
    check_end(server);
    ssi_tls_session_free(client);
    ssi_tls_session_free(server);
}

/* ---- A client of GnuTLS's own. */

struct scripted {
    gnutls_session_t tls;
    struct ssi_tls_session *server; /* ours */
    struct ssi_buf wire;            /* to the server */
    struct ssi_buf sent, got;       /* what went in and came out of the encryption */
    bool forged;                    /* bytes that no client wrote are in the stream */
};

static ssize_t pull(gnutls_transport_ptr_t arg, void *data, size_t len)
{
    struct scripted *c = arg;
    struct ssi_buf *out = ssi_tls_session_output(c->server);

    if (out->len == 0) {
        gnutls_transport_set_errno(c->tls, EAGAIN);
        return -1;
    }
    len = len < out->len ? len : out->len;
    memcpy(data, ssi_buf_slice(out).p, len);
    ssi_buf_consume(out, len);
    return (ssize_t)len;
}

static ssize_t push(gnutls_transport_ptr_t arg, const void *data, size_t len)
{
    struct scripted *c = arg;

    ssi_buf_put(&c->wire, data, len);
    return (ssize_t)len;
}

static void carry_in(struct scripted *c, size_t most)
{
    size_t n = c->wire.len < most ? c->wire.len : most;
    int32_t r;

    ssi_tls_session_input(c->server, ssi_buf_slice(&c->wire).p, n);
    ssi_buf_consume(&c->wire, n);
    do {
        uint8_t *room = ssi_buf_reserve(&c->got, 4096);
        FUZZ_CHECK(room);
        r = ssi_tls_session_read(c->server, room, 4096);
        if (r > 0)
            ssi_buf_commit(&c->got, (size_t)r);
    } while (r > 0);
}

static void scripted_open(struct scripted *c, bool old)
{
    static gnutls_certificate_credentials_t cred;
    int rc = GNUTLS_E_AGAIN;

    memset(c, 0, sizeof *c);
    c->server = open_session(true);
    ssi_buf_init(&c->wire, 1 << 24);
    ssi_buf_init(&c->sent, 1 << 24);
    ssi_buf_init(&c->got, 1 << 24);
    if (!cred)
        FUZZ_CHECK(gnutls_certificate_allocate_credentials(&cred) >= 0);
    FUZZ_CHECK(gnutls_init(&c->tls, GNUTLS_CLIENT | GNUTLS_NONBLOCK) >= 0);
    FUZZ_CHECK(gnutls_credentials_set(c->tls, GNUTLS_CRD_CERTIFICATE, cred) >= 0);
    FUZZ_CHECK(gnutls_priority_set_direct(
                   c->tls, old ? "NORMAL:-VERS-ALL:+VERS-TLS1.2" : "NORMAL:-VERS-ALL:+VERS-TLS1.3",
                   NULL) >= 0);
    gnutls_transport_set_ptr(c->tls, c);
    gnutls_transport_set_pull_function(c->tls, pull);
    gnutls_transport_set_push_function(c->tls, push);
    for (int i = 0; i < 6 && rc != 0; i++) {
        rc = gnutls_handshake(c->tls);
        carry_in(c, SIZE_MAX);
    }
    FUZZ_CHECK(rc == 0);
    FUZZ_CHECK(ssi_tls_session_state(c->server) == SSI_TLS_OPEN);
}

static void send_much(struct scripted *c, uint8_t much)
{
    static uint8_t data[256 * 70];
    size_t len = (size_t)much * 70 + 1;

    memset(data, much, len);
    ssize_t n = gnutls_record_send(c->tls, data, len);
    if (n > 0)
        ssi_buf_put(&c->sent, data, (size_t)n);
}

static void forge(struct scripted *c, uint8_t type)
{
    const uint8_t record[] = {type, 3, 3, 0, 4, 1, 0, 0, type};

    ssi_buf_put(&c->wire, record, sizeof record);
    c->forged = true;
}

static void do_step(struct scripted *c, uint8_t what, uint8_t much)
{
    uint8_t answer[64];

    switch (what % 8) {
    case 0:
        send_much(c, much);
        break;
    case 1:
        gnutls_session_key_update(c->tls, much % 2 ? GNUTLS_KU_PEER : 0);
        break;
    case 2:
        gnutls_alert_send(c->tls, GNUTLS_AL_WARNING, (gnutls_alert_description_t)(1 + much % 120));
        break;
    case 3:
        gnutls_bye(c->tls, GNUTLS_SHUT_WR);
        break;
    case 4:
        forge(c, much);
        break;
    case 5:
        carry_in(c, (size_t)much * 16);
        break;
    case 6:
        ssi_tls_session_write(c->server, "from the server", 15);
        gnutls_record_recv(c->tls, answer, sizeof answer);
        break;
    default: /* TLS 1.2: wants to renegotiate, which is refused */
        gnutls_handshake(c->tls);
    }
}

static void follow_script(bool old, const uint8_t *steps, size_t n_steps)
{
    struct scripted c;
    bool only_data = true;

    scripted_open(&c, old);
    for (size_t i = 0; i < n_steps && i < MAX_STEPS; i++) {
        unsigned what = steps[2 * i] % 8;
        only_data = only_data && (what == 0 || what == 5 || what == 6);
        do_step(&c, steps[2 * i], steps[2 * i + 1]);
    }
    carry_in(&c, SIZE_MAX);
    FUZZ_CHECK(c.got.len <= c.sent.len);
    FUZZ_CHECK(c.got.len == 0 ||
               memcmp(ssi_buf_slice(&c.got).p, ssi_buf_slice(&c.sent).p, c.got.len) == 0);
    if (ssi_tls_session_state(c.server) == SSI_TLS_OPEN && !c.forged)
        FUZZ_CHECK(c.got.len == c.sent.len);
    FUZZ_CHECK(!only_data || ssi_tls_session_state(c.server) == SSI_TLS_OPEN);
    check_end(c.server);
    gnutls_deinit(c.tls);
    ssi_tls_session_free(c.server);
    ssi_buf_free(&c.wire);
    ssi_buf_free(&c.sent);
    ssi_buf_free(&c.got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    set_up();
    if (size == 0)
        return 0;
    if (data[0] % 5 == 2)
        tamper(data + 1, (size - 1) / 4);
    else if (data[0] % 5 >= 3)
        follow_script(data[0] % 5 == 4, data + 1, (size - 1) / 2);
    else
        feed_one(data[0] % 5 == 0, data + 1, size - 1);
    return 0;
}
