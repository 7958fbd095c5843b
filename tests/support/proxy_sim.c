/* A core with an embedded registrar, see proxy_sim.h. */
#include "proxy_sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "oom.h"
#include "sip/build.h"
#include "test.h"

/* ---- The world */
static uint64_t wall_s(const struct proxy_sim *s)
{
    return 1700000000 + s->now_us / 1000000;
}

static secsip_result io_connect(void *arg, struct ssi_stream *s, const struct ssi_addr *to)
{
    (void)arg;
    (void)s;
    (void)to;
    return SECSIP_E_NET_CONNECT;
}

static void io_wants_write(void *arg, struct ssi_stream *s)
{
    (void)arg;
    (void)s;
}

static void io_close(void *arg, struct ssi_stream *stream)
{
    struct proxy_sim *s = arg;

    for (uint32_t i = 0; i < s->n_conns; i++)
        if (s->conns[i].stream == stream) {
            proxy_take(&s->conns[i]); /* what waits is sent before it is closed */
            s->conns[i].stream = NULL;
        }
}

static secsip_result io_listen(void *arg, struct ssi_listener *l)
{
    ((struct proxy_sim *)arg)->listener = l;
    return 0;
}

static void io_listen_close(void *arg, struct ssi_listener *l)
{
    (void)arg;
    (void)l;
}

static secsip_result give_password(const char *user, char *password, size_t cap, void *user_data)
{
    (void)user_data;
    if (strcmp(user, "alice") != 0 && strcmp(user, "bob") != 0 && strcmp(user, "carol") != 0)
        return SECSIP_E_NOT_FOUND;
    snprintf(password, cap, "%spw", user);
    return 0;
}

static void on_event(const secsip_registrar_event *e, void *user_data)
{
    static const char *const names[] = {"", "registered", "unregistered", "refused", "forwarded"};
    struct proxy_sim *s = user_data;
    size_t len = strlen(s->events);

    if (e->kind == SECSIP_REGISTRAR_REFUSED)
        snprintf(s->events + len, sizeof s->events - len, "refused %d\n", (int)e->status);
    else if (e->kind == SECSIP_REGISTRAR_FORWARDED)
        snprintf(s->events + len, sizeof s->events - len, "forwarded %u\n", (unsigned)e->branches);
    else
        snprintf(s->events + len, sizeof s->events - len, "%s %s\n", names[e->kind], e->user);
}

secsip_result proxy_start(struct proxy_sim *s, const secsip_registrar_config *config)
{
    const struct ssi_io io = {.arg = s,
                              .stream_connect = io_connect,
                              .stream_wants_write = io_wants_write,
                              .stream_close = io_close,
                              .listen = io_listen,
                              .listen_close = io_listen_close};
    const struct ssi_ua_config ua_config = {.user_agent = "test",
                                            .limits = {.message_bytes = 65536}};
    secsip_registrar_config c = {.size = sizeof c};
    struct ssi_addr at;
    struct ssi_addr bound;

    memset(s, 0, sizeof *s);
    s->now_us = SSI_S(1000);
    if (config)
        c = *config;
    c.domain = c.domain ? c.domain : "example.test";
    c.password = give_password;
    c.on_event = on_event;
    c.user_data = s;
    secsip_result r = ssi_ua_init(&s->ua, &ua_config, &io, s->now_us, wall_s(s));
    if (r < 0)
        return r;
    assert_true(ssi_addr_parse(SSI_LIT("192.0.2.1:5061"), &at));
    r = ssi_ua_listen(&s->ua, &at, NULL, &bound);
    if (r >= 0)
        r = ssi_registrar_new(&s->ua, &c, &s->registrar);
    if (r < 0)
        ssi_ua_free(&s->ua);
    if (!test_oom_has_failed())
        assert_int_equal(r, 0);
    return r;
}

void proxy_stop(struct proxy_sim *s)
{
    secsip_registrar_free(s->registrar);
    ssi_ua_free(&s->ua);
    assert_int_equal(s->ua.timers.n_armed, 0);
}

struct proxy_conn *proxy_connect(struct proxy_sim *s, bool tls)
{
    char peer_text[32];
    struct ssi_addr local;
    struct ssi_addr peer;

    assert_true(s->n_conns < PROXY_CONNS);
    struct proxy_conn *c = &s->conns[s->n_conns];
    snprintf(peer_text, sizeof peer_text, "198.51.100.%u:40000", (unsigned)s->n_conns + 1);
    assert_true(ssi_addr_parse(ssi_slice_str(peer_text), &peer));
    assert_true(ssi_addr_parse(SSI_LIT("192.0.2.1:5061"), &local));
    c->stream = ssi_ua_stream_accepted(s->listener, &peer, &local, NULL);
    if (!c->stream) {
        assert_true(test_oom_has_failed());
        return NULL;
    }
    s->n_conns++;
    c->flow = SSI_CONTAINER(c->stream, struct ssi_flow_link, stream)->flow;
    if (tls)
        c->flow->transport = SSI_TRANSPORT_TLS;
    return c;
}

void proxy_hang_up(struct proxy_sim *s, struct proxy_conn *c)
{
    struct ssi_stream *stream = c->stream;

    (void)s;
    c->stream = NULL;
    if (stream)
        ssi_ua_stream_closed(stream, 0, NULL);
}

void proxy_run(struct proxy_sim *s, uint64_t ms)
{
    uint64_t end = s->now_us + SSI_MS(ms);
    uint64_t next;

    while ((next = ssi_ua_deadline(&s->ua)) <= end) {
        s->now_us = next > s->now_us ? next : s->now_us;
        ssi_ua_advance(&s->ua, s->now_us, wall_s(s));
    }
    s->now_us = end;
    ssi_ua_advance(&s->ua, end, wall_s(s));
}

/* ---- Clients */
static void send_text(struct proxy_conn *c, const char *text)
{
    char wire[2 * PROXY_TEXT];
    size_t len = 0;

    for (const char *p = text; *p; p++) {
        assert_true(len + 64 < sizeof wire);
        if (*p == '\n')
            wire[len++] = '\r';
        wire[len++] = *p;
    }
    len += (size_t)snprintf(wire + len, sizeof wire - len, "Content-Length: 0\r\n\r\n");
    if (c->stream)
        ssi_ua_stream_input(c->stream, wire, len);
}

void proxy_send(struct proxy_sim *s, struct proxy_conn *c, const char *format, ...)
{
    char text[PROXY_TEXT];
    va_list ap;

    (void)s;
    va_start(ap, format);
    int n = vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    assert_true(n >= 0 && (size_t)n < sizeof text);
    send_text(c, text);
}

const char *proxy_take(struct proxy_conn *c)
{
    struct ssi_buf *out = c->stream ? ssi_ua_stream_output(c->stream) : NULL;

    c->text[0] = '\0';
    if (!out || out->len == 0)
        return c->text;
    struct ssi_slice all = ssi_buf_slice(out);
    const char *end = memmem(all.p, all.len, "\r\n\r\n", 4);
    assert_non_null(end);
    size_t len = (size_t)(end + 4 - all.p);
    assert_true(len < sizeof c->text);
    memcpy(c->text, all.p, len);
    c->text[len] = '\0';
    ssi_buf_consume(out, len);
    return c->text;
}

int proxy_status(struct proxy_conn *c)
{
    return strncmp(c->text, "SIP/2.0 ", 8) == 0 ? (int)strtol(c->text + 8, NULL, 10) : 0;
}

const char *proxy_header(struct proxy_conn *c, const char *name)
{
    static char value[PROXY_TEXT];
    size_t n = strlen(name);

    value[0] = '\0';
    for (const char *p = strstr(c->text, "\r\n"); p && p[2]; p = strstr(p + 2, "\r\n")) {
        if (strncasecmp(p + 2, name, n) == 0 && p[2 + n] == ':') {
            const char *from = p + 3 + n + strspn(p + 3 + n, " ");
            size_t len = strcspn(from, "\r");
            memcpy(value, from, len);
            value[len] = '\0';
            break;
        }
    }
    return value;
}

static void make_text(struct proxy_sim *s, struct proxy_conn *c, const struct proxy_request *r,
                      const char *credentials, char *out, size_t cap)
{
    char branch[32];
    char call_id[32];

    snprintf(branch, sizeof branch, "z9hG4bKc%u", (unsigned)s->n_branches++);
    snprintf(call_id, sizeof call_id, "call-%u", (unsigned)s->n_branches);
    c->cseq = r->cseq ? r->cseq : c->cseq + 1;
    int n = snprintf(
        out, cap,
        "%s %s SIP/2.0\nVia: SIP/2.0/TLS client.invalid;rport;branch=%s\nMax-Forwards: 70\n"
        "From: <%s>;tag=f\nTo: %s\nCall-ID: %s\nCSeq: %u %s\n%s%s",
        r->method, r->uri, r->branch ? r->branch : branch, r->from, r->to,
        r->call_id ? r->call_id : call_id, (unsigned)c->cseq, r->method, r->more ? r->more : "",
        credentials);
    assert_true(n >= 0 && (size_t)n < cap);
}

/* The credentials for the challenge in c->text, as a line with a bare LF; false when memory is out. */
static bool make_credentials(struct proxy_conn *c, const struct proxy_request *r, char *out,
                             size_t cap)
{
    struct ssi_sip_challenge challenge = {0};
    struct ssi_sip_msg *m = NULL;
    struct ssi_buf b;
    char password[32];
    bool ok = false;

    ssi_buf_init(&b, PROXY_TEXT);
    snprintf(password, sizeof password, "%spw", r->user);
    if (ssi_sip_msg_parse(c->text, strlen(c->text), true, NULL, NULL, &m) >= 0 &&
        ssi_sip_challenge_pick(m, &challenge) >= 0) {
        ssi_sip_put_credentials(&b, &challenge, r->user, password, ssi_slice_str(r->method),
                                ssi_slice_str(r->uri), ssi_slice_of(NULL, 0));
        ok = b.failed >= 0 && b.len >= 2 && b.len < cap;
    }
    if (ok) {
        memcpy(out, ssi_buf_slice(&b).p, b.len - 2);
        memcpy(out + b.len - 2, "\n", 2);
    }
    ssi_buf_free(&b);
    ssi_sip_challenge_free(&challenge);
    ssi_sip_msg_unref(m);
    return ok;
}

int proxy_ask(struct proxy_sim *s, struct proxy_conn *c, const struct proxy_request *r)
{
    char text[PROXY_TEXT];
    char credentials[1024];

    make_text(s, c, r, "", text, sizeof text);
    send_text(c, text);
    proxy_run(s, 0); /* answered transactions end */
    proxy_take(c);
    int status = proxy_status(c);
    if (!r->user || (status != 401 && status != 407))
        return status;
    if (!make_credentials(c, r, credentials, sizeof credentials)) {
        assert_true(test_oom_has_failed());
        return 0;
    }
    make_text(s, c, r, credentials, text, sizeof text);
    send_text(c, text);
    proxy_run(s, 0);
    proxy_take(c);
    return proxy_status(c);
}

int proxy_register(struct proxy_sim *s, struct proxy_conn *c, const char *user, const char *contact)
{
    char aor[128];
    char to[140];
    char more[512];

    snprintf(aor, sizeof aor, "sip:%s@example.test", user);
    snprintf(to, sizeof to, "<%s>", aor);
    snprintf(more, sizeof more, contact[0] ? "Contact: %s\n" : "%s", contact);
    return proxy_ask(s, c,
                     &(struct proxy_request){.method = "REGISTER",
                                             .uri = "sip:example.test",
                                             .from = aor,
                                             .to = to,
                                             .more = more,
                                             .user = user});
}

void proxy_answer(struct proxy_sim *s, struct proxy_conn *c, const char *request, int status,
                  const char *tag, const char *more)
{
    char text[PROXY_TEXT];
    size_t len = (size_t)snprintf(text, sizeof text, "SIP/2.0 %d Whatever\n", status);

    (void)s;
    for (const char *p = strstr(request, "\r\n"); p && p[2] && p[2] != '\r';
         p = strstr(p + 2, "\r\n")) {
        static const char *const kept[] = {
            "Via:", "Record-Route:", "From:", "To:", "Call-ID:", "CSeq:"};
        size_t n = strcspn(p + 2, "\r");
        for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
            if (strncmp(p + 2, kept[i], strlen(kept[i])) != 0)
                continue;
            bool add_tag = i == 3 && !memmem(p + 2, n, ";tag=", 5);
            len += (size_t)snprintf(text + len, sizeof text - len, "%.*s%s%s\n", (int)n, p + 2,
                                    add_tag ? ";tag=" : "", add_tag ? tag : "");
        }
    }
    snprintf(text + len, sizeof text - len, "%s", more);
    send_text(c, text);
}
