/* What a proxy changes in the messages that it forwards (RFC 3261 16.6, 16.7): Via, Record-Route, Route, loop marks. Layer: ua.
 *
 * Record-Route carries a token that names the two connections of a dialog and the users at them, "A-B-TAG-USER-USER-MAC": a
 * request in the dialog that comes over one leaves over the other, without state here (RFC 5626 5.3). TAG, made of the caller's
 * tag, says which end a request comes from, also when its connection is another one by now (moved.h); USER says who may then
 * come for that end. The MAC keeps strangers from choosing connections. */
#ifndef SSI_UA_FORWARD_H
#define SSI_UA_FORWARD_H

#include "ua/dialog.h"
#include "ua/registrar.h"

enum {
    SSI_FORWARD_LOOP_TEXT = 16, /* ends each branch of ours */
    SSI_FORWARD_BRANCH_TEXT = SSI_BRANCH_TEXT + SSI_FORWARD_LOOP_TEXT,
};

/* The connections that a dialog began with, seen from whom a request in it comes from. */
struct ssi_forward_ends {
    struct ssi_place sender;
    struct ssi_place other;
};

/* Who sits at an end of a dialog, for struct ssi_place: a user of this registrar, who is called to or has proved to be; 0 for
 * anybody else, and where memory is out. */
uint64_t ssi_forward_mark_user(const secsip_registrar *r, const struct ssi_sip_uri *u);

/* Reads a token; false when it is not ours. */
bool ssi_forward_read_token(const secsip_registrar *r, struct ssi_slice token,
                            const struct ssi_sip_msg *m, struct ssi_forward_ends *ret);
/* Whether the request passed here before, for the same address. */
bool ssi_forward_is_loop(const secsip_registrar *r, const struct ssi_sip_msg *m);
secsip_result ssi_forward_make_branch(const secsip_registrar *r, const struct ssi_sip_msg *m,
                                      char out[SSI_FORWARD_BRANCH_TEXT]);
/* Where a request goes from here: its Request-URI, and what is left out of its Route. */
struct ssi_forward_path {
    struct ssi_slice uri;
    bool sips;
    bool skip_first;
    bool skip_last;
};
/* RFC 3261 16.4 for a request in a dialog: our token stands in the first Route, or, where a strict router was before us, in the
 * Request-URI, and the last Route is where it goes. False: there is no token of ours. */
bool ssi_forward_take_token(const secsip_registrar *r, const struct ssi_sip_msg *m,
                            const struct ssi_flow *flow, struct ssi_forward_path *ret_path,
                            struct ssi_forward_ends *ret_ends);
/* Whether the first Route names us. */
bool ssi_forward_has_our_route(const secsip_registrar *r, const struct ssi_sip_msg *m,
                               const struct ssi_flow *flow);
/* How long m may get on its way through here: names in full, a line for each Via and Route, and what is added. */
size_t ssi_forward_room(const struct ssi_sip_msg *m);
/* RFC 3261 16.6: the request as it leaves over `out`; where the next Route is a strict router's, in the form that it knows (step 6). */
void ssi_forward_put_request(struct ssi_buf *b, const secsip_registrar *r,
                             const struct ssi_sip_msg *m, const struct ssi_forward_path *path,
                             const struct ssi_flow *in, const struct ssi_flow *out,
                             const char *branch);
/* RFC 3261 16.7 step 3 and 9: the response without our Via. */
void ssi_forward_put_response(struct ssi_buf *b, const struct ssi_sip_msg *m);

/* The body holds a key (a=crypto, MIKEY, k=), and `to` is in clear: it must not go on. */
bool ssi_forward_leaks_keys(const struct ssi_sip_msg *m, const struct ssi_flow *to);

#endif
