/* What alice sends to the scripted peer, heard with the key that she told last, or told before: a key that nobody was told of
 * shows, and so does what is in clear. */
#ifndef TESTS_EAR_H
#define TESTS_EAR_H

#include "peer.h"
#include "srtp/srtp.h"

struct ear {
    struct lab *l;
    const struct peer *p;
    char key[64], key_before[64]; /* as the SDP has them */
    struct ssi_srtp *rx, *rx_before;
    unsigned now, before, unknown; /* RTP packets under each, since one began to listen */
    uint16_t last_seq;
    unsigned gaps; /* in their sequence numbers, ever */
    bool heard;
    uint8_t from; /* the last byte of the address they came from */
};

/* Learns the key of alice's offer and hears all that comes to port 5000. */
void ear_open(struct ear *e, struct lab *l, const struct peer *p);
/* Takes the key out of alice's last description. */
void ear_learn_key(struct ear *e);
/* Counts anew while the network runs. */
void ear_listen_ms(struct ear *e, uint64_t ms);
void ear_close(struct ear *e);

#endif
