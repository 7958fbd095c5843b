/* The resolver against a name server of our own on loopback: answers cut short and asked for again over TCP, and how long a
 * refusal holds. Nothing waits for luck: each step runs until what it waits for has happened, or a generous limit passes. */
#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/timer.h"
#include "folder.h"
#include "net/dns.h"
#include "net/resolver.h"

enum {
    PATIENCE_US = 20000000,
    HEADER = 12,
    SRV_COUNT = 60,
    TC = 2, /* in the third byte */
};

enum tcp {
    TCP_ANSWERS,
    TCP_REFUSES,
    TCP_CLOSES, /* once it was asked */
    TCP_SILENT,
    TCP_SLAMS, /* as soon as it is there: FIN, then RST */
};

static struct {
    int udp, tcp, connection; /* -1: none */
    enum tcp behaviour;
    bool cuts;   /* over UDP */
    bool denies; /* no such name, with an SOA */
    int n_udp, n_tcp;
} server;

static struct {
    struct ssi_poller *poller;
    struct ssi_resolver *resolver;
    struct ssi_lookup *lookup;
    int n_done;
    secsip_result result;
    size_t n_rrs;
    struct ssi_rr last;
} client;

static uint16_t port_of(int fd)
{
    struct sockaddr_in name;
    socklen_t len = sizeof name;

    assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &len), 0);
    return ntohs(name.sin_port);
}

/* Where c-ares wants to go: the system's name servers have port 53, which is not ours. What goes there comes to our server. */
static struct in_addr wanted;

int connect(int fd, const struct sockaddr *to, socklen_t len)
{
    struct sockaddr_in name;

    memcpy(&name, to, sizeof name);
    if (name.sin_family == AF_INET && ntohs(name.sin_port) == 53) {
        wanted = name.sin_addr;
        name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        name.sin_port = htons(port_of(server.udp));
        return (int)syscall(SYS_connect, fd, &name, sizeof name);
    }
    return (int)syscall(SYS_connect, fd, to, len);
}

/* And what comes from our server comes from there: c-ares looks at the address. */
ssize_t recvfrom(int fd, void *data, size_t cap, int flags, struct sockaddr *from, socklen_t *len)
{
    long n = syscall(SYS_recvfrom, fd, data, cap, flags, from, len);
    struct sockaddr_in name;

    if (n > 0 && from && fd != server.udp && wanted.s_addr) {
        memcpy(&name, from, sizeof name);
        name.sin_addr = wanted;
        memcpy(from, &name, sizeof name);
    }
    return n;
}

static int bind_socket(int type, uint16_t port)
{
    struct sockaddr_in name = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    if (bind(fd, (struct sockaddr *)&name, sizeof name) == 0)
        return fd;
    close(fd);
    return -1;
}

/* One port for both; the system chooses. */
static void open_server(enum tcp behaviour)
{
    server.behaviour = behaviour;
    server.connection = server.tcp = -1;
    for (int i = 0; i < 100 && server.tcp < 0; i++) {
        server.tcp = bind_socket(SOCK_STREAM, 0);
        server.udp = bind_socket(SOCK_DGRAM, port_of(server.tcp));
        if (server.udp >= 0)
            break;
        close(server.tcp);
        server.tcp = -1;
    }
    assert_true(server.tcp >= 0);
    if (behaviour != TCP_REFUSES)
        assert_int_equal(listen(server.tcp, 4), 0);
}

static size_t put(uint8_t *m, size_t at, const void *data, size_t len)
{
    memcpy(m + at, data, len);
    return at + len;
}

/* Each with a target of its own: "a.sip.example", "b.sip.example", ... */
static size_t put_srvs(uint8_t *m, size_t at)
{
    for (int i = 0; i < SRV_COUNT; i++) {
        at = put(m, at, "\xc0\x0c\0\041\0\001\0\0\0\074\0\025", 12); /* its data: 21 bytes */
        at =
            put(m, at, (uint8_t[]){0, (uint8_t)i, 0, 7, 0x13, 0xc5, 1, (uint8_t)('a' + i % 26)}, 8);
        at = put(m, at, "\003sip\007example", 13); /* with the NUL, the root */
    }
    return at;
}

/* The answer to the question in m, into m. Returns its length. */
static size_t answer(uint8_t *m, bool whole)
{
    size_t at = HEADER;

    while (m[at])
        at += 1U + m[at];
    at += 5;
    m[2] = (uint8_t)(0x84 | (whole ? 0 : TC));
    m[3] = (uint8_t)(0x80 | (server.denies ? 3 : 0));
    memset(m + 6, 0, 6);
    if (server.denies) {
        m[9] = 1;
        at = put(m, at, "\xc0\x0c\0\006\0\001\0\0\0\050\0\026\0\0", 14);     /* SOA, TTL 40 s */
        return put(m, at, "\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\021", 20); /* MINIMUM 17 s */
    }
    if (whole) {
        m[7] = SRV_COUNT;
        at = put_srvs(m, at);
    }
    return at;
}

static void serve_udp(void)
{
    struct sockaddr_storage from;
    socklen_t len = sizeof from;
    uint8_t m[4096];

    ssize_t n = recvfrom(server.udp, m, sizeof m, 0, (struct sockaddr *)&from, &len);
    if (n < HEADER)
        return;
    server.n_udp++;
    size_t size = answer(m, !server.cuts);
    assert_int_equal(sendto(server.udp, m, size, 0, (struct sockaddr *)&from, len), size);
}

static void slam(void)
{
    const struct linger reset = {.l_onoff = 1};

    server.n_tcp++;
    shutdown(server.connection, SHUT_WR);
    setsockopt(server.connection, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(server.connection);
    server.connection = -1;
}

static void serve_tcp(void)
{
    uint8_t m[4096];

    if (server.behaviour == TCP_REFUSES)
        return;
    if (server.connection < 0)
        server.connection = accept4(server.tcp, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (server.connection < 0)
        return;
    if (server.behaviour == TCP_SLAMS) {
        slam();
        return;
    }
    ssize_t n = recv(server.connection, m, sizeof m, 0); /* a question is small and comes whole */
    if (n == 0 || (n > 0 && server.behaviour == TCP_CLOSES)) {
        server.n_tcp += n > 0;
        close(server.connection);
        server.connection = -1;
    }
    if (n < HEADER + 2 || server.connection < 0)
        return;
    server.n_tcp++;
    if (server.behaviour == TCP_SILENT)
        return;
    size_t size = answer(m + 2, true);
    m[0] = (uint8_t)(size >> 8);
    m[1] = (uint8_t)size;
    assert_int_equal(send(server.connection, m, size + 2, MSG_NOSIGNAL), size + 2);
}

static void note(void *arg, secsip_result result, const struct ssi_rr *rrs, size_t n_rrs)
{
    (void)arg;
    client.n_done++;
    client.result = result;
    client.n_rrs = n_rrs;
    if (n_rrs > 0)
        client.last = rrs[n_rrs - 1];
}

/* Asks and serves until the answer is there. Returns the microseconds that it took. */
static uint64_t look_up(enum ssi_rr_type type, const char *name)
{
    uint64_t begun = ssi_poller_now_us();

    client.n_done = 0;
    assert_int_equal(ssi_resolver_ask(client.resolver, type, name, note, NULL, &client.lookup), 0);
    while (client.n_done == 0 && ssi_poller_now_us() - begun < PATIENCE_US) {
        struct pollfd fds[] = {
            {ssi_poller_fd(client.poller), POLLIN, 0},
            {server.udp, POLLIN, 0},
            {server.connection >= 0 ? server.connection : server.tcp, POLLIN, 0}};
        assert_true(poll(fds, server.behaviour == TCP_REFUSES ? 2 : 3, 10) >= 0);
        serve_udp();
        serve_tcp();
        ssi_poller_run(client.poller);
        ssi_resolver_deliver(client.resolver, ssi_poller_now_us(), 10);
    }
    assert_int_equal(client.n_done, 1);
    return ssi_poller_now_us() - begun;
}

static void start_from(enum tcp behaviour, const char *system_file)
{
    char servers[64];

    memset(&server, 0, sizeof server);
    memset(&client, 0, sizeof client);
    open_server(behaviour);
    snprintf(servers, sizeof servers, "127.0.0.1:%u", (unsigned)port_of(server.udp));
    assert_int_equal(ssi_poller_new(&client.poller), 0);
    assert_int_equal(ssi_resolver_new(client.poller, system_file ? NULL : servers, system_file,
                                      &client.resolver),
                     0);
}

static void start(enum tcp behaviour)
{
    start_from(behaviour, NULL);
}

static void stop(void)
{
    ssi_resolver_free(client.resolver);
    ssi_poller_free(client.poller);
    close(server.udp);
    close(server.tcp);
    if (server.connection >= 0)
        close(server.connection);
}

/* RFC 1035 4.2.1, RFC 7766 5. */
static void a_cut_answer_is_asked_for_again_over_tcp(void **state)
{
    (void)state;
    start(TCP_ANSWERS);
    server.cuts = true;
    look_up(SSI_RR_SRV, "_sips._tcp.example.test");
    assert_int_equal(client.result, 0);
    assert_int_equal(client.n_rrs, SRV_COUNT);
    assert_int_equal(client.last.priority, SRV_COUNT - 1);
    assert_int_equal(server.n_udp, 1);
    assert_int_equal(server.n_tcp, 1);
    stop();
}

static void without_tcp_a_cut_answer_is_an_error_and_in_time(void **state)
{
    static const enum tcp rows[] = {TCP_REFUSES, TCP_CLOSES, TCP_SILENT};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        start(rows[i]);
        server.cuts = true;
        uint64_t us = look_up(SSI_RR_SRV, "_sips._tcp.example.test");
        print_message("row %zu: %s after %u ms\n", i, secsip_result_name(client.result),
                      (unsigned)(us / 1000));
        assert_int_equal(client.result, SECSIP_E_NET_DNS);
        assert_int_equal(client.n_rrs, 0); /* half an answer is none */
        assert_true(us < 10000000);
        stop();
    }
}

static volatile sig_atomic_t n_sigpipe;

static void count_sigpipe(int signal)
{
    (void)signal;
    n_sigpipe++;
}

/* c-ares would write() to a connection that has gone: a signal that ends a program which knows nothing of it. */
static void no_name_server_makes_a_sigpipe(void **state)
{
    struct sigaction before, counted = {.sa_handler = count_sigpipe};

    (void)state;
    sigemptyset(&counted.sa_mask);
    assert_int_equal(sigaction(SIGPIPE, &counted, &before), 0);
    start(TCP_SLAMS);
    server.cuts = true;
    look_up(SSI_RR_SRV, "_sips._tcp.example.test");
    assert_int_equal(client.result, SECSIP_E_NET_DNS);
    assert_true(server.n_tcp > 0);
    assert_int_equal(n_sigpipe, 0);
    stop();
    sigaction(SIGPIPE, &before, NULL);
}

/* RFC 2308: the smaller one of the SOA's two times comes with it. */
static void a_refusal_comes_with_its_time(void **state)
{
    (void)state;
    start(TCP_ANSWERS);
    server.denies = true;
    look_up(SSI_RR_SRV, "_sips._tcp.missing.test");
    assert_int_equal(client.result, SECSIP_E_NET_RESOLVE);
    assert_int_equal(client.n_rrs, 1);
    assert_int_equal(client.last.type, SSI_RR_SOA);
    assert_int_equal(client.last.ttl_s, 17);
    stop();
}

static void write_servers(const char *path, const char *text)
{
    char fresh[80];

    /* As those who manage it do: beside, and renamed. */
    snprintf(fresh, sizeof fresh, "%s.new", path);
    FILE *f = fopen(fresh, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(rename(fresh, path), 0);
}

static void expect_asked(const char *address)
{
    char text[INET_ADDRSTRLEN];

    wanted.s_addr = 0;
    look_up(SSI_RR_SRV, "_sips._tcp.example.test");
    assert_int_equal(client.result, 0);
    assert_non_null(inet_ntop(AF_INET, &wanted, text, sizeof text));
    assert_string_equal(text, address);
}

/* A telephone that is carried from one network to another. */
static void another_network_has_other_name_servers(void **state)
{
    char folder[] = "/tmp/secsip-resolver-XXXXXX", path[64];

    (void)state;
    test_folder_make(folder);
    snprintf(path, sizeof path, "%s/resolv.conf", folder);
    write_servers(path, "nameserver 127.0.0.11\n");
    start_from(TCP_ANSWERS, path);
    expect_asked("127.0.0.11");
    expect_asked("127.0.0.11");
    write_servers(path, "nameserver 127.0.0.12\n");
    expect_asked("127.0.0.12");
    /* A file that is gone for a moment, and one that comes back. */
    assert_int_equal(unlink(path), 0);
    look_up(SSI_RR_SRV, "_sips._tcp.example.test");
    write_servers(path, "# none yet\nnameserver 127.0.0.13\n");
    expect_asked("127.0.0.13");
    stop();
    assert_int_equal(test_folder_remove(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_answer_is_asked_for_again_over_tcp),
        cmocka_unit_test(without_tcp_a_cut_answer_is_an_error_and_in_time),
        cmocka_unit_test(no_name_server_makes_a_sigpipe),
        cmocka_unit_test(a_refusal_comes_with_its_time),
        cmocka_unit_test(another_network_has_other_name_servers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
