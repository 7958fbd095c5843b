/* The media of a call, see media.h. Layer: ua. */
#include "ua/media.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    PORT_TRIES = 16,
    SDP_MAX = 65536,
    FRAME_MS = 20,
};

_Static_assert((int)SSI_SUITE_AEAD_AES_256_GCM == (int)SSI_SRTP_AEAD_AES_256_GCM &&
                   (int)SSI_SUITE_AES_192_CM_HMAC_SHA1_80 == (int)SSI_SRTP_AES_192_CM_HMAC_SHA1_80,
               "lib/sdes and lib/srtp number the suites alike");

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

/* ---- Stream callbacks */
static void send_packet(void *arg, bool rtcp, const uint8_t *packet, size_t len)
{
    struct ssi_media *m = arg;
    const struct ssi_io *io = &m->ua->io;

    if (rtcp && m->has_rtcp && m->remote_rtcp.family)
        io->dgram_send(io->arg, &m->rtcp, &m->remote_rtcp, packet, len);
    else if (!rtcp && m->has_rtp && m->remote_rtp.family)
        io->dgram_send(io->arg, &m->rtp, &m->remote_rtp, packet, len);
}

static void give_audio(void *arg, const int16_t *samples, size_t n, uint32_t timestamp)
{
    struct ssi_media *m = arg;

    if (m->arg)
        m->ops->on_audio(m->arg, samples, n, timestamp);
}

static void want_audio(void *arg, int16_t *samples, size_t n)
{
    struct ssi_media *m = arg;

    if (m->arg)
        m->ops->on_audio_wanted(m->arg, samples, n);
}

static const struct ssi_rtp_ops stream_ops = {send_packet, give_audio, want_audio};

/* ---- Making and freeing */
static void free_media(struct ssi_media *m)
{
    const struct ssi_io *io = &m->ua->io;

    ssi_timer_cancel(&m->ua->timers, &m->reap);
    ssi_timer_cancel(&m->ua->timers, &m->playback);
    ssi_early_free(&m->early);
    ssi_list_remove(&m->node);
    ssi_rtp_stream_free(m->stream);
    if (m->has_rtp)
        io->dgram_close(io->arg, &m->rtp);
    if (m->has_rtcp)
        io->dgram_close(io->arg, &m->rtcp);
    ssi_sdes_session_wipe(&m->sdes);
    ssi_wipe(m, sizeof *m);
    free(m);
}

static void take_packet(struct ssi_media *m, bool rtcp, const struct ssi_addr *from, uint8_t *data,
                        size_t len)
{
    uint64_t accepted = ssi_rtp_stream_stats(m->stream)->rx;

    ssi_rtp_stream_input(m->stream, rtcp, data, len);
    /* Behind a NAT packets come from elsewhere than the description says (RFC 4961). Only a packet that SRTP accepted
     * moves the address: nobody without the key can draw the media to himself. */
    if (!rtcp && m->secure && m->arg && ssi_rtp_stream_stats(m->stream)->rx > accepted)
        m->remote_rtp = *from;
}

static void on_playback(void *arg)
{
    struct ssi_media *m = arg;

    for (uint32_t i = 0; i < m->early.n && m->arg; i++) {
        struct ssi_early_packet *p = &m->early.packets[i];
        take_packet(m, p->rtcp, &p->from, p->data, p->len);
    }
    ssi_early_free(&m->early);
}

static void on_reap(void *arg)
{
    free_media(arg);
}

void ssi_media_close(struct ssi_media *m)
{
    if (!m || !m->arg)
        return;
    m->arg = NULL;
    m->running = false;
    ssi_list_push_back(&m->ua->closing, &m->node);
    ssi_timer_arm(&m->ua->timers, &m->reap, 0);
}

void ssi_media_reap(struct ssi_ua *ua)
{
    while (!ssi_list_empty(&ua->closing))
        free_media(SSI_CONTAINER(ua->closing.next, struct ssi_media, node));
}

/* RTP on an even port, RTCP on the next one (RFC 3550 11). */
static secsip_result open_ports(struct ssi_media *m, const struct ssi_addr *local_ip)
{
    const struct ssi_io *io = &m->ua->io;
    secsip_result r = SECSIP_E_IO;

    for (int i = 0; i < PORT_TRIES; i++) {
        m->rtp.local = m->rtcp.local = *local_ip;
        m->rtp.local.port = 0;
        r = io->dgram_open(io->arg, &m->rtp);
        if (r < 0)
            return r;
        m->rtcp.local.port = (uint16_t)(m->rtp.local.port + 1);
        r = io->dgram_open(io->arg, &m->rtcp);
        if (r >= 0) {
            m->has_rtp = m->has_rtcp = true;
            return 0;
        }
        io->dgram_close(io->arg, &m->rtp);
    }
    return r;
}

secsip_result ssi_media_new(struct ssi_ua *ua, const struct ssi_addr *local_ip,
                            const struct ssi_sdes_config *sdes, const struct ssi_media_ops *ops,
                            void *arg, struct ssi_media **ret)
{
    struct ssi_media *m = calloc(1, sizeof *m);

    if (!m)
        return SECSIP_E_NOMEM;
    m->ua = ua;
    m->ops = ops;
    m->arg = arg;
    m->rtp.ua = m->rtcp.ua = ua;
    m->rtcp.is_rtcp = true;
    m->secure = sdes->policy != SSI_SDES_OFF;
    m->direction = "sendrecv";
    ssi_list_init(&m->node);
    ssi_timer_init(&m->reap, on_reap, m);
    ssi_timer_init(&m->playback, on_playback, m);
    ssi_sdes_session_init(&m->sdes, sdes);
    uint32_t id;
    secsip_result r = ssi_random_nonce(&id, sizeof id);
    if (r < 0)
        goto fail_media;
    m->sdp_id = id;
    r = open_ports(m, local_ip);
    if (r < 0)
        goto fail_media;
    *ret = m;
    return 0;

fail_media:
    free_media(m);
    return r;
}

/* ---- Writing descriptions */
static void put_session(const struct ssi_media *m, struct ssi_buf *b)
{
    char ip[SSI_ADDR_TEXT];
    char line[160];
    const char *family = m->rtp.local.family == 6 ? "IP6" : "IP4";

    ssi_addr_ip_text(&m->rtp.local, false, ip);
    ssi_sdp_put_line_str(b, 'v', "0");
    snprintf(line, sizeof line, "- %llu %llu IN %s %s", (unsigned long long)m->sdp_id,
             (unsigned long long)m->sdp_version, family, ip);
    ssi_sdp_put_line_str(b, 'o', line);
    ssi_sdp_put_line_str(b, 's', "-");
    snprintf(line, sizeof line, "IN %s %s", family, ip);
    ssi_sdp_put_line_str(b, 'c', line);
    ssi_sdp_put_line_str(b, 't', "0 0");
}

/* The m= line and its attributes but for a=crypto; codec < 0: all that we know. */
static void put_audio(const struct ssi_media *m, struct ssi_buf *b, const char *profile, int codec)
{
    char line[96];
    size_t n =
        (size_t)snprintf(line, sizeof line, "audio %u %s", (unsigned)m->rtp.local.port, profile);

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
    ssi_sdp_put_line_str(b, 'a', m->direction);
}

secsip_result ssi_media_put_offer(struct ssi_media *m, struct ssi_buf *b)
{
    m->sdp_version++; /* RFC 3264 8: one up for every description that may differ */
    put_session(m, b);
    put_audio(m, b, ssi_sdes_offer_profile(&m->sdes), -1);
    secsip_result r = ssi_sdes_put_offer(&m->sdes, b);
    return r < 0 ? r : b->failed;
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
 * can be a tag, and what has the letters of a suite, is shown. */
static void show_crypto(struct ssi_slice value, char *out, size_t cap)
{
    size_t n = 0;

    while (n < value.len && n < 9 && value.p[n] >= '0' && value.p[n] <= '9')
        n++;
    size_t end = n;
    if (n > 0 && n < value.len && value.p[n] == ' ')
        for (end = n + 1; end < value.len && end < n + 33 &&
                          ((value.p[end] >= 'A' && value.p[end] <= 'Z') ||
                           (value.p[end] >= '0' && value.p[end] <= '9') || value.p[end] == '_');
             end++)
            ;
    ssi_slice_show(ssi_slice_of(value.p, end), out, cap);
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

static void explain(const struct ssi_media *m, secsip_result r, const char *why,
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

/* ---- Taking descriptions */
/* The first format of the line that we know, or -1. */
static int pick_codec(const struct ssi_sdp_media *line)
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

static bool same_key(const struct ssi_sdes_key *a, const struct ssi_sdes_key *b)
{
    return ssi_key_eq(&a->key, &b->key) && a->lifetime == b->lifetime && a->mki_len == b->mki_len &&
           memcmp(a->mki, b->mki, a->mki_len) == 0;
}

static secsip_result make_srtp(enum ssi_suite suite, const struct ssi_sdes_key *key,
                               enum ssi_srtp_direction direction, uint32_t window,
                               struct ssi_srtp **ret)
{
    struct ssi_srtp_config c = {
        .direction = direction,
        .suite = (enum ssi_srtp_suite)suite,
        .key = key->key,
        .mki_len = key->mki_len,
        .lifetime = key->lifetime,
        .replay_window = window,
    };
    memcpy(c.mki, key->mki, key->mki_len);
    secsip_result r = ssi_srtp_new(&c, ret);
    ssi_wipe(&c, sizeof c);
    return r;
}

/* Gives the stream sessions for new keys. A half whose key did not change goes on with its ROC and replay list: the stream
 * sees to that (RFC 3711 3.3.1). */
static secsip_result apply_keys(struct ssi_media *m, const struct ssi_sdes_agreed *k)
{
    struct ssi_srtp *tx = NULL;
    struct ssi_srtp *rx = NULL;

    if (m->keys.suite == k->suite && same_key(&m->keys.tx, &k->tx) && same_key(&m->keys.rx, &k->rx))
        return 0;
    secsip_result r = make_srtp(k->suite, &k->tx, SSI_SRTP_SEND, 0, &tx);
    if (r >= 0)
        r = make_srtp(k->suite, &k->rx, SSI_SRTP_RECEIVE, k->wsh, &rx);
    if (r >= 0)
        r = ssi_rtp_stream_set_srtp(m->stream, tx, rx);
    if (r < 0) {
        ssi_srtp_free(tx);
        ssi_srtp_free(rx);
        return r;
    }
    m->keys = *k;
    return 0;
}

/* Everything that offer and answer settled becomes the stream's. */
static secsip_result apply(struct ssi_media *m, const struct ssi_sdp *sdp, uint32_t media,
                           int codec, const struct ssi_sdes_agreed *keys)
{
    struct ssi_addr rtp;
    secsip_result r = 0;

    if (!ssi_sdp_media_addr(sdp, media, &rtp))
        return SECSIP_E_SDP_MEDIA;
    bool secure = keys->suite != SSI_SUITE_NONE;
    /* Decision 9: MANDATORY never comes here without keys; checked again where it matters. */
    if (!secure && (m->sdes.config.policy == SSI_SDES_MANDATORY || m->keys.suite != SSI_SUITE_NONE))
        return SECSIP_E_UA_SECURITY_LEVEL;
    if (!m->stream) {
        struct ssi_rtp_config c = {
            .secure = secure,
            .codec = (enum ssi_rtp_codec)codec,
            .payload_type = (uint8_t)codec,
            .frame_ms = FRAME_MS,
            .send = true,
            .receive = true,
        };
        r = ssi_rtp_stream_new(&c, &m->ua->timers, &stream_ops, m, &m->stream);
        m->secure = secure;
    }
    if (r >= 0 && secure)
        r = apply_keys(m, keys);
    if (r < 0)
        return r;
    m->direction = mirror(ssi_sdp_direction(sdp, media));
    m->remote_rtp = m->remote_rtcp = rtp;
    find_rtcp(sdp, media, &m->remote_rtcp);
    m->codec = (enum ssi_rtp_codec)codec;
    ssi_rtp_stream_set_codec(m->stream, m->codec, (uint8_t)codec);
    bool has_port = rtp.port != 0 && !ssi_addr_is_any(&rtp);
    bool sends = !strcmp(m->direction, "sendrecv") || !strcmp(m->direction, "sendonly");
    bool receives = !strcmp(m->direction, "sendrecv") || !strcmp(m->direction, "recvonly");
    ssi_rtp_stream_set_direction(m->stream, sends && has_port, receives);
    ssi_slice_show(sdp->media[media].profile, m->profile, sizeof m->profile);
    return 0;
}

secsip_result ssi_media_take_answer(struct ssi_media *m, struct ssi_slice body, struct ssi_error *e)
{
    const struct ssi_sdes_agreed *keys = NULL;
    struct ssi_sdp_fault fault = {0};
    const char *why = NULL;
    struct ssi_sdp *sdp;

    secsip_result r = ssi_sdp_parse(body, NULL, &fault, &sdp);
    if (r < 0) {
        explain(m, r, fault.text, NULL, 0, e);
        return r;
    }
    int codec = -1;
    /* RFC 3264 6: as many m= lines as the offer had: one. */
    if (sdp->n_media != 1 || !ssi_slice_eq(sdp->media[0].kind, SSI_LIT("audio"))) {
        r = SECSIP_E_SDP_MEDIA;
        why = "the answer has other media lines than the offer";
    } else if (sdp->media[0].port == 0) {
        r = SECSIP_E_UA_NO_MEDIA;
        why = "the answer refuses the audio";
    } else {
        r = ssi_sdes_take_answer(&m->sdes, sdp, 0, &keys, &why);
        codec = pick_codec(&sdp->media[0]);
        if (r >= 0 && codec < 0) {
            r = SECSIP_E_UA_NO_MEDIA;
            why = "no codec of ours in the answer";
        }
    }
    if (r >= 0)
        r = apply(m, sdp, 0, codec, keys);
    if (r < 0)
        explain(m, r, why, sdp, 0, e);
    ssi_sdp_free(sdp);
    return r;
}

/* m= lines that are not taken are answered with port 0 (RFC 3264 6). */
static void put_refused(struct ssi_buf *b, const struct ssi_sdp_media *line)
{
    ssi_buf_put_str(b, "m=");
    ssi_buf_put_slice(b, line->kind);
    ssi_buf_put_str(b, " 0 ");
    ssi_buf_put_slice(b, line->profile);
    ssi_buf_put_char(b, ' ');
    ssi_buf_put_slice(b, line->formats);
    ssi_buf_put_str(b, "\r\n");
}

static void put_answer(struct ssi_media *m, const struct ssi_sdp *sdp, uint32_t chosen,
                       const char *profile, const struct ssi_buf *crypto, struct ssi_buf *b)
{
    put_session(m, b);
    for (uint32_t i = 0; i < sdp->n_media; i++) {
        if (i != chosen) {
            put_refused(b, &sdp->media[i]);
            continue;
        }
        put_audio(m, b, profile, (int)m->codec);
        ssi_buf_put_slice(b, ssi_buf_slice(crypto));
    }
}

secsip_result ssi_media_answer(struct ssi_media *m, struct ssi_slice body, struct ssi_buf *b,
                               struct ssi_error *e)
{
    const struct ssi_sdes_agreed *keys = NULL;
    struct ssi_sdp_fault fault = {0};
    const char *profile = NULL;
    const char *why = "no audio line that can be answered";
    struct ssi_buf crypto;
    struct ssi_sdp *sdp;
    uint32_t line = 0;
    uint32_t blamed = 0;
    int codec = -1;

    secsip_result r = ssi_sdp_parse(body, NULL, &fault, &sdp);
    if (r < 0) {
        explain(m, r, fault.text, NULL, 0, e);
        return r;
    }
    ssi_buf_init_secret(&crypto, SDP_MAX);
    r = SECSIP_E_UA_NO_MEDIA;
    for (line = 0; line < sdp->n_media; line++) {
        const struct ssi_sdp_media *offered = &sdp->media[line];
        if (!ssi_slice_eq(offered->kind, SSI_LIT("audio")) || offered->port == 0 ||
            (codec = pick_codec(offered)) < 0)
            continue;
        ssi_buf_reset(&crypto);
        r = ssi_sdes_answer(&m->sdes, sdp, line, &crypto, &profile, &keys, &why);
        if (r >= 0)
            break;
        blamed = line;
    }
    bool agreed = r >= 0;
    if (r >= 0)
        r = apply(m, sdp, line, codec, keys);
    if (r >= 0) {
        m->sdp_version++;
        put_answer(m, sdp, line, profile, &crypto, b);
        r = b->failed < 0 ? b->failed : crypto.failed;
    }
    if (r < 0 && agreed)
        ssi_sdes_rollback(&m->sdes);
    if (r < 0)
        explain(m, r, why, sdp, blamed, e);
    ssi_buf_free(&crypto);
    ssi_sdp_free(sdp);
    return r;
}

void ssi_media_rollback(struct ssi_media *m)
{
    ssi_sdes_rollback(&m->sdes);
}

secsip_result ssi_media_start(struct ssi_media *m)
{
    if (m->running || !m->stream)
        return m->running ? 0 : SECSIP_E_STATE;
    secsip_result r = ssi_rtp_stream_start(m->stream);
    m->running = r >= 0;
    if (m->running && m->early.n > 0)
        ssi_timer_arm(&m->ua->timers, &m->playback, 0);
    return r;
}

/* ---- What the driver tells */
void ssi_media_input(struct ssi_dgram *d, const struct ssi_addr *from, uint8_t *data, size_t len)
{
    bool rtcp = d->is_rtcp;
    struct ssi_media *m =
        rtcp ? SSI_CONTAINER(d, struct ssi_media, rtcp) : SSI_CONTAINER(d, struct ssi_media, rtp);

    if (m->arg && m->running)
        take_packet(m, rtcp, from, data, len);
    else if (m->arg)
        ssi_early_keep(&m->early, rtcp, from, data, len);
}
