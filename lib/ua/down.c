/* A memory of servers that do not work, see down.h. Layer: ua. */
#include "ua/down.h"

#include "base/timer.h"

static bool same(const struct ssi_down_key *a, const struct ssi_down_key *b)
{
    return a->asker == b->asker && ssi_addr_eq(&a->addr, &b->addr);
}

void ssi_down_note(struct ssi_down *d, const struct ssi_down_key *key, uint64_t now_us,
                   uint32_t seconds)
{
    uint32_t s = seconds == 0                   ? SSI_DOWN_S
                 : seconds > SSI_DOWN_LONGEST_S ? SSI_DOWN_LONGEST_S
                                                : seconds;
    uint64_t until_us = now_us + SSI_S(s);
    size_t at = 0;

    for (size_t i = 0; i < SSI_DOWN_MAX; i++) {
        if (same(&d->row[i].key, key)) {
            at = i;
            break;
        }
        if (d->row[i].until_us < d->row[at].until_us)
            at = i;
    }
    bool is_firm = same(&d->row[at].key, key) && d->row[at].firm && d->row[at].until_us > now_us;
    if (is_firm && seconds == 0 && d->row[at].until_us > until_us)
        return; /* that it is silent, too, makes nothing shorter */
    d->row[at].key = *key;
    d->row[at].until_us = until_us;
    d->row[at].firm = seconds > 0;
}

void ssi_down_clear(struct ssi_down *d, const struct ssi_down_key *key)
{
    for (size_t i = 0; i < SSI_DOWN_MAX; i++)
        if (!d->row[i].firm && same(&d->row[i].key, key))
            d->row[i].until_us = 0;
}

bool ssi_down_is(const struct ssi_down *d, const struct ssi_down_key *key, uint64_t now_us)
{
    for (size_t i = 0; i < SSI_DOWN_MAX; i++)
        if (d->row[i].until_us > now_us && same(&d->row[i].key, key))
            return true;
    return false;
}
