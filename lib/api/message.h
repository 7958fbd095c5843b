/* What the files of public messages share. Layer: api. */
#ifndef SSI_API_MESSAGE_H
#define SSI_API_MESSAGE_H

#include "secsip/message.h"
#include "sip/msg.h"

/* Each getter that fills a structure keeps the strings of its last answer. */
enum ssi_api_scratch {
    SSI_API_SCRATCH_HEADER,
    SSI_API_SCRATCH_VIA,
    SSI_API_SCRATCH_ADDRESS,
    SSI_API_SCRATCH_URI,
    SSI_API_SCRATCH_VALUE,
    SSI_API_SCRATCH_CAUSE,
    SSI_API_SCRATCH_RACK,
    SSI_API_SCRATCH_REPLACES,
    SSI_API_SCRATCH_AUTH,
    SSI_API_N_SCRATCH,
};

/* Where the last look into a list stopped: who asks for one element after the other must not pay for all before it each
 * time. */
struct ssi_api_walk {
    enum ssi_sip_hdr id;
    uint32_t next;                     /* index of the element after `last`; 0: nowhere */
    const struct ssi_sip_header *line; /* of a field that is not known, and of challenges */
    struct ssi_sip_values it;
    struct ssi_slice last;
    struct ssi_slice rest; /* of challenges: what follows in the line */
};

struct secsip_message {
    uint32_t refs;
    struct ssi_sip_msg *m;
    const char *method;
    const char *uri;
    const char *reason;
    const char *call_id;
    const char *cseq_method;
    struct ssi_buf scratch[SSI_API_N_SCRATCH];
    struct ssi_api_walk list, auth;
    char strings[];
};

/* Takes over the reference on m, also on failure. SECSIP_E_NOMEM. */
secsip_result ssi_api_message_wrap(struct ssi_sip_msg *m, secsip_message **ret);
/* `to` may be NULL. SECSIP_E_ABI. */
secsip_result ssi_api_message_give_fault(secsip_message_fault *to,
                                         const struct ssi_sip_fault *from);
/* SECSIP_E_NOMEM, SECSIP_E_ABI. */
secsip_result ssi_api_message_give_header(secsip_message *message, const struct ssi_sip_header *h,
                                          secsip_message_header *ret_header);

/* Room for the strings of one answer: `text` bytes of them and a NUL each; what was there is gone. NULL: no memory. */
char *ssi_api_message_room(secsip_message *message, enum ssi_api_scratch which, size_t text,
                           size_t n_strings);
/* Appends a NUL-terminated copy; NULL for a slice that is not there. */
const char *ssi_api_put_string(char **tail, struct ssi_slice s);
/* Folds and the blanks around them become one space (RFC 3261 7.3.1); terminated. Returns the end. */
char *ssi_api_put_unfolded(char *at, struct ssi_slice s);
/* The same without the quotes and escapes of a quoted-string; other text as it is. Returns its length. */
size_t ssi_api_put_unquoted(char *at, struct ssi_slice s);
/* The index-th element of a header field that is a list; name is looked at for SSI_HDR_OTHER only. SECSIP_E_NOT_FOUND. */
secsip_result ssi_api_message_find_element(secsip_message *message, enum ssi_sip_hdr id,
                                           const char *name, uint32_t index, struct ssi_slice *ret);

#endif
