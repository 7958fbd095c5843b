/* The media of a call: ports, session description, keys, one RTP stream. Layer: ua. Where SRTP is required there is no way
 * to start it in clear: the stream is made secure and stays so. media.c has ports and packets, media_nego.c offers and answers,
 * media_apply.c what they come to, media_sdp.c their text.
 *
 * On the heap and owned by its call; ssi_media_close frees it later, out of the reach of its own callbacks. */
#ifndef SSI_UA_MEDIA_H
#define SSI_UA_MEDIA_H

#include "rtp/stream.h"
#include "sdes/sdes.h"
#include "ua/core.h"
#include "ua/early.h"

enum {
    SSI_MEDIA_FORKS_MAX = 8, /* as many as a stream has keys for */
};

struct ssi_media_ops {
    void (*on_audio)(void *arg, const int16_t *samples, size_t n, uint32_t timestamp);
    void (*on_audio_wanted)(void *arg, int16_t *samples, size_t n);
    /* As ssi_rtp_ops has it, in the middle of a packet: to note, to arm a timer, and no more. */
    void (*on_key_life)(void *arg, bool ours, bool ended);
};

struct ssi_media;

/* A socket; `media` leads back from what the driver tells. */
struct ssi_media_port {
    struct ssi_dgram dgram;
    struct ssi_media *media;
    bool open;
};

/* RTP, and RTCP on the port above it. */
struct ssi_media_ports {
    struct ssi_media_port rtp, rtcp;
};

/* What a description settles, but for the keys. */
struct ssi_media_terms {
    struct ssi_addr remote_rtp;
    struct ssi_addr remote_rtcp;
    enum ssi_rtp_codec codec;
    char profile[16];
    const char *direction; /* ours: "sendrecv", ... */
};

/* The answer of one branch of our INVITE, known by its To tag (RFC 3261 13.2.2.4). The session in it is a copy of the one
 * that waits. */
struct ssi_media_fork {
    char *tag;
    struct ssi_sdes_session sdes;
    struct ssi_media_terms terms;
};

struct ssi_media {
    struct ssi_ua *ua;
    const struct ssi_media_ops *ops;
    void *arg;            /* NULL once closed: no more callbacks */
    struct ssi_list node; /* in ua->closing once closed */
    struct ssi_timer reap;
    struct ssi_media_ports ports[2]; /* those in use, and those of an address before or after */
    unsigned port;                   /* which we send from */
    unsigned next_port;              /* which our next description names */
    struct ssi_timer leave_ports;
    struct ssi_sdes_session sdes;
    struct ssi_sdes_agreed keys; /* what the stream runs with */
    struct ssi_rtp_stream *stream;
    bool secure;
    bool running;
    bool key_due; /* the key we send with is past its soft limit, and there is none after it yet */
    struct ssi_early early;    /* what came before the stream ran */
    struct ssi_timer playback; /* gives it to the stream, from the core's own step */

    struct ssi_addr peer_said; /* of its last description; terms.remote_rtp may have moved since */
    struct ssi_media_terms terms;                      /* in force */
    struct ssi_media_terms terms_before;               /* what rollback of an answer goes back to */
    struct ssi_media_fork *forks[SSI_MEDIA_FORKS_MAX]; /* of our INVITE, until its 2xx */
    uint32_t n_forks;
    uint32_t fork; /* whose terms are in force */

    const char *wanted; /* the direction that this side wants: "sendrecv", "sendonly", ... */
    uint64_t sdp_id;
    uint64_t sdp_version; /* of the last description we made, 0: none */
    /* The m= lines of the session around ours, refused: they stay for ever (RFC 3264 8). */
    struct ssi_buf lines_before, lines_after;
    uint32_t n_before, n_after;
    bool two_lines; /* our offer that waits has a second line behind ours */
};

/* Opens a pair of ports on the address. SECSIP_E_IO, SECSIP_E_NOMEM, SECSIP_E_RANDOM. */
secsip_result ssi_media_new(struct ssi_ua *ua, const struct ssi_addr *local_ip,
                            const struct ssi_sdes_config *sdes, const struct ssi_media_ops *ops,
                            void *arg, struct ssi_media **ret);
/* No callback follows; ports are closed and keys wiped when nothing of it runs any more. NULL is legal. */
void ssi_media_close(struct ssi_media *m);
/* Frees all that was closed. */
void ssi_media_reap(struct ssi_ua *ua);
/* The address that our next description names. */
const struct ssi_addr *ssi_media_local(const struct ssi_media *m);

/* The ports are on this address, whatever its port. */
bool ssi_media_is_at(const struct ssi_media *m, const struct ssi_addr *ip);
/* Our address is this one now: where that is news, a pair of ports is opened on it, and the next offer or answer brings both the
 * ports and a new key (RFC 4568 7.1.4). As ssi_media_new; on a failure nothing has changed. */
secsip_result ssi_media_move(struct ssi_media *m, const struct ssi_addr *local_ip);
/* The next offer holds the peer, or no longer. */
void ssi_media_hold(struct ssi_media *m, bool hold);
bool ssi_media_is_held(const struct ssi_media *m);
/* The next offer or answer brings a new key. */
void ssi_media_rekey(struct ssi_media *m);
/* How OPTIONAL offers from now on: after the offer that waited was rolled back. */
void ssi_media_set_style(struct ssi_media *m, enum ssi_sdes_style style);

/* Writes an offer into a secret buffer. */
secsip_result ssi_media_put_offer(struct ssi_media *m, struct ssi_buf *b);
/* The answer to it. On failure *e says which check failed, what was expected, what was found; nothing has started. */
secsip_result ssi_media_take_answer(struct ssi_media *m, struct ssi_slice body,
                                    struct ssi_error *e);
/* The same for a provisional answer to our INVITE, of the branch with this To tag: others may follow, each with a key of its
 * own. The one that came last says where we send; but clear media wait for their 2xx where another branch has SRTP. On failure
 * the branch's earlier answer stands, and the other branches are as they were. */
secsip_result ssi_media_take_early_answer(struct ssi_media *m, struct ssi_slice tag,
                                          struct ssi_slice body, struct ssi_error *e);
/* The branch answered before, or one more can be held. */
bool ssi_media_has_room(const struct ssi_media *m, struct ssi_slice tag);
/* The 2xx of the branch: its answer counts and the others are forgotten. body may be empty where a provisional one had come;
 * SECSIP_E_SDP_MISSING where none had. */
secsip_result ssi_media_take_final_answer(struct ssi_media *m, struct ssi_slice tag,
                                          struct ssi_slice body, struct ssi_error *e);
/* An offer of the peer: writes the answer. Errors as above; nothing is changed then. */
secsip_result ssi_media_answer(struct ssi_media *m, struct ssi_slice body, struct ssi_buf *b,
                               struct ssi_error *e);
/* An offer of ours was refused, or an answer of ours did not reach the peer: keys, addresses and direction in force are those of
 * before (RFC 6141). */
void ssi_media_rollback(struct ssi_media *m);
/* Sends and receives from now on: after an answer was taken, or ours was sent. */
secsip_result ssi_media_start(struct ssi_media *m);
/* A datagram for one of its sockets. */
void ssi_media_input(struct ssi_dgram *d, const struct ssi_addr *from, uint8_t *data, size_t len);

/* What lib/srtp calls a suite of lib/sdes. The NULL suites, which no RFC has, are AES_CM_128 without its encryption. */
enum ssi_srtp_suite ssi_media_srtp_suite(enum ssi_suite suite);

/* ---- Between the files */
/* Keys and terms become the stream's; `fork` as ssi_rtp_stream_set_fork. On failure the stream goes on as before. */
secsip_result ssi_media_apply(struct ssi_media *m, uint32_t fork,
                              const struct ssi_sdes_agreed *keys,
                              const struct ssi_media_terms *terms);
/* The media go on in a new stream, in clear: only where nobody who is in the call has agreed on SRTP, but another branch, or an
 * answer that was taken back. On failure all is as before. SECSIP_E_UA_SECURITY_LEVEL (MANDATORY), SECSIP_E_NOMEM. */
secsip_result ssi_media_begin_clear(struct ssi_media *m, const struct ssi_media_terms *terms);
/* Those from `from` on. */
void ssi_media_free_forks(struct ssi_media *m, uint32_t from);
void ssi_media_send(struct ssi_media *m, bool rtcp, const uint8_t *packet, size_t len);
/* The ports that our last description named are those we send from; those of before are listened to for a while. */
void ssi_media_use_ports(struct ssi_media *m);
/* They are not: the description does not count. */
void ssi_media_drop_ports(struct ssi_media *m);
/* Opens a pair: RTP on an even port, RTCP on the next one. */
secsip_result ssi_media_open_ports(struct ssi_media *m, struct ssi_media_ports *p,
                                   const struct ssi_addr *local_ip);
void ssi_media_close_ports(struct ssi_media *m, struct ssi_media_ports *p);

#endif
