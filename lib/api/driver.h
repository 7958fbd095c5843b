/* Joins the core to the world: struct ssi_io on sockets, poller and resolver. Layer: api. One driver per stack; it owns the
 * descriptors, the core owns the streams, listeners, datagram sockets and queries until it closes them. */
#ifndef SSI_API_DRIVER_H
#define SSI_API_DRIVER_H

#include "ua/io.h"

struct ssi_driver;

/* ua is told of everything; it need not be initialised yet. dns_servers: as in secsip_stack_config, NULL for the system's.
 * SECSIP_E_NOMEM, SECSIP_E_IO (no descriptors left), SECSIP_E_INVALID (dns_servers). */
secsip_result ssi_driver_new(struct ssi_ua *ua, const char *dns_servers, struct ssi_driver **ret);
/* Closes every descriptor. The core must be gone, or never use its io again. NULL is legal. */
void ssi_driver_free(struct ssi_driver *d);
/* The table for the core. */
void ssi_driver_io(struct ssi_driver *d, struct ssi_io *ret);
/* Monotonic microseconds and Unix seconds, as ssi_ua_advance wants them. */
void ssi_driver_now(uint64_t *ret_now_us, uint64_t *ret_wall_s);
/* What the application polls for reading. */
int ssi_driver_fd(const struct ssi_driver *d);
/* Time, sockets, answers, output: never blocks, and is bounded; what is left keeps the descriptor readable. 0 or
 * SECSIP_E_BUSY (from inside itself). */
secsip_result ssi_driver_process(struct ssi_driver *d);
/* After calls on the core from outside ssi_driver_process: sets the timer anew where the deadline came nearer. */
void ssi_driver_rearm(struct ssi_driver *d);

/* The functions of ua/io.h that the driver calls, as a table so that tests can stand in for the core. */
struct ssi_driver_tell {
    bool (*advance)(struct ssi_ua *ua, uint64_t now_us, uint64_t wall_s);
    uint64_t (*deadline)(const struct ssi_ua *ua);
    void (*stream_connected)(struct ssi_stream *s, const struct ssi_addr *local);
    struct ssi_stream *(*stream_accepted)(struct ssi_listener *l, const struct ssi_addr *peer,
                                          const struct ssi_addr *local, void *io_data);
    void (*stream_input)(struct ssi_stream *s, const void *data, size_t len);
    struct ssi_buf *(*stream_output)(struct ssi_stream *s);
    void (*stream_sent)(struct ssi_stream *s);
    void (*stream_closed)(struct ssi_stream *s, secsip_result why, const char *detail);
    void (*dgram_input)(struct ssi_dgram *d, const struct ssi_addr *from, uint8_t *data,
                        size_t len);
    void (*resolved)(struct ssi_query *q, secsip_result result, const struct ssi_rr *rrs,
                     size_t n_rrs);
    void (*dgram_failed)(struct ssi_dgram *d, const struct ssi_addr *to, const char *detail);
};

/* ssi_driver_new with another table, borrowed for the driver's life. */
secsip_result ssi_driver_new_telling(const struct ssi_driver_tell *tell, struct ssi_ua *ua,
                                     const char *dns_servers, struct ssi_driver **ret);

#endif
