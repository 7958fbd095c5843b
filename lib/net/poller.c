/* The poller, see poller.h. Layer: net. */
#include "net/poller.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
    BATCH = 64
};

struct ssi_poller {
    int epoll_fd;
    int timer_fd;
    int wake_fd;
    bool awake;
    bool fired; /* the timer is readable until it is set anew */
    uint64_t armed_us;
    struct epoll_event batch[BATCH]; /* entries [at, n_batch) are still to be handled */
    int n_batch;
    int at;
};

static secsip_result add_own(struct ssi_poller *p, int *fd)
{
    /* The address of the descriptor's field marks the event as our own. */
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = fd};
    return epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, *fd, &e) < 0 ? SECSIP_E_IO : 0;
}

secsip_result ssi_poller_new(struct ssi_poller **ret)
{
    struct ssi_poller *p = calloc(1, sizeof *p);

    if (!p)
        return SECSIP_E_NOMEM;
    p->armed_us = UINT64_MAX;
    p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    p->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (p->epoll_fd < 0 || p->timer_fd < 0 || p->wake_fd < 0 || add_own(p, &p->timer_fd) < 0 ||
        add_own(p, &p->wake_fd) < 0) {
        ssi_poller_free(p);
        return SECSIP_E_IO;
    }
    *ret = p;
    return 0;
}

void ssi_poller_free(struct ssi_poller *p)
{
    if (!p)
        return;
    if (p->wake_fd >= 0)
        close(p->wake_fd);
    if (p->timer_fd >= 0)
        close(p->timer_fd);
    if (p->epoll_fd >= 0)
        close(p->epoll_fd);
    free(p);
}

int ssi_poller_fd(const struct ssi_poller *p)
{
    return p->epoll_fd;
}

secsip_result ssi_poller_watch(struct ssi_poller *p, struct ssi_watch *w, uint32_t wanted)
{
    struct epoll_event e = {.data.ptr = w};

    if (w->added && w->wanted == wanted)
        return 0;
    e.events = (wanted & SSI_POLL_READ ? EPOLLIN : 0U) | (wanted & SSI_POLL_WRITE ? EPOLLOUT : 0U);
    if (epoll_ctl(p->epoll_fd, w->added ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, w->fd, &e) < 0)
        return SECSIP_E_IO;
    w->added = true;
    w->wanted = wanted;
    return 0;
}

void ssi_poller_unwatch(struct ssi_poller *p, struct ssi_watch *w)
{
    if (!w->added)
        return;
    epoll_ctl(p->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
    w->added = false;
    /* Events of this watch that were fetched already must not reach it. */
    for (int i = p->at; i < p->n_batch; i++)
        if (p->batch[i].data.ptr == w)
            p->batch[i].data.ptr = NULL;
}

static void handle(struct ssi_poller *p, const struct epoll_event *e)
{
    struct ssi_watch *w = e->data.ptr;
    uint64_t count;

    if (!w)
        return;
    if (e->data.ptr == &p->timer_fd) {
        p->fired = true;
        return;
    }
    if (e->data.ptr == &p->wake_fd) {
        p->awake = false;
        while (read(p->wake_fd, &count, sizeof count) < 0 && errno == EINTR)
            ;
        return;
    }
    w->fn(w->arg, (e->events & EPOLLIN ? SSI_POLL_READ : 0U) |
                      (e->events & EPOLLOUT ? SSI_POLL_WRITE : 0U) |
                      (e->events & (EPOLLERR | EPOLLHUP) ? SSI_POLL_ERROR : 0U));
}

bool ssi_poller_run(struct ssi_poller *p)
{
    p->at = 0;
    p->n_batch = epoll_wait(p->epoll_fd, p->batch, BATCH, 0);
    if (p->n_batch < 0)
        p->n_batch = 0;
    while (p->at < p->n_batch)
        handle(p, &p->batch[p->at++]);
    return p->n_batch == BATCH;
}

void ssi_poller_arm(struct ssi_poller *p, uint64_t due_us)
{
    struct itimerspec when = {{0, 0}, {0, 0}};

    /* A timer that fires too early costs one idle round; setting it for every message would cost a system call each. */
    if (!p->fired && due_us >= p->armed_us)
        return;
    if (due_us != UINT64_MAX) {
        when.it_value.tv_sec = (time_t)(due_us / 1000000);
        when.it_value.tv_nsec = (long)(due_us % 1000000) * 1000;
        if (due_us == 0)
            when.it_value.tv_nsec = 1; /* zero would disarm */
    }
    timerfd_settime(p->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
    p->armed_us = due_us;
    p->fired = false;
}

void ssi_poller_wake(struct ssi_poller *p)
{
    const uint64_t one = 1;

    if (p->awake)
        return;
    p->awake = true;
    while (write(p->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

void ssi_poller_wait(struct ssi_poller *p, int32_t timeout_ms)
{
    struct pollfd pfd = {.fd = p->epoll_fd, .events = POLLIN};
    poll(&pfd, 1, timeout_ms);
}

uint64_t ssi_poller_now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t ssi_poller_wall_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec > 0 ? (uint64_t)t.tv_sec : 0;
}
