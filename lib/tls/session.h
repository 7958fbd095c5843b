/* The insides of a TLS session. Layer: tls, for session.c, which makes and drives it, and peer.c, which is asked who is at the other
 * end. */
#ifndef SSI_TLS_SESSION_H
#define SSI_TLS_SESSION_H

#include "tls/profile.h"
#include "tls/record.h"
#include "tls/verify.h"

struct ssi_tls_session {
    gnutls_session_t tls;
    secsip_tls_profile *profile;
    struct ssi_tls_identity *identity;
    struct ssi_buf in;
    struct ssi_buf out;
    size_t max_output;
    uint64_t wall_s;
    uint32_t rules;     /* the profile's, when it began */
    uint32_t judged_by; /* and when the peer was judged */
    int32_t state;
    struct ssi_tls_record record; /* of the peer's, not whole */
    size_t n_handshake;           /* bytes of its handshake */
    bool server;
    bool closed;  /* our close_notify is out */
    bool judged;  /* a certificate was accepted */
    bool kept;    /* a client: a ticket of this session is kept */
    char *domain; /* normal form; NULL on a server */
    /* During the handshake, and again once it has failed: an open session keeps of it only what follows. */
    struct ssi_tls_verdict *verdict;
    struct ssi_tls_names names; /* of the peer's certificate */
    struct ssi_tls_ticket_terms terms;
    secsip_tls_info info;
    char *peer; /* on a server, the client's name */
    enum ssi_tls_name_kind peer_kind;
};

#endif
