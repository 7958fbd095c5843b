/* A memory of servers that do not work: tried last while it lasts (RFC 3263 4.3, RFC 3261 21.5.4). Layer: ua. Fixed in size; what
 * it forgets is only tried once more. Never a reason not to try: where all are down, all are tried. What one domain found under one
 * TLS profile says nothing to another: anybody may let his SRV records lead to a server that cannot prove his name. */
#ifndef SSI_UA_DOWN_H
#define SSI_UA_DOWN_H

#include "base/addr.h"

enum {
    SSI_DOWN_MAX = 64,
    SSI_DOWN_S = 60,           /* no connection, no handshake, 503 without Retry-After */
    SSI_DOWN_LONGEST_S = 3600, /* whatever Retry-After says */
};

/* A server, as somebody who looks for it sees it. */
struct ssi_down_key {
    struct ssi_addr addr;
    uint64_t asker; /* a hash of domain and profile */
};

struct ssi_down {
    struct {
        struct ssi_down_key key;
        uint64_t until_us;
        bool firm; /* the server said so itself: what else is heard of it changes nothing */
    } row[SSI_DOWN_MAX];
};

/* The server does not work: for as many seconds as it says, or (0) for SSI_DOWN_S, or until it is heard of. */
void ssi_down_note(struct ssi_down *d, const struct ssi_down_key *key, uint64_t now_us,
                   uint32_t seconds);
/* It was heard of. */
void ssi_down_clear(struct ssi_down *d, const struct ssi_down_key *key);
bool ssi_down_is(const struct ssi_down *d, const struct ssi_down_key *key, uint64_t now_us);

#endif
