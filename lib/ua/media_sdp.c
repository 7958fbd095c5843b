/* The descriptions of a call's media: written, and read for all but the keys, see media_sdp.h. Layer: ua. */
#include "ua/media_sdp.h"

#include <stdio.h>

static const struct codec {
    enum ssi_rtp_codec id;
    const char *rtpmap;
} codecs[] = {
    {SSI_RTP_PCMU, "0 PCMU/8000"},
    {SSI_RTP_PCMA, "8 PCMA/8000"},
};

enum {
    N_CODECS = sizeof codecs / sizeof codecs[0]
};

/* ---- Writing */
void ssi_media_put_session(const struct ssi_media *m, struct ssi_buf *b)
{
    char ip[SSI_ADDR_TEXT];
    char line[160];
    const struct ssi_addr *local = ssi_media_local(m);
    const char *family = local->family == 6 ? "IP6" : "IP4";

    ssi_addr_ip_text(local, false, ip);
    ssi_sdp_put_line_str(b, 'v', "0");
    snprintf(line, sizeof line, "- %llu %llu IN %s %s", (unsigned long long)m->sdp_id,
             (unsigned long long)m->sdp_version, family, ip);
    ssi_sdp_put_line_str(b, 'o', line);
    ssi_sdp_put_line_str(b, 's', "-");
    snprintf(line, sizeof line, "IN %s %s", family, ip);
    ssi_sdp_put_line_str(b, 'c', line);
    ssi_sdp_put_line_str(b, 't', "0 0");
}

void ssi_media_put_audio(const struct ssi_media *m, struct ssi_buf *b, const char *profile,
                         const char *direction, int codec)
{
    char line[96];
    size_t n = (size_t)snprintf(line, sizeof line, "audio %u %s",
                                (unsigned)ssi_media_local(m)->port, profile);

    for (size_t i = 0; i < N_CODECS; i++)
        if (codec < 0 || codec == (int)codecs[i].id)
            n += (size_t)snprintf(line + n, sizeof line - n, " %d", (int)codecs[i].id);
    ssi_sdp_put_line_str(b, 'm', line);
    for (size_t i = 0; i < N_CODECS; i++) {
        if (codec >= 0 && codec != (int)codecs[i].id)
            continue;
        snprintf(line, sizeof line, "rtpmap:%s", codecs[i].rtpmap);
        ssi_sdp_put_line_str(b, 'a', line);
    }
    ssi_sdp_put_line_str(b, 'a', "ptime:20");
    ssi_sdp_put_line_str(b, 'a', direction);
}

void ssi_media_put_refused_ours(struct ssi_buf *b, const char *profile)
{
    ssi_buf_put_str(b, "m=audio 0 ");
    ssi_buf_put_str(b, profile);
    for (size_t i = 0; i < N_CODECS; i++) {
        ssi_buf_put_char(b, ' ');
        ssi_buf_put_u64(b, (uint64_t)codecs[i].id);
    }
    ssi_buf_put_str(b, "\r\n");
}

void ssi_media_put_refused(struct ssi_buf *b, const struct ssi_sdp_media *line)
{
    ssi_buf_put_str(b, "m=");
    ssi_buf_put_slice(b, line->kind);
    ssi_buf_put_str(b, " 0 ");
    ssi_buf_put_slice(b, line->profile);
    ssi_buf_put_char(b, ' ');
    ssi_buf_put_slice(b, line->formats);
    ssi_buf_put_str(b, "\r\n");
}

/* ---- Errors with what was expected and found; never a key */
static const char *check_name(secsip_result r)
{
    switch (r) {
    case SECSIP_E_SDES_CLEAR_PROFILE:
        return "profile";
    case SECSIP_E_SDES_NO_CRYPTO:
        return "crypto";
    case SECSIP_E_SDES_TAG:
        return "tag";
    case SECSIP_E_SDES_SUITE:
        return "suite";
    case SECSIP_E_SDES_KEY_LENGTH:
        return "key-length";
    case SECSIP_E_SDES_KEY_WEAK:
        return "key";
    case SECSIP_E_SDES_PARAM:
        return "parameter";
    case SECSIP_E_SDES_LIFETIME:
        return "lifetime";
    case SECSIP_E_SDES_MKI:
        return "mki";
    case SECSIP_E_UA_NO_MEDIA:
        return "codec";
    default:
        return "sdp";
    }
}

static void describe_expected(const struct ssi_media *m, char *out, size_t cap)
{
    size_t n = (size_t)snprintf(out, cap, "%s", ssi_sdes_offer_profile(&m->sdes));

    for (size_t i = 0; i < m->sdes.config.n_suites && n < cap && m->secure; i++)
        n += (size_t)snprintf(out + n, cap - n, "%s%s", i ? ", " : " with ",
                              ssi_suite_info(m->sdes.config.suites[i])->name);
}

/* Tag and suite only: the rest is the key, and in a line that lacks one of the two the key stands in its place. So only what
 * can be a tag, and what has the form of a suite, is shown. */
static void show_crypto(struct ssi_slice value, char *out, size_t cap)
{
    size_t n = 0;

    while (n < value.len && n < 9 && value.p[n] >= '0' && value.p[n] <= '9')
        n++;
    struct ssi_slice suite = ssi_slice_from(value, n < value.len ? n + 1 : n);
    suite.len = ssi_slice_find(suite, ' ');
    bool shown = n > 0 && n < value.len && value.p[n] == ' ' && ssi_sdes_is_name(suite);
    ssi_slice_show(ssi_slice_of(value.p, shown ? n + 1 + suite.len : n), out, cap);
}

static void describe_found(const struct ssi_sdp *sdp, uint32_t media, char *out, size_t cap)
{
    char profile[32];
    struct ssi_slice value;
    uint32_t at = 0;

    ssi_slice_show(sdp->media[media].profile, profile, sizeof profile);
    size_t n = (size_t)snprintf(out, cap, "%s", profile);
    bool any = false;
    while (n < cap && ssi_sdp_attr(sdp, (int)media, SSI_LIT("crypto"), &at, &value)) {
        char text[64];
        show_crypto(value, text, sizeof text);
        n += (size_t)snprintf(out + n, cap - n, "%s%s", any ? ", " : " with a=crypto:", text);
        any = true;
    }
    if (!any && n < cap)
        snprintf(out + n, cap - n, " without a=crypto");
}

void ssi_media_explain(const struct ssi_media *m, secsip_result r, const char *why,
                       const struct ssi_sdp *sdp, uint32_t media, struct ssi_error *e)
{
    char expected[160];
    char found[200] = "";

    describe_expected(m, expected, sizeof expected);
    if (sdp && media < sdp->n_media)
        describe_found(sdp, media, found, sizeof found);
    ssi_error_set(e, r, "%s", why ? why : "the session description does not fit");
    ssi_error_check(e, check_name(r), ssi_slice_str(expected), ssi_slice_str(found));
}

/* ---- Reading */
int ssi_media_pick_codec(const struct ssi_sdp_media *line)
{
    struct ssi_slice format;

    for (uint32_t i = 0; ssi_sdp_format(line, i, &format); i++)
        for (size_t c = 0; c < N_CODECS; c++) {
            uint64_t pt;
            if (ssi_slice_to_u64(format, 127, &pt) && pt == (uint64_t)codecs[c].id)
                return (int)pt;
        }
    return -1;
}

/* Our direction from the peer's (RFC 3264 6.1). */
static const char *mirror(const char *peer)
{
    if (!strcmp(peer, "sendonly"))
        return "recvonly";
    if (!strcmp(peer, "recvonly"))
        return "sendonly";
    return peer;
}

/* RFC 3605 a=rtcp, else the next port (RFC 3550 11). */
static void find_rtcp(const struct ssi_sdp *sdp, uint32_t media, struct ssi_addr *rtcp)
{
    struct ssi_slice value;
    uint32_t at = 0;
    uint64_t port;

    rtcp->port = (uint16_t)(rtcp->port + 1);
    if (ssi_sdp_attr(sdp, (int)media, SSI_LIT("rtcp"), &at, &value) &&
        ssi_slice_to_u64(ssi_slice_of(value.p, ssi_slice_find(value, ' ')), 65535, &port) &&
        port > 0)
        rtcp->port = (uint16_t)port;
}

bool ssi_media_read_terms(const struct ssi_sdp *sdp, uint32_t media, struct ssi_media_terms *ret)
{
    memset(ret, 0, sizeof *ret);
    int codec = ssi_media_pick_codec(&sdp->media[media]);
    if (codec < 0 || !ssi_sdp_media_addr(sdp, media, &ret->remote_rtp))
        return false;
    ret->remote_rtcp = ret->remote_rtp;
    find_rtcp(sdp, media, &ret->remote_rtcp);
    ret->codec = (enum ssi_rtp_codec)codec;
    ret->direction = mirror(ssi_sdp_direction(sdp, media));
    ssi_slice_show(sdp->media[media].profile, ret->profile, sizeof ret->profile);
    return true;
}
