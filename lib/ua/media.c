/* The media of a call: its ports and its packets, see media.h. Layer: ua. */
#include "ua/media.h"

#include <stdlib.h>

#include "base/crypto.h"

enum {
    PORT_TRIES = 16,
    SDP_MAX = 65536,
    LEAVE_PORTS_MS = 5000, /* as long as the key of before is honoured */
};

/* ---- Packets out and in */
void ssi_media_send(struct ssi_media *m, bool rtcp, const uint8_t *packet, size_t len)
{
    const struct ssi_io *io = &m->ua->io;
    struct ssi_media_ports *p = &m->ports[m->port];
    struct ssi_media_port *from = rtcp ? &p->rtcp : &p->rtp;
    const struct ssi_addr *to = rtcp ? &m->terms.remote_rtcp : &m->terms.remote_rtp;

    if (from->open && to->family)
        io->dgram_send(io->arg, &from->dgram, to, packet, len);
}

/* The branch that is heard is the one that we send to. */
static bool hears_our_fork(const struct ssi_media *m)
{
    uint32_t heard;

    return !ssi_rtp_stream_heard_fork(m->stream, &heard) || heard == m->fork;
}

static void take_packet(struct ssi_media *m, bool rtcp, const struct ssi_addr *from, uint8_t *data,
                        size_t len)
{
    uint64_t accepted = ssi_rtp_stream_stats(m->stream)->rx;

    ssi_rtp_stream_input(m->stream, rtcp, data, len);
    /* Behind a NAT packets come from elsewhere than the description says (RFC 4961). Only a packet that SRTP accepted
     * moves the address: nobody without the key can draw the media to himself, nor who had the key of before. */
    if (!rtcp && m->secure && m->arg && ssi_rtp_stream_stats(m->stream)->rx > accepted &&
        hears_our_fork(m) && !ssi_rtp_stream_heard_before(m->stream))
        m->terms.remote_rtp = *from;
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

void ssi_media_input(struct ssi_dgram *d, const struct ssi_addr *from, uint8_t *data, size_t len)
{
    struct ssi_media *m = SSI_CONTAINER(d, struct ssi_media_port, dgram)->media;

    if (m->arg && m->running)
        take_packet(m, d->is_rtcp, from, data, len);
    else if (m->arg)
        ssi_early_keep(&m->early, d->is_rtcp, from, data, len);
}

/* ---- Ports */
static void close_port(struct ssi_media *m, struct ssi_media_port *p)
{
    const struct ssi_io *io = &m->ua->io;

    if (p->open)
        io->dgram_close(io->arg, &p->dgram);
    p->open = false;
}

void ssi_media_close_ports(struct ssi_media *m, struct ssi_media_ports *p)
{
    close_port(m, &p->rtp);
    close_port(m, &p->rtcp);
}

static secsip_result open_port(struct ssi_media *m, struct ssi_media_port *p,
                               const struct ssi_addr *local_ip, uint16_t port)
{
    const struct ssi_io *io = &m->ua->io;

    p->dgram.local = *local_ip;
    p->dgram.local.port = port;
    secsip_result r = io->dgram_open(io->arg, &p->dgram);
    p->open = r >= 0;
    return r;
}

/* RTP on an even port, RTCP on the next one (RFC 3550 11). */
secsip_result ssi_media_open_ports(struct ssi_media *m, struct ssi_media_ports *p,
                                   const struct ssi_addr *local_ip)
{
    secsip_result r = SECSIP_E_IO;

    for (int i = 0; i < PORT_TRIES; i++) {
        r = open_port(m, &p->rtp, local_ip, 0);
        if (r < 0)
            return r;
        r = open_port(m, &p->rtcp, local_ip, (uint16_t)(p->rtp.dgram.local.port + 1));
        if (r >= 0)
            return 0;
        close_port(m, &p->rtp);
    }
    return r;
}

const struct ssi_addr *ssi_media_local(const struct ssi_media *m)
{
    return &m->ports[m->next_port].rtp.dgram.local;
}

static void on_leave_ports(void *arg)
{
    struct ssi_media *m = arg;

    ssi_media_close_ports(m, &m->ports[!m->port]);
}

bool ssi_media_is_at(const struct ssi_media *m, const struct ssi_addr *ip)
{
    struct ssi_addr now = *ssi_media_local(m);

    now.port = ip->port;
    return ssi_addr_eq(&now, ip);
}

void ssi_media_use_ports(struct ssi_media *m)
{
    if (m->next_port == m->port)
        return;
    m->port = m->next_port;
    ssi_timer_arm(&m->ua->timers, &m->leave_ports, SSI_MS(LEAVE_PORTS_MS));
}

void ssi_media_drop_ports(struct ssi_media *m)
{
    if (m->next_port == m->port)
        return;
    ssi_media_close_ports(m, &m->ports[m->next_port]);
    m->next_port = m->port;
}

secsip_result ssi_media_move(struct ssi_media *m, const struct ssi_addr *local_ip)
{
    if (ssi_media_is_at(m, local_ip))
        return 0;
    ssi_timer_cancel(&m->ua->timers, &m->leave_ports);
    ssi_media_close_ports(m, &m->ports[!m->port]);
    m->next_port = m->port;
    secsip_result r = ssi_media_open_ports(m, &m->ports[!m->port], local_ip);
    if (r < 0)
        return r;
    m->next_port = !m->port;
    /* Whoever sees a key come from another address cannot tell it from a second sender with the same one. */
    ssi_sdes_rekey(&m->sdes);
    return 0;
}

/* ---- Making and freeing */
static void free_media(struct ssi_media *m)
{
    ssi_timer_cancel(&m->ua->timers, &m->reap);
    ssi_timer_cancel(&m->ua->timers, &m->playback);
    ssi_timer_cancel(&m->ua->timers, &m->leave_ports);
    ssi_early_free(&m->early);
    ssi_list_remove(&m->node);
    ssi_rtp_stream_free(m->stream);
    ssi_media_free_forks(m, 0);
    ssi_buf_free(&m->lines_before);
    ssi_buf_free(&m->lines_after);
    for (int i = 0; i < 2; i++)
        ssi_media_close_ports(m, &m->ports[i]);
    ssi_sdes_session_wipe(&m->sdes);
    ssi_wipe(m, sizeof *m);
    free(m);
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

static void init_ports(struct ssi_media *m, struct ssi_media_ports *p)
{
    p->rtp.media = p->rtcp.media = m;
    p->rtp.dgram.ua = p->rtcp.dgram.ua = m->ua;
    p->rtcp.dgram.is_rtcp = true;
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
    init_ports(m, &m->ports[0]);
    init_ports(m, &m->ports[1]);
    m->secure = sdes->policy != SSI_SDES_OFF;
    m->wanted = m->terms.direction = "sendrecv";
    ssi_buf_init(&m->lines_before, SDP_MAX);
    ssi_buf_init(&m->lines_after, SDP_MAX);
    ssi_list_init(&m->node);
    ssi_timer_init(&m->reap, on_reap, m);
    ssi_timer_init(&m->playback, on_playback, m);
    ssi_timer_init(&m->leave_ports, on_leave_ports, m);
    ssi_sdes_session_init(&m->sdes, sdes);
    uint32_t id;
    secsip_result r = ssi_random_nonce(&id, sizeof id);
    if (r < 0)
        goto fail_media;
    m->sdp_id = id;
    r = ssi_media_open_ports(m, &m->ports[0], local_ip);
    if (r < 0)
        goto fail_media;
    *ret = m;
    return 0;

fail_media:
    free_media(m);
    return r;
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
