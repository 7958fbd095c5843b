/* A scripted peer on the simulated network: behind TLS with a good certificate it answers what the test tells it to, right or
 * wrong. It takes the place of registrar and callee; alice of phone.h registers with it and calls. */
#ifndef TESTS_PEER_H
#define TESTS_PEER_H

#include "phone.h"
#include "ua/flow.h"

struct peer {
    struct ssi_ua *ua;
    struct ssi_flow *flow; /* alice's connection */
    char order[64];        /* one letter a request: R I A B C(ancel) O(ther) */
    char responses[256];   /* statuses of what alice answered, " 200 488" */
    char tags[512];        /* their To tags, " a b" */
    char last_response[8192];
    char offer[4096]; /* the SDP of the last INVITE, or of the last 200 of alice */
    char call_id[128], alice_tag[64], alice_contact[256];
    char bye_reason[256];
    char last_invite[8192], last_ack[4096], last_bye[4096]; /* as they came */
    unsigned cseq;
    struct ssi_txn *invite;
    /* The script of INVITE: a provisional (0: none) and a final status, with a body each (NULL: none). */
    int provisional, final;
    const char *provisional_sdp, *final_sdp;
    const char
        *challenge; /* the first INVITE is refused with 401 and this WWW-Authenticate; then NULL */
    const char *type;       /* Content-Type of bodies, NULL: application/sdp */
    const char *second_via; /* below the one of the request, in each answer; NULL: none */
    uint64_t n_from_alice;  /* datagrams */
    int options_status;     /* 0: 501 */
    bool deaf;              /* requests are noted and never answered */
};

/* A lab whose server is scripted; alice is registered. config: of alice's account. */
void peer_start(struct lab *l, struct peer *p, const secsip_account_config *config);
/* Answers a held INVITE now. */
void peer_answer(struct peer *p, int status, const char *sdp, const char *to_tag);
/* Sends a request in the dialog; headers (each with CRLF) may be NULL. */
void peer_send(struct peer *p, const char *method, const char *headers, const char *body);
/* The request as text, for tests that cut it: into out. */
size_t peer_write(struct peer *p, const char *method, const char *headers, const char *body,
                  char *out, size_t cap);
void peer_stop(struct lab *l, struct peer *p);

#endif
