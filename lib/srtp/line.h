/* All keys that a line of sessions has had. Layer: srtp, inside only.
 *
 * Sessions that continue one another (ssi_srtp_continue, and export and import between) are a line. A key may come back in it
 * after any number of others (RFC 6141 rolls keys back; a PBX resumes a call with the phone's old a=crypto line), and even then
 * one key, SSRC and index must not protect twice, nor may what was received under the key before be taken again. So each
 * key of a line belongs to one session at a time, the last that was given it, and what that session did with it is kept when it
 * is gone: the marks of each SSRC, what is left of the key's life, and promises made. Beyond a bound the oldest keys lose their
 * marks; they are never taken back then. A line costs nothing before the first new key. */
#ifndef SSI_SRTP_LINE_H
#define SSI_SRTP_LINE_H

#include "base/buf.h"
#include "base/cursor.h"
#include "srtp/priv.h"

enum {
    SSI_SRTP_KEY_ID = 16,
};

/* What became of an SSRC's indices under a key; as the members of the same names of struct ssi_srtp_source. */
struct ssi_srtp_mark {
    uint64_t floor, taken, rtcp_taken, horizon;
    uint32_t ssrc, rtcp_floor, rtcp_horizon;
    uint32_t
        n_closed; /* while marks are put together: how many keys that take no new SSRC know it */
};

struct ssi_srtp_line_key {
    uint8_t id[SSI_SRTP_KEY_ID]; /* a hash of master key and salt */
    struct ssi_srtp *owner; /* the session that has it; NULL: what follows is what is left of it */
    struct ssi_srtp_mark *marks; /* n_marks of them */
    uint32_t n_marks;
    bool closed; /* no SSRCs but these */
    uint64_t rtp_left, rtcp_left;
};

struct ssi_srtp_line {
    uint32_t refs; /* sessions, and who else holds it */
    uint32_t n_keys, cap_keys, n_spent, cap_spent;
    uint32_t marks_max;
    struct ssi_srtp_line_key *keys;    /* the one that was used last stands last */
    uint8_t (*spent)[SSI_SRTP_KEY_ID]; /* keys without marks: never again */
};

/* What the keys of a session have behind them in a line. */
struct ssi_srtp_heritage {
    bool alive;  /* a session has a key of it still */
    bool closed; /* a key of it was in use before, and other SSRCs than these must not use it */
    struct ssi_srtp_mark *marks; /* n of them, by SSRC */
    uint32_t n;
};

/* Makes a line for s unless it has one, and enters its keys. SECSIP_E_NOMEM. */
secsip_result ssi_srtp_line_found(struct ssi_srtp *s);
/* What s's keys have behind them in a line that s is to join, their lives cut to what is left; and room to take them, so that
 * ssi_srtp_line_take cannot fail. Free ret->marks. SECSIP_E_SRTP_REUSE (a key whose marks are lost), SECSIP_E_LIMIT (more keys
 * than a line remembers), SECSIP_E_NOMEM. */
secsip_result ssi_srtp_line_inherit(struct ssi_srtp_line *line, struct ssi_srtp *s,
                                    struct ssi_srtp_heritage *ret);
/* The marks of an SSRC, or NULL. */
const struct ssi_srtp_mark *ssi_srtp_heritage_of(const struct ssi_srtp_heritage *h, uint32_t ssrc);
/* Puts a mark on a source of s, beside those it has. */
void ssi_srtp_line_mark(struct ssi_srtp_source *src, const struct ssi_srtp_mark *m);
/* After inherit: s joins, and has its keys from now on; who had one of them accepts and sends nothing under it any more. */
void ssi_srtp_line_take(struct ssi_srtp_line *line, struct ssi_srtp *s);
/* s uses none of its keys any more: what it did with them is written down. */
void ssi_srtp_line_retire(struct ssi_srtp *s);
/* s exports with a promise (see ssi_srtp_export): it holds for keys of before, too. */
void ssi_srtp_line_promise(struct ssi_srtp *s, uint32_t promised);
/* For carry.c: what s knows of keys that are not its own, as bytes; `spent` packets less of life for each. */
void ssi_srtp_line_write(const struct ssi_srtp *s, bool closed, uint64_t spent, struct ssi_buf *b);
/* SECSIP_E_SRTP_STATE, SECSIP_E_NOMEM. */
secsip_result ssi_srtp_line_read(struct ssi_srtp *s, struct ssi_cursor *c);

/* The first index that a sender has not used, and that nobody before it may have. */
uint64_t ssi_srtp_next_index(const struct ssi_srtp_source *src);
/* What a session, and those before it, did with an SSRC. */
struct ssi_srtp_mark ssi_srtp_mark_of(const struct ssi_srtp *s, const struct ssi_srtp_source *src);

#endif
