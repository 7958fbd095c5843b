/* The resident memory of idle server connections: 5,000 over loopback through the real driver, each of which shook hands and
 * had one request answered, beside bare GnuTLS doing the same in the same run, without and with a client certificate that
 * was verified. Server and clients are processes of their own, new for each measurement, so that nothing freed before
 * helps. */
#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "../tests/fuzz/identity.h"
#include "api/stack.h"
#include "common/report.h"
#include "secsip/secsip.h"

enum {
    CONNECTIONS = 5000,
    WARM_UP = 50,  /* connections before the first look: what is there once is no cost of each */
    LIMIT = 14000, /* bytes for each connection of ours */
};

static const char request[] =
    "OPTIONS sip:example.test SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bK776asdhds;"
    "rport\r\nMax-Forwards: 70\r\nTo: <sip:example.test>\r\nFrom: <sip:alice@example.test>;"
    "tag=1928301774\r\nCall-ID: a84b4c76e66710\r\nCSeq: 63104 OPTIONS\r\n"
    "Contact: <sip:alice@192.0.2.1>\r\nAccept: application/sdp\r\nContent-Length: 0\r\n\r\n";

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static size_t resident(void)
{
    char line[128], *second;
    FILE *f = fopen("/proc/self/statm", "r");

    must(f && fgets(line, sizeof line, f), "statm");
    fclose(f);
    strtoul(line, &second, 10); /* the size; what is resident follows */
    return strtoul(second, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

/* ---- The clients: bare GnuTLS, blocking. They tell the server when they are done and wait to be killed. */

static gnutls_certificate_credentials_t credentials(void)
{
    gnutls_datum_t cert = {(unsigned char *)(uintptr_t)identity_cert, sizeof identity_cert - 1};
    gnutls_datum_t key = {(unsigned char *)(uintptr_t)identity_key, sizeof identity_key - 1};
    gnutls_certificate_credentials_t cred;

    must(gnutls_certificate_allocate_credentials(&cred) >= 0 &&
             gnutls_certificate_set_x509_trust_mem(cred, &cert, GNUTLS_X509_FMT_PEM) >= 0 &&
             gnutls_certificate_set_x509_key_mem(cred, &cert, &key, GNUTLS_X509_FMT_PEM) >= 0,
         "credentials");
    return cred;
}

static void client_connect(gnutls_certificate_credentials_t cred, uint16_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    char answer[2048];
    gnutls_session_t tls;
    int one = 1;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    must(fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0, "connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    must(gnutls_init(&tls, GNUTLS_CLIENT) >= 0 &&
             gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, cred) >= 0 &&
             gnutls_set_default_priority(tls) >= 0,
         "session");
    gnutls_transport_set_int(tls, fd);
    must(gnutls_handshake(tls) >= 0, "client handshake");
    must(gnutls_record_send(tls, request, sizeof request - 1) > 0, "request");
    ssize_t n;
    do
        n = gnutls_record_recv(tls, answer, sizeof answer);
    while (n == GNUTLS_E_AGAIN); /* a ticket came */
    must(n > 0, "answer");
    gnutls_deinit(tls); /* says nothing; the descriptor stays open */
}

static void clients(uint16_t port, int from_server, int to_server)
{
    gnutls_certificate_credentials_t cred = credentials();
    int n;

    while (read(from_server, &n, sizeof n) == sizeof n) {
        for (int i = 0; i < n; i++)
            client_connect(cred, port);
        must(write(to_server, &n, sizeof n) == sizeof n, "report");
    }
    exit(0);
}

/* ---- The servers. Each serves until the clients report. */

struct server {
    int to_clients, from_clients;
    int fd; /* bare: listens; ours: polled */
    bool verifies;
    secsip_stack *stack;
    gnutls_certificate_credentials_t cred;
    gnutls_priority_t priority;
};

static uint16_t ours_listen(struct server *s)
{
    const secsip_stack_config config = {.size = sizeof config,
                                        .max_connections_per_address = 2 * CONNECTIONS};
    secsip_tls_profile *p;
    uint16_t port;

    must(secsip_tls_profile_new(&p) >= 0 &&
             secsip_tls_profile_set_identity_pem(p, identity_cert, strlen(identity_cert),
                                                 identity_key, strlen(identity_key)) >= 0 &&
             secsip_tls_profile_add_trust_pem(p, identity_cert, strlen(identity_cert)) >= 0,
         "profile");
    if (s->verifies)
        must(secsip_tls_profile_set_client_cert(p, SECSIP_TLS_CLIENT_CERT_REQUIRE) >= 0, "profile");
    must(secsip_stack_new(&config, &s->stack) >= 0 &&
             secsip_stack_listen(s->stack, "tls:127.0.0.1:0", p, &port) >= 0,
         "stack");
    s->fd = secsip_stack_get_fd(s->stack);
    return port;
}

static void ours_serve(struct server *s)
{
    secsip_stack_process(s->stack);
}

static uint16_t bare_listen(struct server *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;

    s->cred = credentials();
    must(gnutls_priority_init(&s->priority, NULL, NULL) >= 0, "priority");
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->fd = socket(AF_INET, SOCK_STREAM, 0);
    must(s->fd >= 0 && bind(s->fd, (struct sockaddr *)&at, sizeof at) == 0 &&
             listen(s->fd, 64) == 0 && getsockname(s->fd, (struct sockaddr *)&at, &len) == 0,
         "listen");
    return ntohs(at.sin_port);
}

static int trust_own(gnutls_session_t tls)
{
    unsigned status = 1;
    return gnutls_certificate_verify_peers2(tls, &status) < 0 || status ? -1 : 0;
}

static void bare_serve(struct server *s)
{
    static char buffer[4096];
    gnutls_session_t tls;
    int fd = accept(s->fd, NULL, NULL), one = 1;

    must(fd >= 0, "accept");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    must(gnutls_init(&tls, GNUTLS_SERVER) >= 0 && gnutls_priority_set(tls, s->priority) >= 0 &&
             gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, s->cred) >= 0,
         "session");
    gnutls_certificate_server_set_request(tls,
                                          s->verifies ? GNUTLS_CERT_REQUIRE : GNUTLS_CERT_IGNORE);
    if (s->verifies)
        gnutls_session_set_verify_function(tls, trust_own);
    gnutls_transport_set_int(tls, fd);
    must(gnutls_handshake(tls) >= 0, "server handshake");
    must(gnutls_record_recv(tls, buffer, sizeof buffer) > 0, "request");
    must(gnutls_record_send(tls, "SIP/2.0 200 OK\r\n\r\n", 18) > 0, "answer");
}

static void serve_until_done(struct server *s, int n, void (*serve)(struct server *s))
{
    struct pollfd p[] = {{.fd = s->from_clients, .events = POLLIN},
                         {.fd = s->fd, .events = POLLIN}};

    must(write(s->to_clients, &n, sizeof n) == sizeof n, "order");
    for (;;) {
        must(poll(p, 2, 20000) > 0, "clients");
        if (p[1].revents)
            serve(s);
        else if (p[0].revents)
            break;
    }
    must(read(s->from_clients, &n, sizeof n) == sizeof n, "report");
}

/* Runs in a process of its own, which exits. Reports bytes for each connection. */
static void measure(bool ours, bool verifies, int report)
{
    struct server s = {.verifies = verifies};
    int down[2], up[2];

    must(pipe(down) == 0 && pipe(up) == 0, "pipe");
    uint16_t port = ours ? ours_listen(&s) : bare_listen(&s);
    pid_t pid = fork();
    must(pid >= 0, "fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(down[1]);
        clients(port, down[0], up[1]);
    }
    s.to_clients = down[1];
    s.from_clients = up[0];
    serve_until_done(&s, WARM_UP, ours ? ours_serve : bare_serve);
    size_t before = resident(), heap = mallinfo2().uordblks;
    serve_until_done(&s, CONNECTIONS, ours ? ours_serve : bare_serve);
    double each[2] = {(double)(resident() - before) / CONNECTIONS,
                      (double)(mallinfo2().uordblks - heap) / CONNECTIONS};
    if (ours)
        must(s.stack->ua.n_flows == CONNECTIONS + WARM_UP, "connections of ours");
    must(write(report, each, sizeof each) == sizeof each, "report");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    exit(0);
}

static void run(bool ours, bool verifies, double each[2])
{
    int report[2];

    must(pipe(report) == 0 && fflush(stdout) == 0, "pipe");
    pid_t pid = fork();
    must(pid >= 0, "fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        measure(ours, verifies, report[1]);
    }
    close(report[1]);
    must(read(report[0], each, 2 * sizeof *each) == 2 * sizeof *each, "measurement");
    close(report[0]);
    waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
    static const char *const names[2][2] = {
        {"an idle TLS connection, resident", "an idle TLS connection, allocated"},
        {"the same, client verified, resident", "the same, client verified, allocated"}};
    struct rlimit files;

    if (!report_open(argc, argv, ""))
        return 2;
    must(getrlimit(RLIMIT_NOFILE, &files) == 0, "limit");
    files.rlim_cur = files.rlim_max;
    must(setrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur > CONNECTIONS + 200,
         "descriptors: too few are allowed");
    for (int verifies = 0; verifies < 2; verifies++) {
        double ours[2], bare[2];
        run(false, verifies, bare);
        run(true, verifies, ours);
        for (int i = 0; i < 2; i++)
            report(&(struct report_row){.what = names[verifies][i],
                                        .unit = "bytes",
                                        .ours = ours[i],
                                        .peer = "GnuTLS",
                                        .theirs = bare[i],
                                        .op = i == 0 ? "<=" : NULL, /* of what is resident */
                                        .target = LIMIT});
    }
    return report_close();
}
