/* One call of the demo from the first packet to the last, and what came of it. Part of: secsip-demo.
 * The scene owns everything it points to until scene_free(). */
#ifndef DEMO_SCENE_H
#define DEMO_SCENE_H

#include <secsip/secsip.h>

#include "certs.h"
#include "pcap.h"
#include "recorder.h"
#include "report/report.h"
#include "spy.h"
#include "wav.h"
#include "wire.h"

#define SCENE_DOMAIN "example.test"

enum {
    SCENE_MESSAGES = 128,
    SCENE_PEEK = 96,
    SCENE_TEXT = 96
};

/* What secsip_tls_info said, kept. */
struct scene_tls {
    char version[SCENE_TEXT];
    char cipher[SCENE_TEXT];
    char peer[SCENE_TEXT];
    bool verified;
};

struct scene;

/* One of the two who speak. */
struct scene_phone {
    struct scene *scene;
    enum report_lane lane;
    secsip_stack *stack;
    secsip_account *account;
    secsip_call *call;
    const struct wav *speech; /* as given */
    int16_t *rounded[2];      /* the speech rounded to what PCMU and PCMA can carry */
    const int16_t *said;      /* the one that the call's codec carries: what must be heard */
    size_t starts_at;         /* samples of silence before it */
    size_t at;                /* samples that were asked for */
    struct recorder heard;
    struct scene_tls tls;
    char level[SCENE_TEXT];
    char suite[SCENE_TEXT];
    char profile[SCENE_TEXT];
    char codec[SCENE_TEXT];
    secsip_media_stats stats;
    bool registered;
    bool has_media;
    bool ended;
};

struct scene {
    bool secure;
    const struct certs *certs;
    struct wire *wire;
    struct spy spy;
    struct pcap pcap;
    secsip_stack *registrar_stack;
    secsip_registrar *registrar;
    struct scene_phone alice;
    struct scene_phone bob;
    uint64_t began_us;
    uint64_t media_us; /* when the first packet was seen */
    uint8_t media_peek[SCENE_PEEK];
    size_t media_peek_len;
    struct report_message messages[SCENE_MESSAGES];
    size_t n_messages;
    size_t total;       /* samples of the whole conversation */
    bool answer_due;    /* Bob's phone rings */
    uint64_t answer_us; /* when he picks up */
    bool failed;
    char why[512]; /* a sentence, where it failed */
};

/* Makes the call in real time, some nine seconds, and keeps what passed the wire in the capture file. False with
 * scene->why when it did not come about. */
bool scene_run(struct scene *s, bool secure, const struct certs *certs, const struct wav *speech,
               const struct wav *answer, const char *pcap_path);
void scene_free(struct scene *s);

#endif
