/* Potential configurations of an offer's media line (RFC 5939), as far as they bring SRTP. Layer: sdes, seen by its own files
 * only. Everything borrows from the description. */
#ifndef SSI_SDES_CAPNEG_H
#define SSI_SDES_CAPNEG_H

#include "sdes/sdes.h"

enum {
    SSI_CAPNEG_TRIES_MAX =
        16, /* configurations of a media line that are looked at: what costs time is bounded */
    SSI_CAPNEG_LINES_MAX = 16, /* a=pcfg lines, likewise */
    SSI_CAPNEG_ATTRS_MAX = 64, /* capabilities that one configuration names, likewise */
};

/* One choice out of an a=pcfg line; number 0 is the actual configuration, what the media line itself says. */
struct ssi_capneg {
    uint32_t number;          /* of a=pcfg, 1 to 2^31 - 1 */
    uint32_t transport;       /* t=, 0: that of the media line */
    struct ssi_slice profile; /* what it stands for */
    struct ssi_slice attrs;   /* one alternative of a=, as written; p is NULL for none */
    struct ssi_slice drop;    /* "-m", "-s", "-ms" or empty: attributes that do not count */
    /* After ssi_capneg_collect: the optional attributes that are used; attrs holds the mandatory ones. */
    uint32_t optional[SSI_SDES_LINES_MAX];
    uint32_t n_optional;
};

/* The configurations by preference: the smallest number first, alternatives as they stand (RFC 5939 3.5.1). *at starts with 0.
 * What is not well-formed, names a transport that is not there, or wants an extension is passed over. */
bool ssi_capneg_next(const struct ssi_sdp *sdp, uint32_t media, uint32_t *at,
                     struct ssi_capneg *ret);
/* The crypto lines of a configuration, as ssi_sdes_collect; config->attrs and optional come to be those that are used. SECSIP_E_SDP_SYNTAX: it cannot be used, for an attribute that is
 * missing, or mandatory and unknown here. */
secsip_result ssi_capneg_collect(const struct ssi_sdp *sdp, uint32_t media,
                                 struct ssi_capneg *config, uint32_t allow,
                                 struct ssi_sdes_line *lines, uint32_t *ret_n);
/* False where a=creq asks for more than cap-v0 (RFC 5939 3.3.2): the media line is answered as if nothing of all this stood in it,
 * and the answer says what is done here, with a=csup. */
bool ssi_capneg_can(const struct ssi_sdp *sdp, uint32_t media);
/* "a=acfg:1 t=1 a=2" CR LF for the configuration; nothing for number 0. */
void ssi_capneg_put_actual(struct ssi_buf *b, const struct ssi_capneg *config);
/* The a=acfg of an answer: its numbers, and its attributes as written. False when there is none, or it is not well-formed:
 * *ret_present says which. */
bool ssi_capneg_actual(const struct ssi_sdp *sdp, uint32_t media, struct ssi_capneg *ret,
                       bool *ret_present);

/* The next crypto line that stands in the media line, as a=crypto or as the capability of one. */
bool ssi_capneg_any_crypto(const struct ssi_sdp *sdp, uint32_t media, uint32_t *at,
                           struct ssi_slice *ret_value);

#endif
