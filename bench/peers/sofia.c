/* Sofia-SIP for bench/sip.c. */
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_parser.h>
#include <sofia-sip/sip_util.h>
#include <string.h>

#include "peer.h"

static int start(void)
{
    return sip_default_mclass() != NULL;
}

static uint64_t read_routing(const sip_t *sip)
{
    const sip_via_t *via = sip->sip_via;
    uint64_t sum = (unsigned)sip->sip_cseq->cs_method;

    if (sip->sip_request)
        sum += strlen(sip->sip_request->rq_url->url_host);
    sum += (unsigned char)via->v_host[0] + (via->v_branch ? strlen(via->v_branch) : 0);
    sum += strlen(sip->sip_from->a_url->url_host) + strlen(sip->sip_to->a_url->url_host);
    sum += sip->sip_from->a_tag ? strlen(sip->sip_from->a_tag) : 0;
    sum += sip->sip_to->a_tag ? strlen(sip->sip_to->a_tag) : 0;
    if (sip->sip_contact)
        sum += strlen(sip->sip_contact->m_url->url_host);
    sum += strlen(sip->sip_call_id->i_id) + sip->sip_cseq->cs_seq;
    return sum + sip->sip_content_length->l_length + 1;
}

static uint64_t parse(const char *bytes, size_t len, uint32_t n)
{
    uint64_t sum = 0;

    while (n-- > 0) {
        msg_t *m = msg_make(sip_default_mclass(), 0, bytes, (ssize_t)len);
        const sip_t *sip = m ? sip_object(m) : NULL;
        if (!sip || sip->sip_error || !sip->sip_from || !sip->sip_via)
            return 0;
        sum += read_routing(sip);
        msg_unref(m);
    }
    return sum;
}

static uint64_t write_again(const char *bytes, size_t len, uint32_t n)
{
    char text[8192];
    uint64_t sum = 0;
    msg_t *m = msg_make(sip_default_mclass(), 0, bytes, (ssize_t)len);

    if (!m)
        return 0;
    while (n-- > 0) {
        issize_t got = msg_object_e(text, sizeof text, msg_object(m), 0);
        if (got <= 0)
            return 0;
        sum = (uint64_t)got;
    }
    msg_unref(m);
    return sum;
}

const struct peer peer_sofia = {"sofia-sip", start, parse, write_again, {2.5, 3}};
