/* Public message streams: the framer of lib/sip behind an opaque handle. Layer: api. A stream owns the bytes it was fed. */
#include <stdlib.h>

#include "api/abi.h"
#include "api/message.h"
#include "base/export.h"
#include "sip/frame.h"

_Static_assert((int)SECSIP_MESSAGE_STREAM_MORE == SSI_SIP_FRAME_MORE &&
                   (int)SECSIP_MESSAGE_STREAM_MESSAGE == SSI_SIP_FRAME_MESSAGE &&
                   (int)SECSIP_MESSAGE_STREAM_PING == SSI_SIP_FRAME_PING &&
                   (int)SECSIP_MESSAGE_STREAM_PONG == SSI_SIP_FRAME_PONG &&
                   (int)SECSIP_MESSAGE_STREAM_DROPPED == SSI_SIP_FRAME_DROPPED,
               "the framer's answers are passed on");

struct secsip_message_stream {
    struct ssi_sip_framer framer;
};

SECSIP_EXPORT secsip_result secsip_message_stream_new(uint32_t max_bytes,
                                                      secsip_message_stream **ret_stream)
{
    struct ssi_sip_limits limits = {.message_bytes = max_bytes};

    if (!ret_stream)
        return SECSIP_E_INVALID;
    secsip_message_stream *s = malloc(sizeof *s);
    if (!s)
        return SECSIP_E_NOMEM;
    ssi_sip_framer_init(&s->framer, &limits);
    *ret_stream = s;
    return 0;
}

SECSIP_EXPORT void secsip_message_stream_free(secsip_message_stream *stream)
{
    if (!stream)
        return;
    ssi_sip_framer_free(&stream->framer);
    free(stream);
}

SECSIP_EXPORT secsip_result secsip_message_stream_feed(secsip_message_stream *stream,
                                                       const void *data, size_t len)
{
    if (!stream || (!data && len > 0))
        return SECSIP_E_INVALID;
    return ssi_sip_framer_feed(&stream->framer, data, len);
}

SECSIP_EXPORT secsip_result secsip_message_stream_next(secsip_message_stream *stream,
                                                       secsip_message_fault *ret_fault,
                                                       secsip_message **ret_message)
{
    struct ssi_sip_fault fault = {0};
    struct ssi_sip_msg *m = NULL;

    if (!stream || !ret_message)
        return SECSIP_E_INVALID;
    secsip_result rc =
        ssi_api_message_give_fault(ret_fault, &fault); /* the size is looked at first */
    if (rc < 0)
        return rc;
    int32_t got = ssi_sip_framer_next(&stream->framer, &fault, &m);
    if (got < 0 || got == SSI_SIP_FRAME_DROPPED)
        ssi_api_message_give_fault(ret_fault, &fault);
    if (got != SSI_SIP_FRAME_MESSAGE) {
        ssi_sip_msg_unref(m); /* the fault says what is wrong with it */
        return got;
    }
    rc = ssi_api_message_wrap(m, ret_message);
    return rc < 0 ? rc : got;
}

SECSIP_EXPORT size_t secsip_message_stream_get_pending(const secsip_message_stream *stream)
{
    return stream ? stream->framer.buf.len : 0;
}
