/* SDES: the a=crypto codec and the negotiation over it (RFC 4568, RFC 6188, RFC 7714). Layer: sdes. Structures here hold
 * key bytes: wipe them with ssi_sdes_line_wipe, never print them. */
#ifndef SSI_SDES_SDES_H
#define SSI_SDES_SDES_H

#include "base/secret.h"
#include "sdes/book.h"
#include "sdp/sdp.h"

/* Crypto-suites; the numbers are ours and index ssi_sdes_suites. */
enum ssi_suite {
    SSI_SUITE_NONE,
    SSI_SUITE_AES_CM_128_HMAC_SHA1_80,
    SSI_SUITE_AES_CM_128_HMAC_SHA1_32,
    SSI_SUITE_AES_192_CM_HMAC_SHA1_80,
    SSI_SUITE_AES_192_CM_HMAC_SHA1_32,
    SSI_SUITE_AES_256_CM_HMAC_SHA1_80,
    SSI_SUITE_AES_256_CM_HMAC_SHA1_32,
    SSI_SUITE_AEAD_AES_128_GCM,
    SSI_SUITE_AEAD_AES_256_GCM,
    /* Not of any RFC, rtpengine's: HMAC of AES_CM_128 and no encryption. Only where SSI_SDES_NULL_CIPHER is allowed. */
    SSI_SUITE_NULL_HMAC_SHA1_80,
    SSI_SUITE_NULL_HMAC_SHA1_32,
    SSI_SUITE_COUNT,
};

/* Protection that a line leaves out (RFC 4568 6.3.2, 6.3.3); for each a flag allows it, else the line is not usable. */
enum {
    SSI_SDES_UNENCRYPTED_SRTP = 1 << 0,
    SSI_SDES_UNENCRYPTED_SRTCP = 1 << 1,
    SSI_SDES_UNAUTHENTICATED_SRTP = 1 << 2,
    SSI_SDES_NULL_CIPHER = 1 << 3, /* the NULL_HMAC suites; stands in what is allowed only */
};

/* What peers do otherwise than the standards say, as far as it acted. */
enum {
    SSI_SDES_QUIRK_TAG = 1 << 0,      /* the answer's tag was wrong and its suite decided */
    SSI_SDES_QUIRK_PROFILE = 1 << 1,  /* the answer's profile was not that of the offer */
    SSI_SDES_QUIRK_SPELLING = 1 << 2, /* AES_CM_256_... for AES_256_CM_... (RFC 6188) */
    SSI_SDES_QUIRK_PADDING = 1 << 3,  /* a key without its '=' */
};

struct ssi_suite_info {
    const char *name;
    uint8_t key_len; /* without salt */
    uint8_t salt_len;
    uint8_t rtp_tag_len;
    uint8_t rtcp_tag_len;
    bool aead;
    bool null_cipher;
};
/* NULL for NONE and for numbers out of range. */
const struct ssi_suite_info *ssi_suite_info(enum ssi_suite s);
/* By name, field spellings included (AES_CM_256_...); SSI_SUITE_NONE when unknown. */
enum ssi_suite ssi_suite_of(struct ssi_slice name);
/* The name is one that RFC 6188 does not have. */
bool ssi_suite_is_misspelt(struct ssi_slice name);
/* That name, NULL where the suite has none. */
const char *ssi_suite_spelling(enum ssi_suite suite);
/* What calls offer unless told otherwise: GCM, AES-256 and AES-128, strong ones first. */
extern const enum ssi_suite ssi_suite_default[];
enum {
    SSI_SUITE_DEFAULT_COUNT = 6
};
/* There is such a suite, and it encrypts or `allow` holds SSI_SDES_NULL_CIPHER. */
bool ssi_suite_allowed(enum ssi_suite suite, uint32_t allow);
/* "A,B" into a list of at most cap suites; false for an unknown name, one that is not allowed, a doubled one or none at all. */
bool ssi_suite_list(struct ssi_slice text, uint32_t allow, enum ssi_suite *out, size_t cap,
                    size_t *ret_n);

/* Keys of one line, crypto lines of one media line, and bytes of an MKI (RFC 4568 6.1). */
enum {
    SSI_SDES_MKI_TEXT = 310, /* the digits of 2^1024 - 1 and a NUL */
    SSI_SDES_KEYS_MAX = 4,
    SSI_SDES_LINES_MAX = 16,
    SSI_SDES_MKI_MAX = 128
};

struct ssi_sdes_key {
    struct ssi_key key;            /* master key and salt */
    uint64_t lifetime;             /* packets, 0: the default of the suite */
    uint8_t mki[SSI_SDES_MKI_MAX]; /* network order, mki_len bytes of it */
    uint8_t mki_len;               /* 0: none */
};

/* One a=crypto line. */
struct ssi_sdes_line {
    uint32_t tag;
    enum ssi_suite suite;
    struct ssi_slice suite_text; /* borrowed from the text: answer with the spelling offered */
    struct ssi_sdes_key keys[SSI_SDES_KEYS_MAX];
    uint32_t n_keys;
    struct ssi_slice params; /* borrowed: session parameters as written */
    uint32_t wsh;            /* WSH: the replay window asked for; 0: none */
    uint32_t forms;          /* SSI_SDES_UNENCRYPTED_SRTP and its like, as negotiated */
    uint32_t quirks;         /* SSI_SDES_QUIRK_SPELLING, _PADDING */
    secsip_result
        usable; /* 0, or why this line cannot be used: that one line is ignored (RFC 4568 5.1.2) */
    const char *why; /* constant text for usable < 0 */
};

/* Parses the value after "a=crypto:". Always fills *ret as far as it got; returns ret->usable. What the grammar of RFC 4568
 * section 9 allows and this library does not do (KDR other than 0, FEC, unknown parameters without '-') or may not do
 * (unencrypted and unauthenticated forms that are not in `allow`) makes the line unusable; it is never accepted and ignored. */
secsip_result ssi_sdes_parse_allowing(struct ssi_slice value, uint32_t allow,
                                      struct ssi_sdes_line *ret);
/* The same with nothing allowed. */
secsip_result ssi_sdes_parse(struct ssi_slice value, struct ssi_sdes_line *ret);
void ssi_sdes_line_wipe(struct ssi_sdes_line *l);
/* The crypto lines of one media line, and what only shows when they are seen together: a tag that stands twice makes
 * both lines unusable (RFC 4568 4.1), a key that stands before, in this or in another media line, makes the later one
 * unusable. lines has room for SSI_SDES_LINES_MAX, all to be wiped by the caller; what stands behind them is not used. */
secsip_result ssi_sdes_collect(const struct ssi_sdp *sdp, uint32_t media, uint32_t allow,
                               struct ssi_sdes_line *lines, uint32_t *ret_n);
/* The same for a list that was parsed one by one. */
void ssi_sdes_cross_check(struct ssi_sdes_line *lines, uint32_t n);
/* Writes the value after "a=crypto:" (without the line end). The buffer should be a secret one. */
void ssi_sdes_put(struct ssi_buf *b, const struct ssi_sdes_line *l);
/* The same for one key, its base64 without '=' where a peer insists (padded = false). suite_text may be empty. */
void ssi_sdes_put_key(struct ssi_buf *b, uint32_t tag, enum ssi_suite suite,
                      struct ssi_slice suite_text, const struct ssi_sdes_key *key, bool padded);
/* " UNENCRYPTED_SRTP" and its like, behind a key. */
void ssi_sdes_put_forms(struct ssi_buf *b, uint32_t forms);
/* ---- For logs (mask.c): what may be a key is replaced by `mask` */
/* Has the form of a suite or parameter, and not that of a key. */
bool ssi_sdes_is_name(struct ssi_slice s);
/* A word of key parameters, or a session parameter. */
void ssi_sdes_mask_word(struct ssi_buf *b, struct ssi_slice word, const char *mask);
/* The value after "a=crypto:", whole or broken; blanks stay as they are. */
void ssi_sdes_mask(struct ssi_buf *b, struct ssi_slice value, const char *mask);
/* A fresh line: tag, suite, random key of the right length. SECSIP_E_RANDOM. */
secsip_result ssi_sdes_generate(uint32_t tag, enum ssi_suite suite, struct ssi_sdes_line *ret);
/* A fresh key of the suite's length. SECSIP_E_RANDOM, SECSIP_E_INVALID (no such suite). */
secsip_result ssi_sdes_random_key(enum ssi_suite suite, struct ssi_sdes_key *ret);
/* Same key, lifetime and MKI; the key bytes in constant time. */
bool ssi_sdes_key_eq(const struct ssi_sdes_key *a, const struct ssi_sdes_key *b);
/* A decimal number as a big-endian one of `len` bytes (1..128), and back; false when it does not fit. */
bool ssi_sdes_mki_read(struct ssi_slice digits, uint8_t *out, size_t len);
/* NUL-terminated; returns the length. */
size_t ssi_sdes_mki_text(const uint8_t *mki, size_t len, char out[SSI_SDES_MKI_TEXT]);
void ssi_sdes_mki_put(struct ssi_buf *b, const uint8_t *mki, size_t len);

/* ---- Negotiation for one media line. Keys are a function of the offers and answers that were made: a key of ours comes
 * into use only after ssi_sdes_put_offer or ssi_sdes_answer wrote it for the peer. Zero-initialise with
 * ssi_sdes_session_init; wipe at the end.
 *
 * Every offer ends in exactly one of take_answer (success), or rollback (refused, timed out, or the answer was no good).
 * An answer counts as agreed when ssi_sdes_answer wrote it; rollback takes it back where it was never sent. One that waits for
 * an answer may be copied for every fork of the call (one per To-tag). */
enum ssi_sdes_policy {
    SSI_SDES_MANDATORY, /* RTP/SAVP with a usable line, or nothing */
    SSI_SDES_OPTIONAL,  /* SRTP where the peer can, see ssi_sdes_style */
    SSI_SDES_OFF,       /* no crypto at all */
};

/* How OPTIONAL offers SRTP. */
enum ssi_sdes_style {
    SSI_SDES_STYLE_AVP,        /* RTP/AVP with a=crypto (RFC 8643) */
    SSI_SDES_STYLE_TWO_LINES,  /* an RTP/SAVP media line, and an RTP/AVP one behind it */
    SSI_SDES_STYLE_CAPABILITY, /* RTP/AVP with RTP/SAVP as a potential configuration (RFC 5939) */
    SSI_SDES_STYLE_SAVP,       /* RTP/SAVP alone: for peers that refuse the others with 488 */
};

struct ssi_sdes_config {
    enum ssi_sdes_policy policy;
    enum ssi_suite suites[SSI_SUITE_COUNT]; /* in order of preference */
    size_t n_suites;
    uint64_t lifetime; /* written into lines we make; 0: not written */
    uint32_t mki_len;  /* our keys get an MKI of so many bytes (1..128); 0: none */
    uint32_t
        max_keys; /* keys of one line of the peer's that the SRTP side can hold, 0: 1 (then rx is all there is) */
    enum ssi_sdes_style style;
    uint32_t allow; /* SSI_SDES_UNENCRYPTED_SRTP and its like: taken from a peer */
    uint32_t
        forms; /* the same, written into our own offers; those of `allow` only, never for AEAD suites */
    /* Leniencies and choices, all off by default. */
    bool
        avp_crypto; /* MANDATORY answers RTP/AVP offers with crypto too, securely (RFC 8643; Lync, FIELD 13) */
    bool
        match_by_suite; /* an answer with a tag that was not offered is matched by its suite (FIELD 12) */
    bool unpadded;          /* base64 without '=' (FIELD 10) */
    bool insecure_may_fall; /* OPTIONAL: a call that had SRTP may go on in clear (FIELD 17) */
    /* Leniencies that cost no security and are on by default. */
    bool refuse_profile;  /* an answer of another profile, such as SAVP to AVP (FIELD 13) */
    bool refuse_spelling; /* AES_CM_256_... (FIELD 11) */
    bool refuse_unpadded; /* keys without '=' (FIELD 10) */
};

/* Options of <secsip/sdes.h>, all of them, and those that a call may have: in a call SRTP never falls to clear media. */
enum {
    SSI_SDES_ALL_OPTIONS = (1 << 11) - 1,
    SSI_SDES_CALL_OPTIONS = SSI_SDES_ALL_OPTIONS & ~(1 << 3),
};
/* The forms that they allow. */
uint32_t ssi_sdes_allowed_by(uint32_t options);
void ssi_sdes_take_options(uint32_t options, struct ssi_sdes_config *ret);

/* Our keys and theirs, once agreed. */
struct ssi_sdes_agreed {
    enum ssi_suite suite; /* SSI_SUITE_NONE: clear media were agreed (never under MANDATORY) */
    uint32_t tag;
    struct ssi_sdes_key tx; /* we send with it: it was signalled to the peer */
    struct ssi_sdes_key rx; /* the peer sends with it */
    struct ssi_sdes_key rx_more[SSI_SDES_KEYS_MAX - 1]; /* the peer's further keys, chosen by MKI */
    uint32_t n_rx_more;
    uint32_t wsh;    /* the replay window the peer asks for, 0: none */
    uint32_t forms;  /* protection that is left out in both directions */
    uint32_t quirks; /* SSI_SDES_QUIRK_*: what acted */
    bool
        misspells; /* the peer's offers spell suites as RFC 6188 does not: ours do too (FIELD 11) */
    uint32_t line; /* of an offer with two media lines: 0, the first, or 1 */
    const char *profile; /* of the media line, constant text */
};

/* A line of ours. */
struct ssi_sdes_local {
    uint32_t tag;
    enum ssi_suite suite;
    uint32_t forms;
    struct ssi_sdes_key key;
    bool misspelt; /* written as RFC 6188 does not spell it */
};

/* What rollback goes back to. */
struct ssi_sdes_state {
    struct ssi_sdes_agreed agreed; /* if has_agreed */
    bool has_agreed;
    bool fresh_key;
    bool was_secure;
};

struct ssi_sdes_session {
    struct ssi_sdes_config config;
    struct ssi_sdes_local local[SSI_SDES_LINES_MAX]; /* of the last offer of ours */
    uint32_t n_local;
    const char *offered; /* the profile of that offer's media line, constant text */
    enum ssi_sdes_style
        offer_style;                /* how it was written; AVP where the lines are plain a=crypto */
    struct ssi_sdes_agreed agreed;  /* in force, if has_agreed */
    struct ssi_sdes_state previous; /* before the answer that can be taken back, if has_previous */
    struct ssi_sdes_state base;     /* at ssi_sdes_begin, if has_base */
    struct ssi_sdes_book *book;     /* every key of ours; NULL until there is one */
    uint32_t last_mki;
    bool has_agreed;
    bool has_previous; /* the last step was an answer: rollback undoes it */
    bool answered;     /* that was one of ours, of which the peer may not know */
    bool has_base;
    bool has_pending; /* an offer of ours waits for its answer */
    bool fresh_key;   /* the next offer or answer must not go on with the key in use */
    bool was_secure;  /* SRTP was agreed on, at some time: rollback does not change it back */
};

void ssi_sdes_session_init(struct ssi_sdes_session *s, const struct ssi_sdes_config *config);
void ssi_sdes_session_wipe(struct ssi_sdes_session *s);
/* One more session for a fork of the call: as it is, and the book of keys is shared. */
void ssi_sdes_session_copy(struct ssi_sdes_session *ret, const struct ssi_sdes_session *s);
/* A new session is for another media line of the call of `other`: the peer may not use on one what was ours on the other.
 * SECSIP_E_NOMEM, SECSIP_E_RANDOM. */
secsip_result ssi_sdes_session_join(struct ssi_sdes_session *s, struct ssi_sdes_session *other);
/* The profile of the n-th media line to offer, NULL for none: "RTP/SAVP" or "RTP/AVP" by policy and style, or the one in
 * use. There is a second line only with SSI_SDES_STYLE_TWO_LINES, until one of the two is agreed on. */
const char *ssi_sdes_offer_profile_of(const struct ssi_sdes_session *s, uint32_t n);
/* Of the first line. */
const char *ssi_sdes_offer_profile(const struct ssi_sdes_session *s);
/* Makes keys for an offer (kept until answered) and writes its a=crypto lines (or a=tcap, a=acap and a=pcfg), each with
 * CR LF, for the first media line; a second one has nothing of the kind. A later offer starts with
 * the line in use, key and tag unchanged, so that an answer that changes nothing changes no key; further suites
 * follow with fresh keys. SECSIP_E_STATE while an offer waits, SECSIP_E_RANDOM, SECSIP_E_NOMEM, SECSIP_E_INVALID (no suite
 * configured where one is needed). */
secsip_result ssi_sdes_put_offer(struct ssi_sdes_session *s, struct ssi_buf *b);
/* Takes an offer that was written before as the one that waits; its suites are allowed from now on. SECSIP_E_STATE, SECSIP_E_SDP_MEDIA, what a line is not
 * usable for, SECSIP_E_LIMIT (several keys on a line, which are never ours). */
secsip_result ssi_sdes_adopt_offer(struct ssi_sdes_session *s, const struct ssi_sdp *offer,
                                   uint32_t media);
/* The peer's answer to our offer: media line `media` of `answer`, and the one behind it where the offer had two. On success *ret_agreed (borrowed) holds the keys; on
 * failure nothing changes (the offer still waits: roll it back) and the result names why: SECSIP_E_SDES_CLEAR_PROFILE,
 * _NO_CRYPTO, _TAG, _SUITE, _KEY_LENGTH, _PARAM, ..., SECSIP_E_SDP_MEDIA (refused, or another profile), and *ret_why (may
 * be NULL) is a sentence. Under MANDATORY nothing but SRTP passes. The same answer again, as 183 and 200 bring it, is
 * agreed again; another one without an offer is SECSIP_E_STATE. */
secsip_result ssi_sdes_take_answer(struct ssi_sdes_session *s, const struct ssi_sdp *answer,
                                   uint32_t media, const struct ssi_sdes_agreed **ret_agreed,
                                   const char **ret_why);
/* What answering media line `media` would come to: nothing is changed. *ret_secure and *ret_profile only for 0. */
secsip_result ssi_sdes_judge(const struct ssi_sdes_session *s, const struct ssi_sdp *offer,
                             uint32_t media, bool *ret_secure, const char **ret_profile,
                             const char **ret_why);
/* Whether a media line is one to look at. */
typedef bool ssi_sdes_fits(const struct ssi_sdp *sdp, uint32_t media, const void *arg);
/* Which media line to answer: the first that can be SRTP, else the first in clear where the policy has that and no line is
 * refused for a broken crypto line. The result of the first line where there is none, SECSIP_E_SDP_MEDIA where none fits. */
secsip_result ssi_sdes_choose_media(const struct ssi_sdes_session *s, const struct ssi_sdp *offer,
                                    ssi_sdes_fits *fits, const void *arg, uint32_t *ret_media,
                                    const char **ret_profile, const char **ret_why);
/* The peer's offer: a potential configuration that is SRTP goes first (RFC 5939), then what the media line itself says. Picks
 * the first usable line by the offerer's order (RFC 4568 5.1.2), makes our key, and writes the
 * answer's a=crypto line (and a=acfg) into b; *ret_profile is the profile to answer with. Where the peer's line
 * is the one in use, tag, suite and keys unchanged, so is ours. A changed line gets a fresh key of ours: it may come from
 * another endpoint, which does not know our ROC (RFC 4568 7.1.4). Under MANDATORY RTP/SAVP and RTP/SAVPF alone are
 * answered, and RTP/AVP with crypto only with config.avp_crypto. SECSIP_E_STATE while an offer of ours waits. */
secsip_result ssi_sdes_answer(struct ssi_sdes_session *s, const struct ssi_sdp *offer,
                              uint32_t media, struct ssi_buf *b, const char **ret_profile,
                              const struct ssi_sdes_agreed **ret_agreed, const char **ret_why);
/* Withdraws the offer that waits, or the answer that was written or taken last, where nothing has confirmed it: what was agreed
 * before is in force again. Nothing to take back is no fault. An answer is confirmed by the next offer, ours or the peer's, and
 * by ssi_sdes_settle. That media were SRTP is not forgotten: they do not become clear ones after it. Except where an answer of
 * ours is taken back to clear media that were agreed on: then they never were SRTP. */
void ssi_sdes_rollback(struct ssi_sdes_session *s);
/* The last answer stays: the peer has it. */
void ssi_sdes_confirm(struct ssi_sdes_session *s);
/* A re-INVITE begins. What is agreed within it, in provisional answers and by UPDATE, can be taken back as a whole by
 * ssi_sdes_revert, when it is refused (RFC 3261 14.1, RFC 6141 3). SECSIP_E_STATE: one is under way. */
secsip_result ssi_sdes_begin(struct ssi_sdes_session *s);
secsip_result ssi_sdes_revert(struct ssi_sdes_session *s);
/* What is agreed stays: an answer was sent or a 2xx taken. Ends what ssi_sdes_begin began. */
void ssi_sdes_settle(struct ssi_sdes_session *s);
/* The next offer or answer makes a fresh key of ours: after our address changed (RFC 4568 7.1.4), or near the end of the
 * key's life. */
void ssi_sdes_rekey(struct ssi_sdes_session *s);

#endif
