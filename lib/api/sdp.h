/* What the public objects of <secsip/sdp.h> are made of, for the other files of this layer. Layer: api. */
#ifndef SSI_API_SDP_H
#define SSI_API_SDP_H

#include "sdp/sdp.h"
#include "secsip/sdp.h"

/* Owns the description and, in the same allocation, its m= and o= lines as NUL-terminated strings. */
struct secsip_sdp {
    struct ssi_sdp *sdp;
    secsip_sdp_origin origin;
    secsip_sdp_media media[]; /* sdp->n_media */
};

struct secsip_sdp_builder {
    struct ssi_buf text; /* secret: it may hold a=crypto */
};

#endif
