/* Where the connections went that the tokens of a proxy name (forward.h). A phone whose connection is lost goes on with its calls
 * over another one: a request with a token of ours, one of whose ends is gone, comes from that end if its sender proves to be the
 * user who sits there. Others whose dialogs ran over the same connection stay where they were. Layer: ua. */
#ifndef SSI_UA_MOVED_H
#define SSI_UA_MOVED_H

#include "ua/flow.h"

/* An end of a dialog. */
struct ssi_place {
    uint64_t flow; /* id of the connection that it began with */
    uint64_t user; /* made by ssi_forward_mark_user; 0: nobody whom we know */
};

struct ssi_moved {
    struct ssi_hash by_old;
    struct ssi_list order; /* the oldest first, which makes room */
};

secsip_result ssi_moved_init(struct ssi_moved *m);
void ssi_moved_free(struct ssi_moved *m);
/* The live connection of this end, or what took its place; NULL when there is none. */
struct ssi_flow *ssi_moved_find(const struct ssi_moved *m, struct ssi_ua *ua,
                                const struct ssi_place *at);
/* `flow` takes this place. Forgotten where memory is out: the next request says it again. */
void ssi_moved_note(struct ssi_moved *m, const struct ssi_place *at, const struct ssi_flow *flow);

#endif
