/* What offer and answer came to becomes the stream's: keys, addresses, direction; and back again, see media.h. Layer: ua. A
 * stream is made secure or clear once; what was secure never goes on in clear. */
#include "ua/media.h"

#include <stdlib.h>

#include "base/crypto.h"

enum {
    FRAME_MS = 20,
};

_Static_assert((int)SSI_SUITE_AEAD_AES_256_GCM == (int)SSI_SRTP_AEAD_AES_256_GCM &&
                   (int)SSI_SUITE_AES_192_CM_HMAC_SHA1_80 == (int)SSI_SRTP_AES_192_CM_HMAC_SHA1_80,
               "lib/sdes and lib/srtp number the suites alike");

/* ---- Stream callbacks */
static void send_packet(void *arg, bool rtcp, const uint8_t *packet, size_t len)
{
    ssi_media_send(arg, rtcp, packet, len);
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

/* The next description of ours, whoever asks for it, brings a new key from the soft limit on. */
static void note_key_life(void *arg, bool ours, bool ended)
{
    struct ssi_media *m = arg;

    if (ours) {
        m->key_due = true;
        ssi_media_rekey(m);
    }
    if (m->arg)
        m->ops->on_key_life(m->arg, ours, ended);
}

static const struct ssi_rtp_ops stream_ops = {send_packet, give_audio, want_audio, note_key_life};

/* ---- Keys */
static bool same_keys(const struct ssi_sdes_agreed *a, const struct ssi_sdes_agreed *b)
{
    bool same = a->suite == b->suite && a->forms == b->forms && a->n_rx_more == b->n_rx_more &&
                ssi_sdes_key_eq(&a->tx, &b->tx) && ssi_sdes_key_eq(&a->rx, &b->rx);

    for (uint32_t i = 0; same && i < a->n_rx_more; i++)
        same = ssi_sdes_key_eq(&a->rx_more[i], &b->rx_more[i]);
    return same;
}

enum ssi_srtp_suite ssi_media_srtp_suite(enum ssi_suite suite)
{
    return suite == SSI_SUITE_NULL_HMAC_SHA1_80   ? SSI_SRTP_AES_CM_128_HMAC_SHA1_80
           : suite == SSI_SUITE_NULL_HMAC_SHA1_32 ? SSI_SRTP_AES_CM_128_HMAC_SHA1_32
                                                  : (enum ssi_srtp_suite)suite;
}

static void choose_suite(struct ssi_srtp_config *c, const struct ssi_sdes_agreed *k)
{
    bool null_cipher = ssi_suite_info(k->suite)->null_cipher;

    c->suite = ssi_media_srtp_suite(k->suite);
    c->insecure_unencrypted_rtp = null_cipher || (k->forms & SSI_SDES_UNENCRYPTED_SRTP);
    c->insecure_unencrypted_rtcp = null_cipher || (k->forms & SSI_SDES_UNENCRYPTED_SRTCP);
    c->insecure_unauthenticated_rtp = k->forms & SSI_SDES_UNAUTHENTICATED_SRTP;
}

/* Of a receiver all keys of the peer's line live at once, told apart by their MKIs (RFC 4568 6.1). */
static secsip_result make_srtp(const struct ssi_sdes_agreed *k, enum ssi_srtp_direction direction,
                               struct ssi_srtp **ret)
{
    const struct ssi_sdes_key *key = direction == SSI_SRTP_SEND ? &k->tx : &k->rx;
    struct ssi_srtp_more_key more[SSI_SDES_KEYS_MAX - 1];
    struct ssi_srtp_config c = {
        .direction = direction,
        .key = key->key,
        .mki_len = key->mki_len,
        .lifetime = key->lifetime,
        .replay_window = direction == SSI_SRTP_SEND ? 0 : k->wsh,
        /* Who begins high may have rolled over before anything of it reached us (early media, a slow NAT). */
        .join_roc = direction == SSI_SRTP_SEND ? 0 : 1,
        .more = more,
        .n_more = direction == SSI_SRTP_SEND ? 0 : k->n_rx_more,
    };

    choose_suite(&c, k);
    memcpy(c.mki, key->mki, key->mki_len);
    memset(more, 0, sizeof more);
    for (uint32_t i = 0; i < c.n_more; i++) {
        more[i].key = k->rx_more[i].key;
        more[i].lifetime = k->rx_more[i].lifetime;
        more[i].mki_len = k->rx_more[i].mki_len;
        memcpy(more[i].mki, k->rx_more[i].mki, more[i].mki_len);
    }
    secsip_result r = ssi_srtp_new(&c, ret);
    ssi_wipe(&c, sizeof c);
    ssi_wipe(more, sizeof more);
    return r;
}

/* Gives the stream sessions for new keys. A half whose key did not change goes on with its ROC and replay list: the stream
 * sees to that (RFC 3711 3.3.1). */
static secsip_result apply_keys(struct ssi_media *m, struct ssi_rtp_stream *stream, uint32_t fork,
                                const struct ssi_sdes_agreed *k)
{
    struct ssi_srtp *tx = NULL;
    struct ssi_srtp *rx = NULL;

    if (stream == m->stream && fork == m->fork && same_keys(&m->keys, k))
        return 0;
    secsip_result r = make_srtp(k, SSI_SRTP_SEND, &tx);
    if (r >= 0)
        r = make_srtp(k, SSI_SRTP_RECEIVE, &rx);
    if (r >= 0)
        r = ssi_rtp_stream_set_fork(stream, fork, tx, rx);
    if (r < 0) {
        ssi_srtp_free(tx);
        ssi_srtp_free(rx);
        return r;
    }
    if (!ssi_sdes_key_eq(&m->keys.tx, &k->tx))
        m->key_due = false;
    m->keys = *k;
    return 0;
}

/* A new key and a new address: a transfer, as a rule, and another endpoint (RFC 4568 7.1.4; FIELD 15). */
static bool is_somebody_else(const struct ssi_media *m, const struct ssi_sdes_agreed *keys,
                             const struct ssi_media_terms *terms)
{
    return m->running && m->keys.suite != SSI_SUITE_NONE &&
           !ssi_sdes_key_eq(&m->keys.rx, &keys->rx) && !ssi_sdes_key_eq(&m->keys.tx, &keys->tx) &&
           !ssi_addr_eq(&m->peer_said, &terms->remote_rtp);
}

/* ---- Stream */
static secsip_result make_stream(struct ssi_media *m, bool secure, const struct ssi_media_terms *t,
                                 struct ssi_rtp_stream **ret)
{
    struct ssi_rtp_config c = {
        .secure = secure,
        .codec = t->codec,
        .payload_type = (uint8_t)t->codec,
        .frame_ms = FRAME_MS,
        .send = true,
        .receive = true,
    };

    return ssi_rtp_stream_new(&c, &m->ua->timers, &stream_ops, m, ret);
}

/* A call in clear that rises to SRTP gets a new stream: none has a way from the one to the other. */
static void use_stream(struct ssi_media *m, struct ssi_rtp_stream *stream, bool secure)
{
    if (stream == m->stream)
        return;
    ssi_rtp_stream_free(m->stream);
    m->stream = stream;
    m->secure = secure;
    m->key_due = false;
}

static void apply_terms(struct ssi_media *m, const struct ssi_media_terms *t)
{
    bool has_port = t->remote_rtp.port != 0 && !ssi_addr_is_any(&t->remote_rtp);
    bool sends = !strcmp(t->direction, "sendrecv") || !strcmp(t->direction, "sendonly");
    bool receives = !strcmp(t->direction, "sendrecv") || !strcmp(t->direction, "recvonly");

    m->terms = *t;
    m->peer_said = t->remote_rtp;
    ssi_rtp_stream_set_codec(m->stream, t->codec, (uint8_t)t->codec);
    ssi_rtp_stream_set_direction(m->stream, sends && has_port, receives);
}

secsip_result ssi_media_apply(struct ssi_media *m, uint32_t fork,
                              const struct ssi_sdes_agreed *keys,
                              const struct ssi_media_terms *terms)
{
    bool secure = keys->suite != SSI_SUITE_NONE;
    bool rises = m->stream && secure && !m->secure;
    secsip_result r = 0;

    /* Decision 9: MANDATORY never comes here without keys; checked again where it matters. */
    if (!secure && (m->sdes.config.policy == SSI_SDES_MANDATORY || m->keys.suite != SSI_SUITE_NONE))
        return SECSIP_E_UA_SECURITY_LEVEL;
    struct ssi_rtp_stream *stream = m->stream;
    if (is_somebody_else(m, keys, terms))
        r = ssi_rtp_stream_renew(m->stream);
    if (r >= 0 && (!stream || rises))
        r = make_stream(m, secure, terms, &stream);
    if (r >= 0 && secure)
        r = apply_keys(m, stream, fork, keys);
    if (r >= 0 && rises && m->running)
        r = ssi_rtp_stream_start(stream);
    if (r < 0) {
        if (stream != m->stream)
            ssi_rtp_stream_free(stream);
        return r;
    }
    use_stream(m, stream, secure);
    m->fork = fork;
    apply_terms(m, terms);
    return 0;
}

secsip_result ssi_media_begin_clear(struct ssi_media *m, const struct ssi_media_terms *terms)
{
    struct ssi_rtp_stream *stream;

    if (m->sdes.config.policy == SSI_SDES_MANDATORY)
        return SECSIP_E_UA_SECURITY_LEVEL;
    secsip_result r = make_stream(m, false, terms, &stream);
    if (r >= 0 && m->running) {
        r = ssi_rtp_stream_start(stream);
        if (r < 0)
            ssi_rtp_stream_free(stream);
    }
    if (r < 0)
        return r;
    ssi_wipe(&m->keys, sizeof m->keys);
    use_stream(m, stream, false);
    return 0;
}

void ssi_media_rollback(struct ssi_media *m)
{
    bool answered = !m->sdes.has_pending && m->sdes.has_previous && m->sdes.answered;

    ssi_sdes_rollback(&m->sdes);
    ssi_media_drop_ports(m);
    m->two_lines = false;
    if (!answered || !m->sdes.has_agreed || !m->stream)
        return;
    /* A key of ours that comes back goes on above where it was (lib/srtp); one that cannot sends nothing more. */
    if (m->sdes.agreed.suite != SSI_SUITE_NONE)
        apply_keys(m, m->stream, m->fork, &m->sdes.agreed);
    else if (
        m->secure) /* the call had risen to SRTP and has not; without memory for it nothing is sent */
        ssi_media_begin_clear(m, &m->terms_before);
    apply_terms(m, &m->terms_before);
}

/* ---- Forks */
static void free_fork(struct ssi_media_fork *f)
{
    free(f->tag);
    ssi_sdes_session_wipe(&f->sdes);
    ssi_wipe(f, sizeof *f);
    free(f);
}

void ssi_media_free_forks(struct ssi_media *m, uint32_t from)
{
    while (m->n_forks > from)
        free_fork(m->forks[--m->n_forks]);
}
