/* Session descriptions for programs with a SIP stack of their own. SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * RFC 8866, read strictly and kept line by line: whole or not at all. A description is read-only once parsed. It may hold
 * a=crypto keys: its memory is wiped when it is freed. Needs no stack; one object, one thread at a time. */
#ifndef SECSIP_SDP_H
#define SECSIP_SDP_H

#include <stddef.h>
#include <stdint.h>

#include <secsip/result.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct secsip_sdp secsip_sdp;
typedef struct secsip_sdp_builder secsip_sdp_builder;

/** Bounds of a description; zero means the default. */
typedef struct secsip_sdp_limits {
    size_t size;
    uint32_t max_bytes;   /**< default 65536 */
    uint32_t max_lines;   /**< default 1024 */
    uint32_t max_media;   /**< default 32 */
    uint32_t max_formats; /**< of one m= line, default 256 */
} secsip_sdp_limits;

/** One m= line. Strings are valid as long as the description. */
typedef struct secsip_sdp_media {
    size_t size;
    const char *kind;    /**< "audio" */
    const char *profile; /**< "RTP/SAVP" */
    const char *formats; /**< "0 8 101" */
    const char
        *address; /**< of its c= line, else of the session's; "" when port is 0 and there is none */
    const char *direction; /**< "sendrecv", "sendonly", "recvonly" or "inactive" */
    uint32_t port;         /**< 0: the media line is refused */
    uint32_t n_ports;      /**< 1 unless "/n" was given */
} secsip_sdp_media;

/** The o= line. Strings are valid as long as the description. */
typedef struct secsip_sdp_origin {
    size_t size;
    const char *user;
    const char *id;      /**< decimal digits, as many as there were */
    const char *version; /**< decimal digits; an unchanged description keeps it (RFC 3264 8) */
    const char *address;
} secsip_sdp_origin;

/** Reads a description. CR LF and LF end a line; the last end may be missing.
 * @param text, len   the bytes; copied
 * @param limits      NULL for the defaults
 * @param ret_offset  the first byte that is wrong, on failure; may be NULL
 * @param ret_why     a constant sentence about it, on failure; may be NULL
 * @param ret_sdp     the description; free it with secsip_sdp_free()
 * @return 0, SECSIP_E_SDP_SYNTAX, SECSIP_E_SDP_ORDER, SECSIP_E_SDP_MISSING, SECSIP_E_SDP_TOO_LARGE, SECSIP_E_SDP_LINES,
 *         SECSIP_E_SDP_MEDIA_COUNT, SECSIP_E_SDP_FORMATS, SECSIP_E_NOMEM, SECSIP_E_INVALID, SECSIP_E_ABI. RFC 8866.
 *         Since 0.1. */
secsip_result secsip_sdp_parse(const void *text, size_t len, const secsip_sdp_limits *limits,
                               size_t *ret_offset, const char **ret_why, secsip_sdp **ret_sdp);

/** Wipes and frees. NULL is legal. Since 0.1. */
void secsip_sdp_free(secsip_sdp *sdp);

/** @return how many lines there are. Since 0.1. */
uint32_t secsip_sdp_count_lines(const secsip_sdp *sdp);

/** Line n, from 0.
 * @param ret_letter  'v', 'o', ...
 * @param ret_value   what stands behind '=', borrowed for the life of the description; a secret where it is a=crypto
 * @return 0, SECSIP_E_NOT_FOUND. Since 0.1. */
secsip_result secsip_sdp_get_line(const secsip_sdp *sdp, uint32_t n, int32_t *ret_letter,
                                  const char **ret_value);

/** @return how many m= lines there are. Since 0.1. */
uint32_t secsip_sdp_count_media(const secsip_sdp *sdp);

/** m= line n, from 0.
 * @param ret_media  size set by the caller
 * @return 0, SECSIP_E_NOT_FOUND, SECSIP_E_ABI. Since 0.1. */
secsip_result secsip_sdp_get_media(const secsip_sdp *sdp, uint32_t n, secsip_sdp_media *ret_media);

/** The o= line.
 * @param ret_origin  size set by the caller
 * @return 0, SECSIP_E_ABI. Since 0.1. */
secsip_result secsip_sdp_get_origin(const secsip_sdp *sdp, secsip_sdp_origin *ret_origin);

/** The attribute `name` ("rtpmap") of m= line `media`, or of the session where media is -1.
 * @param index      the line to begin to look at; set it to 0 first, and it moves behind the line that was found
 * @param ret_value  what stands behind the colon, "" for a flag; borrowed for the life of the description
 * @return 0, SECSIP_E_NOT_FOUND (no more of them). Since 0.1. */
secsip_result secsip_sdp_find_attribute(const secsip_sdp *sdp, int32_t media, const char *name,
                                        uint32_t *index, const char **ret_value);

/** An empty text to be written line by line.
 * @param ret_builder  free it with secsip_sdp_builder_free()
 * @return 0, SECSIP_E_NOMEM, SECSIP_E_INVALID. Since 0.1. */
secsip_result secsip_sdp_builder_new(secsip_sdp_builder **ret_builder);

/** Wipes and frees. NULL is legal. Since 0.1. */
void secsip_sdp_builder_free(secsip_sdp_builder *builder);

/** One more line, "x=value" CR LF.
 * @param letter  'v', 'o', ...
 * @param value   NUL-terminated; copied
 * @return 0, SECSIP_E_SIP_INJECTION (the value holds CR or LF), SECSIP_E_INVALID, SECSIP_E_LIMIT (more than 65536
 *         bytes), SECSIP_E_NOMEM. After a failure every later call fails the same way. Since 0.1. */
secsip_result secsip_sdp_builder_put(secsip_sdp_builder *builder, int32_t letter,
                                     const char *value);

/** The text, after it was read once more as a peer would read it.
 * @param ret_text  NUL-terminated; borrowed until the next call on the builder; a secret where it holds a=crypto
 * @param ret_len   bytes without the NUL; may be NULL
 * @param ret_why   a constant sentence, on failure; may be NULL
 * @return 0, what secsip_sdp_builder_put() failed with, or what secsip_sdp_parse() says of the text. Since 0.1. */
secsip_result secsip_sdp_builder_finish(secsip_sdp_builder *builder, const char **ret_text,
                                        size_t *ret_len, const char **ret_why);

#ifdef __cplusplus
}
#endif

#endif
