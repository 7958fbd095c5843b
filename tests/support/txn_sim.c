/* A transaction layer on a virtual clock, see txn_sim.h. */
#include "txn_sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "oom.h"
#include "sip/build.h"
#include "test.h"

static void tell(struct sim *s, struct ssi_txn *t, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void tell(struct sim *s, struct ssi_txn *t, const char *format, ...)
{
    char word[64];
    va_list ap;

    va_start(ap, format);
    vsnprintf(word, sizeof word, format, ap);
    va_end(ap);
    size_t len = strlen(s->events);
    if (len + sizeof word < sizeof s->events)
        snprintf(s->events + len, sizeof s->events - len, "%s ", word);
    if (s->hook)
        s->hook(s, t, word);
}

static void on_response(struct ssi_txn *t, struct ssi_sip_msg *m, void *arg)
{
    struct sim *s = arg;
    if (m->status >= 200)
        s->n_finals++;
    tell(s, t, "%d", m->status);
}

static void on_client_failed(struct ssi_txn *t, secsip_result why, void *arg)
{
    struct sim *s = arg;
    s->n_finals++;
    tell(s, t, "failed%d", why);
}

static void on_gone(struct ssi_txn *t, void *arg)
{
    struct sim *s = arg;
    s->n_gone++;
    if (s->server == t)
        s->server = NULL;
    tell(s, t, "gone");
}

static void on_server_failed(struct ssi_txn *t, secsip_result why, void *arg)
{
    tell(arg, t, "failed%d", why);
}

static void on_cancel(struct ssi_txn *t, struct ssi_sip_msg *cancel, void *arg)
{
    (void)cancel;
    tell(arg, t, "cancel");
}

static void on_ack(struct ssi_txn *t, struct ssi_sip_msg *ack, void *arg)
{
    (void)ack;
    tell(arg, t, "ack");
}

const struct ssi_txn_client_ops sim_client_ops = {
    .on_response = on_response, .on_failed = on_client_failed, .on_gone = on_gone};
const struct ssi_txn_server_ops sim_server_ops = {on_cancel, on_ack, on_server_failed, on_gone};

static void on_request(void *arg, struct ssi_txn *t, struct ssi_sip_msg *m,
                       struct ssi_txn_flow *flow)
{
    struct sim *s = arg;
    char method[32];

    (void)flow;
    if (t) {
        ssi_txn_server_set(t, &sim_server_ops, s);
        s->server = t;
    }
    ssi_slice_show(m->method_text, method, sizeof method);
    tell(s, t, "%s", method);
}

static void on_stray(void *arg, struct ssi_sip_msg *m, struct ssi_txn_flow *flow)
{
    (void)flow;
    tell(arg, NULL, "stray-%d", m->status);
}

static bool is_in_dialog(void *arg, const struct ssi_sip_msg *m, struct ssi_txn_flow *flow)
{
    const struct sim *s = arg;

    (void)flow;
    return s->dialog && ssi_slice_eq(m->to.tag, ssi_slice_str(s->dialog));
}

static void count_visit(void *arg, struct ssi_txn *t, uint8_t kind, uint8_t state, uint8_t event)
{
    struct sim *s = arg;
    (void)t;
    s->visits[kind][state][event]++;
}

static void flow_send(struct ssi_txn_flow *flow, struct ssi_slice bytes)
{
    struct sim_flow *f = (struct sim_flow *)flow;

    if (f->n_sent < SIM_SENDS) {
        struct sim_send *to = &f->sent[f->n_sent];
        to->at_ms = sim_now_ms(f->sim);
        assert_true(bytes.len < sizeof to->text);
        memcpy(to->text, bytes.p, bytes.len);
        to->text[bytes.len] = '\0';
    }
    f->n_sent++;
    if (f->on_send)
        f->on_send(f, bytes);
}

static struct ssi_txn_flow *flow_ref(struct ssi_txn_flow *flow)
{
    ((struct sim_flow *)flow)->refs++;
    return flow;
}

static void flow_unref(struct ssi_txn_flow *flow)
{
    ((struct sim_flow *)flow)->refs--;
}

static void init_flow(struct sim *s, struct sim_flow *f, bool reliable)
{
    memset(f, 0, sizeof *f);
    f->base = (struct ssi_txn_flow){
        .send = flow_send, .ref = flow_ref, .unref = flow_unref, .reliable = reliable};
    ssi_txn_flow_init(&f->base);
    f->sim = s;
}

secsip_result sim_init(struct sim *s, const struct ssi_txn_config *config, bool reliable)
{
    static const struct ssi_txn_layer_ops ops = {on_request, on_stray, is_in_dialog};

    memset(s, 0, sizeof *s);
    ssi_timers_init(&s->timers, SSI_S(1000));
    init_flow(s, &s->flow, reliable);
    init_flow(s, &s->other, reliable);
    secsip_result r = ssi_txn_layer_init(&s->layer, config, &s->timers, &ops, s);
    if (!test_oom_has_failed())
        assert_int_equal(r, 0);
    s->layer.tap = count_visit;
    return r;
}

void sim_free(struct sim *s)
{
    ssi_txn_layer_free(&s->layer);
    assert_int_equal(s->layer.n_live, 0);
    assert_int_equal(s->flow.refs, 0);
    assert_int_equal(s->other.refs, 0);
    assert_true(ssi_list_empty(&s->flow.base.txns));
    assert_int_equal(s->timers.n_armed, 0);
}

void sim_run(struct sim *s, uint64_t ms)
{
    uint64_t end = s->timers.now_us + SSI_MS(ms);
    uint64_t next;

    while ((next = ssi_timers_next(&s->timers)) <= end)
        ssi_timers_advance(&s->timers, next, 1);
    ssi_timers_advance(&s->timers, end, 0);
}

uint64_t sim_now_ms(const struct sim *s)
{
    return (s->timers.now_us - SSI_S(1000)) / 1000;
}

static struct ssi_sip_msg *parse_args(const char *format, va_list ap)
{
    char text[4 * SIM_TEXT];
    char wire[8 * SIM_TEXT];
    size_t len = 0;
    struct ssi_sip_msg *m = NULL;
    struct ssi_sip_fault fault = {0};

    int n = vsnprintf(text, sizeof text, format, ap);
    assert_true(n >= 0 && (size_t)n < sizeof text);
    for (const char *p = text; *p; p++) {
        if (*p == '\n')
            wire[len++] = '\r';
        wire[len++] = *p;
    }
    len += (size_t)snprintf(wire + len, sizeof wire - len, "Content-Length: 0\r\n\r\n");
    secsip_result r = ssi_sip_msg_parse(wire, len, true, NULL, &fault, &m);
    if (r < 0 && !test_oom_has_failed())
        fail_msg("%s: %s at %zu in\n%s", secsip_result_name(r), fault.text, fault.offset, text);
    return r < 0 ? NULL : m;
}

struct ssi_sip_msg *sim_parse(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    struct ssi_sip_msg *m = parse_args(format, ap);
    va_end(ap);
    return m;
}

static void input(struct sim *s, struct sim_flow *f, struct ssi_sip_msg *m)
{
    if (!m)
        return; /* the message is lost */
    ssi_txn_input(&s->layer, m, &f->base, "192.0.2.1", 5061);
    ssi_sip_msg_unref(m);
}

void sim_input(struct sim *s, struct sim_flow *f, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    struct ssi_sip_msg *m = parse_args(format, ap);
    va_end(ap);
    input(s, f, m);
}

struct ssi_sip_msg *sim_request(const char *method, const char *branch, const char *more)
{
    return sim_parse(
        "%s sip:bob@example.com SIP/2.0\nVia: SIP/2.0/TLS client.example.com:5061;branch=%s\n"
        "Max-Forwards: 70\nFrom: <sip:alice@example.com>;tag=f\nTo: <sip:bob@example.com>\n"
        "Call-ID: call\nCSeq: 1 %s\n%s",
        method, branch, method, more);
}

void sim_request_in(struct sim *s, struct sim_flow *f, const char *method, const char *branch,
                    const char *more)
{
    input(s, f, sim_request(method, branch, more));
}

struct ssi_txn *sim_client(struct sim *s, struct sim_flow *f, const char *method,
                           const char *branch)
{
    struct ssi_sip_msg *m = sim_request(
        method, branch, "Route: <sip:proxy.example.com;lr>, <sip:next.example.com;lr>\n");
    struct ssi_txn *t = NULL;
    struct ssi_buf b;

    if (!m)
        return NULL;
    ssi_buf_init_secret(&b, 65536);
    ssi_buf_put_slice(&b, m->wire);
    secsip_result r = ssi_txn_client_new(&s->layer, &f->base, m->method, false,
                                         ssi_slice_str(branch), &b, &sim_client_ops, s, &t);
    ssi_sip_msg_unref(m);
    ssi_buf_free(&b);
    if (!test_oom_has_failed())
        assert_int_equal(r, 0);
    return r < 0 ? NULL : t;
}

void sim_response(struct sim *s, struct sim_flow *f, int status, const char *method,
                  const char *branch)
{
    sim_input(s, f,
              "SIP/2.0 %d Whatever\nVia: SIP/2.0/TLS client.example.com:5061;branch=%s\n"
              "From: <sip:alice@example.com>;tag=f\nTo: <sip:bob@example.com>;tag=t\nCall-ID: "
              "call\nCSeq: 1 %s\n",
              status, branch, method);
}

void sim_dialog_request_in(struct sim *s, struct sim_flow *f, const char *method,
                           const char *branch, const char *to_tag)
{
    sim_input(s, f,
              "%s sip:bob@example.com SIP/2.0\nVia: SIP/2.0/TLS client.example.com:5061;branch=%s\n"
              "Max-Forwards: 70\nFrom: <sip:alice@example.com>;tag=f\n"
              "To: <sip:bob@example.com>;tag=%s\nCall-ID: call\nCSeq: 2 %s\n",
              method, branch, to_tag, method);
}

secsip_result sim_respond(struct sim *s, struct ssi_txn *t, int status)
{
    (void)s;
    secsip_result r = ssi_txn_respond_status(t, status, "t");
    if (!test_oom_has_failed())
        assert_int_equal(r, 0);
    return r;
}

const char *sim_sent(const struct sim_flow *f, uint32_t n)
{
    return n < f->n_sent && n < SIM_SENDS ? f->sent[n].text : "";
}

void sim_expect(struct sim *s, const char *words)
{
    size_t len = strlen(s->events);
    if (len > 0)
        s->events[len - 1] = '\0';
    assert_string_equal(s->events, words);
    s->events[0] = '\0';
}

void sim_expect_times(const struct sim_flow *f, const char *times)
{
    char got[1024] = "";

    for (uint32_t i = 0; i < f->n_sent && i < SIM_SENDS; i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), i ? " %llu" : "%llu",
                 (unsigned long long)f->sent[i].at_ms);
    assert_string_equal(got, times);
}
