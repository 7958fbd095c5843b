/* A transaction layer on a virtual clock with simulated flows that write down what is sent and when. */
#ifndef TESTS_TXN_SIM_H
#define TESTS_TXN_SIM_H

#include "txn/priv.h"

enum {
    SIM_SENDS = 64,
    SIM_TEXT = 2048,
    SIM_EVENTS = 4096
};

struct sim_send {
    uint64_t at_ms;
    char text[SIM_TEXT];
};

struct sim_flow {
    struct ssi_txn_flow base; /* first */
    struct sim *sim;
    void (*on_send)(struct sim_flow *f,
                    struct ssi_slice bytes); /* NULL, or also called with each send */
    int refs;
    uint32_t n_sent; /* all; the first SIM_SENDS are kept */
    struct sim_send sent[SIM_SENDS];
};

struct sim {
    struct ssi_timers timers;
    struct ssi_txn_layer layer;
    struct sim_flow flow;  /* of the tests that need one */
    struct sim_flow other; /* a second one */
    /* What the user of the transactions was told, a word each: "180 ", "failed-700 ", "gone ", "cancel ", "ack ",
     * "INVITE ", "stray-200 ". */
    char events[SIM_EVENTS];
    struct ssi_txn *server; /* of the last new request */
    uint32_t n_finals;      /* final responses and failures of client transactions */
    uint32_t n_gone;
    /* Called by each callback, with the word, before it returns. */
    void (*hook)(struct sim *s, struct ssi_txn *t, const char *word);
    void *hook_arg;
    const char *dialog; /* NULL: no dialog lives, else the To tag of requests in one */
    uint32_t visits[SSI_TXN_KINDS][SSI_TXN_STATES][SSI_TXN_EVENTS];
};

/* Aborts the test on failure but when allocations are made to fail: then returns the failure. */
secsip_result sim_init(struct sim *s, const struct ssi_txn_config *config, bool reliable);
/* Checks that no reference to the flows is left. */
void sim_free(struct sim *s);
/* Runs all timers up to `ms` from now. */
void sim_run(struct sim *s, uint64_t ms);
uint64_t sim_now_ms(const struct sim *s);
/* Text with bare LF for CR LF. Content-Length: 0 and the empty line are added. Parse failures fail the test. */
void sim_input(struct sim *s, struct sim_flow *f, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for a message object: NULL when memory is out. */
struct ssi_sip_msg *sim_parse(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The ordinary request of these tests: From tag "f", Call-ID "call", CSeq 1; `more` is further header lines or "". */
struct ssi_sip_msg *sim_request(const char *method, const char *branch, const char *more);
/* A new client transaction for sip:bob@example.com with a body-less request; ops are those of the sim. */
struct ssi_txn *sim_client(struct sim *s, struct sim_flow *f, const char *method,
                           const char *branch);
/* Feeds a response to it: To tag "t". */
void sim_response(struct sim *s, struct sim_flow *f, int status, const char *method,
                  const char *branch);
/* Feeds that request. */
void sim_request_in(struct sim *s, struct sim_flow *f, const char *method, const char *branch,
                    const char *more);
/* Feeds a request with this To tag. */
void sim_dialog_request_in(struct sim *s, struct sim_flow *f, const char *method,
                           const char *branch, const char *to_tag);
/* Responds to it: in OOM runs failures are returned. */
secsip_result sim_respond(struct sim *s, struct ssi_txn *t, int status);
/* The text of the n-th send (0 is the first), "" when there was none. */
const char *sim_sent(const struct sim_flow *f, uint32_t n);
/* Compares and clears the words. */
void sim_expect(struct sim *s, const char *words);
/* Times of all sends since sim_init, "0 500 1500". */
void sim_expect_times(const struct sim_flow *f, const char *times);

extern const struct ssi_txn_client_ops sim_client_ops;
extern const struct ssi_txn_server_ops sim_server_ops;

#endif
