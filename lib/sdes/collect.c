/* The crypto lines of one media line, seen together. Layer: sdes. Lines and their keys belong to the caller, who wipes
 * them. */
#include "sdes/capneg.h"
#include "sdes/judge.h"

static bool share_key(const struct ssi_sdes_line *a, const struct ssi_sdes_line *b)
{
    for (uint32_t i = 0; i < a->n_keys; i++)
        for (uint32_t k = 0; k < b->n_keys; k++)
            if (a->keys[i].key.len > 0 && ssi_key_eq(&a->keys[i].key, &b->keys[k].key))
                return true;
    return false;
}

void ssi_sdes_cross_check(struct ssi_sdes_line *lines, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < i; k++) {
            bool has_tags = lines[i].suite_text.len > 0 && lines[k].suite_text.len > 0;
            if (has_tags && lines[i].tag == lines[k].tag) {
                ssi_sdes_refuse(&lines[i], SECSIP_E_SDES_TAG, "the tag stands twice");
                ssi_sdes_refuse(&lines[k], SECSIP_E_SDES_TAG, "the tag stands twice");
            }
            if (share_key(&lines[i], &lines[k]))
                ssi_sdes_refuse(&lines[i], SECSIP_E_SDES_KEY_WEAK,
                                "the key stands on an earlier line too");
        }
    }
}

/* One key for two streams is the two-time pad of RFC 3711 9.1. */
void ssi_sdes_check_other_media(const struct ssi_sdp *sdp, uint32_t media,
                                struct ssi_sdes_line *lines, uint32_t n)
{
    struct ssi_sdes_line other;
    struct ssi_slice value;

    for (uint32_t m = 0; m < media && n > 0; m++) {
        uint32_t at = 0;
        while (sdp->media[m].port > 0 && ssi_capneg_any_crypto(sdp, m, &at, &value)) {
            ssi_sdes_parse(value, &other);
            for (uint32_t i = 0; i < n; i++)
                if (share_key(&lines[i], &other))
                    ssi_sdes_refuse(&lines[i], SECSIP_E_SDES_KEY_WEAK,
                                    "the key stands in another media line too");
            ssi_sdes_line_wipe(&other);
        }
    }
}

secsip_result ssi_sdes_collect(const struct ssi_sdp *sdp, uint32_t media, uint32_t allow,
                               struct ssi_sdes_line *lines, uint32_t *ret_n)
{
    struct ssi_capneg actual = {0};

    *ret_n = 0;
    if (media >= sdp->n_media)
        return 0;
    secsip_result r = ssi_capneg_collect(sdp, media, &actual, allow, lines, ret_n);
    if (r == 0)
        ssi_sdes_check_other_media(sdp, media, lines, *ret_n);
    return r;
}
