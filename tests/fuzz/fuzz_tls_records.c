/* TLS records into a server and a client session. The first byte chooses:
 *   0  the rest goes to a server as it is
 *   1  the rest goes to a client that has sent its hello
 *   2  a true handshake between the two, changed on the way: each four bytes are a place (2), a value to XOR (1) and
 *      whose flight (1); then a word is sent each way
 * A session that has been tampered with never becomes open with something else than what was sent. */
#include "fuzz.h"

#include <string.h>

#include "identity.h"
#include "tls/tls.h"

enum {
    NOW = 1750000000
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

static void read_word(struct ssi_tls_session *s, const char *word)
{
    char got[64];
    int32_t n = ssi_tls_session_read(s, got, sizeof got);

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
    read_word(server, "from the client");
    read_word(client, "from the server");
    check_end(client);
    check_end(server);
    ssi_tls_session_free(client);
    ssi_tls_session_free(server);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    set_up();
    if (size == 0)
        return 0;
    if (data[0] % 3 == 2)
        tamper(data + 1, (size - 1) / 4);
    else
        feed_one(data[0] % 3 == 0, data + 1, size - 1);
    return 0;
}
