/* One media stream: RTP and RTCP of one media line, both ways, over SRTP where that was agreed (RFC 3550, RFC 3551).
 * Layer: rtp. No I/O: packets go out through ops, come in through input, time is passed in.
 *
 * A stream made with `secure` has no path that sends or accepts a packet in clear: before both sessions are set nothing
 * is sent, and what arrives in clear is dropped and counted (FIELD 7). */
#ifndef SSI_RTP_STREAM_H
#define SSI_RTP_STREAM_H

#include "base/addr.h"
#include "base/timer.h"
#include "srtp/srtp.h"

struct ssi_rtp_stream;

/* Called from start, input, free and from timers. None of them may free the stream. */
struct ssi_rtp_ops {
    /* Sends a finished packet. rtcp: from the RTCP port. The bytes are valid during the call. */
    void (*send)(void *arg, bool rtcp, const uint8_t *packet, size_t len);
    /* An accepted RTP packet's audio, decoded. */
    void (*on_audio)(void *arg, const int16_t *samples, size_t n, uint32_t timestamp);
    /* Wants n samples to send; the buffer comes zeroed. */
    void (*on_audio_wanted)(void *arg, int16_t *samples, size_t n);
    /* The key that we send with (`ours`), or the peer's, nears the end of its life, of SRTP or of SRTCP: agree on a new one; or,
     * `ended`, has reached it: nothing more passes under it. Each is told once for each key. NULL: nobody is told. */
    void (*on_key_life)(void *arg, bool ours, bool ended);
};

enum ssi_rtp_codec {
    SSI_RTP_PCMU = 0, /* the static payload types of RFC 3551 */
    SSI_RTP_PCMA = 8,
};

struct ssi_rtp_config {
    bool secure;
    enum ssi_rtp_codec codec;
    uint8_t payload_type;
    uint32_t frame_ms;  /* 20 */
    bool send, receive; /* direction */
    char cname[64];     /* RTCP SDES CNAME; "" for a random one (RFC 7022) */
};

struct ssi_rtp_stats {
    uint64_t tx, rx, lost, auth_failed, replayed, clear_dropped, malformed, rtcp_tx, rtcp_rx,
        jitter_us;
    uint64_t unheard; /* authentic packets of a fork while another is heard; not in rx or rtcp_rx */
};

/* ops is copied. SSRC, first sequence number and timestamp are random. SECSIP_E_NOMEM, SECSIP_E_RANDOM, SECSIP_E_INVALID (frame_ms, codec,
 * payload type). */
secsip_result ssi_rtp_stream_new(const struct ssi_rtp_config *config, struct ssi_timers *timers,
                                 const struct ssi_rtp_ops *ops, void *arg,
                                 struct ssi_rtp_stream **ret);
/* Sends RTCP BYE (protected if secure) when started, then frees everything, the SRTP sessions too. */
void ssi_rtp_stream_free(struct ssi_rtp_stream *s);
/* Takes over both sessions. Only for a secure stream; replaces earlier ones (re-key): sequence numbers, roll-over counters and
 * SRTCP indices go on (RFC 3711 3.3.1), and what comes under the key before is accepted for 5 s more. A session whose key is
 * in use already is freed and the live one goes on, with its counters and replay list: no key stream is ever used twice.
 * SECSIP_E_STATE (not a secure stream), SECSIP_E_INVALID (NULL, or a wrong direction), and as ssi_srtp_continue: the sessions
 * stay yours then. When memory was out in ssi_srtp_continue, the stream may send nothing more until it gets a new key. */
secsip_result ssi_rtp_stream_set_srtp(struct ssi_rtp_stream *s, struct ssi_srtp *tx,
                                      struct ssi_srtp *rx);
/* ---- Forks (RFC 3261 13.2.2.4): every answer to one INVITE brings a receiving key of its own, and early media of several
 * may come at once.
 *
 * The same as ssi_rtp_stream_set_srtp for the answer of one fork, by any number that the caller gives it: rx stands beside
 * those of the other forks, or takes the place of this fork's earlier one (re-key); tx, in every case, is the one to send with
 * from now on, its indices going on from the one before it. A packet is tried with the sessions that know its SSRC, then
 * with the others: the first that authenticates it has that SSRC from then on. The first fork whose RTP is authentic is
 * heard; another is heard once that one was silent for 500 ms; meanwhile its packets are counted as `unheard` and leave
 * rx alone. SECSIP_E_LIMIT (more than 8 forks), SECSIP_E_SRTP_REUSE (the key of another fork), and as set_srtp.
 *
 * ssi_rtp_stream_set_srtp speaks of the only fork, whatever its number, or of number 0. */
secsip_result ssi_rtp_stream_set_fork(struct ssi_rtp_stream *s, uint32_t fork, struct ssi_srtp *tx,
                                      struct ssi_srtp *rx);
/* The fork ended: its key is forgotten. */
void ssi_rtp_stream_drop_fork(struct ssi_rtp_stream *s, uint32_t fork);
/* The call goes on with this fork (a 2xx): the keys of all others are forgotten, and it is heard from its next packet on.
 * To send with its key, set_fork it again. */
void ssi_rtp_stream_keep_fork(struct ssi_rtp_stream *s, uint32_t fork);
/* The last packet that was accepted came under the key of before: its sender may be gone from the call. */
bool ssi_rtp_stream_heard_before(const struct ssi_rtp_stream *s);
/* The fork that is heard; false when none is yet. */
bool ssi_rtp_stream_heard_fork(const struct ssi_rtp_stream *s, uint32_t *ret_fork);
/* Somebody else is at the other end now, who cannot know the roll-over counters there were: what is sent goes on under a new
 * SSRC, whose counter is 0 for every receiver (RFC 3711 3.3.1). SECSIP_E_RANDOM. */
secsip_result ssi_rtp_stream_renew(struct ssi_rtp_stream *s);
/* Codec and direction may change with a new answer. */
void ssi_rtp_stream_set_codec(struct ssi_rtp_stream *s, enum ssi_rtp_codec codec,
                              uint8_t payload_type);
void ssi_rtp_stream_set_direction(struct ssi_rtp_stream *s, bool send, bool receive);
/* Begins to send a frame every frame_ms and RTCP reports every 5 s (RFC 3550 6.2, randomised). SECSIP_E_STATE when secure
 * and without SRTP sessions. */
secsip_result ssi_rtp_stream_start(struct ssi_rtp_stream *s);
/* A datagram of the RTP or RTCP port; written to in place.
 *
 * What fails authentication on a secure stream counts as clear_dropped when it reads as a clear packet: RTP of our payload
 * type whose payload is a whole number of 10 ms frames (a tag of 4, 10 or 16 bytes behind it would show), RTCP whose
 * lengths come out even (an SRTCP trailer would show). Otherwise it counts as auth_failed. */
void ssi_rtp_stream_input(struct ssi_rtp_stream *s, bool rtcp, uint8_t *packet, size_t len);
const struct ssi_rtp_stats *ssi_rtp_stream_stats(const struct ssi_rtp_stream *s);

#endif
