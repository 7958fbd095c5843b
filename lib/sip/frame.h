/* Cuts a byte stream into SIP messages (RFC 3261 18.3, 20.14; RFC 5626 3.5.1 keep-alives). Layer: sip. The framer owns
 * the bytes it was fed; it works the same for every way to cut them. */
#ifndef SSI_SIP_FRAME_H
#define SSI_SIP_FRAME_H

#include "sip/msg.h"

struct ssi_sip_framer {
    struct ssi_buf buf; /* secret: bodies hold a=crypto */
    size_t scanned;     /* bytes of buf that hold no end of header block */
    size_t need;        /* total bytes of the message once its header block is complete, else 0 */
    struct ssi_sip_limits limits;
    /* Set on the side that accepted the connection: there a lone CR LF is the first half of a ping and waits for the
     * second; on the other side it is a pong at once. */
    bool serves;
};

enum ssi_sip_frame {
    SSI_SIP_FRAME_MORE,    /* nothing complete */
    SSI_SIP_FRAME_MESSAGE, /* *ret_msg holds a message (with its fault, maybe) */
    SSI_SIP_FRAME_PING,    /* CR LF CR LF between messages: answer with CR LF */
    SSI_SIP_FRAME_PONG,    /* CR LF between messages */
    /* A well-framed message that cannot be read was left out (a wrong response is discarded, RFC 3261 18.1.2);
     * *ret_fault says why. The stream goes on. */
    SSI_SIP_FRAME_DROPPED,
};

void ssi_sip_framer_init(struct ssi_sip_framer *f, const struct ssi_sip_limits *limits);
void ssi_sip_framer_free(struct ssi_sip_framer *f);
/* Adds bytes from the connection. SECSIP_E_LIMIT when the message would pass its limit, SECSIP_E_NOMEM. */
secsip_result ssi_sip_framer_feed(struct ssi_sip_framer *f, const void *data, size_t len);
/* Takes out the next thing. Returns enum ssi_sip_frame, or an error after which the stream has no framing left and must
 * be closed; *ret_fault (may be NULL) then says why, and *ret_msg is the request that broke it, with this fault and without
 * body, so that it can be answered before the end; or NULL, as in all other cases but MESSAGE. */
int32_t ssi_sip_framer_next(struct ssi_sip_framer *f, struct ssi_sip_fault *ret_fault,
                            struct ssi_sip_msg **ret_msg);

#endif
