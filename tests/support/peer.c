/* A scripted peer, see peer.h. */
#include "peer.h"

#include "oom.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "api/stack.h"
#include "sip/build.h"
#include "ua/call.h"

static void note(struct peer *p, char letter)
{
    size_t n = strlen(p->order);

    if (n + 1 < sizeof p->order) {
        p->order[n] = letter;
        p->order[n + 1] = 0;
    }
}

static void copy(struct ssi_slice s, char *out, size_t cap)
{
    assert_true(s.len < cap);
    if (s.len > 0)
        memcpy(out, s.p, s.len);
    out[s.len] = 0;
}

static void respond(struct peer *p, struct ssi_txn *t, int status, const char *to_tag,
                    const char *sdp)
{
    struct ssi_sip_msg *req = ssi_txn_request(t);
    struct ssi_slice contact;
    struct ssi_buf b;

    ssi_buf_init(&b, 65536);
    ssi_sip_put_response_start(&b, req, status, NULL, to_tag, NULL, 0);
    if (p->second_via)
        ssi_sip_put_header_str(&b, "Via", p->second_via);
    if (req->method == SSI_SIP_REGISTER && ssi_sip_msg_value(req, SSI_HDR_CONTACT, &contact))
        ssi_sip_put_header(&b, "Contact", contact);
    else
        ssi_sip_put_header_str(&b, "Contact", "<sip:peer@10.0.0.9:5061;transport=tls>");
    assert_int_equal(
        ssi_sip_put_end(&b, p->type ? p->type : "application/sdp", sdp, sdp ? strlen(sdp) : 0), 0);
    ssi_txn_respond(t, status, &b);
    ssi_buf_free(&b);
}

static void challenge(struct peer *p, struct ssi_txn *t)
{
    struct ssi_buf b;

    ssi_buf_init(&b, 65536);
    ssi_sip_put_response_start(&b, ssi_txn_request(t), 401, NULL, "refusal", NULL, 0);
    ssi_sip_put_header_str(&b, "WWW-Authenticate", p->challenge);
    assert_int_equal(ssi_sip_put_end(&b, NULL, NULL, 0), 0);
    ssi_txn_respond(t, 401, &b);
    ssi_buf_free(&b);
    p->challenge = NULL;
}

static void take_invite(struct peer *p, struct ssi_txn *t, struct ssi_sip_msg *m)
{
    struct ssi_sip_addr contact;
    struct ssi_slice value;

    p->invite = t;
    copy(m->wire, p->last_invite, sizeof p->last_invite);
    copy(m->body, p->offer, sizeof p->offer);
    copy(m->call_id, p->call_id, sizeof p->call_id);
    copy(m->from.tag, p->alice_tag, sizeof p->alice_tag);
    assert_true(ssi_sip_msg_value(m, SSI_HDR_CONTACT, &value));
    assert_int_equal(ssi_sip_addr_parse(value, &contact), 0);
    copy(contact.uri.whole, p->alice_contact, sizeof p->alice_contact);
    if (p->challenge) {
        challenge(p, t);
        return;
    }
    if (p->provisional)
        respond(p, t, p->provisional, "peer", p->provisional_sdp);
    if (p->final)
        respond(p, t, p->final, "peer", p->final_sdp);
}

static void on_cancel(struct ssi_txn *t, struct ssi_sip_msg *m, void *arg)
{
    struct peer *p = arg;

    (void)m;
    note(p, 'C');
    if (!p->deaf)
        respond(p, t, 487, "peer", NULL);
}

static void on_failed(struct ssi_txn *t, secsip_result why, void *arg)
{
    (void)t;
    (void)why;
    (void)arg;
}

static void on_gone(struct ssi_txn *t, void *arg)
{
    struct peer *p = arg;
    if (p->invite == t)
        p->invite = NULL;
}

static const struct ssi_txn_server_ops ops = {on_cancel, NULL, on_failed, on_gone};

/* What the script itself needs is there, whatever alice has to do without. */
static void answer_request(struct peer *p, struct ssi_txn *t, struct ssi_sip_msg *m,
                           struct ssi_flow *flow)
{
    const struct ssi_sip_header *reason;

    p->flow = flow;
    if (t)
        ssi_txn_server_set(t, &ops, p);
    switch (m->method) {
    case SSI_SIP_REGISTER:
        note(p, 'R');
        respond(p, t, 200, "peer", NULL);
        break;
    case SSI_SIP_INVITE:
        note(p, 'I');
        if (!p->deaf)
            take_invite(p, t, m);
        break;
    case SSI_SIP_ACK:
        note(p, 'A');
        copy(m->wire, p->last_ack, sizeof p->last_ack);
        break;
    case SSI_SIP_BYE:
        note(p, 'B');
        copy(m->wire, p->last_bye, sizeof p->last_bye);
        reason = ssi_sip_msg_header(m, SSI_HDR_REASON, NULL);
        if (reason)
            copy(reason->value, p->bye_reason, sizeof p->bye_reason);
        if (!p->deaf)
            respond(p, t, 200, NULL, NULL);
        break;
    default:
        note(p, 'O');
        if (!p->deaf)
            ssi_ua_refuse(p->ua, t, p->options_status ? p->options_status : 501);
    }
}

static bool on_request(void *arg, struct ssi_txn *t, struct ssi_sip_msg *m, struct ssi_flow *flow)
{
    test_oom_pause();
    answer_request(arg, t, m, flow);
    test_oom_resume();
    return true;
}

static bool on_stray_response(void *arg, struct ssi_sip_msg *m, struct ssi_flow *flow)
{
    struct peer *p = arg;
    size_t n = strlen(p->responses);

    (void)flow;
    snprintf(p->responses + n, sizeof p->responses - n, " %d", m->status);
    n = strlen(p->tags);
    snprintf(p->tags + n, sizeof p->tags - n, " %.*s", (int)m->to.tag.len,
             m->to.tag.len ? m->to.tag.p : "");
    copy(m->wire, p->last_response, sizeof p->last_response);
    if (m->body.len > 0)
        copy(m->body, p->offer, sizeof p->offer);
    return true;
}

static bool count_dgrams(const secsip_engine_address *from, const secsip_engine_address *to,
                         uint8_t *data, size_t len, void *arg)
{
    struct peer *p = arg;

    (void)to;
    (void)data;
    (void)len;
    if (from->ip[3] == 1)
        p->n_from_alice++;
    return true;
}

static bool is_registered(void *arg)
{
    const struct lab *l = arg;
    return l->alice.reg_state == SECSIP_REGISTRATION_REGISTERED;
}

void peer_start(struct lab *l, struct peer *p, const secsip_account_config *config)
{
    memset(p, 0, sizeof *p);
    lab_start(l, LAB_SERVER);
    secsip_registrar_free(l->registrar);
    l->registrar = NULL;
    p->ua = &simnet_stack(l->server)->ua;
    p->cseq = 100;
    p->ua->handler = (struct ssi_ua_handler){
        .on_request = on_request, .on_stray_response = on_stray_response, .arg = p};
    lab_phone(l, &l->alice, "alice", config);
    l->alice.answers = true;
    simnet_tap(l->net, count_dgrams, NULL, p);
    assert_int_equal(secsip_account_register(l->alice.account), 0);
    assert_true(simnet_run(l->net, 5000000, is_registered, l));
    p->order[0] = 0;
}

void peer_answer(struct peer *p, int status, const char *sdp, const char *to_tag)
{
    assert_non_null(p->invite);
    respond(p, p->invite, status, to_tag, sdp);
}

size_t peer_write(struct peer *p, const char *method, const char *headers, const char *body,
                  char *out, size_t cap)
{
    size_t len = body ? strlen(body) : 0;
    const char *contact = p->alice_contact;
    char own[256];

    /* Without a call: to alice's registered contact. */
    if (!contact[0]) {
        snprintf(own, sizeof own, "sip:%s@10.0.0.1;transport=tls", "alice");
        contact = own;
    }
    /* An ACK has the number of its INVITE, which was the last request. */
    unsigned cseq = strcmp(method, "ACK") == 0 ? p->cseq - 1 : p->cseq++;
    int n = snprintf(
        out, cap,
        "%s %s SIP/2.0\r\nVia: SIP/2.0/TLS 10.0.0.9:5061;branch=z9hG4bKp%u\r\nMax-Forwards: 70\r\n"
        "From: <sip:bob@example.test>;tag=peer\r\nTo: <sip:alice@example.test>%s%s\r\nCall-ID: "
        "%s\r\n"
        "CSeq: %u %s\r\nContact: <sip:peer@10.0.0.9:5061;transport=tls>\r\n%s%sContent-Length: "
        "%zu\r\n\r\n%s",
        method, contact, cseq, p->alice_tag[0] ? ";tag=" : "", p->alice_tag,
        p->call_id[0] ? p->call_id : "from-peer", cseq, method, headers ? headers : "",
        len ? "Content-Type: application/sdp\r\n" : "", len, body ? body : "");
    assert_true(n > 0 && (size_t)n < cap);
    return (size_t)n;
}

void peer_send(struct peer *p, const char *method, const char *headers, const char *body)
{
    char text[8192];
    size_t n = peer_write(p, method, headers, body, text, sizeof text);

    ssi_flow_send(p->flow, ssi_slice_of(text, n));
}

void peer_stop(struct lab *l, struct peer *p)
{
    (void)p;
    lab_stop(l);
}
