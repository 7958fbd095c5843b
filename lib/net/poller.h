/* One descriptor for everything: epoll over sockets, a timer and a wake-up. Layer: net. The epoll descriptor itself can be
 * polled by the application's loop. Watches live in their owners and must be removed before they are freed. */
#ifndef SSI_NET_POLLER_H
#define SSI_NET_POLLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "secsip/result.h"

enum {
    SSI_POLL_READ = 1,
    SSI_POLL_WRITE = 2,
    SSI_POLL_ERROR = 4, /* always watched: error or hang-up */
};

struct ssi_watch {
    int fd;
    uint32_t wanted; /* SSI_POLL_READ, SSI_POLL_WRITE */
    void (*fn)(void *arg, uint32_t ready);
    void *arg;
    bool added;
};

struct ssi_poller;

/* SECSIP_E_NOMEM, SECSIP_E_IO. */
secsip_result ssi_poller_new(struct ssi_poller **ret);
/* NULL is legal. */
void ssi_poller_free(struct ssi_poller *p);
int ssi_poller_fd(const struct ssi_poller *p);
/* w->fd, fn and arg are set; wanted says for what. SECSIP_E_IO. */
secsip_result ssi_poller_watch(struct ssi_poller *p, struct ssi_watch *w, uint32_t wanted);
/* Safe on a watch that was never added, and from inside any watch's fn. */
void ssi_poller_unwatch(struct ssi_poller *p, struct ssi_watch *w);
/* Calls the fn of what is ready, without waiting: at most one batch. True when there may be more. */
bool ssi_poller_run(struct ssi_poller *p);
/* The descriptor becomes readable at due_us (monotonic) at the latest; UINT64_MAX: no timer. May fire early. */
void ssi_poller_arm(struct ssi_poller *p, uint64_t due_us);
/* The descriptor is readable from now on until the next ssi_poller_run. */
void ssi_poller_wake(struct ssi_poller *p);
/* Waits until the descriptor is readable, at most timeout_ms; negative: without limit. A signal ends it early. */
void ssi_poller_wait(struct ssi_poller *p, int32_t timeout_ms);
/* CLOCK_MONOTONIC, microseconds, and CLOCK_REALTIME, seconds. */
uint64_t ssi_poller_now_us(void);
uint64_t ssi_poller_wall_s(void);

#endif
