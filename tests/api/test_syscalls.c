/* What a request and its reply over an open TLS connection cost a stack with its own driver in system calls. The client is
 * a bare TLS session on a socket of its own, whose calls are not counted. */
#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../fuzz/identity.h"
#include "base/buf.h"
#include "secsip/secsip.h"
#include "tls/tls.h"

enum {
    PATIENCE_MS = 20000,
    PAIRS = 20,
    SIZE = 1024, /* of a request */
};

/* Counted where libc would be entered. */
static unsigned n_send, n_recv;

ssize_t send(int fd, const void *data, size_t len, int flags)
{
    n_send++;
    return syscall(SYS_sendto, fd, data, len, flags, NULL, 0);
}

ssize_t recv(int fd, void *data, size_t len, int flags)
{
    n_recv++;
    return syscall(SYS_recvfrom, fd, data, len, flags, NULL, NULL);
}

struct pair {
    secsip_stack *stack;
    secsip_tls_profile *server_profile, *client_profile;
    struct ssi_tls_session *client;
    int fd;
    char text[4 * SIZE];
    size_t len;
};

/* The client's bytes go out, the stack works, what comes back goes into the client. */
static void step(struct pair *p)
{
    struct ssi_buf *out = ssi_tls_session_output(p->client);
    struct pollfd ready[2] = {{.fd = p->fd, .events = POLLIN},
                              {.fd = secsip_stack_get_fd(p->stack), .events = POLLIN}};
    uint8_t data[8192];

    if (out->len > 0) {
        assert_int_equal(write(p->fd, ssi_buf_slice(out).p, out->len), out->len);
        ssi_buf_consume(out, out->len);
    }
    assert_true(poll(ready, 2, PATIENCE_MS) > 0);
    if (ready[1].revents)
        assert_true(secsip_stack_process(p->stack) >= 0);
    if (!ready[0].revents)
        return;
    ssize_t n = read(p->fd, data, sizeof data);
    assert_true(n > 0);
    assert_true(ssi_tls_session_input(p->client, data, (size_t)n) >= 0);
    int32_t got;
    while ((got = ssi_tls_session_read(p->client, p->text + p->len, sizeof p->text - p->len)) > 0)
        p->len += (size_t)got;
}

static void open_pair(struct pair *p)
{
    const secsip_stack_config config = {.size = sizeof config};
    struct sockaddr_in at = {.sin_family = AF_INET};
    struct ssi_tls_config tls = {.domain = "example.test", .wall_s = (uint64_t)time(NULL)};
    uint16_t port = 0;
    int one = 1;

    memset(p, 0, sizeof *p);
    assert_int_equal(ssi_tls_profile_new(&p->server_profile), 0);
    assert_int_equal(ssi_tls_profile_new(&p->client_profile), 0);
    assert_int_equal(ssi_tls_profile_set_identity_pem(p->server_profile, identity_cert,
                                                      strlen(identity_cert), identity_key,
                                                      strlen(identity_key)),
                     0);
    assert_int_equal(
        ssi_tls_profile_add_trust_pem(p->client_profile, identity_cert, strlen(identity_cert)), 0);
    assert_int_equal(secsip_stack_new(&config, &p->stack), 0);
    assert_int_equal(secsip_stack_listen(p->stack, "tls:127.0.0.1:0", p->server_profile, &port), 0);
    p->fd = socket(AF_INET, SOCK_STREAM, 0);
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(p->fd, (struct sockaddr *)&at, sizeof at), 0);
    setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    tls.profile = p->client_profile;
    assert_int_equal(ssi_tls_session_new(&tls, &p->client), 0);
    ssi_tls_session_start(p->client);
    while (ssi_tls_session_state(p->client) == SSI_TLS_HANDSHAKE)
        step(p);
    assert_int_equal(ssi_tls_session_state(p->client), SSI_TLS_OPEN);
}

static void close_pair(struct pair *p)
{
    ssi_tls_session_free(p->client);
    close(p->fd);
    secsip_stack_unref(p->stack);
    secsip_tls_profile_unref(p->server_profile);
    secsip_tls_profile_unref(p->client_profile);
}

static void one_pair(struct pair *p, unsigned n)
{
    static const char form[] =
        "OPTIONS sip:example.test SIP/2.0\r\n"
        "Via: SIP/2.0/TLS client.example.test:5061;branch=z9hG4bK%u%s;rport\r\n"
        "Max-Forwards: 70\r\nFrom: <sip:alice@example.test>;tag=1\r\nTo: <sip:example.test>\r\n"
        "Call-ID: %u\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    char text[SIZE + 1], fill[SIZE] = "";
    int len = snprintf(text, sizeof text, form, n, fill, n);

    memset(fill, 'x', (size_t)(SIZE - len));
    assert_int_equal(snprintf(text, sizeof text, form, n, fill, n), SIZE);
    assert_true(ssi_tls_session_write(p->client, text, SIZE) >= 0);
    p->len = 0;
    while (p->len < 4 || memcmp(p->text + p->len - 4, "\r\n\r\n", 4) != 0)
        step(p);
    assert_memory_equal(p->text, "SIP/2.0 200 OK\r\n", 16);
}

static void a_kilobyte_and_its_reply_cost_one_receive_and_one_send(void **state)
{
    (void)state;
    struct pair p;

    open_pair(&p);
    one_pair(&p, 1000); /* what follows the handshake is behind us */
    for (unsigned i = 0; i < PAIRS; i++) {
        n_send = n_recv = 0;
        one_pair(&p, i);
        assert_int_equal(n_recv, 1);
        assert_int_equal(n_send, 1);
    }
    close_pair(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kilobyte_and_its_reply_cost_one_receive_and_one_send),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
