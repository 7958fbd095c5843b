/* The reader under every typed parser of this layer: a cursor over one bounded value, which says where and why it
 * stopped. Layer: sip. Private to lib/sip. White space is SWS of RFC 3261 25.1: folds (CR LF and a blank) count as blanks.
 *
 * A function that returns false leaves r->p on the byte that was wrong and says in r->expected what should stand there. */
#ifndef SSI_SIP_READ_H
#define SSI_SIP_READ_H

#include "sip/bytes.h"
#include "sip/chars.h"
#include "sip/msg.h"

struct ssi_sip_reader {
    const char *p;
    const char *end;
    const char *
        readable; /* end, or where the memory around the value ends: what is past end counts for nothing */
    const char *expected; /* constant text, set on failure */
    uint32_t max_params;
    uint32_t max_uri;
    bool too_large; /* the failure was a limit */
};

/* Defaults for every limit that is zero. */
void ssi_sip_limits_fill(struct ssi_sip_limits *out, const struct ssi_sip_limits *in);
struct ssi_sip_reader ssi_sip_reader_of(struct ssi_slice s);

static inline bool ssi_sip_wrong(struct ssi_sip_reader *r, const char *expected)
{
    r->expected = expected;
    return false;
}

void ssi_sip_skip_ws_slow(struct ssi_sip_reader *r);
static inline void ssi_sip_skip_ws(struct ssi_sip_reader *r)
{
    if (r->p == r->end || (unsigned char)*r->p > ' ')
        return;
    if (r->end - r->p >= 2 && *r->p == ' ' && (unsigned char)r->p[1] > ' ')
        r->p++; /* the usual one blank */
    else
        ssi_sip_skip_ws_slow(r);
}

static inline bool ssi_sip_next_is(const struct ssi_sip_reader *r, char c)
{
    return r->p < r->end && *r->p == c;
}

/* Equal in any case to a literal in lower case; the usual spelling costs one comparison. */
static inline bool ssi_sip_name_is(struct ssi_slice name, struct ssi_slice lower)
{
    return name.len == lower.len &&
           (memcmp(name.p, lower.p, lower.len) == 0 || ssi_slice_ieq(name, lower));
}

/* The first byte from p on that is not of a class, or end. Most of the time goes here. */
static inline const char *ssi_sip_skip(const char *p, const char *end, const char *readable,
                                       unsigned mask)
{
    while (!(mask & SSI_CH_NARROW) && readable - p >= 16) {
        p = ssi_sip_skip_names_16(p, readable);
        if (p >= end)
            return end;
        if (!ssi_sip_is(*p, mask))
            return p;
        p++;
    }
    while (p < end && ssi_sip_is(*p, mask))
        p++;
    return p;
}

/* The longest run of bytes of a class, maybe empty. */
static inline struct ssi_slice ssi_sip_run(struct ssi_sip_reader *r, unsigned mask)
{
    const char *from = r->p;

    r->p = ssi_sip_skip(from, r->end, r->readable, mask);
    return ssi_slice_of(from, (size_t)(r->p - from));
}

/* The same with %-escapes among them; a '%' without two hexadecimal digits ends the run. */
struct ssi_slice ssi_sip_run_escaped(struct ssi_sip_reader *r, unsigned mask);

/* A quoted-string with its quotes; r->p stands on the first '"'. */
bool ssi_sip_read_quoted(struct ssi_sip_reader *r, struct ssi_slice *ret);
/* SWS ";" name [ "=" value ]: 1 for a parameter, 0 when no ';' follows, -1 when malformed. value->p is NULL without '='.
 * White space after the parameter is not taken. */
int ssi_sip_read_param(struct ssi_sip_reader *r, struct ssi_slice *name, struct ssi_slice *value);
/* The names of one value's parameters: each may stand once (RFC 3261 7.3.1, 19.1.1), or two readers could take different
 * ones. Only n needs to be set to zero. Those past the room are not compared. */
enum {
    SSI_SIP_SEEN_ROOM = 128
};
struct ssi_sip_seen {
    uint32_t n;
    struct ssi_slice name[SSI_SIP_SEEN_ROOM];
    uint32_t hash[SSI_SIP_SEEN_ROOM]; /* of all, from the moment there are many */
};
/* Whether one more is to be compared with those before: 1, 0 for one past the room, which is only counted, -1 past r->max_params. */
static inline int ssi_sip_seen_room(struct ssi_sip_reader *r, struct ssi_sip_seen *seen)
{
    if (seen->n >= r->max_params) {
        r->too_large = true;
        r->expected = "fewer parameters";
        return -1;
    }
    if (seen->n < SSI_SIP_SEEN_ROOM)
        return 1;
    seen->n++;
    return 0;
}
/* False for a name that was seen before, any case, and past r->max_params. */
bool ssi_sip_note_name_slow(struct ssi_sip_reader *r, struct ssi_sip_seen *seen,
                            struct ssi_slice name);
static inline bool ssi_sip_note_name(struct ssi_sip_reader *r, struct ssi_sip_seen *seen,
                                     struct ssi_slice name)
{
    if (seen->n > 0)
        return ssi_sip_note_name_slow(r, seen, name);
    seen->name[0] = name;
    seen->n = 1;
    return true;
}
bool ssi_sip_read_number(struct ssi_sip_reader *r, uint64_t max, uint64_t *ret);

/* host, an IPv6 reference with its brackets; RFC 3261 25.1, RFC 5954, RFC 5118 4.10. */
bool ssi_sip_read_host(struct ssi_sip_reader *r, struct ssi_slice *ret);
/* The same where the run of host bytes is known to reach from r->p to end. */
bool ssi_sip_check_host(struct ssi_sip_reader *r, const char *end, struct ssi_slice *ret);
/* 1 to 65535. */
bool ssi_sip_read_port(struct ssi_sip_reader *r, uint16_t *ret);
/* A URI up to the first byte that cannot belong to it. `bare` is the addr-spec form outside of angle brackets, where
 * ';' starts header parameters and ',' and '?' may not stand (RFC 3261 20). */
bool ssi_sip_read_uri(struct ssi_sip_reader *r, bool bare, struct ssi_sip_uri *ret);
/* name-addr or addr-spec with header parameters, up to a ',' or the end. */
bool ssi_sip_read_addr(struct ssi_sip_reader *r, struct ssi_sip_addr *ret);
/* word [ "@" word ] */
bool ssi_sip_read_call_id(struct ssi_sip_reader *r);
/* One via-parm, up to a ',' or the end. */
bool ssi_sip_read_via(struct ssi_sip_reader *r, struct ssi_sip_via *ret);

/* The first element of Contact, Route or Record-Route as it was read with the message, or NULL. */
const struct ssi_sip_addr *ssi_sip_msg_first_addr(const struct ssi_sip_msg *m, enum ssi_sip_hdr id);

#endif
