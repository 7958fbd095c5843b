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
    uint64_t sum = (unsigned char)m->cseq->method[0];
    osip_generic_param_t *tag = NULL, *branch = NULL;
    osip_via_t *via;
    osip_contact_t *contact;

    if (m->req_uri)
        sum += strlen(m->req_uri->host);
    if (osip_message_get_via(m, 0, &via) < 0)
        return 0;
    osip_via_param_get_byname(via, (char *)"branch", &branch);
    sum += (unsigned char)via->host[0] + (branch ? strlen(branch->gvalue) : 0);
    osip_from_get_tag(m->from, &tag);
    sum += strlen(m->from->url->host) + (tag ? strlen(tag->gvalue) : 0);
    tag = NULL;
    osip_to_get_tag(m->to, &tag);
    sum += strlen(m->to->url->host) + (tag ? strlen(tag->gvalue) : 0);
    if (osip_message_get_contact(m, 0, &contact) >= 0)
        sum += strlen(contact->url->host);
    sum += strlen(m->call_id->number) + (unsigned)osip_atoi(m->cseq->number);
    return sum + (unsigned)osip_atoi(m->content_length->value) + 1;
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

const struct peer peer_osip = {"libosip2", start, parse, write_again, {7, 0}};
