/* SDES: the a=crypto codec and the negotiation over it (RFC 4568, RFC 6188, RFC 7714). Layer: sdes. Structures here hold
 * key bytes: wipe them with ssi_sdes_line_wipe, never print them. */
#ifndef SSI_SDES_SDES_H
#define SSI_SDES_SDES_H

#include "base/secret.h"
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
    SSI_SUITE_COUNT,
};

struct ssi_suite_info {
    const char *name;
    uint8_t key_len;  /* without salt */
    uint8_t salt_len;
    uint8_t rtp_tag_len;
    uint8_t rtcp_tag_len;
    bool aead;
};
/* NULL for NONE and for numbers out of range. */
const struct ssi_suite_info *ssi_suite_info(enum ssi_suite s);
/* By name, field spellings included (AES_CM_256_...); SSI_SUITE_NONE when unknown. */
enum ssi_suite ssi_suite_of(struct ssi_slice name);
/* "A,B" into a list of at most cap suites; false for an unknown name, a doubled one or none at all. */
bool ssi_suite_list(struct ssi_slice text, enum ssi_suite *out, size_t cap, size_t *ret_n);

enum { SSI_SDES_KEYS_MAX = 4, SSI_SDES_LINES_MAX = 16 };

struct ssi_sdes_key {
    struct ssi_key key;  /* master key and salt */
    uint64_t lifetime;   /* packets, 0: the default of the suite */
    uint8_t mki[16];     /* network order; MKIs up to 128 bytes come with the full codec */
    uint8_t mki_len;     /* 0: none */
};

/* One a=crypto line. */
struct ssi_sdes_line {
    uint32_t tag;
    enum ssi_suite suite;
    struct ssi_slice suite_text; /* borrowed from the text: answer with the spelling offered */
    struct ssi_sdes_key keys[SSI_SDES_KEYS_MAX];
    uint32_t n_keys;
    struct ssi_slice params; /* borrowed: session parameters as written */
    secsip_result usable;    /* 0, or why this line cannot be used: that one line is ignored (RFC 4568 5.1.2) */
    const char *why;         /* constant text for usable < 0 */
};

/* Parses the value after "a=crypto:". Always fills *ret as far as it got; returns ret->usable. */
secsip_result ssi_sdes_parse(struct ssi_slice value, struct ssi_sdes_line *ret);
void ssi_sdes_line_wipe(struct ssi_sdes_line *l);
/* Writes the value after "a=crypto:" (without the line end). The buffer should be a secret one. */
void ssi_sdes_put(struct ssi_buf *b, const struct ssi_sdes_line *l);
/* A fresh line: tag, suite, random key of the right length. SECSIP_E_RANDOM. */
secsip_result ssi_sdes_generate(uint32_t tag, enum ssi_suite suite, struct ssi_sdes_line *ret);

/* ---- Negotiation for one media line. The state machine keeps what was offered and what was agreed; keys are a function
 * of committed offer and answer only. Zero-initialise with ssi_sdes_session_init; free wipes. */
enum ssi_sdes_policy {
    SSI_SDES_MANDATORY, /* RTP/SAVP with a usable line, or nothing */
    SSI_SDES_OPTIONAL,  /* RTP/AVP with crypto (RFC 8643): the answer decides */
    SSI_SDES_OFF,       /* no crypto at all */
};

struct ssi_sdes_config {
    enum ssi_sdes_policy policy;
    enum ssi_suite suites[SSI_SUITE_COUNT]; /* in order of preference */
    size_t n_suites;
    uint64_t lifetime; /* written into lines we make; 0: not written */
};

/* Our keys and theirs, once agreed. */
struct ssi_sdes_agreed {
    enum ssi_suite suite; /* SSI_SUITE_NONE: clear media were agreed (never under MANDATORY) */
    uint32_t tag;
    struct ssi_sdes_key tx; /* we send with it: it was signalled to the peer */
    struct ssi_sdes_key rx; /* the peer sends with it */
};

struct ssi_sdes_session {
    struct ssi_sdes_config config;
    struct ssi_sdes_line local[SSI_SDES_LINES_MAX]; /* what we offered, or the one line we answered with */
    uint32_t n_local;
    struct ssi_sdes_agreed pending;
    struct ssi_sdes_agreed agreed;
    bool has_agreed;
    bool has_pending;
};

void ssi_sdes_session_init(struct ssi_sdes_session *s, const struct ssi_sdes_config *config);
void ssi_sdes_session_wipe(struct ssi_sdes_session *s);
/* "RTP/SAVP" or "RTP/AVP": the profile to offer. */
const char *ssi_sdes_offer_profile(const struct ssi_sdes_session *s);
/* Makes keys for an offer (kept until answered) and writes its a=crypto lines, each with CR LF. */
secsip_result ssi_sdes_put_offer(struct ssi_sdes_session *s, struct ssi_buf *b);
/* The peer's answer to our offer: media line `media` of `answer`. On success *ret_agreed (borrowed) holds the keys; on
 * failure it names why: SECSIP_E_SDES_CLEAR_PROFILE, _NO_CRYPTO, _TAG, _SUITE, _KEY_LENGTH, _PARAM, ... and *ret_why
 * (may be NULL) is a sentence. Under MANDATORY nothing but SRTP passes. */
secsip_result ssi_sdes_take_answer(struct ssi_sdes_session *s, const struct ssi_sdp *answer, uint32_t media,
                                   const struct ssi_sdes_agreed **ret_agreed, const char **ret_why);
/* The peer's offer: picks the first usable line by the offerer's order (RFC 4568 5.1.2), makes our key, and writes the
 * answer's a=crypto line into b; *ret_profile is the profile to answer with (that of the offer). */
secsip_result ssi_sdes_answer(struct ssi_sdes_session *s, const struct ssi_sdp *offer, uint32_t media, struct ssi_buf *b,
                              const char **ret_profile, const struct ssi_sdes_agreed **ret_agreed, const char **ret_why);

#endif
