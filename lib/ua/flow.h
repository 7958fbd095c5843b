/* Flows: one connection each, from name to bytes to messages. Layer: ua. A flow to a peer locates its target (RFC 3263),
 * connects, shakes hands, verifies, frames. It fails over to the next address by itself until it was open once.
 *
 * Counted: the stack's list holds one reference while the flow lives; transactions, accounts, calls and the registrar
 * hold theirs. A dead flow sends nothing more. */
#ifndef SSI_UA_FLOW_H
#define SSI_UA_FLOW_H

#include "ua/core.h"
#include "ua/locate.h"

enum ssi_flow_state {
    SSI_FLOW_LOCATING,
    SSI_FLOW_CONNECTING,
    SSI_FLOW_HANDSHAKE,
    SSI_FLOW_OPEN,
    SSI_FLOW_DEAD,
};

enum ssi_transport {
    SSI_TRANSPORT_TLS,
    SSI_TRANSPORT_TCP, /* clear; nothing that carries a key goes over it */
    SSI_TRANSPORT_UDP, /* clear, too; flow_udp.h */
};

/* Who is told. Embedded in its owner, initialised with ssi_list_init(&w->node). */
struct ssi_flow_watch {
    struct ssi_list node;
    void (*on_open)(void *arg, struct ssi_flow *f); /* may be NULL */
    void (*on_failed)(void *arg, struct ssi_flow *f, const struct ssi_error *why);
    void *arg;
};

/* A connection of a flow, or an attempt at one. The driver knows the stream. */
struct ssi_flow_link {
    struct ssi_stream stream;
    struct ssi_list node; /* while it connects */
    struct ssi_flow *flow;
    size_t target; /* which of those in the race */
};

struct ssi_flow {
    struct ssi_txn_flow txn;    /* first: a struct ssi_txn_flow * of ours is a struct ssi_flow * */
    struct ssi_flow_link *link; /* its connection; NULL: none yet, or none any more */
    struct ssi_race *race;      /* client: where it may connect to, and what it tried */
    struct ssi_ua *ua;
    uint32_t refs;
    struct ssi_list node;
    struct ssi_hash_node id_node;
    struct ssi_hash_node target_node; /* client: found again by what it was made for */
    uint64_t id;                      /* never given out twice by a stack */
    enum ssi_flow_state state;
    enum ssi_transport transport;
    bool incoming;
    bool retired; /* nothing new begins over it */
    bool heard;   /* client: its peer said something that is SIP */
    bool opening; /* those who watch are being told that it is open */
    struct ssi_tls_session *tls;
    struct ssi_buf out;     /* clear transport: bytes to send */
    struct ssi_buf waiting; /* messages from before it was open */
    size_t n_buffered;      /* of this flow, as counted in the stack's sum */
    struct ssi_sip_framer framer;
    struct ssi_addr peer;
    struct ssi_addr local;
    secsip_tls_profile *profile;
    char *domain;         /* client: the name that is asked for and verified; else "" */
    uint16_t port;        /* client: as asked for, 0: none */
    bool transport_given; /* client: as in its target */
    uint64_t identity;    /* client: of the account it was made for; never used for another */
    struct ssi_locate *locate;
    struct ssi_list handshake; /* accepted: in the stack's list until the handshake is done */
    struct ssi_flow_address *address; /* accepted: its place in the count */
    uint64_t used_us;                 /* when a message or keep-alive came last */
    struct ssi_timer timer; /* handshake time-out, then keep-alive; accepted: then idleness */
    struct ssi_timer end;   /* at once, after a send that failed */
    struct ssi_timer half;  /* while a message is not whole */
    secsip_result send_failed;
    struct ssi_udp_side *udp; /* UDP: the rest of it, else NULL */
    struct ssi_flow
        *stands_for;       /* TCP: made for what is too large for this UDP flow; until it is open */
    struct ssi_list alias; /* accepted: in the stack's aliases */
    uint16_t alias_port;   /* at which its peer would take our connections; 0: it offers none */
    uint32_t keep_s;       /* Flow-Timer, given or received (RFC 5626 4.4); 0: none was agreed */
    bool ping_sent;        /* a keep-alive is not answered yet */
    bool pong_seen;        /* the peer answers keep-alives, so silence means failure */
    struct ssi_list watches;
    secsip_result result;    /* dead: why */
    struct ssi_error *error; /* dead: the same in full; NULL where memory was out */
};

/* What a client flow is for. */
struct ssi_flow_target {
    uint64_t identity;
    secsip_tls_profile *profile; /* NULL only for clear transports */
    enum ssi_transport transport;
    char host[256];       /* domain or numeric address, IPv6 in brackets */
    uint16_t port;        /* 0: not given */
    bool transport_given; /* the URI names the transport: NAPTR is not asked */
};

/* The flow for a target: a live one of the same target, identity and profile, or a new one that begins to connect.
 * SECSIP_E_LIMIT, SECSIP_E_NOMEM. *ret holds a reference of the caller's; it may be dead already (watch it). */
secsip_result ssi_flow_get(struct ssi_ua *ua, const struct ssi_flow_target *target,
                           struct ssi_flow **ret);
/* The same again for a flow of ours that is dead or retired: for what it was made. */
secsip_result ssi_flow_again(const struct ssi_flow *old, struct ssi_flow **ret);
/* The live flow with this id, borrowed, or NULL. */
struct ssi_flow *ssi_flow_by_id(struct ssi_ua *ua, uint64_t id);
struct ssi_flow *ssi_flow_ref(struct ssi_flow *f);
void ssi_flow_unref(struct ssi_flow *f);
/* Its server says that it cannot serve (503): nothing new begins over it, and for `seconds` (0: SSI_DOWN_S) that server is
 * tried last. */
void ssi_flow_retire(struct ssi_flow *f, uint32_t seconds);
/* The server at addr, of this flow's domain under its profile, does not work: down.h. */
void ssi_flow_note_down(struct ssi_flow *f, const struct ssi_addr *addr, uint32_t seconds);
bool ssi_flow_is_down(const struct ssi_flow *f, const struct ssi_addr *addr);
/* DNS gave another server for the same target that is not known to be down; and this round, which has asked n_asked of them for one
 * thing, has not come through all of them or too many: who was down when it began may be up when it ends. */
bool ssi_flow_has_alternative(const struct ssi_flow *f, uint32_t n_asked);
/* Whether requests over it may say ";alias" in Via (RFC 5923): both sides have shown certificates, and we listen under the same
 * profile. *ret_sent_by: what Via says of us, either way. */
bool ssi_flow_offers_alias(const struct ssi_flow *f, struct ssi_addr *ret_sent_by);
/* RFC 5626 was agreed over it. A client pings within keep_s (0: 120 s) and takes silence for the end; an accepted flow
 * (keep_s from our Flow-Timer) ends when neither ping nor message came for so long and 30 s. */
void ssi_flow_keep(struct ssi_flow *f, uint32_t keep_s);
/* Adds a watch; on_open or on_failed is called at once when the flow is open or dead already. */
void ssi_flow_watch(struct ssi_flow *f, struct ssi_flow_watch *w);
/* Removes it; a client flow that nobody watches and no transaction uses is closed. */
void ssi_flow_unwatch(struct ssi_flow *f, struct ssi_flow_watch *w);
/* An a=crypto may leave over it: TLS whose peer proved its name, by every check or with a relaxation that the profile
 * names. A client without certificate has proved nothing. */
bool ssi_flow_may_carry_keys(const struct ssi_flow *f);
/* The same without an option that has insecure in its name having acted. */
bool ssi_flow_is_secure(const struct ssi_flow *f);
/* NULL before the handshake and for clear transports. */
const secsip_tls_info *ssi_flow_tls_info(const struct ssi_flow *f);
/* Ends it: close_notify, close. Watches and transactions hear `why`. */
void ssi_flow_close(struct ssi_flow *f, const struct ssi_error *why);
/* Sends bytes, or keeps them until the flow is open. A failure ends the flow, but later: nobody is told from inside (what
 * sends may stand in the middle of a list of flows, bindings or branches). */
void ssi_flow_send(struct ssi_flow *f, struct ssi_slice bytes);
const char *ssi_flow_transport_name(const struct ssi_flow *f);  /* "TLS", "TCP", "UDP": for Via */
const char *ssi_flow_transport_param(const struct ssi_flow *f); /* ";transport=tls", ... */
/* Where the peer reaches us over it: `local`, or what a NAT made of it as the peer told (RFC 3581). */
const struct ssi_addr *ssi_flow_contact_addr(const struct ssi_flow *f);

static inline struct ssi_flow *ssi_flow_of(struct ssi_txn_flow *t)
{
    return (struct ssi_flow *)t;
}

/* A listening socket with its profile; lives in the stack's list. */
struct ssi_ua_listener {
    struct ssi_listener io;
    struct ssi_list node;
    secsip_tls_profile *profile;
};

#endif
