/* The event loop of the example programs, see loop.h. Part of: examples. The handler writes to a pipe that poll() sees,
 * so that no signal is lost between the question and the wait. */
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static int signal_pipe[2] = {-1, -1};
static int n_signals;

static void on_signal(int number)
{
    int saved = errno;

    (void)number;
    if (write(signal_pipe[1], "", 1) < 0) {
        /* the pipe is full of signals already */
    }
    errno = saved;
}

bool loop_init(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    return pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) == 0 &&
           sigaction(SIGINT, &action, NULL) == 0 && sigaction(SIGTERM, &action, NULL) == 0 &&
           sigaction(SIGPIPE, &ignore, NULL) == 0;
}

uint64_t loop_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int timeout_until(uint64_t until_us)
{
    uint64_t now = loop_now_us();

    if (until_us == LOOP_FOREVER)
        return -1;
    if (until_us <= now)
        return 0;
    uint64_t ms = (until_us - now + 999) / 1000;
    return ms > 60000 ? 60000 : (int)ms;
}

int loop_step(secsip_stack *stack, uint64_t until_us)
{
    struct pollfd fds[2] = {
        {.fd = secsip_stack_get_fd(stack), .events = POLLIN},
        {.fd = signal_pipe[0], .events = POLLIN},
    };
    char byte;

    if (poll(fds, 2, timeout_until(until_us)) < 0 && errno != EINTR)
        return -1;
    while (read(signal_pipe[0], &byte, 1) == 1)
        n_signals++;
    return secsip_stack_process(stack) < 0 ? -1 : n_signals;
}
