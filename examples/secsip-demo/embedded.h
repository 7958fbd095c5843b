/* The WAV files of this folder, as the build put them into the program. Part of: secsip-demo. */
#ifndef DEMO_EMBEDDED_H
#define DEMO_EMBEDDED_H

#include <stddef.h>

extern const unsigned char embedded_speech[]; /* what Alice says */
extern const size_t embedded_speech_len;
extern const unsigned char embedded_reply[]; /* what Bob answers */
extern const size_t embedded_reply_len;

#endif
