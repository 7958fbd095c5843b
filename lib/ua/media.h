/* The media of a call: ports, session description, keys, one RTP stream. Layer: ua. Where SRTP is required there is no way
 * to start it in clear: the stream is made secure and stays so.
 *
 * On the heap and owned by its call; ssi_media_close frees it later, out of the reach of its own callbacks. */
#ifndef SSI_UA_MEDIA_H
#define SSI_UA_MEDIA_H

#include "rtp/stream.h"
#include "sdes/sdes.h"
#include "ua/core.h"
#include "ua/early.h"

struct ssi_media_ops {
    void (*on_audio)(void *arg, const int16_t *samples, size_t n, uint32_t timestamp);
    void (*on_audio_wanted)(void *arg, int16_t *samples, size_t n);
};

struct ssi_media {
    struct ssi_ua *ua;
    const struct ssi_media_ops *ops;
    void *arg;            /* NULL once closed: no more callbacks */
    struct ssi_list node; /* in ua->closing once closed */
    struct ssi_timer reap;
    struct ssi_dgram rtp;
    struct ssi_dgram rtcp;
    bool has_rtp;
    bool has_rtcp;
    struct ssi_addr remote_rtp;
    struct ssi_addr remote_rtcp;
    struct ssi_sdes_session sdes;
    struct ssi_sdes_agreed keys; /* what the stream runs with */
    struct ssi_rtp_stream *stream;
    bool secure;
    bool running;
    struct ssi_early early;    /* what came before the stream ran */
    struct ssi_timer playback; /* gives it to the stream, from the core's own step */
    enum ssi_rtp_codec codec;
    uint64_t sdp_id;
    uint64_t sdp_version; /* of the last description we made, 0: none */
    char profile[16];
    const char *direction; /* ours: "sendrecv", ... */
};

/* Opens a pair of ports on the address. SECSIP_E_IO, SECSIP_E_NOMEM, SECSIP_E_RANDOM. */
secsip_result ssi_media_new(struct ssi_ua *ua, const struct ssi_addr *local_ip,
                            const struct ssi_sdes_config *sdes, const struct ssi_media_ops *ops,
                            void *arg, struct ssi_media **ret);
/* No callback follows; ports are closed and keys wiped when nothing of it runs any more. NULL is legal. */
void ssi_media_close(struct ssi_media *m);
/* Frees all that was closed. */
void ssi_media_reap(struct ssi_ua *ua);

/* Writes an offer into a secret buffer. */
secsip_result ssi_media_put_offer(struct ssi_media *m, struct ssi_buf *b);
/* The answer to it. On failure *e says which check failed, what was expected, what was found; nothing has started. */
secsip_result ssi_media_take_answer(struct ssi_media *m, struct ssi_slice body,
                                    struct ssi_error *e);
/* An offer of the peer: writes the answer. Errors as above; nothing is changed then. */
secsip_result ssi_media_answer(struct ssi_media *m, struct ssi_slice body, struct ssi_buf *b,
                               struct ssi_error *e);
/* An answer of ours that was made did not reach the peer: the keys in force are those of before (RFC 6141). */
void ssi_media_rollback(struct ssi_media *m);
/* Sends and receives from now on: after an answer was taken, or ours was sent. */
secsip_result ssi_media_start(struct ssi_media *m);
/* A datagram for one of its sockets. */
void ssi_media_input(struct ssi_dgram *d, const struct ssi_addr *from, uint8_t *data, size_t len);

#endif
