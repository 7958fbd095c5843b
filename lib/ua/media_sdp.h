/* The descriptions of a call's media: what is written into ours, and read out of the peer's, but for the keys. Layer: ua, seen by
 * media*.c only. */
#ifndef SSI_UA_MEDIA_SDP_H
#define SSI_UA_MEDIA_SDP_H

#include "ua/media.h"

/* v= to t=. */
void ssi_media_put_session(const struct ssi_media *m, struct ssi_buf *b);
/* The m= line and its attributes but for a=crypto; codec < 0: all that we know. */
void ssi_media_put_audio(const struct ssi_media *m, struct ssi_buf *b, const char *profile,
                         const char *direction, int codec);
/* A line that is not taken, with port 0 (RFC 3264 6): the peer's, and one that we had offered. */
void ssi_media_put_refused(struct ssi_buf *b, const struct ssi_sdp_media *line);
void ssi_media_put_refused_ours(struct ssi_buf *b, const char *profile);

/* The first format of the line that we know, or -1. */
int ssi_media_pick_codec(const struct ssi_sdp_media *line);
/* Everything but the keys. False: no codec of ours, or no numeric address. */
bool ssi_media_read_terms(const struct ssi_sdp *sdp, uint32_t media, struct ssi_media_terms *ret);

/* An error with what was expected and found; never a key. why and sdp may be NULL. */
void ssi_media_explain(const struct ssi_media *m, secsip_result r, const char *why,
                       const struct ssi_sdp *sdp, uint32_t media, struct ssi_error *e);

#endif
