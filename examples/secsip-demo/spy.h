/* The eavesdropper: he gets a copy of every byte on the path and makes of it what he can without a key.
 * Part of: secsip-demo. He owns his copies until spy_free(). */
#ifndef DEMO_SPY_H
#define DEMO_SPY_H

#include "recorder.h"
#include "report/report.h"
#include "wire.h"

enum {
    SPY_FLOWS = 64
};

/* One direction of one connection. */
struct spy_flow {
    bool used;
    uint32_t flow;
    uint8_t *data;
    size_t len;
    size_t cap;
};

struct spy {
    struct spy_flow flows[SPY_FLOWS];
    struct recorder heard[WIRE_LANES]; /* what he took for speech, by who sent it */
    uint8_t *payloads;                 /* of all media packets, one after the other */
    size_t payloads_len;
    size_t payloads_cap;
    uint64_t packets;
    uint64_t media_bytes;
    uint64_t media_of[WIRE_LANES]; /* packets by sender */
    bool failed;                   /* memory ran out: he knows less than he could */
};

void spy_see(struct spy *spy, const struct wire_bytes *bytes);
/* What he could read, counted. */
struct report_capture spy_report(const struct spy *spy);
void spy_free(struct spy *spy);

#endif
