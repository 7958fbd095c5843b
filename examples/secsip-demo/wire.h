/* The demo's network: it carries what the stacks behind the engine door send and receive over real TCP and UDP sockets
 * on the loopback interface, and shows every byte that leaves a stack to a tap. Part of: secsip-demo.
 * Each lane of the report has its own address, 127.0.0.2 and up. The wire owns its sockets; the stacks belong to the
 * caller and must be gone before wire_free(). */
#ifndef DEMO_WIRE_H
#define DEMO_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <secsip/stack.h>

#include "report/report.h"

enum {
    WIRE_LANES = REPORT_BOB + 1
};

/* Bytes on their way. */
struct wire_bytes {
    enum report_lane from;
    enum report_lane to;
    bool stream; /* TCP, else one UDP datagram */
    uint32_t
        flow; /* of a stream: the same number for all bytes of one direction of one connection */
    uint16_t from_port;
    uint16_t to_port;
    const uint8_t *data;
    size_t len;
};

struct wire;

/* on_bytes sees everything that is sent, in order. NULL when memory is out. */
struct wire *wire_new(void (*on_bytes)(const struct wire_bytes *bytes, void *arg), void *arg);
void wire_free(struct wire *w);
/* A stack at a lane's address. At most one per lane. */
secsip_result wire_add_stack(struct wire *w, enum report_lane lane,
                             const secsip_stack_config *config, secsip_stack **ret_stack);
/* Take the stack off again, before its last reference goes. */
void wire_remove_stack(struct wire *w, enum report_lane lane);
/* The one name that look-ups find: the registrar's domain. Borrowed. */
void wire_set_name(struct wire *w, const char *name);
/* The lane's address, "127.0.0.2". */
const char *wire_address(enum report_lane lane);
/* The lane of an address such as "127.0.0.2:5061"; false when it is none of ours. */
bool wire_lane_of(const char *address, enum report_lane *ret);
/* Waits until something happens or until_us, and lets the stacks do their work. False when the system refuses. */
bool wire_step(struct wire *w, uint64_t until_us);

#endif
