/* A memory of servers that do not work, see down.h. Layer: ua. */
#include "ua/down.h"

#include "base/timer.h"

void ssi_down_note(struct ssi_down *d, const struct ssi_addr *addr, uint64_t now_us,
                   uint32_t seconds)
{
    uint32_t s = seconds == 0                   ? SSI_DOWN_S
                 : seconds > SSI_DOWN_LONGEST_S ? SSI_DOWN_LONGEST_S
                                                : seconds;
    size_t at = 0;

    for (size_t i = 0; i < SSI_DOWN_MAX; i++) {
        if (ssi_addr_eq(&d->row[i].addr, addr)) {
            at = i;
            break;
        }
        if (d->row[i].until_us < d->row[at].until_us)
            at = i;
    }
    d->row[at].addr = *addr;
    d->row[at].until_us = now_us + SSI_S(s);
}

void ssi_down_clear(struct ssi_down *d, const struct ssi_addr *addr)
{
    for (size_t i = 0; i < SSI_DOWN_MAX; i++)
        if (ssi_addr_eq(&d->row[i].addr, addr))
            d->row[i].until_us = 0;
}

bool ssi_down_is(const struct ssi_down *d, const struct ssi_addr *addr, uint64_t now_us)
{
    for (size_t i = 0; i < SSI_DOWN_MAX; i++)
        if (d->row[i].until_us > now_us && ssi_addr_eq(&d->row[i].addr, addr))
            return true;
    return false;
}
