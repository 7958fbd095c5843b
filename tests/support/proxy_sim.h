/* A core with an embedded registrar, on virtual time, and the connections of its clients as plain texts. */
#ifndef TESTS_PROXY_SIM_H
#define TESTS_PROXY_SIM_H

#include "ua/flow.h"
#include "ua/registrar.h"

enum {
    PROXY_CONNS = 8,
    PROXY_TEXT = 4096,
    PROXY_EVENTS = 4096
};

struct proxy_conn {
    struct ssi_stream *stream; /* NULL: closed */
    struct ssi_flow *flow;
    uint32_t cseq;
    char text[PROXY_TEXT]; /* the message that was taken last */
};

struct proxy_sim {
    struct ssi_ua ua;
    secsip_registrar *registrar;
    struct ssi_listener *listener;
    struct proxy_conn conns[PROXY_CONNS];
    uint32_t n_conns;
    uint64_t now_us;
    uint32_t n_branches;
    char events[PROXY_EVENTS]; /* "registered sip:alice@example.test\n" ... */
};

/* Users alice, bob, carol with passwords "alicepw", ... for config->domain (example.test); config may be NULL. In OOM runs an error may
 * be returned. */
secsip_result proxy_start(struct proxy_sim *s, const secsip_registrar_config *config);
void proxy_stop(struct proxy_sim *s);
/* A connection: said to be TLS or clear; the bytes are clear either way. NULL when memory is out. */
struct proxy_conn *proxy_connect(struct proxy_sim *s, bool tls);
/* The client goes away. */
void proxy_hang_up(struct proxy_sim *s, struct proxy_conn *c);
void proxy_run(struct proxy_sim *s, uint64_t ms);
/* Text with bare LF; Content-Length: 0 and the empty line are added. */
void proxy_send(struct proxy_sim *s, struct proxy_conn *c, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The next message to this client, into c->text, which is returned; "" when there is none. */
const char *proxy_take(struct proxy_conn *c);
/* Its status, 0 for requests and nothing. */
int proxy_status(struct proxy_conn *c);
/* The first header line of that name in c->text, "" when there is none; valid until the next call. */
const char *proxy_header(struct proxy_conn *c, const char *name);
/* A request with its headers: branch and Call-ID are fresh when NULL; more: further lines. The challenge (401 or 407) is
 * answered when user is not NULL. Returns the status of what came last, 0 when nothing came (it was forwarded). */
struct proxy_request {
    const char *method, *uri, *from, *to, *call_id, *branch, *more;
    const char *user; /* for credentials */
    uint32_t cseq;    /* 0: counted */
};
int proxy_ask(struct proxy_sim *s, struct proxy_conn *c, const struct proxy_request *r);
/* REGISTER of sip:user@example.test with a Contact line value; the final status. */
int proxy_register(struct proxy_sim *s, struct proxy_conn *c, const char *user,
                   const char *contact);
/* Answers the request in c->text: its Via, Record-Route, From, To (and ";tag=" tag), Call-ID and CSeq are copied. */
void proxy_answer(struct proxy_sim *s, struct proxy_conn *c, const char *request, int status,
                  const char *tag, const char *more);

#endif
