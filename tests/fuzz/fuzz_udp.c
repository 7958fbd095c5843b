/* A stack that speaks UDP: the bytes are a script of datagrams in from several addresses, ICMP, connections that fail, time, and
 * what its application does. Whatever happens, all that goes out is a SIP message (or a keep-alive) without a key in it, to an
 * address that was asked or that asked; nothing stays behind. */
#include "fuzz.h"

#include <string.h>

#include "api/stack.h"
#include "secsip/secsip.h"
#include "secsip/unstable/engine.h"
#include "sip/msg.h"

enum {
    STEPS_MAX = 300,
    SOCKETS = 8,
    STREAMS = 8,
    TEXT_MAX = 4096,
};

struct socket {
    secsip_engine_dgram *d; /* NULL: closed */
    secsip_engine_address peer;
    bool listens;
    char last[TEXT_MAX]; /* what went out last */
};

static struct world {
    secsip_stack *stack;
    secsip_registrar *registrar;
    secsip_account *account;
    secsip_call *call;
    struct socket sockets[SOCKETS]; /* of signalling */
    secsip_engine_stream *streams[STREAMS];
    uint32_t n_ports;
    uint64_t now_us;
    const uint8_t *at, *end;
} w;

static uint8_t next_byte(void)
{
    return w.at < w.end ? *w.at++ : 0;
}

static secsip_engine_address address(uint32_t host, uint32_t port)
{
    return (secsip_engine_address){.size = sizeof(secsip_engine_address),
                                   .family = 4,
                                   .port = port,
                                   .ip = {192, 0, 2, (uint8_t)host}};
}

/* ---- What the stack asks */
static secsip_result ask_connect(secsip_engine_stream *s, const secsip_engine_address *to,
                                 void *arg)
{
    (void)to;
    (void)arg;
    for (int i = 0; i < STREAMS; i++)
        if (!w.streams[i]) {
            w.streams[i] = s;
            return 0;
        }
    return SECSIP_E_NET_CONNECT;
}

static void drain(secsip_engine_stream *s)
{
    const uint8_t *data;
    size_t n = secsip_engine_stream_output(s, &data);

    secsip_engine_stream_sent(s, n);
}

static void ask_write(secsip_engine_stream *s, void *arg)
{
    (void)arg;
    drain(s);
}

static void ask_close(secsip_engine_stream *s, void *arg)
{
    (void)arg;
    for (int i = 0; i < STREAMS; i++)
        if (w.streams[i] == s)
            w.streams[i] = NULL;
}

static secsip_result ask_listen(secsip_engine_listener *l, secsip_engine_address *at, void *arg)
{
    (void)l;
    (void)at;
    (void)arg;
    return 0;
}

static bool is_signalling(const secsip_engine_dgram *d)
{
    return ((const struct ssi_dgram *)(const void *)d)->is_signalling;
}

static secsip_result open_socket(secsip_engine_dgram *d, secsip_engine_address *at,
                                 const secsip_engine_address *peer)
{
    if (at->port == 0)
        at->port = 20000 + 2 * w.n_ports++;
    for (int i = 0; is_signalling(d) && i < SOCKETS; i++)
        if (!w.sockets[i].d) {
            w.sockets[i] = (struct socket){.d = d, .listens = !peer};
            if (peer)
                w.sockets[i].peer = *peer;
            secsip_engine_dgram_set_data(d, &w.sockets[i]);
            return 0;
        }
    return is_signalling(d) ? SECSIP_E_LIMIT : 0;
}

static secsip_result ask_open(secsip_engine_dgram *d, secsip_engine_address *at, void *arg)
{
    (void)arg;
    return open_socket(d, at, NULL);
}

static secsip_result ask_dgram_connect(secsip_engine_dgram *d, const secsip_engine_address *to,
                                       secsip_engine_address *ret_local, void *arg)
{
    (void)arg;
    *ret_local = address(1, 0);
    return open_socket(d, ret_local, to);
}

static bool holds(const char *text, size_t len, const char *word)
{
    return memmem(text, len, word, strlen(word)) != NULL;
}

static void ask_send(secsip_engine_dgram *d, const secsip_engine_address *to, const uint8_t *data,
                     size_t len, void *arg)
{
    const struct ssi_sip_limits limits = {.message_bytes = 1 << 20};
    const char *text = (const char *)data;
    struct socket *s = secsip_engine_dgram_get_data(d);
    struct ssi_sip_msg *m;

    (void)arg;
    if (!is_signalling(d))
        return;
    /* Only hosts that we know of: 192.0.2.x. */
    FUZZ_CHECK(to->family == 4 && to->port > 0 && to->ip[0] == 192 && to->ip[2] == 2);
    FUZZ_CHECK(s->listens ||
               memcmp(to->ip, s->peer.ip, 4) == 0); /* sent-by has a port of its own */
    if (len == 4 && memcmp(text, "\r\n\r\n", 4) == 0)
        return;
    FUZZ_CHECK(!holds(text, len, "crypto:"));
    /* An answer repeats what is wrong in its request. */
    if (ssi_sip_msg_parse(text, len, false, &limits, NULL, &m) == 0)
        ssi_sip_msg_unref(m);
    else
        FUZZ_CHECK(strncmp(text, "SIP/2.0 4", 9) == 0 || strncmp(text, "SIP/2.0 5", 9) == 0);
    snprintf(s->last, sizeof s->last, "%.*s", (int)len, text);
}

static void ask_dgram_close(secsip_engine_dgram *d, void *arg)
{
    struct socket *s = secsip_engine_dgram_get_data(d);

    (void)arg;
    if (s)
        *s = (struct socket){0};
}

static const secsip_engine_io io = {.size = sizeof io,
                                    .stream_connect = ask_connect,
                                    .stream_wants_write = ask_write,
                                    .stream_close = ask_close,
                                    .listen = ask_listen,
                                    .dgram_open = ask_open,
                                    .dgram_send = ask_send,
                                    .dgram_close = ask_dgram_close,
                                    .dgram_connect = ask_dgram_connect};

/* ---- The application */
static secsip_result password(const char *user, char *out, size_t cap, void *arg)
{
    (void)arg;
    snprintf(out, cap, "%spw", user);
    return 0;
}

static void on_state(secsip_call *call, const secsip_call_event *e, void *arg)
{
    (void)arg;
    if (e->state == SECSIP_CALL_ENDED && call == w.call) {
        w.call = NULL;
        secsip_call_unref(call);
    }
}

static const secsip_call_callbacks call_callbacks = {.size = sizeof call_callbacks,
                                                     .on_state = on_state};

static void on_incoming_call(secsip_account *account, secsip_call *call, void *arg)
{
    (void)account;
    (void)arg;
    if (w.call) {
        secsip_call_reject(call, 486);
        return;
    }
    w.call = secsip_call_ref(call);
    secsip_call_set_callbacks(call, &call_callbacks, NULL);
    if (next_byte() & 1)
        secsip_call_answer(call);
    else
        secsip_call_ring(call);
}

static void step_application(void)
{
    switch (next_byte() % 5) {
    case 0:
        secsip_account_register(w.account);
        break;
    case 1:
        secsip_account_unregister(w.account);
        break;
    case 2:
        if (!w.call &&
            secsip_call_new(w.account, "sip:bob@example.test", &call_callbacks, NULL, &w.call) < 0)
            w.call = NULL;
        break;
    case 3:
        if (w.call)
            secsip_call_answer(w.call);
        break;
    default:
        if (w.call)
            secsip_call_hangup(w.call);
    }
}

/* ---- What comes in */
static void take(struct socket *s, uint32_t host, const char *text, size_t len)
{
    secsip_engine_address from = s->listens ? address(host, host & 1 ? 5060 : 40000) : s->peer;
    uint8_t *exact = malloc(len ? len : 1);

    FUZZ_CHECK(exact);
    memcpy(exact, text, len);
    secsip_engine_dgram_input(s->d, &from, exact, len);
    free(exact);
}

static struct socket *pick_socket(void)
{
    uint32_t from = next_byte();

    for (uint32_t i = 0; i < SOCKETS; i++)
        if (w.sockets[(from + i) % SOCKETS].d)
            return &w.sockets[(from + i) % SOCKETS];
    return NULL;
}

static void step_request(struct socket *s)
{
    static const char *const methods[] = {"INVITE",  "ACK",      "CANCEL",  "BYE",
                                          "OPTIONS", "REGISTER", "MESSAGE", "INVITE"};
    static const char *const uris[] = {"sip:alice@example.test", "sip:example.test",
                                       "sip:alice@192.0.2.1", "sips:alice@example.test"};
    static const char *const bodies[] = {
        "", "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"
            "m=audio 4000 RTP/AVP 0\r\n"};
    char text[TEXT_MAX];
    const char *method = methods[next_byte() % 8];
    uint8_t form = next_byte(), branch = next_byte() % 6;
    int n = snprintf(text, sizeof text,
                     "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7%s%s;branch=z9hG4bK%d\r\n"
                     "Max-Forwards: 70\r\nFrom: <sip:x@%s>;tag=f\r\nTo: <sip:alice@example.test>%s"
                     "\r\nCall-ID: c%d\r\nCSeq: %d %s\r\nContact: <sip:x@192.0.2.7>\r\n"
                     "Content-Type: application/sdp\r\n\r\n%s",
                     method, uris[form & 3], form & 4 ? ":5070" : "", form & 8 ? ";rport" : "",
                     branch, form & 16 ? "example.test" : "example.com", form & 32 ? ";tag=t" : "",
                     branch % 3, form & 64 ? 2 : 1, method, bodies[form >> 7]);
    take(s, next_byte() % 8, text, (size_t)n);
}

/* Answers what this socket sent last, if it was a request. */
static void step_answer(struct socket *s)
{
    static const int statuses[] = {100, 180, 200, 401, 407, 423, 480, 486, 487, 503, 603, 200};
    static const char *const kept[] = {
        "Via: ", "Record-Route: ", "From: ", "To: ", "Call-ID: ", "CSeq: "};
    char text[TEXT_MAX], last[TEXT_MAX];
    int status = statuses[next_byte() % 12];
    size_t n = (size_t)snprintf(text, sizeof text, "SIP/2.0 %d Because\r\n", status);
    char *save = NULL;

    memcpy(last, s->last, sizeof last);
    if (!last[0] || strncmp(last, "SIP/2.0", 7) == 0)
        return;
    for (char *line = strtok_r(last, "\r\n", &save); line; line = strtok_r(NULL, "\r\n", &save))
        for (size_t i = 0; i < 6; i++)
            if (strncmp(line, kept[i], strlen(kept[i])) == 0 && n < TEXT_MAX / 2)
                n += (size_t)snprintf(text + n, TEXT_MAX - n, "%.1000s%s\r\n", line,
                                      i == 3 && !strstr(line, ";tag=") ? ";tag=a" : "");
    n += (size_t)snprintf(
        text + n, TEXT_MAX - n,
        "%sContact: <sip:b@192.0.2.9>\r\nContent-Type: application/sdp\r\n\r\n%s",
        status == 401 || status == 407 ? "WWW-Authenticate: Digest realm=\"r\",nonce=\"n\"\r\n"
                                         "Proxy-Authenticate: Digest realm=\"r\",nonce=\"n\"\r\n"
                                       : "",
        next_byte() & 1 ? "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\n"
                          "c=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
                        : "");
    take(s, next_byte() % 8, text, n);
}

static void step_raw(struct socket *s)
{
    size_t len = next_byte() * 4U;

    if (len > (size_t)(w.end - w.at))
        len = (size_t)(w.end - w.at);
    const char *text = (const char *)w.at;
    w.at += len;
    take(s, next_byte() % 8, text, len);
}

static void step_stream(void)
{
    uint8_t form = next_byte();
    secsip_engine_stream *s = w.streams[form % STREAMS];
    const secsip_engine_address local = address(1, 30000);

    if (!s)
        return;
    if (form & 64) {
        secsip_engine_stream_connected(s, &local);
        return;
    }
    w.streams[form % STREAMS] = NULL;
    secsip_engine_stream_closed(s, form & 128 ? SECSIP_E_NET_RESET : SECSIP_E_NET_CONNECT, NULL);
}

static void pass_time(uint64_t us)
{
    w.now_us += us;
    for (int i = 0; i < 100 && secsip_engine_deadline(w.stack) <= w.now_us; i++)
        secsip_engine_advance(w.stack, w.now_us, 1800000000);
    secsip_engine_advance(w.stack, w.now_us, 1800000000);
}

static void do_step(void)
{
    static const uint32_t ms[] = {0, 1, 500, 4000, 25000, 32000, 600000, 3600000};
    struct socket *s;
    uint8_t what = next_byte() % 10;

    if (what == 8) {
        pass_time(ms[next_byte() % 8] * 1000ULL);
        return;
    }
    if (what == 9) {
        step_application();
        return;
    }
    s = pick_socket();
    if (!s)
        return;
    if (what < 3) {
        step_request(s);
    } else if (what < 5) {
        step_answer(s);
    } else if (what == 5) {
        secsip_engine_address to = s->listens ? address(next_byte() % 8, 5060) : s->peer;
        secsip_engine_dgram_failed(s->d, &to, "ICMP");
    } else if (what == 6) {
        step_stream();
    } else {
        step_raw(s);
    }
}

/* A phone whose requests are large or not, beside a registrar or alone. */
static void start(bool large, bool is_alone)
{
    static const secsip_account_callbacks callbacks = {.size = sizeof callbacks,
                                                       .on_incoming_call = on_incoming_call};
    static char name[1400];
    const secsip_stack_config config = {
        .size = sizeof config, .max_connections = 6, .max_transactions = 32};
    const secsip_registrar_config registrar = {.size = sizeof registrar,
                                               .domain = "example.test",
                                               .password = password,
                                               .insecure_transport = 1};
    const secsip_account_config account = {.size = sizeof account,
                                           .aor = "sip:alice@example.net",
                                           .display_name = large ? name : NULL,
                                           .password = "alicepw",
                                           .proxy = "sip:192.0.2.9;transport=udp",
                                           .media_security = SECSIP_MEDIA_SECURITY_INSECURE_CLEAR,
                                           .insecure_transport = 1};

    memset(name, 'n', sizeof name - 1);
    FUZZ_CHECK(secsip_engine_stack_new(&config, &io, NULL, w.now_us, 1800000000, &w.stack) == 0);
    if (!is_alone)
        FUZZ_CHECK(secsip_registrar_new(w.stack, &registrar, &w.registrar) == 0);
    FUZZ_CHECK(secsip_stack_listen(w.stack, "insecure-udp:192.0.2.1:5060", NULL, NULL) == 0);
    FUZZ_CHECK(secsip_account_new(w.stack, &account, &callbacks, NULL, &w.account) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    memset(&w, 0, sizeof w);
    w.now_us = 1000000;
    w.at = data;
    w.end = data + size;
    uint8_t options = next_byte();
    start(options & 1, options & 2);
    for (int i = 0; i < STEPS_MAX && w.at < w.end; i++) {
        do_step();
        FUZZ_CHECK(w.stack->ua.n_flows <= 6);
    }
    w.at = w.end;
    secsip_stack_shutdown(w.stack, 2000);
    pass_time(2000000);
    pass_time(100000000);
    FUZZ_CHECK(secsip_stack_is_idle(w.stack));
    FUZZ_CHECK(!w.call);
    for (int i = 0; i < SOCKETS; i++)
        FUZZ_CHECK(!w.sockets[i].d);
    secsip_account_unref(w.account);
    secsip_registrar_free(w.registrar);
    secsip_stack_unref(w.stack);
    return 0;
}
