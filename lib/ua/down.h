/* A memory of servers that do not work: tried last while it lasts (RFC 3263 4.3, RFC 3261 21.5.4). Layer: ua. Fixed in size; what
 * it forgets is only tried once more. Never a reason not to try: where all are down, all are tried. */
#ifndef SSI_UA_DOWN_H
#define SSI_UA_DOWN_H

#include "base/addr.h"

enum {
    SSI_DOWN_MAX = 64,
    SSI_DOWN_S = 60,           /* no connection, no handshake, 503 without Retry-After */
    SSI_DOWN_LONGEST_S = 3600, /* whatever Retry-After says */
};

struct ssi_down {
    struct {
        struct ssi_addr addr;
        uint64_t until_us;
    } row[SSI_DOWN_MAX];
};

/* The server at addr does not work for the next `seconds` (0: SSI_DOWN_S). */
void ssi_down_note(struct ssi_down *d, const struct ssi_addr *addr, uint64_t now_us,
                   uint32_t seconds);
/* It does. */
void ssi_down_clear(struct ssi_down *d, const struct ssi_addr *addr);
bool ssi_down_is(const struct ssi_down *d, const struct ssi_addr *addr, uint64_t now_us);

#endif
