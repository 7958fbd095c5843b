/* Typed values of header fields that the message itself does not need: numbers, tokens with parameters, Date, Reason, RAck,
 * Replaces, Session-Expires and their kin. Read on demand, strictly by their ABNF, without allocation; every slice borrows
 * from the text. Layer: sip. Media types, dispositions and Call-Info are in typed.h, challenges in auth.h, addresses and
 * Vias in msg.h. */
#ifndef SSI_SIP_VALUES_H
#define SSI_SIP_VALUES_H

#include "sip/msg.h"

/* What a header field's value is made of. */
enum ssi_sip_form {
    SSI_SIP_FORM_TEXT,        /* free text, or a grammar of its own: the whole line */
    SSI_SIP_FORM_TOKEN,       /* Allow, Supported, Require, Priority */
    SSI_SIP_FORM_ITEM,        /* a token with parameters: Event, Reason, Subscription-State */
    SSI_SIP_FORM_NUMBER,      /* digits and nothing else: Expires, RSeq */
    SSI_SIP_FORM_DELTA,       /* seconds with parameters: Session-Expires, Min-SE */
    SSI_SIP_FORM_RETRY,       /* the same with a comment between: Retry-After */
    SSI_SIP_FORM_CALL_ID,     /* Call-ID, In-Reply-To */
    SSI_SIP_FORM_CALL_PARAMS, /* a Call-ID with parameters: Replaces */
    SSI_SIP_FORM_MEDIA,       /* typed.h */
    SSI_SIP_FORM_DISPOSITION, /* typed.h */
    SSI_SIP_FORM_INFO,        /* typed.h */
    SSI_SIP_FORM_ADDRESS,     /* msg.h */
    SSI_SIP_FORM_VIA,         /* msg.h */
    SSI_SIP_FORM_AUTH,        /* auth.h */
};
enum ssi_sip_form ssi_sip_form_of(enum ssi_sip_hdr id);
/* True when commas separate the elements of the field (RFC 3261 7.3.1). */
bool ssi_sip_is_list(enum ssi_sip_hdr id);

/* One value of the forms TEXT to CALL_PARAMS. */
struct ssi_sip_item {
    struct ssi_slice main;   /* before the parameters */
    struct ssi_slice params; /* from the first ';', or empty */
    uint64_t number;         /* of NUMBER, DELTA and RETRY: at most 2^32 - 1 */
};
/* The whole text must be one value. SECSIP_E_SIP_HEADER, SECSIP_E_SIP_TOO_LARGE (parameters). */
secsip_result ssi_sip_item_parse(enum ssi_sip_form form, struct ssi_slice text,
                                 struct ssi_sip_item *ret);

/* Reason: one element (RFC 3326). */
struct ssi_sip_reason {
    struct ssi_slice protocol; /* "SIP", "Q.850" */
    struct ssi_slice text;     /* with its quotes; p NULL: none */
    uint32_t cause;
    bool has_cause;
};
secsip_result ssi_sip_reason_parse(struct ssi_slice text, struct ssi_sip_reason *ret);

/* RAck (RFC 3262 7.2): rseq from 1 to 2^32 - 1, cseq below 2^31. */
struct ssi_sip_rack {
    struct ssi_slice method;
    uint32_t rseq;
    uint32_t cseq;
};
secsip_result ssi_sip_rack_parse(struct ssi_slice text, struct ssi_sip_rack *ret);

/* Replaces (RFC 3891 6.1): both tags must be there, once. */
struct ssi_sip_replaces {
    struct ssi_slice call_id;
    struct ssi_slice to_tag;
    struct ssi_slice from_tag;
    bool early_only;
};
secsip_result ssi_sip_replaces_parse(struct ssi_slice text, struct ssi_sip_replaces *ret);

/* Session-Expires and Min-SE (RFC 4028 4 and 5). */
enum ssi_sip_refresher {
    SSI_SIP_REFRESHER_NONE, /* not said */
    SSI_SIP_REFRESHER_UAC,
    SSI_SIP_REFRESHER_UAS,
};
struct ssi_sip_session {
    uint32_t seconds;
    enum ssi_sip_refresher refresher;
};
secsip_result ssi_sip_session_parse(struct ssi_slice text, struct ssi_sip_session *ret);

/* Date (RFC 3261 20.17): "Sat, 13 Nov 2010 23:29:00 GMT" to seconds since 1970. The day of the week must be that of the
 * date. */
secsip_result ssi_sip_date_parse(struct ssi_slice text, int64_t *ret);
/* The same back; years 0 to 9999. */
enum {
    SSI_SIP_DATE_TEXT = 30
};
void ssi_sip_date_format(int64_t seconds, char out[SSI_SIP_DATE_TEXT]);

#endif
