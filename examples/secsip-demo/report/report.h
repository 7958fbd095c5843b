/* The demo's report: what happened, as plain data, and one self-contained HTML page made of it.
 * Part of: secsip-demo. Everything here is borrowed for the call of report_write(). Texts are UTF-8 or any bytes: the
 * page escapes them. */
#ifndef DEMO_REPORT_H
#define DEMO_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "signal.h"

/* The three who stand in the ladder, left to right. */
enum report_lane {
    REPORT_ALICE,
    REPORT_REGISTRAR,
    REPORT_BOB
};

struct report_message {
    double time_s; /* since the call's scene began */
    enum report_lane from;
    enum report_lane to;
    bool media;            /* a stream of packets, both ways, and not a SIP message */
    bool encrypted;        /* on the wire */
    const char *transport; /* "TLS", "TCP", "UDP" */
    const char *line;      /* first line */
    const char
        *text; /* the message with its secrets masked, or what there is to say of the stream */
    const uint8_t *wire; /* the first bytes of what passed the wire; may be NULL */
    size_t wire_len;
};

struct report_hop {
    const char *name;       /* "Alice to registrar" */
    const char *carries;    /* "SIP" */
    const char *protection; /* "TLS 1.3, AES-256-GCM" or "none" */
    const char *peer;       /* whose certificate was verified, and how */
    const char *reader;     /* who can read it */
    bool safe;
};

/* One direction of speech, as somebody heard it. */
struct report_sound {
    const int16_t *samples;
    size_t n;
    struct signal_likeness likeness; /* to what was sent */
    double snr_db;
    double segmental_snr_db;
    double loudness; /* correlation of the loudness contour */
    double flatness;
    size_t exact_frames;
    size_t total_frames;
};

/* What the eavesdropper collected in one call. */
struct report_capture {
    uint64_t sip_messages; /* that he could read */
    uint64_t sip_words;    /* words of SIP that he found anywhere in the streams */
    uint64_t sip_bytes;    /* bytes of the signalling connections, whatever they held */
    uint64_t key_lines;    /* a=crypto lines that he could read */
    uint64_t sdp_lines;    /* lines of session descriptions that he could read */
    uint64_t packets;      /* media packets seen, both ways */
    uint64_t media_bytes;
    double entropy; /* bits a byte of the media payloads he took for speech */
};

struct report_call {
    bool secure;
    const struct report_message *messages;
    size_t n_messages;
    const struct report_hop *hops;
    size_t n_hops;
    const char *level; /* what the caller's security event said */
    const char *media; /* "RTP/SAVP, AES_CM_128_HMAC_SHA1_80, PCMU" */
    struct report_sound callee;
    struct report_sound eavesdropper;
    struct report_sound answer; /* the other direction: what the caller heard */
    struct report_sound answer_eavesdropper;
    struct report_capture capture;
    uint64_t tx;
    uint64_t rx;
    uint64_t lost;
    uint64_t auth_failed;
    uint64_t clear_dropped;
};

struct report {
    bool ok;
    const char *verdict; /* a sentence */
    const char *version;
    const char *date;
    const int16_t *sent; /* what Alice said: as long as the sounds above, and beside them in time */
    size_t n_sent;
    double sent_flatness;
    struct report_call clear;
    struct report_call secure;
};

/* The page as a NUL-terminated text; free it. NULL when memory is out. */
char *report_html(const struct report *r, size_t *ret_len);

#endif
