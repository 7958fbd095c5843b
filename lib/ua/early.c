/* Packets that come before their key, see early.h. Layer: ua. */
#include "ua/early.h"

#include <stdlib.h>

void ssi_early_keep(struct ssi_early *e, bool rtcp, const struct ssi_addr *from,
                    const uint8_t *data, size_t len)
{
    if (len == 0 || len > SSI_EARLY_BYTES || e->n == SSI_EARLY_PACKETS)
        return;
    if (!e->packets)
        e->packets = malloc(SSI_EARLY_PACKETS * sizeof *e->packets);
    if (!e->packets)
        return;
    struct ssi_early_packet *p = &e->packets[e->n++];
    p->from = *from;
    p->rtcp = rtcp;
    p->len = len;
    memcpy(p->data, data, len);
}

void ssi_early_free(struct ssi_early *e)
{
    free(e->packets);
    e->packets = NULL;
    e->n = 0;
}
