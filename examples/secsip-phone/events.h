/* What secsip-phone tells: events as lines for people, or as JSON lines. Part of: secsip-phone. */
#ifndef PHONE_EVENTS_H
#define PHONE_EVENTS_H

#include <stdbool.h>

#include <secsip/secsip.h>

#include "json.h"

struct events {
    bool as_json;
    struct json line;
};

void events_registration(struct events *e, const char *aor, const secsip_registration_event *event);
void events_call(struct events *e, const secsip_call *call, const secsip_call_event *event);
void events_media(struct events *e, const secsip_media_info *media);
void events_security(struct events *e, const secsip_security_info *security);
void events_stats(struct events *e, const secsip_media_stats *stats);

#endif
