/* libosip2 for bench/sip.c. */
#include <osipparser2/osip_parser.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"

static void no_trace(const char *file, int line, osip_trace_level_t level, const char *format,
                     va_list args)
{
    (void)file;
    (void)line;
    (void)level;
    (void)format;
    (void)args;
}

static int start(void)
{
    osip_trace_initialize_func(TRACE_LEVEL0, no_trace);
    return parser_init() == 0;
}

static uint64_t read_routing(osip_message_t *m)
{
    uint64_t sum = 0;
    osip_generic_param_t *tag = NULL, *branch = NULL;
    osip_header_t *max_forwards = NULL;
    osip_via_t *via;
    osip_contact_t *contact;
    osip_route_t *route;
    osip_record_route_t *record_route;

    for (int i = 0; osip_message_get_via(m, i, &via) >= 0; i++) {
        osip_via_param_get_byname(via, (char *)"branch", &branch);
        sum += (unsigned char)via->host[0] + (branch ? strlen(branch->gvalue) : 0);
    }
    osip_from_get_tag(m->from, &tag);
    sum += tag ? strlen(tag->gvalue) : 0;
    osip_to_get_tag(m->to, &tag);
    sum += strlen(m->from->url->host) + strlen(m->to->url->host) + strlen(m->call_id->number);
    sum += (unsigned)osip_atoi(m->cseq->number);
    if (osip_message_get_max_forwards(m, 0, &max_forwards) >= 0 && max_forwards)
        sum += (unsigned)osip_atoi(max_forwards->hvalue);
    for (int i = 0; osip_message_get_contact(m, i, &contact) >= 0; i++)
        sum += strlen(contact->url->host);
    for (int i = 0; osip_message_get_route(m, i, &route) >= 0; i++)
        sum += strlen(route->url->host);
    for (int i = 0; osip_message_get_record_route(m, i, &record_route) >= 0; i++)
        sum += strlen(record_route->url->host);
    return sum + 1;
}

static uint64_t parse(const char *bytes, size_t len, uint32_t n)
{
    uint64_t sum = 0;

    while (n-- > 0) {
        osip_message_t *m;
        osip_message_init(&m);
        if (osip_message_parse(m, bytes, len) != 0)
            return 0;
        sum += read_routing(m);
        osip_message_free(m);
    }
    return sum;
}

static uint64_t write_again(const char *bytes, size_t len, uint32_t n)
{
    osip_message_t *m;
    uint64_t sum = 0;

    osip_message_init(&m);
    if (osip_message_parse(m, bytes, len) != 0)
        return 0;
    while (n-- > 0) {
        char *text = NULL;
        size_t text_len = 0;
        osip_message_force_update(m); /* or it hands out the last text */
        if (osip_message_to_str(m, &text, &text_len) != 0)
            return 0;
        sum = text_len;
        osip_free(text);
    }
    osip_message_free(m);
    return sum;
}

const struct peer peer_osip = {"libosip2", start, parse, write_again};
