/* One TLS connection of ours to or from a program that is not ours, and what we say of it: a line for test_tls_matrix.py.
 *   tls_probe connect PORT DOMAIN [OPTION...]   once
 *   tls_probe serve PORT [OPTION...]            for ever, one connection after the other
 * On 127.0.0.1. Options: ca=FILE crl=FILE cert=FILE key=FILE (PEM), relax=BITS, versions=12|13, resume=1 (connect: twice).
 * Says "accepted VERSION relaxed=BITS resumed=0|1 peer=NAME" or "refused RESULT CHECK", and "alert NAME" where the peer refuses. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "tls/tls.h"

enum {
    PATIENCE_S = 5
};

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "tls_probe: %s\n", what);
    exit(2);
}

/* "ca=FILE" and the like. */
static const char *value_of(char **options, const char *name)
{
    size_t len = strlen(name);

    for (; *options; options++)
        if (strncmp(*options, name, len) == 0 && (*options)[len] == '=')
            return *options + len + 1;
    return NULL;
}

static secsip_tls_profile *make_profile(char **options, bool serves)
{
    const char *ca = value_of(options, "ca"), *crl = value_of(options, "crl");
    const char *cert = value_of(options, "cert"), *key = value_of(options, "key");
    const char *relax = value_of(options, "relax"), *versions = value_of(options, "versions");
    secsip_tls_profile *p;

    must(secsip_tls_profile_new(&p) == 0, "profile");
    if (ca)
        must(secsip_tls_profile_add_trust_file(p, ca) == 0, "ca");
    if (crl)
        must(secsip_tls_profile_add_crl_file(p, crl) == 0, "crl");
    if (cert && key)
        must(secsip_tls_profile_set_identity_file(p, cert, key) == 0, "cert");
    if (relax)
        must(secsip_tls_profile_set_options(p, (uint32_t)strtoul(relax, NULL, 10)) == 0, "relax");
    if (versions)
        must(ssi_tls_profile_set_version(p, strcmp(versions, "12") == 0
                                                ? SECSIP_TLS_VERSION_1_2
                                                : SECSIP_TLS_VERSION_1_3) == 0,
             "versions");
    must(secsip_tls_profile_set_resumption(p, SECSIP_TLS_RESUME_ALL) == 0, "resume");
    if (serves)
        must(secsip_tls_profile_set_client_cert(p, SECSIP_TLS_CLIENT_CERT_REQUIRE) == 0, "client");
    return p;
}

static bool send_output(int fd, struct ssi_tls_session *s)
{
    struct ssi_buf *out = ssi_tls_session_output(s);

    while (out->len > 0) {
        ssize_t n = send(fd, ssi_buf_slice(out).p, out->len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        ssi_buf_consume(out, (size_t)n);
    }
    return true;
}

/* Brings in what comes next; false when nothing does. */
static bool take_input(int fd, struct ssi_tls_session *s)
{
    char data[16384];
    ssize_t n = recv(fd, data, sizeof data, 0);

    if (n <= 0)
        return false;
    ssi_tls_session_input(s, data, (size_t)n);
    return true;
}

static void say_failure(const struct ssi_tls_session *s)
{
    const struct ssi_tls_failure *f = ssi_tls_session_failure(s);

    if (f->result == SECSIP_E_TLS_ALERT)
        printf("alert %s\n", f->found);
    else
        printf("refused %s %s\n", secsip_result_name(f->result), f->check);
}

/* The handshake, and a little of what follows: a ticket, an alert against our certificate, the peer's farewell. */
static void live(int fd, struct ssi_tls_session *s)
{
    const secsip_tls_info *info = ssi_tls_session_info(s);
    char data[4096];

    ssi_tls_session_start(s);
    while (send_output(fd, s) && ssi_tls_session_state(s) == SSI_TLS_HANDSHAKE && take_input(fd, s))
        ;
    if (ssi_tls_session_state(s) == SSI_TLS_HANDSHAKE) {
        printf("refused nothing connection\n");
    } else if (ssi_tls_session_state(s) == SSI_TLS_FAILED) {
        say_failure(s);
    } else {
        printf("accepted %s relaxed=%u resumed=%u peer=%s\n", info->version,
               (unsigned)info->relaxed, (unsigned)info->resumed, info->peer);
        ssi_tls_session_write(s, "GET / HTTP/1.0\r\n\r\n",
                              18); /* s_server -www and --echo answer */
        send_output(fd, s);
        do
            while (ssi_tls_session_read(s, data, sizeof data) > 0)
                ;
        while (ssi_tls_session_state(s) == SSI_TLS_OPEN && take_input(fd, s));
        if (ssi_tls_session_state(s) == SSI_TLS_FAILED)
            say_failure(s);
        ssi_tls_session_close(s);
        send_output(fd, s);
    }
    fflush(stdout);
}

static void set_patience(int fd)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

static struct sockaddr_in address(const char *port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void meet(int fd, secsip_tls_profile *profile, const char *domain)
{
    struct ssi_tls_config config = {.profile = profile,
                                    .server = domain == NULL,
                                    .domain = domain,
                                    .wall_s = (uint64_t)time(NULL)};
    struct ssi_tls_session *s;

    set_patience(fd);
    must(ssi_tls_session_new(&config, &s) == 0, "session");
    live(fd, s);
    ssi_tls_session_free(s);
    close(fd);
}

static void visit(const char *port, const char *domain, secsip_tls_profile *profile)
{
    struct sockaddr_in at = address(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    must(fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0, "connect");
    meet(fd, profile, domain);
}

static void serve(const char *port, secsip_tls_profile *profile)
{
    struct sockaddr_in at = address(port);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, fd;

    must(listener >= 0 && setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
             bind(listener, (struct sockaddr *)&at, sizeof at) == 0 && listen(listener, 8) == 0,
         "listen");
    puts("ready");
    fflush(stdout);
    while ((fd = accept(listener, NULL, NULL)) >= 0)
        meet(fd, profile, NULL);
}

int main(int argc, char **argv)
{
    bool serves = argc > 2 && strcmp(argv[1], "serve") == 0;

    must(argc > (serves ? 2 : 3), "usage: connect PORT DOMAIN | serve PORT, then options");
    char **options = argv + (serves ? 3 : 4);
    secsip_tls_profile *profile = make_profile(options, serves);
    if (serves)
        serve(argv[2], profile);
    int times = value_of(options, "resume") ? 2 : 1;
    for (int i = 0; i < times; i++)
        visit(argv[2], argv[3], profile);
    secsip_tls_profile_unref(profile);
    return 0;
}
