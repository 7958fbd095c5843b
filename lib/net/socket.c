/* Sockets, see socket.h. Layer: net. */
#include "net/socket.h"

#include <time.h> /* before linux/errqueue.h, which needs struct timespec */

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/crypto.h"

enum {
    BACKLOG = 1024,
    KEEPALIVE_IDLE_S = 60, /* a second line behind the pings of RFC 5626 */
    KEEPALIVE_INTERVAL_S = 15,
    KEEPALIVE_COUNT = 4,
    USER_TIMEOUT_MS = 60000,
    FIRST_MEDIA_PORT = 16384,
    N_MEDIA_PORTS = 16384,
    MEDIA_PORT_TRIES = 200,
    SIGNALLING_BUFFER = 1 << 20, /* bytes that may wait for us on a UDP socket */
};

union sockname {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_storage storage;
};

static socklen_t to_sockname(const struct ssi_addr *a, union sockname *s)
{
    memset(s, 0, sizeof *s);
    if (a->family == 6) {
        s->v6.sin6_family = AF_INET6;
        s->v6.sin6_port = htons(a->port);
        memcpy(&s->v6.sin6_addr, a->ip, 16);
        return sizeof s->v6;
    }
    s->v4.sin_family = AF_INET;
    s->v4.sin_port = htons(a->port);
    memcpy(&s->v4.sin_addr, a->ip, 4);
    return sizeof s->v4;
}

static void from_sockname(const union sockname *s, struct ssi_addr *a)
{
    memset(a, 0, sizeof *a);
    if (s->any.sa_family == AF_INET6) {
        a->family = 6;
        a->port = ntohs(s->v6.sin6_port);
        memcpy(a->ip, &s->v6.sin6_addr, 16);
    } else if (s->any.sa_family == AF_INET) {
        a->family = 4;
        a->port = ntohs(s->v4.sin_port);
        memcpy(a->ip, &s->v4.sin_addr, 4);
    }
}

static void set_option(int fd, int level, int name, int value)
{
    /* Best effort: a socket without an option still works. */
    (void)setsockopt(fd, level, name, &value, sizeof value);
}

static int new_socket(const struct ssi_addr *a, int type)
{
    int fd = socket(a->family == 6 ? AF_INET6 : AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd >= 0 && a->family == 6)
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    return fd;
}

/* Requests are small and must not wait for each other; a dead peer is found even where nothing is sent. */
static void set_stream_options(int fd)
{
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT);
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS);
}

secsip_result ssi_socket_connect(const struct ssi_addr *to, int *ret_fd)
{
    union sockname name;
    socklen_t len = to_sockname(to, &name);
    int fd = new_socket(to, SOCK_STREAM);

    if (fd < 0)
        return errno == EAFNOSUPPORT ? SECSIP_E_NET_CONNECT : SECSIP_E_IO;
    set_stream_options(fd);
    if (connect(fd, &name.any, len) < 0 && errno != EINPROGRESS && errno != EINTR) {
        close(fd);
        return SECSIP_E_NET_CONNECT;
    }
    *ret_fd = fd;
    return 0;
}

secsip_result ssi_socket_connected(int fd, const char **ret_why)
{
    int error = 0;
    socklen_t len = sizeof error;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        error = errno;
    if (error == 0)
        return 0;
    *ret_why = strerrordesc_np(error);
    return SECSIP_E_NET_CONNECT;
}

static secsip_result bind_to(int fd, const struct ssi_addr *local)
{
    union sockname name;
    socklen_t len = to_sockname(local, &name);

    return bind(fd, &name.any, len) < 0 ? SECSIP_E_NET_ADDRESS : 0;
}

secsip_result ssi_socket_listen(struct ssi_addr *local, int *ret_fd)
{
    int fd = new_socket(local, SOCK_STREAM);

    if (fd < 0)
        return errno == EAFNOSUPPORT ? SECSIP_E_NET_ADDRESS : SECSIP_E_IO;
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (bind_to(fd, local) < 0 || listen(fd, BACKLOG) < 0) {
        close(fd);
        return SECSIP_E_NET_ADDRESS;
    }
    ssi_socket_local(fd, local);
    *ret_fd = fd;
    return 0;
}

secsip_result ssi_socket_accept(int listener, struct ssi_addr *ret_peer, int *ret_fd)
{
    union sockname name = {0};
    socklen_t len;
    int fd;

    do {
        len = sizeof name;
        fd = accept4(listener, &name.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
    if (fd < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return SECSIP_E_AGAIN;
        return errno == EMFILE || errno == ENFILE ? SECSIP_E_LIMIT : SECSIP_E_IO;
    }
    set_stream_options(fd);
    from_sockname(&name, ret_peer);
    *ret_fd = fd;
    return 0;
}

static bool neighbour_is_free(const struct ssi_addr *local)
{
    struct ssi_addr next = *local;
    int fd = new_socket(local, SOCK_DGRAM);

    if (fd < 0)
        return false;
    next.port++;
    bool is_free = bind_to(fd, &next) == 0;
    close(fd);
    return is_free;
}

static secsip_result bind_even(int fd, struct ssi_addr *local)
{
    uint16_t random;

    for (int i = 0; i < MEDIA_PORT_TRIES; i++) {
        if (ssi_random_nonce(&random, sizeof random) < 0)
            return SECSIP_E_RANDOM;
        local->port = (uint16_t)(FIRST_MEDIA_PORT + random % (N_MEDIA_PORTS / 2) * 2);
        if (!neighbour_is_free(local))
            continue;
        if (bind_to(fd, local) == 0)
            return 0;
        if (errno != EADDRINUSE)
            break;
    }
    local->port = 0;
    return SECSIP_E_NET_ADDRESS;
}

secsip_result ssi_socket_dgram(struct ssi_addr *local, int *ret_fd)
{
    int fd = new_socket(local, SOCK_DGRAM);

    if (fd < 0)
        return errno == EAFNOSUPPORT ? SECSIP_E_NET_ADDRESS : SECSIP_E_IO;
    secsip_result r = local->port ? bind_to(fd, local) : bind_even(fd, local);
    if (r < 0) {
        close(fd);
        return r;
    }
    *ret_fd = fd;
    return 0;
}

/* ICMP errors come with the address that they are about, and do not hide what a send or receive has to say. */
static int new_signalling_socket(const struct ssi_addr *a)
{
    int fd = new_socket(a, SOCK_DGRAM);

    if (fd < 0)
        return fd;
    if (a->family == 6)
        set_option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
    else
        set_option(fd, IPPROTO_IP, IP_RECVERR, 1);
    set_option(fd, SOL_SOCKET, SO_RCVBUF, SIGNALLING_BUFFER);
    return fd;
}

secsip_result ssi_socket_dgram_listen(struct ssi_addr *local, int *ret_fd)
{
    int fd = new_signalling_socket(local);

    if (fd < 0)
        return errno == EAFNOSUPPORT ? SECSIP_E_NET_ADDRESS : SECSIP_E_IO;
    secsip_result r = bind_to(fd, local);
    if (r < 0) {
        close(fd);
        return r;
    }
    ssi_socket_local(fd, local);
    *ret_fd = fd;
    return 0;
}

secsip_result ssi_socket_dgram_connect(const struct ssi_addr *to, struct ssi_addr *ret_local,
                                       uint16_t *ret_mtu, int *ret_fd)
{
    union sockname name;
    socklen_t len = to_sockname(to, &name);
    int fd = new_signalling_socket(to);
    int mtu = 0;
    socklen_t mtu_len = sizeof mtu;

    if (fd < 0)
        return errno == EAFNOSUPPORT ? SECSIP_E_NET_CONNECT : SECSIP_E_IO;
    if (connect(fd, &name.any, len) < 0) {
        close(fd);
        return SECSIP_E_NET_CONNECT;
    }
    ssi_socket_local(fd, ret_local);
    int r = to->family == 6 ? getsockopt(fd, IPPROTO_IPV6, IPV6_MTU, &mtu, &mtu_len)
                            : getsockopt(fd, IPPROTO_IP, IP_MTU, &mtu, &mtu_len);
    *ret_mtu = (uint16_t)(r == 0 && mtu > 0 && mtu <= UINT16_MAX ? mtu : 0);
    *ret_fd = fd;
    return 0;
}

/* RFC 3261 18.4: unreachable and parameter problem count; what asks to be slow, or says that a packet took too long, does
 * not. "Too big" is the kernel's affair: it cuts the next one. */
static bool is_unreachable(const struct sock_extended_err *e)
{
    if (e->ee_origin == SO_EE_ORIGIN_ICMP)
        return (e->ee_type == ICMP_DEST_UNREACH && e->ee_code != ICMP_FRAG_NEEDED) ||
               e->ee_type == ICMP_PARAMETERPROB;
    return e->ee_origin == SO_EE_ORIGIN_ICMP6 &&
           (e->ee_type == ICMP6_DST_UNREACH || e->ee_type == ICMP6_PARAM_PROB);
}

int32_t ssi_socket_take_error(int fd, struct ssi_addr *ret_to, const char **ret_why)
{
    union sockname name = {0};
    union {
        struct cmsghdr align;
        char bytes[512];
    } control;
    struct msghdr msg = {.msg_name = &name.any,
                         .msg_namelen = sizeof name,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof control.bytes};

    if (recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
        return SECSIP_E_AGAIN;
    from_sockname(&name, ret_to);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
        struct sock_extended_err e;
        if (!(c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) &&
            !(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
            continue;
        memcpy(&e, CMSG_DATA(c), sizeof e);
        if (is_unreachable(&e)) {
            *ret_why = strerrordesc_np((int)e.ee_errno);
            return 1;
        }
    }
    return 0;
}

int ssi_socket_spare(void)
{
    return eventfd(0, EFD_CLOEXEC);
}

void ssi_socket_local(int fd, struct ssi_addr *ret)
{
    union sockname name;
    socklen_t len = sizeof name;

    memset(&name, 0, sizeof name);
    (void)getsockname(fd, &name.any, &len);
    from_sockname(&name, ret);
}

void ssi_socket_close(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* What a failed send or receive means. */
static secsip_result failure(const char **ret_why)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == ENOMEM)
        return SECSIP_E_AGAIN;
    *ret_why = strerrordesc_np(errno);
    return SECSIP_E_NET_RESET;
}

int32_t ssi_socket_send(int fd, const void *data, size_t len, const char **ret_why)
{
    ssize_t n;

    do
        n = send(fd, data, len < INT32_MAX ? len : INT32_MAX, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n >= 0 ? (int32_t)n : failure(ret_why);
}

int32_t ssi_socket_receive(int fd, void *data, size_t cap, const char **ret_why)
{
    ssize_t n;

    do
        n = recv(fd, data, cap < INT32_MAX ? cap : INT32_MAX, 0);
    while (n < 0 && errno == EINTR);
    return n >= 0 ? (int32_t)n : failure(ret_why);
}

int32_t ssi_socket_send_to(int fd, const struct ssi_addr *to, const void *data, size_t len)
{
    union sockname name;
    socklen_t name_len = to_sockname(to, &name);
    ssize_t n = sendto(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT, &name.any, name_len);

    /* What ICMP said of an earlier datagram, perhaps to another peer, is told instead of sending. */
    if (n < 0 && errno != EAGAIN && errno != EMSGSIZE)
        n = sendto(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT, &name.any, name_len);
    return n >= 0 ? (int32_t)n : SECSIP_E_AGAIN;
}

int32_t ssi_socket_receive_from(int fd, struct ssi_addr *ret_from, void *data, size_t cap)
{
    union sockname name = {0};
    socklen_t len = sizeof name;
    ssize_t n = recvfrom(fd, data, cap, MSG_DONTWAIT, &name.any, &len);

    if (n < 0)
        return SECSIP_E_AGAIN;
    from_sockname(&name, ret_from);
    return (int32_t)n;
}
