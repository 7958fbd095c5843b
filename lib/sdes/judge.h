/* What a session thinks of a description of the peer's, without changing anything. Layer: sdes, seen by its own files
 * only. */
#ifndef SSI_SDES_JUDGE_H
#define SSI_SDES_JUDGE_H

#include "sdes/capneg.h"
#include "sdes/sdes.h"

enum ssi_sdes_profile_kind {
    SSI_PROFILE_OTHER,
    SSI_PROFILE_AVP,
    SSI_PROFILE_SAVP,
};

/* The crypto lines of a media line; wipe them in any case. */
struct ssi_sdes_lines {
    struct ssi_sdes_line line[SSI_SDES_LINES_MAX];
    uint32_t n;
    enum ssi_sdes_profile_kind kind;
};

/* ---- Between judge.c (what is common, and offers) and judge_answer.c */
/* Writes the sentence, gives the result back. */
static inline secsip_result ssi_sdes_no(secsip_result r, const char *text, const char **ret_why)
{
    *ret_why = text;
    return r;
}
/* *ret_name: the profile as a constant, where it is one of ours. */
enum ssi_sdes_profile_kind ssi_sdes_kind_of(struct ssi_slice profile, const char **ret_name);
/* The media line is there, taken, and of a profile that the policy allows. */
secsip_result ssi_sdes_check_media(const struct ssi_sdes_session *s, const struct ssi_sdp *sdp,
                                   uint32_t media, enum ssi_sdes_profile_kind *ret_kind,
                                   const char **ret_profile, const char **ret_why);
/* That, and its crypto lines. */
secsip_result ssi_sdes_open_media(const struct ssi_sdes_session *s, const struct ssi_sdp *sdp,
                                  uint32_t media, struct ssi_sdes_lines *ret,
                                  const char **ret_profile, const char **ret_why);
void ssi_sdes_wipe_lines(struct ssi_sdes_lines *l);
/* Whether this session can use the line, beyond its own form. */
secsip_result ssi_sdes_check_line(const struct ssi_sdes_session *s, const struct ssi_sdes_line *l,
                                  const char **ret_why);
void ssi_sdes_take_line(const struct ssi_sdes_line *l, struct ssi_sdes_agreed *ret);
/* Clear media, where the policy has them, and where the call was not secure before (FIELD 17). */
secsip_result ssi_sdes_agree_clear(const struct ssi_sdes_session *s, const char **ret_why);

/* ---- For the session */
/* Makes a line unusable; the first reason stands. */
void ssi_sdes_refuse(struct ssi_sdes_line *l, secsip_result result, const char *why);
/* The suite stands in the configuration. */
bool ssi_sdes_allows(const struct ssi_sdes_config *config, enum ssi_suite suite);
/* A key that stands in an earlier media line too makes its line unusable. */
void ssi_sdes_check_other_media(const struct ssi_sdp *sdp, uint32_t media,
                                struct ssi_sdes_line *lines, uint32_t n);
/* Both fill *ret with what would be agreed (the caller wipes it, also after a failure), or name why not. An answer brings our
 * own key with it. */
secsip_result ssi_sdes_judge_answer(const struct ssi_sdes_session *s, const struct ssi_sdp *answer,
                                    uint32_t media, struct ssi_sdes_agreed *ret,
                                    const char **ret_why);
/* What an offer's line and configuration were, for the answer; borrows from the offer. */
struct ssi_sdes_choice {
    struct ssi_slice suite_text; /* the spelling of the chosen line */
    struct ssi_capneg config;
    bool creq_unmet; /* see ssi_capneg_can */
};
/* An offer leaves tx empty. */
secsip_result ssi_sdes_judge_offer(const struct ssi_sdes_session *s, const struct ssi_sdp *offer,
                                   uint32_t media, struct ssi_sdes_agreed *ret,
                                   struct ssi_sdes_choice *ret_choice, const char **ret_why);

#endif
