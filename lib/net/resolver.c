/* The resolver, see resolver.h. Layer: net, the only file with c-ares. A lookup is owned by the resolver until its answer is
 * delivered; a cancelled one lives on, silent, until c-ares lets go of it. */
#include "net/resolver.h"

#include <ares.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/list.h"
#include "net/dns.h"
#include "net/hosts.h"

#define HOSTS_FILE  "/etc/hosts"
#define RESOLV_CONF "/etc/resolv.conf"

enum {
    MAX_LOOKUPS = 4096,
    TIMEOUT_MS = 1000, /* of the first try; c-ares doubles it: 3 s for each server */
    TRIES = 2,
    UDP_SIZE = 1232, /* without fragments */
    CLASS_IN = 1,
};

struct ssi_lookup {
    struct ssi_list node; /* in waiting or ready */
    struct ssi_resolver *resolver;
    enum ssi_rr_type type;
    ssi_resolver_fn fn; /* NULL: cancelled */
    void *arg;
    secsip_result result;
    struct ssi_rr *rrs;
    size_t n_rrs;
    char name[256];
};

/* A socket of c-ares. */
struct dns_socket {
    struct ssi_list node;
    struct ssi_watch watch;
    struct ssi_resolver *resolver;
};

/* What tells one version of a file from another. No padding: compared as bytes. */
struct file_state {
    uint64_t device, inode;
    int64_t size, mtime_s, mtime_ns;
};

struct ssi_resolver {
    ares_channel channel;
    struct ssi_poller *poller;
    struct ssi_list waiting; /* c-ares has them */
    struct ssi_list ready;   /* answered, not delivered */
    struct ssi_list sockets;
    size_t n_lookups;
    bool closing;
    char *system_file; /* says which servers there are; NULL: they were given */
    struct file_state file;
};

/* ---- The sockets of c-ares: as its own, but what has gone raises no SIGPIPE when it is written to. With these it sets no options
 * itself. */
static ares_socket_t open_socket(int family, int type, int protocol, void *arg)
{
    (void)arg;
    return socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

static int close_socket(ares_socket_t fd, void *arg)
{
    (void)arg;
    return close(fd);
}

static int connect_socket(ares_socket_t fd, const struct sockaddr *to, ares_socklen_t len,
                          void *arg)
{
    (void)arg;
    return connect(fd, to, len);
}

static ares_ssize_t receive(ares_socket_t fd, void *data, size_t len, int flags,
                            struct sockaddr *from, ares_socklen_t *from_len, void *arg)
{
    (void)arg;
    return recvfrom(fd, data, len, flags, from, from_len);
}

static ares_ssize_t send_pieces(ares_socket_t fd, const struct iovec *pieces, int n, void *arg)
{
    struct iovec copy[16]; /* of msghdr they are not const; c-ares goes on with what is not sent */
    struct msghdr message = {.msg_iov = copy};

    (void)arg;
    for (; message.msg_iovlen < (size_t)n && message.msg_iovlen < 16; message.msg_iovlen++)
        copy[message.msg_iovlen] = pieces[message.msg_iovlen];
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

static const struct ares_socket_functions socket_functions = {open_socket, close_socket,
                                                              connect_socket, receive, send_pieces};

static void socket_ready(void *arg, uint32_t ready)
{
    struct dns_socket *s = arg;
    struct ssi_resolver *r = s->resolver;
    int fd = s->watch.fd; /* s may be gone when c-ares returns */

    ares_process_fd(r->channel, ready & (SSI_POLL_READ | SSI_POLL_ERROR) ? fd : ARES_SOCKET_BAD,
                    ready & SSI_POLL_WRITE ? fd : ARES_SOCKET_BAD);
}

static void drop_socket(struct dns_socket *s)
{
    ssi_poller_unwatch(s->resolver->poller, &s->watch);
    ssi_list_remove(&s->node);
    free(s);
}

/* c-ares opened, wants something else of, or is about to close a socket. */
static void socket_state(void *arg, ares_socket_t fd, int readable, int writable)
{
    struct ssi_resolver *r = arg;
    struct dns_socket *s = NULL;

    SSI_LIST_EACH(it, &r->sockets)
    if (SSI_CONTAINER(it, struct dns_socket, node)->watch.fd == fd)
        s = SSI_CONTAINER(it, struct dns_socket, node);
    if (!readable && !writable) {
        if (s)
            drop_socket(s);
        return;
    }
    if (!s) {
        s = calloc(1, sizeof *s);
        if (!s)
            return; /* the query times out */
        s->resolver = r;
        s->watch = (struct ssi_watch){.fd = fd, .fn = socket_ready, .arg = s};
        ssi_list_push_back(&r->sockets, &s->node);
    }
    ssi_poller_watch(r->poller, &s->watch,
                     (readable ? SSI_POLL_READ : 0U) | (writable ? SSI_POLL_WRITE : 0U));
}

static void free_lookup(struct ssi_lookup *l)
{
    ssi_list_remove(&l->node);
    l->resolver->n_lookups--;
    free(l->rrs);
    free(l);
}

static void make_ready(struct ssi_lookup *l, secsip_result result)
{
    struct ssi_resolver *r = l->resolver;

    l->result = result;
    ssi_list_remove(&l->node);
    ssi_list_push_back(&r->ready, &l->node);
    if (!l->fn)
        free_lookup(l);
    else
        ssi_poller_wake(r->poller);
}

static secsip_result result_of(int status)
{
    switch (status) {
    case ARES_SUCCESS:
        return 0;
    case ARES_ENODATA:
    case ARES_ENOTFOUND:
    case ARES_EBADNAME:
        return SECSIP_E_NET_RESOLVE;
    case ARES_ENOMEM:
        return SECSIP_E_NOMEM;
    default:
        return SECSIP_E_NET_DNS;
    }
}

static secsip_result take_answer(struct ssi_lookup *l, const unsigned char *message, size_t len)
{
    l->rrs = calloc(SSI_DNS_MAX_RRS, sizeof *l->rrs);
    if (!l->rrs)
        return SECSIP_E_NOMEM;
    int32_t n = ssi_dns_parse(message, len, l->type, l->name, l->rrs, SSI_DNS_MAX_RRS);
    l->n_rrs = n > 0 ? (size_t)n : 0;
    return n < 0 ? n : n == 0 ? SECSIP_E_NET_RESOLVE : 0;
}

/* RFC 2308: how long "no" holds. Without memory it is not known. */
static void take_refusal(struct ssi_lookup *l, const unsigned char *message, size_t len)
{
    uint32_t ttl_s;

    if (!message || !ssi_dns_refusal_ttl(message, len, l->type, l->name, &ttl_s))
        return;
    if (!l->rrs)
        l->rrs = calloc(1, sizeof *l->rrs);
    if (!l->rrs)
        return;
    l->rrs[0] = (struct ssi_rr){.type = SSI_RR_SOA, .ttl_s = ttl_s};
    l->n_rrs = 1;
}

static void note_answer(void *arg, int status, int timeouts, unsigned char *message, int len)
{
    struct ssi_lookup *l = arg;
    secsip_result result = result_of(status);
    size_t size = len > 0 ? (size_t)len : 0;

    (void)timeouts;
    if (l->resolver->closing) {
        free_lookup(l);
        return;
    }
    if (result == 0 && l->fn)
        result = take_answer(l, message, size);
    if (result == SECSIP_E_NET_RESOLVE && l->fn)
        take_refusal(l, message, size);
    make_ready(l, result);
}

/* /etc/hosts. True when the name is there: then DNS is not asked for the other family either, as everywhere else. The file
 * is on this machine and read at once; what it says is kept like an answer. */
static bool ask_hosts_file(struct ssi_lookup *l)
{
    bool known;

    if (l->type != SSI_RR_A && l->type != SSI_RR_AAAA)
        return false;
    l->rrs = calloc(SSI_DNS_MAX_RRS, sizeof *l->rrs);
    int32_t n = l->rrs
                    ? ssi_hosts_find(HOSTS_FILE, l->type, l->name, l->rrs, SSI_DNS_MAX_RRS, &known)
                    : SECSIP_E_NOMEM;
    if (n >= 0 && !known) {
        free(l->rrs);
        l->rrs = NULL;
        return false;
    }
    l->n_rrs = n > 0 ? (size_t)n : 0;
    make_ready(l, n < 0 ? n : n == 0 ? SECSIP_E_NET_RESOLVE : 0);
    return true;
}

static int open_channel(struct ssi_resolver *r, ares_channel *ret)
{
    struct ares_options o = {
        .flags = ARES_FLAG_NOALIASES | ARES_FLAG_EDNS,
        .timeout = TIMEOUT_MS,
        .tries = TRIES,
        .ednspsz = UDP_SIZE,
        .sock_state_cb = socket_state,
        .sock_state_cb_data = r,
        .resolvconf_path = r->system_file, /* copied */
    };

    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ |
               ARES_OPT_SOCK_STATE_CB;

    int status = ares_init_options(ret, &o, r->system_file ? mask | ARES_OPT_RESOLVCONF : mask);
    if (status == ARES_SUCCESS)
        ares_set_socket_functions(*ret, &socket_functions, NULL);
    return status;
}

static void look_at_file(const struct ssi_resolver *r, struct file_state *ret)
{
    struct stat st;

    *ret = (struct file_state){0};
    if (stat(r->system_file, &st) == 0)
        *ret = (struct file_state){st.st_dev, st.st_ino, st.st_size, st.st_mtim.tv_sec,
                                   st.st_mtim.tv_nsec};
}

/* Another network has other name servers. c-ares reads the file once; a new channel reads it again. While questions are on
 * their way the old one stays: they end in seconds. */
static void follow_the_system(struct ssi_resolver *r)
{
    struct file_state now;
    ares_channel fresh;

    if (!r->system_file || !ssi_list_empty(&r->waiting))
        return;
    look_at_file(r, &now);
    if (memcmp(&now, &r->file, sizeof now) == 0 || open_channel(r, &fresh) != ARES_SUCCESS)
        return;
    ares_destroy(r->channel);
    r->channel = fresh;
    r->file = now;
}

static secsip_result start_channel(struct ssi_resolver *r, const char *servers)
{
    if (r->system_file)
        look_at_file(r, &r->file);
    int status = open_channel(r, &r->channel);
    if (status != ARES_SUCCESS)
        return status == ARES_ENOMEM ? SECSIP_E_NOMEM : SECSIP_E_IO;
    if (!servers || ares_set_servers_ports_csv(r->channel, servers) == ARES_SUCCESS)
        return 0;
    ares_destroy(r->channel);
    return SECSIP_E_INVALID;
}

secsip_result ssi_resolver_new(struct ssi_poller *poller, const char *servers,
                               const char *system_file, struct ssi_resolver **ret)
{
    static atomic_flag initialised = ATOMIC_FLAG_INIT;
    struct ssi_resolver *r = calloc(1, sizeof *r);

    if (!r)
        return SECSIP_E_NOMEM;
    if (!atomic_flag_test_and_set(&initialised))
        ares_library_init(ARES_LIB_INIT_ALL);
    r->poller = poller;
    ssi_list_init(&r->waiting);
    ssi_list_init(&r->ready);
    ssi_list_init(&r->sockets);
    secsip_result result = 0;
    if (!servers) {
        r->system_file = ssi_slice_dup(ssi_slice_str(system_file ? system_file : RESOLV_CONF));
        result = r->system_file ? 0 : SECSIP_E_NOMEM;
    }
    if (result == 0)
        result = start_channel(r, servers);
    if (result < 0) {
        free(r->system_file);
        free(r);
        return result;
    }
    *ret = r;
    return 0;
}

void ssi_resolver_free(struct ssi_resolver *r)
{
    if (!r)
        return;
    r->closing = true;
    ares_destroy(r->channel); /* calls note_answer for all that wait */
    SSI_LIST_EACH(it, &r->ready)
    free_lookup(SSI_CONTAINER(it, struct ssi_lookup, node));
    SSI_LIST_EACH(it, &r->sockets)
    drop_socket(SSI_CONTAINER(it, struct dns_socket, node));
    free(r->system_file);
    free(r);
}

secsip_result ssi_resolver_ask(struct ssi_resolver *r, enum ssi_rr_type type, const char *name,
                               ssi_resolver_fn fn, void *arg, struct ssi_lookup **ret)
{
    size_t len = strlen(name);

    if (len == 0 || len >= sizeof(((struct ssi_lookup *)0)->name))
        return SECSIP_E_INVALID;
    if (r->n_lookups == MAX_LOOKUPS)
        return SECSIP_E_LIMIT;
    struct ssi_lookup *l = calloc(1, sizeof *l);
    if (!l)
        return SECSIP_E_NOMEM;
    follow_the_system(r);
    l->resolver = r;
    l->type = type;
    l->fn = fn;
    l->arg = arg;
    memcpy(l->name, name, len + 1);
    ssi_list_push_back(&r->waiting, &l->node);
    r->n_lookups++;
    *ret = l;
    if (!ask_hosts_file(l))
        ares_query(r->channel, l->name, CLASS_IN, (int)type, note_answer, l);
    return 0;
}

void ssi_resolver_cancel(struct ssi_resolver *r, struct ssi_lookup *lookup)
{
    lookup->fn = NULL;
    /* c-ares knows no way back for one query; an answered one can go at once. */
    SSI_LIST_EACH(it, &r->ready)
    {
        if (it == &lookup->node) {
            free_lookup(lookup);
            return;
        }
    }
}

bool ssi_resolver_deliver(struct ssi_resolver *r, uint64_t now_us, size_t max)
{
    struct ssi_list *node;

    if (ssi_resolver_deadline(r, now_us) <= now_us)
        ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    for (size_t i = 0; i < max && (node = ssi_list_pop_front(&r->ready)) != NULL; i++) {
        struct ssi_lookup *l = SSI_CONTAINER(node, struct ssi_lookup, node);
        l->fn(l->arg, l->result, l->rrs, l->n_rrs);
        free_lookup(l);
    }
    return !ssi_list_empty(&r->ready);
}

uint64_t ssi_resolver_deadline(const struct ssi_resolver *r, uint64_t now_us)
{
    struct timeval left;

    if (ssi_list_empty(&r->waiting) || !ares_timeout(r->channel, NULL, &left))
        return UINT64_MAX;
    return now_us + (uint64_t)left.tv_sec * 1000000 + (uint64_t)left.tv_usec;
}
