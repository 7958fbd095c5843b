/* Packets that come before the answer that holds their key: kept, few and briefly, and played when the stream starts. With
 * SDES the called side may send as soon as it answered, and its media overtake the answer. Layer: ua. */
#ifndef SSI_UA_EARLY_H
#define SSI_UA_EARLY_H

#include "base/addr.h"

enum {
    SSI_EARLY_PACKETS = 16,
    SSI_EARLY_BYTES = 1500
};

struct ssi_early_packet {
    struct ssi_addr from;
    bool rtcp;
    size_t len;
    uint8_t data[SSI_EARLY_BYTES];
};

struct ssi_early {
    struct ssi_early_packet *packets; /* SSI_EARLY_PACKETS of them once one came, else NULL */
    uint32_t n;
};

/* Keeps a copy; when full, or out of memory, the packet is lost as on the network. */
void ssi_early_keep(struct ssi_early *e, bool rtcp, const struct ssi_addr *from,
                    const uint8_t *data, size_t len);
/* Forgets everything. */
void ssi_early_free(struct ssi_early *e);

#endif
