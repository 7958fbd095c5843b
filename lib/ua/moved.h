/* Where the connections went that the tokens of a proxy name (forward.h). A phone whose connection is lost goes on with its calls
 * over another one: a request with a token of ours, one of whose ends is gone, comes from that end. Layer: ua. */
#ifndef SSI_UA_MOVED_H
#define SSI_UA_MOVED_H

#include "ua/flow.h"

struct ssi_moved {
    struct ssi_hash by_old;
    struct ssi_list order; /* the oldest first, which makes room */
};

secsip_result ssi_moved_init(struct ssi_moved *m);
void ssi_moved_free(struct ssi_moved *m);
/* The live connection with this id, or what took its place; NULL when there is none. */
struct ssi_flow *ssi_moved_find(const struct ssi_moved *m, struct ssi_ua *ua, uint64_t id);
/* `flow` takes the place of id. Forgotten where memory is out: the next request says it again. */
void ssi_moved_note(struct ssi_moved *m, uint64_t id, const struct ssi_flow *flow);

#endif
